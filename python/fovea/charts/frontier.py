# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the search for an accuracy budget found: the share of the work in FP8 against the error.

It draws the report's `search`: the settings of its frontier as a line, the others that were tried as small marks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fovea.charts import svg
from fovea.charts.axis import LinearAxis, LogAxis
from fovea.search.budget import COSINE, Budget

_WIDTH, _HEIGHT = 960, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 20, 70, 54


def error_name(search: Mapping[str, Any]) -> str:
    """What the error is."""
    return "1 - mean cosine of the output" if search["metric"] == COSINE else "noise / signal of the output"


def limit_of(search: Mapping[str, Any]) -> float:
    """The largest error that the budget allows."""
    return Budget(search["metric"], search["minimum"]).error(search["minimum"])


def frontier_chart(search: Mapping[str, Any]) -> str:
    """Error upwards (logarithmic), share in FP8 across; the budget is a line, the chosen setting is named."""
    line = sorted((point["share"], point["error"]) for point in search["frontier"])
    tried = [(point["share"], point["error"]) for point in search["points"]]
    errors = [error for _, error in [*line, *tried] if 0 < error < math.inf]
    if not errors:
        return "<p>No setting that was tried has an error: there is nothing to draw.</p>"
    limit = limit_of(search)
    low, high = min(*errors, limit) / 1.5, max(*errors, limit) * 1.5
    upwards = LogAxis(low, high, _HEIGHT - _BOTTOM, _TOP)
    across = LinearAxis(0.0, 1.0, _LEFT, _WIDTH - _RIGHT)
    steps = (1,) if len(upwards.ticks()) > 2 else (1, 2, 5)
    ticks = [tick for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
             for step in steps if low <= (tick := step * 10.0**power) <= high]  # fmt: skip
    shares = across.ticks(5)
    parts = [
        svg.left_axis(upwards, ticks, [svg.power_text(tick) for tick in ticks], _LEFT, _WIDTH - _RIGHT,
                      error_name(search)),
        svg.bottom_axis(across, shares, [f"{share:.0%}" for share in shares], _TOP, _HEIGHT - _BOTTOM,
                        "share of the operations in FP8"),
    ]  # fmt: skip
    y = upwards.at(limit)
    parts += [svg.line(_LEFT, y, _WIDTH - _RIGHT, y, "rule dashed"),
              svg.text(_LEFT + 6, y - 6, f"budget {limit:.3g}", "small")]  # fmt: skip

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return across.at(point[0]), upwards.at(min(max(point[1], low), high))

    parts.append(svg.path([place(point) for point in line], "blue"))
    for points, hollow in ((tried, True), (line, False)):
        for point in points:
            if hollow and point in line:
                continue
            parts.append(svg.mark(*place(point), svg.CIRCLE, "blue", f"{point[0]:.1%} in FP8, error {point[1]:.3g}",
                                  hollow))  # fmt: skip
    chosen = (search["chosen"]["share"], search["chosen"]["error"])
    x, y = place(chosen)
    right = x < _WIDTH * 0.7
    parts += [svg.mark(x, y, svg.DIAMOND, "orange"),
              svg.text(x + (10 if right else -10), y + 18, f"chosen: {chosen[0]:.1%}, {chosen[1]:.3g}", "number",
                       "start" if right else "end"),
              svg.legend([(svg.CIRCLE, "blue", False, "frontier"), (svg.CIRCLE, "blue", True, "also tried"),
                          (svg.DIAMOND, "orange", False, "chosen")], _LEFT, 20)]  # fmt: skip
    return svg.chart(_WIDTH, _HEIGHT, frontier_summary(search), parts)


def frontier_summary(search: Mapping[str, Any]) -> str:
    """The chart in words."""
    chosen = search["chosen"]
    return (f"Frontier of {len(search['frontier'])} of {len(search['points'])} settings that were tried: budget "
            f"{limit_of(search):.3g}, chosen: {chosen['share']:.1%} of the operations in FP8 with an error of "
            f"{chosen['error']:.3g}")  # fmt: skip
