# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration methods: from the histogram of a tensor's magnitudes to the range that its FP8 codes cover.

A range r means the scale s = r / L, L being the storage type's largest value; magnitudes above r saturate. Each method
chooses r among the ends of the histogram's bins and max|x|; a tensor with a value other than zero gets r > 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from fovea.calibration.entropy import code_thresholds, likely_best
from fovea.calibration.statistics import BINS, Array, Statistics, bin_edges
from fovea.dialect.quantize import STORAGE_MAX
from fovea.errors import UsageError
from fovea.executor.types import DTYPES

# Clip points that mse and entropy consider: those that clip at most this share of the values that are not zero. What
# clips more loses more than it gains in any format whose steps are relative to the value, as FP8's are.
MOST_CLIPPED = 0.1
_POINTS = 1 << 18  # (clip point, bin) pairs evaluated at a time
DEFAULT = "max"


@dataclass(frozen=True)
class Method:
    """A method by name, and its parameter if it has one. `str()` gives the text that `parse_method` reads."""

    name: str = DEFAULT
    parameter: float | None = None

    def __str__(self) -> str:
        return self.name if self.parameter is None else f"{self.name}:{self.parameter:.12g}"


@dataclass(frozen=True)
class Range:
    """What a method chose: `value`, the largest magnitude that is not clipped; `clipped`, the share of the values seen
    that are above it."""

    method: str
    value: float
    clipped: float


def largest(statistics: Statistics, parameter: float | None, storage: str) -> float:
    """max|x|: nothing is clipped."""
    return statistics.max_abs


def percentile(statistics: Statistics, parameter: float | None, storage: str) -> float:
    """The least end of a bin below which at least `parameter` percent of all magnitudes lie, zeros included.

    As in TensorRT's toolkit and ONNX Runtime (symmetric). If that many values are zero, the percentile of the others.
    """
    assert parameter is not None
    counts = statistics.counts
    if counts[0] >= _needed(statistics.elements, parameter):
        counts = np.concatenate([[0], counts[1:]])
    cumulative = np.cumsum(counts)
    return float(bin_edges()[np.searchsorted(cumulative, _needed(int(cumulative[-1]), parameter)) + 1])


def _needed(total: int, percent: float) -> int:
    """The least whole number of `total` that is at least `percent` of it."""
    return max(1, math.ceil(total * (percent / 100)))


def mse(statistics: Statistics, parameter: float | None, storage: str) -> float:
    """The clip point r with the least mean squared error of quantisation,

        E(r) = sum_b n_b (m_b - s Q(m_b / s))^2 / sum_b n_b,   s = r / L,

    n_b and m_b being count and midpoint of bin b, Q rounding to nearest even in the storage type with saturation. (A
    bin is 2^-7 of its value wide, an E4M3 step 2^-3: values within a bin differ by what r hardly changes.)
    """
    lower, upper, counts = _bins(statistics)
    middles = np.minimum((lower + upper) / 2, statistics.max_abs)
    candidates = _clip_points(statistics, every_bin=True)
    errors = np.empty(len(candidates))
    with np.errstate(under="ignore"):
        middles, weights = middles / statistics.max_abs, counts / counts.sum()  # to 1, so that squares do not overflow
        for part in _parts(len(candidates), len(middles)):
            scales = candidates[part, None] / statistics.max_abs / STORAGE_MAX[storage]
            rounded = _rounded(middles / scales, storage).astype(np.float64)
            errors[part] = ((middles - scales * rounded) ** 2) @ weights
    return _best(candidates, errors)


def entropy(statistics: Statistics, parameter: float | None, storage: str) -> float:
    """The clip point r with the least Kullback-Leibler divergence KL(P || Q) = sum_b p_b log(p_b / q_b).

    The method of S. Migacz, "8-bit Inference with TensorRT" (GTC 2017), as ONNX Runtime's calibrator has it, for bins
    of relative width and FP8's codes. P is the histogram up to r, what is clipped added to its last bin. Q has the
    histogram's mass without the clipped in each FP8 code, spread over the non-empty bins that round to this code, in
    proportion to their width (TensorRT's bins are equally wide). Zeros are left out: they are exact at any scale, and
    would otherwise be spread over what rounds to zero.
    """
    lower, upper, counts = _bins(statistics)
    middles, widths = (lower + upper) / 2, upper - lower
    below = np.concatenate([[0.0], np.cumsum(counts)])
    candidates = _clip_points(statistics, every_bin=False)
    ends = np.append(np.searchsorted(lower, candidates[:-1]), len(lower))  # max|x| clips nothing
    scales = candidates / STORAGE_MAX[storage]
    likely = likely_best(middles, widths, counts, scales, ends, code_thresholds(_rounding(storage)))
    divergences = np.empty(len(likely))
    for i, (scale, end) in enumerate(zip(scales[likely], ends[likely], strict=True)):
        codes = _rounded(middles[:end] / scale, storage).view(np.uint8)
        starts = np.concatenate([[0], np.nonzero(np.diff(codes))[0] + 1])  # codes rise with the bins
        lengths = np.diff(starts, append=end)
        density = np.add.reduceat(counts[:end], starts) / np.add.reduceat(widths[:end], starts)
        q = np.repeat(density, lengths) * widths[:end] / below[end]
        p = counts[:end] / below[-1]
        p[-1] += (below[-1] - below[end]) / below[-1]
        divergences[i] = p @ np.log(p / q)
    return _best(candidates[likely], divergences)


