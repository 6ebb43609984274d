# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-fold-qdq`: contractions of dequantised tensors become contractions of the stored ones, scaled afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from fovea.bindings import ir
from fovea.dialect.attention_tag import NAME as TAG
from fovea.dialect.quantize import PER_TENSOR, STORAGE_MAX, axis_of, scale_array
from fovea.passes import ir_utils as utils
from fovea.passes.channel_axes import Axes, through_view
from fovea.passes.contraction import dims_of, is_product
from fovea.passes.contraction_layout import make_contraction, transpose
from fovea.passes.elements import elements_attribute
from fovea.passes.fold_dynamic import fold_dynamic, is_dynamic, same_family
from fovea.passes.padding import is_zero_pad, zero_pad_like
from fovea.passes.quantized_motion import Scaling, cancels
from fovea.passes.registry import PassContext, register
from fovea.passes.scaled_result import scaled_result

Array = np.ndarray[Any, Any]
_RESHAPES = ("tensor.expand_shape", "tensor.collapse_shape")
_TINY = float(np.finfo(np.float32).tiny)
_HUGE = float(np.finfo(np.float32).max)


@register
@dataclass(frozen=True)
class FoldQdq:
    """Fold dequantize ops into the contractions and convolutions that read them.

    The contraction then reads the 8-bit tensors and accumulates in f32; one elementwise op multiplies its result by the
    product of the scales (a constant, or one value a channel) and converts it to the type it had. Reshapes, transposes
    and padding with zeros between a dequantize and the contraction move to the 8-bit tensor. Left as they are, with a
    record: a scale that varies along a contracted dim, a contraction with one quantised operand, operands of which one
    is stored in an OCP type and the other in a FNUZ type, and products of scales that are no normal f32. Dynamic scales
    of rows are tensors that the elementwise op multiplies by; scales of blocks of the contracted dim become operands of
    a `fovea.scaled_contract`. A quantize of a dequantize with equal scale cancels, unless the float type between does
    not hold the numbers, and quantize and dequantize ops that nothing uses are removed. A dequantize that stays has a
    record as well: who reads it as floats.

    Before:

        %d = "fovea.dequantize"(%q) {axis = -1, scale = dense<0.5> : tensor<f32>} : ...
        %w = "fovea.dequantize"(%p) {axis = 1, scale = dense<[1.0, 2.0]> : tensor<2xf32>} : ...
        %r = linalg.matmul ins(%d, %w : tensor<4x8xf32>, tensor<8x2xf32>) outs(%z : tensor<4x2xf32>) -> ...

    After:

        %a = linalg.matmul ins(%q, %p : tensor<4x8xf8E4M3FNUZ>, tensor<8x2xf8E4M3FNUZ>) outs(%z : ...) -> ...
        %s = arith.constant dense<[0.5, 1.0]> : tensor<2xf32>
        %r = linalg.generic {...} ins(%a, %s : ...) { arith.mulf } -> tensor<4x2xf32>
    """

    name: ClassVar[str] = "fovea-fold-qdq"

    def run(self, module: Any, context: PassContext) -> None:
        for function in utils.functions(module):
            ops = utils.body_ops(function)
            products = [op for op in ops if is_product(op)]
            for op in [op for op in ops if op.name == "fovea.quantize"]:
                _cancel(op)
            for op in products:
                _fold(op, context)
        utils.run_upstream(module, *utils.TIDY)
        for function in utils.functions(module):
            for op in utils.body_ops(function):
                if op.name == "fovea.dequantize":
                    _record_reader(op, context)


@dataclass(frozen=True)
class Source:
    """A dequantised tensor: the dequantize op, and the view ops between it and its reader, nearest the reader first."""

    op: Any
    views: tuple[Any, ...]
    axes: Axes  # along which the scale varies, in the reader's coordinates

    @cached_property
    def scale(self) -> Array:
        return scale_array(self.op)

    @property
    def storage(self) -> Any:
        return self.op.operands[0].type.element_type

    def stored(self) -> Any:
        """The stored tensor as the reader sees it, made at the insertion point."""
        value = self.op.operands[0]
        for view in reversed(self.views):
            if view.name == "linalg.transpose":
                value = transpose(value, list(ir.DenseI64ArrayAttr(view.attributes["permutation"])))
            elif view.name == "tensor.pad":
                value = zero_pad_like(view, value)
            else:
                value = _reshape_like(view, value)
        return value


def _reshape_like(view: Any, value: Any) -> Any:
    result = utils.tensor_type(view.results[0].type.shape, value.type.element_type)
    return ir.Operation.create(
        view.name, results=[result], operands=[value], attributes=utils.attributes_of(view)
    ).results[0]


def _source(value: Any) -> Source | None:
    """What `value` was dequantised from: None if it was not, or if its channels do not survive the views between."""
    views: list[Any] = []
    op = utils.defining_op(value)
    while op is not None and (op.name in _RESHAPES or op.name == "linalg.transpose" or is_zero_pad(op)):
        views.append(op)
        op = utils.defining_op(op.operands[0])
    if op is None or op.name != "fovea.dequantize":
        return None
    axes: Axes | None = () if axis_of(op) == PER_TENSOR else (axis_of(op),)
    for view in reversed(views):
        axes = through_view(view, axes) if axes is not None else None
    return None if axes is None else Source(op, tuple(views), axes)


