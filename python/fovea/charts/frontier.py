# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the search for an accuracy budget found: the share of the work in FP8 against the error.

    {"budget": error, "metric": what the error is, "points": [{"flops_fp8": share, "error": error, ...}], "chosen": ...}

`chosen` is the number of a point, or the point itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fovea.charts import svg
from fovea.charts.axis import LinearAxis, LogAxis

_WIDTH, _HEIGHT = 960, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 20, 46, 54
_DEFAULT_METRIC = "error of the output"


def frontier_points(search: Mapping[str, Any]) -> list[tuple[float, float]]:
    """(share of the operations in FP8, error) of each point."""
    return [(float(point["flops_fp8"]), float(point["error"])) for point in search["points"]]


def chosen_point(search: Mapping[str, Any]) -> tuple[float, float] | None:
    """The point that was chosen, None if none was."""
    chosen = search.get("chosen")
    if isinstance(chosen, int) and 0 <= chosen < len(search["points"]):
        return frontier_points(search)[chosen]
    return (float(chosen["flops_fp8"]), float(chosen["error"])) if isinstance(chosen, Mapping) else None


def frontier_chart(search: Mapping[str, Any]) -> str:
    """Error upwards (logarithmic), share in FP8 across; the budget is a line, the chosen point is named."""
    points = sorted(frontier_points(search))
    errors = [error for _, error in points if error > 0]
    budget = search.get("budget")
    if not errors:
        return "<p>No setting that was tried has an error: there is nothing to draw.</p>"
    bounds = [*errors, *([float(budget)] if budget else [])]
    low, high = min(bounds) / 1.5, max(bounds) * 1.5
    upwards = LogAxis(low, high, _HEIGHT - _BOTTOM, _TOP)
    across = LinearAxis(0.0, 1.0, _LEFT, _WIDTH - _RIGHT)
    steps = (1,) if len(upwards.ticks()) > 2 else (1, 2, 5)
    ticks = [tick for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
             for step in steps if low <= (tick := step * 10.0**power) <= high]  # fmt: skip
    shares = across.ticks(5)
    parts = [
        svg.left_axis(upwards, ticks, [svg.power_text(tick) for tick in ticks], _LEFT, _WIDTH - _RIGHT,
                      str(search.get("metric", _DEFAULT_METRIC))),
        svg.bottom_axis(across, shares, [f"{share:.0%}" for share in shares], _TOP, _HEIGHT - _BOTTOM,
                        "share of the operations in FP8"),
    ]  # fmt: skip
    if budget:
        y = upwards.at(float(budget))
        parts += [svg.line(_LEFT, y, _WIDTH - _RIGHT, y, "rule dashed"),
                  svg.text(_LEFT + 6, y - 6, f"budget {float(budget):.3g}", "small")]  # fmt: skip
    placed = [(across.at(share), upwards.at(max(error, low))) for share, error in points]
    parts.append(svg.path(placed, "blue"))
    for (x, y), (share, error) in zip(placed, points, strict=True):
        parts.append(svg.mark(x, y, svg.CIRCLE, "blue", f"{share:.1%} in FP8, error {error:.3g}"))
    chosen = chosen_point(search)
    if chosen is not None:
        x, y = across.at(chosen[0]), upwards.at(max(chosen[1], low))
        parts += [svg.mark(x, y, svg.DIAMOND, "orange"),
                  svg.text(x - 10, y - 10, f"chosen: {chosen[0]:.1%}, {chosen[1]:.3g}", "number", "end")]  # fmt: skip
    return svg.chart(_WIDTH, _HEIGHT, frontier_summary(search), parts)


def frontier_summary(search: Mapping[str, Any]) -> str:
    """The chart in words."""
    chosen = chosen_point(search)
    found = "none chosen"
    if chosen:
        found = f"chosen: {chosen[0]:.1%} of the operations in FP8 with an error of {chosen[1]:.3g}"
    budget = f"budget {float(search['budget']):.3g}, " if search.get("budget") else ""
    return f"Frontier of {len(search['points'])} settings: {budget}{found}"
