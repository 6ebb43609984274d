# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Convolutions of ResNet-50 by matrix instructions, against the same convolutions as plain reductions.

    python bench/convolution.py [CASE ...]

Each case is a convolution between two relu, compiled for gfx942 with its own pipeline ("FP8" and "f16": an implicit
GEMM), and with its kernel as a reduction in f32 ("reduction": one work-item sums up a few results in a loop, as for any
other op that reduces). All run on the emulator; the figures are wave-instructions of the whole and the time modelled
by `fovea profile`, both as ratios to the reduction. Modelled, not measured: see python/fovea/profile/model.py.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from fovea import api
from fovea.bindings import ir
from fovea.codegen.registry import KIND
from fovea.executor import Executor
from fovea.ir_input import new_context, parse_module
from fovea.lowered import buffers_of, plan_of
from fovea.package import Package, load_package, save_package
from fovea.passes.registry import PassContext
from fovea.pipeline import run_pipeline
from fovea.profile import profile_package

TARGET = "gfx942"
BUILDS = ("reduction", "f16", "FP8")


@dataclass(frozen=True)
class Case:
    """A convolution in PyTorch's layout, batch 1: `size` is height and width of the input."""

    title: str
    size: int
    channels: int
    outputs: int
    window: int
    stride: int
    padding: int

    def text(self) -> str:
        """The module: relu, padding, convolution with a constant filter, relu."""
        padded, image = self.size + 2 * self.padding, (self.size + 2 * self.padding - self.window) // self.stride + 1
        given = f"tensor<1x{self.channels}x{self.size}x{self.size}xf32>"
        wide = f"tensor<1x{self.channels}x{padded}x{padded}xf32>"
        taken = f"tensor<1x{self.outputs}x{image}x{image}xf32>"
        filter_ = f"tensor<{self.outputs}x{self.channels}x{self.window}x{self.window}xf32>"
        shape = (self.outputs, self.channels, self.window, self.window)
        weights = np.random.default_rng(1).standard_normal(shape, np.float32)
        around = f"[0, 0, {self.padding}, {self.padding}]"
        pad = f"""%p = tensor.pad %a low{around} high{around} {{
          ^bb0(%i: index, %j: index, %k: index, %l: index):
            tensor.yield %zero : f32
          }} : {given} to {wide}"""
        return f"""func.func @main(%x: {given}) -> {taken} {{
          %zero = arith.constant 0.0 : f32
          %w = arith.constant dense<"0x{weights.tobytes().hex().upper()}"> : {filter_}
          {_relu("%a", "%x", given)}
          {pad if self.padding else ""}
          %e = tensor.empty() : {taken}
          %f = linalg.fill ins(%zero : f32) outs(%e : {taken}) -> {taken}
          %c = linalg.conv_2d_nchw_fchw {{strides = dense<{self.stride}> : vector<2xi64>}}
            ins({"%p" if self.padding else "%a"}, %w : {wide}, {filter_}) outs(%f : {taken}) -> {taken}
          {_relu("%r", "%c", taken)}
          return %r : {taken}
        }}"""


def _relu(result: str, value: str, type_: str) -> str:
    identity = "affine_map<(a, b, c, d) -> (a, b, c, d)>"
    return f"""{result}e = tensor.empty() : {type_}
          {result} = linalg.generic {{indexing_maps = [{identity}, {identity}],
            iterator_types = ["parallel", "parallel", "parallel", "parallel"]}} ins({value} : {type_})
            outs({result}e : {type_}) {{
          ^bb0(%s: f32, %t: f32):
            %u = arith.maximumf %s, %zero : f32
            linalg.yield %u : f32
          }} -> {type_}"""


CASES = {
    "stem": Case("stem: 7x7, stride 2, 3 -> 64 of 64x64", 64, 3, 64, 7, 2, 3),
    "block": Case("block: 3x3, 64 -> 64 of 28x28", 28, 64, 64, 3, 1, 1),
    "strided": Case("3x3, stride 2, 128 -> 128 of 28x28", 28, 128, 128, 3, 2, 1),
    "pointwise": Case("1x1, 256 -> 64 of 28x28", 28, 256, 64, 1, 1, 0),
}


def inputs(case: Case, seed: int) -> dict[str, np.ndarray[Any, Any]]:
    """Standard normal."""
    shape = (1, case.channels, case.size, case.size)
    return {"arg0": np.random.default_rng(seed).standard_normal(shape, np.float32)}


def compiled(module: Any, case: Case, build: str, path: Path) -> Package:
    """The package of one build."""
    options = api.CompileOptions(TARGET, fp8=build == "FP8")
    if build == "reduction":
        _compile_reduction(module.operation.clone(), options, path)
    else:
        api.compile_module(module, options, None, [inputs(case, seed) for seed in range(1, 5)]).save(path)
    return load_package(path)


def _compile_reduction(module: Any, options: api.CompileOptions, path: Path) -> None:
    context = PassContext(target=TARGET)
    run_pipeline(module, "builtin.module(fovea-normalize,fovea-fold-constants,fovea-form-kernels)", context)
    for function in module.regions[0].blocks[0].operations:
        if KIND in function.attributes and ir.StringAttr(function.attributes[KIND]).value == "contraction":
            function.attributes[KIND] = ir.StringAttr.get("reduction", module.context)
    run_pipeline(module, "builtin.module(fovea-plan,fovea-lower-kernels)", context)
    code = api.generate_code(module, options)
    weights = {b.tensor: np.ascontiguousarray(context.weights[b.tensor]) for b in buffers_of(module) if b.tensor}
    save_package(path, plan_of(module, TARGET, weights), code, weights, {})


def main() -> None:
    """Compile and emulate every build of every case, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)} (default: all)")
    chosen = parser.parse_args().cases or list(CASES)
    unknown = [name for name in chosen if name not in CASES]
    if unknown:
        parser.error(f"unknown case '{unknown[0]}'; known are: {', '.join(CASES)}")
    table = Table("convolution", "build", "wave-instructions", "of the reduction", "modelled time", "of the reduction",
                  "bound by", "relative error")  # fmt: skip
    for name in chosen:
        case, first = CASES[name], None
        module = parse_module(case.text().encode(), new_context())
        batch = inputs(case, 100)
        (reference,) = Executor(module).run(batch)
        for build in BUILDS:
            with tempfile.TemporaryDirectory() as directory:
                package = compiled(module, case, build, Path(directory) / "model.fovea")
            profile, outputs = profile_package(package, batch)
            count, seconds = sum(profile.total.statistics.instructions.values()), profile.total.seconds
            first = first or (count, seconds)
            error = np.linalg.norm(outputs["result0"] - reference) / np.linalg.norm(reference)
            table.add_row(
                case.title if build == BUILDS[0] else "", build, f"{count:,}", f"{count / first[0]:.3f}",
                f"{seconds * 1e6:.2f} µs", f"{seconds / first[1]:.3f}", profile.total.bound_by, f"{error:.1e}",
            )  # fmt: skip
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
