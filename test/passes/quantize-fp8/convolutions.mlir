// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-quantize-fp8 | FileCheck %s
// RUN: fovea-opt %s --fovea-quantize-fp8={weight_granularity=tensor} | FileCheck %s --check-prefix=TENSOR

// A filter has one scale an output channel, also below the zeros around the capture; in groups, one a group and channel.
// CHECK-LABEL: func.func @convolutions
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<1x2x1x4xf32>
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<2x2x2x2xf32>
// CHECK-DAG: "fovea.quantize"(%[[W]]) {axis = 0 : i64, {{.*}}scale = dense<[1.000000e+00, 5.000000e-01]> : tensor<2xf32>}
// CHECK-DAG: %[[V:.*]] = arith.constant dense<{{.*}}> : tensor<2x2x2x1xf32>
// CHECK-DAG: %[[M:.*]] = tensor.collapse_shape %[[V]] {{\[\[}}0, 1], [2], [3]]
// CHECK-DAG: %[[Q:.*]] = "fovea.quantize"(%[[M]]) {axis = 0 : i64, {{.*}}scale = dense<[1.000000e+00, 5.000000e-01, 2.500000e-01, 2.000000e+00]> : tensor<4xf32>}
// CHECK-DAG: %[[D:.*]] = "fovea.dequantize"(%[[Q]])
// CHECK-DAG: %[[E:.*]] = tensor.expand_shape %[[D]] {{\[\[}}0, 1], [2], [3]] output_shape [2, 2, 2, 1]
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[E]] :
// TENSOR-LABEL: func.func @convolutions
// TENSOR: "fovea.quantize"(%{{.*}}) {axis = -1 : i64, {{.*}}scale = dense<1.000000e+00> : tensor<f32>}
// TENSOR-NOT: tensor.collapse_shape
func.func @convolutions(%x: tensor<1x2x1x4xf32>, %y: tensor<1x2x1x2xf32>, %u: tensor<2x2x4xf32>, %z: tensor<2x2x4xf32>) -> (tensor<1x2x1x2xf32>, tensor<2x2x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[[[240.0, 1.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]]],
                             [[[120.0, 1.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]]]]> : tensor<2x2x2x2xf32>
  %v = arith.constant dense<[[[[240.0], [1.0]], [[-120.0], [1.0]]], [[[60.0], [1.0]], [[1.0], [480.0]]]]> : tensor<2x2x2x1xf32>
  %c = "fovea.capture"(%x) {calibrated = true, id = "conv.lhs", max_abs = 240.0 : f32} : (tensor<1x2x1x4xf32>) -> tensor<1x2x1x4xf32>
  %p = tensor.pad %c low[0, 0, 1, 0] high[0, 0, 0, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x2x1x4xf32> to tensor<1x2x2x4xf32>
  %a = linalg.conv_2d_nchw_fchw {strides = dense<2> : vector<2xi64>} ins(%p, %w : tensor<1x2x2x4xf32>, tensor<2x2x2x2xf32>)
      outs(%y : tensor<1x2x1x2xf32>) -> tensor<1x2x1x2xf32>
  %e = "fovea.capture"(%u) {calibrated = true, id = "grouped.lhs", max_abs = 240.0 : f32} : (tensor<2x2x4xf32>) -> tensor<2x2x4xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(g, f, o, c, k) -> (g, c, o + k)>, affine_map<(g, f, o, c, k) -> (g, f, c, k)>,
                                        affine_map<(g, f, o, c, k) -> (g, f, o)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%e, %v : tensor<2x2x4xf32>, tensor<2x2x2x1xf32>) outs(%z : tensor<2x2x4xf32>) {
  ^bb0(%s: f32, %t: f32, %o: f32):
    %0 = arith.mulf %s, %t : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x2x4xf32>
  return %a, %g : tensor<1x2x1x2xf32>, tensor<2x2x4xf32>
}
