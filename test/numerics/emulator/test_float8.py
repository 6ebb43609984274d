# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Conversions of 8-bit floats: every code, rounding against the table of all values, NaN, infinities and saturation.

FNUZ formats on gfx942, those of the Open Compute Project on gfx950 and gfx12 (the chips' instruction set guides).
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from assembly_runner import run_assembly
from narrow import FNUZ, OCP, same

U32, F32 = np.uint32, np.float32
CHIPS = ("gfx942", "gfx950", "gfx1200", "gfx1201")
TESTED = {
    f"v_cvt_{form}" for kind in ("fp8", "bf8") for form in (f"f32_{kind}", f"pk_f32_{kind}", f"pk_{kind}_f32",
                                                            f"sr_{kind}_f32")
}  # fmt: skip
CASES = [(chip, name) for chip in CHIPS for name in ("fp8", "bf8")]


def lanes_of(chip: str) -> int:
    return 32 if chip.startswith("gfx12") else 64


def table(chip: str) -> Any:
    return FNUZ if chip == "gfx942" else OCP


def values_for(kind: Any, rng: np.random.Generator) -> Any:
    """Every value of the format, the middles between neighbours, their f32 neighbours, and what is out of range."""
    steps = [float(x) for x in kind.steps]
    middles = [(a + b) / 2 for a, b in itertools.pairwise(steps)]
    near = [float(np.nextafter(F32(x), F32(limit))) for x in middles for limit in (0, np.inf)]
    special = [math.inf, math.nan, 3e38, 2.0**-149, 1e-40, 0.0]
    positive = np.array([*steps, *middles, *near, *special], F32)
    both = np.concatenate([positive, -positive])
    return np.concatenate([both, (rng.standard_normal(-len(both) % 64) * 50).astype(F32)])


@pytest.mark.parametrize(("chip", "name"), CASES)
def test_every_code(chip: str, name: str) -> None:
    kind = table(chip)[name]
    codes = np.arange(256, dtype=np.uint8).reshape(-1, 4)
    words = np.resize(codes.view(U32)[:, 0], 64)
    waves = [words] if chip in ("gfx942", "gfx950") else [words[:32], words[32:]]
    for held in waves:
        v = {0: np.resize(held, 64)}
        if lanes_of(chip) == 64:
            texts = [f"v_cvt_f32_{name}_sdwa v{4 + n}, v0 src0_sel:BYTE_{n}" for n in range(4)]
            texts += [f"v_cvt_pk_f32_{name}_e32 v[8:9], v0", f"v_cvt_pk_f32_{name}_sdwa v[10:11], v0 src0_sel:WORD_1"]
        else:
            texts = [f"v_cvt_f32_{name}_e64 v{4 + n}, v0 byte_sel:{n}" for n in range(4)]
            texts += [f"v_cvt_pk_f32_{name} v[8:9], v0.l", f"v_cvt_pk_f32_{name} v[10:11], v0.h"]
        texts += [f"v_cvt_f32_{name} v12, v0"]
        r = run_assembly("\n".join(texts), v, chip=chip)
        for lane in range(lanes_of(chip)):
            octets = [int(held[lane]) >> 8 * n & 255 for n in range(4)]
            for n, code in enumerate([*octets, *octets, octets[0]]):
                found, wanted = float(r.v(4 + n, F32)[lane]), kind.decode(code)
                assert found == wanted or (found != found and wanted != wanted), (code, found, wanted)
                assert math.copysign(1, found) == math.copysign(1, wanted) or wanted != wanted


@pytest.mark.parametrize(("chip", "name"), CASES)
@pytest.mark.parametrize("saturate", [False, True])
def test_rounding(chip: str, name: str, saturate: bool) -> None:
    """To nearest even; overflow as the format and MODE.FP16_OVFL say; the other half of the register is kept."""
    kind = table(chip)[name]
    values = values_for(kind, np.random.default_rng(1))
    lanes = lanes_of(chip)
    waves = values.reshape(-1, lanes)
    first = np.zeros((len(waves), 64), F32)
    first[:, :lanes] = waves
    second = np.roll(first, 1, axis=0)
    high = "v3.h, v0, v1" if lanes == 32 else "v3, v0, v1 op_sel:[0,0,1]"
    low = "v2.l, v0, v1" if lanes == 32 else "v2, v0, v1"
    v = {0: first, 1: second, 2: np.full(64, 0xA5A55A5A, U32), 3: np.full(64, 0xA5A55A5A, U32)}
    text = f"v_cvt_pk_{name}_f32 {low}\nv_cvt_pk_{name}_f32 {high}"
    r = run_assembly(text, v, waves=len(waves), saturate=saturate, chip=chip)
    for wave in range(len(waves)):
        found = [r.v(register, wave=wave) for register in (2, 3)]
        for lane in range(lanes):
            word = int(found[0][lane])
            assert word >> 16 == 0xA5A5 and int(found[1][lane]) == (word & 0xFFFF) << 16 | 0x5A5A
            for code, x in ((word & 255, first[wave, lane]), (word >> 8 & 255, second[wave, lane])):
                assert same(code, kind.nearest(float(x), saturate), kind), (x, code)


@pytest.mark.parametrize(("chip", "name"), CASES)
def test_stochastic_rounding(chip: str, name: str) -> None:
    """The value plus random bits below the last kept one, truncated; each byte of the destination."""
    kind = table(chip)[name]
    rng = np.random.default_rng(2)
    lanes = lanes_of(chip)
    values = values_for(kind, rng)[:512].reshape(-1, lanes)
    first = np.zeros((len(values), 64), F32)
    first[:, :lanes] = values
    random = rng.integers(0, 2**32, first.shape, dtype=np.uint64).astype(U32)
    random[:, ::5], random[:, 1::5] = 0, 0xFFFFFFFF
    for byte in range(4):
        select = f" byte_sel:{byte}" if lanes == 32 else f" op_sel:[0,0,{byte & 1},{byte >> 1}]"
        v = {0: first, 1: random, 2: np.full(64, 0xA5A55A5A, U32)}
        text = f"v_cvt_sr_{name}_f32 v2, v0, v1{select if byte else ''}"
        r = run_assembly(text, v, waves=len(values), chip=chip)
        for wave in range(len(values)):
            for lane in range(lanes):
                word = int(r.v(2, wave=wave)[lane])
                assert (word ^ 0xA5A55A5A) & ~(255 << 8 * byte) == 0
                x, bits = float(first[wave, lane]), int(random[wave, lane])
                assert same(word >> 8 * byte & 255, kind.stochastic(x, bits, 23), kind), (x, hex(bits))
