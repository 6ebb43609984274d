# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How close a build's embeddings are to the reference's, and the bounds that the builds must keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from builds import EVERYWHERE, NO_FP8, SPARED, Outcome

Array = np.ndarray[Any, Any]

SITES = 6  # MiniLM-L6 has six layers, each attends once
SPARED_CONTRACTIONS = 12  # two contractions a site
FP8_CONTRACTIONS = 36  # six a layer: query, key, value, output, and two of the feed-forward network
# Transient memory of IREE's build of this model at the same batch and length: what a planner that is in use needs.
ARENA_BYTES = 18_888_704
# Fake quantisation of the same kind in PyTorch (E4M3FNUZ; activations per tensor, weights per output channel; 64
# sentences to calibrate, 128 others) has a mean cosine of 0.9974. The difference leaves room for another choice of
# sentences.
MEAN_COSINE = 0.996
# f16 keeps 11 bits: an operand is off by at most 2^-11 = 4.9e-4 of itself, sums are f32. Elements of an embedding of
# length 1 are about 0.05, so this leaves room for errors that six layers add up, and none for a wrong result.
NO_FP8_ERROR = 2e-3


@dataclass(frozen=True)
class Closeness:
    """Of a build's embeddings to the reference's: cosines by sentence, the largest difference of an element,
    Spearman's rank correlation of the similarities of all pairs, and how many sentences have the same nearest one."""

    cosine: Array
    max_abs: float
    rank_agreement: float
    same_nearest: int


def closeness(embeddings: Array, reference: Array) -> Closeness:
    """Compare two (sentences, 384) arrays."""
    a, b = embeddings.astype(np.float64), reference.astype(np.float64)
    cosine = (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    pairs = np.triu_indices(len(a), 1)
    ranks = [similarities(x)[pairs].argsort().argsort() for x in (a, b)]  # no ties: these are sums of 384 reals
    agreement = float(np.corrcoef(ranks[0], ranks[1])[0, 1])
    return Closeness(cosine, float(np.abs(a - b).max()), agreement, int((nearest(a) == nearest(b)).sum()))


def similarities(embeddings: Array) -> Array:
    """Cosine of each pair, (sentences, sentences) f64; -1 of a sentence with itself, so that it is not its nearest."""
    unit = embeddings.astype(np.float64) / np.linalg.norm(embeddings, axis=1, keepdims=True)
    result = np.asarray(unit @ unit.T)
    np.fill_diagonal(result, -1.0)
    return result


def nearest(embeddings: Array) -> Array:
    """The number of each sentence's nearest other one."""
    return np.asarray(similarities(embeddings).argmax(1))


@dataclass(frozen=True)
class Check:
    """One bound: what it is about, what is expected and why, what was found, and whether it holds."""

    what: str
    expected: str
    found: str
    holds: bool
    why: str


def check(outcomes: Sequence[Outcome], reference: Array) -> list[Check]:
    """All bounds, for outcomes of all builds."""
    by_build = {outcome.build: outcome for outcome in outcomes}
    spared, everywhere, no_fp8 = by_build[SPARED], by_build[EVERYWHERE], by_build[NO_FP8]
    attention, contractions = spared.report["attention"], spared.report["contractions"]
    checks = [
        _equal("attention sites tagged", SITES, attention["tagged"], "one a layer"),
        _equal("attention sites fused to one kernel", SITES, attention["fused"], "one a layer"),
        _equal("attention contractions spared", SPARED_CONTRACTIONS, contractions["attention"], "two a site"),
        _equal("contractions in FP8", FP8_CONTRACTIONS, contractions["fp8"], "six a layer"),
        _equal("contractions in FP8, FP8 everywhere", FP8_CONTRACTIONS + SPARED_CONTRACTIONS,
               everywhere.report["contractions"]["fp8"], "all"),
    ]  # fmt: skip
    for outcome in (spared, no_fp8):
        arena, title = outcome.report["plan"]["arena_bytes"], outcome.build.title
        checks.append(_equal(f"tensors of tokens x tokens, {title}", 0, len(outcome.score_tensors), "fused attention"))
        checks.append(Check(f"arena bytes, {title}", f"<= {ARENA_BYTES:,}", f"{arena:,}", arena <= ARENA_BYTES,
                            "what IREE's build of this model uses"))  # fmt: skip
    # That the check above can fail: with attention in FP8 the scores are in memory.
    found = len(everywhere.score_tensors)
    checks.append(Check(f"tensors of tokens x tokens, {everywhere.build.title}", ">= 6", str(found), found >= SITES,
                        "attention is not fused: shows that the check works"))  # fmt: skip
    means = {o.build: float(closeness(o.embeddings, reference).cosine.mean()) for o in outcomes}
    checks.append(Check(f"mean cosine to f32, {spared.build.title}", f">= {MEAN_COSINE}", f"{means[SPARED]:.5f}",
                        means[SPARED] >= MEAN_COSINE, "a simulation in PyTorch: 0.9974"))  # fmt: skip
    checks.append(Check("... no worse than FP8 everywhere", f">= {means[EVERYWHERE]:.5f}", f"{means[SPARED]:.5f}",
                        means[SPARED] >= means[EVERYWHERE], "sparing attention must not cost accuracy"))  # fmt: skip
    error = closeness(no_fp8.embeddings, reference).max_abs
    checks.append(Check(f"largest error, {no_fp8.build.title}", f"<= {NO_FP8_ERROR:g}", f"{error:.2g}",
                        error <= NO_FP8_ERROR, "f16 operands, f32 sums"))  # fmt: skip
    return checks


def _equal(what: str, expected: int, found: int, why: str) -> Check:
    return Check(what, str(expected), str(found), expected == found, why)
