# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The page's tables of what was done to weights, activations and quantisation that the model came with, and of what
computes in another float type than was asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fovea.page import html_section, html_table, short_place
from fovea.tables import scale_text

Record = Mapping[str, Any]


@dataclass(frozen=True)
class _Kind:
    """How records of a kind are shown. figure: what is measured, from a record, "" where it has none."""

    title: str
    text: str
    heading: str
    figure: Callable[[Record], str]


def _error(record: Record) -> str:
    return f"{record['error']:.3f}" if "error" in record else ""


def _factors(record: Record) -> str:
    low, high = record["factors"]
    folded = record.get("folded")
    return scale_text(low, high) + (f", in the {folded} before" if folded else "")


_KINDS: dict[str, _Kind] = {
    "raise-qdq": _Kind("Quantisation that the model came with", "Casts and scalings that were read as Q and DQ.",
                       "Form", lambda record: str(record["form"])),
    "convert-fp8": _Kind("Conversion to the target's FP8", "OCP numbers of the model, as the target stores them.",
                         "Types", lambda record: f"{record['from']} to {record['to']}"),
    "move-quantize": _Kind("Quantize ops that stay where they are", "Each other one stands at its producer.",
                           "", lambda _: ""),
    "smoothing": _Kind("Smoothing", "Outliers of activations that moved into the weights.", "Factors", _factors),
    "weight-rounding": _Kind("Rounding of weights", "The error of the result, over that of rounding to nearest.",
                             "Error", _error),
    "bias-correction": _Kind("Bias correction", "What rounding adds to a result on average is taken off again.",
                             "Largest correction", lambda record: f"{record['largest']:.3g}"),
}  # fmt: skip
"""By kind of record (see passes/README.md), in the order of the page."""


def rewrites(report: Mapping[str, Any]) -> str:
    """A section with one table a kind of rewrite that the model had."""
    found = report.get("rewrites") or {}
    return "".join(_rewrites_of(_KINDS[kind], found[kind]) for kind in _KINDS if kind in found)


def _rewrites_of(kind: _Kind, records: list[Record]) -> str:
    # Records that say the same of ops at one place are one row: a layer that the exporter unrolled has many.
    counts = Counter(
        (str(r.get("decision", "corrected")), str(r.get("id") or ""), short_place(r.get("location") or ""),
         kind.figure(r), str(r.get("reason", ""))) for r in records
    )  # fmt: skip
    repeated = max(counts.values()) > 1
    rows = [[*shown, str(count) if repeated else ""] for shown, count in counts.items()]
    columns = [("Decision", ""), ("Contraction", "code"), ("Where", "code"), (kind.heading, "right"), ("Why", ""),
               ("Ops", "right")]  # fmt: skip
    filled = [i for i in range(len(columns)) if any(row[i] for row in rows)]
    table = html_table([columns[i] for i in filled], [[row[i] for i in filled] for row in rows])
    return html_section(kind.title, kind.text, table)


def compute_types(report: Mapping[str, Any]) -> str:
    """The contractions that the overflow guard computes in another type, empty if there are none."""
    switched = report.get("compute_types") or []
    if not switched:
        return ""
    rows = [[r["id"], r["chosen"], f"{r['max_abs']:.4g}", short_place(r["location"]), r["reason"]] for r in switched]
    columns = (("Contraction", "code"), ("Computes in", ""), ("Largest magnitude seen", "right"), ("Where", "code"),
               ("Why", ""))  # fmt: skip
    return html_section("Overflow guard", "What is not in FP8 and might not fit the float type that was asked for.",
                        html_table(columns, rows))  # fmt: skip
