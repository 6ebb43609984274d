# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Follows a loaded element back through pure layout to the tensor that is best read directly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fovea.passes.attention.evaluate import reassociation, shape_of
from fovea.passes.attention.expression import Atom, Index, NotLayout, Resplit, split_index
from fovea.passes.ir_utils import (
    body_block,
    constant_value,
    defining_op,
    dim_position,
    indexing_maps,
    is_linalg,
    yielded,
)

Place = tuple[Any, tuple[Index, ...]]


def source_of(value: Any, index: Sequence[Index]) -> Place | None:
    """The tensor and index that `value[index]` is a copy of, one layout op up; None if no layout op made it.

    Raises Resplit and NotLayout.
    """
    op = defining_op(value)
    if op is None:
        return None
    if op.name == "tensor.cast":
        return op.operands[0], tuple(index)
    if op.name == "tensor.expand_shape":
        return op.operands[0], tuple(tuple(a for i in group for a in index[i]) for group in reassociation(op))
    if op.name == "tensor.collapse_shape":
        shape = shape_of(op.operands[0])
        groups = reassociation(op)
        if not groups:
            return op.operands[0], ((),) * len(shape)
        parts: list[Index] = []
        for position, group in enumerate(groups):
            parts += split_index(index[position], [shape[i] for i in group])
        return op.operands[0], tuple(parts)
    if is_copy(op):
        return _through_copy(op, index)
    return None


def is_copy(op: Any) -> bool:
    """Whether a structured op only moves elements: transpose, broadcast, or a generic that yields its one input."""
    if not is_linalg(op) or len(op.operands) != 2 or len(op.results) != 1 or op.name == "linalg.fill":
        return False
    return bool(yielded(op)[0] == body_block(op).arguments[0])


def _through_copy(op: Any, index: Sequence[Index]) -> Place | None:
    source, out = indexing_maps(op)
    binding: dict[int, Index] = {}
    for position, expression in enumerate(out.results):
        dim = dim_position(expression)
        if dim is None:
            return None
        binding[dim] = index[position]
    if len(binding) != out.n_dims:
        return None
    result: list[Index] = []
    for expression in source.results:
        dim = dim_position(expression)
        if dim is None and constant_value(expression) != 0:
            return None
        result.append(() if dim is None else binding[dim])
    return op.operands[0], tuple(result)


def excess(index: Sequence[Index]) -> int:
    """How many atoms share a dim with another: 0 if every dim is indexed by at most one atom."""
    return sum(max(0, len(dim) - 1) for dim in index)


def trace(
    value: Any, index: Sequence[Index], may_split: frozenset[Atom], accept: Callable[[Any], bool] = lambda op: True
) -> Place:
    """The earliest place that reads the same element with the fewest atoms a dim.

    Splitting an atom in `may_split` is asked for (Resplit) only where it uncovers a broadcast, as in grouped queries.
    `accept`: which layout ops may be passed.
    """
    place: Place = (value, tuple(index))
    best = place
    while True:
        op = defining_op(place[0])
        try:
            following = source_of(*place) if op is not None and accept(op) else None
        except NotLayout:
            break
        except Resplit as request:
            if request.atom in may_split and _broadcast_ahead(place[0]):
                raise
            break
        if following is None:
            break
        place = following
        if excess(place[1]) <= excess(best[1]):
            best = place
    return best


def _broadcast_ahead(value: Any, steps: int = 4) -> bool:
    """Whether a copy that repeats elements is among the next few layout ops up from `value`."""
    for _ in range(steps):
        op = defining_op(value)
        if op is None or not op.operands:
            return False
        if is_copy(op):
            source, out = indexing_maps(op)
            used = {dim_position(expression) for expression in source.results}
            if len(used - {None}) < out.n_dims:
                return True
        elif op.name not in ("tensor.expand_shape", "tensor.collapse_shape", "tensor.cast"):
            return False
        value = op.operands[0]
    return False
