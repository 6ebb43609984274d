# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compile kernel functions, run them on the emulator and on the reference executor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import ml_dtypes
import numpy as np

from fovea.bindings import ir
from fovea.codegen import registry, rocdl, serializer
from fovea.codegen.kernel import LaunchShape
from fovea.dialect import register
from fovea.emulator import emulate
from fovea.errors import CompileError
from fovea.executor import Executor
from fovea.target import chip

TARGET = "gfx942"
DTYPES: dict[str, Any] = {
    "f64": np.float64, "f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16,
    "f8E4M3FNUZ": ml_dtypes.float8_e4m3fnuz, "f8E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
    "f8E4M3FN": ml_dtypes.float8_e4m3fn, "f8E5M2": ml_dtypes.float8_e5m2, "f8E8M0FNU": ml_dtypes.float8_e8m0fnu,
    "i64": np.int64, "i32": np.int32, "i16": np.int16, "i8": np.int8, "i1": np.bool_,
}  # fmt: skip

Draw = Callable[[np.random.Generator, Sequence[int], str], np.ndarray]


@dataclass
class Result:
    """What both ways gave, as float64 arrays and as they are, the emulator's statistics and the launch."""

    inputs: list[np.ndarray]
    emulated: list[np.ndarray]
    expected: list[np.ndarray]
    raw_emulated: list[np.ndarray]
    raw_expected: list[np.ndarray]
    statistics: Any
    shape: LaunchShape


@dataclass
class _Kernel:
    module: Any = None
    function: Any = None
    results: list[Any] = field(default_factory=list)  # tensor types
    shape: LaunchShape | None = None
    code: bytes | None = None
    error: Exception | None = None


class Kernels:
    """Kernel functions by name, compiled together when the first of them runs: starting the code generator once is
    most of what makes that quick. A kernel that cannot be compiled raises when it is run and does not hurt the rest."""

    def __init__(self, texts: Mapping[str, str], target: str = TARGET) -> None:
        self.texts, self.target = dict(texts), target
        self.kernels: dict[str, _Kernel] = {}

    def _compile(self) -> None:
        context = ir.Context()
        context.enable_multithreading(False)
        register(context)
        jobs = []
        for name, text in self.texts.items():
            with context, ir.Location.name(name):
                self.kernels[name] = kernel = _Kernel()
                try:
                    kernel.module = ir.Module.parse(text)
                    kernel.function = kernel.module.body.operations[0]
                    lowered = registry.build(kernel.function, chip(self.target))
                    lowered.module.operation.verify()
                    kernel.results = [value.type for value in lowered.returned]
                    kernel.shape = lowered.shape
                    rocdl.lower(lowered.module, lowered.chip, 1 << 28)
                    jobs.append(serializer.Job(name, rocdl.bytecode(lowered.module)))
                except Exception as error:
                    kernel.error = error
        self._serialize(jobs)

    def _serialize(self, jobs: Sequence[serializer.Job]) -> None:
        try:
            codes = serializer.serialize(jobs, self.target)
        except CompileError as error:
            if len(jobs) == 1:
                self.kernels[jobs[0].name].error = error
                return
            for job in jobs:
                self._serialize([job])
            return
        for job, code in zip(jobs, codes, strict=True):
            self.kernels[job.name].code = code

    def run(
        self, name: str, inputs: Sequence[np.ndarray] | None = None, draw: Draw | None = None, seed: int = 0
    ) -> Result:
        """Run a kernel both ways on `inputs`, or on what `draw` gives for each argument's shape and element type.

        Results that nothing wrote are NaN (-1 for integers).
        """
        if not self.kernels:
            self._compile()
        kernel = self.kernels[name]
        if kernel.error is not None:
            raise kernel.error
        assert kernel.code is not None and kernel.shape is not None
        rng = np.random.default_rng(seed)
        types = [argument.type for argument in kernel.function.arguments]
        draw = draw or random_array
        arrays = list(inputs or [draw(rng, list(type_.shape), str(type_.element_type)) for type_ in types])
        outputs = [unwritten(type_) for type_ in kernel.results]
        stored = [np.ascontiguousarray(a.astype(np.uint8) if a.dtype == bool else a) for a in arrays] + outputs
        statistics = emulate(kernel.code, None, kernel.shape.grid, (kernel.shape.block, 1, 1), stored)
        expected = self.reference(name, arrays)
        return Result(arrays, [as_float(a) for a in outputs], [as_float(a) for a in expected], outputs, expected,
                      statistics, kernel.shape)  # fmt: skip

    def reference(self, name: str, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The reference executor's results."""
        kernel = self.kernels[name]
        kernel.function.attributes["sym_visibility"] = ir.StringAttr.get("public", kernel.module.context)
        return list(Executor(kernel.module).run(list(arrays)))


def unwritten(type_: Any) -> np.ndarray:
    """A result before the kernel has run: NaN, -1, or a byte that is no boolean."""
    name = str(type_.element_type)
    byte = 0x80 if name.endswith("FNUZ") else 0xFF  # the only NaN of the FNUZ formats is 0x80
    dtype = np.uint8 if name == "i1" else DTYPES[name]
    count = prod(type_.shape) * np.dtype(dtype).itemsize
    return np.full(count, byte, np.uint8).view(dtype).reshape(list(type_.shape))


def as_float(array: Any) -> np.ndarray:
    return np.asarray(array).astype(np.float64)


def random_array(rng: np.random.Generator, shape: Sequence[int], element: str) -> np.ndarray:
    """Standard normal floats, integers from 0 to 63, fair booleans."""
    if element == "i1":
        return rng.random(shape) < 0.5
    if element.startswith("i"):
        return rng.integers(0, 64, shape).astype(DTYPES[element])
    return rng.standard_normal(shape).astype(np.float32).astype(DTYPES[element])


def whole_numbers(rng: np.random.Generator, shape: Sequence[int], element: str, limit: int = 8) -> np.ndarray:
    """Whole numbers of magnitude up to `limit`: their products and sums are exact in f32, so that a kernel that adds
    in any order must give equal bits."""
    return rng.integers(-limit, limit + 1, shape).astype(DTYPES[element])


def run_both(text: str, inputs: Sequence[np.ndarray] | None = None, draw: Draw | None = None) -> Result:
    """Run the first function of `text` both ways."""
    return Kernels({"kernel": text}).run("kernel", inputs, draw)


def relative_error(result: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference over the largest expected magnitude; NaN if either has one, so that no bound holds."""
    if result.shape != expected.shape:
        raise AssertionError(f"shapes differ: {result.shape} and {expected.shape}")
    return float(np.abs(result - expected).max() / np.abs(expected).max())


def assert_equal(result: Result) -> None:
    """Both ways gave the same values, bit for bit but for the sign of zero; no NaN."""
    for emulated, expected in zip(result.emulated, result.expected, strict=True):
        assert emulated.shape == expected.shape
        wrong = np.argwhere(~(emulated == expected))
        assert not len(wrong), (
            f"{len(wrong)} of {expected.size} differ, first at {wrong[0]}: "
            f"{emulated[tuple(wrong[0])]} instead of {expected[tuple(wrong[0])]}"
        )


def assert_close(result: Result, *bounds: float) -> None:
    """The relative error of each result is within its bound (one bound: for all of them)."""
    limits = bounds * len(result.expected) if len(bounds) == 1 else bounds
    for emulated, expected, limit in zip(result.emulated, result.expected, limits, strict=True):
        error = relative_error(emulated, expected)
        assert error <= limit, f"relative error {error} exceeds {limit}"
