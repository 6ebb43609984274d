# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Vector instruction rows against numpy statements of them."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from assembly_runner import run_assembly

RNG = np.random.default_rng(7)
F32, F64, F16, U32, I32, U64, I64 = np.float32, np.float64, np.float16, np.uint32, np.int32, np.uint64, np.int64
EDGE_F32 = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-45, -1e-40, 1.1754944e-38, 3.4e38, 0.5], F32)


def floats(scale: float = 4.0, edges: bool = True) -> Any:
    values = (RNG.standard_normal(64) * scale).astype(F32)
    if edges:
        values[: len(EDGE_F32)] = RNG.permutation(EDGE_F32)
    return values


def words() -> Any:
    values = RNG.integers(0, 2**32, 64, dtype=U32)
    values[:6] = [0, 1, 0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 31]
    return values


def same(actual: Any, expected: Any) -> None:
    """Equal bit for bit, any NaN equal to any NaN."""
    expected = np.asarray(expected, actual.dtype)
    np.testing.assert_array_equal(actual, expected)
    if actual.dtype.kind == "f":
        number = ~np.isnan(actual)
        np.testing.assert_array_equal(np.signbit(actual)[number], np.signbit(expected)[number])


def test_wide_integer() -> None:
    a, b = words(), RNG.permutation(words())
    c = RNG.integers(0, 2**64, 64, dtype=U64)
    r = run_assembly(
        "v_mad_u64_u32 v[4:5], s[4:5], v0, v1, v[2:3]\nv_lshl_add_u64 v[6:7], v[2:3], 3, v[2:3]\n"
        "v_lshlrev_b64 v[8:9], 5, v[2:3]\nv_ashrrev_i64 v[10:11], 9, v[2:3]\nv_mov_b64_e32 v[12:13], v[2:3]",
        {0: a, 1: b, 2: c},
    )
    exact = [int(x) * int(y) + int(z) for x, y, z in zip(a, b, c, strict=True)]
    same(r.pair(4, U64), [e % 2**64 for e in exact])
    assert r.s64(4) == sum((e >> 64) << i for i, e in enumerate(exact))
    same(r.pair(6, U64), [(int(z) * 9) % 2**64 for z in c])
    same(r.pair(8, U64), c << U64(5))
    same(r.pair(10, I64), c.view(I64) >> I64(9))
    same(r.pair(12, U64), c)


def test_carry_chain() -> None:
    a, b = RNG.integers(0, 2**64, 64, dtype=U64), RNG.integers(0, 2**64, 64, dtype=U64)
    r = run_assembly(
        "v_add_co_u32_e32 v4, vcc, v0, v2\nv_addc_co_u32_e32 v5, vcc, v1, v3, vcc\n"
        "v_sub_co_u32_e64 v6, s[2:3], v0, v2\nv_subb_co_u32_e64 v7, s[2:3], v1, v3, s[2:3]",
        {0: a, 2: b},
    )
    same(r.pair(4, U64), a + b)
    same(r.pair(6, U64), a - b)
    assert r.s64(106) == sum(1 << i for i in range(64) if int(a[i]) + int(b[i]) >= 2**64)


FLOAT: dict[str, Any] = {
    "v_add_f32": lambda a, b: a + b,
    "v_sub_f32": lambda a, b: a - b,
    "v_mul_f32": lambda a, b: a * b,
    "v_min_f32": np.fmin,
    "v_max_f32": np.fmax,
}


@pytest.mark.parametrize("name", FLOAT)
def test_two_source_f32(name: str) -> None:
    a, b = floats(), floats()
    with np.errstate(all="ignore"):
        expected = FLOAT[name](a, b)
        modified = FLOAT[name](-np.abs(a), b)
    r = run_assembly(f"{name} v2, v0, v1\n{name}_e64 v3, -|v0|, v1", {0: a, 1: b})
    np.testing.assert_array_equal(r.v(2, F32), expected)
    np.testing.assert_array_equal(r.v(3, F32), modified)


