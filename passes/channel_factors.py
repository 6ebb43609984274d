# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Multiplication of a tensor along channels, folded into the constants of what produces it where that changes nothing
else: the scale and shift of a norm, or the weight and bias of a linear or convolution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from fovea.bindings import arith, ir
from fovea.executor.constants import array_of
from fovea.executor.folding import ConstantEvaluator
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import WeightLike, bytes_of, leaves_of
from fovea.passes.contraction import is_product
from fovea.passes.dynamic_scales import reassociation
from fovea.passes.elements import elements_attribute, is_zero
from fovea.passes.padding import VIEWS

Array = np.ndarray[Any, Any]
NORM, LINEAR, KERNEL = "norm", "linear", "kernel"  # where a multiplication is done
MOST_INPUTS = 8
"""Inputs of an elementwise op up to which all sets of them are tried."""

_SAME = frozenset({"arith.addf", "arith.subf", "arith.maximumf", "arith.minimumf", "arith.maxnumf", "arith.minnumf"})
_UNARY = frozenset({"arith.negf", "arith.extf", "arith.truncf", "math.absf"})
_ZERO = 2  # the degree of 0: whatever is wanted


@dataclass(frozen=True)
class Factors:
    """f32 powers of two, one a position along some axes of a tensor: an array of its rank, of size 1 along others."""

    array: Array

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes along which the factors vary."""
        return tuple(axis for axis, size in enumerate(self.array.shape) if size > 1)

    def least(self) -> Factors:
        """Without the axes along which all factors are equal."""
        array = self.array
        for axis in self.axes:
            first = array.take([0], axis)
            array = first if (array == first).all() else array
        return Factors(array)


def multiplied(value: Any, factors: Factors) -> Any:
    """`value` times `factors`, at the insertion point."""
    context, rank, element = value.type.context, len(value.type.shape), value.type.element_type
    attribute = elements_attribute(np.squeeze(factors.array).astype(np.float32), context)
    constant = arith.ConstantOp(attribute.type, attribute).result
    where = ir.AffineMap.get(rank, 0, [ir.AffineExpr.get_dim(axis, context) for axis in factors.axes], context)

    def body(x: Any, factor: Any, _: Any) -> Any:
        product = arith.MulFOp(utils.float_cast(x, factor.type), factor).result
        return utils.float_cast(product, element)

    return utils.elementwise([value, constant], element, body, [ir.AffineMap.get_identity(rank, context), where])


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
        op, factors = utils.defining_op(value), factors.least()
        if op is None:
            return None
        if op.name in VIEWS:
            return self.places(op.operands[0], _before(op, factors))
        if op.name == "linalg.transpose":
            moved = np.argsort(list(ir.DenseI64ArrayAttr(op.attributes["permutation"])))
            return self.places(op.operands[0], Factors(factors.array.transpose(moved)))
        if not utils.is_linalg(op) or len(op.results) != 1:
            return None
        space = _over_space(op, factors.array)
        if space is None:
            return None
        if is_product(op):
            return self._of_product(op, space)
        return self._of_elementwise(op, space) if utils.is_elementwise(op) else None

    def _of_product(self, op: Any, space: Array) -> list[Place] | None:
        """Through the operand that has the channels: a weight, or (values of attention) what was made by one."""
        init = [] if is_zero(op.operands[2]) else self._operand(op, 2, space, LINEAR)
        sides = sorted((0, 1), key=lambda side: not self._is_weight(op.operands[side]))
        for side in sides if init is not None else ():
            found = self._operand(op, side, space, LINEAR)
            if found is not None:
                return [*found, *(init or [])]
        return None

    def _of_elementwise(self, op: Any, space: Array) -> list[Place] | None:
        count = utils.num_inputs(op)
        if count > MOST_INPUTS:
            return None
        constant = [self._is_weight(op.operands[position]) for position in range(count)]
        chosen = [c for size in range(1, count + 1) for c in combinations(range(count), size)]
        # Constants first: those of a norm rather than what comes before it.
        for positions in sorted(chosen, key=lambda c: (sum(not constant[p] for p in c), len(c))):
            if _degree(op, positions) != 1:
                continue
            found = [self._operand(op, position, space, NORM) for position in positions]
            if None not in found:
                return [place for places in found for place in places or ()]
        return None

    def _operand(self, op: Any, position: int, space: Array, kind: str) -> list[Place] | None:
        """Through an operand of a linalg op; space: the factors over its iteration space."""
        value = op.operands[position]
        array = _over_operand(op, position, space)
        if array is None:
            return None
        factors = Factors(array)
        if not self._is_weight(value):
            return self.places(value, factors)
        producer = utils.defining_op(value)
        broadcast = producer is not None and utils.is_elementwise(producer)
        if broadcast and bytes_of(value) > sum(bytes_of(leaf) for leaf in leaves_of(value)):
            return self.places(value, factors)  # a bias over all rows: the bias itself
        return [Place(op, position, factors, kind)] if self._exact(value, factors) else None

    def _exact(self, value: Any, factors: Factors) -> bool:
        """Whether a constant is known, and its products are exact in its type."""
        if not self._evaluator.is_constant(value):
            return False
        (array,) = self._evaluator.evaluate([value])
        with np.errstate(over="ignore", under="ignore"):
            wanted = array.astype(np.float64) * factors.array
            return bool(np.array_equal(wanted.astype(array.dtype).astype(np.float64), wanted))


def fold(places: list[Place]) -> str:
    """Multiply the constants; says where: NORM or LINEAR."""
    for place in places:
        value = place.op.operands[place.position]
        with utils.insertion_after(value), place.op.location:
            place.op.operands[place.position] = multiplied(value, place.factors)
    return LINEAR if any(place.kind == LINEAR for place in places) else NORM


def _is_live(op: Any) -> bool:
    """Whether anything comes of an op: captures leave reshapes and padding behind that nothing reads."""
    if op.name not in VIEWS and op.name != "tensor.pad":
        return True
    return any(_is_live(use.owner.operation) for use in op.results[0].uses)


def _before(view: Any, factors: Factors) -> Factors:
    """The factors of a reshape's operand for those of its result."""
    longer, sizes = reassociation(view), []
    array = factors.array
    if view.name == "tensor.collapse_shape":
        shape = view.operands[0].type.shape
        for axis, group in enumerate(longer):
            sizes += [shape[a] for a in group] if array.shape[axis] > 1 else [1] * len(group)
        return Factors(array.reshape(sizes))
    shape = view.results[0].type.shape
    full = []
    for group in longer:
        varies = any(array.shape[axis] > 1 for axis in group)
        full += [shape[axis] if varies else 1 for axis in group]
        sizes.append(math.prod(full[-len(group) :]) if group else 1)
    return Factors(np.broadcast_to(array, full).reshape(sizes))


