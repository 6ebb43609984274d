# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every matrix instruction: the layout with one-hot operands, values against a plain product.

The layouts are stated here by lane and register, as loops over indices, apart from the emulator's array reshapes.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from assembly_runner import run_assembly

from fovea.emulator.mfma import TABLE

U32 = np.uint32
KINDS: dict[str, Any] = {
    "f32": np.float32, "xf32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16, "f64": np.float64,
    "i8": np.int8, "fp8": ml_dtypes.float8_e4m3fnuz, "bf8": ml_dtypes.float8_e5m2fnuz,
}  # fmt: skip
# name, side, k, blocks, A, B, result
CASES = [
    ("f32_32x32x2_f32", 32, 2, 1, "f32", "f32", "f32"), ("f32_16x16x4_f32", 16, 4, 1, "f32", "f32", "f32"),
    ("f32_16x16x16_f16", 16, 16, 1, "f16", "f16", "f32"), ("f32_32x32x8_f16", 32, 8, 1, "f16", "f16", "f32"),
    ("f32_16x16x16_bf16", 16, 16, 1, "bf16", "bf16", "f32"), ("f32_32x32x8_bf16", 32, 8, 1, "bf16", "bf16", "f32"),
    ("i32_16x16x32_i8", 16, 32, 1, "i8", "i8", "i32"), ("i32_32x32x16_i8", 32, 16, 1, "i8", "i8", "i32"),
    ("f64_16x16x4_f64", 16, 4, 1, "f64", "f64", "f64"),
    *((f"f32_16x16x32_{a}_{b}", 16, 32, 1, a, b, "f32") for a in ("fp8", "bf8") for b in ("fp8", "bf8")),
    *((f"f32_32x32x16_{a}_{b}", 32, 16, 1, a, b, "f32") for a in ("fp8", "bf8") for b in ("fp8", "bf8")),
    ("f32_32x32x1_2b_f32", 32, 1, 2, "f32", "f32", "f32"), ("f32_16x16x1_4b_f32", 16, 1, 4, "f32", "f32", "f32"),
    ("f32_4x4x1_16b_f32", 4, 1, 16, "f32", "f32", "f32"), ("f32_32x32x4_2b_f16", 32, 4, 2, "f16", "f16", "f32"),
    ("f32_16x16x4_4b_f16", 16, 4, 4, "f16", "f16", "f32"), ("f32_4x4x4_16b_f16", 4, 4, 16, "f16", "f16", "f32"),
    ("f32_32x32x4_2b_bf16", 32, 4, 2, "bf16", "bf16", "f32"), ("f32_16x16x4_4b_bf16", 16, 4, 4, "bf16", "bf16", "f32"),
    ("i32_32x32x4_2b_i8", 32, 4, 2, "i8", "i8", "i32"), ("i32_16x16x4_4b_i8", 16, 4, 4, "i8", "i8", "i32"),
    ("i32_4x4x4_16b_i8", 4, 4, 16, "i8", "i8", "i32"),
    ("f32_4x4x4_16b_bf16", 4, 4, 16, "bf16", "bf16", "f32"),
    ("f64_4x4x4_4b_f64", 4, 4, 4, "f64", "f64", "f64"),
    ("f32_16x16x8_xf32", 16, 8, 1, "xf32", "xf32", "f32"), ("f32_32x32x4_xf32", 32, 4, 1, "xf32", "xf32", "f32"),
    ("f32_16x16x32_f16", 16, 32, 1, "f16", "f16", "f32"), ("f32_32x32x16_f16", 32, 16, 1, "f16", "f16", "f32"),
    ("f32_16x16x32_bf16", 16, 32, 1, "bf16", "bf16", "f32"), ("f32_32x32x16_bf16", 32, 16, 1, "bf16", "bf16", "f32"),
    ("i32_16x16x64_i8", 16, 64, 1, "i8", "i8", "i32"), ("i32_32x32x32_i8", 32, 32, 1, "i8", "i8", "i32"),
]  # fmt: skip
ON_GFX950 = {case[0] for case in CASES[-6:]}


