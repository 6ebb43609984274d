# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`report.html`: the report as one self-contained page for a browser, light or dark as the reader's system is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from fovea.tables import KERNEL_COLUMNS, bytes_text, calibration_text, kernel_row, scale_text, shape_text

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --paper: #ffffff; --line: #d5dae0; --band: #f4f6f8;
  --fp8: #0a6b43; --spared: #7a4a00; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e8ee; --soft: #9aa5b1; --paper: #14181d; --line: #333b45; --band: #1c2229; --fp8: #5fd1a0;
    --spared: #e5b567; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; }
p { margin: .3rem 0; color: var(--soft); max-width: 48rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .87rem; }
th { text-align: left; font-weight: 600; color: var(--soft); border-bottom: 2px solid var(--line); }
th, td { padding: .3rem .7rem .3rem 0; vertical-align: top; } td { border-bottom: 1px solid var(--line); }
tbody tr:hover { background: var(--band); }
.right { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
.fp8 { color: var(--fp8); } .attention { color: var(--spared); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; } dt { color: var(--soft); }
dd { margin: 0; }
"""

# What a decision is called on the page, by its name in the report.
_CALLED = {"fp8": "FP8", "attention": "spared", "other": "kept"}
Columns = Sequence[tuple[str, str]]  # heading and class of a column


def to_html(report: Mapping[str, Any]) -> str:
    """The page."""
    sections = [_summary(report), _attention(report), _contractions(report), _scales(report), _kernels(report)]
    title = f"{escape(report['model'])} for {escape(report['options']['target'])}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Fovea: {title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>\n<body>\n'
        f"<h1>{title}</h1>\n<p>Compiled by Fovea {escape(report['fovea'])}.</p>\n{''.join(sections)}</body></html>\n"
    )


def html_section(heading: str, explanation: str, body: str) -> str:
    """A heading, a sentence of text, and HTML."""
    return f"<h2>{escape(heading)}</h2>\n<p>{escape(explanation)}</p>\n{body}\n"


def html_table(columns: Columns, rows: Iterable[Sequence[str]], kinds: Sequence[str] = ()) -> str:
    """A table of plain text; `kinds` is a class of each row's first cell."""
    head = "".join(f'<th class="{kind}">{escape(text)}</th>' for text, kind in columns)
    body = []
    for number, row in enumerate(rows):
        cells = []
        for position, (text, (_, kind)) in enumerate(zip(row, columns, strict=True)):
            extra = f" {kinds[number]}" if kinds and position == 0 else ""
            cells.append(f'<td class="{kind}{extra}">{escape(text)}</td>')
        body.append(f"<tr>{''.join(cells)}</tr>\n")
    if not body:
        return "<p>None.</p>"
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>{"".join(body)}</tbody></table></div>'


def html_facts(facts: Iterable[tuple[str, str]]) -> str:
    """Names and texts, side by side."""
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts) + "</dl>"


def _summary(report: Mapping[str, Any]) -> str:
    plan, attention = report["plan"], report["attention"]
    facts = [("Attention", f"{attention['tagged']} sites tagged, {attention['fused']} fused, "
                           f"{attention['near_misses']} near misses")]  # fmt: skip
    if "contractions" in report:
        found = report["contractions"]
        facts.append(("Contractions", f"{found['fp8']} in FP8, {found['attention']} spared as part of attention, "
                                      f"{found['other']} kept for another reason"))  # fmt: skip
        facts.append(("Calibration", calibration_text(report["calibration"])))
    facts += [
        ("Kernels", f"{plan['kernels']} in {plan['launches']} launches"),
        ("Arena", f"{bytes_text(plan['arena_bytes'])}; {bytes_text(plan['unshared_bytes'])} if no memory were shared"),
        ("Weights", bytes_text(plan["weight_bytes"])),
        ("Inputs", "; ".join(map(_tensor, plan["inputs"]))),
        ("Outputs", "; ".join(map(_tensor, plan["outputs"]))),
        ("Options", ", ".join(f"{name} {json.dumps(value)}" for name, value in report["options"].items())),
        ("Time", ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in report["seconds"].items())),
    ]
    return f"<h2>Summary</h2>\n{html_facts(facts)}\n"


