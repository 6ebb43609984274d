# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantised weights of contractions as matrices (n, k), for passes that work on their values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.dialect.quantize import PER_TENSOR, axis_of, scale_array
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import WeightLike
from fovea.passes.contraction import dims_of, identity_of
from fovea.passes.contraction_layout import is_contraction

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class QuantisedWeight:
    """A contraction whose operand `side` is a dequantised weight, without batch dims.

    order: the weight's axes as (its own dims..., contracted dims...).
    """

    contraction: Any
    identity: str
    side: int
    quantize: Any
    order: tuple[int, ...]
    contracted: int

    def matrix(self, weight: Array) -> Array:
        """The weight as (n, k) f64."""
        moved = weight.transpose(self.order)
        k = math.prod(moved.shape[moved.ndim - self.contracted :])
        return moved.reshape(-1, k).astype(np.float64)

    def tensor(self, matrix: Array, shape: tuple[int, ...]) -> Array:
        """The inverse of `matrix` for a weight of `shape`."""
        moved = matrix.reshape([shape[axis] for axis in self.order])
        return np.asarray(moved.transpose(np.argsort(self.order)))

    def scales(self, shape: tuple[int, ...]) -> Array:
        """The f32 scale of each element, (n, k) by broadcasting: (n, 1) or (1, 1)."""
        axis, scale = axis_of(self.quantize), scale_array(self.quantize)
        full = scale.reshape([1] * len(shape)) if axis == PER_TENSOR else scale.reshape(
            [-1 if d == axis else 1 for d in range(len(shape))]
        )
        return np.asarray(self.tensor_to_matrix(np.broadcast_to(full, shape)))

    def tensor_to_matrix(self, tensor: Array) -> Array:
        """A tensor of the weight's shape as (n, k), dtype kept."""
        moved = tensor.transpose(self.order)
        return moved.reshape(-1, math.prod(moved.shape[moved.ndim - self.contracted :]))


def quantised_weights(function: Any) -> Iterator[tuple[QuantisedWeight | None, Any, str]]:
    """(weight, contraction, reason): each contraction with a statically quantised weight, None and why not for others.

    The function must not be rewritten while this runs: make a list of it first.
    """
    is_weight = WeightLike()
    for op in utils.body_ops(function):
        identity = identity_of(op)
        if identity is None or not is_contraction(op):
            continue
        for side, value in enumerate(utils.inputs_of(op)):
            dequantize = utils.defining_op(value)
            if dequantize is None or not dequantize.name.startswith("fovea.") or not is_weight(value):
                continue
            if dequantize.name != "fovea.dequantize":
                yield None, op, "its scales are one a block"
                continue
            quantize = utils.defining_op(dequantize.operands[0])
            if quantize is None or quantize.name != "fovea.quantize":
                yield None, op, "its weight arrived quantised"
                continue
            dims = dims_of(op)
            if dims.batch:
                yield None, op, "it has batch dims"
                continue
            places = [utils.dim_position(expression) for expression in utils.indexing_maps(op)[side].results]
            contracted = [places.index(d) for d in dims.k]
            own = [axis for axis in range(len(places)) if axis not in contracted]
            yield QuantisedWeight(op, identity, side, quantize, (*own, *contracted), len(contracted)), op, ""


def element_name(quantize: Any) -> str:
    """The storage type of a quantize op as MLIR prints it."""
    return str(ir.RankedTensorType(quantize.results[0].type).element_type)
