# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What gfx950 adds to the encodings of gfx942: opcode tables (AMD CDNA4 ISA guide, chapter 12) and its decoders.

The columns are those of the tables of gfx942.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fovea.emulator.decode_ds_tables import DS
from fovea.emulator.decode_memory import LOADS_TO_LDS, ds, flat, mubuf
from fovea.emulator.decode_memory_tables import FLAT, MUBUF
from fovea.emulator.decode_operands import Undecodable, source, table_rows
from fovea.emulator.decode_vop import vop1, vop2
from fovea.emulator.decode_vop3 import build_rows, matrix, vop3, vop3p
from fovea.emulator.decode_vop3_tables import VOP3, VOP3P
from fovea.emulator.decode_vop_tables import VOP1, VOP2

Decoder = Callable[[int, "int | None", int], tuple[str, int]]
VOP1_950 = VOP1 | table_rows("""
0x58 v_prng_b32            1 b edx
0x59 v_permlane16_swap_b32 1 b e
0x5a v_permlane32_swap_b32 1 b e
0x5b v_cvt_f32_bf16        1 s edx
""")
VOP2_950 = VOP2 | table_rows("""
0x16 v_dot2c_f32_bf16 1 p 1 - ed
""")
VOP3_950 = VOP3 | table_rows("""
0x233 v_bitop3_b16      1 s s s -
0x234 v_bitop3_b32      1 b b b -
0x235 v_cvt_scalef32_pk_fp8_f32       1  b b b -
0x236 v_cvt_scalef32_pk_bf8_f32       1  b b b -
0x237 v_cvt_scalef32_sr_fp8_f32       1  b b b -
0x238 v_cvt_scalef32_sr_bf8_f32       1  b b b -
0x239 v_cvt_scalef32_pk_f32_fp8       2  b b - -
0x23a v_cvt_scalef32_pk_f32_bf8       2  b b - -
0x23b v_cvt_scalef32_f32_fp8          1  b b - -
0x23c v_cvt_scalef32_f32_bf8          1  b b - -
0x23d v_cvt_scalef32_pk_fp4_f32       1  b b b -
0x23e v_cvt_scalef32_sr_pk_fp4_f32    1  2 b b -
0x23f v_cvt_scalef32_pk_f32_fp4       2  b b - -
0x240 v_cvt_scalef32_pk_fp8_f16       1  p b - -
0x241 v_cvt_scalef32_pk_bf8_f16       1  p b - -
0x242 v_cvt_scalef32_sr_fp8_f16       1  h b b -
0x243 v_cvt_scalef32_sr_bf8_f16       1  h b b -
0x244 v_cvt_scalef32_pk_fp8_bf16      1  p b - -
0x245 v_cvt_scalef32_pk_bf8_bf16      1  p b - -
0x246 v_cvt_scalef32_sr_fp8_bf16      1  h b b -
0x247 v_cvt_scalef32_sr_bf8_bf16      1  h b b -
0x248 v_cvt_scalef32_pk_f16_fp8       1  b b - -
0x249 v_cvt_scalef32_pk_f16_bf8       1  b b - -
0x24a v_cvt_scalef32_f16_fp8          1  b b - -
0x24b v_cvt_scalef32_f16_bf8          1  b b - -
0x24c v_cvt_scalef32_pk_fp4_f16       1  p b - -
0x24d v_cvt_scalef32_pk_fp4_bf16      1  p b - -
0x24e v_cvt_scalef32_sr_pk_fp4_f16    1  p b b -
0x24f v_cvt_scalef32_sr_pk_fp4_bf16   1  p b b -
0x250 v_cvt_scalef32_pk_f16_fp4       1  b b - -
0x251 v_cvt_scalef32_pk_bf16_fp4      1  b b - -
0x252 v_cvt_scalef32_2xpk16_fp6_f32   6  16 16 b -
0x253 v_cvt_scalef32_2xpk16_bf6_f32   6  16 16 b -
0x254 v_cvt_scalef32_sr_pk32_fp6_f32  6  32 b b -
0x255 v_cvt_scalef32_sr_pk32_bf6_f32  6  32 b b -
0x256 v_cvt_scalef32_pk32_f32_fp6     32 6 b - -
0x257 v_cvt_scalef32_pk32_f32_bf6     32 6 b - -
0x258 v_cvt_scalef32_pk32_fp6_f16     6  16 b - -
0x259 v_cvt_scalef32_pk32_fp6_bf16    6  16 b - -
0x25a v_cvt_scalef32_pk32_bf6_f16     6  16 b - -
0x25b v_cvt_scalef32_pk32_bf6_bf16    6  16 b - -
0x25c v_cvt_scalef32_sr_pk32_fp6_f16  6  16 b b -
0x25d v_cvt_scalef32_sr_pk32_fp6_bf16 6  16 b b -
0x25e v_cvt_scalef32_sr_pk32_bf6_f16  6  16 b b -
0x25f v_cvt_scalef32_sr_pk32_bf6_bf16 6  16 b b -
0x260 v_cvt_scalef32_pk32_f16_fp6     16 6 b - -
0x261 v_cvt_scalef32_pk32_bf16_fp6    16 6 b - -
0x262 v_cvt_scalef32_pk32_f16_bf6     16 6 b - -
0x263 v_cvt_scalef32_pk32_bf16_bf6    16 6 b - -
0x265 v_ashr_pk_i8_i32  1 b b b -
0x266 v_ashr_pk_u8_i32  1 b b b -
0x267 v_cvt_pk_f16_f32  1 b b - -
0x268 v_cvt_pk_bf16_f32 1 b b - -
0x269 v_cvt_scalef32_pk_bf16_fp8 1 b b - -
0x26a v_cvt_scalef32_pk_bf16_bf8 1 b b - -
0x2a6 v_cvt_sr_f16_f32  1 b b - -
0x2a7 v_cvt_sr_bf16_f32 1 b b - -
0x2a8 v_minimum3_f32    1 b b b -
0x2a9 v_maximum3_f32    1 b b b -
""")
_DROPPED = (0x3E, 0x3F)  # XF32
VOP3P_950 = {code: row for code, row in VOP3P.items() if code not in _DROPPED} | table_rows("""
0x1a v_dot2_f32_bf16             1  1 1 1
0x1b v_pk_minimum3_f16           1  1 1 1
0x1c v_pk_maximum3_f16           1  1 1 1
0x2d v_mfma_f32_16x16x128_f8f6f4 4  8 8 4
0x2e v_mfma_f32_32x32x64_f8f6f4  16 8 8 16
0x35 v_mfma_f32_16x16x32_bf16    4  4 4 4
0x36 v_mfma_i32_16x16x64_i8      4  4 4 4
0x37 v_mfma_f32_32x32x16_bf16    16 4 4 16
0x38 v_mfma_i32_32x32x32_i8      16 4 4 16
0x39 v_smfmac_f32_16x16x64_bf16  4  4 8 1
0x3a v_smfmac_i32_16x16x128_i8   4  4 8 1
0x3b v_smfmac_f32_16x16x128_bf8_bf8 4 4 8 1
0x3c v_smfmac_f32_16x16x128_bf8_fp8 4 4 8 1
0x3d v_smfmac_f32_16x16x128_fp8_bf8 4 4 8 1
0x43 v_smfmac_f32_16x16x128_fp8_fp8 4 4 8 1
0x46 v_smfmac_f32_32x32x32_bf16  16 4 8 1
0x47 v_smfmac_i32_32x32x64_i8    16 4 8 1
0x4b v_smfmac_f32_32x32x64_bf8_bf8 16 4 8 1
0x4e v_smfmac_f32_32x32x64_bf8_fp8 16 4 8 1
0x4f v_smfmac_f32_32x32x64_fp8_bf8 16 4 8 1
0x53 v_smfmac_f32_32x32x64_fp8_fp8 16 4 8 1
0x54 v_mfma_f32_16x16x32_f16     4  4 4 4
0x55 v_mfma_f32_32x32x16_f16     16 4 4 16
0x5a v_smfmac_f32_16x16x64_f16   4  4 8 1
0x5b v_smfmac_f32_32x32x32_f16   16 4 8 1
""")
DS_950 = DS | table_rows("""
0xe0 ds_read_b64_tr_b4  2 1 - - single
0xe1 ds_read_b96_tr_b6  3 1 - - single
0xe2 ds_read_b64_tr_b8  2 1 - - single
0xe3 ds_read_b64_tr_b16 2 1 - - single
""")
FLAT_950 = FLAT | table_rows("""
0x7d load_lds_dwordx4 - - gs
0x7e load_lds_dwordx3 - - gs
""")
MUBUF_950 = MUBUF | table_rows("""
0x52 buffer_atomic_pk_add_bf16 1
""")
_LOADS_TO_LDS = LOADS_TO_LDS | {0x16, 0x17}
SCALE_PREFIX = 0xD3AC
"""Upper half of the first of the four words of a scaled matrix instruction."""
# Registers of an operand by the format's number in cbsz or blgp.
_WIDTHS = ("8", "8", "6", "6", "4")


