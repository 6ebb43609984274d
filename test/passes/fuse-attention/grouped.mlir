// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Grouped-query attention.
// RUN: fovea-opt %s --fovea-detect-attention --fovea-fuse-attention 2>/dev/null | FileCheck %s

// CHECK-DAG: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4)>
// CHECK-DAG: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 floordiv 2, d3, d4)>
// CHECK-DAG: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 floordiv 2, d3, d5)>

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// Heads share keys and values in groups of two: K and V are read without the repetition.
// CHECK-LABEL: func.func @grouped
// CHECK-NOT: linalg
// CHECK: "fovea.attention"(%arg3, %arg4, %arg5) ({
// CHECK: : (tensor<2x4x3x8xf32>, tensor<2x2x6x8xf32>, tensor<2x2x6x5xf32>) -> tensor<2x4x3x5xf32>
func.func @grouped(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %q4: tensor<2x4x3x8xf32>, %k4: tensor<2x2x6x8xf32>, %v4: tensor<2x2x6x5xf32>) -> tensor<8x3x5xf32> {
  %zero = arith.constant 0.0 : f32
  %ek = tensor.empty() : tensor<2x2x2x6x8xf32>
  %kb = linalg.broadcast ins(%k4 : tensor<2x2x6x8xf32>) outs(%ek : tensor<2x2x2x6x8xf32>) dimensions = [2]
  %kc = tensor.collapse_shape %kb [[0, 1, 2], [3], [4]] : tensor<2x2x2x6x8xf32> into tensor<8x6x8xf32>
  %ev = tensor.empty() : tensor<2x2x2x6x5xf32>
  %vb = linalg.broadcast ins(%v4 : tensor<2x2x6x5xf32>) outs(%ev : tensor<2x2x2x6x5xf32>) dimensions = [2]
  %vc = tensor.collapse_shape %vb [[0, 1, 2], [3], [4]] : tensor<2x2x2x6x5xf32> into tensor<8x6x5xf32>
  %qc = tensor.collapse_shape %q4 [[0, 1], [2], [3]] : tensor<2x4x3x8xf32> into tensor<8x3x8xf32>
  %es = tensor.empty() : tensor<8x3x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<8x3x6xf32>) -> tensor<8x3x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%qc, %kc : tensor<8x3x8xf32>, tensor<8x6x8xf32>) outs(%zs : tensor<8x3x6xf32>) -> tensor<8x3x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<8x3x6xf32>) outs(%es : tensor<8x3x6xf32>) -> tensor<8x3x6xf32>
  %eo = tensor.empty() : tensor<8x3x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<8x3x5xf32>) -> tensor<8x3x5xf32>
  %o = linalg.batch_matmul ins(%p, %vc : tensor<8x3x6xf32>, tensor<8x6x5xf32>) outs(%zo : tensor<8x3x5xf32>) -> tensor<8x3x5xf32>
  return %o : tensor<8x3x5xf32>
}
