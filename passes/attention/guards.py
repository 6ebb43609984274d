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

from fovea.bindings import arith, ir, math
from fovea.passes.attention.emit import emit, loads_of
from fovea.passes.attention.expression import Algebra, Atom, Expr, Index, constant_value
from fovea.passes.attention.plan import Digits, NotFusable
from fovea.passes.attention.site import Guard, Site
from fovea.passes.attention.trace import trace
from fovea.passes.ir_utils import build_generic, empty, float_cast

ALL_MASKED = "all_masked"
OEQ = "1 : i64"  # arith.cmpf predicate: ordered and equal


@dataclass
class Conditions:
    """What is done to the op's result, row by row."""

    guards: list[Guard] = field(default_factory=list)
    sinks: list[Expr] = field(default_factory=list)
    needs_lse: bool = False
    lse_groups: list[Digits] = field(default_factory=list)

    def apply(self, op: Any, groups: Sequence[Digits], scale: float) -> Any:
        """The op's first result with every guard and the scale applied, at the current insertion point."""
        from fovea.passes.attention.rewrite import affine_of

        result = op.results[0]
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
        elif condition.atoms & set(site.n):
            raise NotFusable("a select after softmax differs from key to key, so that it cannot follow the contraction")
        elif condition.reduces:
            raise NotFusable("a select after softmax depends on a reduction that is not 'all scores are -inf'")
        else:
            conditions.guards.append(Guard(_traced(site, condition, may_split, None), guard.keep))
    return conditions


def is_all_masked(site: Site, condition: Expr) -> bool:
    """Whether `condition` is: every score of the row equals -inf."""
    if condition.kind != "reduce" or condition.data[0] != "arith.andi":
        return False
    body, init = condition.args
    bound: Index = condition.data[1]
    if constant_value(init) != 1.0 or [a.size for a in bound] != [a.size for a in site.n]:
        return False
    if body.name != "arith.cmpf" or dict(body.data[1]).get("predicate") != OEQ:
        return False
    if constant_value(body.args[1]) != float("-inf"):
        return False
    seen = site.algebra.substitute(body.args[0], dict(zip(bound, site.n, strict=True)))
    return seen is site.algebra.uncast(site.plain_score)


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
