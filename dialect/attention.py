# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea.attention`: softmax(score(Q . K)) . V with the pointwise score chain as a region."""

from collections.abc import Sequence
from typing import Any

from fovea.bindings import ext, ir
from fovea.dialect.base import FoveaDialect, fail

FLOATS = ("f16", "bf16", "f32", "f64")
INNER_DIMS = 4  # q, kv, k, d: the last four dims of the iteration space


class AttentionOp(FoveaDialect.Operation, name="attention"):  # type: ignore[name-defined, misc, call-arg]
    """One attention site, whole.

    The iteration space is `(batch..., q, kv, k, d)`: the last four dims are query position, key position, the depth
    that Q.K contracts, and the depth of V. With S = sum over k of Q*K (accumulated in f32, f64 for f64 operands):

        P = softmax over kv of region(S, score operands...);   result = sum over kv of P * V

    Operands: query, key, value, then any number of score operands. `indexing_maps`: one map an operand and a result.
    Query reads (batch..., q, k), key (batch..., kv, k), value (batch..., kv, d), score operands any of
    (batch..., q, kv), the result (batch..., q, d), each in any order; a batch dim may be absent, or appear as
    `d floordiv N` (grouped-query attention). The optional second result is the log-sum-exp of the scores over
    (batch..., q). The region's block takes the score and one scalar an operand, and yields the new score.

        %o = "fovea.attention"(%q, %k, %v, %mask) ({
          ^bb0(%s: f32, %m: f32):
            %0 = arith.mulf %s, %scale : f32
            %1 = arith.addf %0, %m : f32
            "fovea.yield"(%1) : (f32) -> ()
        }) {indexing_maps = [
          affine_map<(b, h, q, n, k, d) -> (b, h, q, k)>, affine_map<(b, h, q, n, k, d) -> (b, h, n, k)>,
          affine_map<(b, h, q, n, k, d) -> (b, h, n, d)>, affine_map<(b, h, q, n, k, d) -> (b, n)>,
          affine_map<(b, h, q, n, k, d) -> (b, h, q, d)>]}
        : (tensor<2x4x8x16xf32>, ..., tensor<2x8xf32>) -> tensor<2x4x8x16xf32>

    See FlashAttention (Dao et al., 2022) for the form in which it is computed.
    """

    query: ext.Operand[Any]
    key: ext.Operand[Any]
    value: ext.Operand[Any]
    score_operands: Sequence[ext.Operand[Any]]
    indexing_maps: ir.ArrayAttr
    outputs: Sequence[ext.Result[Any]]
    score: ext.Region

    def verify_invariants(self) -> bool:
        return _verify(self)


def _verify(op: Any) -> bool:
    operands, results = list(op.operands), list(op.results)
    if len(results) not in (1, 2):
        return fail(op, f"expects the output and optionally the log-sum-exp as results, found {len(results)} results")
    maps = [ir.AffineMapAttr(m).value for m in ir.ArrayAttr(op.attributes["indexing_maps"])]
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
    return _verify_region(op, operands)


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
    terminator = list(blocks[0].operations)[-1]
    if terminator.operation.name != "fovea.yield" or len(terminator.operands) != 1:
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
