# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Values that depend on constants and weights alone, and what they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fovea.bindings import func, ir
from fovea.executor import run
from fovea.executor.body import captured
from fovea.executor.types import dtype_of
from fovea.passes import ir_utils as utils

_PURE_DIALECTS = ("arith.", "math.", "tensor.", "linalg.")
_PURE_OPS = ("fovea.quantize", "fovea.dequantize")


class ConstantSubtrees:
    """Which values of a function are constant, and their evaluation.

    weights: the store of values of `fovea.weight` arguments; None if they are not known (such arguments then vary).
    Results are remembered: make a new object after rewriting ops that were asked about.
    """

    def __init__(self, weights: Any) -> None:
        self.weights = weights
        self._constant: dict[Any, bool] = {}

    def is_constant(self, value: Any) -> bool:
        """Whether `value` depends on constants and known weights only."""
        if value not in self._constant:
            op = utils.defining_op(value)
            if op is None:
                name = utils.weight_name(value)
                known = name is not None and self.weights is not None and name in self.weights
            else:
                pure = op.name.startswith(_PURE_DIALECTS) or op.name in _PURE_OPS
                known = pure and all(self.is_constant(source) for source in sources_of(op))
            self._constant[value] = known
        return self._constant[value]

    def leaves(self, value: Any) -> list[Any]:
        """The weight arguments and constants that `value` is computed from, each once."""
        return [v for v in self._cone([value]) if not sources_of(utils.defining_op(v)) and _holds_data(v)]

    def evaluate(self, values: Sequence[Any]) -> list[np.ndarray[Any, Any]]:
        """The values of constant tensors, by the reference executor."""
        cone = self._cone(values)
        arguments = [v for v in cone if utils.defining_op(v) is None]
        context = values[0].type.context
        with context, ir.Location.unknown(context):
            module = ir.Module.create()
            with ir.InsertionPoint(module.body):
                type_ = ir.FunctionType.get([v.type for v in arguments], [v.type for v in values])
                function = func.FuncOp("main", type_)
            block = function.add_entry_block()
            mapping = dict(zip(arguments, block.arguments, strict=True))
            with ir.InsertionPoint(block):
                for value in cone:
                    if value not in mapping:
                        utils.clone_op(utils.defining_op(value), mapping)
                func.ReturnOp([mapping[value] for value in values])
        return run(module, [self.weights[utils.weight_name(v)] for v in arguments])

    def _cone(self, values: Sequence[Any]) -> list[Any]:
        """Everything `values` are computed from, sources first."""
        order: dict[Any, None] = {}
        pending = [(value, False) for value in reversed(values)]
        while pending:
            value, ready = pending.pop()
            if ready:
                order.setdefault(value)
            elif value not in order:
                pending.append((value, True))
                pending += [(source, False) for source in sources_of(utils.defining_op(value))]
        return list(order)


def sources_of(op: Any) -> list[Any]:
    """The values an op reads: its operands, and those of the function that its regions use. None has none."""
    if op is None:
        return []
    return [*op.operands, *(captured(op) if len(op.regions) else ())]


def bytes_of(value: Any) -> int:
    """The memory that a value takes; a splat constant counts as one element."""
    op = utils.defining_op(value)
    type_ = value.type
    size = dtype_of(type_).itemsize
    if not utils.is_tensor(type_):
        return int(size)
    if op is not None and op.name == "arith.constant" and _is_splat(op.attributes["value"]):
        return int(size)
    return int(size) * math.prod(type_.shape)


def _is_splat(attribute: Any) -> bool:
    return isinstance(attribute, ir.DenseElementsAttr) and bool(attribute.is_splat)


def _holds_data(value: Any) -> bool:
    op = utils.defining_op(value)
    return op is None or op.name == "arith.constant"
