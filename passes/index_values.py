# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which integer tensors, and scalars in linalg bodies, are just a position along a dim or a constant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.executor.constants import array_of
from fovea.passes import ir_utils as utils

# Constants of more elements than this are data, not index tables; they are not inspected.
MAX_TABLE = 1 << 20


@dataclass(frozen=True)
class IndexValue:
    """`offset`, plus the position along dim `dim` of extent `size` if `dim` is not None."""

    dim: int | None
    size: int
    offset: int

    @property
    def low(self) -> int:
        return self.offset

    @property
    def high(self) -> int:
        """Largest value taken."""
        return self.offset + self.size - 1

    def shifted(self, by: int) -> IndexValue:
        return replace(self, offset=self.offset + by)


def constant(value: int) -> IndexValue:
    """An IndexValue that does not vary."""
    return IndexValue(None, 1, value)


def along(dim: int, size: int, offset: int = 0) -> IndexValue:
    """`offset` plus the position along a dim; a constant if the dim has extent 1."""
    return constant(offset) if size == 1 else IndexValue(dim, size, offset)


def is_integer(type_: Any) -> bool:
    return isinstance(type_, ir.IntegerType | ir.IndexType)


# --- scalars in a linalg body ---------------------------------------------------------------------------------------


# arith.cmpi predicate -> (certainly true, certainly false), given both ranges. Unsigned ones need both non-negative.
_Decide = Callable[[IndexValue, IndexValue], bool]
_COMPARISONS: dict[int, tuple[_Decide, _Decide]] = {
    0: (lambda a, b: a == b or (a.low == a.high == b.low == b.high), lambda a, b: a.high < b.low or b.high < a.low),
    2: (lambda a, b: a.high < b.low, lambda a, b: a.low >= b.high),
    3: (lambda a, b: a.high <= b.low, lambda a, b: a.low > b.high),
}
_COMPARISONS[1] = (_COMPARISONS[0][1], _COMPARISONS[0][0])  # ne
_COMPARISONS[4] = (_COMPARISONS[3][1], _COMPARISONS[3][0])  # sgt
_COMPARISONS[5] = (_COMPARISONS[2][1], _COMPARISONS[2][0])  # sge
UNSIGNED = {6: 2, 7: 3, 8: 4, 9: 5}

SIGNED_CASTS = ("arith.index_cast", "arith.extsi")
UNSIGNED_CASTS = ("arith.index_castui", "arith.extui")
_ON_BOOL = ("arith.andi", "arith.ori")


class BodyValues:
    """Index values of the scalars in the body of one linalg op."""

    def __init__(self, op: Any) -> None:
        self.op = op
        self.maps = utils.indexing_maps(op)
        self.sizes = loop_sizes(op, self.maps)
        self._known: dict[Any, IndexValue | None] = {}

    def of(self, value: Any) -> IndexValue | None:
        """The index value of a scalar, None if it is something else."""
        if not is_integer(value.type):
            return None
        if value not in self._known:
            self._known[value] = self._evaluate(value)
        return self._known[value]

    def _evaluate(self, value: Any) -> IndexValue | None:
        producer = utils.defining_op(value)
        if producer is None:
            return self._argument(value)
        if producer.name == "arith.constant":
            attribute = producer.attributes["value"]
            return _of_scalar(attribute, value.type)
        if producer.name == "linalg.index":
            dim = int(ir.IntegerAttr(producer.attributes["dim"]).value)
            return along(dim, self.sizes[dim]) if producer.parent == self.op else None
        if producer.name in SIGNED_CASTS + UNSIGNED_CASTS:
            known = self.of(producer.operands[0])
            if known is None:
                return None
            if is_bool(producer.operands[0].type):  # true is -1 to a signed cast
                return known if producer.name in UNSIGNED_CASTS or known.high == 0 else constant(-1)
            return known if producer.name in SIGNED_CASTS or known.low >= 0 else None
        operands = [self.of(operand) for operand in producer.operands]
        if producer.name == "arith.select" and operands[0] is not None:
            return operands[1] if operands[0].low == 1 else operands[2]
        if any(operand is None for operand in operands):
            return None
        return self._binary(producer, *operands) if len(operands) == 2 else None

    def _argument(self, value: Any) -> IndexValue | None:
        arguments = list(utils.body_block(self.op).arguments)
        if value not in arguments[: utils.num_inputs(self.op)]:
            return None
        position = arguments.index(value)
        known = tensor_values(self.op.operands[position])
        if known is None or known.dim is None:
            return known
        expression = self.maps[position].results[known.dim]
        dim = utils.dim_position(expression)
        if dim is not None:
            return along(dim, self.sizes[dim], known.offset)
        position_constant = utils.constant_value(expression)
        return None if position_constant is None else constant(known.offset + position_constant)

    def _binary(self, op: Any, a: Any, b: Any) -> IndexValue | None:
        if is_bool(op.operands[0].type) and op.name not in _ON_BOOL:
            return None  # wraps at 2, and compares true as -1
        if op.name == "arith.addi" and None in (a.dim, b.dim):
            return a.shifted(b.offset) if b.dim is None else b.shifted(a.offset)
        if op.name == "arith.subi" and b.dim is None:
            return a.shifted(-b.offset)
        if op.name == "arith.maxsi":
            return a if a.low >= b.high else b if b.low >= a.high else None
        if op.name == "arith.minsi":
            return a if a.high <= b.low else b if b.high <= a.low else None
        if op.name == "arith.andi" and is_bool(op.results[0].type):
            return constant(min(a.low, b.low))
        if op.name == "arith.ori" and is_bool(op.results[0].type):
            return constant(max(a.low, b.low))
        if op.name == "arith.cmpi":
            predicate = int(ir.IntegerAttr(op.attributes["predicate"]).value)
            if predicate in UNSIGNED:
                if a.low < 0 or b.low < 0:
                    return None
                predicate = UNSIGNED[predicate]
            holds, fails = _COMPARISONS[predicate]
            return constant(1) if holds(a, b) else constant(0) if fails(a, b) else None
        return None


