# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Matrix instructions of gfx11 and gfx12, `v_wmma_*` on waves of 32 lanes (one table).

All are 16 x 16 x 16. Layout (AMD's RDNA3 and RDNA4 instruction set guides, "WMMA"):
gfx11: lane l holds row (A) or column (B) l % 16 with all 16 values of k in order; lanes 16 .. 31 repeat lanes 0 .. 15.
Result register i of lane l: row 2 i + l / 16, column l % 16.
gfx12: lane l holds row or column l % 16 with k = 8 (l / 16) + j, j = 0 .. 7. Result register i: row 8 (l / 16) + i.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.emulator.errors import DecodeError, Fault
from fovea.emulator.float8 import FLOAT8
from fovea.emulator.group import Group
from fovea.emulator.operands import Build, Getter, Step
from fovea.emulator.text import Operand

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Wmma:
    """Formats of A, B and the result, and whether gfx12 alone has it."""

    a: str
    b: str
    result: str
    gfx12: bool = False


TABLE = {
    "v_wmma_f32_16x16x16_f16": Wmma("f16", "f16", "f32"),
    "v_wmma_f32_16x16x16_bf16": Wmma("bf16", "bf16", "f32"),
    "v_wmma_i32_16x16x16_iu8": Wmma("i8", "i8", "i32"),
    **{
        f"v_wmma_f32_16x16x16_{a}_{b}": Wmma(a, b, "f32", True)
        for a in ("fp8", "bf8") for b in ("fp8", "bf8")
    },
}  # fmt: skip
_BITS = {"f16": 16, "bf16": 16, "i8": 8, "fp8": 8, "bf8": 8}
_INTEGERS: dict[bool, Any] = {True: np.int8, False: np.uint8}


def _decoder(kind: str, signed: bool) -> Callable[[Array], Array]:
    """From registers `(..., words)` to values in f64."""
    if kind == "f16":
        return lambda raw: raw.view(np.float16).astype(np.float64)
    if kind == "bf16":
        return lambda raw: (raw.view(np.uint16).astype(np.uint32) << np.uint32(16)).view(np.float32).astype(np.float64)
    if kind == "i8":
        return lambda raw: raw.view(_INTEGERS[signed]).astype(np.float64)
    table = FLOAT8["ocp"][kind].decode.astype(np.float64)
    return lambda raw: table[raw.view(np.uint8)]


def _operand(build: Build, operand: Operand, kind: str, signed: bool) -> Getter:
    """Reader of A or B as `(wave, row or column, k)`."""
    doubled = build.chip.name == "gfx1100"
    registers = _BITS[kind] * (16 if doubled else 8) // 32
    start = build.vector(operand, registers)
    decode = _decoder(kind, signed)

    def get(g: Group) -> Array:
        raw = np.ascontiguousarray(g.u32[start : start + registers, :, :32].transpose(1, 2, 0))
        values = decode(raw)
        if doubled:
            if (raw[:, :16] != raw[:, 16:]).any():
                wave = int(np.flatnonzero((raw[:, :16] != raw[:, 16:]).any(axis=(1, 2)))[0])
                raise Fault(f"lanes 16 to 31 of operand '{operand.text}' do not repeat lanes 0 to 15", wave)
            return values[:, :16]
        return values.reshape(g.count, 2, 16, 8).swapaxes(1, 2).reshape(g.count, 16, 16)

    return get


def compile_wmma(name: str, build: Build) -> Step:
    """Closure of one instruction. EXEC is ignored, as on the hardware."""
    line, spec = build.line, TABLE.get(name)
    if spec is None or build.chip.lanes != 32 or (spec.gfx12 and build.chip.name == "gfx1100"):
        raise DecodeError(f"matrix instruction {name} is not supported on {build.chip.name}")
    integers = spec.result == "i32"
    if set(line.modifiers) - ({"neg_lo"} if integers else set()):
        raise DecodeError(f"modifier {', '.join(sorted(line.modifiers))} is not supported on {name}")
    if len(line.operands) != 4:
        raise DecodeError(f"{name} has 4 operands, found {len(line.operands)}")
    target, a, b, c = line.operands
    # neg_lo says that 8-bit integers are signed.
    signed = [bool(bit) for bit in line.bits("neg_lo", (0, 0, 0))]
    get_a, get_b = _operand(build, a, spec.a, signed[0]), _operand(build, b, spec.b, signed[1])
    start = None if c.kind == "imm" else build.vector(c, 8)
    bits = c.bits("u32" if integers else "f32") if start is None else 0
    into = build.vector(target, 8, write=True)
    plane: Any = np.int32 if integers else np.float32
    constant = np.array(bits & 0xFFFFFFFF, np.uint32).view(plane)
    interleaved = build.chip.name == "gfx1100"

    def step(g: Group) -> None:
        # Exact in f64; the sum with C rounds to f32 once.
        product = np.matmul(get_a(g), get_b(g).swapaxes(1, 2))
        parts = product.reshape(g.count, 8, 2, 16) if interleaved else product.reshape(g.count, 2, 8, 16).swapaxes(1, 2)
        result = parts.transpose(1, 0, 2, 3).reshape(8, g.count, 32)
        old = constant if start is None else g.u32[start : start + 8, :, :32].view(plane)
        total = result + old.astype(np.float64)
        kept = (total.astype(np.int64) & 0xFFFFFFFF).astype(np.uint32) if integers else total.astype(np.float32)
        g.u32[into : into + 8, :, :32] = kept.view(np.uint32)

    return step
