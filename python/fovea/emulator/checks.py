# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""LDS checks: reads of bytes that nothing wrote, and races between waves of a workgroup.

A race is two waves of a workgroup touching the same byte with no barrier between, at least one of them writing. Writes
of the value that is there already, by another wave, are none: compilers let several waves store what they all hold.

The shadow of a workgroup holds, for each granule of LDS, which waves read and which wrote it since the last barrier,
and whether it was ever written. Workgroups mostly use the same LDS addresses, so while all of them make the same
accesses one shadow stands for all; and as loops repeat the same accesses, transitions from one shadow to the next are
remembered by the addresses, which makes a repeated access cost one dictionary look-up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from fovea.emulator.errors import Fault
from fovea.emulator.group import Group
from fovea.emulator.lds import TABLE
from fovea.emulator.memory import gather, scatter

if TYPE_CHECKING:
    from fovea.emulator.machine import Machine

Array = np.ndarray[Any, Any]
_INIT = np.uint64(1 << 63)
_READER, _WRITER = 0, 16
"""Bit positions of the reading and writing waves (16 each) in a shadow word."""
_MEMO_BYTES = 64 << 20
_READERS, _WRITERS = np.uint64(0xFFFF), np.uint64(0xFFFF0000)


class Memo:
    """Shadows met so far and the transitions between them; shared by the slices of a launch."""

    def __init__(self) -> None:
        self.states: dict[bytes, int] = {}
        self.shadows: list[Array] = []
        self.conflicts: dict[Any, int] = {}
        self.transitions: dict[Any, tuple[int, int]] = {}
        """(state, instruction, addresses) to the next state and the bank conflict cycles of one workgroup."""


