# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Index arithmetic with folding, reuse and known alignment.

An index is a Python int when it is known at compile time and an `index` value otherwise; all indices are >= 0. Equal
expressions are built once a scope, and the power of two that divides a value is tracked, so that loads know how they
are aligned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import gcd
from typing import Any

from fovea.bindings import arith, ir

Index = Any  # int | ir.Value
_UNKNOWN_BASE = 1 << 20  # alignment of the constant 0


class IndexBuilder:
    """Builds index expressions at the current insertion point."""

    def __init__(self) -> None:
        self._scopes: list[dict[Any, Any]] = [{}]
        self._origin: dict[Any, tuple[str, Index, int]] = {}
        self._multiple: dict[Any, int] = {}

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Values made inside are not reused outside (the body of a loop or of a branch)."""
        self._scopes.append({})
        try:
            yield
        finally:
            self._scopes.pop()

    def remember(self, key: Any, value: Any) -> Any:
        """Keep `value` under `key` while the current scope lasts."""
        self._scopes[-1][key] = value
        return value

    def recall(self, key: Any) -> Any | None:
        """What `remember` kept under `key` in this scope or one around it."""
        for scope in reversed(self._scopes):
            if key in scope:
                return scope[key]
        return None

    def multiple_of(self, index: Index) -> int:
        """The largest known power of two (capped) that divides `index`."""
        if isinstance(index, int):
            return index & -index if index else _UNKNOWN_BASE
        return self._multiple.get(index, 1)

    def assume_multiple(self, index: Index, factor: int) -> Index:
        """Record that `index` is a multiple of `factor`."""
        if not isinstance(index, int):
            self._multiple[index] = max(self.multiple_of(index), factor & -factor)
        return index

    def value(self, index: Index) -> Any:
        """`index` as an SSA value."""
        if not isinstance(index, int):
            return index
        key = ("constant", index)
        known = self.recall(key)
        return known if known is not None else self.remember(key, arith.constant(ir.IndexType.get(), index))

    def _build(self, kind: str, builder: Any, left: Index, right: Index, multiple: int) -> Any:
        key = (kind, left, right)
        known = self.recall(key)
        if known is not None:
            return known
        result = builder(self.value(left), self.value(right))
        self._multiple[result] = max(multiple, 1)
        return self.remember(key, result)

    def add(self, left: Index, right: Index) -> Index:
        if isinstance(left, int) and isinstance(right, int):
            return left + right
        if isinstance(left, int) and left == 0:
            return right
        if isinstance(right, int) and right == 0:
            return left
        return self._build("add", arith.addi, left, right, gcd(self.multiple_of(left), self.multiple_of(right)))

    def mul(self, left: Index, factor: int) -> Index:
        if isinstance(left, int):
            return left * factor
        if factor == 0:
            return 0
        if factor == 1:
            return left
        multiple = min(self.multiple_of(left) * self.multiple_of(factor), _UNKNOWN_BASE)
        return self._build("mul", arith.muli, left, factor, multiple)

    def div(self, left: Index, factor: int) -> Index:
        if isinstance(left, int):
            return left // factor
        if factor == 1:
            return left
        multiple = max(self.multiple_of(left) // factor, 1) if factor & (factor - 1) == 0 else 1
        result = self._build("div", arith.divui, left, factor, multiple)
        self._origin[result] = ("div", left, factor)
        return result

    def mod(self, left: Index, factor: int) -> Index:
        if isinstance(left, int):
            return left % factor
        if factor == 1:
            return 0
        result = self._build("mod", arith.remui, left, factor, gcd(self.multiple_of(left), factor & -factor))
        self._origin[result] = ("mod", left, factor)
        return result

    def minimum(self, left: Index, bound: int) -> Index:
        """min(left, bound); keeps no alignment."""
        if isinstance(left, int):
            return min(left, bound)
        return self._build("min", arith.minui, left, bound, 1)

    def less(self, left: Index, bound: int) -> Any:
        """left < bound as an i1 value, or a Python bool when both are known."""
        if isinstance(left, int):
            return left < bound
        return self._build("less", lambda a, b: arith.cmpi(arith.CmpIPredicate.ult, a, b), left, bound, 1)

    def linearize(self, indices: Sequence[Index], shape: Sequence[int]) -> Index:
        """Row-major position of `indices` in `shape`; undoes `delinearize` where it can."""
        position: Index = 0
        for index, extent in zip(indices, shape, strict=True):
            position = self._combine(position, extent, index)
        return position

    def _combine(self, outer: Index, extent: int, inner: Index) -> Index:
        if not isinstance(outer, int) and not isinstance(inner, int):
            above, below = self._origin.get(outer), self._origin.get(inner)
            if above and below and above == ("div", below[1], extent) and below == ("mod", above[1], extent):
                return above[1]
        return self.add(self.mul(outer, extent), inner)

    def delinearize(self, position: Index, shape: Sequence[int]) -> tuple[Index, ...]:
        """Indices in `shape` of the row-major `position`, which is inside it."""
        indices: list[Index] = []
        significant = [extent != 1 for extent in shape]
        outermost = significant.index(True) if any(significant) else 0
        for axis in range(len(shape) - 1, -1, -1):
            extent = shape[axis]
            if extent == 1:
                indices.append(0)
            elif axis == outermost:
                indices.append(position)
            else:
                indices.append(self.mod(position, extent))
                position = self.div(position, extent)
        return tuple(reversed(indices))

    def affine(self, expression: Any, dims: Sequence[Index]) -> Index:
        """The value of an affine expression of non-negative dims."""
        if isinstance(expression, ir.AffineConstantExpr):
            return int(expression.value)
        if isinstance(expression, ir.AffineDimExpr):
            return dims[expression.position]
        left, right = self.affine(expression.lhs, dims), self.affine(expression.rhs, dims)
        if isinstance(expression, ir.AffineAddExpr):
            return self._offset(left, right) if isinstance(right, int) and right < 0 else self.add(left, right)
        if not isinstance(right, int):
            left, right = right, left
        if isinstance(expression, ir.AffineMulExpr):
            return self.mul(left, right)
        if isinstance(expression, ir.AffineFloorDivExpr):
            return self.div(left, right)
        if isinstance(expression, ir.AffineModExpr):
            return self.mod(left, right)
        raise ValueError(f"unexpected affine expression {expression}")

    def _offset(self, left: Index, negative: int) -> Index:
        if isinstance(left, int):
            return left + negative
        return self._build("add", arith.addi, left, self.value(negative), gcd(self.multiple_of(left), -negative))


def stride_of(shape: Sequence[int], axis: int) -> int:
    """Elements between neighbours along `axis` of a row-major shape."""
    stride = 1
    for extent in shape[axis + 1 :]:
        stride *= extent
    return stride


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
