# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Registers whose value is still on its way from memory: which wait they need, by a table of the chips' counters.

Sources: AMD's instruction set guides CDNA3, CDNA4, RDNA3 and RDNA4 (data dependency resolution), and the "Memory Model"
chapters and counters of LLVM's "User Guide for AMDGPU Backend". In short:

gfx942 and gfx950: vmcnt counts vector memory instructions, loads and stores alike, which return in the order of issue.
lgkmcnt counts LDS instructions, in order among themselves, and scalar loads, which return in any order, so that only
lgkmcnt(0) is sure of one. A FLAT instruction counts in both, in any order.
gfx11: vmcnt counts loads and atomics that return a value, vscnt stores and the other atomics; lgkmcnt as above, but
FLAT instructions keep their order.
gfx12: loadcnt, storecnt, dscnt (LDS) and kmcnt (scalar loads) are four counters; samplecnt and bvhcnt count
instructions that the emulator does not execute, waits for them are accepted.

A counter can only hold so many: hardware holds the next instruction back.

expcnt is in no row: since gfx10, and on CDNA, it counts exports, GDS and parameter loads from LDS, none of which a
compute kernel here has. Stores read their registers when they are issued, so these may be overwritten at once (only
the first GCN chips, gfx6, let stores count in expcnt).

Registers are numbers: vector register rows as they are, scalar slot s as -1 - s.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from fovea.emulator.errors import DecodeError, Fault
from fovea.emulator.text import Line

Registers = frozenset[int]
Entry = tuple[int, Registers]
"""Instruction number and the registers that it will write."""
NO_REGISTERS: Registers = frozenset()


@dataclass(frozen=True)
class Queue:
    """Instructions that one counter counts and that return in order (or not); `limit` of them at most."""

    counter: str
    ordered: bool = True
    limit: int = 63


@dataclass(frozen=True)
class Counters:
    """What counts where on a family of chips.

    `counts` gives the queues of each kind of memory instruction, by number. `fields` are the bits of s_waitcnt: shifts
    and widths of each counter's parts, low part first. `waits` are the instructions that wait for one counter or for
    two, the first of which then takes bits 13:8 and the second bits 5:0.
    """

    queues: tuple[Queue, ...]
    counts: dict[str, tuple[int, ...]]
    fields: dict[str, tuple[tuple[int, int], ...]]
    waits: dict[str, tuple[str, ...]]
    missing: str
    """How a wait is written, of a counter and a number."""
    other: tuple[str, ...] = ()
    """Counters of instructions that are not executed here."""


_GFX9 = Counters(
    (Queue("vmcnt"), Queue("lgkmcnt", limit=15), Queue("lgkmcnt", ordered=False)),
    {"load": (0,), "store": (0,), "local": (1,), "scalar": (2,), "flat load": (0, 2), "flat store": (0, 2)},
    {"vmcnt": ((0, 4), (14, 2)), "lgkmcnt": ((8, 4),)},
    {},
    "s_waitcnt {}({})",
    ("expcnt",),
)
_GFX11 = Counters(
    (Queue("vmcnt"), Queue("vscnt"), Queue("lgkmcnt"), Queue("lgkmcnt", ordered=False)),
    {"load": (0,), "store": (1,), "local": (2,), "scalar": (3,), "flat load": (0, 2), "flat store": (1, 2)},
    {"vmcnt": ((10, 6),), "lgkmcnt": ((4, 6),)},
    {f"s_waitcnt_{name}": (name,) for name in ("vmcnt", "vscnt", "lgkmcnt", "expcnt")},
    "s_waitcnt {}({})",
    ("expcnt",),
)
_GFX12 = Counters(
    (Queue("loadcnt"), Queue("storecnt"), Queue("dscnt"), Queue("kmcnt", ordered=False)),
    {"load": (0,), "store": (1,), "local": (2,), "scalar": (3,), "flat load": (0, 2), "flat store": (1, 2)},
    {},
    {
        **{f"s_wait_{n}": (n,) for n in ("loadcnt", "storecnt", "dscnt", "kmcnt", "samplecnt", "bvhcnt", "expcnt")},
        "s_wait_loadcnt_dscnt": ("loadcnt", "dscnt"),
        "s_wait_storecnt_dscnt": ("storecnt", "dscnt"),
    },
    "s_wait_{} {}",
    ("samplecnt", "bvhcnt", "expcnt"),
)
CHIPS = {"gfx942": _GFX9, "gfx950": _GFX9, "gfx1100": _GFX11, "gfx1200": _GFX12, "gfx1201": _GFX12}
_UNCOUNTED = (
    "buffer_inv", "buffer_wbl2", "buffer_wbinvl1", "buffer_wbinvl1_vol", "buffer_gl0_inv", "buffer_gl1_inv", "ds_nop",
)  # fmt: skip
_CACHE_CONTROL = {"global_inv": "load", "global_wb": "store", "global_wbinv": "store"}
"""gfx12's: they count, though they bring nothing."""
_FIELD = re.compile(r"(\w+cnt)\((\d+)\)")


class Outstanding(NamedTuple):
    """Memory instructions that may not have returned, oldest first, for each of the chip's queues.

    `crossing` are the instructions that had not done their access to LDS when the wave reached its barrier, and
    those issued until it left it; None where the wave waits at no barrier.
    """

    queues: tuple[tuple[Entry, ...], ...]
    crossing: frozenset[int] | None = None


@dataclass(frozen=True)
class Memory:
    """What an instruction does to the counters: issue as one of the kinds of `Counters.counts`, or wait."""

    kind: str = ""
    waits: tuple[tuple[str, int], ...] = ()
    """Counters, and how many instructions may still be outstanding in each."""
    barrier: str = ""
    """`arrive`, `leave` or `both` for the parts of a barrier."""


