# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Foveation search on MiniLM: for several accuracy budgets, the share of work that stays in FP8 and what it costs.

    python bench/foveation.py [--budgets 0.9985 0.999 0.9995] [--rounding nearest gptq] [--sentences 128] [--frontier]

Half of the sentences of examples/minilm/calibration.txt give ranges (and, without padding, the moments of GPTQ), the
other half drives the search; heldout.txt, which neither has seen, measures. Each row is quantised as a compilation
does it, and runs on the reference executor; cosine is to the model in f32.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent))

from minilm_accuracy import MASK, Accuracy, MiniLM

from fovea.summary import table

ROUNDING: dict[str, dict[str, Any]] = {"nearest": {}, "gptq": {"weight_rounding": "gptq", **MASK}}
COLUMNS = ("rounding", "budget", "in FP8", "of FLOPs", "outside attention", "search cosine", "held-out mean", "worst",
           "Spearman", "evaluations", "seconds")  # fmt: skip


def main() -> int:
    """Run the searches and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budgets", nargs="+", default=["0.9985", "0.999", "0.9995"])
    parser.add_argument("--rounding", nargs="+", choices=ROUNDING, default=[*ROUNDING])
    parser.add_argument("--sentences", type=int, default=128, help="how many measure")
    parser.add_argument("--frontier", action="store_true", help="also print the points of each frontier")
    flags = parser.parse_args()
    console = Console(width=140)
    model = MiniLM(flags.sentences)
    rows, frontiers = [], []
    for rounding in flags.rounding:
        for budget in flags.budgets:
            found = model.measure({**ROUNDING[rounding], "accuracy_budget": budget})
            rows.append([rounding, budget, *_row(found)])
            print(*rows[-1], file=sys.stderr, flush=True)
            frontiers += [[rounding, budget, f"{p['share']:.1%}", f"{p['accuracy']:.5f}", p["step"]]
                          for p in found.search["frontier"]]  # fmt: skip
    title = f"MiniLM on {flags.sentences} sentences that neither calibration nor search has seen (reference executor)"
    console.print(table(title, [(name, "right") for name in COLUMNS], rows))
    if flags.frontier:
        columns = [(name, "right") for name in ("rounding", "budget", "of FLOPs", "search cosine", "step")]
        console.print(table("Frontiers", columns, frontiers))
    return 0


def _row(found: Accuracy) -> list[str]:
    contractions, search = found.contractions, found.search
    fp8, kept = contractions["fp8"], contractions["other"]
    shares = [f"{contractions[share]:.1%}" for share in ("fp8_share", "fp8_share_outside_attention")]
    return [
        f"{fp8} of {fp8 + kept}", *shares,
        f"{search['chosen']['accuracy']:.5f}", f"{found.mean:.5f}", f"{found.worst:.5f}", f"{found.spearman:.5f}",
        str(search["evaluations"]), f"{found.seconds:.0f}",
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
