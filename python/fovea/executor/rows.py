# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Straight-line array code over rows, for runs of ops that are evaluated a slab of rows at a time (see `fusion`).

A slot holds the rows of one value: (rows, rest...), or (1, rest...) for what is the same in every row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from fovea.executor.affine import Map
from fovea.executor.body import fits
from fovea.executor.constants import is_splat_of
from fovea.executor.pieces import cut, run_all
from fovea.executor.recycling import empty, reshape
from fovea.executor.scalar import COMBINERS, IN_PLACE
from fovea.executor.types import dtype_of, static_shape

Array = np.ndarray[Any, Any]

_NEW, _VIEW, _ANY = "new", "view", "any"  # what an instruction gives: a new array, a view of its input, either


@dataclass
class _Instruction:
    """`function(*inputs)`. A ufunc in place may write to an array that dies there, or to the result's rows."""

    function: Callable[..., Any]
    inputs: tuple[int, ...]
    output: int
    gives: str
    in_place: bool = False
    dying: tuple[int, ...] = ()
    frees: tuple[int, ...] = ()
    place: int | None = None  # which of `dying` the result fits, -1 for none; found out at the first slab

    def run(self, values: list[Any], target: Array | None) -> None:
        inputs = [values[slot] for slot in self.inputs]
        if self.in_place:
            if target is None or not fits(target, inputs):
                if self.place is None:
                    self.place = next((slot for slot in self.dying if fits(values[slot], inputs)), -1)
                target = values[self.place] if self.place >= 0 else None
            values[self.output] = self.function(*inputs, out=target)
        else:
            values[self.output] = self.function(*inputs)
        for slot in self.frees:
            values[slot] = None


@dataclass(frozen=True)
class _Read:
    """An operand from outside, over an iteration space whose first `p` dims are rows."""

    value: Any
    map: Map
    p: int
    sizes: tuple[int, ...]

    def rows(self, array: Array) -> Array:
        view = self.map.view(np.asarray(array), self.sizes)
        if all(size == 1 for size in view.shape[: self.p]):
            return view.reshape(1, *view.shape[self.p :])
        whole = np.broadcast_to(view, (*self.sizes[: self.p], *view.shape[self.p :]))
        return reshape(whole, (prod(self.sizes[: self.p]), *view.shape[self.p :]))


@dataclass
class _Result:
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    rest: tuple[int, ...]
    slot: int
    root: int | None = None  # the slot that is computed in this result's rows, if one is


