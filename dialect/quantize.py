# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea.quantize` and `fovea.dequantize`: a float tensor to and from a scaled 8-bit storage type."""

from typing import Any

import numpy as np

from fovea.bindings import ext, ir
from fovea.dialect.base import FoveaDialect, fail, well_formed

# Storage type -> largest finite value.
STORAGE_MAX = {"f8E4M3FNUZ": 240.0, "f8E4M3FN": 448.0, "f8E5M2FNUZ": 57344.0, "f8E5M2": 57344.0}
REAL_TYPES = ("f16", "bf16", "f32", "f64")
PER_TENSOR = -1


def scale_array(op: Any) -> np.ndarray:
    """The f32 scale of a quantize/dequantize op as an array: 0-d per tensor, 1-d per channel."""
    attribute = op.attributes["scale"]
    shape = attribute.type.shape
    values = np.array(attribute, dtype=np.float32)
    if values.size == 1 and shape:  # a splat
        return np.broadcast_to(values, shape)
    return values.reshape(shape)


def axis_of(op: Any) -> int:
    """The channel axis, or PER_TENSOR."""
    return int(ir.IntegerAttr(op.attributes["axis"]).value)


def elements_fit(op: Any, real: Any, stored: Any) -> bool:
    """Whether the element types of both sides are ones that quantisation knows; an error on `op` if not."""
    if str(real.element_type) not in REAL_TYPES:
        return fail(op, f"expects the real side to hold one of {', '.join(REAL_TYPES)}, found {real.element_type}")
    if str(stored.element_type) not in STORAGE_MAX:
        return fail(op, f"expects the stored side to hold one of {', '.join(STORAGE_MAX)}, found {stored.element_type}")
    return True


def _verify_scaled(op: Any, real: Any, stored: Any) -> bool:
    if not isinstance(real, ir.RankedTensorType) or not isinstance(stored, ir.RankedTensorType):
        return fail(op, f"expects ranked tensors, found {real} and {stored}")
    if list(real.shape) != list(stored.shape):
        return fail(op, f"expects operand and result of one shape, found {real} and {stored}")
    if not elements_fit(op, real, stored):
        return False
    scale = op.attributes["scale"]
    if not isinstance(scale, ir.DenseElementsAttr) or not isinstance(scale.type, ir.RankedTensorType):
        return fail(op, f"expects 'scale' to be dense elements of a tensor type, found {scale}")
    scale_type = ir.RankedTensorType(scale.type)
    if str(scale_type.element_type) != "f32":
        return fail(op, f"expects an f32 scale, found {scale_type.element_type}")
    axis = axis_of(op)
    if axis == PER_TENSOR:
        if scale_type.rank != 0:
            return fail(op, f"expects a rank-0 scale when axis is {PER_TENSOR} (per tensor), found {scale_type}")
    elif not 0 <= axis < real.rank:
        return fail(op, f"expects axis in [0, {real.rank}) or {PER_TENSOR}, found {axis}")
    elif real.is_dynamic_dim(axis):
        return fail(op, f"expects a static size along the channel axis {axis}, found {real}")
    elif list(scale_type.shape) != [real.shape[axis]]:
        return fail(op, f"expects one scale a channel, tensor<{real.shape[axis]}xf32>, found {scale_type}")
    values = scale_array(op)
    if not (np.isfinite(values).all() and (values > 0).all()):
        return fail(op, "expects every scale to be finite and > 0")
    return True


class QuantizeOp(FoveaDialect.Operation, name="quantize", traits=[ext.Pure]):  # type: ignore[name-defined, misc, call-arg]
    """`stored = saturate(round_to_nearest_even(real * (1 / scale)))`; NaN stays NaN.

    The reciprocal is taken in f32. `scale`: dense f32, rank 0 with axis -1 (per tensor), or rank 1 along `axis`.

        %q = "fovea.quantize"(%x) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>}
            : (tensor<4x8xf32>) -> tensor<4x8xf8E4M3FNUZ>
    """

    real: ext.Operand[Any]
    scale: Any
    axis: ir.IntegerAttr
    stored: ext.Result[Any]

    def verify_invariants(self) -> bool:
        if not well_formed(self, 1, 1, scale=ir.Attribute, axis=ir.IntegerAttr):
            return True
        return _verify_scaled(self, self.operands[0].type, self.results[0].type)


class DequantizeOp(FoveaDialect.Operation, name="dequantize", traits=[ext.Pure]):  # type: ignore[name-defined, misc, call-arg]
    """`real = stored * scale`; attributes as for `fovea.quantize`."""

    stored: ext.Operand[Any]
    scale: Any
    axis: ir.IntegerAttr
    real: ext.Result[Any]

    def verify_invariants(self) -> bool:
        if not well_formed(self, 1, 1, scale=ir.Attribute, axis=ir.IntegerAttr):
            return True
        return _verify_scaled(self, self.results[0].type, self.operands[0].type)