def exact_fma(a: float, b: float, c: float) -> Any:
    """f32 fused multiply-add by rational arithmetic."""
    if not all(map(math.isfinite, (a, b, c))):
        return F32(F32(a) * F32(b)) + F32(c)
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    if exact == 0:
        return F32(0)
    near = F32(float(exact)) if abs(exact) < 2**128 else F32(math.copysign(math.inf, exact))
    options = [near, np.nextafter(near, F32(np.inf)), np.nextafter(near, F32(-np.inf))]
    options = [o for o in options if np.isfinite(o)] or [near]
    if abs(exact) >= Fraction(2**128 - 2**103):
        return F32(math.copysign(math.inf, exact))
    return min(options, key=lambda o: (abs(Fraction(float(o)) - exact), int(o.view(U32)) & 1))


def test_fma_rounds_once() -> None:
    a, b, c = floats(edges=False), floats(edges=False), floats(edges=False)
    # Products whose sum with c lies next to a tie of f32, and results in the subnormal range.
    a[:16] = 1 + 2.0**-12 * (1 + np.arange(16))
    b[:16] = 1 + 2.0**-12
    c[:16] = 2.0**-60 * np.where(np.arange(16) % 2, 1, -1)
    a[16:32] = 2.0**-70 * (1 + 2.0**-12 * np.arange(16))
    b[16:32] = 2.0**-60 * (1 + 2.0**-10)
    c[16:32] = 2.0**-149 * np.arange(16)
    a[32:40], b[32:40], c[32:40] = 1 + 2.0**-23, 1 + 2.0**-23, 2.0**-80
    with np.errstate(all="ignore"):
        expected = np.array([exact_fma(float(x), float(y), float(z)) for x, y, z in zip(a, b, c, strict=True)], F32)
    r = run_assembly(
        "v_fma_f32 v3, v0, v1, v2\nv_mov_b32 v4, v2\nv_fmac_f32_e32 v4, v0, v1\n"
        "v_mov_b32 v5, v1\nv_mov_b32 v6, v0\nv_mov_b32 v7, v1\nv_mov_b32 v8, v2\nv_mov_b32 v9, v2\n"
        "v_mov_b32 v10, v0\nv_mov_b32 v11, v0\nv_pk_fma_f32 v[12:13], v[10:11], v[0:1], v[8:9] op_sel:[0,1,0]",
        {0: a, 1: b, 2: c},
    )
    for register in (3, 4, 12, 13):
        same(r.v(register, F32), expected)


def test_division_sequence() -> None:
    """The backend's f32 and f64 division, correctly rounded for any operands."""
    n, d = floats(), floats()
    n[12:40] = np.ldexp(RNG.standard_normal(28), RNG.integers(-140, 127, 28)).astype(F32)
    d[12:40] = np.ldexp(RNG.standard_normal(28), RNG.integers(-140, 127, 28)).astype(F32)
    r = run_assembly(
        """v_div_scale_f32 v2, s[2:3], v1, v1, v0
        v_rcp_f32_e32 v3, v2
        v_div_scale_f32 v4, vcc, v0, v1, v0
        v_fma_f32 v5, -v2, v3, 1.0
        v_fmac_f32_e32 v3, v5, v3
        v_mul_f32_e32 v5, v4, v3
        v_fma_f32 v6, -v2, v5, v4
        v_fmac_f32_e32 v5, v6, v3
        v_fma_f32 v2, -v2, v5, v4
        v_div_fmas_f32 v2, v2, v3, v5
        v_div_fixup_f32 v2, v2, v1, v0""",
        {0: n, 1: d},
    )
    with np.errstate(all="ignore"):
        same(r.v(2, F32), n / d)


def test_division_sequence_f64() -> None:
    n = np.ldexp(RNG.standard_normal(64), RNG.integers(-400, 400, 64))
    d = np.ldexp(RNG.standard_normal(64), RNG.integers(-400, 400, 64))
    r = run_assembly(
        """v_div_scale_f64 v[4:5], s[2:3], v[2:3], v[2:3], v[0:1]
        v_rcp_f64_e32 v[6:7], v[4:5]
        v_fma_f64 v[8:9], -v[4:5], v[6:7], 1.0
        v_fmac_f64_e32 v[6:7], v[6:7], v[8:9]
        v_fma_f64 v[8:9], -v[4:5], v[6:7], 1.0
        v_fmac_f64_e32 v[6:7], v[6:7], v[8:9]
        v_div_scale_f64 v[8:9], vcc, v[0:1], v[2:3], v[0:1]
        v_mul_f64 v[10:11], v[8:9], v[6:7]
        v_fma_f64 v[4:5], -v[4:5], v[10:11], v[8:9]
        v_div_fmas_f64 v[4:5], v[4:5], v[6:7], v[10:11]
        v_div_fixup_f64 v[0:1], v[4:5], v[2:3], v[0:1]""",
        {0: n, 2: d},
    )
    same(r.pair(0, F64), n / d)


