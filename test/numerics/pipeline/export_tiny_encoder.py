# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes tiny_encoder.mlir and tiny_encoder.safetensors: a BERT encoder in the form of examples/minilm, but small.

    python export_tiny_encoder.py

Needs what examples/minilm/export.py needs (torch, torch-mlir, transformers). The tests do not need this script: its
output is kept beside it. One layer, two heads of 32, 48 tokens: no tensor but the scores has 48 x 48 as a factor of its
size. Parameters are random with a standard deviation that keeps the variance of what a contraction reads, so that
softmax is far from uniform.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch_mlir import fx
from transformers import BertConfig, BertModel

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "examples" / "minilm"))
from export import SentenceEncoder, annotate  # noqa: E402

BATCH, TOKENS, HIDDEN = 2, 48, 64


def main() -> None:
    """Make the model, export and write."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=512, hidden_size=HIDDEN, num_hidden_layers=1, num_attention_heads=2, intermediate_size=2 * HIDDEN,
        max_position_embeddings=TOKENS, attn_implementation="eager",
    )  # fmt: skip
    model = BertModel(config, add_pooling_layer=False).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            centre = 1.0 if name.endswith("LayerNorm.weight") else 0.0
            spread = parameter.shape[1] ** -0.5 if parameter.dim() == 2 else 0.1
            parameter.copy_(centre + spread * torch.randn(parameter.shape))
    encoder = SentenceEncoder(model)
    for module in encoder.modules():
        module._non_persistent_buffers_set = set()  # the importer finds no state mapping for such buffers
    shape = (BATCH, TOKENS)
    examples = (torch.zeros(shape, dtype=torch.long), torch.ones(shape, dtype=torch.long))
    weights = {name: parameter.detach() for name, parameter in model.named_parameters()}
    program = torch.export.export(encoder, (*examples, *weights.values()))
    text = str(fx.export_and_import(program, output_type="linalg-on-tensors", func_name="main"))
    (HERE / "tiny_encoder.mlir").write_text(annotate(text, encoder.names))
    save_file(weights, HERE / "tiny_encoder.safetensors")


if __name__ == "__main__":
    main()
