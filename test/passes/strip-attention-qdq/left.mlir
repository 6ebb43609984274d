// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Both contractions or neither.
// RUN: fovea-opt %s --fovea-detect-attention --fovea-strip-attention-qdq --verify-diagnostics | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// The scales of the two halves differ: this is no pair, and the site stays whole.
// CHECK-LABEL: func.func @other_scale
// CHECK: "fovea.dequantize"
// CHECK: "fovea.dequantize"
// CHECK: "qk">}
func.func @other_scale(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %vd_8 = "fovea.quantize"(%v) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x6x5xf32>) -> tensor<2x6x5xf8E4M3FN>
  %vd = "fovea.dequantize"(%vd_8) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x6x5xf8E4M3FN>) -> tensor<2x6x5xf32>
  %q8 = "fovea.quantize"(%q) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x4x8xf32>) -> tensor<2x4x8xf8E4M3FN>
  %qd = "fovea.dequantize"(%q8) {axis = -1 : i64, scale = dense<0.06> : tensor<f32>} : (tensor<2x4x8xf8E4M3FN>) -> tensor<2x4x8xf32>
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  // expected-remark @below {{site 0 stays quantised: operand 0 of 'linalg.batch_matmul' is quantised in a way that is not understood}}
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%qd, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{attention tagged}}
  %o = linalg.batch_matmul ins(%p, %vd : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}
