# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What `fovea-opt` does with its input: split, parse, run the pipeline, print or compare diagnostics, write."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fovea.diagnostics import STDIN, Renderer, located, location_text, unlocated
from fovea.errors import CompileError, Diagnostic, FoveaError, InputError, OutputError, UsageError
from fovea.expected_diagnostics import compare, read_expectations
from fovea.files import write_atomically
from fovea.instrumentation import PrintIR, PrintOptions, Timing
from fovea.ir_input import BYTECODE_MAGIC, new_context, parse_module, read_bytes
from fovea.opt_arguments import Arguments, closest_flag, explain, help_text, list_passes, parse_arguments
from fovea.passes.registry import PassContext
from fovea.pipeline import Instrumentation, Pipeline, check_pipeline, parse_pipeline, run_pipeline
from fovea.reproducer import IGNORED_RESOURCE, Reproducer, read_reproducer, write_reproducer
from fovea.target import chip

SPLIT = re.compile(rb"^// -----[ \t]*\r?\n?", re.MULTILINE)
DEFAULT_TARGET = PassContext().target


@dataclass
class _Session:
    """One run of the tool."""

    arguments: Arguments
    name: str
    pipeline: Pipeline
    target: str
    weights: list[str]
    timing: Timing = field(default_factory=Timing)
    printers: list[PrintIR] = field(default_factory=list)
    verify_each: bool = True
    print_options: PrintOptions = field(default_factory=PrintOptions)

    @property
    def flags(self) -> Any:
        return self.arguments.flags


def run(argv: Sequence[str]) -> int:
    """The tool's body; returns 0 or 1, raises FoveaError for what cannot be attributed to a place in the input."""
    arguments = parse_arguments(argv)
    flags = arguments.flags
    if flags.help or flags.version or flags.list_passes or flags.explain:
        _write_text(_information(flags))
        return 0
    if flags.emit_bytecode and flags.output == "-" and sys.stdout.isatty():
        raise UsageError("bytecode is not written to a terminal; expected -o FILE or a redirection")
    if flags.input == "-" and sys.stdin is not None and sys.stdin.isatty():
        print("fovea-opt: reading MLIR from the terminal; end it with Ctrl-D", file=sys.stderr)
    data = read_bytes(flags.input)
    session = _session(arguments, data)
    if flags.dump_pass_pipeline:
        print(session.pipeline, file=sys.stderr)
    results = [_process(session, chunk, line) for chunk, line in _chunks(data, flags)]
    if flags.mlir_timing:
        sys.stderr.write(session.timing.report())
    if not all(ok for ok, _ in results):
        return 1
    _write_output(flags.output, b"// -----\n".join(output for _, output in results if output is not None))
    return 0


def _information(flags: Any) -> str:
    if flags.help:
        return help_text()
    if flags.version:
        from fovea.version import version_text

        return version_text()
    return explain(flags.explain) if flags.explain else list_passes()


def _session(arguments: Arguments, data: bytes) -> _Session:
    """Settle what to run, before anything runs: every UsageError comes from here."""
    flags = arguments.flags
    name = STDIN if flags.input == "-" else flags.input
    pipeline = Pipeline(tuple(arguments.steps))
    if flags.pass_pipeline is not None:
        pipeline = parse_pipeline(flags.pass_pipeline)
    session = _Session(arguments, name, pipeline, flags.target or DEFAULT_TARGET, flags.weights)
    session.verify_each = flags.verify_each
    session.print_options = PrintOptions(
        flags.mlir_print_op_generic, flags.mlir_print_debuginfo, flags.mlir_elide_elementsattrs_if_larger
    )
    session.printers = _printers(session)
    if flags.run_reproducer:
        if pipeline.steps:
            raise UsageError("--run-reproducer takes the pipeline from the input; expected no other passes")
        found = read_reproducer(data.decode(errors="replace"), name, DEFAULT_TARGET)
        session.pipeline, session.verify_each = parse_pipeline(found.pipeline), found.verify_each
        session.target, session.weights = flags.target or found.target, flags.weights or list(found.weights)
    chip(session.target)
    try:
        check_pipeline(session.pipeline, new_context(flags.allow_unregistered_dialect))
    except UsageError as error:
        near = [closest_flag(step.name) for step in arguments.steps]
        hint = next((f"\ndid you mean '{flag}'?" for flag in near if flag and flag[2:] not in str(error)), "")
        raise UsageError(f"{error}{hint}") from error
    return session


def _chunks(data: bytes, flags: Any) -> list[tuple[bytes, int]]:
    """The modules in the input, each with the line of the input that it starts at."""
    if not flags.split_input_file or data.startswith(BYTECODE_MAGIC):
        return [(data, 1)]
    chunks = []
    start = 0
    for marker in [*SPLIT.finditer(data), None]:
        end = marker.start() if marker else len(data)
        chunks.append((data[start:end], 1 + data.count(b"\n", 0, start)))
        start = marker.end() if marker else end
    return chunks


