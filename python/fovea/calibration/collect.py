# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration: the range of each captured tensor over batches of real inputs.

The module's `fovea.capture` ops say what to observe; the reference executor runs the batches. Only statistics are kept,
merged batch by batch.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from fovea.bindings import ir
from fovea.calibration.masking import mask_of, real_rows
from fovea.calibration.statistics import NotFinite, Statistics, largest_finite
from fovea.dialect.capture import OBSERVED
from fovea.errors import InputError
from fovea.executor import Executor
from fovea.executor.pieces import one_blas_thread, threads
from fovea.executor.types import location_text

if TYPE_CHECKING:
    from fovea.weights import WeightStore

Array = np.ndarray[Any, Any]
Observer = Callable[[Any, str, Array], None]  # capture op, its id, the tensor (a view: copy what is kept)
CAPTURE = "fovea.capture"
NO_BATCH = "there is no calibration batch: give at least one"
_AT_ONCE = 2  # batches that run at the same time: one computes where the other waits for memory or for Python


class Collector:
    """Runs batches through the entry function of a module; `statistics`: what each capture saw, by its id.

    Captures of one id share statistics. Of those of tensors that are not quantised (`fovea.observed`) the largest
    finite magnitude alone is kept, padding included: rows of padding must not overflow either. observers: called with
    each other captured tensor as well, once it has been checked.
    mask: name of an input that is 0 where rows are padding; captured tensors are seen without them (see `masking`).
    Batches may run in several threads at once (observers are then called from them).
    """

    def __init__(
        self, module: Any, weights: WeightStore | None = None, observers: Sequence[Observer] = (), mask: str = ""
    ) -> None:
        self.statistics: dict[str, Statistics] = {}
        self._observers, self._mask = observers, mask
        self._lock = threading.Lock()
        self._running = threading.local()  # `batch`: the number of the batch that this thread runs
        self._executor = Executor(module, weights, on_capture=self._observe)

    def run(self, number: int, inputs: Mapping[str, Array]) -> None:
        """Run one batch. InputError, naming it by `number`, if an input does not fit, or if a captured tensor holds NaN
        or infinity."""
        self._running.batch, self._running.mask = number, mask_of(inputs, self._mask)
        try:
            with np.errstate(over="ignore"):
                self._executor.observe(inputs)
        except InputError as error:
            if "calibration batch" in str(error):
                raise
            raise InputError(f"calibration batch {number}: {error}") from error

    def close(self) -> None:
        """Let go of the module, which may be rewritten from here on."""
        del self._executor

    def _observe(self, op: Any, id_: str, value: Array) -> None:
        if OBSERVED in op.attributes:
            return self._keep(id_, Statistics(largest_finite(value), 1))
        value = real_rows(value, self._running.mask)
        seen = Statistics()
        try:
            seen.update(value)
        except NotFinite as error:
            (magnitude,) = error.args
            found = "NaN" if np.isnan(magnitude) else "an infinite value"
            if np.isfinite(magnitude):
                found = f"{magnitude:g}, which f32 cannot hold"
            raise InputError(
                f"{location_text(op)}: capture '{id_}' saw {found} in calibration batch {self._running.batch}; "
                "check the inputs and weights, or leave this tensor out of quantisation"
            ) from None
        self._keep(id_, seen)
        for observer in self._observers:
            observer(op, id_, value)

    def _keep(self, id_: str, seen: Statistics) -> None:
        with self._lock:
            before = self.statistics.get(id_)
            self.statistics[id_] = seen if before is None else before.merge(seen)


def calibrate(
    module: Any,
    batches: Iterable[Mapping[str, Array]],
    weights: WeightStore | None = None,
    observers: Sequence[Observer] = (),
    mask: str = "",
) -> dict[str, Statistics]:
    """Run `batches` through the entry function of `module`; the statistics of each capture by its id.

    Sets `max_abs` (rounded up to f32) and `calibrated` on the captures that ran. `batches` is read one at a time, two
    ahead at most. `observers` see one batch after the other, in order. InputError if there is no batch, and as
    `Collector`.
    """
    collector = Collector(module, weights, observers, mask)
    count = 0
    at_once = 1 if observers else min(_AT_ONCE, threads())
    with one_blas_thread(), ThreadPoolExecutor(at_once, "fovea-calibration") as pool:
        running: deque[Future[None]] = deque()
        try:
            for inputs in batches:
                if len(running) == at_once:
                    running.popleft().result()
                running.append(pool.submit(collector.run, count, inputs))
                count += 1
            while running:
                running.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
    collector.close()
    if not count:
        raise InputError(NO_BATCH)
    set_max_abs(module, {id_: seen.max_abs for id_, seen in collector.statistics.items()})
    return collector.statistics


def set_max_abs(module: Any, ranges: Mapping[str, float]) -> None:
    """Set `max_abs` (rounded up to f32) and `calibrated` on the captures whose id `ranges` has."""
    f32 = ir.F32Type.get(module.context)

    def visit(op: Any) -> Any:
        if op.name == CAPTURE:
            found = ranges.get(ir.StringAttr(op.attributes["id"]).value)
            if found is not None:
                max_abs = _round_up(found)
                op.attributes["max_abs"] = ir.FloatAttr.get(f32, max_abs, ir.Location.unknown(module.context))
                op.attributes["calibrated"] = ir.BoolAttr.get(True, module.context)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)


def _round_up(value: float) -> float:
    """The least finite f32 that is not below `value` (the largest one for what rounds to it from above)."""
    rounded = np.float32(value)
    up = rounded if rounded >= value else np.nextafter(rounded, np.float32(np.inf))
    return float(min(up, np.finfo(np.float32).max))
