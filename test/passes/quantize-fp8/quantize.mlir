// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-quantize-fp8 | FileCheck %s
// RUN: fovea-opt %s --fovea-quantize-fp8={storage=f8E4M3FN} | FileCheck %s --check-prefix=OCP
// RUN: fovea-opt %s --fovea-quantize-fp8={storage=f8E5M2} | FileCheck %s --check-prefix=E5M2
// RUN: fovea-opt %s --fovea-quantize-fp8={weight-granularity=tensor} | FileCheck %s --check-prefix=TENSOR
// RUN: not fovea-opt %s --fovea-quantize-fp8={storage=f4} 2>&1 | FileCheck %s --check-prefix=STORAGE
// STORAGE: unknown storage 'f4'; expected one of e4m3, e5m2, mxfp8, f8E4M3FNUZ, f8E4M3FN, f8E5M2FNUZ, f8E5M2
// RUN: not fovea-opt %s --fovea-quantize-fp8={weight-granularity=block} 2>&1 | FileCheck %s --check-prefix=GRANULARITY
// GRANULARITY: unknown weight granularity 'block'; expected one of channel, tensor, block:K

// Activation: one scale, max_abs over the largest value of the type. Weight: one scale along n, from its values.
// CHECK-LABEL: func.func @linear
// CHECK-DAG: %[[Q:.*]] = "fovea.quantize"(%arg0) {axis = -1 : i64, fovea.id = "fc.lhs", scale = dense<5.000000e-01> : tensor<f32>} : (tensor<4x2xf32>) -> tensor<4x2xf8E4M3FNUZ>
// CHECK-DAG: %[[D:.*]] = "fovea.dequantize"(%[[Q]]) {axis = -1 : i64, fovea.id = "fc.lhs", scale = dense<5.000000e-01> : tensor<f32>}
// CHECK-DAG: %[[WQ:.*]] = "fovea.quantize"(%cst) {axis = 1 : i64, scale = dense<[1.250000e-01, 1.000000e+00, 2.500000e-01]> : tensor<3xf32>}
// CHECK-DAG: %[[WD:.*]] = "fovea.dequantize"(%[[WQ]])
// CHECK: linalg.matmul {{.*}}ins(%[[D]], %[[WD]] :
// CHECK-NOT: fovea.capture
// OCP: "fovea.quantize"{{.*}} -> tensor<4x2xf8E4M3FN>
// E5M2: "fovea.quantize"{{.*}} -> tensor<4x2xf8E5M2>
// TENSOR: "fovea.quantize"(%cst) {axis = -1 : i64, scale = dense<2.500000e-01> : tensor<f32>}
func.func @linear(%x: tensor<4x2xf32>, %z: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %w = arith.constant dense<[[30.0, 0.0, 10.0], [-15.0, 0.0, -60.0]]> : tensor<2x3xf32>
  %c = "fovea.capture"(%x) {calibrated = true, id = "fc.lhs", max_abs = 120.0 : f32} : (tensor<4x2xf32>) -> tensor<4x2xf32>
  %r = linalg.matmul ins(%c, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%z : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// The channel axis follows the indexing maps; a weight on the left has its channels along m. f16 and bf16 are quantised too.
// CHECK-LABEL: func.func @sides
// CHECK-DAG: "fovea.quantize"(%{{.*}}) {axis = 0 : i64, scale = dense<[2.500000e-01, 1.250000e-01]> : tensor<2xf32>} : (tensor<2x3xf16>)
// CHECK-DAG: "fovea.quantize"(%{{.*}}) {axis = 0 : i64, scale = dense<[1.250000e-01, 2.500000e-01]> : tensor<2xf32>} : (tensor<2x3xbf16>)
func.func @sides(%x: tensor<4x3xf16>, %y: tensor<3x4xbf16>, %z: tensor<4x2xf32>, %u: tensor<2x4xf32>) -> (tensor<4x2xf32>, tensor<2x4xf32>) {
  %w = arith.constant dense<[[60.0, 0.0, 10.0], [-15.0, 0.0, -30.0]]> : tensor<2x3xf16>
  %v = arith.constant dense<[[30.0, 0.0, 10.0], [-15.0, 0.0, -60.0]]> : tensor<2x3xbf16>
  %c = "fovea.capture"(%x) {calibrated = true, id = "a.lhs", max_abs = 1.0 : f32} : (tensor<4x3xf16>) -> tensor<4x3xf16>
  %d = "fovea.capture"(%y) {calibrated = true, id = "b.rhs", max_abs = 1.0 : f32} : (tensor<3x4xbf16>) -> tensor<3x4xbf16>
  %r = linalg.matmul
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%c, %w : tensor<4x3xf16>, tensor<2x3xf16>) outs(%z : tensor<4x2xf32>) -> tensor<4x2xf32>
  %s = linalg.matmul ins(%v, %d : tensor<2x3xbf16>, tensor<3x4xbf16>) outs(%u : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %r, %s : tensor<4x2xf32>, tensor<2x4xf32>
}

// A contraction without captures keeps its weight; a shared weight is quantised once; views between are seen through.
// CHECK-LABEL: func.func @shared
// CHECK-SAME: (%[[X:[a-z0-9]+]]:
// CHECK: "fovea.quantize"(%cst
// CHECK: linalg.matmul {{.*}}ins(%[[X]], %cst
// CHECK: "fovea.quantize"
// CHECK-NOT: "fovea.quantize"
func.func @shared(%x: tensor<4x2xf32>, %y: tensor<2x2x2xf32>, %z: tensor<4x2xf32>) -> (tensor<4x2xf32>, tensor<4x2xf32>, tensor<4x2xf32>) {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %plain = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%z : tensor<4x2xf32>) -> tensor<4x2xf32>
  %c = "fovea.capture"(%y) {calibrated = true, id = "a.lhs", max_abs = 1.0 : f32} : (tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
  %v = tensor.collapse_shape %c [[0, 1], [2]] : tensor<2x2x2xf32> into tensor<4x2xf32>
  %a = linalg.matmul ins(%v, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%z : tensor<4x2xf32>) -> tensor<4x2xf32>
  %b = linalg.matmul ins(%v, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%plain : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %plain, %a, %b : tensor<4x2xf32>, tensor<4x2xf32>, tensor<4x2xf32>
}
