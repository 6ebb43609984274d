# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Counts of memory traffic against small kernels counted by hand, and against sets of addresses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from assembly_runner import run_assembly
from kernels import compile_kernel, contraction

from fovea.emulator import Statistics, emulate

U32 = np.uint32
LANE = np.arange(64)
COPY = """module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @copy(%x: memref<4096xf32>, %y: memref<4096xf32>)
        kernel attributes {known_block_size = array<i32: 256, 1, 1>} {
      %t = gpu.thread_id x
      %b = gpu.block_id x
      %c256 = arith.constant 256 : index
      %s = arith.muli %b, %c256 : index
      %i = arith.addi %s, %t : index
      %v = memref.load %x[%i] : memref<4096xf32>
      memref.store %v, %y[%i] : memref<4096xf32>
      gpu.return
    }
  }
}"""


def count(text: str, offsets: Any, buffers: list[Any], **options: Any) -> Statistics:
    """Statistics of lines that address with v0; the first buffer is at s[60:61], the second at s[62:63]."""
    result = run_assembly(text, {0: np.asarray(offsets).astype(U32), 1: np.zeros(64, U32), 2: np.zeros(64, U32),
                                 3: np.zeros(64, U32), 4: np.zeros(64, U32)},
                          buffers=buffers, profile=True, **options)  # fmt: skip
    statistics: Statistics = result.machine.statistics
    return statistics


def lines(s: Statistics) -> tuple[int, int, int, int]:
    return s.lines_64, s.lines_64_least, s.lines_128, s.lines_128_least


def test_a_compiled_copy() -> None:
    """4096 f32 in 16 workgroups of 4 waves: each wave reads and writes 256 bytes in 4 lines of 64, or 2 of 128."""
    x, y = np.arange(4096, dtype=np.float32), np.zeros(4096, np.float32)
    s = emulate(compile_kernel(COPY)[0], "copy", (16,), (256,), [x, y], profile=True)
    np.testing.assert_array_equal(x, y)
    assert (s.waves, s.global_requests) == (64, 128)
    assert (s.global_bytes_read, s.global_bytes_written) == (16384, 16384)
    assert (s.unique_bytes_read, s.unique_bytes_written) == (16384, 16384)
    assert lines(s) == (512, 512, 256, 256)
    assert s.classes["vmem"] == 128
    assert s.idle_lanes == 0
    # Two pointers, of each wave.
    assert s.scalar_bytes_read == 64 * 16


def test_only_profiles_pay() -> None:
    x, y = np.arange(4096, dtype=np.float32), np.zeros(4096, np.float32)
    s = emulate(compile_kernel(COPY)[0], "copy", (16,), (256,), [x, y])
    assert (s.global_requests, s.unique_bytes_read, s.scalar_bytes_read, *lines(s)) == (0,) * 7


@pytest.mark.parametrize(
    ("load", "offsets", "expected"),
    [
        ("dword", LANE * 4, (4, 4, 2, 2)),
        ("dwordx4", LANE * 16, (16, 16, 8, 8)),
        ("ubyte", LANE, (1, 1, 1, 1)),
        # One value for all lanes.
        ("dword", LANE * 0 + 64, (1, 1, 1, 1)),
        # A line each, for 256 bytes.
        ("dword", LANE * 128, (64, 4, 64, 2)),
        # 256 bytes from byte 4 on touch one line more.
        ("dword", LANE * 4 + 4, (5, 4, 3, 2)),
        # An item across a line's end is in both.
        ("dwordx4", LANE * 0 + 120, (2, 1, 2, 1)),
        # The other way round, and every second dword.
        ("dword", (63 - LANE) * 4, (4, 4, 2, 2)),
        ("dword", LANE * 8, (8, 4, 4, 2)),
        # Items that overlap need no more than the lines they touch.
        ("dwordx4", LANE * 4, (5, 5, 3, 3)),
    ],
)
def test_lines_of_one_request(load: str, offsets: Any, expected: tuple[int, ...]) -> None:
    register = "v[4:7]" if load == "dwordx4" else "v4"
    s = count(f"global_load_{load} {register}, v0, s[60:61]", offsets, [np.zeros(1 << 14, np.uint8)])
    assert s.global_requests == 1
    assert lines(s) == expected


def test_lanes_that_are_off() -> None:
    """Half the lanes: half the lines; they count as idle for the load and the move, not for scalar instructions."""
    s = count("global_load_dword v4, v0, s[60:61]\nv_mov_b32 v5, v0\ns_nop 0", LANE * 4, [np.zeros(256, np.uint8)],
              exec_mask=0xFFFF_FFFF)  # fmt: skip
    assert lines(s) == (2, 2, 1, 1)
    assert (s.idle_lanes, s.unique_bytes_read) == (64, 128)


def test_distinct_bytes() -> None:
    """Two waves read the same 256 bytes twice, and write 2 bytes out of 4 in one place."""
    source, target = np.zeros(1024, np.uint8), np.zeros(1024, np.uint8)
    text = "global_load_dword v4, v0, s[60:61]\n" * 2 + "global_store_short v0, v1, s[62:63]"
    s = count(text, LANE * 4, [source, target], waves=2)
    assert (s.global_bytes_read, s.unique_bytes_read) == (4 * 256, 256)
    assert (s.global_bytes_written, s.unique_bytes_written) == (2 * 128, 128)
    assert s.global_requests == 6


