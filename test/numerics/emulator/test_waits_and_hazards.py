# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Missing waits and wait states: a program that breaks each rule is caught, its correct twin is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from assembly_runner import run_assembly

from fovea.emulator import EmulationError, rdna
from fovea.emulator.hazards import Effect, Matrix, effect_of, passes_of
from fovea.emulator.text import Line, parse_line
from fovea.emulator.waits import CHIPS, memory_of

U32 = np.uint32
OFFSET4 = (np.arange(64) * 4).astype(U32)
LOAD = "global_load_dword v1, v0, s[60:61]"
LDS = "ds_write_b32 v0, v0\ns_waitcnt lgkmcnt(0)\n"
MATRIX = "v_mfma_f32_16x16x16_f16 v[4:7], v[20:21], v[22:23], v[4:7]"  # 4 passes
LARGE = "v_mfma_f32_32x32x8_f16 v[4:19], v[20:21], v[22:23], v[4:19]"  # 8 passes
SLOW = "v_mfma_f32_16x16x4_f32 v[4:7], v20, v21, v[4:7]"  # 8 passes, not of the XDL unit
DOUBLE = "v_mfma_f64_16x16x4_f64 v[4:11], v[20:21], v[22:23], v[4:11]"  # 8 passes
COMPARE = "v_cmp_gt_u32 vcc, v0, v2"

# name, text, what is wrong in it, what is right, words of the message
WAITS: list[Any] = [
    ("read", f"{LOAD}\ns_waitcnt lgkmcnt(0)\nv_add_u32 v2, v1, v1", "lgkmcnt(0)", "vmcnt(0)",
     ["reads v1", "global_load_dword v1", "vmcnt(0) is missing"]),
    ("older load", f"{LOAD}\nglobal_load_dword v2, v0, s[60:61]\ns_waitcnt vmcnt(2)\nv_add_u32 v3, v1, v1",
     "vmcnt(2)", "vmcnt(1)", ["reads v1", "vmcnt(1) is missing"]),
    ("stores count", f"{LOAD}\nglobal_store_dword v0, v0, s[60:61]\ns_waitcnt vmcnt(1)\nv_add_u32 v3, v{{0}}, v0",
     "v{0}", "v1", None),
    ("overwrite", f"{LOAD}\ns_nop 0\nv_mov_b32 v1, 0", "s_nop 0", "s_waitcnt vmcnt(0)", ["writes v1"]),
    ("loads overwrite in order", f"{LOAD}\nds_read_b32 v1, v0", "ds_read_b32 v1, v0", LOAD, ["writes v1"]),
    ("store of a loaded value", f"{LOAD}\ns_nop 0\nglobal_store_dword v0, v1, s[60:61] offset:4", "s_nop 0",
     "s_waitcnt vmcnt(0)", ["reads v1"]),
    ("address", f"{LOAD}\ns_nop 0\nglobal_load_dword v2, v1, s[60:61]", "s_nop 0", "s_waitcnt vmcnt(0)", ["reads v1"]),
    ("LDS", "ds_read_b32 v1, v0\ns_waitcnt vmcnt(0)\nv_add_u32 v2, v1, v1", "vmcnt(0)", "lgkmcnt(0)",
     ["reads v1", "lgkmcnt(0) is missing"]),
    ("LDS in order", "ds_read_b32 v1, v0\nds_read_b32 v2, v0\ns_waitcnt lgkmcnt(1)\nv_add_u32 v3, v2, v2",
     "v2, v2", "v1, v1", ["reads v2"]),
    ("permute", "ds_bpermute_b32 v1, v0, v0\ns_nop 0\nv_add_u32 v2, v1, v1", "s_nop 0", "s_waitcnt lgkmcnt(0)",
     ["reads v1"]),
    ("scalar load", "s_load_dword s4, s[60:61], 0x0\ns_nop 0\ns_add_u32 s5, s4, s4", "s_nop 0", "s_waitcnt lgkmcnt(0)",
     ["reads s4", "lgkmcnt(0) is missing"]),
    ("scalar loads in any order",
     "s_load_dword s4, s[60:61], 0x0\ns_load_dword s5, s[60:61], 0x4\ns_waitcnt lgkmcnt(1)\ns_add_u32 s6, s4, s4",
     "lgkmcnt(1)", "lgkmcnt(0)", ["reads s4"]),
    ("scalar load, vector use", "s_load_dword s4, s[60:61], 0x0\ns_nop 0\nv_mov_b32 v1, s4", "s_nop 0",
     "s_waitcnt lgkmcnt(0)", ["reads s4"]),
    ("FLAT counts in both",
     "v_mov_b32 v2, s60\nv_mov_b32 v3, s61\nflat_load_dword v1, v[2:3]\ns_waitcnt vmcnt(0)\nv_add_u32 v4, v1, v1",
     "vmcnt(0)", "vmcnt(0) lgkmcnt(0)", ["reads v1"]),
    ("atomic", "v_mov_b32 v2, 1\nglobal_atomic_add v1, v0, v2, s[60:61] sc0\ns_nop 0\nv_add_u32 v3, v1, v1", "s_nop 0",
     "s_waitcnt vmcnt(0)", ["reads v1"]),
    ("number as operand", f"{LOAD}\ns_waitcnt 0xcf7f\nv_add_u32 v2, v1, v1", "0xcf7f", "0x0f70", ["reads v1"]),
    ("branch", f"s_cmp_eq_u32 s59, 1\ns_cbranch_scc1 .La\n{LOAD}\ns_nop 0\ns_branch .Lb\n.La:\nv_mov_b32 v1, 0\n.Lb:\n"
     "v_add_u32 v2, v1, v1", "s_nop 0", "s_waitcnt vmcnt(0)", ["reads v1"]),
    ("loop", f"s_mov_b32 s4, 0\n.La:\ns_cmp_eq_u32 s4, 2\ns_cbranch_scc1 .Lb\ns_add_u32 s4, s4, 1\n{LOAD}\n"
     "s_waitcnt vmcnt(1)\nv_mov_b32 v2, 0\ns_branch .La\n.Lb:\ns_waitcnt vmcnt(1)\nv_add_u32 v2, v1, v1",
     ".Lb:\ns_waitcnt vmcnt(1)", ".Lb:\ns_waitcnt vmcnt(0)", ["reads v1"]),
]  # fmt: skip


