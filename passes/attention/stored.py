# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Contractions of quantised numbers: `(x / s) . (y / t)`, whose result the model multiplies by s * t afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.bindings import arith, ir
from fovea.dialect.attention_tag import tag, tag_of
from fovea.dialect.quantize import PER_TENSOR, STORAGE_MAX
from fovea.passes import ir_utils as utils
from fovea.passes.attention.evaluate import element_type
from fovea.passes.attention.pairs import FLOATS, element_of
from fovea.passes.attention.quantised import encode_scale
from fovea.passes.contraction_layout import is_contraction, make_contraction
from fovea.passes.elements import elements_attribute, is_zero


@dataclass(frozen=True)
class Encoded:
    """An operand that holds x / scale, rounded to 8 bits. type: x's float type."""

    scale: float
    type: str


def encoded(contraction: Any, position: int) -> Encoded | None:
    """What an operand of a contraction was encoded from; None if that is not known, if it is stored in another type
    than FP8, or if the result cannot be scaled behind the contraction, which then adds something of the model's."""
    if not is_contraction(contraction) or not is_zero(utils.outputs_of(contraction)[0]):
        return None
    operand = contraction.operands[position]
    if element_type(operand) not in (*FLOATS, *STORAGE_MAX):
        return None
    found = element_of(operand)
    scale = encode_scale(found[0]) if found is not None else None
    return None if scale is None else Encoded(*scale)


def read_floats(contraction: Any, found: Mapping[int, Encoded]) -> Any:
    """Replace a contraction by one whose operands in `found` are multiplied by their scales, in their float types, and
    whose result is divided by them: a pair ends at each of these operands now. Returns the new contraction."""
    result, maps = contraction.results[0], utils.indexing_maps(contraction)
    inputs, total = utils.inputs_of(contraction), np.float64(1)
    with ir.InsertionPoint(contraction), contraction.location:
        for position, source in found.items():
            inputs[position] = _decoded(inputs[position], source)
            total *= source.scale
        new = make_contraction(contraction, inputs, utils.outputs_of(contraction), maps)
        utils.copy_discardable(contraction, new)
        element = result.type.element_type
        scaled = _product(new.results[0], 1 / total, element)
    site = tag_of(contraction)
    if site is not None and site[1] == "qk":
        tag(utils.producer_of(scaled), site[0], "score")
    result.replace_all_uses_with(scaled)
    contraction.erase()
    return new


def _decoded(operand: Any, source: Encoded) -> Any:
    element = ir.Type.parse(source.type, operand.type.context)
    if element_type(operand) in FLOATS:
        return _product(operand, source.scale, element)
    scale = elements_attribute(np.float32(source.scale), operand.type.context)
    axis = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), PER_TENSOR)
    return ir.Operation.create(
        "fovea.dequantize", results=[utils.tensor_type(operand.type.shape, element)], operands=[operand],
        attributes={"scale": scale, "axis": axis},
    ).results[0]  # fmt: skip


def _product(value: Any, factor: float, element: Any) -> Any:
    """`value` times a number, rounded to `element` once."""

    def body(x: Any, _: Any) -> Any:
        f32 = ir.F32Type.get(x.type.context)
        wide = x if x.type.width > f32.width else utils.float_cast(x, f32)
        return utils.float_cast(arith.MulFOp(wide, arith.ConstantOp(wide.type, float(factor)).result).result, element)

    return utils.elementwise([value], element, body)
