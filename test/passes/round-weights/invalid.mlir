// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: not fovea-opt %s --fovea-round-weights 2>&1 | FileCheck %s
// RUN: not fovea-opt %s --fovea-round-weights={damping=0} 2>&1 | FileCheck %s --check-prefix=DAMPING
// RUN: not fovea-opt %s --fovea-round-weights={damping=inf} 2>&1 | FileCheck %s --check-prefix=INFINITE

// The moments come from calibration data, which fovea-opt has not.
// CHECK: second-order weight rounding needs the moments of the contractions' inputs, found none: run it from `fovea compile --weight-rounding gptq` with calibration data
// DAMPING: expected damping > 0, found 0
// INFINITE: expected damping > 0, found inf
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  return %x : tensor<4x8xf32>
}
