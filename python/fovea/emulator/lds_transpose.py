# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""gfx950's LDS reads that transpose: ds_read_b64_tr_b16, _b8, _b4 and ds_read_b96_tr_b6.

Every 16 lanes form a block. With E values a lane (4 of 16 bits, 8 of 8, 16 of 6 or 4), the block's lanes read a matrix
of E rows and 16 columns: row r is what lanes r * 16 / E and following read, in order. Lane c of the block receives
column c, value r of it being that of row r. EXEC must be all ones (CDNA4 instruction set guide).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fovea.emulator.errors import DecodeError, Fault
from fovea.emulator.group import Group
from fovea.emulator.lds import locate
from fovea.emulator.matrix_formats import pack_codes, unpack_codes
from fovea.emulator.memory import gather
from fovea.emulator.operands import Build, Step

Array = np.ndarray[Any, Any]
TABLE = {
    "ds_read_b64_tr_b16": (8, 16), "ds_read_b64_tr_b8": (8, 8), "ds_read_b64_tr_b4": (8, 4),
    "ds_read_b96_tr_b6": (12, 6),
}  # fmt: skip
"""Mnemonic to bytes a lane and bits a value."""


def transpose_block(raw: Array, bits: int) -> Array:
    """Registers `(waves, 64, words)` as read, to what the lanes receive."""
    waves, _, words = raw.shape
    values = raw.view(np.uint16 if bits == 16 else np.uint8) if bits >= 8 else unpack_codes(raw, bits)
    count = values.shape[-1]
    turned = np.ascontiguousarray(values.reshape(waves, 4, count, 16).swapaxes(2, 3)).reshape(waves, 64, count)
    return turned.view(np.uint32) if bits >= 8 else pack_codes(turned, bits).reshape(waves, 64, words)


def compile_transposed(name: str, build: Build) -> Step:
    """Closure of one transposing read."""
    line = build.line
    width, bits = TABLE[name]
    if build.chip.name != "gfx950" or set(line.modifiers) - {"offset"} or len(line.operands) != 2:
        raise DecodeError(f"{name} in this form is not supported on {build.chip.name}")
    words = width // 4
    row = build.vector(line.operands[0], words, write=True)
    address = build.vector(line.operands[1], 1)
    offset, index = line.number("offset"), line.index

    def step(g: Group) -> None:
        if not g.full:
            raise Fault("a transposing LDS read needs all lanes active", 0)
        where = g.lanes32(g.u32, address).astype(np.int64) + offset
        g.machine.statistics.lds_bytes_read += len(where) * width
        place = locate(g, where, width, False, index)
        raw = np.ascontiguousarray(gather(g.machine.lds_views, place, width)).view(np.uint32)
        result = transpose_block(raw.reshape(g.count, 64, words), bits)
        g.u32[row : row + words] = result.transpose(2, 0, 1)

    return step
