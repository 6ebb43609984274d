# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Hazards of gfx942 that hardware does not resolve: instructions that need wait states between them.

Sources: AMD "CDNA3 Instruction Set Architecture", manually inserted wait states, and the figures by which LLVM's
AMDGPU backend inserts s_nop (GCNHazardRecognizer, with the passes of matrix instructions from SISchedule.td).
Each instruction issued is one wait state, s_nop N is N + 1.

An instruction leaves events (what it wrote or read, and how); a later instruction is checked against the events of
the last wait states by the rules of `_needed`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from fovea.emulator.errors import Fault
from fovea.emulator.text import EXEC, M0, VCC, Line, Operand
from fovea.emulator.waits import NO_REGISTERS, Registers, register_name

_TRANSCENDENTAL = re.compile(r"^v_(rcp|rcp_iflag|rsq|sqrt|exp|log|sin|cos)_(f16|f32|f64|legacy_f32)$")
_EXEC: Registers = frozenset({-1 - EXEC, -2 - EXEC})
_VCC: Registers = frozenset({-1 - VCC, -2 - VCC})
_M0: Registers = frozenset({-1 - M0})
_DOUBLE_PASSES = {4: 4, 16: 8}
_SIZES = re.compile(r"^v_s?mfmac?_([fi]\d+)_(\d+)x\d+x(\d+)_?(?:(\d+)b_)?(.+)$")
_OVERWRITE_C = {2: 1, 4: 3, 8: 7, 16: 15}
"""Wait states before a vector instruction may overwrite the C operand of a matrix instruction, by passes."""
LONGEST = 20


@dataclass(frozen=True)
class Matrix:
    """A matrix instruction's timing: `xdl` is the unit of all types but f32 and f64."""

    passes: int
    xdl: bool
    double: bool


@dataclass(frozen=True)
class Effect:
    """What the rules ask of one instruction."""

    kind: str
    """valu, mfma, vmem, lds, salu or other."""
    uses: Registers
    defines: Registers
    states: int = 1
    matrix: Matrix | None = None
    a_b: Registers = NO_REGISTERS
    c: Registers = NO_REGISTERS
    dot: str = ""
    transcendental: bool = False
    shifts_result: bool = False
    dpp: bool = False
    lane: str = ""
    """read or write for the instructions that move one lane."""
    lane_select: Registers = NO_REGISTERS
    div_fmas: bool = False
    reads_m0_early: bool = False
    store_data: Registers = NO_REGISTERS
    mode_register: str = ""


class Event(NamedTuple):
    """Something recent: `age` counts the wait states since."""

    age: int
    kind: str
    registers: Registers
    number: int
    expires: int


def passes_of(name: str) -> Matrix:
    """Timing of a matrix instruction by its mnemonic (MI300: SISchedule.td, SIDPGFX940FullSpeedModel)."""
    match = _SIZES.match(name)
    assert match is not None, name
    result, side, k, _, kind = match.groups()
    if result == "f64":
        return Matrix(_DOUBLE_PASSES[int(side)], False, True)
    xdl = kind.split("_")[0] != "f32"
    if side == "4":
        return Matrix(2, xdl, False)
    short = int(k) >= 8 or kind == "xf32"
    return Matrix((4 if short else 8) * (2 if side == "32" else 1), xdl, False)