def matrix(instruction: str, states: int, use: str) -> tuple[str, str, str]:
    """Text with one wait state too few, and the two spellings of s_nop."""
    assert 2 <= states <= 20
    first = f"s_nop {states - 2}" if states <= 17 else f"s_nop 15\ns_nop {states - 18}"
    second = f"s_nop {states - 1}" if states <= 16 else f"s_nop 15\ns_nop {states - 17}"
    return f"{instruction}\n{first}\n{use}", first, second


HAZARDS: list[Any] = [
    ("matrix result, vector read", *matrix(MATRIX, 7, "v_add_f32 v3, v4, v4"), ["7 wait states", "6 given", "(v4)"]),
    ("matrix result, memory read", *matrix(MATRIX, 7, "global_store_dword v0, v5, s[60:61]"), ["7 wait states"]),
    ("matrix result, LDS read", *matrix(MATRIX, 7, "ds_write_b32 v0, v5"), ["7 wait states"]),
    ("matrix result, overwritten", *matrix(MATRIX, 7, "v_mov_b32 v7, 0"), ["7 wait states"]),
    ("matrix result, loaded over", *matrix(MATRIX, 7, "global_load_dword v7, v0, s[60:61]"), ["7 wait states"]),
    ("matrix result as A", *matrix(MATRIX, 7, "v_mfma_f32_16x16x16_f16 v[16:19], v[4:5], v[22:23], v[16:19]"),
     ["A or B", "7 wait states"]),
    ("matrix result overlaps C", *matrix(MATRIX, 5, "v_mfma_f32_16x16x16_f16 v[16:19], v[20:21], v[22:23], v[6:9]"),
     ["C overlaps", "5 wait states"]),
    ("large matrix result", *matrix(LARGE, 11, "v_add_f32 v3, v4, v4"), ["11 wait states"]),
    ("f32 matrix result", *matrix(SLOW, 10, "v_add_f32 v3, v4, v4"), ["10 wait states"]),
    ("f64 matrix result", *matrix(DOUBLE, 11, "v_add_f64 v[12:13], v[4:5], v[4:5]"), ["11 wait states"]),
    ("multiply-add of f64 after f64", f"{DOUBLE}\ns_nop 0\nv_fma_f64 v[12:13], v[14:15], v[14:15], v[14:15]", "s_nop 0",
     "s_nop 1", ["a multiply-add of f64 follows", "2 wait states", "1 given"]),
    ("C of a matrix instruction", *matrix("v_mfma_f32_16x16x16_f16 v[16:19], v[20:21], v[22:23], v[4:7]", 3,
     "v_mov_b32 v4, 0"), ["C operand", "3 wait states"]),
    ("vector result as A", *matrix("v_mov_b32 v20, 0", 2, MATRIX), ["2 wait states"]),
    ("EXEC, then a matrix instruction", *matrix("v_cmpx_gt_u32 vcc, v0, v2", 4, MATRIX), ["EXEC", "4 wait states"]),
    ("transcendental, something between", "v_exp_f32 v1, v2\nv_mov_b32 v3, 0\nv_add_f32 v4, v1, v1", "v3, 0", "v3, 1",
     None),
    ("transcendental", "v_exp_f32 v1, v2\nv_add_f32 v4, v1, v1", "v1, v1", "v3, v3",
     ["transcendental", "1 wait states"]),
    ("DPP", *matrix("v_mov_b32 v1, v0", 2, "v_mov_b32_dpp v2, v1 row_shr:1 row_mask:0xf bank_mask:0xf"), ["DPP"]),
    ("DPP after EXEC", *matrix("v_cmpx_gt_u32 vcc, v0, v2", 5,
     "v_mov_b32_dpp v2, v0 row_shr:1 row_mask:0xf bank_mask:0xf"), ["DPP", "5 wait states"]),
    ("lane select", *matrix("v_readfirstlane_b32 s4, v2", 4, "v_readlane_b32 s5, v0, s4"), ["lane select"]),
    ("lane of a vector result", "v_mov_b32 v1, v0\nv_readfirstlane_b32 s4, v1", "s4, v1", "s4, v0", ["a lane is read"]),
    ("lane after EXEC", *matrix("v_cmpx_gt_u32 vcc, v0, v2", 4, "v_readfirstlane_b32 s4, v0"), ["EXEC"]),
    ("scalar result, memory", *matrix("v_readfirstlane_b32 s4, v2", 5,
     "buffer_load_dword v1, v0, s[8:11], s4 offen"), ["memory instruction", "5 wait states", "s4"]),
    ("scalar result, vector", *matrix("v_readfirstlane_b32 s4, v2", 2, "v_add_u32 v1, s4, v0"),
     ["s4", "2 wait states"]),
    ("VCC", *matrix(COMPARE, 2, "v_cndmask_b32 v1, v0, v2, vcc"), ["vcc_", "2 wait states"]),
    ("v_div_fmas", *matrix(COMPARE, 4, "v_div_fmas_f32 v1, v2, v2, v2"), ["v_div_fmas"]),
    ("data of a wide store", *matrix("global_store_dwordx4 v3, v[4:7], s[60:61]", 2, "v_mov_b32 v7, 0"),
     ["more than 8 bytes"]),
    ("data of a narrow store", "global_store_dwordx4 v3, v[4:7], s[60:61]\nv_mov_b32 v7, 0", "x4 v3, v[4:7]",
     "x2 v3, v[6:7]", ["more than 8 bytes"]),
    ("m0", "s_mov_b32 m0, 0\nglobal_load_lds_dword v0, s[60:61]", "0\n", "0\ns_nop 0\n", ["m0", "1 wait states"]),
    ("part of a register", "v_add_u16_sdwa v1, v0, v0 dst_sel:WORD_1 src0_sel:DWORD src1_sel:DWORD\n"
     "v_add_u32 v2, v1, v1", "v1, v1", "v0, v0", ["a part of its register"]),
    ("byte of a register", "v_cvt_sr_fp8_f32 v1, v2, v2 op_sel:[0,0,1,0]\nv_add_u32 v4, v1, v1", "v1, v1", "v0, v0",
     ["a part of its register"]),
    ("byte of a register, another one", "v_cvt_sr_fp8_f32 v1, v2, v2 op_sel:[0,0,0,1]\n"
     "v_cvt_sr_fp8_f32 v1, v2, v2 op_sel:[0,0,1,1]", "v1, v2, v2 op_sel:[0,0,1,1]", "v3, v2, v2 op_sel:[0,0,1,1]",
     ["a part of its register"]),
    ("mode", "s_setreg_imm32_b32 hwreg(HW_REG_MODE, 4, 4), 15\ns_nop 0\ns_getreg_b32 s4, hwreg(HW_REG_MODE)", "s_nop 0",
     "s_nop 1", ["s_setreg"]),
]  # fmt: skip