def test_views_of_one_allocation_are_counted_once() -> None:
    """Of 64 bytes shared by two buffers, 32 are read through both."""
    memory = np.zeros(512, np.uint8)
    text = "global_load_dword v4, v0, s[60:61]\nglobal_load_dword v4, v0, s[62:63]"
    s = count(text, LANE % 16 * 4, [memory[:256], memory[32:]])
    assert s.unique_bytes_read == 64 + 64 - 32


def test_scalar_loads() -> None:
    """Three waves load the same 16 bytes, one of which is loaded by a vector instruction too."""
    data = np.zeros(64, np.uint8)
    text = "s_load_dwordx4 s[4:7], s[60:61], 0x10\nglobal_load_ubyte v4, v0, s[60:61]"
    s = count(text, LANE * 0 + 16, [data], waves=3)
    assert (s.scalar_bytes_read, s.unique_bytes_read) == (48, 16)


def test_atomics_read_and_write() -> None:
    s = count("global_atomic_add v0, v1, s[60:61]", LANE * 4, [np.zeros(64, U32)])
    assert (s.unique_bytes_read, s.unique_bytes_written, s.global_requests, s.lines_128) == (256, 256, 1, 2)


def test_buffer_loads_count_lanes_in_range() -> None:
    """A descriptor of 128 bytes: 32 of the 64 lanes are in range."""
    text = """s_mov_b64 s[4:5], s[60:61]
        s_mov_b32 s6, 0x80
        s_mov_b32 s7, 0x27000
        buffer_load_dword v1, v0, s[4:7], 0 offen"""
    s = count(text, LANE * 4, [np.zeros(64, U32)])
    assert (s.unique_bytes_read, s.global_requests, *lines(s)) == (128, 1, 2, 2, 1, 1)


def test_loads_straight_to_lds() -> None:
    s = count("s_mov_b32 m0, 0\nglobal_load_lds_dword v0, s[60:61]", LANE * 4, [np.zeros(64, U32)], lds_bytes=256)
    assert (s.unique_bytes_read, s.global_requests, s.lines_64) == (256, 1, 4)


@pytest.mark.parametrize(("action", "width"), [("ubyte", 1), ("ushort", 2), ("dword", 4), ("dwordx2", 8),
                                               ("dwordx3", 12), ("dwordx4", 16)])  # fmt: skip
def test_random_addresses_against_sets(action: str, width: int) -> None:
    """Each wave with addresses of its own; three loads, so that what an instruction remembers is met and missed."""
    rng = np.random.default_rng(width)
    unit = min(width, 4)
    for exec_mask in (2**64 - 1, int(rng.integers(1, 2**63))):
        offsets = rng.integers(0, 4096 // unit - 4, (3, 64)) * unit
        offsets[2] = offsets[1] + 256
        words = max(width // 4, 1)
        register = "v4" if words == 1 else f"v[4:{3 + words}]"
        s = count(f"global_load_{action} {register}, v0, s[60:61]\n" * 2, offsets, [np.zeros(8192, np.uint8)],
                  waves=3, exec_mask=exec_mask)  # fmt: skip
        on = np.array([exec_mask >> lane & 1 for lane in range(64)], bool)
        touched = [{int(o) + i for o in row[on] for i in range(width)} for row in offsets]
        assert s.unique_bytes_read == len(set().union(*touched))
        assert s.global_requests == 6
        assert s.idle_lanes == 6 * int((~on).sum())
        for size, found in ((64, s.lines_64), (128, s.lines_128)):
            assert found == 2 * sum(len({byte // size for byte in wave}) for wave in touched)
        for size, found in ((64, s.lines_64_least), (128, s.lines_128_least)):
            wanted = 0
            for row, wave in zip(offsets, touched, strict=True):
                items = -(-len(np.unique(row[on])) * width // size)
                wanted += 2 * min(items, len({byte // size for byte in wave}))
            assert found == wanted


@pytest.mark.parametrize(("stride", "cycles"), [(4, 0), (8, 2), (16, 6), (128, 62)])
def test_bank_conflicts(stride: int, cycles: int) -> None:
    """32 lanes are served at once by 32 banks of 4 bytes. At a stride of 8 two lanes share each bank that is used:
    one cycle more for each half of the wave; at 16 four do, at 128 all 32."""
    result = run_assembly("ds_write_b32 v0, v1", {0: (LANE * stride).astype(U32), 1: LANE.astype(U32)},
                          lds_bytes=64 * stride, checks=True)  # fmt: skip
    assert result.machine.statistics.lds_bank_conflict_cycles == cycles


def test_a_contraction() -> None:
    """128 x 192 x 320 in 64 x 64 tiles: A is asked for once a column of tiles and has to be read once."""
    m, n, k = 128, 192, 320
    a, b = (np.zeros((rows, k), np.float16) for rows in (m, n))
    c = np.zeros((m, n), np.float32)
    code, _ = compile_kernel(contraction(m, n, k, "f16", 32))
    s = emulate(code, None, (n // 64, m // 64), (256,), [a, b, c], profile=True)
    assert s.matrix == {"v_mfma_f32_16x16x16_f16": m * n * k // 16**3}
    assert s.global_bytes_read == 2 * (m * k * (n // 64) + n * k * (m // 64))
    assert (s.unique_bytes_read, s.unique_bytes_written) == (a.nbytes + b.nbytes, c.nbytes)
    # A barrier before and after each of the k / 32 rounds' tiles, for each of 6 workgroups of 4 waves.
    assert s.classes["barrier"] == k // 32 * 2 * 24
