// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Softmax over another axis than the one that the second contraction sums over.
// RUN: fovea-opt %s --fovea-detect-attention --verify-diagnostics | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// Softmax over the query axis.
// CHECK-LABEL: func.func @query_axis
// CHECK-NOT: fovea.site
func.func @query_axis(%q: tensor<2x6x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x6x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x6x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x6x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  %p = linalg.softmax dimension(1) ins(%s : tensor<2x6x6xf32>) outs(%es : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  %eo = tensor.empty() : tensor<2x6x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x6x5xf32>) -> tensor<2x6x5xf32>
  // expected-remark @below {{normalises over one axis and the second contraction sums over another}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x6x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x6x5xf32>) -> tensor<2x6x5xf32>
  return %o : tensor<2x6x5xf32>
}

// Softmax over the batch axis.
// CHECK-LABEL: func.func @head_axis
// CHECK-NOT: fovea.site
func.func @head_axis(%q: tensor<2x6x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x6x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x6x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x6x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  %p = linalg.softmax dimension(0) ins(%s : tensor<2x6x6xf32>) outs(%es : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  %eo = tensor.empty() : tensor<2x6x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x6x5xf32>) -> tensor<2x6x5xf32>
  // expected-remark @below {{normalises over one axis and the second contraction sums over another}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x6x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x6x5xf32>) -> tensor<2x6x5xf32>
  return %o : tensor<2x6x5xf32>
}

// The second contraction sums over the queries. With as many queries as keys shapes do not tell; maps do.
// CHECK-LABEL: func.func @other_axis
// CHECK-NOT: fovea.site
func.func @other_axis(%q: tensor<2x6x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x6x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x6x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x6x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x6x6xf32>) outs(%es : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  %eo = tensor.empty() : tensor<2x6x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x6x5xf32>) -> tensor<2x6x5xf32>
  // expected-remark @below {{normalises over one axis and the second contraction sums over another}}
  %o = linalg.batch_matmul indexing_maps = [affine_map<(b, n, d, m) -> (b, m, n)>, affine_map<(b, n, d, m) -> (b, m, d)>,
        affine_map<(b, n, d, m) -> (b, n, d)>]
      ins(%p, %v : tensor<2x6x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x6x5xf32>) -> tensor<2x6x5xf32>
  return %o : tensor<2x6x5xf32>
}

// Probabilities as the right operand, summed over the queries.
// CHECK-LABEL: func.func @right_operand
// CHECK-NOT: fovea.site
func.func @right_operand(%q: tensor<2x6x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x5x6xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x6x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x6x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x6x6xf32>) outs(%es : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  %eo = tensor.empty() : tensor<2x5x6xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x5x6xf32>) -> tensor<2x5x6xf32>
  %et = tensor.empty() : tensor<2x5x6xf32>
  %vt = linalg.transpose ins(%v : tensor<2x6x5xf32>) outs(%et : tensor<2x5x6xf32>) permutation = [0, 2, 1]
  // expected-remark @below {{normalises over one axis and the second contraction sums over another}}
  %o = linalg.batch_matmul ins(%vt, %p : tensor<2x5x6xf32>, tensor<2x6x6xf32>) outs(%zo : tensor<2x5x6xf32>) -> tensor<2x5x6xf32>
  return %o : tensor<2x5x6xf32>
}

// CHECK-LABEL: func.func @end
func.func @end() {
  return
}
