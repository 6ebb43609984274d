# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Default exclusions: contractions that stay out of FP8 unless `--include` asks for them, as other quantisers do."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import WeightLike
from fovea.passes.contraction import LHS, RHS
from fovea.passes.contraction_layout import is_contraction
from fovea.passes.quantization_selectors import Candidate
from fovea.passes.value_flow import Fate, FromInput, Steps, Tail, fate_of

ROUTER_EXPERTS = 512
"""Most outputs of a router: the largest public mixtures have as many experts."""
TINY_K = 32
"""An FP8 matrix instruction sums 32 products (gfx942) or more; fewer leave it part empty."""
TINY_N = 16
"""No matrix instruction has fewer columns. Few rows are no reason: FP8 halves the weights that are then read."""


class Networks:
    """What the policies share in one function; drop it when the function is rewritten."""

    def __init__(self, is_weight: WeightLike) -> None:
        self.is_weight = is_weight
        self.steps = Steps()
        self.from_input = FromInput(is_weight, self.steps)
        self.tail = Tail(is_weight, self.steps)


class Place:
    """A contraction or convolution in its network."""

    def __init__(self, candidate: Candidate, network: Networks) -> None:
        self.candidate, self.op, self.network = candidate, candidate.op, network

    @cached_property
    def inputs(self) -> list[Any]:
        """The operands."""
        return utils.inputs_of(self.op)

    @cached_property
    def weights(self) -> list[int]:
        """Which of the operands are weights."""
        return [side for side, value in enumerate(self.inputs) if self.network.is_weight(value)]

    @cached_property
    def fate(self) -> Fate:
        """What becomes of the result."""
        return fate_of(self.op.results[0], self.network.is_weight, self.network.steps)

    @cached_property
    def extents(self) -> tuple[int, int]:
        """(n, k): channels of the weight (of two activations the smaller of m and n), and products in a sum."""
        if not is_contraction(self.op):
            k = self.candidate.flops // 2 // max(1, math.prod(self.op.results[0].type.shape))
            return math.prod(self.inputs[RHS].type.shape) // max(1, k), k
        shape = self.candidate.shape
        own = {LHS: shape["m"], RHS: shape["n"]}
        return (own[self.weights[0]] if len(self.weights) == 1 else min(own.values())), shape["k"]


def _first(place: Place) -> bool:
    return any(
        side not in place.weights and place.network.from_input(value) for side, value in enumerate(place.inputs)
    )


def _last(place: Place) -> bool:
    return place.network.tail(place.op.results[0])


def _router(place: Place) -> bool:
    n, k = place.extents
    if len(place.weights) != 1 or n > min(ROUTER_EXPERTS, k - 1):
        return False
    return (place.fate.selects or place.fate.weighs) and not _last(place)


def _tiny(place: Place) -> bool:
    n, k = place.extents
    return n < TINY_N or k < TINY_K


@dataclass(frozen=True)
class Policy:
    """A default exclusion.

    reason: a clause for the record. waived: whether it yields when nothing at all would be in FP8.
    """

    name: str
    reason: str
    recognises: Callable[[Place], bool]
    waived: bool = True


POLICIES = {
    policy.name: policy
    for policy in (
        Policy("router", "chooses or weighs experts: a small error changes the choice", _router, waived=False),
        Policy("first", "reads the model's input, whose range and detail every later layer depends on", _first),
        Policy("last", "gives the model's output: nothing after it evens its error out", _last),
        Policy("tiny", f"k below {TINY_K} or n below {TINY_N}: it fills no FP8 matrix instruction", _tiny),
    )
}
"""By name, in the order in which they are asked; the first that recognises a contraction gives the reason, and says
whether it may be waived (so those that may not come first)."""
