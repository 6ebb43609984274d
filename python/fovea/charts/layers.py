# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Error by contraction: how good its output is, and what its own error comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fovea.charts import svg
from fovea.charts.axis import LinearAxis
from fovea.compare.metrics import text_of
from fovea.compare.split import ACTIVATION, CLIPPING, INTERACTION, PARTS, TOTAL, WEIGHT

_WIDTH, _LEFT, _RIGHT, _TOP = 960, 66, 16, 62
_QUALITY_HEIGHT, _CAUSES_HEIGHT, _BOTTOM = 320, 260, 52
_COLOURS = {ACTIVATION: "blue", WEIGHT: "orange", CLIPPING: "purple", INTERACTION: "olive"}


def quality_chart(layers: Mapping[str, Any]) -> str:
    """SQNR of what each contraction reads and gives, in the order of the program. What is exact has no mark."""
    entries = layers["contractions"]
    values = [e[key] for e in entries for key in ("input_sqnr_db", "output_sqnr_db") if e[key] is not None]
    if not values:
        return "<p>Every contraction is exact: there is nothing to draw.</p>"
    step = 10.0
    upwards = LinearAxis(min(0.0, step * (min(values) // step)), step * (max(values) // step + 1),
                         _QUALITY_HEIGHT - _BOTTOM, _TOP)  # fmt: skip
    across = _across(entries)
    ticks = upwards.ticks(5)
    parts = [svg.left_axis(upwards, ticks, [f"{tick:g}" for tick in ticks], _LEFT, _WIDTH - _RIGHT, "SQNR, dB"),
             _numbers(across, entries, _QUALITY_HEIGHT - _BOTTOM)]  # fmt: skip
    for run in _runs(entries, "output_sqnr_db"):
        parts.append(svg.path([(across.at(n), upwards.at(e["output_sqnr_db"])) for n, e in run], "blue"))
    for number, entry in enumerate(entries, 1):
        x, reads, gives = across.at(number), entry["input_sqnr_db"], entry["output_sqnr_db"]
        tip = f"{number} {entry['id']}: reads {text_of(reads)}, gives {text_of(gives)}"
        if reads is not None:
            parts.append(svg.mark(x, upwards.at(reads), svg.DIAMOND, "orange", tip, hollow=True))
        if gives is not None:
            parts.append(svg.mark(x, upwards.at(gives), svg.CIRCLE, "blue", tip))
        if entry["id"] == layers["first_fall"] and gives is not None:
            right = x > _WIDTH * 0.6
            parts.append(svg.line(x, _TOP, x, _QUALITY_HEIGHT - _BOTTOM, "rule dashed"))
            place = (x - 6, "end") if right else (x + 6, "start")
            parts.append(svg.text(place[0], _TOP - 4, f"falls at {number}", "number", place[1]))
    parts.append(svg.legend([(svg.CIRCLE, "blue", False, "its output"),
                             (svg.DIAMOND, "orange", True, "the worst tensor that it reads")], _LEFT, 20))  # fmt: skip
    return svg.chart(_WIDTH, _QUALITY_HEIGHT, quality_summary(layers), parts)


def quality_summary(layers: Mapping[str, Any]) -> str:
    """The chart in words."""
    values = [entry["output_sqnr_db"] for entry in layers["contractions"] if entry["output_sqnr_db"] is not None]
    span = f"SQNR of outputs from {min(values):.1f} to {max(values):.1f} dB" if values else "all outputs are exact"
    first = layers["first_fall"]
    return f"Error by contraction: {span}; " + (f"it first falls at {first}" if first else "it falls at none")


def causes_chart(layers: Mapping[str, Any]) -> str:
    """The noise that each quantised contraction adds, as a share of its signal, stacked by cause."""
    entries = layers["contractions"]
    stacks = [{part: _noise(entry["own_sqnr_db"], part) for part in PARTS} if entry["own_sqnr_db"] else {}
              for entry in entries]  # fmt: skip
    highest = max((sum(stack.values()) for stack in stacks), default=0.0)
    if not highest:
        return "<p>No contraction adds an error of its own.</p>"
    upwards = LinearAxis(0.0, highest * 1.08, _CAUSES_HEIGHT - _BOTTOM, _TOP)
    across = _across(entries)
    ticks = upwards.ticks(4)
    parts = [svg.left_axis(upwards, ticks, [f"{tick:.3%}".replace("0%", "%").replace("0%", "%") if tick else "0"
                                            for tick in ticks], _LEFT, _WIDTH - _RIGHT, "noise / signal"),
             _numbers(across, entries, _CAUSES_HEIGHT - _BOTTOM)]  # fmt: skip
    width = max(2.0, min(16.0, (across.at(2) - across.at(1)) * 0.72))
    for number, (entry, stack) in enumerate(zip(entries, stacks, strict=True), 1):
        height = 0.0
        for part in PARTS:
            noise = stack.get(part, 0.0)
            if noise:
                y = upwards.at(height + noise)
                tip = f"{number} {entry['id']}, {part}: {text_of(entry['own_sqnr_db'][part])}"
                x = across.at(number) - width / 2
                parts.append(svg.box(x, y, width, upwards.at(height) - y, _COLOURS[part], tip))
            height += noise
    found = [part for part in PARTS if any(stack.get(part) for stack in stacks)]
    parts.append(svg.legend([(svg.SQUARE, _COLOURS[part], False, part) for part in found], _LEFT, 20))
    return svg.chart(_WIDTH, _CAUSES_HEIGHT, causes_summary(layers), parts)


def causes_summary(layers: Mapping[str, Any]) -> str:
    """The chart in words."""
    counts: dict[str, int] = {}
    for entry in layers["contractions"]:
        if entry["main_cause"]:
            counts[entry["main_cause"]] = counts.get(entry["main_cause"], 0) + 1
    return "Largest part of each contraction's own error: " + ", ".join(f"{part} of {n}" for part, n in counts.items())


def _noise(own: Mapping[str, Any], part: str) -> float:
    """Noise as a share of the signal."""
    return 0.0 if own[part] is None else 10.0 ** (-own[part] / 10)


def own_noise(own: Mapping[str, Any]) -> float:
    """All of a contraction's own noise, as a share of its signal."""
    return _noise(own, TOTAL)


def _across(entries: Sequence[Any]) -> LinearAxis:
    return LinearAxis(0.5, len(entries) + 0.5, _LEFT, _WIDTH - _RIGHT)


def _numbers(across: LinearAxis, entries: Sequence[Any], bottom: float) -> str:
    ticks = [tick for tick in across.ticks(12) if tick == int(tick) and 1 <= tick <= len(entries)]
    return svg.bottom_axis(across, ticks, [f"{tick:g}" for tick in ticks], _TOP, bottom,
                           "number of the contraction, in the order of the program", grid=False)  # fmt: skip


def _runs(entries: Sequence[Mapping[str, Any]], key: str) -> list[list[tuple[int, Mapping[str, Any]]]]:
    """Stretches of entries that have a value."""
    runs: list[list[tuple[int, Mapping[str, Any]]]] = [[]]
    for number, entry in enumerate(entries, 1):
        if entry[key] is None:
            runs.append([])
        else:
            runs[-1].append((number, entry))
    return [run for run in runs if len(run) > 1]
