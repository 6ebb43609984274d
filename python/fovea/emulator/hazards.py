# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Hazards that hardware does not resolve: instructions that need others between them.

An instruction leaves traces (what it wrote or read, and how); a later instruction is checked against the traces of the
last ones by the rules of `hazard_rules`, which are tables over the chips. This module has what the rules ask of an
instruction, and the engine.

What counts as distance is the trace's matter: on gfx942 and gfx950 each instruction issued is one wait state and
s_nop N is N + 1; on gfx11 and gfx12 it is the vector instructions between.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from fovea.emulator.errors import DecodeError, Fault
from fovea.emulator.text import EXEC, M0, VCC, Line, Operand
from fovea.emulator.waits import NO_REGISTERS, Registers, register_name

_TRANSCENDENTAL = re.compile(r"^v_(rcp|rcp_iflag|rsq|sqrt|exp|log|sin|cos)_(f16|f32|f64|legacy_f32)$")
EXEC_SLOTS: Registers = frozenset({-1 - EXEC, -2 - EXEC})
VCC_SLOTS: Registers = frozenset({-1 - VCC, -2 - VCC})
M0_SLOT: Registers = frozenset({-1 - M0})
_SIZES = re.compile(r"^v_(?:mfma|mfma_scale|smfmac)_([fi]\d+)_(\d+)x\d+x(\d+)_?(?:(\d+)b_)?(.+)$")
_DEPENDENCIES = {
    "sa_sdst": (0, 1), "va_vcc": (1, 1), "vm_vsrc": (2, 3), "hold_cnt": (7, 1), "va_ssrc": (8, 1), "va_sdst": (9, 3),
    "va_vdst": (12, 4),
}  # fmt: skip
"""Fields of s_waitcnt_depctr and s_wait_alu: lowest bit and width."""


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
    """valu, mfma, vmem, lds, smem, salu or other."""
    uses: Registers
    defines: Registers
    states: int = 1
    vector: bool = False
    """Of the vector unit: valu, mfma, and v_nop, which is of kind other."""
    matrix: Matrix | None = None
    a_b: Registers = NO_REGISTERS
    c: Registers = NO_REGISTERS
    dot: str = ""
    transcendental: bool = False
    shifts_result: bool = False
    dpp: bool = False
    lane: str = ""
    """read or write for the instructions that move one lane, set for those that set a hardware register."""
    lane_select: Registers = NO_REGISTERS
    permutes: str = ""
    """`rows` for v_permlane16 and the like, `swap` for those that exchange two registers' rows."""
    compare_to_exec: bool = False
    div_fmas: bool = False
    fma_f64: bool = False
    reads_m0_early: bool = False
    store_data: Registers = NO_REGISTERS
    mode_register: str = ""
    awaited: frozenset[str] = frozenset()
    """Fields of `_DEPENDENCIES` that the instruction waits for entirely."""
    nops_of_lds: bool = False
    deallocates: bool = False
    """Gives the vector registers back."""


class Event(NamedTuple):
    """A trace: `age` counts the distance since, `transcendentals` those of its instructions."""

    age: int
    trace: str
    registers: Registers
    number: int
    transcendentals: int = 0


def states(e: Effect) -> int:
    """Distance in wait states."""
    return e.states


def vector_instructions(e: Effect) -> int:
    """Distance in vector instructions."""
    return int(e.vector)


def never(e: Effect) -> bool:
    """For traces that only distance ends."""
    del e
    return False


@dataclass(frozen=True)
class Trace:
    """What instructions leave: the registers (None: no trace), and when it is gone."""

    leaves: Callable[[Effect], Registers | None]
    lasts: int
    distance: Callable[[Effect], int] = states
    ends: Callable[[Effect], bool] = never
    transcendentals: int = 0
    """Gone after so many transcendental instructions (0: they count as others)."""
    unit: str = "wait states"


@dataclass(frozen=True)
class Rule:
    """After an instruction that left `trace`, one that meets it needs `needed` of distance.

    `meets` gives the registers that the two meet in, or None if the rule does not concern the later instruction.
    `source` is where LLVM's GCNHazardRecognizer has the rule.
    """

    trace: str
    meets: Callable[[Registers, Effect, Effect], Registers | None]
    needed: int | Callable[[Effect, Effect], int]
    why: str
    source: str
    remedy: str = ""


