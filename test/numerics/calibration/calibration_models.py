# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small modules with captures, their weights, and data that calibration must cope with."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from fovea.calibration import Statistics
from fovea.ir_input import new_context, parse_module
from fovea.weights import WeightStore

ROWS, DEPTH, COLUMNS = 64, 96, 48
CAPTURE = 'calibrated = false, max_abs = 0.0 : f32, id'
LINEAR = f"""
func.func @main(%x: tensor<{ROWS}x{DEPTH}xf32> {{fovea.name = "x"}},
    %w: tensor<{DEPTH}x{COLUMNS}xf32> {{fovea.weight = "w"}}) -> tensor<{ROWS}x{COLUMNS}xf32> {{
  %0 = "fovea.capture"(%x) {{{CAPTURE} = "x"}} : (tensor<{ROWS}x{DEPTH}xf32>) -> tensor<{ROWS}x{DEPTH}xf32>
  %zero = arith.constant dense<0.0> : tensor<{ROWS}x{COLUMNS}xf32>
  %1 = linalg.matmul ins(%0, %w : tensor<{ROWS}x{DEPTH}xf32>, tensor<{DEPTH}x{COLUMNS}xf32>)
      outs(%zero : tensor<{ROWS}x{COLUMNS}xf32>) -> tensor<{ROWS}x{COLUMNS}xf32>
  %2 = "fovea.capture"(%1) {{{CAPTURE} = "y"}} : (tensor<{ROWS}x{COLUMNS}xf32>) -> tensor<{ROWS}x{COLUMNS}xf32>
  return %2 : tensor<{ROWS}x{COLUMNS}xf32>
}}"""


def linear() -> tuple[Any, WeightStore]:
    """A linear layer with captures "x" and "y", and its weight."""
    weights = WeightStore()
    weights.add("w", np.random.default_rng(1).standard_normal((DEPTH, COLUMNS)).astype(np.float32))
    return parse_module(LINEAR.encode(), new_context()), weights


def batch(number: int) -> dict[str, Any]:
    """An input of `linear`: heavier in the tail for higher numbers, so that each batch matters."""
    generator = np.random.default_rng([2, number])
    return {"x": generator.standard_t(3 + number % 5, (ROWS, DEPTH)).astype(np.float32)}


def statistics_of(*arrays: Any) -> Statistics:
    """What calibration keeps of these batches."""
    seen = Statistics()
    for array in arrays:
        seen.update(array)
    return seen


def _data() -> dict[str, Any]:
    generator = np.random.default_rng(3)
    normal = generator.standard_normal(5000).astype(np.float32)
    smallest = np.float32(1.4e-45)
    return {
        "normal": normal,
        "f16": normal.astype(np.float16),
        "bf16": normal.astype(ml_dtypes.bfloat16),
        "f64": normal.astype(np.float64),
        "f16 subnormals": (normal * 1e-6).astype(np.float16),
        "heavy tail": generator.standard_t(2, 5000).astype(np.float32),
        "rectified": np.maximum(normal, 0),
        "constant": np.full(77, -3.3, np.float32),
        "one value": np.array([0.1], np.float32),
        "one outlier": np.append(normal, np.float32(1e30)),
        "zeros and one value": np.append(np.zeros(100_000, np.float32), np.float32(2.5)),
        "one small among zeros": np.append(np.zeros(100_000, np.float32), smallest),
        "subnormals": generator.integers(1, 99, 100).astype(np.uint32).view(np.float32),
        "smallest": np.full(3, smallest),
        "all magnitudes": np.ldexp(np.float32(1), np.arange(-149, 128)).astype(np.float32),
        "largest": np.array([1, np.finfo(np.float32).max], np.float32),
        "f64 just above f32": np.array([1, float(np.finfo(np.float32).max) * (1 + 1e-9)]),
        "f64 below f32": np.array([1e-300, 1e-310]),
    }


DATA = _data()
