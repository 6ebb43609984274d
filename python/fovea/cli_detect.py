# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea detect`: which attention a model has, what only looks like it, and why; nothing is compiled."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from fovea.bindings import ir
from fovea.diagnostics import STDIN as STDIN_NAME
from fovea.diagnostics import Renderer, located, location_text, place_of
from fovea.errors import CompileError
from fovea.files import check_parent, write_atomically
from fovea.ir_input import new_context, parse_module
from fovea.passes.detect_attention import DetectAttention
from fovea.passes.registry import PassContext
from fovea.progress import console

STDIN = STDOUT = "-"
NEAR_MISS = "near miss"
DECISIONS = ("tagged", "policy", NEAR_MISS)
FIELDS = ("id", "decision", "reason", "location", "function", "op", "flags", "q", "k", "v", "policy", "fusable")


def detect_command(flags: argparse.Namespace) -> int:
    """Run the command; returns 0. Raises FoveaError: CompileError, after printing diagnostics, if the model is not
    valid."""
    detector = DetectAttention(flags.attention_policy)
    if flags.json not in (None, STDOUT):
        check_parent(flags.json)
    name = STDIN_NAME if flags.model == STDIN else flags.model
    renderer = Renderer(name)
    context = PassContext()
    try:
        module = parse_module(flags.model, new_context(flags.allow_unregistered_dialect), None, name)
        with module.context, ir.Location.unknown(module.context):
            detector.run(module, context)
    except CompileError as error:
        for diagnostic in located(error):
            print(renderer.render(diagnostic), file=sys.stderr)
        raise CompileError(error.message) from error
    found = [site_of(record, name) for record in context.records]
    if flags.json is None:
        _print_table(found, name)
        return 0
    text = json.dumps(document_of(found), indent=1) + "\n"
    if flags.json == STDOUT:
        sys.stdout.write(text)
    else:
        write_atomically(flags.json, text)
    return 0


def site_of(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    """One record of detect-attention as `fovea detect` shows it: `location` is `file:line:column` of `name`.

    `id` is null for what was not tagged; `q`, `k`, `v` are shapes (-1: not known), null for a near miss.
    """
    site = {field: record.get(field) for field in FIELDS}
    site["decision"] = record["decision"].replace("-", " ")
    site["flags"] = record.get("flags") or {}
    site["policy"] = record.get("policy") or []
    site["location"] = _place(record["location"], name)
    return site


def document_of(sites: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What `--json` writes."""
    count = Counter(site["decision"] for site in sites)
    return {"sites": list(sites), "counts": {decision: count[decision] for decision in DECISIONS}}


def _place(location: str, name: str) -> str:
    place = place_of(location)
    if place is None:
        return location_text(location)
    return f"{name if place.file == '-' else place.file}:{place.line}:{place.column}"


def _print_table(sites: Sequence[Mapping[str, Any]], name: str) -> None:
    out = console(stderr=False)
    count = Counter(site["decision"] for site in sites)
    out.print(f"{name}: " + ", ".join(f"{count[decision]} {decision}" for decision in DECISIONS), markup=False)
    if not sites:
        return
    table = Table("Site", "Decision", "Q, K, V", "Flags", "Where", "Why", box=None, pad_edge=False)
    for site in sites:
        shapes = ", ".join("x".join("?" if n < 0 else str(n) for n in site[key]) for key in "qkv" if site[key])
        shown = ", ".join(flag if value is True else f"{flag} {value}" for flag, value in site["flags"].items())
        number = "" if site["id"] is None else str(site["id"])
        why = f"{site['reason']} ('{site['op']}')" if site["decision"] == NEAR_MISS else site["reason"]
        table.add_row(number, site["decision"], shapes, shown, _short(site["location"], name), why)
    out.print(table, markup=False)


def _short(location: str, name: str) -> str:
    """`line:column` where the file is the one that was asked about."""
    return location.removeprefix(f"{name}:")
