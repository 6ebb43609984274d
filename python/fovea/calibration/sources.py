# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where calibration data comes from: npz files, folders of them, or random numbers if asked for by name.

A source is read one batch at a time and can be read again, so memory does not grow with the number of batches.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np

from fovea.errors import InputError, UsageError
from fovea.executor.types import is_float, is_small_float, name_of, shape_text
from fovea.npz import StackedArray, open_npz

Array = np.ndarray[Any, Any]
PathLike = str | os.PathLike[str]
Batch = dict[str, Array]
Inputs = Sequence[tuple[str, Sequence[int | None], Any]]

RANDOM = "random"
RANDOM_BATCHES, RANDOM_SEED = 8, 0
RANDOM_FORM = f"{RANDOM}[:BATCHES[:SEED]]"


class Source(Sequence[Batch]):
    """Batches of a model's inputs by name. `description` says where they come from, `warning` what is wrong with it."""

    description = ""
    warning: str | None = None
    on_batch: Callable[[int], None] | None = None
    """Called with the number of each batch, from 0, before it is handed out by iteration."""

    def batch(self, position: int) -> Batch:
        """The batch at `position`, 0 <= position < len(self)."""
        raise NotImplementedError

    @overload
    def __getitem__(self, position: int) -> Batch: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[Batch]: ...
    def __getitem__(self, position: int | slice) -> Batch | Sequence[Batch]:
        if isinstance(position, slice):
            return [self.batch(i) for i in range(*position.indices(len(self)))]
        if not -len(self) <= position < len(self):
            raise IndexError(f"batch {position} of {len(self)}")
        return self.batch(position % len(self))

    def __iter__(self) -> Iterator[Batch]:
        for position in range(len(self)):
            if self.on_batch is not None:
                self.on_batch(position)
            yield self.batch(position)


class NpzBatches(Source):
    """Batches from npz files: one array an input, of the input's shape with one more leading axis, the batches."""

    def __init__(self, paths: Sequence[Path], inputs: Inputs) -> None:
        self._inputs = [(name, tuple(shape), np.dtype(dtype)) for name, shape, dtype in inputs]
        self._paths = list(paths)
        self._ends: list[int] = []
        self._open: tuple[int, dict[str, StackedArray]] | None = None
        for number, path in enumerate(self._paths):
            arrays = self._arrays(number)
            counts = {name: len(array) for name, array in arrays.items()}
            if len(set(counts.values())) > 1:
                found = ", ".join(f"{name}: {count}" for name, count in counts.items())
                raise InputError(f"{path}: expected as many batches of each input, found {found}")
            count = next(iter(counts.values()), 0)
            if not count:
                raise InputError(f"{path}: expected at least one batch, found none")
            self._ends.append((self._ends[-1] if self._ends else 0) + count)
            for position in range(count):
                self._read(path, arrays, position)
        self.description = ", ".join(path.name for path in self._paths)

    def __len__(self) -> int:
        return self._ends[-1]

    def batch(self, position: int) -> Batch:
        number = next(i for i, end in enumerate(self._ends) if position < end)
        begin = self._ends[number - 1] if number else 0
        return self._read(self._paths[number], self._arrays(number), position - begin)

    def _read(self, path: Path, arrays: Mapping[str, StackedArray], position: int) -> Batch:
        return {
            name: _convert(path, name, position, arrays[name][position], dtype) for name, _, dtype in self._inputs
        }

    def _arrays(self, number: int) -> dict[str, StackedArray]:
        """The arrays of one file; only one file is open at a time."""
        if self._open is None or self._open[0] != number:
            for array in self._open[1].values() if self._open else ():
                array.close()
            self._open = (number, _open_arrays(self._paths[number], self._inputs))
        return self._open[1]


class RandomBatches(Source):
    """Random inputs, for trying things out: standard normal floats, and integers that are 0 or 1, the only values that
    are both positions in any table and flags. Ranges from them say little about a trained model.

    A batch depends on the seed and its position alone.
    """

    def __init__(self, inputs: Inputs, batches: int = RANDOM_BATCHES, seed: int = RANDOM_SEED) -> None:
        """InputError for an input of dynamic shape; UsageError for fewer than one batch or a negative seed."""
        if batches < 1 or seed < 0:
            raise UsageError(f"random calibration data: expected at least one batch and a seed >= 0, found {batches} "
                             f"and {seed}")  # fmt: skip
        self._inputs: list[tuple[str, tuple[int, ...], np.dtype[Any]]] = []
        for name, shape, dtype in inputs:
            sizes = tuple(size for size in shape if size is not None)
            if len(sizes) != len(shape):
                raise InputError(f"random calibration data: input '{name}' has a dynamic shape; give a file instead")
            self._inputs.append((name, sizes, np.dtype(dtype)))
        self._batches, self._seed = batches, seed
        self.description = f"random numbers (seed {seed})"
        self.warning = ("calibrated on random numbers, not on real inputs: the ranges, and with them the accuracy, say "
                        "little about the trained model")  # fmt: skip

    def __len__(self) -> int:
        return self._batches

    def batch(self, position: int) -> Batch:
        generator = np.random.default_rng([self._seed, position])
        return {
            name: generator.standard_normal(shape).astype(dtype) if is_float(dtype)
            else generator.integers(0, 2, shape).astype(dtype)
            for name, shape, dtype in self._inputs
        }  # fmt: skip


