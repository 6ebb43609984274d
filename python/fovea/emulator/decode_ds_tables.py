# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Opcode table of the LDS (DS) encoding of gfx942 (AMD CDNA3 ISA guide, chapter 12).

Widths are in dwords; `-` means that the operand is absent.
"""

from __future__ import annotations

from fovea.emulator.decode_operands import table_rows

# opcode, mnemonic, vdst width, addr width, data0 width, data1 width, meaning of the offset fields
_DS_ROWS = """
0x00 ds_add_u32              - 1 1 - single
0x01 ds_sub_u32              - 1 1 - single
0x02 ds_rsub_u32             - 1 1 - single
0x03 ds_inc_u32              - 1 1 - single
0x04 ds_dec_u32              - 1 1 - single
0x05 ds_min_i32              - 1 1 - single
0x06 ds_max_i32              - 1 1 - single
0x07 ds_min_u32              - 1 1 - single
0x08 ds_max_u32              - 1 1 - single
0x09 ds_and_b32              - 1 1 - single
0x0a ds_or_b32               - 1 1 - single
0x0b ds_xor_b32              - 1 1 - single
0x0c ds_mskor_b32            - 1 1 1 single
0x0d ds_write_b32            - 1 1 - single
0x0e ds_write2_b32           - 1 1 1 pair
0x0f ds_write2st64_b32       - 1 1 1 pair
0x10 ds_cmpst_b32            - 1 1 1 single
0x11 ds_cmpst_f32            - 1 1 1 single
0x12 ds_min_f32              - 1 1 - single
0x13 ds_max_f32              - 1 1 - single
0x15 ds_add_f32              - 1 1 - single
0x17 ds_pk_add_f16           - 1 1 - single
0x18 ds_pk_add_bf16          - 1 1 - single
0x1d ds_write_addtid_b32     - - 1 - single
0x1e ds_write_b8             - 1 1 - single
0x1f ds_write_b16            - 1 1 - single
0x20 ds_add_rtn_u32          1 1 1 - single
0x21 ds_sub_rtn_u32          1 1 1 - single
0x22 ds_rsub_rtn_u32         1 1 1 - single
0x23 ds_inc_rtn_u32          1 1 1 - single
0x24 ds_dec_rtn_u32          1 1 1 - single
0x25 ds_min_rtn_i32          1 1 1 - single
0x26 ds_max_rtn_i32          1 1 1 - single
0x27 ds_min_rtn_u32          1 1 1 - single
0x28 ds_max_rtn_u32          1 1 1 - single
0x29 ds_and_rtn_b32          1 1 1 - single
0x2a ds_or_rtn_b32           1 1 1 - single
0x2b ds_xor_rtn_b32          1 1 1 - single
0x2c ds_mskor_rtn_b32        1 1 1 1 single
0x2d ds_wrxchg_rtn_b32       1 1 1 - single
0x2e ds_wrxchg2_rtn_b32      2 1 1 1 pair
0x2f ds_wrxchg2st64_rtn_b32  2 1 1 1 pair
0x30 ds_cmpst_rtn_b32        1 1 1 1 single
0x31 ds_cmpst_rtn_f32        1 1 1 1 single
0x32 ds_min_rtn_f32          1 1 1 - single
0x33 ds_max_rtn_f32          1 1 1 - single
0x34 ds_wrap_rtn_b32         1 1 1 1 single
0x35 ds_add_rtn_f32          1 1 1 - single
0x36 ds_read_b32             1 1 - - single
0x37 ds_read2_b32            2 1 - - pair
0x38 ds_read2st64_b32        2 1 - - pair
0x39 ds_read_i8              1 1 - - single
0x3a ds_read_u8              1 1 - - single
0x3b ds_read_i16             1 1 - - single
0x3c ds_read_u16             1 1 - - single
0x3d ds_swizzle_b32          1 1 - - swizzle
0x3e ds_permute_b32          1 1 1 - single
0x3f ds_bpermute_b32         1 1 1 - single
0x40 ds_add_u64              - 1 2 - single
0x41 ds_sub_u64              - 1 2 - single
0x42 ds_rsub_u64             - 1 2 - single
0x43 ds_inc_u64              - 1 2 - single
0x44 ds_dec_u64              - 1 2 - single
0x45 ds_min_i64              - 1 2 - single
0x46 ds_max_i64              - 1 2 - single
0x47 ds_min_u64              - 1 2 - single
0x48 ds_max_u64              - 1 2 - single
0x49 ds_and_b64              - 1 2 - single
0x4a ds_or_b64               - 1 2 - single
0x4b ds_xor_b64              - 1 2 - single
0x4c ds_mskor_b64            - 1 2 2 single
0x4d ds_write_b64            - 1 2 - single
0x4e ds_write2_b64           - 1 2 2 pair
0x4f ds_write2st64_b64       - 1 2 2 pair
0x50 ds_cmpst_b64            - 1 2 2 single
0x51 ds_cmpst_f64            - 1 2 2 single
0x52 ds_min_f64              - 1 2 - single
0x53 ds_max_f64              - 1 2 - single
0x54 ds_write_b8_d16_hi      - 1 1 - single
0x55 ds_write_b16_d16_hi     - 1 1 - single
0x56 ds_read_u8_d16          1 1 - - single
0x57 ds_read_u8_d16_hi       1 1 - - single
0x58 ds_read_i8_d16          1 1 - - single
0x59 ds_read_i8_d16_hi       1 1 - - single
0x5a ds_read_u16_d16         1 1 - - single
0x5b ds_read_u16_d16_hi      1 1 - - single
0x5c ds_add_f64              - 1 2 - single
0x60 ds_add_rtn_u64          2 1 2 - single
0x61 ds_sub_rtn_u64          2 1 2 - single
0x62 ds_rsub_rtn_u64         2 1 2 - single
0x63 ds_inc_rtn_u64          2 1 2 - single
0x64 ds_dec_rtn_u64          2 1 2 - single
0x65 ds_min_rtn_i64          2 1 2 - single
0x66 ds_max_rtn_i64          2 1 2 - single
0x67 ds_min_rtn_u64          2 1 2 - single
0x68 ds_max_rtn_u64          2 1 2 - single
0x69 ds_and_rtn_b64          2 1 2 - single
0x6a ds_or_rtn_b64           2 1 2 - single
0x6b ds_xor_rtn_b64          2 1 2 - single
0x6c ds_mskor_rtn_b64        2 1 2 2 single
0x6d ds_wrxchg_rtn_b64       2 1 2 - single
0x6e ds_wrxchg2_rtn_b64      4 1 2 2 pair
0x6f ds_wrxchg2st64_rtn_b64  4 1 2 2 pair
0x70 ds_cmpst_rtn_b64        2 1 2 2 single
0x71 ds_cmpst_rtn_f64        2 1 2 2 single
0x72 ds_min_rtn_f64          2 1 2 - single
0x73 ds_max_rtn_f64          2 1 2 - single
0x76 ds_read_b64             2 1 - - single
0x77 ds_read2_b64            4 1 - - pair
0x78 ds_read2st64_b64        4 1 - - pair
0x7c ds_add_rtn_f64          2 1 2 - single
0x7e ds_condxchg32_rtn_b64   2 1 2 - single
0x98 ds_gws_sema_release_all - - - - single
0x99 ds_gws_init             - 1 - - single
0x9a ds_gws_sema_v           - - - - single
0x9b ds_gws_sema_br          - 1 - - single
0x9c ds_gws_sema_p           - - - - single
0x9d ds_gws_barrier          - 1 - - single
0xb6 ds_read_addtid_b32      1 - - - single
0xb7 ds_pk_add_rtn_f16       1 1 1 - single
0xb8 ds_pk_add_rtn_bf16      1 1 1 - single
0xbd ds_consume              1 - - - single
0xbe ds_append               1 - - - single
0xde ds_write_b96            - 1 3 - single
0xdf ds_write_b128           - 1 4 - single
0xfe ds_read_b96             3 1 - - single
0xff ds_read_b128            4 1 - - single
"""
DS = table_rows(_DS_ROWS)
