# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every load, store and atomic of the memory tables, byte by byte, with some lanes switched off."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from assembly_runner import run_assembly
from rows_memory import FLOAT_ATOMICS, LOADS, STORES, Move, integer_atomics, operation

U32 = np.uint32
EXEC = 0x8FFF_FFFF_7FF5_FFFB
ON = [lane for lane in range(64) if EXEC >> lane & 1]
STRIDE = 20
"""Bytes from one lane's place to the next: dwords that are not aligned to more."""
FAMILIES = ("global", "flat", "buffer", "scratch")
RNG = random.Random(5)
TESTED = {f"{family}_load_{name}" for family in FAMILIES for name in LOADS}
TESTED |= {f"{family}_store_{name}" for family in FAMILIES for name in STORES}
INTEGER = {f"{name}{suffix}": (name, bits) for name in [*integer_atomics(32), "cmpswap"]
           for suffix, bits in (("", 32), ("_x2", 64))}  # fmt: skip
ATOMICS = INTEGER | {name: (name, 64 if name.endswith("64") else 32) for name in FLOAT_ATOMICS}
TESTED |= {f"{family}_atomic_{name}" for family in ("global", "flat", "buffer") for name in ATOMICS}
SCALAR = {"": 1, "x2": 2, "x3": 3, "x4": 4, "x8": 8, "x16": 16}
TESTED |= {f"s_{kind}load_dword{suffix}" for kind in ("", "buffer_") for suffix in SCALAR}


def span(letter: str, first: int, count: int) -> str:
    return f"{letter}{first}" if count == 1 else f"{letter}[{first}:{first + count - 1}]"


def words(count: int) -> list[int]:
    return [RNG.getrandbits(32) for _ in range(count)]


def access(family: str, verb: str, name: str, data: str, offset: int) -> str:
    """One access at v0 (or v[0:1]) plus `offset`."""
    place = {"global": "v0, {d}, s[60:61]", "flat": "v[0:1], {d}", "scratch": "v0, {d}, off", "buffer": ""}[family]
    if family == "buffer":
        return f"buffer_{verb}_{name} {data}, v0, s[4:7], 0 offen offset:{offset}"
    if verb == "load":
        place = {"global": "{d}, v0, s[60:61]", "flat": "{d}, v[0:1]", "scratch": "{d}, v0, off"}[family]
    return f"{family}_{verb}_{name} {place.format(d=data)} offset:{offset}"


def run(family: str, text: str, memory: Any, v: dict[int, Any]) -> Any:
    """Run with each lane's place in v0, the memory in a buffer or (copied by the kernel) in scratch."""
    places = (np.arange(64) * STRIDE).astype(U32)
    if family == "flat":
        # v[0:1]: the buffer's address, which s[60:61] holds, plus the place.
        text = f"v_mov_b32 v1, s61\nv_add_co_u32 v0, vcc, s60, v0\nv_addc_co_u32 v1, vcc, 0, v1, vcc\n{text}"
    if family == "buffer":
        text = f"s_mov_b32 s4, s60\ns_mov_b32 s5, s61\n{text}"
    s = {6: memory.nbytes, 7: 0x27000}
    return run_assembly(text, {0: places} | v, s, exec_mask=EXEC, buffers=[memory], scratch_bytes=64)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", LOADS)
def test_load(family: str, name: str) -> None:
    move: Move = LOADS[name]
    memory = np.frombuffer(RNG.randbytes(64 * STRIDE + 32), np.uint8).copy()
    text = access(family, "load", name, span("v", 8, move.registers), 4)
    v: dict[int, Any] = {8 + i: np.full(64, 0xA5A55A5A, U32) for i in range(move.registers)}
    if family == "scratch":
        # Private memory of a lane: fill it with the lane's own 32 bytes first.
        own = np.stack([memory[lane * STRIDE : lane * STRIDE + 32] for lane in range(64)]).copy().view(U32)
        v |= {16 + i: own[:, i] for i in range(8)} | {0: np.zeros(64, U32)}
        fill = "scratch_store_dwordx4 v0, v[16:19], off\nscratch_store_dwordx4 v0, v[20:23], off offset:16"
        text = f"{fill}\n{text}"
    result = run(family, text, memory, v)
    for lane in range(64):
        at = lane * STRIDE + 4
        wanted = [0xA5A55A5A] * move.registers
        if lane in ON:
            wanted = move.loaded(memory[at : at + move.size].tobytes(), 0xA5A55A5A if move.bits < 32 else 0)
        assert [int(result.v(8 + i)[lane]) for i in range(move.registers)] == [x & 0xFFFFFFFF for x in wanted]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", STORES)
def test_store(family: str, name: str) -> None:
    move: Move = STORES[name]
    memory = np.frombuffer(RNG.randbytes(64 * STRIDE + 32), np.uint8).copy()
    before = memory.copy()
    data = [words(64) for _ in range(move.registers)]
    v: dict[int, Any] = {8 + i: np.array(x, U32) for i, x in enumerate(data)}
    text = access(family, "store", name, span("v", 8, move.registers), 4)
    if family == "scratch":
        v |= {0: np.zeros(64, U32)} | {16 + i: np.full(64, 0xC3C33C3C, U32) for i in range(8)}
        fill = "scratch_store_dwordx4 v0, v[16:19], off\nscratch_store_dwordx4 v0, v[20:23], off offset:16"
        read = "scratch_load_dwordx4 v[24:27], v0, off\nscratch_load_dwordx4 v[28:31], v0, off offset:16"
        result = run(family, f"{fill}\n{text}\n{read}", memory, v)
        for lane in ON:
            found = struct.pack("<8I", *[int(result.v(24 + i)[lane]) for i in range(8)])
            part = move.stored([data[i][lane] for i in range(move.registers)])
            fill_bytes = struct.pack("<8I", *[0xC3C33C3C] * 8)
            assert found == fill_bytes[:4] + part + fill_bytes[4 + len(part) :]
        return
    run(family, text, memory, v)
    wanted = bytearray(before.tobytes())
    for lane in ON:
        part = move.stored([data[i][lane] for i in range(move.registers)])
        wanted[lane * STRIDE + 4 : lane * STRIDE + 4 + len(part)] = part
    assert memory.tobytes() == bytes(wanted)


