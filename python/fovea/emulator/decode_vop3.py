# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Decoders of VOP3 (both forms), VOP3P and the matrix instructions of gfx942.

Field positions are those of AMD's CDNA3 ISA guide, chapter 12. The decoders' signature is that of `decode_scalar`.
"""

from __future__ import annotations

from fovea.emulator.decode_operands import (
    FIRST_VGPR,
    WIDTHS,
    Undecodable,
    scalar_register,
    source,
    vector_register,
    with_modifiers,
)
from fovea.emulator.decode_vop import OUTPUT_MODIFIERS, UNMODIFIED, VOPC
from fovea.emulator.decode_vop3_tables import VOP3, VOP3P
from fovea.emulator.decode_vop_tables import VOP1, VOP2

# A VOP3 row: mnemonic, destination (a width, S1: scalar, S2: scalar mask, -: none), writes a mask too, source kinds.
Row = tuple[str, str, bool, tuple[str, ...]]


def build_rows(
    vop1: dict[int, tuple[str, ...]], vop2: dict[int, tuple[str, ...]], vop3: dict[int, tuple[str, ...]]
) -> dict[int, Row]:
    """All VOP3 opcodes: 0..255 are VOPC's, 256.. are VOP2's, 320.. are VOP1's, the rest exists in VOP3 only."""
    table: dict[int, Row] = {}
    for opcode, (name, kind0, kind1) in VOPC.items():
        table[opcode] = (f"{name}_e64", "S2", False, (kind0, kind1))
    for opcode, (name, destination, kind, width1, shape, forms) in vop2.items():
        if "e" not in forms:
            continue
        kind1 = kind if WIDTHS[kind] == int(width1) else "d" if width1 == "2" else "b"
        kinds = (kind, kind1) + (("d",) if shape in ("cin", "cio") else ())
        table[0x100 + opcode] = (f"{name}_e64", destination, shape in ("cout", "cio"), kinds)
    for opcode, (name, destination, kind, forms) in vop1.items():
        if "e" in forms:
            full_name = name if destination == "-" else f"{name}_e64"
            table[0x140 + opcode] = (full_name, destination, False, () if kind == "-" else (kind,))
    for opcode, (name, destination, *sources, mask) in vop3.items():
        table[opcode] = (name, destination, mask == "sdst", tuple(kind for kind in sources if kind != "-"))
    return table


ROWS = build_rows(VOP1, VOP2, VOP3)
# Conversions that pick a byte of the destination take op_sel of a third source that they do not have.
_FOUR_SELECTORS = frozenset((
    "v_cvt_sr_fp8_f32", "v_cvt_sr_bf8_f32", "v_cvt_scalef32_pk_fp4_f16", "v_cvt_scalef32_pk_fp4_bf16",
))  # fmt: skip
# The instructions that read op_sel: a 16-bit half of each source, and the half of the destination that is written.
_SELECTING = _FOUR_SELECTORS | frozenset((
    "v_alignbit_b32", "v_alignbyte_b32", "v_mad_u32_u16", "v_mad_i32_i16", "v_min3_f16", "v_min3_i16", "v_min3_u16",
    "v_max3_f16", "v_max3_i16", "v_max3_u16", "v_med3_f16", "v_med3_i16", "v_med3_u16", "v_mad_f16", "v_mad_u16",
    "v_mad_i16", "v_fma_f16", "v_div_fixup_f16", "v_cvt_pknorm_i16_f16", "v_cvt_pknorm_u16_f16", "v_add_i16",
    "v_sub_i16", "v_pack_b32_f16", "v_cvt_pk_fp8_f32", "v_cvt_pk_bf8_f32", "v_cvt_sr_f16_f32", "v_cvt_sr_bf16_f32",
    "v_ashr_pk_i8_i32", "v_ashr_pk_u8_i32",
))  # fmt: skip
# Sources that take neither sign nor absolute value, as a mask over the sources.
_UNMODIFIED = {f"{name}_e64": mask for name, mask in UNMODIFIED.items()} | {
    "v_ldexp_f32": 0b10, "v_ldexp_f64": 0b10, "v_trig_preop_f64": 0b10,
    "v_cvt_pkaccum_u8_f32": 0b10, "v_cvt_pk_u8_f32": 0b110, "v_cvt_sr_fp8_f32": 0b10, "v_cvt_sr_bf8_f32": 0b10,
    "v_cvt_sr_f16_f32": 0b10, "v_cvt_sr_bf16_f32": 0b10,
    "v_cmp_class_f16_e64": 0b10, "v_cmp_class_f32_e64": 0b10, "v_cmp_class_f64_e64": 0b10,
    "v_cmpx_class_f16_e64": 0b10, "v_cmpx_class_f32_e64": 0b10, "v_cmpx_class_f64_e64": 0b10,
}  # fmt: skip