def start(counters: Counters) -> Outstanding:
    """Nothing outstanding."""
    return Outstanding(((),) * len(counters.queues))


def memory_of(line: Line, issue: str, counters: Counters, returns: bool = False) -> Memory:
    """Counters of an instruction; `returns` says that it writes a register.

    Raises DecodeError for a wait that is not understood.
    """
    name = line.name
    if name.startswith("s_wait"):
        return Memory(waits=_wait(line, counters))
    if name.startswith("s_barrier"):
        arrives, leaves = "signal" in name, line.text.split()[0] == "s_barrier_wait"
        return Memory(barrier="arrive" if arrives else "leave" if leaves else "both")
    if name in _CACHE_CONTROL and counters is _GFX12:
        return Memory(_CACHE_CONTROL[name])
    if name in _UNCOUNTED:
        return Memory()
    if issue == "vmem":
        # Loads straight to LDS write no register.
        stores = "_store_" in name or ("_atomic_" in name and not returns)
        kind = "store" if stores else "load"
        return Memory(f"flat {kind}" if name.startswith("flat_") else kind)
    return Memory({"lds": "local", "smem": "scalar"}.get(issue, ""))


def _wait(line: Line, counters: Counters) -> tuple[tuple[str, int], ...]:
    name, _, rest = line.text.strip().partition(" ")
    rest = rest.strip()
    if name == "s_wait_idle":
        return tuple({queue.counter: 0 for queue in counters.queues}.items())
    if name in ("s_waitcnt_depctr", "s_wait_alu", "s_wait_event"):
        return ()
    try:
        if name in counters.waits:
            number = int(rest.removeprefix("null,"), 0)
            names = counters.waits[name]
            limits = (number >> 8 & 63, number & 63) if len(names) == 2 else (number,)
            found = tuple(zip(names, limits, strict=True))
        elif name == "s_waitcnt" and counters.fields:
            found = tuple((counter, int(limit)) for counter, limit in _FIELD.findall(rest))
            if not found:
                found = _fields(int(rest, 0), counters)
        else:
            raise DecodeError(f"{name} is not a wait of this chip")
    except ValueError:
        raise DecodeError(f"operand '{rest}' of {name} is not understood") from None
    known = {queue.counter for queue in counters.queues}
    for counter, _ in found:
        if counter not in known and counter not in counters.other:
            raise DecodeError(f"{name} waits for {counter}, which this chip does not have")
    return tuple((counter, limit) for counter, limit in found if counter in known)


def _fields(bits: int, counters: Counters) -> tuple[tuple[str, int], ...]:
    found = []
    for counter, parts in counters.fields.items():
        value = place = 0
        for shift, width in parts:
            value |= (bits >> shift & (1 << width) - 1) << place
            place += width
        found.append((counter, value))
    return tuple(found)


def advance(now: Outstanding, number: int, memory: Memory, uses: Registers, defines: Registers, agpr_base: int,
            describe: tuple[str, ...], counters: Counters) -> Outstanding:  # fmt: skip
    """Check one instruction against what is outstanding and add its own; `describe` are the instructions' texts.

    Raises Fault for a register that is read, or written by something else, before it has arrived.
    """
    mine = counters.counts.get(memory.kind, ())
    queues = list(now.queues)
    for which, (queue, rule) in enumerate(zip(queues, counters.queues, strict=True)):
        # Loads of the same kind come in order, so the later one's value stays.
        same = rule.ordered and mine == (which,)
        for place, (origin, coming) in enumerate(queue):
            for verb, registers in (("reads", uses), ("writes", NO_REGISTERS if same else defines)):
                if not coming.isdisjoint(registers):
                    register = min(coming & registers)
                    allowed = len(queue) - 1 - place if rule.ordered else 0
                    raise Fault(
                        f"{verb} {register_name(register, agpr_base)}, which '{describe[origin]}' is still loading: "
                        f"{counters.missing.format(rule.counter, allowed)} is missing between",
                        0,
                    )
    for counter, limit in memory.waits:
        for which, rule in enumerate(counters.queues):
            if rule.counter == counter:
                queue = queues[which]
                # Of a counter that others raise too, at most as many as it allows are of one queue.
                queues[which] = queue[len(queue) - limit :] if limit < len(queue) and rule.ordered else queue
                if limit == 0:
                    queues[which] = ()
    entry = (number, defines)
    for which in mine:
        rule, queue = counters.queues[which], queues[which]
        if rule.ordered:
            queues[which] = (*queue, entry)[-rule.limit :]
        elif entry not in queue:
            # The order of these does not matter, and a loop that never waits for them must not grow the state.
            queues[which] = tuple(sorted((*queue, entry), key=lambda e: e[0]))
    after = Outstanding(tuple(queues), _crossing(now, tuple(queues), number, memory))
    return now if after == now else after


def _crossing(now: Outstanding, queues: tuple[tuple[Entry, ...], ...], number: int, memory: Memory) -> (
    frozenset[int] | None
):  # fmt: skip
    if memory.barrier in ("arrive", "both"):
        return frozenset(origin for queue in queues for origin, _ in queue)
    if memory.barrier == "leave" and now.crossing is None:
        raise Fault("s_barrier_wait without s_barrier_signal before it: the wave would wait for ever", 0)
    if now.crossing is not None and memory.kind:
        return now.crossing | {number}
    return now.crossing


def register_name(register: int, agpr_base: int) -> str:
    """Assembler name of a register number of this module."""
    if register >= 0:
        return f"v{register}" if register < agpr_base else f"a{register - agpr_base}"
    slot = -1 - register
    return {106: "vcc_lo", 107: "vcc_hi", 124: "m0", 126: "exec_lo", 127: "exec_hi"}.get(slot, f"s{slot}")
