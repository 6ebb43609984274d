# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Text of linalg ops, and random operands, for the tests of the executor."""

from __future__ import annotations

from typing import Any

import numpy as np

RNG = np.random.default_rng(7)

# f32 sums of a few dozen products of unit normals: each term within 2**-24, so well within 1e-5 of a reordered sum
F32 = {"rtol": 1e-5, "atol": 1e-5}


def normal(*shape: int) -> Any:
    return RNG.standard_normal(shape).astype(np.float32)


def generic(maps: str, iterators: str, ins: str, outs: str, body: str, result: str) -> str:
    """Text of a linalg.generic whose result is returned; `iterators`: one letter a dim, p or r."""
    kinds = ", ".join('"parallel"' if i == "p" else '"reduction"' for i in iterators)
    return f"""%0 = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}} {ins} outs({outs}) {{
{body}
}} -> {result}
return %0 : {result}"""
