# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reading a lowered module (after `fovea-lower-kernels`): its buffers, its launches, and the plan they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.codegen.types import element_bytes
from fovea.passes.ir_utils import body_ops, entry_function
from fovea.passes.lower_kernels import (
    ARENA_KIND,
    INPUT_KIND,
    KIND,
    LDS_BYTES,
    NAME,
    OUTPUT_KIND,
    TENSOR,
    WEIGHT,
)
from fovea.plan import Buffer, Launch, Plan, TensorSpec, data_offsets

WEIGHTS_FILE = "weights.safetensors"
WEIGHT_ALIGNMENT = 8


def code_object_path(kernel: str) -> str:
    """Where a package keeps the code object of `kernel`."""
    return f"kernels/{kernel}.hsaco"


def _argument_attributes(module: Any) -> list[dict[str, Any]]:
    function = entry_function(_body(module))
    result = []
    for attributes in ir.ArrayAttr(function.attributes["arg_attrs"]):
        entries = ir.DictAttr(attributes)
        result.append({entries[i].name: entries[i].attr for i in range(len(entries))})
    return result


class _Body:
    """Gives a module op the `body` that ir.Module has."""

    def __init__(self, op: Any) -> None:
        self.body = op.regions[0].blocks[0]


def _body(module: Any) -> Any:
    return module if hasattr(module, "body") else _Body(module)


def buffers_of(module: Any) -> list[Buffer]:
    """Buffers of the entry function's arguments and of the arena's views, in that order; offsets of weights are 0."""
    function = entry_function(_body(module))
    buffers: list[Buffer] = []
    for argument, attributes in zip(function.arguments, _argument_attributes(module), strict=True):
        kind = ir.StringAttr(attributes[KIND]).value
        if kind == ARENA_KIND:
            continue
        tensor = ir.StringAttr(attributes[WEIGHT]).value if WEIGHT in attributes else ""
        buffers.append(Buffer(len(buffers), _bytes(argument.type), kind, 0, tensor))
    for op in body_ops(function):
        if op.name == "memref.view":
            offset = _constant(op.operands[1])
            buffers.append(Buffer(len(buffers), _bytes(op.results[0].type), ARENA_KIND, offset))
    return buffers


def _bytes(type_: Any) -> int:
    return int(type_.shape[0]) * element_bytes(type_.element_type)


def launches_of(module: Any) -> list[Launch]:
    """The launches of the entry function in order; buffers are numbered as in `buffers_of`."""
    function = entry_function(_body(module))
    numbers: dict[Any, int] = {}
    for argument, attributes in zip(function.arguments, _argument_attributes(module), strict=True):
        if ir.StringAttr(attributes[KIND]).value != ARENA_KIND:
            numbers[argument] = len(numbers)
    launches = []
    for op in body_ops(function):
        if op.name == "memref.view":
            numbers[op.results[0]] = len(numbers)
        elif op.name == "gpu.launch_func":
            kernel = ir.SymbolRefAttr(op.attributes["kernel"]).value[-1]
            sizes = list(ir.DenseI32ArrayAttr(op.attributes["operandSegmentSizes"]))
            operands = list(op.operands)
            first = sum(sizes[:1])
            grid = tuple(_constant(value) for value in operands[first : first + 3])
            block = tuple(_constant(value) for value in operands[first + 3 : first + 6])
            count = _kernel_operands(sizes)
            args = tuple({"buffer": numbers[value], "offset": 0} for value in operands[count[0] : count[1]])
            lds = ir.IntegerAttr(op.attributes[LDS_BYTES]).value
            launches.append(Launch(code_object_path(kernel), kernel, grid, block, lds, args))  # type: ignore[arg-type]
    return launches


def _kernel_operands(sizes: list[int]) -> tuple[int, int]:
    """First and last operand number of a launch's kernel operands: segments are async dependencies, grid (3), block
    (3), cluster (3), dynamic LDS, kernel operands, async object."""
    start = sum(sizes[:11])
    return start, start + sizes[11]


def _constant(value: Any) -> int:
    return int(ir.IntegerAttr(value.owner.attributes["value"]).value)


def plan_of(module: Any, target: str, weights: Mapping[str, np.ndarray[Any, Any]]) -> Plan:
    """The plan of a lowered module whose weights file will hold `weights` in that order."""
    names = stored_order(weights)
    starts = dict(zip(names, data_offsets([weights[name].nbytes for name in names]), strict=True))
    buffers = tuple(
        Buffer(b.id, b.bytes, b.kind, starts[b.tensor], b.tensor) if b.tensor else b for b in buffers_of(module)
    )
    specs: dict[str, list[TensorSpec]] = {INPUT_KIND: [], OUTPUT_KIND: []}
    arena_bytes = 0
    function = entry_function(_body(module))
    number = 0
    for argument, attributes in zip(function.arguments, _argument_attributes(module), strict=True):
        kind = ir.StringAttr(attributes[KIND]).value
        if kind == ARENA_KIND:
            arena_bytes = _bytes(argument.type)
            continue
        if kind in specs:
            tensor = ir.RankedTensorType(ir.TypeAttr(attributes[TENSOR]).value)
            name = ir.StringAttr(attributes[NAME]).value
            specs[kind].append(TensorSpec(name, str(tensor.element_type), tuple(tensor.shape), number))
        number += 1
    return Plan(target, tuple(specs[INPUT_KIND]), tuple(specs[OUTPUT_KIND]), buffers, WEIGHTS_FILE, arena_bytes,
                tuple(launches_of(module)))  # fmt: skip


def stored_order(weights: Mapping[str, np.ndarray[Any, Any]]) -> list[str]:
    """Order of tensors in the weights file: widest elements first, so that each is aligned without gaps."""
    return sorted(weights, key=lambda name: (-weights[name].dtype.itemsize, name))
