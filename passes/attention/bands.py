# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which keys a query may see: causal masks and sliding windows, recognised by their values, and masks over keys.

A mask that depends on positions only is evaluated for all pairs of query and key; it does not matter how it was made
(comparisons of counters, triangles, constants).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.passes.attention.contraction import is_reduction
from fovea.passes.attention.evaluate import Evaluator
from fovea.passes.attention.expression import ADD, CASTS, DYNAMIC, Atom, Expr, Index, Resplit, Segments, constant_value
from fovea.passes.attention.guards import LOWEST
from fovea.passes.attention.site import Site
from fovea.passes.ir_utils import defining_op, is_linalg

Array = np.ndarray[Any, Any]
MOST_PAIRS = 1 << 22
"""Larger masks are not looked at: the flag is information, and must not slow detection down."""


ADDED, TRUE, FALSE = "added", "true", "false"
# Op and kind of mask where either operand masks by itself.
SPLITS = frozenset({(ADD, ADDED), ("arith.ori", TRUE), ("arith.andi", FALSE)})


# arith.cmpi predicates, signed and unsigned, of `position OP bound`.
BELOW, ABOVE = frozenset({2, 3, 6, 7}), frozenset({4, 5, 8, 9})


class NotPositional(Exception):
    """The expression depends on more than positions."""


def _compare(attributes: Mapping[str, str], a: Array, b: Array) -> Array:
    signed = (np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)
    predicate = int(attributes["predicate"].split(" ")[0])
    # 0 to 5 are eq, ne and the signed ones; 6 to 9 the unsigned ones, the same for positions.
    return np.asarray(signed[predicate if predicate < 6 else predicate - 4](a, b))


OPS: dict[str, Callable[..., Array]] = {
    "arith.addi": np.add, "arith.subi": np.subtract, "arith.muli": np.multiply, "arith.andi": np.bitwise_and,
    "arith.ori": np.bitwise_or, "arith.xori": np.bitwise_xor, "arith.addf": np.add, "arith.subf": np.subtract,
    "arith.mulf": np.multiply, "arith.negf": np.negative, "arith.select": np.where, "arith.maxsi": np.maximum,
    "arith.minsi": np.minimum, "arith.index_cast": np.asarray, "arith.extui": lambda x: np.asarray(x, np.int64),
    "arith.extsi": np.asarray, "arith.trunci": np.asarray, "arith.extf": np.asarray, "arith.truncf": np.asarray,
    "arith.sitofp": lambda x: np.asarray(x, np.float64), "arith.uitofp": lambda x: np.asarray(x, np.float64),
}  # fmt: skip


def mask_flags(site: Site) -> dict[str, Any]:
    """Flags for the report.

    `causal`: keys up to the query's position (plus `past`) are seen; `window`: [lowest, highest] of key - query;
    `length_mask`: keys from a position on that is known at run time are not seen; `key_mask`: a tensor known at run
    time masks keys, the same for every query.
    """
    positions = _Positions(site, Evaluator(site.dims, site.algebra, _is_pointwise))
    parts: list[tuple[Expr, str]] = []
    for expr, kind in _parts(site):
        with suppress(Resplit, Segments, RecursionError):
            parts += positions.parts(expr, kind)
    flags = _band(site, positions, parts)
    if any(positions.is_length(expr, kind) for expr, kind in parts):
        flags["length_mask"] = True
    if any(positions.is_over_keys(expr) for expr, _ in parts):
        flags["key_mask"] = True
    return flags


def read_masks(site: Site) -> None:
    """Raises Resplit if a mask can only be read with finer dims."""
    positions = _Positions(site, Evaluator(site.dims, site.algebra, _is_pointwise))
    for expr, kind in _parts(site):
        positions.parts(expr, kind)


def _band(site: Site, positions: _Positions, parts: list[tuple[Expr, str]]) -> dict[str, Any]:
    pairs = _size(site.m) * _size(site.n)
    if not site.m or DYNAMIC in (a.size for a in (*site.m, *site.n)) or pairs > MOST_PAIRS:
        return {}
    masked = np.zeros((_size(site.m), _size(site.n)), bool)
    for expr, kind in parts:
        with suppress(Resplit, Segments, RecursionError):
            masked |= positions.masked(expr, kind)
    return describe(masked)


def describe(masked: Array) -> dict[str, Any]:
    """The band of keys that a mask over (query, key) leaves, as flags; {} if it leaves all or no band."""
    distance = np.arange(masked.shape[1])[None, :] - np.arange(masked.shape[0])[:, None]
    seen = distance[~masked]
    if not masked.any() or seen.size == 0:
        return {}
    low, high = int(seen.min()), int(seen.max())
    if not np.array_equal(masked, (distance < low) | (distance > high)):
        return {}
    if low == distance.min():
        return {"causal": True} if high == 0 else {"causal": True, "past": high}
    return {"window": [low, high]}


def _parts(site: Site) -> list[tuple[Expr, str]]:
    """(an expression beside the scores, how it masks them: see `_Positions.masked`)."""
    found: list[tuple[Expr, str]] = []
    mentions: dict[int, bool] = {}

    def mentioned(node: Expr) -> bool:
        if node.number not in mentions:
            mentions[node.number] = node is site.score_leaf or any(mentioned(arg) for arg in node.args)
        return mentions[node.number]

    def visit(node: Expr) -> None:
        if not mentioned(node):
            return
        if node.name == "arith.select" and not mentioned(node.args[0]):
            condition, yes, no = node.args
            if _is_low(yes) or _is_low(no):
                found.append((condition, TRUE if _is_low(yes) else FALSE))
        if node.name == ADD:
            found.extend((arg, ADDED) for arg in node.args if not mentioned(arg))
        for arg in node.args:
            visit(arg)

    visit(site.score)
    return found


