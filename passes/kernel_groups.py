# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Deciding which ops of a function share a kernel.

Each contraction, attention and reduction is the hero of a group. Row-wise reductions over the same rows share one
group (layer norm, softmax). A pointwise op joins the group that it reads from if its index follows one to one from the
hero's (for row-wise groups: if it keeps rows), so it becomes part of the epilogue; an op that depends on nothing but
arguments and constants floats: it is computed again wherever it is read. Everything else is an elementwise kernel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeGuard

from fovea.bindings import ir, linalg
from fovea.codegen import domain
from fovea.codegen.combiner import combiners_of
from fovea.codegen.problem import SCALED, contraction_problem, is_matrix_convolution
from fovea.codegen.rowwise import ELEMENTS_PER_LANE, MAX_WAVES, WAVE, reduced_dims, split_shape
from fovea.codegen.structured import as_map, iteration_extents
from fovea.errors import UnsupportedOpError
from fovea.passes import ir_utils as utils

POINTWISE = ("tensor.extract_slice", "tensor.concat", "tensor.pad", "tensor.splat", *domain.SAME_INDEX)
# Pairs of operand types that matrix instructions read: alike, or 8-bit floats of one family.
MATRIX_TYPES = tuple((kind, kind) for kind in ("f16", "bf16", "f32")) + tuple(
    (a, b)
    for family in (("f8E4M3FNUZ", "f8E5M2FNUZ"), ("f8E4M3FN", "f8E5M2"))
    for a in family
    for b in family
)
MAX_ROW = WAVE * MAX_WAVES * 2 * ELEMENTS_PER_LANE  # longest row that is kept in registers


@dataclass(eq=False)
class Group:
    """Ops that become one kernel. `members` are in program order; `needs` are the groups whose results they read."""

    number: int
    kind: str
    hero: Any
    members: list[Any] = field(default_factory=list)
    needs: set[Group] = field(default_factory=set)
    paths: dict[Any, tuple[domain.Step, ...]] = field(default_factory=dict)
    rows: int = 0
    columns: int = 0
    full: set[Any] = field(default_factory=set)  # values with a row of `columns` elements each; others have one a row

    def depends_on(self, other: Group) -> bool:
        """Whether this group needs `other`, directly or not."""
        pending, seen = list(self.needs), set()
        while pending:
            group = pending.pop()
            if group is other:
                return True
            if group not in seen:
                seen.add(group)
                pending += group.needs
        return False


def is_view(op: Any) -> TypeGuard[Any]:
    """Whether `op` only gives another shape to the same bytes."""
    return op is not None and op.name in domain.RESHAPES


def _is_free(op: Any) -> bool:
    """Whether `op` needs no kernel: reshapes, constants, scalars."""
    return (
        is_view(op)
        or op.name in ("tensor.empty", "arith.constant")
        or not any(utils.is_tensor(result.type) for result in op.results)
    )


def _window_inputs(ops: Sequence[Any]) -> tuple[dict[Any, None], set[Any]]:
    """(pads of outer dims that only convolutions and poolings read, in program order; what they and convolutions read).

    The latter are stored even where they could float: a convolution reads each element once for each place of its
    window, which a cast or a transpose of an argument must not be computed again for.
    """
    inlined: dict[Any, None] = {}
    stored: set[Any] = set()
    for op in ops:
        if op.name == "tensor.pad" and not _pads_innermost(op) and _only_windows_read(op):
            inlined[op] = None
            stored.add(_below_views(op.operands[0]))
        elif utils.is_linalg(op) and is_matrix_convolution(op.opview):
            stored.add(_below_views(op.operands[0]))
    return inlined, stored


def _pads_innermost(op: Any) -> bool:
    """Whether a tensor.pad adds to the innermost dim: vectors along it could not be read from the operand."""
    return bool(op.results[0].type.shape[-1] != op.operands[0].type.shape[-1])


def _below_views(value: Any) -> Any:
    op = utils.defining_op(value)
    while is_view(op):
        op = utils.defining_op(op.operands[0])
    return op


def _only_windows_read(op: Any) -> bool:
    """Whether every user of `op`, through views, is a convolution or pooling that reads it as its input."""
    for use in op.results[0].uses:
        user = use.owner.operation
        if is_view(user):
            if not _only_windows_read(user):
                return False
        elif not (use.operand_number == 0 and utils.is_linalg(user) and linalg.isa_convolution_op(user)):
            return False
    return True


def reads(op: Any) -> list[Any]:
    """Tensors that `op` reads: operands, and what its body captures; not the shape-only inits."""
    values = [value for value in op.operands if utils.is_tensor(value.type)]
    for inner in utils.nested_ops(op):
        values += [value for value in inner.operands if utils.is_tensor(value.type)]
    return values


