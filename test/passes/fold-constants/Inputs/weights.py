# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the weights of fold.mlir and quantized.mlir to the file named by the first argument."""

import sys

import numpy as np
from safetensors.numpy import save_file

generator = np.random.default_rng(0)
SHAPES = {"fc.weight": (32, 64), "table": (100, 8), "unused": (7,)}
save_file({name: generator.standard_normal(shape, np.float32) for name, shape in SHAPES.items()}, sys.argv[1])
