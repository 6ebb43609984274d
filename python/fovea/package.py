# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The package `OUT.fovea/`: plan.json, weights.safetensors, kernels/*.hsaco and reports; in FP8 also twins/, the model
before and after quantisation (see `fovea.twins`), which running it does not need."""

from __future__ import annotations

import io
import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from fovea.codeobject import read_code_object
from fovea.errors import InputError, OutputError
from fovea.files import check_parent, directory_atomically
from fovea.lowered import stored_order
from fovea.plan import Plan, data_offsets, parse_plan
from fovea.weights import DTYPES, WeightStore

PLAN_FILE = "plan.json"
# numpy's dtype -> safetensors' name of it.
_STORED = {dtype: name for name, dtype in DTYPES.items()}


def check_destination(path: str | os.PathLike[str]) -> None:
    """OutputError if a package cannot be written to `path`: a file, a folder with something else, no such parent."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_dir():
        raise OutputError(f"cannot write '{path}': it is a file; expected the folder of a package or a new name")
    if target.is_dir() and any(target.iterdir()) and not (target / PLAN_FILE).is_file():
        raise OutputError(f"cannot write '{path}': it is a folder with something else than a package in it")
    check_parent(path)


def save_package(
    path: str | os.PathLike[str],
    plan: Plan,
    code_objects: Mapping[str, bytes],
    weights: Mapping[str, np.ndarray[Any, Any]],
    extra: Mapping[str, str | bytes],
) -> None:
    """Write a package, whole or not at all. `extra` are more files by name. OutputError if it cannot be written."""
    check_destination(path)
    with directory_atomically(path) as folder:
        (folder / PLAN_FILE).write_text(plan.to_json())
        write_weights(folder / plan.weights_file, weights)
        for name, content in {**code_objects, **extra}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def write_weights(path: Path, weights: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """A safetensors file with the tensors in `stored_order`, one after the other.

    Written here and not with the library, which has no FNUZ types: those are stored under their own names
    (F8_E4M3FNUZ, F8_E5M2FNUZ), as the format's enumeration spells them.
    """
    with path.open("wb") as stream:
        _write_weights(stream, weights)


def weights_file(weights: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """The content of the file that `write_weights` writes."""
    stream = io.BytesIO()
    _write_weights(stream, weights)
    return stream.getvalue()


def _write_weights(stream: BinaryIO, weights: Mapping[str, np.ndarray[Any, Any]]) -> None:
    names = stored_order(weights)
    starts = data_offsets([weights[name].nbytes for name in names])
    header = {
        name: {
            "dtype": _STORED[weights[name].dtype],
            "shape": list(weights[name].shape),
            "data_offsets": [start, start + weights[name].nbytes],
        }
        for name, start in zip(names, starts, strict=True)
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    stream.write(struct.pack("<Q", len(text)))
    stream.write(text)
    for name in names:
        stream.write(np.ascontiguousarray(weights[name]).reshape(-1).view(np.uint8).data)


@dataclass
class Package:
    """A package that was read: its plan, code objects by file name, and weights (mapped)."""

    path: Path
    plan: Plan
    code_objects: dict[str, bytes]
    weights: WeightStore


def load_package(path: str | os.PathLike[str]) -> Package:
    """Read and check a package. InputError saying what is missing or does not fit."""
    folder = Path(path)
    if not (folder / PLAN_FILE).is_file():
        raise InputError(f"'{folder}' is not a Fovea package: it has no {PLAN_FILE}")
    try:
        text = (folder / PLAN_FILE).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read '{folder / PLAN_FILE}': {error}") from error
    plan = parse_plan(text, str(folder / PLAN_FILE))
    code_objects = {}
    for name in dict.fromkeys(launch.code_object for launch in plan.launches):
        file = folder / name
        inside = file.resolve().is_relative_to(folder.resolve())
        if not inside or not file.is_file():
            raise InputError(f"'{folder}': the code object '{name}' that the plan names is missing")
        code_objects[name] = file.read_bytes()
        kernels = {launch.kernel for launch in plan.launches if launch.code_object == name}
        _check_code_object(file, code_objects[name], kernels, plan.target)
    weights = WeightStore([folder / plan.weights_file]) if any(b.tensor for b in plan.buffers) else WeightStore()
    for buffer in plan.buffers:
        if buffer.tensor and (buffer.tensor not in weights or weights[buffer.tensor].nbytes != buffer.bytes):
            found = f"{weights[buffer.tensor].nbytes} bytes" if buffer.tensor in weights else "no such tensor"
            raise InputError(
                f"'{folder}': weight '{buffer.tensor}' should have {buffer.bytes} bytes in {plan.weights_file}, "
                f"found {found}"
            )
    return Package(folder, plan, code_objects, weights)


def _check_code_object(file: Path, content: bytes, kernels: set[str], target: str) -> None:
    try:
        code = read_code_object(content)
        for kernel in kernels:
            code.kernel(kernel)
    except InputError as error:
        raise InputError(f"'{file}': {error}") from error
    if code.chip != target:
        raise InputError(f"'{file}' is for {code.chip}, the plan for {target}")
