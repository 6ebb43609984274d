# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Variance as E[x^2] - E[x]^2 in f64, rewritten to E[(x - E[x])^2] so that it can be taken in f32.

The first form subtracts two numbers of size mean^2: in f32 nothing is left of a variance of 1 about a mean of 1e4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.bindings import arith, ir
from fovea.executor.constants import array_of
from fovea.passes import ir_utils as utils
from fovea.passes.index_values import loop_sizes
from fovea.passes.registry import PassContext

_RELATIVE = 1e-6  # of the constant that divides a sum by its count: it may have been rounded to f32


@dataclass(frozen=True)
class Mean:
    """scaled(summed(source)): `summed` is the reduction, `scaled` the elementwise op that divides by the count."""

    source: Any
    summed: Any
    scaled: Any


def center_variances(function: Any, context: PassContext) -> None:
    """Rewrite each one-pass variance in f64 of `function`; remark on those whose shape is not recognised."""
    for op in utils.body_ops(function):
        found = _difference(op)
        if found is None:
            continue
        minuend, mean = found
        mean_of_squares = _mean_of(minuend)
        if mean_of_squares is None or not _is_square_of(mean_of_squares, mean):
            context.remark(op.location, "a difference with the square of a mean is computed in f32 instead of f64; "
                                        "it loses accuracy where the mean is large against the deviation")  # fmt: skip
            continue
        with ir.InsertionPoint(op), op.location:
            centered = _centered(mean, mean_of_squares)
        op.results[0].replace_all_uses_with(centered)
        utils.erase_dead(op)


def _difference(op: Any) -> tuple[Any, Mean] | None:
    """(a, m) if `op` computes a - m^2 elementwise in f64 with m a mean."""
    if not _plain_elementwise(op) or not isinstance(utils.element_of(op.results[0].type), ir.F64Type):
        return None
    difference = utils.defining_op(utils.yielded(op)[0])
    if difference is None or difference.name != "arith.subf":
        return None
    minuend = _operand_of(op, difference.operands[0])
    square = _operand_of(op, difference.operands[1])
    root = _squared_input(op, difference.operands[1]) if square is None else _squared_tensor(square)
    mean = None if root is None else _mean_of(root)
    return None if minuend is None or mean is None else (minuend, mean)


def _is_square_of(squares: Mean, mean: Mean) -> bool:
    """Whether `squares` averages the squares of what `mean` averages, over the same dims."""
    same = utils.indexing_maps(squares.summed) == utils.indexing_maps(mean.summed)
    root = _squared_tensor(squares.source)
    return same and root is not None and root == mean.source


def _mean_of(value: Any) -> Mean | None:
    scaled = utils.defining_op(value)
    if scaled is None or not _plain_elementwise(scaled) or utils.num_inputs(scaled) != 1:
        return None
    summed = utils.defining_op(scaled.operands[0])
    if summed is None or not _is_sum(summed):
        return None
    sizes = loop_sizes(summed, utils.indexing_maps(summed))
    kinds = utils.iterator_types(summed)
    count = float(np.prod([size for size, kind in zip(sizes, kinds, strict=True) if kind == "reduction"]))
    factor = _factor(scaled)
    if factor is None or abs(factor * count - 1) > _RELATIVE:
        return None
    return Mean(summed.operands[0], summed, scaled)


def _is_sum(op: Any) -> bool:
    """A reduction with body `out + in` that starts from zeros."""
    if op.name != "linalg.generic" or len(op.results) != 1 or utils.num_inputs(op) != 1 or utils.is_elementwise(op):
        return False
    add = utils.defining_op(utils.yielded(op)[0])
    arguments = list(utils.body_block(op).arguments)
    if add is None or add.name != "arith.addf" or {*add.operands} != {*arguments}:
        return False
    start = utils.defining_op(op.operands[1])
    return start is not None and start.name == "linalg.fill" and _constant(start.operands[0]) == 0.0


def _factor(op: Any) -> float | None:
    """The constant that an elementwise op multiplies its input by."""
    last = utils.defining_op(utils.yielded(op)[0])
    if last is None or last.name not in ("arith.divf", "arith.mulf"):
        return None
    left, right = last.operands
    argument = utils.body_block(op).arguments[0]
    if last.name == "arith.divf":
        divisor = _constant(right)
        return 1 / divisor if left == argument and divisor else None
    return _constant(right) if left == argument else _constant(left) if right == argument else None


def _constant(value: Any) -> float | None:
    op = utils.defining_op(value)
    while op is not None and op.name in ("arith.extf", "arith.truncf"):
        op = utils.defining_op(op.operands[0])
    if op is None or op.name != "arith.constant" or not isinstance(op.attributes["value"], ir.FloatAttr):
        return None
    return float(array_of(op.attributes["value"]))


def _squared_tensor(value: Any) -> Any | None:
    """x if `value` is the tensor x * x (or x to the power 2)."""
    op = utils.defining_op(value)
    return _squared_input(op, utils.yielded(op)[0]) if op is not None and _plain_elementwise(op) else None


def _squared_input(op: Any, value: Any) -> Any | None:
    """The tensor operand whose element `value`, in the body of `op`, is the square of."""
    product = utils.defining_op(value)
    if product is None or product.name not in ("arith.mulf", "math.powf", "math.fpowi"):
        return None
    left = _operand_of(op, product.operands[0])
    if product.name == "arith.mulf":
        return left if left is not None and left == _operand_of(op, product.operands[1]) else None
    return left if _constant(product.operands[1]) == 2.0 else None


def _operand_of(op: Any, value: Any) -> Any | None:
    """The input tensor that a block argument of the body stands for."""
    arguments = list(utils.body_block(op).arguments)[: utils.num_inputs(op)]
    return op.operands[arguments.index(value)] if value in arguments else None


def _plain_elementwise(op: Any) -> bool:
    """An elementwise generic that reads every input at the position it writes (0 on dims of extent 1 is the same)."""
    if not utils.is_elementwise(op) or len(op.results) != 1:
        return False
    shape = op.results[0].type.shape
    for operand, map_ in zip(op.operands, utils.indexing_maps(op), strict=True):
        if not utils.is_tensor(operand.type) or list(operand.type.shape) != list(shape):
            return False
        for position, expression in enumerate(map_.results):
            unit = shape[position] == 1 and utils.constant_value(expression) == 0
            if utils.dim_position(expression) != position and not unit:
                return False
    return True


def _centered(mean: Mean, squares: Mean) -> Any:
    """The mean of (x - mean)^2, by the ops that averaged the squares."""
    read, written = utils.indexing_maps(mean.summed)
    source = mean.source
    dims = read.n_dims
    f64 = source.type.element_type
    identity = ir.AffineMap.get_identity(dims, context=source.type.context)
    sizes = loop_sizes(mean.summed, [read, written])

    def squared(x: Any, m: Any, _: Any) -> Any:
        deviation = arith.SubFOp(x, m).result
        return arith.MulFOp(deviation, deviation).result

    squared_deviations = utils.build_generic(
        [source, mean.scaled.results[0]], [utils.empty(sizes, f64)], [read, written, identity], ["parallel"] * dims,
        squared,
    ).results[0]  # fmt: skip
    add = utils.build_generic(
        [squared_deviations], utils.outputs_of(squares.summed), [identity, written],
        utils.iterator_types(squares.summed), lambda x, total: arith.AddFOp(x, total).result,
    )  # fmt: skip
    scaled = squares.scaled.clone()
    scaled.operands[0] = add.results[0]
    return scaled.results[0]
