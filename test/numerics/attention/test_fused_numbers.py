# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every function of the lit tests of detection and fusion gives the same numbers after fuse-attention."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from corpus_files import random_inputs

import fovea.dialect
from fovea.bindings import ir
from fovea.executor import run
from fovea.passes.detect_attention import DetectAttention
from fovea.passes.fuse_attention import FuseAttention
from fovea.passes.registry import PassContext

PASSES = Path(__file__).resolve().parents[2] / "passes"
FILES = sorted((PASSES / "detect-attention").glob("*.mlir")) + sorted((PASSES / "fuse-attention").glob("*.mlir"))
# Element type of the results -> largest difference relative to the largest result. f32: exponentials of equal scores,
# sums in another order. f16, bf16: the op keeps probabilities in f32 where the graph rounds them (2^-11, 2^-8 each).
TOLERANCE = {"float32": 2e-6, "float16": 2e-3, "bfloat16": 1.6e-2}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_numbers_stay(path: Path) -> None:
    rng = np.random.default_rng(7)
    context = ir.Context()
    context.allow_unregistered_dialects = True
    fovea.dialect.register(context)
    with context, ir.Location.unknown():
        module = ir.Module.parse(path.read_text())
        # Weights are inputs like any other here.
        module = ir.Module.parse(str(module).replace("fovea.weight", "fovea.note"))
        functions = [op for op in module.body.operations if list(op.arguments)]
        given = {f.name.value: random_inputs(f, rng) for f in functions}
        before = {name: run(module, arrays, function=name) for name, arrays in given.items()}
        DetectAttention().run(module, PassContext())
        FuseAttention(absorb_transpose=True).run(module, PassContext())
        assert module.operation.verify()
        for name, arrays in given.items():
            for old, new in zip(before[name], run(module, arrays, function=name), strict=True):
                wide = np.asarray(new, np.float64)
                tolerance = TOLERANCE[str(old.dtype)]
                old = np.asarray(old, np.float64)
                defined = np.isfinite(old)  # a row without any key is 0 / 0 before and after
                assert np.array_equal(defined, np.isfinite(wide)), name
                old, wide = old[defined], wide[defined]
                assert np.abs(wide - old).max() <= tolerance * np.abs(wide).max(), name
