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
from fovea.codegen import scalar
from fovea.codegen.indexing import Index, IndexBuilder, stride_of
from fovea.codegen.structured import as_map, dims_of, iteration_extents, owner_of, unsupported
from fovea.codegen.tensor_ops import HANDLERS
from fovea.codegen.types import (
    element_bytes,
    element_of,
    lanes_of,
    shaped_like,
    storage_type,
)
from fovea.errors import UnsupportedOpError

Override = Callable[[tuple[Index, ...], "int | None", int], Any]


@dataclass(frozen=True)
class LaneIndex:
    """The index `base + lane` of each lane of a vector."""

    base: Index


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
        op = owner_of(value)
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
        elif lanes is not None and stride_of(shape, lanes) == 1:
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
        op = owner_of(value)
        if op is None:
            raise UnsupportedOpError(f"{value}: not an argument of the kernel")
        name = op.operation.name
        handler = HANDLERS.get(name)
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
        if lanes is not None and stride_of(shape, lanes) != 1:
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
                owner = owner_of(value)
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


def _constant_index(value: Any) -> int:
    op = owner_of(value)
    if op is None or op.operation.name != "arith.constant":
        raise UnsupportedOpError(f"{value}: expected a constant index")
    return int(ir.IntegerAttr(op.attributes["value"]).value)
