# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reading npz files that a user gives: every way in which one can be wrong is an InputError that names the file."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fovea.errors import InputError

Array = np.ndarray[Any, Any]
# zipfile raises NotImplementedError for a compression that it does not know.
_DAMAGE = (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error, NotImplementedError)
_NPY_MAGIC = b"\x93NUMPY"


def open_npz(path: str | os.PathLike[str], what: str) -> np.lib.npyio.NpzFile:
    """The file, open, with its arrays still unread; `what` it should hold is named if it cannot be read."""
    try:
        with Path(path).open("rb") as stream:
            magic = stream.read(len(_NPY_MAGIC))
        if magic == _NPY_MAGIC:
            raise InputError(f"{path}: expected an npz file (one array an input), found a single array (npy)")
        if not zipfile.is_zipfile(path):
            raise InputError(f"{path}: not an npz file, or one that is cut short")
        file = np.load(path, allow_pickle=False)
    except OSError as error:
        raise InputError(f"{path}: cannot read {what}: {error.strerror or error}") from error
    except _DAMAGE as error:
        raise InputError(f"{path}: not an npz file ({error})") from error
    assert isinstance(file, np.lib.npyio.NpzFile)
    return file


def read_array(file: np.lib.npyio.NpzFile, path: str | os.PathLike[str], name: str) -> Array:
    """One array of an open file."""
    try:
        array = file[name]
    except _DAMAGE as error:
        reason = "it holds Python objects, not numbers" if "allow_pickle" in str(error) else str(error)
        raise InputError(f"{path}: cannot read array '{name}': {reason}") from error
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path}: cannot read array '{name}': it is not in numpy's format")
    return array


def read_npz(path: str | os.PathLike[str], what: str) -> dict[str, Array]:
    """All arrays by name."""
    with open_npz(path, what) as file:
        return {name: read_array(file, path, name) for name in file.files}


class StackedArray:
    """An array of an npz file whose entries along the first axis are read one at a time.

    What was saved in row-major order is read as it is needed and never held whole, compressed or not. An array in
    column-major order is held whole: its entries lie apart in the file.
    """

    def __init__(self, path: str | os.PathLike[str], name: str) -> None:
        """Read the header. InputError, naming file and array, if it is not an array of numbers in numpy's format."""
        self.path, self.name = Path(path), name
        self._whole: Array | None = None
        self._archive: zipfile.ZipFile | None = None
        self._stream: Any = None
        with self._reading():
            self._archive = zipfile.ZipFile(self.path)
            self._stream = self._archive.open(f"{name}.npy")
            version = np.lib.format.read_magic(self._stream)
            readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            if version not in readers:
                raise ValueError(f"its format is version {version}; expected {' or '.join(map(str, readers))}")
            self.shape, fortran_order, self.dtype = readers[version](self._stream)
            if self.dtype.hasobject:
                raise ValueError("it holds Python objects, not numbers")
            self._begin = self._stream.tell()
            if fortran_order and len(self.shape) > 1:
                with open_npz(self.path, "the array") as file:
                    self._whole = read_array(file, self.path, name)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, position: int) -> Array:
        """The entry at `position`, >= 0; reading in order is fast. InputError if the file is damaged there."""
        if self._whole is not None:
            return self._whole[position]
        shape = self.shape[1:]
        count = int(np.prod(shape, dtype=np.int64))
        with self._reading():
            start = self._begin + position * count * self.dtype.itemsize
            if self._stream.tell() != start:
                self._stream.seek(start)
            data = self._stream.read(count * self.dtype.itemsize)
            if len(data) < count * self.dtype.itemsize:
                raise EOFError(f"it ends within entry {position}")
        return np.frombuffer(data, self.dtype, count).reshape(shape)

    def close(self) -> None:
        """Let go of the file."""
        for open_one in (self._stream, self._archive):
            if open_one is not None:
                open_one.close()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (*_DAMAGE, KeyError) as error:
            raise InputError(f"{self.path}: cannot read array '{self.name}': {error}") from error
