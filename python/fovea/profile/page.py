# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A profile as one self-contained page: the roofline chart and the tables, light or dark as the reader's system is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fovea.page import html_facts, html_page, html_section, html_table
from fovea.profile.roofline import roofline
from fovea.profile.rows import RESOURCE_NAMES, TABLES, amount_text, seconds_text

_MORE_STYLE = """.wide td, .wide th { white-space: nowrap; }
tbody tr:has(td:first-child:empty) td { font-weight: 600; }
"""


def to_page(document: Mapping[str, Any]) -> str:
    """The page of a profile's document."""
    peaks, total = document["peaks"], document["total"]
    title = f"{document['package']} on {peaks['product']} ({document['target']})"
    sections = [
        html_facts(_facts(document)),
        html_section(
            "Roofline",
            "Each mark is a kernel, numbered as in the tables, at its modelled rate. Bytes are those that have to "
            "move: each byte that a launch reads or writes, once.",
            roofline(document),
        ),
    ]
    for table in TABLES:
        columns = [(heading, "right" if alignment == "right" else "") for heading, alignment in table.headings()]
        sections.append(html_section(table.title, table.explanation, html_table(columns, table.rows(document))))
    under = (f"{document['note']} Counted by the emulator of Fovea {document['fovea']}: {total['launches']} launches, "
             f"{total['instructions']['total']:,} wave-instructions.")  # fmt: skip
    return html_page(f"Fovea profile: {title}", title, under, sections, _MORE_STYLE)


def _facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    peaks, total = document["peaks"], document["total"]
    rates = []
    for kind, rate in peaks["matrix_operations_per_second"].items():
        rates.append(f"{kind} {amount_text(rate, 'OP/s' if kind.startswith('i') else 'FLOP/s')}")
    modelled = total["modelled"]
    return [
        ("Modelled time", f"{seconds_text(modelled['seconds'])}, most of it bound by "
                          f"{RESOURCE_NAMES[modelled['bound_by']]}"),
        ("Matrix units", f"at most {modelled['matrix_utilisation_at_most']:.1%} of their rate, by the model"),
        ("Chip", f"{peaks['product']}: {peaks['compute_units']} compute units at {peaks['clock_hz'] / 1e9:g} GHz, "
                 f"memory {amount_text(peaks['memory_bytes_per_second'], 'B/s')}"),
        ("Matrix peaks", ", ".join(rates)),
    ]  # fmt: skip
