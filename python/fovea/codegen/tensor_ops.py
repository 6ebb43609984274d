# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Emission of ops on tensors other than structured ones: reshapes, slices, concat, pad, constants, quantize.

Each emitter takes (elemental, op, value, indices, lanes, width) as `Elemental.emit` does and gives a scalar or vector.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fovea.bindings import arith, ir
from fovea.codegen import fp8, scalar
from fovea.codegen.indexing import Index, reshape_index
from fovea.codegen.structured import uniform_value, unsupported
from fovea.codegen.types import FP8_TYPES, lanes_of, register_type
from fovea.dialect import quantize

if TYPE_CHECKING:
    from fovea.codegen.elemental import Elemental


def _reshape(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    source = op.operands[0]
    from_shape, to_shape = list(source.type.shape), list(value.type.shape)
    result = reshape_index(e.index, indices, to_shape, from_shape, lanes, width)
    if result is None:
        assert lanes is not None
        return e.lanewise(value, indices, lanes, width)
    moved, source_lanes = result
    return e.emit(source, moved, source_lanes, width) if source_lanes is not None else e.emit(source, moved)


def _slice(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    offsets, strides = (list(ir.DenseI64ArrayAttr(op.attributes[f"static_{k}"])) for k in ("offsets", "strides"))
    if any(o < 0 for o in offsets) or len(list(op.operands)) > 1:
        raise unsupported(op, "with offsets that are not constants has no kernel")
    sizes = list(ir.DenseI64ArrayAttr(op.attributes["static_sizes"]))
    kept = kept_dims(sizes, list(value.type.shape))
    moved: list[Index] = list(offsets)
    for dim, i in zip(kept, indices, strict=True):
        moved[dim] = e.index.add(e.index.mul(i, strides[dim]), offsets[dim])
    if lanes is None:
        return e.emit(op.operands[0], moved)
    if strides[kept[lanes]] != 1:
        return e.lanewise(value, indices, lanes, width)
    return e.emit(op.operands[0], moved, kept[lanes], width)


def kept_dims(sizes: Sequence[int], shape: Sequence[int]) -> list[int]:
    """Dims of a slice of `sizes` that its result of `shape` keeps (rank-reducing slices drop unit dims)."""
    kept, wanted = [], list(shape)
    for dim, size in enumerate(sizes):
        remaining = len(sizes) - dim
        if wanted and size == wanted[0] and (size != 1 or remaining >= len(wanted)):
            kept.append(dim)
            wanted.pop(0)
    return kept


def _concat(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    dim = ir.IntegerAttr(op.attributes["dim"]).value
    starts, end = [], 0
    for operand in op.operands:
        starts.append(end)
        end += operand.type.shape[dim]
    if lanes is not None and lanes == dim and any(start % width for start in [*starts, end]):
        return e.lanewise(value, indices, lanes, width)
    result = None
    for operand, start in zip(op.operands, starts, strict=True):
        extent = operand.type.shape[dim]
        moved = list(indices)
        step = width if lanes == dim else 1
        shifted = arith.subi(e.index.value(indices[dim]), e.index.value(start)) if start else indices[dim]
        clamped = e.clamp(shifted, extent - step + 1)
        moved[dim] = e.index.assume_multiple(clamped, step)
        part = e.emit(operand, moved, lanes, width) if lanes is not None else e.emit(operand, moved)
        if result is None:
            result = part
            continue
        below = e.index.less(indices[dim], start)
        if isinstance(below, bool):
            result = result if below else part
        else:
            common = lanes_of(part) or lanes_of(result)
            result = arith.select(below, scalar.broadcast(result, common), scalar.broadcast(part, common))
    return result


def _pad(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    low = list(ir.DenseI64ArrayAttr(op.attributes["static_low"]))
    source = op.operands[0]
    shape = list(source.type.shape)
    if len(list(op.operands)) > 1 or any(amount < 0 for amount in low):
        raise unsupported(op, "with amounts that are not constants has no kernel")
    if lanes is not None and (low[lanes] or value.type.shape[lanes] != shape[lanes]):
        return e.lanewise(value, indices, lanes, width)
    block = op.regions[0].blocks[0]
    filler = block.operations[len(block.operations) - 1].operands[0]
    if str(filler.type) in FP8_TYPES and uniform_value(filler) == 0:
        padding = scalar.constant(0, register_type(filler.type))  # the byte 0 is +0.0 in all of them
    else:
        padding = e.scalar_value(filler)
    moved, inside = list(indices), None
    for dim, (i, extent) in enumerate(zip(indices, shape, strict=True)):
        if value.type.shape[dim] == extent:
            continue
        shifted = arith.subi(e.index.value(i), e.index.value(low[dim]))
        within = arith.cmpi(arith.CmpIPredicate.ult, shifted, e.index.value(extent))
        inside = within if inside is None else arith.andi(inside, within)
        moved[dim] = e.clamp(shifted, extent)
    part = e.emit(source, moved, lanes, width) if lanes is not None else e.emit(source, moved)
    if inside is None:
        return part
    return arith.select(inside, part, scalar.broadcast(padding, lanes_of(part)))


def _constant(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    attribute = op.attributes["value"]
    if not (isinstance(attribute, ir.DenseElementsAttr) and attribute.is_splat):
        raise unsupported(op, "that is not a splat must be an argument of the kernel")
    element = register_type(value.type.element_type)
    splat = attribute.get_splat_value()
    if str(element) != str(value.type.element_type):
        raise unsupported(op, f"of {value.type.element_type} must be an argument of the kernel")
    return arith.ConstantOp(element, splat).result


def _empty(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    return scalar.constant(0, register_type(value.type.element_type))


def _splat(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    return e.scalar_value(op.operands[0])


def _cast(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    return e.emit(op.operands[0], indices, lanes, width)


def _quantize(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    real = e.emit(op.operands[0], indices, lanes, width)
    real = scalar.convert_float(real, op.operands[0].type.element_type, ir.F32Type.get())
    inverse = _scale(op, inverse=True)
    if inverse != 1:
        real = arith.mulf(real, scalar.constant(inverse, real.type))
    return fp8.from_f32(real, str(value.type.element_type), saturate=True)


def _dequantize(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    stored = e.emit(op.operands[0], indices, lanes, width)
    real = fp8.to_f32(stored, str(op.operands[0].type.element_type))
    scale = _scale(op, inverse=False)
    if scale != 1:
        real = arith.mulf(real, scalar.constant(scale, real.type))
    return scalar.convert_float(real, ir.F32Type.get(), value.type.element_type)


def _scale(op: Any, inverse: bool) -> float:
    scale = quantize.scale_array(op)
    if scale.ndim:
        raise unsupported(op, "with one scale a channel must be folded before kernels are made")
    return float(np.float32(1.0) / np.float32(scale)) if inverse else float(scale)


HANDLERS: dict[str, Callable[..., Any]] = {
    "tensor.expand_shape": _reshape,
    "tensor.collapse_shape": _reshape,
    "tensor.extract_slice": _slice,
    "tensor.concat": _concat,
    "tensor.pad": _pad,
    "tensor.cast": _cast,
    "tensor.empty": _empty,
    "tensor.splat": _splat,
    "arith.constant": _constant,
    "fovea.quantize": _quantize,
    "fovea.dequantize": _dequantize,
    "fovea.capture": _cast,
}
