# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Values that depend on nothing but constants and weights, and what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from fovea.bindings import ir
from fovea.errors import CompileError, ExecutionError, FoveaError
from fovea.executor.body import captured
from fovea.executor.handlers import Array
from fovea.executor.interpreter import WEIGHT, argument_attribute, check_input
from fovea.executor.pieces import one_blas_thread
from fovea.executor.program import handler_of
from fovea.executor.types import location_text

if TYPE_CHECKING:
    from fovea.weights import WeightStore

# Ops that a program wants to run even if their operands are constants.
_KEPT = frozenset({"fovea.capture", "func.call", "cf.assert", "scf.while"})


def weight_name(value: Any) -> str | None:
    """The tensor that a block argument stands for by its `fovea.weight` attribute; None for any other value."""
    if not isinstance(value, ir.BlockArgument):
        return None
    around = value.owner.owner.operation
    return argument_attribute(around, value.arg_number, WEIGHT) if around.name == "func.func" else None


class ConstantEvaluator:
    """Answers about the values of one module; remembers its answers, so that many questions cost no more than one walk.

    It holds on to values of the IR: drop it before rewriting.
    """

    def __init__(self, weights: WeightStore | None = None) -> None:
        self._weights = weights
        self._known: dict[Any, bool] = {}
        self._values: dict[Any, Array] = {}

    # What handlers ask of a frame

    def value(self, value: Any) -> Array:
        return self._values[value]

    def used(self, result: Any) -> bool:
        return True

    def run_region(self, op: Any, region: int, arguments: Sequence[Array]) -> list[Array]:
        raise ExecutionError(f"{location_text(op)}: '{op.operation.name}' is not evaluated as a constant")

    def captured_value(self, op: Any, id_: str, value: Array) -> None:
        raise ExecutionError(f"{location_text(op)}: a captured value is not a constant")

    def call(self, op: Any, name: str, arguments: Sequence[Array]) -> list[Array]:
        raise ExecutionError(f"{location_text(op)}: a call is not evaluated as a constant")

    # Questions

    def is_constant(self, value: Any) -> bool:
        """True if `value` follows from constants and known weights alone, by ops that the executor can run."""
        if value not in self._known:
            self._visit([value], self._known, self._decide)
        return self._known[value]

    def evaluate(self, values: Sequence[Any]) -> list[Array]:
        """The values of SSA values for which `is_constant` holds; CompileError for any other."""
        for value in values:
            if not self.is_constant(value):
                raise CompileError(f"{value.get_name()} depends on more than constants and weights")
        with np.errstate(all="ignore"), nullcontext() if all(map(_is_given, values)) else one_blas_thread():
            self._visit(values, self._values, self._compute)
        return [self._values[value] for value in values]

    def _visit(self, values: Iterable[Any], done: dict[Any, Any], settle: Callable[[Any], None]) -> None:
        """Call `settle` on each value that is not done, after what it depends on (no recursion: graphs are deep)."""
        pending = list(values)
        while pending:
            value = pending[-1]
            if value not in done:
                missing = [v for v in _dependencies(value) if v not in done]
                if missing and self._descends(value, done):
                    pending += missing
                    continue
                settle(value)
            pending.pop()

    def _descends(self, value: Any, done: dict[Any, Any]) -> bool:
        return done is not self._known or _may_fold(value.owner)

    def _decide(self, value: Any) -> None:
        if isinstance(value, ir.BlockArgument):
            name = weight_name(value)
            self._known[value] = name is not None and self._weights is not None and name in self._weights
            return
        op = value.owner.opview
        constant = _may_fold(op) and all(self._known[v] for v in _dependencies(value)) and handler_of(op) is not None
        self._known.update(dict.fromkeys(op.results, constant))

    def _compute(self, value: Any) -> None:
        if isinstance(value, ir.BlockArgument):
            name = weight_name(value)
            assert name is not None and self._weights is not None
            self._values[value] = check_input(name, self._weights[name], value.type, what="weight")
            return
        op = value.owner.opview
        handler = handler_of(op)
        assert handler is not None
        try:
            results = handler(self, op, [self._values[v] for v in op.operands])
        except FoveaError:
            raise
        except (ValueError, TypeError, IndexError, MemoryError, ArithmeticError) as error:
            raise ExecutionError(f"{location_text(op)}: '{op.operation.name}': {error}") from error
        self._values.update((v, r) for v, r in zip(op.results, results, strict=True) if r is not None)


def _is_given(value: Any) -> bool:
    """Whether nothing is computed for `value`: it is an argument or the result of a constant op."""
    return isinstance(value, ir.BlockArgument) or value.owner.operation.name == "arith.constant"


def _may_fold(owner: Any) -> bool:
    """False for ops that are not evaluated whatever their operands are."""
    if isinstance(owner, ir.Block):
        return True
    name = owner.operation.name
    return name not in _KEPT and not name.startswith("scf.")


def _dependencies(value: Any) -> list[Any]:
    """What an SSA value is computed from: operands, and what its op's regions capture."""
    if isinstance(value, ir.BlockArgument):
        return []
    op = value.owner.opview
    return [*op.operands, *(captured(op) if op.operation.regions else ())]


def evaluate(values: Sequence[Any], weights: WeightStore | None = None) -> list[Array]:
    """What each of `values` is; all must be constant (see `is_constant`). Each op runs once."""
    return ConstantEvaluator(weights).evaluate(values)


def is_constant(value: Any, weights: WeightStore | None = None) -> bool:
    """True if `value` depends on constants and weights alone; many questions: ask one `ConstantEvaluator`."""
    return ConstantEvaluator(weights).is_constant(value)
