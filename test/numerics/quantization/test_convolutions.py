# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From a convolution to an FP8 convolution: the numbers by hand, and what is decided about it."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from small_models import Array, ops_named, parse, run_passes

from fovea.calibration import calibrate
from fovea.executor import run
from fovea.passes.registry import PassContext
from fovea.weights import WeightStore

LARGEST = 240.0  # of float8_e4m3fnuz
SIZE, CHANNELS, OUTPUTS, WINDOW = 7, 4, 6, 3

# Name -> groups, stride, dilation, padding in front and behind.
CASES = {
    "plain": (1, 1, 1, (0, 0)), "strided": (1, 2, 1, (1, 1)), "dilated": (1, 1, 2, (2, 2)),
    "asymmetric": (1, 2, 1, (0, 1)), "groups": (2, 1, 1, (1, 1)),
}  # fmt: skip


def model(groups: int, stride: int, dilation: int, padding: tuple[int, int]) -> str:
    """PyTorch's Conv2d without bias, as torch-mlir writes it: padding, then groups as a dim of their own."""
    padded = SIZE + sum(padding)
    image = (padded - dilation * (WINDOW - 1) - 1) // stride + 1
    (low, high), c, f, g = padding, CHANNELS, OUTPUTS, groups
    given, wide = f"tensor<1x{c}x{SIZE}x{SIZE}xf32>", f"tensor<1x{c}x{padded}x{padded}xf32>"
    weight = f"tensor<{f}x{c // g}x3x3xf32>"
    split, filters = f"tensor<1x{g}x{c // g}x{padded}x{padded}xf32>", f"tensor<{g}x{f // g}x{c // g}x3x3xf32>"
    apart, result = f"tensor<1x{g}x{f // g}x{image}x{image}xf32>", f"tensor<1x{f}x{image}x{image}xf32>"
    return f"""
func.func @main(%x: {given}, %w: {weight} {{fovea.weight = "conv.weight"}}) -> {result} {{
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %x low[0, 0, {low}, {low}] high[0, 0, {high}, {high}] {{
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  }} : {given} to {wide}
  %s = tensor.expand_shape %p [[0], [1, 2], [3], [4]] output_shape [1, {g}, {c // g}, {padded}, {padded}]
      : {wide} into {split}
  %v = tensor.expand_shape %w [[0, 1], [2], [3], [4]] output_shape [{g}, {f // g}, {c // g}, 3, 3]
      : {weight} into {filters}
  %e = tensor.empty() : {apart}
  %z = linalg.fill ins(%zero : f32) outs(%e : {apart}) -> {apart}
  %r = linalg.conv_2d_ngchw_gfchw
      {{strides = dense<{stride}> : vector<2xi64>, dilations = dense<{dilation}> : vector<2xi64>}}
      ins(%s, %v : {split}, {filters}) outs(%z : {apart}) -> {apart}
  %o = tensor.collapse_shape %r [[0], [1, 2], [3], [4]] : {apart} into {result}
  return %o : {result}
}}"""