def run(text: str, chip: str = "gfx942") -> None:
    """Run with all checks; v0 holds lane * 4, LDS and the registers named are written."""
    v: dict[int, Any] = dict.fromkeys(range(2, 24), np.zeros(64, U32))
    s = {8: 0, 9: 0, 10: 0, 11: 0x27000, 106: 0, 107: 0}
    run_assembly(f"{LDS}{text}", {**v, 0: OFFSET4, 1: OFFSET4}, s, lds_bytes=512, checks=True, timing=True,
                 buffers=[np.zeros(256, U32)], chip=chip)  # fmt: skip


@pytest.mark.parametrize("case", WAITS + HAZARDS, ids=[case[0] for case in WAITS + HAZARDS])
def test_rules(case: Any) -> None:
    _, text, wrong, right, words = case
    assert text.count(wrong) == 1
    run(text.replace(wrong, right))
    if words is None:
        return
    with pytest.raises(EmulationError) as caught:
        run(text)
    for word in ["kernel test", "0x", "workgroup (0, 0, 0) wave 0", *words]:
        assert word in str(caught.value), str(caught.value)


# gfx950 needs more wait states after matrix instructions; the other rules are alike.
TWICE = "v_mfma_f32_16x16x32_f16 v[4:7], v[12:15], v[20:23], v[4:7]"  # 4 passes
SCALED = "v_mfma_f32_16x16x128_f8f6f4 v[4:7], v[8:15], v[16:23], v[4:7]"  # 8 passes
NARROW = "v_mfma_f32_16x16x128_f8f6f4 v[4:7], v[8:11], v[16:19], v[4:7] cbsz:4 blgp:4"  # 4 passes
GFX950: list[Any] = [
    *((f"{name}, vector read", *matrix(text, states, "v_add_f32 v3, v4, v4"), [f"{states} wait states", "(v4)"])
      for name, text, states in (
          ("4 passes", MATRIX, 8), ("twice the depth", TWICE, 8), ("8 passes", LARGE, 12), ("f32", SLOW, 10),
          ("8-bit operands", SCALED, 12), ("4-bit operands", NARROW, 8),
      )),
    ("matrix result, memory read", *matrix(MATRIX, 8, "global_store_dword v0, v5, s[60:61]"), ["8 wait states"]),
    ("matrix result, overwritten", *matrix(MATRIX, 8, "v_mov_b32 v7, 0"), ["8 wait states"]),
    ("matrix result as A", *matrix(MATRIX, 8, "v_mfma_f32_16x16x16_f16 v[16:19], v[4:5], v[22:23], v[16:19]"),
     ["A or B", "8 wait states"]),
    ("matrix result overlaps C", *matrix(MATRIX, 6, "v_mfma_f32_16x16x16_f16 v[16:19], v[20:21], v[22:23], v[6:9]"),
     ["C overlaps", "6 wait states"]),
    ("matrix result overlaps C of f32", *matrix(MATRIX, 6, "v_mfma_f32_16x16x4_f32 v[16:19], v20, v22, v[6:9]"),
     ["C overlaps", "6 wait states"]),
    ("f64, vector read", *matrix(DOUBLE, 19, "v_add_f64 v[12:13], v[4:5], v[4:5]"), ["19 wait states"]),
    ("f64, memory read", *matrix(DOUBLE, 18, "global_store_dword v0, v5, s[60:61]"), ["18 wait states"]),
    ("f64, overwritten", *matrix(DOUBLE, 11, "v_mov_b32 v7, 0"), ["11 wait states"]),
    ("f64 overlaps C", *matrix(DOUBLE, 17, "v_mfma_f64_16x16x4_f64 v[12:19], v[20:21], v[22:23], v[6:13]"),
     ["C overlaps", "17 wait states"]),
    ("exchange of rows", *matrix("v_mov_b32 v4, v2", 2, "v_permlane32_swap_b32 v4, v5"),
     ["an exchange of rows", "2 wait states"]),
    ("exchange of rows after v_cmpx", *matrix("v_cmpx_ge_u32 vcc, v0, v2", 4, "v_permlane32_swap_b32 v4, v5"),
     ["an exchange of rows after v_cmpx", "4 wait states"]),
]  # fmt: skip
_ALIKE = [case for case in WAITS + HAZARDS if "matrix result" not in case[0]]


