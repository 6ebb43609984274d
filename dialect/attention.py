# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea.attention`: softmax(score(Q . K)) . V with the pointwise score chain as a region."""

from collections.abc import Sequence
from typing import Any

from fovea.bindings import ext, ir
from fovea.dialect.base import FoveaDialect, fail, well_formed

FLOATS = ("f16", "bf16", "f32", "f64")
SCORE_OPERANDS = 8  # the most that one site may have
INNER_DIMS = 4  # q, kv, k, d: the last four dims of the iteration space


class AttentionOp(FoveaDialect.Operation, name="attention"):  # type: ignore[name-defined, misc, call-arg]
    """One attention site, whole.

    The iteration space is `(batch..., q, kv, k, d)`: the last four dims are query position, key position, the depth
    that Q.K contracts, and the depth of V. With S = sum over k of Q*K (accumulated in f32, f64 for f64 operands):

        P = softmax over kv of region(S, score operands...);   result = sum over kv of P * V

    Operands: query, key, value, then up to SCORE_OPERANDS score operands; `operandSegmentSizes` says how many
    (`operand_segments`). `indexing_maps`: one map an operand and a result. Query reads (batch..., q, k), key
    (batch..., kv, k), value (batch..., kv, d), score operands any of (batch..., q, kv), the result (batch..., q, d),
    each in any order; a batch dim may be absent, or appear as `d floordiv N` (grouped-query attention). The optional
    second result is the log-sum-exp of the scores over (batch..., q), in the type that they are summed in. The region's
    block takes the score and one scalar an operand, and yields the new score.

        %o = "fovea.attention"(%q, %k, %v, %mask) ({
          ^bb0(%s: f32, %m: f32):
            %0 = arith.mulf %s, %scale : f32
            %1 = arith.addf %0, %m : f32
            "fovea.yield"(%1) : (f32) -> ()
        }) {indexing_maps = [
          affine_map<(b, h, q, n, k, d) -> (b, h, q, k)>, affine_map<(b, h, q, n, k, d) -> (b, h, n, k)>,
          affine_map<(b, h, q, n, k, d) -> (b, h, n, d)>, affine_map<(b, h, q, n, k, d) -> (b, n)>,
          affine_map<(b, h, q, n, k, d) -> (b, h, q, d)>],
          operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0>}
        : (tensor<2x4x8x16xf32>, ..., tensor<2x8xf32>) -> tensor<2x4x8x16xf32>

    See FlashAttention (Dao et al., 2022) for the form in which it is computed.
    """

    query: ext.Operand[Any]
    key: ext.Operand[Any]
    value: ext.Operand[Any]
    # Not one variadic operand: IRDL asks the values of a variadic to be of one type, and a mask and a bias are not.
    score0: ext.Operand[Any] | None
    score1: ext.Operand[Any] | None
    score2: ext.Operand[Any] | None
    score3: ext.Operand[Any] | None
    score4: ext.Operand[Any] | None
    score5: ext.Operand[Any] | None
    score6: ext.Operand[Any] | None
    score7: ext.Operand[Any] | None
    indexing_maps: ir.ArrayAttr
    output: ext.Result[Any]
    log_sum_exp: ext.Result[Any] | None
    score: ext.Region

    def verify_invariants(self) -> bool:
        return not well_formed(self, 3, 0, indexing_maps=ir.ArrayAttr) or _verify(self)


def operand_segments(score_operands: int, context: Any = None) -> Any:
    """The attribute `operandSegmentSizes` of an attention with that many score operands."""
    sizes = [1] * (3 + score_operands) + [0] * (SCORE_OPERANDS - score_operands)
    return ir.DenseI32ArrayAttr.get(sizes, context)


