# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Time of detecting and tagging attention in stacks of transformer layers: is it linear in the number of ops?

    python bench/detection.py [--ops 1000 5000 20000 50000] [--repeat 3]

A layer is a decoder block as exporters write it: norm, three projections, heads by reshapes and transposes, scaled and
masked attention with softmax in five ops, output projection, gated feed-forward. Prints the best of the repetitions.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "test" / "numerics" / "attention"))

from graph_builder import Builder, Value

from fovea.bindings import ir
from fovea.ir_input import new_context, parse_module
from fovea.passes.detect_attention import DetectAttention
from fovea.passes.ir_utils import nested_ops
from fovea.passes.registry import PassContext

SIZES = {"b": 2, "m": 8, "n": 8, "h": 4, "k": 8, "d": 8, "e": 32, "o": 32}


def model(layers: int) -> str:
    """The text of a function with `layers` decoder layers."""
    builder = Builder(np.random.default_rng(0), "f32", dict(SIZES))
    state = builder.argument("bme")
    mask = builder.argument("bn")
    for _ in range(layers):
        state = _sum(builder, state, _attention(builder, _norm(builder, state), mask))
        state = _sum(builder, state, _feed_forward(builder, _norm(builder, state)))
    return builder.text(state)


def _sum(builder: Builder, a: Value, b: Value) -> Value:
    return builder.pointwise(a.dims, [a, b], ["%r = arith.addf %x0, %x1 : T"])


def _linear(builder: Builder, value: Value) -> Value:
    rows = value.dims[1]
    product = builder.contract(value, builder.argument("eo"), f"b{rows}o")
    product = builder.pointwise(product.dims, [product, builder.argument("o")], ["%r = arith.addf %x0, %x1 : T"])
    return Value(product.name, value.dims, value.element)


def _norm(builder: Builder, value: Value) -> Value:
    total = builder.reduce(value, "bm", "addf", 0.0)
    mean = ["%n = arith.constant 3.2e+01 : T", "%q = arith.divf %x1, %n : T", "%r = arith.subf %x0, %q : T"]
    centred = builder.pointwise("bme", [value, total], mean)
    squares = builder.reduce(centred, "bm", "addf", 0.0, ["%y = arith.mulf %x0, %x0 : T"])
    return builder.pointwise("bme", [centred, squares], ["%q = math.rsqrt %x1 : T", "%r = arith.mulf %x0, %q : T"])


def _heads(builder: Builder, value: Value, depth: str) -> Value:
    rows = value.dims[1]
    return builder.transpose(builder.expand(_linear(builder, value), "e", "h" + depth), f"bh{rows}{depth}")


def _attention(builder: Builder, value: Value, mask: Value) -> Value:
    keys = Value(value.name, "bne", value.element)
    query, key, weighed = (_heads(builder, v, depth) for v, depth in ((value, "k"), (keys, "k"), (keys, "d")))
    scores = builder.contract(query, key, "bhmn")
    scaled = ["%c = arith.constant 2.5e-01 : T", "%r = arith.mulf %x0, %c : T"]
    scores = _sum(builder, builder.pointwise("bhmn", [scores], scaled), mask)
    top = builder.reduce(scores, "bhm", "maximumf", -np.inf)
    shifted = builder.pointwise("bhmn", [scores, top], ["%r = arith.subf %x0, %x1 : T"])
    exponential = builder.pointwise("bhmn", [shifted], ["%r = math.exp %x0 : T"])
    total = builder.reduce(exponential, "bhm", "addf", 0.0)
    probabilities = builder.pointwise("bhmn", [exponential, total], ["%r = arith.divf %x0, %x1 : T"])
    result = builder.transpose(builder.contract(probabilities, weighed, "bhmd"), "bmhd")
    return _linear(builder, builder.collapse(result, "hd", "e"))


def _feed_forward(builder: Builder, value: Value) -> Value:
    gate = ["%c = arith.constant 1.0 : T", "%n = arith.negf %x0 : T", "%e = math.exp %n : T",
            "%q = arith.addf %c, %e : T", "%t = arith.divf %x0, %q : T", "%r = arith.mulf %t, %x1 : T"]  # fmt: skip
    hidden = builder.pointwise("bme", [_linear(builder, value), _linear(builder, value)], gate)
    return _linear(builder, hidden)


def count_ops(module: object) -> int:
    """All ops, those in bodies too."""
    return sum(1 for _ in nested_ops(module.operation))  # type: ignore[attr-defined]


def measure(layers: int, repeat: int) -> tuple[int, int, float]:
    """(ops, sites tagged, seconds)."""
    text = model(layers).encode()
    best = float("inf")
    for _ in range(repeat):
        module = parse_module(text, new_context())
        context = PassContext()
        with module.context, ir.Location.unknown():
            start = time.perf_counter()
            DetectAttention().run(module, context)
            best = min(best, time.perf_counter() - start)
    sites = sum(record.get("id") is not None for record in context.records)
    return count_ops(module), sites, best


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ops", type=int, nargs="+", default=[1000, 5000, 20000, 50000])
    parser.add_argument("--repeat", type=int, default=3)
    flags = parser.parse_args(argv)
    small, large = (count_ops(parse_module(model(layers).encode(), new_context())) for layers in (1, 2))
    first = None
    print(f"{'ops':>8}{'sites':>8}{'seconds':>10}{'us/op':>8}{'ratio':>7}")
    for wanted in flags.ops:
        layers = max(1, round((wanted - small) / (large - small)) + 1)
        ops, sites, seconds = measure(layers, flags.repeat)
        assert sites == layers, f"expected {layers} sites, found {sites}"
        each = seconds / ops * 1e6
        first = first or each
        print(f"{ops:8}{sites:8}{seconds:10.3f}{each:8.1f}{each / first:7.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
