# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea compare`: how close a package is to its model, or to another package."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from fovea.calibration import Source, load_batches
from fovea.cli_arguments import STDIN, STDOUT
from fovea.cli_arguments_compare import EMULATOR
from fovea.compare import document as documents
from fovea.compare.document import OutputComparison, layers_document, make_document, to_json
from fovea.compare.layers import LayerComparison
from fovea.compare.page import to_page
from fovea.compare.runs import default_jobs, emulate_batches
from fovea.compare.sides import Reference, check_model_of, check_same, model_reference, package_reference
from fovea.compare.tables import CONTRACTION_COLUMNS, OUTPUT_COLUMNS, contraction_rows, headline, output_rows
from fovea.diagnostics import STDIN as STDIN_NAME
from fovea.diagnostics import Renderer, located
from fovea.errors import CompileError, InputError, UsageError
from fovea.files import check_parent, write_atomically
from fovea.package import PLAN_FILE, Package, load_package
from fovea.progress import Progress, console
from fovea.summary import table
from fovea.twins import OpenTwins, load_twins

Array = np.ndarray[Any, Any]
LEAST_WIDTH = 140  # columns that the table of contractions needs


def compare_command(flags: argparse.Namespace) -> int:
    """Run the command; returns 0, or 1 if `--min-cosine` is missed. Raises FoveaError."""
    written = _check_flags(flags)
    package = load_package(flags.package)
    first_is_package = flags.model != STDIN and (Path(flags.model) / PLAN_FILE).is_file()
    if first_is_package and flags.weights:
        raise UsageError(f"--weights is for a model; '{flags.model}' is a package, which holds its own")
    if first_is_package and flags.device != EMULATOR:
        raise UsageError("two packages are compared on the emulator; --device=reference needs the model")
    reference = package_reference(flags.model) if first_is_package else _model(flags)
    check_same(reference, flags.model, package, flags.package)
    batches = load_batches(flags.data, reference.inputs)  # type: ignore[arg-type]
    for path in written:
        if path != STDOUT:
            check_parent(path)
    twins, missing = _twins(flags, reference, package)
    with Progress(console(), flags.quiet) as progress:
        progress.before_stage("compare")
        document = _compare(flags, reference, package, twins, missing, batches, progress)
    _write(flags, document)
    if not flags.quiet:
        for path in written:
            if path != STDOUT:
                progress.to.print(f"wrote {path}", markup=False)
    return _missed(flags, document)


def _check_flags(flags: argparse.Namespace) -> list[str]:
    """The files to write. UsageError for flags that contradict each other or make no sense."""
    if flags.html == STDOUT:
        raise UsageError("only --json can go to standard output ('-')")
    written = [path for path in (flags.json, flags.html) if path is not None]
    if len(set(written)) != len(written):
        raise UsageError("--json and --html must name different files")
    if flags.jobs is not None and flags.jobs < 1:
        raise UsageError(f"expected at least one job, found {flags.jobs}")
    if not (math.isfinite(flags.fall) and flags.fall > 0):
        raise UsageError(f"--fall: expected a number of decibels above 0, found {flags.fall:g}")
    if flags.min_cosine is not None and not -1 <= flags.min_cosine <= 1:
        raise UsageError(f"--min-cosine: expected a number from -1 to 1, found {flags.min_cosine:g}")
    return written


def _model(flags: argparse.Namespace) -> Reference:
    """The model, after diagnostics were printed if it is not valid."""
    name = STDIN_NAME if flags.model == STDIN else flags.model
    try:
        return model_reference(flags.model, name, flags.weights)
    except CompileError as error:
        renderer = Renderer(name)
        for diagnostic in located(error):
            print(renderer.render(diagnostic), file=sys.stderr)
        raise CompileError(error.message) from error


def _twins(flags: argparse.Namespace, reference: Reference, package: Package) -> tuple[OpenTwins | None, str]:
    """The two forms of the package's model, or why there are none."""
    if reference.weights is None:
        return None, "two packages are compared by their outputs; give the model for its contractions"
    left_out = "left out (--no-layers)"
    twins = load_twins(package.path, reference.weights)
    if not flags.layers and flags.device == EMULATOR:
        return None, left_out
    if twins is None and flags.device != EMULATOR:
        raise InputError(f"'{flags.package}' holds no quantised model (it was compiled without FP8): "
                         "--device=reference has nothing to run")  # fmt: skip
    return twins, "the package holds no quantised model: it was compiled without FP8" if flags.layers else left_out


def _compare(
    flags: argparse.Namespace, reference: Reference, package: Package, twins: OpenTwins | None, missing: str,
    batches: Source, progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    on_emulator = flags.device == EMULATOR
    # Two packages are emulated at a time, each on half of the processes.
    jobs = max(1, (flags.jobs or default_jobs()) // (1 if reference.executor else 2))
    found = emulate_batches(flags.package, batches, jobs) if on_emulator else None
    wanted = _reference_outputs(flags, reference, batches, jobs)
    comparison = LayerComparison(twins) if twins is not None else None
    outputs = OutputComparison([spec.name for spec in package.plan.outputs])
    for number, batch in enumerate(batches):
        progress.detail(f"batch {number + 1} of {len(batches)}")
        exact = next(wanted)
        forms = comparison.run(batch) if comparison is not None else None
        if forms is not None and not number:
            check_model_of(flags.model, flags.package, forms[0], exact)
        given = next(found) if found is not None else forms[1] if forms is not None else []
        outputs.update(given, exact)
    layers = None
    if comparison is not None and flags.layers:
        layers = layers_document(comparison.layers, len(batches), flags.fall)
    device = documents.EMULATOR if on_emulator else documents.REFERENCE
    return make_document(reference.name, Path(flags.package).resolve().name, device, len(batches), outputs.as_list(),
                         layers, missing, _warning(batches))  # fmt: skip


def _warning(batches: Source) -> str:
    if not batches.warning:
        return ""
    return f"compared on {batches.description}, not on real inputs: the figures say little about the trained model"


def _reference_outputs(
    flags: argparse.Namespace, reference: Reference, batches: Sequence[Mapping[str, Array]], jobs: int
) -> Iterator[list[Array]]:
    if reference.executor is None:
        yield from emulate_batches(reference.path, batches, jobs)
        return
    for batch in batches:
        yield reference.executor.run(batch)


def _write(flags: argparse.Namespace, document: Mapping[str, Any]) -> None:
    if flags.html is not None:
        write_atomically(flags.html, to_page(document))
    if flags.json == STDOUT:
        sys.stdout.write(to_json(document))
        return
    if flags.json is not None:
        write_atomically(flags.json, to_json(document))
    print_comparison(console(stderr=False, least=LEAST_WIDTH), document)


def print_comparison(out: Console, document: Mapping[str, Any]) -> None:
    """The tables of a comparison."""
    for line in headline(document):
        out.print(line, markup=False, soft_wrap=True)
    out.print()
    out.print(table("Outputs", OUTPUT_COLUMNS, output_rows(document)))
    if document["layers"] is not None:
        out.print()
        out.print(table("Contractions", CONTRACTION_COLUMNS, contraction_rows(document)))


def _missed(flags: argparse.Namespace, document: Mapping[str, Any]) -> int:
    if flags.min_cosine is None:
        return 0
    code = 0
    for output in document["outputs"]:
        mean = output.get("cosine_mean", 1.0)
        if output.get("not_finite") or mean < flags.min_cosine:
            print(f"fovea: output '{output['name']}': expected a mean cosine of at least {flags.min_cosine:g}, found "
                  f"{mean:.6f}", file=sys.stderr)  # fmt: skip
            code = 1
    return code
