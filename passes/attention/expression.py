# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Scalar expressions over index atoms.

A tensor dim is indexed by a tuple of atoms read as a mixed-radix number, most significant first: collapsing dims
concatenates tuples, expanding splits them, broadcasting gives the empty tuple (index 0). Expressions are interned:
two of them are equal exactly when they are one object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

DYNAMIC = -1
"""Size of an atom over a dim whose extent is not known."""


class Atom(NamedTuple):
    """One loop index: the dim it comes from (`origin`), its place if that dim was split (`part`), and its extent."""

    origin: tuple[Any, ...]
    part: int
    size: int


Index = tuple[Atom, ...]


class Resplit(Exception):
    """An atom has to be split before the match can go on; the caller refines `Dims` and starts the match again."""

    def __init__(self, atom: Atom, sizes: tuple[int, int]) -> None:
        self.atom, self.sizes = atom, sizes
        super().__init__(f"split {atom} into {sizes}")


class Segments(Exception):
    """A reduction has to be taken piece by piece, along a concatenation; handled like Resplit."""

    def __init__(self, atom: Atom, sizes: tuple[int, ...]) -> None:
        self.atom, self.sizes = atom, sizes
        super().__init__(f"reduce {atom} in pieces of {sizes}")


class NotLayout(Exception):
    """A reshape that mixes dims: no mixed-radix index on one side is one on the other."""


class Dims:
    """Which factors each dim is made of; grows by `refine` between two attempts of one match."""

    def __init__(self) -> None:
        self.factors: dict[tuple[Any, ...], tuple[int, ...]] = {}
        self.segments: dict[tuple[Any, ...], tuple[int, ...]] = {}

    def atoms(self, origin: tuple[Any, ...], size: int) -> Index:
        """The index that runs over a whole dim of extent `size`."""
        if size == 1:
            return ()
        sizes = self.factors.get(origin, (size,))
        return tuple(Atom(origin, part, extent) for part, extent in enumerate(sizes))

    def refine(self, request: Resplit | Segments) -> None:
        """Grant what an attempt asked for."""
        if isinstance(request, Segments):
            self.segments[request.atom.origin] = request.sizes
            return
        origin, part, size = request.atom
        factors = self.factors.get(origin, (size,))
        self.factors[origin] = (*factors[:part], *request.sizes, *factors[part + 1 :])


def extent(index: Index) -> int:
    """Number of values that `index` takes; DYNAMIC if not known."""
    total = 1
    for atom in index:
        if atom.size == DYNAMIC:
            return DYNAMIC
        total *= atom.size
    return total


