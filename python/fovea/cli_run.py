# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea run`: inputs in, launches in order, outputs out."""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from fovea import runtime
from fovea.emulator import Statistics
from fovea.errors import ExecutionError, UsageError
from fovea.executor.types import is_small_float
from fovea.files import check_parent, write_atomically
from fovea.npz import read_npz
from fovea.package import load_package
from fovea.progress import Progress, console
from fovea.tables import bytes_text

Array = np.ndarray[Any, Any]


def run_command(flags: argparse.Namespace) -> int:
    """Run the command; returns 0. Raises FoveaError."""
    if flags.device not in runtime.DEVICES:
        raise UsageError(f"unknown device '{flags.device}'; expected one of {', '.join(runtime.DEVICES)}")
    package = load_package(flags.package)
    inputs = runtime.check_inputs(package.plan.inputs, read_npz(flags.inputs, "the inputs"))
    check_parent(flags.outputs)
    total = len(package.plan.launches)
    start = time.perf_counter()
    with Progress(console(), flags.quiet, live=not flags.verbose) as progress:
        progress.before_stage("run")
        progress.detail(f"launch 1 of {total}")

        def launched(number: int, kernel: str, statistics: Statistics) -> None:
            progress.detail(f"launch {min(number + 2, total)} of {total}")
            if flags.verbose:
                print(f"{number:4} {kernel}: {statistics}", file=sys.stderr)

        try:
            outputs = runtime.run(package, inputs, flags.device, flags.checks, launched)
        except MemoryError as error:
            needed = bytes_text(package.plan.arena_bytes)
            raise ExecutionError(f"not enough memory to run '{flags.package}': its arena alone is {needed}") from error
    write_arrays(flags.outputs, outputs)
    if not flags.quiet:
        seconds = time.perf_counter() - start
        progress.to.print(f"wrote {flags.outputs} ({total} launches, {seconds:.2f} s)", markup=False)
    return 0


def write_arrays(path: str, arrays: Mapping[str, Array]) -> None:
    """Write an npz file whole or not at all. Types that numpy cannot store (bf16, 8-bit floats) become f32, exactly."""
    stored = {name: a.astype(np.float32) if _foreign(a) else a for name, a in arrays.items()}
    stream = io.BytesIO()
    np.savez(stream, **stored)  # type: ignore[arg-type]
    write_atomically(path, stream.getvalue())


def _foreign(array: Array) -> bool:
    return is_small_float(array.dtype) and array.dtype != np.float16
