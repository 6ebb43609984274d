# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Time of the passes that quantise, on stacks of transformer layers: is it linear in the number of ops?

    python bench/quantization_passes.py [--ops 1000 5000 20000] [--repeat 3] [--arrived]

The layers are those of bench/detection.py, with weights; captures get a range without running the model. With
--arrived, the model is one that arrives quantised: every operand of a contraction outside attention is divided by a
scale, clamped, cast to FP8 and back, each in an op of its own. Prints the best of the repetitions, by pass.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from detection import count_ops, model

from fovea.bindings import arith, ir
from fovea.dialect.attention_tag import NAME as TAG
from fovea.ir_input import new_context, parse_module
from fovea.passes import ir_utils as utils
from fovea.passes.contraction_layout import is_contraction
from fovea.passes.registry import PassContext, lookup
from fovea.weights import WeightStore

BEFORE = ("fovea-normalize", "fovea-detect-attention", "fovea-strip-attention-qdq")
PASSES = ("fovea-raise-qdq", "fovea-convert-fp8", "fovea-insert-captures", "fovea-quantize-fp8", "fovea-move-quantize",
          "fovea-fold-qdq")  # fmt: skip
WEIGHT = re.compile(r"(%a\d+): (tensor<32(?:x32)?xf32>)")


def run(name: str, module: Any, context: PassContext) -> float:
    """Seconds of processor time that the pass takes."""
    start = time.process_time()
    lookup(name)().run(module, context)
    return time.process_time() - start


def prepared(layers: int, arrived: bool) -> tuple[Any, PassContext]:
    """The module as the first pass of interest finds it, and a context with the values of its weights."""
    weights = WeightStore()
    generator = np.random.default_rng(0)

    def weight(match: re.Match[str]) -> str:
        name = f"w{len(weights)}"
        weights.add(name, generator.standard_normal([32] * match[2].count("32x")).astype(np.float32))
        return f'{match[1]}: {match[2]} {{fovea.weight = "{name}"}}'

    module = parse_module(WEIGHT.sub(weight, model(layers)).encode(), new_context())
    context = PassContext(weights=weights)
    with module.context, ir.Location.unknown():
        for name in BEFORE:
            run(name, module, context)
        if arrived:
            _quantise(module)
    return module, context


def _quantise(module: Any) -> None:
    """Write the operands of contractions as exporters write FP8 models."""
    f32, f8 = ir.F32Type.get(), ir.Type.parse("f8E4M3FN")

    def number(value: float) -> Any:
        return arith.ConstantOp(f32, value).result

    steps = (
        (f32, lambda x, _: arith.DivFOp(x, number(0.05)).result),
        (f32, lambda x, _: arith.MaximumFOp(arith.MinimumFOp(x, number(448.0)).result, number(-448.0)).result),
        (f8, lambda x, _: arith.TruncFOp(f8, x).result),
        (f32, lambda x, _: arith.ExtFOp(f32, x).result),
        (f32, lambda x, _: arith.MulFOp(x, number(0.05)).result),
    )
    for function in utils.functions(module):
        for op in utils.body_ops(function):
            if is_contraction(op) and TAG not in op.attributes:
                for position, value in enumerate(utils.inputs_of(op)):
                    with ir.InsertionPoint(op):
                        for element, body in steps:
                            value = utils.elementwise([value], element, body)
                    op.operands[position] = value


def _give_ranges(module: Any) -> None:
    for function in utils.functions(module):
        for op in utils.body_ops(function):
            if op.name == "fovea.capture":
                op.attributes["max_abs"] = ir.FloatAttr.get(ir.F32Type.get(), 4.0)
                op.attributes["calibrated"] = ir.BoolAttr.get(True)


def measure(layers: int, repeat: int, arrived: bool) -> tuple[int, int, dict[str, float]]:
    """(ops, contractions that became FP8, seconds by pass)."""
    best: dict[str, float] = {}
    for _ in range(repeat):
        module, context = prepared(layers, arrived)
        ops = count_ops(module)
        with module.context, ir.Location.unknown():
            for name in PASSES:
                seconds = run(name, module, context)
                best[name] = min(best.get(name, seconds), seconds)
                if name == "fovea-insert-captures":
                    _give_ranges(module)
        folded = sum(r.get("kind") == "fold-qdq" and r["decision"] == "folded" for r in context.records)
    return ops, folded, best


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ops", type=int, nargs="+", default=[1000, 5000, 20000])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--arrived", action="store_true", help="a model that arrives quantised")
    flags = parser.parse_args(argv)
    small, large = (count_ops(prepared(layers, flags.arrived)[0]) for layers in (1, 2))
    columns = [name.removeprefix("fovea-") for name in PASSES]
    print(f"{'ops':>8}{'FP8':>6}" + "".join(f"{name:>17}" for name in columns) + f"{'all, s':>9}{'us/op':>8}")
    for wanted in flags.ops:
        layers = max(1, round((wanted - small) / (large - small)) + 1)
        ops, folded, seconds = measure(layers, flags.repeat, flags.arrived)
        assert folded == 7 * layers, f"expected {7 * layers} contractions in FP8, found {folded}"
        total = sum(seconds.values())
        line = "".join(f"{seconds[name]:17.3f}" for name in PASSES)
        print(f"{ops:8}{folded:6}{line}{total:9.3f}{total / ops * 1e6:8.1f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
