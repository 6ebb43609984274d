# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantise/dequantise pairs as ops: finding the op that ends one, and writing what went into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fovea.bindings import ir
from fovea.passes.attention.contraction import is_reduction
from fovea.passes.attention.emit import loads_of, materialise, reshape
from fovea.passes.attention.evaluate import LAYOUT_OPS, QUANTISERS, Evaluator, Opaque, element_type, shape_of
from fovea.passes.attention.expression import CASTS, DYNAMIC, MUL, Algebra, Atom, Dims, Expr, Resplit, Segments
from fovea.passes.attention.quantised import pair_source
from fovea.passes.ir_utils import (
    body_block,
    defining_op,
    erase_dead_in,
    float_cast,
    indexing_maps,
    is_linalg,
    is_tensor,
    nested_ops,
    num_inputs,
)

ATTEMPTS = 8
REACH = 12  # ops between the start and the end of one pair: reshapes and one op for each of divide, round, clamp, cast
STORAGE_TYPES = ("f8", "i8", "ui8", "si8", "i4", "i32")
FLOATS = ("f16", "bf16", "f32", "f64")


@dataclass
class Pair:
    """A pair that ends with `end`: the element of its result at `index` is `source` but for rounding."""

    end: Any
    source: Expr
    index: tuple[tuple[Atom, ...], ...]
    algebra: Algebra
    path: list[Any] = field(default_factory=list)
    """Ops that lead from the pair to a contraction, the last of them first."""


def pair_at(op: Any) -> Pair | None:
    """The pair that `op` ends, None if it ends none."""
    found = element_of(op.results[0]) if _may_decode(op) else None
    if found is None:
        return None
    value, index, algebra = found
    source = pair_source(algebra, value)
    if source is None or source.type not in FLOATS:
        return None
    return Pair(op, _typed(algebra, source, element_type(op.results[0])), index, algebra)


def element_of(value: Any) -> tuple[Expr, tuple[tuple[Atom, ...], ...], Algebra] | None:
    """The element of a tensor at an index, as the ops just before compute it; None if its shape is dynamic, or if it is
    made of pieces."""
    if DYNAMIC in shape_of(value):
        return None
    dims = Dims()
    for _ in range(ATTEMPTS):
        algebra = Algebra()
        index = tuple(dims.atoms(("pair", value, i), size) for i, size in enumerate(shape_of(value)))
        try:
            return Evaluator(dims, algebra, _Near()).value(value, index), index, algebra
        except Resplit as request:
            dims.refine(request)
        except Segments:
            return None
    return None


def pair_before(value: Any) -> tuple[Pair | None, bool]:
    """(the nearest pair that `value` comes from through layout and scales, whether anything on the way is stored in 8
    bits)."""
    path: list[Any] = []
    quantised = False
    while len(path) < REACH:
        op = defining_op(value)
        if op is None or not is_step(op):
            break
        pair = pair_at(op)
        if pair is not None:
            pair.path = path
            return pair, True
        quantised = quantised or element_type(op.results[0]).startswith(STORAGE_TYPES)
        path = [op, *path]
        value = _followed(op)
    return None, quantised


def strip_body(op: Any) -> int:
    """Take out the pairs that lie whole inside the body of `op`, as fusion leaves them; returns how many."""
    if op.name != "linalg.generic":
        return 0
    block = body_block(op)
    evaluator = Evaluator(Dims(), Algebra(), lambda _: False)
    make = evaluator.algebra.make
    scope: dict[Any, Callable[[], Expr]] = {a: partial(make, "scalar", a, (), str(a.type)) for a in block.arguments}
    loops = [()] * indexing_maps(op)[0].n_dims
    values: dict[int, Any] = {}
    found: list[tuple[Any, Expr]] = []
    for value in [*block.arguments, *(inner.operation.results[0] for inner in list(block.operations)[:-1])]:
        try:
            expr = evaluator.scalar(value, scope, loops)
        except Opaque:
            continue
        values.setdefault(expr.number, value)
        if expr.name == MUL:
            source = pair_source(evaluator.algebra, expr)
            if source is not None and source.type in FLOATS:
                found.append((value, source))
    count = 0
    for value, source in found:
        if source.number in values:
            with op.location, ir.InsertionPoint(value.owner):
                value.replace_all_uses_with(float_cast(values[source.number], value.type))
            count += 1
    if count:
        erase_dead_in(block)
    return count


