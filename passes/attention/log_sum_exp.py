# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The log-sum-exp of the scores as a second result: maximum + log(sum of exponentials), read outside the site."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fovea.passes.attention.cone import enclosing, passes_through, users
from fovea.passes.attention.emit import materialise, reshape
from fovea.passes.attention.evaluate import Evaluator, Opaque, shape_of
from fovea.passes.attention.expression import ADD, Atom, Expr, Index, NotLayout
from fovea.passes.attention.site import LogSumExp, Site
from fovea.passes.attention.softmax import score_of
from fovea.passes.ir_utils import cast_tensor, erase_dead, is_linalg

REACH = 8  # ops outside a site that are looked at: a logarithm, a sum, reshapes, a cast


def log_sum_exps(site: Site, ops: Sequence[Any], mentions: Callable[[Expr], bool]) -> list[LogSumExp] | None:
    """Where log-sum-exps of the scores are computed outside the site; None if outside reads anything else of it.

    Raises Resplit.
    """
    inside = frozenset(ops)

    def outside(op: Any) -> list[Any]:
        return [user for user in users(op) if user not in inside and not _asserts(user)]

    first = [user for op in ops if op != site.pv for user in outside(op)]
    near: dict[Any, None] = {}
    queue = list(first)
    while queue and len(near) < REACH:
        user = queue.pop(0)
        if user not in near and passes_through(user) and len(user.results) == 1:
            near[user] = None
            queue += outside(user)
    found: list[LogSumExp] = []
    seen: set[Any] = set()
    queue = list(first)
    while queue:
        user = queue.pop(0)
        if user in seen:
            continue
        if user not in near:
            return None
        seen.add(user)
        index = _rows(site, user, inside | near.keys(), mentions)
        if index is None:
            queue += outside(user)
        else:
            found.append(LogSumExp(user, index))
    return found


@dataclass(frozen=True)
class _Parts:
    """shift + log(sum)."""

    total: Expr
    shift: Expr | None


def _parts(expr: Expr) -> _Parts | None:
    if expr.name == "math.log":
        return _Parts(expr.args[0], None)
    if expr.name == ADD:
        for position in (0, 1):
            if expr.args[position].name == "math.log":
                return _Parts(expr.args[position].args[0], expr.args[1 - position])
    return None


def _rows(site: Site, op: Any, entered: frozenset[Any], mentions: Callable[[Expr], bool]) -> tuple[Index, ...] | None:
    """The index of each dim of the result of `op`, in atoms of the site, if it is the log-sum-exp of each row."""
    algebra, dims = site.algebra, site.dims
    own = [dims.atoms(("lse", op, i), size) for i, size in enumerate(shape_of(op.results[0]))]
    evaluator = Evaluator(dims, algebra, lambda producer: producer in entered and producer != site.qk)
    try:
        value = algebra.uncast(evaluator.value(op.results[0], own))
    except (Opaque, NotLayout):
        return None
    parts = _parts(value)
    if parts is None or parts.total.kind != "reduce" or parts.total.data[0] != ADD:
        return None
    names = _renaming(site, parts.total.args[0])
    if names is None or {names.get(a) for a in parts.total.data[1]} != set(site.n):
        return None
    body = algebra.substitute(parts.total.args[0], names)
    if body.name != "math.exp":
        return None
    score, dropped = score_of(algebra, body, site.n, mentions)
    shift = [] if parts.shift is None else [algebra.substitute(parts.shift, names)]
    if score is not algebra.uncast(site.plain_score) or [d.number for d in dropped] != [s.number for s in shift]:
        return None
    if any(atom not in names for dim in own for atom in dim):
        return None
    return tuple(tuple(names[atom] for atom in dim) for dim in own)


def _renaming(site: Site, body: Expr) -> dict[Atom, Atom] | None:
    """Atoms of the one element of the scores in `body` -> the site's own; None if they do not correspond."""
    scores, index = site.score_leaf.data
    pending, seen = [body], set()
    while pending:
        node = pending.pop()
        if node.kind == "load" and node.data[0] == scores:
            left = [atom for dim in node.data[1] for atom in dim]
            right = [atom for dim in index for atom in dim]
            same = [a.size for a in left] == [a.size for a in right]
            return dict(zip(left, right, strict=True)) if same else None
        if node.number not in seen:
            seen.add(node.number)
            if node.kind != "reduce":  # the maximum runs over keys of its own
                pending += node.args
    return None


def _asserts(op: Any) -> bool:
    return is_linalg(op) and not op.results


def used_too_early(site: Site) -> bool:
    """Whether a log-sum-exp is read before the second contraction, where the fused op stands."""
    pv = site.pv
    readers = [use.owner.operation for lse in site.log_sum_exps for use in lse.op.results[0].uses]
    return any(not pv.is_before_in_block(enclosing(reader, pv.block)) for reader in readers)


def replace_log_sum_exps(site: Site, result: Any, groups: Sequence[Index]) -> None:
    """Let the fused op's second result, with one dim for each of `groups`, take the place of what was computed.

    At the insertion point, after the op.
    """
    for lse in site.log_sum_exps:
        old = lse.op.results[0]
        order = [atom for dim in lse.index for atom in dim]
        atoms = [atom for group in groups for atom in group]
        value = reshape(result, [atom.size for atom in atoms])
        if order != atoms:
            load = site.algebra.make("load", (value, tuple((a,) for a in atoms)), (), str(result.type.element_type))
            value = materialise(load, order)
        value = reshape(cast_tensor(value, old.type.element_type), shape_of(old))
        old.replace_all_uses_with(value)
        erase_dead(lse.op)


