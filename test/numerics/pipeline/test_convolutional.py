# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A small ResNet of the corpus, whole: decisions, plan, numbers. Its weights are random, as the file has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fovea import api, runtime
from fovea.executor import Executor
from fovea.ir_input import new_context, parse_module
from fovea.package import Package, load_package
from fovea.report import make_report

RESNET = Path(__file__).resolve().parents[2] / "corpus" / "hf_resnet_negative.mlir"
Array = np.ndarray[Any, Any]
# Largest tensors: the image with four channels and 3 zeros around it, in f16; the result of the first convolution.
LARGEST = max(4 * 38 * 38 * 2, 8 * 16 * 16 * 4)


def image(seed: int) -> dict[str, Array]:
    return {"arg0": np.random.default_rng(seed).standard_normal((1, 3, 32, 32), np.float32)}


@dataclass(frozen=True)
class Built:
    """One build, its report, and the largest error of its result relative to the reference's largest value."""

    report: dict[str, Any]
    package: Package
    error: float


class Builds:
    """Builds by options, each made once."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "resnet.fovea"
        self.module = parse_module(RESNET, new_context())
        self.reference = Executor(self.module).run(image(100))[0]
        self.made: dict[bool, Built] = {}

    def __call__(self, fp8: bool) -> Built:
        if fp8 not in self.made:
            batches = [image(seed) for seed in range(8)] if fp8 else None
            # All of them, also the stem and the head, which stay out of FP8 by default.
            options = api.CompileOptions(fp8=fp8, include=("policy:all",) if fp8 else ())
            model = api.compile_module(self.module, options, None, batches)
            model.save(self.path)
            package = load_package(self.path)
            difference = runtime.run(package, image(100))["result0"] - self.reference
            error = float(np.abs(difference).max() / np.abs(self.reference).max())
            self.made[fp8] = Built(make_report(model, RESNET.name), package, error)
        return self.made[fp8]


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Builds:
    """Packages of the model."""
    return Builds(tmp_path_factory.mktemp("resnet"))


def test_every_convolution_is_fp8(builds: Builds) -> None:
    report = builds(fp8=True).report
    assert (report["attention"]["tagged"], report["contractions"]["fp8"]) == (0, 7)  # six convolutions and a linear
    kinds = {mnemonic for kernel in report["kernels"] for mnemonic in kernel["matrix"]}
    assert kinds == {"v_mfma_f32_16x16x32_fp8_fp8"}


@pytest.mark.parametrize("fp8", [False, True])
def test_no_buffer_holds_windows(builds: Builds, fp8: bool) -> None:
    """The matrices whose product a convolution is would take 9 or 49 times their input."""
    buffers = [buffer.bytes for buffer in builds(fp8).package.plan.buffers if buffer.kind == "arena"]
    assert buffers
    assert max(buffers) <= LARGEST


@pytest.mark.parametrize("fp8", [False, True])
def test_a_kernel_a_convolution(builds: Builds, fp8: bool) -> None:
    """Padding, normalisation, relu and the residual sum are part of them: what is left are the image's channels last,
    the pooling, the mean and the linear layer."""
    kernels = [launch.kernel.split("_")[0] for launch in builds(fp8).package.plan.launches]
    assert kernels == ["elementwise", "contraction", "reduction", *["contraction"] * 5, "rowwise", "contraction"]


def test_without_fp8(builds: Builds) -> None:
    """Operands of every product are rounded to f16, 2^-11 each and independently: sqrt(2) * 2^-11 / sqrt(3) = 4e-4 of
    the result of a layer in the mean square; over the six layers in a row, in squares: 9.8e-4."""
    assert builds(fp8=False).error <= 9.8e-4


def test_fp8(builds: Builds) -> None:
    """E4M3 keeps 3 bits: 2^-4 / sqrt(3) of each factor in the mean square, sqrt(2) * that a layer: 5.1e-2, and in
    squares over the six layers in a row 12.5e-2."""
    assert builds(fp8=True).error <= 12.5e-2
