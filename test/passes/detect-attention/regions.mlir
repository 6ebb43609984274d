// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention anywhere in the module.
// RUN: fovea-opt %s --fovea-detect-attention --verify-diagnostics | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// In the body of a loop.
// CHECK-LABEL: func.func @loop
// CHECK: scf.for
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @loop(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x8xf32>) -> tensor<2x4x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%x = %q) -> (tensor<2x4x8xf32>) {
    %zero = arith.constant 0.0 : f32
    %es = tensor.empty() : tensor<2x4x6xf32>
    %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
    %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%x, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
    %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
    %eo = tensor.empty() : tensor<2x4x8xf32>
    %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
    // expected-remark @below {{attention tagged}}
    %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x8xf32>) outs(%zo : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
    scf.yield %o : tensor<2x4x8xf32>
  }
  return %r : tensor<2x4x8xf32>
}

// In a function that another one calls.
// CHECK-LABEL: func.func private @callee
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func private @callee(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{attention tagged}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// The caller has none.
// CHECK-LABEL: func.func @caller
// CHECK-NOT: fovea.site
func.func @caller(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %o = func.call @callee(%q, %k, %v) : (tensor<2x4x8xf32>, tensor<2x6x8xf32>, tensor<2x6x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}
