# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How element types look in memory and in registers of a kernel."""

from __future__ import annotations

from typing import Any

from fovea.bindings import ir

# Element type in tensors -> type in a kernel's memory. FP8 travels as raw bytes, i1 as one byte (0 or 1).
FP8_TYPES = ("f8E4M3FNUZ", "f8E4M3FN", "f8E5M2FNUZ", "f8E5M2")
_RAW_TYPES = (*FP8_TYPES, "f8E8M0FNU")
_STORAGE = {**dict.fromkeys(_RAW_TYPES, "i8"), "i1": "i8", "index": "i64"}
BYTES = {"f64": 8, "i64": 8, "f32": 4, "i32": 4, "f16": 2, "bf16": 2, "i16": 2, "i8": 1, "index": 8}


def storage_type(element: Any) -> Any:
    """The element type of the buffer that holds a tensor of `element`."""
    name = _STORAGE.get(str(element))
    return ir.Type.parse(name) if name else element


def register_type(element: Any) -> Any:
    """The type of one element in a register: FP8 and E8M0 as a raw byte, everything else as it is."""
    return storage_type(element) if str(element) in _RAW_TYPES else element


def element_bytes(element: Any) -> int:
    """Bytes of one element in memory."""
    return BYTES[str(storage_type(element))]


def lanes_of(value: Any) -> int | None:
    """Width of a vector value, None for a scalar."""
    return value.type.shape[0] if isinstance(value.type, ir.VectorType) else None


def element_of(type_: Any) -> Any:
    """Element type of a shaped type, the type itself for a scalar."""
    return type_.element_type if isinstance(type_, ir.ShapedType) else type_


def shaped_like(element: Any, width: int | None) -> Any:
    """`element`, or a vector of `width` of it."""
    return element if width is None else ir.VectorType.get([width], element)
