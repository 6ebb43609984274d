// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What each kind of selector selects, what takes precedence, and a remark for one that selects nothing.
// A contraction is in FP8 if it has a capture, named after it: ALPHA, BETA, BMM (gamma) say that just this one is left.

// RUN: fovea-opt %s "--fovea-insert-captures={include=policy:all exclude={'^beta$',main.batch}}" | FileCheck %s --check-prefix=ALPHA
// RUN: fovea-opt %s "--fovea-insert-captures={include=policy:all exclude='name:eta|batch'}" | FileCheck %s --check-prefix=ALPHA
// RUN: fovea-opt %s "--fovea-insert-captures={include=policy:all exclude=position:1-2}" | FileCheck %s --check-prefix=ALPHA
// RUN: fovea-opt %s "--fovea-insert-captures={include=policy:all exclude=position:1-}" | FileCheck %s --check-prefix=ALPHA
// RUN: fovea-opt %s "--fovea-insert-captures={include=policy:all exclude=at:selectors.mlir}" | FileCheck %s --check-prefix=ALPHA
// ALPHA: id = "alpha.lhs"
// ALPHA-NOT: fovea.capture
// ALPHA: return

// RUN: fovea-opt %s "--fovea-insert-captures={include=policy:all exclude={at:net.py:7,position:last}}" | FileCheck %s --check-prefix=BETA
// RUN: fovea-opt %s "--fovea-insert-captures={include=policy:all exclude={at:net/net.py:5-7,kind:batch_matmul}}" | FileCheck %s --check-prefix=BETA
// RUN: fovea-opt %s "--fovea-insert-captures={include=policy:all exclude={position:0,position:2}}" | FileCheck %s --check-prefix=BETA
// BETA-NOT: "alpha.lhs"
// BETA: id = "beta.lhs"
// BETA-NOT: fovea.capture
// BETA: return

// RUN: fovea-opt %s "--fovea-insert-captures={include=policy:all exclude=kind:matmul}" | FileCheck %s --check-prefix=BMM
// RUN: fovea-opt %s "--fovea-insert-captures={include=policy:all exclude={position:first,at:./selectors.mlir:44}}" | FileCheck %s --check-prefix=BMM
// BMM-NOT: "alpha.lhs"
// BMM-NOT: "beta.lhs"
// BMM: id = "gamma.lhs"
// BMM-NOT: fovea.capture
// BMM: return

// `exclude` beats `include`; `include` beats the policies: of the three only alpha reads the input, and only it is named.
// RUN: fovea-opt %s "--fovea-insert-captures={exclude={policy:last,beta} include={beta,kind:first}}" | FileCheck %s --check-prefix=ALPHA

// RUN: fovea-opt %s "--fovea-insert-captures={exclude={'a,|b{9}',at:et.py,kind:conv} include={position:7,kind:attention}}" 2>&1 | FileCheck %s --check-prefix=NOTHING
// NOTHING: remark: --exclude a,|b{9} selects no contraction
// NOTHING: remark: --exclude at:et.py selects no contraction
// NOTHING: remark: --exclude kind:conv selects no contraction
// NOTHING: remark: --include position:7 selects no contraction
// NOTHING: remark: --include kind:attention selects no contraction
func.func @main(%x: tensor<4x16xf32>, %w: tensor<16x8xf32> {fovea.weight = "fc.weight"}, %v: tensor<8x8xf32> {fovea.weight = "beta.weight"},
                %u: tensor<2x4x4xf32> {fovea.weight = "gamma"}, %z: tensor<4x8xf32>, %o: tensor<2x4x4xf32>) -> tensor<2x4x4xf32> {
  %a = linalg.matmul ins(%x, %w : tensor<4x16xf32>, tensor<16x8xf32>) outs(%z : tensor<4x8xf32>) -> tensor<4x8xf32> loc(fused["net/net.py":7:3, "alpha"])
  %t = linalg.tanh ins(%a : tensor<4x8xf32>) outs(%z : tensor<4x8xf32>) -> tensor<4x8xf32>
  // The next line is 44.
  %b = linalg.matmul ins(%t, %v : tensor<4x8xf32>, tensor<8x8xf32>) outs(%z : tensor<4x8xf32>) -> tensor<4x8xf32>
  %e = linalg.exp ins(%b : tensor<4x8xf32>) outs(%z : tensor<4x8xf32>) -> tensor<4x8xf32>
  %s = tensor.expand_shape %e [[0, 1], [2]] output_shape [2, 2, 8] : tensor<4x8xf32> into tensor<2x2x8xf32>
  %r = tensor.collapse_shape %s [[0], [1, 2]] : tensor<2x2x8xf32> into tensor<2x16xf32>
  %c = tensor.expand_shape %r [[0], [1, 2]] output_shape [2, 4, 4] : tensor<2x16xf32> into tensor<2x4x4xf32>
  %d = linalg.batch_matmul ins(%c, %u : tensor<2x4x4xf32>, tensor<2x4x4xf32>) outs(%o : tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  return %d : tensor<2x4x4xf32>
}
