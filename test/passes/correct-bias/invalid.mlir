// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: not fovea-opt %s --fovea-correct-bias 2>&1 | FileCheck %s

// The means come from calibration data, which fovea-opt has not.
// CHECK: bias correction needs the means of the contractions' inputs, found none: run it from `fovea compile --bias-correction` with calibration data
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  return %x : tensor<4x8xf32>
}
