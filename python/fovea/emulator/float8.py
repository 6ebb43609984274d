# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Floats of 8, 6 and 4 bits: code tables and conversions.

Formats: FNUZ (no infinity, no negative zero, one NaN) and OCP's FP8; OCP's "Microscaling Formats (MX)" for FP6, FP4 and
the E8M0 scale.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import ml_dtypes
import numpy as np

Array = np.ndarray[Any, Any]
F32, U8, U32 = np.float32, np.uint8, np.uint32


@dataclass(frozen=True)
class Format:
    """One narrow float: its numpy type, bits a code, stored mantissa bits, and all codes as f32."""

    name: str
    kind: Any
    bits: int
    mantissa_bits: int
    decode: Array = field(init=False, repr=False)
    maximum: np.float32 = field(init=False)

    def __post_init__(self) -> None:
        table = np.arange(1 << self.bits, dtype=U8).view(self.kind).astype(F32)
        object.__setattr__(self, "decode", table)
        object.__setattr__(self, "maximum", F32(np.max(table[np.isfinite(table)])))

    def encode(self, x: Any, saturating: bool) -> Any:
        """f32 to codes, round to nearest even. Too large: NaN or infinity, or the largest value if saturating."""
        x = np.asarray(x, F32)
        if saturating:
            # Infinities stay what they are: a format that has none turns them into NaN.
            x = np.where(np.isfinite(x), np.clip(x, -self.maximum, self.maximum), x)
        return x.astype(self.kind).view(U8)

    def encode_stochastic(self, x: Any, random: Any, saturating: bool) -> Any:
        """f32 to codes: random bits are added below the last kept mantissa bit, then the value is truncated."""
        drop = 23 - self.mantissa_bits
        bits = np.asarray(x, F32).view(U32) + (np.asarray(random, U32) >> U32(32 - drop))
        return self.encode((bits & U32(~((1 << drop) - 1) & 0xFFFFFFFF)).view(F32), saturating)


FLOAT8 = {
    "fnuz": {
        "fp8": Format("fp8", ml_dtypes.float8_e4m3fnuz, 8, 3),
        "bf8": Format("bf8", ml_dtypes.float8_e5m2fnuz, 8, 2),
    },
    "ocp": {
        "fp8": Format("fp8", ml_dtypes.float8_e4m3fn, 8, 3),
        "bf8": Format("bf8", ml_dtypes.float8_e5m2, 8, 2),
    },
}
"""Family (see `chips`) to the meaning of `fp8` and `bf8` in mnemonics."""
FLOAT6 = {
    "fp6": Format("fp6", ml_dtypes.float6_e2m3fn, 6, 3),
    "bf6": Format("bf6", ml_dtypes.float6_e3m2fn, 6, 2),
}
FLOAT4 = {"fp4": Format("fp4", ml_dtypes.float4_e2m1fn, 4, 1)}
