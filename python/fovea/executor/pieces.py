# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Work in pieces that fit in the cache, on as many threads as the process has cores.

numpy lets go of Python's lock while it computes, so threads help where arrays are large. Pieces do not depend on the
number of threads, and BLAS runs on the thread that calls it, so that results are the same to the bit on any number of
cores. (OpenBLAS's own threads change the last bits with their number, and wait for each other in a busy loop, which
takes many times as long where other processes want the cores too.)
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

PIECE = 1 << 16  # elements of a piece: a few f32 temporaries of that size fit in a core's second-level cache
_pool: ThreadPoolExecutor | None = None
_runs = 0
_lock = threading.Lock()


def threads() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _forget() -> None:
    global _pool
    _pool = None  # threads do not survive a fork


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


@contextmanager
def running() -> Iterator[None]:
    """Counts the runs of networks: where there is one for each core, none gives work to other threads."""
    global _runs
    with _lock:
        _runs += 1
    try:
        yield
    finally:
        with _lock:
            _runs -= 1


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


def one_blas_thread() -> Any:
    """A context manager: BLAS starts no threads of its own (in this process) while it is open."""
    return _libraries().limit(limits=1, user_api="blas")


def cut(size: int, step: int) -> list[tuple[int, int]]:
    """[0, size) as ranges of `step`, the last one what is left."""
    return [(low, min(low + step, size)) for low in range(0, size, step)]


def run_all(function: Callable[[int, int], Any], ranges: Sequence[tuple[int, int]]) -> list[Any]:
    """`function(low, high)` of each range, in order; an exception of any is raised. Must not be nested."""
    global _pool
    workers = min(threads(), len(ranges))
    if workers <= 1 or _runs >= threads():
        return [function(low, high) for low, high in ranges]
    if _pool is None:
        _pool = ThreadPoolExecutor(threads(), "fovea-executor")
    # numpy's error state belongs to the context that set it
    jobs = [_pool.submit(contextvars.copy_context().run, function, low, high) for low, high in ranges]
    return [job.result() for job in jobs]
