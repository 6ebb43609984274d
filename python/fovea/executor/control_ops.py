# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""func, arith.constant and scf outside of structured ops' regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.errors import ExecutionError
from fovea.executor.affine import evaluate
from fovea.executor.constants import array_of
from fovea.executor.handlers import HANDLERS, Array, Frame, handles
from fovea.executor.scalar import NAMES, elementwise
from fovea.executor.types import location_text


@handles("arith.constant")
def _constant(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    return [array_of(op.attributes["value"])]


def _elementwise(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    function = elementwise(op)
    assert function is not None
    results = function(*operands)
    return [np.asarray(r) for r in results] if isinstance(results, tuple) else [np.asarray(results)]


HANDLERS.update(dict.fromkeys(NAMES, _elementwise))


@handles("affine.apply")
def _apply(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    source = ir.AffineMapAttr(op.attributes["map"]).value
    values = [int(x) for x in operands]
    return [np.asarray(evaluate(source.results[0], values[: source.n_dims], values[source.n_dims :]), np.int64)]


@handles("cf.assert")
def _assert(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    if not bool(operands[0]):
        raise ExecutionError(f"{location_text(op)}: assertion failed: {ir.StringAttr(op.attributes['msg']).value}")
    return []


@handles("func.call")
def _call(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    return frame.call(op, ir.FlatSymbolRefAttr(op.attributes["callee"]).value, operands)


@handles("scf.if")
def _if(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    branch = 0 if bool(operands[0]) else 1
    return frame.run_region(op, branch, []) if list(op.operation.regions[branch].blocks) else []


@handles("scf.for")
def _for(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    lower, upper, step = (int(x) for x in operands[:3])
    if step <= 0:
        raise ExecutionError(f"{location_text(op)}: scf.for: expected a positive step, found {step}")
    carried, kind = list(operands[3:]), operands[0].dtype
    for position in range(lower, upper, step):
        carried = frame.run_region(op, 0, [np.asarray(position, kind), *carried])
    return carried


@handles("scf.while")
def _while(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    carried = list(operands)
    while True:
        condition, *passed = frame.run_region(op, 0, carried)
        if not bool(condition):
            return passed
        carried = frame.run_region(op, 1, passed)
