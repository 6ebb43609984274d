# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random attention graphs from a grammar of the variants that exporters write, and mutations that break attention."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from graph_builder import Builder, Value

SIZES = {"b": 2, "h": 6, "g": 3, "r": 2, "m": 4, "n": 5, "k": 3, "d": 7}
"""Extents: batch, heads (= groups x repeats), queries, keys, depth of Q and K, depth of V. No two of them collide."""

MUTATIONS = (
    "softmax over queries", "softmax over heads", "denominator of another tensor", "no denominator",
    "denominator doubled for one key", "sum over queries", "logarithm of the sum", "squared exponential",
    "rectifier instead of exponential", "heads mixed after softmax", "scores reduced twice", "normalised again",
    "only the best key", "logarithms alone",
)  # fmt: skip
SQUARE = ("softmax over queries", "sum over queries")
"""Mutations that need as many queries as keys: extents must not give them away."""


@dataclass
class Case:
    """One module. `choices`: what was drawn, for the message of a failing test."""

    text: str
    choices: list[str]


def random_case(rng: np.random.Generator, element: str, mutate: bool) -> Case:
    """A function with one attention; with `mutate`, with something that only looks like one."""
    builder = Builder(rng, element, dict(SIZES))
    mutation = builder.pick("mutation", *MUTATIONS) if mutate else ""
    if mutation in SQUARE:
        builder.sizes["m"] = builder.sizes["n"]
    batch = "bh" if "heads" in mutation else builder.pick("batch", "", "b", "bh", "bh")
    query, key, value = _operands(builder, batch)
    scores = builder.contract(query, key, batch + "mn")
    scores = _score_chain(builder, scores)
    probabilities = _softmax(builder, scores, mutation)
    result = _weigh(builder, probabilities, value, batch, mutation)
    if builder.pick("result", "as it is", "transposed") == "transposed":
        result = builder.transpose(result, result.dims[::-1])
    return Case(builder.text(result), builder.choices)


def _operands(builder: Builder, batch: str) -> tuple[Value, Value, Value]:
    heads_inside = batch == "bh" and builder.pick("projection", "heads first", "rows first") == "rows first"

    def tensor(rows: str, depth: str) -> Value:
        if not heads_inside:
            return builder.argument(batch + rows + depth)
        flat = builder.argument("b" + rows + "e")  # heads and depth side by side, as a projection leaves them
        return builder.transpose(builder.expand(flat, "e", "h" + depth), "bh" + rows + depth)

    def grouped(rows: str, depth: str) -> Value:
        source = builder.argument("bg" + rows + depth)
        return builder.collapse(builder.broadcast(source, "bgr" + rows + depth), "gr", "h")

    builder.sizes["e"] = builder.sizes["h"] * builder.sizes["k"]
    query = tensor("m", "k")
    if batch == "bh" and builder.pick("keys", "each head its own", "grouped") == "grouped":
        key, value = grouped("n", "k"), grouped("n", "d")
    else:
        key = tensor("n", "k")
        builder.sizes["e"] = builder.sizes["h"] * builder.sizes["d"]
        value = _values(builder, batch, heads_inside)
    if builder.pick("keys stored", "as rows", "transposed") == "transposed":
        key = builder.transpose(key, batch + "kn")
    where = builder.pick("scale on operands", "none", "query", "key", "both")
    scaled = ["%c = arith.constant 6.25e-01 : T", "%r = arith.mulf %x0, %c : T"]
    if where in ("query", "both"):
        query = builder.pointwise(query.dims, [query], scaled)
    if where in ("key", "both"):
        key = builder.pointwise(key.dims, [key], scaled)
    return query, key, value


def _values(builder: Builder, batch: str, heads_inside: bool) -> Value:
    if not heads_inside:
        return builder.argument(batch + "nd")
    builder.sizes["f"] = builder.sizes["h"] * builder.sizes["d"]
    return builder.transpose(builder.expand(builder.argument("bnf"), "f", "hd"), "bhnd")


