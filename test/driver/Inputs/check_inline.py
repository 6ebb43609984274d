# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`check_inline.py INPUTS.npz OUTPUTS.npz`: inline.mlir computed exactly (its values are small multiples of a half)."""

import sys

import numpy as np

inputs, outputs = (dict(np.load(path)) for path in sys.argv[1:])
weight = np.array([[1, 2, 3, 4], [1, 0, 0, 0], [0, 1, 0, 0], [0.5, 0.5, 0.5, 0.5]], np.float32)
bias = np.array([1, 2, 3, 4], np.float32)
np.testing.assert_array_equal(outputs["y"], inputs["x"] @ weight + bias)
np.testing.assert_array_equal(outputs["result1"], bias)
