# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Vector registers that a kernel's descriptor does not ask for: on hardware they belong to other waves."""

from __future__ import annotations

from fovea.codeobject import Kernel
from fovea.emulator.errors import EmulationError
from fovea.emulator.program import Program

_UNIFIED = ("gfx942", "gfx950")
"""Chips with one file for vector and accumulation registers, allocated by eight."""


def require_allocated(program: Program, kernel: Kernel, chip: str) -> None:
    """EmulationError for the first instruction that names a vector or accumulation register past the allocation.

    LLVM "User Guide for AMDGPU Backend", kernel descriptor, gfx90a and later: COMPUTE_PGM_RSRC1 bits 5:0 are the
    registers of both kinds, in eights less one; RSRC3 bits 5:0 are where the accumulation registers start, in fours
    less one.
    """
    if chip not in _UNIFIED:
        return
    total = 8 * ((kernel.rsrc1 & 63) + 1)
    start = min(4 * ((kernel.rsrc3 & 63) + 1), total)
    allowed = {"v": start, "a": total - start}
    if program.vgprs <= allowed["v"] and program.agprs <= allowed["a"]:
        return
    for code in program.code:
        for operand in code.line.operands:
            last = operand.index + operand.count - 1
            if operand.kind in allowed and last >= allowed[operand.kind]:
                raise EmulationError(
                    f"kernel {kernel.name}, 0x{code.line.address:x}: {code.line.text}: {operand.kind}{last} is not "
                    f"allocated: the kernel descriptor asks for {allowed['v']} vector and {allowed['a']} accumulation "
                    "registers"
                )
