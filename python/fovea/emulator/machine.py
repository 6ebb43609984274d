# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The run loop: groups of waves advance in lockstep, the group with the lowest program counter first.

A group that goes round and round lets others go before it: it may wait for what they do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fovea.emulator.checks import LocalChecker, Memo
from fovea.emulator.control import Signal
from fovea.emulator.errors import EmulationError, Fault
from fovea.emulator.group import Group
from fovea.emulator.memory import AddressSpace, Buffer
from fovea.emulator.program import Code, Program
from fovea.emulator.sharing import Recorders, Sharing
from fovea.emulator.statistics import VECTOR_CLASSES, Statistics
from fovea.emulator.traffic import Traffic
from fovea.emulator.written import Written

Array = np.ndarray[Any, Any]
_VIEWS: dict[int, Any] = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64, 16: np.complex128}
LOOP_LIMIT = 1 << 24
"""Backward branches that a wave may take before the kernel counts as one that never ends."""
_PATIENCE = 1 << 12
"""Backward branches after which a group gives way to those with fewer."""
_ALWAYS_DEFINED = frozenset({126, 127})


class Machine:
    """A slice of a launch: `workgroups` consecutive workgroups with all their waves."""

    def __init__(
        self,
        program: Program,
        space: AddressSpace,
        statistics: Statistics,
        first_workgroup: int,
        workgroups: int,
        waves_per_group: int,
        lds_bytes: int,
        scratch_bytes: int,
        float_mode: int,
        grid: tuple[int, int, int],
        checks: bool,
        memo: Memo | None = None,
        traffic: Traffic | Sharing | Recorders | None = None,
        sharing: Sharing | None = None,
        loop_limit: int = LOOP_LIMIT,
        timing: bool | None = None,
    ) -> None:
        self.program = program
        self.space = space
        self.statistics = statistics
        self.first_workgroup = first_workgroup
        self.workgroups = workgroups
        self.waves_per_group = waves_per_group
        self.wave_count = workgroups * waves_per_group
        self.float_mode = float_mode
        self.grid = grid
        self.checks = checks
        self.lds_bytes = lds_bytes
        self.lds_stride = lds_bytes + 15 & ~15
        self.lds_views = _typed(self.lds_stride * workgroups)
        self.scratch_bytes = scratch_bytes
        self.scratch_stride = scratch_bytes + 15 & ~15
        self.scratch = _typed(self.scratch_stride * 64 * self.wave_count)
        self.scratch_written = Written(np.zeros(len(self.scratch[1]), np.uint8)) if checks and scratch_bytes else None
        self.traffic = traffic
        self.sharing = sharing
        self.loop_limit = loop_limit
        self.counts = [0] * len(program.code)
        self.idle = [0] * len(program.code)
        # The buffer that each instruction last met; programs outlive launches, buffers do not.
        self.guesses: list[Buffer | None] = [None] * len(program.code)
        self.pending: Group | None = None
        self.on_end: Callable[[Group], None] | None = None
        # Waits and wait states; only tests of values leave them out while the other checks are on.
        self.timing = program.timing if (checks if timing is None else timing) else None
        self.checker: LocalChecker | None = LocalChecker(self, memo or Memo()) if checks and lds_bytes else None
        self.ended = np.zeros(self.wave_count, bool)

    def run(self, start: Group) -> None:
        """Run until every wave has ended."""
        if self.sharing is not None:
            self.sharing.begin()
        groups = [start]
        while groups:
            ready = [g for g in groups if not g.parked]
            if not ready:
                groups = self._release(groups)
                continue
            group = min(ready, key=lambda g: (g.loops // _PATIENCE, g.pc))
            others = [g for g in ready if g is not group]
            limit = min((g.pc for g in others if g.pc >= group.pc), default=1 << 60)
            if group.pc == limit:
                twin = next(g for g in others if g.pc == limit)
                group.join(twin)
                groups.remove(twin)
                continue
            signal = self._advance(group, limit, not others)
            if signal is Signal.END:
                self.ended[group.waves] = True
                if self.on_end is not None:
                    self.on_end(group)
                groups.remove(group)
            elif signal is Signal.SPLIT:
                assert self.pending is not None
                groups.append(self.pending)
                self.pending = None
            elif signal is Signal.BARRIER:
                if group.whole:
                    self._passed([group])
                else:
                    group.parked = True
        code = self.program.code
        for number, count in enumerate(self.counts):
            if count:
                self._count(code[number], count, self.idle[number])

    def _count(self, code: Code, count: int, idle: int) -> None:
        statistics = self.statistics
        if code.issue in VECTOR_CLASSES:
            statistics.idle_lanes += idle
        statistics.instructions[code.line.name] += count
        statistics.classes[code.issue] += count
        if code.issue == "mfma":
            statistics.matrix[code.line.name] += count

    def _release(self, groups: list[Group]) -> list[Group]:
        """All live waves wait at barriers: let them go on, groups at the same place together."""
        if self.checks:
            self._require_together(groups)
        self._passed(groups)
        merged: list[Group] = []
        for group in sorted(groups, key=lambda g: g.pc):
            group.parked = False
            if merged and merged[-1].pc == group.pc:
                merged[-1].join(group)
            else:
                merged.append(group)
        return merged

    def _require_together(self, groups: list[Group]) -> None:
        """EmulationError if a workgroup's waves wait at different barriers, or some have ended."""
        place = np.full((self.workgroups, self.waves_per_group), -1)
        for group in groups:
            place[group.slot, group.wave_in_group] = group.pc
        ended = self.ended.reshape(place.shape)
        for group in groups:
            for apart, what in ((ended, "has ended"), (place != group.pc, "waits at another")):
                rows = np.flatnonzero(apart[group.slot].any(axis=1))
                if len(rows):
                    wave = int(rows[0])
                    other = int(np.flatnonzero(apart[group.slot[wave]])[0])
                    where = int(place[group.slot[wave], other])
                    what += f", at 0x{self.program.code[where - 1].line.address:x}" if where >= 0 else ""
                    raise self._error(
                        group, self.program.code[group.pc - 1],
                        Fault(f"divergent barrier: wave {other} of the workgroup {what}", wave),
                    )  # fmt: skip

    def _passed(self, groups: list[Group]) -> None:
        states = [g.timing for g in groups if g.timing is not None]
        if self.checker is not None:
            self.checker.barrier(frozenset[int]().union(*(state.crossing for state in states)))
        if self.sharing is not None:
            self.sharing.passed(frozenset[int]().union(*(state.crossing for state in states)))
        if self.timing is not None:
            for group, state in zip(groups, states, strict=True):
                group.timing = self.timing.passed(state)

    def _advance(self, g: Group, limit: int, alone: bool) -> Signal | None:
        """Execute until the group reaches `limit`, an instruction asks for the run loop, or it may be others' turn."""
        code = self.program.code
        counts, idle = self.counts, self.idle
        checked = g.checked
        timing, state = self.timing, g.timing
        if self.sharing is not None:
            self.sharing.group = g
        end = len(code)
        pc = g.pc
        try:
            while pc < limit:
                if pc >= end:
                    raise Fault("execution ran past the end of the kernel", 0)
                instruction = code[pc]
                if not checked[pc]:
                    checked[pc] = not self.checks or self._check_defined(g, instruction)
                if timing is not None:
                    assert state is not None
                    g.timing = state = state.moves.get(pc) or timing.advance(state, pc)
                counts[pc] += g.count
                if not g.full:
                    idle[pc] += g.idle
                g.pc = pc + 1
                signal = instruction.step(g)
                if signal is not None:
                    return signal  # type: ignore[no-any-return]
                next_pc = g.pc
                if next_pc <= pc:
                    g.loops += 1
                    if g.loops > self.loop_limit:
                        raise Fault(f"took {g.loops} backward branches: the kernel does not seem to end", 0)
                    if not alone:
                        # A backward branch may put this group behind others or level with them.
                        return None
                pc = next_pc
        except Fault as fault:
            raise self._error(g, code[min(pc, end - 1)], fault) from None
        return None

    def _check_defined(self, g: Group, instruction: Code) -> bool:
        """Raise Fault if a register is read that nothing wrote. False: look again next time."""
        if instruction.copies:
            return self._copy_defined(g, instruction)
        high = instruction.high_half
        missing = high[0] if high is not None and not g.defined_v[high[0]] else None
        for row in instruction.reads_v:
            if not g.defined_v[row] and row != missing:
                name = f"v{row}" if row < self.program.vgprs else f"a{row - self.program.vgprs}"
                raise Fault(f"reads {name}, which nothing has written", 0)
        for slot in instruction.reads_s:
            if not g.defined_s[slot] and slot not in _ALWAYS_DEFINED:
                name = {106: "vcc_lo", 107: "vcc_hi", 124: "m0"}.get(slot, f"s{slot}")
                raise Fault(f"reads {name}, which nothing has written", 0)
        for row in instruction.writes_v:
            g.defined_v[row] = 1
        for slot in instruction.writes_s:
            g.defined_s[slot] = missing is None
        if high is not None and missing is not None:
            g.defined_v[high[1]] = 0
        return missing is None

    def _copy_defined(self, g: Group, instruction: Code) -> bool:
        """A move makes its target defined where its source is."""
        sources = [g.defined_v[row] for row in instruction.reads_v]
        sources += [slot in _ALWAYS_DEFINED or g.defined_s[slot] for slot in instruction.reads_s]
        targets = [(g.defined_v, row) for row in instruction.writes_v]
        targets += [(g.defined_s, slot) for slot in instruction.writes_s]
        complete = True
        for number, (flags, register) in enumerate(targets):
            if number >= len(sources) or sources[number]:
                flags[register] = 1
            else:
                complete = False
        return complete

    def _error(self, g: Group, code: Code, fault: Fault) -> EmulationError:
        where = [f"kernel {self.program.kernel}", f"0x{code.line.address:x}: {code.line.text}"]
        wave, lane = fault.wave, fault.lane
        if wave < 0 <= lane:
            wave, lane = g.locate(lane)
        if wave >= 0:
            number = int(g.waves[wave])
            x, y, z = self.workgroup_id(number // self.waves_per_group)
            where.append(f"workgroup ({x}, {y}, {z}) wave {number % self.waves_per_group}")
        if lane >= 0:
            where.append(f"lane {lane}")
        return EmulationError(f"{', '.join(where)}: {fault.message}")

    def workgroup_id(self, slot: int) -> tuple[int, int, int]:
        """Coordinates in the grid of a workgroup of this slice."""
        number = self.first_workgroup + slot
        x, y, _ = self.grid
        return number % x, number // x % y, number // (x * y)


def _typed(size: int) -> dict[int, Array]:
    flat = np.zeros(max(size, 16), np.uint8)
    return {width: flat.view(kind) for width, kind in _VIEWS.items()}
