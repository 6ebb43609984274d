# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantising and dequantising written as arithmetic: divide, clamp, cast to FP8; cast from FP8, multiply.

A chain may lie in one body or be spread over elementwise generics, each reading the one before element by element.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.dialect.attention_tag import NAME as TAG
from fovea.dialect.quantize import PER_TENSOR, REAL_TYPES, STORAGE_MAX
from fovea.executor.folding import ConstantEvaluator
from fovea.passes import ir_utils as utils

Array = np.ndarray[Any, Any]
_MAXIMA = ("arith.maximumf", "arith.maxnumf")
_MINIMA = ("arith.minimumf", "arith.minnumf")
_FLOAT_CASTS = ("arith.extf", "arith.truncf")
_LESS = (2, 3, 4, 5, 9, 10, 11, 12)  # arith.cmpf predicates that order: ogt oge olt ole ugt uge ult ule
_GREATER = (2, 3, 9, 10)


@dataclass(frozen=True)
class Scalar:
    """A scalar in the body of a structured op."""

    op: Any
    value: Any


@dataclass(frozen=True)
class Scale:
    """Per tensor (0-d) or one value a position along `axis` of the iteration space; f32."""

    values: Array
    axis: int = PER_TENSOR

    @property
    def usable(self) -> bool:
        return bool(np.isfinite(self.values).all() and (self.values > 0).all())


ONE = Scale(np.ones((), np.float32))


@dataclass(frozen=True)
class Quantised:
    """`cast` (the arith.truncf to FP8 in `op`) stores `source`, scaled by `scale` and saturated."""

    op: Any
    cast: Any
    source: Scalar
    scale: Scale


@dataclass(frozen=True)
class Dequantised:
    """`result` is the FP8 tensor `stored` times `scale`."""

    stored: Any
    result: Scalar
    scale: Scale


def is_pointwise(op: Any) -> bool:
    """Whether `op` is a linalg.generic that computes each element of its one result by itself, outside attention."""
    if op is None or op.name != "linalg.generic" or len(op.results) != 1 or TAG in op.attributes:
        return False
    return utils.is_elementwise(op) and _is_identity(utils.indexing_maps(op)[-1])


def _is_identity(map_: Any) -> bool:
    return bool(map_ == ir.AffineMap.get_identity(map_.n_dims, map_.context))


def input_at(scalar: Scalar) -> int | None:
    """The number of the input that `scalar` is, if it is one that is read element by element."""
    value = scalar.value
    if not isinstance(value, ir.BlockArgument) or value.owner != utils.body_block(scalar.op):
        return None
    position = int(value.arg_number)
    if position >= utils.num_inputs(scalar.op) or not utils.is_tensor(scalar.op.operands[position].type):
        return None
    return position if _is_identity(utils.indexing_maps(scalar.op)[position]) else None


def tensor_of(scalar: Scalar) -> Any | None:
    """The tensor whose elements `scalar` is: an operand, or the op's result; None if it is neither."""
    position = input_at(scalar)
    if position is not None:
        return scalar.op.operands[position]
    return scalar.op.results[0] if scalar.value == utils.yielded(scalar.op)[0] else None


def _computed(scalar: Scalar) -> Scalar:
    """Where `scalar` is computed: in the op before, if it is an element of that one's result."""
    while True:
        position = input_at(scalar)
        producer = None if position is None else utils.defining_op(scalar.op.operands[position])
        if producer is None or not is_pointwise(producer):
            return scalar
        scalar = Scalar(producer, utils.yielded(producer)[0])


def _inner(scalar: Scalar) -> Any | None:
    """The op of the body that computes `scalar`, None for an argument or a value from outside."""
    op = utils.defining_op(scalar.value)
    return op if op is not None and op.block == utils.body_block(scalar.op) else None


