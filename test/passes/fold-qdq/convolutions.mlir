// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-fold-qdq | FileCheck %s

// The convolution reads the 8-bit tensors, with zeros of their type around the input; one scale an output channel.
// CHECK-DAG: #[[CHANNEL:.*]] = affine_map<(d0, d1, d2, d3) -> (d1)>
// CHECK-DAG: #[[IMAGE:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 * 2 + d5, d3 * 2 + d6)>
// CHECK-DAG: #[[GROUP:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d2)>
// CHECK-LABEL: func.func @padded
// CHECK-SAME: (%[[Q:[a-z0-9]+]]: tensor<1x4x6x6xf8E4M3FNUZ>, %[[W:[a-z0-9]+]]: tensor<2x4x3x3xf8E4M3FNUZ>
// CHECK-DAG: %[[SCALE:.*]] = arith.constant dense<[5.000000e-01, 1.000000e+00]> : tensor<2xf32>
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f8E4M3FNUZ
// CHECK: %[[P:.*]] = tensor.pad %[[Q]] low[0, 0, 1, 1] high[0, 0, 1, 1]
// CHECK: tensor.yield %[[ZERO]] : f8E4M3FNUZ
// CHECK: %[[C:.*]] = linalg.generic {indexing_maps = [#[[IMAGE]], {{.*}} ins(%[[P]], %[[W]] :
// CHECK: arith.extf
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[CHANNEL]], #{{.*}}], {{.*}}ins(%[[C]], %[[SCALE]] :
// CHECK-NOT: fovea.dequantize
func.func @padded(%q: tensor<1x4x6x6xf8E4M3FNUZ>, %w: tensor<2x4x3x3xf8E4M3FNUZ>, %y: tensor<1x2x3x3xf32>)
    -> tensor<1x2x3x3xf32> {
  %zero = arith.constant 0.0 : f32
  %z = linalg.fill ins(%zero : f32) outs(%y : tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>}
      : (tensor<1x4x6x6xf8E4M3FNUZ>) -> tensor<1x4x6x6xf32>
  %p = tensor.pad %d low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x4x6x6xf32> to tensor<1x4x8x8xf32>
  %v = "fovea.dequantize"(%w) {axis = 0 : i64, scale = dense<[1.0, 2.0]> : tensor<2xf32>}
      : (tensor<2x4x3x3xf8E4M3FNUZ>) -> tensor<2x4x3x3xf32>
  %c = linalg.conv_2d_nchw_fchw {strides = dense<2> : vector<2xi64>}
      ins(%p, %v : tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) outs(%z : tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  return %c : tensor<1x2x3x3xf32>
}

// Groups: a scale a group and channel in it, from one a channel of all. An initial value that is not 0 is added.
// CHECK-LABEL: func.func @groups
// CHECK-SAME: %[[B:[a-z0-9]+]]: tensor<1x2x2x4x4xf32>
// CHECK-DAG: %[[SCALE:.*]] = arith.constant dense<{{\[\[}}5.000000e-01, 1.000000e+00], [1.500000e+00, 2.000000e+00]]> : tensor<2x2xf32>
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[GROUP]], #{{.*}}, #{{.*}}], {{.*}} ins(%{{.*}}, %[[SCALE]], %[[B]] :
func.func @groups(%q: tensor<1x2x4x6x6xf8E4M3FNUZ>, %w: tensor<4x4x3x3xf8E4M3FNUZ>, %b: tensor<1x2x2x4x4xf32>)
    -> tensor<1x2x2x4x4xf32> {
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>}
      : (tensor<1x2x4x6x6xf8E4M3FNUZ>) -> tensor<1x2x4x6x6xf32>
  %v = "fovea.dequantize"(%w) {axis = 0 : i64, scale = dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>}
      : (tensor<4x4x3x3xf8E4M3FNUZ>) -> tensor<4x4x3x3xf32>
  %e = tensor.expand_shape %v [[0, 1], [2], [3], [4]] output_shape [2, 2, 4, 3, 3]
      : tensor<4x4x3x3xf32> into tensor<2x2x4x3x3xf32>
  %c = linalg.conv_2d_ngchw_gfchw ins(%d, %e : tensor<1x2x4x6x6xf32>, tensor<2x2x4x3x3xf32>)
      outs(%b : tensor<1x2x2x4x4xf32>) -> tensor<1x2x2x4x4xf32>
  return %c : tensor<1x2x2x4x4xf32>
}

// A scale along the input channels is summed over: left. So is padding by what is not 0.
// CHECK-LABEL: func.func @left
// CHECK: linalg.conv_1d_nwc_wcf
// CHECK: linalg.conv_1d_nwc_wcf
func.func @left(%q: tensor<1x6x4xf8E4M3FNUZ>, %w: tensor<3x4x2xf8E4M3FNUZ>, %z: tensor<1x4x2xf32>, %y: tensor<1x6x2xf32>)
    -> (tensor<1x4x2xf32>, tensor<1x6x2xf32>) {
  %one = arith.constant 1.0 : f32
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>}
      : (tensor<1x6x4xf8E4M3FNUZ>) -> tensor<1x6x4xf32>
  %v = "fovea.dequantize"(%w) {axis = 1 : i64, scale = dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>}
      : (tensor<3x4x2xf8E4M3FNUZ>) -> tensor<3x4x2xf32>
  %u = "fovea.dequantize"(%w) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>}
      : (tensor<3x4x2xf8E4M3FNUZ>) -> tensor<3x4x2xf32>
  %p = tensor.pad %d low[0, 1, 0] high[0, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %one : f32
  } : tensor<1x6x4xf32> to tensor<1x8x4xf32>
  %a = linalg.conv_1d_nwc_wcf ins(%d, %v : tensor<1x6x4xf32>, tensor<3x4x2xf32>)
      outs(%z : tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
  %b = linalg.conv_1d_nwc_wcf ins(%p, %u : tensor<1x8x4xf32>, tensor<3x4x2xf32>)
      outs(%y : tensor<1x6x2xf32>) -> tensor<1x6x2xf32>
  return %a, %b : tensor<1x4x2xf32>, tensor<1x6x2xf32>
}
