# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-fold-constants`: evaluates what depends on weights and constants alone, at compile time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, ClassVar

from fovea.executor.folding import ConstantEvaluator, evaluate
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import bytes_of, leaves_of, sources_of
from fovea.passes.constant_values import drop_unused_weights, replace_by_value
from fovea.passes.registry import PassContext, register

# How much larger than what it was computed from a padded value may be.
MAX_PADDING = 2
# Ops that change no byte: what is below them is folded, they stay and cost nothing.
_VIEWS = ("tensor.expand_shape", "tensor.collapse_shape")
# Ops that make a value out of (almost) nothing; they stay, whoever reads them recomputes the value.
_GENERATORS = ("arith.constant", "tensor.empty", "linalg.fill")


@register
@dataclass(frozen=True)
class FoldConstants:
    """Replace subtrees that depend only on constants and `fovea.weight` arguments by their values.

    The reference executor evaluates them: weights are transposed, cast and quantised here, once. Values up to 1 KiB
    become `arith.constant`; larger ones become a new argument whose `fovea.weight` names a tensor that is added to the
    weights. Nothing is replaced by something larger than what it was computed from (twice that, for padding):
    broadcasts, fills, iota tensors and masks stay ops. Weight arguments that nothing uses any more are removed. If the
    weights' values are not known, only inline constants are folded.

    Before:

        func.func @main(%x: tensor<4x8xf32>, %w: tensor<5x8xf32> {fovea.weight = "fc"}) {
          %q = "fovea.quantize"(%w) {axis = 0, scale = ...} : (tensor<5x8xf32>) -> tensor<5x8xf8E4M3FNUZ>

    After:

        func.func @main(%x: tensor<4x8xf32>, %q: tensor<5x8xf8E4M3FNUZ> {fovea.weight = "fc.f8E4M3FNUZ"}) {
    """

    name: ClassVar[str] = "fovea-fold-constants"

    def run(self, module: Any, context: PassContext) -> None:
        function = utils.entry_function(module)
        chosen = _choose(function, ConstantEvaluator(context.weights))
        arrays = [evaluate([value], context.weights)[0] for value in chosen]
        leaves = [leaves_of(value) for value in chosen]
        for value, array, sources in zip(chosen, arrays, leaves, strict=True):
            replace_by_value(function, value, array, sources, context)
        utils.run_upstream(module, "canonicalize", "cse")
        drop_unused_weights(utils.entry_function(module))


def _choose(function: Any, evaluator: ConstantEvaluator) -> list[Any]:
    """The values to replace: constant, read by something that is not, and not larger than their sources."""
    chosen: dict[Any, None] = {}
    seen: set[Any] = set()
    pending: deque[Any] = deque()
    for op in utils.body_ops(function):
        constant = len(op.results) > 0 and all(evaluator.is_constant(result) for result in op.results)
        if not constant:
            pending += [value for value in sources_of(op) if evaluator.is_constant(value)]
    while pending:
        value = pending.popleft()
        op = utils.defining_op(value)
        if value in seen or op is None or op.name in _GENERATORS:
            continue
        seen.add(value)
        available = sum(bytes_of(leaf) for leaf in leaves_of(value))
        if op.name == "tensor.pad":
            available *= MAX_PADDING
        if op.name not in _VIEWS and utils.is_tensor(value.type) and bytes_of(value) <= available:
            chosen.setdefault(value)
        else:
            pending += sources_of(op)
    return list(chosen)
