# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The search itself: measured sensitivities, then sets that they predict to be best, each measured as a whole.

1. Nothing and everything in FP8 are measured, then each contraction alone in FP8: its cost is the error it adds.
2. Errors of independent roundings add up, so the sets with the most work for a sum of costs (a knapsack, solved by
   dynamic programming over PIECES parts of the work) are the candidates. Bisection finds the largest that keeps the
   budget, each measured as a whole: what the costs predict is never taken for what a set does.
3. Up to REFINEMENTS more measurements try to add a contraction to it, or to exchange one for a larger one.

That is at most 2 + n + log2(PIECES + 1) + 1 + REFINEMENTS evaluations for n contractions. No step is random.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fovea.errors import InputError
from fovea.search.budget import Budget

PIECES = 1000
REFINEMENTS = 12
_HOPE = 1.05  # an exchange is tried if its predicted error is at most this times the budget's
Accuracy = Callable[[frozenset[str], bool], float]  # of the set in FP8; whether the next sets will be like it


@dataclass(frozen=True)
class Point:
    """A set that was measured: the work (FLOPs) in FP8, its accuracy, and in which step of the search."""

    in_fp8: frozenset[str]
    work: int
    accuracy: float
    step: str


@dataclass
class Chosen:
    """in_fp8: the contractions to quantise. accuracy: that of this set. costs: the error that each adds alone."""

    in_fp8: frozenset[str] = frozenset()
    accuracy: float = 0.0
    costs: dict[str, float] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)

    @property
    def frontier(self) -> list[Point]:
        """The points that no other beats in both work and accuracy, by work; accuracy falls along it."""
        best: list[Point] = []
        for point in sorted(self.points, key=lambda p: (-p.work, -p.accuracy)):
            if not best or point.accuracy > best[-1].accuracy:
                best.append(point)
        return best[::-1]


def choose(work: Mapping[str, int], budget: Budget, accuracy: Accuracy) -> Chosen:
    """The contractions to put in FP8 so that the most work is there and the budget is kept.

    work: FLOPs by id of each contraction. accuracy: measures a set on data that gave no ranges. InputError, with the
    best that was reached, if even nothing in FP8 misses the budget.
    """
    return _Search(work, budget, accuracy).run()


class _Search:
    def __init__(self, work: Mapping[str, int], budget: Budget, accuracy: Accuracy) -> None:
        self.work, self.budget, self.accuracy = dict(work), budget, accuracy
        self.order = list(work)
        self.result = Chosen()
        self.known: dict[frozenset[str], float] = {}

    def measure(self, in_fp8: frozenset[str], step: str, remember: bool = True) -> float:
        if in_fp8 not in self.known:
            found = self.known[in_fp8] = self.accuracy(in_fp8, remember)
            work = sum(self.work[name] for name in in_fp8)
            self.result.points.append(Point(in_fp8, work, found, step))
        return self.known[in_fp8]

    def keeps(self, in_fp8: frozenset[str], step: str) -> bool:
        return self.measure(in_fp8, step) >= self.budget.minimum

    def error(self, in_fp8: frozenset[str]) -> float:
        return self.budget.error(self.known[in_fp8])

    def run(self) -> Chosen:
        nothing, everything = frozenset[str](), frozenset(self.order)
        if not self.keeps(nothing, "nothing"):
            raise InputError(
                f"the accuracy budget {self.budget} cannot be kept: with nothing in FP8 the {self.budget.metric} to "
                f"the unquantised model is {self.known[nothing]:.10g}; give a smaller one, or a wider --compute-type"
            )
        for name in self.order:
            self.measure(frozenset([name]), "alone", remember=False)
            self.result.costs[name] = max(0.0, self.error(frozenset([name])) - self.error(nothing))
        best = everything
        if not self.keeps(everything, "everything"):
            best = self.refine(self.bisect(nothing))
        self.result.in_fp8, self.result.accuracy = best, self.known[best]
        return self.result

    def bisect(self, nothing: frozenset[str]) -> frozenset[str]:
        """The largest predicted set that keeps the budget."""
        candidates = [nothing, *_knapsacks(self.work, self.result.costs)]
        low, high = 0, len(candidates)  # the first keeps it; the last is everything, which does not
        if candidates[-1] == frozenset(self.order):
            high -= 1
        while high - low > 1:
            middle = (low + high) // 2
            if self.keeps(candidates[middle], "bisection"):
                low = middle
            else:
                high = middle
        return candidates[low]

    def refine(self, best: frozenset[str]) -> frozenset[str]:
        left = REFINEMENTS
        while left:
            for candidate in self.neighbours(best):
                if candidate in self.known:
                    continue
                left -= 1
                if self.keeps(candidate, "refinement"):
                    best = candidate
                    break
                if not left:
                    break
            else:
                break
        return best

    def neighbours(self, best: frozenset[str]) -> Iterator[frozenset[str]]:
        """Sets with more work by one addition or exchange that may keep the budget; the most work first."""
        costs, limit = self.result.costs, self.budget.error(self.budget.minimum)
        predicted = sum(costs[name] for name in best)
        scale = self.error(best) / predicted if predicted else 1.0
        moves: list[tuple[int, float, int, str, str | None]] = []
        for added in (name for name in self.order if name not in best):
            for removed in (None, *(name for name in self.order if name in best)):
                gain = self.work[added] - (self.work[removed] if removed else 0)
                error = self.error(best) + scale * (costs[added] - (costs[removed] if removed else 0.0))
                if gain > 0 and error <= limit * _HOPE:
                    moves.append((-gain, error, len(moves), added, removed))
        for *_, added, removed in sorted(moves):
            yield (best | {added}) - {removed}


def _knapsacks(work: Mapping[str, int], costs: Mapping[str, float]) -> list[frozenset[str]]:
    """Sets of least cost by their work, the work rising and with it the cost; the last holds everything."""
    total = max(1, sum(work.values()))
    sizes = {name: max(1, round(flops * PIECES / total)) for name, flops in work.items()}
    # By work in pieces: (cost, its last member, the entry without it). Entries share their beginnings.
    table: dict[int, tuple[float, Any, Any]] = {0: (0.0, None, None)}
    for name, size in sizes.items():
        for filled, entry in sorted(table.items(), reverse=True):
            cost = entry[0] + costs[name]
            if filled + size not in table or cost < table[filled + size][0]:
                table[filled + size] = (cost, name, entry)
    sets: list[frozenset[str]] = []
    least = float("inf")
    for _, entry in sorted(table.items(), reverse=True):
        if entry[0] < least:  # nothing with more work costs as little
            least = entry[0]
            sets.append(_members(entry))
    return sets[-2::-1] if sets and not sets[-1] else sets[::-1]


def _members(entry: tuple[float, Any, Any]) -> frozenset[str]:
    names = []
    while entry[1] is not None:
        names.append(entry[1])
        entry = entry[2]
    return frozenset(names)
