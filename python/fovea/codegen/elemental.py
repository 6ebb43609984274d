# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Emits the value of any tensor of a kernel function at any index, by following its producers.

Every op that is pointwise in some index space (elementwise linalg, reshapes, slices, pads, gathers, quantize, ...) is
inlined where its value is wanted, so fusion is nothing but emission. `emit` gives one element, or a vector of
`width` consecutive elements along dim `lanes` of the tensor. What a kernel computes itself (the result of a
contraction, a row's sum) is given as an override. The idea is that of XLA's elemental IR emitter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fovea.bindings import arith, ir, linalg, memref, vector
from fovea.codegen import fp8, scalar
from fovea.codegen.indexing import Index, IndexBuilder
from fovea.codegen.types import (
    element_bytes,
    element_of,
    lanes_of,
    register_type,
    shaped_like,
    storage_type,
)
from fovea.dialect import quantize
from fovea.errors import UnsupportedOpError

Override = Callable[[tuple[Index, ...], "int | None", int], Any]


@dataclass(frozen=True)
class LaneIndex:
    """The index `base + lane` of each lane of a vector."""

    base: Index


def unsupported(op: Any, why: str) -> UnsupportedOpError:
    """An error that names op and location."""
    return UnsupportedOpError(f"{op.location}: '{op.operation.name}' {why}")


class Elemental:
    """Emission state of one kernel: buffers of its arguments, overrides, and values already emitted (by scope)."""

    def __init__(self, index: IndexBuilder) -> None:
        self.index = index
        self.buffers: dict[Any, Any] = {}
        self.overrides: dict[Any, Override] = {}

    # -- public -------------------------------------------------------------------------------------------------

    def emit(self, value: Any, indices: Sequence[Index], lanes: int | None = None, width: int = 1) -> Any:
        """`value` at `indices`: a scalar, or with `lanes` (a dim) a vector of `width` (or a scalar if all are equal).

        With `lanes`, `indices[lanes]` is that of the first lane and `indices[lanes] + width <= extent`.
        """
        indices = tuple(indices)
        if value in self.overrides:
            return self.overrides[value](indices, lanes, width)
        key = ("emit", value, indices, lanes, width)
        known = self.index.recall(key)
        return known if known is not None else self.index.remember(key, self._emit(value, indices, lanes, width))

    def scalar_value(self, value: Any) -> Any:
        """A scalar defined in the kernel function outside any tensor op's body (constants and arithmetic on them)."""
        key = ("scalar", value)
        known = self.index.recall(key)
        if known is not None:
            return known
        op = _owner(value)
        if op is None:
            raise UnsupportedOpError(f"{value.owner}: scalar arguments of a kernel are not supported")
        if op.operation.name == "arith.constant":
            result = arith.ConstantOp(value.type, op.attributes["value"]).result
        elif op.operation.name == "tensor.extract":
            result = self.emit(op.operands[0], [_constant_index(operand) for operand in list(op.operands)[1:]])
        else:
            result = scalar.apply(op, [self.scalar_value(operand) for operand in op.operands])
        return self.index.remember(key, result)

    def store(self, value: Any, buffer: Any, tensor: Any, indices: Sequence[Index], lanes: int | None) -> None:
        """Store a scalar or vector at `indices` of `tensor`'s flat `buffer`; vectors lie along dim `lanes`."""
        width = lanes_of(value)
        shape = list(tensor.type.shape)
        element = tensor.type.element_type
        if str(element) == "i1":
            value = arith.extui(shaped_like(storage_type(element), width), value)
        position = self.index.linearize(indices, shape)
        if width is None:
            memref.store(value, buffer, [self.index.value(position)])
        elif lanes is not None and _stride(shape, lanes) == 1:
            bytes_ = element_bytes(element)
            alignment = min(self.index.multiple_of(position) * bytes_, width * bytes_, 16)
            vector.store(value, buffer, [self.index.value(position)], alignment=alignment)
        else:
            for i in range(width):
                moved = [*indices]
                assert lanes is not None
                moved[lanes] = self.index.add(moved[lanes], i)
                where = self.index.linearize(moved, shape)
                memref.store(scalar.lane(value, i), buffer, [self.index.value(where)])

    # -- dispatch -----------------------------------------------------------------------------------------------

    def _emit(self, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
        if value in self.buffers:
            return self._load(value, indices, lanes, width)
        op = _owner(value)
        if op is None:
            raise UnsupportedOpError(f"{value}: not an argument of the kernel")
        name = op.operation.name
        handler = _HANDLERS.get(name)
        if handler is not None:
            return handler(self, op, value, indices, lanes, width)
        if name.startswith("linalg."):
            return self._structured(op, value, indices, lanes, width)
        if name.startswith(("arith.", "math.")):  # elementwise on tensors
            operands = [
                self.emit(operand, indices, lanes, width)
                if isinstance(operand.type, ir.RankedTensorType)
                else self.scalar_value(operand)
                for operand in op.operands
            ]
            return scalar.apply(op, operands)
        raise unsupported(op, "has no kernel")

    def lanewise(self, value: Any, indices: Sequence[Index], lanes: int, width: int) -> Any:
        """A vector made of `width` scalar emissions: for lanes that are not consecutive in memory."""
        scalars = []
        for i in range(width):
            moved = list(indices)
            moved[lanes] = self.index.add(moved[lanes], i)
            scalars.append(self.emit(value, moved))
        return scalar.from_lanes(scalars)

    def _load(self, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
        shape, element = list(value.type.shape), value.type.element_type
        if lanes is not None and _stride(shape, lanes) != 1:
            return self.lanewise(value, indices, lanes, width)
        buffer = self.buffers[value]
        position = self.index.linearize(indices, shape)
        if lanes is None:
            loaded = memref.load(buffer, [self.index.value(position)])
        else:
            bytes_ = element_bytes(element)
            alignment = min(self.index.multiple_of(position) * bytes_, width * bytes_, 16)
            type_ = ir.VectorType.get([width], storage_type(element))
            loaded = vector.load(type_, buffer, [self.index.value(position)], alignment=alignment)
        if str(element) == "i1":
            zero = scalar.constant(0, loaded.type)
            return arith.cmpi(arith.CmpIPredicate.ne, loaded, zero)
        return loaded

    # -- structured ops -----------------------------------------------------------------------------------------

    def _structured(self, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
        result = list(op.results).index(value)
        maps = [as_map(m) for m in linalg.get_indexing_maps(op)]
        output = maps[len(maps) - len(op.results) + result]
        dims: list[Index] = [0] * output.n_dims
        extents = iteration_extents(op, maps)
        seen = set()
        lane_dim = None
        for position, expression in enumerate(output.results):
            if isinstance(expression, ir.AffineConstantExpr):
                continue
            if not isinstance(expression, ir.AffineDimExpr):
                raise unsupported(op, f"writes its result through the map {output}, which has no kernel")
            dims[expression.position] = indices[position]
            seen.add(expression.position)
            if position == lanes:
                lane_dim = expression.position
        if any(extent != 1 and dim not in seen for dim, extent in enumerate(extents)):
            raise unsupported(op, "reduces where an elementwise op was expected")
        return self.body(op, dims, lane_dim, width)[result]

    def operand(self, op: Any, position: int, dims: Sequence[Index], lane_dim: int | None, width: int) -> Any:
        """Operand number `position` of a structured op at point `dims` of its iteration space."""
        value = list(op.operands)[position]
        if not isinstance(value.type, ir.RankedTensorType):
            return self.scalar_value(value)
        map_ = as_map(linalg.get_indexing_maps(op)[position])
        return self.mapped(value, map_, dims, lane_dim, width)

    def mapped(self, value: Any, map_: Any, dims: Sequence[Index], lane_dim: int | None, width: int) -> Any:
        """`value` at `map_(dims)`; lanes run along `lane_dim` of the dims."""
        indices = [self.index.affine(expression, dims) for expression in map_.results]
        if lane_dim is None:
            return self.emit(value, indices)
        users = [i for i, expression in enumerate(map_.results) if lane_dim in dims_of(expression)]
        if not users:
            return self.emit(value, indices)
        if len(users) == 1 and isinstance(map_.results[users[0]], ir.AffineDimExpr):
            return self.emit(value, indices, users[0], width)
        scalars = []
        for i in range(width):
            moved = list(dims)
            moved[lane_dim] = self.index.add(moved[lane_dim], i)
            scalars.append(self.emit(value, [self.index.affine(expression, moved) for expression in map_.results]))
        return scalar.from_lanes(scalars)

    def body(
        self,
        op: Any,
        dims: Sequence[Index],
        lane_dim: int | None,
        width: int,
        given: dict[Any, Any] | None = None,
        wanted: Sequence[Any] | None = None,
    ) -> list[Any]:
        """Values that the body of `op` yields (or `wanted` values of it) at point `dims`.

        `given` maps block arguments to values; other arguments are the operands.
        """
        block = op.regions[0].blocks[0]
        arguments = {argument: position for position, argument in enumerate(block.arguments)}
        values: dict[Any, Any] = dict(given or {})

        def materialize(value: Any, type_: Any) -> Any:
            return self._materialize(value, type_, lane_dim, width)

        def evaluate(value: Any) -> Any:
            if value in values:
                return values[value]
            if value in arguments:
                result = self.operand(op, arguments[value], dims, lane_dim, width)
            else:
                owner = _owner(value)
                if owner is None or owner.operation.block != block:
                    return self.scalar_value(value)
                result = self._body_op(owner, evaluate, materialize, dims, lane_dim, width)
            values[value] = result
            return result

        terminator = block.operations[len(block.operations) - 1]
        targets = list(wanted) if wanted is not None else list(terminator.operands)
        return [materialize(evaluate(target), target.type) for target in targets]

    def _materialize(self, value: Any, type_: Any, lane_dim: int | None, width: int) -> Any:
        if isinstance(value, LaneIndex):
            vector_type = ir.VectorType.get([width], ir.IndexType.get())
            base = vector.broadcast(vector_type, self.index.value(value.base))
            value = arith.addi(base, vector.step(vector_type))
        elif isinstance(value, int):
            value = self.index.value(value)
        if str(element_of(value.type)) == "index" and str(type_) != "index":
            value = arith.index_cast(shaped_like(type_, lanes_of(value)), value)
        return value

    def _body_op(
        self,
        op: Any,
        evaluate: Callable[[Any], Any],
        materialize: Callable[[Any, Any], Any],
        dims: Sequence[Index],
        lane_dim: int | None,
        width: int,
    ) -> Any:
        name = op.operation.name
        if name == "linalg.index":
            dim = ir.IntegerAttr(op.attributes["dim"]).value
            return LaneIndex(dims[dim]) if dim == lane_dim else dims[dim]
        if name == "arith.index_cast":
            operand = evaluate(op.operands[0])
            # Indices stay symbolic, so that gathers along a dim are seen to be contiguous.
            if isinstance(operand, (LaneIndex, int)) or str(element_of(operand.type)) == "index":
                return operand
            return arith.index_cast(shaped_like(op.results[0].type, lanes_of(operand)), operand)
        if name == "tensor.extract":
            return self._gather(op, [evaluate(operand) for operand in list(op.operands)[1:]], width)
        operands = [materialize(evaluate(operand), operand.type) for operand in op.operands]
        return scalar.apply(op, operands)

    def _gather(self, op: Any, indices: Sequence[Any], width: int) -> Any:
        """`tensor.extract` at computed indices; clamped, so that no index leaves the tensor."""
        source = op.operands[0]
        shape = list(source.type.shape)
        uniform = all(isinstance(i, (LaneIndex, int)) or lanes_of(i) is None for i in indices)
        laned = [axis for axis, i in enumerate(indices) if isinstance(i, LaneIndex)]
        if uniform and len(laned) <= 1:
            plain = [
                i.base if isinstance(i, LaneIndex) else self.clamp(i, extent)
                for i, extent in zip(indices, shape, strict=True)
            ]
            return self.emit(source, plain, laned[0], width) if laned else self.emit(source, plain)
        scalars = []
        for lane in range(width):
            point = []
            for i, extent in zip(indices, shape, strict=True):
                if isinstance(i, LaneIndex):
                    point.append(self.index.add(i.base, lane))
                else:
                    point.append(self.clamp(i if isinstance(i, int) else scalar.lane(i, lane), extent))
            scalars.append(self.emit(source, point))
        return scalar.from_lanes(scalars)

    def clamp(self, index: Index, extent: int) -> Index:
        """A runtime index brought into [0, extent)."""
        if isinstance(index, int):
            return min(max(index, 0), extent - 1)
        key = ("clamp", index, extent)
        known = self.index.recall(key)
        if known is not None:
            return known
        low = arith.maxsi(index, self.index.value(0))
        return self.index.remember(key, arith.minsi(low, self.index.value(extent - 1)))


def as_map(map_: Any) -> Any:
    """An AffineMap from a map or the attribute that holds one."""
    return map_.value if hasattr(map_, "value") else map_


def dims_of(expression: Any) -> set[int]:
    """Positions of the dims in an affine expression."""
    if isinstance(expression, ir.AffineDimExpr):
        return {expression.position}
    if isinstance(expression, ir.AffineBinaryExpr):
        return dims_of(expression.lhs) | dims_of(expression.rhs)
    return set()


def iteration_extents(op: Any, maps: Sequence[Any]) -> list[int]:
    """Extents of a structured op's iteration space, from its operands' shapes."""
    extents = [1] * maps[0].n_dims
    for operand, map_ in zip(op.operands, maps, strict=True):
        if isinstance(operand.type, ir.RankedTensorType):
            for expression, extent in zip(map_.results, operand.type.shape, strict=True):
                if isinstance(expression, ir.AffineDimExpr):
                    extents[expression.position] = extent
    return extents


def _owner(value: Any) -> Any | None:
    """The op that defines `value`, None for a block argument."""
    owner = value.owner
    return None if isinstance(owner, ir.Block) else owner.opview


def _constant_index(value: Any) -> int:
    op = _owner(value)
    if op is None or op.operation.name != "arith.constant":
        raise UnsupportedOpError(f"{value}: expected a constant index")
    return int(ir.IntegerAttr(op.attributes["value"]).value)


def _stride(shape: Sequence[int], axis: int) -> int:
    stride = 1
    for extent in shape[axis + 1 :]:
        stride *= extent
    return stride


# -- ops other than structured ones: (emitter, op, value, indices, lanes, width) -> scalar or vector ------------------


def _reshape(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    source = op.operands[0]
    from_shape, to_shape = list(source.type.shape), list(value.type.shape)
    result = reshape_index(e.index, indices, to_shape, from_shape, lanes, width)
    if result is None:
        assert lanes is not None
        return e.lanewise(value, indices, lanes, width)
    moved, source_lanes = result
    return e.emit(source, moved, source_lanes, width) if source_lanes is not None else e.emit(source, moved)


def reshape_index(
    index: IndexBuilder,
    indices: Sequence[Index],
    from_shape: Sequence[int],
    to_shape: Sequence[int],
    lanes: int | None,
    width: int,
) -> tuple[tuple[Index, ...], int | None] | None:
    """`indices` of `from_shape` in `to_shape` of equal element count, and where lanes go; None if lanes do not stay
    consecutive along one dim. Dims are grouped where both shapes agree, so that few divisions are made."""
    result: list[Index] = []
    result_lanes: int | None = None
    i = j = 0
    while i < len(from_shape) or j < len(to_shape):
        i0, j0, left, right = i, j, 1, 1
        if i < len(from_shape):
            left, i = from_shape[i], i + 1
        if j < len(to_shape):
            right, j = to_shape[j], j + 1
        while left != right:
            if left < right:
                left, i = left * from_shape[i], i + 1
            else:
                right, j = right * to_shape[j], j + 1
        group_from, group_to = list(from_shape[i0:i]), list(to_shape[j0:j])
        position = index.linearize(indices[i0:i], group_from)
        result += index.delinearize(position, group_to)
        if lanes is not None and i0 <= lanes < i:
            inner = 1
            for extent in from_shape[lanes + 1 : i]:
                inner *= extent
            if inner != 1:
                return None
            last = max((axis for axis, extent in enumerate(group_to) if extent != 1), default=None)
            if last is None or group_to[last] % width or index.multiple_of(position) % width:
                return None
            result_lanes = j0 + last
    return tuple(result), result_lanes


def _slice(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    offsets, strides = (list(ir.DenseI64ArrayAttr(op.attributes[f"static_{k}"])) for k in ("offsets", "strides"))
    if any(o < 0 for o in offsets) or len(list(op.operands)) > 1:
        raise unsupported(op, "with offsets that are not constants has no kernel")
    sizes = list(ir.DenseI64ArrayAttr(op.attributes["static_sizes"]))
    kept = kept_dims(sizes, list(value.type.shape))
    moved: list[Index] = list(offsets)
    for dim, i in zip(kept, indices, strict=True):
        moved[dim] = e.index.add(e.index.mul(i, strides[dim]), offsets[dim])
    if lanes is None:
        return e.emit(op.operands[0], moved)
    if strides[kept[lanes]] != 1:
        return e.lanewise(value, indices, lanes, width)
    return e.emit(op.operands[0], moved, kept[lanes], width)


def kept_dims(sizes: Sequence[int], shape: Sequence[int]) -> list[int]:
    """Dims of a slice of `sizes` that its result of `shape` keeps (rank-reducing slices drop unit dims)."""
    kept, wanted = [], list(shape)
    for dim, size in enumerate(sizes):
        remaining = len(sizes) - dim
        if wanted and size == wanted[0] and (size != 1 or remaining >= len(wanted)):
            kept.append(dim)
            wanted.pop(0)
    return kept


def _concat(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    dim = ir.IntegerAttr(op.attributes["dim"]).value
    starts, end = [], 0
    for operand in op.operands:
        starts.append(end)
        end += operand.type.shape[dim]
    if lanes is not None and lanes == dim and any(start % width for start in [*starts, end]):
        return e.lanewise(value, indices, lanes, width)
    result = None
    for operand, start in zip(op.operands, starts, strict=True):
        extent = operand.type.shape[dim]
        moved = list(indices)
        step = width if lanes == dim else 1
        shifted = arith.subi(e.index.value(indices[dim]), e.index.value(start)) if start else indices[dim]
        clamped = e.clamp(shifted, extent - step + 1)
        moved[dim] = e.index.assume_multiple(clamped, step)
        part = e.emit(operand, moved, lanes, width) if lanes is not None else e.emit(operand, moved)
        if result is None:
            result = part
            continue
        below = e.index.less(indices[dim], start)
        if isinstance(below, bool):
            result = result if below else part
        else:
            common = lanes_of(part) or lanes_of(result)
            result = arith.select(below, scalar.broadcast(result, common), scalar.broadcast(part, common))
    return result


def _pad(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    low = list(ir.DenseI64ArrayAttr(op.attributes["static_low"]))
    source = op.operands[0]
    shape = list(source.type.shape)
    if len(list(op.operands)) > 1 or any(amount < 0 for amount in low):
        raise unsupported(op, "with amounts that are not constants has no kernel")
    if lanes is not None and (low[lanes] or value.type.shape[lanes] != shape[lanes]):
        return e.lanewise(value, indices, lanes, width)
    block = op.regions[0].blocks[0]
    padding = e.scalar_value(block.operations[len(block.operations) - 1].operands[0])
    moved, inside = list(indices), None
    for dim, (i, extent) in enumerate(zip(indices, shape, strict=True)):
        if value.type.shape[dim] == extent:
            continue
        shifted = arith.subi(e.index.value(i), e.index.value(low[dim]))
        within = arith.cmpi(arith.CmpIPredicate.ult, shifted, e.index.value(extent))
        inside = within if inside is None else arith.andi(inside, within)
        moved[dim] = e.clamp(shifted, extent)
    part = e.emit(source, moved, lanes, width) if lanes is not None else e.emit(source, moved)
    if inside is None:
        return part
    return arith.select(inside, part, scalar.broadcast(padding, lanes_of(part)))


def _constant(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    attribute = op.attributes["value"]
    if not (isinstance(attribute, ir.DenseElementsAttr) and attribute.is_splat):
        raise unsupported(op, "that is not a splat must be an argument of the kernel")
    element = register_type(value.type.element_type)
    splat = attribute.get_splat_value()
    if str(element) != str(value.type.element_type):
        raise unsupported(op, f"of {value.type.element_type} must be an argument of the kernel")
    return arith.ConstantOp(element, splat).result


def _empty(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    return scalar.constant(0, register_type(value.type.element_type))


def _splat(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    return e.scalar_value(op.operands[0])


def _cast(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    return e.emit(op.operands[0], indices, lanes, width)


def _quantize(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    real = e.emit(op.operands[0], indices, lanes, width)
    real = scalar.convert_float(real, op.operands[0].type.element_type, ir.F32Type.get())
    inverse = _scale(op, inverse=True)
    if inverse != 1:
        real = arith.mulf(real, scalar.constant(inverse, real.type))
    return fp8.from_f32(real, str(value.type.element_type), saturate=True)


def _dequantize(e: Elemental, op: Any, value: Any, indices: tuple[Index, ...], lanes: int | None, width: int) -> Any:
    stored = e.emit(op.operands[0], indices, lanes, width)
    real = fp8.to_f32(stored, str(op.operands[0].type.element_type))
    scale = _scale(op, inverse=False)
    if scale != 1:
        real = arith.mulf(real, scalar.constant(scale, real.type))
    return scalar.convert_float(real, ir.F32Type.get(), value.type.element_type)


def _scale(op: Any, inverse: bool) -> float:
    import numpy as np

    scale = quantize.scale_array(op)
    if scale.ndim:
        raise unsupported(op, "with one scale a channel must be folded before kernels are made")
    return float(np.float32(1.0) / np.float32(scale)) if inverse else float(scale)


_HANDLERS: dict[str, Callable[..., Any]] = {
    "tensor.expand_shape": _reshape,
    "tensor.collapse_shape": _reshape,
    "tensor.extract_slice": _slice,
    "tensor.concat": _concat,
    "tensor.pad": _pad,
    "tensor.cast": _cast,
    "tensor.empty": _empty,
    "tensor.splat": _splat,
    "arith.constant": _constant,
    "fovea.quantize": _quantize,
    "fovea.dequantize": _dequantize,
    "fovea.capture": _cast,
}
