// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which contractions the default exclusions leave out, and that `include` brings them back. A contraction in FP8 reads a
// capture of its id; the ids are the locations' names.
// RUN: fovea-opt %s --split-input-file --fovea-insert-captures | FileCheck %s
// RUN: fovea-opt %s --split-input-file --fovea-insert-captures={include=policy:first} | FileCheck %s --check-prefix=FIRST
// RUN: fovea-opt %s --split-input-file "--fovea-insert-captures={include={policy:last,kind:router,policy:tiny}}" | FileCheck %s --check-prefix=OTHERS

// The stem reads the input through a pad, a bias and a cast; the head's result is the output through a bias and a softmax.
// A linear that reads a norm of the input, and one in a residual block, are neither.
// CHECK-LABEL: func.func @ends
// CHECK-NOT: "stem.lhs"
// CHECK-DAG: "middle.lhs"
// CHECK-DAG: "normed.lhs"
// CHECK-DAG: "block.lhs"
// CHECK-NOT: "head.lhs"
// FIRST-LABEL: func.func @ends
// FIRST: "stem.lhs"
// FIRST-NOT: "head.lhs"
// OTHERS-LABEL: func.func @ends
// OTHERS-NOT: "stem.lhs"
// OTHERS: "head.lhs"
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0, 0)>
#channel = affine_map<(d0, d1) -> (d1)>
func.func @ends(%x: tensor<16x60xf16>, %b: tensor<64xf32> {fovea.weight = "b"}, %w0: tensor<64x64xf32> {fovea.weight = "w0"},
                %w1: tensor<64x64xf32> {fovea.weight = "w1"}, %w2: tensor<64x64xf32> {fovea.weight = "w2"})
    -> (tensor<16x64xf32>, tensor<16x64xf32>) {
  %c = arith.constant 0.0 : f16
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<16x64xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<16x64xf32>) -> tensor<16x64xf32>
  %er = tensor.empty() : tensor<16x1xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<16x1xf32>) -> tensor<16x1xf32>
  %lr = linalg.fill ins(%low : f32) outs(%er : tensor<16x1xf32>) -> tensor<16x1xf32>
  %p = tensor.pad %x low[0, 2] high[0, 2] {
  ^bb0(%i: index, %j: index):
    tensor.yield %c : f16
  } : tensor<16x60xf16> to tensor<16x64xf16>
  %in = linalg.generic {indexing_maps = [#id, #channel, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p, %b : tensor<16x64xf16>, tensor<64xf32>) outs(%e : tensor<16x64xf32>) {
  ^bb0(%a: f16, %s: f32, %o: f32):
    %w = arith.extf %a : f16 to f32
    %r = arith.addf %w, %s : f32
    linalg.yield %r : f32
  } -> tensor<16x64xf32>
  %stem = linalg.matmul ins(%in, %w0 : tensor<16x64xf32>, tensor<64x64xf32>) outs(%z : tensor<16x64xf32>) -> tensor<16x64xf32> loc("stem")
  %middle = linalg.matmul ins(%stem, %w1 : tensor<16x64xf32>, tensor<64x64xf32>) outs(%z : tensor<16x64xf32>) -> tensor<16x64xf32> loc("middle")

  // RMS norm of the input.
  %squares = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%in : tensor<16x64xf32>) outs(%zr : tensor<16x1xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.mulf %a, %a : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<16x1xf32>
  %norm = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%in, %squares : tensor<16x64xf32>, tensor<16x1xf32>) outs(%e : tensor<16x64xf32>) {
  ^bb0(%a: f32, %s: f32, %o: f32):
    %t = math.rsqrt %s : f32
    %r = arith.mulf %a, %t : f32
    linalg.yield %r : f32
  } -> tensor<16x64xf32>
  %normed = linalg.matmul ins(%norm, %w2 : tensor<16x64xf32>, tensor<64x64xf32>) outs(%z : tensor<16x64xf32>) -> tensor<16x64xf32> loc("normed")
  %sum = linalg.add ins(%middle, %normed : tensor<16x64xf32>, tensor<16x64xf32>) outs(%e : tensor<16x64xf32>) -> tensor<16x64xf32>
  %block = linalg.matmul ins(%sum, %w1 : tensor<16x64xf32>, tensor<64x64xf32>) outs(%z : tensor<16x64xf32>) -> tensor<16x64xf32> loc("block")
  %residual = linalg.add ins(%sum, %block : tensor<16x64xf32>, tensor<16x64xf32>) outs(%e : tensor<16x64xf32>) -> tensor<16x64xf32>

  %head = linalg.matmul ins(%residual, %w2 : tensor<16x64xf32>, tensor<64x64xf32>) outs(%z : tensor<16x64xf32>) -> tensor<16x64xf32> loc("head")
  %logits = linalg.generic {indexing_maps = [#id, #channel, #id], iterator_types = ["parallel", "parallel"]}
      ins(%head, %b : tensor<16x64xf32>, tensor<64xf32>) outs(%e : tensor<16x64xf32>) {
  ^bb0(%a: f32, %s: f32, %o: f32):
    %r = arith.addf %a, %s : f32
    linalg.yield %r : f32
  } -> tensor<16x64xf32>
  %max = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%logits : tensor<16x64xf32>) outs(%lr : tensor<16x1xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.maximumf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<16x1xf32>
  %exp = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%logits, %max : tensor<16x64xf32>, tensor<16x1xf32>) outs(%e : tensor<16x64xf32>) {
  ^bb0(%a: f32, %m: f32, %o: f32):
    %d = arith.subf %a, %m : f32
    %r = math.exp %d : f32
    linalg.yield %r : f32
  } -> tensor<16x64xf32>
  %total = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%exp : tensor<16x64xf32>) outs(%zr : tensor<16x1xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<16x1xf32>
  %softmax = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%exp, %total : tensor<16x64xf32>, tensor<16x1xf32>) outs(%e : tensor<16x64xf32>) {
  ^bb0(%a: f32, %s: f32, %o: f32):
    %r = arith.divf %a, %s : f32
    linalg.yield %r : f32
  } -> tensor<16x64xf32>
  return %softmax, %logits : tensor<16x64xf32>, tensor<16x64xf32>
}

