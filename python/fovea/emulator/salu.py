# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Scalar instructions (one table): one value a wave, computed for all waves of the group at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.emulator.carry import add_carry_out, add_with_carry, subtract_with_borrow
from fovea.emulator.errors import DecodeError
from fovea.emulator.group import Group
from fovea.emulator.operands import APERTURES, NUMPY, Build, Getter, Step, flush
from fovea.emulator.text import EXEC, Operand
from fovea.emulator.valu_integer import find_high, reverse_bits

U32, U64, I32, I64 = np.uint32, np.uint64, np.int32, np.int64
_TYPES = {**NUMPY, "b32": U32, "b64": U64, "scc": np.bool_}
_SIZE = {"u32": 1, "i32": 1, "b32": 1, "f32": 1, "f16": 1, "u64": 2, "i64": 2, "b64": 2}


@dataclass(frozen=True)
class ScalarRow:
    """Result kind ("" for compares), source kinds, function, and how SCC is set.

    `scc`: "" unchanged, "nz" result is not zero, "out" the function returns (result, scc), "only" it returns scc.
    Source kind `scc` is implicit; `dst` is the destination's old value.
    """

    name: str
    result: str
    sources: tuple[str, ...]
    function: Callable[..., Any]
    scc: str = ""
    issue: str = "salu"


def scalar_rows(text: str, function: Callable[..., Any], scc: str = "") -> list[ScalarRow]:
    """Rows from `"name: result <- source source"`, one function for all lines."""
    made = []
    for line in text.strip().splitlines():
        name, _, signature = line.partition(":")
        result, _, sources = signature.partition("<-")
        made.append(ScalarRow(name.strip(), result.strip(), tuple(sources.split()), function, scc))
    return made


