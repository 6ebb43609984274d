# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Worker process of the serialiser: `python -m fovea.codegen.worker`.

Reads one JSON request a line, {"bytecode": path, "chip", "toolkit", "format": "bin"|"isa", "output": path, "bindings":
[package, ...]}, compiles, and answers one JSON line, {"ok": true} or {"error": text}. The AMDGPU backend runs here, so
that an abort inside it ends this process and not the compiler.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any


def _load(packages: list[str]) -> list[tuple[Any, Any, Any]]:
    loaded: list[tuple[Any, Any, Any]] = []
    for package in packages:
        try:
            modules = [importlib.import_module(f"{package}.{m}") for m in ("ir", "passmanager", "dialects.gpu")]
            loaded.append((modules[0], modules[1], modules[2]))
        except ImportError:
            continue
    return loaded


def _compile(bindings: tuple[Any, Any, Any], request: dict[str, Any]) -> bytes:
    ir, passmanager, gpu = bindings
    with ir.Context() as context, ir.Location.unknown():
        context.enable_multithreading(False)
        module = ir.Module.parse(Path(request["bytecode"]).read_bytes())
        passmanager.PassManager.parse(
            f"builtin.module(rocdl-attach-target{{chip={request['chip']} O=3}},"
            f"gpu-module-to-binary{{format={request['format']} toolkit={request['toolkit']}}})"
        ).run(module.operation)
        for op in module.body.operations:
            if op.operation.name == "gpu.binary":
                return bytes(gpu.ObjectAttr(ir.ArrayAttr(op.attributes["objects"])[0]).object)
    raise RuntimeError("the serialiser left no gpu.binary")


def _answer(request: dict[str, Any], cache: dict[tuple[str, ...], list[Any]]) -> dict[str, Any]:
    packages = tuple(request["bindings"])
    if packages not in cache:
        cache[packages] = _load(list(packages))
    errors = []
    for bindings in cache[packages]:
        try:
            Path(request["output"]).write_bytes(_compile(bindings, request))
            return {"ok": True}
        except Exception as error:  # whatever it is, its text goes back to the parent, which raises it
            errors.append(f"{bindings[0].__name__}: {error}")
    return {"error": "\n".join(errors) or f"none of these packages holds MLIR bindings: {', '.join(packages)}"}


def main() -> None:
    """Serve requests until the input ends."""
    # The backend prints diagnostics to standard output's descriptor too: keep a private one for answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    cache: dict[tuple[str, ...], list[Any]] = {}
    for line in sys.stdin:
        answers.write(json.dumps(_answer(json.loads(line), cache)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
