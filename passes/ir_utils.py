# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small helpers that several passes share: finding, building, replacing ops, and located errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fovea.bindings import ir, linalg, passmanager
from fovea.errors import CompileError, Diagnostic

Body = Callable[..., "Any | Sequence[Any]"]
_ITERATOR = re.compile(r"iterator_type<(\w+)>")


def error_at(op: Any, message: str, kind: type[CompileError] = CompileError) -> CompileError:
    """A CompileError whose diagnostic carries the location of `op`; the caller raises it."""
    name = op.operation.name
    return kind(f"cannot compile a '{name}' op", [Diagnostic("error", f"'{name}' op {message}", str(op.location))])


def functions(module: Any) -> list[Any]:
    """The func.func ops of `module` that have a body."""
    ops = [op for op in module.body.operations if op.operation.name == "func.func"]
    return [op for op in ops if len(op.regions[0].blocks) > 0]


def entry_function(module: Any) -> Any:
    """The only public func.func with a body; CompileError if there is none or more than one."""
    public = [f for f in functions(module) if not is_private(f)]
    if len(public) == 1:
        return public[0]
    names = ", ".join("@" + ir.StringAttr(f.attributes["sym_name"]).value for f in public) or "none"
    raise CompileError(f"expected one public function with a body (the entry), found {names}")


def weight_name(value: Any) -> str | None:
    """The name in the weights file behind a function argument (`fovea.weight`), None for any other value."""
    if not isinstance(value, ir.BlockArgument):
        return None
    function = value.owner.owner
    if "arg_attrs" not in function.attributes:
        return None
    attributes = function.attributes["arg_attrs"][value.arg_number]
    return ir.StringAttr(attributes["fovea.weight"]).value if "fovea.weight" in attributes else None


def is_private(function: Any) -> bool:
    """Whether a func.func has private visibility."""
    attributes = function.attributes
    return "sym_visibility" in attributes and ir.StringAttr(attributes["sym_visibility"]).value == "private"


def body_ops(function: Any) -> list[Any]:
    """The ops of the function's entry block, as a list that stays valid while ops are added or erased."""
    return [op.operation for op in function.regions[0].blocks[0].operations]


def nested_ops(op: Any) -> Iterator[Any]:
    """All ops below `op`, outermost first; the ops of one block are listed before any is yielded."""
    for region in op.regions:
        for block in region.blocks:
            for inner in [view.operation for view in block.operations]:
                leaf = not len(inner.regions)  # asked first: whoever takes it may erase it
                yield inner
                if not leaf:
                    yield from nested_ops(inner)


def defining_op(value: Any) -> Any | None:
    """The operation that defines `value`, None for a block argument."""
    owner = value.owner  # each look at it makes an object
    return None if isinstance(owner, ir.Block) else owner.operation


def producer_of(value: Any) -> Any:
    """The operation that defines `value`, which is known to be no block argument."""
    op = defining_op(value)
    assert op is not None
    return op


def is_tensor(type_: Any) -> bool:
    """Whether a type is a ranked tensor."""
    return isinstance(type_, ir.RankedTensorType)


def element_of(type_: Any) -> Any:
    """The element type of a ranked tensor type; a scalar type itself."""
    return type_.element_type if is_tensor(type_) else type_


def has_uses(value: Any) -> bool:
    """Whether anything uses `value`."""
    return next(iter(value.uses), None) is not None


def attributes_of(op: Any) -> dict[str, Any]:
    """The attributes of `op` by name."""
    return {name: op.attributes[name] for name in op.attributes}


def erase_dead(op: Any) -> None:
    """Erase `op` if no result is used, then likewise what only it used. Only for ops without side effects."""
    pending = [op] if op is not None else []
    while pending:
        candidate = pending.pop()
        if any(has_uses(result) for result in candidate.results):
            continue
        producers = [producer for value in candidate.operands if (producer := defining_op(value)) is not None]
        candidate.erase()
        for producer in producers:
            if producer not in pending:
                pending.append(producer)


TIDY = ("canonicalize{region-simplify=disabled max-iterations=1}", "cse")
"""Upstream passes behind a rewrite of straight-line code: it has no blocks to merge, the search for which takes longer
than everything else that canonicalising does. What a pattern changes is looked at again within one iteration; a second
one would only find that nothing is left to do."""


def run_upstream(module: Any, *passes: str) -> None:
    """Run upstream passes (textual names) over the module in place.

    The IR is not verified between them: whoever runs our pass does that once behind it, and the verifiers of our ops,
    written in Python, would take longer than the upstream passes themselves.
    """
    manager = passmanager.PassManager("builtin.module", module.context)
    manager.enable_verifier(False)
    for name in passes:
        manager.add(name)
    manager.run(module.operation)


