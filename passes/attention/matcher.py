# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`match_sites`: every attention of a function, and everything that looked like one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from fovea.bindings import ir
from fovea.passes.attention import roles
from fovea.passes.attention.bands import read_masks
from fovea.passes.attention.cone import (
    between,
    first_contractions,
    logarithm_before,
    normalising_ops,
    second_contractions,
)
from fovea.passes.attention.contraction import Contraction, free_index, open_contraction, split_sides
from fovea.passes.attention.deferred import open_behind
from fovea.passes.attention.evaluate import Evaluator, Opaque
from fovea.passes.attention.expression import DIV, MUL, Algebra, Dims, Expr, Index, Resplit, Segments, constant_value
from fovea.passes.attention.grouping import atoms_read, group_size
from fovea.passes.attention.plan import NotFusable
from fovea.passes.attention.policy import GATED, apply_policy
from fovea.passes.attention.quantised import without_pairs
from fovea.passes.attention.rewrite import Plan, plan
from fovea.passes.attention.site import NearMiss, Site
from fovea.passes.attention.softmax import (
    EXPONENTIALS,
    Mismatch,
    Product,
    Unnormalised,
    flatten,
    match_softmax,
    score_of,
    without_logarithms,
)
from fovea.passes.attention.strip import QUANTISED, strip_pairs
from fovea.passes.attention.whole import WHOLE, match_whole
from fovea.passes.ir_utils import defining_op, is_linalg

ATTEMPTS = 32
"""How often one candidate may be started again with finer dims; each time splits one dim, so few suffice."""


def match_sites(function: Any) -> list[Site | NearMiss]:
    """Sites and near misses of one function, in the order of their exponentials."""
    found: list[Site | NearMiss] = []
    taken: set[Any] = set()
    for exponential in exponentials(function):
        outcome = match_at(exponential, taken)
        if isinstance(outcome, Site):
            taken.update(op for op, _ in outcome.roles)
        if outcome is not None:
            found.append(outcome)
    # What was no site around one exponential may be part of one around another.
    return [outcome for outcome in found if isinstance(outcome, Site) or outcome.op not in taken]


def exponentials(function: Any) -> list[Any]:
    """Tensor ops that take exponentials, in order, each once."""
    found: dict[Any, None] = {}

    def visit(op: Any) -> Any:
        name = op.name
        if name in EXPONENTIALS:
            parent = op.parent.operation if op.parent is not None else None
            if parent is not None and is_linalg(parent):
                found[parent] = None
        elif name == "linalg.softmax" or name in WHOLE:
            found[op.operation] = None
        return ir.WalkResult.ADVANCE

    function.operation.walk(visit, ir.WalkOrder.PRE_ORDER)
    return list(found)


def match_at(exponential: Any, taken: set[Any]) -> Site | NearMiss | None:
    """The site around one exponential, why there is none, or None if nothing there is like softmax."""
    if exponential in taken:
        return None
    if exponential.name in WHOLE:
        return _whole_site(exponential)
    seconds, summed = second_contractions(exponential)
    if not summed and not logarithm_before(exponential):
        return None
    firsts = first_contractions(exponential)
    if not firsts:
        return NearMiss(exponential, "softmax-like, but its argument comes from no contraction") if seconds else None
    if not seconds:
        return NearMiss(exponential, "softmax-like, but no contraction consumes the result")
    reason: NearMiss | None = None
    for second in seconds:
        for first in firsts:
            if second in taken or first in taken or first == second:
                continue
            try:
                site = match_pair(first, second)
            except Mismatch as error:
                reason = reason or NearMiss(second, str(error))
                continue
            if site is not None:
                _add_siblings(site, [other for other in seconds if other not in taken])
                return site
    return reason


def _whole_site(op: Any) -> Site:
    """The site of an op that is an attention by itself, its dims split as its flags need them."""
    dims = Dims()
    for _ in range(ATTEMPTS):
        site = match_whole(op, dims)
        try:
            groups = group_size(site)
            read_masks(site)
        except (Resplit, Segments) as request:
            dims.refine(request)
            continue
        if groups > 1:
            site.flags["groups"] = groups
        return site
    return match_whole(op, Dims())


def _add_siblings(site: Site, seconds: Sequence[Any]) -> None:
    """Other contractions that the same probabilities weigh values for belong to the site: it is tagged whole."""
    for other in seconds:
        if any(other == op for op, _ in site.roles):
            continue
        try:
            sibling = match_pair(site.qk, other)
        except Mismatch:
            continue
        if sibling is not None:
            known = {op for op, _ in site.roles}
            site.roles += [(op, role) for op, role in sibling.roles if op not in known]
            site.cases["several-values"] = site.not_fusable = "the same probabilities weigh several tensors"
            site.cases.pop("used-elsewhere", None)
            site.flags["several_values"] = True
            site.flags.pop("probabilities_used_elsewhere", None)