def convolve(x: Array, w: Array, groups: int, stride: int, dilation: int, padding: tuple[int, int]) -> Array:
    """The same convolution in f64, place of the window by place of the window."""
    x = np.pad(x.astype(np.float64), ((0, 0), (0, 0), padding, padding))
    image = (x.shape[2] - dilation * (WINDOW - 1) - 1) // stride + 1
    x = x.reshape(groups, CHANNELS // groups, *x.shape[2:])
    w = w.astype(np.float64).reshape(groups, OUTPUTS // groups, CHANNELS // groups, WINDOW, WINDOW)
    total = np.zeros((groups, OUTPUTS // groups, image, image))
    for i in range(WINDOW):
        for j in range(WINDOW):
            rows, columns = (slice(d * dilation, d * dilation + stride * (image - 1) + 1, stride) for d in (i, j))
            total += np.einsum("gchw,gfc->gfhw", x[:, :, rows, columns], w[..., i, j])
    return total.reshape(1, OUTPUTS, image, image)


def data() -> tuple[Array, Array]:
    """Output channels of very different size, so that scales of the wrong axis are seen."""
    generator = np.random.default_rng(7)
    x = generator.standard_normal((1, CHANNELS, SIZE, SIZE), np.float32)
    w = generator.standard_normal((OUTPUTS, CHANNELS, WINDOW, WINDOW), np.float32)
    return x, w * np.float32(4.0) ** np.arange(OUTPUTS, dtype=np.float32)[:, None, None, None]


def rounded(values: Array, axes: tuple[int, ...] | None) -> Array:
    """`values` as FP8 keeps them, with one scale over `axes` (None: over all)."""
    scale = np.abs(values).max(axis=axes, keepdims=True) / np.float32(LARGEST)
    stored = np.clip(values * np.reciprocal(scale), -LARGEST, LARGEST).astype(ml_dtypes.float8_e4m3fnuz)
    return np.asarray(stored.astype(np.float64) * scale)


def quantised(text: str, x: Array, w: Array) -> tuple[Any, PassContext]:
    module, context = parse(text), PassContext(weights=WeightStore())
    context.weights.add("conv.weight", w)
    run_passes(module, "normalize", "insert-captures", context=context)
    calibrate(module, [{"arg0": x}], context.weights)
    run_passes(module, "quantize-fp8", "fold-qdq", context=context)
    return module, context


@pytest.mark.parametrize("name", CASES)
def test_matches_fp8_by_hand(name: str) -> None:
    """The stored values are equal; what is left are f32 sums of 36 terms, 36 * 2^-24 of each channel's largest value,
    and a few roundings of 2^-24 for the scales."""
    x, w = data()
    w = np.ascontiguousarray(w[:, : CHANNELS // CASES[name][0]])
    module, context = quantised(model(*CASES[name]), x, w)
    assert not ops_named(module, "fovea.dequantize")
    expected = convolve(rounded(x, None), rounded(w, (1, 2, 3)), *CASES[name])
    (before,) = run(module, [x], context.weights)
    run_passes(module, "channels-last", "fold-constants", context=context)
    assert not ops_named(module, "fovea.dequantize")
    (found,) = run(module, [x], context.weights)
    for result in (before, found):
        error = np.abs(result - expected).max(axis=(0, 2, 3)) / np.abs(expected).max(axis=(0, 2, 3))
        assert error.max() < 40 * 2.0**-24


def test_one_scale_a_channel_of_each_group() -> None:
    """Small channels keep their digits beside large ones: 2^-4/sqrt(3) in the mean square of each factor, sqrt(2) of
    that for both (see test_fp8_linear). With one scale for all of a group, the smallest would be lost."""
    x, w = data()
    w = np.ascontiguousarray(w[:, : CHANNELS // 2])
    module, context = quantised(model(*CASES["groups"]), x, w)
    (found,) = run(module, [x], context.weights)
    expected = convolve(x, w, *CASES["groups"])
    for result, wanted in zip(found[0], expected[0], strict=True):
        assert np.linalg.norm(result - wanted) / np.linalg.norm(wanted) < 5.1e-2


def test_records() -> None:
    x, w = data()
    _, context = quantised(model(*CASES["strided"]), x, w)
    (decision,) = (record for record in context.records if record["kind"] == "contraction")
    assert (decision["id"], decision["decision"]) == ("conv", "fp8")
    assert decision["shape"] == {"m": 16, "n": OUTPUTS, "k": CHANNELS * WINDOW * WINDOW, "batch": 1}
    assert [record["decision"] for record in context.records if record["kind"] == "fold-qdq"] == ["folded"]


DEPTHWISE = """
func.func @main(%x: tensor<1x4x7x7xf32>, %w: tensor<4x3x3xf32> {fovea.weight = "w"}, %z: tensor<1x4x5x5xf32>)
    -> tensor<1x4x5x5xf32> {
  %r = linalg.depthwise_conv_2d_nchw_chw ins(%x, %w : tensor<1x4x7x7xf32>, tensor<4x3x3xf32>)
      outs(%z : tensor<1x4x5x5xf32>) -> tensor<1x4x5x5xf32>
  return %r : tensor<1x4x5x5xf32>
}"""
ZERO_POINTS = """
func.func @main(%x: tensor<1x4x7x7xi8>, %w: tensor<2x4x3x3xi8> {fovea.weight = "w"}, %z: tensor<1x2x5x5xi32>)
    -> tensor<1x2x5x5xi32> {
  %p = arith.constant 3 : i32
  %r = linalg.conv_2d_nchw_fchw_q ins(%x, %w, %p, %p : tensor<1x4x7x7xi8>, tensor<2x4x3x3xi8>, i32, i32)
      outs(%z : tensor<1x2x5x5xi32>) -> tensor<1x2x5x5xi32>
  return %r : tensor<1x2x5x5xi32>
}"""


@pytest.mark.parametrize(("text", "reason"), [
    (DEPTHWISE, "a depthwise convolution: it sums over the window of one channel, too little for matrix instructions"),
    (ZERO_POINTS, "an integer convolution with zero points"),
    (ZERO_POINTS.replace("_q ins(%x, %w, %p, %p", " ins(%x, %w").replace(", i32, i32)", ")"),
     "element type i8 is not float"),
])  # fmt: skip
def test_records_say_why_not(text: str, reason: str) -> None:
    module = parse(text)
    context = run_passes(module, "insert-captures")
    (record,) = context.records
    assert (record["decision"], record["reason"]) == ("kept", reason)
    assert not ops_named(module, "fovea.capture")
