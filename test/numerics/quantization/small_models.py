# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small models as MLIR text, and running passes on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fovea.bindings import ir
from fovea.dialect import register
from fovea.passes.registry import PassContext, lookup

Array = np.ndarray[Any, Any]

_ID = "affine_map<(d0, d1) -> (d0, d1)>"
_ROW = "affine_map<(d0, d1) -> (d0, 0)>"
_PARALLEL = '"parallel", "parallel"'
_REDUCE = '"parallel", "reduction"'


def parse(text: str) -> Any:
    """A module in a context of its own, with the fovea dialect."""
    context = ir.Context()
    register(context)
    return ir.Module.parse(text, context)


def run_passes(
    module: Any, *passes: str | tuple[str, Mapping[str, Any]], context: PassContext | None = None
) -> PassContext:
    """Run passes (name, or name and options; without `fovea-`), verifying after each; returns their context."""
    context = context if context is not None else PassContext()
    for item in passes:
        name, options = (item, {}) if isinstance(item, str) else item
        lookup(f"fovea-{name}")(**options).run(module, context)
        assert module.operation.verify()
    return context


def ops_named(module: Any, name: str) -> list[Any]:
    """All ops of that name below the module."""
    found: list[Any] = []

    def visit(op: Any) -> Any:
        if op.name == name:
            found.append(op)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    return found


def linear(m: int, n: int, k: int, kind: str = "f32", weight: bool = True) -> str:
    """torch's Linear without bias: x . transpose(w), m x k by n x k, in one float type."""
    attribute = ' {fovea.weight = "fc.weight"}' if weight else ""
    return f"""
func.func @main(%x: tensor<{m}x{k}x{kind}>, %w: tensor<{n}x{k}x{kind}>{attribute}) -> tensor<{m}x{n}x{kind}> {{
  %zero = arith.constant 0.0 : {kind}
  %e = tensor.empty() : tensor<{k}x{n}x{kind}>
  %t = linalg.transpose ins(%w : tensor<{n}x{k}x{kind}>) outs(%e : tensor<{k}x{n}x{kind}>) permutation = [1, 0]
  %o = tensor.empty() : tensor<{m}x{n}x{kind}>
  %f = linalg.fill ins(%zero : {kind}) outs(%o : tensor<{m}x{n}x{kind}>) -> tensor<{m}x{n}x{kind}>
  %r = linalg.matmul ins(%x, %t : tensor<{m}x{k}x{kind}>, tensor<{k}x{n}x{kind}>)
                     outs(%f : tensor<{m}x{n}x{kind}>) -> tensor<{m}x{n}x{kind}>
  return %r : tensor<{m}x{n}x{kind}>
}}"""


class _Rows:
    """Builds a function on rows in one float type; each method adds an op and returns the name of its result."""

    def __init__(self, rows: int, columns: int, kind: str) -> None:
        self.kind, self.shapes = kind, {"full": f"{rows}x{columns}", "row": f"{rows}x1"}
        self.lines: list[str] = []
        self.types: dict[str, str] = {"%x": "f32"}  # element types of values

    def op(
        self, operands: list[tuple[str, str]], result: str, body: str, out: str | None = None, kind: str = ""
    ) -> str:
        """A generic on `operands` (value and "full" or "row"); a reduction if it starts from `out`."""
        name = f"%v{len(self.lines)}"
        kind = kind or self.kind
        reduces = out is not None
        maps = [_ROW if shape == "row" and (result == "full" or reduces) else _ID for _, shape in operands]
        maps.append(_ROW if reduces else _ID)
        types = [f"tensor<{self.shapes[shape]}x{self.types.get(v, self.kind)}>" for v, shape in operands]
        target = f"tensor<{self.shapes[result]}x{kind}>"
        arguments = ", ".join(f"%a{i}: {self.types.get(v, self.kind)}" for i, (v, _) in enumerate(operands))
        init = out or f"%e_{result}_{kind}"
        self.lines.append(
            f"{name} = linalg.generic {{indexing_maps = [{', '.join(maps)}], "
            f"iterator_types = [{_REDUCE if reduces else _PARALLEL}]}} ins({', '.join(v for v, _ in operands)} : "
            f"{', '.join(types)}) outs({init} : {target}) {{\n^bb0({arguments}, %o: {kind}):\n{body}\n"
            f"linalg.yield %r : {kind}\n}} -> {target}"
        )
        self.types[name] = kind
        return name

def variance(rows: int, columns: int, kind: str, one_pass: bool) -> str:
    """Variance of each row of an f32 tensor, computed in `kind`: mean of (x - mean)^2, or E[x^2] - E[x]^2."""
    build = _Rows(rows, columns, kind)
    x = build.op([("%x", "full")], "full", f"%r = arith.extf %a0 : f32 to {kind}") if kind != "f32" else "%x"
    divide = f"%r = arith.divf %a0, %n : {kind}"
    add = f"%r = arith.addf %a0, %o : {kind}"
    mean = build.op([(build.op([(x, "full")], "row", add, out="%zero"), "row")], "row", divide)
    if one_pass:
        squares = build.op([(x, "full")], "full", f"%r = arith.mulf %a0, %a0 : {kind}")
    else:
        centered = build.op([(x, "full"), (mean, "row")], "full", f"%r = arith.subf %a0, %a1 : {kind}")
        squares = build.op([(centered, "full")], "full", f"%r = arith.mulf %a0, %a0 : {kind}")
    result = build.op([(build.op([(squares, "full")], "row", add, out="%zero"), "row")], "row", divide)
    if one_pass:
        body = f"%q = arith.mulf %a1, %a1 : {kind}\n%r = arith.subf %a0, %q : {kind}"
        result = build.op([(result, "row"), (mean, "row")], "row", body)
    if kind != "f32":
        result = build.op([(result, "row")], "row", f"%r = arith.truncf %a0 : {kind} to f32", kind="f32")
    empties = [f"%e_{s}_{k} = tensor.empty() : tensor<{build.shapes[s]}x{k}>"
               for s in build.shapes for k in sorted({kind, "f32"})]  # fmt: skip
    row = f"tensor<{rows}x1x{kind}>"
    return "\n".join([
        f"func.func @main(%x: tensor<{rows}x{columns}xf32>) -> tensor<{rows}x1xf32> {{", *empties,
        f"%z = arith.constant 0.0 : {kind}", f"%n = arith.constant {float(columns)} : {kind}",
        f"%zero = linalg.fill ins(%z : {kind}) outs(%e_row_{kind} : {row}) -> {row}",
        *build.lines, f"return {result} : tensor<{rows}x1xf32>", "}",
    ])  # fmt: skip
