# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-insert-captures`: decides which contractions become FP8, and observes the tensors that they read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

from fovea.bindings import ir
from fovea.dialect.attention_tag import NAME as TAG
from fovea.dialect.capture import NOT_CALIBRATED
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import WeightLike
from fovea.passes.contraction import IDENTITY, SIDES, is_convolution, names_of
from fovea.passes.contraction_layout import is_contraction
from fovea.passes.fold_qdq import is_dequantised
from fovea.passes.padding import VIEWS, is_zero_pad
from fovea.passes.quantization_choice import Choice
from fovea.passes.quantization_selectors import Candidate
from fovea.passes.registry import PassContext, register

CAPTURE = "fovea.capture"
QUANTISED = "activations calibrated, weights by their values"
ARRIVED = "quantised in the model, with its scales"
NO_DATA = "float in the model, and there is no calibration data"


@register
@dataclass(frozen=True)
class InsertCaptures:
    """Put a `fovea.capture` on each activation operand of every contraction or convolution that is to be quantised.

    Left alone are contractions of an attention site, those that `exclude` selects, those that FP8 does not suit, and
    those that fall under a default exclusion (the policies first, last, router and tiny) unless `include` selects them;
    each has a record {"kind": "contraction", "id", "location", "shape", "flops", "decision": "fp8" | "kept", "reason"}.
    A tensor that several contractions read has one capture, named after the first reader. Every contraction carries its
    id as `fovea.id` from then on, until `fovea-form-kernels`. Options: `quantize_attention` quantises the contractions
    of attention sites too, and removes their tags; `exclude` and `include` are selectors: a regular expression searched
    in the name of the op's location, the name of its weight, and its id, or `kind:`, `at:`, `position:`, `policy:` (the
    README of `passes/` describes them). A remark names each one that selects nothing. A contraction that the model came
    with quantised (both operands are dequantised) needs no capture; `calibrated=false` says that there is no data, so
    that the others stay float.

    Before:

        %r = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x5xf32>) ...  // %w is a weight

    After:

        %c = "fovea.capture"(%x) {calibrated = false, id = "main.matmul_0.lhs", max_abs = 0.0 : f32} : ...
        %r = linalg.matmul {fovea.id = "main.matmul_0"} ins(%c, %w : tensor<4x8xf32>, tensor<8x5xf32>) ...
    """

    name: ClassVar[str] = "fovea-insert-captures"

    quantize_attention: bool = False
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    calibrated: bool = True

    def __post_init__(self) -> None:
        Choice(self.exclude, self.include)

    def run(self, module: Any, context: PassContext) -> None:
        choice = Choice(self.exclude, self.include)
        candidates: list[Candidate] = []
        weights: list[WeightLike] = []  # of each candidate's function
        taken: set[str] = set()
        for function in utils.functions(module):
            if self.quantize_attention:
                for op in utils.body_ops(function):
                    if TAG in op.attributes:
                        del op.attributes[TAG]
            is_weight = WeightLike()
            found = _candidates(function, len(candidates), taken, is_weight)
            candidates += found
            weights += [is_weight] * len(found)
        reasons = choice.decide(candidates, weights)
        unmatched = choice.unmatched(candidates)  # asked before captures change the network
        captures: dict[Any, Any] = {}
        for candidate, is_weight, reason in zip(candidates, weights, reasons, strict=True):
            op = candidate.op
            arrived = reason is None and all(is_dequantised(operand) for operand in utils.inputs_of(op))
            if reason is None and not arrived and not self.calibrated:
                reason = NO_DATA
            if reason is None and not arrived:
                _capture_operands(op, candidate.identity, captures, is_weight)
            context.records.append({
                "kind": "contraction", "id": candidate.identity, "location": candidate.location,
                "shape": candidate.shape, "flops": candidate.flops,
                "decision": "kept" if reason else "fp8", "reason": reason or (ARRIVED if arrived else QUANTISED),
            })  # fmt: skip
        for option, selector in unmatched:
            message = f"{option} {selector.text} selects no contraction"
            record = {"kind": "selector", "option": option, "selector": selector.text, "message": message}
            context.records.append(record)
            context.remark(module.operation.location, message)


def _candidates(function: Any, first: int, taken: set[str], is_weight: WeightLike) -> list[Candidate]:
    """The contractions and convolutions of a function, each with its id as an attribute from now on."""
    positions: Counter[str] = Counter()
    found: list[Candidate] = []
    for op in utils.body_ops(function):
        if is_contraction(op) or is_convolution(op):
            names = names_of(op, function, positions[op.name], is_weight)
            positions[op.name] += 1
            identity = _unique(names[0], taken)
            op.attributes[IDENTITY] = ir.StringAttr.get(identity, op.context)
            found.append(Candidate(op, identity, names, first + len(found)))
    return found


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}.{number}"
    taken.add(candidate)
    return candidate


def _capture_operands(op: Any, identity: str, captures: dict[Any, Any], is_weight: WeightLike) -> None:
    for side, value in enumerate(utils.inputs_of(op)):
        if not is_weight(value):
            op.operands[side] = _captured(value, f"{identity}.{SIDES[side]}", captures)


def _captured(value: Any, identity: str, captures: dict[Any, Any]) -> Any:
    """The capture of `value`; of a reshaped tensor, or one with zeros around it, that of the tensor itself, reshaped or
    padded: several contractions then share one, and the Q joins its producer."""
    if value in captures:
        return captures[value]
    op = utils.defining_op(value)
    if op is not None and (op.name in VIEWS or is_zero_pad(op)):
        with ir.InsertionPoint.after(op):
            view = utils.clone_op(op, {op.operands[0]: _captured(op.operands[0], identity, captures)})
        if TAG in view.attributes:
            del view.attributes[TAG]
        captures[value] = view.results[0]
        return captures[value]
    f32 = ir.F32Type.get(value.type.context)
    location = op.location if op is not None else value.location
    with utils.insertion_after(value), location:
        attributes = {
            "id": ir.StringAttr.get(identity), "max_abs": ir.FloatAttr.get(f32, NOT_CALIBRATED),
            "calibrated": ir.BoolAttr.get(False),
        }  # fmt: skip
        capture = ir.Operation.create(CAPTURE, results=[value.type], operands=[value], attributes=attributes)
    captures[value] = capture.results[0]
    return captures[value]