# --- linalg ---------------------------------------------------------------------------------------------------------


def is_linalg(op: Any) -> bool:
    """Whether `op` is a structured op on tensors: one with indexing maps, which are those with a body."""
    return op.name.startswith("linalg.") and len(op.regions) > 0


def num_inputs(op: Any) -> int:
    """How many of a linalg op's operands are inputs (the rest are outs, one a result where there are results)."""
    results = len(op.results)
    if not results and "operandSegmentSizes" in op.attributes:
        return int(op.attributes["operandSegmentSizes"][0])
    return len(op.operands) - results


def inputs_of(op: Any) -> list[Any]:
    """The input operands of a linalg op."""
    return list(op.operands)[: num_inputs(op)]


def outputs_of(op: Any) -> list[Any]:
    """The outs operands of a linalg op."""
    return list(op.operands)[num_inputs(op) :]


def indexing_maps(op: Any) -> list[Any]:
    """The affine maps of a linalg op, one an operand, also for named ops that leave them implicit."""
    return [attribute.value for attribute in linalg.get_indexing_maps(op)]


def iterator_types(op: Any) -> list[str]:
    """The iterator types of a linalg.generic as strings ("parallel", "reduction")."""
    return _ITERATOR.findall(str(op.attributes["iterator_types"]))


def body_block(op: Any) -> Any:
    """The only block of the op's first region."""
    return op.regions[0].blocks[0]


def yielded(op: Any) -> list[Any]:
    """The values that the body of a structured op yields."""
    return list(body_block(op).operations[-1].operands)


def dim_position(expression: Any) -> int | None:
    """The dim of an affine expression that is one dim, None for any other expression."""
    return int(expression.position) if isinstance(expression, ir.AffineDimExpr) else None


def constant_value(expression: Any) -> int | None:
    """The value of an affine expression that is a constant, None for any other expression."""
    return int(ir.AffineConstantExpr(expression).value) if isinstance(expression, ir.AffineConstantExpr) else None


def is_elementwise(op: Any) -> bool:
    """Whether `op` is a linalg.generic whose iterators are all parallel."""
    return op.name == "linalg.generic" and all(kind == "parallel" for kind in iterator_types(op))


def tensor_type(shape: Sequence[int], element: Any) -> Any:
    """tensor<shape x element>."""
    return ir.RankedTensorType.get(list(shape), element, loc=ir.Location.unknown(element.context))


def create(name: str, operands: Sequence[Any], *results: Any, **attributes: Any) -> Any:
    """An op without regions at the current insertion point and location, by its name; returns the operation.

    For ops that a pass makes thousands of: the bindings' own builders derive types and attributes that are known here.
    """
    return ir.Operation.create(name, results=list(results), operands=list(operands), attributes=attributes)


def number(value: float, element: Any) -> Any:
    """A float constant as a scalar of type `element`, at the current insertion point."""
    return create("arith.constant", [], element, value=ir.FloatAttr.get(element, value)).results[0]


def constant(attribute: Any) -> Any:
    """A constant with the value (and type) of an attribute, at the current insertion point."""
    return create("arith.constant", [], attribute.type, value=attribute).results[0]


def build_generic(
    inputs: Sequence[Any], outputs: Sequence[Any], maps: Sequence[Any], iterators: Sequence[str], body: Body
) -> Any:
    """A linalg.generic at the current insertion point and location; returns the operation.

    `maps`: one AffineMap an input and an output. `body` takes the block's arguments and returns the value(s) to yield.
    """
    context = ir.Location.current.context
    iterator_types = ", ".join(f"#linalg.iterator_type<{kind}>" for kind in iterators)
    op = ir.Operation.create(
        "linalg.generic",
        results=[value.type for value in outputs],
        operands=[*inputs, *outputs],
        attributes={
            "indexing_maps": ir.ArrayAttr.get([ir.AffineMapAttr.get(map_) for map_ in maps], context),
            "iterator_types": ir.Attribute.parse(f"[{iterator_types}]", context),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get([len(inputs), len(outputs)], context),
        },
        regions=1,
    )
    types = [element_of(value.type) for value in (*inputs, *outputs)]
    block = ir.Block.create_at_start(op.regions[0], types, [op.location] * len(types))
    with ir.InsertionPoint(block):
        result = body(*block.arguments)
        create("linalg.yield", result if isinstance(result, list | tuple) else [result])
    return op


def empty(shape: Sequence[int], element: Any) -> Any:
    """A `tensor.empty` value at the current insertion point."""
    return create("tensor.empty", [], tensor_type(shape, element)).results[0]


