# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Program flow: branches, barrier, end, waits, and the few instructions that read or set wave state.

A step returns None to go on, or a Signal that the run loop acts on.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from fovea.emulator.errors import DecodeError, Fault
from fovea.emulator.group import Group
from fovea.emulator.operands import Build, Step
from fovea.emulator.salu import scalar_destination, scalar_source

Array = np.ndarray[Any, Any]


class Signal(enum.Enum):
    """What the run loop has to do after an instruction."""

    BARRIER = 1
    END = 2
    SPLIT = 3


WAITS = {
    "s_waitcnt", "s_wakeup", "s_nop", "s_sleep", "s_setprio",
    "s_dcache_inv", "s_dcache_wb", "s_icache_inv", "s_inst_prefetch", "buffer_inv", "buffer_wbl2", "buffer_wbinvl1",
    "buffer_wbinvl1_vol", "v_nop", "s_ttracedata", "s_incperflevel", "s_decperflevel", "s_sethalt",
}  # fmt: skip
"""No effect on values here: memory instructions complete at once and in order."""

_CONDITIONS: dict[str, Callable[[Group], Array]] = {
    "s_cbranch_scc0": lambda g: ~g.scc,
    "s_cbranch_scc1": lambda g: g.scc,
    "s_cbranch_vccz": lambda g: g.s64[:, 53] == 0,
    "s_cbranch_vccnz": lambda g: g.s64[:, 53] != 0,
    "s_cbranch_execz": lambda g: g.s64[:, 63] == 0,
    "s_cbranch_execnz": lambda g: g.s64[:, 63] != 0,
}


def _branch(build: Build) -> Step:
    target = build.line.target

    def step(g: Group) -> None:
        g.pc = target

    return step


def _conditional(condition: Callable[[Group], Array], target: int, reads: tuple[int, ...], build: Build) -> Step:
    build.reads_s.update(reads)

    def step(g: Group) -> Any:
        taken = condition(g)
        number = int(np.count_nonzero(taken))
        if number == g.count:
            g.pc = target
        elif number:
            g.machine.pending = g.split(taken, target)
            return Signal.SPLIT
        return None

    return step


def _program_counter(build: Build) -> Step:
    write = scalar_destination(build, build.line.operands[0], 2)
    following = build.line.index + 1

    def step(g: Group) -> None:
        write(g, np.full(g.count, g.machine.program.address_of(following), np.uint64))

    return step


def _set_mode(build: Build) -> Step:
    """s_setreg_imm32_b32 / s_setreg_b32 on MODE: only writes that keep the decoded mode are allowed."""
    raw, value = build.line.operands
    match = re.match(r"hwreg\((\w+)(?:,\s*(\d+),\s*(\d+))?\)$", raw.text)
    if match is None or match.group(1) not in ("HW_REG_MODE", "1"):
        raise DecodeError(f"{build.line.name}: only the MODE register is supported, found {raw.text}")
    offset, size = int(match.group(2) or 0), int(match.group(3) or 32)
    get = scalar_source(build, value, "u32")

    def step(g: Group) -> None:
        mask = (1 << size) - 1
        if offset >= 8:
            return
        now = g.machine.float_mode >> offset & mask & 0xFF
        if (get(g) & np.uint32(mask & (0xFF >> offset)) != now).any():
            raise Fault("changing the rounding or denormal mode at run time is not supported", 0)

    return step


def _get_register(build: Build) -> Step:
    write = scalar_destination(build, build.line.operands[0], 1)
    raise_for = build.line.operands[1].text
    match = re.match(r"hwreg\((\w+)(?:,\s*(\d+),\s*(\d+))?\)$", raise_for)
    if match is None or match.group(1) not in ("HW_REG_MODE", "HW_REG_XCC_ID", "HW_REG_HW_ID"):
        raise DecodeError(f"{build.line.name}: {raise_for} is not supported")
    offset, size = int(match.group(2) or 0), int(match.group(3) or 32)
    is_mode = match.group(1) == "HW_REG_MODE"

    def step(g: Group) -> None:
        value = (g.machine.float_mode if is_mode else 0) >> offset & ((1 << size) - 1)
        write(g, np.full(g.count, value, np.uint32))

    return step


def compile_control(name: str, build: Build) -> tuple[Step, str] | None:
    """Closure and issue class of a program-flow instruction, or None if `name` is not one."""
    if name in WAITS:
        return (lambda g: None), "wait"
    if name == "s_branch":
        return _branch(build), "branch"
    if name in _CONDITIONS:
        reads: tuple[int, ...] = (106, 107) if "vcc" in name else ()
        return _conditional(_CONDITIONS[name], build.line.target, reads, build), "branch"
    if name == "s_barrier":
        return (lambda g: Signal.BARRIER), "barrier"
    if name in ("s_endpgm", "s_endpgm_saved"):
        return (lambda g: Signal.END), "branch"
    if name == "s_getpc_b64":
        return _program_counter(build), "salu"
    if name in ("s_setreg_imm32_b32", "s_setreg_b32"):
        return _set_mode(build), "salu"
    if name == "s_getreg_b32":
        return _get_register(build), "salu"
    if name == "s_memtime" or name == "s_memrealtime":
        write = scalar_destination(build, build.line.operands[0], 2)
        return (lambda g: write(g, np.full(g.count, sum(g.machine.counts), np.uint64))), "smem"
    if name == "s_trap":
        def trap(g: Group) -> None:
            raise Fault("the kernel executed s_trap", 0)

        return trap, "branch"
    return None
