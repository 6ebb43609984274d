# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A disassembler of gfx942 (CDNA3) and gfx950 (CDNA4) machine code.

The text is LLVM's assembler syntax, as llvm-objdump prints it, except that a branch target is an absolute address:
`s_cbranch_scc1 0x1234`. Opcodes come from the tables of the `decode_*` modules; the layout of each encoding is the one
of AMD's "CDNA3 Instruction Set Architecture" guide, chapter 12.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import NamedTuple

from fovea.emulator.decode_gfx950 import DECODERS, SCALE_PREFIX, scaled
from fovea.emulator.decode_memory import ds, flat, mtbuf, mubuf
from fovea.emulator.decode_operands import Undecodable
from fovea.emulator.decode_scalar import smem, sop1, sop2, sopc, sopk, sopp
from fovea.emulator.decode_vop import vop1, vop2, vopc
from fovea.emulator.decode_vop3 import vop3, vop3p
from fovea.errors import InputError


class DisassemblyError(InputError, ValueError):
    """Bytes that are not an instruction of the chip; the message gives their address, the words and the reason."""


class Instruction(NamedTuple):
    """One decoded instruction: `address` and `size` in bytes, `text` in LLVM's assembler syntax."""

    address: int
    size: int
    text: str


CHIPS = ("gfx942", "gfx950")
Decoder = Callable[[int, "int | None", int], tuple[str, int]]

# The encoding is named by a prefix of the first word: (number of leading bits, their value, decoder). Longer prefixes
# come before the shorter ones that contain them.
ENCODINGS: tuple[tuple[int, int, Decoder], ...] = (
    (9, 0b101111101, sop1),
    (9, 0b101111110, sopc),
    (9, 0b101111111, sopp),
    (9, 0b110100111, vop3p),
    (7, 0b0111111, vop1),
    (7, 0b0111110, vopc),
    (6, 0b110000, smem),
    (6, 0b110100, vop3),
    (6, 0b110110, ds),
    (6, 0b110111, flat),
    (6, 0b111000, mubuf),
    (6, 0b111010, mtbuf),
    (4, 0b1011, sopk),
    (2, 0b10, sop2),
    (1, 0b0, vop2),
)


def _by_prefix(replaced: Mapping[Decoder, Decoder]) -> list[Decoder | None]:
    """Decoder of every value of the first word's nine leading bits, some of them replaced by a chip's own."""
    table: list[Decoder | None] = []
    for prefix in range(512):
        matches = (decoder for bits, value, decoder in ENCODINGS if prefix >> 9 - bits == value)
        found = next(matches, None)
        table.append(found if found is None else replaced.get(found, found))
    return table


_DECODERS = {"gfx942": _by_prefix({}), "gfx950": _by_prefix(DECODERS)}


def disassemble(code: bytes, address: int = 0, chip: str = "gfx942") -> list[Instruction]:
    """Decodes machine code from its first byte to its last.

    Args:
        code: the bytes, a multiple of four.
        address: the address of the first byte; instruction addresses and branch targets count from it.
        chip: one of `CHIPS`.

    Raises:
        DisassemblyError: the chip is unknown, or bytes are not an instruction of it.
    """
    if chip not in CHIPS:
        raise DisassemblyError(f"no disassembler for {chip!r}: this one knows {', '.join(CHIPS)}")
    if len(code) % 4:
        raise DisassemblyError(f"code of {len(code)} bytes: a multiple of 4 is expected")
    words = struct.unpack(f"<{len(code) // 4}I", code)
    count = len(words)
    instructions = []
    index = 0
    decoders = _DECODERS[chip]
    while index < count:
        word = words[index]
        following = words[index + 1] if index + 1 < count else None
        here = address + 4 * index
        decoder = decoders[word >> 23]
        if decoder is None:
            raise DisassemblyError(f"at {here:#x}: word {word:#010x} is of no encoding of {chip}")
        try:
            if word >> 16 == SCALE_PREFIX and chip == "gfx950":
                text, size = scaled(words[index : index + 4])
            else:
                text, size = decoder(word, following, here)
        except Undecodable as error:
            second = "" if following is None else f" {following:#010x}"
            raise DisassemblyError(
                f"at {here:#x}: words {word:#010x}{second} do not decode on {chip}: {error}"
            ) from None
        instructions.append(Instruction(here, size, text))
        index += size // 4
    return instructions
