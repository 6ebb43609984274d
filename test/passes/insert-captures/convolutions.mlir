// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-insert-captures | FileCheck %s

// The tensor below the zeros and reshapes is captured; two convolutions share it.
// CHECK-LABEL: func.func @padded
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<1x4x6x6xf32>
// CHECK: %[[C:.*]] = "fovea.capture"(%[[X]]) {calibrated = false, id = "conv{{.*}}.lhs", max_abs = 0.000000e+00 : f32}
// CHECK-NOT: fovea.capture
// CHECK-DAG: %[[P:.*]] = tensor.pad %[[C]] low[0, 0, 1, 1] high[0, 0, 1, 1]
// CHECK-DAG: %[[G:.*]] = tensor.expand_shape %[[P]]
// CHECK-DAG: linalg.conv_2d_nchw_fchw {{.*}}fovea.id = "conv"{{.*}} ins(%[[P]],
// CHECK-DAG: linalg.conv_2d_ngchw_gfchw {{.*}}fovea.id = "grouped"{{.*}} ins(%[[G]],
func.func @padded(%x: tensor<1x4x6x6xf32>, %w: tensor<8x4x3x3xf32> {fovea.weight = "conv.weight"},
                  %v: tensor<2x4x2x3x3xf32> {fovea.weight = "grouped.weight"}, %z: tensor<1x8x6x6xf32>,
                  %y: tensor<1x2x4x6x6xf32>) -> (tensor<1x8x6x6xf32>, tensor<1x2x4x6x6xf32>) {
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x4x6x6xf32> to tensor<1x4x8x8xf32>
  %c = linalg.conv_2d_nchw_fchw ins(%p, %w : tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>)
      outs(%z : tensor<1x8x6x6xf32>) -> tensor<1x8x6x6xf32>
  %e = tensor.expand_shape %p [[0], [1, 2], [3], [4]] output_shape [1, 2, 2, 8, 8]
      : tensor<1x4x8x8xf32> into tensor<1x2x2x8x8xf32>
  %g = linalg.conv_2d_ngchw_gfchw ins(%e, %v : tensor<1x2x2x8x8xf32>, tensor<2x4x2x3x3xf32>)
      outs(%y : tensor<1x2x4x6x6xf32>) -> tensor<1x2x4x6x6xf32>
  return %c, %g : tensor<1x8x6x6xf32>, tensor<1x2x4x6x6xf32>
}

// What surrounds the tensor is not 0: it has a range of its own.
// CHECK-LABEL: func.func @ones
// CHECK: %[[P:.*]] = tensor.pad
// CHECK: %[[C:.*]] = "fovea.capture"(%[[P]]) {{.*}}id = "conv{{.*}}.lhs"
// CHECK: linalg.conv_1d_nwc_wcf {{.*}} ins(%[[C]],
func.func @ones(%x: tensor<1x6x4xf32>, %w: tensor<3x4x8xf32> {fovea.weight = "conv.weight"}, %z: tensor<1x6x8xf32>)
    -> tensor<1x6x8xf32> {
  %one = arith.constant 1.0 : f32
  %p = tensor.pad %x low[0, 1, 0] high[0, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %one : f32
  } : tensor<1x6x4xf32> to tensor<1x8x4xf32>
  %c = linalg.conv_1d_nwc_wcf ins(%p, %w : tensor<1x8x4xf32>, tensor<3x4x8xf32>)
      outs(%z : tensor<1x6x8xf32>) -> tensor<1x6x8xf32>
  return %c : tensor<1x6x8xf32>
}

// A convolution written as linalg.generic is one; a pooling written so is not.
// CHECK-LABEL: func.func @generic
// CHECK: "fovea.capture"(%{{.*}}) {{.*}}id = "conv{{.*}}.lhs"
// CHECK-NOT: fovea.capture
// CHECK: fovea.id
// CHECK-NOT: fovea.id
func.func @generic(%x: tensor<8x4xf32>, %w: tensor<3x4x8xf32> {fovea.weight = "conv.weight"}, %z: tensor<6x8xf32>,
                   %window: tensor<3xf32>, %y: tensor<6x4xf32>) -> (tensor<6x8xf32>, tensor<6x4xf32>) {
  %c = linalg.generic {indexing_maps = [affine_map<(o, f, k, c) -> (o + k, c)>, affine_map<(o, f, k, c) -> (k, c, f)>,
                                        affine_map<(o, f, k, c) -> (o, f)>],
                       iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<8x4xf32>, tensor<3x4x8xf32>) outs(%z : tensor<6x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<6x8xf32>
  %p = linalg.generic {indexing_maps = [affine_map<(o, c, k) -> (o + k, c)>, affine_map<(o, c, k) -> (k)>,
                                        affine_map<(o, c, k) -> (o, c)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %window : tensor<8x4xf32>, tensor<3xf32>) outs(%y : tensor<6x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.maximumf %o, %a : f32
    linalg.yield %0 : f32
  } -> tensor<6x4xf32>
  return %c, %p : tensor<6x8xf32>, tensor<6x4xf32>
}
