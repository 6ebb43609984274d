// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention inside a loop; a scale that is a scalar from outside becomes an operand without dims.
// RUN: fovea-opt %s --fovea-detect-attention --fovea-fuse-attention 2>/dev/null | FileCheck %s

// CHECK: scf.for {{.*}} iter_args(%[[X:.*]] = %arg0)
// CHECK: %[[SCALE:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<f32>)
// CHECK: linalg.yield %arg3
// CHECK: %[[O:.*]] = "fovea.attention"(%[[X]], %arg1, %arg2, %[[SCALE]])
// CHECK: scf.yield %[[O]]
#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
func.func @loop(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x8xf32>, %scale: f32) -> tensor<2x4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %es = tensor.empty() : tensor<2x4x6xf32>
  %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%x = %q) -> (tensor<2x4x8xf32>) {
    %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
    %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%x, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
    %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) {
    ^bb0(%a: f32, %o: f32):
      %m = arith.mulf %a, %scale : f32
      linalg.yield %m : f32
    } -> tensor<2x4x6xf32>
    %p = linalg.softmax dimension(2) ins(%t : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
    %eo = tensor.empty() : tensor<2x4x8xf32>
    %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
    %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x8xf32>) outs(%zo : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
    scf.yield %o : tensor<2x4x8xf32>
  }
  return %r : tensor<2x4x8xf32>
}