def operand_place(side: int, blocks: int, per_lane: int, block: int, line: int, k: int) -> tuple[int, int]:
    """(lane, element in the lane) that holds row or column `line` at `k` of a block."""
    return (k // per_lane * blocks + block) * side + line, k % per_lane


def result_place(side: int, blocks: int, block: int, row: int, column: int, kind: str) -> tuple[int, int]:
    """(lane, result register) of an element."""
    if kind == "f64" and side == 4:
        return row * 16 + block * 4 + column, 0
    if kind == "f64":
        return row % 4 * 16 + column, row // 4
    if side == 4:
        return block * 4 + column, row
    if side == 16:
        return row // 4 * 16 + column, block * 4 + row % 4
    return row // 4 % 2 * 32 + column, block * 16 + row // 8 * 4 + row % 4


def registers(values: Any) -> dict[int, Any]:
    """Lane values `(64, n)` as 32-bit registers."""
    raw = np.ascontiguousarray(values).view(U32)
    return {i: raw[:, i] for i in range(raw.shape[1])}


def multiply(case: Any, a: Any, b: Any, c: Any) -> Any:
    """Run one instruction on blocks `(block, side, k)`, `(block, k, side)`, `(block, side, side)`."""
    name, side, k, blocks, kind_a, kind_b, kind = case
    per_lane = side * k * blocks // 64
    lanes_a, lanes_b = np.zeros((64, per_lane), KINDS[kind_a]), np.zeros((64, per_lane), KINDS[kind_b])
    for block in range(blocks):
        for line in range(side):
            for at in range(k):
                lane, element = operand_place(side, blocks, per_lane, block, line, at)
                lanes_a[lane, element] = a[block, line, at]
                lanes_b[lane, element] = b[block, at, line]
    result_type: Any = {"f32": np.float32, "i32": np.int32, "f64": np.float64}[kind]
    lanes_c = np.zeros((64, side * side * blocks // 64), result_type)
    places = [
        (block, row, column, *result_place(side, blocks, block, row, column, kind))
        for block in range(blocks) for row in range(side) for column in range(side)
    ]  # fmt: skip
    for block, row, column, lane, register in places:
        lanes_c[lane, register] = c[block, row, column]
    ra, rb, rc = registers(lanes_a), registers(lanes_b), registers(lanes_c)
    v = {0 + i: x for i, x in ra.items()} | {8 + i: x for i, x in rb.items()} | {16 + i: x for i, x in rc.items()}
    span = lambda start, count: f"v[{start}:{start + count - 1}]" if count > 1 else f"v{start}"  # noqa: E731
    target = span(16, len(rc))
    text = f"v_mfma_{name} {target}, {span(0, len(ra))}, {span(8, len(rb))}, {target}"
    r = run_assembly(text, v, exec_mask=1, chip="gfx950" if name in ON_GFX950 else "gfx942")
    out = np.stack([r.v(16 + i) for i in range(len(rc))], axis=1).view(result_type)
    found = np.zeros((blocks, side, side), result_type)
    for block, row, column, lane, register in places:
        found[block, row, column] = out[lane, register]
    return found


def rounded(values: Any, kind: str) -> Any:
    """What the instruction makes of an operand, in f64: XF32 keeps 11 significant bits, ties to even."""
    mantissa, exponent = np.frexp(values.astype(np.float64))
    return np.ldexp(np.rint(mantissa * 2048) / 2048 if kind == "xf32" else mantissa, exponent)


def test_every_row_is_tested() -> None:
    assert {f"v_mfma_{case[0]}" for case in CASES} == set(TABLE)


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_values(case: Any) -> None:
    _, side, k, blocks, kind_a, kind_b, kind = case
    rng = np.random.default_rng(3)
    if kind == "i32":
        a, b = rng.integers(-128, 128, (blocks, side, k)), rng.integers(-128, 128, (blocks, k, side))
        c = rng.integers(-(2**30), 2**30, (blocks, side, side))
        np.testing.assert_array_equal(multiply(case, a, b, c), a @ b + c)
        return
    a = rng.standard_normal((blocks, side, k)).astype(KINDS[kind_a])
    b = rng.standard_normal((blocks, k, side)).astype(KINDS[kind_b])
    c = rng.standard_normal((blocks, side, side)).astype(np.float64 if kind == "f64" else np.float32)
    exact = rounded(a, kind_a) @ rounded(b, kind_b) + c
    # Products of the narrow types are exact in the result's type; k + 1 additions round, each by half a unit of sums
    # that stay below 64.
    bound = (k + 1) * 32 * (2.0**-52 if kind == "f64" else 2.0**-23)
    assert np.abs(multiply(case, a, b, c) - exact).max() <= bound


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_one_hot(case: Any) -> None:
    """One 1 in A and one in B at matching k give one 1 in the result, at other k none; all places in 16 runs."""
    _, side, k, blocks, _, _, _ = case
    rng = np.random.default_rng(5)
    for _ in range(16):
        block, row, column, at = (int(rng.integers(n)) for n in (blocks, side, side, k))
        a, b, c = np.zeros((blocks, side, k)), np.zeros((blocks, k, side)), np.zeros((blocks, side, side))
        a[block, row, at] = b[block, at, column] = 1
        expected = c.copy()
        expected[block, row, column] = 1
        np.testing.assert_array_equal(multiply(case, a, b, c), expected)
        if k > 1:
            b[block, at, column], b[block, (at + 1) % k, column] = 0, 1
            np.testing.assert_array_equal(multiply(case, a, b, c), c)
