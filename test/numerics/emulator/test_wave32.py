# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""gfx11 and gfx12: dual instructions, halves of registers, masks of one register, names."""

from __future__ import annotations

import numpy as np
import pytest
from assembly_runner import run_assembly

from fovea.emulator import EmulationError
from fovea.emulator.rdna import canonical

U32, F32 = np.uint32, np.float32
LANES = np.arange(64)
LOW = 0xFFFFFFFF
"""EXEC of a wave of 32 lanes."""
CHIPS = ("gfx1100", "gfx1200", "gfx1201")
GFX12 = ("gfx1200", "gfx1201")


@pytest.mark.parametrize("chip", CHIPS)
def test_dual_instructions_read_what_was_before(chip: str) -> None:
    a, b = (LANES + 1).astype(F32), (LANES * 10).astype(F32)
    for text, first, second in (
        ("v_dual_mov_b32 v0, v1 :: v_dual_mov_b32 v1, v0", b, a),
        ("v_dual_add_f32 v0, v0, v1 :: v_dual_mul_f32 v1, v0, v1", a + b, a * b),
        ("v_dual_fmac_f32 v0, v1, v1 :: v_dual_mov_b32 v3, 1.0", a + b * b, b),
    ):
        result = run_assembly(text, v={0: a, 1: b, 3: a}, exec_mask=LOW, chip=chip)
        np.testing.assert_array_equal(result.v(0, F32)[:32], first[:32])
        np.testing.assert_array_equal(result.v(1, F32)[:32], second[:32])
        np.testing.assert_array_equal(result.v(0, F32)[32:], a[32:])
    picked = run_assembly(
        "v_cmp_gt_u32_e32 vcc_lo, 7, v2\nv_dual_cndmask_b32 v0, v0, v1 :: v_dual_mov_b32 v3, 0",
        v={0: a, 1: b, 2: LANES.astype(U32), 3: a}, s={107: 0xDEAD}, exec_mask=LOW, chip=chip,
    )  # fmt: skip
    np.testing.assert_array_equal(picked.v(0, F32)[:32], np.where(LANES < 7, b, a)[:32])
    assert picked.s(106) == 0x7F and picked.s(107) == 0xDEAD


@pytest.mark.parametrize("chip", GFX12)
def test_halves_of_registers(chip: str) -> None:
    both = (LANES.astype(U32) << U32(16)) | U32(0x1234)
    text = "v_mov_b16_e32 v1.l, v0.h\nv_add_f16_e32 v2.h, v0.l, v0.l\nv_cvt_f32_f16_e32 v3, v4.h"
    halves = np.full(64, 0x3C00, np.uint16).view(np.float16)
    pairs = (LANES / 8).astype(np.float16).view(np.uint16).astype(U32) << U32(16)
    result = run_assembly(
        text, v={0: both, 1: np.full(64, 0xAAAABBBB, U32), 2: np.full(64, 0xAAAABBBB, U32), 4: pairs}, exec_mask=LOW,
        chip=chip,
    )  # fmt: skip
    assert halves[0] == 1
    twice = (np.array([0x1234], np.uint16).view(np.float16) * np.float16(2)).view(np.uint16)[0]
    np.testing.assert_array_equal(result.v(1)[:32], 0xAAAA0000 | LANES[:32])
    np.testing.assert_array_equal(result.v(2)[:32], int(twice) << 16 | 0xBBBB)
    np.testing.assert_array_equal(result.v(3, F32)[:32], LANES[:32] / 8)
    v = {0: np.ones(64, F32), 1: both}
    packed = run_assembly("v_cvt_pk_fp8_f32 v1.h, v0, v0", v=v, exec_mask=LOW, chip=chip)
    np.testing.assert_array_equal(packed.v(1)[:32], 0x38381234)
    with pytest.raises(EmulationError, match="names a half"):
        run_assembly("v_add_f32 v1.h, v0, v0", chip=chip)


