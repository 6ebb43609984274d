// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-fold-constants --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK: arith.constant dense<[1.000000e+00, 0x7C00]> : tensor<2xf16>
func.func @main() -> tensor<2xf16> {
  %w = arith.constant dense<[1.0, 1.0e6]> : tensor<2xf32>
  %e = tensor.empty() : tensor<2xf16>
  // expected-remark @below {{a constant holds values beyond f16's range (65504), which become infinite; compile with --compute-type bf16 or f32}}
  %h = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%w : tensor<2xf32>) outs(%e : tensor<2xf16>) {
  ^bb0(%a: f32, %o: f16):
    %r = arith.truncf %a : f32 to f16
    linalg.yield %r : f16
  } -> tensor<2xf16>
  return %h : tensor<2xf16>
}
