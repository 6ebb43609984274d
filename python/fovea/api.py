# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiling from Python.

    from fovea import api
    from fovea.ir_input import new_context, parse_module

    module = parse_module(path, new_context())
    model = api.compile_module(module, api.CompileOptions(target="gfx942"), weights, calibration=batches)
    model.save("model.fovea")

`compile_module` leaves the module that it is given as it was. To embed single passes, call
`fovea.pipeline.run_pipeline` on your own module after `fovea.dialect.register(context)`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fovea import target as targets
from fovea.bindings import ir
from fovea.calibration import Statistics
from fovea.calibration.fingerprint import fingerprint
from fovea.calibration.step import Calibration
from fovea.codegen import rocdl, serializer
from fovea.errors import UsageError
from fovea.lowered import buffers_of, launches_of, plan_of
from fovea.package import save_package
from fovea.passes.attention.policy import parse_policy
from fovea.passes.quantization_choice import Choice
from fovea.passes.quantization_formats import STORAGES, weight_block
from fovea.passes.registry import PassContext, lookup
from fovea.pipeline import Instrumentation, run_pipeline
from fovea.plan import Plan
from fovea.quantization_steps import Quantizer
from fovea.search import parse_budget
from fovea.twins import Twins
from fovea.weights import WeightStore, writable_copy

COMPUTE_TYPES = ("f16", "bf16", "f32")
WEIGHT_ROUNDINGS = ("nearest", "gptq")
Progress = Callable[[str, float], None]  # stage, seconds it took


