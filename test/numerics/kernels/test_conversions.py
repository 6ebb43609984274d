# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Casts among all element types, over all codes of the narrow ones and dense sweeps of the wide ones, bit for bit."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from harness import DTYPES, Kernels
from kernel_text import KernelText

FP8 = {
    "f8E4M3FNUZ": ml_dtypes.float8_e4m3fnuz, "f8E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
    "f8E4M3FN": ml_dtypes.float8_e4m3fn, "f8E5M2": ml_dtypes.float8_e5m2,
}  # fmt: skip
NARROW = {**FP8, "f16": np.float16, "bf16": ml_dtypes.bfloat16}
INTEGERS = {"i64": np.int64, "i32": np.int32, "i16": np.int16, "i8": np.int8, "i1": np.bool_}


def all_codes(element: str) -> np.ndarray:
    """Every value of an 8- or 16-bit type."""
    dtype = np.dtype(DTYPES[element])
    return np.arange(1 << 8 * dtype.itemsize, dtype=np.uint32).astype(f"u{dtype.itemsize}").view(dtype)


def sweep(element: str) -> np.ndarray:
    """f32 values that decide how a conversion to `element` rounds: all of its own (every 16th of the 16-bit types'),
    the middles between neighbours, the f32 neighbours of both, and what lies past its range."""
    own = all_codes(element).astype(np.float32)
    own = np.unique(own[np.isfinite(own)])
    own = own if own.size < 256 else np.concatenate([own[::16], own[1::16], own[:40], own[-40:]])
    own.sort()
    middles = ((own[1:].astype(np.float64) + own[:-1]) / 2).astype(np.float32)
    points = np.concatenate([own, middles])
    far = np.float32([0.0, -0.0, np.inf, -np.inf, np.nan, 3e38, -3e38, 1e-40, -1e-40, 1e-45])
    largest = np.abs(own).max()
    past = np.linspace(largest, min(float(largest) * 1.5, 3.4e38), 200).astype(np.float32)
    values = np.concatenate([points, np.nextafter(points, np.inf), np.nextafter(points, -np.inf), far, past, -past])
    return np.resize(values, -(-values.size // 16) * 16).astype(np.float32)


def cast(op: str, source: str, target: str, count: int) -> str:
    kernel = KernelText("elementwise")
    x = kernel.argument((count,), source)
    return kernel.text(kernel.pointwise([x], target, [f"%r = arith.{op} %a : {source} to {target}"], "%r", hero=True))


def quantized(target: str, scale: float, count: int, source: str = "f32") -> str:
    kernel = KernelText("elementwise")
    return kernel.text(kernel.quantize(kernel.argument((count,), source), scale, target, hero=True))


def dequantized(source: str, scale: float, target: str) -> str:
    kernel = KernelText("elementwise")
    x = kernel.argument((256,), source)
    result = kernel.value(
        f'"fovea.dequantize"({x.name}) {{fovea.hero, axis = -1 : i64, scale = dense<{scale}> : tensor<f32>}} : '
        f"({x.type}) -> tensor<256x{target}>",
        (256,),
        target,
    )
    return kernel.text(result)


SCALES = (1.0, 0.0625, 0.3)
SWEEPS = {element: sweep(element) for element in NARROW}
HALVES = ("f16", "bf16")
INTEGER_COUNT = 4096
INTEGER_CASTS = (
    [("extsi", a, b) for a, b in (("i8", "i32"), ("i16", "i64"), ("i32", "i64"), ("i1", "i32"))]
    + [("extui", a, b) for a, b in (("i8", "i32"), ("i1", "i64"), ("i32", "i64"), ("i1", "i8"))]
    + [("trunci", a, b) for a, b in (("i64", "i32"), ("i32", "i16"), ("i64", "i8"), ("i32", "i1"))]
    + [("sitofp", a, b) for a in INTEGERS for b in ("f32", "f16", "bf16")]
    + [("uitofp", a, "f32") for a in INTEGERS]
)
TO_INTEGER = [(op, a, b) for op in ("fptosi", "fptoui") for a in ("f32", "f16", "bf16") for b in ("i64", "i32", "i8")]
KERNELS = Kernels(
    {f"quantize-{e}-{s}": quantized(e, s, SWEEPS[e].size) for e in FP8 for s in SCALES}
    | {f"quantize-{h}": quantized("f8E4M3FNUZ", 0.25, 65536, h) for h in HALVES}
    | {f"dequantize-{e}-{s}-{t}": dequantized(e, s, t) for e in FP8 for s in SCALES for t in ("f32", "f16", "bf16")}
    | {f"truncf-f32-{e}": cast("truncf", "f32", e, SWEEPS[e].size) for e in NARROW}
    | {f"truncf-{h}-{e}": cast("truncf", h, e, 65536) for h in HALVES for e in ("f8E4M3FNUZ", "f8E5M2")}
    | {f"extf-{e}-f32": cast("extf", e, "f32", all_codes(e).size) for e in NARROW}
    | {f"extf-{e}-{h}": cast("extf", e, h, 256) for e in FP8 for h in HALVES}
    | {f"{op}-{a}-{b}": cast(op, a, b, INTEGER_COUNT) for op, a, b in INTEGER_CASTS + TO_INTEGER}
)


def assert_same(emulated: np.ndarray, exact: np.ndarray) -> None:
    """Equal bits, but that any NaN is as good as another; subnormal f32 are exact too."""
    emulated, exact = np.asarray(emulated), np.asarray(exact)
    wide, expected = emulated.astype(np.float64), exact.astype(np.float64)
    same = (wide == expected) & (np.signbit(wide) == np.signbit(expected)) | np.isnan(wide) & np.isnan(expected)
    wrong = np.flatnonzero(~same)
    assert not wrong.size, f"{wrong.size} differ, first {emulated[wrong[0]]} instead of {exact[wrong[0]]}"


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("element", FP8)
def test_quantize(element: str, scale: float) -> None:
    """x * (1 / scale) in f32, within the largest finite values, to nearest even. NaN stays NaN."""
    x = SWEEPS[element] * np.float32(scale)
    result = KERNELS.run(f"quantize-{element}-{scale}", [x])
    largest = float(ml_dtypes.finfo(FP8[element]).max)
    exact = np.clip(x * (np.float32(1) / np.float32(scale)), -largest, largest).astype(FP8[element])
    assert_same(result.raw_emulated[0], exact)
    assert_same(result.raw_expected[0], exact)


@pytest.mark.parametrize("source", HALVES)
def test_quantize_halves(source: str) -> None:
    x = all_codes(source)
    result = KERNELS.run(f"quantize-{source}", [x])
    with np.errstate(over="ignore"):
        assert_same(result.raw_emulated[0], np.clip(x.astype(np.float32) * 4, -240, 240).astype(FP8["f8E4M3FNUZ"]))


@pytest.mark.parametrize("target", ["f32", "f16", "bf16"])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("element", FP8)
def test_dequantize(element: str, scale: float, target: str) -> None:
    codes = all_codes(element)
    result = KERNELS.run(f"dequantize-{element}-{scale}-{target}", [codes])
    with np.errstate(over="ignore"):
        assert_same(result.raw_emulated[0], (codes.astype(np.float32) * np.float32(scale)).astype(DTYPES[target]))


@pytest.mark.parametrize("element", NARROW)
def test_narrowing(element: str) -> None:
    """To nearest even; past the range what the format has for it: infinity, or NaN."""
    result = KERNELS.run(f"truncf-f32-{element}", [SWEEPS[element]])
    with np.errstate(over="ignore"):
        assert_same(result.raw_emulated[0], SWEEPS[element].astype(NARROW[element]))


@pytest.mark.parametrize("element", ["f8E4M3FNUZ", "f8E5M2"])
@pytest.mark.parametrize("source", HALVES)
def test_narrowing_halves(source: str, element: str) -> None:
    codes = all_codes(source)
    result = KERNELS.run(f"truncf-{source}-{element}", [codes])
    with np.errstate(over="ignore"):
        assert_same(result.raw_emulated[0], codes.astype(np.float32).astype(FP8[element]))


@pytest.mark.parametrize(
    ("element", "target"), [(e, "f32") for e in NARROW] + [(e, h) for e in FP8 for h in HALVES]
)
def test_widening(element: str, target: str) -> None:
    codes = all_codes(element)
    result = KERNELS.run(f"extf-{element}-{target}", [codes])
    assert_same(result.raw_emulated[0], codes.astype(np.float32).astype(DTYPES[target]))


def integers(element: str) -> np.ndarray:
    """Extreme values, powers of two and their neighbours, and random bits."""
    rng = np.random.default_rng(9)
    if element == "i1":
        return rng.random(INTEGER_COUNT) < 0.5
    bits = np.dtype(INTEGERS[element]).itemsize * 8
    powers = [s * 2**e + d for e in range(bits - 1) for d in (-1, 0, 1) for s in (1, -1)]
    powers += [2 ** (bits - 1) - 1, -(2 ** (bits - 1))]
    noise = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), INTEGER_COUNT - len(powers), dtype=np.int64)
    small = noise >> rng.integers(0, bits, noise.size)
    return np.concatenate([np.array(powers, np.int64), small]).astype(INTEGERS[element])


