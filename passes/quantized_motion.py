# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Ops that commute with quantising: those that only select, lay out or compare elements.

Quantising and dequantising are monotone functions of one element. With one scale a tensor they commute with every op
that moves elements, and with maxima. With one scale a channel they do where each element keeps its channel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.bindings import arith, ir, linalg, tensor
from fovea.dialect.quantize import PER_TENSOR, STORAGE_MAX, axis_of, scale_array
from fovea.executor.constants import array_of
from fovea.executor.types import dtype_of
from fovea.passes import ir_utils as utils
from fovea.passes.elements import elements_attribute

Array = np.ndarray[Any, Any]
VIEWS = ("tensor.expand_shape", "tensor.collapse_shape")
_MAXIMA = ("arith.maximumf", "arith.maxnumf")


@dataclass(frozen=True)
class Scaling:
    """The scale of a quantize or dequantize op: f32, 0-d with PER_TENSOR, else one value a position along `axis`."""

    values: Array
    axis: int
    storage: Any

    @staticmethod
    def of(op: Any) -> Scaling:
        """What a `fovea.quantize` or `fovea.dequantize` op has; equal channels count as one scale."""
        stored = op.results[0] if op.name == "fovea.quantize" else op.operands[0]
        axis = axis_of(op)
        return Scaling(scale_array(op), axis, stored.type.element_type).on(axis)

    def equals(self, other: Scaling) -> bool:
        """Whether both store equal numbers as equal bytes."""
        same = self.storage == other.storage and self.axis == other.axis
        return same and bool(np.array_equal(self.values, other.values))

    def on(self, axis: int, values: Array | None = None) -> Scaling:
        """The same along another axis (with other values): one scale if all are equal."""
        values = self.values if values is None else values
        if values.ndim and values.size and (values == values[0]).all():
            values, axis = values[0].reshape(()), PER_TENSOR
        return Scaling(values, axis, self.storage)

    def attributes(self, context: Any) -> dict[str, Any]:
        return {
            "scale": elements_attribute(self.values, context),
            "axis": ir.IntegerAttr.get(ir.IntegerType.get_signless(64, context), self.axis),
        }


def quantize(value: Any, scaling: Scaling) -> Any:
    """`fovea.quantize` at the insertion point and location."""
    result = utils.tensor_type(value.type.shape, scaling.storage)
    attributes = scaling.attributes(value.type.context)
    return ir.Operation.create("fovea.quantize", results=[result], operands=[value], attributes=attributes).results[0]


def dequantize(stored: Any, scaling: Scaling, element: Any) -> Any:
    """`fovea.dequantize` to `element` at the insertion point and location."""
    result = utils.tensor_type(stored.type.shape, element)
    attributes = scaling.attributes(stored.type.context)
    return ir.Operation.create(
        "fovea.dequantize", results=[result], operands=[stored], attributes=attributes
    ).results[0]


def stored_number(value: float, scaling: Scaling) -> Any:
    """What `fovea.quantize` makes of a number (scaling per tensor), as a scalar of the storage type."""
    dtype = dtype_of(scaling.storage)
    largest = np.float32(STORAGE_MAX[str(scaling.storage)])
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.float32(value) * np.reciprocal(np.float32(scaling.values))
    return np.clip(scaled, -largest, largest).astype(dtype)


def cancels(scaling: Scaling, real: Any) -> bool:
    """Whether quantize(dequantize(x)) by way of the float type `real` gives back every stored x: tried on all codes."""
    dtype = dtype_of(scaling.storage)
    codes = np.arange(256, dtype=np.uint8).view(dtype)
    finite = codes[np.isfinite(codes.astype(np.float32))].reshape(-1, 1)
    scales, largest = scaling.values.reshape(1, -1), np.float32(STORAGE_MAX[str(scaling.storage)])
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        wide = (finite.astype(np.float32) * scales).astype(dtype_of(real)).astype(np.float32)
        back = np.clip(wide * np.reciprocal(scales), -largest, largest).astype(dtype)
    return bool((back.view(np.uint8) == finite.view(np.uint8)).all())


