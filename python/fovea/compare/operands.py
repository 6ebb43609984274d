# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where an operand of a contraction comes from: a real tensor, the ops that quantise it, and reshapes.

    root --quantize--> --dequantize--> --expand_shape--> operand

Any op of the dialect with "quantize" in its name counts, whatever its scales are (a tensor, channels, rows, blocks).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from fovea.executor.body import captured
from fovea.executor.folding import ConstantEvaluator
from fovea.executor.handlers import Array
from fovea.executor.program import handler_of
from fovea.passes.contraction import identity_of
from fovea.passes.ir_utils import defining_op

# More than any scale makes of a storage type's largest value, and a number that f32 can still scale.
_HUGE = 2.0**100


def quantises(op: Any) -> bool:
    """Whether `op` is a quantize or a dequantize of the dialect, of any kind."""
    return bool(op.name.startswith("fovea.") and "quantize" in op.name)


@dataclass(frozen=True)
class OperandPath:
    """How `operand` follows from `root`, a value of the same module: by `ops`, in order; by none if it is `root`."""

    root: Any
    ops: tuple[Any, ...]
    operand: Any

    @property
    def quantised(self) -> bool:
        """Whether an op on the way quantises."""
        return any(quantises(op) for op in self.ops)

    @property
    def identity(self) -> str | None:
        """The id of the capture that the quantisation came from."""
        return next((found for op in self.ops if quantises(op) and (found := identity_of(op)) is not None), None)

    @property
    def storage(self) -> str:
        """The 8-bit type on the way, "" if there is none."""
        last = [op for op in self.ops if quantises(op) and "dequantize" in op.name]
        return str(last[-1].operands[0].type.element_type) if last else ""

    @property
    def dynamic(self) -> bool:
        """Whether scales are computed from the values: a quantize has them as a second result."""
        return any(quantises(op) and len(op.results) > 1 for op in self.ops)

    def run(
        self, root: Array, constants: ConstantEvaluator, quantise: bool = True, saturate: bool = False
    ) -> Array:
        """The operand for a value of the root; with `quantise` off, through the reshapes alone.

        saturate: with the largest value that can be stored in the place of each that is, where scales are dynamic.
        """
        values: dict[Any, Any] = {self.root: root}
        for op in self.ops:
            if quantises(op) and not quantise:
                values[op.results[0]] = values[op.operands[0]]
                continue
            operands = [values[v] if v in values else constants.evaluate([v])[0] for v in op.operands]
            results = call(op, operands, constants)
            if saturate and quantises(op) and len(results) > 1:
                results[0] = np.full_like(results[0], ml_dtypes.finfo(results[0].dtype).max)
            values.update(zip(op.results, results, strict=True))
        return np.asarray(values[self.operand])

    def largest(self, root: Array, constants: ConstantEvaluator) -> Array:
        """The largest magnitude that each element of the operand can have: 0-d if it is the same for all.

        Fixed scales do not depend on the values of `root`: a tensor of huge ones saturates.
        """
        if self.dynamic:
            return self.run(root, constants, saturate=True).astype(np.float32)
        found = self.run(np.full(root.shape, _HUGE, np.float32), constants).astype(np.float32)
        return np.asarray(found.max()) if found.size and found.max() == found.min() else found


def call(op: Any, operands: Sequence[Array], constants: ConstantEvaluator) -> list[Array]:
    """The results of one op on arrays."""
    handler = handler_of(op)
    assert handler is not None  # the executor has run it
    if op.operation.regions:
        constants.evaluate([value for value in captured(op) if constants.is_constant(value)])
    with np.errstate(all="ignore"):
        return [np.asarray(result) for result in handler(constants, op, operands)]


def path_of(value: Any, constants: ConstantEvaluator) -> OperandPath:
    """The path of an operand. One that no op quantises, or that follows from several tensors, is its own root."""
    alone = OperandPath(value, (), value)
    ops: list[Any] = []
    roots: list[Any] = []
    pending = [(value, True)]
    while pending:
        current, follow = pending.pop()
        op = defining_op(current)
        if follow and op is not None and (quantises(op) or _moves(op)):
            if op not in ops:
                ops.append(op)
                stored = _moves(op) or "dequantize" in op.name
                pending += [(operand, stored) for operand in op.operands]  # what a quantize reads is the root
        elif current not in roots and not _is_blank(op):
            roots.append(current)
    real = [root for root in roots if not constants.is_constant(root)]
    candidates = real or roots
    path = OperandPath(candidates[0], tuple(reversed(ops)), value) if len(candidates) == 1 else alone
    return path if path.quantised else alone


def _moves(op: Any) -> bool:
    """Whether `op` only moves elements of a tensor (reshapes, transposes, pads, slices)."""
    return bool(op.name.startswith("tensor.") and op.name != "tensor.empty") or op.name == "linalg.transpose"


def _is_blank(op: Any) -> bool:
    """Whether `op` makes a tensor without values, which a transpose writes to."""
    return op is not None and op.name == "tensor.empty"
