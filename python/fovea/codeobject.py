# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reader of AMD code objects: ELF sections, kernel descriptors and the metadata note.

Sources of the formats: the ELF-64 specification and LLVM's "User Guide for AMDGPU Backend" (ELF header flags, kernel
descriptor for code objects v3 and later, `NT_AMDGPU_METADATA` note holding a MessagePack map).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fovea.errors import InputError

CHIP_OF_MACHINE = {
    0x3F: "gfx90a",
    0x41: "gfx1100",
    0x48: "gfx1200",
    0x49: "gfx1250",
    0x4C: "gfx942",
    0x4E: "gfx1201",
    0x4F: "gfx950",
}
"""Low byte of `e_flags` (EF_AMDGPU_MACH) to the chip's name."""

_EM_AMDGPU = 224
_NT_AMDGPU_METADATA = 32
_SHT_SYMTAB, _SHT_DYNSYM, _SHT_NOTE = 2, 11, 7
_PT_LOAD, _PT_NOTE = 1, 4
_USER_SGPR_BITS = (
    ("private_segment_buffer", 4),
    ("dispatch_ptr", 2),
    ("queue_ptr", 2),
    ("kernarg_segment_ptr", 2),
    ("dispatch_id", 2),
    ("flat_scratch_init", 2),
    ("private_segment_size", 1),
)


@dataclass(frozen=True)
class KernelArgument:
    """One entry of a kernel's `.args`: byte `offset` and `size` in the kernarg segment, and the value's kind."""

    offset: int
    size: int
    kind: str
    name: str = ""


@dataclass(frozen=True)
class Segment:
    """A loadable part of the file: bytes placed at `address`, zero-filled to `memory_size`."""

    address: int
    data: bytes
    memory_size: int
    writable: bool
    executable: bool


@dataclass(frozen=True)
class Kernel:
    """What descriptor and metadata say of one kernel. Sizes are in bytes, counts in registers a lane or wave."""

    name: str
    descriptor_address: int
    entry: int
    code_bytes: int
    vgpr_count: int
    agpr_count: int
    sgpr_count: int
    vgpr_spill_count: int
    sgpr_spill_count: int
    lds_bytes: int
    scratch_bytes: int
    kernarg_bytes: int
    wavefront_size: int
    max_workgroup_size: int
    arguments: tuple[KernelArgument, ...]
    rsrc1: int
    rsrc2: int
    rsrc3: int
    user_sgprs: tuple[tuple[str, int], ...]
    preload_dwords: int
    preload_offset: int
    required_workgroup_size: tuple[int, int, int] | None = None

    @property
    def workgroup_ids(self) -> tuple[bool, bool, bool]:
        """Which of the workgroup ids x, y, z the launch puts in scalar registers."""
        return bool(self.rsrc2 >> 7 & 1), bool(self.rsrc2 >> 8 & 1), bool(self.rsrc2 >> 9 & 1)

    @property
    def denormals_f32(self) -> bool:
        """True if f32 arithmetic keeps subnormal values (both directions)."""
        return (self.rsrc1 >> 16 & 3) == 3

    @property
    def denormals_f16_f64(self) -> bool:
        """True if f16 and f64 arithmetic keeps subnormal values."""
        return (self.rsrc1 >> 18 & 3) == 3

    @property
    def fp16_overflow(self) -> bool:
        """True if f16 and 8-bit float results saturate instead of overflowing."""
        return bool(self.rsrc1 >> 26 & 1)

    @property
    def float_mode(self) -> int:
        """Initial low byte of MODE: rounding (bits 0-3) and denormals (bits 4-7)."""
        return self.rsrc1 >> 12 & 0xFF


@dataclass(frozen=True)
class CodeObject:
    """A parsed code object."""

    chip: str
    kernels: dict[str, Kernel]
    segments: tuple[Segment, ...]
    symbols: dict[str, tuple[int, int]] = field(repr=False)
    """Name to (address, size)."""
    metadata: dict[str, Any] = field(repr=False)
    image: bytes = field(repr=False, default=b"")
    """The whole file."""

    def read(self, address: int, size: int) -> bytes:
        """Bytes of the loaded image at `address`; raises InputError if the file does not hold them."""
        for segment in self.segments:
            start = address - segment.address
            if start >= 0 and start + size <= segment.memory_size:
                return segment.data[start : start + size].ljust(size, b"\0")
        raise InputError(f"code object has no bytes at 0x{address:x} (size {size})")

    def kernel(self, name: str | None = None) -> Kernel:
        """The kernel called `name`, or the only one. Raises InputError that lists the names."""
        names = ", ".join(self.kernels) or "none"
        if name is None:
            if len(self.kernels) != 1:
                raise InputError(f"the code object has {len(self.kernels)} kernels ({names}): name one")
            return next(iter(self.kernels.values()))
        if name not in self.kernels:
            raise InputError(f"no kernel '{name}' in the code object; it has: {names}")
        return self.kernels[name]