def _process(session: _Session, chunk: bytes, first_line: int) -> tuple[bool, bytes | None]:
    """Run the pipeline on one module. Returns whether all went as it should, and the output if there is any."""
    verify = session.flags.verify_diagnostics
    text = "" if chunk.startswith(BYTECODE_MAGIC) else chunk.decode(errors="replace")
    padded = "\n" * (first_line - 1)  # so that lines of locations count from the start of the whole input
    renderer = Renderer(session.name, padded + text)
    produced: list[Diagnostic] = []

    def report(diagnostic: Diagnostic) -> None:
        produced.append(diagnostic)
        if not verify and not diagnostic.message.startswith(IGNORED_RESOURCE):
            print(renderer.render(diagnostic), file=sys.stderr, flush=True)

    output = None
    try:
        whole_file = not session.flags.split_input_file and session.flags.input != "-"
        source = session.flags.input if whole_file else (chunk if not text else padded.encode() + chunk)
        output = _transform(session, source, report)
    except CompileError as error:
        for diagnostic in located(error) or (unlocated(error.message),):
            report(diagnostic)
        if not verify and error.diagnostics:
            print(f"fovea-opt: error: {error.message}", file=sys.stderr)
    if not verify:
        return output is not None, output
    try:
        problems = compare(read_expectations(text, first_line), produced, session.name)
    except InputError as error:
        raise InputError(f"{session.name}: {error}") from error
    for problem in problems:
        print(problem, file=sys.stderr)
    return not problems, output


def _transform(session: _Session, source: bytes | str, report: Any) -> bytes:
    """Parse, run, and write to bytes; raises FoveaError."""
    flags = session.flags
    context = new_context(flags.allow_unregistered_dialect)
    module = parse_module(source, context, report, session.name)
    shared = PassContext(
        target=session.target,
        weights=_weights(session.weights),
        remark=lambda location, message: report(Diagnostic("remark", message, location_text(location))),
    )
    watchers: list[Instrumentation] = [session.timing, *session.printers]
    reproducer = _begin_reproducer(session, module)
    try:
        run_pipeline(
            module, session.pipeline, shared, watchers, verify_each=session.verify_each, on_diagnostic=report
        )
    except FoveaError:
        _keep_reproducer(reproducer)
        raise
    if reproducer is not None:
        _running(reproducer).unlink(missing_ok=True)
    if not flags.emit_bytecode:
        return session.print_options.text(module, verified=session.verify_each or _verifies(module)).encode()
    stream = io.BytesIO()
    module.operation.write_bytecode(stream)
    return stream.getvalue()


def _verifies(module: Any) -> bool:
    from fovea.bindings import ir

    try:
        return bool(module.operation.verify())
    except ir.MLIRError:
        return False


def _weights(files: list[str]) -> Any:
    if not files:
        return None
    from fovea.weights import WeightStore

    return WeightStore(files)


def _printers(session: _Session) -> list[PrintIR]:
    """The printer that the flags ask for, if any."""
    flags = session.flags
    named = bool(flags.mlir_print_ir_after or flags.mlir_print_ir_after_all)
    conditional = flags.mlir_print_ir_after_change or flags.mlir_print_ir_after_failure
    printer = PrintIR(
        before=frozenset(flags.mlir_print_ir_before),
        after=frozenset(flags.mlir_print_ir_after),
        before_all=flags.mlir_print_ir_before_all,
        after_all=flags.mlir_print_ir_after_all or (conditional and not named),
        only_change=flags.mlir_print_ir_after_change,
        only_failure=flags.mlir_print_ir_after_failure,
        options=session.print_options,
        tree=Path(flags.mlir_print_ir_tree_dir) if flags.mlir_print_ir_tree_dir else None,
    )
    if printer.tree is not None and not (named or conditional or printer.before or printer.before_all):
        printer = replace(printer, after_all=True)
    return [printer] if printer.after_all or printer.after or printer.before or printer.before_all else []


def _running(reproducer: Path) -> Path:
    return reproducer.with_name(f"{reproducer.name}.running")


def _begin_reproducer(session: _Session, module: Any) -> Path | None:
    """Write the reproducer before anything runs, under another name: the process may die within MLIR."""
    name = session.flags.mlir_pass_pipeline_crash_reproducer
    if name is None:
        return None
    content = Reproducer(str(session.pipeline), session.target, tuple(session.weights), session.verify_each)
    write_atomically(_running(Path(name)), write_reproducer(module, content))
    return Path(name)


def _keep_reproducer(reproducer: Path | None) -> None:
    if reproducer is None:
        return
    try:
        _running(reproducer).replace(reproducer)
    except OSError as error:
        raise OutputError(f"cannot write '{reproducer}': {error.strerror or error}") from error
    print(f"fovea-opt: reproduce with: fovea-opt --run-reproducer {reproducer}", file=sys.stderr)


def _write_output(path: str, data: bytes) -> None:
    if path != "-":
        write_atomically(path, data)
        return
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _write_text(text: str) -> None:
    _write_output("-", text.encode())
