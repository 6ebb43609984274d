// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --split-input-file --fovea-form-kernels | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#column = affine_map<(d0, d1) -> (d1)>
#heads = affine_map<(d0, d1, d2) -> (d1, d0, d2)>
#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>

// A producer that depends on arguments alone, a bias, an activation, a reshape and a transpose: one kernel.
// CHECK-LABEL: func.func private @contraction_0
// CHECK-SAME: tensor<4x12x2xf16> attributes {fovea.kernel = "contraction"}
// CHECK: arith.truncf
// CHECK: linalg.matmul {fovea.hero}
// CHECK: arith.addf
// CHECK: linalg.tanh
// CHECK: tensor.expand_shape
// CHECK: linalg.generic
// CHECK: return
// CHECK-LABEL: func.func @layer
// CHECK-NEXT: %[[R:.*]] = call @contraction_0(
// CHECK-NEXT: return %[[R]] : tensor<4x12x2xf16>
func.func @layer(%x: tensor<12x16xf32>, %w: tensor<16x8xf16>, %b: tensor<8xf32>) -> tensor<4x12x2xf16> {
  %zero = arith.constant 0.0 : f32
  %e16 = tensor.empty() : tensor<12x16xf16>
  %e = tensor.empty() : tensor<12x8xf32>
  %e3 = tensor.empty() : tensor<4x12x2xf16>
  %h = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<12x16xf32>) outs(%e16 : tensor<12x16xf16>) {
  ^bb0(%a: f32, %o: f16):
    %r = arith.truncf %a : f32 to f16
    linalg.yield %r : f16
  } -> tensor<12x16xf16>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<12x8xf32>) -> tensor<12x8xf32>
  %p = linalg.matmul ins(%h, %w : tensor<12x16xf16>, tensor<16x8xf16>) outs(%z : tensor<12x8xf32>) -> tensor<12x8xf32>
  %s = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]} ins(%p, %b : tensor<12x8xf32>, tensor<8xf32>) outs(%e : tensor<12x8xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %r = arith.addf %a, %c : f32
    linalg.yield %r : f32
  } -> tensor<12x8xf32>
  %t = linalg.tanh ins(%s : tensor<12x8xf32>) outs(%e : tensor<12x8xf32>) -> tensor<12x8xf32>
  %v = tensor.expand_shape %t [[0], [1, 2]] output_shape [12, 4, 2] : tensor<12x8xf32> into tensor<12x4x2xf32>
  %y = linalg.generic {indexing_maps = [#heads, #id3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%v : tensor<12x4x2xf32>) outs(%e3 : tensor<4x12x2xf16>) {
  ^bb0(%a: f32, %o: f16):
    %r = arith.truncf %a : f32 to f16
    linalg.yield %r : f16
  } -> tensor<4x12x2xf16>
  return %y : tensor<4x12x2xf16>
}

// -----

// A sum of two contractions joins the later one; the earlier one's value and the sum are both returned.
#id = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func.func private @contraction_0
// CHECK: linalg.matmul
// CHECK-NOT: arith.addf
// CHECK-LABEL: func.func private @contraction_1
// CHECK: linalg.matmul
// CHECK: arith.addf
// CHECK-LABEL: func.func @two
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<4x4xf32>, %[[Y:[a-z0-9]+]]: tensor<4x4xf32>)
// CHECK-NEXT: %[[P:.*]] = call @contraction_0(%[[X]], %[[Y]])
// CHECK-NEXT: %[[S:.*]] = call @contraction_1(
// CHECK-SAME: %[[P]]
// CHECK-NEXT: return %[[P]], %[[S]]
func.func @two(%x: tensor<4x4xf32>, %y: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %p = linalg.matmul ins(%x, %y : tensor<4x4xf32>, tensor<4x4xf32>) outs(%z : tensor<4x4xf32>) -> tensor<4x4xf32>
  %q = linalg.matmul ins(%y, %x : tensor<4x4xf32>, tensor<4x4xf32>) outs(%z : tensor<4x4xf32>) -> tensor<4x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%p, %q : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<4x4xf32>
  return %p, %s : tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

// What does not follow one to one from a contraction's result is a kernel of its own: a broadcast, a sum with the
// transpose, a gather from it.
#id = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>
#row = affine_map<(d0, d1) -> (d0)>
#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#inner = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: func.func private @contraction_0
// CHECK-NOT: linalg.generic
// CHECK: return
// CHECK-LABEL: func.func private @elementwise_1
// CHECK: linalg.generic
// CHECK-SAME: fovea.hero
// CHECK-NOT: linalg.generic
// CHECK: return
// CHECK-LABEL: func.func private @elementwise_2
// CHECK-NOT: tensor.extract
// CHECK: arith.addf
// CHECK-LABEL: func.func private @elementwise_3
// CHECK: tensor.extract
// CHECK-LABEL: func.func @apart
// CHECK: %[[P:.*]] = call @contraction_0(
// CHECK-COUNT-3: call @elementwise_{{[0-9]}}(
func.func @apart(%x: tensor<4x4xf32>, %ids: tensor<4xi64>) -> (tensor<3x4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x4xf32>
  %e3 = tensor.empty() : tensor<3x4x4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %p = linalg.matmul ins(%x, %x : tensor<4x4xf32>, tensor<4x4xf32>) outs(%z : tensor<4x4xf32>) -> tensor<4x4xf32>
  %repeated = linalg.generic {indexing_maps = [#inner, #id3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%p : tensor<4x4xf32>) outs(%e3 : tensor<3x4x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<3x4x4xf32>
  %symmetric = linalg.generic {indexing_maps = [#id, #swap, #id], iterator_types = ["parallel", "parallel"]} ins(%p, %p : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<4x4xf32>
  %gathered = linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]} ins(%ids : tensor<4xi64>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%i: i64, %o: f32):
    %r = arith.index_cast %i : i64 to index
    %c = linalg.index 1 : index
    %v = tensor.extract %p[%r, %c] : tensor<4x4xf32>
    linalg.yield %v : f32
  } -> tensor<4x4xf32>
  return %repeated, %symmetric, %gathered : tensor<3x4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

// Equal kernels exist once.
// CHECK-LABEL: func.func private @contraction_0
// CHECK-NOT: func.func private
// CHECK-LABEL: func.func @equal
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<4x4xf32>, %[[Y:[a-z0-9]+]]: tensor<4x4xf32>)
// CHECK-NEXT: %[[P:.*]] = call @contraction_0(%[[X]], %[[Y]])
// CHECK-NEXT: call @contraction_0(%[[P]], %[[Y]])
func.func @equal(%x: tensor<4x4xf32>, %y: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %p = linalg.matmul ins(%x, %y : tensor<4x4xf32>, tensor<4x4xf32>) outs(%z : tensor<4x4xf32>) -> tensor<4x4xf32>
  %q = linalg.matmul ins(%p, %y : tensor<4x4xf32>, tensor<4x4xf32>) outs(%z : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %q : tensor<4x4xf32>
}
