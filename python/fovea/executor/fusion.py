# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs of structured ops evaluated together, so many rows at a time that what lies between them stays in the cache.

The leading dims of the ops of a run make up as many rows in each (8x128x384 and 1024x1536: 1024 rows), and no op reads
rows but its own. What one of them gives another is never made as a whole. Rows are cut without regard to the number of
threads, and each element is computed by the same functions as alone: results are the same to the bit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.errors import FoveaError
from fovea.executor.affine import Map
from fovea.executor.handlers import Frame, Handler
from fovea.executor.rows import RowProgram
from fovea.executor.scalar import COMBINERS, NAMES
from fovea.executor.structured import Plan, StructuredOp
from fovea.executor.types import is_small_float, static_shape

Array = np.ndarray[Any, Any]

SLAB = 1 << 16  # elements of a slab: the two or three f32 arrays of an op's step fit in a core's second-level cache
_RESHAPES = frozenset({"tensor.expand_shape", "tensor.collapse_shape"})
# What may move before a run that it does not depend on.
_MOVES = frozenset({"arith.constant", "tensor.empty", "tensor.extract_slice", *_RESHAPES})


@dataclass(frozen=True)
class Unit:
    """An op, or a run of ops, the first being `op`: what its handler gets, what it gives, and all that it reads."""

    op: Any
    handler: Handler
    operands: tuple[Any, ...]
    results: tuple[Any, ...]
    reads: frozenset[Any]

    @staticmethod
    def of(op: Any, handler: Handler, reads: Collection[Any]) -> Unit:
        """An op alone."""
        return Unit(op, handler, tuple(op.operands), tuple(op.results), frozenset(reads))


def fused(ops: Sequence[tuple[Any, Handler, Collection[Any]]]) -> list[Unit]:
    """The ops of a block, runs of them fused. ops: op, handler, and all values that it reads, in order."""
    units: list[Unit] = []
    run: _Run | None = None
    for op, handler, reads in ops:
        if run is not None:
            if run.add(op, handler, reads):
                continue
            if _moves(op) and run.made.isdisjoint(reads):
                units.append(Unit.of(op, handler, reads))
                continue
            units += run.units()
        run = _Run.of(op, handler, reads)
        if run is None:
            units.append(Unit.of(op, handler, reads))
    return units + (run.units() if run is not None else [])


def _moves(op: Any) -> bool:
    name = op.operation.name
    return name in _MOVES or name.startswith("linalg.")


def _shape(value: Any) -> tuple[int, ...] | None:
    """The static shape of a tensor, None for anything else."""
    if not isinstance(value.type, ir.RankedTensorType):
        return None
    shape = static_shape(value.type)
    return None if None in shape else tuple(size or 0 for size in shape)


def _leading(shape: Sequence[int], rows: int) -> int | None:
    """How many leading sizes multiply to `rows`."""
    return next((p for p in range(1, len(shape) + 1) if prod(shape[:p]) == rows), None)


