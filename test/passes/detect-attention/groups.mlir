// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Several heads of Q share one head of K and V; the flag says how many.
// RUN: fovea-opt %s --fovea-detect-attention --verify-diagnostics | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// Grouped-query attention: two heads of K and V, each repeated for two heads of Q by a generic that copies.
// CHECK-LABEL: func.func @grouped
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @grouped(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %q4: tensor<2x4x3x8xf32>, %k4: tensor<2x2x6x8xf32>, %v4: tensor<2x2x6x5xf32>) -> tensor<8x3x5xf32> {
  %ek = tensor.empty() : tensor<2x2x2x6x8xf32>
  %bk = linalg.generic {indexing_maps = [affine_map<(b, g, r, n, d) -> (b, g, n, d)>, affine_map<(b, g, r, n, d) -> (b, g, r, n, d)>],
        iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%k4 : tensor<2x2x6x8xf32>) outs(%ek : tensor<2x2x2x6x8xf32>) {
  ^bb0(%x: f32, %acc: f32):
    linalg.yield %x : f32
  } -> tensor<2x2x2x6x8xf32>
  %ck = tensor.collapse_shape %bk [[0, 1, 2], [3], [4]] : tensor<2x2x2x6x8xf32> into tensor<8x6x8xf32>
  %ev = tensor.empty() : tensor<2x2x2x6x5xf32>
  %bv = linalg.generic {indexing_maps = [affine_map<(b, g, r, n, d) -> (b, g, n, d)>, affine_map<(b, g, r, n, d) -> (b, g, r, n, d)>],
        iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%v4 : tensor<2x2x6x5xf32>) outs(%ev : tensor<2x2x2x6x5xf32>) {
  ^bb0(%x: f32, %acc: f32):
    linalg.yield %x : f32
  } -> tensor<2x2x2x6x5xf32>
  %cv = tensor.collapse_shape %bv [[0, 1, 2], [3], [4]] : tensor<2x2x2x6x5xf32> into tensor<8x6x5xf32>
  %zero = arith.constant 0.0 : f32
  %qc = tensor.collapse_shape %q4 [[0, 1], [2], [3]] : tensor<2x4x3x8xf32> into tensor<8x3x8xf32>
  %es = tensor.empty() : tensor<8x3x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<8x3x6xf32>) -> tensor<8x3x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%qc, %ck : tensor<8x3x8xf32>, tensor<8x6x8xf32>) outs(%zs : tensor<8x3x6xf32>) -> tensor<8x3x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<8x3x6xf32>) outs(%es : tensor<8x3x6xf32>) -> tensor<8x3x6xf32>
  %eo = tensor.empty() : tensor<8x3x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<8x3x5xf32>) -> tensor<8x3x5xf32>
  // expected-remark @below {{ops, groups 2)}}
  %o = linalg.batch_matmul ins(%p, %cv : tensor<8x3x6xf32>, tensor<8x6x5xf32>) outs(%zo : tensor<8x3x5xf32>) -> tensor<8x3x5xf32>
  return %o : tensor<8x3x5xf32>
}

// Multi-query attention: one head of K and V for all four heads of Q.
// CHECK-LABEL: func.func @multi_query
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @multi_query(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %q4: tensor<2x4x3x8xf32>, %k4: tensor<2x6x8xf32>, %v4: tensor<2x6x5xf32>) -> tensor<8x3x5xf32> {
  %ek = tensor.empty() : tensor<2x4x6x8xf32>
  %bk = linalg.broadcast ins(%k4 : tensor<2x6x8xf32>) outs(%ek : tensor<2x4x6x8xf32>) dimensions = [1]
  %ck = tensor.collapse_shape %bk [[0, 1], [2], [3]] : tensor<2x4x6x8xf32> into tensor<8x6x8xf32>
  %ev = tensor.empty() : tensor<2x4x6x5xf32>
  %bv = linalg.broadcast ins(%v4 : tensor<2x6x5xf32>) outs(%ev : tensor<2x4x6x5xf32>) dimensions = [1]
  %cv = tensor.collapse_shape %bv [[0, 1], [2], [3]] : tensor<2x4x6x5xf32> into tensor<8x6x5xf32>
  %zero = arith.constant 0.0 : f32
  %qc = tensor.collapse_shape %q4 [[0, 1], [2], [3]] : tensor<2x4x3x8xf32> into tensor<8x3x8xf32>
  %es = tensor.empty() : tensor<8x3x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<8x3x6xf32>) -> tensor<8x3x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%qc, %ck : tensor<8x3x8xf32>, tensor<8x6x8xf32>) outs(%zs : tensor<8x3x6xf32>) -> tensor<8x3x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<8x3x6xf32>) outs(%es : tensor<8x3x6xf32>) -> tensor<8x3x6xf32>
  %eo = tensor.empty() : tensor<8x3x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<8x3x5xf32>) -> tensor<8x3x5xf32>
  // expected-remark @below {{ops, groups 4)}}
  %o = linalg.batch_matmul ins(%p, %cv : tensor<8x3x6xf32>, tensor<8x6x5xf32>) outs(%zo : tensor<8x3x5xf32>) -> tensor<8x3x5xf32>
  return %o : tensor<8x3x5xf32>
}
