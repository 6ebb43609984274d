// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Constants on one side only.
// RUN: fovea-opt %s --fovea-detect-attention --verify-diagnostics | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// Attention pooling: learned queries. Tagged, with a note.
// CHECK-LABEL: func.func @constant_queries
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @constant_queries(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %ql = arith.constant dense<"0x000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE"> : tensor<2x4x8xf32>
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%ql, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{attention policy: the queries are constants; tagged}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// Only the keys are constants.
// CHECK-LABEL: func.func @constant_keys
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @constant_keys(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %kl = arith.constant dense<"0x000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF000000000000003F000080BE0000803E000000BF"> : tensor<2x6x8xf32>
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %kl : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{attention policy: the keys are constants, the values are not; tagged}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}
