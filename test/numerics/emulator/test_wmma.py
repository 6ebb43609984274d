# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""v_wmma_* and v_swmmac_* of gfx11 and gfx12: layouts with one-hot operands, values, signs, clamp, sparse indices.

Layouts are stated here as loops over lanes and values from the RDNA3 and RDNA4 guides ("Matrix Element Storage in
VGPRs", "Structured Sparse Matrices"), apart from the emulator's reshapes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from assembly_runner import run_assembly

from fovea.emulator import EmulationError
from fovea.emulator.wmma import SPARSE, TABLE

U32, F32 = np.uint32, np.float32
FORMATS: dict[str, tuple[int, Any]] = {
    "f16": (16, np.float16), "bf16": (16, ml_dtypes.bfloat16), "iu8": (8, np.int8), "iu4": (4, ml_dtypes.int4),
    "fp8": (8, ml_dtypes.float8_e4m3fn), "bf8": (8, ml_dtypes.float8_e5m2), "f32": (32, F32), "i32": (32, np.int32),
}  # fmt: skip
DENSE = ["f32_16x16x16_f16", "f32_16x16x16_bf16", "f16_16x16x16_f16", "bf16_16x16x16_bf16", "i32_16x16x16_iu8",
         "i32_16x16x16_iu4"]  # fmt: skip
ONLY_GFX12 = ["i32_16x16x32_iu4", *(f"f32_16x16x16_{a}_{b}" for a in ("fp8", "bf8") for b in ("fp8", "bf8"))]
INDEXED = ["f32_16x16x32_f16", "f32_16x16x32_bf16", "f16_16x16x32_f16", "bf16_16x16x32_bf16", "i32_16x16x32_iu8",
           "i32_16x16x32_iu4", "i32_16x16x64_iu4",
           *(f"f32_16x16x32_{a}_{b}" for a in ("fp8", "bf8") for b in ("fp8", "bf8"))]  # fmt: skip
GFX12 = ("gfx1200", "gfx1201")
CASES = [
    *((chip, f"v_wmma_{name}") for name in DENSE for chip in ("gfx1100", *GFX12)),
    *((chip, f"v_wmma_{name}") for name in ONLY_GFX12 for chip in GFX12),
]
SPARSE_CASES = [(chip, f"v_swmmac_{name}") for name in INDEXED for chip in GFX12]


@dataclass(frozen=True)
class Shape:
    """What a mnemonic says."""

    result: str
    k: int
    a: str
    b: str

    @classmethod
    def of(cls, name: str) -> Shape:
        match = re.fullmatch(r"v_\w+?_(\w+?)_16x16x(\d+)_(\w+)", name)
        assert match is not None
        a, _, b = match[3].partition("_")
        return cls(match[1], int(match[2]), a, b or a)

    @property
    def integer(self) -> bool:
        return self.result == "i32"


def place(chip: str, bits: int, k: int, at: int) -> list[tuple[int, int]]:
    """(lane group of 16, value in the lane) that hold index `at` of the sum, of `k`."""
    if chip == "gfx1100":
        return [(0, at), (1, at)]
    if bits == 16:
        # col[2] is the lane's group; blocks of 16 follow each other.
        block, column = divmod(at, 16)
        return [(column >> 2 & 1, 8 * block + (column >> 3) * 4 + column % 4)]
    return [(at // (k // 2), at % (k // 2))]


def sparse_place(bits: int, k: int, at: int) -> tuple[int, int]:
    """(lane group, value) of B for a sparse A: 16-bit values go in blocks of 16, eight to each group."""
    if bits == 16:
        block, column = divmod(at, 16)
        return column >> 3, 8 * block + column % 8
    return at // (k // 2), at % (k // 2)


def result_place(chip: str, row: int, column: int) -> tuple[int, int]:
    """(lane, result of the lane)."""
    return (row % 2 * 16 + column, row // 2) if chip == "gfx1100" else (row // 8 * 16 + column, row % 8)


def registers(codes: Any, bits: int) -> list[Any]:
    """Lane codes `(32, n)` packed from bit 0 on, as registers of 64 lanes."""
    per_word = 32 // bits
    words = []
    for first in range(0, codes.shape[1], per_word):
        part = codes[:, first : first + per_word].astype(np.uint64)
        word = sum(part[:, i] << np.uint64(bits * i) for i in range(part.shape[1]))
        words.append(np.concatenate([word, np.zeros(32, np.uint64)]).astype(U32))
    return words


def codes_of(values: Any, kind: str) -> Any:
    """Bit patterns of values."""
    bits, dtype = FORMATS[kind]
    if kind in ("iu8", "iu4"):
        return values.astype(np.int64) & (1 << bits) - 1
    return values.astype(dtype).view(f"u{bits // 8}")


def span(first: int, count: int) -> str:
    return f"v{first}" if count == 1 else f"v[{first}:{first + count - 1}]"


def lanes(chip: str, matrix: Any, kind: str, k: int, sparse: bool) -> list[Any]:
    """Registers of rows `(16, k)` of A, or of columns of B."""
    bits = FORMATS[kind][0]
    codes = codes_of(matrix, kind)
    per_lane = k if chip == "gfx1100" else k // 2
    held = np.zeros((32, per_lane), np.int64)
    for line in range(16):
        for at in range(k):
            spots = [sparse_place(bits, k, at)] if sparse else place(chip, bits, k, at)
            for group, value in spots:
                held[16 * group + line, value] = codes[line, at]
    return registers(held, bits)


def run(chip: str, name: str, v: dict[int, Any], operands: str, modifiers: str, c: Any, half: int = 0) -> Any:
    """Execute on C in v0..., return D `(16, 16)` and the raw destination registers."""
    shape = Shape.of(name)
    bits, dtype = FORMATS[shape.result]
    halved = bits == 16 and chip == "gfx1100"
    count = 4 if bits == 16 and not halved else 8
    held = np.zeros((32, 8), np.int64)
    codes = codes_of(c, shape.result)
    for row in range(16):
        for column in range(16):
            lane, at = result_place(chip, row, column)
            held[lane, at] = codes[row, column]
    if halved:
        v |= {i: np.concatenate([held[:, i] << 16 * half | 0xAAAA << 16 * (1 - half), np.zeros(32, np.int64)])
              .astype(U32) for i in range(8)}  # fmt: skip
    else:
        v |= dict(enumerate(registers(held, bits)))
    result = run_assembly(f"{name} {span(0, count)}, {operands} {modifiers}", v, exec_mask=1, chip=chip)
    raw = np.stack([result.v(i) for i in range(count)], axis=1)[:32]
    if halved:
        assert (raw >> U32(16 * (1 - half)) & U32(0xFFFF) == 0xAAAA).all()  # the other half is kept
        values = (raw >> U32(16 * half) & U32(0xFFFF)).astype(np.uint16)
    else:
        values = np.ascontiguousarray(raw).view(f"u{bits // 8}")
    found = np.zeros((16, 16), dtype)
    for row in range(16):
        for column in range(16):
            lane, at = result_place(chip, row, column)
            found[row, column] = values[lane, at : at + 1].view(dtype)[0]
    return found


def multiply(chip: str, name: str, a: Any, b: Any, c: Any, modifiers: str = "", half: int = 0) -> Any:
    """A `(16, k)` times B `(16, k)` transposed plus C."""
    shape = Shape.of(name)
    first, second = lanes(chip, a, shape.a, shape.k, False), lanes(chip, b, shape.b, shape.k, False)
    v = {8 + i: x for i, x in enumerate(first)} | {16 + i: x for i, x in enumerate(second)}
    bits = FORMATS[shape.result][0]
    if shape.integer and not modifiers:
        modifiers = "neg_lo:[1,1,0]"
    if half:
        modifiers += " op_sel:[0,0,1]"
    count = 4 if bits == 16 and chip != "gfx1100" else 8
    operands = f"{span(8, len(first))}, {span(16, len(second))}, {span(0, count)}"
    return run(chip, name, v, operands, modifiers, c, half)


def multiply_sparse(
    chip: str, name: str, packed: Any, index: Any, b: Any, c: Any, modifiers: str = "", key: int = 0
) -> Any:
    """Packed A `(16, k / 2)` at the places of `index` `(16, k / 4, 2)` times B `(16, k)` transposed plus C."""
    shape = Shape.of(name)
    bits, codes = FORMATS[shape.a][0], codes_of(packed, shape.a)
    held, indices = np.zeros((32, shape.k // 4), np.int64), np.zeros(32, np.int64)
    for row in range(16):
        for four in range(shape.k // 4):
            group, value = sparse_place(bits, shape.k, 4 * four)
            lane, pair = 16 * group + row, value // 4
            held[lane, 2 * pair : 2 * pair + 2] = codes[row, 2 * four : 2 * four + 2]
            low, high = index[row, four]
            indices[lane] |= (int(low) | int(high) << 2) << 4 * pair
    if shape.k < 64:
        indices = indices << 16 if key else indices | 0x5A5A << 16
    second = lanes(chip, b, shape.b, shape.k, True)
    first = registers(held, bits)
    v = {8 + i: x for i, x in enumerate(first)} | {16 + i: x for i, x in enumerate(second)}
    v[30] = np.concatenate([indices, np.zeros(32, np.int64)]).astype(U32)
    if shape.integer and not modifiers:
        modifiers = "neg_lo:[1,1,0]"
    operands = f"{span(8, len(first))}, {span(16, len(second))}, v30"
    return run(chip, name, v, operands, f"index_key:{key} {modifiers}" if key else modifiers, c)


def draw(shape: Shape, rng: np.random.Generator, *size: int) -> tuple[Any, Any, Any]:
    """Values of A `size`, B and C that their formats hold."""
    if shape.integer:
        most = 1 << FORMATS[shape.a][0] - 1
        a, b = rng.integers(-most, most, size), rng.integers(-most, most, (16, shape.k))
        return a, b, rng.integers(-(2**30), 2**30, (16, 16))
    a = rng.standard_normal(size).astype(FORMATS[shape.a][1]).astype(np.float64)
    b = rng.standard_normal((16, shape.k)).astype(FORMATS[shape.b][1]).astype(np.float64)
    return a, b, rng.standard_normal((16, 16)).astype(FORMATS[shape.result][1]).astype(np.float64)


def near(found: Any, exact: Any, result: str) -> None:
    """Equal after one rounding to the result's format, of sums below 64: half a unit (and f32's before bf16's)."""
    digits = {"f32": 24, "f16": 11, "bf16": 8}.get(result)
    if digits is None:
        np.testing.assert_array_equal(found, exact)
        return
    assert np.abs(exact).max() < 64
    error = np.abs(found.astype(np.float64) - exact)
    assert (error <= np.maximum(np.abs(exact), 2.0**-14) * 2.0**-digits * (1 + 2.0**-10)).all()


def test_every_row_is_tested() -> None:
    assert {name for _, name in CASES} == set(TABLE)
    assert {name for _, name in SPARSE_CASES} == set(SPARSE)


@pytest.mark.parametrize(("chip", "name"), CASES)
def test_one_hot(chip: str, name: str) -> None:
    """One 1 in A and one in B at the same k give one 1 in the result; at another k nothing."""
    shape = Shape.of(name)
    rng = np.random.default_rng(1)
    for _ in range(6):
        row, column, at = int(rng.integers(16)), int(rng.integers(16)), int(rng.integers(shape.k))
        a, b, c = np.zeros((16, shape.k)), np.zeros((16, shape.k)), np.zeros((16, 16))
        a[row, at] = b[column, at] = 1
        wanted = c.copy()
        wanted[row, column] = 1
        np.testing.assert_array_equal(multiply(chip, name, a, b, c), wanted)
        b[column] = np.roll(b[column], 1)
        np.testing.assert_array_equal(multiply(chip, name, a, b, c), c)


@pytest.mark.parametrize(("chip", "name"), CASES)
def test_values(chip: str, name: str) -> None:
    shape = Shape.of(name)
    a, b, c = draw(shape, np.random.default_rng(2), 16, shape.k)
    near(multiply(chip, name, a, b, c), a @ b.T + c, shape.result)


@pytest.mark.parametrize("name", ["v_wmma_f16_16x16x16_f16", "v_wmma_bf16_16x16x16_bf16"])
def test_upper_half_of_the_result(name: str) -> None:
    """gfx11: bit 2 of op_sel reads C from the upper halves and writes D there."""
    shape = Shape.of(name)
    a, b, c = draw(shape, np.random.default_rng(3), 16, 16)
    near(multiply("gfx1100", name, a, b, c, half=1), a @ b.T + c, shape.result)


@pytest.mark.parametrize("chip", ["gfx1100", *GFX12])
@pytest.mark.parametrize("name", [f"v_wmma_{name}" for name in DENSE[:4]])
def test_signs_of_floats(chip: str, name: str) -> None:
    """neg_lo negates the even k, neg_hi the odd ones; of C neg_hi takes the magnitude and neg_lo negates then."""
    shape = Shape.of(name)
    a, b, c = draw(shape, np.random.default_rng(4), 16, 16)
    even = np.where(np.arange(16) % 2, 1, -1)
    found = multiply(chip, name, a, b, c, "neg_lo:[1,0,1] neg_hi:[0,1,1]")
    near(found, (a * even) @ (b * -even).T - np.abs(c), shape.result)


@pytest.mark.parametrize(("chip", "name"), [case for case in CASES if "_iu" in case[1]])
@pytest.mark.parametrize("signs", [(0, 0), (1, 0), (0, 1)])
def test_signs_of_integers(chip: str, name: str, signs: tuple[int, int]) -> None:
    """Without its bit of neg_lo an operand is unsigned."""
    shape = Shape.of(name)
    a, b, c = draw(shape, np.random.default_rng(5), 16, shape.k)
    wide = 1 << FORMATS[shape.a][0]
    meant = [np.where((x < 0) & (not sign), x + wide, x) for x, sign in ((a, signs[0]), (b, signs[1]))]
    found = multiply(chip, name, a, b, c, f"neg_lo:[{signs[0]},{signs[1]},0]")
    np.testing.assert_array_equal(found, meant[0] @ meant[1].T + c)


@pytest.mark.parametrize(("chip", "name"), [case for case in CASES if "_iu" in case[1]])
def test_clamp(chip: str, name: str) -> None:
    """With clamp the sum saturates, without it wraps."""
    shape = Shape.of(name)
    a, b, _ = draw(shape, np.random.default_rng(6), 16, shape.k)
    c = np.where(np.arange(256).reshape(16, 16) % 2, 2**31 - 2, 2 - 2**31)
    exact = a @ b.T + c
    assert (np.abs(exact) >= 2**31).any()
    wrapped = (exact + 2**31) % 2**32 - 2**31
    np.testing.assert_array_equal(multiply(chip, name, a, b, c, "neg_lo:[1,1,0]"), wrapped)
    clamped = np.clip(exact, -(2**31), 2**31 - 1)
    np.testing.assert_array_equal(multiply(chip, name, a, b, c, "neg_lo:[1,1,0] clamp"), clamped)


def unpacked(packed: Any, index: Any) -> Any:
    """A with its zeros: values 2 g and 2 g + 1 are at 4 g + index."""
    full = np.zeros((16, 2 * packed.shape[1]))
    for row in range(16):
        for four, (low, high) in enumerate(index[row]):
            full[row, 4 * four + low], full[row, 4 * four + high] = packed[row, 2 * four], packed[row, 2 * four + 1]
    return full


def indices(rng: np.random.Generator, k: int) -> Any:
    """Ascending pairs of places."""
    pairs = np.array([(low, high) for low in range(4) for high in range(low + 1, 4)])
    return pairs[rng.integers(0, len(pairs), (16, k // 4))]


@pytest.mark.parametrize(("chip", "name"), SPARSE_CASES)
def test_sparse(chip: str, name: str) -> None:
    """One-hot operands for all four places of a group, then values; both halves of the index register."""
    shape = Shape.of(name)
    rng = np.random.default_rng(7)
    for number in range(6):
        index = indices(rng, shape.k)
        row, column, at = int(rng.integers(16)), int(rng.integers(16)), int(rng.integers(shape.k // 2))
        packed, b, c = np.zeros((16, shape.k // 2)), np.zeros((16, shape.k)), np.zeros((16, 16))
        packed[row, at] = 1
        b[column, 4 * (at // 2) + index[row, at // 2, at % 2]] = 1
        wanted = c.copy()
        wanted[row, column] = 1
        key = number % 2 if shape.k < 64 else 0
        np.testing.assert_array_equal(multiply_sparse(chip, name, packed, index, b, c, key=key), wanted)
        b[column] = np.roll(b[column], 1)
        np.testing.assert_array_equal(multiply_sparse(chip, name, packed, index, b, c, key=key), c)
    packed, b, c = draw(shape, rng, 16, shape.k // 2)
    index = indices(rng, shape.k)
    exact = unpacked(packed, index) @ b.T + c
    near(multiply_sparse(chip, name, packed, index, b, c), exact, shape.result)


@pytest.mark.parametrize("name", [name for chip, name in SPARSE_CASES if chip == "gfx1200" and "_iu" in name])
def test_sparse_unsigned_and_clamped(name: str) -> None:
    shape = Shape.of(name)
    rng = np.random.default_rng(8)
    packed, b, _ = draw(shape, rng, 16, shape.k // 2)
    index, c = indices(rng, shape.k), np.full((16, 16), 2**31 - 2)
    unsigned = np.where(b < 0, b + (1 << FORMATS[shape.b][0]), b)
    exact = unpacked(packed, index) @ unsigned.T + c
    found = multiply_sparse("gfx1200", name, packed, index, b, c, "neg_lo:[1,0,0] clamp")
    np.testing.assert_array_equal(found, np.clip(exact, -(2**31), 2**31 - 1))


@pytest.mark.parametrize("chip", ["gfx1100", "gfx1201"])
def test_constant_addends(chip: str) -> None:
    """An inline constant has the width of the result's format."""
    zeros = {n: np.zeros(64, U32) for n in range(8, 24)}
    for name, target, wanted in (
        ("f32_16x16x16_f16", 8, 0x3F800000), ("f16_16x16x16_f16", 0, 0x3C00), ("bf16_16x16x16_bf16", 0, 0x3F80),
    ):  # fmt: skip
        count = 8 if chip == "gfx1100" or target == 8 else 4
        source = 8 if chip == "gfx1100" else 4
        text = f"v_wmma_{name} {span(0, count)}, {span(8, source)}, {span(16, source)}, 1.0"
        v = zeros | {0: np.zeros(64, U32)}
        found = int(run_assembly(text, v, chip=chip).v(0)[0])
        packed = wanted if target == 8 or chip == "gfx1100" else wanted << 16 | wanted
        assert found == packed


@pytest.mark.parametrize(("chip", "text", "message"), [
    ("gfx1100", "v_wmma_f32_16x16x16_fp8_fp8 v[0:7], v[8:9], v[16:17], v[0:7]", "gfx1100"),
    ("gfx1100", "v_swmmac_f32_16x16x32_f16 v[0:7], v[8:11], v[16:23], v24", "gfx1100"),
    ("gfx1201", "v_wmma_f16_16x16x16_f16 v[0:3], v[8:11], v[16:19], v[0:3] op_sel:[0,0,1]", "op_sel"),
    ("gfx1201", "v_wmma_f32_16x16x16_fp8_fp8 v[0:7], v[8:9], v[16:17], v[0:7] neg_lo:[1,0,0]", "signs"),
    ("gfx1201", "v_swmmac_i32_16x16x64_iu4 v[0:7], v[8:9], v[16:19], v24 index_key:1", "index_key:1"),
    ("gfx942", "v_wmma_f32_16x16x16_f16 v[0:7], v[8:15], v[16:23], v[0:7]", "gfx942"),
])  # fmt: skip
def test_refused(chip: str, text: str, message: str) -> None:
    with pytest.raises(EmulationError, match=message):
        run_assembly(text, chip=chip)


def test_gfx11_operands_are_doubled() -> None:
    v: dict[int, Any] = {n: np.zeros(64, U32) for n in range(24)}
    v[8] = np.arange(64, dtype=U32) << U32(8)
    with pytest.raises(EmulationError, match="do not repeat"):
        run_assembly("v_wmma_f32_16x16x16_f16 v[0:7], v[8:15], v[16:23], v[0:7]", v=v, exec_mask=1, chip="gfx1100")
