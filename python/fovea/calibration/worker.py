# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a Dask worker does: runs one batch of a module and gives back what its captures saw."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.calibration.collect import Collector
from fovea.ir_input import new_context, parse_module
from fovea.weights import WeightStore

Packed = tuple[float, int, int, int, np.ndarray[Any, Any]]  # of Statistics.packed


@dataclass(frozen=True)
class Job:
    """A module to run: the files with its bytecode and its weights (safetensors), which the worker can read. `name` is
    different for each."""

    name: str
    module: str
    weights: tuple[str, ...]
    mask: str = ""


_lock = threading.Lock()
_ready: tuple[str, Collector] | None = None  # of the job that this process ran last


def run_batch(job: Job, number: int, inputs: Mapping[str, np.ndarray[Any, Any]]) -> tuple[int, dict[str, Packed]]:
    """`number`, and the statistics of each capture over one batch."""
    global _ready
    with _lock:
        if _ready is None or _ready[0] != job.name:
            module = parse_module(job.module, new_context())
            _ready = (job.name, Collector(module, WeightStore(job.weights), mask=job.mask))
        collector = _ready[1]
        collector.statistics = {}
        collector.run(number, inputs)
        return number, {id_: seen.packed() for id_, seen in collector.statistics.items()}
