# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs hand-written instruction lines on the emulator's machine, with registers given and read back."""

from __future__ import annotations

from typing import Any

import numpy as np

from fovea.emulator.chips import CHIPS
from fovea.emulator.errors import EmulationError, Fault
from fovea.emulator.group import Group
from fovea.emulator.machine import Machine
from fovea.emulator.memory import AddressSpace
from fovea.emulator.program import load_program
from fovea.emulator.sharing import Sharing
from fovea.emulator.statistics import Statistics
from fovea.emulator.text import SGPR_SLOTS, parse_assembly
from fovea.emulator.traffic import Traffic
from fovea.emulator.written import Written

Array = np.ndarray[Any, Any]
FULL = 2**64 - 1


class Result:
    """Register files after a run."""

    def __init__(self, vector: Array, scalar: Array, scc: Array, machine: Machine) -> None:
        self.vector, self.scalar, self.scc, self.machine = vector, scalar, scc, machine

    def v(self, register: int, kind: Any = np.uint32, wave: int = 0) -> Array:
        """The 64 lanes of a vector register."""
        return self.vector[register, wave].view(kind)

    def pair(self, register: int, kind: Any, wave: int = 0) -> Array:
        """The 64 lanes of a register pair as 64-bit values."""
        return np.ascontiguousarray(self.vector[register : register + 2, wave].T).view(kind)[:, 0]

    def s(self, slot: int, wave: int = 0) -> int:
        """A scalar register."""
        return int(self.scalar[wave, slot])

    def s64(self, slot: int, wave: int = 0) -> int:
        """A scalar pair."""
        return int(self.scalar.view(np.uint64)[wave, slot // 2])


def run_assembly(
    text: str,
    v: dict[int, Any] | None = None,
    s: dict[int, Any] | None = None,
    waves: int = 1,
    workgroups: int = 1,
    exec_mask: int = FULL,
    lds_bytes: int = 0,
    scratch_bytes: int = 0,
    buffers: list[Array] | None = None,
    checks: bool = False,
    timing: bool = False,
    shared: bool = False,
    written: Array | None = None,
    flush_f32: bool = False,
    saturate: bool = False,
    chip: str = "gfx942",
    profile: bool = False,
) -> Result:
    """Run lines of assembly text (labels allowed; `s_endpgm` is added) and return the registers.

    `v` maps a vector register to its values (64 lanes, or `(wave, 64)`), given as any 32-bit type or as 64-bit values
    that fill a pair. Pointers to `buffers` are placed in s[60:61], s[62:63], ... Wave numbers are in s59. `timing` adds
    the rules of waits and wait states to the other checks, `profile` the counts of `traffic.py` to the statistics,
    `shared` the races between workgroups; `written` are the marks of the first buffer. Scalars may differ between
    waves: an array for a number.
    """
    # Naming v63, a0 and the like is not needed: the files always have 64 vector and 64 accumulation registers.
    lines = parse_assembly(f"test:\n{text}\ns_endpgm\n", "test")
    program = load_program("test", lines, flush_f32=flush_f32, saturate=saturate, chip=CHIPS[chip])
    registers = max(program.vgprs + program.agprs, 64)
    count = waves * workgroups
    vector = np.full((registers, count, 64), 0xDEADBEEF, np.uint32)
    scalar = np.zeros((count, SGPR_SLOTS), np.uint32)
    space = AddressSpace()
    machine = Machine(
        program, space, Statistics(), 0, workgroups, waves, lds_bytes, scratch_bytes, 0xF0, (workgroups, 1, 1), checks,
        timing=timing,
    )  # fmt: skip
    group = Group(machine, np.arange(count), vector, scalar, np.zeros(count, bool), 0)
    for register, values in (v or {}).items():
        values = np.asarray(values)
        if values.dtype.itemsize == 8:
            words = np.broadcast_to(values, (count, 64)).copy().view(np.uint32).reshape(count, 64, 2)
            vector[register], vector[register + 1] = words[..., 0], words[..., 1]
            group.defined_v[register + 1] = 1
        else:
            vector[register] = np.broadcast_to(values, (count, 64)).copy().view(np.uint32)
        group.defined_v[register] = 1
    scalars: dict[int, Any] = {59: None, 126: exec_mask & 0xFFFFFFFF, 127: exec_mask >> 32, **(s or {})}
    for number, array in enumerate(buffers or []):
        base = space.add(array, f"buffer {number}").base
        scalars[60 + 2 * number], scalars[61 + 2 * number] = base & 0xFFFFFFFF, base >> 32
    for slot, value in scalars.items():
        scalar[:, slot] = np.arange(count) if value is None else value & 0xFFFFFFFF
        group.defined_s[slot] = 1
    group.exec_changed()
    if written is not None:
        space.buffers[0].written = Written(written)
    if shared:
        machine.traffic = machine.sharing = Sharing(space, program, (workgroups, 1, 1), True, 1)
    if profile:
        machine.traffic = Traffic(space, list(space.buffers), machine.statistics)
    final: dict[int, tuple[Array, Array, bool]] = {}
    machine.on_end = lambda g: final.update(
        {int(w): (g.u32[:, i].copy(), g.s[i].copy(), bool(g.scc[i])) for i, w in enumerate(g.waves)}
    )
    with np.errstate(all="ignore"):
        machine.run(group)
    if machine.traffic is not None:
        try:
            machine.traffic.finish()
        except Fault as fault:
            raise EmulationError(f"kernel test: {fault.message}") from None
    return Result(
        np.stack([final[w][0] for w in range(count)], axis=1),
        np.stack([final[w][1] for w in range(count)]),
        np.array([final[w][2] for w in range(count)]),
        machine,
    )
