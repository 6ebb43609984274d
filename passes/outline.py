# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Moving the ops of each kernel group into a private function of its own, equal ones once."""

from __future__ import annotations

from typing import Any

from fovea.bindings import func, ir
from fovea.codegen.kernel import HERO
from fovea.codegen.registry import KIND
from fovea.codegen.rowwise import COLUMNS, ROWS
from fovea.passes import ir_utils as utils
from fovea.passes.kernel_groups import Group, Grouping, is_view, reads
from fovea.passes.scale_parameters import PARAMETER


def is_splat(op: Any) -> bool:
    """Whether kernels write an arith.constant down: it is a scalar or holds one value everywhere, in a type that has
    literals, and is not marked as a parameter."""
    if PARAMETER in op.attributes:
        return False
    attribute = op.attributes["value"]
    if not utils.is_tensor(op.results[0].type):
        return True
    element = str(op.results[0].type.element_type)
    return isinstance(attribute, ir.DenseElementsAttr) and attribute.is_splat and not element.startswith("f8")


def schedule(groups: list[Group]) -> list[Group]:
    """Groups so that each comes after those it needs, otherwise in their order."""
    done: list[Group] = []
    pending = list(groups)
    while pending:
        ready = next(group for group in pending if not group.needs - set(done))
        pending.remove(ready)
        done.append(ready)
    return done


class Outliner:
    """Rewrites one function into calls of kernel functions."""

    def __init__(self, module: Any, grouping: Grouping) -> None:
        self.module, self.grouping = module, grouping
        self.function = grouping.function
        self.kernels: dict[str, str] = {}  # text of a kernel function without its name -> name
        self.current: dict[Any, Any] = {}  # value of the old body -> value of the new one
        body = self.function.regions[0].blocks[0]
        self.terminator = list(body.operations)[-1]

    def run(self) -> None:
        """Outline every group, then erase the old ops."""
        old = [op for op in utils.body_ops(self.function) if op != self.terminator]
        wanted = self._used_outside()
        for group in schedule(self.grouping.groups):
            self._outline(group, [v for v in wanted if self.grouping.group_of[utils.defining_op(v)] is group])
        for position, value in enumerate(self.terminator.operands):
            self.terminator.operands[position] = self._value(value)
        for op in reversed(old):
            op.erase()

    def _used_outside(self) -> list[Any]:
        """Results of group members that something outside their group reads, in program order."""
        wanted: dict[Any, None] = {}
        for op in [*self.grouping.group_of, *self.grouping.inlined, self.terminator]:
            group = self.grouping.group_of.get(op)
            values = list(op.operands) if group is None else reads(op)
            for value in values:
                root = self.grouping.root(value)
                home = self.grouping.home(root)
                if home is not None and home is not group:
                    wanted[root] = None
        return list(wanted)

    # -- values in the new body ---------------------------------------------------------------------------------

    def _value(self, value: Any) -> Any:
        """`value` in the new body: an argument, a call's result, a view of one, or a constant."""
        op = utils.defining_op(value)
        if op is None:
            return value
        if value not in self.current:
            if is_view(op):
                self._value(op.operands[0])
            with ir.InsertionPoint(self.terminator):
                utils.clone_op(op, self.current)
        return self.current[value]

    # -- one kernel ---------------------------------------------------------------------------------------------

    def _is_external(self, value: Any, group: Group) -> bool:
        """Whether a kernel of `group` takes `value` as an argument."""
        root = self.grouping.root(value)
        op = utils.defining_op(root)
        if op is None:
            return True
        home = self.grouping.group_of.get(op)
        if home is not None:
            return home is not group
        return op.name == "arith.constant" and not is_splat(op)

    def _collect(self, group: Group, outputs: list[Any]) -> tuple[list[Any], list[Any]]:
        """External values that the group reads, and all ops to copy, in program order."""
        external: dict[Any, None] = {}
        ops: dict[Any, None] = {}

        def visit(value: Any) -> None:
            if utils.is_tensor(value.type) and self._is_external(value, group):
                external[value] = None
                return
            op = utils.defining_op(value)
            if op is None or op in ops:
                return
            for operand in [*op.operands, *(v for inner in utils.nested_ops(op) for v in inner.operands)]:
                if not self._inside(operand, op):
                    visit(operand)
            ops[op] = None

        for value in outputs:
            visit(value)
        return list(external), list(ops)

    @staticmethod
    def _inside(value: Any, op: Any) -> bool:
        """Whether `value` is defined in a region of `op`."""
        owner = value.owner
        parent = owner.owner.operation if isinstance(owner, ir.Block) else owner.operation.parent
        while parent is not None:
            if parent.operation == op.operation:
                return True
            parent = parent.operation.parent
        return False

    def _outline(self, group: Group, outputs: list[Any]) -> None:
        external, ops = self._collect(group, outputs)
        inputs = [value.type for value in external]
        results = [value.type for value in outputs]
        with ir.InsertionPoint.at_block_begin(self.module.body), group.hero.location:
            kernel = func.FuncOp("kernel", (inputs, results), visibility="private")
            block = kernel.add_entry_block()
        mapping = dict(zip(external, block.arguments, strict=True))
        hero = None
        with ir.InsertionPoint(block):
            for op in ops:
                copy = utils.clone_op(op, mapping)
                if op == group.hero:
                    hero = copy
            func.ReturnOp([mapping[value] for value in outputs])
        attributes = kernel.operation.attributes
        attributes[KIND] = ir.StringAttr.get(group.kind)
        if group.kind == "rowwise":
            i64 = ir.IntegerType.get_signless(64)
            attributes[ROWS] = ir.IntegerAttr.get(i64, group.rows)
            attributes[COLUMNS] = ir.IntegerAttr.get(i64, group.columns)
        elif hero is not None:
            hero.attributes[HERO] = ir.UnitAttr.get()
        text = str(kernel)
        if text in self.kernels:
            kernel.operation.erase()
        else:
            self.kernels[text] = f"{group.kind}_{len(self.kernels)}"
            attributes["sym_name"] = ir.StringAttr.get(self.kernels[text])
            kernel.operation.move_before(self.function)
        arguments = [self._value(value) for value in external]
        with ir.InsertionPoint(self.terminator), group.hero.location:
            symbol = ir.FlatSymbolRefAttr.get(self.kernels[text])
            call = func.CallOp(results, symbol, arguments)
        self.current.update(zip(outputs, call.results, strict=True))
