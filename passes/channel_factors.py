# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Multiplication of a tensor along channels, folded into the constants of what produces it where that changes nothing
else: the scale and shift of a norm, or the weight and bias of a linear or convolution."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from fovea.bindings import arith, ir
from fovea.executor.constants import array_of
from fovea.executor.folding import ConstantEvaluator
from fovea.passes import ir_utils as utils
from fovea.passes.channel_axes import Axes, through_view
from fovea.passes.constant_subtree import WeightLike, bytes_of, leaves_of
from fovea.passes.contraction import is_product
from fovea.passes.elements import elements_attribute, is_zero
from fovea.passes.matrix_stack import dims_by_axis
from fovea.passes.padding import VIEWS

Array = np.ndarray[Any, Any]
NORM, LINEAR, KERNEL = "norm", "linear", "kernel"  # where a multiplication is done
MOST_INPUTS = 8
"""Inputs of an elementwise op up to which all sets of them are tried."""

_SAME = frozenset({"arith.addf", "arith.subf", "arith.maximumf", "arith.minimumf", "arith.maxnumf", "arith.minnumf"})
_UNARY = frozenset({"arith.negf", "arith.extf", "arith.truncf", "math.absf"})
_ZERO = 2  # the degree of 0: whatever is wanted


def multiplied(value: Any, factors: Array, axes: Axes) -> Any:
    """`value` times the f32 `factors`, which have an axis for each of `axes` of the value, at the insertion point."""
    context, rank, element = value.type.context, len(value.type.shape), value.type.element_type
    attribute = elements_attribute(factors.astype(np.float32), context)
    constant = arith.ConstantOp(attribute.type, attribute).result
    where = ir.AffineMap.get(rank, 0, [ir.AffineExpr.get_dim(axis, context) for axis in axes], context)

    def body(x: Any, factor: Any, _: Any) -> Any:
        product = arith.MulFOp(utils.float_cast(x, factor.type), factor).result
        return utils.float_cast(product, element)

    return utils.elementwise([value, constant], element, body, [ir.AffineMap.get_identity(rank, context), where])


@dataclass(frozen=True)
class Factors:
    """Powers of two along `axes` of some tensor, `array` having an axis for each."""

    axes: Axes
    array: Array

    def on(self, axes: Axes, value: Any) -> Factors:
        """The same along other axes of `value`, which hold as many elements in the same order."""
        return Factors(axes, self.array.reshape([value.type.shape[axis] for axis in axes]))


@dataclass(frozen=True)
class Place:
    """A constant operand that is to be multiplied."""

    op: Any
    position: int
    factors: Factors
    kind: str


class Folder:
    """Looks for the constants through which a tensor can be multiplied; drop it when the function is rewritten."""

    def __init__(self, weights: Any) -> None:
        self._is_weight, self._evaluator = WeightLike(), ConstantEvaluator(weights)

    def places(self, value: Any, factors: Factors) -> list[Place] | None:
        """The constants to multiply so that `value` is multiplied, to the bit, and nothing else is; None if there are
        none. `value` and what it comes from, up to the constants, must have one reader each."""
        if sum(_is_live(use.owner.operation) for use in value.uses) != 1:
            return None
        op = utils.defining_op(value)
        if op is None:
            return None
        if op.name in VIEWS:
            axes = _below(op, factors.axes)
            return None if axes is None else self.places(op.operands[0], factors.on(axes, op.operands[0]))
        if op.name == "linalg.transpose":
            permutation = list(ir.DenseI64ArrayAttr(op.attributes["permutation"]))
            moved = tuple(permutation[axis] for axis in factors.axes)
            return self.places(op.operands[0], Factors(moved, factors.array))
        if not utils.is_linalg(op) or len(op.results) != 1:
            return None
        dims = [utils.dim_position(utils.indexing_maps(op)[-1].results[axis]) for axis in factors.axes]
        if None in dims:
            return None
        if is_product(op):
            return self._of_product(op, dims, factors)
        return self._of_elementwise(op, dims, factors) if utils.is_elementwise(op) else None

    def _of_product(self, op: Any, dims: list[Any], factors: Factors) -> list[Place] | None:
        """Through the operand that has the channels: a weight, or (values of attention) what was made by one."""
        init = [] if is_zero(op.operands[2]) else self._operand(op, 2, dims, factors, LINEAR)
        sides = sorted((0, 1), key=lambda side: not self._is_weight(op.operands[side]))
        for side in sides if init is not None else ():
            found = self._operand(op, side, dims, factors, LINEAR)
            if found is not None:
                return [*found, *(init or [])]
        return None

    def _of_elementwise(self, op: Any, dims: list[Any], factors: Factors) -> list[Place] | None:
        count = utils.num_inputs(op)
        if count > MOST_INPUTS:
            return None
        constant = [self._is_weight(op.operands[position]) for position in range(count)]
        chosen = [c for size in range(1, count + 1) for c in combinations(range(count), size)]
        # Constants first: those of a norm rather than what comes before it.
        for positions in sorted(chosen, key=lambda c: (sum(not constant[p] for p in c), len(c))):
            if _degree(op, positions) != 1:
                continue
            found = [self._operand(op, position, dims, factors, NORM) for position in positions]
            if None not in found:
                return [place for places in found for place in places or ()]
        return None

    def _operand(self, op: Any, position: int, dims: list[Any], factors: Factors, kind: str) -> list[Place] | None:
        """Through an operand of a linalg op whose iteration space has the channels along `dims`."""
        value = op.operands[position]
        own = dims_by_axis(op, position, range(len(value.type.shape)))
        if not set(dims) <= set(own):
            return None
        moved = Factors(tuple(own.index(dim) for dim in dims), factors.array)
        if not self._is_weight(value):
            return self.places(value, moved)
        producer = utils.defining_op(value)
        broadcast = producer is not None and utils.is_elementwise(producer)
        if broadcast and bytes_of(value) > sum(bytes_of(leaf) for leaf in leaves_of(value)):
            return self.places(value, moved)  # a bias over all rows: the bias itself
        return [Place(op, position, moved, kind)] if self._exact(value, moved) else None

    def _exact(self, value: Any, factors: Factors) -> bool:
        """Whether a constant is known, and its products are exact in its type."""
        if not self._evaluator.is_constant(value):
            return False
        (array,) = self._evaluator.evaluate([value])
        order = np.argsort(factors.axes)
        shape = [array.shape[axis] if axis in factors.axes else 1 for axis in range(array.ndim)]
        scale = factors.array.transpose(order).reshape(shape).astype(np.float64)
        wide = array.astype(np.float64)
        with np.errstate(over="ignore", under="ignore"):
            product = (wide * scale).astype(array.dtype).astype(np.float64)
        return bool(np.array_equal(product, wide * scale))


