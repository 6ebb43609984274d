# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Opcode tables of the FLAT and MUBUF encodings of gfx942 (AMD CDNA3 ISA guide, chapter 12).

Widths are in dwords; `-` means that the operand is absent.
"""

from __future__ import annotations

from fovea.emulator.decode_operands import table_rows

# opcode, mnemonic after flat_/global_/scratch_, vdst width, data width, segments it exists in
_FLAT_ROWS = """
0x10 load_ubyte         1 - fgs
0x11 load_sbyte         1 - fgs
0x12 load_ushort        1 - fgs
0x13 load_sshort        1 - fgs
0x14 load_dword         1 - fgs
0x15 load_dwordx2       2 - fgs
0x16 load_dwordx3       3 - fgs
0x17 load_dwordx4       4 - fgs
0x18 store_byte         - 1 fgs
0x19 store_byte_d16_hi  - 1 fgs
0x1a store_short        - 1 fgs
0x1b store_short_d16_hi - 1 fgs
0x1c store_dword        - 1 fgs
0x1d store_dwordx2      - 2 fgs
0x1e store_dwordx3      - 3 fgs
0x1f store_dwordx4      - 4 fgs
0x20 load_ubyte_d16     1 - fgs
0x21 load_ubyte_d16_hi  1 - fgs
0x22 load_sbyte_d16     1 - fgs
0x23 load_sbyte_d16_hi  1 - fgs
0x24 load_short_d16     1 - fgs
0x25 load_short_d16_hi  1 - fgs
0x26 load_lds_ubyte     - - gs
0x27 load_lds_sbyte     - - gs
0x28 load_lds_ushort    - - gs
0x29 load_lds_sshort    - - gs
0x2a load_lds_dword     - - gs
0x40 atomic_swap        1 1 fg
0x41 atomic_cmpswap     1 2 fg
0x42 atomic_add         1 1 fg
0x43 atomic_sub         1 1 fg
0x44 atomic_smin        1 1 fg
0x45 atomic_umin        1 1 fg
0x46 atomic_smax        1 1 fg
0x47 atomic_umax        1 1 fg
0x48 atomic_and         1 1 fg
0x49 atomic_or          1 1 fg
0x4a atomic_xor         1 1 fg
0x4b atomic_inc         1 1 fg
0x4c atomic_dec         1 1 fg
0x4d atomic_add_f32     1 1 fg
0x4e atomic_pk_add_f16  1 1 fg
0x4f atomic_add_f64     2 2 fg
0x50 atomic_min_f64     2 2 fg
0x51 atomic_max_f64     2 2 fg
0x52 atomic_pk_add_bf16 1 1 fg
0x60 atomic_swap_x2     2 2 fg
0x61 atomic_cmpswap_x2  2 4 fg
0x62 atomic_add_x2      2 2 fg
0x63 atomic_sub_x2      2 2 fg
0x64 atomic_smin_x2     2 2 fg
0x65 atomic_umin_x2     2 2 fg
0x66 atomic_smax_x2     2 2 fg
0x67 atomic_umax_x2     2 2 fg
0x68 atomic_and_x2      2 2 fg
0x69 atomic_or_x2       2 2 fg
0x6a atomic_xor_x2      2 2 fg
0x6b atomic_inc_x2      2 2 fg
0x6c atomic_dec_x2      2 2 fg
"""
FLAT = table_rows(_FLAT_ROWS)

# opcode, mnemonic, vdata width
_MUBUF_ROWS = """
0x00 buffer_load_format_x         1
0x01 buffer_load_format_xy        2
0x02 buffer_load_format_xyz       3
0x03 buffer_load_format_xyzw      4
0x04 buffer_store_format_x        1
0x05 buffer_store_format_xy       2
0x06 buffer_store_format_xyz      3
0x07 buffer_store_format_xyzw     4
0x08 buffer_load_format_d16_x     1
0x09 buffer_load_format_d16_xy    1
0x0a buffer_load_format_d16_xyz   2
0x0b buffer_load_format_d16_xyzw  2
0x0c buffer_store_format_d16_x    1
0x0d buffer_store_format_d16_xy   1
0x0e buffer_store_format_d16_xyz  2
0x0f buffer_store_format_d16_xyzw 2
0x10 buffer_load_ubyte            1
0x11 buffer_load_sbyte            1
0x12 buffer_load_ushort           1
0x13 buffer_load_sshort           1
0x14 buffer_load_dword            1
0x15 buffer_load_dwordx2          2
0x16 buffer_load_dwordx3          3
0x17 buffer_load_dwordx4          4
0x18 buffer_store_byte            1
0x19 buffer_store_byte_d16_hi     1
0x1a buffer_store_short           1
0x1b buffer_store_short_d16_hi    1
0x1c buffer_store_dword           1
0x1d buffer_store_dwordx2         2
0x1e buffer_store_dwordx3         3
0x1f buffer_store_dwordx4         4
0x20 buffer_load_ubyte_d16        1
0x21 buffer_load_ubyte_d16_hi     1
0x22 buffer_load_sbyte_d16        1
0x23 buffer_load_sbyte_d16_hi     1
0x24 buffer_load_short_d16        1
0x25 buffer_load_short_d16_hi     1
0x26 buffer_load_format_d16_hi_x  1
0x27 buffer_store_format_d16_hi_x 1
0x40 buffer_atomic_swap           1
0x41 buffer_atomic_cmpswap        2
0x42 buffer_atomic_add            1
0x43 buffer_atomic_sub            1
0x44 buffer_atomic_smin           1
0x45 buffer_atomic_umin           1
0x46 buffer_atomic_smax           1
0x47 buffer_atomic_umax           1
0x48 buffer_atomic_and            1
0x49 buffer_atomic_or             1
0x4a buffer_atomic_xor            1
0x4b buffer_atomic_inc            1
0x4c buffer_atomic_dec            1
0x4d buffer_atomic_add_f32        1
0x4e buffer_atomic_pk_add_f16     1
0x4f buffer_atomic_add_f64        2
0x50 buffer_atomic_min_f64        2
0x51 buffer_atomic_max_f64        2
0x60 buffer_atomic_swap_x2        2
0x61 buffer_atomic_cmpswap_x2     4
0x62 buffer_atomic_add_x2         2
0x63 buffer_atomic_sub_x2         2
0x64 buffer_atomic_smin_x2        2
0x65 buffer_atomic_umin_x2        2
0x66 buffer_atomic_smax_x2        2
0x67 buffer_atomic_umax_x2        2
0x68 buffer_atomic_and_x2         2
0x69 buffer_atomic_or_x2          2
0x6a buffer_atomic_xor_x2         2
0x6b buffer_atomic_inc_x2         2
0x6c buffer_atomic_dec_x2         2
"""
MUBUF = table_rows(_MUBUF_ROWS)
