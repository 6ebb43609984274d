# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arithmetic operations of instructions, by what their mnemonics say."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fovea.resources import MATRIX_PREFIXES

_MATRIX = re.compile(
    r"v_(?P<kind>mfma|smfmac|wmma|swmmac)_(?:scale\d*_)?\w+?_(?P<m>\d+)x(?P<n>\d+)x(?P<k>\d+)"
    r"(?:_(?P<blocks>\d+)b)?_?(?P<type>[a-z]+\d\w*)"
)
# Start of the operand type in a mnemonic -> kind of the table of peaks. The narrow formats of f8f6f4 are chosen by an
# operand: they count as 8-bit, so that a bound that is made of them stays one.
_KINDS = (("fp8", "fp8"), ("bf8", "fp8"), ("f8f6f4", "fp8"), ("bf16", "bf16"), ("f16", "f16"), ("xf32", "xf32"),
          ("f32", "f32"), ("f64", "f64"), ("i8", "i8"), ("iu8", "i8"), ("iu4", "i4"))  # fmt: skip
# Operations a lane of vector arithmetic on floats: pattern -> count. What matches none does none (moves, integers,
# conversions, comparisons).
_VECTOR = tuple(
    (re.compile(pattern), count)
    for pattern, count in (
        (r"v_dot2\w*_f(?:16|32)", 4),
        (r"v_pk_(?:fma|mad|fmac)\w*_f(?:16|32)", 4),
        (r"v_pk_(?:add|mul|max|min|maximum|minimum)\w*_f(?:16|32)", 2),
        (r"v_(?:fma|fmac|fmamk|fmaak|mad|mac|div_fmas|fma_mix\w*|mad_mix\w*)_", 2),
        (r"v_(?:add|sub|subrev|mul|mul_legacy|max|min|maximum|minimum)_f(?:16|32|64)", 1),
        (r"v_(?:exp|log|rcp|rsq|sqrt|sin|cos)_f(?:16|32|64)", 1),
    )
)
_NO_FLOAT = re.compile(r"_(?:[iu]\d+|b\d+)(?:_|$)")


def is_matrix(name: str) -> bool:
    """True for a mnemonic of the matrix units."""
    return name.startswith(MATRIX_PREFIXES)


def matrix_operations(name: str) -> tuple[int, str] | None:
    """(operations of one wave's instruction, kind of operand); None for one that is not understood.

    A sparse instruction (smfmac, swmmac) counts what it computes: half of its k.
    """
    match = _MATRIX.match(name)
    if match is None:
        return None
    kind = next((kind for start, kind in _KINDS if match["type"].startswith(start)), None)
    if kind is None:
        return None
    k = int(match["k"]) // (2 if match["kind"].startswith("s") else 1)
    return 2 * int(match["m"]) * int(match["n"]) * k * int(match["blocks"] or 1), kind


def vector_operations(name: str) -> int:
    """Floating-point operations of one lane."""
    if _NO_FLOAT.search(name.removesuffix("_e32").removesuffix("_e64")):
        return 0
    return next((count for pattern, count in _VECTOR if pattern.match(name)), 0)


def total_operations(instructions: Mapping[str, int], lanes: float) -> tuple[dict[str, int], int]:
    """Of executed instructions: matrix operations by kind, and vector operations when `lanes` of a wave are active."""
    matrix: dict[str, int] = {}
    vector = 0.0
    for name, count in instructions.items():
        found = matrix_operations(name) if is_matrix(name) else None
        if found is not None:
            matrix[found[1]] = matrix.get(found[1], 0) + count * found[0]
        else:
            vector += count * vector_operations(name) * lanes
    return dict(sorted(matrix.items())), round(vector)
