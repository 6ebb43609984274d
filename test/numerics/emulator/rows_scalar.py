# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Scalar instructions as formulas on Python integers.

A formula gets the sources in text order, then the old destination if a line says `dst`, then SCC if it says `scc`. It
gives the result, the new SCC where it is written, or both as a tuple; `nz` stands for "SCC: the result is not zero".
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

from exact import (
    add,
    fma,
    maximum,
    maximum_number,
    minimum,
    minimum_number,
    multiply,
    rounded,
    subtract,
    to_integer,
    toward_zero,
)
from row_runner import encode
from rows_compare import FLOAT
from rows_float import whole
from rows_integer import highest, low_signed, lowest

Formula = Callable[..., Any]


def wide(bits: int) -> int:
    return (1 << bits) - 1


def overflows(total: int) -> tuple[int, bool]:
    """A signed 32-bit sum and its overflow."""
    return total, not -(2**31) <= total < 2**31


def carries(total: int) -> tuple[int, bool]:
    """An unsigned 32-bit sum and its carry or borrow."""
    return total, not 0 <= total < 2**32


def field(bits: int, signed: bool) -> Formula:
    """s_bfe: the offset is in the low bits of source 1, the width in its bits 16 to 22."""

    def compute(a: int, b: int) -> int:
        width = min(b >> 16 & 127, bits)
        part = a >> b % bits & wide(width)
        return low_signed(part, width) if signed and width else part

    return compute


def picked(choose: Callable[[int, int], int]) -> Formula:
    """Minimum or maximum; SCC: source 0 was chosen, and the sources differ."""
    return lambda a, b: (choose(a, b), a == choose(a, b) and a != b)


def halves(a_shift: int, b_shift: int) -> Formula:
    return lambda a, b: (a >> a_shift & 0xFFFF) | (b >> b_shift & 0xFFFF) << 16


def bit_set(bits: int) -> Formula:
    return lambda a, old: old | 1 << a % bits


def bit_clear(bits: int) -> Formula:
    return lambda a, old: old & ~(1 << a % bits)


def short(x: int) -> int:
    """The constant of a SOPK instruction."""
    return low_signed(x, 16)


