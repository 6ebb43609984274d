# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea.scaled_contract`: a contraction whose operands have scales that vary along the contracted dim."""

from collections.abc import Sequence
from typing import Any

from fovea.bindings import ext, ir
from fovea.dialect.base import FoveaDialect, fail, well_formed
from fovea.dialect.dynamic_quantize import SCALE_TYPES
from fovea.dialect.quantize import STORAGE_MAX


class ScaledContractOp(FoveaDialect.Operation, name="scaled_contract", traits=[ext.Pure]):  # type: ignore[name-defined, misc, call-arg]
    """`result = sum over the contracted dims of lhs * lhs_scale * rhs * rhs_scale`, added in f32.

    One indexing map an operand and the result, over one iteration space. The maps of lhs, rhs and result have dims
    only, and a dim that the result lacks is contracted. Those of the scales may divide: `k floordiv 128` is one scale
    for 128 positions of k. An operand without scales leaves its scale out (`operandSegmentSizes`). Products of a block
    of k may be added before they are multiplied by the scales.

        %r = "fovea.scaled_contract"(%q, %p, %s) {
          indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                           affine_map<(m, n, k) -> (n, k floordiv 128)>, affine_map<(m, n, k) -> (m, n)>],
          operandSegmentSizes = array<i32: 1, 1, 0, 1>}
            : (tensor<4x256xf8E4M3FNUZ>, tensor<8x256xf8E4M3FNUZ>, tensor<8x2xf32>) -> tensor<4x8xf32>
    """

    lhs: ext.Operand[Any]
    rhs: ext.Operand[Any]
    lhs_scale: ext.Operand[Any] | None
    rhs_scale: ext.Operand[Any] | None
    indexing_maps: ir.ArrayAttr
    result: ext.Result[Any]

    def verify_invariants(self) -> bool:
        return not well_formed(self, 2, 1, indexing_maps=ir.ArrayAttr) or _verify(self)


def scales_of(op: Any) -> list[tuple[Any, Any] | None]:
    """(scale tensor, its indexing map) of lhs and of rhs, None where there is none."""
    maps = [ir.AffineMapAttr(attribute).value for attribute in ir.ArrayAttr(op.attributes["indexing_maps"])]
    present = list(ir.DenseI32ArrayAttr(op.attributes["operandSegmentSizes"]))[2:]
    pairs = list(zip(op.operands, maps, strict=False))[2:]
    return [pairs.pop(0) if size else None for size in present]


def _verify(op: Any) -> bool:
    attributes = list(ir.ArrayAttr(op.attributes["indexing_maps"]))
    if not all(isinstance(attribute, ir.AffineMapAttr) for attribute in attributes):
        return fail(op, f"expects 'indexing_maps' to hold affine maps, found {op.attributes['indexing_maps']}")
    maps = [ir.AffineMapAttr(attribute).value for attribute in attributes]
    values = [*op.operands, op.results[0]]
    if len(maps) != len(values):
        return fail(op, f"expects one indexing map an operand and the result ({len(values)}), found {len(maps)}")
    for position, (value, map_) in enumerate(zip(values, maps, strict=True)):
        if not isinstance(value.type, ir.RankedTensorType) or not value.type.has_static_shape:
            return fail(op, f"expects ranked tensors of static shape, found {value.type} at position {position}")
        if map_.n_dims != maps[0].n_dims or len(map_.results) != value.type.rank:
            return fail(op, f"expects map {position} to take {maps[0].n_dims} dims to rank {value.type.rank}, "
                            f"found {map_}")  # fmt: skip
    return _verify_types(op, values) and _verify_sizes(op, values, maps)


def _verify_types(op: Any, values: Sequence[Any]) -> bool:
    elements = [str(value.type.element_type) for value in values]
    for element in elements[:2]:
        if element not in STORAGE_MAX:
            return fail(op, f"expects lhs and rhs to hold one of {', '.join(STORAGE_MAX)}, found {element}")
    for element in elements[2:-1]:
        if element not in SCALE_TYPES:
            return fail(op, f"expects scales of {' or '.join(SCALE_TYPES)}, found {element}")
    if elements[-1] != "f32":
        return fail(op, f"expects a result of f32, found {elements[-1]}")
    return True


def _verify_sizes(op: Any, values: Sequence[Any], maps: Sequence[Any]) -> bool:
    """lhs, rhs and result are read by dims, each of one size; scales stay within their tensors."""
    sizes: dict[int, int] = {}
    for position in (0, 1, len(values) - 1):
        for axis, expression in enumerate(maps[position].results):
            if not isinstance(expression, ir.AffineDimExpr):
                return fail(op, f"expects the maps of lhs, rhs and result to hold dims only, found {maps[position]}")
            extent = values[position].type.shape[axis]
            if sizes.setdefault(expression.position, extent) != extent:
                return fail(op, f"expects one size along d{expression.position}, found {sizes[expression.position]} "
                                f"and {extent} (axis {axis} of {values[position].type})")  # fmt: skip
    if len(sizes) != maps[0].n_dims:
        return fail(op, f"expects each of {maps[0].n_dims} dims in the map of lhs, rhs or result")
    for value, map_ in zip(values[2:-1], maps[2:-1], strict=True):
        for axis, expression in enumerate(map_.results):
            wanted = _extent(expression, sizes)
            if wanted is None:
                return fail(op, f"expects maps of scales to hold dims, dims divided by a number, and 0, found {map_}")
            if wanted != value.type.shape[axis]:
                return fail(op, f"expects {wanted} scales along axis {axis}, found {value.type}")
    return True


def _extent(expression: Any, sizes: dict[int, int]) -> int | None:
    """How many positions of a scale's axis an iteration space of `sizes` reads; None for a form that is not allowed."""
    if isinstance(expression, ir.AffineConstantExpr):
        return 1 if expression.value == 0 else None
    if isinstance(expression, ir.AffineDimExpr):
        return sizes.get(expression.position)
    if isinstance(expression, ir.AffineFloorDivExpr):
        dim, block = expression.lhs, expression.rhs
        if isinstance(dim, ir.AffineDimExpr) and isinstance(block, ir.AffineConstantExpr):
            return -(-sizes[dim.position] // block.value)
    return None
