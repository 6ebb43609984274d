# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small kernels in upstream dialects, compiled at test time."""

from __future__ import annotations

import functools
import io
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from fovea.bindings import ir, passmanager

_LOWER = (
    "builtin.module(gpu.module(convert-scf-to-cf,expand-strided-metadata,lower-affine,"
    "convert-amdgpu-to-rocdl{chipset=%s},convert-gpu-to-rocdl{chipset=%s use-bare-ptr-memref-call-conv=true "
    "index-bitwidth=32},reconcile-unrealized-casts))"
)
_SERIALISE = """
import sys
from flydsl._mlir import ir, passmanager
from flydsl._mlir.dialects import gpu
folder, chip = sys.argv[1:]
with ir.Context():
    for fmt in ("isa", "bin"):
        module = ir.Module.parse(open(f"{folder}/in.bc", "rb").read())
        options = f"format={fmt} toolkit={folder}"
        passmanager.PassManager.parse(
            "builtin.module(rocdl-attach-target{chip=%s O=3},gpu-module-to-binary{%s})" % (chip, options)
        ).run(module.operation)
        binary = next(op for op in module.body.operations if op.operation.name == "gpu.binary")
        data = gpu.ObjectAttr(ir.ArrayAttr(binary.operation.attributes["objects"])[0]).object
        open(f"{folder}/out.{fmt}", "wb").write(bytes(data))
"""


