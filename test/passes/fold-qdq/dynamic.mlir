// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-fold-qdq | FileCheck %s

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>

// A scale a row is a tensor that the sum is multiplied by, as are the channels of the weight; an initial value is added.
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-DAG: #[[COLUMN:.*]] = affine_map<(d0, d1) -> (d1, 0)>
// CHECK-DAG: #[[BLOCKS:.*]] = affine_map<(d0, d1, d2) -> (d2 floordiv 64, d1)>
// CHECK-DAG: affine_map<(d0, d1, d2) -> (d0, d2 floordiv 32)>
// CHECK-LABEL: func.func @rows
// CHECK-SAME: (%[[Q:[a-z0-9]+]]: tensor<2x2x100xf8E4M3FNUZ>, %[[S:[a-z0-9]+]]: tensor<2x2x1xf32>, %[[P:[a-z0-9]+]]: {{.*}}, %[[I:[a-z0-9]+]]: tensor<4x3xf32>
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<3x1xf32>
// CHECK-DAG: %[[V:.*]] = tensor.collapse_shape %[[Q]] {{.*}} into tensor<4x100xf8E4M3FNUZ>
// CHECK-DAG: %[[T:.*]] = tensor.collapse_shape %[[S]] {{.*}} into tensor<4x1xf32>
// CHECK-DAG: %[[A:.*]] = linalg.matmul {{.*}}ins(%[[V]], %[[P]] : tensor<4x100xf8E4M3FNUZ>, tensor<3x100xf8E4M3FNUZ>)
// CHECK: %[[R:.*]] = linalg.generic {indexing_maps = [#{{.*}}, #[[ROW]], #[[COLUMN]], #{{.*}}, #{{.*}}]{{.*}} ins(%[[A]], %[[T]], %[[W]], %[[I]] :
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.mulf
// CHECK-NEXT: arith.mulf
// CHECK-NEXT: arith.addf
// CHECK: return %[[R]]
func.func @rows(%q: tensor<2x2x100xf8E4M3FNUZ>, %s: tensor<2x2x1xf32>, %p: tensor<3x100xf8E4M3FNUZ>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %d = "fovea.dynamic_dequantize"(%q, %s) {block = array<i64: 1, 1, 100>} : (tensor<2x2x100xf8E4M3FNUZ>, tensor<2x2x1xf32>) -> tensor<2x2x100xf32>
  %w = "fovea.dequantize"(%p) {axis = 0 : i64, scale = dense<[1.0, 2.0, 3.0]> : tensor<3xf32>} : (tensor<3x100xf8E4M3FNUZ>) -> tensor<3x100xf32>
  %v = tensor.collapse_shape %d [[0, 1], [2]] : tensor<2x2x100xf32> into tensor<4x100xf32>
  %r = linalg.matmul indexing_maps = [#lhs, #rhs, #out] ins(%v, %w : tensor<4x100xf32>, tensor<3x100xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// Both operands by row, e5m2 by e4m3, in f16: the sum stays f32 until it is scaled.
// CHECK-LABEL: func.func @both
// CHECK: %[[A:.*]] = linalg.matmul {{.*}}: tensor<4x16xf8E5M2>, tensor<3x16xf8E4M3FN>) outs(%{{.*}} : tensor<4x3xf32>)
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[ROW]], #[[COLUMN]], #{{.*}}]
// CHECK-NOT: fovea.dynamic_dequantize
func.func @both(%q: tensor<4x16xf8E5M2>, %s: tensor<4x1xf32>, %p: tensor<3x16xf8E4M3FN>, %t: tensor<3x1xf32>) -> tensor<4x3xf16> {
  %zero = arith.constant 0.0 : f16
  %e = tensor.empty() : tensor<4x3xf16>
  %z = linalg.fill ins(%zero : f16) outs(%e : tensor<4x3xf16>) -> tensor<4x3xf16>
  %d = "fovea.dynamic_dequantize"(%q, %s) {block = array<i64: 1, 16>} : (tensor<4x16xf8E5M2>, tensor<4x1xf32>) -> tensor<4x16xf16>
  %w = "fovea.dynamic_dequantize"(%p, %t) {block = array<i64: 1, 16>} : (tensor<3x16xf8E4M3FN>, tensor<3x1xf32>) -> tensor<3x16xf16>
  %r = linalg.matmul indexing_maps = [#lhs, #rhs, #out] ins(%d, %w : tensor<4x16xf16>, tensor<3x16xf16>) outs(%z : tensor<4x3xf16>) -> tensor<4x3xf16>
  return %r : tensor<4x3xf16>
}

// Blocks of k: the contraction takes the scales, with k outermost; one scale of the other operand follows.
// CHECK-LABEL: func.func @blocks
// CHECK-SAME: (%[[Q:[a-z0-9]+]]: {{.*}}, %[[P:[a-z0-9]+]]: {{.*}}, %[[S:[a-z0-9]+]]: tensor<3x2xf32>
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[S]] : tensor<3x2xf32>)
// CHECK: %[[A:.*]] = "fovea.scaled_contract"(%[[Q]], %[[P]], %[[T]]) {fovea.id = "fc", indexing_maps = [#{{.*}}, #{{.*}}, #[[BLOCKS]], #{{.*}}], operandSegmentSizes = array<i32: 1, 1, 0, 1>}
// CHECK: linalg.generic {{.*}} ins(%[[A]] : tensor<4x3xf32>)
// CHECK: arith.mulf %{{.*}}, %{{.*}} : f32
func.func @blocks(%q: tensor<4x100xf8E4M3FNUZ>, %p: tensor<3x100xf8E4M3FNUZ>, %s: tensor<3x2xf32>) -> tensor<4x3xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x3xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<4x3xf32>) -> tensor<4x3xf32>
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.25> : tensor<f32>} : (tensor<4x100xf8E4M3FNUZ>) -> tensor<4x100xf32>
  %w = "fovea.dynamic_dequantize"(%p, %s) {block = array<i64: 1, 64>} : (tensor<3x100xf8E4M3FNUZ>, tensor<3x2xf32>) -> tensor<3x100xf32>
  %r = linalg.matmul indexing_maps = [#lhs, #rhs, #out] {fovea.id = "fc"} ins(%d, %w : tensor<4x100xf32>, tensor<3x100xf32>) outs(%z : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// MX: both sides' scales, as they lie.
// CHECK-LABEL: func.func @mx
// CHECK-SAME: (%[[Q:[a-z0-9]+]]: tensor<4x64xf8E4M3FN>, %[[S:[a-z0-9]+]]: tensor<4x2xf8E8M0FNU>, %[[P:[a-z0-9]+]]: tensor<3x64xf8E4M3FN>, %[[T:[a-z0-9]+]]:
// CHECK: "fovea.scaled_contract"(%[[Q]], %[[P]], %[[S]], %[[T]]) {indexing_maps = [#{{.*}}, #{{.*}}, #{{.*}}, #{{.*}}, #{{.*}}], operandSegmentSizes = array<i32: 1, 1, 1, 1>}
func.func @mx(%q: tensor<4x64xf8E4M3FN>, %s: tensor<4x2xf8E8M0FNU>, %p: tensor<3x64xf8E4M3FN>, %t: tensor<3x2xf8E8M0FNU>, %z: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %d = "fovea.dynamic_dequantize"(%q, %s) {block = array<i64: 1, 32>} : (tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf32>
  %w = "fovea.dynamic_dequantize"(%p, %t) {block = array<i64: 1, 32>} : (tensor<3x64xf8E4M3FN>, tensor<3x2xf8E8M0FNU>) -> tensor<3x64xf32>
  %r = linalg.matmul indexing_maps = [#lhs, #rhs, #out] ins(%d, %w : tensor<4x64xf32>, tensor<3x64xf32>) outs(%z : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// Left: a scale that varies along k, a scale for a part of the rows, one quantised operand, OCP by FNUZ, and a view that
// cuts blocks into pieces.
// CHECK-LABEL: func.func @left
// CHECK-COUNT-5: linalg.matmul {{.*}}: tensor<4x16xf32>, tensor<3x16xf32>)
func.func @left(%q: tensor<4x16xf8E4M3FN>, %k: tensor<1x16xf32>, %h: tensor<2x1xf32>, %s: tensor<4x1xf32>,
    %p: tensor<3x16xf8E4M3FN>, %f: tensor<3x16xf8E4M3FNUZ>, %t: tensor<3x1xf32>, %x: tensor<3x16xf32>,
    %l: tensor<8x8xf8E4M3FN>, %m: tensor<8x1xf32>, %z: tensor<4x3xf32>)
    -> (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>) {
  %w = "fovea.dynamic_dequantize"(%p, %t) {block = array<i64: 1, 16>} : (tensor<3x16xf8E4M3FN>, tensor<3x1xf32>) -> tensor<3x16xf32>
  %wf = "fovea.dynamic_dequantize"(%f, %t) {block = array<i64: 1, 16>} : (tensor<3x16xf8E4M3FNUZ>, tensor<3x1xf32>) -> tensor<3x16xf32>
  %along = "fovea.dynamic_dequantize"(%q, %k) {block = array<i64: 4, 1>} : (tensor<4x16xf8E4M3FN>, tensor<1x16xf32>) -> tensor<4x16xf32>
  %half = "fovea.dynamic_dequantize"(%q, %h) {block = array<i64: 2, 16>} : (tensor<4x16xf8E4M3FN>, tensor<2x1xf32>) -> tensor<4x16xf32>
  %row = "fovea.dynamic_dequantize"(%q, %s) {block = array<i64: 1, 16>} : (tensor<4x16xf8E4M3FN>, tensor<4x1xf32>) -> tensor<4x16xf32>
  %pieces = "fovea.dynamic_dequantize"(%l, %m) {block = array<i64: 1, 8>} : (tensor<8x8xf8E4M3FN>, tensor<8x1xf32>) -> tensor<8x8xf32>
  %flat = tensor.collapse_shape %pieces [[0, 1]] : tensor<8x8xf32> into tensor<64xf32>
  %view = tensor.expand_shape %flat [[0, 1]] output_shape [4, 16] : tensor<64xf32> into tensor<4x16xf32>
  %a = linalg.matmul indexing_maps = [#lhs, #rhs, #out] ins(%along, %w : tensor<4x16xf32>, tensor<3x16xf32>) outs(%z : tensor<4x3xf32>) -> tensor<4x3xf32>
  %b = linalg.matmul indexing_maps = [#lhs, #rhs, #out] ins(%half, %w : tensor<4x16xf32>, tensor<3x16xf32>) outs(%z : tensor<4x3xf32>) -> tensor<4x3xf32>
  %c = linalg.matmul indexing_maps = [#lhs, #rhs, #out] ins(%row, %x : tensor<4x16xf32>, tensor<3x16xf32>) outs(%z : tensor<4x3xf32>) -> tensor<4x3xf32>
  %d = linalg.matmul indexing_maps = [#lhs, #rhs, #out] ins(%row, %wf : tensor<4x16xf32>, tensor<3x16xf32>) outs(%z : tensor<4x3xf32>) -> tensor<4x3xf32>
  %e = linalg.matmul indexing_maps = [#lhs, #rhs, #out] ins(%view, %w : tensor<4x16xf32>, tensor<3x16xf32>) outs(%z : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %a, %b, %c, %d, %e : tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>
}
