# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-move-quantize`: quantising moves back to where a tensor is made, dequantising forward to where it is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from fovea.bindings import ir
from fovea.dialect.attention_tag import NAME as TAG
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import WeightLike
from fovea.passes.contraction import IDENTITY
from fovea.passes.contraction_layout import is_contraction
from fovea.passes.quantized_motion import VIEWS, Motion, Scaling, cancels, dequantize, motion_of, quantize
from fovea.passes.registry import PassContext, register

QUANTIZE, DEQUANTIZE = "fovea.quantize", "fovea.dequantize"
Report = Callable[[Any, str], None]


@register
@dataclass(frozen=True)
class MoveQuantize:
    """Let ops that move elements move 8-bit ones: `fovea.quantize` goes before them, `fovea.dequantize` behind them.

    Such ops are reshapes, transposes, slices, concatenations, padding, broadcasts and gathers of rows; maxima (max
    pooling, clamping at 0) commute too. All of it is exact: storing and reading a number are monotone functions of that
    number alone (of two zeros of either sign, a maximum may give the other one). One scale a channel moves where each
    element keeps its channel; pieces of a concatenation along the channels take their part of the scales.

    A quantize moves up to where the tensor is computed, so that it joins that kernel, one tensor is stored once for all
    readers, and it meets the dequantize it may cancel. It stays where that would not pay: below an op that reads an
    argument of the function, a slice of a tensor most of which is not quantised, a tensor that others read as floats.
    A quantize that stays below such an op, or where a dequantize or a quantize of another scale is in the way, has a
    record with the reason. A clamp at 0 is only passed on the way to something else. Ops of attention sites stay.

    Before:

        %t = linalg.transpose ins(%y : tensor<4x8xf32>) outs(%e : tensor<8x4xf32>) permutation = [1, 0]
        %q = "fovea.quantize"(%t) {axis = -1, scale = dense<0.5> : tensor<f32>} : ... -> tensor<8x4xf8E4M3FNUZ>

    After:

        %q8 = "fovea.quantize"(%y) {axis = -1, scale = dense<0.5> : tensor<f32>} : ... -> tensor<4x8xf8E4M3FNUZ>
        %q = linalg.transpose ins(%q8 : tensor<4x8xf8E4M3FNUZ>) outs(%e8 : ...) permutation = [1, 0]
    """

    name: ClassVar[str] = "fovea-move-quantize"

    def run(self, module: Any, context: PassContext) -> None:
        moved = False
        for function in utils.functions(module):
            ops = [op for op in utils.body_ops(function) if op.name in (QUANTIZE, DEQUANTIZE)]
            if ops:
                moved |= _Forward().run([op for op in ops if op.name == DEQUANTIZE])
                moved |= _Backward(context).run([op for op in ops if op.name == QUANTIZE])
        if moved:
            utils.run_upstream(module, *utils.TIDY)


def _movable(op: Any) -> Motion | None:
    return None if op is None or TAG in op.attributes else motion_of(op)


def _users(value: Any) -> list[Any]:
    """The ops that use `value`, each once (of a use in a body: the structured op around it); not those whose results
    come to nothing."""
    found: list[Any] = []
    for use in value.uses:
        op = use.owner.operation
        while op.parent is not None and op.parent.operation.name != "func.func":
            op = op.parent.operation
        if op not in found and _is_used(op):
            found.append(op)
    return found


def _is_used(op: Any) -> bool:
    """Whether `op` comes to anything: what has moved away leaves ops behind that nothing, or only such ops, use."""
    if len(op.results) != 1:
        return True
    if op.name in (QUANTIZE, DEQUANTIZE) or motion_of(op) is not None:
        return bool(_users(op.results[0]))
    return utils.has_uses(op.results[0])


class _Forward:
    """Moves dequantize ops towards their readers."""

    def run(self, ops: list[Any]) -> bool:
        pending, moved = deque(ops), False
        while pending:
            op = pending.popleft()
            for user in _users(op.results[0]):
                new = self._past(user)
                if new is not None:
                    moved = True
                    pending.append(new)
        return moved

    def _past(self, user: Any) -> Any | None:
        """The dequantize behind `user` that takes its place, None if it cannot, or if that would not help."""
        motion = _movable(user)
        if motion is None or not utils.has_uses(user.results[0]):
            return None
        producers = [utils.producer_of(value) for value in motion.operands(user)]
        if any(p is None or p.name != DEQUANTIZE for p in producers):
            return None
        if motion.computes and not _leads_on(user.results[0], Scaling.of(producers[0])):
            return None
        scaling = motion.after(user, [Scaling.of(p) for p in producers])
        if scaling is None:
            return None
        with ir.InsertionPoint(user), user.location:
            stored = motion.remade(user, [p.operands[0] for p in producers], scaling)
            real = dequantize(stored, scaling, user.results[0].type.element_type)
        new = utils.producer_of(real)
        _keep_identity(producers[0], new)
        user.results[0].replace_all_uses_with(real)
        return new


def _leads_on(value: Any, scaling: Scaling) -> bool:
    """Whether some reader of `value`, through reshapes and maxima, gains from 8 bits."""
    for user in _users(value):
        if is_contraction(user) or (user.name == QUANTIZE and Scaling.of(user).equals(scaling)):
            return True
        motion = _movable(user)
        if motion is not None and (user.name not in VIEWS and not motion.computes):
            return True
        if motion is not None and _leads_on(user.results[0], scaling):
            return True
    return False


