# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A model cut at its quantised contractions, so that each can run in FP8 or not and only what follows runs again.

The function becomes a sequence of nodes: a contraction has two variants, one as quantisation leaves it (operands
through their quantize/dequantize pairs, behind it the correction of its bias) and one in the compute type; everything
between two contractions has one. Each variant is a function that the reference executor runs. Values that follow from
weights are computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.errors import InputError
from fovea.executor import Executor
from fovea.executor.folding import ConstantEvaluator
from fovea.executor.interpreter import check_input, entry_of, input_names
from fovea.passes import ir_utils as utils
from fovea.passes.constant_subtree import WeightLike, bytes_of, sources_of
from fovea.passes.contraction import identity_of
from fovea.passes.correct_bias import CORRECTION
from fovea.passes.padding import VIEWS, is_zero_pad

Array = np.ndarray[Any, Any]
CAPTURE = "fovea.capture"
_REBUILT = ("arith.constant", "tensor.empty", "linalg.fill")  # cheap: each function has its own
_SMALL = 1 << 10  # bytes of the largest constant that counts as cheap


@dataclass(frozen=True)
class Variant:
    """A function that computes a node: its name, and the slots of its arguments."""

    executor: Executor
    function: str
    inputs: tuple[int, ...]


@dataclass(frozen=True)
class Node:
    """A step of the cut model. contraction: its id, None for what lies between two. variants: by "is it in FP8"."""

    contraction: str | None
    variants: Mapping[bool, Variant]
    outputs: tuple[int, ...]


@dataclass
class Program:
    """The cut model. constants: the values of slots that are known beforehand. inputs: slot by name of the input."""

    nodes: list[Node]
    constants: dict[int, Array]
    inputs: dict[str, int]
    outputs: tuple[int, ...]
    types: dict[str, Any] = field(default_factory=dict)

    @property
    def contractions(self) -> list[str]:
        """Ids of the contractions that can be in FP8, in the order in which they run."""
        return [node.contraction for node in self.nodes if node.contraction is not None]

    def start(self, batch: Mapping[str, Array]) -> dict[int, Array]:
        """What the slots of constants and inputs hold."""
        given = {slot: check_input(name, batch[name], self.types[name]) for name, slot in self.inputs.items()}
        return {**self.constants, **given}


def cut(base: Any, quantised: Any, weights: Any, finish: Callable[[Any], None]) -> Program:
    """Cut a model. base: it with captures. quantised: a copy in which they have become quantize/dequantize pairs.

    finish(module): what becomes of contractions that are not in FP8 (the compute type), applied to the functions of the
    base. InputError if contractions that are to be searched are not in the entry function.
    """
    entry = entry_of(base)
    for function in utils.functions(base):
        if function.operation != entry.operation and any(op.name == CAPTURE for op in utils.body_ops(function)):
            name = ir.StringAttr(function.attributes["sym_name"]).value
            raise InputError(f"an accuracy budget needs the model in one function; @{name} has contractions of its own")
    return _Cutter(base, entry, quantised, weights).run(finish)


