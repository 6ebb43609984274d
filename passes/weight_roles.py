# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantised weights of contractions and convolutions as stacks of matrices, for passes that work on their values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.dialect.dynamic_quantize import block_of
from fovea.dialect.quantize import PER_TENSOR, axis_of, scale_array
from fovea.executor.dynamic_ops import spread
from fovea.executor.folding import evaluate
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import WeightLike
from fovea.passes.contraction import identity_of, is_product
from fovea.passes.matrix_stack import Stack, stack_dims
from fovea.passes.padding import VIEWS

Array = np.ndarray[Any, Any]
QUANTIZE = {"fovea.dequantize": "fovea.quantize", "fovea.dynamic_dequantize": "fovea.dynamic_quantize"}


@dataclass(frozen=True)
class QuantisedWeight:
    """A contraction or convolution whose operand `side` is a dequantised weight, perhaps reshaped.

    quantize: the op that quantises it, statically or by blocks. shape: of the operand. stack: how the operand lies in
    the stack of matrices (batch, n, k) that the op multiplies by.
    """

    contraction: Any
    identity: str
    side: int
    quantize: Any
    shape: tuple[int, ...]
    stack: Stack

    def matrices(self, weight: Array) -> Array:
        """A tensor of the quantised weight's shape as (batch, n, k), dtype kept."""
        return self.stack.matrices(weight.reshape(self.shape))

    def tensor(self, matrices: Array) -> Array:
        """The inverse of `matrices`."""
        return self.stack.tensor(matrices).reshape(self.quantize.operands[0].type.shape)

    def scales(self, weights: Any) -> Array:
        """The f32 scale of each element, (batch, n, k)."""
        shape = list(self.quantize.operands[0].type.shape)
        if self.quantize.name == "fovea.dynamic_quantize":
            (scale,) = evaluate([self.quantize.results[1]], weights)
            full = spread(scale, block_of(self.quantize), shape)
        else:
            axis, scale = axis_of(self.quantize), scale_array(self.quantize)
            full = scale.reshape([-1 if d == axis != PER_TENSOR else 1 for d in range(len(shape))])
        return self.matrices(np.broadcast_to(full, shape))

    def same_matrices(self, other: QuantisedWeight) -> bool:
        """Whether both ops see the quantised weight as the same matrices."""
        return self.shape == other.shape and self.stack == other.stack


def quantised_weights(function: Any) -> Iterator[tuple[QuantisedWeight | None, Any, str]]:
    """(weight, op, reason): each contraction and convolution with a quantised weight, None and why not for others.

    The function must not be rewritten while this runs: make a list of it first.
    """
    is_weight = WeightLike()
    for op in utils.body_ops(function):
        identity = identity_of(op)
        if identity is None or not is_product(op):
            continue
        for side, value in enumerate(utils.inputs_of(op)):
            dequantize = utils.defining_op(value)
            while dequantize is not None and dequantize.name in VIEWS:
                dequantize = utils.defining_op(dequantize.operands[0])
            if dequantize is None or dequantize.name not in QUANTIZE or not is_weight(value):
                continue
            quantize = utils.defining_op(dequantize.operands[0])
            if quantize is None or quantize.name != QUANTIZE[dequantize.name]:
                yield None, op, "its weight arrived quantised"
                continue
            dims = stack_dims(op)
            stack = Stack.of(op, side, dims) if dims is not None else None
            if stack is None or stack.axes is None:
                yield None, op, "it is no stack of matrix products: it adds over a dim of one operand alone"
                continue
            yield QuantisedWeight(op, identity, side, quantize, tuple(value.type.shape), stack), op, ""


def element_name(quantize: Any) -> str:
    """The storage type of a quantize op as MLIR prints it."""
    return str(ir.RankedTensorType(quantize.results[0].type).element_type)
