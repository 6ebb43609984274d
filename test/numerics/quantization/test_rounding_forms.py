# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Second-order rounding and bias correction of what is no plain matmul: each form against the matmul that it equals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from small_models import Array, ops_named, parse
from test_convolutions import CASES, CHANNELS, OUTPUTS, SIZE, WINDOW
from test_convolutions import model as convolution

from fovea.api import Clock, CompileOptions
from fovea.calibration import calibrate, moments
from fovea.calibration.moments import collect_moments
from fovea.executor import Executor
from fovea.executor.folding import evaluate
from fovea.ir_input import new_context, parse_module
from fovea.passes import ir_utils as utils
from fovea.passes import matrix_stack
from fovea.passes.contraction import is_product
from fovea.passes.registry import PassContext
from fovea.passes.second_order import output_error
from fovea.passes.weight_roles import QuantisedWeight, quantised_weights
from fovea.pipeline import run_pipeline
from fovea.quantization_steps import Quantizer
from fovea.search import parse_budget
from fovea.weights import WeightStore

RESNET = Path(__file__).resolve().parents[2] / "corpus" / "hf_resnet_negative.mlir"
B, M, H, D, N = 3, 32, 4, 40, 8
K = H * D


def contraction(maps: tuple[str, str, str], dims: str, shapes: tuple[list[int], list[int], list[int]]) -> str:
    """A generic contraction of %x with the weight "w"; maps as letters of `dims`."""
    x, w, r = ("tensor<" + "x".join(map(str, shape)) + "xf32>" for shape in shapes)
    affine = ", ".join(f"affine_map<({', '.join(dims)}) -> ({', '.join(m)})>" for m in maps)
    kinds = ", ".join('"parallel"' if d in maps[2] else '"reduction"' for d in dims)
    return f"""
func.func @main(%x: {x}, %w: {w} {{fovea.weight = "w"}}) -> {r} {{
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : {r}
  %z = linalg.fill ins(%zero : f32) outs(%e : {r}) -> {r}
  %r = linalg.generic {{indexing_maps = [{affine}], iterator_types = [{kinds}]}} ins(%x, %w : {x}, {w})
      outs(%z : {r}) {{
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }} -> {r}
  return %r : {r}
}}"""


PLAIN = contraction(("mk", "nk", "mn"), "mnk", ([M, K], [N, K], [M, N]))
BATCHED = contraction(("bmk", "bkn", "bmn"), "bmnk", ([B, M, K], [B, K, N], [B, M, N]))
SEVERAL = contraction(("mhd", "hdn", "mn"), "mnhd", ([M, H, D], [H, D, N], [M, N]))
SWAPPED = contraction(("nk", "km", "nm"), "nmk", ([M, K], [K, N], [M, N]))  # k is the outer axis of the weight
LEFT = contraction(("km", "nk", "nm"), "mnk", ([K, M], [N, K], [N, M]))  # the activation's channels are its rows


def correlated(shape: tuple[int, ...], seed: int, channels: int = -1) -> Array:
    """Values with a mean, correlated along an axis."""
    rng = np.random.default_rng(seed)
    size = shape[channels]
    mix = rng.standard_normal((size, size)) * np.geomspace(2, 0.1, size)[:, None]
    moved = [shape[axis] for axis in range(len(shape)) if axis != channels % len(shape)]
    values = rng.standard_normal((*moved, size)) @ mix + 0.5
    return np.moveaxis(values, -1, channels).astype(np.float32)


