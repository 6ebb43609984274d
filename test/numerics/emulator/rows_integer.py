# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Integer, bit and move instructions as formulas on Python integers; results count modulo the width."""

from __future__ import annotations

from typing import Any

from row_runner import Case, cases, each, on

M24 = (1 << 24) - 1


def low_signed(x: int, bits: int) -> int:
    """The low bits as a signed number."""
    x &= (1 << bits) - 1
    return x - (1 << bits) if x >> bits - 1 else x


def field(x: int, offset: int, width: int) -> int:
    return x >> (offset & 31) & (1 << (width & 31)) - 1


def signed_field(x: int, offset: int, width: int) -> int:
    return low_signed(field(x, offset, width), width & 31) if width & 31 else 0


def picked_bytes(a: int, b: int, selector: int) -> int:
    """V_PERM_B32: bytes of {a, b}; 8 .. 11 signs of bytes 1, 3, 5, 7; 12 zero; above 0xff."""
    data = (a << 32 | b).to_bytes(8, "little")
    out = []
    for pick in selector.to_bytes(4, "little"):
        if pick < 8:
            out.append(data[pick])
        elif pick < 12:
            out.append(255 * (data[2 * pick - 15] >> 7))
        else:
            out.append(0 if pick == 12 else 255)
    return int.from_bytes(bytes(out), "little")


def parts(x: int, bits: int, signed: bool, count: int) -> list[int]:
    """A register as `count` integers of `bits` bits."""
    raw = [x >> bits * i & (1 << bits) - 1 for i in range(count)]
    return [low_signed(y, bits) for y in raw] if signed else raw


def dot(bits: int, signed: bool) -> Any:
    def compute(a: int, b: int, c: int) -> int:
        count = 32 // bits
        return sum(x * y for x, y in zip(parts(a, bits, signed, count), parts(b, bits, signed, count), strict=True)) + c

    return compute


def carries(total: int) -> tuple[int, bool]:
    """(sum, carry out) of unsigned 32-bit numbers; a negative total borrows."""
    return total % 2**32, not 0 <= total < 2**32


def multiply_add(signed: bool) -> Any:
    """The 64-bit sum; the mask is bit 64 of the sum taken as 65 bits, for a signed one the overflow."""

    def compute(a: int, b: int, c: int) -> tuple[int, bool]:
        total = a * b + c
        if signed:
            return total % 2**64, not -(2**63) <= total < 2**63
        return total % 2**64, total >= 2**64

    return compute


def highest(x: int, bits: int = 32) -> int:
    """Zeros above the highest set bit; all ones if none is set."""
    return bits - x.bit_length() if x else -1


def lowest(x: int) -> int:
    return (x & -x).bit_length() - 1 if x else -1


