# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Scales on a logarithmic axis, at the number of the contraction that first reads the tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fovea.charts import svg
from fovea.charts.axis import LinearAxis, LogAxis
from fovea.tables import scale_text

_WIDTH, _HEIGHT = 960, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 16, 62, 52
ACTIVATION, WEIGHT = "activation", "weight"
# Role -> shape, colour, name.
_LOOKS = {ACTIVATION: (svg.CIRCLE, "blue", "activations"), WEIGHT: (svg.SQUARE, "orange", "weights")}


def known_scales(scales: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The scales that are fixed: one that is computed when the model runs has no value here."""
    return [scale for scale in scales if (scale.get("min") or 0) > 0 and (scale.get("max") or 0) > 0]


def contraction_of(scale: Mapping[str, Any], numbers: Mapping[str, int]) -> int | None:
    """The number of the contraction that a scale is called after, None if its name tells none."""
    id_ = scale["id"]
    names = [id_.rpartition(".")[0]] if scale["role"] == ACTIVATION else [id_, id_.removesuffix(".weight")]
    return next((numbers[name] for name in names if name in numbers), None)


def scale_chart(scales: Sequence[Mapping[str, Any]], contractions: Sequence[str]) -> str:
    """A dot for a tensor with one scale, a bar from the least to the largest for one with several.

    contractions: their ids, in the order of the program. Where the name of a scale tells none of them, scales are
    placed in their own order instead.
    """
    known = known_scales(scales)
    if not known:
        return "<p>No tensor has a fixed scale.</p>"
    upwards = LogAxis(min(s["min"] for s in known) / 1.6, max(s["max"] for s in known) * 1.6, _HEIGHT - _BOTTOM, _TOP)
    ticks = upwards.ticks()
    parts = [svg.left_axis(upwards, ticks, [svg.power_text(tick) for tick in ticks], _LEFT, _WIDTH - _RIGHT, "scale")]
    counts = {role: [s for s in known if s["role"] == role] for role in _LOOKS}
    numbers = {id_: number for number, id_ in enumerate(contractions, 1)}
    found = [contraction_of(scale, numbers) for scale in known]
    placed = None not in found
    most = len(contractions) if placed else max(map(len, counts.values()))
    across = LinearAxis(0.5, most + 0.5, _LEFT, _WIDTH - _RIGHT)
    marks = [tick for tick in across.ticks(12) if tick == int(tick)]
    name = ("number of the contraction that first reads it" if placed
            else "number of the tensor among those of its role, in the order of the program")  # fmt: skip
    parts.append(svg.bottom_axis(across, marks, [f"{tick:g}" for tick in marks], _TOP, _HEIGHT - _BOTTOM, name, False))
    for role, shift in ((WEIGHT, 0.12), (ACTIVATION, -0.12)):
        shape, colour, _ = _LOOKS[role]
        for number, scale in enumerate(counts[role], 1):
            number = (contraction_of(scale, numbers) if placed else None) or number
            x = across.at(number + shift)
            tip = f"{number} {scale['id']}, {role}: {scale_text(scale['min'], scale['max'])} ({scale['storage']})"
            top, low = upwards.at(scale["max"]), upwards.at(scale["min"])
            if low - top > 1:
                width = min(6.0, (across.at(2) - across.at(1)) * 0.3)
                parts.append(svg.box(x - width / 2, top, width, low - top, colour, tip))
            else:
                parts.append(svg.mark(x, top, shape, colour, tip))
    entries = [(shape, colour, False, _called(role, counts[role])) for role, (shape, colour, _) in _LOOKS.items()
               if counts[role]]  # fmt: skip
    parts.append(svg.legend(entries, _LEFT, 20))
    return svg.chart(_WIDTH, _HEIGHT, scale_summary(known), parts)


def _called(role: str, scales: Sequence[Mapping[str, Any]]) -> str:
    several = any(scale["min"] != scale["max"] for scale in scales)
    return f"{_LOOKS[role][2]}{' (bar: least to largest of its scales)' if several else ''}"


def scale_summary(scales: Sequence[Mapping[str, Any]]) -> str:
    """The chart in words."""
    parts = []
    for role, (_, _, name) in _LOOKS.items():
        some = [scale for scale in scales if scale["role"] == role]
        if some:
            low, high = min(s["min"] for s in some), max(s["max"] for s in some)
            parts.append(f"{len(some)} {name}, {scale_text(low, high)}")
    return f"Scales: {'; '.join(parts)}"
