# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration: the range of each captured tensor over batches of real inputs.

The module's `fovea.capture` ops say what to observe; the reference executor runs the batches. Only statistics are kept,
merged batch by batch.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fovea.bindings import ir
from fovea.errors import InputError
from fovea.executor import Executor
from fovea.executor.types import is_float, is_small_float, location_text, name_of, shape_text
from fovea.npz import open_npz, read_array

if TYPE_CHECKING:
    from fovea.weights import WeightStore

Array = np.ndarray[Any, Any]
PathLike = str | os.PathLike[str]
CAPTURE = "fovea.capture"


@dataclass(frozen=True)
class Range:
    """What was seen at one capture: the largest magnitude, and in how many values of how many batches."""

    max_abs: float
    batches: int
    elements: int

    def merge(self, other: Range) -> Range:
        """Both ranges together."""
        return Range(max(self.max_abs, other.max_abs), self.batches + other.batches, self.elements + other.elements)


def largest_magnitude(value: Array) -> float:
    """max |x|, NaN if any element is; no temporary of the tensor's size for f32 and f64. 0 for an empty array."""
    if not value.size:
        return 0.0
    wide = value.astype(np.float32) if is_small_float(value.dtype) else value
    return float(np.maximum(np.abs(wide.max()), np.abs(wide.min())))


def calibrate(
    module: Any, batches: Iterable[Mapping[str, Array]], weights: WeightStore | None = None
) -> dict[str, Range]:
    """Run `batches` through the entry function of `module`; the range of each capture by its id.

    Sets `max_abs` (rounded up to f32) and `calibrated` on the captures that ran. Captures of one id share a range.
    InputError if there is no batch, if an input does not fit, or if a captured tensor holds NaN or infinity.
    """
    ranges: dict[str, Range] = {}
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
        seen = Range(magnitude, 1, value.size)
        ranges[id_] = ranges[id_].merge(seen) if id_ in ranges else seen

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
    _annotate(module, ranges)
    return ranges


def _annotate(module: Any, ranges: Mapping[str, Range]) -> None:
    f32 = ir.F32Type.get(module.context)

    def visit(op: Any) -> Any:
        if op.name == CAPTURE:
            found = ranges.get(ir.StringAttr(op.attributes["id"]).value)
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


def load_batches(paths: Sequence[PathLike], inputs: Sequence[tuple[str, Sequence[int], Any]]) -> list[dict[str, Array]]:
    """Batches from npz files: one array an input, of the input's shape with one more leading axis, the batches.

    inputs: (name, shape, dtype) of each input of the model. Files are read in order and their batches follow one
    another. A dtype of the same kind is converted. InputError, naming file and input, for a file that is missing or no
    npz, a missing or unknown array, another shape or kind of dtype, NaN or infinity, values that the input's integer
    type cannot hold, and for no batch.
    """
    if not paths:
        raise InputError("no calibration file given")
    batches: list[dict[str, Array]] = []
    for path in map(Path, paths):
        arrays = _read(path, inputs)
        counts = {name: len(array) for name, array in arrays.items()}
        if len(set(counts.values())) > 1:
            found = ", ".join(f"{name}: {count}" for name, count in counts.items())
            raise InputError(f"{path}: expected as many batches of each input, found {found}")
        if not counts or not next(iter(counts.values())):
            raise InputError(f"{path}: expected at least one batch, found none")
        batches += [{n: a[i] for n, a in arrays.items()} for i in range(next(iter(counts.values())))]
    return batches


def _read(path: Path, inputs: Sequence[tuple[str, Sequence[int], Any]]) -> dict[str, Array]:
    with open_npz(path, "the calibration data") as file:
        names = [name for name, _, _ in inputs]
        missing, extra = [n for n in names if n not in file.files], [n for n in file.files if n not in names]
        if missing or extra:
            parts = [f"missing {', '.join(map(repr, missing))}"] if missing else []
            parts += [f"unknown {', '.join(map(repr, extra))}"] if extra else []
            raise InputError(f"{path}: {' and '.join(parts)}; the model's inputs are: {', '.join(names) or 'none'}")
        arrays = {}
        for name, shape, dtype in inputs:
            arrays[name] = _convert(path, name, read_array(file, path, name), tuple(shape), np.dtype(dtype))
    return arrays


def _convert(path: Path, name: str, array: Array, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    expected = shape_text(["<batches>", *shape], dtype)
    fits = array.ndim == len(shape) + 1 and all(w in (None, n) for w, n in zip(shape, array.shape[1:], strict=True))
    same_kind = is_float(array.dtype) if is_float(dtype) else array.dtype.kind == dtype.kind
    if not fits or not same_kind:
        raise InputError(f"{path}: array '{name}': expected {expected}, found {shape_text(array.shape, array.dtype)}")
    with np.errstate(over="ignore"):  # what overflows is reported below
        converted = array.astype(dtype, copy=False)
    if is_float(dtype):
        wide = converted.astype(np.float32) if is_small_float(dtype) else converted
        if not np.isfinite(wide).all():
            position = tuple(int(i) for i in np.argwhere(~np.isfinite(wide))[0])
            raise InputError(
                f"{path}: array '{name}': expected finite values, found {float(array[position])} at "
                f"{list(position)} (as {name_of(dtype)}: {float(wide[position])})"
            )
    elif not np.array_equal(converted, array):
        raise InputError(f"{path}: array '{name}' holds values that {name_of(dtype)} cannot")
    return converted
