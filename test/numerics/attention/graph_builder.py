# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes linalg functions op by op, each in a randomly drawn spelling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Value:
    """An SSA value, the dims of its axes (one letter each), and its element type."""

    name: str
    dims: str
    element: str


@dataclass
class Builder:
    """Grows the text of one function. `sizes`: extent of each dim letter."""

    rng: np.random.Generator
    element: str
    sizes: dict[str, int]
    arguments: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    choices: list[str] = field(default_factory=list)
    count: int = 0

    def pick(self, what: str, *options: str) -> str:
        """One of the options; noted for the message of a failing test."""
        chosen = options[self.rng.integers(len(options))]
        self.choices.append(f"{what}: {chosen}")
        return chosen

    def fresh(self) -> str:
        self.count += 1
        return f"%v{self.count}"

    def type(self, dims: str, element: str) -> str:
        return "tensor<" + "".join(f"{self.sizes[d]}x" for d in dims) + f"{element}>"

    def type_of(self, value: Value) -> str:
        return self.type(value.dims, value.element)

    def argument(self, dims: str, element: str | None = None) -> Value:
        value = Value(f"%a{len(self.arguments)}", dims, element or self.element)
        self.arguments.append(f"{value.name}: {self.type_of(value)}")
        return value

    def literal(self, number: float) -> str:
        if number == -np.inf:
            return {"f64": "0xFFF0000000000000", "f32": "0xFF800000", "f16": "0xFC00"}[self.element]
        return f"{number:.17e}"

    def empty(self, dims: str, element: str) -> str:
        name = self.fresh()
        self.lines.append(f"{name} = tensor.empty() : {self.type(dims, element)}")
        return name

    def filled(self, dims: str, number: float) -> str:
        start, name = self.fresh(), self.fresh()
        type_ = self.type(dims, self.element)
        self.lines.append(f"{start} = arith.constant {self.literal(number)} : {self.element}")
        empty = self.empty(dims, self.element)
        self.lines.append(f"{name} = linalg.fill ins({start} : {self.element}) outs({empty} : {type_}) -> {type_}")
        return name

    def generic(self, out: str, inputs: Sequence[Value], body: Sequence[str], loops: str, outs: str) -> Value:
        """A linalg.generic; body lines see %x0... and %acc, `T` stands for the element type, %r is yielded."""
        result = Value(self.fresh(), out, self.element)
        order, place = ", ".join(loops), ", ".join
        maps = [f"affine_map<({order}) -> ({place(dims)})>" for dims in (*(v.dims for v in inputs), out)]
        kinds = ['"parallel"' if dim in out else '"reduction"' for dim in loops]
        ins = f"ins({place(v.name for v in inputs)} : {place(map(self.type_of, inputs))}) " if inputs else ""
        scalars = "".join(f"%x{i}: {v.element}, " for i, v in enumerate(inputs))
        self.lines += [
            f"{result.name} = linalg.generic {{indexing_maps = [{place(maps)}], iterator_types = [{place(kinds)}]}}",
            f"    {ins}outs({outs} : {self.type_of(result)}) {{",
            f"^bb0({scalars}%acc: {self.element}):",
            *("  " + line.replace(" T", f" {self.element}") for line in body),
            f"  linalg.yield %r : {self.element}",
            f"}} -> {self.type_of(result)}",
        ]
        return result

    def pointwise(self, out: str, inputs: Sequence[Value], body: Sequence[str]) -> Value:
        return self.generic(out, inputs, body, out, self.empty(out, self.element))

    def reduce(self, value: Value, out: str, combiner: str, start: float, before: Sequence[str] = ()) -> Value:
        """`before` computes %y from %x0; without it %x0 itself is combined."""
        operand = "%y" if before else "%x0"
        body = [*before, f"%r = arith.{combiner} {operand}, %acc : T"]
        return self.generic(out, [value], body, value.dims, self.filled(out, start))

    def transpose(self, value: Value, dims: str) -> Value:
        if dims == value.dims:
            return value
        result = Value(self.fresh(), dims, value.element)
        empty = self.empty(dims, value.element)
        self.lines.append(
            f"{result.name} = linalg.transpose ins({value.name} : {self.type_of(value)}) "
            f"outs({empty} : {self.type_of(result)}) permutation = {[value.dims.index(d) for d in dims]}"
        )
        return result

    def broadcast(self, value: Value, dims: str) -> Value:
        result = Value(self.fresh(), dims, value.element)
        empty = self.empty(dims, value.element)
        added = [i for i, d in enumerate(dims) if d not in value.dims]
        self.lines.append(
            f"{result.name} = linalg.broadcast ins({value.name} : {self.type_of(value)}) "
            f"outs({empty} : {self.type_of(result)}) dimensions = {added}"
        )
        return result

    def collapse(self, value: Value, group: str, into: str) -> Value:
        """Adjacent dims `group` become one dim `into`."""
        self.sizes[into] = int(np.prod([self.sizes[d] for d in group]))
        return self._reshape("collapse", value, value.dims.replace(group, into), group, into)

    def expand(self, value: Value, dim: str, into: str) -> Value:
        """One dim becomes the dims `into`."""
        return self._reshape("expand", value, value.dims.replace(dim, into), into, dim)

    def _reshape(self, kind: str, value: Value, dims: str, many: str, one: str) -> Value:
        result = Value(self.fresh(), dims, value.element)
        wide, narrow = (value.dims, dims) if kind == "collapse" else (dims, value.dims)
        groups = [[wide.index(d) for d in (many if dim == one else dim)] for dim in narrow]
        shape = f" output_shape {[self.sizes[d] for d in dims]}" if kind == "expand" else ""
        self.lines.append(
            f"{result.name} = tensor.{kind}_shape {value.name} {groups}{shape} : {self.type_of(value)} "
            f"into {self.type_of(result)}"
        )
        return result

    def contract(self, a: Value, b: Value, out: str) -> Value:
        """sum of a * b over the dims that `out` lacks: generic, contract, or batch_matmul in reshapes."""
        loops = out + "".join(dict.fromkeys(d for d in a.dims + b.dims if d not in out))
        collapsible = out.startswith("bh") and len(loops) == 5 and all("b" in v.dims and "h" in v.dims for v in (a, b))
        form = self.pick("contraction", "generic", "contract", *["batch_matmul"] * 2 * collapsible)
        if form == "batch_matmul":
            return self._batch_matmul(a, b, out, loops[-1])
        start = self.filled(out, 0.0)
        if form == "generic":
            return self.generic(
                out, [a, b], ["%p = arith.mulf %x0, %x1 : T", "%r = arith.addf %acc, %p : T"], loops, start
            )
        result = Value(self.fresh(), out, self.element)
        maps = ", ".join(f"affine_map<({', '.join(loops)}) -> ({', '.join(dims)})>" for dims in (a.dims, b.dims, out))
        self.lines.append(
            f"{result.name} = linalg.contract indexing_maps = [{maps}] ins({a.name}, {b.name} : {self.type_of(a)}, "
            f"{self.type_of(b)}) outs({start} : {self.type_of(result)}) -> {self.type_of(result)}"
        )
        return result

    def _batch_matmul(self, a: Value, b: Value, out: str, summed: str) -> Value:
        rows, columns = out[2:]
        if rows in b.dims:
            a, b = b, a
        left = self.collapse(self.transpose(a, "bh" + rows + summed), "bh", "z")
        right = self.collapse(self.transpose(b, "bh" + summed + columns), "bh", "z")
        flat = Value(self.fresh(), "z" + rows + columns, self.element)
        start = self.filled(flat.dims, 0.0)
        self.lines.append(
            f"{flat.name} = linalg.batch_matmul ins({left.name}, {right.name} : {self.type_of(left)}, "
            f"{self.type_of(right)}) outs({start} : {self.type_of(flat)}) -> {self.type_of(flat)}"
        )
        return self.expand(flat, "z", "bh")

    def text(self, result: Value) -> str:
        """The function that returns `result`."""
        body = "\n".join("  " + line for line in [*self.lines, f"return {result.name} : {self.type_of(result)}"])
        return f"func.func @main({', '.join(self.arguments)}) -> {self.type_of(result)} {{\n{body}\n}}\n"
