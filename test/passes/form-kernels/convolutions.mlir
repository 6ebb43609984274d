// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fovea-opt %s --split-input-file --fovea-form-kernels | FileCheck %s

#id = affine_map<(a, b, c, d) -> (a, b, c, d)>
#channel = affine_map<(a, b, c, d) -> (d)>

// The zeros around the input are part of the convolution's kernel, though another kernel computes the input; so is the
// bias. Two convolutions read one padded tensor: each decides for itself.
// CHECK-LABEL: func.func private @elementwise_0
// CHECK: linalg.exp
// CHECK-LABEL: func.func private @contraction_1(%{{.*}}: tensor<1x6x6x4xf16>,
// CHECK: tensor.pad
// CHECK: linalg.conv_2d_nhwc_fhwc {fovea.hero}
// CHECK: arith.addf
// CHECK-LABEL: func.func private @contraction_2(%{{.*}}: tensor<1x6x6x4xf16>,
// CHECK: tensor.pad
// CHECK: linalg.conv_2d_nhwc_fhwc
// CHECK-LABEL: func.func @padded
// CHECK-NEXT: %[[E:.*]] = call @elementwise_0
// CHECK-NEXT: call @contraction_1(%[[E]],
// CHECK-NEXT: call @contraction_2(%[[E]],
// CHECK-NEXT: return
func.func @padded(%x: tensor<1x6x6x4xf16>, %w: tensor<8x3x3x4xf16>, %v: tensor<4x3x3x4xf16>, %b: tensor<8xf32>)
    -> (tensor<1x6x6x8xf32>, tensor<1x6x6x4xf32>) {
  %h = arith.constant 0.0 : f16
  %zero = arith.constant 0.0 : f32
  %xe = tensor.empty() : tensor<1x6x6x4xf16>
  %y = linalg.exp ins(%x : tensor<1x6x6x4xf16>) outs(%xe : tensor<1x6x6x4xf16>) -> tensor<1x6x6x4xf16>
  %p = tensor.pad %y low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %h : f16
  } : tensor<1x6x6x4xf16> to tensor<1x8x8x4xf16>
  %e = tensor.empty() : tensor<1x6x6x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x6x6x8xf32>) -> tensor<1x6x6x8xf32>
  %c = linalg.conv_2d_nhwc_fhwc ins(%p, %w : tensor<1x8x8x4xf16>, tensor<8x3x3x4xf16>)
      outs(%f : tensor<1x6x6x8xf32>) -> tensor<1x6x6x8xf32>
  %r = linalg.generic {indexing_maps = [#id, #channel, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%c, %b : tensor<1x6x6x8xf32>, tensor<8xf32>) outs(%e : tensor<1x6x6x8xf32>) {
  ^bb0(%s: f32, %t: f32, %o: f32):
    %0 = arith.addf %s, %t : f32
    linalg.yield %0 : f32
  } -> tensor<1x6x6x8xf32>
  %ge = tensor.empty() : tensor<1x6x6x4xf32>
  %g = linalg.fill ins(%zero : f32) outs(%ge : tensor<1x6x6x4xf32>) -> tensor<1x6x6x4xf32>
  %d = linalg.conv_2d_nhwc_fhwc ins(%p, %v : tensor<1x8x8x4xf16>, tensor<4x3x3x4xf16>)
      outs(%g : tensor<1x6x6x4xf32>) -> tensor<1x6x6x4xf32>
  return %r, %d : tensor<1x6x6x8xf32>, tensor<1x6x6x4xf32>
}

// -----