@pytest.mark.parametrize("case", _ALIKE + GFX950, ids=[case[0] for case in _ALIKE + GFX950])
def test_rules_of_gfx950(case: Any) -> None:
    _, text, wrong, right, words = case
    assert text.count(wrong) == 1
    run(text.replace(wrong, right), "gfx950")
    if words is not None:
        with pytest.raises(EmulationError) as caught:
            run(text, "gfx950")
        for word in words:
            assert word in str(caught.value), str(caught.value)


@pytest.mark.parametrize("access", ["write", "read"])
def test_a_barrier_does_not_wait(access: str) -> None:
    """LDS accesses that are still outstanding at a barrier are overtaken by those of other waves after it."""
    place = (np.arange(6)[:, None] % 2 * 256 + OFFSET4).astype(U32)
    wait = "s_waitcnt lgkmcnt(0)\n"
    write, read, other = "ds_write_b32 v0, v0\n", "ds_read_b32 v3, v0\n", "v_xor_b32 v2, 0x100, v0\n"
    if access == "write":
        text, rest = f"{other}{write}{{}}s_barrier\n", "ds_read_b32 v3, v2"
    else:
        text, rest = f"{other}{write}{wait}s_barrier\n{read}{{}}s_barrier\n", "ds_write_b32 v2, v2"
    options: Any = {"waves": 2, "workgroups": 3, "lds_bytes": 1024, "checks": True, "timing": True}
    run_assembly(text.format(wait) + rest, {0: place}, **options)
    if access == "read":
        # Another place may be accessed.
        run_assembly(f"{text.format('')}{rest} offset:512", {0: place}, **options)
    with pytest.raises(EmulationError, match=r"LDS race: .* or before it with no s_waitcnt between"):
        run_assembly(text.format("") + rest, {0: place}, **options)
    with pytest.raises(EmulationError, match="LDS race"):
        run_assembly(f"v_mov_b32 v9, 0\n{text.format('s_waitcnt lgkmcnt(1)' + chr(10))}{rest}", {0: place}, **options)


