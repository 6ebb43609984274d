# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""v_smfmac_* of gfx942 and gfx950: one-hot operands at every place that an index can name, values, index sets.

The layouts are those of the CDNA4 guide, "Sparse Matrices", as loops over lanes and values.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from assembly_runner import run_assembly

from fovea.emulator import EmulationError
from fovea.emulator.smfmac import TABLE

U32 = np.uint32
SIXTEEN, EIGHT = ("f16", "bf16"), ("i8", *(f"{a}_{b}" for a in ("fp8", "bf8") for b in ("fp8", "bf8")))
SHAPES = {
    "gfx942": [(16, 32, SIXTEEN), (32, 16, SIXTEEN), (16, 64, EIGHT), (32, 32, EIGHT)],
    "gfx950": [(16, 64, SIXTEEN), (32, 32, SIXTEEN), (16, 128, EIGHT), (32, 64, EIGHT)],
}
CASES = [
    (chip, f"v_smfmac_{'i32' if kind == 'i8' else 'f32'}_{side}x{side}x{k}_{kind}", side, k, kind)
    for chip, shapes in SHAPES.items() for side, k, kinds in shapes for kind in kinds
]  # fmt: skip
OLD_ON_GFX950 = [("gfx950", *case[1:]) for case in CASES[:14:3]]
FLOAT8: dict[str, dict[str, Any]] = {
    "gfx942": {"fp8": ml_dtypes.float8_e4m3fnuz, "bf8": ml_dtypes.float8_e5m2fnuz},
    "gfx950": {"fp8": ml_dtypes.float8_e4m3fn, "bf8": ml_dtypes.float8_e5m2},
}


def formats(chip: str, kind: str) -> list[Any]:
    """Types of A and B."""
    both: dict[str, Any] = {"f16": np.float16, "bf16": ml_dtypes.bfloat16, "i8": np.int8, **FLOAT8[chip]}
    names = kind.split("_")
    return [both[names[0]], both[names[-1]]]


