# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration: the range of each captured tensor over batches of real inputs.

The module's `fovea.capture` ops say what to observe; the reference executor runs the batches. Only statistics are kept,
merged batch by batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fovea.bindings import ir
from fovea.calibration.statistics import Statistics, largest_magnitude
from fovea.errors import InputError
from fovea.executor import Executor
from fovea.executor.types import location_text

if TYPE_CHECKING:
    from fovea.weights import WeightStore

Array = np.ndarray[Any, Any]
Observer = Callable[[Any, str, Array], None]  # capture op, its id, the tensor (a view: copy what is kept)
CAPTURE = "fovea.capture"


def calibrate(
    module: Any,
    batches: Iterable[Mapping[str, Array]],
    weights: WeightStore | None = None,
    observers: Sequence[Observer] = (),
) -> dict[str, Statistics]:
    """Run `batches` through the entry function of `module`; the statistics of each capture by its id.

    Sets `max_abs` (rounded up to f32) and `calibrated` on the captures that ran. Captures of one id share statistics.
    observers: called with each captured tensor as well, once it has been checked.
    InputError if there is no batch, if an input does not fit, or if a captured tensor holds NaN or infinity.
    """
    statistics: dict[str, Statistics] = {}
    batch = 0

    def observe(op: Any, id_: str, value: Array) -> None:
        magnitude = largest_magnitude(value)
        if not np.isfinite(np.float32(magnitude)):
            found = "NaN" if np.isnan(magnitude) else "an infinite value"
            if np.isfinite(magnitude):
                found = f"{magnitude:g}, which f32 cannot hold"
            raise InputError(
                f"{location_text(op)}: capture '{id_}' saw {found} in calibration batch {batch}; "
                "check the inputs and weights, or leave this tensor out of quantisation"
            )
        statistics.setdefault(id_, Statistics()).update(value)
        for observer in observers:
            observer(op, id_, value)

    executor = Executor(module, weights, on_capture=observe)
    with np.errstate(over="ignore"):
        for batch, inputs in enumerate(batches):
            try:
                executor.run(inputs)
            except InputError as error:
                if "calibration batch" in str(error):
                    raise
                raise InputError(f"calibration batch {batch}: {error}") from error
            batch += 1
    if not batch:
        raise InputError("there is no calibration batch: give at least one")
    _annotate(module, statistics)
    return statistics


def _annotate(module: Any, statistics: Mapping[str, Statistics]) -> None:
    f32 = ir.F32Type.get(module.context)

    def visit(op: Any) -> Any:
        if op.name == CAPTURE:
            found = statistics.get(ir.StringAttr(op.attributes["id"]).value)
            if found is not None:
                max_abs = _round_up(found.max_abs)
                op.attributes["max_abs"] = ir.FloatAttr.get(f32, max_abs, ir.Location.unknown(module.context))
                op.attributes["calibrated"] = ir.BoolAttr.get(True, module.context)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)


def _round_up(value: float) -> float:
    """The least f32 that is not below `value`."""
    rounded = np.float32(value)
    return float(rounded if rounded >= value else np.nextafter(rounded, np.float32(np.inf)))
