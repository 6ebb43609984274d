# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Variances that a model takes in f64, after fovea-demote-f64."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import Array, parse, run_passes, variance

from fovea.executor import run

ROWS, COLUMNS = 16, 384

# Relative error of a variance of 1 about a mean M, in f32. The sum for the mean walks COLUMNS rounding steps of at most
# 2^-24 * M each: its error is about sqrt(COLUMNS) * 2^-24 * M, 1.2e-3 for M = 1000, and it enters squared: 1.4e-6.
# The sum of squares adds sqrt(COLUMNS) * 2^-24 = 1.2e-6. Four times their sum, for the worst of 16 rows.
TWO_PASS_ERROR = 1.1e-5


def rows(mean: float) -> Array:
    generator = np.random.default_rng(7)
    return (mean + generator.standard_normal((ROWS, COLUMNS))).astype(np.float32)


def exact(x: Array) -> Array:
    return np.asarray(x.astype(np.float64).var(axis=1, keepdims=True))


def relative_error(found: Array, x: Array) -> float:
    return float(np.max(np.abs(found - exact(x)) / exact(x)))


@pytest.mark.parametrize("one_pass", [False, True], ids=["two_pass", "one_pass"])
@pytest.mark.parametrize("mean", [0.0, 1.0, 30.0, 1000.0])
def test_demoted_variance(mean: float, one_pass: bool) -> None:
    x = rows(mean)
    module = parse(variance(ROWS, COLUMNS, "f64", one_pass))
    before = relative_error(run(module, [x])[0], x)
    assert before < 1e-6  # f64 throughout, rounded to f32 at the end; E[x^2] - E[x]^2 loses 1e-16 * 1e6
    run_passes(module, "demote-f64")
    assert "f64" not in str(module)
    assert relative_error(run(module, [x])[0], x) < TWO_PASS_ERROR


def test_one_pass_in_f32_would_not_do() -> None:
    """What demotion without the rewrite would give: an error thousands of times larger. The rewrite is needed."""
    x = rows(1000.0)
    module = parse(variance(ROWS, COLUMNS, "f32", one_pass=True))
    assert relative_error(run(module, [x])[0], x) > 1e-2
