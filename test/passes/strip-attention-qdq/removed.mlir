// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pairs on Q, K, V and the probabilities, in every spelling: both contractions read what went into them.
// RUN: fovea-opt %s --fovea-detect-attention --fovea-strip-attention-qdq 2>/dev/null | FileCheck %s

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#s = affine_map<(b, m, n, k) -> (b, m, n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (b, m)>
#column = affine_map<(b, m, n) -> (b, n)>
#scalar = affine_map<(b, m, n) -> ()>

// fovea.quantize and fovea.dequantize; behind the first contraction a scale and a mask.
// CHECK-LABEL: func.func @ops
// CHECK-NOT: {{f8E4M3FN|i8|roundeven|fovea.quantize}}
// CHECK: linalg.batch_matmul {{.*}}"qk">} ins(%arg0, %arg1 :
// CHECK-NOT: {{f8E4M3FN|i8|roundeven|fovea.quantize}}
// CHECK: %[[P:.*]] = linalg.softmax
// CHECK-NOT: {{f8E4M3FN|i8|roundeven|fovea.quantize}}
// CHECK: linalg.batch_matmul {{.*}}"pv">} ins(%[[P]], %arg2 :
func.func @ops(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %mask: tensor<2x6xf32>) -> tensor<2x4x5xf32> {
  %qd_8 = "fovea.quantize"(%q) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x4x8xf32>) -> tensor<2x4x8xf8E4M3FN>
  %qd = "fovea.dequantize"(%qd_8) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x4x8xf8E4M3FN>) -> tensor<2x4x8xf32>
  %kd_8 = "fovea.quantize"(%k) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x6x8xf32>) -> tensor<2x6x8xf8E4M3FN>
  %kd = "fovea.dequantize"(%kd_8) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x6x8xf8E4M3FN>) -> tensor<2x6x8xf32>
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%qd, %kd : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%x0: f32, %acc: f32):
    %c = arith.constant 0.25 : f32
    %r = arith.mulf %x0, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %u = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t, %mask : tensor<2x4x6xf32>, tensor<2x6xf32>) outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%x0: f32, %x1: f32, %acc: f32):
    %r = arith.addf %x0, %x1 : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%u : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %pd_8 = "fovea.quantize"(%p) {axis = -1 : i64, scale = dense<0.0078125> : tensor<f32>} : (tensor<2x4x6xf32>) -> tensor<2x4x6xf8E4M3FN>
  %pd = "fovea.dequantize"(%pd_8) {axis = -1 : i64, scale = dense<0.0078125> : tensor<f32>} : (tensor<2x4x6xf8E4M3FN>) -> tensor<2x4x6xf32>
  %vd_8 = "fovea.quantize"(%v) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x6x5xf32>) -> tensor<2x6x5xf8E4M3FN>
  %vd = "fovea.dequantize"(%vd_8) {axis = -1 : i64, scale = dense<0.05> : tensor<f32>} : (tensor<2x6x5xf8E4M3FN>) -> tensor<2x6x5xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%pd, %vd : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// Casts to FP8 and back, with scales.
