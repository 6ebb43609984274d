// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %python %S/Inputs/weights.py %t.safetensors
// RUN: fovea-opt %s --fovea-fold-constants --weights %t.safetensors | FileCheck %s
// RUN: fovea-opt %s --fovea-fold-constants | FileCheck %s --check-prefix=UNKNOWN

#id = affine_map<(d0, d1) -> (d0, d1)>

// Transposed, cast: one new weight. The source is used no more and goes; so does one that nothing used.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x64xf32>,
// CHECK-SAME: %[[TABLE:[a-z0-9]+]]: tensor<100x8xf32> {fovea.weight = "table"},
// CHECK-SAME: %[[IDS:[a-z0-9]+]]: tensor<4xi64>,
// CHECK-SAME: %[[W:[a-z0-9]+]]: tensor<64x32xf16> {fovea.weight = "fc.weight.f16"},
// CHECK-SAME: %[[T:[a-z0-9]+]]: tensor<64x32xf32> {fovea.weight = "fc.weight.folded"})

// Without the values of the weights only inline constants fold.
// UNKNOWN: {fovea.weight = "fc.weight"}
// UNKNOWN-NOT: "unused"
// UNKNOWN: arith.constant dense<[4.000000e+00, 6.000000e+00]> : tensor<2xf32>
// UNKNOWN: arith.truncf
func.func @main(%x: tensor<4x64xf32>, %w: tensor<32x64xf32> {fovea.weight = "fc.weight"},
                %table: tensor<100x8xf32> {fovea.weight = "table"}, %unused: tensor<7xf32> {fovea.weight = "unused"},
                %ids: tensor<4xi64>)
    -> (tensor<64x32xf16>, tensor<64x32xf32>, tensor<2xf32>, tensor<64x32xf32>, tensor<4x8xf32>, tensor<2048xf16>) {
  %e = tensor.empty() : tensor<64x32xf32>
  %eh = tensor.empty() : tensor<64x32xf16>
  %t = linalg.transpose ins(%w : tensor<32x64xf32>) outs(%e : tensor<64x32xf32>) permutation = [1, 0]
  %h = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%t : tensor<64x32xf32>) outs(%eh : tensor<64x32xf16>) {
  ^bb0(%a: f32, %o: f16):
    %r = arith.truncf %a : f32 to f16
    linalg.yield %r : f16
  } -> tensor<64x32xf16>

  // Small: a constant in the IR.
  // CHECK-DAG: %[[SMALL:.*]] = arith.constant dense<[4.000000e+00, 6.000000e+00]> : tensor<2xf32>
  %a = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = arith.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %e2 = tensor.empty() : tensor<2xf32>
  %sum = linalg.add ins(%a, %b : tensor<2xf32>, tensor<2xf32>) outs(%e2 : tensor<2xf32>) -> tensor<2xf32>

  // A fill of nothing but a number stays a fill, and so does the broadcast of a constant.
  // CHECK-DAG: %[[FILL:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<64x32xf32>)
  %row = arith.constant dense<1.0> : tensor<32xf32>
  %wide = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1)>, #id], iterator_types = ["parallel", "parallel"]}
      ins(%row : tensor<32xf32>) outs(%e : tensor<64x32xf32>) {
  ^bb0(%v: f32, %o: f32):
    %i = linalg.index 0 : index
    %j = arith.index_cast %i : index to i64
    %k = arith.sitofp %j : i64 to f32
    %r = arith.mulf %v, %k : f32
    linalg.yield %r : f32
  } -> tensor<64x32xf32>

  // A gather by data reads the table where it is.
  // CHECK-DAG: tensor.extract %[[TABLE]]
  %e8 = tensor.empty() : tensor<4x8xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, #id], iterator_types = ["parallel", "parallel"]}
      ins(%ids : tensor<4xi64>) outs(%e8 : tensor<4x8xf32>) {
  ^bb0(%in: i64, %o: f32):
    %i = arith.index_cast %in : i64 to index
    %j = linalg.index 1 : index
    %r = tensor.extract %table[%i, %j] : tensor<100x8xf32>
    linalg.yield %r : f32
  } -> tensor<4x8xf32>

  // A reshape of a weight costs nothing: it stays, above the folded cast.
  // CHECK: %[[FLAT:.*]] = tensor.collapse_shape %[[W]]
  %flat = tensor.collapse_shape %h [[0, 1]] : tensor<64x32xf16> into tensor<2048xf16>

  // CHECK: return %[[W]], %[[T]], %[[SMALL]], %[[FILL]], %{{.*}}, %[[FLAT]]
  return %h, %t, %sum, %wide, %g, %flat
    : tensor<64x32xf16>, tensor<64x32xf32>, tensor<2xf32>, tensor<64x32xf32>, tensor<4x8xf32>, tensor<2048xf16>
}
