# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pages that Fovea writes: one file, nothing fetched, no script, light or dark as the reader's system is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from fovea.charts.style import STYLE as CHART_STYLE

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --paper: #ffffff; --line: #d5dae0; --band: #f4f6f8;
  --fp8: #0063a8; --spared: #b84a00; --kept: #76818c; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e8ee; --soft: #9aa5b1; --paper: #14181d; --line: #333b45; --band: #1c2229; --fp8: #67b7f0;
    --spared: #ff9a57; --kept: #8592a0; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; }
p { margin: .3rem 0; color: var(--soft); max-width: 48rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .87rem; }
th { text-align: left; font-weight: 600; color: var(--soft); border-bottom: 2px solid var(--line); }
th, td { padding: .3rem .7rem .3rem 0; vertical-align: top; } td { border-bottom: 1px solid var(--line); }
.many > table { min-width: 46rem; }
tbody tr:hover { background: var(--band); }
th.right { text-align: right; }
.right { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.code { font-family: ui-monospace, monospace; overflow-wrap: break-word; }
.fp8 { color: var(--fp8); } .attention { color: var(--spared); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; } dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
"""
FEW_COLUMNS = 4  # more of them are not squeezed into a narrow window: the table scrolls
Columns = Sequence[tuple[str, str]]  # heading and class of a column


def html_page(name: str, title: str, under: str, sections: Iterable[str], more_style: str = "") -> str:
    """A whole page. name: of the window. under: a sentence below the title."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(name)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}{CHART_STYLE}{more_style}</style></head>\n'
        f"<body>\n<h1>{escape(title)}</h1>\n<p>{escape(under)}</p>\n{''.join(sections)}</body></html>\n"
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
            named = kind == "code" and ":" not in text  # a name may be broken after a dot, a place not
            shown = escape(text).replace(".", ".<wbr>") if named else escape(text)
            cells.append(f'<td class="{kind}{extra}">{shown}</td>')
        body.append(f"<tr>{''.join(cells)}</tr>\n")
    if not body:
        return "<p>None.</p>"
    size = "wide many" if len(columns) > FEW_COLUMNS else "wide"
    return f'<div class="{size}"><table><thead><tr>{head}</tr></thead>\n<tbody>{"".join(body)}</tbody></table></div>'


def short_place(location: str) -> str:
    """A location without the folders of its file."""
    return location.rpartition("/")[2]


def html_facts(facts: Iterable[tuple[str, str]]) -> str:
    """Names and texts, side by side."""
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts) + "</dl>"
