# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What each `arith` and `math` op does, elementwise on arrays: tables from op name to numpy function.

`elementwise(op)` returns the function of one op, its attributes and types bound. Functions take and return arrays (or
numpy scalars) of the dtypes in `types.DTYPES`; a function of several results returns a tuple.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.errors import UnsupportedOpError
from fovea.executor import special
from fovea.executor.types import convert, dtype_of, is_float, is_small_float, location_text

Array = np.ndarray[Any, Any]
Function = Callable[..., Any]


def as_signed(x: Array) -> Array:
    """An integer array as signed; a true i1 is -1."""
    return -x.astype(np.int8) if x.dtype == np.bool_ else x


def as_unsigned(x: Array) -> Array:
    """An integer array as unsigned, bits kept."""
    x = np.asarray(x)
    return x.astype(np.uint8) if x.dtype == np.bool_ else x.view(f"u{x.dtype.itemsize}")


def to_integer(x: Array, dtype: np.dtype[Any]) -> Array:
    """The low bits of an integer array as `dtype`."""
    return (x & 1).astype(np.bool_) if dtype == np.bool_ else x.astype(dtype)


def _signed(function: Function) -> Function:
    """An integer op that reads its operands as signed and returns their type."""
    return lambda *xs: to_integer(function(*map(as_signed, xs)), np.asarray(xs[0]).dtype)


def _unsigned(function: Function) -> Function:
    """An integer op that reads its operands as unsigned and returns their type."""
    return lambda *xs: to_integer(function(*map(as_unsigned, xs)), np.asarray(xs[0]).dtype)


def _divide_to_zero(a: Array, b: Array) -> Array:
    quotient = a // b
    return quotient + ((a % b != 0) & ((a < 0) != (b < 0)))


def _divide_up(a: Array, b: Array) -> Array:
    return a // b + (a % b != 0)


def _divide_up_unsigned(a: Array, b: Array) -> Array:
    return a // b + (a % b != 0).astype(a.dtype)


def _shift_right(a: Array, b: Array) -> Array:
    return a >> b


def _wide(function: Function) -> Function:
    """Floats narrower than f32 through f32: numpy has no such function for them, or rounds within it."""

    def run(*xs: Array) -> Array:
        dtype = np.asarray(xs[0]).dtype
        if not is_small_float(dtype):
            return function(*xs)
        return function(*(x.astype(np.float32) if is_float(x.dtype) else x for x in xs)).astype(dtype)

    return run


def _power(x: Array, n: Array) -> Array:
    """x**n, n an integer; exact squares and cubes, where pow() is slow."""
    n = np.asarray(n)
    if n.ndim == 0 or not any(n.strides):
        exponent = int(n[(0,) * n.ndim])
        if exponent == 2:
            return x * x
        if exponent == 3:
            return x * x * x
    return np.power(x, n.astype(x.dtype))


def _integer_power(x: Array, n: Array) -> Array:
    """x**n in wrapping integers; a negative exponent leaves 1/x truncated, which only +-1 survive."""
    x, n = np.broadcast_arrays(x, n)
    result = np.power(x, np.maximum(n, 0))
    inverse = np.where(np.abs(x) == 1, np.where(n % 2 == 0, x * x, x), 0)
    return np.where(n < 0, inverse, result).astype(x.dtype)


def _count_leading_zeros(x: Array) -> Array:
    bits, left = 8 * x.dtype.itemsize, as_unsigned(x).astype(np.uint64)
    count = np.zeros(left.shape, np.int64)
    for bit in range(bits):
        count = np.where(left >> np.uint64(bit) & np.uint64(1), bits - 1 - bit, np.where(left == 0, bits, count))
    return count.astype(x.dtype)


def _count_trailing_zeros(x: Array) -> Array:
    lowest = as_unsigned(x & -x)
    count = np.log2(np.maximum(lowest, 1).astype(np.float64))
    return np.where(x == 0, 8 * x.dtype.itemsize, count).astype(x.dtype)


def _float_remainder(a: Array, b: Array) -> Array:
    return np.fmod(a, b)


