// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention on constant keys and values is a pair of layers.
// RUN: fovea-opt %s --fovea-detect-attention --verify-diagnostics | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// Linear, softmax, linear: keys and values are weights.
// CHECK-LABEL: func.func @constant_keys_and_values
// CHECK-NOT: fovea.site
func.func @constant_keys_and_values(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %x: tensor<4x8xf32>, %wk: tensor<8x6xf32> {fovea.weight = "k"}, %wv: tensor<6x5xf32> {fovea.weight = "v"}) -> tensor<4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<4x6xf32>) -> tensor<4x6xf32>
  %s = linalg.matmul ins(%x, %wk : tensor<4x8xf32>, tensor<8x6xf32>) outs(%zs : tensor<4x6xf32>) -> tensor<4x6xf32>
  %p = linalg.softmax dimension(1) ins(%s : tensor<4x6xf32>) outs(%es : tensor<4x6xf32>) -> tensor<4x6xf32>
  %eo = tensor.empty() : tensor<4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<4x5xf32>) -> tensor<4x5xf32>
  // expected-remark @below {{attention policy: keys and values are both constants; not tagged}}
  %o = linalg.matmul ins(%p, %wv : tensor<4x6xf32>, tensor<6x5xf32>) outs(%zo : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %o : tensor<4x5xf32>
}

// CHECK-LABEL: func.func @end
func.func @end() {
  return
}
