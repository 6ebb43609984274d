# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Memory of large arrays, used again once no array refers to it.

The C library gives memory of that size back to the system each time, and the system clears each page anew: a sixth of
the time of running a network.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from math import prod
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_LEAST = 1 << 18  # bytes; smaller arrays are cheap
_FREE = 1 << 26  # bytes that may lie unused


class Recycler:
    """Hands out arrays. Each is a view of a buffer that is used again when nothing but this refers to it: views of an
    array refer to the buffer as well, so whoever keeps an array, or a part of it, keeps its contents."""

    def __init__(self) -> None:
        self._buffers: dict[int, list[Array]] = {}  # by size
        self._lock = threading.Lock()

    def empty(self, shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
        """As np.empty."""
        size = prod(shape) * dtype.itemsize
        if size < _LEAST:
            return np.empty(shape, dtype)
        with self._lock:
            held = self._buffers.setdefault(size, [])
            position = next((i for i in range(len(held)) if _references(held, i) == _ALONE), len(held))
            if position == len(held):
                self._let_go()
                held.append(np.empty(size, np.uint8))
            return np.ndarray(shape, dtype, buffer=held[position])

    def _let_go(self) -> None:
        """Give back what lies unused, if it is much."""
        unused = sum(size for size, held in self._buffers.items() for i in range(len(held))
                     if _references(held, i) == _ALONE)  # fmt: skip
        if unused > _FREE:
            for held in self._buffers.values():
                for i in reversed(range(len(held))):
                    if _references(held, i) == _ALONE:
                        del held[i]


def _references(held: list[Array], position: int) -> int:
    return sys.getrefcount(held[position])


_ALONE = _references([np.empty(1)], 0)  # of what only a list refers to; versions of Python count differently
_current: ContextVar[Recycler | None] = ContextVar("recycler", default=None)


@contextmanager
def recycling(recycler: Recycler) -> Iterator[None]:
    """While it is open, `empty` and `reshape` take memory from `recycler`."""
    token = _current.set(recycler)
    try:
        yield
    finally:
        _current.reset(token)


def empty(shape: Sequence[int], dtype: Any) -> Array:
    """As np.empty, from memory used before if there is any."""
    recycler = _current.get()
    return np.empty(shape, dtype) if recycler is None else recycler.empty(shape, np.dtype(dtype))


def reshape(array: Array, shape: Sequence[int]) -> Array:
    """As array.reshape(shape): a view, or else a copy in row-major order."""
    try:
        return array.reshape(tuple(shape), copy=False)
    except ValueError:
        copy = empty(array.shape, array.dtype)
        np.copyto(copy, array)
        return copy.reshape(tuple(shape))
