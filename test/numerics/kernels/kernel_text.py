# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the text of kernel functions op by op.

Inputs of a generic's body are called %a, %b, %c, ... in order, its accumulators (the init arguments) %x, %y, ...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

INPUT_NAMES, INIT_NAMES = "abcdefghijk", "xyz"
MINUS_INFINITY = {"f32": "0xFF800000", "f16": "0xFC00", "bf16": "0xFF80", "f64": "0xFFF0000000000000"}


@dataclass(frozen=True)
class Tensor:
    """An SSA value of ranked tensor type."""

    name: str
    shape: tuple[int, ...]
    element: str

    @property
    def type(self) -> str:
        return tensor_type(self.shape, self.element)


@dataclass(frozen=True)
class Out:
    """A result of a generic: its shape, element type, indexing map, and its init (an empty tensor if None)."""

    shape: tuple[int, ...]
    element: str
    map: str
    init: Tensor | None = None


def tensor_type(shape: Sequence[int], element: str) -> str:
    return f"tensor<{''.join(f'{extent}x' for extent in shape)}{element}>"


@dataclass
class KernelText:
    """Grows a kernel function of `kind`; `attributes` is the text of further attributes."""

    kind: str
    attributes: str = ""
    arguments: list[Tensor] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    count: int = 0

    def fresh(self) -> str:
        self.count += 1
        return f"%v{self.count}"

    def argument(self, shape: Sequence[int], element: str) -> Tensor:
        tensor = Tensor(f"%arg{len(self.arguments)}", tuple(shape), element)
        self.arguments.append(tensor)
        return tensor

    def scalar(self, literal: object, element: str) -> str:
        """A scalar constant; `literal` as MLIR writes it."""
        name = self.fresh()
        self.lines.append(f"{name} = arith.constant {literal}" + (f" : {element}" if element != "i1" else ""))
        return name

    def value(self, text: str, shape: Sequence[int], element: str) -> Tensor:
        """The result of an op written out in full, its result type too."""
        tensor = Tensor(self.fresh(), tuple(shape), element)
        self.lines.append(f"{tensor.name} = {text}")
        return tensor

    def empty(self, shape: Sequence[int], element: str) -> Tensor:
        return self.value(f"tensor.empty() : {tensor_type(shape, element)}", shape, element)

    def filled(self, literal: object, shape: Sequence[int], element: str) -> Tensor:
        scalar, empty = self.scalar(literal, element), self.empty(shape, element)
        return self.value(
            f"linalg.fill ins({scalar} : {element}) outs({empty.name} : {empty.type}) -> {empty.type}", shape, element
        )

    def named(
        self, op: str, ins: Sequence[Tensor], init: Tensor, suffix: str = "", hero: bool = False, before: str = ""
    ) -> Tensor:
        """A named op: `before` comes ahead of its operands (indexing maps), `suffix` after them (a permutation)."""
        names, types = ", ".join(t.name for t in ins), ", ".join(t.type for t in ins)
        result = f" -> {init.type}" if not suffix else f" {suffix}"
        return self.value(
            f"linalg.{op} {before} {'{fovea.hero}' if hero and not suffix else ''} ins({names} : {types}) "
            f"outs({init.name} : {init.type}){result}{' {fovea.hero}' if hero and suffix else ''}",
            init.shape,
            init.element,
        )  # fmt: skip

    def generics(
        self, dims: str, ins: Sequence[tuple[Tensor, str]], outs: Sequence[Out], body: Sequence[str],
        yields: str, hero: bool = False,
    ) -> list[Tensor]:  # fmt: skip
        """A linalg.generic over `dims` ("m, n, k"); dims that no result has are reduced."""
        maps = ", ".join(f"affine_map<({dims}) -> ({m})>" for m in [*(m for _, m in ins), *(o.map for o in outs)])
        kept = {name.strip() for name in outs[0].map.split(",")}
        names = [name.strip() for name in dims.split(",") if name.strip()]
        kinds = ", ".join('"parallel"' if name in kept else '"reduction"' for name in names)
        inits = [o.init or self.empty(o.shape, o.element) for o in outs]
        operands = ""
        if ins:
            operands = f"ins({', '.join(t.name for t, _ in ins)} : {', '.join(t.type for t, _ in ins)}) "
        types = ", ".join(t.type for t in inits)
        arguments = [f"%{n}: {t.element}" for n, (t, _) in zip(INPUT_NAMES, ins, strict=False)]
        arguments += [f"%{n}: {t.element}" for n, t in zip(INIT_NAMES, inits, strict=False)]
        name = self.fresh()
        count = f":{len(outs)}" if len(outs) > 1 else ""
        self.lines += [
            f"{name}{count} = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}} {operands}"
            f"outs({', '.join(t.name for t in inits)} : {types}) {'attrs = {fovea.hero} ' if hero else ''}{{",
            f"^bb0({', '.join(arguments)}):",
            *body,
            f"linalg.yield {yields} : {', '.join(o.element for o in outs)}",
            f"}} -> {types if len(outs) == 1 else f'({types})'}",
        ]
        if len(outs) == 1:
            return [Tensor(name, inits[0].shape, inits[0].element)]
        return [Tensor(f"{name}#{i}", t.shape, t.element) for i, t in enumerate(inits)]

    def generic(
        self, dims: str, ins: Sequence[tuple[Tensor, str]], out: Out, body: Sequence[str], yields: str,
        hero: bool = False,
    ) -> Tensor:  # fmt: skip
        """A linalg.generic with one result."""
        return self.generics(dims, ins, [out], body, yields, hero)[0]

    def pointwise(
        self, ins: Sequence[Tensor], element: str, body: Sequence[str], yields: str, hero: bool = False
    ) -> Tensor:
        """An elementwise generic on tensors of one shape."""
        dims = ", ".join(f"d{i}" for i in range(len(ins[0].shape)))
        return self.generic(dims, [(t, dims) for t in ins], Out(ins[0].shape, element, dims), body, yields, hero)

    def reshape(self, source: Tensor, groups: str, shape: Sequence[int]) -> Tensor:
        """tensor.expand_shape or collapse_shape, whichever the ranks ask for."""
        target = tensor_type(shape, source.element)
        if len(shape) > len(source.shape):
            output = f"output_shape {list(shape)}"
            text = f"tensor.expand_shape {source.name} {groups} {output} : {source.type} into {target}"
        else:
            text = f"tensor.collapse_shape {source.name} {groups} : {source.type} into {target}"
        return self.value(text, shape, source.element)

    def quantize(self, source: Tensor, scale: float, element: str = "f8E4M3FNUZ", hero: bool = False) -> Tensor:
        target = tensor_type(source.shape, element)
        mark = "fovea.hero, " if hero else ""
        return self.value(
            f'"fovea.quantize"({source.name}) {{{mark}axis = -1 : i64, scale = dense<{scale}> : tensor<f32>}} : '
            f"({source.type}) -> {target}",
            source.shape,
            element,
        )

    def text(self, *results: Tensor) -> str:
        """The whole function."""
        arguments = ", ".join(f"{t.name}: {t.type}" for t in self.arguments)
        types = ", ".join(t.type for t in results)
        extra = f", {self.attributes}" if self.attributes else ""
        body = "\n".join(self.lines)
        return (
            f'func.func private @k({arguments}) -> ({types}) attributes {{fovea.kernel = "{self.kind}"{extra}}} {{\n'
            f"{body}\nreturn {', '.join(t.name for t in results)} : {types}\n}}\n"
        )
