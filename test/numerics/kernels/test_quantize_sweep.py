# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Q of every 8-bit format on every chip: saturation, rounding to nearest even, all codes; on the reference executor and
on the emulator, bit for bit as ml_dtypes has it."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from harness import DTYPES, Kernels
from kernel_text import KernelText
from test_conversions import all_codes, assert_same

FORMATS = {"gfx942": ("f8E4M3FNUZ", "f8E5M2FNUZ", "f8E4M3FN", "f8E5M2"), "gfx950": ("f8E4M3FN", "f8E5M2")}
SAMPLES = 1 << 20
SOURCES = {"f32": SAMPLES, "f16": 1 << 16, "bf16": 1 << 16}
CASES = [(target, element, source) for target, kinds in FORMATS.items() for element in kinds for source in SOURCES]


def quantized(element: str, source: str) -> str:
    kernel = KernelText("elementwise")
    return kernel.text(kernel.quantize(kernel.argument((SOURCES[source],), source), 1.0, element, hero=True))


KERNELS = {
    target: Kernels({f"{e}-{s}": quantized(e, s) for t, e, s in CASES if t == target}, target) for target in FORMATS
}


def samples(element: str) -> np.ndarray:
    """f32 values over the format's range and past it: every code, every tie between two, the f32 neighbours of both,
    and random bits of exponents that matter."""
    own = all_codes(element).astype(np.float32)
    own = np.unique(own[np.isfinite(own)])
    middles = ((own[1:].astype(np.float64) + own[:-1]) / 2).astype(np.float32)
    points = np.concatenate([own, middles])
    special = np.float32([0.0, -0.0, np.inf, -np.inf, np.nan, 3.4e38, -3.4e38, 1e-45])
    chosen = np.concatenate([points, np.nextafter(points, np.inf), np.nextafter(points, -np.inf), special])
    rng = np.random.default_rng(11)
    low = np.float32(np.abs(own[own != 0]).min()).view(np.uint32) >> 23
    high = np.float32(np.abs(own).max()).view(np.uint32) >> 23
    bits = rng.integers(0, 1 << 23, SAMPLES - chosen.size, dtype=np.uint32)
    bits |= rng.integers(low - 3, high + 3, bits.size, dtype=np.uint32) << np.uint32(23)
    bits |= rng.integers(0, 2, bits.size, dtype=np.uint32) << np.uint32(31)
    return np.concatenate([chosen, bits.view(np.float32)])


@pytest.mark.parametrize(("target", "element", "source"), CASES)
def test_quantize(target: str, element: str, source: str) -> None:
    """Saturated, then rounded as ml_dtypes rounds; NaN stays NaN."""
    x = samples(element) if source == "f32" else all_codes(source)
    result = KERNELS[target].run(f"{element}-{source}", [x])
    largest = float(ml_dtypes.finfo(DTYPES[element]).max)
    wide = x.astype(np.float32)
    exact = np.clip(wide, -largest, largest).astype(DTYPES[element])
    assert_same(result.raw_emulated[0], exact)
    assert_same(result.raw_expected[0], exact)
    # Independent of ml_dtypes' rounding: no code is nearer, and of two that are as near the even one is taken.
    codes = all_codes(element).astype(np.float64)
    codes = np.unique(codes[np.isfinite(codes)])
    inside = np.abs(wide) <= largest
    finite, found = (np.asarray(v)[inside].astype(np.float64) for v in (wide, result.raw_emulated[0]))
    at = np.clip(np.searchsorted(codes, finite), 1, codes.size - 1)
    below, above = codes[at - 1], codes[at]
    nearest = np.where(np.abs(finite - below) < np.abs(above - finite), below, above)
    tie = np.abs(finite - below) == np.abs(above - finite)
    assert (found[~tie] == nearest[~tie]).all()
    number = np.abs(found[tie]).astype(DTYPES[element]).view(np.uint8)
    assert (number % 2 == 0).all() and np.isin(found[tie], codes).all()


@pytest.mark.parametrize("element", FORMATS["gfx942"])
def test_all_codes_come_back(element: str) -> None:
    """Q of what each code stands for is that code, for the FNUZ formats' only NaN too."""
    target = "gfx942" if element.endswith("FNUZ") else "gfx950"
    x = np.resize(all_codes(element).astype(np.float32), SAMPLES)
    codes = np.resize(all_codes(element), SAMPLES).view(np.uint8)
    result = KERNELS[target].run(f"{element}-f32", [x])
    for found in (result.raw_emulated[0], result.raw_expected[0]):
        finite = np.isfinite(x)
        np.testing.assert_array_equal(np.asarray(found).view(np.uint8)[finite], codes[finite])
        assert np.isnan(np.asarray(found).astype(np.float32)[np.isnan(x)]).all()
