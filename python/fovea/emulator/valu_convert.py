# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Vector conversions (tables). The format of the 8-bit floats is the chip's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from fovea.emulator.errors import DecodeError
from fovea.emulator.float8 import FLOAT8
from fovea.emulator.group import Group
from fovea.emulator.operands import Build, Step, put
from fovea.emulator.text import Operand
from fovea.emulator.valu_float import fma32
from fovea.emulator.vector import Row, compile_row, rows

F16, F32, F64 = np.float16, np.float32, np.float64
U8, U16, U32, I32 = np.uint8, np.uint16, np.uint32, np.int32

def saturate(kind: Any) -> Any:
    """Float to integer: truncate, saturate, NaN to zero."""
    limits = np.iinfo(kind)

    def convert(x: Any) -> Any:
        wide = np.trunc(np.asarray(x, F64))
        return np.nan_to_num(np.clip(wide, limits.min, limits.max), nan=0.0).astype(np.int64).astype(kind)

    return convert


def _round_toward_zero16(x: Any) -> Any:
    x = np.asarray(x, F32)
    nearest = x.astype(F16)
    too_far = np.abs(nearest.astype(F32)) > np.abs(x)
    return np.where(too_far, np.nextafter(nearest, F16(0)), nearest)


def _pack16(low: Any, high: Any) -> Any:
    low, high = np.broadcast_arrays(low, high)
    return low.view(U16).astype(U32) | (high.view(U16).astype(U32) << U32(16))


def _normalized(kind: Any) -> Any:
    top = float(np.iinfo(kind).max)
    low = 0.0 if np.iinfo(kind).min == 0 else -1.0
    scaled: Any = lambda x: np.rint(np.clip(x.astype(F64), low, 1.0) * top)  # noqa: E731
    return lambda x: np.nan_to_num(scaled(x), nan=0.0).astype(np.int64).astype(kind)


def _clip_to(kind: Any) -> Any:
    limits = np.iinfo(kind)
    return lambda x: np.clip(x, limits.min, limits.max).astype(kind)


def _insert_byte(x: Any, position: Any, old: Any) -> Any:
    shift = (position & U32(3)) * U32(8)
    byte = np.clip(np.nan_to_num(np.rint(x), nan=0.0), 0, 255).astype(U32)
    return (old & ~(U32(255) << shift)) | (byte << shift)


def _halves(round_half: Any) -> Any:
    return lambda a, b: _pack16(round_half(a), round_half(b))


toward_zero_pair = _halves(_round_toward_zero16)
TABLE: list[Row] = [
    *rows("v_cvt_f32_u32: f32 <- u32\n v_cvt_f32_i32: f32 <- i32\n v_cvt_f32_f16: f32 <- f16\n"
          "v_cvt_f32_f64: f32 <- f64",
          lambda x: x.astype(F32)),
    *rows("v_cvt_f64_u32: f64 <- u32\n v_cvt_f64_i32: f64 <- i32\n v_cvt_f64_f32: f64 <- f32", lambda x: x.astype(F64)),
    *rows("v_cvt_f16_f32: f16 <- f32\n v_cvt_f16_u16: f16 <- u16\n v_cvt_f16_i16: f16 <- i16", lambda x: x.astype(F16)),
    *rows("v_cvt_u32_f32: u32 <- f32\n v_cvt_u32_f64: u32 <- f64", saturate(U32)),
    *rows("v_cvt_i32_f32: i32 <- f32\n v_cvt_i32_f64: i32 <- f64", saturate(I32)),
    *rows("v_cvt_u16_f16: u16 <- f16", saturate(U16)),
    *rows("v_cvt_i16_f16: i16 <- f16", saturate(np.int16)),
    *rows("v_cvt_rpi_i32_f32: i32 <- f32", lambda x: saturate(I32)(np.floor(x.astype(F64) + 0.5))),
    *rows("v_cvt_flr_i32_f32: i32 <- f32", lambda x: saturate(I32)(np.floor(x))),
    *[row for byte in range(4) for row in rows(
        f"v_cvt_f32_ubyte{byte}: f32 <- u32", lambda x, s=8 * byte: ((x >> U32(s)) & U32(255)).astype(F32))],
    *rows("v_cvt_pkrtz_f16_f32: u32 <- f32 f32", toward_zero_pair),
    *rows("v_cvt_pknorm_i16_f32: u32 <- f32 f32", _halves(_normalized(np.int16))),
    *rows("v_cvt_pknorm_u16_f32: u32 <- f32 f32", _halves(_normalized(U16))),
    *rows("v_cvt_pk_u16_u32: u32 <- u32 u32", _halves(_clip_to(U16))),
    *rows("v_cvt_pk_i16_i32: u32 <- i32 i32", _halves(_clip_to(np.int16))),
    *rows("v_cvt_pk_u16_f32: u32 <- f32 f32", _halves(saturate(U16))),
    *rows("v_cvt_pk_i16_f32: u32 <- f32 f32", _halves(saturate(np.int16))),
    *rows("v_cvt_pk_u8_f32: u32 <- f32 u32 u32", _insert_byte),
    *rows("v_pack_b32_f16: u32 <- f16 f16", _pack16),
]  # fmt: skip


