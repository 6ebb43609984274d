# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Assembly of gfx11 and gfx12 in the names of the instruction tables, which are those of gfx9 (tables of names).

The wave has 32 lanes: it runs in registers of 64 lanes whose upper half EXEC never enables. Lane masks are one scalar
register. Names and operand order: LLVM's AMDGPU assembler and AMD's RDNA3 and RDNA4 instruction set guides.
"""

from __future__ import annotations

import re
from dataclasses import replace

from fovea.emulator.errors import DecodeError
from fovea.emulator.text import Line, Operand, parse_line

WAITS = (
    "s_delay_alu", "s_wait_", "s_waitcnt", "s_clause", "s_sendmsg", "s_set_inst_prefetch_distance", "buffer_gl0_inv",
    "buffer_gl1_inv", "global_inv", "global_wb", "s_barrier_signal", "s_nop", "s_code_end",
)  # fmt: skip
"""Beginnings of the mnemonics that change no value."""
_SIZES = {
    "b32": "dword", "b64": "dwordx2", "b96": "dwordx3", "b128": "dwordx4", "b256": "dwordx8", "b512": "dwordx16",
    "u8": "ubyte", "i8": "sbyte", "u16": "ushort", "i16": "sshort", "b8": "byte", "b16": "short",
    "d16_u8": "ubyte_d16", "d16_hi_u8": "ubyte_d16_hi", "d16_i8": "sbyte_d16", "d16_hi_i8": "sbyte_d16_hi",
    "d16_b16": "short_d16", "d16_hi_b16": "short_d16_hi", "d16_hi_b8": "byte_d16_hi",
}  # fmt: skip
_MEMORY = re.compile(r"^(global|flat|scratch|buffer)_(load|store)_(\w+)$")
_ATOMIC = re.compile(r"^(global|flat|buffer)_atomic_(\w+?)_([uibf])(32|64)$")
_ATOMIC_NAMES = {
    ("add", "f"): "add_f32", ("min", "i"): "smin", ("max", "i"): "smax", ("min", "u"): "umin", ("max", "u"): "umax",
    ("min", "f"): "min_f32", ("max", "f"): "max_f32", ("min_num", "f"): "min_f32", ("max_num", "f"): "max_f32",
}  # fmt: skip
_SCALAR = re.compile(r"^s_(buffer_)?load_(b32|b64|b96|b128|b256|b512)$")
_LOCAL = re.compile(r"^ds_(load|store)_(\w+)$")
_NAMES = {
    "v_add_nc_u32": "v_add_u32", "v_sub_nc_u32": "v_sub_u32", "v_subrev_nc_u32": "v_subrev_u32",
    "v_add_nc_u16": "v_add_u16", "v_sub_nc_u16": "v_sub_u16", "v_add_co_ci_u32": "v_addc_co_u32",
    "v_sub_co_ci_u32": "v_subb_co_u32", "v_subrev_co_ci_u32": "v_subbrev_co_u32", "v_mad_co_u64_u32": "v_mad_u64_u32",
    "v_clz_i32_u32": "v_ffbh_u32", "v_cls_i32": "v_ffbh_i32", "v_ctz_i32_b32": "v_ffbl_b32",
    "v_max_num_f32": "v_max_f32", "v_min_num_f32": "v_min_f32", "v_max3_num_f32": "v_max3_f32",
    "v_min3_num_f32": "v_min3_f32", "v_max_num_f16": "v_max_f16", "v_min_num_f16": "v_min_f16",
    "v_max_num_f64": "v_max_f64", "v_min_num_f64": "v_min_f64", "v_med3_num_f32": "v_med3_f32",
    "v_mul_dx9_zero_f32": "v_mul_legacy_f32", "v_cvt_pk_rtz_f16_f32": "v_cvt_pkrtz_f16_f32",
    "s_add_co_u32": "s_add_u32", "s_add_co_i32": "s_add_i32", "s_sub_co_u32": "s_sub_u32",
    "s_sub_co_i32": "s_sub_i32", "s_add_co_ci_u32": "s_addc_u32", "s_sub_co_ci_u32": "s_subb_u32",
    "s_addk_co_i32": "s_addk_i32", "s_clz_i32_u32": "s_flbit_i32_b32", "s_clz_i32_u64": "s_flbit_i32_b64",
    "s_ctz_i32_b32": "s_ff1_i32_b32", "s_ctz_i32_b64": "s_ff1_i32_b64", "s_and_not1_b32": "s_andn2_b32",
    "s_and_not1_b64": "s_andn2_b64", "s_or_not1_b32": "s_orn2_b32", "s_or_not1_b64": "s_orn2_b64",
    "s_and_not1_saveexec_b32": "s_andn2_saveexec_b32", "s_or_not1_saveexec_b32": "s_orn2_saveexec_b32",
    "s_barrier_wait": "s_barrier", "s_cls_i32": "s_flbit_i32", "s_cls_i32_i64": "s_flbit_i32_i64",
    "s_and_not0_saveexec_b32": "s_andn1_saveexec_b32", "s_or_not0_saveexec_b32": "s_orn1_saveexec_b32",
    "s_and_not0_wrexec_b32": "s_andn1_wrexec_b32", "s_and_not1_wrexec_b32": "s_andn2_wrexec_b32",
    "v_add_nc_i32": "v_add_i32", "v_sub_nc_i32": "v_sub_i32", "v_add_nc_i16": "v_add_i16",
    "v_sub_nc_i16": "v_sub_i16", "v_mad_co_i64_i32": "v_mad_i64_i32", "v_min3_num_f16": "v_min3_f16",
    "v_max3_num_f16": "v_max3_f16", "v_med3_num_f16": "v_med3_f16", "v_pk_min_num_f16": "v_pk_min_f16",
    "v_pk_max_num_f16": "v_pk_max_f16", "v_cvt_nearest_i32_f32": "v_cvt_rpi_i32_f32",
    "v_cvt_floor_i32_f32": "v_cvt_flr_i32_f32", "v_cvt_pk_norm_i16_f32": "v_cvt_pknorm_i16_f32",
    "v_cvt_pk_norm_u16_f32": "v_cvt_pknorm_u16_f32", "v_dot2acc_f32_f16": "v_dot2c_f32_f16",
    "v_dot2acc_f32_bf16": "v_dot2c_f32_bf16", "v_minmax_num_f32": "v_minmax_f32", "v_maxmin_num_f32": "v_maxmin_f32",
    "v_minmax_num_f16": "v_minmax_f16", "v_maxmin_num_f16": "v_maxmin_f16",
    "ds_min_num_f32": "ds_min_f32", "ds_max_num_f32": "ds_max_f32", "ds_min_num_rtn_f32": "ds_min_rtn_f32",
    "ds_max_num_rtn_f32": "ds_max_rtn_f32", "ds_storexchg_rtn_b32": "ds_wrxchg_rtn_b32",
    "ds_storexchg_rtn_b64": "ds_wrxchg_rtn_b64", "ds_cmpstore_b32": "ds_cmpst_b32",
    "ds_cmpstore_b64": "ds_cmpst_b64", "ds_cmpstore_rtn_b32": "ds_cmpst_rtn_b32",
    "ds_cmpstore_rtn_b64": "ds_cmpst_rtn_b64",
}  # fmt: skip
_DROPPED = re.compile(r"\s+(?:scope:SCOPE_\w+|th:TH_\w+|glc|slc|dlc)(?=\s|$)")
_RETURNS = re.compile(r"\s(?:th:TH_ATOMIC_\w*RETURN|glc)(?=\s|$)")
_EXEC = Operand("s", 126, 1, text="exec_lo")
_VCC = Operand("s", 106, 1, text="vcc_lo")
_HALF = re.compile(r"\b(v\d+)\.([lh])\b")


def canonical(name: str) -> str:
    """The mnemonic of the tables for one of gfx11 or gfx12."""
    if name in _NAMES:
        return _NAMES[name]
    match = _MEMORY.match(name)
    if match and match[3] in _SIZES:
        return f"{match[1]}_{match[2]}_{_SIZES[match[3]]}"
    match = _SCALAR.match(name)
    if match:
        return f"s_{match[1] or ''}load_{_SIZES[match[2]]}"
    match = _ATOMIC.match(name)
    if match:
        family, operation, kind, bits = match.groups()
        operation = _ATOMIC_NAMES.get((operation, kind), operation)
        return f"{family}_atomic_{operation}" + ("_x2" if bits == "64" else "")
    match = _LOCAL.match(name)
    if match:
        verb, rest = {"load": "read", "store": "write"}[match[1]], match[2]
        rest = rest.replace("2addr_stride64_", "2st64_").replace("2addr_", "2_")
        return f"ds_{verb}{rest}" if rest.startswith("2") else f"ds_{verb}_{rest}"
    return name


def is_wait(name: str) -> bool:
    """True for waits, hints and cache control."""
    return name.startswith(WAITS) and not name.startswith(("s_sendmsg_rtn", "s_barrier_signal_isfirst"))


def _plain(address: int, text: str) -> Line:
    """One instruction that is not dual."""
    name = text.split(maxsplit=1)[0]
    if is_wait(name):
        return Line(address, text, name, [])
    if name == "s_barrier_wait":
        return Line(address, text, "s_barrier", [])
    halves = {}

    def without_half(match: re.Match[str]) -> str:
        halves[match[1], match[2]] = 1
        return f"{match[1]}{'_low' if match[2] == 'l' else '_high'}"

    stripped = _DROPPED.sub("", text)
    marked = _HALF.sub(without_half, stripped)
    line = parse_line(address, _HALF.sub(r"\1", stripped))
    if halves:
        _set_halves(line, marked)
    line.text = text
    if line.name.startswith("ds_cmpstore"):
        # Its data operands have changed places with those of ds_cmpst: the new value comes first.
        line.operands[-2:] = line.operands[:-3:-1]
    if line.name.startswith("buffer_atomic_") and _RETURNS.search(text):
        line.modifiers["sc0"] = "1"
    line.name = canonical(line.name)
    line.operands = [Operand("special", text="null") if o.text == "null" else o for o in line.operands]
    if line.name.startswith("v_cmpx_"):
        line.operands.insert(0, _EXEC)
    if line.name.startswith("s_load_dword") and line.operands[2].text == "null":
        line.operands[2] = Operand("imm", value=0, text="0")
    if line.name.startswith("buffer_"):
        line.operands = [Operand("imm", value=0, text="0") if o.text == "null" else o for o in line.operands]
    return line


def _set_halves(line: Line, marked: str) -> None:
    """Note which half of its register each operand with `.l` or `.h` names."""
    found = re.findall(r"[\w\[\]:.+-]*v(\d+)_(low|high)|,", marked.partition(" ")[2])
    position, halves = 0, {}
    for register, half in found:
        if register:
            halves[position] = int(half == "high")
        else:
            position += 1
    line.operands = [replace(o, half=halves.get(i, -1)) for i, o in enumerate(line.operands)]


def parse(address: int, text: str) -> list[Line]:
    """One instruction, or the two of a dual one."""
    parts = [part.strip() for part in text.strip().split("::")]
    if len(parts) > 2:
        raise DecodeError("more than two instructions in a dual one")
    lines = [_plain(address, part.replace("v_dual_", "v_", 1)) for part in parts]
    for line, part in zip(lines, parts, strict=True):
        # The dual form does not write down its mask or its accumulator's role.
        if part.startswith("v_dual_cndmask") and len(line.operands) == 3:
            line.operands.append(_VCC)
    return lines
