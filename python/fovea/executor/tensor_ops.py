# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tensor dialect. Results are views of their operands where numpy has one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.errors import ExecutionError
from fovea.executor import body as region_body
from fovea.executor.affine import positions
from fovea.executor.constants import zeros
from fovea.executor.handlers import Array, Frame, handles
from fovea.executor.recycling import reshape
from fovea.executor.types import dtype_of, location_text, static_shape


def _integers(op: Any, name: str) -> list[int]:
    return list(ir.DenseI64ArrayAttr(op.attributes[name]))


def _mixed(static: Sequence[int], dynamic: Sequence[Array], marker: int) -> list[int]:
    """Static values with `marker` replaced by the dynamic ones, in order."""
    values = iter(dynamic)
    return [int(next(values)) if value == marker else value for value in static]


def _segments(op: Any, operands: Sequence[Array]) -> list[Sequence[Array]]:
    """The operands by the op's operand groups."""
    groups, start = [], 0
    for size in ir.DenseI32ArrayAttr(op.attributes["operandSegmentSizes"]):
        groups.append(operands[start : start + size])
        start += size
    return groups


def result_shape(op: Any, dynamic: Sequence[Array], index: int = 0) -> tuple[int, ...]:
    """Shape of a result whose dynamic sizes are operands, in order."""
    sizes = iter(dynamic)
    return tuple(int(next(sizes)) if size is None else size for size in static_shape(op.results[index].type))


