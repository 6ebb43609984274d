// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A convolution with zeros around its input, batch norm with large channels, ReLU; a grouped convolution; a residual
// connection around a third one; and a linear for each channel.
func.func @main(%x: tensor<1x16x8x8xf32> {fovea.name = "x"},
                %first: tensor<32x16x3x3xf32> {fovea.weight = "first.weight"},
                %bias: tensor<32xf32> {fovea.weight = "first.bias"},
                %second: tensor<2x16x16x3x3xf32> {fovea.weight = "second.weight"},
                %third: tensor<32x32x1x1xf32> {fovea.weight = "third.weight"},
                %last: tensor<32x64x32xf32> {fovea.weight = "last.weight"}) -> tensor<32x16x32xf32> {
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x16x8x8xf32> to tensor<1x16x10x10xf32>
  %e = tensor.empty() : tensor<1x32x8x8xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<1x32x8x8xf32>) -> tensor<1x32x8x8xf32>
  %a = linalg.conv_2d_nchw_fchw ins(%p, %first : tensor<1x16x10x10xf32>, tensor<32x16x3x3xf32>)
      outs(%z : tensor<1x32x8x8xf32>) -> tensor<1x32x8x8xf32> loc("first")
  %gamma = arith.constant dense<[8.0, 1.0, 1.0, 1.0, 8.0, 1.0, 1.0, 1.0, 8.0, 1.0, 1.0, 1.0, 8.0, 1.0, 1.0, 1.0,
                                 8.0, 1.0, 1.0, 1.0, 8.0, 1.0, 1.0, 1.0, 8.0, 1.0, 1.0, 1.0, 8.0, 1.0, 1.0, 1.0]>
      : tensor<32xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>, affine_map<(n, c, h, w) -> (c)>,
                                        affine_map<(n, c, h, w) -> (c)>, affine_map<(n, c, h, w) -> (n, c, h, w)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%a, %gamma, %bias : tensor<1x32x8x8xf32>, tensor<32xf32>, tensor<32xf32>)
      outs(%e : tensor<1x32x8x8xf32>) {
  ^bb0(%v: f32, %s: f32, %u: f32, %o: f32):
    %scaled = arith.mulf %v, %s : f32
    %t = arith.addf %scaled, %u : f32
    %c = arith.cmpf ugt, %t, %zero : f32
    %r = arith.select %c, %t, %zero : f32
    linalg.yield %r : f32
  } -> tensor<1x32x8x8xf32>
  %q = tensor.pad %b low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x32x8x8xf32> to tensor<1x32x10x10xf32>
  %g = tensor.expand_shape %q [[0], [1, 2], [3], [4]] output_shape [1, 2, 16, 10, 10]
      : tensor<1x32x10x10xf32> into tensor<1x2x16x10x10xf32>
  %eg = tensor.empty() : tensor<1x2x16x8x8xf32>
  %zg = linalg.fill ins(%zero : f32) outs(%eg : tensor<1x2x16x8x8xf32>) -> tensor<1x2x16x8x8xf32>
  %d = linalg.conv_2d_ngchw_gfchw ins(%g, %second : tensor<1x2x16x10x10xf32>, tensor<2x16x16x3x3xf32>)
      outs(%zg : tensor<1x2x16x8x8xf32>) -> tensor<1x2x16x8x8xf32> loc("second")
  %f = tensor.collapse_shape %d [[0], [1, 2], [3], [4]] : tensor<1x2x16x8x8xf32> into tensor<1x32x8x8xf32>
  %h = linalg.conv_2d_nchw_fchw ins(%f, %third : tensor<1x32x8x8xf32>, tensor<32x32x1x1xf32>)
      outs(%z : tensor<1x32x8x8xf32>) -> tensor<1x32x8x8xf32> loc("third")
  %m = linalg.add ins(%f, %h : tensor<1x32x8x8xf32>, tensor<1x32x8x8xf32>) outs(%e : tensor<1x32x8x8xf32>)
      -> tensor<1x32x8x8xf32>
  %n = tensor.collapse_shape %m [[0, 1], [2, 3]] : tensor<1x32x8x8xf32> into tensor<32x64xf32>
  %er = tensor.empty() : tensor<32x16x64xf32>
  %rows = linalg.broadcast ins(%n : tensor<32x64xf32>) outs(%er : tensor<32x16x64xf32>) dimensions = [1]
  %el = tensor.empty() : tensor<32x16x32xf32>
  %zl = linalg.fill ins(%zero : f32) outs(%el : tensor<32x16x32xf32>) -> tensor<32x16x32xf32>
  %y = linalg.batch_matmul ins(%rows, %last : tensor<32x16x64xf32>, tensor<32x64x32xf32>)
      outs(%zl : tensor<32x16x32xf32>) -> tensor<32x16x32xf32> loc("last")
  return %y : tensor<32x16x32xf32>
}
