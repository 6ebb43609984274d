// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-fold-qdq | FileCheck %s

// A scale that varies along k cannot move behind the sum.
// CHECK-LABEL: func.func @along_k
// CHECK: linalg.matmul ins({{.*}} : tensor<4x2xf32>, tensor<2x3xf32>)
func.func @along_k(%q: tensor<4x2xf8E4M3FNUZ>, %p: tensor<2x3xf8E4M3FNUZ>, %z: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x2xf8E4M3FNUZ>) -> tensor<4x2xf32>
  %w = "fovea.dequantize"(%p) {axis = 0 : i64, scale = dense<[1.0, 2.0]> : tensor<2xf32>} : (tensor<2x3xf8E4M3FNUZ>) -> tensor<2x3xf32>
  %r = linalg.matmul ins(%d, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%z : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// CHECK-LABEL: func.func @one_side
// CHECK: linalg.matmul ins({{.*}} : tensor<4x2xf32>, tensor<2x3xf32>)
func.func @one_side(%q: tensor<4x2xf8E4M3FNUZ>, %w: tensor<2x3xf32>, %z: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x2xf8E4M3FNUZ>) -> tensor<4x2xf32>
  %r = linalg.matmul ins(%d, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%z : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// CHECK-LABEL: func.func @storage_types
// CHECK: linalg.matmul ins({{.*}} : tensor<4x2xf32>, tensor<2x3xf32>)
func.func @storage_types(%q: tensor<4x2xf8E4M3FNUZ>, %p: tensor<2x3xf8E4M3FN>, %z: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x2xf8E4M3FNUZ>) -> tensor<4x2xf32>
  %w = "fovea.dequantize"(%p) {axis = -1 : i64, scale = dense<1.0> : tensor<f32>} : (tensor<2x3xf8E4M3FN>) -> tensor<2x3xf32>
  %r = linalg.matmul ins(%d, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%z : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// The product of these scales is 0 in f32.
// CHECK-LABEL: func.func @underflow
// CHECK: linalg.matmul ins({{.*}} : tensor<4x2xf32>, tensor<2x3xf32>)
func.func @underflow(%q: tensor<4x2xf8E4M3FNUZ>, %p: tensor<2x3xf8E4M3FNUZ>, %z: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<1.0e-30> : tensor<f32>} : (tensor<4x2xf8E4M3FNUZ>) -> tensor<4x2xf32>
  %w = "fovea.dequantize"(%p) {axis = -1 : i64, scale = dense<1.0e-30> : tensor<f32>} : (tensor<2x3xf8E4M3FNUZ>) -> tensor<2x3xf32>
  %r = linalg.matmul ins(%d, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%z : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// Channels that a reshape splits.
// CHECK-LABEL: func.func @reshaped_channels
// CHECK: linalg.matmul ins({{.*}} : tensor<4x2xf32>, tensor<2x3xf32>)
func.func @reshaped_channels(%q: tensor<2x2x2xf8E4M3FNUZ>, %p: tensor<2x3xf8E4M3FNUZ>, %z: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %d = "fovea.dequantize"(%q) {axis = 0 : i64, scale = dense<[0.5, 0.25]> : tensor<2xf32>} : (tensor<2x2x2xf8E4M3FNUZ>) -> tensor<2x2x2xf32>
  %v = tensor.collapse_shape %d [[0, 1], [2]] : tensor<2x2x2xf32> into tensor<4x2xf32>
  %w = "fovea.dequantize"(%p) {axis = -1 : i64, scale = dense<2.0> : tensor<f32>} : (tensor<2x3xf8E4M3FNUZ>) -> tensor<2x3xf32>
  %r = linalg.matmul ins(%v, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%z : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}
