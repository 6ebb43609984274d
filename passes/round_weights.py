# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-round-weights`: quantised weights are rounded so that the error of the contraction's output is least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fovea.dialect.quantize import STORAGE_MAX
from fovea.errors import CompileError, UsageError
from fovea.executor.folding import evaluate
from fovea.executor.types import dtype_of
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import leaves_of
from fovea.passes.constant_values import drop_unused_weights, replace_by_value
from fovea.passes.contraction import identity_of
from fovea.passes.correct_bias import add_correction
from fovea.passes.registry import PassContext, register
from fovea.passes.second_order import DAMPING, output_error, round_second_order
from fovea.passes.weight_roles import QuantisedWeight, element_name, quantised_weights

Array = np.ndarray[Any, Any]


@register
@dataclass(frozen=True)
class RoundWeights:
    """Round the weights of quantised contractions by GPTQ (`fovea.passes.second_order`), from their inputs' moments.

    The moments come from calibration (`PassContext.moments`, by contraction id); scales stay. Each weight becomes a
    tensor of stored values, as `fovea-fold-constants` would make of it with rounding to nearest. Left to nearest, with
    the reason in the record: contractions with batch dims, weights with one scale a block, and those that calibration
    did not see. With `correct_bias`, what the rounding adds to a result on average is taken off again, as
    `fovea-correct-bias` does. A weight that several contractions read is rounded for the sum of their moments. Records:
    {"kind": "weight-rounding", "id", "location", "decision": "gptq" | "nearest", "reason", "error": output error over
    that of rounding to nearest}. Option: `damping`, added to the second moment's diagonal as a share of its mean.

    Before:

        %q = "fovea.quantize"(%w) {axis = 0, scale = ...} : (tensor<5x8xf32>) -> tensor<5x8xf8E4M3FNUZ>

    After:

        func.func @main(..., %q: tensor<5x8xf8E4M3FNUZ> {fovea.weight = "fc.weight.f8E4M3FNUZ"})
    """

    name: ClassVar[str] = "fovea-round-weights"

    damping: float = DAMPING
    correct_bias: bool = False

    def __post_init__(self) -> None:
        if not (np.isfinite(self.damping) and self.damping > 0):
            raise UsageError(f"expected damping > 0, found {self.damping}")

    def run(self, module: Any, context: PassContext) -> None:
        if not context.moments:
            raise CompileError(
                "second-order weight rounding needs the moments of the contractions' inputs, found none: run it from "
                "`fovea compile --weight-rounding gptq` with calibration data"
            )
        for function in utils.functions(module):
            self._run_on(function, context)

    def _run_on(self, function: Any, context: PassContext) -> None:
        groups: list[list[QuantisedWeight]] = []  # contractions that read one quantised weight
        for weight, op, reason in list(quantised_weights(function)):
            if weight is not None and weight.identity not in context.moments:
                weight, reason = None, "calibration did not see its input"
            if weight is None:
                _record(context, op, "nearest", reason)
                continue
            for group in groups:
                if group[0].quantize == weight.quantize and group[0].order == weight.order:
                    group.append(weight)
                    break
            else:
                groups.append([weight])
        arrays = [self._rounded(group, context) for group in groups]
        if self.correct_bias:
            for weight, correction in [c for group, (_, errors) in zip(groups, arrays, strict=True)
                                       for c in zip(group, errors, strict=True)]:  # fmt: skip
                add_correction(weight, correction, context)
        sources = [leaves_of(group[0].quantize.results[0]) for group in groups]
        for group, (array, _), leaves in zip(groups, arrays, sources, strict=True):
            replace_by_value(function, group[0].quantize.results[0], array, leaves, context)
            utils.erase_dead(group[0].quantize)
        drop_unused_weights(function)

    def _rounded(self, group: list[QuantisedWeight], context: PassContext) -> tuple[Array, list[Array]]:
        """The stored tensor, and the mean error (n,) of each contraction's result."""
        first = group[0]
        (values,) = evaluate([first.quantize.operands[0]], context.weights)
        dtype, largest = dtype_of(first.quantize.results[0].type), STORAGE_MAX[element_name(first.quantize)]
        scales = first.scales(values.shape).astype(np.float64)
        scaled = first.matrix(values) / scales

        def nearest(column: Array, _: int = 0) -> Array:
            return np.clip(column.astype(np.float32), -largest, largest).astype(dtype).astype(np.float64)

        second = sum(context.moments[weight.identity].second for weight in group)
        # In units of the scale, a row's scale does not change which values are best.
        stored = round_second_order(scaled, second, nearest, self.damping)
        before = output_error(scaled * scales, nearest(scaled) * scales, second)
        after = output_error(scaled * scales, stored * scales, second)
        for weight in group:
            _record(context, weight.contraction, "gptq", "error fed forward by its input's second moment",
                    after / before if before > 0 else 1.0)  # fmt: skip
        array = first.tensor(stored, values.shape).astype(np.float32).astype(dtype)
        errors = [(scaled - stored) * scales @ context.moments[weight.identity].mean for weight in group]
        return array, errors


def _record(context: PassContext, op: Any, decision: str, reason: str, error: float | None = None) -> None:
    entry = {"kind": "weight-rounding", "id": identity_of(op), "location": str(op.location), "decision": decision,
             "reason": reason}  # fmt: skip
    context.records.append(entry if error is None else {**entry, "error": error})
