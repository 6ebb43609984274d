# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The flags of `fovea compare`."""

from __future__ import annotations

from typing import Any

_ON: dict[str, Any] = {"action": "store_true"}
_MANY: dict[str, Any] = {"action": "append", "default": [], "metavar": "FILE"}
EMULATOR, REFERENCE = "emulator", "reference"

COMPARE_COMMANDS: dict[str, Any] = {
    "compare": ("say how close a package is to the model it was compiled from, or to another package", {
        "what to compare": [
            (("model",), {"metavar": "MODEL"},
             "the model, MLIR as for `fovea compile` ('-' is standard input), run in its own types on the reference "
             "executor; or a package"),
            (("package",), {"metavar": "OUT.fovea"}, "the package to compare with it"),
            (("--data",), {**_MANY, "required": True},
             "npz file of inputs (one array an input, its first axis the batches), folder of npz files, or "
             "random[:N[:SEED]] (N batches of random numbers: a warning says so); may be repeated"),
            (("--weights",), _MANY, "safetensors file behind fovea.weight arguments of MODEL; may be repeated"),
        ],
        "how": [
            (("--device",), {"choices": (EMULATOR, REFERENCE), "default": EMULATOR},
             "where the package runs: emulator (default), its kernels as they are; reference, the quantised model on "
             "the reference executor, faster, without what kernels add (types of attention, order of sums)"),
            (("--no-layers",), {"action": "store_false", "dest": "layers"},
             "compare outputs alone, not each contraction"),
            (("--fall",), {"metavar": "DB", "type": float, "default": 6.0},
             "name the first contraction whose output has an SQNR this many decibels below that of what it reads "
             "(default: 6, four times the noise)"),
            (("--min-cosine",), {"metavar": "C", "type": float},
             "exit with code 1 if an output's mean cosine is below this"),
            (("--jobs",), {"metavar": "N", "type": int}, "processes that emulate (default: one a core)"),
        ],
        "output": [
            (("--json",), {"metavar": "FILE"}, "write the comparison as JSON; '-': to standard output, without tables"),
            (("--html",), {"metavar": "FILE"}, "write it as a page with charts"),
            (("-q", "--quiet"), _ON, "no progress"),
        ],
    }),
}  # fmt: skip
"""Command -> (what it does, heading -> flags), as in `cli_arguments`."""
