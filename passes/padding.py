# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tensors with zeros around them, as convolutions read them: what maps 0 to 0 (a cast, quantisation) moves below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fovea.bindings import arith, ir
from fovea.executor.constants import array_of
from fovea.passes import ir_utils as utils

VIEWS = ("tensor.expand_shape", "tensor.collapse_shape")


def filler_of(op: Any) -> Any | None:
    """The attribute of the constant that a tensor.pad puts around its operand; None for any other op (or None), and if
    the constant or the amounts are not known."""
    if op is None or op.name != "tensor.pad" or len(op.operands) > 1:
        return None
    constant = utils.defining_op(utils.yielded(op)[0])
    return constant.attributes["value"] if constant is not None and constant.name == "arith.constant" else None


def is_zero_pad(op: Any) -> bool:
    """Whether `op` is a tensor.pad by constant amounts with the constant +0.0 or 0 (None is not)."""
    filler = filler_of(op)
    return filler is not None and not any(array_of(filler).tobytes())


def amounts_of(op: Any) -> tuple[list[int], list[int]]:
    """(elements in front, elements behind) along each dim that a tensor.pad by constant amounts adds."""
    low, high = (list(ir.DenseI64ArrayAttr(op.attributes[f"static_{side}"])) for side in ("low", "high"))
    return low, high


def zero_pad_like(op: Any, value: Any) -> Any:
    """`value` with zeros of its type around it, as many as a tensor.pad adds, at the insertion point."""
    return pad(value, *amounts_of(op), ir.FloatAttr.get(value.type.element_type, 0.0))


def pad(value: Any, low: Sequence[int], high: Sequence[int], filler: Any) -> Any:
    """`value` with the constant of attribute `filler` around it, at the insertion point."""
    context, element = value.type.context, value.type.element_type
    constant = arith.ConstantOp(element, filler).result
    shape = [before + extent + after for before, extent, after in zip(low, value.type.shape, high, strict=True)]
    op = ir.Operation.create(
        "tensor.pad", results=[utils.tensor_type(shape, element)], operands=[value], regions=1,
        attributes={
            "static_low": ir.DenseI64ArrayAttr.get(list(low), context),
            "static_high": ir.DenseI64ArrayAttr.get(list(high), context),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get([1, 0, 0], context),
        },
    )  # fmt: skip
    index = ir.IndexType.get(context)
    block = ir.Block.create_at_start(op.regions[0], [index] * len(shape), [op.location] * len(shape))
    with ir.InsertionPoint(block):
        ir.Operation.create("tensor.yield", operands=[constant])
    return op.results[0]
