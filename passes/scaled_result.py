# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The elementwise op behind a contraction of stored values: it multiplies by the scales and adds what was there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fovea.bindings import arith, ir
from fovea.passes import ir_utils as utils
from fovea.passes.elements import is_zero


def scaled_result(
    total: Any, factors: Sequence[tuple[Any, Any]], constant: float | None, initial: Any, element: Any
) -> Any:
    """`total` (f32) times its factors, plus `initial` unless that is 0, rounded to `element`; at the insertion point.

    factors: tensors of float, each with the map from the dims of `total` to its own. constant: a factor of all
    elements, None for none. initial: a float tensor of the shape of `total`.
    """
    type_ = total.type
    f32, identity = type_.element_type, ir.AffineMap.get_identity(type_.rank, context=type_.context)
    adds = not is_zero(initial)
    inputs = [total, *(factor for factor, _ in factors), *([initial] if adds else [])]
    maps = [identity, *(map_ for _, map_ in factors), *([identity] if adds else [])]

    def body(value: Any, *rest: Any) -> Any:
        numbers = [utils.float_cast(factor, f32) for factor in rest[: len(factors)]]
        if constant is not None:
            numbers.append(utils.number(constant, f32))
        for factor in numbers:
            value = utils.create("arith.mulf", [value, factor], f32).results[0]
        if adds:
            value = arith.AddFOp(value, utils.float_cast(rest[len(factors)], f32)).result
        return utils.float_cast(value, element)

    return utils.elementwise(inputs, element, body, maps)
