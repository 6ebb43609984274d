# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Second-order weight rounding, bias correction and smoothing: what each promises, in numbers."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from small_models import parse

from fovea.calibration import calibrate
from fovea.calibration.masking import real_rows
from fovea.calibration.moments import collect_moments
from fovea.executor import run
from fovea.passes.registry import PassContext
from fovea.passes.second_order import output_error, round_second_order
from fovea.passes.smooth_activations import smoothing_factors
from fovea.pipeline import run_pipeline
from fovea.weights import WeightStore

Array = np.ndarray[Any, Any]
K, N, ROWS = 48, 24, 64

MODEL = f"""
func.func @main(%x: tensor<4x16x{K}xf32>, %w: tensor<{K}x{N}xf32> {{fovea.weight = "w"}},
                %v: tensor<{N}x{K}xf32> {{fovea.weight = "v"}}) -> (tensor<{ROWS}x{N}xf32>, tensor<{ROWS}x{N}xf32>) {{
  %c = tensor.collapse_shape %x [[0, 1], [2]] : tensor<4x16x{K}xf32> into tensor<{ROWS}x{K}xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<{ROWS}x{N}xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<{ROWS}x{N}xf32>) -> tensor<{ROWS}x{N}xf32>
  %a = linalg.matmul ins(%c, %w : tensor<{ROWS}x{K}xf32>, tensor<{K}x{N}xf32>)
      outs(%z : tensor<{ROWS}x{N}xf32>) -> tensor<{ROWS}x{N}xf32>
  %b = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                      affine_map<(m, n, k) -> (m, n)>]
      ins(%c, %v : tensor<{ROWS}x{K}xf32>, tensor<{N}x{K}xf32>)
      outs(%z : tensor<{ROWS}x{N}xf32>) -> tensor<{ROWS}x{N}xf32>
  return %a, %b : tensor<{ROWS}x{N}xf32>, tensor<{ROWS}x{N}xf32>
}}
"""


def _e4m3(column: Array, _: int = 0) -> Array:
    clipped = np.clip(column.astype(np.float32), -240, 240)
    return clipped.astype(ml_dtypes.float8_e4m3fnuz).astype(np.float64)


def _data(seed: int = 0) -> tuple[list[dict[str, Array]], WeightStore]:
    rng = np.random.default_rng(seed)
    mix = rng.standard_normal((K, K)).astype(np.float32) * np.geomspace(4, 0.1, K, dtype=np.float32)[:, None]
    batches = [{"arg0": (rng.standard_normal((4, 16, K)) @ mix + 0.5).astype(np.float32)} for _ in range(4)]
    weights = WeightStore()
    weights.add("w", rng.standard_normal((K, N)).astype(np.float32))
    weights.add("v", rng.standard_normal((N, K)).astype(np.float32))
    return batches, weights


def _quantised(*passes: str, smooth: bool = False) -> tuple[list[Array], list[Array], PassContext]:
    """(results of the float model, of the quantised one) on the calibration data's first batch, and the context."""
    batches, weights = _data()
    module = parse(MODEL)
    wanted = run(module, batches[0], weights)
    context = PassContext(weights=weights)
    run_pipeline(module, "builtin.module(fovea-insert-captures)", context)
    calibrate(module, batches, weights)
    context.moments = collect_moments(module, batches, weights)
    if smooth:
        run_pipeline(module, "builtin.module(fovea-smooth-activations)", context)
        calibrate(module, batches, weights)
    run_pipeline(module, f"builtin.module({','.join(('fovea-quantize-fp8', *passes, 'fovea-fold-qdq'))})", context)
    return wanted, run(module, batches[0], context.weights), context


def _error(wanted: Array, found: Array) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def test_second_order_rounding_beats_nearest_where_inputs_correlate() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((400, 8)) @ rng.standard_normal((8, K)) + 0.1 * rng.standard_normal((400, K))
    weight, second = rng.standard_normal((N, K)) * 50, x.T @ x
    found = round_second_order(weight, second, _e4m3, damping=0.01)
    np.testing.assert_array_equal(found, _e4m3(found))  # every value is representable
    assert output_error(weight, found, second) < 0.5 * output_error(weight, _e4m3(weight), second)


def test_second_order_rounding_of_independent_inputs_is_nearest() -> None:
    rng = np.random.default_rng(2)
    weight = rng.standard_normal((N, K)) * 50
    np.testing.assert_array_equal(round_second_order(weight, np.eye(K), _e4m3), _e4m3(weight))
    np.testing.assert_array_equal(round_second_order(weight, np.zeros((K, K)), _e4m3), _e4m3(weight))


