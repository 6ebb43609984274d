# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Vector floating-point arithmetic (one table). Formulas follow AMD's CDNA3 ISA document and IEEE 754."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from fovea.emulator.vector import Row, rows

F16, F32, F64, U64 = np.float16, np.float32, np.float64, np.uint64


def fma32(a: Any, b: Any, c: Any) -> Any:
    """f32 fused multiply-add, one rounding.

    The product of two f32 is exact in f64, so only the sum rounds before the last rounding. A second rounding differs
    from a single one only if the f64 sum was inexact and lies on a tie of f32; those lanes are redone with the sum
    rounded to odd (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums").
    """
    product = np.multiply(a, b, dtype=F64)
    total = product + c
    result = total.astype(F32)
    bits = total.view(U64)
    suspect = (bits & U64(0x1FFFFFFF)) == U64(0x10000000)
    # Exponent fields from 1 up to that of 2**-125; the subtraction takes zeros out of the range.
    tiny = (bits & U64(0x7FF0000000000000)) - U64(1) < U64((1023 - 125) << 52)
    if suspect.any() or tiny.any():
        where = suspect | tiny
        shape = total.shape
        wide_c = np.broadcast_to(np.asarray(c, F64), shape)[where]
        p, t = np.broadcast_to(product, shape)[where], total[where]
        back = t - p
        error = (p - (t - back)) + (wide_c - back)
        odd = t.view(U64) & U64(1)
        outward = (error > 0) == (t > 0)
        stepped = np.where(outward, t.view(U64) + U64(1), t.view(U64) - U64(1))
        fixed = np.where((error != 0) & np.isfinite(t) & (odd == 0), stepped, t.view(U64)).view(F64)
        result = np.array(result)
        result[where] = fixed.astype(F32)
    return result


def _two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


def _two_product(a: Any, b: Any) -> tuple[Any, Any]:
    """Product and its rounding error (Dekker, with Veltkamp's splitting)."""
    product = a * b
    ha, hb = a * 134217729.0, b * 134217729.0
    ha, hb = ha - (ha - a), hb - (hb - b)
    la, lb = a - ha, b - hb
    return product, la * lb - (((product - ha * hb) - la * hb) - ha * lb)


def _nearest64(value: Fraction) -> float:
    """Nearest f64 of a rational number, which Python rounds to even; too large becomes infinity."""
    try:
        return float(value)
    except OverflowError:
        return -np.inf if value < 0 else np.inf


def fma64(a: Any, b: Any, c: Any) -> Any:
    """f64 fused multiply-add, one rounding (Boldo and Melquiond's algorithm with rounding to odd).

    Mantissas and exponents are handled apart, so intermediate overflow cannot spoil the error terms. A term that is far
    below the other one stays there as the smallest of remainders: it still decides ties. Subnormal results, which would
    round twice, are computed again with rational numbers.
    """
    a, b, c = np.broadcast_arrays(np.asarray(a, F64), b, c)
    plain = np.where(np.isinf(c) & np.isfinite(a) & np.isfinite(b), c, a * b + c)
    (ma, ea), (mb, eb), (mc, ec) = np.frexp(a), np.frexp(b), np.frexp(c)
    shift = np.clip(ec - ea - eb, -200, 200)
    high, low = _two_product(ma, mb)
    scaled = np.ldexp(mc, shift)
    total_high, total_low = _two_sum(scaled, low)
    result_high, result_low = _two_sum(high, total_high)
    rest, error = _two_sum(total_low, result_low)
    stepped = np.nextafter(rest, np.where(error > 0, np.inf, -np.inf))
    rest = np.where((error != 0) & (rest.view(U64) & U64(1) == 0), stepped, rest)
    exact = np.ldexp(result_high + rest, np.maximum(ea + eb, ec - 200))
    usable = np.isfinite(a) & np.isfinite(b) & np.isfinite(c) & (a != 0) & (b != 0) & (c != 0)
    result = np.where(usable, exact, plain)
    finite = np.isfinite(a) & np.isfinite(b) & np.isfinite(c)
    for lane in zip(*np.nonzero(finite & (np.abs(result) < 2.0**-1021) & (a != 0) & (b != 0)), strict=True):
        value = Fraction(float(a[lane])) * Fraction(float(b[lane])) + Fraction(float(c[lane]))
        if value:
            result[lane] = _nearest64(value)
    return result


