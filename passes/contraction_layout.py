# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Transposes and the operands of contractions: taken into the indexing maps, or made explicit for weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fovea.bindings import ir, linalg
from fovea.passes import ir_utils as utils

# Named ops that take an `indexing_maps` attribute -> what their maps may be (dims as letters of the iteration space).
# Anything else is written as linalg.generic.
_NAMED: dict[str, tuple[str, dict[int, tuple[str, ...]], str]] = {
    "linalg.matmul": ("mnk", {0: ("mk", "km"), 1: ("kn", "nk")}, "mn"),
    "linalg.batch_matmul": ("bmnk", {0: ("bmk", "bkm"), 1: ("bkn", "bnk")}, "bmn"),
}


def is_contraction(op: Any) -> bool:
    """Whether `op` is a linalg op of the form `sum of products` on two inputs."""
    return utils.is_linalg(op) and len(op.results) == 1 and bool(linalg.isa_contraction_op(op))


def absorb_transposes(op: Any) -> None:
    """Rewrite a contraction whose inputs are transposed tensors to read the tensors themselves."""
    if not is_contraction(op):
        return
    maps, inputs, changed = utils.indexing_maps(op), utils.inputs_of(op), False
    for position, value in enumerate(inputs):
        found = transposed(value)
        while found is not None:
            inputs[position], permutation = found
            results = list(maps[position].results)
            for at, expression in zip(permutation, maps[position].results, strict=True):
                results[at] = expression
            maps[position] = ir.AffineMap.get(maps[position].n_dims, 0, results, op.context)
            changed = True
            found = transposed(inputs[position])
    if changed:
        rebuild_contraction(op, inputs, maps)


def make_k_contiguous(op: Any) -> None:
    """Transpose weight inputs of a contraction (constants, `fovea.weight` arguments) so that k is the innermost dim."""
    if not is_contraction(op):
        return
    reduced = set(linalg.infer_contraction_dimensions(op).k)
    maps, inputs, changed = utils.indexing_maps(op), utils.inputs_of(op), False
    for position, value in enumerate(inputs):
        dims = [utils.dim_position(expression) for expression in maps[position].results]
        if not is_weight(value) or len(dims) < 2 or dims[-1] in reduced or not reduced & set(dims):
            continue
        permutation = sorted(range(len(dims)), key=lambda i: (dims[i] in reduced, i))
        with ir.InsertionPoint(op), op.location:
            inputs[position] = transpose(value, permutation)
        results = [maps[position].results[i] for i in permutation]
        maps[position] = ir.AffineMap.get(maps[position].n_dims, 0, results, op.context)
        changed = True
    if changed:
        rebuild_contraction(op, inputs, maps)


def is_weight(value: Any) -> bool:
    """Whether `value` is a constant or a function argument with `fovea.weight`."""
    op = utils.defining_op(value)
    return op.name == "arith.constant" if op is not None else utils.weight_name(value) is not None


def transpose(value: Any, permutation: Sequence[int]) -> Any:
    """linalg.transpose at the insertion point: dim i of the result is dim permutation[i] of `value`."""
    type_ = value.type
    output = utils.empty([type_.shape[i] for i in permutation], type_.element_type)
    return linalg.transpose(value, outs=[output], permutation=list(permutation)).results[0]


def rebuild_contraction(op: Any, inputs: Sequence[Any], maps: Sequence[Any]) -> Any:
    """Replace a contraction (or convolution) by one on `inputs` with `maps`; see `make_contraction`."""
    with ir.InsertionPoint(op), op.location:
        new = make_contraction(op, inputs, utils.outputs_of(op), maps)
    utils.replace_op(op, new)
    return new


def make_contraction(op: Any, inputs: Sequence[Any], outputs: Sequence[Any], maps: Sequence[Any]) -> Any:
    """A contraction (or convolution) like `op`, at the insertion point: named where the op allows those maps, else
    linalg.generic.

    Element types may differ from those of `op`: the body then extends both factors to the type of the output.
    """
    if op.name == "linalg.contract" or _fits_named(op.name, maps):
        return _named(op, inputs, outputs, maps)
    before = [value.type.element_type for value in op.operands]
    same_types = [value.type.element_type for value in (*inputs, *outputs)] == before
    body = _same_body(op) if same_types else _product_body(outputs[0].type.element_type)
    return utils.build_generic(inputs, outputs, maps, _iterators(op), body)


def _named(op: Any, inputs: Sequence[Any], outputs: Sequence[Any], maps: Sequence[Any]) -> Any:
    attributes = {"operandSegmentSizes": ir.DenseI32ArrayAttr.get([len(inputs), len(outputs)])}
    if "cast" in op.attributes:
        attributes["cast"] = op.attributes["cast"]
    attributes["indexing_maps"] = ir.ArrayAttr.get([ir.AffineMapAttr.get(map_) for map_ in maps])
    new = ir.Operation.create(
        op.name, results=[v.type for v in outputs], operands=[*inputs, *outputs], attributes=attributes, regions=1
    )
    linalg.fill_builtin_region(new)
    return new


def _fits_named(name: str, maps: Sequence[Any]) -> bool:
    if name not in _NAMED:
        return False
    letters, choices, output = _NAMED[name]
    spelled = []
    for map_ in maps:
        dims = [utils.dim_position(expression) for expression in map_.results]
        if None in dims:
            return False
        spelled.append("".join(letters[d] for d in dims if d is not None))
    return all(spelled[position] in allowed for position, allowed in choices.items()) and spelled[2] == output


def _iterators(op: Any) -> list[str]:
    if op.name == "linalg.generic":
        return utils.iterator_types(op)
    written = {utils.dim_position(expression) for expression in utils.indexing_maps(op)[-1].results}
    count = utils.indexing_maps(op)[0].n_dims
    return ["parallel" if d in written else "reduction" for d in range(count)]


def _same_body(op: Any) -> utils.Body:
    block = utils.body_block(op)
    return lambda *new: utils.clone_body(block, dict(zip(list(block.arguments), new, strict=True)))


def _product_body(accumulator: Any) -> utils.Body:
    def body(a: Any, b: Any, out: Any) -> Any:
        factors = [utils.float_cast(a, accumulator), utils.float_cast(b, accumulator)]
        product = utils.create("arith.mulf", factors, accumulator).results[0]
        return utils.create("arith.addf", [out, product], accumulator).results[0]

    return body


def transposed(value: Any) -> tuple[Any, list[int]] | None:
    """(source, permutation) if `value` is a transposed tensor: dim i of `value` is dim permutation[i] of the source."""
    op = utils.defining_op(value)
    if op is None:
        return None
    if op.name == "linalg.transpose":
        return op.operands[0], list(ir.DenseI64ArrayAttr(op.attributes["permutation"]))
    if not utils.is_elementwise(op) or len(op.results) != 1 or utils.num_inputs(op) != 1:
        return None
    read, written = utils.indexing_maps(op)
    copies = utils.yielded(op)[0] == utils.body_block(op).arguments[0]
    if not (copies and read.is_permutation and written.is_permutation):
        return None
    reads = [utils.dim_position(expression) for expression in read.results]
    return op.operands[0], [reads.index(utils.dim_position(expression)) for expression in written.results]
