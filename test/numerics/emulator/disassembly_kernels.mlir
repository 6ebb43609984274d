// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels whose machine code covers most encodings: matrix instructions, conversions to fp8, LDS, lane permutations,
// branches, 64-bit integer and floating-point division, atomics.
module attributes {gpu.container_module} {
gpu.module @kernels {
  memref.global "private" @tile : memref<16x20xf16, #gpu.address_space<workgroup>>

  gpu.func @matmul_f16(%a: memref<64x64xf16>, %b: memref<64x64xf16>, %c: memref<64x64xf32>)
      kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c4 = arith.constant 4 : index
    %c16 = arith.constant 16 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant dense<0.0> : vector<4xf32>
    %lane = gpu.thread_id x
    %block = gpu.block_id x
    %line = arith.remui %lane, %c16 : index
    %group = arith.divui %lane, %c16 : index
    %offset = arith.muli %group, %c4 : index
    %first = arith.muli %block, %c16 : index
    %row = arith.addi %first, %line : index
    %tile = memref.get_global @tile : memref<16x20xf16, #gpu.address_space<workgroup>>
    %sum = scf.for %k = %c0 to %c64 step %c16 iter_args(%acc = %zero) -> (vector<4xf32>) {
      %column = arith.addi %k, %offset : index
      %loaded = vector.load %b[%line, %column] : memref<64x64xf16>, vector<4xf16>
      vector.store %loaded, %tile[%line, %offset] : memref<16x20xf16, #gpu.address_space<workgroup>>, vector<4xf16>
      gpu.barrier
      %x = vector.load %a[%row, %column] : memref<64x64xf16>, vector<4xf16>
      %y = vector.load %tile[%line, %offset] : memref<16x20xf16, #gpu.address_space<workgroup>>, vector<4xf16>
      gpu.barrier
      %d = amdgpu.mfma 16x16x16 %x * %y + %acc blgp = none : vector<4xf16>, vector<4xf16>, vector<4xf32>
      scf.yield %d : vector<4xf32>
    }
    %scaled = arith.addf %sum, %sum : vector<4xf32>
    vector.store %scaled, %c[%row, %offset] : memref<64x64xf32>, vector<4xf32>
    gpu.return
  }

