# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What Fovea knows of each chip: one table, read by passes and kernels.

Matrix instructions and their register layouts: AMD, "CDNA3 Instruction Set Architecture", chapter 7 (MFMA), and the
same of CDNA4 (gfx950).
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
    element: str  # element type of A as MLIR prints it
    k: int
    register: str  # type of one lane's operand as the op wants it
    other: str = ""  # element type of B, where it is not that of A

    m = 16
    n = 16
    accumulators = 4

    @property
    def k_per_lane(self) -> int:
        return self.k * self.m // 64


@dataclass(frozen=True)
class Chip:
    """Facts of one chip. `fp8` is the MLIR type of its FP8 E4M3 format, None where it has no FP8 matrix instruction.

    `mx`: whether it has matrix instructions on FP8 with an E8M0 scale for 32 values of k (see `codegen.scaled`).
    """

    name: str
    wave: int
    lds_bytes: int
    fp8: str | None
    compute_units: int
    matrix: tuple[MatrixInstruction, ...]
    mx: bool = False

    def matrix_for(self, element: str, other: str = "") -> MatrixInstruction:
        """The matrix instruction for A of `element` and B of `other` (default: of the same type)."""
        for instruction in self.matrix:
            if (instruction.element, instruction.other or instruction.element) == (element, other or element):
                return instruction
        wanted = element if other in ("", element) else f"{element} and {other}"
        known = ", ".join(instruction.element for instruction in self.matrix if not instruction.other)
        raise CompileError(f"{self.name} has no matrix instruction for {wanted} operands (it has: {known})")


_F32_MATRIX = MatrixInstruction("rocdl.mfma.f32.16x16x4f32", "f32", 4, "f32")
_CDNA3_MATRIX = (
    MatrixInstruction("rocdl.mfma.f32.16x16x16f16", "f16", 16, "vector<4xf16>"),
    MatrixInstruction("rocdl.mfma.f32.16x16x16bf16.1k", "bf16", 16, "vector<4xi16>"),
    _F32_MATRIX,
)
_CDNA4_MATRIX = (
    MatrixInstruction("rocdl.mfma.f32.16x16x32.f16", "f16", 32, "vector<8xf16>"),
    MatrixInstruction("rocdl.mfma.f32.16x16x32.bf16", "bf16", 32, "vector<8xbf16>"),
    _F32_MATRIX,
)


def _fp8_matrix(fp8: str, bf8: str) -> tuple[MatrixInstruction, ...]:
    """The instructions on the chip's two 8-bit formats, E4M3 (`fp8`) and E5M2 (`bf8`), and on one of each."""
    kinds = {"fp8": fp8, "bf8": bf8}
    return tuple(
        MatrixInstruction(
            f"rocdl.mfma.f32.16x16x32.{a}.{b}", kinds[a], 32, "i64", "" if a == b else kinds[b]
        )
        for a in kinds
        for b in kinds
    )  # fmt: skip


CHIPS = {
    chip.name: chip
    for chip in (
        Chip(
            "gfx942", 64, 64 << 10, "f8E4M3FNUZ", 304, (*_CDNA3_MATRIX, *_fp8_matrix("f8E4M3FNUZ", "f8E5M2FNUZ")),
        ),
        Chip(
            "gfx950", 64, 160 << 10, "f8E4M3FN", 256, (*_CDNA4_MATRIX, *_fp8_matrix("f8E4M3FN", "f8E5M2")), mx=True
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


def mx_format(name: str) -> str:
    """The element type of MXFP8 on a chip; CompileError for one without block-scaled matrix instructions."""
    if name not in CHIPS or not CHIPS[name].mx:
        raise CompileError(f"{name} has no block-scaled (MX) matrix instructions; chips that do: {mx_chips()}")
    return fp8_format(name)


def mx_chips() -> str:
    """The names of the chips with block-scaled matrix instructions, for messages."""
    return ", ".join(chip.name for chip in CHIPS.values() if chip.mx)
