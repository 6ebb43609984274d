# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reading npz files that a user gives: every way in which one can be wrong is an InputError that names the file."""

from __future__ import annotations

import os
import zipfile
import zlib
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
