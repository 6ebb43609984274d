# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Missing waits and wait states, checked along the paths that waves take.

What matters of the past is small and repeats, so a program's timing is an automaton: a state holds what is outstanding
and recent, and each instruction leads to a next state. States and moves are found once and remembered with the
program, which makes the check one dictionary look-up for each instruction of a group of waves. Where groups join that
came different ways, the state holds every way's past.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fovea.emulator import hazards, waits
from fovea.emulator.waits import Outstanding

if TYPE_CHECKING:
    from fovea.emulator.program import Code

Past = tuple[Outstanding, tuple[hazards.Event, ...]]
_MANY = 200_000
WAITING_CHIPS = ("gfx942", "gfx950")
"""Chips whose waits are known, which are alike."""
HAZARD_CHIPS = ("gfx942",)
"""Chips whose wait states are known."""


class State:
    """Possible pasts of a group of waves, and where each instruction leads from here."""

    __slots__ = ("moves", "pasts", "pending_local")

    def __init__(self, pasts: frozenset[Past]) -> None:
        self.pasts = pasts
        self.moves: dict[int, State] = {}
        self.pending_local = frozenset(
            number
            for outstanding, _ in pasts
            for queue in (outstanding.local, outstanding.vector)
            for number, _ in queue
        )
        """Instructions that may not have done their access to LDS: those of LDS, and loads straight to it."""


class Timing:
    """The automaton of one program of a chip of WAITING_CHIPS. `agpr_base` is the row of a0."""

    def __init__(self, code: list[Code], agpr_base: int, chip: str) -> None:
        self.agpr_base = agpr_base
        self.memory = [waits.memory_of(c.line, c.issue) for c in code]
        self.uses = [frozenset((*c.uses_v, *(-1 - slot for slot in c.uses_s))) for c in code]
        self.defines = [frozenset((*c.writes_v, *(-1 - slot for slot in c.writes_s))) for c in code]
        self.effects = None
        if chip in HAZARD_CHIPS:
            self.effects = [
                hazards.effect_of(c.line, c.issue, uses, defines, agpr_base)
                for c, uses, defines in zip(code, self.uses, self.defines, strict=True)
            ]
        self.texts = tuple(c.line.text for c in code)
        self._states: dict[frozenset[Past], State] = {}
        self.start = self._intern(frozenset({(Outstanding(), ())}))

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
        for outstanding, recent in state.pasts:
            after = waits.advance(
                outstanding, number, self.memory[number], self.uses[number], self.defines[number], self.agpr_base,
                self.texts,
            )  # fmt: skip
            if self.effects is not None:
                recent = hazards.advance(recent, number, self.effects, self.agpr_base, self.texts)
            following.add((after, recent))
        result = state.moves[number] = self._intern(frozenset(following))
        return result

    def join(self, first: State, second: State) -> State:
        """The state of a group made of two."""
        return first if first is second else self._intern(first.pasts | second.pasts)
