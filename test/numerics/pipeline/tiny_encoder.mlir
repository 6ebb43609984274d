#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1) -> (d1)>
#map2 = affine_map<(d0, d1, d2) -> (d0, d1)>
#map3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map4 = affine_map<(d0, d1, d2) -> (0, d1, d2)>
#map5 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
#map6 = affine_map<(d0, d1, d2) -> (d2)>
#map7 = affine_map<(d0) -> (d0)>
#map8 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map9 = affine_map<(d0, d1, d2, d3) -> ()>
#map10 = affine_map<(d0, d1, d2, d3) -> (d0, 0, 0, 0)>
#map11 = affine_map<(d0, d1, d2, d3) -> (0, 0, 0, d3)>
#map12 = affine_map<(d0, d1, d2, d3) -> (0, d1, d2, 0)>
#map13 = affine_map<(d0, d1, d2, d3) -> (d0, d1, 0, d3)>
#map14 = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, d3)>
#map15 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map16 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map17 = affine_map<(d0, d1, d2) -> (d0, d2)>
#map18 = affine_map<(d0, d1) -> (d0, 0)>
#map19 = affine_map<(d0, d1) -> (d0)>
module {
  func.func @main(%arg0: tensor<2x48xi64> {fovea.name = "input_ids"}, %arg1: tensor<2x48xi64> {fovea.name = "attention_mask"}, %arg2: tensor<512x64xf32> {fovea.weight = "embeddings.word_embeddings.weight"}, %arg3: tensor<48x64xf32> {fovea.weight = "embeddings.position_embeddings.weight"}, %arg4: tensor<2x64xf32> {fovea.weight = "embeddings.token_type_embeddings.weight"}, %arg5: tensor<64xf32> {fovea.weight = "embeddings.LayerNorm.weight"}, %arg6: tensor<64xf32> {fovea.weight = "embeddings.LayerNorm.bias"}, %arg7: tensor<64x64xf32> {fovea.weight = "encoder.layer.0.attention.self.query.weight"}, %arg8: tensor<64xf32> {fovea.weight = "encoder.layer.0.attention.self.query.bias"}, %arg9: tensor<64x64xf32> {fovea.weight = "encoder.layer.0.attention.self.key.weight"}, %arg10: tensor<64xf32> {fovea.weight = "encoder.layer.0.attention.self.key.bias"}, %arg11: tensor<64x64xf32> {fovea.weight = "encoder.layer.0.attention.self.value.weight"}, %arg12: tensor<64xf32> {fovea.weight = "encoder.layer.0.attention.self.value.bias"}, %arg13: tensor<64x64xf32> {fovea.weight = "encoder.layer.0.attention.output.dense.weight"}, %arg14: tensor<64xf32> {fovea.weight = "encoder.layer.0.attention.output.dense.bias"}, %arg15: tensor<64xf32> {fovea.weight = "encoder.layer.0.attention.output.LayerNorm.weight"}, %arg16: tensor<64xf32> {fovea.weight = "encoder.layer.0.attention.output.LayerNorm.bias"}, %arg17: tensor<128x64xf32> {fovea.weight = "encoder.layer.0.intermediate.dense.weight"}, %arg18: tensor<128xf32> {fovea.weight = "encoder.layer.0.intermediate.dense.bias"}, %arg19: tensor<64x128xf32> {fovea.weight = "encoder.layer.0.output.dense.weight"}, %arg20: tensor<64xf32> {fovea.weight = "encoder.layer.0.output.dense.bias"}, %arg21: tensor<64xf32> {fovea.weight = "encoder.layer.0.output.LayerNorm.weight"}, %arg22: tensor<64xf32> {fovea.weight = "encoder.layer.0.output.LayerNorm.bias"}) -> (tensor<2x64xf32> {fovea.name = "embeddings"}) {
    %c48 = arith.constant 48 : index
    %c2 = arith.constant 2 : index
    %c512 = arith.constant 512 : index
    %cst = arith.constant 0.000000e+00 : f64
    %cst_0 = arith.constant 0.000000e+00 : f32
    %cst_1 = arith.constant 0xFF800000 : f32
    %cst_2 = arith.constant 1.000000e+00 : f32
    %cst_3 = arith.constant 5.000000e-01 : f32
    %cst_4 = arith.constant dense<-3.40282347E+38> : tensor<f32>
    %cst_5 = arith.constant dense<0.000000e+00> : tensor<f32>
    %cst_6 = arith.constant dense<true> : tensor<i1>
    %cst_7 = arith.constant 1.000000e-09 : f64
    %cst_8 = arith.constant 0.17677669529663689 : f64
    %cst_9 = arith.constant 9.9999999999999998E-13 : f64
    %c0 = arith.constant 0 : index
    %cst_10 = arith.constant 6.400000e+01 : f64
    %cst_11 = arith.constant 6.400000e+01 : f32
    %cst_12 = arith.constant 1.41421354 : f32
    %cst_13 = arith.constant 2.000000e+00 : f32
    %c2_i64 = arith.constant 2 : i64
    %c48_i64 = arith.constant 48 : i64
    %c0_i64 = arith.constant 0 : i64
    %cst_14 = arith.constant dense_resource<torch_tensor_1_48_torch.int64_1> : tensor<1x48xi64>
    %cst_15 = arith.constant dense_resource<torch_tensor_1_48_torch.int64> : tensor<1x48xi64>
    %0 = tensor.empty() : tensor<1x48xi64>
    %1 = linalg.fill ins(%c0_i64 : i64) outs(%0 : tensor<1x48xi64>) -> tensor<1x48xi64>
    %2 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%cst_15 : tensor<1x48xi64>) outs(%1 : tensor<1x48xi64>) {
    ^bb0(%in: i64, %out: i64):
      %141 = arith.index_cast %in : i64 to index
      %142 = arith.cmpi slt, %141, %c48 : index
      cf.assert %142, "index must be smaller than dim size"
      %143 = arith.cmpi sge, %in, %c0_i64 : i64
      cf.assert %143, "index must be larger or equal to 0"
      %extracted = tensor.extract %cst_14[%c0, %141] : tensor<1x48xi64>
      linalg.yield %extracted : i64
    } -> tensor<1x48xi64>
    %3 = tensor.empty() : tensor<2x48xi64>
    %collapsed = tensor.collapse_shape %2 [[0, 1]] : tensor<1x48xi64> into tensor<48xi64>
    %4 = linalg.generic {indexing_maps = [#map1, #map], iterator_types = ["parallel", "parallel"]} ins(%collapsed : tensor<48xi64>) outs(%3 : tensor<2x48xi64>) {
    ^bb0(%in: i64, %out: i64):
      linalg.yield %in : i64
    } -> tensor<2x48xi64>
    %5 = tensor.empty() : tensor<2x48x64xf32>
    %6 = linalg.generic {indexing_maps = [#map2, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg0 : tensor<2x48xi64>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: i64, %out: f32):
      %141 = arith.index_cast %in : i64 to index
      %142 = linalg.index 2 : index
      %143 = arith.cmpi slt, %141, %c512 : index
      cf.assert %143, "index must be smaller than dim size"
      %144 = arith.cmpi sge, %in, %c0_i64 : i64
      cf.assert %144, "index must be larger or equal to 0"
      %extracted = tensor.extract %arg2[%141, %142] : tensor<512x64xf32>
      linalg.yield %extracted : f32
    } -> tensor<2x48x64xf32>
    %7 = linalg.generic {indexing_maps = [#map2, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%4 : tensor<2x48xi64>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: i64, %out: f32):
      %141 = arith.index_cast %in : i64 to index
      %142 = linalg.index 2 : index
      %143 = arith.cmpi slt, %141, %c2 : index
      cf.assert %143, "index must be smaller than dim size"
      %144 = arith.cmpi sge, %in, %c0_i64 : i64
      cf.assert %144, "index must be larger or equal to 0"
      %extracted = tensor.extract %arg4[%141, %142] : tensor<2x64xf32>
      linalg.yield %extracted : f32
    } -> tensor<2x48x64xf32>
    %8 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%6, %7 : tensor<2x48x64xf32>, tensor<2x48x64xf32>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.addf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x64xf32>
    %9 = tensor.empty() : tensor<1x48x64xf32>
    %10 = linalg.generic {indexing_maps = [#map2, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%cst_15 : tensor<1x48xi64>) outs(%9 : tensor<1x48x64xf32>) {
    ^bb0(%in: i64, %out: f32):
      %141 = arith.index_cast %in : i64 to index
      %142 = linalg.index 2 : index
      %143 = arith.cmpi slt, %141, %c48 : index
      cf.assert %143, "index must be smaller than dim size"
      %144 = arith.cmpi sge, %in, %c0_i64 : i64
      cf.assert %144, "index must be larger or equal to 0"
      %extracted = tensor.extract %arg3[%141, %142] : tensor<48x64xf32>
      linalg.yield %extracted : f32
    } -> tensor<1x48x64xf32>
    %11 = linalg.generic {indexing_maps = [#map3, #map4, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%8, %10 : tensor<2x48x64xf32>, tensor<1x48x64xf32>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.addf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x64xf32>
    %12 = tensor.empty() : tensor<2x48x64xf64>
    %13 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%11 : tensor<2x48x64xf32>) outs(%12 : tensor<2x48x64xf64>) {
    ^bb0(%in: f32, %out: f64):
      %141 = arith.extf %in : f32 to f64
      linalg.yield %141 : f64
    } -> tensor<2x48x64xf64>
    %14 = tensor.empty() : tensor<2x48x1xf64>
    %15 = linalg.fill ins(%cst : f64) outs(%14 : tensor<2x48x1xf64>) -> tensor<2x48x1xf64>
    %16 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%13 : tensor<2x48x64xf64>) outs(%15 : tensor<2x48x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %141 = arith.addf %in, %out : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x1xf64>
    %17 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%16 : tensor<2x48x1xf64>) outs(%14 : tensor<2x48x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %141 = arith.divf %in, %cst_10 : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x1xf64>
    %18 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%13, %17 : tensor<2x48x64xf64>, tensor<2x48x1xf64>) outs(%12 : tensor<2x48x64xf64>) {
    ^bb0(%in: f64, %in_46: f64, %out: f64):
      %141 = arith.subf %in, %in_46 : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x64xf64>
    %19 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%18, %18 : tensor<2x48x64xf64>, tensor<2x48x64xf64>) outs(%12 : tensor<2x48x64xf64>) {
    ^bb0(%in: f64, %in_46: f64, %out: f64):
      %141 = arith.mulf %in, %in_46 : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x64xf64>
    %20 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%19 : tensor<2x48x64xf64>) outs(%15 : tensor<2x48x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %141 = arith.addf %in, %out : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x1xf64>
    %21 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%20 : tensor<2x48x1xf64>) outs(%14 : tensor<2x48x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %141 = arith.divf %in, %cst_10 : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x1xf64>
    %22 = tensor.empty() : tensor<2x48x1xf32>
    %23 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%21 : tensor<2x48x1xf64>) outs(%22 : tensor<2x48x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %141 = arith.truncf %in : f64 to f32
      linalg.yield %141 : f32
    } -> tensor<2x48x1xf32>
    %24 = linalg.fill ins(%cst_0 : f32) outs(%22 : tensor<2x48x1xf32>) -> tensor<2x48x1xf32>
    %25 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%11 : tensor<2x48x64xf32>) outs(%24 : tensor<2x48x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = arith.addf %in, %out : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x1xf32>
    %26 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%25 : tensor<2x48x1xf32>) outs(%22 : tensor<2x48x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = arith.divf %in, %cst_11 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x1xf32>
    %27 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%23 : tensor<2x48x1xf32>) outs(%22 : tensor<2x48x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = arith.truncf %cst_9 : f64 to f32
      %142 = arith.addf %in, %141 : f32
      linalg.yield %142 : f32
    } -> tensor<2x48x1xf32>
    %28 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%27 : tensor<2x48x1xf32>) outs(%22 : tensor<2x48x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = math.rsqrt %in : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x1xf32>
    %29 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%11, %26 : tensor<2x48x64xf32>, tensor<2x48x1xf32>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.subf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x64xf32>
    %30 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%29, %28 : tensor<2x48x64xf32>, tensor<2x48x1xf32>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.mulf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x64xf32>
    %31 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%30, %arg5 : tensor<2x48x64xf32>, tensor<64xf32>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.mulf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x64xf32>
    %32 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%31, %arg6 : tensor<2x48x64xf32>, tensor<64xf32>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.addf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x64xf32>
    %33 = tensor.empty() : tensor<2x48xi1>
    %34 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg1 : tensor<2x48xi64>) outs(%33 : tensor<2x48xi1>) {
    ^bb0(%in: i64, %out: i1):
      %141 = arith.cmpi ne, %in, %c0_i64 : i64
      linalg.yield %141 : i1
    } -> tensor<2x48xi1>
    %35 = tensor.empty() : tensor<2xi64>
    %36 = linalg.generic {indexing_maps = [#map7], iterator_types = ["parallel"]} outs(%35 : tensor<2xi64>) {
    ^bb0(%out: i64):
      %141 = linalg.index 0 : index
      %142 = arith.index_cast %141 : index to i64
      linalg.yield %142 : i64
    } -> tensor<2xi64>
    %37 = tensor.empty() : tensor<48xi64>
    %38 = linalg.generic {indexing_maps = [#map7], iterator_types = ["parallel"]} outs(%37 : tensor<48xi64>) {
    ^bb0(%out: i64):
      %141 = linalg.index 0 : index
      %142 = arith.index_cast %141 : index to i64
      linalg.yield %142 : i64
    } -> tensor<48xi64>
    %expanded = tensor.expand_shape %36 [[0, 1, 2, 3]] output_shape [2, 1, 1, 1] : tensor<2xi64> into tensor<2x1x1x1xi64>
    %expanded_16 = tensor.expand_shape %38 [[0, 1, 2, 3]] output_shape [1, 1, 48, 1] : tensor<48xi64> into tensor<1x1x48x1xi64>
    %expanded_17 = tensor.expand_shape %38 [[0, 1, 2, 3]] output_shape [1, 1, 1, 48] : tensor<48xi64> into tensor<1x1x1x48xi64>
    %39 = tensor.empty() : tensor<1x1x48x1xi1>
    %40 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_16 : tensor<1x1x48x1xi64>) outs(%39 : tensor<1x1x48x1xi1>) {
    ^bb0(%in: i64, %out: i1):
      %141 = arith.cmpi sge, %in, %c0_i64 : i64
      linalg.yield %141 : i1
    } -> tensor<1x1x48x1xi1>
    %41 = linalg.generic {indexing_maps = [#map9, #map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%cst_6, %40 : tensor<i1>, tensor<1x1x48x1xi1>) outs(%39 : tensor<1x1x48x1xi1>) {
    ^bb0(%in: i1, %in_46: i1, %out: i1):
      %141 = arith.andi %in, %in_46 : i1
      linalg.yield %141 : i1
    } -> tensor<1x1x48x1xi1>
    %42 = tensor.empty() : tensor<2x1x1x48xi1>
    %43 = linalg.generic {indexing_maps = [#map10, #map11, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded, %expanded_17 : tensor<2x1x1x1xi64>, tensor<1x1x1x48xi64>) outs(%42 : tensor<2x1x1x48xi1>) {
    ^bb0(%in: i64, %in_46: i64, %out: i1):
      %141 = arith.cmpi slt, %in, %c0_i64 : i64
      %142 = arith.addi %in, %c2_i64 : i64
      %143 = arith.select %141, %142, %in : i64
      %144 = arith.index_cast %143 : i64 to index
      %145 = arith.cmpi slt, %in_46, %c0_i64 : i64
      %146 = arith.addi %in_46, %c48_i64 : i64
      %147 = arith.select %145, %146, %in_46 : i64
      %148 = arith.index_cast %147 : i64 to index
      %extracted = tensor.extract %34[%144, %148] : tensor<2x48xi1>
      linalg.yield %extracted : i1
    } -> tensor<2x1x1x48xi1>
    %44 = tensor.empty() : tensor<2x1x48x48xi1>
    %45 = linalg.generic {indexing_maps = [#map12, #map13, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%41, %43 : tensor<1x1x48x1xi1>, tensor<2x1x1x48xi1>) outs(%44 : tensor<2x1x48x48xi1>) {
    ^bb0(%in: i1, %in_46: i1, %out: i1):
      %141 = arith.andi %in, %in_46 : i1
      linalg.yield %141 : i1
    } -> tensor<2x1x48x48xi1>
    %46 = tensor.empty() : tensor<2x1x48x48xf32>
    %47 = linalg.generic {indexing_maps = [#map8, #map9, #map9, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%45, %cst_5, %cst_4 : tensor<2x1x48x48xi1>, tensor<f32>, tensor<f32>) outs(%46 : tensor<2x1x48x48xf32>) {
    ^bb0(%in: i1, %in_46: f32, %in_47: f32, %out: f32):
      %141 = arith.select %in, %in_46, %in_47 : f32
      linalg.yield %141 : f32
    } -> tensor<2x1x48x48xf32>
    %collapsed_18 = tensor.collapse_shape %32 [[0, 1], [2]] : tensor<2x48x64xf32> into tensor<96x64xf32>
    %48 = tensor.empty() : tensor<64x64xf32>
    %transposed = linalg.transpose ins(%arg7 : tensor<64x64xf32>) outs(%48 : tensor<64x64xf32>) permutation = [1, 0] 
    %49 = tensor.empty() : tensor<96x64xf32>
    %50 = linalg.fill ins(%cst_0 : f32) outs(%49 : tensor<96x64xf32>) -> tensor<96x64xf32>
    %51 = linalg.matmul ins(%collapsed_18, %transposed : tensor<96x64xf32>, tensor<64x64xf32>) outs(%50 : tensor<96x64xf32>) -> tensor<96x64xf32>
    %52 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%51, %arg8 : tensor<96x64xf32>, tensor<64xf32>) outs(%49 : tensor<96x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.addf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<96x64xf32>
    %expanded_19 = tensor.expand_shape %52 [[0, 1], [2, 3]] output_shape [2, 48, 2, 32] : tensor<96x64xf32> into tensor<2x48x2x32xf32>
    %53 = tensor.empty() : tensor<2x2x48x32xf32>
    %transposed_20 = linalg.transpose ins(%expanded_19 : tensor<2x48x2x32xf32>) outs(%53 : tensor<2x2x48x32xf32>) permutation = [0, 2, 1, 3] 
    %transposed_21 = linalg.transpose ins(%arg9 : tensor<64x64xf32>) outs(%48 : tensor<64x64xf32>) permutation = [1, 0] 
    %54 = linalg.matmul ins(%collapsed_18, %transposed_21 : tensor<96x64xf32>, tensor<64x64xf32>) outs(%50 : tensor<96x64xf32>) -> tensor<96x64xf32>
    %55 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%54, %arg10 : tensor<96x64xf32>, tensor<64xf32>) outs(%49 : tensor<96x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.addf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<96x64xf32>
    %expanded_22 = tensor.expand_shape %55 [[0, 1], [2, 3]] output_shape [2, 48, 2, 32] : tensor<96x64xf32> into tensor<2x48x2x32xf32>
    %transposed_23 = linalg.transpose ins(%arg11 : tensor<64x64xf32>) outs(%48 : tensor<64x64xf32>) permutation = [1, 0] 
    %56 = linalg.matmul ins(%collapsed_18, %transposed_23 : tensor<96x64xf32>, tensor<64x64xf32>) outs(%50 : tensor<96x64xf32>) -> tensor<96x64xf32>
    %57 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%56, %arg12 : tensor<96x64xf32>, tensor<64xf32>) outs(%49 : tensor<96x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.addf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<96x64xf32>
    %expanded_24 = tensor.expand_shape %57 [[0, 1], [2, 3]] output_shape [2, 48, 2, 32] : tensor<96x64xf32> into tensor<2x48x2x32xf32>
    %transposed_25 = linalg.transpose ins(%expanded_24 : tensor<2x48x2x32xf32>) outs(%53 : tensor<2x2x48x32xf32>) permutation = [0, 2, 1, 3] 
    %58 = tensor.empty() : tensor<2x2x32x48xf32>
    %transposed_26 = linalg.transpose ins(%expanded_22 : tensor<2x48x2x32xf32>) outs(%58 : tensor<2x2x32x48xf32>) permutation = [0, 2, 3, 1] 
    %collapsed_27 = tensor.collapse_shape %transposed_20 [[0, 1], [2], [3]] : tensor<2x2x48x32xf32> into tensor<4x48x32xf32>
    %collapsed_28 = tensor.collapse_shape %transposed_26 [[0, 1], [2], [3]] : tensor<2x2x32x48xf32> into tensor<4x32x48xf32>
    %59 = tensor.empty() : tensor<4x48x48xf32>
    %60 = linalg.fill ins(%cst_0 : f32) outs(%59 : tensor<4x48x48xf32>) -> tensor<4x48x48xf32>
    %61 = linalg.batch_matmul ins(%collapsed_27, %collapsed_28 : tensor<4x48x32xf32>, tensor<4x32x48xf32>) outs(%60 : tensor<4x48x48xf32>) -> tensor<4x48x48xf32>
    %expanded_29 = tensor.expand_shape %61 [[0, 1], [2], [3]] output_shape [2, 2, 48, 48] : tensor<4x48x48xf32> into tensor<2x2x48x48xf32>
    %62 = tensor.empty() : tensor<2x2x48x48xf32>
    %63 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_29 : tensor<2x2x48x48xf32>) outs(%62 : tensor<2x2x48x48xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = arith.truncf %cst_8 : f64 to f32
      %142 = arith.mulf %in, %141 : f32
      linalg.yield %142 : f32
    } -> tensor<2x2x48x48xf32>
    %64 = linalg.generic {indexing_maps = [#map8, #map14, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%63, %47 : tensor<2x2x48x48xf32>, tensor<2x1x48x48xf32>) outs(%62 : tensor<2x2x48x48xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.addf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x2x48x48xf32>
    %65 = tensor.empty() : tensor<2x2x48xi64>
    %66 = linalg.fill ins(%c0_i64 : i64) outs(%65 : tensor<2x2x48xi64>) -> tensor<2x2x48xi64>
    %67 = tensor.empty() : tensor<2x2x48xf32>
    %68 = linalg.fill ins(%cst_1 : f32) outs(%67 : tensor<2x2x48xf32>) -> tensor<2x2x48xf32>
    %69:2 = linalg.generic {indexing_maps = [#map8, #map15, #map15], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%64 : tensor<2x2x48x48xf32>) outs(%68, %66 : tensor<2x2x48xf32>, tensor<2x2x48xi64>) {
    ^bb0(%in: f32, %out: f32, %out_46: i64):
      %141 = linalg.index 3 : index
      %142 = arith.index_cast %141 : index to i64
      %143 = arith.maximumf %in, %out : f32
      %144 = arith.cmpf ogt, %in, %out : f32
      %145 = arith.select %144, %142, %out_46 : i64
      linalg.yield %143, %145 : f32, i64
    } -> (tensor<2x2x48xf32>, tensor<2x2x48xi64>)
    %expanded_30 = tensor.expand_shape %69#0 [[0], [1], [2, 3]] output_shape [2, 2, 48, 1] : tensor<2x2x48xf32> into tensor<2x2x48x1xf32>
    %70 = linalg.generic {indexing_maps = [#map8, #map16, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%64, %expanded_30 : tensor<2x2x48x48xf32>, tensor<2x2x48x1xf32>) outs(%62 : tensor<2x2x48x48xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.subf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x2x48x48xf32>
    %71 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%70 : tensor<2x2x48x48xf32>) outs(%62 : tensor<2x2x48x48xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = math.exp %in : f32
      linalg.yield %141 : f32
    } -> tensor<2x2x48x48xf32>
    %72 = tensor.empty() : tensor<2x2x48x1xf32>
    %73 = linalg.fill ins(%cst_0 : f32) outs(%72 : tensor<2x2x48x1xf32>) -> tensor<2x2x48x1xf32>
    %74 = linalg.generic {indexing_maps = [#map8, #map16], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%71 : tensor<2x2x48x48xf32>) outs(%73 : tensor<2x2x48x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = arith.addf %in, %out : f32
      linalg.yield %141 : f32
    } -> tensor<2x2x48x1xf32>
    %75 = linalg.generic {indexing_maps = [#map8, #map16, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%71, %74 : tensor<2x2x48x48xf32>, tensor<2x2x48x1xf32>) outs(%62 : tensor<2x2x48x48xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.divf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x2x48x48xf32>
    %collapsed_31 = tensor.collapse_shape %75 [[0, 1], [2], [3]] : tensor<2x2x48x48xf32> into tensor<4x48x48xf32>
    %collapsed_32 = tensor.collapse_shape %transposed_25 [[0, 1], [2], [3]] : tensor<2x2x48x32xf32> into tensor<4x48x32xf32>
    %76 = tensor.empty() : tensor<4x48x32xf32>
    %77 = linalg.fill ins(%cst_0 : f32) outs(%76 : tensor<4x48x32xf32>) -> tensor<4x48x32xf32>
    %78 = linalg.batch_matmul ins(%collapsed_31, %collapsed_32 : tensor<4x48x48xf32>, tensor<4x48x32xf32>) outs(%77 : tensor<4x48x32xf32>) -> tensor<4x48x32xf32>
    %expanded_33 = tensor.expand_shape %78 [[0, 1], [2], [3]] output_shape [2, 2, 48, 32] : tensor<4x48x32xf32> into tensor<2x2x48x32xf32>
    %79 = tensor.empty() : tensor<2x48x2x32xf32>
    %transposed_34 = linalg.transpose ins(%expanded_33 : tensor<2x2x48x32xf32>) outs(%79 : tensor<2x48x2x32xf32>) permutation = [0, 2, 1, 3] 
    %collapsed_35 = tensor.collapse_shape %transposed_34 [[0, 1], [2, 3]] : tensor<2x48x2x32xf32> into tensor<96x64xf32>
    %transposed_36 = linalg.transpose ins(%arg13 : tensor<64x64xf32>) outs(%48 : tensor<64x64xf32>) permutation = [1, 0] 
    %80 = linalg.matmul ins(%collapsed_35, %transposed_36 : tensor<96x64xf32>, tensor<64x64xf32>) outs(%50 : tensor<96x64xf32>) -> tensor<96x64xf32>
    %81 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%80, %arg14 : tensor<96x64xf32>, tensor<64xf32>) outs(%49 : tensor<96x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.addf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<96x64xf32>
    %expanded_37 = tensor.expand_shape %81 [[0, 1], [2]] output_shape [2, 48, 64] : tensor<96x64xf32> into tensor<2x48x64xf32>
    %82 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_37, %32 : tensor<2x48x64xf32>, tensor<2x48x64xf32>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.addf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x64xf32>
    %83 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%82 : tensor<2x48x64xf32>) outs(%12 : tensor<2x48x64xf64>) {
    ^bb0(%in: f32, %out: f64):
      %141 = arith.extf %in : f32 to f64
      linalg.yield %141 : f64
    } -> tensor<2x48x64xf64>
    %84 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%83 : tensor<2x48x64xf64>) outs(%15 : tensor<2x48x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %141 = arith.addf %in, %out : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x1xf64>
    %85 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%84 : tensor<2x48x1xf64>) outs(%14 : tensor<2x48x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %141 = arith.divf %in, %cst_10 : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x1xf64>
    %86 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%83, %85 : tensor<2x48x64xf64>, tensor<2x48x1xf64>) outs(%12 : tensor<2x48x64xf64>) {
    ^bb0(%in: f64, %in_46: f64, %out: f64):
      %141 = arith.subf %in, %in_46 : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x64xf64>
    %87 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%86, %86 : tensor<2x48x64xf64>, tensor<2x48x64xf64>) outs(%12 : tensor<2x48x64xf64>) {
    ^bb0(%in: f64, %in_46: f64, %out: f64):
      %141 = arith.mulf %in, %in_46 : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x64xf64>
    %88 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%87 : tensor<2x48x64xf64>) outs(%15 : tensor<2x48x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %141 = arith.addf %in, %out : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x1xf64>
    %89 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%88 : tensor<2x48x1xf64>) outs(%14 : tensor<2x48x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %141 = arith.divf %in, %cst_10 : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x1xf64>
    %90 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%89 : tensor<2x48x1xf64>) outs(%22 : tensor<2x48x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %141 = arith.truncf %in : f64 to f32
      linalg.yield %141 : f32
    } -> tensor<2x48x1xf32>
    %91 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%82 : tensor<2x48x64xf32>) outs(%24 : tensor<2x48x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = arith.addf %in, %out : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x1xf32>
    %92 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%91 : tensor<2x48x1xf32>) outs(%22 : tensor<2x48x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = arith.divf %in, %cst_11 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x1xf32>
    %93 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%90 : tensor<2x48x1xf32>) outs(%22 : tensor<2x48x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = arith.truncf %cst_9 : f64 to f32
      %142 = arith.addf %in, %141 : f32
      linalg.yield %142 : f32
    } -> tensor<2x48x1xf32>
    %94 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%93 : tensor<2x48x1xf32>) outs(%22 : tensor<2x48x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = math.rsqrt %in : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x1xf32>
    %95 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%82, %92 : tensor<2x48x64xf32>, tensor<2x48x1xf32>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.subf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x64xf32>
    %96 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%95, %94 : tensor<2x48x64xf32>, tensor<2x48x1xf32>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.mulf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x64xf32>
    %97 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%96, %arg15 : tensor<2x48x64xf32>, tensor<64xf32>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.mulf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x64xf32>
    %98 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%97, %arg16 : tensor<2x48x64xf32>, tensor<64xf32>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.addf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x64xf32>
    %collapsed_38 = tensor.collapse_shape %98 [[0, 1], [2]] : tensor<2x48x64xf32> into tensor<96x64xf32>
    %99 = tensor.empty() : tensor<64x128xf32>
    %transposed_39 = linalg.transpose ins(%arg17 : tensor<128x64xf32>) outs(%99 : tensor<64x128xf32>) permutation = [1, 0] 
    %100 = tensor.empty() : tensor<96x128xf32>
    %101 = linalg.fill ins(%cst_0 : f32) outs(%100 : tensor<96x128xf32>) -> tensor<96x128xf32>
    %102 = linalg.matmul ins(%collapsed_38, %transposed_39 : tensor<96x64xf32>, tensor<64x128xf32>) outs(%101 : tensor<96x128xf32>) -> tensor<96x128xf32>
    %103 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%102, %arg18 : tensor<96x128xf32>, tensor<128xf32>) outs(%100 : tensor<96x128xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.addf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<96x128xf32>
    %expanded_40 = tensor.expand_shape %103 [[0, 1], [2]] output_shape [2, 48, 128] : tensor<96x128xf32> into tensor<2x48x128xf32>
    %104 = tensor.empty() : tensor<2x48x128xf32>
    %105 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_40 : tensor<2x48x128xf32>) outs(%104 : tensor<2x48x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = arith.divf %in, %cst_12 : f32
      %142 = math.erf %141 : f32
      %143 = arith.addf %142, %cst_2 : f32
      %144 = arith.mulf %143, %cst_3 : f32
      %145 = arith.mulf %in, %144 : f32
      linalg.yield %145 : f32
    } -> tensor<2x48x128xf32>
    %collapsed_41 = tensor.collapse_shape %105 [[0, 1], [2]] : tensor<2x48x128xf32> into tensor<96x128xf32>
    %106 = tensor.empty() : tensor<128x64xf32>
    %transposed_42 = linalg.transpose ins(%arg19 : tensor<64x128xf32>) outs(%106 : tensor<128x64xf32>) permutation = [1, 0] 
    %107 = linalg.matmul ins(%collapsed_41, %transposed_42 : tensor<96x128xf32>, tensor<128x64xf32>) outs(%50 : tensor<96x64xf32>) -> tensor<96x64xf32>
    %108 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%107, %arg20 : tensor<96x64xf32>, tensor<64xf32>) outs(%49 : tensor<96x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.addf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<96x64xf32>
    %expanded_43 = tensor.expand_shape %108 [[0, 1], [2]] output_shape [2, 48, 64] : tensor<96x64xf32> into tensor<2x48x64xf32>
    %109 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_43, %98 : tensor<2x48x64xf32>, tensor<2x48x64xf32>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.addf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x64xf32>
    %110 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%109 : tensor<2x48x64xf32>) outs(%12 : tensor<2x48x64xf64>) {
    ^bb0(%in: f32, %out: f64):
      %141 = arith.extf %in : f32 to f64
      linalg.yield %141 : f64
    } -> tensor<2x48x64xf64>
    %111 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%110 : tensor<2x48x64xf64>) outs(%15 : tensor<2x48x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %141 = arith.addf %in, %out : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x1xf64>
    %112 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%111 : tensor<2x48x1xf64>) outs(%14 : tensor<2x48x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %141 = arith.divf %in, %cst_10 : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x1xf64>
    %113 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%110, %112 : tensor<2x48x64xf64>, tensor<2x48x1xf64>) outs(%12 : tensor<2x48x64xf64>) {
    ^bb0(%in: f64, %in_46: f64, %out: f64):
      %141 = arith.subf %in, %in_46 : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x64xf64>
    %114 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%113, %113 : tensor<2x48x64xf64>, tensor<2x48x64xf64>) outs(%12 : tensor<2x48x64xf64>) {
    ^bb0(%in: f64, %in_46: f64, %out: f64):
      %141 = arith.mulf %in, %in_46 : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x64xf64>
    %115 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%114 : tensor<2x48x64xf64>) outs(%15 : tensor<2x48x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %141 = arith.addf %in, %out : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x1xf64>
    %116 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%115 : tensor<2x48x1xf64>) outs(%14 : tensor<2x48x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %141 = arith.divf %in, %cst_10 : f64
      linalg.yield %141 : f64
    } -> tensor<2x48x1xf64>
    %117 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%116 : tensor<2x48x1xf64>) outs(%22 : tensor<2x48x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %141 = arith.truncf %in : f64 to f32
      linalg.yield %141 : f32
    } -> tensor<2x48x1xf32>
    %118 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%109 : tensor<2x48x64xf32>) outs(%24 : tensor<2x48x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = arith.addf %in, %out : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x1xf32>
    %119 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%118 : tensor<2x48x1xf32>) outs(%22 : tensor<2x48x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = arith.divf %in, %cst_11 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x1xf32>
    %120 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%117 : tensor<2x48x1xf32>) outs(%22 : tensor<2x48x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = arith.truncf %cst_9 : f64 to f32
      %142 = arith.addf %in, %141 : f32
      linalg.yield %142 : f32
    } -> tensor<2x48x1xf32>
    %121 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%120 : tensor<2x48x1xf32>) outs(%22 : tensor<2x48x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = math.rsqrt %in : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x1xf32>
    %122 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%109, %119 : tensor<2x48x64xf32>, tensor<2x48x1xf32>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.subf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x64xf32>
    %123 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%122, %121 : tensor<2x48x64xf32>, tensor<2x48x1xf32>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.mulf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x64xf32>
    %124 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%123, %arg21 : tensor<2x48x64xf32>, tensor<64xf32>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.mulf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x64xf32>
    %125 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%124, %arg22 : tensor<2x48x64xf32>, tensor<64xf32>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.addf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x64xf32>
    %expanded_44 = tensor.expand_shape %arg1 [[0], [1, 2]] output_shape [2, 48, 1] : tensor<2x48xi64> into tensor<2x48x1xi64>
    %126 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_44 : tensor<2x48x1xi64>) outs(%22 : tensor<2x48x1xf32>) {
    ^bb0(%in: i64, %out: f32):
      %141 = arith.sitofp %in : i64 to f32
      linalg.yield %141 : f32
    } -> tensor<2x48x1xf32>
    %127 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%125, %126 : tensor<2x48x64xf32>, tensor<2x48x1xf32>) outs(%5 : tensor<2x48x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.mulf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x48x64xf32>
    %128 = tensor.empty() : tensor<2x64xf32>
    %129 = linalg.fill ins(%cst_0 : f32) outs(%128 : tensor<2x64xf32>) -> tensor<2x64xf32>
    %130 = linalg.generic {indexing_maps = [#map3, #map17], iterator_types = ["parallel", "reduction", "parallel"]} ins(%127 : tensor<2x48x64xf32>) outs(%129 : tensor<2x64xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = arith.addf %in, %out : f32
      linalg.yield %141 : f32
    } -> tensor<2x64xf32>
    %131 = tensor.empty() : tensor<2x1xf32>
    %132 = linalg.fill ins(%cst_0 : f32) outs(%131 : tensor<2x1xf32>) -> tensor<2x1xf32>
    %133 = linalg.generic {indexing_maps = [#map3, #map17], iterator_types = ["parallel", "reduction", "parallel"]} ins(%126 : tensor<2x48x1xf32>) outs(%132 : tensor<2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = arith.addf %in, %out : f32
      linalg.yield %141 : f32
    } -> tensor<2x1xf32>
    %134 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%133 : tensor<2x1xf32>) outs(%131 : tensor<2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = arith.truncf %cst_7 : f64 to f32
      %142 = arith.cmpf ult, %in, %141 : f32
      %143 = arith.select %142, %141, %in : f32
      linalg.yield %143 : f32
    } -> tensor<2x1xf32>
    %135 = linalg.generic {indexing_maps = [#map, #map18, #map], iterator_types = ["parallel", "parallel"]} ins(%130, %134 : tensor<2x64xf32>, tensor<2x1xf32>) outs(%128 : tensor<2x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.divf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x64xf32>
    %136 = linalg.generic {indexing_maps = [#map, #map18], iterator_types = ["parallel", "reduction"]} ins(%135 : tensor<2x64xf32>) outs(%132 : tensor<2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = math.absf %in : f32
      %142 = math.powf %141, %cst_13 : f32
      %143 = arith.addf %142, %out : f32
      linalg.yield %143 : f32
    } -> tensor<2x1xf32>
    %137 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%136 : tensor<2x1xf32>) outs(%131 : tensor<2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = math.powf %in, %cst_3 : f32
      linalg.yield %141 : f32
    } -> tensor<2x1xf32>
    %138 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%137 : tensor<2x1xf32>) outs(%131 : tensor<2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %141 = arith.truncf %cst_9 : f64 to f32
      %142 = arith.cmpf ult, %in, %141 : f32
      %143 = arith.select %142, %141, %in : f32
      linalg.yield %143 : f32
    } -> tensor<2x1xf32>
    %collapsed_45 = tensor.collapse_shape %138 [[0, 1]] : tensor<2x1xf32> into tensor<2xf32>
    %139 = linalg.generic {indexing_maps = [#map19, #map], iterator_types = ["parallel", "parallel"]} ins(%collapsed_45 : tensor<2xf32>) outs(%128 : tensor<2x64xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<2x64xf32>
    %140 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%135, %139 : tensor<2x64xf32>, tensor<2x64xf32>) outs(%128 : tensor<2x64xf32>) {
    ^bb0(%in: f32, %in_46: f32, %out: f32):
      %141 = arith.divf %in, %in_46 : f32
      linalg.yield %141 : f32
    } -> tensor<2x64xf32>
    return %140 : tensor<2x64xf32>
  }
}

{-#
  dialect_resources: {
    builtin: {
      torch_tensor_1_48_torch.int64_1: "0x08000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
      torch_tensor_1_48_torch.int64: "0x0800000000000000000000000100000000000000020000000000000003000000000000000400000000000000050000000000000006000000000000000700000000000000080000000000000009000000000000000A000000000000000B000000000000000C000000000000000D000000000000000E000000000000000F0000000000000010000000000000001100000000000000120000000000000013000000000000001400000000000000150000000000000016000000000000001700000000000000180000000000000019000000000000001A000000000000001B000000000000001C000000000000001D000000000000001E000000000000001F0000000000000020000000000000002100000000000000220000000000000023000000000000002400000000000000250000000000000026000000000000002700000000000000280000000000000029000000000000002A000000000000002B000000000000002C000000000000002D000000000000002E000000000000002F00000000000000"
    }
  }
#-}
