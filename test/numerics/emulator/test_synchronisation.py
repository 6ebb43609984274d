# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Workgroups that synchronise through atomics: what is ordered is no race, and each thing left out is one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from assembly_runner import FULL, run_assembly
from kernels import compile_kernel

from fovea.emulator import EmulationError, emulate, sharing
from fovea.emulator.ordering import Ordering

U32 = np.uint32
OFFSET4 = (np.arange(64) * 4).astype(U32)
# How each chip writes the parts of a release and of an acquire (agent scope).
GFX9 = {
    "store": "global_store_dword v0, v0, s[60:61]", "load": "global_load_dword v1, v7, s[60:61]",
    "load own": "global_load_dword v6, v0, s[60:61]", "stored": "s_waitcnt vmcnt(0)", "loaded": "s_waitcnt vmcnt(0)",
    "count": "global_atomic_add v4, v2, v3, s[62:63] sc0", "silent": "global_atomic_add v2, v3, s[62:63]",
    "invalidate": "buffer_inv sc1", "flag": "global_store_dword v2, v3, s[62:63] sc1", "one lane": "s_mov_b64 exec, 1",
    "compare": "v_cmp_eq_u32 vcc, 3, v4",
    "wait for flag": "global_load_dword v4, v2, s[62:63] sc1", "plain": "global_load_dword v4, v2, s[62:63]",
    "swap": "global_atomic_cmpswap v5, v2, v[4:5], s[62:63] sc0", "barrier": "s_barrier",
}  # fmt: skip
GFX11 = {
    **GFX9, "store": "global_store_b32 v0, v0, s[60:61]", "load": "global_load_b32 v1, v7, s[60:61]",
    "load own": "global_load_b32 v6, v0, s[60:61]", "stored": "s_waitcnt_vscnt null, 0x0",
    "count": "global_atomic_add_u32 v4, v2, v3, s[62:63] glc", "silent": "global_atomic_add_u32 v2, v3, s[62:63]",
    "invalidate": "buffer_gl1_inv\nbuffer_gl0_inv", "flag": "global_store_b32 v2, v3, s[62:63]",
    "wait for flag": "global_load_b32 v4, v2, s[62:63] glc", "plain": "global_load_b32 v4, v2, s[62:63]",
    "swap": "global_atomic_cmpswap_b32 v5, v2, v[4:5], s[62:63] glc", "compare": "v_cmp_eq_u32_e32 vcc_lo, 3, v4",
    "one lane": "s_mov_b32 exec_lo, 1",
}  # fmt: skip
GFX12 = {
    **GFX11, "stored": "s_wait_storecnt 0x0", "loaded": "s_wait_loadcnt 0x0",
    "invalidate": "global_inv scope:SCOPE_DEV",
    "count": "global_atomic_add_u32 v4, v2, v3, s[62:63] th:TH_ATOMIC_RETURN scope:SCOPE_DEV",
    "flag": "global_store_b32 v2, v3, s[62:63] scope:SCOPE_DEV",
    "wait for flag": "global_load_b32 v4, v2, s[62:63] scope:SCOPE_DEV",
    "swap": "global_atomic_cmpswap_b32 v5, v2, v[4:5], s[62:63] th:TH_ATOMIC_RETURN",
    "barrier": "s_barrier_signal -1\ns_barrier_wait -1",
}  # fmt: skip
CHIPS = {"gfx942": GFX9, "gfx950": GFX9, "gfx1100": GFX11, "gfx1201": GFX12}
# The last workgroup to count itself reads what the next one wrote.
LAST = ["one lane", "store", "stored", "count", "loaded", "invalidate", "compare", "s_cbranch_vccz .Lend", "load",
        ".Lend:", "s_nop 0"]  # fmt: skip
# Workgroup 0 sets a flag, the others wait for it.
PRODUCER = ["s_cmp_eq_u32 s59, 0", "s_cbranch_scc0 .Lothers", "store", "stored", "flag", "s_branch .Lend", ".Lothers:",
            "wait for flag", "loaded", "invalidate", "load own", ".Lend:", "s_nop 0"]  # fmt: skip


