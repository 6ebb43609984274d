// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every error of every verifier. What an op's definition says (operands, attributes) is checked by MLIR, the rest by us.
// RUN: fovea-opt %s --split-input-file --verify-diagnostics -o /dev/null

func.func @scalar(%x: f32) {
  // expected-error @below {{'fovea.quantize' op expects ranked tensors, found f32 and f8E4M3FN}}
  "fovea.quantize"(%x) {axis = -1 : i64, scale = dense<1.0> : tensor<f32>} : (f32) -> f8E4M3FN
  return
}

// -----

func.func @shapes(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.quantize' op expects operand and result of one shape, found tensor<4xf32> and tensor<8xf8E4M3FN>}}
  "fovea.quantize"(%x) {axis = -1 : i64, scale = dense<1.0> : tensor<f32>} : (tensor<4xf32>) -> tensor<8xf8E4M3FN>
  return
}

// -----

func.func @real_type(%x: tensor<4xi32>) {
  // expected-error @below {{'fovea.quantize' op expects the real side to hold one of f16, bf16, f32, f64, found i32}}
  "fovea.quantize"(%x) {axis = -1 : i64, scale = dense<1.0> : tensor<f32>} : (tensor<4xi32>) -> tensor<4xf8E4M3FN>
  return
}

// -----

func.func @stored_type(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.quantize' op expects the stored side to hold one of f8E4M3FNUZ, f8E4M3FN, f8E5M2FNUZ, f8E5M2, found i8}}
  "fovea.quantize"(%x) {axis = -1 : i64, scale = dense<1.0> : tensor<f32>} : (tensor<4xf32>) -> tensor<4xi8>
  return
}

// -----

func.func @scale_not_dense(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.quantize' op expects 'scale' to be dense elements of a tensor type, found 1.000000e+00 : f32}}
  "fovea.quantize"(%x) {axis = -1 : i64, scale = 1.0 : f32} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  return
}

// -----

func.func @scale_vector(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.quantize' op expects 'scale' to be dense elements of a tensor type, found dense<1.000000e+00> : vector<4xf32>}}
  "fovea.quantize"(%x) {axis = -1 : i64, scale = dense<1.0> : vector<4xf32>} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  return
}

// -----

func.func @scale_f16(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.quantize' op expects an f32 scale, found f16}}
  "fovea.quantize"(%x) {axis = -1 : i64, scale = dense<1.0> : tensor<f16>} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  return
}

// -----

func.func @per_tensor_rank(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.quantize' op expects a rank-0 scale when axis is -1 (per tensor), found tensor<4xf32>}}
  "fovea.quantize"(%x) {axis = -1 : i64, scale = dense<1.0> : tensor<4xf32>} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  return
}

// -----

func.func @axis_range(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.quantize' op expects axis in [0, 1) or -1, found 1}}
  "fovea.quantize"(%x) {axis = 1 : i64, scale = dense<1.0> : tensor<4xf32>} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  return
}

// -----

func.func @axis_dynamic(%x: tensor<?xf32>) {
  // expected-error @below {{'fovea.quantize' op expects a static size along the channel axis 0, found tensor<?xf32>}}
  "fovea.quantize"(%x) {axis = 0 : i64, scale = dense<1.0> : tensor<4xf32>} : (tensor<?xf32>) -> tensor<?xf8E4M3FN>
  return
}

// -----

func.func @channels(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.quantize' op expects one scale a channel, tensor<4xf32>, found tensor<3xf32>}}
  "fovea.quantize"(%x) {axis = 0 : i64, scale = dense<1.0> : tensor<3xf32>} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  return
}

// -----

func.func @scale_zero(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.quantize' op expects every scale to be finite and > 0}}
  "fovea.quantize"(%x) {axis = 0 : i64, scale = dense<0.0> : tensor<4xf32>} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  return
}

// -----

func.func @scale_negative(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.quantize' op expects every scale to be finite and > 0}}
  "fovea.quantize"(%x) {axis = 0 : i64, scale = dense<[1.0, -1.0, 1.0, 1.0]> : tensor<4xf32>} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  return
}

// -----

func.func @scale_infinite(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.quantize' op expects every scale to be finite and > 0}}
  "fovea.quantize"(%x) {axis = 0 : i64, scale = dense<[1.0, 1.0, 0x7F800000, 1.0]> : tensor<4xf32>} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  return
}

