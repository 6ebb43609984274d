# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Scales of quantize and dequantize as arguments of kernels, so that kernels which differ in a scale alone are one."""

from __future__ import annotations

from typing import Any

import numpy as np

from fovea.bindings import arith, ir
from fovea.dialect import quantize
from fovea.passes import ir_utils as utils

PARAMETER = "fovea.parameter"  # unit attribute: a constant that kernels take as an argument, whatever its value


def hoist_scales(function: Any) -> None:
    """Rewrite per-tensor `quantize(x, s)` as `quantize(x * p, 1)` with the parameter p = 1/s in f32, and
    `dequantize(x, s)` as `dequantize(x, 1) * s`.

    Both are exact: quantize multiplies by the f32 reciprocal of its scale anyway.
    """
    for op in utils.body_ops(function):
        if op.name not in ("fovea.quantize", "fovea.dequantize"):
            continue
        scale = quantize.scale_array(op)
        real = op.operands[0] if op.name == "fovea.quantize" else op.results[0]
        if scale.ndim or scale == 1 or str(real.type.element_type) != "f32":
            continue
        with function.context, op.location:
            if op.name == "fovea.quantize":
                with ir.InsertionPoint(op):
                    op.operands[0] = _multiply(real, np.float32(1) / np.float32(scale))
            else:
                with ir.InsertionPoint.after(op):
                    product = _multiply(real, np.float32(scale))
                real.replace_all_uses_except(product, product.owner.operation)
            op.attributes["scale"] = ir.DenseElementsAttr.get(np.ones((), np.float32))


def _multiply(value: Any, factor: np.float32) -> Any:
    """value * factor with the factor as a rank-0 parameter."""
    type_ = ir.RankedTensorType.get([], ir.F32Type.get())
    parameter = arith.ConstantOp(type_, ir.DenseElementsAttr.get(np.array(factor, np.float32)))
    parameter.operation.attributes[PARAMETER] = ir.UnitAttr.get()
    rank = value.type.rank
    maps = [ir.AffineMap.get_identity(rank), ir.AffineMap.get(rank, 0, [])]
    return utils.elementwise([value, parameter.result], value.type.element_type, _product, maps)


def _product(left: Any, right: Any, *_: Any) -> Any:
    return arith.mulf(left, right)
