# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Instructions that move values between lanes and scalar registers, lane by lane, with lanes switched off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from assembly_runner import run_assembly

from fovea.emulator import EmulationError

U32 = np.uint32
LANES = range(64)
VALUES = np.random.default_rng(3).integers(0, 2**32, 64, dtype=np.uint64).astype(U32)
OTHER = np.random.default_rng(4).integers(0, 2**32, 64, dtype=np.uint64).astype(U32)
OLD = np.full(64, 7, U32)
MASKS = (2**64 - 1, 0x00FF_F0F0_A5F3_5550, 1 << 63)
TESTED = {
    "v_readfirstlane_b32", "v_readlane_b32", "v_writelane_b32", "v_mbcnt_lo_u32_b32", "v_mbcnt_hi_u32_b32",
    "v_swap_b32", "v_permlane16_swap_b32", "v_permlane32_swap_b32", "v_movrels_b32", "v_movreld_b32",
    "ds_swizzle_b32", "ds_bpermute_b32", "ds_permute_b32",
    # in test_dpp
    "v_permlane16_b32", "v_permlanex16_b32", "v_permlane16_var_b32", "v_permlanex16_var_b32",
}  # fmt: skip


def on(mask: int, lane: int) -> bool:
    return bool(mask >> lane & 1)


@pytest.mark.parametrize("mask", [*MASKS, 0], ids=hex)
def test_reads_and_writes_of_one_lane(mask: int) -> None:
    text = (
        "v_readfirstlane_b32 s4, v0\nv_readlane_b32 s5, v0, 17\nv_readlane_b32 s6, v0, s20\n"
        "v_writelane_b32 v1, s21, 3\nv_writelane_b32 v1, 11, s20"
    )
    result = run_assembly(text, {0: VALUES, 1: OLD}, {20: 64 + 41, 21: 99}, exec_mask=mask)
    first = next((lane for lane in LANES if on(mask, lane)), 0)
    assert [result.s(n) for n in (4, 5, 6)] == [int(VALUES[n]) for n in (first, 17, 41)]
    assert result.v(1).tolist() == [99 if lane == 3 else 11 if lane == 41 else 7 for lane in LANES]


@pytest.mark.parametrize("chip", ["gfx1100", "gfx1200", "gfx1201"])
def test_lane_numbers_wrap_at_the_wave(chip: str) -> None:
    result = run_assembly("v_readlane_b32 s5, v0, s20", {0: VALUES}, {20: 32 + 9}, exec_mask=0xFFFF_FFFF, chip=chip)
    assert result.s(5) == int(VALUES[9])


@pytest.mark.parametrize("mask", MASKS, ids=hex)
def test_bits_below_a_lane(mask: int) -> None:
    bits = 0x8421_F00F_3C5A_7731
    text = "v_mbcnt_lo_u32_b32 v1, s4, v0\nv_mbcnt_hi_u32_b32 v2, s5, v1\nv_mbcnt_hi_u32_b32 v3, -1, 0"
    v = {0: np.arange(64, dtype=U32), 1: OLD, 2: OLD, 3: OLD}
    result = run_assembly(text, v, {4: bits & 0xFFFFFFFF, 5: bits >> 32}, exec_mask=mask)
    low, high = bits & 0xFFFFFFFF, bits >> 32
    for lane in LANES:
        below_low = (low & (1 << min(lane, 32)) - 1).bit_count() + lane
        below_high = (high & (1 << max(lane - 32, 0)) - 1).bit_count()
        wanted = (below_low, below_low + below_high, max(lane - 32, 0)) if on(mask, lane) else (7, 7, 7)
        assert tuple(int(result.v(n)[lane]) for n in (1, 2, 3)) == wanted


@pytest.mark.parametrize("mask", MASKS, ids=hex)
def test_swap(mask: int) -> None:
    result = run_assembly("v_swap_b32 v0, v1", {0: VALUES, 1: OTHER}, exec_mask=mask)
    for lane in LANES:
        pair = int(VALUES[lane]), int(OTHER[lane])
        found = int(result.v(0)[lane]), int(result.v(1)[lane])
        assert found == (pair[::-1] if on(mask, lane) else pair)


