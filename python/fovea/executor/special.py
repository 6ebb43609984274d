# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Functions that numpy lacks, elementwise on arrays: erf, erfc, and rounding away from zero."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

# erf in f32: below the cut x times a polynomial in x*x, above it 1 - exp(polynomial in x), which is log(erfc(x)).
_ERF_CUT = 1.0
_ERF_TOP = 3.95  # from 3.92 on erf rounds to 1 in f32
_ERF_DEGREES = (5, 8)  # interpolation errors 2e-9 and 3e-8; f32's rounding (6e-8) is what is left
_BLOCK = 1 << 14  # elements handled at a time, so that the temporaries stay in the cache

_erf64 = np.frompyfunc(math.erf, 1, 1)
_erfc64 = np.frompyfunc(math.erfc, 1, 1)


@cache
def _erf_coefficients() -> tuple[tuple[np.float32, ...], tuple[np.float32, ...]]:
    """Coefficients, highest first, of erf(x)/x in x*x for x < _ERF_CUT, and of log(erfc(x)) in x up to _ERF_TOP.

    The polynomials interpolate the C library's functions at Chebyshev nodes.
    """

    def ratio(squares: Any) -> Any:
        return np.array([math.erf(x) / x for x in np.sqrt(squares)])

    def log_erfc(xs: Any) -> Any:
        return np.array([math.log(math.erfc(x)) for x in xs])

    interpolate = np.polynomial.Chebyshev.interpolate
    low = interpolate(ratio, _ERF_DEGREES[0], [0, _ERF_CUT**2])
    high = interpolate(log_erfc, _ERF_DEGREES[1], [_ERF_CUT, _ERF_TOP])
    first, second = (
        tuple(np.float32(c) for c in reversed(p.convert(kind=np.polynomial.Polynomial).coef)) for p in (low, high)
    )
    return first, second


def _polynomial(coefficients: tuple[np.float32, ...], x: Array) -> Array:
    result = np.multiply(x, coefficients[0])
    for coefficient in coefficients[1:-1]:
        result += coefficient
        result *= x
    result += coefficients[-1]
    return result


def _erf32(x: Array) -> Array:
    """erf of a flat f32 block; absolute error below 1.5e-7, relative below 2e-7 where |x| < _ERF_CUT."""
    low, high = _erf_coefficients()
    magnitude = np.abs(x)
    np.minimum(magnitude, np.float32(_ERF_TOP), out=magnitude)
    result = _polynomial(high, magnitude)
    np.exp(result, out=result)
    np.subtract(np.float32(1), result, out=result)
    near = _polynomial(low, magnitude * magnitude)
    near *= magnitude
    np.copyto(result, near, where=magnitude < np.float32(_ERF_CUT))
    return np.copysign(result, x, out=result)


def erf(x: Array) -> Array:
    """Error function: f64 as accurate as the C library's, f32 within 1.5e-7; NaN stays NaN."""
    x = np.asarray(x)
    if x.dtype == np.float64:
        return np.asarray(_erf64(x), np.float64)
    flat = np.ravel(x)
    out = np.empty_like(flat)
    for start in range(0, flat.size, _BLOCK):
        out[start : start + _BLOCK] = _erf32(flat[start : start + _BLOCK])
    return out.reshape(x.shape)


def erfc(x: Array) -> Array:
    """1 - erf(x) without cancellation, by the C library in f64."""
    x = np.asarray(x)
    return np.asarray(_erfc64(x.astype(np.float64)), np.float64).astype(x.dtype)


def round_half_away(x: Array) -> Array:
    """Nearest integer, halves away from zero."""
    whole = np.trunc(x)
    return np.where(np.abs(x - whole) >= 0.5, whole + np.copysign(1, x).astype(whole.dtype), whole).astype(x.dtype)
