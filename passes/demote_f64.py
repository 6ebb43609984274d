# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-demote-f64`: f64 arithmetic becomes f32."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fovea.bindings import ir
from fovea.executor.constants import array_of
from fovea.passes import ir_utils as utils
from fovea.passes.elements import elements_attribute
from fovea.passes.one_pass_variance import center_variances
from fovea.passes.registry import PassContext, register

_F32 = np.finfo(np.float32)
# Casts that do nothing once both sides are f32; the boundary's casts keep f64 on one side.
_CASTS = ("arith.extf", "arith.truncf")
# Ops that read an f64 as bits: an f32 in its place would mean something else.
_BITWISE = ("arith.bitcast", "tensor.bitcast")


@register
@dataclass(frozen=True)
class DemoteF64:
    """Compute in f32 what the model computes in f64 (torch's layer norm statistics).

    Tensors, scalars, constants and bodies of f64 become f32, and casts between f32 and f64 vanish. f64 arguments and
    results of the entry function stay f64 and are cast at the boundary. Constants that f32 cannot hold are moved to the
    nearest f32 that is as finite, and as far from 0 (a remark says so).

    Accuracy. Statistics of a row in two passes (mean, then the mean of (x - mean)^2) keep a relative error of about
    1e-6 of the variance even when the mean is 1000 times the standard deviation. The one-pass form E[x^2] - E[x]^2
    would lose all digits there; it is rewritten into the two-pass form first. A one-pass form that is not recognised
    gets a remark.

    Before:

        %1 = linalg.generic {...} ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf64>) { arith.extf } -> tensor<4x8xf64>
        %2 = linalg.generic {...} ins(%1 : tensor<4x8xf64>) outs(%z : tensor<4x1xf64>) { arith.addf } -> tensor<4x1xf64>

    After:

        %2 = linalg.generic {...} ins(%x : tensor<4x8xf32>) outs(%z : tensor<4x1xf32>) { arith.addf } -> tensor<4x1xf32>
    """

    name: ClassVar[str] = "fovea-demote-f64"

    def run(self, module: Any, context: PassContext) -> None:
        for function in utils.functions(module):
            center_variances(function, context)
        for function in utils.functions(module):
            for op in list(utils.nested_ops(function)):
                _demote(op, context)
            _demote_signature(function)
        for function in utils.functions(module):
            for op in list(utils.nested_ops(function)):
                if op.name in _CASTS and op.operands[0].type == op.results[0].type:
                    op.results[0].replace_all_uses_with(op.operands[0])
                    op.erase()
        utils.run_upstream(module, "canonicalize", "cse")


def _f32_of(type_: Any) -> Any | None:
    """The type with f32 in place of f64; None if it holds no f64."""
    f32 = ir.F32Type.get(type_.context)
    if isinstance(type_, ir.F64Type):
        return f32
    if isinstance(type_, ir.RankedTensorType) and isinstance(type_.element_type, ir.F64Type):
        return utils.tensor_type(type_.shape, f32)
    return None


def _demote(op: Any, context: PassContext) -> None:
    """Give one op f32 results and block arguments in place of f64 ones, and a constant its f32 value."""
    touched = [*op.operands, *op.results]
    if op.name in _BITWISE and any(isinstance(utils.element_of(value.type), ir.F64Type) for value in touched):
        raise utils.error_at(op, "reads or makes the bits of an f64, which Fovea computes in f32")
    if op.name == "arith.constant" and _f32_of(op.results[0].type) is not None:
        _demote_constant(op, context)
    values = [*op.results, *(a for region in op.regions for block in region.blocks for a in block.arguments)]
    for value in values:
        demoted = _f32_of(value.type)
        if demoted is not None:
            value.set_type(demoted)


def _demote_constant(op: Any, context: PassContext) -> None:
    attribute = op.attributes["value"]
    exact = array_of(attribute)
    rounded = nearest_f32(exact)
    finite = np.where(np.isfinite(exact), exact, 0.0)
    moved = np.abs(np.where(np.isfinite(exact), rounded, 0.0) - finite) > np.abs(finite) * _F32.eps
    if moved.any():
        index = np.unravel_index(int(np.argmax(moved)), moved.shape)
        context.remark(
            op.location,
            f"f64 constant {exact[index]:g} is outside the range of f32, {rounded[index]:g} is used instead",
        )
    if isinstance(attribute, ir.FloatAttr):
        op.attributes["value"] = ir.FloatAttr.get(ir.F32Type.get(op.context), float(rounded), loc=op.location)
    else:
        op.attributes["value"] = elements_attribute(rounded, op.context)


def nearest_f32(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """f64 values in f32; finite ones stay finite, and nonzero ones stay nonzero (an epsilon of 1e-300, for example)."""
    with np.errstate(over="ignore", under="ignore"):
        rounded = values.astype(np.float32)
    rounded = np.where(np.isfinite(values), np.clip(rounded, _F32.min, _F32.max), rounded)
    tiny = np.copysign(_F32.tiny, values.astype(np.float64)).astype(np.float32)
    return np.where((values != 0) & (np.abs(rounded) < _F32.tiny), tiny, rounded).astype(np.float32)


def _demote_signature(function: Any) -> None:
    """Give a private function f32 in its type; let a public one keep f64 there and cast at its boundary."""
    type_ = ir.FunctionType(ir.TypeAttr(function.attributes["function_type"]).value)
    inputs, results = ([_f32_of(t) or t for t in types] for types in (type_.inputs, type_.results))
    block = function.regions[0].blocks[0]
    if utils.is_private(function):
        for argument, demoted in zip(block.arguments, inputs, strict=True):
            argument.set_type(demoted)
        demoted_type = ir.FunctionType.get(inputs, results, function.context)
        function.attributes["function_type"] = ir.TypeAttr.get(demoted_type, function.context)
        return
    for argument, demoted in zip(block.arguments, inputs, strict=True):
        if argument.type != demoted and utils.has_uses(argument):
            with ir.InsertionPoint.at_block_begin(block), function.location:
                cast = utils.cast_value(argument, utils.element_of(demoted))
            argument.replace_all_uses_except(cast, utils.defining_op(cast))
    terminator = list(block.operations)[-1].operation
    for position, kept in enumerate(type_.results):
        if terminator.operands[position].type != kept:
            with ir.InsertionPoint(terminator), terminator.location:
                terminator.operands[position] = utils.cast_value(terminator.operands[position], utils.element_of(kept))