// CHECK-LABEL: func.func @fp8
// CHECK-NOT: {{f8E4M3FN|i8|roundeven|fovea.quantize}}
// CHECK: linalg.batch_matmul {{.*}}"qk">} ins(%arg0, %arg1 :
// CHECK-NOT: {{f8E4M3FN|i8|roundeven|fovea.quantize}}
// CHECK: %[[P:.*]] = linalg.softmax
// CHECK-NOT: {{f8E4M3FN|i8|roundeven|fovea.quantize}}
// CHECK: linalg.batch_matmul {{.*}}"pv">} ins(%[[P]], %arg2 :
func.func @fp8(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>, %mask: tensor<2x6xf32>) -> tensor<2x4x5xf32> {
  %qd_e8 = tensor.empty() : tensor<2x4x8xf8E4M3FN>
  %qd_e = tensor.empty() : tensor<2x4x8xf32>
  %qd_8 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%q : tensor<2x4x8xf32>) outs(%qd_e8 : tensor<2x4x8xf8E4M3FN>) {
  ^bb0(%x0: f32, %acc: f8E4M3FN):
    %c = arith.constant 0.05 : f32
    %low = arith.constant -448.0 : f32
    %high = arith.constant 448.0 : f32
    %d = arith.divf %x0, %c : f32
    %a = arith.maximumf %d, %low : f32
    %m = arith.minimumf %a, %high : f32
    %r = arith.truncf %m : f32 to f8E4M3FN
    linalg.yield %r : f8E4M3FN
  } -> tensor<2x4x8xf8E4M3FN>
  %qd = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%qd_8 : tensor<2x4x8xf8E4M3FN>) outs(%qd_e : tensor<2x4x8xf32>) {
  ^bb0(%x0: f8E4M3FN, %acc: f32):
    %c = arith.constant 0.05 : f32
    %w = arith.extf %x0 : f8E4M3FN to f32
    %r = arith.mulf %w, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x8xf32>
  %kd_e8 = tensor.empty() : tensor<2x6x8xf8E4M3FN>
  %kd_e = tensor.empty() : tensor<2x6x8xf32>
  %kd_8 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%k : tensor<2x6x8xf32>) outs(%kd_e8 : tensor<2x6x8xf8E4M3FN>) {
  ^bb0(%x0: f32, %acc: f8E4M3FN):
    %c = arith.constant 0.05 : f32
    %low = arith.constant -448.0 : f32
    %high = arith.constant 448.0 : f32
    %d = arith.divf %x0, %c : f32
    %a = arith.maximumf %d, %low : f32
    %m = arith.minimumf %a, %high : f32
    %r = arith.truncf %m : f32 to f8E4M3FN
    linalg.yield %r : f8E4M3FN
  } -> tensor<2x6x8xf8E4M3FN>
  %kd = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%kd_8 : tensor<2x6x8xf8E4M3FN>) outs(%kd_e : tensor<2x6x8xf32>) {
  ^bb0(%x0: f8E4M3FN, %acc: f32):
    %c = arith.constant 0.05 : f32
    %w = arith.extf %x0 : f8E4M3FN to f32
    %r = arith.mulf %w, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x6x8xf32>
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%qd, %kd : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%x0: f32, %acc: f32):
    %c = arith.constant 0.25 : f32
    %r = arith.mulf %x0, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %u = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t, %mask : tensor<2x4x6xf32>, tensor<2x6xf32>) outs(%es : tensor<2x4x6xf32>) {
  ^bb0(%x0: f32, %x1: f32, %acc: f32):
    %r = arith.addf %x0, %x1 : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%u : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %pd_e8 = tensor.empty() : tensor<2x4x6xf8E4M3FN>
  %pd_e = tensor.empty() : tensor<2x4x6xf32>
  %pd_8 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%p : tensor<2x4x6xf32>) outs(%pd_e8 : tensor<2x4x6xf8E4M3FN>) {
  ^bb0(%x0: f32, %acc: f8E4M3FN):
    %c = arith.constant 0.0078125 : f32
    %low = arith.constant -448.0 : f32
    %high = arith.constant 448.0 : f32
    %d = arith.divf %x0, %c : f32
    %a = arith.maximumf %d, %low : f32
    %m = arith.minimumf %a, %high : f32
    %r = arith.truncf %m : f32 to f8E4M3FN
    linalg.yield %r : f8E4M3FN
  } -> tensor<2x4x6xf8E4M3FN>
  %pd = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%pd_8 : tensor<2x4x6xf8E4M3FN>) outs(%pd_e : tensor<2x4x6xf32>) {
  ^bb0(%x0: f8E4M3FN, %acc: f32):
    %c = arith.constant 0.0078125 : f32
    %w = arith.extf %x0 : f8E4M3FN to f32
    %r = arith.mulf %w, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %vd_e8 = tensor.empty() : tensor<2x6x5xf8E4M3FN>
  %vd_e = tensor.empty() : tensor<2x6x5xf32>
  %vd_8 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%v : tensor<2x6x5xf32>) outs(%vd_e8 : tensor<2x6x5xf8E4M3FN>) {
  ^bb0(%x0: f32, %acc: f8E4M3FN):
    %c = arith.constant 0.05 : f32
    %low = arith.constant -448.0 : f32
    %high = arith.constant 448.0 : f32
    %d = arith.divf %x0, %c : f32
    %a = arith.maximumf %d, %low : f32
    %m = arith.minimumf %a, %high : f32
    %r = arith.truncf %m : f32 to f8E4M3FN
    linalg.yield %r : f8E4M3FN
  } -> tensor<2x6x5xf8E4M3FN>
  %vd = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%vd_8 : tensor<2x6x5xf8E4M3FN>) outs(%vd_e : tensor<2x6x5xf32>) {
  ^bb0(%x0: f8E4M3FN, %acc: f32):
    %c = arith.constant 0.05 : f32
    %w = arith.extf %x0 : f8E4M3FN to f32
    %r = arith.mulf %w, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x6x5xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%pd, %vd : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// QuantizeLinear and DequantizeLinear with a zero point, as torch-mlir writes them.
// CHECK-LABEL: func.func @onnx
// CHECK-NOT: {{f8E4M3FN|i8|roundeven|fovea.quantize}}
// CHECK: linalg.batch_matmul {{.*}}"qk">} ins(%arg0, %arg1 :
// CHECK-NOT: {{f8E4M3FN|i8|roundeven|fovea.quantize}}
// CHECK: %[[P:.*]] = linalg.softmax
// CHECK-NOT: {{f8E4M3FN|i8|roundeven|fovea.quantize}}
// CHECK: linalg.batch_matmul {{.*}}"pv">} ins(%[[P]], %arg2 :
func.func @onnx(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %qd_e8 = tensor.empty() : tensor<2x4x8xi8>
  %qd_e = tensor.empty() : tensor<2x4x8xf32>
  %qd_8 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%q : tensor<2x4x8xf32>) outs(%qd_e8 : tensor<2x4x8xi8>) {
  ^bb0(%x0: f32, %acc: i8):
    %c = arith.constant 0.05 : f32
    %z = arith.constant 3.0 : f32
    %low = arith.constant -128.0 : f32
    %high = arith.constant 127.0 : f32
    %d = arith.divf %x0, %c : f32
    %n = math.roundeven %d : f32
    %o = arith.addf %n, %z : f32
    %a = arith.maximumf %o, %low : f32
    %m = arith.minimumf %a, %high : f32
    %r = arith.fptosi %m : f32 to i8
    linalg.yield %r : i8
  } -> tensor<2x4x8xi8>
  %qd = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%qd_8 : tensor<2x4x8xi8>) outs(%qd_e : tensor<2x4x8xf32>) {
  ^bb0(%x0: i8, %acc: f32):
    %c = arith.constant 0.05 : f32
    %z = arith.constant 3.0 : f32
    %w = arith.sitofp %x0 : i8 to f32
    %o = arith.subf %w, %z : f32
    %r = arith.mulf %o, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x8xf32>
  %kd_e8 = tensor.empty() : tensor<2x6x8xi8>
  %kd_e = tensor.empty() : tensor<2x6x8xf32>
  %kd_8 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%k : tensor<2x6x8xf32>) outs(%kd_e8 : tensor<2x6x8xi8>) {
  ^bb0(%x0: f32, %acc: i8):
    %c = arith.constant 0.05 : f32
    %z = arith.constant 3.0 : f32
    %low = arith.constant -128.0 : f32
    %high = arith.constant 127.0 : f32
    %d = arith.divf %x0, %c : f32
    %n = math.roundeven %d : f32
    %o = arith.addf %n, %z : f32
    %a = arith.maximumf %o, %low : f32
    %m = arith.minimumf %a, %high : f32
    %r = arith.fptosi %m : f32 to i8
    linalg.yield %r : i8
  } -> tensor<2x6x8xi8>
  %kd = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%kd_8 : tensor<2x6x8xi8>) outs(%kd_e : tensor<2x6x8xf32>) {
  ^bb0(%x0: i8, %acc: f32):
    %c = arith.constant 0.05 : f32
    %z = arith.constant 3.0 : f32
    %w = arith.sitofp %x0 : i8 to f32
    %o = arith.subf %w, %z : f32
    %r = arith.mulf %o, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x6x8xf32>
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%qd, %kd : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %pd_e8 = tensor.empty() : tensor<2x4x6xi8>
  %pd_e = tensor.empty() : tensor<2x4x6xf32>
  %pd_8 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%p : tensor<2x4x6xf32>) outs(%pd_e8 : tensor<2x4x6xi8>) {
  ^bb0(%x0: f32, %acc: i8):
    %c = arith.constant 0.0078125 : f32
    %z = arith.constant 3.0 : f32
    %low = arith.constant -128.0 : f32
    %high = arith.constant 127.0 : f32
    %d = arith.divf %x0, %c : f32
    %n = math.roundeven %d : f32
    %o = arith.addf %n, %z : f32
    %a = arith.maximumf %o, %low : f32
    %m = arith.minimumf %a, %high : f32
    %r = arith.fptosi %m : f32 to i8
    linalg.yield %r : i8
  } -> tensor<2x4x6xi8>
  %pd = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%pd_8 : tensor<2x4x6xi8>) outs(%pd_e : tensor<2x4x6xf32>) {
  ^bb0(%x0: i8, %acc: f32):
    %c = arith.constant 0.0078125 : f32
    %z = arith.constant 3.0 : f32
    %w = arith.sitofp %x0 : i8 to f32
    %o = arith.subf %w, %z : f32
    %r = arith.mulf %o, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %vd_e8 = tensor.empty() : tensor<2x6x5xi8>
  %vd_e = tensor.empty() : tensor<2x6x5xf32>
  %vd_8 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%v : tensor<2x6x5xf32>) outs(%vd_e8 : tensor<2x6x5xi8>) {
  ^bb0(%x0: f32, %acc: i8):
    %c = arith.constant 0.05 : f32
    %z = arith.constant 3.0 : f32
    %low = arith.constant -128.0 : f32
    %high = arith.constant 127.0 : f32
    %d = arith.divf %x0, %c : f32
    %n = math.roundeven %d : f32
    %o = arith.addf %n, %z : f32
    %a = arith.maximumf %o, %low : f32
    %m = arith.minimumf %a, %high : f32
    %r = arith.fptosi %m : f32 to i8
    linalg.yield %r : i8
  } -> tensor<2x6x5xi8>
  %vd = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%vd_8 : tensor<2x6x5xi8>) outs(%vd_e : tensor<2x6x5xf32>) {
  ^bb0(%x0: i8, %acc: f32):
    %c = arith.constant 0.05 : f32
    %z = arith.constant 3.0 : f32
    %w = arith.sitofp %x0 : i8 to f32
    %o = arith.subf %w, %z : f32
    %r = arith.mulf %o, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x6x5xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%pd, %vd : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}

