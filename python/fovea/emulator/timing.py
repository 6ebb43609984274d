# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Missing waits and wait states, checked along the paths that waves take.

What matters of the past is small and repeats, so a program's timing is an automaton: a state holds what is outstanding
and recent, and each instruction leads to a next state. States and moves are found once and remembered with the
program, which makes the check one dictionary look-up for each instruction of a group of waves. Where groups join that
came different ways, the state holds every way's past.

The rules are tables over the chips: `waits`, `hazard_rules` and `sgpr_reads`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fovea.emulator import hazard_rules, hazards, sgpr_reads, waits
from fovea.emulator.sgpr_reads import Reads
from fovea.emulator.waits import Outstanding

if TYPE_CHECKING:
    from fovea.emulator.program import Code

Past = tuple[Outstanding, tuple[hazards.Event, ...], Reads]
_MANY = 200_000


class State:
    """Possible pasts of a group of waves, and where each instruction leads from here."""

    __slots__ = ("crossing", "moves", "passed", "pasts", "pending")

    def __init__(self, pasts: frozenset[Past]) -> None:
        self.pasts = pasts
        self.moves: dict[int, State] = {}
        self.passed: State | None = None
        self.pending = frozenset(
            number for outstanding, _, _ in pasts for queue in outstanding.queues for number, _ in queue
        )
        """Memory instructions that may not have done their access: nothing waited for them."""
        self.crossing = frozenset[int]().union(*(outstanding.crossing or () for outstanding, _, _ in pasts))
        """Of a wave at a barrier: those that were pending when it arrived there, or were issued since."""


class Timing:
    """The automaton of one program. `agpr_base` is the row of a0."""

    def __init__(self, code: list[Code], agpr_base: int, chip: str) -> None:
        self.agpr_base = agpr_base
        self.counters = waits.CHIPS[chip]
        self.memory = [waits.memory_of(c.line, c.issue, self.counters, bool(c.writes_v)) for c in code]
        self.uses = [frozenset((*c.uses_v, *(-1 - slot for slot in c.uses_s))) for c in code]
        self.defines = [frozenset((*c.writes_v, *(-1 - slot for slot in c.writes_s))) for c in code]
        self.hazards = hazard_rules.CHIPS[chip]
        self.keeps_reads = chip in sgpr_reads.CHIPS
        self.effects = [
            hazards.effect_of(c.line, c.issue, uses, defines, agpr_base, chip)
            for c, uses, defines in zip(code, self.uses, self.defines, strict=True)
        ]
        self.texts = tuple(c.line.text.strip() for c in code)
        self._states: dict[frozenset[Past], State] = {}
        self.start = self._intern(frozenset({(waits.start(self.counters), (), Reads())}))

    def _intern(self, pasts: frozenset[Past]) -> State:
        state = self._states.get(pasts)
        if state is None:
            if len(self._states) > _MANY:
                self._states.clear()
            state = self._states[pasts] = State(pasts)
        return state

    def advance(self, state: State, number: int) -> State:
        """The state after instruction `number`. Raises Fault if that instruction comes too early."""
        following = set()
        for outstanding, recent, reads in state.pasts:
            after = waits.advance(
                outstanding, number, self.memory[number], self.uses[number], self.defines[number], self.agpr_base,
                self.texts, self.counters,
            )  # fmt: skip
            recent = hazards.advance(recent, number, self.effects, self.agpr_base, self.texts, self.hazards)
            if self.keeps_reads:
                reads = sgpr_reads.advance(reads, number, self.effects[number], self.texts)
            following.add((after, recent, reads))
        result = state.moves[number] = self._intern(frozenset(following))
        return result

    def join(self, first: State, second: State) -> State:
        """The state of a group made of two."""
        return first if first is second else self._intern(first.pasts | second.pasts)

    def passed(self, state: State) -> State:
        """The state of a group whose barrier let it go on."""
        if state.passed is None:
            state.passed = self._intern(
                frozenset((now._replace(crossing=None), recent, reads) for now, recent, reads in state.pasts)
            )
        return state.passed
