# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Vector instructions that the row format cannot say: mixed-width FMA, truth tables, stochastic rounding to 16 bits."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from assembly_runner import run_assembly
from exact import LAYOUT, finite, plus, rounded, times
from row_runner import encode, samples

U32 = np.uint32
MIXED = [f"v_{m}_{form}" for m in ("mad", "fma") for form in ("mix_f32", "mixlo_f16", "mixhi_f16")]
TESTED = {*MIXED, "v_bitop3_b32", "v_bitop3_b16", "v_cvt_sr_f16_f32", "v_cvt_sr_bf16_f32"}


def pick(kind: str, count: int, seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    pool = samples(kind, 64, rng)
    return [float(pool[i]) for i in rng.integers(0, len(pool), count)]


def equal(found: int, wanted: float, kind: str) -> bool:
    dtype: Any = {"f16": np.float16, "f32": np.float32, "bf16": ml_dtypes.bfloat16}[kind]
    if wanted != wanted:
        return bool(np.isnan(np.array([found], f"u{dtype(0).itemsize}").view(dtype)[0]))
    return found == encode(wanted, kind)


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.parametrize("widths", list(itertools.product((0, 1), repeat=3)))
def test_mixed_fma(name: str, widths: tuple[int, int, int]) -> None:
    """op_sel_hi makes a source an f16, whose half op_sel picks; the f32 sum is rounded once, to f16 again if asked."""
    rng = np.random.default_rng(sum(widths))
    halves = [pick("f16", 128, 10 + n) for n in range(3)]
    singles = [pick("f32", 64, 20 + n) for n in range(3)]
    selected = [int(x) for x in rng.integers(0, 2, 3)]
    v: dict[int, Any] = {3: np.full(64, 0xA5A55A5A, U32)}
    for n in range(3):
        if widths[n]:
            codes = [encode(halves[n][2 * lane], "f16") | encode(halves[n][2 * lane + 1], "f16") << 16
                     for lane in range(64)]  # fmt: skip
        else:
            codes = [encode(x, "f32") for x in singles[n]]
        v[n] = np.array(codes, np.uint64).astype(U32)
    select, high = (",".join(map(str, bits)) for bits in (selected, widths))
    result = run_assembly(f"{name} v3, -v0, v1, |v2| op_sel:[{select}] op_sel_hi:[{high}]", v)
    for lane in range(64):
        a, b, c = (halves[n][2 * lane + selected[n]] if widths[n] else singles[n][lane] for n in range(3))
        total = rounded(plus(times(-a, b), abs(c)), "f32")
        word = int(result.v(3)[lane])
        if name.endswith("f32"):
            assert equal(word, total, "f32"), (a, b, c)
            continue
        upper = name.endswith("mixhi_f16")
        assert (word & 0xFFFF if upper else word >> 16) == (0x5A5A if upper else 0xA5A5)
        assert equal(word >> 16 if upper else word & 0xFFFF, rounded(total, "f16"), "f16"), (a, b, c)


@pytest.mark.parametrize("name", ["v_bitop3_b32", "v_bitop3_b16"])
def test_every_truth_table(name: str) -> None:
    """Bit 4 a + 2 b + c of the table is the result, for all 256 tables."""
    rng = np.random.default_rng(0)
    a, b, c = (rng.integers(0, 2**32, 64, dtype=np.uint64) for _ in range(3))
    v = {n: x.astype(U32) for n, x in enumerate((a, b, c))}
    width = 32 if name.endswith("b32") else 16
    terms = []
    for index in range(8):
        parts = [x if index >> 2 - n & 1 else x ^ np.uint64(2**32 - 1) for n, x in enumerate((a, b, c))]
        terms.append(parts[0] & parts[1] & parts[2])
    for first in range(0, 256, 32):
        text = "\n".join(f"{name} v{10 + n}, v0, v1, v2 bitop3:{first + n:#x}" for n in range(32))
        result = run_assembly(text, v, chip="gfx950")
        for n in range(32):
            wanted = np.zeros(64, np.uint64)
            for index in range(8):
                if first + n >> index & 1:
                    wanted |= terms[index]
            found = result.v(10 + n) & U32(2**width - 1)
            np.testing.assert_array_equal(found, wanted & np.uint64(2**width - 1))


@pytest.mark.parametrize(("name", "kind"), [("v_cvt_sr_f16_f32", "f16"), ("v_cvt_sr_bf16_f32", "bf16")])
@pytest.mark.parametrize("half", [0, 1])
def test_stochastic_rounding_to_16_bits(name: str, kind: str, half: int) -> None:
    """Random bits below the last kept bit are added, then the value is truncated; the other half is kept."""
    values = pick("f32", 256, 5)
    random = np.random.default_rng(6).integers(0, 2**32, (4, 64), dtype=np.uint64).astype(U32)
    random[0], random[1] = 0, 0xFFFFFFFF
    codes = np.array([encode(x, "f32") for x in values], np.uint64).astype(U32).reshape(4, 64)
    text = f"{name} v2, v0, v1{' op_sel:[0,0,1]' * half}"
    result = run_assembly(text, {0: codes, 1: random, 2: np.full(64, 0xA5A55A5A, U32)}, waves=4, chip="gfx950")
    bits, low, high = LAYOUT[kind]
    dropped = 24 - bits
    for wave, lane in itertools.product(range(4), range(64)):
        x = values[64 * wave + lane]
        word = int(result.v(2, wave=wave)[lane])
        assert (word & 0xFFFF if half else word >> 16) == (0x5A5A if half else 0xA5A5)
        wanted = x
        if finite(x) and x:
            exponent = max(math.frexp(x)[1] - 1, low)
            unit = Fraction(2) ** (exponent - bits + 1)
            share = Fraction(int(random[wave, lane]) >> 32 - dropped, 2**dropped)
            steps = math.floor(abs(Fraction(x)) / unit + share) * unit
            wanted = math.copysign(math.inf if steps >= Fraction(2) ** (high + 1) else float(steps), x)
        assert equal(word >> 16 if half else word & 0xFFFF, wanted, kind), (x, hex(int(random[wave, lane])))
