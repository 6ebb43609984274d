# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Contraction kernels: shapes, layouts, dims of every class. Operands are small whole numbers, whose sums of products
are exact in f32 in any order, so results must be equal; what rounding adds is measured on normal operands."""

from __future__ import annotations

import pytest
from harness import Kernels, assert_equal, whole_numbers
from kernel_text import KernelText, Out, Tensor

ELEMENTS = ("f8E4M3FNUZ", "f16", "bf16", "f32")
SHAPES = (
    (64, 64, 64), (128, 128, 128), (130, 150, 33), (33, 65, 70), (48, 96, 132), (100, 36, 200), (17, 5, 7),
    (16, 16, 16), (1, 64, 64), (64, 1, 72), (1, 1, 1), (1, 1, 300), (3, 200, 1),
)  # fmt: skip


def contraction(
    extents: dict[str, int], left: str, right: str, out: str, element: str, result: str = "f32", init: str = "zero"
) -> str:
    """out = sum of left * right; each map is a string of dim letters. `init`: "zero" or "argument"."""
    kernel = KernelText("contraction")

    def shape(letters: str) -> list[int]:
        return [extents[letter] for letter in letters]

    def map_(letters: str) -> str:
        return ", ".join(letters)

    a, b = kernel.argument(shape(left), element), kernel.argument(shape(right), element)
    start = kernel.argument(shape(out), result) if init == "argument" else kernel.filled("0.0", shape(out), result)
    value = multiply_add(kernel, map_("".join(extents)), (a, map_(left)), (b, map_(right)), (start, map_(out)))
    return kernel.text(value)


def multiply_add(
    kernel: KernelText, dims: str, a: tuple[Tensor, str], b: tuple[Tensor, str], init: tuple[Tensor, str]
) -> Tensor:
    """The hero: operands are widened to the result's type where they are narrower."""
    element, result = a[0].element, init[0].element
    left, right, body = "%a", "%b", []
    if element != result:
        left, right = "%wa", "%wb"
        body = [f"%w{x} = arith.extf %{x} : {element} to {result}" for x in "ab"]
    body += [f"%p = arith.mulf {left}, {right} : {result}", f"%s = arith.addf %x, %p : {result}"]
    out = Out(init[0].shape, result, init[1], init[0])
    return kernel.generic(dims, [a, b], out, body, "%s", hero=True)


def shape_cases() -> dict[str, str]:
    cases = {}
    for element in ELEMENTS:
        for m, n, k in SHAPES:
            text = contraction({"m": m, "n": n, "k": k}, "mk", "kn", "mn", element)
            cases[f"{element}-{m}x{n}x{k}"] = text
    return cases


def layout_cases() -> dict[str, str]:
    cases = {}
    for element in ("f8E4M3FNUZ", "f16"):
        for extents in ({"m": 64, "n": 96, "k": 128}, {"m": 50, "n": 37, "k": 70}):
            for left in ("mk", "km"):
                for right in ("kn", "nk"):
                    for out in ("mn", "nm"):
                        text = contraction(extents, left, right, out, element)
                        name = f"{element}-{left}-{right}-{out}-{'x'.join(map(str, extents.values()))}"
                        cases[name] = text
    return cases


# Contractions with several dims of a class, as exporters and layout passes write them: extents, operands, result.
DIM_CASES = {
    "batched": ({"b": 3, "m": 33, "n": 20, "k": 24}, "bmk", "bkn", "bmn"),
    "batch-in-the-middle": ({"b": 4, "m": 20, "n": 40, "k": 16}, "mbk", "nbk", "mbn"),
    "batch-innermost": ({"m": 18, "n": 20, "b": 4, "k": 16}, "mkb", "knb", "mnb"),
    "two-batch-dims": ({"b": 2, "h": 3, "q": 17, "n": 19, "k": 32}, "bhqk", "bhnk", "bhqn"),
    "split-heads": ({"b": 2, "s": 9, "h": 3, "d": 8, "k": 48}, "bsk", "khd", "bhsd"),
    "merge-heads": ({"b": 2, "s": 9, "e": 20, "h": 3, "d": 8}, "bhsd", "hde", "bse"),
    "merge-odd-heads": ({"b": 2, "s": 9, "e": 21, "h": 3, "d": 7}, "bhsd", "ehd", "bse"),
    "k-dims-in-other-order": ({"m": 10, "n": 24, "h": 4, "d": 8}, "mhd", "dhn", "mn"),
    "interleaved-result": ({"m": 6, "n": 4, "p": 5, "q": 8, "k": 16}, "mpk", "nqk", "mnpq"),
    "result-of-left-innermost": ({"m": 6, "n": 10, "p": 16, "k": 16}, "mpk", "nk", "mnp"),
    "blocked": ({"m": 3, "n": 4, "k": 5, "i": 8, "j": 4, "l": 2}, "mkil", "nkjl", "mnij"),
    "unit-dims": ({"b": 1, "m": 20, "u": 1, "n": 24, "k": 16}, "bmuk", "bukn", "bmun"),
    "outer-product": ({"m": 20, "n": 30, "k": 1}, "mk", "kn", "mn"),
    "dot-product": ({"k": 333}, "k", "k", ""),
    "matrix-vector": ({"m": 45, "k": 64}, "mk", "k", "m"),
    "vector-matrix": ({"n": 45, "k": 64}, "k", "kn", "n"),
    "elementwise-batch": ({"b": 12, "n": 8, "k": 3}, "bk", "bkn", "bn"),
}  # fmt: skip


def dim_cases() -> dict[str, str]:
    return {
        f"{name}-{element}": contraction(*case, element)
        for name, case in DIM_CASES.items()
        for element in ("f8E4M3FNUZ", "bf16")
    }


NAMED = {  # named op -> operand and result shapes
    "matmul": ((20, 40), (40, 30), (20, 30)),
    "batch_matmul": ((2, 20, 40), (2, 40, 30), (2, 20, 30)),
    "matvec": ((20, 40), (40,), (20,)),
    "vecmat": ((40,), (40, 20), (20,)),
    "dot": ((40,), (40,), ()),
    "batch_matvec": ((3, 20, 40), (3, 40), (3, 20)),
    "batch_vecmat": ((3, 40), (3, 40, 20), (3, 20)),
    "batch_reduce_matmul": ((3, 20, 40), (3, 40, 30), (20, 30)),
    "mmt4d": ((2, 3, 8, 4), (5, 3, 16, 4), (2, 5, 8, 16)),
    "batch_mmt4d": ((2, 2, 3, 8, 4), (2, 5, 3, 16, 4), (2, 2, 5, 8, 16)),
}


def named_cases() -> dict[str, str]:
    cases = {}
    for op, (left, right, out) in NAMED.items():
        kernel = KernelText("contraction")
        operands = [kernel.argument(left, "f16"), kernel.argument(right, "f16")]
        cases[op] = kernel.text(kernel.named(op, operands, kernel.filled("0.0", out, "f32"), hero=True))
    return cases


CASES = {**shape_cases(), **layout_cases(), **dim_cases(), **named_cases()}
KERNELS = Kernels(CASES)


@pytest.mark.parametrize("name", CASES)
def test_whole_numbers_are_exact(name: str) -> None:
    assert_equal(KERNELS.run(name, draw=whole_numbers))