class _Run:
    """A run being put together: ops with as many rows each."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.members: list[Unit] = []
        self.made: set[Any] = set()
        self.program = RowProgram(rows)

    @staticmethod
    def of(op: Any, handler: Handler, reads: Collection[Any]) -> _Run | None:
        """A run that starts with `op`, None if it cannot be in any."""
        plan = _plan(op, handler)
        sizes = _sizes(plan) if plan is not None else None
        if sizes is None:
            return None
        p = next((p for p in range(1, len(sizes) + 1) if prod(sizes[p:]) <= SLAB), len(sizes))
        run = _Run(prod(sizes[:p]))
        return run if run.rows > 0 and run.add(op, handler, reads) else None

    def add(self, op: Any, handler: Handler, reads: Collection[Any]) -> bool:
        """Take `op` up; False, and nothing done, if it does not fit."""
        if op.operation.name in _RESHAPES:
            added = op.operands[0] in self.made and len(op.operands) == 1 and self._reshape(op)
        else:
            plan = _plan(op, handler)
            added = plan is not None and self._structured(op, plan)
        if added:
            self.members.append(Unit.of(op, handler, reads))
            self.made.update(op.results)
        return bool(added)

    def _reshape(self, op: Any) -> bool:
        shape = _shape(op.results[0])
        p = _leading(shape, self.rows) if shape is not None else None
        if shape is None or p is None:
            return False
        self.program.reshape(op.operands[0], op.results[0], p, shape)
        return True

    def _structured(self, op: Any, plan: Plan) -> bool:
        sizes = _sizes(plan)
        p = _leading(sizes, self.rows) if sizes is not None else None
        if sizes is None or p is None or prod(sizes[p:]) > SLAB:
            return False
        outputs = [i for i, result in enumerate(op.results) if next(iter(result.uses), None) is not None]
        if not outputs or not all(_keeps_rows(plan.out_maps[i], p, _shape(op.results[i])) for i in outputs):
            return False
        targets = [_target(plan, i) for i in outputs]
        wanted = [slot for slot in targets if slot is not None]
        if len(wanted) < len(targets) or not _computable(plan, wanted, sizes):
            return False
        needed = set().union(*(plan.body.arguments[slot] for slot in wanted))
        operands = list(op.operands)
        if any(a >= plan.n_in for a in needed) or any(operands[plan.n_in + i] in self.made for i in outputs):
            return False
        for a in needed:
            map_, value = plan.in_maps[a], operands[a]
            made = value in self.made
            fits = self.program.leading.get(value) == p and _keeps_rows(map_, p, _shape(value)) if made else (
                _reads_rows(map_, p)
            )  # fmt: skip
            if not fits:
                return False
        self.program.structured(op, plan, p, sizes, dict(zip(outputs, wanted, strict=True)))
        return True

    def units(self) -> list[Unit]:
        """The run as one unit; its ops alone if there is but one that computes."""
        if sum(unit.op.operation.name not in _RESHAPES for unit in self.members) < 2:
            return self.members
        inside = Counter(value for unit in self.members for value in unit.operands)
        results = [v for unit in self.members for v in unit.results if len(list(v.uses)) > inside[v]]
        self.program.finish(results)
        operands = tuple(self.program.outside)
        reads = frozenset(v for unit in self.members for v in unit.reads if v not in self.made)
        return [Unit(self.members[0].op, _handler(self.program, operands), operands, tuple(results), reads)]


def _handler(program: RowProgram, operands: Sequence[Any]) -> Handler:
    def run(frame: Frame, op: Any, values: Sequence[Array]) -> list[Array]:
        return program.run(dict(zip(operands, values, strict=True)), SLAB)

    return run


def _plan(op: Any, handler: Any) -> Plan | None:
    """The plan of a structured op whose region computes something; None for other ops."""
    if not isinstance(handler, StructuredOp):
        return None
    try:
        plan = handler.plan()
    except FoveaError:
        return None  # it says so when it runs
    return plan if plan.body.steps and plan.n_out else None


def _sizes(plan: Plan) -> list[int] | None:
    """Static sizes of the iteration space; None if operands do not give them."""
    sizes: dict[int, int] = {}
    for map_, value in zip(plan.maps, plan.op.operands, strict=True):
        shape = _shape(value) if isinstance(value.type, ir.ShapedType) else ()
        if shape is None or None in map_.linear:
            return None
        sizes.update({d: size for d, size in zip(map_.dims, shape, strict=True) if d is not None})
    return [sizes[d] for d in range(plan.rank)] if len(sizes) == plan.rank and 0 not in sizes.values() else None


def _keeps_rows(map_: Map, p: int, shape: Sequence[int] | None) -> bool:
    """True if the axes of a tensor are the leading dims, then others, rising, and ones (the constant 0)."""
    rest = [d for d in map_.dims[p:] if d is not None]
    ones = all(form == ({}, 0) and size == 1
               for form, d, size in zip(map_.linear, map_.dims, shape or (), strict=True) if d is None)  # fmt: skip
    return map_.dims[:p] == tuple(range(p)) and rest == sorted(set(rest)) and all(d >= p for d in rest) and ones


def _reads_rows(map_: Map, p: int) -> bool:
    """True if an operand from outside is read a row at a time."""
    pure = [d for d in map_.dims if d is not None and d < p]
    mixed = [form for form, d in zip(map_.linear, map_.dims, strict=True) if d is None and form is not None]
    return len(pure) == len(set(pure)) and not any(d < p for terms, _ in mixed for d in terms)


def _target(plan: Plan, i: int) -> int | None:
    """The slot that output i is made of: what it yields, or what its reduction combines; None if that does not fit."""
    if not plan.reduces:
        return plan.body.yields[i] if None not in plan.out_maps[i].dims else None
    found = plan.combination(i)
    if found is None or is_small_float(plan.dtypes[i]) or plan.dtypes[i] == np.bool_:
        return None
    step, slot = found
    product = plan.body.producer.get(slot)
    is_contraction = step.name in ("arith.addf", "arith.addi") and product is not None and (
        product.name in ("arith.mulf", "arith.muli")
    )  # fmt: skip
    return None if is_contraction or step.name not in COMBINERS else slot


def _computable(plan: Plan, targets: Sequence[int], sizes: Sequence[int]) -> bool:
    """True if targets vary along every dim, and follow from operands and scalars by elementwise ops; and if the region
    asserts nothing."""
    every = {d for d, size in enumerate(sizes) if size > 1}
    steps = plan.body.schedule(targets)
    return (
        all(every <= plan.dims_of(slot) and not plan.body.indices[slot] for slot in targets)
        and all(step.name in NAMES and len(step.outputs) == 1 for step in steps)
        and not any(step.checks for step in plan.body.steps)
        and not any(isinstance(value.type, ir.ShapedType) for value in plan.body.captures.values())
    )