def test_loads_to_lds_are_waited_for_before_a_barrier() -> None:
    text = """s_lshl_b32 s4, s59, 8
        s_mov_b32 m0, s4
        s_nop 0
        global_load_lds_dword v0, s[60:61]
        {}
        s_barrier
        v_xor_b32 v2, 0x100, v1
        ds_read_b32 v3, v2"""
    place = (np.arange(2)[:, None] * 256 + OFFSET4).astype(U32)
    options: Any = {"waves": 2, "lds_bytes": 512, "checks": True, "timing": True, "buffers": [np.zeros(64, U32)]}
    run_assembly(text.format("s_waitcnt vmcnt(0)"), {0: OFFSET4, 1: place}, **options)
    with pytest.raises(EmulationError, match=r"LDS race: .* or before it with no s_waitcnt between"):
        run_assembly(text.format("s_waitcnt lgkmcnt(0)"), {0: OFFSET4, 1: place}, **options)


@pytest.mark.parametrize("between", ["", "s_barrier"])
def test_loads_to_lds_are_waited_for_by_their_own_wave(between: str) -> None:
    text = f"""v_mov_b32 v5, 0
        s_lshl_b32 s4, s59, 8
        s_mov_b32 m0, s4
        ds_write_b32 v1, v1 offset:512
        global_load_lds_dword v0, s[60:61]
        s_waitcnt lgkmcnt(0)
        {between}
        ds_read_b32 v3, v1 offset:512
        {{}}
        ds_read_b32 v2, v1"""
    place = (np.arange(2)[:, None] * 256 + OFFSET4).astype(U32)
    options: Any = {"waves": 2, "lds_bytes": 1024, "checks": True, "timing": True, "buffers": [np.zeros(64, U32)]}
    run_assembly(text.format("s_waitcnt vmcnt(0)"), {0: OFFSET4, 1: place}, **options)
    with pytest.raises(EmulationError, match="read of LDS byte 0, which a load straight to LDS is still bringing"):
        run_assembly(text.format("s_waitcnt lgkmcnt(0)"), {0: OFFSET4, 1: place}, **options)


