# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Contractions and convolutions as a stack of matrix products: (batch, rows, k) by (batch, n, k).

Groups of a convolution are a batch. A row is a position of the output image; its k is the window times the input
channels of a group (im2col), several contracted dims are flattened to one k. Both operands have k in the order of
`fovea.passes.contraction.Dims.k`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.executor.affine import Map, linear_form
from fovea.passes import ir_utils as utils
from fovea.passes.contraction import Dims, dims_of
from fovea.passes.index_values import loop_sizes

Array = np.ndarray[Any, Any]
PIECE = 1 << 23
"""Elements of a stack of rows that exist at once: an element of an image is in as many rows as a window has places."""


def stack_dims(op: Any) -> Dims | None:
    """The dims of a contraction or convolution by role; None if one of them is of none (only one operand has it)."""
    dims = dims_of(op)
    known = {*dims.batch, *dims.m, *dims.n, *dims.k}
    return dims if len(known) == utils.indexing_maps(op)[0].n_dims else None


@dataclass(frozen=True)
class Stack:
    """How the operand of a contraction or convolution lies in the stack.

    forms: of each axis of the operand the terms (dim, coefficient) that add up to the position along it, dims counted
    from 0 in the order batch, own, contracted. sizes: the extents of these dims. batch, own: how many of each.
    """

    forms: tuple[tuple[tuple[int, int], ...], ...]
    sizes: tuple[int, ...]
    batch: int
    own: int

    @staticmethod
    def of(op: Any, side: int, dims: Dims) -> Stack | None:
        """That of an operand; None if it is read at positions that are not sums of multiples of dims."""
        map_, extents = utils.indexing_maps(op)[side], loop_sizes(op, utils.indexing_maps(op))
        own = dims.n if side == 1 else dims.m
        order = (*dims.batch, *own, *dims.k)
        forms = []
        for expression in map_.results:
            form = linear_form(expression)
            if form is None or form[1] != 0 or not set(form[0]) <= set(order):
                return None
            forms.append(tuple(sorted((order.index(dim), factor) for dim, factor in form[0].items())))
        return Stack(tuple(forms), tuple(extents[dim] for dim in order), len(dims.batch), len(own))

    @property
    def shape(self) -> tuple[int, int, int]:
        """(batch, rows, k), rows being the operand's own positions."""
        first, last = self.batch, self.batch + self.own
        return math.prod(self.sizes[:first]), math.prod(self.sizes[first:last]), math.prod(self.sizes[last:])

    def pieces(self, operand: Array) -> Iterator[Array]:
        """The stack of an operand as (batch, some of the rows, k), not more than about PIECE elements at once."""
        forms = tuple((dict(form), 0) for form in self.forms)
        view = Map(None, len(self.sizes), forms).view(operand, self.sizes)
        batch, rows, k = self.shape
        own = range(self.batch, self.batch + self.own)
        cut = max(own, key=lambda d: self.sizes[d], default=None)
        if cut is None or batch * rows * k <= PIECE:
            yield view.reshape(batch, rows, k)
            return
        step = max(1, PIECE * self.sizes[cut] // (batch * rows * k))
        for low in range(0, self.sizes[cut], step):
            part = view[(slice(None),) * cut + (slice(low, low + step),)]
            yield part.reshape(batch, -1, k)

    # -- operands whose axes are dims each, as those of weights are ---------------------------------------------

    @property
    def axes(self) -> tuple[int, ...] | None:
        """The operand's axes in the order of the stack's dims; None unless each axis is one dim."""
        places = [form[0][0] if len(form) == 1 and form[0][1] == 1 else None for form in self.forms]
        if None in places or sorted(places) != list(range(len(self.sizes))):  # type: ignore[type-var]
            return None
        return tuple(places.index(dim) for dim in range(len(self.sizes)))

    def matrices(self, tensor: Array) -> Array:
        """A tensor of the operand's shape as (batch, rows, k), dtype kept. Needs `axes`."""
        assert self.axes is not None
        return tensor.transpose(self.axes).reshape(self.shape)

    def tensor(self, matrices: Array) -> Array:
        """The inverse of `matrices`."""
        assert self.axes is not None
        return np.asarray(matrices.reshape(self.sizes).transpose(np.argsort(self.axes)))


def dims_by_axis(op: Any, side: int, axes: Sequence[int]) -> list[int | None]:
    """The dim of the iteration space that each of an operand's axes is, None for any other expression."""
    results = utils.indexing_maps(op)[side].results
    return [utils.dim_position(results[axis]) for axis in axes]
