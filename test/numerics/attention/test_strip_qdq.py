# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A model that arrives quantised: attention computes what it computed before, and no score matrix is stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from corpus_files import CORPUS, parse, random_inputs

from fovea.api import CompileOptions
from fovea.bindings import ir
from fovea.executor import run
from fovea.ir_input import new_context, parse_module
from fovea.passes.detect_attention import DetectAttention
from fovea.passes.fuse_attention import FuseAttention
from fovea.passes.registry import PassContext
from fovea.passes.strip_attention_qdq import StripAttentionQdq
from fovea.pipeline import run_pipeline

LIT = Path(__file__).resolve().parents[2] / "passes" / "strip-attention-qdq"
QUANTISED = [
    *sorted(CORPUS.glob("qdq_*attention*.mlir")), *sorted(CORPUS.glob("xf/qdq_*attention*.mlir")),
    LIT / "removed.mlir", LIT / "through.mlir", LIT / "kept.mlir", LIT / "stored.mlir",
]  # fmt: skip
MOST_BYTES = 2_097_152  # of scratch for q, k, v of 1x16x1024x128 f16: what MIGraphX needs without pairs in the way
HEADS, ROWS, DEPTH = 16, 1024, 128




@pytest.mark.parametrize("path", QUANTISED, ids=lambda path: path.stem)
def test_numbers_are_those_before_quantisation(path: Path) -> None:
    """The pairs round to 8 bits; without them each function is within that of what it was, and fuses as well."""
    module = parse(path)
    with module.context, ir.Location.unknown():
        functions = [op for op in module.body.operations if op.operation.name == "func.func"]
        given = {f.name.value: random_inputs(f, np.random.default_rng(5)) for f in functions}
        before = {name: run(module, arrays, function=name) for name, arrays in given.items()}
        context = PassContext()
        for step in (DetectAttention(), StripAttentionQdq()):
            step.run(module, context)
        assert module.operation.verify()
        stripped = {name: run(module, arrays, function=name) for name, arrays in given.items()}
        FuseAttention().run(module, context)
        assert module.operation.verify()
        assert not [r for r in context.records if r["decision"] in ("left", "not fused")], context.records
        for name, arrays in given.items():
            for old, new, fused in zip(before[name], stripped[name], run(module, arrays, function=name), strict=True):
                # 3 bits of mantissa, in four places: 2^-4 of the result each, and they do not add up in one direction.
                assert np.abs(new - old).max() <= 0.12 * np.abs(old).max(), name
                # Of f16, unfused attention rounds scores, probabilities and the result, 2^-11 each, to it.
                rounding = 3 * 2.0**-11 if new.dtype == np.float16 else 0
                assert np.abs(fused - new).max() <= (2e-6 + rounding) * np.abs(new).max(), name


