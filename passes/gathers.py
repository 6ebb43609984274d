# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Gathers by known positions become plain operands, and copies that only broadcast become indexing maps.

Masks of exported models are built from iota tensors: `mask[select(i < 0, i + n, i)]` with i an iota is a plain read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fovea.bindings import arith, ir, tensor
from fovea.passes import ir_utils as utils
from fovea.passes.index_values import BodyValues, is_bool


def simplify_gathers(op: Any) -> None:
    """Rewrite one linalg.generic: fold decided comparisons, and make operands of `tensor.extract` by known indices."""
    values = BodyValues(op)
    block = utils.body_block(op)
    _fold_constants_in_body(op, values)
    reads = []
    for inner in list(block.operations):
        if inner.operation.name == "tensor.extract" and inner.operation.block == block:
            plan = _plan_read(inner.operation, values)
            if plan is not None:
                reads.append((inner.operation, *plan))
    if reads:
        op = _add_operands(op, values, reads)
    drop_unused_inputs(op)


def _fold_constants_in_body(op: Any, values: BodyValues) -> None:
    block = utils.body_block(op)
    inputs = list(block.arguments)[: utils.num_inputs(op)]
    results = [r for inner in block.operations if inner.operation.name != "arith.constant" for r in inner.results]
    for value in [*inputs, *results]:
        known = values.of(value)
        if known is None or not utils.has_uses(value):
            continue
        producer = utils.defining_op(value)
        if known.dim is None:
            with ir.InsertionPoint.at_block_begin(block), op.location:
                attribute = ir.BoolAttr.get(bool(known.offset)) if is_bool(value.type) else \
                    ir.IntegerAttr.get(value.type, known.offset)  # fmt: skip
                value.replace_all_uses_with(arith.ConstantOp(value.type, attribute).result)
        elif producer is not None and producer.name == "arith.select":
            condition = values.of(producer.operands[0])
            if condition is not None:
                value.replace_all_uses_with(producer.operands[1 if condition.low == 1 else 2])


def _plan_read(extract: Any, values: BodyValues) -> tuple[list[Any], list[int], list[int]] | None:
    """(map results, slice offsets, slice sizes) of the operand that replaces a tensor.extract; None if it must stay."""
    source, *indices = list(extract.operands)
    context = extract.context
    expressions, offsets, sizes, dims = [], [], [], []
    for index, extent in zip(indices, source.type.shape, strict=True):
        known = values.of(index)
        if known is None or known.low < 0 or known.high >= extent or known.dim in dims:
            return None  # not a plain position, out of range, or a diagonal
        if known.dim is None:
            expressions.append(ir.AffineExpr.get_constant(0, context))
        else:
            dims.append(known.dim)
            expressions.append(ir.AffineExpr.get_dim(known.dim, context))
        offsets.append(known.offset)
        sizes.append(known.size)
    return expressions, offsets, sizes


def _add_operands(op: Any, values: BodyValues, reads: list[tuple[Any, list[Any], list[int], list[int]]]) -> Any:
    count = utils.num_inputs(op)
    inputs, outputs = utils.inputs_of(op), utils.outputs_of(op)
    block = utils.body_block(op)
    arguments = list(block.arguments)
    dims = values.maps[0].n_dims
    added, added_maps = [], []
    with ir.InsertionPoint(op), op.location:
        for extract, expressions, offsets, sizes in reads:
            added.append(slice_of(extract.operands[0], offsets, sizes))
            added_maps.append(ir.AffineMap.get(dims, 0, expressions))
        maps = [*values.maps[:count], *added_maps, *values.maps[count:]]

        def body(*new: Any) -> list[Any]:
            mapping = dict(zip(arguments, [*new[:count], *new[count + len(reads) :]], strict=True))
            for (extract, *_), argument in zip(reads, new[count:], strict=False):
                extract.results[0].replace_all_uses_with(argument)
            return utils.clone_body(block, mapping)

        new_op = utils.build_generic([*inputs, *added], outputs, maps, utils.iterator_types(op), body)
    utils.replace_op(op, new_op)
    return new_op


def slice_of(value: Any, offsets: Sequence[int], sizes: Sequence[int]) -> Any:
    """`value[offsets][sizes]` at the insertion point; `value` itself if that is all of it."""
    type_ = value.type
    if list(sizes) == list(type_.shape):
        return value
    result = utils.tensor_type(sizes, type_.element_type)
    return tensor.ExtractSliceOp(result, value, [], [], [], list(offsets), list(sizes), [1] * len(sizes)).result


def drop_unused_inputs(op: Any) -> None:
    """Rebuild a linalg.generic without the inputs that its body does not read, if the loop bounds stay inferable."""
    count = utils.num_inputs(op)
    block = utils.body_block(op)
    utils.erase_dead_in(block)
    arguments = list(block.arguments)
    kept = [i for i in range(count) if utils.has_uses(arguments[i])]
    maps = utils.indexing_maps(op)
    kept_maps = [maps[i] for i in kept] + maps[count:]
    if len(kept) == count or not utils.dims_covered(kept_maps, maps[0].n_dims):
        return
    inputs, outputs = utils.inputs_of(op), utils.outputs_of(op)
    survivors = [arguments[i] for i in kept] + arguments[count:]
    with ir.InsertionPoint(op), op.location:
        new_op = utils.build_generic(
            [inputs[i] for i in kept], outputs, kept_maps, utils.iterator_types(op),
            lambda *new: utils.clone_body(block, dict(zip(survivors, new, strict=True))),
        )  # fmt: skip
    utils.replace_op(op, new_op)


