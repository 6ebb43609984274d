func.func @a(%x: tensor<4xf32>) -> tensor<4xf32> {
  %q = "fovea.quantize"(%x) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4xf32>) -> tensor<4xf8E4M3FNUZ>
  %d = "fovea.dequantize"(%q) {axis = -1 : i64, scale = dense<0.5> : tensor<f32>} : (tensor<4xf8E4M3FNUZ>) -> tensor<4xf32>
  %c = "fovea.capture"(%d) {calibrated = true, id = "a", max_abs = 1.5 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  %n = arith.negf %c {fovea.attention = #fovea.site<0 : i64, "layout">} : tensor<4xf32>
  return %n : tensor<4xf32>
}
