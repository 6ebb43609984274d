# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Contractions: what is one, and which of its dims are batch, m, n and k."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fovea.passes.attention.evaluate import COMBINERS, Evaluator, shape_of
from fovea.passes.attention.expression import ADD, Algebra, Dims, Expr, Index, constant_value
from fovea.passes.attention.softmax import Mismatch
from fovea.passes.ir_utils import body_block, defining_op, dim_position, indexing_maps, is_linalg, is_tensor, num_inputs


def computes(op: Any) -> bool:
    """Whether `op` is a structured op with results (one that only asserts something about elements has none)."""
    return is_linalg(op) and len(op.results) > 0


def is_reduction(op: Any) -> bool:
    """Whether a structured op reduces over some dim of its iteration space."""
    if not computes(op):
        return False
    maps = indexing_maps(op)
    out = maps[num_inputs(op)]
    return len({dim_position(r) for r in out.results} - {None}) < out.n_dims


def final_combiner(op: Any) -> Any | None:
    """The op that ends the body of a reduction with one accumulated result, None if there is no such op."""
    block = body_block(op)
    last = defining_op(list(block.operations)[-1].operands[0])
    return last if last is not None and last.name in COMBINERS else None


def is_contraction(op: Any) -> bool:
    """Whether `op` sums products of elements of two tensors (whatever else its body does to them)."""
    if len(op.results) != 1 or not is_reduction(op):
        return False
    if sum(is_tensor(value.type) for value in list(op.operands)[: num_inputs(op)]) < 2:
        return False
    last = final_combiner(op)
    return (
        last is not None
        and last.name == ADD
        and any(o.operation.name == "arith.mulf" for o in body_block(op).operations)
    )


def is_sum(op: Any) -> bool:
    """Whether `op` is a reduction by addition that is no contraction."""
    if len(op.results) != 1 or not is_reduction(op) or is_contraction(op):
        return False
    last = final_combiner(op)
    return last is not None and last.name == ADD


@dataclass(frozen=True)
class Contraction:
    """sum over `bound` of `body`, at the output index `index`. `init` is what the sum starts from."""

    op: Any
    index: tuple[Index, ...]
    bound: Index
    body: Expr
    init: Expr


def open_contraction(op: Any, evaluator: Evaluator, index: Sequence[Index]) -> Contraction:
    """The element of the contraction's result at `index`, with its reduction left open (bound atoms are free)."""
    maps = indexing_maps(op)
    out = num_inputs(op)
    binding, bound = evaluator.bind(op, maps, out, index)
    return Contraction(op, tuple(index), bound, *evaluator.summand(op, maps, binding, index))


def free_index(op: Any, dims: Dims) -> list[Index]:
    """A fresh index over the whole result of `op`."""
    return [dims.atoms(("result", op, i), size) for i, size in enumerate(shape_of(op.results[0]))]


@dataclass(frozen=True)
class Sides:
    """The two factors of a contraction's body and a constant."""

    left: Expr
    right: Expr
    coefficient: float


def split_sides(algebra: Algebra, body: Expr, left: Index, right: Index) -> Sides:
    """`body` as coefficient * f * g where f does not depend on the atoms `right` and g not on `left`.

    Raises Mismatch if some factor depends on both. A factor that depends on neither goes with the left side, unless
    that leaves the right side empty.
    """
    lefts, rights = frozenset(left), frozenset(right)
    coefficient = 1.0
    sides: tuple[list[Expr], list[Expr]] = ([], [])
    neutral: list[Expr] = []

    def place(factor: Expr) -> None:
        on_left, on_right = bool(factor.atoms & lefts), bool(factor.atoms & rights)
        if on_left and on_right:
            raise Mismatch("the first contraction's body does not split into a query and a key factor")
        (sides[0] if on_left else sides[1] if on_right else neutral).append(factor)

    pending = [body]
    while pending:
        node = pending.pop()
        bare = algebra.uncast(node)
        number = constant_value(bare)
        if number is not None:
            coefficient *= number
        elif bare.name == "arith.mulf":
            inner = node
            while inner.name != "arith.mulf":
                inner = inner.args[0]
            pending += reversed(inner.args)
        elif bare.name == "arith.divf" and constant_value(bare.args[1]):
            inner = node
            while inner.name != "arith.divf":
                inner = inner.args[0]
            coefficient /= constant_value(bare.args[1]) or 1.0
            pending.append(inner.args[0])
        else:
            place(node)
    for factor in neutral:
        (sides[0] if not sides[0] or sides[1] else sides[1]).append(factor)
    if not sides[0] or not sides[1]:
        raise Mismatch("the first contraction is not a product of two operands")
    return Sides(_product(algebra, sides[0]), _product(algebra, sides[1]), coefficient)


def _product(algebra: Algebra, factors: list[Expr]) -> Expr:
    result = factors[0]
    for factor in factors[1:]:
        result = algebra.op("arith.mulf", result.type, result, factor)
    return result
