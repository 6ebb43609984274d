# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which contractions become FP8: attention, selectors and default exclusions, in the order of their precedence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fovea.dialect.attention_tag import tag_of
from fovea.dialect.quantize import REAL_TYPES, STORAGE_MAX
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import WeightLike
from fovea.passes.contraction import is_convolution, why_no_product
from fovea.passes.quantization_policies import POLICIES, Networks, Place, Policy
from fovea.passes.quantization_selectors import ATTENTION, CONVOLUTION, Candidate, Selector, parse_selectors

Remark = Callable[[Any, str], None]


class Choice:
    """The user's and the default exclusions.

    exclude, include: selectors (see `quantization_selectors`). UsageError, naming it, for one that is wrong.
    """

    def __init__(self, exclude: Sequence[str] = (), include: Sequence[str] = (), prefix: str = "") -> None:
        self.exclude = parse_selectors(f"{prefix}exclude", exclude, tuple(POLICIES))
        self.include = parse_selectors(f"{prefix}include", include, tuple(POLICIES))

    def decide(self, candidates: Sequence[Candidate], weights: Sequence[WeightLike]) -> list[str | None]:
        """Why each candidate is not quantised, None if it is. weights: what is constant in the function of each.

        Lets the candidates recognise their roles, until the function is rewritten. An attention site is left alone;
        then `exclude` decides, then what FP8 does not suit, then `include`, then the policies. Policies that may be
        waived are, all of them, if they left nothing in FP8: a model of one or two layers has no inside to protect.
        """
        networks = {id(is_weight): Networks(is_weight) for is_weight in weights}
        for candidate, is_weight in zip(candidates, weights, strict=True):
            candidate.recognise = _recogniser(candidate, networks[id(is_weight)])
        count = len(candidates)
        reasons: list[str | None] = []
        yielding: list[bool] = []
        for candidate, is_weight in zip(candidates, weights, strict=True):
            reason = self._firm_reason(candidate, is_weight, count)
            policy = None if reason else self._policy(candidate, count)
            yielding.append(policy is not None and policy.waived)
            reasons.append(reason if policy is None else f"{policy.name}: {policy.reason}")
        if None not in reasons:
            reasons = [None if gives else reason for gives, reason in zip(yielding, reasons, strict=True)]
        return reasons

    def _firm_reason(self, candidate: Candidate, is_weight: WeightLike, count: int) -> str | None:
        tag = tag_of(candidate.op)
        if tag is not None:
            return f"part of attention site {tag[0]}"
        for selector in self.exclude:
            if selector.selects(candidate, count):
                return f"excluded by --exclude {selector.text}"
        return unsuitable(candidate, is_weight)

    def _policy(self, candidate: Candidate, count: int) -> Policy | None:
        """The first default exclusion that a candidate falls under."""
        if any(selector.selects(candidate, count) for selector in self.include):
            return None
        return next((policy for name, policy in POLICIES.items() if candidate.stands_as(name)), None)

    def unmatched(self, candidates: Sequence[Candidate]) -> list[tuple[str, Selector]]:
        """(option, selector) of each selector that selects no candidate."""
        given = [("--exclude", s) for s in self.exclude] + [("--include", s) for s in self.include]
        return [(o, s) for o, s in given if not any(s.selects(c, len(candidates)) for c in candidates)]


def _recogniser(candidate: Candidate, network: Networks) -> Callable[[str], bool]:
    """Whether a candidate stands in a role."""
    place = Place(candidate, network)

    def recognise(role: str) -> bool:
        if role == ATTENTION:
            return tag_of(candidate.op) is not None
        return is_convolution(candidate.op) if role == CONVOLUTION else POLICIES[role].recognises(place)

    return recognise


def unsuitable(candidate: Candidate, is_weight: WeightLike) -> str | None:
    """Why FP8 does not suit a contraction or convolution, None if it does."""
    op, dims = candidate.op, candidate.dims
    if dims is None:
        return why_no_product(op)
    inputs = utils.inputs_of(op)
    for operand in inputs:
        element = str(operand.type.element_type)
        if element in STORAGE_MAX:
            return f"reads {element} already"
        if element not in REAL_TYPES:
            return f"element type {element} is not float"
    if all(is_weight(operand) for operand in inputs):
        return "both operands are constant"
    if not dims.m and not dims.n:
        return "a row-wise dot product: no operand is reused"
    return None