@pytest.mark.parametrize(
    ("name", "function", "ulps"),
    [
        ("v_rcp_f32", lambda x: 1 / x, 1), ("v_rsq_f32", lambda x: 1 / np.sqrt(x), 1), ("v_sqrt_f32", np.sqrt, 1),
        ("v_exp_f32", np.exp2, 1), ("v_log_f32", np.log2, 1), ("v_sin_f32", lambda x: np.sin(2 * np.pi * x), 1),
        ("v_cos_f32", lambda x: np.cos(2 * np.pi * x), 1),
    ],
)  # fmt: skip
def test_transcendental(name: str, function: Any, ulps: int) -> None:
    """Within the ISA's stated one unit in the last place of the f64 value."""
    x = np.abs(floats(20, edges=False)) + F32(1e-3)
    actual, exact = run_assembly(f"{name}_e32 v1, v0", {0: x}).v(1, F32), function(x.astype(F64))
    assert (np.abs(actual - exact) <= ulps * np.spacing(np.abs(exact).astype(F32))).all()


def test_rounding_and_parts() -> None:
    x = floats()
    names = ["floor", "ceil", "trunc", "rndne", "fract", "frexp_mant"]
    text = "\n".join(f"v_{n}_f32_e32 v{1 + i}, v0" for i, n in enumerate(names))
    r = run_assembly(text + "\nv_frexp_exp_i32_f32_e32 v8, v0\nv_ldexp_f32 v9, v0, v10", {0: x, 10: np.full(64, -3)
                                                                                       .astype(I32)})  # fmt: skip
    with np.errstate(all="ignore"):
        for i, function in enumerate((np.floor, np.ceil, np.trunc, np.rint)):
            same(r.v(1 + i, F32), function(x))
        finite = np.isfinite(x)
        np.testing.assert_array_equal(r.v(5, F32)[finite], np.fmin(x - np.floor(x), F32(1 - 2.0**-24))[finite])
        same(r.v(6, F32)[finite], np.frexp(x[finite])[0])
        same(r.v(8, I32)[finite], np.frexp(x[finite])[1])
        same(r.v(9, F32), np.ldexp(x, -3))


def test_packed() -> None:
    a, b = RNG.standard_normal((2, 64, 2)).astype(F16), RNG.standard_normal((2, 64, 2)).astype(F16)
    r = run_assembly(
        "v_pk_add_f16 v4, v0, v1\nv_pk_mul_f16 v5, v0, v1 op_sel:[1,0] op_sel_hi:[0,1]\n"
        "v_pk_fma_f16 v6, v0, v1, v0 neg_lo:[0,0,1]\nv_pk_add_u16 v7, v0, v1\nv_pk_mul_f16 v8, v0, 2.0 op_sel_hi:[1,0]",
        {0: a[0].view(U32)[:, 0], 1: b[0].view(U32)[:, 0]},
    )
    x, y = a[0], b[0]
    same(r.v(4, F16).reshape(64, 2), x + y)
    same(r.v(5, F16).reshape(64, 2), np.stack([x[:, 1] * y[:, 0], x[:, 0] * y[:, 1]], 1))
    exact = x.astype(F64) * y + x * np.array([-1.0, 1.0])
    same(r.v(6, F16).reshape(64, 2), exact.astype(F16))
    same(r.v(7, np.uint16).reshape(64, 2), x.view(np.uint16) + y.view(np.uint16))
    same(r.v(8, F16).reshape(64, 2), x * F16(2))
    p, q = floats(edges=False), floats(edges=False)
    r = run_assembly(
        "v_pk_mul_f32 v[4:5], v[0:1], v[0:1] op_sel_hi:[1,0]\nv_pk_add_f32 v[6:7], v[0:1], v[0:1] op_sel:[1,0] "
        "op_sel_hi:[0,1] neg_lo:[0,1] neg_hi:[0,1]\nv_pk_mul_f32 v[8:9], v[0:1], s[2:3]\n"
        "v_pk_mov_b32 v[10:11], v[0:1], v[0:1] op_sel:[1,0]",
        {0: p, 1: q}, {2: 0x40000000, 3: 0x40400000},
    )  # fmt: skip
    results = (p * p, q * p, q - p, p - q, p * 2, q * 3, q, p)
    for register, expected in enumerate(results, 4):
        same(r.v(register, F32), expected)


