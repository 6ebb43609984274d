# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""gfx12: scalar registers that vector instructions have read, then something wrote, and that are read again.

The vector unit keeps scalar values that it once read. After a write of such a register, a reader gets the new value
only if s_wait_alu made the write known: sa_sdst(0) for a write of a scalar instruction, va_sdst(0) (va_vcc(0) for VCC)
for one of a vector instruction, the latter for vector readers alone. A scalar load or buffer instruction between makes
all writes known, a scalar instruction that reads what vector instructions wrote those of vector instructions; four
ds_nop in a row make the vector unit forget. Registers are kept in pairs. M0 and EXEC are no part of it.

Source: LLVM's AMDGPUWaitSGPRHazards (GCNSubtarget::hasVALUReadSGPRHazard: gfx12 but not gfx1250), followed step by
step but along the paths that waves take.
"""

from __future__ import annotations

from typing import NamedTuple

from fovea.emulator.errors import Fault
from fovea.emulator.hazards import EXEC_SLOTS, M0_SLOT, VCC_SLOTS, Effect
from fovea.emulator.waits import Registers, register_name

CHIPS = ("gfx1200", "gfx1201")
_FORGETS = 4
"""ds_nop in a row, for waves of 32 lanes."""
_VCC = max(VCC_SLOTS)
Writes = frozenset[tuple[int, int]]
"""Registers (as in `waits`) with the instruction that wrote them."""


class Reads(NamedTuple):
    """Pairs that vector instructions have read, and writes of them that readers may miss."""

    pairs: frozenset[int] = frozenset()
    scalar: Writes = frozenset()
    vector: Writes = frozenset()
    nops: int = 0


def _scalars(registers: Registers) -> list[int]:
    """Scalar registers that count, the two of VCC as one."""
    chosen = {_VCC if r in VCC_SLOTS else r for r in registers if r < 0}
    return sorted(chosen - EXEC_SLOTS - M0_SLOT)


def _pair(register: int) -> int:
    return (-1 - register) // 2


def _without(writes: Writes, vcc: bool) -> Writes:
    """The writes of VCC (or of the other registers) are known now."""
    return frozenset(w for w in writes if (w[0] == _VCC) != vcc)


def advance(now: Reads, number: int, e: Effect, describe: tuple[str, ...]) -> Reads:
    """Check one instruction and note what it reads and writes. Raises Fault if an s_wait_alu is missing before it."""
    if e.nops_of_lds:
        nops = min(now.nops + 1, _FORGETS)
        return now._replace(nops=nops, pairs=frozenset() if nops == _FORGETS else now.pairs)
    pairs, scalar, vector, _ = now
    if e.kind == "smem" or (e.kind == "vmem" and describe[number].startswith("buffer_")):
        return Reads(pairs)
    if e.awaited:
        if "sa_sdst" in e.awaited:
            scalar = frozenset()
        if "va_vcc" in e.awaited:
            vector = _without(vector, vcc=True)
        if "va_sdst" in e.awaited:
            vector = _without(vector, vcc=False)
        return Reads(pairs, scalar, vector)
    is_vector = e.vector
    if not is_vector and e.kind != "salu":
        return now if not now.nops else now._replace(nops=0)
    for register in _scalars(e.uses):
        if _pair(register) not in pairs:
            if is_vector:
                pairs = pairs | {_pair(register)}
            continue
        if not is_vector:
            vector = _without(vector, vcc=register == _VCC)
        _require(register, scalar, "scalar", "sa_sdst(0)", describe)
        _require(register, vector, "vector", "va_vcc(0)" if register == _VCC else "va_sdst(0)", describe)
    for register in _scalars(e.defines):
        if _pair(register) not in pairs:
            continue
        others = [frozenset(w for w in writes if w[0] != register) for writes in (scalar, vector)]
        if register == _VCC:
            # Only the last write of VCC counts; one of each unit does for the others.
            scalar, vector = others
        if is_vector:
            vector = others[1] | {(register, number)}
        else:
            scalar = others[0] | {(register, number)}
    after = Reads(pairs, scalar, vector)
    return now if after == now else after


def _require(register: int, writes: Writes, kind: str, wait: str, describe: tuple[str, ...]) -> None:
    for written, origin in writes:
        if written == register:
            raise Fault(
                f"reads {register_name(register, 0)}, which vector instructions had read before the {kind} instruction "
                f"'{describe[origin]}' wrote it: s_wait_alu depctr_{wait} is missing between",
                0,
            )
