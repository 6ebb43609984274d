// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %python %S/Inputs/weights.py %t.safetensors
// RUN: fovea-opt %s --fovea-quantize-fp8 --weights %t.safetensors --verify-diagnostics --split-input-file | FileCheck %s

// Weights come from the file, through the ops that lay them out; the scale is that of the transposed tensor.
// CHECK-LABEL: func.func @through_layout
// CHECK: %[[T:.*]] = linalg.transpose
// CHECK: "fovea.quantize"(%[[T]]) {axis = 1 : i64, {{.*}}scale = dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf32>}
func.func @through_layout(%x: tensor<4x3xf32>, %w: tensor<2x3xf32> {fovea.weight = "fc"}, %z: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %e = tensor.empty() : tensor<3x2xf32>
  %t = linalg.transpose ins(%w : tensor<2x3xf32>) outs(%e : tensor<3x2xf32>) permutation = [1, 0]
  %c = "fovea.capture"(%x) {calibrated = true, id = "fc.lhs", max_abs = 1.0 : f32} : (tensor<4x3xf32>) -> tensor<4x3xf32>
  %r = linalg.matmul ins(%c, %t : tensor<4x3xf32>, tensor<3x2xf32>) outs(%z : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %r : tensor<4x2xf32>
}

// -----

// Zeros and values near the end of f32's range: 1.0, and the least scale. Remarks say so.
// CHECK-LABEL: func.func @degenerate
// CHECK-DAG: "fovea.quantize"(%{{.*}}) {axis = -1 : i64, {{.*}}scale = dense<1.000000e+00> : tensor<f32>}
// CHECK-DAG: "fovea.quantize"(%{{.*}}) {axis = 1 : i64, {{.*}}scale = dense<[1.000000e+00, 1.08420217E-19]> : tensor<2xf32>}
func.func @degenerate(%x: tensor<4x1xf32>, %z: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense<[[0.0, 1.0e-30]]> : tensor<1x2xf32>
  // expected-remark @below {{fc.lhs: the tensor holds only zeros, the scale is 1.0 there}}
  %c = "fovea.capture"(%x) {calibrated = true, id = "fc.lhs", max_abs = 0.0 : f32} : (tensor<4x1xf32>) -> tensor<4x1xf32>
  // expected-remark @below {{a constant: 1 of 2 channels hold only zeros, the scale is 1.0 there}}
  // expected-remark @below {{a constant: 1 of 2 channels hold values so small that the scale is 2^-63}}
  %r = linalg.matmul ins(%c, %w : tensor<4x1xf32>, tensor<1x2xf32>) outs(%z : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %r : tensor<4x2xf32>
}

// -----

func.func @not_finite(%x: tensor<4x2xf32>, %w: tensor<2x2xf32> {fovea.weight = "broken"}, %z: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %c = "fovea.capture"(%x) {calibrated = true, id = "fc.lhs", max_abs = 1.0 : f32} : (tensor<4x2xf32>) -> tensor<4x2xf32>
  // expected-error @below {{'linalg.matmul' op cannot be quantised: weight 'broken' holds nan at [1, 0]; check the file it came from, or exclude this contraction}}
  %r = linalg.matmul ins(%c, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%z : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %r : tensor<4x2xf32>
}

// -----

func.func @unknown(%x: tensor<4x2xf32>, %w: tensor<2x2xf32> {fovea.weight = "elsewhere"}, %z: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %c = "fovea.capture"(%x) {calibrated = true, id = "fc.lhs", max_abs = 1.0 : f32} : (tensor<4x2xf32>) -> tensor<4x2xf32>
  // expected-error @below {{'linalg.matmul' op cannot be quantised: the values of weight 'elsewhere' are not known (give --weights FILE.safetensors)}}
  %r = linalg.matmul ins(%c, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%z : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %r : tensor<4x2xf32>
}

// -----

func.func @not_calibrated(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // expected-error @below {{'fovea.capture' op 'fc.lhs' has no range: run calibration first (--calibration FILE.npz), or compile without FP8}}
  %c = "fovea.capture"(%x) {calibrated = false, id = "fc.lhs", max_abs = 0.0 : f32} : (tensor<4x2xf32>) -> tensor<4x2xf32>
  return %c : tensor<4x2xf32>
}
