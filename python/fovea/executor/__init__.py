# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The reference executor: runs linalg on tensors and the fovea dialect with numpy.

It says what a program means: passes are checked against it, calibration and constant folding run on it.
"""

from fovea.executor.interpreter import Executor, run

__all__ = ["Executor", "run"]
