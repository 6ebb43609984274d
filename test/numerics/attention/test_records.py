# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the records of detection and fusion say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fovea.dialect
from fovea.bindings import ir
from fovea.passes.detect_attention import DetectAttention
from fovea.passes.fuse_attention import FuseAttention
from fovea.passes.registry import PassContext

TESTS = Path(__file__).resolve().parents[2] / "passes"


def records(name: str) -> list[dict[str, Any]]:
    context = ir.Context()
    fovea.dialect.register(context)
    with context, ir.Location.unknown():
        module = ir.Module.parse((TESTS / name).read_text())
        shared = PassContext()
        DetectAttention().run(module, shared)
        FuseAttention().run(module, shared)
    return shared.records


def test_a_tagged_site() -> None:
    found = records("detect-attention/bands.mlir")
    site = next(r for r in found if r["flags"].get("past"))
    assert site["decision"] == "tagged"
    assert site["flags"] == {"causal": True, "past": 2}
    assert (site["q"], site["k"], site["v"]) == ([2, 4, 8], [2, 6, 8], [2, 6, 5])
    extents = [site[key] for key in ("batch", "m", "n", "depth", "value_depth")]
    assert extents == [[2], [4], [6], [8], [5]]
    fused = [r for r in found if r["pass"] == "fuse-attention"]
    assert [r["decision"] for r in fused] == ["fused"] * 5
    assert sorted(r["id"] for r in fused) == list(range(5))


def test_a_near_miss_names_the_op_and_the_reason() -> None:
    first = records("detect-attention/negative-axis.mlir")[0]
    assert first["decision"] == "near-miss"
    assert first["op"] == "linalg.batch_matmul"
    assert "normalises over one axis" in first["reason"]
    assert "loc(" in first["location"]


def test_a_policy_case_is_not_fused_and_says_why() -> None:
    found = records("detect-attention/policy-tagged.mlir")
    assert [r["decision"] for r in found] == ["policy"] * 3 + ["not fused"] * 3
    assert all(r["reason"] for r in found)
