# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From instruction lines to a program of closures: the one place that looks up the instruction tables."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fovea.emulator import (
    cross_lane,
    rdna,
    salu,
    salu_float,
    valu_compare,
    valu_convert,
    valu_float,
    valu_gfx950,
    valu_integer,
    valu_rdna,
    valu_scaled,
)
from fovea.emulator.atomics import compile_buffer_atomic
from fovea.emulator.chips import CHIPS, Chip
from fovea.emulator.control import compile_control
from fovea.emulator.direct_lds import compile_direct, compile_direct_buffer
from fovea.emulator.errors import DecodeError, EmulationError
from fovea.emulator.group import Group
from fovea.emulator.lds import compile_local
from fovea.emulator.lds_transpose import TABLE as TRANSPOSED
from fovea.emulator.lds_transpose import compile_transposed
from fovea.emulator.matrix_scaled import TABLE as SCALED
from fovea.emulator.matrix_scaled import compile_scaled
from fovea.emulator.memory_ops import compile_buffer, compile_global, compile_scalar_load, compile_scratch
from fovea.emulator.mfma import compile_matrix
from fovea.emulator.modes import initial_mode, resolve_modes
from fovea.emulator.operands import Build, Reuse, Step
from fovea.emulator.smfmac import compile_sparse_matrix
from fovea.emulator.text import Line, Operand, parse_line
from fovea.emulator.timing import Timing
from fovea.emulator.vector import Row, compile_row
from fovea.emulator.wmma import compile_sparse, compile_wmma

VECTOR_ROWS: dict[str, Row] = {
    row.name: row
    for module in (valu_integer, valu_float, valu_convert, valu_compare, valu_gfx950, valu_rdna)
    for row in module.TABLE
}
SCALAR_ROWS = {row.name: row for row in (*salu.TABLE, *salu_float.TABLE, *valu_rdna.SCALAR_TABLE)}
SPECIAL: dict[str, tuple[Callable[[Build], Step], str]] = {
    **{
        name: (make, "valu")
        for module in (valu_convert, cross_lane, valu_gfx950, valu_scaled, valu_rdna)
        for name, make in module.SPECIAL.items()
    },
    **{name: (make, "salu") for name, make in salu.SPECIAL.items()},
}
_PREFIXES: tuple[tuple[str, Callable[[str, Build], Step], str], ...] = (
    ("v_mfma_", compile_matrix, "mfma"),
    ("v_smfmac_", compile_sparse_matrix, "mfma"),
    ("v_wmma_", compile_wmma, "mfma"),
    ("v_swmmac_", compile_sparse, "mfma"),
    ("global_load_lds_", compile_direct, "vmem"),
    ("global_", compile_global, "vmem"),
    ("flat_", compile_global, "vmem"),
    ("scratch_", compile_scratch, "vmem"),
    ("buffer_", compile_buffer, "vmem"),
    ("ds_", compile_local, "lds"),
    ("s_load_dword", compile_scalar_load, "smem"),
    ("s_buffer_load_dword", compile_scalar_load, "smem"),
)
_MOVES = {"v_mov_b32", "v_mov_b64", "s_mov_b32", "s_mov_b64", "v_accvgpr_read_b32", "v_accvgpr_write_b32",
          "v_accvgpr_mov_b32"}  # fmt: skip
# 64-bit sums of which compilers want the low half alone: they leave the addend's high half undefined then.
_WIDE_SUMS = {"v_mad_u64_u32", "v_mad_i64_i32"}
_RELOCATION = re.compile(r"^([\w.$]+)@(?:rel32|gotpcrel32)@(lo|hi)\+\d+$")


@dataclass(frozen=True)
class Code:
    """One decoded instruction: the closure and what the checks and statistics need to know of it."""

    line: Line
    step: Step
    issue: str
    reads_v: tuple[int, ...]
    reads_s: tuple[int, ...]
    writes_v: tuple[int, ...]
    writes_s: tuple[int, ...]
    copies: bool = False
    """A plain move: it may carry a register that nothing wrote, half of an undefined pair say."""
    high_half: tuple[int, int] | None = None
    """(register read, register written): only this result needs that source, the high half of a 64-bit addend."""
    uses_v: tuple[int, ...] = ()
    uses_s: tuple[int, ...] = ()
    """All registers read; `reads_v` and `reads_s` are those that must have been written before."""


@dataclass
class Program:
    """A decoded kernel. Instruction numbers index `code`; `addresses` are ascending byte addresses."""

    kernel: str
    code: list[Code]
    addresses: list[int]
    vgprs: int
    agprs: int
    chip: str = "gfx942"
    timing: Timing | None = None
    """Rules of waits and wait states."""
    contested: tuple[int, bool] | None = None
    """Settings of `sharing` that a launch of this program needed."""

    def address_of(self, number: int) -> int:
        """Byte address of an instruction, also of the one after the last."""
        return self.addresses[number] if number < len(self.addresses) else self.addresses[-1] + 4