class LocalChecker:
    """Shadow of LDS for the workgroups of a machine."""

    def __init__(self, machine: Machine, memo: Memo) -> None:
        self.machine = machine
        widths = [TABLE[c.line.name].access.width for c in machine.program.code if c.line.name in TABLE]
        self.granule = min([4, *widths])
        granules = machine.lds_stride // self.granule
        self.each: Array | None = None
        self.memo = memo
        self.state = 0
        # The last accesses since a barrier, as many as can be outstanding, for several groups.
        self.recent: deque[tuple[Any, ...]] = deque(maxlen=64)
        self.direct: deque[tuple[Any, ...]] = deque(maxlen=64)
        code = machine.program.code
        self.direct_loads = frozenset(number for number, c in enumerate(code) if c.issue == "vmem")
        """Vector memory instructions: those that access LDS are loads straight to it."""
        self.overtaken = False
        """Whether the shadow has accesses from before the last barrier."""
        self._intern(np.zeros(granules, np.uint64))

    def barrier(self, pending: frozenset[int] = frozenset()) -> None:
        """All workgroups passed a barrier: what was read and written before it is ordered now.

        But for the instructions `pending`, which their waves did not wait for: other waves may overtake those.
        """
        self._order()
        self.overtaken = False
        for _, slot, wave, addresses, flat, width, store in self._outstanding((*self.recent, *self.direct), pending):
            self._spread()
            self._mark(slot, wave, addresses, flat, width, store)
            self.overtaken = True
        self.recent.clear()
        kept = [entry for entry in self.direct if entry[0] in pending]
        self.direct.clear()
        self.direct.extend(kept)

    def _outstanding(self, entries: Iterable[tuple[Any, ...]], pending: frozenset[int]) -> list[tuple[Any, ...]]:
        """Of the accesses, those of pending instructions: the last of each instruction, item and group of waves."""
        if not pending:
            return []
        return list({(e[0], e[1], int(e[2][0])): e[2:] for e in entries if e[0] in pending}.values())

    def _order(self) -> None:
        if self.each is not None:
            self.each &= _INIT
            if (self.each == self.each[0]).all():
                self._intern(self.each[0].copy())
                self.each = None
            return
        key = (self.state, "barrier")
        known = self.memo.transitions.get(key)
        if known is None:
            if self._intern(self.memo.shadows[self.state] & _INIT):
                self.memo.transitions[key] = (self.state, 0)
        else:
            self.state = known[0]

    def access(
        self, g: Group, addresses: Array, width: int, store: bool, index: int, item: int, values: Array | None = None
    ) -> None:
        """Check and record byte addresses (active lanes, flat) of one access; `values` are those of a store."""
        if self.machine.timing is not None:
            lanes = None if g.full else g.active
            if self.direct:
                self._require_arrived(g, addresses, width, store)
            queue = self.direct if index in self.direct_loads else self.recent
            queue.append((index, item, g.waves, g.slot, g.wave_in_group, addresses, lanes, width, store))
        try:
            if self._same_everywhere(g, addresses, width, store, index, item):
                return
        except Fault:
            # Whether equal values excuse a write depends on each workgroup's own values.
            if values is None:
                raise
        self._spread()
        flat = np.arange(64 * g.count) if g.full else g.active
        self._record(g, addresses, flat, width, store, values)
        self.machine.statistics.lds_bank_conflict_cycles += self._conflicts(addresses, flat, width)

    def _same_everywhere(
        self, g: Group, addresses: Array, width: int, store: bool, index: int, item: int
    ) -> bool:
        """Handle an access that all workgroups make alike on one shadow; False if it is not one."""
        if self.each is None and g.whole:
            per_group = 64 * self.machine.waves_per_group
            if g.full:
                table = addresses.reshape(self.machine.workgroups, per_group)
                if self.machine.workgroups == 1 or (table == table[0]).all():
                    key: tuple[Any, ...] = (self.state, index, item, table[0].tobytes())
                    self._uniform(g, table[0], None, width, store, key)
                    return True
            else:
                mask = g.mask.reshape(self.machine.workgroups, per_group)
                if self.machine.workgroups == 1 or (mask == mask[0]).all():
                    table = addresses.reshape(self.machine.workgroups, -1)
                    if (table == table[0]).all():
                        key = (self.state, index, item, table[0].tobytes(), mask[0].tobytes())
                        self._uniform(g, table[0], np.flatnonzero(mask[0]), width, store, key)
                        return True
        return False

    def atomic(self, g: Group, addresses: Array, width: int, index: int) -> None:
        """Atomics never race with each other; they count as initialised reads and as writes by nobody."""
        del index
        self._spread()
        assert self.each is not None
        flat = np.arange(64 * g.count) if g.full else g.active
        self._require_written(self._words(g, addresses, flat, width), flat, addresses, width)

    def _conflicts(self, addresses: Array, flat: Array, width: int) -> int:
        """Bank conflict cycles wave by wave: few distinct patterns, so each is looked up."""
        total = 0
        known = self.memo.conflicts
        starts = np.flatnonzero(np.diff(flat // 64, prepend=-1)).tolist()
        for start, end in zip(starts, [*starts[1:], len(flat)], strict=True):
            lanes = flat[start:end] & 63
            key = (width, addresses[start:end].tobytes(), b"" if end - start == 64 else lanes.tobytes())
            if key not in known:
                known[key] = conflict_cycles(addresses[start:end], lanes, width)
            total += known[key]
        return total

    def _intern(self, shadow: Array) -> bool:
        """Make `shadow` the state. False if the memo was full and is empty now: older state numbers are void."""
        memo = self.memo
        full = len(memo.shadows) * shadow.nbytes > _MEMO_BYTES
        if full:
            memo.states.clear()
            memo.shadows.clear()
            memo.transitions.clear()
            memo.conflicts.clear()
        key = shadow.tobytes()
        number = memo.states.get(key)
        if number is None:
            number = len(memo.shadows)
            memo.states[key] = number
            memo.shadows.append(shadow)
        self.state = number
        return not full

    def _spread(self) -> None:
        """From one shadow for all workgroups to one each."""
        if self.each is None:
            self.each = np.repeat(self.memo.shadows[self.state][None, :], self.machine.workgroups, axis=0)

    def _uniform(self, g: Group, addresses: Array, active: Array | None, width: int, store: bool, key: Any) -> None:
        statistics, workgroups = self.machine.statistics, self.machine.workgroups
        known = self.memo.transitions.get(key)
        if known is not None:
            self.state = known[0]
            statistics.lds_bank_conflict_cycles += known[1] * workgroups
            return
        shadow = self.memo.shadows[self.state].copy()
        self.each = shadow[None, :]
        flat = np.arange(64 * self.machine.waves_per_group) if active is None else active
        try:
            self._record(g, addresses, flat, width, store)
        finally:
            self.each = None
        cycles = conflict_cycles(addresses, flat, width)
        statistics.lds_bank_conflict_cycles += cycles * workgroups
        if self._intern(shadow):
            self.memo.transitions[key] = (self.state, cycles)

    def _words(self, g: Group, addresses: Array, flat: Array, width: int) -> Array:
        count = max(width // self.granule, 1)
        slots = g.slot[flat // 64]
        first = addresses // self.granule
        index = first[:, None] + np.arange(count)
        assert self.each is not None
        return index + (slots * self.each.shape[1])[:, None]

    def _require_arrived(self, g: Group, addresses: Array, width: int, store: bool) -> None:
        """Raise Fault if a wave accesses LDS bytes that its own load straight to LDS is still bringing."""
        assert g.timing is not None
        for waves, _, _, places, lanes, size, _ in self._outstanding(self.direct, g.timing.pending):
            granules = self.machine.lds_stride // self.granule + 1
            flat = np.arange(64 * len(waves)) if lanes is None else lanes
            coming = (places // self.granule)[:, None] + np.arange(max(size // self.granule, 1))
            coming += (waves[flat // 64] * granules)[:, None]
            mine = np.arange(64 * g.count) if g.full else g.active
            wanted = (addresses // self.granule)[:, None] + np.arange(max(width // self.granule, 1))
            wanted += (g.waves[mine // 64] * granules)[:, None]
            bad = np.isin(wanted, coming).any(axis=1)
            if bad.any():
                at = int(np.flatnonzero(bad)[0])
                raise Fault(
                    f"{width}-byte {'write to' if store else 'read of'} LDS byte {int(addresses[at])}, which a load "
                    "straight to LDS is still bringing: s_waitcnt vmcnt is missing between",
                    *divmod(int(mine[at]), 64),
                )

    def _mark(self, slot: Array, wave: Array, addresses: Array, flat: Array | None, width: int, store: bool) -> None:
        """Note an access of waves (their workgroups' slots and numbers) without a check; `flat` None: of all lanes."""
        assert self.each is not None
        if flat is None:
            flat = np.arange(64 * len(slot))
        words = (addresses // self.granule)[:, None] + np.arange(max(width // self.granule, 1))
        words += (slot[flat // 64] * self.each.shape[1])[:, None]
        marks = np.uint64(1) << (wave[flat // 64] + (_WRITER if store else _READER)).astype(np.uint64)
        np.bitwise_or.at(self.each.reshape(-1), words, marks[:, None])

    def _require_written(self, words: Array, flat: Array, addresses: Array, width: int) -> None:
        assert self.each is not None
        missing = ((self.each.reshape(-1)[words] & _INIT) == 0).any(axis=1)
        if missing.any():
            at = int(np.flatnonzero(missing)[0])
            raise Fault(
                f"{width}-byte read of LDS byte {int(addresses[at])}, which nothing has written",
                *divmod(int(flat[at]), 64),
            )

    def _unchanged(self, g: Group, addresses: Array, flat: Array, width: int, values: Array) -> Array:
        """True where a store writes what LDS holds already."""
        places = addresses + g.slot[flat // 64] * self.machine.lds_stride
        same = gather(self.machine.lds_views, places, width) == values
        return same.all(axis=1) if same.ndim > 1 else same

    def _record(
        self, g: Group, addresses: Array, flat: Array, width: int, store: bool, values: Array | None = None
    ) -> None:
        assert self.each is not None
        shadow = self.each.reshape(-1)
        words = self._words(g, addresses, flat, width)
        wave = g.wave_in_group[flat // 64]
        if not store:
            self._require_written(words, flat, addresses, width)
        for number in np.unique(wave):
            chosen = wave == number
            mine = words[chosen]
            old = shadow[mine]
            own = np.uint64((1 << int(number)) | (1 << int(number) + _WRITER))
            others = old & ~own & ((_READERS | _WRITERS) if store else _WRITERS)
            if values is not None and others.any():
                # What earlier waves write in this very instruction is not in LDS yet.
                earlier = wave < number
                places = addresses[earlier] + g.slot[flat[earlier] // 64] * self.machine.lds_stride
                if len(places):
                    scatter(self.machine.lds_views, places, width, values[earlier])
                written = (others != 0).any(axis=1) & ~(others & _READERS != 0).any(axis=1)
                excused = written & self._unchanged(g, addresses[chosen], flat[chosen], width, values[chosen])
                others[excused] = 0
            if others.any():
                at = int(np.flatnonzero((others != 0).any(axis=1))[0])
                where = int(np.flatnonzero(chosen)[at])
                bits = int(np.bitwise_or.reduce(others[at]))
                other = (bits & 0xFFFF or bits >> _WRITER).bit_length() - 1
                verb = "wrote" if bits >> _WRITER else "read"
                raise Fault(
                    f"LDS race: {width}-byte {'write to' if store else 'read of'} byte {int(addresses[where])}, which "
                    f"wave {other} {verb} since the last barrier"
                    + (", or before it with no s_waitcnt between" if self.overtaken else ""),
                    *divmod(int(flat[where]), 64),
                )
            mark = np.uint64(1 << int(number) + (_WRITER if store else _READER))
            shadow[mine] = old | (mark | _INIT if store else mark)


def conflict_cycles(addresses: Array, flat: Array, width: int) -> int:
    """Cycles that bank conflicts add to one access, over all its waves.

    Model: 32 banks of four bytes; 128 bytes of lanes are served at once (32 lanes of 4 bytes, 8 lanes of 16), and
    each further distinct word in the busiest bank costs a cycle. Lanes that read one word share it.
    """
    words = max(width // 4, 1)
    together = flat // (32 // min(words if words != 3 else 4, 32))
    dwords = (addresses[:, None] >> 2) + np.arange(words)
    served = np.unique(np.repeat(together, words) << 32 | dwords.reshape(-1))
    banks = (served >> 32) * 32 + (served & 31)
    _, first, counts = np.unique(banks, return_index=True, return_counts=True)
    group = served[first] >> 32
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    return int((np.maximum.reduceat(counts, starts) - 1).sum()) if len(starts) else 0
