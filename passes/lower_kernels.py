# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-lower-kernels`: kernel functions become GPU kernels, calls become launches."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

from fovea import target
from fovea.bindings import arith, func, gpu, ir, memref
from fovea.codegen import registry
from fovea.codegen.kernel import LaunchShape
from fovea.codegen.types import storage_type
from fovea.errors import CompileError
from fovea.executor.constants import array_of
from fovea.passes import ir_utils as utils
from fovea.passes.plan import ARENA_BYTES, OFFSETS, OUTPUT, bytes_of, root_of
from fovea.passes.registry import PassContext, register

# Attributes of the lowered entry function's arguments: what a buffer is, and the tensor that it holds.
KIND, NAME, TENSOR, WEIGHT = "fovea.buffer", "fovea.name", "fovea.tensor", "fovea.weight"
INPUT_KIND, OUTPUT_KIND, ARENA_KIND = "input", "output", "arena"
WEIGHT_KIND, CONSTANT_KIND = "weight", "constant"
LDS_BYTES = "fovea.lds_bytes"  # on a launch


@register
@dataclass(frozen=True)
class LowerKernels:
    """Write the GPU kernel of each kernel function and launch it where the function was called.

    The entry function then takes flat memrefs: the inputs and weights as before, one for each result, and the arena.
    Each argument says with `fovea.buffer` what it is (input, weight, constant, output, arena), with `fovea.tensor` the
    tensor type it holds and with `fovea.name` or `fovea.weight` its name.

    Before:

        func.func private @elementwise_0(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {fovea.kernel = "elementwise"}
        func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
          %0 = call @elementwise_0(%x) {fovea.offsets = array<i64: -1>} : (tensor<4x8xf32>) -> tensor<4x8xf32>

    After:

        gpu.module @elementwise_0 { gpu.func @elementwise_0(%p0: memref<32xf32>, %p1: memref<32xf32>) kernel ... }
        func.func @main(%x: memref<32xf32> {fovea.buffer = "input", ...}, %r: memref<32xf32> {...}, %arena: ...) {
          gpu.launch_func @elementwise_0::@elementwise_0 blocks in (1, 1, 1) threads in (256, 1, 1) args(%x, %r)
    """

    name: ClassVar[str] = "fovea-lower-kernels"

    def run(self, module: Any, context: PassContext) -> None:
        chip = target.chip(context.target)
        function = utils.entry_function(module)
        if ARENA_BYTES not in function.attributes:
            raise CompileError(f"{function.location}: no plan ('{ARENA_BYTES}' is missing); run fovea-plan first")
        shapes: dict[str, LaunchShape] = {}
        with module.context, ir.Location.unknown(module.context):
            for kernel_function in utils.functions(module):
                if registry.KIND not in kernel_function.attributes:
                    continue
                kernel = registry.build(kernel_function, chip)
                name = ir.StringAttr(kernel_function.attributes["sym_name"]).value
                shapes[name] = kernel.shape
                with ir.InsertionPoint(kernel_function):
                    kernel.gpu_module.operation.clone()
            _EntryLowering(module, function, shapes, context).run()
            for kernel_function in utils.functions(module):
                if registry.KIND in kernel_function.attributes:
                    kernel_function.operation.erase()
            module.operation.attributes["gpu.container_module"] = ir.UnitAttr.get()


def flat_memref(type_: Any) -> Any:
    """The memref that holds a tensor: one dim, storage element type."""
    return ir.MemRefType.get([prod(type_.shape)], storage_type(type_.element_type))


