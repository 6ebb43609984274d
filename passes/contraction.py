# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Contractions as quantisation sees them: their dims, which operand is which, and how to call them in a report.

A convolution is one too: its input is the left operand, its filter the right one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fovea.bindings import ir, linalg
from fovea.codegen.problem import is_matrix_convolution
from fovea.codegen.structured import is_sum_of_products
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import weight_names
from fovea.passes.contraction_layout import is_contraction
from fovea.passes.index_values import loop_sizes

LHS, RHS = 0, 1
IDENTITY = "fovea.id"
"""Discardable attribute: what the report calls a contraction, and the capture that a quantize/dequantize came from."""
SIDES = ("lhs", "rhs")
_CONVOLUTIONS = ("linalg.conv", "linalg.depthwise_conv", "linalg.quantized_conv")


@dataclass(frozen=True)
class Dims:
    """Dims of the iteration space by role; m comes from the left operand, n from the right one."""

    batch: tuple[int, ...]
    m: tuple[int, ...]
    n: tuple[int, ...]
    k: tuple[int, ...]


def dims_of(op: Any) -> Dims:
    """The roles of the dims of a contraction, or of a convolution: groups are a batch, batch and image are m, the
    filter's window and the input channels are k."""
    if is_contraction(op):
        found = linalg.infer_contraction_dimensions(op)
        return Dims(_numbers(found.batch), _numbers(found.m), _numbers(found.n), _numbers(found.k))
    found = linalg.infer_convolution_dimensions(op)
    m = (*_numbers(found.batch), *_numbers(found.output_image))
    k = (*_numbers(found.filter_loop), *_numbers(found.input_channel))
    return Dims(_numbers(found.depth), m, _numbers(found.output_channel), k)


def _numbers(array: Any) -> tuple[int, ...]:
    """The numbers of a dense array attribute: by position, as its iterator ends with an exception, which takes long."""
    return tuple([array[i] for i in range(len(array))])


def shape_of(op: Any, dims: Dims | None = None) -> dict[str, int]:
    """Extents of m, n, k and batch, each the product over the dims of that role (`dims`, if they are known already)."""
    sizes = loop_sizes(op, utils.indexing_maps(op))
    dims = dims or dims_of(op)
    return {role: math.prod(sizes[d] for d in getattr(dims, role)) for role in ("m", "n", "k", "batch")}


def flops_of(op: Any) -> int:
    """Floating-point operations of a contraction or convolution: a multiplication and an addition a step."""
    return 2 * math.prod(loop_sizes(op, utils.indexing_maps(op)))


def channel_axis(op: Any, side: int, dims: Dims) -> int | None:
    """The axis of an operand that is its own (n of the right one, m of the left one); None unless there is just one.

    dims: those of `op`.
    """
    axes = _axes_of(op, side, dims.n if side == RHS else dims.m)
    return axes[0] if len(axes) == 1 else None


def channel_axes(op: Any, side: int, dims: Dims) -> tuple[int, ...]:
    """The neighbouring axes of an operand that count its output channels: its own, for the filter of a grouped
    convolution those of group and channel in a group. Empty if there are none, or if they are not neighbours.

    dims: those of `op`.
    """
    if side == RHS and dims.batch and not is_contraction(op):
        axes = _axes_of(op, side, (*dims.batch, *dims.n))
        if len(axes) == len(dims.batch) + len(dims.n) and axes == list(range(axes[0], axes[0] + len(axes))):
            return tuple(axes)
    axis = channel_axis(op, side, dims)
    return () if axis is None else (axis,)


def _axes_of(op: Any, side: int, dims: tuple[int, ...]) -> list[int]:
    """The axes of an operand that are one of `dims`."""
    expressions = linalg.get_indexing_maps(op)[side].value.results
    return [axis for axis, expression in enumerate(expressions) if utils.dim_position(expression) in dims]


def is_product(op: Any) -> bool:
    """Whether `op` is work for matrix instructions: a contraction, or a convolution that is not depthwise."""
    if not utils.is_linalg(op):
        return False
    # Most ops are neither; MLIR says so of both before anything is made of them here.
    return is_contraction(op) or (bool(linalg.isa_convolution_op(op)) and is_matrix_convolution(op.opview))


def is_convolution(op: Any) -> bool:
    """Whether `op` is a convolution, depthwise or not (not a pooling)."""
    if op.name.startswith(_CONVOLUTIONS):
        return True
    if op.name != "linalg.generic" or not linalg.isa_convolution_op(op) or is_contraction(op):
        return False
    return is_sum_of_products(op.opview)


def why_no_product(op: Any) -> str:
    """Why a convolution is no work for matrix instructions."""
    if utils.num_inputs(op) != 2:
        return "an integer convolution with zero points"
    if not is_sum_of_products(op.opview):
        return "it does not sum plain products"
    return "a depthwise convolution: it sums over the window of one channel, too little for matrix instructions"


def identity_of(op: Any) -> str | None:
    """The id that a contraction or a quantize/dequantize op carries, None if it has none."""
    return ir.StringAttr(op.attributes[IDENTITY]).value if IDENTITY in op.attributes else None


def location_name(op: Any) -> str | None:
    """The name in the op's location (`loc("name")`, within fused and call-site locations too), None if it has none."""
    pending = [op.location]
    while pending:
        location = pending.pop(0)
        if isinstance(location, ir.NameLoc):
            return str(location.name_str)
        if isinstance(location, ir.FusedLoc):
            pending += list(location.locations)
        elif isinstance(location, ir.CallSiteLoc):
            pending += [location.callee, location.caller]
    return None


def names_of(op: Any, function: Any, position: int, is_weight: Callable[[Any], bool]) -> list[str]:
    """What a contraction may be called, best first: its location's name, its weight's name, FUNCTION.OP_POSITION."""
    names = [location_name(op)]
    for operand in filter(is_weight, utils.inputs_of(op)):
        names += [name.removesuffix(".weight") for name in weight_names(operand)[:1]]
    function_name = ir.StringAttr(function.attributes["sym_name"]).value
    names.append(f"{function_name}.{op.name.removeprefix('linalg.')}_{position}")
    return [name for name in names if name]
