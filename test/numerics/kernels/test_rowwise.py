# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Row-wise kernels: statistics of rows and what is made of them, rows of 1 to thousands of columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from harness import DTYPES, Kernels, assert_equal, relative_error, whole_numbers
from kernel_text import MINUS_INFINITY, KernelText, Out, Tensor

WIDE = "f32"


def kernel_of_rows(rows: int, columns: int) -> KernelText:
    return KernelText("rowwise", f"fovea.rows = {rows} : i64, fovea.columns = {columns} : i64")


def reduce(
    kernel: KernelText, ins: Sequence[Tensor], combine: str, neutral: object, element: str = WIDE,
    terms: Sequence[str] = (), term: str = "%a",
) -> Tensor:  # fmt: skip
    """[rows, columns] to [rows, 1]: `combine` over the rows of `term`, which the lines `terms` make."""
    rows = ins[0].shape[0]
    init = kernel.filled(neutral, (rows, 1), element)
    maps = [(t, "i, j") for t in ins]
    body = [*terms, f"%s = {combine} {term}, %x : {element}"]
    return kernel.generic("i, j", maps, Out((rows, 1), element, "i, 0", init), body, "%s")


def on_rows(
    kernel: KernelText, ins: Sequence[Tensor], element: str, body: Sequence[str], yields: str
) -> Tensor:
    """Pointwise: operands of shape [rows, columns], [rows, 1] or [columns]."""
    shape = max((t.shape for t in ins if len(t.shape) == 2), key=lambda s: s[1])

    def map_(tensor: Tensor) -> str:
        if len(tensor.shape) == 1:
            return "j"
        return "i, j" if tensor.shape == shape else "i, 0"

    return kernel.generic("i, j", [(t, map_(t)) for t in ins], Out(shape, element, "i, j"), body, yields)


def widened(kernel: KernelText, x: Tensor) -> Tensor:
    if x.element == WIDE:
        return x
    return on_rows(kernel, [x], WIDE, [f"%w = arith.extf %a : {x.element} to f32"], "%w")


def narrowed(kernel: KernelText, x: Tensor, element: str) -> Tensor:
    if element == WIDE:
        return x
    return on_rows(kernel, [x], element, [f"%w = arith.truncf %a : f32 to {element}"], "%w")


def mean_of(kernel: KernelText, x: Tensor) -> Tensor:
    count = kernel.scalar(f"{float(x.shape[1])}", WIDE)
    total = reduce(kernel, [x], "arith.addf", "0.0")
    return on_rows(kernel, [total], WIDE, [f"%m = arith.divf %a, {count} : f32"], "%m")


def layer_norm(rows: int, columns: int, element: str) -> str:
    """(x - mean) / sqrt(variance + eps) * gain + bias, two passes over the row; quantised too where it is f32."""
    kernel = kernel_of_rows(rows, columns)
    x, gain, bias = (kernel.argument(s, element) for s in ((rows, columns), (columns,), (columns,)))
    wide, eps = widened(kernel, x), kernel.scalar("1.0e-5", WIDE)
    centred = on_rows(kernel, [wide, mean_of(kernel, wide)], WIDE, ["%d = arith.subf %a, %b : f32"], "%d")
    square = on_rows(kernel, [centred], WIDE, ["%q = arith.mulf %a, %a : f32"], "%q")
    body = [f"%v = arith.addf %b, {eps} : f32", "%r = math.rsqrt %v : f32", "%n = arith.mulf %a, %r : f32"]
    normal = on_rows(kernel, [centred, mean_of(kernel, square)], WIDE, body, "%n")
    narrow = narrowed(kernel, normal, element)
    body = [f"%p = arith.mulf %a, %b : {element}", f"%s = arith.addf %p, %c : {element}"]
    return kernel.text(on_rows(kernel, [narrow, gain, bias], element, body, "%s"))


def softmax(rows: int, columns: int, element: str) -> str:
    kernel = kernel_of_rows(rows, columns)
    wide = widened(kernel, kernel.argument((rows, columns), element))
    peak = reduce(kernel, [wide], "arith.maximumf", MINUS_INFINITY[WIDE])
    body = ["%d = arith.subf %a, %b : f32", "%e = math.exp %d : f32"]
    powers = on_rows(kernel, [wide, peak], WIDE, body, "%e")
    total = reduce(kernel, [powers], "arith.addf", "0.0")
    result = on_rows(kernel, [powers, total], WIDE, ["%p = arith.divf %a, %b : f32"], "%p")
    return kernel.text(narrowed(kernel, result, element))