def _verify(op: Any) -> bool:
    operands, results = list(op.operands), list(op.results)
    if len(results) not in (1, 2):
        return fail(op, f"expects the output and optionally the log-sum-exp as results, found {len(results)} results")
    attributes = list(ir.ArrayAttr(op.attributes["indexing_maps"]))
    if not all(isinstance(attribute, ir.AffineMapAttr) for attribute in attributes):
        return fail(op, f"expects 'indexing_maps' to hold affine maps, found {op.attributes['indexing_maps']}")
    maps = [ir.AffineMapAttr(attribute).value for attribute in attributes]
    values = operands + results
    if len(maps) != len(values):
        return fail(op, f"expects one indexing map an operand and a result ({len(values)}), found {len(maps)}")
    dims = maps[0].n_dims
    if dims < INNER_DIMS:
        return fail(op, f"expects an iteration space of at least (q, kv, k, d), found {dims} dims")
    for position, (value, map_) in enumerate(zip(values, maps, strict=True)):
        if not isinstance(value.type, ir.RankedTensorType):
            return fail(op, f"expects ranked tensors, found {value.type} at position {position}")
        if map_.n_dims != dims or len(map_.results) != value.type.rank:
            return fail(op, f"expects map {position} to take {dims} dims to rank {value.type.rank}, found {map_}")
    element = operands[0].type.element_type
    for name, value in zip(("query", "key", "value"), operands, strict=False):
        if str(value.type.element_type) not in FLOATS:
            return fail(op, f"expects {name} to hold one of {', '.join(FLOATS)}, found {value.type.element_type}")
        if value.type.element_type != element:
            return fail(op, f"expects query, key and value of one element type, found {element} and {value.type}")
    q, kv, k, d = range(dims - INNER_DIMS, dims)
    wanted = {0: ("query", {q, k}, {kv, d}), 1: ("key", {kv, k}, {q, d}), 2: ("value", {kv, d}, {q, k}),
              len(operands): ("output", {q, d}, {kv, k})}  # fmt: skip
    for position, (name, present, absent) in wanted.items():
        used = _dims_used(maps[position])
        if not present <= used or used & absent:
            return fail(op, f"expects the map of the {name} to use dims {sorted(present)} and not {sorted(absent)}, "
                            f"found {maps[position]}")  # fmt: skip
    for map_ in maps[3 : len(operands)]:
        if _dims_used(map_) & {k, d}:
            return fail(op, f"expects score operands to depend on (batch..., q, kv) only, found {map_}")
    return _verify_sizes(op, values, maps) and _verify_region(op, operands)


def _verify_sizes(op: Any, values: Sequence[Any], maps: Sequence[Any]) -> bool:
    """Each dim of the iteration space has one size, wherever a map reads it directly."""
    sizes: dict[int, int] = {}
    for value, map_ in zip(values, maps, strict=True):
        for axis, expression in enumerate(map_.results):
            if not isinstance(expression, ir.AffineDimExpr) or value.type.is_dynamic_dim(axis):
                continue
            size = sizes.setdefault(expression.position, value.type.shape[axis])
            if size != value.type.shape[axis]:
                return fail(op, f"expects one size along d{expression.position}, found {size} and "
                                f"{value.type.shape[axis]} (axis {axis} of {value.type})")  # fmt: skip
    return True


def _verify_region(op: Any, operands: Sequence[Any]) -> bool:
    blocks = list(op.regions[0].blocks)
    if len(blocks) != 1:
        return fail(op, f"expects a score region of one block, found {len(blocks)}")
    arguments = list(blocks[0].arguments)
    expected = len(operands) - 2
    if len(arguments) != expected:
        return fail(op, f"expects the score region to take the score and each score operand ({expected}), "
                        f"found {len(arguments)} arguments")  # fmt: skip
    for operand, argument in zip(operands[3:], arguments[1:], strict=True):
        if operand.type.element_type != argument.type:
            return fail(op, f"expects region arguments of the operands' element types, found {argument.type} "
                            f"for {operand.type}")  # fmt: skip
    terminator = next(reversed(list(blocks[0].operations)), None)
    if terminator is None or terminator.operation.name != "fovea.yield" or len(terminator.operands) != 1:
        return fail(op, "expects the score region to end in a fovea.yield of one value")
    if terminator.operands[0].type != arguments[0].type:
        return fail(op, f"expects the region to yield {arguments[0].type}, found {terminator.operands[0].type}")
    return True


def _dims_used(map_: Any) -> set[int]:
    """Positions of the dims that any result of `map_` depends on."""
    used: set[int] = set()
    pending = list(map_.results)
    while pending:
        expression = pending.pop()
        if isinstance(expression, ir.AffineDimExpr):
            used.add(expression.position)
        elif isinstance(expression, ir.AffineBinaryExpr):
            pending += [expression.lhs, expression.rhs]
    return used
