# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the IR asks of a contraction kernel: dims by class, extents, operands and their indexing maps.

A convolution is a contraction whose input is read at an affine function of m and k (an implicit GEMM): m is (batch,
image), n the output channels, k the filter's window and the input channels, and groups are a batch. Nothing is copied:
loads of the input go through its indexing map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from fovea.bindings import ir, linalg
from fovea.codegen.indexing import Index, IndexBuilder
from fovea.codegen.structured import as_map, dims_of, is_sum_of_products, iteration_extents, maps_of

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
    """The problem of an op that sums products of two tensors, None for any other op.

    That is a contraction, with scales of blocks or without, or a convolution but for depthwise ones (see
    `is_matrix_convolution`).
    """
    if len(op.results) != 1:
        return None
    convolution = op.operation.name != SCALED and not linalg.isa_contraction_op(op.operation)
    if convolution and not is_matrix_convolution(op):
        return None
    every = maps_of(op)
    maps = [*every[:2], every[-1]]  # between them are the maps of scales
    if any(not isinstance(e, ir.AffineDimExpr) for map_ in maps[convolution:] for e in map_.results):
        return None
    extents = iteration_extents(op, every[: len(op.operands)])
    dims = [[d for e in map_.results for d in sorted(dims_of(e))] for map_ in maps]
    first, second, out = (set(d) for d in dims)

    def ordered(wanted: set[int], by: Sequence[int]) -> tuple[int, ...]:
        """Dims in the order of a map's results, unit dims first (they cost nothing and must not split lanes)."""
        return tuple(sorted(wanted, key=lambda d: (extents[d] != 1, list(by).index(d))))

    batch = ordered(first & second & out, dims[2])
    left_only, right_only = ordered((first & out) - second, dims[2]), ordered((second & out) - first, dims[2])
    k = ordered((first & second) - out, dims[1] if convolution else dims[0])
    if set(range(len(extents))) != set(batch) | set(left_only) | set(right_only) | set(k):
        return None
    innermost = next((d for d in reversed(dims[2]) if extents[d] != 1), None)
    swapped = innermost in left_only
    m, n = (right_only, left_only) if swapped else (left_only, right_only)
    return ContractionProblem(op, tuple(extents), batch, m, n, k, int(swapped), int(not swapped))


def is_matrix_convolution(op: Any) -> bool:
    """Whether `op` is a convolution that is work for matrix instructions.

    Not a depthwise one, whose groups have a single input channel: a matrix instruction would sum over the window alone,
    for the few output channels of one group.
    """
    if not linalg.isa_convolution_op(op.operation) or not is_sum_of_products(op):
        return False
    found = linalg.infer_convolution_dimensions(op.operation)
    extents = iteration_extents(op, [as_map(m) for m in linalg.get_indexing_maps(op)])
    groups, channels = (prod(extents[d] for d in dims) for dims in (list(found.depth), list(found.input_channel)))
    return groups == 1 or channels > 1
