# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What calibration keeps of a tensor: counts of magnitudes, merged exactly and in any order.

A magnitude is counted by the upper 16 bits of its f32 form (what a bfloat16 made by cutting off holds): 128 bins an
octave, the same bins for every tensor. Counts are integers, so merging is associative and commutative to the bit, and
memory does not grow with the number of samples.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fovea.executor.pieces import PIECE, cut, run_all
from fovea.executor.types import is_small_float

Array = np.ndarray[Any, Any]
_SHIFT = 16
BINS = 0x7F80  # bins of finite magnitudes; the first is [0, 2^-133)


def bin_edges() -> Array:
    """Lower edges of the bins as f32, and the end of the last, infinity: BINS + 1 values."""
    return (np.arange(BINS + 1, dtype=np.uint32) << _SHIFT).view(np.float32)


def largest_magnitude(value: Array) -> float:
    """max |x|, NaN if any element is; no temporary of the tensor's size for f32 and f64. 0 for an empty array."""
    if not value.size:
        return 0.0
    wide = value.astype(np.float32) if is_small_float(value.dtype) else value
    return float(np.maximum(np.abs(wide.max()), np.abs(wide.min())))


def largest_finite(value: Array) -> float:
    """The largest magnitude that is finite; 0 if there is none."""
    largest = largest_magnitude(value)
    if np.isfinite(largest):
        return largest
    wide = np.abs(value.astype(np.float32) if is_small_float(value.dtype) else value)
    return float(wide.max(initial=0, where=np.isfinite(wide)))


class NotFinite(ValueError):
    """A tensor's largest magnitude, `args[0]`, is NaN or overflows f32."""


@dataclass
class Statistics:
    """What was seen of one tensor.

    max_abs: the largest magnitude. batches, elements: in how many values of how many batches. counts: int64, how many
    magnitudes fell into each of the BINS bins, zeros included.
    """

    max_abs: float = 0.0
    batches: int = 0
    elements: int = 0
    counts: Array = field(default_factory=lambda: np.zeros(BINS, np.int64))

    def update(self, value: Array) -> None:
        """Add a batch's tensor of floats. NotFinite, and nothing added, if it holds what is not finite in f32."""
        flat = value.ravel(order="K")  # counts do not depend on the order: one that needs no copy

        def count(low: int, high: int) -> tuple[float, Array]:
            piece = flat[low:high]
            narrow = np.ascontiguousarray(piece, dtype=np.float32)
            return largest_magnitude(piece), np.bincount(narrow.view(np.uint32) >> _SHIFT & 0x7FFF)

        found = run_all(count, cut(flat.size, PIECE))
        if any(counts.size > BINS for _, counts in found):
            raise NotFinite(largest_magnitude(value))
        self.max_abs = max(self.max_abs, *(largest for largest, _ in found)) if found else self.max_abs
        self.batches += 1
        self.elements += value.size
        for _, counts in found:
            self.counts[: counts.size] += counts

    def clipped(self, range_: float) -> int:
        """How many values a range of `range_` clips: those in bins at or above it, none if it reaches `max_abs`.

        Exact for the ends of bins, which is what the methods choose, but for values that are such an end itself.
        """
        if range_ >= self.max_abs:
            return 0
        return int(self.counts[np.searchsorted(bin_edges()[:-1], range_) :].sum())

    def merge(self, other: Statistics) -> Statistics:
        """Both together; neither is changed."""
        return Statistics(max(self.max_abs, other.max_abs), self.batches + other.batches,
                          self.elements + other.elements, self.counts + other.counts)  # fmt: skip

    def packed(self) -> tuple[float, int, int, int, Array]:
        """max_abs, batches, elements, the number of the first bin that holds something, and the counts from it to the
        last such bin: what `unpack` makes the same statistics of."""
        there = np.nonzero(self.counts)[0]
        first, end = (int(there[0]), int(there[-1]) + 1) if there.size else (0, 0)
        return self.max_abs, self.batches, self.elements, first, self.counts[first:end].copy()

    @staticmethod
    def unpack(max_abs: float, batches: int, elements: int, first: int, counts: Array) -> Statistics:
        """The inverse of `packed`."""
        result = Statistics(max_abs, batches, elements)
        result.counts[first : first + len(counts)] = counts
        return result

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Statistics):
            return NotImplemented
        mine, theirs = ((s.max_abs, s.batches, s.elements) for s in (self, other))
        return mine == theirs and np.array_equal(self.counts, other.counts)
