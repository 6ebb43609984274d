# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Charts: what they show is what the report says, they are well formed, and edge cases do not break them."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from pages import charts_of, check_page

from fovea.calibration import Statistics
from fovea.charts.axis import LinearAxis, LogAxis, nice_step
from fovea.charts.frontier import frontier_chart, frontier_summary, limit_of
from fovea.charts.histogram import as_document, densities, edge, figure, range_of, shares
from fovea.charts.layers import causes_chart, quality_chart, quality_summary
from fovea.charts.scales import scale_chart
from fovea.charts.strip import network_strip, strip_summary
from fovea.compare.document import make_document
from fovea.compare.page import layers_sections, to_page
from fovea.report_charts import accuracy, frontier, histograms, network

HOSTILE = '<b>&"layer\''


def decision(id_: str, kind: str, reason: str = "why", k: int = 8) -> dict[str, Any]:
    return {"id": id_, "decision": kind, "reason": reason, "shape": {"m": 2, "n": 4, "k": k, "batch": 3},
            "location": "m.mlir:1:2"}  # fmt: skip


DECISIONS = [
    decision("q", "fp8"), decision(HOSTILE, "fp8", k=32), decision("s", "attention", "part of attention site 7"),
    decision("o", "attention", "part of attention site 7"), decision("last", "other", "the last layer", k=1),
]  # fmt: skip


def test_axes() -> None:
    log = LogAxis(0.01, 100.0, 0.0, 400.0)
    assert [log.at(v) for v in (0.01, 1.0, 100.0)] == pytest.approx([0, 200, 400])
    assert log.ticks() == pytest.approx([0.01, 0.1, 1, 10, 100])
    linear = LinearAxis(0.0, 40.0, 100.0, 0.0)
    assert linear.at(10) == 75 and linear.ticks(4) == [0, 10, 20, 30, 40]
    assert [nice_step(v) for v in (0.9, 1.0, 1.1, 30.0, 0.003)] == pytest.approx([1, 1, 2, 50, 0.005])


def test_histogram_bins_are_the_statistics_sums() -> None:
    statistics = Statistics()
    values = np.array([0.0, 1.0, -1.1, 1.125, 1.99, 2.0, 1e-40, -3.0], np.float32)
    statistics.update(values)
    found = as_document(statistics)
    assert (found["elements"], found["below"]) == (8, 2)  # zero, and a subnormal
    bins = {found["first"] + i: count for i, count in enumerate(found["counts"]) if count}
    # [1, 1.125): 1 and 1.1; [1.125, 1.25): 1.125; [1.875, 2): 1.99; [2, 2.25): 2; [3, 3.25): 3.
    assert {edge(number): count for number, count in bins.items()} == {1: 2, 1.125: 1, 1.875: 1, 2: 1, 3: 1}
    assert as_document(Statistics())["counts"] == []


def test_histogram_of_many_values_loses_none() -> None:
    statistics = Statistics()
    values = np.random.default_rng(0).standard_normal(10_000).astype(np.float32)
    statistics.update(values)
    found = as_document(statistics)
    assert sum(found["counts"]) + found["below"] == found["elements"] == values.size
    low, high = edge(found["first"]), edge(found["first"] + len(found["counts"]))
    assert low <= np.abs(values[values != 0]).min() and np.abs(values).max() < high
    # Density an octave: all of it together is everything.
    width = [math.log2(edge(found["first"] + i + 1) / edge(found["first"] + i)) for i in range(len(found["counts"]))]
    assert sum(d * w for d, w in zip(densities(found), width, strict=True)) == pytest.approx(1)


def test_clip_point_and_what_becomes_zero() -> None:
    scale = {"id": "x", "role": "activation", "axis": -1, "storage": "f8E4M3FNUZ", "min": 0.01, "max": 0.01}
    limits = range_of(scale)
    assert limits is not None
    # E4M3FNUZ: up to 240; the smallest subnormal is 2^-10, half of it rounds to 0.
    assert (limits.clip, limits.zero) == pytest.approx((2.4, 0.01 * 2**-11))
    statistics = Statistics()
    statistics.update(np.array([1.0] * 96 + [4.0] * 3 + [1e-6], np.float32))
    found = as_document(statistics)
    assert shares(found, limits) == pytest.approx((0.03, 0.01))
    drawn = figure(HOSTILE, found, limits, 4.0)
    check_page(drawn)
    assert "3.00% beyond" in drawn and "1.00% become 0" in drawn and "clipped at 2.4" in drawn
    # What saturates has a colour of its own, right of the clip point.
    (chart,) = charts_of(drawn)
    clip = next(float(x.attrib["x1"]) for x in chart.iter("line") if x.get("stroke") == "var(--purple)")
    bars = next(p for p in chart.iter("path") if p.get("fill") == "var(--purple)")
    assert min(float(x) for x in re.findall(r"M([\d.]+)", bars.attrib["d"])) > clip
    assert range_of(None) is None and range_of({**scale, "min": None, "max": None}) is None
    assert range_of({**scale, "min": 0.001}) is None


