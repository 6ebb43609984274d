# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""All passes in order on x.wq -> attention -> .wo: the projections become FP8, the attention between them does not."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import Array, ops_named, parse, run_passes

from fovea.calibration import calibrate
from fovea.executor import run
from fovea.passes.registry import PassContext
from fovea.weights import WeightStore

BATCH, QUERIES, DEPTH = 4, 8, 8
MODEL = """
!heads = tensor<4x8x8xf32>
!rows = tensor<32x8xf32>
!weight = tensor<8x8xf32>
func.func @main(%x: !heads, %k: !heads, %v: !heads,
                %wq: !weight {fovea.weight = "wq"}, %wo: !weight {fovea.weight = "wo"}) -> !rows {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : !heads
  %z = linalg.fill ins(%zero : f32) outs(%e : !heads) -> !heads
  %e2 = tensor.empty() : !rows
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : !rows) -> !rows
  %flat = tensor.collapse_shape %x [[0, 1], [2]] : !heads into !rows
  %pre = linalg.matmul ins(%flat, %wq : !rows, !weight) outs(%z2 : !rows) -> !rows
  %q = tensor.expand_shape %pre [[0, 1], [2]] output_shape [4, 8, 8] : !rows into !heads
  %kt = linalg.transpose ins(%k : !heads) outs(%e : !heads) permutation = [0, 2, 1]
  %qk = linalg.batch_matmul ins(%q, %kt : !heads, !heads) outs(%z : !heads) -> !heads
  %p = linalg.softmax dimension(2) ins(%qk : !heads) outs(%e : !heads) -> !heads
  %pv = linalg.batch_matmul ins(%p, %v : !heads, !heads) outs(%z : !heads) -> !heads
  %out = tensor.collapse_shape %pv [[0, 1], [2]] : !heads into !rows
  %r = linalg.matmul ins(%out, %wo : !rows, !weight) outs(%z2 : !rows) -> !rows
  return %r : !rows
}"""
REST = ("fold-qdq", "fuse-attention", "set-compute-type", "demote-f64", "fold-constants")


def compiled(quantize_attention: bool, inputs: dict[str, Array], weights: WeightStore) -> tuple[object, PassContext]:
    module = parse(MODEL)
    context = PassContext(weights=weights)
    captures = ("insert-captures", {"quantize_attention": quantize_attention})
    run_passes(module, "normalize", "detect-attention", captures, context=context)
    calibrate(module, [inputs], weights)
    run_passes(module, "quantize-fp8", *REST, context=context)
    return module, context


@pytest.mark.parametrize("quantize_attention", [False, True])
def test_attention_is_spared_or_not(quantize_attention: bool) -> None:
    generator = np.random.default_rng(3)
    inputs = {f"arg{i}": generator.standard_normal((BATCH, QUERIES, DEPTH)).astype(np.float32) for i in range(3)}
    weights = WeightStore()
    for name in ("wq", "wo"):
        weights.add(name, generator.standard_normal((DEPTH, DEPTH)).astype(np.float32))
    reference = run(parse(MODEL), inputs, weights)[0]
    module, context = compiled(quantize_attention, inputs, weights)

    contractions = [op for name in ("linalg.matmul", "linalg.batch_matmul") for op in ops_named(module, name)]
    operands = [str(op.operands[0].type.element_type) for op in contractions]
    assert operands == ["f8E4M3FNUZ"] * (4 if quantize_attention else 2)
    attention = ops_named(module, "fovea.attention")
    assert len(attention) == (0 if quantize_attention else 1)
    for op in attention:
        assert [str(op.operands[i].type.element_type) for i in range(3)] == ["f16"] * 3
    kept = [r["reason"] for r in context.records if r.get("kind") == "contraction" and r["decision"] == "kept"]
    assert kept == ([] if quantize_attention else ["part of attention site 0"] * 2)

    # Each projection's error is that of E4M3's 3 bits, at most sqrt(2) * 2^-4/sqrt(3) = 5.1e-2 of its result. The first
    # one passes through softmax, whose scores have a deviation of about DEPTH = 8 here: it may change what is attended
    # to, and the direction of the result only has to stay the same in the main.
    found = run(module, inputs, weights)[0]
    cosine = (found * reference).sum() / np.linalg.norm(found) / np.linalg.norm(reference)
    assert cosine > 0.98
