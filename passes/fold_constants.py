# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-fold-constants`: evaluates what depends on weights and constants alone, at compile time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fovea.bindings import arith, ir
from fovea.executor.folding import ConstantEvaluator, evaluate
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import bytes_of, leaves_of, sources_of
from fovea.passes.elements import elements_attribute
from fovea.passes.registry import PassContext, register

# Values up to this many bytes are written into the IR; larger ones become weight arguments.
INLINE_BYTES = 1024
# How much larger than what it was computed from a padded value may be.
MAX_PADDING = 2
# Ops that change no byte: what is below them is folded, they stay and cost nothing.
_VIEWS = ("tensor.expand_shape", "tensor.collapse_shape")
# Ops that make a value out of (almost) nothing; they stay, whoever reads them recomputes the value.
_GENERATORS = ("arith.constant", "tensor.empty", "linalg.fill")


@register
@dataclass(frozen=True)
class FoldConstants:
    """Replace subtrees that depend only on constants and `fovea.weight` arguments by their values.

    The reference executor evaluates them: weights are transposed, cast and quantised here, once. Values up to 1 KiB
    become `arith.constant`; larger ones become a new argument whose `fovea.weight` names a tensor that is added to the
    weights. Nothing is replaced by something larger than what it was computed from (twice that, for padding):
    broadcasts, fills, iota tensors and masks stay ops. Weight arguments that nothing uses any more are removed. If the
    weights' values are not known, only inline constants are folded.

    Before:

        func.func @main(%x: tensor<4x8xf32>, %w: tensor<5x8xf32> {fovea.weight = "fc"}) {
          %q = "fovea.quantize"(%w) {axis = 0, scale = ...} : (tensor<5x8xf32>) -> tensor<5x8xf8E4M3FNUZ>

    After:

        func.func @main(%x: tensor<4x8xf32>, %q: tensor<5x8xf8E4M3FNUZ> {fovea.weight = "fc.f8E4M3FNUZ"}) {
    """

    name: ClassVar[str] = "fovea-fold-constants"

    def run(self, module: Any, context: PassContext) -> None:
        function = utils.entry_function(module)
        chosen = _choose(function, ConstantEvaluator(context.weights))
        arrays = [evaluate([value], context.weights)[0] for value in chosen]
        leaves = [leaves_of(value) for value in chosen]
        for value, array, sources in zip(chosen, arrays, leaves, strict=True):
            _replace(function, value, array, sources, context)
        utils.run_upstream(module, "canonicalize", "cse")
        _drop_unused_weights(utils.entry_function(module))


def _choose(function: Any, evaluator: ConstantEvaluator) -> list[Any]:
    """The values to replace: constant, read by something that is not, and not larger than their sources."""
    chosen: dict[Any, None] = {}
    seen: set[Any] = set()
    pending: deque[Any] = deque()
    for op in utils.body_ops(function):
        constant = len(op.results) > 0 and all(evaluator.is_constant(result) for result in op.results)
        if not constant:
            pending += [value for value in sources_of(op) if evaluator.is_constant(value)]
    while pending:
        value = pending.popleft()
        op = utils.defining_op(value)
        if value in seen or op is None or op.name in _GENERATORS:
            continue
        seen.add(value)
        available = sum(bytes_of(leaf) for leaf in leaves_of(value))
        if op.name == "tensor.pad":
            available *= MAX_PADDING
        if op.name not in _VIEWS and utils.is_tensor(value.type) and bytes_of(value) <= available:
            chosen.setdefault(value)
        else:
            pending += sources_of(op)
    return list(chosen)


def _replace(function: Any, value: Any, array: np.ndarray[Any, Any], sources: list[Any], context: PassContext) -> None:
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


def _drop_unused_weights(function: Any) -> None:
    block = function.regions[0].blocks[0]
    attributes = _argument_attributes(function)
    unused = [a.arg_number for a in block.arguments if utils.weight_name(a) is not None and not utils.has_uses(a)]
    for position in reversed(unused):
        block.erase_argument(position)
        del attributes[position]
    if unused:
        _set_arguments(function, attributes)
