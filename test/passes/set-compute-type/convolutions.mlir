// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-set-compute-type={compute_type=bf16} | FileCheck %s

// Input and filter are cast, the input below the zeros around it and once for both readers; sums stay in f32. Depthwise
// convolutions are left alone.
// CHECK-LABEL: func.func @convolutions
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<1x6x6x4xf32>, %[[W:[a-z0-9]+]]: tensor<8x3x3x4xf32>
// CHECK-DAG: %[[H:.*]] = linalg.generic {{.*}} ins(%[[X]] : {{.*}}) outs(%{{.*}} : tensor<1x6x6x4xbf16>)
// CHECK-DAG: %[[V:.*]] = linalg.generic {{.*}} ins(%[[W]] : {{.*}}) outs(%{{.*}} : tensor<8x3x3x4xbf16>)
// CHECK-DAG: %[[P:.*]] = tensor.pad %[[H]] low[0, 1, 1, 0] high[0, 1, 1, 0]
// CHECK-DAG: linalg.generic {{.*}} ins(%[[P]], %[[V]] : {{.*}}) outs({{.*}} : tensor<1x6x6x8xf32>)
// CHECK-DAG: linalg.generic {{.*}} ins(%[[H]], %[[V]] : {{.*}}) outs({{.*}} : tensor<1x4x4x8xf32>)
// CHECK-DAG: linalg.depthwise_conv_2d_nhwc_hwc ins(%[[X]], %{{.*}} : tensor<1x6x6x4xf32>, tensor<3x3x4xf32>)
func.func @convolutions(%x: tensor<1x6x6x4xf32>, %w: tensor<8x3x3x4xf32>, %d: tensor<3x3x4xf32>, %z: tensor<1x6x6x8xf32>,
                        %y: tensor<1x4x4x8xf32>, %u: tensor<1x4x4x4xf32>)
    -> (tensor<1x6x6x8xf32>, tensor<1x4x4x8xf32>, tensor<1x4x4x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x6x6x4xf32> to tensor<1x8x8x4xf32>
  %a = linalg.conv_2d_nhwc_fhwc ins(%p, %w : tensor<1x8x8x4xf32>, tensor<8x3x3x4xf32>)
      outs(%z : tensor<1x6x6x8xf32>) -> tensor<1x6x6x8xf32>
  %b = linalg.conv_2d_nhwc_fhwc ins(%x, %w : tensor<1x6x6x4xf32>, tensor<8x3x3x4xf32>)
      outs(%y : tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32>
  %c = linalg.depthwise_conv_2d_nhwc_hwc ins(%x, %d : tensor<1x6x6x4xf32>, tensor<3x3x4xf32>)
      outs(%u : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return %a, %b, %c : tensor<1x6x6x8xf32>, tensor<1x4x4x8xf32>, tensor<1x4x4x4xf32>
}
