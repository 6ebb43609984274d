# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Instructions of gfx11 and gfx12 that the row format cannot say, and operands that differ from gfx9's."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from assembly_runner import run_assembly
from exact import fma
from row_runner import encode, same, samples
from rows_integer import low_signed

F32, U32 = np.float32, np.uint32
LOW = 0xFFFFFFFF
RNG = np.random.default_rng(4)
WORDS = RNG.integers(0, 2**32, (4, 64), dtype=np.uint64).astype(U32)
INTEGER_DOTS = {"v_dot4_i32_iu8": 8, "v_dot8_i32_iu4": 4}
FLOAT8 = {"fp8": ml_dtypes.float8_e4m3fn, "bf8": ml_dtypes.float8_e5m2}
FLOAT_DOTS = {f"v_dot4_f32_{a}_{b}": (a, b) for a in FLOAT8 for b in FLOAT8}
TESTED = {*INTEGER_DOTS, *FLOAT_DOTS, "v_swap_b16", "v_permlane64_b32", "s_fmaak_f32", "s_fmamk_f32"}
BOTH = ("gfx1100", "gfx1201")


@pytest.mark.parametrize("chip", BOTH)
@pytest.mark.parametrize("name", INTEGER_DOTS)
@pytest.mark.parametrize("signs", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_integer_dot(name: str, signs: tuple[int, int], chip: str) -> None:
    """neg_lo says which factors are signed; clamp saturates, else the sum wraps around."""
    bits = INTEGER_DOTS[name]
    addends = np.where(np.arange(64) % 4 == 0, WORDS[2], np.where(np.arange(64) % 4 == 1, 0x7FFFFFFF, 0x80000000))
    form = f"{name} v3, v0, v1, v2 neg_lo:[{signs[0]},{signs[1]},0]"
    text = f"{form}\n{form.replace('v3', 'v4')} clamp"
    result = run_assembly(text, {0: WORDS[0], 1: WORDS[1], 2: addends.astype(U32)}, exec_mask=LOW, chip=chip)
    for lane in range(32):
        factors = []
        for word, signed in zip(WORDS[:2, lane].tolist(), signs, strict=True):
            parts = [word >> at & (1 << bits) - 1 for at in range(0, 32, bits)]
            factors.append([low_signed(x, bits) if signed else x for x in parts])
        total = sum(a * b for a, b in zip(*factors, strict=True)) + low_signed(int(addends[lane]), 32)
        assert int(result.v(3)[lane]) == total & LOW
        assert int(result.v(4)[lane]) == min(max(total, -(2**31)), 2**31 - 1) & LOW


@pytest.mark.parametrize("name", FLOAT_DOTS)
def test_float8_dot(name: str) -> None:
    """Sums of four products: powers of two, every code among the factors."""
    a, b = (FLOAT8[kind] for kind in FLOAT_DOTS[name])
    codes = np.arange(256, dtype=np.uint8)
    ones = np.full((2, 32), int.from_bytes(np.array([1, 2, -1, 0.5], b).tobytes(), "little"), U32)
    words = np.concatenate([codes.reshape(64, 4)]).copy().view(U32)[:, 0].reshape(2, 32)
    addend = np.array(samples("f32", 16, RNG)[:10] * 4)[:32].astype(F32)
    v = {n: np.concatenate([x, x], axis=1) for n, x in enumerate((words, ones))} | {2: np.tile(addend, 2)}
    result = run_assembly(f"{name} v3, v0, v1, v2", v, waves=2, exec_mask=LOW, chip="gfx1200")
    for wave in range(2):
        left = codes.reshape(2, 32, 4)[wave].view(a).astype(np.float64)
        with np.errstate(all="ignore"):
            products = left * np.array([1, 2, -1, 0.5])
            exact = products.sum(-1) + addend
            bound = 4 * 2.0**-24 * (np.abs(products).sum(-1) + np.abs(addend))
            found = result.v(3, F32, wave)[:32].astype(np.float64)
            finite = np.isfinite(exact)
            assert (np.abs(found - exact) <= bound)[finite].all()
        np.testing.assert_array_equal(found[~finite], exact[~finite])


@pytest.mark.parametrize("chip", BOTH)
def test_swapped_halves(chip: str) -> None:
    result = run_assembly("v_swap_b16 v0.l, v1.h\nv_swap_b16 v2.l, v2.h", dict(enumerate(WORDS)), chip=chip,
                          exec_mask=LOW)  # fmt: skip
    a, b, c = (x[:32] for x in WORDS[:3])
    np.testing.assert_array_equal(result.v(0)[:32], a & U32(0xFFFF0000) | b >> U32(16))
    np.testing.assert_array_equal(result.v(1)[:32], b & U32(0xFFFF) | a << U32(16))
    np.testing.assert_array_equal(result.v(2)[:32], c >> U32(16) | c << U32(16))


@pytest.mark.parametrize("chip", BOTH)
def test_swapping_halves_of_the_wave_does_nothing(chip: str) -> None:
    result = run_assembly("v_permlane64_b32 v0, v1", dict(enumerate(WORDS)), chip=chip, exec_mask=LOW)
    np.testing.assert_array_equal(result.v(0), WORDS[0])


def test_scalar_fma_with_a_literal() -> None:
    values = samples("f32", 64, np.random.default_rng(8))[:64]
    others = values[::-1]
    s: dict[int, Any] = {
        2 + n: np.array([encode(x, "f32") for x in column], np.uint64) for n, column in enumerate((values, others))
    }
    text = "s_fmaak_f32 s4, s2, s3, 0x40200000\ns_fmamk_f32 s5, s2, 0x40200000, s3"
    result = run_assembly(text, s=s, waves=64, chip="gfx1201")
    for wave, (a, b) in enumerate(zip(values, others, strict=True)):
        assert same(result.s(4, wave), fma("f32")(a, b, 2.5), "f32")
        assert same(result.s(5, wave), fma("f32")(a, 2.5, b), "f32")


def test_constants_of_half_instructions_are_halves() -> None:
    text = "s_add_f16 s4, s2, 1.0\ns_mul_f16 s5, 0x4200, s2\ns_add_f32 s6, 1.0, 2.0"
    result = run_assembly(text, s={2: 0xFFFF3C00}, chip="gfx1201")
    assert (result.s(4), result.s(5), result.s(6)) == (0x4000, 0x4200, 0x40400000)


@pytest.mark.parametrize(("chip", "flag", "zero"), [
    ("gfx1100", "glc", "0"), ("gfx1200", "th:TH_ATOMIC_RETURN scope:SCOPE_DEV", "null"),
    ("gfx1201", "th:TH_ATOMIC_RETURN", "null"),
])  # fmt: skip
def test_a_buffer_atomic_returns_the_old_value(chip: str, flag: str, zero: str) -> None:
    lanes = np.arange(64, dtype=U32)
    for returns in (True, False):
        memory = lanes * U32(3)
        text = "s_mov_b32 s4, s60\ns_mov_b32 s5, s61\n"
        text += f"buffer_atomic_add_u32 v1, v0, s[4:7], {zero} offen {flag if returns else ''}"
        v = {0: lanes * U32(4), 1: lanes + U32(100)}
        result = run_assembly(text, v, {6: 256, 7: 0x31000000}, exec_mask=LOW, buffers=[memory], chip=chip)
        np.testing.assert_array_equal(memory, np.where(lanes < 32, 4 * lanes + 100, 3 * lanes))
        np.testing.assert_array_equal(result.v(1)[:32], (3 * lanes if returns else lanes + 100)[:32])


@pytest.mark.parametrize("chip", BOTH)
@pytest.mark.parametrize("bits", [32, 64])
def test_compare_and_store_names_the_new_value_first(chip: str, bits: int) -> None:
    """gfx9's ds_cmpst names the expected value first."""
    size = bits // 8
    lanes = np.arange(64)
    old, new = (lanes + 5).astype(f"u{size}"), (lanes + 200).astype(f"u{size}")
    expected = np.where(lanes % 2, old, 0).astype(f"u{size}")
    span = (lambda n: f"v{n}") if bits == 32 else (lambda n: f"v[{n}:{n + 1}]")
    text = f"ds_store_b{bits} v0, {span(2)}\nds_cmpstore_rtn_b{bits} {span(8)}, v0, {span(4)}, {span(6)}\n"
    text += f"ds_load_b{bits} {span(10)}, v0\nds_storexchg_rtn_b{bits} {span(12)}, v0, {span(6)}\n"
    text += f"ds_load_b{bits} {span(14)}, v0"
    v = {0: (lanes * size).astype(U32), 2: old, 4: new, 6: expected}
    result = run_assembly(text, v, exec_mask=LOW, lds_bytes=512, chip=chip)

    def found(register: int) -> Any:
        return (result.v(register) if bits == 32 else result.pair(register, np.uint64))[:32]

    np.testing.assert_array_equal(found(8), old[:32])
    np.testing.assert_array_equal(found(10), np.where(lanes % 2, new, old)[:32])
    np.testing.assert_array_equal(found(12), found(10))
    np.testing.assert_array_equal(found(14), expected[:32])
