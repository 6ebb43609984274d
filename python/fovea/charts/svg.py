# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The parts of an SVG chart as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from fovea.charts.axis import LinearAxis, LogAxis

Axis = LinearAxis | LogAxis
CIRCLE, SQUARE, DIAMOND, TRIANGLE = "circle", "square", "diamond", "triangle"
_SHAPES = {
    CIRCLE: "M-3.6 0A3.6 3.6 0 1 0 3.6 0 3.6 3.6 0 1 0-3.6 0Z", SQUARE: "M-3.3-3.3H3.3V3.3H-3.3Z",
    DIAMOND: "M0-4.8 4.8 0 0 4.8-4.8 0Z", TRIANGLE: "M0-4.6 4.4 3.4H-4.4Z",
}  # fmt: skip


def chart(width: float, height: float, title: str, parts: Iterable[str], scrolls: bool = True) -> str:
    """An SVG image that is called `title`; where the window is narrower than a chart can be, it scrolls."""
    image = (f'<svg class="chart" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}">\n'
             f"<title>{escape(title)}</title>\n{''.join(parts)}</svg>\n")  # fmt: skip
    return f'<div class="wide">{image}</div>\n' if scrolls else image


def text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    """A line of text; `anchor` is start, middle or end."""
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text{_class(kind)} x="{x:.1f}" y="{y:.1f}"{place}>{escape(content)}</text>\n'


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> str:
    """A straight line."""
    return f'<line{_class(kind)} x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>\n'


def mark(x: float, y: float, shape: str, colour: str, tip: str = "", hollow: bool = False) -> str:
    """A mark of one of the shapes; `colour` is a CSS variable's name. `tip`: what a pointer over it is told."""
    paint = f'fill="var(--paper)" stroke="var(--{colour})" stroke-width="1.6"' if hollow else f'fill="var(--{colour})"'
    return (f'<path d="{_SHAPES[shape]}" {paint} transform="translate({x:.1f} {y:.1f})">'
            f"{tooltip(tip)}</path>\n")  # fmt: skip


def box(x: float, y: float, width: float, height: float, colour: str, tip: str = "") -> str:
    """A filled rectangle."""
    return (f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="var(--{colour})">'
            f"{tooltip(tip)}</rect>\n")  # fmt: skip


def path(points: Sequence[tuple[float, float]], colour: str, width: float = 1.6, kind: str = "") -> str:
    """A line through points."""
    way = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path{_class(kind)} d="M{way}" fill="none" stroke="var(--{colour})" stroke-width="{width}"/>\n'


def power_text(value: float) -> str:
    """A power of ten as the label of a tick."""
    return f"{value:g}" if 1e-3 < value < 1e4 else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")


def tooltip(tip: str) -> str:
    """What a browser shows when the pointer rests on a part, "" for nothing."""
    return f"<title>{escape(tip)}</title>" if tip else ""


def legend(entries: Sequence[tuple[str, str, bool, str]], x: float, y: float) -> str:
    """Marks (shape, colour, hollow) and what they mean, in a row."""
    parts = []
    for shape, colour, hollow, name in entries:
        parts.append(mark(x, y - 4.5, shape, colour, hollow=hollow) + text(x + 10, y, name))
        x += 34 + 7 * len(name)
    return "".join(parts)


def left_axis(axis: Axis, ticks: Sequence[float], labels: Sequence[str], left: float, right: float, name: str) -> str:
    """Grid lines with labels on the left, and the name of the axis above them."""
    parts = [line(left, axis.at(tick), right, axis.at(tick)) for tick in ticks]
    parts += [text(left - 8, axis.at(t) + 4, label, "soft", "end") for t, label in zip(ticks, labels, strict=True)]
    return "".join(parts) + text(left - 50, min(axis.start, axis.end) - 14, name, "soft")


def bottom_axis(
    axis: Axis, ticks: Sequence[float], labels: Sequence[str], top: float, bottom: float, name: str, grid: bool = True
) -> str:
    """Labels below, with grid lines, and the name of the axis under them."""
    parts = [line(axis.at(tick), top, axis.at(tick), bottom) for tick in ticks] if grid else []
    parts.append(line(axis.start, bottom, axis.end, bottom, "rule"))
    parts += [text(axis.at(t), bottom + 18, label, "soft", "middle") for t, label in zip(ticks, labels, strict=True)]
    return "".join(parts) + text((axis.start + axis.end) / 2, bottom + 38, name, "soft", "middle")


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
