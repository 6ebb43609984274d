# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea profile`: runs a package on the emulator and reports what its kernels did and could reach."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from fovea import runtime
from fovea.cli_arguments import STDOUT
from fovea.cli_run import write_arrays
from fovea.emulator import Statistics
from fovea.errors import UsageError
from fovea.files import check_parent, write_atomically
from fovea.npz import read_npz
from fovea.package import load_package
from fovea.profile import make_document, profile_package
from fovea.profile.document import to_json
from fovea.profile.page import to_page
from fovea.profile.peaks import peaks_of
from fovea.profile.rows import RESOURCE_NAMES, TABLES, seconds_text
from fovea.progress import Progress, console
from fovea.summary import table

LEAST_WIDTH = 124  # columns that the widest table needs to keep a kernel in one line


def profile_command(flags: argparse.Namespace) -> int:
    """Run the command; returns 0. Raises FoveaError."""
    written = [path for path in (flags.json, flags.html, flags.outputs) if path is not None]
    if STDOUT in (flags.html, flags.outputs):
        raise UsageError("only --json can go to standard output ('-')")
    if len(set(written)) != len(written):
        raise UsageError("--json, --html and -o must name different files")
    package = load_package(flags.package)
    peaks_of(package.plan.target)  # before the work: is there anything to model with?
    inputs = runtime.check_inputs(package.plan.inputs, read_npz(flags.inputs, "the inputs"))
    for path in written:
        if path != STDOUT:
            check_parent(path)
    total = len(package.plan.launches)
    with Progress(console(), flags.quiet) as progress:
        progress.before_stage("profile")
        progress.detail(f"launch 1 of {total}")

        def launched(number: int, kernel: str, statistics: Statistics) -> None:
            progress.detail(f"launch {min(number + 2, total)} of {total}")

        profile, outputs = profile_package(package, inputs, launched)
    document = make_document(profile, Path(flags.package).resolve().name)
    if flags.html is not None:
        write_atomically(flags.html, to_page(document))
    if flags.outputs is not None:
        write_arrays(flags.outputs, outputs)
    if flags.json == STDOUT:
        sys.stdout.write(to_json(document))
    else:
        if flags.json is not None:
            write_atomically(flags.json, to_json(document))
        print_profile(console(stderr=False, least=LEAST_WIDTH), document)
    if not flags.quiet:
        for path in written:
            if path != STDOUT:
                progress.to.print(f"wrote {path}", markup=False)
    return 0


def print_profile(out: Console, document: Mapping[str, Any]) -> None:
    """The tables of a profile, after what they are."""
    peaks, total = document["peaks"], document["total"]
    modelled = total["modelled"]
    out.print(f"{document['package']} on {peaks['product']} ({document['target']}): {total['launches']} launches, "
              f"{total['instructions']['total']:,} wave-instructions, modelled {seconds_text(modelled['seconds'])}, "
              f"most of it bound by {RESOURCE_NAMES[modelled['bound_by']]}", markup=False)  # fmt: skip
    out.print(document["note"], markup=False)
    for part in TABLES:
        out.print()
        out.print(table(part.title, part.headings(), part.rows(document)))