class Quantised:
    """A model after quantising, with what it was made from."""

    def __init__(
        self, text: str, batches: list[Array], weights: dict[str, Array], options: str = "", target: str = "gfx942"
    ) -> None:
        self.text, self.batches = text, [{"arg0": batch} for batch in batches]
        store = WeightStore()
        for name, array in weights.items():
            store.add(name, array)
        self.module, self.context = parse(text), PassContext(target=target, weights=store)
        self.passes("fovea-normalize", "fovea-insert-captures{include=policy:all}")
        calibrate(self.module, self.batches, store)
        self.context.moments = collect_moments(self.module, self.batches, store)
        self.passes(f"fovea-quantize-fp8{{{options}}}" if options else "fovea-quantize-fp8")

    def passes(self, *names: str) -> Quantised:
        run_pipeline(self.module, f"builtin.module({','.join(names)})", self.context)
        return self

    def run(self) -> list[Array]:
        executor = Executor(self.module, self.context.weights)
        return [executor.run(batch)[0] for batch in self.batches]

    def references(self) -> list[Array]:
        executor = Executor(parse(self.text), self.context.weights)
        return [executor.run(batch)[0] for batch in self.batches]

    def weight(self) -> QuantisedWeight:
        ((weight, _, _),) = quantised_weights(self.module.body.operations[0])
        assert weight is not None
        return weight

    def dequantised(self, weight: QuantisedWeight) -> Array:
        """What the contraction reads as its weight now, as matrices (batch, n, k)."""
        (op,) = [op for op in utils.body_ops(self.module.body.operations[0]) if is_product(op)]
        (values,) = evaluate([op.operands[weight.side]], self.context.weights)
        return weight.stack.matrices(values)

    def records(self, kind: str) -> list[dict[str, Any]]:
        return [record for record in self.context.records if record.get("kind") == kind]


def both_roundings(quantised: Quantised) -> tuple[Array, Array, Array]:
    """The weight, rounded to nearest, and by the second moment: each (batch, n, k)."""
    weight = quantised.weight()
    (real,) = evaluate([weight.quantize.operands[0]], quantised.context.weights)
    real, nearest = weight.matrices(real), quantised.dequantised(weight)
    quantised.passes("fovea-round-weights")
    return real, nearest, quantised.dequantised(weight)


