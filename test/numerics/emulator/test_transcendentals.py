# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Transcendental instructions: within the guides' accuracy of f64 values, and their listed special values.

Accuracy (CDNA4 and RDNA4 guides): 1 unit in the last place for f32 and f16, 2**29 for f64; f32 subnormals are flushed
to zero of their sign. For sine and cosine the guides state none: 2**-20 (f32) and one unit of 1.0 (f16) are what the
languages that compile to them promise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from assembly_runner import run_assembly

F16, F32, F64 = np.float16, np.float32, np.float64
TYPES: dict[str, Any] = {"f16": F16, "f32": F32, "f64": F64}
LONG = np.longdouble


def turns(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Of an angle in revolutions; whole ones do not count."""
    return lambda x: function(2 * np.pi * (x - np.rint(x)))


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "rcp": lambda x: 1 / x, "rcp_iflag": lambda x: 1 / x, "rsq": lambda x: 1 / np.sqrt(x), "sqrt": np.sqrt,
    "exp": np.exp2, "log": np.log2, "sin": turns(np.sin), "cos": turns(np.cos),
}  # fmt: skip
CASES = [
    *((f"v_{name}_f32", name, "f32", "gfx942") for name in FUNCTIONS),
    *((f"v_{name}_f16", name, "f16", "gfx942") for name in FUNCTIONS if name != "rcp_iflag"),
    *((f"v_{name}_f64", name, "f64", "gfx942") for name in ("rcp", "rsq", "sqrt")),
    *((f"v_s_{name}_{kind}", name, kind, "gfx1201") for name in ("rcp", "rsq", "sqrt", "exp", "log")
      for kind in ("f32", "f16")),
]
TESTED = {case[0] for case in CASES}
ABSOLUTE = {("sin", "f32"): 2.0**-20, ("cos", "f32"): 2.0**-20, ("sin", "f16"): 2.0**-10, ("cos", "f16"): 2.0**-10}
SPECIAL: dict[str, list[tuple[float, float]]] = {
    "rcp": [(-np.inf, -0.0), (-2.0, -0.5), (-0.0, -np.inf), (0.0, np.inf), (np.inf, 0.0)],
    "rcp_iflag": [(-np.inf, -0.0), (-2.0, -0.5), (-0.0, -np.inf), (0.0, np.inf), (np.inf, 0.0)],
    "rsq": [(-np.inf, np.nan), (-1.0, np.nan), (-0.0, -np.inf), (0.0, np.inf), (4.0, 0.5), (np.inf, 0.0)],
    "sqrt": [(-np.inf, np.nan), (-1.0, np.nan), (-0.0, -0.0), (0.0, 0.0), (4.0, 2.0), (np.inf, np.inf)],
    "exp": [(-np.inf, 0.0), (-0.0, 1.0), (np.inf, np.inf)],
    "log": [(-np.inf, np.nan), (-1.0, np.nan), (-0.0, -np.inf), (0.0, -np.inf), (1.0, 0.0), (np.inf, np.inf)],
    "sin": [
        (-np.inf, np.nan), (-0.0, -0.0), (0.25, 1.0), (np.inf, np.nan), (4096.0, 0.0), (-4096.0, 0.0), (257.25, 1.0),
    ],
    "cos": [(-np.inf, np.nan), (-0.0, 1.0), (0.25, 0.0), (np.inf, np.nan), (4096.0, 1.0), (257.5, -1.0)],
}  # fmt: skip
"""The guides' functional examples, and arguments beyond 256 revolutions."""


def evaluate(name: str, values: Any, chip: str) -> Any:
    """The instruction on values, padded to whole waves."""
    kind = values.dtype
    size = kind.itemsize
    words = np.zeros(-(-len(values) // 64) * 64, f"u{max(size, 4)}")
    words[: len(values)] = values.view(f"u{size}")
    if name.startswith("v_s_"):
        result = run_assembly(f"{name} s4, s2", s={2: words.astype(np.uint64)}, waves=len(words), chip=chip)
        return result.scalar[: len(values), 4].astype(f"u{size}").view(kind)
    lanes = words.reshape(-1, 64)
    operands = "v[2:3], v[0:1]" if size == 8 else "v2, v0"
    result = run_assembly(f"{name} {operands}", {0: lanes}, waves=len(lanes), chip=chip)
    if size == 8:
        pair = np.stack([result.vector[2], result.vector[3]], axis=-1).reshape(-1, 2)
        return np.ascontiguousarray(pair).view(kind)[: len(values), 0]
    return result.vector[2].reshape(-1).astype(f"u{size}")[: len(values)].view(kind)


def arguments(function: str, kind: str, chip: str) -> Any:
    """f16: every code (scalar forms: some); else values over the whole range, every power of two and subnormals."""
    if kind == "f16":
        # Scalar forms take a wave a value: some codes, of every exponent.
        return np.arange(0, 65536, 31 if chip == "gfx1201" else 1, dtype=np.uint16).view(F16)
    info = np.finfo(TYPES[kind])
    rng = np.random.default_rng(9)
    powers = np.ldexp(1.0, np.arange(info.minexp - info.nmant, info.maxexp))
    spread = np.ldexp(rng.uniform(1, 2, 1024), rng.integers(info.minexp, info.maxexp, 1024))
    near = [rng.uniform(-160, 160, 1024), rng.uniform(0, 4, 1024), 1 + rng.uniform(-1, 1, 256) * 2.0**-12]
    values = np.concatenate([powers, spread, -spread[:64], *near, [info.max, np.nan, info.smallest_subnormal]])
    return values.astype(TYPES[kind])[:: 8 if chip == "gfx1201" else 1]


def flushed(values: Any) -> Any:
    return np.where(np.abs(values) < 2.0**-126, np.copysign(F32(0), values), values)


@pytest.mark.parametrize(("name", "function", "kind", "chip"), CASES, ids=[case[0] for case in CASES])
def test_accuracy(name: str, function: str, kind: str, chip: str) -> None:
    values = arguments(function, kind, chip)
    found = evaluate(name, values, chip)
    dtype = TYPES[kind]
    keeps = kind != "f32" or function in ("sin", "cos")
    with np.errstate(all="ignore"):
        exact = FUNCTIONS[function]((values if keeps else flushed(values)).astype(LONG))
        rounded = exact.astype(dtype)
        unit = np.abs(np.spacing(rounded).astype(LONG)) * (2.0**29 if kind == "f64" else 1)
        bound = ABSOLUTE.get((function, kind), unit)
        error = np.abs(found.astype(LONG) - exact)
    special = ~np.isfinite(exact)
    overflow = np.isfinite(exact) & ~np.isfinite(rounded)
    np.testing.assert_array_equal(found[special].astype(F64), exact[special].astype(F64))
    assert np.isinf(found[overflow]).all()
    usual = np.isfinite(rounded)
    if not keeps:
        tiny = np.abs(exact) < 2.0**-126
        assert (np.abs(found[tiny & usual]) <= 2.0**-126).all()
        usual &= ~tiny
    assert usual.sum() > len(values) // 20
    worst = int(np.argmax(np.where(usual, error / np.where(usual, bound, 1), 0)))
    limit = bound[worst] if np.ndim(bound) else bound
    assert error[worst] <= limit, f"{name}({values[worst]!r}) = {found[worst]!r}, exact {exact[worst]!r}"


@pytest.mark.parametrize(("name", "function", "kind", "chip"), CASES, ids=[case[0] for case in CASES])
def test_special_values(name: str, function: str, kind: str, chip: str) -> None:
    table = SPECIAL[function]
    values, wanted = (np.array([*column, np.nan], TYPES[kind]) for column in zip(*table, strict=True))
    found = evaluate(name, values, chip)
    bound = ABSOLUTE.get((function, kind), 0.0)
    whole = np.isin(wanted, (0, 1, -1)) & (bound > 0)
    assert (np.abs(found[whole].astype(F64) - wanted[whole]) <= bound).all()
    np.testing.assert_array_equal(found[~whole], wanted[~whole])
    zeros = wanted == 0
    if not bound:
        np.testing.assert_array_equal(np.signbit(found[zeros]), np.signbit(wanted[zeros]))
    assert np.signbit(found[values == 0]).tolist() == np.signbit(wanted[values == 0]).tolist()
