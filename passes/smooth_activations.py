# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-smooth-activations`: outlier channels of activations move into the weights that they meet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fovea.bindings import ir
from fovea.calibration.moments import CAPTURE, captured
from fovea.errors import CompileError, UsageError
from fovea.executor.folding import ConstantEvaluator, evaluate
from fovea.passes import ir_utils as utils
from fovea.passes.channel_axes import Axes, through_view
from fovea.passes.channel_factors import KERNEL, Factors, Folder, fold, multiplied
from fovea.passes.constant_subtree import WeightLike
from fovea.passes.contraction import identity_of, is_product
from fovea.passes.contraction_layout import is_contraction
from fovea.passes.index_values import loop_sizes
from fovea.passes.matrix_stack import Stack, dims_by_axis, stack_dims
from fovea.passes.padding import VIEWS, is_zero_pad
from fovea.passes.registry import PassContext, register

Array = np.ndarray[Any, Any]


@register
@dataclass(frozen=True)
class SmoothActivations:
    """Divide each channel of a captured activation by a factor, and multiply the weights that it meets by the same.

    As SmoothQuant (Xiao et al., 2022): the factor of channel k is max|x_k|^alpha / max|w_k|^(1 - alpha), the largest
    over the weights that read x; here over the geometric mean of all channels, and rounded to a power of two, so that
    neither multiplication rounds. The multiplication of the weight is evaluated at compile time. Channels are the axes
    of the tensor that every reader, through reshapes and zero padding, adds over: contracted dims, one or several, or
    the input channels of a convolution, those of all its groups. Batches of weights share the factors of a channel.

    The multiplication of the activation is folded where that changes no other tensor's value: if nothing but the
    capture reads the activation, and what it comes from has one reader each, into the scale and shift of the norm that
    produces it, or into the weight and bias of the linear or convolution that does, also through reshapes,
    transposes, ReLU and other functions f with f(s x) = s f(x), and products with other tensors (`channel_factors.py`).
    Otherwise (a residual connection reads it too) it joins the kernel that produces it.

    Runs by the moments of calibration (`PassContext.moments`); the captures have to be calibrated again. Record:
    {"kind": "smoothing", "id", "decision": "smoothed" | "left", "reason", "factors": [least, largest]}; if smoothed
    also "folded": "norm", "linear", or "kernel" (not folded), "" where all factors are 1. Option: `alpha`, 0 to 1, how
    much moves.

    Before:

        %c = "fovea.capture"(%x) {calibrated = true, id = "fc.lhs", max_abs = 96.0 : f32} : ...
        %r = linalg.matmul ins(%c, %w : tensor<4x8xf32>, tensor<8x5xf32>) ...

    After:

        %s = linalg.generic {...} ins(%x, %reciprocals : tensor<4x8xf32>, tensor<8xf32>) ... { arith.mulf }
        %c = "fovea.capture"(%s) {calibrated = false, id = "fc.lhs", max_abs = 0.0 : f32} : ...
        %ws = linalg.generic {...} ins(%w, %factors : tensor<8x5xf32>, tensor<8xf32>) ... { arith.mulf }
        %r = linalg.matmul ins(%c, %ws : tensor<4x8xf32>, tensor<8x5xf32>) ...
    """

    name: ClassVar[str] = "fovea-smooth-activations"

    alpha: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise UsageError(f"expected alpha from 0 to 1, found {self.alpha}")

    def run(self, module: Any, context: PassContext) -> None:
        if not context.moments:
            raise CompileError(
                "smoothing needs the largest magnitudes of activations by channel, found none: run it from "
                "`fovea compile --smooth` with calibration data"
            )
        for function in utils.functions(module):
            captures = [op for op in utils.body_ops(function) if op.name == CAPTURE]
            for capture in captures:
                self._smooth(capture, context)

    def _smooth(self, capture: Any, context: PassContext) -> None:
        entry = {"kind": "smoothing", "id": ir.StringAttr(capture.attributes["id"]).value}
        reason, axes, readers = _readers(capture, context)
        if reason:
            context.records.append({**entry, "decision": "left", "reason": reason, "factors": [1.0, 1.0]})
            return
        places = [extent if axis in axes else 1 for axis, extent in enumerate(capture.results[0].type.shape)]
        activations, weights = np.zeros(math.prod(places), np.float32), np.zeros(math.prod(places), np.float32)
        for reader in readers:
            (values,) = evaluate([reader.op.operands[1 - reader.side]], context.weights)
            largest = np.abs(reader.weight.matrices(values.astype(np.float32))).max(axis=1)
            np.maximum.at(weights, reader.channels(), largest)
            np.maximum.at(activations, reader.channels(), context.moments[identity_of(reader.op) or ""].largest)
        factors = smoothing_factors(activations, weights, self.alpha)
        folded = ""
        if (factors != 1).any():
            for reader in readers:
                _scale_weight(reader, factors)
            folded = _scale_activation(capture, Factors((1 / factors).reshape(places)), context)
        context.records.append({
            **entry, "decision": "smoothed", "reason": "channels moved into the weights that read them",
            "factors": [float(factors.min()), float(factors.max())], "folded": folded,
        })  # fmt: skip


