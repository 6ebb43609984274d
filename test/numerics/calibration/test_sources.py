# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration data: read a batch at a time, from files, folders and random numbers."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from calibration_models import batch, linear

from fovea.calibration import RandomBatches, calibrate, load_batches
from fovea.errors import InputError, UsageError

INPUTS = [("ids", (3,), np.dtype(np.int32)), ("x", (2, 2), np.dtype(np.float32))]
IDS, X = np.arange(12).reshape(4, 3), np.arange(16.0).reshape(4, 2, 2)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_batches_are_read_in_any_order(tmp_path: Path, save: Callable[..., None], order: Any) -> None:
    save(tmp_path / "a.npz", ids=IDS, x=np.asarray(X, order=order))
    save(tmp_path / "b.npz", ids=IDS[:1] + 100, x=X[:1])
    batches = load_batches([tmp_path / "a.npz", tmp_path / "b.npz"], INPUTS)
    assert len(batches) == 5
    for position in (0, 4, 2, 1, 1, 3, -1, -5):
        wanted = (IDS[0] + 100, X[0]) if position % 5 == 4 else (IDS[position % 5], X[position % 5])
        found = batches[position]
        assert np.array_equal(found["ids"], wanted[0]) and np.array_equal(found["x"], wanted[1])
        assert (found["ids"].dtype, found["x"].dtype) == (np.int32, np.float32)
    assert [b["ids"][0] for b in batches] == [0, 3, 6, 9, 100]
    assert [b["ids"][0] for b in batches] == [0, 3, 6, 9, 100], "they can be read again"
    assert [b["ids"][0] for b in batches[1:3]] == [3, 6]
    with pytest.raises(IndexError):
        batches[5]


def test_a_folder_is_read_in_order_of_names(tmp_path: Path) -> None:
    for name, first in (("10.npz", 1), ("2.npz", 2), ("01.npz", 0)):
        np.savez(tmp_path / name, ids=IDS[first : first + 1], x=X[:1])
    (tmp_path / "notes.txt").write_text("not data")
    batches = load_batches([tmp_path], INPUTS)
    assert [int(b["ids"][0]) for b in batches] == [0, 3, 6]
    assert batches.description == "01.npz, 10.npz, 2.npz"
    assert batches.warning is None


def test_a_folder_without_data(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{tmp_path}: expected a folder with npz files, found none in it"):
        load_batches([tmp_path], INPUTS)


def test_a_file_that_changes_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, ids=IDS, x=X)
    batches = load_batches([path], INPUTS)
    batches._open = None  # type: ignore[attr-defined]
    path.unlink()
    with pytest.raises(InputError, match=r"a.npz: cannot read the calibration data: No such file"):
        batches[0]


def test_memory_does_not_grow_with_a_file(tmp_path: Path) -> None:
    """A compressed file of 64 MB in batches of 64 KB: less than 2 MB are held at a time."""
    inputs = [("x", (128, 128), np.dtype(np.float32))]
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((1024, 128, 128), np.float32))
    tracemalloc.start()
    try:
        for _ in load_batches([tmp_path / "a.npz"], inputs):
            pass
        assert tracemalloc.get_traced_memory()[1] < 2e6
    finally:
        tracemalloc.stop()


def test_an_iterable_is_not_read_far_ahead() -> None:
    module, weights = linear()
    alive: list[int] = []

    class Counted(dict):  # type: ignore[type-arg]
        def __init__(self, number: int) -> None:
            super().__init__(batch(number))
            self.number = number
            alive.append(number)

        def __del__(self) -> None:
            alive.remove(self.number)

    def batches() -> Iterator[Any]:
        for number in range(20):
            yield Counted(number)
            assert len(alive) <= 3  # two that run, and the one that this generator holds

    assert calibrate(module, batches(), weights)["x"].batches == 20


def test_random_numbers() -> None:
    inputs = [("ids", (3, 50), np.dtype(np.int64)), ("flag", (9,), np.dtype(np.bool_)),
              ("x", (2, 200), np.dtype(ml_dtypes.bfloat16))]  # fmt: skip
    batches = load_batches(["random:5:3"], inputs)
    assert isinstance(batches, RandomBatches)
    assert len(batches) == 5
    assert {int(v) for b in batches for v in b["ids"].ravel()} == {0, 1}
    assert [b["x"].dtype for b in batches] == [ml_dtypes.bfloat16] * 5
    spread = np.concatenate([b["x"].astype(np.float32).ravel() for b in batches]).std()
    assert 0.9 < spread < 1.1
    again = RandomBatches(inputs, 5, 3)
    assert all(np.array_equal(batches[i][name], again[i][name]) for i in (4, 0) for name in ("ids", "flag", "x"))
    assert not np.array_equal(again[0]["ids"], RandomBatches(inputs, 5, 4)[0]["ids"])
    assert "random numbers" in (batches.warning or "")
    assert (len(load_batches(["random"], inputs)), len(load_batches(["random:3"], inputs))) == (8, 3)


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (["random:0"], "calibration data 'random:0': expected random[:BATCHES[:SEED]], whole numbers, at least one"),
        (["random:x"], "calibration data 'random:x': expected random[:BATCHES[:SEED]]"),
        (["random:"], "a file of that name is ./random:"),
        (["random:1:2:3"], "calibration data 'random:1:2:3'"),
        (["random", "a.npz"], "calibration data: expected random alone, found random, a.npz"),
        (["random:2", "random"], "calibration data: expected random:2 alone, found random:2, random"),
    ],
)
def test_wrong_forms_of_random(sources: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        load_batches(sources, INPUTS)


def test_random_numbers_need_shapes() -> None:
    with pytest.raises(InputError, match="input 'x' has a dynamic shape; give a file instead"):
        load_batches(["random"], [("x", (None, 3), np.dtype(np.float32))])
