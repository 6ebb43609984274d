# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is fused into contraction kernels: producers of their operands, initial values, epilogues, several results."""

from __future__ import annotations

from collections.abc import Callable

import ml_dtypes
import numpy as np
import pytest
from harness import DTYPES, Kernels, assert_equal, random_array, relative_error, whole_numbers
from kernel_text import KernelText, Out, Tensor
from test_contraction import ELEMENTS, contraction, multiply_add

EXTENTS = {"aligned": (64, 96, 64), "ragged": (50, 37, 70), "narrow": (3, 6, 20)}


def matmul(kernel: KernelText, a: Tensor, b: Tensor, result: str = "f32", init: Tensor | None = None) -> Tensor:
    """a[m, k] * b[k, n]."""
    start = init or kernel.filled("0.0", (a.shape[0], b.shape[1]), result)
    return multiply_add(kernel, "m, n, k", (a, "m, k"), (b, "k, n"), (start, "m, n"))


# -- producers of operands --------------------------------------------------------------------------------------------


def add_and_narrow(kernel: KernelText, m: int, k: int) -> Tensor:
    x, bias = kernel.argument((m, k), "f32"), kernel.argument((k,), "f32")
    body = ["%s = arith.addf %a, %b : f32", "%h = arith.truncf %s : f32 to f16"]
    return kernel.generic("i, j", [(x, "i, j"), (bias, "j")], Out((m, k), "f16", "i, j"), body, "%h")


def select(kernel: KernelText, m: int, k: int) -> Tensor:
    x, keep = kernel.argument((m, k), "f16"), kernel.argument((m,), "i1")
    zero = kernel.scalar("0.0", "f16")
    body = [f"%s = arith.select %b, %a, {zero} : f16"]
    return kernel.generic("i, j", [(x, "i, j"), (keep, "i")], Out((m, k), "f16", "i, j"), body, "%s")


def gather(kernel: KernelText, m: int, k: int) -> Tensor:
    ids, table = kernel.argument((m,), "i64"), kernel.argument((64, k), "f16")
    body = [
        "%row = arith.index_cast %a : i64 to index",
        "%column = linalg.index 1 : index",
        f"%s = tensor.extract {table.name}[%row, %column] : {table.type}",
    ]
    return kernel.generic("i, j", [(ids, "i")], Out((m, k), "f16", "i, j"), body, "%s")


def transposed(kernel: KernelText, m: int, k: int) -> Tensor:
    x = kernel.argument((k, m), "f16")
    return kernel.named("transpose", [x], kernel.empty((m, k), "f16"), suffix="permutation = [1, 0]")


