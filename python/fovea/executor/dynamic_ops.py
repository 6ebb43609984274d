# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantisation with one scale a block, computed from the values; the meaning of each op is in `dialect/`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np

from fovea.dialect.dynamic_quantize import E8M0_BIAS, MAX_SCALE, MIN_SCALE, block_of
from fovea.dialect.quantize import STORAGE_MAX
from fovea.dialect.scaled_contract import scales_of
from fovea.executor.affine import Map
from fovea.executor.contraction import contract
from fovea.executor.handlers import Array, Frame, handles
from fovea.executor.types import convert, dtype_of, name_of

_E8M0 = np.dtype(ml_dtypes.float8_e8m0fnu)


def block_maxima(x: Array, block: Sequence[int]) -> Array:
    """The largest magnitude in each block of `x`, as f32; NaN is left out."""
    with np.errstate(over="ignore"):
        magnitudes = np.abs(convert(x, np.dtype(np.float32)))
    for axis, size in enumerate(block):
        if size == x.shape[axis]:
            magnitudes = np.fmax.reduce(magnitudes, axis=axis, keepdims=True)
        elif size > 1:
            magnitudes = np.fmax.reduceat(magnitudes, range(0, x.shape[axis], size), axis=axis)
    return np.where(np.isnan(magnitudes), np.float32(0), magnitudes)


def scales_for(maxima: Array, storage: str, dtype: np.dtype[Any]) -> Array:
    """The scales of blocks whose largest magnitudes are `maxima` (f32), as f32 or E8M0."""
    largest = np.float32(STORAGE_MAX[storage])
    if dtype == _E8M0:
        ratio, exponent = np.frexp(np.where(np.isinf(maxima), MAX_SCALE, maxima).astype(np.float64) / largest)
        exponent = exponent - (ratio == 0.5)  # of a power of two; every other ratio is rounded up to one
        exponent = np.where(maxima == 0, 0, np.clip(exponent, -E8M0_BIAS, E8M0_BIAS))
        return np.asarray(exponent + E8M0_BIAS, np.uint8).view(dtype)
    scale = np.clip(maxima / largest, MIN_SCALE, MAX_SCALE)
    return np.where(maxima == 0, np.float32(1), scale).astype(np.float32)


def spread(scale: Array, block: Sequence[int], shape: Sequence[int]) -> Array:
    """Scales as f32 over the elements that they belong to: of `shape`, or of size 1 along axes of one block."""
    wide = convert(scale, np.dtype(np.float32))
    for axis, (size, extent) in enumerate(zip(block, shape, strict=True)):
        if 1 < size < extent:
            wide = np.repeat(wide, size, axis=axis)[(slice(None),) * axis + (slice(extent),)]
    return wide


@handles("fovea.dynamic_quantize")
def _dynamic_quantize(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    (x,) = operands
    dtype, block = dtype_of(op.results[0].type), block_of(op)
    scale = scales_for(block_maxima(x, block), name_of(dtype), dtype_of(op.results[1].type))
    largest = float(ml_dtypes.finfo(dtype).max)
    wide = x if x.dtype == np.float64 else convert(x, np.dtype(np.float32))
    scaled = wide * np.reciprocal(spread(scale, block, x.shape))
    return [np.clip(scaled, -largest, largest).astype(dtype), scale]


@handles("fovea.dynamic_dequantize")
def _dynamic_dequantize(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    stored, scale = operands
    dtype = dtype_of(op.results[0].type)
    wide = convert(stored, np.dtype(np.float64 if dtype == np.float64 else np.float32))
    return [(wide * spread(scale, block_of(op), stored.shape)).astype(dtype, copy=False)]


@handles("fovea.scaled_contract")
def _scaled_contract(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    maps = [Map.of(attribute) for attribute in op.attributes["indexing_maps"]]
    sizes = [1] * maps[0].rank
    for map_, value in zip((*maps[:2], maps[-1]), (*operands[:2], op.results[0]), strict=True):
        shape = value.shape if isinstance(value, np.ndarray) else value.type.shape
        for dim, size in zip(map_.dims, shape, strict=True):
            assert dim is not None
            sizes[dim] = size
    factors, scales = [], iter(zip(operands[2:], maps[2:], strict=False))
    for stored, map_, scale in zip(operands[:2], maps[:2], scales_of(op), strict=True):
        factor = map_.view(convert(stored, np.dtype(np.float32)), sizes)
        if scale is not None:
            values, scale_map = next(scales)
            factor = factor * scale_map.view(convert(values, np.dtype(np.float32)), sizes)
        factors.append(factor)
    kept = [dim for dim in maps[-1].dims if dim is not None]
    return [contract(factors[0], factors[1], sizes, kept)]
