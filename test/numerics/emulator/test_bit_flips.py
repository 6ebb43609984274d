# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A wrong bit in a kernel's code does not go unnoticed: what changes the output is an error or a mismatch."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from kernels import compile_kernel, contraction

from fovea.codeobject import read_code_object
from fovea.emulator import EmulationError, emulate
from fovea.errors import FoveaError

SIZE = 128
FLIPS = 80


def run(code: bytes, a: Any, b: Any) -> Any:
    """Product of a and the transposed b by the kernel; NaN where it writes nothing."""
    c = np.full((SIZE, SIZE), np.nan, np.float32)
    emulate(code, grid=(SIZE // 64, SIZE // 64), block=(256,), args=[a, b, c], loop_limit=100)
    return c


def test_flipped_bits_are_noticed() -> None:
    code = compile_kernel(contraction(SIZE, SIZE, SIZE, "f16", 32))[0]
    obj = read_code_object(code)
    kernel = obj.kernel(None)
    text = obj.read(kernel.entry, kernel.code_bytes)
    assert code.count(text) == 1
    start = code.find(text)
    rng = np.random.default_rng(2026)
    a, b = (rng.standard_normal((SIZE, SIZE)).astype(np.float16) for _ in range(2))
    exact = a.astype(np.float64) @ b.astype(np.float64).T
    # Each of the SIZE sums in f32 may err by half a unit in the last place of the sum of the magnitudes.
    bound = SIZE * 2.0**-24 * (np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64).T)
    intact = run(code, a, b)
    assert (np.abs(intact - exact) <= bound).all()
    outcomes: Counter[str] = Counter()
    for bit in rng.integers(8 * len(text), size=FLIPS).tolist():
        flipped = bytearray(code)
        flipped[start + bit // 8] ^= 1 << bit % 8
        try:
            result = run(bytes(flipped), a, b)
        except FoveaError:
            outcomes["error"] += 1
            continue
        if np.array_equal(result.view(np.uint32), intact.view(np.uint32)):
            outcomes["same"] += 1
        else:
            outcomes["unnoticed" if (np.abs(result - exact) <= bound).all() else "mismatch"] += 1
    noticed = outcomes["error"] + outcomes["mismatch"]
    assert noticed >= FLIPS // 2, outcomes
    assert noticed >= 0.95 * (noticed + outcomes["unnoticed"]), outcomes


def test_kernels_that_do_not_end() -> None:
    """The loop's counter is compared with a number that it never reaches."""
    code = compile_kernel(contraction(SIZE, SIZE, 32 * 64, "f16", 32))[0]
    a, b = np.zeros((SIZE, 32 * 64), np.float16), np.zeros((SIZE, 32 * 64), np.float16)
    run_it = {"grid": (2, 2), "block": (256,), "args": [a, b, np.zeros((SIZE, SIZE), np.float32)]}
    emulate(code, **run_it, loop_limit=64)  # type: ignore[arg-type]
    with pytest.raises(EmulationError, match="took 6 backward branches: the kernel does not seem to end"):
        emulate(code, **run_it, loop_limit=5)  # type: ignore[arg-type]


def test_registers_past_the_allocation() -> None:
    text = "contraction:\nv_mov_b32 v{}, 0\ns_endpgm\n"
    code = compile_kernel(contraction(64, 64, 64))[0]
    args = [np.zeros((64, 64), np.uint8), np.zeros((64, 64), np.uint8), np.zeros((64, 64), np.float32)]
    allowed = 4 * ((read_code_object(code).kernel(None).rsrc3 & 63) + 1)
    emulate(code, block=(256,), args=args, assembly=text.format(allowed - 1))
    with pytest.raises(EmulationError, match=f"v{allowed} is not allocated: .* asks for {allowed} vector"):
        emulate(code, block=(256,), args=args, assembly=text.format(allowed))
