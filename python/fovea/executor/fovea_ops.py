# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The fovea dialect, and linalg.softmax. The meaning of each op is in `dialect/`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np

from fovea.bindings import ir
from fovea.dialect.quantize import PER_TENSOR, axis_of, scale_array
from fovea.executor.affine import Map, positions
from fovea.executor.body import Body
from fovea.executor.contraction import contract
from fovea.executor.handlers import Array, Frame, handles
from fovea.executor.types import dtype_of

Q, KV, K, D = -4, -3, -2, -1  # the last four dims of fovea.attention's iteration space


def _scale(op: Any, rank: int) -> Array:
    """The op's f32 scale, shaped to broadcast over its operand."""
    scale, axis = scale_array(op), axis_of(op)
    return scale if axis == PER_TENSOR else scale.reshape([-1 if d == axis else 1 for d in range(rank)])


def _at_least_f32(x: Array) -> Array:
    return x if x.dtype == np.float64 else x.astype(np.float32, copy=False)


@handles("fovea.quantize")
def _quantize(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    dtype = dtype_of(op.results[0].type)
    largest = float(ml_dtypes.finfo(dtype).max)
    scaled = _at_least_f32(operands[0]) * np.reciprocal(_scale(op, operands[0].ndim))
    return [np.clip(scaled, -largest, largest).astype(dtype)]


@handles("fovea.dequantize")
def _dequantize(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    dtype = dtype_of(op.results[0].type)
    wide = operands[0].astype(np.float64 if dtype == np.float64 else np.float32)
    return [(wide * _scale(op, operands[0].ndim)).astype(dtype, copy=False)]


@handles("fovea.capture")
def _capture(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    frame.captured_value(op, ir.StringAttr(op.attributes["id"]).value, operands[0])
    return [operands[0]]


def softmax(x: Array, axis: int) -> tuple[Array, Array]:
    """(softmax along `axis`, log-sum-exp with that axis kept at size 1), computed in x's type.

    A row that is all -inf gives NaN, as exp(x - max) / sum does, and a log-sum-exp of -inf.
    """
    largest = x.max(axis=axis, keepdims=True)
    exponents = np.exp(x - largest)
    total = exponents.sum(axis=axis, keepdims=True)
    exponents /= total
    log = largest + np.log(total)
    return exponents, np.where(np.isneginf(largest), largest, log)


@handles("linalg.softmax")
def _softmax(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    axis = ir.IntegerAttr(op.attributes["dimension"]).value
    return [softmax(_at_least_f32(operands[0]), axis)[0].astype(dtype_of(op.results[0].type), copy=False)]


def _axes(map_: Map, view: Array, kept: Sequence[int]) -> Array:
    """A value with one axis a dim of the space, as the result that `map_` describes over the dims `kept`."""
    order = [kept.index(d) for d in map_.dims if d is not None]
    return view.transpose(order)


@handles("fovea.attention")
def _attention(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    maps = [Map.of(m) for m in ir.ArrayAttr(op.attributes["indexing_maps"])]
    rank = maps[0].rank
    sizes = _sizes(maps, operands, op)
    query, key, value, *others = (m.view(x, sizes) for m, x in zip(maps, operands, strict=False))
    q, kv, _k, d = (rank + place for place in (Q, KV, K, D))
    batch = list(range(q))
    compute = np.dtype(np.float64 if query.dtype == np.float64 else np.float32)

    # Each contraction leaves out the depth of the other: it sums over one dim only.
    scores = contract(query, key, [*sizes[:d], 1], [*batch, q, kv])
    block = op.operation.regions[0].blocks[0]
    score_dtype = dtype_of(block.arguments[0].type)
    space = scores.reshape([*scores.shape, 1, 1]).astype(score_dtype, copy=False)
    body = Body(block, frame.value)
    (mapped,) = body.run(body.yields, [space, *others], _positions(sizes))
    mapped = np.broadcast_to(mapped, space.shape).reshape(scores.shape).astype(compute, copy=False)
    weights, log = softmax(mapped, -1)
    output = contract(weights.reshape([*weights.shape, 1, 1]), value, [*sizes[:k], 1, sizes[d]], [*batch, q, d])
    n = len(operands)
    results = [_axes(maps[n], output, [*batch, q, d])]
    if len(op.results) == 2:
        results.append(_axes(maps[n + 1], log[..., 0], [*batch, q]))
    return [r.astype(dtype_of(o.type), copy=False) for r, o in zip(results, op.results, strict=True)]


def _sizes(maps: Sequence[Map], operands: Sequence[Array], op: Any) -> list[int]:
    sizes: dict[int, int] = {}
    shapes = [x.shape for x in operands] + [tuple(r.type.shape) for r in op.results]
    for map_, shape in zip(maps, shapes, strict=True):
        for dim, size in zip(map_.dims, shape, strict=True):
            if dim is not None and size >= 0:
                sizes.setdefault(dim, size)
    return [sizes[dim] for dim in range(maps[0].rank)]


def _positions(sizes: Sequence[int]) -> Any:
    return lambda dim: positions(sizes[dim], dim, len(sizes))
