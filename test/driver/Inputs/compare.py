# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`compare.py MODEL.mlir PREFIX [OUTPUTS.npz LIMIT]...`: prints how far outputs are from the reference executor's.

PREFIX as in make_data.py. LIMIT is `error=E` (largest absolute error) or `cosine=C` (least cosine, over all elements).
Fails if outputs are beyond their limit, or of another shape or type.
"""

import sys

import numpy as np

from fovea.executor import Executor
from fovea.ir_input import new_context, parse_module
from fovea.weights import WeightStore

model, prefix, *rest = sys.argv[1:]
module = parse_module(model, new_context())
inputs = dict(np.load(f"{prefix}.inputs.npz"))
(expected,) = Executor(module, WeightStore(f"{prefix}.safetensors")).run(inputs)
for outputs, limit in zip(rest[::2], rest[1::2], strict=True):
    (found,) = dict(np.load(outputs)).values()
    if found.shape != expected.shape or found.dtype != expected.dtype:
        sys.exit(f"{outputs}: expected {expected.dtype} {expected.shape}, found {found.dtype} {found.shape}")
    error = float(np.abs(found - expected).max())
    cosine = float((found * expected).sum() / np.linalg.norm(found) / np.linalg.norm(expected))
    print(f"{outputs}: error {error:.3g} of values up to {np.abs(expected).max():.3g}, cosine {cosine:.6f}")
    kind, _, bound = limit.partition("=")
    if not {"error": error <= float(bound), "cosine": cosine >= float(bound)}[kind]:
        sys.exit(f"{outputs}: beyond {limit}")
