// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-guard-overflow 2>/dev/null | FileCheck %s
// RUN: fovea-opt %s --fovea-guard-overflow 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// RUN: fovea-opt %s --fovea-guard-overflow --fovea-set-compute-type 2>/dev/null | FileCheck %s --check-prefix=TYPE
// RUN: fovea-opt %s --fovea-guard-overflow --fovea-set-compute-type 2>&1 >/dev/null | FileCheck %s --check-prefix=SAID

// REMARK: remark: the ranges lack 1 of the tensors that contractions outside FP8 read
// REMARK-NOT: remark

// 4 x 16380 is more than 65504, 4 x 16376 is not. The captures are gone, and set-compute-type takes the marks.
// CHECK-NOT: fovea.observed
// CHECK-LABEL: func.func @observed
// CHECK-NOT: fovea.capture
// CHECK: linalg.matmul {fovea.compute_type = {max_abs = 1.638000e+04 : f64, reason = "large.lhs reaches 1.638e+04 in calibration; 4 times that is beyond f16's 65504", type = "bf16"}, fovea.id = "large"}
// CHECK: linalg.matmul {fovea.id = "small"}
// TYPE-NOT: fovea.compute_type
// TYPE-LABEL: func.func @observed
// TYPE: linalg.matmul {fovea.id = "large"} ins({{.*}} : tensor<4x8xbf16>, tensor<8x5xbf16>)
// TYPE: linalg.matmul {fovea.id = "small"} ins({{.*}} : tensor<4x8xf16>, tensor<8x5xf16>)
// SAID: remark: large computes in bf16: large.lhs reaches 1.638e+04 in calibration
func.func @observed(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>, %w: tensor<8x5xf32> {fovea.weight = "w"}, %z: tensor<4x5xf32>)
    -> (tensor<4x5xf32>, tensor<4x5xf32>) {
  %0 = "fovea.capture"(%x) {calibrated = true, fovea.observed = ["large"], id = "large.lhs.observed", max_abs = 16380.0 : f32} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = "fovea.capture"(%y) {calibrated = true, fovea.observed = ["small"], id = "small.lhs.observed", max_abs = 16376.0 : f32} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %a = linalg.matmul {fovea.id = "large"} ins(%x, %w : tensor<4x8xf32>, tensor<8x5xf32>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  %b = linalg.matmul {fovea.id = "small"} ins(%y, %w : tensor<4x8xf32>, tensor<8x5xf32>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %a, %b : tensor<4x5xf32>, tensor<4x5xf32>
}

// What the ranges do not know is not marked.
// CHECK-LABEL: func.func @unknown
// CHECK-NOT: fovea.capture
// CHECK: linalg.matmul {fovea.id = "unknown"}
func.func @unknown(%x: tensor<4x8xf32>, %w: tensor<8x5xf32> {fovea.weight = "w"}, %z: tensor<4x5xf32>) -> tensor<4x5xf32> {
  %0 = "fovea.capture"(%x) {calibrated = false, fovea.observed = ["unknown"], id = "unknown.lhs.observed", max_abs = 0.0 : f32} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %a = linalg.matmul {fovea.id = "unknown"} ins(%x, %w : tensor<4x8xf32>, tensor<8x5xf32>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %a : tensor<4x5xf32>
}

// Weights are known to the value: 60000 fits, 70000 does not.
// CHECK-LABEL: func.func @weights
// CHECK: linalg.matmul {fovea.compute_type = {max_abs = 7.000000e+04 : f64, reason = "a constant reaches 7e+04, beyond f16's 65504", type = "bf16"}}
// CHECK: linalg.matmul ins
// TYPE-LABEL: func.func @weights
// TYPE: linalg.matmul ins({{.*}} : tensor<4x8xbf16>, tensor<8x5xbf16>)
// TYPE: linalg.matmul ins({{.*}} : tensor<4x8xf16>, tensor<8x5xf16>)
// SAID: remark: linalg.matmul computes in bf16: a constant reaches 7e+04, beyond f16's 65504
func.func @weights(%x: tensor<4x8xf32>, %z: tensor<4x5xf32>) -> (tensor<4x5xf32>, tensor<4x5xf32>) {
  %v = arith.constant dense<-7.0e4> : tensor<8x5xf32>
  %w = arith.constant dense<6.0e4> : tensor<8x5xf32>
  %a = linalg.matmul ins(%x, %v : tensor<4x8xf32>, tensor<8x5xf32>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  %b = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x5xf32>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %a, %b : tensor<4x5xf32>, tensor<4x5xf32>
}

// A contraction that is to be quantised keeps its capture, and is marked in case it is not. One in f16 is left alone.
// CHECK-LABEL: func.func @captured
// CHECK: %[[C:.*]] = "fovea.capture"(%{{.*}}) {{.*}}id = "fc.lhs"
// CHECK: linalg.matmul {fovea.compute_type = {{.*}}"fc.lhs reaches 1e+05 {{.*}}fovea.id = "fc"} ins(%[[C]],
// CHECK: linalg.matmul {fovea.id = "half"}
func.func @captured(%x: tensor<4x8xf32>, %w: tensor<8x5xf32> {fovea.weight = "w"}, %y: tensor<4x8xf16>, %v: tensor<8x5xf16>,
                    %z: tensor<4x5xf32>) -> (tensor<4x5xf32>, tensor<4x5xf32>) {
  %c = "fovea.capture"(%x) {calibrated = true, id = "fc.lhs", max_abs = 1.0e5 : f32} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %a = linalg.matmul {fovea.id = "fc"} ins(%c, %w : tensor<4x8xf32>, tensor<8x5xf32>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  %b = linalg.matmul {fovea.id = "half"} ins(%y, %v : tensor<4x8xf16>, tensor<8x5xf16>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %a, %b : tensor<4x5xf32>, tensor<4x5xf32>
}

// Either contraction's mark is that of the whole site once it is fused.
// RUN: fovea-opt %s --fovea-detect-attention --fovea-guard-overflow --fovea-fuse-attention 2>/dev/null | FileCheck %s --check-prefix=FUSED
// FUSED-LABEL: func.func @attention
// FUSED: "fovea.attention"
// FUSED: }) {fovea.compute_type = {max_abs = 1.000000e+05 : f64, {{.*}}type = "bf16"}, fovea.id = "pv",
func.func @attention(%q: tensor<4x8x8xf32>, %k: tensor<4x8x8xf32>, %v: tensor<4x8x8xf32>) -> tensor<4x8x8xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = "fovea.capture"(%v) {calibrated = true, fovea.observed = ["pv"], id = "pv.rhs.observed", max_abs = 1.0e5 : f32} : (tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %e = tensor.empty() : tensor<4x8x8xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %s = linalg.batch_matmul {fovea.id = "qk"} ins(%q, %k : tensor<4x8x8xf32>, tensor<4x8x8xf32>) outs(%z : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<4x8x8xf32>) outs(%e : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %r = linalg.batch_matmul {fovea.id = "pv"} ins(%p, %v : tensor<4x8x8xf32>, tensor<4x8x8xf32>) outs(%z : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  return %r : tensor<4x8x8xf32>
}
