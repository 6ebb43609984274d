# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-set-compute-type`: contractions and attention that stay float read f16 (or bf16) and accumulate in f32."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from fovea.bindings import ir
from fovea.errors import UsageError
from fovea.passes import ir_utils as utils
from fovea.passes.contraction import is_product
from fovea.passes.contraction_layout import rebuild_contraction
from fovea.passes.padding import is_zero_pad, zero_pad_like
from fovea.passes.registry import PassContext, register

ComputeType = Literal["f16", "bf16", "f32"]
COMPUTE_TYPES = get_args(ComputeType)
# Element types that are replaced by the compute type; narrower ones are left as the model has them.
_WIDE = ("f32", "f64")
_ATTENTION = "fovea.attention"
_ATTENTION_INPUTS = 3  # query, key, value; score operands keep their types


@register
@dataclass(frozen=True)
class SetComputeType:
    """Cast the f32 (and f64) inputs of unquantised contractions, convolutions and fovea.attention to `compute_type`.

    Sums stay in the type of the result, so results keep their types. A tensor that several ops read is cast once, one
    with zeros around it below them. A
    contraction one of whose inputs is f16 or bf16 already computes in that type. Contractions on 8-bit types, and
    models in f16 or bf16, are left alone. Options: `compute_type`, one of f16 (default), bf16, f32.

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
                if op.name == _ATTENTION:
                    _convert(op, range(_ATTENTION_INPUTS), wanted, casts)
                elif is_product(op):
                    _convert(op, range(utils.num_inputs(op)), wanted, casts)


def _convert(op: Any, positions: range, wanted: Any, casts: dict[tuple[Any, str], Any]) -> None:
    elements = [op.operands[i].type.element_type for i in positions]
    narrow = [e for e in elements if str(e) not in _WIDE]
    if not all(str(e) in (*_WIDE, "f16", "bf16") for e in elements) or len(narrow) == len(elements):
        return  # 8-bit or integer operands, or nothing to do
    target = narrow[0] if narrow else wanted
    if all(e == target for e in elements):
        return
    operands = list(op.operands)
    for i in positions:
        if str(operands[i].type.element_type) in _WIDE:
            operands[i] = _cast_once(operands[i], target, casts)
    if op.name == _ATTENTION:
        for i in positions:
            op.operands[i] = operands[i]
    else:
        rebuild_contraction(op, [operands[i] for i in positions], utils.indexing_maps(op))


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
