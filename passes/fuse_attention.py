# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-fuse-attention`: tagged ops become one `fovea.attention` a site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from fovea.dialect.attention_tag import NAME, tag_of
from fovea.passes.attention import NearMiss
from fovea.passes.attention.matcher import match_fusable
from fovea.passes.attention.rewrite import NotFusable, erase, fuse
from fovea.passes.attention.whole import WHOLE
from fovea.passes.ir_utils import functions, nested_ops
from fovea.passes.registry import PassContext, register
from fovea.passes.set_compute_type import COMPUTE_TYPE, carry_mark


@register
@dataclass(frozen=True)
class FuseAttention:
    """Turn the tagged ops of each attention site into one `fovea.attention`.

    Q, K, V and score operands are read from the earliest tensor that pure layout (reshapes, transposes, broadcasts)
    leads back to; the indexing maps say how. The pointwise chain between the first contraction and softmax becomes the
    region, casts included; the subtracted row maximum is left out, as the op is free in how it keeps exponentials in
    range. A select after softmax that is the same for a whole row is applied to the op's result. A site that has no
    such form keeps its ops and its tags, and the reason is given in a remark and a record. A compute type of its own
    (`fovea.compute_type`) that a contraction of the site has becomes that of the op, with the contraction's id.

    Options: `strip_qdq` reads what went into the quantise/dequantise pairs inside a site and on its Q, K and V, so that
    the site computes in the types of a model that was not quantised (without it, a site with pairs between its
    contractions is not fused). `absorb_transpose` takes a transpose that is the only use of the result into the op.

    Before (ops of a site, tags left out):

        %s = linalg.batch_matmul ins(%q, %kt : ...) outs(%z0 : ...) -> tensor<8x16x16xf32>
        %t = linalg.generic ... { arith.mulf %in, %scale } -> tensor<8x16x16xf32>
        %p = linalg.softmax dimension(2) ins(%t : ...) outs(%e : ...) -> tensor<8x16x16xf32>
        %o = linalg.batch_matmul ins(%p, %v : ...) outs(%z1 : ...) -> tensor<8x16x32xf32>

    After:

        %o = "fovea.attention"(%q, %k, %v) ({
          ^bb0(%s: f32):
            %0 = arith.mulf %s, %scale : f32
            "fovea.yield"(%0) : (f32) -> ()
        }) {indexing_maps = [(b, q, n, k, d) -> (b, q, k), (b, q, n, k, d) -> (b, n, k), (b, q, n, k, d) -> (b, n, d),
                             (b, q, n, k, d) -> (b, q, d)]} : (...) -> tensor<8x16x32xf32>
    """

    name: ClassVar[str] = "fovea-fuse-attention"

    strip_qdq: bool = False
    absorb_transpose: bool = False

    def run(self, module: Any, context: PassContext) -> None:
        for function in functions(module):
            for number, (first, second) in _tagged_pairs(function).items():
                self._fuse_site(number, first, second, context)

    def _fuse_site(self, number: int, first: Any, second: Any, context: PassContext) -> None:
        location = second.location
        record = {"pass": "fuse-attention", "id": number, "location": str(location)}
        found = match_fusable(first, second, self.strip_qdq)
        if isinstance(found, NearMiss):
            return _keep(context, location, record, found.reason)
        site, plan = found
        try:
            op = fuse(site, plan, self.absorb_transpose)
        except NotFusable as error:
            return _keep(context, location, record, str(error))
        for end in (first, second):
            if COMPUTE_TYPE in end.attributes:
                carry_mark(end, op)
        erase(site)
        context.records.append({**record, "decision": "fused", "reason": "one fovea.attention"})


def _tagged_pairs(function: Any) -> dict[int, tuple[Any, Any]]:
    """Site id -> (first contraction, second contraction), from the tags."""
    ends: dict[int, dict[str, Any]] = {}
    for op in nested_ops(function):
        if NAME in op.attributes:
            found = tag_of(op)
            if found is not None and found[1] in ("qk", "pv"):
                ends.setdefault(found[0], {})[found[1]] = op
                if op.name in WHOLE:
                    ends[found[0]]["qk"] = op
    return {number: (pair["qk"], pair["pv"]) for number, pair in ends.items() if {"qk", "pv"} <= pair.keys()}


def _keep(context: PassContext, location: Any, record: dict[str, Any], reason: str) -> None:
    context.remark(location, f"attention site {record['id']} is not fused: {reason}")
    context.records.append({**record, "decision": "not fused", "reason": reason})
