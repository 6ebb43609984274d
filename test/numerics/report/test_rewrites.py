# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The page's tables of rewrites and of the overflow guard."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from pages import check_page

from fovea.report import REWRITES
from fovea.report_rewrites import _KINDS, compute_types, rewrites

PLACE = "/models/<m>.mlir:3:4"
RECORDS: dict[str, list[dict[str, Any]]] = {
    "raise-qdq": [{"location": PLACE, "form": "f8E4M3FN", "decision": "raised", "reason": "a cast"}] * 3,
    "convert-fp8": [{"location": PLACE, "from": "f8E4M3FN", "to": "f8E4M3FNUZ", "decision": "converted",
                     "reason": "same bits, twice the scale"}],
    "move-quantize": [{"location": PLACE, "decision": "left", "reason": "another <scale>"}],
    "smoothing": [{"id": "fc.lhs", "decision": "smoothed", "reason": "channels moved", "factors": [0.25, 4.0],
                   "folded": "norm"}],
    "weight-rounding": [
        {"id": "fc", "location": PLACE, "decision": "gptq", "reason": "fed forward", "error": 0.4321},
        {"id": "conv", "location": PLACE, "decision": "nearest", "reason": "not seen"},
    ],
    "bias-correction": [{"id": "fc", "location": PLACE, "largest": 0.0125}],
}  # fmt: skip


def rows_of(page: str) -> list[list[str]]:
    """The cells of each row of the page's tables, as text."""
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    return [[unescape(re.sub("<.*?>", "", cell)) for cell in re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row)]
            for row in rows]  # fmt: skip


def test_every_kind_has_a_table() -> None:
    assert set(_KINDS) == set(REWRITES) == set(RECORDS)
    page = rewrites({"rewrites": RECORDS})
    check_page(page)
    rows = rows_of(page)
    place = "<m>.mlir:3:4"
    # Three casts at one place are one row; a column that nothing fills is left out.
    assert ["raised", place, "f8E4M3FN", "a cast", "3"] in rows
    assert ["converted", place, "f8E4M3FN to f8E4M3FNUZ", "same bits, twice the scale"] in rows
    assert ["left", place, "another <scale>"] in rows
    assert ["smoothed", "fc.lhs", "0.25 .. 4, in the norm before", "channels moved"] in rows
    assert ["gptq", "fc", place, "0.432", "fed forward"] in rows
    assert ["nearest", "conv", place, "", "not seen"] in rows
    assert ["corrected", "fc", place, "0.0125"] in rows


def test_models_without_rewrites_have_no_section() -> None:
    assert rewrites({}) == rewrites({"rewrites": {}}) == compute_types({}) == compute_types({"compute_types": []}) == ""


def test_overflow_guard() -> None:
    page = compute_types({"compute_types": [
        {"id": "head", "location": PLACE, "chosen": "bf16", "reason": "beyond <f16>", "max_abs": 70_000.0}
    ]})  # fmt: skip
    check_page(page)
    assert ["head", "bf16", "7e+04", "<m>.mlir:3:4", "beyond <f16>"] in rows_of(page)
