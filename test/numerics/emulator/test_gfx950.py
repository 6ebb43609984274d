# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""gfx950's additions: scaled matrix instructions with one-hot operands, transposing LDS reads, loads to LDS, rows.

Layouts are stated here as loops over lanes and values, apart from the emulator's reshapes.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from assembly_runner import run_assembly

from fovea.emulator import EmulationError
from fovea.emulator.disassembler import DisassemblyError, disassemble
from fovea.emulator.matrix_scaled import TABLE as SCALED

U32 = np.uint32
LANES = np.arange(64)
FORMATS: list[tuple[Any, int]] = [
    (ml_dtypes.float8_e4m3fn, 8), (ml_dtypes.float8_e5m2, 8), (ml_dtypes.float6_e2m3fn, 6),
    (ml_dtypes.float6_e3m2fn, 6), (ml_dtypes.float4_e2m1fn, 4),
]  # fmt: skip
SHAPES = [(16, 128), (32, 64)]
TRANSPOSING = [("b64_tr_b16", 16, 2), ("b64_tr_b8", 8, 2), ("b64_tr_b4", 4, 2), ("b96_tr_b6", 6, 3)]
TESTED = {f"ds_read_{name}" for name, _, _ in TRANSPOSING}
SCALED_TESTED = {f"v_mfma_{scale}f32_{s}x{s}x{k}_f8f6f4" for s, k in SHAPES for scale in ("", "scale_")}


