# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tensor programs compiled by IREE for AMD chips without a GPU, with what numpy says of their results.

IREE's compiler stops at its host-side program (`--compile-to=hal`), whose command buffer lists the dispatches: kernel,
workgroups and the part of each buffer that a kernel argument names. That list is read here and run in order.
"""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from conformance_cases import Case, Launch, erf

from fovea.codeobject import read_code_object
from fovea.errors import InputError

F16, F32 = np.float16, np.float32
_TYPES = {
    "float32": "f32", "float16": "f16", "bfloat16": "bf16", "int32": "i32", "int8": "i8", "float8_e4m3fnuz":
    "f8E4M3FNUZ", "float8_e5m2fnuz": "f8E5M2FNUZ", "float8_e4m3fn": "f8E4M3FN", "float8_e5m2": "f8E5M2",
}  # fmt: skip
_DISPATCH = re.compile(
    r"hal\.command_buffer\.(?:dispatch<.*?>.*?\[%(?P<entry>\w+)\] workgroups\(\[(?P<grid>[^\]]*)\]\)"
    r"(?: constants\(\[(?P<constants>[^\]]*)\]\))? bindings\(\[(?P<bindings>.*?)\]\) flags"
    r"|(?P<other>fill_buffer|copy_buffer|update_buffer))",
    re.DOTALL,
)
_BINDING = re.compile(r"\(%(\w+) : [^)]*\)\[%(\w+), %(\w+)\]")


def _type(array: Any) -> str:
    return f"tensor<{'x'.join(str(n) for n in array.shape)}x{_TYPES[array.dtype.name]}>"


def _compile(text: str, chip: str, folder: Path) -> str:
    tool = shutil.which("iree-compile", path=f"{Path(sys.executable).parent}:{Path(sys.prefix) / 'bin'}")
    if tool is None:
        raise InputError("iree-compile is not installed beside this Python: see bench/conformance-requirements.txt")
    (folder / "program.mlir").write_text(text)
    done = subprocess.run(
        [tool, folder / "program.mlir", "--iree-hal-target-device=hip", f"--iree-rocm-target={chip}",
         f"--iree-hal-dump-executable-binaries-to={folder}", "--compile-to=hal"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise InputError(f"iree-compile failed for {chip}: {done.stderr.strip()[:600]}")
    return done.stdout


def launches(text: str, chip: str, inputs: list[Any], result: Any, wanted: Any, tolerance: float) -> list[Launch]:
    """Compile a module with one public function and list its dispatches; the last one's result is compared."""
    with tempfile.TemporaryDirectory() as name:
        program = _compile(text, chip, Path(name))
        files = [path.read_bytes() for path in sorted(Path(name).glob("*.hsaco"))]
    objects = [(data, read_code_object(data)) for data in files]
    constants = {m[0]: int(m[1]) for m in re.findall(r"%(\w+) = arith\.constant (-?\d+) :", program)}
    constants |= {"true": 1, "false": 0}
    entries = dict(re.findall(r"%(\w+) = hal\.executable\.lookup\.function .*?::@(\w+)\) : i64", program))
    views = dict(re.findall(r"%(\w+) = hal\.buffer_view\.buffer<%arg(\d+) ", program))
    execute = re.search(r"queue\.execute\.indirect<.*?bindings\(\[(.*?)\]\) flags", program, re.DOTALL)
    if execute is None:
        raise InputError("the host program has no command buffer execution")
    outcome = re.search(r"hal\.buffer_view\.create buffer\(%(\w+) :", program)
    slots: list[Any] = []
    memory: dict[str, Any] = {}
    for buffer, offset, length in _BINDING.findall(execute.group(1)):
        if buffer not in memory:
            if buffer in views:
                memory[buffer] = inputs[int(views[buffer])].reshape(-1).view(np.uint8)
            elif outcome is not None and buffer == outcome.group(1):
                memory[buffer] = result.reshape(-1).view(np.uint8)
            else:
                memory[buffer] = np.zeros(constants[offset] + constants[length], np.uint8)
        start = constants[offset]
        slots.append(memory[buffer][start : start + constants[length]])
    found: list[Launch] = []
    for match in _DISPATCH.finditer(program):
        if match["other"]:
            raise InputError(f"{match['other']} in the host program is not understood")
        grid = [constants[item.strip().removeprefix("%")] for item in match["grid"].split(",")]
        args: list[Any] = []
        for slot, offset, length in _BINDING.findall(match["bindings"]):
            start = constants[offset]
            args.append(slots[constants[slot]][start : start + constants[length]])
        for item in (match["constants"] or "").split(","):
            if item.strip():
                args.append(np.uint32(constants[item.strip().removeprefix("%")] & 0xFFFFFFFF))
        kernel_name = entries[match["entry"]]
        data, kernel = next((d, o.kernels[kernel_name]) for d, o in objects if kernel_name in o.kernels)
        block = kernel.required_workgroup_size or (kernel.max_workgroup_size, 1, 1)
        found.append(Launch(data, kernel_name, (grid[0], grid[1], grid[2]), block, args))
    if not found:
        raise InputError("the host program has no dispatch")
    found[-1].expected = [(result, wanted, tolerance)]
    return found


