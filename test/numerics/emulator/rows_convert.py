# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Conversions as formulas on exact numbers; for 8-bit floats see `test_float8` and `test_scaled_conversions`."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from exact import rounded, to_integer, toward_zero
from row_runner import Case, cases, on
from rows_float import bfloat

U16, I16, U32, I32 = (0, 2**16 - 1), (-(2**15), 2**15 - 1), (0, 2**32 - 1), (-(2**31), 2**31 - 1)


def nearest(kind: str) -> Callable[[Any], float]:
    return lambda x: rounded(x, kind)


def integer(limits: tuple[int, int]) -> Callable[[float], int]:
    return lambda x: to_integer(x, *limits)


def both(change: Callable[[Any], Any]) -> Callable[[Any, Any], tuple[Any, Any]]:
    return lambda a, b: (change(a), change(b))


def normalised(low: float, steps: int) -> Callable[[float], int]:
    """[low, 1] to integers of `steps` a unit, ties to even, NaN to 0."""
    return lambda x: 0 if math.isnan(x) else round(Fraction(min(max(x, low), 1.0)) * steps)


def clipped(limits: tuple[int, int]) -> Callable[[int], int]:
    return lambda x: min(max(x, limits[0]), limits[1])


def down(x: float, shift: Fraction) -> int:
    """Floor of x + shift."""
    return to_integer(float(math.floor(Fraction(x) + shift)) if math.isfinite(x) else x, *I32)


def insert_byte(x: float, position: int, old: int) -> int:
    """V_CVT_PK_U8_F32, in the rounding mode: to nearest even."""
    byte = 0 if math.isnan(x) else round(min(max(x, 0.0), 255.0))
    shift = 8 * (position % 4)
    return old & ~(255 << shift) | byte << shift


ROWS: dict[str, Callable[..., Any]] = {
    "v_cvt_f32_u32: f32 <- u32": nearest("f32"),
    "v_cvt_f32_i32: f32 <- i32": nearest("f32"),
    "v_cvt_f32_f16: f32 <- f16": nearest("f32"),
    "v_cvt_f32_f64: f32 <- f64": nearest("f32"),
    "v_cvt_f64_u32: f64 <- u32": nearest("f64"),
    "v_cvt_f64_i32: f64 <- i32": nearest("f64"),
    "v_cvt_f64_f32: f64 <- f32": nearest("f64"),
    "v_cvt_f16_f32: f16 <- f32": nearest("f16"),
    "v_cvt_f16_u16: f16 <- u16": nearest("f16"),
    "v_cvt_f16_i16: f16 <- i16": nearest("f16"),
    "v_cvt_u32_f32: u32 <- f32": integer(U32),
    "v_cvt_u32_f64: u32 <- f64": integer(U32),
    "v_cvt_i32_f32: i32 <- f32": integer(I32),
    "v_cvt_i32_f64: i32 <- f64": integer(I32),
    "v_cvt_u16_f16: u16 <- f16": integer(U16),
    "v_cvt_i16_f16: i16 <- f16": integer(I16),
    "v_cvt_rpi_i32_f32: i32 <- f32": lambda x: down(x, Fraction(1, 2)),
    "v_cvt_flr_i32_f32: i32 <- f32": lambda x: down(x, Fraction(0)),
    **{f"v_cvt_f32_ubyte{n}: f32 <- u32": lambda x, n=n: float(x >> 8 * n & 255) for n in range(4)},
    "v_cvt_pkrtz_f16_f32: 2f16 <- f32 f32": both(lambda x: toward_zero(x, "f16")),
    "v_cvt_pknorm_i16_f32: 2i16 <- f32 f32": both(normalised(-1.0, 2**15 - 1)),
    "v_cvt_pknorm_u16_f32: 2u16 <- f32 f32": both(normalised(0.0, 2**16 - 1)),
    "v_cvt_pk_u16_u32: 2u16 <- u32 u32": both(clipped(U16)),
    "v_cvt_pk_i16_i32: 2i16 <- i32 i32": both(clipped(I16)),
    "v_cvt_pk_u8_f32: u32 <- f32 u32 u32": insert_byte,
    "v_pack_b32_f16: 2f16 <- f16 f16": both(lambda x: x),
}
GFX950: dict[str, Callable[..., Any]] = {
    "v_prng_b32: u32 <- u32": lambda x: x << 1 ^ 197 * (x >> 31),
    "v_cvt_pk_bf16_f32: 2bf16 <- f32 f32": both(nearest("bf16")),
    "v_cvt_pk_f16_f32: 2f16 <- f32 f32": both(nearest("f16")),
    "v_cvt_f32_bf16: f32 <- u16": bfloat,
}
GFX12: dict[str, Callable[..., Any]] = {
    "v_cvt_pk_u16_f32: 2u16 <- f32 f32": both(integer(U16)),
    "v_cvt_pk_i16_f32: 2i16 <- f32 f32": both(integer(I16)),
}
CASES: list[Case] = [*cases(ROWS), *on("gfx950", cases(GFX950)), *on("gfx1201", cases(GFX12))]
