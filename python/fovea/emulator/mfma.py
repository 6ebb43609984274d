# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Matrix instructions of gfx942, batched over all waves of a group.

Layout (AMD "CDNA3 Instruction Set Architecture", matrix arithmetic), for an M x N x K instruction with `blocks`
independent products, M = N. Lane l works on row (A) or column (B) l % M; q = l // M counts on: with b blocks, block is
q % blocks and the group of consecutive k is q // blocks; each lane holds K * blocks * M / 64 consecutive values of k.
Result register i of lane l, for blocks == 1: column l % M; 16x16: row 4 * (l // 16) + i; 32x32: row
8 * (i // 4) + 4 * (l // 32) + i % 4.

The products of one instruction are summed in f32 by the BLAS library's order (f64 for f64, exact for i8), then C is
added: one legal order, the hardware's own is not specified.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.emulator.errors import DecodeError
from fovea.emulator.float8 import FLOAT8
from fovea.emulator.group import Group
from fovea.emulator.operands import Build, Getter, Reuse, Step
from fovea.emulator.text import Operand

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Matrix:
    """One matrix instruction: side length, k a block, independent blocks, operand formats and result type."""

    side: int
    k: int
    a: str
    b: str
    result: str
    blocks: int = 1

    @property
    def per_lane(self) -> int:
        """Operand values a lane holds."""
        return self.side * self.k * self.blocks // 64

    @property
    def results(self) -> int:
        """Result values a lane holds."""
        return self.side * self.side * self.blocks // 64


_BITS = {"xf32": 32, "f32": 32, "f16": 16, "bf16": 16, "fp8": 8, "bf8": 8, "i8": 8, "f64": 64}
TABLE: dict[str, Matrix] = {
    "v_mfma_f32_32x32x2_f32": Matrix(32, 2, "f32", "f32", "f32"),
    "v_mfma_f32_16x16x4_f32": Matrix(16, 4, "f32", "f32", "f32"),
    "v_mfma_f32_32x32x8_f16": Matrix(32, 8, "f16", "f16", "f32"),
    "v_mfma_f32_16x16x16_f16": Matrix(16, 16, "f16", "f16", "f32"),
    "v_mfma_f32_32x32x8_bf16": Matrix(32, 8, "bf16", "bf16", "f32"),
    "v_mfma_f32_16x16x16_bf16": Matrix(16, 16, "bf16", "bf16", "f32"),
    "v_mfma_i32_32x32x16_i8": Matrix(32, 16, "i8", "i8", "i32"),
    "v_mfma_i32_16x16x32_i8": Matrix(16, 32, "i8", "i8", "i32"),
    "v_mfma_f64_16x16x4_f64": Matrix(16, 4, "f64", "f64", "f64"),
    **{
        f"v_mfma_f32_{size}_{a}_{b}": Matrix(side, k, a, b, "f32")
        for size, side, k in (("16x16x32", 16, 32), ("32x32x16", 32, 16))
        for a in ("fp8", "bf8")
        for b in ("fp8", "bf8")
    },
    "v_mfma_f32_16x16x8_xf32": Matrix(16, 8, "xf32", "xf32", "f32"),
    "v_mfma_f32_32x32x4_xf32": Matrix(32, 4, "xf32", "xf32", "f32"),
    # gfx950
    "v_mfma_f32_16x16x32_f16": Matrix(16, 32, "f16", "f16", "f32"),
    "v_mfma_f32_32x32x16_f16": Matrix(32, 16, "f16", "f16", "f32"),
    "v_mfma_f32_16x16x32_bf16": Matrix(16, 32, "bf16", "bf16", "f32"),
    "v_mfma_f32_32x32x16_bf16": Matrix(32, 16, "bf16", "bf16", "f32"),
    "v_mfma_i32_16x16x64_i8": Matrix(16, 64, "i8", "i8", "i32"),
    "v_mfma_i32_32x32x32_i8": Matrix(32, 32, "i8", "i8", "i32"),
    # several blocks
    "v_mfma_f64_4x4x4_4b_f64": Matrix(4, 4, "f64", "f64", "f64", 4),
    "v_mfma_f32_32x32x1_2b_f32": Matrix(32, 1, "f32", "f32", "f32", 2),
    "v_mfma_f32_16x16x1_4b_f32": Matrix(16, 1, "f32", "f32", "f32", 4),
    "v_mfma_f32_4x4x1_16b_f32": Matrix(4, 1, "f32", "f32", "f32", 16),
    "v_mfma_f32_32x32x4_2b_f16": Matrix(32, 4, "f16", "f16", "f32", 2),
    "v_mfma_f32_16x16x4_4b_f16": Matrix(16, 4, "f16", "f16", "f32", 4),
    "v_mfma_f32_4x4x4_16b_f16": Matrix(4, 4, "f16", "f16", "f32", 16),
    "v_mfma_i32_32x32x4_2b_i8": Matrix(32, 4, "i8", "i8", "i32", 2),
    "v_mfma_i32_16x16x4_4b_i8": Matrix(16, 4, "i8", "i8", "i32", 4),
    "v_mfma_i32_4x4x4_16b_i8": Matrix(4, 4, "i8", "i8", "i32", 16),
    "v_mfma_f32_32x32x4_2b_bf16": Matrix(32, 4, "bf16", "bf16", "f32", 2),
    "v_mfma_f32_16x16x4_4b_bf16": Matrix(16, 4, "bf16", "bf16", "f32", 4),
    "v_mfma_f32_4x4x4_16b_bf16": Matrix(4, 4, "bf16", "bf16", "f32", 16),
}
ONLY_ON: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("v_mfma_f32_16x16x8_xf32", "v_mfma_f32_32x32x4_xf32"), ("gfx942",)),
    **dict.fromkeys(
        (f"v_mfma_{kind}" for kind in (
            "f32_16x16x32_f16", "f32_32x32x16_f16", "f32_16x16x32_bf16", "f32_32x32x16_bf16", "i32_16x16x64_i8",
            "i32_32x32x32_i8",
        )),
        ("gfx950",),
    ),
}  # fmt: skip
"""Rows that not every chip of the table has."""
_OLD_SPELLING = re.compile(r"^(v_mfma_[a-z0-9]+_\d+x\d+x\d+)(f16|f32|i8|f64|bf16_1k)$")
_BLOCKS = {(32, 1): 2, (16, 1): 4, (4, 1): 16, (32, 4): 2, (16, 4): 4, (4, 4): 16}


