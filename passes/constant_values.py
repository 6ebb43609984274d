# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Values that are known at compile time, put in the place of the ops that made them."""

from __future__ import annotations

from typing import Any

import numpy as np

from fovea.bindings import arith, ir
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import bytes_of
from fovea.passes.elements import elements_attribute
from fovea.passes.registry import PassContext

# Values up to this many bytes are written into the IR; larger ones become weight arguments.
INLINE_BYTES = 1024


def replace_by_value(
    function: Any, value: Any, array: np.ndarray[Any, Any], sources: list[Any], context: PassContext
) -> None:
    """Let the users of `value`, which an op makes from `sources`, read `array`: a constant or a new weight argument."""
    op = value.owner
    array = np.asarray(array, order="C")
    _warn_of_overflow(op, array, sources, context)
    if array.nbytes <= INLINE_BYTES or context.weights is None:
        with ir.InsertionPoint(op), op.location:
            attribute = elements_attribute(array, op.context, value.type.element_type)
            new = arith.ConstantOp(value.type, attribute).result
    else:
        name = _derived_name(value, sources, context.weights)
        context.weights.add(name, array)
        new = _add_weight_argument(function, value.type, name, op.location)
    value.replace_all_uses_with(new)


def _warn_of_overflow(op: Any, array: np.ndarray[Any, Any], sources: list[Any], context: PassContext) -> None:
    """A remark if an f16 value is infinite, as a weight beyond f16's range is after its cast."""
    if array.dtype == np.float16 and np.isinf(array).any():
        label = next((f"weight '{n}'" for leaf in sources if (n := utils.weight_name(leaf)) is not None), "a constant")
        context.remark(
            op.location, f"{label} holds values beyond f16's range (65504), which become infinite; "
                         "compile with --compute-type bf16 or f32",
        )  # fmt: skip


def _derived_name(value: Any, sources: list[Any], weights: Any) -> str:
    """NAME.ELEMENT if the type changed, else NAME.folded, after the largest weight; a number makes it unique."""
    named = [leaf for leaf in sources if utils.weight_name(leaf) is not None]
    largest = max(named, key=bytes_of, default=None)
    base = utils.weight_name(largest) if largest is not None else "constant"
    element = value.type.element_type
    changed = largest is None or largest.type.element_type != element
    stem = f"{base}.{element}" if changed else f"{base}.folded"
    name, number = stem, 1
    while name in weights:
        number += 1
        name = f"{stem}.{number}"
    return name


def _argument_attributes(function: Any) -> list[Any]:
    if "arg_attrs" in function.attributes:
        return list(ir.ArrayAttr(function.attributes["arg_attrs"]))
    return [ir.DictAttr.get({}, function.context) for _ in function.regions[0].blocks[0].arguments]


def _set_arguments(function: Any, attributes: list[Any]) -> None:
    """Make the function's type and argument attributes agree with its entry block."""
    old = ir.FunctionType(ir.TypeAttr(function.attributes["function_type"]).value)
    inputs = [argument.type for argument in function.regions[0].blocks[0].arguments]
    type_ = ir.FunctionType.get(inputs, list(old.results), function.context)
    function.attributes["function_type"] = ir.TypeAttr.get(type_, function.context)
    function.attributes["arg_attrs"] = ir.ArrayAttr.get(attributes, function.context)


def _add_weight_argument(function: Any, type_: Any, name: str, location: Any) -> Any:
    attributes = _argument_attributes(function)
    argument = function.regions[0].blocks[0].add_argument(type_, location)
    named = ir.DictAttr.get({"fovea.weight": ir.StringAttr.get(name, function.context)}, function.context)
    _set_arguments(function, [*attributes, named])
    return argument


def drop_unused_weights(function: Any) -> None:
    """Remove the weight arguments of a function that nothing uses."""
    block = function.regions[0].blocks[0]
    attributes = _argument_attributes(function)
    unused = [a.arg_number for a in block.arguments if utils.weight_name(a) is not None and not utils.has_uses(a)]
    for position in reversed(unused):
        block.erase_argument(position)
        del attributes[position]
    if unused:
        _set_arguments(function, attributes)
