# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea compile`: a model in, a package or text out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from fovea import api, emit
from fovea.calibration import Source, load_batches
from fovea.cli_arguments import STDIN, STDOUT
from fovea.codegen import linker
from fovea.diagnostics import STDIN as STDIN_NAME
from fovea.diagnostics import Renderer, located, location_text
from fovea.errors import CompileError, Diagnostic, InputError, UsageError
from fovea.executor.interpreter import WEIGHT, argument_attribute, entry_of, inputs_of
from fovea.files import check_parent, write_atomically
from fovea.instrumentation import PrintIR, PrintOptions, Timing
from fovea.ir_input import new_context, parse_module
from fovea.model_input import check_model, holds_fp8
from fovea.package import check_destination
from fovea.pipeline import Instrumentation
from fovea.progress import Progress, console
from fovea.quantization_steps import NEEDS_CALIBRATION
from fovea.report import HTML_FILE, JSON_FILE, make_report, to_json
from fovea.report_html import to_html
from fovea.summary import print_summary
from fovea.tables import listed
from fovea.weights import WeightStore

PACKAGE_SUFFIX = ".fovea"
ELIDED = 16  # elements of a constant that printed IR spells out; more tell a reader nothing


def compile_command(flags: argparse.Namespace) -> int:
    """Run the command; returns 0, or 1 after diagnostics were printed. Raises FoveaError for the rest."""
    options = _options(flags)
    destination = _destination(flags)
    if flags.emit in ("package", "mlir"):
        linker.find(options.lld)  # what is missing is said before the work, not after it
    name = STDIN_NAME if flags.model == STDIN else flags.model
    renderer = Renderer(name)
    try:
        _compile(flags, options, destination, renderer)
    except CompileError as error:
        found = located(error)
        for diagnostic in found:
            print(renderer.render(diagnostic), file=sys.stderr)
        message = error.message if found == error.diagnostics else f"{name} cannot be compiled"
        raise CompileError(message) from error
    return 0


def _options(flags: argparse.Namespace) -> api.CompileOptions:
    if flags.save_ranges:
        check_parent(flags.save_ranges)
    if flags.report and flags.emit != "package":
        raise UsageError(f"--report writes into a package; expected --emit=package, found --emit={flags.emit}")
    return api.CompileOptions(
        target=flags.target,
        fp8=flags.fp8,
        quantize_attention=flags.quantize_attention,
        exclude=tuple(flags.exclude),
        include=tuple(flags.include),
        accuracy_budget=flags.accuracy_budget,
        compute_type=flags.compute_type,
        jobs=flags.jobs,
        lld=flags.lld,
        attention_policy=flags.attention_policy,
        calibration_method=flags.calibration_method,
        calibration_overrides=tuple(flags.calibration_override),
        calibration_scheduler=flags.calibration_scheduler,
        ranges=flags.ranges,
        save_ranges=flags.save_ranges,
        weight_granularity=flags.weight_granularity,
        activation_granularity=flags.activation_granularity,
        storage=flags.storage,
        weight_rounding=flags.weight_rounding,
        bias_correction=flags.bias_correction,
        smooth=flags.smooth,
        calibration_mask=flags.calibration_mask,
    )


def _destination(flags: argparse.Namespace) -> str:
    """Where the output goes, checked as far as that is possible before there is any."""
    if flags.emit != "package":
        path = flags.output or STDOUT
        if path != STDOUT:
            check_parent(path)
        return path
    if flags.output in (None, STDOUT) and (flags.model == STDIN or flags.output == STDOUT):
        raise UsageError("a package is a folder: give its name with -o OUT.fovea")
    path = flags.output or Path(flags.model).stem + PACKAGE_SUFFIX
    check_destination(path)
    return path


def _compile(flags: argparse.Namespace, options: api.CompileOptions, destination: str, renderer: Renderer) -> None:
    def show(diagnostic: Diagnostic) -> None:
        print(renderer.render(diagnostic), file=sys.stderr)

    def remark(location: Any, message: str) -> None:
        if flags.verbose:
            show(Diagnostic("remark", message, location_text(location)))

    module = parse_module(flags.model, new_context(), show, renderer.name)
    check_model(module)
    has_ranges = flags.calibration or flags.ranges or not options.needs_calibration
    if options.fp8 and not has_ranges and not holds_fp8(module):
        raise UsageError(NEEDS_CALIBRATION)
    weights = _weights(flags.weights, module)
    batches = _batches(flags, options, module)
    timing = Timing()
    live = not (flags.print_ir_after_all or flags.verbose)  # a line that changes does not mix with other text
    with Progress(console(), flags.quiet, live) as progress:
        watchers: list[Instrumentation] = [timing, progress]
        if flags.print_ir_after_all:
            watchers.append(PrintIR(after_all=True, options=PrintOptions(elide=ELIDED)))
        if batches is not None:
            batches.on_batch = lambda number: progress.detail(f"of {len(batches)}, batch {number + 1}")
        if flags.emit in ("llvm", "isa"):
            clock = api.Clock(None, watchers)
            lowered, _, _ = api.lower_module(module, options, weights, batches, clock, watchers, remark)
            _write(destination, _text(flags.emit, lowered, options, clock))
        else:
            model = api.compile_module(module, options, weights, batches, None, watchers, remark)
            if flags.emit == "mlir":
                _write(destination, emit.host_module(model.module, model.code_objects, options.target))
            else:
                report = make_report(model, Path(flags.model).name)
                extra = {JSON_FILE: to_json(report), **({HTML_FILE: to_html(report)} if flags.report else {})}
                model.save(destination, extra)
    if flags.timing:
        sys.stderr.write(timing.report())
    if flags.emit == "package" and not flags.quiet:
        print_summary(progress.to, report)
        progress.to.print(f"wrote {destination}", markup=False)


def _batches(flags: argparse.Namespace, options: api.CompileOptions, module: Any) -> Source | None:
    """The calibration data, checked; None if there is none to read."""
    if not options.fp8 or not flags.calibration:
        return None
    batches = load_batches(flags.calibration, inputs_of(module))  # type: ignore[arg-type]
    if batches.warning and not flags.quiet:
        print(f"fovea: warning: {batches.warning}", file=sys.stderr)
    return batches


def _weights(files: list[str], module: Any) -> WeightStore:
    entry = entry_of(module)
    names = [argument_attribute(entry, position, WEIGHT) for position in range(len(entry.arguments))]
    wanted = [name for name in names if name is not None]
    if wanted and not files:
        raise InputError(f"the model takes weights from outside ({listed(wanted)}): "
                         "give --weights FILE.safetensors")  # fmt: skip
    return WeightStore(files)


def _text(kind: str, module: Any, options: api.CompileOptions, clock: api.Clock) -> str:
    if kind == "isa":
        return emit.assembly(module, api.generate_code(module, options, clock, "isa"))
    return emit.llvm_ir(module, api.kernel_modules(module, options))


def _write(path: str, text: str) -> None:
    if path != STDOUT:
        write_atomically(path, text)
        return
    sys.stdout.write(text)
    sys.stdout.flush()
