# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Races between the workgroups of a launch: two touch a byte of global memory, one writing, not both atomically.

Workgroups run in any order on hardware, so such a launch has no defined result, unless one released what it did and the
other acquired that (`ordering`). A release covers what was waited for: a store that is still on its way when its wave
releases, or another wave's with no barrier between, belongs to the next one.

Loops of compare-and-swap start from a plain load, whose value they mend: it is part of the loop if the workgroup's next
atomic is a compare-and-swap at its address.

Stores and atomics are recorded for each granule of memory with the workgroup that made them. Loads are so many that
only the range of each buffer's loads is kept. Where that range meets stores, `finish` raises Contested, and the launch
is run again from its first state with its loads recorded too: few kernels read and write the same buffer.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fovea.emulator.errors import Fault
from fovea.emulator.memory import AddressSpace, Buffer
from fovea.emulator.ordering import Ordering, hides_atomic_stores, invalidates, is_coherent

if TYPE_CHECKING:
    from fovea.emulator.group import Group
    from fovea.emulator.program import Program
    from fovea.emulator.traffic import Traffic

Array = np.ndarray[Any, Any]
_SEVERAL = -1
_NOTHING = np.zeros(0, np.int64)
_NAMES = ("wrote", "read", "changed atomically")
_WRITERS, _READERS, _ATOMIC = range(3)
_AGAINST = {_WRITERS: (_WRITERS, _READERS, _ATOMIC), _READERS: (_WRITERS, _ATOMIC), _ATOMIC: (_WRITERS, _READERS)}
"""What another workgroup must not have done before an access of each kind."""
_WIDTHS = {"byte": 1, "b8": 1, "short": 2, "b16": 2, "dwordx2": 8, "b64": 8, "dwordx4": 16, "b128": 16}


_RECENT = 256
"""Stores that are remembered as possibly on their way: more than the counters of a few groups of waves hold."""
_HELD = 1 << 22
"""Lanes of loads that are remembered as possible parts of a loop of compare-and-swap."""


class _Access(NamedTuple):
    """Byte addresses of one instruction, with each one's workgroup (plus one), wave and flat lane."""

    number: int
    addresses: Array
    workgroups: Array
    waves: Array
    flat: Array
    width: int
    lanes: int
    before_barrier: bool = False
    """Of a store that its wave had not waited for when it passed a barrier."""


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


