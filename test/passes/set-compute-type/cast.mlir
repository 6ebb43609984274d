// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-set-compute-type | FileCheck %s --check-prefixes=CHECK,F16
// RUN: fovea-opt %s --fovea-set-compute-type={compute_type=bf16} | FileCheck %s --check-prefixes=CHECK,BF16
// RUN: fovea-opt %s --fovea-set-compute-type={compute_type=f32} | FileCheck %s --check-prefix=F32
// RUN: not fovea-opt %s --fovea-set-compute-type={compute_type=f8} 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: option 'compute_type': expected one of f16, bf16, f32, found 'f8'

// F32-NOT: arith.truncf %{{.*}} : f32

// One cast for the two readers of %x; sums and results stay f32.
// CHECK-LABEL: func.func @shared
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<4x8xf32>, %[[V:[a-z0-9]+]]: tensor<8x5xf32>, %[[W:[a-z0-9]+]]: tensor<8x5xf32>
// F16-COUNT-3: arith.truncf %{{.*}} : f32 to f16
// BF16-COUNT-3: arith.truncf %{{.*}} : f32 to bf16
// CHECK-NOT: arith.truncf
// F16: linalg.matmul ins(%[[XH:.*]], %{{.*}} : tensor<4x8xf16>, tensor<8x5xf16>) outs(%{{.*}} : tensor<4x5xf32>)
// F16: linalg.matmul ins(%[[XH]], %{{.*}} : tensor<4x8xf16>, tensor<8x5xf16>) outs(%{{.*}} : tensor<4x5xf32>)
// BF16: linalg.matmul ins(%{{.*}}, %{{.*}} : tensor<4x8xbf16>, tensor<8x5xbf16>) outs(%{{.*}} : tensor<4x5xf32>)
func.func @shared(%x: tensor<4x8xf32>, %v: tensor<8x5xf32>, %w: tensor<8x5xf32>, %z: tensor<4x5xf32>)
    -> (tensor<4x5xf32>, tensor<4x5xf32>) {
  %a = linalg.matmul ins(%x, %v : tensor<4x8xf32>, tensor<8x5xf32>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  %b = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x5xf32>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %a, %b : tensor<4x5xf32>, tensor<4x5xf32>
}

// A generic contraction: its body extends the factors. Maps and other attributes stay.
// CHECK-LABEL: func.func @generic
// F16: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<4x8xf16>, tensor<5x8xf16>) outs(%{{.*}} : tensor<4x5xf32>) attrs = {kept = "yes"}
// F16: arith.extf %{{.*}} : f16 to f32
// F16: arith.extf %{{.*}} : f16 to f32
// F16: arith.mulf
// F16: arith.addf
func.func @generic(%x: tensor<4x8xf32>, %w: tensor<5x8xf32>, %z: tensor<4x5xf32>) -> tensor<4x5xf32> {
  %r = linalg.generic {
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x8xf32>, tensor<5x8xf32>) outs(%z : tensor<4x5xf32>) attrs = {kept = "yes"} {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<4x5xf32>
  return %r : tensor<4x5xf32>
}

// f64 operands are cast too; demote-f64 then makes the sum f32.
// CHECK-LABEL: func.func @double
// F16: linalg.matmul ins(%{{.*}} : tensor<4x8xf16>, tensor<8x5xf16>) outs(%{{.*}} : tensor<4x5xf64>)
// F32: linalg.matmul ins(%{{.*}} : tensor<4x8xf32>, tensor<8x5xf32>) outs(%{{.*}} : tensor<4x5xf64>)
func.func @double(%x: tensor<4x8xf64>, %w: tensor<8x5xf64>, %z: tensor<4x5xf64>) -> tensor<4x5xf64> {
  %r = linalg.matmul ins(%x, %w : tensor<4x8xf64>, tensor<8x5xf64>) outs(%z : tensor<4x5xf64>) -> tensor<4x5xf64>
  return %r : tensor<4x5xf64>
}

// Models in f16 and bf16, FP8 contractions and integers are left alone; so is all that is no contraction.
// CHECK-LABEL: func.func @untouched
// CHECK-NOT: arith.truncf
// CHECK: linalg.matmul ins(%{{.*}} : tensor<4x8xbf16>, tensor<8x5xbf16>) outs(%{{.*}} : tensor<4x5xf32>)
// CHECK: linalg.matmul ins(%{{.*}} : tensor<4x8xf8E4M3FNUZ>, tensor<8x5xf8E4M3FNUZ>) outs(%{{.*}} : tensor<4x5xf32>)
// CHECK: linalg.matmul ins(%{{.*}} : tensor<4x8xi8>, tensor<8x5xi8>) outs(%{{.*}} : tensor<4x5xi32>)
// CHECK: linalg.add ins(%{{.*}} : tensor<4x5xf32>, tensor<4x5xf32>)
func.func @untouched(%a: tensor<4x8xbf16>, %b: tensor<8x5xbf16>, %c: tensor<4x8xf8E4M3FNUZ>, %d: tensor<8x5xf8E4M3FNUZ>,
                     %e: tensor<4x8xi8>, %f: tensor<8x5xi8>, %z: tensor<4x5xf32>, %y: tensor<4x5xi32>)
    -> (tensor<4x5xf32>, tensor<4x5xi32>) {
  %0 = linalg.matmul ins(%a, %b : tensor<4x8xbf16>, tensor<8x5xbf16>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  %1 = linalg.matmul ins(%c, %d : tensor<4x8xf8E4M3FNUZ>, tensor<8x5xf8E4M3FNUZ>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  %2 = linalg.matmul ins(%e, %f : tensor<4x8xi8>, tensor<8x5xi8>) outs(%y : tensor<4x5xi32>) -> tensor<4x5xi32>
  %3 = linalg.add ins(%0, %1 : tensor<4x5xf32>, tensor<4x5xf32>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %3, %2 : tensor<4x5xf32>, tensor<4x5xi32>
}

// Where one factor is bf16 already, the other follows it.
// CHECK-LABEL: func.func @mixed
// CHECK: linalg.matmul ins(%{{.*}} : tensor<4x8xbf16>, tensor<8x5xbf16>) outs(%{{.*}} : tensor<4x5xf32>)
func.func @mixed(%a: tensor<4x8xbf16>, %b: tensor<8x5xf32>, %z: tensor<4x5xf32>) -> tensor<4x5xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<4x8xbf16>, tensor<8x5xf32>) outs(%z : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %0 : tensor<4x5xf32>
}

// Query, key and value are cast, the mask and the result are not.
// CHECK-LABEL: func.func @attention
// F16: "fovea.attention"
// F16: : (tensor<2x8x16xf16>, tensor<2x8x16xf16>, tensor<2x8x16xf16>, tensor<8x8xf32>) -> tensor<2x8x16xf32>
func.func @attention(%q: tensor<2x8x16xf32>, %k: tensor<2x8x16xf32>, %v: tensor<2x8x16xf32>, %m: tensor<8x8xf32>) -> tensor<2x8x16xf32> {
  %0 = "fovea.attention"(%q, %k, %v, %m) ({
  ^bb0(%s: f32, %b: f32):
    %1 = arith.addf %s, %b : f32
    "fovea.yield"(%1) {operandSegmentSizes = array<i32: 1>} : (f32) -> ()
  }) {indexing_maps = [affine_map<(b, q, n, k, d) -> (b, q, k)>, affine_map<(b, q, n, k, d) -> (b, n, k)>,
                       affine_map<(b, q, n, k, d) -> (b, n, d)>, affine_map<(b, q, n, k, d) -> (q, n)>,
                       affine_map<(b, q, n, k, d) -> (b, q, d)>],
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<8x8xf32>) -> tensor<2x8x16xf32>
  return %0 : tensor<2x8x16xf32>
}
