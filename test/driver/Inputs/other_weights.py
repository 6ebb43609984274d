# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`other_weights.py FROM.safetensors TO.safetensors`: the same names, shapes and types with other values."""

import sys

import numpy as np
from safetensors.numpy import load_file, save_file

source, target = sys.argv[1:]
random = np.random.default_rng(8)
save_file({name: random.standard_normal(a.shape, np.float32) for name, a in load_file(source).items()}, target)
