// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contractions of quantised numbers, whose results the model multiplies by the scales.
// RUN: fovea-opt %s --fovea-detect-attention --fovea-strip-attention-qdq 2>/dev/null | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>

// Q, K, V and the probabilities are stored; each result is multiplied by two scales. What the contractions read is float
// again, and their results are divided by the scales (0.05 * 0.04, 0.0078125 * 0.0625).
// CHECK-LABEL: func.func @ops
// CHECK-NOT: fovea.quantize
// CHECK: %[[S:.*]] = linalg.batch_matmul {{.*}}"qk">} ins(%arg0, %arg1 : tensor<2x4x8xf16>, tensor<2x6x8xf16>)
// CHECK: linalg.generic {{.*}} ins(%[[S]] : {{.*}}"score">
// CHECK: %[[C:.*]] = arith.constant 5.000000e+02 : f32
// CHECK: arith.mulf %{{.*}}, %[[C]]
// CHECK: %[[P:.*]] = linalg.softmax
// CHECK-NOT: fovea.quantize
// CHECK: %[[O:.*]] = linalg.batch_matmul {{.*}}"pv">} ins(%[[P]], %arg2 : tensor<2x4x6xf16>, tensor<2x6x5xf16>)
// CHECK: linalg.generic {{.*}} ins(%[[O]] :
// CHECK: arith.constant 2.048000e+03 : f32
func.func @ops(%q: tensor<2x4x8xf16>, %k: tensor<2x6x8xf16>, %v: tensor<2x6x5xf16>) -> tensor<2x4x5xf16> {
  %q8 = "fovea.quantize"(%q) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x4x8xf16>) -> tensor<2x4x8xf8E4M3FN>
  %k8 = "fovea.quantize"(%k) {axis = -1 : i64, scale = dense<0.04> : tensor<f32>} : (tensor<2x6x8xf16>) -> tensor<2x6x8xf8E4M3FN>
  %v8 = "fovea.quantize"(%v) {axis = -1 : i64, scale = dense<0.0625> : tensor<f32>} : (tensor<2x6x5xf16>) -> tensor<2x6x5xf8E4M3FN>
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q8, %k8 : tensor<2x4x8xf8E4M3FN>, tensor<2x6x8xf8E4M3FN>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %ed = tensor.empty() : tensor<2x4x6xf16>
  %d = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x4x6xf32>) outs(%ed : tensor<2x4x6xf16>) {
  ^bb0(%x: f32, %old: f16):
    %c = arith.constant 2.0e-3 : f32
    %r = arith.mulf %x, %c : f32
    %h = arith.truncf %r : f32 to f16
    linalg.yield %h : f16
  } -> tensor<2x4x6xf16>
  %p = linalg.softmax dimension(2) ins(%d : tensor<2x4x6xf16>) outs(%ed : tensor<2x4x6xf16>) -> tensor<2x4x6xf16>
  %p8 = "fovea.quantize"(%p) {axis = -1 : i64, scale = dense<0.0078125> : tensor<f32>} : (tensor<2x4x6xf16>) -> tensor<2x4x6xf8E4M3FN>
  %o = linalg.batch_matmul ins(%p8, %v8 : tensor<2x4x6xf8E4M3FN>, tensor<2x6x5xf8E4M3FN>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %ey = tensor.empty() : tensor<2x4x5xf16>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%o : tensor<2x4x5xf32>) outs(%ey : tensor<2x4x5xf16>) {
  ^bb0(%x: f32, %old: f16):
    %c = arith.constant 4.8828125e-4 : f32
    %r = arith.mulf %x, %c : f32
    %h = arith.truncf %r : f32 to f16
    linalg.yield %h : f16
  } -> tensor<2x4x5xf16>
  return %y : tensor<2x4x5xf16>
}

// Only K is stored, as a part of the model divides it by its scale itself; the contraction reads it as floats.
// CHECK-LABEL: func.func @extended
// CHECK-NOT: f8E4M3FN
// CHECK: %[[S:.*]] = linalg.batch_matmul {{.*}}"qk">} ins(%arg0, %arg1 : tensor<2x4x8xf32>, tensor<2x6x8xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[S]] :
// CHECK: arith.constant 1.600000e+01 : f32
func.func @extended(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %ekd = tensor.empty() : tensor<2x6x8xf32>
  %kd = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%k : tensor<2x6x8xf32>) outs(%ekd : tensor<2x6x8xf32>) {
  ^bb0(%x: f32, %old: f32):
    %c = arith.constant 16.0 : f32
    %r = arith.mulf %x, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x6x8xf32>
  %ek8 = tensor.empty() : tensor<2x6x8xf8E4M3FN>
  %k8 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%kd : tensor<2x6x8xf32>) outs(%ek8 : tensor<2x6x8xf8E4M3FN>) {
  ^bb0(%x: f32, %old: f8E4M3FN):
    %r = arith.truncf %x : f32 to f8E4M3FN
    linalg.yield %r : f8E4M3FN
  } -> tensor<2x6x8xf8E4M3FN>
  %ekf = tensor.empty() : tensor<2x6x8xf32>
  %kf = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%k8 : tensor<2x6x8xf8E4M3FN>) outs(%ekf : tensor<2x6x8xf32>) {
  ^bb0(%x: f8E4M3FN, %old: f32):
    %r = arith.extf %x : f8E4M3FN to f32
    linalg.yield %r : f32
  } -> tensor<2x6x8xf32>
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %kf : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %ed = tensor.empty() : tensor<2x4x6xf32>
  %d = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x4x6xf32>) outs(%ed : tensor<2x4x6xf32>) {
  ^bb0(%x: f32, %old: f32):
    %c = arith.constant 0.0625 : f32
    %r = arith.mulf %x, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%d : tensor<2x4x6xf32>) outs(%ed : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// A cache that is stored in FP8 has no float form: it stays, Q does not.
// CHECK-LABEL: func.func @cache
// CHECK-NOT: fovea.quantize
// CHECK: linalg.batch_matmul {{.*}}"qk">} ins(%arg0, %arg1 : tensor<2x4x8xf32>, tensor<2x6x8xf8E4M3FN>)
// CHECK: arith.constant 2.000000e+01 : f32
func.func @cache(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf8E4M3FN>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %q8 = "fovea.quantize"(%q) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x4x8xf32>) -> tensor<2x4x8xf8E4M3FN>
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q8, %k : tensor<2x4x8xf8E4M3FN>, tensor<2x6x8xf8E4M3FN>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %ed = tensor.empty() : tensor<2x4x6xf32>
  %d = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x4x6xf32>) outs(%ed : tensor<2x4x6xf32>) {
  ^bb0(%x: f32, %old: f32):
    %c = arith.constant 2.5e-3 : f32
    %r = arith.mulf %x, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%d : tensor<2x4x6xf32>) outs(%ed : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}
