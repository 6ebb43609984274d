# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Running a package: inputs in, launches in order, outputs out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from fovea.emulator import EmulationError, Statistics, emulate
from fovea.errors import InputError, UsageError
from fovea.package import Package
from fovea.plan import Buffer, Launch, Plan, TensorSpec

DEVICES = ("emulator",)
DTYPES: dict[str, np.dtype[Any]] = {
    name: np.dtype(dtype)
    for name, dtype in {
        "f64": np.float64, "f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16,
        "i64": np.int64, "i32": np.int32, "i16": np.int16, "i8": np.int8, "i1": np.bool_, "index": np.int64,
        "f8E4M3FNUZ": ml_dtypes.float8_e4m3fnuz, "f8E4M3FN": ml_dtypes.float8_e4m3fn,
        "f8E5M2FNUZ": ml_dtypes.float8_e5m2fnuz, "f8E5M2": ml_dtypes.float8_e5m2,
        "f8E8M0FNU": ml_dtypes.float8_e8m0fnu,
    }.items()
}  # fmt: skip

Array = np.ndarray[Any, Any]
OnLaunch = Callable[[int, str, Statistics], None]  # number of the launch, kernel, its statistics


def check_inputs(specs: Sequence[TensorSpec], inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Inputs by name as the package wants them. InputError naming one that is missing, unknown or misshapen."""
    wanted = {spec.name: spec for spec in specs}
    unknown = [name for name in inputs if name not in wanted]
    if unknown:
        raise InputError(f"the model has no input '{unknown[0]}'; its inputs are: {', '.join(wanted)}")
    checked = {}
    for name, spec in wanted.items():
        dtype = DTYPES[spec.dtype]
        expected = f"{spec.dtype} of shape {list(spec.shape)}"
        if name not in inputs:
            raise InputError(f"input '{name}' is missing: expected {expected}")
        array = np.asarray(inputs[name])
        if tuple(array.shape) != spec.shape or not np.can_cast(array.dtype, dtype, "same_kind"):
            raise InputError(f"input '{name}': expected {expected}, found {array.dtype} of shape {list(array.shape)}")
        checked[name] = np.ascontiguousarray(array.astype(dtype, copy=False))
    return checked


def run(
    package: Package,
    inputs: Mapping[str, Array],
    device: str = "emulator",
    checks: bool = True,
    on_launch: OnLaunch | None = None,
    profile: bool = False,
) -> dict[str, Array]:
    """Outputs by name. `checks`: the emulator's checks beyond bounds; `profile`: its statistics for profiles.

    With `checks`, a buffer of the arena is undefined until a launch of its lifetime writes it, and outputs have to be
    written in full.

    Raises FoveaError for wrong inputs or devices.
    """
    if device not in DEVICES:
        raise UsageError(f"unknown device '{device}'; expected one of {', '.join(DEVICES)}")
    plan = package.plan
    given = check_inputs(plan.inputs, inputs)
    memory: dict[int, Array] = {}
    for spec in plan.inputs:
        memory[spec.buffer] = given[spec.name].reshape(-1).view(np.uint8)
    outputs = {spec.name: np.zeros(spec.shape, DTYPES[spec.dtype]) for spec in plan.outputs}
    for spec in plan.outputs:
        memory[spec.buffer] = outputs[spec.name].reshape(-1).view(np.uint8)
    arena = np.zeros(plan.arena_bytes, np.uint8)
    for buffer in plan.buffers:
        if buffer.kind == "arena":
            memory[buffer.id] = arena[buffer.offset : buffer.offset + buffer.bytes]
        elif buffer.tensor:
            memory[buffer.id] = package.weights[buffer.tensor].reshape(-1).view(np.uint8)
    written = _Written(plan) if checks else None
    for number, launch in enumerate(plan.launches):
        arguments: list[Any] = []
        for argument in launch.args:
            if "buffer" in argument:
                arguments.append(memory[argument["buffer"]][argument["offset"] :])
            else:
                ((kind, value),) = argument.items()
                arguments.append(DTYPES[kind].type(value))
        code = package.code_objects[launch.code_object]
        marks = written.of(launch) if written is not None else {}
        statistics = emulate(
            code, launch.kernel, launch.grid, launch.block, arguments, checks=checks, profile=profile,
            uninitialised=marks,
        )  # fmt: skip
        if on_launch is not None:
            on_launch(number, launch.kernel, statistics)
    if written is not None:
        written.require_outputs()
    return outputs


class _Written:
    """Which bytes of the arena's buffers and of the outputs the launches so far have written."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.buffers = {buffer.id: buffer for buffer in plan.buffers}
        self.marks: dict[int, Array] = {}

    def of(self, launch: Launch) -> dict[int, Array]:
        """Marks for `emulate` by argument number. A buffer met first is unwritten, and those it takes the place of."""
        result = {}
        for number, argument in enumerate(launch.args):
            if "buffer" in argument and self.buffers[argument["buffer"]].kind in ("arena", "output"):
                result[number] = self._marks(self.buffers[argument["buffer"]])[argument["offset"] :]
        return result

    def _marks(self, buffer: Buffer) -> Array:
        if buffer.id not in self.marks:
            end = buffer.offset + buffer.bytes
            for other_id, marks in self.marks.items():
                other = self.buffers[other_id]
                if buffer.kind == other.kind == "arena" and other.offset < end:
                    marks[max(buffer.offset - other.offset, 0) : max(end - other.offset, 0)] = 0
            self.marks[buffer.id] = np.zeros(buffer.bytes, np.uint8)
        return self.marks[buffer.id]

    def require_outputs(self) -> None:
        """EmulationError if a byte of an output was never written."""
        for spec in self.plan.outputs:
            marks = self._marks(self.buffers[spec.buffer])[: spec.bytes]
            if not marks.all():
                missing = np.flatnonzero(marks == 0)
                raise EmulationError(
                    f"no launch wrote byte {int(missing[0])} of output '{spec.name}' ({len(missing)} bytes are missing)"
                )
