# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The fovea dialect's ops, against the formulas of their documentation."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from linalg_text import F32, normal

from fovea.executor import fovea_ops


@pytest.mark.parametrize(("type_", "dtype", "largest"), [("f8E4M3FNUZ", ml_dtypes.float8_e4m3fnuz, 240),
                                                         ("f8E4M3FN", ml_dtypes.float8_e4m3fn, 448)])  # fmt: skip
def test_quantize_saturates_and_rounds(execute: Any, type_: str, dtype: Any, largest: float) -> None:
    kind, stored = "tensor<2x300xf32>", f"tensor<2x300x{type_}>"
    attributes = "{axis = 0 : i64, scale = dense<[0.5, 0.3]> : tensor<2xf32>}"
    body = (
        f'%0 = "fovea.quantize"(%a) {attributes} : ({kind}) -> {stored}\n'
        f'%1 = "fovea.dequantize"(%0) {attributes} : ({stored}) -> {kind}\n'
        f"return %0, %1 : {stored}, {kind}"
    )
    a = 100 * normal(2, 300)
    a[:, 0], a[:, 1] = [1e9, -np.inf], np.nan
    found, back = execute(f"(%a: {kind}) -> ({stored}, {kind})", body, a)
    scale = np.array([[0.5], [0.3]], np.float32)
    table = np.arange(256, dtype=np.uint8).view(dtype).astype(np.float32)
    table = np.unique(table[np.isfinite(table)])
    real = found.astype(np.float32)
    assert list(real[:, 0]) == [largest, -largest]
    assert np.isnan(real[:, 1]).all()
    wanted = np.clip(a * (np.float32(1) / scale), -largest, largest)[:, 2:]
    nearest = np.abs(table - wanted[..., None]).min(-1)
    assert np.array_equal(np.abs(real[:, 2:] - wanted), nearest)
    assert np.array_equal(back[:, 2:], (real * scale)[:, 2:])


def attention(execute: Any, type_: str, n_results: int, inputs: list[Any]) -> Any:
    """GQA whose score chain is tanh(scale * s + bias), with a bias and a result that lie transposed in memory."""
    q, k, v, bias = "2x4x5x8", "2x2x6x8", "2x2x6x3", "6x2x5"
    maps = ["b, h, q, k", "b, h floordiv 2, n, k", "b, h floordiv 2, n, d", "n, b, q", "q, b, h, d", "b, h, q"]
    maps = maps[: 4 + n_results]
    text = ", ".join(f"affine_map<(b, h, q, n, k, d) -> ({m})>" for m in maps)
    results = [f"tensor<5x2x4x3x{type_}>", "tensor<2x4x5xf32>"][:n_results]
    kinds = [f"tensor<{s}x{type_}>" for s in (q, k, v)] + [f"tensor<{bias}xf32>"]
    body = f"""%scale = arith.constant 0.35 : f32
%0{":2" if n_results == 2 else ""} = "fovea.attention"(%q, %k, %v, %b) ({{
^bb0(%s: f32, %m: f32):
  %x = arith.mulf %s, %scale : f32
  %y = arith.addf %x, %m : f32
  %t = math.tanh %y : f32
  "fovea.yield"(%t) : (f32) -> ()
}}) {{indexing_maps = [{text}],
  operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0>}} : ({", ".join(kinds)}) -> ({", ".join(results)})
return {"%0#0, %0#1" if n_results == 2 else "%0"} : {", ".join(results)}"""
    arguments = ", ".join(f"%{n}: {kind}" for n, kind in zip("qkvb", kinds, strict=True))
    return execute(f"({arguments}) -> ({', '.join(results)})", body, *inputs)


@pytest.mark.parametrize("scores", [fovea_ops._SCORES, 100], ids=["whole", "in pieces"])
@pytest.mark.parametrize(("type_", "dtype"), [("f32", np.float32), ("f16", np.float16), ("bf16", ml_dtypes.bfloat16)])
def test_attention(execute: Any, monkeypatch: Any, type_: str, dtype: Any, scores: int) -> None:
    monkeypatch.setattr(fovea_ops, "_SCORES", scores)
    q, k, v = (normal(*s).astype(dtype) for s in ((2, 4, 5, 8), (2, 2, 6, 8), (2, 2, 6, 3)))
    bias = normal(6, 2, 5)
    found, log = attention(execute, type_, 2, [q, k, v, bias])
    wide = [x.astype(np.float64) for x in (q, k, v)]
    grouped = [np.repeat(x, 2, axis=1) for x in wide[1:]]
    s = np.tanh(0.35 * np.einsum("bhqk,bhnk->bhqn", wide[0], grouped[0]) + bias.transpose(1, 2, 0)[:, None])
    p = np.exp(s) / np.exp(s).sum(-1, keepdims=True)
    expected = np.einsum("bhqn,bhnd->qbhd", p, grouped[1])
    assert found.dtype == dtype
    # f32 inside; half a unit in the last place of the result's type where it is narrower
    tolerance = F32 if dtype == np.float32 else {"rtol": 2**-8 if type_ == "bf16" else 2**-11, "atol": 1e-5}
    np.testing.assert_allclose(found.astype(np.float64), expected, **tolerance)
    np.testing.assert_allclose(log, np.log(np.exp(s).sum(-1)), **F32)
    assert np.array_equal(attention(execute, type_, 1, [q, k, v, bias]), found)
