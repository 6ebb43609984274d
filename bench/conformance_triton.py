# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels in Triton's language, compiled for AMD chips without a GPU, with what numpy says of their results."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np
from conformance_cases import Case, Launch, erf

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import triton
    import triton.language as tl
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

F16, F32 = np.float16, np.float32
_NAMES = {
    "float64": "fp64", "float32": "fp32", "float16": "fp16", "bfloat16": "bf16", "int32": "i32", "uint8": "u8",
    "int8": "i8",
    "float8_e4m3fnuz": "fp8e4b8", "float8_e5m2fnuz": "fp8e5b16", "float8_e4m3fn": "fp8e4nv", "float8_e5m2": "fp8e5",
}  # fmt: skip


@triton.jit
def softmax_kernel(x, y, columns, B: tl.constexpr):
    row = tl.program_id(0)
    at = tl.arange(0, B)
    value = tl.load(x + row * columns + at, mask=at < columns, other=-float("inf"))
    value = tl.exp(value - tl.max(value, axis=0))
    tl.store(y + row * columns + at, value / tl.sum(value, axis=0), mask=at < columns)


@triton.jit
def layer_norm_kernel(x, w, b, y, columns, epsilon, B: tl.constexpr):
    row = tl.program_id(0)
    at = tl.arange(0, B)
    value = tl.load(x + row * columns + at, mask=at < columns, other=0.0).to(tl.float32)
    mean = tl.sum(value, axis=0) / columns
    centred = tl.where(at < columns, value - mean, 0.0)
    variance = tl.sum(centred * centred, axis=0) / columns
    scaled = centred * (1 / tl.sqrt(variance + epsilon))
    weight = tl.load(w + at, mask=at < columns, other=0.0)
    bias = tl.load(b + at, mask=at < columns, other=0.0)
    tl.store(y + row * columns + at, (scaled * weight + bias).to(tl.float16), mask=at < columns)


@triton.jit
def gelu_kernel(x, y, n, B: tl.constexpr):
    at = tl.program_id(0) * B + tl.arange(0, B)
    value = tl.load(x + at, mask=at < n)
    tl.store(y + at, 0.5 * value * (1 + tl.erf(value * 0.7071067811865476)), mask=at < n)