@dataclass(frozen=True)
class Hazards:
    """The rules of a chip."""

    traces: dict[str, Trace]
    rules: dict[str, tuple[Rule, ...]]
    """By trace."""


def passes_of(line: Line, chip: str = "gfx942") -> Matrix:
    """Timing of a matrix instruction (LLVM's SISchedule.td, SIDPGFX942FullSpeedModel and SIDPGFX950FullSpeedModel)."""
    match = _SIZES.match(line.name)
    assert match is not None, line.name
    result, side, k, _, kind = match.groups()
    if result == "f64":
        return Matrix({"4": 4, "16": 16 if chip == "gfx950" else 8}[side], False, True)
    if kind == "f8f6f4":
        # 8-bit operands take twice as long as narrower ones.
        wide = min(line.number("cbsz"), line.number("blgp")) < 2
        return Matrix((4 << wide) * (2 if side == "32" else 1), True, False)
    xdl = kind.split("_")[0] != "f32"
    if side == "4":
        return Matrix(2, xdl, False)
    short = int(k) >= 8 or kind == "xf32"
    return Matrix((4 if short else 8) * (2 if side == "32" else 1), xdl, False)


def dependencies_of(line: Line) -> frozenset[str]:
    """What an s_waitcnt_depctr or s_wait_alu waits for entirely. Raises DecodeError if it is not understood."""
    rest = line.text.strip().partition(" ")[2].strip()
    named = dict(re.findall(r"depctr_(\w+)\((\d+)\)", rest))
    if named:
        unknown = sorted(set(named) - set(_DEPENDENCIES))
        if unknown:
            raise DecodeError(f"{line.name}: field depctr_{unknown[0]} is unknown")
        return frozenset(name for name, limit in named.items() if int(limit) == 0)
    try:
        bits = int(rest, 0)
    except ValueError:
        raise DecodeError(f"operand '{rest}' of {line.name} is not understood") from None
    return frozenset(
        name for name, (shift, width) in _DEPENDENCIES.items() if not bits >> shift & (1 << width) - 1
    )


def effect_of(
    line: Line, issue: str, uses: Registers, defines: Registers, agpr_base: int, chip: str = "gfx942"
) -> Effect:
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
    if name in ("s_waitcnt_depctr", "s_wait_alu"):
        return Effect("other", uses, defines, awaited=dependencies_of(line))
    if issue == "mfma":
        a, b, c = (registers(o) for o in line.operands[1:4])
        if name.startswith(("v_smfmac_", "v_swmmac_")):
            # Of a sparse one the fourth operand is the index, which counts as A and B do; it accumulates.
            b, c = b | c, registers(line.operands[0])
        for scale in line.operands[4:]:
            b |= registers(scale)
        timing = passes_of(line, chip) if name.startswith(("v_mfma_", "v_smfmac_")) else None
        return Effect("mfma", uses, defines, vector=True, matrix=timing, a_b=a | b, c=c)
    if issue in ("vmem", "lds"):
        data: Registers = NO_REGISTERS
        if "_store_" in name and line.operands and issue == "vmem":
            stored = line.operands[0 if name.startswith("buffer_") else 1]
            offset_register = name.startswith("buffer_") and line.operands[-1].kind == "s"
            if stored.count > 2 and not offset_register:
                data = registers(stored)
        direct = "_load_lds_" in name or "lds" in line.modifiers
        return Effect(
            issue, uses | (M0_SLOT if direct else NO_REGISTERS), defines, store_data=data, reads_m0_early=direct,
            nops_of_lds=name == "ds_nop",
        )  # fmt: skip
    if name.startswith("v_") and name != "v_nop":
        to_exec = name.startswith("v_cmpx")
        lane = {"v_readlane_b32": "read", "v_readfirstlane_b32": "read", "v_writelane_b32": "write"}.get(name, "")
        select = registers(line.operands[2]) if name in ("v_readlane_b32", "v_writelane_b32") else NO_REGISTERS
        permutes = ""
        if name.startswith("v_permlane"):
            permutes = "swap" if "swap" in name else "rows"
        return Effect(
            "valu", uses, defines | (EXEC_SLOTS if to_exec else NO_REGISTERS), vector=True,
            dot=name if name.startswith("v_dot") else "", transcendental=_TRANSCENDENTAL.match(name) is not None,
            shifts_result=_shifts_result(line), dpp=line.encoding.endswith("dpp"), lane=lane,
            lane_select=frozenset(r for r in select if r < 0), permutes=permutes, compare_to_exec=to_exec,
            div_fmas=name.startswith("v_div_fmas"), fma_f64=name in ("v_fma_f64", "v_fmac_f64"),
        )  # fmt: skip
    if name in ("s_setreg_b32", "s_setreg_imm32_b32", "s_getreg_b32"):
        place = line.operands[1 if name == "s_getreg_b32" else 0].text.partition("(")[2].partition(",")[0].rstrip(")")
        return Effect("salu", uses, defines, mode_register=place, lane="" if name == "s_getreg_b32" else "set")
    kind = "salu" if issue in ("salu", "branch") else "smem" if issue == "smem" else "other"
    return Effect(
        kind, uses, defines, vector=name == "v_nop", reads_m0_early=name.startswith("s_sendmsg"),
        deallocates="MSG_DEALLOC_VGPRS" in line.text,
    )  # fmt: skip


