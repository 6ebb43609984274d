# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights from safetensors files, and every way in which they can be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from fovea.errors import InputError
from fovea.weights import WeightStore

MODEL = """func.func @main(%x: tensor<2xf32>, %a: tensor<2x3xf32> {fovea.weight = "a"},
    %b: tensor<4xbf16> {fovea.weight = "b"}) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}"""
A = np.arange(6, dtype=np.float32).reshape(2, 3)
B = np.arange(4).astype(ml_dtypes.bfloat16)


def write(path: Path, header: dict[str, Any], data: bytes) -> Path:
    """A safetensors file by hand: header length, header, data."""
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def test_tensors_are_mapped(tmp_path: Path, parse: Callable[[str], Any]) -> None:
    file = write(
        tmp_path / "w.safetensors",
        {
            "__metadata__": {"format": "pt"},
            "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
            "b": {"dtype": "BF16", "shape": [4], "data_offsets": [24, 32]},
        },
        A.tobytes() + B.tobytes(),
    )
    store = WeightStore(file)
    assert list(store) == ["a", "b"]
    assert np.array_equal(store["a"], A)
    assert np.array_equal(store["b"].astype(np.float32), B.astype(np.float32))
    assert store["b"].dtype == ml_dtypes.bfloat16
    assert isinstance(store["a"].base, np.memmap)
    assert not store["a"].flags.writeable
    store.check(parse(MODEL))
    store.add("derived", A.T)
    store.check(parse(MODEL))
    with pytest.raises(InputError, match="two weights are called 'derived'"):
        store.add("derived", A)


def test_agrees_with_the_safetensors_library(tmp_path: Path) -> None:
    tensors = {"x": A, "y": np.array([True, False]), "z": np.array(3, np.int64), "e": np.empty((0, 2), np.float16),
               "u": np.array([200], np.uint8)}  # fmt: skip
    save_file(tensors, tmp_path / "w.safetensors")
    store = WeightStore([tmp_path / "w.safetensors"])
    assert store.keys() == tensors.keys()
    for name, array in tensors.items():
        assert store[name].shape == array.shape
        assert store[name].tobytes() == array.tobytes()


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("F8_E4M3", ml_dtypes.float8_e4m3fn),
        ("F8_E5M2", ml_dtypes.float8_e5m2),
        ("F8_E4M3FNUZ", ml_dtypes.float8_e4m3fnuz),
    ],
)
def test_fp8(tmp_path: Path, kind: str, dtype: Any) -> None:
    data = np.arange(100, dtype=np.uint8)
    header = {"q": {"dtype": kind, "shape": [100], "data_offsets": [0, 100]}}
    found = WeightStore(write(tmp_path / "w", header, data.tobytes()))["q"]
    assert found.dtype == dtype
    assert np.array_equal(found.view(np.uint8), data)


def test_several_files(tmp_path: Path, parse: Callable[[str], Any]) -> None:
    save_file({"a": A}, tmp_path / "one")
    write(tmp_path / "two", {"b": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}}, B.tobytes())
    WeightStore([tmp_path / "one", tmp_path / "two"]).check(parse(MODEL))
    with pytest.raises(InputError, match=r"weight 'a' is in two files: .*one and .*one"):
        WeightStore([tmp_path / "one", tmp_path / "one"])


def test_every_misfit_is_named(tmp_path: Path, parse: Callable[[str], Any]) -> None:
    save_file({"a": A.T.copy(), "extra": A}, tmp_path / "w")
    with pytest.raises(InputError) as error:
        WeightStore(tmp_path / "w").check(parse(MODEL))
    text = str(error.value)
    assert f"weight 'a' in {tmp_path / 'w'}: expected 2x3xf32, found 3x2xf32" in text
    assert "missing weight 'b': expected 4xbf16" in text
    assert f"extra weight 'extra' in {tmp_path / 'w'}" in text
    save_file({"a": A.astype(np.float16)}, tmp_path / "w")
    with pytest.raises(InputError, match=r"weight 'a'.*: expected 2x3xf32, found 2x3xf16"):
        WeightStore(tmp_path / "w").check(parse(MODEL))


GOOD = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {**GOOD, "data_offsets": [0, 16], "shape": [4]},
            "its bytes 0..16 lie past the end of the data .8 bytes.*trunc",
        ),
        ({**GOOD, "data_offsets": [0, 4]}, "expected 8 bytes for F32 .2,., found 4"),
        ({**GOOD, "dtype": "F31"}, "unknown dtype F31; known: F64"),
        ({"dtype": "F32"}, "lacks a dtype, shape or data_offsets"),
        ({**GOOD, "shape": [-2]}, "expected -8 bytes"),
        (5, "lacks a dtype, shape or data_offsets"),
    ],
)
def test_damaged_tensors(tmp_path: Path, entry: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"tensor 't': .*{message}"):
        WeightStore(write(tmp_path / "w", {"t": entry}, bytes(8)))


def headed(header: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header


@pytest.mark.parametrize(
    "content", [b"", b"1234", b"\xff" * 40, b"PK\x03\x04" + bytes(60), headed(b"[]"), headed(b"\xff\xfe\x00{")]
)
def test_files_that_are_no_safetensors(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(InputError, match="w: not a safetensors file"):
        WeightStore(tmp_path / "w")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none: cannot read the weights: No such file"):
        WeightStore(tmp_path / "none")
    with pytest.raises(InputError, match="cannot read the weights: Is a directory"):
        WeightStore(tmp_path)
