# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every function of the lit tests of detection and fusion gives the same numbers after fuse-attention."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fovea.dialect
from fovea.bindings import ir
from fovea.executor import run
from fovea.passes.detect_attention import DetectAttention
from fovea.passes.fuse_attention import FuseAttention
from fovea.passes.registry import PassContext

PASSES = Path(__file__).resolve().parents[2] / "passes"
FILES = sorted((PASSES / "detect-attention").glob("*.mlir")) + sorted((PASSES / "fuse-attention").glob("*.mlir"))
DTYPES = {"f16": np.float16, "f32": np.float32, "f64": np.float64, "i1": np.bool_}
# Element type of the results -> largest difference relative to the largest result. f32: exponentials of equal scores,
# sums in another order. f16: the op keeps probabilities in f32 where the graph rounds them (2^-11 each).
TOLERANCE = {"f32": 2e-6, "f16": 2e-3}


def inputs_of(function: Any, rng: np.random.Generator) -> list[Any]:
    arrays = []
    for argument in function.arguments:
        tensor = isinstance(argument.type, ir.RankedTensorType)
        dtype = DTYPES[str(argument.type.element_type if tensor else argument.type)]
        numbers = rng.standard_normal(list(argument.type.shape) if tensor else [])
        arrays.append(np.asarray(numbers > 0.3) if dtype is np.bool_ else np.asarray(numbers, dtype))
    return arrays


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_numbers_stay(path: Path) -> None:
    rng = np.random.default_rng(7)
    context = ir.Context()
    fovea.dialect.register(context)
    with context, ir.Location.unknown():
        module = ir.Module.parse(path.read_text())
        # Weights are inputs like any other here.
        module = ir.Module.parse(str(module).replace("fovea.weight", "fovea.note"))
        functions = [op for op in module.body.operations if list(op.arguments)]
        given = {f.name.value: inputs_of(f, rng) for f in functions}
        before = {name: run(module, arrays, function=name) for name, arrays in given.items()}
        DetectAttention().run(module, PassContext())
        FuseAttention(absorb_transpose=True).run(module, PassContext())
        assert module.operation.verify()
        for name, arrays in given.items():
            for old, new in zip(before[name], run(module, arrays, function=name), strict=True):
                wide = np.asarray(new, np.float64)
                defined = np.isfinite(old)  # a row without any key is 0 / 0 before and after
                assert np.array_equal(defined, np.isfinite(wide)), name
                old, wide = old[defined], wide[defined]
                tolerance = TOLERANCE["f16" if old.dtype == np.float16 else "f32"]
                assert np.abs(wide - old).max() <= tolerance * np.abs(wide).max(), name
