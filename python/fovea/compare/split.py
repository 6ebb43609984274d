# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The error that a quantised contraction makes by itself, split into its causes.

For y = x.w, with Q(x) what is stored of x, and c(x) = x cut off at the largest value that can be stored, the error
is exactly

    Q(x).Q(w) - x.w =  (Q(x) - c(x)).w          activation: rounding of values in range
                     + x.(Q(w) - c(w))          weight: rounding of weights
                     + (c(x) - x).w + x.(c(w) - w)          clipping: values beyond the range
                     + (Q(x) - x).(Q(w) - w)    interaction: both at once

x and w are the operands of the float model, so errors of layers before do not count. Of a contraction of two
activations, rounding of either is "activation". The sums of squares of the parts do not add up to that of the total
where parts are correlated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.compare.metrics import energy
from fovea.compare.operands import call
from fovea.executor.folding import ConstantEvaluator
from fovea.executor.handlers import Array

ACTIVATION, WEIGHT, CLIPPING, INTERACTION = "activation", "weight", "clipping", "interaction"
PARTS = (ACTIVATION, WEIGHT, CLIPPING, INTERACTION)
TOTAL = "total"
_ROUNDED = np.float32(1 + 2.0**-20)


@dataclass(frozen=True)
class Operand:
    """One operand in f32: as in the float model, and its errors of rounding and of clipping (None: there are none)."""

    exact: Array
    rounding: Array | None
    clipping: Array | None
    is_weight: bool

    @property
    def error(self) -> Array | None:
        """Q(x) - x."""
        if self.rounding is None or self.clipping is None:
            return self.rounding if self.clipping is None else self.clipping
        return self.rounding + self.clipping


def operand(exact: Array, quantised: Array, largest: Array | None, is_weight: bool) -> Operand:
    """An operand from its exact and quantised values; `largest` is the largest magnitude it can have after that."""
    x, q = exact.astype(np.float32), quantised.astype(np.float32)
    cut = x
    if largest is not None:
        # A scale is rounded to f32, so the largest value seen in calibration may lie this much beyond the range.
        cut = np.where(np.abs(x) > largest * _ROUNDED, np.clip(x, -largest, largest), x)
    rounding, clipping = q - cut, cut - x
    return Operand(x, rounding if rounding.any() else None, clipping if clipping.any() else None, is_weight)


def split_error(op: Any, operands: Sequence[Operand], constants: ConstantEvaluator) -> Mapping[str, float]:
    """The sum of squares of each part of the error of `op`, and of their `total`.

    op: a contraction or convolution of two operands, linear in each.
    """
    left, right = operands
    zeros = [np.zeros(value.type.shape, np.float32) for value in list(op.operands)[2:]]
    parts: dict[str, Array] = {}

    def add(part: str, a: Array | None, b: Array | None) -> None:
        if a is not None and b is not None:
            (product,) = call(op, [a, b, *zeros], constants)
            value = product.astype(np.float32)
            parts[part] = parts[part] + value if part in parts else value

    for side in (left, right):
        for part, error in ((WEIGHT if side.is_weight else ACTIVATION, side.rounding), (CLIPPING, side.clipping)):
            pair = (error, right.exact) if side is left else (left.exact, error)
            add(part, *pair)
    add(INTERACTION, left.error, right.error)
    energies = {part: energy(parts[part]) if part in parts else 0.0 for part in PARTS}
    return {**energies, TOTAL: energy(sum(parts.values())) if parts else 0.0}  # type: ignore[arg-type]
