// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-normalize | FileCheck %s

#id1 = affine_map<(d0) -> (d0)>
#id2 = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0, 0)>
#col = affine_map<(d0, d1) -> (0, d1)>

// The mask of torch's attention: a gather by two iota tensors, each made non-negative, is a plain read of the mask.
// CHECK-LABEL: func.func @mask_by_iota
// CHECK-SAME: %[[M:.*]]: tensor<4x6xi1>
// CHECK-NOT: tensor.extract
// CHECK-NOT: cf.assert
// CHECK: return %[[M]]
func.func @mask_by_iota(%m: tensor<4x6xi1>) -> tensor<4x6xi1> {
  %c0 = arith.constant 0 : i64
  %c4 = arith.constant 4 : i64
  %e4 = tensor.empty() : tensor<4xi64>
  %rows = linalg.generic {indexing_maps = [#id1], iterator_types = ["parallel"]} outs(%e4 : tensor<4xi64>) {
  ^bb0(%o: i64):
    %i = linalg.index 0 : index
    %v = arith.index_cast %i : index to i64
    linalg.yield %v : i64
  } -> tensor<4xi64>
  %r = tensor.expand_shape %rows [[0, 1]] output_shape [4, 1] : tensor<4xi64> into tensor<4x1xi64>
  %e = tensor.empty() : tensor<4x6xi1>
  %g = linalg.generic {indexing_maps = [#row, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<4x1xi64>) outs(%e : tensor<4x6xi1>) {
  ^bb0(%in: i64, %o: i1):
    %neg = arith.cmpi slt, %in, %c0 : i64
    %wrapped = arith.addi %in, %c4 : i64
    %at = arith.select %neg, %wrapped, %in : i64
    %i = arith.index_cast %at : i64 to index
    %ok = arith.cmpi sge, %in, %c0 : i64
    cf.assert %ok, "index must not be negative"
    %j = linalg.index 1 : index
    %x = tensor.extract %m[%i, %j] : tensor<4x6xi1>
    linalg.yield %x : i1
  } -> tensor<4x6xi1>
  return %g : tensor<4x6xi1>
}

// Position ids 2, 3, 4 from a constant: rows 2 to 4 of the table.
// CHECK-LABEL: func.func @positions
// CHECK-SAME: %[[T:.*]]: tensor<8x5xf32>, %[[X:.*]]: tensor<3x5xf32>
// CHECK: %[[S:.*]] = tensor.extract_slice %[[T]][2, 0] [3, 5] [1, 1]
// CHECK: linalg.generic {{.*}} ins(%[[X]], %[[S]] :
// CHECK-NOT: tensor.extract %
func.func @positions(%t: tensor<8x5xf32>, %x: tensor<3x5xf32>) -> tensor<3x5xf32> {
  %ids = arith.constant dense<[2, 3, 4]> : tensor<3xi64>
  %e = tensor.empty() : tensor<3x5xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, #id2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%ids, %x : tensor<3xi64>, tensor<3x5xf32>) outs(%e : tensor<3x5xf32>) {
  ^bb0(%in: i64, %b: f32, %o: f32):
    %i = arith.index_cast %in : i64 to index
    %j = linalg.index 1 : index
    %a = tensor.extract %t[%i, %j] : tensor<8x5xf32>
    %y = arith.addf %a, %b : f32
    linalg.yield %y : f32
  } -> tensor<3x5xf32>
  return %g : tensor<3x5xf32>
}

// A gather by data stays a gather; only its assertion goes (kernels clamp the index).
// CHECK-LABEL: func.func @embedding
// CHECK-NOT: cf.assert
// CHECK: tensor.extract %{{.*}}[%{{.*}}, %{{.*}}] : tensor<8x5xf32>
func.func @embedding(%t: tensor<8x5xf32>, %ids: tensor<3xi64>) -> tensor<3x5xf32> {
  %c8 = arith.constant 8 : index
  %e = tensor.empty() : tensor<3x5xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%ids : tensor<3xi64>) outs(%e : tensor<3x5xf32>) {
  ^bb0(%in: i64, %o: f32):
    %i = arith.index_cast %in : i64 to index
    %ok = arith.cmpi slt, %i, %c8 : index
    cf.assert %ok, "index must be smaller than dim size"
    %j = linalg.index 1 : index
    %a = tensor.extract %t[%i, %j] : tensor<8x5xf32>
    linalg.yield %a : f32
  } -> tensor<3x5xf32>
  return %g : tensor<3x5xf32>
}

