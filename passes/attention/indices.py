# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Indices through ops that only lay out elements: reshapes and slices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from fovea.bindings import ir
from fovea.passes.attention.expression import DYNAMIC, Index, NotLayout, split_index
from fovea.passes.ir_utils import is_tensor


class Opaque(Exception):
    """An op that has no expression; its results become `opaque` leaves."""


def shape_of(value: Any) -> list[int]:
    """Extents of a tensor value, DYNAMIC where not known."""
    type_ = value.type
    return [DYNAMIC if type_.is_dynamic_dim(i) else type_.get_dim_size(i) for i in range(type_.rank)]


def element_type(value: Any) -> str:
    """Element type of a tensor, or the type of a scalar, as text."""
    return str(value.type.element_type) if is_tensor(value.type) else str(value.type)


def reassociation(op: Any) -> list[list[int]]:
    """Groups of dims of an expand_shape or collapse_shape."""
    groups = re.findall(r"\[([\d, ]*)\]", str(op.attributes["reassociation"])[1:-1])
    return [[int(number) for number in group.split(",") if number.strip()] for group in groups]


def sliced_index(op: Any, index: Sequence[Index]) -> list[Index]:
    """The index into the source of an extract_slice that starts at 0 with stride 1. Raises Opaque for other slices."""
    offsets = list(ir.DenseI64ArrayAttr(op.attributes["static_offsets"]))
    sizes = list(ir.DenseI64ArrayAttr(op.attributes["static_sizes"]))
    strides = list(ir.DenseI64ArrayAttr(op.attributes["static_strides"]))
    if any(offsets) or any(stride != 1 for stride in strides):
        raise Opaque
    pending = list(zip(shape_of(op.results[0]), index, strict=True))
    result: list[Index] = []
    for position, size in enumerate(sizes):
        droppable = len(sizes) - position > len(pending)
        if pending and (pending[0][0] == size or size < 0) and not (droppable and size == 1 and pending[0][0] != 1):
            result.append(pending.pop(0)[1])
        elif size == 1:
            result.append(())
        else:
            raise Opaque
    if pending:
        raise Opaque
    return result


def reshaped_index(index: Sequence[Index], shape: Sequence[int], source: Sequence[int]) -> list[Index]:
    """The index into a tensor of extents `source` of which one of extents `shape` is a reshape.

    Dynamic extents pair up in order: a reshape that keeps their number keeps them. Raises NotLayout if the static dims
    between them do not agree.
    """
    result: list[Index] = []
    for outer, inner in zip(_runs(shape), _runs(source), strict=False):
        atoms = tuple(atom for position in outer for atom in index[position])
        result += split_index(atoms, [source[position] for position in inner])
    runs = [[len(_runs(dims)), *(DYNAMIC in [dims[p] for p in run] for run in _runs(dims))] for dims in (shape, source)]
    if runs[0] != runs[1]:
        raise NotLayout
    return result


def _runs(shape: Sequence[int]) -> list[list[int]]:
    """Positions of dims: each dynamic dim alone, static dims between them together."""
    runs: list[list[int]] = []
    for position, size in enumerate(shape):
        if size == DYNAMIC or not runs or shape[position - 1] == DYNAMIC:
            runs.append([])
        runs[-1].append(position)
    return runs
