# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Outputs of packages on the emulator, batch by batch, several batches at once."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

import numpy as np

from fovea.errors import ExecutionError
from fovea.package import Package, load_package
from fovea.runtime import run
from fovea.tables import bytes_text

Array = np.ndarray[Any, Any]
_packages: dict[str, Package] = {}  # of a worker process, by path


def emulate_batches(path: str, batches: Sequence[Mapping[str, Array]], jobs: int) -> Iterator[list[Array]]:
    """The outputs of each batch, in order. No more than a few batches are ahead of the one that is asked for.

    Without the emulator's checks, which find defects of kernels and do not change what they compute. ExecutionError if
    a kernel fails or its process dies.
    """
    count = min(jobs, len(batches))
    if count <= 1:
        for batch in batches:
            yield _run(path, batch)
        return
    # Not forked: MLIR's and BLAS's threads do not survive that. An interrupt ends a worker without a traceback.
    with ProcessPoolExecutor(count, get_context("spawn"), signal.signal, (signal.SIGINT, signal.SIG_DFL)) as pool:
        pending: deque[Future[list[Array]]] = deque()
        remaining = iter(batches)
        try:
            for batch in remaining:
                pending.append(pool.submit(_run, path, batch))
                if len(pending) > count:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        except BrokenProcessPool as error:
            raise ExecutionError("a process of the emulator was killed; out of memory? Try with --jobs 1") from error
        finally:
            for future in pending:
                future.cancel()


def default_jobs() -> int:
    """One process a core."""
    return os.cpu_count() or 1


def _run(path: str, batch: Mapping[str, Array]) -> list[Array]:
    if path not in _packages:
        _packages[path] = load_package(path)
    package = _packages[path]
    try:
        outputs = run(package, batch, checks=False)
    except MemoryError as error:
        needed = bytes_text(package.plan.arena_bytes)
        raise ExecutionError(f"not enough memory to run '{path}': its arena alone is {needed}") from error
    return [outputs[spec.name] for spec in package.plan.outputs]
