# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Vector comparisons v_cmp_* and v_cmpx_* (one table)."""

from __future__ import annotations

from typing import Any

import numpy as np

from fovea.emulator.vector import Row

_INTEGER: dict[str, Any] = {
    "f": lambda a, b: np.zeros(np.broadcast_shapes(a.shape, b.shape), bool),
    "lt": np.less, "eq": np.equal, "le": np.less_equal, "gt": np.greater, "ne": np.not_equal, "ge": np.greater_equal,
    "t": lambda a, b: np.ones(np.broadcast_shapes(a.shape, b.shape), bool),
}  # fmt: skip


def _unordered(a: Any, b: Any) -> Any:
    return np.isnan(a) | np.isnan(b)


FLOAT: dict[str, Any] = {
    "f": _INTEGER["f"], "lt": np.less, "eq": np.equal, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "lg": lambda a, b: (a < b) | (a > b),
    "o": lambda a, b: ~_unordered(a, b), "u": _unordered,
    "nge": lambda a, b: ~(a >= b), "nlg": lambda a, b: ~((a < b) | (a > b)), "ngt": lambda a, b: ~(a > b),
    "nle": lambda a, b: ~(a <= b), "neq": np.not_equal, "nlt": lambda a, b: ~(a < b), "tru": _INTEGER["t"],
}  # fmt: skip


def classify(x: Any, wanted: Any) -> Any:
    """v_cmp_class: bit i of `wanted` asks for class i of the ISA's list (signalling NaN ... plus infinity)."""
    quiet_bit = {2: 9, 4: 22, 8: 51}[x.dtype.itemsize]
    word = x.dtype.str.replace("f", "u")
    nan, negative = np.isnan(x), np.signbit(x)
    quiet = (np.ascontiguousarray(x).view(word) >> np.array(quiet_bit, word)) & np.array(1, word) == 1
    finite, zero = np.isfinite(x), x == 0
    small = finite & ~zero & (np.abs(x) < np.finfo(x.dtype).tiny)
    normal = finite & ~zero & ~small
    infinite = np.isinf(x)
    classes = [
        nan & ~quiet, nan & quiet, infinite & negative, normal & negative, small & negative, zero & negative,
        zero & ~negative, small & ~negative, normal & ~negative, infinite & ~negative,
    ]  # fmt: skip
    number = np.zeros(x.shape, np.uint32)
    for bit, member in enumerate(classes):
        number[member] = 1 << bit
    return (number & wanted) != 0


TABLE: list[Row] = [
    Row(f"v_{prefix}_{operation}_{kind}", ("mask",), (kind, kind), function)
    for prefix in ("cmp", "cmpx")
    for kinds, operations in ((("i16", "u16", "i32", "u32", "i64", "u64"), _INTEGER), (("f16", "f32", "f64"), FLOAT))
    for kind in kinds
    for operation, function in operations.items()
]
TABLE += [
    Row(f"v_{prefix}_class_{kind}", ("mask",), (kind, "u32"), classify)
    for prefix in ("cmp", "cmpx")
    for kind in ("f16", "f32", "f64")
]