def _is_low(expr: Expr) -> bool:
    number = constant_value(expr)
    return number is not None and number <= LOWEST


def _is_pointwise(op: Any) -> bool:
    return op.name.startswith("tensor.") or (is_linalg(op) and not is_reduction(op))


class _Positions:
    """Evaluates expressions over all (query, key) pairs, opening what computes the tensors that they read."""

    def __init__(self, site: Site, evaluator: Evaluator) -> None:
        self.evaluator, self.axes = evaluator, (*site.m, *site.n)
        self.m, self.n = site.m, site.n
        self.shape = (_size(site.m), _size(site.n))

    def parts(self, expr: Expr, kind: str) -> list[tuple[Expr, str]]:
        """What masks by itself in `expr`: (expression, kind) each.

        `kind`: a term added to the scores (ADDED), or a condition that masks where it is TRUE or FALSE.
        """
        if expr.kind == "load":
            opened = self.evaluator.value(*expr.data)
            if opened is not expr:
                return self.parts(opened, kind)
        if expr.name in CASTS:
            return self.parts(expr.args[0], kind)
        if (expr.name, kind) in SPLITS:
            return self.parts(expr.args[0], kind) + self.parts(expr.args[1], kind)
        if expr.name == "arith.xori" and kind != ADDED and constant_value(expr.args[1]) == 1:
            return self.parts(expr.args[0], TRUE if kind == FALSE else FALSE)
        if expr.name == "arith.select" and kind == ADDED and any(map(_is_low, expr.args[1:])):
            condition, yes, no = expr.args
            low = _is_low(yes)
            return self.parts(condition, TRUE if low else FALSE) + self.parts(no if low else yes, kind)
        return [(expr, kind)]

    def is_over_keys(self, expr: Expr) -> bool:
        """Whether `expr` is read from a tensor that varies along keys and not along queries."""
        return expr.kind in ("load", "gather") and bool(expr.atoms & set(self.n)) and not expr.atoms & set(self.m)

    def is_length(self, expr: Expr, kind: str) -> bool:
        """Whether `expr` masks the keys from a position on that is read from a tensor."""
        if expr.name != "arith.cmpi" or kind == ADDED:
            return False
        left, right = (self._opened(arg) for arg in expr.args)
        predicate = int(dict(expr.data[1])["predicate"].split(" ")[0])
        if self._is_position(right) and self._is_bound(left):
            beyond = predicate in BELOW
        elif self._is_position(left) and self._is_bound(right):
            beyond = predicate in ABOVE
        else:
            return False
        return beyond == (kind == TRUE) and predicate in BELOW | ABOVE

    def _opened(self, expr: Expr) -> Expr:
        if expr.kind == "load":
            with suppress(Resplit, Segments):
                opened = self.evaluator.value(*expr.data)
                return expr if opened is expr else self._opened(opened)
            return expr
        return self.evaluator.algebra.rebuild(expr, tuple(map(self._opened, expr.args)))

    def _is_position(self, expr: Expr) -> bool:
        """A key's position, whatever constants are added to it."""
        try:
            return bool(expr.atoms) and expr.atoms <= set(self.n) and self._number(expr) is not None
        except NotPositional:
            return False

    def _is_bound(self, expr: Expr) -> bool:
        """A number known at run time, the same for all keys and queries."""
        try:
            self._number(expr)
        except NotPositional:
            return not expr.atoms & set(self.axes)
        return False

    def masked(self, expr: Expr, kind: str) -> Array:
        """Pairs that one part masks by position alone. What depends on more masks nothing here."""
        try:
            numbers = self._number(expr)
        except NotPositional:
            return np.zeros(self.shape, bool)
        found = numbers <= LOWEST if kind == ADDED else numbers.astype(bool) == (kind == TRUE)
        return np.broadcast_to(found, [atom.size for atom in self.axes]).reshape(self.shape)

    def _number(self, expr: Expr) -> Array:
        if expr.kind == "const":
            text = expr.data[0]
            return np.asarray(text == "True") if text in ("True", "False") else np.asarray(_parsed(text, expr.type))
        if expr.kind == "index":
            return self._index(expr.data)
        if expr.kind == "load":
            return self._load(expr)
        if expr.kind != "op":
            raise NotPositional
        name, attributes = expr.data
        arguments = [self._number(arg) for arg in expr.args]
        if name == "arith.cmpi":
            return _compare(dict(attributes), *arguments)
        if name not in OPS:
            raise NotPositional
        return OPS[name](*arguments)

    def _index(self, index: Index) -> Array:
        total = np.asarray(0)
        for atom in index:
            total = total * atom.size + self._atom(atom)
        return total

    def _atom(self, atom: Atom) -> Array:
        if atom not in self.axes:
            raise NotPositional
        return np.arange(atom.size).reshape([-1 if axis == atom else 1 for axis in self.axes])

    def _load(self, expr: Expr) -> Array:
        value, index = expr.data
        opened = self.evaluator.value(value, index)
        if opened is not expr:
            return self._number(opened)
        op = defining_op(value)
        if op is None or op.name != "arith.constant" or not isinstance(op.attributes["value"], ir.DenseElementsAttr):
            raise NotPositional
        array = np.array(op.attributes["value"])
        return np.asarray(array[tuple(self._index(dim) for dim in index)])


def _parsed(text: str, type_: str) -> float | int:
    return int(text) if type_.startswith(("i", "index")) else float(text)


def _size(index: Index) -> int:
    return int(np.prod([atom.size for atom in index], dtype=np.int64))
