# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-quantize-fp8`: calibrated captures and the weights they meet become quantize/dequantize pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from fovea.bindings import ir
from fovea.dialect.quantize import PER_TENSOR, STORAGE_MAX
from fovea.errors import UsageError
from fovea.executor.folding import ConstantEvaluator, evaluate
from fovea.passes import ir_utils as utils
from fovea.passes.channel_axes import merge_axes, split_like
from fovea.passes.constant_subtree import WeightLike, weight_names
from fovea.passes.contraction import IDENTITY, channel_axes, is_product
from fovea.passes.elements import elements_attribute
from fovea.passes.insert_captures import CAPTURE
from fovea.passes.padding import VIEWS, is_zero_pad
from fovea.passes.registry import PassContext, register
from fovea.target import fp8_format

Granularity = Literal["channel", "tensor"]
GRANULARITIES = get_args(Granularity)
# Smallest scale used: its reciprocal is finite, and the product of two of them is still a normal f32 (2^-126).
MIN_SCALE = np.float32(2.0**-63)


@register
@dataclass(frozen=True)
class QuantizeFp8:
    """Insert `fovea.quantize` and `fovea.dequantize` on both operands of the contractions that captures mark.

    A capture becomes a pair with one scale, the calibrated max_abs divided by the largest finite value of the storage
    type. The constant operand of a contraction that reads a capture becomes a pair with one scale an output channel,
    from its values. Scales are f32; that of a tensor or channel of zeros is 1.0, and none is below 2^-63 (remarks say
    so). Every capture is gone afterwards; the pairs carry its id, or the weight's name, as `fovea.id`.
    Options: `storage` (default: the target's FP8 type), `granularity` of the weights' scales, "channel" or "tensor".

    Before:

        %c = "fovea.capture"(%x) {calibrated = true, id = "fc.lhs", max_abs = 4.8 : f32} : ...
        %r = linalg.matmul ins(%c, %w : tensor<4x8xf32>, tensor<8x5xf32>) ...

    After:

        %q = "fovea.quantize"(%x) {axis = -1, scale = dense<0.02> : tensor<f32>} : ... -> tensor<4x8xf8E4M3FNUZ>
        %d = "fovea.dequantize"(%q) {axis = -1, scale = dense<0.02> : tensor<f32>} : ... -> tensor<4x8xf32>
        %wq = "fovea.quantize"(%w) {axis = 1, scale = dense<[...]> : tensor<5xf32>} : ... -> tensor<8x5xf8E4M3FNUZ>
        %wd = "fovea.dequantize"(%wq) {axis = 1, scale = dense<[...]> : tensor<5xf32>} : ... -> tensor<8x5xf32>
        %r = linalg.matmul ins(%d, %wd : tensor<4x8xf32>, tensor<8x5xf32>) ...
    """

    name: ClassVar[str] = "fovea-quantize-fp8"

    storage: str = ""
    granularity: Granularity = "channel"

    def __post_init__(self) -> None:
        if self.storage and self.storage not in STORAGE_MAX:
            raise UsageError(f"unknown storage '{self.storage}'; expected one of {', '.join(STORAGE_MAX)}")
        if self.granularity not in GRANULARITIES:
            raise UsageError(f"unknown granularity '{self.granularity}'; expected one of {', '.join(GRANULARITIES)}")

    def run(self, module: Any, context: PassContext) -> None:
        quantizer = _Quantizer(self.storage or fp8_format(context.target), self.granularity, context)
        for function in utils.functions(module):
            _check_calibrated(function)
            quantizer.quantize_weights(function)
            for op in utils.body_ops(function):
                if op.name == CAPTURE:
                    quantizer.replace_capture(op)


def _check_calibrated(function: Any) -> None:
    for op in utils.body_ops(function):
        if op.name == CAPTURE and not bool(ir.BoolAttr(op.attributes["calibrated"]).value):
            identity = ir.StringAttr(op.attributes["id"]).value
            raise utils.error_at(
                op, f"'{identity}' has no range: run calibration first (--calibration FILE.npz), or compile without FP8"
            )