def _over_space(op: Any, array: Array) -> Array | None:
    """Factors of a linalg op's result over its iteration space; None if an axis of the result is no dim of its own."""
    map_ = utils.indexing_maps(op)[-1]
    dims = [utils.dim_position(expression) for expression in map_.results]
    known = [dim for dim in dims if dim is not None]
    if len(set(known)) != len(dims):
        return None
    return array.transpose(np.argsort(known)).reshape(
        [array.shape[dims.index(dim)] if dim in dims else 1 for dim in range(map_.n_dims)]
    )


def _over_operand(op: Any, position: int, space: Array) -> Array | None:
    """Factors over the iteration space as those of an operand; None if it does not have all dims of theirs."""
    own = [utils.dim_position(expression) for expression in utils.indexing_maps(op)[position].results]
    known = [dim for dim in own if dim is not None]
    varying = {dim for dim, size in enumerate(space.shape) if size > 1}
    if not varying <= set(known) or len(set(known)) != len(known):
        return None
    rest = [dim for dim in range(space.ndim) if dim not in known]
    return space.transpose([*known, *rest]).reshape([1 if dim is None else space.shape[dim] for dim in own])


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
    scalar = op is not None and op.name == "arith.constant" and not utils.is_tensor(value.type)
    zero = scalar and not np.any(array_of(utils.producer_of(value).attributes["value"]))
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