def smoothing_factors(activations: Array, weights: Array, alpha: float) -> Array:
    """Factors (k,) f32, powers of two, from the largest magnitudes of each channel; 1 where one of them is 0."""
    a, w = activations.astype(np.float64), weights.astype(np.float64)
    used = (a > 0) & (w > 0)
    logs = np.zeros(len(a))
    logs[used] = alpha * np.log2(a[used]) - (1 - alpha) * np.log2(w[used])
    if used.any():
        logs[used] -= logs[used].mean()
    return np.exp2(np.rint(logs)).astype(np.float32)


@dataclass(frozen=True)
class _Reader:
    """A contraction or convolution that reads a capture as its operand `side`.

    dims: those of the iteration space along which the channels lie, row-major. weight: how the other operand lies.
    """

    op: Any
    side: int
    dims: tuple[int, ...]
    weight: Stack

    def channels(self) -> Array:
        """The channel at each place of the stack of matrices, (batch, k)."""
        dims = stack_dims(self.op)
        assert dims is not None
        order, extents = (*dims.batch, *dims.k), loop_sizes(self.op, utils.indexing_maps(self.op))
        found = np.zeros([extents[dim] for dim in order], np.int64)
        for dim in self.dims:
            place = np.arange(extents[dim]).reshape([-1 if d == dim else 1 for d in order])
            found = found * extents[dim] + place
        return found.reshape(self.weight.shape[0], self.weight.shape[2])


def _readers(capture: Any, context: PassContext) -> tuple[str, Axes, list[_Reader]]:
    """(reason not to smooth, (), []) or ("", the captured tensor's axes of channels, what reads them)."""
    is_weight, evaluator = WeightLike(), ConstantEvaluator(context.weights)
    uses: list[tuple[Any, int, list[Any]]] = []  # op, side, the views between
    pending: list[tuple[Any, list[Any]]] = [(capture.results[0], [])]
    while pending:
        value, views = pending.pop()
        for use in value.uses:
            op, side = use.owner.operation, use.operand_number
            if op.name in VIEWS or is_zero_pad(op):
                pending.append((op.results[0], [*views, op]))
                continue
            image = side == 1 and not is_contraction(op)
            if side > 1 or not is_product(op) or image or captured(op.operands[1 - side]) is not None:
                return f"'{op.name}' reads it, which is no contraction or convolution with a weight", (), []
            if identity_of(op) not in context.moments:
                return "calibration did not see a contraction that reads it", (), []
            if not is_weight(op.operands[1 - side]) or not evaluator.is_constant(op.operands[1 - side]):
                return "a weight that reads it is not known", (), []
            uses.append((op, side, views))
    if not uses:
        return "nothing reads it", (), []
    rank = len(capture.results[0].type.shape)
    ranges = [tuple(range(first, end)) for first in range(rank) for end in range(first + 1, rank + 1)]
    for axes in sorted(ranges, key=len, reverse=True):
        readers = [_reader(op, side, views, axes) for op, side, views in uses]
        if None not in readers:
            return "", axes, [reader for reader in readers if reader is not None]
    return "it has no axis that everything that reads it adds over", (), []


def _reader(op: Any, side: int, views: Sequence[Any], axes: Axes) -> _Reader | None:
    """A reader of channels along `axes` of a captured tensor; None if it does not add over them, or views mix them."""
    moved: Axes | None = axes
    for view in views:
        moved = through_view(view, moved) if moved is not None else None
    dims = stack_dims(op)
    if moved is None or dims is None:
        return None
    places, weight = dims_by_axis(op, side, moved), Stack.of(op, 1 - side, dims)
    if weight is None or weight.axes is None or not set(places) <= {*dims.batch, *dims.k}:
        return None
    return _Reader(op, side, tuple(p for p in places if p is not None), weight) if set(places) & set(dims.k) else None


def _scale_activation(capture: Any, factors: Factors, context: PassContext) -> str:
    """Multiply what a capture sees; says where that is done."""
    places = Folder(context.weights).places(capture.operands[0], factors)
    if places is not None:
        folded = fold(places)
    else:
        with ir.InsertionPoint(capture), capture.location:
            capture.operands[0] = multiplied(capture.operands[0], factors)
        folded = KERNEL
    capture.attributes["calibrated"] = ir.BoolAttr.get(False, capture.context)
    return folded


def _scale_weight(reader: _Reader, factors: Array) -> None:
    op, side = reader.op, 1 - reader.side
    value = op.operands[side]
    own = dims_by_axis(op, side, range(len(value.type.shape)))
    axes = [own.index(dim) for dim in reader.dims]  # by the channel's digits
    digits = factors.reshape([value.type.shape[axis] for axis in axes]).transpose(np.argsort(axes))
    places = [extent if axis in axes else 1 for axis, extent in enumerate(value.type.shape)]
    with utils.insertion_after(value), op.location:
        op.operands[side] = multiplied(value, Factors(digits.reshape(places)))
