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
from fovea.passes.index_values import loop_sizes
from fovea.passes.registry import PassContext, register
from fovea.passes.weight_roles import QuantisedWeight, quantised_weights

Array = np.ndarray[Any, Any]
CORRECTION = "fovea.correction"  # unit attribute of the op that adds a correction, for the search


@register
@dataclass(frozen=True)
class CorrectBias:
    """Add (w - q) . mean(x), one value an output channel, to the result of contractions and convolutions with a
    quantised weight.

    w is the weight, q the dequantised one, mean(x) the input's mean over the calibration data
    (`PassContext.moments`): the expected output is then that of the model (Nagel et al., "Data-Free Quantization
    through Weight Equalization and Bias Correction", 2019). The addition joins the contraction's kernel. Runs after
    `fovea-quantize-fp8` (for weights rounded by `fovea-round-weights`, that pass does it); record: {"kind":
    "bias-correction", "id", "location", "largest"}. Each batch of a weight, and each group of a convolution, has a mean
    of its own; that of a convolution is over the positions of its output image, padding included, for each place of the
    window. Those that calibration did not see are left alone.

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
            corrections = [correction_of(weight, context) for weight in weights]
            for weight, correction in zip(weights, corrections, strict=True):
                add_correction(weight, correction, context)


def correction_of(weight: QuantisedWeight, context: PassContext, dequantised: Array | None = None) -> Array:
    """What to add to the result of a weight's contraction, f64 (batch, n).

    dequantised: (batch, n, k), what the weight will be; else what its quantize and dequantize ops make of it.
    """
    (real,) = evaluate([weight.quantize.operands[0]], context.weights)
    if dequantised is None:
        (stored,) = evaluate([weight.contraction.operands[weight.side]], context.weights)
        dequantised = weight.matrices(stored).astype(np.float64)
    difference = weight.matrices(real).astype(np.float64) - dequantised
    return np.asarray((difference @ context.moments[weight.identity].mean[:, :, None])[:, :, 0])


def add_correction(weight: QuantisedWeight, correction: Array, context: PassContext) -> None:
    """Add `correction`, f64 (batch, n), to the result of the weight's contraction, and record it."""
    op = weight.contraction
    result, dims = op.results[0], dims_of(op)
    order = (*dims.batch, *(dims.n if weight.side == 1 else dims.m))
    maps = utils.indexing_maps(op)
    sizes = loop_sizes(op, maps)
    # The result's axes of the same dims say where the correction's go.
    outputs = [utils.dim_position(e) for e in maps[-1].results]
    array = correction.reshape([sizes[d] for d in order]).astype(np.float32)
    rank, element = len(result.type.shape), result.type.element_type
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
    producer = utils.producer_of(corrected)
    producer.attributes[CORRECTION] = ir.UnitAttr.get(op.context)
    result.replace_all_uses_except(corrected, [producer])
    context.records.append({"kind": "bias-correction", "id": weight.identity, "location": str(op.location),
                            "largest": float(np.abs(correction).max(initial=0.0))})  # fmt: skip
