// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention through reshapes, transposes and broadcasts, and with every op that contracts.
// RUN: fovea-opt %s --fovea-detect-attention --verify-diagnostics | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// What torch writes: batch and heads collapsed for the contractions, K transposed, result expanded.
// CHECK-LABEL: func.func @collapsed_heads

func.func @collapsed_heads(%q: tensor<6x4x8xf32>, %k: tensor<6x6x8xf32>, %v: tensor<6x6x5xf32>, %q4: tensor<2x3x4x8xf32>, %k4: tensor<2x3x6x8xf32>) -> tensor<6x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %qc = tensor.collapse_shape %q4 [[0, 1], [2], [3]] : tensor<2x3x4x8xf32> into tensor<6x4x8xf32>
  %et = tensor.empty() : tensor<2x3x8x6xf32>
  // CHECK: linalg.transpose ins(%{{.*}}) outs(%{{.*}}) permutation = [0, 1, 3, 2]{{ *$}}
  %kt = linalg.transpose ins(%k4 : tensor<2x3x6x8xf32>) outs(%et : tensor<2x3x8x6xf32>) permutation = [0, 1, 3, 2]
  // CHECK: tensor.collapse_shape %{{[a-z0-9_]+}} {{\[\[}}0, 1], [2], [3]] : tensor<2x3x8x6xf32>
  %kc = tensor.collapse_shape %kt [[0, 1], [2], [3]] : tensor<2x3x8x6xf32> into tensor<6x8x6xf32>
  %es = tensor.empty() : tensor<6x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<6x4x6xf32>) -> tensor<6x4x6xf32>
  // CHECK: linalg.batch_matmul {fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">}
  %s = linalg.batch_matmul ins(%qc, %kc : tensor<6x4x8xf32>, tensor<6x8x6xf32>) outs(%zs : tensor<6x4x6xf32>) -> tensor<6x4x6xf32>
  // CHECK: tensor.expand_shape {{.*}} {fovea.attention = #fovea.site<{{[0-9]+}} : i64, "layout">}
  %se = tensor.expand_shape %s [[0, 1], [2], [3]] output_shape [2, 3, 4, 6] : tensor<6x4x6xf32> into tensor<2x3x4x6xf32>
  %e4 = tensor.empty() : tensor<2x3x4x6xf32>
  %p4 = linalg.softmax dimension(3) ins(%se : tensor<2x3x4x6xf32>) outs(%e4 : tensor<2x3x4x6xf32>) -> tensor<2x3x4x6xf32>
  %p = tensor.collapse_shape %p4 [[0, 1], [2], [3]] : tensor<2x3x4x6xf32> into tensor<6x4x6xf32>
  %eo = tensor.empty() : tensor<6x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<6x4x5xf32>) -> tensor<6x4x5xf32>
  // expected-remark @below {{attention tagged}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<6x4x6xf32>, tensor<6x6x5xf32>) outs(%zo : tensor<6x4x5xf32>) -> tensor<6x4x5xf32>
  return %o : tensor<6x4x5xf32>
}

// O transposed = V transposed times the probabilities transposed: they are the right operand.
// CHECK-LABEL: func.func @transposed_result
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @transposed_result(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %vt: tensor<2x5x6xf32>) -> tensor<2x5x4xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x5x4xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
  %ep = tensor.empty() : tensor<2x6x4xf32>
  %pt = linalg.transpose ins(%p : tensor<2x4x6xf32>) outs(%ep : tensor<2x6x4xf32>) permutation = [0, 2, 1]
  // expected-remark @below {{attention tagged}}
  %o = linalg.batch_matmul ins(%vt, %pt : tensor<2x5x6xf32>, tensor<2x6x4xf32>) outs(%zo : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
  return %o : tensor<2x5x4xf32>
}

