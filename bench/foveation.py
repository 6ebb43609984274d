# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Foveation search on MiniLM: for several accuracy budgets, the share of work that stays in FP8 and what it costs.

    python bench/foveation.py [--budgets 0.9985 0.999 0.9995] [--sentences 128] [--search-batches 4] [--frontier]

The sentences of examples/minilm/calibration.txt give ranges or drive the search (every second batch of 8, up to
--search-batches); heldout.txt, which neither has seen, measures. Each row is quantised by the compiler's passes and
runs on the reference executor; cosine is to the model in f32. Sensitivities are measured once for all budgets:
"seconds" is what the row added.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples" / "minilm"))
import model_files
from sentences import BATCH, read_sentences, tokenize

from fovea.calibration import calibrate
from fovea.executor import Executor
from fovea.ir_input import new_context, parse_module
from fovea.passes.registry import PassContext
from fovea.pipeline import run_pipeline
from fovea.search import Evaluator, Split, choose, parse_budget
from fovea.search.split import SEARCH_BATCHES
from fovea.search.step import free
from fovea.summary import table
from fovea.weights import WeightStore

DETECT = ("fovea-normalize{prefer-k-contiguous=true}", "fovea-detect-attention", "fovea-insert-captures")
FINISH = "fovea-set-compute-type"
COLUMNS = ("budget", "in FP8", "of FLOPs", "outside attention", "search cosine", "held-out mean", "worst",
           "evaluations", "seconds")  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budgets", nargs="+", default=["0.9985", "0.999", "0.9995"])
    parser.add_argument("--sentences", type=int, default=128, help="how many measure")
    parser.add_argument("--search-batches", type=int, default=SEARCH_BATCHES, help="of 8 sentences, for the search")
    parser.add_argument("--frontier", action="store_true", help="also print the points of each frontier")
    flags = parser.parse_args()
    console = Console(width=140)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        tokenizer = model_files.prepare(work)
        weights = WeightStore([work / model_files.WEIGHTS_FILE])
        calibration = tokenize(read_sentences(model_files.CALIBRATION), tokenizer)
        measured = tokenize(read_sentences(model_files.HERE / "heldout.txt")[: flags.sentences], tokenizer)
        _bench(flags, console, weights, calibration, measured)
    return 0


def _bench(flags: Any, console: Console, weights: WeightStore, calibration: Any, measured: Any) -> None:
    module = parse_module(model_files.IR, new_context())
    context = PassContext(weights=weights)
    original = Executor(parse_module(model_files.IR, new_context()), weights)
    references = [original.run(batch) for batch in measured]
    run_pipeline(module, f"builtin.module({','.join(DETECT)})", context)
    data = Split(calibration, flags.search_batches)
    context.statistics = calibrate(module, data, weights)

    def passes(*names: str) -> Any:
        scratch = PassContext(weights=weights, statistics=context.statistics)
        return lambda copy: run_pipeline(copy, f"builtin.module({','.join(names)})", scratch)

    start = time.perf_counter()
    evaluator = Evaluator(module, weights, data.held_out, passes("fovea-quantize-fp8"), passes(FINISH),
                          passes("fovea-fuse-attention"))  # fmt: skip
    flops = {r["id"]: r["flops"] for r in context.records if r.get("kind") == "contraction"}
    outside = {name: flops[name] for name in evaluator.contractions}
    known: dict[frozenset[str], float] = {}
    rows, frontiers = [], []
    for text in ["0", *flags.budgets]:
        budget = parse_budget(text if text != "0" else "1e-9")

        def accuracy(in_fp8: frozenset[str], remember: bool, budget: Any = budget) -> float:
            if in_fp8 not in known:
                known[in_fp8] = budget.accuracy(evaluator.references, evaluator(in_fp8, remember))
                print(f"\r{len(known)} evaluations", end="", file=sys.stderr)
            return known[in_fp8]

        before = len(known)
        chosen = choose(outside, budget, accuracy)
        seconds, start = time.perf_counter() - start, time.perf_counter()
        work = sum(outside[name] for name in chosen.in_fp8)
        mean, worst = _held_out(module, weights, context, set(outside) - chosen.in_fp8, measured, references)
        rows.append([
            text if text != "0" else "none", f"{len(chosen.in_fp8)} of {len(outside)}",
            f"{work / sum(flops.values()):.1%}", f"{work / sum(outside.values()):.1%}", f"{chosen.accuracy:.5f}",
            f"{mean:.5f}", f"{worst:.5f}", str(len(known) - before), f"{seconds:.0f}",
        ])  # fmt: skip
        print("", *rows[-1], file=sys.stderr)
        frontiers.append([[text, f"{p.work / sum(outside.values()):.1%}", f"{p.accuracy:.5f}", p.step]
                          for p in chosen.frontier])  # fmt: skip
        start = time.perf_counter()
    print(file=sys.stderr)
    title = (f"MiniLM: {BATCH * data.ranges} sentences for ranges, {BATCH * len(data.held_out)} for the search, "
             f"{BATCH * len(measured)} others measure")  # fmt: skip
    console.print(table(title, [(name, "right") for name in COLUMNS], rows))
    if flags.frontier:
        columns = [(name, "right") for name in ("budget", "of FLOPs outside attention", "search cosine", "step")]
        for points in frontiers[1:]:
            console.print(table("Frontier", columns, points))


def _held_out(module: Any, weights: Any, context: PassContext, left: Any, measured: Any, references: Any) -> Any:
    """(mean, worst) cosine of the embeddings of the compiled model to those of the model in f32."""
    copy = module.operation.clone()
    free(copy, frozenset(left))
    names = ("fovea-quantize-fp8", "fovea-fold-qdq", "fovea-fuse-attention", FINISH)
    scratch = PassContext(weights=weights, statistics=context.statistics)
    run_pipeline(copy, f"builtin.module({','.join(names)})", scratch)
    executor = Executor(copy, weights)
    outputs = np.concatenate([executor.run(batch)[0] for batch in measured]).astype(np.float64)
    wanted = np.concatenate([reference[0] for reference in references]).astype(np.float64)
    norms = np.linalg.norm(outputs, axis=1) * np.linalg.norm(wanted, axis=1)
    cosines = (outputs * wanted).sum(axis=1) / norms
    return cosines.mean(), cosines.min()


if __name__ == "__main__":
    sys.exit(main())
