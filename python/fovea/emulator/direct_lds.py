# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Loads that go from global memory to LDS without a register: `global_load_lds_*` and `buffer_load_* ... lds`.

LDS address (ISA, "memory reads to LDS"): M0 + instruction offset + lane * size, where size is 4 bytes for loads of up
to a dword and 12 or 16 for gfx950's dwordx3 and dwordx4. The offset is added to the memory address, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fovea.emulator.errors import DecodeError
from fovea.emulator.group import Group
from fovea.emulator.lds import locate
from fovea.emulator.memory import scatter
from fovea.emulator.memory_ops import check_modifiers, flat_addresses, locate_buffer
from fovea.emulator.operands import Build, Step
from fovea.emulator.text import M0, Operand

Array = np.ndarray[Any, Any]
KINDS: dict[str, Any] = {
    "ubyte": np.uint8, "sbyte": np.int8, "ushort": np.uint16, "sshort": np.int16, "dword": np.uint32,
}  # fmt: skip
WIDE = {"dwordx3": 12, "dwordx4": 16}
"""Sizes that gfx950 added."""


def _size(name: str, action: str, build: Build) -> int:
    """Bytes that a lane asks of memory."""
    if action in KINDS:
        return np.dtype(KINDS[action]).itemsize
    if action in WIDE and build.chip.name == "gfx950":
        return WIDE[action]
    raise DecodeError(f"{name} to LDS is not supported on {build.chip.name}")


def _store(g: Group, values: Array, action: str, offset: int, index: int) -> None:
    """Write loaded values to LDS for the active lanes."""
    # Chips with more than 64 KiB of LDS use more of M0's bits.
    mask = np.uint32(0xFFFF if g.machine.lds_bytes <= 65536 else 0x3FFFF)
    step = WIDE.get(action, 4)
    base = (g.s[:, M0] & mask).astype(np.int64)[:, None] + offset + step * np.arange(64)
    local = base.reshape(-1)
    local = local if g.full else local[g.active]
    words: Array
    if action in WIDE:
        words = np.ascontiguousarray(values).view(np.uint32).reshape(-1, step // 4)
    else:
        words = values.reshape(-1).view(KINDS[action]).astype(np.int64).astype(np.uint32)[:, None]
    g.machine.statistics.lds_bytes_written += len(local) * step
    for part in range(step // 4):
        values = words[:, part : part + 1]
        scatter(g.machine.lds_views, locate(g, local + 4 * part, 4, True, index, part, values), 4, values)


def compile_direct(name: str, build: Build) -> Step:
    """global_load_lds_*."""
    line = build.line
    check_modifiers(build, {"offset"})
    if len(line.operands) != 2:
        raise DecodeError(f"{name} has 2 operands, found {len(line.operands)}")
    action = name.removeprefix("global_load_lds_")
    width = _size(name, action, build)
    addresses = flat_addresses(build, line.operands[0], line.operands[1])
    offset, index = line.number("offset"), line.index
    build.reads_s.add(M0)

    def step(g: Group) -> None:
        where = addresses(g)
        if not len(where):
            return
        machine = g.machine
        machine.statistics.global_bytes_read += len(where) * width
        values, machine.guesses[index] = machine.space.load(where, width, machine.guesses[index])
        if machine.traffic is not None:
            machine.traffic.record(g, where, width, index, True, False)
        _store(g, values, action, offset, index)

    return step


def compile_direct_buffer(name: str, build: Build) -> Step:
    """buffer_load_* with the `lds` flag; what is out of range of the descriptor arrives as zero."""
    line = build.line
    check_modifiers(build, {"offset", "offen", "idxen", "lds"})
    action = name.removeprefix("buffer_load_")
    width = _size(name, action, build)
    operands = list(line.operands)
    if len(operands) == 2:
        operands.insert(0, Operand("special", text="off"))
    if len(operands) != 3:
        raise DecodeError(f"{name} to LDS has 3 operands, found {len(operands)}")
    addresses = locate_buffer(build, operands[0], operands[1], operands[2], width)
    offset, index = line.number("offset"), line.index
    build.reads_s.add(M0)

    def step(g: Group) -> None:
        where, inner, flat, total, tails = addresses(g)
        if not total:
            return
        kind: Any = np.uint32 if width >= 4 else f"u{width}"
        values = np.zeros((total, width // 4) if width >= 4 else total, kind)
        for word, (places, lanes) in enumerate(tails):
            values[lanes, word] = g.machine.space.load(places, 4, None)[0][:, 0]
        if len(where):
            g.machine.statistics.global_bytes_read += len(where) * width
            values[inner] = g.machine.space.load(where, width, None)[0]
            if g.machine.traffic is not None:
                g.machine.traffic.record(g, where, width, index, True, False, flat)
        _store(g, values, action, offset, index)

    return step
