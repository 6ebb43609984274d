# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Races between the workgroups of a launch: two touch a byte of global memory, one writing, not both atomically.

Workgroups run in any order on hardware, so such a launch has no defined result. A workgroup whose earlier access was an
atomic that returned a value, or an access coherent over the device (`sc1`), may have synchronised with others: what it
touches afterwards is not judged.

Stores and atomics are recorded for each granule of memory with the workgroup that made them. Loads are so many that
only the range of each buffer's loads is kept. Where that range meets stores, `finish` raises Contested, and the launch
is run again from its first state with its loads recorded too: few kernels read and write the same buffer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fovea.emulator.errors import Fault
from fovea.emulator.memory import AddressSpace, Buffer

if TYPE_CHECKING:
    from fovea.emulator.group import Group
    from fovea.emulator.program import Program
    from fovea.emulator.traffic import Traffic

Array = np.ndarray[Any, Any]
_SEVERAL = -1
_NAMES = ("wrote", "read", "changed atomically")
_WRITERS, _READERS, _ATOMIC = range(3)
_AGAINST = {_WRITERS: (_WRITERS, _READERS, _ATOMIC), _READERS: (_WRITERS, _ATOMIC), _ATOMIC: (_WRITERS, _READERS)}
"""What another workgroup must not have done before an access of each kind."""
_WIDTHS = {"byte": 1, "b8": 1, "short": 2, "b16": 2, "dwordx2": 8, "b64": 8, "dwordx4": 16, "b128": 16}


class Contested(Exception):
    """The launch has to run again with these settings."""

    def __init__(self, granule: int, exact: bool) -> None:
        super().__init__()
        self.granule = granule
        self.exact = exact


