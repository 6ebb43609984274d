# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the weights of weights.mlir to the file named by the first argument."""

import sys

import numpy as np
from safetensors.numpy import save_file

save_file(
    {
        "fc": np.array([[1, -120, 3], [60, 2, -5]], np.float32),
        "broken": np.array([[1, 2], [np.nan, 3]], np.float32),
    },
    sys.argv[1],
)
