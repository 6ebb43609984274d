// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-form-kernels | FileCheck %s

// A result that could float into its reader is computed by a kernel of its own, which comes first.
// CHECK-LABEL: func.func @f
// CHECK: %[[JOINED:.*]] = call @elementwise_0(%arg0, %arg1)
// CHECK: %[[SUM:.*]] = call @rowwise_1(%[[JOINED]])
// CHECK: return %[[SUM]], %[[JOINED]]
func.func @f(%a: tensor<4x8xf32>, %b: tensor<4x8xf32>) -> (tensor<4xf32>, tensor<4x16xf32>) {
  %zero = arith.constant 0.0 : f32
  %joined = tensor.concat dim(1) %a, %b : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x16xf32>
  %e = tensor.empty() : tensor<4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(r, c) -> (r, c)>, affine_map<(r, c) -> (r)>], iterator_types = ["parallel", "reduction"]}
      ins(%joined : tensor<4x16xf32>) outs(%z : tensor<4xf32>) {
  ^bb0(%x: f32, %o: f32):
    %0 = arith.addf %x, %o : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %sum, %joined : tensor<4xf32>, tensor<4x16xf32>
}
