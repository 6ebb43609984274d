# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Floating-point arithmetic as formulas on exact numbers; the transcendental ones are in `test_transcendentals`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from exact import (
    INF,
    LAYOUT,
    NAN,
    add,
    finite,
    fma,
    mad,
    maximum,
    maximum_number,
    median,
    minimum,
    minimum_number,
    multiply,
    plus,
    quotient,
    rounded,
    subtract,
    times,
)
from row_runner import Case, cases, each, on

ALL = ("f16", "f32", "f64")


def whole(direction: Callable[[float], int]) -> Callable[[float], float]:
    """A rounding to integers; zeros keep the argument's sign."""
    return lambda x: math.copysign(direction(x), x) if math.isfinite(x) else x


def fraction(kind: str) -> Callable[[float], float]:
    """x - floor(x), below one even where the difference rounds to it (CDNA4 guide, V_FRACT)."""
    bits = LAYOUT[kind][0]

    def compute(x: float) -> float:
        if not math.isfinite(x):
            return NAN
        return min(rounded(Fraction(x) - math.floor(x), kind), 1 - 2.0**-bits)

    return compute


def scaled(kind: str) -> Callable[[float, int], float]:
    """x * 2**n with one rounding."""

    def compute(x: float, n: int) -> float:
        if not math.isfinite(x) or x == 0:
            return x
        return rounded(Fraction(x) * Fraction(2) ** max(min(n, 4000), -4000), kind)

    return compute


def exponent(x: float) -> int:
    return math.frexp(x)[1] if math.isfinite(x) else 0


def dot2(pairs: Callable[[Any], tuple[float, float]], kind: str = "f32") -> Callable[..., float]:
    def compute(a: Any, b: Any, c: float) -> float:
        (a0, a1), (b0, b1) = pairs(a), pairs(b)
        return rounded(plus(plus(times(a0, b0), times(a1, b1)), c), kind)

    return compute


def bfloat(code: int) -> float:
    """Value of a bf16 code, field by field."""
    sign, exponent_field, mantissa = -1.0 if code >> 15 else 1.0, code >> 7 & 255, code & 127
    if exponent_field == 255:
        return NAN if mantissa else sign * INF
    return sign * math.ldexp(mantissa + 128 * (exponent_field > 0), max(exponent_field, 1) - 134)


def floats(pair: tuple[float, float]) -> tuple[float, float]:
    return pair


def codes(pair: tuple[int, int]) -> tuple[float, float]:
    return bfloat(pair[0]), bfloat(pair[1])


def dot2_error(pairs: Callable[[Any], tuple[float, float]], kind: str = "f32") -> Callable[..., float]:
    """The order of the additions is the hardware's: each of up to three rounds by half a unit of the terms' sum."""
    bits, low, _ = LAYOUT[kind]

    def compute(a: Any, b: Any, c: float) -> float:
        size = sum(abs(x * y) for x, y in zip(pairs(a), pairs(b), strict=True)) + abs(c)
        return 3 * 2.0**-bits * size + 3 * 2.0 ** (low - bits) if math.isfinite(size) else INF

    return compute


def division_scale(kind: str) -> Callable[[float, float, float], tuple[float, bool]]:
    """V_DIV_SCALE (CDNA4 guide), exponents as if subnormals were normal.

    Where both the reciprocal and the quotient are subnormal the denominator goes down: the guide has it go up, where
    it would overflow.
    """
    single = kind == "f32"
    shift, gap, tiny, smallest = (64, 96, 23 - 127, 126) if single else (128, 768, 53 - 1023, 1022)
    put = scaled(kind)

    def subnormal(x: float | Fraction) -> bool:
        return 0 < abs(Fraction(x)) < Fraction(1, 2**smallest)

    def compute(value: float, d: float, n: float) -> tuple[float, bool]:
        is_denominator = value == d
        if d == 0 or n == 0:
            return NAN, False
        small_quotient = subnormal(Fraction(n) / Fraction(d))
        small_reciprocal = subnormal(1 / Fraction(d))
        if math.frexp(n)[1] - math.frexp(d)[1] >= gap:
            return (put(value, shift) if is_denominator else value), True
        if subnormal(d):
            return put(value, shift), False
        if small_reciprocal and small_quotient:
            return (put(value, -shift) if is_denominator else value), True
        if small_reciprocal:
            return put(value, -shift), False
        if small_quotient:
            return (value if is_denominator else put(value, shift)), True
        return (put(value, shift) if math.frexp(n)[1] - 1 <= tiny else value), False

    return compute


