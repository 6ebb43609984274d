# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""gfx950: a part of what the other files check on gfx942, with its matrix instructions and its 8-bit formats."""

from __future__ import annotations

import numpy as np
import pytest
import test_attention
import test_rowwise
from harness import DTYPES, Kernels, assert_equal, relative_error, whole_numbers
from kernel_text import KernelText
from test_contraction import DIM_CASES, SHAPES, contraction
from test_conversions import all_codes, assert_same, cast, dequantized, sweep

from fovea.errors import UnsupportedOpError

ELEMENTS = ("f8E4M3FN", "f8E5M2", "f16", "bf16", "f32")
CONTRACTIONS = {
    f"{element}-{m}x{n}x{k}": contraction({"m": m, "n": n, "k": k}, "mk", "nk", "mn", element)
    for element in ELEMENTS
    for m, n, k in SHAPES[1:5]
}
for name in ("batched", "merge-odd-heads", "result-of-left-innermost", "dot-product"):
    for element in ("f8E4M3FN", "f16"):
        CONTRACTIONS[f"{name}-{element}"] = contraction(*DIM_CASES[name], element)
ATTENTION = {
    name: text
    for name, text in {**test_attention.CASES, **test_attention.MASKED}.items()
    if name in ("grouped-queries-ragged", "several-scores-ragged", "capped-aligned", "log-sum-exp-ragged",
                "causal-square") or name.startswith(("f16-2x", "bf16-", "f32-2x"))
}  # fmt: skip
ROWS = {name: text for name, (_, text) in test_rowwise.CASES.items()
        if name in ("layer-norm-f32-33x100", "softmax-f16-10x385", "rms-norm-bf16-2x5000")}  # fmt: skip
OCP = ("f8E4M3FN", "f8E5M2")
SWEEPS = {element: sweep(element) for element in OCP}
CONVERSIONS = (
    {f"truncf-{e}": cast("truncf", "f32", e, SWEEPS[e].size) for e in OCP}
    | {f"extf-{e}": cast("extf", e, "f32", 256) for e in OCP}
    | {f"dequantize-{e}": dequantized(e, 0.3, "bf16") for e in OCP}
)


def from_fnuz() -> str:
    kernel = KernelText("elementwise")
    return kernel.text(kernel.quantize(kernel.argument((64,), "f32"), 1.0, "f8E4M3FNUZ", hero=True))


KERNELS = Kernels({**CONTRACTIONS, **ATTENTION, **ROWS, **CONVERSIONS, "fnuz": from_fnuz()}, "gfx950")


@pytest.mark.parametrize("name", CONTRACTIONS)
def test_contractions_are_exact(name: str) -> None:
    assert_equal(KERNELS.run(name, draw=whole_numbers))


@pytest.mark.parametrize("name", ATTENTION)
def test_attention_within_its_bound(name: str) -> None:
    result = KERNELS.run(name)
    query, key, value, *others = result.inputs
    element = test_attention.ELEMENT_OF[str(query.dtype)]
    weighed = KERNELS.reference(name, [query, key, np.abs(value), *others])
    test_attention.assert_within(result, weighed, max(key.shape), element)


@pytest.mark.parametrize("name", ROWS)
def test_rows(name: str) -> None:
    result = KERNELS.run(name)
    bound = test_rowwise.BOUNDS[test_rowwise.CASES[name][0]]
    for emulated, expected in zip(result.emulated, result.expected, strict=True):
        assert relative_error(emulated, expected) <= bound


@pytest.mark.parametrize("element", OCP)
def test_narrowing(element: str) -> None:
    """Past the range what the format has for it: NaN, or infinity."""
    x = SWEEPS[element]
    with np.errstate(over="ignore"):
        assert_same(KERNELS.run(f"truncf-{element}", [x]).raw_emulated[0], x.astype(DTYPES[element]))


@pytest.mark.parametrize("element", OCP)
def test_widening(element: str) -> None:
    codes = all_codes(element)
    assert_same(KERNELS.run(f"extf-{element}", [codes]).raw_emulated[0], codes.astype(np.float32))
    exact = (codes.astype(np.float32) * np.float32(0.3)).astype(DTYPES["bf16"])
    assert_same(KERNELS.run(f"dequantize-{element}", [codes]).raw_emulated[0], exact)


def test_fnuz_formats_are_refused() -> None:
    with pytest.raises(UnsupportedOpError, match="gfx950 has no f8E4M3FNUZ; its 8-bit floats are f8E4M3FN, f8E5M2"):
        KERNELS.run("fnuz")
