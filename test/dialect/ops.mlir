// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every op and attribute of the dialect reads back what it prints, as text and as bytecode.
// RUN: fovea-opt %s | fovea-opt | FileCheck %s
// RUN: fovea-opt %s --emit-bytecode | fovea-opt | FileCheck %s

// CHECK-LABEL: func.func @per_tensor
func.func @per_tensor(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: %[[Q:.*]] = "fovea.quantize"(%{{.*}}) {axis = -1 : i64, scale = dense<5.000000e-01> : tensor<f32>} : (tensor<4x8xf32>) -> tensor<4x8xf8E4M3FNUZ>
  %q = "fovea.quantize"(%x) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x8xf32>) -> tensor<4x8xf8E4M3FNUZ>
  // CHECK: "fovea.dequantize"(%[[Q]]) {axis = -1 : i64, scale = dense<5.000000e-01> : tensor<f32>} : (tensor<4x8xf8E4M3FNUZ>) -> tensor<4x8xf32>
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x8xf8E4M3FNUZ>) -> tensor<4x8xf32>
  return %d : tensor<4x8xf32>
}

// CHECK-LABEL: func.func @per_channel
func.func @per_channel(%x: tensor<2x?xf16>) -> tensor<2x?xf8E5M2> {
  // CHECK: axis = 0 : i64, scale = dense<[1.000000e+00, 2.500000e-01]> : tensor<2xf32>
  %q = "fovea.quantize"(%x) {axis = 0 : i64, scale = dense<[1.0, 0.25]> : tensor<2xf32>} : (tensor<2x?xf16>) -> tensor<2x?xf8E5M2>
  return %q : tensor<2x?xf8E5M2>
}

