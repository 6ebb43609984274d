# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Indexing maps applied to arrays: the operand of a structured op, seen over the iteration space.

A view has one axis a dim of the iteration space; the axis has size 1 where the map does not use the dim, so numpy's
broadcasting stands for reuse. Linear maps (permutations, constants, repeated dims, windows like d0*2 + d1) are views by
strides; maps with floordiv, ceildiv or mod gather.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.errors import ExecutionError

Array = np.ndarray[Any, Any]

_DIVISIONS = (
    (ir.AffineFloorDivExpr, lambda a, b: a // b),
    (ir.AffineCeilDivExpr, lambda a, b: -(-a // b)),
    (ir.AffineModExpr, lambda a, b: a % b),
)


def _expression(expression: Any) -> Any:
    """The bindings hand out expressions by their base class in places; this is the precise one."""
    return expression.maybe_downcast() if type(expression) is ir.AffineExpr else expression


def linear_form(expression: Any) -> tuple[dict[int, int], int] | None:
    """({dim: coefficient}, constant) of a linear expression, None for any other."""
    expression = _expression(expression)
    if isinstance(expression, ir.AffineDimExpr):
        return {expression.position: 1}, 0
    if isinstance(expression, ir.AffineConstantExpr):
        return {}, expression.value
    if isinstance(expression, (ir.AffineAddExpr, ir.AffineMulExpr)):
        left, right = linear_form(expression.lhs), linear_form(expression.rhs)
        if left is None or right is None:
            return None
        if isinstance(expression, ir.AffineAddExpr):
            sums = dict(left[0])
            for dim, coefficient in right[0].items():
                sums[dim] = sums.get(dim, 0) + coefficient
            return sums, left[1] + right[1]
        if left[0] and right[0]:
            return None
        factor, (terms, constant) = (right[1], left) if left[0] else (left[1], right)
        return {dim: c * factor for dim, c in terms.items()}, constant * factor
    return None


def evaluate(expression: Any, dims: Sequence[Any], symbols: Sequence[Any] = ()) -> Any:
    """The value of an affine expression; `dims` and `symbols` hold integers or integer arrays."""
    expression = _expression(expression)
    if isinstance(expression, ir.AffineDimExpr):
        return dims[expression.position]
    if isinstance(expression, ir.AffineSymbolExpr):
        return symbols[expression.position]
    if isinstance(expression, ir.AffineConstantExpr):
        return expression.value
    left, right = evaluate(expression.lhs, dims, symbols), evaluate(expression.rhs, dims, symbols)
    if isinstance(expression, ir.AffineAddExpr):
        return left + right
    if isinstance(expression, ir.AffineMulExpr):
        return left * right
    for kind, function in _DIVISIONS:
        if isinstance(expression, kind):
            return function(left, right)
    raise ExecutionError(f"cannot evaluate the affine expression {expression}")


@dataclass(frozen=True)
class Map:
    """An indexing map, taken apart once. `linear`: one linear form a result, None if a result is not linear."""

    source: Any
    rank: int
    linear: tuple[tuple[dict[int, int], int] | None, ...]

    @staticmethod
    def of(source: Any) -> Map:
        """From an `ir.AffineMap` or its attribute."""
        source = source.value if isinstance(source, ir.AffineMapAttr) else source
        return Map(source, source.n_dims, tuple(map(linear_form, source.results)))

    @cached_property
    def dims(self) -> tuple[int | None, ...]:
        """For each result the dim that it is, None if it is anything else."""
        return tuple(
            next(iter(form[0])) if form and form[1] == 0 and list(form[0].values()) == [1] else None
            for form in self.linear
        )

    @cached_property
    def linear_key(self) -> Any:
        """Equal for maps that are the same; to be used in a dict. None in it stands for a result that is not linear."""
        return self.rank, tuple(None if form is None else (tuple(sorted(form[0].items())), form[1])
                                for form in self.linear)  # fmt: skip

    @cached_property
    def used(self) -> frozenset[int]:
        """Dims that any result depends on."""
        used: set[int] = set()
        pending = list(self.source.results)
        while pending:
            expression = _expression(pending.pop())
            if isinstance(expression, ir.AffineDimExpr):
                used.add(expression.position)
            elif isinstance(expression, ir.AffineBinaryExpr):
                pending += [expression.lhs, expression.rhs]
        return frozenset(used)

    @cached_property
    def is_projection(self) -> bool:
        """True if each result is a different dim: the view neither repeats nor overlaps elements."""
        return None not in self.dims and len(set(self.dims)) == len(self.dims)

    def view(self, array: Array, sizes: Sequence[int]) -> Array:
        """`array` over the iteration space of `sizes`; size 1 along dims that the map does not use."""
        if self.is_projection:
            return _project(array, self.dims, sizes)
        if None not in self.linear:
            return _stride(array, self.linear, sizes)
        grids = [positions(size, dim, self.rank) for dim, size in enumerate(sizes)]
        indices = tuple(np.asarray(evaluate(e, grids)) for e in self.source.results)
        check_bounds(indices, array.shape)
        # a dim that no result uses has size 1 in every index, and an all-constant map a 0-d index
        return array[indices].reshape(np.broadcast_shapes(*(i.shape for i in indices), (1,) * self.rank))


def positions(size: int, dim: int, rank: int, start: int = 0) -> Array:
    """start, start + 1, ... along axis `dim` of `rank` axes."""
    return np.arange(start, start + size, dtype=np.int64).reshape([-1 if d == dim else 1 for d in range(rank)])


def _project(array: Array, dims: Sequence[int | None], sizes: Sequence[int]) -> Array:
    order = sorted(range(len(dims)), key=lambda axis: dims[axis] or 0)
    transposed = array.transpose(order)
    shape = [1] * len(sizes)
    for axis, dim in enumerate(dims):
        assert dim is not None
        if array.shape[axis] != sizes[dim]:
            raise ExecutionError(f"operand of shape {array.shape} does not fit an iteration space of {tuple(sizes)}")
        shape[dim] = sizes[dim]
    return transposed.reshape(shape)  # only adds axes of size 1: a view


def _stride(array: Array, forms: Sequence[Any], sizes: Sequence[int]) -> Array:
    origin: list[Any] = []
    shape, strides = [1] * len(sizes), [0] * len(sizes)
    empty = 0 in sizes
    for axis, (terms, constant) in enumerate(forms):
        reach = [c * (sizes[d] - 1) for d, c in terms.items()]
        low, high = constant + sum(r for r in reach if r < 0), constant + sum(r for r in reach if r > 0)
        if not empty and not 0 <= low <= high < array.shape[axis]:
            raise ExecutionError(
                f"operand of shape {array.shape} is read at [{low}, {high}] along axis {axis}, past its end"
            )
        origin.append(slice(constant, None))
        for dim, coefficient in terms.items():
            shape[dim] = sizes[dim]
            strides[dim] += coefficient * array.strides[axis]
    if empty:
        return np.empty([s if d in {k for f in forms for k in f[0]} else 1 for d, s in enumerate(sizes)], array.dtype)
    return np.lib.stride_tricks.as_strided(array[tuple(origin)], shape, strides, writeable=False)


def check_bounds(indices: Sequence[Array], shape: Sequence[int]) -> None:
    """ExecutionError if an index lies outside `shape` (numpy would wrap a negative one)."""
    for axis, (index, size) in enumerate(zip(indices, shape, strict=True)):
        if index.size == 0:
            continue
        low, high = int(index.min()), int(index.max())
        if low < 0 or high >= size:
            raise ExecutionError(f"index {low if low < 0 else high} is out of bounds for axis {axis} of size {size}")
