# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where the tensors of a network come from and go to, coarsely: enough to say that a contraction stands at its edge."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from fovea.bindings import ir
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import FollowsFrom, WeightLike
from fovea.passes.contraction import is_convolution
from fovea.passes.contraction_layout import is_contraction


class Step(Enum):
    """What an op does with its tensor operands."""

    VIEW = "view"  # the same elements elsewhere: reshape, transpose, slice, pad, broadcast, copy
    POINTWISE = "pointwise"
    REDUCTION = "reduction"  # max, sum, argmax along dims: norms, softmax and pooling have them
    CONTRACTION = "contraction"
    GATHER = "gather"  # reads a tensor at computed positions
    SORT = "sort"  # sort, top-k
    RETURN = "return"
    OTHER = "other"


_BY_NAME = {
    **dict.fromkeys(
        (
            "tensor.expand_shape", "tensor.collapse_shape", "tensor.extract_slice", "tensor.insert_slice", "tensor.pad",
            "tensor.concat", "tensor.cast", "linalg.transpose", "linalg.broadcast", "fovea.capture",
        ),
        Step.VIEW,
    ),
    "linalg.softmax": Step.REDUCTION,
    "tensor.extract": Step.GATHER,
    "tensor.gather": Step.GATHER,
    "tm_tensor.sort": Step.SORT,
    "tm_tensor.topk": Step.SORT,
    "func.return": Step.RETURN,
}  # fmt: skip


class Steps:
    """What ops do; remembers its answers by their results: drop it when ops that were asked about are erased."""

    def __init__(self) -> None:
        self._steps: dict[Any, Step] = {}
        self._inner: dict[Any, frozenset[str]] = {}

    def of(self, op: Any) -> Step:
        """What `op` does."""
        name = op.name
        if name in _BY_NAME:
            return _BY_NAME[name]
        if not name.startswith("linalg.") or not len(op.results):
            return Step.OTHER
        key = op.results[0]
        if key not in self._steps:
            self._steps[key] = self._step_of(op)
        return self._steps[key]

    def has_in_body(self, op: Any, *names: str) -> bool:
        """Whether the regions of `op` hold an op of one of these names."""
        if not len(op.results) or not len(op.regions):
            return False
        key = op.results[0]
        if key not in self._inner:
            self._inner[key] = frozenset(inner.name for inner in utils.nested_ops(op))
        return not self._inner[key].isdisjoint(names)

    def _step_of(self, op: Any) -> Step:
        if not utils.is_linalg(op):
            return Step.OTHER
        if is_contraction(op) or is_convolution(op):
            return Step.CONTRACTION
        if self.has_in_body(op, "tensor.extract"):
            return Step.GATHER
        return _elementwise_or_reduction(op)


def _elementwise_or_reduction(op: Any) -> Step:
    """What a structured op does that neither contracts nor gathers."""
    maps = utils.indexing_maps(op)
    written = {utils.dim_position(expression) for expression in maps[-1].results}
    return Step.POINTWISE if written >= set(range(maps[-1].n_dims)) else Step.REDUCTION


class FromInput(FollowsFrom):
    """Answers whether values are a float input of the model, seen through views and pointwise ops with constants."""

    def __init__(self, is_weight: WeightLike, steps: Steps) -> None:
        super().__init__()
        self._is_weight, self._steps = is_weight, steps

    def sources(self, value: Any) -> list[Any] | None:
        if not utils.is_tensor(value.type) or not isinstance(value.type.element_type, ir.FloatType):
            return None
        op = utils.defining_op(value)
        if op is None:
            function = value.owner.owner.operation
            return [] if function.name == "func.func" and not utils.is_private(function) else None
        if self._steps.of(op) not in (Step.VIEW, Step.POINTWISE):
            return None
        sources = [operand for operand in op.operands if not self._is_weight(operand)]
        return sources or None


@dataclass
class Fate:
    """What becomes of a value. "Joins": meets other activations, in a pointwise op or a contraction.

    returned: it is a result of the model. blocked: something that is neither view, pointwise with constants, softmax,
    argmax nor sort reads it. selects: it is sorted, or positions are computed from it. weighs: it joins activations
    after a softmax.
    """

    returned: bool = False
    blocked: bool = False
    selects: bool = False
    weighs: bool = False


_EXPONENTIALS = ("math.exp", "math.exp2")