@functools.cache
def compile_kernel(text: str, chip: str = "gfx942") -> tuple[bytes, str]:
    """Code object and assembly text for `chip` of a module with one `gpu.module` in upstream dialects."""
    with ir.Context():
        module = ir.Module.parse(text)
        passmanager.PassManager.parse(_LOWER % (chip, chip)).run(module.operation)
        bytecode = io.BytesIO()
        module.operation.write_bytecode(bytecode)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in.bc").write_bytes(bytecode.getvalue())
        linker = folder / "llvm" / "bin" / "ld.lld"
        linker.parent.mkdir(parents=True)
        linker.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ziglang ld.lld "$@"\n')
        linker.chmod(0o755)
        done = subprocess.run([sys.executable, "-c", _SERIALISE, name, chip], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return (folder / "out.bin").read_bytes(), (folder / "out.isa").read_text()


def contraction(m: int, n: int, k: int, kind: str = "f8E4M3FNUZ", step: int = 64) -> str:
    """C[m, n] = A[m, k] * B[n, k]^T through LDS: 64 x 64 tiles, four waves of 32 x 32, `step` of k a round."""
    inner = {"f8E4M3FNUZ": 32, "f16": 16}[kind]
    per_lane = inner // 4
    pad = 16 * 8 // (8 if kind.startswith("f8") else 16)
    vector = 16 if kind.startswith("f8") else 8
    threads_k = step // vector
    rows_a_pass = 256 // threads_k
    lines: list[str] = []
    add = lines.append
    local = f"memref<64x{step + pad}x{kind}, #gpu.address_space<workgroup>>"
    fragment, result = f"vector<{per_lane}x{kind}>", "vector<4xf32>"
    for tile, source, origin, rows in (("As", "A", "%m0", m), ("Bs", "B", "%n0", n)):
        for part in range(64 // rows_a_pass):
            name = f"{tile}{part}"
            add(f"""
      %r{name}c = arith.constant {part * rows_a_pass} : index
      %r{name} = arith.addi %lr, %r{name}c : index
      %g{name} = arith.addi {origin}, %r{name} : index
      %k{name} = arith.addi %k, %lk : index
      %x{name} = vector.load %{source}[%g{name}, %k{name}] : memref<{rows}x{k}x{kind}>, vector<{vector}x{kind}>
      vector.store %x{name}, %{tile}[%r{name}, %lk] : {local}, vector<{vector}x{kind}>""")
    add("      gpu.barrier")
    accumulators = ["%acc0", "%acc1", "%acc2", "%acc3"]
    for at in range(0, step, inner):
        add(f"      %kk{at}c = arith.constant {at} : index\n      %kk{at} = arith.addi %fk, %kk{at}c : index")
        for tile, base in (("As", "%wm"), ("Bs", "%wn")):
            for half in range(2):
                add(f"      %f{tile}{at}_{half}r = arith.addi {base}, %h{half} : index")
                row = f"%f{tile}{at}_{half}r"
                add(f"      %f{tile}{at}_{half} = vector.load %{tile}[{row}, %kk{at}] : {local}, {fragment}")
        for i in range(2):
            for j in range(2):
                now = f"%d{at}_{i}{j}"
                add(
                    f"      {now} = amdgpu.mfma 16x16x{inner} %fAs{at}_{i} * %fBs{at}_{j} + {accumulators[2 * i + j]} "
                    f"blgp = none : {fragment}, {fragment}, {result}"
                )
                accumulators[2 * i + j] = now
    add("      gpu.barrier")
    body = "\n".join(lines)
    stores = []
    for i in range(2):
        for j in range(2):
            for e in range(4):
                tag = f"{i}{j}{e}"
                stores.append(f"""
      %o{tag}c = arith.constant {16 * i + e} : index
      %o{tag}d = arith.constant {16 * j} : index
      %o{tag}r = arith.addi %orow, %o{tag}c : index
      %o{tag}x = arith.addi %ocol, %o{tag}d : index
      %o{tag}v = vector.extract %res#{2 * i + j}[{e}] : f32 from vector<4xf32>
      memref.store %o{tag}v, %C[%o{tag}r, %o{tag}x] : memref<{m}x{n}xf32>""")
    return f"""module attributes {{gpu.container_module}} {{
  gpu.module @kernels {{
    gpu.func @contraction(%A: memref<{m}x{k}x{kind}>, %B: memref<{n}x{k}x{kind}>, %C: memref<{m}x{n}xf32>)
        workgroup(%As: {local}, %Bs: {local})
        kernel attributes {{known_block_size = array<i32: 256, 1, 1>}} {{
      %t = gpu.thread_id x
      %bx = gpu.block_id x
      %by = gpu.block_id y
      %c0 = arith.constant 0 : index
      %h0 = arith.constant 0 : index
      %h1 = arith.constant 16 : index
      %c2 = arith.constant 2 : index
      %c4 = arith.constant 4 : index
      %c16 = arith.constant 16 : index
      %c32 = arith.constant 32 : index
      %c64 = arith.constant 64 : index
      %cK = arith.constant {k} : index
      %cS = arith.constant {step} : index
      %cT = arith.constant {threads_k} : index
      %cV = arith.constant {vector} : index
      %cP = arith.constant {per_lane} : index
      %m0 = arith.muli %by, %c64 : index
      %n0 = arith.muli %bx, %c64 : index
      %lr = arith.divui %t, %cT : index
      %lc = arith.remui %t, %cT : index
      %lk = arith.muli %lc, %cV : index
      %wave = arith.divui %t, %c64 : index
      %lane = arith.remui %t, %c64 : index
      %wr = arith.divui %wave, %c2 : index
      %wc = arith.remui %wave, %c2 : index
      %l16 = arith.remui %lane, %c16 : index
      %g16 = arith.divui %lane, %c16 : index
      %wm32 = arith.muli %wr, %c32 : index
      %wn32 = arith.muli %wc, %c32 : index
      %wm = arith.addi %wm32, %l16 : index
      %wn = arith.addi %wn32, %l16 : index
      %fk = arith.muli %g16, %cP : index
      %zero = arith.constant dense<0.0> : vector<4xf32>
      %res:4 = scf.for %k = %c0 to %cK step %cS iter_args(%acc0 = %zero, %acc1 = %zero, %acc2 = %zero, %acc3 = %zero)
          -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>) {{
{body}
      scf.yield {", ".join(accumulators)} : vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>
      }}
      %r4 = arith.muli %g16, %c4 : index
      %orow0 = arith.addi %m0, %wm32 : index
      %orow = arith.addi %orow0, %r4 : index
      %ocol0 = arith.addi %n0, %wn32 : index
      %ocol = arith.addi %ocol0, %l16 : index
{"".join(stores)}
      gpu.return
    }}
  }}
}}"""
