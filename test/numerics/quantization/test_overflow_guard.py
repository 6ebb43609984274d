# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operands beyond f16's range outside FP8: attention whose queries reach 1e5, and a linear left out of FP8."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_models import Array, parse

from fovea import api, runtime
from fovea.executor import run
from fovea.package import load_package
from fovea.report import make_report
from fovea.weights import WeightStore

BATCH, TOKENS, DEPTH = 2, 16, 32
LARGE = 1e5  # f16 ends at 65504
HALF = 2.0**-9  # relative error of rounding to bf16
MODEL = f"""
!heads = tensor<{BATCH}x{TOKENS}x{DEPTH}xf32>
!scores = tensor<{BATCH}x{TOKENS}x{TOKENS}xf32>
!rows = tensor<{BATCH * TOKENS}x{DEPTH}xf32>
!weight = tensor<{DEPTH}x{DEPTH}xf32>
#qk = affine_map<(b, m, n, k) -> (b, m, k)>
#kn = affine_map<(b, m, n, k) -> (b, n, k)>
#mn = affine_map<(b, m, n, k) -> (b, m, n)>
func.func @main(%q: !heads {{fovea.name = "q"}}, %k: !heads {{fovea.name = "k"}}, %v: !heads {{fovea.name = "v"}},
                %wide: !weight {{fovea.weight = "wide"}}, %out: !weight {{fovea.weight = "out"}})
    -> (!heads, !rows, !rows) {{
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : !heads
  %z = linalg.fill ins(%zero : f32) outs(%e : !heads) -> !heads
  %es = tensor.empty() : !scores
  %zs = linalg.fill ins(%zero : f32) outs(%es : !scores) -> !scores
  %er = tensor.empty() : !rows
  %zr = linalg.fill ins(%zero : f32) outs(%er : !rows) -> !rows
  %s = linalg.batch_matmul indexing_maps = [#qk, #kn, #mn] ins(%q, %k : !heads, !heads) outs(%zs : !scores) -> !scores
  %p = linalg.softmax dimension(2) ins(%s : !scores) outs(%es : !scores) -> !scores
  %pv = linalg.batch_matmul ins(%p, %v : !scores, !heads) outs(%z : !heads) -> !heads
  %flat = tensor.collapse_shape %q [[0, 1], [2]] : !heads into !rows
  %a = linalg.matmul ins(%flat, %wide : !rows, !weight) outs(%zr : !rows) -> !rows
  %values = tensor.collapse_shape %v [[0, 1], [2]] : !heads into !rows
  %b = linalg.matmul ins(%values, %out : !rows, !weight) outs(%zr : !rows) -> !rows
  return %pv, %a, %b : !heads, !rows, !rows
}}"""
SHAPE = (BATCH, TOKENS, DEPTH)


def inputs(seed: int, scale: float) -> dict[str, Array]:
    """Queries up to `scale`; keys so small that scores have a deviation of about 1."""
    random = np.random.default_rng(seed)
    query = (scale * random.uniform(-1, 1, SHAPE)).astype(np.float32)
    query[0, 0, 0] = scale
    key = (0.3 / scale * random.standard_normal(SHAPE)).astype(np.float32)
    return {"q": query, "k": key, "v": random.standard_normal(SHAPE).astype(np.float32)}


def weights() -> WeightStore:
    random = np.random.default_rng(1)
    store = WeightStore()
    for name in ("wide", "out"):
        store.add(name, random.standard_normal((DEPTH, DEPTH)).astype(np.float32))
    return store


class Built:
    """The model compiled, by default with the linear `wide` out of FP8, and run on the emulator."""

    def __init__(
        self, folder: Path, data: dict[str, Array] | None, exclude: tuple[str, ...] = ("wide",), **options: Any
    ) -> None:
        chosen = api.CompileOptions(exclude=exclude, include=("policy:all",), **options)
        self.remarks: list[str] = []
        model = api.compile_module(parse(MODEL), chosen, weights(), [data] if data else None,
                                   remark=lambda location, message: self.remarks.append(message))  # fmt: skip
        self.report = make_report(model, "model.mlir")
        model.save(folder / "model.fovea")
        self.package = load_package(folder / "model.fovea")

    def __call__(self, data: dict[str, Array]) -> list[Array]:
        with np.errstate(all="ignore"):
            return list(runtime.run(self.package, data).values())

    @property
    def switched(self) -> list[str]:
        return [record["id"] for record in self.report["compute_types"]]

    @property
    def mnemonics(self) -> set[str]:
        return {name for kernel in self.report["kernels"] for name in kernel["matrix"]}