LOGIC: dict[str, Formula] = {
    "and": lambda a, b: a & b, "or": lambda a, b: a | b, "xor": lambda a, b: a ^ b, "andn2": lambda a, b: a & ~b,
    "orn2": lambda a, b: a | ~b, "nand": lambda a, b: ~(a & b), "nor": lambda a, b: ~(a | b),
    "xnor": lambda a, b: ~(a ^ b),
}  # fmt: skip
COMPARISONS: dict[str, Formula] = {
    "eq": lambda a, b: a == b, "lg": lambda a, b: a != b, "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b, "le": lambda a, b: a <= b,
}  # fmt: skip
ROWS: dict[str, Formula] = {
    "s_mov_b32: u32 <- u32": lambda a: a,
    "s_mov_b64: u64 <- u64": lambda a: a,
    "s_cmov_b32: u32 <- u32 dst scc": lambda a, old, scc: a if scc else old,
    "s_cmov_b64: u64 <- u64 dst scc": lambda a, old, scc: a if scc else old,
    "s_brev_b32: u32 <- u32": lambda a: int(f"{a:032b}"[::-1], 2),
    "s_brev_b64: u64 <- u64": lambda a: int(f"{a:064b}"[::-1], 2),
    "s_ff0_i32_b32: i32 <- u32": lambda a: lowest(~a & wide(32)),
    "s_ff0_i32_b64: i32 <- u64": lambda a: lowest(~a & wide(64)),
    "s_ff1_i32_b32: i32 <- u32": lowest,
    "s_ff1_i32_b64: i32 <- u64": lowest,
    "s_flbit_i32_b32: i32 <- u32": highest,
    "s_flbit_i32_b64: i32 <- u64": lambda a: highest(a, 64),
    "s_flbit_i32: i32 <- i32": lambda a: highest(~a if a < 0 else a),
    "s_flbit_i32_i64: i32 <- i64": lambda a: highest(~a if a < 0 else a, 64),
    "s_sext_i32_i8: i32 <- u32": lambda a: low_signed(a, 8),
    "s_sext_i32_i16: i32 <- u32": lambda a: low_signed(a, 16),
    "s_bitset0_b32: u32 <- u32 dst": bit_clear(32),
    "s_bitset1_b32: u32 <- u32 dst": bit_set(32),
    "s_bitset0_b64: u64 <- u32 dst": bit_clear(64),
    "s_bitset1_b64: u64 <- u32 dst": bit_set(64),
    "s_add_u32: u32,scc <- u32 u32": lambda a, b: carries(a + b),
    "s_sub_u32: u32,scc <- u32 u32": lambda a, b: carries(a - b),
    "s_add_i32: i32,scc <- i32 i32": lambda a, b: overflows(a + b),
    "s_sub_i32: i32,scc <- i32 i32": lambda a, b: overflows(a - b),
    "s_addc_u32: u32,scc <- u32 u32 scc": lambda a, b, c: carries(a + b + c),
    "s_subb_u32: u32,scc <- u32 u32 scc": lambda a, b, c: carries(a - b - c),
    "s_min_i32: i32,scc <- i32 i32": picked(min),
    "s_min_u32: u32,scc <- u32 u32": picked(min),
    "s_max_i32: i32,scc <- i32 i32": picked(max),
    "s_max_u32: u32,scc <- u32 u32": picked(max),
    "s_cselect_b32: u32 <- u32 u32 scc": lambda a, b, c: a if c else b,
    "s_cselect_b64: u64 <- u64 u64 scc": lambda a, b, c: a if c else b,
    "s_bfm_b32: u32 <- u32 u32": lambda a, b: wide(a % 32) << b % 32,
    "s_bfm_b64: u64 <- u32 u32": lambda a, b: wide(a % 64) << b % 64,
    "s_mul_i32: u32 <- u32 u32": lambda a, b: a * b,
    "s_mul_hi_u32: u32 <- u32 u32": lambda a, b: a * b >> 32,
    "s_mul_hi_i32: i32 <- i32 i32": lambda a, b: a * b >> 32,
    **{
        f"s_lshl{n}_add_u32: u32,scc <- u32 u32": lambda a, b, n=n: ((a << n) + b, (a << n) + b >= 2**32)
        for n in (1, 2, 3, 4)
    },
    "s_pack_ll_b32_b16: u32 <- u32 u32": halves(0, 0),
    "s_pack_lh_b32_b16: u32 <- u32 u32": halves(0, 16),
    "s_pack_hl_b32_b16: u32 <- u32 u32": halves(16, 0),
    "s_pack_hh_b32_b16: u32 <- u32 u32": halves(16, 16),
    **{
        f"s_cmp_{name}_{kind}: scc <- {kind} {kind}": formula
        for name, formula in COMPARISONS.items() for kind in ("u32", "i32")
    },
    **{f"s_cmp_{name}_u64: scc <- u64 u64": COMPARISONS[name] for name in ("eq", "lg")},
    "s_bitcmp0_b32: scc <- u32 u32": lambda a, b: not a >> b % 32 & 1,
    "s_bitcmp1_b32: scc <- u32 u32": lambda a, b: a >> b % 32 & 1,
    "s_bitcmp0_b64: scc <- u64 u32": lambda a, b: not a >> b % 64 & 1,
    "s_bitcmp1_b64: scc <- u64 u32": lambda a, b: a >> b % 64 & 1,
}  # fmt: skip
NOT_ZERO: dict[str, Formula] = {
    "s_not_b32: u32,nz <- u32": lambda a: ~a,
    "s_not_b64: u64,nz <- u64": lambda a: ~a,
    "s_bcnt0_i32_b32: u32,nz <- u32": lambda a: 32 - a.bit_count(),
    "s_bcnt0_i32_b64: u32,nz <- u64": lambda a: 64 - a.bit_count(),
    "s_bcnt1_i32_b32: u32,nz <- u32": lambda a: a.bit_count(),
    "s_bcnt1_i32_b64: u32,nz <- u64": lambda a: a.bit_count(),
    "s_abs_i32: u32,nz <- i32": abs,
    "s_absdiff_i32: u32,nz <- i32 i32": lambda a, b: abs(a - b),
    **{
        f"s_{name}_b{bits}: u{bits},nz <- u{bits} u{bits}": formula
        for name, formula in LOGIC.items() for bits in (32, 64)
    },
    "s_lshl_b32: u32,nz <- u32 u32": lambda a, b: a << b % 32,
    "s_lshr_b32: u32,nz <- u32 u32": lambda a, b: a >> b % 32,
    "s_ashr_i32: i32,nz <- i32 u32": lambda a, b: a >> b % 32,
    "s_lshl_b64: u64,nz <- u64 u32": lambda a, b: a << b % 64,
    "s_lshr_b64: u64,nz <- u64 u32": lambda a, b: a >> b % 64,
    "s_ashr_i64: i64,nz <- i64 u32": lambda a, b: a >> b % 64,
    "s_bfe_u32: u32,nz <- u32 u32": field(32, False),
    "s_bfe_i32: i32,nz <- i32 u32": field(32, True),
    "s_bfe_u64: u64,nz <- u64 u32": field(64, False),
    "s_bfe_i64: i64,nz <- i64 u32": field(64, True),
}  # fmt: skip
CONSTANTS: dict[str, Formula] = {
    "s_movk_i32: i32 <- k": short,
    "s_cmovk_i32: i32 <- k dst scc": lambda k, old, scc: short(k) if scc else old,
    "s_addk_i32: i32,scc <- k dst": lambda k, old: overflows(old + short(k)),
    "s_mulk_i32: i32 <- k dst": lambda k, old: old * short(k),
    **{f"s_cmpk_{name}_i32: scc <- i32 k": lambda a, k, f=formula: f(a, short(k))
       for name, formula in COMPARISONS.items()},
    **{f"s_cmpk_{name}_u32: scc <- u32 k": formula for name, formula in COMPARISONS.items()},
}  # fmt: skip
DIRECTIONS: dict[str, Callable[[float], int]] = {
    "ceil": math.ceil, "floor": math.floor, "trunc": math.trunc, "rndne": round,
}  # fmt: skip
GFX12: dict[str, Formula] = {
    "s_add_nc_u64: u64 <- u64 u64": lambda a, b: a + b,
    "s_sub_nc_u64: u64 <- u64 u64": lambda a, b: a - b,
    "s_mul_u64: u64 <- u64 u64": lambda a, b: a * b,
    "s_cvt_f32_u32: f32 <- u32": lambda a: rounded(a, "f32"),
    "s_cvt_f32_i32: f32 <- i32": lambda a: rounded(a, "f32"),
    "s_cvt_u32_f32: u32 <- f32": lambda a: to_integer(a, 0, wide(32)),
    "s_cvt_i32_f32: i32 <- f32": lambda a: to_integer(a, -(2**31), 2**31 - 1),
    "s_cvt_f32_f16: f32 <- f16": lambda a: a,
    "s_cvt_f16_f32: f16 <- f32": lambda a: rounded(a, "f16"),
    "s_cvt_hi_f32_f16: f32 <- u32": lambda a: struct.unpack("<e", struct.pack("<H", a >> 16))[0],
    "s_cvt_pk_rtz_f16_f32: u32 <- f32 f32": lambda a, b: (
        encode(toward_zero(a, "f16"), "f16") | encode(toward_zero(b, "f16"), "f16") << 16
    ),
    "s_fmac_f32: f32 <- f32 f32 dst": fma("f32"),
    "s_fmac_f16: f16 <- f16 f16 dst": fma("f16"),
    **{
        f"s_{name}_{kind}: {kind} <- {kind} {kind}": make(kind)
        for kind in ("f32", "f16")
        for name, make in {
            "add": add, "sub": subtract, "mul": multiply, "min_num": lambda kind: minimum_number,
            "max_num": lambda kind: maximum_number, "minimum": lambda kind: minimum, "maximum": lambda kind: maximum,
        }.items()
    },
    **{
        f"s_{name}_{kind}: {kind} <- {kind}": whole(direction)
        for kind in ("f32", "f16")
        for name, direction in DIRECTIONS.items()
    },
    **{
        f"s_cmp_{name}_{kind}: scc <- {kind} {kind}": test
        for kind in ("f32", "f16") for name, test in FLOAT.items() if name not in ("f", "tru")
    },
}  # fmt: skip
