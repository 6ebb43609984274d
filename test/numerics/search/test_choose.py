# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The search on errors that are known: budget kept, near the optimum, few evaluations, the same every time."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from fovea.errors import InputError, UsageError
from fovea.search import Budget, choose, parse_budget
from fovea.search.choose import PIECES, REFINEMENTS

NAMES = [f"c{i}" for i in range(12)]


def _problem(seed: int, interaction: float = 0.0):
    """Work by name, and 1 - the sum of costs, plus a share of the products of neighbours' costs."""
    random = np.random.default_rng(seed)
    work = {name: int(random.choice([1, 2, 4])) * 1000 for name in NAMES}
    costs = dict(zip(NAMES, random.exponential(1e-4, len(NAMES)), strict=True))

    def accuracy(in_fp8: frozenset[str], remember: bool = True) -> float:
        pairs = (costs[a] * costs[b] for a, b in itertools.pairwise(NAMES) if a in in_fp8 and b in in_fp8)
        return 1.0 - sum(costs[name] for name in in_fp8) - interaction * math.sqrt(sum(pairs))

    return work, accuracy


def _optimum(work, accuracy, budget: Budget) -> int:
    sets = (frozenset(itertools.compress(NAMES, bits)) for bits in itertools.product((0, 1), repeat=len(NAMES)))
    return max(sum(work[name] for name in s) for s in sets if accuracy(s) >= budget.minimum)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("minimum", [0.9999, 0.9995, 0.999])
def test_additive_errors_give_the_optimum(seed: int, minimum: float) -> None:
    work, accuracy = _problem(seed)
    budget = Budget("cosine", minimum)
    chosen = choose(work, budget, accuracy)
    assert chosen.accuracy == accuracy(chosen.in_fp8) >= minimum
    assert sum(work[name] for name in chosen.in_fp8) == _optimum(work, accuracy, budget)


@pytest.mark.parametrize("seed", range(8))
def test_errors_that_do_not_add_up(seed: int) -> None:
    """The budget is kept whatever the costs predict, and at most one of the larger contractions is missed."""
    work, accuracy = _problem(seed, interaction=0.5)
    budget = Budget("cosine", 0.9995)
    chosen = choose(work, budget, accuracy)
    assert accuracy(chosen.in_fp8) >= budget.minimum
    assert sum(work[name] for name in chosen.in_fp8) >= _optimum(work, accuracy, budget) - max(work.values())


def test_few_evaluations_each_set_once_and_the_same_every_time() -> None:
    work, accuracy = _problem(3, interaction=0.3)
    runs = []
    for _ in range(2):
        asked: list[frozenset[str]] = []

        def counting(in_fp8: frozenset[str], remember: bool, asked: list[frozenset[str]] = asked) -> float:
            asked.append(in_fp8)
            return accuracy(in_fp8)

        chosen = choose(work, Budget("cosine", 0.9996), counting)
        assert len(asked) == len(set(asked)) == len(chosen.points)
        assert len(asked) <= 2 + len(NAMES) + math.ceil(math.log2(PIECES + 1)) + 1 + REFINEMENTS
        runs.append((asked, chosen))
    assert runs[0] == runs[1]


def test_frontier_is_monotone_and_holds_the_choice() -> None:
    work, accuracy = _problem(1)
    chosen = choose(work, Budget("cosine", 0.9995), accuracy)
    frontier = chosen.frontier
    assert [p.work for p in frontier] == sorted({p.work for p in frontier})
    assert [p.accuracy for p in frontier] == sorted({p.accuracy for p in frontier}, reverse=True)
    assert frontier[0].work == 0 and frontier[-1].work == sum(work.values())
    assert (sum(work[name] for name in chosen.in_fp8), chosen.accuracy) in {(p.work, p.accuracy) for p in frontier}


def test_budget_that_everything_keeps() -> None:
    work, accuracy = _problem(2)
    chosen = choose(work, Budget("cosine", 0.9), accuracy)
    assert chosen.in_fp8 == frozenset(NAMES)
    assert set(chosen.costs) == set(NAMES)


def test_budget_that_nothing_keeps() -> None:
    work, _ = _problem(2)
    with pytest.raises(InputError, match=r"0\.9999 cannot be kept: with nothing in FP8 the cosine .* is 0\.9998;"):
        choose(work, Budget("cosine", 0.9999), lambda in_fp8, remember: 0.9998)


def test_no_contractions() -> None:
    assert choose({}, Budget("sqnr", 20.0), lambda in_fp8, remember: math.inf).in_fp8 == frozenset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.999", Budget("cosine", 0.999)), ("cosine:0.5", Budget("cosine", 0.5)), ("sqnr:25", Budget("sqnr", 25.0))],
)
def test_parse(text: str, expected: Budget) -> None:
    assert parse_budget(text) == parse_budget(str(expected)) == expected


@pytest.mark.parametrize("text", ["", "1", "0", "1.5", "-0.1", "nan", "sqnr:", "sqnr:inf", "snr:3", "cosine"])
def test_parse_errors(text: str) -> None:
    with pytest.raises(UsageError, match=r"--accuracy-budget: expected COSINE .* or sqnr:DECIBELS"):
        parse_budget(text)


def test_metrics() -> None:
    a = np.array([[3.0, 4.0], [0.0, 0.0], [1.0, 0.0]], np.float32)
    b = np.array([[3.0, 4.0], [0.0, 0.0], [0.0, 2.0]], np.float32)
    integers = np.array([1, 2])
    cosine, sqnr = Budget("cosine", 0.9), Budget("sqnr", 10.0)
    assert cosine.accuracy([[a, integers]], [[b, integers]]) == pytest.approx(2 / 3)
    assert sqnr.accuracy([[a]], [[b]]) == pytest.approx(10 * math.log10(26 / 5))
    assert sqnr.error(20.0) == pytest.approx(0.01)
    assert sqnr.accuracy([[a]], [[a]]) == math.inf and sqnr.error(math.inf) == 0
    assert cosine.accuracy([[a, a]], [[a, b]]) == pytest.approx(2 / 3)  # the worst of two outputs
    broken = np.full_like(a, np.nan)
    assert cosine.accuracy([[a]], [[broken]]) == sqnr.accuracy([[a]], [[broken]]) == -math.inf
    with pytest.raises(InputError, match="needs a model with a float output"):
        cosine.accuracy([[integers]], [[integers]])
