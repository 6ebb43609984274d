# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Registers whose value is still on its way from memory: which `s_waitcnt` they need.

Rules (AMD "CDNA3 Instruction Set Architecture", data dependency resolution): vmcnt counts vector memory instructions,
which return in the order of issue; stores count too. lgkmcnt counts LDS instructions, in order among themselves, and
scalar loads, which return in any order, so that only lgkmcnt(0) is sure of one. A FLAT instruction counts in both. At
most 63 vector memory and 15 LDS instructions are outstanding: hardware holds the next one back. Registers are read by
a store when it is issued: they may be overwritten at once.

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

_VECTOR_LIMIT, _LOCAL_LIMIT = 63, 15
_FIELD = re.compile(r"(vmcnt|expcnt|lgkmcnt)\((\d+)\)")
NO_REGISTERS: Registers = frozenset()


class Outstanding(NamedTuple):
    """Memory instructions that may not have returned, oldest first; `unordered` are scalar and FLAT ones."""

    vector: tuple[Entry, ...] = ()
    local: tuple[Entry, ...] = ()
    unordered: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Memory:
    """What an instruction does to the counters: issue to `queue` (vector, local, scalar, flat or none) or wait."""

    queue: str = ""
    vmcnt: int | None = None
    lgkmcnt: int | None = None


def memory_of(line: Line, issue: str) -> Memory:
    """Counters of an instruction. Raises DecodeError for a wait that is not understood."""
    name = line.name
    if name == "s_waitcnt":
        return _wait(line)
    if name in ("buffer_inv", "buffer_wbl2", "buffer_wbinvl1", "buffer_wbinvl1_vol", "ds_nop"):
        return Memory()
    if name.startswith("flat_"):
        return Memory("flat")
    queues = {"vmem": "vector", "lds": "local", "smem": "scalar"}
    return Memory(queues.get(issue, ""))


def _wait(line: Line) -> Memory:
    rest = line.text.partition("s_waitcnt")[2].strip()
    found = {name: int(count) for name, count in _FIELD.findall(rest)}
    if not found:
        try:
            bits = int(rest, 0)
        except ValueError:
            raise DecodeError(f"operand '{rest}' of s_waitcnt is not understood") from None
        # SIMM16: vmcnt is bits 3:0 and 15:14, lgkmcnt bits 11:8.
        found = {"vmcnt": bits & 15 | (bits >> 14 & 3) << 4, "lgkmcnt": bits >> 8 & 15}
    return Memory("", found.get("vmcnt"), found.get("lgkmcnt"))


def advance(now: Outstanding, number: int, memory: Memory, uses: Registers, defines: Registers, agpr_base: int,
            describe: tuple[str, ...]) -> Outstanding:  # fmt: skip
    """Check one instruction against what is outstanding and add its own; `describe` are the instructions' texts.

    Raises Fault for a register that is read, or written by something else, before it has arrived.
    """
    for queue, counter in ((now.vector, "vmcnt"), (now.local, "lgkmcnt"), (now.unordered, "lgkmcnt")):
        ordered = queue is not now.unordered
        # Loads of the same kind come in order, so the later one's value stays.
        same = ordered and memory.queue == ("vector" if counter == "vmcnt" else "local")
        for place, (origin, coming) in enumerate(queue):
            for verb, registers in (("reads", uses), ("writes", NO_REGISTERS if same else defines)):
                if not coming.isdisjoint(registers):
                    register = min(coming & registers)
                    allowed = len(queue) - 1 - place if ordered else 0
                    raise Fault(
                        f"{verb} {register_name(register, agpr_base)}, which '{describe[origin]}' is still loading: "
                        f"s_waitcnt {counter}({allowed}) is missing between",
                        0,
                    )
    vector, local, unordered = now
    if memory.vmcnt is not None and memory.vmcnt < len(vector):
        vector = vector[len(vector) - memory.vmcnt :]
    if memory.lgkmcnt is not None:
        if memory.lgkmcnt < len(local):
            local = local[len(local) - memory.lgkmcnt :]
        if memory.lgkmcnt == 0:
            unordered = ()
    entry = (number, defines)
    if memory.queue in ("vector", "flat"):
        vector = (*vector, entry)[-_VECTOR_LIMIT:]
    if memory.queue == "local":
        local = (*local, entry)[-_LOCAL_LIMIT:]
    # The order of these does not matter, and a loop that never waits for them must not grow the state.
    if memory.queue in ("scalar", "flat") and entry not in unordered:
        unordered = tuple(sorted((*unordered, entry), key=lambda e: e[0]))
    if (vector, local, unordered) == now:
        return now
    return Outstanding(vector, local, unordered)


def register_name(register: int, agpr_base: int) -> str:
    """Assembler name of a register number of this module."""
    if register >= 0:
        return f"v{register}" if register < agpr_base else f"a{register - agpr_base}"
    slot = -1 - register
    return {106: "vcc_lo", 107: "vcc_hi", 124: "m0", 126: "exec_lo", 127: "exec_hi"}.get(slot, f"s{slot}")