def run(chip: str, steps: list[str], workgroups: int = 4, waves: int = 1, same: bool = False) -> Any:
    """Run with all checks.

    v0 is each wave's own 256 bytes of the first buffer (`same`: the first ones), v7 those of a wave of the next
    workgroup, the other one if it has two. v2 is 0 (a place), v3 is 1 in lane 0.
    """
    narrow = CHIPS[chip] is not GFX9
    text = "\n".join(CHIPS[chip].get(step, step) for step in steps)
    count = workgroups * waves
    number = np.arange(count)[:, None]
    place = (number * 256 * (not same) + OFFSET4).astype(U32)
    following = ((number + 2 * waves - 1) % count * 256 + OFFSET4).astype(U32)
    one = np.where(np.arange(64) == 0, 1, 0).astype(U32)
    zero, ones = np.zeros(64, U32), np.ones(64, U32)
    lanes = {0: place, 2: zero, 3: one, 4: zero, 5: ones, 6: OFFSET4, 7: following}
    return run_assembly(
        text, lanes, {106: 0, 107: 0}, waves, workgroups, 1 if narrow else FULL, checks=True, timing=True, shared=True,
        buffers=[np.zeros(4096, U32), np.zeros(64, U32)], chip=chip,
    )  # fmt: skip


def without(steps: list[str], *left_out: str) -> list[str]:
    assert all(steps.count(step) == 1 for step in left_out)
    return [step for step in steps if step not in left_out]


def race(chip: str, steps: list[str], words: str = "global race: 4-byte load from .* wrote in this launch",
         **options: Any) -> None:  # fmt: skip
    with pytest.raises(EmulationError, match=words):
        run(chip, steps, **options)


@pytest.mark.parametrize("chip", CHIPS)
def test_the_last_to_count_itself_may_read_what_others_wrote(chip: str) -> None:
    result = run(chip, LAST)
    assert result.v(4)[0] == 0 and result.v(4, wave=3)[0] == 3
    race(chip, without(LAST, "stored"))
    race(chip, without(LAST, "invalidate"))
    # Whoever is not the last one has met nobody's release, or not every one's.
    race(chip, without(LAST, "compare", "s_cbranch_vccz .Lend"))
    # What is stored after the release is not part of it.
    late = without(LAST, "store", "stored")
    at = late.index("count")
    race(chip, [*late[: at + 1], "store", *late[at + 1 :]])
    # Counters of their own order nothing: all are the "last" of one.
    alone = CHIPS[chip]["count"].replace("v4, v2, v3", "v4, v0, v3").replace("62:63", "60:61")
    own = without(LAST, "store", "stored", "compare", "s_cbranch_vccz .Lend")
    own = [alone if step == "count" else step for step in own]
    race(chip, own, "global race: 4-byte load from .* changed atomically")


@pytest.mark.parametrize("chip", CHIPS)
def test_a_flag_orders(chip: str) -> None:
    run(chip, PRODUCER, same=True)
    race(chip, without(PRODUCER, "stored"), same=True)
    race(chip, without(PRODUCER, "invalidate"), same=True)
    race(chip, without(PRODUCER, "wait for flag"), same=True)
    if chip != "gfx1100":
        # gfx11 writes atomic stores like plain ones, so which it is cannot be told there.
        plain = [step if step != "wait for flag" else "plain" for step in PRODUCER]
        race(chip, plain, "global race: 4-byte load from .* of buffer 1 .* changed atomically", same=True)


@pytest.mark.parametrize("chip", CHIPS)
def test_waves_of_a_workgroup_release_for_each_other_after_a_barrier(chip: str) -> None:
    """Wave 0 counts for both; the last workgroup's wave 0 reads what wave 1 of the others wrote."""
    steps = [*LAST[:3], "barrier", "s_and_b32 s4, s59, 1", "s_cmp_eq_u32 s4, 0", "s_cbranch_scc0 .Lend",
             CHIPS[chip]["stored"], *LAST[3:]]  # fmt: skip
    run(chip, steps, waves=2)
    race(chip, without(steps, "barrier"), waves=2)
    # On gfx9 the waves of a workgroup share the first cache, and wave 0's own wait is enough.
    if CHIPS[chip] is GFX9:
        run(chip, without(steps, "stored"), waves=2)
    else:
        race(chip, without(steps, "stored"), waves=2)