WORDS: dict[str, Any] = {
    "v_mov_b32: u32 <- u32": lambda a: a,
    "v_mov_b64: u64 <- u64": lambda a: a,
    "v_not_b32: u32 <- u32": lambda a: ~a,
    "v_bfrev_b32: u32 <- u32": lambda a: int(f"{a:032b}"[::-1], 2),
    "v_ffbh_u32: u32 <- u32": highest,
    "v_ffbh_i32: u32 <- i32": lambda a: highest(~a if a < 0 else a),
    "v_ffbl_b32: u32 <- u32": lowest,
    "v_add_u32: u32 <- u32 u32": lambda a, b: a + b,
    "v_sub_u32: u32 <- u32 u32": lambda a, b: a - b,
    "v_subrev_u32: u32 <- u32 u32": lambda a, b: b - a,
    "v_add_i32: i32 <- i32 i32": lambda a, b: a + b,
    "v_sub_i32: i32 <- i32 i32": lambda a, b: a - b,
    "v_add_co_u32: u32,mask <- u32 u32": lambda a, b: carries(a + b),
    "v_sub_co_u32: u32,mask <- u32 u32": lambda a, b: carries(a - b),
    "v_subrev_co_u32: u32,mask <- u32 u32": lambda a, b: carries(b - a),
    "v_addc_co_u32: u32,mask <- u32 u32 mask": lambda a, b, c: carries(a + b + c),
    "v_subb_co_u32: u32,mask <- u32 u32 mask": lambda a, b, c: carries(a - b - c),
    "v_subbrev_co_u32: u32,mask <- u32 u32 mask": lambda a, b, c: carries(b - a - c),
    "v_mul_lo_u32: u32 <- u32 u32": lambda a, b: a * b,
    "v_mul_hi_u32: u32 <- u32 u32": lambda a, b: a * b >> 32,
    "v_mul_hi_i32: i32 <- i32 i32": lambda a, b: a * b >> 32,
    "v_mul_u32_u24: u32 <- u32 u32": lambda a, b: (a & M24) * (b & M24),
    "v_mul_hi_u32_u24: u32 <- u32 u32": lambda a, b: (a & M24) * (b & M24) >> 32,
    "v_mul_i32_i24: i32 <- i32 i32": lambda a, b: low_signed(a, 24) * low_signed(b, 24),
    "v_mul_hi_i32_i24: i32 <- i32 i32": lambda a, b: low_signed(a, 24) * low_signed(b, 24) >> 32,
    "v_mad_u32_u24: u32 <- u32 u32 u32": lambda a, b, c: (a & M24) * (b & M24) + c,
    "v_mad_i32_i24: i32 <- i32 i32 i32": lambda a, b, c: low_signed(a, 24) * low_signed(b, 24) + c,
    "v_mad_u64_u32: u64,mask <- u32 u32 u64": multiply_add(False),
    "v_mad_i64_i32: i64,mask <- i32 i32 i64": multiply_add(True),
    "v_lshl_add_u32: u32 <- u32 u32 u32": lambda a, b, c: (a << b % 32) + c,
    "v_add_lshl_u32: u32 <- u32 u32 u32": lambda a, b, c: (a + b) << c % 32,
    "v_add3_u32: u32 <- u32 u32 u32": lambda a, b, c: a + b + c,
    "v_lshl_or_b32: u32 <- u32 u32 u32": lambda a, b, c: a << b % 32 | c,
    "v_and_or_b32: u32 <- u32 u32 u32": lambda a, b, c: a & b | c,
    "v_or3_b32: u32 <- u32 u32 u32": lambda a, b, c: a | b | c,
    "v_xad_u32: u32 <- u32 u32 u32": lambda a, b, c: (a ^ b) + c,
    "v_bfe_u32: u32 <- u32 u32 u32": field,
    "v_bfe_i32: i32 <- i32 u32 u32": signed_field,
    "v_bfi_b32: u32 <- u32 u32 u32": lambda a, b, c: a & b | ~a & c,
    "v_bfm_b32: u32 <- u32 u32": lambda a, b: (1 << a % 32) - 1 << b % 32,
    "v_alignbit_b32: u32 <- u32 u32 u32": lambda a, b, c: (a << 32 | b) >> c % 32,
    "v_alignbyte_b32: u32 <- u32 u32 u32": lambda a, b, c: (a << 32 | b) >> 8 * (c % 4),
    "v_and_b32: u32 <- u32 u32": lambda a, b: a & b,
    "v_or_b32: u32 <- u32 u32": lambda a, b: a | b,
    "v_xor_b32: u32 <- u32 u32": lambda a, b: a ^ b,
    "v_xnor_b32: u32 <- u32 u32": lambda a, b: ~(a ^ b),
    "v_lshlrev_b32: u32 <- u32 u32": lambda a, b: b << a % 32,
    "v_lshrrev_b32: u32 <- u32 u32": lambda a, b: b >> a % 32,
    "v_ashrrev_i32: i32 <- u32 i32": lambda a, b: b >> a % 32,
    "v_lshlrev_b64: u64 <- u32 u64": lambda a, b: b << a % 64,
    "v_lshrrev_b64: u64 <- u32 u64": lambda a, b: b >> a % 64,
    "v_ashrrev_i64: i64 <- u32 i64": lambda a, b: b >> a % 64,
    "v_sad_u32: u32 <- u32 u32 u32": lambda a, b, c: abs(a - b) + c,
    "v_bcnt_u32_b32: u32 <- u32 u32": lambda a, b: a.bit_count() + b,
    "v_cndmask_b32: u32 <- u32 u32 mask": lambda a, b, c: b if c else a,
    "v_dot4_i32_i8: i32 <- u32 u32 i32": dot(8, True),
    "v_dot4_u32_u8: u32 <- u32 u32 u32": dot(8, False),
    "v_dot8_i32_i4: i32 <- u32 u32 i32": dot(4, True),
    "v_dot8_u32_u4: u32 <- u32 u32 u32": dot(4, False),
    "v_dot2_i32_i16: i32 <- u32 u32 i32": dot(16, True),
    "v_dot2_u32_u16: u32 <- u32 u32 u32": dot(16, False),
    "v_mad_u32_u16: u32 <- u16 u16 u32": lambda a, b, c: a * b + c,
    "v_mad_i32_i16: i32 <- i16 i16 i32": lambda a, b, c: a * b + c,
}
EXTREMES: dict[str, Any] = {
    "v_min_T: T <- T T": lambda kind: min,
    "v_max_T: T <- T T": lambda kind: max,
    "v_min3_T: T <- T T T": lambda kind: min,
    "v_max3_T: T <- T T T": lambda kind: max,
    "v_med3_T: T <- T T T": lambda kind: lambda a, b, c: sorted((a, b, c))[1],
}
HALVES: dict[str, Any] = {
    "add_T: pT <- pT pT": lambda a, b: a + b,
    "sub_T: pT <- pT pT": lambda a, b: a - b,
    "mad_T: pT <- pT pT pT": lambda a, b, c: a * b + c,
}
BITS16: dict[str, Any] = {
    "v_subrev_u16: u16 <- u16 u16": lambda a, b: b - a,
    "v_mul_lo_u16: u16 <- u16 u16": lambda a, b: a * b,
    "v_mad_legacy_u16: u16 <- u16 u16 u16": lambda a, b, c: a * b + c,
    "v_lshlrev_b16: u16 <- u16 u16": lambda a, b: b << a % 16,
    "v_lshrrev_b16: u16 <- u16 u16": lambda a, b: b >> a % 16,
    "v_ashrrev_i16: i16 <- u16 i16": lambda a, b: b >> a % 16,
    "v_pk_mul_lo_u16: pk_u16 <- pk_u16 pk_u16": lambda a, b: a * b,
    "v_pk_lshlrev_b16: pk_u16 <- pk_u16 pk_u16": lambda a, b: b << a % 16,
    "v_pk_lshrrev_b16: pk_u16 <- pk_u16 pk_u16": lambda a, b: b >> a % 16,
    "v_pk_ashrrev_i16: pk_i16 <- pk_u16 pk_i16": lambda a, b: b >> a % 16,
    **{
        f"v_pk_{name}_{kind}: pk_{kind} <- pk_{kind} pk_{kind}": operation
        for kind in ("u16", "i16") for name, operation in (("min", min), ("max", max))
    },
}  # fmt: skip
def saturated(low: int, high: int) -> Any:
    """v_ashr_pk: both sources shifted right and saturated to bytes."""
    return lambda a, b, s: sum((min(max(x >> s % 32, low), high) & 255) << 8 * n for n, x in enumerate((a, b)))