# ---- 8-bit floats: forms that read or write part of a register ----------------------------------------------------


def convert_one(build: Build, name: str) -> Step:
    """v_cvt_f32_fp8/bf8: the low byte, or the one that SDWA or byte_sel (gfx12) selects, as f32."""
    table = FLOAT8[build.chip.float8][name].decode
    shift = U32(8 * _byte_select(build))
    return compile_row(Row(f"v_cvt_f32_{name}", ("f32",), ("u32",), lambda x: table[x >> shift & U32(255)]), build)


def _byte_select(build: Build) -> int:
    """Number of the byte that byte_sel names, which gfx12 alone has."""
    line = build.line
    byte = line.number("byte_sel")
    if "byte_sel" in line.modifiers and not (build.chip.name.startswith("gfx12") and 0 <= byte < 4):
        raise DecodeError(f"byte_sel:{line.modifiers['byte_sel']} is not supported on {line.name}")
    line.modifiers.pop("byte_sel", None)
    return byte


def convert_from_pair(build: Build, name: str) -> Step:
    """v_cvt_pk_f32_fp8/bf8: two codes of the word that op_sel (src0_sel, or the operand) picks become two f32."""
    line = build.line
    if set(line.modifiers) - {"op_sel", "src0_sel", "dst_sel", "dst_unused"}:
        raise DecodeError(f"modifier {', '.join(sorted(line.modifiers))} is not supported on {line.name}")
    operand = line.operands[1]
    word = max(line.bits("op_sel", (0, 0))[0], operand.half)
    selection = line.modifiers.get("src0_sel", "WORD_0")
    if selection in ("WORD_0", "WORD_1"):
        word = max(word, int(selection[-1]))
    elif selection != "DWORD":
        raise DecodeError(f"src0_sel:{selection} is not supported on {line.name}")
    plain = Build(type(line)(line.address, line.text, line.name, line.operands), build.agpr_base, chip=build.chip)
    get = plain.source(replace(operand, half=-1), "u32")
    row = plain.vector(line.operands[0], 2, write=True)
    build.reads_v |= plain.reads_v
    build.reads_s |= plain.reads_s
    build.writes_v |= plain.writes_v
    table, shift = FLOAT8[build.chip.float8][name].decode, U32(16 * word)

    def step(g: Group) -> None:
        bits = get(g) >> shift
        put(g, g.f32[row + 1], table[(bits >> U32(8)) & U32(255)])
        put(g, g.f32[row], table[bits & U32(255)])

    return step


def _require_only_op_sel(build: Build) -> None:
    unknown = set(build.line.modifiers) - {"op_sel"}
    if unknown:
        raise DecodeError(f"modifier {', '.join(sorted(unknown))} is not supported on {build.line.name}")


def convert_to_pair(build: Build, name: str) -> Step:
    """v_cvt_pk_fp8_f32/bf8: two f32 become the low or (op_sel's last bit) high word; the other word is kept."""
    line = build.line
    bits = line.bits("op_sel", (0, 0, 0))
    operands = line.operands
    _require_only_op_sel(build)
    high = max(bits[-1], operands[0].half)
    first, second = (build.source(o, "f32", i) for i, o in enumerate(operands[1:3]))
    row = build.vector(operands[0], 1, write=True, halves=True)
    saturate, encode = build.saturate, FLOAT8[build.chip.float8][name].encode

    def step(g: Group) -> None:
        codes = [encode(get(g), saturate) for get in (first, second)]
        low_code, high_code = np.broadcast_arrays(*codes)
        put(g, g.u16[row, :, :, high], low_code.astype(U16) | (high_code.astype(U16) << U16(8)))

    return step


