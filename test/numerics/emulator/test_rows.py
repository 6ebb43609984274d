# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every row of the vector tables against its formula in the `rows_*` tables."""

from __future__ import annotations

import pytest
import rows_compare
import rows_convert
import rows_float
import rows_integer
from row_runner import Case, check

CASES: list[Case] = [*rows_integer.CASES, *rows_float.CASES, *rows_convert.CASES, *rows_compare.CASES]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.name}-{case.chip}" for case in CASES])
def test_row(case: Case) -> None:
    check(case)