def test_rounding_in_the_pipeline_lowers_the_output_error_in_both_layouts() -> None:
    wanted, nearest, _ = _quantised()
    _, rounded, context = _quantised("fovea-round-weights")
    records = [record for record in context.records if record.get("kind") == "weight-rounding"]
    assert [record["decision"] for record in records] == ["gptq", "gptq"]
    assert all(record["error"] < 1 for record in records)
    for want, before, after in zip(wanted, nearest, rounded, strict=True):
        assert _error(want, after) < _error(want, before)


@pytest.mark.parametrize("passes", [("fovea-correct-bias",), ("fovea-round-weights{correct-bias=true}",)])
def test_corrected_results_have_the_mean_of_the_model(passes: tuple[str, ...]) -> None:
    rng = np.random.default_rng(3)
    batches = [{"arg0": rng.integers(-3, 8, (4, 16, K)).astype(np.float32)} for _ in range(4)]
    batches[0]["arg0"][0, 0, 0] = 240  # so that the scale is 1 and activations are exact: weights alone have an error
    model, (_, weights) = parse(MODEL), _data()
    reference = np.mean([run(model, batch, weights)[0].mean(0) for batch in batches], axis=0)
    context = PassContext(weights=weights)
    run_pipeline(model, "builtin.module(fovea-insert-captures)", context)
    calibrate(model, batches, weights)
    context.moments = collect_moments(model, batches, weights)
    run_pipeline(model, f"builtin.module(fovea-quantize-fp8,{','.join(passes)})", context)
    found = np.mean([run(model, batch, context.weights)[0].mean(0) for batch in batches], axis=0)
    # Sums of 48 products in f32: 2^-24 of the sum of magnitudes, about 200, a product.
    np.testing.assert_allclose(found, reference, atol=200 * 48 * 2**-24)
    largest = [record["largest"] for record in context.records if record.get("kind") == "bias-correction"]
    assert len(largest) == 2 and min(largest) > 0.01  # far more than the tolerance was corrected


def test_smoothing_changes_no_result_and_moves_outliers() -> None:
    batches, weights = _data()
    batches = [{"arg0": batch["arg0"] * np.where(np.arange(K) == 5, 100, 1).astype(np.float32)} for batch in batches]
    module = parse(MODEL)
    wanted = run(module, batches[0], weights)
    context = PassContext(weights=weights)
    run_pipeline(module, "builtin.module(fovea-insert-captures)", context)
    (before,) = calibrate(module, batches, weights).values()
    context.moments = collect_moments(module, batches, weights, second=False)
    run_pipeline(module, "builtin.module(fovea-smooth-activations)", context)
    (after,) = calibrate(module, batches, weights).values()
    # Powers of two: both multiplications are exact, and so is the product up to the order of its sum.
    for want, found in zip(wanted, run(module, batches[0], weights), strict=True):
        np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-5 * np.abs(want).max())
    assert after.max_abs < before.max_abs / 4
    (record,) = [record for record in context.records if record.get("kind") == "smoothing"]
    assert record["decision"] == "smoothed" and record["factors"][1] > 1


def test_smoothing_factors_are_powers_of_two_and_1_where_nothing_is_seen() -> None:
    factors = smoothing_factors(np.array([0, 8, 0.5, 1e-30]), np.array([1, 0, 2, 1e30]), 0.5)
    assert (factors[:2] == 1).all()
    assert (np.exp2(np.rint(np.log2(factors))) == factors).all()


def test_rows_of_padding_are_left_out() -> None:
    value, mask = np.arange(24, dtype=np.float32).reshape(2, 3, 4), np.array([[1, 1, 0], [1, 0, 0]])
    kept = value[mask != 0]
    np.testing.assert_array_equal(real_rows(value, mask), kept)
    np.testing.assert_array_equal(real_rows(value.reshape(6, 4), mask), kept)
    np.testing.assert_array_equal(real_rows(value.reshape(3, 8), mask), value.reshape(3, 8))
    np.testing.assert_array_equal(real_rows(value, None), value)


def test_moments_are_those_of_the_operand() -> None:
    batches, weights = _data()
    module = parse(MODEL)
    run_pipeline(module, "builtin.module(fovea-insert-captures)", PassContext(weights=weights))
    full = np.concatenate([batch["arg0"].reshape(-1, K) for batch in batches])
    found = collect_moments(module, batches, weights)
    for moments in found.values():
        np.testing.assert_allclose(moments.second[0], full.T.astype(float) @ full, rtol=1e-4)
        np.testing.assert_array_equal(moments.largest[0], np.abs(full).max(0))