def find(name: str) -> Matrix | None:
    """The row of a mnemonic in either spelling (`..._16x16x16_f16` or the older `..._16x16x16f16`, `..._bf16_1k`)."""
    name = name.removesuffix("_1k")
    if name in TABLE:
        return TABLE[name]
    match = _OLD_SPELLING.match(name)
    if match is None:
        return None
    stem, kind = match.groups()
    if f"{stem}_{kind}" in TABLE:
        return TABLE[f"{stem}_{kind}"]
    sizes = re.findall(r"(\d+)x\d+x(\d+)", stem)[0]
    blocks = _BLOCKS.get((int(sizes[0]), int(sizes[1])))
    return TABLE.get(f"{stem}_{blocks}b_{kind}")


def _pairs(table: Array) -> Array:
    """Two 8-bit codes to two f32 at once; complex64 is only the container of the pair."""
    return np.stack([np.tile(table, 256), np.repeat(table, 256)], axis=1).reshape(-1).view(np.complex64)


_I8_PAIRS = _pairs(np.arange(256, dtype=np.uint8).view(np.int8).astype(np.float32))
_PAIRS: dict[str, dict[str, Array]] = {
    family: {"i8": _I8_PAIRS, **{name: _pairs(item.decode) for name, item in formats.items()}}
    for family, formats in FLOAT8.items()
}


def round_xf32(bits: Array) -> Array:
    """f32 codes with the mantissa rounded to XF32's 10 bits, to nearest even; infinities and NaN stay."""
    odd = bits >> np.uint32(13) & np.uint32(1)
    rounded = bits + np.uint32(0xFFF) + odd & np.uint32(0xFFFFE000)
    return np.where((bits & np.uint32(0x7F800000)) == np.uint32(0x7F800000), bits, rounded)


def _operand(build: Build, operand: Operand, matrix: Matrix, kind: str, is_a: bool) -> Getter:
    """Reader of A as `(wave, block, row, k)` or B as `(wave, block, k, column)` in the arithmetic type."""
    registers = matrix.per_lane * _BITS[kind] // 32
    row = build.vector(operand, registers)
    side, blocks = matrix.side, matrix.blocks
    groups = 64 // side // blocks
    k = groups * matrix.per_lane
    pairs = _PAIRS[build.chip.float8].get(kind)

    def convert(g: Group) -> Array:
        raw = np.empty((g.count, blocks, side, groups, registers), np.uint32)
        for i in range(registers):
            raw[..., i] = g.u32[row + i].reshape(g.count, groups, blocks, side).transpose(0, 2, 3, 1)
        if pairs is not None:
            values = pairs.take(raw.view(np.uint16)).view(np.float32)
        elif kind == "f16":
            values = raw.view(np.float16).astype(np.float32)
        elif kind == "bf16":
            values = (raw.view(np.uint16).astype(np.uint32) << np.uint32(16)).view(np.float32)
        elif kind == "xf32":
            values = round_xf32(raw).view(np.float32)
        else:
            values = raw.view(np.float64 if kind == "f64" else np.float32)
        values = values.reshape(g.count, blocks, side, k)
        return values if is_a else np.ascontiguousarray(values.swapaxes(2, 3))

    # A tile's operand meets several others: within a basic block its converted form is kept.
    key = (row, kind, side, blocks, is_a)
    reuse = Reuse(key, tuple(range(row, row + registers)))
    build.reuses.append(reuse)

    def get(g: Group) -> Array:
        if reuse.from_earlier:
            return g.converted[key] if reuse.for_later else g.converted.pop(key)
        values = convert(g)
        if reuse.for_later:
            g.converted[key] = values
        return values

    return get


