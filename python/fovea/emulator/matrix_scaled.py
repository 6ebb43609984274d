# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""gfx950's matrix instructions on 8-, 6- and 4-bit floats with block scales (one small table).

`v_mfma_f32_{16x16x128,32x32x64}_f8f6f4` and `v_mfma_scale_...`, which takes two more operands, the scales. cbsz names
the format of A, blgp that of B: 0 fp8 (E4M3FN), 1 bf8 (E5M2), 2 fp6 (E2M3), 3 bf6 (E3M2), 4 fp4 (E2M1).

Layout (AMD's CDNA4 instruction set guide; the register maps in Composable Kernel's tests of these instructions): lane l
holds row (A) or column (B) l % M of k-group l // M, 32 values. 6- and 4-bit values of group g are k = 32 g .. 32 g + 31
in order, packed from bit 0 of the lane's first register on. 8-bit values come in two halves of 16: k = 16 g + i and
k = K / 2 + 16 g + i. The scale of row r and k-block b (32 values of k) is an E8M0 byte, 2**(code - 127), 255 is NaN, in
lane b * M + r; op_sel and op_sel_hi are the low and high bit of the byte's number in the scale register. D as in the
f32 results of `mfma`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fovea.emulator.errors import DecodeError
from fovea.emulator.float8 import FLOAT4, FLOAT6, FLOAT8, Format
from fovea.emulator.group import Group
from fovea.emulator.matrix_formats import unpack_codes
from fovea.emulator.mfma import Matrix, arrange
from fovea.emulator.operands import Build, Getter, Step
from fovea.emulator.text import Operand

Array = np.ndarray[Any, Any]
FORMATS: tuple[Format, ...] = (
    FLOAT8["ocp"]["fp8"], FLOAT8["ocp"]["bf8"], FLOAT6["fp6"], FLOAT6["bf6"], FLOAT4["fp4"],
)  # fmt: skip
"""By the number in cbsz and blgp."""
TABLE: dict[str, Matrix] = {
    "v_mfma_f32_16x16x128_f8f6f4": Matrix(16, 128, "f8f6f4", "f8f6f4", "f32"),
    "v_mfma_f32_32x32x64_f8f6f4": Matrix(32, 64, "f8f6f4", "f8f6f4", "f32"),
    "v_mfma_scale_f32_16x16x128_f8f6f4": Matrix(16, 128, "f8f6f4", "f8f6f4", "f32"),
    "v_mfma_scale_f32_32x32x64_f8f6f4": Matrix(32, 64, "f8f6f4", "f8f6f4", "f32"),
}


def _operand(build: Build, operand: Operand, matrix: Matrix, kind: Format, scale: Getter | None) -> Getter:
    """Reader of A or B as `(wave, row or column, k)` in f64, the block scales applied."""
    registers = kind.bits
    start = build.vector(operand, registers)
    side, groups = matrix.side, 64 // matrix.side

    def get(g: Group) -> Array:
        raw = np.ascontiguousarray(
            g.u32[start : start + registers].reshape(registers, g.count, groups, side).transpose(1, 3, 2, 0)
        )
        values = kind.decode[unpack_codes(raw, kind.bits)].astype(np.float64)
        if kind.bits == 8:
            values = values.reshape(g.count, side, groups, 2, 16).swapaxes(2, 3)
        values = values.reshape(g.count, side, groups, 32)
        if scale is not None:
            values = values * scale(g)[..., None]
        return values.reshape(g.count, side, groups * 32)

    return get


def _scale(build: Build, operand: Operand, position: int, side: int) -> Getter:
    """Reader of the block scales as `(wave, row or column, block)`."""
    low, high = (build.line.bits(name, (0, 0, 0))[position] for name in ("op_sel", "op_sel_hi"))
    shift = np.uint32(8 * (low + 2 * high))
    plain = Operand(operand.kind, operand.index, operand.count, operand.value, operand.text, is_float=operand.is_float)
    read = build.source(plain, "u32", position)

    def get(g: Group) -> Array:
        codes = np.broadcast_to((read(g) >> shift) & np.uint32(255), (g.count, 64))
        power = np.where(codes == 255, np.nan, np.ldexp(1.0, codes.astype(np.int32) - 127))
        return power.reshape(g.count, 64 // side, side).swapaxes(1, 2)

    return get


def compile_scaled(name: str, build: Build) -> Step:
    """Closure of one f8f6f4 instruction. EXEC is ignored, as on the hardware."""
    matrix, line = TABLE.get(name), build.line
    if matrix is None:
        raise DecodeError(f"matrix instruction {name} is not supported")
    scaled = "_scale_" in name
    unknown = set(line.modifiers) - {"cbsz", "blgp"} - ({"op_sel", "op_sel_hi"} if scaled else set())
    if unknown:
        raise DecodeError(f"modifier {', '.join(sorted(unknown))} is not supported on {name}")
    if len(line.operands) != 4 + 2 * scaled:
        raise DecodeError(f"{name} has {4 + 2 * scaled} operands, found {len(line.operands)}")
    codes = line.number("cbsz"), line.number("blgp")
    if max(codes) >= len(FORMATS):
        raise DecodeError(f"format number {max(codes)} of {name} is not defined")
    scales: list[Callable[[Group], Array] | None] = [None, None]
    if scaled:
        scales = [_scale(build, line.operands[4 + n], n, matrix.side) for n in range(2)]
    get_a, get_b = (
        _operand(build, line.operands[1 + n], matrix, FORMATS[codes[n]], scales[n]) for n in range(2)
    )
    count = matrix.results
    c = line.operands[3]
    start = None if c.kind == "imm" else build.vector(c, count)
    constant = np.array(c.bits("f32") if start is None else 0, np.uint64).astype(np.uint32).view(np.float32)
    into = build.vector(line.operands[0], count, write=True)
    arranged = arrange(matrix)

    def step(g: Group) -> None:
        # Products of these formats are exact in f64; their sum is rounded to f32 once.
        product = np.matmul(get_a(g), get_b(g).swapaxes(1, 2))
        result = arranged(product[:, None])
        target = g.f32[into : into + count].reshape(result.shape)
        previous = constant if start is None else g.f32[start : start + count].reshape(result.shape)
        target[...] = result + previous

    return step
