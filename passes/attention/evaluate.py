# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pulls an element of a tensor back through the ops that compute it, to one expression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from fovea.bindings import ir
from fovea.passes.attention.expression import (
    DIV,
    DYNAMIC,
    MUL,
    Algebra,
    Atom,
    Dims,
    Expr,
    Index,
    NotLayout,
    Segments,
    extent,
    split_index,
)
from fovea.passes.attention.indices import (
    Opaque,
    element_type,
    reassociation,
    reshaped_index,
    shape_of,
    sliced_index,
)
from fovea.passes.ir_utils import (
    body_block,
    constant_value,
    defining_op,
    dim_position,
    indexing_maps,
    is_linalg,
    is_tensor,
    num_inputs,
    yielded,
)

# Associative ops that may end the body of a reduction.
COMBINERS = frozenset(
    {"arith.addf", "arith.maximumf", "arith.maxnumf", "arith.mulf", "arith.minimumf", "arith.minnumf", "arith.andi",
     "arith.ori", "arith.addi", "arith.maxsi", "arith.minsi"}
)  # fmt: skip
BOUND, REDUCED, SEGMENT = "bound", "reduced", "segment"  # kinds of atom origins
IGNORED_ATTRIBUTES = frozenset({"fastmath", "overflowFlags", "fovea.attention"})
LAYOUT_OPS = frozenset(
    {"tensor.expand_shape", "tensor.collapse_shape", "tensor.cast", "linalg.transpose", "linalg.broadcast"}
)


QUANTISERS = frozenset({"fovea.quantize", "fovea.dequantize"})
SPLATS = frozenset({"arith.constant", "linalg.fill"})


