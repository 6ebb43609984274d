# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""LDS instructions: ds_read*, ds_write*, atomics and the cross-lane forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.emulator.atomics import OPERATIONS, apply, operands_of, write_old
from fovea.emulator.errors import DecodeError, Fault
from fovea.emulator.group import Group
from fovea.emulator.memory import gather, scatter
from fovea.emulator.memory_ops import Access, read_stored, write_loaded
from fovea.emulator.operands import Build, Step, put

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class LocalAccess:
    """Width in bytes of one item, number of items, and the stride of the offset fields of two-item forms."""

    access: Access
    items: int = 1
    scale: int = 1


def _access(width: int, store: bool, extend: str = "zero", kind: Any = np.uint32) -> LocalAccess:
    return LocalAccess(Access(width, store, extend, kind))


TABLE: dict[str, LocalAccess] = {
    "ds_read_u8": _access(1, False, kind=np.uint8), "ds_read_i8": _access(1, False, "sign", np.int8),
    "ds_read_u16": _access(2, False, kind=np.uint16), "ds_read_i16": _access(2, False, "sign", np.int16),
    "ds_read_u8_d16": _access(1, False, "low", np.uint8), "ds_read_u8_d16_hi": _access(1, False, "high", np.uint8),
    "ds_read_i8_d16": _access(1, False, "low", np.int8), "ds_read_i8_d16_hi": _access(1, False, "high", np.int8),
    "ds_read_u16_d16": _access(2, False, "low", np.uint16), "ds_read_u16_d16_hi": _access(2, False, "high", np.uint16),
    "ds_write_b8": _access(1, True), "ds_write_b8_d16_hi": _access(1, True, "high"),
    "ds_write_b16": _access(2, True), "ds_write_b16_d16_hi": _access(2, True, "high"),
    **{f"ds_read_b{bits}": _access(bits // 8, False) for bits in (32, 64, 96, 128)},
    **{f"ds_write_b{bits}": _access(bits // 8, True) for bits in (32, 64, 96, 128)},
    **{
        f"ds_{verb}2{stride}_b{bits}": LocalAccess(
            Access(bits // 8, verb == "write"), 2, bits // 8 * (64 if stride else 1)
        )
        for verb in ("read", "write") for stride in ("", "st64") for bits in (32, 64)
    },
}  # fmt: skip


def compile_local(name: str, build: Build) -> Step:
    """Closure of an LDS instruction."""
    line = build.line
    if name in ("ds_bpermute_b32", "ds_permute_b32"):
        return _permute(build, name == "ds_permute_b32")
    if name == "ds_swizzle_b32":
        return _swizzle(build)
    if name == "ds_nop":
        return lambda g: None
    if name not in TABLE:
        return _atomic(name, build)
    spec = TABLE[name]
    access = spec.access
    allowed = {"offset"} if spec.items == 1 else {"offset0", "offset1"}
    if set(line.modifiers) - allowed:
        raise DecodeError(f"modifier {', '.join(sorted(set(line.modifiers) - allowed))} is not supported on {name}")
    if spec.items == 1:
        offsets = [line.number("offset")]
    else:
        offsets = [line.number("offset0") * spec.scale, line.number("offset1") * spec.scale]
    words = max(access.width // 4, 1)
    count = 1 + spec.items if access.store else 2
    if len(line.operands) != count:
        raise DecodeError(f"{name} has {count} operands, found {len(line.operands)}")
    if access.store:
        address = build.vector(line.operands[0], 1)
        rows = [build.vector(o, words) for o in line.operands[1:]]
    else:
        address = build.vector(line.operands[1], 1)
        first = build.vector(line.operands[0], words * spec.items, write=True)
        rows = [first + i * words for i in range(spec.items)]
    index = line.index

    def step(g: Group) -> None:
        base = g.lanes32(g.u32, address).astype(np.int64)
        if not len(base):
            return
        views = g.machine.lds_views
        if access.store:
            g.machine.statistics.lds_bytes_written += len(base) * access.width * len(rows)
            for item, (row, offset) in enumerate(zip(rows, offsets, strict=True)):
                values = read_stored(g, row, access)
                place = locate(g, base + offset, access.width, True, index, item, values)
                scatter(views, place, access.width, values)
        else:
            places = [locate(g, base + offset, access.width, False, index, item) for item, offset in enumerate(offsets)]
            g.machine.statistics.lds_bytes_read += len(base) * access.width * len(rows)
            loaded = [gather(views, place, access.width) for place in places]
            for row, values in zip(rows, loaded, strict=True):
                write_loaded(g, row, access, values)

    return step


def locate(
    g: Group, addresses: Array, width: int, store: bool, index: int, item: int = 0, values: Array | None = None
) -> Array:
    """Check LDS byte addresses of the active lanes; returns places in the flat LDS of all workgroups.

    `values` are what a store is about to write, for the race check.
    """
    machine = g.machine
    if int(addresses.max()) + width > machine.lds_bytes or int(addresses.min()) < 0:
        lane = int(np.flatnonzero((addresses + width > machine.lds_bytes) | (addresses < 0))[0])
        verb = "write to" if store else "read of"
        raise Fault(
            f"{width}-byte {verb} LDS byte {int(addresses[lane])} is out of bounds: the workgroup has "
            f"{machine.lds_bytes} bytes",
            lane=lane,
        )
    unit = min(width, 4)
    if unit > 1 and int(np.bitwise_or.reduce(addresses)) & (unit - 1):
        lane = int(np.flatnonzero(addresses & (unit - 1))[0])
        raise Fault(f"{width}-byte LDS access at byte {int(addresses[lane])} is not {unit}-byte aligned", lane=lane)
    if machine.checker is not None:
        machine.checker.access(g, addresses, width, store, index, item, values)
    slots = np.repeat(g.slot * machine.lds_stride, 64)
    return addresses + (slots if g.full else slots[g.active])


def _permute(build: Build, forward: bool) -> Step:
    operands = build.line.operands
    row = build.vector(operands[0], 1, write=True)
    index, data = build.vector(operands[1], 1), build.vector(operands[2], 1)
    offset, last = build.line.number("offset"), np.uint32(build.chip.lanes - 1)

    def step(g: Group) -> None:
        lane = ((g.u32[index] + np.uint32(offset)) >> np.uint32(2)) & last
        values = g.u32[data] if g.full else np.where(g.mask, g.u32[data], np.uint32(0))
        if not forward:
            put(g, g.u32[row], np.take_along_axis(values, lane.astype(np.int64), axis=1))
            return
        result = np.zeros((g.count, 64), np.uint32)
        waves, lanes = np.nonzero(g.mask)
        result[waves, lane[waves, lanes]] = values[waves, lanes]
        put(g, g.u32[row], result)

    return step


def _swizzle(build: Build) -> Step:
    """ds_swizzle_b32: `offset:0x...` or `offset:swizzle(MODE, ...)`; lanes are permuted in groups of 32 (or 4)."""
    operands = build.line.operands
    text = build.line.modifiers.get("offset", "0")
    lanes = np.arange(64)
    source = _swizzle_map(text, lanes)
    row = build.vector(operands[0], 1, write=True)
    data = build.vector(operands[1], 1)

    def step(g: Group) -> None:
        values = g.u32[data] if g.full else np.where(g.mask, g.u32[data], np.uint32(0))
        put(g, g.u32[row], values[:, source])

    return step


def _swizzle_map(text: str, lanes: Array) -> Array:
    if text.startswith("swizzle("):
        mode, *items = [item.strip() for item in text[len("swizzle(") : -1].split(",")]
        if mode == "QUAD_PERM":
            return (lanes & ~3) + np.array([int(i, 0) for i in items])[lanes & 3]
        if mode == "BITMASK_PERM":
            mask = items[0].strip('"')
            result = lanes & 32
            for bit, char in zip((16, 8, 4, 2, 1), mask, strict=True):
                value = lanes & bit
                result = result + {"0": value * 0, "1": value * 0 + bit, "p": value, "i": value ^ bit}[char]
            return result
        numbers = [int(i, 0) for i in items]
        if mode == "SWAP":
            return lanes ^ numbers[0]
        if mode == "REVERSE":
            return lanes ^ (numbers[0] - 1)
        if mode == "BROADCAST":
            return (lanes & ~(numbers[0] - 1)) + numbers[1]
        raise DecodeError(f"swizzle mode {mode} is not supported")
    try:
        bits = int(text, 0)
    except ValueError:
        raise DecodeError(f"swizzle offset {text} is not understood") from None
    if bits & 0x8000:
        if bits & 0x7F00:
            raise DecodeError(f"swizzle offset {text} is not supported")
        return (lanes & ~3) + (bits >> 2 * (lanes & 3) & 3)
    low = lanes & 31
    return (lanes & 32) + (((low & (bits & 31)) | (bits >> 5 & 31)) ^ (bits >> 10 & 31))


_ATOMIC_NAMES = {
    "add_u32": "add", "sub_u32": "sub", "inc_u32": "inc", "dec_u32": "dec", "min_i32": "smin", "min_u32": "umin",
    "max_i32": "smax", "max_u32": "umax", "and_b32": "and", "or_b32": "or", "xor_b32": "xor", "add_f32": "add_f32",
    "min_f32": "min_f32", "max_f32": "max_f32", "wrxchg_b32": "swap", "add_u64": "add", "sub_u64": "sub",
    "min_i64": "smin", "min_u64": "umin", "max_i64": "smax", "max_u64": "umax", "and_b64": "and", "or_b64": "or",
    "xor_b64": "xor", "add_f64": "add_f64", "wrxchg_b64": "swap", "cmpst_b32": "cmpswap", "cmpst_b64": "cmpswap",
    "pk_add_f16": "pk_add_f16", "pk_add_bf16": "pk_add_bf16",
}  # fmt: skip


def _atomic(name: str, build: Build) -> Step:
    parts = name.removeprefix("ds_")
    returns = "_rtn" in parts
    stem = parts.replace("_rtn", "")
    if stem not in _ATOMIC_NAMES:
        raise DecodeError(f"{name} is not supported")
    returns = returns or stem.startswith("wrxchg")
    operation = _ATOMIC_NAMES[stem]
    assert operation == "cmpswap" or operation in OPERATIONS
    words = 2 if stem.endswith("64") else 1
    operands = list(build.line.operands)
    into = build.vector(operands.pop(0), words, write=True) if returns else None
    address = build.vector(operands[0], 1)
    rows = [build.vector(o, words) for o in operands[1:]]
    offset, index = build.line.number("offset"), build.line.index
    width = 4 * words

    def step(g: Group) -> None:
        base = g.lanes32(g.u32, address).astype(np.int64) + offset
        if not len(base):
            return
        if (base % width).any():
            lane = int(np.flatnonzero(base % width)[0])
            raise Fault(f"LDS atomic at byte {int(base[lane])} is not {width}-byte aligned", lane=lane)
        checker, g.machine.checker = g.machine.checker, None
        try:
            place = locate(g, base, width, True, index)
        finally:
            g.machine.checker = checker
        if checker is not None:
            checker.atomic(g, base, width, index)
        compare = operands_of(g, rows[0], words) if operation == "cmpswap" else None
        values = operands_of(g, rows[-1], words)
        old = apply(g.machine.lds_views[width], place // width, operation, values, compare)
        if into is not None:
            write_old(g, into, words, old)

    return step
