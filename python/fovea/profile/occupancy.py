# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How many waves of a kernel fit on a SIMD at once, and what keeps more from fitting.

A workgroup is on one compute unit as a whole: it needs room for all its waves. The rules are those of LLVM's AMDGPU
backend (vector registers, waves of a SIMD, workgroups of a compute unit) and LDS; scalar registers, of which every wave
of these chips gets a fixed number, do not limit.
"""

from __future__ import annotations

from dataclasses import dataclass

from fovea.codeobject import Kernel
from fovea.profile.peaks import Peaks

REGISTERS, LDS, WAVES, WORKGROUPS = "registers", "LDS", "waves", "workgroups"


@dataclass(frozen=True)
class Occupancy:
    """What fits on the chip when there is enough work.

    `workgroups` of a compute unit, `waves_per_simd` on average; `limits` is how many workgroups each resource alone
    would let in, of those that are used and do not let in what the waves allow; `limited_by` are the resources that let
    in the fewest. `registers` are those of a lane that a wave is given, `lds_bytes` what a workgroup is given.
    """

    workgroups: int
    waves_per_simd: float
    limits: dict[str, int]
    limited_by: tuple[str, ...]
    registers: int
    lds_bytes: int


def occupancy(peaks: Peaks, registers: int, lds_bytes: int, waves: int) -> Occupancy:
    """Of a kernel that needs `registers` vector registers a lane, `lds_bytes` and `waves` waves a workgroup."""
    given = _up(max(registers, 1), peaks.register_granule)
    local = _up(lds_bytes, peaks.lds_granule)
    limits = {WAVES: peaks.waves * peaks.simds // waves}
    if peaks.registers // given < peaks.waves:
        limits[REGISTERS] = peaks.registers // given * peaks.simds // waves
    if local:
        limits[LDS] = peaks.lds_size // local
    if waves > 1:  # a workgroup of one wave needs no barrier, and barriers are what limits the number of workgroups
        limits[WORKGROUPS] = peaks.workgroups
    fits = min(limits.values())
    limited = tuple(name for name, count in limits.items() if count == fits)
    return Occupancy(fits, fits * waves / peaks.simds, limits, limited, given, local)


def kernel_occupancy(peaks: Peaks, kernel: Kernel, block: tuple[int, int, int], dynamic_lds: int = 0) -> Occupancy:
    """Of a kernel in a code object, launched with `block` work-items a workgroup.

    Its registers are those that its descriptor asks for (ordinary and accumulation registers together where they share
    a file): the compiler may ask for more than the code uses, where LDS lets in no more waves anyway.
    """
    asked = ((kernel.rsrc1 & 0x3F) + 1) * peaks.encoded_granule
    waves = -(-block[0] * block[1] * block[2] // kernel.wavefront_size)
    return occupancy(peaks, asked, kernel.lds_bytes + dynamic_lds, waves)


def _up(value: int, granule: int) -> int:
    return -(-value // granule) * granule
