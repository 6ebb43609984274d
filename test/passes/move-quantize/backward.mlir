// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-move-quantize | FileCheck %s

#id = affine_map<(a, b) -> (a, b)>

// A reshape and a transpose of a computed tensor: the tensor itself is stored.
// CHECK-LABEL: func.func @layout
// CHECK: %[[Y:.*]] = linalg.generic
// CHECK: math.exp
// CHECK: %[[Q:.*]] = "fovea.quantize"(%[[Y]]) {axis = -1 : i64, scale = dense<5.000000e-01> : tensor<f32>} : (tensor<4x8xf32>) -> tensor<4x8xf8E4M3FNUZ>
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[Q]] : tensor<4x8xf8E4M3FNUZ>)
// CHECK: tensor.expand_shape %[[T]] {{.*}} into tensor<2x4x4xf8E4M3FNUZ>
// CHECK-NOT: fovea.quantize
func.func @layout(%x: tensor<4x8xf32>) -> tensor<2x4x4xf8E4M3FNUZ> {
  %e = tensor.empty() : tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  %et = tensor.empty() : tensor<8x4xf32>
  %t = linalg.transpose ins(%y : tensor<4x8xf32>) outs(%et : tensor<8x4xf32>) permutation = [1, 0]
  %v = tensor.expand_shape %t [[0, 1], [2]] output_shape [2, 4, 4] : tensor<8x4xf32> into tensor<2x4x4xf32>
  %q = "fovea.quantize"(%v) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<2x4x4xf32>) -> tensor<2x4x4xf8E4M3FNUZ>
  return %q : tensor<2x4x4xf8E4M3FNUZ>
}

// Three slices of one tensor with one scale: it is stored once.
// CHECK-LABEL: func.func @slices
// CHECK: %[[Q:.*]] = "fovea.quantize"(%{{.*}}) {{.*}} : (tensor<4x6xf32>) -> tensor<4x6xf8E4M3FN>
// CHECK-COUNT-3: tensor.extract_slice %[[Q]]{{.*}} : tensor<4x6xf8E4M3FN> to tensor<4x2xf8E4M3FN>
// CHECK-NOT: fovea.quantize
func.func @slices(%x: tensor<4x6xf32>) -> (tensor<4x2xf8E4M3FN>, tensor<4x2xf8E4M3FN>, tensor<4x2xf8E4M3FN>) {
  %y = math.exp %x : tensor<4x6xf32>
  %a = tensor.extract_slice %y[0, 0] [4, 2] [1, 1] : tensor<4x6xf32> to tensor<4x2xf32>
  %b = tensor.extract_slice %y[0, 2] [4, 2] [1, 1] : tensor<4x6xf32> to tensor<4x2xf32>
  %c = tensor.extract_slice %y[0, 4] [4, 2] [1, 1] : tensor<4x6xf32> to tensor<4x2xf32>
  %qa = "fovea.quantize"(%a) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x2xf32>) -> tensor<4x2xf8E4M3FN>
  %qb = "fovea.quantize"(%b) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x2xf32>) -> tensor<4x2xf8E4M3FN>
  %qc = "fovea.quantize"(%c) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x2xf32>) -> tensor<4x2xf8E4M3FN>
  return %qa, %qb, %qc : tensor<4x2xf8E4M3FN>, tensor<4x2xf8E4M3FN>, tensor<4x2xf8E4M3FN>
}

// Pieces of a concatenation, each with its part of the scales along it; padding with 0, and with a number.
// CHECK-LABEL: func.func @pieces
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f8E4M3FN
// CHECK-DAG: %[[FOUR:.*]] = arith.constant 4.000000e+00 : f8E4M3FN
// CHECK-DAG: "fovea.quantize"(%{{.*}}) {axis = 0 : i64, scale = dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>} : (tensor<2x3xf32>)
// CHECK-DAG: "fovea.quantize"(%{{.*}}) {axis = -1 : i64, scale = dense<3.000000e+00> : tensor<f32>} : (tensor<1x3xf32>)
// CHECK: tensor.concat dim(0) {{.*}} : (tensor<2x3xf8E4M3FN>, tensor<1x3xf8E4M3FN>) -> tensor<3x3xf8E4M3FN>
// CHECK: tensor.yield %[[ZERO]]
// CHECK: tensor.yield %[[FOUR]]
func.func @pieces(%x: tensor<2x3xf32>, %w: tensor<1x3xf32>) -> (tensor<3x3xf8E4M3FN>, tensor<4x3xf8E4M3FN>, tensor<4x3xf8E4M3FN>) {
  %zero = arith.constant 0.0 : f32
  %two = arith.constant 2.0 : f32
  %y = math.exp %x : tensor<2x3xf32>
  %z = math.exp %w : tensor<1x3xf32>
  %c = tensor.concat dim(0) %y, %z : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<3x3xf32>
  %q = "fovea.quantize"(%c) {axis = 0 : i64, scale = dense<[1.0, 2.0, 3.0]> : tensor<3xf32>} : (tensor<3x3xf32>) -> tensor<3x3xf8E4M3FN>
  %p = tensor.pad %y low[1, 0] high[1, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<2x3xf32> to tensor<4x3xf32>
  %qp = "fovea.quantize"(%p) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x3xf32>) -> tensor<4x3xf8E4M3FN>
  %s = tensor.pad %y low[0, 0] high[2, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %two : f32
  } : tensor<2x3xf32> to tensor<4x3xf32>
  %qs = "fovea.quantize"(%s) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x3xf32>) -> tensor<4x3xf8E4M3FN>
  return %q, %qp, %qs : tensor<3x3xf8E4M3FN>, tensor<4x3xf8E4M3FN>, tensor<4x3xf8E4M3FN>
}

