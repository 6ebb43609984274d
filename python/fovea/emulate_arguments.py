# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernel arguments as words of a command line, and grids.

    in.npz:x           array x of an npz file, as a buffer
    zeros:f32:64x64    buffer of zeros
    random:f16:64x64:7 buffer of random values of seed 7 (0 if left out): floats from the standard normal
                       distribution, integers from 0 to 99, i1 from 0 and 1
    i32:5  f32:0.5     value
    ptr:null           null pointer
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from fovea.errors import InputError, UsageError
from fovea.npz import open_npz, read_array
from fovea.runtime import DTYPES

Array = np.ndarray[Any, Any]
LARGEST_BUFFER = 1 << 32
_FORMS = "FILE.npz:NAME, zeros:TYPE:SHAPE, random:TYPE:SHAPE[:SEED], TYPE:VALUE or ptr:null"


def parse_arguments(words: Sequence[str]) -> list[Any]:
    """Buffers (numpy arrays) and values (numpy scalars) in order.

    UsageError for a word that is none of the forms; InputError for a file or array that cannot be read.
    """
    return [_argument(word, f"argument {number} '{word}'") for number, word in enumerate(words)]


def _argument(word: str, where: str) -> Any:
    kind, *rest = word.split(":")
    if kind in ("zeros", "random"):
        return _made(kind, rest, where)
    if kind == "ptr":
        if rest != ["null"]:
            raise UsageError(f"{where}: the only pointer is ptr:null; for memory give an array or zeros:TYPE:SHAPE")
        return np.uint64(0)
    if kind in DTYPES and len(rest) == 1:
        return _value(kind, rest[0], where)
    path, _, name = word.rpartition(":")
    if not path or not path.endswith(".npz"):
        known = f"unknown type '{kind}'" if len(rest) == 1 and kind.isalnum() else "not understood"
        raise UsageError(f"{where}: {known}; expected {_FORMS}, with TYPE one of {', '.join(DTYPES)}")
    return _stored(path, name, where)


def _made(kind: str, rest: Sequence[str], where: str) -> Array:
    if len(rest) not in ((2,) if kind == "zeros" else (2, 3)):
        raise UsageError(f"{where}: expected {kind}:TYPE:SHAPE{'[:SEED]' if kind == 'random' else ''}")
    if rest[0] not in DTYPES:
        raise UsageError(f"{where}: unknown type '{rest[0]}'; expected one of {', '.join(DTYPES)}")
    dtype = DTYPES[rest[0]]
    if not re.fullmatch(r"[0-9]+(x[0-9]+)*", rest[1]):
        raise UsageError(f"{where}: shape '{rest[1]}' is not understood; expected extents as in 64x64")
    shape = tuple(int(extent) for extent in rest[1].split("x"))
    if prod(shape) * dtype.itemsize > LARGEST_BUFFER:
        raise UsageError(f"{where}: {prod(shape) * dtype.itemsize:,} bytes; the largest buffer has {LARGEST_BUFFER:,}")
    try:
        if kind == "zeros":
            return np.zeros(shape, dtype)
        return _random(dtype, shape, _seed(rest[2] if len(rest) == 3 else "0", where))
    except MemoryError as error:
        raise InputError(f"{where}: there is not enough memory for it") from error


def _seed(text: str, where: str) -> int:
    if not re.fullmatch(r"[0-9]+", text):
        raise UsageError(f"{where}: seed '{text}' is not a whole number >= 0")
    return int(text)


def _random(dtype: np.dtype[Any], shape: tuple[int, ...], seed: int) -> Array:
    generator = np.random.default_rng(seed)
    if dtype == np.bool_:
        return generator.integers(0, 2, shape).astype(dtype)
    if dtype.kind in "iu":
        return generator.integers(0, 100, shape).astype(dtype)
    return generator.standard_normal(shape, np.float32).astype(dtype)


def _value(kind: str, text: str, where: str) -> Any:
    dtype = DTYPES[kind]
    try:
        if dtype.kind not in "iub":
            return dtype.type(float(text))
        number = int(text, 0)
    except ValueError:
        raise UsageError(f"{where}: '{text}' is not a value of type {kind}") from None
    low, high = (0, 1) if dtype == np.bool_ else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    if not low <= number <= high:
        raise UsageError(f"{where}: {number} is not in the range of {kind}, {low} to {high}")
    return dtype.type(number)


def _stored(path: str, name: str, where: str) -> Array:
    with open_npz(path, "the arguments") as file:
        if name not in file.files:
            raise InputError(f"{where}: {path} has no array '{name}'; it has: {', '.join(file.files) or 'none'}")
        array = read_array(file, path, name)
    if array.dtype.kind not in "biufc":
        raise InputError(f"{where}: the array is of type {array.dtype}; expected numbers")
    return np.ascontiguousarray(array)


def parse_extents(text: str, flag: str) -> tuple[int, int, int]:
    """`X[,Y[,Z]]` of a grid or block; UsageError naming `flag`."""
    if not re.fullmatch(r"[0-9]+(,[0-9]+){0,2}", text):
        raise UsageError(f"{flag}: expected X, X,Y or X,Y,Z, found '{text}'")
    values = [int(value) for value in text.split(",")]
    if min(values) < 1 or max(values) > 2**31 - 1:
        raise UsageError(f"{flag}: extents are from 1 to {2**31 - 1}, found '{text}'")
    values += [1] * (3 - len(values))
    return values[0], values[1], values[2]
