# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Second-order rounding of a weight matrix: the columns after a column make up for the error of its rounding.

With the input's second moment H = x^T x, the output error of a rounded weight row q of w is (w - q) H (w - q)^T. GPTQ
(Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers", 2022) rounds
column after column and moves the rest of the row to where the remaining error is least, which the Cholesky factor of
the inverse of H says. Columns go by falling diagonal of H (the paper's "act-order").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Round = Callable[[Array, int], Array]  # (values of column k, f64; k) -> nearest representable values, f64

BLOCK = 128  # columns whose error is fed forward at once; later ones get it by one matrix product
DAMPING = 0.1
"""Added to the diagonal of H, as a share of its mean: with fewer rows than columns H is singular, and what calibration
saw is a sample. On MiniLM a tenth gave a better mean cosine than the paper's hundredth."""


def round_second_order(weight: Array, second: Array, nearest: Round, damping: float = DAMPING) -> Array:
    """Rounded weights (n, k) f64 of `weight` (n, k), for inputs of second moment `second` (k, k).

    nearest: rounds a column. Columns whose inputs were always 0 are rounded to nearest.
    """
    k = weight.shape[1]
    order = np.argsort(-np.diag(second), kind="stable")
    moment = second[np.ix_(order, order)].astype(np.float64)
    diagonal = np.diag(moment).copy()
    unseen = diagonal == 0
    ridge = damping * max(float(diagonal.mean()), float(np.finfo(np.float64).tiny))
    moment[np.arange(k), np.arange(k)] += np.where(unseen, 1.0, ridge)
    factor = np.linalg.cholesky(np.linalg.inv(moment)).T  # upper: inverse of H is factor^T factor
    rest = weight.astype(np.float64)[:, order]
    rounded = np.empty_like(rest)
    for first in range(0, k, BLOCK):
        last = min(first + BLOCK, k)
        block, errors = rest[:, first:last].copy(), np.empty((len(rest), last - first))
        inner = factor[first:last, first:last]
        for column in range(last - first):
            rounded[:, first + column] = nearest(block[:, column], int(order[first + column]))
            errors[:, column] = (block[:, column] - rounded[:, first + column]) / inner[column, column]
            block[:, column + 1 :] -= np.outer(errors[:, column], inner[column, column + 1 :])
        rest[:, last:] -= errors @ factor[first:last, last:]
    result = np.empty_like(rounded)
    result[:, order] = rounded
    return result


def output_error(weight: Array, rounded: Array, second: Array) -> float:
    """Sum of squared output errors over the calibration rows: trace of (w - q) H (w - q)^T."""
    difference = weight.astype(np.float64) - rounded.astype(np.float64)
    return float(np.einsum("ij,ij->", difference @ second, difference))
