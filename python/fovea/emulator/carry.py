# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""32-bit sums with carry, as scalar and vector instructions compute them: (result, carry out)."""

from __future__ import annotations

from typing import Any

import numpy as np


def add_carry_out(a: Any, b: Any) -> Any:
    """a + b."""
    total = a + b
    return total, total < a


def add_with_carry(a: Any, b: Any, c: Any) -> Any:
    """a + b + carry in."""
    total = a.astype(np.uint64) + b + c
    return total.astype(np.uint32), total > np.uint64(0xFFFFFFFF)


def subtract_with_borrow(a: Any, b: Any, c: Any) -> Any:
    """a - b - borrow in."""
    total = a.astype(np.int64) - b.astype(np.int64) - c
    return total.astype(np.uint32), total < 0
