# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fused attention kernels: softmax(score(Q.K)).V with no score matrix in memory.

Each wave owns 16 query rows and walks the keys in tiles that the workgroup stages in LDS. The first product is taken
transposed, S^T = K.Q^T, so that a lane holds scores of one query row; with the keys of a tile ordered suitably, its
registers are then just the operand that the second product, O^T = V^T.P^T, wants: P never leaves registers, and the
row maximum and sum need only two cross-lane steps. The softmax is the online one of Milakov and Gimelshein (2018), as
used by FlashAttention (Dao et al., 2022). V is transposed 4x4 in registers on its way to LDS.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

from fovea.bindings import amdgpu, arith, ir, vector
from fovea.codegen import crosslane, matrix, scalar
from fovea.codegen.chunk import ChunkSource
from fovea.codegen.combiner import Combiner
from fovea.codegen.domain import paths_from
from fovea.codegen.indexing import Index
from fovea.codegen.kernel import Kernel, LaunchShape, find_hero
from fovea.codegen.structured import as_map, unsupported
from fovea.codegen.types import element_bytes, register_type
from fovea.dialect.attention import INNER_DIMS
from fovea.errors import CompileError
from fovea.target import Chip, MatrixInstruction

WAVE = 64
MAX_WAVES = 4
QUERIES = 16  # of a wave
ROW_PADDING = 16  # bytes after each LDS row against bank conflicts
KEY_TILES = (64, 32, 16)
LOWEST = -3.4028234663852886e38  # the running maximum starts here: finite, so that masked rows give no NaN
BLOCK4 = 4  # V is transposed in blocks of 4 x 4


@dataclass(frozen=True)
class AttentionProblem:
    """Extents and maps of a fovea.attention op."""

    op: Any
    batch: tuple[int, ...]
    queries: int
    keys: int
    depth: int
    value_depth: int

    @property
    def maps(self) -> list[Any]:
        return [as_map(m) for m in ir.ArrayAttr(self.op.attributes["indexing_maps"])]

    def point(self, batch: Sequence[Index], q: Index, n: Index, k: Index, d: Index) -> list[Index]:
        """A point of the iteration space."""
        return [*batch, q, n, k, d]

    def dim(self, name: str) -> int:
        """Number of the iteration dim "q", "n", "k" or "d"."""
        return len(self.batch) + "qnkd".index(name)


def attention_problem(op: Any) -> AttentionProblem:
    """The problem of a fovea.attention op."""
    maps = [as_map(m) for m in ir.ArrayAttr(op.attributes["indexing_maps"])]
    extents = [1] * maps[0].n_dims
    for value, map_ in zip([*op.operands, *op.results], maps, strict=True):
        for expression, extent in zip(map_.results, value.type.shape, strict=True):
            if isinstance(expression, ir.AffineDimExpr):
                extents[expression.position] = max(extents[expression.position], extent)
    return AttentionProblem(op, tuple(extents[:-INNER_DIMS]), *extents[-INNER_DIMS:])


def build(function: Any, chip: Chip) -> Kernel:
    """The kernel of an attention kernel function."""
    hero = find_hero(function)
    if hero.operation.name != "fovea.attention":
        raise unsupported(hero, "is not an attention")
    problem = attention_problem(hero)
    instruction = chip.matrix_for(str(hero.operands[0].type.element_type))
    bytes_ = element_bytes(hero.operands[0].type.element_type)
    for tile in KEY_TILES:
        rows = _Layout(problem, bytes_, tile)
        if tile % keys_per_chunk(bytes_) == 0 and rows.lds_bytes <= chip.lds_bytes:
            return _Writer(function, chip, problem, instruction, rows).write()
    raise CompileError(
        f"{hero.location}: attention with head sizes {problem.depth} and {problem.value_depth} does not fit the "
        f"{chip.lds_bytes} bytes of LDS of {chip.name}"
    )


def keys_per_chunk(bytes_: int) -> int:
    """Keys whose weights make the operands of one 16-byte chunk of V in every lane group."""
    return matrix.GROUPS * matrix.CHUNK_BYTES // bytes_


