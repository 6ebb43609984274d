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

from fovea.emulator.memory import AddressSpace
from fovea.emulator.ordering import invalidates, is_coherent
from fovea.emulator.program import Program
from fovea.emulator.touches import ATOMIC, READERS, WRITERS, Access, Contested, Tables

if TYPE_CHECKING:
    from fovea.emulator.group import Group
    from fovea.emulator.traffic import Traffic

Array = np.ndarray[Any, Any]
_NOTHING = np.zeros(0, np.int64)
_WIDTHS = {"byte": 1, "b8": 1, "short": 2, "b16": 2, "dwordx2": 8, "b64": 8, "dwordx4": 16, "b128": 16}
_RECENT = 256
"""Stores that are remembered as possibly on their way: more than the counters of a few groups of waves hold."""
_HELD = 1 << 22
"""Lanes of loads that are remembered as possible parts of a loop of compare-and-swap."""


class _Recent(NamedTuple):
    """A store that may be on its way, its waves and workgroups."""

    store: Access
    waves: frozenset[int]
    workgroups: frozenset[int]
    before_barrier: bool = False
    """Its waves had not waited for it when they passed a barrier."""


class Sharing(Tables):
    """Recorder of one launch of several workgroups, over all its slices."""

    def __init__(self, space: AddressSpace, program: Program, grid: tuple[int, int, int], exact: bool,
                 granule: int | None = None) -> None:  # fmt: skip
        super().__init__(space, program, grid, exact, granule or _granule(program))
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
        self.recent: deque[_Recent] = deque(maxlen=_RECENT)
        self.held: deque[Access] = deque()
        self.held_lanes = 0

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
        access = Access(index, addresses, workgroups, g.waves[rows], flat, width, lanes_a_wave)
        if not len(addresses):
            return
        if not atomic:
            if index in self.starts and not writes:
                self._hold(access)
                return
            self.touch(access, WRITERS if writes else READERS)
            if writes and self.orders:
                if self.hidden_stores and self.coherent and width <= 8:
                    # It may be an atomic one, a release.
                    self.ordering.release(workgroups)
                    self._keep_back(g, access)
                waves, places = (frozenset(np.unique(a).tolist()) for a in (access.waves, workgroups))
                self.recent.append(_Recent(access, waves, places))
            return
        if self.held:
            self._settle(access)
        self.touch(access, ATOMIC)
        if self.orders:
            self.ordering.synchronise(workgroups, addresses, reads, writes)
            if writes:
                self._keep_back(g, access)

    def acquire(self, g: Group) -> None:
        """Waves of a group invalidated their caches."""
        if self.orders:
            workgroups = (g.slot + (g.machine.first_workgroup + 1)).astype(np.int32)
            if self.held:
                self._settle(Access(-1, _NOTHING, workgroups, _NOTHING, _NOTHING, 4, 1))
            self.ordering.acquire(workgroups)

    def passed(self, crossing: frozenset[int]) -> None:
        """Waves passed a barrier, at which the instructions `crossing` may have been outstanding."""
        if self.recent:
            kept = (r._replace(before_barrier=True) for r in self.recent if r.store.number in crossing)
            self.recent = deque(kept, _RECENT)

    def begin(self) -> None:
        """Another slice of the launch starts: the waves of the one before have ended."""
        self.recent.clear()

    def _keep_back(self, g: Group, release: Access) -> None:
        """Stores that the release does not cover belong to the epoch that starts now."""
        if not self.recent:
            return
        pending = g.timing.pending if g.timing is not None else frozenset[int]()
        waves, workgroups = (frozenset(np.unique(a).tolist()) for a in (release.waves, release.workgroups))
        kept = deque[_Recent](maxlen=_RECENT)
        for recent in self.recent:
            store, done = recent.store, recent.store.number not in pending
            if done and recent.waves <= waves:
                continue
            kept.append(recent)
            if workgroups.isdisjoint(recent.workgroups):
                continue
            late, own = (
                np.isin(a, b) for a, b in ((store.workgroups, release.workgroups), (store.waves, release.waves))
            )
            if done:
                late &= ~own
            if recent.before_barrier and self.one_cache:
                late &= own
            if late.any():
                self.postpone(store.where(late))
        self.recent = kept

    def _hold(self, access: Access) -> None:
        self.held.append(access)
        self.held_lanes += len(access.addresses)
        while self.held_lanes > _HELD:
            oldest = self.held.popleft()
            self.held_lanes -= len(oldest.addresses)
            self.touch(oldest, READERS, late=True)

    def _settle(self, atomic: Access) -> None:
        """Held loads of the workgroups of an atomic: those at the places of a compare-and-swap are part of it."""
        swaps = np.zeros(0, np.int64)
        if atomic.number in self.swaps:
            swaps = atomic.workgroups.astype(np.int64) << 48 | atomic.addresses.astype(np.int64)
        entries, self.held, self.held_lanes = list(self.held), deque(), 0
        for load in entries:
            mine = np.isin(load.workgroups, atomic.workgroups)
            part = np.isin(load.workgroups.astype(np.int64) << 48 | load.addresses.astype(np.int64), swaps)
            for chosen, keep in ((mine & ~part, False), (~mine, True)):
                if not chosen.any():
                    continue
                rest = load.where(chosen)
                if keep:
                    self.held.append(rest)
                    self.held_lanes += len(rest.addresses)
                else:
                    self.touch(rest, READERS, late=True)

    def scalar(self, addresses: Array, size: int) -> None:
        """Scalar loads: one address of `size` bytes for each wave."""
        if not self.exact:
            return
        g = self.group
        assert g is not None
        workgroups = (g.slot + (g.machine.first_workgroup + 1)).astype(np.int32)
        rows = np.arange(g.count)
        self.touch(Access(-1, addresses, workgroups, g.waves, rows, size, 1), READERS)

    def finish(self) -> None:
        """Raise Contested if loads may have met stores; Fault for a race of loads that no atomic came after."""
        if self.exact:
            held, self.held = self.held, deque()
            for load in held:
                self.touch(load, READERS, late=True)
            return
        for buffer in self.space.buffers:
            region = self.regions.get(id(buffer))
            if region is None or region.low >= region.high or buffer.read_high <= buffer.read_low:
                continue
            shift = buffer.host - region.start
            if shift + buffer.read_low < region.high and region.low < shift + buffer.read_high:
                raise Contested(self.granule, True)

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