def match_pair(first: Any, second: Any) -> Site | None:
    """The site with these two contractions; None if no def-use path joins them. Raises Mismatch."""
    try:
        return _match_until(first, second, second)
    except Unnormalised:
        for end in normalising_ops(second):
            with suppress(Mismatch):
                return _match_until(first, second, end)
        raise


def _match_until(first: Any, second: Any, end: Any) -> Site | None:
    """The site from `first` to `end`: the second contraction, or what divides its result. Raises Mismatch."""
    ops = between(first, end)
    if not ops:
        return None
    dims = Dims()
    for _ in range(ATTEMPTS):
        try:
            return _attempt(first, second, end, ops, dims)
        except (Resplit, Segments) as request:
            dims.refine(request)
        except Opaque:
            raise Mismatch("a contraction's body cannot be read") from None
        except RecursionError:
            raise Mismatch("the chain of ops between the contractions is too long to be read") from None
    raise Mismatch("the reshapes between the contractions split the dims in too many ways")


def match_fusable(first: Any, second: Any, strip: bool = False) -> tuple[Site, Plan] | NearMiss:
    """The site with these two contractions and how it becomes one op, or why it does not.

    `strip`: take quantise/dequantise pairs out of the site.
    """
    try:
        return _match_fusable(first, second, second, strip)
    except Unnormalised as error:
        for end in normalising_ops(second):
            with suppress(Unnormalised):
                return _match_fusable(first, second, end, strip)
        return NearMiss(second, str(error))


def _match_fusable(first: Any, second: Any, end: Any, strip: bool) -> tuple[Site, Plan] | NearMiss:
    """As `match_fusable`, for a site that ends with `end`. Raises Unnormalised."""
    whole = first == second and first.name in WHOLE
    ops = [first] if whole else between(first, end)
    if not ops:
        return NearMiss(second, "no def-use path joins the tagged contractions any more")
    dims = Dims()
    for _ in range(ATTEMPTS):
        try:
            site = match_whole(first, dims) if whole else _attempt(first, second, end, ops, dims, strip)
            if strip:
                strip_pairs(site)
            return site, plan(site)
        except (Resplit, Segments) as request:
            dims.refine(request)
        except Opaque:
            return NearMiss(second, "a contraction's body cannot be read")
        except Unnormalised:
            raise
        except (Mismatch, NotFusable) as error:
            return NearMiss(second, str(error))
    return NearMiss(second, "the reshapes around the site split the dims in too many ways")


class _Mentions:
    """Whether an expression uses the first contraction's result; remembers its answers."""

    def __init__(self, scores: Any, ops: Sequence[Any]) -> None:
        self.scores, self.ops = scores, frozenset(ops)
        self._memo: dict[int, bool] = {}

    def is_leaf(self, expr: Expr) -> bool:
        return expr.kind == "load" and expr.data[0] == self.scores

    def __call__(self, expr: Expr) -> bool:
        answer = self._memo.get(expr.number)
        if answer is None:
            answer = self.is_leaf(expr) or (expr.kind == "opaque" and expr.data[0] in self.ops)
            answer = answer or (expr.kind == "gather" and defining_op(expr.data) in self.ops)
            answer = answer or any(map(self, expr.args))
            self._memo[expr.number] = answer
        return answer


