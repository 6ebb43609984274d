// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Softmax that routes.
// RUN: fovea-opt %s --fovea-detect-attention --verify-diagnostics | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// Routing: each query keeps its best key, and the others weigh nothing.
// CHECK-LABEL: func.func @top_one
// CHECK-NOT: fovea.site
func.func @top_one(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %a = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %best_e = tensor.empty() : tensor<2x4xf32>
  %best_i = arith.constant 0xFF800000 : f32
  %best_z = linalg.fill ins(%best_i : f32) outs(%best_e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %best = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a : tensor<2x4x6xf32>) outs(%best_z : tensor<2x4xf32>) {
  ^bb0(%x: f32, %acc: f32):
    %r = arith.maximumf %x, %acc : f32
    linalg.yield %r : f32
  } -> tensor<2x4xf32>
  %p = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%a, %best : tensor<2x4x6xf32>, tensor<2x4xf32>) outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%x0: f32, %x1: f32, %acc: f32):
    %c = arith.constant 0.0 : f32
    %t = arith.cmpf oge, %x0, %x1 : f32
    %r = arith.select %t, %x0, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{compares the probabilities with each other, as routing does}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// Routing: the probabilities of chosen keys are gathered before they weigh the values.
// CHECK-LABEL: func.func @gathered
// CHECK-NOT: fovea.site
func.func @gathered(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %choice: tensor<6xindex>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %a = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel"]}
      outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%acc: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %n = linalg.index 2 : index
    %at = tensor.extract %choice[%n] : tensor<6xindex>
    %r = tensor.extract %a[%i, %j, %at] : tensor<2x4x6xf32>
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{gathered between the contractions}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// CHECK-LABEL: func.func @end
func.func @end() {
  return
}