def place(side: int, k: int, wide: bool, at: int) -> tuple[int, int]:
    """(lane group, value of the lane) of B that hold index `at`.

    Groups take 8 (16-bit) or 16 (8-bit) values in turn; the long instructions of gfx950 go round twice.
    """
    run = 8 if wide else 16
    turn, rest = divmod(at, run * 64 // side)
    return rest // run, turn * run + rest % run


def registers(values: Any) -> list[Any]:
    """Lane values `(64, n)` as registers."""
    return list(np.ascontiguousarray(values).view(U32).T)


def multiply(case: Any, packed: Any, index: Any, b: Any, c: Any, modifiers: str = "", chosen: int = 0) -> Any:
    """Packed A `(side, k / 2)` with places `(side, k / 4, 2)`, B `(side, k)` (one row a column), C `(side, side)`."""
    chip, name, side, k, kind = case
    types = formats(chip, kind)
    wide = kind in SIXTEEN
    count = k * side // 64
    lanes_a, lanes_b = np.zeros((64, count // 2), types[0]), np.zeros((64, count), types[1])
    bits = np.zeros(64, np.uint64)
    for line in range(side):
        for at in range(k):
            group, value = place(side, k, wide, at)
            lanes_b[group * side + line, value] = b[line, at]
        for four in range(k // 4):
            group, value = place(side, k, wide, 4 * four)
            lane, pair = group * side + line, value // 4
            lanes_a[lane, 2 * pair : 2 * pair + 2] = packed[line, 2 * four : 2 * four + 2]
            low, high = (int(x) for x in index[line, four])
            bits[lane] |= np.uint64((low | high << 2) << 4 * pair)
    if count < 32:
        other = np.uint64(0x9999_9999 & ~(((1 << count) - 1) << count * chosen))
        bits = bits << np.uint64(count * chosen) | other
    rows = [[4 * (lane // 16) + i if side == 16 else 8 * (i // 4) + 4 * (lane // 32) + i % 4
             for i in range(side * side // 64)] for lane in range(64)]  # fmt: skip
    result: Any = np.int32 if kind == "i8" else np.float32
    v: dict[int, Any] = {i: np.array([c[rows[lane][i], lane % side] for lane in range(64)], result)
                         for i in range(side * side // 64)}  # fmt: skip
    first, second = registers(lanes_a), registers(lanes_b)
    v |= {16 + i: x for i, x in enumerate(first)} | {24 + i: x for i, x in enumerate(second)} | {32: bits.astype(U32)}
    text = f"{name} v[0:{len(rows[0]) - 1}], v[16:{15 + len(first)}], v[24:{23 + len(second)}], v32 {modifiers}"
    run = run_assembly(text, v, exec_mask=1, chip=chip)
    found = np.zeros((side, side), result)
    for lane in range(64):
        for i, row in enumerate(rows[lane]):
            found[row, lane % side] = run.v(i, result)[lane]
    return found


def indices(rng: np.random.Generator, side: int, k: int) -> Any:
    """Ascending pairs of places."""
    pairs = np.array([(low, high) for low in range(4) for high in range(low + 1, 4)])
    return pairs[rng.integers(0, len(pairs), (side, k // 4))]


def unpacked(packed: Any, index: Any) -> Any:
    full = np.zeros((len(packed), 2 * packed.shape[1]))
    for row, places in enumerate(index):
        for four, (low, high) in enumerate(places):
            full[row, 4 * four + low], full[row, 4 * four + high] = packed[row, 2 * four], packed[row, 2 * four + 1]
    return full


def test_every_row_is_tested() -> None:
    assert {case[1] for case in CASES} == set(TABLE)


@pytest.mark.parametrize("case", CASES + OLD_ON_GFX950, ids=[f"{c[0]}-{c[1]}" for c in CASES + OLD_ON_GFX950])
def test_one_hot_and_values(case: Any) -> None:
    chip, _, side, k, kind = case
    rng = np.random.default_rng(11)
    count = k * side // 64
    for number in range(4):
        index = indices(rng, side, k)
        row, column, at = int(rng.integers(side)), int(rng.integers(side)), int(rng.integers(k // 2))
        packed, b, c = np.zeros((side, k // 2)), np.zeros((side, k)), np.zeros((side, side))
        packed[row, at] = b[column, 4 * (at // 2) + index[row, at // 2, at % 2]] = 1
        wanted = c.copy()
        wanted[row, column] = 1
        chosen = number % (32 // count)
        text = f"abid:{chosen}" if chosen else ""
        np.testing.assert_array_equal(multiply(case, packed, index, b, c, text, chosen), wanted)
        b[column] = np.roll(b[column], 1)
        np.testing.assert_array_equal(multiply(case, packed, index, b, c, text, chosen), c)
    index = indices(rng, side, k)
    if kind == "i8":
        packed, b = rng.integers(-128, 128, (side, k // 2)), rng.integers(-128, 128, (side, k))
        c = rng.integers(-(2**30), 2**30, (side, side))
        found = multiply(case, packed, index, b, c, "cbsz:1 abid:1")
        np.testing.assert_array_equal(found, unpacked(packed, index) @ b.T + c)
        return
    types = formats(chip, kind)
    packed = rng.standard_normal((side, k // 2)).astype(types[0]).astype(np.float64)
    b = rng.standard_normal((side, k)).astype(types[1]).astype(np.float64)
    c = rng.standard_normal((side, side)).astype(np.float32)
    exact = unpacked(packed, index) @ b.T + c
    # Products and their sum are exact in f64; one rounding to f32.
    error = np.abs(multiply(case, packed, index, b, c, "cbsz:1 abid:1") - exact)
    assert (error <= np.abs(exact) * 2.0**-24 + 2.0**-40).all()


def test_refused() -> None:
    with pytest.raises(EmulationError, match="gfx942"):
        run_assembly("v_smfmac_f32_16x16x64_f16 v[0:3], v[4:7], v[8:15], v16")
    with pytest.raises(EmulationError, match="this form"):
        run_assembly("v_smfmac_f32_16x16x32_f16 v[0:3], v[4:5], v[8:11], v16 blgp:1")