// A cast of an argument is computed once, not for each place of the window. A padded tensor that is a result too, and
// padding of the innermost dim, are computed by kernels of their own.
// CHECK-LABEL: func.func @stored
// CHECK-DAG: %[[P:.*]] = call @elementwise_{{[0-9]+}}(%arg0) : (tensor<1x6x4xf32>) -> tensor<1x8x4xf16>
// CHECK-DAG: %[[I:.*]] = call @elementwise_{{[0-9]+}}(%arg2) : (tensor<1x8x3xf16>) -> tensor<1x8x4xf16>
// CHECK-DAG: %[[H:.*]] = call @elementwise_{{[0-9]+}}(%arg3) : (tensor<1x8x4xf32>) -> tensor<1x8x4xf16>
// CHECK-DAG: %[[C:.*]] = call @contraction_{{[0-9]+}}(%[[P]], %arg1)
// CHECK-DAG: %[[D:.*]] = call @contraction_{{[0-9]+}}(%[[I]], %arg1)
// CHECK-DAG: %[[E:.*]] = call @contraction_{{[0-9]+}}(%[[H]], %arg1)
// CHECK: return %[[P]], %[[C]], %[[D]], %[[E]]
func.func @stored(%x: tensor<1x6x4xf32>, %w: tensor<8x3x4xf16>, %y: tensor<1x8x3xf16>, %u: tensor<1x8x4xf32>)
    -> (tensor<1x8x4xf16>, tensor<1x6x8xf32>, tensor<1x6x8xf32>, tensor<1x6x8xf32>) {
  %h = arith.constant 0.0 : f16
  %zero = arith.constant 0.0 : f32
  %he = tensor.empty() : tensor<1x6x4xf16>
  %c16 = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (a, b, c)>],
                         iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x6x4xf32>) outs(%he : tensor<1x6x4xf16>) {
  ^bb0(%s: f32, %o: f16):
    %0 = arith.truncf %s : f32 to f16
    linalg.yield %0 : f16
  } -> tensor<1x6x4xf16>
  %p = tensor.pad %c16 low[0, 1, 0] high[0, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %h : f16
  } : tensor<1x6x4xf16> to tensor<1x8x4xf16>
  %q = tensor.pad %y low[0, 0, 0] high[0, 0, 1] {
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %h : f16
  } : tensor<1x8x3xf16> to tensor<1x8x4xf16>
  %e = tensor.empty() : tensor<1x6x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x6x8xf32>) -> tensor<1x6x8xf32>
  %c = linalg.generic {indexing_maps = [affine_map<(n, o, f, k, c) -> (n, o + k, c)>, affine_map<(n, o, f, k, c) -> (f, k, c)>,
                                        affine_map<(n, o, f, k, c) -> (n, o, f)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %w : tensor<1x8x4xf16>, tensor<8x3x4xf16>) outs(%f : tensor<1x6x8xf32>) {
  ^bb0(%s: f16, %t: f16, %o: f32):
    %0 = arith.extf %s : f16 to f32
    %1 = arith.extf %t : f16 to f32
    %2 = arith.mulf %0, %1 : f32
    %3 = arith.addf %o, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<1x6x8xf32>
  %d = linalg.generic {indexing_maps = [affine_map<(n, o, f, k, c) -> (n, o + k, c)>, affine_map<(n, o, f, k, c) -> (f, k, c)>,
                                        affine_map<(n, o, f, k, c) -> (n, o, f)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%q, %w : tensor<1x8x4xf16>, tensor<8x3x4xf16>) outs(%f : tensor<1x6x8xf32>) {
  ^bb0(%s: f16, %t: f16, %o: f32):
    %0 = arith.extf %s : f16 to f32
    %1 = arith.extf %t : f16 to f32
    %2 = arith.mulf %0, %1 : f32
    %3 = arith.addf %o, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<1x6x8xf32>
  %ue = tensor.empty() : tensor<1x8x4xf16>
  %u16 = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (a, b, c)>],
                         iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%u : tensor<1x8x4xf32>) outs(%ue : tensor<1x8x4xf16>) {
  ^bb0(%s: f32, %o: f16):
    %0 = arith.truncf %s : f32 to f16
    linalg.yield %0 : f16
  } -> tensor<1x8x4xf16>
  %g = linalg.generic {indexing_maps = [affine_map<(n, o, f, k, c) -> (n, o + k, c)>, affine_map<(n, o, f, k, c) -> (f, k, c)>,
                                        affine_map<(n, o, f, k, c) -> (n, o, f)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%u16, %w : tensor<1x8x4xf16>, tensor<8x3x4xf16>) outs(%f : tensor<1x6x8xf32>) {
  ^bb0(%s: f16, %t: f16, %o: f32):
    %0 = arith.extf %s : f16 to f32
    %1 = arith.extf %t : f16 to f32
    %2 = arith.mulf %0, %1 : f32
    %3 = arith.addf %o, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<1x6x8xf32>
  return %p, %c, %d, %g : tensor<1x8x4xf16>, tensor<1x6x8xf32>, tensor<1x6x8xf32>, tensor<1x6x8xf32>
}

// -----

// A depthwise convolution is a reduction; what surrounds its input, or a pooling's, is part of its kernel too.
// CHECK-LABEL: func.func private @elementwise_0
// CHECK-LABEL: func.func private @rowwise_1
// CHECK: tensor.pad
// CHECK: linalg.depthwise_conv_2d_nhwc_hwc
// CHECK-LABEL: func.func private @rowwise_2
// CHECK: tensor.pad
// CHECK: linalg.pooling_nhwc_max
// CHECK-LABEL: func.func @reductions
// CHECK-COUNT-3: call
// CHECK-NOT: call
func.func @reductions(%x: tensor<1x6x6x4xf32>, %w: tensor<3x3x4xf32>) -> (tensor<1x6x6x4xf32>, tensor<1x6x6x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<1x6x6x4xf32>
  %y = linalg.exp ins(%x : tensor<1x6x6x4xf32>) outs(%e : tensor<1x6x6x4xf32>) -> tensor<1x6x6x4xf32>
  %p = tensor.pad %y low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x6x6x4xf32> to tensor<1x8x8x4xf32>
  %q = tensor.pad %y low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %lowest : f32
  } : tensor<1x6x6x4xf32> to tensor<1x8x8x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x6x6x4xf32>) -> tensor<1x6x6x4xf32>
  %g = linalg.fill ins(%lowest : f32) outs(%e : tensor<1x6x6x4xf32>) -> tensor<1x6x6x4xf32>
  %window = tensor.empty() : tensor<3x3xf32>
  %c = linalg.depthwise_conv_2d_nhwc_hwc ins(%p, %w : tensor<1x8x8x4xf32>, tensor<3x3x4xf32>)
      outs(%f : tensor<1x6x6x4xf32>) -> tensor<1x6x6x4xf32>
  %d = linalg.pooling_nhwc_max ins(%q, %window : tensor<1x8x8x4xf32>, tensor<3x3xf32>)
      outs(%g : tensor<1x6x6x4xf32>) -> tensor<1x6x6x4xf32>
  return %c, %d : tensor<1x6x6x4xf32>, tensor<1x6x6x4xf32>
}