def rms_norm(rows: int, columns: int, element: str) -> str:
    kernel = kernel_of_rows(rows, columns)
    x, gain = kernel.argument((rows, columns), element), kernel.argument((columns,), element)
    wide, eps = widened(kernel, x), kernel.scalar("1.0e-6", WIDE)
    square = on_rows(kernel, [wide], WIDE, ["%q = arith.mulf %a, %a : f32"], "%q")
    body = [f"%v = arith.addf %b, {eps} : f32", "%r = math.rsqrt %v : f32", "%n = arith.mulf %a, %r : f32"]
    narrow = narrowed(kernel, on_rows(kernel, [wide, mean_of(kernel, square)], WIDE, body, "%n"), element)
    return kernel.text(on_rows(kernel, [narrow, gain], element, [f"%p = arith.mulf %a, %b : {element}"], "%p"))


def l2_normalize(rows: int, columns: int, element: str) -> str:
    """x / max(|x|, 1e-12): the norm too is a result."""
    kernel = kernel_of_rows(rows, columns)
    wide, low = widened(kernel, kernel.argument((rows, columns), element)), kernel.scalar("1.0e-12", WIDE)
    total = reduce(kernel, [wide], "arith.addf", "0.0", terms=["%q = arith.mulf %a, %a : f32"], term="%q")
    body = ["%r = math.sqrt %a : f32", f"%m = arith.maximumf %r, {low} : f32"]
    norm = on_rows(kernel, [total], WIDE, body, "%m")
    unit = on_rows(kernel, [wide, norm], WIDE, ["%d = arith.divf %a, %b : f32"], "%d")
    return kernel.text(narrowed(kernel, unit, element), norm)


def quantized_norm(rows: int, columns: int, element: str) -> str:
    """A residual sum, its root mean square norm, and that quantised: three results of different widths."""
    kernel = kernel_of_rows(rows, columns)
    x, y = (kernel.argument((rows, columns), element) for _ in range(2))
    wide = on_rows(kernel, [widened(kernel, x), widened(kernel, y)], WIDE, ["%s = arith.addf %a, %b : f32"], "%s")
    total = reduce(kernel, [wide], "arith.addf", "0.0", terms=["%q = arith.mulf %a, %a : f32"], term="%q")
    one, count = kernel.scalar("1.0", WIDE), kernel.scalar(f"{float(columns)}", WIDE)
    body = [
        f"%m = arith.divf %b, {count} : f32", f"%v = arith.addf %m, {one} : f32", "%r = math.rsqrt %v : f32",
        "%n = arith.mulf %a, %r : f32",
    ]  # fmt: skip
    norm = on_rows(kernel, [wide, total], WIDE, body, "%n")
    return kernel.text(wide, narrowed(kernel, norm, element), kernel.quantize(norm, 0.25))


SHAPES = (  # rows and columns: lanes of a wave shared by rows, one wave a row, several waves a row, tails of each
    (1, 1), (7, 2), (300, 3), (5, 8), (70, 17), (9, 64), (33, 100), (6, 384), (10, 385), (3, 1000), (2, 2048),
    (2, 2049), (3, 4096), (2, 5000), (1, 5001), (260, 16),
)  # fmt: skip
FEW = ((5, 8), (33, 100), (10, 385), (2, 5000))
KINDS: dict[str, Callable[[int, int, str], str]] = {
    "layer-norm": layer_norm, "softmax": softmax, "rms-norm": rms_norm, "l2-normalize": l2_normalize,
    "quantized-norm": quantized_norm,
}  # fmt: skip
# Sums of a row are trees of at most 5000 terms over lanes of at most 80 (error 80 * 2^-24 of the magnitudes' sum, most
# often a few of them), then a division, a root of 1 ulp and three or four f32 operations.
FLOAT_BOUND = 16 * 2.0**-24
# A result in a narrower type is rounded there by half a unit, and where the two ways differ before that, to the
# neighbour: one unit. Norms with gain and bias round three times.
BOUNDS = {"f32": FLOAT_BOUND, "f16": 3 * 2.0**-11 + FLOAT_BOUND, "bf16": 3 * 2.0**-8 + FLOAT_BOUND}


def float_cases() -> dict[str, tuple[str, str]]:
    cases = {}
    for kind, build in KINDS.items():
        for element in ("f32", "f16", "bf16"):
            for rows, columns in SHAPES if element == "f32" and kind in ("layer-norm", "softmax") else FEW:
                cases[f"{kind}-{element}-{rows}x{columns}"] = (element, build(rows, columns, element))
    return cases


# -- reductions alone -------------------------------------------------------------------------------------------------