class Evaluator:
    """Expressions of tensor elements. Ops for which `inside` is false are not entered: their results are loads."""

    def __init__(self, dims: Dims, algebra: Algebra, inside: Callable[[Any], bool]) -> None:
        self.dims, self.algebra, self.inside = dims, algebra, inside
        self._memo: dict[Any, Expr] = {}

    def load(self, value: Any, index: Sequence[Index]) -> Expr:
        return self.algebra.make("load", (value, tuple(index)), (), element_type(value))

    def value(self, value: Any, index: Sequence[Index]) -> Expr:
        """The element of tensor `value` at `index` (one Index a dim). Raises Resplit."""
        key = (value, tuple(index))
        if key not in self._memo:
            self._memo[key] = self._value(value, index)
        return self._memo[key]

    def _value(self, value: Any, index: Sequence[Index]) -> Expr:
        op = defining_op(value)
        if op is None:
            return self.load(value, index)
        constant = self._constant(op, value, index)
        if constant is not None:
            return constant
        if not self.inside(op):
            return self.load(value, index)
        try:
            return self._element(op, value, index)
        except (Opaque, NotLayout):
            number = [result == value for result in op.results].index(True)
            return self.algebra.make("opaque", (op, number, tuple(index)), (), element_type(value))

    def _constant(self, op: Any, value: Any, index: Sequence[Index]) -> Expr | None:
        """Splats, however they are spelt."""
        if op.name == "arith.constant":
            attribute = op.attributes["value"]
            if isinstance(attribute, ir.DenseElementsAttr) and attribute.is_splat:
                return self._attribute(attribute.get_splat_value(), element_type(value))
            return None
        filling = _filling(op)
        if filling is not None:
            return self.scalar(filling, {}, ())
        if op.name in LAYOUT_OPS:
            source = defining_op(op.operands[0])
            if source is not None and (
                source.name in SPLATS or source.name in LAYOUT_OPS or _filling(source) is not None
            ):
                return self._constant(source, op.operands[0], ())
        return None

    def _attribute(self, attribute: Any, type_: str) -> Expr | None:
        if isinstance(attribute, ir.FloatAttr):
            return self.algebra.const(float(attribute.value), type_)
        if isinstance(attribute, ir.BoolAttr) or type_ == "i1":
            return self.algebra.const(bool(attribute.value), type_)
        if isinstance(attribute, ir.IntegerAttr):
            return self.algebra.const(int(attribute.value), type_)
        return None

    def _element(self, op: Any, value: Any, index: Sequence[Index]) -> Expr:
        name = op.name
        if name == "tensor.cast":
            return self.value(op.operands[0], index)
        if name == "tensor.expand_shape":
            groups = reassociation(op)
            return self.value(op.operands[0], [tuple(a for i in group for a in index[i]) for group in groups])
        if name == "tensor.collapse_shape":
            shape = shape_of(op.operands[0])
            source: list[Index] = []
            for position, group in enumerate(reassociation(op)):
                source += split_index(index[position], [shape[i] for i in group])
            return self.value(op.operands[0], source if index else [()] * len(shape))
        if name == "tensor.extract_slice":
            return self.value(op.operands[0], sliced_index(op, index))
        if name == "tensor.concat":
            return self._concatenated(op, index)
        if name == "tensor.reshape":
            return self.value(op.operands[0], reshaped_index(index, shape_of(value), shape_of(op.operands[0])))
        if name == "linalg.softmax":
            return self._softmax(op, index)
        if name in QUANTISERS:
            return self._quantised(op, index)
        if is_linalg(op):
            return self._structured(op, value, index)
        raise Opaque

    def _quantised(self, op: Any, index: Sequence[Index]) -> Expr:
        """`fovea.quantize` as x / scale in the storage type, `fovea.dequantize` as its product with the scale."""
        type_ = element_type(op.results[0])
        element = self.value(op.operands[0], index)
        real = type_ if op.name == "fovea.dequantize" else element.type
        axis = ir.IntegerAttr(op.attributes["axis"]).value
        scale = ir.DenseElementsAttr(op.attributes["scale"])
        if scale.is_splat:
            factor = self.algebra.const(float(scale.get_splat_value().value), real)
        else:  # a channel's scale: known by the attribute and the channel
            factor = self.algebra.make("opaque", (str(scale), 0, (index[axis],)), (), real)
        if op.name == "fovea.dequantize":
            return self.algebra.op(MUL, type_, self.algebra.op("arith.extf", type_, element), factor)
        return self.algebra.op("arith.truncf", type_, self.algebra.op(DIV, real, element, factor))

    def _concatenated(self, op: Any, index: Sequence[Index]) -> Expr:
        """One piece of a concatenation, if the index stays inside it; a reduction over all is taken in pieces."""
        axis = ir.IntegerAttr(op.attributes["dim"]).value
        pieces = list(op.operands)
        sizes = tuple(shape_of(piece)[axis] for piece in pieces)
        along = index[axis]
        if DYNAMIC in sizes or (along and extent(along) == DYNAMIC):
            raise Opaque
        if len(along) == 1 and along[0].origin[0] == SEGMENT:
            place = along[0].origin[-1]
            if place >= len(pieces) or sizes[place] != along[0].size:
                raise Opaque
            within: Index = along if sizes[place] > 1 else ()
            return self.value(pieces[place], [*index[:axis], within, *index[axis + 1 :]])
        if extent(along) <= sizes[0]:
            return self.value(pieces[0], index)
        if extent(along) == sum(sizes) and len(along) == 1 and along[0].origin[0] == REDUCED:
            raise Segments(along[0], sizes)
        raise Opaque

    def _softmax(self, op: Any, index: Sequence[Index]) -> Expr:
        axis = ir.IntegerAttr(op.attributes["dimension"]).value
        source, algebra, type_ = op.operands[0], self.algebra, element_type(op.results[0])
        bound = self.dims.atoms((REDUCED, op, axis), shape_of(source)[axis])
        free = [bound if position == axis else () for position in range(len(index))]

        def element(at: Index) -> Expr:
            return self.value(source, [*index[:axis], at, *index[axis + 1 :]])

        def over_axis(combiner: str, neutral: float, body: Callable[[Index], Expr]) -> Expr:
            result: Expr | None = None
            for piece, atoms in self._pieces(op, free, bound):
                part = self.reduce(combiner, atoms, body(piece[axis]), algebra.const(neutral, type_))
                result = part if result is None else algebra.op(combiner, type_, result, part)
            assert result is not None
            return result

        top = over_axis("arith.maximumf", float("-inf"), element)

        def shifted(at: Index) -> Expr:
            return algebra.op("math.exp", type_, algebra.op("arith.subf", type_, element(at), top))

        return algebra.op("arith.divf", type_, shifted(index[axis]), over_axis("arith.addf", 0.0, shifted))

    def reduce(self, combiner: str, bound: Index, body: Expr, init: Expr) -> Expr:
        """A reduction with its bound atoms renamed by nesting depth, so that equal reductions are one node."""
        if not bound:
            return (
                body if constant_value_is_neutral(combiner, init) else self.algebra.op(combiner, body.type, init, body)
            )
        depth = _depth(body)
        names = tuple(Atom((BOUND, depth, number), 0, atom.size) for number, atom in enumerate(bound))
        renamed = self.algebra.substitute(body, dict(zip(bound, names, strict=True)))
        return self.algebra.make("reduce", (combiner, names), (renamed, init), body.type)

    def _structured(self, op: Any, value: Any, index: Sequence[Index]) -> Expr:
        number = [result == value for result in op.results].index(True)
        maps = indexing_maps(op)
        binding, bound = self.bind(op, maps, num_inputs(op) + number, index)
        return self.body(op, maps, binding, bound, number, index)

    def bind(self, op: Any, maps: Sequence[Any], out: int, index: Sequence[Index]) -> tuple[list[Index], Index]:
        """The index of every iteration dim, given the index into operand `out`; and the atoms of reduced dims."""
        count = maps[0].n_dims
        binding: list[Index | None] = [None] * count
        for position, expression in enumerate(maps[out].results):
            dim = dim_position(expression)
            if dim is not None:
                binding[dim] = index[position]
            elif constant_value(expression) != 0:
                raise Opaque
        if None not in binding:
            return [b for b in binding if b is not None], ()
        sizes = iteration_extents(op, maps, count)
        bound: list[Atom] = []
        result: list[Index] = []
        for dim, known in enumerate(binding):
            if known is None:
                known = self.dims.atoms((REDUCED, op, dim), sizes[dim])
                bound += known
            result.append(known)
        return result, tuple(bound)

    def body(
        self, op: Any, maps: Sequence[Any], binding: list[Index], bound: Index, number: int, index: Sequence[Index]
    ) -> Expr:
        """What the op gives as result `number` at the iteration point `binding`."""
        inputs = num_inputs(op)
        block = body_block(op)
        if self._is_reduction(binding, maps[inputs + number]):
            parts: list[Expr] = []
            for piece, atoms in self._pieces(op, binding, bound):
                combiner, contribution, init = self.contribution(op, maps, piece, number, index)
                # The initial value is taken in once, by the first piece.
                parts.append(self.reduce(combiner, atoms, contribution, init) if atoms or not parts else contribution)
            result = parts[0]
            for part in parts[1:]:
                result = self.algebra.op(combiner, result.type, result, part)
            return result
        return self.scalar(yielded(op)[number], self._scope(op, maps, binding, len(block.arguments)), binding)

    def _pieces(self, op: Any, binding: list[Index], bound: Index) -> list[tuple[list[Index], Index]]:
        """(binding, bound atoms) for each piece of a reduction along a concatenation; one piece for any other."""
        split = [dim for dim in range(len(binding)) if (REDUCED, op, dim) in self.dims.segments]
        if not split:
            return [(binding, bound)]
        if len(split) > 1:
            raise Opaque
        dim = split[0]
        others = tuple(atom for atom in bound if atom not in binding[dim])
        pieces: list[tuple[list[Index], Index]] = []
        for place, size in enumerate(self.dims.segments[REDUCED, op, dim]):
            atom = Atom((SEGMENT, op, dim, place), 0, size)
            summed = (*others, atom) if size > 1 else others
            pieces.append(([*binding[:dim], (atom,), *binding[dim + 1 :]], summed))
        return pieces

    def contribution(
        self, op: Any, maps: Sequence[Any], binding: list[Index], number: int, index: Sequence[Index]
    ) -> tuple[str, Expr, Expr]:
        """(combiner, what one iteration adds, initial value) of a reduction."""
        inputs = num_inputs(op)
        out = body_block(op).arguments[inputs + number]
        scope = self._scope(op, maps, binding, inputs)
        combiner, contribution = self._combine(yielded(op)[number], out, scope, binding)
        return combiner, contribution, self.value(op.operands[inputs + number], index)

    def summand(self, op: Any, maps: Sequence[Any], binding: list[Index], index: Sequence[Index]) -> tuple[Expr, Expr]:
        """(what one iteration adds, initial value) of a contraction, entered even if the op is not inside."""
        try:
            _, contribution, init = self.contribution(op, maps, binding, 0, index)
        except NotLayout as error:
            raise Opaque from error
        return contribution, init

    def _scope(self, op: Any, maps: Sequence[Any], binding: list[Index], count: int) -> dict[Any, Callable[[], Expr]]:
        """What the first `count` block arguments of a structured op stand for."""
        return {
            argument: partial(self._operand, op, maps[position], position, binding)
            for position, argument in enumerate(body_block(op).arguments)
            if position < count
        }

    @staticmethod
    def _is_reduction(binding: list[Index], out_map: Any) -> bool:
        return len({dim_position(r) for r in out_map.results} - {None}) < len(binding)

    def _combine(
        self, result: Any, out: Any, scope: dict[Any, Callable[[], Expr]], binding: list[Index]
    ) -> tuple[str, Expr]:
        last = defining_op(result)
        if last is None or last.name not in COMBINERS:
            raise Opaque
        left, right = last.operands
        rest = right if left == out else left if right == out else None
        if rest is None:
            raise Opaque
        return last.name, self.scalar(rest, scope, binding)

    def _operand(self, op: Any, map_: Any, position: int, binding: list[Index]) -> Expr:
        operand = op.operands[position]
        if not is_tensor(operand.type):
            return self.scalar(operand, {}, ())
        index: list[Index] = []
        for expression in map_.results:
            dim = dim_position(expression)
            if dim is not None:
                index.append(binding[dim])
            elif constant_value(expression) == 0:
                index.append(())
            else:
                raise Opaque
        return self.value(operand, index)

    def scalar(self, value: Any, scope: dict[Any, Callable[[], Expr]], binding: Sequence[Index]) -> Expr:
        """The expression of a scalar inside a body (`scope`: what the body's block arguments stand for)."""
        memo: dict[Any, Expr] = {}
        body = next(iter(scope)).owner if scope else None

        def visit(value: Any) -> Expr:
            if value not in memo:
                memo[value] = compute(value)
            return memo[value]

        def compute(value: Any) -> Expr:
            if value in scope:
                return scope[value]()
            op = defining_op(value)
            if op is None:
                if value.owner == body:
                    raise Opaque
                return self.algebra.make("scalar", value, (), element_type(value))
            if op.name == "arith.constant":
                made = self._attribute(op.attributes["value"], element_type(value))
                if made is None:
                    raise Opaque
                return made
            if op.name == "linalg.index":
                dim = ir.IntegerAttr(op.attributes["dim"]).value
                return self.algebra.make("index", binding[dim], (), "index")
            if op.name == "tensor.extract":
                return self._extract(op, [visit(operand) for operand in list(op.operands)[1:]])
            if op.name.startswith(("arith.", "math.")) and len(op.results) == 1:
                attributes = tuple(
                    sorted((name, str(op.attributes[name])) for name in op.attributes if name not in IGNORED_ATTRIBUTES)
                )
                operands = [visit(operand) for operand in op.operands]
                return self.algebra.op(op.name, element_type(value), *operands, attributes=attributes)
            if op.block == body:
                raise Opaque
            return self.algebra.make("scalar", value, (), element_type(value))

        return visit(value)

    def _extract(self, op: Any, indices: list[Expr]) -> Expr:
        """`tensor.extract` at loop indices is an element like any other; elsewhere it is a gather."""
        source = op.operands[0]
        index: list[Index] = []
        for expr in map(_without_unit_test, indices):
            if expr.kind == "index":
                index.append(expr.data)
            elif expr.kind == "const" and expr.data[0] == "0":
                index.append(())
            else:
                return self.algebra.make("gather", source, indices, element_type(source))
        return self.value(source, index)


