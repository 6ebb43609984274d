# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Vector instructions that gfx950 added to gfx942's (tables). Formulas follow AMD's CDNA4 instruction set guide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from fovea.emulator.errors import DecodeError, Fault
from fovea.emulator.group import Group
from fovea.emulator.operands import Build, Step, put
from fovea.emulator.valu_float import lower_zero, upper_zero
from fovea.emulator.vector import Row, compile_row, rows

F16, F32, F64 = np.float16, np.float32, np.float64
U16, U32 = np.uint16, np.uint32


def bitwise3(table: int) -> Callable[[Any, Any, Any], Any]:
    """Any function of three bits: bit 4 a + 2 b + c of `table` is the result."""

    def compute(a: Any, b: Any, c: Any) -> Any:
        kind = np.result_type(a, b, c).type
        result: Any = kind(0)
        for index in range(8):
            if table >> index & 1:
                term = (a if index & 4 else ~a) & (b if index & 2 else ~b) & (c if index & 1 else ~c)
                result = result | term
        return result

    return compute


def _bitop3(kind: str) -> Callable[[Build], Step]:
    def compile_it(build: Build) -> Step:
        table = build.line.number("bitop3")
        build.line.modifiers.pop("bitop3", None)
        row = Row(build.line.name, (kind,), (kind,) * 3, bitwise3(table))
        return compile_row(row, build)

    return compile_it


def bfloat16_bits(x: Any) -> Any:
    """f32 to bf16 codes, round to nearest even, subnormals kept."""
    return np.asarray(x, F32).astype(ml_dtypes.bfloat16).view(U16)


def _join(low: Any, high: Any) -> Any:
    low, high = np.broadcast_arrays(low, high)
    return low.astype(U32) | high.astype(U32) << U32(16)


def _propagating(operation: Any) -> Callable[..., Any]:
    """IEEE minimum or maximum of three: NaN if any is NaN; -0 is below +0."""

    def compute(a: Any, b: Any, c: Any) -> Any:
        return operation(operation(a, b), c)

    return compute


def minimum(a: Any, b: Any) -> Any:
    """IEEE 754-2019 minimum."""
    return lower_zero(a, b, np.minimum(a, b))


def maximum(a: Any, b: Any) -> Any:
    """IEEE 754-2019 maximum."""
    return upper_zero(a, b, np.maximum(a, b))


def _dot2_bf16(a: Any, b: Any, c: Any) -> Any:
    """Products are exact in f64; the sum rounds to f32 once."""
    def halves(x: Any) -> Any:
        return (x.astype(U32) << U32(16)).view(F32).astype(F64)

    return ((halves(a) * halves(b)).sum(-1) + c).astype(F32)


def swap_rows(rows_swapped: int) -> Callable[[Build], Step]:
    """v_permlane16_swap / v_permlane32_swap: the upper half of every pair of `rows_swapped`-lane rows of the first
    register changes places with the lower half of the second's."""

    def compile_it(build: Build) -> Step:
        first, second = (build.vector(operand, 1) for operand in build.line.operands)
        build.writes_v |= {first, second}

        def step(g: Group) -> None:
            if not g.full:
                raise Fault("swapping rows with lanes switched off is not supported", 0)
            shape = (g.count, -1, 2, rows_swapped)
            upper, lower = g.u32[first].reshape(shape)[:, :, 1], g.u32[second].reshape(shape)[:, :, 0]
            kept = upper.copy()
            upper[...] = lower
            lower[...] = kept

        return step

    return compile_it


def _shift_and_saturate(kind: Any) -> Callable[[Any, Any, Any], Any]:
    """v_ashr_pk_{i8,u8}_i32: both sources shifted right, saturated to bytes."""
    limits = np.iinfo(kind)

    def compute(a: Any, b: Any, shift: Any) -> Any:
        low, high = (np.clip(x >> (shift & U32(31)).astype(np.int32), limits.min, limits.max) for x in (a, b))
        low, high = np.broadcast_arrays(low.astype(kind).view(np.uint8), high.astype(kind).view(np.uint8))
        return low.astype(U16) | high.astype(U16) << U16(8)

    return compute


