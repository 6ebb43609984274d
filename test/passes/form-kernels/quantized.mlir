// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-form-kernels | FileCheck %s

// Stored in 8 bits, computed on as floats, stored in 8 bits again: one kernel, and no float tensor in between.
#id = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func.func private @elementwise_0
// CHECK-SAME: (%arg0: tensor<4x8xf8E4M3FNUZ>{{.*}}) -> tensor<4x8xf8E4M3FNUZ>
// CHECK: "fovea.dequantize"
// CHECK: math.tanh
// CHECK: "fovea.quantize"
// CHECK: return
// CHECK-NOT: func.func private
// CHECK-LABEL: func.func @main
// CHECK: %[[R:.*]] = call @elementwise_0(
// CHECK-NEXT: return %[[R]]
func.func @main(%q: tensor<4x8xf8E4M3FNUZ>) -> tensor<4x8xf8E4M3FNUZ> {
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x8xf8E4M3FNUZ>) -> tensor<4x8xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%d : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = math.tanh %a : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  %s = "fovea.quantize"(%t) {axis = -1 : i64, scale = dense<0.25> : tensor<f32>} : (tensor<4x8xf32>) -> tensor<4x8xf8E4M3FNUZ>
  return %s : tensor<4x8xf8E4M3FNUZ>
}
