# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A block's ops made ready to run: the function of each, runs of them fused, and when values are let go of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fovea.errors import UnsupportedOpError
from fovea.executor import control_ops, dynamic_ops, fovea_ops, tensor_ops, tm_tensor_ops
from fovea.executor.body import captured
from fovea.executor.fusion import Unit, fused
from fovea.executor.handlers import HANDLERS, Handler
from fovea.executor.structured import StructuredOp, is_structured
from fovea.executor.types import location_text

_LOADED = (control_ops, dynamic_ops, fovea_ops, tensor_ops, tm_tensor_ops)  # importing them fills HANDLERS
_EFFECTS = frozenset({"fovea.capture", "cf.assert", "func.call", "scf.while"})  # a while may not end
_TERMINATORS = frozenset({"func.return", "scf.yield", "scf.condition"})


def handler_of(op: Any) -> Handler | None:
    """The function that runs `op`, None if there is none."""
    name = op.operation.name
    found = HANDLERS.get(name)
    if found is None and name.startswith("linalg.") and is_structured(op):
        return StructuredOp(op)
    return found


@dataclass(frozen=True)
class Step:
    """An op, or a run of them, and what it reads and gives."""

    op: Any
    handler: Handler
    operands: tuple[Any, ...]
    results: tuple[Any, ...]
    dies: tuple[Any, ...]
    """Values of this block that nothing uses after this step."""


@dataclass(frozen=True)
class Program:
    """A block to be run. `outputs`: what its terminator gives."""

    steps: tuple[Step, ...]
    outputs: tuple[Any, ...]


def _has_effects(op: Any) -> bool:
    """True for an op that does more than give results, or whose regions hold such an op."""
    if op.operation.name in _EFFECTS:
        return True
    blocks = (block for region in op.operation.regions for block in region.blocks)
    return any(_has_effects(inner) for block in blocks for inner in block.operations)


def _needed(ops: Sequence[tuple[Any, Handler, set[Any]]]) -> list[tuple[Any, Handler, set[Any]]]:
    """The ops that have effects, and what they depend on."""
    needed: set[Any] = set()
    kept = []
    for op, handler, reads in reversed(ops):
        if not needed.isdisjoint(op.results) or _has_effects(op):
            needed |= reads
            kept.append((op, handler, reads))
    return kept[::-1]


def compile_block(block: Any, fuse: bool, results: bool) -> Program:
    """The program of a block. fuse: runs of ops as one step. Without `results`: without what serves them alone.

    UnsupportedOpError for an op that the executor lacks.
    """
    operations = list(block.operations)
    if not operations or operations[-1].operation.name not in _TERMINATORS:
        last = operations[-1] if operations else block.owner
        raise UnsupportedOpError(
            f"{location_text(last)}: the reference executor does not support the terminator '{last.operation.name}'"
        )
    outputs = tuple(operations[-1].operands) if results else ()
    own = set(block.arguments)
    ops = []
    for op in operations[:-1]:
        handler = handler_of(op)
        if handler is None:
            raise UnsupportedOpError(
                f"{location_text(op)}: the reference executor does not support '{op.operation.name}'"
            )
        own.update(op.results)
        ops.append((op, handler, {*op.operands, *(captured(op) if op.operation.regions else ())}))
    if not results:
        ops = _needed(ops)
    alive = set(outputs)
    steps = []
    for unit in reversed(fused(ops) if fuse else [Unit.of(*op) for op in ops]):
        dies = tuple(v for v in {*unit.reads, *unit.results} if v not in alive and v in own)
        alive |= unit.reads
        steps.append(Step(unit.op, unit.handler, unit.operands, unit.results, dies))
    return Program(tuple(reversed(steps)), outputs)
