# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Statistics of the inputs of contractions, along the contracted dim k: mean, largest magnitude, second moment.

Rounding of weights, bias correction and smoothing are made from them. Sums of floats depend on their order, so batches
are added in theirs: the same data give the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fovea.bindings import ir
from fovea.calibration.masking import mask_of, real_rows
from fovea.executor import Executor
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import WeightLike
from fovea.passes.contraction import dims_of, identity_of
from fovea.passes.contraction_layout import is_contraction

if TYPE_CHECKING:
    from fovea.weights import WeightStore

Array = np.ndarray[Any, Any]
CAPTURE = "fovea.capture"
_VIEWS = ("tensor.expand_shape", "tensor.collapse_shape")


@dataclass
class Moments:
    """Of the input x (rows, k) of a contraction with a weight; k runs over the contracted dims in their order.

    rows: how many. total: sum of x, (k,) f64. largest: max |x|, (k,) f32. second: x^T x, (k, k) f64, if asked for.
    """

    rows: int
    total: Array
    largest: Array
    second: Array | None

    @property
    def mean(self) -> Array:
        """Mean of x, (k,) f64."""
        return np.asarray(self.total / max(self.rows, 1))


@dataclass(frozen=True)
class Reader:
    """A contraction of a captured tensor with a weight, without batch dims. axes: its operand's contracted ones."""

    identity: str
    shape: tuple[int, ...]
    axes: tuple[int, ...]

    def rows(self, value: Array, mask: Array | None) -> Array:
        """The operand as (rows, k) f32: the captured tensor is the operand up to reshapes."""
        if mask is not None and self.axes == tuple(range(len(self.shape) - len(self.axes), len(self.shape))):
            value = real_rows(value, mask)
            return value.reshape(-1, math.prod(self.shape[axis] for axis in self.axes)).astype(np.float32, copy=False)
        operand = value.reshape(self.shape)
        others = [axis for axis in range(operand.ndim) if axis not in self.axes]
        moved = operand.transpose([*others, *self.axes])
        k = math.prod(self.shape[axis] for axis in self.axes)
        return moved.reshape(-1, k).astype(np.float32, copy=False)


def readers_of(module: Any) -> dict[str, list[Reader]]:
    """Capture id -> the contractions with a weight that read it, through reshapes."""
    found: dict[str, list[Reader]] = {}
    for function in utils.functions(module):
        is_weight = WeightLike()
        for op in utils.body_ops(function):
            if not is_contraction(op) or identity_of(op) is None or dims_of(op).batch:
                continue
            inputs, maps, contracted = utils.inputs_of(op), utils.indexing_maps(op), dims_of(op).k
            for side, value in enumerate(inputs):
                capture = captured(value)
                if capture is None or not is_weight(inputs[1 - side]):
                    continue
                dims = [utils.dim_position(expression) for expression in maps[side].results]
                axes = tuple(dims.index(d) for d in contracted)
                reader = Reader(identity_of(op) or "", tuple(value.type.shape), axes)
                found.setdefault(ir.StringAttr(capture.attributes["id"]).value, []).append(reader)
    return found


def captured(value: Any) -> Any | None:
    """The capture that `value` is, or is a reshape of; None for any other value."""
    op = utils.defining_op(value)
    while op is not None and op.name in _VIEWS:
        op = utils.defining_op(op.operands[0])
    return op if op is not None and op.name == CAPTURE else None


def collect_moments(
    module: Any,
    batches: Iterable[Mapping[str, Array]],
    weights: WeightStore | None = None,
    second: bool = True,
    mask: str = "",
) -> dict[str, Moments]:
    """Moments by contraction id, over all batches; contractions of one tensor share theirs.

    mask: name of an input that is 0 where rows are padding (see `fovea.calibration.masking`).
    """
    readers = readers_of(module)
    found: dict[tuple[str, tuple[int, ...], tuple[int, ...]], Moments] = {}
    current: dict[str, Array | None] = {"mask": None}

    def observe(_: Any, id_: str, value: Array) -> None:
        for key in dict.fromkeys((id_, reader.shape, reader.axes) for reader in readers.get(id_, ())):
            reader = next(r for r in readers[id_] if (r.shape, r.axes) == key[1:])
            _add(found, key, reader.rows(value, current["mask"]), second)

    executor = Executor(module, weights, on_capture=observe)
    for inputs in batches:
        current["mask"] = mask_of(inputs, mask)
        executor.observe(inputs)
    return {r.identity: found[id_, r.shape, r.axes] for id_, all_ in readers.items() for r in all_}


def _add(found: dict[Any, Moments], key: Any, rows: Array, second: bool) -> None:
    k = rows.shape[1]
    if key not in found:
        found[key] = Moments(0, np.zeros(k), np.zeros(k, np.float32), np.zeros((k, k)) if second else None)
    seen = found[key]
    seen.rows += len(rows)
    seen.total += rows.sum(axis=0, dtype=np.float64)
    if len(rows):
        seen.largest = np.maximum(seen.largest, np.abs(rows).max(axis=0))
    if seen.second is not None:
        seen.second += rows.T @ rows
