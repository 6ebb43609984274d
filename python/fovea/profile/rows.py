# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rows of a profile as a person reads them; shared by the terminal and the HTML page. They come from its document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fovea.tables import extents

Entry = Mapping[str, Any]
_RESOURCES = (("Matrix", "matrix"), ("Vector", "vector"), ("LDS", "lds"), ("Cache", "cache"), ("Memory", "memory"))
RESOURCE_NAMES = {"matrix": "matrix", "vector": "vector", "lds": "LDS", "cache": "cache", "memory": "memory"}


@dataclass(frozen=True)
class Column:
    """One column: heading, "left" or "right", and the text of an entry of "kernels" or of "total"."""

    heading: str
    alignment: str
    text: Callable[[Entry], str]


@dataclass(frozen=True)
class TableText:
    """A table: title, what it says in a sentence, and its columns after the kernel's number and name."""

    title: str
    explanation: str
    columns: tuple[Column, ...]

    def headings(self) -> list[tuple[str, str]]:
        """Heading and alignment of all columns."""
        return [("#", "right"), ("Kernel", "left"), *((c.heading, c.alignment) for c in self.columns)]

    def rows(self, document: Entry) -> list[list[str]]:
        """A row a kernel, and one for their total if it has anything to say."""
        rows = [[str(number), kernel["name"], *(c.text(kernel) for c in self.columns)]
                for number, kernel in enumerate(document["kernels"], 1)]  # fmt: skip
        total = [c.text(document["total"]) for c in self.columns]
        return [*rows, ["", "total", *total]] if any(total) else rows


def seconds_text(seconds: float) -> str:
    """A time in the unit that suits it."""
    if seconds == 0:
        return "-"
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= 0.9995 * factor:
            return f"{seconds / factor:.2f} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def amount_text(count: float, unit: str = "") -> str:
    """A large number with three figures and a decimal prefix."""
    for prefix, factor in (("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= 0.9995 * factor:  # what three figures round up to it
            return f"{count / factor:.3g} {prefix}{unit}"
    return f"{count:.3g} {unit}".strip()


def count_text(count: int) -> str:
    """A whole number, in three figures from a hundred thousand on."""
    return f"{count:,}" if count < 100_000 else amount_text(count)


def ratio_text(count: int, of: int) -> str:
    """How many times as much; `-` of nothing."""
    return f"{count / of:.2f}" if of else "-"


def _resource(name: str) -> Callable[[Entry], str]:
    return lambda entry: seconds_text(entry["modelled"]["seconds_by_resource"][name])


def _utilisation(entry: Entry) -> str:
    return f"{entry['modelled']['matrix_utilisation_at_most']:.1%}" if entry["operations"]["matrix"] else "-"


def _asked(entry: Entry) -> int:
    moved = entry["global"]
    return int(moved["bytes_read"] + moved["bytes_written"] + moved["scalar_bytes_read"])


def _least(entry: Entry) -> int:
    return int(entry["global"]["least_bytes_read"] + entry["global"]["least_bytes_written"])


def _lines(size: int) -> Callable[[Entry], str]:
    def text(entry: Entry) -> str:
        moved = entry["global"]
        requests, least = moved["requests"], moved[f"lines_{size}_least"]
        return f"{moved[f'lines_{size}'] / requests:.1f} / {least / requests:.1f}" if requests else "-"

    return text


def _class(name: str) -> Column:
    return Column(name, "right", lambda entry: count_text(entry["instructions"]["classes"].get(name, 0)))


def _limit(entry: Entry) -> str:
    return ", ".join(entry["occupancy"]["limited_by"]) if "occupancy" in entry else ""


def _occupancy(entry: Entry) -> str:
    if "occupancy" not in entry:
        return ""
    fits = entry["occupancy"]
    return f"{fits['waves_per_simd']:g} of {fits['waves_per_simd_at_most']}"


def _of_occupancy(name: str) -> Callable[[Entry], str]:
    return lambda entry: f"{entry['occupancy'][name]:,}" if "occupancy" in entry else ""


TIME = TableText(
    "Modelled time",
    "By resource, and the largest of them for each launch; 'matrix at most' is the part of the chip's matrix rate.",
    (
        Column("Launches", "right", lambda entry: str(entry["launches"])),
        Column("Grid", "left", lambda entry: extents(entry["grid"]) if "grid" in entry else ""),
        Column("Modelled", "right", lambda entry: seconds_text(entry["modelled"]["seconds"])),
        Column("Bound by", "left", lambda entry: RESOURCE_NAMES[entry["modelled"]["bound_by"]]),
        *(Column(heading, "right", _resource(name)) for heading, name in _RESOURCES),
        Column("Matrix at most", "right", _utilisation),
    ),
)
MEMORY = TableText(
    "Memory",
    "Bytes asked of global memory, against each byte once a launch; cache lines of a request, "
    "against the least. LDS: bytes, and cycles that bank conflicts cost.",
    (
        Column("Asked", "right", lambda entry: amount_text(_asked(entry), "B")),
        Column("Least", "right", lambda entry: amount_text(_least(entry), "B")),
        Column("Ratio", "right", lambda entry: ratio_text(_asked(entry), _least(entry))),
        Column("Requests", "right", lambda entry: count_text(entry["global"]["requests"])),
        Column("64 B lines", "right", _lines(64)),
        Column("128 B lines", "right", _lines(128)),
        Column("LDS read", "right", lambda entry: amount_text(entry["lds"]["bytes_read"], "B")),
        Column("Written", "right", lambda entry: amount_text(entry["lds"]["bytes_written"], "B")),
        Column("Conflicts", "right", lambda entry: count_text(entry["lds"]["bank_conflict_cycles"])),
    ),
)
EXECUTION = TableText(
    "Execution",
    "Wave-instructions by class, and lanes that were active on average of the vector instructions.",
    (
        Column("Instructions", "right", lambda entry: count_text(entry["instructions"]["total"])),
        *map(_class, ("mfma", "valu", "salu", "vmem", "smem", "lds", "barrier")),
        Column("Lanes", "right", lambda entry: f"{entry['mean_active_lanes']:.1f} of {entry['lanes']}"),
    ),
)
OCCUPANCY = TableText(
    "Occupancy",
    "Waves that fit on a SIMD, what keeps more from fitting, and the workgroups that a compute unit has room for.",
    (
        Column("Waves", "right", _occupancy),
        Column("Limited by", "left", _limit),
        Column("Registers", "right", _of_occupancy("registers")),
        Column("LDS bytes", "right", _of_occupancy("lds_bytes")),
        Column("Workgroups a unit", "right", _of_occupancy("workgroups_per_compute_unit")),
        Column("Launched", "right", _of_occupancy("workgroups_launched")),
    ),
)
TABLES: Sequence[TableText] = (TIME, MEMORY, EXECUTION, OCCUPANCY)
