# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea emulate`: runs one kernel of a code object on arrays, and says what it executed."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from fovea.cli_run import write_arrays
from fovea.codeobject import read_code_object
from fovea.emulate_arguments import parse_arguments, parse_extents
from fovea.emulator import Statistics, emulate
from fovea.emulator.statistics import VECTOR_CLASSES
from fovea.errors import InputError, UsageError
from fovea.files import check_parent
from fovea.progress import console

LEAST_WIDTH = 80


def emulate_command(flags: argparse.Namespace) -> int:
    """Run the command; returns 0. Raises FoveaError."""
    grid = parse_extents(flags.grid, "--grid")
    block = None if flags.block is None else parse_extents(flags.block, "--block")
    if flags.dynamic_lds < 0:
        raise UsageError(f"--dynamic-lds: expected a number of bytes >= 0, found {flags.dynamic_lds}")
    arguments = parse_arguments(flags.args)
    assembly = None if flags.assembly is None else read_assembly(flags.assembly)
    if flags.save is not None:
        check_parent(flags.save)
    if block is None:
        block = read_code_object(flags.code_object).kernel(flags.kernel).required_workgroup_size or (64, 1, 1)
    statistics = emulate(
        flags.code_object, flags.kernel, grid, block, arguments, flags.dynamic_lds, flags.checks, assembly, profile=True
    )
    if flags.save is not None:
        write_arrays(flags.save, saved_arrays(arguments))
    if flags.json:
        print(json.dumps(as_document(statistics, flags.checks), indent=1))
    else:
        print_statistics(console(stderr=False, least=LEAST_WIDTH), statistics, flags.checks)
    return 0


def read_assembly(path: str) -> str:
    """The backend's text of a kernel; InputError if it cannot be read."""
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InputError(f"{path}: cannot read the assembly: {reason}") from error


def saved_arrays(arguments: Sequence[Any]) -> dict[str, Any]:
    """The buffers by position: arg0, arg1, ...; values are left out."""
    return {f"arg{number}": array for number, array in enumerate(arguments) if isinstance(array, np.ndarray)}


def as_document(statistics: Statistics, checks: bool) -> dict[str, Any]:
    """The statistics as JSON: every counter; instructions by mnemonic, by class, and those of the matrix units.

    Bank conflicts are found by the checks: without them their count is null.
    """
    document: dict[str, Any] = {"total": statistics.total}
    for name, value in vars(statistics).items():
        document[name] = dict(value.most_common()) if isinstance(value, Counter) else value
    document["seconds"] = round(statistics.seconds, 4)
    if not checks:
        document["lds_bank_conflict_cycles"] = None
    return document


def print_statistics(out: Console, statistics: Statistics, checks: bool) -> None:
    """The statistics as a person reads them."""
    facts = Table.grid(padding=(0, 2))
    for name, text in _facts(statistics, checks):
        facts.add_row(f"[bold]{name}[/]", text)
    out.print(facts)


def _facts(s: Statistics, checks: bool) -> list[tuple[str, str]]:
    rate = f", {s.total / s.seconds:,.0f} a second" if s.seconds else ""
    vector = sum(s.classes[name] for name in VECTOR_CLASSES)
    facts = [
        ("executed", f"{s.total:,} wave-instructions of {s.waves:,} waves in {s.seconds:.2f} s{rate}"),
        ("by class", ", ".join(f"{name} {count:,}" for name, count in s.classes.most_common())),
    ]
    if s.matrix:
        facts.append(("matrix", ", ".join(f"{name} {count:,}" for name, count in s.matrix.most_common())))
    if vector:
        facts.append(("lanes off", f"{s.idle_lanes / vector:.2f} on average of a vector instruction"))
    facts += [
        ("global memory", f"{s.global_bytes_read:,} bytes read, {s.global_bytes_written:,} written; "
                          f"distinct {s.unique_bytes_read:,} and {s.unique_bytes_written:,}"),
        ("scalar loads", f"{s.scalar_bytes_read:,} bytes"),
        ("cache lines", f"{s.lines_64:,} of 64 bytes (at least {s.lines_64_least:,}), {s.lines_128:,} of 128 "
                        f"(at least {s.lines_128_least:,}) in {s.global_requests:,} requests"),
    ]  # fmt: skip
    if s.lds_bytes_read or s.lds_bytes_written:
        conflicts = f"{s.lds_bank_conflict_cycles:,} cycles" if checks else "not counted without checks"
        facts.append(("LDS", f"{s.lds_bytes_read:,} bytes read, {s.lds_bytes_written:,} written; bank conflicts: "
                             f"{conflicts}"))  # fmt: skip
    return facts
