# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Axes: from values to pixels, and where ticks stand."""

from __future__ import annotations

import math
from dataclasses import dataclass

_STEPS = (1, 2, 5, 10)  # of a linear axis, times a power of ten


@dataclass(frozen=True)
class LogAxis:
    """A logarithmic axis from `low` to `high` (> 0) laid out between two pixels."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        low, high = math.log10(self.low), math.log10(self.high)
        return self.start + (math.log10(value) - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """The powers of ten on it."""
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        return [10.0**power for power in range(first, last + 1)]


@dataclass(frozen=True)
class LinearAxis:
    """A linear axis from `low` to `high` laid out between two pixels."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, count: int = 6) -> list[float]:
        """Round values on it, about `count` of them."""
        step = nice_step((self.high - self.low) / count)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def nice_step(least: float) -> float:
    """The least of 1, 2 and 5 times a power of ten that is not below `least` (> 0)."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in _STEPS if step * power >= least * (1 - 1e-9))
