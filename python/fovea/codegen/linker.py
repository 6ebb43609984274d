# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Finding `ld.lld`, which links a kernel's object file into a code object."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from fovea.errors import CompileError

VARIABLE = "FOVEA_LLD"


def _candidates() -> Iterator[tuple[str, Path | None]]:
    if os.environ.get("ROCM_PATH"):
        yield "ROCM_PATH", Path(os.environ["ROCM_PATH"]) / "llvm" / "bin" / "ld.lld"
    for name in ("ld.lld", *(f"ld.lld-{version}" for version in range(30, 18, -1))):
        found = shutil.which(name)
        yield f"PATH ({name})", Path(found) if found else None
    yield "/opt/rocm", Path("/opt/rocm/llvm/bin/ld.lld")
    for package, inner in (("_rocm_sdk_core", "lib/llvm/bin/ld.lld"),):
        spec = importlib.util.find_spec(package)
        for root in spec.submodule_search_locations or [] if spec else []:
            yield f"the {package} wheel", Path(root) / inner


def find(option: str | None = None) -> list[str]:
    """The command that runs ld.lld: from `option`, FOVEA_LLD, ROCM_PATH, PATH, /opt/rocm, ROCm's or zig's wheel.

    Raises CompileError saying where it looked when there is none.
    """
    named = option or os.environ.get(VARIABLE)
    if named:
        if not os.access(named, os.X_OK):
            raise CompileError(f"the linker '{named}' is not an executable file; give the path of ld.lld")
        return [named]
    looked = []
    for place, path in _candidates():
        if path is not None and os.access(path, os.X_OK):
            return [str(path)]
        looked.append(place)
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "ld.lld"]
    raise CompileError(
        f"no ld.lld found (looked at {', '.join(looked)} and the ziglang wheel). Install ROCm, LLVM's lld or "
        f"`pip install ziglang`, or set {VARIABLE} or --lld to the path of ld.lld"
    )


def make_toolkit(directory: Path, command: list[str]) -> Path:
    """A directory laid out as MLIR's serialiser expects a ROCm toolkit: DIR/llvm/bin/ld.lld runs `command`."""
    binary = directory / "llvm" / "bin" / "ld.lld"
    binary.parent.mkdir(parents=True)
    quoted = " ".join("'" + part.replace("'", "'\\''") + "'" for part in command)
    binary.write_text(f'#!/bin/sh\nexec {quoted} "$@"\n')
    binary.chmod(0o755)
    return directory
