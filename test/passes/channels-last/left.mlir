// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-channels-last | FileCheck %s

// Depthwise and integer convolutions, convolutions whose channels are last, and transposes of other ops.
// CHECK-LABEL: func.func @left
// CHECK: linalg.depthwise_conv_2d_nchw_chw
// CHECK: linalg.conv_2d_nchw_fchw {{.*}} tensor<1x4x6x6xi8>
// CHECK: linalg.conv_2d_nhwc_fhwc
// CHECK: linalg.transpose
// CHECK-NEXT: linalg.exp
func.func @left(%x: tensor<1x4x6x6xf16>, %w: tensor<4x3x3xf16>, %z: tensor<1x4x4x4xf32>, %i: tensor<1x4x6x6xi8>,
                %j: tensor<4x4x3x3xi8>, %k: tensor<1x4x4x4xi32>, %y: tensor<1x6x6x4xf16>, %v: tensor<4x3x3x4xf16>)
    -> (tensor<1x4x4x4xf32>, tensor<1x4x4x4xi32>, tensor<1x4x4x4xf32>, tensor<1x6x6x4xf16>) {
  %a = linalg.depthwise_conv_2d_nchw_chw ins(%x, %w : tensor<1x4x6x6xf16>, tensor<4x3x3xf16>)
      outs(%z : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %b = linalg.conv_2d_nchw_fchw ins(%i, %j : tensor<1x4x6x6xi8>, tensor<4x4x3x3xi8>)
      outs(%k : tensor<1x4x4x4xi32>) -> tensor<1x4x4x4xi32>
  %c = linalg.conv_2d_nhwc_fhwc ins(%y, %v : tensor<1x6x6x4xf16>, tensor<4x3x3x4xf16>)
      outs(%z : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %t = linalg.transpose ins(%x : tensor<1x4x6x6xf16>) outs(%y : tensor<1x6x6x4xf16>) permutation = [0, 2, 3, 1]
  %d = linalg.exp ins(%t : tensor<1x6x6x4xf16>) outs(%y : tensor<1x6x6x4xf16>) -> tensor<1x6x6x4xf16>
  return %a, %b, %c, %d : tensor<1x4x4x4xf32>, tensor<1x4x4x4xi32>, tensor<1x4x4x4xf32>, tensor<1x6x6x4xf16>
}

// An elementwise op that knows its index, or that broadcasts the result, keeps its order.
// CHECK-LABEL: func.func @indexed
// CHECK: %[[T:.*]] = linalg.transpose {{.*}} permutation = [0, 3, 1, 2]
// CHECK: linalg.generic {{.*}} ins(%[[T]] : tensor<1x4x4x4xf32>)
// CHECK: linalg.index
// CHECK: linalg.generic {{.*}} ins(%[[T]] : tensor<1x4x4x4xf32>) outs({{.*}} : tensor<2x1x4x4x4xf32>)
func.func @indexed(%x: tensor<1x4x6x6xf16>, %w: tensor<4x4x3x3xf16>, %z: tensor<1x4x4x4xf32>, %o: tensor<2x1x4x4x4xf32>)
    -> (tensor<1x4x4x4xf32>, tensor<2x1x4x4x4xf32>) {
  %c = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x4x6x6xf16>, tensor<4x4x3x3xf16>)
      outs(%z : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>, affine_map<(a, b, c, d) -> (a, b, c, d)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%c : tensor<1x4x4x4xf32>) outs(%z : tensor<1x4x4x4xf32>) {
  ^bb0(%s: f32, %t: f32):
    %0 = linalg.index 1 : index
    %1 = arith.index_cast %0 : index to i32
    %2 = arith.sitofp %1 : i32 to f32
    %3 = arith.mulf %s, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<1x4x4x4xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(e, a, b, c, d) -> (a, b, c, d)>, affine_map<(e, a, b, c, d) -> (e, a, b, c, d)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%c : tensor<1x4x4x4xf32>) outs(%o : tensor<2x1x4x4x4xf32>) {
  ^bb0(%s: f32, %t: f32):
    linalg.yield %s : f32
  } -> tensor<2x1x4x4x4xf32>
  return %r, %b : tensor<1x4x4x4xf32>, tensor<2x1x4x4x4xf32>
}
