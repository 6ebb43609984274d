# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`report.html`: the report as one self-contained page for a browser, light or dark as the reader's system is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fovea.page import html_facts, html_page, html_section, html_table, short_place
from fovea.report_charts import accuracy, frontier, histograms, network, scales_chart
from fovea.report_rewrites import compute_types, rewrites
from fovea.tables import KERNEL_COLUMNS, bytes_text, calibration_text, fixed_scale_text, kernel_row, shape_text

# What a decision is called on the page, by its name in the report.
_CALLED = {"fp8": "FP8", "attention": "spared", "other": "kept"}


def to_html(report: Mapping[str, Any]) -> str:
    """The page."""
    sections = [_summary(report), network(report), frontier(report), accuracy(report), _attention(report),
                _contractions(report), compute_types(report), rewrites(report), _scales(report), histograms(report),
                _kernels(report)]  # fmt: skip
    title = f"{report['model']} for {report['options']['target']}"
    return html_page(f"Fovea: {title}", title, f"Compiled by Fovea {report['fovea']}.", sections)


def _summary(report: Mapping[str, Any]) -> str:
    plan, attention = report["plan"], report["attention"]
    facts = [("Attention", f"{attention['tagged']} sites tagged, {attention['fused']} fused, "
                           f"{attention['near_misses']} near misses")]  # fmt: skip
    if "contractions" in report:
        found = report["contractions"]
        facts.append(("Contractions", f"{found['fp8']} in FP8, {found['attention']} spared as part of attention, "
                                      f"{found['other']} kept for another reason"))  # fmt: skip
        facts.append(("Calibration", calibration_text(report["calibration"])))
    facts += [
        ("Kernels", f"{plan['kernels']} in {plan['launches']} launches"),
        ("Arena", f"{bytes_text(plan['arena_bytes'])}; {bytes_text(plan['unshared_bytes'])} if no memory were shared"),
        ("Weights", bytes_text(plan["weight_bytes"])),
        ("Inputs", "; ".join(map(_tensor, plan["inputs"]))),
        ("Outputs", "; ".join(map(_tensor, plan["outputs"]))),
        ("Options", ", ".join(f"{name} {json.dumps(value)}" for name, value in report["options"].items())),
        ("Time", ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in report["seconds"].items())),
    ]
    return f"<h2>Summary</h2>\n{html_facts(facts)}\n"


def _tensor(tensor: Mapping[str, Any]) -> str:
    return f"{tensor['name']}: {tensor['dtype']} {list(tensor['shape'])}"


def _attention(report: Mapping[str, Any]) -> str:
    rows = []
    for decision in report["attention"]["decisions"]:
        site = "" if decision.get("id") is None else str(decision["id"])
        rows.append([decision["decision"], site, short_place(decision["location"]), decision["reason"]])
    columns = (("Decision", ""), ("Site", "right"), ("Where", "code"), ("Why", ""))
    return html_section("Attention", "What was recognised as attention and stays out of FP8, and what nearly was.",
                        html_table(columns, rows))  # fmt: skip


def _contractions(report: Mapping[str, Any]) -> str:
    if "contractions" not in report:
        text = f"FP8 is off: every contraction is computed in {report['options']['compute_type']}."
        return html_section("Contractions", text, "")
    scales: dict[str, dict[str, str]] = {"activation": {}, "weight": {}}
    for scale in report["scales"]:
        scales[scale["role"]][scale["id"]] = fixed_scale_text(scale)
    rows, kinds = [], []
    for number, decision in enumerate(report["contractions"]["decisions"], 1):
        id_, fp8 = decision["id"], decision["decision"] == "fp8"
        inputs = [scales["activation"].get(f"{id_}.{side}") for side in ("lhs", "rhs")]
        weights = [scales["weight"].get(name) for name in (id_, f"{id_}.weight")]
        rows.append([_CALLED[decision["decision"]], str(number), id_, shape_text(decision["shape"]),
                     ", ".join(filter(None, inputs)) or ("as before" if fp8 else "-"),
                     ", ".join(filter(None, weights)) or "-",
                     short_place(decision["location"]), decision["reason"]])  # fmt: skip
        kinds.append(decision["decision"])
    columns = (("Decision", ""), ("#", "right"), ("Contraction", "code"), ("batch x (m x n x k)", "right"),
               ("Input scale", "right"), ("Weight scales", "right"), ("Where", "code"), ("Why", ""))  # fmt: skip
    return html_section("Contractions", "Each matrix product of the model. 'As before': its input has a scale already.",
                        html_table(columns, rows, kinds))  # fmt: skip


def _scales(report: Mapping[str, Any]) -> str:
    if "scales" not in report:
        return ""
    ranges = report["ranges"]
    rows = []
    for scale in report["scales"]:
        seen = f"{ranges[scale['id']]['max_abs']:.4g}" if scale["id"] in ranges else ""
        axis = scale["granularity"] + (f" (axis {scale['axis']})" if scale["axis"] >= 0 else "")
        rows.append([scale["id"], scale["role"], axis, scale["storage"], fixed_scale_text(scale), seen])
    columns = (("Tensor", "code"), ("Role", ""), ("One a", ""), ("Stored as", ""), ("Scale", "right"),
               ("Largest magnitude seen", "right"))  # fmt: skip
    return html_section("Scales", "A stored value times its scale is the real value.",
                        scales_chart(report) + html_table(columns, rows))  # fmt: skip


def _kernels(report: Mapping[str, Any]) -> str:
    columns = [(heading, "right" if alignment == "right" else "") for heading, alignment in KERNEL_COLUMNS]
    return html_section("Kernels", "Registers a lane (VGPR, AGPR) and a wave (SGPR); LDS, scratch and code in bytes; "
                                   "matrix instructions as they stand in the code.",
                        html_table(columns, map(kernel_row, report["kernels"])))  # fmt: skip
