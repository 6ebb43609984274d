# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-guard-overflow`: contractions whose operands f16 may not hold are marked to compute in bf16."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from fovea.bindings import ir
from fovea.calibration.statistics import largest_finite
from fovea.dialect.capture import OBSERVED
from fovea.executor.folding import ConstantEvaluator
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import WeightLike, weight_names
from fovea.passes.contraction import identity_of
from fovea.passes.insert_captures import CAPTURE
from fovea.passes.observe_operands import WIDE, operands_of, stays_float
from fovea.passes.quantize_fp8 import captured_by
from fovea.passes.registry import PassContext, register
from fovea.passes.set_compute_type import mark

F16_MAX = 65504.0
HEADROOM = 4.0
"""Two powers of two for data that calibration has not seen: an activation up to F16_MAX / HEADROOM stays in f16."""


@register
@dataclass(frozen=True)
class GuardOverflow:
    """Mark contractions that would overflow in f16, by what calibration saw of their operands, and remove what saw it.

    An activation overflows if 4 times its largest magnitude (two bits of headroom, for data that calibration has not
    seen) is more than 65504; a weight if a value is. `fovea-set-compute-type` reads the mark, and reports it.
    Contractions with quantisation captures are marked by these, in case they do not become FP8 (by the accuracy budget,
    or because their scales cannot be moved behind them). Captures of `fovea-observe-operands` are gone afterwards; a
    remark says how many had no range, as with a file of ranges that was saved without them. What is infinite in f32
    already is not judged.

    Before:

        %0 = "fovea.capture"(%q) {calibrated = true, fovea.observed = ["qk"], max_abs = 1.0e+05 : f32, ...} : ...
        %r = linalg.batch_matmul {fovea.id = "qk"} ins(%q, %k : tensor<4x8x8xf32>, tensor<4x8x8xf32>) ...

    After:

        %r = linalg.batch_matmul {fovea.compute_type = {max_abs = 1.0e+05 : f64, reason = "...", type = "bf16"},
                                  fovea.id = "qk"} ins(%q, %k : tensor<4x8x8xf32>, tensor<4x8x8xf32>) ...
    """

    name: ClassVar[str] = "fovea-guard-overflow"

    def run(self, module: Any, context: PassContext) -> None:
        unknown = 0
        for function in utils.functions(module):
            observed: dict[str, tuple[float, str]] = {}  # contraction -> largest magnitude, of which capture
            for op in utils.body_ops(function):
                if op.name == CAPTURE and OBSERVED in op.attributes:
                    unknown += not _is_calibrated(op)
                    seen = (_max_abs(op), ir.StringAttr(op.attributes["id"]).value.removesuffix(".observed"))
                    for reader in ir.ArrayAttr(op.attributes[OBSERVED]):
                        identity = ir.StringAttr(reader).value
                        observed[identity] = max(seen, observed.get(identity, seen))
                    op.results[0].replace_all_uses_with(op.operands[0])
                    op.erase()
            _Guard(observed, context).mark_all(function)
        if unknown:
            context.remark(
                module.operation.location,
                f"the ranges lack {unknown} of the tensors that contractions outside FP8 read: whether "
                "f16 holds these is not known; save the ranges again, or compile with --compute-type bf16",
            )  # fmt: skip


class _Guard:
    def __init__(self, observed: dict[str, tuple[float, str]], context: PassContext) -> None:
        self.observed, self.context = observed, context
        self.is_weight = WeightLike()
        self.evaluator = ConstantEvaluator(context.weights)

    def mark_all(self, function: Any) -> None:
        for op in utils.body_ops(function):
            captured = _captures_of(op)
            if not captured and not stays_float(op):
                continue
            largest, label = self.observed.get(identity_of(op) or "", (0.0, ""))
            for capture in captured:
                identity = ir.StringAttr(capture.attributes["id"]).value
                seen = self.context.statistics.get(identity)
                largest, label = max((largest, label), (seen.max_abs if seen else _max_abs(capture), identity))
            if largest * HEADROOM > F16_MAX:
                mark(op, "bf16", largest, f"{label} reaches {largest:.4g} in calibration; {HEADROOM:.0f} times that is "
                                          f"beyond f16's {F16_MAX:.0f}")  # fmt: skip
                continue
            largest, label = max(map(self._weight, operands_of(op)))
            if largest > F16_MAX:
                mark(op, "bf16", largest, f"{label} reaches {largest:.4g}, beyond f16's {F16_MAX:.0f}")

    def _weight(self, value: Any) -> tuple[float, str]:
        """The largest finite magnitude of a constant operand, and its name; 0 if the values are not known."""
        if not self.is_weight(value) or not self.evaluator.is_constant(value):
            return 0.0, ""
        (array,) = self.evaluator.evaluate([value])
        label = ", ".join(f"weight '{name}'" for name in weight_names(value)) or "a constant"
        return largest_finite(array), label


def _captures_of(op: Any) -> list[Any]:
    """The quantisation captures that a contraction on f32 or f64 reads."""
    if not utils.is_linalg(op) or identity_of(op) is None:
        return []
    operands = operands_of(op)
    if not all(str(utils.element_of(value.type)) in WIDE for value in operands):
        return []
    return [capture for value in operands if (capture := captured_by(value)) is not None]


def _max_abs(capture: Any) -> float:
    return float(ir.FloatAttr(capture.attributes["max_abs"]).value)


def _is_calibrated(capture: Any) -> bool:
    return bool(ir.BoolAttr(capture.attributes["calibrated"]).value)
