# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Contexts and modules: from a file, or from text or bytecode in memory."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fovea import diagnostics
from fovea.bindings import ir
from fovea.dialect import register
from fovea.errors import CompileError, Diagnostic, InputError

BYTECODE_MAGIC = b"ML\xefR"


def new_context(allow_unregistered_dialects: bool = False) -> Any:
    """A context with Fovea's dialect in it.

    Without threads: verifiers of dialects written in Python must not run from several, and IR printing aborts.
    """
    context = ir.Context()
    context.enable_multithreading(False)
    context.allow_unregistered_dialects = allow_unregistered_dialects
    register(context)
    return context


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Content of a file, or of standard input for `-`; InputError if it cannot be read."""
    try:
        return sys.stdin.buffer.read() if os.fspath(path) == "-" else Path(path).read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _check_readable(path: str | os.PathLike[str]) -> None:
    try:
        with Path(path).open("rb") as stream:
            stream.read(1)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str | os.PathLike[str], error: OSError) -> InputError:
    if isinstance(error, IsADirectoryError):
        return InputError(f"cannot read '{path}': it is a directory; expected an MLIR file")
    return InputError(f"cannot read '{path}': {error.strerror or error}")


def parse_module(
    source: bytes | str | os.PathLike[str],
    context: Any,
    on_diagnostic: Callable[[Diagnostic], None] | None = None,
    name: str | None = None,
) -> Any:
    """A verified module from a path (str or PathLike), or from text or bytecode (bytes).

    Locations of a file carry its path, those of bytes `-`. Raises InputError if the file cannot be read, CompileError
    with the diagnostics if it is not valid MLIR. Warnings and remarks go to `on_diagnostic`. `name` is what messages
    call the source (default: its path).
    """
    found: list[Diagnostic] = []
    name = name or ("the input" if isinstance(source, bytes) else os.fspath(source))
    if source == "-":
        source = read_bytes(source)
    elif not isinstance(source, bytes):
        _check_readable(source)  # MLIR's own message for a file that cannot be read names no reason
    try:
        with diagnostics.capture(context, found.append, errors_of_calls=True), context:
            module = ir.Module.parse(source) if isinstance(source, bytes) else ir.Module.parseFile(os.fspath(source))
    except ir.MLIRError as error:
        raise CompileError(f"{name} is not valid MLIR", found or [diagnostics.unlocated(str(error))]) from error
    for diagnostic in found:
        if on_diagnostic is not None:
            on_diagnostic(diagnostic)
    return module
