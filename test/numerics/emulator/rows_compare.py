# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""v_cmp_* and v_cmpx_* as Python comparisons, and the classes of v_cmp_class."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from exact import LAYOUT, negative
from row_runner import Case, cases

INTEGER: dict[str, Callable[[Any, Any], bool]] = {
    "f": lambda a, b: False, "lt": lambda a, b: a < b, "eq": lambda a, b: a == b, "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b, "ne": lambda a, b: a != b, "ge": lambda a, b: a >= b, "t": lambda a, b: True,
}  # fmt: skip


def unordered(a: float, b: float) -> bool:
    return math.isnan(a) or math.isnan(b)


def negated(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda a, b: not test(a, b)


_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    **{name: INTEGER[name] for name in ("f", "lt", "eq", "le", "gt", "ge")},
    "lg": lambda a, b: a < b or a > b,
    "o": lambda a, b: not unordered(a, b),
}
FLOAT: dict[str, Callable[[Any, Any], bool]] = {
    **_ORDERED,
    "u": unordered,
    "tru": lambda a, b: True,
    # The negated forms hold where a source is NaN.
    **{f"n{name}": negated(f) for name, f in _ORDERED.items() if name not in ("f", "o")},
}


def is_class(kind: str) -> Callable[[float, int], bool]:
    """Bits of source 1: signalling NaN, quiet NaN, -inf, -normal, -subnormal, -0, +0, +subnormal, +normal, +inf.

    The sampled NaNs are quiet ones.
    """
    least = 2.0 ** LAYOUT[kind][1]

    def compute(x: float, wanted: int) -> bool:
        if math.isnan(x):
            bit = 1
        else:
            size = 0 if x == 0 else 1 if abs(x) < least else 3 if math.isinf(x) else 2
            bit = 5 - size if negative(x) else 6 + size
        return bool(wanted >> bit & 1)

    return compute


CASES: list[Case] = [
    case
    for prefix in ("cmp", "cmpx")
    for case in cases({
        **{
            f"v_{prefix}_{name}_{kind}: mask <- {kind} {kind}": formula
            for kinds, table in ((("i16", "u16", "i32", "u32", "i64", "u64"), INTEGER), (("f16", "f32", "f64"), FLOAT))
            for kind in kinds for name, formula in table.items()
        },
        **{f"v_{prefix}_class_{kind}: mask <- {kind} u32": is_class(kind) for kind in ("f16", "f32", "f64")},
    })
]  # fmt: skip