def fma16(a: Any, b: Any, c: Any) -> Any:
    """f16 fused multiply-add: exact in f64 up to one rounding."""
    return (np.multiply(a, b, dtype=F64) + c).astype(F16)


def lower_zero(a: Any, b: Any, least: Any) -> Any:
    """`least` of a and b with -0 below +0, which numpy leaves open."""
    zeros = (a == 0) & (b == 0)
    return np.where(zeros, np.where(np.signbit(a), a, b), least) if np.any(zeros) else least


def upper_zero(a: Any, b: Any, most: Any) -> Any:
    """`most` of a and b with +0 above -0."""
    zeros = (a == 0) & (b == 0)
    return np.where(zeros, np.where(np.signbit(a), b, a), most) if np.any(zeros) else most


def minimum_number(a: Any, b: Any) -> Any:
    """IEEE 754-2008 minNum: a number wins over a NaN."""
    return lower_zero(a, b, np.fmin(a, b))


def maximum_number(a: Any, b: Any) -> Any:
    return upper_zero(a, b, np.fmax(a, b))


def _med3(a: Any, b: Any, c: Any) -> Any:
    nan = np.isnan(a) | np.isnan(b) | np.isnan(c)
    middle = maximum_number(minimum_number(a, b), minimum_number(maximum_number(a, b), c))
    return np.where(nan, np.fmin(np.fmin(a, b), c), middle)


def flush32(x: Any) -> Any:
    """Subnormal f32 values to signed zero: the transcendental unit reads and writes none."""
    return np.where(np.abs(x) < F32(2.0**-126), np.copysign(F32(0), x), x)


def _unary32(function: Any) -> Any:
    return lambda x: flush32(function(flush32(x).astype(F64)).astype(F32))


def _unary16(function: Any) -> Any:
    return lambda x: function(x.astype(F32)).astype(F16)


def _sine(function: Any) -> Any:
    """The argument is in revolutions, of which whole ones do not count (CDNA4 and RDNA4 guides: full range)."""

    def compute(x: Any) -> Any:
        turns = x.astype(F64)
        part = np.where(turns == 0, turns, turns - np.rint(turns))
        return function(2 * np.pi * part).astype(x.dtype)

    return compute


def _fract(x: Any) -> Any:
    below_one = np.nextafter(x.dtype.type(1), x.dtype.type(0))
    # The difference of infinities is NaN and stays one.
    return np.minimum(x - np.floor(x), below_one)


def _ldexp(dtype: Any) -> Any:
    def compute(x: Any, exponent: Any) -> Any:
        steps = np.clip(np.asarray(exponent).astype(np.int64), -5000, 5000).astype(np.int32)
        if dtype is F64:
            return np.ldexp(x, steps)
        # One rounding: exact in f64 unless far out of range, where the result is zero or infinity either way.
        return np.ldexp(x.astype(F64), np.clip(steps, -500, 500)).astype(dtype)

    return compute


def _frexp_mantissa(x: Any) -> Any:
    return np.where(np.isfinite(x), np.frexp(x)[0], x)


def _frexp_exponent(x: Any) -> Any:
    return np.where(np.isfinite(x), np.frexp(x)[1], 0).astype(np.int32)


def _legacy_multiply(a: Any, b: Any) -> Any:
    return np.where((a == 0) | (b == 0), F32(0), a * b)


def _cubemax(a: Any, b: Any, c: Any) -> Any:
    return 2 * np.maximum(np.maximum(np.abs(a), np.abs(b)), np.abs(c))


