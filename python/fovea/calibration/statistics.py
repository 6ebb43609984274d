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

from fovea.executor.types import is_small_float

Array = np.ndarray[Any, Any]
_SHIFT = 16
BINS = 0x7F80  # bins of finite magnitudes; the first is [0, 2^-133)
_CHUNK = 1 << 20


def bin_edges() -> Array:
    """Lower edges of the bins as f32, and the end of the last, infinity: BINS + 1 values."""
    return (np.arange(BINS + 1, dtype=np.uint32) << _SHIFT).view(np.float32)


def largest_magnitude(value: Array) -> float:
    """max |x|, NaN if any element is; no temporary of the tensor's size for f32 and f64. 0 for an empty array."""
    if not value.size:
        return 0.0
    wide = value.astype(np.float32) if is_small_float(value.dtype) else value
    return float(np.maximum(np.abs(wide.max()), np.abs(wide.min())))


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
        """Add a batch's tensor of floats. The caller has made sure that it is finite in f32."""
        self.max_abs = max(self.max_abs, largest_magnitude(value))
        self.batches += 1
        self.elements += value.size
        flat = value.reshape(-1)
        for start in range(0, flat.size, _CHUNK):
            piece = np.ascontiguousarray(flat[start : start + _CHUNK], dtype=np.float32)
            numbers = piece.view(np.uint32) >> _SHIFT & 0x7FFF
            self.counts += np.bincount(numbers, minlength=BINS)

    def merge(self, other: Statistics) -> Statistics:
        """Both together; neither is changed."""
        return Statistics(max(self.max_abs, other.max_abs), self.batches + other.batches,
                          self.elements + other.elements, self.counts + other.counts)  # fmt: skip

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Statistics):
            return NotImplemented
        mine, theirs = ((s.max_abs, s.batches, s.elements) for s in (self, other))
        return mine == theirs and np.array_equal(self.counts, other.counts)
