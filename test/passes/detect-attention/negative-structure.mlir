// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A softmax and two contractions that do not make up an attention.
// RUN: fovea-opt %s --fovea-detect-attention --verify-diagnostics | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// Probabilities reshaped from queries x keys to keys x queries, not transposed.
// CHECK-LABEL: func.func @mixing_reshape
// CHECK-NOT: fovea.site
func.func @mixing_reshape(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %w: tensor<2x4x5xf32>) -> tensor<2x6x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %flat = tensor.collapse_shape %p [[0], [1, 2]] : tensor<2x4x6xf32> into tensor<2x24xf32>
  %turned = tensor.expand_shape %flat [[0], [1, 2]] output_shape [2, 6, 4] : tensor<2x24xf32> into tensor<2x6x4xf32>
  %eo = tensor.empty() : tensor<2x6x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x6x5xf32>) -> tensor<2x6x5xf32>
  %ev = tensor.empty() : tensor<2x5x4xf32>
  // expected-remark @below {{more than pointwise work and layout}}
  %o = linalg.batch_matmul ins(%turned, %w : tensor<2x6x4xf32>, tensor<2x4x5xf32>) outs(%zo : tensor<2x6x5xf32>) -> tensor<2x6x5xf32>
  return %o : tensor<2x6x5xf32>
}

// Softmax over queries and keys together.
// CHECK-LABEL: func.func @flattened
// CHECK-NOT: fovea.site
func.func @flattened(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %flat = tensor.collapse_shape %s [[0], [1, 2]] : tensor<2x4x6xf32> into tensor<2x24xf32>
  %ef = tensor.empty() : tensor<2x24xf32>
  %pf = linalg.softmax dimension(1) ins(%flat : tensor<2x24xf32>) outs(%ef : tensor<2x24xf32>) -> tensor<2x24xf32>
  %p = tensor.expand_shape %pf [[0], [1, 2]] output_shape [2, 4, 6] : tensor<2x24xf32> into tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{normalises over one axis and the second contraction sums over another}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// A running sum of the probabilities weighs the values.
// CHECK-LABEL: func.func @running_sum
// CHECK-NOT: fovea.site
func.func @running_sum(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  // expected-remark @below {{no contraction consumes the result}}
  %a = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %c = tensor.empty() : tensor<2x4x6xf32>
  %p = linalg.generic {indexing_maps = [affine_map<(b, m, n, j) -> (b, m, j)>, affine_map<(b, m, n, j) -> (b, m, n)>],
        iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%a : tensor<2x4x6xf32>) outs(%zs : tensor<2x4x6xf32>) {
  ^bb0(%x: f32, %acc: f32):
    %j = linalg.index 3 : index
    %n = linalg.index 2 : index
    %in = arith.cmpi ule, %j, %n : index
    %none = arith.constant 0.0 : f32
    %y = arith.select %in, %x, %none : f32
    %r = arith.addf %acc, %y : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// A classifier: the probabilities are the result.
// CHECK-LABEL: func.func @classifier
// CHECK-NOT: fovea.site
func.func @classifier(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x6xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  // expected-remark @below {{no contraction consumes the result}}
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  return %p : tensor<2x4x6xf32>
}

// Softmax of an argument.
// CHECK-LABEL: func.func @no_first_contraction
// CHECK-NOT: fovea.site
func.func @no_first_contraction(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %s: tensor<2x4x6xf32>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  // expected-remark @below {{its argument comes from no contraction}}
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// Mixture of experts: gates from a constant matrix, one set of expert outputs a token.
// CHECK-LABEL: func.func @router
// CHECK-NOT: fovea.site
func.func @router(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %x: tensor<4x8xf32>, %gate: tensor<8x6xf32>, %experts: tensor<4x6x5xf32>) -> tensor<4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %eg = tensor.empty() : tensor<4x6xf32>
  %zg = linalg.fill ins(%zero : f32) outs(%eg : tensor<4x6xf32>) -> tensor<4x6xf32>
  %g = linalg.matmul ins(%x, %gate : tensor<4x8xf32>, tensor<8x6xf32>) outs(%zg : tensor<4x6xf32>) -> tensor<4x6xf32>
  %p = linalg.softmax dimension(1) ins(%g : tensor<4x6xf32>) outs(%eg : tensor<4x6xf32>) -> tensor<4x6xf32>
  %eo = tensor.empty() : tensor<4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<4x5xf32>) -> tensor<4x5xf32>
  // expected-remark @below {{keys and values disagree on the batch dims}}
  %o = linalg.generic {indexing_maps = [affine_map<(t, d, e) -> (t, e)>, affine_map<(t, d, e) -> (t, e, d)>, affine_map<(t, d, e) -> (t, d)>],
        iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%p, %experts : tensor<4x6xf32>, tensor<4x6x5xf32>) outs(%zo : tensor<4x5xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %acc, %m : f32
    linalg.yield %r : f32
  } -> tensor<4x5xf32>
  return %o : tensor<4x5xf32>
}

// Softmax over channels between two convolutions.
// CHECK-LABEL: func.func @convolutions
// CHECK-NOT: fovea.site
func.func @convolutions(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %image: tensor<1x4x6x6xf32>, %w0: tensor<4x4x1x1xf32>) -> tensor<1x4x6x6xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x4x6x6xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32>
  %s = linalg.conv_2d_nchw_fchw ins(%image, %w0 : tensor<1x4x6x6xf32>, tensor<4x4x1x1xf32>) outs(%z : tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32>
  %p = linalg.softmax dimension(1) ins(%s : tensor<1x4x6x6xf32>) outs(%e : tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32>
  // expected-remark @below {{a contraction's body cannot be read}}
  %o = linalg.conv_2d_nchw_fchw ins(%p, %w0 : tensor<1x4x6x6xf32>, tensor<4x4x1x1xf32>) outs(%z : tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32>
  return %o : tensor<1x4x6x6xf32>
}

// CHECK-LABEL: func.func @end
func.func @end() {
  return
}
