# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Watching a pipeline: printing the IR around passes, and timing them."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from fovea.errors import OutputError
from fovea.files import write_atomically
from fovea.pipeline import Instrumentation
from fovea.pipeline_text import Step


@dataclass(frozen=True)
class PrintOptions:
    """How IR is written as text. elide: elements attributes with more elements are not spelled out (None: all are)."""

    generic: bool = False
    debuginfo: bool = False
    elide: int | None = None

    def text(self, module: Any, verified: bool = True) -> str:
        """The module as text. Without `verified`, in the generic form, which is safe for IR that does not verify."""
        stream = io.StringIO()
        module.operation.print(
            file=stream,
            large_elements_limit=self.elide,
            enable_debug_info=self.debuginfo,
            print_generic_op_form=self.generic or not verified,
            assume_verified=True,
        )
        text = stream.getvalue()
        return text if text.endswith("\n") else text + "\n"


@dataclass
class PrintIR(Instrumentation):
    """Writes the module before or after passes, to `stream` or as files under `tree`.

    before, after: names of passes; before_all, after_all: every pass. only_change: after a pass only if it changed the
    module. only_failure: after a pass only if it failed (and then always, whichever passes are named).
    tree: `TREE/builtin_module_NAME/INDEX_PASS.mlir`, one file a dump.
    """

    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    before_all: bool = False
    after_all: bool = False
    only_change: bool = False
    only_failure: bool = False
    options: PrintOptions = field(default_factory=PrintOptions)
    tree: Path | None = None
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    _previous: str = ""
    _count: int = 0

    def before_pass(self, step: Step, module: Any) -> None:
        if self.before_all or step.name in self.before:
            self._dump("Before", step, self.options.text(module), module)
        if self.only_change:
            self._previous = str(module)

    def after_pass(self, step: Step, module: Any, seconds: float) -> None:
        selected = self.after_all or step.name in self.after
        if not selected or self.only_failure or (self.only_change and str(module) == self._previous):
            return
        self._dump("After", step, self.options.text(module), module)

    def after_failure(self, step: Step, module: Any) -> None:
        if self.only_failure or self.after_all or step.name in self.after:
            self._dump("After", step, self.options.text(module, verified=False), module, " Failed")

    def _dump(self, when: str, step: Step, text: str, module: Any, outcome: str = "") -> None:
        header = f"// -----// IR Dump {when} {step}{outcome} //----- //\n"
        if self.tree is None:
            self.stream.write(f"{header}{text}\n")
            self.stream.flush()
            return
        folder = self.tree / f"builtin_module_{_symbol(module)}"
        suffix = "" if when == "After" else ".before"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write '{folder}': {error.strerror or error}") from error
        write_atomically(folder / f"{self._count}_{step.name}{suffix}.mlir", header + text)
        self._count += 1


def _symbol(module: Any) -> str:
    """The module's name as part of a path, `no-symbol-name` if it has none."""
    attributes = module.operation.attributes
    name = attributes["sym_name"].value if "sym_name" in attributes else "no-symbol-name"
    return "".join(char if char.isalnum() or char in "-_." else "_" for char in name)


@dataclass
class Timing(Instrumentation):
    """Wall-clock time of each pass."""

    seconds: list[tuple[str, float]] = field(default_factory=list)

    def after_pass(self, step: Step, module: Any, seconds: float) -> None:
        self.seconds.append((step.name, seconds))

    def report(self) -> str:
        """A table: seconds, share of the total, pass."""
        total = sum(seconds for _, seconds in self.seconds)
        rows = [*self.seconds, ("Total", total)]
        lines = ["  ----Wall Time----  ----Name----"]
        lines += [f"  {s:9.4f} ({100 * s / total if total else 0:5.1f}%)  {name}" for name, s in rows]
        return "\n".join(lines) + "\n"
