# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Contractions with scales for blocks of k. Operands are small whole numbers and scales powers of two, whose sums of
products are exact in f32 in any order, so results must be equal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from harness import DTYPES, Kernels, assert_equal
from kernel_text import KernelText, tensor_type

from fovea.errors import UnsupportedOpError


def scaled(
    extents: dict[str, int], left: str, right: str, out: str, elements: tuple[str, str], scales: Sequence[str | None],
    kind: str = "f32",
) -> str:
    """out = sum of left * left scale * right * right scale; maps of scales are as MLIR writes them, None: no scale."""
    kernel = KernelText("contraction")
    operands = [
        kernel.argument([extents[letter] for letter in letters], element)
        for letters, element in zip((left, right), elements, strict=True)
    ]
    maps = [", ".join(left), ", ".join(right)]
    for scale in scales:
        if scale is None:
            continue
        shape = []
        for expression in scale.split(", "):
            dim, _, block = expression.partition(" floordiv ")
            shape.append(1 if dim == "0" else -(-extents[dim] // int(block or 1)))
        operands.append(kernel.argument(shape, kind))
        maps.append(scale)
    maps.append(", ".join(out))
    dims = ", ".join(extents)
    attributes = ", ".join(f"affine_map<({dims}) -> ({map_})>" for map_ in maps)
    segments = ", ".join(str(int(present)) for present in (True, True, *(scale is not None for scale in scales)))
    shape = [extents[letter] for letter in out]
    result = kernel.value(
        f'"fovea.scaled_contract"({", ".join(o.name for o in operands)}) {{fovea.hero, indexing_maps = [{attributes}], '
        f"operandSegmentSizes = array<i32: {segments}>}} : ({', '.join(o.type for o in operands)}) -> "
        f"{tensor_type(shape, 'f32')}",
        shape,
        "f32",
    )
    return kernel.text(result)


SHAPES = ((130, 36, 200), (17, 5, 700), (48, 96, 132), (1, 33, 300), (128, 128, 1024))


def f32_cases(fp8: str, bf8: str, shapes: Sequence[tuple[int, int, int]]) -> dict[str, str]:
    cases = {}
    for m, n, k in shapes:
        extents = {"m": m, "n": n, "k": k}
        for block in (64, 128, 192):
            weights = [None, f"k floordiv {block}, n"]
            cases[f"weights-{block}-{m}x{n}x{k}"] = scaled(extents, "mk", "nk", "mn", (fp8, fp8), weights)
        both = ["m, k floordiv 64", "n, k floordiv 128"]
        cases[f"both-{m}x{n}x{k}"] = scaled(extents, "mk", "nk", "mn", (fp8, bf8), both)
        cases[f"swapped-{m}x{n}x{k}"] = scaled(extents, "mk", "kn", "nm", (bf8, fp8), [None, "n, k floordiv 64"])
    batched = {"b": 3, "m": 20, "n": 36, "k": 150}
    cases["batched"] = scaled(batched, "bmk", "bnk", "bmn", (bf8, bf8), ["b, 0, m", "b, n, k floordiv 64"])
    return cases


def mx_cases() -> dict[str, str]:
    cases = {}
    for m, n, k in SHAPES:
        extents, maps = {"m": m, "n": n, "k": k}, ["m, k floordiv 32", "n, k floordiv 32"]
        for elements in (("f8E4M3FN", "f8E4M3FN"), ("f8E5M2", "f8E4M3FN")):
            text = scaled(extents, "mk", "nk", "mn", elements, maps, "f8E8M0FNU")
            cases[f"mx-{elements[0]}-{m}x{n}x{k}"] = text
        cases[f"mx-one-side-{m}x{n}x{k}"] = scaled(
            extents, "mk", "nk", "mn", ("f8E4M3FN", "f8E5M2"), [None, maps[1]], "f8E8M0FNU"
        )
        cases[f"mx-swapped-{m}x{n}x{k}"] = scaled(
            extents, "mk", "kn", "nm", ("f8E4M3FN", "f8E5M2"), ["m, k floordiv 64", "k floordiv 32, n"], "f8E8M0FNU"
        )
    short = {"b": 2, "m": 20, "n": 36, "k": 24}
    maps = ["b, m, 0", "b, n, 0"]
    cases["mx-short-k"] = scaled(short, "bmk", "bnk", "bmn", ("f8E4M3FN", "f8E4M3FN"), maps, "f8E8M0FNU")
    return cases


EXTENTS = {"m": 20, "n": 36, "k": 200}
REFUSED = {
    "narrow-blocks": (scaled(EXTENTS, "mk", "nk", "mn", ("f8E4M3FNUZ",) * 2, [None, "n, k floordiv 32"]),
                      "has scales for blocks of 32; multiples of 64 have a kernel"),
    "no-mx": (scaled(EXTENTS, "mk", "nk", "mn", ("f8E4M3FNUZ",) * 2, [None, "n, k floordiv 32"], "f8E8M0FNU"),
              "has block scales, for which gfx942 has no matrix instruction"),
    "two-dims": (scaled({"m": 8, "n": 8, "h": 3, "k": 128}, "mhk", "nhk", "mn", ("f8E4M3FNUZ",) * 2,
                        [None, "n, k floordiv 64"]), "has scales for blocks of one of several contracted dims"),
}  # fmt: skip
CASES = {
    "gfx942": f32_cases("f8E4M3FNUZ", "f8E5M2FNUZ", SHAPES),
    "gfx950": f32_cases("f8E4M3FN", "f8E5M2", SHAPES[:1]) | mx_cases(),
}
KERNELS = {target: Kernels(cases, target) for target, cases in CASES.items()}
KERNELS["gfx942"].texts |= {name: text for name, (text, _) in REFUSED.items()}
NARROW_E8M0 = scaled(EXTENTS, "mk", "nk", "mn", ("f8E4M3FN",) * 2, [None, "n, k floordiv 16"], "f8E8M0FNU")
KERNELS["gfx950"].texts["narrow-mx"] = NARROW_E8M0


def draw(rng: np.random.Generator, shape: Sequence[int], element: str) -> np.ndarray:
    """Whole numbers up to 3 (1024 products of two are below 2^14), scales from 2^-2 to 2^2 (so 22 bits are enough)."""
    if element == "f8E8M0FNU":
        return rng.integers(125, 130, shape).astype(np.uint8).view(DTYPES[element])
    if element == "f32":
        return np.exp2(rng.integers(-2, 3, shape)).astype(np.float32)
    return rng.integers(-3, 4, shape).astype(np.float32).astype(DTYPES[element])


@pytest.mark.parametrize(("target", "name"), [(target, name) for target, cases in CASES.items() for name in cases])
def test_whole_numbers_are_exact(target: str, name: str) -> None:
    assert_equal(KERNELS[target].run(name, draw=draw))


@pytest.mark.parametrize("name", REFUSED)
def test_without_a_kernel(name: str) -> None:
    with pytest.raises(UnsupportedOpError, match=REFUSED[name][1]):
        KERNELS["gfx942"].run(name)


def test_narrow_e8m0_blocks() -> None:
    with pytest.raises(UnsupportedOpError, match="has E8M0 scales for blocks of 16; it takes multiples of 32"):
        KERNELS["gfx950"].run("narrow-mx")


def test_scales_far_from_one() -> None:
    """The smallest power of two that E8M0 has, 2^-127, which is no normal f32, and one near the largest."""
    text = "mx-f8E4M3FN-48x96x132"
    a, b = (draw(np.random.default_rng(s), (rows, 132), "f8E4M3FN") for s, rows in ((0, 48), (1, 96)))
    codes = np.full((48, 5), 0, np.uint8), np.full((96, 5), 253, np.uint8)
    scales = [code.view(DTYPES["f8E8M0FNU"]) for code in codes]
    assert_equal(KERNELS["gfx950"].run(text, [a, b, *scales]))
