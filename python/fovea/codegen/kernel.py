# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The frame of a GPU kernel: its module and function, its buffers, thread indices, LDS, and the storing of results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from typing import Any

from fovea.bindings import arith, gpu, ir, scf
from fovea.codegen import fp8, scalar
from fovea.codegen.domain import Step, follow
from fovea.codegen.elemental import Elemental
from fovea.codegen.indexing import Index, IndexBuilder
from fovea.codegen.types import lanes_of, storage_type
from fovea.errors import CompileError
from fovea.target import Chip

HERO = "fovea.hero"  # unit attribute on the op whose index space a kernel walks


@dataclass(frozen=True)
class LaunchShape:
    """Workgroups and work-items of a launch, and the LDS buffers of a workgroup as (elements, element type) pairs."""

    grid: tuple[int, int, int]
    block: int
    lds: tuple[tuple[int, str], ...] = ()


@dataclass
class Kernel:
    """A kernel being written. `function` is the kernel function on tensors, `module` the gpu.module made for it."""

    function: Any
    chip: Chip
    shape: LaunchShape
    index: IndexBuilder = field(default_factory=IndexBuilder)

    def __post_init__(self) -> None:
        name = ir.StringAttr(self.function.attributes["sym_name"]).value
        tensors = [argument.type for argument in self.function.arguments]
        tensors += [value.type for value in self.returned]
        parameters = ", ".join(
            f"%p{i}: memref<{prod(t.shape)}x{storage_type(t.element_type)}> {{llvm.noalias}}"
            for i, t in enumerate(tensors)
        )
        lds = ", ".join(
            f"%lds{i} : memref<{count}x{element}, #gpu.address_space<workgroup>>"
            for i, (count, element) in enumerate(self.shape.lds)
        )
        sizes = f"known_block_size = array<i32: {self.shape.block}, 1, 1>, known_grid_size = array<i32: " + (
            ", ".join(map(str, self.shape.grid)) + ">"
        )
        text = f"""
            gpu.module @{name} {{
              gpu.func @{name}({parameters}) {f"workgroup({lds})" if lds else ""} kernel attributes {{{sizes}}} {{
                gpu.return
              }}
            }}"""
        self.module = ir.Module.parse(text, self.function.context)
        self.gpu_module = self.module.body.operations[0]
        gpu_function = self.gpu_module.regions[0].blocks[0].operations[0]
        self.body = gpu_function.regions[0].blocks[0]
        buffers = list(self.body.arguments)
        self.lds = buffers[len(tensors) :]
        self.elemental = Elemental(self.index)
        count = len(list(self.function.arguments))
        self.elemental.buffers.update(zip(self.function.arguments, buffers[:count], strict=True))
        self.outputs = list(zip(self.returned, buffers[count : len(tensors)], strict=True))

    @property
    def returned(self) -> list[Any]:
        """The tensors that the kernel function returns."""
        block = self.function.regions[0].blocks[0]
        return list(block.operations[len(block.operations) - 1].operands)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Build ops at the end of the kernel's body."""
        block = self.body
        place = ir.InsertionPoint(block.operations[len(block.operations) - 1])
        with place, self.function.location, fp8.for_chip(self.chip):
            yield

    def thread(self) -> Index:
        """Work-item number in its workgroup."""
        return gpu.thread_id(gpu.Dimension.x)

    def workgroup(self, dim: str) -> Index:
        """Workgroup number along "x", "y" or "z"; 0 where the grid has extent 1."""
        if self.shape.grid["xyz".index(dim)] == 1:
            return 0
        return gpu.block_id(getattr(gpu.Dimension, dim))

    @contextmanager
    def when(self, condition: Any) -> Iterator[None]:
        """Build ops that run where `condition` (an i1 value, or a Python bool that is True) holds."""
        if condition is True:
            yield
            return
        branch = scf.IfOp(condition)
        with ir.InsertionPoint(branch.then_block), self.index.scope():
            yield
            scf.YieldOp([])

    def loop(
        self,
        count: Index,
        carried: Sequence[Any],
        body: Callable[[Index, Sequence[Any]], Sequence[Any]],
        step: int = 1,
        start: Index = 0,
    ) -> list[Any]:
        """`for i in range(start, count, step)` with carried values; `body(i, carried)` gives the next ones."""
        value = self.index.value
        loop = scf.ForOp(value(start), value(count), value(step), list(carried))
        with ir.InsertionPoint(loop.body), self.index.scope():
            i = self.index.assume_multiple(loop.induction_variable, step if start == 0 else 1)
            scf.YieldOp(list(body(i, list(loop.inner_iter_args))))
        return list(loop.results)

    def store_following(
        self,
        computed: Mapping[Any, Any],
        paths: dict[Any, tuple[Step, ...]],
        indices: Sequence[Index],
        lanes: int | None,
        width: int,
    ) -> None:
        """Store all results at the place that follows from `indices` of the kernel's hero.

        `computed` are values of tensors there: vectors of `width` along dim `lanes`, or scalars. All else is emitted.
        """
        for tensor, buffer in self.outputs:
            steps = paths.get(tensor)
            if steps is None:
                raise CompileError(f"{self.function.location}: a result does not follow from the kernel's hero")
            place = follow(steps, self.index, (tuple(indices), lanes), width)
            if place is not None:
                self._store_at(computed, tensor, buffer, place, width)
                continue
            assert lanes is not None
            for i in range(width):
                moved = list(indices)
                moved[lanes] = self.index.add(moved[lanes], i)
                single = follow(steps, self.index, (tuple(moved), None), 1)
                assert single is not None
                parts = {known: scalar.lane(fragment, i) for known, fragment in computed.items()}
                self._store_at(parts, tensor, buffer, single, 1)

    def _store_at(self, computed: Mapping[Any, Any], tensor: Any, buffer: Any, place: Any, width: int) -> None:
        indices, lanes = place
        with self.index.scope():
            for known, fragment in computed.items():
                self.elemental.overrides[known] = lambda *_, fragment=fragment: fragment
            value = self.elemental.emit(tensor, indices, lanes, width)
            if lanes is not None:
                value = scalar.broadcast(value, width)
            elif lanes_of(value) is not None:
                value = scalar.lane(value, 0)
            self.elemental.store(value, buffer, tensor, indices, lanes)
            for known in computed:
                del self.elemental.overrides[known]

    def barrier(self) -> None:
        """Wait for all waves of the workgroup, and for their LDS accesses."""
        gpu.barrier()

    def and_all(self, conditions: Sequence[Any]) -> Any:
        """Conjunction of i1 values and Python bools."""
        result: Any = True
        for condition in conditions:
            if condition is True:
                continue
            result = condition if result is True else arith.andi(result, condition)
        return result


