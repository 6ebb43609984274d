# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Global, flat, scratch, buffer and scalar memory instructions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.emulator.errors import DecodeError, Fault
from fovea.emulator.group import Group
from fovea.emulator.memory import gather, scatter
from fovea.emulator.operands import APERTURES, Build, Step
from fovea.emulator.salu import scalar_source
from fovea.emulator.text import Operand

Array = np.ndarray[Any, Any]
Addresses = Callable[[Group], Array]
_CACHE = {"sc0", "sc1", "nt", "glc", "slc", "dlc"}


@dataclass(frozen=True)
class Access:
    """Width in bytes, and what a load does with values below four bytes.

    `extend`: "zero", "sign" fill the register; "low", "high" write one half and keep the other (with `extend_kind`
    the value type: u8 and i8 extend to 16 bits). Stores with `half` "high" take the upper half.
    """

    width: int
    store: bool = False
    extend: str = "zero"
    kind: Any = np.uint32


_LOADS = {
    "ubyte": Access(1, kind=np.uint8), "sbyte": Access(1, extend="sign", kind=np.int8),
    "ushort": Access(2, kind=np.uint16), "sshort": Access(2, extend="sign", kind=np.int16),
    "dword": Access(4), "dwordx2": Access(8), "dwordx3": Access(12), "dwordx4": Access(16),
    "ubyte_d16": Access(1, extend="low", kind=np.uint8), "ubyte_d16_hi": Access(1, extend="high", kind=np.uint8),
    "sbyte_d16": Access(1, extend="low", kind=np.int8), "sbyte_d16_hi": Access(1, extend="high", kind=np.int8),
    "short_d16": Access(2, extend="low", kind=np.uint16), "short_d16_hi": Access(2, extend="high", kind=np.uint16),
}  # fmt: skip
_STORES = {
    "byte": Access(1, True), "short": Access(2, True), "dword": Access(4, True), "dwordx2": Access(8, True),
    "dwordx3": Access(12, True), "dwordx4": Access(16, True), "byte_d16_hi": Access(1, True, "high"),
    "short_d16_hi": Access(2, True, "high"),
}  # fmt: skip
ACCESSES = {**{f"load_{n}": a for n, a in _LOADS.items()}, **{f"store_{n}": a for n, a in _STORES.items()}}


