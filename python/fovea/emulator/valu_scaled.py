# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""gfx950's conversions with a scale, v_cvt_scalef32_*: between f32, f16 or bf16 and floats of 8, 6 or 4 bits.

Narrow values are the wide ones over the scale, wide values the narrow ones times it; the scale is a power of two, the
exponent field of an f32 operand (255: NaN). Formulas and the places of values: CDNA4 instruction set guide,
V_CVT_SCALEF32_*. Bits of op_sel that pick a byte or a half of the source or destination are numbered as there: bit 3 is
the last one in text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from fovea.emulator.errors import DecodeError
from fovea.emulator.float8 import FLOAT4, FLOAT6, FLOAT8, Format
from fovea.emulator.group import Group
from fovea.emulator.matrix_formats import bfloat16, pack_codes, unpack_codes
from fovea.emulator.operands import Build, Getter, Step, flush, put
from fovea.emulator.text import Line, Operand
from fovea.emulator.valu_gfx950 import prng

Array = np.ndarray[Any, Any]
F16, F32, F64 = np.float16, np.float32, np.float64
U8, U16, U32 = np.uint8, np.uint16, np.uint32
_STORED_BITS = {"f32": 23, "f16": 10, "bf16": 7}
_NARROW: dict[str, Format] = {**FLOAT8["ocp"], **FLOAT6, **FLOAT4}


@dataclass(frozen=True)
class Scaled:
    """One conversion: its formats, how many values, and how they are rounded.

    `sources` are the operands that hold the values; of two f32 ones with 16 values each, the results alternate.
    """

    narrow: str
    wide: str
    count: int
    sources: int = 1
    stochastic: bool = False


def _table() -> tuple[dict[str, Scaled], dict[str, Scaled]]:
    """Mnemonics of the conversions to narrow and to wide formats."""
    narrowing, widening = {}, {}
    stem = "v_cvt_scalef32"
    for wide in ("f32", "f16", "bf16"):
        two = 2 if wide == "f32" else 1
        for narrow in ("fp8", "bf8"):
            narrowing[f"{stem}_pk_{narrow}_{wide}"] = Scaled(narrow, wide, 2, two)
            narrowing[f"{stem}_sr_{narrow}_{wide}"] = Scaled(narrow, wide, 1, stochastic=True)
            widening[f"{stem}_pk_{wide}_{narrow}"] = Scaled(narrow, wide, 2)
            if wide != "bf16":
                widening[f"{stem}_{wide}_{narrow}"] = Scaled(narrow, wide, 1)
        narrowing[f"{stem}_pk_fp4_{wide}"] = Scaled("fp4", wide, 2, two)
        narrowing[f"{stem}_sr_pk_fp4_{wide}"] = Scaled("fp4", wide, 2, stochastic=True)
        widening[f"{stem}_pk_{wide}_fp4"] = Scaled("fp4", wide, 2)
        for narrow in ("fp6", "bf6"):
            plain = "2xpk16" if wide == "f32" else "pk32"
            narrowing[f"{stem}_{plain}_{narrow}_{wide}"] = Scaled(narrow, wide, 32, two)
            narrowing[f"{stem}_sr_pk32_{narrow}_{wide}"] = Scaled(narrow, wide, 32, stochastic=True)
            widening[f"{stem}_pk32_{wide}_{narrow}"] = Scaled(narrow, wide, 32)
    return narrowing, widening


TO_NARROW, TO_WIDE = _table()


def scale_of(scale: Any) -> Any:
    """The power of two that a scale operand stands for: only the exponent field of the f32 counts."""
    exponent = (np.asarray(scale) >> U32(23)) & U32(255)
    return np.where(exponent == 255, np.nan, np.ldexp(1.0, exponent.astype(np.int32) - 127))


def _selectors(line: Line) -> tuple[int, int, int, int]:
    """op_sel by the guide's numbers, from a list of three or four bits."""
    bits = line.bits("op_sel", (0, 0, 0))
    if len(bits) not in (3, 4):
        raise DecodeError(f"op_sel of {line.name} has three or four bits, found {len(bits)}")
    return bits[0], bits[1], bits[2] if len(bits) == 4 else 0, bits[-1]