def _exponent(x: Any) -> Any:
    return np.frexp(np.where(np.isfinite(x), x, 1.0))[1].astype(np.int64) - 1


def _div_scale(dtype: Any) -> Any:
    """Scale a numerator or denominator so that the Newton steps of a division neither overflow nor lose bits.

    Source 0 is the value to scale, 1 the denominator, 2 the numerator (ISA: V_DIV_SCALE).
    """
    is32 = dtype is F32
    low = dtype(2.0 ** (-126 if is32 else -1022))
    shift, gap, tiny_numerator = (64, 96, 23 - 127) if is32 else (128, 768, 53 - 1023)
    up, down = dtype(2.0**shift), dtype(2.0**-shift)
    word = np.uint32 if is32 else np.uint64

    def compute(s0: Any, s1: Any, s2: Any) -> Any:
        s0, s1, s2 = (np.ascontiguousarray(x) for x in np.broadcast_arrays(s0, s1, s2))
        denominator = s0.view(word) == s1.view(word)
        e1, e2 = _exponent(s1), _exponent(s2)
        reciprocal_tiny = (np.abs(1 / s1) < low) & np.isfinite(s1)
        quotient_tiny = np.abs(s2 / s1) < low
        if_denominator = np.where(denominator, s0 * up, s0)
        cases = [
            ((s2 == 0) | (s1 == 0), np.full(s0.shape, np.nan, dtype), False),
            (e2 - e1 >= gap, if_denominator, True),
            (np.abs(s1) < low, s0 * up, False),
            # The guide scales this denominator up, where it would overflow: quotients are right only with down.
            (reciprocal_tiny & quotient_tiny, np.where(denominator, s0 * down, s0), True),
            (reciprocal_tiny, s0 * down, False),
            (quotient_tiny, np.where(denominator, s0, s0 * up), True),
            (e2 <= tiny_numerator, s0 * up, False),
        ]
        conditions = [case[0] for case in cases]
        value = np.select(conditions, [case[1] for case in cases], s0).astype(dtype)
        return value, np.select(conditions, [np.full(s0.shape, case[2]) for case in cases], False)

    return compute


def _div_fmas32(a: Any, b: Any, c: Any, scaled: Any) -> Any:
    """The last step of a division; scaled lanes get the factor back before the one rounding."""
    if not np.any(scaled):
        return fma32(a, b, c)
    factor = np.where(scaled, np.where(np.abs(c) >= 2, 2.0**64, 2.0**-64), 1.0)
    # In f64 the factor costs no bits.
    return fma32(a * factor, b, c * factor)


def _div_fmas64(a: Any, b: Any, c: Any, scaled: Any) -> Any:
    """As for f32; the few scaled lanes are computed with rational numbers, since the factor could cost bits."""
    result = fma64(a, b, c)
    if not np.any(scaled):
        return result
    a, b, c, scaled = (np.broadcast_to(x, result.shape) for x in (a, b, c, scaled))
    for lane in zip(*np.nonzero(scaled & np.isfinite(a) & np.isfinite(b) & np.isfinite(c)), strict=True):
        value = Fraction(float(a[lane])) * Fraction(float(b[lane])) + Fraction(float(c[lane]))
        if value:
            result[lane] = _nearest64(value * Fraction(2) ** (128 if abs(c[lane]) >= 2 else -128))
    return result