def division_step(kind: str) -> Callable[[float, float, float, bool], float]:
    """V_DIV_FMAS: with its bit of VCC, times 2**64 (f64: 2**128) if source 2 is at least 2, else over it, rounded once
    (RDNA4 guide)."""
    power = 64 if kind == "f32" else 128

    def compute(a: float, b: float, c: float, bit: bool) -> float:
        exact = plus(times(a, b), c)
        if not bit or not finite(exact) or exact == 0:
            return rounded(exact, kind)
        return rounded(Fraction(exact) * Fraction(2) ** (power if abs(c) >= 2 else -power), kind)

    return compute


def fixed_quotient(kind: str) -> Callable[[float, float, float], float]:
    """V_DIV_FIXUP: the quotient's magnitude with the right sign; what IEEE division says where it is special."""
    low = {"f16": None, "f32": -150, "f64": -1075}[kind]

    def compute(q: float, d: float, n: float) -> float:
        special = quotient(n, d, kind)
        if not (math.isfinite(d) and math.isfinite(n)) or d == 0 or n == 0:
            return special
        gap = math.frexp(n)[1] - math.frexp(d)[1]
        if low is not None and (gap < low or gap > -low - 22 * (kind == "f32") - 51 * (kind == "f64")):
            return special
        return math.copysign(INF if math.isnan(q) and kind != "f16" else abs(q), special)

    return compute


FLOATS: dict[str, Callable[[str], Callable[..., Any]]] = {
    "v_add_T: T <- T T": add,
    "v_mul_T: T <- T T": multiply,
    "v_min_T: T <- T T": lambda kind: minimum_number,
    "v_max_T: T <- T T": lambda kind: maximum_number,
    "v_fma_T: T <- T T T": fma,
    "v_fract_T: T <- T": fraction,
    "v_floor_T: T <- T": lambda kind: whole(math.floor),
    "v_ceil_T: T <- T": lambda kind: whole(math.ceil),
    "v_trunc_T: T <- T": lambda kind: whole(math.trunc),
    "v_rndne_T: T <- T": lambda kind: whole(round),
    "v_frexp_mant_T: T <- T": lambda kind: lambda x: math.frexp(x)[0],
}
NARROW: dict[str, Callable[[str], Callable[..., Any]]] = {
    "v_sub_T: T <- T T": subtract,
    "v_subrev_T: T <- T T": lambda kind: lambda a, b: subtract(kind)(b, a),
    "v_min3_T: T <- T T T": lambda kind: minimum_number,
    "v_max3_T: T <- T T T": lambda kind: maximum_number,
    "v_med3_T: T <- T T T": lambda kind: median,
}
PACKED: dict[str, Callable[[str], Callable[..., Any]]] = {
    "v_pk_fma_T: pk_T <- pk_T pk_T pk_T": fma,
    "v_pk_mul_T: pk_T <- pk_T pk_T": multiply,
    "v_pk_add_T: pk_T <- pk_T pk_T": add,
}
SINGLE: dict[str, Callable[..., Any]] = {
    "v_mul_legacy_f32: f32 <- f32 f32": lambda a, b: 0.0 if a == 0 or b == 0 else multiply("f32")(a, b),
    "v_mad_f16: f16 <- f16 f16 f16": mad("f16"),
    "v_mad_legacy_f16: f16 <- f16 f16 f16": mad("f16"),
    "v_pk_min_f16: pk_f16 <- pk_f16 pk_f16": minimum_number,
    "v_pk_max_f16: pk_f16 <- pk_f16 pk_f16": maximum_number,
    "v_ldexp_f32: f32 <- f32 i32": scaled("f32"),
    "v_ldexp_f16: f16 <- f16 i16": scaled("f16"),
    "v_ldexp_f64: f64 <- f64 i32": scaled("f64"),
    "v_frexp_exp_i32_f32: i32 <- f32": exponent,
    "v_frexp_exp_i32_f64: i32 <- f64": exponent,
    "v_frexp_exp_i16_f16: i16 <- f16": exponent,
}
GFX950 = {
    "v_minimum3_f32: f32 <- f32 f32 f32": minimum,
    "v_maximum3_f32: f32 <- f32 f32 f32": maximum,
    "v_pk_minimum3_f16: pk_f16 <- pk_f16 pk_f16 pk_f16": minimum,
    "v_pk_maximum3_f16: pk_f16 <- pk_f16 pk_f16 pk_f16": maximum,
}
GFX12_EACH: dict[str, Callable[[str], Callable[..., Any]]] = {
    "v_minmax_T: T <- T T T": lambda kind: lambda a, b, c: maximum_number(minimum_number(a, b), c),
    "v_maxmin_T: T <- T T T": lambda kind: lambda a, b, c: minimum_number(maximum_number(a, b), c),
    "v_minimummaximum_T: T <- T T T": lambda kind: lambda a, b, c: maximum(minimum(a, b), c),
    "v_maximumminimum_T: T <- T T T": lambda kind: lambda a, b, c: minimum(maximum(a, b), c),
    "v_minimum_T: T <- T T": lambda kind: minimum,
    "v_maximum_T: T <- T T": lambda kind: maximum,
}


