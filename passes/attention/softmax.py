# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Softmax by its algebra: a product of exp(score - shift) and 1 / sum(exp(score - shift)).

Products are matched on expressions without casts (`Algebra.uncast`); the score is taken from the one with casts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from fovea.passes.attention.expression import ADD, CASTS, DIV, MUL, NEG, SUB, Algebra, Atom, Expr, Index, constant_value
from fovea.passes.attention.site import Guard

EXPONENTIALS = {"math.exp": math.e, "math.exp2": 2.0}
Mentions = Callable[[Expr], bool]


class Mismatch(Exception):
    """The candidate is not attention; the message is the reason, a clause without a full stop."""


class Unnormalised(Mismatch):
    """The values are weighed with exponentials that nothing divides before the second contraction's sum."""


@dataclass
class Product:
    """A flattened product: coefficient * factors / divisors, zero where a guard says so."""

    coefficient: float = 1.0
    factors: list[Expr] = field(default_factory=list)
    divisors: list[Expr] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)

    def times(self, other: Product) -> Product:
        """The product of both."""
        return Product(
            self.coefficient * other.coefficient,
            self.factors + other.factors,
            self.divisors + other.divisors,
            self.guards + other.guards,
        )


def flatten(expr: Expr, mentions: Mentions) -> Product:
    """`expr` as a product. Only parts that mention the scores are looked into; others are factors as they are."""
    product = Product()

    def visit(node: Expr, inverse: bool) -> None:
        number = constant_value(node)
        if number is not None and not (inverse and number == 0):
            product.coefficient *= 1 / number if inverse else number
        elif not mentions(node):
            (product.divisors if inverse else product.factors).append(node)
        elif node.name == MUL:
            for arg in node.args:
                visit(arg, inverse)
        elif node.name == DIV:
            visit(node.args[0], inverse)
            visit(node.args[1], not inverse)
        elif node.name == NEG:
            product.coefficient *= -1
            visit(node.args[0], inverse)
        elif node.name == "arith.select" and not inverse:
            condition, yes, no = node.args
            if constant_value(yes) == 0:
                product.guards.append(Guard(condition, False))
                visit(no, inverse)
            elif constant_value(no) == 0:
                product.guards.append(Guard(condition, True))
                visit(yes, inverse)
            else:
                product.factors.append(node)
        else:
            (product.divisors if inverse else product.factors).append(node)

    visit(expr, False)
    return product


def match_softmax(algebra: Algebra, product: Product, axis: Index) -> tuple[Expr, list[Expr]]:
    """(exponential of a softmax over `axis`, further terms of its denominator), from the factors that mention the
    scores. Raises Mismatch."""
    exponentials = [f for f in product.factors if f.name in EXPONENTIALS]
    others = [f for f in product.factors if f.name not in EXPONENTIALS]
    if not exponentials:
        shown = ", ".join(sorted({f.name for f in product.factors})) or "nothing"
        raise Mismatch(f"the second contraction weighs the values with {shown}, not with a normalised exponential")
    if len(exponentials) > 1 or others:
        shown = ", ".join(sorted({f.name for f in (*exponentials[1:], *others)}))
        raise Mismatch(f"the exponential is multiplied by something else computed from the scores ({shown})")
    if not product.divisors:
        raise Unnormalised("the exponential is never divided by its sum")
    if len(product.divisors) > 1:
        raise Mismatch("the exponential is divided more than once")
    if not axis and product.divisors[0] is exponentials[0]:
        return exponentials[0], []  # one key: its exponential is the sum
    terms = _terms(product.divisors[0])
    sums = [term for term in terms if term.kind == "reduce"]
    check_denominator(algebra, exponentials[0], sums[0] if len(sums) == 1 else product.divisors[0], axis)
    return exponentials[0], [term for term in terms if term.kind != "reduce"]


def _terms(expr: Expr) -> list[Expr]:
    """The terms of a sum."""
    return [term for arg in expr.args for term in _terms(arg)] if expr.name == ADD else [expr]


def score_of(algebra: Algebra, exponential: Expr, axis: Index, mentions: Mentions) -> tuple[Expr, list[Expr]]:
    """The score behind an exponential (casts kept), for base e, and the row shifts that were left out."""
    dropped: list[Expr] = []
    score = without_shift(algebra, exponential.args[0], frozenset(axis), mentions, dropped)
    if exponential.name == "math.exp2":
        score = times(algebra, score, math.log(2.0))
    return score, dropped


def check_denominator(algebra: Algebra, exponential: Expr, divisor: Expr, axis: Index) -> None:
    """The divisor must be the sum of that very exponential over that very axis."""
    if divisor.kind != "reduce" or divisor.data[0] != ADD:
        raise Mismatch("the exponential is divided by something that is not a sum")
    body, init = divisor.args
    if constant_value(init) != 0:
        raise Mismatch("the sum that divides the exponential does not start from 0")
    bound: Index = divisor.data[1]
    if [a.size for a in bound] == [a.size for a in axis]:
        renamed = algebra.substitute(body, dict(zip(bound, axis, strict=True)))
        if renamed is exponential:
            return
        if equal_modulo_product_order(renamed, exponential):
            return
    free = exponential.atoms - divisor.atoms
    if free and free != frozenset(axis):
        raise Mismatch("softmax normalises over one axis and the second contraction sums over another")
    raise Mismatch("the exponential is divided by a sum of something else than itself over the contracted axis")


