# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Scales computed from the values: finite and > 0 for any data, the same on the reference executor and on the emulator,
and what their definition says."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from small_models import Array, parse

from fovea import api, runtime
from fovea.dialect.quantize import STORAGE_MAX
from fovea.executor import run
from fovea.executor.types import DTYPES
from fovea.package import Package
from fovea.weights import WeightStore

ROWS, COLUMNS = 14, 100
KINDS = ("f32", "f16", "bf16")
# (storage, type of scales, block): rows, columns, blocks of k that divide it and that do not, MX.
BLOCKS = {"row": (1, COLUMNS), "column": (ROWS, 1), "tensor": (ROWS, COLUMNS), "block": (1, 25), "ragged": (1, 32)}
CASES = {
    "gfx942": [("f8E4M3FNUZ", "f32", shape) for shape in BLOCKS] + [("f8E5M2FNUZ", "f32", "row")],
    "gfx950": [("f8E4M3FN", "f32", "row"), ("f8E4M3FN", "f8E8M0FNU", "ragged"), ("f8E5M2", "f8E8M0FNU", "block")],
}
EACH = [(target, number, kind) for target, cases in CASES.items() for number in range(len(cases)) for kind in KINDS]


def rows(kind: str) -> Array:
    """Rows of any data: zeros, subnormals, one outlier, constants, the ends of the range, infinities, NaN."""
    rng = np.random.default_rng(3)
    dtype = DTYPES[kind]
    x = np.zeros((ROWS, COLUMNS), dtype)
    largest, smallest = (float(getattr(ml_dtypes.finfo(dtype), name)) for name in ("max", "smallest_subnormal"))
    x[1] = smallest
    x[2] = (rng.integers(-5, 6, COLUMNS) * smallest).astype(dtype)
    x[3] = rng.standard_normal(COLUMNS).astype(dtype)
    x[3, 7] = largest
    x[4] = 0.7
    x[5] = -largest
    x[6, 5:7] = np.inf, 1.0
    x[7] = rng.standard_normal(COLUMNS).astype(dtype)
    x[7, 3] = np.nan
    x[8] = np.nan
    x[9] = rng.standard_normal(COLUMNS).astype(dtype)
    x[10] = np.exp2(rng.integers(-14, 10, COLUMNS)).astype(dtype)
    x[11, 0] = -np.inf
    # E4M3 and E5M2 end at 1.75 times a power of two: a block that ends there, and one just beyond.
    x[12, ::10] = 1.75 * 2.0 ** np.arange(10)
    x[13] = np.nextafter(x[12], dtype.type(np.inf)) if kind != "bf16" else x[12] * dtype.type(1.01)
    return x


