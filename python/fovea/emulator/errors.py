# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Errors of the emulator: what the user sees, and the raw faults that instruction semantics raise."""

from __future__ import annotations

from fovea.errors import ExecutionError


class EmulationError(ExecutionError):
    """A kernel did something that hardware would punish, or an instruction that the emulator does not know."""


class Fault(Exception):
    """Raised by an instruction's semantics; the run loop adds kernel, instruction and workgroup.

    `wave` is the row in the executing group's arrays, `lane` the lane in it; -1 where there is none.
    """

    def __init__(self, message: str, wave: int = -1, lane: int = -1) -> None:
        super().__init__(message)
        self.message = message
        self.wave = wave
        self.lane = lane


class DecodeError(Exception):
    """An instruction line that cannot be decoded; the loader adds kernel and address."""
