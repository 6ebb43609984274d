# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A small residual network with a shared input, reshapes and a contraction of two activations, and data for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.calibration import calibrate
from fovea.ir_input import new_context
from fovea.passes.registry import PassContext
from fovea.pipeline import run_pipeline
from fovea.weights import WeightStore

Array = np.ndarray[Any, Any]
ROWS, WIDTH, HIDDEN = 32, 64, 128
_SQUARE = (WIDTH, WIDTH)
WEIGHTS = {"a": _SQUARE, "b": _SQUARE, "up": (WIDTH, HIDDEN), "down": (HIDDEN, WIDTH), "out": _SQUARE}
CONTRACTIONS = ("a", "b", "pair", "up", "down", "out")


def _square(name: str, result: str, value: str, weight: str, n: int = WIDTH, k: int = WIDTH, out: str = "%z") -> str:
    return f"""
  %{result} = linalg.matmul ins({value}, %{weight} : tensor<{ROWS}x{k}xf32>, tensor<{k}x{n}xf32>)
    outs({out} : tensor<{ROWS}x{n}xf32>) -> tensor<{ROWS}x{n}xf32> loc("{name}")"""


def network_text() -> str:
    """x -> [a, b] of tanh(x) -> pair = a . transpose(b) . x -> residual MLP (up, down) -> out; then a norm."""
    arguments = ", ".join(
        f'%{name}: tensor<{k}x{n}xf32> {{fovea.weight = "{name}"}}' for name, (k, n) in WEIGHTS.items()
    )
    full, hidden = f"tensor<{ROWS}x{WIDTH}xf32>", f"tensor<{ROWS}x{HIDDEN}xf32>"
    cube = f"tensor<{ROWS // 4}x4x{WIDTH}xf32>"
    return f"""
func.func @main(%x: {cube}, {arguments}) -> {full} {{
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : {full}
  %z = linalg.fill ins(%zero : f32) outs(%e : {full}) -> {full}
  %eh = tensor.empty() : {hidden}
  %zh = linalg.fill ins(%zero : f32) outs(%eh : {hidden}) -> {hidden}
  %ec = tensor.empty() : {cube}
  %t = linalg.tanh ins(%x : {cube}) outs(%ec : {cube}) -> {cube}
  %f = tensor.collapse_shape %t [[0, 1], [2]] : {cube} into {full}
  {_square("a", "ra", "%f", "a")}
  {_square("b", "rb", "%f", "b")}
  %es = tensor.empty() : tensor<{ROWS}x{ROWS}xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<{ROWS}x{ROWS}xf32>) -> tensor<{ROWS}x{ROWS}xf32>
  %et = tensor.empty() : tensor<{WIDTH}x{ROWS}xf32>
  %tb = linalg.transpose ins(%rb : {full}) outs(%et : tensor<{WIDTH}x{ROWS}xf32>) permutation = [1, 0]
  %s = linalg.matmul ins(%ra, %tb : {full}, tensor<{WIDTH}x{ROWS}xf32>)
    outs(%zs : tensor<{ROWS}x{ROWS}xf32>) -> tensor<{ROWS}x{ROWS}xf32> loc("pair")
  %y = linalg.matmul ins(%s, %f : tensor<{ROWS}x{ROWS}xf32>, {full}) outs(%f : {full}) -> {full} loc("mix")
  {_square("up", "u", "%y", "up", HIDDEN, WIDTH, "%zh")}
  %g = linalg.tanh ins(%u : {hidden}) outs(%eh : {hidden}) -> {hidden}
  {_square("down", "d", "%g", "down", WIDTH, HIDDEN)}
  %r = linalg.add ins(%y, %d : {full}, {full}) outs(%e : {full}) -> {full}
  {_square("out", "o", "%r", "out")}
  %n = linalg.tanh ins(%o : {full}) outs(%e : {full}) -> {full}
  return %n : {full}
}}"""


@dataclass
class Case:
    """module: with calibrated captures. batches: not those of the calibration."""

    module: Any
    weights: WeightStore
    context: PassContext
    batches: list[dict[str, Array]]

    def passes(self, *names: str) -> Any:
        """A function that runs passes on a copy of the module."""
        scratch = PassContext(weights=self.weights, statistics=self.context.statistics)
        return lambda copy: run_pipeline(copy, f"builtin.module({','.join(names)})", scratch)


def weights_and_batches(batches: int) -> tuple[WeightStore, list[dict[str, Array]]]:
    random = np.random.default_rng(5)
    store = WeightStore()
    for name, (k, n) in WEIGHTS.items():
        store.add(name, (random.standard_normal((k, n)) / np.sqrt(k)).astype(np.float32))
    shape = (ROWS // 4, 4, WIDTH)
    return store, [{"arg0": random.standard_normal(shape).astype(np.float32)} for _ in range(batches)]


def make_case() -> Case:
    """The network up to calibration; `mix` is left out, and all else quantised."""
    weights, batches = weights_and_batches(4)
    module = ir.Module.parse(network_text(), new_context())
    context = PassContext(weights=weights)
    run_pipeline(module, "builtin.module(fovea-insert-captures{include=policy:all exclude=mix})", context)
    context.statistics = calibrate(module, batches[:2], weights)
    return Case(module, weights, context, batches[2:])
