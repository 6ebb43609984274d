# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reductions over dims that are not the innermost, and any other structured op that reduces: one work-item computes a
short vector of results and walks the reduced dims in a loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fovea.bindings import ir, linalg
from fovea.codegen import scalar
from fovea.codegen.combiner import combiners_of, is_neutral
from fovea.codegen.domain import paths_from
from fovea.codegen.indexing import Index
from fovea.codegen.kernel import Kernel, each_item, find_hero
from fovea.codegen.rowwise import reduced_dims
from fovea.codegen.structured import as_map, iteration_extents, unsupported
from fovea.codegen.types import element_bytes, register_type, shaped_like
from fovea.target import Chip

BLOCK = 64  # few results and long loops: small workgroups spread over more compute units


def build(function: Any, chip: Chip) -> Kernel:
    """The kernel of a reduction kernel function."""
    hero = find_hero(function)
    maps = [as_map(m) for m in linalg.get_indexing_maps(hero)]
    outputs = maps[len(maps) - len(hero.results) :]
    if any(str(map_) != str(outputs[0]) for map_ in outputs):
        raise unsupported(hero, "reduces to results through different maps, which has no kernel")
    extents = iteration_extents(hero, maps)
    reduced = reduced_dims(hero)
    bytes_ = max(element_bytes(v.type.element_type) for v in hero.operands if isinstance(v.type, ir.RankedTensorType))

    def write(kernel: Kernel, indices: tuple[Index, ...], lanes: int | None, width: int) -> None:
        values = _accumulate(kernel, hero, outputs[0], extents, reduced, indices, lanes, width)
        computed = dict(zip(hero.results, values, strict=True))
        kernel.store_following(computed, paths_from(hero.results[0]), indices, lanes, width)

    return each_item(function, chip, list(hero.results[0].type.shape), max(bytes_, 4), BLOCK, write)


def _accumulate(
    kernel: Kernel,
    hero: Any,
    output: Any,
    extents: Sequence[int],
    reduced: Sequence[int],
    indices: Sequence[Index],
    lanes: int | None,
    width: int,
) -> list[Any]:
    """Results of the reduction at `indices`, as vectors along `lanes` or scalars."""
    elemental = kernel.elemental
    dims: list[Index] = [0] * len(extents)
    lane_dim = None
    for position, expression in enumerate(output.results):
        if isinstance(expression, ir.AffineDimExpr):
            dims[expression.position] = indices[position]
            lane_dim = expression.position if position == lanes else lane_dim
    combiners = combiners_of(hero)
    inits = list(hero.operands)[len(hero.operands) - len(hero.results) :]
    vector = width if lanes is not None else None
    start = []
    for number, init in enumerate(inits):
        type_ = shaped_like(register_type(init.type.element_type), vector)
        if combiners is not None and is_neutral(combiners[number], init):
            start.append(combiners[number].neutral(type_))
        else:
            start.append(scalar.broadcast(elemental.emit(init, indices, lanes, width), vector))
    arguments = list(hero.regions[0].blocks[0].arguments)[len(hero.operands) - len(hero.results) :]

    def walk(remaining: Sequence[int], carried: Sequence[Any]) -> list[Any]:
        if not remaining:
            given = dict(zip(arguments, carried, strict=True))
            values = elemental.body(hero, dims, lane_dim, width, given=given)
            return [scalar.broadcast(value, vector) for value in values]
        dim = remaining[0]

        def step(i: Index, inner: Sequence[Any]) -> list[Any]:
            dims[dim] = i
            return walk(remaining[1:], inner)

        return kernel.loop(extents[dim], carried, step)

    return walk(list(reduced), start)
