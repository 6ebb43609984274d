// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Other forms of the same ops.
// RUN: fovea-opt %s --fovea-detect-attention --verify-diagnostics | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// Both contractions as linalg.generic, of rank 4, with nothing collapsed.
// CHECK-LABEL: func.func @generic
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @generic(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %q4: tensor<2x3x4x8xf32>, %k4: tensor<2x3x6x8xf32>, %v4: tensor<2x3x6x5xf32>) -> tensor<2x3x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x3x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x3x4x6xf32>) -> tensor<2x3x4x6xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(b, h, m, n, k) -> (b, h, m, k)>, affine_map<(b, h, m, n, k) -> (b, h, n, k)>, affine_map<(b, h, m, n, k) -> (b, h, m, n)>],
        iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%q4, %k4 : tensor<2x3x4x8xf32>, tensor<2x3x6x8xf32>) outs(%zs : tensor<2x3x4x6xf32>) {
  ^bb0(%x: f32, %y: f32, %acc: f32):
    %m = arith.mulf %x, %y : f32
    %r = arith.addf %acc, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x3x4x6xf32>
  %p = linalg.softmax dimension(3) ins(%s : tensor<2x3x4x6xf32>) outs(%es : tensor<2x3x4x6xf32>) -> tensor<2x3x4x6xf32>
  %eo = tensor.empty() : tensor<2x3x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x3x4x5xf32>) -> tensor<2x3x4x5xf32>
  // expected-remark @below {{attention tagged}}
  %o = linalg.generic {indexing_maps = [affine_map<(b, h, m, d, n) -> (b, h, m, n)>, affine_map<(b, h, m, d, n) -> (b, h, n, d)>, affine_map<(b, h, m, d, n) -> (b, h, m, d)>],
        iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%p, %v4 : tensor<2x3x4x6xf32>, tensor<2x3x6x5xf32>) outs(%zo : tensor<2x3x4x5xf32>) {
  ^bb0(%x: f32, %y: f32, %acc: f32):
    %m = arith.mulf %x, %y : f32
    %r = arith.addf %acc, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x3x4x5xf32>
  return %o : tensor<2x3x4x5xf32>
}

// K transposed before a batch_matmul without maps of its own.
// CHECK-LABEL: func.func @transposed_key
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @transposed_key(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %et = tensor.empty() : tensor<2x8x6xf32>
  %kt = linalg.transpose ins(%k : tensor<2x6x8xf32>) outs(%et : tensor<2x8x6xf32>) permutation = [0, 2, 1]
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x4x8xf32>, tensor<2x8x6xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{attention tagged}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// Softmax in named ops: sub, exp, div, with broadcasts.
// CHECK-LABEL: func.func @named
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @named(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %max_e = tensor.empty() : tensor<2x4xf32>
  %max_i = arith.constant 0xFF800000 : f32
  %max_z = linalg.fill ins(%max_i : f32) outs(%max_e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %max = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%s : tensor<2x4x6xf32>) outs(%max_z : tensor<2x4xf32>) {
  ^bb0(%x: f32, %acc: f32):
    %r = arith.maximumf %x, %acc : f32
    linalg.yield %r : f32
  } -> tensor<2x4xf32>
  %eb = tensor.empty() : tensor<2x4x6xf32>
  %mb = linalg.broadcast ins(%max : tensor<2x4xf32>) outs(%eb : tensor<2x4x6xf32>) dimensions = [2]
  %d = linalg.sub ins(%s, %mb : tensor<2x4x6xf32>, tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %exp = linalg.exp ins(%d : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %sum_e = tensor.empty() : tensor<2x4xf32>
  %sum_i = arith.constant 0.0 : f32
  %sum_z = linalg.fill ins(%sum_i : f32) outs(%sum_e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%exp : tensor<2x4x6xf32>) outs(%sum_z : tensor<2x4xf32>) {
  ^bb0(%x: f32, %acc: f32):
    %r = arith.addf %x, %acc : f32
    linalg.yield %r : f32
  } -> tensor<2x4xf32>
  %lb = linalg.broadcast ins(%sum : tensor<2x4xf32>) outs(%eb : tensor<2x4x6xf32>) dimensions = [2]
  %p = linalg.div ins(%exp, %lb : tensor<2x4x6xf32>, tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{attention tagged}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// Dropout that was exported with its scale: a constant on the probabilities.
// CHECK-LABEL: func.func @dropout
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "qk">
// CHECK: linalg.{{.*}}fovea.attention = #fovea.site<{{[0-9]+}} : i64, "pv">
// CHECK: return
func.func @dropout(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%q, %k : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %a = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%a : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%x0: f32, %acc: f32):
    %c = arith.constant 1.25 : f32
    %r = arith.mulf %x0, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  // expected-remark @below {{attention tagged}}
  %o = linalg.batch_matmul ins(%p, %v : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}
