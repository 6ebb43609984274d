# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A BERT encoder of the form of examples/minilm, small: decisions, plan, numbers, and a loader that is not Fovea's.

tiny_encoder.mlir has one layer of two heads over 2 x 48 tokens of 64 values; export_tiny_encoder.py made it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plan_runner import run_package

from fovea import api, runtime
from fovea.executor import Executor
from fovea.ir_input import new_context, parse_module
from fovea.package import Package, load_package
from fovea.report import make_report
from fovea.weights import WeightStore

HERE = Path(__file__).resolve().parent
BATCH, TOKENS, WORDS = 2, 48, 512
SEEDS = range(100, 104)  # of the batches that are run; others calibrate
Array = np.ndarray[Any, Any]


def tokens(seed: int) -> dict[str, Array]:
    """Random token ids; the second sentence of the batch is shorter, the rest of its row is padding."""
    random = np.random.default_rng(seed)
    mask = np.ones((BATCH, TOKENS), np.int64)
    mask[1, 20 + seed % 20 :] = 0
    return {"input_ids": random.integers(0, WORDS, (BATCH, TOKENS)), "attention_mask": mask}


@dataclass(frozen=True)
class Built:
    """One build of the model: its report, the package on disk, what that gives for SEEDS, and the reference."""

    report: dict[str, Any]
    package: Package
    outputs: Array
    reference: Array

    @property
    def cosine(self) -> float:
        """Mean over the sentences; embeddings have unit length."""
        lengths = np.linalg.norm(self.outputs, axis=1) * np.linalg.norm(self.reference, axis=1)
        return float(((self.outputs * self.reference).sum(1) / lengths).mean())


class Builds:
    """Builds by options, each made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.module = parse_module(HERE / "tiny_encoder.mlir", new_context())
        self.weights = WeightStore(HERE / "tiny_encoder.safetensors")
        executor = Executor(self.module, self.weights)
        self.reference = np.concatenate([executor.run(tokens(seed))[0] for seed in SEEDS])
        self.made: dict[api.CompileOptions, Built] = {}

    def __call__(self, **options: Any) -> Built:
        chosen = api.CompileOptions(**options)
        if chosen not in self.made:
            batches = [tokens(seed) for seed in range(8)] if chosen.fp8 else None
            model = api.compile_module(self.module, chosen, self.weights, batches)
            path = self.folder / f"{len(self.made)}.fovea"
            model.save(path)
            package = load_package(path)
            outputs = np.concatenate([runtime.run(package, tokens(seed))["embeddings"] for seed in SEEDS])
            self.made[chosen] = Built(make_report(model, "tiny_encoder.mlir"), package, outputs, self.reference)
        return self.made[chosen]


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Builds:
    """Packages of the model."""
    return Builds(tmp_path_factory.mktemp("tiny_encoder"))


def test_attention_is_spared(builds: Builds) -> None:
    report = builds().report
    assert (report["attention"]["tagged"], report["attention"]["fused"]) == (1, 1)
    decisions = report["contractions"]
    assert (decisions["fp8"], decisions["attention"], decisions["other"]) == (6, 2, 0)
    kinds = {mnemonic for kernel in report["kernels"] for mnemonic in kernel["matrix"]}
    assert kinds == {"v_mfma_f32_16x16x32_fp8_fp8", "v_mfma_f32_16x16x16_f16"}


@pytest.mark.parametrize("fp8", [True, False])
def test_no_buffer_holds_scores(builds: Builds, fp8: bool) -> None:
    # Hidden sizes and batch are powers of two and 48 = 16 * 3: only a tensor of 48 x 48 has 9 as a factor of its bytes.
    buffers = [buffer for buffer in builds(fp8=fp8).package.plan.buffers if buffer.kind == "arena"]
    assert buffers
    assert [buffer.bytes for buffer in buffers if buffer.bytes % (TOKENS * TOKENS) == 0] == []


def test_without_fp8(builds: Builds) -> None:
    """Operands of every contraction are rounded to f16: 2^-11 at most, of values around 1, in seven contractions from
    the words to the embedding, at most 128 products each: sqrt(128) * 2^-11 = 5.5e-3 in a row of 64 values of unit
    size, an eighth of that in an embedding of unit length, 0.7e-3; layers add in squares: 2e-3."""
    built = builds(fp8=False)
    assert np.abs(built.outputs - built.reference).max() <= 2e-3


def test_in_f32(builds: Builds) -> None:
    """Nothing is rounded but f32 sums, 2^-24 a step, at most 128 steps in a row, of values below 1 in the end."""
    built = builds(fp8=False, compute_type="f32")
    assert np.abs(built.outputs - built.reference).max() <= 128 * 2.0**-24


def test_with_fp8(builds: Builds) -> None:
    """E4M3 keeps 3 bits of mantissa: 2.7% (rms) off a value, 3.7% a product of two, 5.3% what passes two contractions.

    Three such pairs add errors: query and key of the scores, value and output projection, the feed-forward network.
    What they compute is added to a residual of unit variance. gelu passes 0.43 of the variance of a normal input, so
    0.43 / 1.43 = 0.3 of the sum is theirs (attention, an average, has less). Squared: 3 * 0.3 * 0.053^2 = 0.0025, of
    which 1 - cosine is half.
    """
    assert builds().cosine >= 1 - 0.0013


def test_attention_in_fp8_is_no_better(builds: Builds) -> None:
    everything = builds(quantize_attention=True)
    assert everything.report["contractions"]["fp8"] == 8
    assert everything.report["attention"]["fused"] == 0
    assert builds().cosine >= everything.cosine


def test_attention_in_fp8_needs_the_scores_in_memory(builds: Builds) -> None:
    """What sparing attention saves, and that test_no_buffer_holds_scores can fail."""
    buffers = builds(quantize_attention=True).package.plan.buffers
    assert [buffer.bytes for buffer in buffers if buffer.kind == "arena" and buffer.bytes % (TOKENS * TOKENS) == 0]


@pytest.mark.parametrize("fp8", [True, False])
def test_package_is_enough(builds: Builds, fp8: bool) -> None:
    """plan.json, the weights and the code objects run the model without Fovea's loader, to the same bits."""
    built = builds(fp8=fp8)
    outputs = run_package(built.package.path, tokens(SEEDS[0]))
    assert list(outputs) == ["embeddings"]
    np.testing.assert_array_equal(outputs["embeddings"], built.outputs[:BATCH])


def test_result_is_the_model_and_not_its_input(builds: Builds) -> None:
    """Padding does not matter, the words do."""
    package = builds(fp8=False).package
    given = tokens(SEEDS[0])
    padding = given["attention_mask"] == 0
    other_padding = {**given, "input_ids": np.where(padding, 7, given["input_ids"])}
    same = runtime.run(package, other_padding, checks=False)["embeddings"]
    np.testing.assert_array_equal(same, builds(fp8=False).outputs[:BATCH])
    other_words = {**given, "input_ids": np.where(padding, given["input_ids"], 7)}
    different = runtime.run(package, other_words, checks=False)["embeddings"]
    assert np.abs(different - same).max() > 0.05