@dataclass(frozen=True)
class Motion:
    """How an op lets quantising through.

    operands(op): the positions of the tensors that it moves. before(op, scaling): the scaling of each of them, given
    that of the result; None if there is none. after(op, scalings): the other direction. remade(op, values, before,
    after): the op on 8-bit `values` in place of these operands, at the insertion point.
    """

    before: Callable[[Any, Scaling], list[Scaling] | None]
    after: Callable[[Any, Sequence[Scaling]], Scaling | None]
    remade: Callable[[Any, Sequence[Any], Scaling], Any]
    operands: Callable[[Any], list[Any]] = lambda op: [op.operands[0]]
    computes: bool = False
    """Whether it computes (a maximum) rather than moves elements."""


def motion_of(op: Any) -> Motion | None:
    """How quantising moves through `op`, None if it does not."""
    if op is None or len(op.results) != 1:
        return None
    if op.name in _BY_NAME:
        return _BY_NAME[op.name]
    if op.name.startswith("linalg.pooling_") and op.name.endswith(("_max", "_max_unsigned")):
        return _POOL
    if op.name != "linalg.generic":
        return None
    last = utils.defining_op(utils.yielded(op)[0])
    known = _GENERIC.get(None if last is None else last.name, ())
    return next((motion for fits, motion in known if fits(op)), None)


# --- reshapes, transposes, slices, concatenations, padding ------------------------------------------------------------


def _groups(op: Any) -> list[list[int]]:
    return [[int(i.value) for i in map(ir.IntegerAttr, group)] for group in map(
        ir.ArrayAttr, ir.ArrayAttr(op.attributes["reassociation"]))]  # fmt: skip


def _collapsed(op: Any, axis: int) -> int | None:
    """The dim of the collapsed side that `axis` of the expanded side is, if the others of its group have extent 1."""
    wide = (op.results[0] if op.name == "tensor.expand_shape" else op.operands[0]).type.shape
    for position, group in enumerate(_groups(op)):
        if axis in group:
            return position if all(wide[d] == 1 for d in group if d != axis) else None
    return None


def _expanded(op: Any, axis: int) -> int | None:
    """The other direction: the one dim of the group that is not of extent 1."""
    wide = (op.results[0] if op.name == "tensor.expand_shape" else op.operands[0]).type.shape
    group = _groups(op)[axis]
    found = [d for d in group if wide[d] != 1]
    return found[0] if len(found) == 1 else group[-1] if not found and group else None


def _view_before(op: Any, scaling: Scaling) -> list[Scaling] | None:
    if scaling.axis == PER_TENSOR:
        return [scaling]
    axis = (_collapsed if op.name == "tensor.expand_shape" else _expanded)(op, scaling.axis)
    return None if axis is None else [scaling.on(axis)]


def _view_after(op: Any, scalings: Sequence[Scaling]) -> Scaling | None:
    (scaling,) = scalings
    if scaling.axis == PER_TENSOR:
        return scaling
    axis = (_expanded if op.name == "tensor.expand_shape" else _collapsed)(op, scaling.axis)
    return None if axis is None else scaling.on(axis)


def _same_op(op: Any, values: Sequence[Any], _: Scaling) -> Any:
    """The op on operands of another element type, its operands behind the data unchanged."""
    result = utils.tensor_type(op.results[0].type.shape, values[0].type.element_type)
    operands = [*values, *list(op.operands)[len(values) :]]
    return ir.Operation.create(
        op.name, results=[result], operands=operands, attributes=utils.attributes_of(op)
    ).results[0]


def _permutation(op: Any) -> list[int]:
    return list(ir.DenseI64ArrayAttr(op.attributes["permutation"]))


def _transpose_before(op: Any, scaling: Scaling) -> list[Scaling] | None:
    return [scaling if scaling.axis == PER_TENSOR else scaling.on(_permutation(op)[scaling.axis])]