@dataclass
class RowProgram:
    """Put together by `structured` and `reshape`, then `finish`ed."""

    rows: int
    leading: dict[Any, int] = field(default_factory=dict)  # value made here -> how many of its axes are rows
    outside: dict[Any, None] = field(default_factory=dict)  # values read from outside, in order

    def __post_init__(self) -> None:
        self._slots: dict[Any, int] = {}  # value made here
        self._rest: dict[int, tuple[int, ...]] = {}
        self._known: dict[Any, int] = {}  # what is read or constant
        self._reads: dict[int, _Read] = {}
        self._scalars: dict[int, Any] = {}
        self._constants: dict[int, Any] = {}
        self._same: set[int] = set()  # slots that hold the same in every row
        self._instructions: list[_Instruction] = []
        self._count, self._widest = 0, 1

    # Putting together

    def _new(self) -> int:
        self._count += 1
        return self._count - 1

    def _add(self, function: Callable[..., Any], inputs: Sequence[int], gives: str, in_place: bool = False) -> int:
        slot = self._new()
        self._instructions.append(_Instruction(function, tuple(inputs), slot, gives, in_place))
        if self._same.issuperset(inputs):
            self._same.add(slot)
        return slot

    def _once(self, key: Any, table: dict[int, Any], entry: Any, same: bool) -> int:
        if key not in self._known:
            self._known[key] = slot = self._new()
            table[slot] = entry
            if same:
                self._same.add(slot)
        return self._known[key]

    def structured(self, op: Any, plan: Any, p: int, sizes: Sequence[int], targets: Mapping[int, int]) -> None:
        """A structured op whose first `p` dims are rows. targets: the body's slot that each used output is made of."""
        body = plan.body
        steps = body.schedule(targets.values())
        self._widest = max(self._widest, prod(sizes[p:]))
        mine: dict[int, int] = {}

        def slot_of(slot: int) -> int:
            if slot not in mine:
                mine[slot] = self._input(op, plan, p, sizes, slot)
            return mine[slot]

        for step in steps:
            inputs = [slot_of(slot) for slot in step.inputs]
            in_place = step.name in IN_PLACE
            mine[step.outputs[0]] = self._add(step.function, inputs, _NEW if in_place else _ANY, in_place)
        for i, target in targets.items():
            slot = slot_of(target)
            rest = tuple(sizes[p:])
            if plan.reduces:
                slot = self._reduction(op, plan, i, p, sizes, slot)
                rest = tuple(1 if d is None else sizes[d] for d in plan.out_maps[i].dims[p:])
            self._made(op.results[i], slot, p, rest)

    def _made(self, value: Any, slot: int, p: int, rest: tuple[int, ...]) -> None:
        self._slots[value], self.leading[value], self._rest[slot] = slot, p, rest

    def _input(self, op: Any, plan: Any, p: int, sizes: Sequence[int], slot: int) -> int:
        """The slot of a block argument, a constant or a captured scalar of the op's body."""
        body = plan.body
        if slot in body.fixed:
            return self._once((id(plan), slot), self._constants, body.fixed[slot], True)
        if slot >= body.n_arguments:
            value = body.captures[slot]
            self.outside[value] = None
            return self._once(value, self._scalars, value, True)
        value, map_ = op.operands[slot], plan.in_maps[slot]
        if value in self._slots:
            made = self._slots[value]
            rest = tuple(sizes[d] if d in map_.dims else 1 for d in range(p, len(sizes)))
            return made if rest == self._rest[made] else self._view(made, rest)
        self.outside[value] = None
        read = _Read(value, map_, p, tuple(sizes))
        same = not any(d < p and sizes[d] > 1 for d in map_.used)
        return self._once((value, map_.linear_key, p, tuple(sizes)), self._reads, read, same)

    def _view(self, slot: int, rest: tuple[int, ...]) -> int:
        new = self._add(lambda x: x.reshape(len(x), *rest), [slot], _VIEW)
        self._rest[new] = rest
        return new

    def _reduction(self, op: Any, plan: Any, i: int, p: int, sizes: Sequence[int], slot: int) -> int:
        out_map = plan.out_maps[i]
        axes = [d - p + 1 for d in range(len(sizes)) if d not in out_map.dims]
        rest = [1 if d is None else sizes[d] for d in out_map.dims[p:]]
        ufunc = COMBINERS[plan.combination(i)[0].name]
        start = op.operands[plan.n_in + i]
        self.outside[start] = None
        read = _Read(start, out_map, p, tuple(1 if d not in out_map.dims else s for d, s in enumerate(sizes)))
        init = self._once((start, out_map.linear_key, p, tuple(sizes), "init"), self._reads, read, False)

        def reduce(value: Array, init: Array) -> Array:
            dtype = {"dtype": value.dtype} if ufunc in (np.add, np.multiply) else {}  # else small integers are widened
            total = ufunc.reduce(value, axis=tuple(axes), keepdims=True, **dtype)
            if not (ufunc is np.add and is_splat_of(init, 0)):
                total = ufunc(init, total)
            return total.reshape(len(total), *rest)

        return self._add(reduce, [slot, init], _NEW)

    def reshape(self, source: Any, result: Any, p: int, shape: Sequence[int]) -> None:
        """A reshape of a value made here to one whose first `p` axes are the rows."""
        slot, rest = self._slots[source], tuple(shape[p:])
        self._made(result, slot if rest == self._rest[slot] else self._view(slot, rest), p, rest)

    def finish(self, results: Sequence[Any]) -> None:
        """Settle what is given back, and where arrays may be written again."""
        self._results = [
            _Result(dtype_of(v.type), tuple(n or 0 for n in static_shape(v.type)), self._rest[self._slots[v]],
                    self._slots[v])
            for v in results
        ]  # fmt: skip
        self._before = [i for i in self._instructions if i.output in self._same]
        self._each = [i for i in self._instructions if i.output not in self._same]
        root: dict[int, int] = {}  # the slot whose array a slot is a view of
        last: dict[int, int] = {}
        for position, step in enumerate(self._each):
            root[step.output] = root.get(step.inputs[0], step.inputs[0]) if step.gives == _VIEW else step.output
            last.update((root.get(slot, slot), position) for slot in step.inputs)
        kept = {root.get(result.slot, result.slot) for result in self._results}
        owned: set[int] = set()  # arrays that nothing but their slot and its views refers to
        for position, step in enumerate(self._each):
            roots = {root.get(slot, slot) for slot in step.inputs}
            dead = {r for r in roots if last[r] == position} - kept
            step.dying = tuple(s for s in step.inputs if root.get(s, s) in dead & owned)
            step.frees = tuple(s for s, r in root.items() if r in dead)
            if step.gives == _NEW:
                owned.add(step.output)
            elif step.gives == _ANY:
                owned -= roots
        computed: set[int] = set()  # slots in a result's rows
        for result in self._results:
            into = root.get(result.slot, result.slot)
            if into in self._rest and into not in computed:
                computed.add(into)
                result.root = into

    # Running

    def run(self, given: Mapping[Any, Array], slab: int) -> list[Array]:
        """The results. given: the values read from outside. slab: elements of the widest op's part of a slab."""
        values: list[Any] = [None] * self._count
        varying: list[tuple[int, Array]] = []
        for slot, read in self._reads.items():
            array = read.rows(given[read.value])
            if len(array) == 1:
                values[slot] = array
            else:
                varying.append((slot, array))
        for slot, constant in self._constants.items():
            values[slot] = constant
        for slot, value in self._scalars.items():
            values[slot] = given[value]
        for step in self._before:
            step.run(values, None)
        arrays = [empty(result.shape, result.dtype) for result in self._results]
        parts = [array.reshape(self.rows, *r.rest) for array, r in zip(arrays, self._results, strict=True)]
        into = {r.root: array.reshape(self.rows, *self._rest[r.root])
                for array, r in zip(arrays, self._results, strict=True) if r.root is not None}  # fmt: skip

        def run(low: int, high: int) -> None:
            mine = list(values)
            for slot, array in varying:
                mine[slot] = array[low:high]
            for step in self._each:
                whole = into.get(step.output)
                step.run(mine, None if whole is None else whole[low:high])
            for part, result in zip(parts, self._results, strict=True):
                target, value = part[low:high], mine[result.slot]
                if not np.may_share_memory(value, target):  # else it was computed there
                    target[...] = value

        run_all(run, cut(self.rows, max(1, slab // self._widest)))
        return arrays
