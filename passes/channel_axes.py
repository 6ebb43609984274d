# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where the axes along which a scale varies end up after reshapes, transposes and padding."""

from __future__ import annotations

from math import prod
from typing import Any

from fovea.bindings import ir
from fovea.passes import ir_utils as utils

Axes = tuple[int, ...]


def through_view(view: Any, axes: Axes) -> Axes | None:
    """The axes of the result of `view` along which its operand varies along `axes`, None if that is not so simple.

    The scale keeps its row-major order: an expanded axis becomes several, and several that are collapsed become one.
    Unit dims that a reshape adds are left out.
    """
    if not axes:
        return ()
    if view.name == "linalg.transpose":
        moved = [list(ir.DenseI64ArrayAttr(view.attributes["permutation"])).index(axis) for axis in axes]
        return tuple(moved) if moved == sorted(moved) else None
    if view.name == "tensor.pad":
        same = all(view.results[0].type.shape[axis] == view.operands[0].type.shape[axis] for axis in axes)
        return axes if same else None
    if view.name not in ("tensor.expand_shape", "tensor.collapse_shape"):
        return None
    reassociation = ir.ArrayAttr(view.attributes["reassociation"])
    groups = [[ir.IntegerAttr(axis).value for axis in ir.ArrayAttr(group)] for group in reassociation]
    if view.name == "tensor.expand_shape":
        shape = view.results[0].type.shape
        expanded = [[axis for axis in groups[a] if shape[axis] != 1] or groups[a][:1] for a in axes]
        return tuple(axis for group in expanded for axis in group)
    shape, result = view.operands[0].type.shape, []
    for number, group in enumerate(groups):
        varying = [axis for axis in group if axis in axes]
        if varying:
            if prod(shape[axis] for axis in varying) != prod(shape[axis] for axis in group):
                return None
            result.append(number)
    return tuple(result)


def merge_axes(value: Any, axes: Axes) -> Any:
    """`value` with neighbouring axes collapsed to one, at the insertion point."""
    shape, first, end = list(value.type.shape), axes[0], axes[-1] + 1
    merged = [*shape[:first], prod(shape[first:end]), *shape[end:]]
    groups = [[a] for a in range(first)] + [list(axes)] + [[a] for a in range(end, len(shape))]
    return ir.Operation.create(
        "tensor.collapse_shape",
        results=[utils.tensor_type(merged, value.type.element_type)],
        operands=[value],
        attributes={"reassociation": _reassociation(groups)},
    ).results[0]


def split_like(value: Any, merged: Any) -> Any:
    """`value` expanded as the operand of `merged`, the result of `merge_axes`, is; at the insertion point."""
    collapse = utils.defining_op(merged)
    assert collapse is not None
    shape = list(collapse.operands[0].type.shape)
    return ir.Operation.create(
        "tensor.expand_shape",
        results=[utils.tensor_type(shape, value.type.element_type)],
        operands=[value],
        attributes={
            "reassociation": collapse.attributes["reassociation"],
            "static_output_shape": ir.DenseI64ArrayAttr.get(shape),
        },
    ).results[0]


def _reassociation(groups: list[list[int]]) -> Any:
    i64 = ir.IntegerType.get_signless(64)
    return ir.ArrayAttr.get([ir.ArrayAttr.get([ir.IntegerAttr.get(i64, a) for a in group]) for group in groups])
