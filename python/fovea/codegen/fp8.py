# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Conversions between f32 and FP8 bytes.

v_cvt_pk_fp8_f32 and its kin convert to nearest even; an overflow becomes what the format has for it. gfx942 has them
for the FNUZ formats. An OCP format (E4M3FN, E5M2) has the same bits for half the value of FNUZ (its exponent bias is
one less), except for -0, infinities and NaN, which are put right with a few integer operations. gfx950 has them for the
OCP formats, and no way to the FNUZ formats: their largest values have no like there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from fovea.bindings import arith, ir, rocdl, vector
from fovea.codegen.types import lanes_of, shaped_like
from fovea.errors import UnsupportedOpError
from fovea.target import Chip


@dataclass(frozen=True)
class Format:
    """An 8-bit float. `overflow` is the byte of a value past the largest finite one, `nan` of NaN, `largest` the
    byte of the largest finite value `maximum`; a chip that has FNUZ computes OCP formats at half their value."""

    maximum: float
    pack: str
    unpack: str
    ocp: bool
    largest: int = 0
    overflow: int = 0
    nan: int = 0


FORMATS = {
    "f8E4M3FNUZ": Format(240.0, "cvt_pk_fp8_f32", "cvt_pk_f32_fp8", False),
    "f8E5M2FNUZ": Format(57344.0, "cvt_pk_bf8_f32", "cvt_pk_f32_bf8", False),
    "f8E4M3FN": Format(448.0, "cvt_pk_fp8_f32", "cvt_pk_f32_fp8", True, 0x7E, 0x7F, 0x7F),
    "f8E5M2": Format(57344.0, "cvt_pk_bf8_f32", "cvt_pk_f32_bf8", True, 0x7B, 0x7C, 0x7E),
}


_chip: ContextVar[Chip] = ContextVar("chip")


@contextmanager
def for_chip(chip: Chip) -> Iterator[None]:
    """Conversions built inside are those of `chip`."""
    token = _chip.set(chip)
    try:
        yield
    finally:
        _chip.reset(token)


def _format(name: str) -> tuple[Format, bool]:
    """The format, and whether the chip converts to and from it by itself."""
    chosen, chip = FORMATS[name], _chip.get()
    own = chip.fp8 is not None and chosen.ocp == (not chip.fp8.endswith("FNUZ"))
    if not own and not chosen.ocp:
        having = ", ".join(kind for kind, format_ in FORMATS.items() if format_.ocp)
        raise UnsupportedOpError(f"{chip.name} has no {name}; its 8-bit floats are {having}")
    return chosen, own


def _number(value: float | int, type_: Any) -> Any:
    """A scalar or splat constant."""
    element = type_.element_type if isinstance(type_, ir.VectorType) else type_
    kind = ir.FloatAttr if isinstance(element, ir.FloatType) else ir.IntegerAttr
    attribute = kind.get(element, value)
    if isinstance(type_, ir.VectorType):
        attribute = ir.DenseElementsAttr.get_splat(type_, attribute)
    return arith.ConstantOp(type_, attribute).result


def _scalars(value: Any) -> list[Any]:
    width = lanes_of(value)
    return [value] if width is None else [vector.ExtractOp(value, [], [i]).result for i in range(width)]


def from_f32(value: Any, format_: str, saturate: bool) -> Any:
    """FP8 bytes (i8 or vector of i8) of f32 `value`; past the largest finite value that value if `saturate`, else
    what the format has for an overflow."""
    chosen, own = _format(format_)
    if saturate:
        value = _clamped(value, chosen.maximum)
    if own:
        return _packed(value, chosen.pack)
    raw = _packed(arith.mulf(value, _number(0.5, value.type)), chosen.pack)
    i8 = raw.type
    byte: Callable[[int], Any] = lambda b: _number(b - 256 if b > 127 else b, i8)  # noqa: E731
    i32 = shaped_like(ir.IntegerType.get_signless(32), lanes_of(value))
    sign = arith.trunci(i8, arith.shrui(arith.bitcast(i32, value), _number(24, i32)))
    sign = arith.andi(sign, byte(0x80))
    magnitude = arith.andi(raw, byte(0x7F))
    # FNUZ has one NaN, 0x80, for overflow and NaN alike.
    failed = arith.cmpi(arith.CmpIPredicate.eq, raw, byte(0x80))
    past = arith.ori(failed, arith.cmpi(arith.CmpIPredicate.ugt, magnitude, byte(chosen.largest)))
    magnitude = arith.select(past, byte(chosen.overflow), magnitude)
    is_nan = arith.cmpf(arith.CmpFPredicate.UNO, value, value)
    magnitude = arith.select(is_nan, byte(chosen.nan), magnitude)
    return arith.ori(magnitude, sign)


