# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea.dynamic_quantize` and `fovea.dynamic_dequantize` as a reduction and elementwise ops, which have kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fovea.bindings import arith, ir, linalg, math, tensor
from fovea.dialect.dynamic_quantize import E8M0_BIAS, MAX_SCALE, MIN_SCALE, block_of, scale_shape
from fovea.dialect.quantize import PER_TENSOR, STORAGE_MAX
from fovea.passes import ir_utils as utils

_MANTISSA_BITS = 23
_HALF_SMALLEST = 0x400000  # the bits of 2^-127, which is subnormal in f32


def decompose_dynamic(function: Any) -> None:
    """Rewrite each dynamic quantise and dequantise of the function.

    Blocks become rows of a tensor of one more dim, so that a row-wise kernel takes their maxima; an axis that is no
    whole number of blocks is padded with zeros first.
    """
    for op in utils.body_ops(function):
        if op.name not in ("fovea.dynamic_quantize", "fovea.dynamic_dequantize"):
            continue
        with function.context, op.location, ir.InsertionPoint(op):
            results = _quantized(op) if op.name == "fovea.dynamic_quantize" else [_dequantized(op)]
        for old, new in zip(op.results, results, strict=True):
            old.replace_all_uses_with(new)
        op.erase()


class _Blocks:
    """A tensor of `shape` cut into blocks: each axis with several blocks of several elements becomes two."""

    def __init__(self, shape: Sequence[int], block: Sequence[int]) -> None:
        self.shape, self.block = list(shape), list(block)
        self.cut = [1 < size < extent for size, extent in zip(block, shape, strict=True)]
        self.padded = [-(-extent // size) * size if cut else extent
                       for extent, size, cut in zip(shape, block, self.cut, strict=True)]  # fmt: skip
        self.groups: list[list[int]] = []  # axes of the cut tensor, by axis of the whole one
        self.extents: list[int] = []
        self.shared: list[bool] = []  # whether all positions along an axis of the cut tensor share a scale
        for extent, size, cut in zip(self.padded, block, self.cut, strict=True):
            first = len(self.extents)
            self.extents += [extent // size, size] if cut else [extent]
            self.shared += [False, True] if cut else [size == extent]
            self.groups.append(list(range(first, len(self.extents))))

    def row_map(self) -> Any:
        """From a position in the cut tensor to that of its scale, in a tensor with extent 1 along shared axes."""
        zero = ir.AffineExpr.get_constant(0)
        dims = [zero if shared else ir.AffineDimExpr.get(axis) for axis, shared in enumerate(self.shared)]
        return ir.AffineMap.get(len(self.extents), 0, dims)

    def row_shape(self) -> list[int]:
        return [1 if shared else extent for extent, shared in zip(self.extents, self.shared, strict=True)]

    def apart(self, value: Any) -> Any:
        """`value` cut into blocks."""
        element = value.type.element_type
        if self.padded != self.shape:
            high = [after - before for after, before in zip(self.padded, self.shape, strict=True)]
            value = _padded(value, high, self.padded)
        if not any(self.cut):
            return value
        return tensor.expand_shape(utils.tensor_type(self.extents, element), value, self.groups, [], self.extents)

    def together(self, value: Any) -> Any:
        """The other way."""
        element = value.type.element_type
        if any(self.cut):
            value = tensor.collapse_shape(utils.tensor_type(self.padded, element), value, self.groups)
        if self.padded == self.shape:
            return value
        zeros, ones = [0] * len(self.shape), [1] * len(self.shape)
        result = utils.tensor_type(self.shape, element)
        return tensor.extract_slice(result, value, [], [], [], zeros, self.shape, ones)

    def scales(self, value: Any) -> Any:
        """Scales of extent 1 along shared axes of the cut tensor, in the shape that the op gives them."""
        if not any(self.cut):
            return value
        shape = scale_shape(self.shape, self.block)
        return tensor.collapse_shape(utils.tensor_type(shape, value.type.element_type), value, self.groups)


def _padded(value: Any, high: Sequence[int], shape: Sequence[int]) -> Any:
    element = value.type.element_type
    pad = tensor.PadOp(utils.tensor_type(shape, element), value, [], [], [0] * len(high), list(high))
    index = ir.IndexType.get()
    block = pad.regions[0].blocks.append(*([index] * len(high)), arg_locs=[ir.Location.current] * len(high))
    with ir.InsertionPoint(block):
        tensor.YieldOp(arith.constant(element, 0.0))
    return pad.result


def _quantized(op: Any) -> list[Any]:
    f32 = ir.F32Type.get()
    stored, scale = (result.type.element_type for result in op.results)
    blocks = _Blocks(op.operands[0].type.shape, block_of(op))
    x = blocks.apart(op.operands[0])
    identity, rows = ir.AffineMap.get_identity(len(blocks.extents)), blocks.row_map()
    iterators = ["reduction" if shared and extent > 1 else "parallel"
                 for shared, extent in zip(blocks.shared, blocks.extents, strict=True)]  # fmt: skip
    init = linalg.fill(arith.constant(f32, 0.0), outs=[utils.empty(blocks.row_shape(), f32)])
    # maxnumf: a NaN stays one, and does not take its row with it.
    peak = utils.build_generic(
        [x], [init], [identity, rows], iterators,
        lambda a, o: arith.maxnumf(math.absf(utils.float_cast(a, f32)), o),
    ).results[0]  # fmt: skip
    power_of_two = str(scale) != "f32"
    scales, inverse = (_powers if power_of_two else _quotients)(peak, str(stored), scale)
    scaled = utils.elementwise(
        [x, inverse], f32, lambda a, s, _: arith.mulf(utils.float_cast(a, f32), s), [identity, rows]
    )
    attributes = {"scale": ir.DenseElementsAttr.get(np.ones((), np.float32)), "axis": _i64(PER_TENSOR)}
    quantized = ir.Operation.create(
        "fovea.quantize", results=[utils.tensor_type(blocks.extents, stored)], operands=[scaled], attributes=attributes
    )
    return [blocks.together(quantized.results[0]), blocks.scales(scales)]


def _i64(value: int) -> Any:
    return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), value)


