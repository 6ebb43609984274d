# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The roofline chart of a profile as inline SVG: it takes its colours from CSS variables, light or dark.

Across: operations for each byte that has to move. Upwards: operations a second. A kernel lies under the roof that its
bandwidth or its kind of arithmetic sets; how far under it is what the model says other resources cost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from fovea.charts.axis import LogAxis
from fovea.profile.rows import RESOURCE_NAMES, amount_text, seconds_text

# Hue of each resource, from the style sheet of charts.
_HUES = {"matrix": "blue", "vector": "orange", "lds": "purple", "cache": "olive", "memory": "green"}
_WIDTH, _HEIGHT = 900, 520
_LEFT, _RIGHT, _TOP, _BOTTOM = 100, 24, 46, 58
# A mark of each resource, around (0, 0): told apart by shape as well as by colour.
_SHAPES = {
    "matrix": "M-6-6H6V6H-6Z", "vector": "M0-7.5 7 5.5H-7Z", "lds": "M0-8 8 0 0 8-8 0Z", "cache": "M0 7.5-7-5.5H7Z",
    "memory": "M-6.5 0A6.5 6.5 0 1 0 6.5 0 6.5 6.5 0 1 0-6.5 0Z",
}  # fmt: skip
# Where a mark's number may stand, best first: beside it, then above and below, then further away.
_PLACES = ((10, 4), (-10, 4), (0, -11), (0, 20), (12, -10), (-12, -10), (12, 18), (-12, 18), (26, 4), (-26, 4),
           (0, -26), (0, 35), (27, -16), (-27, -16), (27, 24), (-27, 24))  # fmt: skip
_ALONG = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8)  # places of the slope's text, best first
_Box = tuple[float, float, float, float]


def roofline(document: Mapping[str, Any]) -> str:
    """The chart of a profile's document; a sentence instead if no kernel does arithmetic on memory's data."""
    points = [point for number, kernel in enumerate(document["kernels"], 1) if (point := _point(number, kernel))]
    if not points:
        return "<p>No kernel computes on floating-point numbers from memory: there is nothing to draw.</p>"
    peaks = document["peaks"]
    bandwidth = peaks["memory_bytes_per_second"]
    roofs = _roofs(document)
    ridge = max(flops for _, flops in roofs) / bandwidth
    intensities, rates = [p["intensity"] for p in points], [p["rate"] for p in points]
    # Right of the ridge there is room for what the roofs are called.
    across = LogAxis(min(intensities) / 2, max(max(intensities) * 2, ridge * 16), _LEFT, _WIDTH - _RIGHT)
    lowest = min(*rates, roofs[-1][1] / 100)
    upwards = LogAxis(lowest / 2, roofs[0][1] * 4, _HEIGHT - _BOTTOM, _TOP)
    taken = [(x - 8, y - 8, x + 8, y + 8) for x, y in _places(points, across, upwards)]
    parts = [_grid(across, upwards), _draw_roofs(roofs, bandwidth, across, upwards, taken)]
    parts += _draw_points(points, across, upwards, taken)
    title = f"Roofline of {document['package']} on {peaks['product']} ({document['target']}), modelled"
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">\n'
        f'<title>{escape(title)}</title>\n<text x="{_WIDTH - _RIGHT}" y="24" text-anchor="end">modelled, on '
        f"{escape(peaks['product'])}</text>\n{''.join(parts)}{_legend(points)}</svg>\n"
    )


def _point(number: int, kernel: Mapping[str, Any]) -> dict[str, Any] | None:
    """Where a kernel lies: operations a byte, and operations a second in the modelled time."""
    operations = sum(kernel["operations"]["matrix"].values()) + kernel["operations"]["vector"]
    moved = kernel["global"]["least_bytes_read"] + kernel["global"]["least_bytes_written"]
    seconds = kernel["modelled"]["seconds"]
    if not operations or not moved or not seconds:
        return None
    return {"number": number, "name": kernel["name"], "intensity": operations / moved, "rate": operations / seconds,
            "seconds": seconds, "bound": kernel["modelled"]["bound_by"]}  # fmt: skip


