# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The default order of the passes, and running a pipeline on a module."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from fovea import diagnostics
from fovea.bindings import ir, passmanager
from fovea.errors import CompileError, Diagnostic, FoveaError, InternalError, UsageError
from fovea.passes.registry import PassContext
from fovea.pipeline_text import ROOT, OwnStep, Pipeline, Step, UpstreamStep, parse_pipeline

DEFAULT_PIPELINE: tuple[str, ...] = (
    "fovea-normalize",
    "fovea-detect-attention",
    "fovea-raise-qdq",
    "fovea-convert-fp8",
    "fovea-insert-captures",
    "fovea-quantize-fp8",
    "fovea-move-quantize",
    "fovea-fold-qdq",
    "fovea-fuse-attention",
    "fovea-set-compute-type",
    "fovea-demote-f64",
    "fovea-channels-last",
    "fovea-fold-constants",
    "fovea-form-kernels",
    "fovea-plan",
    "fovea-lower-kernels",
)
"""Passes from linalg on tensors to kernels, in order. Calibration stands between insert-captures and quantize-fp8."""

__all__ = ["DEFAULT_PIPELINE", "Instrumentation", "Pipeline", "check_pipeline", "parse_pipeline", "run_pipeline"]


class Instrumentation:
    """What happens around each pass; every method does nothing here. `name` is the pass's, `text` has its options.

    A whole compilation (`fovea.api`) also has stages, of several passes or of none.
    """

    def before_stage(self, name: str) -> None:
        """Called when a stage of a compilation begins."""

    def after_kernel(self, name: str, total: int) -> None:
        """Called, from any thread, when the code of one of `total` distinct kernels is generated."""

    def before_pass(self, step: Step, module: Any) -> None:
        """Called before the pass runs."""

    def after_pass(self, step: Step, module: Any, seconds: float) -> None:
        """Called when the pass is done and its IR is verified; `seconds` of wall-clock time, the verifier included."""

    def after_failure(self, step: Step, module: Any) -> None:
        """Called when the pass failed, or left IR that does not verify."""


def run_pipeline(
    module: Any,
    pipeline: Pipeline | str,
    context: PassContext | None = None,
    instrumentation: Sequence[Instrumentation] = (),
    *,
    verify_each: bool = True,
    on_diagnostic: Callable[[Diagnostic], None] | None = None,
) -> None:
    """Run `pipeline` on `module`, in place; the IR is verified after each pass.

    on_diagnostic: takes the warnings and remarks of MLIR (remarks of Fovea's passes go to `context.remark`).

    Raises UsageError before anything ran if the pipeline is wrong. Raises CompileError, which names the pass and holds
    its diagnostics, if a pass fails or leaves invalid IR. Raises InternalError if a pass raises anything else.
    """
    parsed = parse_pipeline(pipeline) if isinstance(pipeline, str) else pipeline
    context = context or PassContext()
    mlir_context = module.context
    managers = {s: _manager(s, mlir_context, verify_each) for s in parsed.steps if isinstance(s, UpstreamStep)}
    threads = mlir_context.get_num_threads() > 1
    mlir_context.enable_multithreading(False)  # verifiers written in Python must not run from MLIR's threads
    try:
        for step in parsed.steps:
            for listener in instrumentation:
                listener.before_pass(step, module)
            start = time.perf_counter()
            try:
                if isinstance(step, UpstreamStep):
                    _run_upstream(step, managers[step], module, on_diagnostic)
                else:
                    _run_own(step, module, context, verify_each, on_diagnostic)
            except FoveaError:
                for listener in instrumentation:
                    listener.after_failure(step, module)
                raise
            seconds = time.perf_counter() - start
            for listener in instrumentation:
                listener.after_pass(step, module, seconds)
    finally:
        if threads:
            mlir_context.enable_multithreading(True)


def check_pipeline(pipeline: Pipeline, mlir_context: Any) -> None:
    """UsageError if MLIR does not know a pass of `pipeline`, or one of its options, or cannot nest it there."""
    for step in pipeline.steps:
        if isinstance(step, UpstreamStep):
            _manager(step, mlir_context, verify_each=True)


def _manager(step: UpstreamStep, mlir_context: Any, verify_each: bool) -> Any:
    manager = passmanager.PassManager(ROOT, mlir_context)
    manager.enable_verifier(verify_each)
    try:
        manager.add(str(step))
    except ValueError as error:
        raise UsageError(f"MLIR does not accept '{step}':\n{str(error).strip()}") from error
    return manager


def _run_upstream(
    step: UpstreamStep, manager: Any, module: Any, on_diagnostic: Callable[[Diagnostic], None] | None
) -> None:
    sink = _Sink(on_diagnostic)
    try:
        with diagnostics.capture(module.context, sink, errors_of_calls=True):
            manager.run(module.operation)
    except ir.MLIRError as error:
        raise CompileError(f"pass '{step}' failed", sink.errors) from error


def _run_own(
    step: OwnStep,
    module: Any,
    context: PassContext,
    verify: bool,
    on_diagnostic: Callable[[Diagnostic], None] | None,
) -> None:
    sink = _Sink(on_diagnostic)
    try:
        with diagnostics.capture(module.context, sink), module.context:
            step.instance.run(module, context)
    except CompileError as error:
        if sink.errors:
            raise type(error)(error.message, (*sink.errors, *error.diagnostics)) from error
        raise
    except FoveaError:
        raise
    except ir.MLIRError as error:
        raise CompileError(
            f"pass '{step.name}' failed", [*sink.errors, *diagnostics.from_exception(error)]
        ) from error
    except Exception as error:
        raise InternalError(f"pass '{step.name}' failed with {type(error).__name__}: {error}") from error
    if sink.errors:
        raise CompileError(f"pass '{step.name}' failed", sink.errors)
    if verify:
        try:
            module.operation.verify()
        except ir.MLIRError as error:
            raise CompileError(
                f"pass '{step.name}' left IR that does not verify", diagnostics.from_exception(error)
            ) from error


class _Sink:
    """Keeps errors for the exception to come, hands the rest on at once."""

    def __init__(self, forward: Callable[[Diagnostic], None] | None) -> None:
        self.errors: list[Diagnostic] = []
        self._forward = forward

    def __call__(self, diagnostic: Diagnostic) -> None:
        if diagnostic.severity == "error":
            self.errors.append(diagnostic)
        elif self._forward is not None:
            self._forward(diagnostic)
