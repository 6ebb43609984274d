# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-convert-fp8`: FP8 of the OCP formats becomes FP8 of the FNUZ formats, for chips that read those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fovea.bindings import arith, ir
from fovea.dialect.attention_tag import NAME as TAG
from fovea.dialect.quantize import PER_TENSOR, STORAGE_MAX
from fovea.passes import ir_utils as utils
from fovea.passes.contraction import IDENTITY
from fovea.passes.contraction_layout import is_contraction, make_contraction
from fovea.passes.elements import elements_attribute
from fovea.passes.quantized_motion import Scaling, dequantize, motion_of, quantize
from fovea.passes.registry import PassContext, register
from fovea.target import fp8_format

FNUZ_OF = {"f8E4M3FN": "f8E4M3FNUZ", "f8E5M2": "f8E5M2FNUZ"}
_HUGE = float(np.finfo(np.float32).max)


@register
@dataclass(frozen=True)
class ConvertFp8:
    """Convert what a model stores in OCP's FP8 formats to the FNUZ formats, if the target's matrix instructions read
    those (gfx942).

    The exponent bias of an FNUZ format is one more: the same bits mean half the value. So the bits are kept, and the
    scale of each dequantize doubles; the product is the same number. Of the three kinds of code without a counterpart,
    -0 (0x80) becomes 0, NaN becomes the one NaN (0x80), and so does an infinity of E5M2. What is stored in the model
    (weights, arguments) is converted by `truncf(0.5 * extf(x))`, which does just that; `fovea-fold-constants` evaluates
    it for weights. A quantize saturates at OCP's range as before: E4M3FN ends at 448 (0x7e), which is 224 in FNUZ,
    while FNUZ goes on to 240 (0x7f). So the tensor is clamped at 448 times its scale first; codes around it are 416 and
    480 apart from it, and that product's rounding cannot make a difference.

    Contractions on stored operands, without dequantize ops, get ones with scale 1. Left alone: a scale that cannot be
    doubled, tensors that are not dequantised (results of the function), ops of attention sites.

    Before:

        %q = "fovea.quantize"(%x) {axis = -1, scale = dense<0.5> : tensor<f32>} : ... -> tensor<4x8xf8E4M3FN>
        %d = "fovea.dequantize"(%q) {axis = -1, scale = dense<0.5> : tensor<f32>} : (tensor<4x8xf8E4M3FN>) -> ...

    After:

        %c = linalg.generic {...} ins(%x, %bound : tensor<4x8xf32>, tensor<f32>) ... // clamped at +-224.0
        %q = "fovea.quantize"(%c) {axis = -1, scale = dense<1.0> : tensor<f32>} : ... -> tensor<4x8xf8E4M3FNUZ>
        %d = "fovea.dequantize"(%q) {axis = -1, scale = dense<1.0> : tensor<f32>} : (tensor<4x8xf8E4M3FNUZ>) -> ...
    """

    name: ClassVar[str] = "fovea-convert-fp8"

    def run(self, module: Any, context: PassContext) -> None:
        if fp8_format(context.target) not in FNUZ_OF.values():
            return
        changed = False
        for function in utils.functions(module):
            ops = utils.body_ops(function)
            stored = [op for op in ops if _stored_operands(op) and TAG not in op.attributes]
            for op in stored:
                _dequantise_operands(op)
            converter = _Converter()
            for op in utils.body_ops(function) if stored else ops:
                if op.name == "fovea.dequantize" and _storage(op.operands[0]) in FNUZ_OF:
                    _record(context, op, converter.convert(op))
                    changed = True
        if changed:
            utils.run_upstream(module, *utils.TIDY)


def _record(context: PassContext, op: Any, reason: str | None) -> None:
    kind = _storage(op.operands[0])
    context.records.append({
        "kind": "convert-fp8", "location": str(op.location), "from": kind, "to": FNUZ_OF[kind],
        "decision": "left" if reason else "converted", "reason": reason or "same bits, twice the scale",
    })  # fmt: skip


def _storage(value: Any) -> str:
    return str(value.type.element_type)


def _stored_operands(op: Any) -> bool:
    """Whether `op` is a contraction of two tensors in one OCP format."""
    if not is_contraction(op):
        return False
    stored = all(utils.is_tensor(v.type) and _storage(v) in FNUZ_OF for v in utils.inputs_of(op))
    return stored and _storage(op.results[0]) == "f32"