def equal_modulo_product_order(left: Expr, right: Expr) -> bool:
    """Equality that lets the operands of commutative ops swap."""
    if left is right:
        return True
    if (left.kind, left.data, len(left.args)) != (right.kind, right.data, len(right.args)) or not left.args:
        return False
    if all(map(equal_modulo_product_order, left.args, right.args)):
        return True
    return left.name in (ADD, MUL) and all(map(equal_modulo_product_order, left.args, reversed(right.args)))


def without_shift(algebra: Algebra, expr: Expr, axis: frozenset[Atom], mentions: Mentions, dropped: list[Expr]) -> Expr:
    """`expr` without additive terms that are constant along the axis and reduce over the scores (the row maximum).

    Such a term cancels between the exponential and its sum. What was left out is appended to `dropped`.
    """

    def cancels(node: Expr) -> bool:
        return node.reduces and mentions(node) and not node.atoms & axis

    def visit(node: Expr) -> Expr:
        name = node.name
        if name in (ADD, SUB) and len(node.args) == 2:
            left, right = node.args
            if cancels(right):
                dropped.append(right)
                return visit(left)
            if cancels(left):
                dropped.append(left)
                return visit(right) if name == ADD else algebra.op(NEG, node.type, visit(right))
            if left.reduces or right.reduces:
                return algebra.rebuild(node, (visit(left), visit(right)))
        if name in (MUL, DIV) and node.reduces:
            left, right = node.args
            if not right.atoms & axis and not right.reduces:
                return algebra.rebuild(node, (visit(left), right))
            if name == MUL and not left.atoms & axis and not left.reduces:
                return algebra.rebuild(node, (left, visit(right)))
        if name == NEG or name in CASTS:
            return algebra.rebuild(node, (visit(node.args[0]),))
        return node

    return visit(expr)


LOGARITHMS = {"math.exp": "math.log", "math.exp2": "math.log2"}


def without_logarithms(algebra: Algebra, expr: Expr) -> Expr:
    """`expr` with exp(x - log(s)) written exp(x) / s, as in the exponential of a log-softmax. Casts may be between."""
    memo: dict[int, Expr] = {}

    def taken(node: Expr, logarithm: str, found: list[Expr]) -> Expr | None:
        """`node` without the logarithms that are subtracted in it; None if nothing else is left."""
        if node.name in CASTS:
            inner = taken(node.args[0], logarithm, found)
            return None if inner is None else algebra.rebuild(node, (inner,))
        if node.name == NEG and _behind_casts(node.args[0]).name == logarithm:
            found.append(_behind_casts(node.args[0]).args[0])
            return None
        if node.name == SUB:
            left, right = taken(node.args[0], logarithm, found), node.args[1]
            if _behind_casts(right).name == logarithm:
                found.append(_behind_casts(right).args[0])
                return left
            for position in (0, 1):  # x - (max + log(s))
                if right.name == ADD and _behind_casts(right.args[position]).name == logarithm and left is not None:
                    found.append(_behind_casts(right.args[position]).args[0])
                    return algebra.rebuild(node, (left, right.args[1 - position]))
            return None if left is None else algebra.rebuild(node, (left, right))
        if node.name == ADD:
            sides = [taken(arg, logarithm, found) for arg in node.args]
            rest = [side for side in sides if side is not None]
            if len(rest) < 2:
                return rest[0] if rest else None
            return algebra.rebuild(node, tuple(rest))
        return node

    def visit(node: Expr) -> Expr:
        if node.number not in memo:
            found: list[Expr] = []
            result = node
            if node.name in LOGARITHMS:
                rest = taken(node.args[0], LOGARITHMS[node.name], found)
                if rest is not None and found:
                    result = algebra.rebuild(node, (rest,))
                    for divisor in found:
                        result = algebra.op(DIV, node.type, result, visit(divisor))
            memo[node.number] = result if found else algebra.rebuild(node, tuple(map(visit, node.args)))
        return memo[node.number]

    return visit(expr)


def _behind_casts(node: Expr) -> Expr:
    while node.name in CASTS:
        node = node.args[0]
    return node


def times(algebra: Algebra, expr: Expr, factor: float) -> Expr:
    """`expr * factor`, folding a constant that is already there."""
    if expr.name == MUL:
        for position, arg in enumerate(expr.args):
            number = constant_value(arg)
            if number is not None:
                return times(algebra, expr.args[1 - position], number * factor)
    if abs(factor - 1.0) < 1e-6:  # exp2 of a score times log2(e) in f32: 1 to that type's precision
        return expr
    return algebra.op(MUL, expr.type, expr, algebra.const(factor, expr.type))
