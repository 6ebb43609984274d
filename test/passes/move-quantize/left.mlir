// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-move-quantize | FileCheck %s

// Two scales: the tensor is stored twice.
// CHECK-LABEL: func.func @two_scales
// CHECK: %[[T:.*]] = linalg.transpose ins(%{{.*}} : tensor<4x8xf32>)
// CHECK: "fovea.quantize"(%[[T]])
// CHECK: "fovea.quantize"(%[[T]])
func.func @two_scales(%x: tensor<4x8xf32>) -> (tensor<8x4xf8E4M3FN>, tensor<8x4xf8E4M3FN>) {
  %y = math.exp %x : tensor<4x8xf32>
  %e = tensor.empty() : tensor<8x4xf32>
  %t = linalg.transpose ins(%y : tensor<4x8xf32>) outs(%e : tensor<8x4xf32>) permutation = [1, 0]
  %a = "fovea.quantize"(%t) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<8x4xf32>) -> tensor<8x4xf8E4M3FN>
  %b = "fovea.quantize"(%t) {axis = -1 : i64, scale = dense<0.25> : tensor<f32>} : (tensor<8x4xf32>) -> tensor<8x4xf8E4M3FN>
  return %a, %b : tensor<8x4xf8E4M3FN>, tensor<8x4xf8E4M3FN>
}

// A dequantize of another scale, of another type, and one whose f16 does not hold the numbers.
// CHECK-LABEL: func.func @pairs
// CHECK-COUNT-3: "fovea.quantize"
func.func @pairs(%q: tensor<4xf8E4M3FN>) -> (tensor<4xf8E4M3FN>, tensor<4xf8E5M2>, tensor<4xf8E4M3FN>) {
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4xf8E4M3FN>) -> tensor<4xf32>
  %a = "fovea.quantize"(%d) {axis = -1 : i64, scale = dense<0.25> : tensor<f32>} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  %b = "fovea.quantize"(%d) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4xf32>) -> tensor<4xf8E5M2>
  %h = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<1.0e-6> : tensor<f32>} : (tensor<4xf8E4M3FN>) -> tensor<4xf16>
  %c = "fovea.quantize"(%h) {axis = -1 : i64, scale = dense<1.0e-6> : tensor<f32>} : (tensor<4xf16>) -> tensor<4xf8E4M3FN>
  return %a, %b, %c : tensor<4xf8E4M3FN>, tensor<4xf8E5M2>, tensor<4xf8E4M3FN>
}

// What an op reads from an argument, a small slice, a tensor that is read as floats too, and scales that an op mixes.
// CHECK-LABEL: func.func @costs
// CHECK: %[[T:.*]] = linalg.transpose ins(%{{.*}} : tensor<4x8xf32>)
// CHECK: "fovea.quantize"(%[[T]])
// CHECK: %[[S:.*]] = tensor.extract_slice %{{.*}} : tensor<4x8xf32> to tensor<4x2xf32>
// CHECK: "fovea.quantize"(%[[S]])
// CHECK: %[[C:.*]] = tensor.concat
// CHECK: "fovea.quantize"(%[[C]])
// CHECK: %[[V:.*]] = tensor.collapse_shape %{{.*}} : tensor<4x8xf32> into tensor<32xf32>
// CHECK: "fovea.quantize"(%[[V]])
func.func @costs(%x: tensor<4x8xf32>) -> (tensor<8x4xf8E4M3FN>, tensor<4x2xf8E4M3FN>, tensor<4x8xf8E4M3FN>, tensor<4x8xf32>, tensor<32xf8E4M3FN>) {
  %e = tensor.empty() : tensor<8x4xf32>
  %t = linalg.transpose ins(%x : tensor<4x8xf32>) outs(%e : tensor<8x4xf32>) permutation = [1, 0]
  %q = "fovea.quantize"(%t) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<8x4xf32>) -> tensor<8x4xf8E4M3FN>
  %y = math.exp %x : tensor<4x8xf32>
  %s = tensor.extract_slice %y[0, 0] [4, 2] [1, 1] : tensor<4x8xf32> to tensor<4x2xf32>
  %qs = "fovea.quantize"(%s) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x2xf32>) -> tensor<4x2xf8E4M3FN>
  %z = math.sin %x : tensor<4x8xf32>
  %p = tensor.concat dim(0) %z : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %qp = "fovea.quantize"(%p) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x8xf32>) -> tensor<4x8xf8E4M3FN>
  %v = tensor.collapse_shape %y [[0, 1]] : tensor<4x8xf32> into tensor<32xf32>
  %qv = "fovea.quantize"(%v) {axis = 0 : i64, scale = dense<[1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0]> : tensor<32xf32>} : (tensor<32xf32>) -> tensor<32xf8E4M3FN>
  return %q, %qs, %qp, %p, %qv : tensor<8x4xf8E4M3FN>, tensor<4x2xf8E4M3FN>, tensor<4x8xf8E4M3FN>, tensor<4x8xf32>, tensor<32xf8E4M3FN>
}

// Ops of an attention site stay, and a clamp at 0 that leads to nothing.
// CHECK-LABEL: func.func @stay
// CHECK: "fovea.dequantize"(%{{.*}}) {{.*}} : (tensor<4x8xf8E4M3FN>)
// CHECK: linalg.transpose {{.*}}fovea.attention
// CHECK: %[[D:.*]] = "fovea.dequantize"(%{{.*}}) {{.*}} : (tensor<2xf8E4M3FN>)
// CHECK: linalg.generic {{.*}} ins(%[[D]] : tensor<2xf32>)
func.func @stay(%q: tensor<4x8xf8E4M3FN>, %p: tensor<2xf8E4M3FN>) -> (tensor<8x4xf32>, tensor<2xf32>) {
  %zero = arith.constant 0.0 : f32
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x8xf8E4M3FN>) -> tensor<4x8xf32>
  %e = tensor.empty() : tensor<8x4xf32>
  %t = linalg.transpose ins(%d : tensor<4x8xf32>) outs(%e : tensor<8x4xf32>) permutation = [1, 0] {fovea.attention = #fovea.site<0 : i64, "layout">}
  %c = "fovea.dequantize"(%p) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<2xf8E4M3FN>) -> tensor<2xf32>
  %f = tensor.empty() : tensor<2xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(a) -> (a)>, affine_map<(a) -> (a)>], iterator_types = ["parallel"]} ins(%c : tensor<2xf32>) outs(%f : tensor<2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.maximumf %a, %zero : f32
    linalg.yield %r : f32
  } -> tensor<2xf32>
  return %t, %m : tensor<8x4xf32>, tensor<2xf32>
}