def _transpose_after(op: Any, scalings: Sequence[Scaling]) -> Scaling | None:
    (scaling,) = scalings
    return scaling if scaling.axis == PER_TENSOR else scaling.on(_permutation(op).index(scaling.axis))


def _transposed(op: Any, values: Sequence[Any], _: Scaling) -> Any:
    out = utils.empty(op.results[0].type.shape, values[0].type.element_type)
    return linalg.transpose(values[0], outs=[out], permutation=_permutation(op)).results[0]


def _kept_dims(op: Any) -> list[int] | None:
    """For each dim of a slice's result, the source's dim (dims of extent 1 may be dropped); None if not clear."""
    sizes, shape = list(ir.DenseI64ArrayAttr(op.attributes["static_sizes"])), list(op.results[0].type.shape)
    kept: list[int] = []
    for dim, size in enumerate(sizes):
        remaining = len(shape) - len(kept)
        if remaining and shape[len(kept)] == size and (size != 1 or len(sizes) - dim == remaining):
            kept.append(dim)
        elif size != 1:
            return None
    return kept if len(kept) == len(shape) else None


def _slice_before(op: Any, scaling: Scaling) -> list[Scaling] | None:
    if scaling.axis == PER_TENSOR:
        return [scaling]
    kept = _kept_dims(op)
    if kept is None or op.operands[0].type.shape[kept[scaling.axis]] != op.results[0].type.shape[scaling.axis]:
        return None  # channels that are sliced away have no scale
    return [scaling.on(kept[scaling.axis])]


def _slice_after(op: Any, scalings: Sequence[Scaling]) -> Scaling | None:
    (scaling,) = scalings
    if scaling.axis == PER_TENSOR:
        return scaling
    if len(op.operands) != 1:
        return None
    offset, size, stride = (
        list(ir.DenseI64ArrayAttr(op.attributes[name]))[scaling.axis]
        for name in ("static_offsets", "static_sizes", "static_strides")
    )
    taken = scaling.values[offset : offset + size * stride : stride]
    if size == 1:
        return scaling.on(PER_TENSOR, taken.reshape(()))
    kept = _kept_dims(op)
    return scaling.on(kept.index(scaling.axis), taken) if kept is not None and scaling.axis in kept else None


def _concat_dim(op: Any) -> int:
    return int(ir.IntegerAttr(op.attributes["dim"]).value)


def _concat_before(op: Any, scaling: Scaling) -> list[Scaling] | None:
    pieces = list(op.operands)
    if scaling.axis != _concat_dim(op):
        return [scaling] * len(pieces)
    edges = np.cumsum([piece.type.shape[scaling.axis] for piece in pieces])[:-1]
    return [scaling.on(scaling.axis, part) for part in np.split(scaling.values, edges)]


def _concat_after(op: Any, scalings: Sequence[Scaling]) -> Scaling | None:
    first, dim = scalings[0], _concat_dim(op)
    if any(scaling.storage != first.storage for scaling in scalings):
        return None
    if all(scaling.equals(first) for scaling in scalings) and first.axis != dim:
        return first
    if any(scaling.axis not in (PER_TENSOR, dim) for scaling in scalings):
        return None
    values = [
        np.broadcast_to(scaling.values, (piece.type.shape[dim],))
        for scaling, piece in zip(scalings, op.operands, strict=True)
    ]
    return first.on(dim, np.concatenate(values))


def _pad_value(op: Any) -> float | None:
    """The constant that a tensor.pad fills with, None for anything else."""
    source = utils.defining_op(utils.yielded(op)[0])
    if source is None or source.name != "arith.constant":
        return None
    return float(array_of(source.attributes["value"]))


def _pads(op: Any, dim: int) -> bool:
    low, high = (list(ir.DenseI64ArrayAttr(op.attributes[name])) for name in ("static_low", "static_high"))
    return bool(low[dim] or high[dim])


