// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Option strip-qdq.
// RUN: fovea-opt %s --fovea-detect-attention --fovea-fuse-attention=strip-qdq=true 2>/dev/null | FileCheck %s
// RUN: fovea-opt %s --fovea-detect-attention --fovea-fuse-attention 2>&1 | FileCheck %s --check-prefix=KEPT

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// Pairs on K and on the probabilities: with strip-qdq the op reads K as it was before.
// CHECK-LABEL: func.func @quantised
// CHECK-NOT: linalg
// CHECK: "fovea.attention"(%arg0, %arg1, %arg2)
// KEPT: site 0 is not fused: a quantise/dequantise pair lies between the contractions
// KEPT-NOT: "fovea.attention"(
func.func @quantised(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %e8k = tensor.empty() : tensor<2x6x8xf8E4M3FN>
  %efk = tensor.empty() : tensor<2x6x8xf32>
  %q8k = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%k : tensor<2x6x8xf32>) outs(%e8k : tensor<2x6x8xf8E4M3FN>) {
  ^bb0(%x0: f32, %acc: f8E4M3FN):
    %c = arith.constant 0.03125 : f32
    %h = arith.constant 448.0 : f32
    %d = arith.divf %x0, %c : f32
    %m = arith.minimumf %d, %h : f32
    %r = arith.truncf %m : f32 to f8E4M3FN
    linalg.yield %r : f8E4M3FN
  } -> tensor<2x6x8xf8E4M3FN>
  %k2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%q8k : tensor<2x6x8xf8E4M3FN>) outs(%efk : tensor<2x6x8xf32>) {
  ^bb0(%x0: f8E4M3FN, %acc: f32):
    %c = arith.constant 0.03125 : f32
    %w = arith.extf %x0 : f8E4M3FN to f32
    %r = arith.mulf %w, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x6x8xf32>
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k2 : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %a = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %e8p = tensor.empty() : tensor<2x4x6xf8E4M3FN>
  %efp = tensor.empty() : tensor<2x4x6xf32>
  %q8p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%a : tensor<2x4x6xf32>) outs(%e8p : tensor<2x4x6xf8E4M3FN>) {
  ^bb0(%x0: f32, %acc: f8E4M3FN):
    %c = arith.constant 0.03125 : f32
    %h = arith.constant 448.0 : f32
    %d = arith.divf %x0, %c : f32
    %m = arith.minimumf %d, %h : f32
    %r = arith.truncf %m : f32 to f8E4M3FN
    linalg.yield %r : f8E4M3FN
  } -> tensor<2x4x6xf8E4M3FN>
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%q8p : tensor<2x4x6xf8E4M3FN>) outs(%efp : tensor<2x4x6xf32>) {
  ^bb0(%x0: f8E4M3FN, %acc: f32):
    %c = arith.constant 0.03125 : f32
    %w = arith.extf %x0 : f8E4M3FN to f32
    %r = arith.mulf %w, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}
