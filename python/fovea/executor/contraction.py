# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sums of products through BLAS."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import prod
from typing import Any

import numpy as np

from fovea.executor.pieces import cut, run_all
from fovea.executor.recycling import empty, reshape
from fovea.executor.types import convert, is_float

Array = np.ndarray[Any, Any]

# Integers whose products add up to less than this are exact in f64, where BLAS runs.
_EXACT_F64 = 2**53
# Multiplications of a piece: of a stack of matrices, and of one matrix. BLAS copies both operands into its own order,
# so pieces of one matrix are large, and have at least so many rows or columns.
_SMALL_PIECE, _LARGE_PIECE, _LEAST = 1 << 21, 1 << 26, 256


def contract(a: Array, b: Array, sizes: Sequence[int], kept: Sequence[int]) -> Array:
    """Sum of a*b over the dims that are not in `kept`; the axes of the result are `kept`, in that order.

    `a` and `b` have one axis a dim of the iteration space, of size 1 where they do not depend on it. Products are added
    in f64 if an operand is f64, in f32 for other floats and modulo 2**64 for integers; the result has that type, and
    the caller rounds or wraps it to what the op yields.
    """
    if not is_float(a.dtype):
        return _contract_integers(a, b, sizes, kept)
    compute = np.dtype(np.float64 if np.float64 in (a.dtype, b.dtype) else np.float32)
    return _matmul(convert(a, compute), convert(b, compute), sizes, kept)


def _contract_integers(a: Array, b: Array, sizes: Sequence[int], kept: Sequence[int]) -> Array:
    terms = prod(sizes[d] for d in range(len(sizes)) if d not in kept)
    if a.size and b.size and terms * _largest(a) * _largest(b) < _EXACT_F64:
        exact = _matmul(a.astype(np.float64), b.astype(np.float64), sizes, kept)
        return exact.astype(np.int64)
    return _matmul(a.astype(np.int64), b.astype(np.int64), sizes, kept)


def _largest(x: Array) -> int:
    return max(abs(int(x.min())), abs(int(x.max())))


def _matmul(a: Array, b: Array, sizes: Sequence[int], kept: Sequence[int]) -> Array:
    rank, dropped = len(sizes), [d for d in range(len(sizes)) if d not in kept]
    in_a = {d for d in range(rank) if a.shape[d] > 1}
    in_b = {d for d in range(rank) if b.shape[d] > 1}
    a = _sum(a, in_a - in_b, dropped)
    b = _sum(b, in_b - in_a, dropped)
    neither = prod(sizes[d] for d in dropped if d not in in_a and d not in in_b)
    batch = [d for d in kept if d in in_a and d in in_b]
    m = [d for d in kept if d in in_a and d not in in_b]
    n = [d for d in kept if d in in_b and d not in in_a]
    k = [d for d in dropped if d in in_a and d in in_b]
    if not m and not n:  # no reuse: BLAS would run a dot product at a time
        result = np.multiply(a, b).sum(axis=tuple(dropped), keepdims=True)
        result = result.transpose([*kept, *dropped]).reshape([result.shape[d] for d in kept])
        free = [*kept]
    else:
        left = _pack(a, batch, m, k, sizes)
        right = _pack(b, batch, k, n, sizes)
        result = _product(left, right)
        free = [*batch, *m, *n]
        result = result.reshape([sizes[d] for d in free])
        ones = [d for d in kept if d not in free]
        result = result.reshape([sizes[d] for d in free] + [1] * len(ones))
        free += ones
        result = result.transpose([free.index(d) for d in kept])
    if neither != 1:
        result = result * result.dtype.type(neither)
    return np.broadcast_to(result, [sizes[d] for d in kept])


def _product(left: Array, right: Array) -> Array:
    """np.matmul of two arrays with the same leading axes, in pieces."""
    m, n = left.shape[-2], right.shape[-1]
    work = prod(left.shape) * n
    shape = (*left.shape[:-1], n)
    dtype = np.result_type(left, right)
    if left.ndim > 2 and shape[0] > 1:
        result = empty(shape, dtype)
        step = -(-shape[0] // max(1, min(shape[0], work // _SMALL_PIECE)))
        run_all(lambda low, high: np.matmul(left[low:high], right[low:high], out=result[low:high]), cut(shape[0], step))
        return result
    size = max(m, n)
    count = min(work // _LARGE_PIECE, size // _LEAST)
    if count < 2:
        return np.matmul(left, right, out=empty(shape, dtype))
    result = empty(shape, dtype)
    step = -(-size // (1 << count.bit_length() - 1))  # a power of two of equal pieces

    def rows(low: int, high: int) -> None:
        np.matmul(left[..., low:high, :], right, out=result[..., low:high, :])

    def columns(low: int, high: int) -> None:
        np.matmul(left, right[..., low:high], out=result[..., low:high])

    run_all(rows if m >= n else columns, cut(size, step))
    return result


def _sum(x: Array, only: Collection[int], dropped: Collection[int]) -> Array:
    """Sum over the contracted dims that only this operand has."""
    axes = tuple(d for d in dropped if d in only)
    return x.sum(axis=axes, keepdims=True) if axes else x


def _pack(x: Array, batch: Sequence[int], rows: Sequence[int], columns: Sequence[int], sizes: Sequence[int]) -> Array:
    """`x` as (batch..., rows, columns), each of the last two merged into one axis."""
    used = {*batch, *rows, *columns}
    order = [*batch, *rows, *columns]
    squeezed = x.transpose([*order, *(d for d in range(x.ndim) if d not in used)])
    shape = [*(sizes[d] for d in batch), prod(sizes[d] for d in rows), prod(sizes[d] for d in columns)]
    return reshape(squeezed, shape)