def _pad_before(op: Any, scaling: Scaling) -> list[Scaling] | None:
    value = _pad_value(op)
    if value is None or len(op.operands) != 1 or (scaling.axis != PER_TENSOR and value != 0):
        return None
    return None if scaling.axis != PER_TENSOR and _pads(op, scaling.axis) else [scaling]


def _pad_after(op: Any, scalings: Sequence[Scaling]) -> Scaling | None:
    (scaling,) = scalings
    value = _pad_value(op)
    if value is None or len(op.operands) != 1:
        return None
    if scaling.axis != PER_TENSOR and (value != 0 or _pads(op, scaling.axis)):
        return None
    exact = value == 0 or np.float32(stored_number(value, scaling)) * scaling.values == value
    return scaling if exact else None


def _padded(op: Any, values: Sequence[Any], scaling: Scaling) -> Any:
    number = _pad_value(op)
    assert number is not None
    uniform = scaling if scaling.axis == PER_TENSOR else scaling.on(PER_TENSOR, np.ones((), np.float32))
    new = ir.Operation.create(
        op.name, results=[utils.tensor_type(op.results[0].type.shape, scaling.storage)], operands=list(values),
        attributes=utils.attributes_of(op), regions=1,
    )  # fmt: skip
    index = ir.IndexType.get(op.context)
    block = ir.Block.create_at_start(new.regions[0], [index] * op.results[0].type.rank)
    with ir.InsertionPoint(block):
        stored = ir.FloatAttr.get(scaling.storage, float(stored_number(number, uniform)))
        tensor.YieldOp(arith.ConstantOp(scaling.storage, stored).result)
    return new.results[0]


# --- generics ---------------------------------------------------------------------------------------------------------


def _is_copy(op: Any) -> bool:
    """Whether a generic copies its one input: a transpose, a broadcast."""
    if utils.num_inputs(op) != 1 or not utils.is_elementwise(op):
        return False
    read, written = utils.indexing_maps(op)
    if utils.yielded(op)[0] != utils.body_block(op).arguments[0] or not written.is_permutation:
        return False
    return all(utils.dim_position(e) is not None or utils.constant_value(e) == 0 for e in read.results)


def _dims(map_: Any) -> list[int | None]:
    return [utils.dim_position(expression) for expression in map_.results]


def _copy_before(op: Any, scaling: Scaling) -> list[Scaling] | None:
    if scaling.axis == PER_TENSOR:
        return [scaling]
    read, written = map(_dims, utils.indexing_maps(op))
    dim = written[scaling.axis]
    if dim not in read or op.operands[0].type.shape[read.index(dim)] != op.results[0].type.shape[scaling.axis]:
        return None
    return [scaling.on(read.index(dim))]


def _copy_after(op: Any, scalings: Sequence[Scaling]) -> Scaling | None:
    (scaling,) = scalings
    if scaling.axis == PER_TENSOR:
        return scaling
    read, written = map(_dims, utils.indexing_maps(op))
    dim = read[scaling.axis]
    return None if dim is None else scaling.on(written.index(dim))


def _rebuilt(op: Any, values: Sequence[Any], scaling: Scaling) -> Any:
    """A generic on 8-bit inputs that yields one of them."""
    out = utils.empty(op.results[0].type.shape, scaling.storage)
    kinds = utils.iterator_types(op)
    return utils.build_generic(list(values), [out], utils.indexing_maps(op), kinds, lambda x, _: x).results[0]


def _table(op: Any) -> Any | None:
    """The `tensor.extract` whose element a gathering generic yields."""
    source = utils.defining_op(utils.yielded(op)[0])
    if source is None or source.name != "tensor.extract" or source.block != utils.body_block(op):
        return None
    return source if utils.is_elementwise(op) else None


def _is_gather(op: Any) -> bool:
    found = _table(op)
    # The table comes from outside the body, and the element type occurs nowhere else in it.
    return found is not None and not utils.has_uses(list(utils.body_block(op).arguments)[-1])


