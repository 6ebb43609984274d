# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""gfx11 and gfx12: missing waits, hazards and the two halves of a barrier: each rule broken, and a correct twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from assembly_runner import run_assembly

from fovea.emulator import EmulationError

U32 = np.uint32
LOW = 0xFFFFFFFF
OFFSET4 = (np.arange(64) * 4).astype(U32)
LOAD = "global_load_b32 v1, v0, s[60:61]"
STORE = "global_store_b32 v0, v0, s[60:61]"
USE = "v_add_nc_u32 v2, v1, v1"
FLAT = "v_mov_b32 v4, s60\nv_mov_b32 v5, s61\nflat_load_b32 v1, v[4:5]\nflat_load_b32 v2, v[4:5]"
ATOMIC = "v_mov_b32 v4, 1\nglobal_atomic_add_u32 v1, v0, v4, s[60:61] {}"
SCALARS = "s_load_b32 s4, s[60:61], 0x0\ns_load_b32 s5, s[60:61], 0x4"

# name, text, what is wrong in it, what is right, words of the message (None: the text is right too)
GFX11: list[Any] = [
    ("read", f"{LOAD}\ns_waitcnt lgkmcnt(0)\n{USE}", "lgkmcnt(0)", "vmcnt(0)",
     ["reads v1", "global_load_b32 v1", "s_waitcnt vmcnt(0) is missing"]),
    ("older load", f"{LOAD}\nglobal_load_b32 v3, v0, s[60:61]\ns_waitcnt vmcnt(2)\n{USE}", "vmcnt(2)", "vmcnt(1)",
     ["reads v1", "vmcnt(1) is missing"]),
    ("stores do not count", f"{LOAD}\n{STORE}\ns_waitcnt vmcnt(1)\n{USE}", "vmcnt(1)", "vmcnt(0)", ["reads v1"]),
    ("stores have their own counter", f"{LOAD}\n{STORE}\ns_waitcnt_vscnt null, 0x0\n{USE}", "s_waitcnt_vscnt null, 0x0",
     "s_waitcnt_vmcnt null, 0x0", ["reads v1"]),
    ("overwrite", f"{LOAD}\ns_nop 0\nv_mov_b32 v1, 0", "s_nop 0", "s_waitcnt vmcnt(0)", ["writes v1"]),
    ("dual instruction", f"{LOAD}\ns_nop 0\nv_dual_mov_b32 v2, v3 :: v_dual_mov_b32 v5, v1", "s_nop 0",
     "s_waitcnt vmcnt(0)", ["reads v1"]),
    ("LDS", f"ds_load_b32 v1, v0\ns_waitcnt vmcnt(0)\n{USE}", "vmcnt(0)", "lgkmcnt(0)", ["lgkmcnt(0) is missing"]),
    ("LDS in order", "ds_load_b32 v1, v0\nds_load_b32 v2, v0\ns_waitcnt lgkmcnt(1)\nv_add_nc_u32 v3, v2, v2", "v2, v2",
     "v1, v1", ["reads v2"]),
    ("scalar loads in any order", f"{SCALARS}\ns_waitcnt lgkmcnt(1)\ns_add_u32 s6, s4, s4", "lgkmcnt(1)", "lgkmcnt(0)",
     ["reads s4", "lgkmcnt(0) is missing"]),
    ("FLAT counts in both", f"{FLAT}\ns_waitcnt vmcnt(0)\nv_add_nc_u32 v3, v1, v1", "vmcnt(0)", "vmcnt(1) lgkmcnt(1)",
     ["reads v1", "lgkmcnt(1) is missing"]),
    ("atomic that returns", f"{ATOMIC.format('glc')}\ns_waitcnt_vscnt null, 0x0\n{USE}", "_vscnt null, 0x0",
     " vmcnt(0)", ["reads v1"]),
]  # fmt: skip
GFX12: list[Any] = [
    ("read", f"{LOAD}\ns_wait_dscnt 0x0\n{USE}", "dscnt", "loadcnt",
     ["reads v1", "global_load_b32 v1", "s_wait_loadcnt 0 is missing"]),
    ("older load", f"{LOAD}\nglobal_load_b32 v3, v0, s[60:61]\ns_wait_loadcnt 0x2\n{USE}", "0x2", "0x1",
     ["reads v1", "s_wait_loadcnt 1 is missing"]),
    ("stores have their own counter", f"{LOAD}\n{STORE}\ns_wait_storecnt 0x0\n{USE}", "storecnt", "loadcnt",
     ["reads v1"]),
    ("cache control counts", f"{LOAD}\nglobal_inv scope:SCOPE_DEV\ns_wait_loadcnt 0x1\n{USE}", "0x1\n", "0x0\n", None),
    ("write-back is a store", f"{LOAD}\nglobal_wb scope:SCOPE_DEV\ns_wait_loadcnt 0x1\n{USE}", "0x1", "0x0",
     ["reads v1"]),
    ("other loads' counters", f"{LOAD}\ns_wait_samplecnt 0x0\n{USE}", "samplecnt", "loadcnt", ["reads v1"]),
    ("LDS", f"ds_load_b32 v1, v0\ns_wait_loadcnt 0x0\n{USE}", "loadcnt", "dscnt", ["s_wait_dscnt 0 is missing"]),
    ("two at once, loads", f"{LOAD}\nds_load_b32 v3, v0\ns_wait_loadcnt_dscnt 0x100\nv_add_nc_u32 v2, v1, v3", "0x100",
     "0x0", ["reads v1", "s_wait_loadcnt 0 is missing"]),
    ("two at once, LDS", f"{LOAD}\nds_load_b32 v3, v0\ns_wait_loadcnt_dscnt 0x1\nv_add_nc_u32 v2, v1, v3", "0x1", "0x0",
     ["reads v3", "s_wait_dscnt 0 is missing"]),
    ("two at once, stores", f"ds_load_b32 v1, v0\n{STORE}\ns_wait_storecnt_dscnt 0x1\n{USE}", "0x1", "0x100",
     ["reads v1", "s_wait_dscnt 0 is missing"]),
    ("scalar loads", "s_load_b32 s4, s[60:61], 0x0\ns_wait_dscnt 0x0\ns_add_co_u32 s6, s4, s4", "dscnt", "kmcnt",
     ["reads s4", "s_wait_kmcnt 0 is missing"]),
    ("scalar loads in any order", f"{SCALARS}\ns_wait_kmcnt 0x1\ns_add_co_u32 s6, s4, s4", "0x1", "0x0", ["reads s4"]),
    ("FLAT counts in both", f"{FLAT}\ns_wait_loadcnt 0x0\nv_add_nc_u32 v3, v1, v1", "loadcnt 0x0",
     "loadcnt_dscnt 0x101", ["reads v1", "s_wait_dscnt 1 is missing"]),
    ("atomic that returns", f"{ATOMIC.format('th:TH_ATOMIC_RETURN')}\ns_wait_storecnt 0x0\n{USE}", "storecnt",
     "loadcnt", ["reads v1"]),
]  # fmt: skip


