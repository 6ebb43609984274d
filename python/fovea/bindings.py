# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The one module that imports the MLIR Python bindings; everything else imports MLIR from here.

The environment variable `FOVEA_MLIR` names the package that holds the bindings (default `torch_mlir`; `mlir` for the
upstream wheel). It is read once, at the first import of this module.
"""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType
from typing import Any

from fovea.errors import FoveaError

PREFIX = os.environ.get("FOVEA_MLIR") or "torch_mlir"


def _module(name: str) -> Any:
    try:
        return importlib.import_module(f"{PREFIX}.{name}")
    except ImportError as error:
        raise FoveaError(
            f"cannot import the MLIR Python bindings '{PREFIX}.{name}': {error}\n"
            "Install the pinned bindings (`pip install fovea` does) or set FOVEA_MLIR to the package that holds yours."
        ) from error


ir: Any = _module("ir")
passmanager: Any = _module("passmanager")
rewrite: Any = _module("rewrite")
ext: Any = _module("dialects.ext")
irdl: Any = _module("dialects.irdl")

amdgpu: Any = _module("dialects.amdgpu")
arith: Any = _module("dialects.arith")
builtin: Any = _module("dialects.builtin")
func: Any = _module("dialects.func")
gpu: Any = _module("dialects.gpu")
linalg: Any = _module("dialects.linalg")
llvm: Any = _module("dialects.llvm")
math: Any = _module("dialects.math")
memref: Any = _module("dialects.memref")
rocdl: Any = _module("dialects.rocdl")
scf: Any = _module("dialects.scf")
tensor: Any = _module("dialects.tensor")
vector: Any = _module("dialects.vector")

# For an op of a dialect that they know no module of, the bindings search the file system, each time anew. The ops of
# our dialect are registered by `fovea.dialect`; an empty module in that place makes the search end at once.
_OWN = f"{PREFIX}.dialects.fovea"
sys.modules.setdefault(_OWN, ModuleType(_OWN))
