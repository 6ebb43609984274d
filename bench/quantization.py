# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Accuracy of MiniLM by how it is quantised: calibration methods, granularities, rounding, attention spared or not.

    python bench/quantization.py [--only TEXT] [--json FILE]

64 sentences calibrate (examples/minilm/calibration.txt), 128 others measure (heldout.txt). The program runs on the
reference executor, quantised, as it is before kernels are made of it: attention fused, the rest in f16. `fovea compare`
says the same of a package on the emulator. Needs what the demo needs (examples/minilm/requirements.txt).
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent))

from minilm_accuracy import MASK, MiniLM

METHODS = ("max", "percentile:99.99", "percentile:99.9", "mse", "entropy")
GPTQ: dict[str, Any] = {"weight_rounding": "gptq"}
ROW: dict[str, Any] = {"activation_granularity": "row"}
MX: dict[str, Any] = {"target": "gfx950", "storage": "mxfp8"}
# What a row of the table is called -> options of the compilation.
CASES: dict[str, dict[str, Any]] = {
    **{
        f"{method}, weights a {weights}": {"calibration_method": method, "weight_granularity": weights}
        for weights in ("tensor", "channel") for method in METHODS
    },
    "max, weights a block:128": {"weight_granularity": "block:128"},
    "row, weights a tensor": {**ROW, "weight_granularity": "tensor"},
    "row, weights a channel": ROW,
    "row, weights a block:128": {**ROW, "weight_granularity": "block:128"},
    "mxfp8 (gfx950)": MX,
    "max, e5m2": {"storage": "e5m2"},
    "max, bias correction": {"bias_correction": True},
    "max, smooth": {"smooth": 0.5},
    "max, gptq": GPTQ,
    "max without padding": MASK,
    "max without padding, bias correction": {**MASK, "bias_correction": True},
    "max without padding, gptq": {**GPTQ, **MASK},
    "mse without padding, gptq": {**GPTQ, **MASK, "calibration_method": "mse"},
    "max without padding, gptq, bias correction": {**GPTQ, **MASK, "bias_correction": True},
    "max without padding, gptq, smooth": {**GPTQ, **MASK, "smooth": 0.5},
    "row, gptq without padding": {**GPTQ, **MASK, **ROW},
    "row, gptq without padding, bias correction": {**GPTQ, **MASK, **ROW, "bias_correction": True},
    "mxfp8 (gfx950), gptq without padding": {**GPTQ, **MASK, **MX},
    "max, weights a channel, attention quantised": {"quantize_attention": True},
    "max without padding, gptq, attention quantised": {**GPTQ, **MASK, "quantize_attention": True},
}  # fmt: skip


def main() -> int:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    flags = parser.parse_args()
    console = Console(width=124)
    table = Table(title="MiniLM on 128 sentences that it was not calibrated on (reference executor)", box=None)
    for heading in ("", "cosine, mean", "worst", "Spearman", "FLOPs in FP8"):
        table.add_column(heading, justify="left" if not heading else "right")
    model, figures = MiniLM(), {}
    for name, options in CASES.items():
        if flags.only in name:
            row = model.measure(options)
            figures[name] = asdict(row)
            table.add_row(name, f"{row.mean:.5f}", f"{row.worst:.5f}", f"{row.spearman:.5f}",
                          f"{row.contractions['fp8_share']:.1%}")  # fmt: skip
            print(f"{name}: {row.mean:.5f} {row.spearman:.5f}", file=sys.stderr, flush=True)
    console.print(table)
    if flags.json:
        flags.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
