# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Errors of math functions against numpy in f64, over sweeps of their arguments; what is left without a kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import erf

import numpy as np
import pytest
from harness import DTYPES, Kernels, run_both
from kernel_text import KernelText

from fovea.errors import UnsupportedOpError

Array = np.ndarray
ULP = 2.0**-23  # of f32, relative
COUNT = 20000


def spread(low: float, high: float, signs: bool = True) -> Array:
    """Magnitudes evenly spread in their logarithm, of both signs, and 0."""
    size = np.exp2(np.linspace(np.log2(low), np.log2(high), COUNT // 2 - 1))
    return np.concatenate([[0.0], size, -size if signs else size * 1.0001, [high]]).astype(np.float32)


def evenly(low: float, high: float) -> Array:
    return np.linspace(low, high, COUNT).astype(np.float32)


@dataclass(frozen=True)
class Function:
    """A math op of one operand: its f64 statement, arguments, bounds of |error| / |value| and of |error| besides."""

    reference: Callable[[Array], Array]
    arguments: Array
    bound: float
    absolute: float = 0.0


TINY = 2.0**-126  # smallest normal f32: results below it may be flushed to 0
FUNCTIONS = {
    # Minimax fits: 1.2e-8 and 1.7e-9 plus the roundings of some six fused multiply-adds and v_exp_f32 (1 ulp).
    "erf": Function(np.vectorize(erf), spread(1e-30, 10), 2 * ULP, TINY),
    # The quotient's divisor and v_exp_f32 are off by an ulp each; where the fit takes over |tanh| is above 0.57.
    "tanh": Function(np.tanh, spread(1e-30, 30), 3 * ULP, TINY),
    # LLVM's expansions of these are good to an ulp or so.
    "exp": Function(np.exp, evenly(-87, 88), 2 * ULP),
    "exp2": Function(np.exp2, evenly(-125, 127), 2 * ULP),
    # Near 1 the logarithm is small: v_log_f32 is good to an ulp of the result away from it, to 2^-24 near it.
    "log": Function(np.log, spread(1e-30, 1e30, False)[1:], 2 * ULP, ULP / 2),
    "log2": Function(np.log2, spread(1e-30, 1e30, False)[1:], 2 * ULP, ULP / 2),
    "log10": Function(np.log10, spread(1e-30, 1e30, False)[1:], 2 * ULP, ULP / 2),
    # Kahan's forms: a quotient, a product and a logarithm or exponential, an ulp each or so.
    "log1p": Function(np.log1p, np.concatenate([spread(1e-30, 0.9), spread(1e-3, 1e30, False)]), 4 * ULP, TINY),
    "expm1": Function(np.expm1, np.concatenate([spread(1e-30, 1), evenly(-50, 88)]), 4 * ULP, TINY),
    # Absolute: after the argument's reduction the polynomials are good to a rounding or two of values up to 1.
    "sin": Function(np.sin, np.concatenate([evenly(-1e5, 1e5), spread(1e-30, 4)]), 0, 1.1e-7),
    "cos": Function(np.cos, np.concatenate([evenly(-1e5, 1e5), spread(1e-30, 4)]), 0, 1.1e-7),
    "sqrt": Function(np.sqrt, spread(1e-37, 1e37, False), ULP / 2 * 1.01),  # correctly rounded
    "rsqrt": Function(lambda x: 1 / np.sqrt(x), spread(1e-37, 1e37, False)[1:], 2 * ULP),
    "absf": Function(np.abs, spread(1e-37, 1e37), 0.0),
    "floor": Function(np.floor, spread(1e-3, 1e9), 0.0),
    "ceil": Function(np.ceil, spread(1e-3, 1e9), 0.0),
    "trunc": Function(np.trunc, spread(1e-3, 1e9), 0.0),
    "round": Function(lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x), evenly(-1000, 1000.5), 0.0),
    "roundeven": Function(np.rint, np.concatenate([evenly(-1000, 1000), np.float32(np.arange(-50, 50) + 0.5)]), 0.0),
}  # fmt: skip
NARROW = ("erf", "tanh", "exp", "log", "sqrt", "rsqrt", "floor", "absf")
HALF_ULP = {"f16": 2.0**-11, "bf16": 2.0**-8}
SMALLEST = {"f16": 2.0**-25, "bf16": 2.0**-134}  # half the spacing near 0
SPECIAL = np.array([np.inf, -np.inf, np.nan, 0.0, 1.0, -1.0, 0.5, -0.5], np.float32)


def unary(name: str, count: int, element: str) -> str:
    kernel = KernelText("elementwise")
    x = kernel.argument((count,), element)
    return kernel.text(kernel.pointwise([x], element, [f"%r = math.{name} %a : {element}"], "%r", hero=True))


def binary(op: str, count: int) -> str:
    kernel = KernelText("elementwise")
    x, y = kernel.argument((count,), "f32"), kernel.argument((count,), "f32")
    return kernel.text(kernel.pointwise([x, y], "f32", [f"%r = {op} %a, %b : f32"], "%r", hero=True))


def integer_power(exponent: int | None) -> str:
    """math.fpowi with a constant exponent, or with one an element."""
    kernel = KernelText("elementwise")
    x = kernel.argument((COUNT,), "f32")
    if exponent is None:
        y = kernel.argument((COUNT,), "i32")
        body = ["%r = math.fpowi %a, %b : f32, i32"]
        return kernel.text(kernel.pointwise([x, y], "f32", body, "%r", hero=True))
    constant = kernel.scalar(exponent, "i32")
    return kernel.text(kernel.pointwise([x], "f32", [f"%r = math.fpowi %a, {constant} : f32, i32"], "%r", hero=True))


def constant_power(exponent: float) -> str:
    kernel = KernelText("elementwise")
    x, y = kernel.argument((COUNT,), "f32"), kernel.scalar(exponent, "f32")
    return kernel.text(kernel.pointwise([x], "f32", [f"%r = math.powf %a, {y} : f32"], "%r", hero=True))


POWERS = (2.0, 3.0, 8.0, -1.0, -2.0, 0.5, -0.5, 1.7, 11.0)
# Every argument of an f16 or bf16 function: its 65536 codes.
CODES = {element: np.arange(65536, dtype=np.uint16).view(DTYPES[element]) for element in HALF_ULP}
KERNELS = Kernels(
    {f"{name}-f32": unary(name, f.arguments.size, "f32") for name, f in FUNCTIONS.items()}
    | {f"{name}-special": unary(name, SPECIAL.size, "f32") for name in FUNCTIONS}
    | {f"{name}-{element}": unary(name, 65536, element) for name in NARROW for element in CODES}
    | {f"powf-{exponent}": constant_power(exponent) for exponent in POWERS}
    | {"powf": binary("math.powf", COUNT), "copysign": binary("math.copysign", COUNT)}
    | {"powf-special": binary("math.powf", 12), "fpowi": integer_power(None)}
    | {f"fpowi-{exponent}": integer_power(exponent) for exponent in (0, 1, 3, -2, 15)}
)


def assert_error(result: Array, exact: Array, bound: float, absolute: float = 0.0) -> None:
    error = np.abs(result.astype(np.float64) - exact)
    allowed = bound * np.abs(exact) + absolute
    worst = int(np.argmax(np.where(allowed > 0, error / np.where(allowed > 0, allowed, 1), error)))
    assert (error <= allowed).all(), f"{result[worst]} instead of {exact[worst]} at position {worst}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_f32(name: str) -> None:
    function = FUNCTIONS[name]
    result = KERNELS.run(f"{name}-f32", [function.arguments])
    exact = function.reference(function.arguments.astype(np.float64))
    assert_error(result.emulated[0], exact, function.bound, function.absolute)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_arguments(name: str) -> None:
    result = KERNELS.run(f"{name}-special", [SPECIAL]).emulated[0]
    with np.errstate(all="ignore"):
        exact = np.float32(FUNCTIONS[name].reference(SPECIAL.astype(np.float64)))
    np.testing.assert_allclose(result, exact, rtol=4 * ULP, atol=FUNCTIONS[name].absolute)


@pytest.mark.parametrize("element", CODES)
@pytest.mark.parametrize("name", NARROW)
def test_narrow(name: str, element: str) -> None:
    """Computed in f32 and rounded once: half a unit in the last place and what f32 loses before it."""
    result = KERNELS.run(f"{name}-{element}", [CODES[element]])
    with np.errstate(all="ignore"):
        exact = FUNCTIONS[name].reference(CODES[element].astype(np.float64))
        rounded = exact.astype(DTYPES[element]).astype(np.float64)
    emulated = result.emulated[0]
    np.testing.assert_array_equal(np.isnan(emulated), np.isnan(rounded))
    finite = np.isfinite(rounded) & np.isfinite(emulated)
    # f32 arguments and results below its normal range count as 0 where the hardware's own function is used.
    flushed = (np.abs(CODES[element].astype(np.float64)) < TINY) | (np.abs(exact) < TINY)
    checked = finite & ~flushed
    assert_error(emulated[checked], exact[checked], HALF_ULP[element] + 4 * ULP, SMALLEST[element])
    other = ~finite & ~np.isnan(rounded) & ~flushed
    overflow = float(np.finfo(np.float16).max if element == "f16" else 3.39e38)
    assert ((emulated == rounded) | (np.abs(exact) > overflow))[other].all()


@pytest.mark.parametrize("exponent", POWERS)
def test_constant_powers(exponent: float) -> None:
    x = spread(1e-3, 1e3, signs=exponent == int(exponent))
    x = x[(x != 0)] if exponent < 0 else x
    x = np.resize(x, COUNT)
    result = KERNELS.run(f"powf-{exponent}", [x])
    # Products and quotients: one rounding each. Otherwise 2^(y log2 x): the product of up to 2^7 is off by as many
    # roundings.
    bound = 8 * ULP if abs(exponent) <= 8 and exponent in (2, 3, 8, -1, -2, 0.5, -0.5) else 128 * ULP
    assert_error(result.emulated[0], np.power(x.astype(np.float64), exponent), bound)


def test_powers() -> None:
    rng = np.random.default_rng(5)
    x, y = np.exp2(rng.uniform(-10, 10, COUNT)).astype(np.float32), rng.uniform(-10, 10, COUNT).astype(np.float32)
    y[::3], x[::6] = np.rint(y[::3]), -x[::6]
    result = KERNELS.run("powf", [x, y])
    exact = np.power(x.astype(np.float64), y.astype(np.float64))
    assert_error(result.emulated[0], exact, 128 * ULP)  # the product y log2 x of up to 100 is off by 2^-24 of itself


def test_powers_of_special_arguments() -> None:
    x = np.float32([0, 0, 0, 1, -1, 2, np.inf, np.inf, -2, -2, np.nan, 5])
    y = np.float32([0, 2, -1, 9, 3, 0, 0, -1, 2, 0.5, 0, np.nan])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(KERNELS.run("powf-special", [x, y]).emulated[0], np.power(x, y), rtol=4 * ULP)


@pytest.mark.parametrize("exponent", [0, 1, 3, -2, 15, None])
def test_integer_powers(exponent: int | None) -> None:
    rng = np.random.default_rng(8)
    x = (np.exp2(rng.uniform(-4, 4, COUNT)) * rng.choice([-1, 1], COUNT)).astype(np.float32)
    y = rng.integers(-12, 13, COUNT).astype(np.int32)
    result = KERNELS.run("fpowi", [x, y]) if exponent is None else KERNELS.run(f"fpowi-{exponent}", [x])
    exact = np.power(x.astype(np.float64), y.astype(np.float64) if exponent is None else exponent)
    assert_error(result.emulated[0], exact, 64 * ULP)  # y log2 x is at most 60


def test_copysign() -> None:
    rng = np.random.default_rng(6)
    x, y = (rng.standard_normal(COUNT).astype(np.float32) for _ in range(2))
    np.testing.assert_array_equal(KERNELS.run("copysign", [x, y]).emulated[0], np.copysign(x, y))


@pytest.mark.parametrize(("name", "element"), [("atan2", "f32"), ("tan", "f32"), ("exp", "f64")])
def test_unsupported(name: str, element: str) -> None:
    kernel = KernelText("elementwise")
    x = kernel.argument((4,), element)
    operands = "%a, %a" if name == "atan2" else "%a"
    text = kernel.text(kernel.pointwise([x], element, [f"%r = math.{name} {operands} : {element}"], "%r", hero=True))
    with pytest.raises(UnsupportedOpError, match=f"'math.{name}' .*has no kernel"):
        run_both(text)
