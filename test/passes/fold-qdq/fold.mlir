// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-fold-qdq | FileCheck %s

// Per tensor and per channel: one product a channel, applied to the f32 sum.
// CHECK-LABEL: func.func @linear
// CHECK-SAME: (%[[Q:[a-z0-9]+]]: tensor<4x8xf8E4M3FNUZ>, %[[P:[a-z0-9]+]]: tensor<8x2xf8E4M3FNUZ>)
// CHECK: %[[S:.*]] = arith.constant dense<[5.000000e-01, 1.000000e+00]> : tensor<2xf32>
// CHECK: %[[A:.*]] = linalg.matmul ins(%[[Q]], %[[P]] : tensor<4x8xf8E4M3FNUZ>, tensor<8x2xf8E4M3FNUZ>) outs(%{{.*}} : tensor<4x2xf32>)
// CHECK: %[[R:.*]] = linalg.generic {{.*}} ins(%[[A]], %[[S]] : tensor<4x2xf32>, tensor<2xf32>)
// CHECK: arith.mulf
// CHECK-NEXT: linalg.yield
// CHECK: return %[[R]]
func.func @linear(%q: tensor<4x8xf8E4M3FNUZ>, %p: tensor<8x2xf8E4M3FNUZ>) -> tensor<4x2xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x2xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x8xf8E4M3FNUZ>) -> tensor<4x8xf32>
  %w = "fovea.dequantize"(%p) {axis = 1 : i64, scale = dense<[1.0, 2.0]> : tensor<2xf32>} : (tensor<8x2xf8E4M3FNUZ>) -> tensor<8x2xf32>
  %r = linalg.matmul ins(%d, %w : tensor<4x8xf32>, tensor<8x2xf32>) outs(%z : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %r : tensor<4x2xf32>
}

// Both per tensor: a scalar in the body. An f16 model accumulates in f32 and converts at the end; views move down.
// CHECK-LABEL: func.func @half
// CHECK-SAME: (%[[Q:[a-z0-9]+]]: tensor<2x2x8xf8E4M3FNUZ>, %[[P:[a-z0-9]+]]: tensor<2x8xf8E4M3FNUZ>)
// CHECK: %[[S:.*]] = arith.constant 5.000000e-01 : f32
// CHECK-DAG: %[[V:.*]] = tensor.collapse_shape %[[Q]] {{.*}} into tensor<4x8xf8E4M3FNUZ>
// CHECK-DAG: %[[T:.*]] = linalg.transpose ins(%[[P]] : tensor<2x8xf8E4M3FNUZ>)
// CHECK: linalg.matmul ins(%[[V]], %[[T]] : {{.*}}) outs(%{{.*}} : tensor<4x2xf32>)
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x2xf16>)
// CHECK-NOT: fovea.dequantize
func.func @half(%q: tensor<2x2x8xf8E4M3FNUZ>, %p: tensor<2x8xf8E4M3FNUZ>) -> tensor<4x2xf16> {
  %zero = arith.constant 0.0 : f16
  %e = tensor.empty() : tensor<4x2xf16>
  %z = linalg.fill ins(%zero : f16) outs(%e : tensor<4x2xf16>) -> tensor<4x2xf16>
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.25> : tensor<f32>} : (tensor<2x2x8xf8E4M3FNUZ>) -> tensor<2x2x8xf16>
  %w = "fovea.dequantize"(%p) {axis = -1 : i64, scale = dense<2.0> : tensor<f32>} : (tensor<2x8xf8E4M3FNUZ>) -> tensor<2x8xf16>
  %v = tensor.collapse_shape %d [[0, 1], [2]] : tensor<2x2x8xf16> into tensor<4x8xf16>
  %et = tensor.empty() : tensor<8x2xf16>
  %t = linalg.transpose ins(%w : tensor<2x8xf16>) outs(%et : tensor<8x2xf16>) permutation = [1, 0]
  %r = linalg.matmul ins(%v, %t : tensor<4x8xf16>, tensor<8x2xf16>) outs(%z : tensor<4x2xf16>) -> tensor<4x2xf16>
  return %r : tensor<4x2xf16>
}

