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
from fovea.passes.correct_bias import add_correction, correction_of
from fovea.passes.registry import PassContext, register
from fovea.passes.second_order import DAMPING, output_error, round_second_order
from fovea.passes.weight_roles import QuantisedWeight, element_name, quantised_weights

Array = np.ndarray[Any, Any]


@register
@dataclass(frozen=True)
class RoundWeights:
    """Round the weights of quantised contractions and convolutions by GPTQ (`fovea.passes.second_order`), from the
    moments of their inputs.

    The moments come from calibration (`PassContext.moments`, by contraction id). A convolution's input is that of its
    matrix product (im2col), a row for each position of the output image; groups and batch dims have a second moment
    each; several contracted dims are one. Scales stay those of the weight as it was: one a channel or tensor, or one a
    block, by which each column of the block is rounded. Each weight becomes a tensor of stored values, as
    `fovea-fold-constants` would make of it with rounding to nearest. Left to nearest, with the reason in the record:
    weights whose second moment is too large (`fovea.calibration.moments`), that calibration did not see, that arrived
    quantised, or that contractions read along different dims. With `correct_bias`, what the rounding, of either kind,
    adds to a result on average is taken off again, as `fovea-correct-bias` does. A weight that several contractions
    read is rounded for the sum of their moments. Rounded weights are kept in `PassContext.rounded`, by what reads
    them, and taken from there. Records: {"kind": "weight-rounding", "id", "location", "decision": "gptq" |
    "nearest", "reason", "error": output error over that of rounding to nearest}. Option: `damping`, added to the second
    moment's diagonal as a share of its mean.

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
        by_quantize: list[list[QuantisedWeight]] = []  # what reads one quantised weight
        for weight, op, reason in list(quantised_weights(function)):
            if weight is None:
                _record(context, op, "nearest", reason)
                continue
            for group in by_quantize:
                if group[0].quantize == weight.quantize:
                    group.append(weight)
                    break
            else:
                by_quantize.append([weight])
        rounded: list[tuple[list[QuantisedWeight], Array, Array]] = []
        corrections: list[tuple[QuantisedWeight, Array]] = []
        for group in by_quantize:
            reason = _why_nearest(group, context)
            if not reason:
                stored, scales = self._rounded(group, context)
                rounded.append((group, stored, scales))
            for weight in group:
                if reason:
                    _record(context, weight.contraction, "nearest", reason)
                if self.correct_bias and weight.identity in context.moments:
                    dequantised = None if reason else stored.astype(np.float64) * scales
                    corrections.append((weight, correction_of(weight, context, dequantised)))
        for weight, correction in corrections:
            add_correction(weight, correction, context)
        sources = [leaves_of(group[0].quantize.results[0]) for group, *_ in rounded]
        for (group, stored, _), leaves in zip(rounded, sources, strict=True):
            _replace(function, group[0], stored, leaves, context)
        drop_unused_weights(function)

    def _rounded(self, group: list[QuantisedWeight], context: PassContext) -> tuple[Array, Array]:
        """The stored values (batch, n, k), in the storage type, and the scale of each."""
        first = group[0]
        dtype, largest = dtype_of(first.quantize.results[0].type), STORAGE_MAX[element_name(first.quantize)]
        scales = first.scales(context.weights).astype(np.float64)
        key = (tuple(sorted(weight.identity for weight in group)), element_name(first.quantize), self.damping)
        if key not in context.rounded:
            context.rounded[key] = self._round(group, context, scales, dtype, largest)
        stored, error = context.rounded[key]
        for weight in group:
            _record(context, weight.contraction, "gptq", "error fed forward by its input's second moment", error)
        return stored, scales

    def _round(
        self, group: list[QuantisedWeight], context: PassContext, scales: Array, dtype: Any, largest: float
    ) -> tuple[Array, float]:
        """The stored values, and the output error over that of rounding to nearest."""
        (values,) = evaluate([group[0].quantize.operands[0]], context.weights)
        # In units of the first scale of a row: a factor of a whole row does not change which values are best.
        unit = scales[:, :, :1]
        matrices, steps = group[0].matrices(values).astype(np.float64) / unit, scales / unit
        stored = np.empty(matrices.shape, dtype)
        before = after = 0.0
        for batch, (matrix, step) in enumerate(zip(matrices, steps, strict=True)):

            def nearest(column: Array, k: int, step: Array = step) -> Array:
                codes = np.clip((column / step[:, k]).astype(np.float32), -largest, largest).astype(dtype)
                return codes.astype(np.float64) * step[:, k]

            second = sum(context.moments[weight.identity].second[batch] for weight in group)
            found = round_second_order(matrix, second, nearest, self.damping)
            plain = np.stack([nearest(column, k) for k, column in enumerate(matrix.T)], axis=1)
            before += output_error(matrix * unit[batch], plain * unit[batch], second)
            after += output_error(matrix * unit[batch], found * unit[batch], second)
            stored[batch] = (found / step).astype(np.float32).astype(dtype)
        return stored, after / before if before > 0 else 1.0


def _why_nearest(group: list[QuantisedWeight], context: PassContext) -> str:
    """Why a weight is left to nearest, "" if it is not."""
    for weight in group:
        if weight.identity not in context.moments:
            return "calibration did not see its input" if len(group) == 1 else (
                "calibration did not see the input of a contraction that reads its weight")  # fmt: skip
        if context.moments[weight.identity].second is None:
            return str(context.moments[weight.identity].missing)
        if not weight.same_matrices(group[0]):
            return "contractions read its weight along different dims"
    return ""


def _replace(function: Any, weight: QuantisedWeight, stored: Array, leaves: list[Any], context: PassContext) -> None:
    """Let what reads the quantised weight read stored values; its scales, if they are computed, become values too."""
    arrays = [weight.tensor(stored)]
    if len(weight.quantize.results) > 1:
        arrays += evaluate([weight.quantize.results[1]], context.weights)
    for result, array in zip(weight.quantize.results, arrays, strict=True):
        replace_by_value(function, result, array, leaves, context)
    utils.erase_dead(weight.quantize)


def _record(context: PassContext, op: Any, decision: str, reason: str, error: float | None = None) -> None:
    entry = {"kind": "weight-rounding", "id": identity_of(op), "location": str(op.location), "decision": decision,
             "reason": reason}  # fmt: skip
    context.records.append(entry if error is None else {**entry, "error": error})