def load_program(
    kernel: str,
    lines: list[tuple[int, str]],
    flush_f32: bool = False,
    flush_f16_f64: bool = False,
    symbols: dict[str, int] | None = None,
    saturate: bool = False,
    chip: Chip = CHIPS["gfx942"],
) -> Program:
    """Decode a kernel's instructions. Raises EmulationError naming kernel, address and instruction."""
    if not lines:
        raise EmulationError(f"kernel {kernel} has no code")
    addresses = [address for address, _ in lines]
    parsed: list[Line] = []
    for number, (address, text) in enumerate(lines):
        try:
            line = _parse(address, text, chip)
            line.index = number
            _resolve(line, addresses, parsed, symbols or {})
        except (DecodeError, ValueError, IndexError) as error:
            raise EmulationError(f"kernel {kernel}, 0x{address:x}: {text.strip()}: {error}") from None
        parsed.append(line)
    both = [half for line in parsed for half in (line, line.second) if half is not None]
    vgprs = 1 + max((o.index + o.count - 1 for line in both for o in line.operands if o.kind == "v"), default=0)
    agprs = max((o.index + o.count for line in parsed for o in line.operands if o.kind == "a"), default=0)
    code = []
    reuses: list[list[Reuse]] = []
    try:
        modes = resolve_modes(parsed, initial_mode(flush_f32, flush_f16_f64, saturate))
    except DecodeError as error:
        raise EmulationError(f"kernel {kernel}: {error}") from None
    for line, mode in zip(parsed, modes, strict=True):
        build = Build(line, vgprs, mode, chip)
        try:
            step, issue = compile_line(line, build)
            if line.encoding.endswith("dpp") and not build.shuffled:
                raise DecodeError(f"{line.name} with DPP is not supported")
            if line.second is not None:
                step = _compile_dual(step, line.second, build)
        except (DecodeError, ValueError, IndexError, KeyError, AssertionError) as error:
            raise EmulationError(f"kernel {kernel}, 0x{line.address:x}: {line.text}: {error}") from None
        reuses.append(build.reuses)
        uses_v, uses_s = tuple(sorted(build.reads_v)), tuple(sorted(build.reads_s))
        if line.name == "v_pk_mov_b32":
            # Compilers copy pairs of which only one half is defined, and the halves may change places here.
            build.reads_v.clear()
            build.reads_s.clear()
        elif line.name == "s_andn2_b64" and line.operands[2].text == "exec" and line.operands[1].kind == "s":
            # The bits of a lane mask that are not of active lanes: they may never have been computed.
            build.reads_s -= {line.operands[1].index, line.operands[1].index + 1}
        reads_v, reads_s, writes_v, writes_s = (
            tuple(sorted(s)) for s in (build.reads_v, build.reads_s, build.writes_v, build.writes_s)
        )
        high_half = _high_half(line, vgprs) if line.name in _WIDE_SUMS else None
        code.append(
            Code(
                line, step, issue, reads_v, reads_s, writes_v, writes_s, line.name in _MOVES, high_half, uses_v, uses_s
            )
        )
    _link(code, reuses)
    try:
        timing = Timing(code, vgprs, chip.name)
    except DecodeError as error:
        raise EmulationError(f"kernel {kernel}: {error}") from None
    return Program(kernel, code, addresses, vgprs, agprs, chip.name, timing)


def _high_half(line: Line, agpr_base: int) -> tuple[int, int] | None:
    """The addend's high register, if no factor is read from it, and the result's."""
    target, factors, addend = line.operands[0], line.operands[2:-1], line.operands[-1]
    if addend.kind not in ("v", "a"):
        return None
    if any(factor.kind == addend.kind and factor.index == addend.index + 1 for factor in factors):
        return None
    read, written = (o.index + 1 + (agpr_base if o.kind == "a" else 0) for o in (addend, target))
    return read, written


def _link(code: list[Code], reuses: list[list[Reuse]]) -> None:
    """Find operands of matrix instructions that are read again in the same basic block before they are written."""
    targets = {c.line.target for c in code}
    alive: dict[Any, Reuse] = {}
    for number, (instruction, items) in enumerate(zip(code, reuses, strict=True)):
        if number in targets:
            alive.clear()
        for item in items:
            earlier = alive.get(item.key)
            if earlier is not None:
                earlier.for_later = item.from_earlier = True
            alive[item.key] = item
        written = set(instruction.writes_v)
        for key in [key for key, item in alive.items() if not written.isdisjoint(item.rows)]:
            del alive[key]
        if instruction.issue in ("branch", "barrier"):
            alive.clear()


