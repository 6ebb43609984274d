# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A comparison as one self-contained page, and its part on contractions for the page of a compilation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fovea.charts.layers import causes_chart, quality_chart
from fovea.compare.tables import (
    CONTRACTION_COLUMNS,
    OUTPUT_COLUMNS,
    contraction_rows,
    fall_text,
    headline,
    output_rows,
)
from fovea.page import html_facts, html_page, html_section, html_table

_EXPLAINED = (
    "SQNR is the ratio of signal to error in decibels; 6 dB less is twice the error. 'In' is the worst tensor that a "
    "contraction reads, 'Out' its output, 'Own' the output if the contraction made the only error; then each cause."
)


def to_page(document: Mapping[str, Any]) -> str:
    """The page of a comparison's document."""
    title = f"{document['compared']} against {document['reference']}"
    facts = [("Batches", str(document["batches"])), ("Run on", f"the {document['device']}")]
    facts += [("Warning", document["warning"])] if "warning" in document else []
    facts += [(f"'{output['name']}'", f"{output['looks_like']}: {output['because']}")
              for output in document["outputs"] if "looks_like" in output]  # fmt: skip
    outputs = html_table(_columns(OUTPUT_COLUMNS), output_rows(document))
    sections = [html_facts(facts), html_section("Outputs", "Cosines are of the vectors along the last axis.", outputs)]
    if document["layers"] is None:
        sections.append(html_section("Contractions", headline(document)[-1], ""))
    else:
        sections.append(layers_sections(document["layers"]))
    return html_page(f"Fovea compare: {title}", title, f"By Fovea {document['fovea']}.", sections)


def layers_sections(layers: Mapping[str, Any]) -> str:
    """Charts and table of the error by contraction."""
    rows = [[str(number), *row] for number, row in enumerate(contraction_rows({"layers": layers}), 1)]
    table = html_table([("#", "right"), *_columns(CONTRACTION_COLUMNS)], rows)
    quality = html_section("Error by contraction", f"{fall_text(layers)} {_EXPLAINED}", quality_chart(layers))
    explanation = "Noise as a share of the signal, by cause. Numbers as in the table."
    return quality + html_section("Error that each contraction adds", explanation, causes_chart(layers) + table)


def _columns(columns: Any) -> list[tuple[str, str]]:
    return [(heading, "right" if alignment == "right" else "") for heading, alignment in columns]
