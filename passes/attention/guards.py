# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Selects on the probabilities after softmax: rows without any key allowed give 0 instead of NaN.

A select whose condition is the same for a whole row commutes with the second contraction (a row of zeros times V is
zero), so it is applied to the op's result. A condition that says "every score of the row is -inf" is read from the
log-sum-exp, the op's second result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fovea.bindings import arith, ir, linalg, math
from fovea.passes.attention.emit import emit, loads_of
from fovea.passes.attention.expression import Algebra, Atom, Expr, Index, constant_value
from fovea.passes.attention.plan import Digits, NotFusable
from fovea.passes.attention.site import Guard, Site
from fovea.passes.attention.trace import trace
from fovea.passes.ir_utils import build_generic, empty, float_cast

ALL_MASKED = "all_masked"
LOWEST = -1e4
"""The mildest value that exporters write for a masked score (f16 cannot hold -1e9). Its exponential is exactly 0 in f32
unless every other score of the row is below -9896, which no network computes."""
OEQ = "1 : i64"  # arith.cmpf predicate: ordered and equal


@dataclass
class Conditions:
    """What is done to the op's result, row by row."""

    guards: list[Guard] = field(default_factory=list)
    row_masks: list[Guard] = field(default_factory=list)
    """Masks over keys that the scores have had already: only rows without any key are left to set to 0."""
    n: Index = ()
    sinks: list[Expr] = field(default_factory=list)
    needs_lse: bool = False
    lse_groups: list[Digits] = field(default_factory=list)

    def apply(self, op: Any, groups: Sequence[Digits], scale: float) -> Any:
        """The op's first result with every guard and the scale applied, at the current insertion point."""
        from fovea.passes.attention.rewrite import affine_of

        result = op.results[0]
        self.guards += [_row_guard(mask, self.n) for mask in self.row_masks]
        if not self.guards and not self.sinks and scale == 1.0:
            return result
        type_ = result.type
        leaves = [leaf for guard in self.guards for leaf in loads_of(guard.condition)]
        leaves += [leaf for sink in self.sinks for leaf in loads_of(sink)]
        leaves = list({leaf.number: leaf for leaf in leaves}.values())
        count = len(groups)
        maps = [ir.AffineMap.get_identity(count)]
        inputs = [result]
        for leaf in leaves:
            inputs.append(leaf.data[0])
            maps.append(ir.AffineMap.get(count, 0, [affine_of(index, groups) for index in leaf.data[1]]))
        if self.needs_lse:
            inputs.append(op.results[1])
            maps.append(ir.AffineMap.get(count, 0, [_dim_of(group, groups) for group in self.lse_groups]))
        maps.append(ir.AffineMap.get_identity(count))

        def body(value: Any, *rest: Any) -> Any:
            known = {leaf.number: argument for leaf, argument in zip(leaves, rest, strict=False)}
            zero = arith.ConstantOp(value.type, ir.FloatAttr.get(value.type, 0.0)).result
            if self.sinks:
                weight = _sink_weight(rest[len(leaves)], [emit(sink, known) for sink in self.sinks])
                value = arith.MulFOp(value, float_cast(weight, value.type)).result
                value = arith.SelectOp(_is_lowest(rest[len(leaves)]), zero, value).result
            for guard in self.guards:
                if guard.condition.kind == "scalar" and guard.condition.data == ALL_MASKED:
                    condition = _is_lowest(rest[len(leaves)])
                else:
                    condition = emit(guard.condition, known)
                yes, no = (value, zero) if guard.keep else (zero, value)
                value = arith.SelectOp(condition, yes, no).result
            if scale != 1.0:
                factor = arith.ConstantOp(value.type, ir.FloatAttr.get(value.type, scale)).result
                value = arith.MulFOp(value, factor).result
            return value

        out = empty(list(type_.shape), type_.element_type)
        return build_generic(inputs, [out], maps, ["parallel"] * count, body).results[0]


def _is_lowest(lse: Any) -> Any:
    """Whether a log-sum-exp is -inf: no key of the row is allowed."""
    lowest = arith.ConstantOp(lse.type, ir.FloatAttr.get(lse.type, float("-inf"))).result
    return arith.CmpFOp(arith.CmpFPredicate.OEQ, lse, lowest).result


def _sink_weight(lse: Any, sinks: Sequence[Any]) -> Any:
    """sum(exp(score)) / (sum(exp(score)) + sum(exp(sink))) = 1 / (1 + sum(exp(sink - lse)))."""
    total = one = arith.ConstantOp(lse.type, ir.FloatAttr.get(lse.type, 1.0)).result
    for sink in sinks:
        shifted = arith.SubFOp(float_cast(sink, lse.type), lse).result
        total = arith.AddFOp(total, math.ExpOp(shifted).result).result
    return arith.DivFOp(one, total).result


def _dim_of(group: Digits, groups: Sequence[Digits]) -> Any:
    """The dim of the result that a dim of the log-sum-exp is; 0 for a dim of extent 1."""
    return ir.AffineExpr.get_dim(list(groups).index(group)) if group else ir.AffineExpr.get_constant(0)