@pytest.mark.parametrize("values", [[0.0], [5.0], [1e-38, 3e38], [2.0**-126]])
def test_histograms_of_odd_tensors(values: list[float]) -> None:
    statistics = Statistics()
    statistics.update(np.array(values, np.float32))
    for limits in (None, range_of({"storage": "f8E4M3FN", "min": 1e-3, "max": 1e-3})):
        check_page(figure("x", as_document(statistics), limits, max(values)))


def test_strip_shows_each_contraction_as_wide_as_its_work() -> None:
    drawn = network_strip(DECISIONS, ["scale 1", "", "", "", ""])
    check_page(drawn)
    (chart,) = charts_of(drawn)
    blocks = [rect for rect in chart.iter("rect") if rect.find("title") is not None]
    names = [(rect.findtext("title") or "").split(":")[0] for rect in blocks]
    assert names == ["1 q", f"2 {HOSTILE}", "3 s", "4 o", "5 last"]
    widths = [float(rect.attrib["width"]) for rect in blocks]
    least = 7.0
    assert (widths[1] - least) / (widths[0] - least) == pytest.approx(4, abs=0.05)
    heights = [float(rect.attrib["height"]) for rect in blocks]
    assert heights[0] == heights[1] > heights[2] == heights[3] > heights[4]
    assert [text.text for text in chart.iter("text") if text.get("class") == "small"] == ["7"]
    # 2 * 3 * 2 * 4 operations for each of k: 8 + 32 of 57.
    assert "2 FP8 (70.2% of the operations), 2 spared: attention (28.1%" in strip_summary(DECISIONS)


def test_strip_without_known_work_and_of_a_large_network() -> None:
    unknown = [{**entry, "shape": {}} for entry in DECISIONS]
    (chart,) = charts_of(network_strip(unknown, [""] * 5))
    assert len({rect.attrib["width"] for rect in chart.iter("rect") if rect.find("title") is not None}) == 1
    many = DECISIONS * 100
    drawn = network_strip(many, [""] * len(many))
    check_page(drawn)
    assert drawn.count("<rect") == len(many) + 3  # and the legend


def test_scales_stand_at_their_contraction() -> None:
    scales = [
        {"id": "q.lhs", "role": "activation", "axis": -1, "storage": "f8E4M3FN", "min": 0.5, "max": 0.5},
        {"id": "last.weight", "role": "weight", "axis": 1, "storage": "f8E4M3FN", "min": 1e-4, "max": 1e-2},
        {"id": "s.lhs", "role": "activation", "axis": -1, "storage": "f8E4M3FN", "min": None, "max": None},
    ]  # fmt: skip
    drawn = scale_chart(scales, [entry["id"] for entry in DECISIONS])
    check_page(drawn)
    titles = re.findall(r"<title>(.*?)</title>", drawn)
    assert titles[0] == "Scales: 1 activations, 0.5; 1 weights, 0.0001 .. 0.01"
    assert "1 q.lhs, activation: 0.5 (f8E4M3FN)" in titles and any(t.startswith("5 last.weight") for t in titles)
    assert "No tensor has a fixed scale" in scale_chart(scales[2:], [])
    assert "in the order of the program" in scale_chart([{**scales[1], "id": "constant"}], ["q"])


def entry(id_: str, reads: float | None, gives: float | None, own: float | None = None) -> dict[str, Any]:
    parts = None if own is None else {"total": own, "activation": own + 1, "weight": own + 7, "clipping": None,
                                      "interaction": own + 30}  # fmt: skip
    return {"id": id_, "location": "m.mlir:1:2", "shape": {}, "storage": "", "input_sqnr_db": reads,
            "output_sqnr_db": gives, "fall_db": 0.0, "own_sqnr_db": parts,
            "main_cause": None if own is None else "activation"}  # fmt: skip


