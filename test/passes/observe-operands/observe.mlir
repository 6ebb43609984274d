// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-normalize --fovea-detect-attention --fovea-observe-operands 2>/dev/null | FileCheck %s
// RUN: fovea-opt %s "--fovea-insert-captures={include=policy:all}" --fovea-observe-operands | FileCheck %s --check-prefix=FP8

// A tensor that two contractions read is observed once, for both. Weights are not, and nothing reads the captures.
// CHECK-LABEL: func.func @shared
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<4x8xf32>
// CHECK: "fovea.capture"(%[[X]]) {calibrated = false, fovea.observed = ["linalg.matmul.0.0", "linalg.matmul.0.1"], id = "linalg.matmul.0.0.lhs.observed", max_abs = 0.000000e+00 : f32}
// CHECK-NOT: fovea.capture
// CHECK: linalg.matmul {{.*}}{fovea.id = "linalg.matmul.0.0"} ins(%[[X]],
// CHECK: linalg.matmul {{.*}}{fovea.id = "linalg.matmul.0.1"} ins(%[[X]],
// CHECK: return
// What is to be quantised has a capture of its own, and no other.
// FP8-LABEL: func.func @shared
// FP8-NOT: fovea.observed
// FP8-LABEL: func.func @attention
func.func @shared(%x: tensor<4x8xf32>, %w: tensor<8x5xf32> {fovea.weight = "w"}, %v: tensor<8x5xf32> {fovea.weight = "v"},
                  %z: tensor<4x5xf32>) -> (tensor<4x5xf32>, tensor<4x5xf32>) {
  %a = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x5xf32>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  %b = linalg.matmul ins(%x, %v : tensor<4x8xf32>, tensor<8x5xf32>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %a, %b : tensor<4x5xf32>, tensor<4x5xf32>
}

// Query, key and value of an attention site, but not its probabilities.
// CHECK-LABEL: func.func @attention
// CHECK-SAME: (%[[Q:[a-z0-9]+]]: {{[^,]*}}, %[[K:[a-z0-9]+]]: {{[^,]*}}, %[[V:[a-z0-9]+]]:
// CHECK-DAG: "fovea.capture"(%[[Q]]) {calibrated = false, fovea.observed = ["[[QK:.*]]"], id = "{{.*}}.lhs.observed"
// CHECK-DAG: "fovea.capture"(%[[K]]) {calibrated = false, fovea.observed = ["{{.*}}"], id = "{{.*}}.rhs.observed"
// CHECK-DAG: "fovea.capture"(%[[V]]) {calibrated = false, fovea.observed = ["{{.*}}"], id = "{{.*}}.rhs.observed"
// CHECK-NOT: fovea.capture
// CHECK: return
func.func @attention(%q: tensor<4x8x8xf32>, %k: tensor<4x8x8xf32>, %v: tensor<4x8x8xf32>) -> tensor<4x8x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8x8xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %k : tensor<4x8x8xf32>, tensor<4x8x8xf32>) outs(%z : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<4x8x8xf32>) outs(%e : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %r = linalg.batch_matmul ins(%p, %v : tensor<4x8x8xf32>, tensor<4x8x8xf32>) outs(%z : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  return %r : tensor<4x8x8xf32>
}

// Operands in f16 have their type from the model, and 8-bit ones their range.
// CHECK-LABEL: func.func @narrow
// CHECK-NOT: fovea.capture
// CHECK-NOT: fovea.id
// CHECK: return
func.func @narrow(%x: tensor<4x8xf16>, %w: tensor<8x5xf16>, %a: tensor<4x8xf8E4M3FNUZ>, %b: tensor<8x5xf8E4M3FNUZ>,
                  %z: tensor<4x5xf32>) -> (tensor<4x5xf32>, tensor<4x5xf32>) {
  %r = linalg.matmul ins(%x, %w : tensor<4x8xf16>, tensor<8x5xf16>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  %s = linalg.matmul ins(%a, %b : tensor<4x8xf8E4M3FNUZ>, tensor<8x5xf8E4M3FNUZ>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %r, %s : tensor<4x5xf32>, tensor<4x5xf32>
}