@dataclass(frozen=True)
class _Layout:
    """How a tile of keys lies in LDS: K by rows of k, V transposed by rows of keys."""

    problem: AttentionProblem
    bytes: int
    tile: int

    @property
    def depth_bytes(self) -> int:
        return -(-self.problem.depth * self.bytes // matrix.STRETCH_BYTES) * matrix.STRETCH_BYTES

    @property
    def key_row(self) -> int:
        return self.depth_bytes + ROW_PADDING

    @property
    def value_rows(self) -> int:
        return -(-self.problem.value_depth // 16) * 16

    @property
    def value_row(self) -> int:
        return self.tile * self.bytes + ROW_PADDING

    @property
    def lds_bytes(self) -> int:
        return self.tile * self.key_row + self.value_rows * self.value_row


class _Writer:
    def __init__(
        self, function: Any, chip: Chip, problem: AttentionProblem, instruction: MatrixInstruction, layout: _Layout
    ) -> None:
        self.problem, self.instruction, self.layout = problem, instruction, layout
        self.element = problem.op.operands[0].type.element_type
        self.per_chunk = matrix.CHUNK_BYTES // layout.bytes
        self.fragments_per_chunk = self.per_chunk // 4  # fragments of 16 keys whose P registers make one V chunk
        self.waves = min(MAX_WAVES, -(-problem.queries // QUERIES))
        self.block = self.waves * WAVE
        grid = (-(-problem.queries // (QUERIES * self.waves)), prod(problem.batch), 1)
        lds = ((layout.tile * layout.key_row, "i8"), (layout.value_rows * layout.value_row, "i8"))
        self.kernel = Kernel(function, chip, LaunchShape(grid, self.block, lds))
        f32 = "f32"
        self.maximum = Combiner("arith.maxnumf", None, f32)
        self.sum = Combiner("arith.addf", None, f32)

    def write(self) -> Kernel:
        kernel, index, p = self.kernel, self.kernel.index, self.problem
        with kernel.writing():
            self.thread = kernel.thread()
            lane = index.mod(self.thread, WAVE)
            self.column, self.group = index.mod(lane, 16), index.div(lane, 16)
            self.batch = index.delinearize(kernel.workgroup("y"), p.batch)
            first = index.mul(kernel.workgroup("x"), QUERIES * self.waves)
            wave = index.div(self.thread, WAVE)
            self.query = index.add(index.add(first, index.mul(wave, QUERIES)), self.column)
            self.query_inside: Any = True
            if p.queries % (QUERIES * self.waves):
                self.query_inside = index.less(self.query, p.queries)
                self.query = index.minimum(self.query, p.queries - 1)
            self.query_operands = self.load_query()
            peak, total, outputs = self.main_loop()
            self.finish(peak, total, outputs)
        return kernel

    # -- operands -----------------------------------------------------------------------------------------------

    def operand_chunk(self, operand: int, point: Callable[[Index], list[Index]], k: Index) -> Any:
        """16 bytes along k of the query or key from position `k` on, zeros past the depth, as vector<16xi8>."""
        p = self.problem
        ragged = p.depth * self.layout.bytes % matrix.STRETCH_BYTES != 0
        source = ChunkSource(p.op.operands[operand], p.maps[operand], p.dim("k"), p.depth, p.depth, ragged)
        return source.load(self.kernel.elemental, point, k)

    def load_query(self) -> list[list[Any]]:
        """Matrix operands of this wave's query rows, by stretch of k."""
        index, p = self.kernel.index, self.problem
        loaded = []
        for stretch in range(0, self.layout.depth_bytes, matrix.STRETCH_BYTES):
            k = index.add(index.mul(self.group, self.per_chunk), stretch // self.layout.bytes)
            chunk = self.operand_chunk(0, lambda at: p.point(self.batch, self.query, 0, at, 0), k)
            loaded.append(matrix.operands_of_chunk(chunk, self.instruction))
        return loaded

    def pieces(self, total: int) -> list[tuple[Index, Any]]:
        """Work of `total` pieces dealt to the workgroup: (piece, condition) of this work-item."""
        index, result = self.kernel.index, []
        for first in range(0, total, self.block):
            piece = index.add(self.thread, first)
            result.append((piece, True if first + self.block <= total else index.less(piece, total)))
        return result

    def key_pieces(self) -> list[tuple[Index, Index, Any]]:
        """(key in the tile, byte in its row, condition) of each chunk of K that this work-item moves."""
        index, per_row = self.kernel.index, self.layout.depth_bytes // matrix.CHUNK_BYTES
        pieces = self.pieces(self.layout.tile * per_row)
        return [
            (index.div(i, per_row), index.mul(index.mod(i, per_row), matrix.CHUNK_BYTES), condition)
            for i, condition in pieces
        ]

    def value_pieces(self) -> list[tuple[Index, Index, Any]]:
        """(first key, first d, condition) of each 4x4 block of V that this work-item moves."""
        index, columns = self.kernel.index, self.layout.value_rows // BLOCK4
        pieces = self.pieces(self.layout.tile // BLOCK4 * columns)
        return [
            (index.mul(index.div(i, columns), BLOCK4), index.mul(index.mod(i, columns), BLOCK4), condition)
            for i, condition in pieces
        ]

    def bounded_key(self, key: Index) -> Index:
        """A key position brought into range; what lies past the end is masked or multiplied by zero."""
        return self.kernel.index.minimum(key, self.problem.keys - 1) if self.ragged else key

    @property
    def ragged(self) -> bool:
        return self.problem.keys % self.layout.tile != 0

    def key_point(self, key: Index, k: Index) -> list[Index]:
        """Where K is read."""
        return self.problem.point(self.batch, 0, key, k, 0)

    def load_tiles(self, first_key: Index) -> list[Any]:
        """This work-item's chunks of K, then its rows of V blocks, for the tile at `first_key`."""
        index, p = self.kernel.index, self.problem
        loaded = []
        for key, byte, _ in self.key_pieces():
            row = self.bounded_key(self.within_tile(index.add(first_key, key)))
            point = partial(self.key_point, row)
            loaded.append(self.operand_chunk(1, point, index.div(byte, self.layout.bytes)))
        whole = p.value_depth % BLOCK4 == 0
        for key, d, _ in self.value_pieces():
            for i in range(BLOCK4):
                row = self.bounded_key(self.within_tile(index.add(index.add(first_key, key), i)))
                loaded.append(self.value_row(row, d, whole))
        return loaded

    def within_tile(self, key: Index) -> Index:
        """Work-items without a piece of their own load a valid key again: pieces may exceed the tile."""
        pieces = self.layout.tile * (self.layout.depth_bytes // matrix.CHUNK_BYTES)
        blocks = self.layout.tile // BLOCK4 * (self.layout.value_rows // BLOCK4)
        if pieces % self.block == 0 and blocks % self.block == 0:
            return key
        return self.kernel.index.minimum(key, self.problem.keys - 1)

    def value_row(self, key: Index, d: Index, whole: bool) -> Any:
        """Four values of V along d."""
        index, p = self.kernel.index, self.problem
        emit = self.kernel.elemental.mapped
        if whole:
            at = d
            if p.value_depth % 16:
                at = index.assume_multiple(index.minimum(d, p.value_depth - BLOCK4), BLOCK4)
            value = emit(p.op.operands[2], p.maps[2], p.point(self.batch, 0, key, 0, at), p.dim("d"), BLOCK4)
            return scalar.broadcast(value, BLOCK4)
        singles = []
        for i in range(BLOCK4):
            at = index.minimum(index.add(d, i), p.value_depth - 1)
            singles.append(emit(p.op.operands[2], p.maps[2], p.point(self.batch, 0, key, 0, at), None, 1))
        return scalar.from_lanes(singles)

    def store_tiles(self, loaded: Sequence[Any]) -> None:
        """Put K chunks as they are and V blocks transposed into LDS."""
        index, remaining = self.kernel.index, list(loaded)
        for key, byte, condition in self.key_pieces():
            chunk = remaining.pop(0)
            with self.kernel.when(condition):
                offset = index.add(index.mul(key, self.layout.key_row), byte)
                vector.store(chunk, self.kernel.lds[0], [index.value(offset)], alignment=matrix.CHUNK_BYTES)
        size = BLOCK4 * self.layout.bytes
        raw = ir.VectorType.get([size], ir.IntegerType.get_signless(8))
        for key, d, condition in self.value_pieces():
            rows = [remaining.pop(0) for _ in range(BLOCK4)]
            with self.kernel.when(condition):
                for i in range(BLOCK4):
                    column = scalar.from_lanes([scalar.lane(row, i) for row in rows])
                    offset = index.add(
                        index.mul(index.add(d, i), self.layout.value_row), index.mul(key, self.layout.bytes)
                    )
                    vector.store(vector.bitcast(raw, column), self.kernel.lds[1], [index.value(offset)], alignment=size)

    def lds_chunk(self, buffer: Any, offset: Index) -> list[Any]:
        type_ = ir.VectorType.get([matrix.CHUNK_BYTES], ir.IntegerType.get_signless(8))
        chunk = vector.load(type_, buffer, [self.kernel.index.value(offset)], alignment=matrix.CHUNK_BYTES)
        return matrix.operands_of_chunk(chunk, self.instruction)

    # -- the walk over keys -------------------------------------------------------------------------------------

    def main_loop(self) -> tuple[Any, Any, list[Any]]:
        """Running maximum, this lane's part of the running sum, and the output accumulators after all keys."""
        kernel, tile = self.kernel, self.layout.tile
        f32 = ir.F32Type.get()
        tiles = self.load_tiles(0)
        count = len(tiles)
        state = [scalar.constant(LOWEST, f32), scalar.constant(0.0, f32)]
        state += [matrix.zero_accumulator() for _ in range(self.layout.value_rows // 16)]
        steps = -(-self.problem.keys // tile)

        def step(first_key: Index, carried: Sequence[Any]) -> list[Any]:
            self.store_tiles(carried[:count])
            amdgpu.lds_barrier()
            following = self.load_tiles(kernel.index.add(first_key, tile))
            state = self.consume(first_key, carried[count:])
            amdgpu.lds_barrier()
            return [*following, *state]

        last: Index = (steps - 1) * tile
        if steps > 1:
            carried = kernel.loop(last, [*tiles, *state], step, tile)
            tiles, state = carried[:count], carried[count:]
        self.store_tiles(tiles)
        amdgpu.lds_barrier()
        state = self.consume(last, state)
        return state[0], state[1], state[2:]

    def fragment_key(self, pair: int, fragment: int, row: Index) -> Index:
        """Key in the tile of row `row` (0..15) of a score fragment: see the module's docstring."""
        index, f = self.kernel.index, self.fragments_per_chunk
        outer = index.add(index.mul(index.div(row, 4), 4 * f), index.mod(row, 4))
        return index.add(outer, pair * 16 * f + 4 * fragment)

    def consume(self, first_key: Index, state: Sequence[Any]) -> list[Any]:
        """The state after one tile of keys."""
        peak, total, outputs = state[0], state[1], list(state[2:])
        index, f = self.kernel.index, self.fragments_per_chunk
        pairs = self.layout.tile // (16 * f)
        scores = []
        for pair in range(pairs):
            for fragment in range(f):
                accumulator = matrix.zero_accumulator()
                key = self.fragment_key(pair, fragment, self.column)
                for number, columns in enumerate(self.query_operands):
                    byte = index.add(index.mul(self.group, matrix.CHUNK_BYTES), number * matrix.STRETCH_BYTES)
                    rows = self.lds_chunk(self.kernel.lds[0], index.add(index.mul(key, self.layout.key_row), byte))
                    for r, c in zip(rows, columns, strict=True):
                        accumulator = matrix.multiply_accumulate(self.instruction, r, c, accumulator)
                position = index.add(index.mul(self.group, 4 * f), pair * 16 * f + 4 * fragment)
                scores.append(self.score(accumulator, index.add(first_key, position)))
        largest = scores[0]
        for score in scores[1:]:
            largest = self.maximum.combine(largest, score)
        tile_peak = crosslane.all_reduce(self.maximum.across_lanes(largest), self.maximum, WAVE, first=16)
        new_peak = self.maximum.combine(peak, tile_peak)
        rescale = self.exponential(arith.subf(peak, new_peak))
        peaks = scalar.broadcast(new_peak, 4)
        weights = [self.exponential(arith.subf(score, peaks)) for score in scores]
        summed = weights[0]
        for weight in weights[1:]:
            summed = arith.addf(summed, weight)
        total = arith.addf(arith.mulf(total, rescale), self.sum.across_lanes(summed))
        factors = scalar.broadcast(rescale, 4)
        outputs = [arith.mulf(output, factors) for output in outputs]
        for pair in range(pairs):
            columns = self.probability_operands(weights[pair * f : (pair + 1) * f])
            byte = index.add(index.mul(self.group, matrix.CHUNK_BYTES), pair * 16 * f * self.layout.bytes)
            for number in range(len(outputs)):
                row = index.add(self.column, number * 16)
                rows = self.lds_chunk(self.kernel.lds[1], index.add(index.mul(row, self.layout.value_row), byte))
                for r, c in zip(rows, columns, strict=True):
                    outputs[number] = matrix.multiply_accumulate(self.instruction, r, c, outputs[number])
        return [new_peak, total, *outputs]

    def exponential(self, value: Any) -> Any:
        """e^x for x <= 0 by v_exp_f32."""
        return scalar.exp2_fast(arith.mulf(value, scalar.constant(scalar.LOG2_E, value.type)))

    def probability_operands(self, weights: Sequence[Any]) -> list[Any]:
        """Weights of one query row, four a fragment, as matrix operands in the compute type."""
        lanes = []
        for four in weights:
            values = scalar.convert_float(four, ir.F32Type.get(), self.element)
            lanes += [scalar.lane(values, i) for i in range(4)]
        if str(self.element) == "f32":
            return lanes
        width, type_ = self.instruction.k_per_lane, ir.Type.parse(self.instruction.register)
        operands = [scalar.from_lanes(lanes[i : i + width]) for i in range(0, len(lanes), width)]
        return [value if value.type == type_ else vector.bitcast(type_, value) for value in operands]

    def score(self, accumulator: Any, key: Index) -> Any:
        """The score region applied to Q.K of four keys from `key` on; -inf past the last key."""
        p, index = self.problem, self.kernel.index
        if p.keys % 4 == 0:
            at = key
            if self.ragged:
                at = index.assume_multiple(index.minimum(key, p.keys - 4), 4)
            result = self.score_at(accumulator, at, 4)
            inside = index.less(key, p.keys) if self.ragged else True
            return result if inside is True else arith.select(inside, result, _minus_infinity(result.type))
        lanes = []
        for i in range(4):
            single = index.add(key, i)
            value = self.score_at(scalar.lane(accumulator, i), index.minimum(single, p.keys - 1), 1)
            lanes.append(arith.select(index.less(single, p.keys), value, _minus_infinity(value.type)))
        return scalar.from_lanes(lanes)

    def score_at(self, accumulator: Any, key: Index, width: int) -> Any:
        p, elemental = self.problem, self.kernel.elemental
        lane_dim = p.dim("n") if width > 1 else None
        point = p.point(self.batch, self.query, key, 0, 0)
        block = p.op.regions[0].blocks[0]
        arguments = list(block.arguments)
        given = {arguments[0]: scalar.convert_float(accumulator, ir.F32Type.get(), arguments[0].type)}
        for number, argument in enumerate(arguments[1:], start=3):
            given[argument] = elemental.mapped(p.op.operands[number], p.maps[number], point, lane_dim, width)
        value = elemental.body(p.op, point, lane_dim, width, given=given)[0]
        value = scalar.convert_float(value, arguments[0].type, ir.F32Type.get())
        return scalar.broadcast(value, width if width > 1 else None)

    # -- results ------------------------------------------------------------------------------------------------

    def finish(self, peak: Any, total: Any, outputs: Sequence[Any]) -> None:
        """Divide by the sums and store what follows from the outputs (and from the log-sum-exp)."""
        kernel, index, p = self.kernel, self.kernel.index, self.problem
        total = crosslane.all_reduce(total, self.sum, WAVE, first=16)
        inverse = scalar.broadcast(arith.divf(scalar.constant(1.0, total.type), total), 4)
        hero = p.op.results[0]
        paths = paths_from(hero)
        stored = list(kernel.outputs)
        if len(p.op.results) == 2:
            lse = arith.addf(peak, scalar.log(total))
            second = p.op.results[1]
            lse = scalar.convert_float(lse, ir.F32Type.get(), second.type.element_type)
            second_paths = paths_from(second)
            kernel.outputs = [o for o in stored if o[0] not in paths]
            if kernel.outputs:
                once = index.less(self.group, 1)
                with kernel.when(kernel.and_all([self.query_inside, once])):
                    point = p.point(self.batch, self.query, 0, 0, 0)
                    place = [index.affine(e, point) for e in p.maps[-1].results]
                    kernel.store_following({second: lse}, second_paths, place, None, 1)
            kernel.elemental.overrides[second] = lambda *_: lse
            kernel.outputs = [o for o in stored if o[0] in paths]
        map_ = p.maps[len(list(p.op.operands))]
        element = register_type(hero.type.element_type)
        whole = p.value_depth % 4 == 0
        lanes = next(
            i for i, e in enumerate(map_.results) if isinstance(e, ir.AffineDimExpr) and e.position == p.dim("d")
        )
        for number, output in enumerate(outputs):
            fragment = scalar.convert_float(arith.mulf(output, inverse), ir.F32Type.get(), element)
            d = index.add(index.mul(self.group, 4), number * 16)
            last = number * 16 + 16 <= p.value_depth
            if whole:
                inside = kernel.and_all([self.query_inside, True if last else index.less(d, p.value_depth)])
                with kernel.when(inside):
                    place = [index.affine(e, p.point(self.batch, self.query, 0, 0, d)) for e in map_.results]
                    kernel.store_following({hero: fragment}, paths, place, lanes, 4)
                continue
            for i in range(4):
                single = index.add(d, i)
                with kernel.when(kernel.and_all([self.query_inside, index.less(single, p.value_depth)])):
                    place = [index.affine(e, p.point(self.batch, self.query, 0, 0, single)) for e in map_.results]
                    kernel.store_following({hero: scalar.lane(fragment, i)}, paths, place, None, 1)


def _minus_infinity(type_: Any) -> Any:
    return scalar.constant(float("-inf"), type_)