def _quotients(peak: Any, storage: str, _: Any) -> tuple[Any, Any]:
    """f32 scales of blocks with largest magnitudes `peak`, and their reciprocals."""
    f32 = ir.F32Type.get()

    def scale(m: Any, _: Any) -> Any:
        quotient = arith.divf(m, arith.constant(f32, STORAGE_MAX[storage]))
        bounded = arith.minimumf(arith.maximumf(quotient, _f32(MIN_SCALE)), _f32(MAX_SCALE))
        return arith.select(arith.cmpf(arith.CmpFPredicate.OEQ, m, _f32(0)), _f32(1), bounded)

    scales = utils.elementwise([peak], f32, scale)
    return scales, utils.elementwise([scales], f32, lambda s, _: arith.divf(_f32(1), s))


def _f32(value: Any) -> Any:
    return arith.constant(ir.F32Type.get(), float(value))


def _i32(value: int) -> Any:
    return arith.constant(ir.IntegerType.get_signless(32), value)


def _powers(peak: Any, storage: str, element: Any) -> tuple[Any, Any]:
    """E8M0 scales of blocks with largest magnitudes `peak`, and their reciprocals in f32.

    The biased exponent of an f32 is its bits but for the sign, shifted: floor(log2) + 127, 0 for what is subnormal.
    What is added to the bits before carries into it where the mantissa is beyond that of the storage type's largest
    value: such a block takes the next power of two. Infinity has the exponent 255, as the largest f32 gets it.
    """
    limit = int(np.float32(STORAGE_MAX[storage]).view(np.int32))
    emax, carry = (limit >> _MANTISSA_BITS) - E8M0_BIAS, -limit - 1 & (1 << _MANTISSA_BITS) - 1
    f32, i32, i8 = ir.F32Type.get(), ir.IntegerType.get_signless(32), ir.IntegerType.get_signless(8)

    def code(m: Any, _: Any) -> Any:
        biased = arith.shrui(arith.addi(arith.bitcast(i32, m), _i32(carry)), _i32(_MANTISSA_BITS))
        lowered = arith.maxsi(arith.subi(biased, _i32(emax)), _i32(0))
        zero = arith.cmpf(arith.CmpFPredicate.OEQ, m, _f32(0))
        return arith.select(zero, _i32(E8M0_BIAS), lowered)

    codes = utils.elementwise([peak], i32, code)
    scales = utils.elementwise([codes], element, lambda c, _: arith.bitcast(element, arith.trunci(i8, c)))

    def reciprocal(c: Any, _: Any) -> Any:
        return arith.bitcast(f32, arith.shli(arith.subi(_i32(2 * E8M0_BIAS), c), _i32(_MANTISSA_BITS)))

    return scales, utils.elementwise([codes], f32, reciprocal)


def _dequantized(op: Any) -> Any:
    f32, result = ir.F32Type.get(), op.results[0].type
    block = block_of(op)
    attributes = {"scale": ir.DenseElementsAttr.get(np.ones((), np.float32)), "axis": _i64(PER_TENSOR)}
    wide = ir.Operation.create(
        "fovea.dequantize", results=[utils.tensor_type(result.shape, f32)], operands=[op.operands[0]],
        attributes=attributes,
    ).results[0]  # fmt: skip
    expressions = []
    for axis, (size, extent) in enumerate(zip(block, result.shape, strict=True)):
        dim = ir.AffineDimExpr.get(axis)
        zero = ir.AffineExpr.get_constant(0)
        expressions.append(zero if size == extent else dim if size == 1 else ir.AffineExpr.get_floor_div(dim, size))
    maps = [ir.AffineMap.get_identity(result.rank), ir.AffineMap.get(result.rank, 0, expressions)]
    scale_element = op.operands[1].type.element_type

    def body(value: Any, scale: Any, _: Any) -> Any:
        return utils.float_cast(arith.mulf(value, _scale_value(scale, scale_element)), result.element_type)

    return utils.elementwise([wide, op.operands[1]], result.element_type, body, maps)


def _scale_value(scale: Any, element: Any) -> Any:
    """A scale as f32."""
    f32, i32, i8 = ir.F32Type.get(), ir.IntegerType.get_signless(32), ir.IntegerType.get_signless(8)
    if element == f32:
        return scale
    code = arith.extui(i32, arith.bitcast(i8, scale))
    power = arith.shli(code, _i32(_MANTISSA_BITS))
    smallest = arith.cmpi(arith.CmpIPredicate.eq, code, _i32(0))
    return arith.bitcast(f32, arith.select(smallest, _i32(_HALF_SMALLEST), power))