def test_accumulation_needs_no_wait_states() -> None:
    run(f"{MATRIX}\n{MATRIX}\n{MATRIX}")
    # v[6:7] are the first result, then part of the second, which is accumulated into.
    second = "v_mfma_f32_16x16x16_f16 v[6:9], v[20:21], v[22:23], v[16:19]"
    run(f"{MATRIX}\n{second}\n{second.replace('v[16:19]', 'v[6:9]')}")


def test_a_path_that_nobody_took_is_no_report() -> None:
    """The load is jumped over by all waves, and the value that the use meets was written before."""
    run(f"s_cmp_eq_u32 s59, 7\ns_cbranch_scc0 .La\n{LOAD}\n.La:\nv_add_u32 v2, v1, v1")


def test_a_store_may_be_overtaken() -> None:
    run("global_store_dwordx2 v0, v[4:5], s[60:61]\nv_mov_b32 v4, 0\nv_mov_b32 v5, 0")


def test_more_than_the_counter_holds_is_held_back() -> None:
    """64 loads are one more than vmcnt can count: the first has returned when the last is issued."""
    more = "\n".join(f"global_load_dword v{2 + i % 20}, v0, s[60:61]" for i in range(62))
    run(f"{LOAD}\n{more}\nglobal_store_dword v0, v0, s[60:61]\nv_add_u32 v1, v1, v1")
    with pytest.raises(EmulationError, match="reads v1"):
        run(f"{LOAD}\n{more}\nv_add_u32 v1, v1, v1")


@pytest.mark.parametrize(
    ("chip", "text", "expected"),
    [
        ("gfx942", "s_waitcnt vmcnt(3)", {"vmcnt": 3}),
        ("gfx942", "s_waitcnt vmcnt(63) & lgkmcnt(2)", {"vmcnt": 63, "lgkmcnt": 2}),
        ("gfx942", "s_waitcnt expcnt(0) lgkmcnt(0)", {"lgkmcnt": 0}),
        ("gfx942", "s_waitcnt 0", {"vmcnt": 0, "lgkmcnt": 0}),
        ("gfx942", "s_waitcnt 0xcf7f", {"vmcnt": 63, "lgkmcnt": 15}),
        ("gfx942", "s_waitcnt 0x8371", {"vmcnt": 33, "lgkmcnt": 3}),
        ("gfx1100", "s_waitcnt vmcnt(3) lgkmcnt(2)", {"vmcnt": 3, "lgkmcnt": 2}),
        ("gfx1100", "s_waitcnt 0x0427", {"vmcnt": 1, "lgkmcnt": 2}),
        ("gfx1100", "s_waitcnt_vscnt null, 0x2", {"vscnt": 2}),
        ("gfx1100", "s_waitcnt_expcnt null, 0x0", {}),
        ("gfx1100", "s_wait_idle", {"vmcnt": 0, "vscnt": 0, "lgkmcnt": 0}),
        ("gfx1201", "s_wait_loadcnt 0x3", {"loadcnt": 3}),
        ("gfx1201", "s_wait_loadcnt_dscnt 0x102", {"loadcnt": 1, "dscnt": 2}),
        ("gfx1201", "s_wait_storecnt_dscnt 0x3f00", {"storecnt": 63, "dscnt": 0}),
        ("gfx1201", "s_wait_kmcnt 0x0", {"kmcnt": 0}),
        ("gfx1201", "s_wait_samplecnt 0x0", {}),
        ("gfx1201", "s_wait_alu depctr_va_vdst(0)", {}),
    ],
)
def test_counters(chip: str, text: str, expected: dict[str, int]) -> None:
    line = parse_line(0, text) if chip == "gfx942" else rdna.parse(0, text)[0]
    assert dict(memory_of(line, "wait", CHIPS[chip]).waits) == expected


