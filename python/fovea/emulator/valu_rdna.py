# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Instructions that gfx11 and gfx12 have beside gfx9's (tables), and their forms for waves of 32 lanes.

Formulas follow AMD's RDNA3 and RDNA4 instruction set guides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fovea.emulator.errors import DecodeError, Fault
from fovea.emulator.group import Group
from fovea.emulator.operands import Build, Step, put
from fovea.emulator.salu import ScalarRow, scalar_destination, scalar_source
from fovea.emulator.text import EXEC, M0, VCC
from fovea.emulator.valu_float import TABLE as FLOAT_ROWS
from fovea.emulator.vector import Row, rows

F32, U16, U32, U64 = np.float32, np.uint16, np.uint32, np.uint64
TABLE: list[Row] = [
    *rows("v_mov_b16: u16 <- u16", lambda x: x),
    *rows("v_and_b16: u16 <- u16 u16", np.bitwise_and),
    *rows("v_or_b16: u16 <- u16 u16", np.bitwise_or),
    *rows("v_xor_b16: u16 <- u16 u16", np.bitwise_xor),
    *rows("v_not_b16: u16 <- u16", np.invert),
    *rows("v_cndmask_b16: u16 <- u16 u16 mask", lambda a, b, c: np.where(c, b, a)),
    *rows("v_cvt_u32_u16: u32 <- u16", lambda x: x.astype(U32)),
    *rows("v_cvt_i32_i16: i32 <- i16", lambda x: x.astype(np.int32)),
    *rows("v_xor3_b32: u32 <- u32 u32 u32", lambda a, b, c: a ^ b ^ c),
]


def _unary(name: str) -> Callable[[Any], Any]:
    return next(row.function for row in FLOAT_ROWS if row.name == name)


def _scalar(text: str, function: Any) -> list[ScalarRow]:
    made = []
    for line in text.strip().splitlines():
        name, _, signature = line.partition(":")
        result, _, sources = signature.partition("<-")
        made.append(ScalarRow(name.strip(), result.strip(), tuple(sources.split()), function))
    return made


def _bits(function: Any) -> Any:
    """Scalar floats travel as bits."""
    return lambda *args: np.asarray(function(*[a.view(F32) for a in args]), F32).view(U32)


SCALAR_TABLE: list[ScalarRow] = [
    *_scalar("s_add_nc_u64: u64 <- u64 u64", np.add),
    *_scalar("s_sub_nc_u64: u64 <- u64 u64", np.subtract),
    *_scalar("s_mul_u64: u64 <- u64 u64", np.multiply),
    *_scalar("s_add_f32: b32 <- b32 b32", _bits(np.add)),
    *_scalar("s_sub_f32: b32 <- b32 b32", _bits(np.subtract)),
    *_scalar("s_mul_f32: b32 <- b32 b32", _bits(np.multiply)),
    *_scalar("s_cvt_f32_u32: b32 <- u32", lambda a: a.astype(F32).view(U32)),
    *_scalar("s_cvt_f32_i32: b32 <- i32", lambda a: a.astype(F32).view(U32)),
    *_scalar("s_cvt_u32_f32: b32 <- b32", lambda a: np.nan_to_num(
        np.clip(np.trunc(a.view(F32).astype(np.float64)), 0, 2**32 - 1), nan=0.0).astype(U32)),
    *_scalar("v_s_rcp_f32: b32 <- b32", _bits(_unary("v_rcp_f32"))),
    *_scalar("v_s_exp_f32: b32 <- b32", _bits(_unary("v_exp_f32"))),
    *_scalar("v_s_log_f32: b32 <- b32", _bits(_unary("v_log_f32"))),
    *_scalar("v_s_sqrt_f32: b32 <- b32", _bits(_unary("v_sqrt_f32"))),
    *_scalar("v_s_rsq_f32: b32 <- b32", _bits(_unary("v_rsq_f32"))),
]  # fmt: skip


def _save_exec(operation: Any) -> Callable[[Build], Step]:
    """s_OP_saveexec_b32."""

    def compile_it(build: Build) -> Step:
        source = scalar_source(build, build.line.operands[1], "b32")
        write = scalar_destination(build, build.line.operands[0], 1)

        def step(g: Group) -> None:
            old = g.s[:, EXEC].copy()
            new = operation(source(g), old)
            write(g, old)
            g.s[:, EXEC] = new
            g.scc[:] = g.s[:, EXEC] != 0
            g.exec_changed()

        return step

    return compile_it


