# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A loader of packages that knows only their documentation (python/fovea/plan.py): JSON, bytes, and a device.

It stands for anyone else's: of Fovea it uses the emulator alone, as the device. Another would copy the buffers to a
GPU and launch the same kernels there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from fovea.emulator import emulate

TYPES = {"f32": np.float32, "i64": np.int64, "i32": np.int32}
SCALARS = {"i32": np.int32, "i64": np.int64, "f32": np.float32}


def run_package(folder: Path, inputs: dict[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
    """Outputs by name; inputs have the types and shapes that the plan names."""
    plan = json.loads((folder / "plan.json").read_text())
    assert plan["version"] == 1
    weights = (folder / plan["weights_file"]).read_bytes()
    data = 8 + int.from_bytes(weights[:8], "little")  # a safetensors file: length of the header, header, data
    arena = np.full(plan["arena_bytes"], 0xA5, np.uint8)  # whatever was there before: a kernel must not count on zeros
    memory = {}
    for buffer in plan["buffers"]:
        if buffer["kind"] in ("weight", "constant"):
            start = data + buffer["offset"]
            memory[buffer["id"]] = np.frombuffer(weights, np.uint8, buffer["bytes"], start).copy()
        elif buffer["kind"] == "arena":
            memory[buffer["id"]] = arena[buffer["offset"] : buffer["offset"] + buffer["bytes"]]
        else:
            memory[buffer["id"]] = np.zeros(buffer["bytes"], np.uint8)
    for tensor in plan["inputs"]:
        array = inputs[tensor["name"]].astype(TYPES[tensor["dtype"]])
        memory[tensor["buffer"]][:] = np.frombuffer(array.tobytes(), np.uint8)
    for launch in plan["launches"]:
        arguments = [
            memory[argument["buffer"]][argument["offset"] :] if "buffer" in argument
            else next(SCALARS[kind](value) for kind, value in argument.items())
            for argument in launch["args"]
        ]  # fmt: skip
        code = (folder / launch["code_object"]).read_bytes()
        emulate(code, launch["kernel"], launch["grid"], launch["block"], arguments)
    return {t["name"]: memory[t["buffer"]].view(TYPES[t["dtype"]]).reshape(t["shape"]) for t in plan["outputs"]}
