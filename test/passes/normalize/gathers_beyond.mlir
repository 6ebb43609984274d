// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-normalize --split-input-file | FileCheck %s

// Indices that leave the table are clamped by the kernel, so these are no plain reads.
// CHECK-LABEL: func.func @too_large
// CHECK: tensor.extract %{{.*}} : tensor<2x2xf32>
func.func @too_large(%t: tensor<2x2xf32>) -> tensor<3x2xf32> {
  %e = tensor.empty() : tensor<3x2xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      outs(%e : tensor<3x2xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %a = tensor.extract %t[%i, %j] : tensor<2x2xf32>
    linalg.yield %a : f32
  } -> tensor<3x2xf32>
  return %g : tensor<3x2xf32>
}

// -----

// CHECK-LABEL: func.func @negative
// CHECK: arith.select
// CHECK: tensor.extract %{{.*}} : tensor<2xf32>
func.func @negative(%t: tensor<2xf32>) -> tensor<3xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty() : tensor<3xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%e : tensor<3xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %before = arith.subi %i, %c1 : index
    %neg = arith.cmpi slt, %before, %c0 : index
    %at = arith.select %neg, %c1, %before : index
    %a = tensor.extract %t[%at] : tensor<2xf32>
    linalg.yield %a : f32
  } -> tensor<3xf32>
  return %g : tensor<3xf32>
}