def bounds(data: dict[str, Array]) -> tuple[float, Array]:
    """Largest errors of attention and of `wide` with operands in bf16.

    A product of two rounded factors is off by 2^-8 of it, so a score by d = 2^-8 |q|.|k|, a probability by a factor of
    exp(2 d) at most (its own score and the sum). Probabilities and values are rounded as well: another 2^-8. 1% for
    products of errors and for f32.
    """
    scores = np.einsum("bmk,bnk->bmn", np.abs(data["q"]), np.abs(data["k"])).max()
    attention = 1.01 * (np.expm1(2 * 2 * HALF * scores) + 2 * HALF) * np.abs(data["v"]).max()
    rows = np.abs(data["q"]).reshape(-1, DEPTH)
    return attention, 1.01 * 2 * HALF * (rows @ np.abs(weights()["wide"]))


def check_close(found: list[Array], data: dict[str, Array]) -> None:
    reference = run(parse(MODEL), data, weights())
    attention, wide = bounds(data)
    assert np.isfinite(found[0]).all() and np.isfinite(found[1]).all()
    assert np.abs(found[0] - reference[0]).max() <= attention
    assert (np.abs(found[1] - reference[1]) <= wide).all()


def test_large_operands_compute_in_bf16(tmp_path: Path) -> None:
    """With a method that clips half of all values: it is for FP8, the guard goes by the maximum."""
    built = Built(tmp_path, inputs(2, LARGE), calibration_method="percentile:50")
    assert sorted(built.switched) == ["main.batch_matmul_0", "wide"]
    assert all(r["chosen"] == "bf16" and r["max_abs"] == LARGE for r in built.report["compute_types"])
    assert sum("computes in bf16" in remark for remark in built.remarks) == 2
    assert "v_mfma_f32_16x16x32_fp8_fp8" in built.mnemonics
    assert not any(name.endswith("_f16") for name in built.mnemonics)
    assert not any(id_.endswith(".observed") for id_ in built.report["ranges"])
    check_close(built(inputs(3, LARGE)), inputs(3, LARGE))


def test_what_an_accuracy_budget_frees(tmp_path: Path) -> None:
    """A budget that FP8 breaks (3 bits of mantissa cost 1e-3 of cosine) and bf16 keeps (1e-5): both linears leave it,
    and only the one that reads large values may not be in f16."""
    data = inputs(2, LARGE)
    built = Built(tmp_path, data, exclude=(), accuracy_budget="0.9999")
    assert sorted(built.switched) == ["main.batch_matmul_0", "wide"]
    reasons = {d["id"]: d["reason"] for d in built.report["contractions"]["decisions"]}
    assert reasons["wide"].startswith("left in bf16 by the accuracy budget")
    assert reasons["out"].startswith("left in f16 by the accuracy budget")
    assert not any("fp8" in name for name in built.mnemonics)
    check_close(built(data), data)


def test_ranges_from_a_file(tmp_path: Path) -> None:
    """A file of ranges guards as data does; one without the observed tensors does not, says so, and f16 overflows."""
    path = tmp_path / "ranges.json"
    data = inputs(2, LARGE)
    Built(tmp_path, data, save_ranges=str(path))
    built = Built(tmp_path, None, ranges=str(path))
    assert sorted(built.switched) == ["main.batch_matmul_0", "wide"]
    check_close(built(data), data)

    document = json.loads(path.read_text())
    observed = [id_ for id_ in document["captures"] if id_.endswith(".observed")]
    assert len(observed) == 4  # q, k, v, and q as rows
    for id_ in observed:
        del document["captures"][id_]
    path.write_text(json.dumps(document))
    unguarded = Built(tmp_path, None, ranges=str(path))
    assert unguarded.switched == []
    assert sum("ranges lack 4 of the tensors" in remark for remark in unguarded.remarks) == 1
    attention, wide, _ = unguarded(data)
    assert not np.isfinite(attention).all() and not np.isfinite(wide).all()


@pytest.mark.parametrize("options", [{}, {"compute_type": "bf16"}, {"compute_type": "f32"}])
def test_others_are_left_alone(tmp_path: Path, options: dict[str, str]) -> None:
    """Operands that f16 holds, and compute types that hold everything."""
    built = Built(tmp_path, inputs(2, LARGE if options else 1.0), **options)
    assert built.switched == [] and not any("bf16" in remark for remark in built.remarks)
    unquantised = {name for name in built.mnemonics if "fp8" not in name}
    if options.get("compute_type", "f16") == "f16":
        assert unquantised and all(name.endswith("_f16") for name in unquantised)
    else:
        assert not any(name.endswith("_f16") for name in unquantised)
