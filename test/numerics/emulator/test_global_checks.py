# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Races between workgroups and reads of unwritten global memory: programs that break a rule, and correct twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from assembly_runner import run_assembly
from kernels import compile_kernel

from fovea.emulator import EmulationError, emulate
from fovea.emulator.sharing import Contested

U32 = np.uint32
OFFSET4 = (np.arange(64) * 4).astype(U32)
SHIFT = """module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @shift(%x: memref<4096xf32>, %y: memref<4096xf32>, %by: i32)
        kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
      %t = gpu.thread_id x
      %b = gpu.block_id x
      %c64 = arith.constant 64 : index
      %one = arith.constant 1.0 : f32
      %s = arith.muli %b, %c64 : index
      %i = arith.addi %s, %t : index
      %d = arith.index_cast %by : i32 to index
      %j = arith.addi %i, %d : index
      %v = memref.load %x[%j] : memref<4096xf32>
      %w = arith.addf %v, %one : f32
      memref.store %w, %y[%i] : memref<4096xf32>
      gpu.return
    }
  }
}"""
# Lane and workgroup of v0: byte offset 4 * lane + 256 * workgroup, so each workgroup has its own part of s[60:61].
STORE = "global_store_dword v0, v0, s[60:61]"
RACES: list[Any] = [
    ("two writers", f"v_and_b32 v0, 0xff, v0\n{STORE}", ("0xff", "0x3ff"), {}, ["store to", "wrote"]),
    ("two writers, later", f"{STORE}\nv_add_u32 v0, 0x100, v0\ns_cmp_eq_u32 s59, 2\ns_cbranch_scc0 .La\n{STORE}\n.La:\n"
     "s_nop 0", ("0x100", "0x200"), {}, ["workgroup (2, 0, 0)", "0x", "buffer 0"]),
    ("read of another's", f"{STORE}\nglobal_load_dword v1, v0, s[60:61] offset:256", ("offset:256", "offset:0"), {},
     ["load from", "workgroup (1, 0, 0) wrote", "byte 256 of buffer 0"]),
    ("overwrite of what another read", f"global_load_dword v1, v0, s[60:61] offset:4\n{STORE}",
     ("offset:4", "offset:0"), {}, ["store to", "workgroup (0, 0, 0) read", "workgroup (1, 0, 0) wave 0"]),
    ("scalar load", f"s_lshl_b32 s4, s59, 8\ns_add_u32 s4, s4, 0x100\ns_load_dword s5, s[60:61], s4\n{STORE}",
     ("s4, 0x100", "s4, 0x0"), {}, ["store to", "read"]),
    ("atomic and store", f"v_and_b32 v1, 0xff, v0\nglobal_atomic_add v1, v0, s[60:61]\n{STORE.replace('v0', 'v1', 1)}",
     ("global_store_dword v1", "global_atomic_add v1"), {}, ["changed atomically"]),
    ("bytes", "v_lshrrev_b32 v1, 2, v0\nglobal_store_byte v1, v0, s[60:61]\nglobal_load_ushort v2, v1, s[60:61]",
     ("load_ushort", "load_ubyte"), {}, ["2-byte load", "byte 63 of"]),
    ("straddling", "v_lshrrev_b32 v1, 1, v0\nglobal_store_short v1, v0, s[60:61]\n"
     "global_store_short v1, v0, s[60:61] offset:1", ("offset:1", "offset:0"), {}, ["byte 127 of", "lane 63"]),
]  # fmt: skip


@pytest.mark.parametrize("case", RACES, ids=[case[0] for case in RACES])
def test_races_between_workgroups(case: Any) -> None:
    _, text, (wrong, right), options, words = case
    place = (np.arange(4)[:, None] * 256 + OFFSET4).astype(U32)
    assert text.count(wrong) == 1
    run_assembly(text.replace(wrong, right), {0: place}, workgroups=4, checks=True, shared=True,
                 buffers=[np.zeros(2048, U32)], **options)  # fmt: skip
    with pytest.raises(EmulationError) as caught:
        run_assembly(text, {0: place}, workgroups=4, checks=True, shared=True, buffers=[np.zeros(2048, U32)], **options)
    for word in ["kernel test", "0x", "global race", *words]:
        assert word in str(caught.value), str(caught.value)


def test_buffers_that_overlap_are_one_memory() -> None:
    memory = np.zeros(2048, U32)
    place = (np.arange(2)[:, None] * 256 + OFFSET4).astype(U32)
    text = f"{STORE}\nglobal_load_dword v1, v0, s[62:63]"
    run_assembly(text, {0: place}, workgroups=2, checks=True, shared=True, buffers=[memory, memory[1000:]])
    with pytest.raises(EmulationError, match="global race"):
        run_assembly(text, {0: place}, workgroups=2, checks=True, shared=True, buffers=[memory, memory[64:]])


