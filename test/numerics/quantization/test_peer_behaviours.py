# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Behaviours that other quantisers test, on their shapes; README.md here says which test shows which."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from small_models import Array, linear, ops_named, parse, run_passes

from fovea.calibration import calibrate
from fovea.calibration.statistics import BINS
from fovea.dialect.attention_tag import NAME as TAG
from fovea.executor import run
from fovea.passes import ir_utils as utils
from fovea.passes.registry import PassContext
from fovea.weights import WeightStore

LARGEST = np.float32(240)  # of float8_e4m3fnuz


def stored(values: Array, scale: Array) -> Array:
    """What FP8 keeps of `values`, times the scale, in f64."""
    wide = values.astype(np.float32) * np.reciprocal(scale.astype(np.float32))
    return np.asarray(np.clip(wide, -LARGEST, LARGEST).astype(ml_dtypes.float8_e4m3fnuz).astype(np.float64) * scale)


def rounded(values: Array, axes: tuple[int, ...] | None = None) -> Array:
    return stored(values, np.abs(values.astype(np.float32)).max(axis=axes, keepdims=True) / LARGEST)


def quantised(text: str, given: dict[str, Array], weights: dict[str, Array]) -> tuple[Any, PassContext]:
    """Through calibration on `given` to pairs on both sides of each contraction."""
    context = PassContext(weights=WeightStore())
    for name, array in weights.items():
        context.weights.add(name, array)
    module = parse(text)
    run_passes(module, "normalize", "detect-attention", "insert-captures", context=context)
    calibrate(module, [given], context.weights)
    return module, run_passes(module, "quantize-fp8", context=context)


HEADS = """
!t = tensor<1x4x8x8xf32>
#m = affine_map<(b, h, m, n, k) -> (b, h, m, k)>
#n = affine_map<(b, h, m, n, k) -> (b, h, n, k)>
#k = affine_map<(b, h, m, n, k) -> (b, h, k, n)>
#o = affine_map<(b, h, m, n, k) -> (b, h, m, n)>
func.func @main(%x: !t, %k: !t, %v: !t, %wq: !t {fovea.weight = "wq"}, %wo: !t {fovea.weight = "wo"}) -> !t {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : !t
  %z = linalg.fill ins(%zero : f32) outs(%e : !t) -> !t
  %pre = linalg.contract indexing_maps = [#m, #k, #o] ins(%x, %wq : !t, !t) outs(%z : !t) -> !t
  %qk = linalg.contract indexing_maps = [#m, #n, #o] ins(%pre, %k : !t, !t) outs(%z : !t) -> !t
  %p = linalg.softmax dimension(3) ins(%qk : !t) outs(%e : !t) -> !t
  %pv = linalg.contract indexing_maps = [#m, #k, #o] ins(%p, %v : !t, !t) outs(%z : !t) -> !t
  %out = linalg.contract indexing_maps = [#m, #k, #o] ins(%pv, %wo : !t, !t) outs(%z : !t) -> !t
  return %out : !t
}"""


def test_projections_have_pairs_and_attention_has_none() -> None:
    random = np.random.default_rng(0)
    x, k, v, wq, wo = (random.standard_normal((1, 4, 8, 8)).astype(np.float32) for _ in range(5))
    module, _ = quantised(HEADS, {"arg0": x, "arg1": k, "arg2": v}, {"wq": wq, "wo": wo})
    found = []
    for function in utils.functions(module):
        for op in utils.body_ops(function):
            if op.name in ("linalg.contract", "linalg.batch_matmul") or "reduction" in str(op.attributes):
                producers = [utils.defining_op(value) for value in list(op.operands)[:2]]
                names = [producer.name if producer is not None else "" for producer in producers]
                if op.name != "linalg.softmax":
                    found.append((TAG in op.attributes, [name == "fovea.dequantize" for name in names]))
    assert found == [(False, [True] * 2), (True, [False] * 2), (True, [False] * 2), (False, [True] * 2)]


