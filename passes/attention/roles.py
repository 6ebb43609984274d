# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which role each op of a site has (see `fovea.dialect.attention_tag.ROLES`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fovea.passes.attention.contraction import final_combiner, is_reduction
from fovea.passes.attention.softmax import EXPONENTIALS
from fovea.passes.ir_utils import body_block, is_linalg

# Combiner of a reduction -> role.
REDUCTIONS = {
    "arith.maximumf": "max",
    "arith.maxnumf": "max",
    "arith.addf": "sum",
    "arith.andi": "mask",
    "arith.ori": "mask",
}
# First of these scalar ops found in a pointwise body -> role.
POINTWISE = (*((name, "exp") for name in EXPONENTIALS), ("arith.select", "mask"), ("arith.cmpf", "mask"))


def roles_of(ops: Sequence[Any], first: Any, second: Any) -> list[tuple[Any, str]]:
    """Each op of the region with its role."""
    summed = [op for op in ops if op not in (first, second) and _reduction_role(op) == "sum"]
    return [(op, _role(op, first, second, summed)) for op in ops]


def _role(op: Any, first: Any, second: Any, sums: Sequence[Any]) -> str:
    if op == first:
        return "qk"
    if op == second:
        return "pv"
    if op.name == "linalg.softmax":
        return "normalize"
    if not is_linalg(op) or op.name in ("linalg.transpose", "linalg.broadcast"):
        return "layout"
    reduction = _reduction_role(op)
    if reduction:
        return reduction
    names = {inner.operation.name for inner in body_block(op).operations}
    if names == {"linalg.yield"}:
        return "layout"
    for name, role in POINTWISE:
        if name in names:
            return role
    return "normalize" if _follows(op, sums) else "score"


def _reduction_role(op: Any) -> str | None:
    if not is_linalg(op) or not is_reduction(op):
        return None
    combiners = {inner.operation.name for inner in body_block(op).operations}
    last = final_combiner(op)
    if last is not None:
        return REDUCTIONS.get(last.name, "score")
    return "max" if combiners & {"arith.maximumf", "arith.maxnumf"} else "score"


def _follows(op: Any, sums: Sequence[Any]) -> bool:
    """Whether `op` comes after a sum of the site: it divides, or casts the quotient."""
    return any(total.is_before_in_block(op) for total in sums)
