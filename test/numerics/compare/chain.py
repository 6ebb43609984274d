# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A chain of linear layers, quantised as `fovea compile` does it, with a way to break one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.calibration import calibrate
from fovea.ir_input import new_context, parse_module
from fovea.passes.registry import PassContext, lookup
from fovea.twins import FLOAT, QUANTISED, OpenTwins, Twins
from fovea.weights import WeightStore

Array = np.ndarray[Any, Any]
ROWS, WIDTH = 32, 64


def chain_text(layers: int) -> str:
    """y = x.w0.w1..., each w named layer<i>.weight; the input of the last layer is reshaped on the way."""
    arguments = ", ".join(f'%w{i}: tensor<{WIDTH}x{WIDTH}xf32> {{fovea.weight = "layer{i}.weight"}}'
                          for i in range(layers))  # fmt: skip
    full, square = f"tensor<{ROWS}x{WIDTH}xf32>", f"tensor<{WIDTH}x{WIDTH}xf32>"
    lines = ["%zero = arith.constant 0.0 : f32", f"%e = tensor.empty() : {full}",
             f"%f = linalg.fill ins(%zero : f32) outs(%e : {full}) -> {full}"]  # fmt: skip
    value = "%x"
    for i in range(layers):
        lines.append(f"%y{i} = linalg.matmul ins({value}, %w{i} : {full}, {square}) outs(%f : {full}) -> {full}")
        value = f"%y{i}"
    body = "\n".join(lines)
    signature = f'%x: {full} {{fovea.name = "x"}}, {arguments}'
    return f"func.func @main({signature}) -> {full} {{\n{body}\nreturn {value} : {full}\n}}"


def chain_weights(layers: int, seed: int = 3) -> dict[str, Array]:
    """Random weights that keep the variance."""
    random = np.random.default_rng(seed)
    return {f"layer{i}.weight": random.standard_normal((WIDTH, WIDTH), np.float32) / np.float32(np.sqrt(WIDTH))
            for i in range(layers)}  # fmt: skip


def batches(count: int, seed: int = 11) -> list[dict[str, Array]]:
    random = np.random.default_rng(seed)
    return [{"x": random.standard_normal((ROWS, WIDTH), np.float32)} for _ in range(count)]


def quantised_chain(
    weights: Mapping[str, Array], data: list[dict[str, Array]], ranges: Mapping[str, float] | None = None
) -> OpenTwins:
    """Both forms of the chain. ranges: what the range of a captured tensor is set to, not what calibration saw."""
    store = WeightStore()
    for name, array in weights.items():
        store.add(name, array)
    module = parse_module(chain_text(len(weights)).encode(), new_context())
    return make_twins(module, store, data, ranges or {})


def make_twins(
    module: Any, store: WeightStore, data: list[dict[str, Array]], ranges: Mapping[str, float] | None = None
) -> OpenTwins:
    """Capture, calibrate and quantise a module, and keep both forms."""
    context = PassContext(weights=store)
    twins = Twins(dict(store))
    with module.context, ir.Location.unknown(module.context):
        lookup("fovea-insert-captures")(include=(".",)).run(module, context)  # no default exclusions
        context.statistics = calibrate(module, data, store)
        for op in module.body.operations[0].regions[0].blocks[0].operations:
            if op.operation.name == "fovea.capture":
                id_ = ir.StringAttr(op.attributes["id"]).value
                if ranges and id_ in ranges:
                    op.attributes["max_abs"] = ir.FloatAttr.get_f32(ranges[id_])
                    context.statistics[id_].max_abs = ranges[id_]
        twins.keep(FLOAT, module, store)
        lookup("fovea-quantize-fp8")().run(module, context)
        twins.keep(QUANTISED, module, store)
    return twins.open()