def _permute_rows(other_row: bool, by_lane: bool = False) -> Callable[[Build], Step]:
    """v_permlane16_b32 / v_permlanex16_b32: lane i of a row takes lane n of its own or the other row of the pair; n is
    nibble i of the 64 bits in the last two operands (low half first), or with `_var` the low bits of the lane's own
    last operand. op_sel: fetch from inactive lanes; zero for inactive ones rather than the old value."""

    def compile_it(build: Build) -> Step:
        line = build.line
        if len(line.operands) != 4 - by_lane or set(line.modifiers) - {"op_sel"}:
            raise DecodeError(f"{line.name} in this form is not supported")
        fetch_inactive, bound = line.bits("op_sel", (0, 0))[:2]
        row, data = build.vector(line.operands[0], 1, write=True), build.vector(line.operands[1], 1)
        lane = np.arange(64)
        picks = build.vector(line.operands[2], 1) if by_lane else 0
        halves = [] if by_lane else [scalar_source(build, line.operands[2 + n], "u32") for n in range(2)]

        def chosen(g: Group) -> Any:
            if by_lane:
                return g.u32[picks] & U32(15)
            # Both selectors are one value a wave.
            low, high = (np.broadcast_to(get(g), (g.count,)).astype(U64) for get in halves)
            bits = (low | high << U64(32))[:, None]
            return bits >> (U64(4) * (lane & 15).astype(U64)) & U64(15)

        def step(g: Group) -> None:
            source = (lane & ~15 ^ (16 if other_row else 0)) + chosen(g).astype(np.int64)
            value = np.take_along_axis(g.u32[data], source, axis=1)
            if not g.full:
                from_active = np.take_along_axis(g.mask, source, axis=1)
                if not fetch_inactive:
                    # Inactive sources: zero with bound control, else the destination keeps its value.
                    value = np.where(from_active, value, U32(0) if bound else g.u32[row])
            put(g, g.u32[row], value)

        return step

    return compile_it


def _move_relative(source_moves: bool) -> Callable[[Build], Step]:
    """v_movrels_b32 / v_movreld_b32: M0 is added to the number of the source or the destination register."""

    def compile_it(build: Build) -> Step:
        target, origin = build.line.operands
        build.reads_s.add(M0)
        into = build.vector(target, 1, write=True)
        first = build.vector(origin, 1) if source_moves else 0
        get = None if source_moves else build.source(origin, "u32")

        def step(g: Group) -> None:
            moves = g.s[:, M0].astype(np.int64)
            last = (first if source_moves else into) + int(moves.max())
            if last >= g.machine.program.vgprs:
                raise Fault(f"M0 leads to v{last}, the kernel uses {g.machine.program.vgprs} registers", 0)
            for amount in np.unique(moves):
                chosen = (moves == amount)[:, None] & g.mask
                row = into if source_moves else into + int(amount)
                value = g.u32[first + int(amount)] if get is None else get(g)
                np.copyto(g.u32[row], value, where=chosen)

        return step

    return compile_it


SPECIAL: dict[str, Callable[[Build], Step]] = {
    "v_movrels_b32": _move_relative(True),
    "v_movreld_b32": _move_relative(False),
    "v_permlane16_b32": _permute_rows(False),
    "v_permlanex16_b32": _permute_rows(True),
    "v_permlane16_var_b32": _permute_rows(False, True),
    "v_permlanex16_var_b32": _permute_rows(True, True),
}
SCALAR_SPECIAL: dict[str, Callable[[Build], Step]] = {
    "s_and_saveexec_b32": _save_exec(lambda s, e: s & e), "s_or_saveexec_b32": _save_exec(lambda s, e: s | e),
    "s_xor_saveexec_b32": _save_exec(lambda s, e: s ^ e), "s_andn2_saveexec_b32": _save_exec(lambda s, e: s & ~e),
    "s_orn2_saveexec_b32": _save_exec(lambda s, e: s | ~e),
}  # fmt: skip
CONDITIONS: dict[str, Callable[[Group], Any]] = {
    "s_cbranch_vccz": lambda g: g.s[:, VCC] == 0,
    "s_cbranch_vccnz": lambda g: g.s[:, VCC] != 0,
    "s_cbranch_execz": lambda g: g.s[:, EXEC] == 0,
    "s_cbranch_execnz": lambda g: g.s[:, EXEC] != 0,
}
"""Branches on masks of one register; the other half of VCC may hold anything."""
