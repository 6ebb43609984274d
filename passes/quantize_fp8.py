# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-quantize-fp8`: captures and the weights they meet become quantize/dequantize pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fovea.bindings import ir
from fovea.dialect.dynamic_quantize import MIN_SCALE
from fovea.dialect.quantize import PER_TENSOR, STORAGE_MAX
from fovea.errors import UsageError
from fovea.executor.dynamic_ops import block_maxima, scales_for
from fovea.executor.folding import ConstantEvaluator
from fovea.executor.types import DTYPES
from fovea.passes import ir_utils as utils
from fovea.passes.channel_axes import merge_axes, split_like
from fovea.passes.constant_subtree import WeightLike, weight_names
from fovea.passes.contraction import IDENTITY, Dims, channel_axes, channel_axis, dims_of, is_product
from fovea.passes.contraction_layout import is_contraction
from fovea.passes.dynamic_scales import below_views, dynamic_pair, k_block, row_block
from fovea.passes.elements import elements_attribute
from fovea.passes.insert_captures import CAPTURE
from fovea.passes.padding import VIEWS, is_zero_pad
from fovea.passes.quantization_formats import (
    ACTIVATION_GRANULARITIES,
    STORAGES,
    ActivationGranularity,
    Storage,
    storage_of,
    weight_block,
)
from fovea.passes.registry import PassContext, register


