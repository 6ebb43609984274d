# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Vector integer, bit and move instructions (one table). Formulas follow AMD's CDNA3 ISA document."""

from __future__ import annotations

from typing import Any

import numpy as np

from fovea.emulator.carry import add_carry_out, add_with_carry, subtract_with_borrow
from fovea.emulator.vector import Row, rows

U32, U64, I32, I64 = np.uint32, np.uint64, np.int32, np.int64
_31, _63, _M24 = U32(31), U64(63), U32(0xFFFFFF)


def _high(a: Any, b: Any) -> Any:
    return ((a.astype(U64) * b.astype(U64)) >> U64(32)).astype(U32)


def _high_signed(a: Any, b: Any) -> Any:
    return ((a.astype(I64) * b.astype(I64)) >> I64(32)).astype(I32)


def _signed24(a: Any) -> Any:
    return (a.view(I32) << I32(8)) >> I32(8)


def _extract(a: Any, offset: Any, width: Any) -> Any:
    width = width & _31
    return (a >> (offset & _31)) & ((U32(1) << width) - U32(1))


def _extract_signed(a: Any, offset: Any, width: Any) -> Any:
    """The shift is arithmetic: bits above the register are copies of the sign (CDNA4 guide, V_BFE_I32)."""
    offset, width = (offset & _31).astype(I32), (width & _31).astype(I64)
    top = (I64(64) - width) & I64(63)
    return np.where(width == 0, I64(0), ((a >> offset).astype(I64) << top) >> top).astype(I32)


def _mask_bits(a: Any, b: Any) -> Any:
    return ((U32(1) << (a & _31)) - U32(1)) << (b & _31)


def _mad64(a: Any, b: Any, c: Any) -> Any:
    product = a.astype(U64) * b.astype(U64)
    total = product + c
    return total, total < product


def _mad64_signed(a: Any, b: Any, c: Any) -> Any:
    product = a.astype(I64) * b.astype(I64)
    total = product + c
    return total, ((product ^ total) & (c ^ total)) < 0


def _align(a: Any, b: Any, shift: Any) -> Any:
    joined = (a.astype(U64) << U64(32)) | b
    return (joined >> shift.astype(U64)).astype(U32)


def _permute_bytes(a: Any, b: Any, selector: Any) -> Any:
    joined = (a.astype(U64) << U64(32)) | b
    result: Any = U32(0)
    for byte in range(4):
        pick = (selector >> U32(8 * byte)) & U32(0xFF)
        value = (joined >> ((pick & U32(7)).astype(U64) * U64(8))) & U64(0xFF)
        # 8..11: sign of bytes 1, 3, 5, 7; 12: zero; above: 0xff.
        if np.any(pick > 7):
            sign_byte = (U32(2) * (pick & U32(3)) + U32(1)).astype(U64)
            sign = ((joined >> (sign_byte * U64(8) + U64(7))) & U64(1)) * U64(0xFF)
            value = np.where(pick > 7, sign, value)
            value = np.where(pick == 12, U64(0), value)
            value = np.where(pick > 12, U64(0xFF), value)
        result = result | (value.astype(U32) << U32(8 * byte))
    return result


def _find_low(a: Any) -> Any:
    """Position of the lowest set bit, all ones if none."""
    a = np.asarray(a)
    return np.where(a == 0, U32(0xFFFFFFFF), np.bitwise_count((a & (~a + U32(1))) - U32(1)).astype(U32))


def find_high(a: Any) -> Any:
    """Leading zeros of 32-bit values, all ones if the value is zero."""
    a = np.asarray(a, U32)
    exponent = np.frexp(a.astype(np.float64))[1].astype(I64)
    return np.where(a == 0, U32(0xFFFFFFFF), (32 - exponent).astype(U32))


def _find_high_signed(a: Any) -> Any:
    return find_high(np.where(a < 0, ~a, a).astype(U32))


def reverse_bits(a: Any) -> Any:
    """Bit reversal of 32-bit values."""
    for shift, mask in ((1, 0x55555555), (2, 0x33333333), (4, 0x0F0F0F0F), (8, 0x00FF00FF), (16, 0x0000FFFF)):
        a = ((a >> U32(shift)) & U32(mask)) | ((a & U32(mask)) << U32(shift))
    return a


def _med3(a: Any, b: Any, c: Any) -> Any:
    return np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))


def _sad(a: Any, b: Any, c: Any) -> Any:
    return np.where(a > b, a - b, b - a) + c