REDUCTIONS = {  # combining op, neutral element, element types
    "sum": ("arith.addf", "0.0", ("f32", "f16")),
    "product": ("arith.mulf", "1.0", ("f32",)),
    "largest": ("arith.maximumf", "-inf", ("f32", "f16", "bf16")),
    "largest-number": ("arith.maxnumf", "-inf", ("f32",)),
    "smallest": ("arith.minimumf", "inf", ("f32", "f16")),
    "integer-sum": ("arith.addi", "0", ("i64", "i32")),
    "integer-largest": ("arith.maxsi", "min", ("i64", "i32")),
    "integer-smallest": ("arith.minsi", "max", ("i64",)),
    "unsigned-largest": ("arith.maxui", "0", ("i32",)),
    "any": ("arith.ori", "false", ("i1",)),
    "all": ("arith.andi", "true", ("i1",)),
    "parity": ("arith.xori", "false", ("i1",)),
}
INFINITY = {"f32": "0x7F800000", "f16": "0x7C00", "bf16": "0x7F80"}


def literal(name: str, element: str) -> str:
    """A neutral element as MLIR writes it."""
    if name.endswith("inf"):
        return MINUS_INFINITY[element] if name == "-inf" else INFINITY[element]
    if name in ("min", "max"):
        high = 1 << (int(element[1:]) - 1)
        return str(-high if name == "min" else high - 1)
    return name


def reduction_cases() -> dict[str, str]:
    cases = {}
    for name, (combine, neutral, elements) in REDUCTIONS.items():
        for element in elements:
            for rows, columns in ((70, 5), (33, 100), (2, 4999)):
                kernel = kernel_of_rows(rows, columns)
                x = kernel.argument((rows, columns), element)
                cases[f"{name}-{element}-{rows}x{columns}"] = kernel.text(
                    reduce(kernel, [x], combine, literal(neutral, element), element)
                )
    return cases


def started(rows: int, columns: int) -> str:
    """Initial values that are an argument and a constant other than the neutral one; the accumulator on the right."""
    kernel = kernel_of_rows(rows, columns)
    x, init = kernel.argument((rows, columns), "f32"), kernel.argument((rows,), "f32")
    seven = kernel.filled("7.0", (rows,), "f32")
    outs = [Out((rows,), "f32", "i", init), Out((rows,), "f32", "i", seven)]
    body = ["%s = arith.addf %x, %a : f32", "%m = arith.maximumf %a, %y : f32"]
    return kernel.text(*kernel.generics("i, j", [(x, "i, j")], outs, body, "%s, %m"))


def inner_product(rows: int, columns: int) -> str:
    """Sums of products of i32, widened to i64: a contraction that no matrix instruction does."""
    kernel = kernel_of_rows(rows, columns)
    x, y = kernel.argument((rows, columns), "i32"), kernel.argument((columns,), "i32")
    init = kernel.filled("0", (rows,), "i64")
    body = [
        "%p = arith.extsi %a : i32 to i64", "%q = arith.extsi %b : i32 to i64", "%r = arith.muli %p, %q : i64",
        "%s = arith.addi %x, %r : i64",
    ]  # fmt: skip
    out = Out((rows,), "i64", "i", init)
    return kernel.text(kernel.generic("i, j", [(x, "i, j"), (y, "j")], out, body, "%s"))


def counted(rows: int, columns: int) -> str:
    """How many columns of a mask are set, and the mean of what it keeps (mean pooling)."""
    kernel = kernel_of_rows(rows, columns)
    x, keep = kernel.argument((rows, columns), "f32"), kernel.argument((rows, columns), "i1")
    one = kernel.scalar("1.0", "f32")
    flags = on_rows(kernel, [keep], "f32", ["%u = arith.uitofp %a : i1 to f32"], "%u")
    kept = on_rows(kernel, [x, flags], "f32", ["%m = arith.mulf %a, %b : f32"], "%m")
    total, count = (reduce(kernel, [t], "arith.addf", "0.0") for t in (kept, flags))
    body = [f"%n = arith.maximumf %b, {one} : f32", "%d = arith.divf %a, %n : f32"]
    return kernel.text(count, on_rows(kernel, [total, count], "f32", body, "%d"))


def several_dims(shape: Sequence[int], kept: int) -> str:
    """Sum and largest over all dims after the first `kept`, and the tensor less the latter."""
    letters = [f"d{i}" for i in range(len(shape))]
    dims, rows = ", ".join(letters), ", ".join([*letters[:kept], *["0"] * (len(shape) - kept)])
    columns = int(np.prod(shape[kept:]))
    kernel = kernel_of_rows(int(np.prod(shape[:kept])), columns)
    x = kernel.argument(shape, "f32")
    narrow = (*shape[:kept], *[1] * (len(shape) - kept))
    inits = kernel.filled("0.0", narrow, "f32"), kernel.filled(MINUS_INFINITY["f32"], narrow, "f32")
    bodies = ["%s = arith.addf %a, %x : f32"], ["%s = arith.maximumf %a, %x : f32"]
    total, peak = (
        kernel.generic(dims, [(x, dims)], Out(narrow, "f32", rows, init), body, "%s")
        for init, body in zip(inits, bodies, strict=True)
    )
    body = ["%d = arith.subf %a, %b : f32"]
    below = kernel.generic(dims, [(x, dims), (peak, rows)], Out(tuple(shape), "f32", dims), body, "%d")
    rank = len(shape)
    groups = f"[{list(range(kept))}, {list(range(kept, rank))}]"
    flat = kernel.reshape(below, groups, (int(np.prod(shape[:kept])), columns))
    return kernel.text(total, below, flat)