def row_conditions(site: Site, may_split: frozenset[Atom]) -> Conditions:
    """The site's guards as conditions on rows. Raises NotFusable, or Resplit."""
    conditions = Conditions(sinks=[_traced(site, sink, may_split, site.algebra) for sink in site.sinks])
    conditions.needs_lse = bool(site.sinks)
    for guard in site.guards:
        condition = guard.condition
        if is_all_masked(site, condition):
            conditions.needs_lse = True
            marker = site.algebra.make("scalar", ALL_MASKED, (), "i1")
            conditions.guards.append(Guard(marker, guard.keep))
        elif condition.atoms & set(site.n) and masks_the_scores(site, guard):
            traced = _traced(site, condition, may_split, None)
            conditions.row_masks.append(Guard(traced, guard.keep))
            conditions.n = site.n
        elif condition.atoms & set(site.n):
            raise NotFusable("a select after softmax differs from key to key, so that it cannot follow the contraction")
        elif condition.reduces:
            raise NotFusable("a select after softmax depends on a reduction that is not 'all scores are -inf'")
        else:
            known = (guard.typed or condition, site.algebra if guard.typed else None)
            conditions.guards.append(Guard(_traced(site, known[0], may_split, known[1]), guard.keep))
    return conditions


def masks_the_scores(site: Site, guard: Guard) -> bool:
    """Whether the scores are already at LOWEST or below wherever `guard` sets the probability to 0.

    Then that probability is 0 without the guard, in every row that has some key left.
    """
    score = site.algebra.uncast(site.plain_score)
    if guard.condition.kind != "load" or score.name != "arith.select" or score.args[0].kind != "load":
        return False
    mask, again = (trace(load.data[0], load.data[1], frozenset()) for load in (score.args[0], guard.condition))
    if mask != again:
        return False
    fill = constant_value(score.args[2 if guard.keep else 1])
    return fill is not None and fill <= LOWEST


def _row_guard(mask: Guard, n: Index) -> Guard:
    """The guard that gives 0 for rows where `mask` allows no key; computed at the current insertion point."""
    from fovea.passes.attention.rewrite import affine_of

    value, index = mask.condition.data
    kept = [atom for dim in index for atom in dim if atom not in n]
    summed = [atom for dim in index for atom in dim if atom in n]
    groups = [(atom,) for atom in (*kept, *summed)]
    i1 = value.type.element_type
    true = arith.ConstantOp(i1, ir.IntegerAttr.get(i1, 1)).result
    start = linalg.fill(true, outs=[empty([atom.size for atom in kept], i1)])
    maps = [
        ir.AffineMap.get(len(groups), 0, [affine_of(dim, groups) for dim in index]),
        ir.AffineMap.get(len(groups), 0, [ir.AffineExpr.get_dim(place) for place in range(len(kept))]),
    ]

    def body(element: Any, so_far: Any) -> Any:
        masked = arith.XOrIOp(element, true).result if mask.keep else element
        return arith.AndIOp(masked, so_far).result

    iterators = ["parallel"] * len(kept) + ["reduction"] * len(summed)
    rows = build_generic([value], [start], maps, iterators, body).results[0]
    load = Expr("load", (rows, tuple((atom,) for atom in kept)), (), "i1", -1 - mask.condition.number)
    return Guard(load, False)


def is_all_masked(site: Site, condition: Expr) -> bool:
    """Whether `condition` is: every score of the row equals -inf (or: their maximum does)."""
    if _equals_lowest(condition) and condition.args[0].kind == "reduce":
        top = condition.args[0]
        return top.data[0] in ("arith.maximumf", "arith.maxnumf") and _is_score(site, top.args[0], top.data[1])
    if condition.kind != "reduce" or condition.data[0] != "arith.andi":
        return False
    body, init = condition.args
    bound: Index = condition.data[1]
    return constant_value(init) == 1.0 and _equals_lowest(body) and _is_score(site, body.args[0], bound)


def _equals_lowest(expr: Expr) -> bool:
    if expr.name != "arith.cmpf" or dict(expr.data[1]).get("predicate") != OEQ:
        return False
    return constant_value(expr.args[1]) == float("-inf")


def _is_score(site: Site, expr: Expr, bound: Index) -> bool:
    """Whether `expr`, over `bound`, is the score over the keys."""
    if [a.size for a in bound] != [a.size for a in site.n]:
        return False
    return site.algebra.substitute(expr, dict(zip(bound, site.n, strict=True))) is site.algebra.uncast(site.plain_score)


def _traced(site: Site, expr: Expr, may_split: frozenset[Atom], typed: Algebra | None) -> Expr:
    """`expr` with its loads taken from the earliest tensors. Without `typed`, its types are lost: only loads and
    constants can be written."""
    algebra = site.algebra
    memo: dict[int, Expr] = {}

    def visit(node: Expr) -> Expr:
        if node.number not in memo:
            if node.kind == "load":
                value, index = trace(node.data[0], node.data[1], may_split)
                memo[node.number] = algebra.make("load", (value, index), (), str(value.type.element_type))
            elif node.kind != "const" and (node.kind != "op" or typed is None):
                raise NotFusable("a row's condition or sink is computed inside the site")
            else:
                memo[node.number] = algebra.rebuild(node, tuple(map(visit, node.args)))
        return memo[node.number]

    return visit(expr)