def prequantised() -> str:
    """Attention of f16 1x12x256x256 on stored operands: Q by 0.05, contraction, DQ by 0.05 * 0.05."""
    t, store = "tensor<12x256x256x", "f8E4M3FNUZ"

    def quantize(source: str, name: str) -> str:
        return (f'  %{name} = "fovea.quantize"({source}) {{axis = -1 : i64, scale = dense<0.05> : tensor<f32>}} '
                f": ({t}f16>) -> {t}{store}>\n")  # fmt: skip

    def contraction(left: str, right: str, name: str, maps: str = "") -> str:
        return f"""  %{name}i = linalg.batch_matmul{maps} ins({left}, {right} : {t}{store}>, {t}{store}>)
      outs(%zero : {t}f32>) -> {t}f32>
  %{name} = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}}
      ins(%{name}i : {t}f32>) outs(%half : {t}f16>) {{
  ^bb0(%a: f32, %o: f16):
    %d = arith.mulf %a, %scale : f32
    %h = arith.truncf %d : f32 to f16
    linalg.yield %h : f16
  }} -> {t}f16>
"""

    flat = "".join(f"  %{n}f = tensor.collapse_shape %{n} [[0, 1], [2], [3]] : tensor<1x12x256x256xf16> into {t}f16>\n"
                   + quantize(f"%{n}f", f"{n}8") for n in "qkv")  # fmt: skip
    arguments = ", ".join(f"%{n}: tensor<1x12x256x256xf16>" for n in "qkv")
    return f"""#id = affine_map<(b, m, n) -> (b, m, n)>
#left = affine_map<(b, m, n, k) -> (b, m, k)>
#right = affine_map<(b, m, n, k) -> (b, n, k)>
#out = affine_map<(b, m, n, k) -> (b, m, n)>
func.func @main({arguments}) -> {t}f16> {{
  %scale = arith.constant 0.0025 : f32
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : {t}f32>
  %half = tensor.empty() : {t}f16>
  %zero = linalg.fill ins(%z : f32) outs(%e : {t}f32>) -> {t}f32>
{flat}{contraction("%q8", "%k8", "s", " indexing_maps = [#left, #right, #out]")}
  %p = linalg.softmax dimension(2) ins(%s : {t}f16>) outs(%half : {t}f16>) -> {t}f16>
{quantize("%p", "p8")}{contraction("%p8", "%v8", "o")}
  return %o : {t}f16>
}}"""


def test_a_prequantised_attention_is_one_attention_on_floats() -> None:
    module = parse(prequantised())
    run_passes(module, "normalize", "detect-attention", "strip-attention-qdq", "raise-qdq", "move-quantize",
               "convert-fp8", "fuse-attention")  # fmt: skip
    (attention,) = ops_named(module, "fovea.attention")
    assert {str(attention.operands[i].type.element_type) for i in range(3)} == {"f16"}
    assert not ops_named(module, "linalg.batch_matmul") and not ops_named(module, "fovea.quantize")
    # It computes what the model computed before it was quantised: scores of deviation 1 have three more bits than f16
    # rounds off, and a probability an error of 2^-9 with that. FP8's would be 2^-4 a factor.
    random = np.random.default_rng(4)
    q, k, v = (0.25 * random.standard_normal((1, 12, 256, 256)).astype(np.float16) for _ in range(3))
    (found,) = run(module, {"arg0": q, "arg1": k, "arg2": v})
    q, k, v = (x[0].astype(np.float64) for x in (q, k, v))
    weights = np.exp(q @ k.transpose(0, 2, 1))
    expected = weights / weights.sum(axis=2, keepdims=True) @ v
    assert np.abs(found - expected).max() <= 2.0**-9 * np.abs(expected).max()


