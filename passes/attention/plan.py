# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How a site becomes `fovea.attention`: which tensors it reads, its iteration dims and their maps. No IR is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fovea.dialect.attention import FLOATS
from fovea.passes.attention.expression import DYNAMIC, Atom, Expr, Index
from fovea.passes.attention.trace import Place, trace

Digits = tuple[Atom, ...]


class NotFusable(Exception):
    """The site has no form as one `fovea.attention`; the message is the reason, a clause without a full stop."""


@dataclass(frozen=True)
class Read:
    """A tensor that the op reads: an existing value (`place`), or an expression to compute first (`expr`)."""

    index: tuple[Index, ...]
    place: Place | None
    expr: Expr | None

    @property
    def atoms(self) -> Digits:
        return tuple(atom for dim in self.index for atom in dim)


def read_of(expr: Expr, order: Sequence[Atom], may_split: frozenset[Atom], bare: Expr) -> Read:
    """How to read `expr`: directly if it is an element of a tensor, perhaps widened; else computed over `order`.

    `bare`: `expr` without casts.
    """
    inner = expr
    while inner.name == "arith.extf" and inner.args[0].type in FLOATS:
        inner = inner.args[0]
    if inner.kind == "load" and bare.kind == "load":
        place = trace(inner.data[0], inner.data[1], may_split)
        return Read(place[1], place, None)
    present = [atom for atom in order if atom in expr.atoms]
    return Read(tuple((atom,) for atom in present), None, expr)


def merge(groups: Sequence[Digits], accesses: Sequence[Sequence[Index]], batch: bool) -> list[Digits]:
    """Adjacent atoms that every access uses side by side become one dim.

    For batch dims an access may also use only the more significant part (`d floordiv N`, grouped queries).
    """
    merged = [list(group) for group in groups]
    changed = True
    while changed:
        changed = False
        for i, left in enumerate(merged):
            for j, right in enumerate(merged):
                if i != j and all(_side_by_side(tuple(left), tuple(right), access, batch) for access in accesses):
                    merged[i] = left + right
                    del merged[j]
                    changed = True
                    break
            if changed:
                break
    return [tuple(group) for group in merged]


def _side_by_side(left: Digits, right: Digits, access: Sequence[Index], batch: bool) -> bool:
    flat = [atom for dim in access for atom in dim]
    has_left, has_right = left[0] in flat, right[0] in flat
    if not has_left and not has_right:
        return True
    if not has_right:
        return batch
    if not has_left:
        return False
    whole = left + right
    return any(dim[i : i + len(whole)] == whole for dim in access for i in range(len(dim)))


@dataclass(frozen=True)
class Dimensions:
    """The iteration dims in order: batch..., q, kv, k, d. Each is a group of atoms, empty for extent 1."""

    groups: tuple[Digits, ...]

    @property
    def q(self) -> int:
        return len(self.groups) - 4

    def position(self, atom: Atom) -> tuple[int, int]:
        """(dim, place in its group) of an atom."""
        for dim, group in enumerate(self.groups):
            if atom in group:
                return dim, group.index(atom)
        raise NotFusable("a tensor that the scores depend on varies along a dim that attention does not have")


def dimensions(
    batch: Digits, m: Digits, n: Digits, k: Digits, d: Digits, accesses: Sequence[Sequence[Index]]
) -> Dimensions:
    """Iteration dims for a site whose tensors are read as `accesses`. Raises NotFusable."""
    if any(atom.size == DYNAMIC for access in accesses for dim in access for atom in dim):
        raise NotFusable("its extents are not all known")
    rows = merge([(atom,) for atom in m], accesses, False)
    shared = merge([(atom,) for atom in (*batch,)], accesses, True)
    inner: list[Digits] = []
    for name, atoms in (("key position", n), ("depth of the first contraction", k), ("depth of the values", d)):
        merged = merge([(atom,) for atom in atoms], accesses, False)
        if len(merged) > 1:
            raise NotFusable(f"the {name} runs over several dims that are not side by side in every tensor")
        inner.append(merged[0] if merged else ())
    if len(rows) > 1:  # rows are independent: all but the longest act as batch dims
        rows.sort(key=lambda group: _size(group))
        shared += rows[:-1]
        rows = rows[-1:]
    return Dimensions((*shared, rows[0] if rows else (), *inner))


def _size(group: Digits) -> int:
    total = 1
    for atom in group:
        total *= atom.size
    return total
