# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The emulated 64-bit address space: numpy buffers at sparse bases, with bounds checked on every access."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from fovea.emulator.errors import Fault

if TYPE_CHECKING:
    from fovea.emulator.written import Written

Array = np.ndarray[Any, Any]
FIRST_BASE = 0x10_0000_0000
_GAP = 1 << 20
_ELEMENT: dict[int, Any] = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64, 16: np.complex128}
"""Item type that moves that many bytes at once (complex128 is only a 16-byte container)."""


def byte_views(flat: Array) -> dict[int, Array]:
    """Views of flat bytes as items of each width, as many as fit."""
    return {width: flat[: len(flat) // width * width].view(kind) for width, kind in _ELEMENT.items()}


class Buffer:
    """One numpy array at `base`. `name` is what error messages call it, `host` the array's own address.

    All loads so far lie in bytes `read_low` up to `read_high`.
    """

    def __init__(self, array: Array, base: int, name: str, space: AddressSpace) -> None:
        self.space = weakref.ref(space)
        self.base = base
        self.size = array.nbytes
        self.name = name
        self.writable = array.flags.writeable
        flat = array.reshape(-1).view(np.uint8) if array.nbytes else np.zeros(0, np.uint8)
        self.host = int(array.__array_interface__["data"][0])
        self.views = byte_views(flat)
        self.written: Written | None = None
        self.saved = False
        self.read_low, self.read_high = self.size, 0

    def __str__(self) -> str:
        return f"{self.name} (0x{self.base:x}, {self.size} bytes)"


class AddressSpace:
    """Buffers by ascending base. All lookups are vectorised over lanes."""

    def __init__(self) -> None:
        self.buffers: list[Buffer] = []
        self.bases = np.zeros(0, np.int64)
        self._next = FIRST_BASE
        self.keep = False
        """Whether to remember what buffers held before their first store, for `restore`."""
        self._before: list[tuple[Array, Array]] = []

    def add(self, array: Array, name: str, base: int | None = None) -> Buffer:
        """Place an array; returns its buffer. Bases are 256-byte aligned with a gap of at least 1 MiB."""
        if base is None:
            base = self._next
            self._next = (base + array.nbytes + _GAP + 255) & ~255
        buffer = Buffer(array, base, name, self)
        self.buffers.append(buffer)
        self.buffers.sort(key=lambda b: b.base)
        self.bases = np.array([b.base for b in self.buffers], np.int64)
        return buffer

    def restore(self) -> None:
        """Undo all stores since the launch began."""
        for memory, content in reversed(self._before):
            memory[...] = content
        self._before.clear()
        for buffer in self.buffers:
            buffer.saved = False
            buffer.read_low, buffer.read_high = buffer.size, 0

    def _meet(self, buffer: Buffer, store: bool, low: int, high: int) -> None:
        """An access to bytes `low` up to `high` of a buffer is about to happen."""
        if not store:
            if low < buffer.read_low:
                buffer.read_low = low
            if high > buffer.read_high:
                buffer.read_high = high
        elif self.keep and not buffer.saved:
            buffer.saved = True
            marks = buffer.written.marks if buffer.written is not None else None
            if marks is not None and not marks.any():
                # Content that is not defined needs no copy.
                self._before.append((marks, np.zeros(1, np.uint8)))
                return
            self._before.append((buffer.views[1], buffer.views[1].copy()))
            if marks is not None:
                self._before.append((marks, marks.copy()))

    def nearest(self, address: int) -> str:
        """Text that names the buffer nearest to an address and the distance."""
        best: tuple[int, str] | None = None
        for buffer in self.buffers:
            end = buffer.base + buffer.size
            if address < buffer.base:
                found = (buffer.base - address, f"{buffer.base - address} bytes before {buffer}")
            elif address >= end:
                found = (address - end + 1, f"{address - end} bytes past the end of {buffer}")
            else:
                found = (0, f"at byte {address - buffer.base} of {buffer}")
            if best is None or found[0] < best[0]:
                best = found
        return best[1] if best else "no buffer"

    def _fault(self, addresses: Array, bad: Array, width: int, store: bool) -> None:
        lane = int(np.flatnonzero(bad)[0])
        address = int(addresses[lane])
        verb = "store to" if store else "load from"
        raise Fault(
            f"{width}-byte {verb} 0x{address & (2**64 - 1):x} is out of bounds: {self.nearest(address)}", lane=lane
        )

    def find(self, addresses: Array, width: int, store: bool, guess: Buffer | None) -> Buffer | None:
        """The one buffer that holds all accesses, or None if there are several. Raises Fault if any is outside.

        `guess` is the buffer of the instruction's last access, which may have been in the space of an earlier launch.
        """
        if guess is not None and guess.space() is not self:
            guess = None
        low, high = int(addresses.min()), int(addresses.max())
        if guess is None or low < guess.base or high + width > guess.base + guess.size:
            at = int(np.searchsorted(self.bases, low, "right")) - 1
            guess = self.buffers[at] if at >= 0 else None
        if guess is not None and low >= guess.base and high + width <= guess.base + guess.size:
            if store and not guess.writable:
                raise Fault(f"store to 0x{low:x}: {guess} is read-only", lane=0)
            self._meet(guess, store, low - guess.base, high + width - guess.base)
            return guess
        index = np.searchsorted(self.bases, addresses, "right") - 1
        bad = index < 0
        if self.buffers:
            ends = self.bases + np.array([b.size for b in self.buffers], np.int64)
            bad |= addresses + width > ends[np.maximum(index, 0)]
        if bad.any() or not self.buffers:
            self._fault(addresses, bad if self.buffers else np.ones(len(addresses), bool), width, store)
        for at in np.unique(index).tolist():
            self._meet(self.buffers[at], store, 0, self.buffers[at].size)
        return None

    def load(self, addresses: Array, width: int, guess: Buffer | None) -> tuple[Array, Buffer | None]:
        """Values of `width` bytes at flat int64 addresses: `(lane, words)` uint32, or uint8/uint16 flat below 4."""
        buffer = self.find(addresses, width, False, guess)
        if buffer is not None:
            offsets = addresses - buffer.base
            if buffer.written is not None:
                buffer.written.require(offsets, width, buffer)
            return gather(buffer.views, offsets, width), buffer
        kind: Any = np.uint32 if width >= 4 else _ELEMENT[width]
        result = np.empty((len(addresses), width // 4) if width >= 4 else len(addresses), kind)
        index = np.searchsorted(self.bases, addresses, "right") - 1
        for at in np.unique(index):
            chosen = index == at
            one = self.buffers[int(at)]
            if one.written is not None:
                require_some(one, addresses - one.base, chosen, width)
            result[chosen] = gather(one.views, addresses[chosen] - one.base, width)
        return result, None

    def store(self, addresses: Array, values: Array, width: int, guess: Buffer | None) -> Buffer | None:
        """Write `(lane, words)` uint32 (or flat uint8/uint16) values; on equal addresses the highest lane stays."""
        buffer = self.find(addresses, width, True, guess)
        if buffer is not None:
            offsets = addresses - buffer.base
            scatter(buffer.views, offsets, width, values)
            if buffer.written is not None:
                buffer.written.mark(offsets, width)
            return buffer
        index = np.searchsorted(self.bases, addresses, "right") - 1
        for at in np.unique(index):
            chosen = index == at
            one = self.buffers[int(at)]
            if not one.writable:
                raise Fault(f"store: {one} is read-only", lane=int(np.flatnonzero(chosen)[0]))
            scatter(one.views, addresses[chosen] - one.base, width, values[chosen])
            if one.written is not None:
                one.written.mark(addresses[chosen] - one.base, width)
        return None

    def read(self, address: int, size: int) -> Array:
        """Bytes at one address, for scalar loads. Raises Fault if outside."""
        at = int(np.searchsorted(self.bases, address, "right")) - 1
        if at >= 0:
            buffer = self.buffers[at]
            start = address - buffer.base
            if start + size <= buffer.size:
                self._meet(buffer, False, start, start + size)
                if buffer.written is not None:
                    require_some(buffer, np.array([start]), np.ones(1, bool), size, True)
                return buffer.views[1][start : start + size]
        raise Fault(f"{size}-byte scalar load from 0x{address:x} is out of bounds: {self.nearest(address)}")


def require_some(buffer: Buffer, offsets: Array, chosen: Array, width: int, scalar: bool = False) -> None:
    """Written.require for some of the lanes; the fault's lane counts all of them, or is none for a scalar load."""
    assert buffer.written is not None
    try:
        buffer.written.require(offsets[chosen], width, buffer)
    except Fault as fault:
        raise Fault(fault.message, lane=-1 if scalar else int(np.flatnonzero(chosen)[fault.lane])) from None


def gather(views: dict[int, Array], offsets: Array, width: int) -> Array:
    """Read items of `width` bytes at byte offsets; the widest element that alignment allows is moved at once."""
    if width < 4:
        if width == 1:
            return views[1].take(offsets)
        if not (int(np.bitwise_or.reduce(offsets)) & 1):
            return views[2].take(offsets >> 1)
        raw = views[1].take(offsets[:, None] + np.arange(2))
        return raw.view(np.uint16)[:, 0]
    step = min(_low_bit(int(np.bitwise_or.reduce(offsets))), 16)
    if step < 4:
        raw = views[1].take(offsets[:, None] + np.arange(width))
        return np.ascontiguousarray(raw).view(np.uint32)
    while width % step:
        step //= 2
    count = width // step
    shift = step.bit_length() - 1
    if count == 1:
        return _take(views[step], offsets >> shift).view(np.uint32).reshape(-1, width // 4)
    index = (offsets >> shift)[:, None] + np.arange(count)
    return _take(views[step], index).view(np.uint32).reshape(-1, width // 4)


def _take(view: Array, index: Array) -> Array:
    # `take` would first copy an array whose memory is not aligned for its type.
    return view.take(index) if view.flags.aligned else view[index]


def scatter(views: dict[int, Array], offsets: Array, width: int, values: Array) -> None:
    """Write items of `width` bytes at byte offsets."""
    if width < 4:
        if width == 1:
            views[1][offsets] = values
        elif not (int(np.bitwise_or.reduce(offsets)) & 1):
            views[2][offsets >> 1] = values
        else:
            raw = np.ascontiguousarray(values).view(np.uint8).reshape(-1, 2)
            views[1][offsets[:, None] + np.arange(2)] = raw
        return
    step = min(_low_bit(int(np.bitwise_or.reduce(offsets))), 16)
    values = np.ascontiguousarray(values)
    if step < 4:
        views[1][offsets[:, None] + np.arange(width)] = values.view(np.uint8).reshape(-1, width)
        return
    while width % step:
        step //= 2
    count = width // step
    shift = step.bit_length() - 1
    items = values.view(_ELEMENT[step]).reshape(-1, count)
    if count == 1:
        views[step][offsets >> shift] = items[:, 0]
    else:
        views[step][(offsets >> shift)[:, None] + np.arange(count)] = items


def _low_bit(value: int) -> int:
    return value & -value if value else 16
