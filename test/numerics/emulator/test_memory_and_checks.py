# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Memory instructions, and each check: a program that breaks the rule is caught, its correct twin is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from assembly_runner import run_assembly

from fovea.emulator import EmulationError

U32 = np.uint32
LANE = np.arange(64)
OFFSET4 = (LANE * 4).astype(U32)


def test_global_widths() -> None:
    source = np.random.default_rng(0).integers(0, 256, 64 * 16 + 64, dtype=np.uint8)
    target = np.zeros(64 * 16, np.uint8)
    v = {0: (LANE * 16).astype(U32)}
    r = run_assembly(
        """global_load_dwordx4 v[4:7], v0, s[60:61]
        global_load_dwordx3 v[8:10], v0, s[60:61] offset:4
        global_load_dwordx2 v[12:13], v0, s[60:61] offset:2
        global_load_ubyte v14, v0, s[60:61] offset:3
        global_load_sbyte v15, v0, s[60:61] offset:3
        global_load_ushort v16, v0, s[60:61] offset:6
        global_load_sshort v17, v0, s[60:61] offset:6
        v_mov_b32 v18, -1
        global_load_short_d16_hi v18, v0, s[60:61] offset:8
        global_store_dwordx4 v0, v[4:7], s[62:63]
        global_store_byte v0, v16, s[62:63] offset:1
        global_store_short_d16_hi v0, v18, s[62:63] offset:14 nt""",
        v, buffers=[source, target], checks=True,
    )  # fmt: skip
    rows = np.stack([source[16 * i : 16 * i + 32] for i in range(64)])
    for i in range(4):
        np.testing.assert_array_equal(r.v(4 + i), rows[:, 4 * i : 4 * i + 4].copy().view(U32)[:, 0])
    for i in range(3):
        np.testing.assert_array_equal(r.v(8 + i), rows[:, 4 + 4 * i : 8 + 4 * i].copy().view(U32)[:, 0])
    np.testing.assert_array_equal(r.v(12), rows[:, 2:6].copy().view(U32)[:, 0])
    np.testing.assert_array_equal(r.v(14), rows[:, 3])
    np.testing.assert_array_equal(r.v(15, np.int32), rows[:, 3].view(np.int8))
    np.testing.assert_array_equal(r.v(16), rows[:, 6:8].copy().view(np.uint16)[:, 0])
    np.testing.assert_array_equal(r.v(17, np.int32), rows[:, 6:8].copy().view(np.int16)[:, 0])
    np.testing.assert_array_equal(r.v(18), rows[:, 8:10].copy().view(np.uint16)[:, 0].astype(U32) * 65536 + 0xFFFF)
    expected = source[: 64 * 16].reshape(64, 16).copy()
    expected[:, 1] = rows[:, 6]
    expected[:, 14:16] = rows[:, 8:10]
    np.testing.assert_array_equal(target.reshape(64, 16), expected)
    assert r.machine.statistics.global_bytes_read == 64 * (16 + 12 + 8 + 1 + 1 + 2 + 2 + 2)


def test_addresses_in_vector_pairs_reach_several_buffers() -> None:
    first, second = np.arange(64, dtype=U32), np.arange(64, dtype=U32) + 1000
    r = run_assembly(
        """v_mov_b32 v2, s62
        v_mov_b32 v3, s60
        v_cndmask_b32_e64 v2, v2, v3, s[0:1]
        v_mov_b32 v3, s61
        v_lshl_add_u64 v[4:5], v[2:3], 0, v[6:7]
        global_load_dword v8, v[4:5], off
        s_mov_b64 exec, s[0:1]
        global_load_dword v9, v[4:5], off offset:-4
        global_atomic_add_u32 v10, v[4:5], v6, off sc0""".replace("_u32 v10", " v10"),
        {6: OFFSET4, 7: np.zeros(64, U32), 9: np.zeros(64, U32), 10: np.zeros(64, U32)},
        {0: 0xFFFF_FFF0, 1: 0xFF}, buffers=[first, second],
    )  # fmt: skip
    on = np.array([0xFF_FFFF_FFF0 >> i & 1 for i in range(64)], bool)
    np.testing.assert_array_equal(r.v(8), np.where(on, LANE, LANE + 1000))
    np.testing.assert_array_equal(r.v(9), np.where(on, LANE - 1, 0))
    np.testing.assert_array_equal(r.v(10), np.where(on, LANE, 0))
    np.testing.assert_array_equal(first, np.where(on, 5 * LANE, LANE))