@dataclass(frozen=True)
class CompileOptions:
    """What to make of a model.

    target: chip. fp8: quantise contractions outside attention. quantize_attention: those inside too (attention is then
    not fused; for comparison). exclude, include: selectors of contractions to keep out of FP8, or to quantise although
    they are left out by default (see `fovea.passes.quantization_selectors`). accuracy_budget: least accuracy of the
    outputs ("0.999": mean cosine to the unquantised model's; "sqnr:25": dB), on every second calibration batch; as much
    work as it allows stays in FP8 (see `fovea.search`), with weights rounded, and biases corrected, as asked for.
    compute_type: type of what is not FP8. jobs: worker processes (None: one a core).
    lld: path of ld.lld (None: searched). attention_policy: changes to what is done with attention where that is a
    choice ("constant-kv=tag,gated=ignore"; see `fovea.passes.attention.policy`).

    calibration_method: how a tensor's range follows from its values: "max", "percentile:P", "mse" or "entropy" (see
    `fovea.calibration.methods`); "": max, or with `ranges` those of the file. calibration_overrides: "REGEX=METHOD"
    each, for the captures whose id the expression finds; the last that does counts. calibration_scheduler: "local:N"
    or a Dask scheduler's address, to calibrate on its workers; "": in this process. ranges: a file to take ranges from
    instead of calibrating. save_ranges: a file to write them to.

    weight_granularity: one scale a "tensor", a "channel", or a "block:K" of the contracted dim. activation_granularity:
    one scale a "tensor", from calibration, or a "row", computed at run time (no calibration data is needed then).
    storage: "e4m3" and "e5m2" in the target's form, or "mxfp8" (E4M3 with an E8M0 scale for 32 values, whatever the
    granularities; gfx950).

    weight_rounding: "nearest", or "gptq": for the least error of the contraction's output. bias_correction: take what
    weight rounding adds to results on average off again. smooth: how much of outlier channels moves from activations
    into weights, 0 to 1 (None: nothing). calibration_mask: name of an input that is 0 where rows are padding, which
    statistics leave out (see `fovea.calibration.masking`).
    """

    target: str = "gfx942"
    fp8: bool = True
    quantize_attention: bool = False
    exclude: tuple[str, ...] = ()
    compute_type: str = "f16"
    jobs: int | None = None
    lld: str | None = None
    attention_policy: str = ""
    calibration_method: str = ""
    calibration_overrides: tuple[str, ...] = ()
    calibration_scheduler: str = ""
    ranges: str = ""
    save_ranges: str = ""
    include: tuple[str, ...] = ()
    accuracy_budget: str = ""
    weight_granularity: str = "channel"
    activation_granularity: str = "tensor"
    storage: str = "e4m3"
    weight_rounding: str = "nearest"
    bias_correction: bool = False
    smooth: float | None = None
    calibration_mask: str = ""

    def __post_init__(self) -> None:
        self.how_to_calibrate()
        parse_policy(self.attention_policy)
        for name in ("exclude", "include"):
            given = getattr(self, name)
            object.__setattr__(self, name, (given,) if isinstance(given, str) else tuple(given))
        Choice(self.exclude, self.include, "--")
        if self.accuracy_budget:
            parse_budget(self.accuracy_budget)
            if not self.fp8:
                raise UsageError("--accuracy-budget says how much FP8 may cost; without FP8 (--no-fp8) it says nothing")
            if not self.needs_calibration or weight_block(self.weight_granularity) is not None:
                raise UsageError(
                    "--accuracy-budget searches with static scales: expected activation granularity "
                    "tensor, weight granularity tensor or channel, and storage e4m3 or e5m2"
                )
        if self.weight_rounding not in WEIGHT_ROUNDINGS:
            expected = ", ".join(WEIGHT_ROUNDINGS)
            raise UsageError(f"unknown weight rounding '{self.weight_rounding}'; expected one of {expected}")
        if self.smooth is not None and not 0 <= self.smooth <= 1:
            raise UsageError(f"--smooth: expected a number from 0 to 1, found {self.smooth}")
        if not self.fp8 and (self.needs_moments or self.smooth is not None):
            raise UsageError(
                "--weight-rounding gptq, --bias-correction and --smooth are parts of quantising to FP8; "
                "without FP8 (--no-fp8) they do nothing"
            )
        chip = targets.chip(self.target)
        if self.compute_type not in COMPUTE_TYPES:
            raise UsageError(f"unknown compute type '{self.compute_type}'; expected one of {', '.join(COMPUTE_TYPES)}")
        if self.fp8 and chip.fp8 is None:
            able = ", ".join(c.name for c in targets.CHIPS.values() if c.fp8)
            raise UsageError(f"{self.target} has no FP8 matrix instructions; use --no-fp8 or one of: {able}")
        if self.fp8:
            self.quantization()
        if self.jobs is not None and self.jobs < 1:
            raise UsageError(f"expected at least one job, found {self.jobs}")

    @property
    def needs_moments(self) -> bool:
        """Whether quantising takes moments of the contractions' inputs."""
        return self.weight_rounding == "gptq" or self.bias_correction

    @property
    def reads_data_again(self) -> list[str]:
        """The options for which calibration data is read more than once, as flags."""
        asked = {
            "--weight-rounding gptq": self.weight_rounding == "gptq", "--bias-correction": self.bias_correction,
            "--smooth": self.smooth is not None, "--accuracy-budget": bool(self.accuracy_budget),
        }  # fmt: skip
        return [flag for flag, is_asked in asked.items() if is_asked] if self.fp8 else []

    @property
    def needs_calibration(self) -> bool:
        """Whether quantising takes ranges of activations."""
        return self.fp8 and self.activation_granularity == "tensor" and self.storage != "mxfp8"

    def quantization(self) -> Any:
        """The pass that quantises; UsageError if its options are wrong or the target has no such format."""
        if self.storage not in STORAGES:
            raise UsageError(f"unknown storage '{self.storage}'; expected one of {', '.join(STORAGES)}")
        if self.storage == "mxfp8" and not targets.chip(self.target).mx:
            having = targets.mx_chips()
            raise UsageError(f"{self.target} has no block-scaled (MX) matrix instructions; chips that do: {having}")
        return lookup("fovea-quantize-fp8")(
            storage=self.storage, weight_granularity=self.weight_granularity,
            activation_granularity=self.activation_granularity,
        )  # fmt: skip

    def how_to_calibrate(self) -> Calibration:
        """The options that say how ranges are found; UsageError for one that is malformed."""
        return Calibration(self.calibration_method, self.calibration_overrides, self.calibration_scheduler,
                           self.ranges, self.save_ranges, self.calibration_mask)  # fmt: skip


