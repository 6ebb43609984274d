# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels of `fovea.scaled_contract`: contractions with scales for blocks of k.

f32 scales: products of a block are added in an accumulator of their own, which is then multiplied by the block's scales
and added, in f32, to the total. E8M0 scales (MX): the matrix instruction multiplies by them. Of the scaled instruction
16x16x128 on 8-bit operands, lane l holds 32 values of row (A) or column (B) l % 16: k = 16 * (l // 16) + i and
k = 64 + 16 * (l // 16) + i for i in 0 .. 15, which is what the chunks of both 64-byte stretches of a row are. It takes
the scale of the 32 consecutive k of block l // 16 from the low byte of the lane's scale register, as the exponent of a
power of two plus 127. Source: AMD, "CDNA4 Instruction Set Architecture", block-scaled MFMA; LLVM's intrinsic
`llvm.amdgcn.mfma.scale.f32.16x16x128.f8f6f4`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import Any

from fovea.bindings import arith, ir, math, vector
from fovea.codegen import matrix, scalar
from fovea.codegen.contraction import STEP_BYTES, Schedule, Writer
from fovea.codegen.indexing import Index
from fovea.codegen.problem import ContractionProblem
from fovea.codegen.structured import unsupported
from fovea.dialect.scaled_contract import scales_of
from fovea.target import Chip

MX_BLOCK = 32
E8M0_ONE = 127
# Numbers of the 8-bit formats in the fields cbsz (A) and blgp (B) of the scaled instruction.
_FORMAT_NUMBER = {"f8E4M3FN": 0, "f8E5M2": 1}
_INTRINSIC = "llvm.amdgcn.mfma.scale.f32.16x16x128.f8f6f4.v8i32.v8i32"


def writer(function: Any, chip: Chip, problem: ContractionProblem, schedule: Schedule) -> Writer:
    """The writer for the type of the scales."""
    kinds = {str(scale[0].type.element_type) for scale in scales_of(problem.op) if scale is not None}
    if len(kinds) > 1:
        raise unsupported(problem.op, f"has scales of different types ({', '.join(sorted(kinds))})")
    return (_BlockWriter if kinds <= {"f32"} else _MxWriter)(function, chip, problem, schedule)


class _ScaledWriter(Writer):
    """What both have in common: reading scales."""

    def __init__(self, function: Any, chip: Chip, problem: ContractionProblem, schedule: Schedule) -> None:
        super().__init__(function, chip, problem, schedule)
        scales = scales_of(problem.op)
        # By side: 0 is m, 1 is n; contraction_problem may have swapped the operands.
        self.scales = [scales[operand] for operand in (problem.left, problem.right)]

    def block(self, side: int) -> int:
        """Positions of k that share a scale of that side."""
        scale = self.scales[side]
        if scale is None:
            return self.k
        for expression in scale[1].results:
            if isinstance(expression, ir.AffineFloorDivExpr):
                if expression.lhs.position not in self.problem.k or self.problem.size(self.problem.k) != (
                    self.problem.extents[expression.lhs.position]
                ):
                    raise unsupported(self.problem.op, "has scales for blocks of one of several contracted dims")
                return int(expression.rhs.value)
            if isinstance(expression, ir.AffineDimExpr) and expression.position in self.problem.k:
                return 1
        return self.k

    def scale_at(self, side: int, row: Index, k: Index, width: int) -> Any:
        """Scales of `width` rows from `row` on (positions past the end repeat the last), at k, or the last k."""
        index, p = self.kernel.index, self.problem
        scale = self.scales[side]
        assert scale is not None
        value, map_ = scale
        extent = (self.m, self.n)[side]
        k = index.minimum(k, self.k - 1)

        def point(at: Index) -> list[Index]:
            return p.point(index, self.batch, at if side == 0 else 0, at if side == 1 else 0, k)

        if width == 1:
            return self.kernel.elemental.mapped(value, map_, point(index.minimum(row, extent - 1)), None, 1)
        if p.extents[p.n[-1]] % width == 0:
            at = index.assume_multiple(index.minimum(row, extent - width), width)
            return scalar.broadcast(self.kernel.elemental.mapped(value, map_, point(at), p.n[-1], width), width)
        lanes = [index.minimum(index.add(row, i), extent - 1) for i in range(width)]
        return scalar.from_lanes([self.kernel.elemental.mapped(value, map_, point(at), None, 1) for at in lanes])

    def first(self, side: int) -> Index:
        """First row of the workgroup's tile."""
        return (self.m0, self.n0)[side]


class _BlockWriter(_ScaledWriter):
    """f32 scales."""

    def __init__(self, function: Any, chip: Chip, problem: ContractionProblem, schedule: Schedule) -> None:
        super().__init__(function, chip, problem, schedule)
        blocks = [self.block(side) for side in (0, 1)]
        blocks = [block for block in blocks if block < self.k]
        self.section = gcd(STEP_BYTES, *(block * self.bytes for block in blocks))
        if self.section % matrix.STRETCH_BYTES:
            unit = matrix.STRETCH_BYTES // self.bytes
            raise unsupported(problem.op, f"has scales for blocks of {min(blocks)}; multiples of {unit} have a kernel")

    def multiply(self, accumulators: Sequence[Any], k0: Index) -> list[Any]:
        index, result = self.kernel.index, list(accumulators)
        for start in range(0, STEP_BYTES, self.section):
            k = index.add(k0, start // self.bytes)
            if isinstance(k, int) and k >= self.k:
                break
            partial = [matrix.zero_accumulator() for _ in result]
            for stretch in range(start, start + self.section, matrix.STRETCH_BYTES):
                partial = self.multiply_stretch(partial, stretch)
            columns, rows = self.factors(k)
            for i, column in enumerate(columns):
                for j, row in enumerate(rows):
                    at = i * self.count(1) + j
                    factor = row if column is None else column if row is None else arith.mulf(row, column)
                    result[at] = math.fma(partial[at], factor, result[at])
        return result

    def factors(self, k: Index) -> tuple[list[Any], list[Any]]:
        """Scales of this lane's m, the same four times, and of its four n, by fragment; None where there are none."""
        index = self.kernel.index
        columns: list[Any] = [None] * self.count(0)
        rows: list[Any] = [None] * self.count(1)
        if self.scales[0] is not None:
            for i in range(self.count(0)):
                m = index.add(index.add(self.first(0), self.fragment_row(0, i)), index.mod(self.lane, 16))
                columns[i] = scalar.broadcast(self.scale_at(0, m, k, 1), 4)
        if self.scales[1] is not None:
            for j in range(self.count(1)):
                n = index.add(self.first(1), self.fragment_row(1, j))
                n = index.add(n, index.mul(index.div(self.lane, 16), 4))
                rows[j] = self.scale_at(1, n, k, 4)
        return columns, rows


class _MxWriter(_ScaledWriter):
    """E8M0 scales."""

    def __init__(self, function: Any, chip: Chip, problem: ContractionProblem, schedule: Schedule) -> None:
        super().__init__(function, chip, problem, schedule)
        if not chip.mx:
            raise unsupported(problem.op, f"has block scales, for which {chip.name} has no matrix instruction")
        for side in (0, 1):
            block = self.block(side)
            if self.scales[side] is not None and block != min(MX_BLOCK, self.k) and block % MX_BLOCK:
                why = f"has E8M0 scales for blocks of {block}; it takes multiples of {MX_BLOCK}"
                raise unsupported(problem.op, why)

    def multiply(self, accumulators: Sequence[Any], k0: Index) -> list[Any]:
        result = list(accumulators)
        left, right = ([self.wide(side, i) for i in range(self.count(side))] for side in (0, 1))
        columns, rows = (self.exponents(side, k0) for side in (0, 1))
        for i, column in enumerate(left):
            for j, row in enumerate(right):
                at = i * self.count(1) + j
                result[at] = self.scaled_multiply(row, column, result[at], rows[j], columns[i])
        return result

    def wide(self, side: int, number: int) -> Any:
        """This lane's 32 bytes of a fragment, as vector<8xi32>."""
        i32 = ir.IntegerType.get_signless(32)
        halves = [
            vector.bitcast(ir.VectorType.get([4], i32), self.chunk(side, number, stretch))
            for stretch in range(0, STEP_BYTES, matrix.STRETCH_BYTES)
        ]
        return vector.ShuffleOp(halves[0], halves[1], list(range(8))).result

    def exponents(self, side: int, k0: Index) -> list[Any]:
        """Scale registers of this lane, by fragment."""
        index, i32 = self.kernel.index, ir.IntegerType.get_signless(32)
        if self.scales[side] is None:
            return [scalar.constant(E8M0_ONE, i32)] * self.count(side)
        k = index.add(index.mul(index.div(self.lane, 16), MX_BLOCK), k0)
        found = []
        for number in range(self.count(side)):
            row = index.add(index.add(self.first(side), self.fragment_row(side, number)), index.mod(self.lane, 16))
            found.append(arith.extui(i32, self.scale_at(side, row, k, 1)))
        return found

    def scaled_multiply(self, rows: Any, columns: Any, total: Any, row_scale: Any, column_scale: Any) -> Any:
        """total + rows . columns, one 16x16x128 instruction."""
        i32, p = ir.IntegerType.get_signless(32), self.problem
        zero = scalar.constant(0, i32)
        formats = [
            scalar.constant(_FORMAT_NUMBER[str(p.op.operands[operand].type.element_type)], i32)
            for operand in (p.right, p.left)
        ]
        operands = [rows, columns, total, *formats, zero, row_scale, zero, column_scale]
        return ir.Operation.create(
            "llvm.call_intrinsic",
            results=[total.type],
            operands=operands,
            attributes={
                "intrin": ir.StringAttr.get(_INTRINSIC),
                "op_bundle_sizes": ir.DenseI32ArrayAttr.get([]),
                "operandSegmentSizes": ir.DenseI32ArrayAttr.get([len(operands), 0]),
            },
        ).result
