# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Vector instructions that gfx950 added to gfx942's (tables). Formulas follow AMD's CDNA4 instruction set guide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from fovea.emulator.errors import DecodeError, Fault
from fovea.emulator.float8 import FLOAT8
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


def scale_of(scale: Any) -> Any:
    """The power of two that a scale operand stands for: only the exponent field of the f32 counts."""
    exponent = (np.asarray(scale) >> U32(23)) & U32(255)
    return np.where(exponent == 255, np.nan, np.ldexp(1.0, exponent.astype(np.int32) - 127))


def _halves(bits: Any, kind: str) -> Any:
    """Both 16-bit floats of a register, in f64."""
    if kind == "f16":
        return [(bits >> U32(shift)).astype(U16).view(F16).astype(F64) for shift in (0, 16)]
    return [(part << U32(16)).view(F32).astype(F64) for part in (bits, bits >> U32(16))]


def _scale_to_pair(narrow: str, wide: str) -> Callable[[Build], Step]:
    """v_cvt_scalef32_pk_{fp8,bf8}_{f32,f16,bf16}: two values over the scale, to the half that op_sel's last bit names;
    the other half is kept."""

    def compile_it(build: Build) -> Step:
        line = build.line
        count = 3 if wide == "f32" else 2
        if len(line.operands) != 1 + count or set(line.modifiers) - {"op_sel"}:
            raise DecodeError(f"{line.name} in this form is not supported")
        selected = line.bits("op_sel", (0,) * (count + 1))
        if any(selected[:count]):
            raise DecodeError(f"op_sel of a source of {line.name} is not supported")
        line.modifiers.pop("op_sel", None)
        if wide == "f32":
            first, second = (build.source(line.operands[1 + n], "f32", n) for n in range(2))
            read = lambda g: [get(g).astype(F64) for get in (first, second)]  # noqa: E731
        else:
            if line.operands[1].neg or line.operands[1].abs:
                raise DecodeError(f"signs of sources of {line.name} are not supported")
            both = build.source(line.operands[1], "u32", 0)
            read = lambda g: _halves(np.asarray(both(g)), wide)  # noqa: E731
        scale = build.source(line.operands[count], "u32", count - 1)
        row = build.vector(line.operands[0], 1, write=True)
        encode, saturate = FLOAT8[build.chip.float8][narrow].encode, build.saturate

        def step(g: Group) -> None:
            power = scale_of(scale(g))
            low, high = np.broadcast_arrays(*[encode(value / power, saturate) for value in read(g)])
            put(g, g.u16[row, :, :, selected[count]], low.astype(U16) | high.astype(U16) << U16(8))

        return step

    return compile_it


def _scale_from_pair(narrow: str, wide: str) -> Callable[[Build], Step]:
    """v_cvt_scalef32_pk_{f32,f16,bf16}_{fp8,bf8}: two codes of the half that op_sel picks, times the scale."""

    def compile_it(build: Build) -> Step:
        line = build.line
        if len(line.operands) != 3 or set(line.modifiers) - {"op_sel"}:
            raise DecodeError(f"{line.name} in this form is not supported")
        selected = line.bits("op_sel", (0, 0, 0))
        if any(selected[1:]):
            raise DecodeError(f"op_sel {selected} of {line.name} is not supported")
        line.modifiers.pop("op_sel", None)
        codes, scale = (build.source(line.operands[1 + n], "u32", n) for n in range(2))
        registers = 2 if wide == "f32" else 1
        row = build.vector(line.operands[0], registers, write=True)
        table, shift = FLOAT8[build.chip.float8][narrow].decode.astype(F64), U32(16 * selected[0])

        def step(g: Group) -> None:
            bits, power = np.asarray(codes(g)) >> shift, scale_of(scale(g))
            low, high = (table[(bits >> U32(place)) & U32(255)] * power for place in (0, 8))
            if wide == "f32":
                put(g, g.f32[row], low.astype(F32))
                put(g, g.f32[row + 1], high.astype(F32))
            elif wide == "f16":
                put(g, g.u32[row], _join(low.astype(F16).view(U16), high.astype(F16).view(U16)))
            else:
                put(g, g.u32[row], _join(bfloat16_bits(low), bfloat16_bits(high)))

        return step

    return compile_it


TABLE: list[Row] = [
    *rows("v_prng_b32: u32 <- u32", lambda x: (x << U32(1)) ^ np.where(x >> U32(31), U32(197), U32(0))),
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
    **{
        f"v_cvt_scalef32_pk_{narrow}_{wide}": _scale_to_pair(narrow, wide)
        for narrow in ("fp8", "bf8") for wide in ("f32", "f16", "bf16")
    },
    **{
        f"v_cvt_scalef32_pk_{wide}_{narrow}": _scale_from_pair(narrow, wide)
        for narrow in ("fp8", "bf8") for wide in ("f32", "f16", "bf16")
    },
}