def test_scalar_loads() -> None:
    data = np.arange(100, 132, dtype=U32)
    r = run_assembly(
        "s_load_dwordx4 s[4:7], s[60:61], 0x10\ns_lshl_b32 s8, s59, 2\ns_load_dword s9, s[60:61], s8 offset:0x4\n"
        "s_load_dwordx2 s[10:11], s[60:61], s8",
        buffers=[data], waves=3,
    )  # fmt: skip
    assert [r.s(i) for i in range(4, 8)] == [104, 105, 106, 107]
    for wave in range(3):
        assert [r.s(i, wave) for i in (9, 10, 11)] == [101 + wave, 100 + wave, 101 + wave]


def test_buffer_out_of_range_reads_zero() -> None:
    data = np.arange(64, dtype=U32) + 5
    target = np.zeros(64, U32)
    text = """s_mov_b64 s[4:5], s[60:61]
        s_mov_b32 s6, 0x80
        s_mov_b32 s7, 0x27000
        s_mov_b64 s[8:9], s[62:63]
        s_mov_b64 s[10:11], s[6:7]
        buffer_load_dword v1, v0, s[4:7], 0 offen
        buffer_load_dwordx2 v[2:3], v0, s[4:7], 0 offen offset:4
        buffer_store_dword v1, v0, s[8:11], 0 offen offset:8"""
    r = run_assembly(text, {0: OFFSET4}, buffers=[data, target])
    np.testing.assert_array_equal(r.v(1), np.where(LANE < 32, data, 0))
    np.testing.assert_array_equal(r.v(3), np.where(LANE < 30, np.roll(data, -2), 0))
    np.testing.assert_array_equal(target, np.where((LANE >= 2) & (LANE < 32), np.roll(data, 2), 0))


def test_lds_widths_and_scratch() -> None:
    a = np.random.default_rng(2).integers(0, 2**32, (4, 64), dtype=U32)
    r = run_assembly(
        """ds_write_b128 v0, v[4:7]
        ds_read2_b64 v[8:11], v0 offset1:1
        ds_read_b96 v[12:14], v0
        ds_read2st64_b32 v[16:17], v20 offset1:2
        ds_read_u16_d16_hi v4, v0 offset:6
        ds_read_i8 v18, v0 offset:9
        ds_write_b16_d16_hi v0, v5 offset:12
        ds_read_b32 v19, v0 offset:12
        scratch_store_dwordx2 off, v[6:7], off offset:8
        scratch_load_dword v21, off, off offset:12""",
        {0: (LANE * 16).astype(U32), 20: OFFSET4, **{4 + i: a[i] for i in range(4)}}, lds_bytes=1024,
        scratch_bytes=16, checks=True,
    )  # fmt: skip
    flat = a.T.copy()
    for i in range(4):
        np.testing.assert_array_equal(r.v(8 + i), a[i])
    for i in range(3):
        np.testing.assert_array_equal(r.v(12 + i), a[i])
    np.testing.assert_array_equal(r.v(16), flat.reshape(-1)[:64])
    np.testing.assert_array_equal(r.v(17), flat.reshape(-1)[128:192])
    np.testing.assert_array_equal(r.v(4), a[1] >> U32(16) << U32(16) | a[0] & U32(0xFFFF))
    np.testing.assert_array_equal(r.v(18, np.int32), flat.view(np.int8).reshape(64, 16)[:, 9])
    np.testing.assert_array_equal(r.v(19), a[3] >> U32(16) << U32(16) | a[1] >> U32(16))
    np.testing.assert_array_equal(r.v(21), a[3])


