# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Decoders of VOP1, VOP2 and VOPC of gfx942, with the DPP and SDWA words that may follow them.

Field positions are those of AMD's CDNA3 ISA guide, chapter 12. The decoders' signature is that of `decode_scalar`.
"""

from __future__ import annotations

from fovea.emulator.decode_operands import (
    DPP,
    LITERAL,
    SDWA,
    Undecodable,
    scalar_register,
    source,
    vector_register,
    with_modifiers,
)
from fovea.emulator.decode_vop_tables import VOP1, VOP2

SELECTIONS = ("BYTE_0", "BYTE_1", "BYTE_2", "BYTE_3", "WORD_0", "WORD_1", "DWORD")
UNUSED = ("UNUSED_PAD", "UNUSED_SEXT", "UNUSED_PRESERVE")
OUTPUT_MODIFIERS = ("", " mul:2", " mul:4", " div:2")
_DPP_NAMED = {
    0x130: "wave_shl:1", 0x134: "wave_rol:1", 0x138: "wave_shr:1", 0x13C: "wave_ror:1", 0x140: "row_mirror",
    0x141: "row_half_mirror", 0x142: "row_bcast:15", 0x143: "row_bcast:31",
}  # fmt: skip
_DPP_COUNTED = {0x100: "row_shl", 0x110: "row_shr", 0x120: "row_ror", 0x150: "row_newbcast"}

FLOAT_COMPARES = ("f", "lt", "eq", "le", "gt", "lg", "ge", "o", "u", "nge", "nlg", "ngt", "nle", "neq", "nlt", "tru")
INTEGER_COMPARES = ("f", "lt", "eq", "le", "gt", "ne", "ge", "t")
# first opcode of each block of compares -> prefix, type, operand kind
_FLOAT_BLOCKS = {
    0x20: ("cmp", "f16", "h"), 0x30: ("cmpx", "f16", "h"), 0x40: ("cmp", "f32", "b"), 0x50: ("cmpx", "f32", "b"),
    0x60: ("cmp", "f64", "d"), 0x70: ("cmpx", "f64", "d"),
}  # fmt: skip
_INTEGER_BLOCKS = {
    0xA0: ("cmp", "i16", "s"), 0xA8: ("cmp", "u16", "s"), 0xB0: ("cmpx", "i16", "s"), 0xB8: ("cmpx", "u16", "s"),
    0xC0: ("cmp", "i32", "b"), 0xC8: ("cmp", "u32", "b"), 0xD0: ("cmpx", "i32", "b"), 0xD8: ("cmpx", "u32", "b"),
    0xE0: ("cmp", "i64", "q"), 0xE8: ("cmp", "u64", "q"), 0xF0: ("cmpx", "i64", "q"), 0xF8: ("cmpx", "u64", "q"),
}  # fmt: skip


def _compares() -> dict[int, tuple[str, str, str]]:
    """VOPC opcode -> mnemonic, kind of source 0, kind of source 1 (v_cmp_class takes a 32-bit mask of classes)."""
    table = {}
    for number, (type_name, kind) in enumerate((("f32", "b"), ("f64", "d"), ("f16", "h"))):
        for prefix in range(2):
            name = f"v_cmp{'x' * prefix}_class_{type_name}"
            table[0x10 + 2 * number + prefix] = (name, kind, "b")
    for blocks, compares in ((_FLOAT_BLOCKS, FLOAT_COMPARES), (_INTEGER_BLOCKS, INTEGER_COMPARES)):
        for first, (prefix_name, type_name, kind) in blocks.items():
            for number, compare in enumerate(compares):
                table[first + number] = (f"v_{prefix_name}_{compare}_{type_name}", kind, kind)
    return table


VOPC = _compares()

# Sources that take neither sign nor absolute value, as a mask over the sources, in instructions whose other encodings
# or sources do.
UNMODIFIED = {"v_ldexp_f16": 0b10, "v_dot2c_i32_i16": 0b11, "v_dot4c_i32_i8": 0b11, "v_dot8c_i32_i4": 0b11}
_UNMODIFIED_SDWA = UNMODIFIED | {"v_pk_fmac_f16": 0b11}
# The sign and absolute-value bits of source 0 and source 1 in a DPP word and in an SDWA word.
_DPP_MODIFIER_BITS, _SDWA_MODIFIER_BITS = (3 << 20, 3 << 22), (3 << 20, 3 << 28)


def _clear(fields: int, bits: tuple[int, int], sources: int) -> int:
    """`fields` without the modifier bits of the sources in the mask."""
    return fields & ~(bits[0] * (sources & 1)) & ~(bits[1] * (sources >> 1))


def dpp_control(control: int) -> str:
    """The lane permutation named by the 9-bit dpp_ctrl field."""
    if control < 0x100:
        lanes = ",".join(str(control >> shift & 3) for shift in (0, 2, 4, 6))
        return f"quad_perm:[{lanes}]"
    if control in _DPP_NAMED:
        return _DPP_NAMED[control]
    counted = _DPP_COUNTED.get(control & ~15)
    if counted is None or (control & 15 == 0 and counted != "row_newbcast"):
        raise Undecodable(f"dpp_ctrl {control:#x} has no meaning")
    return f"{counted}:{control & 15}"


def _dpp(fields: int, width0: int, second: tuple[int, int] | None) -> tuple[list[str], str]:
    """Sources and modifiers of a DPP word; `second` is register and width of vsrc1."""
    first = with_modifiers(vector_register(fields & 255, width0), fields >> 20 & 1, fields >> 21 & 1)
    sources = [first]
    if second is not None:
        sources.append(with_modifiers(vector_register(*second), fields >> 22 & 1, fields >> 23 & 1))
    bound = " bound_ctrl:1" if fields >> 19 & 1 else ""
    control = dpp_control(fields >> 8 & 0x1FF)
    return sources, f" {control} row_mask:{fields >> 28:#x} bank_mask:{fields >> 24 & 15:#x}{bound}"


def _sdwa_source(register: int, kind: str, selection: int, scalar: bool) -> str:
    text = source(register, kind) if scalar else vector_register(register, 1)
    if selection >> 3 & 1:
        text = f"sext({text})"
    return with_modifiers(text, selection >> 4 & 1, selection >> 5 & 1)


def _selection(field: int) -> str:
    if field > 6:
        raise Undecodable("SDWA selection 7 has no meaning")
    return SELECTIONS[field]


def _sdwa(fields: int, kind: str, second: int | None, destination: bool, compare: bool) -> tuple[list[str], str]:
    """Sources and modifiers of an SDWA word; `second` is the register of vsrc1."""
    sources = [_sdwa_source(fields & 255, kind, fields >> 16, bool(fields >> 23 & 1))]
    text = ""
    if not compare:
        text = (" clamp" if fields >> 13 & 1 else "") + OUTPUT_MODIFIERS[fields >> 14 & 3]
    if destination:
        if fields >> 11 & 3 == 3:
            raise Undecodable("SDWA dst_unused 3 has no meaning")
        text += f" dst_sel:{_selection(fields >> 8 & 7)} dst_unused:{UNUSED[fields >> 11 & 3]}"
    text += f" src0_sel:{_selection(fields >> 16 & 7)}"
    if second is not None:
        sources.append(_sdwa_source(second, kind, fields >> 24, bool(fields >> 31)))
        text += f" src1_sel:{_selection(fields >> 24 & 7)}"
    return sources, text


def _needs(following: int | None) -> int:
    if following is None:
        raise Undecodable("the second word is missing")
    return following


def vop1(
    word: int, following: int | None, address: int, table: dict[int, tuple[str, ...]] = VOP1
) -> tuple[str, int]:
    """VOP1: src0[8:0], op[16:9], vdst[24:17]."""
    opcode, field, register = word >> 9 & 255, word & 511, word >> 17 & 255
    row = table.get(opcode)
    if row is None:
        raise Undecodable(f"VOP1 opcode {opcode} does not exist")
    name, destination, kind, forms = row
    if destination == "-":
        return name, 4
    if destination == "S1":
        result = scalar_register(register, 1)
    elif destination == "A1":
        return f"{name} {vector_register(register, 1, True)}, {vector_register(field & 255, 1, True)}", 4
    else:
        result = vector_register(register, int(destination))
    if field == DPP and "d" in forms:
        sources, text = _dpp(_needs(following), 2 if kind in "dq" else 1, None)
        return f"{name}_dpp {result}, {sources[0]}{text}", 8
    if field == SDWA and ("x" in forms or "y" in forms):
        sources, text = _sdwa(_needs(following), kind, None, "x" in forms, False)
        return f"{name}_sdwa {result}, {sources[0]}{text}", 8
    suffix = "_e32" if "e" in forms else ""
    return f"{name}{suffix} {result}, {source(field, kind, following)}", 8 if field == LITERAL else 4


# where vcc stands among the operands, by the carry shape of the table: (after the destination, at the end)
_CARRIES = {"-": ("", ""), "cin": ("", ", vcc"), "cout": (" vcc,", ""), "cio": (" vcc,", ", vcc")}


def vop2(
    word: int, following: int | None, address: int, table: dict[int, tuple[str, ...]] = VOP2
) -> tuple[str, int]:
    """VOP2: src0[8:0], vsrc1[16:9], vdst[24:17], op[30:25]."""
    opcode, field, second = word >> 25 & 63, word & 511, word >> 9 & 255
    row = table.get(opcode)
    if row is None:
        raise Undecodable(f"VOP2 opcode {opcode} does not exist")
    name, destination, kind, width1, shape, forms = row
    result = vector_register(word >> 17 & 255, int(destination))
    if shape in ("mk", "ak"):
        constant = hex(_needs(following))
        first, other = source(field, kind, following), vector_register(second, int(width1))
        ends = (constant, other) if shape == "mk" else (other, constant)
        return f"{name} {result}, {first}, {ends[0]}, {ends[1]}", 8
    carry_out, carry_in = _CARRIES[shape]
    if field == DPP and "d" in forms:
        fields = _clear(_needs(following), _DPP_MODIFIER_BITS, UNMODIFIED.get(name, 0))
        sources, text = _dpp(fields, 2 if kind in "dq" else 1, (second, int(width1)))
        return f"{name}_dpp {result},{carry_out} {sources[0]}, {sources[1]}{carry_in}{text}", 8
    if field == SDWA and "x" in forms:
        fields = _clear(_needs(following), _SDWA_MODIFIER_BITS, _UNMODIFIED_SDWA.get(name, 0))
        sources, text = _sdwa(fields, kind, second, True, False)
        return f"{name}_sdwa {result},{carry_out} {sources[0]}, {sources[1]}{carry_in}{text}", 8
    first = source(field, kind, following)
    suffix = "_e32" if "e" in forms else ""
    text = f"{name}{suffix} {result},{carry_out} {first}, {vector_register(second, int(width1))}{carry_in}"
    return text, 8 if field == LITERAL else 4


def vopc(word: int, following: int | None, address: int) -> tuple[str, int]:
    """VOPC: src0[8:0], vsrc1[16:9], op[24:17]."""
    opcode, field, second = word >> 17 & 255, word & 511, word >> 9 & 255
    row = VOPC.get(opcode)
    if row is None:
        raise Undecodable(f"VOPC opcode {opcode} does not exist")
    name, kind0, kind1 = row
    if field == SDWA and kind0 not in "dq":
        fields = _needs(following)
        sources, text = _sdwa(fields, kind0, second, False, True)
        result = scalar_register(fields >> 8 & 127, 2) if fields >> 15 & 1 else "vcc"
        return f"{name}_sdwa {result}, {sources[0]}, {sources[1]}{text}", 8
    other = vector_register(second, 2 if kind1 in "dq" else 1)
    return f"{name}_e32 vcc, {source(field, kind0, following)}, {other}", 8 if field == LITERAL else 4