def test_half_precision() -> None:
    a, b = RNG.standard_normal((2, 64)).astype(F16)
    high = (a.view(np.uint16).astype(U32) << U32(16)) | b.view(np.uint16)
    r = run_assembly(
        "v_add_f16_e32 v2, v0, v1\nv_mul_f16_e64 v3, v0, v1 op_sel:[1,0,0]\nv_cvt_f32_f16_e32 v4, v0\n"
        "v_cvt_f32_f16_sdwa v5, v0 dst_sel:DWORD dst_unused:UNUSED_PAD src0_sel:WORD_1\n"
        "v_mov_b32 v6, v0\nv_add_f16_sdwa v6, v0, v1 dst_sel:WORD_1 dst_unused:UNUSED_PRESERVE "
        "src0_sel:WORD_1 src1_sel:WORD_0\nv_fma_mix_f32 v7, v0, v1, v4 op_sel:[1,0,0] op_sel_hi:[1,1,0]\n"
        "v_mov_b32 v8, v0\nv_add_f16_e64 v8, v0, v1 op_sel:[0,0,1]\n"
        "v_fma_mixlo_f16 v0, v0, v1, 1.0 op_sel:[1,0,0] op_sel_hi:[1,1,0]",
        {0: high, 1: b.view(np.uint16).astype(U32)},
    )
    same(r.v(2), (b + b).view(np.uint16))
    same(r.v(3), (a * b).view(np.uint16))
    same(r.v(4, F32), b)
    same(r.v(5, F32), a)
    same(r.v(6), ((a + b).view(np.uint16).astype(U32) << U32(16)) | b.view(np.uint16))
    same(r.v(8), ((b + b).view(np.uint16).astype(U32) << U32(16)) | b.view(np.uint16))
    product = a.astype(F64) * b
    same(r.v(7, F32), (product + b).astype(F32))
    same(r.v(0, F16)[0::2], (product + 1).astype(F32).astype(F16))
    same(r.v(0, F16)[1::2], a)


def test_compare_and_select() -> None:
    a, b = floats(), floats()
    b[::3] = a[::3]
    r = run_assembly(
        "v_cmp_lt_f32_e32 vcc, v0, v1\nv_cndmask_b32_e32 v2, v0, v1, vcc\nv_cmp_nge_f32_e64 s[2:3], v0, v1\n"
        "v_cmp_class_f32_e64 s[4:5], v0, 3\nv_cmp_gt_i32_e64 s[6:7], 0, v0\nv_cmp_class_f32_e64 s[8:9], v0, v3",
        {0: a, 1: b, 3: np.full(64, 0x90, U32)},
    )
    less = a < b
    mask = lambda lanes: sum(1 << int(i) for i in np.flatnonzero(lanes))  # noqa: E731
    assert r.s64(106) == mask(less)
    np.testing.assert_array_equal(r.v(2, F32), np.where(less, b, a))
    assert r.s64(2) == mask(~(a >= b))
    assert r.s64(4) == mask(np.isnan(a))
    assert r.s64(6) == mask(a.view(I32) < 0)
    tiny = (np.abs(a) < 2.0**-126) & (a != 0)
    assert r.s64(8) == mask((tiny & np.signbit(a)) | (tiny & ~np.signbit(a)))


def test_partial_exec() -> None:
    a = words()
    r = run_assembly(
        "v_add_u32_e32 v1, 1, v0\nv_cmp_le_u32_e32 vcc, 0, v0\nv_readfirstlane_b32 s4, v0",
        {0: a, 1: np.zeros(64, U32)}, exec_mask=0xF0F0,
    )  # fmt: skip
    on = np.array([0xF0F0 >> i & 1 for i in range(64)], bool)
    same(r.v(1), np.where(on, a + U32(1), 0))
    assert r.s64(106) == 0xF0F0
    assert r.s(4) == int(a[4])