def _tensor(tensor: Mapping[str, Any]) -> str:
    return f"{tensor['name']}: {tensor['dtype']} {list(tensor['shape'])}"


def _short(location: str) -> str:
    """A location without the folders of its file."""
    return location.rpartition("/")[2]


def _attention(report: Mapping[str, Any]) -> str:
    rows = []
    for decision in report["attention"]["decisions"]:
        site = "" if decision.get("id") is None else str(decision["id"])
        rows.append([decision["decision"], site, _short(decision["location"]), decision["reason"]])
    columns = (("Decision", ""), ("Site", "right"), ("Where", "code"), ("Why", ""))
    return html_section("Attention", "What was recognised as attention and stays out of FP8, and what nearly was.",
                        html_table(columns, rows))  # fmt: skip


def _scale_text(scale: Mapping[str, Any]) -> str:
    return scale_text(scale["min"], scale["max"]) if "min" in scale else f"{scale['granularity']}, at run time"


def _contractions(report: Mapping[str, Any]) -> str:
    if "contractions" not in report:
        text = f"FP8 is off: every contraction is computed in {report['options']['compute_type']}."
        return html_section("Contractions", text, "")
    scales: dict[str, dict[str, str]] = {"activation": {}, "weight": {}}
    for scale in report["scales"]:
        scales[scale["role"]][scale["id"]] = _scale_text(scale)
    rows, kinds = [], []
    for decision in report["contractions"]["decisions"]:
        id_, fp8 = decision["id"], decision["decision"] == "fp8"
        inputs = [scales["activation"].get(f"{id_}.{side}") for side in ("lhs", "rhs")]
        weights = [scales["weight"].get(name) for name in (id_, f"{id_}.weight")]
        rows.append([_CALLED[decision["decision"]], id_, shape_text(decision["shape"]),
                     ", ".join(filter(None, inputs)) or ("as before" if fp8 else "-"),
                     ", ".join(filter(None, weights)) or "-",
                     _short(decision["location"]), decision["reason"]])  # fmt: skip
        kinds.append(decision["decision"])
    columns = (("Decision", ""), ("Contraction", "code"), ("batch x (m x n x k)", "right"), ("Input scale", "right"),
               ("Weight scales", "right"), ("Where", "code"), ("Why", ""))  # fmt: skip
    return html_section("Contractions", "Each matrix product of the model. 'As before': its input has a scale already.",
                        html_table(columns, rows, kinds))  # fmt: skip


def _scales(report: Mapping[str, Any]) -> str:
    if "scales" not in report:
        return ""
    ranges = report["ranges"]
    rows = []
    for scale in report["scales"]:
        seen = f"{ranges[scale['id']]['max_abs']:.4g}" if scale["id"] in ranges else ""
        axis = scale["granularity"] + (f" (axis {scale['axis']})" if scale["axis"] >= 0 else "")
        rows.append([scale["id"], scale["role"], axis, scale["storage"], _scale_text(scale), seen])
    columns = (("Tensor", "code"), ("Role", ""), ("One a", ""), ("Stored as", ""), ("Scale", "right"),
               ("Largest magnitude seen", "right"))  # fmt: skip
    return html_section("Scales", "A stored value times its scale is the real value.", html_table(columns, rows))


def _kernels(report: Mapping[str, Any]) -> str:
    columns = [(heading, "right" if alignment == "right" else "") for heading, alignment in KERNEL_COLUMNS]
    return html_section("Kernels", "Registers a lane (VGPR, AGPR) and a wave (SGPR); LDS, scratch and code in bytes; "
                                   "matrix instructions as they stand in the code.",
                        html_table(columns, map(kernel_row, report["kernels"])))  # fmt: skip