class _Cutter:
    def __init__(self, base: Any, entry: Any, quantised: Any, weights: Any) -> None:
        self.base, self.entry, self.weights = base, entry, weights
        self.quantised = {
            identity_of(op): op for op in utils.body_ops(entry_of(quantised)) if utils.is_linalg(op) and identity_of(op)
        }
        captures = [op for op in utils.body_ops(entry) if op.name == CAPTURE]
        self.alias = {op.results[0]: op.operands[0] for op in captures}
        by_id = {ir.StringAttr(op.attributes["id"]).value: op.operands[0] for op in captures}
        self.sources = {  # what a quantize op of the copy reads -> the same value of the base
            op.operands[0]: by_id[identity]
            for op in utils.body_ops(entry_of(quantised))
            if (identity := identity_of(op)) in by_id and op.name.startswith("fovea.quantize")
        }
        self.is_weight = {id(module): WeightLike() for module in (base, quantised)}
        self.slots: dict[Any, int] = {}
        self.constant: dict[Any, int] = {}  # values of either module that are computed once
        self.modules = {fp8: ir.Module.create(ir.Location.unknown(base.context)) for fp8 in (False, True)}
        self.copy = quantised

    def slot(self, value: Any) -> int:
        value = self.alias.get(value, value)
        if value not in self.slots:
            self.slots[value] = len(self.slots) + len(self.constant)
            if self.is_weight[id(self.base)](value):
                self.constant[value] = self.slots[value]
        return self.slots[value]

    def constant_slot(self, value: Any) -> int:
        """The slot of a constant of the quantised copy."""
        if value not in self.constant:
            self.constant[value] = len(self.slots) + len(self.constant)
        return self.constant[value]

    def run(self, finish: Callable[[Any], None]) -> Program:
        *ops, end = utils.body_ops(self.entry)
        pieces: list[tuple[str | None, list[Any]]] = [(None, [])]
        for op in ops:
            if op.name == CAPTURE or all(self.is_weight[id(self.base)](result) for result in op.results):
                continue
            identity = identity_of(op)
            if identity in self.quantised and any(self._is_captured(operand) for operand in utils.inputs_of(op)):
                pieces += [(identity, [op]), (None, [])]
            else:
                pieces[-1][1].append(op)
        pieces = [piece for piece in pieces if piece[1]]
        needed = self._needed(pieces, list(end.operands))
        plans = []
        for number, ((identity, members), outputs) in enumerate(zip(pieces, needed, strict=True)):
            name = f"piece_{number}"
            plans.append((identity, outputs, {False: (name, self._function(name, members, outputs))}))
            if identity is not None:
                plans[-1][2][True] = (name, self._quantised_function(name, members[0], self.quantised[identity]))
        finish(self.modules[False])
        executors = {fp8: Executor(module) for fp8, module in self.modules.items()}
        nodes = [
            Node(identity, {fp8: Variant(executors[fp8], name, inputs) for fp8, (name, inputs) in variants.items()},
                 tuple(self.slot(value) for value in outputs))
            for identity, outputs, variants in plans
        ]  # fmt: skip
        names = input_names(self.entry)
        arguments = {name: self.entry.arguments[position] for name, position in names.items()}
        inputs = {name: self.slot(value) for name, value in arguments.items()}
        results = tuple(self.slot(value) for value in end.operands)
        types = {name: value.type for name, value in arguments.items()}
        evaluator = {id(module): ConstantEvaluator(self.weights) for module in (self.base, self.copy)}
        constants: dict[int, Array] = {}
        for value, slot in self.constant.items():
            owner = self.base if value in self.slots else self.copy
            (constants[slot],) = evaluator[id(owner)].evaluate([value])
        return Program(nodes, constants, inputs, results, types)

    def _is_captured(self, value: Any) -> bool:
        """Whether a value of the base is a captured tensor, perhaps reshaped."""
        while value not in self.alias:
            op = utils.defining_op(value)
            if op is None or not (op.name in VIEWS or is_zero_pad(op)):
                return False
            value = op.operands[0]
        return True

    def _cones(self, contraction: Any) -> list[tuple[list[Any], list[Any]] | None]:
        """By input of a contraction of the base, what `_cone` gives for it in the copy; None where not captured."""
        copy = self.quantised[identity_of(contraction)]
        cones = []
        for value, operand in zip(utils.inputs_of(contraction), utils.inputs_of(copy), strict=True):
            quantised = self._is_captured(value) or self.is_weight[id(self.base)](value)
            cones.append(self._cone(operand) if quantised else None)
        return cones

    def _needed(self, pieces: Sequence[tuple[str | None, list[Any]]], results: Sequence[Any]) -> list[list[Any]]:
        """The values of each piece that later pieces read, or the model returns."""
        reads = {self.alias.get(value, value) for value in results}
        needed = []
        for identity, members in reversed(pieces):
            own = [result for op in members for result in op.results]
            needed.append([value for value in own if value in reads])
            for op in members:
                reads |= {self.alias.get(source, source) for source in sources_of(op)}
            if identity is not None:
                reads |= {self.sources[leaf] for cone in self._cones(members[0]) if cone for leaf in cone[1]}
        return needed[::-1]

    def _cone(self, value: Any) -> tuple[list[Any], list[Any]] | None:
        """(ops from captured tensors to `value` in order, the captured tensors), in the quantised copy.

        None if `value` is not quantised. A constant has no ops: it is computed once.
        """
        if self.is_weight[id(self.copy)](value):
            op = utils.defining_op(value)
            return ([], []) if op is not None and _is_quantised_constant(op) else None
        seen: set[Any] = set()
        ops: list[Any] = []
        leaves: list[Any] = []
        quantised = False

        def visit(current: Any) -> bool:
            nonlocal quantised
            if current in seen or self.is_weight[id(self.copy)](current):
                return True
            seen.add(current)
            op = utils.defining_op(current)
            if op is not None and op.name.startswith("fovea.quantize"):
                quantised = True
            if current in self.sources:
                leaves.append(current)
                return True
            if op is None or not all(visit(source) for source in sources_of(op)):
                return False
            ops.append(op)
            return True

        return (ops, leaves) if visit(value) and quantised else None

    def _function(self, name: str, members: Sequence[Any], outputs: Sequence[Any]) -> tuple[int, ...]:
        inside = {result for op in members for result in op.results}
        rebuilt: dict[Any, None] = {}
        outer: dict[Any, None] = {}
        for op in members:
            for source in sources_of(op):
                source = self.alias.get(source, source)
                if source not in inside:
                    self._sort_source(source, rebuilt, outer)
        arguments = list(outer)
        self._build(self.modules[False], name, arguments, list(rebuilt), members, outputs)
        return tuple(self.slot(value) for value in arguments)

    def _sort_source(self, value: Any, rebuilt: dict[Any, None], outer: dict[Any, None]) -> None:
        """Whether a function makes a value itself, or takes it as an argument."""
        if not _is_cheap(value):
            outer[value] = None
            return
        for source in sources_of(utils.defining_op(value)):
            self._sort_source(source, rebuilt, outer)
        rebuilt[value] = None

    def _quantised_function(self, name: str, contraction: Any, copy: Any) -> tuple[int, ...]:
        """The quantised variant of a contraction: its operands' pairs, then itself."""
        arguments: list[Any] = []  # values of the copy
        slots: list[int] = []
        ops: list[Any] = []
        rebuilt: dict[Any, None] = {}

        def argument(value: Any, slot: int) -> None:
            if value not in arguments:
                arguments.append(value)
                slots.append(slot)

        cones = [*self._cones(contraction), *[None] * len(utils.outputs_of(copy))]
        for position, (operand, cone) in enumerate(zip(copy.operands, cones, strict=True)):
            if cone is None:
                argument(operand, self.slot(contraction.operands[position]))
            elif self.is_weight[id(self.copy)](operand):
                argument(operand, self.constant_slot(operand))
            else:
                for leaf in cone[1]:
                    argument(leaf, self.slot(self.sources[leaf]))
                ops += [op for op in cone[0] if op not in ops]
        behind = _correction_of(copy)
        for op in [*ops, copy, *behind]:
            for source in sources_of(op):
                if source not in arguments and self.is_weight[id(self.copy)](source):
                    outer: dict[Any, None] = {}
                    self._sort_source(source, rebuilt, outer)
                    for value in outer:
                        argument(value, self.constant_slot(value))
        self._build(self.modules[True], name, arguments, list(rebuilt), [*ops, copy, *behind],
                    [[copy, *behind][-1].results[0]])  # fmt: skip
        return tuple(slots)

    def _build(
        self, module: Any, name: str, arguments: Sequence[Any], rebuilt: Sequence[Any], members: Sequence[Any],
        outputs: Sequence[Any],
    ) -> None:  # fmt: skip
        """Add a function that copies `members` to a module."""
        context = module.context
        with context, ir.Location.unknown(context), ir.InsertionPoint(module.body):
            type_ = ir.FunctionType.get([v.type for v in arguments], [v.type for v in outputs])
            function = ir.Operation.create(
                "func.func",
                attributes={"sym_name": ir.StringAttr.get(name), "function_type": ir.TypeAttr.get(type_)},
                regions=1,
            )
            block = ir.Block.create_at_start(function.regions[0], [v.type for v in arguments])
            mapping = dict(zip(arguments, block.arguments, strict=True))
            with ir.InsertionPoint(block):
                for value in rebuilt:
                    utils.clone_op(utils.defining_op(value), mapping)
                for op in members:
                    for source in sources_of(op):
                        if source in self.alias:
                            mapping[source] = mapping[self.alias[source]]
                    utils.clone_op(op, mapping)
                ir.Operation.create("func.return", operands=[mapping[value] for value in outputs])


def _correction_of(contraction: Any) -> list[Any]:
    """The op that corrects the bias of a contraction's result, if there is one."""
    users = [use.owner.operation for use in contraction.results[0].uses]
    return users if len(users) == 1 and CORRECTION in users[0].attributes else []


def _is_cheap(value: Any) -> bool:
    op = utils.defining_op(value)
    if op is None or op.name not in _REBUILT:
        return False
    return op.name != "arith.constant" or bytes_of(value) <= _SMALL


def _is_quantised_constant(op: Any) -> bool:
    """Whether a constant's value has passed a dequantize op, through reshapes."""
    while op is not None:
        if op.name.startswith("fovea.dequantize"):
            return True
        op = utils.defining_op(op.operands[0]) if op.operands else None
    return False
