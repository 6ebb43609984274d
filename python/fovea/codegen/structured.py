# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What kernels ask of ops: indexing maps, extents of iteration spaces, who defines a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fovea.bindings import ir, linalg
from fovea.errors import UnsupportedOpError


def unsupported(op: Any, why: str) -> UnsupportedOpError:
    """An error that names op and location."""
    return UnsupportedOpError(f"{op.location}: '{op.operation.name}' {why}")


def as_map(map_: Any) -> Any:
    """An AffineMap from a map or the attribute that holds one."""
    return map_.value if hasattr(map_, "value") else map_


def maps_of(op: Any) -> list[Any]:
    """The indexing maps of a linalg op, or of an op of the fovea dialect that has some."""
    own = op.operation.name.startswith("fovea.")
    return [as_map(m) for m in (op.attributes["indexing_maps"] if own else linalg.get_indexing_maps(op))]


def dims_of(expression: Any) -> set[int]:
    """Positions of the dims in an affine expression."""
    if isinstance(expression, ir.AffineDimExpr):
        return {expression.position}
    if isinstance(expression, ir.AffineBinaryExpr):
        return dims_of(expression.lhs) | dims_of(expression.rhs)
    return set()


def iteration_extents(op: Any, maps: Sequence[Any]) -> list[int]:
    """Extents of a structured op's iteration space, from its operands' shapes."""
    extents = [1] * maps[0].n_dims
    for operand, map_ in zip(op.operands, maps, strict=True):
        if isinstance(operand.type, ir.RankedTensorType):
            for expression, extent in zip(map_.results, operand.type.shape, strict=True):
                if isinstance(expression, ir.AffineDimExpr):
                    extents[expression.position] = extent
    return extents


def owner_of(value: Any) -> Any | None:
    """The op that defines `value`, None for a block argument."""
    owner = value.owner
    return None if isinstance(owner, ir.Block) else owner.opview


def uniform_value(value: Any) -> float | int | None:
    """The number that a tensor (a fill or constant) is known to hold everywhere, None if not known."""
    op = owner_of(value)
    if op is not None and op.operation.name == "linalg.fill":
        return uniform_value(op.operands[0])
    if op is None or op.operation.name != "arith.constant":
        return None
    attribute = op.attributes["value"]
    if isinstance(attribute, ir.DenseElementsAttr):
        if not attribute.is_splat:
            return None
        attribute = attribute.get_splat_value()
    return attribute.value if isinstance(attribute, (ir.FloatAttr, ir.IntegerAttr, ir.BoolAttr)) else None


_WIDENINGS = ("arith.extf", "arith.extsi", "arith.extui")


def is_sum_of_products(op: Any) -> bool:
    """Whether the body of a structured op of two inputs adds their product, widened or not, to its accumulator."""
    if len(op.results) != 1 or len(op.operands) != 3:
        return False
    block = op.regions[0].blocks[0]
    left, right, accumulator = block.arguments
    total = owner_of(block.operations[len(block.operations) - 1].operands[0])
    if total is None or total.operation.name not in ("arith.addf", "arith.addi"):
        return False
    terms = list(total.operands)
    if accumulator not in terms:
        return False
    product = owner_of(terms[1 - terms.index(accumulator)])
    if product is None or product.operation.name not in ("arith.mulf", "arith.muli"):
        return False
    factors = []
    for factor in product.operands:
        widening = owner_of(factor)
        factors.append(widening.operands[0] if widening and widening.operation.name in _WIDENINGS else factor)
    return factors in ([left, right], [right, left])
