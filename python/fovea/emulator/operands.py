# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operand access for vector instructions: parsed operands become closures that read or write a group's registers.

Kinds: u32 i32 f32 (one register), u64 i64 f64 (pair), u16 i16 f16 (half selected by op_sel), pk_u16 pk_i16 pk_f16
(both halves, last axis 2), pk_f32 pk_u32 (two registers, first axis 2), mask (a bit a lane in a scalar pair),
s32 s64 (scalar, one value a wave).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.emulator.chips import CHIPS, Chip
from fovea.emulator.errors import DecodeError
from fovea.emulator.group import Group
from fovea.emulator.modes import DENORMALS_F16_F64, DENORMALS_F32, FP16_OVERFLOW
from fovea.emulator.text import Line, Operand

Array = np.ndarray[Any, Any]
Getter = Callable[[Group], Any]
Writer = Callable[[Group, Any], None]
Step = Callable[[Group], Any]

NUMPY = {
    "u32": np.uint32, "i32": np.int32, "f32": np.float32, "u64": np.uint64, "i64": np.int64, "f64": np.float64,
    "u16": np.uint16, "i16": np.int16, "f16": np.float16, "s32": np.uint32, "s64": np.uint64,
    "pk_u16": np.uint16, "pk_i16": np.int16, "pk_f16": np.float16, "pk_f32": np.float32, "pk_u32": np.uint32,
}  # fmt: skip
_WIDE = ("u64", "i64", "f64")
_HALF = ("u16", "i16", "f16")
_KEEPS_UPPER_HALF = frozenset((
    "v_mad_f16", "v_mad_u16", "v_mad_i16", "v_fma_f16", "v_div_fixup_f16", "v_ashr_pk_i8_i32", "v_ashr_pk_u8_i32",
))  # fmt: skip
"""16-bit results of gfx9 that leave the other half alone (CDNA4 guide, notes of those); the rest clear it."""


@dataclass
class Reuse:
    """A converted operand of a matrix instruction, made of registers `rows`; linked within a basic block."""

    key: tuple[Any, ...]
    rows: tuple[int, ...]
    from_earlier: bool = False
    for_later: bool = False


def _without_sign(bits: Array) -> Array:
    return bits & np.uint32(0x7FFFFFFF)


def _flip_sign(bits: Array) -> Array:
    return bits ^ np.uint32(0x80000000)


