# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`check_emulated.py SAVED.npz INPUTS.npz`: what `fovea emulate` saved is relu(x . w) of its other buffers."""

import sys

import numpy as np

saved, inputs = (dict(np.load(path)) for path in sys.argv[1:])
x, w, b, y = (saved[f"arg{number}"] for number in range(4))
if not np.array_equal(x, inputs["x"]) or b.any():
    sys.exit("a buffer that the kernel only reads was changed")
if (y.shape, y.dtype) != ((16, 48), np.float16) or not np.array_equal(w, w.astype(np.float16)) or not w.std() > 0.9:
    sys.exit("the buffers are not those that were asked for")
exact = np.maximum(x.astype(np.float16).astype(np.float64) @ w.T.astype(np.float64), 0)
# The kernel reads x in f16 as here, adds 32 products in f32, and rounds the result to f16: half a unit, 2^-11 of it.
error = np.abs(y - exact) - 2.0**-11 * exact
if error.max() > 32 * 2.0**-24 * np.abs(x).max() * np.abs(w).max() * 32 or not exact.max() > 1:
    sys.exit(f"off by {error.max()} beyond the rounding of the result")