def convert_stochastic(build: Build, name: str) -> Step:
    """v_cvt_sr_fp8_f32/bf8: one code into the byte that op_sel's last two bits (gfx12: byte_sel) name; the others are
    kept."""
    line = build.line
    bits = line.bits("op_sel", (0, 0, 0, 0))
    byte = bits[2] + 2 * bits[3] + _byte_select(build)
    _require_only_op_sel(build)
    value, random = build.source(line.operands[1], "f32"), build.source(line.operands[2], "u32", 1)
    row = build.vector(line.operands[0], 1, write=True)
    saturate, encode = build.saturate, FLOAT8[build.chip.float8][name].encode_stochastic
    return lambda g: put(g, g.u8[row, :, :, byte], encode(value(g), random(g), saturate))


def mixed_fma(build: Build, result: str) -> Step:
    """v_mad_mix_f32 / v_fma_mix_f32 and the mixlo/mixhi forms.

    A source is f32, or an f16 half if its op_sel_hi bit is set (op_sel then picks the half).
    """
    line = build.line
    pick, is_half = line.bits("op_sel", (0, 0, 0)), line.bits("op_sel_hi", (0, 0, 0))
    magnitude = line.bits("neg_hi", (0, 0, 0))
    negate = line.bits("neg_lo", (0, 0, 0))
    line.modifiers.pop("op_sel", None)
    getters: list[Any] = []
    for i, operand in enumerate(line.operands[1:4]):
        kept = Operand(operand.kind, operand.index, operand.count, text=operand.text)
        get = build.source(kept, "u32") if operand.kind != "imm" else None
        bits = operand.bits("f16" if is_half[i] else "f32") if get is None else 0
        absolute = operand.abs or bool(magnitude[i])
        negative = operand.neg or bool(negate[i])
        getters.append((get, U32(bits & 0xFFFFFFFF), pick[i], is_half[i], absolute, negative))
    row = build.vector(line.operands[0], 1, write=True)
    clamp = "clamp" in line.modifiers

    def read(g: Group, spec: Any) -> Any:
        get, constant, half, half_kind, absolute, negative = spec
        bits = np.asarray(constant if get is None else get(g))
        value = (bits >> U32(16 * half)).astype(U16).view(F16).astype(F32) if half_kind else bits.view(F32)
        value = np.abs(value) if absolute else value
        return -value if negative else value

    def step(g: Group) -> None:
        value = fma32(*[read(g, spec) for spec in getters])
        if clamp:
            value = np.nan_to_num(np.clip(value, 0, 1), nan=0.0)
        if result == "f32":
            put(g, g.f32[row], value)
        else:
            put(g, g.f16[row, :, :, 1 if result == "hi" else 0], value.astype(F16))

    return step


SPECIAL: dict[str, Callable[[Build], Step]] = {
    **{f"v_cvt_f32_{name}": partial(convert_one, name=name) for name in ("fp8", "bf8")},
    **{f"v_cvt_pk_f32_{name}": partial(convert_from_pair, name=name) for name in ("fp8", "bf8")},
    **{f"v_cvt_pk_{name}_f32": partial(convert_to_pair, name=name) for name in ("fp8", "bf8")},
    **{f"v_cvt_sr_{name}_f32": partial(convert_stochastic, name=name) for name in ("fp8", "bf8")},
    **{f"v_{m}_mix_f32": partial(mixed_fma, result="f32") for m in ("mad", "fma")},
    **{f"v_{m}_mixlo_f16": partial(mixed_fma, result="lo") for m in ("mad", "fma")},
    **{f"v_{m}_mixhi_f16": partial(mixed_fma, result="hi") for m in ("mad", "fma")},
}
"""Instructions whose operands the row format cannot say: name to a function from Build to the closure."""
