# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The search as a step: what it removes and records, that the budget holds for what is made, and the split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networks
import numpy as np
import pytest

from fovea import api
from fovea.bindings import ir
from fovea.calibration import calibrate
from fovea.errors import InputError, UsageError
from fovea.executor import Executor
from fovea.ir_input import new_context
from fovea.passes import round_weights
from fovea.passes.registry import PassContext
from fovea.pipeline import run_pipeline
from fovea.search import Split, parse_budget, search_and_apply

INSERT = "builtin.module(fovea-insert-captures{include=policy:all exclude=mix})"


def _searched(budget: str, batches: int = 6) -> tuple[Any, PassContext, Split, Any, list[str]]:
    """(module after the step, its context, the split, the weights, remarks)."""
    weights, data = networks.weights_and_batches(batches)
    module = ir.Module.parse(networks.network_text(), new_context())
    remarks: list[str] = []
    context = PassContext(weights=weights, remark=lambda location, message: remarks.append(message))
    run_pipeline(module, INSERT, context)
    split = Split(data)
    context.statistics = calibrate(module, split, weights)

    def passes(*names: str) -> Any:
        scratch = PassContext(weights=weights, statistics=context.statistics)
        return lambda copy: run_pipeline(copy, f"builtin.module({','.join(names)})", scratch)

    search_and_apply(
        module, context, parse_budget(budget), split, passes("fovea-quantize-fp8"), passes("fovea-set-compute-type"),
        passes(), "f16",
    )  # fmt: skip
    return module, context, split, weights, remarks


def _budget_between() -> str:
    """A budget that something but not everything keeps: halfway, as an error, between nothing and everything."""
    _, context, *_ = _searched("0.5")
    (search,) = (r for r in context.records if r["kind"] == "search")
    return f"{1 - search['chosen']['error'] / 2:.9f}"


@pytest.fixture(scope="module")
def budget() -> str:
    return _budget_between()


def test_budget_is_kept_and_explained(budget: str) -> None:
    module, context, split, weights, _ = _searched(budget)
    records = {r["id"]: r for r in context.records if r["kind"] == "contraction"}
    left = {name for name, r in records.items() if r["decision"] == "kept"} - {"mix"}
    assert left < set(networks.CONTRACTIONS) and left
    for name in networks.CONTRACTIONS:
        assert records[name]["sensitivity"] >= 0
    for name in left:
        cost = f"alone it costs {records[name]['sensitivity']:.1e} of cosine"
        assert records[name]["reason"] == f"left in f16 by the accuracy budget {budget}: {cost}"
    assert "sensitivity" not in records["mix"]

    (search,) = (r for r in context.records if r["kind"] == "search")
    assert search["chosen"]["accuracy"] >= float(budget) > search["frontier"][-1]["accuracy"]
    assert search["chosen"]["contractions"] == len(networks.CONTRACTIONS) - len(left)
    flops = {name: r["flops"] for name, r in records.items()}
    share = sum(flops[name] for name in networks.CONTRACTIONS if name not in left) / sum(flops.values())
    assert search["chosen"]["share"] == pytest.approx(share)
    assert search["evaluations"] == len(search["points"]) <= 40  # 2 + 6 + 10 + 1 + 12, and room for none
    assert (search["range_batches"], search["search_batches"], search["shared_batch"]) == (3, 3, False)

    # What the passes make of it: the same accuracy but for the order of f32 sums, far below the distance of two sets.
    original = Executor(ir.Module.parse(networks.network_text(), new_context()), weights)
    references = [original.run(batch) for batch in split.held_out]
    scratch = PassContext(weights=weights, statistics=context.statistics)
    passes = "fovea-quantize-fp8,fovea-fold-qdq,fovea-set-compute-type"
    run_pipeline(module, f"builtin.module({passes})", scratch)
    executor = Executor(module, weights)
    accuracy = parse_budget(budget).accuracy(references, [executor.run(batch) for batch in split.held_out])
    assert accuracy == pytest.approx(search["chosen"]["accuracy"], abs=0.1 * (1 - float(budget)))


def test_the_same_every_time(budget: str) -> None:
    found = []
    for _ in range(2):
        _, context, *_ = _searched(budget)
        found.append([{k: v for k, v in r.items() if k != "seconds"} for r in context.records])
    assert found[0] == found[1]


def test_captures_of_what_is_left_out_are_gone(budget: str) -> None:
    module, context, *_ = _searched(budget)
    left = {r["id"] for r in context.records if r["kind"] == "contraction" and r["decision"] == "kept"}
    text = str(module)
    for name in networks.CONTRACTIONS:
        readers = {"a", "b"} if name in ("a", "b") else {name}  # these two share a tensor, named after the first
        assert (f'id = "{min(readers)}.lhs"' in text) == bool(readers - left)


