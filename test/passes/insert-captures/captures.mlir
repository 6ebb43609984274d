// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-insert-captures={include=policy:all} | FileCheck %s
// RUN: fovea-opt %s "--fovea-insert-captures={quantize_attention=true include=policy:all}" | FileCheck %s --check-prefix=ALL
// RUN: fovea-opt %s "--fovea-insert-captures={exclude='encoder\.(fc|k)' include=policy:all}" | FileCheck %s --check-prefix=EXCLUDE
// RUN: not fovea-opt %s "--fovea-insert-captures={exclude='('}" 2>&1 | FileCheck %s --check-prefix=REGEX
// REGEX: exclude: '(' is not a regular expression: missing ), unterminated subpattern

// One tensor, two readers: one capture, named after the first. Weights are not captured.
// CHECK-LABEL: func.func @shared
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<4x8xf32>, %[[W:[a-z0-9]+]]: tensor<8x5xf32> {fovea.weight = "encoder.fc.weight"}
// CHECK: %[[C:.*]] = "fovea.capture"(%[[X]]) {calibrated = false, id = "encoder.fc.lhs", max_abs = 0.000000e+00 : f32}
// CHECK-NOT: fovea.capture
// CHECK: linalg.matmul {fovea.id = "encoder.fc"} ins(%[[C]], %[[W]] :
// CHECK: linalg.matmul {{.*}}ins(%[[C]], %{{.*}} :
// EXCLUDE-LABEL: func.func @shared
// EXCLUDE-SAME: (%[[X:[a-z0-9]+]]: tensor<4x8xf32>,
// EXCLUDE: %[[C:.*]] = "fovea.capture"(%[[X]]) {{.*}}id = "encoder.proj.lhs"
// EXCLUDE: linalg.matmul {{.*}}ins(%[[X]],
// EXCLUDE: linalg.matmul {{.*}}ins(%[[C]],
func.func @shared(%x: tensor<4x8xf32>, %w: tensor<8x5xf32> {fovea.weight = "encoder.fc.weight"},
                  %v: tensor<8x5xf32> {fovea.weight = "encoder.proj.weight"}, %z: tensor<4x5xf32>)
    -> (tensor<4x5xf32>, tensor<4x5xf32>) {
  %a = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x5xf32>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  %b = linalg.matmul ins(%x, %v : tensor<4x8xf32>, tensor<8x5xf32>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %a, %b : tensor<4x5xf32>, tensor<4x5xf32>
}

// Names: the location's, else the weight's, else function, op and position. The tensor below a reshape is captured.
// CHECK-LABEL: func.func @names
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<2x2x8xf32>
// CHECK-DAG: %[[C:.*]] = "fovea.capture"(%[[X]]) {{.*}}id = "names.matmul_0.lhs"
// CHECK-DAG: %[[R:.*]] = tensor.collapse_shape %[[C]]
// CHECK-DAG: %[[D:.*]] = "fovea.capture"(%{{.*}}) {{.*}}id = "names.matmul_0.rhs"
// CHECK: linalg.matmul {{.*}}ins(%[[R]], %[[D]] :
// CHECK: "fovea.capture"(%{{.*}}) {{.*}}id = "head.2.rhs"
func.func @names(%x: tensor<2x2x8xf32>, %y: tensor<8x5xf32>, %z: tensor<4x5xf32>, %u: tensor<5x4xf32>, %o: tensor<4x4xf32>)
    -> (tensor<4x5xf32>, tensor<4x4xf32>, tensor<4x4xf32>) {
  %r = tensor.collapse_shape %x [[0, 1], [2]] : tensor<2x2x8xf32> into tensor<4x8xf32>
  %a = linalg.matmul ins(%r, %y : tensor<4x8xf32>, tensor<8x5xf32>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  %b = linalg.matmul ins(%a, %u : tensor<4x5xf32>, tensor<5x4xf32>) outs(%o : tensor<4x4xf32>) -> tensor<4x4xf32> loc("head")
  %u2 = linalg.exp ins(%u : tensor<5x4xf32>) outs(%u : tensor<5x4xf32>) -> tensor<5x4xf32>
  %c = linalg.matmul ins(%a, %u2 : tensor<4x5xf32>, tensor<5x4xf32>) outs(%o : tensor<4x4xf32>) -> tensor<4x4xf32> loc(fused["x.py":1:2, "head"])
  return %a, %b, %c : tensor<4x5xf32>, tensor<4x4xf32>, tensor<4x4xf32>
}

// x . x: one capture for both sides.
// CHECK-LABEL: func.func @square
// CHECK: %[[C:.*]] = "fovea.capture"
// CHECK-NOT: fovea.capture
// CHECK: linalg.matmul {{.*}}ins(%[[C]], %[[C]] :
func.func @square(%x: tensor<4x4xf16>, %z: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %a = linalg.matmul ins(%x, %x : tensor<4x4xf16>, tensor<4x4xf16>) outs(%z : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %a : tensor<4x4xf32>
}

// Attention sites are spared unless asked for; then the tags go too.
// CHECK-LABEL: func.func @attention
// CHECK-NOT: fovea.capture
// ALL-LABEL: func.func @attention
// ALL-COUNT-2: "fovea.capture"
// ALL-NOT: fovea.site
func.func @attention(%q: tensor<2x4x8xf32>, %k: tensor<2x8x4xf32>, %z: tensor<2x4x4xf32>) -> tensor<2x4x4xf32> {
  %s = linalg.batch_matmul {fovea.attention = #fovea.site<3 : i64, "qk">}
      ins(%q, %k : tensor<2x4x8xf32>, tensor<2x8x4xf32>) outs(%z : tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  return %s : tensor<2x4x4xf32>
}

// What FP8 does not suit: integers, 8-bit operands, two constants, row-wise dot products, depthwise convolutions, other
// ops.
// CHECK-LABEL: func.func @left
// CHECK-NOT: fovea.capture
func.func @left(%i: tensor<4x4xi8>, %zi: tensor<4x4xi32>, %f: tensor<4x4xf8E4M3FN>, %z: tensor<4x4xf32>,
                %w: tensor<4x4xf32> {fovea.weight = "w"}, %r: tensor<4xf32>,
                %img: tensor<1x2x4x4xf32>, %flt: tensor<2x1x1xf32> {fovea.weight = "conv"}, %out: tensor<1x2x4x4xf32>)
    -> (tensor<4x4xi32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>, tensor<1x2x4x4xf32>) {
  %0 = linalg.matmul ins(%i, %i : tensor<4x4xi8>, tensor<4x4xi8>) outs(%zi : tensor<4x4xi32>) -> tensor<4x4xi32>
  %1 = linalg.matmul ins(%f, %f : tensor<4x4xf8E4M3FN>, tensor<4x4xf8E4M3FN>) outs(%z : tensor<4x4xf32>) -> tensor<4x4xf32>
  %2 = linalg.matmul ins(%w, %w : tensor<4x4xf32>, tensor<4x4xf32>) outs(%z : tensor<4x4xf32>) -> tensor<4x4xf32>
  %3 = linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%1, %2 : tensor<4x4xf32>, tensor<4x4xf32>) outs(%r : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  %4 = linalg.depthwise_conv_2d_nchw_chw ins(%img, %flt : tensor<1x2x4x4xf32>, tensor<2x1x1xf32>) outs(%out : tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %5 = linalg.add ins(%1, %2 : tensor<4x4xf32>, tensor<4x4xf32>) outs(%z : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %0, %5, %2, %3, %4 : tensor<4x4xi32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>, tensor<1x2x4x4xf32>
}