def _attempt(first: Any, second: Any, end: Any, ops: list[Any], dims: Dims, strip: bool = False) -> Site:
    """The site with these contractions that ends with `end`, in one go. Raises Mismatch, Resplit, Segments, Opaque."""
    algebra = Algebra()
    scores = first.results[0]
    entered = frozenset(op for op in ops if op != first)
    evaluator = Evaluator(dims, algebra, entered.__contains__)
    mentions = _Mentions(scores, ops)
    output = free_index(end, dims)
    behind = Product()
    if end == second:
        outer = open_contraction(second, evaluator, output)
    else:
        outer, behind = open_behind(end, evaluator, output, mentions)
    outer = replace(outer, body=without_logarithms(algebra, outer.body))
    bare = algebra.uncast(outer.body)
    plain = without_pairs(algebra, bare)
    product = flatten(plain, mentions).times(behind)
    divided = any(not mentions(divisor) for divisor in product.divisors)
    product.factors = [factor for factor in product.factors if mentions(factor)]
    product.divisors = [divisor for divisor in product.divisors if mentions(divisor)]
    _refuse_opaque(product.factors, mentions)
    _refuse_routing([guard.condition for guard in product.guards], mentions)
    exponential, extra_terms = match_softmax(algebra, product, outer.bound)
    score, dropped = score_of(algebra, _with_casts(algebra, outer.body, exponential), outer.bound, mentions)
    leaf = _score_leaf(score, mentions)
    inner = open_contraction(first, evaluator, leaf.data[1])
    if strip:  # before scales are taken out of the product
        inner = replace(inner, body=without_pairs(algebra, inner.body))
    values = _value_factors(algebra, outer.body, mentions)
    site = _classify(algebra, dims, first, end, outer, inner, score, leaf, values)
    if divided:
        site.cases["gated"] = GATED
    if end != second:
        site.cases["deferred-normalisation"] = "the division by the sum comes after the second contraction"
    site.guards = tuple(replace(guard, typed=_typed(algebra, outer.body, guard.condition)) for guard in product.guards)
    site.output_scale = product.coefficient
    site.roles = roles.roles_of(ops, first, second)
    site.sinks = _sinks(algebra, outer, extra_terms, exponential.name, dropped, mentions)
    if site.sinks:
        site.flags["sinks"] = len(site.sinks)
    if plain is not bare:
        site.flags["quantised"] = True
        site.not_fusable = QUANTISED
    if not dropped and second.name not in WHOLE and exponential.name in EXPONENTIALS:
        site.flags["no_maximum"] = True
    groups = group_size(site)
    if groups > 1:
        site.flags["groups"] = groups
    apply_policy(site, ops, mentions)
    return site


def _sinks(
    algebra: Algebra, outer: Contraction, terms: Sequence[Expr], exponential: str, shift: Sequence[Expr],
    mentions: _Mentions,
) -> tuple[Expr, ...]:  # fmt: skip
    """Logits that take part in the denominator only (attention sinks). Raises Mismatch for any other extra term."""
    shifts = {algebra.uncast(term).number for term in shift}
    sinks: list[Expr] = []
    for term in terms:
        number = constant_value(term)
        if number is not None and number > 0 and not shift:
            sinks.append(algebra.const(math.log(number), "f32"))
            continue
        if term.name != exponential:
            raise Mismatch("the sum that divides the exponential has a further term that is no exponential")
        sink, dropped = score_of(algebra, _with_casts(algebra, outer.body, term), outer.bound, mentions)
        if {algebra.uncast(node).number for node in dropped} != shifts or mentions(sink):
            raise Mismatch("the sum that divides the exponential has a further term that is shifted differently")
        sinks.append(sink)
    return tuple(sinks)


def _refuse_opaque(factors: Sequence[Expr], mentions: _Mentions) -> None:
    pending = list(factors)
    while pending:
        node = pending.pop()
        if not mentions(node):
            continue
        if node.kind == "gather":
            raise Mismatch("the scores or probabilities are gathered between the contractions")
        if node.kind == "opaque":
            raise Mismatch(f"'{node.data[0].name}' between the contractions does more than pointwise work and layout")
        pending += node.args


def _refuse_routing(conditions: Sequence[Expr], mentions: _Mentions) -> None:
    """Selects after softmax may ask for rows without keys, not which probabilities are large."""
    pending = list(conditions)
    while pending:
        node = pending.pop()
        if not mentions(node):
            continue
        compared = node.args if node.name in ("arith.cmpf", "arith.cmpi") else ()
        ranked = len(compared) == 2 and compared[0] is not compared[1] and all(map(mentions, compared))
        if node.kind == "opaque" or ranked:
            raise Mismatch("a select after softmax compares the probabilities with each other, as routing does")
        pending += node.args


def _typed(algebra: Algebra, body: Expr, bare: Expr) -> Expr | None:
    """As `_with_casts`; None if `body` has no such node."""
    try:
        return _with_casts(algebra, body, bare)
    except Mismatch:
        return None


def _with_casts(algebra: Algebra, body: Expr, bare: Expr) -> Expr:
    """The node of `body` that is `bare` once casts are dropped."""
    seen: set[int] = set()
    pending = [body]
    while pending:
        node = pending.pop()
        if node.number in seen:
            continue
        seen.add(node.number)
        if node.name == bare.name and algebra.uncast(node) is bare:
            return node
        pending += node.args
    raise Mismatch("the exponential is not an element of the second contraction's operand")


