# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How large the values of a captured tensor were, and what the storage type makes of them.

    {"bins_per_octave": 8, "first": n, "counts": [...], "below": count, "elements": count}

Bin n + i counts magnitudes from edge(n + i) up to the next edge; with 8 bins an octave, edge(8 e + j) is
2^e (1 + j / 8). `below` counts zeros and what is smaller than a normal f32.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import ml_dtypes
import numpy as np

from fovea.calibration import Statistics
from fovea.charts import svg
from fovea.charts.axis import LinearAxis, LogAxis
from fovea.executor.types import DTYPES

BINS_PER_OCTAVE = 8
_F32_BIAS = 127
_FINE = 128  # bins an octave of the statistics
_WIDTH, _HEIGHT = 260, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 8, 22, 34
_OCTAVES = 24  # shown below the largest magnitude, at most
_DECADES = 7.0


def as_document(statistics: Statistics) -> dict[str, Any]:
    """A histogram for the report: the statistics' bins, 16 in one."""
    together = _FINE // BINS_PER_OCTAVE
    counts = np.asarray(statistics.counts)
    coarse = np.add.reduceat(counts, np.arange(0, counts.size, together))
    below, coarse = int(coarse[:BINS_PER_OCTAVE].sum()), coarse[BINS_PER_OCTAVE:]
    filled = np.flatnonzero(coarse)
    low, high = (int(filled[0]), int(filled[-1]) + 1) if filled.size else (0, 0)
    return {
        "bins_per_octave": BINS_PER_OCTAVE, "first": low + (1 - _F32_BIAS) * BINS_PER_OCTAVE,
        "counts": coarse[low:high].tolist(), "below": below, "elements": int(statistics.elements),
    }  # fmt: skip


def edge(number: int) -> float:
    """The lower edge of a bin."""
    octave, step = divmod(number, BINS_PER_OCTAVE)
    return math.ldexp(1 + step / BINS_PER_OCTAVE, octave)


@dataclass(frozen=True)
class Range:
    """What one scale lets through: magnitudes above `clip` saturate, those up to `zero` become 0."""

    clip: float
    zero: float


def range_of(scale: Mapping[str, Any] | None) -> Range | None:
    """The range of a tensor with one fixed scale; None for any other."""
    if scale is None or not scale.get("max") or scale["min"] != scale["max"] or scale["storage"] not in DTYPES:
        return None
    info = ml_dtypes.finfo(DTYPES[scale["storage"]])
    return Range(scale["max"] * float(info.max), scale["max"] * float(info.smallest_subnormal) / 2)


def shares(histogram: Mapping[str, Any], limits: Range) -> tuple[float, float]:
    """(share of elements that saturate, share that becomes 0, zeros aside), counted by whole bins."""
    total = histogram["elements"] or 1
    first = histogram["first"]
    beyond = sum(c for i, c in enumerate(histogram["counts"]) if edge(first + i) > limits.clip)
    lost = sum(c for i, c in enumerate(histogram["counts"]) if edge(first + i + 1) <= limits.zero)
    return beyond / total, lost / total


def densities(histogram: Mapping[str, Any]) -> list[float]:
    """The share of elements an octave at each bin: bins of one octave are not of one width on a logarithmic axis."""
    first = histogram["first"]
    return [count / histogram["elements"] / math.log2(edge(first + i + 1) / edge(first + i))
            for i, count in enumerate(histogram["counts"])]  # fmt: skip


def describe(id_: str, histogram: Mapping[str, Any], limits: Range | None, largest: float) -> str:
    """The figure in words, as HTML: the tensor's name, then what happens to its values."""
    parts = [f"largest {largest:.4g}"]
    if limits is not None:
        beyond, lost = shares(histogram, limits)
        parts = [f"clipped at {limits.clip:.4g}, largest {largest:.4g}", f"{_percent(beyond)} beyond",
                 f"{_percent(lost)} become 0"]  # fmt: skip
    zeros = histogram["below"] / (histogram["elements"] or 1)
    if zeros:
        parts.append(f"{_percent(zeros)} are 0")
    return f"<b>{escape(id_).replace('.', '.<wbr>')}</b><br>{escape('; '.join(parts))}"


