# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Data-parallel primitives: which lane each lane reads, from the modifiers of a `_dpp` instruction.

Sources: AMD's CDNA3 and CDNA4 guides (DPP_CTRL enumeration) and RDNA3 guide (DPP16, DPP8). A row is 16 lanes, a bank 4
lanes of a row. A source lane is invalid if it is outside the row or wave, or switched off and not asked for with `fi`:
with bound_ctrl, which DPP8 always has, it reads as zero, without it the lane's result is not written.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fovea.emulator.errors import DecodeError
from fovea.emulator.group import Group
from fovea.emulator.operands import Getter, Step
from fovea.emulator.text import Line

Array = np.ndarray[Any, Any]
_LANE = np.arange(64)
_ROW = _LANE & ~15
_IN_ROW = _LANE & 15
ONLY_GFX9 = frozenset(("row_bcast", "row_newbcast", "wave_shl", "wave_shr", "wave_rol", "wave_ror"))
ONLY_LATER = frozenset(("row_share", "row_xmask", "dpp8", "fi"))
"""Controls of waves of 64 lanes (gfx9), and of gfx11 and gfx12."""


def lane_map(line: Line) -> Array:
    """Source lane for each lane, -1 where the source is outside the row or wave."""
    m = line.modifiers
    if "dpp8" in m:
        within = np.array([int(x) for x in m["dpp8"].strip("[]").split(",")])
        return (_LANE & ~7) + within[_LANE & 7]
    if "quad_perm" in m:
        order = np.array([int(x) for x in m["quad_perm"].strip("[]").split(",")])
        return (_LANE & ~3) + order[_LANE & 3]
    if "row_mirror" in m:
        return _ROW + 15 - _IN_ROW
    if "row_half_mirror" in m:
        return (_LANE & ~7) + 7 - (_LANE & 7)
    if "row_newbcast" in m or "row_share" in m:
        return _ROW + line.number("row_share" if "row_share" in m else "row_newbcast")
    if "row_xmask" in m:
        return _ROW + (_IN_ROW ^ line.number("row_xmask"))
    if "row_ror" in m:
        return _ROW + (_IN_ROW - line.number("row_ror")) % 16
    if "row_shl" in m:
        source = _IN_ROW + line.number("row_shl")
        return np.where(source < 16, _ROW + source, -1)
    if "row_shr" in m:
        source = _IN_ROW - line.number("row_shr")
        return np.where(source >= 0, _ROW + source, -1)
    if "wave_shl" in m:
        return np.where(_LANE < 63, _LANE + 1, -1)
    if "wave_shr" in m:
        return _LANE - 1
    if "wave_rol" in m:
        return (_LANE + 1) % 64
    if "wave_ror" in m:
        return (_LANE - 1) % 64
    if "row_bcast" in m:
        # Lane 15 of each row goes to the next row; with 31, lane 31 goes to rows 2 and 3.
        count = line.number("row_bcast")
        if count == 15:
            return np.where(_ROW > 0, _ROW - 1, -1)
        if count == 31:
            return np.where(_LANE >= 32, 31, -1)
    raise DecodeError("this DPP control is not supported")


def with_dpp(line: Line, lanes_a_wave: int, source: Getter, run: Step) -> tuple[Getter, Step]:
    """Wrap the getter of source 0 and the whole step so that DPP's lane map and write masks hold."""
    foreign = set(line.modifiers) & (ONLY_LATER if lanes_a_wave == 64 else ONLY_GFX9)
    if foreign:
        raise DecodeError(f"the DPP control {', '.join(sorted(foreign))} is not this chip's")
    lanes = lane_map(line)
    inside = lanes >= 0
    lanes = np.where(inside, lanes, 0)
    zero_fill = "bound_ctrl" in line.modifiers or "dpp8" in line.modifiers
    fetch_inactive = bool(line.number("fi"))
    row_mask, bank_mask = line.number("row_mask", 15), line.number("bank_mask", 15)
    enabled = ((row_mask >> (_LANE >> 4)) & (bank_mask >> (_IN_ROW >> 2)) & 1).astype(bool)
    all_enabled, all_inside = bool(enabled.all()), bool(inside.all())
    valid: Array = inside

    def permuted(g: Group) -> Any:
        value = source(g)
        if value.shape[1] == 1:
            value = np.broadcast_to(value, (g.count, 64, *value.shape[2:]))
        value = value[:, lanes]
        if zero_fill and not valid.all():
            value = np.where(valid[..., None] if value.ndim == 3 else valid, value, value.dtype.type(0))
        return value

    def step(g: Group) -> Any:
        nonlocal valid
        valid = inside if g.full or fetch_inactive else inside & g.mask[:, lanes]
        if all_enabled and g.full and (all_inside or zero_fill):
            return run(g)
        allowed = enabled & (True if zero_fill else valid) & (True if g.full else g.mask)
        with g.only(np.ascontiguousarray(np.broadcast_to(allowed, (g.count, 64)))):
            return run(g)

    return permuted, step
