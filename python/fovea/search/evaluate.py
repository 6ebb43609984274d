# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The outputs of a model with a given set of contractions in FP8, as it would be compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from fovea.executor import Executor
from fovea.executor.pieces import one_blas_thread, threads
from fovea.search.program import Node, Program, cut

Array = np.ndarray[Any, Any]
Pass = Callable[[Any], None]
MEMORY = 1 << 30
"""Bytes of intermediate values that are kept, so that what has not changed is not computed again."""


class Evaluator:
    """Runs a model on batches with any set of its captured contractions in FP8.

    module: with calibrated captures; it is not changed. quantise(copy): makes captures and weights quantize/dequantize
    pairs, by the options and with the rounding of weights that the compilation uses. finish(module): brings
    contractions that are not in FP8 into the compute type. fuse(copy): what is done to attention before that.
    """

    def __init__(
        self, module: Any, weights: Any, batches: Sequence[Mapping[str, Array]], quantise: Pass, finish: Pass,
        fuse: Pass = lambda module: None,
    ) -> None:  # fmt: skip
        base, quantised = module.operation.clone(), module.operation.clone()
        self.references = [Executor(module, weights).run(batch) for batch in batches]
        quantise(quantised)
        fuse(base)
        self._program: Program = cut(base, quantised, weights, finish)
        self._keep_alive = (base, quantised)
        self._starts = [self._program.start(batch) for batch in batches]
        self._last_reads = _last_reads(self._program)
        # By batch, by node: its variant, its inputs, its outputs.
        self._trails: list[list[tuple[bool, list[Array], list[Array]]]] = [[] for _ in batches]
        self._keeps = True

    @property
    def contractions(self) -> list[str]:
        """Ids of the contractions that can be in FP8, in the order in which they run."""
        return self._program.contractions

    def __call__(self, in_fp8: frozenset[str], remember: bool = False) -> list[list[Array]]:
        """The outputs for each batch. remember: later calls that begin alike start from this one."""
        remember = remember and self._keeps
        batches = range(len(self._starts))
        with one_blas_thread(), ThreadPoolExecutor(min(len(batches), threads()), "fovea-search") as pool:
            outputs = list(pool.map(lambda batch: self._run(batch, in_fp8, remember), batches))
        if remember:
            self._limit_memory()
        return outputs

    def _run(self, batch: int, in_fp8: frozenset[str], remember: bool) -> list[Array]:
        values = dict(self._starts[batch])
        old = self._trails[batch]
        trail: list[tuple[bool, list[Array], list[Array]]] = []
        for number, node in enumerate(self._program.nodes):
            fp8 = node.contraction in in_fp8
            inputs = [values[slot] for slot in node.variants[fp8].inputs]
            outputs = _same(old[number], fp8, inputs) if old else None
            if outputs is None:
                outputs = _compute(node, fp8, inputs)
            values.update(zip(node.outputs, outputs, strict=True))
            if remember:
                trail.append((fp8, inputs, outputs))
            for slot in self._last_reads[number]:
                del values[slot]
        if remember:
            self._trails[batch] = trail
        return [values[slot] for slot in self._program.outputs]

    def _limit_memory(self) -> None:
        kept = {id(a): a.nbytes for trail in self._trails for _, _, outputs in trail for a in outputs}
        if sum(kept.values()) > MEMORY:
            self._trails = [[] for _ in self._trails]
            self._keeps = False


def _same(entry: tuple[bool, list[Array], list[Array]], fp8: bool, inputs: Sequence[Array]) -> list[Array] | None:
    """The outputs of an earlier run of a node if this one would be the same."""
    before, read, outputs = entry
    return outputs if before == fp8 and all(a is b for a, b in zip(read, inputs, strict=True)) else None


def _compute(node: Node, fp8: bool, inputs: Sequence[Array]) -> list[Array]:
    variant = node.variants[fp8]
    return variant.executor.run(inputs, variant.function)


def _last_reads(program: Program) -> list[list[int]]:
    """By node, the slots that nothing reads after it."""
    alive = {*program.outputs, *program.constants}
    result = []
    for node in reversed(program.nodes):
        used = {slot for variant in node.variants.values() for slot in variant.inputs} | set(node.outputs)
        result.append(sorted(used - alive))
        alive |= used
    return result[::-1]