@pytest.mark.parametrize("chip", CHIPS)
def test_masks_are_one_register(chip: str) -> None:
    text = (
        "s_mov_b32 s7, 0x5555\nv_cmp_gt_u32_e64 s5, 20, v0\ns_and_saveexec_b32 s9, s5\nv_mov_b32 v1, 7\n"
        "s_mov_b32 exec_lo, s9\nv_add_co_u32 v2, s5, v0, -1\nv_add_co_ci_u32_e64 v3, null, 0, 0, s5\n"
        "v_cmpx_lt_u32_e32 3, v0\nv_mov_b32 v4, 9"
    )
    v = {0: LANES.astype(U32), 1: np.zeros(64, U32), 4: np.zeros(64, U32)}
    result = run_assembly(text, v=v, exec_mask=LOW, chip=chip)
    low = LANES < 32
    np.testing.assert_array_equal(result.v(1), np.where(LANES < 20, 7, 0))
    np.testing.assert_array_equal(result.v(3)[:32], (LANES > 0)[:32])
    np.testing.assert_array_equal(result.v(4), np.where(low & (LANES > 3), 9, 0))
    assert result.s(9) == LOW and result.s(5) == 0xFFFFFFFE


@pytest.mark.parametrize("chip", CHIPS)
def test_lanes_of_the_other_row(chip: str) -> None:
    v = {0: LANES.astype(U32), 1: np.zeros(64, U32)}
    low, high = 0x76543210, 0xFEDCBA98
    text = f"v_permlanex16_b32 v1, v0, {low:#x}, {high:#x} op_sel:[1,0]\nv_mov_b32_dpp v2, v0 row_xmask:5 row_mask:0xf "
    text += "bank_mask:0xf\nv_mov_b32_dpp v3, v0 row_share:2 row_mask:0xf bank_mask:0xf"
    result = run_assembly(text, v=v, exec_mask=LOW, chip=chip)
    np.testing.assert_array_equal(result.v(1)[:32], (LANES ^ 16)[:32])
    np.testing.assert_array_equal(result.v(2)[:32], (LANES ^ 5)[:32])
    np.testing.assert_array_equal(result.v(3)[:32], ((LANES & ~15) + 2)[:32])


@pytest.mark.parametrize("chip", CHIPS)
def test_registers_relative_to_m0(chip: str) -> None:
    v = {4 + n: np.full(64, 40 + n, U32) for n in range(4)}
    text = "s_mov_b32 m0, 2\nv_movrels_b32_e32 v1, v4\nv_mov_b32 v7, v7"
    result = run_assembly(text, v=v, exec_mask=LOW, chip=chip)
    assert (result.v(1)[:32] == 42).all()
    with pytest.raises(EmulationError, match="M0 leads to v99"):
        run_assembly("s_movk_i32 m0, 95\nv_movrels_b32_e32 v1, v4", v=v, exec_mask=LOW, chip=chip)


@pytest.mark.parametrize(("name", "wanted"), [
    ("global_load_b128", "global_load_dwordx4"), ("buffer_store_b8", "buffer_store_byte"),
    ("ds_load_2addr_stride64_b64", "ds_read2st64_b64"), ("ds_store_2addr_b32", "ds_write2_b32"),
    ("ds_load_u16_d16_hi", "ds_read_u16_d16_hi"), ("s_buffer_load_b64", "s_buffer_load_dwordx2"),
    ("global_atomic_add_f32", "global_atomic_add_f32"), ("global_atomic_max_i32", "global_atomic_smax"),
    ("buffer_atomic_add_u32", "buffer_atomic_add"), ("global_atomic_cmpswap_b64", "global_atomic_cmpswap_x2"),
    ("v_max3_num_f32", "v_max3_f32"), ("s_and_not1_saveexec_b32", "s_andn2_saveexec_b32"),
])  # fmt: skip
def test_names(name: str, wanted: str) -> None:
    assert canonical(name) == wanted