@handles("tensor.empty")
def _empty(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    return [zeros(result_shape(op, operands), dtype_of(op.results[0].type))]


def _slices(op: Any, groups: Sequence[Sequence[Array]]) -> tuple[list[int], tuple[slice, ...]]:
    """Sizes and window of a slice; `groups`: the operands that are its dynamic offsets, sizes and strides."""
    dynamic_size, dynamic_offset = ir.ShapedType.get_dynamic_size(), ir.ShapedType.get_dynamic_stride_or_offset()
    offsets = _mixed(_integers(op, "static_offsets"), groups[0], dynamic_offset)
    sizes = _mixed(_integers(op, "static_sizes"), groups[1], dynamic_size)
    strides = _mixed(_integers(op, "static_strides"), groups[2], dynamic_offset)
    window = []
    for offset, size, stride in zip(offsets, sizes, strides, strict=True):
        stop = offset + (size - 1) * stride + (1 if stride > 0 else -1)
        window.append(slice(offset, None if stop < 0 else stop, stride) if size else slice(0, 0))
    return sizes, tuple(window)


def _window(op: Any, array: Array, sizes: Sequence[int], window: tuple[slice, ...]) -> Array:
    part = array[window]
    if part.shape != tuple(sizes) or any(s.start < 0 for s in window):
        raise ExecutionError(
            f"{location_text(op)}: '{op.operation.name}': the slice of sizes {sizes} is out of bounds of {array.shape}"
        )
    return part


def _dropped_ones(sizes: Sequence[int], shape: Sequence[int | None]) -> list[int]:
    """`sizes` without the axes of size 1 that a rank-reducing slice drops."""
    return [size or 0 for size in shape] if None not in shape else _match_sizes(sizes, shape)


def _match_sizes(sizes: Sequence[int], shape: Sequence[int | None]) -> list[int]:
    left = len(sizes) - len(shape)
    kept: list[int] = []
    for size in sizes:
        wanted = shape[len(kept)] if len(kept) < len(shape) else 0
        if left and size == 1 and wanted != 1:
            left -= 1
        else:
            kept.append(size)
    return kept


@handles("tensor.extract_slice")
def _extract_slice(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    groups = _segments(op, operands)
    sizes, window = _slices(op, groups[1:])
    part = _window(op, groups[0][0], sizes, window)
    return [part.reshape(_dropped_ones(sizes, static_shape(op.results[0].type)))]


@handles("tensor.insert_slice")
def _insert_slice(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    groups = _segments(op, operands)
    sizes, window = _slices(op, groups[2:])
    result = np.array(groups[1][0])
    _window(op, result, sizes, window)[...] = groups[0][0].reshape(sizes)
    return [result]


@handles("tensor.expand_shape")
def _expand_shape(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    shape = _mixed(_integers(op, "static_output_shape"), operands[1:], ir.ShapedType.get_dynamic_size())
    return [operands[0].reshape(shape)]


@handles("tensor.collapse_shape")
def _collapse_shape(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    groups = [[ir.IntegerAttr(i).value for i in ir.ArrayAttr(g)] for g in ir.ArrayAttr(op.attributes["reassociation"])]
    source = operands[0]
    return [reshape(source, [int(np.prod([source.shape[axis] for axis in group], dtype=np.int64)) for group in groups])]


@handles("tensor.reshape")
def _reshape(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    return [operands[0].reshape([int(size) for size in operands[1]])]


@handles("tensor.cast")
def _cast(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    type_ = op.results[0].type
    wanted = static_shape(type_) if isinstance(type_, ir.RankedTensorType) else operands[0].shape
    if any(w is not None and w != size for w, size in zip(wanted, operands[0].shape, strict=True)):
        raise ExecutionError(f"{location_text(op)}: tensor.cast: expected {type_}, found shape {operands[0].shape}")
    return [operands[0]]


@handles("tensor.bitcast")
def _bitcast(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    return [np.ascontiguousarray(operands[0]).view(dtype_of(op.results[0].type))]


@handles("tensor.dim")
def _dim(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    return [np.asarray(operands[0].shape[int(operands[1])], np.int64)]


@handles("tensor.rank")
def _rank(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    return [np.asarray(operands[0].ndim, np.int64)]


@handles("tensor.extract")
def _extract(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    return [np.asarray(region_body.gather(location_text(op), operands[0], operands[1:]))]


@handles("tensor.insert")
def _insert(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    result, at = np.array(operands[1]), tuple(int(i) for i in operands[2:])
    region_body.gather(location_text(op), result, operands[2:])  # checks the bounds
    result[at] = operands[0]
    return [result]


@handles("tensor.from_elements")
def _from_elements(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    shape = [size or 0 for size in static_shape(op.results[0].type)]
    return [np.array(operands, dtype_of(op.results[0].type)).reshape(shape)]


@handles("tensor.splat")
def _splat(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    return [np.broadcast_to(operands[0], result_shape(op, operands[1:]))]


@handles("tensor.concat")
def _concat(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    return [np.concatenate(operands, axis=ir.IntegerAttr(op.attributes["dim"]).value)]


def _over_positions(frame: Frame, op: Any, shape: Sequence[int]) -> Array:
    """The value of a region whose block arguments are the position in `shape`."""
    body = region_body.Body(op.operation.regions[0].blocks[0], frame.value)
    grids = [positions(size, axis, len(shape)) for axis, size in enumerate(shape)]
    (value,) = body.run(body.yields, grids, lambda dim: grids[dim])
    return np.broadcast_to(value, tuple(shape))


@handles("tensor.generate")
def _generate(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    return [_over_positions(frame, op, result_shape(op, operands))]


@handles("tensor.pad")
def _pad(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    (source,), low_operands, high_operands = _segments(op, operands)
    marker = ir.ShapedType.get_dynamic_size()
    low = _mixed(_integers(op, "static_low"), low_operands, marker)
    high = _mixed(_integers(op, "static_high"), high_operands, marker)
    shape = [before + size + after for before, size, after in zip(low, source.shape, high, strict=True)]
    result = np.array(_over_positions(frame, op, shape))
    # a negative amount crops
    target = tuple(slice(max(b, 0), n - max(a, 0)) for b, a, n in zip(low, high, shape, strict=True))
    kept = tuple(slice(max(-b, 0), n - max(-a, 0)) for b, a, n in zip(low, high, source.shape, strict=True))
    result[target] = source[kept]
    return [result]


@handles("tensor.gather")
def _gather(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    source, positions = operands
    dims = _integers(op, "gather_dims")
    index: list[Any] = [slice(None)] * source.ndim
    for place, dim in enumerate(dims):
        index[dim] = positions[..., place]
    region_body.gather(location_text(op), np.empty([source.shape[d] for d in dims]), [index[d] for d in dims])
    moved = source.transpose([*dims, *(d for d in range(source.ndim) if d not in dims)])
    picked = moved[tuple(index[d] for d in dims)]
    return [picked.reshape(result_shape(op, ()))]