class _Forward:
    """Walks from a value to where it goes. A residual connection ends the walk: behind it is another value.

    until_blocked: end it, with what is known then, at the first op that blocks.
    """

    def __init__(self, value: Any, is_weight: WeightLike, steps: Steps, until_blocked: bool = False) -> None:
        self.is_weight, self.steps = is_weight, steps
        self.fate = Fate()
        self.inside = {value}
        self.exponential: set[Any] = set()  # values made of exponentials
        self.normalised: set[Any] = set()  # and those divided by a sum of them
        self.sums: set[Any] = set()
        waiting: list[Any] = []
        pending = [value]
        while pending and not (until_blocked and self.fate.blocked):
            users = [use.owner.operation for use in pending.pop().uses]
            for op in [*users, *waiting]:
                if op.results and op.results[0] in self.inside:
                    continue
                if not self._waits(op):
                    pending += self._visit(op)
                elif op not in waiting:
                    waiting.append(op)
        for op in waiting:
            if not op.results or op.results[0] not in self.inside:
                self._join(op)

    def _waits(self, op: Any) -> bool:
        """Whether `op` reads activations that are not (yet) inside."""
        return self.steps.of(op) in (Step.VIEW, Step.POINTWISE, Step.CONTRACTION) and not all(
            operand in self.inside or self.is_weight(operand) for operand in _read(op)
        )

    def _join(self, op: Any) -> None:
        self.fate.blocked = True
        self.fate.weighs |= any(operand in self.normalised for operand in op.operands)

    def _visit(self, op: Any) -> list[Any]:
        """Notes what `op` does; the results through which the walk goes on."""
        step, read = self.steps.of(op), [operand for operand in op.operands if operand in self.inside]
        exponential = any(operand in self.exponential for operand in read)
        if step is Step.RETURN:
            private = utils.is_private(op.parent)
            self.fate.returned |= not private
            self.fate.blocked |= private
            return []
        if step is Step.SORT:
            self.fate.selects = True
        elif step is Step.GATHER:
            self.fate.selects |= any(not isinstance(o.type.element_type, ir.FloatType) for o in read)
            self.fate.blocked = True
            return []
        elif step is Step.REDUCTION:
            softmax = op.name == "linalg.softmax"
            if softmax:
                self.normalised.update(op.results)
            elif exponential and self.steps.has_in_body(op, "arith.addf"):
                self.sums.update(op.results)
            elif not self.steps.has_in_body(op, "arith.maximumf", "arith.maxnumf", "linalg.index"):
                self.fate.blocked = True
                return []
        elif step not in (Step.VIEW, Step.POINTWISE):
            self.fate.blocked = True
            return []
        elif self.steps.has_in_body(op, *_EXPONENTIALS):
            exponential = True
        if exponential:
            self.exponential.update(op.results)
        if any(operand in self.sums for operand in read):
            (self.normalised if step is Step.POINTWISE and len(read) > 1 else self.sums).update(op.results)
        if any(operand in self.normalised for operand in read):
            self.normalised.update(op.results)
        self.inside.update(op.results)
        return list(op.results)


def _read(op: Any) -> list[Any]:
    """The operands whose elements `op` reads."""
    return utils.inputs_of(op) if utils.is_linalg(op) else [o for o in op.operands if utils.is_tensor(o.type)]


def fate_of(value: Any, is_weight: WeightLike, steps: Steps) -> Fate:
    """What becomes of `value`."""
    return _Forward(value, is_weight, steps).fate


class Tail:
    """Answers whether values are returned and not blocked (see `Fate`), in one function.

    Walks on from those alone that a result of the function is computed from by ops that do not block.
    """

    def __init__(self, is_weight: WeightLike, steps: Steps) -> None:
        self._is_weight, self._steps = is_weight, steps
        self._before: set[Any] | None = None

    def __call__(self, value: Any) -> bool:
        if self._before is None:
            self._before = self._before_return(value.owner.operation.parent)
        if value not in self._before:
            return False
        fate = _Forward(value, self._is_weight, self._steps, until_blocked=True).fate
        return fate.returned and not fate.blocked

    def _before_return(self, function: Any) -> set[Any]:
        found: set[Any] = set()
        pending = [value for block in function.regions[0].blocks for value in block.operations[-1].operands]
        while pending:
            value = pending.pop()
            op = None if value in found else utils.defining_op(value)
            if op is not None:
                found.add(value)
                if self._steps.of(op) in (Step.VIEW, Step.POINTWISE, Step.REDUCTION, Step.SORT):
                    pending += op.operands
        return found
