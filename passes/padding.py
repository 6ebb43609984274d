# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tensors with zeros around them, as convolutions read them: what maps 0 to 0 (a cast, quantisation) moves below."""

from __future__ import annotations

from typing import Any

from fovea.bindings import arith, ir
from fovea.executor.constants import array_of
from fovea.passes import ir_utils as utils

VIEWS = ("tensor.expand_shape", "tensor.collapse_shape")


def is_zero_pad(op: Any) -> bool:
    """Whether `op` is a tensor.pad by constant amounts with the constant +0.0 (None is not)."""
    if op is None or op.name != "tensor.pad" or len(op.operands) > 1:
        return False
    *inner, terminator = list(utils.body_block(op).operations)
    constant = utils.defining_op(terminator.operands[0])
    if constant is None or constant.name != "arith.constant":
        return False
    value = array_of(constant.attributes["value"])
    return value.tobytes().strip(b"\0") == b"" and all(o.operation.name == "arith.constant" for o in inner)


def pad_like(pad: Any, value: Any) -> Any:
    """`value` padded with zeros by the amounts of a tensor.pad, at the insertion point."""
    return zero_pad(value, *amounts_of(pad))


def amounts_of(pad: Any) -> tuple[list[int], list[int]]:
    """(elements in front, elements behind) along each dim that a tensor.pad by constant amounts adds."""
    low, high = (list(ir.DenseI64ArrayAttr(pad.attributes[f"static_{side}"])) for side in ("low", "high"))
    return low, high


def zero_pad(value: Any, low: list[int], high: list[int]) -> Any:
    """`value` with zeros around it, at the insertion point."""
    context, element = value.type.context, value.type.element_type
    zero = arith.ConstantOp(element, ir.FloatAttr.get(element, 0.0)).result
    shape = [before + extent + after for before, extent, after in zip(low, value.type.shape, high, strict=True)]
    pad = ir.Operation.create(
        "tensor.pad", results=[utils.tensor_type(shape, element)], operands=[value], regions=1,
        attributes={
            "static_low": ir.DenseI64ArrayAttr.get(low, context),
            "static_high": ir.DenseI64ArrayAttr.get(high, context),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get([1, 0, 0], context),
        },
    )  # fmt: skip
    index = ir.IndexType.get(context)
    block = ir.Block.create_at_start(pad.regions[0], [index] * len(shape), [pad.location] * len(shape))
    with ir.InsertionPoint(block):
        ir.Operation.create("tensor.yield", operands=[zero])
    return pad.results[0]
