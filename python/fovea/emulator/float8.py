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
    keeps_infinity: bool = False
    """Whether infinities stay what they are where larger values saturate."""

    def __post_init__(self) -> None:
        table = np.arange(1 << self.bits, dtype=U8).view(self.kind).astype(F32)
        object.__setattr__(self, "decode", table)
        object.__setattr__(self, "maximum", F32(np.max(table[np.isfinite(table)])))

    def encode(self, x: Any, saturating: bool) -> Any:
        """Values to codes, round to nearest even. Too large: NaN or infinity, or the largest value if saturating.

        Formats without NaN (6 and 4 bits) always saturate, and NaN becomes their largest value (CDNA4 guide, "Converts
        with Scale"; AMD's host conversions of the HIP headers).
        """
        x = np.asarray(x, F32)
        limit = self.maximum
        if self.bits < 8:
            x = np.where(np.isnan(x), np.copysign(limit, x), np.clip(x, -limit, limit))
        elif saturating:
            # OCP's formats saturate infinities, too (CDNA4 guide, "FP16_OVFL rule"); FNUZ turns them into NaN.
            clipped = np.clip(x, -limit, limit)
            x = np.where(np.isinf(x) & self.keeps_infinity, x, clipped)
        return x.astype(self.kind).view(U8)

    def encode_stochastic(self, x: Any, random: Any, saturating: bool, stored_bits: int = 23) -> Any:
        """Values to codes: random bits are added below the last kept mantissa bit, then the value is truncated.

        As many of the highest random bits count as the source's `stored_bits` of mantissa exceed this format's
        (CDNA4 guide, "Stochastic Round"; AMD's host conversions of the HIP headers, which truncate subnormal results
        at their own last bit).
        """
        x = np.asarray(x, np.float64)
        dropped = stored_bits - self.mantissa_bits
        lowest = int(np.frexp(np.float64(self.decode[1]))[1]) - 1
        exponent = np.frexp(np.where(np.isfinite(x), x, 0.0))[1] - 1
        unit = np.maximum(exponent - self.mantissa_bits, lowest)
        added = np.ldexp((np.asarray(random, U32) >> U32(32 - dropped)).astype(np.float64), -dropped)
        truncated = np.ldexp(np.floor(np.ldexp(np.abs(x), -unit) + added), unit)
        return self.encode(np.where(np.isfinite(x), np.copysign(truncated, x), x), saturating)


FLOAT8 = {
    "fnuz": {
        "fp8": Format("fp8", ml_dtypes.float8_e4m3fnuz, 8, 3, keeps_infinity=True),
        "bf8": Format("bf8", ml_dtypes.float8_e5m2fnuz, 8, 2, keeps_infinity=True),
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
