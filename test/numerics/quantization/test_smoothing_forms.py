# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Smoothing: of every form of contraction, and where the division of the activation ends up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_models import Array, ops_named, parse
from test_convolutions import CASES, CHANNELS, SIZE
from test_convolutions import model as convolution
from test_rounding_forms import BATCHED, LEFT, PLAIN, SEVERAL, B, D, H, K, M, N, convolution_case

from fovea.calibration import calibrate
from fovea.calibration.moments import collect_moments
from fovea.executor import Executor
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import WeightLike
from fovea.passes.registry import PassContext
from fovea.pipeline import run_pipeline
from fovea.weights import WeightStore

ROWS, WIDTH, HIDDEN = 8, 16, 32


class Smoothed:
    """A model before and after smoothing, on one batch of data."""

    def __init__(self, text: str, x: Array, weights: dict[str, Array], options: str = "include=policy:all") -> None:
        store = WeightStore()
        for name, array in weights.items():
            store.add(name, array)
        self.module, self.context, self.batch = parse(text), PassContext(weights=store), {"arg0": x}
        self.wanted = Executor(parse(text), store).run(self.batch)
        run_pipeline(self.module, f"builtin.module(fovea-normalize,fovea-insert-captures{{{options}}})", self.context)
        self.before = calibrate(self.module, [self.batch], store)
        self.context.moments = collect_moments(self.module, [self.batch], store, second=False)
        self.work = self._activation_ops()
        run_pipeline(self.module, "builtin.module(fovea-smooth-activations)", self.context)
        self.added = self._activation_ops() - self.work
        self.after = calibrate(self.module, [self.batch], store)
        self.found = Executor(self.module, store).run(self.batch)
        self.records = [r for r in self.context.records if r.get("kind") == "smoothing"]

    def _activation_ops(self) -> int:
        """Elementwise ops that do not follow from weights alone."""
        is_weight = WeightLike()
        return sum(utils.is_elementwise(op) and not is_weight(op.results[0])
                   for op in utils.body_ops(self.module.body.operations[0]))  # fmt: skip

    def check(self) -> None:
        """Powers of two change no product: results differ by the order of sums at most, which is the same here."""
        for wanted, found in zip(self.wanted, self.found, strict=True):
            np.testing.assert_array_equal(found, wanted)


def outliers(shape: tuple[int, ...], axis: int, seed: int = 0) -> Array:
    """Activations with one channel in eight 32 times as large."""
    factor = np.where(np.arange(shape[axis]) % 8 == 3, 32, 1)
    factor = factor.reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return (np.random.default_rng(seed).standard_normal(shape) * factor).astype(np.float32)


def weights(seed: int, **shapes: tuple[int, ...]) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