// Channels survive a transpose; both sides per channel; an initial value that is not 0 is added after scaling.
// CHECK-LABEL: func.func @both
// CHECK-SAME: %[[INIT:[a-z0-9]+]]: tensor<2x3xf32>
// CHECK-DAG: %[[M:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK-DAG: %[[N:.*]] = arith.constant dense<[3.000000e+00, 4.000000e+00, 5.000000e+00]> : tensor<3xf32>
// CHECK: %[[A:.*]] = linalg.matmul
// CHECK: linalg.generic {{.*}} ins(%[[A]], %[[M]], %[[N]], %[[INIT]] :
// CHECK: arith.mulf
// CHECK: arith.mulf
// CHECK: arith.addf
func.func @both(%q: tensor<2x8xf8E4M3FN>, %p: tensor<3x8xf8E4M3FN>, %init: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %d = "fovea.dequantize"(%q) {axis = 0 : i64, scale = dense<[1.0, 2.0]> : tensor<2xf32>} : (tensor<2x8xf8E4M3FN>) -> tensor<2x8xf32>
  %w = "fovea.dequantize"(%p) {axis = 0 : i64, scale = dense<[3.0, 4.0, 5.0]> : tensor<3xf32>} : (tensor<3x8xf8E4M3FN>) -> tensor<3x8xf32>
  %et = tensor.empty() : tensor<8x3xf32>
  %t = linalg.transpose ins(%w : tensor<3x8xf32>) outs(%et : tensor<8x3xf32>) permutation = [1, 0]
  %r = linalg.matmul ins(%d, %t : tensor<2x8xf32>, tensor<8x3xf32>) outs(%init : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %r : tensor<2x3xf32>
}

// batch_matmul and generic contractions; one tensor on both sides.
// CHECK-LABEL: func.func @forms
// CHECK: linalg.batch_matmul ins(%[[Q:.*]], %[[Q]] : tensor<2x4x4xf8E4M3FNUZ>, tensor<2x4x4xf8E4M3FNUZ>) outs(%{{.*}} : tensor<2x4x4xf32>)
// CHECK: linalg.generic {{.*}}"reduction"]} ins(%{{.*}}, %{{.*}} : tensor<2x4x4xf8E4M3FNUZ>, tensor<2x4x4xf8E4M3FNUZ>) outs(%{{.*}} : tensor<2x4x4xf32>)
// CHECK: arith.extf %{{.*}} : f8E4M3FNUZ to f32
// CHECK-NOT: fovea.dequantize
func.func @forms(%q: tensor<2x4x4xf8E4M3FNUZ>, %z: tensor<2x4x4xf32>) -> (tensor<2x4x4xf32>, tensor<2x4x4xf32>) {
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<2x4x4xf8E4M3FNUZ>) -> tensor<2x4x4xf32>
  %a = linalg.batch_matmul ins(%d, %d : tensor<2x4x4xf32>, tensor<2x4x4xf32>) outs(%z : tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  %b = linalg.generic {
      indexing_maps = [affine_map<(b, m, n, k) -> (b, k, m)>, affine_map<(b, m, n, k) -> (b, n, k)>, affine_map<(b, m, n, k) -> (b, m, n)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%d, %d : tensor<2x4x4xf32>, tensor<2x4x4xf32>) outs(%z : tensor<2x4x4xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<2x4x4xf32>
  return %a, %b : tensor<2x4x4xf32>, tensor<2x4x4xf32>
}

// quantize(dequantize(x)) with one scale is x, through views too; with two scales it is not. Unused pairs vanish.
// CHECK-LABEL: func.func @cancel
// CHECK-SAME: (%[[Q:[a-z0-9]+]]: tensor<4x8xf8E4M3FNUZ>
// CHECK: %[[D:.*]] = "fovea.dequantize"(%[[Q]])
// CHECK: %[[V:.*]] = tensor.expand_shape %[[Q]]
// CHECK: %[[OTHER:.*]] = "fovea.quantize"(%[[D]])
// CHECK-NOT: fovea.
// CHECK: return %[[Q]], %[[V]], %[[OTHER]]
func.func @cancel(%q: tensor<4x8xf8E4M3FNUZ>, %x: tensor<4xf32>)
    -> (tensor<4x8xf8E4M3FNUZ>, tensor<2x2x8xf8E4M3FNUZ>, tensor<4x8xf8E4M3FNUZ>) {
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x8xf8E4M3FNUZ>) -> tensor<4x8xf32>
  %same = "fovea.quantize"(%d) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x8xf32>) -> tensor<4x8xf8E4M3FNUZ>
  %v = tensor.expand_shape %d [[0, 1], [2]] output_shape [2, 2, 8] : tensor<4x8xf32> into tensor<2x2x8xf32>
  %view = "fovea.quantize"(%v) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<2x2x8xf32>) -> tensor<2x2x8xf8E4M3FNUZ>
  %other = "fovea.quantize"(%d) {axis = -1 : i64, scale = dense<0.25> : tensor<f32>} : (tensor<4x8xf32>) -> tensor<4x8xf8E4M3FNUZ>
  %uq = "fovea.quantize"(%x) {axis = -1 : i64, scale = dense<0.25> : tensor<f32>} : (tensor<4xf32>) -> tensor<4xf8E4M3FNUZ>
  %ud = "fovea.dequantize"(%uq) {axis = -1 : i64, scale = dense<0.25> : tensor<f32>} : (tensor<4xf8E4M3FNUZ>) -> tensor<4xf32>
  return %same, %view, %other : tensor<4x8xf8E4M3FNUZ>, tensor<2x2x8xf8E4M3FNUZ>, tensor<4x8xf8E4M3FNUZ>
}
