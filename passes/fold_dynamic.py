# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Folding of dequantised operands whose scales are tensors: one a row, applied behind the contraction, or one a block
of the contracted dim, taken into a `fovea.scaled_contract`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.bindings import arith, ir
from fovea.dialect.dynamic_quantize import E8M0, block_of, scale_shape
from fovea.dialect.quantize import PER_TENSOR, axis_of, scale_array
from fovea.passes import ir_utils as utils
from fovea.passes.contraction import IDENTITY, dims_of
from fovea.passes.contraction_layout import make_contraction, transpose
from fovea.passes.dynamic_scales import merged_block, reassociation
from fovea.passes.elements import elements_attribute
from fovea.passes.scaled_result import scaled_result

DYNAMIC = "fovea.dynamic_dequantize"
_RESHAPES = ("tensor.expand_shape", "tensor.collapse_shape")


@dataclass(frozen=True)
class Operand:
    """A dequantised operand as its reader sees it. `block`: elements along each axis that share a scale."""

    op: Any  # the dequantize op, static or dynamic
    views: tuple[Any, ...]  # between it and the reader, nearest the reader first
    block: tuple[int, ...]

    @property
    def storage(self) -> Any:
        return self.op.operands[0].type.element_type

    @property
    def shape(self) -> list[int]:
        """The shape that the reader sees."""
        return self._shapes()[-1]

    @property
    def within(self) -> bool:
        """Whether the contraction itself takes the scales: those for blocks within an axis, and all powers of two."""
        if self.op.name == DYNAMIC and str(self.op.operands[1].type.element_type) == E8M0:
            return True
        return any(1 < size < extent for size, extent in zip(self.block, self.shape, strict=True))

    def stored(self) -> Any:
        """The stored tensor, made at the insertion point."""
        return self._viewed(self.op.operands[0], self._shapes())

    def scale(self) -> Any:
        """The scales as a tensor of the operand's rank, made at the insertion point."""
        blocks = _blocks(self.op, self.views) or []
        shapes = [scale_shape(shape, block) for shape, block in zip(self._shapes(), blocks, strict=True)]
        if self.op.name == DYNAMIC:
            return self._viewed(self.op.operands[1], shapes)
        array = scale_array(self.op).reshape(shapes[0])
        attribute = elements_attribute(array.astype(np.float32), self.op.context)
        return self._viewed(arith.ConstantOp(attribute.type, attribute).result, shapes)

    def _shapes(self) -> list[list[int]]:
        """Of the dequantised tensor and of each view of it, nearest the dequantize op first."""
        return [list(self.op.results[0].type.shape), *(list(v.results[0].type.shape) for v in reversed(self.views))]

    def _viewed(self, value: Any, shapes: Sequence[list[int]]) -> Any:
        for view, shape in zip(reversed(self.views), shapes[1:], strict=True):
            if view.name == "linalg.transpose":
                value = transpose(value, list(ir.DenseI64ArrayAttr(view.attributes["permutation"])))
                continue
            attributes = utils.attributes_of(view)
            if "static_output_shape" in attributes:
                attributes["static_output_shape"] = ir.DenseI64ArrayAttr.get(shape, value.type.context)
            result = utils.tensor_type(shape, value.type.element_type)
            value = ir.Operation.create(view.name, results=[result], operands=[value], attributes=attributes).results[0]
        return value


def operand_of(value: Any) -> Operand | None:
    """What `value` was dequantised from, None if it was not or if a view between cuts blocks into pieces."""
    views: list[Any] = []
    op = utils.defining_op(value)
    while op is not None and (op.name in _RESHAPES or op.name == "linalg.transpose"):
        views.append(op)
        op = utils.defining_op(op.operands[0])
    if op is None or op.name not in (DYNAMIC, "fovea.dequantize"):
        return None
    blocks = _blocks(op, views)
    return None if blocks is None else Operand(op, tuple(views), tuple(blocks[-1]))


def _blocks(op: Any, views: Sequence[Any]) -> list[list[int]] | None:
    """The block of a dequantize op and its form in each view, nearest the op first; None if one has none."""
    block = block_of(op) if op.name == DYNAMIC else _static_block(op)
    blocks = [block]
    for view in reversed(views):
        moved = _moved(view, block)
        if moved is None:
            return None
        block = moved
        blocks.append(block)
    return blocks


def _static_block(op: Any) -> list[int]:
    shape, axis = list(op.results[0].type.shape), axis_of(op)
    return [1 if position == axis and axis != PER_TENSOR else extent for position, extent in enumerate(shape)]


def _moved(view: Any, block: list[int]) -> list[int] | None:
    """The block in the result of a view of a tensor with blocks `block`."""
    source, result = (list(v.type.shape) for v in (view.operands[0], view.results[0]))
    if view.name == "linalg.transpose":
        return [block[axis] for axis in ir.DenseI64ArrayAttr(view.attributes["permutation"])]
    moved = [1] * len(result)
    for position, group in enumerate(reassociation(view)):
        if view.name == "tensor.collapse_shape":
            size = merged_block([source[axis] for axis in group], [block[axis] for axis in group])
            if size is None:
                return None
            moved[position] = size
            continue
        long = [axis for axis in group if result[axis] > 1]
        size = block[position]
        if size == source[position]:
            for axis in group:
                moved[axis] = result[axis]
        elif size > 1 and len(long) > 1:
            return None
        else:
            for axis in long:
                moved[axis] = size
    return moved


