# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every storage format and granularity, compiled and run on the emulator: x.w + bias in each element type, batches of
products of two activations, and x.x.

One module holds them all, so that each choice of options is one compilation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from small_models import Array, ops_named, parse, run_passes

from fovea import api, runtime
from fovea.calibration import calibrate
from fovea.executor import run
from fovea.package import Package
from fovea.passes.registry import PassContext
from fovea.weights import WeightStore

M, N, K, BATCH, HEADS = 20, 36, 200, 2, 24  # K: no whole number of blocks of 64, 128 or 32
KINDS = {"f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16}
STEP = {"f32": 2.0**-23, "f16": 2.0**-10, "bf16": 2.0**-7}  # relative spacing of the result's type


def _linear(kind: str) -> str:
    x, w, b, r = f"tensor<{M}x{K}x{kind}>", f"tensor<{N}x{K}x{kind}>", f"tensor<{N}x{kind}>", f"tensor<{M}x{N}x{kind}>"
    return f"""
  %z_{kind} = arith.constant 0.0 : {kind}
  %e_{kind} = tensor.empty() : {r}
  %f_{kind} = linalg.fill ins(%z_{kind} : {kind}) outs(%e_{kind} : {r}) -> {r}
  %p_{kind} = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x_{kind}, %w_{kind} : {x}, {w}) outs(%f_{kind} : {r}) -> {r}
  %r_{kind} = linalg.generic {{indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]}}
      ins(%p_{kind}, %b_{kind} : {r}, {b}) outs(%e_{kind} : {r}) {{
  ^bb0(%a: {kind}, %c: {kind}, %o: {kind}):
    %s = arith.addf %a, %c : {kind}
    linalg.yield %s : {kind}
  }} -> {r}"""


def _arguments(kind: str) -> str:
    return (f'%x_{kind}: tensor<{M}x{K}x{kind}> {{fovea.name = "x_{kind}"}}, %w_{kind}: tensor<{N}x{K}x{kind}> {{fovea.weight = "w_{kind}"}}, '
            f'%b_{kind}: tensor<{N}x{kind}> {{fovea.weight = "b_{kind}"}}')  # fmt: skip


MODEL = f"""
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#column = affine_map<(m, n) -> (n)>
#bmk = affine_map<(b, m, n, k) -> (b, m, k)>
#bnk = affine_map<(b, m, n, k) -> (b, n, k)>
#bmn = affine_map<(b, m, n, k) -> (b, m, n)>
!left = tensor<{BATCH}x{M}x{HEADS}xf32>
!right = tensor<{BATCH}x{N}x{HEADS}xf32>
!products = tensor<{BATCH}x{M}x{N}xf32>
!square = tensor<{BATCH}x{M}x{M}xf32>
func.func @main({", ".join(map(_arguments, KINDS))}, %l: !left {{fovea.name = "l"}}, %r: !right {{fovea.name = "r"}}) ->
    (tensor<{M}x{N}xf32>, tensor<{M}x{N}xf16>, tensor<{M}x{N}xbf16>, !products, !square) {{
  {"".join(map(_linear, KINDS))}
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : !products
  %f = linalg.fill ins(%zero : f32) outs(%e : !products) -> !products
  %lr = linalg.batch_matmul indexing_maps = [#bmk, #bnk, #bmn] ins(%l, %r : !left, !right) outs(%f : !products) -> !products
  %es = tensor.empty() : !square
  %fs = linalg.fill ins(%zero : f32) outs(%es : !square) -> !square
  %ll = linalg.batch_matmul indexing_maps = [#bmk, #bnk, #bmn] ins(%l, %l : !left, !left) outs(%fs : !square) -> !square
  return {", ".join(f"%r_{kind}" for kind in KINDS)}, %lr, %ll
      : tensor<{M}x{N}xf32>, tensor<{M}x{N}xf16>, tensor<{M}x{N}xbf16>, !products, !square
}}"""
RESULT_KINDS = (*KINDS, "f32", "f32")
PRODUCTS = (K, K, K, HEADS, HEADS)  # added for each element of a result

CHOICES: dict[str, dict[str, Any]] = {
    "gfx942-tensor-tensor": {"weight_granularity": "tensor"},
    "gfx942-tensor-channel": {},
    "gfx942-tensor-block": {"weight_granularity": "block:128"},
    "gfx942-row-tensor": {"weight_granularity": "tensor", "activation_granularity": "row"},
    "gfx942-row-channel": {"activation_granularity": "row"},
    "gfx942-row-block": {"weight_granularity": "block:64", "activation_granularity": "row"},
    "gfx942-e5m2-tensor-channel": {"storage": "e5m2"},
    "gfx942-e5m2-row-block": {"storage": "e5m2", "weight_granularity": "block:64", "activation_granularity": "row"},
    "gfx950-tensor-channel": {"target": "gfx950"},
    "gfx950-row-block": {"target": "gfx950", "weight_granularity": "block:128", "activation_granularity": "row"},
    "gfx950-e5m2-row-channel": {"target": "gfx950", "storage": "e5m2", "activation_granularity": "row"},
    "gfx950-mxfp8": {"target": "gfx950", "storage": "mxfp8"},
}


@dataclass
class Case:
    """What one choice gave: on the emulator, on the reference executor after the same passes, and in f64."""

    emulated: list[Array]
    expected: list[Array]
    exact: list[Array]
    matrix: set[str]


def data() -> tuple[dict[str, Array], WeightStore]:
    """Inputs by name and weights: rows and channels of very different sizes, one channel of zeros, one large value."""
    generator = np.random.default_rng(7)
    weights, inputs = WeightStore(), {}
    rows = np.exp2(generator.integers(-6, 7, (M, 1)))
    channels = np.exp2(generator.integers(-6, 7, (N, 1)))
    for kind, dtype in KINDS.items():
        inputs[f"x_{kind}"] = (generator.standard_normal((M, K)) * rows / 8).astype(dtype)
        weight = generator.standard_normal((N, K)) * channels / 8
        weight[5] = 0
        weights.add(f"w_{kind}", weight.astype(dtype))
        weights.add(f"b_{kind}", generator.standard_normal(N).astype(dtype))
    for name, size in (("l", M), ("r", N)):
        inputs[name] = generator.standard_normal((BATCH, size, HEADS)).astype(np.float32)
    inputs["l"][0, 3] = 0
    inputs["l"][1, 4, 5] = 500
    return inputs, weights


@cache
def case(name: str) -> Case:
    options = api.CompileOptions(**{"compute_type": "f32", **CHOICES[name]})
    inputs, weights = data()
    batches = [inputs] if options.needs_calibration else None
    model = api.compile_module(parse(MODEL), options, weights, batches)
    packed = WeightStore()
    for key, array in model.weights.items():
        packed.add(key, array)
    emulated = runtime.run(Package(Path("model"), model.plan, model.code_objects, packed), inputs)
    module, context = parse(MODEL), PassContext(target=options.target, weights=weights)
    run_passes(module, ("normalize", {"prefer_k_contiguous": True}), "insert-captures", context=context)
    if batches:
        calibrate(module, batches, weights)
    options.quantization().run(module, context)
    run_passes(module, "fold-qdq", "fold-constants", context=context)
    assert not ops_named(module, "fovea.dequantize") and not ops_named(module, "fovea.dynamic_dequantize")
    exact = []
    for kind in KINDS:
        x, w, b = (v.astype(np.float64) for v in (inputs[f"x_{kind}"], weights[f"w_{kind}"], weights[f"b_{kind}"]))
        exact.append(x @ w.T + b)
    left, right = (inputs[name].astype(np.float64) for name in "lr")
    exact += [left @ right.transpose(0, 2, 1), left @ left.transpose(0, 2, 1)]
    mnemonics = {m for kernel in model.plan.launches for m in [kernel.kernel]}
    return Case([emulated[spec.name] for spec in model.plan.outputs], run(module, list(inputs.values()), context.weights),
                exact, mnemonics)  # fmt: skip


@pytest.mark.parametrize("name", CHOICES)
def test_emulated_is_what_the_ir_says(name: str) -> None:
    """Stored values and scales are equal, so what is left is the order in which f32 products are added, 2^-24 of the
    largest partial sum for each of them, and one rounding of the result (two: the bias follows)."""
    found = case(name)
    for emulated, expected, kind, products in zip(
        found.emulated, found.expected, RESULT_KINDS, PRODUCTS, strict=True
    ):
        emulated, expected = emulated.astype(np.float64), expected.astype(np.float64)
        largest = np.abs(expected).max(axis=-1, keepdims=True)
        bound = 2 * STEP[kind] * np.abs(expected) + products * 2.0**-24 * largest
        assert (np.abs(emulated - expected) <= bound).all()


if __name__ == "__main__":
    import sys
    import time
    for n in sys.argv[1:] or CHOICES:
        t=time.time()
        try:
            c = case(n)
            for a,b,e in zip(c.emulated,c.expected,c.exact):
                a,b=a.astype(np.float64),b.astype(np.float64)
                print(n, "%.2e %.4f" % (np.abs(a-b).max()/np.abs(b).max(), np.linalg.norm(a-e)/np.linalg.norm(e)), c.matrix if a is c.emulated[0] else "")
        except Exception as x:
            import traceback; traceback.print_exc(limit=-4)
            print(n, "FAILED", str(x)[:600])
        print(time.time()-t)