// -----

func.func @scale_nan(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.quantize' op expects every scale to be finite and > 0}}
  "fovea.quantize"(%x) {axis = 0 : i64, scale = dense<0x7FC00000> : tensor<4xf32>} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  return
}

// -----

func.func @no_scale(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.quantize' op attribute "scale" is expected but not provided}}
  "fovea.quantize"(%x) {axis = -1 : i64} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  return
}

// -----

func.func @axis_type(%x: tensor<4xf32>) {
  // expected-error @below {{expected base attribute 'builtin.integer' but got 'builtin.float'}}
  "fovea.quantize"(%x) {axis = 1.0 : f32, scale = dense<1.0> : tensor<f32>} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  return
}

// -----

func.func @dequantize_real(%x: tensor<4xf8E5M2>) {
  // expected-error @below {{'fovea.dequantize' op expects the real side to hold one of f16, bf16, f32, f64, found i32}}
  "fovea.dequantize"(%x) {axis = -1 : i64, scale = dense<1.0> : tensor<f32>} : (tensor<4xf8E5M2>) -> tensor<4xi32>
  return
}

// -----

func.func @dequantize_stored(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.dequantize' op expects the stored side to hold one of f8E4M3FNUZ, f8E4M3FN, f8E5M2FNUZ, f8E5M2, found f32}}
  "fovea.dequantize"(%x) {axis = -1 : i64, scale = dense<1.0> : tensor<f32>} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @capture_types(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.capture' op expects operand and result of one type, found tensor<4xf32> and tensor<8xf32>}}
  "fovea.capture"(%x) {calibrated = false, id = "a", max_abs = 0.0 : f32} : (tensor<4xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @capture_id(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.capture' op expects a non-empty 'id'}}
  "fovea.capture"(%x) {calibrated = false, id = "", max_abs = 0.0 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @capture_max_type(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.capture' op expects 'max_abs' to be of type f32, found f64}}
  "fovea.capture"(%x) {calibrated = false, id = "a", max_abs = 0.0 : f64} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @capture_flag_type(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.capture' op expects 'calibrated' to be of type i1, found i32}}
  "fovea.capture"(%x) {calibrated = 1 : i32, id = "a", max_abs = 0.0 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @capture_negative(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.capture' op expects 'max_abs' to be finite and >= 0, found -1.0}}
  "fovea.capture"(%x) {calibrated = true, id = "a", max_abs = -1.0 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @capture_infinite(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.capture' op expects 'max_abs' to be finite and >= 0, found inf}}
  "fovea.capture"(%x) {calibrated = true, id = "a", max_abs = 0x7F800000 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @capture_nan(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.capture' op expects 'max_abs' to be finite and >= 0, found nan}}
  "fovea.capture"(%x) {calibrated = true, id = "a", max_abs = 0x7FC00000 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @capture_no_id(%x: tensor<4xf32>) {
  // expected-error @below {{'fovea.capture' op attribute "id" is expected but not provided}}
  "fovea.capture"(%x) {calibrated = true, max_abs = 0.0 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @attention_results(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'fovea.attention' op expects the output and optionally the log-sum-exp as results, found 3 results}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32): "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (n, d)>, affine_map<(q, n, k, d) -> (q, d)>, affine_map<(q, n, k, d) -> (q, d)>, affine_map<(q, n, k, d) -> (q, d)>], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>)
  return
}

// -----

func.func @attention_maps_kind(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'fovea.attention' op expects 'indexing_maps' to hold affine maps, found [1]}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32): "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [1], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_maps_count(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'fovea.attention' op expects one indexing map an operand and a result (4), found 3}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32): "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (n, d)>], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_space(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'fovea.attention' op expects an iteration space of at least (q, kv, k, d), found 2 dims}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32): "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [affine_map<(q, n) -> (q, n)>, affine_map<(q, n) -> (q, n)>, affine_map<(q, n) -> (q, n)>, affine_map<(q, n) -> (q, n)>], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_ranked(%0: tensor<4x4xf32>, %1: tensor<*xf32>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'fovea.attention' op expects ranked tensors, found tensor<*xf32> at position 1}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32): "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (n, d)>, affine_map<(q, n, k, d) -> (q, d)>], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<*xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_map_rank(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'fovea.attention' op expects map 1 to take 4 dims to rank 2, found (d0, d1, d2, d3) -> (d1)}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32): "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n)>, affine_map<(q, n, k, d) -> (n, d)>, affine_map<(q, n, k, d) -> (q, d)>], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_element(%0: tensor<4x4xi32>, %1: tensor<4x4xi32>, %2: tensor<4x4xi32>) {
  // expected-error @below {{'fovea.attention' op expects query to hold one of f16, bf16, f32, f64, found i32}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32): "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (n, d)>, affine_map<(q, n, k, d) -> (q, d)>], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xi32>, tensor<4x4xi32>, tensor<4x4xi32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_elements(%0: tensor<4x4xf32>, %1: tensor<4x4xf16>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'fovea.attention' op expects query, key and value of one element type, found f32 and tensor<4x4xf16>}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32): "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (n, d)>, affine_map<(q, n, k, d) -> (q, d)>], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf16>, tensor<4x4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_query_map(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'fovea.attention' op expects the map of the query to use dims [0, 2] and not [1, 3], found (d0, d1, d2, d3) -> (d0, d3)}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32): "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, d)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (n, d)>, affine_map<(q, n, k, d) -> (q, d)>], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_key_map(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'fovea.attention' op expects the map of the key to use dims [1, 2] and not [0, 3]}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32): "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n, d)>, affine_map<(q, n, k, d) -> (q, d)>], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_value_map(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'fovea.attention' op expects the map of the value to use dims [1, 3] and not [0, 2]}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32): "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (q, d)>], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_output_map(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'fovea.attention' op expects the map of the output to use dims [0, 3] and not [1, 2]}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32): "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (n, d)>, affine_map<(q, n, k, d) -> (q, k)>], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_score_map(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>, %3: tensor<4xf32>) {
  // expected-error @below {{'fovea.attention' op expects score operands to depend on (batch..., q, kv) only, found (d0, d1, d2, d3) -> (d2)}}
  "fovea.attention"(%0, %1, %2, %3) ({
  ^bb0(%s: f32): "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (n, d)>, affine_map<(q, n, k, d) -> (k)>, affine_map<(q, n, k, d) -> (q, d)>], operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_sizes(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'fovea.attention' op expects one size along d0, found 4 and 8 (axis 0 of tensor<8x4xf32>)}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32): "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (n, d)>, affine_map<(q, n, k, d) -> (q, d)>], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<8x4xf32>)
  return
}

// -----

func.func @attention_region_blocks(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'fovea.attention' op expects a score region of one block, found 0}}
  "fovea.attention"(%0, %1, %2) ({}) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (n, d)>, affine_map<(q, n, k, d) -> (q, d)>], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_region_arguments(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>, %3: tensor<4xf32>) {
  // expected-error @below {{'fovea.attention' op expects the score region to take the score and each score operand (2), found 1 arguments}}
  "fovea.attention"(%0, %1, %2, %3) ({
  ^bb0(%s: f32): "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (n, d)>, affine_map<(q, n, k, d) -> (n)>, affine_map<(q, n, k, d) -> (q, d)>], operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_region_types(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>, %3: tensor<4xf32>) {
  // expected-error @below {{'fovea.attention' op expects region arguments of the operands' element types, found f16 for tensor<4xf32>}}
  "fovea.attention"(%0, %1, %2, %3) ({
  ^bb0(%s: f32, %m: f16): "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (n, d)>, affine_map<(q, n, k, d) -> (n)>, affine_map<(q, n, k, d) -> (q, d)>], operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_region_end(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'fovea.attention' op expects the score region to end in a fovea.yield of one value}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32):
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (n, d)>, affine_map<(q, n, k, d) -> (q, d)>], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_region_yield(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'fovea.attention' op expects the score region to end in a fovea.yield of one value}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32): "fovea.yield"(%s, %s) : (f32, f32) -> ()
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (n, d)>, affine_map<(q, n, k, d) -> (q, d)>], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_yield_type(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'fovea.attention' op expects the region to yield f32, found f16}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32):
    %t = arith.truncf %s : f32 to f16
    "fovea.yield"(%t) : (f16) -> ()
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (n, d)>, affine_map<(q, n, k, d) -> (q, d)>], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_no_maps(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'fovea.attention' op attribute "indexing_maps" is expected but not provided}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32): "fovea.yield"(%s) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

func.func @attention_no_segments(%0: tensor<4x4xf32>, %1: tensor<4x4xf32>, %2: tensor<4x4xf32>) {
  // expected-error @below {{'operandSegmentSizes' attribute is expected but not provided}}
  "fovea.attention"(%0, %1, %2) ({
  ^bb0(%s: f32): "fovea.yield"(%s) : (f32) -> ()
  }) {indexing_maps = [affine_map<(q, n, k, d) -> (q, k)>, affine_map<(q, n, k, d) -> (n, k)>, affine_map<(q, n, k, d) -> (n, d)>, affine_map<(q, n, k, d) -> (q, d)>]}
    : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> (tensor<4x4xf32>)
  return
}

// -----

// expected-error @below {{expected base attribute 'builtin.integer' but got 'builtin.float'}}
module attributes {fovea.attention = #fovea.site<0.0 : f32, "qk">} {}

// -----

func.func @dynamic_shape(%x: tensor<?x8xf32>) {
  // expected-error @below {{'fovea.dynamic_quantize' op expects ranked tensors of static shape, found tensor<?x8xf32>}}
  %q, %s = "fovea.dynamic_quantize"(%x) {block = array<i64: 1, 8>} : (tensor<?x8xf32>) -> (tensor<?x8xf8E4M3FN>, tensor<?x1xf32>)
  return
}

// -----

func.func @dynamic_shapes(%x: tensor<4x8xf32>) {
  // expected-error @below {{'fovea.dynamic_quantize' op expects the real and the stored tensor to be of one shape, found tensor<4x8xf32> and tensor<4x9xf8E4M3FN>}}
  %q, %s = "fovea.dynamic_quantize"(%x) {block = array<i64: 1, 8>} : (tensor<4x8xf32>) -> (tensor<4x9xf8E4M3FN>, tensor<4x1xf32>)
  return
}

// -----

func.func @dynamic_real(%x: tensor<4x8xi32>) {
  // expected-error @below {{'fovea.dynamic_quantize' op expects the real side to hold one of f16, bf16, f32, f64, found i32}}
  %q, %s = "fovea.dynamic_quantize"(%x) {block = array<i64: 1, 8>} : (tensor<4x8xi32>) -> (tensor<4x8xf8E4M3FN>, tensor<4x1xf32>)
  return
}

// -----

func.func @dynamic_stored(%x: tensor<4x8xf32>) {
  // expected-error @below {{'fovea.dynamic_quantize' op expects the stored side to hold one of f8E4M3FNUZ, f8E4M3FN, f8E5M2FNUZ, f8E5M2, found i8}}
  %q, %s = "fovea.dynamic_quantize"(%x) {block = array<i64: 1, 8>} : (tensor<4x8xf32>) -> (tensor<4x8xi8>, tensor<4x1xf32>)
  return
}

// -----

func.func @dynamic_scale(%x: tensor<4x8xf32>) {
  // expected-error @below {{'fovea.dynamic_quantize' op expects scales of f32 or f8E8M0FNU, found f16}}
  %q, %s = "fovea.dynamic_quantize"(%x) {block = array<i64: 1, 8>} : (tensor<4x8xf32>) -> (tensor<4x8xf8E4M3FN>, tensor<4x1xf16>)
  return
}

// -----

func.func @dynamic_rank(%x: tensor<4x8xf32>) {
  // expected-error @below {{'fovea.dynamic_quantize' op expects 'block' to have one extent an axis (2), found 1}}
  %q, %s = "fovea.dynamic_quantize"(%x) {block = array<i64: 8>} : (tensor<4x8xf32>) -> (tensor<4x8xf8E4M3FN>, tensor<4x1xf32>)
  return
}

// -----

func.func @dynamic_extent(%x: tensor<4x8xf32>) {
  // expected-error @below {{'fovea.dynamic_quantize' op expects a block in [1, 8] along axis 1, found 9}}
  %q, %s = "fovea.dynamic_quantize"(%x) {block = array<i64: 1, 9>} : (tensor<4x8xf32>) -> (tensor<4x8xf8E4M3FN>, tensor<4x1xf32>)
  return
}

// -----

func.func @dynamic_none(%x: tensor<4x8xf32>) {
  // expected-error @below {{'fovea.dynamic_quantize' op expects a block in [1, 4] along axis 0, found 0}}
  %q, %s = "fovea.dynamic_quantize"(%x) {block = array<i64: 0, 8>} : (tensor<4x8xf32>) -> (tensor<4x8xf8E4M3FN>, tensor<4x1xf32>)
  return
}

// -----

func.func @dynamic_count(%x: tensor<4x8xf32>) {
  // expected-error @below {{'fovea.dynamic_quantize' op expects one scale a block, a tensor of shape [4, 3], found tensor<4x2xf32>}}
  %q, %s = "fovea.dynamic_quantize"(%x) {block = array<i64: 1, 3>} : (tensor<4x8xf32>) -> (tensor<4x8xf8E4M3FN>, tensor<4x2xf32>)
  return
}

// -----

func.func @dynamic_dequantize(%q: tensor<4x8xf8E4M3FN>, %s: tensor<1x4xf32>) {
  // expected-error @below {{'fovea.dynamic_dequantize' op expects one scale a block, a tensor of shape [4, 1], found tensor<1x4xf32>}}
  %x = "fovea.dynamic_dequantize"(%q, %s) {block = array<i64: 1, 8>} : (tensor<4x8xf8E4M3FN>, tensor<1x4xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @maps(%a0: tensor<4x8xf8E4M3FN>, %a1: tensor<5x8xf8E4M3FN>, %a2: tensor<5x2xf32>) {
  // expected-error @below {{'fovea.scaled_contract' op expects 'indexing_maps' to hold affine maps, found }}
  %r = "fovea.scaled_contract"(%a0, %a1, %a2) {indexing_maps = ["a", affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (n, k floordiv 4)>, affine_map<(m, n, k) -> (m, n)>], operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<4x8xf8E4M3FN>, tensor<5x8xf8E4M3FN>, tensor<5x2xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @map_count(%a0: tensor<4x8xf8E4M3FN>, %a1: tensor<5x8xf8E4M3FN>, %a2: tensor<5x2xf32>) {
  // expected-error @below {{'fovea.scaled_contract' op expects one indexing map an operand and the result (4), found 3}}
  %r = "fovea.scaled_contract"(%a0, %a1, %a2) {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (n, k floordiv 4)>], operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<4x8xf8E4M3FN>, tensor<5x8xf8E4M3FN>, tensor<5x2xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @contract_rank(%a0: tensor<4x8xf8E4M3FN>, %a1: tensor<5x?xf8E4M3FN>, %a2: tensor<5x2xf32>) {
  // expected-error @below {{'fovea.scaled_contract' op expects ranked tensors of static shape, found tensor<5x?xf8E4M3FN> at position 1}}
  %r = "fovea.scaled_contract"(%a0, %a1, %a2) {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (n, k floordiv 4)>, affine_map<(m, n, k) -> (m, n)>], operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<4x8xf8E4M3FN>, tensor<5x?xf8E4M3FN>, tensor<5x2xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @map_rank(%a0: tensor<4x8xf8E4M3FN>, %a1: tensor<5x8xf8E4M3FN>, %a2: tensor<5x2xf32>) {
  // expected-error @below {{'fovea.scaled_contract' op expects map 0 to take 3 dims to rank 2, found (d0, d1, d2) -> (d0)}}
  %r = "fovea.scaled_contract"(%a0, %a1, %a2) {indexing_maps = [affine_map<(m, n, k) -> (m)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (n, k floordiv 4)>, affine_map<(m, n, k) -> (m, n)>], operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<4x8xf8E4M3FN>, tensor<5x8xf8E4M3FN>, tensor<5x2xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @contract_stored(%a0: tensor<4x8xf16>, %a1: tensor<5x8xf8E4M3FN>, %a2: tensor<5x2xf32>) {
  // expected-error @below {{'fovea.scaled_contract' op expects lhs and rhs to hold one of f8E4M3FNUZ, f8E4M3FN, f8E5M2FNUZ, f8E5M2, found f16}}
  %r = "fovea.scaled_contract"(%a0, %a1, %a2) {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (n, k floordiv 4)>, affine_map<(m, n, k) -> (m, n)>], operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<4x8xf16>, tensor<5x8xf8E4M3FN>, tensor<5x2xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @contract_scale(%a0: tensor<4x8xf8E4M3FN>, %a1: tensor<5x8xf8E4M3FN>, %a2: tensor<5x2xf16>) {
  // expected-error @below {{'fovea.scaled_contract' op expects scales of f32 or f8E8M0FNU, found f16}}
  %r = "fovea.scaled_contract"(%a0, %a1, %a2) {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (n, k floordiv 4)>, affine_map<(m, n, k) -> (m, n)>], operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<4x8xf8E4M3FN>, tensor<5x8xf8E4M3FN>, tensor<5x2xf16>) -> tensor<4x5xf32>
  return
}

// -----

func.func @contract_result(%a0: tensor<4x8xf8E4M3FN>, %a1: tensor<5x8xf8E4M3FN>, %a2: tensor<5x2xf32>) {
  // expected-error @below {{'fovea.scaled_contract' op expects a result of f32, found f16}}
  %r = "fovea.scaled_contract"(%a0, %a1, %a2) {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (n, k floordiv 4)>, affine_map<(m, n, k) -> (m, n)>], operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<4x8xf8E4M3FN>, tensor<5x8xf8E4M3FN>, tensor<5x2xf32>) -> tensor<4x5xf16>
  return
}

// -----

func.func @contract_dims(%a0: tensor<4x8xf8E4M3FN>, %a1: tensor<5x8xf8E4M3FN>, %a2: tensor<5x2xf32>) {
  // expected-error @below {{'fovea.scaled_contract' op expects the maps of lhs, rhs and result to hold dims only, found (d0, d1, d2) -> (d0, d2 floordiv 2)}}
  %r = "fovea.scaled_contract"(%a0, %a1, %a2) {indexing_maps = [affine_map<(m, n, k) -> (m, k floordiv 2)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (n, k floordiv 4)>, affine_map<(m, n, k) -> (m, n)>], operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<4x8xf8E4M3FN>, tensor<5x8xf8E4M3FN>, tensor<5x2xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @contract_sizes(%a0: tensor<4x8xf8E4M3FN>, %a1: tensor<5x9xf8E4M3FN>, %a2: tensor<5x2xf32>) {
  // expected-error @below {{'fovea.scaled_contract' op expects one size along d2, found 8 and 9 (axis 1 of tensor<5x9xf8E4M3FN>)}}
  %r = "fovea.scaled_contract"(%a0, %a1, %a2) {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (n, k floordiv 4)>, affine_map<(m, n, k) -> (m, n)>], operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<4x8xf8E4M3FN>, tensor<5x9xf8E4M3FN>, tensor<5x2xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @scale_map(%a0: tensor<4x8xf8E4M3FN>, %a1: tensor<5x8xf8E4M3FN>, %a2: tensor<5x2xf32>) {
  // expected-error @below {{'fovea.scaled_contract' op expects maps of scales to hold dims, dims divided by a number, and 0, found (d0, d1, d2) -> (d1, d2 + 1)}}
  %r = "fovea.scaled_contract"(%a0, %a1, %a2) {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (n, k + 1)>, affine_map<(m, n, k) -> (m, n)>], operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<4x8xf8E4M3FN>, tensor<5x8xf8E4M3FN>, tensor<5x2xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @scale_count(%a0: tensor<4x8xf8E4M3FN>, %a1: tensor<5x8xf8E4M3FN>, %a2: tensor<5x3xf32>) {
  // expected-error @below {{'fovea.scaled_contract' op expects 2 scales along axis 1, found tensor<5x3xf32>}}
  %r = "fovea.scaled_contract"(%a0, %a1, %a2) {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (n, k floordiv 4)>, affine_map<(m, n, k) -> (m, n)>], operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<4x8xf8E4M3FN>, tensor<5x8xf8E4M3FN>, tensor<5x3xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @contract_missing(%a0: tensor<4x8xf8E4M3FN>, %a1: tensor<4x8xf8E4M3FN>, %a2: tensor<4x2xf32>) {
  // expected-error @below {{'fovea.scaled_contract' op expects each of 3 dims in the map of lhs, rhs or result}}
  %r = "fovea.scaled_contract"(%a0, %a1, %a2) {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (m, k floordiv 4)>, affine_map<(m, n, k) -> (m, m)>], operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<4x8xf8E4M3FN>, tensor<4x8xf8E4M3FN>, tensor<4x2xf32>) -> tensor<4x4xf32>
  return
}
