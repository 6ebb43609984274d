# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Grouped-query and multi-query attention: how many query heads share one head of keys and values."""

from __future__ import annotations

from typing import Any

from fovea.passes.attention.contraction import is_reduction
from fovea.passes.attention.emit import loads_of
from fovea.passes.attention.evaluate import LAYOUT_OPS, Evaluator
from fovea.passes.attention.expression import Algebra, Atom, Dims, Expr, Resplit, Segments, extent
from fovea.passes.attention.site import Site
from fovea.passes.attention.trace import trace
from fovea.passes.ir_utils import is_linalg

REACH = 16  # ops that are looked through for a broadcast: bounds the cost, and covers scales, casts and reshapes


def group_size(site: Site) -> int:
    """Query heads for each head of keys and values; 1 if each has its own, DYNAMIC if not known. Raises Resplit."""
    shared = frozenset(site.batch)
    own = atoms_read(site.dims, site.algebra, site.key, shared) | atoms_read(
        site.dims, site.algebra, site.value, shared
    )
    return extent(tuple(atom for atom in site.batch if atom in site.query.atoms and atom not in own))


def atoms_read(dims: Dims, algebra: Algebra, expr: Expr, shared: frozenset[Atom]) -> frozenset[Atom]:
    """What the elements in `expr` depend on once repetition by broadcasts is looked through. `shared`: the batch dims;
    raises Resplit for those only."""
    found: set[Atom] = set()
    for leaf in loads_of(expr):
        _, index = trace(leaf.data[0], leaf.data[1], shared)
        read = {atom for dim in index for atom in dim}
        if read & shared:
            read &= _behind_pointwise(dims, algebra, leaf, shared)
        found |= read
    return frozenset(found)


def _behind_pointwise(dims: Dims, algebra: Algebra, leaf: Expr, may_split: frozenset[Atom]) -> frozenset[Atom]:
    """What an element depends on according to the ops just before it, which work element by element."""
    looked: set[Any] = set()

    def inside(op: Any) -> bool:
        if len(looked) >= REACH or not (op.name in LAYOUT_OPS or (is_linalg(op) and not is_reduction(op))):
            return False
        looked.add(op)
        return True

    try:
        return Evaluator(dims, algebra, inside).value(*leaf.data).atoms
    except Resplit as request:
        if request.atom in may_split:
            raise
    except Segments:
        pass
    return leaf.atoms
