// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a site becomes: operands, region, result.
// RUN: fovea-opt %s --fovea-detect-attention --fovea-fuse-attention 2>/dev/null | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// The chain between the first contraction and softmax becomes the region; the row maximum is left out.
// CHECK-LABEL: func.func @scaled
// CHECK-NOT: linalg
// CHECK: %[[O:.*]] = "fovea.attention"(%arg0, %arg1, %arg2) ({
// CHECK-NEXT: ^bb0(%[[S:.*]]: f32):
// CHECK-NEXT: %[[C:.*]] = arith.constant 2.500000e-01 : f32
// CHECK-NEXT: %[[T:.*]] = arith.mulf %[[S]], %[[C]] : f32
// CHECK-NEXT: "fovea.yield"(%[[T]])
// CHECK-NEXT: {indexing_maps = [#[[Q:.*]], #[[K:.*]], #[[V:.*]], #[[OUT:.*]]], operandSegmentSizes
// CHECK-NEXT: return %[[O]]
func.func @scaled(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%x0: f32, %acc: f32):
    %c = arith.constant 0.25 : f32
    %r = arith.mulf %x0, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%t : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// Q, K and V are read as they were before reshapes and transposes; the result keeps its shape.
// CHECK-LABEL: func.func @heads
// CHECK-NOT: linalg
// CHECK: %[[O:.*]] = "fovea.attention"(%arg3, %arg4, %arg5) ({
// CHECK: : (tensor<2x4x3x8xf32>, tensor<2x6x3x8xf32>, tensor<2x3x6x5xf32>) -> tensor<2x3x4x5xf32>
// CHECK-NEXT: %[[C:.*]] = tensor.collapse_shape %[[O]] {{\[\[}}0, 1], [2], [3]] : tensor<2x3x4x5xf32> into tensor<6x4x5xf32>
// CHECK-NEXT: return %[[O]], %[[C]]
func.func @heads(%q: tensor<6x4x8xf32>, %k: tensor<6x6x8xf32>, %v: tensor<6x6x5xf32>, %q4: tensor<2x4x3x8xf32>, %k4: tensor<2x6x3x8xf32>, %v4: tensor<2x3x6x5xf32>) -> (tensor<2x3x4x5xf32>, tensor<6x4x5xf32>) {
  %zero = arith.constant 0.0 : f32
  %eq = tensor.empty() : tensor<2x3x4x8xf32>
  %qt = linalg.transpose ins(%q4 : tensor<2x4x3x8xf32>) outs(%eq : tensor<2x3x4x8xf32>) permutation = [0, 2, 1, 3]
  %qc = tensor.collapse_shape %qt [[0, 1], [2], [3]] : tensor<2x3x4x8xf32> into tensor<6x4x8xf32>
  %et = tensor.empty() : tensor<2x3x8x6xf32>
  %kt = linalg.transpose ins(%k4 : tensor<2x6x3x8xf32>) outs(%et : tensor<2x3x8x6xf32>) permutation = [0, 2, 3, 1]
  %kc = tensor.collapse_shape %kt [[0, 1], [2], [3]] : tensor<2x3x8x6xf32> into tensor<6x8x6xf32>
  %es = tensor.empty() : tensor<6x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<6x4x6xf32>) -> tensor<6x4x6xf32>
  %s = linalg.batch_matmul ins(%qc, %kc : tensor<6x4x8xf32>, tensor<6x8x6xf32>) outs(%zs : tensor<6x4x6xf32>) -> tensor<6x4x6xf32>
  %se = tensor.expand_shape %s [[0, 1], [2], [3]] output_shape [2, 3, 4, 6] : tensor<6x4x6xf32> into tensor<2x3x4x6xf32>
  %e4 = tensor.empty() : tensor<2x3x4x6xf32>
  %p4 = linalg.softmax dimension(3) ins(%se : tensor<2x3x4x6xf32>) outs(%e4 : tensor<2x3x4x6xf32>) -> tensor<2x3x4x6xf32>
  %p = tensor.collapse_shape %p4 [[0, 1], [2], [3]] : tensor<2x3x4x6xf32> into tensor<6x4x6xf32>
  %vc = tensor.collapse_shape %v4 [[0, 1], [2], [3]] : tensor<2x3x6x5xf32> into tensor<6x6x5xf32>
  %eo = tensor.empty() : tensor<6x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<6x4x5xf32>) -> tensor<6x4x5xf32>
  %o = linalg.batch_matmul ins(%p, %vc : tensor<6x4x6xf32>, tensor<6x6x5xf32>) outs(%zo : tensor<6x4x5xf32>) -> tensor<6x4x5xf32>
  %oe = tensor.expand_shape %o [[0, 1], [2], [3]] output_shape [2, 3, 4, 5] : tensor<6x4x5xf32> into tensor<2x3x4x5xf32>
  return %oe, %o : tensor<2x3x4x5xf32>, tensor<6x4x5xf32>
}