# One name or several that take operands of one type and return it.
PLAIN: dict[str, Function] = {
    "arith.addf": np.add,
    "arith.subf": np.subtract,
    "arith.mulf": np.multiply,
    "arith.divf": np.divide,
    "arith.remf": _wide(_float_remainder),
    "arith.negf": np.negative,
    "arith.maximumf": np.maximum,  # NaN if either is
    "arith.minimumf": np.minimum,
    "arith.maxnumf": np.fmax,  # the other one if one is NaN
    "arith.minnumf": np.fmin,
    "arith.addi": _signed(np.add),
    "arith.subi": _signed(np.subtract),
    "arith.muli": _signed(np.multiply),
    "arith.divsi": _signed(_divide_to_zero),
    "arith.floordivsi": _signed(np.floor_divide),
    "arith.ceildivsi": _signed(_divide_up),
    "arith.remsi": _signed(np.fmod),
    "arith.divui": _unsigned(np.floor_divide),
    "arith.ceildivui": _unsigned(_divide_up_unsigned),
    "arith.remui": _unsigned(np.remainder),
    "arith.andi": np.bitwise_and,
    "arith.ori": np.bitwise_or,
    "arith.xori": np.bitwise_xor,
    "arith.shli": _unsigned(np.left_shift),
    "arith.shrsi": _signed(_shift_right),
    "arith.shrui": _unsigned(_shift_right),
    "arith.maxsi": _signed(np.maximum),
    "arith.minsi": _signed(np.minimum),
    "arith.maxui": _unsigned(np.maximum),
    "arith.minui": _unsigned(np.minimum),
    "arith.select": np.where,
    "math.absf": np.abs,
    "math.absi": _signed(np.abs),
    "math.acos": _wide(np.arccos),
    "math.acosh": _wide(np.arccosh),
    "math.asin": _wide(np.arcsin),
    "math.asinh": _wide(np.arcsinh),
    "math.atan": _wide(np.arctan),
    "math.atan2": _wide(np.arctan2),
    "math.atanh": _wide(np.arctanh),
    "math.cbrt": _wide(np.cbrt),
    "math.ceil": np.ceil,
    "math.clampf": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "math.copysign": np.copysign,
    "math.cos": _wide(np.cos),
    "math.cosh": _wide(np.cosh),
    "math.ctlz": _count_leading_zeros,
    "math.ctpop": lambda x: np.bitwise_count(as_unsigned(x)).astype(x.dtype),
    "math.cttz": _count_trailing_zeros,
    "math.erf": _wide(special.erf),
    "math.erfc": _wide(special.erfc),
    "math.exp": _wide(np.exp),
    "math.exp2": _wide(np.exp2),
    "math.expm1": _wide(np.expm1),
    "math.floor": np.floor,
    "math.fma": _wide(lambda a, b, c: a * b + c),
    "math.fpowi": _wide(_power),
    "math.ipowi": _signed(_integer_power),
    "math.isfinite": np.isfinite,
    "math.isinf": np.isinf,
    "math.isnan": np.isnan,
    "math.log": _wide(np.log),
    "math.log10": _wide(np.log10),
    "math.log1p": _wide(np.log1p),
    "math.log2": _wide(np.log2),
    "math.powf": _wide(np.power),
    "math.round": _wide(special.round_half_away),
    "math.roundeven": np.rint,
    "math.rsqrt": _wide(lambda x: np.reciprocal(np.sqrt(x))),
    "math.sin": _wide(np.sin),
    "math.sincos": lambda x: (_wide(np.sin)(x), _wide(np.cos)(x)),
    "math.sinh": _wide(np.sinh),
    "math.sqrt": np.sqrt,
    "math.tan": _wide(np.tan),
    "math.tanh": _wide(np.tanh),
    "math.trunc": np.trunc,
}


_PREDICATES = ("math.isfinite", "math.isinf", "math.isnan")
IN_PLACE = frozenset(n for n, f in PLAIN.items() if isinstance(f, np.ufunc) and n not in _PREDICATES)
"""Names of the ops that are one ufunc and give what they take: the result may be written to an array that is given."""


def _either_nan(a: Array, b: Array) -> Array:
    return np.isnan(a) | np.isnan(b)


# arith.cmpf's predicates in the order of their numbers: "o" is false and "u" true when an operand is NaN.
COMPARE_FLOAT: tuple[Function, ...] = (
    lambda a, b: np.zeros(np.broadcast_shapes(np.shape(a), np.shape(b)), np.bool_),
    np.equal,
    np.greater,
    np.greater_equal,
    np.less,
    np.less_equal,
    lambda a, b: (a < b) | (a > b),
    lambda a, b: ~_either_nan(a, b),
    lambda a, b: (a == b) | _either_nan(a, b),
    lambda a, b: ~(a <= b),
    lambda a, b: ~(a < b),
    lambda a, b: ~(a >= b),
    lambda a, b: ~(a > b),
    np.not_equal,
    _either_nan,
    lambda a, b: np.ones(np.broadcast_shapes(np.shape(a), np.shape(b)), np.bool_),
)


def _compare_signed(function: Function) -> Function:
    return lambda a, b: function(as_signed(a), as_signed(b))


