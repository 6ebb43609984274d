# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`linalg.softmax` as reductions and elementwise generics, which have kernels."""

from __future__ import annotations

from typing import Any

from fovea.bindings import arith, ir, linalg, math
from fovea.passes import ir_utils as utils


def decompose_softmax(function: Any) -> None:
    """Rewrite each `linalg.softmax` of the function as exp(x - max) / sum, all along its dim."""
    for op in utils.body_ops(function):
        if op.name == "linalg.softmax":
            with function.context, op.location, ir.InsertionPoint(op):
                result = _softmax(op.operands[0], ir.IntegerAttr(op.attributes["dimension"]).value)
            op.results[0].replace_all_uses_with(result)
            op.erase()


def _softmax(x: Any, dim: int) -> Any:
    shape, element = list(x.type.shape), x.type.element_type
    identity = ir.AffineMap.get_identity(len(shape))
    kept = [ir.AffineDimExpr.get(i) for i in range(len(shape)) if i != dim]
    row = ir.AffineMap.get(len(shape), 0, kept)
    row_shape = [extent for i, extent in enumerate(shape) if i != dim]
    iterators = ["reduction" if i == dim else "parallel" for i in range(len(shape))]

    def reduce(value: Any, start: float, body: Any) -> Any:
        constant = arith.constant(element, start)
        init = linalg.fill(constant, outs=[utils.empty(row_shape, element)])
        return utils.build_generic([value], [init], [identity, row], iterators, body).results[0]

    peak = reduce(x, float("-inf"), lambda a, o: arith.maximumf(a, o))
    power = utils.elementwise([x, peak], element, lambda a, m, _: math.exp(arith.subf(a, m)), [identity, row])
    total = reduce(power, 0.0, lambda a, o: arith.addf(a, o))
    return utils.elementwise([power, total], element, lambda a, s, _: arith.divf(a, s), [identity, row])
