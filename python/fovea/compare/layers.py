# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each contraction of the quantised model against the same one of the float model, on the reference executor.

Of each: the SQNR of its output, which has the errors of all layers before in it; the SQNR of the tensors that it reads;
and the error that it makes by itself, split into its causes (`fovea.compare.split`). Only sums are kept from batch to
batch; within a batch, the outputs of all contractions and the tensors that they read are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.compare.metrics import Ratio, decibels, difference, energy
from fovea.compare.operands import OperandPath, path_of
from fovea.compare.split import PARTS, TOTAL, Operand, operand, split_error
from fovea.executor import Executor
from fovea.executor.folding import ConstantEvaluator
from fovea.executor.handlers import Array
from fovea.executor.interpreter import check_input, entry_of, input_names
from fovea.passes import ir_utils as utils
from fovea.passes.contraction import SIDES, identity_of, is_convolution, is_product, shape_of
from fovea.passes.contraction_layout import is_contraction
from fovea.twins import FLOAT, QUANTISED, OpenTwins
from fovea.weights import WeightStore

_CAPTURE = "fovea.capture"


@dataclass
class LayerSums:
    """One contraction over all batches. inputs: of each activation operand. parts: sums of squares of the parts of its
    own error, empty if it is not quantised."""

    id: str
    location: str
    shape: Mapping[str, int]
    storage: str
    output: Ratio = field(default_factory=Ratio)
    inputs: dict[str, Ratio] = field(default_factory=dict)
    own_signal: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)

    @property
    def input_sqnr(self) -> float:
        """The least SQNR of the tensors that it reads."""
        return min((ratio.sqnr for ratio in self.inputs.values()), default=float("inf"))

    def own_sqnr(self, part: str = TOTAL) -> float:
        """The SQNR of its output if a part of its own error (all of it by default) were the only one."""
        return decibels(self.own_signal, self.parts.get(part, 0.0))

    @property
    def main_cause(self) -> str | None:
        """The largest part of its own error, None without one."""
        largest = max(PARTS, key=lambda part: self.parts.get(part, 0.0))
        return largest if self.parts.get(largest) else None


@dataclass(frozen=True)
class _Side:
    """One operand of a contraction in both modules."""

    name: str
    path: OperandPath  # in the quantised module
    float_root: Any  # the value of the float module that `path.root` is there, None if it is not known
    weight: Operand | None  # of an operand that is constant


@dataclass(frozen=True)
class _Layer:
    sums: LayerSums
    float_op: Any
    op: Any
    sides: tuple[_Side, ...]

    @property
    def quantised(self) -> bool:
        return any(side.path.quantised for side in self.sides)


