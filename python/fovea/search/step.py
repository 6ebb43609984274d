# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The search as a step of the compilation: between calibration and quantisation it removes captures."""

from __future__ import annotations

import time
from typing import Any

from fovea.bindings import ir
from fovea.passes import ir_utils as utils
from fovea.passes.contraction import identity_of
from fovea.passes.insert_captures import CAPTURE
from fovea.passes.padding import VIEWS, is_zero_pad
from fovea.passes.registry import PassContext
from fovea.passes.set_compute_type import own_compute_type
from fovea.search.budget import COSINE, Budget
from fovea.search.choose import Chosen, choose
from fovea.search.evaluate import Evaluator, Pass
from fovea.search.split import Split


def search_and_apply(
    module: Any, context: PassContext, budget: Budget, data: Split, quantise: Pass, finish: Pass, fuse: Pass,
    compute_type: str, weights: Any = None,
) -> None:  # fmt: skip
    """Find which captured contractions of `module` stay in FP8, and free the others from their captures.

    data: what calibration has iterated over. quantise, finish, fuse: see `Evaluator`. weights: where `quantise` puts
    rounded ones (None: those of the context). Adds a record of kind "search"
    and completes those of the contractions. InputError if the budget cannot be kept.
    """
    start = time.perf_counter()
    records = {r["id"]: r for r in context.records if r.get("kind") == "contraction"}
    weights = context.weights if weights is None else weights
    evaluator = Evaluator(module, weights, data.held_out, quantise, finish, fuse)
    work = {name: records[name]["flops"] for name in evaluator.contractions}
    if data.shared:
        context.remark(module.operation.location, "one batch of calibration data: the accuracy budget is measured on "
                                                  "the same batch that gave the ranges; give more")  # fmt: skip
    chosen = choose(work, budget, lambda s, remember: budget.accuracy(evaluator.references, evaluator(s, remember)))
    left = [name for name in work if name not in chosen.in_fp8]
    types = _compute_types(module, compute_type)
    free(module, frozenset(left))
    for name, cost in chosen.costs.items():
        records[name]["sensitivity"] = cost
    what = "of cosine" if budget.metric == COSINE else "of noise to signal"
    for name in left:
        why = f"alone it costs {chosen.costs[name]:.1e} {what}"
        records[name].update(decision="kept", reason=f"left in {types[name]} by the accuracy budget {budget}: {why}")
    total = sum(record["flops"] for record in records.values())
    context.records.append({**_record(chosen, budget, max(1, total)), "range_batches": data.ranges,
                            "search_batches": len(data.held_out), "shared_batch": data.shared,
                            "seconds": round(time.perf_counter() - start, 3)})  # fmt: skip


def _compute_types(module: Any, default: str) -> dict[str, str]:
    """The type in which each contraction, by id, computes if it is not in FP8."""
    ops = [op for function in utils.functions(module) for op in utils.body_ops(function)]
    return {identity: own_compute_type(op) or default for op in ops if (identity := identity_of(op)) is not None}


def _record(chosen: Chosen, budget: Budget, total: int) -> dict[str, Any]:
    """What the report shows; shares are of the work of all contractions, those of attention included."""

    def entry(point: Any) -> dict[str, Any]:
        return {"share": point.work / total, "accuracy": point.accuracy, "error": budget.error(point.accuracy),
                "contractions": len(point.in_fp8), "step": point.step}  # fmt: skip

    point = next(p for p in chosen.points if p.in_fp8 == chosen.in_fp8)
    return {
        "kind": "search", "metric": budget.metric, "minimum": budget.minimum, "evaluations": len(chosen.points),
        "chosen": entry(point), "frontier": [entry(p) for p in chosen.frontier],
        "points": [entry(p) for p in chosen.points],
    }  # fmt: skip


def free(module: Any, contractions: frozenset[str]) -> None:
    """Let contractions, by id, read the tensors themselves instead of captures of them."""
    for function in utils.functions(module):
        for op in utils.body_ops(function):
            if utils.is_linalg(op) and identity_of(op) in contractions:
                for position, value in enumerate(utils.inputs_of(op)):
                    op.operands[position] = _without_capture(value)
        for op in reversed(utils.body_ops(function)):
            if (op.name == CAPTURE or op.name in VIEWS or is_zero_pad(op)) and not utils.has_uses(op.results[0]):
                op.erase()


def _without_capture(value: Any) -> Any:
    """A captured tensor itself, through reshapes; `value` if it is not captured."""
    op = utils.defining_op(value)
    if op is not None and op.name == CAPTURE:
        return op.operands[0]
    if op is None or not (op.name in VIEWS or is_zero_pad(op)):
        return value
    below = _without_capture(op.operands[0])
    if below == op.operands[0]:
        return value
    with ir.InsertionPoint.after(op):
        return utils.clone_op(op, {op.operands[0]: below}).results[0]
