# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Detection finds every random attention and no mutation of one; fusion keeps the numbers."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from attention_graphs import MUTATIONS, Case, random_case

import fovea.dialect
from fovea.bindings import ir
from fovea.executor import run
from fovea.passes.detect_attention import DetectAttention
from fovea.passes.fuse_attention import FuseAttention
from fovea.passes.registry import PassContext

CASES = 50  # in a chunk
# Chunks of attention, and as many of mutations. `FOVEA_PROPERTY_CHUNKS=20` runs 2,000 cases.
CHUNKS = int(os.environ.get("FOVEA_PROPERTY_CHUNKS", "3"))
# Element type -> largest difference, relative to the largest result. f64: the two orders of adding up to 7 terms, a few
# times 2^-53; f32: the same with 2^-24, and exp near 1e2 where its argument is rounded.
TOLERANCE = {"f64": 1e-12, "f32": 2e-5}
DTYPES = {"f64": np.float64, "f32": np.float32, "i1": np.bool_}


def inputs_for(module: Any, rng: np.random.Generator) -> list[Any]:
    """Random inputs; biases and masks have the size of scores."""
    arrays = []
    for argument in module.body.operations[0].arguments:
        dtype = DTYPES[str(argument.type.element_type)]
        random = rng.standard_normal(list(argument.type.shape))
        arrays.append(np.asarray(random > -0.5) if dtype is np.bool_ else np.asarray(random, dtype))
    return arrays


def records_of(module: Any) -> list[dict[str, Any]]:
    context = PassContext()
    DetectAttention().run(module, context)
    return context.records


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_attention_is_found_and_fused(chunk: int) -> None:
    rng = np.random.default_rng(1000 + chunk)
    for number in range(CASES):
        element = "f64" if number % 4 else "f32"
        case = random_case(rng, element, mutate=False)
        check_fused(case, element, rng)


def check_fused(case: Case, element: str, rng: np.random.Generator) -> None:
    context = ir.Context()
    fovea.dialect.register(context)
    with context, ir.Location.unknown():
        module = ir.Module.parse(case.text)
        arrays = inputs_for(module, rng)
        (before,) = run(module, arrays)
        records = records_of(module)
        explanation = f"{case.choices}\n{records}\n{case.text}"
        late = "softmax: divided last" in case.choices
        assert [(r["decision"], r["id"]) for r in records] == [("policy" if late else "tagged", 0)], explanation
        fusing = PassContext()
        FuseAttention().run(module, fusing)
        assert module.operation.verify()
        assert [r["decision"] for r in fusing.records] == ["fused"], f"{fusing.records}\n{explanation}"
        left = {op.operation.name for op in module.body.operations[0].regions[0].blocks[0].operations}
        assert "linalg.softmax" not in left, explanation
        (after,) = run(module, arrays)
    # Without the maximum the graph's own exponentials may all underflow: 0 / 0, where the op gives a result.
    defined = np.isfinite(before)
    assert defined.all() or "softmax: no maximum" in case.choices, explanation
    assert np.isfinite(after).all(), explanation
    scale = np.abs(after).max()
    assert np.abs(after - before)[defined].max(initial=0.0) <= TOLERANCE[element] * scale, explanation


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_mutated_attention_is_not_tagged(chunk: int) -> None:
    rng = np.random.default_rng(5000 + chunk)
    drawn: dict[str, None] = {}
    for _ in range(CASES):
        case = random_case(rng, "f32", mutate=True)
        drawn[case.choices[0]] = None
        context = ir.Context()
        fovea.dialect.register(context)
        with context, ir.Location.unknown():
            module = ir.Module.parse(case.text)
            before = str(module)
            records = records_of(module)
            assert all(r["decision"] == "near-miss" for r in records), f"{case.choices}\n{records}\n{case.text}"
            assert str(module) == before, case.choices
    assert len(drawn) > len(MUTATIONS) // 2  # a chunk draws most kinds
