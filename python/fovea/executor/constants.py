# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Constant attributes as numpy arrays."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.errors import CompileError
from fovea.executor.types import DTYPES, dtype_of

# How the bindings hand out the elements of a type they cannot export: as text, hexadecimal if there are many.
_HEX = re.compile(r'dense<"0x([0-9A-Fa-f]*)">')
_BITS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def array_of(attribute: Any) -> np.ndarray[Any, Any]:
    """The value of a constant's attribute: 0-d for a scalar, else the tensor's shape.

    Splats take no memory (all strides are 0), others are not copied where the bindings lend their buffer: treat the
    array as read-only. Raises CompileError for an attribute without a form here.
    """
    if isinstance(attribute, (ir.FloatAttr, ir.IntegerAttr, ir.BoolAttr)):
        return _scalar(attribute)
    if isinstance(attribute, ir.DenseElementsAttr):
        return _dense(attribute)
    if str(attribute).startswith("dense_resource<"):
        from fovea.executor.resources import resource_array

        return resource_array(attribute)
    raise CompileError(f"the reference executor cannot read the constant {str(attribute)[:80]}")


def _scalar(attribute: Any) -> np.ndarray[Any, Any]:
    dtype = dtype_of(attribute.type)
    value = attribute.value
    if dtype.kind == "i":
        bits = 8 * dtype.itemsize
        value = (int(value) + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)
    return np.array(value, np.float64).astype(dtype) if isinstance(value, float) else np.array(value, dtype)


def _dense(attribute: Any) -> np.ndarray[Any, Any]:
    dtype, shape = dtype_of(attribute.type), tuple(ir.ShapedType(attribute.type).shape)
    if 0 in shape:
        return np.empty(shape, dtype)
    if attribute.is_splat:
        value = attribute.get_splat_value()
        return np.broadcast_to(_scalar(value), shape)
    try:
        return np.asarray(memoryview(attribute)).view(dtype).reshape(shape)
    except (BufferError, TypeError):
        return _from_text(str(attribute), dtype).reshape(shape)


def _from_text(text: str, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Elements of a printed non-splat `dense<...>`, flat, in row-major order."""
    found = _HEX.match(text)
    if found:
        return np.frombuffer(bytes.fromhex(found.group(1)), dtype)
    tokens = re.findall(r"[^\[\],\s]+", text[len("dense<") : text.rindex(">", 0, text.rindex(":"))])
    out = np.empty(len(tokens), dtype)
    bits = out.view(_BITS[dtype.itemsize])
    for position, token in enumerate(tokens):
        if token.startswith("0x"):  # NaN and infinity print as bits
            bits[position] = int(token, 16)
        else:
            out[position] = float(token)
    return out


def is_splat_of(array: np.ndarray[Any, Any], value: float) -> bool:
    """True if `array` is a stride-0 splat of `value`; costs nothing, so False does not mean "holds another value"."""
    return array.size > 0 and not any(array.strides) and bool(array[(0,) * array.ndim] == value)


def zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Zeros that take no memory; what `tensor.empty` holds here."""
    return np.broadcast_to(np.zeros((), dtype), shape)


__all__ = ["DTYPES", "array_of", "is_splat_of", "zeros"]