@register
@dataclass(frozen=True)
class QuantizeFp8:
    """Insert quantise and dequantise ops on both operands of the contractions that captures mark.

    With `activation_granularity` "tensor" a capture becomes a pair with one scale, the calibrated max_abs divided by
    the largest finite value of the storage type. With "row" no range is needed: each activation operand becomes a
    `fovea.dynamic_quantize` and `fovea.dynamic_dequantize` with one scale for all positions that the contraction adds.
    The constant operand of a contraction that reads a capture becomes a pair with one scale an output channel, from its
    values, with `weight_granularity` "tensor" one for all, and with "block:K" one for each K positions along the
    contracted dim (a dynamic pair; K a multiple of 64, the last block may be shorter; with more than one contracted dim
    it is one a channel, and a remark says so). Scales are f32; that of a tensor or channel of zeros is 1.0, and none is
    below 2^-63 (remarks say so). Every capture is gone afterwards; the pairs carry its id, or the weight's name, as
    `fovea.id`. Options: those two; `storage`: e4m3 (default: the target's form of it), e5m2, a storage type of the
    dialect, or mxfp8 (E4M3 with an E8M0 scale for each 32 positions of the contracted dim on both sides, whatever the
    granularities; gfx950); `weight_storage`: the same for weights (default: that of the activations).

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
    weight_storage: str = ""
    weight_granularity: str = "channel"
    activation_granularity: ActivationGranularity = "tensor"

    def __post_init__(self) -> None:
        for storage in (self.storage, self.weight_storage):
            if storage not in ("", *STORAGES, *STORAGE_MAX):
                raise UsageError(f"unknown storage '{storage}'; expected one of {', '.join((*STORAGES, *STORAGE_MAX))}")
        if "mxfp8" in (self.storage, self.weight_storage) and self.weight_storage not in ("", self.storage):
            raise UsageError("storage mxfp8 is for activations and weights alike")
        weight_block(self.weight_granularity)
        if self.activation_granularity not in ACTIVATION_GRANULARITIES:
            expected = ", ".join(ACTIVATION_GRANULARITIES)
            raise UsageError(
                f"unknown activation granularity '{self.activation_granularity}'; expected one of {expected}"
            )

    def run(self, module: Any, context: PassContext) -> None:
        activations = storage_of(self.storage, context.target)
        weights = storage_of(self.weight_storage or self.storage, context.target)
        quantizer = _Quantizer(self, activations, weights, context)
        for function in utils.functions(module):
            ops = utils.body_ops(function)
            captures = [op for op in ops if op.name == CAPTURE]
            if not quantizer.dynamic:
                _check_calibrated(captures)
            quantizer.quantize_weights(ops)
            if quantizer.dynamic:
                quantizer.quantize_operands(ops)
            for op in captures:
                quantizer.replace_capture(op)
        if quantizer.dynamic:
            for record in context.records:
                if (record.get("kind"), record.get("decision")) == ("contraction", "fp8"):
                    record["reason"] = "activations by scales of the run, weights by their values"


def _check_calibrated(captures: Sequence[Any]) -> None:
    for op in captures:
        if not bool(ir.BoolAttr(op.attributes["calibrated"]).value):
            identity = ir.StringAttr(op.attributes["id"]).value
            raise utils.error_at(
                op, f"'{identity}' has no range: run calibration first (--calibration FILE.npz), or compile without FP8"
            )


class _Quantizer:
    def __init__(self, options: QuantizeFp8, storage: Storage, weight_storage: Storage, context: PassContext) -> None:
        self.options, self.storage, self.weight_storage, self.context = options, storage, weight_storage, context
        self.block = weight_storage.block or weight_block(options.weight_granularity)
        self.dynamic = storage.block is not None or options.activation_granularity == "row"
        self.pairs: dict[Any, Any] = {}  # (activation, block) -> its dequantised form

    def replace_capture(self, op: Any) -> None:
        """A static pair; with dynamic scales, which are at the operands already, nothing."""
        if self.dynamic:
            op.results[0].replace_all_uses_with(op.operands[0])
            op.erase()
            return
        largest = np.float32(ir.FloatAttr(op.attributes["max_abs"]).value)
        identity = ir.StringAttr(op.attributes["id"]).value
        scale = self._scale(np.asarray(largest), self.storage, op, identity)
        with ir.InsertionPoint(op), op.location:
            pair = self._pair(op.operands[0], self.storage, scale, PER_TENSOR, identity)
        self._record(identity, "activation", self.storage, scale, PER_TENSOR, "tensor")
        op.results[0].replace_all_uses_with(pair)
        op.erase()

    # -- activations with scales of their own -------------------------------------------------------------------

    def quantize_operands(self, ops: Sequence[Any]) -> None:
        """Dynamic pairs on the operands of contractions that read a capture; one a tensor and block."""
        found = []
        for op in ops:
            if not is_contraction(op) and is_product(op) and any(map(_reads_capture, utils.inputs_of(op))):
                self.context.remark(op.location, "a convolution has no dynamic scales: it is not quantised")
            if is_contraction(op):
                found += [(op, side) for side, value in enumerate(utils.inputs_of(op)) if _reads_capture(value)]
        for op, side in found:
            block = row_block(op, side)
            if self.storage.block is not None:
                block = k_block(op, side, self.storage.block) or block
            op.operands[side] = self._dynamic_operand(op, op.operands[side], block)

    def _dynamic_operand(self, op: Any, value: Any, block: list[int]) -> Any:
        """`value`, quantised and dequantised by blocks below the views that it is of the captured tensor."""
        source, moved, views = below_views(value, block)
        key = (source, tuple(moved))
        if key not in self.pairs:
            capture = captured_by(source)
            assert capture is not None
            identity = ir.StringAttr(capture.attributes["id"]).value
            with utils.insertion_after(source), capture.location:
                self.pairs[key] = dynamic_pair(source, self.storage, moved, identity)
            granularity = "row" if self.storage.block is None else f"block:{self.storage.block}"
            self._record(identity, "activation", self.storage, None, PER_TENSOR, granularity)
        result = self.pairs[key]
        with ir.InsertionPoint(op), op.location:
            for view in reversed(views):
                result = utils.clone_op(view, {view.operands[0]: result}).results[0]
        return result

    # -- weights ------------------------------------------------------------------------------------------------

    def quantize_weights(self, ops: Sequence[Any]) -> None:
        """Pairs on the constant operands of contractions that read a capture; one a weight and granularity."""
        is_weight = WeightLike()
        pairs: dict[tuple[Any, Any], Any] = {}
        found = []
        quantised = is_contraction if self.dynamic else is_product
        for op in ops:
            if quantised(op) and any(_reads_capture(operand) for operand in utils.inputs_of(op)):
                found += [(op, side) for side, operand in enumerate(utils.inputs_of(op)) if is_weight(operand)]
        for op, side in found:
            operand, dims = op.operands[side], dims_of(op)
            axes, shape = self._channels(op, side, dims), self._weight_shape(op, side, dims)
            merges = len(axes) > 1 and isinstance(shape, int)
            key = (operand, axes if merges else shape)
            if key not in pairs:
                pairs[key] = self._merged_pair(op, operand, axes) if merges else self._weight_pair(op, operand, shape)
            op.operands[side] = pairs[key]

    def _channels(self, op: Any, side: int, dims: Dims) -> tuple[int, ...]:
        return channel_axes(op, side, dims) if self.options.weight_granularity != "tensor" else ()

    def _merged_pair(self, op: Any, value: Any, axes: tuple[int, ...]) -> Any:
        """The pair of a weight whose output channels lie along neighbouring axes: that of the weight with these as one
        axis."""
        with utils.insertion_after(value), op.location:
            merged = merge_axes(value, axes)
        pair = self._weight_pair(op, merged, axes[0])
        with utils.insertion_after(pair), op.location:
            return split_like(pair, merged)

    def _weight_shape(self, op: Any, side: int, dims: Dims) -> int | tuple[int, ...]:
        """How the scales of a weight lie: along an axis (PER_TENSOR: one for all), or one a block of these extents."""
        if self.block is not None:
            block, row = k_block(op, side, self.block), row_block(op, side)
            if self.weight_storage.block is not None or (block is not None and block != row):
                return tuple(block or row)
            if block is None:
                self.context.remark(op.location, "adds over more than one dim: its weight has one scale a channel")
        axis = channel_axis(op, side, dims) if self.options.weight_granularity != "tensor" else None
        return PER_TENSOR if axis is None else axis

    def _weight_pair(self, op: Any, value: Any, shape: int | tuple[int, ...]) -> Any:
        names = weight_names(value)
        label = f"weight '{names[0]}'" if names else "a constant"
        identity = names[0] if names else None
        array = self._weight_values(op, value, label)
        block = [array.shape[d] if d != shape else 1 for d in range(array.ndim)] if isinstance(shape, int) else shape
        maxima = block_maxima(array, block) if array.size else np.zeros([1] * array.ndim, np.float32)
        if isinstance(shape, int):
            scale = self._scale(maxima.reshape(-1 if shape != PER_TENSOR else ()), self.weight_storage, op, label)
            self._record(identity or "constant", "weight", self.weight_storage, scale, shape,
                         "tensor" if shape == PER_TENSOR else "channel")  # fmt: skip
            with utils.insertion_after(value), op.location:
                return self._pair(value, self.weight_storage, scale, shape, identity)
        storage = self.weight_storage
        scales = scales_for(maxima, storage.element, DTYPES[storage.scale]).astype(np.float32)
        self._record(identity or "constant", "weight", storage, scales, PER_TENSOR, f"block:{self.block}")
        with utils.insertion_after(value), op.location:
            return dynamic_pair(value, storage, list(shape), identity)

    def _weight_values(self, op: Any, value: Any, label: str) -> np.ndarray[Any, Any]:
        """The weight's values; an error if they are not known or not finite."""
        evaluator = ConstantEvaluator(self.context.weights)
        if not evaluator.is_constant(value):
            raise utils.error_at(
                op, f"cannot be quantised: the values of {label} are not known (give --weights FILE.safetensors)"
            )
        (array,) = evaluator.evaluate([value])
        with np.errstate(over="ignore"):
            finite = np.isfinite(array.astype(np.float32))
        if not finite.all():
            where = np.unravel_index(int(np.argmin(finite)), finite.shape)
            raise utils.error_at(
                op, f"cannot be quantised: {label} holds {array[where]} at {[int(i) for i in where]}; "
                    "check the file it came from, or exclude this contraction"
            )  # fmt: skip
        return array

    # -- both ---------------------------------------------------------------------------------------------------

    def _scale(self, largest: np.ndarray[Any, Any], storage: Storage, op: Any, label: str) -> np.ndarray[Any, Any]:
        """max_abs / largest finite stored value, in f32; 1.0 where max_abs is 0."""
        scale = np.asarray(largest / np.float32(STORAGE_MAX[storage.element]), np.float32)
        if scale.size and scale.min() >= MIN_SCALE:
            return scale
        zeros = int(np.count_nonzero(largest == 0))
        tiny = int(np.count_nonzero((largest > 0) & (scale < MIN_SCALE)))
        if zeros:
            self.context.remark(op.location, f"{label}: {_of(zeros, largest)} only zeros, the scale is 1.0 there")
        if tiny:
            self.context.remark(op.location, f"{label}: {_of(tiny, largest)} values so small that the scale is 2^-63")
        return np.where(largest == 0, np.float32(1.0), np.maximum(scale, MIN_SCALE)).astype(np.float32)

    def _pair(self, value: Any, storage: Storage, scale: np.ndarray[Any, Any], axis: int, identity: str | None) -> Any:
        """quantize then dequantize `value` at the insertion point; returns the dequantised tensor."""
        context = value.type.context
        attributes = {
            "scale": elements_attribute(scale, context),
            "axis": ir.IntegerAttr.get(ir.IntegerType.get_signless(64, context), axis),
        }
        if identity is not None:
            attributes[IDENTITY] = ir.StringAttr.get(identity, context)
        stored = utils.tensor_type(value.type.shape, ir.Type.parse(storage.element, context))
        quantized = ir.Operation.create("fovea.quantize", results=[stored], operands=[value], attributes=attributes)
        return ir.Operation.create(
            "fovea.dequantize", results=[value.type], operands=[quantized.results[0]], attributes=attributes
        ).results[0]

    def _record(
        self, identity: str, role: str, storage: Storage, scale: Any | None, axis: int, granularity: str
    ) -> None:
        """A record of kind "scale"; scales that are computed at run time have no range."""
        record = {"kind": "scale", "id": identity, "role": role, "axis": axis, "storage": storage.element,
                  "granularity": granularity}  # fmt: skip
        if scale is not None:
            record |= {"min": float(scale.min()), "max": float(scale.max())}
        self.context.records.append(record)


def _of(count: int, largest: np.ndarray[Any, Any]) -> str:
    return "the tensor holds" if largest.ndim == 0 else f"{count} of {largest.size} channels hold"


def _reads_capture(value: Any) -> bool:
    """Whether `value` is a capture, or a view of one, or one with zeros around it."""
    return captured_by(value) is not None


def captured_by(value: Any) -> Any | None:
    """The capture that `value` is, or is a view of, or has with zeros around it; None if it is neither."""
    op = utils.defining_op(value)
    while op is not None and (op.name in VIEWS or is_zero_pad(op)):
        op = utils.defining_op(op.operands[0])
    return op if op is not None and op.name == CAPTURE else None
