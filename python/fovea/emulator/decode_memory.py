# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Decoders of DS, FLAT (flat, global, scratch), MUBUF and MTBUF of gfx942.

Field positions are those of AMD's CDNA3 ISA guide, chapter 12. The decoders' signature is that of `decode_scalar`.
"""

from __future__ import annotations

from fovea.emulator.decode_ds_tables import DS
from fovea.emulator.decode_memory_tables import FLAT, MUBUF
from fovea.emulator.decode_operands import Undecodable, scalar_register, source, vector_register

NO_ADDRESS = 0x7F
LOADS_TO_LDS = frozenset((0x00, 0x10, 0x11, 0x12, 0x13, 0x14))  # format_x, ubyte, sbyte, ushort, sshort, dword
DATA_FORMATS = (
    "INVALID", "8", "16", "8_8", "32", "16_16", "10_11_11", "11_11_10", "10_10_10_2", "2_10_10_10", "8_8_8_8",
    "32_32", "16_16_16_16", "32_32_32", "32_32_32_32", "RESERVED_15",
)  # fmt: skip
NUMBER_FORMATS = ("UNORM", "SNORM", "USCALED", "SSCALED", "UINT", "SINT", "RESERVED_6", "FLOAT")
MTBUF = tuple(
    (f"tbuffer_{access}_format_{packing}{components}", width)
    for packing, widths in (("", (1, 2, 3, 4)), ("d16_", (1, 1, 2, 2)))
    for access in ("load", "store")
    for components, width in zip(("x", "xy", "xyz", "xyzw"), widths, strict=True)
)


def swizzle(field: int) -> str:
    """The pattern of ds_swizzle_b32 as LLVM's `swizzle(...)` macro, or the number where no macro fits.

    Bit 15 set: quad permutation (two bits a lane), or rotation and FFT modes; clear: lane' = ((lane & and) | or) ^ xor
    with and[4:0], or[9:5], xor[14:10].
    """
    if field >= 0xE000:
        return f"swizzle(FFT,{field & 31})"
    if field >= 0xC000:
        return f"swizzle(ROTATE,{field >> 10 & 1},{field >> 5 & 31})"
    if field & 0xFF00 == 0x8000:
        return f"swizzle(QUAD_PERM,{','.join(str(field >> shift & 3) for shift in (0, 2, 4, 6))})"
    if field & 0x8000:
        return str(field)
    keep, force, flip = field & 31, field >> 5 & 31, field >> 10 & 31
    if keep == 31 and force == 0 and flip and flip & (flip - 1) == 0:
        return f"swizzle(SWAP,{flip})"
    if keep == 31 and force == 0 and flip and flip & (flip + 1) == 0:
        return f"swizzle(REVERSE,{flip + 1})"
    group = 32 - keep
    if flip == 0 and group > 1 and group & (group - 1) == 0 and force < group:
        return f"swizzle(BROADCAST,{group},{force})"
    mask = "".join(_swizzle_bit(keep >> bit & 1, force >> bit & 1, flip >> bit & 1) for bit in (4, 3, 2, 1, 0))
    return f'swizzle(BITMASK_PERM,"{mask}")'


def _swizzle_bit(keep: int, force: int, flip: int) -> str:
    if force:
        return "0" if flip else "1"
    if keep:
        return "i" if flip else "p"
    return "1" if flip else "0"


def _second(following: int | None) -> int:
    if following is None:
        raise Undecodable("the second word is missing")
    return following


def ds(
    word: int, following: int | None, address: int, table: dict[int, tuple[str, ...]] = DS
) -> tuple[str, int]:
    """DS: offset0[7:0], offset1[15:8], gds[16], op[24:17], acc[25], addr[39:32], data0[47:40], data1[55:48],
    vdst[63:56]."""
    row = table.get(word >> 17 & 255)
    if row is None:
        raise Undecodable(f"DS opcode {word >> 17 & 255:#x} does not exist")
    fields = _second(following)
    name, result, base, data0, data1, offsets = row
    accumulator = bool(word >> 25 & 1)
    operands = []
    if result != "-":
        operands.append(vector_register(fields >> 24, int(result), accumulator))
    if base != "-":
        operands.append(vector_register(fields & 255, int(base), accumulator and name.startswith("ds_gws")))
    if data0 != "-":
        operands.append(vector_register(fields >> 8 & 255, int(data0), accumulator))
    if data1 != "-":
        operands.append(vector_register(fields >> 16 & 255, int(data1), accumulator))
    offset = word & 0xFFFF
    text = f"{name} {', '.join(operands)}".rstrip()
    if offsets == "pair":
        text += f" offset0:{offset & 255}" if offset & 255 else ""
        text += f" offset1:{offset >> 8}" if offset >> 8 else ""
    elif offset:
        text += f" offset:{swizzle(offset) if offsets == 'swizzle' else offset}"
    return text + (" gds" if name.startswith("ds_gws") else ""), 8


def _cache(first: int, non_temporal: int, second: int) -> str:
    return (" sc0" if first & 1 else "") + (" nt" if non_temporal & 1 else "") + (" sc1" if second & 1 else "")


_SEGMENTS = (("flat", "f"), ("scratch", "s"), ("global", "g"))


def flat(
    word: int, following: int | None, address: int, table: dict[int, tuple[str, ...]] = FLAT
) -> tuple[str, int]:
    """FLAT: offset[12:0], lds or sve[13], seg[15:14], sc0[16], nt[17], op[24:18], sc1[25], addr[39:32], data[47:40],
    saddr[54:48], acc[55], vdst[63:56]."""
    fields = _second(following)
    segment = word >> 14 & 3
    row = table.get(word >> 18 & 127)
    if row is None or segment == 3 or _SEGMENTS[segment][1] not in row[3]:
        raise Undecodable(f"FLAT opcode {word >> 18 & 127:#x} does not exist in segment {segment}")
    if segment != 1 and word >> 13 & 1:
        raise Undecodable("bit 13 is set, which only scratch instructions define")
    suffix, result, data, _ = row
    prefix = _SEGMENTS[segment][0]
    accumulator = bool(fields >> 23 & 1)
    base, scalar = fields & 255, fields >> 16 & 127
    returns = result != "-" and (not suffix.startswith("atomic") or word >> 16 & 1)
    operands = [vector_register(fields >> 24, int(result), accumulator)] if returns else []
    scalar_text = "off" if scalar == NO_ADDRESS else ""
    if segment == 0:
        operands.append(vector_register(base, 2))
    elif segment == 2:
        operands.append(vector_register(base, 2 if scalar_text else 1))
        scalar_text = scalar_text or scalar_register(scalar, 2)
    else:
        operands.append(vector_register(base, 1) if word >> 13 & 1 else "off")
        scalar_text = scalar_text or scalar_register(scalar, 1)
    if data != "-":
        operands.append(vector_register(fields >> 8 & 255, int(data), accumulator))
    if segment:
        operands.append(scalar_text)
    offset = word & 0x1FFF
    if segment and offset >> 12:
        offset -= 1 << 13
    text = f"{prefix}_{suffix} {', '.join(operands)}" + (f" offset:{offset}" if offset else "")
    return text + _cache(word >> 16, word >> 17, word >> 25), 8


def _buffer_address(word: int, fields: int) -> list[str]:
    """vaddr, srsrc and soffset of MUBUF and MTBUF."""
    by_offset, by_index = word >> 12 & 1, word >> 13 & 1
    base = vector_register(fields & 255, by_offset + by_index) if by_offset + by_index else "off"
    return [base, scalar_register((fields >> 16 & 31) << 2, 4), source(fields >> 24, "b")]


def _buffer_modifiers(word: int) -> str:
    text = " idxen" if word >> 13 & 1 else ""
    text += " offen" if word >> 12 & 1 else ""
    return text + (f" offset:{word & 0xFFF}" if word & 0xFFF else "")


def mubuf(
    word: int,
    following: int | None,
    address: int,
    table: dict[int, tuple[str, ...]] = MUBUF,
    loads_to_lds: frozenset[int] = LOADS_TO_LDS,
) -> tuple[str, int]:
    """MUBUF: offset[11:0], offen[12], idxen[13], sc0[14], sc1[15], lds[16], nt[17], op[24:18], vaddr[39:32],
    vdata[47:40], srsrc[52:48], acc[55], soffset[63:56]."""
    fields = _second(following)
    opcode = word >> 18 & 127
    if opcode in (0x28, 0x29):
        return ("buffer_wbl2", "buffer_inv")[opcode - 0x28] + _cache(word >> 14, 0, word >> 15), 8
    row = table.get(opcode)
    if row is None:
        raise Undecodable(f"MUBUF opcode {opcode:#x} does not exist")
    name, width = row
    lds = word >> 16 & 1
    if lds and opcode not in loads_to_lds:
        raise Undecodable(f"{name} has no form that writes to LDS")
    operands = [] if lds else [vector_register(fields >> 8 & 255, int(width), bool(fields >> 23 & 1))]
    operands += _buffer_address(word, fields)
    text = f"{name} {', '.join(operands)}{_buffer_modifiers(word)}"
    return text + _cache(word >> 14, word >> 17, word >> 15) + (" lds" if lds else ""), 8


def mtbuf(word: int, following: int | None, address: int) -> tuple[str, int]:
    """MTBUF: as MUBUF, with op[18:15], dfmt[22:19], nfmt[25:23], sc1[53], nt[54]."""
    fields = _second(following)
    name, width = MTBUF[word >> 15 & 15]
    operands = [vector_register(fields >> 8 & 255, width, bool(fields >> 23 & 1)), *_buffer_address(word, fields)]
    data, number = word >> 19 & 15, word >> 23 & 7
    names = [] if data == 1 else [f"BUF_DATA_FORMAT_{DATA_FORMATS[data]}"]  # 8, UNORM is the default
    names += [f"BUF_NUM_FORMAT_{NUMBER_FORMATS[number]}"] if number else []
    pattern = f" format:[{','.join(names)}]" if names else ""
    text = f"{name} {', '.join(operands)}{pattern}{_buffer_modifiers(word)}"
    return text + _cache(word >> 14, fields >> 22, fields >> 21), 8