def _clamped(value: Any, limit: float) -> Any:
    """`value` within +-limit; NaN stays NaN (med3 alone would drop it)."""
    results = []
    for scalar in _scalars(value):
        f32 = scalar.type
        clamped = rocdl.fmed3(f32, scalar, _number(-limit, f32), _number(limit, f32))
        is_nan = arith.cmpf(arith.CmpFPredicate.UNO, scalar, scalar)
        results.append(arith.select(is_nan, scalar, clamped))
    return results[0] if lanes_of(value) is None else vector.FromElementsOp(value.type, results).result


def _packed(value: Any, name: str) -> Any:
    """Bytes in the chip's own format, four to a register."""
    i8, i32 = ir.IntegerType.get_signless(8), ir.IntegerType.get_signless(32)
    scalars, pack = _scalars(value), getattr(rocdl, name)
    zero = _number(0, i32)
    if lanes_of(value) is None:
        return arith.trunci(i8, pack(i32, scalars[0], scalars[0], zero, False))
    words = []
    for i in range(0, len(scalars), 4):
        group = scalars[i : i + 4]
        word = pack(i32, group[0], group[min(1, len(group) - 1)], zero, False)
        if len(group) > 2:
            word = pack(i32, group[2], group[-1], word, True)
        words.append(word)
    packed = vector.FromElementsOp(ir.VectorType.get([len(words)], i32), words).result
    octets = vector.bitcast(ir.VectorType.get([4 * len(words)], i8), packed)
    if len(scalars) % 4 == 0:
        return octets
    return vector.ShuffleOp(octets, octets, list(range(len(scalars)))).result


def to_f32(value: Any, format_: str) -> Any:
    """f32 of FP8 bytes (i8 or vector of i8)."""
    chosen, own = _format(format_)
    i32, f32 = ir.IntegerType.get_signless(32), ir.F32Type.get()
    pair, unpack = ir.VectorType.get([2], f32), getattr(rocdl, chosen.unpack)
    results = []
    for octet in _scalars(value):
        word = arith.extui(i32, octet)
        number = vector.ExtractOp(unpack(pair, word, False), [], [0]).result
        results.append(number if own else _ocp_value(number, word, chosen))
    if lanes_of(value) is None:
        return results[0]
    return vector.FromElementsOp(ir.VectorType.get([len(results)], f32), results).result


def _ocp_value(fnuz: Any, word: Any, chosen: Format) -> Any:
    """The OCP value of a byte (zero-extended in `word`) whose FNUZ value is `fnuz`."""
    i32, f32 = word.type, fnuz.type
    sign = arith.shli(arith.andi(word, _number(0x80, i32)), _number(24, i32))
    magnitude = arith.andi(word, _number(0x7F, i32))
    doubled = arith.mulf(fnuz, _number(2.0, f32))
    zero = arith.cmpi(arith.CmpIPredicate.eq, magnitude, _number(0, i32))
    bits = arith.select(zero, sign, arith.bitcast(i32, doubled))
    special = arith.cmpi(arith.CmpIPredicate.ugt, magnitude, _number(chosen.largest, i32))
    infinite = _number(0x7F800000 if chosen.overflow != chosen.nan else 0x7FC00000, i32)
    if chosen.overflow != chosen.nan:
        is_nan = arith.cmpi(arith.CmpIPredicate.ne, magnitude, _number(chosen.overflow, i32))
        infinite = arith.select(is_nan, _number(0x7FC00000, i32), infinite)
    bits = arith.select(special, arith.ori(infinite, sign), bits)
    return arith.bitcast(f32, bits)
