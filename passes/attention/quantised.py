# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantise/dequantise pairs inside an expression: `s * decode(encode(x / s))` is x up to rounding."""

from __future__ import annotations

from fovea.passes.attention.expression import ADD, CASTS, DIV, MUL, SUB, Algebra, Expr, constant_value

# Ops that round or change the storage type, and keep the value otherwise.
STORAGE = frozenset(
    {"math.roundeven", "math.round", "arith.fptosi", "arith.fptoui", "arith.sitofp", "arith.uitofp", "arith.extsi",
     "arith.extui", "arith.trunci"}
)  # fmt: skip
CLAMPS = frozenset({"arith.maximumf", "arith.minimumf", "arith.maxnumf", "arith.minnumf", "arith.maxsi", "arith.minsi"})
OFFSETS = {ADD: 1.0, "arith.addi": 1.0, SUB: -1.0, "arith.subi": -1.0}
SAME_SCALE = 1e-3
"""How far encode and decode scale may differ: a reciprocal taken in f16 is off by up to 2^-11."""


def without_pairs(algebra: Algebra, expr: Expr) -> Expr:
    """`expr` with every quantise/dequantise pair replaced by what went into it. Casts may be there or not."""
    memo: dict[int, Expr] = {}

    def visit(node: Expr) -> Expr:
        if node.number not in memo:
            source = _source(algebra, node) if _is(node, MUL) else None
            memo[node.number] = (
                visit(source) if source is not None else algebra.rebuild(node, tuple(map(visit, node.args)))
            )
        return memo[node.number]

    return visit(expr)


def pair_source(algebra: Algebra, expr: Expr) -> Expr | None:
    """What went into the pair that `expr` is, casts around it aside; None if it is no pair."""
    while expr.name in CASTS:
        expr = expr.args[0]
    source = _source(algebra, expr) if _is(expr, MUL) else None
    return None if source is None else without_pairs(algebra, source)


def encode_scale(expr: Expr) -> tuple[float, str] | None:
    """(s, type of x) if `expr` is x / s for a number s, rounded to 8 bits and not multiplied by s again; None else."""
    encoded, offset, touched = _decode(expr)
    if not touched or offset != 0 or encoded.kind != "op":
        return None
    for position, (value, factor) in enumerate((encoded.args, encoded.args[::-1])) if len(encoded.args) == 2 else ():
        number = constant_value(_bare(factor))
        if not number or number < 0:
            continue
        if _is(encoded, DIV) and position == 0:
            return number, value.type
        if _is(encoded, MUL):
            return 1 / number, value.type
    return None


def _is(node: Expr, name: str) -> bool:
    return node.kind == "op" and node.data[0] == name


def _source(algebra: Algebra, product: Expr) -> Expr | None:
    """x, if `product` is scale * decode(encode(x / scale))."""
    for stored, scale in (product.args, product.args[::-1]):
        encoded, offset, touched = _decode(stored)
        if not touched or offset != 0:
            continue
        if _is(encoded, DIV) and _reciprocal(algebra, encoded.args[1], scale, divided=True):
            return encoded.args[0]
        if _is(encoded, MUL):
            for value, factor in (encoded.args, encoded.args[::-1]):
                if _reciprocal(algebra, factor, scale, divided=False):
                    return value
    return None


def _decode(node: Expr) -> tuple[Expr, float, bool]:
    """(what was rounded and clamped, sum of the offsets added to it, whether anything was done to it)."""
    offset, touched = 0.0, False
    while node.kind == "op":
        name = node.data[0]
        if name in CASTS:
            touched = touched or "f8" in node.type
            node = node.args[0]
        elif name in STORAGE:
            touched = True
            node = node.args[0]
        elif name in CLAMPS and any(constant_value(_bare(arg)) is not None for arg in node.args):
            touched = True
            node = next(arg for arg in node.args if constant_value(_bare(arg)) is None)
        elif name == "arith.select" and node.args[0].name in ("arith.cmpf", "arith.cmpi"):
            varying = [arg for arg in node.args[1:] if constant_value(_bare(arg)) is None]
            if len(varying) != 1 or varying[0] not in node.args[0].args:
                break
            touched = True
            node = varying[0]
        elif name in OFFSETS and constant_value(_bare(node.args[1])) is not None:
            offset += OFFSETS[name] * (constant_value(_bare(node.args[1])) or 0.0)
            node = node.args[0]
        else:
            break
    return node, offset, touched


def _bare(node: Expr) -> Expr:
    while node.kind == "op" and node.data[0] in CASTS:
        node = node.args[0]
    return node


def _reciprocal(algebra: Algebra, encode: Expr, decode: Expr, divided: bool) -> bool:
    """Whether dividing by (else multiplying with) `encode` undoes multiplying with `decode`."""
    if divided and algebra.uncast(encode) is algebra.uncast(decode):
        return True
    left, right = constant_value(_bare(encode)), constant_value(_bare(decode))
    if not left or not right:
        return False
    return abs((right / left if divided else right * left) - 1.0) < SAME_SCALE
