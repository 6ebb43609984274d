# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What happens before what, between workgroups that synchronise through atomics: vector clocks.

An atomic instruction, or a store or load that is coherent over the device, is a release of what its workgroup did
before and, once an instruction invalidates the caches, an acquire of what other workgroups released at the same four
bytes before (LLVM's "User Guide for AMDGPU Backend", memory models of gfx942, gfx11 and gfx12, agent scope). A
workgroup's time is its epoch, the number of releases; each access is known by the epoch it was made in.

Clocks take memory: where there are too many places, all share one clock, which orders more than hardware does and so
reports less, never wrongly. A launch of more than LARGEST workgroups keeps no clocks: a workgroup that acquired
anything is ordered after all others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fovea.emulator.text import Line

Array = np.ndarray[Any, Any]
LARGEST = 4096
_CLOCK_BYTES = 32 << 20
_EVENTS = 1 << 16
"""Releases at single places before all share one clock."""
_DEVICE = ("scope:SCOPE_DEV", "scope:SCOPE_SYS")
_ANYWHERE = -1


def is_coherent(line: Line, chip: str) -> bool:
    """A load or store that other workgroups see at once (gfx11's stores do not tell: see `hides_atomic_stores`)."""
    if "_load_" not in line.name and "_store_" not in line.name:
        return False
    words = line.text.split()
    if chip.startswith("gfx9"):
        return "sc1" in words
    if chip.startswith("gfx11"):
        return "glc" in words and "_load_" in line.name
    return any(word in words for word in _DEVICE)


def hides_atomic_stores(chip: str) -> bool:
    """On gfx11 an atomic store is encoded as an ordinary one."""
    return chip.startswith("gfx11")


def invalidates(line: Line) -> bool:
    """Cache control after which loads see what other workgroups of the device released."""
    if line.name == "buffer_inv":
        return "sc1" in line.text.split()
    return line.name == "buffer_gl1_inv" or (line.name == "global_inv" and any(word in line.text for word in _DEVICE))


class Ordering:
    """Clocks of one launch. Workgroups are their numbers plus one, as in `sharing`."""

    def __init__(self, workgroups: int) -> None:
        self.size = workgroups + 1
        self.exact = workgroups <= LARGEST
        self.epochs = np.zeros(self.size, np.int32)
        self.any_epoch = False
        self._known: dict[int, Array] = {}
        self._pending: dict[int, Array] = {}
        self._clocks: dict[int, Array] = {}
        self._acquired = np.zeros(self.size, bool)
        self._waiting = np.zeros(self.size, bool)
        self._events = 0
        self._one_clock = False

    def synchronise(self, workgroups: Array, addresses: Array, reads: bool, writes: bool) -> None:
        """An atomic access of workgroups, in order: an acquire if it reads, a release if it writes."""
        if reads:
            self._waiting[workgroups] = True
        if not self.exact:
            return
        places = addresses.astype(np.int64) >> 2
        if self._one_clock:
            places[:] = 0
        pairs = np.unique(workgroups.astype(np.int64) << 46 | places)
        for pair in pairs.tolist():
            workgroup, place = pair >> 46, pair & (1 << 46) - 1
            clock = self._clocks.get(_ANYWHERE if self._one_clock else place)
            if reads and clock is not None:
                self._learn(workgroup, clock)
            if writes:
                self._publish(workgroup, place, clock)
        if writes:
            self.release(workgroups)

    def release(self, workgroups: Array) -> None:
        """What the workgroups do from here on belongs to their next epochs."""
        if self.exact:
            self.epochs[np.unique(workgroups)] += 1
            self.any_epoch = True

    def learn_from(self, workgroup: int, other: int, epoch: int) -> None:
        """A workgroup read what another stored in an epoch: that store may have been an atomic one."""
        self._waiting[workgroup] = True
        if not self.exact:
            return
        clock = self._row(self._known.get(other))
        clock[other] = epoch + 1
        self._learn(workgroup, clock)
        if self.epochs[other] == epoch:
            self.epochs[other] += 1
            self.any_epoch = True

    def acquire(self, workgroups: Array) -> None:
        """Workgroups invalidated their caches: what their atomics met is ordered before what follows."""
        for workgroup in np.unique(workgroups[self._waiting[workgroups]]).tolist():
            self._waiting[workgroup] = False
            self._acquired[workgroup] = True
            pending = self._pending.pop(workgroup, None)
            if pending is not None:
                known = self._known.get(workgroup)
                self._known[workgroup] = pending if known is None else np.maximum(known, pending)

    def ordered(self, mine: Array, others: Array, epochs: Array | int) -> Array:
        """Whether accesses of workgroups `others` in those epochs happened before `mine`; -1 stands for several."""
        mine, others, epochs = np.broadcast_arrays(mine, others, epochs)
        result = np.zeros(mine.shape, bool)
        for workgroup in np.unique(mine[self._acquired[mine]]).tolist():
            chosen = mine == workgroup
            known = self._known.get(workgroup)
            if not self.exact:
                result[chosen] = True
            elif known is not None:
                # Of several workgroups nobody knows which: benefit of the doubt.
                several = others[chosen] < 0
                result[chosen] = several | (known[np.maximum(others[chosen], 0)] > epochs[chosen])
        return result

    def _row(self, known: Array | None) -> Array:
        return np.zeros(self.size, np.int32) if known is None else known.copy()

    def _learn(self, workgroup: int, clock: Array) -> None:
        pending = self._pending.get(workgroup)
        self._pending[workgroup] = clock.copy() if pending is None else np.maximum(pending, clock)

    def _publish(self, workgroup: int, place: int, clock: Array | None) -> None:
        row = self._row(self._known.get(workgroup))
        row[workgroup] = self.epochs[workgroup] + 1
        if clock is not None:
            np.maximum(row, clock, out=row)
        self._clocks[_ANYWHERE if self._one_clock else place] = row
        self._events += 1
        if not self._one_clock and (
            self._events > _EVENTS or len(self._clocks) * row.nbytes > _CLOCK_BYTES
        ):  # fmt: skip
            self._one_clock = True
            together = np.maximum.reduce(list(self._clocks.values()))
            self._clocks = {_ANYWHERE: together}
