# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-observe-operands`: lets calibration see the operands of contractions that are not quantised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from fovea.bindings import ir
from fovea.dialect.attention_tag import tag_of
from fovea.dialect.capture import NOT_CALIBRATED, OBSERVED
from fovea.passes import ir_utils as utils
from fovea.passes.attention.cone import between
from fovea.passes.attention.whole import WHOLE
from fovea.passes.constant_subtree import WeightLike
from fovea.passes.contraction import IDENTITY, SIDES, identity_of, is_product
from fovea.passes.fold_qdq import is_dequantised
from fovea.passes.insert_captures import CAPTURE
from fovea.passes.quantize_fp8 import captured_by
from fovea.passes.registry import PassContext, register

WIDE = ("f32", "f64")  # what `fovea-set-compute-type` casts
_ENDS = ("qk", "pv")
_NAMES = (*SIDES, "value")  # of operands; an op that is a whole attention has three


@register
@dataclass(frozen=True)
class ObserveOperands:
    """Put a `fovea.capture` behind each f32 (or f64) activation that a contraction which stays float reads.

    That are contractions and convolutions that `fovea-insert-captures` left alone, and those of attention sites (not
    their probabilities, which are at most 1). Nothing reads the capture: the IR that other passes look at stays as it
    is. Its attribute `fovea.observed` lists the ids of the contractions that read the tensor (`fovea.id`; an op without
    one gets one), for `fovea-guard-overflow`, which removes it. Of such a tensor calibration keeps the largest
    magnitude alone. Contractions whose operands are narrower already are left alone.

    Before:

        %r = linalg.batch_matmul {fovea.id = "qk"} ins(%q, %k : tensor<4x8x8xf32>, tensor<4x8x8xf32>) ...

    After:

        %0 = "fovea.capture"(%q) {fovea.observed = ["qk"], id = "qk.lhs.observed", max_abs = 0.0 : f32, ...} : ...
        %1 = "fovea.capture"(%k) {fovea.observed = ["qk"], id = "qk.rhs.observed", max_abs = 0.0 : f32, ...} : ...
        %r = linalg.batch_matmul {fovea.id = "qk"} ins(%q, %k : tensor<4x8x8xf32>, tensor<4x8x8xf32>) ...
    """

    name: ClassVar[str] = "fovea-observe-operands"

    def run(self, module: Any, context: PassContext) -> None:
        for number, function in enumerate(utils.functions(module)):
            is_weight = WeightLike()
            readers: dict[Any, tuple[str, list[str]]] = {}  # tensor -> id of its capture, ids of its readers
            probabilities = _probabilities(function)
            for position, op in enumerate(utils.body_ops(function)):
                if not stays_float(op):
                    continue
                if identity_of(op) is None:
                    op.attributes[IDENTITY] = ir.StringAttr.get(f"{op.name}.{number}.{position}", op.context)
                identity = str(identity_of(op))
                for name, value in zip(_NAMES, operands_of(op), strict=False):
                    if not is_weight(value) and value not in probabilities:
                        _, ids = readers.setdefault(value, (f"{identity}.{name}.observed", []))
                        ids.append(identity)
            for value, (capture, ids) in readers.items():
                _observe(value, capture, ids)


def stays_float(op: Any) -> bool:
    """Whether `op` is a contraction, or an end of an attention site, on f32 or f64 tensors that are not quantised."""
    if not (is_product(op) or _is_end(op)):
        return False
    operands = operands_of(op)
    if not all(str(utils.element_of(value.type)) in WIDE for value in operands):
        return False
    return not any(captured_by(value) is not None or is_dequantised(value) for value in operands)


def operands_of(op: Any) -> list[Any]:
    """The tensors that a contraction multiplies; query, key and value of an op that is a whole attention."""
    return list(op.operands)[:3] if op.name in WHOLE else utils.inputs_of(op)


def _is_end(op: Any) -> bool:
    found = tag_of(op)
    return found is not None and found[1] in _ENDS and (op.name in WHOLE or utils.is_linalg(op))


def _probabilities(function: Any) -> set[Any]:
    """What the second contractions of attention sites read of the first ones' results."""
    ends: dict[int, dict[str, Any]] = {}
    for op in utils.body_ops(function):
        if _is_end(op):
            site, role = tag_of(op) or (0, "")
            ends.setdefault(site, {})[role] = op
    found: set[Any] = set()
    for pair in ends.values():
        if "qk" in pair and "pv" in pair:
            results = {result for op in between(pair["qk"], pair["pv"]) for result in op.results}
            found |= {value for value in operands_of(pair["pv"]) if value in results}
    return found


def _observe(value: Any, identity: str, readers: list[str]) -> None:
    context = value.type.context
    f32 = ir.F32Type.get(context)
    op = utils.defining_op(value)
    with utils.insertion_after(value), op.location if op is not None else value.location:
        attributes = {
            "id": ir.StringAttr.get(identity), "max_abs": ir.FloatAttr.get(f32, NOT_CALIBRATED),
            "calibrated": ir.BoolAttr.get(False), OBSERVED: ir.ArrayAttr.get([ir.StringAttr.get(r) for r in readers]),
        }  # fmt: skip
        ir.Operation.create(CAPTURE, results=[value.type], operands=[value], attributes=attributes)
