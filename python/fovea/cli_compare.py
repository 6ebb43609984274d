# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea compare`: how close a package is to its model, or to another package."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from fovea.calibration import load_batches
from fovea.cli_arguments import STDIN, STDOUT
from fovea.cli_arguments_compare import EMULATOR
from fovea.compare import document as documents
from fovea.compare.document import OutputComparison, layers_document, make_document, to_json
from fovea.compare.layers import LayerComparison
from fovea.compare.metrics import Ratio, difference, text_of
from fovea.compare.page import to_page
from fovea.compare.runs import default_jobs, emulate_batches
from fovea.compare.tables import CONTRACTION_COLUMNS, OUTPUT_COLUMNS, contraction_rows, headline, output_rows
from fovea.diagnostics import STDIN as STDIN_NAME
from fovea.diagnostics import Renderer, located
from fovea.errors import CompileError, InputError, UsageError
from fovea.executor import Executor
from fovea.executor.interpreter import inputs_of
from fovea.files import check_parent, write_atomically
from fovea.ir_input import new_context, parse_module
from fovea.model_input import check_model
from fovea.package import PLAN_FILE, Package, load_package
from fovea.progress import Progress, console
from fovea.runtime import DTYPES
from fovea.summary import table
from fovea.tables import shape_of_tensor
from fovea.twins import OpenTwins, load_twins
from fovea.weights import WeightStore

Array = np.ndarray[Any, Any]
LEAST_WIDTH = 124
# The float form of a package is the model but for the order of sums, and in 16-bit types for some rounding (bf16 keeps
# 40 dB). Another model, or other weights, have nothing in common: about 0 dB.
SAME_MODEL_DB = 20.0


def compare_command(flags: argparse.Namespace) -> int:
    """Run the command; returns 0, or 1 if `--min-cosine` is missed. Raises FoveaError."""
    written = _check_flags(flags)
    package = load_package(flags.package)
    first_is_package = flags.model != STDIN and (Path(flags.model) / PLAN_FILE).is_file()
    if first_is_package and flags.weights:
        raise UsageError(f"--weights is for a model; '{flags.model}' is a package, which holds its own")
    if first_is_package and flags.device != EMULATOR:
        raise UsageError("two packages are compared on the emulator; --device=reference needs the model")
    reference = _package_side(flags.model) if first_is_package else _model_side(flags)
    _check_same(reference, package, flags)
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


@dataclass
class _Reference:
    """What the package is compared with. inputs, outputs: (name, shape, dtype) of each; of a model's outputs, the name
    is empty. executor: of a model. path: of a package."""

    name: str
    inputs: Sequence[Any]
    outputs: Sequence[tuple[str, tuple[int, ...], np.dtype[Any]]]
    executor: Executor | None = None
    weights: WeightStore | None = None
    path: str = ""


def _package_side(path: str) -> _Reference:
    package = load_package(path)
    return _Reference(Path(path).resolve().name, _specs(package.plan.inputs), _specs(package.plan.outputs), path=path)


def _specs(tensors: Any) -> list[tuple[str, tuple[int, ...], np.dtype[Any]]]:
    return [(tensor.name, tensor.shape, DTYPES[tensor.dtype]) for tensor in tensors]


def _model_side(flags: argparse.Namespace) -> _Reference:
    name = STDIN_NAME if flags.model == STDIN else flags.model
    try:
        module = parse_module(flags.model, new_context(), None, name)
        check_model(module)
    except CompileError as error:
        renderer = Renderer(name)
        for diagnostic in located(error):
            print(renderer.render(diagnostic), file=sys.stderr)
        raise CompileError(error.message) from error
    weights = WeightStore(flags.weights)
    weights.check(module)
    return _Reference(name if flags.model == STDIN else Path(name).name, inputs_of(module), result_types(module),
                      Executor(module, weights), weights)  # fmt: skip


def result_types(module: Any) -> list[tuple[str, tuple[int, ...], np.dtype[Any]]]:
    """Shape and dtype of each output of a model's entry function; the names are empty."""
    from fovea.bindings import ir
    from fovea.executor.interpreter import entry_of
    from fovea.executor.types import dtype_of

    results = ir.FunctionType(ir.TypeAttr(entry_of(module).attributes["function_type"]).value).results
    return [("", tuple(type_.shape), dtype_of(type_)) for type_ in results]


