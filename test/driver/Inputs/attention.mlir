// Attention of one head over 16 tokens, with the projections around it: softmax(q.k^T / sqrt(16)).v.wo.
#cell = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#row = affine_map<(d0, d1, d2) -> (d0, d1)>
func.func @main(%x: tensor<16x32xf32> {fovea.name = "x"}, %wq: tensor<32x16xf32> {fovea.weight = "query"},
                %wk: tensor<32x16xf32> {fovea.weight = "key"}, %wv: tensor<32x16xf32> {fovea.weight = "value"},
                %wo: tensor<16x32xf32> {fovea.weight = "output"}) -> (tensor<16x32xf32> {fovea.name = "y"}) {
  %zero = arith.constant 0.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %scale = arith.constant 0.25 : f32
  %eh = tensor.empty() : tensor<16x16xf32>
  %fh = linalg.fill ins(%zero : f32) outs(%eh : tensor<16x16xf32>) -> tensor<16x16xf32>
  %q = linalg.matmul ins(%x, %wq : tensor<16x32xf32>, tensor<32x16xf32>) outs(%fh : tensor<16x16xf32>) -> tensor<16x16xf32>
  %k = linalg.matmul ins(%x, %wk : tensor<16x32xf32>, tensor<32x16xf32>) outs(%fh : tensor<16x16xf32>) -> tensor<16x16xf32>
  %v = linalg.matmul ins(%x, %wv : tensor<16x32xf32>, tensor<32x16xf32>) outs(%fh : tensor<16x16xf32>) -> tensor<16x16xf32>
  %kt = linalg.transpose ins(%k : tensor<16x16xf32>) outs(%eh : tensor<16x16xf32>) permutation = [1, 0]
  %qb = tensor.expand_shape %q [[0, 1], [2]] output_shape [1, 16, 16] : tensor<16x16xf32> into tensor<1x16x16xf32>
  %kb = tensor.expand_shape %kt [[0, 1], [2]] output_shape [1, 16, 16] : tensor<16x16xf32> into tensor<1x16x16xf32>
  %vb = tensor.expand_shape %v [[0, 1], [2]] output_shape [1, 16, 16] : tensor<16x16xf32> into tensor<1x16x16xf32>
  %eb = tensor.empty() : tensor<1x16x16xf32>
  %fb = linalg.fill ins(%zero : f32) outs(%eb : tensor<1x16x16xf32>) -> tensor<1x16x16xf32>
  %s = linalg.batch_matmul ins(%qb, %kb : tensor<1x16x16xf32>, tensor<1x16x16xf32>) outs(%fb : tensor<1x16x16xf32>) -> tensor<1x16x16xf32>
  %scaled = linalg.generic {indexing_maps = [#cell, #cell], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<1x16x16xf32>) outs(%eb : tensor<1x16x16xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.mulf %a, %scale : f32
    linalg.yield %m : f32
  } -> tensor<1x16x16xf32>
  %er = tensor.empty() : tensor<1x16xf32>
  %fl = linalg.fill ins(%lowest : f32) outs(%er : tensor<1x16xf32>) -> tensor<1x16xf32>
  %fz = linalg.fill ins(%zero : f32) outs(%er : tensor<1x16xf32>) -> tensor<1x16xf32>
  %max = linalg.generic {indexing_maps = [#cell, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%scaled : tensor<1x16x16xf32>) outs(%fl : tensor<1x16xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %o : f32
    linalg.yield %m : f32
  } -> tensor<1x16xf32>
  %exp = linalg.generic {indexing_maps = [#cell, #row, #cell], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scaled, %max : tensor<1x16x16xf32>, tensor<1x16xf32>) outs(%eb : tensor<1x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %d = arith.subf %a, %b : f32
    %m = math.exp %d : f32
    linalg.yield %m : f32
  } -> tensor<1x16x16xf32>
  %sum = linalg.generic {indexing_maps = [#cell, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%exp : tensor<1x16x16xf32>) outs(%fz : tensor<1x16xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.addf %a, %o : f32
    linalg.yield %m : f32
  } -> tensor<1x16xf32>
  %p = linalg.generic {indexing_maps = [#cell, #row, #cell], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%exp, %sum : tensor<1x16x16xf32>, tensor<1x16xf32>) outs(%eb : tensor<1x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.divf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<1x16x16xf32>
  %c = linalg.batch_matmul ins(%p, %vb : tensor<1x16x16xf32>, tensor<1x16x16xf32>) outs(%fb : tensor<1x16x16xf32>) -> tensor<1x16x16xf32>
  %ch = tensor.collapse_shape %c [[0, 1], [2]] : tensor<1x16x16xf32> into tensor<16x16xf32>
  %eo = tensor.empty() : tensor<16x32xf32>
  %fo = linalg.fill ins(%zero : f32) outs(%eo : tensor<16x32xf32>) -> tensor<16x32xf32>
  %y = linalg.matmul ins(%ch, %wo : tensor<16x16xf32>, tensor<16x32xf32>) outs(%fo : tensor<16x32xf32>) -> tensor<16x32xf32>
  return %y : tensor<16x32xf32>
}
