# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Opcode tables of the scalar encodings of gfx942 (AMD CDNA3 ISA guide, chapter 12).

Widths are in dwords; `-` means that the operand is absent.
"""

from __future__ import annotations

from fovea.emulator.decode_operands import table_rows

# opcode, mnemonic, sdst width, ssrc0 width
_SOP1_ROWS = """
0x00 s_mov_b32              1 1
0x01 s_mov_b64              2 2
0x02 s_cmov_b32             1 1
0x03 s_cmov_b64             2 2
0x04 s_not_b32              1 1
0x05 s_not_b64              2 2
0x06 s_wqm_b32              1 1
0x07 s_wqm_b64              2 2
0x08 s_brev_b32             1 1
0x09 s_brev_b64             2 2
0x0a s_bcnt0_i32_b32        1 1
0x0b s_bcnt0_i32_b64        1 2
0x0c s_bcnt1_i32_b32        1 1
0x0d s_bcnt1_i32_b64        1 2
0x0e s_ff0_i32_b32          1 1
0x0f s_ff0_i32_b64          1 2
0x10 s_ff1_i32_b32          1 1
0x11 s_ff1_i32_b64          1 2
0x12 s_flbit_i32_b32        1 1
0x13 s_flbit_i32_b64        1 2
0x14 s_flbit_i32            1 1
0x15 s_flbit_i32_i64        1 2
0x16 s_sext_i32_i8          1 1
0x17 s_sext_i32_i16         1 1
0x18 s_bitset0_b32          1 1
0x19 s_bitset0_b64          2 1
0x1a s_bitset1_b32          1 1
0x1b s_bitset1_b64          2 1
0x1c s_getpc_b64            2 -
0x1d s_setpc_b64            - 2
0x1e s_swappc_b64           2 2
0x1f s_rfe_b64              - 2
0x20 s_and_saveexec_b64     2 2
0x21 s_or_saveexec_b64      2 2
0x22 s_xor_saveexec_b64     2 2
0x23 s_andn2_saveexec_b64   2 2
0x24 s_orn2_saveexec_b64    2 2
0x25 s_nand_saveexec_b64    2 2
0x26 s_nor_saveexec_b64     2 2
0x27 s_xnor_saveexec_b64    2 2
0x28 s_quadmask_b32         1 1
0x29 s_quadmask_b64         2 2
0x2a s_movrels_b32          1 1
0x2b s_movrels_b64          2 2
0x2c s_movreld_b32          1 1
0x2d s_movreld_b64          2 2
0x2e s_cbranch_join         - 1
0x30 s_abs_i32              1 1
0x32 s_set_gpr_idx_idx      - 1
0x33 s_andn1_saveexec_b64   2 2
0x34 s_orn1_saveexec_b64    2 2
0x35 s_andn1_wrexec_b64     2 2
0x36 s_andn2_wrexec_b64     2 2
0x37 s_bitreplicate_b64_b32 2 1
"""
SOP1 = table_rows(_SOP1_ROWS)

# opcode, mnemonic, sdst width, ssrc0 width, ssrc1 width
_SOP2_ROWS = """
0x00 s_add_u32         1 1 1
0x01 s_sub_u32         1 1 1
0x02 s_add_i32         1 1 1
0x03 s_sub_i32         1 1 1
0x04 s_addc_u32        1 1 1
0x05 s_subb_u32        1 1 1
0x06 s_min_i32         1 1 1
0x07 s_min_u32         1 1 1
0x08 s_max_i32         1 1 1
0x09 s_max_u32         1 1 1
0x0a s_cselect_b32     1 1 1
0x0b s_cselect_b64     2 2 2
0x0c s_and_b32         1 1 1
0x0d s_and_b64         2 2 2
0x0e s_or_b32          1 1 1
0x0f s_or_b64          2 2 2
0x10 s_xor_b32         1 1 1
0x11 s_xor_b64         2 2 2
0x12 s_andn2_b32       1 1 1
0x13 s_andn2_b64       2 2 2
0x14 s_orn2_b32        1 1 1
0x15 s_orn2_b64        2 2 2
0x16 s_nand_b32        1 1 1
0x17 s_nand_b64        2 2 2
0x18 s_nor_b32         1 1 1
0x19 s_nor_b64         2 2 2
0x1a s_xnor_b32        1 1 1
0x1b s_xnor_b64        2 2 2
0x1c s_lshl_b32        1 1 1
0x1d s_lshl_b64        2 2 1
0x1e s_lshr_b32        1 1 1
0x1f s_lshr_b64        2 2 1
0x20 s_ashr_i32        1 1 1
0x21 s_ashr_i64        2 2 1
0x22 s_bfm_b32         1 1 1
0x23 s_bfm_b64         2 1 1
0x24 s_mul_i32         1 1 1
0x25 s_bfe_u32         1 1 1
0x26 s_bfe_i32         1 1 1
0x27 s_bfe_u64         2 2 1
0x28 s_bfe_i64         2 2 1
0x29 s_cbranch_g_fork  - 2 2
0x2a s_absdiff_i32     1 1 1
0x2b s_rfe_restore_b64 - 2 1
0x2c s_mul_hi_u32      1 1 1
0x2d s_mul_hi_i32      1 1 1
0x2e s_lshl1_add_u32   1 1 1
0x2f s_lshl2_add_u32   1 1 1
0x30 s_lshl3_add_u32   1 1 1
0x31 s_lshl4_add_u32   1 1 1
0x32 s_pack_ll_b32_b16 1 1 1
0x33 s_pack_lh_b32_b16 1 1 1
0x34 s_pack_hh_b32_b16 1 1 1
"""
SOP2 = table_rows(_SOP2_ROWS)

# opcode, mnemonic, ssrc0 width, ssrc1 width (or the immediate that takes its place)
_SOPC_ROWS = """
0x00 s_cmp_eq_i32     1 1
0x01 s_cmp_lg_i32     1 1
0x02 s_cmp_gt_i32     1 1
0x03 s_cmp_ge_i32     1 1
0x04 s_cmp_lt_i32     1 1
0x05 s_cmp_le_i32     1 1
0x06 s_cmp_eq_u32     1 1
0x07 s_cmp_lg_u32     1 1
0x08 s_cmp_gt_u32     1 1
0x09 s_cmp_ge_u32     1 1
0x0a s_cmp_lt_u32     1 1
0x0b s_cmp_le_u32     1 1
0x0c s_bitcmp0_b32    1 1
0x0d s_bitcmp1_b32    1 1
0x0e s_bitcmp0_b64    2 1
0x0f s_bitcmp1_b64    2 1
0x10 s_setvskip       1 1
0x11 s_set_gpr_idx_on 1 gpr_idx
0x12 s_cmp_eq_u64     2 2
0x13 s_cmp_lg_u64     2 2
"""
SOPC = table_rows(_SOPC_ROWS)

# opcode, mnemonic, sdata width (`imm`: an immediate), sbase width
_SMEM_ROWS = """
0x00 s_load_dword               1   2
0x01 s_load_dwordx2             2   2
0x02 s_load_dwordx4             4   2
0x03 s_load_dwordx8             8   2
0x04 s_load_dwordx16            16  2
0x05 s_scratch_load_dword       1   2
0x06 s_scratch_load_dwordx2     2   2
0x07 s_scratch_load_dwordx4     4   2
0x08 s_buffer_load_dword        1   4
0x09 s_buffer_load_dwordx2      2   4
0x0a s_buffer_load_dwordx4      4   4
0x0b s_buffer_load_dwordx8      8   4
0x0c s_buffer_load_dwordx16     16  4
0x10 s_store_dword              1   2
0x11 s_store_dwordx2            2   2
0x12 s_store_dwordx4            4   2
0x15 s_scratch_store_dword      1   2
0x16 s_scratch_store_dwordx2    2   2
0x17 s_scratch_store_dwordx4    4   2
0x18 s_buffer_store_dword       1   4
0x19 s_buffer_store_dwordx2     2   4
0x1a s_buffer_store_dwordx4     4   4
0x20 s_dcache_inv               -   -
0x21 s_dcache_wb                -   -
0x22 s_dcache_inv_vol           -   -
0x23 s_dcache_wb_vol            -   -
0x24 s_memtime                  2   -
0x25 s_memrealtime              2   -
0x26 s_atc_probe                imm 2
0x27 s_atc_probe_buffer         imm 4
0x28 s_dcache_discard           -   2
0x29 s_dcache_discard_x2        -   2
0x40 s_buffer_atomic_swap       1   4
0x41 s_buffer_atomic_cmpswap    2   4
0x42 s_buffer_atomic_add        1   4
0x43 s_buffer_atomic_sub        1   4
0x44 s_buffer_atomic_smin       1   4
0x45 s_buffer_atomic_umin       1   4
0x46 s_buffer_atomic_smax       1   4
0x47 s_buffer_atomic_umax       1   4
0x48 s_buffer_atomic_and        1   4
0x49 s_buffer_atomic_or         1   4
0x4a s_buffer_atomic_xor        1   4
0x4b s_buffer_atomic_inc        1   4
0x4c s_buffer_atomic_dec        1   4
0x60 s_buffer_atomic_swap_x2    2   4
0x61 s_buffer_atomic_cmpswap_x2 4   4
0x62 s_buffer_atomic_add_x2     2   4
0x63 s_buffer_atomic_sub_x2     2   4
0x64 s_buffer_atomic_smin_x2    2   4
0x65 s_buffer_atomic_umin_x2    2   4
0x66 s_buffer_atomic_smax_x2    2   4
0x67 s_buffer_atomic_umax_x2    2   4
0x68 s_buffer_atomic_and_x2     2   4
0x69 s_buffer_atomic_or_x2      2   4
0x6a s_buffer_atomic_xor_x2     2   4
0x6b s_buffer_atomic_inc_x2     2   4
0x6c s_buffer_atomic_dec_x2     2   4
0x80 s_atomic_swap              1   2
0x81 s_atomic_cmpswap           2   2
0x82 s_atomic_add               1   2
0x83 s_atomic_sub               1   2
0x84 s_atomic_smin              1   2
0x85 s_atomic_umin              1   2
0x86 s_atomic_smax              1   2
0x87 s_atomic_umax              1   2
0x88 s_atomic_and               1   2
0x89 s_atomic_or                1   2
0x8a s_atomic_xor               1   2
0x8b s_atomic_inc               1   2
0x8c s_atomic_dec               1   2
0xa0 s_atomic_swap_x2           2   2
0xa1 s_atomic_cmpswap_x2        4   2
0xa2 s_atomic_add_x2            2   2
0xa3 s_atomic_sub_x2            2   2
0xa4 s_atomic_smin_x2           2   2
0xa5 s_atomic_umin_x2           2   2
0xa6 s_atomic_smax_x2           2   2
0xa7 s_atomic_umax_x2           2   2
0xa8 s_atomic_and_x2            2   2
0xa9 s_atomic_or_x2             2   2
0xaa s_atomic_xor_x2            2   2
0xab s_atomic_inc_x2            2   2
0xac s_atomic_dec_x2            2   2
"""
SMEM = table_rows(_SMEM_ROWS)
