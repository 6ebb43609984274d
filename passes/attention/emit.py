# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes expressions as IR again: into a region, or as a tensor computed by one linalg.generic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fovea.bindings import arith, ir, linalg, tensor
from fovea.passes.attention.expression import Atom, Expr, Index
from fovea.passes.ir_utils import build_generic, empty


class CannotEmit(Exception):
    """An expression without an IR form; the message says what is in it."""


def parse_type(text: str) -> Any:
    return ir.Type.parse(text)


def constant(expr: Expr) -> Any:
    """An arith.constant for a constant expression, at the current insertion point."""
    text, type_text = expr.data
    type_ = parse_type(type_text)
    if isinstance(type_, ir.IndexType | ir.IntegerType):
        return arith.ConstantOp(
            type_, ir.IntegerAttr.get(type_, int(text == "True" or (text != "False" and int(text))))
        ).result
    return arith.ConstantOp(type_, ir.FloatAttr.get(type_, float(text))).result


def emit(expr: Expr, known: dict[int, Any], dims: Mapping[Atom, int] | None = None) -> Any:
    """The value of `expr` at the current insertion point. `known`: expression number -> value; grows.

    `dims`: the loop dim of each atom, inside a linalg.generic body.
    """
    if expr.number in known:
        return known[expr.number]
    if expr.kind == "const":
        value = constant(expr)
    elif expr.kind == "scalar":
        value = expr.data
    elif expr.kind == "index" and dims is not None:
        value = _linear_index(expr.data, dims)
    elif expr.kind == "gather":
        value = tensor.ExtractOp(expr.data, [emit(arg, known, dims) for arg in expr.args]).result
    elif expr.kind == "op":
        name, attributes = expr.data
        operands = [emit(arg, known, dims) for arg in expr.args]
        op = ir.Operation.create(
            name,
            results=[parse_type(expr.type)],
            operands=operands,
            attributes={key: ir.Attribute.parse(text) for key, text in attributes},
        )
        value = op.results[0]
    else:
        raise CannotEmit(f"a {expr.kind} node")
    known[expr.number] = value
    return value


def _linear_index(index: Index, dims: Mapping[Atom, int]) -> Any:
    i = ir.IndexType.get()
    total: Any = None
    for atom in index:
        step = linalg.IndexOp(dims[atom]).result
        if total is not None:
            size = arith.ConstantOp(i, ir.IntegerAttr.get(i, atom.size)).result
            step = arith.AddIOp(arith.MulIOp(total, size).result, step).result
        total = step
    return arith.ConstantOp(i, ir.IntegerAttr.get(i, 0)).result if total is None else total


def affine_index(index: Index, dims: Mapping[Atom, int]) -> Any:
    """The mixed-radix number of `index` as an affine expression."""
    total: Any = None
    for atom in index:
        step = ir.AffineExpr.get_dim(dims[atom])
        total = step if total is None else total * atom.size + step
    return ir.AffineExpr.get_constant(0) if total is None else total


def loads_of(expr: Expr) -> list[Expr]:
    """The distinct loads in `expr`, in order of first use."""
    found: dict[int, Expr] = {}
    seen: set[int] = set()

    def visit(node: Expr) -> None:
        if node.number in seen:
            return
        seen.add(node.number)
        if node.kind == "load":
            found[node.number] = node
        for arg in node.args:
            visit(arg)

    visit(expr)
    return list(found.values())


def materialise(expr: Expr, order: Sequence[Atom]) -> Any:
    """A tensor with one dim an atom of `order` that holds `expr`, computed at the current insertion point."""
    dims = {atom: position for position, atom in enumerate(order)}
    leaves = loads_of(expr)
    maps = [ir.AffineMap.get(len(order), 0, [affine_index(index, dims) for index in leaf.data[1]]) for leaf in leaves]
    maps.append(ir.AffineMap.get_identity(len(order)))
    out = empty([atom.size for atom in order], parse_type(expr.type))

    def body(*arguments: Any) -> Any:
        known = {leaf.number: argument for leaf, argument in zip(leaves, arguments, strict=False)}
        return emit(expr, known, dims)

    op = build_generic([leaf.data[0] for leaf in leaves], [out], maps, ["parallel"] * len(order), body)
    return op.results[0]


def reshape(value: Any, shape: Sequence[int]) -> Any:
    """`value` with its elements in the same order under another static shape, by collapse and expand."""
    source = list(ir.RankedTensorType(value.type).shape)
    target = list(shape)
    element = ir.RankedTensorType(value.type).element_type
    if source == target:
        return value
    common, source_groups, target_groups = _common_shape(source, target)
    if common != source:
        value = tensor.CollapseShapeOp(ir.RankedTensorType.get(common, element), value, source_groups).result
    if common != target:
        value = tensor.ExpandShapeOp(ir.RankedTensorType.get(target, element), value, target_groups, [], target).result
    return value


def _common_shape(source: list[int], target: list[int]) -> tuple[list[int], list[list[int]], list[list[int]]]:
    """The finest shape that both collapse to, and the groups of dims of each."""
    common: list[int] = []
    source_groups: list[list[int]] = []
    target_groups: list[list[int]] = []
    i = j = 0
    while i < len(source) or j < len(target):
        left, right = [i] if i < len(source) else [], [j] if j < len(target) else []
        a = source[i] if left else 1
        b = target[j] if right else 1
        i, j = i + len(left), j + len(right)
        while a != b:
            if a < b:
                left.append(i)
                a *= source[i]
                i += 1
            else:
                right.append(j)
                b *= target[j]
                j += 1
        if left and right:
            common.append(a)
            source_groups.append(left)
            target_groups.append(right)
        elif common:  # trailing unit dims on one side only
            source_groups[-1] += left
            target_groups[-1] += right
        else:
            return [], [], []
    return common, source_groups, target_groups