COMPILED = """module attributes {gpu.container_module} {
  gpu.module @kernels {
    memref.global "private" @tile : memref<1xi32, #gpu.address_space<workgroup>>
    gpu.func @last(%x: memref<512xf32>, %part: memref<512xf32>, %count: memref<1xi32>, %y: memref<128xf32>)
        kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c4 = arith.constant 4 : index
      %c128 = arith.constant 128 : index
      %one = arith.constant 1 : i32
      %final = arith.constant 3 : i32
      %zero = arith.constant 0.0 : f32
      %t = gpu.thread_id x
      %b = gpu.block_id x
      %base = arith.muli %b, %c128 : index
      %i = arith.addi %base, %t : index
      %tile = memref.get_global @tile : memref<1xi32, #gpu.address_space<workgroup>>
      %v = memref.load %x[%i] : memref<512xf32>
      %w = arith.addf %v, %v : f32
      memref.store %w, %part[%i] : memref<512xf32>
      gpu.barrier
      %first = arith.cmpi eq, %t, %c0 : index
      scf.if %first {
        %old = memref.atomic_rmw addi %one, %count[%c0] : (i32, memref<1xi32>) -> i32
        memref.store %old, %tile[%c0] : memref<1xi32, #gpu.address_space<workgroup>>
      }
      gpu.barrier
      %n = memref.load %tile[%c0] : memref<1xi32, #gpu.address_space<workgroup>>
      %is_last = arith.cmpi eq, %n, %final : i32
      scf.if %is_last {
        %sum = scf.for %k = %c0 to %c4 step %c1 iter_args(%acc = %zero) -> f32 {
          %at = arith.muli %k, %c128 : index
          %j = arith.addi %at, %t : index
          %p = memref.load %part[%j] : memref<512xf32>
          %next = arith.addf %acc, %p : f32
          scf.yield %next : f32
        }
        memref.store %sum, %y[%t] : memref<128xf32>
      }
      gpu.return
    }
  }
}"""
# A wait of LLVM for a write-back alone, whose stores the barrier's wait covered, and one for another path.
NOT_NEEDED = {"gfx1201": ["s_wait_loadcnt 0x0", "s_wait_storecnt 0x0", "s_wait_alu depctr_sa_sdst(0)"]}


@pytest.mark.parametrize("chip", CHIPS)
def test_what_the_compiler_writes_for_an_atomic_is_needed_and_enough(chip: str) -> None:
    """128 work-items write, one of them counts, the last workgroup adds up what all wrote."""
    code, text = compile_kernel(COMPILED, chip)
    x = np.arange(512, dtype=np.float32)

    def launch(lines: list[str]) -> None:
        y, count = np.zeros(128, np.float32), np.zeros(1, np.int32)
        emulate(code, grid=(4,), block=(128,), args=[x, np.zeros_like(x), count, y], assembly="\n".join(lines))
        np.testing.assert_array_equal(y, 2 * x.reshape(4, 128).sum(0))

    lines = text.splitlines()
    launch(lines)
    acquires = ("buffer_inv sc", "buffer_gl1_inv", "global_inv scope:SCOPE_SYS")
    places = [i for i, line in enumerate(lines) if line.strip().startswith(("s_wait", "s_nop", *acquires))]
    unnoticed = []
    for place in places:
        try:
            launch(lines[:place] + lines[place + 1 :])
        except EmulationError:
            continue
        unnoticed.append(lines[place].strip())
    assert unnoticed == NOT_NEEDED.get(chip, [])
    assert len(places) - len(unnoticed) >= 9


SWAP = ["plain", "loaded", "swap"]


@pytest.mark.parametrize("chip", CHIPS)
def test_a_loop_of_compare_and_swap_starts_from_a_plain_load(chip: str) -> None:
    run(chip, SWAP)
    run(chip, [*SWAP, *SWAP[1:]])
    race(chip, ["plain", "loaded", "silent"], "global race: 4-byte (load from|atomic on) .* of buffer 1 ")
    # The load is of another place, which other workgroups change.
    other = "v_add_u32 v2, v2, v3" if CHIPS[chip] is GFX9 else "v_add_nc_u32 v2, v2, v3"
    shift = [other.replace("v3", "4")] if CHIPS[chip] is GFX9 else [other.replace("v2, v3", "4, v2")]
    race(chip, ["silent", "plain", "loaded", *shift, "swap"], r"load from .* of buffer 1 .* by workgroup .* \(0x")