def _div_fixup(dtype: Any) -> Any:
    def compute(quotient: Any, denominator: Any, numerator: Any) -> Any:
        q, d, n = np.broadcast_arrays(quotient, denominator, numerator)
        sign = np.signbit(d) != np.signbit(n)
        inf = np.where(sign, -np.inf, np.inf).astype(dtype)
        zero = np.where(sign, -0.0, 0.0).astype(dtype)
        nan = np.full(q.shape, np.nan, dtype)
        if dtype is F16:
            far_low = far_high = overflown = np.zeros(q.shape, bool)
        else:
            # Source exponents so far apart that the quotient underflows or overflows whatever the mantissas are.
            gap = _exponent(n) - _exponent(d)
            limit_low, limit_high = (-150, 128) if dtype is F32 else (-1075, 1024)
            far_low, far_high = gap < limit_low, gap > limit_high
            # Newton steps that overflowed.
            overflown = np.isnan(q)
        return np.select(
            [np.isnan(n), np.isnan(d), (d == 0) & (n == 0), np.isinf(d) & np.isinf(n), (d == 0) | np.isinf(n),
             np.isinf(d) | (n == 0), far_low, far_high, overflown],
            [n, d, nan, nan, inf, zero, zero, inf, inf],
            np.where(sign, -np.abs(q), np.abs(q)),
        ).astype(dtype)  # fmt: skip

    return compute


def _dot2(a: Any, b: Any, c: Any) -> Any:
    """Products are exact in f64; the sum rounds to f32 once."""
    return ((a.astype(F64) * b.astype(F64)).sum(-1) + c).astype(F32)


def _three(operation: Any) -> Any:
    return lambda a, b, c: operation(operation(a, b), c)


_BOTH = ("f32", "f16", "f64")


def _each(name: str, results: str, sources: str, function: Any, kinds: tuple[str, ...] = _BOTH) -> list[Row]:
    """One row a floating kind; `T` in the signature stands for the kind."""
    text = [f"{name}_{kind}: {results.replace('T', kind)} <- {sources.replace('T', kind)}" for kind in kinds]
    return rows("\n".join(text), function)


