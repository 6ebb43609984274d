# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Contraction kernels: tiles through LDS into matrix instructions, whatever is pointwise fused on both ends.

A workgroup of four waves computes a tile of m x n for one batch. Per step of k it moves a tile of both operands from
global memory through registers into LDS (the next step's loads are in flight while this step computes). The operands
swap places in the matrix instruction, D^T = B^T.A^T, so that a lane ends up with four consecutive n of one m and
results are stored as vectors along n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fovea.bindings import amdgpu, arith, ir, vector
from fovea.codegen import matrix, scalar
from fovea.codegen.chunk import ChunkSource
from fovea.codegen.domain import paths_from
from fovea.codegen.indexing import Index
from fovea.codegen.kernel import Kernel, LaunchShape, find_hero
from fovea.codegen.problem import SCALED, ContractionProblem, contraction_problem
from fovea.codegen.structured import maps_of, uniform_value, unsupported
from fovea.codegen.types import element_bytes, register_type
from fovea.target import Chip

WAVES = 4
WAVE = 64
BLOCK = WAVES * WAVE
ROW_PADDING = 16  # bytes after each LDS row, so that the 16 rows of a read start in different banks
STEP_BYTES = 128  # bytes of k in an LDS row


@dataclass(frozen=True)
class Schedule:
    """How one problem is cut: tile extents and the arrangement of waves over the tile."""

    tile_m: int
    tile_n: int
    waves_m: int
    waves_n: int

    @property
    def fragments_m(self) -> int:
        return self.tile_m // self.waves_m // 16

    @property
    def fragments_n(self) -> int:
        return self.tile_n // self.waves_n // 16


SCHEDULES = (
    Schedule(128, 128, 2, 2),
    Schedule(128, 64, 4, 1),
    Schedule(64, 64, 2, 2),
    Schedule(64, 32, 4, 1),
    Schedule(32, 64, 1, 4),
    Schedule(32, 32, 2, 2),
    Schedule(16, 64, 1, 4),
)


def choose_schedule(problem: ContractionProblem, chip: Chip) -> Schedule:
    """The tile with the least modelled time: rounds of workgroups over the chip, each paying for multiplying its tile
    and for moving its operands (a row or column moved costs about as much as 32 of its products)."""
    m, n, batch = problem.size(problem.m), problem.size(problem.n), problem.size(problem.batch)

    def cost(s: Schedule) -> tuple[int, int]:
        workgroups = -(-m // s.tile_m) * -(-n // s.tile_n) * batch
        rounds = -(-workgroups // chip.compute_units)
        return rounds * (s.tile_m * s.tile_n + 32 * (s.tile_m + s.tile_n)), workgroups

    return min(SCHEDULES, key=cost)


def build(function: Any, chip: Chip) -> Kernel:
    """The kernel of a contraction kernel function."""
    hero = find_hero(function)
    problem = contraction_problem(hero)
    if problem is None:
        raise unsupported(hero, "is not a contraction of two tensors")
    schedule = choose_schedule(problem, chip)
    if hero.operation.name == SCALED:
        from fovea.codegen import scaled  # which builds on this module

        return scaled.writer(function, chip, problem, schedule).write()
    return Writer(function, chip, problem, schedule).write()


class Writer:
    """Writes the kernel of one problem."""

    def __init__(self, function: Any, chip: Chip, problem: ContractionProblem, schedule: Schedule) -> None:
        self.problem, self.schedule, self.chip = problem, schedule, chip
        p = problem
        self.m, self.n, self.k = p.size(p.m), p.size(p.n), p.size(p.k)
        left, right = (p.op.operands[side].type.element_type for side in (p.left, p.right))
        self.bytes = element_bytes(left)
        if element_bytes(right) != self.bytes:
            raise unsupported(p.op, f"has operands of different sizes ({left}, {right})")
        self.instruction = chip.matrix_for(str(right), str(left))
        self.step = STEP_BYTES // self.bytes
        self.row_bytes = STEP_BYTES + ROW_PADDING
        grid = (-(-self.n // schedule.tile_n), -(-self.m // schedule.tile_m), p.size(p.batch))
        lds = tuple((rows * self.row_bytes, "i8") for rows in (schedule.tile_m, schedule.tile_n))
        self.kernel = Kernel(function, chip, LaunchShape(grid, BLOCK, lds))

    def write(self) -> Kernel:
        kernel, index, s = self.kernel, self.kernel.index, self.schedule
        with kernel.writing():
            thread = kernel.thread()
            self.thread = thread
            self.lane = index.mod(thread, WAVE)
            wave = index.div(thread, WAVE)
            self.wave_m, self.wave_n = index.div(wave, s.waves_n), index.mod(wave, s.waves_n)
            self.batch = kernel.workgroup("z")
            self.m0 = index.mul(kernel.workgroup("y"), s.tile_m)
            self.n0 = index.mul(kernel.workgroup("x"), s.tile_n)
            accumulators = self.main_loop()
            self.epilogue(accumulators)
        return kernel

    # -- operands: global memory -> registers -> LDS ------------------------------------------------------------

    def sides(self) -> list[tuple[int, Any, int, Index, int]]:
        """(operand number, LDS buffer, rows of the tile, first row, rows of the operand) of both operands."""
        p, s = self.problem, self.schedule
        return [
            (p.left, self.kernel.lds[0], s.tile_m, self.m0, self.m),
            (p.right, self.kernel.lds[1], s.tile_n, self.n0, self.n),
        ]

    def chunks(self, rows: int) -> list[tuple[Index, Index, Any]]:
        """(row in the tile, byte in the row, condition) of each 16-byte chunk that this work-item moves."""
        index, per_row = self.kernel.index, STEP_BYTES // matrix.CHUNK_BYTES
        total, result = rows * per_row, []
        for first in range(0, total, BLOCK):
            chunk = index.add(self.thread, first)
            condition = True if first + BLOCK <= total else index.less(chunk, total)
            row = index.div(chunk, per_row)
            result.append((row, index.mul(index.mod(chunk, per_row), matrix.CHUNK_BYTES), condition))
        return result

    def load_tiles(self, k0: Index) -> list[Any]:
        """All chunks of both tiles at k position `k0`, as vector<16xi8>."""
        index = self.kernel.index
        loaded = []
        for operand, _, rows, first, extent in self.sides():
            for row, byte, _ in self.chunks(rows):
                position = index.add(first, row)
                if extent % rows:
                    position = index.minimum(position, extent - 1)  # rows past the end repeat the last: never stored
                loaded.append(self.load_chunk(operand, position, index.add(k0, index.div(byte, self.bytes))))
        return loaded

    def load_chunk(self, operand: int, row: Index, k: Index) -> Any:
        """16 bytes of `operand` along k from position `k` on; zeros past the end."""
        p, index = self.problem, self.kernel.index
        source = ChunkSource(
            p.op.operands[operand],
            maps_of(p.op)[operand],
            p.k[-1] if p.k else None,
            p.extents[p.k[-1]] if p.k else 1,
            self.k,
            self.k % self.step != 0,
        )
        return source.load(self.kernel.elemental, lambda at: p.point(index, self.batch, row, row, at), k)

    def store_tiles(self, loaded: Sequence[Any]) -> None:
        """Put the chunks of `load_tiles` into LDS."""
        index, remaining = self.kernel.index, list(loaded)
        for _, buffer, rows, _, _ in self.sides():
            for row, byte, condition in self.chunks(rows):
                chunk = remaining.pop(0)
                with self.kernel.when(condition):
                    offset = index.add(index.mul(row, self.row_bytes), byte)
                    vector.store(chunk, buffer, [index.value(offset)], alignment=matrix.CHUNK_BYTES)

    # -- computing ----------------------------------------------------------------------------------------------

    def main_loop(self) -> list[Any]:
        """Accumulators of this wave, fragment (m, n) at m * fragments_n + n."""
        kernel, s = self.kernel, self.schedule
        steps = -(-self.k // self.step)
        accumulators = [matrix.zero_accumulator() for _ in range(s.fragments_m * s.fragments_n)]
        tiles = self.load_tiles(0)
        count = len(tiles)

        def step(k0: Index, carried: Sequence[Any]) -> list[Any]:
            self.store_tiles(carried[:count])
            amdgpu.lds_barrier()
            following = self.load_tiles(kernel.index.add(k0, self.step))
            sums = self.multiply(carried[count:], k0)
            amdgpu.lds_barrier()
            return [*following, *sums]

        if steps > 1:
            carried = kernel.loop((steps - 1) * self.step, [*tiles, *accumulators], step, self.step)
            tiles, accumulators = carried[:count], carried[count:]
        self.store_tiles(tiles)
        amdgpu.lds_barrier()
        return self.multiply(accumulators, (steps - 1) * self.step)

    def multiply(self, accumulators: Sequence[Any], k0: Index) -> list[Any]:
        """Accumulators after the step of k from `k0` on, from the tiles in LDS."""
        result = list(accumulators)
        for stretch in range(0, STEP_BYTES, matrix.STRETCH_BYTES):
            result = self.multiply_stretch(result, stretch)
        return result

    def multiply_stretch(self, accumulators: Sequence[Any], stretch: int) -> list[Any]:
        """Accumulators after the 64 bytes of k at byte `stretch` of the tiles."""
        result = list(accumulators)
        left, right = (self.fragments(side, stretch) for side in (0, 1))
        for i, columns in enumerate(left):
            for j, rows in enumerate(right):
                at = i * self.schedule.fragments_n + j
                for r, c in zip(rows, columns, strict=True):
                    result[at] = matrix.multiply_accumulate(self.instruction, r, c, result[at])
        return result

    def fragments(self, side: int, stretch: int) -> list[list[Any]]:
        """Operands of this lane for the fragments of m (side 0) or n (side 1), 64 bytes of k at byte `stretch`."""
        count = self.count(side)
        return [matrix.operands_of_chunk(self.chunk(side, i, stretch), self.instruction) for i in range(count)]

    def count(self, side: int) -> int:
        """Fragments of this wave along m (side 0) or n (side 1)."""
        return (self.schedule.fragments_m, self.schedule.fragments_n)[side]

    def fragment_row(self, side: int, number: int) -> Index:
        """First row in the tile of a fragment of this wave."""
        wave = (self.wave_m, self.wave_n)[side]
        return self.kernel.index.add(self.kernel.index.mul(wave, self.count(side) * 16), number * 16)

    def chunk(self, side: int, number: int, stretch: int) -> Any:
        """This lane's 16 bytes of row l % 16 of a fragment, as vector<16xi8>."""
        index = self.kernel.index
        row = index.add(self.fragment_row(side, number), index.mod(self.lane, 16))
        byte = index.add(index.mul(index.div(self.lane, 16), matrix.CHUNK_BYTES), stretch)
        offset = index.add(index.mul(row, self.row_bytes), byte)
        type_ = ir.VectorType.get([matrix.CHUNK_BYTES], ir.IntegerType.get_signless(8))
        return vector.load(type_, self.kernel.lds[side], [index.value(offset)], alignment=matrix.CHUNK_BYTES)

    # -- results ------------------------------------------------------------------------------------------------

    def epilogue(self, accumulators: Sequence[Any]) -> None:
        """Store what follows from the accumulators."""
        index, s, p = self.kernel.index, self.schedule, self.problem
        hero = p.op.results[0]
        paths = paths_from(hero)
        inner = p.extents[p.n[-1]] if p.n else 1
        whole = inner % 4 == 0
        for i in range(s.fragments_m):
            m = index.add(self.m0, index.mul(self.wave_m, s.fragments_m * 16))
            m = index.add(index.add(m, i * 16), index.mod(self.lane, 16))
            for j in range(s.fragments_n):
                n = index.add(self.n0, index.mul(self.wave_n, s.fragments_n * 16))
                n = index.add(index.add(n, j * 16), index.mul(index.div(self.lane, 16), 4))
                fragment = self.accumulated(accumulators[i * s.fragments_n + j])
                inside_m = index.less(m, self.m) if self.m % s.tile_m else True
                if whole:
                    inside_n = index.less(n, self.n) if self.n % s.tile_n else True
                    self.store(hero, paths, m, n, fragment, self.kernel.and_all([inside_m, inside_n]), 4)
                else:
                    for lane in range(4):
                        single = index.add(n, lane)
                        inside = self.kernel.and_all([inside_m, index.less(single, self.n)])
                        self.store(hero, paths, m, single, scalar.lane(fragment, lane), inside, 1)

    def accumulated(self, fragment: Any) -> Any:
        """The accumulators in the result's element type."""
        element = register_type(self.problem.op.results[0].type.element_type)
        return scalar.convert_float(fragment, ir.F32Type.get(), element)

    def store(self, hero: Any, paths: Any, m: Index, n: Index, fragment: Any, inside: Any, width: int) -> None:
        p, index = self.problem, self.kernel.index
        with self.kernel.when(inside):
            point = p.point(index, self.batch, m, n, 0)
            expressions = list(p.result_map.results)
            indices = [point[e.position] for e in expressions]
            lanes = None
            if width > 1:
                lanes = next(i for i, e in enumerate(expressions) if e.position == p.n[-1])
            init = None if p.op.operation.name == SCALED else p.op.operands[2]
            if init is not None and uniform_value(init) != 0:
                start = self.kernel.elemental.emit(init, indices, lanes, width)
                fragment = arith.addf(fragment, scalar.broadcast(start, width if lanes is not None else None))
            self.kernel.store_following({hero: fragment}, paths, indices, lanes, width)