class LayerComparison:
    """Runs both forms of a model, batch by batch."""

    def __init__(self, twins: OpenTwins) -> None:
        self.twins = twins
        self._constants = {kind: ConstantEvaluator(twins.weights[kind]) for kind in (FLOAT, QUANTISED)}
        self._layers = self._find_layers()
        self._limits: dict[tuple[str, str], Array] = {}
        self._float = _Tap(twins.modules[FLOAT], twins.weights[FLOAT])
        self._quantised = _Tap(twins.modules[QUANTISED], twins.weights[QUANTISED])
        for layer in self._layers:
            roots = [(side.float_root, side.path.root) for side in layer.sides if side.float_root is not None]
            self._float.watch(layer.float_op, [f for f, _ in roots], self._on_float, layer)
            self._quantised.watch(layer.op, [q for _, q in roots], self._on_quantised, layer)
        self._pending: dict[str, deque[tuple[Array, list[Array]]]] = {}

    @property
    def layers(self) -> list[LayerSums]:
        """What was seen so far, in the order of the program."""
        return [layer.sums for layer in self._layers]

    def run(self, inputs: Mapping[str, Array]) -> tuple[list[Array], list[Array]]:
        """Add a batch; the outputs of the float form and of the quantised one."""
        self._pending = {layer.sums.id: deque() for layer in self._layers}
        outputs = self._float.run(inputs), self._quantised.run(inputs)
        self._pending = {}
        return outputs

    def _find_layers(self) -> list[_Layer]:
        floats, quantised = (_contractions(self.twins.modules[kind]) for kind in (FLOAT, QUANTISED))
        captures = {ir.StringAttr(op.attributes["id"]).value: op.operands[0] for op in _ops(self.twins.modules[FLOAT])
                    if op.name == _CAPTURE}  # fmt: skip
        layers = []
        for id_, op in quantised.items():
            if id_ not in floats or len(utils.inputs_of(op)) != len(SIDES):
                continue
            sides = tuple(self._side(n, floats[id_].operands[n], op.operands[n], captures) for n in range(len(SIDES)))
            storage = next((side.path.storage for side in sides if side.path.storage), "")
            sums = LayerSums(id_, str(op.location), shape_of(op) if is_product(op) else {}, storage)
            layers.append(_Layer(sums, floats[id_], op, sides))
        for kind in self._constants:  # their values are in the layers now
            self._constants[kind] = ConstantEvaluator(self.twins.weights[kind])
        return layers

    def _side(self, number: int, float_value: Any, value: Any, captures: Mapping[str, Any]) -> _Side:
        constants, float_constants = self._constants[QUANTISED], self._constants[FLOAT]
        path = path_of(value, constants)
        if float_constants.is_constant(float_value) and constants.is_constant(value):
            exact, found = float_constants.evaluate([float_value])[0], constants.evaluate([value])[0]
            real = path.quantised and str(path.root.type.element_type) != path.storage
            largest = path.largest(constants.evaluate([path.root])[0], constants) if real else None
            return _Side(SIDES[number], path, None, operand(exact, found, largest, True))
        root = float_value
        if path.quantised:
            root = captures.get(path.identity or "")
        return _Side(SIDES[number], path, root, None)

    def _on_float(self, layer: _Layer, output: Array, roots: list[Array]) -> None:
        self._pending[layer.sums.id].append((output.copy(), roots))
        if not layer.quantised or any(side.weight is None and side.float_root is None for side in layer.sides):
            return
        constants = self._constants[QUANTISED]
        given = iter(roots)
        operands = [side.weight or self._activation(layer, side, next(given)) for side in layer.sides]
        if any(list(x.exact.shape) != list(v.type.shape) for x, v in zip(operands, layer.op.operands, strict=False)):
            return
        for part, value in split_error(layer.op, operands, constants).items():
            layer.sums.parts[part] = layer.sums.parts.get(part, 0.0) + value
        layer.sums.own_signal += energy(output)

    def _activation(self, layer: _Layer, side: _Side, root: Array) -> Operand:
        constants, path = self._constants[QUANTISED], side.path
        exact = path.run(root, constants, quantise=False)
        if not path.quantised:
            return operand(exact, exact, None, False)
        key = (layer.sums.id, side.name)
        if path.dynamic or key not in self._limits:
            self._limits[key] = path.largest(root, constants)
        return operand(exact, path.run(root, constants), self._limits[key], False)

    def _on_quantised(self, layer: _Layer, output: Array, roots: list[Array]) -> None:
        if not self._pending[layer.sums.id]:
            return
        wanted, float_roots = self._pending[layer.sums.id].popleft()
        layer.sums.output.add(wanted, difference(output, wanted))
        names = [side.name for side in layer.sides if side.float_root is not None]
        for name, root, reference in zip(names, roots, float_roots, strict=True):
            layer.sums.inputs.setdefault(name, Ratio()).add(reference, difference(root, reference))


class _Tap:
    """A module on the executor, with what some of its ops read and give."""

    def __init__(self, module: Any, weights: WeightStore) -> None:
        self.module = module
        self._executor = Executor(module, weights, on_value=self._on_value)
        self._watched: dict[Any, tuple[list[Any], Any, Any]] = {}  # by first result
        self._wanted: set[Any] = set()
        self._held: dict[Any, Array] = {}

    def watch(self, op: Any, reads: list[Any], callback: Any, layer: _Layer) -> None:
        """Call `callback(layer, output, values of reads)` after each run of `op`."""
        self._watched[op.results[0]] = (reads, callback, layer)
        self._wanted.update(reads)

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        entry = entry_of(self.module)
        arguments = {entry.arguments[position]: name for name, position in input_names(entry).items()}
        self._held = {value: check_input(name, inputs[name], value.type) for value, name in arguments.items()
                      if value in self._wanted and name in inputs}  # fmt: skip
        outputs = self._executor.run(inputs)
        self._held = {}
        return outputs

    def _on_value(self, op: Any, results: list[Array]) -> None:
        for value, array in zip(op.results, results, strict=True):
            if value in self._wanted:
                self._held[value] = array.copy()
        if len(results) == 1 and op.results[0] in self._watched:
            reads, callback, layer = self._watched[op.results[0]]
            if all(value in self._held for value in reads):
                callback(layer, results[0], [self._held[value] for value in reads])


def _ops(module: Any) -> Iterable[Any]:
    for function in utils.functions(module):
        yield from utils.body_ops(function)


def _contractions(module: Any) -> dict[str, Any]:
    """The contractions and convolutions that have an id, by it, in the order of the program."""
    found = {}
    for op in _ops(module):
        id_ = identity_of(op) if op.name.startswith("linalg.") else None
        if id_ is not None and (is_contraction(op) or is_convolution(op)):
            found[id_] = op
    return found


def compare_layers(twins: OpenTwins, batches: Iterable[Mapping[str, Array]]) -> list[LayerSums]:
    """What each contraction of a model's quantised form does to its output, over `batches` of inputs by name."""
    comparison = LayerComparison(twins)
    for batch in batches:
        comparison.run({name: np.asarray(array) for name, array in batch.items()})
    return comparison.layers
