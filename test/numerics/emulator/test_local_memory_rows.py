# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every LDS load, store and atomic, and loads that go straight to LDS, byte by byte, with some lanes switched off."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from assembly_runner import run_assembly
from rows_memory import LOADS, LOCAL_ATOMICS, LOCAL_LOADS, LOCAL_PAIRS, LOCAL_STORES, operation
from test_memory_rows import EXEC, ON, RNG, atomic_values, play, register_pairs, span, words

U32 = np.uint32
STRIDE = 20
BYTES = 64 * STRIDE + 2048 + 64
SWAPS = {f"ds_{name}_b{bits}": bits for name in ("wrxchg_rtn", "cmpst", "cmpst_rtn") for bits in (32, 64)}
DIRECT = {"ubyte": 1, "sbyte": 1, "ushort": 2, "sshort": 2, "dword": 4, "dwordx3": 12, "dwordx4": 16}
TESTED = {f"ds_read_{name}" for name in LOCAL_LOADS} | {f"ds_write_{name}" for name in LOCAL_STORES}
TESTED |= {f"ds_{verb}{name}" for name in LOCAL_PAIRS for verb in ("read", "write")} | set(SWAPS)


def rtn(name: str) -> str:
    """The mnemonic's tail that returns the old value: `add_u32` to `add_rtn_u32`."""
    head, _, kind = name.rpartition("_")
    return f"{head}_rtn_{kind}"


TESTED |= {f"ds_{form}" for name in LOCAL_ATOMICS for form in (name, rtn(name))}
TESTED |= {f"global_load_lds_{name}" for name in DIRECT} | {f"buffer_load_{name} lds" for name in DIRECT}


