# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The arena's packing: random buffers and lifetimes."""

from __future__ import annotations

import numpy as np
import pytest

from fovea.passes.plan import ALIGNMENT, Interval, pack


def random_intervals(seed: int) -> list[Interval]:
    rng = np.random.default_rng(seed)
    launches = int(rng.integers(1, 40))
    intervals = []
    for _ in range(rng.integers(0, 60)):
        first = int(rng.integers(0, launches))
        last = int(min(first + rng.geometric(0.3) - 1, launches - 1))
        intervals.append(Interval(int(rng.choice([1, 255, 256, 257, 4096, rng.integers(1, 100000)])), first, last))
    return intervals


def rounded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


@pytest.mark.parametrize("seed", range(100))
def test_no_two_live_buffers_overlap(seed: int) -> None:
    intervals = random_intervals(seed)
    offsets, total = pack(intervals)
    assert len(offsets) == len(intervals)
    for number, (item, offset) in enumerate(zip(intervals, offsets, strict=True)):
        assert offset % ALIGNMENT == 0
        assert 0 <= offset <= total - item.size
        for other, place in zip(intervals[:number], offsets[:number], strict=True):
            if other.first <= item.last and item.first <= other.last:
                assert offset + item.size <= place or place + other.size <= offset, f"{item} and {other}"
    assert total <= sum(rounded(item.size) for item in intervals)
    # No packing does with less than what is live at once.
    launches = range(1 + max((item.last for item in intervals), default=0))
    live = [sum(rounded(item.size) for item in intervals if item.first <= t <= item.last) for t in launches]
    assert total >= max(live, default=0)


def test_a_chain_needs_two_buffers() -> None:
    offsets, total = pack([Interval(1000, t, t + 1) for t in range(10)])
    assert total == 2 * 1024
    assert offsets == [1024 * (t % 2) for t in range(10)]


def test_small_buffers_fill_gaps() -> None:
    offsets, total = pack([Interval(1024, 0, 3), Interval(2048, 0, 0), Interval(512, 1, 3), Interval(512, 1, 2)])
    assert total == 3072
    assert offsets[1] == 0 and offsets[0] == 2048
    assert {offsets[2], offsets[3]} == {0, 512}


def test_nothing_to_place() -> None:
    assert pack([]) == ([], 0)