@pytest.mark.parametrize(("op", "source", "target"), INTEGER_CASTS)
def test_integers(op: str, source: str, target: str) -> None:
    x = integers(source)
    unsigned = op in ("extui", "uitofp") and source != "i1"
    signed_bit = -x.astype(np.int8) if source == "i1" and op in ("extsi", "sitofp") else x
    value = signed_bit.view(f"u{x.dtype.itemsize}") if unsigned else signed_bit
    if target == "i1":
        exact = (value & 1).astype(bool)
    elif target == "bf16":  # NumPy would go through f64, which rounds twice only past 53 bits
        exact = nearest_bfloat16(value)
    else:
        with np.errstate(over="ignore"):
            exact = value.astype(DTYPES[target])
    assert_same(KERNELS.run(f"{op}-{source}-{target}", [x]).raw_emulated[0], exact)


def nearest_bfloat16(value: np.ndarray) -> np.ndarray:
    """Integers to bf16 in one rounding: the low bits that f64 lacks only matter as a sticky bit."""
    integer = value.astype(np.int64)
    magnitude = np.abs(integer.astype(object))
    rounded = []
    for number, whole in zip(integer, magnitude, strict=True):
        drop = max(int(whole).bit_length() - 8, 0)
        low, kept = int(whole) & ((1 << drop) - 1), int(whole) >> drop
        half = 1 << drop >> 1
        kept += int(drop > 0 and (low > half or (low == half and kept & 1)))
        rounded.append((-1 if number < 0 else 1) * float(kept << drop))
    return np.array(rounded).astype(ml_dtypes.bfloat16)


@pytest.mark.parametrize(("op", "source", "target"), TO_INTEGER)
def test_floats_to_integers(op: str, source: str, target: str) -> None:
    """Toward zero, for values that the target holds: beyond, the op's result is undefined."""
    bits = np.dtype(INTEGERS[target]).itemsize * 8
    unsigned = op == "fptoui"
    rng = np.random.default_rng(10)
    reach = min(bits - 1, 15 if source == "f16" else bits - 1)
    x = np.exp2(rng.uniform(-2, reach, INTEGER_COUNT)) * (1 if unsigned else rng.choice([-1, 1], INTEGER_COUNT))
    x = x.astype(DTYPES[source])
    x = np.where(np.abs(x.astype(np.float64)) < 2.0 ** (bits - 1), x, np.ones((), x.dtype))
    exact = np.trunc(x.astype(np.float64)).astype(INTEGERS[target])
    np.testing.assert_array_equal(KERNELS.run(f"{op}-{source}-{target}", [x]).raw_emulated[0], exact)