// -----

// A router weighs activations with its softmax; the same softmax read by a linear alone routes nothing. A linear with few
// outputs, or few products in a sum, is tiny; one with few rows (decoding) is not.
// CHECK-LABEL: func.func @inside
// CHECK-NOT: "router.lhs"
// CHECK-NOT: "narrow.lhs"
// CHECK-NOT: "shallow.lhs"
// CHECK: "wide.lhs"
// CHECK: "mlp.lhs"
// OTHERS-LABEL: func.func @inside
// OTHERS-DAG: "router.lhs"
// OTHERS-DAG: "shallow.lhs"
func.func @inside(%ids: tensor<4xi64>, %table: tensor<99x64xf32> {fovea.weight = "table"},
                  %w: tensor<64x64xf32> {fovea.weight = "w"}, %wr: tensor<64x32xf32> {fovea.weight = "wr"},
                  %we: tensor<64x64xf32> {fovea.weight = "we"}, %wn: tensor<64x8xf32> {fovea.weight = "wn"},
                  %ws: tensor<8x64xf32> {fovea.weight = "ws"}, %wm: tensor<32x64xf32> {fovea.weight = "wm"}) -> tensor<4x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x64xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  %er = tensor.empty() : tensor<4x32xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<4x32xf32>) -> tensor<4x32xf32>
  %en = tensor.empty() : tensor<4x8xf32>
  %zn = linalg.fill ins(%zero : f32) outs(%en : tensor<4x8xf32>) -> tensor<4x8xf32>
  %x = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      ins(%ids : tensor<4xi64>) outs(%e : tensor<4x64xf32>) {
  ^bb0(%i: i64, %o: f32):
    %row = arith.index_cast %i : i64 to index
    %column = linalg.index 1 : index
    %v = tensor.extract %table[%row, %column] : tensor<99x64xf32>
    linalg.yield %v : f32
  } -> tensor<4x64xf32>
  %logits = linalg.matmul ins(%x, %wr : tensor<4x64xf32>, tensor<64x32xf32>) outs(%zr : tensor<4x32xf32>) -> tensor<4x32xf32> loc("router")
  %p = linalg.softmax dimension(1) ins(%logits : tensor<4x32xf32>) outs(%er : tensor<4x32xf32>) -> tensor<4x32xf32>
  %narrow = linalg.matmul ins(%x, %wn : tensor<4x64xf32>, tensor<64x8xf32>) outs(%zn : tensor<4x8xf32>) -> tensor<4x8xf32> loc("narrow")
  %shallow = linalg.matmul ins(%narrow, %ws : tensor<4x8xf32>, tensor<8x64xf32>) outs(%z : tensor<4x64xf32>) -> tensor<4x64xf32> loc("shallow")
  %wide = linalg.matmul ins(%shallow, %we : tensor<4x64xf32>, tensor<64x64xf32>) outs(%z : tensor<4x64xf32>) -> tensor<4x64xf32> loc("wide")
  %slice = tensor.extract_slice %p[0, 0] [4, 1] [1, 1] : tensor<4x32xf32> to tensor<4x1xf32>
  %weighed = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, 0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      ins(%wide, %slice : tensor<4x64xf32>, tensor<4x1xf32>) outs(%e : tensor<4x64xf32>) {
  ^bb0(%a: f32, %s: f32, %o: f32):
    %r = arith.mulf %a, %s : f32
    linalg.yield %r : f32
  } -> tensor<4x64xf32>
  %mlp = linalg.matmul ins(%weighed, %wr : tensor<4x64xf32>, tensor<64x32xf32>) outs(%zr : tensor<4x32xf32>) -> tensor<4x32xf32> loc("mlp")
  %q = linalg.softmax dimension(1) ins(%mlp : tensor<4x32xf32>) outs(%er : tensor<4x32xf32>) -> tensor<4x32xf32>
  %out = linalg.matmul ins(%q, %wm : tensor<4x32xf32>, tensor<32x64xf32>) outs(%z : tensor<4x64xf32>) -> tensor<4x64xf32> loc("head")
  return %out : tensor<4x64xf32>
}

