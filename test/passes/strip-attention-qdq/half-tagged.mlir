// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A site has two contractions; tags that say otherwise are an error.
// RUN: not fovea-opt %s --fovea-strip-attention-qdq 2>&1 | FileCheck %s

func.func @half(%p: tensor<4x6xf32>, %v: tensor<6x5xf32>, %start: tensor<4x5xf32>) -> tensor<4x5xf32> {
  // CHECK: half-tagged.mlir:7:8: error: 'linalg.matmul' op expects attention site 7 to have an op with role "qk", found only pv
  %o = linalg.matmul {fovea.attention = #fovea.site<7 : i64, "pv">}
      ins(%p, %v : tensor<4x6xf32>, tensor<6x5xf32>) outs(%start : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %o : tensor<4x5xf32>
}