def test_launches_in_place_are_run_again_from_their_first_state() -> None:
    """Loads of a buffer that is stored to are recorded in a second run, which must not see the first one's stores."""
    code = compile_kernel(SHIFT)[0]
    given = np.arange(4096, dtype=np.float32)
    x = given.copy()
    for count in (1, 2):
        marks = np.full(x.nbytes, 255, np.uint8)
        emulate(code, grid=(64,), args=[x, x, np.int32(0)], uninitialised={1: marks})
        np.testing.assert_array_equal(x, given + np.float32(count))
    with pytest.raises(EmulationError, match="global race"):
        emulate(code, grid=(63,), args=[x, x, np.int32(64)])
    y = np.zeros_like(x)
    emulate(code, grid=(63,), args=[x, y, np.int32(64)])
    np.testing.assert_array_equal(y[:-64], x[64:] + np.float32(1))
    assert issubclass(Contested, Exception)


def test_memory_that_starts_between_granules() -> None:
    """The recorder's granules do not meet the stores, so the launch is run again with finer ones."""
    x, marks = np.arange(4096, dtype=np.float32), np.zeros(4 * 4096, np.uint8)
    y = np.zeros(4 * 4096 + 1, np.uint8)[1:]
    emulate(compile_kernel(SHIFT)[0], grid=(64,), args=[x, y, np.int32(0)], uninitialised={1: marks})
    np.testing.assert_array_equal(y.view(np.float32), x + np.float32(1))
    assert marks.all()


def test_uninitialised_buffers() -> None:
    code = compile_kernel(SHIFT)[0]
    x, y = np.ones(4096, np.float32), np.zeros(4096, np.float32)
    emulate(code, grid=(64,), args=[x, y, np.int32(0)], uninitialised=[1])
    with pytest.raises(EmulationError) as caught:
        emulate(code, grid=(64,), args=[x, y, np.int32(0)], uninitialised=[0, 1])
    for word in ("kernel shift", "workgroup (0, 0, 0) wave 0", "lane 0", "byte 0 of argument 0", "nothing has written"):
        assert word in str(caught.value)
    # One launch writes half of the buffer, the next may read that half alone.
    marks = np.zeros(y.nbytes, np.uint8)
    emulate(code, grid=(32,), args=[x, y, np.int32(0)], uninitialised={1: marks})
    assert marks[: y.nbytes // 2].all() and not marks[y.nbytes // 2 :].any()
    z = np.zeros_like(y)
    emulate(code, grid=(32,), args=[y, z, np.int32(0)], uninitialised={0: marks})
    np.testing.assert_array_equal(z[:2048], 3)
    with pytest.raises(EmulationError, match=r"workgroup .31, 0, 0. wave 0, lane 63.*reads byte 8192 of argument 0"):
        emulate(code, grid=(32,), args=[y, z, np.int32(1)], uninitialised={0: marks})


@pytest.mark.parametrize(
    ("uninitialised", "words"),
    [([2], "argument 2 is not a buffer"), ({1: np.zeros(8, np.uint8)}, "expected uint8 of shape .16384,."),
     ({1: np.zeros(4096, np.uint32)}, "found uint32")],
)  # fmt: skip
def test_marks_that_do_not_fit(uninitialised: Any, words: str) -> None:
    x = np.ones(4096, np.float32)
    with pytest.raises(EmulationError, match=words):
        emulate(compile_kernel(SHIFT)[0], grid=(64,), args=[x, x.copy(), np.int32(0)], uninitialised=uninitialised)


@pytest.mark.parametrize(
    ("line", "words"),
    [("global_load_ubyte v1, v0, s[60:61]", "1-byte load"), ("s_load_dwordx2 s[4:5], s[60:61], 0x0", "8-byte load"),
     ("global_load_dwordx4 v[4:7], v0, s[60:61]", "16-byte load"),
     ("global_atomic_add v0, v0, s[60:61]", "4-byte load")],
)  # fmt: skip
def test_every_kind_of_load_reads_written_bytes(line: str, words: str) -> None:
    """Lane 5's first dword is the first one that is not written."""
    marks = np.full(2048, 255, np.uint8)
    run_assembly(line, {0: OFFSET4}, checks=True, buffers=[np.zeros(512, U32)], written=marks)
    first = 4 if "s_load" in line else 20
    marks[first:] = 0
    with pytest.raises(EmulationError, match=f"{words}.*reads byte {first} of buffer 0"):
        run_assembly(line, {0: OFFSET4}, checks=True, buffers=[np.zeros(512, U32)], written=marks)