def fold(places: list[Place]) -> str:
    """Multiply the constants; says where: NORM or LINEAR."""
    for place in places:
        value = place.op.operands[place.position]
        with utils.insertion_after(value), place.op.location:
            place.op.operands[place.position] = multiplied(value, place.factors.array, place.factors.axes)
    return LINEAR if any(place.kind == LINEAR for place in places) else NORM


def _is_live(op: Any) -> bool:
    """Whether anything comes of an op: captures leave reshapes and padding behind that nothing reads."""
    if op.name not in VIEWS and op.name != "tensor.pad":
        return True
    return any(_is_live(use.owner.operation) for use in op.results[0].uses)


def _below(view: Any, axes: Axes) -> Axes | None:
    """The axes of a view's operand along which the result's `axes` vary, None if there are no such."""
    rank = len(view.operands[0].type.shape)
    for first in range(rank):
        for end in range(first + 1, rank + 1):
            if through_view(view, tuple(range(first, end))) == axes:
                return tuple(range(first, end))
    return None


def _degree(op: Any, positions: tuple[int, ...]) -> int | None:
    """1 if the result of an elementwise op is multiplied by s > 0 when the inputs at `positions` are, 0 if it does not
    change, None if it does anything else."""
    block = utils.body_block(op)
    degrees: dict[Any, int] = {argument: int(argument.arg_number in positions) for argument in block.arguments}
    for inner in list(block.operations)[:-1]:
        operation = inner.operation
        if operation.name == "arith.constant":
            degrees[operation.results[0]] = _ZERO if not np.any(array_of(operation.attributes["value"])) else 0
            continue
        found = _degree_of(operation.name, [_known(value, degrees) for value in operation.operands])
        if found is None or len(operation.regions):
            return None
        degrees.update(dict.fromkeys(operation.results, found))
    (result,) = utils.yielded(op)
    return _known(result, degrees)


def _known(value: Any, degrees: dict[Any, int]) -> int:
    if value in degrees:
        return degrees[value]
    op = utils.defining_op(value)  # a scalar of the function
    zero = op is not None and op.name == "arith.constant" and not np.any(array_of(op.attributes["value"]))
    return _ZERO if zero else 0


def _degree_of(name: str, operands: list[int]) -> int | None:
    """The degree of an op's result from those of its operands, None if it has none."""
    if name == "arith.mulf":
        left, right = operands
        return None if left == right == 1 else _ZERO if _ZERO in operands else left + right
    if name == "arith.divf":
        return operands[0] if operands[1] == 0 else None if 1 in operands else 0
    if name == "arith.cmpf":
        return _agreed(operands) if _agreed(operands) is None else 0
    if name == "arith.select":
        return _agreed(operands[1:]) if operands[0] == 0 else None
    if name in _SAME or name in _UNARY:
        return _agreed(operands)
    return None if 1 in operands else 0


def _agreed(operands: list[int]) -> int | None:
    """The degree that all operands have, 0 being of any."""
    found = {degree for degree in operands if degree != _ZERO}
    return _ZERO if not found else found.pop() if len(found) == 1 else None
