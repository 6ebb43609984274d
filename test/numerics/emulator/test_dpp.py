# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Data-parallel primitives: every control, with lanes switched off, masks, bound_ctrl and fi, and the lane permutes.

Stated lane by lane from the CDNA4 guide (DPP_CTRL enumeration) and the RDNA3 guide (DPP16, "BC and FI", DPP8).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from assembly_runner import FULL, run_assembly

from fovea.emulator import EmulationError

U32 = np.uint32
LANE = np.arange(64)
VALUES = (LANE * 3 + 100).astype(U32)
OLD = np.full(64, 7, U32)
Source = Callable[[int], "int | None"]


def row(lane: int) -> int:
    return lane & ~15


def within_row(lane: int, source: int) -> int | None:
    return source if source >= 0 and row(source) == row(lane) else None


def shifted(distance: int) -> Source:
    return lambda lane: within_row(lane, lane + distance)


def rotated(distance: int) -> Source:
    return lambda lane: row(lane) + (lane - distance) % 16


def shared(place: int) -> Source:
    return lambda lane: row(lane) + place


def crossed(bits: int) -> Source:
    return lambda lane: lane ^ bits


BOTH: dict[str, Source] = {
    "quad_perm:[3,0,1,2]": lambda i: (i & ~3) + (3, 0, 1, 2)[i & 3],
    "quad_perm:[1,1,3,0]": lambda i: (i & ~3) + (1, 1, 3, 0)[i & 3],
    **{f"row_shl:{n}": shifted(n) for n in (1, 3, 15)},
    **{f"row_shr:{n}": shifted(-n) for n in (1, 8, 15)},
    **{f"row_ror:{n}": rotated(n) for n in (1, 5, 15)},
    "row_mirror": lambda i: row(i) + 15 - i % 16,
    "row_half_mirror": lambda i: (i & ~7) + 7 - i % 8,
}  # fmt: skip
GFX9: dict[str, Source] = BOTH | {
    "row_bcast:15": lambda i: row(i) - 1 if i >= 16 else None,
    "row_bcast:31": lambda i: 31 if i >= 32 else None,
    "row_newbcast:0": row,
    "row_newbcast:4": lambda i: row(i) + 4,
    "wave_shl:1": lambda i: i + 1 if i < 63 else None,
    "wave_shr:1": lambda i: i - 1 if i > 0 else None,
    "wave_rol:1": lambda i: (i + 1) % 64,
    "wave_ror:1": lambda i: (i - 1) % 64,
}
LATER: dict[str, Source] = BOTH | {
    **{f"row_share:{n}": shared(n) for n in (0, 2, 15)},
    **{f"row_xmask:{n}": crossed(n) for n in (1, 5, 15)},
}
CASES = [("gfx942", control, source) for control, source in GFX9.items()] + [
    (chip, control, source) for chip in ("gfx1100", "gfx1200", "gfx1201") for control, source in LATER.items()
]
MASKS = (FULL, 0x00FF_F0F0_A5F3_5555)


def lanes_of(chip: str) -> int:
    return 64 if chip == "gfx942" else 32


def run(chip: str, text: str, exec_mask: int) -> Any:
    """v1 after an instruction that reads v0 (and v2, twos)."""
    every = (1 << lanes_of(chip)) - 1
    v = {0: VALUES, 1: OLD, 2: np.full(64, 2, U32)}
    return run_assembly(text, v, exec_mask=exec_mask & every, chip=chip)


def expected(
    chip: str, source: Source, exec_mask: int, zero: bool = False, fi: bool = False, rows: int = 15, banks: int = 15
) -> list[int]:
    """v1 of a move."""
    on = [lane < lanes_of(chip) and exec_mask >> lane & 1 for lane in range(64)]
    out = []
    for lane in range(64):
        origin = source(lane) if on[lane] else None
        valid = origin is not None and (on[origin] or fi)
        written = on[lane] and rows >> lane // 16 & 1 and banks >> lane % 16 // 4 & 1 and (valid or zero)
        out.append(int(VALUES[origin]) if written and valid and origin is not None else 0 if written else 7)
    return out


@pytest.mark.parametrize(("chip", "control", "source"), CASES, ids=[f"{chip}-{text}" for chip, text, _ in CASES])
@pytest.mark.parametrize("exec_mask", MASKS, ids=hex)
def test_controls(chip: str, control: str, source: Source, exec_mask: int) -> None:
    plain = run(chip, f"v_mov_b32_dpp v1, v0 {control} row_mask:0xf bank_mask:0xf", exec_mask)
    assert plain.v(1).tolist() == expected(chip, source, exec_mask)
    masked = run(chip, f"v_mov_b32_dpp v1, v0 {control} row_mask:0xa bank_mask:0x3 bound_ctrl:1", exec_mask)
    assert masked.v(1).tolist() == expected(chip, source, exec_mask, True, rows=0xA, banks=3)
    if chip != "gfx942":
        for bound in ("", " bound_ctrl:1"):
            text = f"v_mov_b32_dpp v1, v0 {control} row_mask:0xf bank_mask:0xf{bound} fi:1"
            found = run(chip, text, exec_mask)
            assert found.v(1).tolist() == expected(chip, source, exec_mask, bool(bound), fi=True)