def _tables(op: Any) -> list[Any]:
    found = _table(op)
    assert found is not None
    return [found.operands[0]]


def _gathered(op: Any, values: Sequence[Any], scaling: Scaling) -> Any:
    extract = _table(op)
    assert extract is not None
    block = utils.body_block(op)
    arguments = list(block.arguments)

    def body(*new: Any) -> Any:
        mapping = dict(zip(arguments[:-1], new, strict=False))
        for inner in list(block.operations)[:-1]:
            if inner.operation != extract:
                utils.clone_op(inner.operation, mapping)
        indices = [mapping.get(i, i) for i in list(extract.operands)[1:]]
        return tensor.ExtractOp(values[0], indices).result

    out = utils.empty(op.results[0].type.shape, scaling.storage)
    maps, kinds = utils.indexing_maps(op), utils.iterator_types(op)
    return utils.build_generic(utils.inputs_of(op), [out], maps, kinds, body).results[0]


def _per_tensor(_: Any, scaling: Scaling) -> list[Scaling] | None:
    return [scaling] if scaling.axis == PER_TENSOR else None


def _still_per_tensor(_: Any, scalings: Sequence[Scaling]) -> Scaling | None:
    return scalings[0] if scalings[0].axis == PER_TENSOR else None


# --- maxima -----------------------------------------------------------------------------------------------------------


def _is_zero(value: Any) -> bool:
    source = utils.defining_op(value)
    return source is not None and source.name == "arith.constant" and not array_of(source.attributes["value"]).any()


def _is_relu(op: Any) -> bool:
    """max(x, 0): as a maximum, or as select(x > 0, x, 0)."""
    if utils.num_inputs(op) != 1 or not utils.is_elementwise(op):
        return False
    maps = utils.indexing_maps(op)
    x, last = utils.body_block(op).arguments[0], utils.defining_op(utils.yielded(op)[0])
    if last is None or maps[0] != maps[1] or not maps[0].is_permutation:
        return False
    if last.name in _MAXIMA:
        return any(a == x and _is_zero(b) for a, b in (list(last.operands), list(last.operands)[::-1]))
    if last.name != "arith.select":
        return False
    compare = utils.defining_op(last.operands[0])
    return (
        compare is not None and compare.name == "arith.cmpf" and compare.operands[0] == x and last.operands[1] == x
        and _is_zero(compare.operands[1]) and _is_zero(last.operands[2])
        and int(ir.IntegerAttr(compare.attributes["predicate"]).value) in (2, 3, 9, 10)  # ogt, oge, ugt, uge
    )  # fmt: skip


def _relu_before(_: Any, scaling: Scaling) -> list[Scaling] | None:
    return [scaling]


def _relu_after(_: Any, scalings: Sequence[Scaling]) -> Scaling | None:
    return scalings[0]


def _relu(op: Any, values: Sequence[Any], scaling: Scaling) -> Any:
    """The same on the stored numbers, which are compared as f32."""
    f32 = ir.F32Type.get(op.context)
    last = utils.producer_of(utils.yielded(op)[0])

    def body(stored: Any, _: Any) -> Any:
        x, zero = arith.ExtFOp(f32, stored).result, arith.ConstantOp(f32, 0.0).result
        if last.name == "arith.select":
            predicate = utils.producer_of(last.operands[0]).attributes["predicate"]
            result = arith.SelectOp(arith.CmpFOp(predicate, x, zero).result, x, zero).result
        else:
            result = _maximum(last.name)(x, zero).result
        return arith.TruncFOp(scaling.storage, result).result

    out = utils.empty(op.results[0].type.shape, scaling.storage)
    maps, kinds = utils.indexing_maps(op), utils.iterator_types(op)
    return utils.build_generic(list(values), [out], maps, kinds, body).results[0]


def _maximum(name: str) -> Any:
    return arith.MaximumFOp if name == "arith.maximumf" else arith.MaxNumFOp


