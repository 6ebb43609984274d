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
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "examples" / "minilm"))

import model_files  # noqa: E402
from quality import closeness  # noqa: E402
from sentences import read_sentences, tokenize  # noqa: E402

from fovea.api import Clock, CompileOptions  # noqa: E402
from fovea.executor import Executor  # noqa: E402
from fovea.ir_input import new_context, parse_module  # noqa: E402
from fovea.passes.registry import PassContext  # noqa: E402
from fovea.pipeline import run_pipeline  # noqa: E402
from fovea.quantization_steps import Quantizer  # noqa: E402
from fovea.report import contraction_summary  # noqa: E402
from fovea.weights import WeightStore  # noqa: E402

MASK = {"calibration_mask": "attention_mask"}
METHODS = ("max", "percentile:99.99", "percentile:99.9", "mse", "entropy")
GPTQ: dict[str, Any] = {"weight_rounding": "gptq"}
ROW: dict[str, Any] = {"activation_granularity": "row"}
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
    for heading in ("", "cosine, mean", "worst", "Spearman", "FLOPs in FP8", "seconds"):
        table.add_column(heading, justify="left" if not heading else "right")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        tokenizer = model_files.prepare(work)
        weights = WeightStore([work / model_files.WEIGHTS_FILE])
        calibration = tokenize(read_sentences(model_files.CALIBRATION), tokenizer)
        held_out = tokenize(read_sentences(model_files.HERE / "heldout.txt"), tokenizer)
        reference = _embed(parse_module(model_files.IR, new_context()), weights, held_out)
        figures = {}
        for name, options in CASES.items():
            if flags.only in name:
                figures[name] = _measure(options, weights, calibration, held_out, reference)
                row = figures[name]
                table.add_row(name, f"{row['mean']:.5f}", f"{row['worst']:.5f}", f"{row['spearman']:.5f}",
                              f"{row['share']:.1%}", f"{row['seconds']:.0f}")  # fmt: skip
                print(f"{name}: {row['mean']:.5f} {row['spearman']:.5f}", file=sys.stderr, flush=True)
    console.print(table)
    if flags.json:
        flags.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def _measure(
    settings: dict[str, Any], weights: WeightStore, calibration: Any, held_out: Any, reference: np.ndarray[Any, Any]
) -> dict[str, float]:
    start = time.perf_counter()
    options = CompileOptions(**settings)
    module = parse_module(model_files.IR, new_context()).operation.clone()
    store = WeightStore()
    for name, array in weights.items():
        store.add(name, array)
    context = PassContext(target=options.target, weights=store)
    run_pipeline(module, "builtin.module(fovea-normalize{prefer-k-contiguous=true},fovea-detect-attention)", context)
    Quantizer(module, options, context, Clock(None), ()).run(calibration)
    fuse = "" if options.quantize_attention else "fovea-fuse-attention,"
    run_pipeline(module, f"builtin.module({fuse}fovea-set-compute-type,fovea-fold-constants)", context)
    found = closeness(_embed(module, store, held_out), reference)
    return {
        "mean": float(found.cosine.mean()), "worst": float(found.cosine.min()), "spearman": found.rank_agreement,
        "share": contraction_summary(context.records)["fp8_share"], "seconds": time.perf_counter() - start,
    }  # fmt: skip


def _embed(module: Any, weights: WeightStore, batches: Any) -> np.ndarray[Any, Any]:
    executor = Executor(module, weights)
    return np.concatenate([executor.run(batch)[0] for batch in batches])


if __name__ == "__main__":
    sys.exit(main())