def merged(kernel: KernelText, m: int, k: int) -> Tensor:
    x = kernel.argument((m, 2, k // 2), "f16")
    return kernel.reshape(x, "[[0], [1, 2]]", (m, k))


def merged_from_heads(kernel: KernelText, m: int, k: int) -> Tensor:
    x = kernel.argument((2, m, k // 2), "f16")
    maps = [(x, "h, i, d")]
    swapped = kernel.generic("i, h, d", maps, Out((m, 2, k // 2), "f16", "i, h, d"), [], "%a")
    return kernel.reshape(swapped, "[[0], [1, 2]]", (m, k))


def row_repeated(kernel: KernelText, m: int, k: int) -> Tensor:
    x = kernel.argument((k,), "f16")
    return kernel.named("broadcast", [x], kernel.empty((m, k), "f16"), suffix="dimensions = [0]")


def column_repeated(kernel: KernelText, m: int, k: int) -> Tensor:
    x = kernel.argument((m,), "f16")
    return kernel.named("broadcast", [x], kernel.empty((m, k), "f16"), suffix="dimensions = [1]")


def joined_at(first: int) -> Callable[[KernelText, int, int], Tensor]:
    def build(kernel: KernelText, m: int, k: int) -> Tensor:
        x, y = kernel.argument((m, first), "f16"), kernel.argument((m, k - first), "f16")
        whole = f"tensor<{m}x{k}xf16>"
        return kernel.value(
            f"tensor.concat dim(1) {x.name}, {y.name} : ({x.type}, {y.type}) -> {whole}", (m, k), "f16"
        )

    return build


def padded(low: int, high: int) -> Callable[[KernelText, int, int], Tensor]:
    def build(kernel: KernelText, m: int, k: int) -> Tensor:
        x, three = kernel.argument((m - 1, k - low - high), "f16"), kernel.scalar("3.0", "f16")
        return kernel.value(
            f"tensor.pad {x.name} low[1, {low}] high[0, {high}] {{\n^bb0(%i: index, %j: index):\n"
            f"tensor.yield {three} : f16\n}} : {x.type} to tensor<{m}x{k}xf16>",
            (m, k),
            "f16",
        )

    return build


def slice_at(offset: int, stride: int) -> Callable[[KernelText, int, int], Tensor]:
    def build(kernel: KernelText, m: int, k: int) -> Tensor:
        x = kernel.argument((m + 2, offset + k * stride), "f16")
        return kernel.value(
            f"tensor.extract_slice {x.name}[2, {offset}] [{m}, {k}] [1, {stride}] : {x.type} to tensor<{m}x{k}xf16>",
            (m, k),
            "f16",
        )

    return build


def quantized(kernel: KernelText, m: int, k: int) -> Tensor:
    return kernel.quantize(kernel.argument((m, k), "f32"), 0.5)


PRODUCERS = {
    "add-and-narrow": add_and_narrow, "select": select, "gather": gather, "transposed": transposed, "merged": merged,
    "merged-from-heads": merged_from_heads, "row-repeated": row_repeated, "column-repeated": column_repeated,
    "joined-at-8": joined_at(8), "joined-at-7": joined_at(7), "padded": padded(8, 0), "padded-oddly": padded(3, 2),
    "slice-at-8": slice_at(8, 1), "slice-at-3": slice_at(3, 1), "slice-of-stride-2": slice_at(0, 2),
    "quantized": quantized,
}  # fmt: skip


def producer_cases() -> dict[str, str]:
    cases = {}
    for name, build in PRODUCERS.items():
        for size, (m, n, k) in EXTENTS.items():
            kernel = KernelText("contraction")
            a = build(kernel, m, k)
            b = kernel.argument((k, n), a.element)
            cases[f"producer-{name}-{size}"] = kernel.text(matmul(kernel, a, b))
            kernel = KernelText("contraction")  # the same on the other side, read along its rows
            b = build(kernel, n, k)
            a = kernel.argument((m, k), b.element)
            init = kernel.filled("0.0", (m, n), "f32")
            product = multiply_add(kernel, "m, n, k", (a, "m, k"), (b, "n, k"), (init, "m, n"))
            cases[f"producer-{name}-{size}-right"] = kernel.text(product)
    return cases


# -- initial values and epilogues -------------------------------------------------------------------------------------


def init_argument(kernel: KernelText, a: Tensor, b: Tensor) -> list[Tensor]:
    return [matmul(kernel, a, b, init=kernel.argument((a.shape[0], b.shape[1]), "f32"))]


def init_bias(kernel: KernelText, a: Tensor, b: Tensor) -> list[Tensor]:
    bias, empty = kernel.argument((b.shape[1],), "f32"), kernel.empty((a.shape[0], b.shape[1]), "f32")
    repeated = kernel.named("broadcast", [bias], empty, suffix="dimensions = [0]")
    return [matmul(kernel, a, b, init=repeated)]


def init_constant(kernel: KernelText, a: Tensor, b: Tensor) -> list[Tensor]:
    return [matmul(kernel, a, b, init=kernel.filled("5.0", (a.shape[0], b.shape[1]), "f32"))]


def half_result(kernel: KernelText, a: Tensor, b: Tensor) -> list[Tensor]:
    return [matmul(kernel, a, b, result="f16")]


def relu_layer(kernel: KernelText, a: Tensor, b: Tensor) -> list[Tensor]:
    """Scale by row and column, bias, relu, residual; in f32, quantised and in f16."""
    (m, _), (_, n) = a.shape, b.shape
    scales = [kernel.argument((m,), "f32"), kernel.argument((n,), "f32")]
    bias, residual, zero = kernel.argument((n,), "f32"), kernel.argument((m, n), "f32"), kernel.scalar("0.0", "f32")
    body = [
        "%t = arith.mulf %a, %b : f32", "%u = arith.mulf %t, %c : f32", "%v = arith.addf %u, %d : f32",
        f"%w = arith.maximumf %v, {zero} : f32", "%r = arith.addf %w, %e : f32", "%h = arith.truncf %r : f32 to f16",
    ]  # fmt: skip
    ins = [(matmul(kernel, a, b), "i, j"), (scales[0], "i"), (scales[1], "j"), (bias, "j"), (residual, "i, j")]
    outs = [Out((m, n), "f32", "i, j"), Out((m, n), "f16", "i, j")]
    wide, narrow = kernel.generics("i, j", ins, outs, body, "%r, %h")
    return [wide, narrow, kernel.quantize(wide, 8.0)]


def transposed_result(kernel: KernelText, a: Tensor, b: Tensor) -> list[Tensor]:
    """The product and its transpose in f16."""
    (m, _), (_, n) = a.shape, b.shape
    product = matmul(kernel, a, b)
    body = ["%h = arith.truncf %a : f32 to f16"]
    return [product, kernel.generic("j, i", [(product, "i, j")], Out((n, m), "f16", "j, i"), body, "%h")]


def split_heads(kernel: KernelText, a: Tensor, b: Tensor, heads: int = 4) -> list[Tensor]:
    """[m, n] to [m, h, d] to [h, m, d]; bias added after."""
    (m, _), (_, n) = a.shape, b.shape
    heads = next(h for h in (heads, 3, 1) if n % h == 0)
    bias = kernel.argument((heads, 1, n // heads), "f32")
    parts = kernel.reshape(matmul(kernel, a, b), "[[0], [1, 2]]", (m, heads, n // heads))
    out = Out((heads, m, n // heads), "f32", "h, i, d")
    body = ["%s = arith.addf %a, %b : f32"]
    return [kernel.generic("h, i, d", [(parts, "i, h, d"), (bias, "h, 0, d")], out, body, "%s")]


def split_small_heads(kernel: KernelText, a: Tensor, b: Tensor) -> list[Tensor]:
    """Heads of 6 values, so that the four values of a lane lie in two of them."""
    return split_heads(kernel, a, b, 16)


def flattened(kernel: KernelText, a: Tensor, b: Tensor) -> list[Tensor]:
    return [kernel.reshape(matmul(kernel, a, b), "[[0, 1]]", (a.shape[0] * b.shape[1],))]


def masked(kernel: KernelText, a: Tensor, b: Tensor) -> list[Tensor]:
    """Kept where j <= i and a flag of the row says so, the flags too."""
    (m, _), (_, n) = a.shape, b.shape
    flag, low = kernel.argument((m,), "i1"), kernel.scalar("-7.0", "f32")
    body = [
        "%row = linalg.index 0 : index", "%column = linalg.index 1 : index",
        "%under = arith.cmpi ule, %column, %row : index", "%keep = arith.andi %under, %b : i1",
        f"%s = arith.select %keep, %a, {low} : f32",
    ]  # fmt: skip
    outs = [Out((m, n), "f32", "i, j"), Out((m, n), "i1", "i, j")]
    return kernel.generics("i, j", [(matmul(kernel, a, b), "i, j"), (flag, "i")], outs, body, "%s, %keep")


EPILOGUES = {
    "init-argument": init_argument, "init-bias": init_bias, "init-constant": init_constant, "half-result": half_result,
    "relu-layer": relu_layer, "transposed-result": transposed_result, "split-heads": split_heads,
    "split-small-heads": split_small_heads,
    "flattened": flattened, "masked": masked,
}  # fmt: skip


def epilogue_cases() -> dict[str, str]:
    cases = {}
    for name, build in EPILOGUES.items():
        for size, (m, n, k) in EXTENTS.items():
            for element in ("f16", "f8E4M3FNUZ"):
                kernel = KernelText("contraction")
                a, b = kernel.argument((m, k), element), kernel.argument((k, n), element)
                cases[f"{name}-{size}-{element}"] = kernel.text(*build(kernel, a, b))
    return cases


EXACT = {**producer_cases(), **epilogue_cases()}


def gelu_layer(element: str) -> str:
    """bias, gelu by erf, residual; in f32 and quantised."""
    m, n, k = 40, 72, 100
    kernel = KernelText("contraction")
    a, b = kernel.argument((m, k), element), kernel.argument((k, n), element)
    bias, residual = kernel.argument((n,), "f32"), kernel.argument((m, n), "f32")
    scale, half, root, one = (kernel.scalar(v, "f32") for v in ("0.125", "0.5", "0.70710678", "1.0"))
    body = [
        f"%s = arith.mulf %a, {scale} : f32", "%t = arith.addf %s, %b : f32", f"%u = arith.mulf %t, {root} : f32",
        "%v = math.erf %u : f32", f"%w = arith.addf %v, {one} : f32", f"%p = arith.mulf %t, {half} : f32",
        "%q = arith.mulf %p, %w : f32", "%r = arith.addf %q, %c : f32",
    ]  # fmt: skip
    ins = [(matmul(kernel, a, b), "i, j"), (bias, "j"), (residual, "i, j")]
    wide = kernel.generic("i, j", ins, Out((m, n), "f32", "i, j"), body, "%r")
    return kernel.text(wide, kernel.quantize(wide, 0.03125))


ROUNDED = {f"gelu-{element}": gelu_layer(element) for element in ("f16", "f8E4M3FNUZ")}
DEPTH = 1000
ROUNDED |= {
    f"sum-{element}": contraction({"m": 32, "n": 32, "k": DEPTH}, "mk", "nk", "mn", element) for element in ELEMENTS
}
KERNELS = Kernels({**EXACT, **ROUNDED})


@pytest.mark.parametrize("name", EXACT)
def test_whole_numbers_are_exact(name: str) -> None:
    # Of magnitude up to 3: f16 results stay below 2048, so they are exact too.
    assert_equal(KERNELS.run(name, draw=small_numbers))


def small_numbers(rng: np.random.Generator, shape: list[int], element: str) -> np.ndarray:
    if element.startswith("i"):
        return random_array(rng, shape, element)
    return whole_numbers(rng, shape, element, 3)


@pytest.mark.parametrize("element", ELEMENTS)
def test_rounding_of_sums(element: str) -> None:
    """Products of all types but f32 are exact in f32; each of the additions rounds by at most 2^-24 of its result."""
    result = KERNELS.run(f"sum-{element}")
    a, b = (np.asarray(x).astype(np.float64) for x in result.inputs)
    exact, magnitude = a @ b.T, np.abs(a) @ np.abs(b.T)
    error = np.abs(result.emulated[0] - exact)
    assert (error <= (DEPTH + 1) * 2.0**-24 * magnitude).all()  # whatever the signs and the order
    # Roundings of independent sign grow like the root of their number: 4 standard deviations of partial sums that
    # are themselves at most about the largest result.
    assert relative_error(result.emulated[0], exact) <= 4 * DEPTH**0.5 * 2.0**-24


@pytest.mark.parametrize("element", ["f16", "f8E4M3FNUZ"])
def test_gelu_layer(element: str) -> None:
    result = KERNELS.run(f"gelu-{element}")
    # Sums of 100 terms: 10 roundings of 2^-24 or so, then erf to 2e-7 and a handful of f32 operations.
    assert relative_error(result.emulated[0], result.expected[0]) <= 2e-6
    # A value next to the middle between two codes may go to either; any other must agree.
    scaled = (result.expected[0] / 0.03125).astype(np.float32)
    below, above = ((scaled * (1 + sign * 2e-5)).astype(np.float32) for sign in (-1, 1))
    dtype = DTYPES["f8E4M3FNUZ"]
    allowed = [np.clip(x, -240, 240).astype(dtype).astype(np.float64) for x in (below, above)]
    assert ((result.emulated[1] == allowed[0]) | (result.emulated[1] == allowed[1])).all()
    assert result.raw_emulated[1].dtype == ml_dtypes.float8_e4m3fnuz
