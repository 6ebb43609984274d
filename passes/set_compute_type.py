# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-set-compute-type`: contractions and attention that stay float read f16 (or bf16) and accumulate in f32."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from fovea.bindings import ir
from fovea.errors import UsageError
from fovea.passes import ir_utils as utils
from fovea.passes.contraction import IDENTITY, identity_of, is_product
from fovea.passes.contraction_layout import rebuild_contraction
from fovea.passes.padding import is_zero_pad, zero_pad_like
from fovea.passes.registry import PassContext, register

ComputeType = Literal["f16", "bf16", "f32"]
COMPUTE_TYPES = get_args(ComputeType)
# Element types that are replaced by the compute type; narrower ones are left as the model has them.
_WIDE = ("f32", "f64")
_ATTENTION = "fovea.attention"
_ATTENTION_INPUTS = 3  # query, key, value; score operands keep their types
COMPUTE_TYPE = "fovea.compute_type"
"""Discardable attribute of one contraction or fovea.attention: its own compute type, and why (see `mark`)."""


@register
@dataclass(frozen=True)
class SetComputeType:
    """Cast the f32 (and f64) inputs of unquantised contractions, convolutions and fovea.attention to `compute_type`.

    Sums stay in the type of the result, so results keep their types. A tensor that several ops read is cast once, one
    with zeros around it below them. A contraction one of whose inputs is f16 or bf16 already computes in that type.
    Contractions on 8-bit types, and models in f16 or bf16, are left alone. An op with a mark (`fovea-guard-overflow`)
    takes the type of the mark, which is gone afterwards; a remark and a record of kind "compute-type" say so. Options:
    `compute_type`, one of f16 (default), bf16, f32.

    Before:

        %r = linalg.matmul ins(%a, %b : tensor<4x8xf32>, tensor<8x5xf32>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>

    After:

        %ha = linalg.generic {...} ins(%a : tensor<4x8xf32>) ... { arith.truncf } -> tensor<4x8xf16>
        %hb = linalg.generic {...} ins(%b : tensor<8x5xf32>) ... { arith.truncf } -> tensor<8x5xf16>
        %r = linalg.matmul ins(%ha, %hb : tensor<4x8xf16>, tensor<8x5xf16>) outs(%z : tensor<4x5xf32>) -> ...
    """

    name: ClassVar[str] = "fovea-set-compute-type"

    compute_type: ComputeType = "f16"

    def __post_init__(self) -> None:
        if self.compute_type not in COMPUTE_TYPES:
            raise UsageError(f"unknown compute_type '{self.compute_type}'; expected one of {', '.join(COMPUTE_TYPES)}")

    def run(self, module: Any, context: PassContext) -> None:
        wanted = ir.Type.parse(self.compute_type, module.context)
        for function in utils.functions(module):
            casts: dict[tuple[Any, str], Any] = {}
            for op in utils.body_ops(function):
                marked, location = _take_mark(op), op.location
                if op.name == _ATTENTION or is_product(op):
                    own = wanted if marked is None else ir.Type.parse(marked["chosen"], module.context)
                    positions = range(_ATTENTION_INPUTS if op.name == _ATTENTION else utils.num_inputs(op))
                    if _convert(op, positions, own, casts) and marked is not None:
                        context.records.append({"kind": "compute-type", **marked})
                        text = f"{marked['id']} computes in {marked['chosen']}: {marked['reason']}"
                        context.remark(location, text)


def mark(op: Any, compute_type: ComputeType, max_abs: float, reason: str) -> None:
    """Let `op` compute in `compute_type` whatever others do; `reason` and the magnitude are for the report."""
    double = ir.F64Type.get(op.context)
    entries = {
        "type": ir.StringAttr.get(compute_type, op.context), "reason": ir.StringAttr.get(reason, op.context),
        "max_abs": ir.FloatAttr.get(double, max_abs, ir.Location.unknown(op.context)),
    }  # fmt: skip
    op.attributes[COMPUTE_TYPE] = ir.DictAttr.get(entries, op.context)


def own_compute_type(op: Any) -> str | None:
    """The compute type that `op` is marked with, None if it has no mark."""
    if COMPUTE_TYPE not in op.attributes:
        return None
    return str(ir.StringAttr(ir.DictAttr(op.attributes[COMPUTE_TYPE])["type"]).value)


def carry_mark(source: Any, target: Any) -> None:
    """Give `target`, which computes what `source` did, the mark of `source` and its id."""
    for name in (COMPUTE_TYPE, IDENTITY):
        if name in source.attributes:
            target.attributes[name] = source.attributes[name]


def _take_mark(op: Any) -> dict[str, Any] | None:
    """The record of an op's mark, which is removed; None if it has none."""
    if COMPUTE_TYPE not in op.attributes:
        return None
    entries = ir.DictAttr(op.attributes[COMPUTE_TYPE])
    del op.attributes[COMPUTE_TYPE]
    return {
        "id": identity_of(op) or op.name, "location": str(op.location),
        "chosen": ir.StringAttr(entries["type"]).value, "reason": ir.StringAttr(entries["reason"]).value,
        "max_abs": ir.FloatAttr(entries["max_abs"]).value,
    }  # fmt: skip


def _convert(op: Any, positions: range, wanted: Any, casts: dict[tuple[Any, str], Any]) -> bool:
    """Cast the operands at `positions`; whether to `wanted`, and not to what one of them is already, or not at all."""
    elements = [op.operands[i].type.element_type for i in positions]
    narrow = [e for e in elements if str(e) not in _WIDE]
    if not all(str(e) in (*_WIDE, "f16", "bf16") for e in elements) or len(narrow) == len(elements):
        return False  # 8-bit or integer operands, or nothing to do
    target = narrow[0] if narrow else wanted
    if all(e == target for e in elements):
        return False
    operands = list(op.operands)
    for i in positions:
        if str(operands[i].type.element_type) in _WIDE:
            operands[i] = _cast_once(operands[i], target, casts)
    if op.name == _ATTENTION:
        for i in positions:
            op.operands[i] = operands[i]
    else:
        rebuild_contraction(op, [operands[i] for i in positions], utils.indexing_maps(op))
    return bool(target == wanted)


def _cast_once(value: Any, element: Any, casts: dict[tuple[Any, str], Any]) -> Any:
    key = (value, str(element))
    if key not in casts:
        producer = utils.defining_op(value)
        location = producer.location if producer is not None else value.location
        padded = is_zero_pad(producer)
        below = _cast_once(producer.operands[0], element, casts) if producer is not None and padded else value
        with utils.insertion_after(value), location:
            casts[key] = zero_pad_like(producer, below) if padded else utils.cast_tensor(value, element)
    return casts[key]