def between(first: str, count: int, second: str, filler: str = "v_mov_b32 v3, 0") -> tuple[str, str, str]:
    """Text with one instruction too few between, and the two middles."""
    few, enough = (";".join([filler] * n) for n in (count - 1, count))
    return f"{first}\n<{few}>\n{second}", f"<{few}>", f"<{enough}>"


MATRIX = "v_wmma_f32_16x16x16_f16 v[24:31], {}, {}, v[24:31]"
SECOND = "v_wmma_f32_16x16x16_f16 v[32:39], {}, {}, v[32:39]"
HAZARDS: list[Any] = [
    *((chip, "matrix result as A", f"{MATRIX.format(a, b)}\ns_nop 7\n{SECOND.format(c, b)}", "s_nop 7",
       between_, ["A or B is the result of a matrix instruction", "(v24)"])
      for chip, a, b, c in (
          ("gfx1100", "v[8:15]", "v[16:23]", "v[24:31]"), ("gfx1201", "v[8:11]", "v[16:19]", "v[24:27]"),
      )
      for between_ in ("v_nop", "v_mov_b32 v3, 0")),
    *((chip, "matrix result as C", f"{MATRIX.format(a, b)}\ns_nop 7\n{MATRIX.format(a, b)}", "s_nop 7", "s_nop 0", None)
      for chip, a, b in (("gfx1100", "v[8:15]", "v[16:23]"), ("gfx1201", "v[8:11]", "v[16:19]"))),
    *((chip, "permutation after v_cmpx", "v_cmpx_lt_u32_e32 3, v0\nv_nop\nv_permlanex16_b32 v1, v0, s8, s9", "v_nop",
       "v_mov_b32 v3, v3", ["a permutation of rows after v_cmpx", "other than v_nop"])
      for chip in ("gfx1100", "gfx1201")),
    *((chip, "registers given back", f"{STORE}\ns_nop0\ns_sendmsg sendmsg(MSG_DEALLOC_VGPRS)", "s_nop0\n", "s_nop 0\n",
       ["given back right after a memory instruction"]) for chip in ("gfx1100", "gfx1201")),
    ("gfx1100", "transcendental", *between("v_exp_f32 v1, v2", 6, "v_add_f32 v4, v1, v1"),
     ["reads the result of a transcendental instruction (v1)", "6 vector instructions", "5 given"]),
    ("gfx1100", "transcendental, s_delay_alu is no wait", "v_exp_f32 v1, v2\ns_delay_alu instid0(TRANS32_DEP_1)\n"
     "v_add_f32 v4, v1, v1", "s_delay_alu instid0(TRANS32_DEP_1)", "s_waitcnt_depctr depctr_va_vdst(0)",
     ["transcendental"]),
    ("gfx1100", "transcendental, another counter", "v_exp_f32 v1, v2\ns_waitcnt_depctr 0xfffe\nv_add_f32 v4, v1, v1",
     "0xfffe", "0xfff", ["transcendental"]),
    ("gfx1100", "transcendental, two others between",
     "v_exp_f32 v1, v2\nv_exp_f32 v3, v2\nv_mov_b32 v3, 0\nv_add_f32 v4, v1, v1", "v_mov_b32 v3, 0", "v_exp_f32 v3, v2",
     ["transcendental"]),
    ("gfx1100", "transcendental, memory between", "v_exp_f32 v1, v2\ns_nop 7\nv_add_f32 v4, v1, v1", "s_nop 7", STORE,
     ["transcendental"]),
    ("gfx1100", "transcendental after transcendental", "v_exp_f32 v1, v2\ns_nop 0\nv_exp_f32 v4, v1", "s_nop 0",
     "s_waitcnt_depctr depctr_va_vdst(0)", ["transcendental"]),
    ("gfx1201", "transcendental results are waited for", "v_exp_f32 v1, v2\ns_nop 0\nv_exp_f32 v4, v1", "s_nop 0",
     "s_nop 1", None),
    ("gfx1201", "scalar write", "v_mov_b32 v1, s8\ns_mov_b32 s8, 1\ns_nop 0\nv_mov_b32 v1, s8", "s_nop 0",
     "s_wait_alu depctr_sa_sdst(0)",
     ["reads s8", "scalar instruction 's_mov_b32 s8, 1'", "s_wait_alu depctr_sa_sdst(0) is missing"]),
    ("gfx1201", "scalar write, number", "v_mov_b32 v1, s8\ns_mov_b32 s8, 1\ns_wait_alu 0xf1ff\nv_mov_b32 v1, s8",
     "0xf1ff", "0xfffe", ["reads s8"]),
    ("gfx1201", "scalar write, scalar reader", "v_mov_b32 v1, s8\ns_mov_b32 s8, 1\ns_nop 0\ns_add_co_u32 s9, s8, 1",
     "s_nop 0", "s_wait_alu depctr_sa_sdst(0)", ["reads s8"]),
    ("gfx1201", "registers are kept in pairs", "v_mov_b32 v1, s9\ns_mov_b32 s8, 1\nv_mov_b32 v1, s8", "v1, s9",
     "v1, s10", ["reads s8"]),
    ("gfx1201", "vector write", "v_mov_b32 v1, s8\nv_readfirstlane_b32 s8, v0\ns_wait_alu depctr_sa_sdst(0)\n"
     "v_mov_b32 v1, s8", "sa_sdst", "va_sdst",
     ["reads s8", "vector instruction 'v_readfirstlane_b32 s8, v0'", "va_sdst(0) is missing"]),
    ("gfx1201", "VCC", "v_cndmask_b32 v1, v0, v2, vcc_lo\nv_cmp_gt_u32_e32 vcc_lo, v0, v2\n"
     "s_wait_alu depctr_va_sdst(0)\nv_cndmask_b32 v1, v0, v2, vcc_lo", "va_sdst", "va_vcc",
     ["reads vcc_lo", "va_vcc(0) is missing"]),
    ("gfx1201", "vector write, scalar reader", "v_mov_b32 v1, s8\nv_readfirstlane_b32 s8, v0\ns_add_co_u32 s9, s8, 1\n"
     "v_mov_b32 v1, s8", "s_add_co_u32 s9, s8, 1", "s_add_co_u32 s9, s8, 2", None),
    ("gfx1201", "a scalar load between", "v_mov_b32 v1, s8\ns_mov_b32 s8, 1\ns_nop 0\nv_mov_b32 v1, s8",
     "s_nop 0", "s_load_b32 s4, s[60:61], 0x0", ["reads s8"]),
    ("gfx1201", "LDS no-operations between",
     "v_mov_b32 v1, s8\n<ds_nop;ds_nop;ds_nop>\ns_mov_b32 s8, 1\nv_mov_b32 v1, s8",
     "<ds_nop;ds_nop;ds_nop>", "<ds_nop;ds_nop;ds_nop;ds_nop>", ["reads s8"]),
]  # fmt: skip