@pytest.mark.parametrize("chip", ["gfx1100", "gfx1200", "gfx1201"])
@pytest.mark.parametrize("exec_mask", MASKS, ids=hex)
@pytest.mark.parametrize("order", [(7, 6, 5, 4, 3, 2, 1, 0), (3, 3, 0, 7, 1, 2, 6, 6)])
def test_dpp8(chip: str, exec_mask: int, order: tuple[int, ...]) -> None:
    """Any order of eight lanes; switched-off sources read as zero unless fi is set."""
    def source(lane: int) -> int:
        return (lane & ~7) + order[lane & 7]

    control = f"dpp8:[{','.join(map(str, order))}]"
    for fi in (False, True):
        found = run(chip, f"v_mov_b32_dpp v1, v0 {control}{' fi:1' * fi}", exec_mask)
        assert found.v(1).tolist() == expected(chip, source, exec_mask, True, fi)
    added = run(chip, f"v_add_nc_u32_e64_dpp v1, v0, v2 {control}", exec_mask)
    moved = expected(chip, source, exec_mask, True)
    on = [exec_mask >> lane & 1 and lane < 32 for lane in range(64)]
    assert added.v(1).tolist() == [x + 2 if active else 7 for x, active in zip(moved, on, strict=True)]


@pytest.mark.parametrize("chip", ["gfx942", "gfx1100", "gfx1201"])
@pytest.mark.parametrize("exec_mask", MASKS, ids=hex)
def test_compare_writes_zero_where_nothing_is_written(chip: str, exec_mask: int) -> None:
    narrow = chip != "gfx942"
    target = "s4" if narrow else "s[4:5]"
    name = "v_cmp_lt_u32_e64_dpp" if narrow else "v_cmp_lt_u32_dpp"
    text = f"{name} {target if narrow else 'vcc'}, v0, v3 row_shr:1 row_mask:0xf bank_mask:0xf"
    every = (1 << lanes_of(chip)) - 1
    v = {0: VALUES, 3: np.full(64, 1000, U32)}
    result = run_assembly(text, v, exec_mask=exec_mask & every, chip=chip)
    on = [lane < lanes_of(chip) and exec_mask >> lane & 1 for lane in range(64)]
    wanted = sum(1 << lane for lane in range(64) if on[lane] and lane % 16 and on[lane - 1])
    assert (result.s(4) if narrow else result.s64(106)) == wanted


def test_second_source_and_wide_values() -> None:
    r = run_assembly("v_add_u32_dpp v2, v0, v1 row_shr:2 row_mask:0xf bank_mask:0xf bound_ctrl:1",
                     {0: VALUES, 1: VALUES})  # fmt: skip
    assert r.v(2).tolist() == [int(VALUES[i]) + (int(VALUES[i - 2]) if i % 16 >= 2 else 0) for i in range(64)]
    wide = VALUES.astype(np.uint64) << np.uint64(20)
    r = run_assembly("v_mov_b64_dpp v[4:5], v[0:1] row_newbcast:3 row_mask:0xf bank_mask:0xf", {0: wide})
    assert r.pair(4, np.uint64).tolist() == [int(wide[row(i) + 3]) for i in range(64)]


@pytest.mark.parametrize("chip", ["gfx1100", "gfx1200", "gfx1201"])
@pytest.mark.parametrize("other", [False, True])
@pytest.mark.parametrize("flags", [(0, 0), (1, 0), (0, 1)])
def test_permutes_of_rows(chip: str, other: bool, flags: tuple[int, int]) -> None:
    """v_permlane16 and v_permlanex16, with the nibbles in two scalars or (gfx12) a number in each lane."""
    picks = [5, 0, 15, 3, 9, 9, 1, 2, 14, 13, 6, 7, 8, 4, 11, 10]
    mask = MASKS[1] & 0xFFFFFFFF
    on = [lane < 32 and mask >> lane & 1 for lane in range(64)]
    bits = sum(pick << 4 * i for i, pick in enumerate(picks))
    wanted = []
    for lane in range(64):
        origin = (row(lane) ^ (16 if other else 0)) + picks[lane % 16]
        fetched = bool(on[origin] or flags[0])
        wanted.append(7 if not on[lane] else int(VALUES[origin]) if fetched else 0 if flags[1] else 7)
    x = "x" if other else ""
    select = f" op_sel:[{flags[0]},{flags[1]}]" if any(flags) else ""
    s = {4: bits & 0xFFFFFFFF, 5: bits >> 32}
    v = {0: VALUES, 1: OLD, 2: np.array([picks[i % 16] + 16 * i for i in range(64)], U32)}
    found = run_assembly(f"v_permlane{x}16_b32 v1, v0, s4, s5{select}", v, s, exec_mask=mask, chip=chip)
    assert found.v(1).tolist() == wanted
    if chip != "gfx1100":
        found = run_assembly(f"v_permlane{x}16_var_b32 v1, v0, v2{select}", v, exec_mask=mask, chip=chip)
        assert found.v(1).tolist() == wanted


@pytest.mark.parametrize(("chip", "text", "message"), [
    ("gfx942", "v_mov_b32_dpp v1, v0 row_share:3 row_mask:0xf bank_mask:0xf", "row_share is not this chip's"),
    ("gfx942", "v_mov_b32_dpp v1, v0 dpp8:[0,1,2,3,4,5,6,7]", "dpp8 is not this chip's"),
    ("gfx1201", "v_mov_b32_dpp v1, v0 row_bcast:15 row_mask:0xf bank_mask:0xf", "row_bcast is not this chip's"),
    ("gfx1201", "v_fma_mix_f32_e64_dpp v1, v0, v2, v3 row_share:3 row_mask:0xf bank_mask:0xf", "DPP is not supported"),
])  # fmt: skip
def test_refused(chip: str, text: str, message: str) -> None:
    with pytest.raises(EmulationError, match=message):
        run_assembly(text, chip=chip)
