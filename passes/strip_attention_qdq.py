# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-strip-attention-qdq`: attention in a model that arrives quantised computes on floats again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from fovea.bindings import ir
from fovea.dialect.attention_tag import NAME, tag_of
from fovea.dialect.quantize import STORAGE_MAX
from fovea.passes.attention.evaluate import element_type
from fovea.passes.attention.pairs import Pair, pair_at, pair_before, redirect, strip_body, write_source
from fovea.passes.attention.stored import Encoded, encoded, read_floats
from fovea.passes.attention.whole import WHOLE
from fovea.passes.ir_utils import clone_op, copy_discardable, defining_op, erase_dead, error_at, functions, nested_ops
from fovea.passes.registry import PassContext, register

Tagged = list[tuple[Any, str]]


@register
@dataclass(frozen=True)
class StripAttentionQdq:
    """Take the quantise/dequantise pairs out of the attention sites of a model that arrives quantised.

    Runs on tagged sites. A pair is any chain of ops that divides by a scale, rounds, clamps or stores in 8 bits and
    multiplies by the scale again (ONNX's Q/DQ, casts to FP8 and back, fake quantisation, `fovea.quantize` and
    `fovea.dequantize`). Pairs between the contractions are removed, and pairs that Q, K and V come from, also behind
    reshapes, transposes and scales; masks and biases are passed by. A contraction of quantised numbers, whose result
    the model multiplies by both scales, reads what was quantised instead, and its result is divided by the scales. Both
    contractions become float, or neither: if an operand is stored in 8 bits in a way that is not understood, the site
    stays as it is and a record says so. Pairs elsewhere stay, and so do those that other ops read too: only the site
    reads what went into them.

    Before (a site's second contraction; tags left out):

        %q8 = "fovea.quantize"(%v) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<8x16x32xf32>) -> ...
        %dq = "fovea.dequantize"(%q8) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (...) -> ...
        %o = linalg.batch_matmul ins(%p, %dq : tensor<8x16x16xf32>, tensor<8x16x32xf32>) ...

    After:

        %o = linalg.batch_matmul ins(%p, %v : tensor<8x16x16xf32>, tensor<8x16x32xf32>) ...
    """

    name: ClassVar[str] = "fovea-strip-attention-qdq"

    def run(self, module: Any, context: PassContext) -> None:
        for function in functions(module):
            for number, tagged in _sites(function).items():
                _strip(number, tagged, context)


def _sites(function: Any) -> dict[int, Tagged]:
    """Site id -> its ops with their roles. CompileError for a site without both contractions."""
    found: dict[int, Tagged] = {}
    for op in nested_ops(function):
        if NAME in op.attributes:
            tag = tag_of(op)
            if tag is not None:
                found.setdefault(tag[0], []).append((op, tag[1]))
    for number, tagged in found.items():
        roles = {role for _, role in tagged}
        whole = any(op.name in WHOLE for op, _ in tagged)
        for role in () if whole else ("qk", "pv"):
            if role not in roles:
                raise error_at(tagged[0][0], f"expects attention site {number} to have an op with role \"{role}\", "
                                             f"found only {', '.join(sorted(roles))}")  # fmt: skip
    return found


def _strip(number: int, tagged: Tagged, context: PassContext) -> None:
    contractions = [op for op, role in tagged if role in ("qk", "pv")]
    inside = [op for op, _ in tagged]  # no set: the hash of an op changes with its operands
    location = contractions[-1].location
    record = {"pass": "strip-attention-qdq", "id": number, "location": str(location)}
    stored: list[dict[int, Encoded]] = []  # of each contraction
    for contraction in contractions:
        stored.append({})
        for position, operand in _operands(contraction, inside):
            pair, quantised = pair_before(operand)
            source = encoded(contraction, position) if quantised and pair is None else None
            if source is not None:
                stored[-1][position] = source
            elif quantised and pair is None:
                reason = f"operand {position} of '{contraction.name}' is quantised in a way that is not understood"
                context.remark(contraction.location, f"attention site {number} stays quantised: {reason}")
                context.records.append({**record, "decision": "left", "reason": reason, "pairs": 0})
                return
    for place, (contraction, sources) in enumerate(zip(list(contractions), stored, strict=True)):
        if sources:
            inside.remove(contraction)
            contractions[place] = read_floats(contraction, sources)
            inside.append(contractions[place])
    before = [(contraction, position, pair) for contraction in contractions
              for position, operand in _operands(contraction, inside) if (pair := pair_before(operand)[0]) is not None]
    within = [pair for op in inside if (pair := pair_at(op)) is not None]
    count = len(within) + len(before) + sum(strip_body(op) for op in inside)
    if not count:
        return
    for contraction, position, pair in before:
        _strip_operand(contraction, position, pair)
    for pair in within:
        _strip_inside(pair, inside)
    context.remark(location, f"attention site {number}: {count} quantise/dequantise pairs taken out")
    reason = "attention keeps the precision of the model before it was quantised"
    context.records.append({**record, "decision": "stripped", "reason": reason, "pairs": count})


def _operands(contraction: Any, inside: list[Any]) -> list[tuple[int, Any]]:
    """The operands of a contraction that the site does not compute, or stores in FP8, with their positions."""
    operands = list(contraction.operands)[: 3 if contraction.name in WHOLE else 2]
    return [(position, operand) for position, operand in enumerate(operands)
            if (producer := defining_op(operand)) is None or producer not in inside
            or element_type(operand) in STORAGE_MAX]  # fmt: skip


def _strip_operand(contraction: Any, position: int, pair: Pair) -> None:
    """Let the contraction read the pair's source, through copies of the ops between; others keep reading the pair."""
    old = contraction.operands[position]
    mapping = {pair.end.results[0]: write_source(pair)}
    with contraction.location, ir.InsertionPoint(contraction):
        for op in pair.path:
            clone_op(op, mapping)
    contraction.operands[position] = mapping[old]
    erase_dead(defining_op(old))


def _strip_inside(pair: Pair, inside: list[Any]) -> None:
    """Let the site's ops read the pair's source."""
    end = pair.end
    source = write_source(pair)
    made = defining_op(source)
    if made is not None and NAME not in made.attributes and pair.source.kind != "load":
        copy_discardable(end, made)
    users = [use.owner.operation for use in end.results[0].uses]
    redirect([user for user in users if user in inside], end.results[0], source)
    inside.remove(end)
    erase_dead(end)