def _compare_unsigned(function: Function) -> Function:
    return lambda a, b: function(as_unsigned(a), as_unsigned(b))


# arith.cmpi's predicates in the order of their numbers: eq, ne, then slt sle sgt sge, then ult ule ugt uge.
COMPARE_INTEGER: tuple[Function, ...] = (
    np.equal,
    np.not_equal,
    *map(_compare_signed, (np.less, np.less_equal, np.greater, np.greater_equal)),
    *map(_compare_unsigned, (np.less, np.less_equal, np.greater, np.greater_equal)),
)


def _to_float(x: Array, dtype: np.dtype[Any]) -> Array:
    return convert(np.asarray(x), dtype)


def _float_to_integer(x: Array, dtype: np.dtype[Any]) -> Array:
    wide = x.astype(np.float32) if is_small_float(x.dtype) else x
    return to_integer(np.trunc(wide).astype(np.int64), dtype) if dtype == np.bool_ else wide.astype(dtype)


def _float_to_unsigned(x: Array, dtype: np.dtype[Any]) -> Array:
    wide = x.astype(np.float32) if is_small_float(x.dtype) else x
    return to_integer(wide.astype(np.uint64), dtype)


def _bitcast(x: Array, dtype: np.dtype[Any]) -> Array:
    return np.ascontiguousarray(x).view(dtype) if np.ndim(x) else np.asarray(x).reshape(1).view(dtype)[0]


# Conversions: (operand, dtype of the result).
CONVERSIONS: dict[str, Callable[[Array, np.dtype[Any]], Array]] = {
    "arith.extf": _to_float,
    "arith.truncf": _to_float,
    "arith.convertf": _to_float,
    "arith.sitofp": lambda x, dtype: as_signed(x).astype(dtype),
    "arith.uitofp": lambda x, dtype: as_unsigned(x).astype(dtype),
    "arith.fptosi": _float_to_integer,
    "arith.fptoui": _float_to_unsigned,
    "arith.extsi": lambda x, dtype: to_integer(as_signed(x), dtype),
    "arith.extui": lambda x, dtype: to_integer(as_unsigned(x), dtype),
    "arith.trunci": to_integer,
    "arith.index_cast": lambda x, dtype: to_integer(as_signed(x), dtype),
    "arith.index_castui": lambda x, dtype: to_integer(as_unsigned(x), dtype),
    "arith.bitcast": _bitcast,
}


def _conversion(op: Any) -> Function:
    if "roundingmode" in op.attributes and ir.IntegerAttr(op.attributes["roundingmode"]).value != 0:
        raise UnsupportedOpError(
            f"{location_text(op)}: {op.operation.name}: the reference executor rounds to nearest even only, "
            f"found {op.attributes['roundingmode']}"
        )
    convert, dtype = CONVERSIONS[op.operation.name], dtype_of(op.operation.results[0].type)
    return lambda x: convert(x, dtype)


def _predicate(op: Any) -> int:
    return int(ir.IntegerAttr(op.attributes["predicate"]).value)


FACTORIES: dict[str, Callable[[Any], Function]] = {
    "arith.cmpf": lambda op: COMPARE_FLOAT[_predicate(op)],
    "arith.cmpi": lambda op: COMPARE_INTEGER[_predicate(op)],
    **dict.fromkeys(CONVERSIONS, _conversion),
}

NAMES = frozenset(PLAIN) | frozenset(FACTORIES)
"""Names of the elementwise ops."""


def elementwise(op: Any) -> Function | None:
    """The function of an arith or math op, None if there is none."""
    name = op.operation.name
    if name in PLAIN:
        return PLAIN[name]
    factory = FACTORIES.get(name)
    return factory(op) if factory else None


# Associative ops that a reduction's body may combine with: the ufunc that reduces arrays as stored.
COMBINERS: dict[str, Any] = {
    "arith.addf": np.add,
    "arith.mulf": np.multiply,
    "arith.maximumf": np.maximum,
    "arith.minimumf": np.minimum,
    "arith.maxnumf": np.fmax,
    "arith.minnumf": np.fmin,
    "arith.addi": np.add,
    "arith.muli": np.multiply,
    "arith.maxsi": np.maximum,
    "arith.minsi": np.minimum,
    "arith.andi": np.bitwise_and,
    "arith.ori": np.bitwise_or,
    "arith.xori": np.bitwise_xor,
}
# On i1, whose true is -1, the same ops are these.
BOOLEAN_COMBINERS: dict[str, Any] = {
    **COMBINERS,
    "arith.addi": np.logical_xor,
    "arith.muli": np.logical_and,
    "arith.maxsi": np.logical_and,
    "arith.minsi": np.logical_or,
}