class Grouping:
    """The groups of one function."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.groups: list[Group] = []
        self.group_of: dict[Any, Group] = {}  # by op
        ops = utils.body_ops(function)
        self.inlined, self._stored = _window_inputs(ops)
        self.returned = {utils.defining_op(self.root(value)) for value in ops[-1].operands}
        for op in ops:
            self._place(op)

    # -- where a value comes from -------------------------------------------------------------------------------

    def root(self, value: Any) -> Any:
        """`value` with views taken off."""
        op = utils.defining_op(value)
        while is_view(op):
            value = op.operands[0]
            op = utils.defining_op(value)
        return value

    def home(self, value: Any) -> Group | None:
        """The group that computes `value` (through views), None for arguments, constants and floating values."""
        op = utils.defining_op(self.root(value))
        return None if op is None else self.group_of.get(op)

    def _sources(self, op: Any) -> set[Group]:
        """Groups whose results `op` reads, also through floating ops."""
        found: set[Group] = set()
        for value in reads(op):
            group, source = self.home(value), utils.defining_op(self.root(value))
            if group is not None:
                found.add(group)
            elif source in self.inlined:
                found |= self._sources(source)
        return found

    # -- placing ------------------------------------------------------------------------------------------------

    def _place(self, op: Any) -> None:
        name = op.name
        if name == "func.return" or _is_free(op) or op in self.inlined:
            return
        elif name == "fovea.attention":
            self._start(op, "attention")
        elif name == SCALED:
            self._start(op, "contraction")
        elif utils.is_linalg(op) and reduced_dims(op.opview):
            self._place_reduction(op)
        elif (
            name in POINTWISE
            or name.startswith(("arith.", "math."))
            or (utils.is_linalg(op) and domain.is_elementwise(op.opview))
        ):
            if self._sources(op):
                self._place_pointwise(op)
            elif op in self.returned or op in self._stored:  # must be computed by some kernel, also if it could float
                self._start(op, "elementwise")
        else:
            raise UnsupportedOpError(
                f"{op.location}: '{name}' has no kernel; Fovea compiles linalg contractions, reductions and "
                "elementwise ops, reshapes, slices, concat, pad and fovea ops on tensors"
            )

    def _start(self, op: Any, kind: str) -> Group:
        group = Group(len(self.groups), kind, op, [op], self._sources(op))
        group.paths.update(domain.result_paths(op.opview))
        self.groups.append(group)
        self.group_of[op] = group
        return group

    def _join(self, op: Any, group: Group) -> None:
        group.members.append(op)
        group.needs |= self._sources(op) - {group}
        self.group_of[op] = group

    def _candidates(self, op: Any) -> Iterable[Group]:
        """Groups that `op` reads from and may join without a cycle, the latest first."""
        sources = self._sources(op)
        for group in sorted(sources, key=lambda g: -g.number):
            if not any(other.depends_on(group) for other in sources - {group}):
                yield group

    def _place_pointwise(self, op: Any) -> None:
        for group in self._candidates(op):
            if group.kind == "rowwise":
                kind = self._row_kind(op, group)
                if kind is not None:
                    self._join(op, group)
                    if kind == "full":
                        group.full.update(op.results)
                    return
            elif self._follow(op, group):
                self._join(op, group)
                return
        self._start(op, "elementwise")

    # -- groups with one hero -----------------------------------------------------------------------------------

    def path(self, value: Any, group: Group) -> tuple[domain.Step, ...] | None:
        """Steps from the group's hero to `value`, through views."""
        if value in group.paths:
            return group.paths[value]
        op = utils.defining_op(value)
        if not is_view(op):
            return None
        before = self.path(op.operands[0], group)
        step = domain.step_of(op.opview, 0)
        return None if before is None or step is None else (*before, step)

    def _follow(self, op: Any, group: Group) -> bool:
        """Whether op's results follow one to one from the hero; notes their paths."""
        shape = list(group.hero.results[0].type.shape)
        if self._captures(op, group):
            return False
        paths = []
        for number in range(len(op.results)):
            path: tuple[domain.Step, ...] | None = None
            for position, value in enumerate(op.operands):
                if not utils.is_tensor(value.type) or self.home(value) is not group:
                    continue
                if self._is_log_sum_exp(op, position, group):
                    continue
                before, step = self.path(value, group), domain.step_of(op.opview, position, number)
                if before is None or step is None:
                    return False
                here = (*before, step)
                if path is not None and not domain.same_path(path, here, shape):
                    return False
                path = path or here
            if path is None:
                return False
            paths.append(path)
        group.paths.update(zip(op.results, paths, strict=True))
        return True

    def _is_log_sum_exp(self, op: Any, position: int, group: Group) -> bool:
        """Whether an operand is the log-sum-exp of the group's attention, read at the row of the element computed.

        Known where the op reads the output itself: then its dims are those of the output.
        """
        hero = group.hero
        if group.kind != "attention" or len(hero.results) != 2 or op.operands[position] != hero.results[1]:
            return False
        if not utils.is_linalg(op):
            return False
        maps = utils.indexing_maps(op)
        attention = [as_map(m) for m in ir.ArrayAttr(hero.attributes["indexing_maps"])]
        output, lse = attention[-2], attention[-1]
        for other, value in enumerate(op.operands):
            if value == hero.results[0]:
                seen = {str(a): str(d) for a, d in zip(output.results, maps[other].results, strict=True)}
                wanted = [seen.get(str(a)) for a in lse.results]
                return wanted == [str(d) for d in maps[position].results]
        return False

    # -- reductions ---------------------------------------------------------------------------------------------

    def _place_reduction(self, op: Any) -> None:
        types = tuple(str(value.type.element_type) for value in utils.inputs_of(op))
        if types in MATRIX_TYPES and contraction_problem(op.opview) is not None:
            self._start(op, "contraction")
            return
        shape = _row_shape(op)
        if shape is None:
            self._start(op, "reduction")
            return
        for group in self._candidates(op):
            if group.kind == "rowwise" and (group.rows, group.columns) == shape and self._reads_rows(op, group):
                self._join(op, group)
                return
        group = self._start(op, "rowwise")
        group.rows, group.columns = shape

    def _reads_rows(self, op: Any, group: Group) -> bool:
        """Whether every operand that a reduction reads from the group is read in row order."""
        maps = utils.indexing_maps(op)
        extents = iteration_extents(op.opview, maps)
        for value, map_ in zip(op.operands, maps, strict=True):
            if utils.defining_op(self.root(value)) in self.inlined:
                return False
            if not utils.is_tensor(value.type) or self.home(value) is not group:
                continue
            if not _ordered(self._is_full(value, group), value, map_, extents, group):
                return False
        return not self._captures(op, group)

    def _captures(self, op: Any, group: Group) -> bool:
        """Whether op's body reads a result of the group by itself (`tensor.extract`)."""
        operands = list(op.operands)
        return any(self.home(value) is group for value in reads(op) if value not in operands)

    def _is_full(self, value: Any, group: Group) -> bool:
        return self.root(value) in group.full

    def _row_kind(self, op: Any, group: Group) -> str | None:
        """"full" or "row" if a pointwise op keeps the rows of a row-wise group, None if it does not."""
        shape = list(op.results[0].type.shape)
        if any(list(result.type.shape) != shape for result in op.results):
            return None
        if prod(shape) == group.rows * group.columns and _ends_in_rows(shape, group.columns):
            kind = "full"
        elif prod(shape) == group.rows:
            kind = "row"
        else:
            return None
        if utils.is_linalg(op):
            maps = utils.indexing_maps(op)
            identity = ir.AffineMap.get_identity(maps[-1].n_dims, op.context)
            if any(map_ != identity for map_ in maps[len(maps) - len(op.results) :]):
                return None
        elif op.name in domain.SAME_INDEX or op.name.startswith(("arith.", "math.")):
            identity = ir.AffineMap.get_identity(len(shape), op.context)
            maps = [identity] * len(op.operands)
        else:
            return None
        for value, map_ in zip(op.operands, maps, strict=True):
            if not utils.is_tensor(value.type) or self.home(value) is not group:
                continue
            full = self._is_full(value, group)
            if (full and kind == "row") or not _ordered(full, value, map_, shape, group):
                return None
        return None if self._captures(op, group) else kind


