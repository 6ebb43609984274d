# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-smooth-activations`: outlier channels of activations move into the weights that they meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fovea.bindings import arith, ir
from fovea.calibration.moments import CAPTURE, captured
from fovea.errors import CompileError, UsageError
from fovea.executor.folding import ConstantEvaluator, evaluate
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import WeightLike
from fovea.passes.contraction import dims_of, identity_of
from fovea.passes.contraction_layout import is_contraction
from fovea.passes.elements import elements_attribute
from fovea.passes.registry import PassContext, register

Array = np.ndarray[Any, Any]
_VIEWS = ("tensor.expand_shape", "tensor.collapse_shape")


@register
@dataclass(frozen=True)
class SmoothActivations:
    """Divide each channel of a captured activation by a factor, and multiply the weights that it meets by the same.

    As SmoothQuant (Xiao et al., 2022): the factor of channel k is max|x_k|^alpha / max|w_k|^(1 - alpha), the largest
    over the weights that read x; here over the geometric mean of all channels, and rounded to a power of two, so that
    neither multiplication rounds. The multiplication of the activation joins the kernel that produces it, norm or
    linear; the one of the weight is evaluated at compile time. Runs on captures whose readers are contractions of their
    last axis with weights, by the moments of calibration (`PassContext.moments`); the captures have to be calibrated
    again. Record: {"kind": "smoothing", "id", "decision": "smoothed" | "left", "reason", "factors": [least, largest]}.
    Option: `alpha`, 0 to 1, how much moves.

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
        reason, readers = _readers(capture, context)
        if reason:
            context.records.append({**entry, "decision": "left", "reason": reason, "factors": [1.0, 1.0]})
            return
        values = evaluate([op.operands[1 - side] for op, side in readers], context.weights)
        weights = np.max([_largest_by_channel(v, _axis(op, 1 - side)) for v, (op, side) in
                          zip(values, readers, strict=True)], axis=0)  # fmt: skip
        activations = np.max([context.moments[identity_of(op) or ""].largest for op, _ in readers], axis=0)
        factors = smoothing_factors(activations, weights, self.alpha)
        if (factors != 1).any():
            _scale_activation(capture, 1 / factors)
            for op, side in readers:
                _scale_weight(op, 1 - side, factors)
        context.records.append({
            **entry, "decision": "smoothed", "reason": "channels moved into the weights that read them",
            "factors": [float(factors.min()), float(factors.max())],
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


def _readers(capture: Any, context: PassContext) -> tuple[str, list[tuple[Any, int]]]:
    """(reason not to smooth, []) or ("", contractions with the side that reads the capture)."""
    is_weight, evaluator = WeightLike(), ConstantEvaluator(context.weights)
    channels = list(capture.results[0].type.shape)[-1:]
    readers: list[tuple[Any, int]] = []
    pending = [capture.results[0]]
    while pending:
        value = pending.pop()
        for use in value.uses:
            op = use.owner.operation
            if op.name in _VIEWS:
                pending.append(op.results[0])
                continue
            side = use.operand_number
            if not is_contraction(op) or side > 1 or captured(op.operands[1 - side]) is not None:
                return f"'{op.name}' reads it, which is no contraction with a weight", []
            if dims_of(op).batch or len(dims_of(op).k) != 1 or identity_of(op) not in context.moments:
                return "a contraction that reads it has batch dims or several contracted ones", []
            shape = list(value.type.shape)
            if _axis(op, side) != len(shape) - 1 or shape[-1:] != channels:
                return "its last axis is not the contracted one", []
            if not is_weight(op.operands[1 - side]) or not evaluator.is_constant(op.operands[1 - side]):
                return "a weight that reads it is not known", []
            readers.append((op, side))
    return ("", readers) if readers else ("nothing reads it", [])


def _axis(op: Any, side: int) -> int:
    """The contracted axis of an operand of a contraction with one contracted dim."""
    places = [utils.dim_position(expression) for expression in utils.indexing_maps(op)[side].results]
    return places.index(dims_of(op).k[0])


def _largest_by_channel(values: Array, axis: int) -> Array:
    others = tuple(d for d in range(values.ndim) if d != axis)
    return np.asarray(np.abs(values.astype(np.float32)).max(axis=others))


def _scale_activation(capture: Any, factors: Array) -> None:
    value = capture.operands[0]
    with ir.InsertionPoint(capture), capture.location:
        capture.operands[0] = _multiplied(value, factors, len(value.type.shape) - 1)
    capture.attributes["calibrated"] = ir.BoolAttr.get(False, capture.context)


def _scale_weight(op: Any, side: int, factors: Array) -> None:
    value = op.operands[side]
    with utils.insertion_after(value), op.location:
        op.operands[side] = _multiplied(value, factors, _axis(op, side))


def _multiplied(value: Any, factors: Array, axis: int) -> Any:
    """`value` times one f32 factor a position along `axis`, at the insertion point."""
    context, rank, element = value.type.context, len(value.type.shape), value.type.element_type
    attribute = elements_attribute(factors.astype(np.float32), context)
    constant = arith.ConstantOp(attribute.type, attribute).result
    where = ir.AffineMap.get(rank, 0, [ir.AffineExpr.get_dim(axis, context)], context)

    def body(x: Any, factor: Any, _: Any) -> Any:
        product = arith.MulFOp(utils.float_cast(x, factor.type), factor).result
        return utils.float_cast(product, element)

    return utils.elementwise([value, constant], element, body, [ir.AffineMap.get_identity(rank, context), where])
