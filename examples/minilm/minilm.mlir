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
  func.func @main(%arg0: tensor<8x128xi64> {fovea.name = "input_ids"}, %arg1: tensor<8x128xi64> {fovea.name = "attention_mask"}, %arg2: tensor<30522x384xf32> {fovea.weight = "embeddings.word_embeddings.weight"}, %arg3: tensor<512x384xf32> {fovea.weight = "embeddings.position_embeddings.weight"}, %arg4: tensor<2x384xf32> {fovea.weight = "embeddings.token_type_embeddings.weight"}, %arg5: tensor<384xf32> {fovea.weight = "embeddings.LayerNorm.weight"}, %arg6: tensor<384xf32> {fovea.weight = "embeddings.LayerNorm.bias"}, %arg7: tensor<384x384xf32> {fovea.weight = "encoder.layer.0.attention.self.query.weight"}, %arg8: tensor<384xf32> {fovea.weight = "encoder.layer.0.attention.self.query.bias"}, %arg9: tensor<384x384xf32> {fovea.weight = "encoder.layer.0.attention.self.key.weight"}, %arg10: tensor<384xf32> {fovea.weight = "encoder.layer.0.attention.self.key.bias"}, %arg11: tensor<384x384xf32> {fovea.weight = "encoder.layer.0.attention.self.value.weight"}, %arg12: tensor<384xf32> {fovea.weight = "encoder.layer.0.attention.self.value.bias"}, %arg13: tensor<384x384xf32> {fovea.weight = "encoder.layer.0.attention.output.dense.weight"}, %arg14: tensor<384xf32> {fovea.weight = "encoder.layer.0.attention.output.dense.bias"}, %arg15: tensor<384xf32> {fovea.weight = "encoder.layer.0.attention.output.LayerNorm.weight"}, %arg16: tensor<384xf32> {fovea.weight = "encoder.layer.0.attention.output.LayerNorm.bias"}, %arg17: tensor<1536x384xf32> {fovea.weight = "encoder.layer.0.intermediate.dense.weight"}, %arg18: tensor<1536xf32> {fovea.weight = "encoder.layer.0.intermediate.dense.bias"}, %arg19: tensor<384x1536xf32> {fovea.weight = "encoder.layer.0.output.dense.weight"}, %arg20: tensor<384xf32> {fovea.weight = "encoder.layer.0.output.dense.bias"}, %arg21: tensor<384xf32> {fovea.weight = "encoder.layer.0.output.LayerNorm.weight"}, %arg22: tensor<384xf32> {fovea.weight = "encoder.layer.0.output.LayerNorm.bias"}, %arg23: tensor<384x384xf32> {fovea.weight = "encoder.layer.1.attention.self.query.weight"}, %arg24: tensor<384xf32> {fovea.weight = "encoder.layer.1.attention.self.query.bias"}, %arg25: tensor<384x384xf32> {fovea.weight = "encoder.layer.1.attention.self.key.weight"}, %arg26: tensor<384xf32> {fovea.weight = "encoder.layer.1.attention.self.key.bias"}, %arg27: tensor<384x384xf32> {fovea.weight = "encoder.layer.1.attention.self.value.weight"}, %arg28: tensor<384xf32> {fovea.weight = "encoder.layer.1.attention.self.value.bias"}, %arg29: tensor<384x384xf32> {fovea.weight = "encoder.layer.1.attention.output.dense.weight"}, %arg30: tensor<384xf32> {fovea.weight = "encoder.layer.1.attention.output.dense.bias"}, %arg31: tensor<384xf32> {fovea.weight = "encoder.layer.1.attention.output.LayerNorm.weight"}, %arg32: tensor<384xf32> {fovea.weight = "encoder.layer.1.attention.output.LayerNorm.bias"}, %arg33: tensor<1536x384xf32> {fovea.weight = "encoder.layer.1.intermediate.dense.weight"}, %arg34: tensor<1536xf32> {fovea.weight = "encoder.layer.1.intermediate.dense.bias"}, %arg35: tensor<384x1536xf32> {fovea.weight = "encoder.layer.1.output.dense.weight"}, %arg36: tensor<384xf32> {fovea.weight = "encoder.layer.1.output.dense.bias"}, %arg37: tensor<384xf32> {fovea.weight = "encoder.layer.1.output.LayerNorm.weight"}, %arg38: tensor<384xf32> {fovea.weight = "encoder.layer.1.output.LayerNorm.bias"}, %arg39: tensor<384x384xf32> {fovea.weight = "encoder.layer.2.attention.self.query.weight"}, %arg40: tensor<384xf32> {fovea.weight = "encoder.layer.2.attention.self.query.bias"}, %arg41: tensor<384x384xf32> {fovea.weight = "encoder.layer.2.attention.self.key.weight"}, %arg42: tensor<384xf32> {fovea.weight = "encoder.layer.2.attention.self.key.bias"}, %arg43: tensor<384x384xf32> {fovea.weight = "encoder.layer.2.attention.self.value.weight"}, %arg44: tensor<384xf32> {fovea.weight = "encoder.layer.2.attention.self.value.bias"}, %arg45: tensor<384x384xf32> {fovea.weight = "encoder.layer.2.attention.output.dense.weight"}, %arg46: tensor<384xf32> {fovea.weight = "encoder.layer.2.attention.output.dense.bias"}, %arg47: tensor<384xf32> {fovea.weight = "encoder.layer.2.attention.output.LayerNorm.weight"}, %arg48: tensor<384xf32> {fovea.weight = "encoder.layer.2.attention.output.LayerNorm.bias"}, %arg49: tensor<1536x384xf32> {fovea.weight = "encoder.layer.2.intermediate.dense.weight"}, %arg50: tensor<1536xf32> {fovea.weight = "encoder.layer.2.intermediate.dense.bias"}, %arg51: tensor<384x1536xf32> {fovea.weight = "encoder.layer.2.output.dense.weight"}, %arg52: tensor<384xf32> {fovea.weight = "encoder.layer.2.output.dense.bias"}, %arg53: tensor<384xf32> {fovea.weight = "encoder.layer.2.output.LayerNorm.weight"}, %arg54: tensor<384xf32> {fovea.weight = "encoder.layer.2.output.LayerNorm.bias"}, %arg55: tensor<384x384xf32> {fovea.weight = "encoder.layer.3.attention.self.query.weight"}, %arg56: tensor<384xf32> {fovea.weight = "encoder.layer.3.attention.self.query.bias"}, %arg57: tensor<384x384xf32> {fovea.weight = "encoder.layer.3.attention.self.key.weight"}, %arg58: tensor<384xf32> {fovea.weight = "encoder.layer.3.attention.self.key.bias"}, %arg59: tensor<384x384xf32> {fovea.weight = "encoder.layer.3.attention.self.value.weight"}, %arg60: tensor<384xf32> {fovea.weight = "encoder.layer.3.attention.self.value.bias"}, %arg61: tensor<384x384xf32> {fovea.weight = "encoder.layer.3.attention.output.dense.weight"}, %arg62: tensor<384xf32> {fovea.weight = "encoder.layer.3.attention.output.dense.bias"}, %arg63: tensor<384xf32> {fovea.weight = "encoder.layer.3.attention.output.LayerNorm.weight"}, %arg64: tensor<384xf32> {fovea.weight = "encoder.layer.3.attention.output.LayerNorm.bias"}, %arg65: tensor<1536x384xf32> {fovea.weight = "encoder.layer.3.intermediate.dense.weight"}, %arg66: tensor<1536xf32> {fovea.weight = "encoder.layer.3.intermediate.dense.bias"}, %arg67: tensor<384x1536xf32> {fovea.weight = "encoder.layer.3.output.dense.weight"}, %arg68: tensor<384xf32> {fovea.weight = "encoder.layer.3.output.dense.bias"}, %arg69: tensor<384xf32> {fovea.weight = "encoder.layer.3.output.LayerNorm.weight"}, %arg70: tensor<384xf32> {fovea.weight = "encoder.layer.3.output.LayerNorm.bias"}, %arg71: tensor<384x384xf32> {fovea.weight = "encoder.layer.4.attention.self.query.weight"}, %arg72: tensor<384xf32> {fovea.weight = "encoder.layer.4.attention.self.query.bias"}, %arg73: tensor<384x384xf32> {fovea.weight = "encoder.layer.4.attention.self.key.weight"}, %arg74: tensor<384xf32> {fovea.weight = "encoder.layer.4.attention.self.key.bias"}, %arg75: tensor<384x384xf32> {fovea.weight = "encoder.layer.4.attention.self.value.weight"}, %arg76: tensor<384xf32> {fovea.weight = "encoder.layer.4.attention.self.value.bias"}, %arg77: tensor<384x384xf32> {fovea.weight = "encoder.layer.4.attention.output.dense.weight"}, %arg78: tensor<384xf32> {fovea.weight = "encoder.layer.4.attention.output.dense.bias"}, %arg79: tensor<384xf32> {fovea.weight = "encoder.layer.4.attention.output.LayerNorm.weight"}, %arg80: tensor<384xf32> {fovea.weight = "encoder.layer.4.attention.output.LayerNorm.bias"}, %arg81: tensor<1536x384xf32> {fovea.weight = "encoder.layer.4.intermediate.dense.weight"}, %arg82: tensor<1536xf32> {fovea.weight = "encoder.layer.4.intermediate.dense.bias"}, %arg83: tensor<384x1536xf32> {fovea.weight = "encoder.layer.4.output.dense.weight"}, %arg84: tensor<384xf32> {fovea.weight = "encoder.layer.4.output.dense.bias"}, %arg85: tensor<384xf32> {fovea.weight = "encoder.layer.4.output.LayerNorm.weight"}, %arg86: tensor<384xf32> {fovea.weight = "encoder.layer.4.output.LayerNorm.bias"}, %arg87: tensor<384x384xf32> {fovea.weight = "encoder.layer.5.attention.self.query.weight"}, %arg88: tensor<384xf32> {fovea.weight = "encoder.layer.5.attention.self.query.bias"}, %arg89: tensor<384x384xf32> {fovea.weight = "encoder.layer.5.attention.self.key.weight"}, %arg90: tensor<384xf32> {fovea.weight = "encoder.layer.5.attention.self.key.bias"}, %arg91: tensor<384x384xf32> {fovea.weight = "encoder.layer.5.attention.self.value.weight"}, %arg92: tensor<384xf32> {fovea.weight = "encoder.layer.5.attention.self.value.bias"}, %arg93: tensor<384x384xf32> {fovea.weight = "encoder.layer.5.attention.output.dense.weight"}, %arg94: tensor<384xf32> {fovea.weight = "encoder.layer.5.attention.output.dense.bias"}, %arg95: tensor<384xf32> {fovea.weight = "encoder.layer.5.attention.output.LayerNorm.weight"}, %arg96: tensor<384xf32> {fovea.weight = "encoder.layer.5.attention.output.LayerNorm.bias"}, %arg97: tensor<1536x384xf32> {fovea.weight = "encoder.layer.5.intermediate.dense.weight"}, %arg98: tensor<1536xf32> {fovea.weight = "encoder.layer.5.intermediate.dense.bias"}, %arg99: tensor<384x1536xf32> {fovea.weight = "encoder.layer.5.output.dense.weight"}, %arg100: tensor<384xf32> {fovea.weight = "encoder.layer.5.output.dense.bias"}, %arg101: tensor<384xf32> {fovea.weight = "encoder.layer.5.output.LayerNorm.weight"}, %arg102: tensor<384xf32> {fovea.weight = "encoder.layer.5.output.LayerNorm.bias"}) -> (tensor<8x384xf32> {fovea.name = "embeddings"}) {
    %c0_i64 = arith.constant 0 : i64
    %c128_i64 = arith.constant 128 : i64
    %c512 = arith.constant 512 : index
    %c30522 = arith.constant 30522 : index
    %c2 = arith.constant 2 : index
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
    %cst_10 = arith.constant 3.840000e+02 : f64
    %cst_11 = arith.constant 3.840000e+02 : f32
    %cst_12 = arith.constant 1.41421354 : f32
    %cst_13 = arith.constant 2.000000e+00 : f32
    %c8_i64 = arith.constant 8 : i64
    %cst_14 = arith.constant dense_resource<torch_tensor_1_512_torch.int64_1> : tensor<1x512xi64>
    %cst_15 = arith.constant dense_resource<torch_tensor_1_512_torch.int64> : tensor<1x512xi64>
    %extracted_slice = tensor.extract_slice %cst_15[0, 0] [1, 128] [1, 1] : tensor<1x512xi64> to tensor<1x128xi64>
    %0 = tensor.empty() : tensor<1x128xi64>
    %1 = linalg.fill ins(%c0_i64 : i64) outs(%0 : tensor<1x128xi64>) -> tensor<1x128xi64>
    %2 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%extracted_slice : tensor<1x128xi64>) outs(%1 : tensor<1x128xi64>) {
    ^bb0(%in: i64, %out: i64):
      %421 = arith.index_cast %in : i64 to index
      %422 = arith.cmpi slt, %421, %c512 : index
      cf.assert %422, "index must be smaller than dim size"
      %423 = arith.cmpi sge, %in, %c0_i64 : i64
      cf.assert %423, "index must be larger or equal to 0"
      %extracted = tensor.extract %cst_14[%c0, %421] : tensor<1x512xi64>
      linalg.yield %extracted : i64
    } -> tensor<1x128xi64>
    %3 = tensor.empty() : tensor<8x128xi64>
    %collapsed = tensor.collapse_shape %2 [[0, 1]] : tensor<1x128xi64> into tensor<128xi64>
    %4 = linalg.generic {indexing_maps = [#map1, #map], iterator_types = ["parallel", "parallel"]} ins(%collapsed : tensor<128xi64>) outs(%3 : tensor<8x128xi64>) {
    ^bb0(%in: i64, %out: i64):
      linalg.yield %in : i64
    } -> tensor<8x128xi64>
    %5 = tensor.empty() : tensor<8x128x384xf32>
    %6 = linalg.generic {indexing_maps = [#map2, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg0 : tensor<8x128xi64>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: i64, %out: f32):
      %421 = arith.index_cast %in : i64 to index
      %422 = linalg.index 2 : index
      %423 = arith.cmpi slt, %421, %c30522 : index
      cf.assert %423, "index must be smaller than dim size"
      %424 = arith.cmpi sge, %in, %c0_i64 : i64
      cf.assert %424, "index must be larger or equal to 0"
      %extracted = tensor.extract %arg2[%421, %422] : tensor<30522x384xf32>
      linalg.yield %extracted : f32
    } -> tensor<8x128x384xf32>
    %7 = linalg.generic {indexing_maps = [#map2, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%4 : tensor<8x128xi64>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: i64, %out: f32):
      %421 = arith.index_cast %in : i64 to index
      %422 = linalg.index 2 : index
      %423 = arith.cmpi slt, %421, %c2 : index
      cf.assert %423, "index must be smaller than dim size"
      %424 = arith.cmpi sge, %in, %c0_i64 : i64
      cf.assert %424, "index must be larger or equal to 0"
      %extracted = tensor.extract %arg4[%421, %422] : tensor<2x384xf32>
      linalg.yield %extracted : f32
    } -> tensor<8x128x384xf32>
    %8 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%6, %7 : tensor<8x128x384xf32>, tensor<8x128x384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %9 = tensor.empty() : tensor<1x128x384xf32>
    %10 = linalg.generic {indexing_maps = [#map2, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%extracted_slice : tensor<1x128xi64>) outs(%9 : tensor<1x128x384xf32>) {
    ^bb0(%in: i64, %out: f32):
      %421 = arith.index_cast %in : i64 to index
      %422 = linalg.index 2 : index
      %423 = arith.cmpi slt, %421, %c512 : index
      cf.assert %423, "index must be smaller than dim size"
      %424 = arith.cmpi sge, %in, %c0_i64 : i64
      cf.assert %424, "index must be larger or equal to 0"
      %extracted = tensor.extract %arg3[%421, %422] : tensor<512x384xf32>
      linalg.yield %extracted : f32
    } -> tensor<1x128x384xf32>
    %11 = linalg.generic {indexing_maps = [#map3, #map4, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%8, %10 : tensor<8x128x384xf32>, tensor<1x128x384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %12 = tensor.empty() : tensor<8x128x384xf64>
    %13 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%11 : tensor<8x128x384xf32>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f32, %out: f64):
      %421 = arith.extf %in : f32 to f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %14 = tensor.empty() : tensor<8x128x1xf64>
    %15 = linalg.fill ins(%cst : f64) outs(%14 : tensor<8x128x1xf64>) -> tensor<8x128x1xf64>
    %16 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%13 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %17 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%16 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %18 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%13, %17 : tensor<8x128x384xf64>, tensor<8x128x1xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.subf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %19 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%18, %18 : tensor<8x128x384xf64>, tensor<8x128x384xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.mulf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %20 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%19 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %21 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%20 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %22 = tensor.empty() : tensor<8x128x1xf32>
    %23 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%21 : tensor<8x128x1xf64>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %421 = arith.truncf %in : f64 to f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %24 = linalg.fill ins(%cst_0 : f32) outs(%22 : tensor<8x128x1xf32>) -> tensor<8x128x1xf32>
    %25 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%11 : tensor<8x128x384xf32>) outs(%24 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %26 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%25 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_11 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %27 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%23 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_9 : f64 to f32
      %422 = arith.addf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x128x1xf32>
    %28 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%27 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.rsqrt %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %29 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%11, %26 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %30 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%29, %28 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %31 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%30, %arg5 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %32 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%31, %arg6 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %33 = tensor.empty() : tensor<8x128xi1>
    %34 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg1 : tensor<8x128xi64>) outs(%33 : tensor<8x128xi1>) {
    ^bb0(%in: i64, %out: i1):
      %421 = arith.cmpi ne, %in, %c0_i64 : i64
      linalg.yield %421 : i1
    } -> tensor<8x128xi1>
    %35 = tensor.empty() : tensor<8xi64>
    %36 = linalg.generic {indexing_maps = [#map7], iterator_types = ["parallel"]} outs(%35 : tensor<8xi64>) {
    ^bb0(%out: i64):
      %421 = linalg.index 0 : index
      %422 = arith.index_cast %421 : index to i64
      linalg.yield %422 : i64
    } -> tensor<8xi64>
    %37 = tensor.empty() : tensor<128xi64>
    %38 = linalg.generic {indexing_maps = [#map7], iterator_types = ["parallel"]} outs(%37 : tensor<128xi64>) {
    ^bb0(%out: i64):
      %421 = linalg.index 0 : index
      %422 = arith.index_cast %421 : index to i64
      linalg.yield %422 : i64
    } -> tensor<128xi64>
    %expanded = tensor.expand_shape %36 [[0, 1, 2, 3]] output_shape [8, 1, 1, 1] : tensor<8xi64> into tensor<8x1x1x1xi64>
    %expanded_16 = tensor.expand_shape %38 [[0, 1, 2, 3]] output_shape [1, 1, 128, 1] : tensor<128xi64> into tensor<1x1x128x1xi64>
    %expanded_17 = tensor.expand_shape %38 [[0, 1, 2, 3]] output_shape [1, 1, 1, 128] : tensor<128xi64> into tensor<1x1x1x128xi64>
    %39 = tensor.empty() : tensor<1x1x128x1xi1>
    %40 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_16 : tensor<1x1x128x1xi64>) outs(%39 : tensor<1x1x128x1xi1>) {
    ^bb0(%in: i64, %out: i1):
      %421 = arith.cmpi sge, %in, %c0_i64 : i64
      linalg.yield %421 : i1
    } -> tensor<1x1x128x1xi1>
    %41 = linalg.generic {indexing_maps = [#map9, #map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%cst_6, %40 : tensor<i1>, tensor<1x1x128x1xi1>) outs(%39 : tensor<1x1x128x1xi1>) {
    ^bb0(%in: i1, %in_181: i1, %out: i1):
      %421 = arith.andi %in, %in_181 : i1
      linalg.yield %421 : i1
    } -> tensor<1x1x128x1xi1>
    %42 = tensor.empty() : tensor<8x1x1x128xi1>
    %43 = linalg.generic {indexing_maps = [#map10, #map11, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded, %expanded_17 : tensor<8x1x1x1xi64>, tensor<1x1x1x128xi64>) outs(%42 : tensor<8x1x1x128xi1>) {
    ^bb0(%in: i64, %in_181: i64, %out: i1):
      %421 = arith.cmpi slt, %in, %c0_i64 : i64
      %422 = arith.addi %in, %c8_i64 : i64
      %423 = arith.select %421, %422, %in : i64
      %424 = arith.index_cast %423 : i64 to index
      %425 = arith.cmpi slt, %in_181, %c0_i64 : i64
      %426 = arith.addi %in_181, %c128_i64 : i64
      %427 = arith.select %425, %426, %in_181 : i64
      %428 = arith.index_cast %427 : i64 to index
      %extracted = tensor.extract %34[%424, %428] : tensor<8x128xi1>
      linalg.yield %extracted : i1
    } -> tensor<8x1x1x128xi1>
    %44 = tensor.empty() : tensor<8x1x128x128xi1>
    %45 = linalg.generic {indexing_maps = [#map12, #map13, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%41, %43 : tensor<1x1x128x1xi1>, tensor<8x1x1x128xi1>) outs(%44 : tensor<8x1x128x128xi1>) {
    ^bb0(%in: i1, %in_181: i1, %out: i1):
      %421 = arith.andi %in, %in_181 : i1
      linalg.yield %421 : i1
    } -> tensor<8x1x128x128xi1>
    %46 = tensor.empty() : tensor<8x1x128x128xf32>
    %47 = linalg.generic {indexing_maps = [#map8, #map9, #map9, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%45, %cst_5, %cst_4 : tensor<8x1x128x128xi1>, tensor<f32>, tensor<f32>) outs(%46 : tensor<8x1x128x128xf32>) {
    ^bb0(%in: i1, %in_181: f32, %in_182: f32, %out: f32):
      %421 = arith.select %in, %in_181, %in_182 : f32
      linalg.yield %421 : f32
    } -> tensor<8x1x128x128xf32>
    %collapsed_18 = tensor.collapse_shape %32 [[0, 1], [2]] : tensor<8x128x384xf32> into tensor<1024x384xf32>
    %48 = tensor.empty() : tensor<384x384xf32>
    %transposed = linalg.transpose ins(%arg7 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %49 = tensor.empty() : tensor<1024x384xf32>
    %50 = linalg.fill ins(%cst_0 : f32) outs(%49 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %51 = linalg.matmul ins(%collapsed_18, %transposed : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %52 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%51, %arg8 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_19 = tensor.expand_shape %52 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %53 = tensor.empty() : tensor<8x12x128x32xf32>
    %transposed_20 = linalg.transpose ins(%expanded_19 : tensor<8x128x12x32xf32>) outs(%53 : tensor<8x12x128x32xf32>) permutation = [0, 2, 1, 3] 
    %transposed_21 = linalg.transpose ins(%arg9 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %54 = linalg.matmul ins(%collapsed_18, %transposed_21 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %55 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%54, %arg10 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_22 = tensor.expand_shape %55 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %transposed_23 = linalg.transpose ins(%arg11 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %56 = linalg.matmul ins(%collapsed_18, %transposed_23 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %57 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%56, %arg12 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_24 = tensor.expand_shape %57 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %transposed_25 = linalg.transpose ins(%expanded_24 : tensor<8x128x12x32xf32>) outs(%53 : tensor<8x12x128x32xf32>) permutation = [0, 2, 1, 3] 
    %58 = tensor.empty() : tensor<8x12x32x128xf32>
    %transposed_26 = linalg.transpose ins(%expanded_22 : tensor<8x128x12x32xf32>) outs(%58 : tensor<8x12x32x128xf32>) permutation = [0, 2, 3, 1] 
    %collapsed_27 = tensor.collapse_shape %transposed_20 [[0, 1], [2], [3]] : tensor<8x12x128x32xf32> into tensor<96x128x32xf32>
    %collapsed_28 = tensor.collapse_shape %transposed_26 [[0, 1], [2], [3]] : tensor<8x12x32x128xf32> into tensor<96x32x128xf32>
    %59 = tensor.empty() : tensor<96x128x128xf32>
    %60 = linalg.fill ins(%cst_0 : f32) outs(%59 : tensor<96x128x128xf32>) -> tensor<96x128x128xf32>
    %61 = linalg.batch_matmul ins(%collapsed_27, %collapsed_28 : tensor<96x128x32xf32>, tensor<96x32x128xf32>) outs(%60 : tensor<96x128x128xf32>) -> tensor<96x128x128xf32>
    %expanded_29 = tensor.expand_shape %61 [[0, 1], [2], [3]] output_shape [8, 12, 128, 128] : tensor<96x128x128xf32> into tensor<8x12x128x128xf32>
    %62 = tensor.empty() : tensor<8x12x128x128xf32>
    %63 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_29 : tensor<8x12x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_8 : f64 to f32
      %422 = arith.mulf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x12x128x128xf32>
    %64 = linalg.generic {indexing_maps = [#map8, #map14, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%63, %47 : tensor<8x12x128x128xf32>, tensor<8x1x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %65 = tensor.empty() : tensor<8x12x128xi64>
    %66 = linalg.fill ins(%c0_i64 : i64) outs(%65 : tensor<8x12x128xi64>) -> tensor<8x12x128xi64>
    %67 = tensor.empty() : tensor<8x12x128xf32>
    %68 = linalg.fill ins(%cst_1 : f32) outs(%67 : tensor<8x12x128xf32>) -> tensor<8x12x128xf32>
    %69:2 = linalg.generic {indexing_maps = [#map8, #map15, #map15], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%64 : tensor<8x12x128x128xf32>) outs(%68, %66 : tensor<8x12x128xf32>, tensor<8x12x128xi64>) {
    ^bb0(%in: f32, %out: f32, %out_181: i64):
      %421 = linalg.index 3 : index
      %422 = arith.index_cast %421 : index to i64
      %423 = arith.maximumf %in, %out : f32
      %424 = arith.cmpf ogt, %in, %out : f32
      %425 = arith.select %424, %422, %out_181 : i64
      linalg.yield %423, %425 : f32, i64
    } -> (tensor<8x12x128xf32>, tensor<8x12x128xi64>)
    %expanded_30 = tensor.expand_shape %69#0 [[0], [1], [2, 3]] output_shape [8, 12, 128, 1] : tensor<8x12x128xf32> into tensor<8x12x128x1xf32>
    %70 = linalg.generic {indexing_maps = [#map8, #map16, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%64, %expanded_30 : tensor<8x12x128x128xf32>, tensor<8x12x128x1xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %71 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%70 : tensor<8x12x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.exp %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %72 = tensor.empty() : tensor<8x12x128x1xf32>
    %73 = linalg.fill ins(%cst_0 : f32) outs(%72 : tensor<8x12x128x1xf32>) -> tensor<8x12x128x1xf32>
    %74 = linalg.generic {indexing_maps = [#map8, #map16], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%71 : tensor<8x12x128x128xf32>) outs(%73 : tensor<8x12x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x1xf32>
    %75 = linalg.generic {indexing_maps = [#map8, #map16, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%71, %74 : tensor<8x12x128x128xf32>, tensor<8x12x128x1xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.divf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %collapsed_31 = tensor.collapse_shape %75 [[0, 1], [2], [3]] : tensor<8x12x128x128xf32> into tensor<96x128x128xf32>
    %collapsed_32 = tensor.collapse_shape %transposed_25 [[0, 1], [2], [3]] : tensor<8x12x128x32xf32> into tensor<96x128x32xf32>
    %76 = tensor.empty() : tensor<96x128x32xf32>
    %77 = linalg.fill ins(%cst_0 : f32) outs(%76 : tensor<96x128x32xf32>) -> tensor<96x128x32xf32>
    %78 = linalg.batch_matmul ins(%collapsed_31, %collapsed_32 : tensor<96x128x128xf32>, tensor<96x128x32xf32>) outs(%77 : tensor<96x128x32xf32>) -> tensor<96x128x32xf32>
    %expanded_33 = tensor.expand_shape %78 [[0, 1], [2], [3]] output_shape [8, 12, 128, 32] : tensor<96x128x32xf32> into tensor<8x12x128x32xf32>
    %79 = tensor.empty() : tensor<8x128x12x32xf32>
    %transposed_34 = linalg.transpose ins(%expanded_33 : tensor<8x12x128x32xf32>) outs(%79 : tensor<8x128x12x32xf32>) permutation = [0, 2, 1, 3] 
    %collapsed_35 = tensor.collapse_shape %transposed_34 [[0, 1], [2, 3]] : tensor<8x128x12x32xf32> into tensor<1024x384xf32>
    %transposed_36 = linalg.transpose ins(%arg13 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %80 = linalg.matmul ins(%collapsed_35, %transposed_36 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %81 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%80, %arg14 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_37 = tensor.expand_shape %81 [[0, 1], [2]] output_shape [8, 128, 384] : tensor<1024x384xf32> into tensor<8x128x384xf32>
    %82 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_37, %32 : tensor<8x128x384xf32>, tensor<8x128x384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %83 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%82 : tensor<8x128x384xf32>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f32, %out: f64):
      %421 = arith.extf %in : f32 to f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %84 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%83 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %85 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%84 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %86 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%83, %85 : tensor<8x128x384xf64>, tensor<8x128x1xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.subf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %87 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%86, %86 : tensor<8x128x384xf64>, tensor<8x128x384xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.mulf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %88 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%87 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %89 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%88 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %90 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%89 : tensor<8x128x1xf64>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %421 = arith.truncf %in : f64 to f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %91 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%82 : tensor<8x128x384xf32>) outs(%24 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %92 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%91 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_11 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %93 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%90 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_9 : f64 to f32
      %422 = arith.addf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x128x1xf32>
    %94 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%93 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.rsqrt %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %95 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%82, %92 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %96 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%95, %94 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %97 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%96, %arg15 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %98 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%97, %arg16 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %collapsed_38 = tensor.collapse_shape %98 [[0, 1], [2]] : tensor<8x128x384xf32> into tensor<1024x384xf32>
    %99 = tensor.empty() : tensor<384x1536xf32>
    %transposed_39 = linalg.transpose ins(%arg17 : tensor<1536x384xf32>) outs(%99 : tensor<384x1536xf32>) permutation = [1, 0] 
    %100 = tensor.empty() : tensor<1024x1536xf32>
    %101 = linalg.fill ins(%cst_0 : f32) outs(%100 : tensor<1024x1536xf32>) -> tensor<1024x1536xf32>
    %102 = linalg.matmul ins(%collapsed_38, %transposed_39 : tensor<1024x384xf32>, tensor<384x1536xf32>) outs(%101 : tensor<1024x1536xf32>) -> tensor<1024x1536xf32>
    %103 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%102, %arg18 : tensor<1024x1536xf32>, tensor<1536xf32>) outs(%100 : tensor<1024x1536xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x1536xf32>
    %expanded_40 = tensor.expand_shape %103 [[0, 1], [2]] output_shape [8, 128, 1536] : tensor<1024x1536xf32> into tensor<8x128x1536xf32>
    %104 = tensor.empty() : tensor<8x128x1536xf32>
    %105 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_40 : tensor<8x128x1536xf32>) outs(%104 : tensor<8x128x1536xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_12 : f32
      %422 = math.erf %421 : f32
      %423 = arith.addf %422, %cst_2 : f32
      %424 = arith.mulf %423, %cst_3 : f32
      %425 = arith.mulf %in, %424 : f32
      linalg.yield %425 : f32
    } -> tensor<8x128x1536xf32>
    %collapsed_41 = tensor.collapse_shape %105 [[0, 1], [2]] : tensor<8x128x1536xf32> into tensor<1024x1536xf32>
    %106 = tensor.empty() : tensor<1536x384xf32>
    %transposed_42 = linalg.transpose ins(%arg19 : tensor<384x1536xf32>) outs(%106 : tensor<1536x384xf32>) permutation = [1, 0] 
    %107 = linalg.matmul ins(%collapsed_41, %transposed_42 : tensor<1024x1536xf32>, tensor<1536x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %108 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%107, %arg20 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_43 = tensor.expand_shape %108 [[0, 1], [2]] output_shape [8, 128, 384] : tensor<1024x384xf32> into tensor<8x128x384xf32>
    %109 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_43, %98 : tensor<8x128x384xf32>, tensor<8x128x384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %110 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%109 : tensor<8x128x384xf32>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f32, %out: f64):
      %421 = arith.extf %in : f32 to f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %111 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%110 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %112 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%111 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %113 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%110, %112 : tensor<8x128x384xf64>, tensor<8x128x1xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.subf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %114 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%113, %113 : tensor<8x128x384xf64>, tensor<8x128x384xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.mulf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %115 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%114 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %116 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%115 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %117 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%116 : tensor<8x128x1xf64>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %421 = arith.truncf %in : f64 to f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %118 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%109 : tensor<8x128x384xf32>) outs(%24 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %119 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%118 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_11 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %120 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%117 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_9 : f64 to f32
      %422 = arith.addf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x128x1xf32>
    %121 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%120 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.rsqrt %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %122 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%109, %119 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %123 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%122, %121 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %124 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%123, %arg21 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %125 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%124, %arg22 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %collapsed_44 = tensor.collapse_shape %125 [[0, 1], [2]] : tensor<8x128x384xf32> into tensor<1024x384xf32>
    %transposed_45 = linalg.transpose ins(%arg23 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %126 = linalg.matmul ins(%collapsed_44, %transposed_45 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %127 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%126, %arg24 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_46 = tensor.expand_shape %127 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %transposed_47 = linalg.transpose ins(%expanded_46 : tensor<8x128x12x32xf32>) outs(%53 : tensor<8x12x128x32xf32>) permutation = [0, 2, 1, 3] 
    %transposed_48 = linalg.transpose ins(%arg25 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %128 = linalg.matmul ins(%collapsed_44, %transposed_48 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %129 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%128, %arg26 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_49 = tensor.expand_shape %129 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %transposed_50 = linalg.transpose ins(%arg27 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %130 = linalg.matmul ins(%collapsed_44, %transposed_50 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %131 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%130, %arg28 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_51 = tensor.expand_shape %131 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %transposed_52 = linalg.transpose ins(%expanded_51 : tensor<8x128x12x32xf32>) outs(%53 : tensor<8x12x128x32xf32>) permutation = [0, 2, 1, 3] 
    %transposed_53 = linalg.transpose ins(%expanded_49 : tensor<8x128x12x32xf32>) outs(%58 : tensor<8x12x32x128xf32>) permutation = [0, 2, 3, 1] 
    %collapsed_54 = tensor.collapse_shape %transposed_47 [[0, 1], [2], [3]] : tensor<8x12x128x32xf32> into tensor<96x128x32xf32>
    %collapsed_55 = tensor.collapse_shape %transposed_53 [[0, 1], [2], [3]] : tensor<8x12x32x128xf32> into tensor<96x32x128xf32>
    %132 = linalg.batch_matmul ins(%collapsed_54, %collapsed_55 : tensor<96x128x32xf32>, tensor<96x32x128xf32>) outs(%60 : tensor<96x128x128xf32>) -> tensor<96x128x128xf32>
    %expanded_56 = tensor.expand_shape %132 [[0, 1], [2], [3]] output_shape [8, 12, 128, 128] : tensor<96x128x128xf32> into tensor<8x12x128x128xf32>
    %133 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_56 : tensor<8x12x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_8 : f64 to f32
      %422 = arith.mulf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x12x128x128xf32>
    %134 = linalg.generic {indexing_maps = [#map8, #map14, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%133, %47 : tensor<8x12x128x128xf32>, tensor<8x1x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %135:2 = linalg.generic {indexing_maps = [#map8, #map15, #map15], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%134 : tensor<8x12x128x128xf32>) outs(%68, %66 : tensor<8x12x128xf32>, tensor<8x12x128xi64>) {
    ^bb0(%in: f32, %out: f32, %out_181: i64):
      %421 = linalg.index 3 : index
      %422 = arith.index_cast %421 : index to i64
      %423 = arith.maximumf %in, %out : f32
      %424 = arith.cmpf ogt, %in, %out : f32
      %425 = arith.select %424, %422, %out_181 : i64
      linalg.yield %423, %425 : f32, i64
    } -> (tensor<8x12x128xf32>, tensor<8x12x128xi64>)
    %expanded_57 = tensor.expand_shape %135#0 [[0], [1], [2, 3]] output_shape [8, 12, 128, 1] : tensor<8x12x128xf32> into tensor<8x12x128x1xf32>
    %136 = linalg.generic {indexing_maps = [#map8, #map16, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%134, %expanded_57 : tensor<8x12x128x128xf32>, tensor<8x12x128x1xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %137 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%136 : tensor<8x12x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.exp %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %138 = linalg.generic {indexing_maps = [#map8, #map16], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%137 : tensor<8x12x128x128xf32>) outs(%73 : tensor<8x12x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x1xf32>
    %139 = linalg.generic {indexing_maps = [#map8, #map16, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%137, %138 : tensor<8x12x128x128xf32>, tensor<8x12x128x1xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.divf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %collapsed_58 = tensor.collapse_shape %139 [[0, 1], [2], [3]] : tensor<8x12x128x128xf32> into tensor<96x128x128xf32>
    %collapsed_59 = tensor.collapse_shape %transposed_52 [[0, 1], [2], [3]] : tensor<8x12x128x32xf32> into tensor<96x128x32xf32>
    %140 = linalg.batch_matmul ins(%collapsed_58, %collapsed_59 : tensor<96x128x128xf32>, tensor<96x128x32xf32>) outs(%77 : tensor<96x128x32xf32>) -> tensor<96x128x32xf32>
    %expanded_60 = tensor.expand_shape %140 [[0, 1], [2], [3]] output_shape [8, 12, 128, 32] : tensor<96x128x32xf32> into tensor<8x12x128x32xf32>
    %transposed_61 = linalg.transpose ins(%expanded_60 : tensor<8x12x128x32xf32>) outs(%79 : tensor<8x128x12x32xf32>) permutation = [0, 2, 1, 3] 
    %collapsed_62 = tensor.collapse_shape %transposed_61 [[0, 1], [2, 3]] : tensor<8x128x12x32xf32> into tensor<1024x384xf32>
    %transposed_63 = linalg.transpose ins(%arg29 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %141 = linalg.matmul ins(%collapsed_62, %transposed_63 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %142 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%141, %arg30 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_64 = tensor.expand_shape %142 [[0, 1], [2]] output_shape [8, 128, 384] : tensor<1024x384xf32> into tensor<8x128x384xf32>
    %143 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_64, %125 : tensor<8x128x384xf32>, tensor<8x128x384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %144 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%143 : tensor<8x128x384xf32>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f32, %out: f64):
      %421 = arith.extf %in : f32 to f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %145 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%144 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %146 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%145 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %147 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%144, %146 : tensor<8x128x384xf64>, tensor<8x128x1xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.subf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %148 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%147, %147 : tensor<8x128x384xf64>, tensor<8x128x384xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.mulf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %149 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%148 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %150 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%149 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %151 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%150 : tensor<8x128x1xf64>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %421 = arith.truncf %in : f64 to f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %152 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%143 : tensor<8x128x384xf32>) outs(%24 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %153 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%152 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_11 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %154 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%151 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_9 : f64 to f32
      %422 = arith.addf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x128x1xf32>
    %155 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%154 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.rsqrt %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %156 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%143, %153 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %157 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%156, %155 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %158 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%157, %arg31 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %159 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%158, %arg32 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %collapsed_65 = tensor.collapse_shape %159 [[0, 1], [2]] : tensor<8x128x384xf32> into tensor<1024x384xf32>
    %transposed_66 = linalg.transpose ins(%arg33 : tensor<1536x384xf32>) outs(%99 : tensor<384x1536xf32>) permutation = [1, 0] 
    %160 = linalg.matmul ins(%collapsed_65, %transposed_66 : tensor<1024x384xf32>, tensor<384x1536xf32>) outs(%101 : tensor<1024x1536xf32>) -> tensor<1024x1536xf32>
    %161 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%160, %arg34 : tensor<1024x1536xf32>, tensor<1536xf32>) outs(%100 : tensor<1024x1536xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x1536xf32>
    %expanded_67 = tensor.expand_shape %161 [[0, 1], [2]] output_shape [8, 128, 1536] : tensor<1024x1536xf32> into tensor<8x128x1536xf32>
    %162 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_67 : tensor<8x128x1536xf32>) outs(%104 : tensor<8x128x1536xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_12 : f32
      %422 = math.erf %421 : f32
      %423 = arith.addf %422, %cst_2 : f32
      %424 = arith.mulf %423, %cst_3 : f32
      %425 = arith.mulf %in, %424 : f32
      linalg.yield %425 : f32
    } -> tensor<8x128x1536xf32>
    %collapsed_68 = tensor.collapse_shape %162 [[0, 1], [2]] : tensor<8x128x1536xf32> into tensor<1024x1536xf32>
    %transposed_69 = linalg.transpose ins(%arg35 : tensor<384x1536xf32>) outs(%106 : tensor<1536x384xf32>) permutation = [1, 0] 
    %163 = linalg.matmul ins(%collapsed_68, %transposed_69 : tensor<1024x1536xf32>, tensor<1536x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %164 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%163, %arg36 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_70 = tensor.expand_shape %164 [[0, 1], [2]] output_shape [8, 128, 384] : tensor<1024x384xf32> into tensor<8x128x384xf32>
    %165 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_70, %159 : tensor<8x128x384xf32>, tensor<8x128x384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %166 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%165 : tensor<8x128x384xf32>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f32, %out: f64):
      %421 = arith.extf %in : f32 to f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %167 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%166 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %168 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%167 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %169 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%166, %168 : tensor<8x128x384xf64>, tensor<8x128x1xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.subf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %170 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%169, %169 : tensor<8x128x384xf64>, tensor<8x128x384xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.mulf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %171 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%170 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %172 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%171 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %173 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%172 : tensor<8x128x1xf64>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %421 = arith.truncf %in : f64 to f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %174 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%165 : tensor<8x128x384xf32>) outs(%24 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %175 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%174 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_11 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %176 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%173 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_9 : f64 to f32
      %422 = arith.addf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x128x1xf32>
    %177 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%176 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.rsqrt %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %178 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%165, %175 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %179 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%178, %177 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %180 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%179, %arg37 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %181 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%180, %arg38 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %collapsed_71 = tensor.collapse_shape %181 [[0, 1], [2]] : tensor<8x128x384xf32> into tensor<1024x384xf32>
    %transposed_72 = linalg.transpose ins(%arg39 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %182 = linalg.matmul ins(%collapsed_71, %transposed_72 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %183 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%182, %arg40 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_73 = tensor.expand_shape %183 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %transposed_74 = linalg.transpose ins(%expanded_73 : tensor<8x128x12x32xf32>) outs(%53 : tensor<8x12x128x32xf32>) permutation = [0, 2, 1, 3] 
    %transposed_75 = linalg.transpose ins(%arg41 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %184 = linalg.matmul ins(%collapsed_71, %transposed_75 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %185 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%184, %arg42 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_76 = tensor.expand_shape %185 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %transposed_77 = linalg.transpose ins(%arg43 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %186 = linalg.matmul ins(%collapsed_71, %transposed_77 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %187 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%186, %arg44 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_78 = tensor.expand_shape %187 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %transposed_79 = linalg.transpose ins(%expanded_78 : tensor<8x128x12x32xf32>) outs(%53 : tensor<8x12x128x32xf32>) permutation = [0, 2, 1, 3] 
    %transposed_80 = linalg.transpose ins(%expanded_76 : tensor<8x128x12x32xf32>) outs(%58 : tensor<8x12x32x128xf32>) permutation = [0, 2, 3, 1] 
    %collapsed_81 = tensor.collapse_shape %transposed_74 [[0, 1], [2], [3]] : tensor<8x12x128x32xf32> into tensor<96x128x32xf32>
    %collapsed_82 = tensor.collapse_shape %transposed_80 [[0, 1], [2], [3]] : tensor<8x12x32x128xf32> into tensor<96x32x128xf32>
    %188 = linalg.batch_matmul ins(%collapsed_81, %collapsed_82 : tensor<96x128x32xf32>, tensor<96x32x128xf32>) outs(%60 : tensor<96x128x128xf32>) -> tensor<96x128x128xf32>
    %expanded_83 = tensor.expand_shape %188 [[0, 1], [2], [3]] output_shape [8, 12, 128, 128] : tensor<96x128x128xf32> into tensor<8x12x128x128xf32>
    %189 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_83 : tensor<8x12x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_8 : f64 to f32
      %422 = arith.mulf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x12x128x128xf32>
    %190 = linalg.generic {indexing_maps = [#map8, #map14, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%189, %47 : tensor<8x12x128x128xf32>, tensor<8x1x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %191:2 = linalg.generic {indexing_maps = [#map8, #map15, #map15], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%190 : tensor<8x12x128x128xf32>) outs(%68, %66 : tensor<8x12x128xf32>, tensor<8x12x128xi64>) {
    ^bb0(%in: f32, %out: f32, %out_181: i64):
      %421 = linalg.index 3 : index
      %422 = arith.index_cast %421 : index to i64
      %423 = arith.maximumf %in, %out : f32
      %424 = arith.cmpf ogt, %in, %out : f32
      %425 = arith.select %424, %422, %out_181 : i64
      linalg.yield %423, %425 : f32, i64
    } -> (tensor<8x12x128xf32>, tensor<8x12x128xi64>)
    %expanded_84 = tensor.expand_shape %191#0 [[0], [1], [2, 3]] output_shape [8, 12, 128, 1] : tensor<8x12x128xf32> into tensor<8x12x128x1xf32>
    %192 = linalg.generic {indexing_maps = [#map8, #map16, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%190, %expanded_84 : tensor<8x12x128x128xf32>, tensor<8x12x128x1xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %193 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%192 : tensor<8x12x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.exp %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %194 = linalg.generic {indexing_maps = [#map8, #map16], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%193 : tensor<8x12x128x128xf32>) outs(%73 : tensor<8x12x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x1xf32>
    %195 = linalg.generic {indexing_maps = [#map8, #map16, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%193, %194 : tensor<8x12x128x128xf32>, tensor<8x12x128x1xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.divf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %collapsed_85 = tensor.collapse_shape %195 [[0, 1], [2], [3]] : tensor<8x12x128x128xf32> into tensor<96x128x128xf32>
    %collapsed_86 = tensor.collapse_shape %transposed_79 [[0, 1], [2], [3]] : tensor<8x12x128x32xf32> into tensor<96x128x32xf32>
    %196 = linalg.batch_matmul ins(%collapsed_85, %collapsed_86 : tensor<96x128x128xf32>, tensor<96x128x32xf32>) outs(%77 : tensor<96x128x32xf32>) -> tensor<96x128x32xf32>
    %expanded_87 = tensor.expand_shape %196 [[0, 1], [2], [3]] output_shape [8, 12, 128, 32] : tensor<96x128x32xf32> into tensor<8x12x128x32xf32>
    %transposed_88 = linalg.transpose ins(%expanded_87 : tensor<8x12x128x32xf32>) outs(%79 : tensor<8x128x12x32xf32>) permutation = [0, 2, 1, 3] 
    %collapsed_89 = tensor.collapse_shape %transposed_88 [[0, 1], [2, 3]] : tensor<8x128x12x32xf32> into tensor<1024x384xf32>
    %transposed_90 = linalg.transpose ins(%arg45 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %197 = linalg.matmul ins(%collapsed_89, %transposed_90 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %198 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%197, %arg46 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_91 = tensor.expand_shape %198 [[0, 1], [2]] output_shape [8, 128, 384] : tensor<1024x384xf32> into tensor<8x128x384xf32>
    %199 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_91, %181 : tensor<8x128x384xf32>, tensor<8x128x384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %200 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%199 : tensor<8x128x384xf32>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f32, %out: f64):
      %421 = arith.extf %in : f32 to f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %201 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%200 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %202 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%201 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %203 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%200, %202 : tensor<8x128x384xf64>, tensor<8x128x1xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.subf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %204 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%203, %203 : tensor<8x128x384xf64>, tensor<8x128x384xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.mulf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %205 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%204 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %206 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%205 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %207 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%206 : tensor<8x128x1xf64>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %421 = arith.truncf %in : f64 to f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %208 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%199 : tensor<8x128x384xf32>) outs(%24 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %209 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%208 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_11 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %210 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%207 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_9 : f64 to f32
      %422 = arith.addf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x128x1xf32>
    %211 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%210 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.rsqrt %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %212 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%199, %209 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %213 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%212, %211 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %214 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%213, %arg47 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %215 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%214, %arg48 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %collapsed_92 = tensor.collapse_shape %215 [[0, 1], [2]] : tensor<8x128x384xf32> into tensor<1024x384xf32>
    %transposed_93 = linalg.transpose ins(%arg49 : tensor<1536x384xf32>) outs(%99 : tensor<384x1536xf32>) permutation = [1, 0] 
    %216 = linalg.matmul ins(%collapsed_92, %transposed_93 : tensor<1024x384xf32>, tensor<384x1536xf32>) outs(%101 : tensor<1024x1536xf32>) -> tensor<1024x1536xf32>
    %217 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%216, %arg50 : tensor<1024x1536xf32>, tensor<1536xf32>) outs(%100 : tensor<1024x1536xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x1536xf32>
    %expanded_94 = tensor.expand_shape %217 [[0, 1], [2]] output_shape [8, 128, 1536] : tensor<1024x1536xf32> into tensor<8x128x1536xf32>
    %218 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_94 : tensor<8x128x1536xf32>) outs(%104 : tensor<8x128x1536xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_12 : f32
      %422 = math.erf %421 : f32
      %423 = arith.addf %422, %cst_2 : f32
      %424 = arith.mulf %423, %cst_3 : f32
      %425 = arith.mulf %in, %424 : f32
      linalg.yield %425 : f32
    } -> tensor<8x128x1536xf32>
    %collapsed_95 = tensor.collapse_shape %218 [[0, 1], [2]] : tensor<8x128x1536xf32> into tensor<1024x1536xf32>
    %transposed_96 = linalg.transpose ins(%arg51 : tensor<384x1536xf32>) outs(%106 : tensor<1536x384xf32>) permutation = [1, 0] 
    %219 = linalg.matmul ins(%collapsed_95, %transposed_96 : tensor<1024x1536xf32>, tensor<1536x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %220 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%219, %arg52 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_97 = tensor.expand_shape %220 [[0, 1], [2]] output_shape [8, 128, 384] : tensor<1024x384xf32> into tensor<8x128x384xf32>
    %221 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_97, %215 : tensor<8x128x384xf32>, tensor<8x128x384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %222 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%221 : tensor<8x128x384xf32>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f32, %out: f64):
      %421 = arith.extf %in : f32 to f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %223 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%222 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %224 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%223 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %225 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%222, %224 : tensor<8x128x384xf64>, tensor<8x128x1xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.subf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %226 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%225, %225 : tensor<8x128x384xf64>, tensor<8x128x384xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.mulf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %227 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%226 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %228 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%227 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %229 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%228 : tensor<8x128x1xf64>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %421 = arith.truncf %in : f64 to f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %230 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%221 : tensor<8x128x384xf32>) outs(%24 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %231 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%230 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_11 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %232 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%229 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_9 : f64 to f32
      %422 = arith.addf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x128x1xf32>
    %233 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%232 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.rsqrt %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %234 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%221, %231 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %235 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%234, %233 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %236 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%235, %arg53 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %237 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%236, %arg54 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %collapsed_98 = tensor.collapse_shape %237 [[0, 1], [2]] : tensor<8x128x384xf32> into tensor<1024x384xf32>
    %transposed_99 = linalg.transpose ins(%arg55 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %238 = linalg.matmul ins(%collapsed_98, %transposed_99 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %239 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%238, %arg56 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_100 = tensor.expand_shape %239 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %transposed_101 = linalg.transpose ins(%expanded_100 : tensor<8x128x12x32xf32>) outs(%53 : tensor<8x12x128x32xf32>) permutation = [0, 2, 1, 3] 
    %transposed_102 = linalg.transpose ins(%arg57 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %240 = linalg.matmul ins(%collapsed_98, %transposed_102 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %241 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%240, %arg58 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_103 = tensor.expand_shape %241 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %transposed_104 = linalg.transpose ins(%arg59 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %242 = linalg.matmul ins(%collapsed_98, %transposed_104 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %243 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%242, %arg60 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_105 = tensor.expand_shape %243 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %transposed_106 = linalg.transpose ins(%expanded_105 : tensor<8x128x12x32xf32>) outs(%53 : tensor<8x12x128x32xf32>) permutation = [0, 2, 1, 3] 
    %transposed_107 = linalg.transpose ins(%expanded_103 : tensor<8x128x12x32xf32>) outs(%58 : tensor<8x12x32x128xf32>) permutation = [0, 2, 3, 1] 
    %collapsed_108 = tensor.collapse_shape %transposed_101 [[0, 1], [2], [3]] : tensor<8x12x128x32xf32> into tensor<96x128x32xf32>
    %collapsed_109 = tensor.collapse_shape %transposed_107 [[0, 1], [2], [3]] : tensor<8x12x32x128xf32> into tensor<96x32x128xf32>
    %244 = linalg.batch_matmul ins(%collapsed_108, %collapsed_109 : tensor<96x128x32xf32>, tensor<96x32x128xf32>) outs(%60 : tensor<96x128x128xf32>) -> tensor<96x128x128xf32>
    %expanded_110 = tensor.expand_shape %244 [[0, 1], [2], [3]] output_shape [8, 12, 128, 128] : tensor<96x128x128xf32> into tensor<8x12x128x128xf32>
    %245 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_110 : tensor<8x12x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_8 : f64 to f32
      %422 = arith.mulf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x12x128x128xf32>
    %246 = linalg.generic {indexing_maps = [#map8, #map14, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%245, %47 : tensor<8x12x128x128xf32>, tensor<8x1x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %247:2 = linalg.generic {indexing_maps = [#map8, #map15, #map15], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%246 : tensor<8x12x128x128xf32>) outs(%68, %66 : tensor<8x12x128xf32>, tensor<8x12x128xi64>) {
    ^bb0(%in: f32, %out: f32, %out_181: i64):
      %421 = linalg.index 3 : index
      %422 = arith.index_cast %421 : index to i64
      %423 = arith.maximumf %in, %out : f32
      %424 = arith.cmpf ogt, %in, %out : f32
      %425 = arith.select %424, %422, %out_181 : i64
      linalg.yield %423, %425 : f32, i64
    } -> (tensor<8x12x128xf32>, tensor<8x12x128xi64>)
    %expanded_111 = tensor.expand_shape %247#0 [[0], [1], [2, 3]] output_shape [8, 12, 128, 1] : tensor<8x12x128xf32> into tensor<8x12x128x1xf32>
    %248 = linalg.generic {indexing_maps = [#map8, #map16, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%246, %expanded_111 : tensor<8x12x128x128xf32>, tensor<8x12x128x1xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %249 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%248 : tensor<8x12x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.exp %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %250 = linalg.generic {indexing_maps = [#map8, #map16], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%249 : tensor<8x12x128x128xf32>) outs(%73 : tensor<8x12x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x1xf32>
    %251 = linalg.generic {indexing_maps = [#map8, #map16, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%249, %250 : tensor<8x12x128x128xf32>, tensor<8x12x128x1xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.divf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %collapsed_112 = tensor.collapse_shape %251 [[0, 1], [2], [3]] : tensor<8x12x128x128xf32> into tensor<96x128x128xf32>
    %collapsed_113 = tensor.collapse_shape %transposed_106 [[0, 1], [2], [3]] : tensor<8x12x128x32xf32> into tensor<96x128x32xf32>
    %252 = linalg.batch_matmul ins(%collapsed_112, %collapsed_113 : tensor<96x128x128xf32>, tensor<96x128x32xf32>) outs(%77 : tensor<96x128x32xf32>) -> tensor<96x128x32xf32>
    %expanded_114 = tensor.expand_shape %252 [[0, 1], [2], [3]] output_shape [8, 12, 128, 32] : tensor<96x128x32xf32> into tensor<8x12x128x32xf32>
    %transposed_115 = linalg.transpose ins(%expanded_114 : tensor<8x12x128x32xf32>) outs(%79 : tensor<8x128x12x32xf32>) permutation = [0, 2, 1, 3] 
    %collapsed_116 = tensor.collapse_shape %transposed_115 [[0, 1], [2, 3]] : tensor<8x128x12x32xf32> into tensor<1024x384xf32>
    %transposed_117 = linalg.transpose ins(%arg61 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %253 = linalg.matmul ins(%collapsed_116, %transposed_117 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %254 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%253, %arg62 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_118 = tensor.expand_shape %254 [[0, 1], [2]] output_shape [8, 128, 384] : tensor<1024x384xf32> into tensor<8x128x384xf32>
    %255 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_118, %237 : tensor<8x128x384xf32>, tensor<8x128x384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %256 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%255 : tensor<8x128x384xf32>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f32, %out: f64):
      %421 = arith.extf %in : f32 to f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %257 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%256 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %258 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%257 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %259 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%256, %258 : tensor<8x128x384xf64>, tensor<8x128x1xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.subf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %260 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%259, %259 : tensor<8x128x384xf64>, tensor<8x128x384xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.mulf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %261 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%260 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %262 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%261 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %263 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%262 : tensor<8x128x1xf64>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %421 = arith.truncf %in : f64 to f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %264 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%255 : tensor<8x128x384xf32>) outs(%24 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %265 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%264 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_11 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %266 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%263 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_9 : f64 to f32
      %422 = arith.addf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x128x1xf32>
    %267 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%266 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.rsqrt %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %268 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%255, %265 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %269 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%268, %267 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %270 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%269, %arg63 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %271 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%270, %arg64 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %collapsed_119 = tensor.collapse_shape %271 [[0, 1], [2]] : tensor<8x128x384xf32> into tensor<1024x384xf32>
    %transposed_120 = linalg.transpose ins(%arg65 : tensor<1536x384xf32>) outs(%99 : tensor<384x1536xf32>) permutation = [1, 0] 
    %272 = linalg.matmul ins(%collapsed_119, %transposed_120 : tensor<1024x384xf32>, tensor<384x1536xf32>) outs(%101 : tensor<1024x1536xf32>) -> tensor<1024x1536xf32>
    %273 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%272, %arg66 : tensor<1024x1536xf32>, tensor<1536xf32>) outs(%100 : tensor<1024x1536xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x1536xf32>
    %expanded_121 = tensor.expand_shape %273 [[0, 1], [2]] output_shape [8, 128, 1536] : tensor<1024x1536xf32> into tensor<8x128x1536xf32>
    %274 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_121 : tensor<8x128x1536xf32>) outs(%104 : tensor<8x128x1536xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_12 : f32
      %422 = math.erf %421 : f32
      %423 = arith.addf %422, %cst_2 : f32
      %424 = arith.mulf %423, %cst_3 : f32
      %425 = arith.mulf %in, %424 : f32
      linalg.yield %425 : f32
    } -> tensor<8x128x1536xf32>
    %collapsed_122 = tensor.collapse_shape %274 [[0, 1], [2]] : tensor<8x128x1536xf32> into tensor<1024x1536xf32>
    %transposed_123 = linalg.transpose ins(%arg67 : tensor<384x1536xf32>) outs(%106 : tensor<1536x384xf32>) permutation = [1, 0] 
    %275 = linalg.matmul ins(%collapsed_122, %transposed_123 : tensor<1024x1536xf32>, tensor<1536x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %276 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%275, %arg68 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_124 = tensor.expand_shape %276 [[0, 1], [2]] output_shape [8, 128, 384] : tensor<1024x384xf32> into tensor<8x128x384xf32>
    %277 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_124, %271 : tensor<8x128x384xf32>, tensor<8x128x384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %278 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%277 : tensor<8x128x384xf32>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f32, %out: f64):
      %421 = arith.extf %in : f32 to f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %279 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%278 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %280 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%279 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %281 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%278, %280 : tensor<8x128x384xf64>, tensor<8x128x1xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.subf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %282 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%281, %281 : tensor<8x128x384xf64>, tensor<8x128x384xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.mulf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %283 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%282 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %284 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%283 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %285 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%284 : tensor<8x128x1xf64>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %421 = arith.truncf %in : f64 to f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %286 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%277 : tensor<8x128x384xf32>) outs(%24 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %287 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%286 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_11 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %288 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%285 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_9 : f64 to f32
      %422 = arith.addf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x128x1xf32>
    %289 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%288 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.rsqrt %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %290 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%277, %287 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %291 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%290, %289 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %292 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%291, %arg69 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %293 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%292, %arg70 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %collapsed_125 = tensor.collapse_shape %293 [[0, 1], [2]] : tensor<8x128x384xf32> into tensor<1024x384xf32>
    %transposed_126 = linalg.transpose ins(%arg71 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %294 = linalg.matmul ins(%collapsed_125, %transposed_126 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %295 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%294, %arg72 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_127 = tensor.expand_shape %295 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %transposed_128 = linalg.transpose ins(%expanded_127 : tensor<8x128x12x32xf32>) outs(%53 : tensor<8x12x128x32xf32>) permutation = [0, 2, 1, 3] 
    %transposed_129 = linalg.transpose ins(%arg73 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %296 = linalg.matmul ins(%collapsed_125, %transposed_129 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %297 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%296, %arg74 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_130 = tensor.expand_shape %297 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %transposed_131 = linalg.transpose ins(%arg75 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %298 = linalg.matmul ins(%collapsed_125, %transposed_131 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %299 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%298, %arg76 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_132 = tensor.expand_shape %299 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %transposed_133 = linalg.transpose ins(%expanded_132 : tensor<8x128x12x32xf32>) outs(%53 : tensor<8x12x128x32xf32>) permutation = [0, 2, 1, 3] 
    %transposed_134 = linalg.transpose ins(%expanded_130 : tensor<8x128x12x32xf32>) outs(%58 : tensor<8x12x32x128xf32>) permutation = [0, 2, 3, 1] 
    %collapsed_135 = tensor.collapse_shape %transposed_128 [[0, 1], [2], [3]] : tensor<8x12x128x32xf32> into tensor<96x128x32xf32>
    %collapsed_136 = tensor.collapse_shape %transposed_134 [[0, 1], [2], [3]] : tensor<8x12x32x128xf32> into tensor<96x32x128xf32>
    %300 = linalg.batch_matmul ins(%collapsed_135, %collapsed_136 : tensor<96x128x32xf32>, tensor<96x32x128xf32>) outs(%60 : tensor<96x128x128xf32>) -> tensor<96x128x128xf32>
    %expanded_137 = tensor.expand_shape %300 [[0, 1], [2], [3]] output_shape [8, 12, 128, 128] : tensor<96x128x128xf32> into tensor<8x12x128x128xf32>
    %301 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_137 : tensor<8x12x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_8 : f64 to f32
      %422 = arith.mulf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x12x128x128xf32>
    %302 = linalg.generic {indexing_maps = [#map8, #map14, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%301, %47 : tensor<8x12x128x128xf32>, tensor<8x1x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %303:2 = linalg.generic {indexing_maps = [#map8, #map15, #map15], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%302 : tensor<8x12x128x128xf32>) outs(%68, %66 : tensor<8x12x128xf32>, tensor<8x12x128xi64>) {
    ^bb0(%in: f32, %out: f32, %out_181: i64):
      %421 = linalg.index 3 : index
      %422 = arith.index_cast %421 : index to i64
      %423 = arith.maximumf %in, %out : f32
      %424 = arith.cmpf ogt, %in, %out : f32
      %425 = arith.select %424, %422, %out_181 : i64
      linalg.yield %423, %425 : f32, i64
    } -> (tensor<8x12x128xf32>, tensor<8x12x128xi64>)
    %expanded_138 = tensor.expand_shape %303#0 [[0], [1], [2, 3]] output_shape [8, 12, 128, 1] : tensor<8x12x128xf32> into tensor<8x12x128x1xf32>
    %304 = linalg.generic {indexing_maps = [#map8, #map16, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%302, %expanded_138 : tensor<8x12x128x128xf32>, tensor<8x12x128x1xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %305 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%304 : tensor<8x12x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.exp %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %306 = linalg.generic {indexing_maps = [#map8, #map16], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%305 : tensor<8x12x128x128xf32>) outs(%73 : tensor<8x12x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x1xf32>
    %307 = linalg.generic {indexing_maps = [#map8, #map16, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%305, %306 : tensor<8x12x128x128xf32>, tensor<8x12x128x1xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.divf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %collapsed_139 = tensor.collapse_shape %307 [[0, 1], [2], [3]] : tensor<8x12x128x128xf32> into tensor<96x128x128xf32>
    %collapsed_140 = tensor.collapse_shape %transposed_133 [[0, 1], [2], [3]] : tensor<8x12x128x32xf32> into tensor<96x128x32xf32>
    %308 = linalg.batch_matmul ins(%collapsed_139, %collapsed_140 : tensor<96x128x128xf32>, tensor<96x128x32xf32>) outs(%77 : tensor<96x128x32xf32>) -> tensor<96x128x32xf32>
    %expanded_141 = tensor.expand_shape %308 [[0, 1], [2], [3]] output_shape [8, 12, 128, 32] : tensor<96x128x32xf32> into tensor<8x12x128x32xf32>
    %transposed_142 = linalg.transpose ins(%expanded_141 : tensor<8x12x128x32xf32>) outs(%79 : tensor<8x128x12x32xf32>) permutation = [0, 2, 1, 3] 
    %collapsed_143 = tensor.collapse_shape %transposed_142 [[0, 1], [2, 3]] : tensor<8x128x12x32xf32> into tensor<1024x384xf32>
    %transposed_144 = linalg.transpose ins(%arg77 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %309 = linalg.matmul ins(%collapsed_143, %transposed_144 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %310 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%309, %arg78 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_145 = tensor.expand_shape %310 [[0, 1], [2]] output_shape [8, 128, 384] : tensor<1024x384xf32> into tensor<8x128x384xf32>
    %311 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_145, %293 : tensor<8x128x384xf32>, tensor<8x128x384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %312 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%311 : tensor<8x128x384xf32>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f32, %out: f64):
      %421 = arith.extf %in : f32 to f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %313 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%312 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %314 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%313 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %315 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%312, %314 : tensor<8x128x384xf64>, tensor<8x128x1xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.subf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %316 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%315, %315 : tensor<8x128x384xf64>, tensor<8x128x384xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.mulf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %317 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%316 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %318 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%317 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %319 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%318 : tensor<8x128x1xf64>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %421 = arith.truncf %in : f64 to f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %320 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%311 : tensor<8x128x384xf32>) outs(%24 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %321 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%320 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_11 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %322 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%319 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_9 : f64 to f32
      %422 = arith.addf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x128x1xf32>
    %323 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%322 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.rsqrt %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %324 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%311, %321 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %325 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%324, %323 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %326 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%325, %arg79 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %327 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%326, %arg80 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %collapsed_146 = tensor.collapse_shape %327 [[0, 1], [2]] : tensor<8x128x384xf32> into tensor<1024x384xf32>
    %transposed_147 = linalg.transpose ins(%arg81 : tensor<1536x384xf32>) outs(%99 : tensor<384x1536xf32>) permutation = [1, 0] 
    %328 = linalg.matmul ins(%collapsed_146, %transposed_147 : tensor<1024x384xf32>, tensor<384x1536xf32>) outs(%101 : tensor<1024x1536xf32>) -> tensor<1024x1536xf32>
    %329 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%328, %arg82 : tensor<1024x1536xf32>, tensor<1536xf32>) outs(%100 : tensor<1024x1536xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x1536xf32>
    %expanded_148 = tensor.expand_shape %329 [[0, 1], [2]] output_shape [8, 128, 1536] : tensor<1024x1536xf32> into tensor<8x128x1536xf32>
    %330 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_148 : tensor<8x128x1536xf32>) outs(%104 : tensor<8x128x1536xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_12 : f32
      %422 = math.erf %421 : f32
      %423 = arith.addf %422, %cst_2 : f32
      %424 = arith.mulf %423, %cst_3 : f32
      %425 = arith.mulf %in, %424 : f32
      linalg.yield %425 : f32
    } -> tensor<8x128x1536xf32>
    %collapsed_149 = tensor.collapse_shape %330 [[0, 1], [2]] : tensor<8x128x1536xf32> into tensor<1024x1536xf32>
    %transposed_150 = linalg.transpose ins(%arg83 : tensor<384x1536xf32>) outs(%106 : tensor<1536x384xf32>) permutation = [1, 0] 
    %331 = linalg.matmul ins(%collapsed_149, %transposed_150 : tensor<1024x1536xf32>, tensor<1536x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %332 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%331, %arg84 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_151 = tensor.expand_shape %332 [[0, 1], [2]] output_shape [8, 128, 384] : tensor<1024x384xf32> into tensor<8x128x384xf32>
    %333 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_151, %327 : tensor<8x128x384xf32>, tensor<8x128x384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %334 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%333 : tensor<8x128x384xf32>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f32, %out: f64):
      %421 = arith.extf %in : f32 to f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %335 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%334 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %336 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%335 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %337 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%334, %336 : tensor<8x128x384xf64>, tensor<8x128x1xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.subf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %338 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%337, %337 : tensor<8x128x384xf64>, tensor<8x128x384xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.mulf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %339 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%338 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %340 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%339 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %341 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%340 : tensor<8x128x1xf64>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %421 = arith.truncf %in : f64 to f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %342 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%333 : tensor<8x128x384xf32>) outs(%24 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %343 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%342 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_11 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %344 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%341 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_9 : f64 to f32
      %422 = arith.addf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x128x1xf32>
    %345 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%344 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.rsqrt %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %346 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%333, %343 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %347 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%346, %345 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %348 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%347, %arg85 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %349 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%348, %arg86 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %collapsed_152 = tensor.collapse_shape %349 [[0, 1], [2]] : tensor<8x128x384xf32> into tensor<1024x384xf32>
    %transposed_153 = linalg.transpose ins(%arg87 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %350 = linalg.matmul ins(%collapsed_152, %transposed_153 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %351 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%350, %arg88 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_154 = tensor.expand_shape %351 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %transposed_155 = linalg.transpose ins(%expanded_154 : tensor<8x128x12x32xf32>) outs(%53 : tensor<8x12x128x32xf32>) permutation = [0, 2, 1, 3] 
    %transposed_156 = linalg.transpose ins(%arg89 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %352 = linalg.matmul ins(%collapsed_152, %transposed_156 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %353 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%352, %arg90 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_157 = tensor.expand_shape %353 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %transposed_158 = linalg.transpose ins(%arg91 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %354 = linalg.matmul ins(%collapsed_152, %transposed_158 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %355 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%354, %arg92 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_159 = tensor.expand_shape %355 [[0, 1], [2, 3]] output_shape [8, 128, 12, 32] : tensor<1024x384xf32> into tensor<8x128x12x32xf32>
    %transposed_160 = linalg.transpose ins(%expanded_159 : tensor<8x128x12x32xf32>) outs(%53 : tensor<8x12x128x32xf32>) permutation = [0, 2, 1, 3] 
    %transposed_161 = linalg.transpose ins(%expanded_157 : tensor<8x128x12x32xf32>) outs(%58 : tensor<8x12x32x128xf32>) permutation = [0, 2, 3, 1] 
    %collapsed_162 = tensor.collapse_shape %transposed_155 [[0, 1], [2], [3]] : tensor<8x12x128x32xf32> into tensor<96x128x32xf32>
    %collapsed_163 = tensor.collapse_shape %transposed_161 [[0, 1], [2], [3]] : tensor<8x12x32x128xf32> into tensor<96x32x128xf32>
    %356 = linalg.batch_matmul ins(%collapsed_162, %collapsed_163 : tensor<96x128x32xf32>, tensor<96x32x128xf32>) outs(%60 : tensor<96x128x128xf32>) -> tensor<96x128x128xf32>
    %expanded_164 = tensor.expand_shape %356 [[0, 1], [2], [3]] output_shape [8, 12, 128, 128] : tensor<96x128x128xf32> into tensor<8x12x128x128xf32>
    %357 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_164 : tensor<8x12x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_8 : f64 to f32
      %422 = arith.mulf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x12x128x128xf32>
    %358 = linalg.generic {indexing_maps = [#map8, #map14, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%357, %47 : tensor<8x12x128x128xf32>, tensor<8x1x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %359:2 = linalg.generic {indexing_maps = [#map8, #map15, #map15], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%358 : tensor<8x12x128x128xf32>) outs(%68, %66 : tensor<8x12x128xf32>, tensor<8x12x128xi64>) {
    ^bb0(%in: f32, %out: f32, %out_181: i64):
      %421 = linalg.index 3 : index
      %422 = arith.index_cast %421 : index to i64
      %423 = arith.maximumf %in, %out : f32
      %424 = arith.cmpf ogt, %in, %out : f32
      %425 = arith.select %424, %422, %out_181 : i64
      linalg.yield %423, %425 : f32, i64
    } -> (tensor<8x12x128xf32>, tensor<8x12x128xi64>)
    %expanded_165 = tensor.expand_shape %359#0 [[0], [1], [2, 3]] output_shape [8, 12, 128, 1] : tensor<8x12x128xf32> into tensor<8x12x128x1xf32>
    %360 = linalg.generic {indexing_maps = [#map8, #map16, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%358, %expanded_165 : tensor<8x12x128x128xf32>, tensor<8x12x128x1xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %361 = linalg.generic {indexing_maps = [#map8, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%360 : tensor<8x12x128x128xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.exp %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %362 = linalg.generic {indexing_maps = [#map8, #map16], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%361 : tensor<8x12x128x128xf32>) outs(%73 : tensor<8x12x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x1xf32>
    %363 = linalg.generic {indexing_maps = [#map8, #map16, #map8], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%361, %362 : tensor<8x12x128x128xf32>, tensor<8x12x128x1xf32>) outs(%62 : tensor<8x12x128x128xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.divf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x12x128x128xf32>
    %collapsed_166 = tensor.collapse_shape %363 [[0, 1], [2], [3]] : tensor<8x12x128x128xf32> into tensor<96x128x128xf32>
    %collapsed_167 = tensor.collapse_shape %transposed_160 [[0, 1], [2], [3]] : tensor<8x12x128x32xf32> into tensor<96x128x32xf32>
    %364 = linalg.batch_matmul ins(%collapsed_166, %collapsed_167 : tensor<96x128x128xf32>, tensor<96x128x32xf32>) outs(%77 : tensor<96x128x32xf32>) -> tensor<96x128x32xf32>
    %expanded_168 = tensor.expand_shape %364 [[0, 1], [2], [3]] output_shape [8, 12, 128, 32] : tensor<96x128x32xf32> into tensor<8x12x128x32xf32>
    %transposed_169 = linalg.transpose ins(%expanded_168 : tensor<8x12x128x32xf32>) outs(%79 : tensor<8x128x12x32xf32>) permutation = [0, 2, 1, 3] 
    %collapsed_170 = tensor.collapse_shape %transposed_169 [[0, 1], [2, 3]] : tensor<8x128x12x32xf32> into tensor<1024x384xf32>
    %transposed_171 = linalg.transpose ins(%arg93 : tensor<384x384xf32>) outs(%48 : tensor<384x384xf32>) permutation = [1, 0] 
    %365 = linalg.matmul ins(%collapsed_170, %transposed_171 : tensor<1024x384xf32>, tensor<384x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %366 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%365, %arg94 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_172 = tensor.expand_shape %366 [[0, 1], [2]] output_shape [8, 128, 384] : tensor<1024x384xf32> into tensor<8x128x384xf32>
    %367 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_172, %349 : tensor<8x128x384xf32>, tensor<8x128x384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %368 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%367 : tensor<8x128x384xf32>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f32, %out: f64):
      %421 = arith.extf %in : f32 to f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %369 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%368 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %370 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%369 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %371 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%368, %370 : tensor<8x128x384xf64>, tensor<8x128x1xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.subf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %372 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%371, %371 : tensor<8x128x384xf64>, tensor<8x128x384xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.mulf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %373 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%372 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %374 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%373 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %375 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%374 : tensor<8x128x1xf64>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %421 = arith.truncf %in : f64 to f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %376 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%367 : tensor<8x128x384xf32>) outs(%24 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %377 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%376 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_11 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %378 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%375 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_9 : f64 to f32
      %422 = arith.addf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x128x1xf32>
    %379 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%378 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.rsqrt %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %380 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%367, %377 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %381 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%380, %379 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %382 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%381, %arg95 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %383 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%382, %arg96 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %collapsed_173 = tensor.collapse_shape %383 [[0, 1], [2]] : tensor<8x128x384xf32> into tensor<1024x384xf32>
    %transposed_174 = linalg.transpose ins(%arg97 : tensor<1536x384xf32>) outs(%99 : tensor<384x1536xf32>) permutation = [1, 0] 
    %384 = linalg.matmul ins(%collapsed_173, %transposed_174 : tensor<1024x384xf32>, tensor<384x1536xf32>) outs(%101 : tensor<1024x1536xf32>) -> tensor<1024x1536xf32>
    %385 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%384, %arg98 : tensor<1024x1536xf32>, tensor<1536xf32>) outs(%100 : tensor<1024x1536xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x1536xf32>
    %expanded_175 = tensor.expand_shape %385 [[0, 1], [2]] output_shape [8, 128, 1536] : tensor<1024x1536xf32> into tensor<8x128x1536xf32>
    %386 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_175 : tensor<8x128x1536xf32>) outs(%104 : tensor<8x128x1536xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_12 : f32
      %422 = math.erf %421 : f32
      %423 = arith.addf %422, %cst_2 : f32
      %424 = arith.mulf %423, %cst_3 : f32
      %425 = arith.mulf %in, %424 : f32
      linalg.yield %425 : f32
    } -> tensor<8x128x1536xf32>
    %collapsed_176 = tensor.collapse_shape %386 [[0, 1], [2]] : tensor<8x128x1536xf32> into tensor<1024x1536xf32>
    %transposed_177 = linalg.transpose ins(%arg99 : tensor<384x1536xf32>) outs(%106 : tensor<1536x384xf32>) permutation = [1, 0] 
    %387 = linalg.matmul ins(%collapsed_176, %transposed_177 : tensor<1024x1536xf32>, tensor<1536x384xf32>) outs(%50 : tensor<1024x384xf32>) -> tensor<1024x384xf32>
    %388 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%387, %arg100 : tensor<1024x384xf32>, tensor<384xf32>) outs(%49 : tensor<1024x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<1024x384xf32>
    %expanded_178 = tensor.expand_shape %388 [[0, 1], [2]] output_shape [8, 128, 384] : tensor<1024x384xf32> into tensor<8x128x384xf32>
    %389 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_178, %383 : tensor<8x128x384xf32>, tensor<8x128x384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %390 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%389 : tensor<8x128x384xf32>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f32, %out: f64):
      %421 = arith.extf %in : f32 to f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %391 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%390 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %392 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%391 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %393 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%390, %392 : tensor<8x128x384xf64>, tensor<8x128x1xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.subf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %394 = linalg.generic {indexing_maps = [#map3, #map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%393, %393 : tensor<8x128x384xf64>, tensor<8x128x384xf64>) outs(%12 : tensor<8x128x384xf64>) {
    ^bb0(%in: f64, %in_181: f64, %out: f64):
      %421 = arith.mulf %in, %in_181 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x384xf64>
    %395 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%394 : tensor<8x128x384xf64>) outs(%15 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.addf %in, %out : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %396 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%395 : tensor<8x128x1xf64>) outs(%14 : tensor<8x128x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %421 = arith.divf %in, %cst_10 : f64
      linalg.yield %421 : f64
    } -> tensor<8x128x1xf64>
    %397 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%396 : tensor<8x128x1xf64>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f64, %out: f32):
      %421 = arith.truncf %in : f64 to f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %398 = linalg.generic {indexing_maps = [#map3, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%389 : tensor<8x128x384xf32>) outs(%24 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %399 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%398 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.divf %in, %cst_11 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %400 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%397 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_9 : f64 to f32
      %422 = arith.addf %in, %421 : f32
      linalg.yield %422 : f32
    } -> tensor<8x128x1xf32>
    %401 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%400 : tensor<8x128x1xf32>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.rsqrt %in : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %402 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%389, %399 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.subf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %403 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%402, %401 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %404 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%403, %arg101 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %405 = linalg.generic {indexing_maps = [#map3, #map6, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%404, %arg102 : tensor<8x128x384xf32>, tensor<384xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.addf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %expanded_179 = tensor.expand_shape %arg1 [[0], [1, 2]] output_shape [8, 128, 1] : tensor<8x128xi64> into tensor<8x128x1xi64>
    %406 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_179 : tensor<8x128x1xi64>) outs(%22 : tensor<8x128x1xf32>) {
    ^bb0(%in: i64, %out: f32):
      %421 = arith.sitofp %in : i64 to f32
      linalg.yield %421 : f32
    } -> tensor<8x128x1xf32>
    %407 = linalg.generic {indexing_maps = [#map3, #map5, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%405, %406 : tensor<8x128x384xf32>, tensor<8x128x1xf32>) outs(%5 : tensor<8x128x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.mulf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x128x384xf32>
    %408 = tensor.empty() : tensor<8x384xf32>
    %409 = linalg.fill ins(%cst_0 : f32) outs(%408 : tensor<8x384xf32>) -> tensor<8x384xf32>
    %410 = linalg.generic {indexing_maps = [#map3, #map17], iterator_types = ["parallel", "reduction", "parallel"]} ins(%407 : tensor<8x128x384xf32>) outs(%409 : tensor<8x384xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x384xf32>
    %411 = tensor.empty() : tensor<8x1xf32>
    %412 = linalg.fill ins(%cst_0 : f32) outs(%411 : tensor<8x1xf32>) -> tensor<8x1xf32>
    %413 = linalg.generic {indexing_maps = [#map3, #map17], iterator_types = ["parallel", "reduction", "parallel"]} ins(%406 : tensor<8x128x1xf32>) outs(%412 : tensor<8x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.addf %in, %out : f32
      linalg.yield %421 : f32
    } -> tensor<8x1xf32>
    %414 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%413 : tensor<8x1xf32>) outs(%411 : tensor<8x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_7 : f64 to f32
      %422 = arith.cmpf ult, %in, %421 : f32
      %423 = arith.select %422, %421, %in : f32
      linalg.yield %423 : f32
    } -> tensor<8x1xf32>
    %415 = linalg.generic {indexing_maps = [#map, #map18, #map], iterator_types = ["parallel", "parallel"]} ins(%410, %414 : tensor<8x384xf32>, tensor<8x1xf32>) outs(%408 : tensor<8x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.divf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x384xf32>
    %416 = linalg.generic {indexing_maps = [#map, #map18], iterator_types = ["parallel", "reduction"]} ins(%415 : tensor<8x384xf32>) outs(%412 : tensor<8x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.absf %in : f32
      %422 = math.powf %421, %cst_13 : f32
      %423 = arith.addf %422, %out : f32
      linalg.yield %423 : f32
    } -> tensor<8x1xf32>
    %417 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%416 : tensor<8x1xf32>) outs(%411 : tensor<8x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = math.powf %in, %cst_3 : f32
      linalg.yield %421 : f32
    } -> tensor<8x1xf32>
    %418 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%417 : tensor<8x1xf32>) outs(%411 : tensor<8x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %421 = arith.truncf %cst_9 : f64 to f32
      %422 = arith.cmpf ult, %in, %421 : f32
      %423 = arith.select %422, %421, %in : f32
      linalg.yield %423 : f32
    } -> tensor<8x1xf32>
    %collapsed_180 = tensor.collapse_shape %418 [[0, 1]] : tensor<8x1xf32> into tensor<8xf32>
    %419 = linalg.generic {indexing_maps = [#map19, #map], iterator_types = ["parallel", "parallel"]} ins(%collapsed_180 : tensor<8xf32>) outs(%408 : tensor<8x384xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<8x384xf32>
    %420 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%415, %419 : tensor<8x384xf32>, tensor<8x384xf32>) outs(%408 : tensor<8x384xf32>) {
    ^bb0(%in: f32, %in_181: f32, %out: f32):
      %421 = arith.divf %in, %in_181 : f32
      linalg.yield %421 : f32
    } -> tensor<8x384xf32>
    return %420 : tensor<8x384xf32>
  }
}

{-#
  dialect_resources: {
    builtin: {
      torch_tensor_1_512_torch.int64_1: "0x0800000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
      torch_tensor_1_512_torch.int64: "0x0800000000000000000000000100000000000000020000000000000003000000000000000400000000000000050000000000000006000000000000000700000000000000080000000000000009000000000000000A000000000000000B000000000000000C000000000000000D000000000000000E000000000000000F0000000000000010000000000000001100000000000000120000000000000013000000000000001400000000000000150000000000000016000000000000001700000000000000180000000000000019000000000000001A000000000000001B000000000000001C000000000000001D000000000000001E000000000000001F0000000000000020000000000000002100000000000000220000000000000023000000000000002400000000000000250000000000000026000000000000002700000000000000280000000000000029000000000000002A000000000000002B000000000000002C000000000000002D000000000000002E000000000000002F0000000000000030000000000000003100000000000000320000000000000033000000000000003400000000000000350000000000000036000000000000003700000000000000380000000000000039000000000000003A000000000000003B000000000000003C000000000000003D000000000000003E000000000000003F0000000000000040000000000000004100000000000000420000000000000043000000000000004400000000000000450000000000000046000000000000004700000000000000480000000000000049000000000000004A000000000000004B000000000000004C000000000000004D000000000000004E000000000000004F0000000000000050000000000000005100000000000000520000000000000053000000000000005400000000000000550000000000000056000000000000005700000000000000580000000000000059000000000000005A000000000000005B000000000000005C000000000000005D000000000000005E000000000000005F0000000000000060000000000000006100000000000000620000000000000063000000000000006400000000000000650000000000000066000000000000006700000000000000680000000000000069000000000000006A000000000000006B000000000000006C000000000000006D000000000000006E000000000000006F0000000000000070000000000000007100000000000000720000000000000073000000000000007400000000000000750000000000000076000000000000007700000000000000780000000000000079000000000000007A000000000000007B000000000000007C000000000000007D000000000000007E000000000000007F0000000000000080000000000000008100000000000000820000000000000083000000000000008400000000000000850000000000000086000000000000008700000000000000880000000000000089000000000000008A000000000000008B000000000000008C000000000000008D000000000000008E000000000000008F0000000000000090000000000000009100000000000000920000000000000093000000000000009400000000000000950000000000000096000000000000009700000000000000980000000000000099000000000000009A000000000000009B000000000000009C000000000000009D000000000000009E000000000000009F00000000000000A000000000000000A100000000000000A200000000000000A300000000000000A400000000000000A500000000000000A600000000000000A700000000000000A800000000000000A900000000000000AA00000000000000AB00000000000000AC00000000000000AD00000000000000AE00000000000000AF00000000000000B000000000000000B100000000000000B200000000000000B300000000000000B400000000000000B500000000000000B600000000000000B700000000000000B800000000000000B900000000000000BA00000000000000BB00000000000000BC00000000000000BD00000000000000BE00000000000000BF00000000000000C000000000000000C100000000000000C200000000000000C300000000000000C400000000000000C500000000000000C600000000000000C700000000000000C800000000000000C900000000000000CA00000000000000CB00000000000000CC00000000000000CD00000000000000CE00000000000000CF00000000000000D000000000000000D100000000000000D200000000000000D300000000000000D400000000000000D500000000000000D600000000000000D700000000000000D800000000000000D900000000000000DA00000000000000DB00000000000000DC00000000000000DD00000000000000DE00000000000000DF00000000000000E000000000000000E100000000000000E200000000000000E300000000000000E400000000000000E500000000000000E600000000000000E700000000000000E800000000000000E900000000000000EA00000000000000EB00000000000000EC00000000000000ED00000000000000EE00000000000000EF00000000000000F000000000000000F100000000000000F200000000000000F300000000000000F400000000000000F500000000000000F600000000000000F700000000000000F800000000000000F900000000000000FA00000000000000FB00000000000000FC00000000000000FD00000000000000FE00000000000000FF0000000000000000010000000000000101000000000000020100000000000003010000000000000401000000000000050100000000000006010000000000000701000000000000080100000000000009010000000000000A010000000000000B010000000000000C010000000000000D010000000000000E010000000000000F0100000000000010010000000000001101000000000000120100000000000013010000000000001401000000000000150100000000000016010000000000001701000000000000180100000000000019010000000000001A010000000000001B010000000000001C010000000000001D010000000000001E010000000000001F0100000000000020010000000000002101000000000000220100000000000023010000000000002401000000000000250100000000000026010000000000002701000000000000280100000000000029010000000000002A010000000000002B010000000000002C010000000000002D010000000000002E010000000000002F0100000000000030010000000000003101000000000000320100000000000033010000000000003401000000000000350100000000000036010000000000003701000000000000380100000000000039010000000000003A010000000000003B010000000000003C010000000000003D010000000000003E010000000000003F0100000000000040010000000000004101000000000000420100000000000043010000000000004401000000000000450100000000000046010000000000004701000000000000480100000000000049010000000000004A010000000000004B010000000000004C010000000000004D010000000000004E010000000000004F0100000000000050010000000000005101000000000000520100000000000053010000000000005401000000000000550100000000000056010000000000005701000000000000580100000000000059010000000000005A010000000000005B010000000000005C010000000000005D010000000000005E010000000000005F0100000000000060010000000000006101000000000000620100000000000063010000000000006401000000000000650100000000000066010000000000006701000000000000680100000000000069010000000000006A010000000000006B010000000000006C010000000000006D010000000000006E010000000000006F0100000000000070010000000000007101000000000000720100000000000073010000000000007401000000000000750100000000000076010000000000007701000000000000780100000000000079010000000000007A010000000000007B010000000000007C010000000000007D010000000000007E010000000000007F0100000000000080010000000000008101000000000000820100000000000083010000000000008401000000000000850100000000000086010000000000008701000000000000880100000000000089010000000000008A010000000000008B010000000000008C010000000000008D010000000000008E010000000000008F0100000000000090010000000000009101000000000000920100000000000093010000000000009401000000000000950100000000000096010000000000009701000000000000980100000000000099010000000000009A010000000000009B010000000000009C010000000000009D010000000000009E010000000000009F01000000000000A001000000000000A101000000000000A201000000000000A301000000000000A401000000000000A501000000000000A601000000000000A701000000000000A801000000000000A901000000000000AA01000000000000AB01000000000000AC01000000000000AD01000000000000AE01000000000000AF01000000000000B001000000000000B101000000000000B201000000000000B301000000000000B401000000000000B501000000000000B601000000000000B701000000000000B801000000000000B901000000000000BA01000000000000BB01000000000000BC01000000000000BD01000000000000BE01000000000000BF01000000000000C001000000000000C101000000000000C201000000000000C301000000000000C401000000000000C501000000000000C601000000000000C701000000000000C801000000000000C901000000000000CA01000000000000CB01000000000000CC01000000000000CD01000000000000CE01000000000000CF01000000000000D001000000000000D101000000000000D201000000000000D301000000000000D401000000000000D501000000000000D601000000000000D701000000000000D801000000000000D901000000000000DA01000000000000DB01000000000000DC01000000000000DD01000000000000DE01000000000000DF01000000000000E001000000000000E101000000000000E201000000000000E301000000000000E401000000000000E501000000000000E601000000000000E701000000000000E801000000000000E901000000000000EA01000000000000EB01000000000000EC01000000000000ED01000000000000EE01000000000000EF01000000000000F001000000000000F101000000000000F201000000000000F301000000000000F401000000000000F501000000000000F601000000000000F701000000000000F801000000000000F901000000000000FA01000000000000FB01000000000000FC01000000000000FD01000000000000FE01000000000000FF01000000000000"
    }
  }
#-}