def _of_scalar(attribute: Any, type_: Any) -> IndexValue:
    value = int(ir.IntegerAttr(attribute).value)
    return constant(abs(value) if is_bool(type_) else value)  # true may come out of the bindings as 1 or as -1


def is_bool(type_: Any) -> bool:
    return isinstance(type_, ir.IntegerType) and type_.width == 1


def loop_sizes(op: Any, maps: Sequence[Any]) -> list[int]:
    """The extent of each dim of a linalg op's iteration space."""
    count = maps[0].n_dims
    sizes: dict[int, int] = {}
    for operand, map_ in zip(op.operands, maps, strict=False):
        if len(sizes) == count:
            break  # the inputs of a contraction have all dims: its result is not looked at
        type_ = operand.type
        if utils.is_tensor(type_):
            results, shape = map_.results, type_.shape
            for axis in range(len(results)):  # their iterator ends in an exception of C++
                dim = utils.dim_position(results[axis])
                if dim is not None:
                    sizes[dim] = shape[axis]
    return [sizes.get(dim, 1) for dim in range(count)]


# --- tensors --------------------------------------------------------------------------------------------------------


def tensor_values(value: Any) -> IndexValue | None:
    """The index value of a tensor's elements: constant, or the position along one of its dims; None otherwise."""
    if not utils.is_tensor(value.type) or not is_integer(value.type.element_type):
        return None
    op = utils.defining_op(value)
    if op is None:
        return None
    if op.name == "arith.constant":
        return _of_array(op)
    if op.name == "linalg.fill":
        scalar = utils.defining_op(op.operands[0])
        if scalar is None or scalar.name != "arith.constant":
            return None
        return _of_scalar(scalar.attributes["value"], scalar.results[0].type)
    if op.name in ("tensor.expand_shape", "tensor.collapse_shape"):
        return _of_reshape(op)
    if op.name == "tensor.extract_slice":
        return _of_slice(op)
    if utils.is_elementwise(op) or op.name in ("linalg.transpose", "linalg.broadcast"):
        return _of_linalg(op, value)
    return None


def _of_array(op: Any) -> IndexValue | None:
    type_ = op.results[0].type
    if int(np.prod(type_.shape)) > MAX_TABLE:
        return None
    array = array_of(op.attributes["value"]).astype(np.int64)
    if array.size == 0:
        return None
    first = int(array.flat[0])
    if (array == first).all():
        return constant(first)
    for dim, size in enumerate(array.shape):
        ramp = np.arange(first, first + size).reshape([-1 if d == dim else 1 for d in range(array.ndim)])
        if (array == ramp).all():
            return along(dim, size, first)
    return None


def _of_reshape(op: Any) -> IndexValue | None:
    """A position survives a reshape if the dims that its dim is split into or merged with are all of extent 1."""
    known = tensor_values(op.operands[0])
    if known is None or known.dim is None:
        return known
    expands = op.name == "tensor.expand_shape"
    groups = [[ir.IntegerAttr(d).value for d in ir.ArrayAttr(g)] for g in ir.ArrayAttr(op.attributes["reassociation"])]
    split = op.results[0].type.shape if expands else op.operands[0].type.shape
    for merged, group in enumerate(groups):
        if (merged if expands else known.dim) not in ([known.dim] if expands else group):
            continue
        wide = [d for d in group if split[d] != 1]
        if len(wide) == 1 and (expands or wide[0] == known.dim):
            return replace(known, dim=wide[0] if expands else merged)
        return None
    return None


def _of_slice(op: Any) -> IndexValue | None:
    known = tensor_values(op.operands[0])
    if known is None or known.dim is None:
        return known
    fields = ("static_offsets", "static_sizes", "static_strides")
    offsets, sizes, strides = (list(ir.DenseI64ArrayAttr(op.attributes[field])) for field in fields)
    if len(op.operands) > 1 or strides[known.dim] != 1 or op.results[0].type.rank != len(offsets):
        return None  # dynamic, strided or rank-reducing
    return along(known.dim, sizes[known.dim], known.offset + offsets[known.dim])


def _of_linalg(op: Any, value: Any) -> IndexValue | None:
    if len(op.results) != 1:
        return None
    body = BodyValues(op)
    known = body.of(utils.yielded(op)[0])
    if known is None or known.dim is None:
        return known
    for position, expression in enumerate(body.maps[-1].results):
        if utils.dim_position(expression) == known.dim:
            return replace(known, dim=position)
    return None
