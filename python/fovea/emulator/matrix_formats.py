# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operands of matrix instructions: from registers to numbers, and structured sparsity (2 of every 4 values stored)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fovea.emulator.float8 import FLOAT8

Array = np.ndarray[Any, Any]
F64, U16, U32 = np.float64, np.uint16, np.uint32
BITS = {"f16": 16, "bf16": 16, "i8": 8, "i4": 4, "fp8": 8, "bf8": 8}
"""Width of a value by its format."""


def unpack_codes(raw: Array, bits: int) -> Array:
    """Codes of 8, 6 or 4 bits from little-endian words `(..., registers)`: `(..., registers * 32 // bits)`."""
    octets = raw.view(np.uint8)
    if bits == 8:
        return octets
    if bits == 4:
        return np.stack([octets & 15, octets >> 4], axis=-1).reshape(*octets.shape[:-1], -1)
    # Four 6-bit codes in three bytes.
    a, b, c = (octets[..., n::3] for n in range(3))
    codes = [a & 63, a >> 6 | (b & 15) << 2, b >> 4 | (c & 3) << 4, c >> 2]
    return np.stack(codes, axis=-1).reshape(*octets.shape[:-1], -1)


def pack_codes(codes: Array, bits: int) -> Array:
    """The inverse of `unpack_codes` for 6 and 4 bits: `(..., values)` to 32-bit words `(..., values * bits // 32)`."""
    wide = codes.astype(np.uint8)
    octets: Array
    if bits == 4:
        octets = wide[..., 0::2] | wide[..., 1::2] << 4
    else:
        a, b, c, d = (wide[..., n::4] for n in range(4))
        parts = [a | b << 6, b >> 2 | c << 4, c >> 4 | d << 2]
        octets = np.stack(parts, axis=-1).reshape(*codes.shape[:-1], -1)
    return np.ascontiguousarray(octets).view(np.uint32)


def bfloat16(codes: Array) -> Array:
    """f32 values of bf16 codes."""
    return (codes.astype(U32) << U32(16)).view(np.float32)


def decoder(kind: str, signed: bool, family: str) -> Callable[[Array], Array]:
    """From little-endian words `(..., registers)` to the values of a format in f64, in order along the last axis."""
    if kind == "f16":
        return lambda raw: raw.view(np.float16).astype(F64)
    if kind == "bf16":
        return lambda raw: bfloat16(raw.view(U16)).astype(F64)
    if kind == "i8":
        octet: Any = np.int8 if signed else np.uint8
        return lambda raw: raw.view(octet).astype(F64)
    if kind == "i4":
        table = np.arange(16.0) - (16 * (np.arange(16) > 7) if signed else 0)
    else:
        table = FLOAT8[family][kind].decode.astype(F64)
    return lambda raw: table[unpack_codes(raw, BITS[kind])]


def expand(packed: Array, index: Array) -> Array:
    """Stored values `(..., n)` at their places among zeros `(..., 2 n)`.

    Nibble p of `index` `(...)` places values 2 p and 2 p + 1 among the four of group p: its low two bits the first, its
    high two the second (CDNA4 guide, "Details of Sparsity Structure"; RDNA4 guide, "Structured Sparse Matrices").
    """
    pairs = packed.shape[-1] // 2
    shifts = 4 * np.arange(pairs, dtype=U32)
    nibbles = np.asarray(index)[..., None] >> shifts
    values = packed.reshape(*packed.shape[:-1], pairs, 2)
    place = np.stack([nibbles & U32(3), nibbles >> U32(2) & U32(3)], axis=-1)
    # The second value wins where both name the same place, which programs must not do.
    full = np.zeros((*values.shape[:-1], 4))
    for which in range(2):
        np.put_along_axis(full, place[..., which : which + 1].astype(np.int64), values[..., which : which + 1], axis=-1)
    return full.reshape(*packed.shape[:-1], 4 * pairs)