@dataclass
class CompiledModel:
    """A compiled model: everything that a package holds.

    code_objects: file name in the package -> ELF bytes. weights: packed tensors by name. records: the passes'
    decisions. ranges: statistics by capture id. module: the lowered module (gpu.module and gpu.launch_func), valid
    while its context is. seconds: wall-clock time by stage. twins: the model before and after quantisation, None
    without FP8; valid while the module is.
    """

    plan: Plan
    code_objects: dict[str, bytes]
    weights: dict[str, np.ndarray[Any, Any]]
    records: list[dict[str, Any]]
    ranges: dict[str, Statistics]
    module: Any
    seconds: dict[str, float]
    options: CompileOptions = field(default_factory=CompileOptions)
    twins: Twins | None = None

    def save(self, path: str | os.PathLike[str], extra: Mapping[str, str | bytes] | None = None) -> None:
        """Write the package, whole or not at all; `extra` are more files to put in it (reports)."""
        kept = self.twins.files() if self.twins is not None else {}
        save_package(path, self.plan, self.code_objects, self.weights, {**kept, **(extra or {})})


class Clock:
    """Time by stage, told to `progress` as stages end and to `instrumentation` as they begin."""

    def __init__(self, progress: Progress | None, instrumentation: Sequence[Instrumentation] = ()) -> None:
        self.progress = progress
        self.instrumentation = instrumentation
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        for listener in self.instrumentation:
            listener.before_stage(name)
        start = time.perf_counter()
        yield
        taken = time.perf_counter() - start
        self.seconds[name] = self.seconds.get(name, 0.0) + taken
        if self.progress is not None:
            self.progress(name, taken)


def compile_module(
    module: Any,
    options: CompileOptions | None = None,
    weights: WeightStore | None = None,
    calibration: Iterable[Mapping[str, np.ndarray[Any, Any]]] | None = None,
    progress: Progress | None = None,
    instrumentation: Sequence[Instrumentation] = (),
    remark: Callable[[Any, str], None] = lambda location, message: None,
) -> CompiledModel:
    """Compile a module of linalg on tensors (with the `fovea` dialect registered in its context).

    weights: values of arguments with `fovea.weight`. calibration: batches of inputs by name; needed with fp8.
    Raises a FoveaError: InputError for inputs that do not fit, CompileError with located diagnostics otherwise.
    """
    options = options or CompileOptions()
    clock = Clock(progress, instrumentation)
    work, context, ranges = lower_module(module, options, weights, calibration, clock, instrumentation, remark)
    code_objects = generate_code(work, options, clock)
    with clock.stage("package"):
        packed = {b.tensor: np.ascontiguousarray(context.weights[b.tensor]) for b in buffers_of(work) if b.tensor}
        plan = plan_of(work, options.target, packed)
    kept = context.twins if context.twins.complete else None
    return CompiledModel(plan, code_objects, packed, context.records, ranges, work, clock.seconds, options, kept)


def lower_module(
    module: Any,
    options: CompileOptions,
    weights: WeightStore | None = None,
    calibration: Iterable[Mapping[str, np.ndarray[Any, Any]]] | None = None,
    clock: Any = None,
    instrumentation: Sequence[Instrumentation] = (),
    remark: Callable[[Any, str], None] = lambda location, message: None,
) -> tuple[Any, PassContext, dict[str, Statistics]]:
    """A lowered copy of `module` (gpu.module and gpu.launch_func), the context of its passes, the statistics.

    Everything that `compile_module` does before code generation; arguments and errors are its.
    """
    (WeightStore() if weights is None else weights).check(module)
    work = module.operation.clone()
    context = PassContext(target=options.target, weights=writable_copy(weights), remark=remark,
                          twins=Twins(dict(weights or {})))  # fmt: skip
    ranges = lower_to_kernels(work, options, context, calibration, clock, instrumentation)
    return work, context, ranges


