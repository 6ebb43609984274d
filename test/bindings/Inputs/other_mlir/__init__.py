# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fovea's default bindings under another name, as a build of MLIR with a prefix of its own has them.

Its modules are the same objects: the extension behind them cannot be loaded twice.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys


class _Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name.startswith(f"{__name__}.") else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__name__
        sys.modules[name] = importlib.import_module(name.replace(__name__, "torch_mlir", 1))


__path__ = []
sys.meta_path.insert(0, _Alias())
