# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea.dynamic_quantize` and `fovea.dynamic_dequantize`: scales that the values themselves give, one a block."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fovea.bindings import ext, ir
from fovea.dialect.base import FoveaDialect, fail, well_formed
from fovea.dialect.quantize import elements_fit

# Smallest scale used: its reciprocal is finite, and the product of two of them is still a normal f32 (2^-126).
MIN_SCALE = np.float32(2.0**-63)
MAX_SCALE = np.finfo(np.float32).max
E8M0 = "f8E8M0FNU"
SCALE_TYPES = ("f32", E8M0)
E8M0_BIAS = 127


def block_of(op: Any) -> list[int]:
    """The elements along each axis that share a scale."""
    return list(ir.DenseI64ArrayAttr(op.attributes["block"]))


def scale_shape(shape: Sequence[int], block: Sequence[int]) -> list[int]:
    """The shape of the scales of a tensor of `shape`; the last block along an axis may be shorter than the others."""
    return [-(-extent // size) for extent, size in zip(shape, block, strict=True)]


def _verify(op: Any, real: Any, stored: Any, scale: Any) -> bool:
    for type_ in (real, stored, scale):
        if not isinstance(type_, ir.RankedTensorType) or not type_.has_static_shape:
            return fail(op, f"expects ranked tensors of static shape, found {type_}")
    if list(real.shape) != list(stored.shape):
        return fail(op, f"expects the real and the stored tensor to be of one shape, found {real} and {stored}")
    if not elements_fit(op, real, stored):
        return False
    if str(scale.element_type) not in SCALE_TYPES:
        return fail(op, f"expects scales of {' or '.join(SCALE_TYPES)}, found {scale.element_type}")
    block = block_of(op)
    if len(block) != real.rank:
        return fail(op, f"expects 'block' to have one extent an axis ({real.rank}), found {len(block)}")
    for axis, (size, extent) in enumerate(zip(block, real.shape, strict=True)):
        if not 1 <= size <= extent:
            return fail(op, f"expects a block in [1, {extent}] along axis {axis}, found {size}")
    wanted = scale_shape(real.shape, block)
    if list(scale.shape) != wanted:
        return fail(op, f"expects one scale a block, a tensor of shape {wanted}, found {scale}")
    return True


class DynamicQuantizeOp(FoveaDialect.Operation, name="dynamic_quantize", traits=[ext.Pure]):  # type: ignore[name-defined, misc, call-arg]
    """Quantise with scales computed from the tensor: one for each block of it.

    `block` has one extent an axis: 1 along axes where every position has its own scale, the axis' whole extent where
    all positions share one, something between for blocks (the last one may be shorter). With m the largest magnitude
    in a block (NaN left out) and L the largest finite value of the storage type, the scale is

        f32:        clamp(m / L, 2^-63, the largest f32), or 1.0 where m is 0
        f8E8M0FNU:  2^clamp(ceil(log2(m / L)), -127, 127), or 2^0 where m is 0

    computed in f32. The second is the least power of two with which nothing saturates. (The rule in section 6.3 of the
    OCP Microscaling Formats (MX) Specification v1.0, floor(log2 m) less the exponent of L, lets the largest values of a
    block saturate, by up to an eighth in E4M3: see Mishra et al., "Recipes for Pre-training LLMs with MXFP8", 2025.)
    Values then become `saturate(round_to_nearest_even(real * (1 / scale)))`, the reciprocal taken in f32; NaN stays
    NaN. The scales are a second result.

        %q, %s = "fovea.dynamic_quantize"(%x) {block = array<i64: 1, 8>}
            : (tensor<4x8xf32>) -> (tensor<4x8xf8E4M3FNUZ>, tensor<4x1xf32>)
    """

    real: ext.Operand[Any]
    block: Any
    stored: ext.Result[Any]
    scale: ext.Result[Any]

    def verify_invariants(self) -> bool:
        if not well_formed(self, 1, 2, block=ir.DenseI64ArrayAttr):
            return True
        return _verify(self, self.operands[0].type, self.results[0].type, self.results[1].type)


class DynamicDequantizeOp(FoveaDialect.Operation, name="dynamic_dequantize", traits=[ext.Pure]):  # type: ignore[name-defined, misc, call-arg]
    """`real = stored * scale`, with the scale of the block that each element is in; see `fovea.dynamic_quantize`.

    %d = "fovea.dynamic_dequantize"(%q, %s) {block = array<i64: 1, 8>}
        : (tensor<4x8xf8E4M3FNUZ>, tensor<4x1xf32>) -> tensor<4x8xf32>
    """

    stored: ext.Operand[Any]
    scale: ext.Operand[Any]
    block: Any
    real: ext.Result[Any]

    def verify_invariants(self) -> bool:
        if not well_formed(self, 2, 1, block=ir.DenseI64ArrayAttr):
            return True
        return _verify(self, self.results[0].type, self.operands[0].type, self.operands[1].type)
