# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The exceptions that Fovea raises. Each carries a message for a person: what was expected, found, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class FoveaError(Exception):
    """Base class. `exit_code` is what a command-line tool returns when this error reaches it."""

    exit_code = 1


class UsageError(FoveaError):
    """The command or call itself is wrong (unknown option, unknown target, unknown pass)."""

    exit_code = 2


class InputError(FoveaError):
    """A file or array given by the user cannot be used (missing, malformed, wrong shape, not finite)."""


class OutputError(FoveaError):
    """A result cannot be written where the user asked."""


class InternalError(FoveaError):
    """A defect of Fovea itself; `__cause__` is the exception that showed it."""


@dataclass(frozen=True)
class Diagnostic:
    """One located message. `severity` is "error", "warning", "remark" or (within `notes`) "note"; `location` is MLIR's
    text of the location, `str(op.location)`."""

    severity: str
    message: str
    location: str
    notes: tuple[Diagnostic, ...] = ()

    def __str__(self) -> str:
        return f"{self.location}: {self.severity}: {self.message}"


class CompileError(FoveaError):
    """The compilation failed; `diagnostics` say where and why."""

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic] = ()) -> None:
        self.message = message
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join([message, *map(str, self.diagnostics)]))


class UnsupportedOpError(CompileError):
    """An op that this stage does not handle; names the op and its location."""


class ExecutionError(FoveaError):
    """The reference executor or a device could not run a program."""