def _clamped(kind: Any, operation: Any) -> Any:
    limits = np.iinfo(kind)
    return lambda a, b: np.clip(operation(a.astype(I64), b.astype(I64)), limits.min, limits.max).astype(kind)


def parts(x: Any, bits: int, signed: bool) -> Any:
    """Registers as integers of 4 or 8 bits, in a new last axis."""
    places = np.arange(0, 32, bits, dtype=U32)
    raw = (x.view(U32)[..., None] >> places & U32((1 << bits) - 1)).astype(I64)
    return raw - ((raw >> bits - 1) << bits) if signed else raw


def _dot(bits: int, signed: bool) -> Any:
    def dot(a: Any, b: Any, c: Any) -> Any:
        return ((parts(a, bits, signed) * parts(b, bits, signed)).sum(-1) + c).astype(c.dtype)

    return dot


def _dot2(a: Any, b: Any, c: Any) -> Any:
    return ((a.astype(I64) * b.astype(I64)).sum(-1) + c).astype(c.dtype)


def _shift(operation: Any, kind: Any, bits: int) -> Any:
    """Shift whose first operand is the amount (the `rev` forms)."""
    return lambda amount, value: operation(value, (amount & amount.dtype.type(bits - 1)).astype(kind))


def _shift64(operation: Any, kind: Any) -> Any:
    return lambda amount, value: operation(value, (amount & U32(63)).astype(kind))