def _narrow(word: int, following: int, row: tuple[str, ...]) -> str:
    """An f8f6f4 instruction: cbsz and blgp say how many registers A and B take."""
    size, group = word >> 8 & 7, following >> 29
    if max(size, group) >= len(_WIDTHS):
        raise Undecodable(f"format number {max(size, group)} of a matrix instruction has no meaning")
    return matrix(word, following, (row[0], row[1], _WIDTHS[size], _WIDTHS[group], row[4]))


def vop3p_950(word: int, following: int | None, address: int) -> tuple[str, int]:
    """VOP3P with the instructions whose operand widths depend on their formats."""
    row = VOP3P_950.get(word >> 16 & 127)
    if row is not None and row[0].endswith("f8f6f4") and following is not None:
        return _narrow(word, following, row), 8
    return vop3p(word, following, address, VOP3P_950)


def scaled(words: tuple[int, ...]) -> tuple[str, int]:
    """VOP3PX: a prefix with the scales (src0[40:32], src1[49:41], op_sel[12:11], op_sel_hi[60:59]), then VOP3P-MAI."""
    if len(words) < 4:
        raise Undecodable("the matrix instruction after the scales is missing")
    row = VOP3P_950.get(words[2] >> 16 & 127)
    if words[2] >> 23 != 0b110100111 or row is None or not row[0].endswith("f8f6f4"):
        raise Undecodable("scales are not followed by an f8f6f4 matrix instruction")
    text = _narrow(words[2] & ~(15 << 11), words[3], row).replace("v_mfma_", "v_mfma_scale_", 1)
    head, space, formats = text.partition(" cbsz")
    if not space:
        head, space, formats = text.partition(" blgp")
    scales = ", ".join(source(words[1] >> shift & 511, "b") for shift in (0, 9))
    low, high = words[0] >> 11 & 3, words[1] >> 27 & 3
    select = f" op_sel:[{low & 1},{low >> 1},0]" if low else ""
    return f"{head}, {scales}{select} op_sel_hi:[{high & 1},{high >> 1},0]{space}{formats}", 16


DECODERS: dict[Decoder, Decoder] = {
    vop1: partial(vop1, table=VOP1_950),
    vop2: partial(vop2, table=VOP2_950),
    vop3: partial(vop3, table=build_rows(VOP1_950, VOP2_950, VOP3_950)),
    vop3p: vop3p_950,
    ds: partial(ds, table=DS_950),
    flat: partial(flat, table=FLAT_950),
    mubuf: partial(mubuf, table=MUBUF_950, loads_to_lds=_LOADS_TO_LDS),
}
"""gfx942's decoder to gfx950's of the same encoding, where they differ."""
