# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`plan.json`: how to run a compiled model. A public interface, version 1.

    {
      "version": 1,
      "target": "gfx942",
      "inputs":  [{"name": "ids", "dtype": "i64", "shape": [8, 128], "buffer": 0}],
      "outputs": [{"name": "embeddings", "dtype": "f32", "shape": [8, 384], "buffer": 5}],
      "buffers": [{"id": 0, "bytes": 8192, "kind": "input", "offset": 0}, ...],
      "weights_file": "weights.safetensors",
      "arena_bytes": 6291456,
      "launches": [{"code_object": "kernels/rowwise_0.hsaco", "kernel": "rowwise_0", "grid": [256, 1, 1],
                    "block": [256, 1, 1], "lds_bytes": 0, "args": [{"buffer": 0, "offset": 0}, ...]}]
    }

- `dtype` is MLIR's name of the element type (f32, f16, bf16, f64, f8E4M3FNUZ, ..., i64, i32, i8, i1; i1 is one byte,
  0 or 1). Tensors are dense and row-major.
- A buffer's `kind` is input, output, weight, constant or arena. Inputs and outputs are memory of the caller's. Of a
  weight or constant, `tensor` is the name in the weights file and `offset` the byte in that file's data section. Of an
  arena buffer, `offset` is the byte in the arena, `arena_bytes` long; arena buffers overlap where their lifetimes do
  not. Every buffer must start at a multiple of 256 bytes in device memory.
- Launches run in order, each after the one before is complete. `grid` counts workgroups, `block` work-items of a
  workgroup; `lds_bytes` is the static LDS, no dynamic LDS is asked for. `args` are in kernarg order: a buffer is passed
  as a 64-bit pointer to its byte `offset`; {"i32": v}, {"i64": v} and {"f32": v} are passed by value, aligned to
  their size.
- Executing the launches in order is the whole model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

from fovea.errors import InputError

VERSION = 1
BUFFER_KINDS = ("input", "output", "weight", "constant", "arena")
SCALARS = ("i32", "i64", "f32")
DTYPE_BYTES = {"f64": 8, "i64": 8, "f32": 4, "i32": 4, "f16": 2, "bf16": 2, "i16": 2, "i8": 1, "i1": 1, "index": 8,
               "f8E4M3FNUZ": 1, "f8E4M3FN": 1, "f8E5M2FNUZ": 1, "f8E5M2": 1, "f8E8M0FNU": 1}  # fmt: skip
ALIGNMENT = 256


@dataclass(frozen=True)
class TensorSpec:
    """An input or output: its name, element type, shape, and the buffer that holds it."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    buffer: int

    @property
    def bytes(self) -> int:
        return prod(self.shape) * DTYPE_BYTES[self.dtype]


@dataclass(frozen=True)
class Buffer:
    """Device memory: see the module's docstring. `tensor` is empty but for weights and constants."""

    id: int
    bytes: int
    kind: str
    offset: int = 0
    tensor: str = ""


@dataclass(frozen=True)
class Launch:
    """One kernel launch. An argument is {"buffer": id, "offset": bytes} or {type: value} with a type of SCALARS."""

    code_object: str
    kernel: str
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    lds_bytes: int
    args: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Plan:
    """A whole model; see the module's docstring."""

    target: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    buffers: tuple[Buffer, ...]
    weights_file: str
    arena_bytes: int
    launches: tuple[Launch, ...]

    def to_json(self) -> str:
        """The text of plan.json."""
        document: dict[str, Any] = {"version": VERSION, **asdict(self)}
        for buffer in document["buffers"]:
            if not buffer["tensor"]:
                del buffer["tensor"]
        return json.dumps(document, indent=1) + "\n"


