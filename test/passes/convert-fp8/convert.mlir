// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-convert-fp8 --target gfx942 | FileCheck %s

// An activation: clamped at OCP's range, then stored with twice the scale. A weight: the same bits.
// CHECK-LABEL: func.func @linear
// CHECK-SAME: %[[P:[a-z0-9]+]]: tensor<3x8xf8E4M3FN> {fovea.weight = "w"}
// CHECK: %[[BOUND:.*]] = arith.constant dense<2.240000e+02> : tensor<f32>
// CHECK: %[[W:.*]] = linalg.generic {{.*}} ins(%[[P]] : tensor<3x8xf8E4M3FN>) outs(%{{.*}} : tensor<3x8xf8E4M3FNUZ>)
// CHECK: arith.extf
// CHECK: arith.mulf
// CHECK: arith.truncf %{{.*}} : f32 to f8E4M3FNUZ
// CHECK: %[[C:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[BOUND]] : tensor<4x8xf16>, tensor<f32>) outs(%{{.*}} : tensor<4x8xf32>)
// CHECK: arith.minimumf
// CHECK: arith.maximumf
// CHECK: %[[Q:.*]] = "fovea.quantize"(%[[C]]) {axis = -1 : i64, scale = dense<1.000000e+00> : tensor<f32>} : (tensor<4x8xf32>) -> tensor<4x8xf8E4M3FNUZ>
// CHECK: "fovea.dequantize"(%[[Q]]) {axis = -1 : i64, scale = dense<1.000000e+00> : tensor<f32>} : (tensor<4x8xf8E4M3FNUZ>) -> tensor<4x8xf16>
// CHECK: "fovea.dequantize"(%[[W]]) {axis = 0 : i64, scale = dense<[2.000000e+00, 4.000000e+00, 8.000000e+00]> : tensor<3xf32>}
func.func @linear(%x: tensor<4x8xf16>, %p: tensor<3x8xf8E4M3FN> {fovea.weight = "w"}) -> (tensor<4x8xf16>, tensor<3x8xf16>) {
  %q = "fovea.quantize"(%x) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x8xf16>) -> tensor<4x8xf8E4M3FN>
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x8xf8E4M3FN>) -> tensor<4x8xf16>
  %w = "fovea.dequantize"(%p) {axis = 0 : i64, scale = dense<[1.0, 2.0, 4.0]> : tensor<3xf32>} : (tensor<3x8xf8E4M3FN>) -> tensor<3x8xf16>
  return %d, %w : tensor<4x8xf16>, tensor<3x8xf16>
}

// What lies between stays on stored numbers, what pads them as well; E5M2; a contraction on stored operands.
// CHECK-LABEL: func.func @between
// CHECK: %[[HALF:.*]] = arith.constant 1.500000e+00 : f8E4M3FNUZ
// CHECK: tensor.pad
// CHECK: tensor.yield %[[HALF]] : f8E4M3FNUZ
// CHECK: "fovea.quantize"(%{{.*}}) {{.*}} -> tensor<4xf8E5M2FNUZ>
func.func @between(%x: tensor<4xf32>) -> (tensor<5xf32>, tensor<4xf32>) {
  %three = arith.constant 3.0 : f8E4M3FN
  %q = "fovea.quantize"(%x) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  %p = tensor.pad %q low[1] high[0] {
  ^bb0(%i: index):
    tensor.yield %three : f8E4M3FN
  } : tensor<4xf8E4M3FN> to tensor<5xf8E4M3FN>
  %d = "fovea.dequantize"(%p) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<5xf8E4M3FN>) -> tensor<5xf32>
  %q5 = "fovea.quantize"(%x) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4xf32>) -> tensor<4xf8E5M2>
  %d5 = "fovea.dequantize"(%q5) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4xf8E5M2>) -> tensor<4xf32>
  return %d, %d5 : tensor<5xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @contraction
// CHECK: %[[A:.*]] = "fovea.dequantize"(%{{.*}}) {axis = -1 : i64, scale = dense<2.000000e+00>
// CHECK: linalg.matmul ins(%[[A]], %{{.*}} : tensor<4x8xf32>, tensor<8x3xf32>)
func.func @contraction(%q: tensor<4x8xf8E4M3FN>, %p: tensor<8x3xf8E4M3FN>, %z: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %r = linalg.matmul ins(%q, %p : tensor<4x8xf8E4M3FN>, tensor<8x3xf8E4M3FN>) outs(%z : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// Left: a scale that cannot be doubled; a tensor that the function returns; attention's operands.
// CHECK-LABEL: func.func @left
// CHECK-NOT: FNUZ
// CHECK: return
func.func @left(%q: tensor<2x4x8xf8E4M3FN>, %x: tensor<4xf32>, %z: tensor<2x4x4xf32>) -> (tensor<2x4x8xf32>, tensor<4xf8E4M3FN>, tensor<2x4x4xf32>) {
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<2.0e+38> : tensor<f32>} : (tensor<2x4x8xf8E4M3FN>) -> tensor<2x4x8xf32>
  %r = "fovea.quantize"(%x) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  %s = linalg.batch_matmul indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, n, k)>, affine_map<(b, m, n, k) -> (b, m, n)>]
      {fovea.attention = #fovea.site<0 : i64, "qk">} ins(%q, %q : tensor<2x4x8xf8E4M3FN>, tensor<2x4x8xf8E4M3FN>) outs(%z : tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  return %d, %r, %s : tensor<2x4x8xf32>, tensor<4xf8E4M3FN>, tensor<2x4x4xf32>
}
