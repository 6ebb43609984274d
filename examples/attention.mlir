// A linear layer that feeds one attention head: FP8 for the layer, attention kept whole.
//   fovea-opt examples/attention.mlir --fovea-normalize --fovea-detect-attention --fovea-fuse-attention
#id = affine_map<(b, q, n) -> (b, q, n)>
#row = affine_map<(b, q, n) -> (b, q)>
func.func @head(%x: tensor<2x16x32xf32>, %w: tensor<32x32xf32> {fovea.weight = "query.weight"},
                %k: tensor<2x24x32xf32>, %v: tensor<2x24x32xf32>) -> tensor<2x16x32xf32> {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %scale = arith.constant 0.17677669 : f32
  %rows = tensor.collapse_shape %x [[0, 1], [2]] : tensor<2x16x32xf32> into tensor<32x32xf32>
  %e0 = tensor.empty() : tensor<32x32xf32>
  %z0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<32x32xf32>) -> tensor<32x32xf32>
  %p = linalg.matmul ins(%rows, %w : tensor<32x32xf32>, tensor<32x32xf32>) outs(%z0 : tensor<32x32xf32>) -> tensor<32x32xf32>
  %q = tensor.expand_shape %p [[0, 1], [2]] output_shape [2, 16, 32] : tensor<32x32xf32> into tensor<2x16x32xf32>

  %ekt = tensor.empty() : tensor<2x32x24xf32>
  %kt = linalg.transpose ins(%k : tensor<2x24x32xf32>) outs(%ekt : tensor<2x32x24xf32>) permutation = [0, 2, 1]
  %e1 = tensor.empty() : tensor<2x16x24xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x16x24xf32>) -> tensor<2x16x24xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<2x16x32xf32>, tensor<2x32x24xf32>) outs(%z1 : tensor<2x16x24xf32>) -> tensor<2x16x24xf32>
  %er = tensor.empty() : tensor<2x16xf32>
  %lows = linalg.fill ins(%low : f32) outs(%er : tensor<2x16xf32>) -> tensor<2x16xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%er : tensor<2x16xf32>) -> tensor<2x16xf32>
  %scaled = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x16x24xf32>) outs(%e1 : tensor<2x16x24xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.mulf %a, %scale : f32
    linalg.yield %0 : f32
  } -> tensor<2x16x24xf32>
  %peak = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%scaled : tensor<2x16x24xf32>) outs(%lows : tensor<2x16xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.maximumf %a, %o : f32
    linalg.yield %0 : f32
  } -> tensor<2x16xf32>
  %exp = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scaled, %peak : tensor<2x16x24xf32>, tensor<2x16xf32>) outs(%e1 : tensor<2x16x24xf32>) {
  ^bb0(%a: f32, %m: f32, %o: f32):
    %0 = arith.subf %a, %m : f32
    %1 = math.exp %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x16x24xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%exp : tensor<2x16x24xf32>) outs(%zeros : tensor<2x16xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.addf %a, %o : f32
    linalg.yield %0 : f32
  } -> tensor<2x16xf32>
  %soft = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%exp, %sum : tensor<2x16x24xf32>, tensor<2x16xf32>) outs(%e1 : tensor<2x16x24xf32>) {
  ^bb0(%a: f32, %d: f32, %o: f32):
    %0 = arith.divf %a, %d : f32
    linalg.yield %0 : f32
  } -> tensor<2x16x24xf32>
  %e2 = tensor.empty() : tensor<2x16x32xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x16x32xf32>) -> tensor<2x16x32xf32>
  %out = linalg.batch_matmul ins(%soft, %v : tensor<2x16x24xf32>, tensor<2x24x32xf32>) outs(%z2 : tensor<2x16x32xf32>) -> tensor<2x16x32xf32>
  return %out : tensor<2x16x32xf32>
}
