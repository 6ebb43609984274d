# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases where attention is found and the rest is a choice. The README of `passes/` gives the reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fovea.bindings import ir
from fovea.errors import UsageError
from fovea.passes.attention.evaluate import LAYOUT_OPS
from fovea.passes.attention.expression import Expr
from fovea.passes.attention.log_sum_exp import log_sum_exps, used_too_early
from fovea.passes.attention.site import Site
from fovea.passes.ir_utils import defining_op, is_linalg

WEIGHT = "fovea.weight"


TAG, IGNORE = "tag", "ignore"
CASES = {
    "constant-kv": IGNORE,
    "constant-k": TAG,
    "constant-q": TAG,
    "used-elsewhere": TAG,
    "several-values": TAG,
    "gated": TAG,
    "deferred-normalisation": TAG,
}
"""Policy case -> what is done by default. The README of `passes/` says what each one is, and why."""

GATED = "the probabilities are multiplied by a tensor at run time before they weigh the values"
CONSTANT_KV = "keys and values are both constants"


def parse_policy(text: str) -> dict[str, str]:
    """All cases with the changes that `text` asks for: `case=tag` or `case=ignore`, separated by commas.

    Raises UsageError for an unknown case or decision.
    """
    result = dict(CASES)
    for part in filter(None, (part.strip() for part in text.split(","))):
        case, _, decision = part.partition("=")
        if case not in CASES or decision not in (TAG, IGNORE):
            raise UsageError(
                f"attention policy: expected CASE=tag or CASE=ignore, found '{part}'; cases are {', '.join(CASES)}"
            )
        result[case] = decision
    return result


def apply_policy(site: Site, ops: Sequence[Any], mentions: Callable[[Expr], bool]) -> None:
    """Note on the site which policy cases it falls under."""
    keys, values = is_constant(site.key), is_constant(site.value)
    if keys and values:
        site.cases["constant-kv"] = CONSTANT_KV
        site.flags["constant_kv"] = True
    elif keys:
        site.cases["constant-k"] = "the keys are constants, the values are not"
    elif is_constant(site.query):
        site.cases["constant-q"] = "the queries are constants"
    if "gated" in site.cases:
        site.not_fusable = GATED
    extra = used_elsewhere(site, ops)
    known = None if extra is None or site.sinks else log_sum_exps(site, ops, mentions)
    if known:
        site.log_sum_exps = tuple(known)
        site.flags["log_sum_exp"] = True
        if used_too_early(site):
            site.not_fusable = "the log-sum-exp is read before the second contraction"
    elif extra is not None:
        site.flags["probabilities_used_elsewhere"] = True
        site.cases["used-elsewhere"] = f"a value inside the site ('{extra.name}') is also used outside it"
        site.not_fusable = f"the result of '{extra.name}' is also used outside the site"


def used_elsewhere(site: Site, ops: Sequence[Any]) -> Any | None:
    """The first op of the site, other than the last, whose result something outside the site uses."""
    inside = frozenset(ops)
    for op in ops:
        if op == site.pv:
            continue
        for result in op.results:
            for use in result.uses:
                user = use.owner.operation
                if is_linalg(user) and not user.results:
                    continue  # it only asserts something
                if user not in inside and (user.parent is None or user.parent.operation not in inside):
                    return op
    return None


def is_constant(expr: Expr) -> bool:
    """Whether every tensor that `expr` reads is a constant or a weight."""
    leaves = list(_loads(expr))
    return bool(leaves) and all(map(_is_constant_value, leaves))


def _loads(expr: Expr) -> Iterator[Any]:
    if expr.kind in ("load", "gather"):
        yield expr.data[0] if expr.kind == "load" else expr.data
    for arg in expr.args:
        yield from _loads(arg)


def _is_constant_value(value: Any) -> bool:
    op = defining_op(value)
    while op is not None and (op.name in LAYOUT_OPS):
        value = op.operands[0]
        op = defining_op(value)
    if op is not None:
        return bool(op.name == "arith.constant")
    return is_weight(value)


def is_weight(value: Any) -> bool:
    """Whether a block argument is a function argument marked as a weight."""
    argument = ir.BlockArgument(value)
    parent = argument.owner.owner
    if parent.operation.name != "func.func" or "arg_attrs" not in parent.attributes:
        return False
    attributes = ir.ArrayAttr(parent.attributes["arg_attrs"])
    return argument.arg_number < len(attributes) and WEIGHT in ir.DictAttr(attributes[argument.arg_number])
