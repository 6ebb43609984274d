// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-demote-f64 --verify-diagnostics | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#keep = affine_map<(d0, d1) -> (d0, 0)>

// E[x^2] - E[x]^2 cancels in f32: it becomes E[(x - E[x])^2] first.
// CHECK-LABEL: func.func @variance
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}}"reduction"
// CHECK: %[[MEAN:.*]] = linalg.generic {{.*}} ins(%[[SUM]] :
// CHECK: arith.divf
// CHECK: %[[SQUARES:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[MEAN]] : tensor<4x8xf32>, tensor<4x1xf32>)
// CHECK: %[[D:.*]] = arith.subf
// CHECK-NEXT: arith.mulf %[[D]], %[[D]]
// CHECK: %[[SUM2:.*]] = linalg.generic {{.*}}"reduction"{{.*}} ins(%[[SQUARES]] :
// CHECK: %[[VAR:.*]] = linalg.generic {{.*}} ins(%[[SUM2]] :
// CHECK: arith.divf
// CHECK: return %[[VAR]]
func.func @variance(%x: tensor<4x8xf64>) -> tensor<4x1xf32> {
  %z = arith.constant 0.0 : f64
  %n = arith.constant 8.0 : f64
  %e = tensor.empty() : tensor<4x8xf64>
  %e1 = tensor.empty() : tensor<4x1xf64>
  %e2 = tensor.empty() : tensor<4x1xf32>
  %f = linalg.fill ins(%z : f64) outs(%e1 : tensor<4x1xf64>) -> tensor<4x1xf64>
  %s = linalg.generic {indexing_maps = [#id, #keep], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf64>) outs(%f : tensor<4x1xf64>) {
  ^bb0(%a: f64, %o: f64):
    %r = arith.addf %a, %o : f64
    linalg.yield %r : f64
  } -> tensor<4x1xf64>
  %m = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s : tensor<4x1xf64>) outs(%e1 : tensor<4x1xf64>) {
  ^bb0(%a: f64, %o: f64):
    %r = arith.divf %a, %n : f64
    linalg.yield %r : f64
  } -> tensor<4x1xf64>
  %xx = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %x : tensor<4x8xf64>, tensor<4x8xf64>) outs(%e : tensor<4x8xf64>) {
  ^bb0(%a: f64, %b: f64, %o: f64):
    %r = arith.mulf %a, %b : f64
    linalg.yield %r : f64
  } -> tensor<4x8xf64>
  %s2 = linalg.generic {indexing_maps = [#id, #keep], iterator_types = ["parallel", "reduction"]}
      ins(%xx : tensor<4x8xf64>) outs(%f : tensor<4x1xf64>) {
  ^bb0(%a: f64, %o: f64):
    %r = arith.addf %a, %o : f64
    linalg.yield %r : f64
  } -> tensor<4x1xf64>
  %m2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s2 : tensor<4x1xf64>) outs(%e1 : tensor<4x1xf64>) {
  ^bb0(%a: f64, %o: f64):
    %r = arith.divf %a, %n : f64
    linalg.yield %r : f64
  } -> tensor<4x1xf64>
  %mm = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m : tensor<4x1xf64>) outs(%e1 : tensor<4x1xf64>) {
  ^bb0(%a: f64, %o: f64):
    %r = arith.mulf %a, %a : f64
    linalg.yield %r : f64
  } -> tensor<4x1xf64>
  %v = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m2, %mm : tensor<4x1xf64>, tensor<4x1xf64>) outs(%e1 : tensor<4x1xf64>) {
  ^bb0(%a: f64, %b: f64, %o: f64):
    %r = arith.subf %a, %b : f64
    linalg.yield %r : f64
  } -> tensor<4x1xf64>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%v : tensor<4x1xf64>) outs(%e2 : tensor<4x1xf32>) {
  ^bb0(%a: f64, %o: f32):
    %r = arith.truncf %a : f64 to f32
    linalg.yield %r : f32
  } -> tensor<4x1xf32>
  return %t : tensor<4x1xf32>
}

// Here the minuend is no mean of squares that this pass can trace: a remark says what is lost.
// CHECK-LABEL: func.func @unknown
// CHECK: arith.mulf
// CHECK: arith.subf {{.*}} : f32
func.func @unknown(%x: tensor<4x8xf64>, %second_moment: tensor<4x1xf64>) -> tensor<4x1xf64> {
  %z = arith.constant 0.0 : f64
  %n = arith.constant 0.125 : f64
  %e1 = tensor.empty() : tensor<4x1xf64>
  %f = linalg.fill ins(%z : f64) outs(%e1 : tensor<4x1xf64>) -> tensor<4x1xf64>
  %s = linalg.generic {indexing_maps = [#id, #keep], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf64>) outs(%f : tensor<4x1xf64>) {
  ^bb0(%a: f64, %o: f64):
    %r = arith.addf %a, %o : f64
    linalg.yield %r : f64
  } -> tensor<4x1xf64>
  %m = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s : tensor<4x1xf64>) outs(%e1 : tensor<4x1xf64>) {
  ^bb0(%a: f64, %o: f64):
    %r = arith.mulf %a, %n : f64
    linalg.yield %r : f64
  } -> tensor<4x1xf64>
  // expected-remark @below {{a difference with the square of a mean is computed in f32 instead of f64; it loses accuracy where the mean is large against the deviation}}
  %v = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%second_moment, %m : tensor<4x1xf64>, tensor<4x1xf64>) outs(%e1 : tensor<4x1xf64>) {
  ^bb0(%a: f64, %b: f64, %o: f64):
    %q = arith.mulf %b, %b : f64
    %r = arith.subf %a, %q : f64
    linalg.yield %r : f64
  } -> tensor<4x1xf64>
  return %v : tensor<4x1xf64>
}
