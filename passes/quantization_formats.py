# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What users call the formats of FP8 and the granularities of scales, and what they are on a chip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from fovea.dialect.dynamic_quantize import E8M0
from fovea.dialect.quantize import STORAGE_MAX
from fovea.errors import UsageError
from fovea.target import fp8_format, mx_format

ActivationGranularity = Literal["tensor", "row"]
ACTIVATION_GRANULARITIES = get_args(ActivationGranularity)
WEIGHT_GRANULARITIES = ("channel", "tensor", "block:K")
STORAGES = ("e4m3", "e5m2", "mxfp8")
MX_BLOCK = 32  # OCP Microscaling Formats (MX) Specification v1.0, section 5.2: values that share a scale in MXFP8
BLOCK_UNIT = 64  # kernels add products of that many positions of k before they multiply by a scale
_E5M2 = {"f8E4M3FNUZ": "f8E5M2FNUZ", "f8E4M3FN": "f8E5M2"}


@dataclass(frozen=True)
class Storage:
    """How values are stored: the element type, the type of scales, and, for MX, the block along k that shares one."""

    element: str
    scale: str = "f32"
    block: int | None = None


def storage_of(name: str, target: str) -> Storage:
    """What `name` (one of STORAGES, a storage type of the dialect, or "" for the chip's E4M3) is on a chip.

    UsageError for another name, CompileError for a chip that has no such format.
    """
    if name in STORAGE_MAX:
        return Storage(name)
    if name in ("", "e4m3"):
        return Storage(fp8_format(target))
    if name == "e5m2":
        return Storage(_E5M2[fp8_format(target)])
    if name == "mxfp8":
        return Storage(mx_format(target), E8M0, MX_BLOCK)
    raise UsageError(f"unknown storage '{name}'; expected one of {', '.join((*STORAGES, *STORAGE_MAX))}")


def weight_block(granularity: str) -> int | None:
    """K of the weight granularity "block:K", None for "channel" and "tensor"; UsageError for anything else."""
    if granularity in ("channel", "tensor"):
        return None
    kind, colon, size = granularity.partition(":")
    if kind != "block" or not colon:
        expected = ", ".join(WEIGHT_GRANULARITIES)
        raise UsageError(f"unknown weight granularity '{granularity}'; expected one of {expected}")
    if not size.isdecimal() or int(size) == 0 or int(size) % BLOCK_UNIT:
        raise UsageError(
            f"weight granularity block:K expects a K that is a multiple of {BLOCK_UNIT}, found '{granularity}'"
        )
    return int(size)
