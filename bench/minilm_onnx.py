# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""all-MiniLM-L6-v2 as an ONNX model, built op by op from the weights that the demo uses.

    from minilm_onnx import build
    onnx.save(build(weights, batch=8, tokens=128), "minilm.onnx")

The same computation as examples/minilm/minilm.mlir: BERT's encoder (Devlin et al., 2018; post-norm, GELU by erf), the
mean over the tokens that the mask keeps, unit length. Needs `onnx` (bench/calibration-requirements.txt).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = np.ndarray[Any, Any]
LAYERS, HEADS, HIDDEN, EPSILON = 6, 12, 384, 1e-12
OPSET = 20  # has Gelu and LayerNormalization


class _Graph:
    """Nodes and initializers as they are added; each method returns the name of what it makes."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, name: str, value: Any) -> str:
        self.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def weight(self, name: str, transposed: bool = False) -> str:
        return self.constant(name, self.weights[name].T if transposed else self.weights[name])

    def linear(self, x: str, prefix: str) -> str:
        product = self.op("MatMul", x, self.weight(f"{prefix}.weight", transposed=True))
        return self.op("Add", product, self.weight(f"{prefix}.bias"))

    def norm(self, x: str, prefix: str) -> str:
        scale, bias = self.weight(f"{prefix}.weight"), self.weight(f"{prefix}.bias")
        return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=EPSILON)


def _layer(g: _Graph, x: str, mask: str, prefix: str) -> str:
    """One encoder layer of x (batch, tokens, hidden); `mask` is added to the scores."""
    heads, merged = "heads_shape", "merged_shape"

    def part(name: str, order: list[int]) -> str:
        projected = g.linear(x, f"{prefix}.attention.self.{name}")
        return g.op("Transpose", g.op("Reshape", projected, heads), perm=order)

    query, key, value = part("query", [0, 2, 1, 3]), part("key", [0, 2, 3, 1]), part("value", [0, 2, 1, 3])
    scores = g.op("Add", g.op("Mul", g.op("MatMul", query, key), "score_scale"), mask)
    context = g.op("MatMul", g.op("Softmax", scores, axis=-1), value)
    context = g.op("Reshape", g.op("Transpose", context, perm=[0, 2, 1, 3]), merged)
    attended = g.op("Add", g.linear(context, f"{prefix}.attention.output.dense"), x)
    x = g.norm(attended, f"{prefix}.attention.output.LayerNorm")
    inner = g.op("Gelu", g.linear(x, f"{prefix}.intermediate.dense"))
    return g.norm(g.op("Add", g.linear(inner, f"{prefix}.output.dense"), x), f"{prefix}.output.LayerNorm")


def build(weights: Mapping[str, Array], batch: int, tokens: int) -> Any:
    """The model, checked: `input_ids`, `attention_mask` (batch, tokens) i64 -> `embeddings` (batch, 384) f32.

    weights: tensors by the names that the encoder's parameters have in the trained model's safetensors file.
    """
    g = _Graph(weights)
    g.constant("heads_shape", np.array([batch, tokens, HEADS, HIDDEN // HEADS], np.int64))
    g.constant("merged_shape", np.array([batch, tokens, HIDDEN], np.int64))
    g.constant("score_scale", np.float32((HIDDEN // HEADS) ** -0.5))
    positions = weights["embeddings.position_embeddings.weight"][:tokens]
    fixed = positions + weights["embeddings.token_type_embeddings.weight"][0]
    x = g.op("Gather", g.weight("embeddings.word_embeddings.weight"), "input_ids", axis=0)
    x = g.norm(g.op("Add", x, g.constant("fixed_embeddings", fixed)), "embeddings.LayerNorm")
    real = g.op("Cast", "attention_mask", to=TensorProto.FLOAT)
    hidden = g.op("Sub", g.constant("one", np.float32(1)), real)
    lowest = g.constant("lowest", np.float32(np.finfo(np.float32).min))
    mask = g.op("Unsqueeze", g.op("Mul", hidden, lowest), g.constant("head_axes", np.array([1, 2], np.int64)))
    for layer in range(LAYERS):
        x = _layer(g, x, mask, f"encoder.layer.{layer}")
    last, middle = g.constant("last_axis", np.array([2], np.int64)), g.constant("token_axis", np.array([1], np.int64))
    kept = g.op("Unsqueeze", real, last)
    total = g.op("ReduceSum", g.op("Mul", x, kept), middle, keepdims=0)
    count = g.op("Max", g.op("ReduceSum", kept, middle, keepdims=0), g.constant("least_count", np.float32(1e-9)))
    pooled = g.op("Div", total, count)
    length = g.op("Max", g.op("ReduceL2", pooled, middle, keepdims=1), g.constant("least_length", np.float32(1e-12)))
    g.nodes.append(helper.make_node("Div", [pooled, length], ["embeddings"], name="embeddings"))
    shape = [batch, tokens]
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, shape) for n in ("input_ids", "attention_mask")]
    output = helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, [batch, HIDDEN])
    graph = helper.make_graph(g.nodes, "minilm", inputs, [output], list(g.initializers.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    return model
