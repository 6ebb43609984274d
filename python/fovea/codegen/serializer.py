# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Code objects from LLVM-dialect bytecode, in worker processes, several at a time, equal modules once."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fovea import bindings
from fovea.codegen import linker
from fovea.errors import CompileError

# Bindings with the AMDGPU target: those in use if they have it, else the pinned package that does.
BACKEND_VARIABLE = "FOVEA_AMDGPU_MLIR"
FALLBACK = "flydsl._mlir"
TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class Job:
    """One gpu.module to compile: a name for messages and its bytecode (LLVM dialect)."""

    name: str
    bytecode: bytes


class _Worker:
    """A worker process; started anew after it died."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        # Its standard error: a pipe that nobody reads would fill and block it. Appended to, so reading moves nothing.
        self.messages = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - closed with the worker

    def ask(self, request: dict[str, object], name: str) -> None:
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fovea.codegen.worker"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.messages, text=True,
            )  # fmt: skip
        process = self.process
        assert process.stdin and process.stdout
        before = os.fstat(self.messages.fileno()).st_size
        expired = threading.Event()

        def stop() -> None:
            expired.set()
            process.kill()

        timer = threading.Timer(TIMEOUT_SECONDS, stop)
        timer.start()
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        if not line:
            status = process.wait()
            self._close_streams(process)
            self.process = None
            if expired.is_set():
                raise CompileError(f"compiling kernel '{name}' was stopped: it took more than {TIMEOUT_SECONDS} s")
            tail = "\n".join(self._messages(before)[-8:])
            raise CompileError(f"the code generator died (status {status}) while compiling kernel '{name}':\n{tail}")
        answer = json.loads(line)
        if "error" in answer:
            raise CompileError(f"compiling kernel '{name}' failed:\n{_head(answer['error'])}")
        # LLVM reports what a chip cannot do (an instruction it lacks, too much LDS) and goes on to make wrong code.
        refused = [line for line in self._messages(before) if line.startswith("error: ")]
        if refused:
            raise CompileError("\n".join([f"compiling kernel '{name}' failed:", *refused]))

    def _messages(self, first: int) -> list[str]:
        """Lines that the process wrote to its standard error after the first `first` bytes."""
        descriptor = self.messages.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, first).decode(errors="replace").splitlines()

    @staticmethod
    def _close_streams(process: subprocess.Popen[str]) -> None:
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def close(self) -> None:
        """End the process: it stops when its input does."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
            self.process.wait()
            self._close_streams(self.process)
        self.messages.close()


def _head(text: str, lines: int = 12) -> str:
    """The first lines of a message, each cut to a readable length (the rest is the printed module)."""
    return "\n".join(line[:300] for line in text.splitlines()[:lines])


def backends() -> list[str]:
    """Packages tried for code generation, best first."""
    named = os.environ.get(BACKEND_VARIABLE)
    if named:
        return [named]
    own = [] if bindings.PREFIX == "torch_mlir" else [bindings.PREFIX]  # torch-mlir is built without the AMDGPU target
    return [*own, FALLBACK]


def serialize(
    jobs: Sequence[Job],
    chip: str,
    format_: str = "bin",
    workers: int | None = None,
    lld: str | None = None,
    progress: Callable[[str], None] = lambda name: None,
) -> list[bytes]:
    """Compile each job for `chip`: to a code object (`format_` "bin") or to assembly text ("isa"), in order.

    Raises CompileError naming the kernel when the backend refuses it or dies.
    """
    first_of: dict[bytes, int] = {}
    for number, job in enumerate(jobs):
        first_of.setdefault(job.bytecode, number)
    distinct = list(first_of.values())
    count = max(1, min(workers or os.cpu_count() or 1, len(distinct)))
    with tempfile.TemporaryDirectory(prefix="fovea-") as directory:
        root = Path(directory)
        toolkit = linker.make_toolkit(root / "toolkit", linker.find(lld)) if format_ == "bin" else root
        local = threading.local()
        started: list[_Worker] = []

        def compile_one(number: int) -> bytes:
            if not hasattr(local, "worker"):
                local.worker = _Worker()
                started.append(local.worker)
            source, output = root / f"{number}.mlirbc", root / f"{number}.{format_}"
            source.write_bytes(jobs[number].bytecode)
            local.worker.ask(
                {"bytecode": str(source), "chip": chip, "toolkit": str(toolkit), "format": format_,
                 "output": str(output), "bindings": backends()},
                jobs[number].name,
            )  # fmt: skip
            progress(jobs[number].name)
            return output.read_bytes()

        pool = ThreadPoolExecutor(count)
        try:
            done = dict(zip(distinct, pool.map(compile_one, distinct), strict=True))
        finally:
            pool.shutdown(cancel_futures=True)  # after an error, what has not begun is not worth waiting for
            for worker in started:
                worker.close()
    return [done[first_of[job.bytecode]] for job in jobs]
