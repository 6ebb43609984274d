# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""numpy's view of MLIR's types: element types to dtypes, and whole types to text a person can read."""

from __future__ import annotations

from functools import cache
from typing import Any

import ml_dtypes
import numpy as np

from fovea.bindings import ir
from fovea.errors import CompileError

# Signless integers are kept in signed containers; an op that reads them as unsigned reinterprets the bits.
_DTYPES: dict[str, Any] = {
    "f64": np.float64,
    "f32": np.float32,
    "f16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "f8E4M3": ml_dtypes.float8_e4m3,
    "f8E4M3FN": ml_dtypes.float8_e4m3fn,
    "f8E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
    "f8E5M2": ml_dtypes.float8_e5m2,
    "f8E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
    "f8E8M0FNU": ml_dtypes.float8_e8m0fnu,
    "index": np.int64,
    "i1": np.bool_,
    **{f"{sign}i{bits}": getattr(np, f"int{bits}") for sign in ("", "s", "u") for bits in (8, 16, 32, 64)},
}
DTYPES: dict[str, np.dtype[Any]] = {name: np.dtype(kind) for name, kind in _DTYPES.items()}
"""MLIR element type, as text, to the dtype that holds it."""

_SMALL_FLOATS = frozenset(
    DTYPES[name] for name in ("f16", "bf16", "f8E4M3", "f8E4M3FN", "f8E4M3FNUZ", "f8E5M2", "f8E5M2FNUZ", "f8E8M0FNU")
)


def element_type(type_: Any) -> Any:
    """The element type of a tensor or vector type; a scalar type is its own."""
    return type_.element_type if isinstance(type_, ir.ShapedType) else type_


def dtype_of(type_: Any) -> np.dtype[Any]:
    """The dtype of a scalar type or of a tensor's elements; CompileError for a type numpy has no form of."""
    name = str(element_type(type_))
    try:
        return DTYPES[name]
    except KeyError:
        raise CompileError(
            f"the reference executor has no form for element type {name}; it has: {', '.join(DTYPES)}"
        ) from None


@cache
def name_of(dtype: np.dtype[Any]) -> str:
    """MLIR's name of `dtype`, numpy's where MLIR has none."""
    return next((name for name, known in DTYPES.items() if known == dtype and name != "index"), str(dtype))


def is_float(dtype: np.dtype[Any]) -> bool:
    """True for every float type, those of ml_dtypes included (numpy calls their kind 'V')."""
    return dtype.kind == "f" or dtype in _SMALL_FLOATS


def is_small_float(dtype: np.dtype[Any]) -> bool:
    """True for floats narrower than f32: sums and products of them are taken in f32."""
    return dtype in _SMALL_FLOATS


@cache
def _byte_values(narrow: np.dtype[Any], wide: np.dtype[Any]) -> np.ndarray[Any, Any]:
    return np.arange(256, dtype=np.uint8).view(narrow).astype(wide)


def convert(x: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """`x` as `dtype`, itself if it is that already; 8-bit floats by a table, several times as fast as their cast."""
    if x.dtype != dtype and x.dtype in _SMALL_FLOATS and x.dtype.itemsize == 1 and x.size > 256:
        return np.take(_byte_values(x.dtype, dtype), x.view(np.uint8))
    return x.astype(dtype, copy=False)


def shape_text(shape: Any, dtype: np.dtype[Any]) -> str:
    """MLIR's notation of an array's type, e.g. `8x128xf32`."""
    return "x".join([*map(str, shape), name_of(dtype)])


def static_shape(type_: Any) -> tuple[int | None, ...]:
    """Shape of a ranked tensor type, None for a dynamic dim."""
    return tuple(None if type_.is_dynamic_dim(i) else type_.get_dim_size(i) for i in range(type_.rank))


def location_text(op: Any) -> str:
    """MLIR's text of an op's location without `loc(...)`."""
    text = str(op.location)
    return text[4:-1] if text.startswith("loc(") and text.endswith(")") else text
