// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-normalize | FileCheck %s

#id = affine_map<(d0) -> (d0)>

// Comparisons that the extent of a loop decides are folded; those that it does not decide stay.
// CHECK-LABEL: func.func @comparisons
// CHECK: arith.cmpi slt, %{{.*}}, %c3
// CHECK-NOT: arith.cmpi
// CHECK: return
func.func @comparisons(%x: tensor<4xi64>) -> tensor<4xi64> {
  %c0 = arith.constant 0 : i64
  %c3 = arith.constant 3 : i64
  %c4 = arith.constant 4 : i64
  %e = tensor.empty() : tensor<4xi64>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<4xi64>) outs(%e : tensor<4xi64>) {
  ^bb0(%in: i64, %o: i64):
    %i = linalg.index 0 : index
    %j = arith.index_cast %i : index to i64
    %never = arith.cmpi slt, %j, %c0 : i64
    %always = arith.cmpi ult, %j, %c4 : i64
    %some = arith.cmpi slt, %j, %c3 : i64
    %a = arith.select %never, %c4, %in : i64
    %b = arith.select %always, %a, %c0 : i64
    %c = arith.select %some, %b, %j : i64
    linalg.yield %c : i64
  } -> tensor<4xi64>
  return %y : tensor<4xi64>
}

// true is -1 to a signed cast and 1 to an unsigned one.
// CHECK-LABEL: func.func @booleans
// CHECK-DAG: %[[MINUS:.*]] = arith.constant -1 : i64
// CHECK-DAG: %[[PLUS:.*]] = arith.constant 1 : i64
// CHECK: linalg.yield %[[MINUS]], %[[PLUS]]
func.func @booleans() -> (tensor<4xi64>, tensor<4xi64>) {
  %all = arith.constant dense<true> : tensor<4xi1>
  %e = tensor.empty() : tensor<4xi64>
  %y:2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]} ins(%all : tensor<4xi1>)
      outs(%e, %e : tensor<4xi64>, tensor<4xi64>) {
  ^bb0(%in: i1, %o: i64, %p: i64):
    %s = arith.extsi %in : i1 to i64
    %u = arith.extui %in : i1 to i64
    linalg.yield %s, %u : i64, i64
  } -> (tensor<4xi64>, tensor<4xi64>)
  return %y#0, %y#1 : tensor<4xi64>, tensor<4xi64>
}
