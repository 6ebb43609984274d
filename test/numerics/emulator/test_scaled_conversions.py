# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""v_cvt_scalef32_* of gfx950, each from its description in the CDNA4 guide: value by value on exact numbers."""

from __future__ import annotations

import math
import re
import zlib
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from assembly_runner import run_assembly
from exact import finite, rounded
from narrow import OCP, Narrow, same

from fovea.emulator import EmulationError

U32 = np.uint32
WIDE: dict[str, tuple[Any, int]] = {"f32": (np.float32, 23), "f16": (np.float16, 10), "bf16": (ml_dtypes.bfloat16, 7)}
"""Type and stored mantissa bits."""
TO_NARROW = [
    *(f"{form}_{narrow}_{wide}" for narrow in ("fp8", "bf8") for wide in WIDE for form in ("pk", "sr")),
    *(f"{form}_fp4_{wide}" for wide in WIDE for form in ("pk", "sr_pk")),
    *(f"{'2xpk16' if wide == 'f32' else 'pk32'}_{narrow}_{wide}" for narrow in ("fp6", "bf6") for wide in WIDE),
    *(f"sr_pk32_{narrow}_{wide}" for narrow in ("fp6", "bf6") for wide in WIDE),
]
TO_WIDE = [
    *(f"{wide}_{narrow}" for wide in ("f32", "f16") for narrow in ("fp8", "bf8")),
    *(f"pk_{wide}_{narrow}" for wide in WIDE for narrow in ("fp8", "bf8", "fp4")),
    *(f"pk32_{wide}_{narrow}" for wide in WIDE for narrow in ("fp6", "bf6")),
]
TESTED = {f"v_cvt_scalef32_{name}" for name in TO_NARROW + TO_WIDE}
SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 1e-40, -6e-8, 448.0, 464.0, 57344.0, 61440.0, 0.25, -1.75, 5.0]


def parse(name: str) -> tuple[str, str, int, bool]:
    """(first format, second format, values, stochastic)."""
    match = re.fullmatch(r"(?:(sr)_?)?(?:(2xpk16|pk32|pk)_)?(\w+?)_(\w+)", name)
    assert match is not None
    count = {None: 1, "pk": 2, "pk32": 32, "2xpk16": 32}[match[2]]
    return match[3], match[4], count, match[1] is not None


