// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-normalize | FileCheck %s

// CHECK-DAG: #[[MK:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[NK:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[KM:.*]] = affine_map<(d0, d1, d2) -> (d2, d0)>
// CHECK-DAG: #[[MN:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG: #[[BNK:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>
// CHECK-DAG: #[[NBK:.*]] = affine_map<(d0, d1, d2, d3) -> (d2, d0, d3)>

// torch's Linear: x . transpose(w)
// CHECK-LABEL: func.func @linear
// CHECK-SAME: %[[X:.*]]: tensor<4x16xf32>, %[[W:.*]]: tensor<8x16xf32>
// CHECK-NOT: linalg.transpose
// CHECK: linalg.matmul indexing_maps = [#[[MK]], #[[NK]], #[[MN]]] ins(%[[X]], %[[W]] :
func.func @linear(%x: tensor<4x16xf32>, %w: tensor<8x16xf32>, %z: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<16x8xf32>
  %t = linalg.transpose ins(%w : tensor<8x16xf32>) outs(%e : tensor<16x8xf32>) permutation = [1, 0]
  %r = linalg.matmul ins(%x, %t : tensor<4x16xf32>, tensor<16x8xf32>) outs(%z : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %r : tensor<4x8xf32>
}

// The left operand too; a transpose may be written as a generic; another reader keeps it.
// CHECK-LABEL: func.func @left
// CHECK-SAME: %[[A:.*]]: tensor<16x4xf32>
// CHECK: %[[T:.*]] = linalg.generic {{.*}} ins(%[[A]] :
// CHECK: %[[R:.*]] = linalg.matmul indexing_maps = [#[[KM]], #{{.*}}, #[[MN]]] ins(%[[A]],
// CHECK: return %[[R]], %[[T]]
func.func @left(%a: tensor<16x4xf32>, %b: tensor<16x8xf32>, %z: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x16xf32>) {
  %e = tensor.empty() : tensor<4x16xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<16x4xf32>) outs(%e : tensor<4x16xf32>) {
  ^bb0(%in: f32, %o: f32):
    linalg.yield %in : f32
  } -> tensor<4x16xf32>
  %r = linalg.matmul ins(%t, %b : tensor<4x16xf32>, tensor<16x8xf32>) outs(%z : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %r, %t : tensor<4x8xf32>, tensor<4x16xf32>
}

// Two transposes in a row cancel within the maps.
// CHECK-LABEL: func.func @twice
// CHECK-SAME: %[[A:.*]]: tensor<4x16xf16>, %[[B:.*]]: tensor<16x8xf16>
// CHECK: linalg.matmul ins(%[[A]], %[[B]] :
func.func @twice(%a: tensor<4x16xf16>, %b: tensor<16x8xf16>, %z: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<8x16xf16>
  %e2 = tensor.empty() : tensor<16x8xf16>
  %t = linalg.transpose ins(%b : tensor<16x8xf16>) outs(%e : tensor<8x16xf16>) permutation = [1, 0]
  %u = linalg.transpose ins(%t : tensor<8x16xf16>) outs(%e2 : tensor<16x8xf16>) permutation = [1, 0]
  %r = linalg.matmul ins(%a, %u : tensor<4x16xf16>, tensor<16x8xf16>) outs(%z : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %r : tensor<4x8xf32>
}

// CHECK-LABEL: func.func @batch
// CHECK: linalg.batch_matmul indexing_maps = [#{{.*}}, #[[BNK]], #{{.*}}]
func.func @batch(%a: tensor<2x4x16xf32>, %b: tensor<2x8x16xf32>, %z: tensor<2x4x8xf32>) -> tensor<2x4x8xf32> {
  %e = tensor.empty() : tensor<2x16x8xf32>
  %t = linalg.transpose ins(%b : tensor<2x8x16xf32>) outs(%e : tensor<2x16x8xf32>) permutation = [0, 2, 1]
  %r = linalg.batch_matmul ins(%a, %t : tensor<2x4x16xf32>, tensor<2x16x8xf32>) outs(%z : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  return %r : tensor<2x4x8xf32>
}

// batch_matmul cannot express a batch dim that is not the first: a generic contraction can.
// CHECK-LABEL: func.func @batch_moved
// CHECK-NOT: linalg.transpose
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[NBK]], #{{.*}}], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
// CHECK: arith.mulf
// CHECK: arith.addf
func.func @batch_moved(%a: tensor<2x4x16xf32>, %b: tensor<8x2x16xf32>, %z: tensor<2x4x8xf32>) -> tensor<2x4x8xf32> {
  %e = tensor.empty() : tensor<2x16x8xf32>
  %t = linalg.transpose ins(%b : tensor<8x2x16xf32>) outs(%e : tensor<2x16x8xf32>) permutation = [1, 2, 0]
  %r = linalg.batch_matmul ins(%a, %t : tensor<2x4x16xf32>, tensor<2x16x8xf32>) outs(%z : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  return %r : tensor<2x4x8xf32>
}

// A transpose that no contraction reads stays.
// CHECK-LABEL: func.func @elsewhere
// CHECK: linalg.transpose
func.func @elsewhere(%a: tensor<2x4xf32>) -> tensor<4x2xf32> {
  %e = tensor.empty() : tensor<4x2xf32>
  %t = linalg.transpose ins(%a : tensor<2x4xf32>) outs(%e : tensor<4x2xf32>) permutation = [1, 0]
  return %t : tensor<4x2xf32>
}
