// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-form-kernels | FileCheck %s

// The scale of each row is found, and the row quantised, in the row-wise kernel that makes it: here the sum of squares
// and what it divides by. Blocks of a row are rows of a kernel of their own; a ragged end is padded with zeros.
// CHECK-LABEL: func.func private @rowwise_0
// CHECK: arith.addf
// CHECK: arith.divf
// CHECK: arith.maxnumf
// CHECK: "fovea.quantize"
// CHECK: return %{{.*}}, %{{.*}} : tensor<4x40xf8E4M3FNUZ>, tensor<4x1xf32>
// CHECK-LABEL: func.func private @rowwise_1
// CHECK-SAME: -> (tensor<4x2x32xf8E4M3FNUZ>, tensor<4x2x1xf8E8M0FNU>) attributes {fovea.columns = 32 : i64, fovea.kernel = "rowwise", fovea.rows = 8 : i64}
// CHECK: tensor.pad
// CHECK: tensor.expand_shape
// CHECK: arith.maxnumf
// CHECK: arith.shrui
// CHECK: "fovea.quantize"
// CHECK-LABEL: func.func private @elementwise_2
// CHECK: tensor.extract_slice
// CHECK-LABEL: func.func private @elementwise_3
// CHECK: "fovea.dequantize"
// CHECK: arith.shli
// CHECK: arith.mulf
// CHECK-LABEL: func.func @main
// CHECK-NOT: fovea.dynamic
func.func @main(%x: tensor<4x40xf32>, %p: tensor<4x40xf8E4M3FNUZ>, %e: tensor<4x2xf8E8M0FNU>)
    -> (tensor<4x40xf8E4M3FNUZ>, tensor<4x1xf32>, tensor<4x40xf8E4M3FNUZ>, tensor<4x2xf8E8M0FNU>, tensor<4x40xf16>) {
  %zero = arith.constant 0.0 : f32
  %er = tensor.empty() : tensor<4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%er : tensor<4xf32>) -> tensor<4xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x40xf32>) outs(%z : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.mulf %a, %a : f32
    %t = arith.addf %s, %o : f32
    linalg.yield %t : f32
  } -> tensor<4xf32>
  %ex = tensor.empty() : tensor<4x40xf32>
  %n = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%x, %sum : tensor<4x40xf32>, tensor<4xf32>) outs(%ex : tensor<4x40xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %d = arith.divf %a, %b : f32
    linalg.yield %d : f32
  } -> tensor<4x40xf32>
  %q, %s = "fovea.dynamic_quantize"(%n) {block = array<i64: 1, 40>} : (tensor<4x40xf32>) -> (tensor<4x40xf8E4M3FNUZ>, tensor<4x1xf32>)
  %r, %t = "fovea.dynamic_quantize"(%x) {block = array<i64: 1, 32>} : (tensor<4x40xf32>) -> (tensor<4x40xf8E4M3FNUZ>, tensor<4x2xf8E8M0FNU>)
  %y = "fovea.dynamic_dequantize"(%p, %e) {block = array<i64: 1, 32>} : (tensor<4x40xf8E4M3FNUZ>, tensor<4x2xf8E8M0FNU>) -> tensor<4x40xf16>
  return %q, %s, %r, %t, %y : tensor<4x40xf8E4M3FNUZ>, tensor<4x1xf32>, tensor<4x40xf8E4M3FNUZ>, tensor<4x2xf8E8M0FNU>, tensor<4x40xf16>
}
