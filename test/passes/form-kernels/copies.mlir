// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-form-kernels | FileCheck %s

// Each result of the entry function is computed by a kernel, for itself: an argument or constant that is returned, and a
// value that is returned twice, are copied.
// CHECK-LABEL: func.func private @elementwise_0
// CHECK-LABEL: func.func @copies
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<2xf32>)
// CHECK: %[[R:[0-9]+]]:2 = call @{{.*}}(%[[X]]) : (tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
// CHECK: %[[A:[0-9]+]] = call @{{.*}}(%[[X]]) : (tensor<2xf32>) -> tensor<2xf32>
// CHECK: %[[C:[a-z]+]] = arith.constant dense<[1.000000e+00, 2.000000e+00]>
// CHECK: %[[B:[0-9]+]] = call @{{.*}}(%[[C]]) : (tensor<2xf32>) -> tensor<2xf32>
// CHECK: return %[[A]], %[[R]]#0, %[[R]]#1, %[[B]]
func.func @copies(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<2xf32>
  %r = linalg.exp ins(%x : tensor<2xf32>) outs(%e : tensor<2xf32>) -> tensor<2xf32>
  return %x, %r, %r, %c : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}