def model(target: str) -> str:
    lines, names, types = [], [], []
    for number, (storage, scale, shape) in enumerate(CASES[target]):
        block = BLOCKS[shape]
        counts = "x".join(str(-(-extent // size)) for extent, size in zip((ROWS, COLUMNS), block, strict=True))
        for kind in KINDS:
            results = [f"tensor<{ROWS}x{COLUMNS}x{storage}>", f"tensor<{counts}x{scale}>"]
            lines.append(f'%q{number}{kind}:2 = "fovea.dynamic_quantize"(%{kind}) {{block = array<i64: {block[0]}, '
                         f"{block[1]}>}} : (tensor<{ROWS}x{COLUMNS}x{kind}>) -> ({', '.join(results)})")  # fmt: skip
            names += [f"%q{number}{kind}#0", f"%q{number}{kind}#1"]
            types += results
    arguments = ", ".join(f'%{kind}: tensor<{ROWS}x{COLUMNS}x{kind}> {{fovea.name = "{kind}"}}' for kind in KINDS)
    body = "\n".join(lines)
    return (f"func.func @main({arguments}) -> ({', '.join(types)}) {{\n{body}\nreturn {', '.join(names)} : "
            f"{', '.join(types)}\n}}")  # fmt: skip


@cache
def results(target: str) -> tuple[list[Array], list[Array]]:
    """(emulated, executed), stored values and scales in turn, in the order of EACH."""
    inputs = {kind: rows(kind) for kind in KINDS}
    compiled = api.compile_module(parse(model(target)), api.CompileOptions(target=target, fp8=False))
    packed = WeightStore()
    for key, array in compiled.weights.items():
        packed.add(key, array)
    found = runtime.run(Package(Path("model"), compiled.plan, compiled.code_objects, packed), inputs)
    return [found[spec.name] for spec in compiled.plan.outputs], run(parse(model(target)), list(inputs.values()))


def bits(array: Any) -> Array:
    """The bytes; any NaN is as good as another."""
    wide = np.asarray(array).astype(np.float32)
    return np.where(np.isnan(wide), np.uint32(0x7FC00000), wide.view(np.uint32))


def place(target: str, number: int, kind: str) -> int:
    return 2 * (number * len(KINDS) + KINDS.index(kind))


@pytest.mark.parametrize(("target", "number", "kind"), EACH)
def test_emulator_and_executor_agree(target: str, number: int, kind: str) -> None:
    emulated, executed = results(target)
    for at in (place(target, number, kind), place(target, number, kind) + 1):
        np.testing.assert_array_equal(bits(emulated[at]), bits(executed[at]))


@pytest.mark.parametrize(("target", "number", "kind"), EACH)
def test_scales_are_what_they_are_defined_as(target: str, number: int, kind: str) -> None:
    storage, type_, shape = CASES[target][number]
    found = np.asarray(results(target)[1][place(target, number, kind) + 1]).astype(np.float64)
    assert (np.isfinite(found) & (found > 0)).all()
    x, block = np.abs(rows(kind).astype(np.float64)), BLOCKS[shape]
    for i in range(found.shape[0]):
        for j in range(found.shape[1]):
            part = x[i * block[0] : (i + 1) * block[0], j * block[1] : (j + 1) * block[1]]
            part = part[~np.isnan(part)]
            largest = part.max() if part.size else 0.0
            if largest == 0:
                assert found[i, j] == 1
            elif type_ == "f32":
                wanted = np.float32(min(max(largest / STORAGE_MAX[storage], 2.0**-63), float(np.finfo(np.float32).max)))
                assert found[i, j] == wanted
            else:
                largest = min(largest, float(np.finfo(np.float32).max))
                assert np.frexp(found[i, j])[0] == 0.5, "a power of two"
                assert largest <= STORAGE_MAX[storage] * found[i, j], "nothing saturates"
                assert largest > STORAGE_MAX[storage] * found[i, j] / 2 or found[i, j] == 2.0**-127, "the least one"


@pytest.mark.parametrize("target", CASES)
def test_infinities_and_nan_stay_what_they_are(target: str) -> None:
    """An infinity is the largest value of its row, NaN stays NaN, and neither spoils what else is in the row."""
    stored, scale = (np.asarray(results(target)[0][i]).astype(np.float64) for i in range(2))
    assert np.isinf((stored[6].astype(np.float32) * scale[6].astype(np.float32))[5])
    assert (stored[6, :5] == 0).all() and stored[6, 6] == 0
    assert np.isnan(stored[7, 3]) and np.isfinite(np.delete(stored[7], 3)).all()
    assert np.isnan(stored[8]).all()


def test_equal_channels_are_one_tensor() -> None:
    """Scales a row are those of a tensor whose rows are equal up to order and sign, and so are the stored values."""
    rng = np.random.default_rng(5)
    row = rng.standard_normal(COLUMNS).astype(np.float32)
    x = np.stack([rng.permutation(row) * np.float32(sign) for sign in rng.choice([-1, 1], ROWS)])
    outputs = run(parse(model("gfx942")), [x.astype(DTYPES[kind]) for kind in KINDS])
    by_row, by_tensor = (place("gfx942", list(BLOCKS).index(name), "f32") for name in ("row", "tensor"))
    np.testing.assert_array_equal(bits(outputs[by_row]), bits(outputs[by_tensor]))
    assert (outputs[by_row + 1] == outputs[by_tensor + 1]).all()