def is_step(op: Any) -> bool:
    """Layout, quantisation, or pointwise work on one tensor (a scale)."""
    if op.name in LAYOUT_OPS or op.name in QUANTISERS:
        return True
    return is_linalg(op) and len(op.results) == 1 and not is_reduction(op) and len(_tensors(op)) == 1


def write_source(pair: Pair) -> Any:
    """A tensor like the result of the pair's end that holds its source, before `pair.end`."""
    end = pair.end
    with end.location, ir.InsertionPoint(end):
        expr = _read_in_order(pair.algebra, pair.source)
        order = [atom for dim in pair.index for atom in dim]
        load = expr.data if expr.kind == "load" else None
        if load is not None and [dim for dim in load[1] if dim] == [(atom,) for atom in order]:
            return reshape(load[0], shape_of(end.results[0]))
        return reshape(materialise(expr, order), shape_of(end.results[0]))


class _Near:
    """Allows the ops just before a pair's end."""

    def __init__(self) -> None:
        self.entered: set[Any] = set()

    def __call__(self, op: Any) -> bool:
        if op in self.entered:
            return True
        pointwise = op.name in LAYOUT_OPS or op.name in QUANTISERS or (is_linalg(op) and not is_reduction(op))
        if not pointwise or len(self.entered) >= REACH:
            return False
        self.entered.add(op)
        return True


def _may_decode(op: Any) -> bool:
    """A cheap test: the end of a pair multiplies by a scale."""
    if len(op.results) != 1 or not is_tensor(op.results[0].type) or element_type(op.results[0]) not in FLOATS:
        return False
    if op.name == "fovea.dequantize":
        return True
    if not is_linalg(op) or is_reduction(op):
        return False
    return any(inner.name == "arith.mulf" for inner in nested_ops(op)) or _only_casts(op)


def _only_casts(op: Any) -> bool:
    """A cast behind the product, in an op of its own."""
    names = {inner.name for inner in nested_ops(op)} - {"linalg.yield", op.name}
    return bool(names) and names <= CASTS


def _tensors(op: Any) -> list[Any]:
    """The inputs of a linalg op that are tensors with more than one element."""
    inputs = [value for value in list(op.operands)[: num_inputs(op)] if is_tensor(value.type)]
    return [value for value in inputs if any(size != 1 for size in shape_of(value))]


def _followed(op: Any) -> Any:
    return op.operands[0] if op.name in LAYOUT_OPS or op.name in QUANTISERS else _tensors(op)[0]


def _typed(algebra: Algebra, expr: Expr, type_: str) -> Expr:
    if expr.type == type_:
        return expr
    sizes = {"f16": 2, "bf16": 2, "f32": 4, "f64": 8}
    if sizes[expr.type] == sizes[type_]:  # f16 and bf16: by way of f32
        expr = algebra.op("arith.extf", "f32", expr)
    return algebra.op("arith.extf" if sizes[type_] > sizes[expr.type] else "arith.truncf", type_, expr)


def _read_in_order(algebra: Algebra, expr: Expr) -> Expr:
    """`expr` with every tensor it reads reshaped so that each of its dims is one atom or 0."""
    known: dict[int, Expr] = {}
    for leaf in loads_of(expr):
        value, index = leaf.data
        if any(len(dim) > 1 for dim in index):
            atoms = [atom for dim in index for atom in dim]
            value = reshape(value, [atom.size for atom in atoms])
            known[leaf.number] = algebra.make("load", (value, tuple((atom,) for atom in atoms)), (), leaf.type)

    def visit(node: Expr) -> Expr:
        return known.get(node.number) or algebra.rebuild(node, tuple(map(visit, node.args)))

    return visit(expr)


def redirect(users: Sequence[Any], old: Any, new: Any) -> None:
    """Let `users` read `new` where they read `old`."""
    for user in users:
        for position, operand in enumerate(user.operands):
            if operand == old:
                user.operands[position] = new
