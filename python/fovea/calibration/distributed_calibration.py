# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration on the workers of a Dask cluster: the same statistics, bit for bit, as in one process.

A task runs one batch; its key is the batch's number. Dask gives a task whose worker died to another, and hands out one
result a task, so no batch is lost or counted twice; statistics are integers and maxima, so the order of merging does
not matter, and the executor's results do not depend on the number of threads. (They do depend on the kind of processor:
BLAS has code for each.) Workers get the module (as bytecode) and its weights by the paths of files, so what a worker
takes with it when it dies is nothing that others need.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fovea.calibration.collect import NO_BATCH, set_max_abs
from fovea.calibration.statistics import Statistics
from fovea.errors import ExecutionError, InputError, UsageError
from fovea.executor.interpreter import WEIGHT, argument_attribute, entry_of
from fovea.weights import DTYPES

if TYPE_CHECKING:
    from fovea.weights import WeightStore

Array = np.ndarray[Any, Any]
LOCAL = "local:"
FORMS = "local:N (N processes of this machine) or the address of a Dask scheduler, for example tcp://127.0.0.1:8786"
CONNECT_SECONDS = 10
_AHEAD = 2  # batches given out for each thread of the workers


def parse_scheduler(text: str) -> int | str:
    """The number of processes of `local:N`, or the address. UsageError for anything else; InputError without Dask."""
    if text.startswith(LOCAL):
        number = text.removeprefix(LOCAL)
        if not number.isdecimal() or int(number) < 1:
            raise UsageError(f"calibration scheduler '{text}': expected {LOCAL}N with at least one process")
        found: int | str = int(number)
    elif "://" in text and text.rpartition(":")[2].isdecimal():
        found = text
    else:
        raise UsageError(f"calibration scheduler '{text}': expected {FORMS}")
    _dask()
    return found


def _dask() -> Any:
    """The module `distributed`; InputError that says how to install it."""
    try:
        import distributed
    except ImportError as error:
        raise InputError(
            f"calibration on a Dask cluster needs packages that are not installed ({error}): "
            "pip install 'fovea[distributed]'"
        ) from error
    return distributed


def calibrate_distributed(
    module: Any, batches: Iterable[Mapping[str, Array]], weights: WeightStore | None, scheduler: str, mask: str = ""
) -> dict[str, Statistics]:
    """As `fovea.calibration.calibrate`, on the workers of `scheduler` (see `parse_scheduler`).

    `local:N` starts N processes that listen on the loopback interface, and ends them. The workers of a scheduler need
    this version of Fovea, and a file system with the temporary directory of this machine (TMPDIR may name a shared
    one). InputError as `calibrate`, and if the scheduler cannot be reached; ExecutionError if workers die of a batch
    again and again, or lack a package.
    """
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(_connect(scheduler))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fovea-calibration-")))
        statistics = _run(client, _job(module, weights, folder, mask), batches)
    set_max_abs(module, {id_: seen.max_abs for id_, seen in statistics.items()})
    return statistics


@contextlib.contextmanager
def _connect(scheduler: str) -> Iterator[Any]:
    where, distributed = parse_scheduler(scheduler), _dask()
    import dask

    with contextlib.ExitStack() as stack:
        # Neither a line of log a worker, nor a wait for the loss of one that is gone.
        stack.enter_context(dask.config.set({"distributed.logging.distributed": "critical"}))
        if isinstance(where, int):
            cluster = distributed.LocalCluster(
                n_workers=where, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
                silence_logs=logging.CRITICAL,
            )  # fmt: skip
            stack.enter_context(cluster)
            where = cluster.scheduler_address
        try:
            client = stack.enter_context(distributed.Client(where, timeout=CONNECT_SECONDS, set_as_default=False))
        except (OSError, ValueError, distributed.comm.core.CommClosedError) as error:
            raise InputError(f"calibration scheduler '{scheduler}': cannot be reached: {error or 'no answer'}; start "
                             "one with `dask scheduler`, or use local:N") from error  # fmt: skip
        yield client


def _job(module: Any, weights: WeightStore | None, folder: Path, mask: str) -> Any:
    from fovea.calibration.worker import Job

    path = folder / "module.mlirbc"
    with path.open("wb") as stream:
        module.operation.write_bytecode(stream)
    return Job(uuid.uuid4().hex, str(path), _weight_files(module, weights, folder), mask)


def _weight_files(module: Any, weights: WeightStore | None, folder: Path) -> tuple[str, ...]:
    """A safetensors file with the weights that the module names, so that workers on this machine share its pages."""
    from safetensors.numpy import save_file

    entry = entry_of(module)
    names = [argument_attribute(entry, position, WEIGHT) for position in range(len(entry.arguments))]
    arrays = {name: weights[name] for name in names if name is not None and weights is not None and name in weights}
    if not arrays:
        return ()
    known = set(DTYPES.values())
    odd = [name for name, array in arrays.items() if array.dtype not in known]
    if odd:
        raise InputError(f"weight '{odd[0]}': a file cannot hold {arrays[odd[0]].dtype}; calibrate without a scheduler")
    path = folder / "weights.safetensors"
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
    return (str(path),)


def _run(client: Any, job: Any, batches: Iterable[Mapping[str, Array]]) -> dict[str, Statistics]:
    from fovea.calibration.worker import run_batch

    distributed = _dask()
    threads = max(1, sum(client.nthreads().values()))
    merged: dict[str, Statistics] = {}
    done: set[int] = set()
    numbered = enumerate(batches)
    running = distributed.as_completed(loop=client.loop)

    def give_out() -> bool:
        number, inputs = next(numbered, (None, None))
        if number is None:
            return False
        running.add(client.submit(run_batch, job, number, dict(inputs or {}), key=f"calibration-{job.name}-{number}"))
        return True

    try:
        while running.count() < _AHEAD * threads and give_out():
            pass
        for future in running:
            number, found = _result(distributed, future)
            if number not in done:
                done.add(number)
                for id_, packed in found.items():
                    merged[id_] = merged.get(id_, Statistics()).merge(Statistics.unpack(*packed))
            give_out()
    finally:
        running.clear()
    if not done:
        raise InputError(NO_BATCH)
    return merged


def _result(distributed: Any, future: Any) -> Any:
    try:
        return future.result()
    except distributed.scheduler.KilledWorker as error:
        raise ExecutionError(f"calibration: every worker that ran a batch was killed ({error}); out of memory? Try "
                             "with fewer processes") from error  # fmt: skip
    except ImportError as error:
        raise ExecutionError(f"calibration: a worker of the cluster lacks a package: {error}; install this version of "
                             "Fovea there: pip install 'fovea[distributed]'") from error  # fmt: skip