TWO = """
func.func @main(%x: tensor<5x16xf32>, %w: tensor<16x8xf32> {fovea.weight = "w"},
                %v: tensor<16x8xf32> {fovea.weight = "v"}, %z: tensor<5x8xf32>) -> (tensor<5x8xf32>, tensor<5x8xf32>) {
  %a = linalg.matmul ins(%x, %w : tensor<5x16xf32>, tensor<16x8xf32>) outs(%z : tensor<5x8xf32>) -> tensor<5x8xf32>
  %b = linalg.matmul ins(%x, %v : tensor<5x16xf32>, tensor<16x8xf32>) outs(%z : tensor<5x8xf32>) -> tensor<5x8xf32>
  return %a, %b : tensor<5x8xf32>, tensor<5x8xf32>
}"""
SQUARE = """
func.func @main(%x: tensor<16x16xf32>, %z: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %a = linalg.matmul ins(%x, %x : tensor<16x16xf32>, tensor<16x16xf32>) outs(%z : tensor<16x16xf32>)
      -> tensor<16x16xf32>
  return %a : tensor<16x16xf32>
}"""


@pytest.mark.parametrize(("text", "shapes", "weights"), [
    (TWO, {"arg0": (5, 16), "arg3": (5, 8)}, ("w", "v")), (SQUARE, {"arg0": (16, 16), "arg1": (16, 16)}, ()),
])  # fmt: skip
def test_one_tensor_has_one_q(text: str, shapes: dict[str, tuple[int, ...]], weights: tuple[str, ...]) -> None:
    random = np.random.default_rng(1)
    given = {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    arrays = {name: random.standard_normal((16, 8)).astype(np.float32) for name in weights}
    captured = parse(text)
    run_passes(captured, "normalize", "insert-captures")
    assert len(ops_named(captured, "fovea.capture")) == 1
    module, _ = quantised(text, given, arrays)
    assert len(ops_named(module, "fovea.quantize")) == 1 + len(weights)


@pytest.mark.parametrize("shape", [(2, 8, 16), (5, 8, 16), (1280, 1024, 1000)], ids=str)
def test_dots(shape: tuple[int, int, int]) -> None:
    """The result is that of the stored values but for f32 sums; the error against floats is that of E4M3's 3 bits: at
    most sqrt(2) * 2^-4/sqrt(3) of the result in the mean square (see test_fp8_linear)."""
    m, n, k = shape
    random = np.random.default_rng(m)
    x, w = random.uniform(-1, 1, (m, k)).astype(np.float32), random.uniform(-1, 1, (n, k)).astype(np.float32)
    module, context = quantised(linear(m, n, k), {"arg0": x}, {"fc.weight": w})
    run_passes(module, "fold-qdq", context=context)
    (found,) = run(module, [x], context.weights)
    by_hand, reference = rounded(x) @ rounded(w, (1,)).T, x.astype(np.float64) @ w.T
    np.testing.assert_allclose(found, by_hand, rtol=2.0**-22, atol=np.abs(by_hand).max() * k * 2.0**-24)
    assert np.linalg.norm(found - reference) < 5.1e-2 * np.linalg.norm(reference)


CONV = """
func.func @main(%x: tensor<2x2x4x6xf32>, %w: tensor<3x2x3x3xf32> {fovea.weight = "w"}) -> tensor<2x3x2x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x3x2x4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<2x3x2x4xf32>) -> tensor<2x3x2x4xf32>
  %r = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<2x2x4x6xf32>, tensor<3x2x3x3xf32>)
      outs(%z : tensor<2x3x2x4xf32>) -> tensor<2x3x2x4xf32>
  return %r : tensor<2x3x2x4xf32>
}"""


def test_convolution_of_2x2x4x6() -> None:
    random = np.random.default_rng(2)
    x, w = (random.standard_normal(shape).astype(np.float32) for shape in ((2, 2, 4, 6), (3, 2, 3, 3)))
    module, context = quantised(CONV, {"arg0": x}, {"w": w})
    run_passes(module, "fold-qdq", context=context)
    assert not ops_named(module, "fovea.dequantize")
    windows = np.lib.stride_tricks.sliding_window_view(rounded(x), (3, 3), axis=(2, 3))
    expected = np.einsum("bchwij,fcij->bfhw", windows, rounded(w, (1, 2, 3)))
    # f32 sums of 18 products.
    (found,) = run(module, [x], context.weights)
    np.testing.assert_allclose(found, expected, rtol=2.0**-22, atol=np.abs(expected).max() * 18 * 2.0**-24)


def test_scales_of_f16_models_are_f32() -> None:
    """Magnitudes whose scales are subnormal in f16, and whose product of scales is 0 there."""
    random = np.random.default_rng(3)
    x, w = ((random.uniform(-0.005, 0.005, shape)).astype(np.float16) for shape in ((5, 64), (8, 64)))
    module, context = quantised(linear(5, 8, 64, "f16"), {"arg0": x}, {"fc.weight": w})
    for op in ops_named(module, "fovea.quantize"):
        assert "f32" in str(op.attributes["scale"])
    (scale,) = (r["max"] for r in context.records if r.get("kind") == "scale" and r["role"] == "activation")
    assert scale == np.abs(x).max().astype(np.float32) / LARGEST
    assert np.float16(scale) * np.float16(scale) == 0
    run_passes(module, "fold-qdq", context=context)
    (found,) = run(module, [x], context.weights)
    # The result's own rounding to f16: 2^-11 of a normal number, 2^-25 of a subnormal one; and f32 sums below that.
    expected = rounded(x) @ rounded(w, (1,)).T
    np.testing.assert_allclose(found.astype(np.float64), expected, rtol=2.0**-10, atol=2.0**-24)
    assert np.abs(found).max() > 0


def test_values_past_the_range_saturate() -> None:
    random = np.random.default_rng(4)
    x, w = (random.standard_normal(shape).astype(np.float32) for shape in ((5, 16), (8, 16)))
    module, context = quantised(linear(5, 8, 16), {"arg0": x}, {"fc.weight": w})
    run_passes(module, "fold-qdq", context=context)
    outlier = x.copy()
    outlier[0, 0], outlier[1, 1] = 1e30, -1e30
    (found,) = run(module, [outlier], context.weights)
    expected = stored(outlier, np.abs(x).max(keepdims=True) / LARGEST) @ rounded(w, (1,)).T
    np.testing.assert_allclose(found, expected, rtol=2.0**-22, atol=np.abs(expected).max() * 16 * 2.0**-24)


def test_weights_past_the_range_saturate() -> None:
    module = parse("""func.func @main() -> tensor<3xf8E4M3FNUZ> {
  %w = arith.constant dense<[1.0e6, -1.0e6, 0.5]> : tensor<3xf32>
  %q = "fovea.quantize"(%w) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<3xf32>)
      -> tensor<3xf8E4M3FNUZ>
  return %q : tensor<3xf8E4M3FNUZ>
}""")
    run_passes(module, "fold-constants")
    assert not ops_named(module, "fovea.quantize")
    np.testing.assert_array_equal(run(module, [])[0].astype(np.float32), [240, -240, 1])


def test_calibration_keeps_statistics_only() -> None:
    module = parse(linear(5, 8, 16))
    context = PassContext(weights=WeightStore())
    context.weights.add("fc.weight", np.ones((8, 16), np.float32))
    run_passes(module, "normalize", "insert-captures", context=context)
    seen: list[weakref.ref[Array]] = []

    def batches() -> Iterator[dict[str, Array]]:
        for i in range(8):
            array = np.full((5, 16), i, np.float32)
            seen.append(weakref.ref(array))
            yield {"arg0": array}

    (statistics,) = calibrate(module, batches(), context.weights).values()
    assert len(seen) == 8 and not [reference for reference in seen if reference() is not None]
    assert statistics.counts.shape == (BINS,) and (statistics.batches, statistics.max_abs) == (8, 7.0)
