# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Registers of a group of waves that share a program counter.

Vector registers are one array `(register, wave, lane)` so that an instruction is one numpy operation over contiguous
memory; scalar registers are `(wave, slot)` so that an aligned pair is a zero-copy 64-bit view. Accumulation registers
follow the vector registers in the same array.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from fovea.emulator.text import EXEC, SGPR_SLOTS

if TYPE_CHECKING:
    from fovea.emulator.machine import Machine

Array = np.ndarray[Any, Any]
LANES = 64
FULL = np.uint64(2**64 - 1)


class Group:
    """Waves that run in lockstep. `waves` are their numbers in the launch slice, ascending."""

    def __init__(self, machine: Machine, waves: Array, vector: Array, scalar: Array, scc: Array, pc: int) -> None:
        self.machine = machine
        self.waves = waves
        self.count = len(waves)
        self.pc = pc
        self.scc = scc
        self.parked = False
        self.loops = 0
        # Definedness is tracked once a group: lockstep makes it the same for all waves that came the same way.
        self.defined_v = bytearray(vector.shape[0])
        self.defined_s = bytearray(SGPR_SLOTS)
        self.checked = bytearray(len(machine.program.code))
        self.timing = machine.timing.start if machine.timing is not None else None
        self.bind(vector, scalar)

    def bind(self, vector: Array, scalar: Array) -> None:
        """Attach register files and make the typed views."""
        registers, waves, lanes = vector.shape
        self.u32 = vector
        self.i32 = vector.view(np.int32)
        self.f32 = vector.view(np.float32)
        self.u16 = vector.view(np.uint16).reshape(registers, waves, lanes, 2)
        self.i16 = self.u16.view(np.int16)
        self.f16 = self.u16.view(np.float16)
        self.u8 = vector.view(np.uint8).reshape(registers, waves, lanes, 4)
        self.s = scalar
        self.s64 = scalar.view(np.uint64)
        self.slot = self.waves // self.machine.waves_per_group
        self.wave_in_group = self.waves % self.machine.waves_per_group
        self.whole = self.count == self.machine.wave_count
        self.converted: dict[Any, Array] = {}
        self.exec_changed()

    def exec_changed(self) -> None:
        """To be called after any write of EXEC."""
        self.full = bool((self.s64[:, EXEC // 2] == FULL).all())
        self._mask: Array | None = None
        self._active: Array | None = None
        self._writable: Array | None = None
        self._idle: int | None = None

    @property
    def idle(self) -> int:
        """Lanes that EXEC switches off."""
        if self._idle is None:
            self._idle = 0 if self.full else self.mask.size - int(np.count_nonzero(self.mask))
        return self._idle

    @property
    def mask(self) -> Array:
        """EXEC as booleans `(wave, lane)`."""
        if self._mask is None:
            self._mask = self.unpack(EXEC)
        return self._mask

    @contextmanager
    def only(self, lanes: Array) -> Iterator[None]:
        """Act as if EXEC were these active lanes, for the results of one instruction."""
        state = self.full, self._mask, self._active
        self.full, self._mask, self._active = False, lanes, None
        self._writable = np.packbits(lanes, axis=-1, bitorder="little").view(np.uint64)[:, 0]
        try:
            yield
        finally:
            self.full, self._mask, self._active = state
            self._writable = None

    @property
    def active(self) -> Array:
        """Flat indices `wave * 64 + lane` of the active lanes."""
        if self._active is None:
            self._active = np.flatnonzero(self.mask)
        return self._active

    def unpack(self, slot: int) -> Array:
        """A 64-bit scalar as booleans `(wave, lane)`."""
        column = np.ascontiguousarray(self.s64[:, slot // 2])
        bits = np.unpackbits(column.view(np.uint8), bitorder="little")
        return bits.view(np.bool_).reshape(self.count, LANES)

    def pack(self, lanes: Array) -> Array:
        """Booleans that broadcast to `(wave, lane)` as 64-bit scalars, inactive lanes zero."""
        if lanes.shape != (self.count, LANES):
            lanes = np.broadcast_to(lanes, (self.count, LANES))
        bits = np.packbits(lanes, axis=-1, bitorder="little").view(np.uint64)[:, 0]
        if self._writable is not None:
            return bits & self._writable
        return bits if self.full else bits & self.s64[:, EXEC // 2]

    def lanes32(self, plane: Array, register: int) -> Array:
        """Register values of the active lanes, flat."""
        flat = plane[register].reshape(-1)
        return flat if self.full else flat[self.active]

    def locate(self, position: int) -> tuple[int, int]:
        """(wave row, lane) of the `position`-th active lane."""
        flat = position if self.full else int(self.active[position])
        return divmod(flat, LANES)

    def split(self, taken: Array, pc_taken: int) -> Group:
        """Move the waves of `taken` (booleans) to a new group at `pc_taken`; the rest stay."""
        other = self._select(taken)
        other.pc = pc_taken
        rest = self._select(~taken)
        self.waves, self.count, self.scc = rest.waves, rest.count, rest.scc
        self.bind(rest.u32, rest.s)
        return other

    def _select(self, which: Array) -> Group:
        part = Group(
            self.machine, self.waves[which], self.u32[:, which], self.s[which], self.scc[which], self.pc
        )
        part.defined_v[:] = self.defined_v
        part.defined_s[:] = self.defined_s
        part.checked[:] = self.checked
        part.timing = self.timing
        part.loops = self.loops
        return part

    def join(self, other: Group) -> None:
        """Take in the waves of a group at the same program counter."""
        waves = np.concatenate([self.waves, other.waves])
        order = np.argsort(waves)
        self.waves, self.count = waves[order], len(waves)
        self.scc = np.concatenate([self.scc, other.scc])[order]
        scalar = np.concatenate([self.s, other.s])[order]
        vector = np.empty((self.u32.shape[0], self.count, LANES), np.uint32)
        place = np.argsort(order)
        vector[:, place[: self.u32.shape[1]]] = self.u32
        vector[:, place[self.u32.shape[1] :]] = other.u32
        self.loops = max(self.loops, other.loops)
        if self.machine.timing is not None:
            assert self.timing is not None and other.timing is not None
            self.timing = self.machine.timing.join(self.timing, other.timing)
        if self.defined_v != other.defined_v or self.defined_s != other.defined_s:
            self.checked = bytearray(len(self.checked))
        self.defined_v = bytearray(a & b for a, b in zip(self.defined_v, other.defined_v, strict=True))
        self.defined_s = bytearray(a & b for a, b in zip(self.defined_s, other.defined_s, strict=True))
        self.bind(vector, scalar)