def for_any(formula: Any) -> Any:
    """The same formula for all kinds."""
    return lambda kind: formula


GFX950: dict[str, Any] = {
    "v_ashr_pk_i8_i32: u16 <- i32 i32 u32": saturated(-128, 127),
    "v_ashr_pk_u8_i32: u16 <- i32 i32 u32": saturated(0, 255),
}
GFX12: dict[str, Any] = {
    "v_mov_b16: u16 <- u16": lambda a: a,
    "v_and_b16: u16 <- u16 u16": lambda a, b: a & b,
    "v_or_b16: u16 <- u16 u16": lambda a, b: a | b,
    "v_xor_b16: u16 <- u16 u16": lambda a, b: a ^ b,
    "v_not_b16: u16 <- u16": lambda a: ~a,
    "v_cndmask_b16: u16 <- u16 u16 mask": lambda a, b, c: b if c else a,
    "v_cvt_u32_u16: u32 <- u16": lambda a: a,
    "v_cvt_i32_i16: i32 <- i16": lambda a: a,
    "v_xor3_b32: u32 <- u32 u32 u32": lambda a, b, c: a ^ b ^ c,
    "v_sat_pk_u8_i16: u16 <- 2i16": lambda x: sum(min(max(part, 0), 255) << 8 * n for n, part in enumerate(x)),
    **{
        f"v_{name}_{kind}: {kind} <- {kind} {kind} {kind}": formula
        for kind in ("u32", "i32")
        for name, formula in (
            ("minmax", lambda a, b, c: max(min(a, b), c)), ("maxmin", lambda a, b, c: min(max(a, b), c)),
        )
    },
}
CASES: list[Case] = [
    *cases(WORDS),
    # Selectors up to 15 cover all that V_PERM_B32 tells apart.
    *cases({"v_perm_b32: u32 <- u32 u32 4u8": lambda a, b, c: picked_bytes(a, b, int.from_bytes(bytes(c), "little"))},
           limits=((2, 0, 15),)),
    *cases({"v_lshl_add_u64: u64 <- u64 u32 u64": lambda a, b, c: (a << b) + c}, limits=((1, 0, 4),)),
    # op_sel's defaults: the low result is the low half of source 0, the high one that of source 1.
    *cases({"v_pk_mov_b32: 2u32 <- 2u32 2u32": lambda a, b: (a[0], b[0])}),
    *cases({"v_dot4c_i32_i8: i32 <- u32 u32 i32": dot(8, True), "v_dot8c_i32_i4: i32 <- u32 u32 i32": dot(4, True),
            "v_dot2c_i32_i16: i32 <- u32 u32 i32": dot(16, True)}, accumulate=True),
    *cases({"v_accvgpr_write_b32: u32 <- u32": lambda a: a},
           text="v_accvgpr_write_b32 a1, {0}\nv_accvgpr_read_b32 {d}, a1"),
    *cases({"v_accvgpr_read_b32: u32 <- u32": lambda a: a},
           text="v_accvgpr_write_b32 a3, {0}\nv_accvgpr_read_b32 {d}, a3"),
    *cases({"v_accvgpr_mov_b32: u32 <- u32": lambda a: a},
           text="v_accvgpr_write_b32 a3, {0}\nv_accvgpr_mov_b32 a2, a3\nv_accvgpr_read_b32 {d}, a2"),
    *each(("u32", "i32", "u16", "i16"), EXTREMES),
    *[
        case
        for prefix, packed in (("v_", ""), ("v_pk_", "pk_"))
        for case in each(("u16", "i16"), {
            f"{prefix}{line}".replace("pT", f"{packed}T"): for_any(formula)
            for line, formula in HALVES.items()
        })
    ],
    *cases(BITS16),
    *on("gfx950", cases(GFX950)),
    *on("gfx1201", cases(GFX12)),
]  # fmt: skip
"""v_dot and v_lshl_add_u64 state what their guides do: shifts of v_lshl_add_u64 are 0 to 4."""
