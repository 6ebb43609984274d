# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A package whose launches read what none has written, or leave an output unwritten, is an error on the emulator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fovea import api, runtime
from fovea.emulator import EmulationError
from fovea.ir_input import new_context, parse_module
from fovea.package import Package, load_package

MODEL = """func.func @main(%x: tensor<64x64xf32>, %w: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x64xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<64x64xf32>) -> tensor<64x64xf32>
  %a = linalg.matmul ins(%x, %w : tensor<64x64xf32>, tensor<64x64xf32>) outs(%i : tensor<64x64xf32>)
    -> tensor<64x64xf32>
  %b = linalg.matmul ins(%a, %w : tensor<64x64xf32>, tensor<64x64xf32>) outs(%i : tensor<64x64xf32>)
    -> tensor<64x64xf32>
  return %b : tensor<64x64xf32>
}"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    folder = tmp_path_factory.mktemp("model")
    source = folder / "model.mlir"
    source.write_text(MODEL)
    target = str(folder / "model.fovea")
    api.compile_module(parse_module(source, new_context()), api.CompileOptions(fp8=False)).save(target)
    return load_package(target)


def inputs(package: Package) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {spec.name: rng.standard_normal(spec.shape).astype(np.float32) for spec in package.plan.inputs}


def without(package: Package, number: int) -> Package:
    """The package with one launch taken out."""
    launches = package.plan.launches
    return replace(package, plan=replace(package.plan, launches=launches[:number] + launches[number + 1 :]))


def test_a_whole_package_writes_what_it_reads(package: Package) -> None:
    assert len(package.plan.launches) >= 2
    given = inputs(package)
    result = runtime.run(package, given)
    unchecked = runtime.run(package, given, checks=False)
    for name in result:
        np.testing.assert_array_equal(result[name], unchecked[name])


def test_every_launch_is_missed(package: Package) -> None:
    given = inputs(package)
    last = len(package.plan.launches) - 1
    for number in range(last):
        with pytest.raises(EmulationError, match=r"reads byte \d+ of argument \d+ .*, which nothing has written"):
            runtime.run(without(package, number), given)
    with pytest.raises(EmulationError, match=r"no launch wrote byte 0 of output .* \(16384 bytes are missing\)"):
        runtime.run(without(package, last), given)
    runtime.run(without(package, 0), given, checks=False)
