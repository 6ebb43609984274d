# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The waits and wait states that LLVM puts into a kernel meet the emulator's rules: each one left out is an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from kernels import TILES, compile_kernel, contraction

from fovea.emulator import EmulationError, emulate

SIZE = 64
# Transcendentals, divisions, lane permutations, LDS between waves, a loop whose lanes diverge, f64.
MIXED = """module attributes {gpu.container_module} {
  gpu.module @kernels {
    memref.global "private" @tile : memref<128xf32, #gpu.address_space<workgroup>>
    gpu.func @mixed(%x: memref<2x128xf32>, %n: memref<2x128xi32>, %y: memref<2x128xf32>)
        kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
      %c0 = arith.constant 0 : i32
      %c1 = arith.constant 1 : i32
      %c3 = arith.constant 3 : i32
      %last = arith.constant 127 : index
      %limit = arith.constant 6 : i32
      %width = arith.constant 32 : i32
      %one = arith.constant 1.0 : f32
      %t = gpu.thread_id x
      %row = gpu.block_id x
      %tile = memref.get_global @tile : memref<128xf32, #gpu.address_space<workgroup>>
      %value = memref.load %x[%row, %t] : memref<2x128xf32>
      %start = memref.load %n[%row, %t] : memref<2x128xi32>
      %e = rocdl.exp2 %value f32 -> f32
      %s = arith.addf %e, %one : f32
      %r = llvm.intr.sqrt(%s) : (f32) -> f32
      %q = arith.divf %r, %s : f32
      %m, %p = gpu.shuffle xor %q, %c1, %width : f32
      %both = arith.addf %m, %q : f32
      memref.store %both, %tile[%t] : memref<128xf32, #gpu.address_space<workgroup>>
      gpu.barrier
      %u = arith.subi %last, %t : index
      %other = memref.load %tile[%u] : memref<128xf32, #gpu.address_space<workgroup>>
      %steps:2 = scf.while (%v = %start, %count = %c0) : (i32, i32) -> (i32, i32) {
        %more = arith.cmpi ne, %v, %c1 : i32
        %few = arith.cmpi slt, %count, %limit : i32
        %go = arith.andi %more, %few : i1
        scf.condition(%go) %v, %count : i32, i32
      } do {
      ^bb0(%v: i32, %count: i32):
        %bit = arith.andi %v, %c1 : i32
        %odd = arith.cmpi eq, %bit, %c1 : i32
        %next = scf.if %odd -> (i32) {
          %triple = arith.muli %v, %c3 : i32
          %up = arith.addi %triple, %c1 : i32
          scf.yield %up : i32
        } else {
          %down = arith.divui %v, %c3 : i32
          scf.yield %down : i32
        }
        %counted = arith.addi %count, %c1 : i32
        scf.yield %next, %counted : i32, i32
      }
      %f = arith.sitofp %steps#1 : i32 to f32
      %g = arith.addf %f, %other : f32
      %wide = arith.extf %g : f32 to f64
      %inverse = arith.divf %wide, %wide : f64
      %h = arith.truncf %inverse : f64 to f32
      %k = arith.addf %g, %h : f32
      memref.store %k, %y[%row, %t] : memref<2x128xf32>
      gpu.return
    }
  }
}"""
CASES = [
    ("gfx942", "f8E4M3FNUZ"), ("gfx950", "f8E4M3FN"), ("gfx1100", "f16"), ("gfx1201", "f8E4M3FN"),
    *((chip, "mixed") for chip in TILES if chip != "gfx1200"),
]  # fmt: skip


def product(chip: str, kind: str) -> tuple[str, Callable[[list[str]], None]]:
    """Assembly of a product of matrices, and its check by numbers that are exact."""
    step = 16 if kind == "f16" else 64
    depth = 3 * step
    code, text = compile_kernel(contraction(SIZE, SIZE, depth, kind, step, chip), chip)
    rng = np.random.default_rng(5)
    a, b = (rng.integers(-2, 3, (SIZE, depth)) for _ in range(2))
    # -2, -1, 0, 1, 2 as codes of each format.
    codes = {"f16": np.float16([-2, -1, 0, 1, 2]).view(np.uint16), "f8E4M3FN": np.uint8([0xC0, 0xB8, 0, 0x38, 0x40]),
             "f8E4M3FNUZ": np.uint8([0xC8, 0xC0, 0, 0x40, 0x48])}[kind]  # fmt: skip

    def run(lines: list[str]) -> None:
        c = np.zeros((SIZE, SIZE), np.float32)
        args = [codes[a + 2], codes[b + 2], c]
        emulate(code, block=(4 * TILES[chip][kind].lanes,), args=args, assembly="\n".join(lines))
        np.testing.assert_array_equal(c, a @ b.T)

    return text, run


def mixture(chip: str) -> tuple[str, Callable[[list[str]], None]]:
    code, text = compile_kernel(MIXED, chip)
    x, n = np.ones((2, 128), np.float32), np.arange(2, 258, dtype=np.int32).reshape(2, 128)

    def run(lines: list[str]) -> None:
        emulate(code, grid=(2,), block=(128,), args=[x, n, np.zeros_like(x)], assembly="\n".join(lines))

    return text, run


def is_wait(line: str) -> bool:
    word = (line.split() or [""])[0]
    return word in ("s_nop", "v_nop") or word.startswith("s_wait")


@pytest.mark.parametrize(("chip", "kind"), CASES)
def test_what_the_compiler_inserts_is_needed_and_enough(chip: str, kind: str) -> None:
    text, run = mixture(chip) if kind == "mixed" else product(chip, kind)
    lines = text.splitlines()
    run(lines)
    places = [i for i, line in enumerate(lines) if is_wait(line)]
    assert len(places) >= 8
    unnoticed: list[Any] = []
    for place in places:
        try:
            run(lines[:place] + lines[place + 1 :])
        except EmulationError:
            continue
        unnoticed.append(lines[place].strip())
    # A compiler may wait for what only another path than those taken brings.
    assert len(unnoticed) <= len(places) // 10, unnoticed
