// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-demote-f64 | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#keep = affine_map<(d0, d1) -> (d0, 0)>

// Statistics of a layer norm: casts to and from f64 vanish, the arithmetic between them is f32.
// CHECK-LABEL: func.func @mean
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<4x8xf32>)
// CHECK-NOT: f64
// CHECK: %[[S:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<4x8xf32>) outs(%{{.*}} : tensor<4x1xf32>)
// CHECK: arith.divf %{{.*}}, %{{.*}} : f32
// CHECK-NOT: f64
func.func @mean(%x: tensor<4x8xf32>) -> tensor<4x1xf32> {
  %z = arith.constant 0.0 : f64
  %n = arith.constant 8.0 : f64
  %e = tensor.empty() : tensor<4x8xf64>
  %e1 = tensor.empty() : tensor<4x1xf64>
  %e2 = tensor.empty() : tensor<4x1xf32>
  %f = linalg.fill ins(%z : f64) outs(%e1 : tensor<4x1xf64>) -> tensor<4x1xf64>
  %d = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf64>) {
  ^bb0(%a: f32, %o: f64):
    %r = arith.extf %a : f32 to f64
    linalg.yield %r : f64
  } -> tensor<4x8xf64>
  %s = linalg.generic {indexing_maps = [#id, #keep], iterator_types = ["parallel", "reduction"]}
      ins(%d : tensor<4x8xf64>) outs(%f : tensor<4x1xf64>) {
  ^bb0(%a: f64, %o: f64):
    %r = arith.addf %a, %o : f64
    linalg.yield %r : f64
  } -> tensor<4x1xf64>
  %m = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s : tensor<4x1xf64>) outs(%e2 : tensor<4x1xf32>) {
  ^bb0(%a: f64, %o: f32):
    %q = arith.divf %a, %n : f64
    %r = arith.truncf %q : f64 to f32
    linalg.yield %r : f32
  } -> tensor<4x1xf32>
  return %m : tensor<4x1xf32>
}

// The caller's types stay: casts at the boundary. Private functions follow.
// CHECK-LABEL: func.func @boundary
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<4xf64>, %[[S:[a-z0-9]+]]: f64) -> (tensor<4xf64>, f64)
// CHECK-DAG: arith.truncf %[[S]] : f64 to f32
// CHECK-DAG: linalg.generic {{.*}} ins(%[[X]] : tensor<4xf64>) outs(%{{.*}} : tensor<4xf32>)
// CHECK: %[[R:.*]] = call @half(%{{.*}}) : (tensor<4xf32>) -> tensor<4xf32>
// CHECK: %[[O:.*]] = linalg.generic {{.*}} ins(%[[R]] : tensor<4xf32>) outs(%{{.*}} : tensor<4xf64>)
// CHECK: return %[[O]], %{{.*}} : tensor<4xf64>, f64
func.func @boundary(%x: tensor<4xf64>, %s: f64) -> (tensor<4xf64>, f64) {
  %t = arith.addf %s, %s : f64
  %e = tensor.empty() : tensor<4xf64>
  %y = linalg.exp ins(%x : tensor<4xf64>) outs(%e : tensor<4xf64>) -> tensor<4xf64>
  %r = func.call @half(%y) : (tensor<4xf64>) -> tensor<4xf64>
  return %r, %t : tensor<4xf64>, f64
}
// CHECK-LABEL: func.func private @half
// CHECK-SAME: tensor<4xf32>) -> tensor<4xf32>
func.func private @half(%x: tensor<4xf64>) -> tensor<4xf64> {
  %h = arith.constant dense<0.5> : tensor<4xf64>
  %e = tensor.empty() : tensor<4xf64>
  // CHECK: linalg.mul ins(%{{.*}}, %{{.*}} : tensor<4xf32>, tensor<4xf32>) outs(%{{.*}} : tensor<4xf32>)
  %y = linalg.mul ins(%x, %h : tensor<4xf64>, tensor<4xf64>) outs(%e : tensor<4xf64>) -> tensor<4xf64>
  return %y : tensor<4xf64>
}

// Nothing here is f64: nothing changes, casts between other floats least of all.
// CHECK-LABEL: func.func @others
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: arith.truncf %{{.*}} : f32 to bf16
func.func @others(%x: tensor<4xf16>) -> tensor<4xbf16> {
  %e = tensor.empty() : tensor<4xbf16>
  %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf16>) outs(%e : tensor<4xbf16>) {
  ^bb0(%a: f16, %o: bf16):
    %w = arith.extf %a : f16 to f32
    %r = arith.truncf %w : f32 to bf16
    linalg.yield %r : bf16
  } -> tensor<4xbf16>
  return %y : tensor<4xbf16>
}