def _shifts_result(line: Line) -> bool:
    """The result goes to a part of its register: SDWA and VOP3 with a high half, bytes of conversions to fp8."""
    if line.encoding == "sdwa":
        return line.modifiers.get("dst_sel", "DWORD") != "DWORD"
    if line.name.startswith("v_cvt_scalef32_sr_pk_fp4_"):
        return True
    selects = line.bits("op_sel", ())
    if line.name.startswith(("v_cvt_sr_", "v_cvt_scalef32_sr_", "v_cvt_scalef32_pk_fp4_")):
        return any(selects[2:])
    plain = not line.name.startswith(("v_pk_", "v_dot", "v_mad_mix", "v_fma_mix"))
    return plain and len(selects) >= 3 and selects[-1] == 1


def advance(now: tuple[Event, ...], number: int, effects: list[Effect], agpr_base: int,
            describe: tuple[str, ...], hazards: Hazards) -> tuple[Event, ...]:  # fmt: skip
    """Check one instruction against recent traces and add its own. Raises Fault if something is missing between."""
    effect = effects[number]
    kept = []
    for event in now:
        trace = hazards.traces[event.trace]
        _check(event, trace, effects[event.number], effect, agpr_base, describe, hazards)
        age = event.age + trace.distance(effect)
        count = event.transcendentals + effect.transcendental
        if age >= trace.lasts or trace.ends(effect) or (trace.transcendentals and count >= trace.transcendentals):
            continue
        registers = event.registers
        if effect.kind == "mfma" and event.trace == "matrix result":
            # Matrix instructions write the same registers in order: the last one counts.
            registers = registers - effect.defines
            if not registers:
                continue
        kept.append(event._replace(age=age, registers=registers, transcendentals=min(count, trace.transcendentals)))
    for name, trace in hazards.traces.items():
        left = trace.leaves(effect)
        if left is not None:
            kept.append(Event(0, name, left, number))
    return tuple(kept)


def _check(event: Event, trace: Trace, origin: Effect, effect: Effect, agpr_base: int, describe: tuple[str, ...],
           hazards: Hazards) -> None:  # fmt: skip
    for rule in hazards.rules.get(event.trace, ()):
        met = rule.meets(event.registers, origin, effect)
        if met is None:
            continue
        needed = rule.needed if isinstance(rule.needed, int) else rule.needed(origin, effect)
        if event.age < needed:
            names = ", ".join(register_name(r, agpr_base) for r in sorted(met)[:1])
            raise Fault(
                f"{rule.why}{f' ({names})' if names else ''}: {needed} {trace.unit} are needed after "
                f"'{describe[event.number]}'{rule.remedy}, {event.age} given",
                0,
            )
