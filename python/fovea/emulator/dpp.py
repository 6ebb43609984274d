# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Data-parallel primitives: which lane each lane reads, from the modifiers of a `_dpp` instruction.

Source: AMD "CDNA3 Instruction Set Architecture", DPP_CTRL enumeration. A row is 16 lanes, a bank 4 lanes of a row.
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


def lane_map(line: Line) -> Array:
    """Source lane for each lane, -1 where the source is outside the row or wave."""
    m = line.modifiers
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


def with_dpp(line: Line, source: Getter, run: Step) -> tuple[Getter, Step]:
    """Wrap the getter of source 0 and the whole step so that DPP's lane map and write masks hold."""
    lanes = lane_map(line)
    inside = lanes >= 0
    lanes = np.where(inside, lanes, 0)
    zero_fill = "bound_ctrl" in line.modifiers
    row_mask, bank_mask = line.number("row_mask", 15), line.number("bank_mask", 15)
    enabled = ((row_mask >> (_LANE >> 4)) & (bank_mask >> (_IN_ROW >> 2)) & 1).astype(bool)
    all_enabled = bool(enabled.all())
    all_inside = bool(inside.all())

    def valid(g: Group) -> Array:
        return inside[None, :] if g.full else inside & g.mask[:, lanes]

    def permuted(g: Group) -> Any:
        value = source(g)
        if value.shape[1] == 1:
            value = np.broadcast_to(value, (g.count, 64))
        value = value[:, lanes]
        if zero_fill and not (all_inside and g.full):
            value = np.where(valid(g) if saved is None else inside & saved[:, lanes], value, value.dtype.type(0))
        return value

    saved: Array | None = None

    def step(g: Group) -> Any:
        nonlocal saved
        if all_enabled and g.full and (all_inside or zero_fill):
            return run(g)
        allowed = np.broadcast_to(enabled, (g.count, 64)) if zero_fill else enabled & valid(g)
        state = (g.full, g._mask, g._active)
        if not g.full:
            allowed = allowed & g.mask
            saved = g.mask
        g.full, g._mask, g._active = False, np.ascontiguousarray(np.broadcast_to(allowed, (g.count, 64))), None
        if saved is None:
            saved = np.ones((g.count, 64), bool)
        try:
            return run(g)
        finally:
            g.full, g._mask, g._active = state
            saved = None

    return permuted, step
