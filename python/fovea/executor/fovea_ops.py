# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The fovea dialect, and linalg.softmax. The meaning of each op is in `dialect/`."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import ml_dtypes
import numpy as np

from fovea.bindings import ir
from fovea.dialect.quantize import PER_TENSOR, axis_of, scale_array
from fovea.executor.affine import Map, positions
from fovea.executor.body import Body
from fovea.executor.contraction import contract
from fovea.executor.handlers import Array, Frame, handles
from fovea.executor.types import convert, dtype_of

Q, KV, K, D = -4, -3, -2, -1  # the last four dims of fovea.attention's iteration space
_SCORES = 1 << 25  # scores held at a time; more query rows go in pieces


def _scale(op: Any, rank: int) -> Array:
    """The op's f32 scale, shaped to broadcast over its operand."""
    scale, axis = scale_array(op), axis_of(op)
    return scale if axis == PER_TENSOR else scale.reshape([-1 if d == axis else 1 for d in range(rank)])


def _at_least_f32(x: Array) -> Array:
    return x if x.dtype == np.float64 else convert(x, np.dtype(np.float32))


@handles("fovea.quantize")
def _quantize(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    dtype = dtype_of(op.results[0].type)
    largest = float(ml_dtypes.finfo(dtype).max)
    scaled = _at_least_f32(operands[0]) * np.reciprocal(_scale(op, operands[0].ndim))
    return [np.clip(scaled, -largest, largest).astype(dtype)]


@handles("fovea.dequantize")
def _dequantize(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    dtype = dtype_of(op.results[0].type)
    wide = convert(operands[0], np.dtype(np.float64 if dtype == np.float64 else np.float32))
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


class _Site:
    """One execution of fovea.attention: maps, sizes, and its operands over the iteration space."""

    def __init__(self, frame: Frame, op: Any, operands: Sequence[Array]) -> None:
        self.maps = [Map.of(m) for m in ir.ArrayAttr(op.attributes["indexing_maps"])]
        self.rank = self.maps[0].rank
        self.sizes = _sizes(self.maps, operands, op)
        self.views = [m.view(x, self.sizes) for m, x in zip(self.maps, operands, strict=False)]
        block = op.operation.regions[0].blocks[0]
        self.body, self.score_dtype = Body(block, frame.value), dtype_of(block.arguments[0].type)
        self.compute = np.dtype(np.float64 if operands[0].dtype == np.float64 else np.float32)
        self.q, self.kv, self.k, self.d = (self.rank + place for place in (Q, KV, K, D))
        self.batch = list(range(self.q))

    def rows(self, low: int, high: int) -> tuple[Array, Array]:
        """(output over (batch..., q, d), log-sum-exp over (batch..., q)) of the query positions [low, high)."""
        sizes = list(self.sizes)
        sizes[self.q] = high - low
        rows = (slice(None),) * self.q + (slice(low, high),)
        query, key, value, *others = (v[rows] if v.shape[self.q] > 1 else v for v in self.views)
        # Neither contraction sums over the depth of the other.
        scores = contract(query, key, [*sizes[: self.d], 1], [*self.batch, self.q, self.kv])
        space = scores.reshape([*scores.shape, 1, 1])  # axes k and d, which the region does not see
        start = [low if dim == self.q else 0 for dim in range(self.rank)]
        (mapped,) = self.body.run(
            self.body.yields,
            [space.astype(self.score_dtype, copy=False), *others],
            lambda dim: positions(sizes[dim], dim, self.rank, start[dim]),
        )
        mapped = np.broadcast_to(mapped, space.shape).reshape(scores.shape).astype(self.compute, copy=False)
        weights, log = softmax(mapped, -1)
        without_k = [*sizes[: self.k], 1, sizes[self.d]]
        output = contract(weights.reshape(space.shape), value, without_k, [*self.batch, self.q, self.d])
        return output, log[..., 0]


@handles("fovea.attention")
def _attention(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    site = _Site(frame, op, operands)
    queries = site.sizes[site.q]
    row = prod(site.sizes[dim] for dim in [*site.batch, site.kv])
    step = max(1, min(queries, _SCORES // max(row, 1)))
    parts = [site.rows(low, min(low + step, queries)) for low in range(0, queries, step)]
    output, log = (np.concatenate(p, axis=site.q) if len(p) > 1 else p[0] for p in zip(*parts, strict=True))
    found = ((output, [*site.batch, site.q, site.d]), (log, [*site.batch, site.q]))
    results = []
    for result, map_, (value, dims) in zip(op.results, site.maps[len(operands) :], found, strict=False):
        ordered = value.transpose([dims.index(dim) for dim in map_.dims if dim is not None])
        results.append(ordered.astype(dtype_of(result.type), copy=False))
    return results


def _sizes(maps: Sequence[Map], operands: Sequence[Array], op: Any) -> list[int]:
    sizes: dict[int, int] = {}
    shapes = [x.shape for x in operands] + [tuple(r.type.shape) for r in op.results]
    for map_, shape in zip(maps, shapes, strict=True):
        for dim, size in zip(map_.dims, shape, strict=True):
            if dim is not None and size >= 0:
                sizes.setdefault(dim, size)
    return [sizes[dim] for dim in range(maps[0].rank)]
