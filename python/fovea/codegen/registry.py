# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which module writes which kind of kernel."""

from __future__ import annotations

import importlib
from typing import Any

from fovea.bindings import ir
from fovea.codegen.kernel import Kernel
from fovea.errors import CompileError
from fovea.target import Chip

KIND = "fovea.kernel"  # string attribute on a kernel function
MODULES = ("elementwise", "rowwise", "reduction", "contraction", "attention")


def build(function: Any, chip: Chip) -> Kernel:
    """The GPU kernel of a kernel function, by its kind."""
    kind = ir.StringAttr(function.attributes[KIND]).value
    if kind not in MODULES:
        known = ", ".join(MODULES)
        raise CompileError(f"{function.location}: unknown kind of kernel '{kind}'; expected one of {known}")
    return importlib.import_module(f"fovea.codegen.{kind}").build(function, chip)
