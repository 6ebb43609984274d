# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Values of `dense_resource` attributes.

The bindings print the name of a resource but do not lend its bytes. A module that holds nothing but the attribute is
written as bytecode, where the bytes stand as they are; the layout read here is that of MLIR's "Bytecode Format" page
(header, then sections; the resource section's first entry is alignment, size, padding, data).
"""

from __future__ import annotations

import io
from math import prod
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.errors import CompileError
from fovea.executor.types import dtype_of

_MAGIC = b"ML\xefR"
_RESOURCE_SECTION = 5
_HAS_ALIGNMENT = 0x80
_CARRIER = "fovea.value"  # builtin.module takes attributes that have a dialect's prefix


class _Reader:
    def __init__(self, data: memoryview) -> None:
        self.data, self.at = data, 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        """The number of trailing zero bits of the first byte is the number of bytes that follow; all zero: eight."""
        first = self.byte()
        if first == 0:
            self.at += 8
            return int.from_bytes(self.data[self.at - 8 : self.at], "little")
        more = (first & -first).bit_length() - 1
        value = int.from_bytes(self.data[self.at - 1 : self.at + more], "little")
        self.at += more
        return value >> more + 1

    def align(self, alignment: int) -> None:
        self.at += -self.at % alignment


def _first_resource(data: memoryview) -> memoryview:
    """The bytes of the first resource in a bytecode file."""
    reader = _Reader(data)
    if bytes(data[:4]) != _MAGIC:
        raise ValueError("not MLIR bytecode")
    reader.at = 4
    reader.varint()  # version
    while reader.byte():  # producer, zero-terminated
        pass
    while reader.at < len(data):
        kind, length = reader.byte(), reader.varint()
        if kind & _HAS_ALIGNMENT:
            reader.align(reader.varint())
        if kind & ~_HAS_ALIGNMENT == _RESOURCE_SECTION:
            alignment, size = reader.varint(), reader.varint()
            reader.align(alignment)
            return data[reader.at : reader.at + size]
        reader.at += length
    raise ValueError("no resource section")


def resource_array(attribute: Any) -> np.ndarray[Any, Any]:
    """The value of a `dense_resource` attribute, read-only; one copy of its bytes is made.

    Raises CompileError if the module came without the resource's data.
    """
    dtype, shape = dtype_of(attribute.type), tuple(ir.ShapedType(attribute.type).shape)
    with attribute.context, ir.Location.unknown(attribute.context):
        carrier = ir.Module.create()
        carrier.operation.attributes[_CARRIER] = attribute
        stream = io.BytesIO()
        carrier.operation.write_bytecode(stream)
    try:
        flat = np.frombuffer(_first_resource(stream.getbuffer()), np.uint8)
    except (ValueError, IndexError) as error:
        raise CompileError(f"cannot read the constant {attribute} from bytecode: {error}") from error
    count = prod(shape)
    if count and not flat.size:
        raise CompileError(f"the module has no data for the constant {attribute}; was it printed without resources?")
    if flat.size == count * dtype.itemsize:
        array = flat.view(dtype)
    elif dtype == np.bool_ and flat.size == -(-count // 8):
        array = np.unpackbits(flat, count=count, bitorder="little").view(np.bool_)
    else:
        raise CompileError(f"{attribute}: expected {count * dtype.itemsize} bytes of data, found {flat.size}")
    array.flags.writeable = False
    return array.reshape(shape)