class Build:
    """Decoding context of one instruction: collects which registers it reads and writes."""

    def __init__(self, line: Line, agpr_base: int, mode: int = 0xF0, chip: Chip = CHIPS["gfx942"]) -> None:
        self.line = line
        self.chip = chip
        self.agpr_base = agpr_base
        self.mode = mode
        self.flush_f32 = mode & DENORMALS_F32 != DENORMALS_F32
        self.flush_f16_f64 = mode & DENORMALS_F16_F64 != DENORMALS_F16_F64
        # MODE.FP16_OVFL: results too large for 8-bit floats become the largest value instead of NaN.
        self.saturate = bool(mode & FP16_OVERFLOW)
        self.reuses: list[Reuse] = []
        self.shuffled = False
        """Whether the DPP modifiers, if any, are heeded."""
        self.reads_v: set[int] = set()
        self.reads_s: set[int] = set()
        self.writes_v: set[int] = set()
        self.writes_s: set[int] = set()

    def vector(
        self, operand: Operand, count: int, write: bool = False, used: tuple[int, ...] | None = None,
        halves: bool = False,
    ) -> int:  # fmt: skip
        """Row of the first register of a vector operand of `count` registers, of which only `used` matter (all).

        With `halves` the operand may name a half of its register, which the caller sees to.
        """
        if operand.kind not in ("v", "a"):
            raise DecodeError(f"operand '{operand.text}': expected a vector register")
        if operand.half >= 0 and not halves:
            raise DecodeError(f"operand '{operand.text}' names a half of a register where a whole one is used")
        if operand.count != count:
            raise DecodeError(f"operand '{operand.text}': expected {count} registers, found {operand.count}")
        row = operand.index + (self.agpr_base if operand.kind == "a" else 0)
        (self.writes_v if write else self.reads_v).update(row + i for i in (range(count) if used is None else used))
        return row

    def scalar(self, operand: Operand, count: int, write: bool = False, used: tuple[int, ...] | None = None) -> int:
        """Slot of the first register of a scalar operand of `count` registers, of which only `used` matter (all)."""
        if operand.kind != "s":
            raise DecodeError(f"operand '{operand.text}': expected a scalar register")
        if operand.count != count:
            raise DecodeError(f"operand '{operand.text}': expected {count} scalar registers, found {operand.count}")
        if count > 1 and operand.index % 2:
            raise DecodeError(f"operand '{operand.text}': a scalar pair starts at an even register")
        slots = (operand.index + i for i in (range(count) if used is None else used))
        (self.writes_s if write else self.reads_s).update(slots)
        return operand.index

    def flushes(self, kind: str) -> bool:
        """True if the mode flushes subnormals of this kind."""
        if kind in ("f32", "pk_f32"):
            return self.flush_f32
        return self.flush_f16_f64 and kind in ("f16", "f64", "pk_f16")

    # ---- sources -------------------------------------------------------------------------------------------------

    def source(self, operand: Operand, kind: str, position: int = 0) -> Getter:
        """Reader of a vector instruction's source number `position` (for op_sel and neg_lo/neg_hi)."""
        if kind == "mask":
            return self._mask_source(operand)
        if kind.startswith("pk_"):
            get = self._packed_source(operand, kind, position)
        elif operand.kind in ("v", "a"):
            get = self._vector_source(operand, kind, position)
        elif operand.kind == "s":
            get = self._scalar_source(operand, kind, position)
        elif operand.kind == "imm":
            get = _constant(operand, kind)
        elif operand.kind == "special":
            get = self._special_source(operand, kind)
        else:
            raise DecodeError(f"operand '{operand.text}' cannot be read as {kind}")
        # On raw 32-bit sources (v_cndmask_b32) the modifiers act on the sign bit, as they do on floats.
        raw = kind == "u32"
        if operand.abs:
            get = _then(get, _without_sign if raw else np.abs)
        if operand.neg:
            get = _then(get, _flip_sign if raw else np.negative)
        if self.flushes(kind):
            get = _then(get, flush)
        return get

    def _vector_source(self, operand: Operand, kind: str, position: int) -> Getter:
        selection = self.line.modifiers.get(f"src{position}_sel") if self.line.encoding == "sdwa" else None
        if kind in _WIDE:
            row = self.vector(operand, 2)
            dtype = NUMPY[kind]

            def wide(g: Group) -> Array:
                pair = np.empty((g.count, 64, 2), np.uint32)
                pair[..., 0] = g.u32[row]
                pair[..., 1] = g.u32[row + 1]
                return pair.view(dtype)[..., 0]

            return wide
        row = self.vector(operand, 1, halves=kind in _HALF)
        if selection is not None and selection != "DWORD":
            return _sub_dword(row, kind, selection, operand.sext)
        if kind in _HALF:
            half = max(self.line.bits("op_sel", (0, 0, 0, 0))[position], operand.half)
            return {
                "u16": lambda g: g.u16[row, :, :, half],
                "i16": lambda g: g.i16[row, :, :, half],
                "f16": lambda g: g.f16[row, :, :, half],
            }[kind]
        return {"u32": lambda g: g.u32[row], "i32": lambda g: g.i32[row], "f32": lambda g: g.f32[row]}[kind]

    def _scalar_source(self, operand: Operand, kind: str, position: int) -> Getter:
        dtype = NUMPY[kind]
        if kind in _WIDE:
            pair = self.scalar(operand, 2) // 2
            return lambda g: g.s64[:, pair : pair + 1].view(dtype)
        slot = self.scalar(operand, 1)
        if kind in _HALF:
            place = 2 * slot + self.line.bits("op_sel", (0, 0, 0, 0))[position]
            return lambda g: g.s.view(dtype)[:, place : place + 1]
        return lambda g: g.s.view(dtype)[:, slot : slot + 1]

    def _special_source(self, operand: Operand, kind: str) -> Getter:
        dtype = NUMPY[kind]
        if operand.text == "scc":
            return lambda g: g.scc[:, None].astype(dtype)
        if operand.text == "null":
            nothing = np.array(0, dtype)
            return lambda g: nothing
        if operand.text in APERTURES:
            value = np.array(APERTURES[operand.text] & (2**64 - 1 if kind in _WIDE else 2**32 - 1), NUMPY[kind])
            return lambda g: value
        raise DecodeError(f"operand '{operand.text}' cannot be read here")

    def _mask_source(self, operand: Operand) -> Getter:
        if operand.kind == "imm":
            bits = np.array([operand.bits("u64")], np.uint64)
            lanes = np.unpackbits(bits.view(np.uint8), bitorder="little").view(np.bool_)[None, :]
            return lambda g: lanes
        if self.chip.lanes == 32:
            single = self.scalar(operand, 1)
            return lambda g: unpack32(g, single)
        slot = self.scalar(operand, 2)
        return lambda g: g.unpack(slot)

    def _packed_source(self, operand: Operand, kind: str, position: int) -> Getter:
        low = self.line.bits("op_sel", (0, 0, 0))[position]
        # v_pk_mov_b32 takes its low result from source 0 and its high one from source 1, each picked by op_sel alone.
        high = low if self.line.name == "v_pk_mov_b32" else self.line.bits("op_sel_hi", (1, 1, 1))[position]
        negate = (self.line.bits("neg_lo", (0, 0, 0))[position], self.line.bits("neg_hi", (0, 0, 0))[position])
        dtype = NUMPY[kind]
        wide = kind in ("pk_f32", "pk_u32")
        get: Getter
        if operand.kind == "imm":
            bits = operand.bits("f32" if wide else "f16")
            words = np.array([bits & 0xFFFFFFFF], np.uint32)
            pair = (np.repeat(words, 2) if wide else words).view(dtype)[[low, high]]
            constant = pair.reshape((2, 1, 1) if wide else (1, 1, 2))
            get = lambda g: constant  # noqa: E731
        elif wide:
            get = self._packed32(operand, dtype, low, high)
        elif operand.kind == "s":
            slot = self.scalar(operand, 1)
            places = [2 * slot + low, 2 * slot + high]
            get = lambda g: g.s.view(dtype)[:, None, places]  # noqa: E731
        else:
            row = self.vector(operand, 1)
            pick = _pair_slice(low, high)
            get = lambda g: g.u16[row].view(dtype)[..., pick]  # noqa: E731
        if any(negate):
            signs = np.array([-1 if bit else 1 for bit in negate], dtype).reshape((2, 1, 1) if wide else (1, 1, 2))
            return _then(get, lambda value: value * signs)
        return get

    def _packed32(self, operand: Operand, dtype: Any, low: int, high: int) -> Getter:
        # Only the registers that op_sel picks are read: the other of a pair may hold anything.
        if operand.kind == "s":
            slot = self.scalar(operand, 2, used=(low, high))
            return lambda g: g.s.view(dtype).T[[slot + low, slot + high]][:, :, None]
        row = self.vector(operand, 2, used=(low, high))
        if (low, high) == (0, 1):
            return lambda g: g.u32[row : row + 2].view(dtype)
        if low == high:
            return lambda g: g.u32[row + low : row + low + 1].view(dtype)
        return lambda g: g.u32[row : row + 2].view(dtype)[::-1]

    # ---- destinations --------------------------------------------------------------------------------------------

    def destination(self, operand: Operand, kind: str) -> Writer:
        """Writer of a vector instruction's result; only active lanes change."""
        if kind == "mask":
            if operand.text == "null":
                return lambda g, value: None
            if operand.kind == "special" or operand.text == "off":
                raise DecodeError(f"operand '{operand.text}' cannot be written")
            if self.chip.lanes == 32:
                return self._mask_destination32(operand)
            slot = self.scalar(operand, 2, write=True)

            def write_mask(g: Group, value: Any) -> None:
                g.s64[:, slot // 2] = g.pack(value)
                if slot == 126:
                    g.exec_changed()

            return write_mask
        if kind in _WIDE:
            row = self.vector(operand, 2, write=True)

            def write_wide(g: Group, value: Any) -> None:
                full = np.empty((g.count, 64), NUMPY[kind])
                full[...] = value
                halves = full.view(np.uint32).reshape(g.count, 64, 2)
                put(g, g.u32[row], halves[..., 0])
                put(g, g.u32[row + 1], halves[..., 1])

            return write_wide
        if kind in ("pk_f32", "pk_u32"):
            row = self.vector(operand, 2, write=True)
            return lambda g, value: put(g, (g.f32 if kind == "pk_f32" else g.u32)[row : row + 2], value)
        row = self.vector(operand, 1, write=True, halves=kind in _HALF)
        if kind.startswith("pk_"):
            dtype = NUMPY[kind]

            def write_packed(g: Group, value: Any) -> None:
                target = g.u16[row].view(dtype)
                if g.full:
                    target[...] = value
                else:
                    np.copyto(target, value, where=g.mask[..., None])

            return write_packed
        if self.line.encoding == "sdwa" and self.line.modifiers.get("dst_sel", "DWORD") != "DWORD":
            return self._sdwa_destination(row, kind)
        if kind in _HALF:
            # The last bit of op_sel, after one for each source, is the destination's.
            high = self.line.bits("op_sel", ())[-1] if "op_sel" in self.line.modifiers else 0
            high = max(high, operand.half)
            dtype = NUMPY[kind]
            if high or self.chip.lanes == 32 or self.line.name in _KEEPS_UPPER_HALF:
                # gfx11 and later keep the other half of the register.
                return lambda g, value: put(g, g.u16[row, :, :, high].view(dtype), value)

            def write_half(g: Group, value: Any) -> None:
                # A 16-bit result clears the upper half of its register on this generation.
                put(g, g.u32[row], np.asarray(value, dtype).view(np.uint16))

            return write_half
        if kind == "f32":
            return lambda g, value: put(g, g.f32[row], value)
        if kind == "i32":
            return lambda g, value: put(g, g.i32[row], value)
        return lambda g, value: put(g, g.u32[row], value)

    def _mask_destination32(self, operand: Operand) -> Writer:
        """Writer of a lane mask of 32 bits."""
        slot = self.scalar(operand, 1, write=True)

        def write_mask(g: Group, value: Any) -> None:
            g.s[:, slot] = g.pack(value).astype(np.uint32)
            if slot == 126:
                g.exec_changed()

        return write_mask

    def _sdwa_destination(self, row: int, kind: str) -> Writer:
        selection = self.line.modifiers["dst_sel"]
        unused = self.line.modifiers.get("dst_unused", "UNUSED_PAD")
        size, place = (8, int(selection[-1])) if selection.startswith("BYTE") else (16, int(selection[-1]))
        dtype = NUMPY[kind]
        if unused not in ("UNUSED_PAD", "UNUSED_PRESERVE", "UNUSED_SEXT"):
            raise DecodeError(f"dst_unused:{unused} is not understood")

        def write(g: Group, value: Any) -> None:
            bits = np.asarray(value, dtype).view(f"u{np.dtype(dtype).itemsize}").astype(np.uint32)
            part = bits & np.uint32((1 << size) - 1)
            shift = np.uint32(size * place)
            if unused == "UNUSED_PRESERVE":
                keep = np.uint32(~(((1 << size) - 1) << (size * place)) & 0xFFFFFFFF)
                result = (g.u32[row] & keep) | (part << shift)
            elif unused == "UNUSED_SEXT":
                up = np.uint32(32 - size)
                result = ((part << up).view(np.int32) >> up).view(np.uint32) << shift
            else:
                result = part << shift
            put(g, g.u32[row], result)

        return write


APERTURES = {"shared_base": 0x1000000000000, "private_base": 0x2000000000000, "shared_limit": 0x10000FFFFFFFF,
             "private_limit": 0x20000FFFFFFFF}  # fmt: skip
"""Where flat addresses mean LDS and private memory; the hardware's choice is free, kernels read it from registers."""


def unpack32(g: Group, slot: int) -> Array:
    """A lane mask of 32 bits as booleans `(wave, 64)`, the upper half false."""
    wide = np.ascontiguousarray(g.s[:, slot]).astype(np.uint64)
    return np.unpackbits(wide.view(np.uint8), bitorder="little").view(np.bool_).reshape(g.count, 64)


def put(g: Group, target: Array, value: Any) -> None:
    """Write `value` to the active lanes of `target`, whose last axes are (wave, lane)."""
    if g.full:
        np.copyto(target, value, casting="unsafe")
    else:
        np.copyto(target, value, where=g.mask, casting="unsafe")


def flush(value: Any) -> Any:
    """Subnormals to zero of the same sign."""
    tiny = np.finfo(value.dtype).tiny
    return np.where(np.abs(value) < tiny, np.copysign(value.dtype.type(0), value), value)


def _then(get: Getter, change: Callable[[Any], Any]) -> Getter:
    return lambda g: change(get(g))


def _constant(operand: Operand, kind: str) -> Getter:
    size = np.dtype(NUMPY[kind]).itemsize
    value = np.array(operand.bits(kind) & ((1 << 8 * size) - 1), f"u{size}").view(NUMPY[kind])[()]
    return lambda g: value


def _pair_slice(low: int, high: int) -> slice:
    if (low, high) == (0, 1):
        return slice(None)
    return slice(None, None, -1) if low > high else slice(low, low + 1)


def _sub_dword(row: int, kind: str, selection: str, sext: bool) -> Getter:
    dtype: Any = NUMPY[kind]
    place = int(selection[-1])
    if selection.startswith("BYTE"):
        view: Any = np.int8 if sext else np.uint8
        return lambda g: g.u8[row, :, :, place].view(view).astype(dtype if kind != "f32" else np.uint32)
    if selection.startswith("WORD"):
        if kind in _HALF:
            return lambda g: g.u16[row, :, :, place].view(dtype)
        if sext:
            return lambda g: g.i16[row, :, :, place].astype(dtype)
        return lambda g: g.u16[row, :, :, place].astype(dtype)
    raise DecodeError(f"selection {selection} is not understood")