class _Quantizer:
    def __init__(self, storage: str, granularity: str, context: PassContext) -> None:
        self.storage, self.granularity, self.context = storage, granularity, context
        self.largest = STORAGE_MAX[storage]

    def replace_capture(self, op: Any) -> None:
        largest = np.float32(ir.FloatAttr(op.attributes["max_abs"]).value)
        identity = ir.StringAttr(op.attributes["id"]).value
        scale = self._scale(np.asarray(largest), op, identity)
        with ir.InsertionPoint(op), op.location:
            pair = self._pair(op.operands[0], scale, PER_TENSOR, identity)
        self._record(identity, "activation", scale, PER_TENSOR)
        op.results[0].replace_all_uses_with(pair)
        op.erase()

    def quantize_weights(self, function: Any) -> None:
        """Pairs on the constant operands of contractions that read a capture; one a weight and axis."""
        is_weight = WeightLike()
        pairs: dict[tuple[Any, tuple[int, ...]], Any] = {}
        found = []
        for op in utils.body_ops(function):
            if is_product(op) and any(_reads_capture(operand) for operand in utils.inputs_of(op)):
                for side, operand in enumerate(utils.inputs_of(op)):
                    if is_weight(operand):
                        axes = channel_axes(op, side) if self.granularity == "channel" else ()
                        found.append((op, side, operand, axes))
        for op, side, operand, axes in found:
            if (operand, axes) not in pairs:
                if len(axes) > 1:
                    pairs[operand, axes] = self._merged_pair(op, operand, axes)
                else:
                    pairs[operand, axes] = self._weight_pair(op, operand, axes[0] if axes else PER_TENSOR)
            op.operands[side] = pairs[operand, axes]

    def _merged_pair(self, op: Any, value: Any, axes: tuple[int, ...]) -> Any:
        """The pair of a weight whose output channels lie along neighbouring axes: that of the weight with these as one
        axis."""
        with utils.insertion_after(value), op.location:
            merged = merge_axes(value, axes)
        pair = self._weight_pair(op, merged, axes[0])
        with utils.insertion_after(pair), op.location:
            return split_like(pair, merged)

    def _weight_pair(self, op: Any, value: Any, axis: int) -> Any:
        names = weight_names(value)
        label = f"weight '{names[0]}'" if names else "a constant"
        if not ConstantEvaluator(self.context.weights).is_constant(value):
            raise utils.error_at(
                op, f"cannot be quantised: the values of {label} are not known (give --weights FILE.safetensors)"
            )
        (array,) = evaluate([value], self.context.weights)
        with np.errstate(over="ignore"):
            magnitudes = np.abs(array.astype(np.float32))
        if not np.isfinite(magnitudes).all():
            where = np.unravel_index(int(np.argmin(np.isfinite(magnitudes))), magnitudes.shape)
            raise utils.error_at(
                op, f"cannot be quantised: {label} holds {array[where]} at {[int(i) for i in where]}; "
                    "check the file it came from, or exclude this contraction"
            )  # fmt: skip
        others = tuple(d for d in range(magnitudes.ndim) if d != axis)
        largest = magnitudes.max(axis=others) if magnitudes.size else np.float32(0)
        scale = self._scale(np.asarray(largest, np.float32), op, label)
        self._record(names[0] if names else "constant", "weight", scale, axis)
        with utils.insertion_after(value), op.location:
            return self._pair(value, scale, axis, names[0] if names else None)

    def _scale(self, largest: np.ndarray[Any, Any], op: Any, label: str) -> np.ndarray[Any, Any]:
        """max_abs / largest finite stored value, in f32; 1.0 where max_abs is 0."""
        scale = (largest / np.float32(self.largest)).astype(np.float32)
        zeros = int(np.count_nonzero(largest == 0))
        tiny = int(np.count_nonzero((largest > 0) & (scale < MIN_SCALE)))
        if zeros:
            self.context.remark(op.location, f"{label}: {_of(zeros, largest)} only zeros, the scale is 1.0 there")
        if tiny:
            self.context.remark(op.location, f"{label}: {_of(tiny, largest)} values so small that the scale is 2^-63")
        return np.where(largest == 0, np.float32(1.0), np.maximum(scale, MIN_SCALE)).astype(np.float32)

    def _pair(self, value: Any, scale: np.ndarray[Any, Any], axis: int, identity: str | None) -> Any:
        """quantize then dequantize `value` at the insertion point; returns the dequantised tensor."""
        context = value.type.context
        attributes = {
            "scale": elements_attribute(scale, context),
            "axis": ir.IntegerAttr.get(ir.IntegerType.get_signless(64, context), axis),
        }
        if identity is not None:
            attributes[IDENTITY] = ir.StringAttr.get(identity, context)
        stored = utils.tensor_type(value.type.shape, ir.Type.parse(self.storage, context))
        quantized = ir.Operation.create("fovea.quantize", results=[stored], operands=[value], attributes=attributes)
        return ir.Operation.create(
            "fovea.dequantize", results=[value.type], operands=[quantized.results[0]], attributes=attributes
        ).results[0]

    def _record(self, identity: str, role: str, scale: np.ndarray[Any, Any], axis: int) -> None:
        self.context.records.append({
            "kind": "scale", "id": identity, "role": role, "axis": axis, "storage": self.storage,
            "min": float(scale.min()), "max": float(scale.max()),
        })  # fmt: skip


def _of(count: int, largest: np.ndarray[Any, Any]) -> str:
    return "the tensor holds" if largest.ndim == 0 else f"{count} of {largest.size} channels hold"


def _reads_capture(value: Any) -> bool:
    """Whether `value` is a capture, or a view of one, or one with zeros around it."""
    op = utils.defining_op(value)
    while op is not None and (op.name in VIEWS or is_zero_pad(op)):
        op = utils.defining_op(op.operands[0])
    return op is not None and op.name == CAPTURE
