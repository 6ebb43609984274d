// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Option absorb-transpose.
// RUN: fovea-opt %s --fovea-detect-attention --fovea-fuse-attention=absorb-transpose=true 2>/dev/null | FileCheck %s
// RUN: fovea-opt %s --fovea-detect-attention --fovea-fuse-attention 2>&1 | FileCheck %s --check-prefix=KEPT

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// The result is transposed, and used in no other way: the op writes it so.
// CHECK-LABEL: func.func @transposed
// CHECK-NOT: linalg
// CHECK: %[[O:.*]] = "fovea.attention"(%arg0, %arg1, %arg2)
// CHECK: -> tensor<4x2x5xf32>
// CHECK-NEXT: return %[[O]]
// KEPT: "fovea.attention"
// KEPT: linalg.transpose
func.func @transposed(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<4x2x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %et = tensor.empty() : tensor<4x2x5xf32>
  %t = linalg.transpose ins(%o : tensor<2x4x5xf32>) outs(%et : tensor<4x2x5xf32>) permutation = [1, 0, 2]
  return %t : tensor<4x2x5xf32>
}
