# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What differs between the chips that the emulator runs (one table).

Sources: LLVM's "User Guide for AMDGPU Backend" (processors, wavefront sizes) and AMD's CDNA3 and CDNA4 instruction set
guides (LDS size, formats of the 8-bit floats).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Chip:
    """One processor: lanes a wave, bytes of LDS a workgroup may have, and the family of its 8-bit floats."""

    name: str
    lanes: int
    lds_bytes: int
    float8: str
    """`fnuz`: E4M3FNUZ and E5M2FNUZ; `ocp`: E4M3FN and E5M2 of the Open Compute Project."""


CHIPS = {
    chip.name: chip
    for chip in (
        Chip("gfx942", 64, 64 << 10, "fnuz"),
        Chip("gfx950", 64, 160 << 10, "ocp"),
        Chip("gfx1100", 32, 64 << 10, "ocp"),
        Chip("gfx1200", 32, 64 << 10, "ocp"),
        Chip("gfx1201", 32, 64 << 10, "ocp"),
    )
}