def _list(bits: int, count: int) -> str:
    return ",".join(str(bits >> n & 1) for n in range(count))


def _bitop3(word: int, following: int, name: str, operands: list[str], kinds: tuple[str, ...]) -> str:
    """Instructions whose truth table is in the fields of the modifiers: omod[7:6], abs[5:3], neg[2:0]."""
    operands = operands + [source(following >> 9 * index & 511, kind) for index, kind in enumerate(kinds)]
    truth = (following >> 27 & 3) << 6 | (word >> 8 & 7) << 3 | following >> 29
    selectors = word >> 11 & 15 if name.endswith("b16") else 0
    text = f" bitop3:{truth:#x}" if truth > 10 else f" bitop3:{truth}" if truth else ""
    return f"{name} {', '.join(operands)}{text}" + (f" op_sel:[{_list(selectors, 4)}]" if selectors else "")


def vop3(
    word: int, following: int | None, address: int, table: dict[int, Row] = ROWS
) -> tuple[str, int]:
    """VOP3: vdst[7:0], abs[10:8] or sdst[14:8], op_sel[14:11], clamp[15], op[25:16], src0[40:32], src1[49:41],
    src2[58:50], omod[60:59], neg[63:61]."""
    row = table.get(word >> 16 & 0x3FF)
    if row is None:
        raise Undecodable(f"VOP3 opcode {word >> 16 & 0x3FF:#x} does not exist")
    if following is None:
        raise Undecodable("the second word is missing")
    name, destination, mask, kinds = row
    if destination == "-":
        return name, 8
    operands = []
    register = word & 255
    if destination[0] == "S":
        operands.append(scalar_register(register, int(destination[1:])))
    else:
        operands.append(vector_register(register, int(destination)))
    if name.startswith("v_bitop3"):
        return _bitop3(word, following, name, operands, kinds), 8
    modified = ~_UNMODIFIED.get(name, 0)
    absolute = 0 if mask else word >> 8 & 7 & modified
    selectors = word >> 11 & 15 if name in _SELECTING or name.startswith("v_cvt_scalef32") else 0
    if mask:
        operands.append(scalar_register(word >> 8 & 127, 2))
    negate = following >> 29 & modified
    for index, kind in enumerate(kinds):
        text = source(following >> 9 * index & 511, kind)
        if negate or absolute:
            text = with_modifiers(text, negate >> index & 1, absolute >> index & 1)
        operands.append(text)
    modifiers = ""
    if selectors:
        count = 3 if name in _FOUR_SELECTORS else len(kinds)
        listed = selectors & (1 << count) - 1 | selectors >> 3 << count
        modifiers = f" op_sel:[{_list(listed, count + 1)}]"
    if word >> 15 & 1:
        modifiers += " clamp"
    modifiers += OUTPUT_MODIFIERS[following >> 27 & 3]
    return f"{name} {', '.join(operands)}{modifiers}", 8


# Mixed-precision FMAs read op_sel_hi as "this operand is f16" (all zero by default) and neg_hi as absolute value.
_MIXED = frozenset(("v_fma_mix_f32", "v_fma_mixlo_f16", "v_fma_mixhi_f16"))
# Dot products of packed 8- and 4-bit integers select nothing.
_NO_HALVES = ("v_dot4_", "v_dot8_")


