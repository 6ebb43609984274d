# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""MiniLM quantised by the compiler's passes and run on the reference executor: what the benches of accuracy share."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples" / "minilm"))

import model_files
from quality import closeness
from sentences import read_sentences, tokenize

from fovea.api import Clock, CompileOptions
from fovea.executor import Executor
from fovea.ir_input import new_context, parse_module
from fovea.passes.registry import PassContext
from fovea.pipeline import run_pipeline
from fovea.quantization_steps import Quantizer
from fovea.report import contraction_summary
from fovea.weights import WeightStore

MASK = {"calibration_mask": "attention_mask"}
"""Padding is left out of the statistics."""


@dataclass(frozen=True)
class Accuracy:
    """What a way to quantise gives on the sentences that measure.

    mean, worst: cosine of the embeddings to those of the model in f32. spearman: agreement of the ranks of all
    similarities. contractions: the report's part on them. search: the record of the search, {} without one.
    """

    mean: float
    worst: float
    spearman: float
    contractions: Mapping[str, Any]
    search: Mapping[str, Any]
    seconds: float


class MiniLM:
    """The model, the sentences that calibrate (examples/minilm/calibration.txt) and others that measure (heldout.txt),
    the first `measured` of them."""

    def __init__(self, measured: int | None = None) -> None:
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            tokenizer = model_files.prepare(work)
            store = WeightStore([work / model_files.WEIGHTS_FILE])
            self._weights = {name: np.array(array) for name, array in store.items()}
            self.calibration = tokenize(read_sentences(model_files.CALIBRATION), tokenizer)
            sentences = read_sentences(model_files.HERE / "heldout.txt")[:measured]
            self.held_out = tokenize(sentences, tokenizer)
        self._reference = self._embed(parse_module(model_files.IR, new_context()), self._store())

    def measure(self, settings: Mapping[str, Any]) -> Accuracy:
        """Quantise with these options of the compilation, fuse attention unless it is quantised, and run."""
        start = time.perf_counter()
        options, weights = CompileOptions(**settings), self._store()
        module = parse_module(model_files.IR, new_context()).operation.clone()
        context = PassContext(target=options.target, weights=weights)
        detect = "builtin.module(fovea-normalize{prefer-k-contiguous=true},fovea-detect-attention)"
        run_pipeline(module, detect, context)
        Quantizer(module, options, context, Clock(None), ()).run(self.calibration)
        fuse = "" if options.quantize_attention else "fovea-fuse-attention,"
        run_pipeline(module, f"builtin.module({fuse}fovea-set-compute-type,fovea-fold-constants)", context)
        found = closeness(self._embed(module, weights), self._reference)
        return Accuracy(
            float(found.cosine.mean()), float(found.cosine.min()), found.rank_agreement,
            contraction_summary(context.records), next((r for r in context.records if r.get("kind") == "search"), {}),
            time.perf_counter() - start,
        )  # fmt: skip

    def _store(self) -> WeightStore:
        """The weights, as a store that the passes may add to."""
        store = WeightStore()
        for name, array in self._weights.items():
            store.add(name, array)
        return store

    def _embed(self, module: Any, weights: WeightStore) -> np.ndarray[Any, Any]:
        executor = Executor(module, weights)
        return np.concatenate([executor.run(batch)[0] for batch in self.held_out])
