# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs functions of a module on numpy arrays, op by op or runs of ops at once (see `fusion`), and lets go of each value
after its last use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fovea.bindings import ir
from fovea.errors import ExecutionError, FoveaError, InputError, UnsupportedOpError
from fovea.executor.pieces import one_blas_thread, running
from fovea.executor.program import Program, compile_block
from fovea.executor.recycling import Recycler, recycling
from fovea.executor.types import dtype_of, is_float, location_text, shape_text, static_shape

if TYPE_CHECKING:
    from fovea.weights import WeightStore

Array = np.ndarray[Any, Any]
OnCapture = Callable[[Any, str, Array], None]
OnValue = Callable[[Any, list[Array]], None]

WEIGHT, NAME = "fovea.weight", "fovea.name"


def argument_attribute(function: Any, position: int, name: str) -> str | None:
    """A string attribute of a function's argument, None if it has none."""
    if "arg_attrs" not in function.attributes:
        return None
    attributes = function.attributes["arg_attrs"][position]
    return ir.StringAttr(attributes[name]).value if name in attributes else None


def functions_of(module: Any) -> dict[str, Any]:
    """Functions of a module that have a body, by name."""
    found = {}
    for op in module.body.operations:
        if op.operation.name == "func.func" and list(op.operation.regions[0].blocks):
            found[ir.StringAttr(op.attributes["sym_name"]).value] = op
    return found


def entry_of(module: Any, name: str | None = None) -> Any:
    """The function called `name`, or the only public one. InputError otherwise."""
    functions = functions_of(module)
    if name is not None:
        if name not in functions:
            raise InputError(f"no function '{name}' in the module; it has: {', '.join(functions) or 'none'}")
        return functions[name]
    public = [n for n, f in functions.items() if "sym_visibility" not in f.attributes
              or ir.StringAttr(f.attributes["sym_visibility"]).value == "public"]  # fmt: skip
    if len(public) != 1:
        raise InputError(f"expected one public function, found {len(public)}: {', '.join(public) or 'none'}; name one")
    return functions[public[0]]


def input_names(function: Any) -> dict[str, int]:
    """Names of the arguments that are not weights, to their position: attribute `fovea.name`, else `arg<position>`."""
    names: dict[str, int] = {}
    for position in range(len(function.arguments)):
        if argument_attribute(function, position, WEIGHT) is None:
            name = argument_attribute(function, position, NAME) or f"arg{position}"
            if name in names:
                raise InputError(f"two arguments of the entry function are called '{name}'")
            names[name] = position
    return names


@dataclass(frozen=True)
class InputType:
    """Name, shape (None for a dynamic dim) and dtype of an input; unpacks like a tuple."""

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]

    def __iter__(self) -> Iterator[Any]:
        return iter((self.name, self.shape, self.dtype))


def inputs_of(module: Any, function: str | None = None) -> list[InputType]:
    """The entry function's inputs (its arguments that are not weights), in order."""
    entry = entry_of(module, function)
    types = {name: entry.arguments[position].type for name, position in input_names(entry).items()}
    return [
        InputType(name, static_shape(t) if isinstance(t, ir.RankedTensorType) else (), dtype_of(t))
        for name, t in types.items()
    ]