def operand_registers(matrix: Any, number: int, depth: int) -> dict[int, Any]:
    """Registers of rows `(side, k)`: lane group g holds 32 values of k, two halves of 16 for 8-bit formats."""
    kind, bits = FORMATS[number]
    side = len(matrix)
    codes = matrix.astype(kind).view(np.uint8)
    words = np.zeros((64, bits), U32)
    for lane in range(64):
        stream = 0
        for i in range(32):
            k = 32 * (lane // side) + i
            if bits == 8:
                k = depth // 2 * (i // 16) + 16 * (lane // side) + i % 16
            stream |= int(codes[lane % side, k]) << bits * i
        for word in range(bits):
            words[lane, word] = stream >> 32 * word & 0xFFFFFFFF
    return dict(enumerate(words.T))


def multiply(side: int, depth: int, a: Any, b: Any, c: Any, formats: tuple[int, int], scales: Any = None) -> Any:
    """One instruction on A `(side, k)`, B `(side, k)` (one row a column of the product) and C; scales are codes."""
    v = {10 + n: value for n, value in operand_registers(a, formats[0], depth).items()}
    v |= {20 + n: value for n, value in operand_registers(b, formats[1], depth).items()}
    count = side * side // 64
    rows = [[4 * (lane // 16) + i if side == 16 else 8 * (i // 4) + 4 * (lane // 32) + i % 4 for i in range(count)]
            for lane in range(64)]  # fmt: skip
    for i in range(count):
        v[40 + i] = np.array([c[rows[lane][i], lane % side] for lane in range(64)], np.float32)
    bits = [FORMATS[f][1] for f in formats]
    text = f"f32_{side}x{side}x{depth}_f8f6f4 v[40:{39 + count}], v[10:{9 + bits[0]}], v[20:{19 + bits[1]}], "
    text += f"v[40:{39 + count}]"
    if scales is None:
        text = f"v_mfma_{text}"
    else:
        # The scale of row r and block b is in lane b * side + r; here in byte 2 for A, in byte 1 for B.
        for register, codes, shift in ((8, scales[0], 16), (9, scales[1], 8)):
            v[register] = np.array([int(codes[lane % side, lane // side]) << shift for lane in range(64)], U32)
        text = f"v_mfma_scale_{text}, v8, v9 op_sel:[0,1,0] op_sel_hi:[1,0,0]"
    result = run_assembly(f"{text} cbsz:{formats[0]} blgp:{formats[1]}", v=v, chip="gfx950")
    found = np.zeros((side, side), np.float32)
    for lane in range(64):
        for i in range(count):
            found[rows[lane][i], lane % side] = result.v(40 + i, np.float32)[lane]
    return found


@pytest.mark.parametrize(("side", "depth"), SHAPES)
@pytest.mark.parametrize("number", range(5))
def test_one_hot(side: int, depth: int, number: int) -> None:
    """One 1 in A and one in B at the same k give one 1; at another k nothing; the block's scales multiply it."""
    rng = np.random.default_rng(number)
    for _ in range(6):
        row, column, at = int(rng.integers(side)), int(rng.integers(side)), int(rng.integers(depth))
        a, b, c = np.zeros((side, depth)), np.zeros((side, depth)), np.zeros((side, side))
        a[row, at] = b[column, at] = 1
        wanted = c.copy()
        wanted[row, column] = 1
        np.testing.assert_array_equal(multiply(side, depth, a, b, c, (number, number)), wanted)
        scales = [np.full((side, depth // 32), 127), np.full((side, depth // 32), 127)]
        scales[0][row, at // 32], scales[1][column, at // 32] = 130, 125
        wanted[row, column] = 2.0 ** (3 - 2)
        np.testing.assert_array_equal(multiply(side, depth, a, b, c, (number, number), scales), wanted)
        b[column] = np.roll(b[column], 1)
        np.testing.assert_array_equal(multiply(side, depth, a, b, c, (number, number)), c)


@pytest.mark.parametrize(("side", "depth"), SHAPES)
@pytest.mark.parametrize("formats", [(0, 0), (1, 4), (2, 3), (4, 4), (3, 0)])
def test_scaled_products(side: int, depth: int, formats: tuple[int, int]) -> None:
    rng = np.random.default_rng(7)
    a, b = (rng.standard_normal((side, depth)).astype(FORMATS[f][0]).astype(np.float64) for f in formats)
    c = rng.standard_normal((side, side)).astype(np.float32)
    codes = [rng.integers(120, 135, (side, depth // 32)) for _ in range(2)]
    wide = [x * np.repeat(2.0 ** (codes[n] - 127), 32, axis=1) for n, x in enumerate((a, b))]
    exact = wide[0] @ wide[1].T + c
    # The sum of products is exact in f64 here; rounding it to f32 and adding C are two roundings.
    bound = 2 * 2.0**-24 * (np.abs(exact).max() + np.abs(c).max())
    assert np.abs(multiply(side, depth, a, b, c, formats, codes) - exact).max() <= bound


def test_scale_255_is_nan() -> None:
    a, b, c = np.ones((16, 128)), np.ones((16, 128)), np.zeros((16, 16))
    codes = [np.full((16, 4), 127), np.full((16, 4), 127)]
    codes[0][5, 2] = 255
    found = multiply(16, 128, a, b, c, (0, 0), codes)
    assert np.isnan(found[5]).all() and not np.isnan(np.delete(found, 5, axis=0)).any()


def test_every_scaled_row_is_tested() -> None:
    assert set(SCALED) == SCALED_TESTED


@pytest.mark.parametrize(("name", "bits", "words"), TRANSPOSING)
def test_transposing_read(name: str, bits: int, words: int) -> None:
    """Blocks of 16 lanes read rows of 16 values; lane c receives column c."""
    count = 32 * words // bits
    rng = np.random.default_rng(bits)
    matrix = rng.integers(0, 1 << bits, (4, count, 16))
    lanes = np.zeros((64, words), U32)
    for lane in range(64):
        first = lane % 16 * count
        stream = sum(int(matrix[lane // 16].reshape(-1)[first + i]) << bits * i for i in range(count))
        lanes[lane] = [stream >> 32 * word & 0xFFFFFFFF for word in range(words)]
    places = 16 * rng.permutation(64)
    text = f"ds_write_b{32 * words} v0, v[2:{1 + words}]\nds_read_{name} v[8:{7 + words}], v1"
    v = {0: places.astype(U32), 1: places.astype(U32), **{2 + n: lanes[:, n] for n in range(words)}}
    result = run_assembly(text, v=v, lds_bytes=1024, chip="gfx950")
    for lane in range(64):
        stream = sum(int(result.v(8 + word)[lane]) << 32 * word for word in range(words))
        column = [stream >> bits * i & (1 << bits) - 1 for i in range(count)]
        assert column == list(matrix[lane // 16, :, lane % 16])


def test_sixteen_bytes_a_lane_to_lds() -> None:
    source = np.arange(1024, dtype=U32)
    address = (LANES[::-1] * 16).astype(U32)
    for load in (
        "global_load_lds_dwordx4 v0, s[60:61] offset:16", "buffer_load_dwordx4 v0, s[4:7], 0 offen offset:16 lds",
    ):  # fmt: skip
        text = f"s_mov_b32 s4, s60\ns_mov_b32 s5, s61\n{load}\ns_waitcnt vmcnt(0)\nds_read_b128 v[4:7], v1"
        result = run_assembly(
            text, v={0: address, 1: (LANES * 16 + 48).astype(U32)}, s={6: 4096, 7: 0x27000, 124: 32}, lds_bytes=2048,
            buffers=[source], chip="gfx950",
        )  # fmt: skip
        for word in range(4):
            np.testing.assert_array_equal(result.v(4 + word), address // 4 + 4 + word)


def test_buffer_to_lds_out_of_range_is_zero() -> None:
    source = np.full(64, 7, U32)
    text = (
        "s_mov_b32 s4, s60\ns_mov_b32 s5, s61\nbuffer_load_dword v0, s[4:7], 0 offen lds\ns_waitcnt vmcnt(0)\n"
        "ds_read_b32 v2, v0"
    )
    result = run_assembly(
        text, v={0: (LANES * 4).astype(U32)}, s={6: 128, 7: 0x27000, 124: 0}, lds_bytes=256, buffers=[source],
        chip="gfx950",
    )  # fmt: skip
    np.testing.assert_array_equal(result.v(2), np.where(LANES < 32, 7, 0))


@pytest.mark.parametrize("text", [
    "v_mfma_f32_16x16x8_xf32 v[0:3], v[4:5], v[6:7], v[0:3]",  # gfx950 dropped it
    "v_mfma_f32_16x16x128_f8f6f4 v[0:3], v[4:11], v[12:19], v[0:3] cbsz:5",
    "v_mfma_f32_16x16x128_f8f6f4 v[0:3], v[4:11], v[12:19], v[0:3] cbsz:4",  # fp4 takes four registers
])  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(EmulationError, match=text.split()[0]):
        run_assembly(text, chip="gfx950")


def test_other_chips_do_not_have_them() -> None:
    for text in ("ds_read_b64_tr_b16 v[0:1], v2", "global_load_lds_dwordx4 v[0:1], off",
                 "v_mfma_f32_16x16x32_f16 v[0:3], v[4:7], v[8:11], v[0:3]"):  # fmt: skip
        with pytest.raises(EmulationError, match="gfx942"):
            run_assembly(text)


def test_disassembly() -> None:
    """Bytes and LLVM's own text of what gfx950 added; gfx942 refuses them or reads something else."""
    lines = (Path(__file__).parent / "disassembly_gfx950.txt").read_text().splitlines()
    pairs = [line.split(maxsplit=1) for line in lines if not line.startswith("#")]
    assert len(pairs) > 50
    for code, text in pairs:
        raw = bytes.fromhex(code)
        decoded = disassemble(raw, chip="gfx950")
        assert [(item.text, item.size) for item in decoded] == [(text, len(raw))]
        with suppress(DisassemblyError):
            assert [item.text for item in disassemble(raw)] != [text]
    with pytest.raises(DisassemblyError, match="does not exist"):
        disassemble(bytes.fromhex("0000bed304210204"), chip="gfx950")  # XF32, which gfx950 dropped
