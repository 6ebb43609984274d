# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What constant values are computed from, and how large things are: for deciding what to evaluate."""

from __future__ import annotations

import math
from typing import Any

from fovea.bindings import ir
from fovea.executor.body import captured
from fovea.executor.types import dtype_of
from fovea.passes import ir_utils as utils


def sources_of(op: Any) -> list[Any]:
    """The values an op reads: its operands, and those of the function that its regions use. None has none."""
    if op is None:
        return []
    return [*op.operands, *(captured(op) if len(op.regions) else ())]


def leaves_of(value: Any) -> list[Any]:
    """The arguments and constants that `value` is computed from, each once, in the order of the computation."""
    seen: dict[Any, None] = {}
    leaves: dict[Any, None] = {}
    pending = [value]
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen[current] = None
        op = utils.defining_op(current)
        if op is None or op.name == "arith.constant":
            leaves[current] = None
        pending += reversed(sources_of(op))
    return list(leaves)


class WeightLike:
    """Answers whether values depend only on constants and `fovea.weight` arguments, be their values known or not.

    Remembers its answers: drop it when ops that were asked about are erased.
    """

    def __init__(self) -> None:
        self._known: dict[Any, bool] = {}

    def __call__(self, value: Any) -> bool:
        pending = [value]
        while pending:
            current = pending[-1]
            if current in self._known:
                pending.pop()
                continue
            op = utils.defining_op(current)
            if op is not None and any(self._known.get(operand) is False for operand in op.operands):
                self._known[current] = False  # whatever its regions use
                continue
            missing = [source for source in sources_of(op) if source not in self._known]
            if not missing:
                pending.pop()
                known = utils.weight_name(current) is not None if op is None else True
                self._known[current] = known and all(self._known[source] for source in sources_of(op))
            else:
                pending += missing
        return self._known[value]


def weight_names(value: Any) -> list[str]:
    """The names of the weights that `value` is computed from."""
    return [name for leaf in leaves_of(value) if (name := utils.weight_name(leaf)) is not None]


def bytes_of(value: Any) -> int:
    """The memory that a value takes; a splat constant counts as one element."""
    op = utils.defining_op(value)
    type_ = value.type
    size = int(dtype_of(type_).itemsize)
    if not utils.is_tensor(type_):
        return size
    if op is not None and op.name == "arith.constant" and _is_splat(op.attributes["value"]):
        return size
    return size * math.prod(type_.shape)


def _is_splat(attribute: Any) -> bool:
    return isinstance(attribute, ir.DenseElementsAttr) and bool(attribute.is_splat)
