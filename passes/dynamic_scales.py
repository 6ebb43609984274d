# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pairs of dynamic quantise and dequantise ops: one scale a row of a contraction's operand, or a block of it."""

from __future__ import annotations

import math
from typing import Any

from fovea.bindings import ir
from fovea.dialect.dynamic_quantize import scale_shape
from fovea.passes import ir_utils as utils
from fovea.passes.contraction import IDENTITY, dims_of
from fovea.passes.quantization_formats import Storage

_VIEWS = ("tensor.expand_shape", "tensor.collapse_shape")


def contracted_axes(op: Any, side: int) -> list[int]:
    """The axes of an operand along which a contraction adds."""
    contracted = dims_of(op).k
    results = utils.indexing_maps(op)[side].results
    return [axis for axis, expression in enumerate(results) if utils.dim_position(expression) in contracted]


def row_block(op: Any, side: int) -> list[int]:
    """The block of one scale a row of an operand: all of the contracted axes, one position of every other."""
    axes = contracted_axes(op, side)
    return [extent if axis in axes else 1 for axis, extent in enumerate(op.operands[side].type.shape)]


def k_block(op: Any, side: int, size: int) -> list[int] | None:
    """The block of `size` positions along the contracted axis, None if there is more than one such axis."""
    block = row_block(op, side)
    long = [axis for axis, extent in enumerate(block) if extent > 1]
    if len(long) > 1:
        return None
    for axis in long:
        block[axis] = min(size, block[axis])
    return block


def below_views(value: Any, block: list[int]) -> tuple[Any, list[int], list[Any]]:
    """The tensor that `value` is a view of, the same blocks in it, and the views between, nearest `value` first.

    Stops at a view that would cut a block into pieces.
    """
    views: list[Any] = []
    op = utils.defining_op(value)
    while op is not None and op.name in _VIEWS:
        source = _source_block(op, block)
        if source is None:
            break
        views.append(op)
        value, block = op.operands[0], source
        op = utils.defining_op(value)
    return value, block, views


def _source_block(view: Any, block: list[int]) -> list[int] | None:
    """The block in a view's source, None if there is none of that form."""
    collapses = view.name == "tensor.collapse_shape"
    source, result = (list(v.type.shape) for v in (view.operands[0], view.results[0]))
    moved = [1] * len(source)
    for position, group in enumerate(reassociation(view)):
        if collapses:
            if not _split(source, group, result[position], block[position], moved):
                return None
        else:
            size = merged_block([result[axis] for axis in group], [block[axis] for axis in group])
            if size is None:
                return None
            moved[position] = size
    return moved


def reassociation(view: Any) -> list[list[int]]:
    """The groups of axes of a reshape's longer side."""
    groups = ir.ArrayAttr(view.attributes["reassociation"])
    return [[ir.IntegerAttr(axis).value for axis in ir.ArrayAttr(group)] for group in groups]


def _split(shape: list[int], group: list[int], extent: int, size: int, moved: list[int]) -> bool:
    """Put the block of a collapsed axis into `moved` for the axes of its group."""
    if size == extent:
        for axis in group:
            moved[axis] = shape[axis]
        return True
    long = [axis for axis in group if shape[axis] > 1]
    if size > 1 and len(long) > 1:
        return False
    for axis in long:
        moved[axis] = size
    return True


def merged_block(extents: list[int], block: list[int]) -> int | None:
    """The block along several axes seen as one; None if it is not a run of positions that starts at a multiple."""
    long = [(extent, size) for extent, size in zip(extents, block, strict=True) if extent > 1]
    if all(extent == size for extent, size in long):
        return math.prod(extents)
    if all(size == 1 for _, size in long):
        return 1
    return long[0][1] if len(long) == 1 else None


def dynamic_pair(value: Any, storage: Storage, block: list[int], identity: str | None) -> Any:
    """Quantise and dequantise `value` at the insertion point; returns the dequantised tensor."""
    context = value.type.context
    attributes: dict[str, Any] = {"block": ir.DenseI64ArrayAttr.get(block, context)}
    if identity is not None:
        attributes[IDENTITY] = ir.StringAttr.get(identity, context)
    stored = utils.tensor_type(value.type.shape, ir.Type.parse(storage.element, context))
    scale = utils.tensor_type(scale_shape(value.type.shape, block), ir.Type.parse(storage.scale, context))
    quantized = ir.Operation.create(
        "fovea.dynamic_quantize", results=[stored, scale], operands=[value], attributes=attributes
    )
    return ir.Operation.create(
        "fovea.dynamic_dequantize", results=[value.type], operands=list(quantized.results), attributes=attributes
    ).results[0]
