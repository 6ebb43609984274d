// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-raise-qdq | FileCheck %s

#id = affine_map<(a, b) -> (a, b)>
#row = affine_map<(a, b) -> (a)>

// Fused with what is before and behind it: that stays, in ops of its own. One scale a row from a constant.
// CHECK-LABEL: func.func @fused
// CHECK: %[[X:.*]] = linalg.generic
// CHECK: math.exp
// CHECK: %[[Q:.*]] = "fovea.quantize"(%[[X]]) {axis = 0 : i64, scale = dense<[2.000000e+00, 4.000000e+00]> : tensor<2xf32>}
// CHECK: %[[D:.*]] = "fovea.dequantize"(%[[Q]]) {axis = 0 : i64, scale = dense<[2.000000e+00, 4.000000e+00]> : tensor<2xf32>}
// CHECK: linalg.generic {{.*}} ins(%[[D]] : tensor<2x3xf32>)
// CHECK: math.sin
func.func @fused(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %s = arith.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<2x3xf32>
  %r = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %s : tensor<2x3xf32>, tensor<2xf32>) outs(%e : tensor<2x3xf32>) {
  ^bb0(%a: f32, %scale: f32, %o: f32):
    %b = math.exp %a : f32
    %c = arith.divf %b, %scale : f32
    %t = arith.truncf %c : f32 to f8E4M3FN
    %w = arith.extf %t : f8E4M3FN to f32
    %m = arith.mulf %w, %scale : f32
    %y = math.sin %m : f32
    linalg.yield %y : f32
  } -> tensor<2x3xf32>
  return %r : tensor<2x3xf32>
}

// Left: another clamp, a scale that is 0, a scale from outside, integers.
// CHECK-LABEL: func.func @left
// CHECK-NOT: fovea.quantize
// CHECK: return
func.func @left(%x: tensor<2x3xf32>, %s: tensor<f32>) -> (tensor<2x3xf8E4M3FN>, tensor<2x3xf8E4M3FN>, tensor<2x3xi8>) {
  %hundred = arith.constant 100.0 : f32
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x3xf8E4M3FN>
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<2x3xf32>) outs(%e : tensor<2x3xf8E4M3FN>) {
  ^bb0(%v: f32, %o: f8E4M3FN):
    %c = arith.minimumf %v, %hundred : f32
    %t = arith.truncf %c : f32 to f8E4M3FN
    linalg.yield %t : f8E4M3FN
  } -> tensor<2x3xf8E4M3FN>
  %b = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<2x3xf32>) outs(%e : tensor<2x3xf8E4M3FN>) {
  ^bb0(%v: f32, %o: f8E4M3FN):
    %c = arith.divf %v, %zero : f32
    %t = arith.truncf %c : f32 to f8E4M3FN
    linalg.yield %t : f8E4M3FN
  } -> tensor<2x3xf8E4M3FN>
  %e8 = tensor.empty() : tensor<2x3xi8>
  %i = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<2x3xf32>) outs(%e8 : tensor<2x3xi8>) {
  ^bb0(%v: f32, %o: i8):
    %c = math.roundeven %v : f32
    %t = arith.fptosi %c : f32 to i8
    linalg.yield %t : i8
  } -> tensor<2x3xi8>
  return %a, %b, %i : tensor<2x3xf8E4M3FN>, tensor<2x3xf8E4M3FN>, tensor<2x3xi8>
}