def is_dynamic(value: Any) -> bool:
    """Whether `value` is dequantised with scales that are a tensor, through views."""
    op = utils.defining_op(value)
    while op is not None and (op.name in _RESHAPES or op.name == "linalg.transpose"):
        op = utils.defining_op(op.operands[0])
    return op is not None and op.name == DYNAMIC


def fold_dynamic(op: Any) -> str | None:
    """Fold a contraction one of whose operands has scales that are a tensor; returns the reason if it is left."""
    operands = [operand_of(value) for value in utils.inputs_of(op)]
    found = [operand for operand in operands if operand is not None]
    if len(found) < len(operands):
        return "only one of its operands is quantised, or a view cuts its blocks into pieces"
    if not same_family(found[0].storage, found[1].storage):
        return f"its operands are stored as {found[0].storage} and {found[1].storage}"
    contracted = set(dims_of(op).k)
    for operand, map_ in zip(found, utils.indexing_maps(op), strict=False):
        for extent, size, expression in zip(operand.shape, operand.block, map_.results, strict=True):
            summed = utils.dim_position(expression) in contracted
            if size == 1 < extent and summed:
                return "a scale varies along the contracted dim"
            if 1 < size < extent and not summed:
                return "a scale is shared by a part of a dim that is not contracted"
    _rewrite(op, found)
    return None


def same_family(left: Any, right: Any) -> bool:
    """Whether a matrix instruction can read both storage types: both OCP's, or both FNUZ."""
    return left == right or str(left).endswith("FNUZ") == str(right).endswith("FNUZ")


def _rewrite(op: Any, operands: Sequence[Operand]) -> None:
    """The contraction on stored operands with block scales, then other scales and an initial value that is not 0."""
    result, initial = op.results[0], utils.outputs_of(op)[0]
    shape, element = list(result.type.shape), result.type.element_type
    *maps, result_map = utils.indexing_maps(op)
    with ir.InsertionPoint(op), op.location:
        f32 = ir.F32Type.get(op.context)
        stored = [operand.stored() for operand in operands]
        if any(operand.within for operand in operands):
            total = _scaled_contract(op, operands, stored)
        else:
            zero = arith.ConstantOp(f32, 0.0).result
            accumulator = utils.filled(zero, shape)
            contraction = make_contraction(op, stored, [accumulator], utils.indexing_maps(op))
            utils.copy_discardable(op, contraction)
            total = contraction.results[0]
        factors, constant = [], np.float32(1)
        for operand, map_ in zip(operands, maps, strict=True):
            if operand.op.name != DYNAMIC and axis_of(operand.op) == PER_TENSOR:
                constant *= np.float32(scale_array(operand.op))
            elif not operand.within:
                factors.append((operand.scale(), _behind(operand, map_, result_map)))
        scaled = scaled_result(total, factors, None if constant == 1 else float(constant), initial, element)
    result.replace_all_uses_with(scaled)
    op.erase()


def _behind(operand: Operand, map_: Any, result_map: Any) -> Any:
    """Where in the operand's scales the factor of an element of the result is."""
    context, dims = map_.context, [utils.dim_position(expression) for expression in result_map.results]
    expressions = []
    for size, extent, expression in zip(operand.block, operand.shape, map_.results, strict=True):
        if size == extent:
            expressions.append(ir.AffineExpr.get_constant(0, context))
        else:
            expressions.append(ir.AffineExpr.get_dim(dims.index(utils.dim_position(expression)), context))
    return ir.AffineMap.get(len(dims), 0, expressions, context)


def _scaled_contract(op: Any, operands: Sequence[Operand], stored: Sequence[Any]) -> Any:
    *maps, result_map = utils.indexing_maps(op)
    values, places, sizes = list(stored), list(maps), [1, 1]
    for operand, map_ in zip(operands, maps, strict=True):
        sizes.append(int(operand.within))
        if operand.within:
            scale, place = _within(operand, map_)
            values.append(scale)
            places.append(place)
    context = op.context
    result = utils.tensor_type(op.results[0].type.shape, ir.F32Type.get(context))
    attributes = {
        "indexing_maps": ir.ArrayAttr.get([ir.AffineMapAttr.get(m) for m in (*places, result_map)], context),
        "operandSegmentSizes": ir.DenseI32ArrayAttr.get(sizes, context),
    }
    new = ir.Operation.create("fovea.scaled_contract", results=[result], operands=values, attributes=attributes)
    if IDENTITY in op.attributes:
        new.attributes[IDENTITY] = op.attributes[IDENTITY]
    return new.results[0]


def _within(operand: Operand, map_: Any) -> tuple[Any, Any]:
    """The operand's scales for a `fovea.scaled_contract`, and their indexing map.

    f32 scales lie with the blocks of k outermost, so that kernels load those of consecutive rows at once.
    """
    context, scale = map_.context, operand.scale()
    expressions = []
    for size, extent, expression in zip(operand.block, operand.shape, map_.results, strict=True):
        if size == extent:
            expressions.append(ir.AffineExpr.get_constant(0, context))
        elif size == 1:
            expressions.append(expression)
        else:
            expressions.append(ir.AffineExpr.get_floor_div(expression, size))
    if str(scale.type.element_type) == "f32":
        blocked = [1 < size < extent for size, extent in zip(operand.block, operand.shape, strict=True)]
        order = sorted(range(len(blocked)), key=lambda axis: not blocked[axis])
        if order != list(range(len(blocked))):
            scale, expressions = transpose(scale, order), [expressions[axis] for axis in order]
    return scale, ir.AffineMap.get(map_.n_dims, 0, expressions, context)
