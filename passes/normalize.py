# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-normalize`: one canonical form of linalg on tensors for the passes that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from fovea.bindings import ir
from fovea.passes import ir_utils as utils
from fovea.passes.contraction_layout import absorb_transposes, make_k_contiguous
from fovea.passes.gathers import absorb_broadcasts, narrow, simplify_gathers
from fovea.passes.registry import PassContext, register


@register
@dataclass(frozen=True)
class Normalize:
    """Bring linalg on tensors into one canonical form.

    - Runs upstream `canonicalize` and `cse`, before and after its own rewrites.
    - Drops `cf.assert` in linalg bodies. Kernels clamp gather indices to the table instead of stopping.
    - Drops results of `linalg.generic` that nothing uses (torch's max also computes an argmax).
    - A `tensor.extract` whose indices are loop indices, constants, or values of iota tensors becomes an operand with an
      indexing map; `select(i < 0, i + n, i)` of an index that cannot be negative becomes `i`.
    - A copy that only broadcasts is read at its source; an elementwise op that does not vary along a dim (a mask that
      is the same for all queries) is computed once along it.
    - A transpose that feeds a contraction becomes a part of the contraction's indexing maps.

    Dynamic shapes are an error here. Options: `prefer_k_contiguous` transposes weight operands of contractions whose
    innermost dim is not the contracted one (folded into the weight later), as 8-bit matrix instructions read them.

    Before:

        %t = linalg.transpose ins(%w : tensor<8x16xf32>) outs(%e : tensor<16x8xf32>) permutation = [1, 0]
        %r = linalg.matmul ins(%x, %t : tensor<4x16xf32>, tensor<16x8xf32>) outs(%z : tensor<4x8xf32>) -> ...

    After:

        %r = linalg.matmul indexing_maps = [(m, n, k) -> (m, k), (m, n, k) -> (n, k), (m, n, k) -> (m, n)]
               ins(%x, %w : tensor<4x16xf32>, tensor<8x16xf32>) outs(%z : tensor<4x8xf32>) -> ...
    """

    name: ClassVar[str] = "fovea-normalize"

    prefer_k_contiguous: bool = False

    def run(self, module: Any, context: PassContext) -> None:
        for function in utils.functions(module):
            _drop_assertions(function)
        utils.run_upstream(module, "canonicalize", "cse")
        for function in utils.functions(module):
            _check_static(function)
            for op in utils.body_ops(function):
                if op.name == "linalg.generic":
                    _drop_unused_results(op)
            for op in utils.body_ops(function):
                if op.name == "linalg.generic":
                    simplify_gathers(op)
        utils.run_upstream(module, "canonicalize", "cse")
        for function in utils.functions(module):
            for op in utils.body_ops(function):
                if op.name == "linalg.generic":
                    absorb_broadcasts(op)
            for op in utils.body_ops(function):
                if op.name == "linalg.generic":
                    narrow(op)
            for op in utils.body_ops(function):
                absorb_transposes(op)
            if self.prefer_k_contiguous:
                for op in utils.body_ops(function):
                    make_k_contiguous(op)
        utils.run_upstream(module, "canonicalize", "cse")


def _drop_assertions(function: Any) -> None:
    for op in utils.body_ops(function):
        if utils.is_linalg(op):
            for inner in list(utils.nested_ops(op)):
                if inner.name == "cf.assert":
                    inner.erase()


def _check_static(function: Any) -> None:
    for argument in function.regions[0].blocks[0].arguments:
        _check_type(function, argument.type)
    for op in utils.body_ops(function):
        for result in op.results:
            _check_type(op, result.type)


def _check_type(op: Any, type_: Any) -> None:
    if isinstance(type_, ir.UnrankedTensorType) or (utils.is_tensor(type_) and not type_.has_static_shape):
        raise utils.error_at(
            op, f"dynamic shapes are not supported yet, found {type_}; export the model with static shapes"
        )


def _drop_unused_results(op: Any) -> None:
    """Rebuild a multi-result generic without results that nothing uses, nor the accumulators of those that stay."""
    used = [utils.has_uses(result) for result in op.results]
    if all(used) or not any(used):
        return  # nothing unused, or dead altogether, which canonicalisation erases
    outputs, arguments = utils.outputs_of(op), list(utils.body_block(op).arguments)
    first_out = utils.num_inputs(op)
    wanted = [value for value, keep in zip(utils.yielded(op), used, strict=True) if keep]
    live = _backward_slice(wanted, utils.body_block(op))
    keep = [flag or arguments[first_out + i] in live for i, flag in enumerate(used)]
    if all(keep):
        return
    maps = utils.indexing_maps(op)
    kept = [i for i, flag in enumerate(keep) if flag]
    kept_arguments = arguments[:first_out] + [arguments[first_out + i] for i in kept]

    def body(*new: Any) -> list[Any]:
        copied = utils.clone_body(utils.body_block(op), dict(zip(kept_arguments, new, strict=True)), live)
        return [copied[i] for i in kept]

    with ir.InsertionPoint(op), op.location:
        replacement = utils.build_generic(
            utils.inputs_of(op), [outputs[i] for i in kept], maps[:first_out] + [maps[first_out + i] for i in kept],
            utils.iterator_types(op), body,
        )  # fmt: skip
    utils.copy_discardable(op, replacement)
    for new, old in enumerate(kept):
        op.results[old].replace_all_uses_with(replacement.results[new])
    op.erase()


def _backward_slice(values: list[Any], block: Any) -> set[Any]:
    """Every value of `block` that `values` depend on, themselves included."""
    seen: set[Any] = set()
    pending = list(values)
    while pending:
        value = pending.pop()
        if value not in seen:
            seen.add(value)
            producer = utils.defining_op(value)
            if producer is not None and producer.block == block:
                pending += list(producer.operands)
    return seen
