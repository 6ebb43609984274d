# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fovea: an MLIR compiler that keeps attention whole and quantises everything else to FP8, for AMD GPUs.

Importing this package does no work; see `fovea.api` for the Python interface and `fovea.cli` for the commands.
"""

__version__ = "0.1.0"