def atomic_values(name: str, bits: int, count: int) -> list[int]:
    """Operands: small integers that often meet the old value, or codes of small floats and special ones."""
    if "f" in name:
        kind: Any = {"f32": np.float32, "f64": np.float64, "f16": np.float16}.get(name.split("_")[-1])
        special = [0.0, -0.0, 1.5, -2.25, np.inf, 3.0, 1e-3, -7.0]
        special += [np.nan] * ("min" in name or "max" in name)
        numbers = [RNG.choice(special) for _ in range(count)]
        if kind is None or kind is np.float16:
            halves = np.array([numbers, numbers[::-1]], np.float32)
            codes = halves.astype(np.float16).view(np.uint16) if kind else (halves.view(U32) >> U32(16))
            return [int(a) | int(b) << 16 for a, b in zip(*codes, strict=True)]
        return [int(x) for x in np.array(numbers, kind).view(f"u{bits // 8}")]
    return [RNG.choice([RNG.getrandbits(bits), RNG.randrange(4), (1 << bits) - 1]) for _ in range(count)]


def play(
    update: Callable[[int, int], int] | None,
    cells: list[int],
    targets: list[int],
    values: list[int],
    compare: list[int],
) -> list[int]:
    """Lanes act in ascending order; returns what each saw, and changes `cells`."""
    seen = [0] * 64
    for lane in ON:
        old = cells[targets[lane]]
        seen[lane] = old
        new = update(old, values[lane]) if update else values[lane] if old == compare[lane] else old
        cells[targets[lane]] = new
    return seen


def register_pairs(values: list[int], bits: int, first: int) -> dict[int, Any]:
    return {first + i: np.array([x >> 32 * i & 0xFFFFFFFF for x in values], U32) for i in range(bits // 32)}


@pytest.mark.parametrize("family", ["global", "flat", "buffer"])
@pytest.mark.parametrize("name", ATOMICS)
def test_atomic(family: str, name: str) -> None:
    """64 lanes on 8 cells, one after another; the old values come back."""
    plain, bits = ATOMICS[name]
    size, count = bits // 8, bits // 32
    cells = atomic_values(name, bits, 8)
    targets = [RNG.randrange(8) for _ in range(64)]
    values, compare = atomic_values(name, bits, 64), [RNG.choice([*cells, 0]) for _ in range(64)]
    swap = plain == "cmpswap"
    if swap:
        values = [RNG.choice(cells) for _ in range(64)]
    memory = np.array(cells, f"u{size}")
    data = register_pairs(values, bits, 8) | (register_pairs(compare, bits, 8 + count) if swap else {})
    source = span("v", 8, count * (2 if swap else 1))
    into = {20 + i: np.full(64, 7, U32) for i in range(count)}
    old = span("v", 20, count)
    operands = {
        "global": f"{old}, v0, {source}, s[60:61]", "flat": f"{old}, v[0:1], {source}",
        "buffer": f"{source}, v0, s[4:7], 0 offen",
    }[family]  # fmt: skip
    v = data | into | {0: np.array(targets, U32) * U32(size)}
    result = run(family, f"{family}_atomic_{name} {operands} sc0", memory, v)
    # A buffer atomic returns into its data registers.
    back = 8 if family == "buffer" else 20
    seen = play(None if swap else operation(plain, bits), cells, targets, values, compare)
    assert memory.tolist() == cells
    for lane in ON:
        found = sum(int(result.v(back + i)[lane]) << 32 * i for i in range(count))
        assert found == seen[lane], (name, lane)
    # Without sc0 nothing comes back.
    again = np.array(cells, f"u{size}")
    quiet = operands if family == "buffer" else operands.split(", ", 1)[1]
    result = run(family, f"{family}_atomic_{name} {quiet}", again, v)
    play(None if swap else operation(plain, bits), cells, targets, values, compare)
    assert again.tolist() == cells
    assert all(int(result.v(20 + i)[lane]) == 7 for i in range(count) for lane in range(64))


@pytest.mark.parametrize("suffix", SCALAR)
@pytest.mark.parametrize("kind", ["", "buffer_"])
def test_scalar_load(kind: str, suffix: str) -> None:
    count = SCALAR[suffix]
    source = np.array(words(64), U32)
    base = "s[60:61]" if not kind else "s[4:7]"
    text = f"s_mov_b32 s4, s60\ns_mov_b32 s5, s61\ns_{kind}load_dword{suffix} {span('s', 16, count)}, {base}, "
    for offset, s in (("0x1c", {}), ("s3 offset:0x4", {3: 24})):
        result = run_assembly(text + offset, s={6: source.nbytes, 7: 0x27000, **s}, buffers=[source])
        assert [result.s(16 + i) for i in range(count)] == source[7 : 7 + count].tolist()
