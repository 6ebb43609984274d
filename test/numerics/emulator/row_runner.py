# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs one vector instruction on edge cases and random values, and compares with a formula on Python numbers.

A `Case` states an instruction apart from the emulator's tables: `sources` and `results` are kinds (u32, i64, f16, ...;
`pk_` for both halves or a pair of registers, `2u16` for a formula that wants the halves as a tuple, `mask` for a bit a
lane) and `function` takes and gives numbers.
"""

from __future__ import annotations

import itertools
import math
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import ml_dtypes
import numpy as np
from assembly_runner import Result, run_assembly

U32 = np.uint32
WAVES = 4
LANES = 64 * WAVES
_INTEGERS = (0, 1, 2, 3, 31, 32, 63, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000,
             0xFFFFFFFF, 0xAAAAAAAA, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF)  # fmt: skip
_FLOATS = (0.0, 1.0, 0.5, 1.5, 2.5, 3.0, 0.75, 4095.5, math.inf, math.nan)
_NUMPY: dict[str, Any] = {"f16": np.float16, "bf16": ml_dtypes.bfloat16, "f32": np.float32, "f64": np.float64}


@dataclass(frozen=True)
class Case:
    """One instruction. `text` replaces the usual operand list, `constants` are sources that stand in it as literals."""

    name: str
    results: tuple[str, ...]
    sources: tuple[str, ...]
    function: Callable[..., Any]
    chip: str = "gfx942"
    text: str = ""
    constants: tuple[tuple[int, Any], ...] = ()
    accumulate: bool = False
    tolerance: Callable[..., float] | None = None
    """For sums in an order that the guides leave open: how far off a result may be, from the sources."""
    limits: tuple[tuple[int, float, float], ...] = ()
    """(source, lowest, highest value) where a formula holds in a range only."""


def cases(table: dict[str, Callable[..., Any]], **options: Any) -> list[Case]:
    """Cases from `{"name: result[,result] <- source source": formula}`."""
    made = []
    for line, function in table.items():
        name, _, signature = line.partition(":")
        results, _, sources = signature.partition("<-")
        made.append(Case(name, tuple(results.replace(",", " ").split()), tuple(sources.split()), function, **options))
    return made


def each(kinds: tuple[str, ...], table: dict[str, Callable[[str], Callable[..., Any]]], **options: Any) -> list[Case]:
    """One case a kind: `T` in a line stands for it, and the formula is made for it."""
    return [
        case
        for kind in kinds
        for case in cases({line.replace("T", kind): make(kind) for line, make in table.items()}, **options)
    ]


def split(kind: str) -> tuple[str, str]:
    """("pk_" or "2" or "", the scalar kind)."""
    match = re.match(r"(pk_|2|4)?(.*)", kind)
    assert match is not None
    return match[1] or "", match[2]


def samples(kind: str, count: int, rng: np.random.Generator) -> list[Any]:
    """Values of a scalar kind: edge cases and random ones."""
    if kind == "mask":
        return [bool(x) for x in rng.integers(0, 2, count)]
    bits = int(kind.lstrip("ubif"))
    if kind[0] in "ui":
        whole = [int(x) for x in _INTEGERS if x < 1 << bits]
        random = [int(x) for x in rng.integers(0, 1 << min(bits, 63), count - count // 4, dtype=np.uint64)]
        small = [int(x) for x in rng.integers(0, 70, count // 4)]
        values = whole + random + small
        return [x - (1 << bits) if kind[0] == "i" and x >> bits - 1 else x for x in values]
    info: Any = ml_dtypes.finfo(_NUMPY[kind])
    tiny, least, most = float(info.tiny), float(info.smallest_subnormal), float(info.max)
    positive = [*_FLOATS, tiny, least, most, tiny - least, most / 2, 1 + float(info.eps), 1 - float(info.eps)]
    edges = positive + [-x for x in positive]
    spread = rng.standard_normal(count) * np.exp2(rng.integers(-20, 20, count) / (2 if kind == "f16" else 1))
    return [float(_NUMPY[kind](x)) for x in edges] + [float(_NUMPY[kind](x)) for x in spread]


def draw(case: Case) -> list[list[Any]]:
    """For each source the value of every lane: pairs of edge cases first, then random mixtures."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    columns: list[list[Any]] = []
    for number, kind in enumerate(case.sources):
        many, scalar = split(kind)
        size = {"": 1, "4": 4}.get(many, 2)
        pool = samples(scalar, 96, rng)
        for at, least, most in case.limits:
            if at == number:
                pool = [x for x in pool if least <= x <= most]
        # Half of the lanes combine edge cases only, which come first.
        reach = [min(len(pool), 34) if lane % 2 else len(pool) for lane in range(LANES)]
        lanes = [tuple(pool[i] for i in rng.integers(0, high, size)) for high in reach]
        columns.append([lane if size > 1 else lane[0] for lane in lanes])
    if len(columns) == 1:
        pool = samples(split(case.sources[0])[1], 96, rng)
        if not split(case.sources[0])[0]:
            columns[0][: len(pool)] = pool[:LANES]
    elif len(columns) == 2 and not any(split(kind)[0] for kind in case.sources) and not case.limits:
        heads = [samples(kind, 96, rng)[:12] for kind in case.sources]
        for lane, (a, b) in enumerate(itertools.product(*heads)):
            columns[0][lane], columns[1][lane] = a, b
    for number, value in case.constants:
        columns[number] = [value] * LANES
    return columns


