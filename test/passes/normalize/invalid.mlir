// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-normalize --split-input-file --verify-diagnostics -o /dev/null

// expected-error @below {{'func.func' op dynamic shapes are not supported yet, found tensor<?x8xf32>; export the model with static shapes}}
func.func @argument(%x: tensor<?x8xf32>) {
  return
}

// -----

func.func @inside(%n: index) -> tensor<8xf32> {
  // expected-error @below {{'tensor.empty' op dynamic shapes are not supported yet, found tensor<?xf32>; export the model with static shapes}}
  %e = tensor.empty(%n) : tensor<?xf32>
  %s = tensor.extract_slice %e[0] [8] [1] : tensor<?xf32> to tensor<8xf32>
  return %s : tensor<8xf32>
}

// -----

// expected-error @below {{'func.func' op dynamic shapes are not supported yet, found tensor<*xf32>; export the model with static shapes}}
func.func @unranked(%x: tensor<*xf32>) {
  return
}
