# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every function in the passes' own test files computes the same before and after the pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_models import Array, parse, run_passes

from fovea.bindings import ir
from fovea.executor import Executor
from fovea.executor.types import DTYPES, dtype_of, is_float

PASSES = Path(__file__).resolve().parents[2] / "passes"

# Pass -> error relative to the largest value of a result. normalize reorders no arithmetic; demote-f64 rounds to f32;
# set-compute-type rounds each factor to f16 (2^-11), and K <= 16 terms of either sign may cancel to a quarter of their
# size; channels-last changes the order of f32 sums alone, which a result in f16 may show by one rounding; fold-qdq
# scales sums instead of terms, in f32 or (results in f16) with one rounding in place of several.
TOLERANCE = {"normalize": 0.0, "demote-f64": 1e-6, "set-compute-type": 4 * 2.0**-11, "fold-qdq": 2.0**-10,
             "channels-last": 2.0**-11}  # fmt: skip
FILES = [(name, path) for name in TOLERANCE for path in sorted((PASSES / name).glob("*.mlir"))
         if "--split-input-file" not in path.read_text()]  # fmt: skip


def public_functions(module: Any) -> dict[str, Any]:
    """Functions that a caller sees, by name: a pass may change the types of the others."""
    ops = [op for op in module.body.operations if "sym_visibility" not in op.attributes]
    return {ir.StringAttr(op.attributes["sym_name"]).value: op for op in ops}


def random_input(type_: Any, generator: np.random.Generator) -> Array:
    shape = list(type_.shape) if isinstance(type_, ir.RankedTensorType) else []
    dtype = dtype_of(type_)
    if dtype == DTYPES["f8E8M0FNU"]:  # powers of two; it has no sign
        return np.exp2(generator.integers(-3, 4, shape)).astype(np.float32).astype(dtype)
    if is_float(dtype):
        return np.asarray(generator.standard_normal(shape)).astype(np.float32).astype(dtype)
    return np.asarray(generator.integers(0, 2, shape)).astype(dtype)


def results(module: Any, inputs: dict[str, list[Array]]) -> dict[str, list[Array]]:
    executor = Executor(module)
    return {name: executor.run(arrays, name) for name, arrays in inputs.items()}


@pytest.mark.parametrize(("name", "path"), FILES, ids=[f"{n}-{p.stem}" for n, p in FILES])
def test_same_results(name: str, path: Path) -> None:
    # Weights are inputs here: their values do not matter to these passes.
    module = parse(path.read_text().replace("fovea.weight", "fovea.was_weight"))
    generator = np.random.default_rng(1)
    inputs = {
        function: [random_input(argument.type, generator) for argument in op.arguments]
        for function, op in public_functions(module).items()
    }
    before = results(module, inputs)
    run_passes(module, name)
    after = results(module, inputs)
    assert after.keys() == before.keys()
    for function, expected in before.items():
        for old, new in zip(expected, after[function], strict=True):
            assert (new.dtype, new.shape) == (old.dtype, old.shape)
            old, new = old.astype(np.float64), new.astype(np.float64)
            largest = float(np.abs(old).max()) if old.size else 0.0
            np.testing.assert_allclose(new, old, rtol=0, atol=TOLERANCE[name] * largest, err_msg=function)
