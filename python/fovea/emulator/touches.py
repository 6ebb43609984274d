# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Who touched which bytes of global memory: tables over the buffers, and the check of an access against them.

A race is two workgroups touching a byte, one writing, not both atomically, with nothing that orders the two.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fovea.emulator.errors import Fault
from fovea.emulator.memory import AddressSpace, Buffer
from fovea.emulator.ordering import Ordering, hides_atomic_stores
from fovea.emulator.program import Program

Array = np.ndarray[Any, Any]
_SEVERAL = -1
_NAMES = ("wrote", "read", "changed atomically")
WRITERS, READERS, ATOMIC = range(3)
_AGAINST = {WRITERS: (WRITERS, READERS, ATOMIC), READERS: (WRITERS, ATOMIC), ATOMIC: (WRITERS, READERS)}
"""What another workgroup must not have done before an access of each kind."""


class Access(NamedTuple):
    """Byte addresses of one instruction, with each one's workgroup (plus one), wave and flat lane."""

    number: int
    addresses: Array
    workgroups: Array
    waves: Array
    flat: Array
    width: int
    lanes: int

    def where(self, chosen: Array) -> Access:
        """The part of the access at the chosen addresses."""
        return self._replace(
            addresses=self.addresses[chosen], workgroups=self.workgroups[chosen], waves=self.waves[chosen],
            flat=self.flat[chosen],
        )  # fmt: skip


class Contested(Exception):
    """The launch has to run again with these settings."""

    def __init__(self, granule: int, exact: bool) -> None:
        super().__init__()
        self.granule = granule
        self.exact = exact


