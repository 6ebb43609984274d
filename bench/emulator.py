# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Speed of the emulator, in wave-instructions a second, on kernels of each kind and on a whole model.

    python bench/emulator.py [--package MODEL.fovea ...] [--repeat N]

Compiles a 1024 x 1024 x 1024 FP8 product, an attention, a softmax and an elementwise kernel for gfx942 and runs each
with all checks and with none; the best of N runs counts. A package is run once with all checks, on random floats, and
ones for integers. The code is decoded before the clock starts, as it is for all launches of a kernel but the first.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from fovea import api, runtime
from fovea.emulator import Statistics
from fovea.ir_input import new_context, parse_module
from fovea.package import Package, load_package

MATMUL = """func.func @main(%a: tensor<1024x1024xf8E4M3FNUZ>, %b: tensor<1024x1024xf8E4M3FNUZ>)
    -> tensor<1024x1024xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1024x1024xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1024x1024xf32>) -> tensor<1024x1024xf32>
  %c = linalg.matmul ins(%a, %b : tensor<1024x1024xf8E4M3FNUZ>, tensor<1024x1024xf8E4M3FNUZ>)
    outs(%init : tensor<1024x1024xf32>) -> tensor<1024x1024xf32>
  return %c : tensor<1024x1024xf32>
}"""
ATTENTION = """func.func @main(%q: tensor<48x256x64xf16>, %k: tensor<48x64x256xf16>, %v: tensor<48x256x64xf16>)
    -> tensor<48x256x64xf32> {
  %zero = arith.constant 0.0 : f32
  %se = tensor.empty() : tensor<48x256x256xf32>
  %si = linalg.fill ins(%zero : f32) outs(%se : tensor<48x256x256xf32>) -> tensor<48x256x256xf32>
  %s = linalg.batch_matmul ins(%q, %k : tensor<48x256x64xf16>, tensor<48x64x256xf16>)
    outs(%si : tensor<48x256x256xf32>) -> tensor<48x256x256xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<48x256x256xf32>) outs(%se : tensor<48x256x256xf32>)
    -> tensor<48x256x256xf32>
  %he = tensor.empty() : tensor<48x256x256xf16>
  %h = linalg.generic {indexing_maps = [affine_map<(b, i, j) -> (b, i, j)>, affine_map<(b, i, j) -> (b, i, j)>],
    iterator_types = ["parallel", "parallel", "parallel"]} ins(%p : tensor<48x256x256xf32>)
    outs(%he : tensor<48x256x256xf16>) {
  ^bb0(%x: f32, %y: f16):
    %t = arith.truncf %x : f32 to f16
    linalg.yield %t : f16
  } -> tensor<48x256x256xf16>
  %oe = tensor.empty() : tensor<48x256x64xf32>
  %oi = linalg.fill ins(%zero : f32) outs(%oe : tensor<48x256x64xf32>) -> tensor<48x256x64xf32>
  %o = linalg.batch_matmul ins(%h, %v : tensor<48x256x256xf16>, tensor<48x256x64xf16>)
    outs(%oi : tensor<48x256x64xf32>) -> tensor<48x256x64xf32>
  return %o : tensor<48x256x64xf32>
}"""
SOFTMAX = """func.func @main(%x: tensor<4096x1024xf32>) -> tensor<4096x1024xf32> {
  %e = tensor.empty() : tensor<4096x1024xf32>
  %p = linalg.softmax dimension(1) ins(%x : tensor<4096x1024xf32>) outs(%e : tensor<4096x1024xf32>)
    -> tensor<4096x1024xf32>
  return %p : tensor<4096x1024xf32>
}"""
ELEMENTWISE = """func.func @main(%x: tensor<2048x2048xf32>, %y: tensor<2048x2048xf32>) -> tensor<2048x2048xf32> {
  %e = tensor.empty() : tensor<2048x2048xf32>
  %z = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>,
    affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%x, %y : tensor<2048x2048xf32>, tensor<2048x2048xf32>) outs(%e : tensor<2048x2048xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %t = math.tanh %a : f32
    %s = arith.mulf %t, %b : f32
    linalg.yield %s : f32
  } -> tensor<2048x2048xf32>
  return %z : tensor<2048x2048xf32>
}"""
KERNELS = {"FP8 product 1024^3": MATMUL, "attention": ATTENTION, "softmax": SOFTMAX, "elementwise": ELEMENTWISE}


def random_inputs(package: Package) -> dict[str, Any]:
    """Standard normal floats, ones for integers."""
    rng = np.random.default_rng(0)
    inputs = {}
    for spec in package.plan.inputs:
        dtype = runtime.DTYPES[spec.dtype]
        integer = np.issubdtype(dtype, np.integer) or dtype == np.bool_
        inputs[spec.name] = np.ones(spec.shape, dtype) if integer else rng.standard_normal(spec.shape).astype(dtype)
    return inputs


def measure(package: Package, checks: bool, repeat: int) -> tuple[Statistics, float]:
    """Counters of one run of the whole package, and the seconds of the fastest."""
    inputs = random_inputs(package)
    best = float("inf")
    for _ in range(repeat):
        total = Statistics()

        def on_launch(number: int, kernel: str, statistics: Statistics, total: Statistics = total) -> None:
            total.add(statistics)

        start = time.perf_counter()
        runtime.run(package, inputs, checks=checks, on_launch=on_launch)
        best = min(best, time.perf_counter() - start)
    return total, best


def main() -> None:
    """Run everything and print a line each."""
    parser = argparse.ArgumentParser(description="Speed of the emulator.")
    parser.add_argument("--package", action="append", default=[], help="a compiled model to run, with all checks")
    parser.add_argument("--repeat", type=int, default=2, help="runs of each kernel, of which the best counts")
    options = parser.parse_args()
    print(f"{'':22} {'wave-instructions':>18} {'all checks':>11} {'million/s':>10} {'no checks':>10} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in KERNELS.items():
            source, target = Path(folder) / "kernel.mlir", Path(folder) / f"{name.split()[0]}.fovea"
            source.write_text(text)
            module = parse_module(source, new_context())
            api.compile_module(module, api.CompileOptions(fp8=False)).save(str(target))
            package = load_package(str(target))
            measure(package, False, 1)
            total, slow = measure(package, True, options.repeat)
            _, fast = measure(package, False, options.repeat)
            print(f"{name:22} {total.total:18,} {slow:9.2f} s {total.total / slow / 1e6:10.2f} {fast:8.2f} s "
                  f"{slow / fast:6.2f}")  # fmt: skip
    for path in options.package:
        total, seconds = measure(load_package(path), True, 1)
        print(f"{Path(path).stem:22} {total.total:18,} {seconds:9.2f} s {total.total / seconds / 1e6:10.2f}")


if __name__ == "__main__":
    main()
