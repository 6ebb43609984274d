# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the matcher says of a candidate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fovea.passes.attention.expression import Algebra, Atom, Dims, Expr, Index


@dataclass(frozen=True)
class Guard:
    """A select on the probabilities: kept where `condition` is `keep`, 0 elsewhere."""

    condition: Expr
    keep: bool
    typed: Expr | None = None
    """The condition with the casts in it, if it was computed before the second contraction."""


@dataclass(frozen=True)
class LogSumExp:
    """An op outside a site that computes log(sum(exp(score))) of each row; `index` of each dim of its result."""

    op: Any
    index: tuple[Index, ...]


@dataclass
class Site:
    """One attention: softmax(score(Q.K)) V, with the ops that compute it and the mathematics found in them.

    `batch`, `m`, `n`, `k`, `d` are the dimension classes as atoms: shared, query position, key position, depth of Q.K,
    depth of V. `plain_score` is the expression between the first contraction and softmax; the contraction's element in
    it is `score_leaf`, a load of its result. `score` also has the constant factors of the contraction's own body.
    `query`, `key` and `value` are scalar expressions as well.
    """

    qk: Any
    pv: Any
    roles: list[tuple[Any, str]]
    batch: Index
    m: Index
    n: Index
    k: Index
    d: Index
    score: Expr
    plain_score: Expr
    score_leaf: Expr
    query: Expr
    key: Expr
    value: Expr
    output_index: tuple[Index, ...]
    algebra: Algebra
    dims: Dims
    guards: tuple[Guard, ...] = ()
    output_scale: float = 1.0
    sinks: tuple[Expr, ...] = ()
    """Logits without a value, one a row: they only enlarge the denominator."""
    log_sum_exps: tuple[LogSumExp, ...] = ()
    """Where the log-sum-exp of the scores is computed for others: the second result of a fused op."""
    flags: dict[str, Any] = field(default_factory=dict)
    cases: dict[str, str] = field(default_factory=dict)
    """Policy cases that it falls under (see `policy.CASES`), with the reason of each; empty for an ordinary site."""
    not_fusable: str | None = None
    """Why the site cannot become one `fovea.attention`; None if it can."""

    @property
    def policy(self) -> str | None:
        """Why this is a policy case; None for an ordinary site."""
        return "; ".join(self.cases.values()) or None

    @property
    def score_atoms(self) -> frozenset[Atom]:
        return frozenset((*self.batch, *self.m, *self.n))


@dataclass(frozen=True)
class NearMiss:
    """Something softmax-like that is not an attention site. `op` decided; `reason` is one sentence."""

    op: Any
    reason: str