def filled(text: str) -> tuple[str, bytes, dict[int, Any]]:
    """A program that fills LDS with random dwords before `text`, the bytes, and its registers."""
    content = RNG.randbytes(BYTES)
    count = -(-BYTES // 256)
    padded = content.ljust(count * 256, b"\0")
    lanes = np.frombuffer(padded, U32).reshape(count, 64)
    v: dict[int, Any] = {100: (np.arange(64) * 4).astype(U32)} | {101 + i: lanes[i] for i in range(count)}
    fill = "s_mov_b64 exec, -1\n" + "\n".join(f"ds_write_b32 v100, v{101 + i} offset:{256 * i}" for i in range(count))
    return f"{fill}\ns_mov_b64 exec, s[8:9]\n{text}", padded, v


def dump(text: str, count: int) -> str:
    """`text`, then the first `count` * 256 bytes of LDS into v150 and on."""
    reads = "\n".join(f"ds_read_b32 v{150 + i}, v100 offset:{256 * i}" for i in range(count))
    return f"{text}\ns_mov_b64 exec, -1\n{reads}"


def run(text: str, v: dict[int, Any], **options: Any) -> Any:
    s = {8: EXEC & 0xFFFFFFFF, 9: EXEC >> 32, **options.pop("s", {})}
    return run_assembly(text, v, s, lds_bytes=-(-BYTES // 256) * 256, exec_mask=EXEC, **options)


def content_of(result: Any, count: int) -> bytes:
    return np.stack([result.v(150 + i) for i in range(count)]).tobytes()


@pytest.mark.parametrize("name", LOCAL_LOADS)
def test_load(name: str) -> None:
    move = LOCAL_LOADS[name]
    text, content, v = filled(f"ds_read_{name} {span('v', 8, move.registers)}, v0 offset:4")
    v |= {0: (np.arange(64) * STRIDE).astype(U32)} | {8 + i: np.full(64, 0xA5A55A5A, U32) for i in range(4)}
    result = run(text, v)
    for lane in range(64):
        at = lane * STRIDE + 4
        wanted = [0xA5A55A5A] * move.registers
        if lane in ON:
            wanted = move.loaded(content[at : at + move.size], 0xA5A55A5A if move.bits < 32 else 0)
        assert [int(result.v(8 + i)[lane]) for i in range(move.registers)] == [x & 0xFFFFFFFF for x in wanted]


@pytest.mark.parametrize("name", LOCAL_STORES)
def test_store(name: str) -> None:
    move = LOCAL_STORES[name]
    text, content, v = filled(f"ds_write_{name} v0, {span('v', 8, move.registers)} offset:4")
    data = [words(64) for _ in range(move.registers)]
    v |= {0: (np.arange(64) * STRIDE).astype(U32)} | {8 + i: np.array(x, U32) for i, x in enumerate(data)}
    wanted = bytearray(content)
    for lane in ON:
        part = move.stored([data[i][lane] for i in range(move.registers)])
        wanted[lane * STRIDE + 4 : lane * STRIDE + 4 + len(part)] = part
    assert content_of(run(dump(text, 6), v), 6) == bytes(wanted[: 6 * 256])


@pytest.mark.parametrize("name", LOCAL_PAIRS)
def test_two_items(name: str) -> None:
    """Both offsets count items, or 64 items in the st64 forms."""
    size, unit = LOCAL_PAIRS[name]
    places = [lane * size for lane in range(64)]
    shifts = [offset * size * unit for offset in (1, 3)]
    registers = size // 4
    text, content, v = filled(f"ds_read{name} {span('v', 8, 2 * registers)}, v0 offset0:1 offset1:3")
    v |= {0: np.array(places, U32)} | {8 + i: np.full(64, 7, U32) for i in range(4)}
    result = run(text, v)
    for lane in ON:
        raw = b"".join(content[places[lane] + shift : places[lane] + shift + size] for shift in shifts)
        wanted = list(struct.unpack(f"<{2 * registers}I", raw))
        assert [int(result.v(8 + i)[lane]) for i in range(2 * registers)] == wanted
    sources = f"{span('v', 8, registers)}, {span('v', 8 + registers, registers)}"
    text, content, v = filled(f"ds_write{name} v0, {sources} offset0:1 offset1:3")
    data = [words(64) for _ in range(2 * registers)]
    v |= {0: np.array(places, U32)} | {8 + i: np.array(x, U32) for i, x in enumerate(data)}
    wanted_bytes = bytearray(content)
    for item, shift in enumerate(shifts):
        for lane in ON:
            part = struct.pack(f"<{registers}I", *[data[item * registers + i][lane] for i in range(registers)])
            wanted_bytes[places[lane] + shift : places[lane] + shift + size] = part
    count = len(content) // 256
    assert content_of(run(dump(text, count), v), count) == bytes(wanted_bytes[: 256 * count])


def check_atomic(mnemonic: str, plain: str, bits: int, swap: bool) -> None:
    """64 lanes on 8 cells, one after another."""
    count, size = bits // 32, bits // 8
    cells = atomic_values(plain, bits, 8)
    targets = [RNG.randrange(8) for _ in range(64)]
    values, compare = atomic_values(plain, bits, 64), [RNG.choice(cells) for _ in range(64)]
    returns = "_rtn" in mnemonic
    sources = [span("v", 12, count)] * swap + [span("v", 8, count)]
    operands = ", ".join([span("v", 20, count)] * returns + ["v0", *sources])
    kind = f"b{bits}"
    fill = f"s_mov_b64 exec, -1\nds_write_{kind} v30, {span('v', 32, count)}\ns_mov_b64 exec, s[8:9]"
    read = f"s_mov_b64 exec, -1\nds_read_{kind} {span('v', 36, count)}, v30"
    lanes = np.arange(64)
    v: dict[int, Any] = {0: np.array(targets, U32) * U32(size), 30: (lanes % 8 * size).astype(U32)}
    v |= register_pairs(values, bits, 8) | register_pairs(compare, bits, 12)
    v |= register_pairs([cells[lane % 8] for lane in range(64)], bits, 32)
    v |= {20 + i: np.full(64, 7, U32) for i in range(2)}
    update = None if swap else operation(plain, bits)
    seen = play(update, cells, targets, values, compare)
    result = run(f"{fill}\n{mnemonic} {operands}\n{read}", v)
    found = [sum(int(result.v(36 + i)[cell]) << 32 * i for i in range(count)) for cell in range(8)]
    assert found == cells
    for lane in ON:
        back = sum(int(result.v(20 + i)[lane]) << 32 * i for i in range(count))
        assert back == (seen[lane] if returns else 7 | 7 << 32 if count == 2 else 7)


@pytest.mark.parametrize("name", LOCAL_ATOMICS)
@pytest.mark.parametrize("returns", [False, True])
def test_atomic(name: str, returns: bool) -> None:
    plain, bits = LOCAL_ATOMICS[name]
    check_atomic(f"ds_{rtn(name) if returns else name}", plain, bits, False)


@pytest.mark.parametrize("mnemonic", SWAPS)
def test_exchange(mnemonic: str) -> None:
    swap = "cmpst" in mnemonic
    check_atomic(mnemonic, "cmpswap" if swap else "swap", SWAPS[mnemonic], swap)


@pytest.mark.parametrize("name", DIRECT)
@pytest.mark.parametrize("buffer", [False, True])
def test_straight_to_lds(name: str, buffer: bool) -> None:
    """Lane l's value goes to M0 + offset + l * 4 (12 or 16 for the wide ones), narrow ones extended to a dword."""
    size, step = DIRECT[name], max(DIRECT[name], 4)
    memory = np.frombuffer(RNG.randbytes(64 * STRIDE + 64), np.uint8).copy()
    load = (
        f"buffer_load_{name} v0, s[4:7], 0 offen offset:8 lds" if buffer
        else f"global_load_lds_{name} v0, s[60:61] offset:8"
    )  # fmt: skip
    text, content, v = filled(f"s_mov_b32 s4, s60\ns_mov_b32 s5, s61\ns_movk_i32 m0, 0x40\n{load}")
    v |= {0: (np.arange(64)[::-1] * STRIDE).astype(U32)}
    wanted = bytearray(content)
    for lane in ON:
        at = (63 - lane) * STRIDE + 8
        raw = memory[at : at + size].tobytes()
        part = raw if size >= 4 else struct.pack("<I", LOADS[name].loaded(raw, 0)[0] & 0xFFFFFFFF)
        wanted[0x48 + lane * step : 0x48 + lane * step + step] = part
    options = {"s": {6: memory.nbytes, 7: 0x27000}, "buffers": [memory], "chip": "gfx950"}
    assert content_of(run(dump(text, 5), v, **options), 5) == bytes(wanted[: 5 * 256])