def _parse(address: int, text: str, chip: Chip) -> Line:
    """One instruction in the names of the tables; a dual one has its other half as `second`."""
    if chip.lanes == 64:
        return parse_line(address, text)
    line, *rest = rdna.parse(address, text)
    line.second = rest[0] if rest else None
    return line


def _compile_dual(first: Step, line: Line, build: Build) -> Step:
    """Both halves of a dual instruction, whose first is compiled: each reads what was before."""
    half = Build(line, build.agpr_base, build.mode, build.chip)
    second, issue = compile_line(line, half)
    if issue != "valu" or len(build.writes_v) != 1 or len(half.writes_v) != 1:
        raise DecodeError(f"{line.name} cannot be half of a dual instruction")
    (row,) = build.writes_v
    overlaps = row in half.reads_v
    build.reads_v |= half.reads_v
    build.reads_s |= half.reads_s
    build.writes_v |= half.writes_v

    def step(g: Group) -> None:
        if not overlaps:
            first(g)
            second(g)
            return
        old = g.u32[row].copy()
        first(g)
        new = g.u32[row].copy()
        g.u32[row] = old
        second(g)
        g.u32[row] = new

    return step


def compile_line(line: Line, build: Build) -> tuple[Step, str]:
    """Closure and issue class of one line. Raises DecodeError if no table has it."""
    name = line.name
    control = compile_control(name, build)
    if control is not None:
        return control
    if name in SPECIAL:
        make, issue = SPECIAL[name]
        return make(build), issue
    if name in VECTOR_ROWS:
        step = compile_row(VECTOR_ROWS[name], build)
        if name.startswith("v_cmpx"):
            return _also_exec(step, build), "valu"
        return step, VECTOR_ROWS[name].issue
    if name in SCALAR_ROWS:
        return salu.compile_scalar(SCALAR_ROWS[name], build), "salu"
    if name in SCALED:
        return compile_scaled(name, build), "mfma"
    if name in TRANSPOSED:
        return compile_transposed(name, build), "lds"
    if name.startswith("buffer_atomic_"):
        return compile_buffer_atomic(name, build), "vmem"
    if name.startswith("buffer_load_") and "lds" in line.modifiers:
        return compile_direct_buffer(name, build), "vmem"
    for prefix, make_prefixed, issue in _PREFIXES:
        if name.startswith(prefix):
            return make_prefixed(name, build), issue
    raise DecodeError(f"instruction {name} is unknown")


def _also_exec(step: Step, build: Build) -> Step:
    """v_cmpx: the compare's result, written to its scalar destination, also becomes EXEC."""
    slot = build.line.operands[0].index

    def run(g: object) -> None:
        step(g)  # type: ignore[arg-type]
        g.s64[:, 63] = g.s64[:, slot // 2]  # type: ignore[attr-defined]
        g.exec_changed()  # type: ignore[attr-defined]

    return run


def _resolve(line: Line, addresses: list[int], earlier: list[Line], symbols: dict[str, int]) -> None:
    """Fill in a branch's target and turn symbol references into numbers."""
    if line.name.startswith(("s_cbranch", "s_branch")):
        operand = line.operands[0]
        if operand.kind != "imm":
            raise DecodeError(f"branch target {operand.text} is not defined")
        value = int(operand.value)
        if operand.text.startswith("0x"):
            at = bisect_left(addresses, value)
            if at >= len(addresses) or addresses[at] != value:
                raise DecodeError(f"branch target {operand.text} is not an instruction of this kernel")
            line.target = at
            return
        offset = value - 65536 if value > 32767 else value
        byte = line.address + 4 + 4 * offset
        at = bisect_left(addresses, byte)
        if at >= len(addresses) or addresses[at] != byte:
            raise DecodeError(f"branch offset {value} leads to 0x{byte:x}, which is not an instruction of this kernel")
        line.target = at
        return
    for number, operand in enumerate(line.operands):
        match = _RELOCATION.match(operand.text) if operand.kind == "label" else None
        if match is None:
            if operand.kind == "label":
                raise DecodeError(f"operand '{operand.text}' is not defined")
            continue
        symbol, half = match.groups()
        if symbol not in symbols:
            raise DecodeError(f"symbol {symbol} is not in the code object")
        # The pair of adds follows s_getpc, whose result is the address of the first add.
        origin = next(e for e in reversed(earlier) if e.name == "s_getpc_b64").address + 4
        distance = symbols[symbol] - origin
        bits = distance & 0xFFFFFFFF if half == "lo" else (distance >> 32) & 0xFFFFFFFF
        line.operands[number] = Operand("imm", value=bits, text=operand.text)