LAYERS = {"batches": 2, "fall_limit_db": 6.0, "first_fall": "b", "contractions": [
    entry("a", None, 30.0, 30.0), entry("b", 30.0, 12.5, 12.6), entry(HOSTILE, 12.5, None),
    entry("d", 12.5, -3.0, 20)]}  # fmt: skip


def test_error_by_contraction() -> None:
    check_page(layers_sections(LAYERS))
    assert quality_summary(LAYERS).endswith("SQNR of outputs from -3.0 to 30.0 dB; it first falls at b")
    drawn = quality_chart(LAYERS)
    assert "falls at 2" in drawn
    (chart,) = charts_of(causes_chart(LAYERS))
    bars = list(chart.iter("rect"))
    # Three parts of three contractions; none for what has no error.
    assert len(bars) == 9
    heights = {rect.findtext("title"): float(rect.attrib["height"]) for rect in bars}
    ratio = heights["2 b, activation: 13.6 dB"] / heights["2 b, weight: 19.6 dB"]
    assert ratio == pytest.approx(10**0.6, rel=0.01)


def test_error_by_contraction_where_there_is_none() -> None:
    exact = {**LAYERS, "first_fall": None, "contractions": [entry("a", None, None)]}
    page = layers_sections(exact)
    check_page(page)
    assert "Every contraction is exact" in page and "adds an error of its own" in page
    check_page(layers_sections({**exact, "contractions": []}))


def point(share: float, error: float, contractions: int = 1) -> dict[str, Any]:
    return {"share": share, "error": error, "accuracy": 1 - error, "contractions": contractions, "step": "try"}


FRONTIER = [point(0.0, 0.0), point(0.2, 1e-4), point(0.9, 9e-4), point(1.0, 0.003)]
SEARCH = {"metric": "cosine", "minimum": 0.999, "frontier": FRONTIER, "points": [*FRONTIER, point(0.5, 0.002)],
          "chosen": FRONTIER[2], "evaluations": 5}  # fmt: skip


def test_frontier() -> None:
    drawn = frontier_chart(SEARCH)
    check_page(drawn)
    assert limit_of(SEARCH) == pytest.approx(0.001)
    assert limit_of({"metric": "sqnr", "minimum": 20.0}) == pytest.approx(0.01)
    assert frontier_summary(SEARCH) == (
        "Frontier of 4 of 5 settings that were tried: budget 0.001, chosen: 90.0% of the operations in FP8 with an "
        "error of 0.0009"
    )
    (chart,) = charts_of(drawn)
    assert {"chosen: 90.0%, 0.0009", "budget 0.001"} <= {text.text for text in chart.iter("text")}
    tips = [title.text for title in chart.iter("title")]
    assert "50.0% in FP8, error 0.002" in tips
    # A setting that gave NaN is at the top, and what has no error at the bottom.
    check_page(frontier_chart({**SEARCH, "points": [point(0.3, math.inf), point(0.0, 0.0)]}))
    none = {**SEARCH, "frontier": [point(0, 0)], "points": [point(0, 0)], "chosen": point(0, 0)}
    assert "nothing to draw" in frontier_chart(none)


def test_sections_without_anything_to_show_are_empty() -> None:
    assert [section({"options": {}}) for section in (network, histograms, accuracy, frontier)] == [""] * 4
    page = frontier({"search": SEARCH})
    check_page(page)
    assert page.count("<tr>") == 5


def test_page_of_a_comparison() -> None:
    output = {"name": HOSTILE, "dtype": "f32", "shape": [2], "elements": 2, "equal_elements": 0, "cosine_mean": 0.5,
              "cosine_worst": 0.25, "vectors": 1, "signal": 1.0, "noise": 0.0, "sqnr_db": None, "max_error": 0.0,
              "not_finite": 3, "looks_like": "tensor", "because": "it is <odd>"}  # fmt: skip
    for layers in (LAYERS, None):
        page = to_page(make_document(HOSTILE, "b.fovea", "emulator", 1, [output], layers, "no reason"))
        check_page(page)
        assert "prefers-color-scheme: dark" in page and "3 not finite" in page
        assert ("No contractions: no reason." in page) == (layers is None)
