# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`bad_data.py PREFIX`: calibration data and weights of mlp.mlir that each have one thing wrong, from good ones.

PREFIX as in make_data.py; writes PREFIX.WHAT.npz and PREFIX.WHAT.safetensors.
"""

import sys

import numpy as np
from safetensors.numpy import load_file, save_file

prefix = sys.argv[1]
x = np.load(f"{prefix}.calibration.npz")["x"]
with_nan = x.copy()
with_nan[1, 2, 3] = np.nan
calibrations = {
    "nan": {"x": with_nan}, "missing": {"other": x}, "extra": {"x": x, "other": x}, "flat": {"x": x[0]},
    "none": {"x": x[:0]}, "integers": {"x": x.astype(np.int64)}, "huge": {"x": x.astype(np.float64) * 1e300},
}  # fmt: skip
for what, arrays in calibrations.items():
    np.savez(f"{prefix}.{what}.npz", **arrays)
np.save(f"{prefix}.single.npz.npy", x)
good = load_file(f"{prefix}.safetensors")
name = "second.weight"
weights = {
    "misshapen": {**good, name: good[name][:7]},
    "mistyped": {**good, name: good[name].astype(np.float16)},
    "lacking": {key: value for key, value in good.items() if key != name},
    "surplus": {**good, "third.weight": good[name]},
    "nan": {**good, name: np.full_like(good[name], np.nan)},
}
for what, tensors in weights.items():
    save_file(tensors, f"{prefix}.{what}.safetensors")
with open(f"{prefix}.safetensors", "rb") as whole, open(f"{prefix}.short.safetensors", "wb") as short:
    short.write(whole.read()[:-100])
with open(f"{prefix}.calibration.npz", "rb") as whole, open(f"{prefix}.short.npz", "wb") as short:
    short.write(whole.read()[:-100])
