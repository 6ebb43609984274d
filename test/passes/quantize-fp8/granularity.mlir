// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s "--fovea-quantize-fp8={activation-granularity=row weight-granularity=block:64}" | FileCheck %s
// RUN: fovea-opt %s --target gfx950 --fovea-quantize-fp8={storage=mxfp8} | FileCheck %s --check-prefix=MX
// RUN: fovea-opt %s "--fovea-quantize-fp8={activation-granularity=row storage=e5m2}" | FileCheck %s --check-prefix=E5M2
// RUN: fovea-opt %s --target gfx950 "--fovea-quantize-fp8={activation-granularity=row storage=e5m2 weight-storage=e4m3}" | FileCheck %s --check-prefix=MIXED
// RUN: not fovea-opt %s --fovea-quantize-fp8={storage=mxfp8} 2>&1 | FileCheck %s --check-prefix=NOMX
// NOMX: gfx942 has no block-scaled (MX) matrix instructions; chips that do: gfx950
// RUN: not fovea-opt %s "--fovea-quantize-fp8={storage=mxfp8 weight-storage=e4m3}" 2>&1 | FileCheck %s --check-prefix=BOTH
// BOTH: storage mxfp8 is for activations and weights alike
// RUN: not fovea-opt %s --fovea-quantize-fp8={weight-granularity=block:100} 2>&1 | FileCheck %s --check-prefix=BLOCK
// BLOCK: weight granularity block:K expects a K that is a multiple of 64, found 'block:100'
// RUN: not fovea-opt %s --fovea-quantize-fp8={activation-granularity=channel} 2>&1 | FileCheck %s --check-prefix=ROW
// ROW: option 'activation-granularity': expected one of tensor, row, found 'channel'