def _cancel(op: Any) -> None:
    """quantize(dequantize(x)) with one scale is x, where the product with the scale and its reciprocal rounds back."""
    source = _source(op.operands[0])
    axes = () if axis_of(op) == PER_TENSOR else (axis_of(op),)
    if source is None or source.storage != op.results[0].type.element_type or source.axes != axes:
        return
    if np.array_equal(source.scale, scale_array(op)) and cancels(Scaling.of(op), op.operands[0].type.element_type):
        with ir.InsertionPoint(op), op.location:
            op.results[0].replace_all_uses_with(source.stored())
        op.erase()


def is_dequantised(value: Any) -> bool:
    """Whether a contraction that reads `value` finds a stored tensor behind it, with scales that may fold."""
    return _source(value) is not None


def arrives_quantised(module: Any) -> bool:
    """Whether some contraction outside attention reads nothing but dequantised tensors, or stored ones."""
    return any(
        is_product(op) and TAG not in op.attributes
        and all(_source(v) is not None or str(v.type.element_type) in STORAGE_MAX for v in utils.inputs_of(op))
        for function in utils.functions(module) for op in utils.body_ops(function)
    )  # fmt: skip


def _record_reader(op: Any, context: PassContext) -> None:
    """Say of a dequantize that is left who reads it; contractions have said it themselves."""
    users = [use.owner.operation for use in op.results[0].uses]
    readers = sorted({user.name for user in users if not is_product(user)})
    if readers:
        context.records.append({
            "kind": "fold-qdq", "location": str(op.location), "decision": "left",
            "reason": f"read as floats by {', '.join(readers)}",
        })  # fmt: skip


def _fold(op: Any, context: PassContext) -> None:
    if any(is_dynamic(operand) for operand in utils.inputs_of(op)):
        location = str(op.location)
        _record(context, location, fold_dynamic(op))
        return
    sources = [_source(operand) for operand in utils.inputs_of(op)]
    quantised = [source for source in sources if source is not None]
    if not quantised:
        return
    reason = "only one of its operands is quantised" if len(quantised) < len(sources) else None
    scales: dict[Axes, Array] = {}
    if reason is None:
        reason, scales = _combine(op, quantised)
    location = str(op.location)
    if reason is None:
        _rewrite(op, quantised, scales)
    _record(context, location, reason)


def _record(context: PassContext, location: str, reason: str | None) -> None:
    context.records.append({
        "kind": "fold-qdq", "location": location, "decision": "left" if reason else "folded",
        "reason": reason or "scales moved behind the contraction",
    })  # fmt: skip


def _combine(op: Any, sources: Sequence[Source]) -> tuple[str | None, dict[Axes, Array]]:
    """(reason not to fold, {}) or (None, scale by the dims of the result along which it varies)."""
    if not same_family(sources[0].storage, sources[1].storage):
        return f"its operands are stored as {sources[0].storage} and {sources[1].storage}", {}
    maps, contracted = utils.indexing_maps(op), dims_of(op).k
    result_dims = [utils.dim_position(expression) for expression in maps[-1].results]
    uniform = np.float64(1.0)
    scales: dict[Axes, Array] = {}
    for source, map_ in zip(sources, maps, strict=False):
        if not source.axes:
            uniform = uniform * np.float64(source.scale)
            continue
        dims = [utils.dim_position(map_.results[axis]) for axis in source.axes]
        if any(dim is None or dim in contracted or dim not in result_dims for dim in dims):
            return "a scale varies along the contracted dim", {}
        positions = tuple(result_dims.index(dim) for dim in dims)
        scale = source.scale.astype(np.float64).reshape([op.results[0].type.shape[p] for p in positions])
        scales[positions] = scales.get(positions, np.float64(1.0)) * scale
    first = next(iter(scales), ())
    scales[first] = np.asarray(scales.get(first, np.float64(1.0)) * uniform)
    if not all(scale.min(initial=_HUGE) >= _TINY and scale.max(initial=_TINY) <= _HUGE for scale in scales.values()):
        return "the product of its scales is not a normal f32", {}
    return None, scales


def _rewrite(op: Any, sources: Sequence[Source], scales: dict[Axes, Array]) -> None:
    """The contraction on stored operands, followed by the multiplication; an initial value that is not 0 is added."""
    result = op.results[0]
    shape, element = result.type.shape, result.type.element_type
    initial = utils.outputs_of(op)[0]
    context = op.context
    rank = len(shape)
    with ir.InsertionPoint(op), op.location:
        f32 = ir.F32Type.get(context)
        accumulator = utils.filled(utils.number(0.0, f32), shape)
        contraction = make_contraction(op, [s.stored() for s in sources], [accumulator], utils.indexing_maps(op))
        utils.copy_discardable(op, contraction)
        factors, constant = [], None
        for positions, scale in scales.items():
            if positions:
                expressions = [ir.AffineExpr.get_dim(position, context) for position in positions]
                where = ir.AffineMap.get(rank, 0, expressions, context)
                factors.append((utils.constant(elements_attribute(scale.astype(np.float32), context)), where))
            else:
                constant = float(np.float32(scale))
        scaled = scaled_result(contraction.results[0], factors, constant, initial, element)
    result.replace_all_uses_with(scaled)
    op.erase()
