# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reductions over leading and middle dims, of pairs (argmax), over windows (pooling, convolution), very long ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from harness import DTYPES, Kernels, assert_equal, random_array, run_both, whole_numbers
from kernel_text import MINUS_INFINITY, KernelText, Out

from fovea.errors import UnsupportedOpError

SHAPES = {  # shape and the dims that stay
    "leading": ((7, 24), (1,)), "leading-odd": ((33, 37), (1,)), "middle": ((3, 20, 16), (0, 2)),
    "middle-odd": ((5, 11, 7), (0, 2)), "outer-and-inner": ((4, 6, 10), (1,)), "many": ((2, 300, 70), (0, 2)),
    "last-of-one": ((6, 5, 1), (0, 2)), "transposed": ((6, 8, 10), (2, 0)), "everything": ((9, 11), ()),
}  # fmt: skip
KINDS = {  # combining op, neutral element
    "sum-f32": ("arith.addf", "0.0", "f32"), "sum-f16": ("arith.addf", "0.0", "f16"),
    "largest-bf16": ("arith.maximumf", MINUS_INFINITY["bf16"], "bf16"), "sum-i64": ("arith.addi", "0", "i64"),
    "any": ("arith.ori", "false", "i1"),
}  # fmt: skip


def reduction(shape: Sequence[int], kept: Sequence[int], combine: str, neutral: str, element: str) -> str:
    letters = [f"d{i}" for i in range(len(shape))]
    kernel = KernelText("reduction")
    x = kernel.argument(shape, element)
    result = [shape[d] for d in kept]
    init = kernel.filled(neutral, result, element)
    out = Out(tuple(result), element, ", ".join(letters[d] for d in kept), init)
    dims = ", ".join(letters)
    return kernel.text(kernel.generic(dims, [(x, dims)], out, [f"%s = {combine} %a, %x : {element}"], "%s", hero=True))


def argmax(shape: Sequence[int], kept: Sequence[int]) -> str:
    """Largest value and its position over the dims that do not stay; the first of equals."""
    letters = [f"d{i}" for i in range(len(shape))]
    gone = next(d for d in range(len(shape)) if d not in kept)
    kernel = KernelText("reduction")
    x = kernel.argument(shape, "f32")
    result, map_ = tuple(shape[d] for d in kept), ", ".join(letters[d] for d in kept)
    low, zero = kernel.filled(MINUS_INFINITY["f32"], result, "f32"), kernel.filled("0", result, "i64")
    body = [
        f"%i = linalg.index {gone} : index", "%j = arith.index_cast %i : index to i64",
        "%more = arith.cmpf ogt, %a, %x : f32", "%v = arith.select %more, %a, %x : f32",
        "%w = arith.select %more, %j, %y : i64",
    ]  # fmt: skip
    dims = ", ".join(letters)
    outs = [Out(result, "f32", map_, low), Out(result, "i64", map_, zero)]
    return kernel.text(*kernel.generics(dims, [(x, dims)], outs, body, "%v, %w", hero=True))


def column_means(rows: int, columns: int) -> str:
    """A sum with an argument as its initial value, then a division, a transpose and a second result."""
    kernel = KernelText("reduction")
    x, init = kernel.argument((3, rows, columns), "f16"), kernel.argument((columns,), "f32")
    count = kernel.scalar(f"{float(2 ** (rows.bit_length() - 1))}", "f32")
    start = kernel.named("broadcast", [init], kernel.empty((3, columns), "f32"), suffix="dimensions = [0]")
    body = ["%w = arith.extf %a : f16 to f32", "%s = arith.addf %x, %w : f32"]
    total = kernel.generic("b, i, j", [(x, "b, i, j")], Out((3, columns), "f32", "b, j", start), body, "%s", hero=True)
    mean = kernel.pointwise([total], "f32", [f"%m = arith.divf %a, {count} : f32"], "%m")
    swapped = kernel.named("transpose", [mean], kernel.empty((columns, 3), "f32"), suffix="permutation = [1, 0]")
    return kernel.text(total, swapped)


