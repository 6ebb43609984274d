// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --split-input-file --fovea-plan | FileCheck %s

// A chain: an intermediate dies with its reader, so the third shares bytes with the first; the last is an output.
// CHECK-LABEL: func.func @chain
// CHECK-SAME: fovea.arena_bytes = 512
// CHECK: call @k({{.*}}) {fovea.offsets = array<i64: 0>}
// CHECK: call @k({{.*}}) {fovea.offsets = array<i64: 256>}
// CHECK: call @k({{.*}}) {fovea.offsets = array<i64: 0>}
// CHECK: call @k({{.*}}) {fovea.offsets = array<i64: -1>}
func.func private @k(tensor<64xf32>) -> tensor<64xf32>
func.func @chain(%x: tensor<64xf32>) -> tensor<64xf32> {
  %0 = call @k(%x) : (tensor<64xf32>) -> tensor<64xf32>
  %1 = call @k(%0) : (tensor<64xf32>) -> tensor<64xf32>
  %2 = call @k(%1) : (tensor<64xf32>) -> tensor<64xf32>
  %3 = call @k(%2) : (tensor<64xf32>) -> tensor<64xf32>
  return %3 : tensor<64xf32>
}

// -----

// A value read later, through a view, keeps its bytes until then; sizes are rounded up to 256 bytes.
// CHECK-LABEL: func.func @residual
// CHECK-SAME: fovea.arena_bytes = 768
// CHECK: call @k({{.*}}) {fovea.offsets = array<i64: 0>}
// CHECK: call @k({{.*}}) {fovea.offsets = array<i64: 256>}
// CHECK: call @k({{.*}}) {fovea.offsets = array<i64: 512>}
// CHECK: call @add({{.*}}) {fovea.offsets = array<i64: -1>}
func.func private @k(tensor<6xf32>) -> tensor<6xf32>
func.func private @add(tensor<6xf32>, tensor<2x3xf32>) -> tensor<6xf32>
func.func @residual(%x: tensor<6xf32>) -> tensor<6xf32> {
  %0 = call @k(%x) : (tensor<6xf32>) -> tensor<6xf32>
  %v = tensor.expand_shape %0 [[0, 1]] output_shape [2, 3] : tensor<6xf32> into tensor<2x3xf32>
  %1 = call @k(%0) : (tensor<6xf32>) -> tensor<6xf32>
  %2 = call @k(%1) : (tensor<6xf32>) -> tensor<6xf32>
  %3 = call @add(%2, %v) : (tensor<6xf32>, tensor<2x3xf32>) -> tensor<6xf32>
  return %3 : tensor<6xf32>
}

// -----

// Results of one call lie side by side; one that is returned (through a view) is an output, one that nothing reads still
// has bytes of its own while its kernel runs. FP8 and i1 take a byte an element.
// CHECK-LABEL: func.func @several
// CHECK-SAME: fovea.arena_bytes = 1536
// CHECK: call @three({{.*}}) {fovea.offsets = array<i64: 0, -1, 1024>}
// CHECK: call @use({{.*}}) {fovea.offsets = array<i64: -1>}
func.func private @three(tensor<300xf32>) -> (tensor<1000xf8E4M3FNUZ>, tensor<300xf32>, tensor<300xi1>)
func.func private @use(tensor<1000xf8E4M3FNUZ>) -> tensor<4xf32>
func.func @several(%x: tensor<300xf32>) -> (tensor<3x100xf32>, tensor<4xf32>) {
  %0:3 = call @three(%x) : (tensor<300xf32>) -> (tensor<1000xf8E4M3FNUZ>, tensor<300xf32>, tensor<300xi1>)
  %1 = call @use(%0#0) : (tensor<1000xf8E4M3FNUZ>) -> tensor<4xf32>
  %v = tensor.expand_shape %0#1 [[0, 1]] output_shape [3, 100] : tensor<300xf32> into tensor<3x100xf32>
  return %v, %1 : tensor<3x100xf32>, tensor<4xf32>
}
