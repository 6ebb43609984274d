# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Statistics of the inputs of contractions and convolutions, along k: mean, largest magnitude, second moment.

Rounding of weights, bias correction and smoothing are made from them. k and the rows over which statistics are taken
are those of `fovea.passes.matrix_stack`: of a convolution the rows are the positions of its output image, padding
included, and k is its window. Sums of floats depend on their order, so batches are added in theirs: the same data give
the same bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fovea.bindings import ir
from fovea.calibration.masking import mask_of, real_rows
from fovea.executor import Executor
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import WeightLike
from fovea.passes.contraction import identity_of, is_product
from fovea.passes.contraction_layout import is_contraction
from fovea.passes.matrix_stack import Stack, stack_dims
from fovea.passes.padding import VIEWS, amounts_of, is_zero_pad

if TYPE_CHECKING:
    from fovea.weights import WeightStore

Array = np.ndarray[Any, Any]
CAPTURE = "fovea.capture"
LARGEST_SECOND = 1 << 30
"""Bytes of the largest second moment that is kept: k up to 11585. Rounding takes four times that, and minutes."""
ALL_SECOND = 4 << 30
"""Bytes of all second moments together; the smallest ones are kept."""


@dataclass
class Moments:
    """Of the input x (batch, rows, k) of a contraction or convolution with a weight.

    rows: how many. total: sum of x over them, (batch, k) f64. largest: max |x|, (batch, k) f32. second: x^T x,
    (batch, k, k) f64; without it `missing` says why, a clause.
    """

    rows: int
    total: Array
    largest: Array
    second: Array | None
    missing: str = ""

    @property
    def mean(self) -> Array:
        """Mean of x, (batch, k) f64."""
        return np.asarray(self.total / max(self.rows, 1))


@dataclass(frozen=True)
class Reader:
    """A contraction or convolution of a captured tensor with a weight.

    views: what lies between the two, nearest the capture first: a shape that it is reshaped to, or the (low, high)
    zeros that are put around it. stack: the operand's.
    """

    identity: str
    views: tuple[tuple[str, tuple[Any, ...]], ...]
    stack: Stack

    @property
    def key(self) -> Any:
        """Readers of one capture for which this is the same have the same moments."""
        return self.views, self.stack

    def pieces(self, value: Array, mask: Array | None) -> Iterator[Array]:
        """The operand as f32 (batch, rows, k), rows in pieces; `value` is the captured tensor."""
        value = value.astype(np.float32, copy=False)
        reshapes = all(kind == "reshape" for kind, _ in self.views)
        contracted = tuple(range(self.stack.own, len(self.stack.sizes)))
        trailing = tuple(form[0][0] for form in self.stack.forms[self.stack.own :] if len(form) == 1) == contracted
        if mask is not None and reshapes and not self.stack.batch and trailing:
            yield real_rows(value, mask).reshape(1, -1, self.stack.shape[2])
            return
        for kind, what in self.views:
            value = value.reshape(what) if kind == "reshape" else np.pad(value, what)
        yield from self.stack.pieces(value)


def readers_of(module: Any) -> dict[str, list[Reader]]:
    """Capture id -> the contractions and convolutions with a weight that read it, through reshapes and zero padding."""
    found: dict[str, list[Reader]] = {}
    for function in utils.functions(module):
        is_weight = WeightLike()
        for op in utils.body_ops(function):
            if identity_of(op) is None or not is_product(op):
                continue
            dims, inputs = stack_dims(op), utils.inputs_of(op)
            if dims is None:
                continue
            for side, value in enumerate(inputs):
                capture = captured(value)
                if capture is None or not is_weight(inputs[1 - side]) or (side == 1 and not is_contraction(op)):
                    continue
                stack = Stack.of(op, side, dims)
                if stack is not None:
                    reader = Reader(identity_of(op) or "", _views(value), stack)
                    found.setdefault(ir.StringAttr(capture.attributes["id"]).value, []).append(reader)
    return found


def captured(value: Any) -> Any | None:
    """The capture that `value` is, or is a reshape of, perhaps with zeros around it; None for any other value."""
    op = utils.defining_op(value)
    while op is not None and (op.name in VIEWS or is_zero_pad(op)):
        op = utils.defining_op(op.operands[0])
    return op if op is not None and op.name == CAPTURE else None


def _views(value: Any) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    views = []
    op = utils.producer_of(value)
    while op.name != CAPTURE:
        if op.name in VIEWS:
            views.append(("reshape", tuple(op.results[0].type.shape)))
        else:
            views.append(("pad", tuple(zip(*amounts_of(op), strict=True))))
        op = utils.producer_of(op.operands[0])
    return tuple(reversed(views))


def collect_moments(
    module: Any,
    batches: Iterable[Mapping[str, Array]],
    weights: WeightStore | None = None,
    second: bool = True,
    mask: str = "",
) -> dict[str, Moments]:
    """Moments by contraction id, over all batches; contractions of one tensor share theirs.

    second: whether second moments are taken. One of more than LARGEST_SECOND bytes is not, and of all the smallest are
    that take ALL_SECOND bytes together. mask: name of an input that is 0 where rows are padding (see
    `fovea.calibration.masking`).
    """
    readers = readers_of(module)
    keyed = {(id_, reader.key): reader for id_, all_ in readers.items() for reader in all_}
    missing = _missing(keyed) if second else dict.fromkeys(keyed, "second moments were not asked for")
    found: dict[Any, Moments] = {}
    for key, reader in keyed.items():
        batch, _, k = reader.stack.shape
        moment = None if missing[key] else np.zeros((batch, k, k))
        found[key] = Moments(0, np.zeros((batch, k)), np.zeros((batch, k), np.float32), moment, missing[key])
    current: dict[str, Array | None] = {"mask": None}

    def observe(_: Any, id_: str, value: Array) -> None:
        for key in dict.fromkeys((id_, reader.key) for reader in readers.get(id_, ())):
            for rows in keyed[key].pieces(value, current["mask"]):
                _add(found[key], rows)

    executor = Executor(module, weights, on_capture=observe)
    for inputs in batches:
        current["mask"] = mask_of(inputs, mask)
        executor.observe(inputs)
    return {r.identity: found[id_, r.key] for id_, all_ in readers.items() for r in all_}


def _missing(readers: Mapping[Any, Reader]) -> dict[Any, str]:
    """Why each has no second moment, "" if it has one."""
    sizes = {}
    for key, reader in readers.items():
        batch, _, k = reader.stack.shape
        sizes[key] = 8 * batch * k * k
    reasons: dict[Any, str] = {}
    total = 0
    for key in sorted(sizes, key=lambda key: sizes[key]):
        taken = f"the second moment of its input takes {sizes[key] >> 20} MiB"
        if sizes[key] > LARGEST_SECOND:
            reasons[key] = f"{taken}, more than {LARGEST_SECOND >> 20}"
        elif total + sizes[key] > ALL_SECOND:
            reasons[key] = f"{taken}, with those of other contractions more than {ALL_SECOND >> 20}"
        else:
            reasons[key], total = "", total + sizes[key]
    return reasons


def _add(seen: Moments, rows: Array) -> None:
    """Add rows (batch, rows, k)."""
    seen.rows += rows.shape[1]
    seen.total += rows.sum(axis=1, dtype=np.float64)
    if rows.size:
        seen.largest = np.maximum(seen.largest, np.abs(rows).max(axis=1))
    if seen.second is not None:
        for moment, matrix in zip(seen.second, rows, strict=True):
            moment += matrix.T @ matrix
