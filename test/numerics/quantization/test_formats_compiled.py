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
from fovea.dialect.quantize import STORAGE_MAX
from fovea.executor import run
from fovea.package import Package
from fovea.passes.registry import PassContext
from fovea.report import make_report
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
  %p_{kind} = linalg.matmul indexing_maps = [#mk, #nk, #mn]
      ins(%x_{kind}, %w_{kind} : {x}, {w}) outs(%f_{kind} : {r}) -> {r}
  %r_{kind} = linalg.generic {{indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]}}
      ins(%p_{kind}, %b_{kind} : {r}, {b}) outs(%e_{kind} : {r}) {{
  ^bb0(%a: {kind}, %c: {kind}, %o: {kind}):
    %s = arith.addf %a, %c : {kind}
    linalg.yield %s : {kind}
  }} -> {r}"""


def _arguments(kind: str) -> str:
    return (f'%x_{kind}: tensor<{M}x{K}x{kind}> {{fovea.name = "x_{kind}"}}, '
            f'%w_{kind}: tensor<{N}x{K}x{kind}> {{fovea.weight = "w_{kind}"}}, '
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
  %lr = linalg.batch_matmul indexing_maps = [#bmk, #bnk, #bmn]
      ins(%l, %r : !left, !right) outs(%f : !products) -> !products
  %es = tensor.empty() : !square
  %fs = linalg.fill ins(%zero : f32) outs(%es : !square) -> !square
  %ll = linalg.batch_matmul indexing_maps = [#bmk, #bnk, #bmn]
      ins(%l, %l : !left, !left) outs(%fs : !square) -> !square
  return {", ".join(f"%r_{kind}" for kind in KINDS)}, %lr, %ll
      : tensor<{M}x{N}xf32>, tensor<{M}x{N}xf16>, tensor<{M}x{N}xbf16>, !products, !square
}}"""
EVERY = ("policy:all",)  # the first and the last contraction of a model, and small ones
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
    storage: str  # of activations
    matrix: set[str]  # matrix instructions of all kernels
    quantised_l: int  # ops that quantise %l


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
    options = api.CompileOptions(**{"compute_type": "f32", "include": EVERY, **CHOICES[name]})
    inputs, weights = data()
    batches = [inputs] if options.needs_calibration else None
    model = api.compile_module(parse(MODEL), options, weights, batches)
    packed = WeightStore()
    for key, array in model.weights.items():
        packed.add(key, array)
    emulated = runtime.run(Package(Path("model"), model.plan, model.code_objects, packed), inputs)
    module, context = parse(MODEL), PassContext(target=options.target, weights=weights)
    captures = ("insert-captures", {"include": EVERY})
    run_passes(module, ("normalize", {"prefer_k_contiguous": True}), captures, context=context)
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
    kernels = make_report(model, "model.mlir")["kernels"]
    quantising = [op for op in [*ops_named(module, "fovea.quantize"), *ops_named(module, "fovea.dynamic_quantize")]
                  if list(op.operands[0].type.shape) == [BATCH, M, HEADS]]  # fmt: skip
    return Case(
        emulated=[emulated[spec.name] for spec in model.plan.outputs],
        expected=run(module, list(inputs.values()), context.weights),
        exact=exact,
        storage=str(quantising[0].results[0].type.element_type),
        matrix={mnemonic for kernel in kernels for mnemonic in kernel["matrix"]},
        quantised_l=len(quantising),
    )


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


# Largest relative error of a value that is rounded to a format and not saturated, and its smallest step over 2.
ROUNDING = {"f8E4M3FNUZ": (2.0**-4, 2.0**-11), "f8E4M3FN": (2.0**-4, 2.0**-10),
            "f8E5M2FNUZ": (2.0**-3, 2.0**-18), "f8E5M2": (2.0**-3, 2.0**-17)}  # fmt: skip


@pytest.mark.parametrize("name", CHOICES)
def test_error_against_floats(name: str) -> None:
    """Each stored value is off by at most u of itself, and by the step of subnormals times its scale where it is small.
    Scales are as coarse as the choice says: a row or channel of small values keeps its own precision.

    Under MX (OCP's scale) the largest values of a block may lie between 448 and 512 times it, where they saturate: they
    are off by up to 1/8, which then stands for u. Its scales are at most 2/448 times the largest magnitude in a row.
    """
    found, choice = case(name), CHOICES[name]
    mx = choice.get("storage") == "mxfp8"
    u, least = ROUNDING[found.storage]
    u = 1 / 8 if mx else u
    rows = mx or choice.get("activation_granularity") == "row"
    channels = mx or choice.get("weight_granularity") != "tensor"
    inputs, weights = data()
    pairs = [(inputs[f"x_{kind}"], weights[f"w_{kind}"], weights[f"b_{kind}"]) for kind in KINDS]
    pairs += [(inputs["l"], inputs["r"], np.zeros(1)), (inputs["l"], inputs["l"], np.zeros(1))]
    for position, (x, w, b) in enumerate(pairs):
        x, w = (np.abs(v.astype(np.float64)) for v in (x, w))
        by_row = (rows, channels) if position < len(KINDS) else (rows, rows)
        scales = [
            (v.max(axis=-1, keepdims=True) if fine else v.max()) * (2 if mx else 1) / STORAGE_MAX[found.storage]
            for v, fine in zip((x, w), by_row, strict=True)
        ]
        off_x, off_w = (v * u + s * least for v, s in zip((x, w), scales, strict=True))
        error = off_x @ w.swapaxes(-1, -2) + (x + off_x) @ off_w.swapaxes(-1, -2)
        exact = x @ w.swapaxes(-1, -2)
        step = STEP[RESULT_KINDS[position]]
        bound = error + 2 * step * (exact + error + np.abs(b.astype(np.float64)))
        assert (np.abs(found.emulated[position].astype(np.float64) - found.exact[position]) <= bound).all()


@pytest.mark.parametrize(("name", "expected"), [
    ("gfx942-row-block", {"v_mfma_f32_16x16x32_fp8_fp8"}),
    ("gfx942-e5m2-row-block", {"v_mfma_f32_16x16x32_bf8_bf8"}),
    ("gfx950-tensor-channel", {"v_mfma_f32_16x16x32_fp8_fp8"}),
    ("gfx950-e5m2-row-channel", {"v_mfma_f32_16x16x32_bf8_bf8"}),
    ("gfx950-mxfp8", {"v_mfma_scale_f32_16x16x128_f8f6f4"}),
])  # fmt: skip
def test_matrix_instructions(name: str, expected: set[str]) -> None:
    assert case(name).matrix == expected


@pytest.mark.parametrize("name", CHOICES)
def test_one_tensor_is_quantised_once(name: str) -> None:
    """%l is read by l.r and by both sides of l.l."""
    assert case(name).quantised_l == 1
