# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The waits and wait states that LLVM puts into a kernel meet the emulator's rules: each one left out is an error."""

from __future__ import annotations

import numpy as np
import pytest
from kernels import compile_kernel, contraction

from fovea.emulator import EmulationError, emulate

SIZE = 128


@pytest.mark.parametrize("kind", ["f16", "f8E4M3FNUZ"])
def test_what_the_compiler_inserts_is_needed_and_enough(kind: str) -> None:
    code, text = compile_kernel(contraction(SIZE, SIZE, SIZE, kind, 32 if kind == "f16" else 64))
    bytes_each = 2 if kind == "f16" else 1
    a, b = (np.zeros((SIZE, SIZE * bytes_each), np.uint8) for _ in range(2))
    args = [a, b, np.zeros((SIZE, SIZE), np.float32)]
    lines = text.splitlines()

    def run(assembly: list[str]) -> None:
        emulate(code, grid=(2, 2), block=(256,), args=args, assembly="\n".join(assembly))

    run(lines)
    places = [i for i, line in enumerate(lines) if line.split()[:1] in (["s_waitcnt"], ["s_nop"])]
    assert len(places) >= 12
    unnoticed = []
    for place in places:
        try:
            run(lines[:place] + lines[place + 1 :])
        except EmulationError:
            continue
        unnoticed.append(lines[place].strip())
    # A compiler may wait for what only another path than those taken brings.
    assert len(unnoticed) <= len(places) // 10, unnoticed