FORMS: dict[str, tuple[str, Array, dict[str, Array]]] = {
    "plain": (PLAIN, outliers((M, K), 1), weights(1, w=(N, K))),
    "left": (LEFT, outliers((K, M), 0), weights(1, w=(N, K))),
    "several": (SEVERAL, outliers((M, H, D), 2), weights(1, w=(H, D, N))),
    "batched": (BATCHED, outliers((B, M, K), 2), weights(1, w=(B, K, N))),
    **{f"convolution, {name}": (convolution(*CASES[name]), outliers((1, CHANNELS, SIZE, SIZE), 1),
              {"conv.weight": convolution_case(name)[1]}) for name in CASES},
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_outliers_move_into_weights_of_every_form(name: str) -> None:
    smoothed = Smoothed(*FORMS[name])
    smoothed.check()
    (record,) = smoothed.records
    assert (record["decision"], record["folded"]) == ("smoothed", "kernel")  # the model's input has no producer
    assert record["factors"][1] / record["factors"][0] >= 4
    (before,), (after,) = smoothed.before.values(), smoothed.after.values()
    assert after.max_abs < before.max_abs / 2
    assert smoothed.added == 1


def test_factors_are_those_of_channels_and_groups() -> None:
    """By hand: of a grouped convolution each input channel meets the filters of its own group."""
    x, w = outliers((1, CHANNELS, SIZE, SIZE), 1), convolution_case("groups")[1]
    smoothed = Smoothed(convolution(*CASES["groups"]), x, {"conv.weight": w})
    largest = np.abs(x).max((0, 2, 3)).astype(np.float64)
    met = np.abs(w).max((2, 3)).reshape(2, 3, 2).max(1).reshape(-1).astype(np.float64)  # group, output, channel
    logs = 0.5 * np.log2(largest) - 0.5 * np.log2(met)
    factors = np.exp2(np.rint(logs - logs.mean()))
    (after,) = smoothed.after.values()
    assert after.max_abs == (np.abs(x).max((0, 2, 3)) / factors).max()
    assert smoothed.records[0]["factors"] == [factors.min(), factors.max()]


# --- folding ----------------------------------------------------------------------------------------------------------

FULL, WIDE = f"tensor<{ROWS}x{WIDTH}xf32>", f"tensor<{ROWS}x{HIDDEN}xf32>"
ID, CHANNEL = "affine_map<(i, j) -> (i, j)>", "affine_map<(i, j) -> (j)>"


def pointwise(result: str, inputs: list[tuple[str, str, str]], body: str, kind: str = FULL) -> str:
    """inputs: (value, type, map); body makes %r of %a0, %a1, ..."""
    maps = ", ".join([m for *_, m in inputs] + [ID])
    arguments = ", ".join(f"%a{i}: f32" for i in range(len(inputs)))
    return f"""
  {result} = linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel", "parallel"]}}
      ins({", ".join(v for v, *_ in inputs)} : {", ".join(t for _, t, _ in inputs)})
      outs(%e{"w" if kind == WIDE else ""} : {kind}) {{
  ^bb0({arguments}, %o: f32):
    {body}
    linalg.yield %r : f32
  }} -> {kind}"""


def matmul(result: str, value: str, weight: str, k: int = WIDTH, n: int = WIDTH) -> str:
    source, target = (FULL if size == WIDTH else WIDE for size in (k, n))
    wide = "w" if n == HIDDEN else ""
    return f"""
  {result} = linalg.matmul ins({value}, {weight} : {source}, tensor<{k}x{n}xf32>)
      outs(%z{wide} : {target}) -> {target}"""


def network(body: str, results: str, arguments: str, types: str = FULL) -> str:
    return f"""
func.func @main(%x: {FULL}, {arguments}) -> ({types}) {{
  %zero = arith.constant 0.0 : f32
  %six = arith.constant 6.0 : f32
  %slope = arith.constant 0.25 : f32
  %e = tensor.empty() : {FULL}
  %z = linalg.fill ins(%zero : f32) outs(%e : {FULL}) -> {FULL}
  %ew = tensor.empty() : {WIDE}
  %zw = linalg.fill ins(%zero : f32) outs(%ew : {WIDE}) -> {WIDE}
  {body}
  return {results} : {types}
}}"""


def argument(name: str, *shape: int) -> str:
    return f'%{name}: tensor<{"x".join(map(str, shape))}xf32> {{fovea.weight = "{name}"}}'


VECTOR = f"tensor<{WIDTH}xf32>"
# The end of a norm: a tensor of unit variance times gamma, plus beta, in one op and in two.
UNIT = pointwise("%u", [("%x", FULL, ID)], "%r = math.tanh %a0 : f32")
SCALED = pointwise("%g", [("%u", FULL, ID), ("%gamma", VECTOR, CHANNEL)], "%r = arith.mulf %a0, %a1 : f32")
SHIFTED = pointwise("%n", [("%g", FULL, ID), ("%beta", VECTOR, CHANNEL)], "%r = arith.addf %a0, %a1 : f32")
NORM = UNIT + pointwise("%n", [("%u", FULL, ID), ("%gamma", VECTOR, CHANNEL), ("%beta", VECTOR, CHANNEL)], """
    %p = arith.mulf %a0, %a1 : f32
    %r = arith.addf %p, %a2 : f32""")  # fmt: skip
NORM_WEIGHTS = ", ".join([argument("gamma", WIDTH), argument("beta", WIDTH), argument("w", WIDTH, WIDTH)])
LAYER_WEIGHTS = ", ".join([argument("up", WIDTH, HIDDEN), argument("bias", HIDDEN), argument("gate", WIDTH, HIDDEN),
                           argument("down", HIDDEN, WIDTH)])  # fmt: skip
BIAS = ("%bias", f"tensor<{HIDDEN}xf32>", CHANNEL)
COMPARE = "%c = arith.cmpf ugt, {0}, %zero : f32\n    %r = arith.select %c, {0}, {1} : f32"


def layer(body: str, extra: str = "", results: str = "%y", types: str = FULL) -> str:
    """up, `body` on %a0 (up's result), %a1 (the bias), then down."""
    up, down = matmul("%h", "%x", "%up", WIDTH, HIDDEN), matmul("%y", "%f", "%down", HIDDEN, WIDTH)
    middle = pointwise("%f", [("%h", WIDE, ID), BIAS], body, WIDE)
    return network(up + middle + down + extra, results, LAYER_WEIGHTS, types)


ADD = "%s = arith.addf %a0, %a1 : f32\n    "
FOLDS = {
    "norm": (network(NORM + matmul("%y", "%n", "%w"), "%y", NORM_WEIGHTS), "norm"),
    "norm in two ops": (network(UNIT + SCALED + SHIFTED + matmul("%y", "%n", "%w"), "%y", NORM_WEIGHTS), "norm"),
    "scale alone": (network(UNIT + SCALED + matmul("%y", "%g", "%w"), "%y", NORM_WEIGHTS), "norm"),
    "two readers": (network(NORM + matmul("%y", "%n", "%w") + matmul("%v", "%n", "%w"), "%y, %v", NORM_WEIGHTS,
                            f"{FULL}, {FULL}"), "norm"),
    "residual": (network(NORM + matmul("%m", "%n", "%w")
                         + pointwise("%y", [("%m", FULL, ID), ("%n", FULL, ID)], "%r = arith.addf %a0, %a1 : f32"),
                         "%y", NORM_WEIGHTS), "kernel"),
    "norm without weights": (network(UNIT + matmul("%y", "%u", "%w"), "%y", NORM_WEIGHTS), "kernel"),
    "linear": (layer("%r = arith.addf %a0, %a1 : f32"), "linear"),
    "relu": (layer(ADD + "%r = arith.maximumf %s, %zero : f32"), "linear"),
    "relu by compare": (layer(ADD + COMPARE.format("%s", "%zero")), "linear"),
    "leaky relu": (layer(ADD + "%l = arith.mulf %s, %slope : f32\n    " + COMPARE.format("%s", "%l")), "linear"),
    "relu6": (layer(ADD + "%l = arith.minimumf %s, %six : f32\n    %r = arith.maximumf %l, %zero : f32"), "kernel"),
    "tanh": (layer(ADD + "%r = math.tanh %s : f32"), "kernel"),
    "gate": (network(matmul("%h", "%x", "%up", WIDTH, HIDDEN) + matmul("%k", "%x", "%gate", WIDTH, HIDDEN)
                     + pointwise("%f", [("%k", WIDE, ID), ("%h", WIDE, ID)],
                                 "%s = math.tanh %a0 : f32\n    %r = arith.mulf %s, %a1 : f32", WIDE)
                     + matmul("%y", "%f", "%down", HIDDEN, WIDTH), "%y", LAYER_WEIGHTS), "linear"),
    "returned": (layer("%r = arith.addf %a0, %a1 : f32", results="%y, %f", types=f"{FULL}, {WIDE}"), "kernel"),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDS)
def test_where_the_division_ends_up(name: str) -> None:
    text, folded = FOLDS[name]
    shapes = {"gamma": (WIDTH,), "beta": (WIDTH,), "w": (WIDTH, WIDTH), "up": (WIDTH, HIDDEN), "bias": (HIDDEN,),
              "gate": (WIDTH, HIDDEN), "down": (HIDDEN, WIDTH)}  # fmt: skip
    arrays = weights(2, **{key: shape for key, shape in shapes.items() if f'"{key}"' in text})
    for key in {"gamma", "beta", "up", "bias"} & set(arrays):  # so that the channels differ
        arrays[key] *= np.where(np.arange(arrays[key].shape[-1]) % 8 == 3, 32, 1).astype(np.float32)
    if name in ("norm without weights", "tanh"):
        arrays["w" if "w" in arrays else "down"][3] *= 64
    smoothed = Smoothed(text, np.random.default_rng(3).standard_normal((ROWS, WIDTH)).astype(np.float32), arrays)
    smoothed.check()
    assert [r["decision"] for r in smoothed.records] == ["smoothed"] * len(smoothed.records)
    last = smoothed.records[-1]
    assert last["folded"] == folded and last["factors"][1] > last["factors"][0]
    assert smoothed.added == sum(r["folded"] == "kernel" for r in smoothed.records)


BATCH, HEADS, DEPTH = 2, 4, 4
HEADED, MERGED = f"tensor<{BATCH}x{ROWS}x{HEADS}x{DEPTH}xf32>", f"tensor<{BATCH * HEADS}x{ROWS}x{DEPTH}xf32>"
MOVED, FLAT = f"tensor<{BATCH}x{HEADS}x{ROWS}x{DEPTH}xf32>", f"tensor<{BATCH * ROWS}x{HEADS * DEPTH}xf32>"
CUBE, PROBABILITIES = f"tensor<{BATCH}x{ROWS}x{HEADS * DEPTH}xf32>", f"tensor<{BATCH * HEADS}x{ROWS}x{ROWS}xf32>"
ATTENTION = f"""
func.func @main(%x: {FLAT}, %w: {FLAT} {{fovea.weight = "w"}}, %bias: {VECTOR} {{fovea.weight = "bias"}},
                %out: {FLAT} {{fovea.weight = "out"}},
                %probs: {PROBABILITIES}) -> {FLAT} {{
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : {FLAT}
  %z = linalg.fill ins(%zero : f32) outs(%e : {FLAT}) -> {FLAT}
  %v = linalg.matmul ins(%x, %w : {FLAT}, {FLAT}) outs(%z : {FLAT}) -> {FLAT}
  %v3 = tensor.expand_shape %v [[0, 1], [2]] output_shape [{BATCH}, {ROWS}, {HEADS * DEPTH}] : {FLAT} into {CUBE}
  %e3 = tensor.empty() : {CUBE}
  %b = linalg.generic {{indexing_maps = [affine_map<(b, r, c) -> (b, r, c)>, affine_map<(b, r, c) -> (c)>,
                                         affine_map<(b, r, c) -> (b, r, c)>],
                        iterator_types = ["parallel", "parallel", "parallel"]}}
      ins(%v3, %bias : {CUBE}, {VECTOR}) outs(%e3 : {CUBE}) {{
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.addf %p, %q : f32
    linalg.yield %r : f32
  }} -> {CUBE}
  %v4 = tensor.expand_shape %b [[0], [1], [2, 3]] output_shape [{BATCH}, {ROWS}, {HEADS}, {DEPTH}]
      : {CUBE} into {HEADED}
  %em = tensor.empty() : {MOVED}
  %t = linalg.transpose ins(%v4 : {HEADED}) outs(%em : {MOVED}) permutation = [0, 2, 1, 3]
  %vb = tensor.collapse_shape %t [[0, 1], [2], [3]] : {MOVED} into {MERGED}
  %eb = tensor.empty() : {MERGED}
  %zb = linalg.fill ins(%zero : f32) outs(%eb : {MERGED}) -> {MERGED}
  %c = linalg.batch_matmul ins(%probs, %vb : {PROBABILITIES}, {MERGED}) outs(%zb : {MERGED}) -> {MERGED} loc("mix")
  %c4 = tensor.expand_shape %c [[0, 1], [2], [3]] output_shape [{BATCH}, {HEADS}, {ROWS}, {DEPTH}]
      : {MERGED} into {MOVED}
  %eh = tensor.empty() : {HEADED}
  %ct = linalg.transpose ins(%c4 : {MOVED}) outs(%eh : {HEADED}) permutation = [0, 2, 1, 3]
  %cf = tensor.collapse_shape %ct [[0, 1], [2, 3]] : {HEADED} into {FLAT}
  %y = linalg.matmul ins(%cf, %out : {FLAT}, {FLAT}) outs(%z : {FLAT}) -> {FLAT} loc("out")
  return %y : {FLAT}
}}"""


def test_values_of_attention_are_scaled_through_their_linear() -> None:
    """probabilities . values, heads merged with the batch between: the channels of the context are those of the linear
    that makes the values."""
    arrays = weights(4, w=(WIDTH, WIDTH), out=(WIDTH, WIDTH), bias=(WIDTH,))
    arrays["w"][:, 3] *= 32
    rng = np.random.default_rng(5)
    batch: dict[str, Any] = {"arg0": rng.standard_normal((BATCH * ROWS, WIDTH)).astype(np.float32)}
    batch["arg4"] = rng.random((BATCH * HEADS, ROWS, ROWS)).astype(np.float32)
    store = WeightStore()
    for key, array in arrays.items():
        store.add(key, array)
    module, context = parse(ATTENTION), PassContext(weights=store)
    (wanted,) = Executor(module, store).run(batch)
    run_pipeline(module, "builtin.module(fovea-insert-captures{include=policy:all exclude=mix})", context)
    calibrate(module, [batch], store)
    context.moments = collect_moments(module, [batch], store, second=False)
    run_pipeline(module, "builtin.module(fovea-smooth-activations)", context)
    folded = {r["id"]: r["folded"] for r in context.records if r["kind"] == "smoothing"}
    assert folded["out.lhs"] == "linear" and len(folded) == 2
    np.testing.assert_array_equal(Executor(module, store).run(batch)[0], wanted)


LEFT_ALONE = {
    "two activations": (
        f"""
func.func @main(%x: tensor<{M}x{M}xf32>) -> tensor<{M}x{M}xf32> {{
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<{M}x{M}xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<{M}x{M}xf32>) -> tensor<{M}x{M}xf32>
  %r = linalg.matmul ins(%x, %x : tensor<{M}x{M}xf32>, tensor<{M}x{M}xf32>)
      outs(%z : tensor<{M}x{M}xf32>) -> tensor<{M}x{M}xf32>
  return %r : tensor<{M}x{M}xf32>
}}""",
        (M, M), {}, "'linalg.matmul' reads it, which is no contraction or convolution with a weight",
    ),
    "other axes": (
        network(matmul("%y", "%x", "%w") + f"""
  %t = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>,
                                      affine_map<(m, n, k) -> (m, n)>]
      ins(%x, %v : {FULL}, {FULL}) outs(%s : tensor<{WIDTH}x{WIDTH}xf32>) -> tensor<{WIDTH}x{WIDTH}xf32>
""", "%y, %t", f'{argument("w", WIDTH, WIDTH)}, {argument("v", ROWS, WIDTH)}, %s: tensor<{WIDTH}x{WIDTH}xf32>',
                f"{FULL}, tensor<{WIDTH}x{WIDTH}xf32>"),
        (ROWS, WIDTH), {"w": (WIDTH, WIDTH), "v": (ROWS, WIDTH)},
        "it has no axis that everything that reads it adds over",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_is_left_and_why(name: str) -> None:
    text, shape, shapes, reason = LEFT_ALONE[name]
    store = WeightStore()
    for key, array in weights(6, **shapes).items():
        store.add(key, array)
    batch = {"arg0": outliers(shape, 1)}
    if name == "other axes":
        batch["arg3"] = np.zeros((WIDTH, WIDTH), np.float32)
    module, context = parse(text), PassContext(weights=store)
    run_pipeline(module, "builtin.module(fovea-insert-captures{include=policy:all})", context)
    calibrate(module, [batch], store)
    context.moments = collect_moments(module, [batch], store, second=False) or {"none": None}
    before = str(module)
    run_pipeline(module, "builtin.module(fovea-smooth-activations)", context)
    assert str(module) == before and ops_named(module, "fovea.capture")
    (record,) = [r for r in context.records if r.get("kind") == "smoothing"]
    assert (record["decision"], record["reason"]) == ("left", reason)


@pytest.mark.parametrize(("lacking", "reason"), [
    ("moments", "calibration did not see a contraction that reads it"),
    ("weights", "a weight that reads it is not known"),
    ("readers", "nothing reads it"),
])  # fmt: skip
def test_what_is_not_known_is_left(lacking: str, reason: str) -> None:
    text, x, arrays = FORMS["plain"]
    store = WeightStore()
    store.add("w", arrays["w"])
    module, context = parse(text), PassContext(weights=store)
    run_pipeline(module, "builtin.module(fovea-insert-captures{include=policy:all})", context)
    calibrate(module, [{"arg0": x}], store)
    context.moments = collect_moments(module, [{"arg0": x}], store, second=False)
    if lacking == "moments":
        context.moments = {"another": next(iter(context.moments.values()))}
    elif lacking == "weights":
        context.weights = None
    else:
        (capture,) = ops_named(module, "fovea.capture")
        capture.results[0].replace_all_uses_with(capture.operands[0])
    run_pipeline(module, "builtin.module(fovea-smooth-activations)", context)
    (record,) = [r for r in context.records if r.get("kind") == "smoothing"]
    assert (record["decision"], record["reason"], record["factors"]) == ("left", reason, [1.0, 1.0])
