# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which bytes of a buffer or of scratch have been written: reads of the others are errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from fovea.emulator.errors import Fault
from fovea.emulator.memory import Buffer, byte_views, gather, scatter

Array = np.ndarray[Any, Any]


class Written:
    """`marks` has a byte for each byte of the buffer, 0 where nothing was written and 255 elsewhere.

    It is kept up to date.
    """

    def __init__(self, marks: Array) -> None:
        self.marks = marks
        self.views = byte_views(marks)

    def require(self, offsets: Array, width: int, buffer: Buffer) -> None:
        """Raise Fault for the first of these byte offsets, one a lane, whose `width` bytes are not all written."""
        lane = self.missing(offsets, width)
        if lane is not None:
            start = int(offsets[lane])
            byte = start + int(np.flatnonzero(self.marks[start : start + width] == 0)[0])
            raise Fault(
                f"{width}-byte load from 0x{buffer.base + start:x} reads byte {byte} of {buffer}, which nothing has "
                "written",
                lane=lane,
            )

    def missing(self, offsets: Array, width: int) -> int | None:
        """The first of these byte offsets whose `width` bytes are not all written."""
        found = gather(self.views, offsets, width)
        bad = found != np.iinfo(found.dtype).max
        if not bad.any():
            return None
        return int(np.flatnonzero(bad.any(axis=1) if bad.ndim > 1 else bad)[0])

    def mark(self, offsets: Array, width: int) -> None:
        """These bytes are written now."""
        if width < 4:
            scatter(self.views, offsets, width, np.full(len(offsets), 255 if width == 1 else 0xFFFF, f"u{width}"))
        else:
            scatter(self.views, offsets, width, np.full((len(offsets), width // 4), 0xFFFFFFFF, np.uint32))