def effect_of(line: Line, issue: str, uses: Registers, defines: Registers, agpr_base: int) -> Effect:
    """The rules' view of a decoded instruction."""
    name = line.name

    def registers(operand: Operand) -> Registers:
        base = operand.index + (agpr_base if operand.kind == "a" else 0)
        if operand.kind in ("v", "a"):
            return frozenset(range(base, base + operand.count))
        if operand.kind == "s":
            return frozenset(-1 - slot for slot in range(operand.index, operand.index + operand.count))
        return NO_REGISTERS

    if name == "s_nop":
        return Effect("other", uses, defines, int(line.text.split()[1], 0) + 1)
    if issue == "mfma":
        a, b, c = (registers(o) for o in line.operands[1:4])
        return Effect("mfma", uses, defines, matrix=passes_of(name), a_b=a | b, c=c)
    if issue in ("vmem", "lds"):
        data: Registers = NO_REGISTERS
        if "_store_" in name and line.operands and issue == "vmem":
            stored = line.operands[0 if name.startswith("buffer_") else 1]
            offset_register = name.startswith("buffer_") and line.operands[-1].kind == "s"
            if stored.count > 2 and not offset_register:
                data = registers(stored)
        direct = "_load_lds_" in name or "lds" in line.modifiers
        return Effect(issue, uses | (_M0 if direct else NO_REGISTERS), defines, store_data=data, reads_m0_early=direct)
    if name.startswith("v_") and name != "v_nop":
        if name.startswith("v_cmpx"):
            defines = defines | _EXEC
        selects = line.bits("op_sel", ())
        plain = not name.startswith(("v_pk_", "v_dot", "v_mad_mix", "v_fma_mix"))
        shifts = plain and len(selects) >= 3 and selects[-1] == 1 and not name.startswith("v_cvt_sr_")
        shifts |= line.encoding == "sdwa" and line.modifiers.get("dst_sel", "DWORD") != "DWORD"
        lane = {"v_readlane_b32": "read", "v_readfirstlane_b32": "read", "v_writelane_b32": "write"}.get(name, "")
        select = registers(line.operands[2]) if name in ("v_readlane_b32", "v_writelane_b32") else NO_REGISTERS
        return Effect(
            "valu", uses, defines, dot=name if name.startswith("v_dot") else "",
            transcendental=_TRANSCENDENTAL.match(name) is not None, shifts_result=shifts,
            dpp=line.encoding.endswith("dpp"), lane=lane, lane_select=frozenset(r for r in select if r < 0),
            div_fmas=name.startswith("v_div_fmas"),
        )  # fmt: skip
    if name in ("s_setreg_b32", "s_setreg_imm32_b32", "s_getreg_b32"):
        place = line.operands[1 if name == "s_getreg_b32" else 0].text.partition("(")[2].partition(",")[0].rstrip(")")
        return Effect("salu", uses, defines, mode_register=place, lane="" if name == "s_getreg_b32" else "set")
    kind = "salu" if issue == "salu" else "other"
    return Effect(kind, uses, defines, reads_m0_early=name.startswith("s_sendmsg"))


def events_of(effect: Effect, number: int) -> list[Event]:
    """What an instruction leaves behind for those after it."""
    events = []
    vector = frozenset(r for r in effect.defines if r >= 0)
    scalar = effect.defines - vector

    def add(kind: str, registers: Registers, expires: int) -> None:
        if registers:
            events.append(Event(0, kind, registers, number, expires))

    if effect.kind == "mfma":
        assert effect.matrix is not None
        add("matrix result", effect.defines, LONGEST)
        if effect.matrix.xdl:
            add("matrix C", effect.c, _OVERWRITE_C[effect.matrix.passes])
    elif effect.kind == "valu":
        add("dot result" if effect.dot else "vector result", vector, 3 if effect.dot else 2)
        add("transcendental result", vector if effect.transcendental else NO_REGISTERS, 1)
        add("shifted result", vector if effect.shifts_result else NO_REGISTERS, 1)
        add("scalar result", scalar, 5)
    elif effect.kind == "salu":
        add("m0", scalar & _M0, 1)
        if effect.mode_register and effect.lane == "set":
            events.append(Event(0, f"setreg {effect.mode_register}", NO_REGISTERS, number, 2))
    add("store data", effect.store_data, 2)
    return events


def _needed(event: Event, origin: Effect, e: Effect) -> tuple[int, Registers, str]:
    """Wait states that `e` needs after an event, the registers they meet in, and what the hazard is called."""
    met, hit = event.registers & e.uses, event.registers & e.defines
    kind = event.kind
    if kind == "matrix result":
        return _after_matrix(event, origin, e)
    if kind == "matrix C" and hit and e.kind in ("valu", "vmem", "lds"):
        assert origin.matrix is not None
        return _OVERWRITE_C[origin.matrix.passes], hit, "overwrites the C operand of a matrix instruction"
    if kind in ("vector result", "dot result"):
        if kind == "dot result" and e.kind in ("valu", "vmem", "lds") and (met | hit) and e.dot != origin.dot:
            return 3, met | hit, "uses the result of a dot product"
        if e.kind == "mfma" and met and kind == "vector result":
            return 2, met, "a matrix instruction reads the result of a vector instruction"
        if e.dpp and met:
            return 2, met, "DPP reads the result of a vector instruction"
        if e.lane == "read" and met:
            return 1, met, "a lane is read of the result of a vector instruction"
    if kind == "transcendental result" and e.kind in ("valu", "mfma") and met and not e.transcendental:
        return 1, met, "reads the result of a transcendental instruction"
    if kind == "shifted result" and e.kind in ("valu", "mfma") and met:
        return 1, met, "reads a result that was written to a part of its register"
    if kind == "scalar result":
        return _after_scalar(event, e, met)
    if kind == "m0" and e.reads_m0_early:
        return 1, _M0, "uses m0 after a scalar instruction wrote it"
    if kind == "store data" and e.kind in ("valu", "mfma") and hit:
        return 2, hit, "overwrites data of a store of more than 8 bytes"
    if kind.startswith("setreg ") and e.mode_register == kind.split()[1]:
        return 2, NO_REGISTERS, "uses a hardware register after s_setreg"
    return 0, NO_REGISTERS, ""


