// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --fovea-channels-last | FileCheck %s

#id = affine_map<(a, b, c, d) -> (a, b, c, d)>
#channel = affine_map<(a, b, c, d) -> (b)>

// Two convolutions in PyTorch's layout. The input is transposed below its padding; the transposes between the two are
// gone, as the elementwise op and the pooling compute with the channels last as well.
// CHECK-DAG: #[[IMAGE:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d2 + d5, d3 + d6, d4)>
// CHECK-DAG: #[[FILTER:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d5, d6, d4)>
// CHECK-DAG: #[[RESULT:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d2, d3, d1)>
// CHECK-DAG: #[[STRIDED:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d2 * 2 + d5, d3 * 2 + d6 * 2, d4)>
// CHECK-LABEL: func.func @two
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<1x8x6x6xf16>, %[[W:[a-z0-9]+]]: tensor<16x8x3x3xf16>
// CHECK: %[[XT:.*]] = linalg.transpose ins(%[[X]] : {{.*}}) {{.*}} permutation = [0, 2, 3, 1]
// CHECK: %[[P:.*]] = tensor.pad %[[XT]] low[0, 1, 1, 0] high[0, 1, 1, 0]
// CHECK: %[[WT:.*]] = linalg.transpose ins(%[[W]] : {{.*}}) {{.*}} permutation = [0, 2, 3, 1]
// CHECK: %[[C:.*]] = linalg.generic {indexing_maps = [#[[IMAGE]], #[[FILTER]], #[[RESULT]]]
// CHECK-SAME: ins(%[[P]], %[[WT]] : tensor<1x8x8x8xf16>, tensor<16x3x3x8xf16>) outs({{.*}} : tensor<1x6x6x16xf32>)
// CHECK: %[[E:.*]] = linalg.generic {{.*}} ins(%[[C]], %{{.*}} : tensor<1x6x6x16xf32>, tensor<16xf32>)
// CHECK-NOT: linalg.transpose
// CHECK: %[[PP:.*]] = tensor.pad %[[E]] low[0, 1, 1, 0] high[0, 0, 0, 0]
// CHECK: linalg.generic {{.*}} ins(%[[PP]], %{{.*}} : tensor<1x7x7x16xf16>, tensor<2x2xf16>)
// CHECK: linalg.generic {indexing_maps = [#[[STRIDED]],
// CHECK: linalg.transpose {{.*}} outs({{.*}} : tensor<1x4x2x1xf32>) permutation = [0, 3, 1, 2]
func.func @two(%x: tensor<1x8x6x6xf16>, %w: tensor<16x8x3x3xf16>, %v: tensor<4x16x3x3xf16>, %b: tensor<16xf32>)
    -> tensor<1x4x2x1xf32> {
  %zero = arith.constant 0.0 : f32
  %h = arith.constant 0.0 : f16
  %lowest = arith.constant 0xFC00 : f16
  %p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %h : f16
  } : tensor<1x8x6x6xf16> to tensor<1x8x8x8xf16>
  %e = tensor.empty() : tensor<1x16x6x6xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x16x6x6xf32>) -> tensor<1x16x6x6xf32>
  %c = linalg.conv_2d_nchw_fchw ins(%p, %w : tensor<1x8x8x8xf16>, tensor<16x8x3x3xf16>)
      outs(%f : tensor<1x16x6x6xf32>) -> tensor<1x16x6x6xf32>
  %e16 = tensor.empty() : tensor<1x16x6x6xf16>
  %r = linalg.generic {indexing_maps = [#id, #channel, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%c, %b : tensor<1x16x6x6xf32>, tensor<16xf32>) outs(%e16 : tensor<1x16x6x6xf16>) {
  ^bb0(%s: f32, %t: f32, %o: f16):
    %0 = arith.addf %s, %t : f32
    %1 = arith.truncf %0 : f32 to f16
    linalg.yield %1 : f16
  } -> tensor<1x16x6x6xf16>
  %pp = tensor.pad %r low[0, 0, 1, 1] high[0, 0, 0, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %lowest : f16
  } : tensor<1x16x6x6xf16> to tensor<1x16x7x7xf16>
  %me = tensor.empty() : tensor<1x16x6x6xf16>
  %mf = linalg.fill ins(%lowest : f16) outs(%me : tensor<1x16x6x6xf16>) -> tensor<1x16x6x6xf16>
  %window = tensor.empty() : tensor<2x2xf16>
  %m = linalg.pooling_nchw_max ins(%pp, %window : tensor<1x16x7x7xf16>, tensor<2x2xf16>)
      outs(%mf : tensor<1x16x6x6xf16>) -> tensor<1x16x6x6xf16>
  %g = tensor.empty() : tensor<1x4x2x1xf32>
  %q = linalg.fill ins(%zero : f32) outs(%g : tensor<1x4x2x1xf32>) -> tensor<1x4x2x1xf32>
  %d = linalg.conv_2d_nchw_fchw {strides = dense<2> : vector<2xi64>, dilations = dense<[1, 2]> : vector<2xi64>}
      ins(%m, %v : tensor<1x16x6x6xf16>, tensor<4x16x3x3xf16>) outs(%q : tensor<1x4x2x1xf32>) -> tensor<1x4x2x1xf32>
  return %d : tensor<1x4x2x1xf32>
}

