# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From a kernel in vector/scf/memref/gpu/amdgpu to the ROCDL and LLVM dialects, by upstream passes."""

from __future__ import annotations

import io
from typing import Any

from fovea.bindings import ir, passmanager
from fovea.errors import CompileError
from fovea.target import Chip

# Offsets into a buffer are 32-bit signed where every buffer is smaller than this many bytes.
INDEX_32_LIMIT = 1 << 31


def pipeline(chip: Chip, largest_buffer: int) -> str:
    """Upstream passes for kernels whose largest buffer has `largest_buffer` bytes."""
    bits = 32 if largest_buffer < INDEX_32_LIMIT else 64
    return (
        "builtin.module(canonicalize,cse,loop-invariant-code-motion,gpu.module("
        "convert-scf-to-cf,expand-strided-metadata,"
        f"convert-amdgpu-to-rocdl{{chipset={chip.name}}},convert-math-to-llvm,"
        f"convert-gpu-to-rocdl{{chipset={chip.name} use-bare-ptr-memref-call-conv=true index-bitwidth={bits}}},"
        "reconcile-unrealized-casts,canonicalize,cse))"
    )


def lower(module: Any, chip: Chip, largest_buffer: int) -> None:
    """Lower every gpu.module in `module` in place."""
    try:
        passmanager.PassManager.parse(pipeline(chip, largest_buffer), module.context).run(module.operation)
    except ir.MLIRError as error:
        raise CompileError(f"lowering to ROCDL failed; this is an error in Fovea: {error}") from error


def bytecode(module: Any) -> bytes:
    """MLIR bytecode of `module`."""
    stream = io.BytesIO()
    module.operation.write_bytecode(stream)
    return stream.getvalue()
