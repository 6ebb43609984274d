# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From a linear layer to an FP8 contraction: the numbers, and who is told what."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from small_models import Array, linear, ops_named, parse, run_passes

from fovea.calibration import calibrate
from fovea.errors import CompileError, UsageError
from fovea.executor import run
from fovea.passes.registry import PassContext
from fovea.weights import WeightStore

KINDS = {"f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16}
STORAGE = {"gfx942": (ml_dtypes.float8_e4m3fnuz, 240.0), "gfx950": (ml_dtypes.float8_e4m3fn, 448.0)}
SHAPES = [(5, 8, 16), (2, 8, 16), (64, 96, 100)]


def weights_of(array: Array) -> WeightStore:
    store = WeightStore()
    store.add("fc.weight", array)
    return store


def quantised(module: Any, x: Array, w: Array, target: str = "gfx942") -> PassContext:
    """Capture, calibrate on `x` and quantise."""
    context = PassContext(target=target, weights=weights_of(w))
    run_passes(module, "normalize", "insert-captures", context=context)
    calibrate(module, [{"arg0": x}], context.weights)
    return run_passes(module, "quantize-fp8", context=context)


def data(m: int, n: int, k: int, kind: str) -> tuple[Array, Array]:
    generator = np.random.default_rng(m * n * k)
    x, w = (generator.standard_normal(shape).astype(KINDS[kind]) for shape in ((m, k), (n, k)))
    return x, w


def simulate(x: Array, w: Array, target: str) -> Array:
    """The same product by hand: one scale for x, one a row of w, both operands rounded to FP8, summed in f64."""
    kind, largest = STORAGE[target]
    x, w = x.astype(np.float32), w.astype(np.float32)
    scale_x = np.abs(x).max() / np.float32(largest)
    scale_w = np.abs(w).max(axis=1, keepdims=True) / np.float32(largest)
    stored_x, stored_w = (
        np.clip(v * np.reciprocal(s), -largest, largest).astype(kind).astype(np.float64)
        for v, s in ((x, scale_x), (w, scale_w))
    )
    return np.asarray(stored_x @ stored_w.T * scale_x * scale_w.T)


@pytest.mark.parametrize("target", STORAGE)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_matches_fp8_by_hand(shape: tuple[int, int, int], kind: str, target: str) -> None:
    x, w = data(*shape, kind)
    module = parse(linear(*shape, kind))
    context = quantised(module, x, w, target)
    run_passes(module, "fold-qdq", context=context)
    (matmul,) = ops_named(module, "linalg.matmul")
    stored = {"gfx942": "f8E4M3FNUZ", "gfx950": "f8E4M3FN"}[target]
    assert [str(v.type.element_type) for v in matmul.operands] == [stored, stored, "f32"]
    assert not ops_named(module, "fovea.dequantize")
    expected = simulate(x, w, target)
    (found,) = run(module, [x], context.weights)
    # The stored values are equal; what is left is f32 summation and scaling, and the result's own rounding.
    step = {"f32": 2.0**-23, "f16": 2.0**-10, "bf16": 2.0**-7}[kind]
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found.astype(np.float64), expected, rtol=step, atol=scale * 2.0**-20)


@pytest.mark.parametrize("kind", KINDS)
def test_error_against_the_float_layer(kind: str) -> None:
    """E4M3 keeps 3 bits: each factor is off by at most 2^-4 relatively, 2^-4/sqrt(3) in the mean square, and errors
    of different terms are independent, so the whole product is off by at most sqrt(2) * 2^-4/sqrt(3) = 5.1e-2."""
    x, w = data(64, 96, 100, kind)
    module = parse(linear(64, 96, 100, kind))
    reference = x.astype(np.float64) @ w.astype(np.float64).T
    context = quantised(module, x, w)
    run_passes(module, "fold-qdq", context=context)
    (found,) = run(module, [x], context.weights)
    error = np.linalg.norm(found.astype(np.float64) - reference) / np.linalg.norm(reference)
    assert error < 5.1e-2


def test_folding_constants_keeps_the_numbers_and_packs_the_weight() -> None:
    x, w = data(64, 96, 100, "f32")
    module = parse(linear(64, 96, 100, "f32"))
    context = quantised(module, x, w)
    run_passes(module, "fold-qdq", context=context)
    (before,) = run(module, [x], context.weights)
    run_passes(module, "fold-constants", context=context)
    (after,) = run(module, [x], context.weights)
    np.testing.assert_array_equal(after, before)
    assert context.weights["fc.weight.f8E4M3FNUZ"].dtype == ml_dtypes.float8_e4m3fnuz
    assert 'fovea.weight = "fc.weight"' not in str(module)


