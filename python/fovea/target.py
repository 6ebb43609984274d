# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What Fovea knows of each chip: one table, read by passes and kernels.

Matrix instructions and their register layouts: AMD, "CDNA3 Instruction Set Architecture", chapter 7 (MFMA).
"""

from __future__ import annotations

from dataclasses import dataclass

from fovea.errors import CompileError, UsageError


@dataclass(frozen=True)
class MatrixInstruction:
    """One 16x16xk matrix instruction, D = A.B + C with f32 accumulation.

    Lane l holds `k_per_lane` consecutive values of k, starting at `k_per_lane * (l // 16)`, of row (A) or column (B)
    l % 16. Of D it holds column l % 16, rows 4*(l // 16) .. +3.
    """

    operation: str  # the rocdl op
    element: str  # operand element type as MLIR prints it
    k: int
    register: str  # type of one lane's operand as the op wants it

    m = 16
    n = 16
    accumulators = 4

    @property
    def k_per_lane(self) -> int:
        return self.k * self.m // 64


@dataclass(frozen=True)
class Chip:
    """Facts of one chip. `fp8` is the MLIR type of its FP8 E4M3 format, None where it has no FP8 matrix instruction."""

    name: str
    wave: int
    lds_bytes: int
    fp8: str | None
    compute_units: int
    matrix: tuple[MatrixInstruction, ...]

    def matrix_for(self, element: str) -> MatrixInstruction:
        """The matrix instruction for operands of `element`."""
        for instruction in self.matrix:
            if instruction.element == element:
                return instruction
        known = ", ".join(instruction.element for instruction in self.matrix)
        raise CompileError(f"{self.name} has no matrix instruction for {element} operands (it has: {known})")


_CDNA_MATRIX = (
    MatrixInstruction("rocdl.mfma.f32.16x16x16f16", "f16", 16, "vector<4xf16>"),
    MatrixInstruction("rocdl.mfma.f32.16x16x16bf16.1k", "bf16", 16, "vector<4xi16>"),
    MatrixInstruction("rocdl.mfma.f32.16x16x4f32", "f32", 4, "f32"),
)

CHIPS = {
    chip.name: chip
    for chip in (
        Chip(
            "gfx942", 64, 65536, "f8E4M3FNUZ", 304,
            (*_CDNA_MATRIX, MatrixInstruction("rocdl.mfma.f32.16x16x32.fp8.fp8", "f8E4M3FNUZ", 32, "i64")),
        ),
    )
}  # fmt: skip


def chip(name: str) -> Chip:
    """The chip called `name`; UsageError naming those that Fovea compiles for."""
    if name not in CHIPS:
        raise UsageError(f"unknown target '{name}'; Fovea compiles for: {', '.join(CHIPS)}")
    return CHIPS[name]


# MLIR type of the 8-bit E4M3 format that each chip's matrix instructions read; None where they read none. CDNA3 has the
# "FNUZ" form (largest value 240), its successors and RDNA4 have OCP's (448). AMD's instruction set documents.
FP8_FORMATS: dict[str, str | None] = {
    "gfx90a": None,
    "gfx1100": None,
    "gfx942": "f8E4M3FNUZ",
    "gfx950": "f8E4M3FN",
    "gfx1200": "f8E4M3FN",
    "gfx1201": "f8E4M3FN",
    "gfx1250": "f8E4M3FN",
}


def fp8_format(name: str) -> str:
    """The FP8 type of a chip; CompileError for one that has none, UsageError for an unknown one."""
    if name not in FP8_FORMATS:
        raise UsageError(f"unknown target '{name}'; known are: {', '.join(FP8_FORMATS)}")
    found = FP8_FORMATS[name]
    if found is None:
        having = ", ".join(other for other, kind in FP8_FORMATS.items() if kind is not None)
        raise CompileError(f"{name} has no FP8 matrix instructions: compile without FP8, or for one of {having}")
    return found


# Chips whose matrix instructions take block scales (OCP MX), and the MLIR type of their 8-bit E4M3 elements.
MX_FORMATS: dict[str, str] = {"gfx950": "f8E4M3FN"}


def mx_format(name: str) -> str:
    """The element type of MXFP8 on a chip; CompileError for one without block-scaled matrix instructions."""
    if name not in MX_FORMATS:
        having = ", ".join(MX_FORMATS)
        raise CompileError(f"{name} has no block-scaled (MX) matrix instructions; those that do: {having}")
    return MX_FORMATS[name]
