# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-plan`: where each intermediate result lies in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

from fovea.bindings import ir
from fovea.codegen.types import element_bytes
from fovea.errors import CompileError
from fovea.passes import ir_utils as utils
from fovea.passes.kernel_groups import is_view
from fovea.passes.registry import PassContext, register

ALIGNMENT = 256  # bytes: a cache line of every chip divides it, so no buffer shares a line with another
OFFSETS = "fovea.offsets"  # on a call: arena offset of each result in bytes, OUTPUT for one that is an output itself
ARENA_BYTES = "fovea.arena_bytes"  # on the entry function
OUTPUT = -1


@dataclass(frozen=True)
class Interval:
    """A buffer of `size` bytes that is live from launch `first` to launch `last`, both included."""

    size: int
    first: int
    last: int


def pack(intervals: Sequence[Interval]) -> tuple[list[int], int]:
    """Offsets such that no two buffers that are live together overlap, and the bytes needed.

    Largest first, each at the lowest gap that fits (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural
    Net Inference", 2020: greedy by size).
    """
    offsets = [0] * len(intervals)
    placed: list[int] = []
    total = 0
    for number in sorted(range(len(intervals)), key=lambda i: (-intervals[i].size, intervals[i].first)):
        item = intervals[number]
        size = -(-item.size // ALIGNMENT) * ALIGNMENT
        neighbours = [i for i in placed if intervals[i].first <= item.last and item.first <= intervals[i].last]
        offset = 0
        for other in sorted(neighbours, key=lambda i: offsets[i]):
            if offset + size <= offsets[other]:
                break
            offset = max(offset, offsets[other] + -(-intervals[other].size // ALIGNMENT) * ALIGNMENT)
        offsets[number] = offset
        placed.append(number)
        total = max(total, offset + size)
    return offsets, total


@register
@dataclass(frozen=True)
class Plan:
    """Give each result of a kernel call a place: an output of the entry function, or bytes of one arena.

    Calls run in program order; buffers whose lifetimes do not meet share bytes. Results get the attribute
    `fovea.offsets` (bytes in the arena, -1 for an output), the entry function `fovea.arena_bytes`. The record of kind
    "plan" lists the tensors in the arena, with shapes: what the memory is spent on.

    Before:

        %0 = call @contraction_0(%x, %w) : (...) -> tensor<4x8xf32>
        %1 = call @rowwise_1(%0) : (tensor<4x8xf32>) -> tensor<4x8xf32>
        return %1 : tensor<4x8xf32>

    After:

        %0 = call @contraction_0(%x, %w) {fovea.offsets = array<i64: 0>} : (...) -> tensor<4x8xf32>
        %1 = call @rowwise_1(%0) {fovea.offsets = array<i64: -1>} : (tensor<4x8xf32>) -> tensor<4x8xf32>
        return %1 : tensor<4x8xf32>
    """

    name: ClassVar[str] = "fovea-plan"

    def run(self, module: Any, context: PassContext) -> None:
        function = utils.entry_function(module)
        calls = []
        returned: list[Any] = []
        for op in utils.body_ops(function):
            if op.name == "func.call":
                calls.append(op)
            elif op.name == "func.return":
                returned = [root_of(value) for value in op.operands]
            elif not is_view(op) and op.name != "arith.constant":
                raise CompileError(
                    f"{op.location}: fovea-plan expects calls, reshapes and constants, found '{op.name}'; "
                    "run fovea-form-kernels before it"
                )
        _check_returned(function, returned)
        results = [(call, number) for call in range(len(calls)) for number in range(len(calls[call].results))]
        arena = [(call, number) for call, number in results if calls[call].results[number] not in returned]
        last = _last_uses(calls)
        intervals = [
            Interval(bytes_of(calls[c].results[n].type), c, last.get(calls[c].results[n], c)) for c, n in arena
        ]
        offsets, total = pack(intervals)
        place = dict(zip(arena, offsets, strict=True))
        with module.context:
            for number, call in enumerate(calls):
                chosen = [place.get((number, result), OUTPUT) for result in range(len(call.results))]
                call.attributes[OFFSETS] = ir.DenseI64ArrayAttr.get(chosen)
            i64 = ir.IntegerType.get_signless(64)
            function.attributes[ARENA_BYTES] = ir.IntegerAttr.get(i64, total)
        unshared = sum(interval.size for interval in intervals)
        tensors = [
            _described(calls[call], result, interval.size, offset)
            for (call, result), interval, offset in zip(arena, intervals, offsets, strict=True)
        ]
        context.records.append({
            "kind": "plan", "launches": len(calls), "arena_bytes": total, "unshared_bytes": unshared,
            "tensors": tensors,
        })  # fmt: skip


def _described(call: Any, number: int, size: int, offset: int) -> dict[str, Any]:
    """A tensor of the arena for the report: the kernel that writes it, its shape, element type, bytes and place."""
    type_ = call.results[number].type
    callee = ir.FlatSymbolRefAttr(call.attributes["callee"]).value
    return {
        "kernel": callee, "shape": list(type_.shape), "dtype": str(type_.element_type), "bytes": size, "offset": offset,
    }  # fmt: skip


def root_of(value: Any) -> Any:
    """`value` with reshapes taken off: what owns its bytes."""
    op = utils.defining_op(value)
    while is_view(op):
        value = op.operands[0]
        op = utils.defining_op(value)
    return value


def bytes_of(type_: Any) -> int:
    """Bytes of a tensor in memory."""
    return prod(type_.shape) * element_bytes(type_.element_type)


def _check_returned(function: Any, returned: Sequence[Any]) -> None:
    for number, value in enumerate(returned):
        op = utils.defining_op(value)
        if op is None or op.name != "func.call" or value in returned[:number]:
            raise CompileError(
                f"{function.location}: result {number} of the entry function is not computed by a kernel of its own; "
                "run fovea-form-kernels before fovea-plan"
            )


def _last_uses(calls: Sequence[Any]) -> dict[Any, int]:
    """The last call that reads each result."""
    last: dict[Any, int] = {}
    for number, call in enumerate(calls):
        for value in call.operands:
            last[root_of(value)] = number
    return last
