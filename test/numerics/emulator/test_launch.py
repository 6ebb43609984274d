# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiled kernels through `emulate`: values, arguments, slices of a grid, statistics, errors."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from kernels import compile_kernel, contraction

from fovea.codeobject import read_code_object
from fovea.emulator import EmulationError, emulate
from fovea.errors import InputError

RNG = np.random.default_rng(11)
ELEMENTWISE = """module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @scale(%x: memref<?xf32>, %y: memref<?xf32>, %n: i32, %factor: f32, %width: i32)
        kernel attributes {known_block_size = array<i32: 64, 2, 1>} {
      %tx = gpu.thread_id x
      %ty = gpu.thread_id y
      %bx = gpu.block_id x
      %by = gpu.block_id y
      %gx = arith.index_cast %width : i32 to index
      %c64 = arith.constant 64 : index
      %c2 = arith.constant 2 : index
      %b = arith.muli %by, %gx : index
      %block = arith.addi %b, %bx : index
      %r = arith.muli %block, %c2 : index
      %row = arith.addi %r, %ty : index
      %s = arith.muli %row, %c64 : index
      %i = arith.addi %s, %tx : index
      %i32 = arith.index_cast %i : index to i32
      %inside = arith.cmpi slt, %i32, %n : i32
      scf.if %inside {
        %v = memref.load %x[%i] : memref<?xf32>
        %q = arith.divf %v, %factor : f32
        memref.store %q, %y[%i] : memref<?xf32>
      }
      gpu.return
    }
  }
}"""


# Bare pointers need static shapes, so the length is an argument of its own.
def elementwise() -> bytes:
    return compile_kernel(ELEMENTWISE.replace("?xf32", "1048576xf32"))[0]


def numbers(length: int, factor: float, width: int) -> list[Any]:
    """The kernel's scalars: elements, divisor, workgroups in a row of the grid."""
    return [np.int32(length), np.float32(factor), np.int32(width)]


