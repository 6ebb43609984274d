// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-normalize | FileCheck %s

#id = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#key = affine_map<(d0, d1, d2) -> (d0, d2)>

// CHECK-DAG: #[[ONE:.*]] = affine_map<(d0, d1, d2) -> (d0, 0, d2)>

// A mask that is the same for all queries is computed for one.
// CHECK-LABEL: func.func @mask
// CHECK: %[[E:.*]] = tensor.empty() : tensor<2x1x6xf32>
// CHECK: %[[M:.*]] = linalg.generic {{.*}} outs(%[[E]] : tensor<2x1x6xf32>)
// CHECK: arith.select
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[ONE]], #{{.*}}], {{.*}} ins(%{{.*}}, %[[M]] : tensor<2x4x6xf32>, tensor<2x1x6xf32>)
func.func @mask(%s: tensor<2x4x6xf32>, %m: tensor<2x6xi1>) -> tensor<2x4x6xf32> {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant -1.0e30 : f32
  %e = tensor.empty() : tensor<2x4x6xf32>
  %mask = linalg.generic {indexing_maps = [#key, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%m : tensor<2x6xi1>) outs(%e : tensor<2x4x6xf32>) {
  ^bb0(%a: i1, %o: f32):
    %r = arith.select %a, %zero, %low : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %mask : tensor<2x4x6xf32>, tensor<2x4x6xf32>) outs(%e : tensor<2x4x6xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  return %y : tensor<2x4x6xf32>
}

// A causal mask varies along both; and what is returned, or is all that gives a reader its extent, keeps its shape.
// CHECK-LABEL: func.func @kept
// CHECK: %[[C:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<4x6xf32>)
// CHECK: %[[R:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<4x6xf32>)
// CHECK: %[[S:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<4x6xf32>)
// CHECK: linalg.generic {{.*}}"reduction"{{.*}} ins(%[[S]] : tensor<4x6xf32>)
func.func @kept(%x: tensor<6xf32>, %f: tensor<6xf32>) -> (tensor<4x6xf32>, tensor<4x6xf32>, tensor<6xf32>) {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant -1.0e30 : f32
  %e = tensor.empty() : tensor<4x6xf32>
  %causal = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      outs(%e : tensor<4x6xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %c = arith.cmpi sle, %j, %i : index
    %r = arith.select %c, %zero, %low : f32
    linalg.yield %r : f32
  } -> tensor<4x6xf32>
  %returned = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0, d1)>],
                              iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<6xf32>) outs(%e : tensor<4x6xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<4x6xf32>
  %alone = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0, d1)>],
                           iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<6xf32>) outs(%e : tensor<4x6xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = math.absf %a : f32
    linalg.yield %r : f32
  } -> tensor<4x6xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0)>],
                         iterator_types = ["parallel", "reduction"]}
      ins(%alone : tensor<4x6xf32>) outs(%f : tensor<6xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<6xf32>
  return %causal, %returned, %sum : tensor<4x6xf32>, tensor<4x6xf32>, tensor<6xf32>
}
