# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The steps that quantise a module: choice, calibration, smoothing, search, scales, rounding, folding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fovea.calibration import Statistics
from fovea.calibration.moments import collect_moments
from fovea.calibration.step import calibrate_step
from fovea.errors import InputError
from fovea.passes.fold_qdq import arrives_quantised
from fovea.passes.quantization_formats import storage_of
from fovea.passes.registry import PassContext, lookup
from fovea.pipeline import Instrumentation, Pipeline, run_pipeline
from fovea.pipeline_text import OwnStep
from fovea.search import Split, parse_budget, search_and_apply
from fovea.twins import FLOAT, QUANTISED
from fovea.weights import writable_copy

if TYPE_CHECKING:
    from fovea.api import Clock, CompileOptions

Batches = Iterable[Mapping[str, np.ndarray[Any, Any]]]
F16 = "f16"  # the compute type that values may overflow
NEEDS_CALIBRATION = (
    "FP8 needs calibration data: give --calibration FILE.npz, --ranges FILE, --activation-granularity row (scales "
    "computed at run time), or --no-fp8"
)


class Quantizer:
    """Quantises one module in place.

    options, context, clock, instrumentation: as of the compilation. fingerprint: of the normalised module, needed where
    ranges are loaded or saved.
    """

    def __init__(
        self,
        module: Any,
        options: CompileOptions,
        context: PassContext,
        clock: Clock,
        instrumentation: Sequence[Instrumentation],
        fingerprint: str = "",
    ) -> None:
        self.module, self.options, self.context = module, options, context
        self.clock, self.instrumentation, self.fingerprint = clock, instrumentation, fingerprint
        self._has_moments = False  # those that rounding is made from

    def run(self, calibration: Batches | None) -> dict[str, Statistics]:
        """Do it all; the statistics of each capture by its id (empty without calibration)."""
        # A model that arrives quantised: its own quantising, in the target's format, and where it pays.
        self._passes("quantisation of the model", "fovea-raise-qdq", "fovea-move-quantize", "fovea-convert-fp8")
        data = self._repeatable(calibration)
        self._insert_captures(data)
        ranges = self._calibrate(data)
        if self.options.needs_moments and not self._has_moments:
            self._moments_for_rounding(data)
        self._keep_twin(FLOAT)
        self._pass("quantize", self.options.quantization())
        self._round()
        self._keep_twin(QUANTISED)
        self._passes("quantize", "fovea-move-quantize", "fovea-fold-qdq")
        return ranges

    # -- steps --------------------------------------------------------------------------------------------------

    def _repeatable(self, calibration: Batches | None) -> Batches | None:
        """The data, in a form that can be read more than once if it will be."""
        if calibration is None or not self.options.reads_data_again or iter(calibration) is not calibration:
            return calibration
        return list(calibration)

    def _insert_captures(self, data: Batches | None) -> None:
        options = self.options
        has_ranges = data is not None or bool(options.ranges) or not options.needs_calibration
        if not has_ranges and not arrives_quantised(self.module):
            raise InputError(NEEDS_CALIBRATION)
        if data is None and options.reads_data_again:
            raise InputError(f"{' and '.join(options.reads_data_again)}: calibration data is needed too: "
                             "give --calibration FILE.npz")  # fmt: skip
        insert_captures = lookup("fovea-insert-captures")
        self._pass(
            "detect",
            insert_captures(
                quantize_attention=options.quantize_attention, exclude=options.exclude, include=options.include,
                calibrated=has_ranges,
            ),
        )  # fmt: skip

    def _calibrate(self, data: Batches | None) -> dict[str, Statistics]:
        """Ranges for all captures; with smoothing before, and the search for an accuracy budget behind."""
        options, how = self.options, self.options.how_to_calibrate()
        if data is None and not how.ranges:
            return {}
        if options.smooth is not None:
            self._moments(data, second=False)
            self._pass("smooth", lookup("fovea-smooth-activations")(alpha=options.smooth))
        split = Split(data) if options.accuracy_budget and data is not None else None
        storage = storage_of(options.storage, options.target).element
        # Smoothing changes the tensors that are captured: ranges with it are not those without.
        identity = self.fingerprint + ("" if options.smooth is None else f" smoothed by {options.smooth:g}")
        guarded = options.compute_type == F16
        if guarded:
            self._pass("calibrate", lookup("fovea-observe-operands")())
        with self.clock.stage("calibrate"):
            ranges = calibrate_step(
                self.module, how, self.context, storage, data if split is None else split, identity
            )
        if guarded:
            self._pass("calibrate", lookup("fovea-guard-overflow")())
        if split is not None:
            if options.needs_moments:
                self._moments_for_rounding(split)  # of the batches that gave the ranges: others measure
            elif how.ranges:
                split.hold_all()
            with self.clock.stage("search"):
                self._search(split)
        return ranges

    def _search(self, data: Split) -> None:
        """Leave as many contractions out of FP8 as the accuracy budget asks for.

        Weights are rounded as in the end, each once: what this rounds is taken up again (`PassContext.rounded`). Only a
        weight that several contractions read, some of which are left out, is rounded again, for the others.
        """
        options, context, rounding = self.options, self.context, self._rounding()
        weights = writable_copy(context.weights) if rounding else context.weights

        def pipeline(*steps: Any) -> Callable[[Any], None]:
            def run(copy: Any) -> None:
                scratch = PassContext(options.target, weights, context.statistics, context.moments, context.rounded)
                run_pipeline(copy, Pipeline(tuple(OwnStep(step) for step in steps)), scratch)

            return run

        fuse = () if options.quantize_attention else (lookup("fovea-fuse-attention")(),)
        search_and_apply(
            self.module, context, parse_budget(options.accuracy_budget), data,
            pipeline(options.quantization(), *rounding),
            pipeline(lookup("fovea-set-compute-type")(compute_type=options.compute_type)), pipeline(*fuse),
            options.compute_type, weights,
        )  # fmt: skip

    def _round(self) -> None:
        for instance in self._rounding():
            self._pass("round weights", instance)

    def _rounding(self) -> tuple[Any, ...]:
        """The passes that better the rounding of weights."""
        options = self.options
        if options.weight_rounding == "gptq":
            return (lookup("fovea-round-weights")(correct_bias=options.bias_correction),)
        return (lookup("fovea-correct-bias")(),) if options.bias_correction else ()

    def _moments_for_rounding(self, data: Batches | None) -> None:
        self._moments(data, second=self.options.weight_rounding == "gptq")
        self._has_moments = True

    # -- helpers ------------------------------------------------------------------------------------------------

    def _moments(self, data: Batches | None, second: bool) -> None:
        assert data is not None
        with self.clock.stage("calibrate"):
            self.context.moments = collect_moments(
                self.module, data, self.context.weights, second, self.options.calibration_mask
            )

    def _passes(self, stage: str, *names: str) -> None:
        with self.clock.stage(stage):
            run_pipeline(self.module, f"builtin.module({','.join(names)})", self.context, self.instrumentation)

    def _pass(self, stage: str, instance: Any) -> None:
        """One pass with its options, not as text: a regular expression may hold any quote, brace or backslash."""
        with self.clock.stage(stage):
            run_pipeline(self.module, Pipeline((OwnStep(instance),)), self.context, self.instrumentation)

    def _keep_twin(self, kind: str) -> None:
        if self.context.twins is not None:
            self.context.twins.keep(kind, self.module, self.context.weights)
