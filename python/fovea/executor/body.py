# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A structured op's region as straight-line array code: a scalar in it becomes an array over the iteration space."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.errors import ExecutionError, UnsupportedOpError
from fovea.executor import affine
from fovea.executor.constants import array_of
from fovea.executor.scalar import IN_PLACE, elementwise
from fovea.executor.types import location_text

Array = np.ndarray[Any, Any]
Lookup = Callable[[Any], Array]


@dataclass(frozen=True)
class Step:
    """One op of a body: `function(*inputs)` gives the values of the slots `outputs`."""

    name: str
    function: Callable[..., Any]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    checks: bool = False


class Body:
    """A compiled region.

    Slots hold values: first the block's arguments, then what is captured from outside, then results. `arguments[slot]`
    is the set of block arguments that a slot depends on, `indices[slot]` the dims whose `linalg.index` it depends on.
    """

    def __init__(self, block: Any, lookup: Lookup | None) -> None:
        """`lookup` gives what is captured; None: nothing yet, see `bound`."""
        self._slots: dict[Any, int] = {}
        self._outside: dict[int, Any] = {}
        self.fixed: dict[int, Any] = {}
        self.steps: list[Step] = []
        self.producer: dict[int, Step] = {}
        self.index_slots: dict[int, int] = {}
        self.arguments: list[frozenset[int]] = []
        self.indices: list[frozenset[int]] = []
        self._lookup = lookup
        for position, argument in enumerate(block.arguments):
            self._new(argument, frozenset({position}), frozenset())
        self.n_arguments = len(self.arguments)
        operations = list(block.operations)
        for op in operations[:-1]:
            self._add(op)
        self.yields = [self._slot(value) for value in operations[-1].operands]

    def bound(self, lookup: Lookup) -> Body:
        """The same region with what it captures taken from `lookup`."""
        if not self._outside:
            return self
        body = copy.copy(self)
        body.fixed = {**self.fixed, **{slot: lookup(value) for slot, value in self._outside.items()}}
        return body

    @property
    def captures(self) -> dict[int, Any]:
        """Slot to the value from outside the block that it holds."""
        return self._outside

    def schedule(self, targets: Iterable[int]) -> list[Step]:
        """The steps that give the slots `targets`, in order."""
        needed, wanted = set(targets), []
        for step in reversed(self.steps):
            if not needed.isdisjoint(step.outputs):
                needed.update(step.inputs)
                wanted.append(step)
        return wanted[::-1]

    def _new(self, value: Any, arguments: frozenset[int], indices: frozenset[int]) -> int:
        self._slots[value] = slot = len(self.arguments)
        self.arguments.append(arguments)
        self.indices.append(indices)
        return slot

    def _slot(self, value: Any) -> int:
        """The slot of `value`; a value from outside the block is captured."""
        if value not in self._slots:
            slot = self._new(value, frozenset(), frozenset())
            self._outside[slot] = value
            if self._lookup is not None:
                self.fixed[slot] = self._lookup(value)
        return self._slots[value]

    def _add(self, op: Any) -> None:
        name = op.operation.name
        if name == "arith.constant":
            self.fixed[self._new(op.results[0], frozenset(), frozenset())] = array_of(op.attributes["value"])[()]
            return
        if name == "linalg.index":
            dim = ir.IntegerAttr(op.attributes["dim"]).value
            self.index_slots[self._new(op.results[0], frozenset(), frozenset({dim}))] = dim
            return
        inner: dict[Any, int] = {}
        inputs = [self._slot(value) for value in op.operands]
        if op.operation.regions:
            for value in captured(op):
                inner[value] = len(inputs)
                inputs.append(self._slot(value))
        function = _function(op, inner)
        arguments = frozenset().union(*(self.arguments[i] for i in inputs))
        indices = frozenset().union(*(self.indices[i] for i in inputs))
        outputs = tuple(self._new(result, arguments, indices) for result in op.results)
        step = Step(name, function, tuple(inputs), outputs, checks=name == "cf.assert")
        self.steps.append(step)
        for slot in outputs:
            self.producer[slot] = step

    def run(
        self,
        targets: Iterable[int],
        arguments: Sequence[Array | None],
        index: Callable[[int], Array],
        check: bool = True,
        into: Sequence[Array] = (),
    ) -> list[Array]:
        """Values of the slots `targets`. Only what they need is computed (an argument that they do not need may be
        None), and the assertions that depend on given arguments only if `check`. `index(dim)`: what linalg.index is.
        `into`: an array a target, of the iteration space's shape, which its value may be computed in (and then is).
        """
        targets = list(targets)
        needed, wanted = set(targets), []
        for step in reversed(self.steps):
            if (step.checks and check and self._given(step, arguments)) or not needed.isdisjoint(step.outputs):
                needed.update(step.inputs)
                wanted.append(step)
        values: dict[int, Any] = dict(self.fixed)
        values.update((slot, value) for slot, value in enumerate(arguments) if value is not None)
        values.update((slot, index(dim)) for slot, dim in self.index_slots.items() if slot in needed)
        last: dict[int, int] = {slot: position for position, step in enumerate(wanted[::-1]) for slot in step.inputs}
        places = dict(zip(targets, into, strict=False))
        owned: set[int] = set()  # temporaries: slots whose arrays nothing else refers to
        for position, step in enumerate(wanted[::-1]):
            inputs = [values[i] for i in step.inputs]
            if step.name in IN_PLACE:
                place = places.get(step.outputs[0])
                if place is None:
                    free = (i for i in step.inputs if i in owned and last[i] == position and i not in targets)
                    place = next((values[i] for i in free), None)
                results = step.function(*inputs, out=place) if fits(place, inputs) else step.function(*inputs)
                owned.update(step.outputs)
            else:
                owned.difference_update(step.inputs)  # the result may be a view of one
                results = step.function(*inputs)
            for slot in step.inputs:
                if last[slot] == position and slot not in targets:
                    values.pop(slot, None)
            if len(step.outputs) == 1:
                values[step.outputs[0]] = results
            else:
                values.update(zip(step.outputs, results or (), strict=True))
        return [np.asarray(values[slot]) for slot in targets]

    def _given(self, step: Step, arguments: Sequence[Array | None]) -> bool:
        """True if every block argument that a step depends on has a value."""
        return all(arguments[a] is not None for slot in step.inputs for a in self.arguments[slot])