def statistics(rows: int, columns: int) -> str:
    """Mean and variance."""
    kernel = kernel_of_rows(rows, columns)
    x = kernel.argument((rows, columns), "f32")
    mean = mean_of(kernel, x)
    centred = on_rows(kernel, [x, mean], WIDE, ["%d = arith.subf %a, %b : f32"], "%d")
    square = on_rows(kernel, [centred], WIDE, ["%q = arith.mulf %a, %a : f32"], "%q")
    return kernel.text(mean, mean_of(kernel, square))


EXACT = reduction_cases()
EXACT |= {
    f"{build.__name__}-{rows}x{columns}": build(rows, columns)
    for build in (started, inner_product, counted)
    for rows, columns in ((70, 5), (33, 100), (2, 5000))
}
EXACT |= {
    f"dims-{'x'.join(map(str, shape))}-{kept}": several_dims(shape, kept)
    for shape, kept in (((3, 5, 4, 6), 2), ((2, 3, 5, 7), 1), ((4, 1, 33, 1), 2), ((2, 3, 1, 40), 2), ((1, 60, 50), 1))
}
CASES = float_cases()
STATISTICS = {f"statistics-4x{columns}": statistics(4, columns) for columns in (100, 5000)}
KERNELS = Kernels({name: text for name, (_, text) in CASES.items()} | EXACT | STATISTICS)


@pytest.mark.parametrize("name", CASES)
def test_rows(name: str) -> None:
    result = KERNELS.run(name)
    bound = BOUNDS[CASES[name][0]]
    for emulated, expected, raw in zip(result.emulated, result.expected, result.raw_expected, strict=True):
        if raw.dtype.itemsize == 1:  # FP8: a value next to the middle of two codes may go to either, few do
            assert (np.abs(emulated - expected) <= np.maximum(np.abs(expected), 2.0**-7 * 0.25) / 8).all()
            assert np.mean(emulated != expected) < 0.01
        else:
            assert relative_error(emulated, expected) <= bound


@pytest.mark.parametrize("name", EXACT)
def test_exact_rows(name: str) -> None:
    """Whole numbers, most of them 0 or 1 for products and for sums in f16, which must stay below 2048."""
    limit = 1 if "product" in name or "f16" in name else 8
    assert_equal(KERNELS.run(name, draw=lambda rng, shape, element: numbers(rng, shape, element, limit)))


def numbers(rng: np.random.Generator, shape: Sequence[int], element: str, limit: int) -> np.ndarray:
    if element == "i1":  # rows with no, one, some, all but one, all set, or about that
        few = 1 / shape[-1]
        chances = np.array([0, few, 0.5, 1 - few, 1])[np.arange(shape[0]) % 5]
        return rng.random(shape) < chances[:, None]
    if element.startswith("i"):
        high = 1 << (int(element[1:]) - 2 - (30 if element == "i64" else 0))
        return rng.integers(-high, high, shape).astype(DTYPES[element])
    drawn = whole_numbers(rng, shape, element, limit)
    return np.where(drawn == 0, drawn.dtype.type(1), drawn) if limit == 1 else drawn


@pytest.mark.parametrize("columns", [100, 5000])
@pytest.mark.parametrize("centre", [0.0, 30.0, 1000.0, 30000.0])
def test_statistics_of_rows_far_from_zero(columns: int, centre: float) -> None:
    """Mean and variance of normal values around `centre`, against f64: what f32 statistics in two passes lose.

    The tree of a row's sum has some 20 terms a lane, 6 steps over lanes and 4 over waves; roundings of 2^-24 and of
    either sign add up to a few of them: the mean is off by 8 * 2^-24 of the centre at most. The variance is off by the
    square of that, and by as many roundings of its own; not by centre^2 * 2^-24, as E[x^2] - E[x]^2 would be.
    """
    x = (np.random.default_rng(3).standard_normal((4, columns)) + centre).astype(np.float32)
    result = KERNELS.run(f"statistics-4x{columns}", [x])
    mean, variance = (r[:, 0] for r in result.emulated)
    exact_mean, exact_variance = x.astype(np.float64).mean(1), x.astype(np.float64).var(1)
    mean_bound = 8 * 2.0**-24 * np.abs(x.astype(np.float64)).mean(1)
    assert (np.abs(mean - exact_mean) <= mean_bound).all()
    assert (np.abs(variance - exact_variance) <= mean_bound**2 + 8 * 2.0**-24 * exact_variance).all()