def test_lds_atomics() -> None:
    r = run_assembly(
        """ds_write_b32 v0, v1
        s_barrier
        ds_add_rtn_u32 v3, v1, v2
        ds_add_f32 v4, v5
        ds_max_u32 v6, v2
        s_barrier
        ds_read_b32 v7, v0""",
        {0: OFFSET4, 1: np.zeros(64, U32), 2: LANE.astype(U32), 4: np.full(64, 4, U32), 5: np.full(64, 0.5, np.float32),
         6: np.full(64, 8, U32)},
        lds_bytes=256, workgroups=2, checks=True,
    )  # fmt: skip
    np.testing.assert_array_equal(r.v(3), np.cumsum(LANE) - LANE)
    for wave in range(2):
        final = r.v(7, wave=wave)
        assert (int(final[0]), float(final.view(np.float32)[1]), int(final[2])) == (64 * 63 // 2, 32.0, 63)


EXCHANGE = """ds_write_b32 v0, v1
{barrier}
v_xor_b32 v2, 0x100, v0
ds_read_b32 v3, v2"""
# name, text, registers, options of the run, what makes it correct, words of the message
BROKEN: list[Any] = [
    ("load past the end", "global_load_dword v1, v0, s[60:61] offset:4", {0: OFFSET4},
     {"buffers": [np.zeros(64, U32)]}, ("offset:4", "offset:0"), ["lane 63", "0 bytes past the end of buffer 0"]),
    ("load before the start", "global_load_dword v1, v0, s[60:61] offset:-4", {0: OFFSET4},
     {"buffers": [np.zeros(64, U32)]}, ("offset:-4", "offset:0"), ["lane 0", "4 bytes before buffer 0"]),
    ("wide store past the end", "global_store_dwordx4 v0, v[4:7], s[60:61]",
     {0: OFFSET4, **dict.fromkeys(range(4, 8), OFFSET4)}, {"buffers": [np.zeros(64, U32)]},
     ("x4 v0, v[4:7]", " v0, v4"), ["lane 61", "16-byte store"]),
    ("scalar load", "s_load_dword s4, s[60:61], 0x100", {}, {"buffers": [np.zeros(64, U32)]}, ("0x100", "0xfc"),
     ["scalar load", "0 bytes past the end"]),
    ("misaligned atomic", "global_atomic_add v0, v0, s[60:61] offset:2", {0: OFFSET4},
     {"buffers": [np.zeros(80, U32)]}, ("offset:2", "offset:4"), ["not 4-byte aligned"]),
    ("LDS out of bounds", "ds_write_b64 v0, v[4:5] offset:8", {0: (LANE * 8).astype(U32), 4: OFFSET4, 5: OFFSET4},
     {"lds_bytes": 512}, ("offset:8", "offset:0"), ["LDS byte 512", "lane 63", "512 bytes"]),
    ("LDS misaligned", "ds_write_b32 v0, v0 offset:2", {0: OFFSET4}, {"lds_bytes": 512}, ("offset:2", "offset:4"),
     ["LDS access at byte 2 ", "not 4-byte aligned"]),
    ("LDS not written", "ds_write_b32 v0, v0\nds_read_b32 v1, v0 offset:4", {0: OFFSET4}, {"lds_bytes": 512},
     ("offset:4", "offset:0"), ["LDS byte 256", "nothing has written", "lane 63"]),
    ("LDS race, read after write", EXCHANGE.format(barrier="s_nop 0"), {},
     {"lds_bytes": 512, "waves": 2, "workgroups": 3},
     ("s_nop 0", "s_barrier"), ["LDS race", "wave 1 wrote"]),
    ("LDS race, write after read",
     EXCHANGE.format(barrier="s_barrier") + "\ns_nop 0\nds_write_b32 v0, v3\ns_barrier\nds_read_b32 v3, v2", {},
     {"lds_bytes": 512, "waves": 2, "workgroups": 3}, ("s_nop 0", "s_barrier"), ["LDS race", "wave 1 read"]),
    ("LDS race, two writers", "v_and_b32 v4, 0xff, v0\ns_cmp_eq_u32 s59, 1\ns_cbranch_scc1 .Lend\n"
     "ds_write_b32 v4, v0\n.Lend:\ns_nop 0", {}, {"lds_bytes": 512, "waves": 3}, ("0xff", "0x3ff"),
     ["LDS race", "write to", "wave 0 wrote"]),
    ("barrier, a wave has ended", "s_cmp_eq_u32 s59, 3\ns_cbranch_scc1 .Lend\ns_barrier\n.Lend:\ns_nop 0", {},
     {"waves": 2, "workgroups": 3}, ("s59, 3", "s59, 6"),
     ["divergent barrier", "wave 1 of the workgroup has ended", "workgroup (1, 0, 0) wave 0"]),
    ("barriers at two places",
     "s_cmp_eq_u32 s59, 4\ns_cbranch_scc1 .La\ns_barrier\ns_branch .Lb\n.La:\ns_barrier\n.Lb:\ns_nop 0", {},
     {"waves": 2, "workgroups": 3}, ("s59, 4", "s59, 6"),
     ["divergent barrier", "wave 0 of the workgroup waits at another, at 0x10", "workgroup (2, 0, 0) wave 1"]),
    ("vector register", "v_add_u32 v1, v2, v0", {0: OFFSET4}, {}, ("v2", "v0"), ["reads v2", "nothing has written"]),
    ("high half of a sum", "v_mad_u64_u32 v[2:3], s[4:5], v0, v0, v[6:7]\nv_add_u32 v1, v3, v0",
     {0: OFFSET4, 6: OFFSET4}, {}, ("v1, v3", "v1, v2"), ["reads v3", "nothing has written"]),
    ("lane mask", "s_andn2_b64 s[4:5], s[6:7], vcc", {}, {}, ("vcc", "exec"), ["reads s6", "nothing has written"]),
    ("scalar register", "s_add_u32 s4, s5, 1", {}, {}, ("s5", "s59"), ["reads s5"]),
    ("scratch not written", "s_mov_b64 exec, 0xffff\nscratch_store_dwordx2 off, v[0:1], off offset:8\n"
     "s_mov_b64 exec, s[4:5]\nscratch_load_dword v2, off, off offset:12", {0: OFFSET4, 1: OFFSET4},
     {"scratch_bytes": 16, "s": {4: 0x1FFFF, 5: 0}}, ("s[4:5]", "0xfff0"),
     ["load of scratch byte 12, which nothing has written", "lane 16"]),
    ("scratch", "scratch_store_dword off, v0, off offset:16", {0: OFFSET4}, {"scratch_bytes": 16},
     ("offset:16", "offset:12"), ["scratch access at byte 16", "16 bytes a lane"]),
]  # fmt: skip


@pytest.mark.parametrize("case", BROKEN, ids=[case[0] for case in BROKEN])
def test_checks(case: Any) -> None:
    _, text, v, options, (wrong, right), words = case
    if "waves" in options:
        # Each wave starts at its own place of LDS.
        count = options["waves"] * options.get("workgroups", 1)
        place = (np.arange(count)[:, None] % options["waves"] * 256 + OFFSET4).astype(U32)
        v = {0: place, 1: place}
        options = {**options, "lds_bytes": 256 * options["waves"]}
    with pytest.raises(EmulationError) as caught:
        run_assembly(text, v, checks=True, **options)
    for word in ["kernel test", "0x", *words]:
        assert word in str(caught.value), str(caught.value)
    assert text.count(wrong) == 1
    run_assembly(text.replace(wrong, right), v, checks=True, **options)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("v_frobnicate_b32 v0, v1", "unknown"),
        ("v_add_f32 v0, v1", "operands"),
        ("v_mfma_f32_16x16x16_f16 v[0:3], v[4:5], v[6:7], v[0:3] cbsz:1", "cbsz:1"),
        ("v_add_u32 v0, v1, v2 mul:2", "mul:2"),
        ("global_load_dwordx4 v[0:1], v2, s[0:1]", "expected 4 registers"),
        ("s_cbranch_scc1 .Lnowhere", ".Lnowhere"),
        ("v_mov_b32_dpp v0, v1 row_mask:0xf", "DPP"),
        ("s_setreg_imm32_b32 hwreg(HW_REG_TRAPSTS), 1", "MODE"),
    ],
)
def test_lines_that_cannot_be_decoded(line: str, words: str) -> None:
    with pytest.raises(EmulationError) as caught:
        run_assembly(line)
    assert words in str(caught.value)
    assert "kernel test, 0x0" in str(caught.value)
    assert line in str(caught.value)