def _check_same(reference: _Reference, package: Package, flags: argparse.Namespace) -> None:
    """InputError unless inputs and outputs are alike."""
    sides = (("inputs", reference.inputs, package.plan.inputs), ("outputs", reference.outputs, package.plan.outputs))
    for what, wanted, found in sides:
        ours = [shape_of_tensor(name, shape, dtype) for name, shape, dtype in wanted]
        theirs = [shape_of_tensor(name, shape, dtype) for name, shape, dtype in _specs(found)]
        if wanted and not wanted[0][0]:
            theirs = [shape_of_tensor("", shape, dtype) for _, shape, dtype in _specs(found)]
        if ours != theirs:
            raise InputError(
                f"'{flags.model}' and '{flags.package}' have different {what}: {', '.join(ours) or 'none'} and "
                f"{', '.join(theirs) or 'none'}; expected a package that was compiled from this model"
                if not reference.path else
                f"'{flags.model}' and '{flags.package}' have different {what}: {', '.join(ours) or 'none'} and "
                f"{', '.join(theirs) or 'none'}; expected two packages of one model"
            )  # fmt: skip


def _twins(flags: argparse.Namespace, reference: _Reference, package: Package) -> tuple[OpenTwins | None, str]:
    """The two forms of the package's model, or why there are none."""
    if reference.weights is None:
        return None, "two packages are compared by their outputs; give the model for its contractions"
    if not flags.layers and flags.device == EMULATOR:
        return None, "left out (--no-layers)"
    twins = load_twins(package.path, reference.weights)
    if twins is None and flags.device != EMULATOR:
        raise InputError(f"'{flags.package}' holds no quantised model (it was compiled without FP8): --device=reference "
                         "has nothing to run")  # fmt: skip
    return twins, "the package holds no quantised model: it was compiled without FP8"


def _compare(
    flags: argparse.Namespace, reference: _Reference, package: Package, twins: OpenTwins | None, missing: str,
    batches: Sequence[Mapping[str, Array]], progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    on_emulator = flags.device == EMULATOR
    jobs = flags.jobs or default_jobs()
    found = emulate_batches(flags.package, batches, jobs) if on_emulator else None
    wanted = _reference_outputs(flags, reference, batches, jobs)
    comparison = LayerComparison(twins) if twins is not None else None
    outputs = OutputComparison([spec.name for spec in package.plan.outputs])
    for number, batch in enumerate(progress.count(batches, f"of {len(batches)}, batch")):
        exact = next(wanted)
        forms = comparison.run(batch) if comparison is not None else None
        if forms is not None and not number:
            _check_model_of(flags, forms[0], exact)
        given = next(found) if found is not None else forms[1] if forms is not None else []
        outputs.update(given, exact)
    layers = None
    if comparison is not None and flags.layers:
        layers = layers_document(comparison.layers, len(batches), flags.fall)
    device = documents.EMULATOR if on_emulator else documents.REFERENCE
    return make_document(reference.name, Path(flags.package).resolve().name, device, len(batches), outputs.as_list(),
                         layers, missing)  # fmt: skip


def _reference_outputs(
    flags: argparse.Namespace, reference: _Reference, batches: Sequence[Mapping[str, Array]], jobs: int
) -> Iterator[list[Array]]:
    if reference.executor is None:
        yield from emulate_batches(reference.path, batches, jobs)
        return
    for batch in batches:
        yield reference.executor.run(batch)


def _check_model_of(flags: argparse.Namespace, found: Sequence[Array], wanted: Sequence[Array]) -> None:
    """InputError unless the float form that the package holds gives the model's outputs."""
    total = Ratio()
    for x, reference in zip(found, wanted, strict=True):
        total.add(np.nan_to_num(reference.astype(np.float64)), np.nan_to_num(difference(x, reference)))
    if total.sqnr < SAME_MODEL_DB:
        raise InputError(
            f"'{flags.package}' was compiled from another model than '{flags.model}', or with other weights: without "
            f"quantisation its outputs are those of this model with an SQNR of {text_of(total.sqnr)} (expected at least "
            f"{SAME_MODEL_DB:g} dB)"
        )


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
        out.print(line, markup=False)
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