// Fake quantisation: the values never leave f32.
// CHECK-LABEL: func.func @fake
// CHECK-NOT: {{f8E4M3FN|i8|roundeven|fovea.quantize}}
// CHECK: linalg.batch_matmul {{.*}}"qk">} ins(%arg0, %arg1 :
// CHECK-NOT: {{f8E4M3FN|i8|roundeven|fovea.quantize}}
// CHECK: %[[P:.*]] = linalg.softmax
// CHECK-NOT: {{f8E4M3FN|i8|roundeven|fovea.quantize}}
// CHECK: linalg.batch_matmul {{.*}}"pv">} ins(%[[P]], %arg2 :
func.func @fake(%q: tensor<2x4x8xf32>, %k: tensor<2x6x8xf32>, %v: tensor<2x6x5xf32>) -> tensor<2x4x5xf32> {
  %qd_e = tensor.empty() : tensor<2x4x8xf32>
  %qd = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%q : tensor<2x4x8xf32>) outs(%qd_e : tensor<2x4x8xf32>) {
  ^bb0(%x0: f32, %acc: f32):
    %c = arith.constant 0.05 : f32
    %i = arith.constant 20.0 : f32
    %low = arith.constant -128.0 : f32
    %high = arith.constant 127.0 : f32
    %d = arith.mulf %x0, %i : f32
    %n = math.roundeven %d : f32
    %a = arith.maximumf %n, %low : f32
    %m = arith.minimumf %a, %high : f32
    %r = arith.mulf %m, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x8xf32>
  %kd_e = tensor.empty() : tensor<2x6x8xf32>
  %kd = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%k : tensor<2x6x8xf32>) outs(%kd_e : tensor<2x6x8xf32>) {
  ^bb0(%x0: f32, %acc: f32):
    %c = arith.constant 0.05 : f32
    %i = arith.constant 20.0 : f32
    %low = arith.constant -128.0 : f32
    %high = arith.constant 127.0 : f32
    %d = arith.mulf %x0, %i : f32
    %n = math.roundeven %d : f32
    %a = arith.maximumf %n, %low : f32
    %m = arith.minimumf %a, %high : f32
    %r = arith.mulf %m, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x6x8xf32>
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty() : tensor<2x4x6xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %s = linalg.batch_matmul indexing_maps = [#q, #k, #s] ins(%qd, %kd : tensor<2x4x8xf32>, tensor<2x6x8xf32>) outs(%zs : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x6xf32>) outs(%es : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  %pd_e = tensor.empty() : tensor<2x4x6xf32>
  %pd = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%p : tensor<2x4x6xf32>) outs(%pd_e : tensor<2x4x6xf32>) {
  ^bb0(%x0: f32, %acc: f32):
    %c = arith.constant 0.0078125 : f32
    %i = arith.constant 128.0 : f32
    %low = arith.constant -128.0 : f32
    %high = arith.constant 127.0 : f32
    %d = arith.mulf %x0, %i : f32
    %n = math.roundeven %d : f32
    %a = arith.maximumf %n, %low : f32
    %m = arith.minimumf %a, %high : f32
    %r = arith.mulf %m, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x4x6xf32>
  %vd_e = tensor.empty() : tensor<2x6x5xf32>
  %vd = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%v : tensor<2x6x5xf32>) outs(%vd_e : tensor<2x6x5xf32>) {
  ^bb0(%x0: f32, %acc: f32):
    %c = arith.constant 0.05 : f32
    %i = arith.constant 20.0 : f32
    %low = arith.constant -128.0 : f32
    %high = arith.constant 127.0 : f32
    %d = arith.mulf %x0, %i : f32
    %n = math.roundeven %d : f32
    %a = arith.maximumf %n, %low : f32
    %m = arith.minimumf %a, %high : f32
    %r = arith.mulf %m, %c : f32
    linalg.yield %r : f32
  } -> tensor<2x6x5xf32>
  %eo = tensor.empty() : tensor<2x4x5xf32>
  %zo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %o = linalg.batch_matmul ins(%pd, %vd : tensor<2x4x6xf32>, tensor<2x6x5xf32>) outs(%zo : tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  return %o : tensor<2x4x5xf32>
}