def _dequantise_operands(op: Any) -> None:
    f32 = ir.F32Type.get(op.context)
    with ir.InsertionPoint(op), op.location:
        inputs = [
            dequantize(v, Scaling(np.ones((), np.float32), PER_TENSOR, v.type.element_type), f32)
            for v in utils.inputs_of(op)
        ]
        new = make_contraction(op, inputs, utils.outputs_of(op), utils.indexing_maps(op))
    utils.replace_op(op, new)


class _Converter:
    """Converts the stored tensors of one function, each once."""

    def __init__(self) -> None:
        self.known: dict[Any, Any] = {}

    def convert(self, op: Any) -> str | None:
        """Replace a dequantize by one of the FNUZ tensor; the reason if it must stay."""
        scaling = _doubled(Scaling.of(op))
        if scaling is None:
            return "twice its scale is not a finite f32"
        stored = self.stored(op.operands[0])
        with ir.InsertionPoint(op), op.location:
            real = dequantize(stored, scaling, op.results[0].type.element_type)
        _keep_identity(op, utils.producer_of(real))
        op.results[0].replace_all_uses_with(real)
        return None

    def stored(self, value: Any) -> Any:
        """`value`, an OCP tensor, with its bits in FNUZ."""
        if value not in self.known:
            self.known[value] = self._stored(value)
        return self.known[value]

    def _stored(self, value: Any) -> Any:
        op = utils.defining_op(value)
        kind = ir.Type.parse(FNUZ_OF[_storage(value)], value.type.context)
        if op is not None and op.name == "fovea.quantize":
            scaling = _doubled(Scaling.of(op))
            if scaling is not None:
                with op.location, ir.InsertionPoint(op):
                    stored = quantize(_clamped(op.operands[0], scaling), scaling)
                _keep_identity(op, utils.producer_of(stored))
                return stored
        motion = motion_of(op)
        element = value.type.element_type
        if op is not None and motion is not None and not motion.computes and all(
            v.type.element_type == element for v in motion.operands(op)
        ):
            # What a padding op fills with is a stored number too: half of it has the same bits.
            scaling = Scaling(np.full((), 2, np.float32), PER_TENSOR, kind)
            if motion.before(op, scaling) is not None:
                moved = [self.stored(v) for v in motion.operands(op)]
                with op.location, ir.InsertionPoint(op):
                    return motion.remade(op, moved, scaling)
        with utils.insertion_after(value), op.location if op is not None else value.location:
            return _same_bits(value, kind)


def _doubled(scaling: Scaling) -> Scaling | None:
    """Twice the scale, of the FNUZ type that has the same bits; None if that is too large."""
    if (scaling.values > _HUGE / 2).any():
        return None
    kind = ir.Type.parse(FNUZ_OF[str(scaling.storage)], scaling.storage.context)
    return Scaling(scaling.values * np.float32(2), scaling.axis, kind)


def _same_bits(value: Any, kind: Any) -> Any:
    """Half of an OCP number as FNUZ: the same bits."""
    f32 = ir.F32Type.get(value.type.context)

    def body(x: Any, _: Any) -> Any:
        half = arith.ConstantOp(f32, 0.5).result
        return arith.TruncFOp(kind, arith.MulFOp(arith.ExtFOp(f32, x).result, half).result).result

    return utils.elementwise([value], kind, body)


def _clamped(value: Any, scaling: Scaling) -> Any:
    """`value` within the OCP range that `scaling` (already doubled) stores, in f32 (f64 stays)."""
    context, rank = value.type.context, value.type.rank
    wide = ir.F32Type.get(context)
    source = value.type.element_type
    element = source if str(source) == "f64" else wide
    ocp = next(ocp for ocp, fnuz in FNUZ_OF.items() if fnuz == str(scaling.storage))
    with np.errstate(over="ignore"):
        bound = np.minimum(scaling.values * np.float32(STORAGE_MAX[ocp] / 2), np.float32(_HUGE))
    attribute = elements_attribute(bound.astype(np.float32), context)
    constant = arith.ConstantOp(attribute.type, attribute).result
    dims = [] if scaling.axis == PER_TENSOR else [ir.AffineExpr.get_dim(scaling.axis, context)]
    maps = [ir.AffineMap.get_identity(rank, context), ir.AffineMap.get(rank, 0, dims, context)]

    def body(x: Any, high: Any, _: Any) -> Any:
        x, high = utils.float_cast(x, element), utils.float_cast(high, element)
        return arith.MaximumFOp(arith.MinimumFOp(x, high).result, arith.NegFOp(high).result).result

    return utils.elementwise([value, constant], element, body, maps)


def _keep_identity(old: Any, new: Any) -> None:
    if IDENTITY in old.attributes:
        new.attributes[IDENTITY] = old.attributes[IDENTITY]
