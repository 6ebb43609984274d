# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Floats of 8, 6 and 4 bits by exhaustive tables: all codes from ml_dtypes, rounding by comparing with every value."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import ml_dtypes
import numpy as np


@dataclass(eq=False)
class Narrow:
    """A format: its values of either sign by code, the bits of a code and of the stored mantissa."""

    kind: Any
    bits: int
    mantissa: int
    fnuz: bool = False

    @cached_property
    def values(self) -> list[float]:
        """Value of every code."""
        return [float(x) for x in np.arange(1 << self.bits, dtype=np.uint8).view(self.kind).astype(np.float64)]

    @cached_property
    def ladder(self) -> list[float]:
        """Finite values that are not negative, by code."""
        positive = self.values[: 1 << self.bits - 1]
        return [x for x in positive if math.isfinite(x)]

    @cached_property
    def steps(self) -> list[Fraction]:
        """The ladder and the value that would follow."""
        exact = [Fraction(y) for y in self.ladder]
        return [*exact, 2 * exact[-1] - exact[-2]]

    def decode(self, code: int) -> float:
        return self.values[code]

    def _signed(self, code: int, sign: bool) -> int:
        return 0 if self.fnuz and code == 0 else code | (sign << self.bits - 1)

    def _overflow(self, sign: bool, saturate: bool, infinite: bool) -> int:
        """Too large or infinite: the largest value for formats without NaN or when saturating, else infinity or NaN."""
        most = len(self.ladder) - 1
        if self.bits < 8 or (saturate and not (infinite and self.fnuz)):
            return self._signed(most, sign)
        if self.fnuz:
            return 0x80
        return self._signed(most + 1, sign)

    def _nan(self, sign: bool) -> int:
        return self._signed(len(self.ladder) - 1, sign) if self.bits < 8 else -1

    def nearest(self, x: float | Fraction, saturate: bool = False) -> int:
        """Code of the nearest value, ties to the even code; -1 for any NaN."""
        sign = math.copysign(1, x) < 0 if isinstance(x, float) else x < 0
        if isinstance(x, float) and math.isnan(x):
            return self._nan(sign)
        if isinstance(x, float) and math.isinf(x):
            return self._overflow(sign, saturate, True)
        ladder = self.steps
        size = abs(Fraction(x))
        if size >= ladder[-1]:
            return self._overflow(sign, saturate, False)
        below = bisect.bisect_right(ladder, size) - 1
        gap_below, gap_above = size - ladder[below], ladder[below + 1] - size
        code = below + (gap_above < gap_below or (gap_above == gap_below and below % 2 == 1))
        return self._overflow(sign, saturate, False) if code == len(ladder) - 1 else self._signed(code, sign)

    def stochastic(self, x: float | Fraction, random: int, stored: int, saturate: bool = False) -> int:
        """Code of the value that is reached after adding random bits below the last mantissa bit and truncating.

        `stored` is the number of the source's mantissa bits; the surplus says how many of the highest bits count.
        """
        sign = math.copysign(1, x) < 0 if isinstance(x, float) else x < 0
        if isinstance(x, float) and not math.isfinite(x):
            return self.nearest(x, saturate)
        size, dropped = abs(Fraction(x)), stored - self.mantissa
        unit = Fraction(self.ladder[1])
        while size >= unit * 2 ** (self.mantissa + 1):
            unit *= 2
        steps = math.floor(size / unit + Fraction(random >> 32 - dropped, 2**dropped))
        reached = steps * unit
        ladder = self.ladder
        if reached > Fraction(ladder[-1]):
            return self._overflow(sign, saturate, False)
        return self._signed(ladder.index(float(reached)), sign)


OCP = {
    "fp8": Narrow(ml_dtypes.float8_e4m3fn, 8, 3), "bf8": Narrow(ml_dtypes.float8_e5m2, 8, 2),
    "fp6": Narrow(ml_dtypes.float6_e2m3fn, 6, 3), "bf6": Narrow(ml_dtypes.float6_e3m2fn, 6, 2),
    "fp4": Narrow(ml_dtypes.float4_e2m1fn, 4, 1),
}  # fmt: skip
FNUZ = {
    "fp8": Narrow(ml_dtypes.float8_e4m3fnuz, 8, 3, True), "bf8": Narrow(ml_dtypes.float8_e5m2fnuz, 8, 2, True),
}  # fmt: skip


def same(found: int, wanted: int, kind: Narrow) -> bool:
    """Equal codes; -1 stands for any NaN."""
    return math.isnan(kind.decode(found)) if wanted < 0 or math.isnan(kind.decode(wanted)) else found == wanted
