# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the demo prints: tables for a person; plain text when the output is not a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from builds import Build, Observer, Outcome, compile_command, shell_text
from quality import Check, Closeness, closeness, nearest, similarities
from rich import box
from rich.console import Console
from rich.status import Status
from rich.table import Table
from sentences import BATCH

from fovea.progress import console

__all__ = ["Teller", "console", "print_builds", "print_checks", "print_nearest"]


class Teller(Observer):
    """Prints what begins: each build with the command that makes it, then the runs, counted on a terminal.

    A context manager: its end ends the line that counts.
    """

    def __init__(self, to: Console, work: Path) -> None:
        self.to, self.work = to, work
        self._status: Status | None = None
        self._done = self._runs = 0

    def __enter__(self) -> Teller:
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def compiling(self, build: Build) -> None:
        self.to.print(f"\n[bold]{build.title}[/]")
        self.to.print(f"$ {shell_text(compile_command(build, self.work))}", markup=False, soft_wrap=True)

    def compiled(self, runs: int) -> None:
        self._runs = runs
        text = f"Running {runs} batches of {BATCH} sentences on the emulator, instruction by instruction ..."
        if self.to.is_terminal:
            self._status = self.to.status(text)
            self._status.start()
        else:
            self.to.print(f"\n{text}")

    def ran(self) -> None:
        self._done += 1
        if self._status is not None:
            self._status.update(f"Running on the emulator: {self._done} of {self._runs} batches are done")


def _table(title: str, *columns: tuple[str, str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.HORIZONTALS)
    for heading, justify in columns:
        table.add_column(heading, justify=justify, overflow="fold")  # type: ignore[arg-type]
    return table


def print_builds(to: Console, outcomes: Sequence[Outcome], reference: Any) -> None:
    """What was compiled, and how close each build is to f32: a column a build."""
    table = _table("Builds of all-MiniLM-L6-v2 for gfx942, batch 8, 128 tokens", ("", "left"))
    for outcome in outcomes:
        table.add_column(outcome.build.title, justify="right")
    close = [closeness(outcome.embeddings, reference) for outcome in outcomes]
    rows: list[tuple[str, Callable[[Outcome], str]]] = [
        ("attention sites tagged / fused", lambda o: "{tagged} / {fused}".format(**o.report["attention"])),
        ("contractions in FP8", lambda o: _contractions(o, "fp8")),
        ("attention contractions spared", lambda o: _contractions(o, "attention")),
        ("kernels / launches", lambda o: "{kernels} / {launches}".format(**o.report["plan"])),
        ("arena, bytes", lambda o: f"{o.report['plan']['arena_bytes']:,}"),
        ("largest buffer in the plan", lambda o: _largest(o.report["plan"]["tensors"])),
        ("buffers of tokens x tokens", lambda o: str(len(o.score_tensors))),
        ("seconds a batch on the emulator", lambda o: f"{sum(o.seconds) / len(o.seconds):.1f}"),
    ]
    for name, value in rows:
        table.add_row(name, *map(value, outcomes))
    table.add_section()
    measures: list[tuple[str, Callable[[Closeness], str]]] = [
        ("cosine to f32, mean", lambda c: f"{c.cosine.mean():.6f}"),
        ("cosine to f32, worst", lambda c: f"{c.cosine.min():.6f}"),
        ("largest error of an element", lambda c: f"{c.max_abs:.2g}"),
        ("rank agreement of similarities (Spearman)", lambda c: f"{c.rank_agreement:.4f}"),
        ("same nearest sentence as f32", lambda c: f"{c.same_nearest} of {len(reference)}"),
    ]
    for name, measure in measures:
        table.add_row(name, *map(measure, close))
    to.print()
    to.print(table)
    for outcome in outcomes:
        found = sorted({"x".join(map(str, tensor["shape"])) for tensor in outcome.score_tensors})
        text = f"attention's scores are in memory: {', '.join(found)}"
        none = "no buffer of tokens x tokens exists, neither scores (8x12x128x128) nor a mask (8x1x128x128)"
        to.print(f"{outcome.build.title}: {text if found else none}")


def _contractions(outcome: Outcome, kind: str) -> str:
    return str(outcome.report["contractions"][kind]) if "contractions" in outcome.report else "-"


def _largest(tensors: Sequence[dict[str, Any]]) -> str:
    tensor = max(tensors, key=lambda tensor: tensor["bytes"])
    return f"{'x'.join(map(str, tensor['shape']))} {tensor['dtype']}"


def print_nearest(to: Console, sentences: Sequence[str], outcome: Outcome, reference: Any) -> None:
    """The nearest other sentence of each, by `outcome`, and whether the reference agrees."""
    table = _table(f"Nearest sentences ({outcome.build.title})", ("Sentence", "left"), ("Nearest", "left"),
                   ("Similarity", "right"), ("In f32", "right"), ("Same", "left"))  # fmt: skip
    table.show_lines = True
    found, wanted = nearest(outcome.embeddings), nearest(reference)
    scores, wanted_scores = similarities(outcome.embeddings), similarities(reference)
    for number, sentence in enumerate(sentences):
        same = found[number] == wanted[number]
        table.add_row(
            sentence, sentences[found[number]], f"{scores[number, found[number]]:.3f}",
            f"{wanted_scores[number, found[number]]:.3f}", "yes" if same else f"no: {sentences[wanted[number]]}",
        )  # fmt: skip
    to.print()
    to.print(table)


def print_checks(to: Console, checks: Sequence[Check]) -> None:
    """The bounds, one a row."""
    table = _table("Bounds", ("", "left"), ("Bound", "right"), ("Found", "right"), ("", "left"), ("From", "left"))
    for entry in checks:
        holds = "holds" if entry.holds else "[bold red]missed[/]"
        table.add_row(entry.what, entry.expected, entry.found, holds, entry.why)
    to.print()
    to.print(table)