# Kind of link -> body; %x0 is the score, %x1 the other operand. `T` is the element type.
LINKS = {
    "times constant": ["%c = arith.constant 3.75e-01 : T", "%r = arith.mulf %x0, %c : T"],
    "over constant": ["%c = arith.constant 2.5 : T", "%r = arith.divf %x0, %c : T"],
    "softcap": ["%c = arith.constant 4.0 : T", "%q = arith.divf %x0, %c : T", "%t = math.tanh %q : T",
                "%r = arith.mulf %t, %c : T"],
    "plus bias": ["%r = arith.addf %x0, %x1 : T"],
    "bias plus": ["%r = arith.addf %x1, %x0 : T"],
    "times run-time scale": ["%r = arith.mulf %x0, %x1 : T"],
    "masked by select": ["%c = arith.constant -1.0e+09 : T", "%r = arith.select %x1, %x0, %c : T"],
    "minus inverted mask": ["%c = arith.constant 1.0 : T", "%w = arith.constant 1.0e+01 : T",
                            "%q = arith.subf %c, %x1 : T", "%t = arith.mulf %q, %w : T", "%r = arith.subf %x0, %t : T"],
}  # fmt: skip
WITH_OPERAND = {"plus bias": "", "bias plus": "", "times run-time scale": "", "masked by select": "i1",
                "minus inverted mask": ""}  # fmt: skip


def _score_chain(builder: Builder, scores: Value) -> Value:
    for _ in range(builder.rng.integers(0, 4)):
        kind = builder.pick("link", *LINKS)
        inputs = [scores]
        if kind in WITH_OPERAND:
            subset = "".join(d for d in scores.dims if builder.rng.random() < 0.6)
            one = kind == "times run-time scale"
            inputs.append(builder.argument("" if one else subset, WITH_OPERAND[kind] or None))
        scores = builder.pointwise(scores.dims, inputs, LINKS[kind])
    if builder.pick("causal", "no", "no", "yes") == "yes":
        row, column = scores.dims.index("m"), scores.dims.index("n")
        scores = builder.pointwise(scores.dims, [scores], [
            f"%i = linalg.index {row} : index", f"%j = linalg.index {column} : index",
            "%o = arith.cmpi ugt, %j, %i : index", f"%c = arith.constant {builder.literal(-np.inf)} : T",
            "%r = arith.select %o, %c, %x0 : T"])  # fmt: skip
    return scores


SPELLINGS = ("one op", "five ops", "five ops", "no maximum", "base two", "fused", "logarithms", "divided last")
# Mutations of something else than softmax: it may have any spelling.
FREE = (*SQUARE, "softmax over heads", "heads mixed after softmax", "normalised again", "only the best key")


def _softmax(builder: Builder, scores: Value, mutation: str) -> Value:
    axis = {"softmax over queries": "m", "softmax over heads": "h"}.get(mutation, "n")
    kept = scores.dims.replace(axis, "")
    spelling = builder.pick("softmax", *SPELLINGS)
    if builder.element != "f64" and spelling == "no maximum":
        spelling = "fused"  # exponentials of such scores leave the range of f32
    if mutation == "logarithms alone":
        spelling = "logarithms"
    elif mutation and (mutation not in FREE or spelling == "divided last"):
        spelling = "five ops"
    if spelling == "one op":
        result, empty = Value(builder.fresh(), scores.dims, scores.element), builder.empty(scores.dims, scores.element)
        type_ = builder.type_of(scores)
        builder.lines.append(
            f"{result.name} = linalg.softmax dimension({scores.dims.index(axis)}) ins({scores.name} : {type_}) "
            f"outs({empty} : {type_}) -> {type_}"
        )
        return result
    function = "math.exp"
    if spelling == "base two":
        function = "math.exp2"
        scores = builder.pointwise(
            scores.dims, [scores], ["%c = arith.constant 1.4426950408889634 : T", "%r = arith.mulf %x0, %c : T"]
        )
    if mutation == "rectifier instead of exponential":
        exponential = builder.pointwise(
            scores.dims, [scores], ["%c = arith.constant 0.0 : T", "%r = arith.maximumf %x0, %c : T"]
        )
    elif spelling == "no maximum":
        exponential = builder.pointwise(scores.dims, [scores], [f"%r = {function} %x0 : T"])
    else:
        top = builder.reduce(scores, kept, "maximumf", -np.inf)
        if spelling == "fused":
            exponential = builder.pointwise(
                scores.dims, [scores, top], ["%q = arith.subf %x0, %x1 : T", f"%r = {function} %q : T"]
            )
        else:
            shifted = builder.pointwise(scores.dims, [scores, top], ["%r = arith.subf %x0, %x1 : T"])
            exponential = builder.pointwise(scores.dims, [shifted], [f"%r = {function} %x0 : T"])
    if spelling == "logarithms":
        return _by_logarithms(builder, shifted, exponential, kept, mutation)
    if spelling == "divided last":
        return exponential
    return _normalised(builder, scores, exponential, kept, mutation)


