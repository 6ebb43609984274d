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
        command = [sys.executable, "-c", _SERIALISE, name, chip]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return (folder / "out.bin").read_bytes(), (folder / "out.isa").read_text()


@dataclass(frozen=True)
class Tile:
    """How a 16 x 16 x `inner` matrix instruction is spread over lanes: g is lane // 16.

    Lane l holds `per_lane` values of row or column l % 16 from k = g * `group` on, and `results` values of column
    l % 16: rows g * `row_group` + i * `row_step`.
    """

    operation: str
    inner: int
    per_lane: int
    group: int
    results: int
    row_group: int
    row_step: int
    lanes: int


_CDNA = {
    "f16": Tile("mfma", 16, 4, 4, 4, 4, 1, 64), "f8E4M3FNUZ": Tile("mfma", 32, 8, 8, 4, 4, 1, 64),
    "f8E4M3FN": Tile("mfma", 32, 8, 8, 4, 4, 1, 64),
}  # fmt: skip
_GFX12 = {"f16": Tile("wmma", 16, 8, 8, 8, 8, 1, 32), "f8E4M3FN": Tile("wmma", 16, 8, 8, 8, 8, 1, 32)}
TILES = {
    "gfx942": _CDNA, "gfx950": _CDNA, "gfx1100": {"f16": Tile("wmma", 16, 16, 0, 8, 1, 2, 32)}, "gfx1200": _GFX12,
    "gfx1201": _GFX12,
}  # fmt: skip


def contraction(m: int, n: int, k: int, kind: str = "f8E4M3FNUZ", step: int = 64, chip: str = "gfx942") -> str:
    """C[m, n] = A[m, k] * B[n, k]^T through LDS: 64 x 64 tiles, four waves of 32 x 32, `step` of k a round."""
    shape = TILES[chip][kind]
    inner, per_lane, block = shape.inner, shape.per_lane, 4 * shape.lanes
    pad = 16 * 8 // (8 if kind.startswith("f8") else 16)
    vector = 16 if kind.startswith("f8") else 8
    threads_k = step // vector
    rows_a_pass = block // threads_k
    lines: list[str] = []
    add = lines.append
    local = f"memref<64x{step + pad}x{kind}, #gpu.address_space<workgroup>>"
    fragment, result = f"vector<{per_lane}x{kind}>", f"vector<{shape.results}xf32>"
    blgp = " blgp = none" if shape.operation == "mfma" else ""
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
                    f"      {now} = amdgpu.{shape.operation} 16x16x{inner} %fAs{at}_{i} * %fBs{at}_{j} + "
                    f"{accumulators[2 * i + j]}{blgp} : {fragment}, {fragment}, {result}"
                )
                accumulators[2 * i + j] = now
    add("      gpu.barrier")
    body = "\n".join(lines)
    stores = []
    for i in range(2):
        for j in range(2):
            for e in range(shape.results):
                tag = f"{i}{j}{e}"
                stores.append(f"""
      %o{tag}c = arith.constant {16 * i + shape.row_step * e} : index
      %o{tag}d = arith.constant {16 * j} : index
      %o{tag}r = arith.addi %orow, %o{tag}c : index
      %o{tag}x = arith.addi %ocol, %o{tag}d : index
      %o{tag}v = vector.extract %res#{2 * i + j}[{e}] : f32 from {result}
      memref.store %o{tag}v, %C[%o{tag}r, %o{tag}x] : memref<{m}x{n}xf32>""")
    return f"""module attributes {{gpu.container_module}} {{
  gpu.module @kernels {{
    gpu.func @contraction(%A: memref<{m}x{k}x{kind}>, %B: memref<{n}x{k}x{kind}>, %C: memref<{m}x{n}xf32>)
        workgroup(%As: {local}, %Bs: {local})
        kernel attributes {{known_block_size = array<i32: {block}, 1, 1>}} {{
      %t = gpu.thread_id x
      %bx = gpu.block_id x
      %by = gpu.block_id y
      %c0 = arith.constant 0 : index
      %h0 = arith.constant 0 : index
      %h1 = arith.constant 16 : index
      %c2 = arith.constant 2 : index
      %cW = arith.constant {shape.row_group} : index
      %cL = arith.constant {shape.lanes} : index
      %c16 = arith.constant 16 : index
      %c32 = arith.constant 32 : index
      %c64 = arith.constant 64 : index
      %cK = arith.constant {k} : index
      %cS = arith.constant {step} : index
      %cT = arith.constant {threads_k} : index
      %cV = arith.constant {vector} : index
      %cP = arith.constant {shape.group} : index
      %m0 = arith.muli %by, %c64 : index
      %n0 = arith.muli %bx, %c64 : index
      %lr = arith.divui %t, %cT : index
      %lc = arith.remui %t, %cT : index
      %lk = arith.muli %lc, %cV : index
      %wave = arith.divui %t, %cL : index
      %lane = arith.remui %t, %cL : index
      %wr = arith.divui %wave, %c2 : index
      %wc = arith.remui %wave, %c2 : index
      %l16 = arith.remui %lane, %c16 : index
      %g16 = arith.divui %lane, %c16 : index
      %wm32 = arith.muli %wr, %c32 : index
      %wn32 = arith.muli %wc, %c32 : index
      %wm = arith.addi %wm32, %l16 : index
      %wn = arith.addi %wn32, %l16 : index
      %fk = arith.muli %g16, %cP : index
      %zero = arith.constant dense<0.0> : {result}
      %res:4 = scf.for %k = %c0 to %cK step %cS iter_args(%acc0 = %zero, %acc1 = %zero, %acc2 = %zero, %acc3 = %zero)
          -> ({result}, {result}, {result}, {result}) {{
{body}
      scf.yield {", ".join(accumulators)} : {result}, {result}, {result}, {result}
      }}
      %r4 = arith.muli %g16, %cW : index
      %orow0 = arith.addi %m0, %wm32 : index
      %orow = arith.addi %orow0, %r4 : index
      %ocol0 = arith.addi %n0, %wn32 : index
      %ocol = arith.addi %ocol0, %l16 : index
{"".join(stores)}
      gpu.return
    }}
  }}
}}"""
