# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights: tensors by name, mapped from safetensors files.

A function argument with the attribute `fovea.weight = "tensor.name"` takes its value from here. The file format is that
of the safetensors project: a 64-bit little-endian header length, a JSON header, then the tensors' bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from fovea.bindings import ir
from fovea.errors import InputError
from fovea.executor.interpreter import WEIGHT, argument_attribute, entry_of
from fovea.executor.types import dtype_of, shape_text, static_shape

Array = np.ndarray[Any, Any]
PathLike = str | os.PathLike[str]

# Unsigned integers come as the signed containers of `executor.types`, bits kept.
_DTYPES: dict[str, Any] = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "BF16": ml_dtypes.bfloat16,
    "F8_E4M3": ml_dtypes.float8_e4m3fn,
    "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
    "F8_E5M2": ml_dtypes.float8_e5m2,
    "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
    "F8_E8M0": ml_dtypes.float8_e8m0fnu,
    "BOOL": np.bool_,
    **{f"{sign}{bits}": getattr(np, f"int{bits}") for sign in "IU" for bits in (8, 16, 32, 64)},
}
DTYPES: dict[str, np.dtype[Any]] = {name: np.dtype(kind) for name, kind in _DTYPES.items()}
"""safetensors' dtype to numpy's."""

_LENGTH_BYTES = 8
_LISTED = 10  # names that an error message lists before it counts the rest


class WeightStore(Mapping[str, Array]):
    """Tensors by name. Arrays from files are mapped, read-only, and read from disk as they are used."""

    def __init__(self, paths: Sequence[PathLike] | PathLike = ()) -> None:
        """Open safetensors files. InputError for a missing or damaged file, or a name that two files hold."""
        self._tensors: dict[str, Array] = {}
        self._files: dict[str, Path] = {}
        for path in [paths] if isinstance(paths, (str, os.PathLike)) else paths:
            self._open(Path(path))

    def __getitem__(self, name: str) -> Array:
        return self._tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def add(self, name: str, array: Array) -> None:
        """Add a derived tensor. InputError if the name is taken."""
        if name in self._tensors:
            raise InputError(f"two weights are called '{name}'")
        self._tensors[name] = array

    def _open(self, path: Path) -> None:
        for name, array in read_safetensors(path).items():
            if name in self._files:
                raise InputError(f"weight '{name}' is in two files: {self._files[name]} and {path}")
            self.add(name, array)
            self._files[name] = path

    def check(self, module: Any) -> None:
        """Compare with the arguments of the module's entry function that have a `fovea.weight` attribute.

        InputError, listing every problem: a tensor that is missing, one of another shape or element type, and one in a
        file that no argument names.
        """
        entry = entry_of(module)
        problems: list[str] = []
        wanted: set[str] = set()
        for position, argument in enumerate(entry.arguments):
            name = argument_attribute(entry, position, WEIGHT)
            if name is None:
                continue
            wanted.add(name)
            shape, dtype = _expected(argument.type)
            expected = shape_text(["?" if s is None else s for s in shape], dtype)
            array = self._tensors.get(name)
            if array is None:
                problems.append(f"missing weight '{name}': expected {expected}, found in no file")
            elif array.dtype != dtype or not _fits(shape, array.shape):
                found = shape_text(array.shape, array.dtype)
                problems.append(f"weight '{name}'{self._origin(name)}: expected {expected}, found {found}")
        for name in self._files:
            if name not in wanted:
                problems.append(f"extra weight '{name}'{self._origin(name)}: no argument of the model names it")
        if problems:
            more = len(problems) - _LISTED
            lines = problems[:_LISTED] + ([f"... and {more} more"] if more > 0 else [])
            raise InputError("the weights do not fit the model:\n  " + "\n  ".join(lines))

    def _origin(self, name: str) -> str:
        return f" in {self._files[name]}" if name in self._files else ""


def writable_copy(weights: Mapping[str, Array] | None) -> WeightStore:
    """A store of the same tensors, to which more may be added."""
    store = WeightStore()
    for name, array in (weights or {}).items():
        store.add(name, array)
    return store


def _expected(type_: Any) -> tuple[tuple[int | None, ...], np.dtype[Any]]:
    return static_shape(type_) if isinstance(type_, ir.RankedTensorType) else (), dtype_of(type_)


def _fits(expected: Sequence[int | None], found: Sequence[int]) -> bool:
    return len(expected) == len(found) and all(e is None or e == f for e, f in zip(expected, found, strict=True))


def read_safetensors(path: PathLike) -> dict[str, Array]:
    """The tensors of a safetensors file, mapped. InputError if it cannot be read or is not such a file."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
            start = _LENGTH_BYTES + length
            if size < _LENGTH_BYTES or start > size:
                raise InputError(
                    f"{path}: not a safetensors file: expected a header of {length} bytes, the file has {size}"
                )
            header = json.loads(file.read(length))
    except OSError as error:
        raise InputError(f"{path}: cannot read the weights: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not a safetensors file: the header is not JSON ({error})") from error
    if not isinstance(header, dict):
        raise InputError(f"{path}: not a safetensors file: expected a JSON object as the header")
    header.pop("__metadata__", None)
    data = np.memmap(path, np.uint8, "r", offset=start) if size > start else np.empty(0, np.uint8)
    return {name: _tensor(path, name, entry, data) for name, entry in header.items()}


def _tensor(path: Path, name: str, entry: Any, data: Array) -> Array:
    try:
        kind, shape, (low, high) = str(entry["dtype"]), tuple(map(int, entry["shape"])), map(int, entry["data_offsets"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: tensor '{name}': the header lacks a dtype, shape or data_offsets") from error
    if kind not in DTYPES:
        raise InputError(f"{path}: tensor '{name}': unknown dtype {kind}; known: {', '.join(DTYPES)}")
    dtype = DTYPES[kind]
    expected = prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or high - low != expected:
        raise InputError(f"{path}: tensor '{name}': expected {expected} bytes for {kind} {shape}, found {high - low}")
    if not 0 <= low <= high <= data.size:
        raise InputError(
            f"{path}: tensor '{name}': its bytes {low}..{high} lie past the end of the data ({data.size} bytes): "
            "the file is truncated"
        )
    return np.ndarray(shape, dtype, data, low) if expected else np.empty(shape, dtype)
