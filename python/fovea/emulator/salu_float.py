# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Scalar floating-point instructions of gfx12 (one table): a value a wave, SCC written by compares alone.

An f16 is the low half of its register; a result clears the upper half (AMD's RDNA4 guide).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fovea.emulator.salu import ScalarRow, scalar_rows
from fovea.emulator.valu_compare import FLOAT as COMPARES
from fovea.emulator.valu_convert import saturate, toward_zero_pair
from fovea.emulator.valu_float import TABLE as VECTOR
from fovea.emulator.valu_float import fma16, fma32
from fovea.emulator.valu_gfx950 import maximum, minimum

F16, F32 = np.float16, np.float32
_ROWS = {row.name: row.function for row in VECTOR}


def _both(signature: str, vector_name: str = "") -> list[ScalarRow]:
    """Rows for f32 and f16 (`T`) with the function of a vector instruction, by default that of the same name."""
    made = []
    for kind in ("f32", "f16"):
        name = vector_name or "v_" + signature.partition(":")[0].removeprefix("v_").removeprefix("s_")
        made += scalar_rows(signature.replace("T", kind), _ROWS[name.replace("T", kind)])
    return made


def _upper_half(bits: Any) -> Any:
    return (bits >> np.uint32(16)).astype(np.uint16).view(F16).astype(F32)


TABLE: list[ScalarRow] = [
    *_both("s_add_T: T <- T T"),
    *_both("s_sub_T: T <- T T"),
    *_both("s_mul_T: T <- T T"),
    *_both("s_min_num_T: T <- T T", "v_min_T"),
    *_both("s_max_num_T: T <- T T", "v_max_T"),
    *scalar_rows("s_minimum_f32: f32 <- f32 f32\n s_minimum_f16: f16 <- f16 f16", minimum),
    *scalar_rows("s_maximum_f32: f32 <- f32 f32\n s_maximum_f16: f16 <- f16 f16", maximum),
    *scalar_rows("s_fmac_f32: f32 <- f32 f32 dst", fma32),
    *scalar_rows("s_fmac_f16: f16 <- f16 f16 dst", fma16),
    *scalar_rows("s_fmaak_f32: f32 <- f32 f32 f32\n s_fmamk_f32: f32 <- f32 f32 f32", fma32),
    *_both("s_ceil_T: T <- T"),
    *_both("s_floor_T: T <- T"),
    *_both("s_trunc_T: T <- T"),
    *_both("s_rndne_T: T <- T"),
    *scalar_rows("s_cvt_f32_u32: f32 <- u32\n s_cvt_f32_i32: f32 <- i32\n s_cvt_f32_f16: f32 <- f16",
                 lambda a: a.astype(F32)),
    *scalar_rows("s_cvt_hi_f32_f16: f32 <- u32", _upper_half),
    *scalar_rows("s_cvt_f16_f32: f16 <- f32", lambda a: a.astype(F16)),
    *scalar_rows("s_cvt_u32_f32: u32 <- f32", saturate(np.uint32)),
    *scalar_rows("s_cvt_i32_f32: i32 <- f32", saturate(np.int32)),
    *scalar_rows("s_cvt_pk_rtz_f16_f32: u32 <- f32 f32", toward_zero_pair),
    *[
        row
        for name, function in COMPARES.items()
        if name not in ("f", "tru")
        for row in scalar_rows(f"s_cmp_{name}_f32: <- f32 f32\n s_cmp_{name}_f16: <- f16 f16", function, "only")
    ],
    *[row for name in ("exp", "log", "rcp", "rsq", "sqrt") for row in _both(f"v_s_{name}_T: T <- T", f"v_{name}_T")],
]  # fmt: skip
