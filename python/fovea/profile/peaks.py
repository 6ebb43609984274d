# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Peak figures of each chip: the one table that modelled times and occupancies come from.

Sources. Clocks, compute units, memory bandwidth, and the matrix rates (peak operations a second / clock / compute
units): AMD's data sheets of MI300X, MI355X, RX 7900 XTX, RX 9060 XT and RX 9070 XT, dense, no sparsity. Lines of the
vector cache and bytes of LDS a clock: the speed-of-light formulas of AMD's ROCm Compute Profiler (CDNA3: 128 bytes
each). Registers, granules, waves and workgroups: LLVM's "User Guide for AMDGPU Backend" and what LLVM's AMDGPU backend
computes occupancy with. Rates of slow vector instructions: AMD's instruction set guides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fovea.errors import UsageError

_QUARTER = r"v_(?:pk_)?(?:exp|log|rcp|rcp_iflag|rsq|sqrt|sin|cos)_|v_mul_(?:lo|hi)_[iu]32|v_mad_[iu]64_[iu]32"
_RDNA_DOUBLE = r"v_\w+_f64"


@dataclass(frozen=True)
class Peaks:
    """One chip as sold in `product`.

    Rates are a clock and compute unit: `matrix` operations by kind of operand, `lds_bytes` bytes of LDS, and one cache
    line of `line_bytes`. A SIMD issues a vector instruction for `simd_lanes` lanes a clock; `slow` are those that take
    several times as long. `registers` are 32-bit vector registers of a lane of a SIMD, for all its waves, given out in
    granules of `register_granule`; LDS (`lds_size` a compute unit) is given out in granules of `lds_granule` bytes.
    `encoded_granule` is the unit of the register count in a kernel's descriptor.
    """

    chip: str
    product: str
    compute_units: int
    simds: int
    clock: float
    memory: float
    matrix: Mapping[str, int]
    simd_lanes: int
    slow: tuple[tuple[str, int], ...]
    registers: int
    register_granule: int
    encoded_granule: int
    waves: int
    workgroups: int
    lds_size: int
    lds_granule: int
    lds_bytes: int = 128
    line_bytes: int = 128

    def matrix_flops(self, kind: str) -> float:
        """Operations a second of the whole chip's matrix units."""
        return self.matrix[kind] * self.compute_units * self.clock

    @property
    def vector_flops(self) -> float:
        """f32 fused multiply-adds of all lanes, two for each in a clock (packed on CDNA, dual issue on RDNA)."""
        return 4.0 * self.simd_lanes * self.simds * self.compute_units * self.clock

    def vector_clocks(self, name: str, lanes: int) -> int:
        """Clocks that a vector instruction keeps its SIMD busy."""
        factor = next((times for pattern, times in self.slow if re.match(pattern, name)), 1)
        return max(lanes // self.simd_lanes, 1) * factor


PEAKS = {
    peaks.chip: peaks
    for peaks in (
        Peaks("gfx942", "MI300X", 304, 4, 2.1e9, 5.3e12,
              {"f16": 2048, "bf16": 2048, "fp8": 4096, "i8": 4096, "xf32": 1024, "f32": 256, "f64": 256},
              16, ((_QUARTER, 4),), 512, 8, 8, 8, 16, 64 << 10, 512),
        Peaks("gfx950", "MI355X", 256, 4, 2.4e9, 8.0e12,
              {"f16": 4096, "bf16": 4096, "fp8": 8192, "i8": 8192, "f32": 256, "f64": 128},
              16, ((_QUARTER, 4),), 512, 8, 8, 8, 16, 160 << 10, 1280),
        Peaks("gfx1100", "RX 7900 XTX", 96, 2, 2.5e9, 0.96e12, {"f16": 512, "bf16": 512, "i8": 512, "i4": 1024},
              32, ((_RDNA_DOUBLE, 16), (_QUARTER, 4)), 1536, 24, 8, 16, 16, 64 << 10, 1024),
        Peaks("gfx1200", "RX 9060 XT", 32, 2, 3.13e9, 0.32e12,
              {"f16": 1024, "bf16": 1024, "fp8": 2048, "i8": 2048, "i4": 4096},
              32, ((_RDNA_DOUBLE, 16), (_QUARTER, 4)), 1536, 24, 8, 16, 16, 64 << 10, 1024),
        Peaks("gfx1201", "RX 9070 XT", 64, 2, 2.97e9, 0.64e12,
              {"f16": 1024, "bf16": 1024, "fp8": 2048, "i8": 2048, "i4": 4096},
              32, ((_RDNA_DOUBLE, 16), (_QUARTER, 4)), 1536, 24, 8, 16, 16, 64 << 10, 1024),
    )
}  # fmt: skip


def peaks_of(chip: str) -> Peaks:
    """The row of a chip; UsageError naming those that there are figures for."""
    if chip not in PEAKS:
        raise UsageError(f"no peak figures for {chip}; there are some for: {', '.join(PEAKS)}")
    return PEAKS[chip]