class _EntryLowering:
    """Rewrites the entry function from tensors to buffers."""

    def __init__(self, module: Any, function: Any, shapes: dict[str, LaunchShape], context: PassContext) -> None:
        self.module, self.function, self.shapes, self.context = module, function, shapes, context
        self.arena_bytes = ir.IntegerAttr(function.attributes[ARENA_BYTES]).value
        self.ops = utils.body_ops(function)
        self.terminator = self.ops[-1]
        self.returned = [root_of(value) for value in self.terminator.operands]
        self.buffers: dict[Any, Any] = {}
        self.constants: dict[Any, Any] = {}

    def run(self) -> None:
        """Build the new function in front of the old one and erase the old one."""
        arguments = list(self.function.arguments)
        constants = [op.results[0] for op in self.ops if op.name == "arith.constant" and self._is_read(op)]
        outputs = [value.type for value in self.terminator.operands]
        types = [flat_memref(value.type) for value in [*arguments, *constants]] + [flat_memref(t) for t in outputs]
        types.append(ir.MemRefType.get([self.arena_bytes], ir.IntegerType.get_signless(8)))
        name = ir.StringAttr(self.function.attributes["sym_name"]).value
        with ir.InsertionPoint(self.function), self.function.location:
            new = func.FuncOp("lowered", (types, []))
            block = new.add_entry_block()
        new.arg_attrs = ir.ArrayAttr.get(
            [self._argument(i, value) for i, value in enumerate(arguments)]
            + [self._constant(i, value) for i, value in enumerate(constants)]
            + [self._output(i, type_) for i, type_ in enumerate(outputs)]
            + [_attributes(ARENA_KIND, None)]
        )
        given = list(block.arguments)
        self.buffers.update(zip([*arguments, *constants], given, strict=False))
        self.outputs = given[len(arguments) + len(constants) : -1]
        self.arena = given[-1]
        with ir.InsertionPoint(block):
            for op in self.ops:
                if op.name == "func.call":
                    with op.location:
                        self._launch(op)
            func.ReturnOp([])
        self.function.operation.erase()
        new.attributes["sym_name"] = ir.StringAttr.get(name)

    def _is_read(self, op: Any) -> bool:
        return utils.is_tensor(op.results[0].type) and utils.has_uses(op.results[0])

    def _argument(self, number: int, value: Any) -> Any:
        weight = utils.weight_name(value)
        if weight is not None:
            return _attributes(WEIGHT_KIND, value.type, **{WEIGHT: weight})
        return _attributes(INPUT_KIND, value.type, **{NAME: argument_name(self.function, number)})

    def _constant(self, number: int, value: Any) -> Any:
        """A constant tensor becomes a weight; its value joins the compilation's weights."""
        from fovea.weights import WeightStore

        name = f"constant.{number}"
        if self.context.weights is None:
            self.context.weights = WeightStore()
        self.context.weights.add(name, array_of(value.owner.attributes["value"]))
        return _attributes(CONSTANT_KIND, value.type, **{WEIGHT: name})

    def _output(self, number: int, type_: Any) -> Any:
        return _attributes(OUTPUT_KIND, type_, **{NAME: result_name(self.function, number)})

    def _buffer(self, value: Any) -> Any:
        return self.buffers[root_of(value)]

    def _launch(self, call: Any) -> None:
        """Launch a kernel in place of a call."""
        offsets = list(ir.DenseI64ArrayAttr(call.attributes[OFFSETS]))
        for value, offset in zip(call.results, offsets, strict=True):
            if offset == OUTPUT:
                self.buffers[value] = self.outputs[self.returned.index(value)]
            else:
                assert offset + bytes_of(value.type) <= self.arena_bytes
                start = arith.constant(ir.IndexType.get(), offset)
                self.buffers[value] = memref.ViewOp(flat_memref(value.type), self.arena, start, []).result
        name = ir.FlatSymbolRefAttr(call.attributes["callee"]).value
        shape = self.shapes[name]
        launch = gpu.LaunchFuncOp(
            [name, name],
            [self._index(extent) for extent in shape.grid],
            [self._index(extent) for extent in (shape.block, 1, 1)],
            [self._buffer(value) for value in call.operands] + [self.buffers[value] for value in call.results],
        )
        lds = sum(count * (ir.Type.parse(element).width // 8) for count, element in shape.lds)
        launch.operation.attributes[LDS_BYTES] = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), lds)

    def _index(self, value: int) -> Any:
        return arith.constant(ir.IndexType.get(), value)


def _attributes(kind: str, type_: Any, **names: str) -> Any:
    values: dict[str, Any] = {KIND: ir.StringAttr.get(kind)}
    if type_ is not None:
        values[TENSOR] = ir.TypeAttr.get(type_)
    values.update({name: ir.StringAttr.get(value) for name, value in names.items()})
    return ir.DictAttr.get(values)


def _named(function: Any, list_name: str, number: int) -> str | None:
    if list_name not in function.attributes:
        return None
    attributes = ir.DictAttr(ir.ArrayAttr(function.attributes[list_name])[number])
    return ir.StringAttr(attributes[NAME]).value if NAME in attributes else None


def argument_name(function: Any, number: int) -> str:
    """`fovea.name` of an argument, else its position as "arg0", "arg1", ..."""
    return _named(function, "arg_attrs", number) or f"arg{number}"


def result_name(function: Any, number: int) -> str:
    """`fovea.name` of a result, else its position as "result0", "result1", ..."""
    return _named(function, "res_attrs", number) or f"result{number}"
