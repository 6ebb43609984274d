// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An op that is an attention by itself, of a dialect that the bindings do not know.
// RUN: fovea-opt %s --allow-unregistered-dialect --fovea-detect-attention --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @one_op
// CHECK: "tm_tensor.attention"({{.*}}) {{.*}}fovea.attention = #fovea.site<0 : i64, "pv">
func.func @one_op(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %mask: tensor<2x4x6xf32>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x4x5xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{ops, one op tm_tensor.attention)}}
  %o = "tm_tensor.attention"(%q, %k, %v, %mask, %z) <{operandSegmentSizes = array<i32: 4, 1>}>
      : (tensor<2x4x8xf32>, tensor<2x6x8xf32>, tensor<2x6x5xf32>, tensor<2x4x6xf32>, tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}
