# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How gfx9 operand fields are spelled: registers, inline constants and literals.

The numbering is the one of AMD's "CDNA3 Instruction Set Architecture" guide, section 3 (operand tables); the spelling
is that of LLVM's AMDGPU assembler.

An operand *kind* is one character (or a decimal number of dwords):
``b`` 32 bits, ``h`` 16-bit float, ``s`` 16-bit integer, ``p`` two 16-bit floats, ``d`` 64-bit float,
``q`` 64-bit integer, ``1 2 3 4 8 ...`` that many dwords of a register.
"""

from __future__ import annotations

import re
import struct


class Undecodable(Exception):
    """A field holds a value that the encoding does not define; the message names the field."""


LITERAL = 255
SDWA = 249
DPP = 250

WIDTHS = {
    "b": 1, "h": 1, "s": 1, "p": 1, "d": 2, "q": 2, "1": 1, "2": 2, "3": 3, "4": 4, "6": 6, "8": 8, "16": 16, "32": 32,
}  # fmt: skip

SPECIAL_32 = {
    102: "flat_scratch_lo", 103: "flat_scratch_hi", 104: "xnack_mask_lo", 105: "xnack_mask_hi", 106: "vcc_lo",
    107: "vcc_hi", 124: "m0", 125: "null", 126: "exec_lo", 127: "exec_hi", 230: "src_flat_scratch_base_lo",
    231: "src_flat_scratch_base_hi", 235: "src_shared_base", 236: "src_shared_limit", 237: "src_private_base",
    238: "src_private_limit", 239: "src_pops_exiting_wave_id", 251: "src_vccz", 252: "src_execz", 253: "src_scc",
    254: "src_lds_direct",
}  # fmt: skip
SPECIAL_64 = {
    102: "flat_scratch", 104: "xnack_mask", 106: "vcc", 125: "null", 126: "exec", 230: "src_flat_scratch_base_lo",
    235: "src_shared_base", 236: "src_shared_limit", 237: "src_private_base", 238: "src_private_limit",
    239: "src_pops_exiting_wave_id", 251: "src_vccz", 252: "src_execz", 253: "src_scc",
}  # fmt: skip
FLOATS = {240: "0.5", 241: "-0.5", 242: "1.0", 243: "-1.0", 244: "2.0", 245: "-2.0", 246: "4.0", 247: "-4.0"}
# 1/(2*pi) is rounded to the operand's own width, and printed with the digits that give that rounding back.
INVERSE_TWO_PI_32, INVERSE_TWO_PI_64 = "0.15915494", "0.15915494309189532"
INVERSE_TWO_PI = 0.15915494309189532
FIRST_TTMP, LAST_TTMP, FIRST_VGPR = 108, 123, 256
LAST_SGPR, LAST_GROUPED_SGPR = 101, 103  # groups of four and more may run over flat_scratch


def _half_bits(value: float) -> int:
    return int(struct.unpack("<H", struct.pack("<e", value))[0])


def _inline_constants(kind: str) -> dict[int, str]:
    """Field values 128..248 as printed for an operand of this kind."""
    table = {128 + n: str(n) for n in range(65)} | {192 + n: str(-n) for n in range(1, 17)}
    if kind == "s":  # a float constant means its f16 bits to a 16-bit integer operand
        values = {code: float(text) for code, text in FLOATS.items()} | {248: INVERSE_TWO_PI}
        return table | {code: hex(_half_bits(value)) for code, value in values.items()}
    return table | FLOATS | {248: INVERSE_TWO_PI_64 if kind in "dq" else INVERSE_TWO_PI_32}


def register_range(letter: str, first: int, width: int) -> str:
    """`v3` or `v[4:7]`."""
    return f"{letter}{first}" if width == 1 else f"{letter}[{first}:{first + width - 1}]"


def scalar_register(code: int, width: int) -> str:
    """A scalar register or register group of `width` dwords, as source or destination (field values 0..127)."""
    if width == 1 and code in SPECIAL_32:
        return SPECIAL_32[code]
    if width == 2 and code in SPECIAL_64:
        return SPECIAL_64[code]
    alignment = 1 if width == 1 else 2 if width == 2 else 4
    last = LAST_SGPR if width <= 2 else LAST_GROUPED_SGPR
    if code + width - 1 <= last and code % alignment == 0:
        return register_range("s", code, width)
    if code >= FIRST_TTMP and code + width - 1 <= LAST_TTMP and (code - FIRST_TTMP) % alignment == 0:
        return register_range("ttmp", code - FIRST_TTMP, width)
    raise Undecodable(f"scalar register field {code} cannot name {width} dword(s)")


def vector_register(index: int, width: int, accumulator: bool = False) -> str:
    """`v7`, `v[8:11]` or, for the accumulation half of the file, `a7`, `a[8:11]`."""
    if index + width > 256:
        raise Undecodable(f"vector register group of {width} dwords starts at v{index}")
    return register_range("a" if accumulator else "v", index, width)


def _source_table(kind: str) -> list[str | None]:
    table: list[str | None] = []
    constants = _inline_constants(kind)
    width = WIDTHS[kind]
    for code in range(512):
        if code in constants:
            table.append(constants[code])
            continue
        try:
            if code >= FIRST_VGPR:
                table.append(vector_register(code - FIRST_VGPR, width))
            elif code in (SPECIAL_64 if width == 2 else SPECIAL_32) or code < 128:
                table.append(scalar_register(code, width))
            else:
                table.append(None)
        except Undecodable:
            table.append(None)
    return table


SOURCES = {kind: _source_table(kind) for kind in WIDTHS}

# Bit patterns that have an inline constant; a literal with such a value is written lit(...) so that it assembles back.
_INLINE_F32 = {struct.unpack("<I", struct.pack("<f", float(t)))[0]: t for t in FLOATS.values()} | {
    0x3E22F983: INVERSE_TWO_PI_32
}
_INLINE_F16 = {_half_bits(float(t)) for t in FLOATS.values()} | {_half_bits(INVERSE_TWO_PI)}

# Upper halves of the 64-bit floats that print as an inline constant
_UPPER_F64 = {struct.unpack("<Q", struct.pack("<d", float(t)))[0] >> 32: t for t in FLOATS.values()} | {0: "0"}
# 32-bit values that print as an inline constant
INLINE_VALUES = _INLINE_F32 | {n & 0xFFFFFFFF: str(n) for n in range(-16, 65)}


def literal_text(value: int, kind: str) -> str:
    """A 32-bit literal constant as printed for an operand of this kind."""
    signed = value - (1 << 32) if value >> 31 else value
    if kind == "h":
        half = value & 0xFFFF
        return f"lit({value:#x})" if half <= 64 or half >= 0xFFF0 or half in _INLINE_F16 else hex(half)
    if kind == "s":
        return f"lit({value:#x})" if value in INLINE_VALUES else hex(value & 0xFFFF)
    if kind == "q":
        return f"lit({value:#x})" if 0 <= signed <= 64 else hex(value)
    if kind == "d":  # the literal is the upper half of the constant
        return _UPPER_F64.get(value) or hex(value)
    floats = _INLINE_F16 if kind == "p" else _INLINE_F32
    return f"lit({value:#x})" if -16 <= signed <= 64 or value in floats else hex(value)


def source(code: int, kind: str, literal: int | None = None) -> str:
    """A source operand of 8 or 9 bits; `literal` is the following word where the encoding allows one.

    Raises:
        Undecodable: the field's value has no meaning for this kind of operand.
    """
    text = SOURCES[kind][code]
    if text is not None:
        return text
    if code == LITERAL:
        if literal is None:
            raise Undecodable("a literal is missing: the code ends, or the encoding does not take one")
        return literal_text(literal, kind)
    raise Undecodable(f"source field {code} has no meaning for a {WIDTHS[kind] * 32}-bit operand here")


_NUMBER = re.compile(r"-?[0-9]")


def with_modifiers(text: str, negate: int, absolute: int) -> str:
    """`-v1`, `|v1|`, `-|v1|`, and `neg(1.0)` for constants, where a leading minus would change the constant."""
    if absolute:
        text = f"|{text}|"
    if negate:
        return f"neg({text})" if _NUMBER.match(text) else f"-{text}"
    return text


def table_rows(text: str) -> dict[int, tuple[str, ...]]:
    """Parses an opcode table: one row a line, the opcode number first; returns opcode -> remaining columns."""
    rows = (line.split() for line in text.strip().splitlines())
    return {int(number, 0): tuple(columns) for number, *columns in rows}


def immediate16(value: int) -> str:
    """A 16-bit immediate: decimal up to 64, hexadecimal above, as LLVM prints it."""
    return str(value) if value <= 64 else hex(value)