def test_one_batch_serves_for_both() -> None:
    _, context, split, _, remarks = _searched("0.5", batches=1)
    assert split.shared and len(split.held_out) == split.ranges == 1
    assert any("the accuracy budget is measured on the same batch" in remark for remark in remarks)
    assert [r["shared_batch"] for r in context.records if r["kind"] == "search"] == [True]


@pytest.mark.parametrize(("count", "ranges", "held_out"), [(2, [0], [1]), (5, [0, 2, 4], [1, 3]),
                                                          (12, [0, 2, 4, 6, 8, 9, 10, 11], [1, 3, 5, 7])])  # fmt: skip
def test_split(count: int, ranges: list[int], held_out: list[int]) -> None:
    split = Split({"x": np.array(i)} for i in range(count))
    assert [int(batch["x"]) for batch in split] == ranges
    assert [int(batch["x"]) for batch in split.held_out] == held_out
    assert split.ranges == len(ranges) and not split.shared


def test_ranges_from_elsewhere_leave_all_batches_to_the_search() -> None:
    split = Split({"x": np.array(i)} for i in range(6))
    split.hold_all()
    assert [int(batch["x"]) for batch in split.held_out] == [0, 1, 2, 3] and split.ranges == 0


def test_budget_out_of_reach() -> None:
    with pytest.raises(InputError, match="the accuracy budget sqnr:200 cannot be kept: with nothing in FP8 the sqnr"):
        _searched("sqnr:200")


def test_options() -> None:
    with pytest.raises(UsageError, match="expected COSINE"):
        api.CompileOptions(accuracy_budget="2")
    with pytest.raises(UsageError, match="--accuracy-budget says how much FP8 may cost"):
        api.CompileOptions(fp8=False, accuracy_budget="0.99")


def test_budget_without_data(tmp_path: Path) -> None:
    """Ranges from a file are enough to compile, but give nothing to measure on; with data, all of it measures."""
    weights, batches = networks.weights_and_batches(3)
    module = ir.Module.parse(networks.network_text(), new_context())
    file = str(tmp_path / "ranges.json")
    api.lower_module(module, api.CompileOptions(include=("policy:all",), save_ranges=file), weights, batches)
    options = api.CompileOptions(include=("policy:all",), ranges=file, accuracy_budget="0.5")
    with pytest.raises(InputError, match="calibration data is needed too"):
        api.lower_module(module, options, weights)
    _, context, _ = api.lower_module(module, options, weights, batches)
    (search,) = (r for r in context.records if r.get("kind") == "search")
    assert (search["range_batches"], search["search_batches"]) == (0, 3)


def test_in_a_compilation(budget: str) -> None:
    weights, batches = networks.weights_and_batches(4)
    module = ir.Module.parse(networks.network_text(), new_context())
    options = api.CompileOptions(include=("policy:all",), exclude="mix", accuracy_budget=budget)
    _, context, _ = api.lower_module(module, options, weights, batches)
    (search,) = (r for r in context.records if r.get("kind") == "search")
    kept = [r for r in context.records if r.get("kind") == "contraction" and r["decision"] == "fp8"]
    assert len(kept) == search["chosen"]["contractions"] < len(networks.CONTRACTIONS)


def test_weights_are_rounded_once_for_the_search_and_the_result(budget: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the moments of the batches that gave the ranges; those that measure are others."""
    rounded: list[tuple[int, ...]] = []
    original = round_weights.round_second_order

    def counting(weight: Any, *arguments: Any) -> Any:
        rounded.append(weight.shape)
        return original(weight, *arguments)

    monkeypatch.setattr(round_weights, "round_second_order", counting)
    weights, batches = networks.weights_and_batches(4)
    module = ir.Module.parse(networks.network_text(), new_context())
    options = api.CompileOptions(
        include=("policy:all",), exclude="mix", accuracy_budget=budget, weight_rounding="gptq", bias_correction=True
    )
    _, context, _ = api.lower_module(module, options, weights, batches)
    assert len(rounded) == len(networks.WEIGHTS)
    (search,) = (r for r in context.records if r.get("kind") == "search")
    assert 0 < search["chosen"]["contractions"] < len(networks.CONTRACTIONS)
    assert (search["range_batches"], search["search_batches"]) == (2, 2)
    final = {r["id"] for r in context.records if r.get("kind") == "weight-rounding" and r["decision"] == "gptq"}
    in_fp8 = {r["id"] for r in context.records if r.get("kind") == "contraction" and r["decision"] == "fp8"}
    assert final == in_fp8 - {"pair"}
    assert all(moments.rows == 2 * networks.ROWS for moments in context.moments.values())
    assert not any("f8" in name and name.endswith(".2") for name in context.weights), list(context.weights)
