// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: not fovea-opt %s --fovea-smooth-activations 2>&1 | FileCheck %s
// RUN: not fovea-opt %s --fovea-smooth-activations={alpha=1.5} 2>&1 | FileCheck %s --check-prefix=ALPHA

// The magnitudes come from calibration data, which fovea-opt has not.
// CHECK: smoothing needs the largest magnitudes of activations by channel, found none: run it from `fovea compile --smooth` with calibration data
// ALPHA: expected alpha from 0 to 1, found 1.5
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  return %x : tensor<4x8xf32>
}
