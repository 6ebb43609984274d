# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Comparing diagnostics with the comments that announce them: `// expected-error @below {{substring}}`.

The designator is `@+N` or `@-N` lines from the comment, `@above` or `@below` (the nearest line without a designator of
its own), `@unknown` for a diagnostic without a place, or nothing for the comment's own line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fovea.diagnostics import place_of
from fovea.errors import Diagnostic, InputError

SEVERITIES = ("error", "warning", "remark", "note")

_ANNOUNCED = re.compile(
    r"expected-(error|warning|remark|note)\s*(?:@([+-]\d+|above|below|unknown))?\s*\{\{(.*?)\}\}\s*$"
)
_LOOKS_LIKE = re.compile(r"//.*\bexpected-(\w+)")
_CURRENT_OP = "see current operation"  # a note that MLIR adds to most errors; no test announces it


@dataclass(frozen=True)
class Expectation:
    """One announced diagnostic. `line` is where it must be (0: nowhere), `at` the line of its comment."""

    severity: str
    substring: str
    line: int
    at: int


def read_expectations(text: str, first_line: int = 1) -> list[Expectation]:
    """What the comments of `text` announce; lines count from `first_line`. InputError for a malformed comment."""
    lines = text.split("\n")
    matches = [_ANNOUNCED.search(line) for line in lines]
    result = []
    for index, (line, match) in enumerate(zip(lines, matches, strict=True)):
        if match is None:
            if _LOOKS_LIKE.search(line):
                raise InputError(f"line {first_line + index}: expected a comment of the form "
                                 "'expected-error @below {{substring}}' (error, warning, remark or note; @above, "
                                 f"@below, @+N, @-N or @unknown), found '{line.strip()}'")  # fmt: skip
            continue
        severity, designator, substring = match.groups()
        target = _target(index, designator, [m is not None for m in matches])
        line_number = 0 if designator == "unknown" else first_line + target
        result.append(Expectation(severity, substring, line_number, first_line + index))
    return result


def _target(index: int, designator: str | None, announced: list[bool]) -> int:
    """Index of the line that the designator in line `index` points at."""
    if designator in (None, "unknown"):
        return index
    if designator in ("above", "below"):
        step = -1 if designator == "above" else 1
        index += step
        while 0 <= index < len(announced) and announced[index]:
            index += step
        return index
    return index + int(designator or 0)


def compare(expectations: list[Expectation], produced: list[Diagnostic], file: str) -> list[str]:
    """One message for each diagnostic that was not announced and for each announcement that did not come true."""
    pending = list(expectations)
    problems = []
    for diagnostic in _flatten(produced):
        place = place_of(diagnostic.location)
        line = place.line if place else 0
        found = next((e for e in pending if _fits(e, diagnostic, line)), None)
        if found is not None:
            pending.remove(found)
        elif not diagnostic.message.startswith(_CURRENT_OP):
            where = f"{file}:{place.line}:{place.column}" if place else file
            problems.append(f"{where}: error: unexpected {diagnostic.severity}: {diagnostic.message}")
    for missing in pending:
        problems.append(f'{file}:{missing.at}: error: expected {missing.severity} "{missing.substring}" '
                        f"was not produced{f' at line {missing.line}' if missing.line else ''}")  # fmt: skip
    return problems


def _fits(expectation: Expectation, diagnostic: Diagnostic, line: int) -> bool:
    return (
        expectation.severity == diagnostic.severity
        and expectation.line == line
        and expectation.substring in diagnostic.message
    )


def _flatten(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    return [part for diagnostic in diagnostics for part in (diagnostic, *diagnostic.notes)]