def run(text: str, chip: str) -> None:
    """Run with all checks; v0 holds lane * 4, LDS and the registers named are written."""
    v: dict[int, Any] = dict.fromkeys(range(2, 40), np.zeros(64, U32))
    wait = "s_waitcnt lgkmcnt(0)" if chip == "gfx1100" else "s_wait_dscnt 0x0"
    text = text.replace("<", "").replace(">", "").replace(";", "\n").replace("s_nop0\n", "")
    run_assembly(
        f"ds_store_b32 v0, v0\n{wait}\n{text}", {**v, 0: OFFSET4, 1: OFFSET4}, {8: 0, 9: 0, 10: 0, 106: 0},
        lds_bytes=512, checks=True, timing=True, exec_mask=LOW, buffers=[np.zeros(256, U32)], chip=chip,
    )  # fmt: skip


CASES = [
    *(("gfx1100", *case) for case in GFX11), *((chip, *case) for case in GFX12 for chip in ("gfx1200", "gfx1201")),
    *HAZARDS,
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{case[0]} {case[1]}" for case in CASES])
def test_rules(case: Any) -> None:
    chip, _, text, wrong, right, words = case
    assert text.count(wrong) == 1
    run(text.replace(wrong, right), chip)
    if words is None:
        run(text, chip)
        return
    with pytest.raises(EmulationError) as caught:
        run(text, chip)
    for word in ["kernel test", "0x", "workgroup (0, 0, 0) wave 0", *words]:
        assert word in str(caught.value), str(caught.value)


BARRIERS = {
    "gfx1100": ("s_waitcnt lgkmcnt(0)", "s_barrier"),
    "gfx1201": ("s_wait_dscnt 0x0", "s_barrier_signal -1\ns_barrier_wait -1"),
}


def exchange(text: str, chip: str, **options: Any) -> None:
    """Two waves, each at its own 128 bytes of LDS; v1 is the other's place."""
    place = (np.arange(2)[:, None] * 128 + OFFSET4).astype(U32)
    run_assembly(text, {0: place, 1: place ^ U32(128), 2: place}, waves=2, lds_bytes=256, exec_mask=LOW, checks=True,
                 timing=True, chip=chip, **options)  # fmt: skip


@pytest.mark.parametrize("chip", BARRIERS)
def test_barriers_order_what_was_waited_for(chip: str) -> None:
    wait, barrier = BARRIERS[chip]
    exchange(f"ds_store_b32 v0, v0\n{wait}\n{barrier}\nds_load_b32 v3, v1", chip)
    with pytest.raises(EmulationError, match="LDS race"):
        exchange("ds_store_b32 v0, v0\ns_nop 0\nds_load_b32 v3, v1", chip)
    with pytest.raises(EmulationError, match=r"LDS race: .* or before it with no s_waitcnt between"):
        exchange(f"ds_store_b32 v0, v0\n{barrier}\nds_load_b32 v3, v1", chip)


def test_what_is_between_the_halves_of_a_barrier_is_not_ordered() -> None:
    right = "ds_store_b32 v0, v0\ns_wait_dscnt 0x0\ns_barrier_signal -1\nv_mov_b32 v4, 0\ns_barrier_wait -1\n"
    exchange(f"{right}ds_load_b32 v3, v1", "gfx1201")
    late = "ds_store_b32 v0, v0\ns_barrier_signal -1\ns_wait_dscnt 0x0\ns_barrier_wait -1\nds_load_b32 v3, v1"
    inside = right.replace("v_mov_b32 v4, 0", "ds_load_b32 v3, v0\ns_wait_dscnt 0x0") + "ds_store_b32 v1, v1"
    for text in (late, inside):
        with pytest.raises(EmulationError, match="LDS race"):
            exchange(text, "gfx1201")
    exchange(f"{right}s_barrier_signal -1\ns_barrier_wait -1\n" + "ds_load_b32 v3, v1", "gfx1201")


def test_a_barrier_that_was_not_signalled() -> None:
    exchange("s_barrier_signal -1\ns_barrier_wait -1\ns_barrier_signal -1\ns_barrier_wait -1", "gfx1201")
    with pytest.raises(EmulationError, match="s_barrier_wait without s_barrier_signal before it"):
        exchange("s_barrier_signal -1\ns_barrier_wait -1\ns_barrier_wait -1", "gfx1201")


@pytest.mark.parametrize(("chip", "text"), [
    ("gfx1201", "s_barrier_signal_isfirst -1"), ("gfx1100", "s_sendmsg_rtn_b32 s4, sendmsg(MSG_RTN_GET_DOORBELL)"),
])  # fmt: skip
def test_instructions_with_a_result_are_no_waits(chip: str, text: str) -> None:
    with pytest.raises(EmulationError, match="unknown"):
        run_assembly(text, chip=chip)
