# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Issuing matrix instructions, and the register layout that every kernel here uses for their operands."""

from __future__ import annotations

from typing import Any

from fovea.bindings import ir, vector
from fovea.codegen import scalar
from fovea.target import MatrixInstruction

# One 16-byte LDS read gives a lane the operands of several matrix instructions. Which k a lane holds does not matter as
# long as both operands agree: lane l reads bytes 16*(l//16) .. +15 of each 64-byte stretch of its row.
CHUNK_BYTES = 16
GROUPS = 4  # lanes 0-15, 16-31, 32-47, 48-63 hold four chunks of a row
STRETCH_BYTES = CHUNK_BYTES * GROUPS


def zero_accumulator() -> Any:
    """vector<4xf32> of zeros."""
    return scalar.constant(0.0, ir.VectorType.get([4], ir.F32Type.get()))


def operands_of_chunk(chunk: Any, instruction: MatrixInstruction) -> list[Any]:
    """A 16-byte register (vector<16xi8>) as the operands of successive matrix instructions."""
    type_ = ir.Type.parse(instruction.register)
    if not isinstance(type_, ir.VectorType):
        count = CHUNK_BYTES * 8 // type_.width
        words = vector.bitcast(ir.VectorType.get([count], type_), chunk)
        return [scalar.lane(words, i) for i in range(count)]
    width, element = type_.shape[0], type_.element_type
    count = CHUNK_BYTES * 8 // (width * element.width)
    elements = vector.bitcast(ir.VectorType.get([width * count], element), chunk)
    return [elements] if count == 1 else [scalar.part(elements, width * i, width) for i in range(count)]


def multiply_accumulate(instruction: MatrixInstruction, rows: Any, columns: Any, accumulator: Any) -> Any:
    """accumulator + rows . columns: lane l then holds column l % 16, rows 4*(l // 16) .. +3."""
    zero = ir.IntegerAttr.get(ir.IntegerType.get_signless(32), 0)
    return ir.Operation.create(
        instruction.operation,
        results=[accumulator.type],
        operands=[rows, columns, accumulator],
        attributes={"cbsz": zero, "abid": zero, "blgp": ir.Attribute.parse("#rocdl<mfma_perm_b none>")},
    ).result
