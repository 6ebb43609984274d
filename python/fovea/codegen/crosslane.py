# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Combining one value of each lane over groups of lanes of a wave."""

from __future__ import annotations

from typing import Any

from fovea.bindings import arith, gpu, ir, vector
from fovea.codegen import scalar
from fovea.codegen.combiner import Combiner

WAVE = 64


def shuffle_xor(value: Any, offset: int) -> Any:
    """The value that lane (l xor offset) holds; types of up to 64 bits."""
    i32 = ir.IntegerType.get_signless(32)
    type_ = value.type
    bits = 64 if str(type_) == "index" else type_.width
    if bits == 32:
        moved = gpu.ShuffleOp(value, _i32(offset), _i32(WAVE), gpu.ShuffleMode.XOR)
        return moved.results[0]
    if bits == 64:
        single = scalar.from_lanes([value])
        words = vector.bitcast(ir.VectorType.get([2], i32), single)
        halves = [shuffle_xor(scalar.lane(words, i), offset) for i in range(2)]
        return scalar.lane(vector.bitcast(ir.VectorType.get([1], type_), scalar.from_lanes(halves)), 0)
    integer = ir.IntegerType.get_signless(bits)
    raw = value if isinstance(type_, ir.IntegerType) else arith.bitcast(integer, value)
    moved = arith.trunci(integer, shuffle_xor(arith.extui(i32, raw), offset))
    return moved if isinstance(type_, ir.IntegerType) else arith.bitcast(type_, moved)


def _i32(value: int) -> Any:
    return scalar.constant(value, ir.IntegerType.get_signless(32))


def all_reduce(value: Any, combiner: Combiner, lanes: int, first: int = 1) -> Any:
    """Combine over lanes that differ in the bits `first` .. `lanes`/2 of their number; all of them get the result."""
    offset = first
    while offset < lanes:
        value = combiner.combine(value, shuffle_xor(value, offset))
        offset *= 2
    return value
