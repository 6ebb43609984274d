# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""torch-mlir's tm_tensor dialect: attention, scan and sort, in the registered or the unregistered (generic) form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.errors import ExecutionError, UnsupportedOpError
from fovea.executor.body import Body
from fovea.executor.fovea_ops import softmax
from fovea.executor.handlers import Array, Frame, handles
from fovea.executor.types import dtype_of, location_text


def _body(frame: Frame, op: Any) -> Body:
    return Body(op.operation.regions[0].blocks[0], frame.value)


def _no_index(dim: int) -> Array:
    raise ExecutionError(f"linalg.index {dim} outside a linalg op")


@handles("tm_tensor.attention")
def _attention(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    """softmax(Q.K^T / sqrt(depth) + mask).V; a mask of i1 keeps where it is true."""
    wide = [x.astype(np.float64 if x.dtype == np.float64 else np.float32, copy=False) for x in operands[:3]]
    query, key, value = wide
    scores = np.matmul(query, np.swapaxes(key, -1, -2)) / np.sqrt(query.dtype.type(query.shape[-1]))
    if len(operands) == 5:
        mask = operands[3]
        scores = np.where(mask, scores, -np.inf) if mask.dtype == np.bool_ else scores + mask.astype(scores.dtype)
    output = np.matmul(softmax(scores, -1)[0], value)
    return [output.astype(dtype_of(op.results[0].type), copy=False)]


@handles("tm_tensor.scan")
def _scan(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    """Running combination along `dimension`; the second result is the last value."""
    if len(operands) != 3:
        raise UnsupportedOpError(f"{location_text(op)}: tm_tensor.scan: expected one input, found {len(operands) - 2}")
    dimension = ir.IntegerAttr(op.attributes["dimension"]).value
    inclusive = bool(ir.BoolAttr(op.attributes["inclusive"]).value)
    source, start, body = np.moveaxis(operands[0], dimension, 0), operands[2], _body(frame, op)
    result = np.empty(source.shape, operands[1].dtype)
    last = start
    for position in range(len(source)):
        before = last
        if inclusive and position == 0:
            last = source[0]
        else:
            (last,) = body.run(body.yields, [before, source[position]], _no_index)
        result[position] = last if inclusive else before
    return [np.moveaxis(result, 0, dimension), np.array(last, start.dtype)]


@handles("tm_tensor.sort")
def _sort(frame: Frame, op: Any, operands: Sequence[Array]) -> list[Array]:
    """Stable sort of all operands along `dimension` by the region's comparison (true: the pair is in order)."""
    dimension = ir.IntegerAttr(op.attributes["dimension"]).value
    columns = [np.array(np.moveaxis(x, dimension, 0)) for x in operands]
    body, length = _body(frame, op), len(columns[0])

    def in_order(first: Sequence[Array], second: Sequence[Array]) -> Array:
        pairs = [x for pair in zip(first, second, strict=True) for x in pair]
        return body.run(body.yields, pairs, _no_index)[0]

    for sweep in range(length):  # odd-even transposition: `length` sweeps sort any order
        first = [c[sweep % 2 : length - 1 : 2] for c in columns]
        second = [c[sweep % 2 + 1 : length : 2] for c in columns]
        if not len(first[0]):
            continue
        swap = ~in_order(first, second) & in_order(second, first)
        for a, b in zip(first, second, strict=True):
            a[...], b[...] = np.where(swap, b, a), np.where(swap, a, b)
    return [np.moveaxis(c, 0, dimension) for c in columns]
