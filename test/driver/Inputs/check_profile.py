# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`check_profile.py PROFILE.json PACKAGE`: a profile of mlp.mlir in f16 has what the layers' shapes say."""

import json
import sys
from pathlib import Path

profile = json.loads(Path(sys.argv[1]).read_text())
package = Path(sys.argv[2])
plan = json.loads((package / "plan.json").read_text())


def expect(found, expected, what):
    if found != expected:
        sys.exit(f"{what}: expected {expected}, found {found}")


expect((profile["package"], profile["target"]), (package.name, "gfx942"), "package")
first, second = profile["kernels"]
for kernel, launch in zip(profile["kernels"], plan["launches"], strict=True):
    name = kernel["name"]
    expect((name, kernel["code_object"]), (launch["kernel"], launch["code_object"]), "kernel")
    expect((kernel["grid"], kernel["block"]), (launch["grid"], launch["block"]), f"sizes of {name}")
    expect(kernel["launches"], 1, f"launches of {name}")
    waves = launch["grid"][0] * launch["block"][0] // 64
    expect(kernel["waves"], waves, f"waves of {name}")
    expect(kernel["barriers"] % waves, 0, f"barriers of {name}: every wave waits at all of them")
    expect(kernel["mean_active_lanes"], 64, f"lanes of {name}")
    given = launch["lds_bytes"] + 511 >> 9 << 9
    expect(kernel["occupancy"]["lds_bytes"], given, f"LDS of {name}")
    expect(kernel["occupancy"]["workgroups_let_in"]["LDS"], 65536 // given, f"workgroups by the LDS of {name}")
    mfma = kernel["instructions"]["matrix"]["v_mfma_f32_16x16x16_f16"]
    expect(kernel["operations"]["matrix"], {"f16": mfma * 2 * 16**3}, f"operations of {name}")
    times = kernel["modelled"]["seconds_by_resource"]
    # The waves of a workgroup are on SIMDs of their own, and no compute unit has two workgroups.
    expect(round(times["matrix"] * 2.1e9), mfma // waves * 16, f"matrix clocks of {name}")
    moved = kernel["global"]
    least = moved["least_bytes_read"] + moved["least_bytes_written"]
    expect(round(times["memory"] * 5.3e12), least, f"bytes of {name}")
    expect(kernel["modelled"]["seconds"], max(times.values()), f"time of {name}")
expect(first["global"]["least_bytes_read"], 16 * 32 * 4 + 32 * 48 * 2 + 48 * 4, "bytes that the first reads")
expect(first["global"]["least_bytes_written"], 16 * 48 * 2, "bytes that the first writes")
expect(second["global"]["least_bytes_read"], 16 * 48 * 2 + 48 * 16 * 2 + 16 * 4, "bytes that the second reads")
expect(second["global"]["least_bytes_written"], 16 * 16 * 4, "bytes that the second writes")
expect(profile["total"]["launches"], 2, "launches")
