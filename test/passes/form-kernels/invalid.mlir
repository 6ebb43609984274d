// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --split-input-file --verify-diagnostics --fovea-form-kernels

func.func @scan(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{'tensor.generate' has no kernel; Fovea compiles linalg contractions, reductions and elementwise ops}}
  %r = tensor.generate {
  ^bb0(%i: index):
    %v = tensor.extract %x[%i] : tensor<4xf32>
    tensor.yield %v : f32
  } : tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

// expected-error @unknown {{expected one public function with a body (the entry), found @a, @b}}
func.func @a() { return }
func.func @b() { return }

// -----

// expected-error @unknown {{expected one public function with a body (the entry), found none}}
func.func private @c() { return }
