# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`check_comparison.py COMPARISON.json PACKAGE`: a comparison of mlp.mlir in FP8 with its model holds together."""

import json
import sys
from pathlib import Path

document = json.loads(Path(sys.argv[1]).read_text())
report = json.loads((Path(sys.argv[2]) / "report.json").read_text())


def expect(found, expected, what):
    if found != expected:
        sys.exit(f"{what}: expected {expected}, found {found}")


heads = {"version": 1, "reference": "mlp.mlir", "compared": "fp8.fovea", "device": "emulator", "batches": 4}
expect({key: document[key] for key in heads}, heads, "head")
(output,) = document["outputs"]
expect([output[key] for key in ("name", "dtype", "shape")], ["y", "f32", [16, 16]], "output")
expect((output["elements"], output["vectors"], output["rank_samples"]), (4 * 256, 64, 64), "counts")
expect(output["cosine_worst"] <= output["cosine_mean"] < 1, True, "cosines")
layers = document["layers"]
expect((layers["batches"], layers["first_fall"]), (4, None), "layers")
first, second = layers["contractions"]
decided = [entry["id"] for entry in report["contractions"]["decisions"]]
expect([first["id"], second["id"]], decided, "contractions")
expect((first["input_sqnr_db"], first["own_sqnr_db"]["clipping"]), (None, None), "what is exact")
# Its input is exact, so all the error of its output is its own.
expect(abs(first["output_sqnr_db"] - first["own_sqnr_db"]["total"]) < 1e-3, True, "the first contraction's own error")
for entry in layers["contractions"]:
    own = entry["own_sqnr_db"]
    # The parts together are not far from the total: they are hardly correlated.
    noise = sum(10 ** (-own[part] / 10) for part in ("activation", "weight", "interaction"))
    expect(abs(10 ** (-own["total"] / 10) / noise - 1) < 0.1, True, f"parts of {entry['id']}")
    expect("mlp.mlir:" in entry["location"], True, f"place of {entry['id']}")
