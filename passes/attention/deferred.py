# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Softmax whose division comes after the second contraction: (exp(s) V) / sum(exp(s))."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fovea.passes.attention.contraction import Contraction
from fovea.passes.attention.evaluate import Evaluator
from fovea.passes.attention.expression import ADD, Expr, Index
from fovea.passes.attention.softmax import Product, Unnormalised, flatten

NEVER = "the exponential is never divided by its sum"


def open_behind(
    end: Any, evaluator: Evaluator, index: Sequence[Index], mentions: Callable[[Expr], bool]
) -> tuple[Contraction, Product]:
    """The second contraction as seen from `end`, an op behind it, and what else `end` does to it.

    Raises Unnormalised if `end` is no product of one sum and other things.
    """
    algebra = evaluator.algebra
    whole = evaluator.value(end.results[0], index)
    product = flatten(algebra.uncast(whole), mentions)
    sums = [factor for factor in product.factors if mentions(factor)]
    if len(sums) != 1 or sums[0].kind != "reduce" or sums[0].data[0] != ADD or not product.divisors:
        raise Unnormalised(NEVER)
    product.factors.remove(sums[0])
    pending, seen = [whole], set()
    while pending:
        node = pending.pop()
        if node.kind == "reduce" and algebra.uncast(node) is sums[0]:
            body, init = node.args
            return Contraction(end, tuple(index), node.data[1], body, init), product
        if node.number not in seen:
            seen.add(node.number)
            pending += node.args
    raise Unnormalised(NEVER)
