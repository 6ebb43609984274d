// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --split-input-file --fovea-lower-kernels | FileCheck %s

// Calls become launches: arguments, outputs and the arena are flat buffers that say what they are; a result in the arena
// is a view of its bytes; i1 takes a byte. The kernel function is gone.
// CHECK: module attributes {gpu.container_module}
// CHECK-NOT: func.func private
// CHECK-LABEL: gpu.module @elementwise_0
// CHECK: gpu.func @elementwise_0(%{{.*}}: memref<1000xf32> {llvm.noalias}, %{{.*}}: memref<1000xf32> {llvm.noalias}, %{{.*}}: memref<1000xi8> {llvm.noalias}) kernel
// CHECK-SAME: known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 1, 1, 1>
// CHECK: vector.load
// CHECK: vector.store
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<1000xf32> {fovea.buffer = "input", fovea.name = "ids", fovea.tensor = tensor<10x100xf32>}
// CHECK-SAME: %[[Y:[a-z0-9]+]]: memref<1000xf32> {fovea.buffer = "output", fovea.name = "values", fovea.tensor = tensor<10x100xf32>}
// CHECK-SAME: %[[Z:[a-z0-9]+]]: memref<1000xi8> {fovea.buffer = "output", fovea.name = "result1", fovea.tensor = tensor<10x100xi1>}
// CHECK-SAME: %[[ARENA:[a-z0-9]+]]: memref<5120xi8> {fovea.buffer = "arena"}
// CHECK-DAG: %[[AT0:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[V0:.*]] = memref.view %[[ARENA]][%[[AT0]]][] : memref<5120xi8> to memref<1000xf32>
// CHECK-DAG: %[[AT1:.*]] = arith.constant 4096 : index
// CHECK-DAG: %[[V1:.*]] = memref.view %[[ARENA]][%[[AT1]]][] : memref<5120xi8> to memref<1000xi8>
// CHECK: gpu.launch_func @elementwise_0::@elementwise_0
// CHECK-SAME: args(%[[X]] : memref<1000xf32>, %[[V0]] : memref<1000xf32>, %[[V1]] : memref<1000xi8>) {fovea.lds_bytes = 0 : i64}
// CHECK: gpu.launch_func @elementwise_0::@elementwise_0
// CHECK-SAME: args(%[[V0]] : memref<1000xf32>, %[[Y]] : memref<1000xf32>, %[[Z]] : memref<1000xi8>)
// CHECK-NEXT: return
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func private @elementwise_0(%x: tensor<10x100xf32>) -> (tensor<10x100xf32>, tensor<10x100xi1>) attributes {fovea.kernel = "elementwise"} {
  %e = tensor.empty() : tensor<10x100xf32>
  %f = tensor.empty() : tensor<10x100xi1>
  %0:2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<10x100xf32>) outs(%e, %f : tensor<10x100xf32>, tensor<10x100xi1>) attrs = {fovea.hero} {
  ^bb0(%a: f32, %o: f32, %p: i1):
    %n = arith.negf %a : f32
    %c = arith.cmpf ogt, %a, %n : f32
    linalg.yield %n, %c : f32, i1
  } -> (tensor<10x100xf32>, tensor<10x100xi1>)
  return %0#0, %0#1 : tensor<10x100xf32>, tensor<10x100xi1>
}
func.func @main(%x: tensor<10x100xf32> {fovea.name = "ids"}) -> (tensor<10x100xf32> {fovea.name = "values"}, tensor<10x100xi1>) attributes {fovea.arena_bytes = 5120 : i64} {
  %0:2 = call @elementwise_0(%x) {fovea.offsets = array<i64: 0, 4096>} : (tensor<10x100xf32>) -> (tensor<10x100xf32>, tensor<10x100xi1>)
  %1:2 = call @elementwise_0(%0#0) {fovea.offsets = array<i64: -1, -1>} : (tensor<10x100xf32>) -> (tensor<10x100xf32>, tensor<10x100xi1>)
  return %1#0, %1#1 : tensor<10x100xf32>, tensor<10x100xi1>
}

// -----

// A weight keeps its name; a constant that a kernel reads becomes a buffer too; views are looked through; the tiles of a
// contraction in LDS are counted.
// CHECK-LABEL: gpu.module @contraction_0
// CHECK: workgroup(%{{.*}} : memref<{{[0-9]+}}xi8, #gpu.address_space<workgroup>>, %{{.*}} : memref<{{[0-9]+}}xi8, #gpu.address_space<workgroup>>)
// CHECK: rocdl.mfma.f32.16x16x16f16
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<1120xf16> {fovea.buffer = "input", fovea.name = "arg0", fovea.tensor = tensor<5x7x32xf16>}
// CHECK-SAME: %[[W:[a-z0-9]+]]: memref<1184xf16> {fovea.buffer = "weight", fovea.tensor = tensor<32x37xf16>, fovea.weight = "linear.weight"}
// CHECK-SAME: %[[C:[a-z0-9]+]]: memref<2xf32> {fovea.buffer = "constant", fovea.tensor = tensor<2xf32>, fovea.weight = "constant.0"}
// CHECK: gpu.launch_func @contraction_0::@contraction_0
// CHECK-SAME: args(%[[X]] : memref<1120xf16>, %[[W]] : memref<1184xf16>, %{{.*}} : memref<1295xf32>) {fovea.lds_bytes = {{[1-9][0-9]*}} : i64}
// CHECK: gpu.launch_func @elementwise_1::@elementwise_1
// CHECK-SAME: args(%[[C]] : memref<2xf32>,
func.func private @contraction_0(%x: tensor<35x32xf16>, %w: tensor<32x37xf16>) -> tensor<35x37xf32> attributes {fovea.kernel = "contraction"} {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<35x37xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<35x37xf32>) -> tensor<35x37xf32>
  %0 = linalg.matmul {fovea.hero} ins(%x, %w : tensor<35x32xf16>, tensor<32x37xf16>) outs(%f : tensor<35x37xf32>) -> tensor<35x37xf32>
  return %0 : tensor<35x37xf32>
}
func.func private @elementwise_1(%x: tensor<2xf32>) -> tensor<2xf32> attributes {fovea.kernel = "elementwise"} {
  %e = tensor.empty() : tensor<2xf32>
  %0 = linalg.exp {fovea.hero} ins(%x : tensor<2xf32>) outs(%e : tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
func.func @main(%x: tensor<5x7x32xf16>, %w: tensor<32x37xf16> {fovea.weight = "linear.weight"}) -> (tensor<35x37xf32>, tensor<2xf32>) attributes {fovea.arena_bytes = 0 : i64} {
  %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %v = tensor.collapse_shape %x [[0, 1], [2]] : tensor<5x7x32xf16> into tensor<35x32xf16>
  %0 = call @contraction_0(%v, %w) {fovea.offsets = array<i64: -1>} : (tensor<35x32xf16>, tensor<32x37xf16>) -> tensor<35x37xf32>
  %1 = call @elementwise_1(%c) {fovea.offsets = array<i64: -1>} : (tensor<2xf32>) -> tensor<2xf32>
  return %0, %1 : tensor<35x37xf32>, tensor<2xf32>
}
