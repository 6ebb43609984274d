# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration as a step of a compilation: statistics from data or from a file, a range for every capture, records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.calibration.collect import CAPTURE, calibrate, set_max_abs
from fovea.calibration.methods import Method, Override, Range, choose, method_of, parse_method, parse_override
from fovea.calibration.ranges import SavedRanges, load_ranges
from fovea.calibration.statistics import Statistics
from fovea.dialect.capture import OBSERVED
from fovea.errors import InputError
from fovea.passes.registry import PassContext

Batches = Iterable[Mapping[str, np.ndarray[Any, Any]]]
ITERABLE = "an iterable of batches"  # what a source without a description is called


@dataclass(frozen=True)
class Calibration:
    """How ranges are found; see `fovea.api.CompileOptions` for the texts. Parsed: UsageError if one is malformed."""

    method: str = ""
    overrides: tuple[str, ...] = ()
    scheduler: str = ""
    ranges: str = ""
    save_ranges: str = ""
    mask: str = ""

    def __post_init__(self) -> None:
        self.parsed_method(), self.parsed_overrides()
        if self.scheduler:
            from fovea.calibration.distributed_calibration import parse_scheduler

            parse_scheduler(self.scheduler)

    def parsed_method(self) -> Method | None:
        return parse_method(self.method) if self.method else None

    def parsed_overrides(self) -> list[Override]:
        return [parse_override(text) for text in self.overrides]

    @property
    def needs_fingerprint(self) -> bool:
        return bool(self.ranges or self.save_ranges)


def capture_ids(module: Any, observed: bool = False) -> list[str]:
    """Ids of the captures of a module, in order, each once: of those to quantise, or of those only observed."""
    ids: dict[str, None] = {}

    def visit(op: Any) -> Any:
        if op.name == CAPTURE and (OBSERVED in op.attributes) == observed:
            ids[ir.StringAttr(op.attributes["id"]).value] = None
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    return list(ids)


def calibrate_step(
    module: Any, how: Calibration, context: PassContext, storage: str, batches: Batches | None, fingerprint: str = ""
) -> dict[str, Statistics]:
    """Give every capture of `module` its range; the statistics by capture id, also in `context.statistics` (of tensors
    that are only observed, `fovea.observed`, the capture's `max_abs` and the saved file alone have what was seen).

    storage: the FP8 type of the codes. batches: needed unless `how.ranges` names a file. fingerprint: of the
    normalised module, needed where ranges are loaded or saved. `context.records` gets one {"kind": "calibration"} and
    one {"kind": "range"} a capture. InputError for what is wrong with data or files, and for an override that finds no
    capture.
    """
    ids = capture_ids(module)
    overrides = how.parsed_overrides()
    check_overrides(overrides, ids)
    saved = load_ranges(how.ranges) if how.ranges else None
    if saved is not None:
        saved.check(how.ranges, fingerprint, ids)
        seen_all = saved.statistics
        source, warning = saved.source, None
    else:
        seen_all = _collect(module, how, context, batches)
        source = getattr(batches, "description", "") or ITERABLE
        warning = getattr(batches, "warning", None)
    statistics = {id_: seen_all[id_] for id_ in ids if id_ in seen_all}
    # Of tensors that are only observed the maximum counts, whatever the method; an older file may lack them.
    observed = {id_: seen_all[id_] for id_ in capture_ids(module, observed=True) if id_ in seen_all}
    maxima = {id_: Range(Method().name, seen.max_abs, 0.0) for id_, seen in observed.items()}
    default = how.parsed_method()
    if default is None and saved is None:
        default = Method()
    kept = saved.ranges if saved is not None else {}
    ranges = choose_ranges(statistics, default, overrides, storage, kept)
    set_max_abs(module, {id_: chosen.value for id_, chosen in {**ranges, **maxima}.items()})
    if how.save_ranges:
        everything = {**statistics, **observed}, {**ranges, **maxima}
        SavedRanges(fingerprint, source, storage, *everything).save(how.save_ranges)
    context.statistics = statistics
    context.records.append({
        "kind": "calibration", "source": source, "ranges_loaded": saved is not None, "warning": warning,
        "batches": max((seen.batches for seen in statistics.values()), default=0),
    })  # fmt: skip
    for id_, chosen in ranges.items():
        context.records.append({
            "kind": "range", "id": id_, "method": chosen.method, "max_abs": statistics[id_].max_abs,
            "range": chosen.value, "clipped": chosen.clipped,
        })  # fmt: skip
    return statistics


def choose_ranges(
    statistics: Mapping[str, Statistics],
    default: Method | None,
    overrides: Sequence[Override],
    storage: str,
    kept: Mapping[str, Range] | None = None,
) -> dict[str, Range]:
    """The range of each tensor by its method; without a default, what no override finds keeps its range in `kept`."""
    chosen = {}
    for id_, seen in statistics.items():
        method = method_of(id_, default, overrides)
        chosen[id_] = (kept or {})[id_] if method is None else choose(seen, method, storage)
    return chosen


def check_overrides(overrides: Sequence[Override], ids: Sequence[str]) -> None:
    """InputError for an override whose pattern is found in no id."""
    for override in overrides:
        if not any(override.pattern.search(id_) for id_ in ids):
            some = ", ".join(ids[:5]) + (", ..." if len(ids) > 5 else "")
            raise InputError(f"calibration override '{override.text}': '{override.pattern.pattern}' is found in no "
                             f"capture id; the ids are: {some or 'none'}")  # fmt: skip


def _collect(module: Any, how: Calibration, context: PassContext, batches: Batches | None) -> dict[str, Statistics]:
    if batches is None:
        raise InputError("FP8 needs calibration data: give --calibration FILE.npz, --ranges FILE, or --no-fp8")
    if how.scheduler:
        from fovea.calibration.distributed_calibration import calibrate_distributed

        return calibrate_distributed(module, batches, context.weights, how.scheduler, how.mask)
    return calibrate(module, batches, context.weights, mask=how.mask)