@triton.jit
def gemm_kernel(a, b, c, M, N, K, sam, sak, sbk, sbn, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    rm = tl.program_id(0) * BM + tl.arange(0, BM)
    rn = tl.program_id(1) * BN + tl.arange(0, BN)
    total = tl.zeros((BM, BN), dtype=tl.float32)
    for k in range(0, K, BK):
        rk = k + tl.arange(0, BK)
        left = tl.load(a + rm[:, None] * sam + rk[None, :] * sak)
        right = tl.load(b + rk[:, None] * sbk + rn[None, :] * sbn)
        total = tl.dot(left, right, total)
    tl.store(c + rm[:, None] * N + rn[None, :], total.to(c.dtype.element_ty))


@triton.jit
def scaled_gemm_kernel(
    a, b, sa, sb, c, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, FA: tl.constexpr,
    FB: tl.constexpr, DA: tl.constexpr, DB: tl.constexpr
):  # fmt: skip
    rm = tl.program_id(0) * BM + tl.arange(0, BM)
    rn = tl.program_id(1) * BN + tl.arange(0, BN)
    total = tl.zeros((BM, BN), dtype=tl.float32)
    for k in range(0, K, BK):
        ka = k // DA + tl.arange(0, BK // DA)
        kb = k // DB + tl.arange(0, BK // DB)
        ks = k // 32 + tl.arange(0, BK // 32)
        left = tl.load(a + rm[:, None] * (K // DA) + ka[None, :])
        right = tl.load(b + kb[:, None] + rn[None, :] * (K // DB))
        scale_left = tl.load(sa + rm[:, None] * (K // 32) + ks[None, :])
        scale_right = tl.load(sb + rn[:, None] * (K // 32) + ks[None, :])
        total = tl.dot_scaled(left, scale_left, FA, right, scale_right, FB, total)
    tl.store(c + rm[:, None] * N + rn[None, :], total)


@triton.jit
def integer_gemm_kernel(a, b, c, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    rm = tl.program_id(0) * BM + tl.arange(0, BM)
    rn = tl.program_id(1) * BN + tl.arange(0, BN)
    total = tl.zeros((BM, BN), dtype=tl.int32)
    for k in range(0, K, BK):
        rk = k + tl.arange(0, BK)
        total += tl.dot(tl.load(a + rm[:, None] * K + rk[None, :]), tl.load(b + rk[:, None] * N + rn[None, :]))
    tl.store(c + rm[:, None] * N + rn[None, :], total)


@triton.jit
def scan_kernel(x, sums, order, largest, B: tl.constexpr):
    at = tl.program_id(0) * B + tl.arange(0, B)
    value = tl.load(x + at)
    tl.store(sums + at, tl.cumsum(value, axis=0))
    tl.store(order + at, tl.sort(value))
    tl.store(largest + tl.program_id(0), tl.argmax(value, axis=0))


@triton.jit
def double_kernel(x, y, n, B: tl.constexpr):
    at = tl.program_id(0) * B + tl.arange(0, B)
    value = tl.load(x + at, mask=at < n, other=1.0)
    tl.store(y + at, tl.exp(value) / tl.sqrt(value * value + 1) + tl.log(value * value + 1), mask=at < n)


@triton.jit
def to_fp8_kernel(x, y, n, B: tl.constexpr):
    at = tl.program_id(0) * B + tl.arange(0, B)
    tl.store(y + at, tl.load(x + at, mask=at < n).to(y.dtype.element_ty), mask=at < n)


@triton.jit
def attention_kernel(q, k, v, o, S, scale, D: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr):
    head = tl.program_id(1) * S * D
    rm = tl.program_id(0) * BM + tl.arange(0, BM)
    rd = tl.arange(0, D)
    query = tl.load(q + head + rm[:, None] * D + rd[None, :])
    largest = tl.full((BM,), -float("inf"), dtype=tl.float32)
    weight = tl.zeros((BM,), dtype=tl.float32)
    total = tl.zeros((BM, D), dtype=tl.float32)
    for n in range(0, S, BN):
        rn = n + tl.arange(0, BN)
        keys = tl.load(k + head + rn[None, :] * D + rd[:, None])
        values = tl.load(v + head + rn[:, None] * D + rd[None, :])
        score = tl.dot(query, keys) * scale
        higher = tl.maximum(largest, tl.max(score, 1))
        p = tl.exp2((score - higher[:, None]) * 1.4426950408889634)
        old = tl.exp2((largest - higher) * 1.4426950408889634)
        weight = weight * old + tl.sum(p, 1)
        total = tl.dot(p.to(values.dtype), values, total * old[:, None])
        largest = higher
    tl.store(o + head + rm[:, None] * D + rd[None, :], (total / weight[:, None]).to(o.dtype.element_ty))


@triton.jit
def convolution_kernel(
    x, w, y, H, W, C: tl.constexpr, F: tl.constexpr, OH, OW, BP: tl.constexpr, BC: tl.constexpr
):  # fmt: skip
    pixel = tl.program_id(0) * BP + tl.arange(0, BP)
    inside = pixel < OH * OW
    row, column = pixel // OW, pixel % OW
    filters = tl.arange(0, F)
    total = tl.zeros((BP, F), dtype=tl.float32)
    for kh in range(3):
        for kw in range(3):
            for c in range(0, C, BC):
                channel = c + tl.arange(0, BC)
                at = ((row + kh) * W + column + kw)[:, None] * C + channel[None, :]
                left = tl.load(x + at, mask=inside[:, None], other=0.0)
                right = tl.load(w + ((kh * 3 + kw) * C + channel)[:, None] * F + filters[None, :])
                total = tl.dot(left, right, total)
    tl.store(y + pixel[:, None] * F + filters[None, :], total, mask=inside[:, None])


@triton.jit
def atomics_kernel(x, histogram, total, biggest, n, B: tl.constexpr):
    at = tl.program_id(0) * B + tl.arange(0, B)
    value = tl.load(x + at, mask=at < n, other=0)
    tl.atomic_add(histogram + value, 1, mask=at < n)
    tl.atomic_add(total, tl.sum(value.to(tl.float32)))
    tl.atomic_max(biggest, tl.max(value))


def _launch(
    chip: str, lanes: int, kernel: Any, args: dict[str, Any], constants: dict[str, Any], grid: tuple[int, ...],
    expected: dict[str, Any], tolerance: float, **options: Any,
) -> Launch:  # fmt: skip
    signature = {}
    for name, value in args.items():
        kind = _NAMES[value.dtype.name]
        signature[name] = f"*{kind}" if isinstance(value, np.ndarray) else kind
    signature |= dict.fromkeys(constants, "constexpr")
    # Arrays and sizes are multiples of 16, arrays below 2 GiB, as Triton's own launcher would find.
    attributes = {
        (i,): [["tt.divisibility", 16], *([["tt.pointer_range", 32]] if isinstance(value, np.ndarray) else [])]
        for i, value in enumerate(args.values())
        if isinstance(value, np.ndarray) or (value.dtype.kind == "i" and value % 16 == 0)
    }
    ordered = {name: signature[name] for name in kernel.arg_names}
    attributes = {(list(kernel.arg_names).index(list(args)[key[0]]),): value for key, value in attributes.items()}
    source = ASTSource(kernel, ordered, constants, attributes)
    built = triton.compile(source, target=GPUTarget("hip", chip, lanes), options=options)
    return Launch(
        built.asm["hsaco"], built.metadata.name, (*grid, 1, 1)[:3], (built.metadata.num_warps * lanes, 1, 1),
        list(args.values()), [(args[name], value, tolerance) for name, value in expected.items()],
        dynamic_lds=built.metadata.shared,
    )  # fmt: skip


def _gemm(
    kind: Any, m: int, n: int, k: int, tile: tuple[int, int, int], transposed: bool = True,
    tolerance: float = 2.0**-21, **options: Any
) -> Callable[[str, int], Launch]:  # fmt: skip
    def build(chip: str, lanes: int) -> Launch:
        rng = np.random.default_rng(1)
        a = rng.standard_normal((m, k)).astype(F32).astype(kind)
        b = rng.standard_normal((k, n)).astype(F32).astype(kind)
        stored = np.ascontiguousarray(b.T) if transposed else b
        c = np.zeros((m, n), F32)
        sizes = dict(zip(("M", "N", "K"), (np.int32(v) for v in (m, n, k)), strict=True))
        strides = {"sam": np.int32(k), "sak": np.int32(1), "sbk": np.int32(1 if transposed else n),
                   "sbn": np.int32(k if transposed else 1)}  # fmt: skip
        exact = a.astype(np.float64) @ b.astype(np.float64)
        constants = dict(zip(("BM", "BN", "BK"), tile, strict=True))
        # Stride 1 is a constant to Triton's launcher.
        constants |= {name: 1 for name, value in strides.items() if value == 1}
        return _launch(
            chip, lanes, gemm_kernel,
            {"a": a, "b": stored, "c": c, **sizes, **{s: v for s, v in strides.items() if v != 1}},
            constants, (m // tile[0], n // tile[1]), {"c": exact}, k * tolerance, **options,
        )  # fmt: skip

    return build


def _pack4(codes: Any) -> Any:
    return (codes[..., 0::2] | codes[..., 1::2] << 4).astype(np.uint8)


def _scaled(
    kind_a: str, kind_b: str, m: int = 64, n: int = 64, k: int = 256, **options: Any
) -> Callable[[str, int], Launch]:
    """`dot_scaled` with E8M0 scales of 32 values each along k."""
    types = {"e4m3": ml_dtypes.float8_e4m3fn, "e5m2": ml_dtypes.float8_e5m2, "e2m1": ml_dtypes.float4_e2m1fn}

    def build(chip: str, lanes: int) -> Launch:
        rng = np.random.default_rng(2)
        values, codes, scales, exponents, packs = [], [], [], [], []
        for kind, rows in ((kind_a, m), (kind_b, n)):
            value = rng.standard_normal((rows, k)).astype(F32).astype(types[kind])
            power = rng.integers(-6, 7, (rows, k // 32))
            values.append(value.astype(np.float64))
            pack = 2 if kind == "e2m1" else 1
            codes.append(_pack4(value.view(np.uint8)) if pack == 2 else value)
            packs.append(pack)
            scales.append(np.repeat(2.0**power, 32, axis=1))
            exponents.append((power + 127).astype(np.uint8))
        exact = (values[0] * scales[0]) @ (values[1] * scales[1]).T
        sizes = dict(zip(("M", "N", "K"), (np.int32(v) for v in (m, n, k)), strict=True))
        return _launch(
            chip, lanes, scaled_gemm_kernel,
            {"a": codes[0], "b": codes[1], "sa": exponents[0], "sb": exponents[1], "c": np.zeros((m, n), F32),
             **sizes},
            {"BM": m, "BN": n, "BK": 128, "FA": kind_a, "FB": kind_b, "DA": packs[0], "DB": packs[1]}, (1, 1),
            {"c": exact}, float(np.abs(exact).max()) * k * 2.0**-22, **options,
        )  # fmt: skip

    return build


def _softmax(chip: str, lanes: int) -> Launch:
    rng = np.random.default_rng(3)
    x = (4 * rng.standard_normal((32, 777))).astype(F32)
    wide = np.exp(x.astype(np.float64) - x.max(1, keepdims=True))
    return _launch(
        chip, lanes, softmax_kernel, {"x": x, "y": np.zeros_like(x), "columns": np.int32(777)}, {"B": 1024}, (32,),
        {"y": wide / wide.sum(1, keepdims=True)}, 2e-6,
    )  # fmt: skip


def _layer_norm(chip: str, lanes: int) -> Launch:
    rng = np.random.default_rng(4)
    x = rng.standard_normal((16, 384)).astype(F16)
    w, b = rng.standard_normal(384).astype(F32), rng.standard_normal(384).astype(F32)
    wide = x.astype(np.float64)
    centred = wide - wide.mean(1, keepdims=True)
    expected = centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5) * w + b
    args = {"x": x, "w": w, "b": b, "y": np.zeros_like(x), "columns": np.int32(384), "epsilon": F32(1e-5)}
    return _launch(chip, lanes, layer_norm_kernel, args, {"B": 512}, (16,), {"y": expected}, 8 * 2.0**-11)


def _gelu(chip: str, lanes: int) -> Launch:
    x = np.random.default_rng(5).standard_normal(5000).astype(F32) * F32(2)
    wide = x.astype(np.float64)
    args = {"x": x, "y": np.zeros_like(x), "n": np.int32(5000)}
    expected = 0.5 * wide * (1 + erf(wide * math.sqrt(0.5)))
    return _launch(chip, lanes, gelu_kernel, args, {"B": 1024}, (5,), {"y": expected}, 2e-6)


def _integer_gemm(chip: str, lanes: int) -> Launch:
    rng = np.random.default_rng(9)
    a, b = rng.integers(-128, 128, (64, 128)).astype(np.int8), rng.integers(-128, 128, (128, 64)).astype(np.int8)
    args = {"a": a, "b": b, "c": np.zeros((64, 64), np.int32), "N": np.int32(64), "K": np.int32(128)}
    exact = a.astype(np.int64) @ b.astype(np.int64)
    constants = {"BM": 64, "BN": 64, "BK": 64}
    return _launch(chip, lanes, integer_gemm_kernel, args, constants, (1, 1), {"c": exact}, 0)


def _scan(chip: str, lanes: int) -> Launch:
    x = np.random.default_rng(10).standard_normal((3, 512)).astype(F32)
    args = {"x": x, "sums": np.zeros_like(x), "order": np.zeros_like(x), "largest": np.zeros(3, np.int32)}
    expected = {"sums": np.cumsum(x.astype(np.float64), 1), "order": np.sort(x, 1), "largest": x.argmax(1)}
    return _launch(chip, lanes, scan_kernel, args, {"B": 512}, (3,), expected, 1e-4)


def _double(chip: str, lanes: int) -> Launch:
    x = np.random.default_rng(11).standard_normal(700)
    args = {"x": x, "y": np.zeros_like(x), "n": np.int32(700)}
    exact = np.exp(x) / np.sqrt(x * x + 1) + np.log(x * x + 1)
    return _launch(chip, lanes, double_kernel, args, {"B": 256}, (3,), {"y": exact}, 1e-13)


def _to_fp8(kind: Any, source: Any) -> Callable[[str, int], Launch]:
    def build(chip: str, lanes: int) -> Launch:
        x = (np.random.default_rng(12).standard_normal(1000) * 4).astype(source)
        args = {"x": x, "y": np.zeros(1000, kind), "n": np.int32(1000)}
        # The rounding is exact: no difference is allowed.
        return _launch(chip, lanes, to_fp8_kernel, args, {"B": 256}, (4,), {"y": x.astype(kind)}, 0)

    return build


def _attention(kind: Any, heads: int = 2, length: int = 128, width: int = 64) -> Callable[[str, int], Launch]:
    def build(chip: str, lanes: int) -> Launch:
        rng = np.random.default_rng(6)
        q, k, v = (rng.standard_normal((heads, length, width)).astype(F32).astype(kind) for _ in range(3))
        wide = [array.astype(np.float64) for array in (q, k, v)]
        score = np.einsum("hsd,htd->hst", wide[0], wide[1]) / math.sqrt(width)
        p = np.exp(score - score.max(-1, keepdims=True))
        expected = np.einsum("hst,htd->hsd", p / p.sum(-1, keepdims=True), wide[2])
        args = {"q": q, "k": k, "v": v, "o": np.zeros_like(q), "S": np.int32(length),
                "scale": F32(1 / math.sqrt(width))}  # fmt: skip
        constants = {"D": width, "BM": 64, "BN": 32}
        # Probabilities are rounded to the operand type before the second product, then the result is.
        return _launch(
            chip, lanes, attention_kernel, args, constants, (length // 64, heads), {"o": expected},
            2.0**-8 if kind is F16 else 2.0**-5,
        )  # fmt: skip

    return build


def _convolution(chip: str, lanes: int) -> Launch:
    rng = np.random.default_rng(7)
    height, width, channels, filters = 18, 20, 32, 32
    x = rng.standard_normal((height, width, channels)).astype(F16)
    w = rng.standard_normal((3, 3, channels, filters)).astype(F16)
    oh, ow = height - 2, width - 2
    expected = np.zeros((oh, ow, filters))
    for kh in range(3):
        for kw in range(3):
            expected += x[kh : kh + oh, kw : kw + ow].astype(np.float64) @ w[kh, kw].astype(np.float64)
    args = {"x": x, "w": w, "y": np.zeros((oh, ow, filters), F32), "H": np.int32(height), "W": np.int32(width),
            "OH": np.int32(oh), "OW": np.int32(ow)}  # fmt: skip
    constants = {"C": channels, "F": filters, "BP": 64, "BC": 32}
    return _launch(
        chip, lanes, convolution_kernel, args, constants, (-(-oh * ow // 64),), {"y": expected},
        9 * channels * 2.0**-21,
    )  # fmt: skip


def _atomics(chip: str, lanes: int) -> Launch:
    x = np.random.default_rng(8).integers(0, 32, 3000).astype(np.int32)
    args = {"x": x, "histogram": np.zeros(32, np.int32), "total": np.zeros(1, F32), "biggest": np.zeros(1, np.int32),
            "n": np.int32(3000)}  # fmt: skip
    expected = {"histogram": np.bincount(x, minlength=32), "total": np.array([x.sum()]), "biggest": np.array([x.max()])}
    return _launch(chip, lanes, atomics_kernel, args, {"B": 256}, (12,), expected, 0)


def cases(chip: str) -> Iterator[Case]:
    """All cases that the compiler supports on this chip."""
    fnuz = chip == "gfx942"
    fp8: Any = ml_dtypes.float8_e4m3fnuz if fnuz else ml_dtypes.float8_e4m3fn
    bf8: Any = ml_dtypes.float8_e5m2fnuz if fnuz else ml_dtypes.float8_e5m2
    yield Case("triton", "gemm f16 nt", _gemm(F16, 128, 128, 256, (64, 64, 64)))
    yield Case("triton", "gemm f16 nn", _gemm(F16, 128, 128, 256, (64, 64, 64), transposed=False))
    yield Case("triton", "gemm f16 mfma32", _gemm(F16, 128, 128, 128, (128, 128, 64), matrix_instr_nonkdim=32))
    yield Case("triton", "gemm bf16 nn", _gemm(ml_dtypes.bfloat16, 128, 128, 128, (64, 64, 64), transposed=False))
    # Triton lets gfx942 multiply f32 as XF32: both factors are rounded to 11 bits.
    yield Case("triton", "gemm f32", _gemm(F32, 64, 64, 64, (64, 64, 32), tolerance=2.0 ** (-11 if fnuz else -21)))
    yield Case("triton", "gemm fp8 nt", _gemm(fp8, 128, 128, 256, (64, 64, 128)))
    yield Case("triton", "gemm fp8 nn", _gemm(fp8, 128, 128, 256, (64, 64, 128), transposed=False))
    yield Case("triton", "gemm fp8 mfma32", _gemm(fp8, 128, 128, 256, (128, 128, 128), matrix_instr_nonkdim=32))
    yield Case("triton", "gemm bf8 nt", _gemm(bf8, 64, 64, 256, (64, 64, 64)))
    yield Case("triton", "gemm i8", _integer_gemm)
    yield Case("triton", "softmax f32", _softmax)
    yield Case("triton", "layer norm f16", _layer_norm)
    yield Case("triton", "gelu f32", _gelu)
    yield Case("triton", "attention f16", _attention(F16))
    yield Case("triton", "attention bf16", _attention(ml_dtypes.bfloat16))
    yield Case("triton", "convolution f16", _convolution)
    yield Case("triton", "atomics", _atomics)
    yield Case("triton", "scan, sort, argmax", _scan)
    yield Case("triton", "f64", _double)
    yield Case("triton", "f32 to fp8", _to_fp8(fp8, F32))
    yield Case("triton", "f16 to bf8", _to_fp8(bf8, F16))
    if chip in ("gfx942", "gfx950"):
        for kind_a, kind_b in (("e4m3", "e4m3"), ("e5m2", "e4m3"), ("e2m1", "e2m1"), ("e4m3", "e2m1")):
            yield Case("triton", f"scaled gemm {kind_a} {kind_b}", _scaled(kind_a, kind_b))
        yield Case("triton", "scaled gemm mfma32", _scaled("e4m3", "e2m1", matrix_instr_nonkdim=32))