Build = Callable[[str, int], list[Launch]]


def _program(inputs: list[Any], result: Any, body: str) -> str:
    arguments = ", ".join(f"%x{i}: {_type(array)}" for i, array in enumerate(inputs))
    types = {f"T{i}": _type(array) for i, array in enumerate(inputs)} | {"R": _type(result)}
    body = re.sub(r"\$(\w+)", lambda m: types[m.group(1)], body)
    return f"func.func @f({arguments}) -> {_type(result)} {{\n{body}\n  return %r : {_type(result)}\n}}\n"


_ZEROS = """
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : $R
  %init = linalg.fill ins(%zero : f32) outs(%empty : $R) -> $R"""


def _gemm(kind: Any, m: int, n: int, k: int, transposed: bool) -> Build:
    def build(chip: str, lanes: int) -> list[Launch]:
        rng = np.random.default_rng(1)
        a = rng.standard_normal((m, k)).astype(F32).astype(kind)
        b = rng.standard_normal((n, k) if transposed else (k, n)).astype(F32).astype(kind)
        c = np.zeros((m, n), F32)
        maps = (
            " indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,"
            " affine_map<(m, n, k) -> (m, n)>]" if transposed else ""
        )  # fmt: skip
        body = f"{_ZEROS}\n  %r = linalg.matmul{maps} ins(%x0, %x1 : $T0, $T1) outs(%init : $R) -> $R"
        wide = [array.astype(np.float64) for array in (a, b)]
        exact = wide[0] @ (wide[1].T if transposed else wide[1])
        return launches(_program([a, b], c, body), chip, [a, b], c, exact, k * 2.0**-21)

    return build


def _softmax(chip: str, lanes: int) -> list[Launch]:
    x = (4 * np.random.default_rng(3).standard_normal((32, 512))).astype(F32)
    y = np.zeros_like(x)
    wide = np.exp(x.astype(np.float64) - x.max(1, keepdims=True))
    body = "  %e = tensor.empty() : $R\n  %r = linalg.softmax dimension(1) ins(%x0 : $T0) outs(%e : $R) -> $R"
    return launches(_program([x], y, body), chip, [x], y, wide / wide.sum(1, keepdims=True), 2e-6)


def _generic(ins: str, types: str, maps: list[str], kinds: str, region: str, out: str = "%e") -> str:
    """A linalg.generic on f32 rows; `maps` are result lists over (i, j)."""
    listed = ", ".join(f"affine_map<(i, j) -> ({m})>" for m in maps)
    iterators = ", ".join(f'"{kind}"' for kind in kinds.split())
    target = types.rpartition(" ")[2]
    return (
        f"linalg.generic {{indexing_maps = [{listed}], iterator_types = [{iterators}]}} "
        f"ins({ins} : {types.rpartition(' ')[0].rstrip(',')}) outs({out} : {target}) {{\n{region}\n  }} -> {target}"
    )


