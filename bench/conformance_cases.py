# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a conformance case is: a kernel built by another compiler, its launch, and the result that numpy expects."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Launch:
    """One dispatch. `args` are in the kernel's order; arrays are written in place.

    `expected` lists (array after the run, wanted values, absolute tolerance); tolerances bound the rounding of the
    kernel's own arithmetic (f32 sums over k values of size about 1, the result's type), so a wrong lane or code shows.
    """

    code: bytes
    kernel: str | None
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    args: list[Any]
    expected: list[tuple[Any, Any, float]] = field(default_factory=list)
    dynamic_lds: int = 0


@dataclass
class Case:
    """A named case; `build` compiles it for a chip (name, lanes a wave) and may give several launches in order."""

    compiler: str
    name: str
    build: Callable[[str, int], Launch | list[Launch]]


def erf(x: Any) -> Any:
    """The error function of an array."""
    return np.vectorize(math.erf)(x)
