// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Biases that are contractions themselves.
// RUN: fovea-opt %s --fovea-detect-attention --verify-diagnostics | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// Relative positions: the scores are the sum of three contractions, one of queries and keys, two of position tables.
// CHECK-LABEL: func.func @summed
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @summed(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %rel: tensor<2x6x8xf32>, %pos: tensor<2x4x8xf32>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %zc = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %c2p = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %rel : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zc : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p2c = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%pos, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zc : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %t = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %c2p : tensor<2x4x6xf32>, tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%x0: f32, %x1: f32, %acc: f32):
    %r = arith.addf %x0, %x1 : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %u = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t, %p2c : tensor<2x4x6xf32>, tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%x0: f32, %x1: f32, %acc: f32):
    %r = arith.addf %x0, %x1 : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%u : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{attention tagged}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}
