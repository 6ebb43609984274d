// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Softmax in another type than the contractions.
// RUN: fovea-opt %s --fovea-detect-attention --verify-diagnostics | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// Contractions in bf16, softmax in f32.
// CHECK-LABEL: func.func @bf16_softmax_in_f32
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @bf16_softmax_in_f32(%q: tensor<2x4x8xbf16>, %k: tensor<2x6x8xbf16>, %v: tensor<2x6x5xbf16>) -> tensor<2x4x5xbf16> {
  %zero = arith.constant 0.0 : bf16
  %es = tensor.empty() : tensor<2x4x6xbf16>
  %zs = linalg.fill ins(%zero : bf16) outs(%es : tensor<2x4x6xbf16>) -> tensor<2x4x6xbf16>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xbf16>, tensor<2x6x8xbf16>) outs(%zs : tensor<2x4x6xbf16>) -> tensor<2x4x6xbf16>
  %ew = tensor.empty() : tensor<2x4x6xf32>
  %w = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x4x6xbf16>) outs(%ew : tensor<2x4x6xf32>) {
  ^bb0(%x0: bf16, %acc: f32):
    %r = arith.extf %x0 : bf16 to f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %pw = linalg.softmax dimension(2) ins(%w : tensor<2x4x6xf32>) outs(%ew : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%pw : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xbf16>) {
  ^bb0(%x0: f32, %acc: bf16):
    %r = arith.truncf %x0 : f32 to bf16
    linalg.yield %r : bf16
  } -> tensor<2x4x6xbf16>
  %eo = tensor.empty() : tensor<2x4x5xbf16>
  %zo = linalg.fill ins(%zero : bf16) outs(%eo : tensor<2x4x5xbf16>) -> tensor<2x4x5xbf16>
  // expected-remark @below {{attention tagged}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xbf16>, tensor<2x6x5xbf16>) outs(%zo : tensor<2x4x5xbf16>) -> tensor<2x4x5xbf16>
  return %o : tensor<2x4x5xbf16>
}

// Contractions in f32, softmax in f64.
// CHECK-LABEL: func.func @f32_softmax_in_f64
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @f32_softmax_in_f64(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %ew = tensor.empty() : tensor<2x4x6xf64>
  %w = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x4x6xf32>) outs(%ew : tensor<2x4x6xf64>) {
  ^bb0(%x0: f32, %acc: f64):
    %r = arith.extf %x0 : f32 to f64
    linalg.yield %r : f64
  } -> tensor<2x4x6xf64>
  %pw = linalg.softmax dimension(2) ins(%w : tensor<2x4x6xf64>) outs(%ew : tensor<2x4x6xf64>) -> tensor<2x4x6xf64>
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%pw : tensor<2x4x6xf64>) outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%x0: f64, %acc: f32):
    %r = arith.truncf %x0 : f64 to f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{attention tagged}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}