class _Region:
    """Host memory of one buffer, or of several that overlap: for each granule, who did what.

    A table holds 0 for nobody, the number of a workgroup plus one, or -1 for several.
    """

    def __init__(self, start: int, size: int, granule: int) -> None:
        self.start = start
        self.granules = -(-size // granule)
        self.tables: list[Array | None] = [None, None, None]
        self.low, self.high = size, 0

    def table(self, kind: int) -> Array:
        table = self.tables[kind]
        if table is None:
            table = self.tables[kind] = np.zeros(self.granules, np.int32)
        return table


class Sharing:
    """Recorder of one launch of several workgroups, over all its slices."""

    def __init__(self, space: AddressSpace, program: Program, grid: tuple[int, int, int], exact: bool,
                 granule: int | None = None) -> None:  # fmt: skip
        self.space = space
        self.grid = grid
        self.exact = exact
        self.granule = granule or _granule(program)
        self.ordered = np.zeros(grid[0] * grid[1] * grid[2] + 1, bool)
        self.any_ordered = False
        self.group: Group | None = None
        """The group that executes; scalar loads do not tell theirs."""
        self.coherent = frozenset(
            number
            for number, c in enumerate(program.code)
            if "sc1" in c.line.modifiers and c.issue == "vmem" and "atomic" not in c.line.name
        )
        self.returns = frozenset(
            number for number, c in enumerate(program.code) if "_atomic_" in c.line.name and c.writes_v
        )
        self.regions: dict[int, _Region] = {}
        self._place([b for b in space.buffers if b.writable and b.size])

    def _place(self, buffers: list[Buffer]) -> None:
        members: list[Buffer] = []
        start = end = -1
        for buffer in [*sorted(buffers, key=lambda b: b.host), None]:
            if buffer is None or buffer.host >= end:
                region = _Region(start, end - start, self.granule) if members else None
                self.regions.update((id(member), region) for member in members if region is not None)
                members = []
                if buffer is None:
                    return
                # Granules count from a multiple of their size.
                start = end = buffer.host & ~15
            members.append(buffer)
            end = max(end, buffer.host + buffer.size)

    def record(
        self, g: Group, addresses: Array, width: int, index: int, reads: bool, writes: bool, lanes: Array | None = None
    ) -> None:
        """Check and record byte addresses, in bounds, of instruction `index`; `lanes` as in Traffic.record."""
        atomic = (reads and writes) or index in self.coherent
        if not (writes or atomic or self.exact):
            return
        flat = lanes if lanes is not None else np.arange(g.u32.shape[2] * g.count) if g.full else g.active
        workgroups = (g.slot + (g.machine.first_workgroup + 1)).astype(np.int32)[flat // g.u32.shape[2]]
        if self.any_ordered and not atomic:
            keep = ~self.ordered[workgroups]
            addresses, workgroups, flat = addresses[keep], workgroups[keep], flat[keep]
        if len(addresses):
            kind = _ATOMIC if atomic else _WRITERS if writes else _READERS
            self._touch(addresses, workgroups, flat, width, kind, g.u32.shape[2])
        if index in self.returns or (index in self.coherent and not writes):
            self.ordered[workgroups] = True
            self.any_ordered = True

    def scalar(self, addresses: Array, size: int) -> None:
        """Scalar loads: one address of `size` bytes for each wave."""
        if not self.exact:
            return
        g = self.group
        assert g is not None
        workgroups = (g.slot + (g.machine.first_workgroup + 1)).astype(np.int32)
        keep = ~self.ordered[workgroups]
        if keep.any():
            self._touch(addresses[keep], workgroups[keep], np.flatnonzero(keep), size, _READERS, 1)

    def finish(self) -> None:
        """Raise Contested if loads may have met stores."""
        if self.exact:
            return
        for buffer in self.space.buffers:
            region = self.regions.get(id(buffer))
            if region is None or region.low >= region.high or buffer.read_high <= buffer.read_low:
                continue
            shift = buffer.host - region.start
            if shift + buffer.read_low < region.high and region.low < shift + buffer.read_high:
                raise Contested(self.granule, True)

    def _touch(self, addresses: Array, workgroups: Array, flat: Array, width: int, kind: int, lanes: int) -> None:
        index = np.searchsorted(self.space.bases, addresses[:1], "right") - 1
        buffer = self.space.buffers[int(index[0])]
        if int(addresses.min()) >= buffer.base and int(addresses.max()) < buffer.base + buffer.size:
            self._one(buffer, addresses - buffer.base, workgroups, flat, width, kind, lanes)
            return
        owners = np.searchsorted(self.space.bases, addresses, "right") - 1
        for number in np.unique(owners).tolist():
            chosen = owners == number
            buffer = self.space.buffers[number]
            self._one(buffer, addresses[chosen] - buffer.base, workgroups[chosen], flat[chosen], width, kind, lanes)

    def _one(self, buffer: Buffer, offsets: Array, workgroups: Array, flat: Array, width: int, kind: int,
             lanes: int) -> None:  # fmt: skip
        region = self.regions.get(id(buffer))
        if region is None:
            return
        places = offsets + (buffer.host - region.start)
        granule = self.granule
        uneven = granule > 1 and (width % granule or int(np.bitwise_or.reduce(places)) % granule)
        if kind != _READERS:
            if uneven:
                raise Contested(max(granule // 4, 1), self.exact)
            region.low, region.high = min(region.low, int(places.min())), max(region.high, int(places.max()) + width)
        first = places // granule
        if uneven:
            last = (places + (width - 1)) // granule
            index = np.minimum(first[:, None] + np.arange(int((last - first).max()) + 1), last[:, None])
        else:
            index = first[:, None] + np.arange(width // granule)
        mine = workgroups[:, None]
        for other in _AGAINST[kind]:
            seen = region.tables[other]
            if seen is not None:
                found = seen[index]
                bad = (found != 0) & (found != mine)
                if bad.any():
                    self._fault(buffer, offsets, flat, width, kind, other, bad, found, lanes)
        table = region.table(kind)
        if kind == _WRITERS:
            table[index] = mine
            found = table[index]
            bad = found != mine
            if bad.any():
                self._fault(buffer, offsets, flat, width, kind, kind, bad, found, lanes)
            return
        found = table[index]
        value = np.where((found == 0) | (found == mine), mine, _SEVERAL)
        table[index] = value
        table[index[table[index] != value]] = _SEVERAL

    def _fault(self, buffer: Buffer, offsets: Array, flat: Array, width: int, kind: int, other: int, bad: Array,
               found: Array, lanes: int) -> None:  # fmt: skip
        at = int(np.flatnonzero(bad.any(axis=1))[0])
        number = int(found[at][np.flatnonzero(bad[at])[0]])
        x, y, _ = self.grid
        number -= 1
        who = "another workgroup"
        if number >= 0:
            who = f"workgroup ({number % x}, {number // x % y}, {number // (x * y)})"
        what = ("store to", "load from", "atomic on")[kind]
        wave, lane = divmod(int(flat[at]), lanes) if lanes > 1 else (int(flat[at]), -1)
        byte = int(offsets[at])
        raise Fault(
            f"global race: {width}-byte {what} 0x{buffer.base + byte:x}, byte {byte} of {buffer}, which {who} "
            f"{_NAMES[other]} in this launch",
            wave,
            lane,
        )


class Recorders:
    """Hands each access to several recorders."""

    def __init__(self, *recorders: Traffic | Sharing) -> None:
        self.recorders = recorders

    def record(
        self, g: Group, addresses: Array, width: int, index: int, reads: bool, writes: bool, lanes: Array | None = None
    ) -> None:
        """As Traffic.record."""
        for recorder in self.recorders:
            recorder.record(g, addresses, width, index, reads, writes, lanes)

    def scalar(self, addresses: Array, size: int) -> None:
        """As Traffic.scalar."""
        for recorder in self.recorders:
            recorder.scalar(addresses, size)


def _granule(program: Program) -> int:
    """Bytes of the narrowest global store of the program, four if it has atomics."""
    widths = [16]
    for code in program.code:
        if code.issue == "vmem" and "_store_" in code.line.name:
            widths.append(min((_WIDTHS[word] for word in code.line.name.split("_") if word in _WIDTHS), default=4))
        elif code.issue == "vmem" and "_atomic_" in code.line.name:
            widths.append(4)
    return min(widths)
