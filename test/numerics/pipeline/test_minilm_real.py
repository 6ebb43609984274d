# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A trained encoder end to end: the demo's builds, on one batch of its sentences, keep the demo's bounds."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "minilm"
sys.path.insert(0, str(EXAMPLE))  # also for the worker processes, which inherit it

import builds  # noqa: E402
import model_files  # noqa: E402
import quality  # noqa: E402
from sentences import BATCH, read_sentences, tokenize  # noqa: E402

TOPIC = 3  # sentences on each topic in the file


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[builds.Outcome], Any]:
    """Outcomes of all builds and the reference's embeddings, for one sentence of each topic."""
    work = tmp_path_factory.mktemp("minilm")
    tokenizer = model_files.prepare(work)
    chosen = read_sentences(model_files.SENTENCES)[::TOPIC]
    with builds.Runs() as runs:
        return builds.compile_and_run(work, tokenize(chosen, tokenizer), runs, builds.Observer(), quiet=True)


def test_bounds_hold(results: tuple[list[builds.Outcome], Any]) -> None:
    outcomes, reference = results
    assert reference.shape == (BATCH, 384)
    missed = [check for check in quality.check(outcomes, reference) if not check.holds]
    assert not missed


def test_same_neighbours_without_fp8(results: tuple[list[builds.Outcome], Any]) -> None:
    outcomes, reference = results
    (plain,) = [outcome for outcome in outcomes if outcome.build is builds.NO_FP8]
    assert quality.closeness(plain.embeddings, reference).same_nearest == BATCH


def test_a_wrong_result_misses_its_bounds(results: tuple[list[builds.Outcome], Any]) -> None:
    """Embeddings of the wrong sentences, and plans and decisions of the wrong build: each bound can be missed."""
    outcomes, reference = results
    by_build = {outcome.build: outcome for outcome in outcomes}
    everywhere = by_build[builds.EVERYWHERE]
    large = {**everywhere.report, "plan": {**everywhere.report["plan"], "arena_bytes": quality.ARENA_BYTES + 1}}
    wrong = [
        replace(by_build[builds.SPARED], report=large, embeddings=np.roll(reference, 1, axis=0)),
        replace(everywhere, report=by_build[builds.SPARED].report),
        replace(by_build[builds.NO_FP8], report=large, embeddings=reference + np.float32(1.1 * quality.NO_FP8_ERROR)),
    ]
    held = [check.what for check in quality.check(wrong, reference) if check.holds]
    assert held == ["attention sites tagged"]  # which are the same in all builds