def scalar_source(build: Build, operand: Operand, kind: str) -> Getter:
    """Reader of a scalar operand as `(wave,)`."""
    dtype = _TYPES[kind]
    size = _SIZE[kind]
    if kind == "f16":
        return _half_source(build, operand)
    if operand.kind == "s":
        slot = build.scalar(operand, size)
        if size == 2:
            return lambda g: g.s64[:, slot // 2].view(dtype)
        return lambda g: g.s[:, slot].view(dtype)
    if operand.kind == "imm":
        bits = operand.bits("f64" if size == 2 and operand.is_float else "u32" if size == 1 else "u64")
        value: Any = np.array([bits & ((1 << 32 * size) - 1)], U64 if size == 2 else U32).view(dtype)
        return lambda g: value
    if operand.text == "null":
        nothing: Any = np.zeros(1, dtype)
        return lambda g: nothing
    if operand.text in APERTURES:
        value = np.array([APERTURES[operand.text]], U64).view(dtype)[:1]
        return lambda g: value
    if operand.kind == "special":
        flags = {
            "scc": lambda g: g.scc.astype(dtype),
            "vccz": lambda g: (g.s64[:, 53] == 0).astype(dtype),
            "execz": lambda g: (g.s64[:, 63] == 0).astype(dtype),
        }
        if operand.text in flags:
            return flags[operand.text]
    raise DecodeError(f"operand '{operand.text}' cannot be read by a scalar instruction")


def _half_source(build: Build, operand: Operand) -> Getter:
    """Reader of the low half of a register, or of a constant, as f16."""
    if operand.kind == "imm":
        constant: Any = np.array([operand.bits("f16") & 0xFFFF], np.uint16).view(np.float16)
        return lambda g: constant
    get = scalar_source(build, operand, "u32")
    return lambda g: get(g).astype(np.uint16).view(np.float16)


def scalar_destination(build: Build, operand: Operand, size: int) -> Callable[[Group, Any], None]:
    """Writer of a scalar destination of `size` registers."""
    if operand.text == "null":
        return lambda g, value: None
    slot = build.scalar(operand, size, write=True)
    touches_exec = slot + size > EXEC

    def write(g: Group, value: Any) -> None:
        if size == 2:
            g.s64[:, slot // 2] = np.asarray(value).view(U64) if np.ndim(value) else value
        else:
            g.s[:, slot] = np.asarray(value).view(U32) if np.ndim(value) else value
        if touches_exec:
            g.exec_changed()

    return write


def compile_scalar(row: ScalarRow, build: Build) -> Step:
    """Closure that executes one scalar instruction on a group."""
    operands = list(build.line.operands)
    target = operands.pop(0) if row.result else None
    getters: list[Getter] = []
    for kind in row.sources:
        if kind == "scc":
            getters.append(lambda g: g.scc)
        elif kind == "dst":
            assert target is not None
            getters.append(scalar_source(build, target, row.result))
        elif not operands:
            raise DecodeError(f"{row.name} has too few operands")
        else:
            getters.append(scalar_source(build, operands.pop(0), kind))
    if operands:
        raise DecodeError(f"{row.name} has too many operands")
    for number, kind in enumerate(row.sources):
        if build.flushes(kind):
            getters[number] = _flushed(getters[number])
    function, scc = row.function, row.scc
    if scc == "only":

        def compare(g: Group) -> None:
            g.scc[:] = function(*[get(g) for get in getters])

        return compare
    assert target is not None
    write = scalar_destination(build, target, _SIZE[row.result])
    if scc == "out":

        def both(g: Group) -> None:
            value, flag = function(*[get(g) for get in getters])
            write(g, value)
            g.scc[:] = flag

        return both

    def plain(g: Group) -> None:
        value = function(*[get(g) for get in getters])
        if scc == "nz":
            g.scc[:] = value != 0
        write(g, value)

    def floating(g: Group) -> None:
        value = function(*[get(g) for get in getters])
        value = flush(value) if flushes else value
        write(g, value.view(np.uint16).astype(U32) if row.result == "f16" else value)

    flushes = build.flushes(row.result)
    return floating if row.result in ("f16", "f32") else plain


def _flushed(get: Getter) -> Getter:
    return lambda g: flush(get(g))


def _short(a: Any) -> Any:
    """The 16-bit constant of a SOPK instruction, sign-extended."""
    return a.astype(np.int16).astype(I32)


def _signed(operation: Any) -> Any:
    def compute(a: Any, b: Any) -> Any:
        wide = operation(a.astype(I64), b.astype(I64))
        return wide.astype(I32), wide != wide.astype(I32)

    return compute


def _shift(operation: Any, bits: int) -> Any:
    return lambda a, b: operation(a, (b & b.dtype.type(bits - 1)).astype(a.dtype))


def _shift_add(amount: int) -> Any:
    def compute(a: Any, b: Any) -> Any:
        total = (a.astype(U64) << U64(amount)) + b
        return total.astype(U32), total > U64(0xFFFFFFFF)

    return compute


def _field(kind: Any, bits: int) -> Any:
    """s_bfe: source 1 holds the offset (low bits) and the width (bits 16-22)."""
    wide_signed = np.dtype(kind).kind == "i"

    def compute(a: Any, b: Any) -> Any:
        offset = (b & U32(bits - 1)).astype(U64)
        width = np.minimum((b >> U32(16)) & U32(0x7F), U32(bits)).astype(U64)
        # An arithmetic shift for the signed forms: bits above the register are copies of the sign.
        raw = (a.astype(I64) >> offset.astype(I64)).view(U64) if wide_signed else a.astype(U64) >> offset
        ones = np.where(width >= 64, U64(2**64 - 1), (U64(1) << (width & U64(63))) - U64(1))
        part = raw & ones
        if wide_signed:
            up = (U64(64) - width) & U64(63)
            part = np.where(width == 0, U64(0), ((part << up).view(I64) >> up.astype(I64)).view(U64))
        return part.astype(U32) if bits == 32 else part

    return compute


def _min_max(operation: Any, picked: Any) -> Any:
    return lambda a, b: (operation(a, b), picked(a, b))


def _lowest(a: Any) -> Any:
    lowest = a & (~a + a.dtype.type(1))
    return np.where(a == 0, U32(0xFFFFFFFF), np.bitwise_count(lowest - a.dtype.type(1)).astype(U32))


def _leading64(a: Any) -> Any:
    high, low = (a >> U64(32)).astype(U32), a.astype(U32)
    return np.where(high != 0, find_high(high), np.where(low != 0, find_high(low) + U32(32), U32(0xFFFFFFFF)))


def _reverse64(a: Any) -> Any:
    low, high = reverse_bits(a.astype(U32)), reverse_bits((a >> U64(32)).astype(U32))
    return (low.astype(U64) << U64(32)) | high


def _pack_halves(a_shift: int, b_shift: int) -> Any:
    low = U32(0xFFFF)
    return lambda a, b: ((a >> U32(a_shift)) & low) | (((b >> U32(b_shift)) & low) << U32(16))


def _bitset(value: int, bits: int) -> Any:
    kind = U32 if bits == 32 else U64

    def compute(a: Any, old: Any) -> Any:
        one = kind(1) << (a & U32(bits - 1)).astype(kind)
        return old | one if value else old & ~one

    return compute


_LOGIC: dict[str, Any] = {
    "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor, "andn2": lambda a, b: a & ~b,
    "orn2": lambda a, b: a | ~b, "nand": lambda a, b: ~(a & b), "nor": lambda a, b: ~(a | b),
    "xnor": lambda a, b: ~(a ^ b),
}  # fmt: skip
_COMPARE = {
    "eq": np.equal, "lg": np.not_equal, "gt": np.greater, "ge": np.greater_equal, "lt": np.less, "le": np.less_equal,
}  # fmt: skip

TABLE: list[ScalarRow] = [
    *scalar_rows("s_mov_b32: b32 <- b32\n s_mov_b64: b64 <- b64", lambda a: a),
    *scalar_rows("s_movk_i32: i32 <- i32", _short),
    *scalar_rows("s_cmov_b32: b32 <- b32 dst scc\n s_cmov_b64: b64 <- b64 dst scc", lambda a, d, c: np.where(c, a, d)),
    *scalar_rows("s_cmovk_i32: i32 <- i32 dst scc", lambda a, d, c: np.where(c, _short(a), d)),
    *scalar_rows("s_not_b32: b32 <- b32\n s_not_b64: b64 <- b64", np.invert, "nz"),
    *scalar_rows("s_bcnt0_i32_b32: b32 <- b32\n s_bcnt0_i32_b64: b32 <- b64",
           lambda a: np.bitwise_count(~a).astype(U32), "nz"),
    *scalar_rows("s_brev_b32: b32 <- b32", reverse_bits),
    *scalar_rows("s_brev_b64: b64 <- b64", _reverse64),
    *scalar_rows("s_ff0_i32_b32: b32 <- b32\n s_ff0_i32_b64: b32 <- b64", lambda a: _lowest(~a)),
    *scalar_rows("s_flbit_i32_i64: b32 <- i64", lambda a: _leading64(np.where(a < 0, ~a, a).astype(U64))),
    *scalar_rows("s_bcnt1_i32_b32: b32 <- b32\n s_bcnt1_i32_b64: b32 <- b64",
           lambda a: np.bitwise_count(a).astype(U32), "nz"),
    *scalar_rows("s_ff1_i32_b32: b32 <- b32\n s_ff1_i32_b64: b32 <- b64", _lowest),
    *scalar_rows("s_flbit_i32_b32: b32 <- b32", find_high),
    *scalar_rows("s_flbit_i32_b64: b32 <- b64", _leading64),
    *scalar_rows("s_flbit_i32: b32 <- i32", lambda a: find_high(np.where(a < 0, ~a, a).astype(U32))),
    *scalar_rows("s_sext_i32_i8: b32 <- b32", lambda a: a.astype(np.int8).astype(I32)),
    *scalar_rows("s_sext_i32_i16: b32 <- b32", lambda a: a.astype(np.int16).astype(I32)),
    *scalar_rows("s_abs_i32: i32 <- i32", np.abs, "nz"),
    *scalar_rows("s_bitset0_b32: b32 <- b32 dst", _bitset(0, 32)),
    *scalar_rows("s_bitset1_b32: b32 <- b32 dst", _bitset(1, 32)),
    *scalar_rows("s_bitset0_b64: b64 <- b32 dst", _bitset(0, 64)),
    *scalar_rows("s_bitset1_b64: b64 <- b32 dst", _bitset(1, 64)),
    *scalar_rows("s_add_u32: u32 <- u32 u32", add_carry_out, "out"),
    *scalar_rows("s_sub_u32: u32 <- u32 u32", lambda a, b: (a - b, a < b), "out"),
    *scalar_rows("s_add_i32: i32 <- i32 i32", _signed(np.add), "out"),
    *scalar_rows("s_sub_i32: i32 <- i32 i32", _signed(np.subtract), "out"),
    *scalar_rows("s_addc_u32: u32 <- u32 u32 scc", add_with_carry, "out"),
    *scalar_rows("s_subb_u32: u32 <- u32 u32 scc", subtract_with_borrow, "out"),
    *scalar_rows("s_addk_i32: i32 <- dst i32", lambda d, a: _signed(np.add)(d, _short(a)), "out"),
    *scalar_rows("s_mulk_i32: i32 <- dst i32", lambda d, a: d * _short(a)),
    *scalar_rows("s_absdiff_i32: i32 <- i32 i32", lambda a, b: np.abs(a.astype(I64) - b).astype(I32), "nz"),
    *scalar_rows("s_min_i32: i32 <- i32 i32\n s_min_u32: u32 <- u32 u32", _min_max(np.minimum, np.less), "out"),
    *scalar_rows("s_max_i32: i32 <- i32 i32\n s_max_u32: u32 <- u32 u32", _min_max(np.maximum, np.greater), "out"),
    *scalar_rows("s_cselect_b32: b32 <- b32 b32 scc\n s_cselect_b64: b64 <- b64 b64 scc",
           lambda a, b, c: np.where(c, a, b)),
    *[row for name, f in _LOGIC.items() for bits in (32, 64)
      for row in scalar_rows(f"s_{name}_b{bits}: b{bits} <- b{bits} b{bits}", f, "nz")],
    *scalar_rows("s_lshl_b32: b32 <- b32 u32", _shift(np.left_shift, 32), "nz"),
    *scalar_rows("s_lshr_b32: b32 <- b32 u32", _shift(np.right_shift, 32), "nz"),
    *scalar_rows("s_ashr_i32: i32 <- i32 u32", _shift(np.right_shift, 32), "nz"),
    *scalar_rows("s_lshl_b64: b64 <- b64 u32", _shift(np.left_shift, 64), "nz"),
    *scalar_rows("s_lshr_b64: b64 <- b64 u32", _shift(np.right_shift, 64), "nz"),
    *scalar_rows("s_ashr_i64: i64 <- i64 u32", _shift(np.right_shift, 64), "nz"),
    *scalar_rows("s_bfm_b32: b32 <- u32 u32", lambda a, b: ((U32(1) << (a & U32(31))) - U32(1)) << (b & U32(31))),
    *scalar_rows("s_bfm_b64: b64 <- u32 u32", lambda a, b: ((U64(1) << (a & U32(63)).astype(U64)) - U64(1))
           << (b & U32(63)).astype(U64)),
    *scalar_rows("s_mul_i32: u32 <- u32 u32", np.multiply),
    *scalar_rows("s_mul_hi_u32: u32 <- u32 u32", lambda a, b: ((a.astype(U64) * b) >> U64(32)).astype(U32)),
    *scalar_rows("s_mul_hi_i32: i32 <- i32 i32", lambda a, b: ((a.astype(I64) * b) >> I64(32)).astype(I32)),
    *[row for n in (1, 2, 3, 4) for row in scalar_rows(f"s_lshl{n}_add_u32: u32 <- u32 u32", _shift_add(n), "out")],
    *scalar_rows("s_bfe_u32: u32 <- u32 u32", _field(U32, 32), "nz"),
    *scalar_rows("s_bfe_i32: u32 <- i32 u32", _field(I32, 32), "nz"),
    *scalar_rows("s_bfe_u64: u64 <- u64 u32", _field(U64, 64), "nz"),
    *scalar_rows("s_bfe_i64: u64 <- i64 u32", _field(I64, 64), "nz"),
    *scalar_rows("s_pack_ll_b32_b16: b32 <- b32 b32", _pack_halves(0, 0)),
    *scalar_rows("s_pack_lh_b32_b16: b32 <- b32 b32", _pack_halves(0, 16)),
    *scalar_rows("s_pack_hl_b32_b16: b32 <- b32 b32", _pack_halves(16, 0)),
    *scalar_rows("s_pack_hh_b32_b16: b32 <- b32 b32", _pack_halves(16, 16)),
    *[row for name, f in _COMPARE.items() for kind in ("u32", "i32")
      for row in scalar_rows(f"s_cmp_{name}_{kind}: <- {kind} {kind}", f, "only")],
    *[row for name, f in _COMPARE.items()
      for row in scalar_rows(f"s_cmpk_{name}_i32: <- i32 i32", lambda a, b, f=f: f(a, _short(b)), "only")],
    *[row for name, f in _COMPARE.items() for row in scalar_rows(f"s_cmpk_{name}_u32: <- u32 u32", f, "only")],
    *scalar_rows("s_cmp_eq_u64: <- u64 u64", np.equal, "only"),
    *scalar_rows("s_cmp_lg_u64: <- u64 u64", np.not_equal, "only"),
    *scalar_rows("s_bitcmp0_b32: <- u32 u32", lambda a, b: ((a >> (b & U32(31))) & U32(1)) == 0, "only"),
    *scalar_rows("s_bitcmp1_b32: <- u32 u32", lambda a, b: ((a >> (b & U32(31))) & U32(1)) == 1, "only"),
    *scalar_rows("s_bitcmp0_b64: <- u64 u32", lambda a, b: ((a >> (b & U32(63)).astype(U64)) & U64(1)) == 0, "only"),
    *scalar_rows("s_bitcmp1_b64: <- u64 u32", lambda a, b: ((a >> (b & U32(63)).astype(U64)) & U64(1)) == 1, "only"),
]  # fmt: skip

_OF_EXEC: dict[str, Any] = {
    "and": lambda s, e: s & e, "or": lambda s, e: s | e, "xor": lambda s, e: s ^ e, "andn2": lambda s, e: s & ~e,
    "orn2": lambda s, e: s | ~e, "nand": lambda s, e: ~(s & e), "nor": lambda s, e: ~(s | e),
    "xnor": lambda s, e: ~(s ^ e), "andn1": lambda s, e: ~s & e, "orn1": lambda s, e: ~s | e,
}  # fmt: skip


def _change_exec(operation: Any, bits: int, saves: bool) -> Callable[[Build], Step]:
    """s_OP_saveexec: the old EXEC goes to the destination, OP(source, EXEC) becomes EXEC, SCC: any set.

    s_OP_wrexec: the new EXEC goes to the destination, too. Waves of 32 lanes have the forms of 32 bits.
    """

    def compile_it(build: Build) -> Step:
        source = scalar_source(build, build.line.operands[1], f"b{bits}")
        write = scalar_destination(build, build.line.operands[0], bits // 32)

        def step(g: Group) -> None:
            mask = g.s64[:, EXEC // 2] if bits == 64 else g.s[:, EXEC]
            old = mask.copy()
            new = operation(source(g), old)
            write(g, old if saves else new)
            mask[:] = new
            g.scc[:] = mask != 0
            g.exec_changed()

        return step

    return compile_it


SPECIAL = {
    **{
        f"s_{name}_saveexec_b{bits}": _change_exec(operation, bits, True)
        for name, operation in _OF_EXEC.items()
        for bits in (32, 64)
    },
    **{
        f"s_{name}_wrexec_b{bits}": _change_exec(_OF_EXEC[name], bits, False)
        for name in ("andn1", "andn2")
        for bits in (32, 64)
    },
}
