# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The reference executor: runs linalg on tensors and the fovea dialect with numpy.

It says what a program means: passes are checked against it, calibration and constant folding run on it.
"""

from fovea.executor.constants import array_of
from fovea.executor.folding import ConstantEvaluator, evaluate, is_constant
from fovea.executor.interpreter import Executor, InputType, entry_of, inputs_of, run

__all__ = [
    "ConstantEvaluator",
    "Executor",
    "InputType",
    "array_of",
    "entry_of",
    "evaluate",
    "inputs_of",
    "is_constant",
    "run",
]
