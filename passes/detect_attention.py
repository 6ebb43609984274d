# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-detect-attention`: tags the ops of every attention site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from fovea.bindings import ir
from fovea.dialect.attention_tag import tag
from fovea.passes.attention import NearMiss, Site, match_sites
from fovea.passes.attention.bands import mask_flags
from fovea.passes.attention.emit import loads_of
from fovea.passes.attention.evaluate import shape_of
from fovea.passes.attention.expression import Expr
from fovea.passes.attention.policy import IGNORE, parse_policy
from fovea.passes.ir_utils import functions
from fovea.passes.registry import PassContext, register


@register
@dataclass(frozen=True)
class DetectAttention:
    """Find every attention and mark its ops with `fovea.attention = #fovea.site<id, role>`.

    A site is two contractions with a softmax between them: `softmax(score(Q.K)) V`, where `score` is any pointwise
    chain (scale, bias, mask, softcap), softmax runs over the axis that the second contraction sums over, and the
    contractions agree on their batch dims. Indexing maps and def-use decide, not the order or the names of ops. The ops
    that compute Q, K, V and masks, and those that use the result, are not part of a site. A site is tagged whole or not
    at all. Tagged ops are neither captured nor quantised.

    Every candidate is explained by a remark and a record: tagged, near miss (what failed), or policy (attention, but
    what to do with it is a choice). The README of `passes/` has the policy cases and what is done by default;
    `attention_policy` changes that: `constant-kv=tag,gated=ignore`.

    Before:

        %s = linalg.batch_matmul ins(%q, %kt : ...) outs(%z0 : ...) -> tensor<8x16x16xf32>
        %p = linalg.softmax dimension(2) ins(%s : ...) outs(%e : ...) -> tensor<8x16x16xf32>
        %o = linalg.batch_matmul ins(%p, %v : ...) outs(%z1 : ...) -> tensor<8x16x32xf32>

    After:

        %s = linalg.batch_matmul {fovea.attention = #fovea.site<0 : i64, "qk">} ins(%q, %kt : ...) ...
        %p = linalg.softmax {fovea.attention = #fovea.site<0 : i64, "normalize">} dimension(2) ins(%s : ...) ...
        %o = linalg.batch_matmul {fovea.attention = #fovea.site<0 : i64, "pv">} ins(%p, %v : ...) ...
    """

    name: ClassVar[str] = "fovea-detect-attention"

    attention_policy: str = ""

    def __post_init__(self) -> None:
        parse_policy(self.attention_policy)

    def run(self, module: Any, context: PassContext) -> None:
        policy = parse_policy(self.attention_policy)
        count = 0
        for function in functions(module):
            name = ir.StringAttr(function.attributes["sym_name"]).value
            for found in match_sites(function):
                if isinstance(found, NearMiss):
                    _report_near_miss(found, name, context)
                elif any(policy[case] == IGNORE for case in found.cases):
                    _report(found, name, context, None)
                else:
                    _report(found, name, context, count)  # first: the hash of an op, thus of atoms, changes with tags
                    for op, role in found.roles:
                        tag(op, count, role)
                    count += 1


def _report_near_miss(miss: NearMiss, function: str, context: PassContext) -> None:
    message = f"attention near miss: {miss.reason} (decided by '{miss.op.name}')"
    context.remark(miss.op.location, message)
    context.records.append(
        {"pass": "detect-attention", "decision": "near-miss", "reason": miss.reason, "op": miss.op.name,
         "function": function, "location": str(miss.op.location)}
    )  # fmt: skip


def _shape(expr: Expr) -> list[int] | None:
    """Shape of the tensor that an operand of a contraction is read from; None if it is a constant."""
    return next((shape_of(leaf.data[0]) for leaf in loads_of(expr)), None)


def _shown(flags: dict[str, Any]) -> str:
    """Flags of a variant, for a remark."""
    words = ((name.replace("_", " "), value) for name, value in flags.items())
    return "".join(f", {name}" if value is True else f", {name} {value}" for name, value in words)


def _report(site: Site, function: str, context: PassContext, number: int | None) -> None:
    """Record one site of `function`; `number` is its id, None if it was left untagged."""
    flags = {**site.flags, **mask_flags(site)}
    decision = "policy" if site.policy else "tagged"
    reason = site.policy or "softmax over the axis that the second contraction sums over, between two contractions"
    if site.policy:
        reason += "; tagged" if number is not None else "; not tagged"
    ops = "" if number is None else f" (site {number}, {len(site.roles)} ops{_shown(flags)})"
    context.remark(site.pv.location, f"attention {decision}: {reason}{ops}")
    context.records.append(
        {
            "pass": "detect-attention", "id": number, "decision": decision, "reason": reason, "op": site.pv.name,
            "function": function, "location": str(site.pv.location), "flags": flags,
            "q": _shape(site.query), "k": _shape(site.key), "v": _shape(site.value),
            "batch": [a.size for a in site.batch], "m": [a.size for a in site.m], "n": [a.size for a in site.n],
            "depth": [a.size for a in site.k], "value_depth": [a.size for a in site.d],
            "policy": list(site.cases), "fusable": site.not_fusable is None,
        }
    )  # fmt: skip