def filled(number: Any, shape: Sequence[int]) -> Any:
    """A tensor that holds the scalar value `number` everywhere, at the current insertion point.

    The same as `linalg.fill`, whose op the bindings derive anew from its definition each time.
    """
    out = empty(shape, number.type)
    op = ir.Operation.create(
        "linalg.fill", results=[out.type], operands=[number, out], regions=1,
        attributes={"operandSegmentSizes": ir.DenseI32ArrayAttr.get([1, 1])},
    )  # fmt: skip
    linalg.fill_builtin_region(op)
    return op.results[0]


def elementwise(inputs: Sequence[Any], element: Any, body: Body, maps: Sequence[Any] | None = None) -> Any:
    """An all-parallel linalg.generic over the shape of inputs[0]; returns its result (element type `element`).

    `maps`: one AffineMap an input (default identities); the result's map is the identity.
    """
    shape = ir.RankedTensorType(inputs[0].type).shape
    identity = ir.AffineMap.get_identity(len(shape), context=ir.Location.current.context)
    input_maps = list(maps) if maps is not None else [identity] * len(inputs)
    op = build_generic(inputs, [empty(shape, element)], [*input_maps, identity], ["parallel"] * len(shape), body)
    return op.results[0]


def float_cast(value: Any, element: Any) -> Any:
    """`value` (a scalar float) as `element` by extf or truncf; itself if it has that type."""
    source = value.type
    if source == element:
        return value
    if source.width == element.width:  # f16 <-> bf16: no direct cast exists
        return create("arith.truncf", [float_cast(value, ir.F32Type.get(source.context))], element).results[0]
    return create("arith.truncf" if source.width > element.width else "arith.extf", [value], element).results[0]


def cast_tensor(value: Any, element: Any) -> Any:
    """`value` (a float tensor) with another float element type, by one elementwise generic."""
    if ir.RankedTensorType(value.type).element_type == element:
        return value
    return elementwise([value], element, lambda x, _: float_cast(x, element))


def cast_value(value: Any, element: Any) -> Any:
    """`value` (a float tensor or scalar) with another float element type."""
    return cast_tensor(value, element) if is_tensor(value.type) else float_cast(value, element)


def insertion_after(value: Any) -> Any:
    """An insertion point right after the definition of `value` (for an argument: at the start of its block)."""
    op = defining_op(value)
    return ir.InsertionPoint.at_block_begin(value.owner) if op is None else ir.InsertionPoint.after(op)


STRUCTURAL = (
    "indexing_maps", "iterator_types", "operandSegmentSizes", "strides", "dilations", "linalg.memoized_indexing_maps",
)  # fmt: skip


def clone_body(block: Any, mapping: dict[Any, Any], live: set[Any] | None = None) -> list[Any]:
    """Copy the ops of `block` (without its terminator) to the insertion point; returns what it yields.

    `mapping` gives replacements for values of the block, at least for its arguments; it is extended with the copies.
    With `live`, only ops that define one of these values are copied. (A copy must not refer to an argument of the old
    block: the bindings do not notice when that block is erased.)
    """
    *ops, terminator = list(block.operations)
    for op in ops:
        if live is not None and not any(result in live for result in op.results):
            continue
        clone_op(op, mapping)
    return [mapping.get(value, value) for value in terminator.operands]


def clone_op(op: Any, mapping: dict[Any, Any]) -> Any:
    """Copy `op` to the insertion point with operands (and captured values) replaced; adds its results to `mapping`."""
    copy = op.operation.clone().operation
    for inner in (copy, *nested_ops(copy)):
        for position, operand in enumerate(inner.operands):
            if operand in mapping:
                inner.operands[position] = mapping[operand]
    mapping.update(zip(op.results, copy.results, strict=True))
    return copy


def copy_discardable(source: Any, target: Any) -> None:
    """Copy the attributes of a linalg op that are not part of its structure (tags, for example)."""
    for name in source.attributes:
        if name not in STRUCTURAL:
            target.attributes[name] = source.attributes[name]


def dims_covered(maps: Sequence[Any], count: int) -> bool:
    """Whether every dim of the iteration space is a result of some map (linalg infers the loop bounds from them)."""
    seen = {dim_position(expression) for map_ in maps for expression in map_.results}
    return seen >= set(range(count))


def replace_op(old: Any, new: Any) -> None:
    """Replace `old` by `new` (as many results), which takes over its discardable attributes; erases `old`."""
    copy_discardable(old, new)
    for before, after in zip(old.results, new.results, strict=True):
        before.replace_all_uses_with(after)
    old.erase()


def erase_dead_in(block: Any) -> None:
    """Erase the ops of a linalg body whose results nothing uses."""
    for inner in reversed(list(block.operations)[:-1]):
        if inner.results and not any(has_uses(result) for result in inner.results):
            inner.operation.erase()
