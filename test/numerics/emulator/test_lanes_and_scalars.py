# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cross-lane instructions, scalar instructions, control flow."""

from __future__ import annotations

import numpy as np
from assembly_runner import FULL, run_assembly

U32 = np.uint32
LANE = np.arange(64)
VALUES = (LANE * 3 + 100).astype(U32)


def test_swizzle_and_permute() -> None:
    source = np.random.default_rng(1).permutation(64)
    r = run_assembly(
        "ds_bpermute_b32 v2, v1, v0\nds_permute_b32 v3, v1, v0\nds_swizzle_b32 v4, v0 offset:swizzle(SWAP,16)\n"
        'ds_swizzle_b32 v5, v0 offset:swizzle(BITMASK_PERM,"01pip")\nds_swizzle_b32 v6, v0 offset:0x401f\n'
        "ds_swizzle_b32 v7, v0 offset:swizzle(QUAD_PERM,1,0,3,2)\nds_swizzle_b32 v8, v0 offset:swizzle(BROADCAST,8,3)",
        {0: VALUES, 1: (source * 4).astype(U32)},
    )
    np.testing.assert_array_equal(r.v(2), VALUES[source])
    scattered = np.zeros(64, U32)
    scattered[source] = VALUES
    np.testing.assert_array_equal(r.v(3), scattered)
    np.testing.assert_array_equal(r.v(4), VALUES[LANE ^ 16])
    np.testing.assert_array_equal(r.v(5), VALUES[(LANE & 32) | 8 | ((LANE & 7) ^ 2)])
    np.testing.assert_array_equal(r.v(6), VALUES[LANE ^ 16])
    np.testing.assert_array_equal(r.v(7), VALUES[LANE ^ 1])
    np.testing.assert_array_equal(r.v(8), VALUES[(LANE & ~7) + 3])


def test_lane_access() -> None:
    r = run_assembly(
        "v_readlane_b32 s4, v0, 17\nv_readlane_b32 s5, v0, s4\nv_writelane_b32 v0, s4, 3\n"
        "v_mbcnt_lo_u32_b32 v1, -1, 0\nv_mbcnt_hi_u32_b32 v1, -1, v1\nv_mbcnt_lo_u32_b32 v2, s6, 5\n"
        "v_accvgpr_write_b32 a3, v1\nv_accvgpr_read_b32 v3, a3",
        {0: VALUES}, {6: 0xF0},
    )  # fmt: skip
    assert (r.s(4), r.s(5)) == (VALUES[17], VALUES[VALUES[17] % 64])
    assert r.v(0)[3] == VALUES[17]
    np.testing.assert_array_equal(r.v(1), LANE)
    np.testing.assert_array_equal(r.v(2), [5 + bin(0xF0 & ((1 << min(i, 32)) - 1)).count("1") for i in range(64)])
    np.testing.assert_array_equal(r.v(3), LANE)


def test_scalar_arithmetic() -> None:
    r = run_assembly(
        """s_add_u32 s8, s0, s1
        s_addc_u32 s9, s2, 0
        s_mul_i32 s10, s0, s1
        s_mul_hi_u32 s11, s0, s1
        s_lshl_b64 s[12:13], s[0:1], 7
        s_ashr_i32 s14, s0, 4
        s_bfe_u32 s15, s0, 0x80008
        s_bfe_i32 s16, s0, 0x40000
        s_cmp_lt_i32 s0, 0
        s_cselect_b32 s17, 1, 2
        s_and_b64 s[18:19], s[0:1], exec
        s_bcnt1_i32_b64 s20, s[0:1]
        s_ff1_i32_b32 s21, s1
        s_flbit_i32_b32 s22, s1
        s_movk_i32 s23, 0x8000
        s_brev_b32 s24, 1
        s_pack_ll_b32_b16 s25, s0, s1
        s_lshl2_add_u32 s26, s1, 3
        s_min_i32 s27, s0, s1
        s_sext_i32_i16 s28, s0
        s_mov_b32 s29, 0.5
        s_andn2_b64 s[30:31], s[0:1], 1
        s_cmp_eq_u64 s[0:1], s[0:1]""",
        s={0: 0xF123_4568, 1: 0x0812_3450, 2: 9},
    )
    a, b = 0xF123_4568, 0x0812_3450
    pair = b << 32 | a
    expected = {
        8: (a + b) % 2**32, 9: 9 + (a + b >> 32), 10: a * b % 2**32, 11: a * b >> 32, 14: (a - 2**32 >> 4) % 2**32,
        15: 0x45, 16: 0xFFFFFFF8, 17: 1, 20: bin(pair).count("1"), 21: 4, 22: 4, 23: 0xFFFF8000, 24: 0x80000000,
        25: 0x3450_4568, 26: 4 * b + 3, 27: a, 28: 0x4568, 29: 0x3F000000, 30: a & ~1, 31: b,
    }  # fmt: skip
    for slot, value in expected.items():
        assert r.s(slot) == value, slot
    assert r.s64(12) == pair << 7 & FULL
    assert r.s64(18) == pair
    assert r.scc[0]


def test_exec_regions() -> None:
    r = run_assembly(
        """v_cmp_gt_u32_e32 vcc, 10, v0
        v_mov_b32_e32 v1, 0
        s_and_saveexec_b64 s[2:3], vcc
        v_mov_b32_e32 v1, 1
        s_xor_b64 exec, exec, s[2:3]
        v_mov_b32_e32 v1, 2
        s_or_b64 exec, exec, s[2:3]
        v_add_u32_e32 v1, 10, v1""",
        {0: LANE.astype(U32)},
    )
    np.testing.assert_array_equal(r.v(1), np.where(LANE < 10, 11, 12))


def test_waves_with_different_trip_counts() -> None:
    """Waves leave a loop at different times, meet again behind it, and pass a barrier together."""
    r = run_assembly(
        """s_mov_b32 s0, 0
        v_mov_b32_e32 v1, 0
        .Lloop:
        v_add_u32_e32 v1, s59, v1
        s_add_i32 s0, s0, 1
        s_cmp_le_u32 s0, s59
        s_cbranch_scc1 .Lloop
        s_cmp_eq_u32 s59, 2
        s_cbranch_scc0 .Lskip
        v_add_u32_e32 v1, 0x64, v1
        .Lskip:
        s_barrier
        v_add_u32_e32 v1, 1, v1""",
        waves=4, workgroups=3,
    )  # fmt: skip
    for wave in range(12):
        assert (r.v(1, wave=wave) == wave * (wave + 1) + (100 if wave == 2 else 0) + 1).all()
    assert r.machine.statistics.instructions["s_barrier"] == 12
