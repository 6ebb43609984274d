# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""IEEE 754 arithmetic on Python's own numbers: exact rationals, rounded once. Every format's values are f64 values."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

LAYOUT = {"bf16": (8, -126, 127), "f16": (11, -14, 15), "f32": (24, -126, 127), "f64": (53, -1022, 1023)}
"""Format to significant bits and the lowest and highest exponent of a normal number."""
INF, NAN = math.inf, math.nan


def finite(x: float | Fraction) -> bool:
    """`math.isfinite` for rationals of any size, too."""
    return isinstance(x, (Fraction, int)) or math.isfinite(x)


def rounded(exact: Fraction | float | int, kind: str) -> float:
    """Nearest value of `kind`, ties to even, too large to infinity."""
    if isinstance(exact, float) and (not math.isfinite(exact) or exact == 0):
        return exact
    exact = Fraction(exact)
    if exact == 0:
        return 0.0
    bits, low, high = LAYOUT[kind]
    exponent = exact.numerator.bit_length() - 1 - (exact.denominator.bit_length() - 1)
    exponent = exponent - 1 if abs(exact) < Fraction(2) ** exponent else exponent
    unit = Fraction(2) ** (max(exponent, low) - bits + 1)
    nearest = round(exact / unit) * unit  # Fractions round ties to even
    if abs(nearest) >= Fraction(2) ** (high + 1):
        return -INF if exact < 0 else INF
    return -abs(float(nearest)) if exact < 0 else float(nearest)


def toward_zero(exact: Fraction | float, kind: str) -> float:
    """Nearest value of `kind` that is not larger in magnitude; infinities stay."""
    if not finite(exact):
        return float(exact)
    near = rounded(exact, kind)
    bits, low, high = LAYOUT[kind]
    if math.isinf(near):
        return math.copysign((2 - 2.0 ** (1 - bits)) * 2.0**high, near)
    if abs(Fraction(near)) <= abs(Fraction(exact)):
        return near
    exponent = max(math.frexp(near)[1] - 1, low)
    step = 2.0 ** (exponent - bits + 1)
    below = abs(near) - (step / 2 if math.frexp(near)[0] in (0.5, -0.5) and exponent > low else step)
    return math.copysign(below, near)


def negative(x: float) -> bool:
    return math.copysign(1, x) < 0


def times(a: float, b: float) -> float | Fraction:
    """The exact product; a zero or what is not finite as a float with its sign."""
    if not (math.isfinite(a) and math.isfinite(b)):
        return a * b
    return Fraction(a) * Fraction(b) or (-0.0 if negative(a) != negative(b) else 0.0)


def plus(a: float | Fraction, b: float | Fraction) -> float | Fraction:
    """The exact sum; zero from opposite signs is positive."""
    if (isinstance(a, float) and not math.isfinite(a)) or (isinstance(b, float) and not math.isfinite(b)):
        return NAN if a != a or b != b or (a == -b) else (a if isinstance(a, float) and math.isinf(a) else b)
    both = isinstance(a, float) and isinstance(b, float) and a == b == 0 and negative(a) and negative(b)
    return -0.0 if both else (Fraction(a) + Fraction(b) or 0.0)


def add(kind: str) -> Callable[[float, float], float]:
    return lambda a, b: rounded(plus(a, b), kind)


def subtract(kind: str) -> Callable[[float, float], float]:
    return lambda a, b: rounded(plus(a, -b), kind)


def multiply(kind: str) -> Callable[[float, float], float]:
    return lambda a, b: rounded(times(a, b), kind)


def fma(kind: str) -> Callable[[float, float, float], float]:
    return lambda a, b, c: rounded(plus(times(a, b), c), kind)


def mad(kind: str) -> Callable[[float, float, float], float]:
    """The product is rounded, too."""
    return lambda a, b, c: rounded(plus(rounded(times(a, b), kind), c), kind)


def quotient(n: float, d: float, kind: str) -> float:
    """IEEE division."""
    sign = -1.0 if negative(n) != negative(d) else 1.0
    if math.isnan(n) or math.isnan(d) or (n == d == 0) or (math.isinf(n) and math.isinf(d)):
        return NAN
    if d == 0 or math.isinf(n):
        return sign * INF
    if n == 0 or math.isinf(d):
        return sign * 0.0
    return rounded(Fraction(n) / Fraction(d), kind)


def _ordered(x: float) -> tuple[float, bool]:
    return x, not negative(x)


def minimum_number(*values: float) -> float:
    """IEEE 754-2008 minNum; -0 is below +0."""
    numbers = [x for x in values if not math.isnan(x)]
    return min(numbers, key=_ordered) if numbers else NAN


def maximum_number(*values: float) -> float:
    numbers = [x for x in values if not math.isnan(x)]
    return max(numbers, key=_ordered) if numbers else NAN


def minimum(*values: float) -> float:
    """IEEE 754-2019 minimum: NaN if any is."""
    return NAN if any(map(math.isnan, values)) else min(values, key=_ordered)


def maximum(*values: float) -> float:
    return NAN if any(map(math.isnan, values)) else max(values, key=_ordered)


def median(a: float, b: float, c: float) -> float:
    """Of three numbers the middle one; with a NaN the least number (CDNA4 guide, V_MED3_F32)."""
    return minimum_number(a, b, c) if any(map(math.isnan, (a, b, c))) else sorted((a, b, c), key=_ordered)[1]


def to_integer(x: float | Fraction, low: int, high: int) -> int:
    """Toward zero, saturating, NaN to 0."""
    if x != x:
        return 0
    if isinstance(x, float) and math.isinf(x):
        return high if x > 0 else low
    return min(max(int(x), low), high)
