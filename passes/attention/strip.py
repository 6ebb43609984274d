# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Takes quantise/dequantise pairs out of a site: between its contractions and on Q, K and V."""

from __future__ import annotations

from typing import Any

from fovea.passes.attention.contraction import is_reduction
from fovea.passes.attention.evaluate import LAYOUT_OPS, QUANTISERS, Evaluator
from fovea.passes.attention.expression import Expr, Resplit, Segments
from fovea.passes.attention.quantised import without_pairs
from fovea.passes.attention.site import Site
from fovea.passes.ir_utils import is_linalg, is_tensor, num_inputs

QUANTISED = "a quantise/dequantise pair lies between the contractions"
"""Why a site with such pairs is not fused unless they are taken out."""


def strip_pairs(site: Site) -> None:
    """Make the site read what went into the pairs. Its numbers change by what the pairs rounded."""
    if site.not_fusable == QUANTISED:
        site.not_fusable = None
    evaluator = Evaluator(site.dims, site.algebra, _may_be_pair)
    site.score = without_pairs(site.algebra, site.score)
    site.query, site.key, site.value = (_stripped(site, evaluator, e) for e in (site.query, site.key, site.value))


def _stripped(site: Site, evaluator: Evaluator, expr: Expr) -> Expr:
    """`expr` without pairs, in it or in what computes the tensors it reads."""
    opened = _open(site, evaluator, expr)
    plain = without_pairs(site.algebra, opened)
    return plain if plain is not opened else without_pairs(site.algebra, expr)


def _open(site: Site, evaluator: Evaluator, expr: Expr) -> Expr:
    if expr.kind == "load":
        try:
            return evaluator.value(*expr.data)
        except (Resplit, Segments):
            return expr  # a pair behind such a reshape stays
    return site.algebra.rebuild(expr, tuple(_open(site, evaluator, arg) for arg in expr.args))


def _may_be_pair(op: Any) -> bool:
    """Layout, or pointwise work on one tensor."""
    if op.name in LAYOUT_OPS or op.name in QUANTISERS:
        return True
    if not is_linalg(op) or len(op.results) != 1 or is_reduction(op):
        return False
    return sum(is_tensor(value.type) for value in list(op.operands)[: num_inputs(op)]) == 1
