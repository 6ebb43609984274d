# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a reduction combines with: recognised from the body, with its neutral element."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fovea.bindings import ir
from fovea.codegen import scalar
from fovea.codegen.structured import uniform_value
from fovea.codegen.types import lanes_of

# Combining op -> neutral element, given the bit width of the type (ignored for floats).
_NEUTRAL: dict[str, Callable[[int], float | int]] = {
    "arith.addf": lambda bits: -0.0,
    "arith.mulf": lambda bits: 1.0,
    "arith.maximumf": lambda bits: -math.inf,
    "arith.maxnumf": lambda bits: -math.inf,
    "arith.minimumf": lambda bits: math.inf,
    "arith.minnumf": lambda bits: math.inf,
    "arith.addi": lambda bits: 0,
    "arith.muli": lambda bits: 1,
    "arith.andi": lambda bits: -1,
    "arith.ori": lambda bits: 0,
    "arith.xori": lambda bits: 0,
    "arith.maxsi": lambda bits: -(1 << (bits - 1)),
    "arith.minsi": lambda bits: (1 << (bits - 1)) - 1,
    "arith.maxui": lambda bits: 0,
    "arith.minui": lambda bits: -1,
}


@dataclass(frozen=True)
class Combiner:
    """One result of a reduction: `name` is the combining op, `term` the value in the body that is combined."""

    name: str
    term: Any
    type: Any

    def combine(self, left: Any, right: Any) -> Any:
        """left (op) right, lane by lane."""
        return ir.Operation.create(self.name, results=[left.type], operands=[left, right]).result

    def neutral(self, type_: Any) -> Any:
        """The neutral element as a constant of `type_` (a scalar or vector type)."""
        element = type_.element_type if isinstance(type_, ir.VectorType) else type_
        value = _NEUTRAL[self.name](getattr(element, "width", 0))
        if str(element) == "i1":
            value = int(bool(value))
        return scalar.constant(value, type_)

    def across_lanes(self, value: Any) -> Any:
        """A vector's lanes combined, pairwise, to one scalar."""
        width = lanes_of(value)
        if width is None:
            return value
        parts = [scalar.lane(value, i) for i in range(width)]
        while len(parts) > 1:
            paired = [self.combine(a, b) for a, b in zip(parts[::2], parts[1::2], strict=False)]
            parts = paired + ([parts[-1]] if len(parts) % 2 else [])
        return parts[0]


def combiners_of(op: Any) -> list[Combiner] | None:
    """A combiner for each result of a structured reduction; None if a body combines in another way."""
    block = op.regions[0].blocks[0]
    arguments = list(block.arguments)
    inits = arguments[len(arguments) - len(op.results) :]
    terminator = block.operations[len(block.operations) - 1]
    found = []
    for init, value in zip(inits, terminator.operands, strict=True):
        owner = value.owner
        if isinstance(owner, ir.Block) or owner.operation.name not in _NEUTRAL:
            return None
        left, right = owner.operands
        if (left == init) == (right == init):
            return None
        term = right if left == init else left
        if _uses(term, init, block):
            return None
        found.append(Combiner(owner.operation.name, term, value.type))
    return found


def _uses(value: Any, wanted: Any, block: Any) -> bool:
    pending, seen = [value], set()
    while pending:
        current = pending.pop()
        if current == wanted:
            return True
        owner = current.owner
        if current in seen or isinstance(owner, ir.Block) or owner.operation.block != block:
            continue
        seen.add(current)
        pending += list(owner.operands)
    return False


def is_neutral(combiner: Combiner, init: Any) -> bool:
    """Whether the tensor `init` is known to hold the neutral element everywhere."""
    value = uniform_value(init)
    neutral = _NEUTRAL[combiner.name](getattr(combiner.type, "width", 0))
    if str(combiner.type) == "i1":
        return value is not None and bool(value) == bool(neutral)
    return value == neutral