def split_index(index: Index, sizes: Sequence[int]) -> list[Index]:
    """Indices into dims of extents `sizes` that together are `index` (which indexes their collapse).

    Raises Resplit if an atom straddles two dims evenly, NotLayout if it does so unevenly.
    """
    if not index:
        return [() for _ in sizes]
    if DYNAMIC in sizes or extent(index) == DYNAMIC:
        return _split_dynamic(index, sizes)
    result: list[Index] = []
    pending = list(index)
    for size in sizes:
        taken: list[Atom] = []
        while size > 1:
            if not pending:
                raise NotLayout
            atom = pending.pop(0)
            if size % atom.size == 0:
                taken.append(atom)
                size //= atom.size
            elif atom.size % size == 0:
                raise Resplit(atom, (size, atom.size // size))
            else:
                raise NotLayout
        result.append(tuple(taken))
    if pending:
        raise NotLayout
    return result


def _split_dynamic(index: Index, sizes: Sequence[int]) -> list[Index]:
    """Only the trivial case: all dims but one have extent 1."""
    wide = [position for position, size in enumerate(sizes) if size != 1]
    if len(wide) != 1:
        raise NotLayout
    return [index if position == wide[0] else () for position in range(len(sizes))]


class Expr:
    """A node. `kind` is one of

    const   data: (value, type text)
    load    data: (tensor value, one Index a dim)
    scalar  data: a scalar value from outside
    index   data: the Index whose number it is
    op      data: (op name, attributes as sorted (name, text) pairs); args: operands
    gather  data: tensor value; args: one index expression a dim
    reduce  data: (combiner, bound atoms); args: (body, init)
    opaque  data: (op, result number, index): an element of a result that cannot be expressed
    """

    __slots__ = ("args", "atoms", "data", "kind", "number", "reduces", "type")

    def __init__(self, kind: str, data: Any, args: tuple[Expr, ...], type_: str, number: int) -> None:
        self.kind, self.data, self.args, self.type, self.number = kind, data, args, type_, number
        self.atoms: frozenset[Atom]
        atoms: set[Atom] = set()
        for arg in args:
            atoms |= arg.atoms
        if kind == "load":
            atoms.update(atom for index in data[1] for atom in index)
        elif kind == "index":
            atoms.update(data)
        elif kind == "opaque":
            atoms.update(atom for index in data[2] for atom in index)
        elif kind == "reduce":
            atoms -= set(data[1])
        self.atoms = frozenset(atoms)
        self.reduces: bool = kind == "reduce" or any(arg.reduces for arg in args)

    @property
    def name(self) -> str:
        """The op's name, or the kind of any other node."""
        return str(self.data[0]) if self.kind == "op" else self.kind

    def __repr__(self) -> str:
        label = self.name if self.kind == "op" else f"{self.kind}:{self.data!r}"[:60]
        return f"{label}({', '.join(map(repr, self.args))})" if self.args else label


CASTS = frozenset({"arith.extf", "arith.truncf"})
ADD, SUB, MUL, DIV, NEG = "arith.addf", "arith.subf", "arith.mulf", "arith.divf", "arith.negf"


class Algebra:
    """Makes and rewrites interned expressions."""

    def __init__(self) -> None:
        self._table: dict[Any, Expr] = {}
        self._uncast: dict[int, Expr] = {}

    def make(self, kind: str, data: Any, args: Iterable[Expr] = (), type_: str = "") -> Expr:
        arguments = tuple(args)
        key = (kind, data, type_, tuple(arg.number for arg in arguments))
        found = self._table.get(key)
        if found is None:
            found = self._table[key] = Expr(kind, data, arguments, type_, len(self._table))
        return found

    def const(self, value: float | int | bool, type_: str) -> Expr:
        return self.make("const", (repr(value), type_), (), type_)

    def op(self, name: str, type_: str, *args: Expr, attributes: tuple[tuple[str, str], ...] = ()) -> Expr:
        if name in CASTS and args[0].kind == "const":
            return self.make("const", (args[0].data[0], type_), (), type_)
        return self.make("op", (name, attributes), args, type_)

    def rebuild(self, expr: Expr, args: tuple[Expr, ...]) -> Expr:
        return expr if args == expr.args else self.make(expr.kind, expr.data, args, expr.type)

    def substitute(self, expr: Expr, mapping: Mapping[Atom, Atom]) -> Expr:
        """`expr` with atoms renamed."""
        names = frozenset(mapping)
        memo: dict[int, Expr] = {}

        def rename(index: Index) -> Index:
            return tuple(mapping.get(atom, atom) for atom in index)

        def visit(node: Expr) -> Expr:
            if not node.atoms & names:
                return node
            done = memo.get(node.number)
            if done is None:
                data = node.data
                if node.kind == "load":
                    data = (data[0], tuple(map(rename, data[1])))
                elif node.kind == "index":
                    data = rename(data)
                elif node.kind == "opaque":
                    data = (data[0], data[1], tuple(map(rename, data[2])))
                done = memo[node.number] = self.make(node.kind, data, map(visit, node.args), node.type)
            return done

        return visit(expr)

    def uncast(self, expr: Expr) -> Expr:
        """`expr` without float casts: what it says over the reals. Types of inner nodes lose their meaning."""
        done = self._uncast.get(expr.number)
        if done is None:
            args = tuple(map(self.uncast, expr.args))
            if expr.kind == "op" and expr.data[0] in CASTS:
                done = args[0]
            elif expr.kind == "const":
                done = self.make("const", (expr.data[0], ""), (), "")
            else:
                done = self.make(expr.kind, expr.data, args, "")
            self._uncast[expr.number] = done
        return done


def constant_value(expr: Expr) -> float | None:
    """The number behind a constant, None for any other node."""
    if expr.kind != "const":
        return None
    text = expr.data[0]
    return float(text == "True") if text in ("True", "False") else float(text)