// Quantisation with one scale moves below the transpose. Groups are in front of the channels.
// CHECK-LABEL: func.func @groups
// CHECK: %[[XT:.*]] = linalg.transpose ins({{.*}} : tensor<1x2x4x6x6xf8E4M3FNUZ>) {{.*}} permutation = [0, 3, 4, 1, 2]
// CHECK: %[[WT:.*]] = linalg.transpose ins({{.*}} : tensor<2x8x4x3x3xf8E4M3FNUZ>) {{.*}} permutation = [0, 1, 3, 4, 2]
// CHECK: %[[C:.*]] = linalg.generic {{.*}} ins(%[[XT]], %[[WT]] : {{.*}}) outs({{.*}} : tensor<1x4x4x2x8xf32>)
// CHECK: %[[Q:.*]] = "fovea.quantize"(%[[C]]) {axis = -1 : i64, {{.*}}}
// CHECK-SAME: (tensor<1x4x4x2x8xf32>) -> tensor<1x4x4x2x8xf8E4M3FNUZ>
// CHECK: linalg.transpose ins(%[[Q]] : {{.*}}) {{.*}} permutation = [0, 3, 4, 1, 2]
func.func @groups(%x: tensor<1x2x4x6x6xf8E4M3FNUZ>, %w: tensor<2x8x4x3x3xf8E4M3FNUZ>) -> tensor<1x2x8x4x4xf8E4M3FNUZ> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x2x8x4x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2x8x4x4xf32>) -> tensor<1x2x8x4x4xf32>
  %c = linalg.conv_2d_ngchw_gfchw ins(%x, %w : tensor<1x2x4x6x6xf8E4M3FNUZ>, tensor<2x8x4x3x3xf8E4M3FNUZ>)
      outs(%f : tensor<1x2x8x4x4xf32>) -> tensor<1x2x8x4x4xf32>
  %q = "fovea.quantize"(%c) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>}
      : (tensor<1x2x8x4x4xf32>) -> tensor<1x2x8x4x4xf8E4M3FNUZ>
  return %q : tensor<1x2x8x4x4xf8E4M3FNUZ>
}

// Three channels become four; six results a pixel stay where they are.
// CHECK-LABEL: func.func @image
// CHECK: %[[XT:.*]] = linalg.transpose {{.*}} permutation = [0, 2, 1]
// CHECK: %[[WT:.*]] = linalg.transpose {{.*}} permutation = [0, 2, 1]
// CHECK: %[[XP:.*]] = tensor.pad %[[XT]] low[0, 0, 0] high[0, 0, 1]
// CHECK: %[[WP:.*]] = tensor.pad %[[WT]] low[0, 0, 0] high[0, 0, 1]
// CHECK: linalg.generic {{.*}} ins(%[[XP]], %[[WP]] : tensor<1x9x4xf16>, tensor<6x2x4xf16>) outs({{.*}} : tensor<1x6x8xf32>)
func.func @image(%x: tensor<1x3x9xf16>, %w: tensor<6x3x2xf16>, %z: tensor<1x6x8xf32>) -> tensor<1x6x8xf32> {
  %c = linalg.conv_1d_ncw_fcw ins(%x, %w : tensor<1x3x9xf16>, tensor<6x3x2xf16>) outs(%z : tensor<1x6x8xf32>) -> tensor<1x6x8xf32>
  return %c : tensor<1x6x8xf32>
}

// The filter alone, where it is not as the kernel reads it: TensorFlow's, and that of one channel.
// CHECK-LABEL: func.func @filters
// CHECK: %[[W:.*]] = linalg.transpose {{.*}} permutation = [3, 0, 1, 2]
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[W]] : tensor<1x6x6x8xf16>, tensor<4x3x3x8xf16>)
// CHECK: %[[V:.*]] = linalg.transpose {{.*}} permutation = [3, 2, 0, 1]
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[V]] : tensor<1x6x6x1xf16>, tensor<4x1x3x3xf16>)
func.func @filters(%x: tensor<1x6x6x8xf16>, %w: tensor<3x3x8x4xf16>, %y: tensor<1x6x6x1xf16>, %v: tensor<3x3x1x4xf16>,
                   %z: tensor<1x4x4x4xf32>) -> (tensor<1x4x4x4xf32>, tensor<1x4x4x4xf32>) {
  %c = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<1x6x6x8xf16>, tensor<3x3x8x4xf16>)
      outs(%z : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %d = linalg.conv_2d_nhwc_hwcf ins(%y, %v : tensor<1x6x6x1xf16>, tensor<3x3x1x4xf16>)
      outs(%z : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return %c, %d : tensor<1x4x4x4xf32>, tensor<1x4x4x4xf32>
}
