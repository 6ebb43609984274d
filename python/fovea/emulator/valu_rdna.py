# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Instructions that gfx11 and gfx12 have beside gfx9's (tables), and their forms for waves of 32 lanes.

Formulas follow AMD's RDNA3 and RDNA4 instruction set guides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from fovea.emulator.errors import DecodeError, Fault
from fovea.emulator.float8 import FLOAT8
from fovea.emulator.group import Group
from fovea.emulator.operands import Build, Step, put
from fovea.emulator.salu import ScalarRow, scalar_rows, scalar_source
from fovea.emulator.text import EXEC, M0, VCC
from fovea.emulator.valu_float import fma32, maximum_number, minimum_number
from fovea.emulator.valu_gfx950 import maximum, minimum
from fovea.emulator.valu_integer import parts
from fovea.emulator.vector import Row, rows

F32, F64, U16, U32, U64 = np.float32, np.float64, np.uint16, np.uint32, np.uint64


def _floats(text: str, function: Any) -> list[Row]:
    """Rows for f32 and f16, which `T` stands for."""
    return [row for kind in ("f32", "f16") for row in rows(text.replace("T", kind), function)]


def _saturate_bytes(x: Any) -> Any:
    low, high = (np.clip((x >> U32(shift)).astype(U16).view(np.int16), 0, 255).astype(U16) for shift in (0, 16))
    return low | high << U16(8)


def _fma_dx9_zero(a: Any, b: Any, c: Any) -> Any:
    """A zero factor makes the product zero, whatever the other is."""
    zero = (a == 0) | (b == 0)
    return fma32(np.where(zero, F32(0), a), np.where(zero, F32(0), b), c)


def _dot2_f16(a: Any, b: Any, c: Any) -> Any:
    """Products are exact in f64; the sum rounds once."""
    return ((a.astype(F64) * b.astype(F64)).sum(-1) + c).astype(np.float16)


def _dot2_bf16(a: Any, b: Any, c: Any) -> Any:
    a, b, c = ((x.astype(U32) << U32(16)).view(F32).astype(F64) for x in (a, b, c))
    return ((a * b).sum(-1) + c).astype(F32).astype(ml_dtypes.bfloat16).view(U16)


def _dot4_float8(first: str, second: str) -> Any:
    """gfx12's 8-bit floats are OCP's; the sum rounds to f32 once."""
    tables = [FLOAT8["ocp"][name].decode.astype(F64) for name in (first, second)]

    def dot(a: Any, b: Any, c: Any) -> Any:
        left, right = (table[parts(x, 8, False)] for table, x in zip(tables, (a, b), strict=True))
        return ((left * right).sum(-1) + c).astype(F32)

    return dot


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
    *rows("v_sat_pk_u8_i16: u16 <- u32", _saturate_bytes),
    *rows("v_minmax_i32: i32 <- i32 i32 i32\n v_minmax_u32: u32 <- u32 u32 u32",
          lambda a, b, c: np.maximum(np.minimum(a, b), c)),
    *rows("v_maxmin_i32: i32 <- i32 i32 i32\n v_maxmin_u32: u32 <- u32 u32 u32",
          lambda a, b, c: np.minimum(np.maximum(a, b), c)),
    *_floats("v_minmax_T: T <- T T T", lambda a, b, c: maximum_number(minimum_number(a, b), c)),
    *_floats("v_maxmin_T: T <- T T T", lambda a, b, c: minimum_number(maximum_number(a, b), c)),
    *_floats("v_minimum_T: T <- T T", minimum),
    *_floats("v_maximum_T: T <- T T", maximum),
    *rows("v_minimum_f64: f64 <- f64 f64", minimum),
    *rows("v_maximum_f64: f64 <- f64 f64", maximum),
    *rows("v_minimum3_f16: f16 <- f16 f16 f16", lambda a, b, c: minimum(minimum(a, b), c)),
    *rows("v_maximum3_f16: f16 <- f16 f16 f16", lambda a, b, c: maximum(maximum(a, b), c)),
    *_floats("v_minimummaximum_T: T <- T T T", lambda a, b, c: maximum(minimum(a, b), c)),
    *_floats("v_maximumminimum_T: T <- T T T", lambda a, b, c: minimum(maximum(a, b), c)),
    *rows("v_pk_minimum_f16: pk_f16 <- pk_f16 pk_f16", minimum),
    *rows("v_pk_maximum_f16: pk_f16 <- pk_f16 pk_f16", maximum),
    *rows("v_fma_dx9_zero_f32: f32 <- f32 f32 f32", _fma_dx9_zero),
    *rows("v_fmac_dx9_zero_f32: f32 <- f32 f32 f32", _fma_dx9_zero, accumulate=True),
    *rows("v_dot2_f16_f16: f16 <- pk_f16 pk_f16 f16", _dot2_f16),
    *rows("v_dot2_bf16_bf16: u16 <- pk_u16 pk_u16 u16", _dot2_bf16),
    *[
        row for a in ("fp8", "bf8") for b in ("fp8", "bf8")
        for row in rows(f"v_dot4_f32_{a}_{b}: f32 <- u32 u32 f32", _dot4_float8(a, b))
    ],
]  # fmt: skip


