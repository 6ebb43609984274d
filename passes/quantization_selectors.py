# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Selectors: the small language in which `--exclude` and `--include` name contractions.

    SELECTOR          selects contractions ...
    REGEX             one of whose names it finds: the location's, the weight's, the id (`name:REGEX` is the same)
    kind:KIND         that are this op (matmul, conv_2d_nchw_fchw, generic, ...; conv: any convolution), or stand in
                      this role (attention, or what a policy is called: first, last, router, tiny)
    at:FILE           whose location lies in that file; the end of its path is enough (`at:model.mlir`)
    at:FILE:LINE      or on that line of it, or in the lines LINE-LINE
    position:WHERE    by number, from 0, counted through the module with convolutions and attention: `first`, `last`, N,
                      N-M, N- (to the end)
    policy:NAME       that the default exclusion NAME would leave out (`policy:all`: any)
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fovea.diagnostics import places_of
from fovea.errors import UsageError
from fovea.passes.contraction import Dims, dims_of, flops_of, is_product, shape_of
from fovea.passes.contraction_layout import is_contraction

ATTENTION, CONVOLUTION = "attention", "conv"


@dataclass
class Candidate:
    """A contraction or convolution, and what selectors ask of it.

    op: the operation. names: its location's and weight's names and a generated one. number: its position in the module.
    recognise: whether it stands in a role: a policy's name, "attention" (within an attention site), "conv" (is one).
    """

    op: Any
    identity: str
    names: Sequence[str]
    number: int
    recognise: Callable[[str], bool] = lambda role: False
    _roles: dict[str, bool] = field(default_factory=dict, init=False)

    def stands_as(self, role: str) -> bool:
        """Whether it stands in a role; found out once, when it is first asked, as most roles of most are not."""
        if role not in self._roles:
            self._roles[role] = self.recognise(role)
        return self._roles[role]

    @cached_property
    def shape(self) -> dict[str, int]:
        """Extents of m, n, k and batch; {} for what is no work for matrix instructions."""
        return {} if self.dims is None else shape_of(self.op, self.dims)

    @cached_property
    def dims(self) -> Dims | None:
        """Its dims by role; None for what is no work for matrix instructions."""
        return dims_of(self.op) if is_product(self.op) else None

    @cached_property
    def flops(self) -> int:
        """Floating-point operations."""
        return 2 * math.prod(self.shape.values()) if is_contraction(self.op) else flops_of(self.op)

    @property
    def kind(self) -> str:
        """The op's name without its dialect."""
        return str(self.op.name.removeprefix("linalg."))

    @property
    def location(self) -> str:
        """MLIR's text of its location."""
        return str(self.op.location)


Test = Callable[[Candidate, int], bool]  # of a candidate, and how many there are


@dataclass(frozen=True)
class Selector:
    """A selector, read: its text as the user gave it, and whether it selects a candidate."""

    text: str
    test: Test = field(compare=False, repr=False)

    def selects(self, candidate: Candidate, count: int) -> bool:
        """Whether it selects `candidate`, one of `count`."""
        return self.test(candidate, count)


def parse_selectors(option: str, texts: Sequence[str], policies: Sequence[str]) -> list[Selector]:
    """The selectors that were given as `option`; UsageError, naming option and text, for one that is wrong."""
    return [Selector(text, _parse(option, text, tuple(policies))) for text in texts]


def _parse(option: str, text: str, policies: tuple[str, ...]) -> Test:
    key, colon, value = text.partition(":")
    if not colon or key not in _KEYS:
        key, value = "name", text
    try:
        if not value:
            raise ValueError(f"is incomplete: expected {_KEYS[key][1]} after '{key}:'")
        return _KEYS[key][0](value, policies)
    except ValueError as error:
        raise UsageError(f"{option}: '{text}' {error}") from error


def _name(value: str, _: Sequence[str]) -> Test:
    try:
        pattern = re.compile(value)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return lambda candidate, _: any(pattern.search(name) for name in (*candidate.names, candidate.identity))


# Op kinds that a contraction can have; convolutions by how their names begin.
_KINDS = frozenset({
    "matmul", "batch_matmul", "batch_reduce_matmul", "contract", "generic", "matvec", "vecmat", "batch_matvec",
    "batch_vecmat", "dot", "mmt4d", "batch_mmt4d", CONVOLUTION,
})  # fmt: skip
_CONVOLUTIONS = ("conv_", "depthwise_conv_", "quantized_conv_")


def _kind(value: str, policies: Sequence[str]) -> Test:
    roles = (ATTENTION, *policies)
    if value in roles:
        return lambda candidate, _: candidate.stands_as(value)
    if value not in _KINDS and not value.startswith(_CONVOLUTIONS):
        known = ", ".join([*sorted(_KINDS), "conv_*", *roles])
        raise ValueError(f"names no kind of contraction; expected one of {known}")
    if value == CONVOLUTION:
        return lambda candidate, _: candidate.stands_as(CONVOLUTION)
    return lambda candidate, _: candidate.kind == value


_RANGE = re.compile(r"(\d+)(?:(-)(\d+)?)?")


def _range(text: str) -> tuple[int, int | None] | None:
    """(first, last) of `N`, `N-M` or `N-` (last is None); None if `text` is something else."""
    match = _RANGE.fullmatch(text)
    if match is None:
        return None
    first = int(match[1])
    last = first if match[2] is None else int(match[3]) if match[3] else None
    if last is not None and last < first:
        raise ValueError("ends before it begins")
    return first, last


def _within(number: int, bounds: tuple[int, int | None]) -> bool:
    return bounds[0] <= number and (bounds[1] is None or number <= bounds[1])


def _at(value: str, _: Sequence[str]) -> Test:
    file, colon, line = value.rpartition(":")
    if not colon:
        file, line = value, "1-"
    bounds = _range(line)
    if bounds is None:  # a colon in the file's name
        file, bounds = value, (1, None)
    if not file:
        raise ValueError(f"names no file; expected {_KEYS['at'][1]}")

    def test(candidate: Candidate, _: int) -> bool:
        return any(_ends_with(p.file, file) and _within(p.line, bounds) for p in places_of(candidate.location))

    return test


def _ends_with(path: str, end: str) -> bool:
    """Whether `end` is `path` or its last components."""
    path, end = (text.replace("\\", "/") for text in (path, end))
    return path == end or path.endswith("/" + end.removeprefix("./"))


def _position(value: str, _: Sequence[str]) -> Test:
    if value == "first":
        return lambda candidate, _: candidate.number == 0
    if value == "last":
        return lambda candidate, count: candidate.number == count - 1
    bounds = _range(value)
    if bounds is None:
        raise ValueError(f"is no position; expected {_KEYS['position'][1]}")
    return lambda candidate, _: _within(candidate.number, bounds)


def _policy(value: str, policies: Sequence[str]) -> Test:
    if value != "all" and value not in policies:
        raise ValueError(f"names no default exclusion; expected one of {', '.join([*policies, 'all'])}")
    wanted = tuple(policies) if value == "all" else (value,)
    return lambda candidate, _: any(map(candidate.stands_as, wanted))


# Key -> (reads what follows the colon, what is expected there).
_KEYS: dict[str, tuple[Callable[[str, Sequence[str]], Test], str]] = {
    "name": (_name, "a regular expression"),
    "kind": (_kind, "the kind of op"),
    "at": (_at, "FILE, FILE:LINE or FILE:LINE-LINE"),
    "position": (_position, "first, last, N, N-M or N-"),
    "policy": (_policy, "the name of a default exclusion"),
}
