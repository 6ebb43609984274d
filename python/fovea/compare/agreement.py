# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whether what one reads off an output stays the same: the class with the largest value, or which samples are alike.

- Top-1 agreement: of vectors of scores of classes, the share in which the largest element is at the same place.
- Rank agreement: of embeddings, Spearman's rank correlation of the cosine similarities of all pairs of samples (ties
  share their mean rank), of the first SAMPLES samples, which bounds the memory.

What an output is, is told in this order: by its name, by rows that add up to 1 (probabilities of classes), by rows of
length 1 (embeddings). Of another output with two axes both numbers are given, of any other neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fovea.compare.metrics import vectors, wide

Array = np.ndarray[Any, Any]
CLASSES, EMBEDDINGS, EITHER, TENSOR = "classes", "embeddings", "classes or embeddings", "tensor"
KINDS = (CLASSES, EMBEDDINGS, TENSOR)
SAMPLES = 512
_NAMED = (("logit", CLASSES), ("prob", CLASSES), ("class", CLASSES), ("embed", EMBEDDINGS))
_UNIT = 1e-2  # rows of f16 and bf16 are of length 1, or add up to 1, within this


def kind_of(name: str, reference: Array) -> tuple[str, str]:
    """What an output looks like, and why that is thought."""
    for part, kind in _NAMED:
        if part in name.lower():
            return kind, f"its name has '{part}' in it"
    if reference.ndim < 2 or reference.shape[-1] < 2 or not reference.size:
        return TENSOR, "it has no rows of several elements"
    rows = wide(vectors(reference)) if reference.ndim <= 3 else wide(reference.reshape(-1, reference.shape[-1]))
    if (rows >= 0).all() and np.allclose(rows.sum(1), 1, atol=_UNIT):
        return CLASSES, "each row is positive and adds up to 1"
    if reference.ndim == 2 and np.allclose(np.linalg.norm(rows, axis=1), 1, atol=_UNIT):
        return EMBEDDINGS, "each row is of length 1"
    if reference.ndim == 2:
        return EITHER, "nothing tells rows of classes from embeddings"
    return TENSOR, f"nothing tells what its {reference.ndim} axes are"


def mean_ranks(values: Array) -> Array:
    """Rank of each element of a flat array, from 0; equal elements share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts + 1) / 2)[inverse.reshape(-1)])


def spearman(a: Array, b: Array) -> float:
    """Spearman's rank correlation of two flat arrays; 1 if both are constant, 0 if one is."""
    ranks = [mean_ranks(x) for x in (a, b)]
    x, y = (r - r.mean() for r in ranks)
    spread = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / spread if spread else float(bool(not x.any() and not y.any()))


def similarities(rows: Array) -> Array:
    """Cosines of all pairs of rows, each once, flat; 0 with a row of zeros."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return np.asarray((unit @ unit.T)[np.triu_indices(len(rows), 1)])


@dataclass
class Agreement:
    """What one output's readers agree on, over all batches. kind, why: see `kind_of`; given by the first batch."""

    name: str
    kind: str = ""
    why: str = ""
    same: int = 0
    compared: int = 0
    kept: list[tuple[Array, Array]] = field(default_factory=list)
    _samples: int = 0

    def update(self, x: Array, reference: Array) -> None:
        """Add a batch."""
        if not self.kind:
            self.kind, self.why = kind_of(self.name, reference)
        if self.kind in (CLASSES, EITHER) and reference.ndim >= 1 and reference.shape[-1] > 1:
            rows = [y.reshape(-1, y.shape[-1]) for y in (x, reference)]
            found, wanted = (np.asarray(y.argmax(1)) for y in rows)
            self.same += int(np.count_nonzero(found == wanted))
            self.compared += wanted.size
        if self.kind in (EMBEDDINGS, EITHER) and reference.ndim >= 2 and self._samples < SAMPLES:
            room = SAMPLES - self._samples
            pair = [wide(y.reshape(-1, y.shape[-1])[:room]).copy() for y in (x, reference)]
            self.kept.append((pair[0], pair[1]))
            self._samples += len(pair[0])

    def as_dict(self) -> dict[str, Any]:
        """As documents have it; a number that is not shown is left out."""
        result: dict[str, Any] = {"looks_like": self.kind, "because": self.why}
        if self.compared:
            result["top1_agreement"] = self.same / self.compared
            result["top1_compared"] = self.compared
        if self._samples >= 3:
            result["rank_agreement"] = rank_agreement(self.kept)
            result["rank_samples"] = self._samples
        return result


def rank_agreement(kept: Sequence[tuple[Array, Array]]) -> float:
    """Spearman's rank correlation of the similarities of all pairs of rows; NaN and infinities count as 0."""
    x, reference = (np.nan_to_num(np.concatenate(part), posinf=0, neginf=0) for part in zip(*kept, strict=True))
    return spearman(similarities(x), similarities(reference))
