// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pairs behind scales and layout, and on the scores.
// RUN: fovea-opt %s --fovea-detect-attention --fovea-strip-attention-qdq 2>/dev/null | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// A pair on the scores: softmax reads the contraction.
// CHECK-LABEL: func.func @scores
// CHECK: %[[S:.*]] = linalg.batch_matmul
// CHECK-NOT: fovea.quantize
// CHECK: linalg.softmax {{.*}} ins(%[[S]] :
func.func @scores(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %sd_8 = "fovea.quantize"(%s) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x4x6xf32>) -> tensor<2x4x6xf8E4M3FN>
  %sd = "fovea.dequantize"(%sd_8) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x4x6xf8E4M3FN>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%sd : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// A scale between the pair and the contraction stays.
// CHECK-LABEL: func.func @scaled_query
// CHECK-NOT: fovea.quantize
// CHECK: %[[Q:.*]] = linalg.generic {{.*}} ins(%arg0 :
// CHECK: arith.mulf
// CHECK: linalg.batch_matmul {{.*}} ins(%[[Q]], %arg1 :
func.func @scaled_query(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %qd_8 = "fovea.quantize"(%q) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x4x8xf32>) -> tensor<2x4x8xf8E4M3FN>
  %qd = "fovea.dequantize"(%qd_8) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x4x8xf8E4M3FN>) -> tensor<2x4x8xf32>
  %ew = tensor.empty() : tensor<2x4x8xf32>
  %qs = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%qd : tensor<2x4x8xf32>) outs(%ew : tensor<2x4x8xf32>) {
  ^bb0(%x0: f32, %acc: f32):
    %c = arith.constant 0.25 : f32
    %r = arith.mulf %x0, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x8xf32>
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%qs, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// A pair, then a transpose: the transpose reads the source.
// CHECK-LABEL: func.func @transposed_key
// CHECK-NOT: fovea.quantize
// CHECK: %[[T:.*]] = linalg.transpose ins(%arg1 :
// CHECK: linalg.batch_matmul {{.*}} ins(%arg0, %[[T]] :
func.func @transposed_key(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %kd_8 = "fovea.quantize"(%k) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x6x8xf32>) -> tensor<2x6x8xf8E4M3FN>
  %kd = "fovea.dequantize"(%kd_8) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x6x8xf8E4M3FN>) -> tensor<2x6x8xf32>
  %et = tensor.empty() : tensor<2x8x6xf32>
  %kt = linalg.transpose ins(%kd : tensor<2x6x8xf32>) outs(%et : tensor<2x8x6xf32>) permutation = [0, 2, 1]
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x4x8xf32>, tensor<2x8x6xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}
