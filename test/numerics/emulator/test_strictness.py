# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the emulator is strict about: the table of rules, each broken by a kernel and kept by its twin, on every chip.

More cases of a rule are in the tests that its row names. Plain accesses to global memory and scratch may be misaligned:
the chips run with unaligned accesses enabled.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from assembly_runner import FULL, run_assembly

from fovea.emulator import EmulationError

U32 = np.uint32
CHIPS = {"gfx942": 64, "gfx950": 64, "gfx1100": 32, "gfx1201": 32}
NAMES = {
    "global_load_dword ": "global_load_b32 ", "global_store_dword ": "global_store_b32 ", "ds_write_": "ds_store_",
    "ds_read_": "ds_load_", "s_load_dword ": "s_load_b32 ", "scratch_store_dword ": "scratch_store_b32 ",
    "scratch_load_dword ": "scratch_load_b32 ", "v_add_u32 ": "v_add_nc_u32 ",
    "global_atomic_add ": "global_atomic_add_u32 ",
}  # fmt: skip
"""gfx11 and gfx12 spell them otherwise."""
WAITS = {
    **dict.fromkeys(("gfx942", "gfx950"), "s_waitcnt vmcnt(0) lgkmcnt(0)"),
    "gfx1100": "s_waitcnt vmcnt(0) lgkmcnt(0)\ns_waitcnt_vscnt null, 0x0",
    "gfx1201": "s_wait_loadcnt_dscnt 0x0\ns_wait_storecnt 0x0\ns_wait_kmcnt 0x0",
}  # fmt: skip
BARRIERS = dict.fromkeys(CHIPS, "s_barrier") | {"gfx1201": "s_barrier_signal -1\ns_barrier_wait -1"}
HAZARDS = {
    **dict.fromkeys(
        ("gfx942", "gfx950"), ("v_mov_b32 v4, v3", "s_nop 0", "v_readfirstlane_b32 s4, v4", "1 wait states are needed")
    ),
    "gfx1100": ("v_exp_f32 v4, v3", "s_waitcnt_depctr depctr_va_vdst(0)", "v_add_f32 v5, v4, v4",
                "6 vector instructions are needed"),
    "gfx1201": ("v_mov_b32 v4, s8\ns_mov_b32 s8, 1", "s_wait_alu depctr_sa_sdst(0)", "v_mov_b32 v5, s8",
                "depctr_sa_sdst.0. is missing"),
}  # fmt: skip
"""Before, what is needed between, after, and what is said where it is missing."""


@dataclass(frozen=True)
class Rule:
    """`text` breaks the rule where `wrong` stands, and keeps it with `right` (names: see `spell`)."""

    name: str
    text: str
    wrong: str
    right: str
    message: str
    more: str
    options: dict[str, Any] = field(default_factory=dict)


