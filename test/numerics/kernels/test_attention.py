# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Attention kernels: extents, layouts, masks, score chains, log-sum-exp, producers and epilogues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from harness import Kernels, Result, as_float, random_array, run_both
from kernel_text import KernelText, Out, Tensor

from fovea.errors import CompileError

# What rounding the weights to the type that V is multiplied in costs, relative to the sum of weight * |V|: 2^-11 and
# 2^-8 are half a unit in the last place of f16 and bf16; in f32 the scores' own rounding (scores up to 20, times
# 2^-24, a few times) is what remains. The first two get the same addition.
SCORE_ROUNDING = 2.0**-18
WEIGHT_ROUNDING = {"f16": 2.0**-11 + SCORE_ROUNDING, "bf16": 2.0**-8 + SCORE_ROUNDING, "f32": SCORE_ROUNDING}
SUBNORMAL = 2.0**-25  # half the spacing of f16 near 0, where weights below 2^-14 lie
HALF_ULP = {"float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8, "float8_e4m3fnuz": 2.0**-4}
FP8_SCALE = 0.015625
FP8_SUBNORMAL = 2.0**-11 * FP8_SCALE  # half the spacing of E4M3FNUZ near 0

Region = Sequence[str]
SCALED: Region = ("%r = arith.mulf %a, %scale : f32",)


@dataclass(frozen=True)
class Score:
    """A score operand: its map, element type, and the shape it has by that map."""

    map: str
    element: str = "f32"


def extent_of(expression: str, extents: dict[str, int]) -> int:
    """Extent of an operand's dim that is read through `expression` ("q", "0", "h floordiv 2")."""
    name, *rest = expression.split()
    return extents.get(name, 1) // (int(rest[1]) if rest else 1)


def shape_of(map_: str, extents: dict[str, int]) -> list[int]:
    return [extent_of(expression.strip(), extents) for expression in map_.split(",")] if map_ else []


def attend(
    kernel: KernelText, extents: dict[str, int], operands: Sequence[tuple[Tensor, str]], output: str,
    region: Region = SCALED, result: str = "f32", log_sum_exp: str | None = None, score: str = "f32",
) -> list[Tensor]:  # fmt: skip
    """The hero: query, key, value, score operands. The region calls the score %a, the operands %b, %c, ..., has
    %scale and leaves its value in %r."""
    dims = ", ".join(extents)
    results = [Tensor("", tuple(shape_of(output, extents)), result)]
    maps = [*(m for _, m in operands), output]
    if log_sum_exp is not None:
        results.append(Tensor("", tuple(shape_of(log_sum_exp, extents)), "f32"))
        maps.append(log_sum_exp)
    count = len(operands)
    segments = ", ".join(["1"] * count + ["0"] * (11 - count))
    arguments = [f"%a: {score}", *(f"%{n}: {t.element}" for n, (t, _) in zip("bcdefgh", operands[3:], strict=False))]
    types = ", ".join(t.type for t in results)
    scale = f"{extents['k'] ** -0.5:.7f}"
    name = kernel.fresh()
    kernel.lines += [
        f"{name}{f':{len(results)}' if len(results) > 1 else ''} = "
        f'"fovea.attention"({", ".join(t.name for t, _ in operands)}) ({{',
        f"^bb0({', '.join(arguments)}):",
        f"%scale = arith.constant {scale} : {score}",
        *region,
        f'"fovea.yield"(%r) : ({score}) -> ()',
        f"}}) {{fovea.hero, indexing_maps = [{', '.join(f'affine_map<({dims}) -> ({m})>' for m in maps)}], "
        f"operandSegmentSizes = array<i32: {segments}>}} : ({', '.join(t.type for t, _ in operands)}) -> "
        f"{types if len(results) == 1 else f'({types})'}",
    ]
    if len(results) == 1:
        return [Tensor(name, results[0].shape, results[0].element)]
    return [Tensor(f"{name}#{i}", t.shape, t.element) for i, t in enumerate(results)]


QUERY, KEY, VALUE, OUTPUT = "b, h, q, k", "b, h, n, k", "b, h, n, d", "b, h, q, d"


def attention(
    sizes: Sequence[int], element: str = "f16", maps: Sequence[str] = (QUERY, KEY, VALUE, OUTPUT),
    names: str = "bhqnkd", scores: Sequence[Score] = (), region: Region = SCALED, **options: str,
) -> str:  # fmt: skip
    extents = dict(zip(names, sizes, strict=True))
    kernel = KernelText("attention")
    operands = [(kernel.argument(shape_of(m, extents), element), m) for m in maps[:3]]
    operands += [(kernel.argument(shape_of(s.map, extents), s.element), s.map) for s in scores]
    return kernel.text(*attend(kernel, extents, operands, maps[3], region, **options))


SIZES = {  # b, h, q, n, k, d
    "f16": (
        (1, 1, 1, 1, 16, 16), (2, 3, 16, 64, 32, 32), (1, 2, 64, 128, 64, 64), (2, 2, 50, 77, 24, 40),
        (1, 1, 1, 130, 64, 64), (1, 2, 20, 33, 17, 19), (1, 1, 70, 200, 128, 128), (1, 1, 5, 3, 16, 16),
        (1, 1, 16, 65, 33, 70), (1, 1, 130, 64, 16, 16), (1, 1, 3, 66, 80, 96), (1, 1, 4, 8, 8, 4), (1, 1, 2, 5, 1, 1),
    ),
    "bf16": ((2, 3, 16, 64, 32, 32), (2, 2, 50, 77, 24, 40), (1, 2, 20, 33, 17, 19), (1, 1, 1, 130, 64, 64)),
    "f32": (
        (2, 3, 16, 64, 32, 32), (2, 2, 50, 77, 24, 40), (1, 2, 20, 33, 17, 19), (1, 1, 1, 130, 64, 64),
        (1, 1, 17, 100, 256, 256),
    ),
}  # fmt: skip

ADDED: Region = ("%t = arith.mulf %a, %scale : f32", "%r = arith.addf %t, %b : f32")
KEPT: Region = (
    "%low = arith.constant 0xFF800000 : f32", "%t = arith.mulf %a, %scale : f32",
    "%r = arith.select %b, %t, %low : f32",
)  # fmt: skip
SEVERAL: Region = (
    "%t = arith.mulf %a, %scale : f32", "%u = arith.extf %b : f16 to f32", "%v = arith.addf %t, %u : f32",
    "%w = arith.mulf %v, %d : f32", "%low = arith.constant -1.0e9 : f32", "%r = arith.select %c, %w, %low : f32",
)  # fmt: skip
CAPPED: Region = (
    "%cap = arith.constant 5.0 : f32", "%t = arith.mulf %a, %scale : f32", "%u = arith.divf %t, %cap : f32",
    "%v = math.tanh %u : f32", "%r = arith.mulf %v, %cap : f32",
)  # fmt: skip

PLAIN, ODD = (2, 4, 32, 64, 32, 32), (2, 4, 19, 45, 20, 24)


def plain_cases() -> dict[str, str]:
    cases = {
        f"{element}-{'x'.join(map(str, size))}": attention(size, element)
        for element, sizes in SIZES.items()
        for size in sizes
    }
    layouts = {
        "heads-inside": ("b, q, h, k", "b, n, h, k", "b, n, h, d", "b, q, h, d"),
        "key-transposed": (QUERY, "b, h, k, n", VALUE, OUTPUT),
        "value-transposed": (QUERY, KEY, "b, h, d, n", OUTPUT),
        "output-transposed": (QUERY, KEY, VALUE, "b, h, d, q"),
        "depth-before-heads": ("b, k, q, h", "k, b, h, n", "d, n, h, b", "d, b, q, h"),
        "grouped-queries": (QUERY, "b, h floordiv 2, n, k", "b, h floordiv 2, n, d", OUTPUT),
        "one-key-head": (QUERY, "b, n, k", "b, n, d", OUTPUT),
        "shared-keys": (QUERY, "h, n, k", "n, d", OUTPUT),
    }
    for name, maps in layouts.items():
        for size, sizes in (("aligned", PLAIN), ("ragged", ODD)):
            cases[f"{name}-{size}"] = attention(sizes, "f16", maps)
    cases["no-batch"] = attention((19, 45, 20, 24), "f16", ("q, k", "n, k", "n, d", "q, d"), "qnkd")
    maps = ("x, b, h, q, k", "x, b, h, n, k", "x, b, h, n, d", "b, x, q, h, d")
    cases["three-batch-dims"] = attention((2, 2, 3, 19, 45, 20, 24), "f16", maps, "xbhqnkd")
    for name, score in {
        "mask-of-key": "b, n", "mask-of-all": "b, h, q, n", "mask-of-query-and-key": "q, n", "mask-of-query": "b, q",
        "bias-of-head": "h", "mask-transposed": "n, q", "mask-with-unit-dims": "b, 0, 0, n",
    }.items():  # fmt: skip
        for size, sizes in (("aligned", PLAIN), ("ragged", ODD)):
            cases[f"{name}-{size}"] = attention(sizes, "f16", scores=[Score(score)], region=ADDED)
    kinds = [Score("h, q, n", "f16"), Score("b, n", "i1"), Score("h")]
    for size, sizes in (("aligned", PLAIN), ("ragged", ODD)):
        cases[f"several-scores-{size}"] = attention(sizes, "f16", scores=kinds, region=SEVERAL)
        cases[f"capped-{size}"] = attention(sizes, "f16", region=CAPPED)
        cases[f"half-result-{size}"] = attention(sizes, "f16", result="f16")
        cases[f"log-sum-exp-{size}"] = attention(sizes, "f16", log_sum_exp="b, h, q")
        cases[f"log-sum-exp-transposed-{size}"] = attention(sizes, "f16", log_sum_exp="q, b, h")
    return cases


# -- scores and operands computed in the kernel -----------------------------------------------------------------------


def causal(sizes: Sequence[int]) -> str:
    """The mask is made from positions: key <= query + (keys - queries)."""
    extents = dict(zip("bhqnkd", sizes, strict=True))
    kernel = KernelText("attention")
    operands = [(kernel.argument(shape_of(m, extents), "f16"), m) for m in (QUERY, KEY, VALUE)]
    shift = kernel.scalar(extents["n"] - extents["q"], "index")
    zero, low = kernel.scalar("0.0", "f32"), kernel.scalar("0xFF800000", "f32")
    body = [
        "%row = linalg.index 0 : index", "%column = linalg.index 1 : index",
        f"%last = arith.addi %row, {shift} : index",
        "%keep = arith.cmpi sle, %column, %last : index", f"%v = arith.select %keep, {zero}, {low} : f32",
    ]  # fmt: skip
    mask = kernel.generic("i, j", [], Out((extents["q"], extents["n"]), "f32", "i, j"), body, "%v")
    return kernel.text(*attend(kernel, extents, [*operands, (mask, "q, n")], OUTPUT, ADDED))


def distance_bias(sizes: Sequence[int]) -> str:
    """A bias that falls with the distance of key and query, by a slope a head; integers widened in the kernel."""
    extents = dict(zip("bhqnkd", sizes, strict=True))
    kernel = KernelText("attention")
    operands = [(kernel.argument(shape_of(m, extents), "f16"), m) for m in (QUERY, KEY, VALUE)]
    slope = kernel.argument((extents["h"],), "f32")
    body = [
        "%i = linalg.index 1 : index", "%j = linalg.index 2 : index", "%i64 = arith.index_cast %i : index to i64",
        "%j64 = arith.index_cast %j : index to i64", "%d = arith.subi %j64, %i64 : i64",
        "%f = arith.sitofp %d : i64 to f32", "%v = arith.mulf %f, %a : f32",
    ]  # fmt: skip
    out = Out((extents["h"], extents["q"], extents["n"]), "f32", "h, i, j")
    bias = kernel.generic("h, i, j", [(slope, "h")], out, body, "%v")
    return kernel.text(*attend(kernel, extents, [*operands, (bias, "h, q, n")], OUTPUT, ADDED))


def packed(sizes: Sequence[int]) -> str:
    """Query, key and value are slices of one f32 tensor [b, s, 3 h k], with a bias, narrowed in the kernel."""
    b, h, s, _, k, _ = sizes
    extents = dict(zip("bhqnkd", sizes, strict=True))
    kernel = KernelText("attention")
    x, bias = kernel.argument((b, s, 3 * h * k), "f32"), kernel.argument((3 * h * k,), "f32")
    body = ["%s = arith.addf %a, %b : f32", "%t = arith.truncf %s : f32 to f16"]
    dims = "i, j, l"
    sums = kernel.generic(dims, [(x, dims), (bias, "l")], Out(x.shape, "f16", dims), body, "%t")
    operands = []
    for number, letters in enumerate(("b, q, h, k", "b, n, h, k", "b, n, h, d")):
        part = kernel.value(
            f"tensor.extract_slice {sums.name}[0, 0, {number * h * k}] [{b}, {s}, {h * k}] [1, 1, 1] : {sums.type} to "
            f"tensor<{b}x{s}x{h * k}xf16>",
            (b, s, h * k),
            "f16",
        )
        operands.append((kernel.reshape(part, "[[0], [1], [2, 3]]", (b, s, h, k)), letters))
    return kernel.text(*attend(kernel, extents, operands, "b, q, h, d"))


def merged_and_quantized(sizes: Sequence[int]) -> str:
    """The output with heads merged: in f32, in f16 and quantised."""
    b, h, q, _, _, d = sizes
    extents = dict(zip("bhqnkd", sizes, strict=True))
    kernel = KernelText("attention")
    operands = [(kernel.argument(shape_of(m, extents), "f16"), m) for m in (QUERY, KEY, VALUE)]
    (output,) = attend(kernel, extents, operands, OUTPUT)
    out = Out((b, q, h, d), "f32", "b, q, h, d")
    swapped = kernel.generic("b, q, h, d", [(output, OUTPUT)], out, [], "%a")
    merged = kernel.reshape(swapped, "[[0], [1], [2, 3]]", (b, q, h * d))
    half = kernel.pointwise([merged], "f16", ["%t = arith.truncf %a : f32 to f16"], "%t")
    return kernel.text(merged, half, kernel.quantize(merged, FP8_SCALE))


COMPUTED: dict[str, Callable[[Sequence[int]], str]] = {
    "causal": causal, "distance-bias": distance_bias, "merged-and-quantized": merged_and_quantized,
}  # fmt: skip


def computed_cases() -> dict[str, str]:
    cases = {}
    for name, build in COMPUTED.items():
        cases |= {f"{name}-aligned": build(PLAIN), f"{name}-ragged": build(ODD)}
    cases["causal-square"] = causal((1, 2, 70, 70, 32, 32))
    return cases


CASES = {**plain_cases(), **computed_cases()}
MASKED_SIZES = {"aligned": (2, 3, 32, 192, 32, 32), "ragged": (2, 2, 19, 150, 20, 24)}
MASKED = {
    f"{name}-{size}": attention(sizes, "f16", scores=[Score("b, q, n", kind)], region=region, log_sum_exp="b, h, q")
    for name, kind, region in (("added", "f32", ADDED), ("selected", "i1", KEPT))
    for size, sizes in MASKED_SIZES.items()
}
HALF_SCORES: Region = ("%t = arith.mulf %a, %scale : f16", "%r = arith.addf %t, %b : f16")
OTHER = {"half-scores": attention(ODD, "f16", scores=[Score("b, n", "f16")], region=HALF_SCORES, score="f16")}
OTHER |= {"packed-aligned": packed((2, 4, 64, 64, 32, 32)), "packed-ragged": packed((2, 3, 21, 21, 20, 20))}
KERNELS = Kernels({**CASES, **MASKED, **OTHER})


def assert_within(result: Result, weighed: Sequence[np.ndarray], keys: int, element: str, extra: float = 0.0) -> None:
    """No value is further from the executor's than what its weights and its own rounding may be off.

    `weighed` are the sums of weight * |V| of each result, `extra` is added to the relative error of a weight.
    """
    largest = max(float(np.nanmax(np.abs(as_float(x)))) for x in weighed[:1])
    for emulated, expected, raw, wide in zip(
        result.emulated, result.expected, result.raw_expected, weighed, strict=True
    ):
        own = HALF_ULP[str(raw.dtype)]
        bound = (WEIGHT_ROUNDING[element] + extra) * np.abs(as_float(wide)) + keys * SUBNORMAL * largest
        bound += 2 * own * np.abs(expected) + (FP8_SUBNORMAL if raw.dtype.itemsize == 1 else 0.0)
        finite = np.isfinite(expected)
        np.testing.assert_array_equal(emulated[~finite], expected[~finite])
        error, bound = np.abs(emulated - expected)[finite], bound[finite]
        assert (error <= bound).all(), f"error {error.max()}, {(error / bound).max()} of the bound"


def weighed_by_magnitude(name: str, result: Result) -> list[np.ndarray]:
    """The results with |V| in place of V."""
    query, key, value, *others = result.inputs
    return KERNELS.reference(name, [query, key, np.abs(value), *others])


ELEMENT_OF = {"float16": "f16", "bfloat16": "bf16", "float32": "f32"}


@pytest.mark.parametrize("name", CASES)
def test_attention(name: str) -> None:
    result = KERNELS.run(name)
    element = ELEMENT_OF[str(result.inputs[0].dtype)]
    assert_within(result, weighed_by_magnitude(name, result), max(result.inputs[1].shape), element)


@pytest.mark.parametrize("name", ["packed-aligned", "packed-ragged"])
def test_packed_operands(name: str) -> None:
    result = KERNELS.run(name)
    largest = np.abs(result.inputs[0]).max() + np.abs(result.inputs[1]).max()  # weights sum to 1
    assert_within(result, [np.full(r.shape, largest) for r in result.expected], result.inputs[0].shape[1], "f16")


@pytest.mark.parametrize("name", ["f16-2x2x50x77x24x40", "f16-1x2x64x128x64x64"])
def test_sharp_rows(name: str) -> None:
    """Scores of several hundred: nearly all weight on one key, and a running maximum that grows from tile to tile."""

    def draw(rng: np.random.Generator, shape: Sequence[int], element: str) -> np.ndarray:
        drawn = random_array(rng, shape, element)
        return drawn * drawn.dtype.type(10) if shape[-1] != 40 else drawn

    result = KERNELS.run(name, draw=draw)
    # An f32 score near 1000 is off by some 2^-14, after sums of 24 or 64 products in either order a few times that.
    assert_within(result, weighed_by_magnitude(name, result), 128, "f16", extra=2.0**-11)


def test_scores_in_half_precision() -> None:
    result = KERNELS.run("half-scores")
    # A score of up to 8 is rounded twice to f16, off by 2^-8 each; sums in another order may round the other way.
    assert_within(result, weighed_by_magnitude("half-scores", result), 45, "f16", extra=2 * 2.0**-8)


def masked_rows(shape: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """Which keys are kept: in row 0 none, in row 1 the last, in row 2 those past the first tile, else a third."""
    kept = rng.random(shape) < 1 / 3
    kept[:, :3] = False
    kept[:, 1, -1] = True
    kept[:, 2, 130:] = True
    kept[:, 3:, 0] = True
    return kept


@pytest.mark.parametrize("size", MASKED_SIZES)
@pytest.mark.parametrize(
    ("kind", "low"), [("added", -np.inf), ("added", np.finfo(np.float32).min), ("selected", -np.inf)]
)
def test_masked_rows(kind: str, low: float, size: str) -> None:
    """A row with every score -inf has no softmax (NaN, log-sum-exp -inf); with every score the lowest finite number it
    is the mean of V. Rows whose first keys are masked start with a tile that adds nothing."""
    b, h, q, n, k, d = MASKED_SIZES[size]
    rng = np.random.default_rng(1)
    kept = masked_rows((b, q, n), rng)
    mask = kept if kind == "selected" else np.where(kept, 0, low).astype(np.float32)
    shapes = (b, h, q, k), (b, h, n, k), (b, h, n, d)
    name = f"{kind}-{size}"
    result = KERNELS.run(name, [*(random_array(rng, shape, "f16") for shape in shapes), mask])
    assert np.isnan(result.expected[0][:, :, 0]).all() == np.isinf(low)
    assert_within(result, weighed_by_magnitude(name, result), n, "f16")


def test_heads_too_large_for_lds() -> None:
    with pytest.raises(CompileError, match="head sizes 512 and 512 does not fit the 65536 bytes of LDS of gfx942"):
        run_both(attention((1, 1, 16, 64, 512, 512), "f32"))
