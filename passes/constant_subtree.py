# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What constant values are computed from, and how large things are: for deciding what to evaluate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import chain
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


class FollowsFrom:
    """Answers whether values follow from certain leaves alone, which `sources` defines.

    Remembers its answers: drop it when ops that were asked about are erased.
    """

    def __init__(self) -> None:
        self._known: dict[Any, bool] = {}

    def sources(self, value: Any) -> Iterable[Any] | None:
        """The values that must all follow for `value` to; None if it does not, whatever they do."""
        raise NotImplementedError

    def __call__(self, value: Any) -> bool:
        known = self._known
        if value in known:
            return known[value]
        path: list[tuple[Any, Iterator[Any]]] = []  # each computed from the next (no recursion: graphs are deep)
        current = value
        while True:
            sources = None if known.get(current) is False else self.sources(current)
            if sources is None:  # then nothing on the path follows either
                known.update(dict.fromkeys((current, *(above for above, _ in path)), False))
                return False
            path.append((current, iter(sources)))
            while path:
                below = next((source for source in path[-1][1] if not known.get(source)), None)
                if below is not None:
                    current = below
                    break
                known[path.pop()[0]] = True
            else:
                return True


class WeightLike(FollowsFrom):
    """Answers whether values depend only on constants and `fovea.weight` arguments, be their values known or not."""

    def sources(self, value: Any) -> Iterable[Any] | None:
        op = utils.defining_op(value)
        if op is None:
            return None if utils.weight_name(value) is None else ()
        if not len(op.regions):
            return op.operands
        # What regions use is looked for only if the operands leave the answer open.
        return chain(op.operands, chain.from_iterable(captured(around) for around in (op,)))


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
