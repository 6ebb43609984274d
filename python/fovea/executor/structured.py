# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""linalg's structured ops, named or generic: all have indexing maps and a region, and that is what runs.

Ops without a reduction evaluate the region over views of the operands, in pieces that fit in the cache. Reductions
whose region combines the output with a value that does not depend on it become numpy reductions, or BLAS calls where
that value is a product; torch's max-with-argmax is recognised too. Any other reduction runs point by point over the
reduction space, vectorised over the rest.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from fovea.bindings import linalg
from fovea.errors import ExecutionError, UnsupportedOpError
from fovea.executor.affine import Map, positions
from fovea.executor.body import Body, Step
from fovea.executor.constants import is_splat_of
from fovea.executor.contraction import contract
from fovea.executor.handlers import Frame
from fovea.executor.pieces import PIECE, cut, run_all
from fovea.executor.recycling import empty
from fovea.executor.scalar import BOOLEAN_COMBINERS, COMBINERS
from fovea.executor.types import convert, dtype_of, is_small_float, location_text

Array = np.ndarray[Any, Any]
Lookup = Callable[[Any], Array]

_MEMO = "linalg.memoized_indexing_maps"
# Elements that the value under a reduction may have before the reduction runs in pieces.
_PIECE = 1 << 25


def is_structured(op: Any) -> bool:
    """True if `op` has indexing maps and a region."""
    return _indexing_maps(op) is not None


def _indexing_maps(op: Any) -> Any:
    """The indexing maps of a structured op, one an operand; None for any other op."""
    had_memo = _MEMO in op.attributes
    maps = linalg.get_indexing_maps(op.operation)
    if not had_memo and _MEMO in op.attributes:  # the query caches its answer on the op: leave the IR as it was
        del op.attributes[_MEMO]
    return maps


@dataclass
class _Space:
    """The iteration space of one op at run time. `start`: where a piece of it begins along each dim."""

    sizes: list[int]
    start: list[int]

    def index(self, dim: int) -> Array:
        """What `linalg.index dim` is: positions along `dim`."""
        return positions(self.sizes[dim], dim, len(self.sizes), self.start[dim])

    def piece(self, dim: int, low: int, high: int) -> _Space:
        """The part of the space at [low, high) along `dim`."""
        sizes, start = list(self.sizes), list(self.start)
        sizes[dim], start[dim] = high - low, start[dim] + low
        return _Space(sizes, start)


def _cut(view: Array | None, dim: int, low: int, high: int) -> Array | None:
    if view is None or view.shape[dim] == 1:
        return view
    return view[(slice(None),) * dim + (slice(low, high),)]


class Plan:
    """What is known of a structured op before it runs: its maps and its region taken apart."""

    def __init__(self, op: Any) -> None:
        self.op = op
        self.maps = [Map.of(m) for m in _indexing_maps(op)]
        self.body = Body(op.operation.regions[0].blocks[0], None)
        self.n_out = len(op.results)
        self.n_in = len(self.maps) - self.n_out
        self.in_maps, self.out_maps = self.maps[: self.n_in], self.maps[self.n_in :]
        self.rank = self.maps[0].rank if self.maps else 0
        self.dtypes = [dtype_of(result.type) for result in op.results]
        written = [frozenset(d for d in m.dims if d is not None) for m in self.out_maps]
        self.reduces = bool(written) and len(frozenset.intersection(*written)) < self.rank
        for out_map in self.out_maps:
            pure = [d for d in out_map.dims if d is not None]
            others = [f for f, d in zip(out_map.linear, out_map.dims, strict=True) if d is None]
            if len(set(pure)) != len(pure) or any(f is None or f[0] for f in others):
                raise UnsupportedOpError(
                    f"{location_text(op)}: the reference executor does not support the output map {out_map.source} of "
                    f"'{op.operation.name}': expected dims, each once, and constants"
                )

    def dims_of(self, slot: int) -> set[int]:
        """Dims of the iteration space that a slot varies along."""
        maps = [self.in_maps[a] for a in self.body.arguments[slot] if a < self.n_in]
        return set().union(*(m.used for m in maps), self.body.indices[slot])

    def combination(self, i: int) -> tuple[Step, int] | None:
        """(combiner, slot combined) if the region yields combine(output i, value that depends on no output)."""
        body, out = self.body, self.n_in + i
        step = body.producer.get(body.yields[i])
        if step is None or step.name not in COMBINERS or step.inputs.count(out) != 1:
            return None
        other = step.inputs[0] if step.inputs[1] == out else step.inputs[1]
        if any(a >= self.n_in for a in body.arguments[other]):
            return None
        return step, other


