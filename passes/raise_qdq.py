# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-raise-qdq`: FP8 quantising written as arithmetic becomes `fovea.quantize` and `fovea.dequantize`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fovea.bindings import ir
from fovea.dialect.attention_tag import NAME as TAG
from fovea.dialect.quantize import STORAGE_MAX
from fovea.passes import ir_utils as utils
from fovea.passes.elements import elements_attribute
from fovea.passes.qdq_chains import Matcher, Scalar, Scale, is_pointwise, tensor_of
from fovea.passes.registry import PassContext, register

QUANTIZE, DEQUANTIZE, INTEGER = "quantize", "dequantize", "int8"
_CASTS = {
    "arith.truncf": (QUANTIZE, STORAGE_MAX), "arith.extf": (DEQUANTIZE, STORAGE_MAX),
    "arith.fptosi": (INTEGER, ("i8", "i4")), "arith.fptoui": (INTEGER, ("i8", "i4")),
}  # fmt: skip
"""Name of a cast -> the form that it may be part of, and the stored types there."""
_REFUSED = "fovea.refused"  # while the pass runs: an op that holds nothing to raise (any more)
INT8 = "quantised to integers of 8 bits or fewer: it computes as the model has it"


@register
@dataclass(frozen=True)
class RaiseQdq:
    """Recognise FP8 quantising in a model that arrives quantised (ONNX's QuantizeLinear and DequantizeLinear, casts to
    FP8, fake quantisation), whether each step is an op of its own or all are fused into one.

    `fovea.quantize` stands for: divide by a scale, or multiply by its reciprocal; clamp at the largest finite FP8
    values, or not at all; cast. `fovea.dequantize` stands for: cast from FP8; multiply by a scale. Scales are
    constants, one a tensor or one a position along a dim. What is around them in a body stays, in ops of its own. Left
    alone, with a record: other clamps, scales that are not constant, finite and > 0. Chains in attention sites are left
    to `fovea-strip-attention-qdq`. Integers of 8 bits are left too (a record says so).

    The number stored is the model's, except that: values past the range saturate, as ONNX has it, also where its
    lowering has no clamp and would make NaN; NaN stays NaN; x / s is computed as x * (1 / s) in f32, which may round to
    the neighbouring code where x / s lies within one part in 2^22 (in f16: 2^10) of the middle between two; and -0 for
    0 may be stored.

    Before:

        %1 = linalg.generic {...} ins(%x : tensor<4x8xf32>) ... { arith.divf 0.05 } -> tensor<4x8xf32>
        %2 = linalg.generic {...} ins(%1 : tensor<4x8xf32>) ... { arith.truncf } -> tensor<4x8xf8E4M3FN>
        %3 = linalg.generic {...} ins(%2 : tensor<4x8xf8E4M3FN>) ... { arith.extf, arith.mulf 0.05 } -> tensor<4x8xf32>

    After:

        %2 = "fovea.quantize"(%x) {axis = -1, scale = dense<0.05> : tensor<f32>} : ... -> tensor<4x8xf8E4M3FN>
        %3 = "fovea.dequantize"(%2) {axis = -1, scale = dense<0.05> : tensor<f32>} : ... -> tensor<4x8xf32>
    """

    name: ClassVar[str] = "fovea-raise-qdq"

    def run(self, module: Any, context: PassContext) -> None:
        changed = False
        seen: set[tuple[str, str]] = set()

        def record(op: Any, form: str, decision: str, reason: str) -> None:
            key = str(op.location), form
            if decision == "raised" or key not in seen:
                seen.add(key)
                context.records.append({"kind": "raise-qdq", "location": key[0], "form": form,
                                        "decision": decision, "reason": reason})  # fmt: skip

        matcher = Matcher(context.weights)
        casts = _casts(module)
        for raise_one, form in ((_raise_quantize, QUANTIZE), (_raise_dequantize, DEQUANTIZE)):
            # An op is rebuilt by each rewrite, so that one rewrite an op and round is made.
            while sum(raise_one(op, cast, matcher, record) for op, cast in _raisable(casts[form])):
                changed = True
                _erase_unused(module)
                casts = _casts(module)
            for op, _ in casts[form]:
                if _REFUSED in op.attributes:
                    del op.attributes[_REFUSED]
        for op, _ in casts[INTEGER]:
            if TAG not in op.attributes:
                record(op, INTEGER, "left", INT8)
        if changed:
            utils.run_upstream(module, *utils.TIDY)


Record = Callable[[Any, str, str, str], None]


Casts = list[tuple[Any, Any]]


def _casts(module: Any) -> dict[str, Casts]:
    """The casts to and from stored types by the form that they may be part of, each with the op in whose body it is.

    The handles hold until something is erased.
    """
    found: dict[str, Casts] = {QUANTIZE: [], DEQUANTIZE: [], INTEGER: []}

    def visit(op: Any) -> Any:
        form, stored = _CASTS.get(op.name, (None, ()))
        if form is not None and str((op.operands if form == DEQUANTIZE else op.results)[0].type) in stored:
            found[form].append((op.parent.operation, op.operation))
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    return found


def _raisable(casts: Casts) -> Casts:
    """Those in the bodies of used elementwise ops outside attention."""
    return [(op, cast) for op, cast in casts if _REFUSED not in op.attributes and is_pointwise(op)
            and utils.has_uses(op.results[0])]  # fmt: skip


