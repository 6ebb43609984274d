# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The corpus: every attention is found, nothing else is, and fuse-attention keeps the numbers of each file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from corpus_files import Entry, entries, parse, random_inputs, widen

from fovea.bindings import ir
from fovea.executor import run
from fovea.passes.detect_attention import DetectAttention
from fovea.passes.fuse_attention import FuseAttention
from fovea.passes.ir_utils import run_upstream
from fovea.passes.registry import PassContext

ENTRIES = entries()
# What is done with the policy files, by what they hold (passes/README.md has the reasons): decision, is it tagged.
POLICY = {
    "qk_matmul_output": ("is also used outside it", True),
    "need_weights": ("is also used outside it", True),
    "POLICY": ("keys and values are both constants", False),
}
# What other compilers do to linalg before they look at it.
REWRITES = {
    "fused": ("linalg-generalize-named-ops", "linalg-fuse-elementwise-ops", "canonicalize", "cse"),
    "unit dims folded": ("linalg-fold-unit-extent-dims", "canonicalize"),
    "specialised": ("linalg-generalize-named-ops", "linalg-specialize-generic-ops", "canonicalize"),
}
# Computed in f64: sums in another order, a few times 2^-53 each; 1e-9 leaves room for cancellation in deep models.
WIDE = 1e-9
# Computed in the file's own types. f32: exponentials of scores near 10, rounded to 2^-24 relative, through up to four
# layers. f16, bf16: the op keeps scores and probabilities in f32 where the graph rounds them to 11 or 8 bits.
OWN = {"f32": 2e-5, "f16": 5e-3, "bf16": 2e-2}


def records_of(module: Any, fuse: bool = False, strip: bool = False) -> list[dict[str, Any]]:
    context = PassContext()
    with module.context, ir.Location.unknown():
        DetectAttention().run(module, context)
        if fuse:
            FuseAttention(strip_qdq=strip).run(module, context)
        assert module.operation.verify()
    return context.records


def tagged(records: list[dict[str, Any]]) -> int:
    return len({r["id"] for r in records if r.get("id") is not None})


def test_recall_and_precision(capsys: pytest.CaptureFixture[str]) -> None:
    right = missed = false = 0
    wrong = []
    for entry in ENTRIES:
        if entry.sites is None:
            continue
        count = tagged(records_of(parse(entry.readable())))
        right += min(count, entry.sites)
        missed += max(0, entry.sites - count)
        false += max(0, count - entry.sites)
        if count != entry.sites:
            wrong.append(f"{entry.name}: expected {entry.sites}, found {count}")
    files = {label: sum(e.label == label for e in ENTRIES) for label in ("positive", "negative", "policy")}
    with capsys.disabled():
        print(f"\ncorpus: {files['positive']} positive and {files['negative']} negative files, {right + missed} sites: "
              f"recall {right / (right + missed):.1%}, precision {right / (right + false):.1%}")  # fmt: skip
    assert files == {"positive": 164, "negative": 13, "policy": 13}
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.sites is None], ids=lambda e: e.name)
def test_policy(entry: Entry) -> None:
    reason, is_tagged = next(decision for word, decision in POLICY.items() if word in entry.note)
    (record,) = records_of(parse(entry.readable()))
    assert record["decision"] == "policy"
    assert reason in record["reason"]
    assert (record["id"] is not None) == is_tagged
    assert not (is_tagged and record["fusable"])


def types_of(arrays: list[Any]) -> str:
    return next((name for name in ("bf16", "f16") if any(str(a.dtype).replace("float", "f") == name for a in arrays)),
                "f32")  # fmt: skip


def check_numbers(module: Any, entry: Entry, largest: float | None) -> None:
    """fuse-attention finds the sites of `entry` in `module`, and leaves its numbers as they are.

    `largest`: how far numbers may be off, relative to the largest; None: what the module's types allow.
    """
    function = next(op for op in module.body.operations if op.operation.name == "func.func")
    arrays = random_inputs(function, np.random.default_rng(3))
    name = ir.StringAttr(function.operation.attributes["sym_name"]).value
    before = run(module, arrays, function=name)
    if largest is None:
        types = types_of([*arrays, *before])
        largest = OWN["f16" if "16" in entry.name and types == "f32" else types]  # f32 outside, f16 in between
    text = str(module)
    records = records_of(module, fuse=True)
    fused = [r for r in records if r["decision"] == "fused"]
    kept = [r for r in records if r["decision"] == "not fused"]
    if entry.sites is not None:
        assert len(fused) + len(kept) == entry.sites, records
    for record in kept:
        assert any(word in record["reason"] for word in ("quantise/dequantise", "extents", "outside the site")), record
    assert ("fovea.attention" in str(module)) == bool(fused or kept)
    assert fused or kept or str(module) == text
    for old, new in zip(before, run(module, arrays, function=name), strict=True):
        old, new = np.asarray(old, np.float64), np.asarray(new, np.float64)
        assert np.array_equal(np.isnan(old), np.isnan(new))  # a row without any key is 0 / 0 before and after
        assert np.array_equal(np.isinf(old), np.isinf(new))
        finite = np.isfinite(old)
        error, scale = np.abs(new[finite] - old[finite]).max(initial=0.0), np.abs(old)[finite].max(initial=0.0)
        assert error <= largest * scale, f"off by {error:.2e}, largest number {scale:.2e}"


@pytest.mark.parametrize("wide", [True, False], ids=["f64", "as-is"])
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
def test_numbers_stay(entry: Entry, wide: bool) -> None:
    module = parse(entry.readable())
    if wide:
        widen(module)
    check_numbers(module, entry, WIDE if wide else None)


@pytest.mark.parametrize("passes", REWRITES.values(), ids=REWRITES)
def test_after_rewrites_of_others(passes: tuple[str, ...]) -> None:
    """The same sites are found, and fused, in what MLIR's own passes make of the files."""
    seen = 0
    for entry in ENTRIES:
        if entry.sites is None or entry.name.startswith("xf/") or not entry.parses:
            continue
        module = parse(entry.readable())
        try:
            with module.context, ir.Location.unknown():
                run_upstream(module, *passes)
        except ir.MLIRError:
            continue  # MLIR's specialisation makes batch_matmul of rank-4 generics, which its verifier refuses
        try:
            check_numbers(module, entry, None)
        except AssertionError as error:
            raise AssertionError(f"{entry.name} after {', '.join(passes)}: {error}") from error
        seen += 1
    assert seen > 100
