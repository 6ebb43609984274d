# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the numbers of a comparison are. Each is kept as sums, so memory does not grow with the number of batches.

A reference r and what is compared with it, x, are arrays of one shape; e = x - r.

- SQNR (signal to quantisation noise ratio), in decibels: 10 log10(sum r^2 / sum e^2), over all elements of all batches.
  It is infinite ("exact") if e is 0.
- Cosine of two vectors: r.x / (|r| |x|). Of an output, each vector along its last axis is one (an embedding, the logits
  of one position); of one with more than three axes, each sample of the leading axis.
- Largest error: max |e|.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fovea.executor.types import is_float

Array = np.ndarray[Any, Any]
_LEAST = float(np.finfo(np.float64).tiny)  # in the place of a signal of 0: its ratio to noise is then a number
VECTOR_AXES = 3  # arrays with more axes than this are compared sample by sample


def decibels(signal: float, noise: float) -> float:
    """10 log10(signal / noise), both sums of squares; infinity where the noise is 0."""
    return math.inf if noise == 0 else 10 * (math.log10(max(signal, _LEAST)) - math.log10(noise))


def text_of(sqnr: float | None) -> str:
    """An SQNR as a person reads it; None, as documents have it, is infinite."""
    return "exact" if sqnr is None or math.isinf(sqnr) else f"{sqnr:.1f} dB"


def wide(x: Array) -> Array:
    """`x` in f64, in which its squares can be added up."""
    return x if x.dtype == np.float64 else x.astype(np.float64)


def energy(x: Array) -> float:
    """The sum of the squares of all elements, in f64 (f32 and narrower arrays in pieces, without a wide copy)."""
    flat = x.reshape(-1)
    step = 1 << 20
    return float(sum(float(np.dot(piece, piece)) for start in range(0, flat.size, step)
                     for piece in [wide(flat[start : start + step])]))  # fmt: skip


def difference(x: Array, reference: Array) -> Array:
    """x - reference in f64, 0 where they are equal (infinities, and NaN in both, included)."""
    a, b = wide(x), wide(reference)
    with np.errstate(invalid="ignore"):
        found = a - b
    found[(a == b) | (np.isnan(a) & np.isnan(b))] = 0
    return found


@dataclass
class Ratio:
    """Signal and noise, each a sum of squares."""

    signal: float = 0.0
    noise: float = 0.0

    def add(self, reference: Array, error: Array) -> None:
        """Add the squares of a reference and of its error."""
        self.signal += energy(reference)
        self.noise += energy(error)

    @property
    def sqnr(self) -> float:
        """SQNR in decibels, infinite without noise."""
        return decibels(self.signal, self.noise)

    def as_dict(self) -> dict[str, float | None]:
        """As documents have it: `sqnr_db` is null where it is infinite."""
        return {"signal": self.signal, "noise": self.noise, "sqnr_db": finite(self.sqnr)}


def finite(value: float) -> float | None:
    """A number for JSON, which has no infinity and no NaN: None for these."""
    return value if math.isfinite(value) else None


def vectors(x: Array) -> Array:
    """The vectors of an output whose directions are compared, as rows."""
    if x.ndim <= 1:
        return x.reshape(1, -1)
    return x.reshape(x.shape[0], -1) if x.ndim > VECTOR_AXES else x.reshape(-1, x.shape[-1])


def cosines(x: Array, reference: Array) -> Array:
    """The cosine of each vector; 1 where both are zero, 0 where one is."""
    a, b = wide(vectors(x)), wide(vectors(reference))
    products, lengths = (a * b).sum(1), np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    both = ~a.any(1) & ~b.any(1)
    same = (a == b).all(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(lengths > 0, products / lengths, both.astype(np.float64))
    # Of equal vectors it is 1, which the division gives but for the rounding of the lengths.
    return np.where(same, 1.0, np.clip(found, -1.0, 1.0))


@dataclass
class OutputSums:
    """One output over all batches."""

    ratio: Ratio = field(default_factory=Ratio)
    cosine_sum: float = 0.0
    cosine_least: float = 1.0
    vectors: int = 0
    elements: int = 0
    equal: int = 0
    largest_error: float = 0.0
    not_finite: int = 0  # elements that are not finite in one and not the same in the other

    def update(self, x: Array, reference: Array) -> None:
        """Add a batch. Elements that are not finite count in `not_finite` alone."""
        self.elements += reference.size
        self.equal += int(np.count_nonzero(x == reference))
        if not is_float(reference.dtype):
            return
        error, signal, other = difference(x, reference), wide(reference), wide(x)
        bad = ~(np.isfinite(signal) & np.isfinite(other))
        if bad.any():
            self.not_finite += int(np.count_nonzero(bad & (error != 0)))
            signal, other = np.where(bad, 0, signal), np.where(bad, 0, other)
            error = np.where(bad, 0, error)
        self.ratio.add(signal, error)
        self.largest_error = max(self.largest_error, float(np.abs(error).max(initial=0)))
        found = cosines(other, signal)
        self.cosine_sum += float(found.sum())
        self.cosine_least = min(self.cosine_least, float(found.min(initial=1)))
        self.vectors += found.size

    def as_dict(self, is_real: bool) -> dict[str, Any]:
        """As documents have it; of integers, only how many are equal."""
        counts: dict[str, Any] = {"elements": self.elements, "equal_elements": self.equal}
        if not is_real:
            return counts
        mean = self.cosine_sum / self.vectors if self.vectors else 1.0
        return {
            **counts, "cosine_mean": mean, "cosine_worst": self.cosine_least, "vectors": self.vectors,
            **self.ratio.as_dict(), "max_error": self.largest_error, "not_finite": self.not_finite,
        }  # fmt: skip