def read_code_object(source: str | os.PathLike[str] | bytes) -> CodeObject:
    """Parse a code object from a path or from its bytes.

    Raises InputError if the file cannot be read, is not a 64-bit little-endian AMDGPU ELF, or is cut short.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _parse(bytes(source), "code object")
    path = Path(source)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot read the code object: {error.strerror}") from error
    return _parse(data, str(path))


def _parse(data: bytes, where: str) -> CodeObject:
    if data[:4] != b"\x7fELF":
        raise InputError(f"{where}: not a code object: expected an ELF file, found {data[:4]!r}")
    try:
        return _parse_elf(data, where)
    except (struct.error, IndexError, UnicodeDecodeError, KeyError, ValueError) as error:
        raise InputError(f"{where}: truncated or damaged code object ({error})") from error


def _slice(data: bytes, offset: int, size: int) -> bytes:
    if offset + size > len(data):
        raise ValueError(f"bytes {offset}..{offset + size} are past the end of the file, {len(data)} bytes")
    return data[offset : offset + size]


def _c_string(table: bytes, offset: int) -> str:
    return table[offset : table.index(b"\0", offset)].decode()


def _parse_elf(data: bytes, where: str) -> CodeObject:
    if len(data) < 64:
        raise ValueError(f"{len(data)} bytes, an ELF header has 64")
    if data[4] != 2 or data[5] != 1:
        raise InputError(f"{where}: expected a 64-bit little-endian ELF file")
    header = struct.unpack_from("<HHIQQQIHHHHHH", data, 16)
    machine, ph_offset, sh_offset, flags = header[1], header[4], header[5], header[6]
    ph_size, ph_count, sh_size, sh_count = header[8], header[9], header[10], header[11]
    if machine != _EM_AMDGPU:
        raise InputError(f"{where}: the ELF file is for machine {machine}, expected {_EM_AMDGPU} (AMD GPU)")
    chip = CHIP_OF_MACHINE.get(flags & 0xFF)
    if chip is None:
        known = ", ".join(CHIP_OF_MACHINE.values())
        raise InputError(f"{where}: unknown chip code 0x{flags & 0xFF:x} in e_flags; known chips: {known}")
    segments = []
    notes = []
    for index in range(ph_count):
        kind, bits, offset, address, _, file_size, memory_size, _ = struct.unpack_from(
            "<IIQQQQQQ", data, ph_offset + index * ph_size
        )
        if kind == _PT_LOAD:
            body = _slice(data, offset, file_size)
            segments.append(Segment(address, body, memory_size, bool(bits & 2), bool(bits & 1)))
        elif kind == _PT_NOTE:
            notes.append(_slice(data, offset, file_size))
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, sh_offset + i * sh_size) for i in range(sh_count)]
    symbols: dict[str, tuple[int, int]] = {}
    for section in sections:
        if section[1] not in (_SHT_SYMTAB, _SHT_DYNSYM):
            continue
        names = _slice(data, sections[section[6]][4], sections[section[6]][5])
        table = _slice(data, section[4], section[5])
        for at in range(0, len(table) - 23, 24):
            name, _, _, _, value, size = struct.unpack_from("<IBBHQQ", table, at)
            if name:
                symbols[_c_string(names, name)] = (value, size)
    metadata = _metadata(notes)
    obj = CodeObject(chip, {}, tuple(segments), symbols, metadata, data)
    for entry in metadata.get("amdhsa.kernels", []):
        kernel = _kernel(obj, entry)
        obj.kernels[kernel.name] = kernel
    return obj


def _metadata(notes: list[bytes]) -> dict[str, Any]:
    for note in notes:
        at = 0
        while at + 12 <= len(note):
            name_size, size, kind = struct.unpack_from("<III", note, at)
            name_at = at + 12
            body_at = name_at + (name_size + 3 & ~3)
            if kind == _NT_AMDGPU_METADATA and note[name_at : name_at + name_size].rstrip(b"\0") == b"AMDGPU":
                value, _ = _unpack(_slice(note, body_at, size), 0)
                if not isinstance(value, dict):
                    raise ValueError("the metadata note is not a map")
                return value
            at = body_at + (size + 3 & ~3)
    raise ValueError("no AMDGPU metadata note")


def _kernel(obj: CodeObject, entry: dict[str, Any]) -> Kernel:
    name = entry[".name"]
    symbol = entry.get(".symbol", name + ".kd")
    if symbol not in obj.symbols:
        raise ValueError(f"kernel '{name}' has no descriptor symbol '{symbol}'")
    address = obj.symbols[symbol][0]
    raw = obj.read(address, 64)
    lds, scratch, kernarg = struct.unpack_from("<III", raw, 0)
    (entry_offset,) = struct.unpack_from("<q", raw, 16)
    rsrc3, rsrc1, rsrc2, properties, preload = struct.unpack_from("<IIIHH", raw, 44)
    arguments = tuple(
        KernelArgument(a[".offset"], a[".size"], a[".value_kind"], a.get(".name", "")) for a in entry.get(".args", [])
    )
    return Kernel(
        name=name,
        descriptor_address=address,
        entry=address + entry_offset,
        code_bytes=obj.symbols.get(name, (0, 0))[1],
        vgpr_count=entry.get(".vgpr_count", 0),
        agpr_count=entry.get(".agpr_count", 0),
        sgpr_count=entry.get(".sgpr_count", 0),
        vgpr_spill_count=entry.get(".vgpr_spill_count", 0),
        sgpr_spill_count=entry.get(".sgpr_spill_count", 0),
        lds_bytes=lds,
        scratch_bytes=scratch,
        kernarg_bytes=entry.get(".kernarg_segment_size", kernarg),
        wavefront_size=entry.get(".wavefront_size", 32 if properties >> 10 & 1 else 64),
        max_workgroup_size=entry.get(".max_flat_workgroup_size", 1024),
        arguments=arguments,
        rsrc1=rsrc1,
        rsrc2=rsrc2,
        rsrc3=rsrc3,
        user_sgprs=tuple(row for bit, row in enumerate(_USER_SGPR_BITS) if properties >> bit & 1),
        preload_dwords=preload & 0x7F,
        preload_offset=preload >> 7,
        required_workgroup_size=tuple(entry[".reqd_workgroup_size"]) if ".reqd_workgroup_size" in entry else None,
    )


# MessagePack: format byte -> struct code of a fixed-size scalar, or of the length that follows.
_SCALARS = {
    0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i",
    0xD3: ">q",
}  # fmt: skip
_LENGTHS = {
    0xC4: (">B", "bin"), 0xC5: (">H", "bin"), 0xC6: (">I", "bin"), 0xD9: (">B", "str"), 0xDA: (">H", "str"),
    0xDB: (">I", "str"), 0xDC: (">H", "array"), 0xDD: (">I", "array"), 0xDE: (">H", "map"), 0xDF: (">I", "map"),
}  # fmt: skip
_LITERALS = {0xC0: None, 0xC2: False, 0xC3: True}


def _unpack(data: bytes, at: int) -> tuple[Any, int]:
    """Decode one MessagePack value at byte `at`; returns it and the position after it."""
    code = data[at]
    at += 1
    if code < 0x80:
        return code, at
    if code >= 0xE0:
        return code - 256, at
    if code in _LITERALS:
        return _LITERALS[code], at
    if code in _SCALARS:
        (value,) = struct.unpack_from(_SCALARS[code], data, at)
        return value, at + struct.calcsize(_SCALARS[code])
    if code < 0x90:
        kind, count = "map", code & 15
    elif code < 0xA0:
        kind, count = "array", code & 15
    elif code < 0xC0:
        kind, count = "str", code & 31
    elif code in _LENGTHS:
        fmt, kind = _LENGTHS[code]
        (count,) = struct.unpack_from(fmt, data, at)
        at += struct.calcsize(fmt)
    else:
        raise ValueError(f"unsupported MessagePack format byte 0x{code:02x}")
    if kind in ("str", "bin"):
        body = _slice(data, at, count)
        return (body.decode() if kind == "str" else body), at + count
    if kind == "array":
        items = []
        for _ in range(count):
            value, at = _unpack(data, at)
            items.append(value)
        return items, at
    mapping = {}
    for _ in range(count):
        key, at = _unpack(data, at)
        mapping[key], at = _unpack(data, at)
    return mapping, at
