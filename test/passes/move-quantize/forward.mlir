// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-move-quantize | FileCheck %s

// A slice and a transpose take stored numbers; channels follow the dims, sliced channels keep their scales.
// CHECK-LABEL: func.func @layout
// CHECK-SAME: (%[[Q:[a-z0-9]+]]: tensor<4x6xf8E4M3FN>)
// CHECK: %[[S:.*]] = tensor.extract_slice %[[Q]][1, 0] [2, 6] [1, 1]
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[S]] : tensor<2x6xf8E4M3FN>)
// CHECK: %[[D:.*]] = "fovea.dequantize"(%[[T]]) {axis = 1 : i64, scale = dense<[2.000000e+00, 3.000000e+00]> : tensor<2xf32>}
// CHECK: math.exp %[[D]]
func.func @layout(%q: tensor<4x6xf8E4M3FN>) -> tensor<6x2xf32> {
  %d = "fovea.dequantize"(%q) {axis = 0 : i64, scale = dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>} : (tensor<4x6xf8E4M3FN>) -> tensor<4x6xf32>
  %s = tensor.extract_slice %d[1, 0] [2, 6] [1, 1] : tensor<4x6xf32> to tensor<2x6xf32>
  %e = tensor.empty() : tensor<6x2xf32>
  %t = linalg.transpose ins(%s : tensor<2x6xf32>) outs(%e : tensor<6x2xf32>) permutation = [1, 0]
  %r = math.exp %t : tensor<6x2xf32>
  return %r : tensor<6x2xf32>
}

// Tensors of two scales, concatenated: one scale a position there. Padding with what 8 bits hold exactly.
// CHECK-LABEL: func.func @pieces
// CHECK: %[[C:.*]] = tensor.concat dim(0) %{{.*}}, %{{.*}} : (tensor<1x3xf8E4M3FN>, tensor<2x3xf8E4M3FN>) -> tensor<3x3xf8E4M3FN>
// CHECK: "fovea.dequantize"(%[[C]]) {axis = 0 : i64, scale = dense<[5.000000e-01, 2.500000e-01, 2.500000e-01]> : tensor<3xf32>}
// CHECK: tensor.pad
// CHECK: tensor<2x3xf8E4M3FN> to tensor<4x3xf8E4M3FN>
func.func @pieces(%p: tensor<1x3xf8E4M3FN>, %q: tensor<2x3xf8E4M3FN>) -> (tensor<3x3xf32>, tensor<4x3xf32>) {
  %one = arith.constant 1.0 : f32
  %a = "fovea.dequantize"(%p) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<1x3xf8E4M3FN>) -> tensor<1x3xf32>
  %b = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.25> : tensor<f32>} : (tensor<2x3xf8E4M3FN>) -> tensor<2x3xf32>
  %c = tensor.concat dim(0) %a, %b : (tensor<1x3xf32>, tensor<2x3xf32>) -> tensor<3x3xf32>
  %s = tensor.pad %b low[1, 0] high[1, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %one : f32
  } : tensor<2x3xf32> to tensor<4x3xf32>
  return %c, %s : tensor<3x3xf32>, tensor<4x3xf32>
}

// Rows gathered from a stored table; a clamp at 0 on the way to a contraction.
// CHECK-LABEL: func.func @readers
// CHECK: tensor.extract %{{.*}} : tensor<9x4xf8E4M3FN>
// CHECK: %[[R:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<2x4xf8E4M3FN>)
// CHECK: arith.maximumf
// CHECK: %[[D:.*]] = "fovea.dequantize"(%[[R]])
// CHECK: linalg.matmul ins(%[[D]], %{{.*}} : tensor<2x4xf32>, tensor<4x3xf32>)
func.func @readers(%ids: tensor<2xi64>, %table: tensor<9x4xf8E4M3FN>, %w: tensor<4x3xf32>, %z: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %zero = arith.constant 0.0 : f32
  %d = "fovea.dequantize"(%table) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<9x4xf8E4M3FN>) -> tensor<9x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a)>, affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]} ins(%ids : tensor<2xi64>) outs(%e : tensor<2x4xf32>) {
  ^bb0(%i: i64, %o: f32):
    %row = arith.index_cast %i : i64 to index
    %column = linalg.index 1 : index
    %r = tensor.extract %d[%row, %column] : tensor<9x4xf32>
    linalg.yield %r : f32
  } -> tensor<2x4xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]} ins(%g : tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.maximumf %a, %zero : f32
    linalg.yield %r : f32
  } -> tensor<2x4xf32>
  %r = linalg.matmul ins(%m, %w : tensor<2x4xf32>, tensor<4x3xf32>) outs(%z : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %r : tensor<2x3xf32>
}