// No range is needed. The activation is quantised below the view, a row of the view at a time. K is no multiple of 64.
// CHECK-LABEL: func.func @linear
// CHECK-SAME: (%[[X:[a-z0-9]+]]:
// CHECK-DAG: %[[Q:.*]]:2 = "fovea.dynamic_quantize"(%[[X]]) {block = array<i64: 1, 1, 100>, fovea.id = "fc.lhs"} : (tensor<2x2x100xf32>) -> (tensor<2x2x100xf8E4M3FNUZ>, tensor<2x2x1xf32>)
// CHECK-DAG: %[[D:.*]] = "fovea.dynamic_dequantize"(%[[Q]]#0, %[[Q]]#1) {block = array<i64: 1, 1, 100>, fovea.id = "fc.lhs"}
// CHECK-DAG: %[[V:.*]] = tensor.collapse_shape %[[D]]
// CHECK-DAG: %[[P:.*]]:2 = "fovea.dynamic_quantize"(%{{.*}}) {block = array<i64: 1, 64>} : (tensor<3x100xf32>) -> (tensor<3x100xf8E4M3FNUZ>, tensor<3x2xf32>)
// CHECK-DAG: %[[W:.*]] = "fovea.dynamic_dequantize"(%[[P]]#0, %[[P]]#1) {block = array<i64: 1, 64>}
// CHECK: linalg.matmul {{.*}}ins(%[[V]], %[[W]] :
// CHECK-NOT: fovea.capture
// MX-LABEL: func.func @linear
// MX-DAG: block = array<i64: 1, 1, 32>, {{.*}} -> (tensor<2x2x100xf8E4M3FN>, tensor<2x2x4xf8E8M0FNU>)
// MX-DAG: block = array<i64: 1, 32>} : (tensor<3x100xf32>) -> (tensor<3x100xf8E4M3FN>, tensor<3x4xf8E8M0FNU>)
// E5M2-LABEL: func.func @linear
// E5M2-DAG: "fovea.dynamic_quantize"{{.*}} -> (tensor<2x2x100xf8E5M2FNUZ>, tensor<2x2x1xf32>)
// E5M2-DAG: "fovea.quantize"{{.*}} -> tensor<3x100xf8E5M2FNUZ>
// MIXED-LABEL: func.func @linear
// MIXED-DAG: "fovea.dynamic_quantize"{{.*}} -> (tensor<2x2x100xf8E5M2>, tensor<2x2x1xf32>)
// MIXED-DAG: "fovea.quantize"{{.*}} -> tensor<3x100xf8E4M3FN>
#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
func.func @linear(%x: tensor<2x2x100xf32>, %z: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %w = arith.constant dense<2.0> : tensor<3x100xf32>
  %c = "fovea.capture"(%x) {calibrated = false, id = "fc.lhs", max_abs = 0.0 : f32} : (tensor<2x2x100xf32>) -> tensor<2x2x100xf32>
  %v = tensor.collapse_shape %c [[0, 1], [2]] : tensor<2x2x100xf32> into tensor<4x100xf32>
  %r = linalg.matmul indexing_maps = [#lhs, #rhs, #out] ins(%v, %w : tensor<4x100xf32>, tensor<3x100xf32>) outs(%z : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// One block of K is a channel. A tensor whose rows run along different axes for two readers is quantised for each; for
// both sides of x.x along one axis, once.
// CHECK-LABEL: func.func @short
// CHECK-DAG: "fovea.quantize"(%{{.*}}) {axis = 0 : i64, {{.*}} -> tensor<3x16xf8E4M3FNUZ>
// CHECK-DAG: "fovea.dynamic_quantize"(%{{.*}}) {block = array<i64: 1, 16>, fovea.id = "x"}
// CHECK-DAG: "fovea.dynamic_quantize"(%{{.*}}) {block = array<i64: 16, 1>, fovea.id = "x"}
// CHECK-NOT: "fovea.dynamic_quantize"
func.func @short(%x: tensor<16x16xf32>, %z: tensor<16x3xf32>, %s: tensor<16x16xf32>) -> (tensor<16x3xf32>, tensor<16x16xf32>, tensor<16x16xf32>) {
  %w = arith.constant dense<2.0> : tensor<3x16xf32>
  %c = "fovea.capture"(%x) {calibrated = false, id = "x", max_abs = 0.0 : f32} : (tensor<16x16xf32>) -> tensor<16x16xf32>
  %a = linalg.matmul indexing_maps = [#lhs, #rhs, #out] ins(%c, %w : tensor<16x16xf32>, tensor<3x16xf32>) outs(%z : tensor<16x3xf32>) -> tensor<16x3xf32>
  %b = linalg.matmul indexing_maps = [#lhs, #rhs, #out] ins(%c, %c : tensor<16x16xf32>, tensor<16x16xf32>) outs(%s : tensor<16x16xf32>) -> tensor<16x16xf32>
  %d = linalg.matmul ins(%c, %c : tensor<16x16xf32>, tensor<16x16xf32>) outs(%s : tensor<16x16xf32>) -> tensor<16x16xf32>
  return %a, %b, %d : tensor<16x3xf32>, tensor<16x16xf32>, tensor<16x16xf32>
}

// Several contracted dims: a weight has no blocks, and no single channel axis runs out of them.
// CHECK-LABEL: func.func @two_dims
// CHECK-DAG: "fovea.quantize"(%{{.*}}) {axis = 0 : i64, {{.*}} -> tensor<3x4x64xf8E4M3FNUZ>
// CHECK-DAG: "fovea.dynamic_quantize"(%{{.*}}) {block = array<i64: 1, 4, 64>
func.func @two_dims(%x: tensor<2x4x64xf32>, %z: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %w = arith.constant dense<2.0> : tensor<3x4x64xf32>
  %c = "fovea.capture"(%x) {calibrated = false, id = "x", max_abs = 0.0 : f32} : (tensor<2x4x64xf32>) -> tensor<2x4x64xf32>
  %r = linalg.contract indexing_maps = [affine_map<(m, n, j, k) -> (m, j, k)>, affine_map<(m, n, j, k) -> (n, j, k)>, affine_map<(m, n, j, k) -> (m, n)>]
    ins(%c, %w : tensor<2x4x64xf32>, tensor<3x4x64xf32>) outs(%z : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %r : tensor<2x3xf32>
}
