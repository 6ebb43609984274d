# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Conversions between f32 and FP8 bytes with the chip's own instructions (v_cvt_pk_fp8_f32 and its kin).

The instructions convert to the chip's own format: FNUZ on gfx942. Rounding is to nearest even; values are clamped to
the largest finite one before, since the hardware turns an overflow into NaN.
"""

from __future__ import annotations

from typing import Any

from fovea.bindings import arith, ir, rocdl, vector
from fovea.codegen.types import lanes_of

MAX_FINITE = {"f8E4M3FNUZ": 240.0, "f8E4M3FN": 448.0, "f8E5M2FNUZ": 57344.0, "f8E5M2": 57344.0}
_PACK = {"f8E4M3FNUZ": "cvt_pk_fp8_f32", "f8E4M3FN": "cvt_pk_fp8_f32",
         "f8E5M2FNUZ": "cvt_pk_bf8_f32", "f8E5M2": "cvt_pk_bf8_f32"}  # fmt: skip
_UNPACK = {"f8E4M3FNUZ": "cvt_pk_f32_fp8", "f8E4M3FN": "cvt_pk_f32_fp8",
           "f8E5M2FNUZ": "cvt_pk_f32_bf8", "f8E5M2": "cvt_pk_f32_bf8"}  # fmt: skip


def _scalars(value: Any) -> list[Any]:
    width = lanes_of(value)
    return [value] if width is None else [vector.ExtractOp(value, [], [i]).result for i in range(width)]


def from_f32(value: Any, format_: str) -> Any:
    """FP8 bytes (i8 or vector of i8) of f32 `value`, saturating."""
    i8, i32 = ir.IntegerType.get_signless(8), ir.IntegerType.get_signless(32)
    limit = MAX_FINITE[format_]
    scalars = []
    for scalar in _scalars(value):
        f32 = scalar.type
        low = arith.ConstantOp(f32, ir.FloatAttr.get(f32, -limit)).result
        high = arith.ConstantOp(f32, ir.FloatAttr.get(f32, limit)).result
        clamped = rocdl.fmed3(f32, scalar, low, high)
        is_nan = arith.cmpf(arith.CmpFPredicate.UNO, scalar, scalar)  # med3 would drop a NaN
        scalars.append(arith.select(is_nan, scalar, clamped))
    pack = getattr(rocdl, _PACK[format_])
    zero = arith.ConstantOp(i32, ir.IntegerAttr.get(i32, 0)).result
    if len(scalars) == 1:
        return arith.trunci(i8, pack(i32, scalars[0], scalars[0], zero, False))
    words = []
    for i in range(0, len(scalars), 4):
        group = scalars[i : i + 4]
        word = pack(i32, group[0], group[1], zero, False)
        words.append(pack(i32, group[2], group[3], word, True) if len(group) == 4 else word)
    packed = vector.FromElementsOp(ir.VectorType.get([len(words)], i32), words).result
    octets = vector.bitcast(ir.VectorType.get([4 * len(words)], i8), packed)
    if len(scalars) % 4 == 0:
        return octets
    return vector.ShuffleOp(octets, octets, list(range(len(scalars)))).result


def to_f32(value: Any, format_: str) -> Any:
    """f32 of FP8 bytes (i8 or vector of i8)."""
    i32, f32 = ir.IntegerType.get_signless(32), ir.F32Type.get()
    pair = ir.VectorType.get([2], f32)
    results = []
    unpack = getattr(rocdl, _UNPACK[format_])
    for octet in _scalars(value):
        both = unpack(pair, arith.extui(i32, octet), False)
        results.append(vector.ExtractOp(both, [], [0]).result)
    if lanes_of(value) is None:
        return results[0]
    return vector.FromElementsOp(ir.VectorType.get([len(results)], f32), results).result