def _layer_norm(chip: str, lanes: int) -> list[Launch]:
    rng = np.random.default_rng(4)
    x = rng.standard_normal((16, 512)).astype(F32)
    w, b = rng.standard_normal(512).astype(F32), rng.standard_normal(512).astype(F32)
    y = np.zeros_like(x)
    add = "  ^bb0(%a: f32, %o: f32):\n    %s = arith.addf %a, %o : f32\n    linalg.yield %s : f32"
    square = (
        "  ^bb0(%a: f32, %m: f32, %o: f32):\n    %n = arith.constant 512.0 : f32\n    %u = arith.divf %m, %n : f32\n"
        "    %d = arith.subf %a, %u : f32\n    %q = arith.mulf %d, %d : f32\n    %s = arith.addf %q, %o : f32\n"
        "    linalg.yield %s : f32"
    )
    last = (
        "  ^bb0(%a: f32, %m: f32, %v: f32, %g: f32, %h: f32, %o: f32):\n    %n = arith.constant 512.0 : f32\n"
        "    %u = arith.divf %m, %n : f32\n    %w = arith.divf %v, %n : f32\n    %eps = arith.constant 1.0e-5 : f32\n"
        "    %p = arith.addf %w, %eps : f32\n    %i = math.rsqrt %p : f32\n    %d = arith.subf %a, %u : f32\n"
        "    %e1 = arith.mulf %d, %i : f32\n    %e2 = arith.mulf %e1, %g : f32\n    %e3 = arith.addf %e2, %h : f32\n"
        "    linalg.yield %e3 : f32"
    )
    rows = "tensor<16xf32>"
    body = "\n".join([
        "  %zero = arith.constant 0.0 : f32", f"  %er = tensor.empty() : {rows}", "  %e = tensor.empty() : $R",
        f"  %z = linalg.fill ins(%zero : f32) outs(%er : {rows}) -> {rows}",
        "  %sum = " + _generic("%x0", f"$T0, {rows}", ["i, j", "i"], "parallel reduction", add, "%z"),
        "  %var = " + _generic("%x0, %sum", f"$T0, {rows}, {rows}", ["i, j", "i", "i"], "parallel reduction", square,
                               "%z"),
        "  %r = " + _generic("%x0, %sum, %var, %x1, %x2", f"$T0, {rows}, {rows}, $T1, $T2, $R",
                             ["i, j", "i", "i", "j", "j", "i, j"], "parallel parallel", last),
    ])  # fmt: skip
    wide = x.astype(np.float64)
    centred = wide - wide.mean(1, keepdims=True)
    exact = centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5) * w + b
    return launches(_program([x, w, b], y, body), chip, [x, w, b], y, exact, 2e-5)


def _gelu(chip: str, lanes: int) -> list[Launch]:
    x = np.random.default_rng(5).standard_normal((40, 128)).astype(F32) * F32(2)
    y = np.zeros_like(x)
    region = (
        "  ^bb0(%a: f32, %o: f32):\n    %h = arith.constant 0.5 : f32\n    %one = arith.constant 1.0 : f32\n"
        "    %s = arith.constant 0.70710678 : f32\n    %b = arith.mulf %a, %s : f32\n    %c = math.erf %b : f32\n"
        "    %d = arith.addf %c, %one : f32\n    %e1 = arith.mulf %a, %h : f32\n    %e2 = arith.mulf %e1, %d : f32\n"
        "    linalg.yield %e2 : f32"
    )
    body = "  %e = tensor.empty() : $R\n  %r = " + _generic(
        "%x0", "$T0, $R", ["i, j", "i, j"], "parallel parallel", region
    )
    wide = x.astype(np.float64)
    exact = 0.5 * wide * (1 + erf(wide * math.sqrt(0.5)))
    return launches(_program([x], y, body), chip, [x], y, exact, 2e-6)