def vop3p(
    word: int, following: int | None, address: int, table: dict[int, tuple[str, ...]] = VOP3P
) -> tuple[str, int]:
    """VOP3P: vdst[7:0], neg_hi[10:8], op_sel[13:11], op_sel_hi[2] at 14, clamp[15], op[22:16], sources as in VOP3,
    op_sel_hi[60:59], neg_lo[63:61]."""
    opcode = word >> 16 & 127
    row = table.get(opcode)
    if row is None:
        raise Undecodable(f"VOP3P opcode {opcode:#x} does not exist")
    if following is None:
        raise Undecodable("the second word is missing")
    name = row[0]
    if name.startswith(("v_mfma", "v_smfmac")):
        return matrix(word, following, row), 8
    if name == "v_accvgpr_read_b32":
        return f"{name} {vector_register(word & 255, 1)}, {vector_register(following & 255, 1, True)}", 8
    if name == "v_accvgpr_write_b32":
        return f"{name} {vector_register(word & 255, 1, True)}, {source(following & 511, 'b')}", 8
    kinds = [kind for kind in row[2:] if kind != "-"]
    count = len(kinds)
    every = (1 << count) - 1
    selectors, high = word >> 11 & every, (following >> 27 & 3 | word >> 12 & 4) & every
    negate_low, negate_high = following >> 29 & every, word >> 8 & every
    sources = [source(following >> 9 * index & 511, kind) for index, kind in enumerate(kinds)]
    modifiers = ""
    if name in _MIXED:
        for index in range(count):
            sources[index] = with_modifiers(sources[index], negate_low >> index & 1, negate_high >> index & 1)
        negate_low = negate_high = 0
    if not name.startswith(_NO_HALVES):
        if selectors:
            modifiers += f" op_sel:[{_list(selectors, count)}]"
        if high != (0 if name in _MIXED else every):
            modifiers += f" op_sel_hi:[{_list(high, count)}]"
    if negate_low:
        modifiers += f" neg_lo:[{_list(negate_low, count)}]"
    if negate_high:
        modifiers += f" neg_hi:[{_list(negate_high, count)}]"
    if word >> 15 & 1:
        modifiers += " clamp"
    operands = [vector_register(word & 255, int(row[1])), *sources]
    return f"{name} {', '.join(operands)}{modifiers}", 8


def matrix(word: int, following: int, row: tuple[str, ...]) -> str:
    """Matrix instructions (VOP3P-MAI): vdst[7:0], cbsz[10:8], abid[14:11], acc_cd[15], src0[40:32], src1[49:41],
    src2[58:50], acc[60:59] (source 0, source 1 in the accumulation file), blgp[63:61]."""
    name, *widths = row
    accumulate = bool(word >> 15 & 1)
    operands = [vector_register(word & 255, int(widths[0]), accumulate)]
    for index in range(2):
        field = following >> 9 * index & 511
        if field < FIRST_VGPR:
            raise Undecodable(f"source {index} of a matrix instruction is field {field}, not a vector register")
        operands.append(vector_register(field & 255, int(widths[1 + index]), bool(following >> 27 + index & 1)))
    field, width = following >> 18 & 511, int(widths[3])
    if name.startswith("v_smfmac"):
        if field < FIRST_VGPR:
            raise Undecodable(f"the index of {name} is field {field}, not a vector register")
        operands.append(vector_register(field & 255, 1))  # the index of the nonzero elements, never an accumulator
    elif field >= FIRST_VGPR:
        operands.append(vector_register(field & 255, width, accumulate))
    else:
        operands.append(source(field, "d" if name.endswith("f64") else "b"))
    size, identifier, group = word >> 8 & 7, word >> 11 & 15, following >> 29
    modifiers = f" cbsz:{size}" if size else ""
    modifiers += f" abid:{identifier}" if identifier else ""
    if group:
        modifiers += f" neg:[{_list(group, 3)}]" if name.endswith("f64") else f" blgp:{group}"
    return f"{name} {', '.join(operands)}{modifiers}"
