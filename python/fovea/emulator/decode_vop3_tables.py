# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Opcode tables of VOP3-only and VOP3P instructions of gfx942 (AMD CDNA3 ISA guide, chapter 12).

Kinds are those of `decode_operands`; widths are in dwords; a leading S is a scalar, a leading A an accumulator.
"""

from __future__ import annotations

from fovea.emulator.decode_operands import table_rows

# opcode, mnemonic, destination width, source kinds, `sdst` when a carry or flag mask is written too
_VOP3_ROWS = """
0x1c2 v_mad_i32_i24          1  b b b -
0x1c3 v_mad_u32_u24          1  b b b -
0x1c4 v_cubeid_f32           1  b b b -
0x1c5 v_cubesc_f32           1  b b b -
0x1c6 v_cubetc_f32           1  b b b -
0x1c7 v_cubema_f32           1  b b b -
0x1c8 v_bfe_u32              1  b b b -
0x1c9 v_bfe_i32              1  b b b -
0x1ca v_bfi_b32              1  b b b -
0x1cb v_fma_f32              1  b b b -
0x1cc v_fma_f64              2  d d d -
0x1cd v_lerp_u8              1  b b b -
0x1ce v_alignbit_b32         1  b b b -
0x1cf v_alignbyte_b32        1  b b b -
0x1d0 v_min3_f32             1  b b b -
0x1d1 v_min3_i32             1  b b b -
0x1d2 v_min3_u32             1  b b b -
0x1d3 v_max3_f32             1  b b b -
0x1d4 v_max3_i32             1  b b b -
0x1d5 v_max3_u32             1  b b b -
0x1d6 v_med3_f32             1  b b b -
0x1d7 v_med3_i32             1  b b b -
0x1d8 v_med3_u32             1  b b b -
0x1d9 v_sad_u8               1  b b b -
0x1da v_sad_hi_u8            1  b b b -
0x1db v_sad_u16              1  b b b -
0x1dc v_sad_u32              1  b b b -
0x1dd v_cvt_pk_u8_f32        1  b b b -
0x1de v_div_fixup_f32        1  b b b -
0x1df v_div_fixup_f64        2  d d d -
0x1e0 v_div_scale_f32        1  b b b sdst
0x1e1 v_div_scale_f64        2  d d d sdst
0x1e2 v_div_fmas_f32         1  b b b -
0x1e3 v_div_fmas_f64         2  d d d -
0x1e4 v_msad_u8              1  b b b -
0x1e5 v_qsad_pk_u16_u8       2  d b d -
0x1e6 v_mqsad_pk_u16_u8      2  d b d -
0x1e7 v_mqsad_u32_u8         4  d b 4 -
0x1e8 v_mad_u64_u32          2  b b d sdst
0x1e9 v_mad_i64_i32          2  b b d sdst
0x1ea v_mad_legacy_f16       1  b b b -
0x1eb v_mad_legacy_u16       1  s s s -
0x1ec v_mad_legacy_i16       1  s s s -
0x1ed v_perm_b32             1  b b b -
0x1ee v_fma_legacy_f16       1  b b b -
0x1ef v_div_fixup_legacy_f16 1  b b b -
0x1f0 v_cvt_pkaccum_u8_f32   1  b b - -
0x1f1 v_mad_u32_u16          1  s s b -
0x1f2 v_mad_i32_i16          1  s s b -
0x1f3 v_xad_u32              1  b b b -
0x1f4 v_min3_f16             1  b b b -
0x1f5 v_min3_i16             1  s s s -
0x1f6 v_min3_u16             1  s s s -
0x1f7 v_max3_f16             1  b b b -
0x1f8 v_max3_i16             1  s s s -
0x1f9 v_max3_u16             1  s s s -
0x1fa v_med3_f16             1  b b b -
0x1fb v_med3_i16             1  s s s -
0x1fc v_med3_u16             1  s s s -
0x1fd v_lshl_add_u32         1  b b b -
0x1fe v_add_lshl_u32         1  b b b -
0x1ff v_add3_u32             1  b b b -
0x200 v_lshl_or_b32          1  b b b -
0x201 v_and_or_b32           1  b b b -
0x202 v_or3_b32              1  b b b -
0x203 v_mad_f16              1  b b b -
0x204 v_mad_u16              1  s s s -
0x205 v_mad_i16              1  s s s -
0x206 v_fma_f16              1  b b b -
0x207 v_div_fixup_f16        1  b b b -
0x208 v_lshl_add_u64         2  d b d -
0x280 v_add_f64              2  d d - -
0x281 v_mul_f64              2  d d - -
0x282 v_min_f64              2  d d - -
0x283 v_max_f64              2  d d - -
0x284 v_ldexp_f64            2  d b - -
0x285 v_mul_lo_u32           1  b b - -
0x286 v_mul_hi_u32           1  b b - -
0x287 v_mul_hi_i32           1  b b - -
0x288 v_ldexp_f32            1  b b - -
0x289 v_readlane_b32         S1 b b - -
0x28a v_writelane_b32        1  b b - -
0x28b v_bcnt_u32_b32         1  b b - -
0x28c v_mbcnt_lo_u32_b32     1  b b - -
0x28d v_mbcnt_hi_u32_b32     1  b b - -
0x28f v_lshlrev_b64          2  b d - -
0x290 v_lshrrev_b64          2  b d - -
0x291 v_ashrrev_i64          2  b d - -
0x292 v_trig_preop_f64       2  d b - -
0x293 v_bfm_b32              1  b b - -
0x294 v_cvt_pknorm_i16_f32   1  b b - -
0x295 v_cvt_pknorm_u16_f32   1  b b - -
0x296 v_cvt_pkrtz_f16_f32    1  b b - -
0x297 v_cvt_pk_u16_u32       1  b b - -
0x298 v_cvt_pk_i16_i32       1  b b - -
0x299 v_cvt_pknorm_i16_f16   1  b b - -
0x29a v_cvt_pknorm_u16_f16   1  b b - -
0x29c v_add_i32              1  b b - -
0x29d v_sub_i32              1  b b - -
0x29e v_add_i16              1  s s - -
0x29f v_sub_i16              1  s s - -
0x2a0 v_pack_b32_f16         1  b b - -
0x2a1 v_mul_legacy_f32       1  b b - -
0x2a2 v_cvt_pk_fp8_f32       1  b b - -
0x2a3 v_cvt_pk_bf8_f32       1  b b - -
0x2a4 v_cvt_sr_fp8_f32       1  b b - -
0x2a5 v_cvt_sr_bf8_f32       1  b b - -
"""
VOP3 = table_rows(_VOP3_ROWS)

# opcode, mnemonic, destination width, source widths
_VOP3P_ROWS = """
0x00 v_pk_mad_i16                  1  1  1 1
0x01 v_pk_mul_lo_u16               1  1  1 -
0x02 v_pk_add_i16                  1  1  1 -
0x03 v_pk_sub_i16                  1  1  1 -
0x04 v_pk_lshlrev_b16              1  1  1 -
0x05 v_pk_lshrrev_b16              1  1  1 -
0x06 v_pk_ashrrev_i16              1  1  1 -
0x07 v_pk_max_i16                  1  1  1 -
0x08 v_pk_min_i16                  1  1  1 -
0x09 v_pk_mad_u16                  1  1  1 1
0x0a v_pk_add_u16                  1  1  1 -
0x0b v_pk_sub_u16                  1  1  1 -
0x0c v_pk_max_u16                  1  1  1 -
0x0d v_pk_min_u16                  1  1  1 -
0x0e v_pk_fma_f16                  1  1  1 1
0x0f v_pk_add_f16                  1  1  1 -
0x10 v_pk_mul_f16                  1  1  1 -
0x11 v_pk_min_f16                  1  1  1 -
0x12 v_pk_max_f16                  1  1  1 -
0x20 v_fma_mix_f32                 1  1  1 1
0x21 v_fma_mixlo_f16               1  1  1 1
0x22 v_fma_mixhi_f16               1  1  1 1
0x23 v_dot2_f32_f16                1  1  1 1
0x26 v_dot2_i32_i16                1  1  1 1
0x27 v_dot2_u32_u16                1  1  1 1
0x28 v_dot4_i32_i8                 1  1  1 1
0x29 v_dot4_u32_u8                 1  1  1 1
0x2a v_dot8_i32_i4                 1  1  1 1
0x2b v_dot8_u32_u4                 1  1  1 1
0x30 v_pk_fma_f32                  2  2  2 2
0x31 v_pk_mul_f32                  2  2  2 -
0x32 v_pk_add_f32                  2  2  2 -
0x33 v_pk_mov_b32                  2  2  2 -
0x3e v_mfma_f32_16x16x8_xf32       4  2  2 4
0x3f v_mfma_f32_32x32x4_xf32       16 2  2 16
0x40 v_mfma_f32_32x32x1_2b_f32     32 1  1 32
0x41 v_mfma_f32_16x16x1_4b_f32     16 1  1 16
0x42 v_mfma_f32_4x4x1_16b_f32      4  1  1 4
0x44 v_mfma_f32_32x32x2_f32        16 1  1 16
0x45 v_mfma_f32_16x16x4_f32        4  1  1 4
0x48 v_mfma_f32_32x32x4_2b_f16     32 2  2 32
0x49 v_mfma_f32_16x16x4_4b_f16     16 2  2 16
0x4a v_mfma_f32_4x4x4_16b_f16      4  2  2 4
0x4c v_mfma_f32_32x32x8_f16        16 2  2 16
0x4d v_mfma_f32_16x16x16_f16       4  2  2 4
0x50 v_mfma_i32_32x32x4_2b_i8      32 1  1 32
0x51 v_mfma_i32_16x16x4_4b_i8      16 1  1 16
0x52 v_mfma_i32_4x4x4_16b_i8       4  1  1 4
0x56 v_mfma_i32_32x32x16_i8        16 2  2 16
0x57 v_mfma_i32_16x16x32_i8        4  2  2 4
0x58 v_accvgpr_read_b32            1  A1 - -
0x59 v_accvgpr_write_b32           A1 1  - -
0x5d v_mfma_f32_32x32x4_2b_bf16    32 2  2 32
0x5e v_mfma_f32_16x16x4_4b_bf16    16 2  2 16
0x5f v_mfma_f32_4x4x4_16b_bf16     4  2  2 4
0x60 v_mfma_f32_32x32x8_bf16       16 2  2 16
0x61 v_mfma_f32_16x16x16_bf16      4  2  2 4
0x62 v_smfmac_f32_16x16x32_f16     4  2  4 1
0x64 v_smfmac_f32_32x32x16_f16     16 2  4 1
0x66 v_smfmac_f32_16x16x32_bf16    4  2  4 1
0x68 v_smfmac_f32_32x32x16_bf16    16 2  4 1
0x6a v_smfmac_i32_16x16x64_i8      4  2  4 1
0x6c v_smfmac_i32_32x32x32_i8      16 2  4 1
0x6e v_mfma_f64_16x16x4_f64        8  2  2 8
0x6f v_mfma_f64_4x4x4_4b_f64       2  2  2 2
0x70 v_mfma_f32_16x16x32_bf8_bf8   4  2  2 4
0x71 v_mfma_f32_16x16x32_bf8_fp8   4  2  2 4
0x72 v_mfma_f32_16x16x32_fp8_bf8   4  2  2 4
0x73 v_mfma_f32_16x16x32_fp8_fp8   4  2  2 4
0x74 v_mfma_f32_32x32x16_bf8_bf8   16 2  2 16
0x75 v_mfma_f32_32x32x16_bf8_fp8   16 2  2 16
0x76 v_mfma_f32_32x32x16_fp8_bf8   16 2  2 16
0x77 v_mfma_f32_32x32x16_fp8_fp8   16 2  2 16
0x78 v_smfmac_f32_16x16x64_bf8_bf8 4  2  4 1
0x79 v_smfmac_f32_16x16x64_bf8_fp8 4  2  4 1
0x7a v_smfmac_f32_16x16x64_fp8_bf8 4  2  4 1
0x7b v_smfmac_f32_16x16x64_fp8_fp8 4  2  4 1
0x7c v_smfmac_f32_32x32x32_bf8_bf8 16 2  4 1
0x7d v_smfmac_f32_32x32x32_bf8_fp8 16 2  4 1
0x7e v_smfmac_f32_32x32x32_fp8_bf8 16 2  4 1
0x7f v_smfmac_f32_32x32x32_fp8_fp8 16 2  4 1
"""
VOP3P = table_rows(_VOP3P_ROWS)
