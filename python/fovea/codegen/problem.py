# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the IR asks of a contraction kernel: dims by class, extents, operands and their indexing maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from fovea.bindings import ir, linalg
from fovea.codegen.indexing import Index, IndexBuilder
from fovea.codegen.structured import iteration_extents, maps_of

SCALED = "fovea.scaled_contract"


@dataclass(frozen=True)
class ContractionProblem:
    """result[batch, m, n] = sum over k of left[batch, m, k] * right[batch, n, k].

    `batch`, `m`, `n`, `k` list iteration dims, outermost first; `left` and `right` are operand numbers. The side whose
    dim is innermost in the result is called n, so that results are stored along n.
    """

    op: Any
    extents: tuple[int, ...]
    batch: tuple[int, ...]
    m: tuple[int, ...]
    n: tuple[int, ...]
    k: tuple[int, ...]
    left: int
    right: int

    def size(self, dims: Sequence[int]) -> int:
        """Product of the extents of `dims`."""
        return prod(self.extents[d] for d in dims)

    def point(self, index: IndexBuilder, batch: Index, m: Index, n: Index, k: Index) -> list[Index]:
        """The point of the iteration space at flat positions along each class of dims."""
        point: list[Index] = [0] * len(self.extents)
        for dims, position in ((self.batch, batch), (self.m, m), (self.n, n), (self.k, k)):
            for dim, i in zip(dims, index.delinearize(position, [self.extents[d] for d in dims]), strict=True):
                point[dim] = i
        return point

    @property
    def result_map(self) -> Any:
        return maps_of(self.op)[-1]


def contraction_problem(op: Any) -> ContractionProblem | None:
    """The problem of an op that sums products of two tensors, None for any other op."""
    if len(op.results) != 1 or not (op.operation.name == SCALED or linalg.isa_contraction_op(op.operation)):
        return None
    every = maps_of(op)
    maps = [*every[:2], every[-1]]  # between them are the maps of scales
    if any(not isinstance(e, ir.AffineDimExpr) for map_ in maps for e in map_.results):
        return None
    extents = iteration_extents(op, every[: len(op.operands)])
    dims = [[e.position for e in map_.results] for map_ in maps]
    first, second, out = (set(d) for d in dims)

    def ordered(wanted: set[int], by: Sequence[int]) -> tuple[int, ...]:
        """Dims in the order of a map's results, unit dims first (they cost nothing and must not split lanes)."""
        return tuple(sorted(wanted, key=lambda d: (extents[d] != 1, list(by).index(d))))

    batch = ordered(first & second & out, dims[2])
    left_only, right_only = ordered((first & out) - second, dims[2]), ordered((second & out) - first, dims[2])
    k = ordered((first & second) - out, dims[0])
    if set(range(len(extents))) != set(batch) | set(left_only) | set(right_only) | set(k):
        return None
    innermost = next((d for d in reversed(dims[2]) if extents[d] != 1), None)
    swapped = innermost in left_only
    m, n = (right_only, left_only) if swapped else (left_only, right_only)
    return ContractionProblem(op, tuple(extents), batch, m, n, k, int(swapped), int(not swapped))