def _score_leaf(score: Expr, mentions: _Mentions) -> Expr:
    """The one element of the first contraction that the score is computed from."""
    leaves: set[Expr] = set()
    seen: set[int] = set()
    pending = [score]
    while pending:
        node = pending.pop()
        if node.number in seen or not mentions(node):
            continue
        seen.add(node.number)
        if mentions.is_leaf(node):
            leaves.add(node)
        elif node.kind == "reduce":
            raise Mismatch("the scores are reduced on the way to softmax (other than by its maximum)")
        elif node.kind in ("opaque", "gather"):
            raise Mismatch("the scores go through an op that is neither pointwise nor layout")
        pending += node.args
    if len(leaves) != 1:
        raise Mismatch("one softmax argument is computed from several elements of the first contraction")
    return leaves.pop()


def _value_factors(algebra: Algebra, body: Expr, mentions: _Mentions) -> list[Expr]:
    """Factors of the second contraction's body that do not come from the scores, casts kept."""
    factors: list[Expr] = []
    pending = [body]
    while pending:
        node = pending.pop()
        bare = algebra.uncast(node)
        if not mentions(node):
            if bare.kind != "const":
                factors.append(node)
        elif bare.name in (MUL, DIV):
            while node.name != bare.name:
                node = node.args[0]
            pending += reversed(node.args) if bare.name == MUL else node.args[:1]
    return factors


def _classify(
    algebra: Algebra, dims: Dims, first: Any, second: Any, outer: Contraction, inner: Contraction, score: Expr,
    leaf: Expr, values: list[Expr],
) -> Site:  # fmt: skip
    """Dimension classes from who depends on which atom. Raises Mismatch if they are not those of attention."""
    in_scores = _flat(leaf.data[1])
    n = outer.bound
    if not set(n) <= set(in_scores):
        raise Mismatch("the second contraction sums over an axis that the first one does not produce")
    wide = [factor for factor in values if not factor.atoms <= set(in_scores)]
    main = wide if wide else values[:1]
    if not main:
        raise Mismatch("the second contraction has no operand besides the probabilities")
    gates = [factor for factor in values if factor not in main]
    value = main[0]
    for factor in main[1:]:
        value = algebra.op("arith.mulf", value.type, value, factor)
    if not set(n) <= value.atoms:
        raise Mismatch("the second contraction's other operand does not depend on the softmax axis")
    rows = tuple(atom for atom in in_scores if atom not in n and atom not in value.atoms)
    key_like = [factor for factor in _factors(algebra, inner.body) if factor.atoms & set(n)]
    shared = {atom for factor in key_like for atom in factor.atoms}
    m = tuple(atom for atom in rows if atom not in shared)
    batch = tuple(atom for atom in in_scores if atom not in n and atom not in m)
    sides = split_sides(algebra, inner.body, m, n)
    varying = atoms_read(dims, algebra, value, frozenset(batch))  # repeated heads are no difference
    missing = [atom for atom in batch if atom in varying and atom not in sides.right.atoms]
    if missing:
        raise Mismatch("keys and values disagree on the batch dims: the values vary along one that the keys lack")
    d = tuple(atom for atom in _flat(outer.index) if atom not in in_scores)
    full_score = score
    if sides.coefficient != 1.0:
        scaled = algebra.op("arith.mulf", leaf.type, leaf, algebra.const(sides.coefficient, leaf.type))
        full_score = _replace(algebra, score, leaf, scaled)
    site = Site(
        qk=first, pv=second, roles=[], batch=batch, m=m, n=n, k=inner.bound, d=d, score=full_score, plain_score=score,
        score_leaf=leaf,
        query=sides.left, key=sides.right, value=value, output_index=outer.index, algebra=algebra, dims=dims,
    )  # fmt: skip
    if inner.init.kind != "const" or float(inner.init.data[0]) != 0:
        site.not_fusable = "the first contraction accumulates onto a tensor that is not zero"
    if outer.init.kind != "const" or float(outer.init.data[0]) != 0:
        site.not_fusable = "the second contraction accumulates onto a tensor that is not zero"
    if gates:
        site.cases["gated"] = GATED
    return site


def _factors(algebra: Algebra, body: Expr) -> list[Expr]:
    bare = algebra.uncast(body)
    if bare.name == "arith.mulf":
        return [factor for arg in bare.args for factor in _factors(algebra, arg)]
    return [bare]


def _replace(algebra: Algebra, expr: Expr, old: Expr, new: Expr) -> Expr:
    memo: dict[int, Expr] = {old.number: new}

    def visit(node: Expr) -> Expr:
        if node.number not in memo:
            memo[node.number] = algebra.rebuild(node, tuple(map(visit, node.args)))
        return memo[node.number]

    return visit(expr)


def _flat(indices: Sequence[Index]) -> Index:
    return tuple(atom for index in indices for atom in index)