def parse_plan(text: str, source: str = "plan.json") -> Plan:
    """Read and check plan.json. Raises InputError naming `source` and what is wrong where."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InputError(f"{source}: not JSON: {error}") from None
    reader = _Reader(source)
    reader.expect(isinstance(document, dict), "expected an object at the top")
    version = document.get("version")
    reader.expect(version == VERSION, f"expected version {VERSION}, found {version!r}; compile the model again")
    plan = Plan(
        target=reader.field(document, "target", str),
        inputs=reader.tensors(document, "inputs"),
        outputs=reader.tensors(document, "outputs"),
        buffers=tuple(reader.buffer(b, i) for i, b in enumerate(reader.field(document, "buffers", list))),
        weights_file=reader.field(document, "weights_file", str),
        arena_bytes=reader.field(document, "arena_bytes", int),
        launches=tuple(reader.launch(entry, i) for i, entry in enumerate(reader.field(document, "launches", list))),
    )
    _check(plan, reader)
    return plan


class _Reader:
    """Typed access to the JSON document with errors that say where."""

    def __init__(self, source: str) -> None:
        self.source = source

    def expect(self, condition: bool, message: str) -> None:
        if not condition:
            raise InputError(f"{self.source}: {message}")

    def field(self, entry: Any, name: str, type_: type, where: str = "") -> Any:
        self.expect(isinstance(entry, dict) and name in entry, f"{where or 'the top'}: '{name}' is missing")
        value = entry[name]
        fits = isinstance(value, type_) and not (type_ is int and isinstance(value, bool))
        self.expect(fits, f"{where}{'.' if where else ''}{name}: expected {type_.__name__}, found {value!r}")
        if type_ is int:
            self.expect(value >= 0, f"{where}{'.' if where else ''}{name}: expected a number >= 0, found {value}")
        return value

    def numbers(self, entry: Any, name: str, where: str, count: int | None = None) -> tuple[int, ...]:
        values = self.field(entry, name, list, where)
        fits = all(isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in values)
        self.expect(fits and count in (None, len(values)), f"{where}.{name}: expected {count or 'some'} numbers >= 0")
        return tuple(values)

    def tensors(self, document: Any, name: str) -> tuple[TensorSpec, ...]:
        result = []
        for number, entry in enumerate(self.field(document, name, list)):
            where = f"{name}[{number}]"
            dtype = self.field(entry, "dtype", str, where)
            self.expect(dtype in DTYPE_BYTES, f"{where}.dtype: unknown element type '{dtype}'")
            result.append(
                TensorSpec(self.field(entry, "name", str, where), dtype, self.numbers(entry, "shape", where),
                           self.field(entry, "buffer", int, where))
            )  # fmt: skip
        return tuple(result)

    def buffer(self, entry: Any, number: int) -> Buffer:
        where = f"buffers[{number}]"
        kind = self.field(entry, "kind", str, where)
        self.expect(kind in BUFFER_KINDS, f"{where}.kind: expected one of {', '.join(BUFFER_KINDS)}, found '{kind}'")
        tensor = self.field(entry, "tensor", str, where) if kind in ("weight", "constant") else ""
        id_, bytes_, offset = (self.field(entry, name, int, where) for name in ("id", "bytes", "offset"))
        self.expect(id_ == number, f"{where}.id: expected {number}, found {id_}")
        return Buffer(id_, bytes_, kind, offset, tensor)

    def launch(self, entry: Any, number: int) -> Launch:
        where = f"launches[{number}]"
        grid, block = (self.numbers(entry, name, where, 3) for name in ("grid", "block"))
        args = self.field(entry, "args", list, where)
        for position, argument in enumerate(args):
            fits = isinstance(argument, dict) and (
                set(argument) == {"buffer", "offset"} or (len(argument) == 1 and set(argument) <= set(SCALARS))
            )
            self.expect(fits, f"{where}.args[{position}]: expected a buffer with offset or one of {', '.join(SCALARS)}")
        return Launch(
            self.field(entry, "code_object", str, where), self.field(entry, "kernel", str, where),
            (grid[0], grid[1], grid[2]), (block[0], block[1], block[2]),
            self.field(entry, "lds_bytes", int, where), tuple(args),
        )  # fmt: skip


def _check(plan: Plan, reader: _Reader) -> None:
    """What the fields must fulfil together."""
    count = len(plan.buffers)
    for kind, tensors in (("input", plan.inputs), ("output", plan.outputs)):
        for tensor in tensors:
            where = f"{kind} '{tensor.name}'"
            reader.expect(tensor.buffer < count, f"{where}: there is no buffer {tensor.buffer}")
            buffer = plan.buffers[tensor.buffer]
            reader.expect(buffer.kind == kind, f"{where}: buffer {buffer.id} is of kind '{buffer.kind}'")
            reader.expect(buffer.bytes == tensor.bytes, f"{where}: buffer {buffer.id} has {buffer.bytes} bytes, "
                                                        f"the tensor {tensor.bytes}")  # fmt: skip
    for buffer in plan.buffers:
        if buffer.kind == "arena":
            end = buffer.offset + buffer.bytes
            reader.expect(end <= plan.arena_bytes, f"buffer {buffer.id} ends at byte {end} of an arena of "
                                                   f"{plan.arena_bytes}")  # fmt: skip
            reader.expect(buffer.offset % ALIGNMENT == 0, f"buffer {buffer.id}: offset {buffer.offset} is not a "
                                                          f"multiple of {ALIGNMENT}")  # fmt: skip
    for number, launch in enumerate(plan.launches):
        reader.expect(min(launch.grid) > 0 and min(launch.block) > 0, f"launches[{number}]: an extent is 0")
        for argument in launch.args:
            if "buffer" in argument:
                id_, offset = argument["buffer"], argument["offset"]
                fits = isinstance(id_, int) and 0 <= id_ < count and isinstance(offset, int)
                reader.expect(fits and 0 <= offset <= plan.buffers[id_].bytes,
                              f"launches[{number}]: no such place: {argument}")  # fmt: skip


def data_offsets(sizes: Sequence[int]) -> list[int]:
    """Start of each tensor in a data section that puts them one after the other."""
    offsets, position = [], 0
    for size in sizes:
        offsets.append(position)
        position += size
    return offsets
