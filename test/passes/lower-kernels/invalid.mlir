// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --split-input-file --verify-diagnostics --fovea-lower-kernels

// expected-error @below {{no plan ('fovea.arena_bytes' is missing); run fovea-plan first}}
func.func @main() { return }

// -----

// expected-error @below {{unknown kind of kernel 'sparse'; expected one of elementwise, rowwise, reduction, contraction, attention}}
func.func private @k(%x: tensor<4xf32>) -> tensor<4xf32> attributes {fovea.kernel = "sparse"} {
  return %x : tensor<4xf32>
}
func.func @main() attributes {fovea.arena_bytes = 0 : i64} { return }

// -----

// expected-error @below {{kernel function without an op marked 'fovea.hero'}}
func.func private @k(%x: tensor<4xf32>) -> tensor<4xf32> attributes {fovea.kernel = "elementwise"} {
  return %x : tensor<4xf32>
}
func.func @main() attributes {fovea.arena_bytes = 0 : i64} { return }

// -----

func.func private @k(%x: tensor<4x4xf32>, %y: tensor<4x4xf16>, %z: tensor<4x4xf32>) -> tensor<4x4xf32> attributes {fovea.kernel = "contraction"} {
  // expected-error @below {{'linalg.matmul' has operands of different sizes (f32, f16)}}
  %0 = linalg.matmul {fovea.hero} ins(%x, %y : tensor<4x4xf32>, tensor<4x4xf16>) outs(%z : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}
func.func @main() attributes {fovea.arena_bytes = 0 : i64} { return }

// -----

func.func private @k(%x: tensor<4xf32>) -> tensor<4xf32> attributes {fovea.kernel = "contraction"} {
  %e = tensor.empty() : tensor<4xf32>
  // expected-error @below {{'linalg.exp' is not a contraction of two tensors}}
  %0 = linalg.exp {fovea.hero} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func @main() attributes {fovea.arena_bytes = 0 : i64} { return }

// -----

func.func private @k(%x: tensor<4xf32>) -> tensor<4xf32> attributes {fovea.kernel = "attention"} {
  %e = tensor.empty() : tensor<4xf32>
  // expected-error @below {{'linalg.exp' is not an attention}}
  %0 = linalg.exp {fovea.hero} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func @main() attributes {fovea.arena_bytes = 0 : i64} { return }

// -----

// expected-error @below {{a result does not follow from the kernel's hero}}
func.func private @k(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<2x4xf32>) attributes {fovea.kernel = "elementwise"} {
  %e = tensor.empty() : tensor<4xf32>
  %f = tensor.empty() : tensor<2x4xf32>
  %0 = linalg.exp {fovea.hero} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %1 = linalg.broadcast ins(%0 : tensor<4xf32>) outs(%f : tensor<2x4xf32>) dimensions = [0]
  return %0, %1 : tensor<4xf32>, tensor<2x4xf32>
}
func.func @main() attributes {fovea.arena_bytes = 0 : i64} { return }

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
func.func private @k(%x: tensor<4x8xf32>, %z: tensor<4xf32>) -> tensor<4xf32> attributes {fovea.kernel = "rowwise", fovea.rows = 4 : i64, fovea.columns = 8 : i64} {
  // expected-error @below {{'linalg.generic' combines in a way that has no row-wise kernel}}
  %0 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x8xf32>) outs(%z : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.subf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func @main() attributes {fovea.arena_bytes = 0 : i64} { return }

// -----

func.func private @k(%x: tensor<4xf32>) -> tensor<4xf32> attributes {fovea.kernel = "elementwise"} {
  %e = tensor.empty() : tensor<4xf32>
  // expected-error @below {{'math.atan' in the body of a tensor op has no kernel}}
  %0 = linalg.map { math.atan } ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {fovea.hero}
  return %0 : tensor<4xf32>
}
func.func @main() attributes {fovea.arena_bytes = 0 : i64} { return }