def find_hero(function: Any) -> Any:
    """The op of a kernel function that carries the hero mark."""
    for op in function.regions[0].blocks[0].operations:
        if HERO in op.attributes:
            return op
    raise CompileError(f"{function.location}: kernel function without an op marked '{HERO}'")


def vector_width(extent: int, bytes_: int) -> int:
    """Elements of a 16-byte access, fewer where `extent` is not a multiple."""
    width = max(16 // bytes_, 1)
    while width > 1 and extent % width:
        width //= 2
    return width


def each_item(
    function: Any,
    chip: Chip,
    shape: Sequence[int],
    bytes_: int,
    block: int,
    write: Callable[[Kernel, tuple[Index, ...], int | None, int], None],
) -> Kernel:
    """A kernel in which each work-item does a short vector of consecutive elements of `shape`.

    `write(kernel, indices, lanes, width)` builds the work at `indices` for `width` elements along dim `lanes` (None
    for one). Vectors are 16 bytes of elements of `bytes_`, fewer where the innermost extent is not a multiple.
    """
    inner = max((axis for axis, extent in enumerate(shape) if extent != 1), default=None)
    width = vector_width(shape[inner], bytes_) if inner is not None else 1
    items = prod(shape) // width
    kernel = Kernel(function, chip, LaunchShape((-(-items // block), 1, 1), block))
    index = kernel.index
    with kernel.writing():
        item = index.add(index.mul(kernel.workgroup("x"), block), kernel.thread())
        with kernel.when(index.less(item, items) if items % block else True):
            indices = index.delinearize(index.mul(item, width), shape)
            write(kernel, indices, inner if width > 1 else None, width)
    return kernel
