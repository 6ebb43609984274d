# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Accuracy budgets: how outputs are compared with those of the unquantised model, and how good they must be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.errors import InputError, UsageError
from fovea.executor.types import is_float

Array = np.ndarray[Any, Any]
COSINE, SQNR = "cosine", "sqnr"
_EXPECTED = "expected COSINE (between 0 and 1, e.g. 0.999) or sqnr:DECIBELS (e.g. sqnr:25)"


@dataclass(frozen=True)
class Budget:
    """The least accuracy that is accepted.

    metric: "cosine", the mean over the vectors along an output's last axis of their cosine to the reference's; or
    "sqnr", 10 log10(sum of squares of the reference / sum of squares of the difference), in dB, over a whole output. Of
    several float outputs the worst counts.
    """

    metric: str
    minimum: float

    def __str__(self) -> str:
        return f"{self.minimum:.12g}" if self.metric == COSINE else f"sqnr:{self.minimum:.12g}"

    def accuracy(self, references: Sequence[Sequence[Array]], outputs: Sequence[Sequence[Array]]) -> float:
        """The accuracy of `outputs` (batches of outputs of the model); -inf where they hold NaN or infinity."""
        positions = [i for i, array in enumerate(references[0]) if is_float(array.dtype)]
        if not positions:
            raise InputError("an accuracy budget needs a model with a float output, to measure its error")
        measure = _mean_cosine if self.metric == COSINE else _sqnr
        return min(measure([b[i] for b in references], [b[i] for b in outputs]) for i in positions)

    def error(self, accuracy: float) -> float:
        """Accuracy as an error that adds up over independent causes: 1 - cosine, or noise over signal power."""
        return 1.0 - accuracy if self.metric == COSINE else 10.0 ** (-accuracy / 10.0)


def parse_budget(text: str) -> Budget:
    """The budget that `0.999`, `cosine:0.999` or `sqnr:25` says; UsageError for anything else."""
    metric, colon, number = text.partition(":")
    if not colon:
        metric, number = COSINE, text
    try:
        minimum = float(number)
    except ValueError:
        minimum = math.nan
    fits = 0 < minimum < 1 if metric == COSINE else metric == SQNR and math.isfinite(minimum)
    if not fits:
        raise UsageError(f"--accuracy-budget: {_EXPECTED}, found '{text}'")
    return Budget(metric, minimum)


def _wide(arrays: Sequence[Array]) -> Array:
    return np.concatenate([np.atleast_1d(a).astype(np.float64).reshape(-1, (a.shape or (1,))[-1]) for a in arrays])


def _mean_cosine(references: Sequence[Array], outputs: Sequence[Array]) -> float:
    a, b = _wide(references), _wide(outputs)
    if not np.isfinite(b).all():
        return -math.inf
    product = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    dots = (a * b).sum(axis=1)
    equal = np.where((a == b).all(axis=1), 1.0, 0.0)  # of vectors of zeros
    return float(np.where(product > 0, dots / np.where(product > 0, product, 1.0), equal).mean())


def _sqnr(references: Sequence[Array], outputs: Sequence[Array]) -> float:
    a, b = _wide(references), _wide(outputs)
    if not np.isfinite(b).all():
        return -math.inf
    noise, signal = float(((a - b) ** 2).sum()), float((a**2).sum())
    if noise == 0:
        return math.inf
    return 10.0 * math.log10(signal / noise) if signal else -math.inf