// CHECK-LABEL: func.func @capture
func.func @capture(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: "fovea.capture"(%{{.*}}) {calibrated = true, id = "layer0.query", max_abs = 1.500000e+00 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  %0 = "fovea.capture"(%x) {calibrated = true, id = "layer0.query", max_abs = 1.5 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

#q = affine_map<(b, h, q, n, k, d) -> (b, h, q, k)>
#key = affine_map<(b, h, q, n, k, d) -> (b, h floordiv 2, n, k)>
#value = affine_map<(b, h, q, n, k, d) -> (b, h floordiv 2, n, d)>
#mask = affine_map<(b, h, q, n, k, d) -> (b, n)>
#bias = affine_map<(b, h, q, n, k, d) -> ()>
#out = affine_map<(b, h, q, n, k, d) -> (b, h, q, d)>
#lse = affine_map<(b, h, q, n, k, d) -> (b, h, q)>

// CHECK-LABEL: func.func @attention
func.func @attention(%q: tensor<2x4x8x16xf32>, %k: tensor<2x2x8x16xf32>, %v: tensor<2x2x8x32xf32>, %mask: tensor<2x8xf32>, %bias: tensor<f16>)
    -> (tensor<2x4x8x32xf32>, tensor<2x4x8xf32>) {
  // CHECK: %[[A:.*]]:2 = "fovea.attention"({{.*}}) ({
  // CHECK-NEXT: ^bb0(%[[S:.*]]: f32, %[[M:.*]]: f32, %{{.*}}: f16):
  // CHECK-NEXT: %[[R:.*]] = arith.addf %[[S]], %[[M]] : f32
  // CHECK-NEXT: "fovea.yield"(%[[R]]) : (f32) -> ()
  // CHECK: return %[[A]]#0, %[[A]]#1
  %0:2 = "fovea.attention"(%q, %k, %v, %mask, %bias) ({
  ^bb0(%s: f32, %m: f32, %h: f16):
    %r = arith.addf %s, %m : f32
    "fovea.yield"(%r) : (f32) -> ()
  }) {indexing_maps = [#q, #key, #value, #mask, #bias, #out, #lse], operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0>}
    : (tensor<2x4x8x16xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8x32xf32>, tensor<2x8xf32>, tensor<f16>) -> (tensor<2x4x8x32xf32>, tensor<2x4x8xf32>)
  return %0#0, %0#1 : tensor<2x4x8x32xf32>, tensor<2x4x8xf32>
}

// CHECK-LABEL: func.func @tag
func.func @tag(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  // CHECK: linalg.transpose {{.*}} {fovea.attention = #fovea.site<0 : i64, "layout">}
  %e = tensor.empty() : tensor<4x4xf32>
  %0 = linalg.transpose ins(%x : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) permutation = [1, 0] {fovea.attention = #fovea.site<0 : i64, "layout">}
  return %0 : tensor<4x4xf32>
}

// CHECK-LABEL: func.func @dynamic
func.func @dynamic(%x: tensor<4x40xbf16>) -> (tensor<4x40xbf16>, tensor<4x40xbf16>) {
  // CHECK: %[[Q:.*]]:2 = "fovea.dynamic_quantize"(%{{.*}}) {block = array<i64: 1, 40>} : (tensor<4x40xbf16>) -> (tensor<4x40xf8E4M3FNUZ>, tensor<4x1xf32>)
  %q, %s = "fovea.dynamic_quantize"(%x) {block = array<i64: 1, 40>} : (tensor<4x40xbf16>) -> (tensor<4x40xf8E4M3FNUZ>, tensor<4x1xf32>)
  // CHECK: "fovea.dynamic_dequantize"(%[[Q]]#0, %[[Q]]#1) {block = array<i64: 1, 40>}
  %d = "fovea.dynamic_dequantize"(%q, %s) {block = array<i64: 1, 40>} : (tensor<4x40xf8E4M3FNUZ>, tensor<4x1xf32>) -> tensor<4x40xbf16>
  // The last block along an axis may be shorter.
  // CHECK: "fovea.dynamic_quantize"{{.*}} -> (tensor<4x40xf8E4M3FN>, tensor<4x2xf8E8M0FNU>)
  %p, %e = "fovea.dynamic_quantize"(%x) {block = array<i64: 1, 32>} : (tensor<4x40xbf16>) -> (tensor<4x40xf8E4M3FN>, tensor<4x2xf8E8M0FNU>)
  %c = "fovea.dynamic_dequantize"(%p, %e) {block = array<i64: 1, 32>} : (tensor<4x40xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x40xbf16>
  return %d, %c : tensor<4x40xbf16>, tensor<4x40xbf16>
}

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#rhs_scale = affine_map<(m, n, k) -> (k floordiv 128, n)>
#lhs_scale = affine_map<(m, n, k) -> (m, 0)>
#result = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func.func @scaled_contract
func.func @scaled_contract(%q: tensor<4x200xf8E4M3FNUZ>, %p: tensor<5x200xf8E5M2FNUZ>, %s: tensor<4x1xf32>, %t: tensor<2x5xf32>)
    -> (tensor<4x5xf32>, tensor<4x5xf32>) {
  // CHECK: "fovea.scaled_contract"({{.*}}) {indexing_maps = [#{{.*}}, #{{.*}}, #{{.*}}, #{{.*}}, #{{.*}}], operandSegmentSizes = array<i32: 1, 1, 1, 1>}
  %0 = "fovea.scaled_contract"(%q, %p, %s, %t) {indexing_maps = [#lhs, #rhs, #lhs_scale, #rhs_scale, #result], operandSegmentSizes = array<i32: 1, 1, 1, 1>}
    : (tensor<4x200xf8E4M3FNUZ>, tensor<5x200xf8E5M2FNUZ>, tensor<4x1xf32>, tensor<2x5xf32>) -> tensor<4x5xf32>
  // CHECK: operandSegmentSizes = array<i32: 1, 1, 0, 1>
  %1 = "fovea.scaled_contract"(%q, %p, %t) {indexing_maps = [#lhs, #rhs, #rhs_scale, #result], operandSegmentSizes = array<i32: 1, 1, 0, 1>}
    : (tensor<4x200xf8E4M3FNUZ>, tensor<5x200xf8E5M2FNUZ>, tensor<2x5xf32>) -> tensor<4x5xf32>
  return %0, %1 : tensor<4x5xf32>, tensor<4x5xf32>
}