def lower_to_kernels(
    module: Any,
    options: CompileOptions,
    context: PassContext,
    calibration: Iterable[Mapping[str, np.ndarray[Any, Any]]] | None,
    clock: Any = None,
    instrumentation: Sequence[Instrumentation] = (),
) -> dict[str, Statistics]:
    """Run all passes on `module` in place, calibrating in between; returns the statistics of each capture."""
    clock = clock or Clock(None)

    def run(stage: str, *passes: str) -> None:
        with clock.stage(stage):
            run_pipeline(module, f"builtin.module({','.join(passes)})", context, instrumentation)

    ranges: dict[str, Statistics] = {}
    run("detect", "fovea-normalize{prefer-k-contiguous=true}")
    needs_fingerprint = options.fp8 and options.how_to_calibrate().needs_fingerprint
    identity = fingerprint(module, context.weights) if needs_fingerprint else ""
    run("detect", *_detection(options))
    if options.fp8:
        ranges = Quantizer(module, options, context, clock, instrumentation, identity).run(calibration)
    fuse = () if options.fp8 and options.quantize_attention else ("fovea-fuse-attention",)
    run("fuse", *fuse, f"fovea-set-compute-type{{compute-type={options.compute_type}}}", "fovea-demote-f64")
    run("fold constants", "fovea-channels-last", "fovea-fold-constants")
    run("form kernels", "fovea-form-kernels", "fovea-plan")
    run("lower kernels", "fovea-lower-kernels")
    return ranges


def _detection(options: CompileOptions) -> list[str]:
    """Text of the passes that find attention, and free it from quantisation if the model arrived with some."""
    policy = f"{{attention-policy={options.attention_policy}}}" if options.attention_policy else ""
    strip = [] if options.quantize_attention else ["fovea-strip-attention-qdq"]
    return [f"fovea-detect-attention{policy}", *strip]


def kernel_modules(module: Any, options: CompileOptions) -> dict[str, Any]:
    """Each gpu.module of a lowered module by name, as a module of its own, lowered to the LLVM dialect."""
    chip = targets.chip(options.target)
    largest = max((buffer.bytes for buffer in buffers_of(module)), default=0)
    result = {}
    with module.context, ir.Location.unknown(module.context):
        for op in module.regions[0].blocks[0].operations:
            if op.operation.name != "gpu.module":
                continue
            single = ir.Module.create()
            with ir.InsertionPoint(single.body):
                op.operation.clone()
            rocdl.lower(single, chip, largest)
            result[ir.StringAttr(op.attributes["sym_name"]).value] = single
    return result


def generate_code(module: Any, options: CompileOptions, clock: Any = None, format_: str = "bin") -> dict[str, bytes]:
    """Compile the kernels of a lowered module: file name in the package -> code object (or assembly for "isa")."""
    clock = clock or Clock(None)
    with clock.stage("lower to ROCDL"):
        singles = kernel_modules(module, options)
        jobs = [serializer.Job(name, rocdl.bytecode(single)) for name, single in singles.items()]
    total = len({job.bytecode for job in jobs})

    def compiled(name: str) -> None:
        for listener in clock.instrumentation:
            listener.after_kernel(name, total)

    with clock.stage("generate code"):
        objects = serializer.serialize(jobs, options.target, format_, options.jobs, options.lld, compiled)
    extension = "hsaco" if format_ == "bin" else "s"
    used = {launch.kernel for launch in launches_of(module)}
    return {f"kernels/{job.name}.{extension}": o for job, o in zip(jobs, objects, strict=True) if job.name in used}
