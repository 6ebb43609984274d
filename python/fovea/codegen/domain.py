# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How the index of a value follows from the index of the value it is computed from, where that is one to one.

A kernel walks the index space of its hero (the result of a contraction, say) and stores what follows from it: bias,
activation, reshapes, transposes. `Paths` finds for each value of a kernel function how its index follows from the
hero's. `form-kernels` asks the same question to decide what may join a kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fovea.bindings import ir, linalg
from fovea.codegen.indexing import Index, IndexBuilder, reshape_index
from fovea.codegen.structured import as_map, iteration_extents

RESHAPES = ("tensor.expand_shape", "tensor.collapse_shape")
SAME_INDEX = ("tensor.cast", "fovea.quantize", "fovea.dequantize", "fovea.capture")

Place = tuple[tuple[Index, ...], "int | None"]  # indices, and the dim along which lanes run


@dataclass(frozen=True)
class Reshape:
    """Row-major order kept."""

    from_shape: tuple[int, ...]
    to_shape: tuple[int, ...]

    def apply(self, index: IndexBuilder, place: Place, width: int) -> Place | None:
        indices, lanes = place
        return reshape_index(index, indices, self.from_shape, self.to_shape, lanes, width)


@dataclass(frozen=True)
class Permute:
    """Dim i of the result is dim `order[i]` of the source; -1 for a unit dim that the source lacks."""

    order: tuple[int, ...]

    def apply(self, index: IndexBuilder, place: Place, width: int) -> Place | None:
        indices, lanes = place
        moved = tuple(0 if source < 0 else indices[source] for source in self.order)
        return moved, None if lanes is None else self.order.index(lanes)


Step = Reshape | Permute


def is_elementwise(op: Any) -> bool:
    """A structured op whose iteration dims are all parallel (each is a dim of the result, or has extent 1)."""
    if not op.operation.name.startswith("linalg.") or not op.results:
        return False
    maps = [as_map(m) for m in linalg.get_indexing_maps(op)]
    outputs = maps[len(maps) - len(op.results) :]
    extents = iteration_extents(op, maps)
    for output in outputs:
        dims = set()
        for expression in output.results:
            if isinstance(expression, ir.AffineDimExpr):
                dims.add(expression.position)
            elif not isinstance(expression, ir.AffineConstantExpr):
                return False
        if any(extent != 1 and dim not in dims for dim, extent in enumerate(extents)):
            return False
    return True


def step_of(op: Any, operand: int, result: int = 0) -> Step | None:
    """How `op`'s result index follows from the index of its operand, or None if not one to one."""
    name = op.operation.name
    value, out = op.operands[operand], op.results[result]
    if not isinstance(value.type, ir.RankedTensorType) or not isinstance(out.type, ir.RankedTensorType):
        return None
    if name in RESHAPES:
        return Reshape(tuple(value.type.shape), tuple(out.type.shape))
    if name in SAME_INDEX or name.startswith(("arith.", "math.")):
        return Permute(tuple(range(out.type.rank)))
    if not is_elementwise(op):
        return None
    maps = [as_map(m) for m in linalg.get_indexing_maps(op)]
    if operand >= len(maps) - len(op.results):
        return None  # an init operand
    source, target = maps[operand], maps[len(maps) - len(op.results) + result]
    return _permutation(source, list(value.type.shape), target, iteration_extents(op, maps))


def _permutation(source: Any, shape: Sequence[int], target: Any, extents: Sequence[int]) -> Permute | None:
    """How the index of a tensor read or written through `target` follows from that of one of `shape` through `source`,
    at the same point of an iteration space of `extents`."""
    where = {}
    for position, expression in enumerate(source.results):
        if isinstance(expression, ir.AffineDimExpr):
            if expression.position in where:
                return None
            where[expression.position] = position
        elif not (isinstance(expression, ir.AffineConstantExpr) and shape[position] == 1):
            return None
    order = []
    for expression in target.results:
        dim = expression.position if isinstance(expression, ir.AffineDimExpr) else None
        if dim is None or (dim not in where and extents[dim] == 1):
            order.append(-1)
        elif dim in where:
            order.append(where[dim])
        else:
            return None  # a broadcast
    if any(extents[dim] != 1 and position not in order for dim, position in where.items()):
        return None
    return Permute(tuple(order))


def result_paths(op: Any) -> dict[Any, tuple[Step, ...]]:
    """For each result of `op` whose index follows one to one from the first result's: the steps to it."""
    paths: dict[Any, tuple[Step, ...]] = {op.results[0]: ()}
    if len(op.results) > 1 and op.operation.name.startswith("linalg."):
        maps = [as_map(m) for m in linalg.get_indexing_maps(op)]
        first, *others = maps[len(maps) - len(op.results) :]
        for result, map_ in zip(list(op.results)[1:], others, strict=True):
            step = _permutation(first, list(op.results[0].type.shape), map_, iteration_extents(op, maps))
            if step is not None:
                paths[result] = () if map_ == first else (step,)
    return paths


def follow(steps: Sequence[Step], index: IndexBuilder, place: Place, width: int) -> Place | None:
    """Where `place` of the first value lies in the last; None if lanes do not stay consecutive."""
    current: Place | None = place
    for step in steps:
        if current is None:
            return None
        current = step.apply(index, current, width)
    return current


def same_path(left: Sequence[Step], right: Sequence[Step], shape: Sequence[int]) -> bool:
    """Whether two paths from a value of `shape` lead to the same index everywhere.

    Both are compositions of permutations and row-major reshapes, which are linear in the mixed-radix digits of the
    index: they agree everywhere if they agree on a set of points that moves each digit (powers of two along each dim,
    the corners, and combinations of them).
    """
    if list(left) == list(right):
        return True
    index = IndexBuilder()
    points = [[0] * len(shape), [extent - 1 for extent in shape]]
    for dim, extent in enumerate(shape):
        reach = 1
        while reach < extent:
            for base in (0, 1):
                points.append([reach if d == dim else min(base, e - 1) for d, e in enumerate(shape)])
            reach *= 2
    return all(follow(left, index, (tuple(p), None), 1) == follow(right, index, (tuple(p), None), 1) for p in points)


def paths_from(hero: Any) -> dict[Any, tuple[Step, ...]]:
    """For each value that follows one to one from `hero` inside its function: the steps to it."""
    op = hero.owner.opview
    paths: dict[Any, tuple[Step, ...]] = result_paths(op) if hero == op.results[0] else {hero: ()}
    pending = list(paths)
    while pending:
        value = pending.pop(0)
        for use in value.uses:
            op = use.owner.opview
            if op.operation.name in ("func.return", "linalg.yield", "fovea.yield"):
                continue
            for number, result in enumerate(op.results):
                step = step_of(op, use.operand_number, number)
                if step is not None and result not in paths:
                    paths[result] = (*paths[value], step)
                    pending.append(result)
    return paths
