// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --split-input-file --fovea-form-kernels | FileCheck %s

// Which kind of kernel an op becomes.

// Integers have no matrix instruction: sums of products over rows.
// CHECK-LABEL: func.func private @rowwise_0
// CHECK-LABEL: func.func @integers
func.func @integers(%x: tensor<4x8xi32>, %w: tensor<8x2xi32>) -> tensor<4x2xi32> {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<4x2xi32>
  %z = linalg.fill ins(%zero : i32) outs(%e : tensor<4x2xi32>) -> tensor<4x2xi32>
  %r = linalg.matmul ins(%x, %w : tensor<4x8xi32>, tensor<8x2xi32>) outs(%z : tensor<4x2xi32>) -> tensor<4x2xi32>
  return %r : tensor<4x2xi32>
}

// -----

// Over dims that are not the innermost.
#id = affine_map<(d0, d1) -> (d0, d1)>
#column = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: func.func private @reduction_0
// CHECK: linalg.generic
// CHECK-SAME: attrs = {fovea.hero}
// CHECK-LABEL: func.func @columns
func.func @columns(%x: tensor<8x4xf32>) -> tensor<4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %r = linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]} ins(%x : tensor<8x4xf32>) outs(%z : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

// Rows longer than the registers of a workgroup; a row of the longest that fits.
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
// CHECK-LABEL: func.func private @rowwise_0
// CHECK-SAME: fovea.columns = 65536
// CHECK-LABEL: func.func private @reduction_1
// CHECK-LABEL: func.func @long
func.func @long(%x: tensor<2x65536xf32>, %y: tensor<2x65537xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<2xf32>) -> tensor<2xf32>
  %r = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<2x65536xf32>) outs(%z : tensor<2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<2xf32>
  %q = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%y : tensor<2x65537xf32>) outs(%z : tensor<2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<2xf32>
  return %r, %q : tensor<2xf32>, tensor<2xf32>
}

// -----

// Attention with its transposed output.
#q = affine_map<(h, q, n, k, d) -> (h, q, k)>
#k = affine_map<(h, q, n, k, d) -> (h, n, k)>
#v = affine_map<(h, q, n, k, d) -> (h, n, d)>
#o = affine_map<(h, q, n, k, d) -> (h, q, d)>
// CHECK-LABEL: func.func private @attention_0
// CHECK-SAME: -> tensor<8x2x16xf32> attributes {fovea.kernel = "attention"}
// CHECK: "fovea.attention"
// CHECK: fovea.hero
// CHECK: linalg.transpose
// CHECK-LABEL: func.func @attend
func.func @attend(%query: tensor<2x8x16xf16>, %key: tensor<2x8x16xf16>, %value: tensor<2x8x16xf16>) -> tensor<8x2x16xf32> {
  %a = "fovea.attention"(%query, %key, %value) ({
  ^bb0(%s: f32):
    "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [#q, #k, #v, #o], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<2x8x16xf16>, tensor<2x8x16xf16>, tensor<2x8x16xf16>) -> tensor<2x8x16xf32>
  %e = tensor.empty() : tensor<8x2x16xf32>
  %t = linalg.transpose ins(%a : tensor<2x8x16xf32>) outs(%e : tensor<8x2x16xf32>) permutation = [1, 0, 2]
  return %t : tensor<8x2x16xf32>
}

// -----

// Nothing but arguments is read: a chain of pointwise ops is one kernel, a view of an argument stays a view.
// CHECK-LABEL: func.func private @elementwise_0
// CHECK: linalg.exp
// CHECK: linalg.abs
// CHECK-SAME: fovea.hero
// CHECK-LABEL: func.func @chain
// CHECK-SAME: (%[[X:.*]]: tensor<2x4xf32>)
// CHECK: %[[V:.*]] = tensor.collapse_shape %[[X]]
// CHECK: call @elementwise_0(%[[V]])
func.func @chain(%x: tensor<2x4xf32>) -> tensor<8xf32> {
  %v = tensor.collapse_shape %x [[0, 1]] : tensor<2x4xf32> into tensor<8xf32>
  %e = tensor.empty() : tensor<8xf32>
  %y = linalg.exp ins(%v : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %r = linalg.abs ins(%y : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  return %r : tensor<8xf32>
}

// -----

// A constant that is not a splat becomes an argument of its kernel; a splat is written down in it.
// CHECK-LABEL: func.func private @elementwise_0
// CHECK-SAME: (%{{[a-z0-9]+}}: tensor<2xf32>, %{{[a-z0-9]+}}: tensor<2xf32>)
// CHECK: arith.constant dense<3.000000e+00>
// CHECK-LABEL: func.func @constants
// CHECK: %[[C:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00]>
// CHECK: call @elementwise_0({{.*}}%[[C]]
func.func @constants(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %t = arith.constant dense<3.0> : tensor<2xf32>
  %e = tensor.empty() : tensor<2xf32>
  %y = linalg.mul ins(%x, %c : tensor<2xf32>, tensor<2xf32>) outs(%e : tensor<2xf32>) -> tensor<2xf32>
  %r = linalg.add ins(%y, %t : tensor<2xf32>, tensor<2xf32>) outs(%e : tensor<2xf32>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}