@pytest.mark.parametrize(
    ("kind", "dtype", "step"), [("f8E4M3FNUZ", ml_dtypes.float8_e4m3fnuz, 64), ("f16", np.float16, 32)]
)
@pytest.mark.parametrize("shape", [(64, 64, 64), (128, 192, 320)])
def test_contraction(kind: str, dtype: Any, step: int, shape: tuple[int, int, int]) -> None:
    m, n, k = shape
    code, assembly = compile_kernel(contraction(m, n, k, kind, step))
    a, b = RNG.standard_normal((m, k)).astype(dtype), RNG.standard_normal((n, k)).astype(dtype)
    exact = a.astype(np.float64) @ b.astype(np.float64).T
    for text in (None, assembly):
        c = np.full((m, n), np.nan, np.float32)
        statistics = emulate(code, "contraction", (n // 64, m // 64), (256,), [a, b, c], assembly=text)
        # Products are exact in f32; at most k additions round, each by half a unit of sums below 128.
        assert np.abs(c - exact).max() <= k * 64 * 2.0**-24
        inner = 32 if kind != "f16" else 16
        assert sum(statistics.matrix.values()) == m * n * k // (16 * 16 * inner)
        assert statistics.waves == m * n // 64 // 64 * 4
        assert statistics.global_bytes_written == m * n * 4
        assert statistics.global_bytes_read == (m * k * (n // 64) + n * k * (m // 64)) * a.itemsize
        assert sum(statistics.classes.values()) == statistics.total


def test_a_model_sized_contraction(capsys: Any) -> None:
    """Several slices of workgroups; prints the rate of execution with all checks on."""
    m, n, k = 1024, 768, 384
    code, _ = compile_kernel(contraction(m, n, k))
    a, b = (RNG.standard_normal(shape).astype(ml_dtypes.float8_e4m3fnuz) for shape in ((m, k), (n, k)))
    c = np.full((m, n), np.nan, np.float32)
    statistics = emulate(code, None, (n // 64, m // 64), (256,), [a, b, c])
    exact = a.astype(np.float64) @ b.astype(np.float64).T
    assert np.abs(c - exact).max() <= k * 64 * 2.0**-24  # As above.
    assert statistics.matrix["v_mfma_f32_16x16x32_fp8_fp8"] == m * n * k // (16 * 16 * 32)
    with capsys.disabled():
        print(f"\n  fp8 {m}x{n}x{k}: {statistics}")


def test_elementwise_masks_its_tail() -> None:
    x = RNG.standard_normal(1000).astype(np.float32)
    whole = np.full(1500, 7, np.float32)
    y = whole[256:1256]
    emulate(elementwise(), None, (3, 3), (64, 2), [x, y, *numbers(1000, 3, 3)])
    np.testing.assert_array_equal(y, x / np.float32(3))
    assert (whole[:256] == 7).all() and (whole[1256:] == 7).all()


def test_a_view_has_its_own_bounds() -> None:
    x = np.zeros(1000, np.float32)
    whole = np.zeros(2000, np.float32)
    with pytest.raises(EmulationError) as caught:
        emulate(elementwise(), None, (8,), (64, 2), [x, whole[:999], *numbers(1000, 3, 8)])
    for part in ("kernel scale", "global_store_dword", "workgroup (7, 0, 0)", "lane 39", "argument 1", "0x"):
        assert part in str(caught.value)
    read_only = np.zeros(1000, np.float32)
    read_only.flags.writeable = False
    with pytest.raises(EmulationError, match=r"argument 1 .* is read-only"):
        emulate(elementwise(), None, (8,), (64, 2), [x, read_only, *numbers(1000, 3, 8)])


def test_large_grids_run_in_slices() -> None:
    x = RNG.standard_normal(1 << 18).astype(np.float32)
    y = np.zeros_like(x)
    statistics = emulate(elementwise(), None, (64, 32), (64, 2), [x, y, *numbers(len(x), 0.5, 64)])
    np.testing.assert_array_equal(y, x / np.float32(0.5))
    assert statistics.instructions["global_store_dword"] == statistics.waves == 4096


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"args": []}, "takes 5 arguments, 0 given"),
        ({"args": [1.0, 2.0, 3, 4, 5]}, "argument 0 is a float; expected a numpy array"),
        ({"args": [np.zeros((4, 4), np.float32).T, np.zeros(4), *numbers(1, 1, 1)]}, "not contiguous"),
        (
            {"args": [np.zeros(4), np.zeros(4), np.int64(1), *numbers(1, 1, 1)[1:]]},
            "argument 2 has 8 bytes, the kernel expects 4",
        ),
        ({"kernel": "other"}, "no kernel 'other'"),
        ({"block": (64, 4)}, "256 work-items, the kernel allows 128"),
        ({"block": (128, 1)}, "compiled for (64, 2, 1)"),
        ({"grid": (0,)}, "positive"),
        ({"dynamic_lds": 70000}, "the chip has 65536"),
        ({"code_object": b"MZ"}, "expected an ELF file"),
        ({"code_object": "/nonexistent.hsaco"}, "cannot read"),
    ],
)
def test_wrong_calls(change: dict[str, Any], words: str) -> None:
    call: dict[str, Any] = {
        "code_object": elementwise(), "grid": (1,), "block": (64, 2),
        "args": [np.zeros(4, np.float32), np.zeros(4, np.float32), *numbers(4, 1, 1)],
    }  # fmt: skip
    emulate(**call)
    with pytest.raises((EmulationError, InputError)) as caught:
        emulate(**{**call, **change})
    assert words in str(caught.value)


def test_code_object_facts_and_truncation() -> None:
    data = compile_kernel(contraction(64, 64, 64))[0]
    code = read_code_object(data)
    kernel = code.kernel("contraction")
    assert (code.chip, kernel.wavefront_size, kernel.kernarg_bytes, kernel.lds_bytes) == ("gfx942", 64, 24, 2 * 64 * 80)
    assert [(a.offset, a.size) for a in kernel.arguments] == [(0, 8), (8, 8), (16, 8)]
    assert kernel.code_bytes > 0 and kernel.vgpr_count > 0 and kernel.denormals_f32
    assert (kernel.vgpr_spill_count, kernel.sgpr_spill_count, kernel.scratch_bytes) == (0, 0, 0)
    for size in range(0, len(data), 61):
        with pytest.raises(InputError):
            read_code_object(data[:size])