TABLE: list[Row] = [
    *_each("v_add", "T", "T T", np.add),
    *_each("v_mul", "T", "T T", np.multiply),
    *_each("v_sub", "T", "T T", np.subtract, ("f32", "f16")),
    *_each("v_subrev", "T", "T T", lambda a, b: b - a, ("f32", "f16")),
    *_each("v_min", "T", "T T", minimum_number),
    *_each("v_max", "T", "T T", maximum_number),
    *_each("v_min3", "T", "T T T", _three(minimum_number), ("f32", "f16")),
    *_each("v_max3", "T", "T T T", _three(maximum_number), ("f32", "f16")),
    *_each("v_med3", "T", "T T T", _med3, ("f32", "f16")),
    *rows("v_mul_legacy_f32: f32 <- f32 f32", _legacy_multiply),
    *rows("v_fma_f32: f32 <- f32 f32 f32", fma32),
    *rows("v_fma_f64: f64 <- f64 f64 f64", fma64),
    *rows("v_fma_f16: f16 <- f16 f16 f16", fma16),
    *rows("v_fmac_f32: f32 <- f32 f32 f32", fma32, accumulate=True),
    *rows("v_fmac_f64: f64 <- f64 f64 f64", fma64, accumulate=True),
    *rows("v_fmac_f16: f16 <- f16 f16 f16", fma16, accumulate=True),
    *rows("v_fmamk_f32: f32 <- f32 f32 f32\n v_fmaak_f32: f32 <- f32 f32 f32", fma32),
    *rows("v_fmamk_f16: f16 <- f16 f16 f16\n v_fmaak_f16: f16 <- f16 f16 f16", fma16),
    *rows("v_mad_f16: f16 <- f16 f16 f16\n v_mad_legacy_f16: f16 <- f16 f16 f16", lambda a, b, c: a * b + c),
    *rows("v_pk_fma_f32: pk_f32 <- pk_f32 pk_f32 pk_f32", fma32),
    *rows("v_pk_mul_f32: pk_f32 <- pk_f32 pk_f32", np.multiply),
    *rows("v_pk_add_f32: pk_f32 <- pk_f32 pk_f32", np.add),
    *rows("v_pk_fma_f16: pk_f16 <- pk_f16 pk_f16 pk_f16", fma16),
    *rows("v_pk_mul_f16: pk_f16 <- pk_f16 pk_f16", np.multiply),
    *rows("v_pk_add_f16: pk_f16 <- pk_f16 pk_f16", np.add),
    *rows("v_pk_min_f16: pk_f16 <- pk_f16 pk_f16", minimum_number),
    *rows("v_pk_max_f16: pk_f16 <- pk_f16 pk_f16", maximum_number),
    *rows("v_dot2_f32_f16: f32 <- pk_f16 pk_f16 f32", _dot2),
    *rows("v_dot2c_f32_f16: f32 <- pk_f16 pk_f16 f32", _dot2, accumulate=True),
    *rows("v_pk_fmac_f16: pk_f16 <- pk_f16 pk_f16 pk_f16", fma16, accumulate=True),
    *rows("v_rcp_f32: f32 <- f32\n v_rcp_iflag_f32: f32 <- f32", _unary32(lambda x: 1 / x)),
    *rows("v_rsq_f32: f32 <- f32", _unary32(lambda x: 1 / np.sqrt(x))),
    *rows("v_sqrt_f32: f32 <- f32", _unary32(np.sqrt)),
    *rows("v_exp_f32: f32 <- f32", lambda x: flush32(np.exp2(flush32(x)))),
    *rows("v_log_f32: f32 <- f32", lambda x: np.log2(flush32(x))),
    *rows("v_rcp_f16: f16 <- f16", _unary16(lambda x: F32(1) / x)),
    *rows("v_rsq_f16: f16 <- f16", _unary16(lambda x: F32(1) / np.sqrt(x))),
    *rows("v_sqrt_f16: f16 <- f16", _unary16(np.sqrt)),
    *rows("v_exp_f16: f16 <- f16", _unary16(np.exp2)),
    *rows("v_log_f16: f16 <- f16", _unary16(np.log2)),
    *rows("v_rcp_f64: f64 <- f64", lambda x: 1 / x),
    *rows("v_rsq_f64: f64 <- f64", lambda x: 1 / np.sqrt(x)),
    *rows("v_sqrt_f64: f64 <- f64", np.sqrt),
    *_each("v_sin", "T", "T", _sine(np.sin), ("f32", "f16")),
    *_each("v_cos", "T", "T", _sine(np.cos), ("f32", "f16")),
    *_each("v_fract", "T", "T", _fract),
    *_each("v_floor", "T", "T", np.floor),
    *_each("v_ceil", "T", "T", np.ceil),
    *_each("v_trunc", "T", "T", np.trunc),
    *_each("v_rndne", "T", "T", np.rint),
    *rows("v_ldexp_f32: f32 <- f32 i32", _ldexp(F32)),
    *rows("v_ldexp_f16: f16 <- f16 i16", _ldexp(F16)),
    *rows("v_ldexp_f64: f64 <- f64 i32", _ldexp(F64)),
    *_each("v_frexp_mant", "T", "T", _frexp_mantissa),
    *rows("v_frexp_exp_i32_f32: i32 <- f32\n v_frexp_exp_i32_f64: i32 <- f64\n v_frexp_exp_i16_f16: i16 <- f16",
          _frexp_exponent),
    *rows("v_div_scale_f32: f32,mask <- f32 f32 f32", _div_scale(F32)),
    *rows("v_div_scale_f64: f64,mask <- f64 f64 f64", _div_scale(F64)),
    *rows("v_div_fmas_f32: f32 <- f32 f32 f32 mask", _div_fmas32, implicit_vcc=True),
    *rows("v_div_fmas_f64: f64 <- f64 f64 f64 mask", _div_fmas64, implicit_vcc=True),
    *rows("v_div_fixup_f32: f32 <- f32 f32 f32", _div_fixup(F32)),
    *rows("v_div_fixup_f64: f64 <- f64 f64 f64", _div_fixup(F64)),
    *rows("v_div_fixup_f16: f16 <- f16 f16 f16", _div_fixup(F16)),
]  # fmt: skip
