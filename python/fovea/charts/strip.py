# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The network as a strip: a block for each contraction, in the order of the program, as wide as its work.

What was decided shows in a block's colour and in its height: FP8 is tallest, spared attention lower, the rest lowest.
A bracket with its number spans each attention site.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fovea.charts import svg
from fovea.tables import flops_of, shape_text

_WIDTH, _MARGIN = 960.0, 8.0
_TOP, _ROW, _TALL = 66.0, 104.0, 54.0
_LEAST, _GAP = 7.0, 1.5
_MOST_A_ROW = 96
_SITE = re.compile(r"^part of attention site (\d+)")
# Decision -> colour, height as a share of the tallest, name.
LOOKS = {
    "fp8": ("fp8", 1.0, "FP8"), "attention": ("spared", 0.62, "spared: attention"), "other": ("kept", 0.34, "kept"),
}  # fmt: skip


@dataclass(frozen=True)
class _Block:
    number: int
    x: float
    width: float
    decision: Mapping[str, Any]


def site_of(decision: Mapping[str, Any]) -> str | None:
    """The number of the attention site that a contraction is a part of, None if it is not."""
    found = _SITE.match(decision["reason"])
    return found[1] if found and decision["decision"] == "attention" else None


def network_strip(decisions: Sequence[Mapping[str, Any]], tips: Sequence[str]) -> str:
    """The strip of a report's contractions. tips: more to say of each, e.g. its scale."""
    rows = [decisions[first : first + _MOST_A_ROW] for first in range(0, len(decisions), _MOST_A_ROW)]
    parts, number = [_legend(decisions)], 1
    for index, row in enumerate(rows):
        base = _TOP + index * _ROW + _TALL
        blocks = _blocks(row, number)
        parts += [_draw(block, base, tips[block.number - 1]) for block in blocks]
        parts.append(_brackets(blocks, base))
        parts.append(_numbers(blocks, base))
        number += len(row)
    height = _TOP + (len(rows) - 1) * _ROW + _TALL + 26
    return svg.chart(_WIDTH, height, strip_summary(decisions), parts)


def strip_summary(decisions: Sequence[Mapping[str, Any]]) -> str:
    """The strip in words."""
    parts = [f"{_count(decisions, kind)} {name}{_share(decisions, kind)}" for kind, (_, _, name) in LOOKS.items()
             if _count(decisions, kind)]  # fmt: skip
    return f"Contractions in the order of the program: {', '.join(parts)}"


def _count(decisions: Sequence[Mapping[str, Any]], kind: str) -> int:
    return sum(decision["decision"] == kind for decision in decisions)


def _share(decisions: Sequence[Mapping[str, Any]], kind: str, of: str = " of the operations") -> str:
    """` (96.1% of the operations)`, where the work of all is known."""
    work = [flops_of(decision) for decision in decisions]
    if None in work or not sum(work):  # type: ignore[arg-type]
        return ""
    own = sum(w for w, decision in zip(work, decisions, strict=True) if decision["decision"] == kind)  # type: ignore[misc]
    return f" ({own / sum(work):.1%}{of})"  # type: ignore[arg-type]


def _blocks(row: Sequence[Mapping[str, Any]], first: int) -> list[_Block]:
    """Widths in proportion to the work, none below _LEAST; equal ones where the work of one is not known."""
    work = [flops_of(decision) for decision in row]
    sizes = [1.0] * len(row) if None in work else [float(w or 0) for w in work]
    room = _WIDTH - 2 * _MARGIN - _GAP * len(row)
    least = min(_LEAST, room / len(row))
    total = sum(sizes) or 1.0
    free = room - least * len(row)
    blocks, x = [], _MARGIN
    for offset, (decision, size) in enumerate(zip(row, sizes, strict=True)):
        width = least + free * size / total
        blocks.append(_Block(first + offset, x, width, decision))
        x += width + _GAP
    return blocks


def _draw(block: _Block, base: float, tip: str) -> str:
    colour, share, name = LOOKS[block.decision["decision"]]
    shape = shape_text(block.decision.get("shape") or {})
    words = [f"{block.number} {block.decision['id']}: {name}", shape, block.decision["reason"], tip]
    return svg.box(block.x, base - share * _TALL, block.width, share * _TALL, colour, "; ".join(filter(None, words)))


def _brackets(blocks: Sequence[_Block], base: float) -> str:
    """Over each run of contractions of one attention site."""
    parts, run = [], [blocks[0]]
    for block in [*blocks[1:], None]:
        site = site_of(run[-1].decision)
        if block is not None and site is not None and site_of(block.decision) == site:
            run.append(block)
            continue
        if site is not None:
            left, right, y = run[0].x, run[-1].x + run[-1].width, base - 0.62 * _TALL - 6
            way = f"M{left:.1f} {y + 3:.1f}v-4H{right:.1f}v4"
            parts.append(f'<path class="rule" d="{way}"/>\n')
            parts.append(svg.text((left + right) / 2, y - 6, site, "small", "middle"))
        if block is not None:
            run = [block]
    return "".join(parts)


def _numbers(blocks: Sequence[_Block], base: float) -> str:
    """Numbers of blocks under the strip, as many as there is room for."""
    parts, free = [], 0.0
    for block in blocks:
        middle = block.x + block.width / 2
        half = 4.0 * len(str(block.number))
        if middle - half >= free:
            parts.append(svg.text(middle, base + 16, str(block.number), "soft small", "middle"))
            free = middle + half + 8
    return "".join(parts)


def _legend(decisions: Sequence[Mapping[str, Any]]) -> str:
    parts, x = [], _MARGIN
    for kind, (colour, share, name) in LOOKS.items():
        count = _count(decisions, kind)
        if not count:
            continue
        label = f"{count} {name}{_share(decisions, kind, '')}"
        parts.append(svg.box(x, 26 - 18 * share, 9, 18 * share, colour) + svg.text(x + 15, 24, label))
        x += 40 + 6.6 * len(label)
    if any(site_of(decision) for decision in decisions):
        parts.append(f'<path class="rule" d="M{x:.1f} 22v-4h18v4"/>\n' + svg.text(x + 25, 24, "attention site"))
    return "".join(parts)
