# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Matrix instructions of gfx942 and gfx950 on a sparse A, `v_smfmac_*` (one table).

Layout (AMD's CDNA3 and CDNA4 guides, "Sparse Matrices"; AMD Matrix Instruction Calculator): lane l holds row (A) or
column (B) l % M of lane group l // M. A lane's values of B belong to as many k in fours; of each four, A stores two,
which a nibble of the index register places (see `matrix_formats`). Which k a four is differs between instructions, is
the same for A and B, and so of no effect. The destination is the addend; results as in `mfma`. Where the index register
holds several sets of a lane's nibbles, abid picks one if cbsz is 0, else it is the first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fovea.emulator.errors import DecodeError
from fovea.emulator.group import Group
from fovea.emulator.matrix_formats import BITS, decoder, expand
from fovea.emulator.mfma import Matrix, arrange
from fovea.emulator.operands import Build, Getter, Step
from fovea.emulator.text import Operand

Array = np.ndarray[Any, Any]
_FLOAT8 = [(a, b) for a in ("fp8", "bf8") for b in ("fp8", "bf8")]


def _rows(sixteen: tuple[str, str], eight: tuple[str, str]) -> dict[str, Matrix]:
    """The rows of two shapes of 16-bit and two of 8-bit operands."""
    table = {}
    for shape, kinds in ((sixteen, [("f16", "f16"), ("bf16", "bf16")]), (eight, [("i8", "i8"), *_FLOAT8])):
        for size in shape:
            side, k = int(size.split("x")[0]), int(size.split("x")[2])
            for a, b in kinds:
                result = "i32" if a == "i8" else "f32"
                suffix = a if BITS[a] == 16 or a == "i8" else f"{a}_{b}"
                table[f"v_smfmac_{result}_{size}_{suffix}"] = Matrix(side, k, a, b, result)
    return table


ON_BOTH = _rows(("16x16x32", "32x32x16"), ("16x16x64", "32x32x32"))
ONLY_GFX950 = {
    name: matrix
    for name, matrix in _rows(("16x16x64", "32x32x32"), ("16x16x128", "32x32x64")).items()
    if name not in ON_BOTH
}
TABLE = ON_BOTH | ONLY_GFX950


def _values(build: Build, operand: Operand, kind: str, side: int, count: int) -> Getter:
    """Reader of a lane's `count` values as `(wave, row or column, group, value)` in f64."""
    registers = BITS[kind] * count // 32
    start = build.vector(operand, registers)
    decode = decoder(kind, True, build.chip.float8)
    groups = 64 // side

    def get(g: Group) -> Array:
        raw = g.u32[start : start + registers].reshape(registers, g.count, groups, side)
        return decode(np.ascontiguousarray(raw.transpose(1, 3, 2, 0)))

    return get


def _index(build: Build, operand: Operand, side: int, bits: int) -> Getter:
    """Reader of a lane's nibbles as `(wave, row, group)`."""
    line, sets = build.line, 32 // bits
    chosen = 0 if line.number("cbsz") & 3 else line.number("abid") & (sets - 1)
    row, shift, groups = build.vector(operand, 1), np.uint32(bits * chosen), 64 // side
    return lambda g: (g.u32[row] >> shift).reshape(g.count, groups, side).swapaxes(1, 2)


def compile_sparse_matrix(name: str, build: Build) -> Step:
    """Closure of one instruction. EXEC is ignored, as on the hardware."""
    line, matrix = build.line, TABLE.get(name)
    if matrix is None or build.chip.lanes != 64 or (name in ONLY_GFX950 and build.chip.name != "gfx950"):
        raise DecodeError(f"matrix instruction {name} is not supported on {build.chip.name}")
    unknown = set(line.modifiers) - {"cbsz", "abid"}
    if unknown or len(line.operands) != 4:
        raise DecodeError(f"{name} in this form is not supported")
    target, a, b, index = line.operands
    side = matrix.side
    count = matrix.k * side // 64
    packed = _values(build, a, matrix.a, side, count // 2)
    get_b = _values(build, b, matrix.b, side, count)
    nibbles = _index(build, index, side, count)
    build.vector(target, matrix.results)
    into = build.vector(target, matrix.results, write=True)
    arranged, integers = arrange(matrix), matrix.result == "i32"

    def step(g: Group) -> None:
        wide = expand(packed(g), nibbles(g)).reshape(g.count, side, -1)
        # Exact in f64; the sum with the addend is rounded to f32 once.
        product = np.matmul(wide, get_b(g).reshape(g.count, side, -1).swapaxes(1, 2))
        result = arranged(product[:, None])
        plane = g.i32 if integers else g.f32
        out = plane[into : into + matrix.results].reshape(result.shape)
        total = result + out
        out[...] = (total.astype(np.int64) & 0xFFFFFFFF).astype(np.uint32).view(np.int32) if integers else total

    return step