def _is_max_reduction(op: Any) -> bool:
    """Whether a generic is a maximum over its first input, as pooling is."""
    last = utils.defining_op(utils.yielded(op)[0])
    if last is None or last.name not in _MAXIMA or len(list(utils.body_block(op).operations)) != 2:
        return False
    arguments = list(utils.body_block(op).arguments)
    if set(last.operands) != {arguments[0], arguments[-1]}:
        return False
    return "reduction" in utils.iterator_types(op) and _initial(op) is not None


def _initial(op: Any) -> float | None:
    """The constant that a maximum starts from."""
    fill = utils.defining_op(utils.outputs_of(op)[0])
    if fill is None or fill.name != "linalg.fill":
        return None
    source = utils.defining_op(fill.operands[0])
    if source is None or source.name != "arith.constant":
        return None
    return float(array_of(source.attributes["value"]))


def _pool_before(op: Any, scaling: Scaling) -> list[Scaling] | None:
    return [scaling] if scaling.axis == PER_TENSOR and _initial(op) is not None else None


def _pool_after(op: Any, scalings: Sequence[Scaling]) -> Scaling | None:
    initial = _initial(op)
    # A finite start takes part in the maximum as it is: only one that no element is below may be stored.
    return scalings[0] if scalings[0].axis == PER_TENSOR and initial is not None and np.isneginf(initial) else None


def _pooled(op: Any, values: Sequence[Any], scaling: Scaling) -> Any:
    """The maximum of stored numbers, taken in f32, stored again."""
    f32 = ir.F32Type.get(op.context)
    number = _initial(op)
    assert number is not None
    start = float(stored_number(number, scaling))
    initial = utils.filled(arith.ConstantOp(f32, start).result, op.results[0].type.shape)
    maximum = _maximum(utils.producer_of(utils.yielded(op)[0]).name)

    def body(x: Any, *rest: Any) -> Any:
        return maximum(rest[-1], arith.ExtFOp(f32, x).result).result

    kinds = utils.iterator_types(op) if op.name == "linalg.generic" else _pool_iterators(op)
    inputs = [values[0], *utils.inputs_of(op)[1:]]
    result = utils.build_generic(inputs, [initial], utils.indexing_maps(op), kinds, body).results[0]
    return utils.elementwise([result], scaling.storage, lambda x, _: arith.TruncFOp(scaling.storage, x).result)


def _pool_iterators(op: Any) -> list[str]:
    maps = utils.indexing_maps(op)
    written = {utils.dim_position(e) for e in maps[-1].results}
    return ["parallel" if d in written else "reduction" for d in range(maps[-1].n_dims)]


_VIEW = Motion(_view_before, _view_after, _same_op)
_POOL = Motion(_pool_before, _pool_after, _pooled, computes=True)
_BY_NAME = {
    "tensor.expand_shape": _VIEW,
    "tensor.collapse_shape": _VIEW,
    "linalg.transpose": Motion(_transpose_before, _transpose_after, _transposed),
    "tensor.extract_slice": Motion(_slice_before, _slice_after, _same_op),
    "tensor.concat": Motion(_concat_before, _concat_after, _same_op, operands=lambda op: list(op.operands)),
    "tensor.pad": Motion(_pad_before, _pad_after, _padded),
}
_RELU = Motion(_relu_before, _relu_after, _relu, computes=True)
# By the op that computes what a linalg.generic yields (None: an argument of its body).
_GENERIC: dict[str | None, tuple[tuple[Callable[[Any], bool], Motion], ...]] = {
    None: ((_is_copy, Motion(_copy_before, _copy_after, _rebuilt)),),
    "tensor.extract": ((_is_gather, Motion(_per_tensor, _still_per_tensor, _gathered, operands=_tables)),),
    "arith.select": ((_is_relu, _RELU),),
    **dict.fromkeys(_MAXIMA, ((_is_relu, _RELU), (_is_max_reduction, _POOL))),
}