def im2col(x: Array, groups: int, stride: int, dilation: int, padding: tuple[int, int]) -> Array:
    """(groups, positions of the output image, window times channels of a group) of x (1, channels, size, size)."""
    x = np.pad(x, ((0, 0), (0, 0), padding, padding))[0].reshape(groups, CHANNELS // groups, -1, SIZE + sum(padding))
    image = (x.shape[2] - dilation * (WINDOW - 1) - 1) // stride + 1
    places = [(slice(None), slice(None), *(slice(d * dilation, d * dilation + stride * (image - 1) + 1, stride)
                                           for d in (i, j))) for i in range(WINDOW) for j in range(WINDOW)]  # fmt: skip
    columns = np.stack([x[place] for place in places])  # window, group, channel, row, column
    return np.ascontiguousarray(columns.transpose(1, 3, 4, 0, 2).reshape(groups, image * image, -1))


def convolution_case(name: str) -> tuple[list[Array], Array]:
    """(batches, the filter) for a case of test_convolutions."""
    rng = np.random.default_rng(3)
    batches = [correlated((1, CHANNELS, SIZE, SIZE), seed, channels=1) for seed in range(4)]
    shape = (OUTPUTS, CHANNELS // CASES[name][0], WINDOW, WINDOW)
    return batches, rng.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("name", CASES)
def test_a_convolution_is_rounded_as_its_matrix_products(name: str) -> None:
    """Bit for bit: the same second moment from the same rows, one matmul a group."""
    batches, w = convolution_case(name)
    real, nearest, found = both_roundings(Quantised(convolution(*CASES[name]), batches, {"conv.weight": w}))
    groups = CASES[name][0]
    assert found.shape == (groups, OUTPUTS // groups, WINDOW * WINDOW * CHANNELS // groups)
    rows = [im2col(batch, *CASES[name]) for batch in batches]
    for group in range(groups):
        _, m, k = rows[0].shape
        n = OUTPUTS // groups
        text = contraction(("mk", "nk", "mn"), "mnk", ([m, k], [n, k], [m, n]))
        matmul = Quantised(text, [r[group] for r in rows], {"w": np.ascontiguousarray(real[group])})
        _, plain, wanted = both_roundings(matmul)
        np.testing.assert_array_equal(nearest[group], plain[0])
        np.testing.assert_array_equal(found[group], wanted[0])
        assert (found[group] != nearest[group]).any()


@pytest.mark.parametrize("text", [SEVERAL, SWAPPED, LEFT])
def test_other_layouts_are_rounded_as_the_plain_one(text: str) -> None:
    x = [correlated((M, K), seed) for seed in range(3)]
    w = np.random.default_rng(4).standard_normal((N, K)).astype(np.float32)
    _, _, wanted = both_roundings(Quantised(PLAIN, x, {"w": w}))
    layouts = {SEVERAL: (x, w.T.reshape(H, D, N)), SWAPPED: (x, w.T), LEFT: ([b.T for b in x], w)}
    laid, weight = layouts[text]
    laid = [np.ascontiguousarray(b.reshape(M, H, D) if text == SEVERAL else b) for b in laid]
    _, _, found = both_roundings(Quantised(text, laid, {"w": np.ascontiguousarray(weight)}))
    # The layout of the rows changes the order of the f32 sums of x^T x, by about 2^-24: a value that is halfway but for
    # that rounds otherwise. There is none in these data.
    np.testing.assert_array_equal(found, wanted)


def test_each_batch_of_a_weight_has_its_second_moment() -> None:
    x = [correlated((B, M, K), seed) * np.float32([1, 2, 4])[:, None, None] for seed in range(3)]
    w = np.random.default_rng(5).standard_normal((B, K, N)).astype(np.float32)
    w[:, 0] = 5  # the scale of a channel is one for all batches: that of each batch alone too
    _, nearest, found = both_roundings(Quantised(BATCHED, x, {"w": w}))
    for batch in range(B):
        alone = Quantised(SWAPPED, [np.ascontiguousarray(b[batch]) for b in x], {"w": w[batch]})
        _, _, wanted = both_roundings(alone)
        np.testing.assert_array_equal(found[batch], wanted[0])
        assert (found[batch] != nearest[batch]).any()


BLOCKS = {"block": ("weight-granularity=block:64", "gfx942"), "mx": ("storage=mxfp8", "gfx950")}


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("text", [PLAIN, SWAPPED, SEVERAL, BATCHED])
def test_blocks_keep_their_scales(name: str, text: str) -> None:
    """160 positions of k: the last block of 64 is shorter."""
    options, target = BLOCKS[name]
    rng = np.random.default_rng(6)
    shapes = {PLAIN: (M, K), SWAPPED: (M, K), SEVERAL: (M, H, D), BATCHED: (B, M, K)}
    filters = {PLAIN: (N, K), SWAPPED: (K, N), SEVERAL: (H, D, N), BATCHED: (B, K, N)}
    w = (rng.standard_normal(filters[text]) * np.exp2(rng.integers(-4, 5, filters[text]))).astype(np.float32)
    quantised = Quantised(text, [correlated(shapes[text], seed) for seed in range(3)], {"w": w}, options, target)
    weight, context = quantised.weight(), quantised.context
    scales = weight.scales(context.weights)
    dtype = ml_dtypes.float8_e4m3fn if target == "gfx950" else ml_dtypes.float8_e4m3fnuz
    real, nearest, found = both_roundings(quantised)
    codes = (found / scales).astype(dtype)
    np.testing.assert_array_equal(found, codes.astype(np.float32) * scales)
    (record,) = quantised.records("weight-rounding")
    assert record["decision"] == "gptq" and record["error"] < 0.9
    second = context.moments[record["id"]].second
    errors = [sum(output_error(r, q, h) for r, q, h in zip(real, other, second, strict=True))
              for other in (found, nearest)]  # fmt: skip
    assert errors[0] / errors[1] == pytest.approx(record["error"], rel=1e-5)  # scales are f32: products round
    # With independent inputs nothing is fed forward: the values that quantising itself gives.
    fresh = Quantised(text, [correlated(shapes[text], 0)], {"w": w}, options, target)
    for moment in fresh.context.moments.values():
        moment.second[:] = np.eye(moment.second.shape[1])
    _, nearest, same = both_roundings(fresh)
    np.testing.assert_array_equal(same, nearest)


@pytest.mark.parametrize("name", BLOCKS)
def test_rounded_blocks_fold_into_the_contraction(name: str) -> None:
    options, target = BLOCKS[name]
    w = np.random.default_rng(7).standard_normal((N, K)).astype(np.float32)
    quantised = Quantised(PLAIN, [correlated((M, K), 0)], {"w": w}, options, target).passes("fovea-round-weights")
    (before,) = quantised.run()
    quantised.passes("fovea-fold-qdq", "fovea-fold-constants")
    assert ops_named(quantised.module, "fovea.scaled_contract")
    assert len(ops_named(quantised.module, "fovea.dynamic_quantize")) == (name == "mx")  # that of the activation
    # f32 sums of K products in another order: 2^-24 of each sum of magnitudes, at most K times.
    tolerance = K * 2.0**-24 * np.abs(quantised.batches[0]["arg0"]) @ np.abs(w).T
    (after,) = quantised.run()
    assert (np.abs(after - before) <= tolerance).all()


def integers(shape: tuple[int, ...], seed: int) -> Array:
    """Activations that FP8 holds exactly, of scale 1: only weights have an error. Their mean is about 2."""
    values = np.random.default_rng(seed).integers(-3, 8, shape).astype(np.float32)
    values.reshape(-1)[0] = 240
    return values


CORRECTED = {
    **{name: (convolution(*CASES[name]), (1, CHANNELS, SIZE, SIZE), "conv.weight", (0, 2, 3)) for name in CASES},
    "batched": (BATCHED, (B, M, K), "w", (1,)), "several": (SEVERAL, (M, H, D), "w", (0,)),
    "left": (LEFT, (K, M), "w", (1,)), "block": (PLAIN, (M, K), "w", (0,)),
}  # fmt: skip


@pytest.mark.parametrize("rounding", ["fovea-correct-bias", "fovea-round-weights{correct-bias=true}"])
@pytest.mark.parametrize("name", CORRECTED)
def test_corrected_results_have_the_mean_of_the_model(name: str, rounding: str) -> None:
    """Of each output channel, over rows and image: with padding, places of the window see zeros at the edges."""
    text, shape, weight, rows = CORRECTED[name]
    sizes = {"batched": (B, K, N), "several": (H, D, N), "left": (N, K), "block": (N, K)}
    filters = sizes.get(name) or convolution_case(name)[1].shape
    # Rounded up, on average: an error that would not go away by itself.
    w = np.abs(np.random.default_rng(8).standard_normal(filters)).astype(np.float32)
    options = BLOCKS["block"][0] if name == "block" else ""
    quantised = Quantised(text, [integers(shape, seed) for seed in range(4)], {weight: w}, options)
    wanted = np.mean([r.mean(rows) for r in quantised.references()], axis=0)
    before = np.mean([r.mean(rows) for r in quantised.run()], axis=0)
    quantised.passes(rounding)
    found = np.mean([r.mean(rows) for r in quantised.run()], axis=0)
    # f32 sums of k products: 2^-24 of the sum of magnitudes, a product.
    k = w[0].size if name not in ("batched", "several") else K
    bound = k * 2.0**-24 * np.mean([np.abs(r).mean(rows).max() for r in quantised.references()]) * 2
    np.testing.assert_allclose(found, wanted, rtol=0, atol=bound)
    assert np.abs(before - wanted).max() > 20 * bound
    assert len(quantised.records("bias-correction")) == 1


def test_what_is_too_large_is_left_and_still_corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    w = np.random.default_rng(9).standard_normal((N, K)).astype(np.float32)
    monkeypatch.setattr(moments, "LARGEST_SECOND", (1 << 20) // 8)  # k = 160 takes 200 KiB
    quantised = Quantised(PLAIN, [correlated((M, K), 0)], {"w": w})
    _, nearest, found = both_roundings(quantised)
    np.testing.assert_array_equal(found, nearest)
    (record,) = quantised.records("weight-rounding")
    assert record["decision"] == "nearest"
    assert record["reason"] == "the second moment of its input takes 0 MiB, more than 0"
    monkeypatch.setattr(moments, "LARGEST_SECOND", 1 << 30)
    monkeypatch.setattr(moments, "ALL_SECOND", 1 << 10)
    quantised = Quantised(PLAIN, [correlated((M, K), 0)], {"w": w}).passes("fovea-round-weights{correct-bias=true}")
    (record,) = quantised.records("weight-rounding")
    taken = "the second moment of its input takes 0 MiB"
    assert record["reason"] == f"{taken}, with those of other contractions more than 0"
    assert len(quantised.records("bias-correction")) == 1


def test_what_calibration_did_not_see_is_left() -> None:
    w = np.random.default_rng(9).standard_normal((N, K)).astype(np.float32)
    quantised = Quantised(PLAIN, [correlated((M, K), 0)], {"w": w})
    quantised.context.moments = {"another": next(iter(quantised.context.moments.values()))}
    quantised.passes("fovea-round-weights{correct-bias=true}")
    (record,) = quantised.records("weight-rounding")
    assert (record["decision"], record["reason"]) == ("nearest", "calibration did not see its input")
    assert not quantised.records("bias-correction")


def test_images_in_pieces_have_the_same_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    batches, w = convolution_case("strided")
    made = []
    for piece in (matrix_stack.PIECE, 100):
        monkeypatch.setattr(matrix_stack, "PIECE", piece)
        (found,) = Quantised(convolution(*CASES["strided"]), batches, {"conv.weight": w}).context.moments.values()
        made.append(found)
    whole, pieces = made
    assert whole.rows == pieces.rows == 4 * 16
    np.testing.assert_array_equal(whole.largest, pieces.largest)
    # f32 sums of 16 products, in other orders.
    np.testing.assert_allclose(whole.second, pieces.second, atol=16 * 2.0**-24 * np.abs(whole.second).max())
    np.testing.assert_allclose(whole.mean, pieces.mean, rtol=1e-6, atol=1e-6 * np.abs(whole.mean).max())


def test_a_weight_that_is_read_along_different_dims_is_left() -> None:
    """Square, with one scale for all: x.w and x.transpose(w) read one quantised tensor."""
    text = f"""
func.func @main(%x: tensor<{M}x{N}xf32>, %w: tensor<{N}x{N}xf32> {{fovea.weight = "w"}})
    -> (tensor<{M}x{N}xf32>, tensor<{M}x{N}xf32>) {{
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<{M}x{N}xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<{M}x{N}xf32>) -> tensor<{M}x{N}xf32>
  %a = linalg.matmul ins(%x, %w : tensor<{M}x{N}xf32>, tensor<{N}x{N}xf32>)
      outs(%z : tensor<{M}x{N}xf32>) -> tensor<{M}x{N}xf32>
  %b = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                      affine_map<(m, n, k) -> (m, n)>]
      ins(%x, %w : tensor<{M}x{N}xf32>, tensor<{N}x{N}xf32>)
      outs(%z : tensor<{M}x{N}xf32>) -> tensor<{M}x{N}xf32>
  return %a, %b : tensor<{M}x{N}xf32>, tensor<{M}x{N}xf32>
}}"""
    w = np.random.default_rng(10).standard_normal((N, N)).astype(np.float32)
    quantised = Quantised(text, [correlated((M, N), 0)], {"w": w}, "weight-granularity=tensor")
    quantised.passes("fovea-round-weights")
    found = [(r["decision"], r["reason"]) for r in quantised.records("weight-rounding")]
    assert found == [("nearest", "contractions read its weight along different dims")] * 2


def test_a_network_of_convolutions_is_closer_to_its_floats() -> None:
    """The ResNet of the corpus, all of it in FP8, on images that calibration has not seen."""
    original = parse_module(RESNET, new_context())
    images = [{"arg0": np.random.default_rng(seed).standard_normal((1, 3, 32, 32), np.float32)} for seed in range(24)]
    calibration, held_out = images[:8], images[8:]
    references = [Executor(original).run(batch) for batch in held_out]

    def quality(**options: Any) -> tuple[float, PassContext]:
        module, context = original.operation.clone(), PassContext(weights=WeightStore())
        run_pipeline(module, "builtin.module(fovea-normalize)", context)
        chosen = CompileOptions(include=("policy:all",), **options)
        Quantizer(module, chosen, context, Clock(None), ()).run(calibration)
        executor = Executor(module, context.weights)
        return parse_budget("sqnr:1").accuracy(references, [executor.run(batch) for batch in held_out]), context

    plain, _ = quality()
    better, context = quality(weight_rounding="gptq", bias_correction=True, smooth=0.5)
    assert better > plain + 2  # decibels; 3.2 when this was written
    decisions = [r["decision"] for r in context.records if r.get("kind") == "weight-rounding"]
    assert decisions == ["gptq"] * 7
    assert "norm" in {r["folded"] for r in context.records if r.get("kind") == "smoothing"}
