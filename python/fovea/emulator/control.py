# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Program flow: branches, barrier, end, waits, and the few instructions that read or set wave state.

A step returns None to go on, or a Signal that the run loop acts on.
"""

from __future__ import annotations

import enum
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

import numpy as np

from fovea.emulator import rdna, valu_rdna
from fovea.emulator.errors import DecodeError, Fault
from fovea.emulator.group import Group
from fovea.emulator.modes import register_field
from fovea.emulator.operands import Build, Step
from fovea.emulator.ordering import invalidates
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


def _computed_branch(build: Build) -> Step:
    """s_setpc_b64 to an instruction of this kernel: what compilers make of a branch that is too far."""
    source = scalar_source(build, build.line.operands[0], "u64")

    def step(g: Group) -> None:
        wanted = np.unique(source(g))
        addresses = g.machine.program.addresses
        at = bisect_left(addresses, int(wanted[0]))
        if len(wanted) != 1 or at >= len(addresses) or addresses[at] != int(wanted[0]):
            raise Fault(f"a branch to 0x{int(wanted[0]):x} or to several places at once is not supported", 0)
        g.pc = at

    return step


def _set_mode(build: Build) -> Step:
    """Writes of MODE: constants act through `modes`; s_setreg_b32 may only write what the mode is already."""
    raw, value = build.line.operands
    name, offset, size = register_field(raw.text)
    if name != "HW_REG_MODE":
        raise DecodeError(f"{build.line.name}: only the MODE register is supported, found {raw.text}")
    if build.line.name == "s_setreg_imm32_b32":
        return lambda g: None
    get = scalar_source(build, value, "u32")
    mask = (1 << size) - 1 & 0xFF >> offset

    def step(g: Group) -> None:
        if (get(g) & np.uint32(mask) != build.mode >> offset & mask).any():
            raise Fault("changing the rounding or denormal mode to a computed value is not supported", 0)

    return step


def _get_register(build: Build) -> Step:
    write = scalar_destination(build, build.line.operands[0], 1)
    name, offset, size = register_field(build.line.operands[1].text)
    if name not in ("HW_REG_MODE", "HW_REG_XCC_ID", "HW_REG_HW_ID"):
        raise DecodeError(f"{build.line.name}: {name} is not supported")
    value = (build.mode if name == "HW_REG_MODE" else 0) >> offset & ((1 << size) - 1)
    return lambda g: write(g, np.full(g.count, value, np.uint32))


def _acquire(g: Group) -> None:
    """Caches forget what other workgroups may have changed."""
    if g.machine.sharing is not None:
        g.machine.sharing.acquire(g)


def compile_control(name: str, build: Build) -> tuple[Step, str] | None:
    """Closure and issue class of a program-flow instruction, or None if `name` is not one."""
    if invalidates(build.line):
        return _acquire, "wait"
    if name in WAITS or (build.chip.lanes == 32 and rdna.is_wait(name)):
        return (lambda g: None), "wait"
    if name == "s_branch":
        return _branch(build), "branch"
    if name in _CONDITIONS:
        narrow = build.chip.lanes == 32
        reads: tuple[int, ...] = ((106,) if narrow else (106, 107)) if "vcc" in name else ()
        condition = valu_rdna.CONDITIONS.get(name, _CONDITIONS[name]) if narrow else _CONDITIONS[name]
        return _conditional(condition, build.line.target, reads, build), "branch"
    if name in ("s_denorm_mode", "s_round_mode") and build.chip.lanes == 32:
        return (lambda g: None), "salu"
    if name == "s_setpc_b64" and build.chip.lanes == 32:
        return _computed_branch(build), "branch"
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