def write_loaded(g: Group, row: int, access: Access, values: Array) -> None:
    """Put loaded values (of the active lanes, flat) into registers from `row`."""
    if access.width >= 4:
        for word in range(access.width // 4):
            assign(g, g.u32[row + word], values[:, word])
        return
    typed = values.view(access.kind)
    if access.extend in ("low", "high"):
        assign(g, g.u16[row, :, :, 1 if access.extend == "high" else 0], typed.astype(np.int16).view(np.uint16))
    elif access.extend == "sign":
        assign(g, g.i32[row], typed)
    else:
        assign(g, g.u32[row], typed)


def assign(g: Group, target: Array, values: Array) -> None:
    """Write flat values of the active lanes to a register `(wave, lane)`."""
    if g.full:
        target[...] = values.reshape(target.shape)
    else:
        target[g.mask] = values


def read_stored(g: Group, row: int, access: Access) -> Array:
    """Values that a store takes from registers, of the active lanes, in the form AddressSpace.store wants."""
    if access.width >= 4:
        count = access.width // 4
        block = g.u32[row : row + count].reshape(count, -1)
        return block.T if g.full else block[:, g.active].T
    half: Array
    if access.width == 2:
        half = g.u16[row, :, :, 1 if access.extend == "high" else 0].reshape(-1)
    else:
        half = g.u8[row, :, :, 2 if access.extend == "high" else 0].reshape(-1)
    return half if g.full else half[g.active]


def check_modifiers(build: Build, allowed: set[str]) -> None:
    """Raise DecodeError for a modifier that is neither allowed nor a cache policy."""
    unknown = set(build.line.modifiers) - allowed - _CACHE
    if unknown:
        raise DecodeError(f"modifier {', '.join(sorted(unknown))} is not supported on {build.line.name}")


def flat_addresses(build: Build, address: Operand, base: Operand | None) -> Addresses:
    """Byte addresses (int64, active lanes, flat) of a global or flat instruction."""
    offset = build.line.number("offset")
    if base is not None and base.kind == "s":
        pair = build.scalar(base, 2) // 2
        if address.kind == "special":
            raise DecodeError("a global access needs a vector offset")
        row = build.vector(address, 1)

        def from_scalar(g: Group) -> Array:
            column = g.s64[:, pair].view(np.int64)
            first = int(column[0])
            relative = g.lanes32(g.u32, row).astype(np.int64)
            if (column == first).all():
                relative += first + offset
                return relative
            lanes = np.repeat(column, 64)
            relative += (lanes if g.full else lanes[g.active]) + offset
            return relative

        return from_scalar
    row = build.vector(address, 2)

    def from_pair(g: Group) -> Array:
        pair = np.empty((g.count, 64, 2), np.uint32)
        pair[..., 0] = g.u32[row]
        pair[..., 1] = g.u32[row + 1]
        flat = pair.view(np.int64).reshape(-1)
        if not g.full:
            flat = flat[g.active]
        return flat + offset if offset else flat

    return from_pair


def compile_global(name: str, build: Build) -> Step:
    """global_* and flat_* loads, stores and atomics."""
    family, _, action = name.partition("_")
    check_modifiers(build, {"offset"})
    operands = build.line.operands
    if action.startswith("atomic_"):
        from fovea.emulator.atomics import compile_global_atomic

        return compile_global_atomic(family, action.removeprefix("atomic_"), build)
    if action not in ACCESSES:
        raise DecodeError(f"{name} is not supported")
    access = ACCESSES[action]
    has_base = family == "global"
    if len(operands) != 2 + has_base:
        raise DecodeError(f"{name} has {2 + has_base} operands, found {len(operands)}")
    data, address = (operands[1], operands[0]) if access.store else (operands[0], operands[1])
    base = operands[2] if has_base else None
    addresses = flat_addresses(build, address, base)
    row = build.vector(data, max(access.width // 4, 1), write=not access.store)
    return _global_step(access, addresses, row, family == "flat", build.line.index)


def _global_step(access: Access, addresses: Addresses, row: int, flat: bool, index: int) -> Step:
    width = access.width

    def step(g: Group) -> None:
        where = addresses(g)
        if not len(where):
            return
        space, guesses, traffic = g.machine.space, g.machine.guesses, g.machine.traffic
        if flat and int(where.max()) >= APERTURES["shared_base"]:
            raise Fault("a flat access to the LDS or private aperture is not supported", lane=int(where.argmax()))
        if access.store:
            values = read_stored(g, row, access)
            g.machine.statistics.global_bytes_written += len(where) * width
            guesses[index] = space.store(where, values, width, guesses[index])
        else:
            g.machine.statistics.global_bytes_read += len(where) * width
            values, guesses[index] = space.load(where, width, guesses[index])
            write_loaded(g, row, access, values)
        if traffic is not None:
            traffic.record(g, where, width, index, not access.store, access.store)

    return step


def compile_scratch(name: str, build: Build) -> Step:
    """scratch_* loads and stores: private memory, one region a lane."""
    action = name.partition("_")[2]
    check_modifiers(build, {"offset"})
    if action not in ACCESSES:
        raise DecodeError(f"{name} is not supported")
    access = ACCESSES[action]
    operands = build.line.operands
    if len(operands) != 3:
        raise DecodeError(f"{name} has 3 operands, found {len(operands)}")
    data, address = (operands[1], operands[0]) if access.store else (operands[0], operands[1])
    base, offset = operands[2], build.line.number("offset")
    vector = build.vector(address, 1) if address.kind in ("v", "a") else None
    slot = build.scalar(base, 1) if base.kind == "s" else None
    row = build.vector(data, max(access.width // 4, 1), write=not access.store)

    def step(g: Group) -> None:
        machine = g.machine
        size = machine.scratch_bytes
        where = np.full((g.count, 64), offset, np.int64)
        if vector is not None:
            where += g.i32[vector]
        if slot is not None:
            where += g.s[:, slot].view(np.int32)[:, None]
        lanes = (g.waves[:, None] * 64 + np.arange(64)) * machine.scratch_stride
        bad = (where < 0) | (where + access.width > size)
        if not g.full:
            bad &= g.mask
        if bad.any():
            wave, lane = (int(x[0]) for x in np.nonzero(bad))
            raise Fault(
                f"{access.width}-byte scratch access at byte {int(where[wave, lane])} is out of bounds: "
                f"the kernel has {size} bytes a lane",
                wave,
                lane,
            )
        places = (where + lanes).reshape(-1)
        if not g.full:
            places = places[g.active]
        if not len(places):
            return
        written = machine.scratch_written
        if access.store:
            scatter(machine.scratch, places, access.width, read_stored(g, row, access))
            if written is not None:
                written.mark(places, access.width)
            return
        missing = written.missing(places, access.width) if written is not None else None
        if missing is not None:
            byte = int(places[missing]) % machine.scratch_stride
            raise Fault(f"{access.width}-byte load of scratch byte {byte}, which nothing has written", lane=missing)
        write_loaded(g, row, access, gather(machine.scratch, places, access.width))

    return step


def compile_buffer(name: str, build: Build) -> Step:
    """buffer_* loads and stores with a raw or strided descriptor; out of range reads give 0, writes are dropped.

    Range rule (ISA, buffer addressing, raw and structured buffers without swizzle): raw: offset + width <= records,
    for every dword of a wider access on its own; with a stride: index < records and offset < stride.
    """
    action = name.partition("_")[2]
    check_modifiers(build, {"offset", "offen", "idxen"})
    if action not in ACCESSES:
        raise DecodeError(f"{name} is not supported")
    access = ACCESSES[action]
    operands = list(build.line.operands)
    if len(operands) == 3:
        operands.insert(1, Operand("special", text="off"))
    if len(operands) != 4:
        raise DecodeError(f"{name} has 4 operands, found {len(operands)}")
    data, vaddr, descriptor, soffset = operands
    number = build.line.index
    locate = locate_buffer(build, vaddr, descriptor, soffset, access.width)
    row = build.vector(data, max(access.width // 4, 1), write=not access.store)

    def step(g: Group) -> None:
        where, inner, flat, total, tails = locate(g)
        if access.store:
            stored = read_stored(g, row, access) if len(where) or tails else None
            for word, (addresses, lanes) in enumerate(tails):
                assert stored is not None
                g.machine.space.store(addresses, stored[lanes, word : word + 1], 4, None)
            if len(where):
                assert stored is not None
                g.machine.statistics.global_bytes_written += len(where) * access.width
                g.machine.space.store(where, stored[inner], access.width, None)
                if g.machine.traffic is not None:
                    g.machine.traffic.record(g, where, access.width, number, False, True, flat)
            return
        kind: Any = np.uint32 if access.width >= 4 else access.kind
        shape = (total, access.width // 4) if access.width >= 4 else (total,)
        values = np.zeros(shape, np.dtype(kind).str.replace("i", "u"))
        for word, (addresses, lanes) in enumerate(tails):
            values[lanes, word] = g.machine.space.load(addresses, 4, None)[0][:, 0]
        if len(where):
            g.machine.statistics.global_bytes_read += len(where) * access.width
            values[inner] = g.machine.space.load(where, access.width, None)[0]
            if g.machine.traffic is not None:
                g.machine.traffic.record(g, where, access.width, number, True, False, flat)
        write_loaded(g, row, access, values)

    return step


Tails = list[tuple[Array, Array]]
BufferPlaces = Callable[[Group], tuple[Array, Array, Array, int, Tails]]


def locate_buffer(build: Build, vaddr: Operand, descriptor: Operand, soffset: Operand, width: int) -> BufferPlaces:
    """Where the lanes of a buffer access go.

    The result's closure gives, for the active lanes in range: byte addresses, positions among the active lanes, flat
    lane numbers; the number of active lanes; and, of lanes that are in range with their first dwords only, for each
    dword (addresses, positions among the active lanes).
    """
    modifiers = build.line.modifiers
    offen, idxen, offset = "offen" in modifiers, "idxen" in modifiers, build.line.number("offset")
    count = offen + idxen
    vector = build.vector(vaddr, count) if count else None
    slot = build.scalar(descriptor, 4)
    extra = scalar_source(build, soffset, "u32")

    def places(g: Group) -> tuple[Array, Array, Array, int, Tails]:
        words = g.s[:, slot : slot + 4].astype(np.int64)
        base = words[:, 0] | ((words[:, 1] & 0xFFFF) << 32)
        stride = (words[:, 1] >> 16) & 0x3FFF
        records = words[:, 2]
        if ((words[:, 3] >> 21) & 3).any() or (words[:, 1] >> 31).any():
            raise Fault("a swizzled or thread-id buffer descriptor is not supported", 0)
        local = np.full((g.count, 64), offset, np.int64)
        index = np.zeros((g.count, 64), np.int64)
        if idxen:
            assert vector is not None
            index = g.u32[vector].astype(np.int64)
        if offen:
            assert vector is not None
            local += g.u32[vector + idxen]
        scalar = extra(g).astype(np.int64)[:, None]
        outside = np.where(
            stride[:, None] == 0,
            local + scalar + width > records[:, None],
            (index >= records[:, None]) | (local >= np.maximum(stride, 1)[:, None]),
        )
        address = base[:, None] + local + scalar + index * stride[:, None]
        chosen = ~outside if g.full else ~outside & g.mask
        flat = np.flatnonzero(chosen)
        inner = np.searchsorted(g.active, flat) if not g.full else flat
        total = len(g.active) if not g.full else 64 * g.count
        tails: Tails = []
        if width > 4 and len(flat) < total:
            for word in range(width // 4 - 1):
                part = outside & (stride[:, None] == 0) & (local + scalar + 4 * word + 4 <= records[:, None])
                lanes = np.flatnonzero(part if g.full else part & g.mask)
                if not len(lanes):
                    break
                position = np.searchsorted(g.active, lanes) if not g.full else lanes
                tails.append((address.reshape(-1)[lanes] + 4 * word, position))
        return address.reshape(-1)[flat], inner, flat, total, tails

    return places


def compile_scalar_load(name: str, build: Build) -> Step:
    """s_load_dword*, s_buffer_load_dword*: aligned words into scalar registers."""
    check_modifiers(build, {"offset"})
    stem = name.removeprefix("s_buffer_load_dword").removeprefix("s_load_dword")
    words = int(stem.removeprefix("x")) if stem else 1
    is_buffer = name.startswith("s_buffer")
    target, base, offset = build.line.operands
    slot = build.scalar(base, 4 if is_buffer else 2)
    step_offset = scalar_source(build, offset, "i32" if offset.kind == "imm" else "u32")
    extra = build.line.number("offset")
    if target.kind != "s" or target.count != words:
        raise DecodeError(f"{name} loads {words} registers, operand '{target.text}' has {target.count}")
    build.writes_s.update(range(target.index, target.index + words))

    def step(g: Group) -> None:
        start = g.s64[:, slot // 2].astype(np.int64)
        if is_buffer:
            start &= 0xFFFFFFFFFFFF
        addresses = start + step_offset(g).astype(np.int64) + extra
        if (addresses & 3).any():
            # Hardware drops the low bits and loads something else than what was asked for.
            wave = int(np.flatnonzero(addresses & 3)[0])
            raise Fault(f"scalar load from 0x{int(addresses[wave]):x} is not 4-byte aligned", wave)
        distinct, inverse = np.unique(addresses, return_inverse=True)
        for number, address in enumerate(distinct):
            try:
                raw = g.machine.space.read(int(address), 4 * words)
            except Fault as fault:
                raise Fault(fault.message, int(np.flatnonzero(inverse == number)[0])) from None
            values = np.frombuffer(raw.tobytes(), np.uint32)
            if len(distinct) == 1:
                g.s[:, target.index : target.index + words] = values
            else:
                g.s[inverse == number, target.index : target.index + words] = values
        if g.machine.traffic is not None:
            g.machine.traffic.scalar(addresses, 4 * words)
        if target.index + words > 126:
            g.exec_changed()

    return step
