// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Keys that are masked by what is known at run time only.
// RUN: fovea-opt %s --fovea-detect-attention --verify-diagnostics | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#batch = affine_map<(b, m, n) -> (b)>
#scalar = affine_map<(b, m, n) -> ()>

// Keys from a length on that is known at run time are masked.
// CHECK-LABEL: func.func @length
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @length(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %length: tensor<2xi64>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %t = linalg.generic {indexing_maps = [#id, #batch, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %length : tensor<2x4x6xf32>, tensor<2xi64>) outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%x0: f32, %x1: i64, %acc: f32):
    %i = linalg.index 2 : index
    %j = arith.index_cast %i : index to i64
    %low = arith.constant 0xFF800000 : f32
    %in = arith.cmpi slt, %j, %x1 : i64
    %r = arith.select %in, %x0, %low : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%t : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{ops, length mask)}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// Causal and a length: a mask made by an op of its own, added.
// CHECK-LABEL: func.func @prefix_causal
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @prefix_causal(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %length: tensor<2xi64>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %em = tensor.empty() : tensor<2x4x6xf32>
  %mask = linalg.generic {indexing_maps = [#batch, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%length : tensor<2xi64>) outs(%em : tensor<2x4x6xf32>) {
  ^bb0(%x0: i64, %acc: f32):
    %i = linalg.index 1 : index
    %k1 = linalg.index 2 : index
    %j = arith.index_cast %k1 : index to i64
    %low = arith.constant 0xFF800000 : f32
    %none = arith.constant 0.0 : f32
    %in = arith.cmpi slt, %j, %x0 : i64
    %past = arith.cmpi ule, %k1, %i : index
    %both = arith.andi %in, %past : i1
    %r = arith.select %both, %none, %low : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %t = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %mask : tensor<2x4x6xf32>, tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%x0: f32, %x1: f32, %acc: f32):
    %r = arith.addf %x0, %x1 : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%t : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{ops, causal, length mask)}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// A run-time mask over keys, the same for every query.
// CHECK-LABEL: func.func @padding
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @padding(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %mask: tensor<2x6xi1>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %t = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %mask : tensor<2x4x6xf32>, tensor<2x6xi1>) outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%x0: f32, %x1: i1, %acc: f32):
    %low = arith.constant -1.0e+09 : f32
    %r = arith.select %x1, %x0, %low : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%t : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{ops, key mask)}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}