def _convolution(chip: str, lanes: int) -> list[Launch]:
    rng = np.random.default_rng(7)
    x = rng.standard_normal((1, 18, 20, 32)).astype(F16)
    w = rng.standard_normal((3, 3, 32, 32)).astype(F16)
    y = np.zeros((1, 16, 18, 32), F32)
    exact = np.zeros(y.shape)
    for kh in range(3):
        for kw in range(3):
            exact += x[:, kh : kh + 16, kw : kw + 18].astype(np.float64) @ w[kh, kw].astype(np.float64)
    body = f"{_ZEROS}\n  %r = linalg.conv_2d_nhwc_hwcf ins(%x0, %x1 : $T0, $T1) outs(%init : $R) -> $R"
    return launches(_program([x, w], y, body), chip, [x, w], y, exact, 9 * 32 * 2.0**-21)


def _attention(chip: str, lanes: int) -> list[Launch]:
    rng = np.random.default_rng(6)
    heads, length, width = 2, 128, 64
    q, k, v = (rng.standard_normal((heads, length, width)).astype(F16) for _ in range(3))
    o = np.zeros_like(q)
    maps = ", ".join(f"affine_map<(b, m, n, k, l) -> ({m})>" for m in ("b, m, k", "b, l, k", "b, l, n", "", "b, m, n"))
    body = (
        f"  %e = tensor.empty() : $R\n  %s = arith.constant {1 / math.sqrt(width)} : f16\n"
        f"  %r = iree_linalg_ext.attention <{{indexing_maps = [{maps}]}}> ins(%x0, %x1, %x2, %s : $T0, $T1, $T2, f16) "
        "outs(%e : $R) {\n  ^bb0(%score: f32):\n    iree_linalg_ext.yield %score : f32\n  } -> $R"
    )
    wide = [array.astype(np.float64) for array in (q, k, v)]
    score = np.einsum("hsd,htd->hst", wide[0], wide[1]) / math.sqrt(width)
    p = np.exp(score - score.max(-1, keepdims=True))
    exact = np.einsum("hst,htd->hsd", p / p.sum(-1, keepdims=True), wide[2])
    # IREE scales and rounds the query, and rounds the probabilities, to f16.
    return launches(_program([q, k, v], o, body), chip, [q, k, v], o, exact, 2.0**-7)


def cases(chip: str) -> Iterator[Case]:
    """All cases that the compiler supports on this chip."""
    fnuz = chip == "gfx942"
    fp8: Any = ml_dtypes.float8_e4m3fnuz if fnuz else ml_dtypes.float8_e4m3fn
    yield Case("iree", "gemm f16 nn", _gemm(F16, 128, 128, 256, False))
    yield Case("iree", "gemm f16 nt", _gemm(F16, 128, 128, 256, True))
    yield Case("iree", "gemm bf16 nt", _gemm(ml_dtypes.bfloat16, 128, 128, 128, True))
    yield Case("iree", "gemm f16 odd sizes", _gemm(F16, 65, 70, 36, False))
    yield Case("iree", "gemm f32 nn", _gemm(F32, 64, 64, 64, False))
    if chip != "gfx1100":  # the compiler has no 8-bit floats there
        yield Case("iree", "gemm fp8 nt", _gemm(fp8, 128, 128, 256, True))
        yield Case("iree", "gemm fp8 nn", _gemm(fp8, 128, 128, 256, False))
    yield Case("iree", "softmax f32", _softmax)
    yield Case("iree", "layer norm f32", _layer_norm)
    yield Case("iree", "gelu f32", _gelu)
    yield Case("iree", "attention f16", _attention)
    yield Case("iree", "convolution f16", _convolution)
