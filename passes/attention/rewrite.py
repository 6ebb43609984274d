# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Replaces the ops of a site by one `fovea.attention`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fovea.bindings import arith, ir
from fovea.dialect.attention import SCORE_OPERANDS, AttentionOp, operand_segments
from fovea.dialect.yield_op import YieldOp
from fovea.passes.attention.emit import emit, materialise, parse_type, reshape
from fovea.passes.attention.evaluate import shape_of
from fovea.passes.attention.expression import Atom, Expr, Index
from fovea.passes.attention.guards import Conditions, row_conditions
from fovea.passes.attention.log_sum_exp import replace_log_sum_exps
from fovea.passes.attention.plan import Digits, Dimensions, NotFusable, Read, dimensions, read_of
from fovea.passes.attention.site import Site
from fovea.passes.ir_utils import cast_tensor, defining_op, erase_dead, has_uses

# Kinds of nodes that a score region cannot hold: what contains them is computed outside and read as an operand.
OUTSIDE = frozenset({"index", "gather", "scalar", "opaque", "reduce"})
WIDTH = {"f16": 16, "bf16": 16, "f32": 32, "f64": 64}


@dataclass
class Plan:
    """Everything that the op needs, decided before IR is touched."""

    query: Read
    key: Read
    value: Read
    score: Expr
    operands: list[tuple[Expr, Read]]
    dimensions: Dimensions
    conditions: Conditions


def plan(site: Site) -> Plan:
    """Raises NotFusable with the reason, or Resplit."""
    if site.not_fusable is not None:
        raise NotFusable(site.not_fusable)
    for expr in (site.score_leaf, site.score, site.query, site.key, site.value):
        if expr.type not in WIDTH:
            raise NotFusable(f"an operand or a score has element type {expr.type}")
    algebra = site.algebra
    shared = frozenset(site.batch)
    query = read_of(site.query, (*site.batch, *site.m, *site.k), shared, algebra.uncast(site.query))
    key = read_of(site.key, (*site.batch, *site.n, *site.k), shared, algebra.uncast(site.key))
    value = read_of(site.value, (*site.batch, *site.n, *site.d), shared, algebra.uncast(site.value))
    order = (*site.batch, *site.m, *site.n)
    operands = [(leaf, read_of(leaf, order, shared, leaf)) for leaf in score_operands(site)]
    if len(operands) > SCORE_OPERANDS:
        raise NotFusable(f"the scores read {len(operands)} tensors, more than the {SCORE_OPERANDS} that one op takes")
    conditions = row_conditions(site, shared)
    conditions.needs_lse = conditions.needs_lse or bool(site.log_sum_exps)
    reads = [query, key, value, *(read for _, read in operands)]
    accesses: list[Sequence[Index]] = [read.index for read in reads]
    accesses.append(site.output_index)
    found = dimensions(site.batch, site.m, site.n, site.k, site.d, accesses)
    return Plan(query, key, value, site.score, operands, found, conditions)


def score_operands(site: Site) -> list[Expr]:
    """Maximal parts of the score expression that do not depend on the first contraction, as op operands."""
    found: dict[int, Expr] = {}
    mentions: dict[int, bool] = {}
    outside: dict[int, bool] = {}

    def mentioned(node: Expr) -> bool:
        if node.number not in mentions:
            mentions[node.number] = node is site.score_leaf or any(mentioned(arg) for arg in node.args)
        return mentions[node.number]

    def needs_outside(node: Expr) -> bool:
        if node.number not in outside:
            outside[node.number] = node.kind in OUTSIDE or any(needs_outside(arg) for arg in node.args)
        return outside[node.number]

    def visit(node: Expr) -> None:
        if node is site.score_leaf or node.kind == "const" or node.number in found:
            return
        if not mentioned(node) and (node.kind == "load" or needs_outside(node)):
            if any(inner.kind in ("opaque", "reduce") for inner in _nodes(node)):
                raise NotFusable("the scores use a value that is not a pointwise expression of tensors")
            found[node.number] = node
            return
        for arg in node.args:
            visit(arg)

    visit(site.score)
    return list(found.values())


def _nodes(expr: Expr) -> list[Expr]:
    seen: dict[int, Expr] = {}
    pending = [expr]
    while pending:
        node = pending.pop()
        if node.number not in seen:
            seen[node.number] = node
            pending += node.args
    return list(seen.values())