def encode(value: Any, kind: str) -> int:
    """Bit pattern of a number of a scalar kind."""
    bits = int(kind.lstrip("ubif"))
    if kind[0] in "ui":
        return int(value) & (1 << bits) - 1
    with np.errstate(all="ignore"):
        return int(np.array(value, _NUMPY[kind]).view(f"u{bits // 8}"))


def words(values: list[Any], kind: str, rng: np.random.Generator) -> list[Any]:
    """Registers that hold a source: `(wave, lane)` each. Unused upper halves hold anything."""
    scalar = split(kind)[1]
    bits = int(scalar.lstrip("ubif"))
    items = [v if isinstance(v, tuple) else (v,) for v in values]
    codes = [sum(encode(x, scalar) << bits * i for i, x in enumerate(item)) for item in items]
    total = max(bits * len(items[0]), 32)
    if bits * len(items[0]) < 32:
        codes = [code | int(rng.integers(1 << 16)) << 16 for code in codes]
    return [
        np.array([code >> 32 * word & 0xFFFFFFFF for code in codes], np.uint64).astype(U32).reshape(WAVES, 64)
        for word in range(total // 32)
    ]


def span(letter: str, first: int, count: int) -> str:
    """A register or a range of them."""
    return f"{letter}{first}" if count == 1 else f"{letter}[{first}:{first + count - 1}]"


def mask_bits(lanes: list[bool]) -> Any:
    """Lane masks of the waves, one 64-bit number each."""
    return np.packbits(np.array(lanes).reshape(WAVES, 64), axis=1, bitorder="little").view(np.uint64)[:, 0]


def width(kind: str) -> int:
    """Registers that a result takes."""
    many, scalar = split(kind)
    return 1 if scalar == "mask" else max(int(scalar.lstrip("ubif")) * {"": 1, "4": 4}.get(many, 2) // 32, 1)


def run_case(case: Case) -> tuple[list[list[Any]], Result, list[int]]:
    """Run it on all lanes; returns the sources, the result and the first register of each result."""
    rng = np.random.default_rng(3)
    columns = draw(case)
    narrow = case.chip.startswith("gfx1")
    v: dict[int, Any] = {}
    s: dict[int, Any] = {}
    operands: list[str] = []
    literals = {number for number, _ in case.constants}
    register = 2
    for number, (kind, values) in enumerate(zip(case.sources, columns, strict=True)):
        if kind == "mask":
            bits = mask_bits(values)
            s[106], s[107] = bits & np.uint64(0xFFFFFFFF), bits >> np.uint64(32)
            operands.append("vcc_lo" if narrow else "vcc")
            continue
        if number in literals:
            operands.append(hex(encode(values[0], kind)))
            continue
        register += register % 2
        parts = words(values, kind, rng)
        v |= {register + i: part for i, part in enumerate(parts)}
        operands.append(span("v", register, len(parts)))
        register += len(parts)
    targets, names = [], []
    for kind in case.results:
        if kind == "mask":
            targets.append(10)
            names.append("s10" if narrow else "s[10:11]")
            continue
        count = width(kind)
        if case.accumulate:
            # The last source is the destination.
            first = register - count
            operands.pop()
        else:
            first = 40
            v |= {first + i: np.full(64, 0xDEADBEEF, U32) for i in range(count)}
        targets.append(first)
        names.append(span("v", first, count))
    text = (case.text or f"{case.name} " + ", ".join([*names, *operands])).format(*operands, d=names[0])
    exec_mask = 0xFFFFFFFF if narrow else 2**64 - 1
    return columns, run_assembly(text, v, s, waves=WAVES, exec_mask=exec_mask, chip=case.chip), targets


KEEPS_UPPER_HALF = {
    "v_mad_f16", "v_mad_u16", "v_mad_i16", "v_fma_f16", "v_div_fixup_f16", "v_ashr_pk_i8_i32", "v_ashr_pk_u8_i32",
}  # fmt: skip
"""Results of gfx9 that leave the upper half of their register alone (CDNA4 guide); others of 16 bits clear it."""


def read(result: Result, first: int, kind: str, narrow: bool, upper: int | None) -> list[Any]:
    """Codes of a result for every lane, wave after wave: an integer, or a tuple of them for packed kinds."""
    if kind == "mask":
        pairs = [[result.s64(first, wave) >> lane & 1 for lane in range(64)] for wave in range(WAVES)]
        return [bool(bit) for wave in pairs for bit in wave]
    many, scalar = split(kind)
    bits, count = int(scalar.lstrip("ubif")), width(kind)
    raw = np.stack([result.vector[first + i] for i in range(count)], axis=-1).reshape(LANES, count)
    if bits < 32 and not many:
        active = np.arange(LANES) % 64 < (32 if narrow else 64)
        assert upper is None or (raw[active, 0] >> U32(bits) == upper).all()
        return [int(x) for x in raw[:, 0] & U32((1 << bits) - 1)]
    codes = np.ascontiguousarray(raw).view(f"u{bits // 8}")
    return [tuple(int(x) for x in row) if many else int(row[0]) for row in codes]


def same(found: int, wanted: Any, kind: str) -> bool:
    """Bit for bit, any NaN equal to any NaN."""
    if kind[0] in "fb" and wanted != wanted:
        bits = int(kind.lstrip("bf"))
        return bool(np.isnan(np.array(found, f"u{bits // 8}").view(_NUMPY[kind])))
    return found == encode(wanted, kind)


def check(case: Case) -> None:
    """Fail with the sources of the first lane that differs."""
    columns, result, targets = run_case(case)
    narrow = case.chip.startswith("gfx1")
    # The upper half that a destination had, or zero; where it is a source, that half holds anything.
    upper = 0xDEAD if narrow or case.name in KEEPS_UPPER_HALF else 0
    found = [
        read(result, first, kind, narrow, None if case.accumulate and narrow else upper)
        for first, kind in zip(targets, case.results, strict=True)
    ]
    if case.name.startswith("v_cmpx"):
        assert [result.s64(126, wave) for wave in range(WAVES)] == [result.s64(10, wave) for wave in range(WAVES)]
    packed = split(case.results[0])[0] == "pk_"
    for lane in range(LANES):
        if narrow and lane % 64 >= 32:
            continue
        sources = [column[lane] for column in columns]
        if packed:
            halves = [[x[i] if isinstance(x, tuple) else x for x in sources] for i in range(2)]
            wanted: Any = (tuple(case.function(*half) for half in halves),)
        else:
            wanted = case.function(*sources)
            wanted = wanted if len(case.results) > 1 else (wanted,)
        for kind, lanes, value in zip(case.results, found, wanted, strict=True):
            message = f"{case.name} of {sources}: {lanes[lane]}, expected {value}"
            scalar = split(kind)[1]
            if kind == "mask":
                assert lanes[lane] == bool(value), message
            elif case.tolerance is not None and math.isfinite(value):
                number = float(np.array(lanes[lane], f"u{int(scalar.lstrip('bf')) // 8}").view(_NUMPY[scalar]))
                assert abs(number - value) <= case.tolerance(*sources), message
            elif isinstance(lanes[lane], tuple):
                assert all(same(a, b, scalar) for a, b in zip(lanes[lane], value, strict=True)), message
            else:
                assert same(lanes[lane], value, scalar), message


def on(chip: str, made: list[Case]) -> list[Case]:
    """The same cases on another chip."""
    return [replace(case, chip=chip) for case in made]