@pytest.mark.parametrize("rows", [16, 32])
def test_row_swaps(rows: int) -> None:
    """Odd rows of the first register change places with even rows of the second; all lanes must be active."""
    text = f"v_permlane{rows}_swap_b32 v0, v1"
    result = run_assembly(text, {0: VALUES, 1: OTHER}, chip="gfx950")
    for lane in LANES:
        upper = lane // rows % 2 == 1
        assert int(result.v(0)[lane]) == int(OTHER[lane - rows] if upper else VALUES[lane])
        assert int(result.v(1)[lane]) == int(OTHER[lane] if upper else VALUES[lane + rows])
    with pytest.raises(EmulationError, match="switched off"):
        run_assembly(text, {0: VALUES, 1: OTHER}, exec_mask=5, chip="gfx950")


@pytest.mark.parametrize("chip", ["gfx1100", "gfx1200", "gfx1201"])
def test_registers_relative_to_m0(chip: str) -> None:
    v: dict[int, Any] = {4 + n: np.full(64, 40 + n, U32) for n in range(8)}
    mask = 0x0F0F_A5F0
    # The last move says how many registers the kernel has.
    text = "s_mov_b32 m0, 2\nv_movrels_b32_e32 v1, v4\nv_movreld_b32_e32 v8, v5\nv_mov_b32 v11, v11"
    result = run_assembly(text, v | {1: OLD}, exec_mask=mask, chip=chip)
    for lane in range(32):
        assert int(result.v(1)[lane]) == (46 - 4 if on(mask, lane) else 7)
        assert int(result.v(10)[lane]) == (41 if on(mask, lane) else 46)


def swizzled(offset: int, lane: int) -> int:
    """DS_SWIZZLE_B32 (CDNA4 guide): quad mode with bit 15, else and, or and xor of the lane's number within 32."""
    if offset & 0x8000:
        return (lane & ~3) + (offset >> 2 * (lane & 3) & 3)
    low = (lane & 31 & (offset & 31) | offset >> 5 & 31) ^ (offset >> 10 & 31)
    return lane & 32 | low


SWIZZLES = {
    **{hex(bits): bits for bits in (0x401F, 0x0000, 0x001F, 0x7C1F, 0x1C03, 0x03E0, 0x7D55, 0x80E4, 0x801B, 0x80B1)},
    "swizzle(SWAP,16)": 16 << 10 | 31, "swizzle(SWAP,1)": 1 << 10 | 31, "swizzle(REVERSE,8)": 7 << 10 | 31,
    "swizzle(BROADCAST,8,3)": 3 << 5 | 24, "swizzle(BROADCAST,32,31)": 31 << 5,
    'swizzle(BITMASK_PERM,"01pip")': 1 << 3 << 5 | 1 << 1 << 10 | 0b00111, "swizzle(QUAD_PERM,1,0,3,2)": 0x80B1,
}  # fmt: skip


@pytest.mark.parametrize("text", SWIZZLES)
@pytest.mark.parametrize("mask", MASKS, ids=hex)
def test_swizzle(text: str, mask: int) -> None:
    """Switched-off sources read as zero."""
    result = run_assembly(f"ds_swizzle_b32 v1, v0 offset:{text}", {0: VALUES, 1: OLD}, exec_mask=mask)
    for lane in LANES:
        source = swizzled(SWIZZLES[text], lane)
        wanted = (int(VALUES[source]) if on(mask, source) else 0) if on(mask, lane) else 7
        assert int(result.v(1)[lane]) == wanted, (lane, source)


@pytest.mark.parametrize("mask", MASKS, ids=hex)
def test_permutes_through_lds(mask: int) -> None:
    """Backward: an address names the lane to read (zero if off). Forward: the lane to write; the last one wins."""
    rng = np.random.default_rng(6)
    backward, forward = rng.integers(0, 64, 64), rng.integers(0, 64, 64)
    v = {0: VALUES, 1: (backward * 4 + 256).astype(U32), 2: (forward * 4).astype(U32), 3: OLD, 4: OLD}
    text = "ds_bpermute_b32 v3, v1, v0 offset:8\nds_permute_b32 v4, v2, v0 offset:4"
    result = run_assembly(text, v, exec_mask=mask)
    sent = [0] * 64
    for lane in LANES:
        if on(mask, lane):
            sent[(int(forward[lane]) + 1) % 64] = int(VALUES[lane])
    for lane in LANES:
        source = (int(backward[lane]) + 2) % 64
        wanted = (int(VALUES[source]) if on(mask, source) else 0) if on(mask, lane) else 7
        assert int(result.v(3)[lane]) == wanted
        assert int(result.v(4)[lane]) == (sent[lane] if on(mask, lane) else 7)