@pytest.mark.parametrize(
    ("chip", "text", "words"),
    [("gfx942", "s_waitcnt lots", "'lots' of s_waitcnt is not understood"),
     ("gfx942", "s_waitcnt vscnt(0)", "vscnt, which this chip does not have"),
     ("gfx1100", "s_wait_loadcnt 0x0", "s_wait_loadcnt is not a wait of this chip"),
     ("gfx1201", "s_waitcnt vmcnt(0)", "s_waitcnt is not a wait of this chip"),
     ("gfx1201", "s_wait_alu depctr_va_all(0)", "depctr_va_all is unknown"),
     ("gfx1201", "s_wait_alu all", "'all' of s_wait_alu is not understood")],
)  # fmt: skip
def test_waits_that_the_chip_does_not_have(chip: str, text: str, words: str) -> None:
    with pytest.raises(EmulationError, match=words):
        run_assembly(text, chip=chip)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("v_mfma_f32_16x16x16_f16", Matrix(4, True, False)),
        ("v_mfma_f32_16x16x16_bf16_1k", Matrix(4, True, False)),
        ("v_mfma_f32_16x16x16f16", Matrix(4, True, False)),
        ("v_mfma_f32_32x32x8_bf16", Matrix(8, True, False)),
        ("v_mfma_f32_16x16x32_fp8_bf8", Matrix(4, True, False)),
        ("v_mfma_i32_32x32x16_i8", Matrix(8, True, False)),
        ("v_mfma_f32_16x16x4_f32", Matrix(8, False, False)),
        ("v_mfma_f32_32x32x2_f32", Matrix(16, False, False)),
        ("v_mfma_f32_32x32x4_2b_f16", Matrix(16, True, False)),
        ("v_mfma_f32_4x4x4_16b_f16", Matrix(2, True, False)),
        ("v_mfma_f32_4x4x1_16b_f32", Matrix(2, False, False)),
        ("v_mfma_f64_16x16x4_f64", Matrix(8, False, True)),
        ("v_smfmac_f32_16x16x32_f16", Matrix(4, True, False)),
        ("v_smfmac_f32_16x16x64_fp8_bf8", Matrix(4, True, False)),
        ("v_smfmac_i32_32x32x32_i8", Matrix(8, True, False)),
    ],
)
def test_passes(name: str, expected: Matrix) -> None:
    """Passes of the instruction tables of AMD's matrix instruction calculator: cycles / 4."""
    assert passes_of(Line(0, name, name, [])) == expected


def effect(chip: str, text: str) -> Effect:
    """The rules' view of one instruction, by its operands alone."""
    line = parse_line(0, text) if chip.startswith("gfx9") else rdna.parse(0, text)[0]
    matrix_like = line.name.startswith(("v_mfma", "v_smfmac", "v_wmma", "v_swmmac"))
    return effect_of(line, "mfma" if matrix_like else "valu", frozenset(), frozenset(), 256, chip)


@pytest.mark.parametrize(
    ("chip", "text"),
    [("gfx942", "v_smfmac_f32_16x16x32_f16 v[2:5], v[10:11], v[6:9], v0"),
     ("gfx1201", "v_swmmac_f32_16x16x32_f16 v[2:5], v[10:11], v[6:9], v0")],
)  # fmt: skip
def test_the_index_of_sparse_matrix_instructions_counts_as_an_operand(chip: str, text: str) -> None:
    found = effect(chip, text)
    assert found.a_b == {0, 6, 7, 8, 9, 10, 11} and found.c == {2, 3, 4, 5}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("v_cvt_scalef32_sr_pk_fp4_f32 v3, v[0:1], v4, 1.0", True),
     ("v_cvt_scalef32_pk_fp4_f32 v4, v0, v1, 1.0", False),
     ("v_cvt_scalef32_pk_fp4_f32 v4, v0, v1, 1.0 op_sel:[0,0,1,0]", True),
     ("v_cvt_scalef32_sr_fp8_f32 v2, v3, v2, 1.0", False),
     ("v_cvt_scalef32_sr_fp8_f32 v2, v3, v2, 1.0 op_sel:[0,0,0,1]", True),
     ("v_cvt_pk_fp8_f32 v3, v2, v2 op_sel:[0,0,1]", True),
     ("v_cvt_scalef32_f32_fp8 v3, v2, v2 op_sel:[1,0,0]", False)],
)  # fmt: skip
def test_results_in_parts_of_registers(text: str, expected: bool) -> None:
    """As LLVM's backend puts s_nop after each of them (gfx950), or none."""
    assert effect("gfx950", text).shifts_result == expected
