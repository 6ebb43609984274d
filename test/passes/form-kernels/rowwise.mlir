// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --split-input-file --fovea-form-kernels | FileCheck %s

// Two reductions over the same rows, what is pointwise between and after them, and the residual before: one kernel.
#id = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#row = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
// CHECK-LABEL: func.func private @rowwise_0
// CHECK-SAME: attributes {fovea.columns = 8 : i64, fovea.kernel = "rowwise", fovea.rows = 6 : i64}
// CHECK: iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: arith.subf
// CHECK: iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: math.sqrt
// CHECK: fovea.quantize
// CHECK: return
// CHECK-LABEL: func.func @centre
// CHECK: call @rowwise_0(
// CHECK-NEXT: return
func.func @centre(%x: tensor<2x3x8xf32>, %y: tensor<2x3x8xf32>) -> tensor<2x3x8xf8E4M3FNUZ> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x3x8xf32>
  %e1 = tensor.empty() : tensor<2x3x1xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x3x1xf32>) -> tensor<2x3x1xf32>
  %s = linalg.add ins(%x, %y : tensor<2x3x8xf32>, tensor<2x3x8xf32>) outs(%e : tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
  %m = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "parallel", "reduction"]} ins(%s : tensor<2x3x8xf32>) outs(%z : tensor<2x3x1xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<2x3x1xf32>
  %d = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%s, %m : tensor<2x3x8xf32>, tensor<2x3x1xf32>) outs(%e : tensor<2x3x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.subf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<2x3x8xf32>
  %v = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "parallel", "reduction"]} ins(%d : tensor<2x3x8xf32>) outs(%z : tensor<2x3x1xf32>) {
  ^bb0(%a: f32, %o: f32):
    %q = arith.mulf %a, %a : f32
    %r = arith.addf %q, %o : f32
    linalg.yield %r : f32
  } -> tensor<2x3x1xf32>
  %n = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%d, %v : tensor<2x3x8xf32>, tensor<2x3x1xf32>) outs(%e : tensor<2x3x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %q = math.sqrt %b : f32
    %r = arith.divf %a, %q : f32
    linalg.yield %r : f32
  } -> tensor<2x3x8xf32>
  %out = "fovea.quantize"(%n) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<2x3x8xf32>) -> tensor<2x3x8xf8E4M3FNUZ>
  return %out : tensor<2x3x8xf8E4M3FNUZ>
}

// -----

// A reduction over other rows, and what transposes rows, do not join.
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#swap = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-LABEL: func.func private @rowwise_0
// CHECK-SAME: fovea.columns = 6 : i64, fovea.kernel = "rowwise", fovea.rows = 4 : i64
// CHECK: arith.maximumf
// CHECK-LABEL: func.func private @elementwise_1
// CHECK: arith.subf
// CHECK-LABEL: func.func private @rowwise_2
// CHECK-SAME: fovea.columns = 4 : i64, fovea.kernel = "rowwise", fovea.rows = 6 : i64
// CHECK-LABEL: func.func @other_rows
func.func @other_rows(%x: tensor<4x6xf32>) -> tensor<6xf32> {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %e4 = tensor.empty() : tensor<4xf32>
  %e6 = tensor.empty() : tensor<6xf32>
  %e = tensor.empty() : tensor<6x4xf32>
  %z4 = linalg.fill ins(%low : f32) outs(%e4 : tensor<4xf32>) -> tensor<4xf32>
  %z6 = linalg.fill ins(%zero : f32) outs(%e6 : tensor<6xf32>) -> tensor<6xf32>
  %m = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x6xf32>) outs(%z4 : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.maximumf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %t = linalg.generic {indexing_maps = [#id, #row, #swap], iterator_types = ["parallel", "parallel"]} ins(%x, %m : tensor<4x6xf32>, tensor<4xf32>) outs(%e : tensor<6x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.subf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<6x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%t : tensor<6x4xf32>) outs(%z6 : tensor<6xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<6xf32>
  return %s : tensor<6xf32>
}
