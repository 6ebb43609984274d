// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %python %S/Inputs/weights.py %t.safetensors
// RUN: fovea-opt %s --fovea-fold-constants --weights %t.safetensors | FileCheck %s

// A weight is quantised at compile time; two uses of one value share a tensor, two values have two names.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[A:[a-z0-9]+]]: tensor<32x64xf8E4M3FNUZ> {fovea.weight = "fc.weight.f8E4M3FNUZ"},
// CHECK-SAME: %[[B:[a-z0-9]+]]: tensor<32x64xf8E4M3FNUZ> {fovea.weight = "fc.weight.f8E4M3FNUZ.2"})
// CHECK-NEXT: return %[[A]], %[[A]], %[[B]]
func.func @main(%w: tensor<32x64xf32> {fovea.weight = "fc.weight"})
    -> (tensor<32x64xf8E4M3FNUZ>, tensor<32x64xf8E4M3FNUZ>, tensor<32x64xf8E4M3FNUZ>) {
  %a = "fovea.quantize"(%w) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<32x64xf32>) -> tensor<32x64xf8E4M3FNUZ>
  %b = "fovea.quantize"(%w) {axis = -1 : i64, scale = dense<0.25> : tensor<f32>} : (tensor<32x64xf32>) -> tensor<32x64xf8E4M3FNUZ>
  return %a, %a, %b : tensor<32x64xf8E4M3FNUZ>, tensor<32x64xf8E4M3FNUZ>, tensor<32x64xf8E4M3FNUZ>
}
