# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Versions of Fovea, of the MLIR bindings in use, and of the LLVM in them."""

from __future__ import annotations

import importlib.metadata
import io
import mmap
import os
import re
from pathlib import Path

import fovea
from fovea.bindings import PREFIX, ir

_REVISION = re.compile(rb" ([0-9a-f]{40})\b")
_REVISION_SPAN = 48  # bytes after the version in which LLVM's build puts its revision


def version_text() -> str:
    """Three lines for `--version`."""
    version = mlir_version()
    revision = llvm_revision(version)
    return (
        f"fovea {fovea.__version__}\n"
        f"bindings {PREFIX} {_bindings_version()}\n"
        f"LLVM {version}{f' ({revision})' if revision else ''}\n"
    )


def mlir_version() -> str:
    """Version of the MLIR in use, such as 24.0.0git: what it names as the producer of its bytecode."""
    context = ir.Context()
    stream = io.BytesIO()
    ir.Module.parse("module {}", context).operation.write_bytecode(stream)
    producer = stream.getvalue()[5:].split(b"\0", 1)[0]  # magic, a byte of version, then the producer's name
    return producer.decode(errors="replace").removeprefix("MLIR")


def llvm_revision(version: str) -> str | None:
    """The commit that LLVM was built from, None if the libraries of the bindings do not hold it."""
    needle = version.encode()
    for library in sorted(Path(ir.__file__).parent.glob("_mlir_libs/*.so*"), key=lambda p: -p.stat().st_size):
        with library.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            at = data.find(needle)
            while at >= 0:
                end = at + len(needle)
                match = _REVISION.match(data[end : end + _REVISION_SPAN])
                if match:
                    return match[1].decode()
                at = data.find(needle, end)
    return None


def _bindings_version() -> str:
    package = PREFIX.split(".")[0]
    for distribution in importlib.metadata.packages_distributions().get(package, []):
        return importlib.metadata.version(distribution)
    return f"at {os.path.dirname(ir.__file__)}"
