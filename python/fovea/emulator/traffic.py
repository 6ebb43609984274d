# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a launch asks of global memory, for profiles: cache lines of each request, and which bytes are touched at all.

A request is one wave's execution of one memory instruction. Its lines are the distinct aligned blocks of 64 and of 128
bytes that its active lanes touch; the least it could need is what its distinct items would fill if they lay together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fovea.emulator.memory import Buffer

if TYPE_CHECKING:
    from fovea.emulator.group import Group
    from fovea.emulator.memory import AddressSpace
    from fovea.emulator.statistics import Statistics

Array = np.ndarray[Any, Any]
LINES = (64, 128)
"""Bytes of a cache line: what request counts are kept for."""
_VIEWS: dict[int, Any] = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64, 16: np.complex128}
_TOUCHED = {width: np.frombuffer(b"\1" * width, kind)[0] for width, kind in _VIEWS.items()}


class _Marks:
    """One byte for each byte of memory: 1 once it was touched. `start` is the memory's first host address."""

    def __init__(self, start: int, size: int) -> None:
        self.start = start
        # A container of 16 bytes may stick out of the memory's end.
        self.bytes = np.zeros(size + 16, np.uint8)
        self.views: dict[int, Array] = {}
        for width, kind in _VIEWS.items():
            self.views[width] = self.bytes[: len(self.bytes) // width * width].view(kind)

    def set(self, offsets: Array, width: int) -> None:
        """Mark `width` bytes from each offset, with the widest stores that all offsets are aligned for."""
        bits = int(np.bitwise_or.reduce(offsets)) | width | 16
        step = bits & -bits
        first = offsets >> (step.bit_length() - 1)
        for part in range(width // step):
            self.views[step][first + part if part else first] = _TOUCHED[step]

    def count(self) -> int:
        return int(np.count_nonzero(self.bytes))


class Traffic:
    """Recorder of one launch, shared by its slices. `finish` adds what was seen to the statistics."""

    def __init__(self, space: AddressSpace, tracked: list[Buffer], statistics: Statistics) -> None:
        self.space = space
        self.statistics = statistics
        self.tracked = {id(buffer): index for index, buffer in enumerate(tracked)}
        # Arguments may be views of one allocation: bytes that two of them share are counted once.
        self.where: list[int] = [buffer.views[1].__array_interface__["data"][0] for buffer in tracked]
        self.marks: list[tuple[_Marks, _Marks]] = [None] * len(tracked)  # type: ignore[list-item]
        self.groups: list[tuple[_Marks, _Marks]] = []
        end = -1
        members: list[int] = []
        for index in sorted((i for i, b in enumerate(tracked) if b.size), key=self.where.__getitem__):
            if members and self.where[index] >= end:
                self._allocate(members, end)
                members = []
            end = max(end, self.where[index] + tracked[index].size)
            members.append(index)
        if members:
            self._allocate(members, end)
        # Instruction -> (offsets of the lanes, first address within a line) of its last request, and that one's lines.
        self.known: dict[int, tuple[Array, int, Array]] = {}

    def _allocate(self, members: list[int], end: int) -> None:
        start = self.where[members[0]]
        pair = _Marks(start, end - start), _Marks(start, end - start)
        self.groups.append(pair)
        for index in members:
            self.marks[index] = pair

    def record(
        self, g: Group, addresses: Array, width: int, index: int, reads: bool, writes: bool, lanes: Array | None = None
    ) -> None:
        """One execution of an instruction: byte addresses of its lanes, flat.

        `lanes` are their flat positions `wave * lanes + lane` in the group; without it they are the active lanes.
        Addresses must be in bounds.
        """
        self._lines(g, addresses, width, index, lanes)
        for kind, asked in enumerate((reads, writes)):
            if asked:
                self._touch(addresses, width, kind)

    def scalar(self, addresses: Array, size: int) -> None:
        """Scalar loads: one address of `size` bytes for each wave."""
        self.statistics.scalar_bytes_read += len(addresses) * size
        for address in np.unique(addresses).tolist():
            at = int(np.searchsorted(self.space.bases, address, "right")) - 1
            number = self.tracked.get(id(self.space.buffers[at]))
            if number is not None and self.marks[number] is not None:
                start = address - self.space.buffers[at].base + self.where[number] - self.marks[number][0].start
                self.marks[number][0].bytes[start : start + size] = 1

    def finish(self) -> None:
        """Add the distinct bytes read and written to the statistics."""
        self.statistics.unique_bytes_read += sum(read.count() for read, _ in self.groups)
        self.statistics.unique_bytes_written += sum(written.count() for _, written in self.groups)

    def _touch(self, addresses: Array, width: int, kind: int) -> None:
        owner = np.searchsorted(self.space.bases, addresses[:1], "right") - 1
        buffer = self.space.buffers[int(owner[0])]
        if int(addresses.min()) < buffer.base or int(addresses.max()) >= buffer.base + buffer.size:
            owners = np.searchsorted(self.space.bases, addresses, "right") - 1
            for number in np.unique(owners).tolist():
                self._mark(self.space.buffers[number], addresses[owners == number], width, kind)
        else:
            self._mark(buffer, addresses, width, kind)

    def _mark(self, buffer: Buffer, addresses: Array, width: int, kind: int) -> None:
        number = self.tracked.get(id(buffer))
        if number is None or self.marks[number] is None:
            return
        marks = self.marks[number][kind]
        marks.set(addresses + (self.where[number] - marks.start - buffer.base), width)

    def _lines(self, g: Group, addresses: Array, width: int, index: int, lanes: Array | None) -> None:
        per_wave = g.u32.shape[2]
        if lanes is None and g.full:
            table = addresses.reshape(-1, per_wave)
            first = table[:, :1]
            offsets = table - first
            within = first[:, 0] & (LINES[-1] - 1)
            known = self.known.get(index)
            if known is None or known[1] != int(within[0]) or len(known[0]) != per_wave:
                known = offsets[0], int(within[0]), _request_lines(table[:1], width)
                self.known[index] = known
            if (within == known[1]).all() and (offsets == known[0]).all():
                self._add(len(table), known[2] * len(table))
                return
            self._add(len(table), _request_lines(table, width))
            return
        flat = g.active if lanes is None else lanes
        starts = np.flatnonzero(np.diff(flat // per_wave, prepend=-1))
        # Rows of equal length, so that all waves are sorted at once: a lane that is off repeats the wave's first.
        table = np.repeat(addresses[starts][:, None], per_wave, axis=1)
        rows = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(flat)))
        table[rows, flat % per_wave] = addresses
        self._add(len(starts), _request_lines(table, width))

    def _add(self, requests: int, lines: Array) -> None:
        statistics = self.statistics
        statistics.global_requests += requests
        statistics.lines_64 += int(lines[0])
        statistics.lines_64_least += int(lines[1])
        statistics.lines_128 += int(lines[2])
        statistics.lines_128_least += int(lines[3])


def _request_lines(table: Array, width: int) -> Array:
    """Of requests `(request, lane)` of byte addresses: 64-byte lines, the least possible, 128-byte lines, the least."""
    ordered = np.sort(table, axis=1)
    distinct = 1 + np.count_nonzero(ordered[:, 1:] != ordered[:, :-1], axis=1)
    result = []
    for size in LINES:
        # Ascending items of one width: a line is new if it lies beyond the last line of the item before.
        low, high = ordered // size, (ordered + (width - 1)) // size
        lines = high[:, 0] - low[:, 0] + 1
        lines = lines + (high[:, 1:] - np.maximum(high[:, :-1], low[:, 1:] - 1)).sum(axis=1)
        # Items that overlap fill less than their sum: no request has a least beyond what it needs.
        result += [lines.sum(), np.minimum(-(-distinct * width // size), lines).sum()]
    return np.array(result, np.int64)