class _Region:
    """Host memory of one buffer, or of several that overlap: for each granule, who did what and in which epoch.

    A table holds 0 for nobody, the number of a workgroup plus one, or -1 for several.
    """

    def __init__(self, start: int, size: int, granule: int) -> None:
        self.start = start
        self.granules = -(-size // granule)
        self.tables: list[Array | None] = [None, None, None]
        self.epochs: list[Array | None] = [None, None, None]
        self.low, self.high = size, 0

    def table(self, kind: int) -> Array:
        table = self.tables[kind]
        if table is None:
            table = self.tables[kind] = np.zeros(self.granules, np.int32)
        return table

    def stamp(self, kind: int, index: Array, epochs: Array) -> None:
        """Note the epochs of accesses; tables of epochs that are all 0 do not exist."""
        table = self.epochs[kind]
        if table is None:
            if not epochs.any():
                return
            table = self.epochs[kind] = np.zeros(self.granules, np.int32)
        table[index] = epochs

    def epochs_at(self, kind: int, index: Array) -> Array | int:
        """The epochs of what the table of a kind holds."""
        table = self.epochs[kind]
        return 0 if table is None else table[index]


class Tables:
    """The tables of one launch, over all its slices."""

    def __init__(self, space: AddressSpace, program: Program, grid: tuple[int, int, int], exact: bool,
                 granule: int) -> None:  # fmt: skip
        self.space = space
        self.grid = grid
        self.exact = exact
        self.granule = granule
        self.program = program
        self.ordering = Ordering(grid[0] * grid[1] * grid[2])
        self.hidden_stores = hides_atomic_stores(program.chip)
        self.orders = False
        """Whether the program has anything that could order workgroups."""
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

    def postpone(self, access: Access) -> None:
        """Move stores to the epochs that their workgroups are in now."""
        for buffer, part in self._split(access):
            region = self.regions.get(id(buffer))
            if region is not None:
                index = self._granules(buffer, region, part)
                own = region.table(WRITERS)[index] == part.workgroups[:, None]
                epochs = np.broadcast_to(self.ordering.epochs[part.workgroups][:, None], index.shape)
                region.stamp(WRITERS, index[own], epochs[own])

    def _split(self, access: Access) -> list[tuple[Buffer, Access]]:
        """The parts of an access in each buffer."""
        addresses = access.addresses
        index = np.searchsorted(self.space.bases, addresses[:1], "right") - 1
        buffer = self.space.buffers[int(index[0])]
        if int(addresses.min()) >= buffer.base and int(addresses.max()) < buffer.base + buffer.size:
            return [(buffer, access)]
        owners = np.searchsorted(self.space.bases, addresses, "right") - 1
        parts = []
        for number in np.unique(owners).tolist():
            chosen = owners == number
            parts.append((self.space.buffers[number], access.where(chosen)))
        return parts

    def touch(self, access: Access, kind: int, late: bool = False) -> None:
        """Check and note an access; `late` says that its instruction is not the one that executes."""
        for buffer, part in self._split(access):
            self._one(buffer, part, kind, late)

    def _granules(self, buffer: Buffer, region: _Region, access: Access) -> Array:
        """Granules `(address, granule)` of an access, the last one repeated where one has fewer."""
        granule = self.granule
        places = access.addresses - buffer.base + (buffer.host - region.start)
        first, width = places // granule, access.width
        if granule > 1 and (width % granule or int(np.bitwise_or.reduce(places)) % granule):
            last = (places + (width - 1)) // granule
            return np.minimum(first[:, None] + np.arange(int((last - first).max()) + 1), last[:, None])
        return first[:, None] + np.arange(width // granule)

    def _one(self, buffer: Buffer, access: Access, kind: int, late: bool) -> None:
        region = self.regions.get(id(buffer))
        if region is None:
            return
        places = access.addresses - buffer.base + (buffer.host - region.start)
        width, granule = access.width, self.granule
        if kind != READERS:
            if granule > 1 and (width % granule or int(np.bitwise_or.reduce(places)) % granule):
                raise Contested(max(granule // 4, 1), self.exact)
            region.low, region.high = min(region.low, int(places.min())), max(region.high, int(places.max()) + width)
        index = self._granules(buffer, region, access)
        mine = access.workgroups[:, None]
        # An atomic store that looks like a plain one has at most 8 bytes.
        hidden = self.hidden_stores and width <= 8 and kind != READERS
        for other in _AGAINST[kind]:
            seen = region.tables[other]
            if seen is None:
                continue
            found = seen[index]
            bad = (found != 0) & (found != mine)
            if not bad.any():
                continue
            epochs = region.epochs_at(other, index)
            if hidden and (kind, other) in ((WRITERS, ATOMIC), (ATOMIC, WRITERS)):
                if kind == ATOMIC:
                    self._learn(mine, found, epochs, bad)
                continue
            bad &= ~self.ordering.ordered(mine, found, epochs)
            if bad.any():
                self._fault(buffer, access, kind, other, bad, found, late)
        self._note(region, access, kind, index, mine, buffer, late)

    def _learn(self, mine: Array, found: Array, epochs: Array | int, met: Array) -> None:
        """Atomics met stores of others that may have been atomic."""
        mine, epochs = np.broadcast_to(mine, found.shape), np.broadcast_to(epochs, found.shape)
        triples = np.stack([mine[met], found[met], epochs[met]], axis=1)
        for workgroup, other, epoch in np.unique(triples, axis=0).tolist():
            if other > 0:
                self.ordering.learn_from(workgroup, other, epoch)

    def _note(self, region: _Region, access: Access, kind: int, index: Array, mine: Array, buffer: Buffer,
              late: bool) -> None:  # fmt: skip
        table = region.table(kind)
        ordering = self.ordering
        if ordering.any_epoch:
            epochs = np.broadcast_to(ordering.epochs[access.workgroups][:, None], index.shape)
        if kind == WRITERS:
            table[index] = mine
            found = table[index]
            bad = found != mine
            if bad.any():
                self._fault(buffer, access, kind, kind, bad, found, late)
            if ordering.any_epoch:
                region.stamp(kind, index, epochs)
                # Whoever comes after this store comes after what happened before it.
                for other in (READERS, ATOMIC):
                    earlier = region.tables[other]
                    if earlier is not None:
                        earlier[index] = 0
            return
        found = table[index]
        replaces = (found == 0) | (found == mine)
        if ordering.any_epoch:
            replaces |= ordering.ordered(mine, found, region.epochs_at(kind, index)) & (found > 0)
            region.stamp(kind, index, epochs)
        value = np.where(replaces, mine, _SEVERAL)
        table[index] = value
        table[index[table[index] != value]] = _SEVERAL

    def _fault(self, buffer: Buffer, access: Access, kind: int, other: int, bad: Array, found: Array,
               late: bool) -> None:  # fmt: skip
        at = int(np.flatnonzero(bad.any(axis=1))[0])
        who = self._name(int(found[at][np.flatnonzero(bad[at])[0]]))
        what = ("store to", "load from", "atomic on")[kind]
        flat = int(access.flat[at])
        wave, lane = divmod(flat, access.lanes) if access.lanes > 1 else (flat, -1)
        byte = int(access.addresses[at]) - buffer.base
        origin = ""
        if late:
            wave = lane = -1
            line = self.program.code[access.number].line
            origin = f" by {self._name(int(access.workgroups[at]))} (0x{line.address:x}: {line.text.strip()})"
        unordered = ", and no release and acquire order the two" if self.orders else ""
        raise Fault(
            f"global race: {access.width}-byte {what} 0x{buffer.base + byte:x}, byte {byte} of {buffer}{origin}, which "
            f"{who} {_NAMES[other]} in this launch{unordered}",
            wave,
            lane,
        )

    def _name(self, workgroup: int) -> str:
        if workgroup <= 0:
            return "another workgroup"
        number, (x, y, _) = workgroup - 1, self.grid
        return f"workgroup ({number % x}, {number // x % y}, {number // (x * y)})"