def quantised_module(storage: str) -> str:
    """Attention over f16, with pairs on q, k, v and the probabilities as torch-mlir writes ONNX's Q/DQ."""
    lines: list[str] = []
    scores = f"tensor<{HEADS}x{ROWS}x{ROWS}x"
    rows = f"tensor<{HEADS}x{ROWS}x{DEPTH}x"

    def pair(source: str, name: str, shape: str, scale: float) -> None:
        low, high = (-448.0, 448.0) if storage == "f8E4M3FN" else (-128.0, 127.0)
        store = "arith.truncf %e : f16 to f8E4M3FN" if storage == "f8E4M3FN" else "arith.fptosi %e : f16 to i8"
        load = "arith.extf %x : f8E4M3FN to f16" if storage == "f8E4M3FN" else "arith.sitofp %x : i8 to f16"
        lines.append(f"""
  %{name}8 = tensor.empty() : {shape}{storage}>
  %{name}f = tensor.empty() : {shape}f16>
  %{name}q = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}}
      ins({source} : {shape}f16>) outs(%{name}8 : {shape}{storage}>) {{
  ^bb0(%x: f16, %o: {storage}):
    %s = arith.constant {scale} : f16
    %low = arith.constant {low} : f16
    %high = arith.constant {high} : f16
    %a = arith.divf %x, %s : f16
    %b = math.roundeven %a : f16
    %c = arith.maximumf %b, %low : f16
    %e = arith.minimumf %c, %high : f16
    %r = {store}
    linalg.yield %r : {storage}
  }} -> {shape}{storage}>
  %{name} = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}}
      ins(%{name}q : {shape}{storage}>) outs(%{name}f : {shape}f16>) {{
  ^bb0(%x: {storage}, %o: f16):
    %s = arith.constant {scale} : f16
    %w = {load}
    %r = arith.mulf %w, %s : f16
    linalg.yield %r : f16
  }} -> {shape}f16>""")

    for name in "qkv":
        lines.append(f"  %{name}c = tensor.collapse_shape %arg_{name} [[0, 1], [2], [3]] : "
                     f"tensor<1x{HEADS}x{ROWS}x{DEPTH}xf16> into {rows}f16>")  # fmt: skip
        pair(f"%{name}c", f"{name}d", rows, 0.03125)
    lines.append(f"""
  %zero = arith.constant 0.0 : f16
  %es = tensor.empty() : {scores}f16>
  %zs = linalg.fill ins(%zero : f16) outs(%es : {scores}f16>) -> {scores}f16>
  %s0 = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%qd, %kd : {rows}f16>, {rows}f16>)
      outs(%zs : {scores}f16>) -> {scores}f16>
  %s1 = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}}
      ins(%s0 : {scores}f16>) outs(%es : {scores}f16>) {{
  ^bb0(%x: f16, %o: f16):
    %c = arith.constant 8.837890625e-02 : f16
    %r = arith.mulf %x, %c : f16
    linalg.yield %r : f16
  }} -> {scores}f16>
  %p = linalg.softmax dimension(2) ins(%s1 : {scores}f16>) outs(%es : {scores}f16>) -> {scores}f16>""")
    pair("%p", "pd", scores, 0.0078125)
    lines.append(f"""
  %eo = tensor.empty() : {rows}f16>
  %zo = linalg.fill ins(%zero : f16) outs(%eo : {rows}f16>) -> {rows}f16>
  %o = linalg.batch_matmul ins(%pd, %vd : {scores}f16>, {rows}f16>) outs(%zo : {rows}f16>) -> {rows}f16>
  %r = tensor.expand_shape %o [[0, 1], [2], [3]] output_shape [1, {HEADS}, {ROWS}, {DEPTH}]
      : {rows}f16> into tensor<1x{HEADS}x{ROWS}x{DEPTH}xf16>""")
    whole = f"tensor<1x{HEADS}x{ROWS}x{DEPTH}xf16>"
    return f"""#id = affine_map<(b, m, n) -> (b, m, n)>
#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
func.func @main(%arg_q: {whole}, %arg_k: {whole}, %arg_v: {whole}) -> {whole} {{
{chr(10).join(lines)}
  return %r : {whole}
}}
"""


@pytest.mark.parametrize("storage", ["f8E4M3FN", "i8"])
def test_scratch_of_long_attention(storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = parse_module(quantised_module(storage).encode(), new_context())
    options = CompileOptions(fp8=False)
    before = ["fovea-normalize{prefer-k-contiguous=true}", "fovea-detect-attention"]
    after = ["fovea-fuse-attention", f"fovea-set-compute-type{{compute-type={options.compute_type}}}",
             "fovea-demote-f64", "fovea-fold-constants", "fovea-form-kernels", "fovea-plan"]  # fmt: skip
    sizes = {}
    for name, strip in (("with pairs", []), ("without", ["fovea-strip-attention-qdq"])):
        work = module.operation.clone()
        run_pipeline(work, f"builtin.module({','.join([*before, *strip, *after])})", PassContext())
        main = next(f for f in work.regions[0].blocks[0].operations if f.operation.name == "func.func"
                    and "fovea.arena_bytes" in f.operation.attributes)  # fmt: skip
        sizes[name] = ir.IntegerAttr(main.operation.attributes["fovea.arena_bytes"]).value
    with capsys.disabled():
        print(f"\nscratch of f16 attention 1x{HEADS}x{ROWS}x{DEPTH} quantised to {storage}: "
              f"{sizes['with pairs']:,} bytes with pairs, {sizes['without']:,} without")  # fmt: skip
    assert sizes["without"] <= MOST_BYTES < sizes["with pairs"]