def _row_shape(op: Any) -> tuple[int, int] | None:
    """(rows, columns) of a reduction over its innermost dims that a row-wise kernel can do, None for any other."""
    maps = utils.indexing_maps(op)
    extents = iteration_extents(op.opview, maps)
    reduced = reduced_dims(op.opview)
    kept = [d for d, extent in enumerate(extents) if extent != 1 and d not in reduced]
    if kept and max(kept) > min(reduced):
        return None
    for map_ in maps[len(maps) - len(op.results) :]:
        order = [utils.dim_position(e) for e in map_.results]
        if [d for d in order if d is not None and extents[d] != 1] != kept:
            return None
    columns = prod(extents[d] for d in reduced)
    if columns > MAX_ROW or combiners_of(op.opview) is None:
        return None
    return prod(extents[d] for d in kept), columns


def _ordered(full: bool, value: Any, map_: Any, extents: Sequence[int], group: Group) -> bool:
    """Whether `value`, read through `map_` in an iteration space whose row-major order is (row, column), is read at
    the same row (and column, if it is full)."""
    if map_.n_dims != len(extents):
        return False
    read = []
    for expression, extent in zip(map_.results, value.type.shape, strict=True):
        dim = utils.dim_position(expression)
        if dim is not None and extents[dim] != 1:
            read.append(dim)
        elif extent != 1:
            return False
    significant = [d for d, extent in enumerate(extents) if extent != 1]
    if full:
        return read == significant
    wanted = significant[: len(read)]
    return read == wanted and prod(extents[d] for d in wanted) == group.rows


def _ends_in_rows(shape: Sequence[int], columns: int) -> bool:
    try:
        split_shape(shape, columns)
    except ValueError:
        return False
    return True
