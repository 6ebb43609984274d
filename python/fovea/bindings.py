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


class _Lazy:
    """A module that is imported when something of it is used: the classes of a large dialect take longer to make than
    MLIR takes to start, and only code generation needs them. (The bindings import it as well when they meet an op.)
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        value = getattr(_module(self._name), name)
        setattr(self, name, value)  # found without this method from now on
        return value


ir: Any = _module("ir")
passmanager: Any = _module("passmanager")
rewrite: Any = _module("rewrite")
ext: Any = _module("dialects.ext")
irdl: Any = _module("dialects.irdl")

arith: Any = _module("dialects.arith")
builtin: Any = _module("dialects.builtin")
func: Any = _module("dialects.func")
linalg: Any = _module("dialects.linalg")
math: Any = _module("dialects.math")
tensor: Any = _module("dialects.tensor")

amdgpu: Any = _Lazy("dialects.amdgpu")
gpu: Any = _Lazy("dialects.gpu")
llvm: Any = _Lazy("dialects.llvm")
memref: Any = _Lazy("dialects.memref")
rocdl: Any = _Lazy("dialects.rocdl")
scf: Any = _Lazy("dialects.scf")
vector: Any = _Lazy("dialects.vector")

# For an op of a dialect that they know no module of, the bindings search the file system, each time anew. The ops of
# our dialect are registered by `fovea.dialect`; an empty module in that place makes the search end at once.
_OWN = f"{PREFIX}.dialects.fovea"
sys.modules.setdefault(_OWN, ModuleType(_OWN))