// -----

// Two layers: without them nothing would be in FP8, so the ends of this network are quantised. Its router is not.
// CHECK-LABEL: func.func @waived
// CHECK: "one.lhs"
// CHECK: "two.lhs"
// CHECK-LABEL: func.func private @sorted
// CHECK-NOT: fovea.capture
func.func @waived(%x: tensor<8x8xf32>, %w: tensor<8x8xf32> {fovea.weight = "w"}, %z: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %a = linalg.matmul ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%z : tensor<8x8xf32>) -> tensor<8x8xf32> loc("one")
  %b = linalg.matmul ins(%a, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%z : tensor<8x8xf32>) -> tensor<8x8xf32> loc("two")
  return %b : tensor<8x8xf32>
}
func.func private @sorted(%x: tensor<8x64xf32>, %w: tensor<64x16xf32> {fovea.weight = "w"}, %z: tensor<8x16xf32>, %table: tensor<16xf32>) -> tensor<8xf32> {
  %i = arith.constant 0 : i64
  %e = tensor.empty() : tensor<8xf32>
  %low = arith.constant dense<0xFF800000> : tensor<8xf32>
  %none = arith.constant dense<0> : tensor<8xi64>
  %logits = linalg.matmul ins(%x, %w : tensor<8x64xf32>, tensor<64x16xf32>) outs(%z : tensor<8x16xf32>) -> tensor<8x16xf32> loc("gate")
  %best:2 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]}
      ins(%logits : tensor<8x16xf32>) outs(%low, %none : tensor<8xf32>, tensor<8xi64>) {
  ^bb0(%a: f32, %m: f32, %at: i64):
    %j = linalg.index 1 : index
    %k = arith.index_cast %j : index to i64
    %l = arith.maximumf %a, %m : f32
    %g = arith.cmpf ogt, %a, %m : f32
    %s = arith.select %g, %k, %at : i64
    linalg.yield %l, %s : f32, i64
  } -> (tensor<8xf32>, tensor<8xi64>)
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%best#1 : tensor<8xi64>) outs(%e : tensor<8xf32>) {
  ^bb0(%j: i64, %o: f32):
    %at = arith.index_cast %j : i64 to index
    %v = tensor.extract %table[%at] : tensor<16xf32>
    linalg.yield %v : f32
  } -> tensor<8xf32>
  return %r : tensor<8xf32>
}
