# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Progress on standard error: a live line on a terminal, a line a stage elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.status import Status

from fovea.pipeline import Instrumentation
from fovea.pipeline_text import Step

PLAIN_WIDTH = 160  # columns of tables that go to a file


def console(stderr: bool = True, least: int = 0) -> Console:
    """Where tables and progress go. A file has no width of its own; `least` is a width in columns to go beyond a
    narrow terminal for."""
    stream = sys.stderr if stderr else sys.stdout
    result = Console(file=stream, highlight=False, width=None if stream.isatty() else PLAIN_WIDTH)
    if result.width < least:
        result.width = least
    return result


@dataclass
class Progress(Instrumentation):
    """Says what is going on. A context manager; `quiet` says nothing, `live` is a line that changes as work goes on."""

    to: Console
    quiet: bool = False
    live: bool = True
    _status: Status | None = None
    _stage: str = ""
    _begun: float = 0.0
    _kernels: int = 0
    _lock: Any = field(default_factory=threading.Lock)

    def __enter__(self) -> Progress:
        if not self.quiet and self.live and self.to.is_terminal:
            self._status = self.to.status("")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            if error is None:
                self._finish()
            self._status.stop()
            self._status = None

    def before_stage(self, name: str) -> None:
        """Begin a stage; several in a row of one name are one stage."""
        if name == self._stage or self.quiet:
            return
        self._finish()
        self._stage, self._begun, self._kernels = name, time.perf_counter(), 0
        if self._status is None:
            self.to.print(f"fovea: {name} ...", markup=False)
        self.detail("")

    def before_pass(self, step: Step, module: Any) -> None:
        self.detail(step.name)

    def after_kernel(self, name: str, total: int) -> None:
        with self._lock:
            self._kernels += 1
            self.detail(f"{self._kernels} of {total} kernels")

    def detail(self, text: str) -> None:
        """What the stage is at; only a live line shows it."""
        if self._status is not None:
            self._status.update(f"{self._stage} [dim]{text}[/]")

    def _finish(self) -> None:
        if self._status is not None and self._stage:
            self.to.print(f"{self._stage:<20} [dim]{time.perf_counter() - self._begun:7.2f} s[/]")