def test_moves_may_carry_half_a_pair() -> None:
    """A copy of a pair with one undefined half is no use; using that half afterwards is."""
    text = "v_mov_b64_e32 v[2:3], v[0:1]\nv_add_u32 v4, v2, v2\ns_mov_b64 s[2:3], s[58:59]\ns_add_u32 s4, s3, s3"
    run_assembly(text, {0: OFFSET4}, checks=True)
    for line, name in (("v_add_u32 v4, v3, v3", "v3"), ("s_add_u32 s4, s2, s2", "s2")):
        with pytest.raises(EmulationError, match=f"reads {name}"):
            run_assembly(f"{text}\n{line}", {0: OFFSET4}, checks=True)


@pytest.mark.parametrize(
    ("stride", "width", "cycles"), [(4, 32, 0), (8, 32, 2), (128, 32, 62), (16, 128, 0), (0, 32, 0)]
)
def test_bank_conflicts_are_counted(stride: int, width: int, cycles: int) -> None:
    """64 lanes in two services of 32 words: a stride of two words uses half of the banks, one of 32 words one bank."""
    data = "v[4:7]" if width == 128 else "v4"
    v = {0: (LANE * stride).astype(U32), **dict.fromkeys(range(4, 8), OFFSET4)}
    r = run_assembly(f"ds_write_b{width} v0, {data}", v, lds_bytes=16384, workgroups=3, checks=True)
    assert r.machine.statistics.lds_bank_conflict_cycles == 3 * cycles


