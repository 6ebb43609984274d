# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""arith and math: each op against the formula of its documentation, on whole tensors."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from fovea.executor import special

NAN, INF = float("nan"), float("inf")
FLOATS = [0.0, -0.0, 1.5, -2.5, 3.0, INF, -INF, NAN]
PAIRS = np.array([(a, b) for a in FLOATS for b in FLOATS], np.float32)


def binary(
    execute: Any, op: str, a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], type_: str, result: str = ""
) -> Any:
    """`op` on two tensors of element type `type_`."""
    kind = f"tensor<{len(a)}x{type_}>"
    to = f"tensor<{len(a)}x{result or type_}>"
    suffix = f"%0 = {op} %a, %b : {kind}\nreturn %0 : {to}"
    return execute(f"(%a: {kind}, %b: {kind}) -> {to}", suffix, a, b)


def unary(execute: Any, op: str, a: np.ndarray[Any, Any], type_: str, result: str) -> Any:
    """`op`, a conversion, on a tensor."""
    source, to = f"tensor<{len(a)}x{type_}>", f"tensor<{len(a)}x{result}>"
    return execute(f"(%a: {source}) -> {to}", f"%0 = {op} %a : {source} to {to}\nreturn %0 : {to}", a)


def test_maximum_and_minimum_treat_nan_as_documented(execute: Any) -> None:
    a, b = PAIRS.T
    either = np.isnan(a) | np.isnan(b)
    for op, python in (("maximum", max), ("minimum", min)):
        plain = np.array([python(x, y) for x, y in PAIRS])
        found = binary(execute, f"arith.{op}f", a, b, "f32")
        assert np.isnan(found[either]).all()
        assert np.array_equal(found[~either], plain[~either])
        found = binary(execute, f"arith.{op[:3]}numf", a, b, "f32")
        one = np.isnan(a) ^ np.isnan(b)
        assert np.array_equal(found[one], np.where(np.isnan(a), b, a)[one])
        assert np.array_equal(found[~either], plain[~either])
        assert np.isnan(found[np.isnan(a) & np.isnan(b)]).all()


@pytest.mark.parametrize("name", ["eq", "gt", "ge", "lt", "le", "ne"])
def test_ordered_and_unordered_comparisons(execute: Any, name: str) -> None:
    a, b = PAIRS.T
    either = np.isnan(a) | np.isnan(b)
    compare = {"eq": "==", "gt": ">", "ge": ">=", "lt": "<", "le": "<=", "ne": "!="}[name]
    truth = np.array([eval(f"x {compare} y", {"x": float(x), "y": float(y)}) for x, y in PAIRS])
    assert np.array_equal(binary(execute, f"arith.cmpf o{name},", a, b, "f32", "i1"), truth & ~either)
    assert np.array_equal(binary(execute, f"arith.cmpf u{name},", a, b, "f32", "i1"), truth | either)


def test_comparisons_of_order_alone(execute: Any) -> None:
    a, b = PAIRS.T
    either = np.isnan(a) | np.isnan(b)
    expected = {"ord": ~either, "uno": either, "false": either & False, "true": either | True}
    for name, truth in expected.items():
        assert np.array_equal(binary(execute, f"arith.cmpf {name},", a, b, "f32", "i1"), truth)


INTEGERS = np.array([(a, b) for a in (0, 1, -1, 5, -7, 127, -128) for b in (1, -1, 3, -3, 100, -128)], np.int8)


def _wrap(values: list[int]) -> Any:
    return np.array([(v + 128) % 256 - 128 for v in values], np.int8)