# Each workgroup takes the lock at the first place of buffer 1, adds 1 to the first place of buffer 0, gives it back.
LOCKED = ["one lane", "v_mov_b32 v4, 1", "v_mov_b32 v5, 0", ".Lagain:", "swap", "loaded", "invalidate", "is free",
          "s_cbranch_vccz .Lagain", "read", "loaded ", "add", "write", "stored", "unlock"]  # fmt: skip
PARTS9 = {
    "swap": "v_mov_b32 v5, 0\nglobal_atomic_cmpswap v1, v2, v[4:5], s[62:63] sc0", "is free": "v_cmp_eq_u32 vcc, 0, v1",
    "read": "global_load_dword v6, v2, s[60:61]", "loaded ": "s_waitcnt vmcnt(0)", "add": "v_add_u32 v6, 1, v6",
    "write": "global_store_dword v2, v6, s[60:61]", "unlock": "global_atomic_swap v2, v5, s[62:63]",
}  # fmt: skip
PARTS32 = {
    **PARTS9, "is free": "v_cmp_eq_u32_e32 vcc_lo, 0, v1", "read": "global_load_b32 v6, v2, s[60:61]",
    "add": "v_add_nc_u32 v6, 1, v6", "write": "global_store_b32 v2, v6, s[60:61]",
    "unlock": "global_atomic_swap_b32 v2, v5, s[62:63]",
}  # fmt: skip
LOCKS: dict[str, dict[str, str]] = {
    "gfx942": PARTS9,
    "gfx1100": {**PARTS32, "swap": "v_mov_b32 v5, 0\nglobal_atomic_cmpswap_b32 v1, v2, v[4:5], s[62:63] glc"},
    "gfx1201": {**PARTS32, "loaded ": "s_wait_loadcnt 0x0",
                "swap": "v_mov_b32 v5, 0\nglobal_atomic_cmpswap_b32 v1, v2, v[4:5], s[62:63] th:TH_ATOMIC_RETURN"},
}  # fmt: skip


@pytest.mark.parametrize("chip", LOCKS)
def test_a_lock_orders_and_its_holder_gets_its_turn(chip: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("fovea.emulator.machine._PATIENCE", 16)

    def spelled(steps: list[str]) -> list[str]:
        return [LOCKS[chip].get(step, step) for step in steps]

    result = run(chip, spelled(LOCKED))
    assert result.machine.space.buffers[0].views[4][0] == 4
    race(chip, spelled(without(LOCKED, "invalidate")))
    race(chip, spelled(without(LOCKED, "stored")))


def test_what_is_read_before_a_release_may_be_overwritten_after_an_acquire() -> None:
    steps = ["one lane", "load own", "loaded", "count", "s_waitcnt vmcnt(0)", "invalidate", "compare",
             "s_cbranch_vccz .Lend", "store", ".Lend:", "s_nop 0"]  # fmt: skip
    run("gfx942", steps, same=True)
    race("gfx942", without(steps, "invalidate"), "global race: 4-byte store to .* read in this launch", same=True)


@pytest.mark.parametrize("limit", ["_EVENTS", "_CLOCK_BYTES", "LARGEST"])
def test_too_many_places_order_more_but_report_nothing_wrong(limit: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(f"fovea.emulator.ordering.{limit}", 1)
    run("gfx942", LAST)
    race("gfx942", without(LAST, "invalidate"))


def test_clocks_go_through_third_workgroups() -> None:
    """1 releases to 2 at one place, 2 to 3 at another: 3 is after 1, but not after what 1 did since."""
    clocks = Ordering(3)

    def access(workgroup: int, place: int) -> None:
        clocks.synchronise(np.array([workgroup], np.int32), np.array([place]), True, True)

    one = np.array([1], np.int32)
    access(1, 0)
    access(2, 0)
    clocks.acquire(one * 2)
    access(2, 64)
    access(3, 64)
    assert not clocks.ordered(one * 3, one, 0)
    clocks.acquire(one * 3)
    assert clocks.ordered(one * 3, one, 0) and not clocks.ordered(one * 3, one, 1)
    assert clocks.ordered(one * 3, one * 2, 1) and not clocks.ordered(one * 2, one * 3, 0)


def test_loads_that_are_held_too_long_are_judged_as_plain(monkeypatch: Any) -> None:
    run("gfx942", SWAP)
    monkeypatch.setattr(sharing, "_HELD", 10)
    race("gfx942", SWAP, "global race: 4-byte atomic on .* read in this launch")