def test_channels_help_an_uneven_weight() -> None:
    """Rows of very different size: one scale a channel keeps the small ones, one scale for all loses them."""
    x, w = data(5, 8, 16, "f32")
    w = w * np.float32(2.0) ** -np.arange(0, 24, 3, dtype=np.float32)[:, None]
    errors = {}
    for granularity in ("channel", "tensor"):
        module = parse(linear(5, 8, 16))
        context = PassContext(weights=weights_of(w))
        run_passes(module, "normalize", "insert-captures", context=context)
        calibrate(module, [{"arg0": x}], context.weights)
        run_passes(module, ("quantize-fp8", {"weight_granularity": granularity}), "fold-qdq", context=context)
        (found,) = run(module, [x], context.weights)
        reference = x @ w.T
        errors[granularity] = float(np.max(np.abs(found - reference).max(axis=0) / np.abs(reference).max(axis=0)))
    assert errors["channel"] < 0.1 < 0.9 < errors["tensor"]


def test_equal_channels_are_one_tensor() -> None:
    """Channels of equal largest magnitude: one scale a channel gives the bits that one scale for all gives."""
    x, w = data(64, 96, 100, "f32")
    w = w / np.abs(w).max(axis=1, keepdims=True)
    w[np.abs(w) > 0.999] = 1
    found = {}
    for granularity in ("channel", "tensor"):
        module = parse(linear(64, 96, 100))
        context = PassContext(weights=weights_of(w.astype(np.float32)))
        run_passes(module, "normalize", "insert-captures", context=context)
        calibrate(module, [{"arg0": x}], context.weights)
        run_passes(module, ("quantize-fp8", {"weight_granularity": granularity}), "fold-qdq", context=context)
        found[granularity] = run(module, [x], context.weights)[0]
    np.testing.assert_array_equal(found["channel"], found["tensor"])


def test_zero_activation_gives_zeros() -> None:
    _, w = data(5, 8, 16, "f32")
    x = np.zeros((5, 16), np.float32)
    module = parse(linear(5, 8, 16))
    context = quantised(module, x, w)
    run_passes(module, "fold-qdq", context=context)
    np.testing.assert_array_equal(run(module, [x], context.weights)[0], np.zeros((5, 8), np.float32))


@pytest.mark.parametrize(("target", "error", "message"), [
    ("gfx90a", CompileError, "gfx90a has no FP8 matrix instructions: compile without FP8, or for one of gfx942, "),
    ("gfx1100", CompileError, "gfx1100 has no FP8"),
    ("gfx000", UsageError, "unknown target 'gfx000'"),
])  # fmt: skip
def test_targets_without_fp8(target: str, error: type[Exception], message: str) -> None:
    x, w = data(5, 8, 16, "f32")
    with pytest.raises(error, match=message):
        quantised(parse(linear(5, 8, 16)), x, w, target)


def test_records_say_what_was_decided() -> None:
    x, w = data(5, 8, 16, "f32")
    module = parse(linear(5, 8, 16))
    context = quantised(module, x, w)
    run_passes(module, "fold-qdq", context=context)
    by_kind = {record["kind"]: record for record in context.records if record.get("role") != "weight"}
    assert by_kind["contraction"]["id"] == "fc"
    assert by_kind["contraction"]["shape"] == {"m": 5, "n": 8, "k": 16, "batch": 1}
    assert by_kind["contraction"]["decision"] == "fp8"
    assert by_kind["scale"]["id"] == "fc.lhs"
    assert by_kind["scale"]["max"] == pytest.approx(float(np.abs(x).max()) / 240)
    assert by_kind["fold-qdq"]["decision"] == "folded"


@pytest.mark.parametrize(("text", "options", "reason"), [
    (linear(5, 8, 16), {"exclude": ("^fc$",)}, "excluded by --exclude ^fc$"),
    (linear(5, 8, 16).replace("%x: tensor<5x16xf32>", '%x: tensor<5x16xf32> {fovea.weight = "x"}'), {},
     "both operands are constant"),
    (linear(5, 8, 16, "i8").replace("0.0 :", "0 :"), {}, "element type i8 is not float"),
    (linear(5, 8, 16).replace("linalg.matmul", 'linalg.matmul {fovea.attention = #fovea.site<2 : i64, "qk">}'), {},
     "part of attention site 2"),
])  # fmt: skip
def test_records_say_why_not(text: str, options: dict[str, Any], reason: str) -> None:
    module = parse(text)
    context = run_passes(module, ("insert-captures", options))
    (record,) = context.records
    assert (record["decision"], record["reason"]) == ("kept", reason)
    assert not ops_named(module, "fovea.capture")