def regrouped_pair(columns: int, parts: int) -> str:
    """Sum and largest of columns, both in another shape whose rows are narrower than a lane's vector."""
    kernel = KernelText("reduction")
    x = kernel.argument((9, columns), "f32")
    low, zero = kernel.filled(MINUS_INFINITY["f32"], (columns,), "f32"), kernel.filled("0.0", (columns,), "f32")
    outs = [Out((columns,), "f32", "j", zero), Out((columns,), "f32", "j", low)]
    body = ["%s = arith.addf %a, %x : f32", "%m = arith.maximumf %a, %y : f32"]
    results = kernel.generics("i, j", [(x, "i, j")], outs, body, "%s, %m", hero=True)
    return kernel.text(*(kernel.reshape(r, "[[0, 1]]", (columns // parts, parts)) for r in results))


def pooling(op: str, neutral: str, extents: tuple[int, int], stride: int, dilation: int = 1) -> str:
    """A 2-D pooling op of [2, 3, rows, columns] or, for nhwc, [2, rows, columns, 3] over windows of 3 x 2."""
    rows, columns = extents
    kernel = KernelText("reduction")
    out_rows, out_columns = (rows - 2 * dilation - 1) // stride + 1, (columns - dilation - 1) // stride + 1
    inside = "nchw" in op
    x = kernel.argument((2, 3, rows, columns) if inside else (2, rows, columns, 3), "f32")
    init = kernel.filled(neutral, (2, 3, out_rows, out_columns) if inside else (2, out_rows, out_columns, 3), "f32")
    attributes = f"strides = dense<{stride}> : tensor<2xi64>, dilations = dense<{dilation}> : tensor<2xi64>"
    window = kernel.empty((3, 2), "f32")
    return kernel.text(kernel.named(op, [x, window], init, before=f"{{fovea.hero, {attributes}}}"))


def convolution(element: str) -> str:
    """A 2-D convolution, NCHW, on f16 widened to f32."""
    kernel = KernelText("reduction")
    x, weights = kernel.argument((2, 3, 9, 10), element), kernel.argument((5, 3, 3, 3), element)
    attributes = "strides = dense<[2, 1]> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>"
    init = kernel.filled("0.0", (2, 5, 4, 8), "f32")
    return kernel.text(kernel.named("conv_2d_nchw_fchw", [x, weights], init, before=f"{{fovea.hero, {attributes}}}"))


def windowed_mean() -> str:
    """A generic whose operand is read through sums of dims, as average pooling is spelled without the named op."""
    kernel = KernelText("reduction")
    x, shape = kernel.argument((2, 21, 12), "f32"), kernel.empty((4,), "f32")
    init = kernel.filled("0.0", (2, 9, 12), "f32")
    maps = [(x, "b, i * 2 + k, c"), (shape, "k")]
    out = Out((2, 9, 12), "f32", "b, i, c", init)
    total = kernel.generic("b, i, c, k", maps, out, ["%s = arith.addf %a, %x : f32"], "%s", hero=True)
    quarter = kernel.scalar("0.25", "f32")
    return kernel.text(kernel.pointwise([total], "f32", [f"%m = arith.mulf %a, {quarter} : f32"], "%m"))


def product_of_types(left: str, right: str) -> str:
    """A contraction of two element types, which no matrix instruction takes."""
    kernel = KernelText("reduction")
    x, w = kernel.argument((9, 20), left), kernel.argument((20, 12), right)
    body = [] if left == "f32" else [f"%wa = arith.extf %a : {left} to f32"]
    body += [] if right == "f32" else [f"%wb = arith.extf %b : {right} to f32"]
    a, b = ("%a" if left == "f32" else "%wa"), ("%b" if right == "f32" else "%wb")
    body += [f"%p = arith.mulf {a}, {b} : f32", "%s = arith.addf %x, %p : f32"]
    out = Out((9, 12), "f32", "m, n", kernel.filled("0.0", (9, 12), "f32"))
    return kernel.text(kernel.generic("m, n, k", [(x, "m, k"), (w, "k, n")], out, body, "%s", hero=True))


def cases() -> dict[str, str]:
    found = {
        f"{kind}-{name}": reduction(shape, kept, *parts)
        for kind, parts in KINDS.items()
        for name, (shape, kept) in SHAPES.items()
    }
    found |= {
        f"argmax-{name}": argmax(*SHAPES[name]) for name in ("leading", "leading-odd", "middle", "middle-odd", "many")
    }
    found |= {"argmax-last": argmax((9, 40), (0,)), "argmax-of-all": argmax((50,), ())}
    found |= {f"column-means-{r}x{c}": column_means(r, c) for r, c in ((16, 24), (9, 13))}
    low = MINUS_INFINITY["f32"]
    found |= {
        "pooling-max": pooling("pooling_nchw_max", low, (11, 14), 2),
        "pooling-max-stride-1": pooling("pooling_nchw_max", low, (9, 17), 1),
        "pooling-max-dilated": pooling("pooling_nchw_max", low, (12, 12), 1, 2),
        "pooling-sum": pooling("pooling_nchw_sum", "0.0", (8, 9), 3),
        "pooling-max-channels-last": pooling("pooling_nhwc_max", low, (11, 14), 2),
        "convolution-f16": convolution("f16"), "convolution-f32": convolution("f32"), "windowed-mean": windowed_mean(),
        "regrouped-pair": regrouped_pair(24, 3), "long": reduction((70000,), (), "arith.addf", "0.0", "f32"),
        "f16-times-f32": product_of_types("f16", "f32"),
        "f8-times-f16": product_of_types("f8E4M3FNUZ", "f16"), "bf16-times-f16": product_of_types("bf16", "f16"),
    }  # fmt: skip
    return found


CASES = cases()
KERNELS = Kernels(CASES)


def numbers(rng: np.random.Generator, shape: Sequence[int], element: str) -> np.ndarray:
    if element == "i1":
        return rng.random(shape) < 0.1
    if element.startswith("i"):
        return rng.integers(-1000, 1000, shape).astype(DTYPES[element])
    return whole_numbers(rng, shape, element, 3)


@pytest.mark.parametrize("name", CASES)
def test_whole_numbers_are_exact(name: str) -> None:
    assert_equal(KERNELS.run(name, draw=numbers))


@pytest.mark.parametrize("name", ["argmax-leading-odd", "argmax-many", "argmax-last"])
def test_argmax_of_distinct_values(name: str) -> None:
    assert_equal(KERNELS.run(name, draw=random_array))


def test_results_through_different_maps() -> None:
    kernel = KernelText("reduction")
    x = kernel.argument((4, 5, 6), "f32")
    outs = [Out((4, 6), "f32", "i, k", kernel.filled("0.0", (4, 6), "f32")),
            Out((6, 4), "f32", "k, i", kernel.filled("0.0", (6, 4), "f32"))]  # fmt: skip
    body = ["%s = arith.addf %a, %x : f32", "%t = arith.addf %a, %y : f32"]
    text = kernel.text(*kernel.generics("i, j, k", [(x, "i, j, k")], outs, body, "%s, %t", hero=True))
    with pytest.raises(UnsupportedOpError, match=r"'linalg.generic' reduces to results through different maps"):
        run_both(text)
