# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-channels-last`: convolutions read and write tensors whose innermost dim is the channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

from fovea.bindings import ir, linalg
from fovea.codegen.problem import is_matrix_convolution
from fovea.codegen.structured import dims_of as dims_of_expression
from fovea.dialect.quantize import PER_TENSOR, axis_of
from fovea.passes import ir_utils as utils
from fovea.passes.contraction import dims_of
from fovea.passes.contraction_layout import make_contraction, transpose, transposed
from fovea.passes.kernel_groups import MATRIX_TYPES
from fovea.passes.padding import amounts_of, filler_of, pad
from fovea.passes.registry import PassContext, register

ALIGNMENT = 4  # channels that are read together, and results that are stored together
LEAST = 3  # channels of which there are enough to be made a multiple of that by zeros
MARK = "fovea.channels_last"  # unit attribute on the transposes of results, while the pass runs
_QUANTIZATION = ("fovea.quantize", "fovea.dequantize")
Order = list[int]  # dim i of a permuted tensor is dim order[i] of the tensor


@register
@dataclass(frozen=True)
class ChannelsLast:
    """Lay tensors out for convolution kernels, which sum over the window and, innermost, over the channels.

    Of a convolution with 3 input channels (a group) or more, the input is read with the channels last, and the filter
    as output channel, window, input channel, both with zeros up to a multiple of 4 channels; with a multiple of 4
    output channels, the result is computed with the channels last. Transposes make the difference: those of filters are
    folded into the weights later, those of inputs lie below the zeros around them and become part of the kernel that
    computes the tensor. The transpose of a result moves down through elementwise ops, quantisation and poolings, so
    that it meets the next convolution's and both vanish. Depthwise convolutions are left as they are.

    Before:

        %r = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x4x8x8xf16>, tensor<8x4x3x3xf16>) outs(%z : ...) -> ...

    After:

        %xt = linalg.transpose ins(%x : tensor<1x4x8x8xf16>) outs(... : tensor<1x8x8x4xf16>) permutation = [0, 2, 3, 1]
        %wt = linalg.transpose ins(%w : tensor<8x4x3x3xf16>) outs(... : tensor<8x3x3x4xf16>) permutation = [0, 2, 3, 1]
        %rt = linalg.generic {...} ins(%xt, %wt : ...) outs(... : tensor<1x6x6x8xf32>) {...}  // the convolution
        %r = linalg.transpose ins(%rt : ...) outs(... : tensor<1x8x6x6xf32>) permutation = [0, 3, 1, 2]
    """

    name: ClassVar[str] = "fovea-channels-last"

    def run(self, module: Any, context: PassContext) -> None:
        for function in utils.functions(module):
            for op in utils.body_ops(function):
                if op.name in _QUANTIZATION:
                    _move_below_quantization(op)
                elif not utils.is_linalg(op):
                    continue
                elif is_matrix_convolution(op.opview):
                    if tuple(str(value.type.element_type) for value in utils.inputs_of(op)) in MATRIX_TYPES:
                        _lay_out(op)
                elif len(op.results) == 1 and op.name != "linalg.transpose":
                    _move_below(op)
            for op in utils.body_ops(function):
                if MARK in op.attributes:
                    del op.attributes[MARK]
        utils.run_upstream(module, *utils.TIDY)


def _lay_out(op: Any) -> None:
    """Rewrite a convolution as one with its channels last."""
    maps, inputs, found = utils.indexing_maps(op), utils.inputs_of(op), linalg.infer_convolution_dimensions(op)
    dims = dims_of(op)
    window, channels = list(found.filter_loop), list(found.input_channel)
    count, missing = _extent(op, channels, maps[1], 1), 0
    orders = [_identity(map_) for map_ in maps]
    if dims.n and _extent(op, dims.n, maps[2], 2) % ALIGNMENT == 0:
        orders[2] = _order(maps[2], dims.batch, dims.n)
    if len(channels) == 1 and (count >= LEAST or count % ALIGNMENT == 0):
        missing = -count % ALIGNMENT
        orders[0] = _order(maps[0], dims.batch, channels)
        orders[1] = _order(maps[1], dims.n, window, channels)
    else:  # the filter's innermost dims are still to be those that are summed over
        orders[1] = _order(maps[1], dims.n, channels, window)
    if all(order == sorted(order) for order in orders) and not missing:
        return
    with ir.InsertionPoint(op), op.location:
        inputs = [_permuted(value, order) for value, order in zip(inputs, orders, strict=False)]
        if missing:
            inputs = [_more_channels(value, missing) for value in inputs]
        _replace(op, inputs, [_permuted_map(m, order) for m, order in zip(maps, orders, strict=True)], orders[2])


def _more_channels(value: Any, count: int) -> Any:
    """`value` with `count` zeros behind its innermost dim."""
    rank = value.type.rank
    return pad(value, [0] * rank, [0] * (rank - 1) + [count], ir.FloatAttr.get(value.type.element_type, 0.0))


