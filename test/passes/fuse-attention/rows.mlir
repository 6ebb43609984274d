// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What happens to whole rows follows the op.
// RUN: fovea-opt %s --fovea-detect-attention --fovea-fuse-attention 2>/dev/null | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// A select after softmax that is the same for a whole row is applied to the result.
// CHECK-LABEL: func.func @dead_rows
// CHECK: %[[O:.*]] = "fovea.attention"(%arg0, %arg1, %arg2) ({
// CHECK: %[[R:.*]] = linalg.generic {{.*}} ins(%[[O]], %arg3 : tensor<2x4x5xf32>, tensor<2x4xi1>)
// CHECK: arith.select
// CHECK: return %[[R]]
func.func @dead_rows(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %dead: tensor<2x4xi1>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %a = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.generic {indexing_maps = [#row, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%dead, %a : tensor<2x4xi1>, tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%x0: i1, %x1: f32, %acc: f32):
    %c = arith.constant 0.0 : f32
    %r = arith.select %x0, %c, %x1 : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// torch sets rows to 0 whose scores are all -inf: the log-sum-exp tells them, the second result.
// CHECK-LABEL: func.func @all_masked
// CHECK: %[[O:.*]]:2 = "fovea.attention"(%arg0, %arg1, %arg2, %arg3) ({
// CHECK: -> (tensor<2x4x5xf32>, tensor<2x4xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[O]]#0, %[[O]]#1 : tensor<2x4x5xf32>, tensor<2x4xf32>)
// CHECK-NEXT: ^bb0(%[[X:.*]]: f32, %[[L:.*]]: f32, %{{.*}}: f32):
// CHECK: arith.cmpf oeq, %[[L]]
// CHECK: arith.select
func.func @all_masked(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %mask: tensor<2x6xf32>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %t = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %mask : tensor<2x4x6xf32>, tensor<2x6xf32>) outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%x0: f32, %x1: f32, %acc: f32):
    %r = arith.addf %x0, %x1 : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %a = linalg.softmax dimension(2) ins(%t : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %true = arith.constant true
  %er = tensor.empty() : tensor<2x4xi1>
  %zr = linalg.fill ins(%true : i1) outs(%er : tensor<2x4xi1>) -> tensor<2x4xi1>
  %dead = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%t : tensor<2x4x6xf32>) outs(%zr : tensor<2x4xi1>) {
  ^bb0(%x: f32, %acc: i1):
    %low = arith.constant 0xFF800000 : f32
    %m = arith.cmpf oeq, %x, %low : f32
    %r = arith.andi %m, %acc : i1
    linalg.yield %r : i1
  } -> tensor<2x4xi1>
  %p = linalg.generic {indexing_maps = [#row, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%dead, %a : tensor<2x4xi1>, tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%x0: i1, %x1: f32, %acc: f32):
    %c = arith.constant 0.0 : f32
    %r = arith.select %x0, %c, %x1 : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// A sink shrinks the result by 1 / (1 + exp(sink - log-sum-exp)).
// CHECK-LABEL: func.func @sink
// CHECK: %[[O:.*]]:2 = "fovea.attention"(%arg0, %arg1, %arg2) ({
// CHECK: linalg.generic {{.*}} ins(%[[O]]#0, %arg3, %[[O]]#1 : tensor<2x4x5xf32>, tensor<2x4x1xf32>, tensor<2x4xf32>)
// CHECK: %[[D:.*]] = arith.subf
// CHECK-NEXT: math.exp %[[D]]
// CHECK: arith.divf
func.func @sink(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %sink: tensor<2x4x1xf32>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %l = tensor.concat dim(2) %s, %sink : (tensor<2x4x6xf32>, tensor<2x4x1xf32>) -> tensor<2x4x7xf32>
  %el = tensor.empty() : tensor<2x4x7xf32>
  %pl = linalg.softmax dimension(2) ins(%l : tensor<2x4x7xf32>) outs(%el : tensor<2x4x7xf32>) -> tensor<2x4x7xf32>
  %p = tensor.extract_slice %pl[0, 0, 0] [2, 4, 6] [1, 1, 1] : tensor<2x4x7xf32> to tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}
