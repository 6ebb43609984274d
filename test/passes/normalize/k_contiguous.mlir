// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-normalize | FileCheck %s --check-prefix=AS-IS
// RUN: fovea-opt %s "--fovea-normalize={prefer_k_contiguous=true}" | FileCheck %s

// AS-IS-NOT: linalg.transpose

// CHECK: #[[NK:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: func.func @weight
// CHECK-SAME: %[[W:[a-z0-9]+]]: tensor<16x8xf32> {fovea.weight = "w"}
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[W]] : tensor<16x8xf32>) {{.*}} permutation = [1, 0]
// CHECK: linalg.matmul indexing_maps = [#{{.*}}, #[[NK]], #{{.*}}] ins(%{{.*}}, %[[T]] :
func.func @weight(%x: tensor<4x16xf32>, %w: tensor<16x8xf32> {fovea.weight = "w"}, %z: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %r = linalg.matmul ins(%x, %w : tensor<4x16xf32>, tensor<16x8xf32>) outs(%z : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %r : tensor<4x8xf32>
}

// Activations stay as they are, and so does a weight that has k innermost already.
// CHECK-LABEL: func.func @others
// CHECK-NOT: linalg.transpose
func.func @others(%x: tensor<4x16xf32>, %y: tensor<16x8xf32>, %w: tensor<8x16xf32> {fovea.weight = "w"}, %z: tensor<4x8xf32>)
    -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %r = linalg.matmul ins(%x, %y : tensor<4x16xf32>, tensor<16x8xf32>) outs(%z : tensor<4x8xf32>) -> tensor<4x8xf32>
  %s = linalg.matmul
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%x, %w : tensor<4x16xf32>, tensor<8x16xf32>) outs(%z : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %r, %s : tensor<4x8xf32>, tensor<4x8xf32>
}