def wide_values(wide: str, count: int, rng: np.random.Generator) -> Any:
    """`(64, count)` values that the format holds, special ones among them."""
    values = rng.standard_normal((64, count)) * np.exp2(rng.integers(-6, 6, (64, count)))
    flat = values.reshape(-1)
    flat[rng.choice(flat.size, min(len(SPECIAL) * 2, flat.size // 2), replace=False)] = np.resize(
        SPECIAL, min(len(SPECIAL) * 2, flat.size // 2)
    )
    with np.errstate(all="ignore"):
        return values.astype(WIDE[wide][0])


def scales(rng: np.random.Generator) -> tuple[Any, list[float]]:
    """Scale operands, whose mantissas and signs do not count, and the powers of two; one is not a number."""
    codes = rng.integers(121, 134, 64)
    codes[5], codes[6], codes[7] = 255, 1, 254
    noise = rng.integers(0, 2**23, 64) | rng.integers(0, 2, 64) << 31
    powers = [math.nan if code == 255 else 2.0 ** (int(code) - 127) for code in codes]
    return (codes << 23 | noise).astype(np.uint64).astype(U32), powers


def as_registers(values: Any) -> list[Any]:
    """`(64, n)` values as whole registers."""
    raw = np.ascontiguousarray(values).view(np.uint8).reshape(64, -1)
    raw = np.pad(raw, ((0, 0), (0, -raw.shape[1] % 4)), constant_values=0x5A)
    return list(np.ascontiguousarray(raw).view(U32).T)


def next_random(x: int) -> int:
    """V_PRNG_B32."""
    return (x << 1 ^ 197 * (x >> 31)) & 0xFFFFFFFF


def over(x: float, power: float) -> float | Fraction:
    """x / power, the sign of x kept where the scale is not a number."""
    if math.isnan(power):
        return math.copysign(math.nan, x)
    return Fraction(x) / Fraction(power) if finite(x) and x else x


def span(first: int, count: int) -> str:
    return f"v{first}" if count == 1 else f"v[{first}:{first + count - 1}]"


def expected_codes(kind: Narrow, values: Any, powers: list[float], seeds: Any, stored: int, saturate: bool) -> Any:
    """Codes `(64, count)`; -1 is any NaN. Every further value takes the generator's next number."""
    out = np.zeros(values.shape, np.int64)
    for lane in range(64):
        state = int(seeds[lane]) if seeds is not None else 0
        for n, x in enumerate(values[lane]):
            scaled = over(float(x), powers[lane])
            if seeds is None:
                out[lane, n] = kind.nearest(scaled, saturate)
            else:
                out[lane, n] = kind.stochastic(scaled, state, stored, saturate)
                state = next_random(state)
    return out


@pytest.mark.parametrize("name", TO_NARROW)
@pytest.mark.parametrize("saturate", [False, True])
def test_to_narrow(name: str, saturate: bool) -> None:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    narrow, wide, count, stochastic = parse(name)
    kind, (_, stored) = OCP[narrow], WIDE[wide]
    values = wide_values(wide, count, rng)
    scale, powers = scales(rng)
    seeds = rng.integers(0, 2**32, 64, dtype=np.uint64).astype(U32) if stochastic else None
    if wide == "f32" and not stochastic and count > 1:
        # Two sources; of those with 16 values each the results alternate.
        sources = [as_registers(values[:, n::2]) for n in range(2)]
    else:
        sources = [as_registers(values)]
    v: dict[int, Any] = {}
    operands, at = [], 10
    for registers in sources:
        v |= {at + i: x for i, x in enumerate(registers)}
        operands.append(span(at, len(registers)))
        at += len(registers)
    if seeds is not None:
        v[at] = seeds
        operands.append(f"v{at}")
    v[at + 1] = scale
    operands.append(f"v{at + 1}")
    bits = kind.bits * count
    size = max(bits // 32, 1)
    wanted = expected_codes(kind, values, powers, seeds, stored, saturate)
    places: list[tuple[str, int]] = [("", 0)]
    if bits == 16:
        places += [(f" op_sel:[0,0,{'0,' * (len(operands) == 3)}1]", 16)]
    elif bits == 8:
        places += [(f" op_sel:[0,0,{n & 1},{n >> 1}]", 8 * n) for n in (1, 2, 3)]
    for select, shift in places:
        v |= {i: np.full(64, 0xA5A5A5A5, U32) for i in range(size)}
        text = f"v_cvt_scalef32_{name} {span(0, size)}, {', '.join(operands)}{select}"
        result = run_assembly(text, v, saturate=saturate, chip="gfx950")
        for lane in range(64):
            stream = sum(int(result.v(i)[lane]) << 32 * i for i in range(size))
            if bits < 32:
                kept = ((1 << bits) - 1 << shift) ^ 0xFFFFFFFF
                assert stream & kept == 0xA5A5A5A5 & kept
            for n in range(count):
                code = stream >> shift + kind.bits * n & (1 << kind.bits) - 1
                assert same(code, int(wanted[lane, n]), kind), (name, values[lane, n], powers[lane], code)


@pytest.mark.parametrize("name", TO_WIDE)
def test_to_wide(name: str) -> None:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    wide, narrow, count, _ = parse(name)
    kind, (dtype, _) = OCP[narrow], WIDE[wide]
    per_register = 32 // kind.bits if count < 32 else 32
    codes = rng.integers(0, 1 << kind.bits, (64, per_register))
    codes.reshape(-1)[: min(1 << kind.bits, codes.size)] = np.arange(1 << kind.bits)[: codes.size]
    streams = [sum(int(code) << kind.bits * n for n, code in enumerate(lane)) for lane in codes]
    source_registers = kind.bits if count == 32 else 1
    scale, powers = scales(rng)
    v: dict[int, Any] = {
        40 + i: np.array([stream >> 32 * i & 0xFFFFFFFF for stream in streams], np.uint64).astype(U32)
        for i in range(source_registers)
    }
    v[50] = scale
    size = max(count // (1 if wide == "f32" else 2), 1)
    single_half = wide == "f16" and count == 1
    steps = 1 if count == 32 else 32 // kind.bits // count
    for step in range(steps):
        for high in (0, 1) if single_half else (0,):
            select = f" op_sel:[{step & 1},{step >> 1},{high}]" if step or high else ""
            v |= {i: np.full(64, 0xA5A5A5A5, U32) for i in range(size)}
            text = f"v_cvt_scalef32_{name} {span(0, size)}, {span(40, source_registers)}, v50{select}"
            result = run_assembly(text, v, chip="gfx950")
            raw = np.ascontiguousarray(np.stack([result.v(i) for i in range(size)], axis=1))
            found = raw.view(dtype).reshape(64, -1)
            if single_half:
                assert (raw[:, 0] >> U32(16 * (1 - high)) & U32(0xFFFF) == 0xA5A5).all()
                found = found[:, high : high + 1]
            for lane in range(64):
                for n in range(count):
                    x = kind.decode(int(codes[lane, count * step + n]))
                    exact = x * powers[lane] if not finite(x) or not finite(powers[lane]) or x == 0 else Fraction(
                        x) * Fraction(powers[lane])
                    wanted = rounded(exact, wide)
                    value = float(found[lane, n])
                    assert value == wanted or (value != value and wanted != wanted), (name, x, powers[lane], value)


def test_signs_and_constants() -> None:
    values = np.linspace(-4, 4, 64).astype(np.float32)
    text = "v_mov_b32 v4, 0\nv_cvt_scalef32_pk_fp4_f32 v4, -v0, |v0|, 2.0\nv_cvt_scalef32_sr_fp8_f16 v5, -v1, 0, 1.0"
    halves = values.astype(np.float16).view(np.uint16).astype(U32)
    result = run_assembly(text, {0: values, 1: halves, 5: np.zeros(64, U32)}, chip="gfx950")
    fp4, fp8 = OCP["fp4"], OCP["fp8"]
    for lane, x in enumerate(values.tolist()):
        low, high = (fp4.nearest(Fraction(y) / 2 if y else y) for y in (-x, abs(x)))
        assert int(result.v(4)[lane]) == low | high << 4
        assert int(result.v(5)[lane]) == fp8.stochastic(-float(np.float16(x)), 0, 10)


@pytest.mark.parametrize("text", [
    "v_cvt_scalef32_pk_fp8_f16 v1, -v2, v3",  # which halves a sign means is not stated
    "v_cvt_scalef32_pk32_fp6_f16 v[0:5], v[6:21], v22 op_sel:[1,0,0]",
    "v_cvt_scalef32_pk_f32_fp8 v[0:1], v2",
])  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(EmulationError, match="not supported"):
        run_assembly(text, chip="gfx950")