def _stochastic(round_half: Callable[[Any, Any], Any]) -> Callable[[Build], Step]:
    """v_cvt_sr_{f16,bf16}_f32: to the half of the destination that op_sel's last bit names; the other is kept."""

    def compile_it(build: Build) -> Step:
        line = build.line
        if len(line.operands) != 3 or set(line.modifiers) - {"op_sel"}:
            raise DecodeError(f"{line.name} in this form is not supported")
        half = line.bits("op_sel", (0, 0, 0))[-1]
        value, random = build.source(line.operands[1], "f32"), build.source(line.operands[2], "u32", 1)
        row = build.vector(line.operands[0], 1, write=True)
        return lambda g: put(g, g.u16[row, :, :, half], round_half(value(g), random(g)))

    return compile_it


def _round_f16(x: Any, random: Any) -> Any:
    """Random bits are added below the last kept bit, which is that of the subnormals for tiny values."""
    wide = np.asarray(x, F64)
    exponent = np.frexp(np.where(np.isfinite(wide), wide, 0.0))[1] - 1
    unit = np.maximum(exponent, -14) - 10
    added = np.ldexp((np.asarray(random, U32) >> U32(19)).astype(F64), -13)
    truncated = np.ldexp(np.floor(np.ldexp(np.abs(wide), -unit) + added), unit)
    return np.where(np.isfinite(wide), np.copysign(truncated, wide), wide).astype(F16).view(U16)


def _round_bf16(x: Any, random: Any) -> Any:
    bits = np.asarray(x, F32).view(U32)
    rounded = (bits + (np.asarray(random, U32) >> U32(16))) >> U32(16)
    quiet = (bits >> U32(16)) | U32(0x40)
    return np.where(np.isfinite(x), rounded, np.where(np.isnan(x), quiet, bits >> U32(16))).astype(U16)


def prng(x: Any) -> Any:
    """V_PRNG_B32: one step of the generator."""
    return (x << U32(1)) ^ np.where(x >> U32(31), U32(197), U32(0))


TABLE: list[Row] = [
    *rows("v_prng_b32: u32 <- u32", prng),
    *rows("v_ashr_pk_i8_i32: u16 <- i32 i32 u32", _shift_and_saturate(np.int8)),
    *rows("v_ashr_pk_u8_i32: u16 <- i32 i32 u32", _shift_and_saturate(np.uint8)),
    *rows("v_cvt_pk_bf16_f32: u32 <- f32 f32", lambda a, b: _join(bfloat16_bits(a), bfloat16_bits(b))),
    *rows("v_cvt_pk_f16_f32: u32 <- f32 f32", lambda a, b: _join(a.astype(F16).view(U16), b.astype(F16).view(U16))),
    *rows("v_cvt_f32_bf16: f32 <- u16", lambda x: (x.astype(U32) << U32(16)).view(F32)),
    *rows("v_minimum3_f32: f32 <- f32 f32 f32", _propagating(minimum)),
    *rows("v_maximum3_f32: f32 <- f32 f32 f32", _propagating(maximum)),
    *rows("v_pk_minimum3_f16: pk_f16 <- pk_f16 pk_f16 pk_f16", _propagating(minimum)),
    *rows("v_pk_maximum3_f16: pk_f16 <- pk_f16 pk_f16 pk_f16", _propagating(maximum)),
    *rows("v_dot2_f32_bf16: f32 <- pk_u16 pk_u16 f32", _dot2_bf16),
    *rows("v_dot2c_f32_bf16: f32 <- pk_u16 pk_u16 f32", _dot2_bf16, accumulate=True),
]  # fmt: skip
SPECIAL: dict[str, Callable[[Build], Step]] = {
    "v_bitop3_b32": _bitop3("u32"),
    "v_bitop3_b16": _bitop3("u16"),
    "v_permlane16_swap_b32": swap_rows(16),
    "v_permlane32_swap_b32": swap_rows(32),
    "v_cvt_sr_f16_f32": _stochastic(_round_f16),
    "v_cvt_sr_bf16_f32": _stochastic(_round_bf16),
}
