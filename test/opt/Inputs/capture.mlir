func.func @a(%x: tensor<4xf32>) -> tensor<4xf32> {
  %unused = arith.constant dense<[1, 2, 3, 4, 5]> : tensor<5xi32>
  %0 = "fovea.capture"(%x) {calibrated = false, id = "q", max_abs = 0.0 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
