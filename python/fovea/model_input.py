# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a module must be for Fovea to compile it, checked before any work: one entry, static shapes, known types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fovea.bindings import ir
from fovea.dialect.quantize import STORAGE_MAX
from fovea.errors import CompileError, Diagnostic, InputError
from fovea.executor.interpreter import entry_of, inputs_of
from fovea.passes.ir_utils import element_of
from fovea.plan import DTYPE_BYTES

LIMIT = 5  # errors that are shown of one kind


def check_model(module: Any) -> None:
    """InputError if the module has no single public function with inputs that can be told apart; CompileError with a
    diagnostic at the place of each dynamic shape (not supported yet) and of each argument or result of a wrong type."""
    entry = entry_of(module)
    problems = list(_signature(entry))
    if not problems:
        inputs_of(module)
        problems = list(_dynamic_results(module))
    if problems:
        raise CompileError("the model's types are not what Fovea compiles", problems[:LIMIT])


def _signature(entry: Any) -> Iterator[Diagnostic]:
    results = ir.FunctionType(ir.TypeAttr(entry.attributes["function_type"]).value).results
    if not results:
        raise InputError("the entry function has no results: expected at least one tensor")
    sides: dict[str, Iterable[Any]] = {"argument": [a.type for a in entry.arguments], "result": results}
    for side, types in sides.items():
        for number, type_ in enumerate(types):
            problem = _problem(type_)
            if problem:
                yield _at(entry, f"{side} {number} of the entry function is {type_}: {problem}")


def _problem(type_: Any) -> str | None:
    """What is wrong with the type of an input, weight or output."""
    if not isinstance(type_, ir.RankedTensorType):
        return "expected a ranked tensor"
    if not type_.has_static_shape:
        return _DYNAMIC
    if str(type_.element_type) not in DTYPE_BYTES:
        return f"unknown element type; expected one of {', '.join(DTYPE_BYTES)}"
    return None


_DYNAMIC = "dynamic shapes are not supported yet; export the model with fixed sizes"


def _dynamic_results(module: Any) -> Iterator[Diagnostic]:
    found: list[Diagnostic] = []

    def visit(op: Any) -> Any:
        for result in op.results:
            if isinstance(result.type, ir.RankedTensorType) and not result.type.has_static_shape:
                found.append(_at(op, f"'{op.name}' makes {result.type}: {_DYNAMIC}"))
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    yield from found


def holds_fp8(module: Any) -> bool:
    """Whether anything in the module is of an 8-bit float type: it may have arrived quantised."""
    found = False

    def visit(op: Any) -> Any:
        nonlocal found
        found = any(str(element_of(value.type)) in STORAGE_MAX for value in (*op.results, *op.operands))
        return ir.WalkResult.INTERRUPT if found else ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    return found


def _at(op: Any, message: str) -> Diagnostic:
    return Diagnostic("error", message, str(op.location))
