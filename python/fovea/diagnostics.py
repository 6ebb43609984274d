# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Diagnostics of MLIR and of passes: capturing them, and printing them with their source line and a caret."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fovea.bindings import ir
from fovea.errors import CompileError, Diagnostic

UNKNOWN = "loc(unknown)"
STDIN = "<stdin>"
ANONYMOUS = "-"  # what MLIR calls text that it parsed from a string
NOTE_LIMIT = 400  # characters of a note that are shown: "see current operation" can hold a whole weight
SOURCE_LIMIT = 64 << 20  # bytes of the largest file that is read to show a source line

_LOCATED = re.compile(r"(loc\(.*?\)): (.*)", re.DOTALL)
_PLACE = re.compile(r'"((?:[^"\\]|\\.)*)":(\d+):(\d+)')


@dataclass(frozen=True)
class Place:
    """A position in a file; `line` and `column` count from 1."""

    file: str
    line: int
    column: int


def place_of(location: str) -> Place | None:
    """The first file position in MLIR's text of a location (inside names, call sites and fused ones too)."""
    return next(iter(places_of(location)), None)


def places_of(location: str) -> Iterator[Place]:
    """Every file position in MLIR's text of a location."""
    return (Place(match[1], int(match[2]), int(match[3])) for match in _PLACE.finditer(location))


def from_mlir(diagnostic: Any) -> Diagnostic:
    """Fovea's form of a diagnostic of the bindings."""
    notes = tuple(from_mlir(note) for note in diagnostic.notes)
    return Diagnostic(diagnostic.severity.name.lower(), diagnostic.message, str(diagnostic.location), notes)


def from_exception(error: Any) -> list[Diagnostic]:
    """The diagnostics that an `MLIRError` carries."""
    return [from_mlir(diagnostic) for diagnostic in error.error_diagnostics]


@contextlib.contextmanager
def capture(context: Any, sink: Callable[[Diagnostic], None], errors_of_calls: bool = False) -> Iterator[None]:
    """Send what `context` emits within the block to `sink` instead of to standard error.

    `errors_of_calls`: also the errors of binding calls (parse, verify, run), which otherwise go only into the
    `MLIRError` that the call raises, and get lost when the call succeeds all the same.
    """

    def handler(diagnostic: Any) -> bool:
        sink(from_mlir(diagnostic))
        return True

    before = context.emit_error_diagnostics
    context.emit_error_diagnostics = errors_of_calls
    attached = context.attach_diagnostic_handler(handler)
    try:
        yield
    finally:
        attached.detach()
        context.emit_error_diagnostics = before


@dataclass
class Renderer:
    """Turns diagnostics into text for a terminal.

    name: what to call the input in messages. text: its content, if it did not come from the file called `name`.
    """

    name: str = STDIN
    text: str | None = None
    _lines: dict[str, list[str]] = field(default_factory=dict, repr=False)

    def render(self, diagnostic: Diagnostic) -> str:
        """`file:line:column: severity: message`, the source line and a caret where the source is known; then notes."""
        message = diagnostic.message
        if diagnostic.severity == "note" and len(message) > NOTE_LIMIT:
            message = message[:NOTE_LIMIT] + " ..."
        place = place_of(diagnostic.location)
        if place is None:
            rendered = [f"{self.name}: {diagnostic.severity}: {message}"]
        else:
            file = self.name if place.file == ANONYMOUS else place.file
            where = f"{file}:{place.line}:{place.column}" if place.line else file
            rendered = [f"{where}: {diagnostic.severity}: {message}", *self._excerpt(place)]
        rendered += [self.render(note) for note in diagnostic.notes]
        return "\n".join(rendered)

    def _excerpt(self, place: Place) -> list[str]:
        lines = self._source(place.file)
        if not 0 < place.line <= len(lines):
            return []
        line = lines[place.line - 1].rstrip("\r\n")
        if len(line) > NOTE_LIMIT:  # a line with a weight in it tells a reader nothing
            return []
        indent = "".join("\t" if char == "\t" else " " for char in line[: max(place.column - 1, 0)])
        return [line, f"{indent}^"]

    def _source(self, file: str) -> list[str]:
        if file not in self._lines:
            own = file in (ANONYMOUS, self.name)
            self._lines[file] = (self.text if own and self.text is not None else _read(file)).split("\n")
        return self._lines[file]


def _read(file: str) -> str:
    path = Path(file)
    try:
        if path.is_file() and path.stat().st_size <= SOURCE_LIMIT:
            return path.read_text(errors="replace")
    except OSError:
        pass
    return ""


def located(error: CompileError) -> tuple[Diagnostic, ...]:
    """The diagnostics of `error`; one made of its message if that starts with MLIR's text of a location."""
    match = _LOCATED.match(error.message)
    if error.diagnostics or match is None:
        return error.diagnostics
    return (Diagnostic("error", match[2], match[1]),)


def unlocated(message: str) -> Diagnostic:
    """An error that belongs to no place in a file."""
    return Diagnostic("error", message, UNKNOWN)


def location_text(location: Any) -> str:
    """MLIR's text of a location, an op, or a value; `loc(unknown)` for anything else."""
    if isinstance(location, str):
        return location
    location = getattr(location, "location", location)
    return str(location) if isinstance(location, ir.Location) else UNKNOWN
