# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Decoders of the scalar encodings SOP1, SOP2, SOPC, SOPK, SOPP and SMEM of gfx942.

Every decoder takes the instruction's first word, the word after it (None at the end of the code) and its address, and
returns the text and the size in bytes. Field positions are those of AMD's CDNA3 ISA guide, chapter 12.
"""

from __future__ import annotations

from collections.abc import Callable

from fovea.emulator.decode_operands import INLINE_VALUES, LITERAL, Undecodable, immediate16, scalar_register, source
from fovea.emulator.decode_scalar_tables import SMEM, SOP1, SOP2, SOPC

HARDWARE_REGISTERS = {
    1: "HW_REG_MODE", 2: "HW_REG_STATUS", 3: "HW_REG_TRAPSTS", 4: "HW_REG_HW_ID", 5: "HW_REG_GPR_ALLOC",
    6: "HW_REG_LDS_ALLOC", 7: "HW_REG_IB_STS", 15: "HW_REG_SH_MEM_BASES", 16: "HW_REG_TBA_LO", 17: "HW_REG_TBA_HI",
    18: "HW_REG_TMA_LO", 19: "HW_REG_TMA_HI", 20: "HW_REG_XCC_ID", 21: "HW_REG_SQ_PERF_SNAPSHOT_DATA",
    22: "HW_REG_SQ_PERF_SNAPSHOT_DATA1", 23: "HW_REG_SQ_PERF_SNAPSHOT_PC_LO", 24: "HW_REG_SQ_PERF_SNAPSHOT_PC_HI",
}  # fmt: skip
MESSAGES = {
    1: "MSG_INTERRUPT", 4: "MSG_SAVEWAVE", 5: "MSG_STALL_WAVE_GEN", 6: "MSG_HALT_WAVES", 7: "MSG_ORDERED_PS_DONE",
    8: "MSG_EARLY_PRIM_DEALLOC", 9: "MSG_GS_ALLOC_REQ", 10: "MSG_GET_DOORBELL",
}  # fmt: skip
GS_MESSAGES = {2: "MSG_GS", 3: "MSG_GS_DONE"}
GS_OPERATIONS = {1: "GS_OP_CUT", 2: "GS_OP_EMIT", 3: "GS_OP_EMIT_CUT"}
SYSTEM_OPERATIONS = {1: "SYSMSG_OP_ECC_ERR_INTERRUPT", 2: "SYSMSG_OP_REG_RD", 4: "SYSMSG_OP_TTRACE_PC"}
KINDS = {"1": "b", "2": "q"}  # widths of scalar sources as operand kinds
INDEX_MODES = ("SRC0", "SRC1", "SRC2", "DST")


def hardware_register(field: int) -> str:
    """`hwreg(NAME)` or `hwreg(NAME, offset, size)` of a 16-bit field: id[5:0], offset[10:6], size-1[15:11]."""
    number, offset, size = field & 63, field >> 6 & 31, (field >> 11) + 1
    name = HARDWARE_REGISTERS.get(number, str(number))
    return f"hwreg({name})" if (offset, size) == (0, 32) else f"hwreg({name}, {offset}, {size})"


def message(field: int) -> str:
    """`sendmsg(...)` of a 16-bit field: message[3:0], operation[6:4], stream[9:8]; unknown ones print as numbers."""
    number, operation, stream = field & 15, field >> 4 & 7, field >> 8 & 3
    plain = field & ~0x37F == 0
    if number in MESSAGES and not operation and not stream:
        return f"sendmsg({MESSAGES[number]})"
    if number == 3 and not operation and not stream:
        return "sendmsg(MSG_GS_DONE, GS_OP_NOP)"
    if number in GS_MESSAGES and operation in GS_OPERATIONS:
        return f"sendmsg({GS_MESSAGES[number]}, {GS_OPERATIONS[operation]}, {stream})"
    if number == 15 and operation in SYSTEM_OPERATIONS and not stream:
        return f"sendmsg(MSG_SYSMSG, {SYSTEM_OPERATIONS[operation]})"
    return f"sendmsg({number}, {operation}, {stream})" if plain else str(field)


def wait_counts(field: int) -> str:
    """Counters of s_waitcnt that are not at their maximum: vmcnt is [15:14][3:0], expcnt [6:4], lgkmcnt [11:8]."""
    counts = (
        ("vmcnt", field & 15 | field >> 14 << 4, 63),
        ("expcnt", field >> 4 & 7, 7),
        ("lgkmcnt", field >> 8 & 15, 15),
    )
    waits = [f"{name}({value})" for name, value, most in counts if value != most]
    return " ".join(waits or [f"{name}({value})" for name, value, _ in counts])


def index_mode(field: int) -> str:
    """`gpr_idx(SRC0,DST)`: which operands the index register applies to."""
    if field > 15:
        return hex(field)
    return "gpr_idx(" + ",".join(name for bit, name in enumerate(INDEX_MODES) if field >> bit & 1) + ")"


def branch_target(field: int, address: int) -> str:
    """Absolute address of a branch: the 16-bit field counts words from the next instruction."""
    words = field - (1 << 16) if field >> 15 else field
    return hex(address + 4 + 4 * words & 0xFFFFFFFFFFFFFFFF)


def sop1(word: int, following: int | None, address: int) -> tuple[str, int]:
    """SOP1: ssrc0[7:0], op[15:8], sdst[22:16]."""
    row = SOP1.get(word >> 8 & 255)
    if row is None:
        raise Undecodable(f"SOP1 opcode {word >> 8 & 255} does not exist")
    name, destination, kind = row
    operands = []
    size = 4
    if destination != "-":
        operands.append(scalar_register(word >> 16 & 127, int(destination)))
    if kind != "-":
        operands.append(source(word & 255, KINDS[kind], following))
        size = 8 if word & 255 == LITERAL else 4
    return f"{name} {', '.join(operands)}", size


def sop2(word: int, following: int | None, address: int) -> tuple[str, int]:
    """SOP2: ssrc0[7:0], ssrc1[15:8], sdst[22:16], op[29:23]."""
    row = SOP2.get(word >> 23 & 127)
    if row is None:
        raise Undecodable(f"SOP2 opcode {word >> 23 & 127} does not exist")
    name, destination, kind0, kind1 = row
    operands = [] if destination == "-" else [scalar_register(word >> 16 & 127, int(destination))]
    operands += [source(word & 255, KINDS[kind0], following), source(word >> 8 & 255, KINDS[kind1], following)]
    return f"{name} {', '.join(operands)}", 8 if LITERAL in (word & 255, word >> 8 & 255) else 4


def sopc(word: int, following: int | None, address: int) -> tuple[str, int]:
    """SOPC: ssrc0[7:0], ssrc1[15:8], op[22:16]."""
    row = SOPC.get(word >> 16 & 127)
    if row is None:
        raise Undecodable(f"SOPC opcode {word >> 16 & 127} does not exist")
    name, kind0, kind1 = row
    first = source(word & 255, KINDS[kind0], following)
    if kind1 == "gpr_idx":
        return f"{name} {first}, {index_mode(word >> 8 & 255)}", 8 if word & 255 == LITERAL else 4
    second = source(word >> 8 & 255, KINDS[kind1], following)
    return f"{name} {first}, {second}", 8 if LITERAL in (word & 255, word >> 8 & 255) else 4


# SOPK: opcode -> mnemonic, shape. r: sdst, simm16; h: sdst, hwreg; H: hwreg, sdst; L: hwreg, literal;
# b: 64-bit sdst, branch target
SOPK = {
    0: ("s_movk_i32", "r"), 1: ("s_cmovk_i32", "r"), 2: ("s_cmpk_eq_i32", "r"), 3: ("s_cmpk_lg_i32", "r"),
    4: ("s_cmpk_gt_i32", "r"), 5: ("s_cmpk_ge_i32", "r"), 6: ("s_cmpk_lt_i32", "r"), 7: ("s_cmpk_le_i32", "r"),
    8: ("s_cmpk_eq_u32", "r"), 9: ("s_cmpk_lg_u32", "r"), 10: ("s_cmpk_gt_u32", "r"), 11: ("s_cmpk_ge_u32", "r"),
    12: ("s_cmpk_lt_u32", "r"), 13: ("s_cmpk_le_u32", "r"), 14: ("s_addk_i32", "r"), 15: ("s_mulk_i32", "r"),
    16: ("s_cbranch_i_fork", "b"), 17: ("s_getreg_b32", "h"), 18: ("s_setreg_b32", "H"),
    20: ("s_setreg_imm32_b32", "L"), 21: ("s_call_b64", "b"),
}  # fmt: skip


def sopk(word: int, following: int | None, address: int) -> tuple[str, int]:
    """SOPK: simm16[15:0], sdst[22:16], op[27:23]."""
    row = SOPK.get(word >> 23 & 31)
    if row is None:
        raise Undecodable(f"SOPK opcode {word >> 23 & 31} does not exist")
    name, shape = row
    register, field = word >> 16 & 127, word & 0xFFFF
    if shape == "r":
        return f"{name} {scalar_register(register, 1)}, {field:#x}", 4
    if shape == "h":
        return f"{name} {scalar_register(register, 1)}, {hardware_register(field)}", 4
    if shape == "H":
        return f"{name} {hardware_register(field)}, {scalar_register(register, 1)}", 4
    if shape == "b":
        return f"{name} {scalar_register(register, 2)}, {branch_target(field, address)}", 4
    if following is None:
        raise Undecodable("the literal of s_setreg_imm32_b32 is missing")
    return f"{name} {hardware_register(field)}, {INLINE_VALUES.get(following) or hex(following)}", 8


def _no_operand(field: int, address: int) -> str:
    return ""


def _immediate(field: int, address: int) -> str:
    return immediate16(field)


def _optional_decimal(field: int, address: int) -> str:
    return str(field) if field else ""


def _field_only(format_field: Callable[[int], str]) -> Callable[[int, int], str]:
    return lambda field, address: format_field(field)


SOPP: dict[int, tuple[str, Callable[[int, int], str]]] = {
    0: ("s_nop", _immediate), 1: ("s_endpgm", _optional_decimal), 2: ("s_branch", branch_target),
    3: ("s_wakeup", _no_operand), 4: ("s_cbranch_scc0", branch_target), 5: ("s_cbranch_scc1", branch_target),
    6: ("s_cbranch_vccz", branch_target), 7: ("s_cbranch_vccnz", branch_target), 8: ("s_cbranch_execz", branch_target),
    9: ("s_cbranch_execnz", branch_target), 10: ("s_barrier", _no_operand), 11: ("s_setkill", _immediate),
    12: ("s_waitcnt", _field_only(wait_counts)), 13: ("s_sethalt", _immediate), 14: ("s_sleep", _immediate),
    15: ("s_setprio", _immediate), 16: ("s_sendmsg", _field_only(message)), 17: ("s_sendmsghalt", _field_only(message)),
    18: ("s_trap", _immediate), 19: ("s_icache_inv", _no_operand), 20: ("s_incperflevel", _immediate),
    21: ("s_decperflevel", _immediate), 22: ("s_ttracedata", _no_operand), 23: ("s_cbranch_cdbgsys", branch_target),
    24: ("s_cbranch_cdbguser", branch_target), 25: ("s_cbranch_cdbgsys_or_user", branch_target),
    26: ("s_cbranch_cdbgsys_and_user", branch_target), 27: ("s_endpgm_saved", _no_operand),
    28: ("s_set_gpr_idx_off", _no_operand), 29: ("s_set_gpr_idx_mode", _field_only(index_mode)),
    30: ("s_endpgm_ordered_ps_done", _no_operand), 31: ("s_code_end", _no_operand),
}  # fmt: skip


def sopp(word: int, following: int | None, address: int) -> tuple[str, int]:
    """SOPP: simm16[15:0], op[22:16]."""
    row = SOPP.get(word >> 16 & 127)
    if row is None:
        raise Undecodable(f"SOPP opcode {word >> 16 & 127} does not exist")
    name, operand = row
    return f"{name} {operand(word & 0xFFFF, address)}".rstrip(), 4


def smem(word: int, following: int | None, address: int) -> tuple[str, int]:
    """SMEM: sbase[5:0], sdata[12:6], soe[14], glc[16], imm[17], op[25:18], offset[52:32] (signed), soffset[63:57]."""
    row = SMEM.get(word >> 18 & 255)
    if row is None:
        raise Undecodable(f"SMEM opcode {word >> 18 & 255} does not exist")
    if following is None:
        raise Undecodable("the second word is missing")
    name, data, base = row
    operands = []
    if data == "imm":
        value = word >> 6 & 127
        operands.append(immediate16(value))
    elif data != "-":
        operands.append(scalar_register(word >> 6 & 127, int(data)))
    if base != "-":
        operands.append(scalar_register((word & 63) << 1, int(base)))
        offset = following & 0x1FFFFF
        signed = offset - (1 << 21) if offset >> 20 else offset
        if word >> 17 & 1:
            register = f"{scalar_register(following >> 25, 1)} offset:" if word >> 14 & 1 else ""
            operands.append(f"{register}{signed:#x}")
        else:
            operands.append(scalar_register(following >> 25 if word >> 14 & 1 else offset & 127, 1))
    transfers = base != "-" and data not in ("-", "imm")
    modifier = " glc" if transfers and word >> 16 & 1 else ""
    return f"{name} {', '.join(operands)}{modifier}".rstrip(), 8