SIGNED = {
    "addi": lambda a, b: a + b,
    "subi": lambda a, b: a - b,
    "muli": lambda a, b: a * b,
    "divsi": lambda a, b: int(a / b),
    "remsi": lambda a, b: a - b * int(a / b),
    "floordivsi": lambda a, b: a // b,
    "ceildivsi": lambda a, b: -(-a // b),
    "andi": lambda a, b: a & b,
    "ori": lambda a, b: a | b,
    "xori": lambda a, b: a ^ b,
    "maxsi": max,
    "minsi": min,
}
UNSIGNED = {
    "divui": lambda a, b: a // b,
    "remui": lambda a, b: a % b,
    "ceildivui": lambda a, b: -(-a // b),
    "maxui": max,
    "minui": min,
}


@pytest.mark.parametrize("name", [*SIGNED, *UNSIGNED])
def test_integers_wrap_and_read_signs(execute: Any, name: str) -> None:
    pairs = [(int(a), int(b)) for a, b in INTEGERS]
    if name in SIGNED:
        expected = _wrap([SIGNED[name](a, b) for a, b in pairs])
    else:
        expected = _wrap([UNSIGNED[name](a % 256, b % 256) for a, b in pairs])
    assert np.array_equal(binary(execute, f"arith.{name}", *INTEGERS.T, "i8"), expected)


def test_shifts(execute: Any) -> None:
    a = np.array([1, -1, -128, 127, 64], np.int8)
    b = np.array([3, 1, 2, 7, 1], np.int8)
    pairs = [(int(x), int(y)) for x, y in zip(a, b, strict=True)]
    assert np.array_equal(binary(execute, "arith.shli", a, b, "i8"), _wrap([x << y for x, y in pairs]))
    assert np.array_equal(binary(execute, "arith.shrsi", a, b, "i8"), _wrap([x >> y for x, y in pairs]))
    assert np.array_equal(binary(execute, "arith.shrui", a, b, "i8"), _wrap([(x % 256) >> y for x, y in pairs]))


@pytest.mark.parametrize(("name", "expected"), [("slt", -1), ("ult", 255), ("sge", -1), ("uge", 255)])
def test_integer_comparisons_read_signs(execute: Any, name: str, expected: int) -> None:
    found = binary(execute, f"arith.cmpi {name},", np.array([-1], np.int8), np.array([3], np.int8), "i8", "i1")
    assert bool(found[0]) == (expected < 3 if name.endswith("lt") else expected >= 3)


def test_one_bit_integers_are_minus_one_when_signed(execute: Any) -> None:
    a, b = np.array([False, False, True, True]), np.array([False, True, False, True])
    assert np.array_equal(binary(execute, "arith.addi", a, b, "i1"), a ^ b)
    assert np.array_equal(binary(execute, "arith.muli", a, b, "i1"), a & b)
    assert np.array_equal(binary(execute, "arith.maxsi", a, b, "i1"), a & b)
    assert np.array_equal(binary(execute, "arith.maxui", a, b, "i1"), a | b)
    assert np.array_equal(unary(execute, "arith.extsi", a, "i1", "i32"), [0, 0, -1, -1])
    assert np.array_equal(unary(execute, "arith.extui", a, "i1", "i32"), [0, 0, 1, 1])
    assert np.array_equal(unary(execute, "arith.sitofp", a, "i1", "f32"), [0, 0, -1, -1])
    assert np.array_equal(unary(execute, "arith.uitofp", a, "i1", "f32"), [0, 0, 1, 1])


def test_integer_conversions(execute: Any) -> None:
    a = np.array([-1, 300, -300, 7], np.int32)
    assert np.array_equal(unary(execute, "arith.trunci", a, "i32", "i8"), [-1, 44, -44, 7])
    assert np.array_equal(unary(execute, "arith.trunci", a, "i32", "i1"), [True, False, False, True])
    assert np.array_equal(unary(execute, "arith.extui", a, "i32", "i64"), [2**32 - 1, 300, 2**32 - 300, 7])
    assert np.array_equal(unary(execute, "arith.uitofp", a, "i32", "f64"), [2**32 - 1, 300, 2**32 - 300, 7])
    assert np.array_equal(unary(execute, "arith.index_cast", a, "i32", "index"), a)
    assert np.array_equal(unary(execute, "arith.fptosi", np.array([-1.9, 1.9], np.float32), "f32", "i8"), [-1, 1])
    assert np.array_equal(unary(execute, "arith.fptoui", np.array([200.7], np.float32), "f32", "i8"), [200 - 256])
    assert np.array_equal(unary(execute, "arith.bitcast", np.array([1.0], np.float32), "f32", "i32"), [0x3F800000])


def _decode_e4m3(byte: int, bias: int) -> float:
    """Value of a finite e4m3 byte: sign, 4 exponent bits, 3 mantissa bits."""
    sign, exponent, mantissa = -1.0 if byte & 0x80 else 1.0, byte >> 3 & 15, byte & 7
    return sign * (mantissa / 8 * 2.0 ** (1 - bias) if exponent == 0 else (1 + mantissa / 8) * 2.0 ** (exponent - bias))


@pytest.mark.parametrize(("type_", "bias", "finite"), [("f8E4M3FN", 7, 0x7F), ("f8E4M3FNUZ", 8, 0x80)])
def test_fp8_rounds_to_nearest_even(execute: Any, type_: str, bias: int, finite: int) -> None:
    values = np.array([_decode_e4m3(byte, bias) for byte in range(finite)], np.float32)
    dtype = ml_dtypes.float8_e4m3fn if bias == 7 else ml_dtypes.float8_e4m3fnuz
    stored = np.arange(finite, dtype=np.uint8).view(dtype)
    assert np.array_equal(unary(execute, "arith.extf", stored, type_, "f32"), values)
    middle = (values[:-1] + values[1:]) / 2
    down, up = np.nextafter(middle, np.float32(0)), np.nextafter(middle, np.float32(INF))
    even = np.where(np.arange(finite - 1) % 2 == 0, np.arange(finite - 1), np.arange(1, finite))
    assert np.array_equal(unary(execute, "arith.truncf", middle, "f32", type_).view(np.uint8), even)
    assert np.array_equal(unary(execute, "arith.truncf", down, "f32", type_).view(np.uint8), np.arange(finite - 1))
    assert np.array_equal(unary(execute, "arith.truncf", up, "f32", type_).view(np.uint8), np.arange(1, finite))
    assert np.isnan(unary(execute, "arith.truncf", np.array([1e6], np.float32), "f32", type_).astype(np.float32)).all()


MATH = {
    "absf": abs, "atan": math.atan, "ceil": math.ceil, "cos": math.cos, "erf": math.erf, "erfc": math.erfc,
    "exp": math.exp, "exp2": lambda x: 2.0**x, "expm1": math.expm1, "floor": math.floor, "sin": math.sin,
    "tanh": math.tanh, "trunc": math.trunc, "tan": math.tan, "sinh": math.sinh, "cosh": math.cosh,
    "asinh": math.asinh, "roundeven": round,
}  # fmt: skip
POSITIVE = {"log": math.log, "log10": math.log10, "log1p": math.log1p, "log2": math.log2, "sqrt": math.sqrt,
            "rsqrt": lambda x: 1 / math.sqrt(x), "cbrt": lambda x: x ** (1 / 3)}  # fmt: skip


@pytest.mark.parametrize(("dtype", "type_", "tolerance"), [(np.float64, "f64", 1e-15), (np.float32, "f32", 4e-7)])
@pytest.mark.parametrize("name", [*MATH, *POSITIVE])
def test_math_functions(execute: Any, name: str, dtype: Any, type_: str, tolerance: float) -> None:
    # A few units in the last place of the type (2.2e-16, 1.2e-7): what numpy's own functions guarantee.
    x = np.array([-3.25, -1.0, -0.5, 0.0, 0.125, 0.5, 1.5, 2.5, 3.0] if name in MATH else [0.01, 0.5, 1.0, 7.0], dtype)
    function = MATH.get(name) or POSITIVE[name]
    kind = f"tensor<{len(x)}x{type_}>"
    found = execute(f"(%a: {kind}) -> {kind}", f"%0 = math.{name} %a : {kind}\nreturn %0 : {kind}", x)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, [function(float(v)) for v in x], rtol=tolerance, atol=tolerance)


def test_rounding_half_away_from_zero() -> None:
    x = np.array([0.5, -0.5, 1.5, -1.5, 2.4, -2.6, 0.49999997, 8388609.0], np.float32)
    assert np.array_equal(special.round_half_away(x), [1, -1, 2, -2, 2, -3, 0, 8388609.0])


def test_erf_f32_over_its_range() -> None:
    x = np.linspace(-6, 6, 200_001).astype(np.float32)
    exact = np.array([math.erf(float(v)) for v in x])
    # 3e-8 by interpolating, and as much by each of three roundings of f32, which keeps 24 bits
    assert np.abs(special.erf(x) - exact).max() < 1.5e-7
    assert np.abs(special.erf(x)).max() == 1
    tiny = np.array([1e-30, -1e-10, 1e-4], np.float32)
    # near 0 the error is relative
    np.testing.assert_allclose(special.erf(tiny), [math.erf(float(v)) for v in tiny], rtol=4e-7)
    assert np.isnan(special.erf(np.array([NAN], np.float32))).all()
    assert np.array_equal(special.erf(np.array([INF, -INF, 20], np.float32)), [1, -1, 1])


@pytest.mark.parametrize(("dtype", "type_", "eps"), [(np.float16, "f16", 2**-11), (ml_dtypes.bfloat16, "bf16", 2**-8)])
@pytest.mark.parametrize("name", ["erf", "exp", "rsqrt", "tanh"])
def test_narrow_floats_are_rounded_once(execute: Any, name: str, dtype: Any, type_: str, eps: float) -> None:
    x = np.linspace(0.1, 3, 64).astype(np.float32).astype(dtype)
    function = MATH.get(name) or POSITIVE[name]
    kind = f"tensor<64x{type_}>"
    found = execute(f"(%a: {kind}) -> {kind}", f"%0 = math.{name} %a : {kind}\nreturn %0 : {kind}", x)
    assert found.dtype == dtype
    # half a unit in the last place of the narrow type, and f32's error beside it
    exact = np.array([function(float(v)) for v in x])
    np.testing.assert_allclose(found.astype(np.float64), exact, rtol=eps * 1.001)


def test_powers(execute: Any) -> None:
    x = np.array([-2.0, 0.5, 3.0], np.float32)
    for exponent in (-1, 0, 2, 3, 5):
        body = (
            f"%n = arith.constant dense<{exponent}> : tensor<3xi32>\n"
            "%0 = math.fpowi %a, %n : tensor<3xf32>, tensor<3xi32>\nreturn %0 : tensor<3xf32>"
        )
        found = execute("(%a: tensor<3xf32>) -> tensor<3xf32>", body, x)
        np.testing.assert_allclose(found, [float(v) ** exponent for v in x], rtol=2e-7)  # 2 units in the last place
    n = np.array([3, -1, 0], np.int32)
    found = binary(execute, "math.ipowi", np.array([-2, -1, 9], np.int32), n, "i32")
    assert np.array_equal(found, [-8, -1, 1])
    found = binary(execute, "math.copysign", x, np.array([1, -1, -0.0], np.float32), "f32")
    assert np.array_equal(found, [2, -0.5, -3])


def test_bit_counts(execute: Any) -> None:
    x = np.array([0, 1, -1, 8, 96], np.int16)
    expected = {"ctlz": [16, 15, 0, 12, 9], "cttz": [16, 0, 0, 3, 5], "ctpop": [0, 1, 16, 1, 2]}
    for name, counts in expected.items():
        body = f"%0 = math.{name} %a : tensor<5xi16>\nreturn %0 : tensor<5xi16>"
        assert np.array_equal(execute("(%a: tensor<5xi16>) -> tensor<5xi16>", body, x), counts)
