# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The report of a compilation: what was decided and why, as the JSON document `report.json`.

    {
      "version": 1, "fovea": "0.1.0", "model": "model.mlir",
      "options": {"target": "gfx942", "fp8": true, ...},
      "attention": {"tagged": 6, "fused": 6, "near_misses": 0, "decisions": [...]},
      "calibration": {"source", "ranges_loaded", "batches", "warning"},
      "scales": [{"id", "role", "granularity", "axis", "storage", "min", "max"}],   (no range: computed at run time)
      "rewrites": {kind: [record]},   (what was done to weights, activations and quantisation that the model came with;
                                       kinds and fields as in passes/README.md; only kinds that have a record)
      "compute_types": [{"id", "location", "chosen", "reason", "max_abs"}],   (what f16 might not hold computes in bf16)
      "ranges": {id: {"max_abs", "batches", "elements", "method", "range", "clipped"}},
      "histograms": {id: {"bins_per_octave", "first", "counts", "below", "elements"}},   (see fovea.charts.histogram)
      "layers": {...},   (only if asked for: error by contraction on calibration data; see fovea.compare.document)
      "contractions": {"fp8": 36, "attention": 12, "other": 0, "decisions": [...],   (only with FP8)
                       "flops": {"total", "fp8", "attention"}, "warnings": [...],
                       "fp8_share": of the total, "fp8_share_outside_attention"},
      "search": {"metric", "minimum", "chosen": POINT, "frontier": [POINT], "points": [POINT], "evaluations",
                 "range_batches", "search_batches", "shared_batch", "seconds"},   (only with an accuracy budget)
                 POINT: {"share": of FLOPs in FP8, "accuracy", "error", "contractions": in FP8, "step"}
      "kernels": [{"name", "launches", "grid", "block", "vgpr", ..., "matrix": {mnemonic: count}}],
      "plan": {"launches", "kernels", "arena_bytes", "unshared_bytes", "weight_bytes", "inputs", "outputs",
               "tensors": [{"kernel", "shape", "dtype", "bytes", "offset"}]},   (what the arena holds)
      "seconds": {stage: seconds}
    }

A decision has `location` (`file:line:column` where known), `decision` and `reason`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import fovea
from fovea.charts.histogram import as_document
from fovea.diagnostics import place_of
from fovea.resources import kernel_resources

if TYPE_CHECKING:
    from fovea.api import CompiledModel

VERSION = 1
JSON_FILE, HTML_FILE = "report.json", "report.html"
ATTENTION, OTHER, FP8 = "attention", "other", "fp8"
REWRITES = ("raise-qdq", "convert-fp8", "move-quantize", "smoothing", "weight-rounding", "bias-correction")
"""Kinds of records under "rewrites"."""
# Options that say how to compile and not what: they belong to the machine.
_OF_MACHINE = ("jobs", "lld", "calibration_scheduler", "ranges", "save_ranges")