def _replace(op: Any, inputs: Sequence[Any], maps: Sequence[Any], order: Order) -> None:
    """Replace `op` by a like one on `inputs` with `maps`, whose result is permuted by `order`, and undo that."""
    outputs = [_permuted(value, order) for value in utils.outputs_of(op)]
    new = make_contraction(op, inputs, outputs, maps)
    utils.copy_discardable(op, new)
    op.results[0].replace_all_uses_with(_back(new.results[0], order))
    op.erase()


def _back(value: Any, order: Order) -> Any:
    """What `_permuted` made `value` of, by a marked transpose."""
    if order == sorted(order):
        return value
    result = transpose(value, _inverse(order))
    result.owner.attributes[MARK] = ir.UnitAttr.get()
    return result


def _extent(op: Any, dims: Sequence[int], map_: Any, operand: int) -> int:
    """Product of the extents of dims that are dims of an operand."""
    shape = op.operands[operand].type.shape
    return prod(shape[axis] for axis, e in enumerate(map_.results) if utils.dim_position(e) in dims)


def _order(map_: Any, *last: Sequence[int]) -> Order:
    """The axes of an operand with those of each class of iteration dims in `last` moved behind, class by class."""

    def rank(axis: int) -> int:
        dim = utils.dim_position(map_.results[axis])
        return next((number for number, dims in enumerate(last, 1) if dim in dims), 0)

    return sorted(_identity(map_), key=rank)


def _identity(map_: Any) -> Order:
    return list(range(len(list(map_.results))))


def _inverse(order: Order) -> Order:
    return [order.index(axis) for axis in range(len(order))]


def _permuted_map(map_: Any, order: Order) -> Any:
    return ir.AffineMap.get(map_.n_dims, 0, [map_.results[axis] for axis in order], map_.context)


def _permuted(value: Any, order: Order) -> Any:
    """`value` with its axes in another order, at the insertion point: transposed below what is around it, and not at
    all if it is the transpose of a tensor in that order, or the same everywhere."""
    if order == sorted(order):
        return value
    op = utils.defining_op(value)
    filler = filler_of(op)
    if op is not None and filler is not None:
        low, high = amounts_of(op)
        return pad(_permuted(op.operands[0], order), [low[a] for a in order], [high[a] for a in order], filler)
    shape = [value.type.shape[axis] for axis in order]
    if op is not None and op.name == "linalg.fill":
        return linalg.fill(op.operands[0], outs=[utils.empty(shape, value.type.element_type)])
    if op is not None and op.name == "tensor.empty":
        return utils.empty(shape, value.type.element_type)
    found = transposed(value)
    if found is not None:
        source, before = found
        order = [before[axis] for axis in order]
        return source if order == sorted(order) else transpose(source, order)
    return transpose(value, order)


# --- moving the transposes of results down --------------------------------------------------------------------------


def _source_order(value: Any) -> Order | None:
    """The order of axes in which `value` (or what it is, with constants around it) was computed before a transpose of
    this pass; None if it is not such a tensor."""
    op = utils.defining_op(value)
    if op is not None and filler_of(op) is not None:
        op = utils.defining_op(op.operands[0])
    if op is None or MARK not in op.attributes:
        return None
    return _inverse(list(ir.DenseI64ArrayAttr(op.attributes["permutation"])))


def _move_below(op: Any) -> None:
    """Compute an elementwise op or a pooling in the order of the first transposed tensor that it reads."""
    maps, inputs = utils.indexing_maps(op), utils.inputs_of(op)
    orders = [_source_order(value) if utils.is_tensor(value.type) else None for value in inputs]
    found = [(map_, order) for map_, order in zip(maps, orders, strict=False) if order is not None]
    if not found or any(inner.name == "linalg.index" for inner in utils.nested_ops(op)):
        return
    result = _result_order(*found[0], maps[-1])
    if result is None:
        return
    with ir.InsertionPoint(op), op.location:
        for number, order in enumerate(orders):
            if order is not None:
                inputs[number] = _permuted(inputs[number], order)
                maps[number] = _permuted_map(maps[number], order)
        maps[-1] = _permuted_map(maps[-1], result)
        _replace(op, inputs, maps, result)


def _result_order(read: Any, order: Order, written: Any) -> Order | None:
    """The axes of a result in the order of the axes of a tensor that decide them; None if it is not one each."""
    dims = [utils.dim_position(expression) for expression in written.results]
    result = []
    for axis in order:
        deciding = [dims.index(d) for d in sorted(dims_of_expression(read.results[axis])) if d in dims]
        if len(deciding) != 1:
            return None
        result += deciding
    return result if sorted(result) == list(range(len(dims))) else None


def _move_below_quantization(op: Any) -> None:
    """Quantise or dequantise, with one scale, the tensor that was transposed."""
    order = _source_order(op.operands[0])
    if order is None or axis_of(op) != PER_TENSOR:
        return
    with ir.InsertionPoint(op), op.location:
        value = _permuted(op.operands[0], order)
        type_ = utils.tensor_type(value.type.shape, op.results[0].type.element_type)
        new = ir.Operation.create(op.name, results=[type_], operands=[value], attributes=utils.attributes_of(op))
        op.results[0].replace_all_uses_with(_back(new.results[0], order))
    op.erase()