def load_batches(sources: Sequence[PathLike], inputs: Inputs) -> Source:
    """The batches of npz files and of folders of npz files (in the order of their names), one source after the other;
    or of `random[:BATCHES[:SEED]]` alone (a file of that name: ./random).

    inputs: (name, shape, dtype) of each input of the model. A dtype of the same kind is converted. All data is read
    once for being checked, a batch at a time. InputError, naming file and input, for a file that is missing or no npz,
    a folder without one, a missing or unknown array, another shape or kind of dtype, NaN or infinity, values that the
    input's integer type cannot hold, and for no batch. UsageError for a wrong form of `random`.
    """
    if not sources:
        raise InputError("no calibration file given")
    names = [str(os.fspath(source)) for source in sources]
    named = [name for name in names if name.split(":")[0] == RANDOM]
    if named:
        if len(names) > 1:
            raise UsageError(f"calibration data: expected {named[0]} alone, found {', '.join(names)}")
        return RandomBatches(inputs, *parse_random(named[0]))
    paths: list[Path] = []
    for path in map(Path, names):
        paths += _folder(path) if path.is_dir() else [path]
    return NpzBatches(paths, inputs)


def parse_random(text: str) -> tuple[int, int]:
    """Number of batches and seed of `random[:BATCHES[:SEED]]`; UsageError for anything else."""
    _, *numbers = text.split(":")
    if len(numbers) > 2 or not all(n.isdecimal() for n in numbers) or (numbers and int(numbers[0]) < 1):
        raise UsageError(f"calibration data '{text}': expected {RANDOM_FORM}, whole numbers, at least one batch; a "
                         f"file of that name is ./{text}")  # fmt: skip
    given = [int(n) for n in numbers]
    return (given[0] if given else RANDOM_BATCHES), (given[1] if len(given) > 1 else RANDOM_SEED)


def _folder(path: Path) -> list[Path]:
    found = sorted(path.glob("*.npz"))
    if not found:
        raise InputError(f"{path}: expected a folder with npz files, found none in it")
    return found


def _open_arrays(path: Path, inputs: Sequence[tuple[str, tuple[int | None, ...], Any]]) -> dict[str, StackedArray]:
    """The arrays of a file, open, their shapes and kinds checked."""
    with open_npz(path, "the calibration data") as file:
        there = list(file.files)
    names = [name for name, _, _ in inputs]
    missing, extra = [n for n in names if n not in there], [n for n in there if n not in names]
    if missing or extra:
        parts = [f"missing {', '.join(map(repr, missing))}"] if missing else []
        parts += [f"unknown {', '.join(map(repr, extra))}"] if extra else []
        raise InputError(f"{path}: {' and '.join(parts)}; the model's inputs are: {', '.join(names) or 'none'}")
    arrays = {name: StackedArray(path, name) for name in names}
    for name, shape, dtype in inputs:
        _check_kind(path, arrays[name], shape, dtype)
    return arrays


def _check_kind(path: Path, array: StackedArray, shape: Sequence[int | None], dtype: np.dtype[Any]) -> None:
    expected = shape_text(["<batches>", *shape], dtype)
    fits = len(array.shape) == len(shape) + 1 and all(
        wanted in (None, n) for wanted, n in zip(shape, array.shape[1:], strict=True)
    )
    same_kind = is_float(array.dtype) if is_float(dtype) else array.dtype.kind == dtype.kind
    if not fits or not same_kind:
        found = shape_text(array.shape, array.dtype)
        raise InputError(f"{path}: array '{array.name}': expected {expected}, found {found}")


def _convert(path: Path, name: str, batch: int, array: Array, dtype: np.dtype[Any]) -> Array:
    """One batch's array as `dtype`, its values checked."""
    with np.errstate(over="ignore"):  # what overflows is reported below
        converted = array.astype(dtype, copy=False)
    if is_float(dtype):
        wide = converted.astype(np.float32) if is_small_float(dtype) else converted
        if not np.isfinite(wide).all():
            position = tuple(int(i) for i in np.argwhere(~np.isfinite(wide))[0])
            raise InputError(
                f"{path}: array '{name}': expected finite values, found {float(array[position])} at "
                f"{[batch, *position]} (as {name_of(dtype)}: {float(wide[position])})"
            )
    elif not np.array_equal(converted, array):
        raise InputError(f"{path}: array '{name}' holds values that {name_of(dtype)} cannot")
    return converted
