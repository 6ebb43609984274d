# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What memory instructions move and what atomics compute, stated on bytes and Python numbers."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
from exact import add


@dataclass(frozen=True)
class Move:
    """Bytes of memory, and where they are in the registers: `bits` from bit `shift` on.

    A load of less fills `bits` (sign-extended if `signed`) and keeps the rest of its register.
    """

    size: int
    bits: int = 32
    shift: int = 0
    signed: bool = False

    @property
    def registers(self) -> int:
        return max(self.size // 4, 1)

    def loaded(self, raw: bytes, old: int) -> list[int]:
        """Registers after a load, the first of which held `old`."""
        if self.size >= 4:
            return list(struct.unpack(f"<{self.registers}I", raw))
        value = int.from_bytes(raw, "little", signed=self.signed)
        mask = (1 << self.bits) - 1 << self.shift
        return [old & ~mask | (value << self.shift & mask)]

    def stored(self, registers: list[int]) -> bytes:
        """Bytes that a store writes."""
        whole = struct.pack(f"<{len(registers)}I", *registers)
        return whole[self.shift // 8 : self.shift // 8 + self.size]


LOADS = {
    "ubyte": Move(1), "sbyte": Move(1, signed=True), "ushort": Move(2), "sshort": Move(2, signed=True),
    "dword": Move(4), "dwordx2": Move(8), "dwordx3": Move(12), "dwordx4": Move(16),
    "ubyte_d16": Move(1, 16), "ubyte_d16_hi": Move(1, 16, 16), "sbyte_d16": Move(1, 16, signed=True),
    "sbyte_d16_hi": Move(1, 16, 16, True), "short_d16": Move(2, 16), "short_d16_hi": Move(2, 16, 16),
}  # fmt: skip
STORES = {
    "byte": Move(1), "byte_d16_hi": Move(1, shift=16), "short": Move(2), "short_d16_hi": Move(2, shift=16),
    "dword": Move(4), "dwordx2": Move(8), "dwordx3": Move(12), "dwordx4": Move(16),
}  # fmt: skip
LOCAL_LOADS = {
    "u8": LOADS["ubyte"], "i8": LOADS["sbyte"], "u16": LOADS["ushort"], "i16": LOADS["sshort"],
    "u8_d16": LOADS["ubyte_d16"], "u8_d16_hi": LOADS["ubyte_d16_hi"], "i8_d16": LOADS["sbyte_d16"],
    "i8_d16_hi": LOADS["sbyte_d16_hi"], "u16_d16": LOADS["short_d16"], "u16_d16_hi": LOADS["short_d16_hi"],
    **{f"b{bits}": Move(bits // 8) for bits in (32, 64, 96, 128)},
}  # fmt: skip
LOCAL_STORES = {
    "b8": Move(1), "b8_d16_hi": Move(1, shift=16), "b16": Move(2), "b16_d16_hi": Move(2, shift=16),
    **{f"b{bits}": Move(bits // 8) for bits in (32, 64, 96, 128)},
}  # fmt: skip
LOCAL_PAIRS = {f"2{stride}_b{bits}": (bits // 8, 64 if stride else 1) for stride in ("", "st64") for bits in (32, 64)}
"""Two items of one instruction: bytes of an item, and items that a unit of the offset fields skips."""


def _as(kind: str) -> Callable[[int], Any]:
    """The number that a code of an f32 or f64 stands for."""
    form = {"f32": ("<I", "<f"), "f64": ("<Q", "<d")}[kind]
    return lambda code: struct.unpack(form[1], struct.pack(form[0], code))[0]


def _of(kind: str) -> Callable[[float], int]:
    form = {"f32": ("<I", "<f"), "f64": ("<Q", "<d")}[kind]
    return lambda value: int(struct.unpack(form[0], struct.pack(form[1], value))[0])


def floating(kind: str, function: Callable[[float, float], float]) -> Callable[[int, int], int]:
    decode, encode = _as(kind), _of(kind)
    return lambda old, value: encode(function(decode(old), decode(value)))


def halves(kind: str) -> Callable[[int, int], int]:
    """Both halves added on their own."""
    dtype: Any = {"f16": np.float16, "bf16": ml_dtypes.bfloat16}[kind]
    total = add(kind)

    def number(code: int) -> float:
        return float(np.array([code], np.uint16).view(dtype)[0])

    def compute(old: int, value: int) -> int:
        parts = [total(number(old >> s & 0xFFFF), number(value >> s & 0xFFFF)) for s in (0, 16)]
        with np.errstate(all="ignore"):
            low, high = (int(np.array([x], np.float64).astype(dtype).view(np.uint16)[0]) for x in parts)
        return low | high << 16

    return compute


def signed(bits: int, choose: Callable[[int, int], int]) -> Callable[[int, int], int]:
    def compute(old: int, value: int) -> int:
        a, b = (x - (1 << bits) if x >> bits - 1 else x for x in (old, value))
        return choose(a, b) & (1 << bits) - 1

    return compute


def integer_atomics(bits: int) -> dict[str, Callable[[int, int], int]]:
    """Old value and operand to the new value."""
    every = (1 << bits) - 1
    return {
        "add": lambda o, v: o + v & every, "sub": lambda o, v: o - v & every,
        "smin": signed(bits, min), "smax": signed(bits, max), "umin": min, "umax": max,
        "and": lambda o, v: o & v, "or": lambda o, v: o | v, "xor": lambda o, v: o ^ v, "swap": lambda o, v: v,
        "inc": lambda o, v: 0 if o >= v else o + 1, "dec": lambda o, v: v if o == 0 or o > v else o - 1,
    }  # fmt: skip


FLOAT_ATOMICS = {
    **{f"add_{kind}": floating(kind, add(kind)) for kind in ("f32", "f64")},
    # Comparisons as the guides write them: equal zeros and NaN leave memory alone.
    **{f"min_{kind}": floating(kind, lambda old, value: value if value < old else old) for kind in ("f32", "f64")},
    **{f"max_{kind}": floating(kind, lambda old, value: value if value > old else old) for kind in ("f32", "f64")},
    "pk_add_f16": halves("f16"), "pk_add_bf16": halves("bf16"),
}  # fmt: skip
LOCAL_ATOMICS: dict[str, tuple[str, int]] = {
    **{f"{name}_u32": (name, 32) for name in ("add", "sub", "inc", "dec")},
    "min_i32": ("smin", 32), "max_i32": ("smax", 32), "min_u32": ("umin", 32), "max_u32": ("umax", 32),
    **{f"{name}_b32": (name, 32) for name in ("and", "or", "xor")},
    **{f"{name}_u64": (name, 64) for name in ("add", "sub")},
    "min_i64": ("smin", 64), "max_i64": ("smax", 64), "min_u64": ("umin", 64), "max_u64": ("umax", 64),
    **{f"{name}_b64": (name, 64) for name in ("and", "or", "xor")},
    **{name: (name, 32) for name in ("add_f32", "min_f32", "max_f32", "pk_add_f16", "pk_add_bf16")},
    "add_f64": ("add_f64", 64),
}  # fmt: skip
"""ds_NAME: the operation and the width of a value."""


def operation(name: str, bits: int) -> Callable[[int, int], int]:
    """The formula of an atomic operation."""
    return FLOAT_ATOMICS.get(name) or integer_atomics(bits)[name]