def _erase_unused(module: Any) -> None:
    """Erase the elementwise ops that nothing uses any more."""
    for function in utils.functions(module):
        for op in reversed(utils.body_ops(function)):
            if is_pointwise(op) and not utils.has_uses(op.results[0]):
                op.erase()


def _raise_quantize(op: Any, cast: Any, matcher: Matcher, record: Record) -> bool:
    if not utils.has_uses(op.results[0]):
        return False
    found = matcher.quantised(op, cast)
    if isinstance(found, str):
        op.attributes[_REFUSED] = ir.UnitAttr.get(op.context)
        record(op, QUANTIZE, "left", found)
        return False
    with op.location:
        source = _tensor(found.source)
        with ir.InsertionPoint(op):
            stored = _scaled("fovea.quantize", source, cast.results[0].type, found.scale)
    record(op, QUANTIZE, "raised", _described(found.scale))
    _substitute(Scalar(op, cast.results[0]), stored)
    return True


def _raise_dequantize(op: Any, cast: Any, matcher: Matcher, record: Record) -> bool:
    if not utils.has_uses(op.results[0]):
        return False
    done = False
    for found in list(matcher.dequantised(op, cast)):
        if isinstance(found, str):
            record(op, DEQUANTIZE, "left", found)
            continue
        end = found.result
        with end.op.location, ir.InsertionPoint(end.op):
            real = _scaled("fovea.dequantize", found.stored, end.value.type, found.scale)
        record(end.op, DEQUANTIZE, "raised", _described(found.scale))
        _substitute(end, real)
        done = True
    if not done:
        op.attributes[_REFUSED] = ir.UnitAttr.get(op.context)
    return done


def _described(scale: Scale) -> str:
    return "one scale a tensor" if scale.values.ndim == 0 else f"one scale a position of dim {scale.axis}"


def _tensor(scalar: Scalar) -> Any:
    """A tensor whose elements are `scalar`, computed before its op if there is none yet."""
    found = tensor_of(scalar)
    if found is not None:
        return found
    op = scalar.op
    return _rebuilt(op, utils.inputs_of(op), utils.indexing_maps(op)[:-1], None, scalar.value)


def _substitute(scalar: Scalar, tensor: Any) -> None:
    """Let whatever uses `scalar` read `tensor` in its place; its op stays, without uses."""
    op = scalar.op
    result = op.results[0]
    if scalar.value == utils.yielded(op)[0]:
        result.replace_all_uses_with(tensor)
        return
    identity = ir.AffineMap.get_identity(result.type.rank, op.context)
    inputs, maps = [*utils.inputs_of(op), tensor], [*utils.indexing_maps(op)[:-1], identity]
    result.replace_all_uses_with(_rebuilt(op, inputs, maps, scalar.value, utils.yielded(op)[0]))


def _rebuilt(op: Any, inputs: Sequence[Any], maps: Sequence[Any], replaced: Any, wanted: Any) -> Any:
    """An op like `op`, before it, that yields the scalar `wanted` of its body; `replaced` is its last input there."""
    block = utils.body_block(op)
    arguments = list(block.arguments)
    count = utils.num_inputs(op)
    shape, element = op.results[0].type.shape, wanted.type

    read = _arguments(wanted, block, replaced)
    kept = [i for i in range(len(inputs)) if (arguments[i] in read if i < count else True)]

    def body(*new: Any) -> Any:
        mapping = {arguments[i]: value for i, value in zip(kept, new, strict=False) if i < count}
        if replaced is not None:
            mapping[replaced] = new[-2]
        return _copied(wanted, block, mapping)

    with op.location, ir.InsertionPoint(op):
        all_maps = [*(maps[i] for i in kept), ir.AffineMap.get_identity(len(shape), op.context)]
        out = [utils.empty(shape, element)]
        new = utils.build_generic([inputs[i] for i in kept], out, all_maps, ["parallel"] * len(shape), body)
    return new.results[0]


def _arguments(value: Any, block: Any, replaced: Any) -> set[Any]:
    """The arguments of `block` that `value` is computed from, not by way of `replaced`."""
    seen: set[Any] = set()
    pending = [value]
    while pending:
        current = pending.pop()
        if current in seen or (replaced is not None and current == replaced):
            continue
        seen.add(current)
        op = utils.defining_op(current)
        if op is not None and op.block == block:
            pending += op.operands
    return seen


def _copied(value: Any, block: Any, mapping: dict[Any, Any]) -> Any:
    """Copy what computes `value` in `block` to the insertion point, in order."""
    needed: list[Any] = []
    pending = [value]
    while pending:
        current = pending.pop()
        op = utils.defining_op(current)
        if current in mapping or op is None or op.block != block or current in needed:
            continue
        needed.append(current)
        pending += op.operands
    for op in list(block.operations)[:-1]:
        if any(result in needed for result in op.results):
            utils.clone_op(op.operation, mapping)
    return mapping.get(value, value)


def _scaled(name: str, value: Any, element: Any, scale: Scale) -> Any:
    context = value.type.context
    attributes = {
        "scale": elements_attribute(scale.values, context),
        "axis": ir.IntegerAttr.get(ir.IntegerType.get_signless(64, context), scale.axis),
    }
    result = utils.tensor_type(value.type.shape, element)
    return ir.Operation.create(name, results=[result], operands=[value], attributes=attributes).results[0]
