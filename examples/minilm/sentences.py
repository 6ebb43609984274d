# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sentences to model inputs: token ids and mask, in batches of the shape that minilm.mlir was exported with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from fovea.errors import InputError

BATCH, TOKENS = 8, 128  # shape of the inputs of minilm.mlir
PADDING = "[PAD]"

Batch = dict[str, np.ndarray[Any, Any]]


def read_sentences(path: Path) -> list[str]:
    """The sentences of a text file, one a line; empty lines and lines that start with '#' are left out."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    sentences = [line for line in lines if line and not line.startswith("#")]
    if not sentences or len(sentences) % BATCH:
        raise InputError(f"{path}: expected a multiple of {BATCH} sentences (full batches), found {len(sentences)}")
    return sentences


def tokenize(sentences: Sequence[str], tokenizer_file: Path) -> list[Batch]:
    """Batches of `input_ids` and `attention_mask`, each i64 of shape (BATCH, TOKENS).

    The tokenizer adds [CLS] and [SEP], cuts at TOKENS and pads on the right up to it; the mask is 0 on padding.
    """
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.enable_truncation(TOKENS)
    tokenizer.enable_padding(length=TOKENS, pad_token=PADDING, pad_id=tokenizer.token_to_id(PADDING))
    encodings = tokenizer.encode_batch(list(sentences))
    ids = np.array([encoding.ids for encoding in encodings], np.int64)
    mask = np.array([encoding.attention_mask for encoding in encodings], np.int64)
    return [
        {"input_ids": ids[first : first + BATCH], "attention_mask": mask[first : first + BATCH]}
        for first in range(0, len(ids), BATCH)
    ]
