// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pairs outside the site stay.
// RUN: fovea-opt %s --fovea-detect-attention --fovea-strip-attention-qdq 2>/dev/null | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// A pair on the result is outside the site, and stays.
// CHECK-LABEL: func.func @outside
// CHECK: %[[O:.*]] = linalg.batch_matmul {{.*}}"pv">}
// CHECK: %[[E:.*]] = "fovea.quantize"(%[[O]])
// CHECK: %[[D:.*]] = "fovea.dequantize"(%[[E]])
// CHECK: return %[[D]]
func.func @outside(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %od_8 = "fovea.quantize"(%o) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x4x5xf32>) -> tensor<2x4x5xf8E4M3FN>
  %od = "fovea.dequantize"(%od_8) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x4x5xf8E4M3FN>) -> tensor<2x4x5xf32>
  return %od : tensor<2x4x5xf32>
}

// Another op reads the dequantised query: the pair stays for it, the site reads the source.
// CHECK-LABEL: func.func @read_elsewhere
// CHECK: %[[D:.*]] = "fovea.dequantize"
// CHECK: linalg.batch_matmul {{.*}}"qk">} ins(%arg0, %arg1 :
// CHECK: return %{{.*}}, %[[D]]
func.func @read_elsewhere(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> (tensor<2x4x5xf32>, tensor<2x4x8xf32>) {
  %qd_8 = "fovea.quantize"(%q) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x4x8xf32>) -> tensor<2x4x8xf8E4M3FN>
  %qd = "fovea.dequantize"(%qd_8) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x4x8xf8E4M3FN>) -> tensor<2x4x8xf32>
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%qd, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o, %qd : tensor<2x4x5xf32>, tensor<2x4x8xf32>
}

// A pair on the input of a projection is not next to the contractions of the site.
// CHECK-LABEL: func.func @projection
// CHECK: "fovea.quantize"(%arg3)
// CHECK: %[[D:.*]] = "fovea.dequantize"
// CHECK: linalg.batch_matmul ins(%[[D]],
// CHECK: "qk">}
func.func @projection(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %x: tensor<2x4x8xf32>, %w: tensor<2x8x8xf32>) -> tensor<2x4x5xf32> {
  %xd_8 = "fovea.quantize"(%x) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x4x8xf32>) -> tensor<2x4x8xf8E4M3FN>
  %xd = "fovea.dequantize"(%xd_8) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x4x8xf8E4M3FN>) -> tensor<2x4x8xf32>
  %zp = arith.constant 0.0 : f32
  %ep = tensor.empty() : tensor<2x4x8xf32>
  %fp = linalg.fill ins(%zp : f32) outs(%ep : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  %proj = linalg.batch_matmul ins(%xd, %w : tensor<2x4x8xf32>, tensor<2x8x8xf32>) outs(%fp : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%proj, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}