  gpu.func @matmul_fp8(%a: memref<32x64xf32>, %b: memref<32x8xi64>, %c: memref<64x16xf32>)
      kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c8 = arith.constant 8 : index
    %c32 = arith.constant 32 : index
    %none = arith.constant 0 : i32
    %zero = arith.constant dense<0.0> : vector<16xf32>
    %lane = gpu.thread_id x
    %line = arith.remui %lane, %c32 : index
    %group = arith.divui %lane, %c32 : index
    %sum = scf.for %k = %c0 to %c8 step %c2 iter_args(%acc = %zero) -> (vector<16xf32>) {
      %word = arith.addi %k, %group : index
      %column = arith.muli %word, %c8 : index
      %wide = vector.load %a[%line, %column] : memref<32x64xf32>, vector<8xf32>
      %w0 = vector.extract %wide[0] : f32 from vector<8xf32>
      %w1 = vector.extract %wide[1] : f32 from vector<8xf32>
      %w2 = vector.extract %wide[2] : f32 from vector<8xf32>
      %w3 = vector.extract %wide[3] : f32 from vector<8xf32>
      %p0 = rocdl.cvt.pk.fp8.f32 %w0, %w1 -> %none[false] : i32
      %p1 = rocdl.cvt.pk.fp8.f32 %w2, %w3 -> %p0[true] : i32
      %u0 = rocdl.cvt.f32.fp8 %p1[1] : f32
      %p2 = rocdl.cvt.sr.fp8.f32 %u0, %none -> %p1[2] : i32
      %pair = vector.from_elements %p1, %p2 : vector<2xi32>
      %cast = vector.bitcast %pair : vector<2xi32> to vector<1xi64>
      %x = vector.extract %cast[0] : i64 from vector<1xi64>
      %y = memref.load %b[%line, %word] : memref<32x8xi64>
      %d = rocdl.mfma.f32.32x32x16.fp8.fp8 %x, %y, %acc, 0, 0, none : (i64, i64, vector<16xf32>) -> vector<16xf32>
      scf.yield %d : vector<16xf32>
    }
    vector.store %sum, %c[%lane, %c0] : memref<64x16xf32>, vector<16xf32>
    gpu.return
  }

  gpu.func @softmax(%x: memref<16x64xf32>, %y: memref<16x64xf16>)
      kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %log2e = arith.constant 1.44269504 : f32
    %width = arith.constant 64 : i32
    %far = arith.constant 32 : i32
    %near = arith.constant 16 : i32
    %low = arith.constant -1.0e+30 : f32
    %lane = gpu.thread_id x
    %row = gpu.block_id x
    %value = memref.load %x[%row, %lane] : memref<16x64xf32>
    %m1 = amdgpu.dpp %value %value quad_perm ([1, 0, 3, 2]) {row_mask = 0xf : i32, bank_mask = 0xf : i32} : f32
    %m2 = arith.maximumf %value, %m1 : f32
    %m3 = amdgpu.dpp %low %m2 row_shr (8 : i32) {row_mask = 0xf : i32, bank_mask = 0xf : i32} : f32
    %m4 = arith.maxnumf %m2, %m3 : f32
    %m5, %p5 = gpu.shuffle xor %m4, %near, %width : f32
    %m6 = arith.maxnumf %m4, %m5 : f32
    %m7, %p7 = gpu.shuffle xor %m6, %far, %width : f32
    %m8 = arith.maxnumf %m6, %m7 : f32
    %m9 = amdgpu.swizzle_bitmode %m8 15 0 4 : f32
    %m10 = arith.maxnumf %m8, %m9 : f32
    %shifted = arith.subf %value, %m10 : f32
    %scaled = arith.mulf %shifted, %log2e : f32
    %power = rocdl.exp2 %scaled f32 -> f32
    %partner, %p8 = gpu.shuffle xor %power, %near, %width : f32
    %sum = arith.addf %power, %partner : f32
    %quotient = arith.divf %power, %sum : f32
    %half = arith.truncf %quotient : f32 to f16
    memref.store %half, %y[%row, %lane] : memref<16x64xf16>
    gpu.return
  }

  gpu.func @branches(%x: memref<64xi32>, %h: memref<64xi8>, %d: memref<64xf64>, %n: i32, %big: i64) kernel {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c3 = arith.constant 3 : i32
    %i0 = arith.constant 0 : index
    %lane = gpu.thread_id x
    %block = gpu.block_id y
    %start = memref.load %x[%lane] : memref<64xi32>
    %steps:2 = scf.while (%value = %start, %count = %c0) : (i32, i32) -> (i32, i32) {
      %more = arith.cmpi ne, %value, %c1 : i32
      %few = arith.cmpi slt, %count, %n : i32
      %go = arith.andi %more, %few : i1
      scf.condition(%go) %value, %count : i32, i32
    } do {
    ^bb0(%value: i32, %count: i32):
      %bit = arith.andi %value, %c1 : i32
      %odd = arith.cmpi eq, %bit, %c1 : i32
      %next = scf.if %odd -> (i32) {
        %triple = arith.muli %value, %c3 : i32
        %up = arith.addi %triple, %c1 : i32
        scf.yield %up : i32
      } else {
        %down = arith.divsi %value, %n : i32
        scf.yield %down : i32
      }
      %counted = arith.addi %count, %c1 : i32
      scf.yield %next, %counted : i32, i32
    }
    %old = memref.atomic_rmw addi %steps#1, %x[%i0] : (i32, memref<64xi32>) -> i32
    %byte = memref.load %h[%lane] : memref<64xi8>
    %other = memref.load %h[%block] : memref<64xi8>
    %bytes = arith.muli %byte, %other : i8
    %wide = arith.extsi %bytes : i8 to i32
    %total = arith.addi %wide, %old : i32
    %long = arith.extsi %total : i32 to i64
    %quotient = arith.divsi %long, %big : i64
    %real = arith.sitofp %quotient : i64 to f64
    %before = memref.load %d[%lane] : memref<64xf64>
    %after = llvm.intr.fma(%before, %real, %before) : (f64, f64, f64) -> f64
    %ratio = arith.divf %after, %real : f64
    memref.store %ratio, %d[%lane] : memref<64xf64>
    gpu.return
  }
}
}
