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

// A scale a channel of Q: the result cannot be divided by it in one go.
// CHECK-LABEL: func.func @channel_scales
// CHECK: "fovea.quantize"
// CHECK: linalg.batch_matmul {{.*}}"qk">} {{.*}} tensor<2x4x8xf8E4M3FN>, tensor<2x6x8xf8E4M3FN>
func.func @channel_scales(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %q8 = "fovea.quantize"(%q) {axis = 1 : i64, scale = dense<[0.05, 0.06, 0.07, 0.08]> : tensor<4xf32>} : (tensor<2x4x8xf32>) -> tensor<2x4x8xf8E4M3FN>
  %k8 = "fovea.quantize"(%k) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x6x8xf32>) -> tensor<2x6x8xf8E4M3FN>
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{site 1 stays quantised: operand 0 of 'linalg.batch_matmul' is quantised in a way that is not understood}}
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q8, %k8 : tensor<2x4x8xf8E4M3FN>, tensor<2x6x8xf8E4M3FN>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %ed = tensor.empty() : tensor<2x4x6xf32>
  %d = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x4x6xf32>) outs(%ed : tensor<2x4x6xf32>) {
  ^bb0(%x: f32, %old: f32):
    %c = arith.constant 2.5e-3 : f32
    %r = arith.mulf %x, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%d : tensor<2x4x6xf32>) outs(%ed : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  // expected-remark @below {{attention tagged}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// The model adds to the scaled product what is not scaled.
// CHECK-LABEL: func.func @added
// CHECK: linalg.batch_matmul {{.*}}"qk">} {{.*}} tensor<2x4x8xf8E4M3FN>, tensor<2x6x8xf8E4M3FN>
func.func @added(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %start: tensor<2x4x6xf32>) -> tensor<2x4x5xf32> {
  %q8 = "fovea.quantize"(%q) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x4x8xf32>) -> tensor<2x4x8xf8E4M3FN>
  %k8 = "fovea.quantize"(%k) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x6x8xf32>) -> tensor<2x6x8xf8E4M3FN>
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{site 2 stays quantised: operand 0 of 'linalg.batch_matmul' is quantised in a way that is not understood}}
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q8, %k8 : tensor<2x4x8xf8E4M3FN>, tensor<2x6x8xf8E4M3FN>) outs(%start : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %ed = tensor.empty() : tensor<2x4x6xf32>
  %d = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x4x6xf32>) outs(%ed : tensor<2x4x6xf32>) {
  ^bb0(%x: f32, %old: f32):
    %c = arith.constant 2.5e-3 : f32
    %r = arith.mulf %x, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%d : tensor<2x4x6xf32>) outs(%ed : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  // expected-remark @below {{attention tagged}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}