def compile_matrix(name: str, build: Build) -> Step:
    """Closure of one matrix instruction. EXEC is ignored, as on the hardware."""
    matrix = find(name)
    line = build.line
    if matrix is None or build.chip.name not in ONLY_ON.get(name, (build.chip.name,)):
        raise DecodeError(f"matrix instruction {name} is not supported on {build.chip.name}")
    for modifier in line.modifiers:
        if modifier not in ("cbsz", "abid", "blgp") or line.number(modifier) != 0:
            raise DecodeError(f"modifier {modifier}:{line.modifiers[modifier]} is not supported on {name}")
    if len(line.operands) != 4:
        raise DecodeError(f"{name} has 4 operands, found {len(line.operands)}")
    target, a, b, c = line.operands
    get_a = _operand(build, a, matrix, matrix.a, True)
    get_b = _operand(build, b, matrix, matrix.b, False)
    width = 2 if matrix.result == "f64" else 1
    registers = matrix.results * width
    start: int | None = None
    constant = np.float32(0)
    if c.kind == "imm":
        bits = c.bits("f64" if matrix.result == "f64" else "f32" if matrix.result == "f32" else "u32")
        kind: Any = {"f32": np.float32, "i32": np.int32, "f64": np.float64}[matrix.result]
        constant = np.array([bits & ((1 << 32 * width) - 1)], np.uint64 if width == 2 else np.uint32).view(kind)[0]
    else:
        start = build.vector(c, registers)
    into = build.vector(target, registers, write=True)
    if matrix.result == "f64":
        return _step_f64(matrix, get_a, get_b, start, constant, into)
    plane = "i32" if matrix.result == "i32" else "f32"
    arranged = arrange(matrix)

    def step(g: Group) -> None:
        product = np.matmul(get_a(g), get_b(g))
        if plane == "i32":
            # Sums of at most 64 products of 8-bit integers are at most 2**20, so f32 holds them exactly.
            product = product.astype(np.int32)
        result = arranged(product)
        file = getattr(g, plane)
        target = file[into : into + registers].reshape(result.shape)
        previous = constant if start is None else file[start : start + registers].reshape(result.shape)
        np.add(result, previous, out=target)

    return step


def arrange(matrix: Matrix) -> Callable[[Array], Array]:
    """View of products `(wave, block, row, column)` with axes that flatten to `(register, wave, lane)`."""
    side, blocks = matrix.side, matrix.blocks
    if side == 4:
        # Block is the group of four lanes, register the row.
        return lambda product: product.transpose(2, 0, 1, 3)
    lane_groups = 64 // side
    # Rows in fours: register group, lane group, register within four.
    return lambda product: product.reshape(
        len(product), blocks, side // 4 // lane_groups, lane_groups, 4, side
    ).transpose(1, 2, 4, 0, 3, 5)


def _step_f64(matrix: Matrix, get_a: Getter, get_b: Getter, start: int | None, constant: Any, into: int) -> Step:
    """f64: 16x16x4: register pair i of lane l is row l // 16 + 4 * i, column l % 16; 4x4x4 with four blocks: lane l is
    row l // 16, block l // 4 % 4, column l % 4."""
    count = matrix.results

    def step(g: Group) -> None:
        waves = g.count
        product = np.matmul(get_a(g), get_b(g))
        if matrix.side == 4:
            result = product.transpose(0, 2, 1, 3).reshape(waves, 64, 1)
        else:
            result = product.reshape(waves, 4, 4, 16).transpose(0, 2, 3, 1).reshape(waves, 64, count)
        if start is None:
            total = result + constant
        else:
            raw = np.ascontiguousarray(g.u32[start : start + 2 * count].transpose(1, 2, 0))
            total = result + raw.view(np.float64)
        words = np.ascontiguousarray(total).view(np.uint32)
        g.u32[into : into + 2 * count] = words.transpose(2, 0, 1)

    return step
