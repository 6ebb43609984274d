# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Three builds of one model, compiled as users compile and run on the emulator, and the reference run in f32."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import model_files
import numpy as np
from sentences import TOKENS, Batch

from fovea.errors import CompileError, ExecutionError
from fovea.executor import Executor
from fovea.ir_input import new_context, parse_module
from fovea.package import load_package
from fovea.report import JSON_FILE
from fovea.runtime import run
from fovea.weights import WeightStore

COMPILER = model_files.HERE.parents[1] / "python" / "compile.py"
OUTPUT = "embeddings"

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Build:
    """A way to compile the model: its name in files, what a person calls it, and its flags of `fovea compile`."""

    name: str
    title: str
    flags: tuple[str, ...]
    calibrated: bool = True


SPARED = Build("spared", "FP8, attention spared", ("--fp8",))
EVERYWHERE = Build("everywhere", "FP8 everywhere", ("--fp8", "--quantize-attention"))
NO_FP8 = Build("no-fp8", "no FP8 (f16)", ("--no-fp8",), calibrated=False)
BUILDS = (SPARED, EVERYWHERE, NO_FP8)


@dataclass
class Outcome:
    """A build that ran. report: the compiler's. embeddings: (sentences, 384) f32, those of the reference in f32."""

    build: Build
    report: dict[str, Any]
    embeddings: Array
    seconds: list[float] = field(default_factory=list)  # on the emulator, by batch

    @property
    def score_tensors(self) -> list[dict[str, Any]]:
        """The tensors in the plan's arena that hold attention scores: tokens x tokens for each head, or for all.

        Told by their shapes, as two axes of TOKENS or one that is both. Bytes do not tell: 8 x 128 x 1536, of the
        feed-forward network, has as many elements as 8 x 12 x 128 x 128.
        """
        return [
            tensor
            for tensor in self.report["plan"]["tensors"]
            if tensor["shape"].count(TOKENS) >= 2 or any(size % TOKENS**2 == 0 for size in tensor["shape"])
        ]


def compile_command(build: Build, work: Path) -> list[str]:
    """The command line that compiles `build` with the weights and calibration data that lie in `work`."""
    calibration = ["--calibration", str(work / model_files.CALIBRATION_FILE)] if build.calibrated else []
    return [
        str(COMPILER), str(model_files.IR), "--weights", str(work / model_files.WEIGHTS_FILE), *calibration,
        "--target", "gfx942", *build.flags, "-o", str(package_of(build, work)),
    ]  # fmt: skip


def package_of(build: Build, work: Path) -> Path:
    """Where `build` is written."""
    return work / f"{build.name}.fovea"


def shell_text(command: Sequence[str]) -> str:
    """A command as one types it in the working directory."""
    words = (os.path.relpath(word) if os.path.isabs(word) else word for word in command)
    return shlex.join(["python", *words])


def compile_build(build: Build, work: Path, quiet: bool = False) -> dict[str, Any]:
    """Compile; returns the compiler's report. CompileError if that fails; the compiler itself has said why."""
    command = compile_command(build, work)
    code = subprocess.run([sys.executable, *command, *(["--quiet"] if quiet else [])], check=False).returncode
    if code:
        raise CompileError(f"the build '{build.title}' failed with exit code {code}: {shell_text(command)}")
    report: dict[str, Any] = json.loads((package_of(build, work) / JSON_FILE).read_text())
    return report


def run_package(package: Path, batch: Batch) -> tuple[Array, float]:
    """Embeddings (batch, 384) f32 of one batch on the emulator, with its checks, and the seconds that it took."""
    seconds: list[float] = []
    outputs = run(load_package(package), batch, on_launch=lambda _, __, statistics: seconds.append(statistics.seconds))
    return outputs[OUTPUT], sum(seconds)


def run_reference(weights: Path, batches: Sequence[Batch]) -> Array:
    """Embeddings (sentences, 384) of the model as exported, in f32, on the reference executor."""
    executor = Executor(parse_module(model_files.IR, new_context()), WeightStore([weights]))
    return np.concatenate([executor.run(batch)[0] for batch in batches])


class Runs:
    """Runs packages in worker processes. The emulator is numpy on one core, so there is one worker a core."""

    def __init__(self, workers: int | None = None) -> None:
        # Not forked: MLIR's and BLAS's threads do not survive that. An interrupt ends a worker without a traceback.
        self._pool = ProcessPoolExecutor(
            workers or os.cpu_count(), get_context("spawn"), signal.signal, (signal.SIGINT, signal.SIG_DFL)
        )

    def __enter__(self) -> Runs:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def reference(self, work: Path, batches: Sequence[Batch]) -> Future[Array]:
        """Begin the reference run."""
        return self._pool.submit(run_reference, work / model_files.WEIGHTS_FILE, batches)

    def package(self, build: Build, work: Path, batches: Sequence[Batch]) -> list[Future[tuple[Array, float]]]:
        """Begin the runs of a compiled build, one a batch."""
        return [self._pool.submit(run_package, package_of(build, work), batch) for batch in batches]


class Observer:
    """Told how `compile_and_run` gets on; does nothing itself."""

    def compiling(self, build: Build) -> None:
        """A build begins to be compiled."""

    def compiled(self, runs: int) -> None:
        """All builds are compiled; `runs` batches of them have been given to the emulator."""

    def ran(self) -> None:
        """One of these is done."""


def compile_and_run(
    work: Path, batches: Sequence[Batch], runs: Runs, observer: Observer, quiet: bool = False
) -> tuple[list[Outcome], Array]:
    """All builds, compiled one after the other while those before run, and the reference's embeddings.

    quiet: the compiler says nothing, else it tells of the first build.
    """
    reference = runs.reference(work, batches)
    pending = []
    for build in BUILDS:
        observer.compiling(build)
        report = compile_build(build, work, quiet or build is not BUILDS[0])
        pending.append((build, report, runs.package(build, work, batches)))
    observer.compiled(len(BUILDS) * len(batches))
    outcomes = []
    try:
        for build, report, futures in pending:
            results = []
            for future in futures:
                results.append(future.result())
                observer.ran()
            embeddings = np.concatenate([embeddings for embeddings, _ in results])
            outcomes.append(Outcome(build, report, embeddings, [seconds for _, seconds in results]))
        return outcomes, reference.result()
    except BrokenProcessPool as error:
        raise ExecutionError("a process of the emulator was killed; out of memory? Try with --jobs 1") from error
