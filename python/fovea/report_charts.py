# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The sections of `report.html` that are charts. Each is empty where the report has nothing to show in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fovea.charts.frontier import frontier_chart, frontier_summary
from fovea.charts.histogram import figure, range_of
from fovea.charts.scales import scale_chart
from fovea.charts.strip import network_strip, strip_summary
from fovea.compare.page import layers_sections
from fovea.page import html_section, html_table
from fovea.tables import fixed_scale_text


def network(report: Mapping[str, Any]) -> str:
    """The contractions as a strip."""
    decisions = report.get("contractions", {}).get("decisions")
    if not decisions:
        return ""
    scales = {scale["id"]: fixed_scale_text(scale) for scale in report["scales"] if scale["role"] == "activation"}
    tips = []
    for decision in decisions:
        known = [scales[name] for side in ("lhs", "rhs") if (name := f"{decision['id']}.{side}") in scales]
        tips.append(f"scale of its input {', '.join(known)}" if known else "")
    explanation = (f"{strip_summary(decisions)}. Blocks are as wide as their work, and numbered as in the table of "
                   "contractions.")  # fmt: skip
    return html_section("Network", explanation, network_strip(decisions, tips))


def scales_chart(report: Mapping[str, Any]) -> str:
    """Scales by tensor."""
    return scale_chart(report["scales"], [decision["id"] for decision in report["contractions"]["decisions"]])


def histograms(report: Mapping[str, Any]) -> str:
    """What calibration saw of each captured tensor."""
    found = report.get("histograms")
    if not found:
        return ""
    scales = {scale["id"]: scale for scale in report["scales"] if scale["role"] == "activation"}
    figures = [figure(id_, histogram, range_of(scales.get(id_)), report["ranges"][id_]["max_abs"])
               for id_, histogram in found.items()]  # fmt: skip
    explanation = ("Magnitudes of the tensors that are quantised, as calibration saw them; upwards, the share of "
                   "elements an octave. "
                   "What is right of 'clip' saturates, what is left of '0' becomes 0.")  # fmt: skip
    return html_section("Calibrated tensors", explanation, f'<div class="multiples">{"".join(figures)}</div>')


def accuracy(report: Mapping[str, Any]) -> str:
    """Error by contraction on calibration data."""
    layers = report.get("layers")
    if not layers:
        return ""
    count = layers["batches"]
    note = f"<p>Measured on {count} {'batch' if count == 1 else 'batches'} of the calibration data.</p>\n"
    return layers_sections(layers) + note


def frontier(report: Mapping[str, Any]) -> str:
    """What the search for an accuracy budget tried."""
    search = report.get("search")
    if not search:
        return ""
    points = sorted(search["frontier"], key=lambda point: point["share"])
    rows = [[f"{point['share']:.2%}", f"{point['error']:.4g}", f"{point['accuracy']:.6g}", str(point["contractions"]),
             "chosen" if point == search["chosen"] else ""] for point in points]  # fmt: skip
    columns = (("Operations in FP8", ""), ("Error", ""), (search["metric"].capitalize(), ""),
               ("Contractions in FP8", ""), ("", ""))  # fmt: skip
    body = frontier_chart(search) + html_table(columns, rows)
    return html_section("Accuracy budget", f"{frontier_summary(search)}.", body)