class _Structured:
    """One execution of one structured op."""

    def __init__(self, plan: Plan, operands: Sequence[Array], lookup: Lookup, used: Sequence[bool]) -> None:
        self.plan, self.op, self.used = plan, plan.op, used
        self.n_in, self.n_out, self.rank, self.dtypes = plan.n_in, plan.n_out, plan.rank, plan.dtypes
        self.in_maps, self.out_maps = plan.in_maps, plan.out_maps
        self.body = plan.body.bound(lookup)
        self.inputs, self.inits = operands[: self.n_in], operands[self.n_in :]
        self.space = _Space(self._sizes(plan.maps, operands), [0] * self.rank)
        self.views: list[Array | None] = [
            m.view(np.asarray(x), self.space.sizes) for m, x in zip(self.in_maps, self.inputs, strict=True)
        ]

    def _sizes(self, maps: Sequence[Map], operands: Sequence[Array]) -> list[int]:
        sizes: dict[int, int] = {}
        for map_, operand in zip(maps, operands, strict=True):
            for dim, size in zip(map_.dims, np.shape(operand), strict=True):
                if dim is not None and sizes.setdefault(dim, size) != size:
                    raise ExecutionError(
                        f"{location_text(self.op)}: '{self.op.operation.name}': operands disagree on dim {dim}: "
                        f"{sizes[dim]} and {size}"
                    )
        if len(sizes) != self.rank:
            raise ExecutionError(f"{location_text(self.op)}: no operand gives the size of every dim")
        return [sizes[dim] for dim in range(self.rank)]

    def _outs(self) -> list[Array | None]:
        """Views of the inits, for regions that read them."""
        return [m.view(x, self.space.sizes) for m, x in zip(self.out_maps, self.inits, strict=True)]

    def _arguments(self, views: Sequence[Array | None], outs: Sequence[Array | None]) -> list[Array | None]:
        """What the block's arguments hold; some ops (map) give their block no output arguments."""
        return [*views, *outs][: self.body.n_arguments]

    def run(self) -> list[Array | None]:
        """The results; None for one that nothing uses and that cost something."""
        return self._reduce() if self.plan.reduces else self._parallel()

    # Without a reduction

    def _parallel(self) -> list[Array | None]:
        outs = [self.n_in + i for i in range(self.n_out)]
        reads = frozenset().union(*(self.body.arguments[slot] for slot in self.body.yields))
        checks = frozenset().union(*(self.body.arguments[i] for s in self.body.steps if s.checks for i in s.inputs))
        given = self._outs() if reads.union(checks).intersection(outs) else [None] * self.n_out
        dim = self._piece_dim()
        if dim is not None and not checks:
            return self._parallel_pieces(given, dim)
        values = self.body.run(self.body.yields, self._arguments(self.views, given), self.space.index)
        return [self._store(i, self._full(i, value)) for i, value in enumerate(values)]

    def _piece_dim(self) -> int | None:
        """The dim along which the region is evaluated in pieces: the first of the first output. None: all at once, for
        small spaces, for results that are views or do not vary along every dim, and for outputs of fewer dims."""
        if prod(self.space.sizes) <= PIECE or not self.body.steps:
            return None
        for slot, out_map in zip(self.body.yields, self.out_maps, strict=True):
            if None in out_map.dims or slot not in self.body.producer or len(self._dims_of(slot)) < self.rank:
                return None
        return self.out_maps[0].dims[0]

    def _parallel_pieces(self, given: Sequence[Array | None], dim: int) -> list[Array | None]:
        sizes = self.space.sizes
        results = [empty([sizes[d] for d in m.dims if d is not None], t)
                   for m, t in zip(self.out_maps, self.dtypes, strict=True)]  # fmt: skip
        targets = [m.view(r, sizes) for m, r in zip(self.out_maps, results, strict=True)]

        def run(low: int, high: int) -> None:
            views, outs = ([_cut(v, dim, low, high) for v in some] for some in (self.views, given))
            space = self.space.piece(dim, low, high)
            parts = [view[(slice(None),) * dim + (slice(low, high),)] for view in targets]
            values = self.body.run(self.body.yields, self._arguments(views, outs), space.index, into=parts)
            for part, value in zip(parts, values, strict=True):
                if value is not part:
                    part[...] = value

        run_all(run, cut(sizes[dim], max(1, PIECE * sizes[dim] // prod(sizes))))
        return list(results)

    def _full(self, i: int, value: Array) -> Array:
        """A value over the iteration space, its axes in the order of output i's dims; dims reduced are gone."""
        kept = [d for d in self.out_maps[i].dims if d is not None]
        if value.ndim != self.rank:
            value = np.broadcast_to(value, (1,) * self.rank)
        dropped = [d for d in range(self.rank) if d not in kept]
        ordered = value.transpose([*kept, *dropped]).reshape([value.shape[d] for d in kept])
        return np.broadcast_to(ordered, [self.space.sizes[d] for d in kept])

    def _store(self, i: int, value: Array) -> Array:
        """Output i from the value over its dims: its type, and the axes that its map fixes by a constant."""
        value = value.astype(self.dtypes[i], copy=False)
        out_map, init = self.out_maps[i], self.inits[i]
        if None not in out_map.dims:
            return value
        if all(init.shape[axis] == 1 for axis, d in enumerate(out_map.dims) if d is None):
            return value.reshape(init.shape)
        result = np.array(init)
        result[_fixed(out_map)] = value
        return result

    # With a reduction

    def _reduce(self) -> list[Array | None]:
        results: list[Array | None] = [None] * self.n_out
        combinations = [self.plan.combination(i) for i in range(self.n_out)]
        for i, found in enumerate(combinations):
            if found:
                results[i] = self._store(i, self._combined(i, *found))
        for i in range(self.n_out):
            if results[i] is None and self.used[i]:
                found_at = self._argmax(i, results, combinations)
                if found_at is None:
                    return self._loop()
                results[i] = found_at
        return results

    def _kept(self, i: int) -> list[int]:
        return [d for d in self.out_maps[i].dims if d is not None]

    def _dims_of(self, slot: int) -> set[int]:
        return self.plan.dims_of(slot)

    def _combined(self, i: int, step: Step, slot: int) -> Array:
        kept = self._kept(i)
        dropped = [d for d in range(self.rank) if d not in kept]
        product = self.body.producer.get(slot)
        factors: tuple[int, ...] | None = None
        if step.name in ("arith.addf", "arith.addi") and product and product.name in ("arith.mulf", "arith.muli"):
            factors = product.inputs
        init = self._init(i)
        if 0 in self.space.sizes:
            return init
        ufunc = (BOOLEAN_COMBINERS if self.dtypes[i] == np.bool_ else COMBINERS)[step.name]
        total: Array | None = None
        for views, space in self._pieces(factors or (slot,), dropped):
            arguments = self._arguments(views, [None] * self.n_out)
            values = self.body.run(factors or (slot,), arguments, space.index)
            values = [v if v.ndim == self.rank else np.broadcast_to(v, (1,) * self.rank) for v in values]
            if factors and self.dtypes[i] != np.bool_:
                part = contract(values[0], values[1], space.sizes, kept)
            else:
                value = np.logical_and(*values) if factors else values[0]
                part = _reduce_axes(ufunc, value, dropped, space.sizes)
                part = part.transpose([*kept, *dropped]).reshape([part.shape[d] for d in kept])
            total = part if total is None else ufunc(total, part)
        assert total is not None
        if not (ufunc is np.add and is_splat_of(init, 0)):
            # narrow floats add up in f32 and are rounded once, by the caller
            total = ufunc(init.astype(total.dtype) if is_small_float(init.dtype) else init, total)
        return np.broadcast_to(total, [self.space.sizes[d] for d in kept])

    def _init(self, i: int) -> Array:
        """The init of output i over its dims."""
        return self.inits[i][_fixed(self.out_maps[i])]

    def _pieces(self, slots: Sequence[int], dropped: Sequence[int]) -> Any:
        """(views, space) of the whole, or of pieces along a reduced dim where `slots` would take much memory."""
        sizes = self.space.sizes
        needed = 0
        for slot in slots:
            if slot < self.n_in and self.in_maps[slot].is_projection:
                continue  # an operand as it is: no copy
            needed = max(needed, prod(sizes[d] for d in self._dims_of(slot)))
        dim = max(dropped, key=lambda d: sizes[d])
        count = min(-(-needed // _PIECE), sizes[dim])
        if count <= 1:
            yield self.views, self.space
            return
        step = -(-sizes[dim] // count)
        for low in range(0, sizes[dim], step):
            high = min(low + step, sizes[dim])
            yield [_cut(v, dim, low, high) for v in self.views], self.space.piece(dim, low, high)

    def _argmax(self, i: int, results: Sequence[Array | None], combinations: Sequence[Any]) -> Array | None:
        """Output i if the region keeps in it the index of the first strict maximum or minimum, as torch-mlir writes it:
        select(cmpf ogt value, best), index, output i).
        """
        body = self.body
        step = body.producer.get(body.yields[i])
        if step is None or step.name != "arith.select" or step.inputs[2] != self.n_in + i:
            return None
        compare, position = body.producer.get(step.inputs[0]), step.inputs[1]
        if compare is None or compare.name not in ("arith.cmpf", "arith.cmpi") or body.arguments[position]:
            return None
        value, best = compare.inputs
        j = best - self.n_in
        if not 0 <= j < self.n_out or combinations[j] is None or combinations[j][1] != value:
            return None
        kept = self._kept(i)
        dropped = [d for d in range(self.rank) if d not in kept]
        winner = {"arith.maximumf": 1, "arith.maxsi": 1, "arith.minimumf": -1, "arith.minsi": -1}
        sign = winner.get(combinations[j][0].name)
        if sign is None or self._kept(j) != kept or len(dropped) != 1 or 0 in self.space.sizes:
            return None
        if self.dtypes[j] == np.bool_ or not _is_strict(compare, sign):
            return None
        arguments = self._arguments(self.views, [None] * self.n_out)
        values, positions = body.run((value, position), arguments, self.space.index)
        if np.isnan(values).any() or positions.size != self.space.sizes[dropped[0]]:
            return None
        values = np.broadcast_to(values, self.space.sizes)
        first = (values.argmax if sign > 0 else values.argmin)(axis=dropped[0], keepdims=True)
        at = positions.ravel()[first]
        order = [*kept, *dropped]
        at = at.transpose(order).reshape([self.space.sizes[d] for d in kept])
        start = self._init(j)
        found = results[j]
        if found is None or np.isnan(start).any():
            return None
        better = self._full_init(j, found) > start if sign > 0 else self._full_init(j, found) < start
        return self._store(i, np.where(better, at, self._init(i)))

    def _full_init(self, j: int, stored: Array) -> Array:
        return stored[_fixed(self.out_maps[j])]

    def _loop(self) -> list[Array | None]:
        """Point by point over the reduced dims, in order."""
        kept = set(range(self.rank)).intersection(*(self._kept(i) for i in range(self.n_out)))
        dropped = [d for d in range(self.rank) if d not in kept]
        stores = [np.array(init) for init in self.inits]
        outs = [_writable_view(m, s, self.space.sizes) for m, s in zip(self.out_maps, stores, strict=True)]
        for point in itertools.product(*(range(self.space.sizes[d]) for d in dropped)):
            views, space, current = list(self.views), self.space, list[Any](outs)
            for dim, at in zip(dropped, point, strict=True):
                views = [_cut(v, dim, at, at + 1) for v in views]
                current = [_cut(v, dim, at, at + 1) for v in current]
                space = space.piece(dim, at, at + 1)
            values = self.body.run(self.body.yields, self._arguments(views, current), space.index)
            for out, value in zip(current, [v.copy() for v in values], strict=True):
                out[...] = value
        return list(stores)


def _fixed(map_: Map) -> tuple[Any, ...]:
    """Index that keeps the axes that are dims and takes the constant along the others."""
    forms = zip(map_.dims, map_.linear, strict=True)
    return tuple(slice(None) if dim is not None else form[1] if form else 0 for dim, form in forms)


def _writable_view(map_: Map, array: Array, sizes: Sequence[int]) -> Array:
    """`array` over the iteration space through a map of dims and constants, writable."""
    place = (*_fixed(map_), ...)  # with `...` the part is a view even where no axis is left
    part = array[place]
    dims = [d for d in map_.dims if d is not None]
    shape = [1] * len(sizes)
    for dim in dims:
        shape[dim] = sizes[dim]
    return part.transpose(sorted(range(len(dims)), key=lambda axis: dims[axis])).reshape(shape)


def _reduce_axes(ufunc: Any, value: Array, dropped: Sequence[int], sizes: Sequence[int]) -> Array:
    """ufunc-reduction over `dropped`, axes kept with size 1. Narrow floats are added and multiplied in f32."""
    if ufunc in (np.add, np.multiply, np.logical_xor):  # reading an element twice counts twice
        value = np.broadcast_to(value, [s if d in dropped else value.shape[d] for d, s in enumerate(sizes)])
    if ufunc in (np.add, np.multiply) and is_small_float(value.dtype):
        value = convert(value, np.dtype(np.float32))
    dtype = {"dtype": value.dtype} if ufunc in (np.add, np.multiply) else {}  # numpy would widen small integers
    return ufunc.reduce(value, axis=tuple(dropped), keepdims=True, **dtype)


def _is_strict(compare: Step, sign: int) -> bool:
    """True for `value > best` (sign 1) or `value < best` (sign -1), judged by what the comparison does."""
    one, two = np.float32(1), np.float32(2)
    if compare.name == "arith.cmpi":
        one, two = np.int64(1), np.int64(2)  # type: ignore[assignment]
    high, low = (two, one) if sign > 0 else (one, two)
    function = compare.function
    return bool(function(high, low)) and not bool(function(low, high)) and not bool(function(one, one))


class StructuredOp:
    """The handler of one structured op, which takes it apart at the first run."""

    def __init__(self, op: Any) -> None:
        self._op = op
        self._plan: Plan | None = None

    def plan(self) -> Plan:
        """The op taken apart; UnsupportedOpError if it cannot run."""
        if self._plan is None:
            self._plan = Plan(self._op)
        return self._plan

    def __call__(self, frame: Frame, op: Any, operands: Sequence[Array]) -> Sequence[Array | None]:
        """The results; None for one that nothing uses and that cost something."""
        try:
            return _Structured(self.plan(), operands, frame.value, [frame.used(result) for result in op.results]).run()
        except ExecutionError as error:
            where = location_text(op)
            if str(error).startswith("loc") or where in str(error):
                raise
            raise ExecutionError(f"{where}: '{op.operation.name}': {error}") from None
