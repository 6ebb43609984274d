# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Atomic read-modify-write instructions on global memory and LDS. Lanes act one after another, in ascending order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from fovea.emulator.errors import DecodeError, Fault
from fovea.emulator.group import Group
from fovea.emulator.memory import require_some
from fovea.emulator.memory_ops import assign, check_modifiers, flat_addresses, locate_buffer
from fovea.emulator.operands import Build, Step
from fovea.emulator.text import Operand

Array = np.ndarray[Any, Any]


def _increment(old: Any, value: Any) -> Any:
    return np.where(old >= value, 0, old + 1).astype(old.dtype)


def _decrement(old: Any, value: Any) -> Any:
    return np.where((old == 0) | (old > value), value, old - 1).astype(old.dtype)


def _lesser(old: Any, value: Any) -> Any:
    """A plain comparison (CDNA4 guide, DS_MIN_F32): what compares as equal or not at all leaves memory alone."""
    return np.where(value < old, value, old)


def _greater(old: Any, value: Any) -> Any:
    return np.where(value > old, value, old)


OPERATIONS: dict[str, tuple[Callable[..., Any], str]] = {
    "add": (np.add, "u"), "sub": (np.subtract, "u"), "smin": (np.minimum, "i"), "umin": (np.minimum, "u"),
    "smax": (np.maximum, "i"), "umax": (np.maximum, "u"), "and": (np.bitwise_and, "u"), "or": (np.bitwise_or, "u"),
    "xor": (np.bitwise_xor, "u"), "inc": (_increment, "u"), "dec": (_decrement, "u"),
    "swap": (lambda old, value: value, "u"), "add_f32": (np.add, "f"), "add_f64": (np.add, "f"),
    "min_f64": (_lesser, "f"), "max_f64": (_greater, "f"), "min_f32": (_lesser, "f"), "max_f32": (_greater, "f"),
    "pk_add_f16": (np.add, "h"), "pk_add_bf16": (np.add, "b"),
}  # fmt: skip
"""Name to (function of old and operand, kind of the values)."""
_PACKED: dict[str, Any] = {"h": np.dtype(np.float16), "b": np.dtype(ml_dtypes.bfloat16)}


def apply(memory: Array, index: Array, operation: str, values: Array, compare: Array | None) -> Array:
    """Do the operation on `memory[index]` for each item in order; returns the old values.

    `memory` and `values` are unsigned words; items with equal indices see each other's results.
    """
    old = np.empty_like(values)
    pending = np.arange(len(index))
    while len(pending):
        # One round handles the first pending item of every address, which keeps the order of equal addresses.
        _, first = np.unique(index[pending], return_index=True)
        now = pending[np.sort(first)]
        current = memory[index[now]]
        old[now] = current
        if operation == "cmpswap":
            assert compare is not None
            updated = np.where(current == compare[now], values[now], current)
        else:
            function, kind = OPERATIONS[operation]
            dtype: Any = _PACKED.get(kind) or np.dtype(f"{kind}{memory.itemsize}")
            updated = np.asarray(function(current.view(dtype), values[now].view(dtype)), dtype).view(memory.dtype)
        memory[index[now]] = updated
        keep = np.ones(len(pending), bool)
        keep[np.sort(first)] = False
        pending = pending[keep]
    return old


def operands_of(g: Group, row: int, words: int) -> Array:
    """Register values of the active lanes as flat unsigned items of `words` registers."""
    block = g.u32[row : row + words].reshape(words, -1)
    if not g.full:
        block = block[:, g.active]
    return np.ascontiguousarray(block.T).view(np.uint64 if words == 2 else np.uint32)[:, 0]


def write_old(g: Group, row: int, words: int, old: Array) -> None:
    """Put returned values into registers."""
    halves = old.view(np.uint32).reshape(-1, words)
    for word in range(words):
        assign(g, g.u32[row + word], halves[:, word])


def width_of(name: str) -> tuple[str, int]:
    """Operation and registers a value, from a mnemonic's tail such as `add_x2` or `add_f64`."""
    if name.endswith("_x2"):
        return name.removesuffix("_x2"), 2
    return name, 2 if name.endswith("f64") else 1


