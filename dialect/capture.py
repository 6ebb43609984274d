# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea.capture`: observes the range of a tensor during calibration."""

import math
from typing import Any

from fovea.bindings import ext, ir
from fovea.dialect.base import FoveaDialect, fail, well_formed

NOT_CALIBRATED = 0.0
OBSERVED = "fovea.observed"
"""Discardable attribute of a capture whose tensor is not quantised: ids of the contractions that read it."""


class CaptureOp(FoveaDialect.Operation, name="capture", traits=[ext.Pure]):  # type: ignore[name-defined, misc, call-arg]
    """Passes its operand through; an executor calls back with the value.

    `id` names the tensor in reports and range files. `max_abs` is the largest magnitude seen, 0.0 before calibration
    (a tensor that held only zeros has `calibrated = true` and max_abs 0.0).

        %c = "fovea.capture"(%x) {calibrated = false, id = "layer0.query", max_abs = 0.0 : f32}
            : (tensor<4x8xf32>) -> tensor<4x8xf32>
    """

    value: ext.Operand[Any]
    id: ir.StringAttr
    max_abs: ir.FloatAttr
    calibrated: ir.IntegerAttr
    result: ext.Result[Any]

    def verify_invariants(self) -> bool:
        if not well_formed(self, 1, 1, id=ir.StringAttr, max_abs=ir.FloatAttr, calibrated=ir.Attribute):
            return True
        operand, result = self.operands[0].type, self.results[0].type
        if operand != result:
            return fail(self, f"expects operand and result of one type, found {operand} and {result}")
        if not ir.StringAttr(self.attributes["id"]).value:
            return fail(self, "expects a non-empty 'id'")
        for name, kind in (("max_abs", "f32"), ("calibrated", "i1")):
            if str(self.attributes[name].type) != kind:
                return fail(self, f"expects '{name}' to be of type {kind}, found {self.attributes[name].type}")
        max_abs = ir.FloatAttr(self.attributes["max_abs"]).value
        if not (math.isfinite(max_abs) and max_abs >= 0):
            return fail(self, f"expects 'max_abs' to be finite and >= 0, found {max_abs}")
        return True