def test_conversions() -> None:
    x = floats(1e3)
    x[-3:] = [5e9, -5e9, 2.5]
    r = run_assembly(
        "v_cvt_i32_f32_e32 v1, v0\nv_cvt_u32_f32_e32 v2, v0\nv_cvt_f32_i32_e32 v3, v1\nv_cvt_f16_f32_e32 v4, v0\n"
        "v_cvt_pkrtz_f16_f32 v5, v0, v0\nv_cvt_f64_f32_e32 v[6:7], v0\nv_cvt_f32_f64_e32 v8, v[6:7]\n"
        "v_cvt_f32_ubyte2_e32 v9, v0",
        {0: x},
    )
    whole = [0 if math.isnan(v) else int(max(min(float(v), 2**40), -(2**40))) for v in x]
    same(r.v(1, I32), [max(min(v, 2**31 - 1), -(2**31)) for v in whole])
    same(r.v(2), [max(min(v, 2**32 - 1), 0) for v in whole])
    same(r.v(3, F32), r.v(1, I32).astype(F32))
    with np.errstate(all="ignore"):
        same(r.v(4, F16)[0::2], x.astype(F16))
        near = x.astype(F16)
        cut = np.where(np.abs(near.astype(F64)) > np.abs(x.astype(F64)), np.nextafter(near, F16(0)), near)
    same(r.v(5, F16)[0::2], cut)
    same(r.v(8, F32), x)
    same(r.v(9, F32), x.view(np.uint8).reshape(64, 4)[:, 2].astype(F32))


def test_subnormals_flush_when_the_mode_says_so() -> None:
    x = np.full(64, 1e-40, F32)
    text = "v_add_f32_e32 v1, v0, v0\nv_mul_f32_e32 v2, 1.0, v0\nv_min_f32_e32 v3, v0, v0"
    kept, flushed = run_assembly(text, {0: x}), run_assembly(text, {0: x}, flush_f32=True)
    for register in (1, 2, 3):
        assert (kept.v(register, F32) > 0).all()
        assert (flushed.v(register, F32) == 0).all()


def test_output_modifiers() -> None:
    x = floats(edges=False)
    r = run_assembly("v_add_f32_e64 v1, v0, v0 clamp\nv_mul_f32_e64 v2, v0, 1.0 mul:2\nv_add_u32_e64 v3, v0, v0 clamp",
                     {0: x})  # fmt: skip
    same(r.v(1, F32), np.clip(x + x, 0, 1))
    same(r.v(2, F32), x * 2)
    same(r.v(3), np.minimum(x.view(U32).astype(U64) * U64(2), U64(2**32 - 1)))


def test_dot_products() -> None:
    a, b, c = words(), RNG.permutation(words()), words()
    x, y = RNG.standard_normal((2, 64, 2)).astype(F16)
    r = run_assembly(
        "v_dot4_i32_i8 v6, v0, v1, v2\nv_mov_b32 v7, v2\nv_dot4c_i32_i8_e32 v7, v0, v1\nv_dot2_u32_u16 v8, v0, v1, v2\n"
        "v_dot2_f32_f16 v9, v3, v4, v5",
        {0: a, 1: b, 2: c, 3: x.view(U32)[:, 0], 4: y.view(U32)[:, 0], 5: floats(edges=False)},
    )
    bytes_a, bytes_b = (z.view(np.int8).reshape(64, 4).astype(I64) for z in (a, b))
    expected = ((bytes_a * bytes_b).sum(1) + c.view(I32)).astype(I32)
    same(r.v(6, I32), expected)
    same(r.v(7, I32), expected)
    halves_a, halves_b = (z.view(np.uint16).reshape(64, 2).astype(I64) for z in (a, b))
    same(r.v(8), ((halves_a * halves_b).sum(1) + c).astype(U32))
    same(r.v(9, F32), ((x.astype(F64) * y).sum(1) + r.v(5, F32)).astype(F32))
