# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Ops that are a whole attention by themselves."""

from __future__ import annotations

import math
from typing import Any

from fovea.passes.attention.evaluate import Evaluator, element_type, shape_of
from fovea.passes.attention.expression import DYNAMIC, Algebra, Dims
from fovea.passes.attention.site import Site

WHOLE = frozenset({"tm_tensor.attention"})


def match_whole(op: Any, dims: Dims) -> Site:
    """The site of torch-mlir's `tm_tensor.attention`: softmax(Q.K^T / sqrt(depth) + mask).V, batch dims in front.

    A mask of i1 keeps the scores where it is true and makes them -inf elsewhere.
    """
    algebra = Algebra()
    evaluator = Evaluator(dims, algebra, lambda _: False)
    query, key, value = list(op.operands)[:3]
    mask = op.operands[3] if len(op.operands) == 5 else None
    *outer, rows, depth = shape_of(query)
    columns, width = shape_of(value)[-2:]
    shared = [dims.atoms(("whole", op, i), size) for i, size in enumerate(outer)]
    m, k = dims.atoms(("whole", op, "m"), rows), dims.atoms(("whole", op, "k"), depth)
    n, d = dims.atoms(("whole", op, "n"), columns), dims.atoms(("whole", op, "d"), width)
    type_ = "f64" if element_type(query) == "f64" else "f32"
    # The scores have no value in the IR: an element of the op's own result stands for them.
    leaf = algebra.make("load", (op.results[0], (*shared, m, n)), (), type_)
    scale = algebra.const(1.0 / math.sqrt(depth) if depth != DYNAMIC else 1.0, type_)
    score = algebra.op("arith.mulf", type_, leaf, scale)
    if mask is not None:
        element = evaluator.load(mask, (*shared, m, n))
        if element.type == "i1":
            score = algebra.op("arith.select", type_, element, score, algebra.const(float("-inf"), type_))
        else:
            if element.type != type_:
                element = algebra.op("arith.extf", type_, element)
            score = algebra.op("arith.addf", type_, score, element)
    site = Site(
        qk=op, pv=op, roles=[(op, "pv")], batch=tuple(a for dim in shared for a in dim), m=m, n=n, k=k, d=d,
        score=score, plain_score=score, score_leaf=leaf, query=evaluator.load(query, (*shared, m, k)),
        key=evaluator.load(key, (*shared, n, k)), value=evaluator.load(value, (*shared, n, d)),
        output_index=(*shared, m, d), algebra=algebra, dims=dims,
    )  # fmt: skip
    site.flags["one_op"] = op.name
    if depth == DYNAMIC:
        site.not_fusable = "the depth of the first contraction is dynamic"
    return site