def _by_logarithms(builder: Builder, shifted: Value, exponential: Value, kept: str, mutation: str) -> Value:
    """The exponential of a log-softmax; the log-softmax itself for a mutation."""
    total = builder.reduce(exponential, kept, "addf", 0.0)
    logarithm = builder.pointwise(kept, [total], ["%r = math.log %x0 : T"])
    result = builder.pointwise(shifted.dims, [shifted, logarithm], ["%r = arith.subf %x0, %x1 : T"])
    return result if mutation else builder.pointwise(result.dims, [result], ["%r = math.exp %x0 : T"])


def _normalised(builder: Builder, scores: Value, exponential: Value, kept: str, mutation: str) -> Value:
    before: list[str] = []
    if mutation == "denominator doubled for one key":
        before = [f"%j = linalg.index {scores.dims.index('n')} : index", "%z = arith.constant 0 : index",
                  "%f = arith.cmpi eq, %j, %z : index", "%t = arith.addf %x0, %x0 : T",
                  "%y = arith.select %f, %t, %x0 : T"]  # fmt: skip
    summed = builder.argument(scores.dims) if mutation == "denominator of another tensor" else exponential
    total = builder.reduce(summed, kept, "addf", 0.0, before)
    if mutation == "no denominator":
        return exponential
    if mutation == "logarithm of the sum":
        total = builder.pointwise(kept, [total], ["%r = math.log %x0 : T"])
    if mutation == "squared exponential":
        exponential = builder.pointwise(scores.dims, [exponential], ["%r = arith.mulf %x0, %x0 : T"])
    if mutation == "scores reduced twice":
        extra = builder.reduce(scores, kept, "addf", 0.0)
        total = builder.pointwise(kept, [total, extra], ["%r = arith.addf %x0, %x1 : T"])
    if builder.pick("quotient", "division", "reciprocal") == "division":
        return builder.pointwise(scores.dims, [exponential, total], ["%r = arith.divf %x0, %x1 : T"])
    inverse = builder.pointwise(kept, [total], ["%c = arith.constant 1.0 : T", "%r = arith.divf %c, %x0 : T"])
    return builder.pointwise(scores.dims, [inverse, exponential], ["%r = arith.mulf %x0, %x1 : T"])


def _weigh(builder: Builder, probabilities: Value, value: Value, batch: str, mutation: str) -> Value:
    exponential = probabilities  # only if nothing has divided it yet
    if mutation == "only the best key":
        best = builder.reduce(probabilities, probabilities.dims.replace("n", ""), "maximumf", -np.inf)
        probabilities = builder.pointwise(
            probabilities.dims, [probabilities, best],
            ["%c = arith.constant 0.0 : T", "%t = arith.cmpf oge, %x0, %x1 : T", "%r = arith.select %t, %x0, %c : T"],
        )  # fmt: skip
    if mutation == "normalised again":
        total = builder.reduce(probabilities, probabilities.dims.replace("m", ""), "addf", 0.0)
        probabilities = builder.pointwise(probabilities.dims, [probabilities, total], ["%r = arith.divf %x0, %x1 : T"])
    if mutation == "heads mixed after softmax":
        builder.sizes["c"] = builder.sizes["h"]
        mixed = Value(probabilities.name, probabilities.dims.replace("h", "c"), probabilities.element)
        probabilities = builder.contract(mixed, builder.argument("hc"), probabilities.dims)
    if mutation == "sum over queries":
        turned = probabilities.dims.translate(str.maketrans("mn", "nm"))
        probabilities = Value(probabilities.name, turned, probabilities.element)
    if not mutation and builder.pick("rows without keys", "kept", "kept", "zeroed") == "zeroed":
        dead = builder.argument(batch + "m", "i1")
        probabilities = builder.pointwise(
            probabilities.dims, [dead, probabilities],
            ["%c = arith.constant 0.0 : T", "%r = arith.select %x0, %c, %x1 : T"],
        )  # fmt: skip
    if not mutation and builder.pick("dropout scale", "none", "none", "kept") == "kept":
        probabilities = builder.pointwise(
            probabilities.dims, [probabilities], ["%c = arith.constant 1.25 : T", "%r = arith.mulf %x0, %c : T"]
        )
    if builder.pick("probabilities", "left operand", "right operand") == "left operand":
        result = builder.contract(probabilities, value, batch + "md")
    else:
        result = builder.contract(value, probabilities, batch + "dm")
    if "softmax: divided last" not in builder.choices or mutation:
        return result
    total = builder.reduce(exponential, batch + "m", "addf", 0.0)
    return builder.pointwise(result.dims, [result, total], ["%r = arith.divf %x0, %x1 : T"])