class _Backward:
    """Moves quantize ops towards the producers of what they store."""

    def __init__(self, context: PassContext) -> None:
        self.context = context
        self.is_weight = WeightLike()

    def run(self, ops: list[Any]) -> bool:
        pending, moved = deque(reversed(ops)), False
        while pending:
            op = pending.popleft()
            if not utils.has_uses(op.results[0]):
                continue
            reason, made = self._before(op)
            pending.extendleft(made)
            moved = moved or bool(made)
            if reason is not None and not made:
                self.context.records.append({"kind": "move-quantize", "location": str(op.location),
                                             "decision": "left", "reason": reason})  # fmt: skip
        return moved

    def _before(self, op: Any) -> tuple[str | None, list[Any]]:
        """(why `op` stays, []) or (None, the quantize ops that take its place); (None, []) if nothing is above it."""
        value, scaling = op.operands[0], Scaling.of(op)
        source = utils.defining_op(value)
        if source is not None and source.name == DEQUANTIZE:
            if not Scaling.of(source).equals(scaling):
                return "its tensor comes from FP8 with another scale or type", []
            if not cancels(scaling, value.type.element_type):
                return f"{value.type.element_type} does not hold all the numbers that it stores", []
            op.results[0].replace_all_uses_with(source.operands[0])
            return None, []
        motion = _movable(source)
        if motion is None or source is None:
            return _other_scales(op, scaling), []
        before = motion.before(source, scaling)
        if before is None:
            return f"'{source.name}' mixes the channels that its scales belong to", []
        if motion.computes and not self._worth(source, motion, scaling):
            return _other_scales(op, scaling), []
        if source.name not in VIEWS and not motion.computes:
            reason = self._reason_to_stay(source, motion, scaling)
            if reason is not None:
                return reason, []
        return None, self._moved(op, source, motion, before)

    def _moved(self, op: Any, source: Any, motion: Motion, before: list[Scaling]) -> list[Any]:
        made, stored = [], []
        with op.location:
            for value, scaling in zip(motion.operands(source), before, strict=True):
                with utils.insertion_after(value):
                    stored.append(quantize(value, scaling))
                new = utils.producer_of(stored[-1])
                _keep_identity(op, new)
                made.append(new)
        with ir.InsertionPoint(source), source.location:
            result = motion.remade(source, stored, Scaling.of(op))
        op.results[0].replace_all_uses_with(result)
        return made

    def _worth(self, source: Any, motion: Motion, scaling: Scaling) -> bool:
        """Whether something is to be gained above an op that computes: elements moved in 8 bits, a pair that goes."""
        if any(user.name != QUANTIZE or not Scaling.of(user).equals(scaling) for user in _users(source.results[0])):
            return False
        if _pools(source):
            return _is_computed(source.operands[0])
        above = utils.defining_op(source.operands[0])
        while above is not None:
            if above.name == DEQUANTIZE:
                return Scaling.of(above).equals(scaling)
            found = _movable(above)
            if found is None or found.before(above, scaling) is None:
                return False
            if _pools(above):
                return _is_computed(above.operands[0])
            if above.name not in VIEWS and not found.computes:
                return self._reason_to_stay(above, found, scaling) is None
            above = utils.defining_op(above.operands[0])
        return False

    def _reason_to_stay(self, source: Any, motion: Motion, scaling: Scaling) -> str | None:
        """Why a quantize stays below an op that moves elements, None if it pays to move them in 8 bits."""
        result = source.results[0]
        for user in _users(result):
            if user.name != QUANTIZE:
                return f"the result of '{source.name}' is also read as floats"
            if not Scaling.of(user).equals(scaling):
                return f"the result of '{source.name}' is stored with several scales"
        for value in motion.operands(source):
            if self.is_weight(value):
                continue
            if not _is_computed(value):
                return f"'{source.name}' reads an argument: it is stored in 8 bits as it is read"
            if _elements(value) > self._stored(value, scaling):
                return f"more elements than '{source.name}' reads of it would be stored"
        return None

    def _stored(self, value: Any, scaling: Scaling) -> int:
        """How many elements that ops take from `value` are stored with `scaling`."""
        total = 0
        for user in _users(value):
            if user.name == QUANTIZE and Scaling.of(user).equals(scaling):
                total += _elements(value)
            elif _movable(user) is not None and any(
                reader.name == QUANTIZE and Scaling.of(reader).equals(scaling) for reader in _users(user.results[0])
            ):
                total += _elements(user.results[0])
        return total


def _other_scales(op: Any, scaling: Scaling) -> str | None:
    """The reason that one tensor is stored more than once, if it is."""
    if len(list(op.operands[0].uses)) == 1:
        return None
    for other in _users(op.operands[0]):
        if other.name == QUANTIZE and not Scaling.of(other).equals(scaling):
            return "one tensor is stored more than once, as its readers have different scales or types"
    return None


def _pools(op: Any) -> bool:
    """Whether a maximum is over windows: what it reads is then larger than what it gives."""
    motion = motion_of(op)
    shapes = [list(value.type.shape) for value in (op.operands[0], op.results[0])]
    return motion is not None and motion.computes and shapes[0] != shapes[1]


def _is_computed(value: Any) -> bool:
    """Whether some op computes `value` (through ops that only move elements)."""
    op = utils.defining_op(value)
    while op is not None:
        motion = motion_of(op)
        if motion is None or motion.computes:
            return op.name != "arith.constant"
        op = utils.defining_op(motion.operands(op)[0])
    return False


def _elements(value: Any) -> int:
    total = 1
    for size in value.type.shape:
        total *= size
    return total


def _keep_identity(old: Any, new: Any) -> None:
    if IDENTITY in old.attributes:
        new.attributes[IDENTITY] = old.attributes[IDENTITY]