def legacy(a: float, b: float, c: float) -> float:
    """The product with a zero is zero."""
    return rounded(plus(0.0 if a == 0 or b == 0 else times(a, b), c), "f32")


GFX12: dict[str, Callable[..., Any]] = {
    "v_minimum_f64: f64 <- f64 f64": minimum,
    "v_maximum_f64: f64 <- f64 f64": maximum,
    "v_minimum3_f16: f16 <- f16 f16 f16": minimum,
    "v_maximum3_f16: f16 <- f16 f16 f16": maximum,
    "v_pk_minimum_f16: pk_f16 <- pk_f16 pk_f16": minimum,
    "v_pk_maximum_f16: pk_f16 <- pk_f16 pk_f16": maximum,
    "v_fma_dx9_zero_f32: f32 <- f32 f32 f32": legacy,
}
_HALF_PRODUCT: dict[str, Any] = {"tolerance": dot2_error(floats)}
_BRAIN_PRODUCT: dict[str, Any] = {"tolerance": dot2_error(codes)}


def bounds(kind: str) -> tuple[float, float]:
    """The range of a format's finite values."""
    bits, _, high = LAYOUT[kind]
    most = (2 - 2.0 ** (1 - bits)) * 2.0**high
    return -most, most


CASES: list[Case] = [
    *each(ALL, FLOATS),
    *each(("f16", "f32"), NARROW),
    *each(("f16", "f32"), PACKED),
    *cases(SINGLE),
    *[
        case
        for kind, chip in (("f16", "gfx1201"), ("f32", "gfx942"), ("f64", "gfx942"))
        for case in cases({f"v_fmac_{kind}: {kind} <- {kind} {kind} {kind}": fma(kind)}, accumulate=True, chip=chip)
    ],
    *cases({"v_pk_fmac_f16: pk_f16 <- pk_f16 pk_f16 pk_f16": fma("f16")}, accumulate=True),
    *[
        case
        for kind, chip in (("f16", "gfx1201"), ("f32", "gfx942"))
        for name, place in (("fmamk", 1), ("fmaak", 2))
        for case in cases(
            {f"v_{name}_{kind}: {kind} <- {kind} {kind} {kind}": fma(kind)}, constants=((place, 0.625),), chip=chip
        )
    ],
    *on("gfx1201", [
        *each(("f16", "f32"), GFX12_EACH), *cases(GFX12),
        *cases({"v_dot2_f16_f16: f16 <- 2f16 2f16 f16": dot2(floats, "f16")}, tolerance=dot2_error(floats, "f16")),
        *cases({"v_dot2_bf16_bf16: bf16 <- 2bf16 2bf16 bf16": dot2(floats, "bf16")},
               tolerance=dot2_error(floats, "bf16")),
        *cases({"v_fmac_dx9_zero_f32: f32 <- f32 f32 f32": legacy}, accumulate=True),
    ]),
    *cases({"v_dot2_f32_f16: f32 <- 2f16 2f16 f32": dot2(floats)}, **_HALF_PRODUCT),
    *cases({"v_dot2c_f32_f16: f32 <- 2f16 2f16 f32": dot2(floats)}, accumulate=True, **_HALF_PRODUCT),
    *on("gfx950", [
        *cases(GFX950),
        *cases({"v_dot2_f32_bf16: f32 <- 2u16 2u16 f32": dot2(codes)}, **_BRAIN_PRODUCT),
        *cases({"v_dot2c_f32_bf16: f32 <- 2u16 2u16 f32": dot2(codes)}, accumulate=True, **_BRAIN_PRODUCT),
    ]),
    *[
        replace(case, limits=tuple((n, *bounds(kind)) for n in range(3)))
        for kind in ("f32", "f64")
        for case in cases({f"v_div_scale_{kind}: {kind},mask <- {kind} {kind} {kind}": division_scale(kind)})
    ],
    *[
        replace(case, text=f"{case.name} {{d}}, {{0}}, {{1}}, {{2}}")
        for case in each(("f32", "f64"), {"v_div_fmas_T: T <- T T T mask": division_step})
    ],
    *each(ALL, {"v_div_fixup_T: T <- T T T": fixed_quotient}),
]  # fmt: skip
