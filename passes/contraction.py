# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Contractions as quantisation sees them: their dims, which operand is which, and how to call them in a report."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fovea.bindings import ir, linalg
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
    """The roles of the dims of a contraction."""
    found = linalg.infer_contraction_dimensions(op)
    return Dims(tuple(found.batch), tuple(found.m), tuple(found.n), tuple(found.k))


def shape_of(op: Any) -> dict[str, int]:
    """Extents of m, n, k and batch, each the product over the dims of that role."""
    sizes = loop_sizes(op, utils.indexing_maps(op))
    dims = dims_of(op)
    return {role: math.prod(sizes[d] for d in getattr(dims, role)) for role in ("m", "n", "k", "batch")}


def flops_of(op: Any) -> int:
    """Floating-point operations of a contraction or convolution: a multiplication and an addition a step."""
    return 2 * math.prod(loop_sizes(op, utils.indexing_maps(op)))


def channel_axis(op: Any, side: int) -> int | None:
    """The axis of an operand that is its own (n of the right one, m of the left one); None unless there is just one."""
    own = dims_of(op).n if side == RHS else dims_of(op).m
    axes = [
        axis
        for axis, expression in enumerate(utils.indexing_maps(op)[side].results)
        if utils.dim_position(expression) in own
    ]
    return axes[0] if len(axes) == 1 else None


def is_convolution(op: Any) -> bool:
    """Whether `op` is a convolution (not a pooling)."""
    if op.name.startswith(_CONVOLUTIONS):
        return True
    return op.name == "linalg.generic" and not is_contraction(op) and bool(linalg.isa_convolution_op(op))


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
