// A perceptron of two layers: y = gelu(relu(x.w1 + b1).w2 + b2), with the gelu that uses erf.
#rows = affine_map<(d0, d1) -> (d0, d1)>
#bias = affine_map<(d0, d1) -> (d1)>
func.func @main(%x: tensor<16x32xf32> {fovea.name = "x"},
                %w1: tensor<32x48xf32> {fovea.weight = "first.weight"}, %b1: tensor<48xf32> {fovea.weight = "first.bias"},
                %w2: tensor<48x16xf32> {fovea.weight = "second.weight"}, %b2: tensor<16xf32> {fovea.weight = "second.bias"})
    -> (tensor<16x16xf32> {fovea.name = "y"}) {
  %zero = arith.constant 0.0 : f32
  %half = arith.constant 0.5 : f32
  %one = arith.constant 1.0 : f32
  %root = arith.constant 0.707106769 : f32
  %e1 = tensor.empty() : tensor<16x48xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<16x48xf32>) -> tensor<16x48xf32>
  %m1 = linalg.matmul ins(%x, %w1 : tensor<16x32xf32>, tensor<32x48xf32>) outs(%f1 : tensor<16x48xf32>) -> tensor<16x48xf32>
  %h = linalg.generic {indexing_maps = [#rows, #bias, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%m1, %b1 : tensor<16x48xf32>, tensor<48xf32>) outs(%e1 : tensor<16x48xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    %r = arith.maximumf %s, %zero : f32
    linalg.yield %r : f32
  } -> tensor<16x48xf32>
  %e2 = tensor.empty() : tensor<16x16xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<16x16xf32>) -> tensor<16x16xf32>
  %m2 = linalg.matmul ins(%h, %w2 : tensor<16x48xf32>, tensor<48x16xf32>) outs(%f2 : tensor<16x16xf32>) -> tensor<16x16xf32>
  %y = linalg.generic {indexing_maps = [#rows, #bias, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%m2, %b2 : tensor<16x16xf32>, tensor<16xf32>) outs(%e2 : tensor<16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    %t = arith.mulf %s, %root : f32
    %u = math.erf %t : f32
    %v = arith.addf %u, %one : f32
    %w = arith.mulf %s, %half : f32
    %g = arith.mulf %w, %v : f32
    linalg.yield %g : f32
  } -> tensor<16x16xf32>
  return %y : tensor<16x16xf32>
}
