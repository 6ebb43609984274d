# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Row-wise kernels: any number of reductions over the same row, and what is pointwise between and after them.

A row lives in the registers of its lanes, so memory is read once: layer norm, softmax and L2 norm are one pass. Rows
of up to 64 lanes share a wave; longer ones are spread over the waves of a workgroup, which exchange partial results
through LDS. Sums are taken per lane and then over lanes as a tree, so their error grows with the logarithm of the
number of lanes, not with the length of the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from fovea.bindings import amdgpu, arith, ir, linalg, memref
from fovea.codegen import crosslane, scalar
from fovea.codegen.combiner import Combiner, combiners_of, is_neutral
from fovea.codegen.indexing import Index
from fovea.codegen.kernel import Kernel, LaunchShape
from fovea.codegen.structured import as_map, iteration_extents, unsupported
from fovea.codegen.types import element_bytes, storage_type
from fovea.target import Chip

WAVE = 64
BLOCK = 256
ELEMENTS_PER_LANE = 32  # of a row, above which a row is spread over more waves
MAX_WAVES = 16
ROWS, COLUMNS = "fovea.rows", "fovea.columns"  # integer attributes of a row-wise kernel function


@dataclass(frozen=True)
class Schedule:
    """How a row lies over lanes: over `lanes` of a wave and `waves` of a workgroup, in `chunks` vectors of `width`."""

    width: int
    lanes: int
    waves: int
    chunks: int

    @property
    def span(self) -> int:
        """Elements of a row that one chunk covers."""
        return self.width * self.lanes * self.waves