def make_report(model: CompiledModel, name: str, layers: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The report of `model`, which came from a file called `name`. layers: the error by contraction, if it is known."""
    options = {key: value for key, value in asdict(model.options).items() if key not in _OF_MACHINE}
    report: dict[str, Any] = {"version": VERSION, "fovea": fovea.__version__, "model": name, "options": options}
    report["attention"] = _attention(model.records)
    if model.options.fp8:
        report["contractions"] = contraction_summary(model.records)
        for record in model.records:
            if record.get("kind") == "search":
                report["search"] = _without(record, "kind")
        report["scales"] = [_without(record, "kind") for record in model.records if record.get("kind") == "scale"]
        report["rewrites"] = {
            kind: entries for kind in REWRITES
            if (entries := [_rewritten(r) for r in model.records if r.get("kind") == kind])
        }  # fmt: skip
        report["compute_types"] = [_located(r, "kind") for r in model.records if r.get("kind") == "compute-type"]
        calibration: Mapping[str, Any] = next((r for r in model.records if r.get("kind") == "calibration"), {})
        report["calibration"] = _without(calibration, "kind")
        chosen = {r["id"]: _without(r, "kind", "id") for r in model.records if r.get("kind") == "range"}
        report["ranges"] = {
            id_: {"max_abs": seen.max_abs, "batches": seen.batches, "elements": seen.elements, **chosen.get(id_, {})}
            for id_, seen in model.ranges.items()
        }
        report["histograms"] = {id_: as_document(seen) for id_, seen in model.ranges.items()}
        if layers is not None:
            report["layers"] = dict(layers)
    report["kernels"] = [asdict(kernel) for kernel in kernel_resources(model.plan, model.code_objects)]
    report["plan"] = _plan(model)
    report["seconds"] = {stage: round(seconds, 4) for stage, seconds in model.seconds.items()}
    return report


def to_json(report: Mapping[str, Any]) -> str:
    """The text of report.json."""
    return json.dumps(report, indent=1) + "\n"


def where(location: str) -> str:
    """`file:line:column` of MLIR's text of a location; the text itself if it has none."""
    place = place_of(location)
    return f"{place.file}:{place.line}:{place.column}" if place else location


def _without(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in names}


def _located(record: Mapping[str, Any], *dropped: str) -> dict[str, Any]:
    return {**_without(record, *dropped), "location": where(record["location"])}


def _rewritten(record: Mapping[str, Any]) -> dict[str, Any]:
    return _located(record, "kind") if "location" in record else _without(record, "kind")


def _attention(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found = [r for r in records if r.get("pass") in ("detect-attention", "fuse-attention")]
    detected = [r for r in found if r["pass"] == "detect-attention"]
    return {
        "tagged": sum(r.get("id") is not None for r in detected),
        "fused": sum(r["decision"] == "fused" for r in found),
        "near_misses": sum(r["decision"] == "near-miss" for r in detected),
        "decisions": [_located(r) for r in found],
    }


def contraction_summary(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Decisions by contraction. One that was quantised but whose scales could not be moved behind it is not in FP8."""
    left = {r["location"]: r["reason"] for r in records if r.get("kind") == "fold-qdq" and r["decision"] == "left"}
    decisions = []
    for record in records:
        if record.get("kind") != "contraction":
            continue
        entry = _located(record, "kind")
        if record["decision"] == FP8 and record["location"] in left:
            entry.update(decision=OTHER, reason=f"its scales cannot be moved behind it: {left[record['location']]}")
        elif record["decision"] != FP8:
            spared = record["reason"].startswith("part of attention")
            entry["decision"] = ATTENTION if spared else OTHER
        decisions.append(entry)
    counts = {kind: sum(d["decision"] == kind for d in decisions) for kind in (FP8, ATTENTION, OTHER)}
    return {**counts, "decisions": decisions, **_work(decisions),
            "warnings": [r["message"] for r in records if r.get("kind") == "selector"]}  # fmt: skip


def _work(decisions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Floating-point operations of the contractions, and the share of them that is in FP8."""
    total = sum(d["flops"] for d in decisions)
    fp8, attention = (sum(d["flops"] for d in decisions if d["decision"] == kind) for kind in (FP8, ATTENTION))
    return {
        "flops": {"total": total, "fp8": fp8, "attention": attention},
        "fp8_share": fp8 / total if total else 0.0,
        "fp8_share_outside_attention": fp8 / (total - attention) if total > attention else 0.0,
    }


def _plan(model: CompiledModel) -> dict[str, Any]:
    plan = model.plan
    planned: Mapping[str, Any] = next((r for r in model.records if r.get("kind") == "plan"), {})
    return {
        "launches": len(plan.launches),
        "kernels": len({(launch.code_object, launch.kernel) for launch in plan.launches}),
        "arena_bytes": plan.arena_bytes,
        "unshared_bytes": planned.get("unshared_bytes", plan.arena_bytes),
        "weight_bytes": sum(array.nbytes for array in model.weights.values()),
        "inputs": [_without(asdict(tensor), "buffer") for tensor in plan.inputs],
        "outputs": [_without(asdict(tensor), "buffer") for tensor in plan.outputs],
        "tensors": list(planned.get("tensors", ())),
    }
