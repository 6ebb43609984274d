# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The table of hazards, a row a rule, for each family of chips.

Sources: AMD's instruction set guides CDNA3 and CDNA4 (manually inserted wait states) and RDNA3 and RDNA4 (data hazards,
matrix instructions), and the figures by which LLVM's AMDGPU backend inserts s_nop, v_nop and s_waitcnt_depctr: each
row names the function of GCNHazardRecognizer (LLVM 24), or the pass.

Rules of LLVM that no row has, because waves of 32 lanes or the instructions executed here do not meet them:
VALUPartialForwarding and VALUMaskWrite (waves of 64 lanes on gfx11), LdsDirect (loads of parameters), and those of
gfx10 and gfx1250. s_delay_alu is a hint: hardware waits for results of vector instructions by itself. What a later
vector instruction reads of scalar registers on gfx12 is in `sgpr_reads`.
"""

from __future__ import annotations

from collections.abc import Callable

from fovea.emulator.hazards import (
    EXEC_SLOTS,
    M0_SLOT,
    VCC_SLOTS,
    Effect,
    Hazards,
    Rule,
    Trace,
    vector_instructions,
)
from fovea.emulator.waits import NO_REGISTERS, Registers

_OVERWRITE_C = {2: 1, 4: 3, 8: 7, 16: 15}
"""Wait states before another instruction may overwrite the C operand of a matrix instruction, by passes."""
Meets = Callable[[Registers, Effect, Effect], "Registers | None"]


def _vector_part(registers: Registers) -> Registers:
    return frozenset(r for r in registers if r >= 0)


def _scalar_part(registers: Registers) -> Registers:
    return frozenset(r for r in registers if r < 0)


def _if_any(registers: Registers) -> Registers | None:
    return registers or None


def _reads(which: Callable[[Effect], bool]) -> Meets:
    """The later instruction is one of `which` and reads what the earlier one left."""
    return lambda left, origin, e: _if_any(left & e.uses) if which(e) else None


def _after(fixed: Registers, which: Callable[[Effect], bool]) -> Meets:
    """The later instruction is one of `which`, and the earlier one left some of the `fixed` registers."""
    return lambda left, origin, e: _if_any(left & fixed) if which(e) else None


def _valu(e: Effect) -> bool:
    return e.kind == "valu"


def _mfma(e: Effect) -> bool:
    return e.kind == "mfma"


def _any_vector(e: Effect) -> bool:
    return e.kind in ("valu", "mfma")


def _memory(e: Effect) -> bool:
    return e.kind in ("vmem", "lds")


# What instructions leave, on gfx942 and gfx950.


def _valu_results(e: Effect) -> Registers | None:
    return _if_any(_vector_part(e.defines)) if _valu(e) and not e.dot else None


_CDNA_TRACES = {
    "matrix result": Trace(lambda e: _if_any(e.defines) if _mfma(e) else None, 20),
    "matrix C": Trace(lambda e: _if_any(e.c) if e.matrix is not None and e.matrix.xdl else None, 15),
    "f64 matrix": Trace(lambda e: NO_REGISTERS if e.matrix is not None and e.matrix.double else None, 2),
    "vector result": Trace(_valu_results, 2),
    "dot result": Trace(lambda e: _if_any(_vector_part(e.defines)) if e.dot else None, 3),
    "transcendental result": Trace(lambda e: _if_any(_vector_part(e.defines)) if e.transcendental else None, 1),
    "shifted result": Trace(lambda e: _if_any(_vector_part(e.defines)) if e.shifts_result else None, 1),
    "scalar result": Trace(lambda e: _if_any(_scalar_part(e.defines)) if _valu(e) else None, 5),
    "compare to EXEC": Trace(lambda e: EXEC_SLOTS if e.compare_to_exec else None, 4),
    "m0": Trace(lambda e: _if_any(e.defines & M0_SLOT) if e.kind == "salu" else None, 1),
    "hardware register": Trace(lambda e: NO_REGISTERS if e.mode_register and e.lane == "set" else None, 2),
    "store data": Trace(lambda e: _if_any(e.store_data), 2),
}


# Matrix instructions: the figures depend on their passes and units.


def _longer(passes: int, gfx950: bool) -> int:
    """gfx950 needs a wait state more, but for the shortest."""
    return int(gfx950 and passes != 2)


def _used(gfx950: bool) -> Callable[[Effect, Effect], int]:
    """A vector or memory instruction reads or overwrites the result."""

    def needed(origin: Effect, e: Effect) -> int:
        timing = origin.matrix
        assert timing is not None
        if not timing.double:
            return timing.passes + (3 + _longer(timing.passes, gfx950) if timing.xdl else 2)
        reads = bool(origin.defines & e.uses)
        if timing.passes == 4:
            return 9 if reads and e.kind != "valu" else 6
        if reads and e.kind != "valu":
            return 18
        return 19 if reads and gfx950 else 11

    return needed


def _as_a_or_b(gfx950: bool) -> Callable[[Effect, Effect], int]:
    def needed(origin: Effect, e: Effect) -> int:
        timing = origin.matrix
        assert timing is not None
        if timing.double:
            return 6 if timing.passes == 4 else 19 if gfx950 else 11
        return timing.passes + (3 + _longer(timing.passes, gfx950) if timing.xdl else 2)

    return needed


def _as_c(gfx950: bool) -> Callable[[Effect, Effect], int]:
    """Accumulating into the same registers is fast; C that only overlaps the result is not."""

    def needed(origin: Effect, e: Effect) -> int:
        timing, later = origin.matrix, e.matrix
        assert timing is not None and later is not None
        if origin.defines == e.c:
            if timing.double and timing.passes == 4 and later == timing:
                return 4
            return 2 if timing.passes == 2 else 0
        if later.xdl and not timing.xdl:
            return 0
        if timing.double:
            return 4 if timing.passes == 4 else 17 if gfx950 else 9
        if not timing.xdl:
            return timing.passes
        return timing.passes + 1 + (int(gfx950) if later.xdl else _longer(timing.passes, gfx950))

    return needed


def _meets_result(left: Registers, origin: Effect, e: Effect) -> Registers | None:
    return _if_any(left & (e.uses | e.defines)) if _valu(e) or _memory(e) else None


def _meets_a_b(left: Registers, origin: Effect, e: Effect) -> Registers | None:
    return _if_any(left & e.a_b) if _mfma(e) else None


def _meets_c(left: Registers, origin: Effect, e: Effect) -> Registers | None:
    return _if_any(left & e.c) if _mfma(e) else None


def _overwrites_c(left: Registers, origin: Effect, e: Effect) -> Registers | None:
    return _if_any(left & e.defines) if _valu(e) or _memory(e) else None


def _c_passes(origin: Effect, e: Effect) -> int:
    assert origin.matrix is not None
    return _OVERWRITE_C[origin.matrix.passes]


def _other_dot(left: Registers, origin: Effect, e: Effect) -> Registers | None:
    concerned = (_valu(e) or _memory(e)) and e.dot != origin.dot
    return _if_any(left & (e.uses | e.defines)) if concerned else None


def _meets_part(left: Registers, origin: Effect, e: Effect) -> Registers | None:
    return _if_any(left & (e.uses | e.defines)) if _any_vector(e) else None


def _lane_select(left: Registers, origin: Effect, e: Effect) -> Registers | None:
    return _if_any(left & e.lane_select)


def _same_hardware_register(left: Registers, origin: Effect, e: Effect) -> Registers | None:
    return NO_REGISTERS if e.mode_register and e.mode_register == origin.mode_register else None


def _overwrites_store(left: Registers, origin: Effect, e: Effect) -> Registers | None:
    return _if_any(left & e.defines) if _any_vector(e) else None


def _m0_early(left: Registers, origin: Effect, e: Effect) -> Registers | None:
    return left if e.reads_m0_early else None


def _cdna(gfx950: bool) -> tuple[Rule, ...]:
    """Rows of gfx942, or of gfx950, whose figures of matrix instructions differ."""
    return (
        Rule("matrix result", _meets_result, _used(gfx950), "uses the result of a matrix instruction",
             "checkMAIVALUHazards"),
        Rule("matrix result", _meets_a_b, _as_a_or_b(gfx950), "A or B is the result of a matrix instruction",
             "checkMAIHazards90A"),
        Rule("matrix result", _meets_c, _as_c(gfx950), "C overlaps the result of a matrix instruction",
             "checkMAIHazards90A"),
        Rule("matrix C", _overwrites_c, _c_passes, "overwrites the C operand of a matrix instruction",
             "checkMAIVALUHazards"),
        Rule("f64 matrix", lambda left, origin, e: left if e.fma_f64 else None, 2,
             "a multiply-add of f64 follows a matrix instruction of f64", "checkMAIVALUHazards"),
        Rule("vector result", _reads(_mfma), 2, "a matrix instruction reads the result of a vector instruction",
             "checkMAIHazards90A"),
        Rule("vector result", _reads(lambda e: e.dpp), 2, "DPP reads the result of a vector instruction",
             "checkDPPHazards"),
        Rule("vector result", _reads(lambda e: e.lane == "read"), 1, "a lane is read of the result of a vector "
             "instruction", "checkVALUHazards"),
        Rule("dot result", _other_dot, 3, "uses the result of a dot product", "checkMAIVALUHazards"),
        Rule("dot result", _reads(lambda e: e.dpp), 2, "DPP reads the result of a vector instruction",
             "checkDPPHazards"),
        Rule("dot result", _reads(lambda e: e.lane == "read"), 1, "a lane is read of the result of a vector "
             "instruction", "checkVALUHazards"),
        Rule("transcendental result", _reads(lambda e: _any_vector(e) and not e.transcendental), 1,
             "reads the result of a transcendental instruction", "checkVALUHazards"),
        Rule("shifted result", _meets_part, 1, "uses a result that was written to a part of its register",
             "checkVALUHazards"),
        Rule("scalar result", _reads(lambda e: e.kind == "vmem"), 5,
             "a memory instruction reads a scalar register that a vector instruction wrote", "checkVMEMHazards"),
        Rule("scalar result", _after(EXEC_SLOTS, lambda e: e.dpp), 5, "DPP after a vector instruction wrote EXEC",
             "checkDPPHazards"),
        Rule("scalar result", _lane_select, 4, "lane select that a vector instruction wrote", "checkRWLaneHazards"),
        Rule("scalar result", _after(VCC_SLOTS, lambda e: e.div_fmas), 4,
             "v_div_fmas after a vector instruction wrote VCC", "checkDivFMasHazards"),
        Rule("scalar result", _after(EXEC_SLOTS, lambda e: _mfma(e) or e.lane in ("read", "write")), 4,
             "a matrix or lane instruction after a vector instruction wrote EXEC", "checkMAIHazards90A"),
        Rule("scalar result", _reads(_valu), 2, "reads a scalar register that a vector instruction wrote",
             "checkVALUHazards"),
        Rule("m0", _m0_early, 1, "uses m0 after a scalar instruction wrote it", "checkReadM0Hazards"),
        Rule("store data", _overwrites_store, 2, "overwrites data of a store of more than 8 bytes",
             "checkVALUHazardsHelper"),
        Rule("hardware register", _same_hardware_register, 2, "uses a hardware register after s_setreg",
             "checkSetRegHazards"),
    )  # fmt: skip


_GFX950 = (
    Rule("vector result", _reads(lambda e: e.permutes == "swap"), 2,
         "an exchange of rows reads the result of a vector instruction", "checkPermlaneHazards"),
    Rule("dot result", _reads(lambda e: e.permutes == "swap"), 2,
         "an exchange of rows reads the result of a vector instruction", "checkPermlaneHazards"),
    Rule("compare to EXEC", lambda left, origin, e: left if e.permutes == "swap" else None, 4,
         "an exchange of rows after v_cmpx", "checkPermlaneHazards"),
)  # fmt: skip

# gfx11 and gfx12: what counts is vector instructions.


def _issues_memory(e: Effect) -> bool:
    """Memory instructions wait for the results of vector instructions themselves."""
    return _memory(e) or "va_vdst" in e.awaited


_RDNA_TRACES = {
    "matrix result": Trace(
        lambda e: _if_any(e.defines) if _mfma(e) else None, 1, vector_instructions, unit="vector instructions (v_nop)"
    ),
    "memory instruction": Trace(lambda e: NO_REGISTERS if e.kind == "vmem" else None, 1),
    # v_nop never reaches the unit that the hazard is in.
    "compare to EXEC": Trace(
        lambda e: EXEC_SLOTS if e.compare_to_exec else None, 1, lambda e: int(_any_vector(e)),
        unit="vector instructions other than v_nop",
    ),
}  # fmt: skip
_RDNA = (
    Rule("matrix result", _meets_a_b, 1, "A or B is the result of a matrix instruction", "fixWMMAHazards"),
    Rule("compare to EXEC", lambda left, origin, e: left if e.permutes == "rows" else None, 1,
         "a permutation of rows after v_cmpx", "fixVcmpxPermlaneHazards"),
    Rule("memory instruction", lambda left, origin, e: left if e.deallocates else None, 1,
         "registers are given back right after a memory instruction", "SIInsertWaitcnts"),
)  # fmt: skip
_GFX1100_TRACES = {
    "transcendental result": Trace(
        lambda e: _if_any(_vector_part(e.defines)) if e.transcendental else None, 6, vector_instructions,
        _issues_memory, 2, "vector instructions",
    ),
}  # fmt: skip
_GFX1100 = (
    Rule("transcendental result", _reads(_any_vector), 6, "reads the result of a transcendental instruction",
         "fixVALUTransUseHazard", " (or two transcendental ones, or s_waitcnt_depctr depctr_va_vdst(0))"),
)  # fmt: skip


def _table(traces: dict[str, Trace], rows: tuple[Rule, ...]) -> Hazards:
    rules = {name: tuple(rule for rule in rows if rule.trace == name) for name in traces}
    return Hazards({name: trace for name, trace in traces.items() if rules[name]}, rules)


CHIPS = {
    "gfx942": _table(_CDNA_TRACES, _cdna(gfx950=False)),
    "gfx950": _table(_CDNA_TRACES, (*_cdna(gfx950=True), *_GFX950)),
    "gfx1100": _table({**_RDNA_TRACES, **_GFX1100_TRACES}, (*_RDNA, *_GFX1100)),
    "gfx1200": _table(_RDNA_TRACES, _RDNA),
    "gfx1201": _table(_RDNA_TRACES, _RDNA),
}