def choose_schedule(columns: int, inner: int, bytes_: int) -> Schedule:
    """The schedule that wastes the fewest lanes on a row of `columns`, wider vectors first among equals."""
    best: tuple[int, int] | None = None
    chosen = None
    width = 16 // bytes_
    while width >= 1:
        if inner % width == 0:
            vectors = columns // width
            lanes = 1
            while lanes < min(vectors, WAVE):
                lanes *= 2
            waves = 1
            while lanes == WAVE and waves < MAX_WAVES and columns > waves * WAVE * ELEMENTS_PER_LANE:
                waves *= 2
            chunks = -(-vectors // (lanes * waves))
            cost = (chunks * lanes * waves * width, -width)
            if best is None or cost < best:
                best, chosen = cost, Schedule(width, lanes, waves, chunks)
        width //= 2
    assert chosen is not None
    return chosen


def build(function: Any, chip: Chip) -> Kernel:
    """The kernel of a row-wise kernel function."""
    rows, columns = (ir.IntegerAttr(function.attributes[name]).value for name in (ROWS, COLUMNS))
    reductions = [op for op in function.regions[0].blocks[0].operations if is_row_reduction(op)]
    inner = columns
    for op in reductions:
        inner = min(inner, _inner_extent(op))
    returned = function.regions[0].blocks[0].operations
    values = [op.operands[0] for op in reductions] + list(returned[len(returned) - 1].operands)
    bytes_ = max(element_bytes(value.type.element_type) for value in values)
    return _Writer(function, chip, rows, columns, reductions, choose_schedule(columns, inner, max(bytes_, 2))).write()


def is_row_reduction(op: Any) -> bool:
    """Whether `op` is a structured op that reduces."""
    if not op.operation.name.startswith("linalg.") or not op.results:
        return False
    return bool(reduced_dims(op))


def reduced_dims(op: Any) -> list[int]:
    """Iteration dims of extent above 1 that the result does not have."""
    maps = [as_map(m) for m in linalg.get_indexing_maps(op)]
    extents = iteration_extents(op, maps)
    kept = {e.position for e in maps[-1].results if isinstance(e, ir.AffineDimExpr)}
    return [dim for dim, extent in enumerate(extents) if extent != 1 and dim not in kept]


def _inner_extent(op: Any) -> int:
    maps = [as_map(m) for m in linalg.get_indexing_maps(op)]
    return iteration_extents(op, maps)[reduced_dims(op)[-1]]


class _Writer:
    def __init__(
        self, function: Any, chip: Chip, rows: int, columns: int, reductions: Sequence[Any], schedule: Schedule
    ) -> None:
        self.rows, self.columns, self.reductions, self.schedule = rows, columns, reductions, schedule
        self.rows_per_wave = WAVE // schedule.lanes
        waves = schedule.waves if schedule.waves > 1 else min(BLOCK // WAVE, max(1, -(-rows // self.rows_per_wave)))
        self.block = waves * WAVE
        self.rows_per_block = 1 if schedule.waves > 1 else waves * self.rows_per_wave
        lds = []
        if schedule.waves > 1:
            for op in reductions:
                lds += [(schedule.waves, str(storage_type(r.type.element_type))) for r in op.results]
        grid = (-(-rows // self.rows_per_block), 1, 1)
        self.kernel = Kernel(function, chip, LaunchShape(grid, self.block, tuple(lds)))
        self.exchange = list(self.kernel.lds)

    def write(self) -> Kernel:
        kernel, index, s = self.kernel, self.kernel.index, self.schedule
        with kernel.writing():
            thread = kernel.thread()
            block = kernel.workgroup("x")
            if s.waves > 1:
                self.row, self.position = block, thread
            else:
                self.row = index.add(index.mul(block, self.rows_per_block), index.div(thread, s.lanes))
                self.position = index.mod(thread, s.lanes)
            self.thread = thread
            self.row_inside: Any = True
            if self.rows % self.rows_per_block:
                self.row_inside = index.less(self.row, self.rows)
                self.row = index.minimum(self.row, self.rows - 1)
            for op in self.reductions:
                self.reduce(op)
            self.store()
        return kernel

    def column(self, chunk: int) -> tuple[Index, Any]:
        """First column of this lane in a chunk (moved back into the row if past it) and whether it is inside."""
        index, s = self.kernel.index, self.schedule
        column = index.add(index.mul(self.position, s.width), chunk * s.span)
        if (chunk + 1) * s.span <= self.columns:
            return column, True
        inside = index.less(column, self.columns)
        return index.assume_multiple(index.minimum(column, self.columns - s.width), s.width), inside

    # -- reductions ---------------------------------------------------------------------------------------------

    def reduce(self, op: Any) -> None:
        """Emit one reduction over the row and make its results known as overrides."""
        combiners = combiners_of(op)
        if combiners is None:
            raise unsupported(op, "combines in a way that has no row-wise kernel")
        maps = [as_map(m) for m in linalg.get_indexing_maps(op)]
        extents = iteration_extents(op, maps)
        reduced = reduced_dims(op)
        parallel = [d for d in range(len(extents)) if d not in reduced and extents[d] != 1]
        index, s = self.kernel.index, self.schedule
        partial: list[Any] = [None] * len(combiners)
        for chunk in range(s.chunks):
            column, inside = self.column(chunk)
            dims: list[Index] = [0] * len(extents)
            for dim, i in zip(parallel, index.delinearize(self.row, [extents[d] for d in parallel]), strict=True):
                dims[dim] = i
            for dim, i in zip(reduced, index.delinearize(column, [extents[d] for d in reduced]), strict=True):
                dims[dim] = i
            lane_dim = reduced[-1] if s.width > 1 else None
            width = s.width if s.width > 1 else None
            terms = self.kernel.elemental.body(op, dims, lane_dim, s.width, wanted=[c.term for c in combiners])
            for number, (combiner, term) in enumerate(zip(combiners, terms, strict=True)):
                term = scalar.broadcast(term, width)
                if inside is not True:
                    term = arith.select(inside, term, combiner.neutral(term.type))
                before = partial[number]
                partial[number] = term if before is None else combiner.combine(before, term)
        for number, combiner in enumerate(combiners):
            value = crosslane.all_reduce(combiner.across_lanes(partial[number]), combiner, s.lanes)
            if s.waves > 1:
                value = self.across_waves(value, combiner)
            result, init = op.results[number], op.operands[len(op.operands) - len(combiners) + number]
            if not is_neutral(combiner, init):
                start = self.kernel.elemental.emit(init, index.delinearize(self.row, list(init.type.shape)))
                value = combiner.combine(start, value)
            self.kernel.elemental.overrides[result] = lambda *_, value=value: value

    def across_waves(self, value: Any, combiner: Combiner) -> Any:
        """Combine the waves' values through LDS; each reduction has a buffer of its own, so one barrier is enough."""
        index = self.kernel.index
        buffer = self.exchange.pop(0)
        flag = str(value.type) == "i1"
        stored = arith.extui(ir.IntegerType.get_signless(8), value) if flag else value
        wave = index.div(self.thread, WAVE)
        with self.kernel.when(index.less(index.mod(self.thread, WAVE), 1)):
            memref.store(stored, buffer, [index.value(wave)])
        amdgpu.lds_barrier()
        result = None
        for i in range(self.schedule.waves):
            part = memref.load(buffer, [index.value(i)])
            if flag:
                part = arith.cmpi(arith.CmpIPredicate.ne, part, scalar.constant(0, part.type))
            result = part if result is None else combiner.combine(result, part)
        return result

    # -- results ------------------------------------------------------------------------------------------------

    def store(self) -> None:
        """Store the results: full ones by chunk, one value a row by the row's first lane."""
        kernel, index, s = self.kernel, self.kernel.index, self.schedule
        for tensor, buffer in kernel.outputs:
            shape = list(tensor.type.shape)
            if prod(shape) == self.rows:
                first = index.less(self.position, 1)
                with kernel.when(kernel.and_all([self.row_inside, first])):
                    indices = index.delinearize(self.row, shape)
                    value = kernel.elemental.emit(tensor, indices)
                    kernel.elemental.store(value, buffer, tensor, indices, None)
                continue
            lead, trail = split_shape(shape, self.columns)
            lanes = _last_significant(shape) if s.width > 1 else None
            for chunk in range(s.chunks):
                column, inside = self.column(chunk)
                indices = (*index.delinearize(self.row, lead), *index.delinearize(column, trail))
                value = kernel.elemental.emit(tensor, indices, lanes, s.width)
                with kernel.when(kernel.and_all([self.row_inside, inside])):
                    value = scalar.broadcast(value, s.width if lanes is not None else None)
                    kernel.elemental.store(value, buffer, tensor, indices, lanes)


def split_shape(shape: Sequence[int], columns: int) -> tuple[list[int], list[int]]:
    """A shape as leading (row) dims and trailing dims of `columns` elements."""
    size = 1
    for axis in range(len(shape) - 1, -1, -1):
        size *= shape[axis]
        if size == columns:
            return list(shape[:axis]), list(shape[axis:])
    raise ValueError(f"shape {list(shape)} does not end in rows of {columns}")


def _last_significant(shape: Sequence[int]) -> int:
    return max(axis for axis, extent in enumerate(shape) if extent != 1)
