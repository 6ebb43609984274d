# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""numpy arrays as MLIR attributes (`fovea.executor.constants.array_of` is the other direction)."""

from __future__ import annotations

from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.executor.constants import array_of
from fovea.executor.types import name_of
from fovea.passes import ir_utils as utils

_BITS = {1: np.uint8, 2: np.uint16}


def element_type(dtype: Any, context: Any) -> Any:
    """The MLIR element type of a numpy dtype (integers signless)."""
    return ir.Type.parse(name_of(np.dtype(dtype)).removeprefix("s"), context)


def elements_attribute(array: np.ndarray[Any, Any], context: Any, element: Any = None) -> Any:
    """`dense<...>` with the array's shape; `element` if the type is not the dtype's own (index, unsigned)."""
    array = np.asarray(array, order="C")
    if array.dtype == np.float32 and element is None and array.size:  # the usual case, whose type the bindings derive
        return ir.DenseElementsAttr.get(array, context=context)
    with context, ir.Location.unknown(context):
        kind = element if element is not None else element_type(array.dtype, context)
        type_ = ir.RankedTensorType.get(list(array.shape), kind)
        if array.dtype == np.bool_:
            return ir.DenseElementsAttr.get([ir.BoolAttr.get(bool(bit)) for bit in array.flat], type_)
        if str(kind).startswith(("bf16", "f8")):  # the buffer protocol has no code for these: pass the bits
            array = array.view(_BITS[array.dtype.itemsize])
        return ir.DenseElementsAttr.get(array, type=type_)


def is_zero(value: Any) -> bool:
    """Whether a tensor is filled with 0."""
    fill = utils.defining_op(value)
    if fill is None:
        return False
    source = utils.defining_op(fill.operands[0]) if fill.name == "linalg.fill" else fill
    if source is None or source.name != "arith.constant":
        return False
    attribute = source.attributes["value"]
    return attribute.value == 0 if isinstance(attribute, ir.FloatAttr) else not array_of(attribute).any()