// Multi-query attention: one K and V for all heads, repeated by a broadcast, which is outside the site.
// CHECK-LABEL: func.func @shared_keys
// CHECK: linalg.broadcast ins(%{{.*}}) outs(%{{.*}}) dimensions = [0]{{ *$}}
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @shared_keys(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %k1: tensor<6x8xf32>) -> tensor<2x4x5xf32> {
  %ek = tensor.empty() : tensor<2x6x8xf32>
  %kb = linalg.broadcast ins(%k1 : tensor<6x8xf32>) outs(%ek : tensor<2x6x8xf32>) dimensions = [0]
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %kb : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{attention tagged}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// linalg.contract.
// CHECK-LABEL: func.func @contract
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @contract(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.contract indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{attention tagged}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// Two dims only: linalg.matmul.
// CHECK-LABEL: func.func @one_head
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @one_head(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %q2: tensor<4x8xf32>, %kt2: tensor<8x6xf32>, %v2: tensor<6x5xf32>) -> tensor<4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<4x6xf32>) -> tensor<4x6xf32>
  %s = linalg.matmul ins(%q2, %kt2 : tensor<4x8xf32>, tensor<8x6xf32>) outs(%zs : tensor<4x6xf32>) -> tensor<4x6xf32>
  %p = linalg.softmax dimension(1) ins(%s : tensor<4x6xf32>) outs(%es : tensor<4x6xf32>) -> tensor<4x6xf32>
  %eo = tensor.empty() : tensor<4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<4x5xf32>) -> tensor<4x5xf32>
  // expected-remark @below {{attention tagged}}
  %o = linalg.matmul ins(%p, %v2 : tensor<4x6xf32>, tensor<6x5xf32>) outs(%zo : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %o : tensor<4x5xf32>
}

// Decoding: one query.
// CHECK-LABEL: func.func @one_query
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @one_query(%q: tensor<2x1x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x1x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x1x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x1x6xf32>) -> tensor<2x1x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x1x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x1x6xf32>) -> tensor<2x1x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x1x6xf32>) outs(%es : tensor<2x1x6xf32>) -> tensor<2x1x6xf32>
  %eo = tensor.empty() : tensor<2x1x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x1x5xf32>) -> tensor<2x1x5xf32>
  // expected-remark @below {{attention tagged}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x1x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x1x5xf32>) -> tensor<2x1x5xf32>
  return %o : tensor<2x1x5xf32>
}

// Q, K and V are one tensor.
// CHECK-LABEL: func.func @self_attention
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @self_attention(%q: tensor<2x4x8xf32>, %k: tensor<2x4x8xf32>, %v: tensor<2x4x8xf32>) -> tensor<2x4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x4xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %q : tensor<2x4x8xf32>, tensor<2x4x8xf32>) outs(%zs : tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x4xf32>) outs(%es : tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  %eo = tensor.empty() : tensor<2x4x8xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  // expected-remark @below {{attention tagged}}
  %o = linalg.batch_matmul ins(%p, %q : tensor<2x4x4xf32>, tensor<2x4x8xf32>) outs(%zo : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  return %o : tensor<2x4x8xf32>
}

// Rotary embedding: producers of Q outside the site.
// CHECK-LABEL: func.func @rotated
// CHECK: linalg.generic {{.*}} ins(%arg0, %arg3 {{.*}} outs(%{{.*}} : tensor<2x4x8xf32>) {
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @rotated(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %cos: tensor<4x8xf32>) -> tensor<2x4x5xf32> {
  %eq = tensor.empty() : tensor<2x4x8xf32>
  %q2 = linalg.generic {indexing_maps = [#id, affine_map<(b, m, k) -> (m, k)>, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%q, %cos : tensor<2x4x8xf32>, tensor<4x8xf32>) outs(%eq : tensor<2x4x8xf32>) {
  ^bb0(%x0: f32, %x1: f32, %acc: f32):
    %r = arith.mulf %x0, %x1 : f32
    linalg.yield %r : f32
  } -> tensor<2x4x8xf32>
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q2, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{attention tagged}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}
