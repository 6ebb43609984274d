# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tables that `fovea compile` ends with, and the kernel table of `fovea inspect`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fovea.compare.tables import fall_text
from fovea.report import FP8
from fovea.tables import KERNEL_COLUMNS, SUMMARY_COLUMNS, bytes_text, kernel_row, listed

_WHOLE = {heading for heading, _ in KERNEL_COLUMNS[:-1]}  # columns whose cells stay in one line
# One line for the contractions of all sites, and one for those that the accuracy budget leaves out.
_PARTICULAR = re.compile(r" site \d+$|: alone it costs .*$")


def table(title: str, columns: Sequence[tuple[str, Any]], rows: Iterable[Sequence[str]]) -> Table:
    """A plain table; `columns` are (heading, alignment). Cells are text, not markup."""
    result = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE, show_edge=False,
                   padding=(0, 1), collapse_padding=True, pad_edge=False)  # fmt: skip
    for heading, alignment in columns:
        result.add_column(heading, justify=alignment, overflow="fold", no_wrap=heading in _WHOLE)
    for row in rows:
        result.add_row(*map(Text, row))
    return result


def print_kernels(console: Console, kernels: Sequence[Mapping[str, Any]], with_matrix: bool) -> None:
    """A row a kernel, after an empty line."""
    console.print()
    columns = KERNEL_COLUMNS if with_matrix else KERNEL_COLUMNS[:SUMMARY_COLUMNS]
    console.print(table("Kernels", columns, (kernel_row(kernel)[: len(columns)] for kernel in kernels)))


def print_summary(console: Console, report: Mapping[str, Any]) -> None:
    """Attention, contractions, kernels, memory and time of a compilation, from its report."""
    facts = Table.grid(padding=(0, 2))
    for name, text in _facts(report):
        facts.add_row(Text(name, style="bold"), Text(text))
    console.print(facts)
    if "contractions" in report:
        for warning in report["contractions"]["warnings"]:
            console.print(Text(f"warning: {warning}"))
        rows = _reasons(report["contractions"]["decisions"])
        columns = (("Contractions", "right"), ("In", "left"), ("Why", "left"), ("Which", "left"))
        console.print()
        console.print(table("", columns, rows))
    misses = [d for d in report["attention"]["decisions"] if d["decision"] in ("near-miss", "not fused")]
    if misses:
        rows = [[d["decision"], d["location"], d["reason"]] for d in misses]
        console.print()
        console.print(table("Attention", (("Decision", "left"), ("Where", "left"), ("Why", "left")), rows))
    print_kernels(console, report["kernels"], with_matrix=False)
    seconds = report["seconds"]
    rows = [[stage, f"{value:.2f} s"] for stage, value in {**seconds, "total": sum(seconds.values())}.items()]
    console.print()
    console.print(table("Time", (("Stage", "left"), ("Wall clock", "right")), rows))


def _facts(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    attention, plan = report["attention"], report["plan"]
    facts = [("target", report["options"]["target"])]
    misses = f", {attention['near_misses']} near misses" if attention["near_misses"] else ""
    facts.append(("attention", f"{attention['tagged']} sites tagged, {attention['fused']} fused{misses}"))
    if "contractions" in report:
        found = report["contractions"]
        facts.append(("contractions", f"{found['fp8']} in FP8, {found['attention']} spared as part of attention, "
                                      f"{found['other']} kept for another reason"))  # fmt: skip
        facts.append(("FLOPs in FP8", f"{found['fp8_share']:.1%} of those of all contractions, "
                                      f"{found['fp8_share_outside_attention']:.1%} outside attention"))  # fmt: skip
        if report.get("compute_types"):
            switched = report["compute_types"]
            facts.append(("overflow guard", f"{len(switched)} in {switched[0]['chosen']}, as operands may be beyond "
                                            f"f16's range: {listed([r['id'] for r in switched])}"))  # fmt: skip
        if "search" in report:
            search = report["search"]
            facts.append(("accuracy budget", f"{search['metric']} {search['chosen']['accuracy']:.5g}, at least "
                                             f"{search['minimum']:g} wanted; {search['evaluations']} evaluations on "
                                             f"{search['search_batches']} batches"))  # fmt: skip
    else:
        facts.append(("contractions", f"none in FP8 (--no-fp8), all in {report['options']['compute_type']}"))
    if "layers" in report:
        facts.append(("accuracy", fall_text(report["layers"])))
    spilling = sum(bool(k["vgpr_spills"] + k["sgpr_spills"]) for k in report["kernels"])
    facts.append(("kernels", f"{plan['kernels']} in {plan['launches']} launches, {spilling or 'none'} with spills"))
    facts.append(("arena", f"{bytes_text(plan['arena_bytes'])}; {bytes_text(plan['unshared_bytes'])} without sharing"))
    facts.append(("weights", bytes_text(plan["weight_bytes"])))
    return facts


def _reasons(decisions: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Contractions by what was decided and why; those in FP8 are counted, every other one is named."""
    groups: dict[tuple[str, str], list[str]] = {}
    for decision in decisions:
        key = (decision["decision"], _PARTICULAR.sub("", decision["reason"]))
        groups.setdefault(key, []).append(decision["id"])
    rows = []
    for (kind, reason), ids in groups.items():
        names = listed(ids) if kind == FP8 else ", ".join(ids)
        rows.append([str(len(ids)), "FP8" if kind == FP8 else "-", reason, names])
    return rows
