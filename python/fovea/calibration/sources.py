# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where calibration data comes from: batches of inputs in npz files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fovea.errors import InputError
from fovea.executor.types import is_float, is_small_float, name_of, shape_text
from fovea.npz import open_npz, read_array

Array = np.ndarray[Any, Any]
PathLike = str | os.PathLike[str]


def load_batches(paths: Sequence[PathLike], inputs: Sequence[tuple[str, Sequence[int], Any]]) -> list[dict[str, Array]]:
    """Batches from npz files: one array an input, of the input's shape with one more leading axis, the batches.

    inputs: (name, shape, dtype) of each input of the model. Files are read in order and their batches follow one
    another. A dtype of the same kind is converted. InputError, naming file and input, for a file that is missing or no
    npz, a missing or unknown array, another shape or kind of dtype, NaN or infinity, values that the input's integer
    type cannot hold, and for no batch.
    """
    if not paths:
        raise InputError("no calibration file given")
    batches: list[dict[str, Array]] = []
    for path in map(Path, paths):
        arrays = _read(path, inputs)
        counts = {name: len(array) for name, array in arrays.items()}
        if len(set(counts.values())) > 1:
            found = ", ".join(f"{name}: {count}" for name, count in counts.items())
            raise InputError(f"{path}: expected as many batches of each input, found {found}")
        if not counts or not next(iter(counts.values())):
            raise InputError(f"{path}: expected at least one batch, found none")
        batches += [{n: a[i] for n, a in arrays.items()} for i in range(next(iter(counts.values())))]
    return batches


def _read(path: Path, inputs: Sequence[tuple[str, Sequence[int], Any]]) -> dict[str, Array]:
    with open_npz(path, "the calibration data") as file:
        names = [name for name, _, _ in inputs]
        missing, extra = [n for n in names if n not in file.files], [n for n in file.files if n not in names]
        if missing or extra:
            parts = [f"missing {', '.join(map(repr, missing))}"] if missing else []
            parts += [f"unknown {', '.join(map(repr, extra))}"] if extra else []
            raise InputError(f"{path}: {' and '.join(parts)}; the model's inputs are: {', '.join(names) or 'none'}")
        arrays = {}
        for name, shape, dtype in inputs:
            arrays[name] = _convert(path, name, read_array(file, path, name), tuple(shape), np.dtype(dtype))
    return arrays


def _convert(path: Path, name: str, array: Array, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    expected = shape_text(["<batches>", *shape], dtype)
    fits = array.ndim == len(shape) + 1 and all(w in (None, n) for w, n in zip(shape, array.shape[1:], strict=True))
    same_kind = is_float(array.dtype) if is_float(dtype) else array.dtype.kind == dtype.kind
    if not fits or not same_kind:
        raise InputError(f"{path}: array '{name}': expected {expected}, found {shape_text(array.shape, array.dtype)}")
    with np.errstate(over="ignore"):  # what overflows is reported below
        converted = array.astype(dtype, copy=False)
    if is_float(dtype):
        wide = converted.astype(np.float32) if is_small_float(dtype) else converted
        if not np.isfinite(wide).all():
            position = tuple(int(i) for i in np.argwhere(~np.isfinite(wide))[0])
            raise InputError(
                f"{path}: array '{name}': expected finite values, found {float(array[position])} at "
                f"{list(position)} (as {name_of(dtype)}: {float(wide[position])})"
            )
    elif not np.array_equal(converted, array):
        raise InputError(f"{path}: array '{name}' holds values that {name_of(dtype)} cannot")
    return converted
