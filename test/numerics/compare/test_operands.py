# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What an operand of a contraction is quantised from, through whatever moves its elements."""

from __future__ import annotations

import numpy as np
import pytest

from fovea.compare.operands import path_of
from fovea.executor.folding import ConstantEvaluator
from fovea.ir_input import new_context, parse_module

TEXT = """
func.func @main(%x: tensor<2x6xf32>, %other: tensor<4x3xf32>) -> tensor<4x4xf32> {
  %zero = arith.constant 0.0 : f32
  %big = tensor.expand_shape %x [[0], [1, 2]] output_shape [2, 2, 3] : tensor<2x6xf32> into tensor<2x2x3xf32>
  %q = "fovea.quantize"(%big) {axis = 1 : i64, scale = dense<[0.5, 0.25]> : tensor<2xf32>, fovea.id = "fc.lhs"}
      : (tensor<2x2x3xf32>) -> tensor<2x2x3xf8E4M3FNUZ>
  %d = "fovea.dequantize"(%q) {axis = 1 : i64, scale = dense<[0.5, 0.25]> : tensor<2xf32>, fovea.id = "fc.lhs"}
      : (tensor<2x2x3xf8E4M3FNUZ>) -> tensor<2x2x3xf32>
  %p = tensor.pad %d low[0, 0, 1] high[0, 0, 0] {
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %zero : f32
  } : tensor<2x2x3xf32> to tensor<2x2x4xf32>
  %f = tensor.collapse_shape %p [[0, 1], [2]] : tensor<2x2x4xf32> into tensor<4x4xf32>
  %e = tensor.empty() : tensor<4x4xf32>
  %t = linalg.transpose ins(%f : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) permutation = [1, 0]
  %sum = linalg.add ins(%t, %t : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %t : tensor<4x4xf32>
}"""


def test_a_path_through_pads_reshapes_and_transposes() -> None:
    module = parse_module(TEXT.encode(), new_context())
    function = module.body.operations[0]
    ops = {op.operation.name: op for op in function.regions[0].blocks[0].operations}
    constants = ConstantEvaluator()
    path = path_of(ops["linalg.transpose"].results[0], constants)
    # The reshape below the quantize is not a part of it.
    assert path.root == ops["fovea.quantize"].operands[0]
    assert [op.name for op in path.ops] == ["fovea.quantize", "fovea.dequantize", "tensor.pad", "tensor.collapse_shape",
                                            "linalg.transpose"]  # fmt: skip
    assert (path.identity, path.storage, path.dynamic) == ("fc.lhs", "f8E4M3FNUZ", False)
    x = np.array([[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 200]]], np.float32)
    moved = np.pad(x, ((0, 0), (0, 0), (1, 0))).reshape(4, 4).T
    np.testing.assert_array_equal(path.run(x, constants, quantise=False), moved)
    limits = np.pad(np.broadcast_to(np.array([120.0, 60.0])[:, None], (2, 2, 3)), ((0, 0), (0, 0), (1, 0)))
    np.testing.assert_array_equal(path.largest(x, constants), limits.reshape(4, 4).T)
    # Small integers times a power of two are exact in E4M3; 200 saturates at 240 * 0.25.
    expected = moved.copy()
    expected[3, 3] = 60
    np.testing.assert_array_equal(path.run(x, constants), expected)


@pytest.mark.parametrize("name", ["linalg.add", "fovea.quantize"])
def test_what_is_computed_or_still_stored_is_its_own_root(name: str) -> None:
    module = parse_module(TEXT.encode(), new_context())
    ops = {op.operation.name: op for op in module.body.operations[0].regions[0].blocks[0].operations}
    value = ops[name].results[0] if name == "linalg.add" else ops[name].operands[0]
    path = path_of(value, ConstantEvaluator())
    assert path.root == value and not path.ops and not path.quantised and path.storage == ""