def _after_scalar(event: Event, e: Effect, met: Registers) -> tuple[int, Registers, str]:
    """A vector instruction wrote scalar registers."""
    executes = event.registers & _EXEC
    if e.kind == "vmem" and met:
        return 5, met, "a memory instruction reads a scalar register that a vector instruction wrote"
    if e.dpp and executes:
        return 5, executes, "DPP after a vector instruction wrote EXEC"
    if e.lane_select & event.registers:
        return 4, e.lane_select & event.registers, "lane select that a vector instruction wrote"
    if e.div_fmas and event.registers & _VCC:
        return 4, event.registers & _VCC, "v_div_fmas after a vector instruction wrote VCC"
    if executes and (e.kind == "mfma" or e.lane):
        return 4, executes, "a matrix or lane instruction after a vector instruction wrote EXEC"
    if e.kind == "valu" and met:
        return 2, met, "reads a scalar register that a vector instruction wrote"
    return 0, NO_REGISTERS, ""


def _after_matrix(event: Event, origin: Effect, e: Effect) -> tuple[int, Registers, str]:
    """The result of a matrix instruction is used."""
    timing = origin.matrix
    assert timing is not None
    # A later matrix instruction may have taken over some of the registers; those come in order.
    result = event.registers
    if e.kind in ("valu", "vmem", "lds"):
        met = result & (e.uses | e.defines)
        if not met:
            return 0, NO_REGISTERS, ""
        memory_read = e.kind != "valu" and bool(result & e.uses)
        if timing.double:
            needed = {4: (6, 9), 8: (11, 18)}[timing.passes][memory_read]
        else:
            needed = timing.passes + (3 if timing.xdl else 2)
        return needed, met, "uses the result of a matrix instruction"
    if e.kind != "mfma":
        return 0, NO_REGISTERS, ""
    assert e.matrix is not None
    met = result & e.a_b
    if met:
        if timing.double:
            return {4: 6, 8: 11}[timing.passes], met, "A or B is the result of a matrix instruction"
        return timing.passes + (3 if timing.xdl else 2), met, "A or B is the result of a matrix instruction"
    met = result & e.c
    if not met:
        return 0, NO_REGISTERS, ""
    if origin.defines == e.c:
        if timing.double and timing.passes == 4 and e.matrix == timing:
            return 4, met, "C is the result of a matrix instruction"
        return (2 if timing.passes == 2 else 0), met, "C is the result of a matrix instruction"
    if e.matrix.xdl and not timing.xdl:
        return 0, NO_REGISTERS, ""
    needed = {4: 4, 8: 9}[timing.passes] if timing.double else timing.passes + timing.xdl
    return needed, met, "C overlaps the result of a matrix instruction"


def advance(now: tuple[Event, ...], number: int, effects: list[Effect], agpr_base: int,
            describe: tuple[str, ...]) -> tuple[Event, ...]:  # fmt: skip
    """Check one instruction against recent events and add its own. Raises Fault if wait states are missing."""
    effect = effects[number]
    for event in now:
        needed, met, why = _needed(event, effects[event.number], effect)
        if event.age < needed:
            names = ", ".join(register_name(r, agpr_base) for r in sorted(met)[:1])
            raise Fault(
                f"{why}{f' ({names})' if names else ''}: {needed} wait states are needed after "
                f"'{describe[event.number]}', {event.age} given",
                0,
            )
    aged = [e._replace(age=e.age + effect.states) for e in now if e.age + effect.states < e.expires]
    if effect.kind == "mfma":
        # Matrix instructions write the same registers in order: the last one counts.
        aged = [
            e._replace(registers=e.registers - effect.defines) if e.kind == "matrix result" else e
            for e in aged
            if e.kind != "matrix result" or not e.registers <= effect.defines
        ]
    return (*aged, *events_of(effect, number))