def fits(place: Array | None, inputs: Sequence[Any]) -> bool:
    """True if a ufunc of `inputs` gives an array of the shape and dtype of `place`: those of its inputs together."""
    if place is None or place.ndim == 0 or any(x.dtype != place.dtype for x in inputs):
        return False
    return np.broadcast_shapes(*(x.shape for x in inputs)) == place.shape


def captured(op: Any) -> list[Any]:
    """Values defined outside `op` that its regions use, each once."""
    inside: set[Any] = set()
    found: dict[Any, None] = {}

    def visit(operation: Any) -> None:
        for region in operation.regions:
            for block in region.blocks:
                inside.update(block.arguments)
                for child in block.operations:
                    inside.update(child.results)
                    for value in child.operands:
                        if value not in inside:
                            found[value] = None
                    if child.operation.regions:
                        visit(child.operation)

    visit(op.operation)
    return list(found)


def _function(op: Any, inner: dict[Any, int]) -> Callable[..., Any]:
    name = op.operation.name
    simple = elementwise(op)
    if simple is not None:
        return simple
    factory = _OTHERS.get(name)
    if factory is None:
        raise UnsupportedOpError(
            f"{location_text(op)}: the reference executor does not support '{name}' inside the region of "
            f"'{op.operation.parent.name}'"
        )
    return factory(op, inner)


def _assertion(op: Any, inner: dict[Any, int]) -> Callable[..., Any]:
    message, where = ir.StringAttr(op.attributes["msg"]).value, location_text(op)

    def check(condition: Array) -> None:
        if not np.all(condition):
            raise ExecutionError(f"{where}: assertion failed: {message}")

    return check


def gather(where: str, source: Array, indices: Sequence[Array]) -> Array:
    """`source[indices]`, the indices broadcast to one shape and checked against the bounds."""
    if not indices:
        return source
    arrays = [np.asarray(i) for i in indices]
    try:
        affine.check_bounds(arrays, source.shape)
    except ExecutionError as error:
        raise ExecutionError(f"{where}: tensor.extract: {error}") from None
    *rest, last = arrays
    whole_rows = bool(rest) and last.ndim > 1 and last.shape == (1,) * (last.ndim - 1) + source.shape[-1:]
    if whole_rows and all(a.ndim == last.ndim and a.shape[-1] == 1 for a in rest) and _counts_up(last):
        return source[tuple(a[..., 0] for a in rest)]  # the same elements, copied a row at a time
    return source[tuple(arrays)]


def _counts_up(index: Array) -> bool:
    return np.array_equal(index.ravel(), np.arange(index.size))


def _extract(op: Any, inner: dict[Any, int]) -> Callable[..., Any]:
    where = location_text(op)
    return lambda source, *indices: gather(where, source, indices)


def _dim(op: Any, inner: dict[Any, int]) -> Callable[..., Any]:
    return lambda source, axis: np.int64(source.shape[int(axis)])


def _apply(op: Any, inner: dict[Any, int]) -> Callable[..., Any]:
    source = ir.AffineMapAttr(op.attributes["map"]).value
    dims = source.n_dims
    return lambda *xs: np.asarray(affine.evaluate(source.results[0], xs[:dims], xs[dims:]), np.int64)


def _if(op: Any, inner: dict[Any, int]) -> Callable[..., Any]:
    """Both branches over all elements, then a selection; a branch without effects may compute what it discards."""
    blocks = [list(region.blocks) for region in op.operation.regions]
    results = len(op.results)

    def run(condition: Array, *captures: Array) -> Any:
        values = []
        for branch in blocks:
            body = Body(branch[0], lambda value: captures[inner[value] - 1]) if branch else None
            values.append(body.run(body.yields, [], _no_index, check=False) if body else [])
        chosen = tuple(np.where(condition, a, b) for a, b in zip(*values, strict=True))
        return chosen[0] if results == 1 else chosen

    return run


def _no_index(dim: int) -> Array:
    raise ExecutionError("linalg.index inside a nested region is not supported by the reference executor")


_OTHERS: dict[str, Callable[[Any, dict[Any, int]], Callable[..., Any]]] = {
    "cf.assert": _assertion,
    "tensor.extract": _extract,
    "tensor.dim": _dim,
    "affine.apply": _apply,
    "scf.if": _if,
}
