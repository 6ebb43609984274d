# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rules that kernels of other compilers rely on: MODE inside a kernel, ranges of buffers, equal stores to LDS."""

from __future__ import annotations

import numpy as np
import pytest
from assembly_runner import run_assembly

from fovea.emulator import EmulationError

U32, F32 = np.uint32, np.float32
LANES = np.arange(64)
TINY = F32(1e-40)


def test_denormals_follow_the_mode_register() -> None:
    result = run_assembly(
        "v_add_f32 v1, v0, v0\ns_setreg_imm32_b32 hwreg(HW_REG_MODE, 4, 2), 3\nv_add_f32 v2, v0, v0\n"
        "s_getreg_b32 s5, hwreg(HW_REG_MODE, 4, 4)\ns_setreg_imm32_b32 hwreg(HW_REG_MODE, 4, 2), 0\n"
        "v_add_f32 v3, v0, v0\nv_div_scale_f32 v4, vcc, v0, v0, v0",
        v={0: np.full(64, TINY)}, flush_f32=True,
    )  # fmt: skip
    assert result.v(1, F32)[0] == 0 and result.v(3, F32)[0] == 0
    assert result.v(2, F32)[0] == TINY + TINY
    assert result.s(5) == 0b1111


def test_mode_has_one_value_at_each_instruction() -> None:
    text = (
        "s_cmp_eq_u32 s59, 0\ns_cbranch_scc1 .Lskip\ns_setreg_imm32_b32 hwreg(HW_REG_MODE, 4, 2), 0\n.Lskip:\n"
        "v_add_f32 v1, v0, v0"
    )
    with pytest.raises(EmulationError, match="v_add_f32 v1, v0, v0: MODE differs"):
        run_assembly(text, v={0: np.full(64, TINY)})
    with pytest.raises(EmulationError, match="rounding modes"):
        run_assembly("s_setreg_imm32_b32 hwreg(HW_REG_MODE, 0, 2), 1")


@pytest.mark.parametrize(("records", "words"), [(16 * 9, 0), (16 * 9 + 4, 1), (16 * 9 + 12, 3), (16 * 9 + 15, 3)])
def test_dwords_of_a_raw_buffer_are_in_range_on_their_own(records: int, words: int) -> None:
    source, target = np.arange(1, 257, dtype=U32), np.zeros(256, U32)
    result = run_assembly(
        "s_mov_b32 s4, s60\ns_mov_b32 s5, s61\nbuffer_load_dwordx4 v[4:7], v0, s[4:7], 0 offen\ns_waitcnt vmcnt(0)\n"
        "s_mov_b32 s4, s62\ns_mov_b32 s5, s63\nbuffer_store_dwordx4 v[8:11], v0, s[4:7], 0 offen",
        v={0: (16 * LANES).astype(U32), **{8 + n: np.full(64, 7 + n, U32) for n in range(4)}},
        s={6: records, 7: 0x27000}, buffers=[source, target],
    )  # fmt: skip
    loaded = np.stack([result.v(4 + n) for n in range(4)], axis=1).reshape(-1)
    inside = np.arange(256) < 36 + words
    np.testing.assert_array_equal(loaded, np.where(inside, source, 0))
    np.testing.assert_array_equal(target, np.where(inside, np.tile([7, 8, 9, 10], 64), 0))


@pytest.mark.parametrize(("value", "caught"), [("v1", False), ("v2", True)])
def test_waves_may_store_what_all_of_them_hold(value: str, caught: bool) -> None:
    """v1 holds lane numbers in both waves, v2 adds the wave's number; three workgroups with values of their own."""
    text = f"ds_write_b16 v0, {value}\ns_waitcnt lgkmcnt(0)\ns_barrier\nds_read_u16 v3, v0"
    lanes = np.tile(LANES, (6, 1)).astype(U32)
    own = lanes + 100 * (np.arange(6)[:, None] // 2).astype(U32)
    v = {0: lanes * U32(2), 1: own, 2: own + (np.arange(6)[:, None] % 2).astype(U32)}
    if caught:
        with pytest.raises(EmulationError, match="LDS race: 2-byte write"):
            run_assembly(text, v=v, waves=2, workgroups=3, lds_bytes=128, checks=True)
    else:
        result = run_assembly(text, v=v, waves=2, workgroups=3, lds_bytes=128, checks=True)
        for wave in range(6):
            np.testing.assert_array_equal(result.v(3, wave=wave), own[wave])


def test_buffer_atomics() -> None:
    """In range lanes add and get the old value; the others do nothing and get 0."""
    target = np.arange(64, dtype=U32) * U32(10)
    result = run_assembly(
        "s_mov_b32 s4, s60\ns_mov_b32 s5, s61\nbuffer_atomic_add v1, v0, s[4:7], 0 offen sc0\ns_waitcnt vmcnt(0)\n"
        "buffer_atomic_umax v2, v0, s[4:7], 0 offen",
        v={0: (4 * LANES).astype(U32), 1: np.full(64, 5, U32), 2: np.full(64, 100, U32)}, s={6: 4 * 40, 7: 0x27000},
        buffers=[target],
    )  # fmt: skip
    inside = LANES < 40
    np.testing.assert_array_equal(result.v(1), np.where(inside, 10 * LANES, 0))
    np.testing.assert_array_equal(target, np.where(inside, np.maximum(10 * LANES + 5, 100), 10 * LANES))