def _roofs(document: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Name and operations a second of the kinds of arithmetic that the package uses; vector arithmetic always."""
    peaks = document["peaks"]
    rates = peaks["matrix_operations_per_second"]
    named: dict[float, list[str]] = {}
    for kind in document["total"]["operations"]["matrix"]:
        if kind in rates:
            named.setdefault(rates[kind], []).append(kind)
    found = [(f"{', '.join(kinds)} matrix", rate) for rate, kinds in named.items()]
    return sorted([*found, ("f32 vector", peaks["vector_operations_per_second"])], key=lambda roof: -roof[1])


def _grid(across: LogAxis, upwards: LogAxis) -> str:
    parts = []
    for tick in across.ticks():
        x = across.at(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>')
        parts.append(f'<text class="soft" x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">'
                     f"{tick:g}</text>")  # fmt: skip
    for tick in upwards.ticks():
        y = upwards.at(tick)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="soft" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
                     f"{amount_text(tick, 'FLOP/s')}</text>")  # fmt: skip
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text class="soft" x="{middle}" y="{_HEIGHT - 14}" text-anchor="middle">'
                 "operations for each byte that has to move</text>\n")  # fmt: skip
    return "".join(parts)


def _draw_roofs(
    roofs: Sequence[tuple[str, float]], bandwidth: float, across: LogAxis, upwards: LogAxis, taken: list[_Box]
) -> str:
    """The slope of the memory up to the highest roof, and a level line for each kind of arithmetic."""
    parts = []
    top = roofs[0][1]
    start = max(across.low, upwards.low / bandwidth)
    x1, y1 = across.at(start), upwards.at(start * bandwidth)
    x2, y2 = across.at(top / bandwidth), upwards.at(top)
    parts.append(f'<path class="roof" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>')
    text = f"memory, {amount_text(bandwidth, 'B/s')}"
    slope = math.atan2(y2 - y1, x2 - x1)
    boxes = {t: _slanted(x1 + (x2 - x1) * t, y1 + (y2 - y1) * t, slope, 3.5 * len(text)) for t in _ALONG}
    t = min(_ALONG, key=lambda t: sum(_overlap(one, box) for one in boxes[t] for box in taken))
    taken += boxes[t]
    x, y = x1 + (x2 - x1) * t + 8 * math.sin(slope), y1 + (y2 - y1) * t - 8 * math.cos(slope)
    parts.append(f'<text transform="translate({x:.1f} {y:.1f}) rotate({math.degrees(slope):.1f})" '
                 f'text-anchor="middle">{text}</text>')  # fmt: skip
    end = _WIDTH - _RIGHT
    for name, flops in roofs:
        x, y = across.at(flops / bandwidth), upwards.at(flops)
        parts.append(f'<path class="roof" d="M{x:.1f} {y:.1f}H{end}"/>')
        text = f"{name}, {amount_text(flops, 'FLOP/s')}"
        parts.append(f'<text x="{end - 2}" y="{y - 6:.1f}" text-anchor="end">{escape(text)}</text>')
        taken.append((end - 2 - 7.0 * len(text), y - 20, end, y))
    return "".join(parts) + "\n"


def _slanted(x: float, y: float, slope: float, half: float) -> list[_Box]:
    """Boxes along a text of twice `half` pixels that stands above (x, y) of a slope."""
    steps = [half * part for part in (-1, -0.6, -0.2, 0.2, 0.6, 1)]
    return [(x + s * math.cos(slope) - 14, y + s * math.sin(slope) - 26,
             x + s * math.cos(slope) + 14, y + s * math.sin(slope)) for s in steps]  # fmt: skip


def _draw_points(
    points: Sequence[Mapping[str, Any]], across: LogAxis, upwards: LogAxis, taken: list[_Box]
) -> list[str]:
    """A mark a kernel and its number, where there is room for it."""
    parts = []
    for point, (x, y) in zip(points, _places(points, across, upwards), strict=True):
        half = 4.0 * len(str(point["number"]))
        options = [(x + dx + (half if dx > 0 else -half if dx < 0 else 0), y + dy) for dx, dy in _PLACES]
        boxes = [(cx - half, cy - 11, cx + half, cy + 1) for cx, cy in options]
        chosen = min(range(len(options)), key=lambda i: (sum(_overlap(boxes[i], box) for box in taken), i))
        taken.append(boxes[chosen])
        text = (f"{point['number']} {point['name']}: {amount_text(point['rate'], 'FLOP/s')} at "
                f"{point['intensity']:.3g} operations a byte, {seconds_text(point['seconds'])} modelled, bound by "
                f"{RESOURCE_NAMES[point['bound']]}")  # fmt: skip
        shape, hue = _SHAPES[point["bound"]], _HUES[point["bound"]]
        parts.append(
            f'<g><title>{escape(text)}</title><path d="{shape}" fill="var(--{hue})" '
            f'stroke="var(--paper)" transform="translate({x:.1f} {y:.1f})"/><text class="number" '
            f'x="{options[chosen][0]:.1f}" y="{options[chosen][1]:.1f}" text-anchor="middle">{point["number"]}</text>'
            "</g>\n"
        )
    return parts


def _places(points: Sequence[Mapping[str, Any]], across: LogAxis, upwards: LogAxis) -> list[tuple[float, float]]:
    return [(across.at(p["intensity"]), upwards.at(p["rate"])) for p in points]


def _overlap(one: _Box, other: _Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)


def _legend(points: Sequence[Mapping[str, Any]]) -> str:
    """The marks that occur, and what they say."""
    parts = [f'<text class="soft" x="{_LEFT}" y="24">bound by</text>']
    x = _LEFT + 72.0
    for resource, shape in _SHAPES.items():
        if any(point["bound"] == resource for point in points):
            name = RESOURCE_NAMES[resource]
            parts.append(f'<path d="{shape}" fill="var(--{_HUES[resource]})" transform="translate({x:.0f} 20)"/>'
                         f'<text x="{x + 13:.0f}" y="24">{name}</text>')  # fmt: skip
            x += 40 + 8 * len(name)
    return "".join(parts) + "\n"