// Max pooling and the clamp at 0 below it take stored numbers, compared as f32. A broadcast; rows of a weight.
// CHECK-LABEL: func.func @maxima
// CHECK: %[[Q:.*]] = "fovea.quantize"(%{{.*}}) {{.*}} : (tensor<1x4x4x2xf32>)
// CHECK: linalg.generic {{.*}}"reduction", "reduction"]} ins(%[[Q]], %{{.*}} : tensor<1x4x4x2xf8E4M3FNUZ>, tensor<2x2xf32>) outs(%{{.*}} : tensor<1x2x2x2xf32>)
// CHECK: arith.maximumf
// CHECK: arith.truncf %{{.*}} : f32 to f8E4M3FNUZ
// CHECK: arith.maximumf
// CHECK-NOT: fovea.quantize
func.func @maxima(%x: tensor<1x4x4x2xf32>) -> tensor<1x2x2x2xf8E4M3FNUZ> {
  %low = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f32
  %y = math.exp %x : tensor<1x4x4x2xf32>
  %w = tensor.empty() : tensor<2x2xf32>
  %e = tensor.empty() : tensor<1x2x2x2xf32>
  %f = linalg.fill ins(%low : f32) outs(%e : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %p = linalg.pooling_nhwc_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>} ins(%y, %w : tensor<1x4x4x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>, affine_map<(a, b, c, d) -> (a, b, c, d)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%p : tensor<1x2x2x2xf32>) outs(%e : tensor<1x2x2x2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %zero : f32
    linalg.yield %m : f32
  } -> tensor<1x2x2x2xf32>
  %q = "fovea.quantize"(%r) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf8E4M3FNUZ>
  return %q : tensor<1x2x2x2xf8E4M3FNUZ>
}

// A broadcast is of stored numbers; rows are gathered from a stored table.
// CHECK-LABEL: func.func @rows
// CHECK-DAG: %[[T:.*]] = "fovea.quantize"(%{{.*}}) {{.*}} : (tensor<9x3xf32>)
// CHECK-DAG: %[[Q:.*]] = "fovea.quantize"(%{{.*}}) {{.*}} : (tensor<3xf32>)
// CHECK-DAG: tensor.extract %[[T]][%{{.*}}, %{{.*}}] : tensor<9x3xf8E4M3FN>
// CHECK-DAG: linalg.generic {{.*}} ins(%[[Q]] : tensor<3xf8E4M3FN>) outs(%{{.*}} : tensor<4x3xf8E4M3FN>)
func.func @rows(%ids: tensor<4xi64>, %x: tensor<3xf32>, %table: tensor<9x3xf32> {fovea.weight = "table"}) -> (tensor<4x3xf8E4M3FN>, tensor<4x3xf8E4M3FN>) {
  %e = tensor.empty() : tensor<4x3xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a)>, #id], iterator_types = ["parallel", "parallel"]} ins(%ids : tensor<4xi64>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%i: i64, %o: f32):
    %row = arith.index_cast %i : i64 to index
    %column = linalg.index 1 : index
    %r = tensor.extract %table[%row, %column] : tensor<9x3xf32>
    linalg.yield %r : f32
  } -> tensor<4x3xf32>
  %q = "fovea.quantize"(%g) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4x3xf32>) -> tensor<4x3xf8E4M3FN>
  %y = math.exp %x : tensor<3xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(a, b) -> (b)>, #id], iterator_types = ["parallel", "parallel"]} ins(%y : tensor<3xf32>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<4x3xf32>
  %qb = "fovea.quantize"(%b) {axis = 1 : i64, scale = dense<[1.0, 2.0, 3.0]> : tensor<3xf32>} : (tensor<4x3xf32>) -> tensor<4x3xf8E4M3FN>
  return %q, %qb : tensor<4x3xf8E4M3FN>, tensor<4x3xf8E4M3FN>
}

// A clamp at 0 between a dequantize and a quantize of its scale works on the stored numbers, as select too.
// CHECK-LABEL: func.func @clamp
// CHECK-NOT: fovea.
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<4x8xf8E4M3FN>) outs(%{{.*}} : tensor<4x8xf8E4M3FN>)
// CHECK: arith.cmpf ugt
// CHECK-NOT: fovea.
// CHECK: return
func.func @clamp(%q: tensor<4x8xf8E4M3FN>) -> tensor<4x8xf8E4M3FN> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.3> : tensor<f32>} : (tensor<4x8xf8E4M3FN>) -> tensor<4x8xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%d : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %c = arith.cmpf ugt, %a, %zero : f32
    %m = arith.select %c, %a, %zero : f32
    linalg.yield %m : f32
  } -> tensor<4x8xf32>
  %s = "fovea.quantize"(%r) {axis = -1 : i64, scale = dense<0.3> : tensor<f32>} : (tensor<4x8xf32>) -> tensor<4x8xf8E4M3FN>
  return %s : tensor<4x8xf8E4M3FN>
}
