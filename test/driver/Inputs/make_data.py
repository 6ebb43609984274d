# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`make_data.py MODEL.mlir PREFIX`: data for a small model of f32 tensors.

Writes PREFIX.safetensors (weights scaled so that a contraction keeps the variance of its input), PREFIX.calibration.npz
(4 batches) and PREFIX.inputs.npz (others of the same distribution). The seed is fixed.
"""

import sys

import numpy as np
from safetensors.numpy import save_file

from fovea.executor.interpreter import WEIGHT, argument_attribute, entry_of, inputs_of
from fovea.ir_input import new_context, parse_module

BATCHES = 4
model, prefix = sys.argv[1:]
module = parse_module(model, new_context())
entry = entry_of(module)
random = np.random.default_rng(7)
weights = {}
for position, argument in enumerate(entry.arguments):
    name = argument_attribute(entry, position, WEIGHT)
    if name is not None:
        shape = tuple(argument.type.shape)
        weights[name] = random.standard_normal(shape, np.float32) / np.float32(np.sqrt(shape[0]))
save_file(weights, f"{prefix}.safetensors")
inputs = {name: random.standard_normal((BATCHES + 1, *shape), np.float32) for name, shape, _ in inputs_of(module)}
np.savez(f"{prefix}.calibration.npz", **{name: array[:BATCHES] for name, array in inputs.items()})
np.savez(f"{prefix}.inputs.npz", **{name: array[BATCHES] for name, array in inputs.items()})