def test_a_full_memo_forgets_but_checks_on(monkeypatch: Any) -> None:
    monkeypatch.setattr("fovea.emulator.checks._MEMO_BYTES", 2000)
    place = (np.arange(6)[:, None] % 2 * 256 + OFFSET4).astype(U32)
    loop = "s_mov_b32 s0, 0\n.Lloop:\n{}\n{}\ns_add_u32 s0, s0, 1\ns_cmp_lt_u32 s0, 5\ns_cbranch_scc1 .Lloop"
    body = EXCHANGE.format(barrier="s_barrier")
    options: Any = {"v": {0: place, 1: place}, "lds_bytes": 512, "waves": 2, "workgroups": 3, "checks": True}
    run_assembly(loop.format(body, "s_barrier"), **options)
    with pytest.raises(EmulationError, match="LDS race"):
        run_assembly(loop.format(body, "s_nop 0"), **options)


def test_loads_straight_to_lds() -> None:
    data = np.arange(64, dtype=U32) * U32(0x01020304)
    r = run_assembly(
        """s_mov_b32 m0, 0x100
        global_load_lds_dword v0, s[60:61]
        s_mov_b32 m0, 0x200
        global_load_lds_sbyte v0, s[60:61]
        ds_read_b32 v1, v0 offset:256
        ds_read_b32 v3, v0 offset:512""",
        {0: OFFSET4}, lds_bytes=1024, buffers=[data], checks=True,
    )  # fmt: skip
    np.testing.assert_array_equal(r.v(1), data)
    np.testing.assert_array_equal(r.v(3, np.int32), data.astype(np.int8))
    with pytest.raises(EmulationError, match="reads m0"):
        run_assembly("global_load_lds_dword v0, s[60:61]", {0: OFFSET4}, lds_bytes=1024, buffers=[data], checks=True)
    with pytest.raises(EmulationError, match="LDS byte 1024 is out of bounds"):
        run_assembly(
            "s_mov_b32 m0, 0x304\nglobal_load_lds_dword v0, s[60:61]", {0: OFFSET4}, lds_bytes=1024, buffers=[data]
        )
