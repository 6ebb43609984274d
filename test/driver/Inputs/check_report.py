# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`check_report.py PACKAGE`: report.json of attention.mlir in FP8 is complete, and `inspect --json` agrees with it."""

import json
import subprocess
import sys
from pathlib import Path

package = Path(sys.argv[1])
report = json.loads((package / "report.json").read_text())
plan = json.loads((package / "plan.json").read_text())
fovea = Path(sys.executable).parent / "fovea"
shown = json.loads(subprocess.run([fovea, "inspect", package, "--json"], check=True, stdout=subprocess.PIPE).stdout)


def expect(found, expected, what):
    if found != expected:
        sys.exit(f"{what}: expected {expected}, found {found}")


options = {"target": "gfx942", "fp8": True, "quantize_attention": False, "exclude": [], "compute_type": "f16"}
expect({key: report["options"][key] for key in options}, options, "options")
expect(report["model"], "attention.mlir", "model")
expect([report["attention"][key] for key in ("tagged", "fused", "near_misses")], [1, 1, 0], "attention")
decisions = [decision["decision"] for decision in report["attention"]["decisions"]]
expect(decisions, ["tagged", "fused"], "attention decisions")
expect([report["contractions"][key] for key in ("fp8", "attention", "other")], [4, 2, 0], "contractions")
ids = [decision["id"] for decision in report["contractions"]["decisions"] if decision["decision"] == "fp8"]
expect(ids, ["query", "key", "value", "output"], "contractions in FP8")
for decision in report["contractions"]["decisions"]:
    explained = bool(decision["reason"]) and "attention.mlir:" in decision["location"]
    expect(explained, True, f"{decision['id']} is explained")
# One input is shared by query, key and value; the other is what attention gives.
activations = [scale["id"] for scale in report["scales"] if scale["role"] == "activation"]
expect(activations, ["query.lhs", "output.lhs"], "activation scales")
expect(sorted(report["ranges"]), sorted(activations), "ranges")
for scale in report["scales"]:
    # The largest magnitude seen becomes the largest value of the chip's FP8, 240.
    if scale["role"] == "activation":
        wanted = report["ranges"][scale["id"]]["max_abs"] / 240
        expect(abs(scale["max"] / wanted - 1) < 1e-6, True, f"scale of {scale['id']}")
expect(report["plan"]["launches"], len(plan["launches"]), "launches")
expect(report["plan"]["arena_bytes"], plan["arena_bytes"], "arena")
expect(set(report["seconds"]) >= {"detect", "calibrate", "generate code"}, True, "stages")

names = [kernel["name"] for kernel in report["kernels"]]
expect([kernel["name"] for kernel in shown["kernels"]], names, "inspected kernels")
expect(sum(kernel["launches"] for kernel in shown["kernels"]), len(plan["launches"]), "inspected launches")
expect(shown["arena_bytes"], plan["arena_bytes"], "inspected arena")
for kernel in shown["kernels"]:
    launch = next(launch for launch in plan["launches"] if launch["kernel"] == kernel["name"])
    expect([kernel["grid"], kernel["block"]], [launch["grid"], launch["block"]], f"sizes of {kernel['name']}")
    expect(kernel["lds_bytes"], launch["lds_bytes"], f"LDS of {kernel['name']}")
    measured = kernel["vgpr"] > 0 and kernel["sgpr"] > 0 and kernel["code_bytes"] > 0
    expect(measured, True, f"{kernel['name']} is measured")
    expect((kernel["spills"], kernel["scratch_bytes"]), (0, 0), f"spills and scratch of {kernel['name']}")
    kind = "fp8_fp8" if kernel["name"].startswith("contraction") else "f16"
    expect([name.endswith(kind) for name in kernel["matrix"]], [True], f"matrix instructions of {kernel['name']}")
