// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Types.
// RUN: fovea-opt %s --fovea-detect-attention --fovea-fuse-attention 2>/dev/null | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// The region takes the score in f32, and rounds where the graph rounded.
// CHECK-LABEL: func.func @f16
// CHECK: "fovea.attention"(%arg0, %arg1, %arg2) ({
// CHECK-NEXT: ^bb0(%[[S:.*]]: f32):
// CHECK-NEXT: %[[T:.*]] = arith.truncf %[[S]] : f32 to f16
// CHECK: %[[M:.*]] = arith.mulf %[[T]], %{{.*}} : f16
// CHECK-NEXT: %[[W:.*]] = arith.extf %[[M]] : f16 to f32
// CHECK-NEXT: "fovea.yield"(%[[W]])
// CHECK: : (tensor<2x4x8xf16>, tensor<2x6x8xf16>, tensor<2x6x5xf16>) -> tensor<2x4x5xf16>
func.func @f16(%q: tensor<2x4x8xf16>, %k: tensor<2x6x8xf16>, %v: tensor<2x6x5xf16>) -> tensor<2x4x5xf16> {
  %zero = arith.constant 0.0 : f16
  %es = tensor.empty() : tensor<2x4x6xf16>
  %zs = linalg.fill ins(%zero : f16) outs(%es : tensor<2x4x6xf16>) -> tensor<2x4x6xf16>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf16>, tensor<2x6x8xf16>) outs(%zs : tensor<2x4x6xf16>) -> tensor<2x4x6xf16>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x4x6xf16>) outs(%es : tensor<2x4x6xf16>) {
  ^bb0(%x0: f16, %acc: f16):
    %c = arith.constant 0.25 : f16
    %r = arith.mulf %x0, %c : f16
    linalg.yield %r : f16
  } -> tensor<2x4x6xf16>
  %ew = tensor.empty() : tensor<2x4x6xf32>
  %w = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t : tensor<2x4x6xf16>) outs(%ew : tensor<2x4x6xf32>) {
  ^bb0(%x0: f16, %acc: f32):
    %r = arith.extf %x0 : f16 to f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %pw = linalg.softmax dimension(2) ins(%w : tensor<2x4x6xf32>) outs(%ew : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%pw : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf16>) {
  ^bb0(%x0: f32, %acc: f16):
    %r = arith.truncf %x0 : f32 to f16
    linalg.yield %r : f16
  } -> tensor<2x4x6xf16>
  %eo = tensor.empty() : tensor<2x4x5xf16>
  %zo = linalg.fill ins(%zero : f16) outs(%eo : tensor<2x4x5xf16>) -> tensor<2x4x5xf16>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf16>, tensor<2x6x5xf16>) outs(%zo : tensor<2x4x5xf16>) -> tensor<2x4x5xf16>
  return %o : tensor<2x4x5xf16>
}
