# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration: ranges merged over batches, and every way in which the data can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from linalg_text import normal

from fovea.bindings import ir
from fovea.calibration import calibrate, largest_magnitude, load_batches
from fovea.errors import InputError

MODEL = """func.func @main(%x: tensor<4xf32> {fovea.name = "x"}) -> tensor<4xf32> {
  %0 = "fovea.capture"(%x) {calibrated = false, id = "input", max_abs = 0.0 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  %1 = arith.mulf %0, %0 : tensor<4xf32>
  %2 = "fovea.capture"(%1) {calibrated = false, id = "square", max_abs = 0.0 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}"""


def captures(module: Any) -> dict[str, tuple[bool, float]]:
    """(calibrated, max_abs) by id."""
    return {
        ir.StringAttr(op.attributes["id"]).value: (
            bool(ir.BoolAttr(op.attributes["calibrated"]).value), ir.FloatAttr(op.attributes["max_abs"]).value
        )
        for op in module.body.operations[0].body.blocks[0].operations
        if op.operation.name == "fovea.capture"
    }  # fmt: skip


def test_ranges_run_over_the_batches(parse: Callable[[str], Any]) -> None:
    module = parse(MODEL)
    batches = [{"x": normal(4)} for _ in range(5)]
    batches[3]["x"][2] = -7.25
    ranges = calibrate(module, iter(batches))
    assert ranges["input"].max_abs == 7.25
    assert ranges["square"].max_abs == 7.25**2
    assert (ranges["input"].batches, ranges["input"].elements) == (5, 20)
    assert captures(module) == {"input": (True, 7.25), "square": (True, 7.25**2)}
    assert module.operation.verify()


def test_zeros_are_calibrated_too(parse: Callable[[str], Any]) -> None:
    module = parse(MODEL)
    calibrate(module, [{"x": np.zeros(4, np.float32)}])
    assert captures(module)["input"] == (True, 0.0)


@pytest.mark.parametrize(
    ("value", "found"), [(np.nan, "NaN"), (-np.inf, "an infinite value"), (1e30, "an infinite value")]
)
def test_what_is_not_finite_is_refused(parse: Callable[[str], Any], value: float, found: str) -> None:
    module, bad = parse(MODEL), normal(4)
    bad[1] = value
    name = "square" if value == 1e30 else "input"
    with pytest.raises(InputError, match=rf"-\":\d+:\d+: capture '{name}' saw {found} in calibration batch 1"):
        calibrate(module, [{"x": normal(4)}, {"x": bad}])
    assert captures(module)[name] == (False, 0.0)


def test_wrong_batches(parse: Callable[[str], Any]) -> None:
    with pytest.raises(InputError, match="calibration batch 0: missing input 'x'"):
        calibrate(parse(MODEL), [{}])
    with pytest.raises(InputError, match="there is no calibration batch"):
        calibrate(parse(MODEL), [])


def test_largest_magnitude() -> None:
    assert largest_magnitude(np.array([1.0, -3.0], ml_dtypes.bfloat16)) == 3
    assert largest_magnitude(np.empty((0, 3), np.float32)) == 0
    assert np.isnan(largest_magnitude(np.array([1, np.nan, -5], np.float16)))
    assert largest_magnitude(np.array([-np.inf, 1])) == np.inf


INPUTS = [("ids", (3,), np.dtype(np.int32)), ("x", (2, 2), np.dtype(np.float32))]
IDS, X = np.arange(6).reshape(2, 3), np.arange(8.0).reshape(2, 2, 2)


def test_batches_of_several_files(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", ids=IDS, x=X)
    np.savez_compressed(tmp_path / "b.npz", ids=IDS[:1] + 10, x=X[:1])
    batches = load_batches([tmp_path / "a.npz", tmp_path / "b.npz"], INPUTS)
    assert [b["ids"][0] for b in batches] == [0, 3, 10]
    assert all(b["ids"].dtype == np.int32 and b["x"].dtype == np.float32 for b in batches)
    assert np.array_equal(batches[1]["x"], X[1])


def broken(**change: Any) -> dict[str, Any]:
    return {k: v for k, v in {"ids": IDS, "x": X, **change}.items() if v is not None}


NAN = X.copy()
NAN[1, 0, 1] = np.nan


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (broken(x=None), "missing 'x'; the model's inputs are: ids, x"),
        (broken(y=X), "unknown 'y'"),
        (broken(x=X[:, :1]), "array 'x': expected <batches>x2x2xf32, found 2x1x2xf64"),
        (broken(x=X[0]), "array 'x': expected <batches>x2x2xf32, found 2x2xf64"),
        (broken(x=X.astype(np.int64)), "array 'x': expected <batches>x2x2xf32, found 2x2x2xi64"),
        (broken(ids=IDS.astype(np.float32)), "array 'ids': expected <batches>x3xi32, found 2x3xf32"),
        (broken(ids=IDS > 0), "array 'ids': expected <batches>x3xi32, found 2x3xi1"),
        (broken(ids=IDS + 2**40), "array 'ids' holds values that i32 cannot"),
        (broken(x=NAN), r"array 'x': expected finite values, found nan at \[1, 0, 1\]"),
        (broken(x=X - np.inf), r"array 'x': expected finite values, found -inf at \[0, 0, 0\]"),
        (broken(x=X + 1e300), r"found 1e\+300 at \[0, 0, 0\] \(as f32: inf\)"),
        (broken(x=X[:1]), "expected as many batches of each input, found ids: 2, x: 1"),
        (broken(x=X[:0], ids=IDS[:0]), "expected at least one batch, found none"),
        (broken(ids=np.array([[object()] * 3] * 2)), "cannot read array 'ids'"),
    ],
)
def test_wrong_arrays_are_named(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "c.npz", **arrays)
    with pytest.raises(InputError, match=f"c.npz: {message}|c.npz: .*{message}"):
        load_batches([tmp_path / "c.npz"], INPUTS)


def test_files_that_are_no_npz(tmp_path: Path) -> None:
    path = tmp_path / "c.npz"
    with pytest.raises(InputError, match="cannot read the calibration data: No such file"):
        load_batches([path], INPUTS)
    with pytest.raises(InputError, match="no calibration file given"):
        load_batches([], INPUTS)
    for content in (b"", b"text, not arrays", b"PK\x03\x04 cut short"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"c.npz: not an npz file"):
            load_batches([path], INPUTS)
    np.save(tmp_path / "one.npy", X)
    with pytest.raises(InputError, match=r"expected an npz file .*found a single array"):
        load_batches([tmp_path / "one.npy"], INPUTS)
    np.savez(path, ids=IDS, x=np.zeros((2, 2, 2)))
    data = bytearray(path.read_bytes())
    at = data.find(b"NUMPY", data.find(b"x.npy"))
    data[at + 60 : at + 180] = b"\x01" * 120
    path.write_bytes(data)
    with pytest.raises(InputError, match="cannot read array 'x'"):
        load_batches([path], INPUTS)