def _percent(share: float) -> str:
    if not share:
        return "none"
    return "under 0.01%" if share < 1e-4 else f"{share:.2%}"


def figure(id_: str, histogram: Mapping[str, Any], limits: Range | None, largest: float) -> str:
    """The small chart of one tensor with its caption."""
    caption = f"<figcaption>{describe(id_, histogram, limits, largest)}</figcaption>"
    if not histogram["counts"]:
        return f"<figure>{caption}<p>Only zeros.</p></figure>\n"
    first, counts = histogram["first"], histogram["counts"]
    high = edge(first + len(counts))
    low = max(edge(first), high * 2.0**-_OCTAVES)
    if limits is not None:
        high = max(high, limits.clip * 1.2)
        low = min(low, limits.zero / 2)
    across = LogAxis(low, high * 1.15, _LEFT, _WIDTH - _RIGHT)
    heights = [height for height in densities(histogram) if height]
    top, least = max(heights), max(min(heights) / 2, max(heights) / 10**_DECADES)
    upwards = LogAxis(least, top * 1.5, _HEIGHT - _BOTTOM, _TOP)
    parts = [_axes(across, upwards), _bars(across, upwards, histogram, limits)]
    if limits is not None:
        parts.append(_boundary(across, limits.clip, "clip", "purple", ""))
        parts.append(_boundary(across, limits.zero, "0", "soft", "dashed"))
    title = f"Magnitudes of {id_}: share of elements an octave"
    return f"<figure>{caption}{svg.chart(_WIDTH, _HEIGHT, title, parts, scrolls=False)}</figure>\n"


def _axes(across: LogAxis, upwards: LogAxis) -> str:
    ticks = across.ticks()
    step = max(1, -(-len(ticks) // 4))
    ticks = [tick for tick in ticks if round(math.log10(tick)) % step == 0]
    rows = upwards.ticks()
    every = max(1, -(-len(rows) // 3))
    rows = [tick for tick in rows if round(math.log10(tick)) % every == 0]
    parts = [svg.line(_LEFT, upwards.at(t), _WIDTH - _RIGHT, upwards.at(t)) for t in rows]
    parts += [svg.text(_LEFT - 5, upwards.at(t) + 4, svg.power_text(t), "soft small", "end") for t in rows]
    parts += [svg.text(across.at(t), _HEIGHT - _BOTTOM + 15, svg.power_text(t), "soft small", "middle") for t in ticks]
    parts.append(svg.text((across.start + across.end) / 2, _HEIGHT - 4, "magnitude", "soft small", "middle"))
    return "".join(parts)


def _bars(across: LogAxis, upwards: LogAxis, histogram: Mapping[str, Any], limits: Range | None) -> str:
    """One outline for each of: what is kept, what saturates, what becomes 0."""
    groups: dict[str, list[str]] = {}
    for offset, share in enumerate(densities(histogram)):
        low, high = edge(histogram["first"] + offset), edge(histogram["first"] + offset + 1)
        if share <= upwards.low or high <= across.low:
            continue
        colour = "blue"
        if limits is not None:
            colour = "purple" if low > limits.clip else "olive" if high <= limits.zero else "blue"
        x1, x2 = across.at(max(low, across.low)), across.at(high)
        base = f"{upwards.start:.1f}"
        groups.setdefault(colour, []).append(f"M{x1:.1f} {base}V{upwards.at(share):.1f}H{x2:.1f}V{base}Z")
    parts = [f'<path d="{"".join(ways)}" fill="var(--{colour})"/>\n' for colour, ways in groups.items()]
    return "".join(parts) + svg.line(_LEFT, upwards.start, _WIDTH - _RIGHT, upwards.start, "rule")


def _boundary(across: LinearAxis | LogAxis, value: float, name: str, colour: str, kind: str) -> str:
    x = across.at(value)
    label = svg.text(min(x, _WIDTH - _RIGHT - 8), _TOP - 10, name, "small", "middle")
    return (f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{_HEIGHT - _BOTTOM}" stroke="var(--{colour})" '
            f'stroke-width="1.5" class="{kind}"/>\n{label}')  # fmt: skip