def fuse(site: Site, plan_: Plan, absorb_transpose: bool = False) -> Any:
    """Write the op before the second contraction, redirect the contraction's users; returns the op.

    `absorb_transpose`: a transpose that is the result's only use becomes part of the result's indexing map.

    The ops of the site are left without users; `erase` removes them.
    """
    pv = site.pv
    with pv.location, ir.InsertionPoint(pv):
        tensors, indices = _operands(site, plan_)
        output = _Output(site, plan_.dimensions)
        transpose = _only_transpose(pv, output.shape) if absorb_transpose else None
        if transpose is not None:
            output.permute(list(ir.DenseI64ArrayAttr(transpose.attributes["permutation"])))
        op = _attention(site, plan_, tensors, indices, output)
        result = plan_.conditions.apply(op, output.groups, site.output_scale)
        if site.log_sum_exps:
            replace_log_sum_exps(site, op.results[1], plan_.conditions.lse_groups)
        if transpose is None:
            _replace(pv.results[0], result)
        else:
            _replace_chain(pv, transpose, result)
    return op


def _only_transpose(pv: Any, shape: Sequence[int]) -> Any | None:
    """The linalg.transpose that alone uses the contraction's result, directly or through an expand_shape to `shape`."""
    current = pv
    for name in ("tensor.expand_shape", "linalg.transpose"):
        uses = list(current.results[0].uses)
        if len(uses) == 1 and uses[0].owner.operation.name == name:
            current = uses[0].owner.operation
    if current.name != "linalg.transpose" or shape_of(current.operands[0]) != list(shape):
        return None
    return current


def _replace_chain(pv: Any, transpose: Any, result: Any) -> None:
    """Redirect the users of `transpose` and erase what led to it from the contraction, the contraction excepted."""
    transpose.results[0].replace_all_uses_with(result)
    while transpose != pv:
        source, *others = map(defining_op, transpose.operands)
        transpose.erase()
        for other in others:
            erase_dead(other)
        transpose = source


def erase(site: Site) -> None:
    """Remove what the fused site has left without users. Handles in the site are stale afterwards."""
    pv = site.pv
    site.roles = []
    site.qk = site.pv = None
    erase_dead(pv)


def _operands(site: Site, plan_: Plan) -> tuple[list[Any], list[tuple[Index, ...]]]:
    reads = [plan_.query, plan_.key, plan_.value]
    tensors = [_tensor(read) for read in reads]
    widest = max((str(t.type.element_type) for t in tensors), key=lambda name: WIDTH[name])
    if len({str(t.type.element_type) for t in tensors}) > 1:
        if {"f16", "bf16"} <= {str(t.type.element_type) for t in tensors}:
            widest = "f32"
        tensors = [cast_tensor(t, parse_type(widest)) for t in tensors]
    indices = [read.index for read in reads]
    for _, read in plan_.operands:
        tensors.append(_tensor(read))
        indices.append(read.index)
    return tensors, indices


def _tensor(read: Read) -> Any:
    if read.place is not None:
        return read.place[0]
    assert read.expr is not None
    return materialise(read.expr, read.atoms)


class _Output:
    """Shape of the op's result: the second contraction's dims, split to iteration dims, without unit dims."""

    def __init__(self, site: Site, dims: Dimensions) -> None:
        order: list[int] = []
        for index in site.output_index:
            for atom in index:
                dim, _ = dims.position(atom)
                if not order or order[-1] != dim:
                    order.append(dim)
        for dim in (dims.q, len(dims.groups) - 1):
            if dim not in order:
                order.append(dim)
        if len(set(order)) != len(order):
            raise NotFusable("the result interleaves dims")
        self._all = dims.groups
        self.dims = order

    @property
    def groups(self) -> list[Digits]:
        return [self._all[dim] for dim in self.dims]

    @property
    def shape(self) -> list[int]:
        return [_extent(group) for group in self.groups]

    def permute(self, permutation: Sequence[int]) -> None:
        """Reorder the dims as a linalg.transpose does."""
        self.dims = [self.dims[position] for position in permutation]


def _extent(group: Sequence[Atom]) -> int:
    total = 1
    for atom in group:
        total *= atom.size
    return total