def absorb_broadcasts(op: Any) -> None:
    """Operands of a linalg.generic that are mere copies (`yield %in`) are read at their source, by composed maps."""
    maps = utils.indexing_maps(op)
    for position in range(utils.num_inputs(op)):
        while True:
            source = _copied_value(op.operands[position])
            if source is None:
                break
            value, read, written = source
            composed = _compose(read, written, maps[position])
            if not utils.dims_covered([*maps[:position], composed, *maps[position + 1 :]], composed.n_dims):
                break
            maps[position] = composed
            copy = utils.defining_op(op.operands[position])
            op.operands[position] = value
            utils.erase_dead(copy)
    op.attributes["indexing_maps"] = ir.ArrayAttr.get([ir.AffineMapAttr.get(map_) for map_ in maps], op.context)


def narrow(op: Any) -> None:
    """Compute an elementwise linalg.generic once along the dims it does not vary along, if its readers allow it.

    A mask of `batch x 1 x queries x keys` that depends on batch and key becomes one of `batch x 1 x 1 x keys`.
    """
    if not utils.is_elementwise(op) or len(op.results) != 1:
        return
    maps = utils.indexing_maps(op)
    block, shape = utils.body_block(op), list(op.results[0].type.shape)
    varies = {utils.dim_position(e) for map_ in maps[: utils.num_inputs(op)] for e in map_.results}
    varies |= {
        int(ir.IntegerAttr(i.attributes["dim"]).value) for i in utils.nested_ops(op) if i.name == "linalg.index"
    }
    invariant = {d for d, size in enumerate(shape) if size > 1 and d not in varies}
    identity = ir.AffineMap.get_identity(len(shape), context=op.context)
    if not invariant or maps[-1] != identity or utils.has_uses(list(block.arguments)[-1]):
        return
    readers = _narrowed_readers(op.results[0], invariant)
    if readers is None:
        return
    kept = [1 if d in invariant else size for d, size in enumerate(shape)]
    arguments = list(block.arguments)
    with ir.InsertionPoint(op), op.location:
        new = utils.build_generic(
            utils.inputs_of(op), [utils.empty(kept, op.results[0].type.element_type)], maps, utils.iterator_types(op),
            lambda *fresh: utils.clone_body(block, dict(zip(arguments, fresh, strict=True))),
        )  # fmt: skip
    utils.copy_discardable(op, new)
    for reader, reader_maps, positions in readers:
        for position in positions:
            reader.operands[position] = new.results[0]
        attributes = [ir.AffineMapAttr.get(map_) for map_ in reader_maps]
        reader.attributes["indexing_maps"] = ir.ArrayAttr.get(attributes, op.context)
    op.erase()


def _narrowed_readers(value: Any, invariant: set[int]) -> list[tuple[Any, list[Any], list[int]]] | None:
    """Each reader, its maps with 0 in place of the invariant dims, and which inputs they are; None if one cannot."""
    found: list[tuple[Any, list[Any], list[int]]] = []
    owners: list[Any] = []
    for use in value.uses:
        if use.owner.operation not in owners:
            owners.append(use.owner.operation)
    for reader in owners:
        positions = [i for i, operand in enumerate(reader.operands) if operand == value]
        if reader.name != "linalg.generic" or positions[-1] >= utils.num_inputs(reader):
            return None
        maps = utils.indexing_maps(reader)
        zero = ir.AffineExpr.get_constant(0, value.type.context)
        for i in positions:
            results = [zero if d in invariant else e for d, e in enumerate(maps[i].results)]
            maps[i] = ir.AffineMap.get(maps[i].n_dims, 0, results, value.type.context)
        if not utils.dims_covered(maps, maps[0].n_dims):
            return None
        found.append((reader, maps, positions))
    return found or None


def _copied_value(value: Any) -> tuple[Any, Any, Any] | None:
    """(source, map it is read by, map the copy is written by) if `value` is a broadcasting copy of another tensor."""
    op = utils.defining_op(value)
    if op is None or not utils.is_elementwise(op) or len(op.results) != 1 or utils.num_inputs(op) != 1:
        return None
    read, written = utils.indexing_maps(op)
    if utils.yielded(op)[0] != utils.body_block(op).arguments[0] or not written.is_permutation:
        return None
    return op.operands[0], read, written


def _compose(read: Any, written: Any, use: Any) -> Any:
    """The map from the user's loops to the source: `read` of the copy's loops that `written` sends to `use`."""
    loops = {utils.dim_position(expression): use.results[i] for i, expression in enumerate(written.results)}
    results = [e if utils.dim_position(e) is None else loops[utils.dim_position(e)] for e in read.results]
    return ir.AffineMap.get(use.n_dims, 0, results, use.context)
