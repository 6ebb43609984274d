# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-insert-captures`: decides which contractions become FP8, and observes the tensors that they read."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

from fovea.bindings import ir
from fovea.dialect.attention_tag import NAME as TAG
from fovea.dialect.attention_tag import tag_of
from fovea.dialect.capture import NOT_CALIBRATED
from fovea.dialect.quantize import REAL_TYPES, STORAGE_MAX
from fovea.errors import UsageError
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import WeightLike
from fovea.passes.contraction import IDENTITY, SIDES, dims_of, is_convolution, names_of, shape_of
from fovea.passes.contraction_layout import is_contraction
from fovea.passes.registry import PassContext, register

CAPTURE = "fovea.capture"
# The captured tensor is the one below reshapes: several contractions then share one, and the Q joins its producer.
_VIEWS = ("tensor.expand_shape", "tensor.collapse_shape")


@register
@dataclass(frozen=True)
class InsertCaptures:
    """Put a `fovea.capture` on each activation operand of every contraction that is to be quantised.

    Left alone are contractions of an attention site, those that `exclude` names, and those that FP8 does not suit; each
    has a record {"kind": "contraction", "id", "location", "shape", "decision": "fp8" | "kept", "reason"}. A tensor that
    several contractions read has one capture, named after the first reader. Every contraction carries its id as
    `fovea.id` from then on, until `fovea-form-kernels`. Options: `quantize_attention` quantises
    the contractions of attention sites too, and removes their tags; `exclude` is a regular expression, searched in the
    name of the op's location, the name of its weight, and its id.

    Before:

        %r = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x5xf32>) ...  // %w is a weight

    After:

        %c = "fovea.capture"(%x) {calibrated = false, id = "main.matmul_0.lhs", max_abs = 0.0 : f32} : ...
        %r = linalg.matmul {fovea.id = "main.matmul_0"} ins(%c, %w : tensor<4x8xf32>, tensor<8x5xf32>) ...
    """

    name: ClassVar[str] = "fovea-insert-captures"

    quantize_attention: bool = False
    exclude: str = ""

    def __post_init__(self) -> None:
        try:
            re.compile(self.exclude)
        except re.error as error:
            raise UsageError(f"exclude is not a regular expression: '{self.exclude}': {error}") from error

    def run(self, module: Any, context: PassContext) -> None:
        for function in utils.functions(module):
            if self.quantize_attention:
                for op in utils.body_ops(function):
                    if TAG in op.attributes:
                        del op.attributes[TAG]
            self._run_on(function, context)

    def _run_on(self, function: Any, context: PassContext) -> None:
        positions: Counter[str] = Counter()
        taken: set[str] = set()
        captures: dict[Any, Any] = {}
        is_weight = WeightLike()
        for op in utils.body_ops(function):
            contraction = is_contraction(op)
            if not contraction and not is_convolution(op):
                continue
            names = names_of(op, function, positions[op.name], is_weight)
            positions[op.name] += 1
            identity = _unique(names[0], taken)
            op.attributes[IDENTITY] = ir.StringAttr.get(identity, op.context)
            reason: str | None = "convolutions are not quantised"
            if contraction:
                reason = self._reason_to_keep(op, [*names, identity], is_weight)
            if reason is None:
                _capture_operands(op, identity, captures, is_weight)
            context.records.append({
                "kind": "contraction", "id": identity, "location": str(op.location),
                "shape": shape_of(op) if contraction else {}, "decision": "fp8" if reason is None else "kept",
                "reason": reason or "activations calibrated, weights by their values",
            })  # fmt: skip

    def _reason_to_keep(self, op: Any, names: list[str], is_weight: WeightLike) -> str | None:
        """Why a contraction is not quantised, None if it is."""
        tag = tag_of(op)
        if tag is not None:
            return f"part of attention site {tag[0]}"
        if self.exclude and any(re.search(self.exclude, name) for name in names):
            return f"excluded by --exclude {self.exclude}"
        inputs = utils.inputs_of(op)
        for operand in inputs:
            element = str(operand.type.element_type)
            if element in STORAGE_MAX:
                return f"reads {element} already"
            if element not in REAL_TYPES:
                return f"element type {element} is not float"
        if all(is_weight(operand) for operand in inputs):
            return "both operands are constant"
        dims = dims_of(op)
        if not dims.m and not dims.n:
            return "a row-wise dot product: no operand is reused"
        return None


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
    """The capture of `value`; of a reshaped tensor, the reshaped capture of the tensor itself."""
    if value in captures:
        return captures[value]
    op = utils.defining_op(value)
    if op is not None and op.name in _VIEWS:
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