TABLE: list[Row] = [
    *rows("v_mov_b32: u32 <- u32\n v_accvgpr_read_b32: u32 <- u32\n v_accvgpr_write_b32: u32 <- u32\n"
          "v_accvgpr_mov_b32: u32 <- u32", np.positive),
    *rows("v_mov_b64: u64 <- u64", lambda a: a),
    *rows("v_pk_mov_b32: pk_u32 <- pk_u32 pk_u32",
          lambda a, b: np.stack(np.broadcast_arrays(a[0], b[-1]))),
    *rows("v_not_b32: u32 <- u32", np.invert),
    *rows("v_bfrev_b32: u32 <- u32", reverse_bits),
    *rows("v_ffbh_u32: u32 <- u32", find_high),
    *rows("v_ffbh_i32: u32 <- i32", _find_high_signed),
    *rows("v_ffbl_b32: u32 <- u32", _find_low),
    *rows("v_add_u32: u32 <- u32 u32", np.add, integer_clamp=_clamped(U32, np.add)),
    *rows("v_sub_u32: u32 <- u32 u32", np.subtract, integer_clamp=_clamped(U32, np.subtract)),
    *rows("v_subrev_u32: u32 <- u32 u32", lambda a, b: b - a),
    *rows("v_add_i32: i32 <- i32 i32", np.add, integer_clamp=_clamped(I32, np.add)),
    *rows("v_sub_i32: i32 <- i32 i32", np.subtract, integer_clamp=_clamped(I32, np.subtract)),
    *rows("v_add_co_u32: u32,mask <- u32 u32", add_carry_out),
    *rows("v_sub_co_u32: u32,mask <- u32 u32", lambda a, b: (a - b, a < b)),
    *rows("v_subrev_co_u32: u32,mask <- u32 u32", lambda a, b: (b - a, b < a)),
    *rows("v_addc_co_u32: u32,mask <- u32 u32 mask", add_with_carry),
    *rows("v_subb_co_u32: u32,mask <- u32 u32 mask", subtract_with_borrow),
    *rows("v_subbrev_co_u32: u32,mask <- u32 u32 mask", lambda a, b, c: subtract_with_borrow(b, a, c)),
    *rows("v_mul_lo_u32: u32 <- u32 u32", np.multiply),
    *rows("v_mul_hi_u32: u32 <- u32 u32", _high),
    *rows("v_mul_hi_i32: i32 <- i32 i32", _high_signed),
    *rows("v_mul_u32_u24: u32 <- u32 u32", lambda a, b: (a & _M24) * (b & _M24)),
    *rows("v_mul_hi_u32_u24: u32 <- u32 u32", lambda a, b: _high(a & _M24, b & _M24)),
    *rows("v_mul_i32_i24: i32 <- i32 i32", lambda a, b: _signed24(a) * _signed24(b)),
    *rows("v_mul_hi_i32_i24: i32 <- i32 i32", lambda a, b: _high_signed(_signed24(a), _signed24(b))),
    *rows("v_mad_u32_u24: u32 <- u32 u32 u32", lambda a, b, c: (a & _M24) * (b & _M24) + c),
    *rows("v_mad_i32_i24: i32 <- i32 i32 i32", lambda a, b, c: _signed24(a) * _signed24(b) + c),
    *rows("v_mad_u64_u32: u64,mask <- u32 u32 u64", _mad64),
    *rows("v_mad_i64_i32: i64,mask <- i32 i32 i64", _mad64_signed),
    *rows("v_lshl_add_u32: u32 <- u32 u32 u32", lambda a, b, c: (a << (b & _31)) + c),
    *rows("v_add_lshl_u32: u32 <- u32 u32 u32", lambda a, b, c: (a + b) << (c & _31)),
    *rows("v_lshl_add_u64: u64 <- u64 u32 u64", lambda a, b, c: (a << (b & U32(7)).astype(U64)) + c),
    *rows("v_add3_u32: u32 <- u32 u32 u32", lambda a, b, c: a + b + c),
    *rows("v_lshl_or_b32: u32 <- u32 u32 u32", lambda a, b, c: (a << (b & _31)) | c),
    *rows("v_and_or_b32: u32 <- u32 u32 u32", lambda a, b, c: (a & b) | c),
    *rows("v_or3_b32: u32 <- u32 u32 u32", lambda a, b, c: a | b | c),
    *rows("v_xad_u32: u32 <- u32 u32 u32", lambda a, b, c: (a ^ b) + c),
    *rows("v_bfe_u32: u32 <- u32 u32 u32", _extract),
    *rows("v_bfe_i32: i32 <- i32 u32 u32", _extract_signed),
    *rows("v_bfi_b32: u32 <- u32 u32 u32", lambda a, b, c: (a & b) | (~a & c)),
    *rows("v_bfm_b32: u32 <- u32 u32", _mask_bits),
    *rows("v_perm_b32: u32 <- u32 u32 u32", _permute_bytes),
    *rows("v_alignbit_b32: u32 <- u32 u32 u32", lambda a, b, c: _align(a, b, c & _31)),
    *rows("v_alignbyte_b32: u32 <- u32 u32 u32", lambda a, b, c: _align(a, b, (c & U32(3)) * U32(8))),
    *rows("v_and_b32: u32 <- u32 u32", np.bitwise_and),
    *rows("v_or_b32: u32 <- u32 u32", np.bitwise_or),
    *rows("v_xor_b32: u32 <- u32 u32", np.bitwise_xor),
    *rows("v_xnor_b32: u32 <- u32 u32", lambda a, b: ~(a ^ b)),
    *rows("v_lshlrev_b32: u32 <- u32 u32", _shift(np.left_shift, U32, 32)),
    *rows("v_lshrrev_b32: u32 <- u32 u32", _shift(np.right_shift, U32, 32)),
    *rows("v_ashrrev_i32: i32 <- u32 i32", _shift(np.right_shift, I32, 32)),
    *rows("v_lshlrev_b64: u64 <- u32 u64", _shift64(np.left_shift, U64)),
    *rows("v_lshrrev_b64: u64 <- u32 u64", _shift64(np.right_shift, U64)),
    *rows("v_ashrrev_i64: i64 <- u32 i64", _shift64(np.right_shift, I64)),
    *rows("v_min_u32: u32 <- u32 u32\n v_min_i32: i32 <- i32 i32", np.minimum),
    *rows("v_max_u32: u32 <- u32 u32\n v_max_i32: i32 <- i32 i32", np.maximum),
    *rows("v_min3_u32: u32 <- u32 u32 u32\n v_min3_i32: i32 <- i32 i32 i32",
          lambda a, b, c: np.minimum(np.minimum(a, b), c)),
    *rows("v_max3_u32: u32 <- u32 u32 u32\n v_max3_i32: i32 <- i32 i32 i32",
          lambda a, b, c: np.maximum(np.maximum(a, b), c)),
    *rows("v_med3_u32: u32 <- u32 u32 u32\n v_med3_i32: i32 <- i32 i32 i32", _med3),
    *rows("v_sad_u32: u32 <- u32 u32 u32", _sad),
    *rows("v_bcnt_u32_b32: u32 <- u32 u32", lambda a, b: np.bitwise_count(a).astype(U32) + b),
    *rows("v_cndmask_b32: u32 <- u32 u32 mask", lambda a, b, c: np.where(c, b, a)),
    *rows("v_dot4_i32_i8: i32 <- i32 i32 i32", _dot(8, True)),
    *rows("v_dot4_u32_u8: u32 <- u32 u32 u32", _dot(8, False)),
    *rows("v_dot4c_i32_i8: i32 <- i32 i32 i32", _dot(8, True), accumulate=True),
    *rows("v_dot8_i32_i4: i32 <- i32 i32 i32", _dot(4, True)),
    *rows("v_dot8_u32_u4: u32 <- u32 u32 u32", _dot(4, False)),
    *rows("v_dot8c_i32_i4: i32 <- i32 i32 i32", _dot(4, True), accumulate=True),
    *rows("v_dot2c_i32_i16: i32 <- pk_i16 pk_i16 i32", _dot2, accumulate=True),
    *rows("v_dot2_i32_i16: i32 <- pk_i16 pk_i16 i32", _dot2),
    *rows("v_dot2_u32_u16: u32 <- pk_u16 pk_u16 u32", _dot2),
    # 16-bit
    *rows("v_add_u16: u16 <- u16 u16", np.add),
    *rows("v_sub_u16: u16 <- u16 u16", np.subtract),
    *rows("v_subrev_u16: u16 <- u16 u16", lambda a, b: b - a),
    *rows("v_add_i16: i16 <- i16 i16", np.add),
    *rows("v_sub_i16: i16 <- i16 i16", np.subtract),
    *rows("v_mul_lo_u16: u16 <- u16 u16", np.multiply),
    *rows("v_mad_u16: u16 <- u16 u16 u16\n v_mad_legacy_u16: u16 <- u16 u16 u16", lambda a, b, c: a * b + c),
    *rows("v_mad_i16: i16 <- i16 i16 i16", lambda a, b, c: a * b + c),
    *rows("v_mad_u32_u16: u32 <- u16 u16 u32", lambda a, b, c: a.astype(U32) * b.astype(U32) + c),
    *rows("v_mad_i32_i16: i32 <- i16 i16 i32", lambda a, b, c: a.astype(I32) * b.astype(I32) + c),
    *rows("v_min_u16: u16 <- u16 u16\n v_min_i16: i16 <- i16 i16", np.minimum),
    *rows("v_max_u16: u16 <- u16 u16\n v_max_i16: i16 <- i16 i16", np.maximum),
    *rows("v_min3_u16: u16 <- u16 u16 u16\n v_min3_i16: i16 <- i16 i16 i16",
          lambda a, b, c: np.minimum(np.minimum(a, b), c)),
    *rows("v_max3_u16: u16 <- u16 u16 u16\n v_max3_i16: i16 <- i16 i16 i16",
          lambda a, b, c: np.maximum(np.maximum(a, b), c)),
    *rows("v_med3_u16: u16 <- u16 u16 u16\n v_med3_i16: i16 <- i16 i16 i16", _med3),
    *rows("v_lshlrev_b16: u16 <- u16 u16", _shift(np.left_shift, np.uint16, 16)),
    *rows("v_lshrrev_b16: u16 <- u16 u16", _shift(np.right_shift, np.uint16, 16)),
    *rows("v_ashrrev_i16: i16 <- u16 i16", _shift(np.right_shift, np.int16, 16)),
    *rows("v_pk_add_u16: pk_u16 <- pk_u16 pk_u16\n v_pk_add_i16: pk_i16 <- pk_i16 pk_i16", np.add),
    *rows("v_pk_sub_u16: pk_u16 <- pk_u16 pk_u16\n v_pk_sub_i16: pk_i16 <- pk_i16 pk_i16", np.subtract),
    *rows("v_pk_mul_lo_u16: pk_u16 <- pk_u16 pk_u16", np.multiply),
    *rows("v_pk_mad_u16: pk_u16 <- pk_u16 pk_u16 pk_u16\n v_pk_mad_i16: pk_i16 <- pk_i16 pk_i16 pk_i16",
          lambda a, b, c: a * b + c),
    *rows("v_pk_min_u16: pk_u16 <- pk_u16 pk_u16\n v_pk_min_i16: pk_i16 <- pk_i16 pk_i16", np.minimum),
    *rows("v_pk_max_u16: pk_u16 <- pk_u16 pk_u16\n v_pk_max_i16: pk_i16 <- pk_i16 pk_i16", np.maximum),
    *rows("v_pk_lshlrev_b16: pk_u16 <- pk_u16 pk_u16", _shift(np.left_shift, np.uint16, 16)),
    *rows("v_pk_lshrrev_b16: pk_u16 <- pk_u16 pk_u16", _shift(np.right_shift, np.uint16, 16)),
    *rows("v_pk_ashrrev_i16: pk_i16 <- pk_u16 pk_i16", _shift(np.right_shift, np.int16, 16)),
]  # fmt: skip
