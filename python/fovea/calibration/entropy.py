# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The divergence between a histogram and its FP8 codes, for many clip points at once.

A clip point r makes codes of the bins; a code takes up a range of bins, as codes rise with them. So the divergence is a
sum over codes of differences of running sums over bins: some hundred terms a clip point, not thousands. Running sums
lose digits, so they only tell which clip points may be the best one; those are evaluated bin by bin.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Rounding = Callable[[Array], Array]  # magnitudes (f64) to FP8, saturated

# How far apart two divergences are that rounding may have swapped. 128 bins have one width, which doubles by the
# octave, so the width of all bins below is at most 256 times that of the next one; a running sum of 2^15 bins is
# within 2^-38 of its value. So a code's density, the one difference of sums that are not of integers, is within 2^-30,
# and so is its logarithm; everything else is within 1e-11.
_NEAR = 1e-7
_PAIRS = 1 << 18  # (clip point, code) pairs evaluated at a time


@cache
def code_thresholds(rounded: Rounding) -> Array:
    """For each code above 0 the least f64 that rounds to it or above, rising: found by halving intervals of bits."""
    top = int(rounded(np.array([np.finfo(np.float64).max])).view(np.uint8)[0])
    codes = np.arange(1, top + 1)
    low = np.zeros(len(codes), np.int64)  # rounds to less
    high = np.full(len(codes), np.float64(np.finfo(np.float64).max).view(np.int64))  # does not
    while (high - low > 1).any():
        middle = low + (high - low) // 2
        reaches = rounded(middle.view(np.float64)).view(np.uint8) >= codes
        low, high = np.where(reaches, low, middle), np.where(reaches, middle, high)
    return high.view(np.float64)


def likely_best(
    middles: Array, widths: Array, counts: Array, scales: Array, ends: Array, thresholds: Array
) -> Array:
    """Positions of the clip points whose divergence may be the least.

    middles, widths, counts: of the bins that are not empty, f64. scales, ends: of each clip point, what a code of 1
    stands for, and how many bins are below it.
    """
    logs = np.log(widths)
    sums = [np.concatenate([[0.0], np.cumsum(x)]) for x in (counts, widths, counts * logs, counts * np.log(counts))]
    step = max(1, _PAIRS // (len(thresholds) + 2))
    parts = [slice(i, i + step) for i in range(0, len(scales), step)]
    found = [_divergences(middles, logs, sums, counts, scales[p], ends[p], thresholds) for p in parts]
    divergences = np.concatenate(found)
    return np.flatnonzero(divergences <= divergences.min() + _NEAR)


def _divergences(
    middles: Array, logs: Array, sums: list[Array], counts: Array, scales: Array, ends: Array, thresholds: Array
) -> Array:
    """KL(P || Q) of each clip point, see `methods.entropy`, but for rounding."""
    starts = _starts(middles, scales, thresholds)
    bounds = np.minimum(starts, ends[:, None])
    bounds = np.concatenate([np.zeros_like(bounds[:, :1]), bounds, ends[:, None]], axis=1)
    mass, width = (np.diff(x[bounds], axis=1) for x in sums[:2])
    below, total = sums[0][ends], sums[0][-1]
    clipped = total - below
    # sum_b p_b log p_b, the last bin with what is clipped
    last = counts[ends - 1]
    entropy = sums[3][ends] - last * np.log(last) + (last + clipped) * np.log(last + clipped)
    # sum_b p_b log q_b, with log q_b = log(mass / width of its code) + log(its width) - log(below)
    there = mass > 0
    density = np.log(np.divide(mass, width, out=np.ones_like(mass), where=there))
    final = np.take_along_axis(density, (there.shape[1] - 1 - np.argmax(there[:, ::-1], axis=1))[:, None], axis=1)[:, 0]
    cross = (mass * density).sum(axis=1) + clipped * final + sums[2][ends] + clipped * logs[ends - 1]
    return np.asarray((entropy - cross) / total - np.log(total) + np.log(below))


def _starts(middles: Array, scales: Array, thresholds: Array) -> Array:
    """For each clip point and code, the first bin that rounds to it or above: whose middle, divided by the scale,
    reaches the threshold. The product with the scale finds it but for rounding, which the division then settles."""
    starts = np.searchsorted(middles, scales[:, None] * thresholds)
    padded = np.concatenate([[0.0], middles, [np.inf]])  # padded[i + 1]: the middle of bin i
    starts -= padded[starts] / scales[:, None] >= thresholds  # the one before reaches it as well
    starts += padded[starts + 1] / scales[:, None] < thresholds
    return np.asarray(starts)
