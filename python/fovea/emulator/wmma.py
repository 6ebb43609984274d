# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Matrix instructions of gfx11 and gfx12, `v_wmma_*` and `v_swmmac_*` on waves of 32 lanes (two tables).

All results are 16 x 16. Layout (AMD's RDNA3 and RDNA4 instruction set guides, "WMMA"):
gfx11: lane l holds row (A) or column (B) l % 16 with all values of k in order; lanes 16 .. 31 repeat lanes 0 .. 15.
Result register i of lane l: row 2 i + l / 16, column l % 16. 16-bit results take one half of eight registers, which
bit 2 of op_sel picks for C and D; the other half is kept.
gfx12: lane l holds row or column l % 16, half of k each in lanes 0 .. 15 and 16 .. 31; the order of k is the same for A
and B and so of no effect. Result i of lane l: row 8 (l / 16) + i; 16-bit results are packed in four registers.
Sparse A (`swmmac`): two of every four values of k are stored; a nibble of the index register places a pair (see
`matrix_formats`), `index_key` picks the register's half. The destination is the addend.

Modifiers: neg_lo says that 8- and 4-bit integers are signed, clamp saturates their sum to 32 bits. On 16-bit operands
neg_lo negates the low halves and neg_hi the high ones; on a floating C neg_lo negates and neg_hi takes the magnitude
before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from fovea.emulator.errors import DecodeError, Fault
from fovea.emulator.group import Group
from fovea.emulator.matrix_formats import BITS, bfloat16, decoder, expand
from fovea.emulator.operands import Build, Getter, Step
from fovea.emulator.text import Operand

Array = np.ndarray[Any, Any]
F64, U16, U32 = np.float64, np.uint16, np.uint32


@dataclass(frozen=True)
class Wmma:
    """Formats of A, B and the result, the sum's length, and whether gfx12 alone has it."""

    a: str
    b: str
    result: str
    k: int = 16
    gfx12: bool = False


_PAIRS = [(a, b) for a in ("fp8", "bf8") for b in ("fp8", "bf8")]
TABLE = {
    "v_wmma_f32_16x16x16_f16": Wmma("f16", "f16", "f32"),
    "v_wmma_f32_16x16x16_bf16": Wmma("bf16", "bf16", "f32"),
    "v_wmma_f16_16x16x16_f16": Wmma("f16", "f16", "f16"),
    "v_wmma_bf16_16x16x16_bf16": Wmma("bf16", "bf16", "bf16"),
    "v_wmma_i32_16x16x16_iu8": Wmma("i8", "i8", "i32"),
    "v_wmma_i32_16x16x16_iu4": Wmma("i4", "i4", "i32"),
    "v_wmma_i32_16x16x32_iu4": Wmma("i4", "i4", "i32", 32, True),
    **{f"v_wmma_f32_16x16x16_{a}_{b}": Wmma(a, b, "f32", 16, True) for a, b in _PAIRS},
}
SPARSE = {
    "v_swmmac_f32_16x16x32_f16": Wmma("f16", "f16", "f32", 32, True),
    "v_swmmac_f32_16x16x32_bf16": Wmma("bf16", "bf16", "f32", 32, True),
    "v_swmmac_f16_16x16x32_f16": Wmma("f16", "f16", "f16", 32, True),
    "v_swmmac_bf16_16x16x32_bf16": Wmma("bf16", "bf16", "bf16", 32, True),
    "v_swmmac_i32_16x16x32_iu8": Wmma("i8", "i8", "i32", 32, True),
    "v_swmmac_i32_16x16x32_iu4": Wmma("i4", "i4", "i32", 32, True),
    "v_swmmac_i32_16x16x64_iu4": Wmma("i4", "i4", "i32", 64, True),
    **{f"v_swmmac_f32_16x16x32_{a}_{b}": Wmma(a, b, "f32", 32, True) for a, b in _PAIRS},
}


def _values(build: Build, operand: Operand, kind: str, count: int, position: int) -> Getter:
    """Reader of the values `(wave, 32 lanes, count)` of A or B, signs applied."""
    registers = BITS[kind] * count // 32
    start = build.vector(operand, registers)
    low, high = (bool(build.line.bits(name, (0, 0, 0))[position]) for name in ("neg_lo", "neg_hi"))
    decode = decoder(kind, low, "ocp")
    # On integers neg_lo is the sign of the format.
    signs = np.array([-1.0 if low else 1.0, -1.0 if high else 1.0]) if BITS[kind] == 16 and (low or high) else None

    def get(g: Group) -> Array:
        values = decode(np.ascontiguousarray(g.u32[start : start + registers, :, :32].transpose(1, 2, 0)))
        return values if signs is None else values * np.tile(signs, count // 2)

    return get


def _by_line(get: Getter, text: str, doubled: bool) -> Getter:
    """Lane values as `(wave, row or column, k)`."""

    def arranged(g: Group) -> Array:
        values = get(g)
        if doubled:
            differs = ((values[:, :16] != values[:, 16:]) & ~np.isnan(values[:, :16])).any(axis=(1, 2))
            if differs.any():
                wave = int(np.flatnonzero(differs)[0])
                raise Fault(f"lanes 16 to 31 of operand '{text}' do not repeat lanes 0 to 15", wave)
            return values[:, :16]
        return values.reshape(g.count, 2, 16, -1).swapaxes(1, 2).reshape(g.count, 16, -1)

    return arranged


class _Tile:
    """C and D: eight results a lane as `(result, wave, lane)`."""

    def __init__(self, kind: str, doubled: bool, half: int) -> None:
        self.kind, self.half = kind, half
        self.narrow = kind in ("f16", "bf16")
        self.halved = self.narrow and doubled
        self.registers = 4 if self.narrow and not doubled else 8

    def decode(self, codes: Array) -> Array:
        """Values in f64 of codes as wide as the format."""
        if self.kind == "bf16":
            return bfloat16(codes).astype(F64)
        return codes.view({"f16": np.float16, "f32": np.float32, "i32": np.int32}[self.kind]).astype(F64)

    def constant(self, operand: Operand) -> Array:
        """An inline constant, which has the format's own width."""
        bits = operand.bits("f16" if self.kind == "f16" else "f32" if self.kind != "i32" else "u32") & 0xFFFFFFFF
        code = bits >> 16 if self.kind == "bf16" and operand.is_float else bits
        return self.decode(np.array([code], U16 if self.narrow else U32))

    def read(self, g: Group, start: int) -> Array:
        if self.halved:
            return self.decode(np.ascontiguousarray(g.u16[start : start + 8, :, :32, self.half]))
        if self.narrow:
            pairs = np.ascontiguousarray(g.u16[start : start + 4, :, :32].transpose(0, 3, 1, 2))
            return self.decode(pairs.reshape(8, g.count, 32))
        return self.decode(np.ascontiguousarray(g.u32[start : start + 8, :, :32]))

    def write(self, g: Group, start: int, total: Array, clamp: bool) -> None:
        """Round to the format (bf16 by way of f32) and store."""
        codes: Array
        if self.kind == "i32":
            wide = np.clip(total, -(2.0**31), 2.0**31 - 1) if clamp else total
            codes = (wide.astype(np.int64) & 0xFFFFFFFF).astype(U32)
        elif self.kind == "bf16":
            codes = total.astype(np.float32).astype(ml_dtypes.bfloat16).view(U16)
        else:
            codes = total.astype(np.float16).view(U16) if self.kind == "f16" else total.astype(np.float32).view(U32)
        if self.halved:
            g.u16[start : start + 8, :, :32, self.half] = codes
        elif self.narrow:
            g.u16[start : start + 4, :, :32] = codes.reshape(4, 2, g.count, 32).transpose(0, 2, 3, 1)
        else:
            g.u32[start : start + 8, :, :32] = codes


def _allowed(spec: Wmma, sparse: bool, doubled: bool) -> set[str]:
    """Modifiers that the instruction takes."""
    names = {"neg_lo", "clamp"} if spec.result == "i32" else {"neg_lo", "neg_hi"}
    if spec.result in ("f16", "bf16") and doubled:
        names.add("op_sel")
    return names | ({"index_key"} if sparse else set())


def _check(name: str, build: Build, spec: Wmma | None, sparse: bool) -> Wmma:
    line = build.line
    doubled = build.chip.name == "gfx1100"
    if spec is None or build.chip.lanes != 32 or (spec.gfx12 and doubled):
        raise DecodeError(f"matrix instruction {name} is not supported on {build.chip.name}")
    unknown = set(line.modifiers) - _allowed(spec, sparse, doubled)
    if unknown:
        raise DecodeError(f"modifier {', '.join(sorted(unknown))} is not supported on {name}")
    if len(line.operands) != 4:
        raise DecodeError(f"{name} has 4 operands, found {len(line.operands)}")
    signs = [line.bits(modifier, (0, 0, 0)) for modifier in ("neg_lo", "neg_hi")]
    narrow = BITS[spec.a] < 16
    if (narrow and spec.result != "i32" and any(any(bits[:2]) for bits in signs)) or (
        (spec.result == "i32" or sparse) and any(bits[2] for bits in signs)
    ):
        raise DecodeError(f"signs of these operands of {name} are not supported")
    if any(line.bits("op_sel", (0, 0, 0))[:2]):
        raise DecodeError(f"op_sel of A or B of {name} is not supported")
    return spec


def _arranged(product: Array, doubled: bool) -> Array:
    """Products `(wave, row, column)` as `(result, wave, lane)`."""
    count = len(product)
    parts = product.reshape(count, 8, 2, 16) if doubled else product.reshape(count, 2, 8, 16).swapaxes(1, 2)
    return parts.transpose(1, 0, 2, 3).reshape(8, count, 32)


def compile_wmma(name: str, build: Build) -> Step:
    """Closure of one dense instruction. EXEC is ignored, as on the hardware."""
    spec, line = _check(name, build, TABLE.get(name), False), build.line
    doubled = build.chip.name == "gfx1100"
    target, a, b, c = line.operands
    per_lane = spec.k if doubled else spec.k // 2
    get_a, get_b = (
        _by_line(_values(build, operand, kind, per_lane, n), operand.text, doubled)
        for n, (operand, kind) in enumerate(((a, spec.a), (b, spec.b)))
    )
    tile = _Tile(spec.result, doubled, line.bits("op_sel", (0, 0, 0))[2])
    start = None if c.kind == "imm" else build.vector(c, tile.registers)
    constant = tile.constant(c) if start is None else np.zeros(1)
    into = build.vector(target, tile.registers, write=True)
    negate, magnitude = (bool(line.bits(modifier, (0, 0, 0))[2]) for modifier in ("neg_lo", "neg_hi"))
    clamp = "clamp" in line.modifiers

    def step(g: Group) -> None:
        # Products are exact in f64; their sum with C is rounded to the result's format once.
        product = np.matmul(get_a(g), get_b(g).swapaxes(1, 2))
        old = constant if start is None else tile.read(g, start)
        old = np.abs(old) if magnitude else old
        tile.write(g, into, _arranged(product, doubled) + (-old if negate else old), clamp)

    return step


def compile_sparse(name: str, build: Build) -> Step:
    """Closure of one instruction with sparse A. EXEC is ignored, as on the hardware."""
    spec, line = _check(name, build, SPARSE.get(name), True), build.line
    target, a, b, index = line.operands
    packed = _values(build, a, spec.a, spec.k // 4, 0)
    get_b = _by_line(_values(build, b, spec.b, spec.k // 2, 1), b.text, False)
    key = line.number("index_key")
    # A lane has as many index bits as it has values; an index of 32 bits fills the register.
    if not 0 <= key <= (spec.k < 64):
        raise DecodeError(f"index_key:{key} of {name} is not supported")
    row, shift = build.vector(index, 1), U32(16 * key)
    tile = _Tile(spec.result, False, 0)
    into = build.vector(target, tile.registers)
    build.vector(target, tile.registers, write=True)
    clamp = "clamp" in line.modifiers
    get_a = _by_line(lambda g: expand(packed(g), g.u32[row, :, :32] >> shift), a.text, False)

    def step(g: Group) -> None:
        product = np.matmul(get_a(g), get_b(g).swapaxes(1, 2))
        tile.write(g, into, _arranged(product, False) + tile.read(g, into), clamp)

    return step