def compile_global_atomic(family: str, name: str, build: Build) -> Step:
    """global_atomic_* and flat_atomic_*; with sc0 (or glc) the old value is returned."""
    operation, words = width_of(name)
    if operation not in OPERATIONS and operation != "cmpswap":
        raise DecodeError(f"{build.line.name} is not supported")
    operands = list(build.line.operands)
    has_base = family == "global"
    returns = len(operands) == 3 + has_base
    if len(operands) not in (2 + has_base, 3 + has_base):
        raise DecodeError(f"{build.line.name} has {2 + has_base} or {3 + has_base} operands, found {len(operands)}")
    target: Operand | None = operands.pop(0) if returns else None
    addresses = flat_addresses(build, operands[0], operands[2] if has_base else None)
    swap = operation == "cmpswap"
    row = build.vector(operands[1], words * (2 if swap else 1))
    into = build.vector(target, words, write=True) if target is not None else None
    number = build.line.index

    def step(g: Group) -> None:
        where = addresses(g)
        if not len(where):
            return
        values = operands_of(g, row, words)
        compare = operands_of(g, row + words, words) if swap else None
        old = update_global(g, where, operation, values, compare, number)
        if into is not None:
            write_old(g, into, words, old)

    return step


def compile_buffer_atomic(name: str, build: Build) -> Step:
    """buffer_atomic_*: lanes out of the descriptor's range do nothing and get back 0 (with sc0)."""
    operation, words = width_of(name.removeprefix("buffer_atomic_"))
    if operation not in OPERATIONS and operation != "cmpswap":
        raise DecodeError(f"{name} is not supported")
    check_modifiers(build, {"offset", "offen", "idxen"})
    operands = list(build.line.operands)
    if len(operands) == 3:
        operands.insert(1, Operand("special", text="off"))
    if len(operands) != 4:
        raise DecodeError(f"{name} has 4 operands, found {len(operands)}")
    swap, returns = operation == "cmpswap", bool({"sc0", "glc"} & set(build.line.modifiers))
    row = build.vector(operands[0], words * (2 if swap else 1))
    into = build.vector(Operand("v", operands[0].index, words, text=operands[0].text), words, write=True) if (
        returns and operands[0].kind == "v"
    ) else None
    if returns and into is None:
        raise DecodeError(f"{name} returning into accumulation registers is not supported")
    locate = locate_buffer(build, operands[1], operands[2], operands[3], 4 * words)
    number = build.line.index

    def step(g: Group) -> None:
        where, inner, flat, total, _ = locate(g)
        result = np.zeros(total, np.uint64 if words == 2 else np.uint32)
        if len(where):
            values = operands_of(g, row, words)
            compare = operands_of(g, row + words, words)[inner] if swap else None
            result[inner] = update_global(g, where, operation, values[inner], compare, number, flat)
        if into is not None:
            write_old(g, into, words, result)

    return step


def update_global(
    g: Group, where: Array, operation: str, values: Array, compare: Array | None, number: int,
    flat: Array | None = None,
) -> Array:  # fmt: skip
    """Do an atomic operation at byte addresses, on lanes `flat` (the active ones); returns the old values."""
    space, width = g.machine.space, values.itemsize
    if (where % width).any():
        lane = int(np.flatnonzero(where % width)[0])
        raise Fault(f"atomic on 0x{int(where[lane]):x} is not {width}-byte aligned", lane=lane)
    g.machine.statistics.global_bytes_read += len(where) * width
    g.machine.statistics.global_bytes_written += len(where) * width
    old = np.empty_like(values)
    space.find(where, width, True, None)
    index = np.searchsorted(space.bases, where, "right") - 1
    for at in np.unique(index):
        chosen = index == at
        buffer = space.buffers[int(at)]
        if buffer.written is not None:
            require_some(buffer, where - buffer.base, chosen, width)
        old[chosen] = apply(
            buffer.views[width], (where[chosen] - buffer.base) // width, operation, values[chosen],
            None if compare is None else compare[chosen],
        )  # fmt: skip
    if g.machine.traffic is not None:
        g.machine.traffic.record(g, where, width, number, True, True, flat)
    return old