def _attention(site: Site, plan_: Plan, tensors: list[Any], indices: list[tuple[Index, ...]], output: _Output) -> Any:
    dims = plan_.dimensions
    count = len(dims.groups)
    q, kv, k, d = range(dims.q, count)
    wanted = {0: (q, k), 1: (kv, k), 2: (kv, d)}
    maps = []
    for position, index in enumerate(indices):
        required = [dim for dim in wanted.get(position, ()) if not dims.groups[dim]]
        tensors[position], results = _map_results(tensors[position], index, dims.groups, required)
        maps.append(ir.AffineMap.get(count, 0, results))
    maps.append(ir.AffineMap.get(count, 0, [ir.AffineExpr.get_dim(dim) for dim in output.dims]))
    result_types = [ir.RankedTensorType.get(output.shape, site.pv.results[0].type.element_type)]
    score_type = parse_type("f64" if str(tensors[0].type.element_type) == "f64" else "f32")
    if plan_.conditions.needs_lse:
        rows = [dim for dim in range(count) if dim not in (kv, k, d)]
        maps.append(ir.AffineMap.get(count, 0, [ir.AffineExpr.get_dim(dim) for dim in rows]))
        result_types.append(ir.RankedTensorType.get([_extent(dims.groups[dim]) for dim in rows], score_type))
        plan_.conditions.lse_groups = [dims.groups[dim] for dim in rows]
    op = ir.Operation.create(
        AttentionOp.OPERATION_NAME,
        results=result_types,
        operands=tensors,
        attributes={
            "indexing_maps": ir.ArrayAttr.get([ir.AffineMapAttr.get(map_) for map_ in maps]),
            "operandSegmentSizes": operand_segments(len(tensors) - 3),
        },
        regions=1,
    )
    types = [score_type, *(t.type.element_type for t in tensors[3:])]
    block = ir.Block.create_at_start(op.regions[0], types, [site.pv.location] * len(types))
    with ir.InsertionPoint(block):
        arguments = list(block.arguments)
        known = {leaf.number: arg for (leaf, _), arg in zip(plan_.operands, arguments[1:], strict=True)}
        known[site.score_leaf.number] = _cast(arguments[0], parse_type(site.score_leaf.type))
        YieldOp([_cast(emit(plan_.score, known), score_type)])
    return op


def _cast(value: Any, type_: Any) -> Any:
    if value.type == type_:
        return value
    wider = WIDTH[str(type_)] > WIDTH[str(value.type)]
    return (arith.ExtFOp if wider else arith.TruncFOp)(type_, value).result


def _map_results(
    value: Any, index: Sequence[Index], groups: Sequence[Digits], required: list[int]
) -> tuple[Any, list[Any]]:
    """Affine expressions of `index`; a dim of extent 1 that must appear takes over a unit dim, or gets a new one."""
    shape = shape_of(value)
    pending = list(required)
    results = []
    for position, digits in enumerate(index):
        if not digits and shape[position] == 1 and pending:
            results.append(ir.AffineExpr.get_dim(pending.pop(0)))
        else:
            results.append(affine_of(digits, groups))
    if pending:
        value = reshape(value, [*shape, *[1] * len(pending)])
        results += [ir.AffineExpr.get_dim(dim) for dim in pending]
    return value, results


def affine_of(index: Index, groups: Sequence[Digits]) -> Any:
    """The mixed-radix number of `index` over dims that are groups of atoms."""
    total: Any = None
    pending = list(index)
    while pending:
        dim, place = next((g, group.index(pending[0])) for g, group in enumerate(groups) if pending[0] in group)
        group = groups[dim]
        length = 1
        while length < len(pending) and group[place : place + length + 1] == tuple(pending[: length + 1]):
            length += 1
        step = ir.AffineExpr.get_dim(dim)
        below = _extent(group[place + length :])
        if below != 1:
            step = ir.AffineExpr.get_floor_div(step, ir.AffineExpr.get_constant(below))
        if place > 0:
            step = ir.AffineExpr.get_mod(step, ir.AffineExpr.get_constant(_extent(group[place : place + length])))
        total = step if total is None else total * _extent(tuple(pending[:length])) + step
        pending = pending[length:]
    return ir.AffineExpr.get_constant(0) if total is None else total


def _replace(old: Any, new: Any) -> None:
    """Redirect the users of `old` to `new`, which holds the same elements in the same order."""
    shape = shape_of(new)
    users = {use.owner.operation: None for use in old.uses}
    for user in users:
        if user.name == "tensor.expand_shape" and shape_of(user.results[0]) == shape:
            user.results[0].replace_all_uses_with(new)
            user.erase()
    if has_uses(old):
        old.replace_all_uses_with(reshape(new, shape_of(old)))