class Matcher:
    """Recognises chains; `weights` are the values that scales may come from."""

    def __init__(self, weights: Any) -> None:
        self.weights = weights

    def quantised(self, op: Any, cast: Any) -> Quantised | str:
        """The chain that ends with `cast` in the body of `op`; why not, if it cannot be a `fovea.quantize`."""
        storage = str(cast.results[0].type)
        largest = STORAGE_MAX[storage]
        low, high = -np.inf, np.inf
        at = _computed(Scalar(op, cast.operands[0]))
        scale = ONE
        while (inner := _inner(at)) is not None:
            clamp = self._clamp(at, inner)
            if clamp is not None:
                at, side, bound = clamp
                low, high = (max(low, bound), high) if side else (low, min(high, bound))
            elif (before := self._unchanged(at, inner)) is not None:
                at = before
            else:
                found = self._scaled(at, inner)
                if found is not None:
                    at, scale = found
                break
            at = _computed(at)
        inner = _inner(at)
        if inner is not None and inner.name == "arith.extf" and str(inner.operands[0].type) in REAL_TYPES:
            at = Scalar(at.op, inner.operands[0])
        if low > -largest or high < largest:
            return f"it clamps at {low:g} and {high:g}, {storage} holds +-{largest:g}"
        if not scale.usable:
            return "its scale is not finite and > 0"
        if str(at.value.type) not in REAL_TYPES:
            return f"it stores {at.value.type}"
        return Quantised(op, cast, at, scale)

    def dequantised(self, op: Any, cast: Any) -> Iterator[Dequantised | str]:
        """The chains that begin with `cast`, an arith.extf from FP8 in the body of `op`."""
        start = Scalar(op, cast.operands[0])
        position = input_at(start)
        if position is None:
            return
        stored = op.operands[position]
        for end, scale in self._ends(Scalar(op, cast.results[0]), ONE, False):
            if not scale.usable:
                yield "its scale is not finite and > 0"
            else:
                yield Dequantised(stored, end, scale)

    def _ends(self, at: Scalar, scale: Scale, scaled: bool) -> Iterator[tuple[Scalar, Scale]]:
        """Where the chain at `at` ends: behind its multiplication, or before whatever is none."""
        users = [use.owner.operation for use in at.value.uses]
        if len(users) != 1:
            return  # arithmetic on the number itself
        (user,) = users
        if user.name == "linalg.yield":
            readers = [] if scaled else list(_readers(at.op.results[0]))
            others = len(readers) != len(list(at.op.results[0].uses))
            for reader in readers:
                yield from self._ends(reader, scale, scaled)
            if scaled or others or not readers:
                yield at, scale
            return
        result = Scalar(at.op, user.results[0])
        if (user.name in _FLOAT_CASTS and str(result.value.type) in REAL_TYPES) or (not scaled and self._unchanged(result, user) is not None):
            yield from self._ends(result, scale, scaled)
        elif not scaled and user.name == "arith.mulf" and (found := self._split(result, user)) is not None:
            with np.errstate(over="ignore", under="ignore"):
                yield from self._ends(result, Scale(found[1].values.astype(np.float32), found[1].axis), True)
        elif scaled:
            yield at, scale

    # -- one op of a body ---------------------------------------------------------------------------------------

    def _constant(self, scalar: Scalar) -> Scale | None:
        """The constant that `scalar` is, in its own type widened to f64: one value, or one a position along a dim."""
        op, value = scalar.op, scalar.value
        axis = PER_TENSOR
        if isinstance(value, ir.BlockArgument) and value.owner == utils.body_block(op):
            position = int(value.arg_number)
            if position >= utils.num_inputs(op):
                return None
            source, map_ = op.operands[position], utils.indexing_maps(op)[position]
            if not utils.is_tensor(source.type):
                return self._evaluated(source, axis)
            wide = [d for d, size in enumerate(source.type.shape) if size != 1]
            if len(wide) > 1:
                return None
            if wide:
                dim = utils.dim_position(map_.results[wide[0]])
                if dim is None or len(source.type.shape) == len(op.results[0].type.shape) == 1:
                    return None
                axis = dim
            return self._evaluated(source, axis)
        return self._evaluated(value, axis)

    def _evaluated(self, value: Any, axis: int) -> Scale | None:
        evaluator = ConstantEvaluator(self.weights)
        if not evaluator.is_constant(value):
            return None
        array = np.asarray(evaluator.evaluate([value])[0])
        if array.dtype.kind in "iub":
            return None
        return Scale(array.astype(np.float64).reshape(() if axis == PER_TENSOR else -1), axis)

    def _split(self, at: Scalar, inner: Any) -> tuple[Scalar, Scale] | None:
        """(the operand that varies, the constant other one) of an op with two operands."""
        for varying, other in ((0, 1), (1, 0)):
            constant = self._constant(Scalar(at.op, inner.operands[other]))
            if constant is not None:
                return Scalar(at.op, inner.operands[varying]), constant
        return None

    def _number(self, at: Scalar, inner: Any) -> tuple[Scalar, float] | None:
        found = self._split(at, inner)
        return None if found is None or found[1].values.ndim else (found[0], float(found[1].values))

    def _clamp(self, at: Scalar, inner: Any) -> tuple[Scalar, bool, float] | None:
        """(what is clamped, whether from below, the bound)."""
        if inner.name in _MAXIMA or inner.name in _MINIMA:
            found = self._number(at, inner)
            return None if found is None else (found[0], inner.name in _MAXIMA, found[1])
        if inner.name != "arith.select":
            return None
        compare = utils.defining_op(inner.operands[0])
        if compare is None or compare.name != "arith.cmpf":
            return None
        predicate = int(ir.IntegerAttr(compare.attributes["predicate"]).value)
        if predicate not in _LESS:
            return None
        found = self._number(at, compare)
        if found is None:
            return None
        value, bound = found
        swapped = compare.operands[1] == value.value
        greater = (predicate in _GREATER) != swapped  # the comparison says: value > bound
        chosen, otherwise = inner.operands[1], inner.operands[2]
        taken = self._constant(Scalar(at.op, chosen))
        if taken is not None and otherwise == value.value and taken.values.ndim == 0 and float(taken.values) == bound:
            return value, not greater, bound
        taken = self._constant(Scalar(at.op, otherwise))
        if taken is not None and chosen == value.value and taken.values.ndim == 0 and float(taken.values) == bound:
            return value, greater, bound
        return None

    def _unchanged(self, at: Scalar, inner: Any) -> Scalar | None:
        """The operand of an op that keeps the number: a cast between floats, plus or minus 0."""
        if inner.name in _FLOAT_CASTS:
            return Scalar(at.op, inner.operands[0]) if str(inner.operands[0].type) in REAL_TYPES else None
        if inner.name not in ("arith.addf", "arith.subf"):
            return None
        found = self._number(at, inner)
        if found is None or found[1] != 0 or (inner.name == "arith.subf" and found[0].value != inner.operands[0]):
            return None
        return found[0]

    def _scaled(self, at: Scalar, inner: Any) -> tuple[Scalar, Scale] | None:
        """(x, s) of x / s, or of x * r with s = 1 / r; s in f32."""
        if inner.name == "arith.divf":
            constant = self._constant(Scalar(at.op, inner.operands[1]))
            if constant is not None:
                return Scalar(at.op, inner.operands[0]), Scale(constant.values.astype(np.float32), constant.axis)
        if inner.name == "arith.mulf":
            found = self._split(at, inner)
            if found is not None:
                with np.errstate(divide="ignore", over="ignore"):
                    return found[0], Scale((1.0 / found[1].values).astype(np.float32), found[1].axis)
        return None


def _readers(value: Any) -> Iterator[Scalar]:
    """`value` as elementwise ops read it, element by element."""
    for use in value.uses:
        op = use.owner.operation
        if is_pointwise(op) and use.operand_number < utils.num_inputs(op):
            scalar = Scalar(op, utils.body_block(op).arguments[use.operand_number])
            if input_at(scalar) is not None:
                yield scalar
