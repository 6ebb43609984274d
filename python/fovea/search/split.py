# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration data in two parts: for the ranges, and for measuring what a choice costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

Batch = Mapping[str, np.ndarray[Any, Any]]
SEARCH_BATCHES = 4
"""Most batches that the search measures on: what an evaluation costs does not grow with the data beyond."""


class Split:
    """Iterates over the batches for the ranges; the others are in `held_out` afterwards.

    Every second batch (the 2nd, 4th, ...) is held out, up to `most`; a single batch serves for both. Memory is
    bounded however long the stream is. description, warning: those of the source.
    """

    def __init__(self, batches: Iterable[Batch], most: int = SEARCH_BATCHES) -> None:
        self._batches, self._most = batches, most
        self.description = getattr(batches, "description", "")  # of a calibration source, for the record
        self.warning = getattr(batches, "warning", None)
        self.held_out: list[Batch] = []
        self.ranges = 0
        self.shared = False

    def hold_all(self) -> None:
        """Hold out all batches, up to `most`: for ranges that came from elsewhere."""
        self.held_out = list(islice(self._batches, self._most))

    def __iter__(self) -> Iterator[Batch]:
        self.held_out, self.ranges, self.shared = [], 0, False
        first = None
        for number, batch in enumerate(self._batches):
            if number % 2 and len(self.held_out) < self._most:
                self.held_out.append(batch)
                continue
            first = first if number else batch
            self.ranges += 1
            yield batch
        if first is not None and not self.held_out:
            self.shared = True
            self.held_out.append(first)