SCALAR_TABLE: list[ScalarRow] = [
    *scalar_rows("s_add_nc_u64: u64 <- u64 u64", np.add),
    *scalar_rows("s_sub_nc_u64: u64 <- u64 u64", np.subtract),
    *scalar_rows("s_mul_u64: u64 <- u64 u64", np.multiply),
]


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


def _dot_mixed_signs(bits: int) -> Callable[[Build], Step]:
    """v_dot4_i32_iu8 / v_dot8_i32_iu4: neg_lo makes factors signed, clamp saturates the sum to an i32."""

    def compile_it(build: Build) -> Step:
        line = build.line
        signs, clamps = line.bits("neg_lo", (0, 0, 0)), "clamp" in line.modifiers
        if set(line.modifiers) - {"neg_lo", "clamp"} or signs[2]:
            raise DecodeError(f"{line.name} in this form is not supported")
        first, second = (build.source(o, "u32", i) for i, o in enumerate(line.operands[1:3]))
        addend, row = build.source(line.operands[3], "i32", 2), build.vector(line.operands[0], 1, write=True)

        def step(g: Group) -> None:
            factors = parts(first(g), bits, bool(signs[0])) * parts(second(g), bits, bool(signs[1]))
            total = factors.sum(-1) + addend(g)
            put(g, g.i32[row], (np.clip(total, -(2**31), 2**31 - 1) if clamps else total).astype(np.int32))

        return step

    return compile_it


def _swap_halves(build: Build) -> Step:
    """v_swap_b16: two halves of registers change places."""
    first, second = build.line.operands
    rows_of = [build.vector(o, 1, halves=True) for o in (first, second)]
    build.writes_v.update(rows_of)
    places = [max(o.half, 0) for o in (first, second)]

    def step(g: Group) -> None:
        one, two = (g.u16[row, :, :, half] for row, half in zip(rows_of, places, strict=True))
        old = one.copy()
        put(g, one, two)
        put(g, two, old)

    return step


def _swap_wave_halves(build: Build) -> Step:
    """v_permlane64_b32: lanes 0-31 and 32-63 change places, which waves of 32 lanes do not have (RDNA guides)."""
    for operand, write in zip(build.line.operands, (True, False), strict=True):
        build.vector(operand, 1, write=write)
    return lambda g: None


SPECIAL: dict[str, Callable[[Build], Step]] = {
    "v_dot4_i32_iu8": _dot_mixed_signs(8),
    "v_dot8_i32_iu4": _dot_mixed_signs(4),
    "v_swap_b16": _swap_halves,
    "v_permlane64_b32": _swap_wave_halves,
    "v_movrels_b32": _move_relative(True),
    "v_movreld_b32": _move_relative(False),
    "v_permlane16_b32": _permute_rows(False),
    "v_permlanex16_b32": _permute_rows(True),
    "v_permlane16_var_b32": _permute_rows(False, True),
    "v_permlanex16_var_b32": _permute_rows(True, True),
}
CONDITIONS: dict[str, Callable[[Group], Any]] = {
    "s_cbranch_vccz": lambda g: g.s[:, VCC] == 0,
    "s_cbranch_vccnz": lambda g: g.s[:, VCC] != 0,
    "s_cbranch_execz": lambda g: g.s[:, EXEC] == 0,
    "s_cbranch_execnz": lambda g: g.s[:, EXEC] != 0,
}
"""Branches on masks of one register; the other half of VCC may hold anything."""
