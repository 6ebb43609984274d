# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Emulator of AMD code objects: runs a kernel's own instructions on numpy arrays, with every access checked."""

from fovea.emulator.errors import EmulationError
from fovea.emulator.launch import emulate
from fovea.emulator.statistics import Statistics

__all__ = ["EmulationError", "Statistics", "emulate"]
