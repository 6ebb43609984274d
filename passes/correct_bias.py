# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-correct-bias`: what weight rounding adds to a contraction's result on average is taken off again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fovea.bindings import arith, ir
from fovea.errors import CompileError
from fovea.executor.folding import evaluate
from fovea.passes import ir_utils as utils
from fovea.passes.contraction import dims_of
from fovea.passes.elements import elements_attribute
from fovea.passes.registry import PassContext, register
from fovea.passes.weight_roles import QuantisedWeight, quantised_weights

Array = np.ndarray[Any, Any]


@register
@dataclass(frozen=True)
class CorrectBias:
    """Add (w - q) . mean(x), one value an output channel, to the result of contractions with a quantised weight.

    w is the weight, q the dequantised one, mean(x) the input's mean over the calibration data
    (`PassContext.moments`): the expected output is then that of the model (Nagel et al., "Data-Free Quantization
    through Weight Equalization and Bias Correction", 2019). The addition joins the contraction's kernel. Runs after
    `fovea-quantize-fp8` (for weights rounded by `fovea-round-weights`, that pass does it); record: {"kind":
    "bias-correction", "id", "location", "largest"}. Contractions with batch dims and those that calibration did not see
    are left alone.

    Before:

        %r = linalg.matmul {fovea.id = "fc"} ins(%d, %wd : tensor<4x8xf32>, tensor<8x5xf32>) ...

    After:

        %c = arith.constant dense<[...]> : tensor<5xf32>
        %r = linalg.matmul {fovea.id = "fc"} ins(%d, %wd : tensor<4x8xf32>, tensor<8x5xf32>) ...
        %s = linalg.generic {...} ins(%r, %c : tensor<4x5xf32>, tensor<5xf32>) ... { arith.addf }
    """

    name: ClassVar[str] = "fovea-correct-bias"

    def run(self, module: Any, context: PassContext) -> None:
        if not context.moments:
            raise CompileError(
                "bias correction needs the means of the contractions' inputs, found none: run it from "
                "`fovea compile --bias-correction` with calibration data"
            )
        for function in utils.functions(module):
            weights = [w for w, _, _ in quantised_weights(function) if w is not None and w.identity in context.moments]
            corrections = [_correction(weight, context) for weight in weights]
            for weight, correction in zip(weights, corrections, strict=True):
                add_correction(weight, correction, context)


def _correction(weight: QuantisedWeight, context: PassContext) -> Array:
    dequantised = weight.contraction.operands[weight.side]
    real, stored = evaluate([weight.quantize.operands[0], dequantised], context.weights)
    difference = weight.matrix(real) - weight.matrix(stored)
    return np.asarray(difference @ context.moments[weight.identity].mean)


def add_correction(weight: QuantisedWeight, correction: Array, context: PassContext) -> None:
    """Add `correction`, f64 (n,), to the result of the weight's contraction, and record it."""
    op = weight.contraction
    result, own = op.results[0], dims_of(op).n if weight.side == 1 else dims_of(op).m
    maps = utils.indexing_maps(op)
    sizes = {}
    for map_, value in zip(maps, op.operands, strict=True):
        sizes.update({utils.dim_position(e): size for e, size in zip(map_.results, value.type.shape, strict=True)})
    # The weight's own dims come in the order of its axes; the result's axes of the same dims say where they go.
    placed = [utils.dim_position(e) for e in maps[weight.side].results]
    order = [placed[axis] for axis in weight.order[: len(weight.order) - weight.contracted]]
    array = correction.reshape([sizes[d] for d in order]).astype(np.float32)
    outputs = [utils.dim_position(e) for e in maps[-1].results]
    rank, element = len(result.type.shape), result.type.element_type
    assert set(order) == set(own)
    with ir.InsertionPoint.after(op), op.location:
        attribute = elements_attribute(array, op.context)
        constant = arith.ConstantOp(attribute.type, attribute).result
        positions = [ir.AffineExpr.get_dim(outputs.index(d), op.context) for d in order]
        where = ir.AffineMap.get(rank, 0, positions, op.context)
        identity = ir.AffineMap.get_identity(rank, context=op.context)

        def body(x: Any, c: Any, _: Any) -> Any:
            total = arith.AddFOp(utils.float_cast(x, c.type), c).result
            return utils.float_cast(total, element)

        corrected = utils.elementwise([result, constant], element, body, [identity, where])
    producer = utils.defining_op(corrected)
    result.replace_all_uses_except(corrected, [producer])
    context.records.append({"kind": "bias-correction", "id": weight.identity, "location": str(op.location),
                            "largest": float(np.abs(correction).max(initial=0.0))})  # fmt: skip