// A diagonal is no projection of the table: no operand can stand for it.
// CHECK-LABEL: func.func @diagonal
// CHECK: tensor.extract %{{.*}} : tensor<3x3xf32>
func.func @diagonal(%d: tensor<3x3xf32>) -> tensor<3xf32> {
  %e = tensor.empty() : tensor<3xf32>
  %h = linalg.generic {indexing_maps = [#id1], iterator_types = ["parallel"]} outs(%e : tensor<3xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %a = tensor.extract %d[%i, %i] : tensor<3x3xf32>
    linalg.yield %a : f32
  } -> tensor<3xf32>
  return %h : tensor<3xf32>
}

// A causal mask compares two iota tensors; that is data, not a constant.
// CHECK-LABEL: func.func @causal
// CHECK: arith.cmpi sle
func.func @causal() -> tensor<4x4xi1> {
  %e4 = tensor.empty() : tensor<4xi64>
  %iota = linalg.generic {indexing_maps = [#id1], iterator_types = ["parallel"]} outs(%e4 : tensor<4xi64>) {
  ^bb0(%o: i64):
    %i = linalg.index 0 : index
    %v = arith.index_cast %i : index to i64
    linalg.yield %v : i64
  } -> tensor<4xi64>
  %e = tensor.empty() : tensor<4x4xi1>
  %g = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0)>, #id2],
                       iterator_types = ["parallel", "parallel"]}
      ins(%iota, %iota : tensor<4xi64>, tensor<4xi64>) outs(%e : tensor<4x4xi1>) {
  ^bb0(%k: i64, %q: i64, %o: i1):
    %c = arith.cmpi sle, %k, %q : i64
    linalg.yield %c : i1
  } -> tensor<4x4xi1>
  return %g : tensor<4x4xi1>
}

// A copy that only broadcasts is read at its source.
// CHECK-LABEL: func.func @broadcast
// CHECK-SAME: %[[B:.*]]: tensor<5xf32>, %[[X:.*]]: tensor<3x5xf32>
// CHECK: linalg.generic {{.*}} ins(%[[B]], %[[X]] :
// CHECK-NOT: linalg.generic
func.func @broadcast(%b: tensor<5xf32>, %x: tensor<3x5xf32>) -> tensor<3x5xf32> {
  %e = tensor.empty() : tensor<3x5xf32>
  %c = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1)>, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%b : tensor<5xf32>) outs(%e : tensor<3x5xf32>) {
  ^bb0(%in: f32, %o: f32):
    linalg.yield %in : f32
  } -> tensor<3x5xf32>
  %y = linalg.generic {indexing_maps = [#id2, #id2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%c, %x : tensor<3x5xf32>, tensor<3x5xf32>) outs(%e : tensor<3x5xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<3x5xf32>
  return %y : tensor<3x5xf32>
}

// The broadcast alone gives the reduction its extent along d1: it stays.
// CHECK-LABEL: func.func @sum_of_broadcast
// CHECK: linalg.generic
// CHECK: linalg.generic {{.*}}"reduction"
func.func @sum_of_broadcast(%b: tensor<3xf32>) -> tensor<3xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<3x5xf32>
  %e1 = tensor.empty() : tensor<3xf32>
  %f = linalg.fill ins(%z : f32) outs(%e1 : tensor<3xf32>) -> tensor<3xf32>
  %c = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%b : tensor<3xf32>) outs(%e : tensor<3x5xf32>) {
  ^bb0(%in: f32, %o: f32):
    linalg.yield %in : f32
  } -> tensor<3x5xf32>
  %s = linalg.generic {indexing_maps = [#id2, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]}
      ins(%c : tensor<3x5xf32>) outs(%f : tensor<3xf32>) {
  ^bb0(%p: f32, %o: f32):
    %t = arith.addf %p, %o : f32
    linalg.yield %t : f32
  } -> tensor<3xf32>
  return %s : tensor<3xf32>
}