class Sharing:
    """Recorder of one launch of several workgroups, over all its slices."""

    def __init__(self, space: AddressSpace, program: Program, grid: tuple[int, int, int], exact: bool,
                 granule: int | None = None) -> None:  # fmt: skip
        self.space = space
        self.grid = grid
        self.exact = exact
        self.granule = granule or _granule(program)
        self.ordering = Ordering(grid[0] * grid[1] * grid[2])
        self.program = program
        self.group: Group | None = None
        """The group that executes; scalar loads do not tell theirs."""
        code = program.code
        self.coherent = frozenset(
            number for number, c in enumerate(code) if c.issue == "vmem" and is_coherent(c.line, program.chip)
        )
        # Without an acquire nothing is ordered, and releases need not be kept.
        self.orders = any(invalidates(c.line) for c in code) or bool(self.coherent)
        # The waves of a workgroup share the first cache, through which their stores go in order (LLVM waits for no
        # stores before a barrier there; gfx11 and gfx12 may spread a workgroup over two).
        self.one_cache = program.chip.startswith("gfx9")
        self.hidden_stores = hides_atomic_stores(program.chip)
        swaps = [(number, 8 if c.line.name.endswith("x2") else 4) for number, c in enumerate(code)
                 if "_atomic_cmpswap" in c.line.name]  # fmt: skip
        self.swaps = frozenset(number for number, _ in swaps)
        self.starts = frozenset(
            number
            for number, c in enumerate(code)
            if any(c.line.name.endswith(f"_load_dword{'x2' if width == 8 else ''}") and number < swap
                   for swap, width in swaps)
        )  # fmt: skip
        """Plain loads that may start a loop of compare-and-swap."""
        self.recent: deque[_Access] = deque(maxlen=_RECENT)
        self.held: deque[_Access] = deque()
        self.held_lanes = 0
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
        lanes_a_wave = g.u32.shape[2]
        flat = lanes if lanes is not None else np.arange(lanes_a_wave * g.count) if g.full else g.active
        rows = flat // lanes_a_wave
        workgroups = (g.slot + (g.machine.first_workgroup + 1)).astype(np.int32)[rows]
        access = _Access(index, addresses, workgroups, g.waves[rows], flat, width, lanes_a_wave)
        if not len(addresses):
            return
        if not atomic:
            if index in self.starts and not writes:
                self._hold(access)
                return
            self._touch(access, _WRITERS if writes else _READERS)
            if writes and self.orders:
                if self.hidden_stores and self.coherent and width <= 8:
                    # It may be an atomic one, a release.
                    self.ordering.release(workgroups)
                    self._keep_back(g, access)
                self.recent.append(access)
            return
        if self.held:
            self._settle(access)
        self._touch(access, _ATOMIC)
        if self.orders:
            self.ordering.synchronise(workgroups, addresses, reads, writes)
            if writes:
                self._keep_back(g, access)

    def acquire(self, g: Group) -> None:
        """Waves of a group invalidated their caches."""
        if self.orders:
            workgroups = (g.slot + (g.machine.first_workgroup + 1)).astype(np.int32)
            if self.held:
                self._settle(_Access(-1, _NOTHING, workgroups, _NOTHING, _NOTHING, 4, 1))
            self.ordering.acquire(workgroups)

    def passed(self, crossing: frozenset[int]) -> None:
        """Waves passed a barrier, at which the instructions `crossing` may have been outstanding."""
        if self.recent:
            waiting = (a._replace(before_barrier=True) for a in self.recent if a.number in crossing)
            self.recent = deque(waiting, _RECENT)

    def begin(self) -> None:
        """Another slice of the launch starts: the waves of the one before have ended."""
        self.recent.clear()

    def _keep_back(self, g: Group, release: _Access) -> None:
        """Stores that the release does not cover belong to the epoch that starts now."""
        pending = g.timing.pending if g.timing is not None else frozenset[int]()
        for store in self.recent:
            late = np.isin(store.workgroups, release.workgroups)
            own = np.isin(store.waves, release.waves)
            if store.number not in pending:
                late &= ~own
            if store.before_barrier and self.one_cache:
                late &= own
            if late.any():
                chosen = _Access(
                    store.number, store.addresses[late], store.workgroups[late], store.waves[late], store.flat[late],
                    store.width, store.lanes,
                )  # fmt: skip
                for buffer, access in self._split(chosen):
                    region = self.regions.get(id(buffer))
                    if region is None:
                        continue
                    index = self._granules(buffer, region, access)
                    own = region.table(_WRITERS)[index] == access.workgroups[:, None]
                    epochs = np.broadcast_to(self.ordering.epochs[access.workgroups][:, None], index.shape)
                    region.stamp(_WRITERS, index[own], epochs[own])

    def _hold(self, access: _Access) -> None:
        self.held.append(access)
        self.held_lanes += len(access.addresses)
        while self.held_lanes > _HELD:
            oldest = self.held.popleft()
            self.held_lanes -= len(oldest.addresses)
            self._touch(oldest, _READERS, late=True)

    def _settle(self, atomic: _Access) -> None:
        """Held loads of the workgroups of an atomic: those at the places of a compare-and-swap are part of it."""
        swaps = np.zeros(0, np.int64)
        if atomic.number in self.swaps:
            swaps = atomic.workgroups.astype(np.int64) << 46 | atomic.addresses.astype(np.int64)
        entries, self.held, self.held_lanes = list(self.held), deque(), 0
        for load in entries:
            mine = np.isin(load.workgroups, atomic.workgroups)
            part = np.isin(load.workgroups.astype(np.int64) << 46 | load.addresses.astype(np.int64), swaps)
            for chosen, keep in ((mine & ~part, False), (~mine, True)):
                if not chosen.any():
                    continue
                rest = load._replace(
                    addresses=load.addresses[chosen], workgroups=load.workgroups[chosen], waves=load.waves[chosen],
                    flat=load.flat[chosen],
                )  # fmt: skip
                if keep:
                    self.held.append(rest)
                    self.held_lanes += len(rest.addresses)
                else:
                    self._touch(rest, _READERS, late=True)

    def scalar(self, addresses: Array, size: int) -> None:
        """Scalar loads: one address of `size` bytes for each wave."""
        if not self.exact:
            return
        g = self.group
        assert g is not None
        workgroups = (g.slot + (g.machine.first_workgroup + 1)).astype(np.int32)
        rows = np.arange(g.count)
        self._touch(_Access(-1, addresses, workgroups, g.waves, rows, size, 1), _READERS)

    def finish(self) -> None:
        """Raise Contested if loads may have met stores; Fault for a race of loads that no atomic came after."""
        if self.exact:
            held, self.held = self.held, deque()
            for load in held:
                self._touch(load, _READERS, late=True)
            return
        for buffer in self.space.buffers:
            region = self.regions.get(id(buffer))
            if region is None or region.low >= region.high or buffer.read_high <= buffer.read_low:
                continue
            shift = buffer.host - region.start
            if shift + buffer.read_low < region.high and region.low < shift + buffer.read_high:
                raise Contested(self.granule, True)

    def _split(self, access: _Access) -> list[tuple[Buffer, _Access]]:
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
            part = access._replace(
                addresses=addresses[chosen], workgroups=access.workgroups[chosen], waves=access.waves[chosen],
                flat=access.flat[chosen],
            )  # fmt: skip
            parts.append((self.space.buffers[number], part))
        return parts

    def _touch(self, access: _Access, kind: int, late: bool = False) -> None:
        """Check and note an access; `late` says that its instruction is not the one that executes."""
        for buffer, part in self._split(access):
            self._one(buffer, part, kind, late)

    def _granules(self, buffer: Buffer, region: _Region, access: _Access) -> Array:
        """Granules `(address, granule)` of an access, the last one repeated where one has fewer."""
        granule = self.granule
        places = access.addresses - buffer.base + (buffer.host - region.start)
        first, width = places // granule, access.width
        if granule > 1 and (width % granule or int(np.bitwise_or.reduce(places)) % granule):
            last = (places + (width - 1)) // granule
            return np.minimum(first[:, None] + np.arange(int((last - first).max()) + 1), last[:, None])
        return first[:, None] + np.arange(width // granule)

    def _one(self, buffer: Buffer, access: _Access, kind: int, late: bool) -> None:
        region = self.regions.get(id(buffer))
        if region is None:
            return
        places = access.addresses - buffer.base + (buffer.host - region.start)
        width, granule = access.width, self.granule
        if kind != _READERS:
            if granule > 1 and (width % granule or int(np.bitwise_or.reduce(places)) % granule):
                raise Contested(max(granule // 4, 1), self.exact)
            region.low, region.high = min(region.low, int(places.min())), max(region.high, int(places.max()) + width)
        index = self._granules(buffer, region, access)
        mine = access.workgroups[:, None]
        # An atomic store that looks like a plain one has at most 8 bytes.
        hidden = self.hidden_stores and width <= 8 and kind != _READERS
        for other in _AGAINST[kind]:
            seen = region.tables[other]
            if seen is None:
                continue
            found = seen[index]
            bad = (found != 0) & (found != mine)
            if not bad.any():
                continue
            epochs = region.epochs_at(other, index)
            if hidden and (kind, other) in ((_WRITERS, _ATOMIC), (_ATOMIC, _WRITERS)):
                if kind == _ATOMIC:
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

    def _note(self, region: _Region, access: _Access, kind: int, index: Array, mine: Array, buffer: Buffer,
              late: bool) -> None:  # fmt: skip
        table = region.table(kind)
        ordering = self.ordering
        if ordering.any_epoch:
            epochs = np.broadcast_to(ordering.epochs[access.workgroups][:, None], index.shape)
        if kind == _WRITERS:
            table[index] = mine
            found = table[index]
            bad = found != mine
            if bad.any():
                self._fault(buffer, access, kind, kind, bad, found, late)
            if ordering.any_epoch:
                region.stamp(kind, index, epochs)
                # Whoever comes after this store comes after what happened before it.
                for other in (_READERS, _ATOMIC):
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

    def _fault(self, buffer: Buffer, access: _Access, kind: int, other: int, bad: Array, found: Array,
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
