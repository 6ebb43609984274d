// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-demote-f64 --split-input-file --verify-diagnostics | FileCheck %s

// A finite constant stays finite, and one that is not 0 stays so.
// (The casts back to the f64 results are folded: these are f32 values.)
// CHECK-LABEL: func.func @range
// CHECK-DAG: arith.constant 3.4028234663852886E+38 : f64
// CHECK-DAG: arith.constant -3.4028234663852886E+38 : f64
// CHECK-DAG: arith.constant 1.1754943508222875E-38 : f64
// CHECK-DAG: arith.constant 0xFFF0000000000000 : f64
// CHECK-DAG: arith.constant 0.10000000149011612 : f64
// CHECK-DAG: arith.constant dense<[0.000000e+00, 2.500000e-01]> : tensor<2xf32>
func.func @range() -> (f64, f64, f64, f64, f64, tensor<2xf64>) {
  // expected-remark @below {{f64 constant 1e+300 is outside the range of f32, 3.40282e+38 is used instead}}
  %big = arith.constant 1.0e300 : f64
  // expected-remark @below {{f64 constant -1.79769e+308 is outside the range of f32, -3.40282e+38 is used instead}}
  %min = arith.constant -1.7976931348623157e308 : f64
  // expected-remark @below {{f64 constant 1e-300 is outside the range of f32, 1.17549e-38 is used instead}}
  %eps = arith.constant 1.0e-300 : f64
  %inf = arith.constant 0xFFF0000000000000 : f64
  %tenth = arith.constant 0.1 : f64
  %dense = arith.constant dense<[0.0, 0.25]> : tensor<2xf64>
  return %big, %min, %eps, %inf, %tenth, %dense : f64, f64, f64, f64, f64, tensor<2xf64>
}

// -----

func.func @bits(%x: f64) -> i64 {
  // expected-error @below {{'arith.bitcast' op reads or makes the bits of an f64, which Fovea computes in f32}}
  %b = arith.bitcast %x : f64 to i64
  return %b : i64
}
