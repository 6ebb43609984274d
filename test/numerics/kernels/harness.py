# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compile a kernel function, run it on the emulator and on the reference executor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from fovea.bindings import ir
from fovea.codegen import registry, rocdl, serializer
from fovea.codegen.kernel import LaunchShape
from fovea.dialect import register
from fovea.emulator import emulate
from fovea.executor import Executor
from fovea.target import chip

DTYPES: dict[str, Any] = {
    "f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16, "f8E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
    "i64": np.int64, "i32": np.int32, "i1": np.bool_,
}  # fmt: skip


@dataclass
class Result:
    """What both ways gave, as float64 arrays, and the emulator's statistics."""

    emulated: list[np.ndarray]
    expected: list[np.ndarray]
    raw_emulated: list[np.ndarray]
    raw_expected: list[np.ndarray]
    statistics: Any
    shape: LaunchShape


def compile_kernel(function: Any, target: str = "gfx942") -> tuple[Any, bytes]:
    """The kernel (for its launch shape) and the code object of a kernel function."""
    kernel = registry.build(function, chip(target))
    kernel.module.operation.verify()
    rocdl.lower(kernel.module, kernel.chip, 1 << 20)
    job = serializer.Job("kernel", rocdl.bytecode(kernel.module))
    return kernel, serializer.serialize([job], target)[0]


def random_input(rng: np.random.Generator, type_: Any, high: int = 64) -> np.ndarray:
    """Standard normal floats, integers below `high`, fair booleans."""
    name, shape = str(type_.element_type), list(type_.shape)
    if name == "i1":
        return rng.random(shape) < 0.5
    if name.startswith("i"):
        return rng.integers(0, high, shape).astype(DTYPES[name])
    return rng.standard_normal(shape).astype(np.float32).astype(DTYPES[name])


def run_both(text: str, inputs: Sequence[np.ndarray] | None = None, seed: int = 0, high: int = 64) -> Result:
    """Run the first function of `text` both ways; results that nothing wrote stay NaN."""
    context = ir.Context()
    context.enable_multithreading(False)
    register(context)
    with context, ir.Location.unknown():
        module = ir.Module.parse(text)
        function = module.body.operations[0]
        rng = np.random.default_rng(seed)
        arrays = list(inputs or [random_input(rng, argument.type, high) for argument in function.arguments])
        kernel, code = compile_kernel(function)
        outputs = []
        for value in kernel.returned:
            dtype = DTYPES[str(value.type.element_type)]
            outputs.append(np.frombuffer(b"\xff" * (int(np.prod(value.type.shape)) * np.dtype(dtype).itemsize), dtype)
                           .reshape(list(value.type.shape)).copy())  # fmt: skip
        arguments = [np.ascontiguousarray(a.astype(np.uint8) if a.dtype == bool else a) for a in arrays] + outputs
        statistics = emulate(code, None, kernel.shape.grid, (kernel.shape.block, 1, 1), arguments)
        function.attributes["sym_visibility"] = ir.StringAttr.get("public")
        expected = Executor(module).run(arrays)
    as_float = [np.asarray(a).astype(np.float64) for a in outputs]
    return Result(as_float, [np.asarray(a).astype(np.float64) for a in expected], outputs, expected, statistics,
                  kernel.shape)  # fmt: skip


def relative_error(result: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference over the largest expected magnitude."""
    return float(np.abs(result - expected).max() / np.abs(expected).max())