@dataclass(frozen=True)
class _Entry:
    choose: Callable[[Statistics, float | None, str], float]
    what: str
    parameter: str = ""  # what the parameter is; empty: it takes none
    histogram: bool = True  # whether it needs one


METHODS: dict[str, _Entry] = {
    "max": _Entry(largest, "the largest magnitude seen", histogram=False),
    "percentile": _Entry(percentile, "what at least P percent of the values do not exceed", "P"),
    "mse": _Entry(mse, "least mean squared error of FP8 quantisation"),
    "entropy": _Entry(entropy, "least KL divergence between the values and their FP8 codes"),
}
FORMS = ", ".join(f"{name}:{entry.parameter}" if entry.parameter else name for name, entry in METHODS.items())


def parse_method(text: str) -> Method:
    """A method from `max`, `percentile:P` with 0 < P <= 100, `mse` or `entropy`; UsageError for anything else."""
    name, colon, parameter = text.partition(":")
    entry = METHODS.get(name)
    if entry is None:
        raise UsageError(f"unknown calibration method '{text}'; expected one of {FORMS}")
    if not entry.parameter:
        if colon:
            raise UsageError(f"calibration method '{text}': {name} takes no parameter")
        return Method(name)
    try:
        value = float(parameter)
    except ValueError:
        value = math.nan
    if not 0 < value <= 100:
        raise UsageError(f"calibration method '{text}': expected {name}:{entry.parameter} with 0 < {entry.parameter} "
                         f"<= 100, for example {name}:99.99")  # fmt: skip
    return Method(name, value)


@dataclass(frozen=True)
class Override:
    """The method of the captures whose id `pattern` finds. `text`: as the user gave it."""

    pattern: re.Pattern[str]
    method: Method
    text: str


def parse_override(text: str) -> Override:
    """From `REGEX=METHOD[:P]`, split at the last '='; UsageError if it has no such form."""
    pattern, equals, method = text.rpartition("=")
    if not equals or not pattern:
        raise UsageError(f"calibration override '{text}': expected REGEX=METHOD, the method one of {FORMS}")
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"calibration override '{text}': '{pattern}' is not a regular expression: {error}") from error
    return Override(compiled, parse_method(method), text)


def method_of(identity: str, default: Method | None, overrides: Sequence[Override]) -> Method | None:
    """The method of a capture: that of the last override whose pattern is found in its id, else the default."""
    return next((o.method for o in reversed(overrides) if o.pattern.search(identity)), default)


def choose(statistics: Statistics, method: Method, storage: str) -> Range:
    """The range that `method` gives a tensor whose codes are of type `storage` (an MLIR type, e.g. f8E4M3FNUZ).

    0 for a tensor of zeros alone, else finite, positive, and at most `max_abs`.
    """
    seen = statistics.max_abs
    value = seen
    if METHODS[method.name].histogram and statistics.counts[1:].any():
        value = min(METHODS[method.name].choose(statistics, method.parameter, storage), seen)
    return Range(str(method), value, statistics.clipped(value) / statistics.elements if statistics.elements else 0.0)


def _bins(statistics: Statistics) -> tuple[Array, Array, Array]:
    """Lower ends, upper ends and counts, as f64, of the non-empty bins other than that of zero."""
    there = np.nonzero(statistics.counts[1:])[0] + 1
    edges = bin_edges().astype(np.float64)
    edges[BINS] = 2.0**128  # where the last bin ends
    return edges[there], edges[there + 1], statistics.counts[there].astype(np.float64)


def _clip_points(statistics: Statistics, every_bin: bool) -> Array:
    """Ends of bins from the one that clips MOST_CLIPPED on, and max|x|, rising. Without `every_bin` those of non-empty
    bins alone: then the last bin below each holds something."""
    counts = statistics.counts[1:]
    cumulative = np.cumsum(counts)
    first = int(np.searchsorted(cumulative, _needed(int(cumulative[-1]), 100 * (1 - MOST_CLIPPED))))
    last = int(np.nonzero(counts)[0][-1])
    chosen = np.arange(first, last)
    if not every_bin:
        chosen = chosen[counts[first:last] > 0]
    return np.append(bin_edges().astype(np.float64)[chosen + 2], statistics.max_abs)


def _rounded(x: Array, storage: str) -> Array:
    """Magnitudes in the storage type, rounded to nearest even, saturated."""
    return np.minimum(x, STORAGE_MAX[storage]).astype(np.float32).astype(DTYPES[storage])


@cache
def _rounding(storage: str) -> Callable[[Array], Array]:
    """`_rounded` for one storage type: the same function for the same type."""
    return partial(_rounded, storage=storage)


def _parts(candidates: int, bins: int) -> list[slice]:
    step = max(1, _POINTS // bins)
    return [slice(i, i + step) for i in range(0, candidates, step)]


def _best(candidates: Array, losses: Array) -> float:
    """The candidate of least loss; among equals the largest, which clips least."""
    return float(candidates[len(losses) - 1 - int(np.argmin(losses[::-1]))])