class _Frame:
    """One activation of a function; see `handlers.Frame`."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._values: dict[Any, Array] = {}

    def value(self, value: Any) -> Array:
        return self._values[value]

    def used(self, result: Any) -> bool:
        return self._executor.on_value is not None or next(iter(result.uses), None) is not None

    def captured_value(self, op: Any, id_: str, value: Array) -> None:
        if self._executor.on_capture is not None:
            self._executor.on_capture(op, id_, value)

    def call(self, op: Any, name: str, arguments: Sequence[Array]) -> list[Array]:
        return self._executor.call(op, name, arguments)

    def run_region(self, op: Any, region: int, arguments: Sequence[Array]) -> list[Array]:
        block = op.operation.regions[region].blocks[0]
        return self.run(self._executor.program(block), block.arguments, arguments)

    def run(self, program: Program, parameters: Sequence[Any], arguments: Sequence[Array]) -> list[Array]:
        values, on_value = self._values, self._executor.on_value
        values.update(zip(parameters, arguments, strict=True))
        del arguments
        for step in program.steps:
            try:
                results = step.handler(self, step.op, [values[v] for v in step.operands])
            except FoveaError:
                raise
            except (ValueError, TypeError, IndexError, MemoryError, ArithmeticError) as error:
                raise ExecutionError(f"{location_text(step.op)}: '{step.op.operation.name}': {error}") from error
            values.update((v, r) for v, r in zip(step.results, results, strict=True) if r is not None)
            if on_value is not None:
                on_value(step.op, [values[v] for v in step.results])
            del results
            for dead in step.dies:
                values.pop(dead, None)
        return [values[v] for v in program.outputs]


class Executor:
    """The reference executor of a module.

    module: an `ir.Module`; it must not be rewritten while the executor lives (attributes may change, but for those of
    ops in linalg's regions).
    weights: values of the arguments that have a `fovea.weight` attribute.
    on_capture(op, id, value): called at each `fovea.capture`. on_value(op, results): called after every op outside
    linalg's regions. Arrays given to the callbacks are views: copy what you keep, change nothing.
    """

    def __init__(
        self,
        module: Any,
        weights: WeightStore | None = None,
        on_capture: OnCapture | None = None,
        on_value: OnValue | None = None,
    ) -> None:
        self.module, self.weights = module, weights
        self.on_capture, self.on_value = on_capture, on_value
        self._functions = functions_of(module)
        self._recycler = Recycler()
        self._programs: dict[Any, Program] = {}

    def program(self, block: Any, results: bool = True) -> Program:
        """The compiled form of a block, made at its first use. Without `results`: for its captures alone."""
        key = block.operations[0], self.on_value is None, results
        if key not in self._programs:
            self._programs[key] = compile_block(block, self.on_value is None, results)
        return self._programs[key]

    def call(self, op: Any, name: str, arguments: Sequence[Array]) -> list[Array]:
        """Run function `name` for the call `op`."""
        if name not in self._functions:
            raise ExecutionError(f"{location_text(op)}: call of '{name}', which the module does not define")
        return self._invoke(self._functions[name], arguments)

    def _invoke(self, function: Any, arguments: Sequence[Array], results: bool = True) -> list[Array]:
        blocks = list(function.operation.regions[0].blocks)
        if len(blocks) != 1:
            raise UnsupportedOpError(
                f"{location_text(function)}: the reference executor runs functions of one block, found {len(blocks)}"
            )
        return _Frame(self).run(self.program(blocks[0], results), blocks[0].arguments, arguments)

    def run(self, inputs: Mapping[str, Array] | Sequence[Array], function: str | None = None) -> list[Array]:
        """Results of the entry function (the only public one) or of `function`.

        inputs: by name (see `input_names`), or one an argument that is not a weight, in order. A dtype of the same kind
        is converted. InputError for a missing, extra or misshapen input; ExecutionError if the program goes wrong;
        UnsupportedOpError for an op that the executor lacks.
        """
        entry = entry_of(self.module, function)
        arguments = self._arguments(entry, inputs)
        with np.errstate(all="ignore"), one_blas_thread(), running(), recycling(self._recycler):
            return [np.ascontiguousarray(r) if r.ndim else r for r in self._invoke(entry, arguments)]

    def observe(self, inputs: Mapping[str, Array] | Sequence[Array], function: str | None = None) -> None:
        """Run for the sake of `on_capture` alone: what no capture (and no assertion) depends on is not computed. Inputs
        and errors as those of `run`."""
        entry = entry_of(self.module, function)
        arguments = self._arguments(entry, inputs)
        with np.errstate(all="ignore"), one_blas_thread(), running(), recycling(self._recycler):
            self._invoke(entry, arguments, results=False)

    def _arguments(self, entry: Any, inputs: Mapping[str, Array] | Sequence[Array]) -> list[Array]:
        names = input_names(entry)
        given = dict(inputs) if isinstance(inputs, Mapping) else dict(zip(names, inputs, strict=False))
        if not isinstance(inputs, Mapping) and len(inputs) != len(names):
            raise InputError(f"expected {len(names)} inputs ({', '.join(names)}), found {len(inputs)}")
        for title, some in (("missing input", names.keys() - given), ("unknown input", given.keys() - names)):
            if some:
                raise InputError(f"{title} {', '.join(map(repr, sorted(some)))}; the inputs are: {', '.join(names)}")
        by_position = {position: name for name, position in names.items()}
        arguments = []
        for position, argument in enumerate(entry.arguments):
            if position in by_position:
                name = by_position[position]
                arguments.append(check_input(name, given[name], argument.type))
            else:
                arguments.append(self._weight(entry, position))
        return arguments

    def _weight(self, entry: Any, position: int) -> Array:
        name = argument_attribute(entry, position, WEIGHT) or ""
        if self.weights is None or name not in self.weights:
            raise InputError(f"no value for the weight '{name}' (argument {position}): give the file that holds it")
        return check_input(name, self.weights[name], entry.arguments[position].type, what="weight")


def check_input(name: str, value: Any, type_: Any, what: str = "input") -> Array:
    """`value` as an array of MLIR type `type_`; InputError naming it, the expected and the found type if it is not."""
    array = np.asarray(value)
    shape = static_shape(type_) if isinstance(type_, ir.RankedTensorType) else ()
    dtype = dtype_of(type_)
    fits = len(shape) == array.ndim and all(s is None or s == n for s, n in zip(shape, array.shape, strict=True))
    same_kind = array.dtype == dtype or array.dtype.kind == dtype.kind or (is_float(array.dtype) and is_float(dtype))
    if not fits or not same_kind or (what == "weight" and array.dtype != dtype):
        expected = shape_text(["?" if s is None else s for s in shape], dtype)
        raise InputError(f"{what} '{name}': expected {expected}, found {shape_text(array.shape, array.dtype)}")
    return array if array.dtype == dtype else array.astype(dtype)


def run(
    module: Any,
    inputs: Mapping[str, Array] | Sequence[Array],
    weights: WeightStore | None = None,
    function: str | None = None,
) -> list[Array]:
    """Run a module once; see `Executor`."""
    return Executor(module, weights).run(inputs, function)
