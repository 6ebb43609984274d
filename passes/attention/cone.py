# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Walks over def-use: candidates around an exponential, and the ops between two contractions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fovea.passes.attention.contraction import computes, is_contraction, is_reduction, is_sum
from fovea.passes.attention.evaluate import LAYOUT_OPS, QUANTISERS
from fovea.passes.ir_utils import defining_op, nested_ops

# How many ops a walk around one exponential looks at before it gives up: bounds the cost of a candidate, and is far
# above what any attention has between its contractions.
REACH = 96
SLICES = frozenset({"tensor.extract_slice", "tensor.insert_slice", "tensor.concat", "tensor.pad", "tensor.reshape"})


def passes_through(op: Any) -> bool:
    """Whether values flow through `op` element by element or as layout (no reduction)."""
    if op.name in LAYOUT_OPS or op.name in SLICES or op.name in QUANTISERS or op.name == "linalg.softmax":
        return True
    return computes(op) and op.name != "linalg.fill" and not is_reduction(op)


def users(op: Any) -> Iterator[Any]:
    """Ops that use a result of `op`; a use inside a linalg body counts as use by the linalg op."""
    for result in op.results:
        for use in reversed(list(result.uses)):  # MLIR lists the last use first
            user = use.owner.operation
            yield user if user.block == op.block else enclosing(user, op.block)


def enclosing(op: Any, block: Any) -> Any:
    """The ancestor of `op` (or `op`) that lies in `block`; `op` itself if there is none."""
    current = op
    while current is not None and current.name != "builtin.module":
        if current.block == block:
            return current
        current = current.parent.operation if current.parent is not None else None
    return op


def second_contractions(exponential: Any) -> tuple[list[Any], bool]:
    """(contractions that may weigh values with this exponential, nearest first; whether a sum of it was seen)."""
    found: list[Any] = []
    summed = exponential.name == "linalg.softmax" or is_reduction(exponential)
    seen, queue = {exponential}, [exponential]
    if is_contraction(exponential):
        found.append(exponential)
    while queue and len(seen) < REACH:
        current = queue.pop(0)
        if current is not exponential and is_reduction(current):
            if is_contraction(current):
                found.append(current)
            summed = summed or is_sum(current)
            continue
        for user in users(current):
            if user not in seen and (passes_through(user) or computes(user)):
                seen.add(user)
                queue.append(user)
    return found, summed


def first_contractions(exponential: Any) -> list[Any]:
    """Contractions whose result may be the scores behind this exponential, nearest first."""
    found: list[Any] = []
    seen, queue = {exponential}, [exponential]
    while queue and len(seen) < REACH:
        current = queue.pop(0)
        for producer in producers(current):
            if producer in seen:
                continue
            seen.add(producer)
            if is_contraction(producer):
                found.append(producer)
            elif passes_through(producer):
                queue.append(producer)
    return found


def logarithm_before(exponential: Any, steps: int = 8) -> bool:
    """Whether a logarithm is taken in `exponential` or in what it reads element by element (exp of a log-softmax)."""
    seen, queue = {exponential}, [exponential]
    while queue and len(seen) < steps:
        current = queue.pop(0)
        if any(inner.name.startswith("math.log") for inner in nested_ops(current)):
            return True
        for producer in producers(current):
            if producer not in seen and passes_through(producer):
                seen.add(producer)
                queue.append(producer)
    return False


def normalising_ops(second: Any, steps: int = 6) -> Iterator[Any]:
    """Pointwise ops, nearest first, that alone use the contraction's result and may divide it by softmax's sum."""
    current = second
    for _ in range(steps):
        following = list(dict.fromkeys(users(current)))
        if len(following) != 1 or not passes_through(following[0]):
            return
        current = following[0]
        if any(inner.name in ("arith.divf", "arith.mulf") for inner in nested_ops(current)):
            yield current


def producers(op: Any) -> list[Any]:
    """Ops that define what `op` reads, in its operands or in its body."""
    values = list(op.operands)
    if op.name == "linalg.generic" and any(
        o.operation.name == "tensor.extract" for o in op.regions[0].blocks[0].operations
    ):
        values += [inner.operands[0] for inner in nested_ops(op) if inner.name == "tensor.extract"]
    made = (defining_op(value) for value in values)
    return [producer for producer in made if producer is not None]


def between(first: Any, last: Any) -> list[Any]:
    """The ops on any path of def-use from `first` to `last` in their block, both included, in no order; [] if none."""
    if first.block != last.block or not first.is_before_in_block(last):
        return []
    depends: dict[Any, bool] = {first: True}
    stack = [(last, iter(producers(last)))]
    depends[last] = False
    while stack:
        current, todo = stack[-1]
        for producer in todo:
            if producer in depends:
                depends[current] = depends[current] or depends[producer]
            elif producer.block == first.block and first.is_before_in_block(producer):
                depends[producer] = False
                stack.append((producer, iter(producers(producer))))
                break
        else:
            stack.pop()
            if stack:
                parent = stack[-1][0]
                depends[parent] = depends[parent] or depends[current]
    return [op for op, reached in depends.items() if reached] if depends[last] else []
