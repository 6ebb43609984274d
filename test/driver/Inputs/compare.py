# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`compare.py MODEL.mlir PREFIX OUTPUTS.npz`: prints how far outputs are from the reference executor's.

PREFIX as in make_data.py. Limits: --max-error (absolute), --cosine (least, over all elements). Fails beyond them.
"""

import argparse
import sys

import numpy as np

from fovea.executor import Executor
from fovea.ir_input import new_context, parse_module
from fovea.weights import WeightStore

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("prefix")
parser.add_argument("outputs")
parser.add_argument("--max-error", type=float, default=np.inf)
parser.add_argument("--cosine", type=float, default=-1.0)
options = parser.parse_args()
module = parse_module(options.model, new_context())
inputs = dict(np.load(f"{options.prefix}.inputs.npz"))
(expected,) = Executor(module, WeightStore(f"{options.prefix}.safetensors")).run(inputs)
(found,) = dict(np.load(options.outputs)).values()
if found.shape != expected.shape or found.dtype != expected.dtype:
    sys.exit(f"expected {expected.dtype} {expected.shape}, found {found.dtype} {found.shape}")
error = float(np.abs(found - expected).max())
cosine = float((found * expected).sum() / np.linalg.norm(found) / np.linalg.norm(expected))
print(f"max error {error:.3g} of values up to {np.abs(expected).max():.3g}, cosine {cosine:.6f}")
if not (error <= options.max_error and cosine >= options.cosine):
    sys.exit("beyond the limit")
