// Weights inside: a dense attribute and a resource. y = x.w + b; the second result is a constant.
func.func @main(%x: tensor<4x4xf32> {fovea.name = "x"}) -> (tensor<4x4xf32> {fovea.name = "y"}, tensor<4xf32>) {
  %w = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.5, 0.5, 0.5, 0.5]]> : tensor<4x4xf32>
  %b = arith.constant dense_resource<bias> : tensor<4xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x4xf32>
  %f = linalg.fill ins(%c : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %r = linalg.matmul ins(%x, %w : tensor<4x4xf32>, tensor<4x4xf32>) outs(%f : tensor<4x4xf32>) -> tensor<4x4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (b)>, affine_map<(a, b) -> (a, b)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%r, %b : tensor<4x4xf32>, tensor<4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  return %y, %b : tensor<4x4xf32>, tensor<4xf32>
}
{-#
  dialect_resources: { builtin: { bias: "0x040000000000803F000000400000404000008040" } }
#-}