def _without_unit_test(expr: Expr) -> Expr:
    """i, for `select(extent == 1, 0, i)`: how exporters read a dim that may be broadcast when it is dynamic."""
    if expr.name != "arith.select":
        return expr
    condition, zero, index = expr.args
    unit = condition.name == "arith.cmpi" and any(arg.kind == "const" and arg.data[0] == "1" for arg in condition.args)
    outside = unit and not condition.atoms
    return index if outside and zero.kind == "const" and zero.data[0] == "0" else expr


def _filling(op: Any) -> Any | None:
    """The scalar that `op` spreads over its result: a fill, generalised or with its constant inside; None otherwise."""
    if op.name == "linalg.fill":
        return op.operands[0]
    if op.name != "linalg.generic" or len(op.results) != 1:
        return None
    result = yielded(op)[0]
    if len(op.operands) == 2 and not is_tensor(op.operands[0].type) and result == body_block(op).arguments[0]:
        return op.operands[0]
    source = defining_op(result)
    return result if source is not None and source.name == "arith.constant" else None


def constant_value_is_neutral(combiner: str, init: Expr) -> bool:
    """Whether reducing one element from `init` gives that element."""
    neutral = {"arith.addf": ("0.0", "-0.0"), "arith.maximumf": ("-inf",), "arith.maxnumf": ("-inf",),
               "arith.andi": ("True",), "arith.ori": ("False",), "arith.mulf": ("1.0",)}  # fmt: skip
    return init.kind == "const" and init.data[0] in neutral.get(combiner, ())


def _depth(expr: Expr) -> int:
    """How deep reductions nest in `expr`."""
    if not expr.reduces:
        return 0
    depths: dict[int, int] = {}
    pending = [expr]
    while pending:
        node = pending[-1]
        todo = [arg for arg in node.args if arg.reduces and arg.number not in depths]
        if todo:
            pending += todo
            continue
        pending.pop()
        inner = max((depths.get(arg.number, 0) for arg in node.args), default=0)
        depths[node.number] = inner + (node.kind == "reduce")
    return depths[expr.number]


def iteration_extents(op: Any, maps: Sequence[Any], count: int) -> list[int]:
    """Extent of each iteration dim of a structured op, DYNAMIC where not known."""
    extents = [DYNAMIC] * count
    for operand, map_ in zip(op.operands, maps, strict=False):
        if not is_tensor(operand.type):
            continue
        for position, expression in enumerate(map_.results):
            dim = dim_position(expression)
            if dim is not None and not operand.type.is_dynamic_dim(position):
                extents[dim] = operand.type.get_dim_size(position)
    return extents
