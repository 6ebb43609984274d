# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The MODE register along a program: which value holds at each instruction.

Compilers change MODE inside a kernel (f32 division keeps subnormals, say) by constants, so its value is known before
the run: it is carried along the control flow, and instructions are decoded for the mode that they run in. Where two
paths meet with different modes the program is refused. Layout of MODE: AMD's instruction set guides, "mode register".
"""

from __future__ import annotations

import re

from fovea.emulator.errors import DecodeError
from fovea.emulator.text import Line

ROUND, DENORMALS_F32, DENORMALS_F16_F64, FP16_OVERFLOW = 0xF, 0x30, 0xC0, 1 << 23
CHANGES = ("s_setreg_imm32_b32", "s_denorm_mode", "s_round_mode")
_KNOWN = ROUND | DENORMALS_F32 | DENORMALS_F16_F64 | FP16_OVERFLOW
_FIELD = re.compile(r"hwreg\((\w+)(?:,\s*(\d+),\s*(\d+))?\)$")


def initial_mode(flush_f32: bool, flush_f16_f64: bool, saturate: bool) -> int:
    """MODE of a launch, as far as results depend on it."""
    return 0x30 * (not flush_f32) | 0xC0 * (not flush_f16_f64) | FP16_OVERFLOW * saturate


def register_field(text: str) -> tuple[str, int, int]:
    """Register name, first bit and number of bits of an operand `hwreg(NAME, OFFSET, SIZE)`."""
    match = _FIELD.match(text)
    if match is None:
        raise DecodeError(f"{text} is not a hardware register field")
    name = "HW_REG_MODE" if match.group(1) in ("1", "HW_REG_WAVE_MODE") else match.group(1)
    return name, int(match.group(2) or 0), int(match.group(3) or 32)


def _after(line: Line, mode: int) -> int:
    """MODE after an instruction."""
    if line.name not in CHANGES:
        return mode
    if line.name == "s_setreg_imm32_b32":
        name, offset, size = register_field(line.operands[0].text)
    else:
        name, offset, size = "HW_REG_MODE", 4 if line.name == "s_denorm_mode" else 0, 4
    if name != "HW_REG_MODE":
        return mode
    mask = ((1 << size) - 1 << offset) & _KNOWN
    changed = mode & ~mask | int(line.operands[-1].value) << offset & mask
    if (changed ^ mode) & ROUND:
        raise DecodeError("rounding modes other than the launch's are not supported")
    return changed


def resolve_modes(lines: list[Line], start: int) -> list[int]:
    """MODE before each instruction. Raises DecodeError, which names the instruction, where it is not one value."""
    if not any(line.name in CHANGES for line in lines):
        return [start] * len(lines)
    if any(line.name == "s_setpc_b64" for line in lines):
        raise DecodeError("MODE changes in a kernel with computed branches")
    modes: list[int | None] = [None] * len(lines)
    todo = [(0, start)]
    while todo:
        number, mode = todo.pop()
        while number < len(lines):
            known, line = modes[number], lines[number]
            if known is not None:
                if known != mode:
                    raise DecodeError(f"0x{line.address:x}: {line.text}: MODE differs between the ways here")
                break
            modes[number] = mode
            mode = _after(line, mode)
            if line.target >= 0:
                todo.append((line.target, mode))
            if line.name in ("s_branch", "s_endpgm", "s_setpc_b64"):
                break
            number += 1
    return [start if mode is None else mode for mode in modes]