CHECKS, RACES = "test_memory_and_checks.test_checks", "test_global_checks.test_races_between_workgroups"
PAIRED: dict[str, Any] = {"waves": 2}
RULES = [
    Rule("global access out of bounds", "global_load_dword v1, v0, s[60:61] offset:4", "offset:4", "offset:0",
         "0 bytes past the end of buffer 0", CHECKS),
    Rule("scalar load out of bounds", "s_load_dword s4, s[60:61], SIZE", "SIZE", "0x0", "0 bytes past the end of",
         CHECKS),
    Rule("atomic misaligned", "global_atomic_add v0, v3, s[60:61] offset:2", "offset:2", "offset:0",
         "atomic on 0x.* is not 4-byte aligned", CHECKS, {"exec": 1}),
    Rule("scalar load misaligned", "s_load_dword s4, s[60:61], 0x2", "0x2", "0x4",
         "scalar load from 0x.* is not 4-byte aligned", ""),
    Rule("LDS access out of bounds", "ds_write_b32 v0, v3 offset:4", "offset:4", "offset:0", "is out of bounds",
         CHECKS),
    Rule("LDS access misaligned", "ds_write_b32 v0, v3 offset:2", "offset:2", "offset:4", "is not 4-byte aligned",
         CHECKS, {"exec": 1}),
    Rule("scratch access out of bounds", "scratch_store_dword off, v0, off offset:16", "offset:16", "offset:12",
         "scratch access at byte 16", CHECKS),
    Rule("vector register not written", "v_add_u32 v1, v30, v0", "v30", "v3", "reads v30, which nothing has", CHECKS),
    Rule("scalar register not written", "s_add_u32 s4, s30, s30", "s30, s30", "s8, s8", "reads s30, which nothing has",
         CHECKS),
    Rule("LDS not written", "ds_write_b32 v3, v3\nds_read_b32 v1, v0", "v3, v3", "v0, v3",
         "read of LDS byte 4, which nothing has written", CHECKS),
    Rule("scratch not written", "scratch_store_dword off, v0, off offset:4\nscratch_load_dword v1, off, off offset:8",
         "offset:8", "offset:4", "load of scratch byte 8, which nothing has written", CHECKS),
    Rule("global memory not written", "global_load_dword v1, v0, s[60:61]", "v0, s", "v3, s",
         "reads byte 4 of buffer 0", "test_global_checks.test_every_kind_of_load_reads_written_bytes", {"written": 4}),
    Rule("LDS race", "ds_write_b32 v0, v0\nWAIT\ns_nop 0\nds_read_b32 v1, v7", "s_nop 0", "BARRIER", "LDS race: ",
         "test_waits_and_hazards.test_a_barrier_does_not_wait", PAIRED),
    Rule("LDS access that a barrier overtakes", "ds_write_b32 v0, v0\ns_nop 0\nBARRIER\nds_read_b32 v1, v7", "s_nop 0",
         "WAIT", "LDS race: .* with no s_waitcnt between",
         "test_waits_wave32.test_what_is_between_the_halves_of_a_barrier_is_not_ordered", PAIRED),
    Rule("global race between workgroups", "global_store_dword v0, v3, s[60:61]\nglobal_load_dword v1, v7, s[60:61]",
         "v1, v7", "v1, v0", "global race: ", RACES, {"workgroups": 2}),
    Rule("workgroups synchronise", "global_store_dword v0, v3, s[60:61]\nWAIT\nglobal_load_dword v1, v7, s[60:61]",
         "v1, v7", "v1, v0", "global race: ", "test_synchronisation.test_a_flag_orders", {"workgroups": 2}),
    Rule("divergent barrier", "s_cmp_eq_u32 s59, 1\ns_cbranch_scc1 .Lend\nBARRIER\n.Lend:\ns_nop 0", "s59, 1", "s59, 2",
         "divergent barrier: wave 1 of the workgroup has ended", CHECKS, PAIRED),
    Rule("missing wait, global memory", "global_load_dword v1, v0, s[60:61]\ns_nop 0\nv_add_u32 v4, v1, v1", "s_nop 0",
         "WAIT", "reads v1, which 'global_load_.* is still loading", "test_waits_wave32.test_rules"),
    Rule("missing wait, LDS", "ds_write_b32 v0, v0\nds_read_b32 v1, v0\ns_nop 0\nv_add_u32 v4, v1, v1", "s_nop 0",
         "WAIT", "reads v1, which 'ds_.* is still loading", "test_waits_and_hazards.test_rules"),
    Rule("missing wait, scalar load", "s_load_dword s4, s[60:61], 0x0\ns_nop 0\ns_add_u32 s5, s4, s4", "s_nop 0",
         "WAIT", "reads s4, which 's_load_.* is still loading", "test_waits_and_hazards.test_rules"),
    Rule("missing wait, compiled kernels", "global_load_dword v1, v0, s[60:61]\ns_nop 0\nv_mov_b32 v1, 0", "s_nop 0",
         "WAIT", "writes v1, which", "test_compiled_waits.test_what_the_compiler_inserts_is_needed_and_enough"),
]  # fmt: skip


def spell(text: str, chip: str) -> str:
    """Lines of gfx942 in the chip's names; WAIT waits for everything, BARRIER is a whole barrier."""
    text = text.replace("WAIT", WAITS[chip]).replace("BARRIER", BARRIERS[chip])
    text = text.replace("SIZE", hex(4 * CHIPS[chip]))
    if CHIPS[chip] == 32:
        for name, other in NAMES.items():
            text = text.replace(name, other)
    return text


def run(rule: Rule, text: str, chip: str) -> None:
    """v0: lane * 4 in each wave's own part of memory, v7: in the next wave's part; v3, s8 and s9 are 0."""
    lanes, waves = CHIPS[chip], rule.options.get("waves", 1)
    workgroups = rule.options.get("workgroups", 1)
    count = waves * workgroups
    number = np.arange(count)[:, None]
    offsets = np.arange(64) * 4
    v = {0: (number * 4 * lanes + offsets).astype(U32), 3: np.zeros(64, U32),
         7: ((number + 1) % count * 4 * lanes + offsets).astype(U32)}  # fmt: skip
    written = None
    if "written" in rule.options:
        written = np.zeros(4 * lanes * count, np.uint8)
        written[: rule.options["written"]] = 255
    run_assembly(
        spell(text, chip), v, {8: 0, 9: 0}, waves, workgroups, rule.options.get("exec", FULL >> (64 - lanes)),
        lds_bytes=4 * lanes * waves, scratch_bytes=16, buffers=[np.zeros(lanes * count, U32)], checks=True, timing=True,
        shared=workgroups > 1, written=written, chip=chip,
    )  # fmt: skip


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_rule(rule: Rule, chip: str) -> None:
    assert rule.text.count(rule.wrong) == 1
    run(rule, rule.text.replace(rule.wrong, rule.right), chip)
    with pytest.raises(EmulationError, match=rule.message):
        run(rule, rule.text, chip)


@pytest.mark.parametrize("chip", CHIPS)
def test_hazards_that_hardware_does_not_resolve(chip: str) -> None:
    """More of them: test_waits_and_hazards (gfx942, gfx950), test_waits_wave32 (gfx11, gfx12)."""
    before, needed, after, message = HAZARDS[chip]
    run(RULES[0], f"{before}\n{needed}\n{after}", chip)
    with pytest.raises(EmulationError, match=message):
        run(RULES[0], f"{before}\n{after}", chip)


@pytest.mark.parametrize("name", sorted({rule.more for rule in RULES if rule.more}))
def test_the_table_names_tests(name: str) -> None:
    module, test = name.split(".")
    assert callable(getattr(importlib.import_module(module), test))