def _take_operands(build: Build, count: int, allowed: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Check the form; returns op_sel, of which only the `allowed` bits may be set."""
    line = build.line
    if len(line.operands) != 1 + count or set(line.modifiers) - {"op_sel"}:
        raise DecodeError(f"{line.name} in this form is not supported")
    selectors = _selectors(line)
    if any(bit for number, bit in enumerate(selectors) if number not in allowed):
        raise DecodeError(f"op_sel:{line.modifiers['op_sel']} of {line.name} is not supported")
    line.modifiers.pop("op_sel", None)
    return selectors


def _wide_values(build: Build, operand: Operand, position: int, kind: str, count: int) -> Getter:
    """Reader of `count` values `(wave, lane, value)` in f64 from one operand."""
    single = count == 1
    if single and kind == "f32":
        one = build.source(operand, "f32", position)
        return lambda g: np.broadcast_to(np.asarray(one(g)), (g.count, 64))[..., None].astype(F64)
    registers = max(count // (1 if kind == "f32" else 2), 1)
    if (operand.neg or operand.abs) and not single:
        raise DecodeError(f"signs of packed sources of {build.line.name} are not supported")
    signed = Operand(operand.kind, operand.index, operand.count, operand.value, operand.text, is_float=operand.is_float)
    if registers > 1:
        start = build.vector(operand, registers)
        read: Getter = lambda g: np.ascontiguousarray(g.u32[start : start + registers].transpose(1, 2, 0))  # noqa: E731
    else:
        word = build.source(signed, "u32", position)
        read = lambda g: np.ascontiguousarray(np.broadcast_to(word(g), (g.count, 64)))[..., None]  # noqa: E731
    flushes = build.flushes(kind)

    def get(g: Group) -> Array:
        raw = read(g)
        values: Array
        if kind == "f32":
            values = flush(raw.view(F32)) if flushes else raw.view(F32)
        else:
            values = raw.view(F16) if kind == "f16" else bfloat16(raw.view(U16))
        values = values[..., :count].astype(F64)
        values = np.abs(values) if operand.abs else values
        return -values if operand.neg else values

    return get


def _narrowing(name: str) -> Callable[[Build], Step]:
    spec = TO_NARROW[name]
    kind = _NARROW[spec.narrow]
    width = kind.bits * spec.count

    def compile_it(build: Build) -> Step:
        operands = build.line.operands
        count = spec.sources + spec.stochastic + 1
        # A result of one byte goes to the byte that bits 2 and 3 name, one of two to the half that bit 3 names.
        selectors = _take_operands(build, count, {8: (2, 3), 16: (3,)}.get(width, ()))
        per_source = spec.count // spec.sources
        sources = [_wide_values(build, operands[1 + n], n, spec.wide, per_source) for n in range(spec.sources)]
        random = build.source(operands[1 + spec.sources], "u32", spec.sources) if spec.stochastic else None
        scale = build.source(operands[count], "u32", count - 1)
        registers = max(width // 32, 1)
        row = build.vector(operands[0], registers, write=True)
        saturate, stored = build.saturate, _STORED_BITS[spec.wide]
        place = selectors[2] + 2 * selectors[3] if width == 8 else selectors[3]

        def codes(g: Group) -> Array:
            values = np.stack([get(g) for get in sources], axis=-1).reshape(g.count, 64, spec.count)
            power = scale_of(scale(g))
            with_power = values / np.broadcast_to(power, (g.count, 64))[..., None]
            # The sign of a value survives a scale that is not a number.
            with_power = np.copysign(with_power, values)
            if random is None:
                return np.asarray(kind.encode(with_power, saturate))
            made, state = [], np.broadcast_to(np.asarray(random(g)), (g.count, 64))
            for n in range(spec.count):
                made.append(kind.encode_stochastic(with_power[..., n], state, saturate, stored))
                state = prng(state)
            return np.stack(made, axis=-1)

        def step(g: Group) -> None:
            made = codes(g)
            if registers > 1:
                words = pack_codes(made, kind.bits)
                for n in range(registers):
                    put(g, g.u32[row + n], words[..., n])
            elif width == 8:
                put(g, g.u8[row, :, :, place], made[..., 0] if kind.bits == 8 else made[..., 0] | made[..., 1] << 4)
            else:
                put(g, g.u16[row, :, :, place], made[..., 0].astype(U16) | made[..., 1].astype(U16) << U16(8))

        return step

    return compile_it


def _narrow_values(build: Build, operand: Operand, spec: Scaled, selectors: tuple[int, int, int, int]) -> Getter:
    """Reader of the narrow values `(wave, lane, value)` in f64."""
    kind = _NARROW[spec.narrow]
    table, width = kind.decode.astype(F64), kind.bits * spec.count
    if width > 32:
        registers = width // 32
        start = build.vector(operand, registers)
        return lambda g: table[
            unpack_codes(np.ascontiguousarray(g.u32[start : start + registers].transpose(1, 2, 0)), kind.bits)
        ]
    word = build.source(operand, "u32", 0)
    shift = U32(16 * selectors[0] if width == 16 else 8 * (selectors[0] + 2 * selectors[1]))
    steps = kind.bits * np.arange(spec.count, dtype=U32)
    mask = U32((1 << kind.bits) - 1)
    return lambda g: table[np.broadcast_to(word(g), (g.count, 64))[..., None] >> (shift + steps) & mask]


def _widening(name: str) -> Callable[[Build], Step]:
    spec = TO_WIDE[name]
    width = _NARROW[spec.narrow].bits * spec.count

    def compile_it(build: Build) -> Step:
        operands = build.line.operands
        half = spec.wide == "f16" and spec.count == 1
        selectors = _take_operands(build, 2, ({16: (0,), 8: (0, 1)}.get(width, ())) + ((3,) if half else ()))
        values = _narrow_values(build, operands[1], spec, selectors)
        scale = build.source(operands[2], "u32", 1)
        registers = max(spec.count // (1 if spec.wide == "f32" else 2), 1)
        row = build.vector(operands[0], registers, write=True)

        def step(g: Group) -> None:
            narrow = values(g)
            wide = narrow * np.broadcast_to(scale_of(scale(g)), (g.count, 64))[..., None]
            if spec.wide == "f32":
                words = np.ascontiguousarray(wide.astype(F32)).view(U32)
            else:
                to: Any = F16 if spec.wide == "f16" else ml_dtypes.bfloat16
                codes = np.ascontiguousarray(wide.astype(F32).astype(to)).view(U16)
                if half:
                    put(g, g.u16[row, :, :, selectors[3]], codes[..., 0])
                    return
                words = codes.view(U32)
            for n in range(registers):
                put(g, g.u32[row + n], words[..., n])

        return step

    return compile_it


SPECIAL: dict[str, Callable[[Build], Step]] = {
    **{name: _narrowing(name) for name in TO_NARROW},
    **{name: _widening(name) for name in TO_WIDE},
}
